"""CONTRIBUTING and the architecture page: files and names exist, and additions made in the listed files alone work."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = {path.name for path in (ROOT / "sim").iterdir() if (path / "__init__.py").exists()}

Edit = tuple[str, str, str]
"""A file, what stands in it once, and what takes its place; nothing stands in a new file."""


def section(document: str, title: str) -> str:
    """What stands under a heading, up to the next one of its rank."""
    return document.partition(f"{title}\n")[2].partition("\n## ")[0]


def listed(title: str) -> list[str]:
    """The files that CONTRIBUTING lists under a heading."""
    files = section(CONTRIBUTING, title).partition("**Files**")[2]
    return re.findall(r"^\d+\. `((?:sim|configs)/[^`]+)`", files, re.MULTILINE)


ADDITIONS = re.findall(r"^## An? .+$", CONTRIBUTING, re.MULTILINE)


# --- an addition to a copy ----------------------------------------------------------------------------------

ENGINES_AGREE = """
import numpy as np
from sim.engine import batched
from sim.engine.batch import empty_output
from sim.engine.record import OutputSpec
from sim.engine.inputs import build_inputs
from sim.engine.reference.model import ReferenceModel
from sim.engine.reference.tally import write_history
from sim.experiment.runner import first_days
from sim.model.scenario import load

scenario = load(OVERRIDES).scenario
table = first_days(build_inputs(scenario), 10)
reference, kernel = (empty_output(table, 2, OutputSpec(states=True)) for _ in range(2))
batched.run_histories(table, 1, 0, np.arange(2), np.zeros(2, dtype=np.int64), kernel, width=32)
for run in range(2):
    write_history(reference, run, ReferenceModel(scenario, 1, run, table=table).simulate())
assert (reference.rows == kernel.rows).all()
assert (reference.run_states == kernel.run_states).all()
"""
"""A few days in both engines, which agree to the bit."""

PARAMETER: tuple[Edit, ...] = (
    (
        "sim/model/parameters.py",
        '"k_war", "Rate of direct war",\n    )\n',
        '"k_war", "Rate of direct war",\n    )\n'
        '    floor: float = param(\n        0.0, 0.0, 5.0, "rungs", uniform(0.0, 2.0), "assumed", "assumed",\n'
        '        "lowest recent height of the ladder", "floor", "Floor of the ladder",\n    )\n',
    ),
    ("sim/rules/ladder.py", "cooling: float, rung: float)", "cooling: float, rung: float, floor: float)"),
    ("sim/rules/ladder.py", "recent_rung(3.0, 0.5, 1.0)", "recent_rung(3.0, 0.5, 1.0, 0.0)"),
    (
        "sim/rules/ladder.py",
        "    return rung if rung > cooled else cooled\n",
        "    highest = rung if rung > cooled else cooled\n    return highest if highest > floor else floor\n",
    ),
    ("sim/engine/reference/model.py", "numbers.cooling, rung)", "numbers.cooling, rung, numbers.floor)"),
    ("sim/engine/batched/roles.py", "own.cooling[i], touched)", "own.cooling[i], touched, own.floor[i])"),
)  # fmt: skip

RULE: tuple[Edit, ...] = (
    (
        "sim/rules/patron.py",
        "@rule\ndef gains(",
        "@rule\ndef nerve(now: float, per_act: float, draw: float) -> float:\n"
        '    """How nervous the patron is: half of what it was, and at times more.\n\n    >>> nerve(1.0, 2.0, 0.3)\n'
        '    2.5\n    """\n    return 0.5 * now + (per_act if draw < 0.5 else 0.0)\n\n\n@rule\ndef gains(',
    ),
    ("sim/rules/decisions.py", "WAR: Final = 2\n", "WAR: Final = 2\nNERVE: Final = 3\n"),
    (
        "sim/rules/decisions.py",
        '        "WAR": "when direct war breaks out",\n',
        '        "WAR": "when direct war breaks out",\n        "NERVE": "whether it becomes nervous",\n',
    ),
    (
        "sim/model/parameters.py",
        '    """Some attacks go unacknowledged."""\n',
        '    """Some attacks go unacknowledged."""\n    nervousness: bool = True\n    """The patron is nervous."""\n',
    ),
    (
        "sim/engine/inputs.py",
        '    "fear": {"fear_own": 0.0,',
        '    "nervousness": {"alarm_per_act": 0.0},\n    "fear": {"fear_own": 0.0,',
    ),
    ("sim/engine/state.py", "    war: Whole\n", "    war: Whole\n    nerve: Real\n"),
    (
        "sim/engine/reference/agents.py",
        "        self.war_risk, self.phase, self.phase_days = 0.0, NORMAL, 0.0\n",
        "        self.war_risk, self.phase, self.phase_days = 0.0, NORMAL, 0.0\n        self.nerve = 0.0\n",
    ),
    (
        "sim/engine/reference/agents.py",
        "        self._change_phase()\n",
        "        self._change_phase()\n"
        "        self.nerve = rules.nerve(self.nerve, numbers.alarm_per_act, self.random_number(decide.NERVE))\n",
    ),
    (
        "sim/engine/batched/roles.py",
        "    if provoked > 0:\n        draw_lanes(lanes.vectors, where, lanes.shares, draws)\n",
        "    draw_lanes(lanes.vectors, where, lanes.shares, draws)\n",
    ),
    (
        "sim/engine/batched/roles.py",
        "        state.answered[i] = 0.0\n",
        "        state.answered[i] = 0.0\n"
        "        state.nerve[i] = patron.nerve(state.nerve[i], own.alarm_per_act[i], draws.fourth[i])\n",
    ),
)

