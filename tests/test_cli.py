"""The command: help at once, mistakes in one line, no folder left behind, the same seed the same bytes."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xarray as xr
import yaml

import sim
from sim import cli
from sim.analysis import attribution
from sim.analysis import report_data as report_prepared
from sim.analysis.comparison import paired_comparison
from sim.analysis.optimising import objectives
from sim.analysis.pattern_tests import Verdict
from sim.analysis.sensitivity import sensitivity_run
from sim.app.form_settings import load_base
from sim.commands import module_of
from sim.commands import run as run_verb
from sim.experiment import options
from sim.experiment.command import Request, check_read, override_texts, spelled_options
from sim.experiment.ensemble import state_table
from sim.experiment.options import (
    OWN,
    SHARED,
    SIZED,
    SIZES,
    CompareOptions,
    DiscoverOptions,
    EngineOptions,
    OptimiseOptions,
    StudyOptions,
    declared,
)
from sim.experiment.sweep import run_sweep
from sim.model.hydra_config import ENGINE_KEYS, STUDY_KEYS
from sim.model.scenario import load, parameter_rows
from sim.model.validation import UserError
from sim.numbers import philox

OUTCOME_KEYS = {"mean", "median", "q05", "q25", "q75", "q95", "mcse", "unit"}
PATTERN_KEYS = {"id", "article", "model", "pass", "tolerance"}
WIDEST = 100


class Answer(NamedTuple):
    """What a call of the command came to."""

    code: int
    out: str
    err: str


Lull = Callable[..., Answer]


@pytest.fixture
def lull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lull:
    """The command, called in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Answer:
        capsys.readouterr()
        code = cli.main(arguments)
        return Answer(code, *capsys.readouterr())

    return call


def process(folder: Path, *arguments: str, **more: Any) -> Answer:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "sim.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False, **more)
    return Answer(done.returncode, done.stdout, done.stderr)


def assert_one_line(answer: Answer, *words: str) -> None:
    """A mistake of the user's is told in exactly one line, with exit code 2 and nothing on stdout."""
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("lull: ")
    assert answer.err.count("\n") == 1
    assert answer.err.endswith("\n")
    for word in (*words, "allowed "):
        assert word in answer.err


# --- help and verbs -----------------------------------------------------------------------------------------


def test_help_names_every_verb(lull: Lull) -> None:
    assert lull("--help") == lull("help") == lull()
    answer = lull("--help")
    assert (answer.code, answer.err) == (0, "")
    assert all(f"  {verb} " in answer.out for verb in cli.VERBS)
    only = " ".join(lull("replay", "--help").out.split())
    assert "replay.run=4711" in only
    assert "a whole number from 0 to 281474976710655" in only
    assert cli.VERBS["facts"].text not in only
    assert max(map(len, answer.out.splitlines())) <= 120


def test_version(lull: Lull) -> None:
    assert lull("--version") == lull("version") == Answer(0, f"lull {sim.__version__}\n", "")


def test_help_and_version_load_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys; from sim.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    for flag in ("--help", "--version"):
        took = []
        for _ in range(3):
            began = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", code, flag], capture_output=True, text=True, check=True)
            took.append(time.perf_counter() - began)
        loaded = set(done.stderr.split())
        assert "sim.cli" in loaded
        assert not loaded & {"numpy", "numba", "hydra", "xarray", "rich", "yaml", "matplotlib", "mesa"}
        assert min(took) < 0.5


def test_importing_the_package_is_cheap_and_offers_the_public_names() -> None:
    code = "import sys, sim; assert 'numpy' not in sys.modules; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith("sim.")] == []
    assert {"simulate", "replay", "load", "ReferenceModel"} <= set(dir(sim))
    assert all(callable(getattr(sim, name)) for name in sim.__all__ if name != "__version__")
    with pytest.raises(AttributeError, match="simulat"):
        sim.simulat  # noqa: B018


def test_help_is_grouped_and_asked_for_in_two_ways(lull: Lull) -> None:
    lines = lull("--help").out.splitlines()
    groups = list(dict.fromkeys(verb.group for verb in cli.VERBS.values()))
    assert [line for line in lines if line in groups] == groups
    for verb in cli.VERBS:
        answer = lull("help", verb)
        assert answer == lull(verb, "--help")
        assert f"Example: lull {verb}" in answer.out
    assert_one_line(lull("help", "rnu"), "verb = rnu", "nearest: run")


