"""The documents: every command and every piece of Python in them runs, tables are those of the code, names exist.

What the front page shows is carried out by `make test`, what all others show by `make docs`. Nothing is passed over: a
block in a language, or a command, that this file cannot check is a failure.
"""

import linecache
import re
import runpy
import shlex
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

import sim
from sim import cli, rules
from sim.analysis.calibration.observations import settings_of as calibration_settings
from sim.analysis.sensitivity.sensitivity_run import settings_of, store_at
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.experiment.cluster import cluster_of
from sim.experiment.command import Request
from sim.experiment.options import BenchOptions, CalibrateOptions
from sim.experiment.sweep.run_sweep import prepare
from sim.model.parameters import MECHANISM_NAMES, shared_declarations, shared_groups
from sim.model.timeline import EVENT_KINDS
from sim.reporting.docs_tables import ROLES, filled
from sim.rules import decisions
from tests.app.served import serving
from tests.experiment.extensions import LISTINGS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "experiments/*/README.md")
    for path in ROOT.glob(pattern)
)
FEW_RUNS = "study.runs=50"
SMALL = 8
"""Most that an experiment is asked to do of anything here."""

each_document = pytest.mark.parametrize("name", DOCUMENTS)
carried_out = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "README.md" else pytest.mark.docs) for name in DOCUMENTS]
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_documents_are_there():
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/model.md", "docs/parameters.md"} <= set(DOCUMENTS)


# --- what can be run ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A fenced block: the line on which it opens, its language and what is inside."""

    line: int
    language: str
    text: str


def blocks_of(document: str) -> list[Block]:
    """Return the fenced blocks of a document, indented ones too."""
    found = [
        Block(document[: one.start()].count("\n") + 1, one[2], textwrap.dedent(one[3]))
        for one in re.finditer(r"^( *)```(\S*)\n(.*?)^\1```$", document, re.MULTILINE | re.DOTALL)
    ]
    assert document.count("```") == 2 * len(found), "a fence that is not closed"
    return found