RECORDED: tuple[Edit, ...] = (
    (
        "sim/model/declared_outcomes.py",
        '    Outcome("peak_rung", "rung", "highest rung of the ladder reached", "Highest rung"),\n',
        '    Outcome("peak_rung", "rung", "highest rung of the ladder reached", "Highest rung"),\n'
        '    Outcome("silent_days", "days", "days without an acknowledged attack", "Silent days"),\n',
    ),
    (
        "sim/engine/reference/tally.py",
        '        "peak_rung": ',
        '        "silent_days": (run["acknowledged"] <= 0.0).sum(),\n        "peak_rung": ',
    ),
    (
        "sim/engine/batched/recording.py",
        "else tally.peak_rung[i]\n",
        "else tally.peak_rung[i]\n"
        "        tally.silent_days[i] += 1.0 if alive and state.acknowledged[i] <= 0.0 else 0.0\n",
    ),
)

DERIVED: tuple[Edit, ...] = (
    (
        "sim/model/declared_outcomes.py",
        '    Outcome("war", "probability", "1 when direct war broke out", "Direct war"),\n',
        '    Outcome("war", "probability", "1 when direct war broke out", "Direct war"),\n'
        '    Outcome("peace", "probability", "1 when direct war did not break out", "Peace"),\n',
    ),
    (
        "sim/experiment/dataset.py",
        '    values["war"] = ',
        '    values["peace"] = (values["war_day"] == NEVER).astype(np.int8)\n    values["war"] = ',
    ),
)

VERB: tuple[Edit, ...] = (
    (
        "sim/cli.py",
        '    "bench": Verb(',
        '    "count": Verb("number of scenarios", "Look up", "", "lull count"),\n    "bench": Verb(',
    ),
    (
        "sim/experiment/options.py",
        '@dataclass(frozen=True)\nclass VerifyOptions(Options, section="verify"):',
        '@dataclass(frozen=True)\nclass CountOptions(Options, section="count"):\n    """`lull count`."""\n\n'
        '    twice: bool = option(False, "count each twice")\n\n\n'
        '@dataclass(frozen=True)\nclass VerifyOptions(Options, section="verify"):',
    ),
    (
        "sim/experiment/options.py",
        '    "verify": (VerifyOptions,),\n',
        '    "verify": (VerifyOptions,),\n    "count": (CountOptions,),\n',
    ),
    (
        "sim/commands/count.py",
        "",
        "from sim.experiment.options import CountOptions\nfrom sim.model.scenario import scenario_names\n\n\n"
        "def main(request):\n    options, _ = request.options(CountOptions)\n"
        '    print(len(scenario_names()) * (2 if options.twice else 1), "scenarios")\n',
    ),
)

