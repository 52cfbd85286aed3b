"""Every mistake of a user gives exactly one line: the key, the value, what is allowed."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.model.hydra_config import OF_A_CALL, read_yaml
from sim.model.parameters import shared_declarations
from sim.model.scenario import load, overlay, scenario_names
from sim.model.validation import Section, UserError, one_of

COUNT = re.compile(r"one of \d+ names")
"""How many names there are grows with the model; which is the nearest does not."""


def refusal(overrides: list[str], folder: Path | None = None) -> str:
    with pytest.raises(UserError) as caught:
        load(overrides, folder)
    line = COUNT.sub("one of N names", str(caught.value))
    assert len(line.splitlines()) == 1
    assert ": allowed " in line
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return line


def complaint(read: Callable[[], object]) -> str:
    """The error line, empty when there is no mistake; any other exception goes on."""
    try:
        read()
    except UserError as error:
        return str(error)
    return ""


CALENDAR = "2023-10-17 to 2024-09-10, or days 0 to 329"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("scenario=tight_leesh", "scenario = tight_leesh: allowed one of N names, nearest: tight_leash"),
        ("history=artikle", "history = artikle: allowed one of N names, nearest: article"),
        ("patron.contrl=1", "patron.contrl = 1: allowed keys: one of N names, nearest: patron.control"),
        ("patron.control=1.7", "patron.control = 1.7: allowed 0 to 1"),
        ("militia.nujaba_iraq.autonomy=1.7", "militia.nujaba_iraq.autonomy = 1.7: allowed 0 to 1"),
        ("theatre.iraq.gate=-0.1", "theatre.iraq.gate = -0.1: allowed 0 to 1"),
        ("patron.control=nan", "patron.control = nan: allowed 0 to 1"),
        ("patron.control=inf", "patron.control = inf: allowed 0 to 1"),
        ("patron.control=-inf", "patron.control = -inf: allowed 0 to 1"),
        ("patron.control=abc", "patron.control = abc: allowed a number from 0 to 1"),
        ("patron.control=true", "patron.control = true: allowed a number from 0 to 1"),
        ("patron.control=null", "patron.control = null: allowed a number from 0 to 1"),
        ("patron.control=[1]", "patron.control = [1]: allowed a number from 0 to 1"),
        ("patron.control='0.5'", "patron.control = '0.5': allowed a number from 0 to 1"),
        ("patron.control=???", "patron.control = (missing): allowed 0 to 1"),
        ("~patron.control", "patron.control = (missing): allowed 0 to 1"),
        ("patron=1", "patron = 1: allowed a mapping of keys to values"),
        ("mechanisms.fear=3", "mechanisms.fear = 3: allowed true or false"),
        ("mechanisms.feer=false", "mechanisms.feer = false: allowed keys: one of N names, nearest: mechanisms.fear"),
        ("study.runs=0", "study.runs = 0: allowed a whole number from 1 to 1000000000"),
        ("study.runs=-5", "study.runs = -5: allowed a whole number from 1 to 1000000000"),
        ("study.runs=2.5", "study.runs = 2.5: allowed a whole number from 1 to 1000000000"),
        ("calendar.days=0", "calendar.days = 0: allowed a whole number from 1 to 3660"),
        ("calendar.days=-1", "calendar.days = -1: allowed a whole number from 1 to 3660"),
        ("engine.threads=-1", "engine.threads = -1: allowed a whole number from 0 to 4096"),
        ("seed=-1", f"seed = -1: allowed a whole number from 0 to {2**64 - 1}"),
        (f"seed={2**64}", f"seed = {2**64}: allowed a whole number from 0 to {2**64 - 1}"),
        ("parameters=guessed", "parameters = guessed: allowed defaults, posterior, conditioned"),
        ("history.events.tower_22.from=2025-01-01", f"history.events.tower_22.from = 2025-01-01: allowed {CALENDAR}"),
        ("history.events.tower_22.from=330", f"history.events.tower_22.from = 330: allowed {CALENDAR}"),
        ("history.events.tower_22.from=2024-02-31", f"history.events.tower_22.from = 2024-02-31: allowed {CALENDAR}"),
        ("history.free_from=soon", f"history.free_from = soon: allowed {CALENDAR}"),
        ("events.gaza_war.to=2023-10-01", f"events.gaza_war.to = 2023-10-01: allowed {CALENDAR}"),
        ("calendar.days=100", "calendar.strikes = 2024-02-02: allowed 2023-10-17 to 2024-01-24, or days 0 to 99"),
        ("calendar.report=2024-01-01", "calendar.report = 2024-01-01: allowed 2024-02-02 or later"),
        ("calendar.start=yesterday", "calendar.start = yesterday: allowed a date such as 2024-02-02"),
        ("events.gaza_war.value=2", "events.gaza_war.value = 2: allowed 0 to 1"),
        ("events.campaign.value=maybe", "events.campaign.value = maybe: allowed attack, free, reduce, stop"),
        ("events.campaign.kind=ordr", "events.campaign.kind = ordr: allowed one of N names, nearest: order"),
        (
            "history.events.tower_22.killed=0",
            "history.events.tower_22.killed = 0: allowed a whole number from 1 to 10000",
        ),
        ("+events.x={kind: major, from: 1, value: 2}", "events.x.value = 2: allowed nothing: major has no value"),
        ("+events.x={kind: major}", f"events.x.from = (missing): allowed {CALENDAR}"),
        ("+patron.control=1", "+patron.control = 1: allowed patron.control=..., for the key is there already"),
        ("+scenario=tight_leash", "+scenario = tight_leash: allowed scenario=NAME"),
        ("~scenario", "~scenario = ~scenario: allowed scenario=NAME"),
        ("patron.control=0.1,0.2", "patron.control = 0.1,0.2: allowed one value; only a sweep takes several"),
        (
            "+changes.a={parameter: shares.share_deviation, value: 0.2, from: 5}",
            "changes.a.parameter = shares.share_deviation: allowed one that acts after the first day: this one cannot",
        ),
        ("patron.control", "override = patron.control: allowed key=value"),
        ("=1", "override = =1: allowed key=value"),
        ("", "override = : allowed key=value"),
    ],
)
def test_the_line_names_key_value_and_what_is_allowed(override: str, line: str) -> None:
    assert refusal([override]) == line


@pytest.mark.parametrize(
    ("override", "start", "also"),
    [
        ("scenario=zzz", "scenario = zzz: allowed ", "article"),
        ("patrn.control=1", "patrn.control = 1: allowed keys: ", "patron"),
        ("+new.key=1", "new.key = 1: allowed keys: ", "seed"),
        ("++new.key=1", "new.key = 1: allowed keys: ", "seed"),
        ("+patron.new=1", "patron.new = 1: allowed keys: ", "patron.control"),
        ("+scenario.name=x", "scenario.name = x: allowed keys: ", "question"),
        ("militia.nujaba.autonomy=1", "militia.nujaba.autonomy = 1: allowed keys: ", "militia.nujaba_iraq"),
        ("militia.nujaba_iraq.theatre=mars", "militia.nujaba_iraq.theatre = mars: allowed ", "iraq, syria"),
        ("events.campaign.theatres=[mars]", "events.campaign.theatres = mars: allowed ", "iraq, syria"),
        ("history.events.tower_22.wing=unknown", "history.events.tower_22.wing = unknown: allowed ", "hashd_iraq"),
        ("history.events.tower_22.wing=houthis_red_sea", "history.events.tower_22.wing = houthis", "hashd_iraq"),
        ("+militia.patron={name: a}", "militia.patron = patron: allowed ", "any name but"),
        ("+militia.Bad-Id={name: a}", "militia.Bad-Id = Bad-Id: allowed ", "lower-case"),
        ("patron.control=${foo}", "patron.control = Interpolation key 'foo'", "resolve"),
        ("patron.control=${patron.control}", "patron.control = ", "resolve"),
        ("patron.control=${", "patron.control = ${: allowed ", "grammar"),
        ("hydra.run.dir=x", "hydra.run.dir = x: allowed ", "--cfg"),
        ("scenario@x=article", "scenario@x = article: allowed ", "package"),
        ("actors=salt_coast", "events.", "brine_towns"),
        ("names.patron=''", "names.patron = : allowed ", "a text"),
        ("patron.control=1\nforged: line", "patron.control = 1 forged: line: allowed ", "grammar"),
        (f"patron.control={'x' * 500}", "patron.control = xxx", "a number"),
    ],
)
def test_the_line_helps_with_names(override: str, start: str, also: str) -> None:
    line = refusal([override])
    assert line.startswith(start)
    assert also in line.partition(": allowed ")[2]
    assert len(line) < 450


def test_two_documented_deaths_on_one_day_are_refused() -> None:
    twice = "+history.events.again={kind: deaths, from: 103, wing: hashd_iraq, killed: 1}"
    assert "2024-01-28: allowed one event of kind deaths a day" in refusal([twice])


HEAD = "# @package _global_\nscenario: {question: Mine, departs: null}\n"


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (HEAD + "patron: {control: 0.5\n", "scenario/mine.yaml = malformed in line 4 ("),
        (HEAD + "\tpatron: 3\n", "scenario/mine.yaml = malformed in line 3 ("),
        (
            HEAD + "seed: 1\nseed: 2\n",
            "scenario/mine.yaml = malformed in line 4 (found duplicate key seed): allowed valid",
        ),
        (HEAD + "seed: 7\n", "scenario/mine.yaml: seed = 7: allowed keys of the world; this one is set on the"),
        (HEAD + "study: {runs: 3}\n", "scenario/mine.yaml: study = {'runs': 3}: allowed keys of the world; "),
        (HEAD + "parameters: posterior\n", "scenario/mine.yaml: parameters = posterior: allowed keys of the world; "),
        (HEAD + "output: {dir: x}\n", "scenario/mine.yaml: output = {'dir': 'x'}: allowed keys of the world; "),
        (HEAD + "engine: {threads: 2}\n", "scenario/mine.yaml: engine = {'threads': 2}: allowed keys of the world; "),
        (HEAD + "extensions: [a.py]\n", "scenario/mine.yaml: extensions = ['a.py']: allowed keys of the world; code"),
        (HEAD + "hydra: {job: {name: x}}\n", "scenario/mine.yaml: hydra = {'job': {'name': 'x'}}: allowed keys of"),
        ("# @package hydra.job\nname: x\n", "scenario/mine.yaml: hydra = {'name': 'x'}: allowed keys of the world"),
        ("# @package _global_.study\nruns: 3\n", "scenario/mine.yaml: study = {'runs': 3}: allowed keys of the world"),
        (HEAD + "x: !!python/object/apply:os.getcwd []\n", "scenario/mine.yaml = malformed in line 3 ("),
        (b"\xff\x00\xfe", "scenario/mine.yaml = 'utf-8' codec can't decode"),
        ("42", "scenario/mine.yaml = "),
        ("- a\n- b\n", "scenario/mine.yaml = a list: allowed a YAML file that maps keys to values"),
        ("", "scenario.question = (missing): allowed a text"),
        (HEAD + "patron: {control: 2}\n", "patron.control = 2: allowed 0 to 1"),
        (HEAD + "patron: {control: .nan}\n", "patron.control = nan: allowed 0 to 1"),
        (HEAD + "patron: {contrl: 1}\n", "patron.contrl = 1: allowed keys: one of N names, nearest: patron.control"),
        (HEAD + "patron: null\n", "patron = null: allowed a mapping of keys to values"),
        (HEAD + "new: {key: 1}\n", "new.key = 1: allowed keys: seed, "),
        (HEAD + "1: 2\n", "1 = 2: allowed keys: "),
        (HEAD + "patron: {control: '${nowhere}'}\n", "patron.control = Interpolation key 'nowhere' not found: allowed"),
        (HEAD + "defaults:\n  - override /actors: nowhere\n", "actors = nowhere: allowed middle_east, salt_coast"),
        (HEAD + "defaults: 3\n", "configuration = "),
        (
            HEAD + "history: {events: {x: {kind: major, from: 2022-01-01}}}\n",
            "history.events.x.from = 2022-01-01: allowed",
        ),
        (HEAD + "militia: {hashd_iraq: {theatre: iran}}\n", "militia.hashd_iraq.theatre = iran: allowed "),
        (HEAD + "theatre: {iraq: {sources: {gate: [guessed, me]}}}\n", "theatre.iraq.sources.gate = "),
    ],
)
def test_files_of_the_user_are_checked_alike(tmp_path: Path, content: str | bytes, start: str) -> None:
    path = tmp_path / "scenario" / "mine.yaml"
    path.parent.mkdir()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refusal(["scenario=mine"], tmp_path).startswith(start)
    for read in (lambda: scenario_names(tmp_path), lambda: overlay(load(), "mine", tmp_path)):
        assert len(complaint(read).splitlines()) <= 1


def test_malformed_files_reached_through_another_file_are_refused_too(tmp_path: Path) -> None:
    for group, name, content in [
        ("scenario", "mine", HEAD + "defaults:\n  - override /actors: theirs\n"),
        ("actors", "theirs", "a: [1\nb: 2"),
    ]:
        (tmp_path / group).mkdir()
        (tmp_path / group / f"{name}.yaml").write_text(content)
    assert refusal(["scenario=mine"], tmp_path).startswith("theirs.yaml = malformed in line 2")


@pytest.mark.parametrize("key", OF_A_CALL)
@pytest.mark.parametrize("chosen", ["actors=theirs", "scenario=mine"])
def test_no_file_of_the_user_sets_how_a_world_is_studied(tmp_path: Path, key: str, chosen: str) -> None:
    for name, content in [
        ("scenario/mine", HEAD + "defaults: [/parts/more]\n"),
        ("parts/more", f"# @package _global_\n{key}: 7\n"),
        ("actors/theirs", f"# @package _global_\n{key}: 7\n"),
    ]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(content)
    assert f".yaml: {key} = 7: allowed keys of the world; " in refusal([chosen], tmp_path)


def test_a_scenario_file_sets_keys_of_the_world(tmp_path: Path) -> None:
    (tmp_path / "scenario").mkdir()
    rungs = ["calm", "raids", "hurt", "dead", "bombs", "the capital", "all-out war"]
    for key in ("names", "calendar", "events", "history", "mechanisms", "patron"):
        (tmp_path / "scenario" / "mine.yaml").write_text(f"{HEAD}{key}: {{nonsense: 1}}\n")
        assert refusal(["scenario=mine"], tmp_path).startswith(f"{key}.nonsense"), key
    (tmp_path / "scenario" / "mine.yaml").write_text(f"{HEAD}rungs: {rungs}\n")
    assert load(["scenario=mine"], tmp_path).scenario.rungs == tuple(rungs)


BASE = load()
RESOLVERS = [
    "${oc.env:LULL_SECRET}",
    "${ oc.env:LULL_SECRET }",
    "${oc.decode:${oc.env:LULL_SECRET}}",
    "${names.${oc.env:LULL_SECRET}}",
    "before ${names.target} ${oc.env:LULL_SECRET,none} after",
    "${oc.create:{a:1}}",
    "${hydra:runtime.cwd}",
    "${hydra.runtime.cwd}",
    "${..hydra.runtime.cwd}",
    "\\${oc.env:LULL_SECRET}",
    "$${names.target}{oc.env:LULL_SECRET}",
    "${now:%Y}",
    "${anything:}",
]


@pytest.mark.parametrize("text", RESOLVERS)
def test_references_reach_nothing_but_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("LULL_SECRET", "swordfish")
    (tmp_path / "scenario").mkdir()
    mine = tmp_path / "scenario" / "mine.yaml"
    quoted = "'" + text + "'"
    for content in (
        f"{HEAD}names: {{patron: {quoted}}}\n",
        f"{HEAD}defaults: [override /actors: {quoted}]\n",
        f"# @package _global_\nscenario: {{question: {quoted}, departs: null}}\n",
        f"{HEAD}militia: {{hashd_iraq: {{sources: {{baseline: [assumed, {quoted}]}}}}}}\n",
    ):
        mine.write_text(content)
        for read in (lambda: scenario_names(tmp_path), lambda: overlay(BASE, "mine", tmp_path)):
            assert complaint(read).startswith("scenario/mine.yaml")
    assert refusal(["scenario=mine"], tmp_path).startswith("scenario/mine.yaml")
    policies = tmp_path / "policies.yaml"
    policies.write_text(f"mine: {{names.patron: {quoted}}}\n")
    assert complaint(lambda: read_yaml(policies)).startswith(f"{tmp_path.name}/policies.yaml")
    escaped = re.sub(r"[{}:, =]", r"\\\g<0>", text)
    for value in (quoted, escaped):
        line = refusal([f"names.patron={value}"])
        assert line.startswith("names.patron = ")
        assert "swordfish" not in line


def test_plain_references_are_followed(tmp_path: Path) -> None:
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "mine.yaml").write_text(
        HEAD + "names: {patron: 'not ${names.target}', rival: '${.target}'}"
    )
    tree = load(["scenario=mine", "patron.control=${militia.hashd_iraq.autonomy}"], tmp_path).tree
    assert tree["names"]["patron"] == f"not {tree['names']['target']}"
    assert tree["names"]["rival"] == tree["names"]["target"]
    assert tree["patron"]["control"] == tree["militia"]["hashd_iraq"]["autonomy"]


def test_the_folder_of_the_user_must_exist_and_hide_nothing_behind_our_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal([], Path("none")) == "--config-dir = none: allowed an existing folder"
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "article.yaml").write_text(HEAD)
    assert refusal([], tmp_path) == "--config-dir = scenario/article.yaml: allowed names that no shipped file has"


def test_an_unknown_overlay_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"^scenario = no_ordr: allowed one of \d+ names, nearest: no_order"):
        overlay(load(), "no_ordr")


@pytest.mark.parametrize(("key", "declaration"), shared_declarations().items())
def test_every_declared_range_holds_at_its_ends_and_nowhere_beyond(key: str, declaration: object) -> None:
    low, high = declaration.low, declaration.high  # type: ignore[attr-defined]
    name = key.rpartition(".")[2]
    for allowed in (low, high, declaration.default):  # type: ignore[attr-defined]
        assert Section("group", {name: allowed}, (name,)).number(name, low, high) == allowed
    for refused in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf), math.nan, math.inf, -math.inf):
        with pytest.raises(UserError, match=f"^group.{name} = "):
            Section("group", {name: refused}, (name,)).number(name, low, high)


@given(value=st.text() | st.binary() | st.lists(st.text()) | st.none(), key=st.text(), allowed=st.text())
def test_an_error_is_one_line_whatever_it_holds(value: object, key: str, allowed: str) -> None:
    error = UserError(key, value, allowed)
    assert len(str(error).splitlines()) == 1
    assert str(error).isprintable()
    assert (error.key, error.value, error.allowed) == (key, value, allowed)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=20).map(lambda text: f"patron.control={text}") | st.text(max_size=20))
def test_no_override_whatever_its_text_raises_anything_else(override: str) -> None:
    assert len(complaint(lambda: load([override])).splitlines()) <= 1


def test_names_are_listed_in_full_when_none_is_near() -> None:
    assert one_of(["alpha", "beta"], "zzz") == "alpha, beta"
    assert one_of([], "zzz") == "nothing"
    assert one_of([f"name{number}" for number in range(30)], "zzz").endswith("name19, ...")