def save_file(block: Block) -> None:
    """Write a file that says in a comment where it belongs, for the commands that follow."""
    place = re.search(r"^# (\S+\.yaml)$", block.text, re.MULTILINE)
    assert place is not None, f"line {block.line}: nobody knows where this file belongs"
    path = Path(place[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def make_targets() -> set[str]:
    """Return the targets that one may ask make for."""
    return set(re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)[1].split())  # type: ignore[index]


def carry_out(command: str) -> None:
    """Carry out one command, with few histories, or find out that it would do what it says."""
    words = [
        str(ROOT / one) if one.startswith("experiments/") and (ROOT / one).is_dir() else one
        for one in shlex.split(command)
    ]
    match words:
        case ["make", *targets]:
            assert set(targets) <= make_targets(), command
        case ["lull", verb, *rest] if verb in CARRIED_OUT:
            CARRIED_OUT[verb](rest, command)
        case ["lull", *words]:
            assert cli.main(words) == 0, command
        case ["python", script] if script.startswith("experiments/speed/"):
            compile(read(script), script, "exec")
        case ["python", script, *numbers]:
            sys.argv = [script, *(str(min(int(number), SMALL)) for number in numbers)]
            runpy.run_path(str(ROOT / script), run_name="__main__")
        case _:
            raise AssertionError(f"no way to check: {command}")


def without(words: list[str], *starts: str) -> list[str]:
    """Return the words but those that begin so."""
    return [word for word in words if not word.startswith(starts)]


def carry_out_run(words: list[str], command: str) -> None:
    """Run with few histories."""
    assert cli.main(["run", *without(words, "study.runs="), FEW_RUNS]) == 0, command


def carry_out_discover(words: list[str], command: str) -> None:
    """Search a small sweep."""
    few = without(words, "study.points=", "study.runs=")
    swept = ["study.points=64", "study.runs=8"] if len(few) < len(words) else []
    assert cli.main(["discover", *without(few, "discover.boxes="), *swept, "discover.boxes=1"]) == 0, command


def carry_out_compare(words: list[str], command: str) -> None:
    """Compare with few draws and histories."""
    drawn = [] if "parameters=defaults" in words else ["study.draws=3"]
    few = [*without(words, "study.draws=", "study.runs="), *drawn, "study.runs=20"]
    assert cli.main(["compare", *few]) == 0, command


def carry_out_explain(words: list[str], command: str) -> None:
    """Attribute to few mechanisms."""
    words = [*without(words, "study.draws=", "study.runs="), "study.draws=2", "study.runs=2"]
    words += [] if "mechanisms=" in command else ["mechanisms=[patron_restraint,major_response]"]
    assert cli.main(["explain", *words]) == 0, command


def carry_out_report(words: list[str], command: str) -> None:
    """Report on few histories."""
    few = [*without(words, "study.", "report.mechanisms="), "study.draws=3", "study.runs=4"]
    few += ["report.mechanisms=[patron_restraint,major_response]", "report.share_runs=2"]
    assert cli.main(["report", *few]) == 0, command


def carry_out_bench(words: list[str], command: str) -> None:
    """Read what would be timed."""
    assert Request("bench", tuple(words)).options(BenchOptions)[1].config(), command


def carry_out_calibrate(words: list[str], command: str) -> None:
    """Read what would be fitted; to a file, fit with few histories and to few observations."""
    if "data=" in command:
        few = (
            f"calibration.observations.{one}.enabled=false" for one in ("campaign", "syria", "ordering", "responses")
        )
        words += [*few, "calibration.draws=20000", "calibration.sbc_datasets=20"]
        assert cli.main(["calibrate", *words]) == 0, command
        return
    asked = Request("calibrate", tuple(words)).options(CalibrateOptions)[1]
    assert calibration_settings(asked.config(), asked.overrides).figures, command


def carry_out_forecast(words: list[str], command: str) -> None:
    """Forecast from few histories."""
    assert cli.main(["forecast", *without(words, "histories="), "histories=1000"]) == 0, command


def carry_out_case(words: list[str], command: str) -> None:
    """Write and check a case as it stands, predict from few histories."""
    few = ["histories=30000"] if "predict" in words else []
    assert cli.main(["case", *without(words, "histories="), *few]) == 0, command


def carry_out_sweep(words: list[str], command: str) -> None:
    """Make a sweep with few points and runs; one on a cluster that is not here is only read and checked."""
    few = [word for word in words if not word.startswith(("study.points=", "study.runs="))]
    few += ["study.runs=4", *(["study.points=64"] if "study.points=" in command else [])]
    if any(re.match(r"engine\.cluster=(tcp|slurm|pbs)", word) for word in words):
        assert cluster_of(prepare(Request("sweep", tuple(few))).config) is not None, command
    else:
        assert cli.main(["sweep", *few]) == 0, command


def carry_out_sensitivity(words: list[str], command: str) -> None:
    """Make an analysis with few samples and runs; where it asks a sweep, which has few points here, read the words."""
    if "sensitivity.sweep=" in command:
        settings, _ = settings_of(Request("sensitivity", tuple(words)))
        assert settings.sweep is not None, command
        assert store_at(settings.sweep).finished(), command
        return
    few = [word for word in words if not word.startswith(("sensitivity.samples=", "study.runs="))]
    few += ["sensitivity.samples=32", "study.runs=8"]
    few += [] if "sensitivity.outcomes=" in command else ["sensitivity.outcomes=[war]"]
    assert cli.main(["sensitivity", *few]) == 0, command


def carry_out_app(words: list[str], command: str) -> None:
    """Serve the page at any free port, look whether it answers there, and end it; it does not end by itself."""
    few = [*without(words, "app.port=", "app.show=", "study.runs="), FEW_RUNS]
    with serving(Path.cwd(), *few) as served:
        with urlopen(f"{served.site}/") as answer:
            assert "Lull: Explore" in answer.read().decode(), command
        assert served.end() == cli.TERMINATED, command


CARRIED_OUT: dict[str, Callable[[list[str], str], None]] = {
    "run": carry_out_run,
    "sweep": carry_out_sweep,
    "discover": carry_out_discover,
    "compare": carry_out_compare,
    "explain": carry_out_explain,
    "report": carry_out_report,
    "sensitivity": carry_out_sensitivity,
    "bench": carry_out_bench,
    "calibrate": carry_out_calibrate,
    "forecast": carry_out_forecast,
    "case": carry_out_case,
    "app": carry_out_app,
}
"""Verbs whose commands are made small before they are carried out; all others are carried out as they stand."""


def run_document(document: str, name: str) -> None:
    """Run all that a document shows, from top to bottom, in the current folder; its Python shares one namespace."""
    names: dict[str, Any] = {"__name__": name}
    for block in blocks_of(document):
        match block.language:
            case "yaml":
                save_file(block)
            case "sh":
                for command in block.text.splitlines():
                    carry_out(command)
            case "python" if re.match(r"# \S+\.py\n", block.text):
                Path(block.text.split()[1]).write_text(block.text, encoding="utf-8")
            case "python":
                linecache.cache[f"{name}, block on line {block.line}"] = (1, None, block.text.splitlines(True), name)
                exec(compile(block.text, f"{name}, block on line {block.line}", "exec"), names)
            case _:
                raise AssertionError(f"{name}, line {block.line}: a block in {block.language or 'no language'}")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, away from the checkout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["lull"])
    return tmp_path