SCENARIO: tuple[Edit, ...] = (
    (
        "configs/scenario/spring_truce.yaml",
        "",
        "# @package _global_\nscenario:\n  title: Spring truce\n  question: What is left after a truce?\n"
        "  departs: 2024-01-01\n\nevents:\n  truce:\n    kind: intensity\n    from: 2024-01-01\n    to: 2024-02-11\n"
        "    value: 0.2\n    source: invented\n",
    ),
)

(WING_FILE,) = re.findall(r"```yaml\n(.*?)```", section(CONTRIBUTING, "## A wing, a theatre, another case"), re.DOTALL)
WING: tuple[Edit, ...] = (("configs/scenario/newcomers.yaml", "", WING_FILE),)

FIGURE: tuple[Edit, ...] = (
    (
        "sim/reporting/figures/calm.py",
        "",
        "from sim.reporting.style import new_figure, style\n\n\n"
        "def days_figure(found):\n    with style():\n        figure = new_figure(4.0, 3.0)\n"
        "        axes = figure.subplots()\n        axes.hist([one.day for one in found.sentences])\n"
        '        axes.set_title("Sentences by day")\n    return figure\n',
    ),
    (
        "sim/commands/replay.py",
        "from sim.reporting.terminal import chronicle_texts",
        "from sim.reporting.figures import drawn\nfrom sim.reporting.terminal import chronicle_texts",
    ),
    (
        "sim/commands/replay.py",
        "            figures={},\n",
        '            figures={"calm": drawn("calm", "days", found)},\n',
    ),
)

PATTERN: tuple[Edit, ...] = (
    (
        "configs/patterns/article.yaml",
        "patterns:\n",
        "patterns:\n  - id: P0\n    text: a history ends\n    kind: built-in\n    judged: closed form\n"
        "    measure: always\n    figure: it did\n    limits: {days: 1}\n",
    ),
    (
        "sim/analysis/pattern_tests.py",
        'MEASURES: "Final[',
        'def always(evidence: "Evidence", pattern: Pattern) -> Finding:\n    """What always holds."""\n'
        '    return Finding("it does", f"{pattern.limits[\'days\']:.0f} day", True)\n\n\nMEASURES: "Final[',
    ),
    (
        "sim/analysis/pattern_tests.py",
        "compliance_lag,\n        war_in_window,",
        "compliance_lag,\n        always, war_in_window,",
    ),
)