@pytest.mark.parametrize("width", [60, 80])
def test_help_breaks_no_word_in_a_narrow_terminal(width: int, lull: Lull, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = lull("--help").out.split()
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = lull("--help").out
    assert narrow.split() == wide
    assert max(map(len, narrow.splitlines())) <= width


@pytest.mark.parametrize("verb", cli.VERBS)
def test_the_help_of_a_verb_lists_every_key_with_its_range_and_default(
    verb: str, lull: Lull, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " ".join(lull("help", verb).out.split())
    for kind in OWN.get(verb, ()):
        for name, (one, type_, _) in declared(kind).items():
            assert f"{kind.key(name)} {one.text} (default " in text
            assert type_ is object or one.range_words(type_) in text
    monkeypatch.setenv("COLUMNS", "60")
    narrow = lull("help", verb).out
    assert all(kind.key(name) in narrow.split() for kind in OWN.get(verb, ()) for name in declared(kind))


def test_declared_defaults_are_those_of_the_configuration() -> None:
    tree = load().tree
    for kind in SHARED:
        section = tree if not kind.section else tree[kind.section]
        for name, value in kind().values().items():
            if name not in ("scenario", "extensions"):
                assert section[name] == value, kind.key(name)
    assert tuple(declared(StudyOptions)) == STUDY_KEYS
    assert tuple(declared(EngineOptions)) == ENGINE_KEYS
    assert options.RUN_LIMIT == philox.RUN_LIMIT


def test_every_verb_has_a_module_and_every_class_of_options_a_verb() -> None:
    for verb in cli.VERBS:
        assert callable(import_module(module_of(verb)).main)
    assert set(OWN) <= set(cli.VERBS)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["run", "tight_leash"], ["run", "scenario=tight_leash"]),
        (["compare", "article", "no_us_strikes", "seed=2"], ["compare", "seed=2", "scenarios=[article,no_us_strikes]"]),
        (["compare", "article", "article;target.quiet_days=5"],
         ["compare", "scenarios=[article,article;target.quiet_days=5]"]),
        (["replay", "4711", "no_order"], ["replay", "run=4711", "scenario=no_order"]),
        (["facts", "F21", "F22"], ["facts", "find=[F21,F22]"]),
        (["parameters", "fear"], ["parameters", "find=[fear]"]),
        (["explain", "war"], ["explain", "outcome=war"]),
        (["diff", "article", "no_order", "run=3"], ["diff", "run=3", "scenarios=[article,no_order]"]),
        (["forecast", "a.csv"], ["forecast", "data=a.csv"]),
        (["discover", "war"], ["discover", "where=war"]),
        (["discover", "lull_days<=14", "outputs/x"], ["discover", "where=lull_days<=14", "sweep=outputs/x"]),
        (["discover", "lull_days==14", "a=1,2"], ["discover", "where=lull_days==14", "a=1,2"]),
        (["discover", "outputs/x", "discover.where=war"], ["discover", "sweep=outputs/x", "discover.where=war"]),
        (["verify", "outputs/x", "trust=true"], ["verify", "folder=outputs/x", "trust=true"]),
        (["calibrate", "data=a.csv", "score=true"], ["forecast", "data=a.csv", "score=true"]),
        (["explain", "divergence=[article,no_order]"], ["diff", "scenarios=[article,no_order]"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_words_without_a_key_and_old_spellings_ask_the_same(
    words: list[str], asked: list[str], lull: Lull, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[Request] = []

    def record(request: Request) -> int:
        requests.append(request)
        return 0

    monkeypatch.setattr(cli, "_run", record)
    assert lull(*words).code == 0
    assert [requests[0].verb, *requests[0].overrides] == asked


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (("--seed", "7"), "seed=7"),
        (("--seed=7",), "seed=7"),
        (("--runs", "100"), "study.runs=100"),
        (("--threads=2",), "engine.threads=2"),
        (("--scenario", "tight_leash"), "scenario=tight_leash"),
    ],
)
def test_a_key_written_as_a_flag_is_answered_with_its_spelling(flags: tuple[str, ...], hint: str, lull: Lull) -> None:
    assert_one_line(lull("run", *flags), f"option = {flags[0]}", f"allowed {hint}, without dashes")


def test_json_is_all_that_a_verb_prints(lull: Lull) -> None:
    facts = json.loads(lull("facts", "F21", "--json").out, parse_constant=no_constants)
    assert [one["id"] for one in facts] == ["F21"]
    run = lull("replay", "3", "--json")
    assert (run.code, run.err) == (0, "")
    told = json.loads(run.out, parse_constant=no_constants)
    assert told["run"] == 3
    assert told["turning_points"]
    assert_one_line(lull("app", "--json"), "option = --json")


def test_checks_print_json_as_well(lull: Lull, tmp_path: Path) -> None:
    assert lull("facts", "F21", "output.dir=made").code == 0
    found = json.loads(lull("verify", "made", "--json").out, parse_constant=no_constants)
    assert (found["verb"], found["same"], found["first"], found["compared"]) == ("facts", True, None, 2)
    (tmp_path / "made" / "facts.csv").write_text("id\nF99\n")
    answer = lull("verify", "made", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["same"], "facts.csv" in found["first"]) == (1, False, True)
    assert [verb for verb, one in cli.VERBS.items() if not one.tables] == ["app"]


def test_compare_report_and_explain_answer_the_question_of_the_article_without_arguments() -> None:
    arms = [arm.label for arm in paired_comparison.prepare(Request("compare")).plan.arms]
    assert arms == ["article", "no_us_strikes", "no_restraint"]
    report = report_prepared.prepare(Request("report"))
    assert [arm.label for arm in report.comparison.plan.arms] == arms
    explained = attribution.prepare(Request("explain"))
    assert (explained.config.scenario.name, explained.game.measured.name) == ("article", "lull_days")
    assert report.explaining.game.players == explained.game.players


def test_python_and_the_command_spell_null_and_options_alike() -> None:
    given = override_texts({"history.free_from": None, "mechanisms.fear": False}, {"seed": 3})
    assert load(given).scenario.free_from is None
    assert given == ["history.free_from=null", "mechanisms.fear=false", "seed=3"]
    wanted = DiscoverOptions(where="lull_days<14", boxes=2)
    assert Request("discover", tuple(spelled_options(wanted))).options(DiscoverOptions)[0] == wanted
    with pytest.raises(UserError, match=r"discover\.boxes = 99: allowed a whole number from 1 to 10"):
        DiscoverOptions(boxes=99)
    with pytest.raises(UserError, match=r"compare\.departures = late: allowed common, own"):
        CompareOptions(departures="late")


MEASURED: dict[str, tuple[Callable[[Request], Any], tuple[str, ...]]] = {
    "run": (lambda asked: run_verb.config_of(asked).runs, ()),
    "sweep": (lambda asked: run_sweep.prepare(asked).histories, ("patron.control=0.2,0.9",)),
    "discover": (lambda asked: run_sweep.prepare(replace(asked, verb="sweep")).histories, ("patron.control=0.2,0.9",)),
    "sensitivity": (lambda asked: sensitivity_run.prepare(asked).sweep.histories, ()),
    "optimise": (
        lambda asked: objectives.asked_by(*asked.options(OptimiseOptions)).configs[0].runs,
        ("patron.control=interval(0.2,1)",),
    ),
    "compare": (lambda asked: paired_comparison.prepare(asked).plan.histories, ()),
    "report": (lambda asked: report_prepared.prepare(asked).comparison.plan.histories, ()),
    "explain": (lambda asked: attribution.prepare(asked).game.histories, ("mechanisms=[fear]",)),
    "watch": (lambda asked: asked.config().runs, ()),
    "app": (lambda asked: load_base(asked.overrides).runs, ()),
}
"""How much each verb that reads `study.runs` would simulate, and what else it needs."""


@pytest.mark.parametrize("verb", cli.VERBS)
def test_a_size_is_in_the_help_and_changes_what_is_simulated_or_is_refused(verb: str, lull: Lull) -> None:
    first_words = {line.split()[0] for line in lull("help", verb).out.splitlines() if line.strip()}
    listed = {kind.key(name) for kind in SIZED for name in declared(kind)} & first_words
    for kind in SIZED:
        for name in declared(kind):
            key = kind.key(name)
            line = rf"{key} = 7: allowed null: lull {verb} does not read it, but "
            with nullcontext() if key in listed else pytest.raises(UserError, match=line):
                check_read(verb, [f"{key}=7"])
    assert (verb in MEASURED) == ("study.runs" in listed)
    if verb in MEASURED:
        measure, more = MEASURED[verb]
        sizes = [measure(Request(verb, (*more, f"study.runs={runs}"))) for runs in (40, 80)]
        assert sizes[1] == 2 * sizes[0] > 0
    if verb in ("compare", "report", "explain"):
        sizes = [measure(Request(verb, (*more, "study.runs=4", f"study.draws={draws}"))) for draws in (3, 6)]
        assert sizes[1] == 2 * sizes[0]


def test_python_refuses_sizes_without_effect_as_the_command_does() -> None:
    with pytest.raises(UserError, match="lull replay does not read it"):
        sim.replay(overrides={"study.runs": 5})
    with pytest.raises(UserError, match="lull run does not read it"):
        sim.simulate(overrides={"study.points": 5})
    with pytest.raises(UserError, match=r"parameters = posterior: allowed null: lull data does not read it"):
        check_read("data", ["parameters=posterior"])


@pytest.mark.parametrize("verb", ["run", *SIZES])
def test_help_and_printed_configuration_show_the_sizes_of_the_verb(verb: str, tmp_path: Path, lull: Lull) -> None:
    runs, draws = SIZES.get(verb, (20_000, 1))
    text = " ".join(lull("help", verb).out.split())
    assert f"study.runs runs, of each point or parameter set where there are several (default {runs};" in text
    assert ("study.draws sweep:" in text) == (draws > 1 or verb in ("sweep", "discover"))
    assert (draws == 1) or f"(default {draws}; e.g. study.draws=200)" in text


def test_the_printed_configuration_shows_the_sizes_of_the_verb(tmp_path: Path) -> None:
    def study(*words: str) -> dict[str, Any]:
        answer = process(tmp_path, *words, "--cfg", "job", "-p", "study")
        assert (answer.code, answer.err) == (0, "")
        found = yaml.safe_load(answer.out)
        return {name: found[name] for name in ("runs", "draws")}

    assert study("explain", "war") == {"runs": 16, "draws": 64}
    assert study("compare", "study.runs=9") == {"runs": 9, "draws": 200}
    assert study("compare", "parameters=defaults") == {"runs": 20_000, "draws": 1}


def test_hydra_prints_the_options_of_the_verb(tmp_path: Path) -> None:
    answer = process(tmp_path, "discover", "--cfg", "job", "where=lull_days<14", "boxes=2", "-p", "discover")
    assert (answer.code, answer.err) == (0, "")
    assert "where: lull_days<14" in answer.out
    assert "boxes: 2" in answer.out
    assert "coverage: null" in answer.out


def test_a_lookup_shows_what_its_words_name_or_occur_in(lull: Lull) -> None:
    assert "F22" not in lull("facts", "F21").out
    shown = json.loads(lull("parameters", "fear", "--json").out)
    assert 1 < len(shown) < 40
    assert all("fear" in str(one).lower() for one in shown)
    assert_one_line(lull("facts", "F99"), "facts = F99", "nearest: ")


# --- mistakes -----------------------------------------------------------------------------------------------

MISTAKES = [
    (("rnu",), ("verb = rnu", "nearest: run")),
    (("run", "--theads"), ("option = --theads",)),
    (("run", "scenario=artcle"), ("scenario = artcle", "nearest: article")),
    (("run", "patron.contrl=1"), ("patron.contrl = 1", "nearest: patron.control")),
    (("run", "patron.control=much"), ("patron.control = much", "a number from 0 to 1")),
    (("run", "patron.control=1.5"), ("patron.control = 1.5", "0 to 1")),
    (("run", "patron.control=nan"), ("patron.control = nan", "0 to 1")),
    (("run", "study.runs=0"), ("study.runs = 0", "from 1")),
    (("run", "study.runs=-5"), ("study.runs = -5", "from 1")),
    (("run", "study.runs=1.5"), ("study.runs = 1.5", "a whole number")),
    (("run", "study.runs=nan"), ("study.runs = nan", "a whole number")),
    (("run", "calendar.days=0"), ("calendar.days = 0", "from 1")),
    (("run", "calendar.days=-1"), ("calendar.days = -1", "from 1")),
    (("run", "seed=-1"), ("seed = -1", "from 0")),
    (("run", "militia.nujaba_iraq.theatre=mars"), ("militia.nujaba_iraq.theatre = mars", "iraq, syria")),
    (("run", "history.events.tower_22.from=2022-01-28"), ("tower_22.from = 2022-01-28", "2023-10-17 to 2024-09-10")),
    (("run", "history.events.tower_22.from=9999"), ("tower_22.from = 9999", "days 0 to 329")),
    (("run", "seed=1,2"), ("seed = 1,2", "one value")),
    (("run", "nonsense"), ("scenario = nonsense",)),
    (("run", "article", "nonsense"), ("override = nonsense", "key=value")),
    (("run", "--config-dir", "nowhere"), ("--config-dir = nowhere", "an existing folder")),
    (("run", "--config-dir"), ("--config-dir = (missing)", "an existing folder")),
    *(
        (verb, (f"{key} = {value}: allowed null here: run it without", "too little for a cluster"))
        for key, value in (
            ("engine.cluster", "tcp://127.0.0.1:1"),
            ("engine.workers", "2"),
            ("engine.job", "{cores:8}"),
        )
        for verb in (("replay", "1", f"{key}={value}"), ("facts", f"{key}={value}"))
    ),
    (("diff", "article", "no_restraint", "engine.workers=2"), ("engine.workers = 2", "run it without")),
    *(
        ((verb, "engine.workers=2"), ("engine.workers = 2", "null without engine.cluster"))
        for verb in ("run", "compare", "explain", "report")
    ),
    (("explain", "engine.cluster=cloud"), ("engine.cluster = cloud", "local, tcp://HOST:PORT, slurm, pbs or null")),
    (
        ("compare", "study.points=4"),
        ("study.points = 4: allowed null: lull compare does not read it, but lull sweep,",),
    ),
    (("run", "study.draws=3"), ("lull run does not read it, but lull sweep, lull compare, lull explain, lull report",)),
    (("run", "article", "war before 2024-06-01"), ('for "before": <=, >=, ==, !=, <, >, by, after, from',)),
    (("run", "article", "lull_days at least 90"), ('for "at": <=',)),
    (("compare", "article", "order iraq stop from 2023-12-10"), ("semicolon, as in 'article; order iraq stop from",)),
    (("run", "article order iraq stop from 2023-12-10"), ("semicolon, as in 'article; order iraq stop from",)),
    (("run", "article", "injured"), ("key=value or a condition such as war by 2024-06-01",)),
    (("replay", "-1"), ("run = -1", "a whole number from 0 to 281474976710655")),
    (("replay", "run=x"), ("run = x", "a whole number from 0 to 281474976710655")),
    (("replay", "run=-1"), ("run = -1", "a whole number")),
    (("replay", "run=281474976710656"), ("run = 281474976710656", "a whole number")),
    (("replay", "run=1", "run=2"), ("run = run=1 run=2", "given once")),
    (("facts", "seed=x"), ("seed = x",)),
    (("parameters", "scenario=artcle"), ("scenario = artcle",)),
    (("run", "--cfg", "jobs"), ("option = --cfg jobs", "job")),
    (("run", "--cfg", "job", "patron.contrl=1"), ("patron.contrl = 1", "nearest: patron.control")),
    (("--multirun", "seed=1,2"), ("verb = (missing)", "run, replay")),
    (("run", "-m", "seed=1,-2"), ("seed = -2",)),
    (("run", "-m", "patron.contrl=1,2"), ("patron.contrl = 1", "nearest: patron.control")),
    (("run", "-m", "seed=1,2", "output.dir=x"), ("output.dir", "hydra.sweep.dir")),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=[" ".join(one) for one, _ in MISTAKES])
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(
    lull: Lull, tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_one_line(lull(*arguments), *words)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_reaches_the_shell_as_one_line_and_exit_code_2(tmp_path: Path) -> None:
    assert_one_line(process(tmp_path, "run", "scenario=artcle"), "scenario = artcle")
    assert_one_line(process(tmp_path, "run", "-m", "seed=1,2", "study.runs=0"), "study.runs = 0")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("scenario: [", ("broken.yaml", "valid YAML")),
        ("scenario: {question: a\n  b: c: d}", ("broken.yaml", "valid YAML")),
        ("- a\n- b\n", ("broken.yaml", "a YAML file that maps keys to values")),
        ("scenario: {question: Who then, departs: null}\npatrn: {control: 1}\n", ("patrn", "keys")),
    ],
)
def test_a_malformed_file_is_told_in_one_line(lull: Lull, tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    file = tmp_path / "mine" / "scenario" / "broken.yaml"
    file.parent.mkdir(parents=True)
    header = "# @package _global_\n"
    file.write_text(header + content)
    assert_one_line(lull("run", "--config-dir", "mine", "scenario=broken"), *words)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_unwritable_folder_is_found_before_anything_is_simulated(
    lull: Lull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("simulated before the folder was tried")

    monkeypatch.setattr(run_verb, "stream", never)
    (tmp_path / "file").write_text("")
    assert_one_line(lull("run", "output.dir=file"), "output.dir", "a folder; this is a file")
    assert_one_line(lull("run", "output.dir=file/below/it"), "output.dir", "can be written")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letters.txt").write_text("dear")
    assert_one_line(lull("run", "output.dir=full"), "output.dir", "an empty one, or a result of lull")
    assert_one_line(lull("run", "output.dir=."), "output.dir", "does not hold the current one")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "letters.txt"]


def test_an_interrupt_is_one_line_and_leaves_nothing(
    lull: Lull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_verb, "judge", interrupted)
    assert lull("run", "study.runs=20") == Answer(130, "", "lull: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize(("sent", "code", "told"), [("SIGINT", 130, "lull: interrupted\n"), ("SIGTERM", 143, "")])
def test_a_signal_in_the_middle_of_a_run_leaves_nothing(tmp_path: Path, sent: str, code: int, told: str) -> None:
    command = [sys.executable, "-m", "sim.cli", "run", "study.runs=2000000"]
    reset = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    with subprocess.Popen(command, cwd=tmp_path, stdout=-1, stderr=-1, text=True, **reset) as running:  # type: ignore[call-overload]
        while not (tmp_path / "outputs").exists():
            time.sleep(0.05)
        time.sleep(1.0)
        running.send_signal(getattr(signal, sent))
        out, err = running.communicate(timeout=120)
    assert (running.returncode, out, err) == (code, "", told)
    assert list(tmp_path.iterdir()) == []


WRONG = (
    "run control=3", "run study.draws=3", "run output.dir=/dev/null/x", "replay patron.control=3", "replay 4711 nope",
    "sweep", "sweep patron.control=interval(0,7)", "sweep study.outcomes=[nope] seed=1,2", "sweep study.design=sobol",
    "sweep patron.control=interval(0,1)", "sweep seed=1,2 parameters=posterior", "sweep seed=1,2 study.draws=nope",
    "sweep seed=1,2 study.policies=nope.yaml", "sweep seed=1,2 engine.workers=2", "sweep study.table=nope.csv",
    "sweep seed=1,2 study.shard=4/3", "optimise", "optimise optimise.objectives=[war] seed=1 patron.control=0.3,0.9",
    "optimise seed=1,2", "merge", "merge nope", "merge nope nope2", "merge seed=7",
    "compare article nope", "compare study.draws=0", "compare parameters=nope",
    "diff article article;patron.control=3", "diff article", "report scenario=article", "report mechanisms=[nope]",
    "report outcome=nope", "explain scenario=nope", "explain nope", "explain war mechanisms=[nope]",
    "explain parameters=nope", "sensitivity scenario=article,nope", "sensitivity outcomes=nope",
    "sensitivity samples=7", "sensitivity sensitivity.parameters=[nope]", "sensitivity sensitivity.sweep=nope",
    "discover", "discover war", "discover war nope", "discover nope seed=1,2", "discover patron.contol=1",
    "calibrate seed=-1", "calibrate data=nope.csv", "calibrate calibration.draws=5", "calibrate parameters=posterior",
    "forecast", "forecast nope.csv", "forecast mechanisms.fear=3", "parameters scenario=nope", "parameters nope",
    "facts seed=x", "facts nope", "scenarios seed=x", "scenarios nope", "app app.port=x", "app app.host=no/host",
    "verify", "verify nope", "verify verify.trust=maybe", "bench bench.full=maybe", "bench scenario=nope",
    "data", "data nope.csv", "data mechanisms.fear=3", "events seed=x", "events nope", "watch watch.weeks=0",
    "watch data=nope.csv", "explain attacks_lulll", "explain lull_days>=900", "sensitivity outcomes=[war>=x]",
    "case", "case new", "case new article", "case predict salt_coast", "case case.action=maybe",
    "check-extension", "check-extension nope.py",
)  # fmt: skip
"""Mistakes in the options or the configuration of every verb."""
HEAVY = ("numba", "xarray", "pandas", "scipy", "matplotlib")


def test_a_mistake_is_reported_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    assert {words.split()[0] for words in WRONG} == set(cli.VERBS)
    code = (
        "import sys\nfrom sim.cli import main\n"
        "for words in sys.argv[1:]:\n"
        f"    assert main(words.split()) == 2 and not {set(HEAVY)} & set(sys.modules), words\n"
        "import sim.commands.run\n"
        "assert 'numba' in sys.modules"  # the control: a verb that is carried out does import them
    )
    done = subprocess.run([sys.executable, "-c", code, *WRONG], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("lull: ")) == (0, "", len(WRONG)), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_a_class_is_made_is_an_interrupt_like_any_other(tmp_path: Path) -> None:
    lines = ["import sys", "from sim.cli import main", "from sim.commands import run"]
    lines += ["run.stream = lambda *_, **__: exec('raise KeyboardInterrupt')", "sys.exit(main(['run']))"]
    (tmp_path / "interrupted.py").write_text("\n".join(lines))
    done = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "lull: interrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_reader_who_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sim.cli", "parameters"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert (running.wait(60), running.stderr.read()) == (141, "")


def test_a_defect_of_ours_keeps_its_traceback(lull: Lull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(run_verb, "judge", defect)
    with pytest.raises(ZeroDivisionError, match="ours"):
        lull("run", "study.runs=20")
    assert list(tmp_path.iterdir()) == []


# --- the main job -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """A finished run of 60 histories and what it printed."""
    folder = tmp_path_factory.mktemp("finished")
    answer = process(folder, "run", "study.runs=60", "seed=3", "militia.nujaba_iraq.autonomy=0.1")
    return folder, answer


def test_a_run_prints_its_tables_and_says_where_the_files_are(finished: tuple[Path, Answer]) -> None:
    folder, answer = finished
    assert (answer.code, answer.err) == (0, "")
    config = load()
    lines, text = answer.out.splitlines(), " ".join(answer.out.split())
    assert text.startswith(config.scenario.question)
    assert " Of the runs at the scenario's own parameter values, attacks have resumed " in text
    assert "scenario Documented history (article), seed 3, 60 runs, documented history pinned" in text
    assert lines.index("What next") > max(place for place, line in enumerate(lines) if "Patterns" in line)
    assert [pattern.id for pattern in config.patterns if f"\n {pattern.id} " not in answer.out] == []
    for words in ("Mean ± MC error", "at least 170", "What this cannot tell", "soldiers"):
        assert words in text
    assert "Files in outputs/run-article-seed3:" in lines[-1]
    assert max(map(len, lines)) <= WIDEST
    assert all(line == line.rstrip() for line in lines)
    assert "\x1b" not in answer.out
    assert [path.name for path in folder.iterdir()] == ["outputs"]


def test_the_folder_of_a_run_holds_what_it_should(finished: tuple[Path, Answer]) -> None:
    folder = finished[0] / "outputs" / "run-article-seed3"
    tables = "durations.csv prior_predictive.csv outcomes.csv patterns.csv weekly.csv"
    others = "briefing.png briefing.svg config.yaml histories.nc manifest.json summary.json"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*tables.split(), *others.split()])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["overrides"] == ["study.runs=60", "seed=3", "militia.nujaba_iraq.autonomy=0.1"]
    assert manifest["command"] == "lull run study.runs=60 seed=3 militia.nujaba_iraq.autonomy=0.1"
    with xr.open_dataset(folder / "histories.nc", engine="h5netcdf") as data:
        assert data.sizes["run"] == 60
        assert data["deaths"].attrs["units"] == "soldiers"
        assert list(data["theatre"].values) == list(load().scenario.cast.theatres)
    rows = list(csv.DictReader((folder / "weekly.csv").open()))
    assert {row["theatre"] for row in rows} == set(load().scenario.cast.theatres)
    assert rows[1]["first_day"] == "2023-10-24"
    assert "autonomy: 0.1" in (folder / "config.yaml").read_text()


def no_constants(text: str) -> Any:
    raise AssertionError(f"JSON has no {text}")


def check_summary(content: dict[str, Any]) -> None:
    """The schema that readers of summary.json rely on."""
    assert {"scenario", "seed", "runs", "outcomes", "patterns"} <= set(content)
    assert isinstance(content["scenario"], str)
    assert all(type(content[key]) is int for key in ("seed", "runs"))
    for name, one in content["outcomes"].items():
        assert set(one) >= OUTCOME_KEYS, name
        numbers = [one[key] for key in OUTCOME_KEYS - {"unit"}]
        assert all(value is None or type(value) is float for value in numbers), name
        assert isinstance(one["unit"], str), name
        ordered = [float("inf") if one[key] is None else one[key] for key in ("q05", "q25", "median", "q75", "q95")]
        assert ordered == sorted(ordered), name
    for one in content["patterns"]:
        assert set(one) >= PATTERN_KEYS
        assert one["pass"] in (True, False, None)
        assert all(isinstance(one[key], str) for key in PATTERN_KEYS - {"pass"})


def test_the_summary_keeps_its_schema(finished: tuple[Path, Answer]) -> None:
    text = (finished[0] / "outputs" / "run-article-seed3" / "summary.json").read_text()
    content = json.loads(text, parse_constant=no_constants)
    check_summary(content)
    assert (content["scenario"], content["seed"], content["runs"]) == ("article", 3, 60)
    assert [one["id"] for one in content["patterns"]] == [f"P{number}" for number in range(1, 14) if number != 11]
    assert all(isinstance(one["pass"], bool) for one in content["patterns"])
    deaths = content["outcomes"]["deaths"]
    assert deaths["mean"] is None
    assert deaths["mcse_of"] == "median"
    assert list(deaths["exceedance"].values()) == sorted(deaths["exceedance"].values(), reverse=True)
    assert deaths["exceedance"]["3"] == 1.0, "three are pinned"
    war = content["outcomes"]["war_day"]
    assert (war["median"], war["mean"]) == (None, None)
    assert war["never"] > 0.5
    broken = json.loads(text)
    del broken["outcomes"]["deaths"]["mcse"]
    with pytest.raises(AssertionError, match="deaths"):
        check_summary(broken)


def unjudged(*_: object) -> tuple[Verdict, ...]:
    return ()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    lull: Lull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_verb, "judge", unjudged)
    calls = {
        "a": ["seed=0"],
        "b": ["seed=0", "engine.threads=1"],
        "c": ["seed=1"],
        "d": ["seed=0", "patron.control=0.7"],
    }
    for name, more in calls.items():
        assert lull("run", "study.runs=30", f"output.dir={name}", *more).code == 0
    files = {path.name for path in (tmp_path / "a").iterdir()} - {"manifest.json", "config.yaml"}
    assert "summary.json" in files

    def content(folder: str, name: str) -> bytes:
        """Of a changed past there is no outlook."""
        path = tmp_path / folder / name
        return path.read_bytes() if path.is_file() or name != "outlook.csv" else b""

    def different(other: str) -> set[str]:
        return {name for name in files if content("a", name) != content(other, name)}

    assert different("b") == set()
    assert different("c") >= {"summary.json", "histories.nc", "weekly.csv", "briefing.png", "briefing.svg"}
    assert different("d") >= {"summary.json", "histories.nc"}


def test_another_scenario_passes_no_verdict(lull: Lull, tmp_path: Path) -> None:
    answer = lull("run", "scenario=no_order", "study.runs=20", "output.dir=there")
    assert (answer.code, answer.err) == (0, "")
    assert "measured, not judged" in answer.out
    assert "holds" not in answer.out
    assert "nothing pinned" in answer.out
    content = json.loads((tmp_path / "there" / "summary.json").read_text())
    check_summary(content)
    assert {one["pass"] for one in content["patterns"]} == {None}


def test_a_case_without_patterns_runs(lull: Lull, tmp_path: Path) -> None:
    answer = lull("run", "scenario=salt_coast", "study.runs=20", "output.dir=there")
    assert (answer.code, answer.err) == (0, "")
    assert "Patterns" not in answer.out
    assert json.loads((tmp_path / "there" / "summary.json").read_text())["patterns"] == []
    assert (tmp_path / "there" / "patterns.csv").read_text() == "\n"


def test_scenarios_of_ones_own(lull: Lull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_verb, "judge", unjudged)
    file = tmp_path / "mine" / "scenario" / "my_leash.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "# @package _global_\nscenario: {question: 'And mine?', departs: 2024-01-29}\npatron: {control: 0.9}\n"
    )
    assert "And mine?" in lull("scenarios", "--config-dir=mine").out
    answer = lull("run", "scenario=my_leash", "study.runs=20", "--config-dir", "mine")
    assert answer.out.startswith("And mine?\n")
    manifest = json.loads((tmp_path / "outputs" / "run-my_leash-seed1" / "manifest.json").read_text())
    assert manifest["config_dir"] == str(tmp_path / "mine")
    assert manifest["command"] == "lull run --config-dir mine scenario=my_leash study.runs=20"