@carried_out
@pytest.mark.usefixtures("small_sides_here")
def test_all_that_a_document_shows_can_be_run(name, elsewhere):
    run_document(read(name), name)


@pytest.mark.parametrize(
    "document",
    [
        "```sh\nlull run scenario=nonsense\n```\n",
        "```sh\nmake coffee\n```\n",
        "```sh\nlull app app.prot=1\n```\n",
        "```sh\ncurl example.org\n```\n",
        "```python\nfrom sim import nonsense\n```\n",
        "```yaml\nkey: value\n```\n",
        "```\nwhat is this?\n```\n",
        "```sh\nlull scenarios\n",
    ],
    ids=["bad input", "no target", "bad key", "no command", "bad import", "yaml nowhere", "no language", "not closed"],
)
def test_what_cannot_be_run_is_noticed(document, elsewhere):
    with pytest.raises((AssertionError, AttributeError, ImportError)):
        run_document(document, "broken.md")


# --- tables -------------------------------------------------------------------------------------------------


@each_document
def test_tables_are_those_of_the_code(name):
    assert filled(read(name)) == read(name), "run `make tables`"


def test_a_stale_table_an_unknown_one_and_an_open_one_are_noticed():
    start, end = "<!-- table: day -->", "<!-- end of table -->"
    fresh = filled(f"{start}\n{end}\n")
    assert filled(fresh) == fresh
    stale = fresh.replace("The patron weighs", "The patron ignores")
    assert filled(stale) == fresh != stale
    with pytest.raises(ValueError, match="'days': allowed are parameters, "):
        filled(f"<!-- table: days -->\n{end}\n")
    with pytest.raises(ValueError, match="its own end"):
        filled(f"{start}\n{start}\n{end}\n")


def test_every_decision_and_every_module_of_rules_is_told():
    told = {name for own in decisions.CHANCE_DECIDES.values() for name in own}
    numbered = {name for name, value in vars(decisions).items() if name.isupper() and isinstance(value, int)}
    assert told == numbered - {"MAX_ATTACKS", "DAYS_IN_PLACE", "WEEKS_IN_PLACE"}
    modules = {path.stem for path in Path(rules.__path__[0]).glob("*.py")}
    of_the_day = {module.__name__.rpartition(".")[2] for module in ROLES}
    assert of_the_day == modules - {"__init__", "decisions", "outcomes", "samplers"}


# --- names --------------------------------------------------------------------------------------------------


def dead_links(document: str, folder: Path) -> list[str]:
    """Return the links to files that are not there."""
    targets = re.findall(r"\]\(([^)#]+)", document)
    return [one for one in targets if not one.startswith("http") and not (folder / one).exists()]