MADE: dict[str, tuple[tuple[Edit, ...], list[str], str]] = {
    "## A scenario": (SCENARIO, ["-m", "sim.cli", "scenarios", "spring_truce"], "Spring truce"),
    "## A wing, a theatre, another case": (
        WING,
        [
            "-c",
            f"OVERRIDES = ['scenario=newcomers']{ENGINES_AGREE}"
            "assert list(scenario.cast.wings)[-1] == 'newcomers_iraq'\n"
            "assert reference.wing_states['attacks'][..., -1].sum() > 0\n"
            "print('newcomers attack')",
        ],
        "newcomers attack",
    ),
    "## A figure": (
        FIGURE,
        [
            "-c",
            "from sim.commands import replay\nfrom sim.experiment.command import Request\n"
            "from sim.experiment.options import ReplayOptions\n"
            "replay.state_table = replay.history = lambda *_: {}  # by the kernel, which is no matter here\n"
            "rest = Request('replay', ('calendar.days=134',))\n"
            "result = replay.job(Request('replay'), ReplayOptions(), rest).compute(None)\n"
            "print(result.plot('calm').axes[0].get_title(loc='left'))",
        ],
        "Sentences by day",
    ),
    "## A parameter": (
        PARAMETER,
        ["-c", f"OVERRIDES = ['ladder.floor=2.5']{ENGINES_AGREE}print(reference.run_states['recent_rung'].min())"],
        "2.5",
    ),
    "## A rule": (
        RULE,
        [
            "-c",
            f"OVERRIDES = []{ENGINES_AGREE}assert 0 < (reference.run_states['nerve'] > 0).sum() < 20\n"
            "off = load(['mechanisms.nervousness=false']).scenario\n"
            "print('nervous', build_inputs(off).numbers['alarm_per_act'])",
        ],
        "nervous [0.]",
    ),
    "## An outcome that the engines record": (
        RECORDED,
        [
            "-c",
            f"OVERRIDES = []{ENGINES_AGREE}"
            "assert (reference.rows[:, -1] == (reference.run_states['acknowledged'] == 0).sum(axis=1)).all()\n"
            "print('silent days', reference.rows[:, -1])",
        ],
        "silent days",
    ),
    "## An outcome that follows from recorded ones": (
        DERIVED,
        [
            "-c",
            f"OVERRIDES = []{ENGINES_AGREE}from sim.experiment.dataset import outcome_values, theatre_counts\n"
            "values = outcome_values(scenario, kernel, theatre_counts(scenario, kernel))\n"
            "assert list(values['peace'] + values['war']) == [1, 1]\nprint('peace')",
        ],
        "peace",
    ),
    "## A verb": (VERB, ["-m", "sim.cli", "count", "twice=true"], " scenarios"),
    "## A pattern": (
        PATTERN,
        [
            "-c",
            "from sim.analysis.pattern_tests import MEASURES\nfrom sim.model.scenario import load\n"
            "one = load().patterns[0]\nprint(MEASURES[one.measure](None, one).model)",
        ],
        "it does",
    ),
}
"""Additions: the edits, what shows that they work, and what it prints."""


def add(edits: tuple[Edit, ...], folder: Path) -> None:
    """Make an addition to the copy of the package in a folder."""
    for name, old, new in edits:
        path = folder / name
        text = path.read_text(encoding="utf-8") if old else ""
        assert not old or text.count(old) == 1, f"{name}: {old!r} {text.count(old)} times"
        assert old or not path.exists(), name
        path.write_text(text.replace(old, new) if old else new, encoding="utf-8")