# --- looking things up --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("facts", ["F01", "F37", "37 facts:", "Represented in the model by"]),
        ("parameters", ["patron.control", "militia.houthis_red_sea.autonomy", "theatre.iraq.gate", "F13"]),
        ("scenarios", ["article", "salt_coast", "2024-01-29", "start"]),
    ],
)
def test_a_listing_prints_its_table_and_makes_a_folder_only_when_asked(
    lull: Lull, tmp_path: Path, verb: str, words: list[str]
) -> None:
    answer = lull(verb)
    assert (answer.code, answer.err) == (0, "")
    assert [word for word in words if word not in answer.out] == []
    assert max(map(len, answer.out.splitlines())) <= WIDEST
    assert list(tmp_path.iterdir()) == []
    assert lull(verb, "output.dir=kept").code == 0
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {f"{verb}.csv", "config.yaml", "manifest.json"}


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("0", 20), ("1000", 100), ("wide", 100)])
def test_a_pipe_has_the_columns_that_the_environment_says(
    lull: Lull, monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = lull("parameters", "control")
    assert width - 12 < max(map(len, shown.out.splitlines())) <= width
    if width < 60:
        return
    words = {word for row in parameter_rows(load().scenario) for word in re.split(r"[._]", row.key)}
    pieces = re.findall(r"(?<![\w./-])[a-z]+(?:[._][a-z]+)+[._]?(?![\w-])", shown.out)
    assert "patron.control" in pieces
    assert {word for one in pieces for word in re.split(r"[._]", one) if word} <= words | {"log", "uniform"}


def test_parameters_shows_the_values_of_the_call(lull: Lull, tmp_path: Path) -> None:
    lull("parameters", "scenario=tight_leash", "militia.nujaba_iraq.autonomy=0.91", "output.dir=kept")
    rows = {row["key"]: row for row in csv.DictReader((tmp_path / "kept" / "parameters.csv").open())}
    assert rows["patron.control"]["value"] == "1.0"
    assert rows["militia.nujaba_iraq.autonomy"]["value"] == "0.91"
    assert rows["militia.nujaba_iraq.autonomy"]["provenance"] == "expert"
    assert all(row["unit"] and row["source"] and row["text"] for row in rows.values())


# --- replay -------------------------------------------------------------------------------------------------


def test_replay_tells_the_run_that_the_kernel_lived(lull: Lull, tmp_path: Path) -> None:
    answer = lull("replay", "run=4711", "seed=2")
    assert (answer.code, answer.err) == (0, "")
    assert "28 Jan 2024" in answer.out
    assert "Attacks by week" in answer.out
    assert len(answer.out.splitlines()) <= 40
    whole = lull("replay", "run=4711", "seed=2", "full=true", "output.dir=full").out
    assert "Day 103, 28 January 2024" in whole
    assert max(map(len, answer.out.splitlines())) <= WIDEST
    folder = tmp_path / "outputs" / "replay-article-seed2-run4711"
    told = json.loads((folder / "chronicle.json").read_text(), parse_constant=no_constants)
    assert told["sentences"]
    assert (folder / "chronicle.txt").read_text().startswith(told["title"])
    with xr.open_dataset(folder / "states.nc", engine="h5netcdf") as states:
        lived = state_table(load(["seed=2"]), [4711])
        assert (states["attacks"].values == lived["attacks"].values).all()
        assert (states["attacks"].values != state_table(load(["seed=2"]), [4712])["attacks"].values).any()
        total = json.loads((folder / "summary.json").read_text())["outcomes"]["deaths"]["value"]
        assert total == states["killed"].values.sum()
    assert json.loads((folder / "manifest.json").read_text())["command"] == "lull replay run=4711 seed=2"


# --- Hydra's own business -----------------------------------------------------------------------------------


def test_hydra_prints_the_configuration(tmp_path: Path) -> None:
    answer = process(tmp_path, "run", "--cfg", "job", "patron.control=0.9", "-p", "patron")
    assert (answer.code, answer.err) == (0, "")
    assert "control: 0.9" in answer.out
    leash = "changes.leash={parameter: patron.control, value: 0.95, from: 2024-01-29}"
    answer = process(tmp_path, "run", "--cfg", "job", leash, "-p", "changes.leash")
    assert (answer.code, answer.err) == (0, "")
    assert "value: 0.95" in answer.out
    answer = process(tmp_path, "run", "--info", "defaults")
    assert (answer.code, answer.err) == (0, "")
    assert "history/article" in answer.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("verb", "old", "section", "printed"),
    [
        ("run", "study.most_runs=5", "study", "max_runs: 5"),
        ("calibrate", "calibration.truths=50", "calibration", "sbc_datasets: 50"),
    ],
)
def test_hydra_knows_old_names(tmp_path: Path, verb: str, old: str, section: str, printed: str) -> None:
    answer = process(tmp_path, verb, old, "--cfg", "job", "-p", section)
    assert (answer.code, answer.err) == (0, "")
    assert printed in answer.out


def test_multirun_gives_each_job_a_folder(tmp_path: Path) -> None:
    answer = process(tmp_path, "run", "-m", "seed=5,6", "study.runs=20", "scenario=salt_coast", "hydra.sweep.dir=swept")
    assert (answer.code, answer.err) == (0, "")
    seeds = [json.loads((tmp_path / "swept" / job / "run" / "summary.json").read_text())["seed"] for job in "01"]
    assert seeds == [5, 6]


def test_the_shell_is_helped_to_complete_verbs_keys_and_names(tmp_path: Path) -> None:
    def complete(line: str) -> list[str]:
        answer = process(tmp_path, "-sc", "query=bash", env=os.environ | {"COMP_LINE": line})
        assert (answer.code, answer.err) == (0, "")
        return answer.out.split()

    assert complete("lull repl") == ["replay"]
    assert complete("lull re") == ["replay", "report"]
    assert complete("lull run patron.con") == ["patron.control="]
    assert complete("lull run scenario=no_o") == ["scenario=no_order"]
    install = process(tmp_path, "-sc", "install=bash")
    assert install.code == 0
    assert "complete " in install.out
