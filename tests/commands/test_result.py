"""Python calls of the verbs: one shape, one interface, and the folders that the commands leave."""

import csv
import inspect
import json
import pickle
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_origin

import matplotlib.figure
import pandas as pd
import pytest
import xarray as xr

import sim
from sim.cli import VERBS, main
from sim.commands.calls.result import Result
from sim.experiment.command import ARGUMENTS, Study
from sim.experiment.ensemble import simulate_config, stream_whole
from sim.model.extension import Tallied
from sim.model.scenario import load
from sim.model.validation import UserError

pytestmark = pytest.mark.usefixtures("small_sides")
NO_STUDIES = {
    "scenarios": "a table to look things up in", "events": "the same", "parameters": "the same", "facts": "the same",
    "merge": "takes folders", "verify": "a check of a folder", "check-extension": "a check of code", "bench": "no call",
    "app": "no call",
}  # fmt: skip
NAMES = {"case": "predict_case", "data": "inspect_data"}
NAMED = {verb: NAMES.get(verb, verb) for verb in VERBS if verb not in NO_STUDIES}
CALLS = {verb: getattr(sim, name) for verb, name in NAMED.items() if hasattr(sim, name)}
"""The call of every verb that studies something, by verb."""
FIRST = {"forecast": "data", "data": "data", "discover": "sweep"}
"""What a call takes first where that is no scenario."""
FIRST_ARGUMENTS = {
    "forecast": {"data": "counts.csv"},
    "inspect_data": {"data": "counts.csv"},
    "predict_case": {"scenario": "mine"},
    "discover": {"where": "war"},
}
"""Arguments that a call does not do without."""
SHORT = {"calendar.days": 134, "seed": 3}
WORDS = ("calendar.days=134", "seed=3")
SPACE = {"patron.control": (0.2, 1.0), "multipliers.baseline": (0.5, 2.0)}
AXES = ("patron.control=interval(0.2,1.0)", "multipliers.baseline=interval(0.5,2.0)")
NOT_COMPARED = {"manifest.json"}
CALIBRATION = {
    **{f"calibration.observations.{one}.enabled": False for one in ("campaign", "syria", "ordering", "responses")},
    "calibration.draws": 40_000, "calibration.sbc_datasets": 30, "calibration.hypothesis_draws": 0,
    "calibration.rejection_draws": 0, "calibration.predictive_runs": 100, "calibration.kept": 60,
}  # fmt: skip
"""A calibration with which many runs agree, so that few are enough."""


def counts(folder: Path) -> Path:
    path = folder / "counts.csv"
    start = date(2023, 10, 31)
    lines = [f"{start + timedelta(days=7 * week)},{20 + 12 * week},iraq" for week in range(10)]
    path.write_text("\n".join(["as_of_date,total,theatres", *lines]) + "\n", encoding="utf-8")
    return path


def cases(folder: Path) -> dict[str, tuple[Callable[..., Result[Any]], dict[str, Any], list[str]]]:
    """By name: a call, its arguments, and the command that asks the same."""
    two = ["article", "no_tower22"]
    return {
        "run": (sim.run, {"scenario": "tight_leash", "runs": 40}, ["run", "tight_leash", "study.runs=40"]),
        "compare": (
            sim.compare, {"scenarios": two, "draws": 3, "runs": 4, "parameters": "prior"},
            ["compare", *two, "study.draws=3", "study.runs=4", "parameters=prior"],
        ),
        "explain": (
            sim.explain, {"outcome": "attacks_lull", "mechanisms": ["fear"], "draws": 2, "runs": 3},
            ["explain", "attacks_lull", "mechanisms=[fear]", "study.draws=2", "study.runs=3"],
        ),
        "diff": (sim.diff, {"scenarios": two, "run": 5}, ["diff", *two, "run=5"]),
        "replay": (sim.replay, {"run": 5}, ["replay", "5"]),
        "forecast": (
            sim.forecast, {"data": counts(folder), "until": None, "weeks": 2, "runs": 1000},
            ["forecast", str(folder / "counts.csv"), "weeks=2", "histories=1000"],
        ),
        "skill": (
            sim.forecast, {"data": counts(folder), "runs": 1000, "score": True},
            ["forecast", str(folder / "counts.csv"), "score=true", "histories=1000"],
        ),
        "report": (
            sim.report, {"scenarios": two, "mechanisms": ["fear"], "draws": 20, "runs": 3, "parameters": "prior"},
            ["report", *two, "report.mechanisms=[fear]", "study.draws=20", "study.runs=3", "parameters=prior"],
        ),
        "sweep": (sim.sweep, {"points": 8, "runs": 4}, ["sweep", *AXES, "study.points=8", "study.runs=4"]),
        "sensitivity": (
            sim.sensitivity, {"samples": 32, "runs": 8, "outcomes": ["attacks_campaign"]},
            ["sensitivity", *AXES, "sensitivity.samples=32", "study.runs=8", "sensitivity.outcomes=[attacks_campaign]"],
        ),
    }  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that does not say when it was made; of netCDF, whose bytes hold no promise, the values."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    read: dict[str, Callable[[Path], bytes]] = {
        ".nc": lambda path: repr(xr.load_dataset(path, engine="h5netcdf").to_dict()).encode()
    }
    return {
        name: read.get(path.suffix, Path.read_bytes)(path)
        for name, path in files.items()
        if name not in NOT_COMPARED and not name.startswith(".") and path.suffix != ".parquet"
    }