def carry_out(folder: Path, arguments: list[str], **environment: str) -> str:
    """Run Python on the copy; what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "120"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def package_copy(tmp_path: Path) -> Path:
    """A copy of the package with its data."""
    for name in ("sim", "configs", "seeds"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("title", ADDITIONS)
def test_listed_files_exist(title):
    files = listed(title)
    assert files, "no list of files"
    assert [one for one in files if not list(ROOT.glob(one.replace("NAME", "*")))] == []


@pytest.mark.parametrize("title", MADE)
def test_an_addition_needs_the_listed_files_and_no_others(title):
    files, edited = listed(title), {name for name, _, _ in MADE[title][0]}
    assert len(edited) == len(files)
    assert [one for one in files if not any(fnmatch(name, one.replace("NAME", "*")) for name in edited)] == []


@pytest.mark.parametrize("title", MADE)
def test_an_addition_in_the_listed_files_works(title, package_copy):
    edits, arguments, shown = MADE[title]
    add(edits, package_copy)
    # Plain Python gives the same bits, and a copy would have to be compiled anew.
    assert shown in carry_out(package_copy, arguments, NUMBA_DISABLE_JIT="1")


def test_half_an_addition_fails(package_copy):
    edits, arguments, _ = MADE["## A verb"]
    add(edits[:1], package_copy)
    with pytest.raises(AssertionError, match=r"sim\.commands\.count|count"):
        carry_out(package_copy, arguments)


@pytest.mark.long
@pytest.mark.parametrize(
    ("title", "key"), [("## A parameter", "ladder.floor=2.5"), ("## An outcome that the engines record", "seed=2")]
)
def test_an_addition_to_the_engines_compiles(title, key, package_copy):
    add(MADE[title][0], package_copy)
    printed = carry_out(package_copy, ["-m", "sim.cli", "run", "study.runs=8", key, "output.dir=made"])
    assert "Patterns" in printed or "patterns" in printed
    assert (title != "## An outcome that the engines record") or "silent_days" in (
        package_copy / "made" / "outcomes.csv"
    ).read_text(encoding="utf-8")


def test_counts_are_those_of_the_lists():
    counts = dict(re.findall(r"^\| (\w[^|]*) \| (\d+)", CONTRIBUTING, re.MULTILINE))
    assert {
        "scenario": 1,
        "parameter that a rule gets as a new argument": 4,
        "rule with a state, a random number and a switch": 7,
        "outcome that the engines record": 3,
        "outcome that follows from recorded ones": 2,
        "verb": 3,
    }.items() <= {name: int(count) for name, count in counts.items()}.items()
    assert [
        len(listed(title))
        for title in (
            "## A scenario", "## A parameter", "## A rule", "## An outcome that the engines record",
            "## An outcome that follows from recorded ones", "## A verb",
        )
    ] == [1, 4, 7, 3, 2, 3]  # fmt: skip


# --- rooms and questions ------------------------------------------------------------------------------------


def test_both_pages_name_every_room():
    for page in (CONTRIBUTING, ARCHITECTURE):
        assert set(re.findall(r"^\| `sim/(\w+)/` \|", page, re.MULTILINE)) == ROOMS


def test_the_picture_has_the_order_of_the_contract():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(one["layers"] for one in project["tool"]["importlinter"]["contracts"] if one["id"] == "rooms")
    drawn = [set(re.findall(r"[a-z_]+", line)) for line in ARCHITECTURE.splitlines() if re.match(r" +\|.*\w.*\|", line)]
    assert len(drawn) == len(layers)
    for line, layer in zip(drawn, layers, strict=True):
        assert set(layer.split(" | ")) <= line
    assert f"`{' > '.join(layers)}`" in CONTRIBUTING


def undefined(document: str) -> list[str]:
    """The names that are said to stand in a module and are not defined there."""
    lost = []
    for name, path in re.findall(r"`(\w+)`\s+in\s+`(sim/[\w/]+\.py)`", document):
        found = set()
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            found |= {one.id for one in targets if isinstance(one, ast.Name)} | {getattr(node, "name", "")}
        lost += [] if name in found else [f"{name} in {path}"]
    return lost


def test_fifteen_questions_are_answered_by_names_that_are_defined_there():
    answers = re.findall(r"^\| .*\? \| (.*) \|$", section(ARCHITECTURE, "## Fifteen questions"), re.MULTILINE)
    assert len(answers) == 15
    assert all(re.search(r"`\w+` in `sim/", one) for one in answers)
    assert undefined(ARCHITECTURE) == []


def test_quantiles_are_computed_in_one_module():
    own = re.compile(r"\bnp\.(nan)?(quantile|percentile)\(")
    modules = {path.name for path in (ROOT / "sim").rglob("*.py") if own.search(path.read_text(encoding="utf-8"))}
    assert modules == {"statistics.py"}


def test_the_way_to_an_attack_ends_in_the_line_that_is_shown():
    steps = section(ARCHITECTURE, "## From README to the line that makes an attack")
    assert re.findall(r"^(\d)\. ", steps, re.MULTILINE) == [str(one) for one in range(1, 8)]
    wings = (ROOT / "sim" / "engine" / "batched" / "wings.py").read_text(encoding="utf-8")
    attack = wings.partition("def militias_attack")[2].partition("\ndef ")[0]
    assert "state.attacks[at.wing + i], scratch.term[i], scratch.reached[i] = count, term, reached" in attack


def test_a_name_that_is_only_mentioned_is_noticed():
    said = "`exp` in `sim/engine/batched/wings.py` and `simulate_wing` in `sim/engine/batched/wings.py`"
    assert undefined(said) == ["exp in sim/engine/batched/wings.py"]
