"""Python calls of the verbs: one shape, one interface, and the folders that the commands leave."""

import csv
import inspect
import json
import pickle
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import matplotlib.figure
import pandas as pd
import pytest
import xarray as xr

import sim
from sim.cli import main
from sim.commands.result import Result
from sim.experiment.command import ARGUMENTS, Study
from sim.model.extension import Tallied
from sim.model.validation import UserError

pytestmark = pytest.mark.usefixtures("small_sides")
VERBS = ("calibrate", "compare", "diverge", "explain", "forecast", "replay", "report", "sensitivity", "sweep", "watch")
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
        "compare": (
            sim.compare, {"scenarios": two, "draws": 3, "runs": 4, "parameters": "prior"},
            ["compare", *two, "study.draws=3", "study.runs=4", "parameters=prior"],
        ),
        "explain": (
            sim.explain, {"outcome": "attacks_lull", "mechanisms": ["fear"], "draws": 2, "runs": 3},
            ["explain", "attacks_lull", "mechanisms=[fear]", "study.draws=2", "study.runs=3"],
        ),
        "diff": (sim.diverge, {"scenarios": two, "run": 5}, ["diff", *two, "run=5"]),
        "replay": (sim.replay, {"run": 5}, ["replay", "5"]),
        "forecast": (
            sim.forecast, {"data": counts(folder), "until": None, "weeks": 2, "histories": 1000},
            ["forecast", str(folder / "counts.csv"), "weeks=2", "histories=1000"],
        ),
        "skill": (
            sim.forecast, {"data": counts(folder), "histories": 1000, "score": True},
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


@pytest.mark.parametrize("verb", VERBS)
def test_every_call_has_the_shared_arguments_and_states_them(verb: str) -> None:
    call = getattr(sim, verb)
    first, *others = inspect.signature(call).parameters.values()
    assert first.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in others)
    assert {one.name for one in others} >= set(Study.__annotations__)
    assert all(f"        {name}: {text}\n" in call.__doc__ for name, text in ARGUMENTS.items())
    assert "**study" not in call.__doc__


@pytest.mark.parametrize("verb", ["simulate", *VERBS])
def test_a_call_refuses_an_argument_that_it_does_not_have(verb: str) -> None:
    call = getattr(sim, verb)
    with pytest.raises(TypeError, match=rf"^{verb}\(\) got .* 'sed'; arguments: .*nearest: seed"):
        call("article", sed=5)
    with pytest.raises(TypeError, match="'predictions'; keys of the configuration are set in overrides"):
        call("article", predictions="none")
    assert pickle.loads(pickle.dumps(call)) is call
    assert "**study" in inspect.getsource(call)


@pytest.mark.parametrize(
    "name", ["compare", "explain", "diff", "replay", "forecast", "skill", "report", "sweep", "sensitivity"]
)
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

    assert isinstance(result.data, xr.Dataset)
    assert isinstance(result.plot(), matplotlib.figure.Figure)
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
    assert result.found.kept.columns.keys() <= set(result.data.data_vars)
    assert result.data.sizes["draw"] == len(result.found.kept.rows)
    assert set(result.tables) == {path.stem for path in (tmp_path / "to").glob("*.csv")}
    with pytest.raises(UserError, match="nearest: posterior"):
        result.plot("posterier")


def test_a_search_takes_a_sweep_its_data_or_its_folder(tmp_path: Path) -> None:
    sweep = sim.sweep(points=64, runs=8, overrides={**SHORT, **SPACE}, to=tmp_path / "sweep")
    asked: dict[str, Any] = {"where": "attacks_lull>6", "boxes": 1}
    found = [sim.discover(one, **asked) for one in (sweep, sweep.data, tmp_path / "sweep")]
    assert found[0].summary() == found[1].summary() == found[2].summary()
    sim.discover(tmp_path / "sweep", **asked, to=tmp_path / "search")
    command = [f"discover.sweep={tmp_path / 'sweep'}", "discover.where=attacks_lull>6", "discover.boxes=1"]
    assert main(["discover", *command, f"output.dir={tmp_path / 'command'}"]) == 0
    assert contents(tmp_path / "search") == contents(tmp_path / "command")


def test_overrides_are_a_mapping_and_none_means_the_same_everywhere() -> None:
    free = sim.simulate(runs=20, overrides={"history.free_from": "start"})
    pinned = sim.simulate(runs=20, overrides={"history.free_from": None})
    result = sim.compare(
        ["article", "tight_leash"], runs=20, parameters="defaults", overrides={"history.free_from": None}
    )
    assert result.config.tree["history"]["free_from"] is None
    assert not free.equals(pinned)
    texts: Any = ["history.free_from=null"]
    for call in (sim.simulate, sim.replay, sim.compare, sim.explain, sim.sweep):
        with pytest.raises(UserError, match="a mapping of keys to values"):
            call(overrides=texts)


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