def unlike_the_shape(call: Callable[..., Any], verb: str) -> list[str]:
    """In what a call differs from `verb(scenario or scenarios, *, runs, ...)`, every argument typed."""
    signature = inspect.signature(call)
    first, *others = signature.parameters.values()
    known = {one.name for one in others}
    wanted = {*({"data": (), "replay": ("run",), "diff": ("run",)}.get(verb, ("runs",))), *Study.__annotations__}
    if verb in FIRST:
        wanted.add("scenario")
    found = [f"no {name}" for name in sorted(wanted - known)]
    if first.name not in (FIRST.get(verb, "scenario"), "scenarios"):
        found.append(f"first {first.name}")
    if first.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        found.append(f"{first.name} by name")
    found += [f"{one.name} by place" for one in others if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    found += [f"{one.name} without a type" for one in (first, *others) if one.annotation is inspect.Parameter.empty]
    kind = get_origin(signature.return_annotation)
    return found if kind is not None and issubclass(kind, Result) else [*found, f"gives {signature.return_annotation}"]


@pytest.mark.parametrize("verb", CALLS)
def test_every_call_has_one_shape_and_states_what_all_share(verb: str) -> None:
    call = CALLS[verb]
    assert unlike_the_shape(call, verb) == []
    assert all(f"        {name}: {text}\n" in call.__doc__ for name, text in ARGUMENTS.items())
    assert "**study" not in call.__doc__
    assert inspect.signature(call).parameters["overrides"].default == {}


def test_another_shape_is_noticed() -> None:
    def odd(file, runs: int, *, seed: int = 1) -> None: ...

    found = unlike_the_shape(odd, "run")
    assert {"no to", "no overrides", "first file", "runs by place", "file without a type", "gives None"} <= set(found)
    assert unlike_the_shape(sim.simulate, "run") == ["no progress", "no to", "gives xr.Dataset"]


def test_every_verb_has_a_call_or_a_reason() -> None:
    assert CALLS.keys() | NO_STUDIES.keys() == VERBS.keys()
    assert {getattr(sim, name) for name in ("diff", "diverge")} == {CALLS["diff"]}, (
        "the name of before, for one release"
    )


@pytest.mark.parametrize("call", [sim.simulate, *CALLS.values()], ids=lambda call: call.__name__)
def test_a_call_refuses_an_argument_that_it_does_not_have(call: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=rf"^{call.__name__}\(\) got .* 'sed'; arguments: .*nearest: seed"):
        call("article", sed=5)
    with pytest.raises(TypeError, match="'predictions'; keys of the configuration are set in overrides"):
        call("article", predictions="none")
    assert pickle.loads(pickle.dumps(call)) is call
    assert "**study" in inspect.getsource(call)


def check_interface(result: Any) -> None:
    """The one interface of results."""
    assert isinstance(result, Result)
    assert isinstance(result.data, xr.Dataset)
    assert result.data.sizes
    assert all(isinstance(table, pd.DataFrame) for table in result.tables.values())
    assert any(len(table) for table in result.tables.values())
    assert json.loads(json.dumps(result.summary(), allow_nan=False))
    assert isinstance(result.plot(), matplotlib.figure.Figure)
    assert isinstance(sim.draw(result), matplotlib.figure.Figure)


ALIKE = ("run", "compare", "explain", "diff", "replay", "forecast", "skill", "report", "sweep", "sensitivity")


@pytest.mark.parametrize("name", ALIKE)
def test_a_call_leaves_what_the_command_leaves(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call, given, words = cases(tmp_path)[name]
    swept = name in ("sweep", "sensitivity")
    result = call(**given, overrides={**SHORT, **(SPACE if swept else {})}, to=tmp_path / "to")
    assert capsys.readouterr().out == ""
    assert main([*words, *WORDS, f"output.dir={tmp_path / 'command'}"]) == 0
    there = contents(tmp_path / "command")
    moved = {"config.yaml", "report.html"}  # they name the folder, or the command
    here = contents(tmp_path / "to")
    assert here.keys() == there.keys()
    assert {name for name in here if here[name] != there[name]} <= moved
    assert result.save(tmp_path / "saved") == tmp_path / "saved"
    assert contents(tmp_path / "saved").keys() == there.keys()

    check_interface(result)
    stated = next(tmp_path / "command" / file for file in there if file == result.summary_file)
    assert json.loads(json.dumps(result.summary())) == json.loads(stated.read_text(encoding="utf-8"))
    for table, rows in result.tables.items():
        with (tmp_path / "command" / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            written = list(csv.reader(file))
        assert isinstance(rows, pd.DataFrame)
        assert (list(rows.columns), len(rows)) == (written[0], len(written) - 1)
    if name == "diff":
        assert main(["verify", str(tmp_path / "to")]) == 0


def test_a_calibration_from_python(tmp_path: Path) -> None:
    result = sim.calibrate(overrides=CALIBRATION, to=tmp_path / "to")
    check_interface(result)
    assert result.found.kept.columns.keys() <= set(result.data.data_vars)
    assert result.data.sizes["draw"] == len(result.found.kept.rows)
    assert set(result.tables) == {path.stem for path in (tmp_path / "to").glob("*.csv")}
    with pytest.raises(UserError, match="nearest: posterior"):
        result.plot("posterier")


def test_a_calibration_with_counts_and_its_check_have_the_same_interface(tmp_path: Path) -> None:
    few = {key: value for key, value in CALIBRATION.items() if key != "calibration.draws"}
    fitted = sim.calibrate(runs=20_000, data=counts(tmp_path), stretch=42, overrides=few, to=tmp_path / "fitted")
    assert fitted.summary()["bank"] == 20_000
    check_interface(fitted)
    assert {"counts.png", "sbc.png"} <= {path.name for path in (tmp_path / "fitted").iterdir()}
    check_interface(sim.calibrate(runs=20_000, check=True, overrides=few))


def test_a_look_at_a_file_has_the_same_interface(tmp_path: Path) -> None:
    result = sim.inspect_data(counts(tmp_path), to=tmp_path / "to")
    check_interface(result)
    assert result.data["attacks"].dims == ("as_of_date", "theatre")
    assert "attacks.png" in {path.name for path in (tmp_path / "to").iterdir()}


def test_a_search_takes_a_sweep_its_data_or_its_folder(tmp_path: Path) -> None:
    sweep = sim.sweep(points=64, runs=8, overrides={**SHORT, **SPACE}, to=tmp_path / "sweep")
    asked: dict[str, Any] = {"where": "attacks_lull>6", "boxes": 1}
    found = [sim.discover(one, **asked) for one in (sweep, sweep.data, tmp_path / "sweep")]
    assert found[0].summary() == found[1].summary() == found[2].summary()
    check_interface(found[0])
    with pytest.raises(UserError, match=r"sweep = \(a dataset\)"):
        sim.discover(sweep.data, **asked, runs=9)
    with pytest.raises(UserError, match=r"discover\.sweep = \(missing\)"):
        sim.discover(**asked)
    sim.discover(tmp_path / "sweep", **asked, to=tmp_path / "search")
    command = [f"discover.sweep={tmp_path / 'sweep'}", "discover.where=attacks_lull>6", "discover.boxes=1"]
    assert main(["discover", *command, f"output.dir={tmp_path / 'command'}"]) == 0
    assert contents(tmp_path / "search") == contents(tmp_path / "command")


def test_a_search_makes_its_sweep_as_the_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked: dict[str, Any] = {"where": "attacks_lull>6", "boxes": 1, "points": 64, "runs": 8}
    made = sim.discover("swept", **asked, overrides={**SHORT, **SPACE}, to="called")
    words = [*AXES, *WORDS, "study.points=64", "study.runs=8"]
    assert main(["discover", "again", "where=attacks_lull>6", "boxes=1", *words, "output.dir=command"]) == 0
    assert contents(tmp_path / "called") == contents(tmp_path / "command")
    assert made.data.equals(sim.open_sweep("swept").load())


def test_none_means_null_in_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a scenario that frees history early, null frees it when the scenario departs, whichever call is asked."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario").mkdir()
    early = "# @package _global_\nscenario: {question: Early, departs: 2024-02-05}\nhistory: {free_from: 2024-01-01}\n"
    (tmp_path / "scenario" / "early.yaml").write_text(early, encoding="utf-8")
    given: dict[str, Any] = {"overrides": {**SHORT, "history.free_from": None}, "config_dir": tmp_path}
    varied = {**given, "overrides": {**given["overrides"], **SPACE}}
    pair = ["early", "tight_leash"]
    results: list[Result[Any]] = [
        sim.run("early", runs=10, **given),
        sim.replay("early", **given),
        sim.diff(pair, **given),
        sim.compare(pair, runs=5, parameters="defaults", **given),
        sim.explain("early", mechanisms=["fear"], runs=2, parameters="defaults", **given),
        sim.forecast(counts(tmp_path), scenario="early", runs=1000, **given),
        sim.sweep("early", points=4, runs=2, **varied, to="sweep"),
    ]
    assert {one.config.scenario.free_from for one in results} == {111}
    file = load(["scenario=early"], tmp_path).scenario
    assert file.free_from == 76, "without the override as the file says"
    data = sim.simulate("early", runs=10, **given)
    assert data.equals(results[0].data)
    both = {**SHORT, "history.free_from": [None, "start"]}
    swept = sim.sweep("early", runs=2, overrides=both, config_dir=tmp_path, to="both").data
    assert swept["history.free_from"].values.tolist() == ["null", "start"]


def test_a_call_without_a_scenario_takes_that_of_the_overrides() -> None:
    given: dict[str, Any] = {"overrides": {"seed": 3, "scenario": "salt_coast"}}
    calls: tuple[Callable[..., Any], ...] = (sim.run, sim.replay)
    assert [call(**given).config.scenario.name for call in calls] == ["salt_coast"] * 2
    data = sim.simulate(**given)
    assert (data.attrs["scenario"], data.sizes["run"]) == ("salt_coast", 1000)
    few = sim.simulate("article", overrides={**given["overrides"], "study.runs": 7})
    assert (few.attrs["scenario"], few.sizes["run"]) == ("article", 7), "an argument decides, else the overrides"


def test_overrides_are_a_mapping() -> None:
    texts: Any = ["history.free_from=null"]
    for call in (sim.simulate, *CALLS.values()):
        with pytest.raises(UserError, match="a mapping of keys to values"):
            call(**FIRST_ARGUMENTS.get(call.__name__, {}), overrides=texts)


def test_a_run_has_all_histories_and_what_simulate_gives() -> None:
    config = load(["study.runs=37", "calendar.days=134"])
    found, data = stream_whole(config, batch=10)
    assert data.identical(simulate_config(config))
    assert (found.first.sizes["run"], data.sizes["run"]) == (10, 37)
    for call in (sim.run, sim.simulate):
        with pytest.raises(UserError, match=r"study\.runs = 1000000000: allowed what fits"):
            call(runs=10**9)


def most(now: float, attacks: float) -> float:
    return attacks if attacks > now else now


def test_extensions_are_objects_where_nothing_is_written(tmp_path: Path) -> None:
    mine = sim.Extension("mine", outcomes=(Tallied("busiest", "attacks", "most attacks on a day", most),))
    result = sim.compare(["article", "tight_leash"], runs=20, parameters="defaults", extensions=[mine])
    assert "busiest" in result.data["measure"].values
    for write in (
        lambda: result.save(tmp_path / "saved"),
        lambda: sim.replay(extensions=[mine], to=tmp_path / "to"),
        lambda: sim.sweep(overrides={"patron.control": [0.2, 0.9]}, extensions=[mine], to=tmp_path / "to"),
    ):
        with pytest.raises(UserError, match="extensions = mine: allowed Python files where results are kept"):
            write()
    assert list(tmp_path.iterdir()) == []