def quoted(document: str) -> Iterator[str]:
    """Yield what is set as code in the prose."""
    prose = re.sub(r"^( *)```.*?^\1```$", "", document, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", prose)


def lost_paths(document: str) -> list[str]:
    """Return the files and folders named that do not exist; NAME stands for any."""
    paths = [one for one in quoted(document) if re.match(r"(sim|configs|docs|tests|experiments|seeds)/", one)]
    return [one for one in paths if not list(ROOT.glob(one.replace("NAME", "*").rstrip("/")))]


def lost_keys(document: str) -> list[str]:
    """Return the parameters, switches and rules named that do not exist."""
    groups = {key for key, _ in shared_groups()} | {"mechanisms"}
    known = set(shared_declarations()) | {f"mechanisms.{name}" for name in MECHANISM_NAMES}
    known |= {f"{one.__name__.rpartition('.')[2]}.{name}" for one in ROLES for name in vars(one)}
    keys = [one.partition("=")[0] for one in quoted(document) if not one.endswith(".csv")]
    return [one for one in keys if re.fullmatch(r"\w+\.\w+", one) and one.split(".")[0] in groups and one not in known]


def defined() -> set[str]:
    """Return every name in the code and the configuration."""
    files = [path for end in ("py", "yaml") for part in ("sim", "configs") for path in (ROOT / part).rglob(f"*.{end}")]
    return {name for path in files for name in re.findall(r"\w+", path.read_text(encoding="utf-8"))}


FOREIGN = {"job_extra_directives", "XDG_CACHE_HOME", "batch_run"}
"""Names of other packages that documents speak of."""


def lost_names(document: str, known: set[str]) -> list[str]:
    """Return the functions, constants and keys named that do not exist; records of a day or a place have two parts."""
    prose = re.sub(r"<!-- table: .*?<!-- end of table -->", "", document, flags=re.DOTALL)
    names = [one.removesuffix("()") for one in quoted(prose)]
    parts = {part for one in names if re.fullmatch(r"[A-Za-z_][\w.]*", one) for part in one.split(".") if "_" in part}
    shown = {f"{place}_{name}" for place in ("theatre", "wing", "today") for name in known}
    return sorted(parts - known - shown - FOREIGN)


def misplaced(document: str) -> list[str]:
    """Return the names that are said to stand in a module and do not."""
    said = re.findall(r"`(\w+)`\s+(?:in|of)\s+`(sim/[\w/]+\.py)`", document)
    return [f"{name} in {path}" for name, path in said if not re.search(rf"\b{name}\b", read(path))]


@each_document
def test_names_exist_and_stand_where_a_document_says(name):
    if name != "CHANGELOG.md":
        shown = {word for block in blocks_of(read(name)) for word in re.findall(r"\w+", block.text)}
        assert lost_names(read(name), defined() | shown) == []
        assert misplaced(read(name)) == []


def test_lost_and_misplaced_names_are_noticed():
    known = {"outcome_values", "compliance", "Tally"}
    assert lost_names("`add_derived`, `outcome_values()`, `wing_compliance`, `a b_c`", known) == ["add_derived"]
    assert misplaced(
        "`add_derived` in `sim/experiment/dataset.py`, `OutcomeRow` of\n  `sim/engine/batched/layout.py`"
    ) == ["add_derived in sim/experiment/dataset.py"]


ENGINES = ("sim/engine/reference/", "sim/engine/batched/")


def test_documents_name_both_engines():
    for name, titles in (
        ("CONTRIBUTING.md", ("## A parameter", "## A rule")),
        ("docs/model.md", ("### 3.1 Implementation",)),
    ):
        for title in titles:
            assert [one for one in ENGINES if f"`{one}`" not in section(read(name), title)] == [], title


KNOWN = {
    "run": ("study.runs=8",),
    "sweep": ("patron.control=0.3,0.9", "study.runs=8"),
    "sensitivity": (
        "patron.control=interval(0.2,1)", "sensitivity.method=morris", "sensitivity.samples=8", "study.runs=8",
        "sensitivity.outcomes=[longest_calm]",
    ),
    "discover": ("patron.control=interval(0.2,1)", "study.points=64", "study.runs=8", "discover.where=longest_calm<60"),
    "compare": ("scenarios=[article,no_order]", "study.draws=2", "study.runs=8", "parameters=prior"),
    "explain": ("outcome=longest_calm", "mechanisms=[fear]", "study.draws=2", "study.runs=2", "parameters=prior"),
    "report": (
        "scenarios=[article,no_order]", "report.outcome=longest_calm", "report.mechanisms=[fear]", "parameters=prior",
        "study.draws=2", "study.runs=4", "report.share_draws=2", "report.share_runs=2",
    ),
}  # fmt: skip
"""Verbs that know an outcome of an extension, with what makes them name it."""


def test_documents_say_which_verbs_know_outcomes_of_an_extension():
    known = re.search(r"(`lull run`(?:, `\w+`)* and `\w+`) know them", read("docs/extending.md"))
    assert known is not None
    assert set(re.findall(r"(?:lull )?(\w+)`", known[1])) == {*KNOWN, "calibrate", "app"}
    assert "Outcomes and parameters of your own (`extensions=FILE`) are explained" in read("docs/sensitivity.md")


@pytest.mark.usefixtures("small_sides_here")
@pytest.mark.parametrize("verb", KNOWN)
def test_verbs_know_outcomes_of_an_extension_as_documents_say(verb, elsewhere):
    Path("calm.py").write_text(LISTINGS["calm.py"], encoding="utf-8")
    assert cli.main([verb, "extensions=calm.py", "output.dir=made", *KNOWN[verb]]) == 0
    tables = [path for end in ("csv", "json") for path in Path("made").rglob(f"*.{end}")]
    assert any("longest_calm" in path.read_text(encoding="utf-8") for path in tables), verb


@each_document
def test_links_lead_somewhere(name):
    assert dead_links(read(name), (ROOT / name).parent) == []


@each_document
@pytest.mark.parametrize("lost", [lost_paths, lost_keys])
def test_files_and_keys_that_are_named_exist(name: str, lost: Callable[[str], list[str]]):
    assert lost(read(name)) == []


def test_lost_names_are_noticed():
    assert dead_links("[a](gone.md) [b](README.md#x) [c](https://example.org)", ROOT) == ["gone.md"]
    assert lost_paths("`sim/gone.py`, `sim/cli.py`, `configs/scenario/NAME.yaml`, `tests/engine/`") == ["sim/gone.py"]
    assert lost_keys("`patron.grip`, `patron.control=1`, `mechanisms.fear`, `ladder.rung`") == ["patron.grip"]


def section(document: str, title: str) -> str:
    """Return what stands under a heading, up to the next one."""
    return document.partition(f"{title}\n")[2].partition("\n#")[0]


def test_states_and_kinds_of_events_are_those_of_the_engines():
    model = read("docs/model.md")
    columns = {name for state in (RUN_STATE, THEATRE_STATE, WING_STATE) for name in state.names or ()}
    states = {one for line in section(model, "### 1.2 Entities, states and scales").splitlines() for one in named(line)}
    assert states
    assert states <= columns
    kinds = re.search(r"Kinds: (.*?)\. ", section(model, "### 3.3 Input data"), re.DOTALL)
    assert kinds is not None
    assert re.findall(r"`(\w+)`", kinds[1]) == list(EVENT_KINDS)


def named(line: str) -> list[str]:
    """Return the states named in a line of a table."""
    return re.findall(r"`(\w+)`", line) if line.startswith("|") else []


# --- what goes with a release -------------------------------------------------------------------------------


def test_the_newest_entry_is_this_version_and_every_entry_speaks_of_bits():
    entries = re.split(r"^## ", read("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    assert entries[0].startswith(f"[{sim.__version__}]")
    assert [entry.splitlines()[0] for entry in entries if "### Bits\n" not in entry] == []


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert (citation["version"], citation["license"]) == (sim.__version__, "Apache-2.0")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


def test_pictures_are_small():
    pictures = list((ROOT / "docs" / "images").glob("*"))
    assert [path.name for path in pictures if path.suffix != ".png" or path.stat().st_size >= 300_000] == []
