"""Sweeps: the same bits however they are cut, stopped, gone on with or extended; another one is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.cli import main
from sim.experiment.statistics import error_of_quantile, error_of_share
from sim.experiment.sweep import configs
from sim.experiment.sweep import design as plan
from sim.experiment.sweep.profiles import LEAST_RUNS, Judgement, next_runs
from sim.experiment.sweep.run_sweep import forecast, running
from sim.experiment.sweep.store import open_sweep
from sim.experiment.sweep.worker import simulate as simulate_batch
from sim.model.declared_outcomes import Outcome
from sim.model.validation import UserError
from sim.rules.outcomes import NEVER
from tests.experiment.sweeps import (
    CONTROL,
    SOBOL_KILLED,
    asked,
    made,
    part_files,
    rows_of,
    same,
    small_parts,
    stop_after,
    store_in,
)

__all__ = ["small_parts"]

SOBOL = {**CONTROL, "study.points": 8, "study.runs": 12}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep, not to be altered."""
    folder = tmp_path_factory.mktemp("finished")
    made(SOBOL, folder)
    return folder


# --- the same bits ------------------------------------------------------------------------------------------


def test_threads_parts_and_batches_do_not_change_a_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = {**SOBOL, "scenario": ["article", "no_order"]}
    made({**sweep, "engine.threads": 1}, tmp_path / "whole")
    assert len(store_in(tmp_path / "whole").parts) == 1
    for name, rows, batch, threads in (("two", 2**14, 2**15, 2), ("cut", 5, 3, 1)):
        monkeypatch.setattr(plan, "LEAST_ROWS", rows)
        monkeypatch.setattr(plan, "PARTS", 40)
        monkeypatch.setattr(plan, "BATCH_ROWS", batch)
        made({**sweep, "engine.threads": threads}, tmp_path / name)
        assert same(tmp_path / "whole", tmp_path / name)
    assert len(store_in(tmp_path / "cut").parts) > 30
    made({**sweep, "seed": 6}, tmp_path / "seed")
    assert not same(tmp_path / "whole", tmp_path / "seed")


def test_million_point_sweeps_make_fewer_than_100_files() -> None:
    for points, runs in ((10**6, 1), (10**6, 8), (10**6, 1000), (1000, 10**6), (1, 10**7)):
        parts = plan.parts_for(np.zeros(points, dtype=np.int64), np.full(points, runs), 0)
        assert sum(part.rows for part in parts) == points * runs
        assert len(parts) + 4 < 100


def test_plans_bring_every_point_to_its_runs_exactly_once() -> None:
    have = np.array([0, 4, 4, 0, 9, 4, 2, 2])
    want = np.array([5, 9, 4, 5, 9, 9, 9, 2])
    parts = plan.parts_for(have, want, 7)
    assert [part.number for part in parts] == list(range(7, 7 + len(parts)))
    lived = np.zeros((len(have), 9), dtype=int)
    for part in parts:
        for batch in part.batches():
            lived[np.ix_(batch.numbers(), np.arange(*batch.runs))] += 1
    expected = [[int(have[point] <= run < want[point]) for run in range(9)] for point in range(len(have))]
    assert np.array_equal(lived, expected)


# --- stopped and gone on with -------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
def test_a_stopped_sweep_goes_on_where_it_stopped(tmp_path: Path) -> None:
    made(SOBOL, tmp_path / "whole")
    count = len(store_in(tmp_path / "whole").parts)
    assert count == 8
    for parts in (0, 3, 7):
        folder = tmp_path / f"stopped{parts}"
        stop_after(parts, SOBOL, folder)
        before = part_files(folder)
        assert len(before) == parts
        lived: list[int] = []
        with running(asked(SOBOL, folder)) as going:
            missing = going.missing
            going.make(lived.append)
        assert sum(lived) == sum(part.rows for part in missing) == (count - parts) * 12
        after = part_files(folder)
        assert {name: after[name] for name in before} == before
        assert same(tmp_path / "whole", folder)


KILLED = """
import sys
from pathlib import Path
from sim.experiment.sweep import design
from tests.experiment.sweeps import SOBOL_KILLED, made
design.LEAST_ROWS, design.BATCH_ROWS, design.PARTS = 24, 24, 1000
made(SOBOL_KILLED, Path(sys.argv[1]))
"""


def kill_after(parts: int, folder: Path) -> None:
    """Begin the sweep in a process of its own and kill it once so many parts are there."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)])
    try:
        while len(list((folder / "parts").glob("*.parquet"))) < parts:
            assert process.poll() is None, "it was done before it could be killed"
            time.sleep(0.001)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def check_killed(parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "LEAST_ROWS", 24)
    monkeypatch.setattr(plan, "PARTS", 1000)
    folder = tmp_path / f"killed{parts}"
    kill_after(parts, folder)
    before = part_files(folder)
    assert len(before) >= parts
    said: list[str] = []
    with running(asked(SOBOL_KILLED, folder), said.append) as going:
        missing = sum(part.rows for part in going.missing)
        lived: list[int] = []
        going.make(lived.append)
    assert sum(lived) == missing == (60 - len(before)) * 24
    after = part_files(folder)
    assert {name: after[name] for name in before} == before
    assert len(after) == 60
    assert not list(folder.rglob("*.partial"))
    assert len(said) == 1
    assert "ended without finishing" in said[0]
    whole = tmp_path / "whole"
    made(SOBOL_KILLED, whole)
    assert same(whole, folder)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_sweep_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_killed(5, tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_ten_killed_sweeps_go_on_where_they_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for parts in np.random.default_rng(20240128).choice(np.arange(1, 50), 10, replace=False).tolist():
        check_killed(parts, tmp_path, monkeypatch)


@pytest.mark.usefixtures("small_parts")
def test_an_interrupted_command_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "patron.control=interval(0.2,1)", "study.points=8", "study.runs=12", "calendar.days=140"]

    def interrupted(work: Any, batch: plan.Batch, *rest: Any) -> Any:
        if batch.points[0] == 5 and len(rest) > 1:
            raise KeyboardInterrupt
        return simulate_batch(work, batch, *rest)

    monkeypatch.setattr("sim.experiment.sweep.run_sweep.simulate", interrupted)
    assert main(command) == 130
    told = capsys.readouterr().err
    assert "lull: stopped; 5 of 8 parts are kept in" in told
    assert "To go on: lull sweep 'patron.control=interval(0.2,1)'" in told
    monkeypatch.setattr("sim.experiment.sweep.run_sweep.simulate", simulate_batch)
    (folder,) = (tmp_path / "outputs").iterdir()
    before = part_files(folder)
    assert len(before) == 5
    assert not [path for path in folder.rglob("*") if path.name.endswith(".partial")]
    assert main(command) == 0
    assert "36 histories are missing" in capsys.readouterr().out
    after = part_files(folder)
    assert {name: after[name] for name in before} == before
    assert main(command) == 0
    assert "Nothing is missing in outputs/sweep-article-seed1-" in capsys.readouterr().out
    assert part_files(folder) == after


# --- extended -----------------------------------------------------------------------------------------------


def test_more_runs_keep_the_old_ones(tmp_path: Path) -> None:
    sweep = {"patron.control": [0.4, 0.9], "study.runs": 1000, "history": "free"}
    grown, at_once = tmp_path / "grown", tmp_path / "at_once"
    made(sweep, grown)
    before, first = part_files(grown), rows_of(grown)
    more = made({**sweep, "study.runs": 5000}, grown)
    after = part_files(grown)
    assert {name: after[name] for name in before} == before
    assert dict(more.sizes)["run"] == 5000
    assert rows_of(grown, runs=1000).equals(first)
    made({**sweep, "study.runs": 5000}, at_once)
    assert same(grown, at_once)
    injured = more["injured"].values
    assert np.array_equal(injured[:, :1000].ravel(), first["injured"])
    assert not np.array_equal(injured[:, 1000:2000], injured[:, :1000])


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("design", ["sobol", "random"])
def test_more_points_keep_the_old_ones(tmp_path: Path, design: str) -> None:
    sweep = {**SOBOL, "study.design": design, "scenario": ["article", "tight_leash"]}
    grown, at_once = tmp_path / "grown", tmp_path / "at_once"
    made(sweep, grown)
    before, first = part_files(grown), rows_of(grown)
    larger = {**sweep, "study.points": 11, "study.runs": 15}
    data = made(larger, grown)
    after = part_files(grown)
    assert {name: after[name] for name in before} == before
    assert rows_of(grown, 16, 12).equals(first)
    made(larger, at_once)
    assert same(grown, at_once)
    assert np.array_equal(data["injured"].values.ravel(), rows_of(at_once)["injured"])


@pytest.mark.parametrize(
    ("first", "then", "line"),
    [
        (
            {"study.design": "lhs"},
            {"study.points": 9},
            "study.points = 9: allowed 8, as in {folder}: a Latin hypercube",
        ),
        ({}, {"study.points": 4}, "study.points = 4: allowed 8 or more, as in {folder}"),
        ({}, {"study.runs": 11}, "study.runs = 11: allowed 12 or more, as in {folder}"),
        ({}, {"seed": 6}, "seed = 6: allowed 5, as in this sweep in {folder}; or another output.dir"),
        ({}, {"ladder.cooling": 0.5}, "ladder.cooling = 0.5: allowed 0.2, as in this sweep in {folder}"),
        ({}, {"patron.control": (0.3, 1.0)}, "patron.control = interval(0.3,1.0): allowed interval(0.2,1.0), as in"),
        ({}, {"scenario": "no_order"}, "scenario = no_order: allowed article, as in this sweep in {folder}; "),
        ({}, {"scenario": ["article", "no_order"]}, "scenario = article,no_order: allowed article, as in this sweep"),
        ({}, {"study.design": "random"}, "study.design = random: allowed sobol"),
        (
            {},
            {"target.quiet_days": [5, 10]},
            "target.quiet_days = choice(5,10): allowed 5.0, as in this sweep",
        ),
    ],
)
def test_another_sweep_in_the_same_folder_is_refused(
    first: dict[str, Any], then: dict[str, Any], line: str, finished: Path, tmp_path: Path
) -> None:
    folder = tmp_path if first else finished
    if first:
        made({**SOBOL, **first}, folder)
    before = part_files(folder), (folder / "manifest.json").read_bytes()
    with pytest.raises(UserError) as caught:
        made({**SOBOL, **first, **then}, folder)
    assert str(caught.value).startswith(line.format(folder=folder))
    assert (part_files(folder), (folder / "manifest.json").read_bytes()) == before


def test_other_sources_are_refused(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    then = configs.deciding_hash()
    monkeypatch.setattr(configs, "deciding_hash", lambda: "0123456789abcdef")
    with pytest.raises(UserError, match=f"source = 0123456789abcdef: allowed {then}, the sources of this sweep in"):
        made(SOBOL, finished)


def test_a_changed_table_is_refused_and_a_longer_one_extends(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    sweep = {"study.table": str(path), "study.runs": 6}
    rows = [0.25, 0.5, 0.75]
    pd.DataFrame({"patron.control": rows[:2]}).to_csv(path, index=False)
    made(sweep, tmp_path / "made")
    first = rows_of(tmp_path / "made")
    pd.DataFrame({"patron.control": rows}).to_csv(path, index=False)
    made(sweep, tmp_path / "made")
    assert rows_of(tmp_path / "made", points=2).equals(first)
    pd.DataFrame({"patron.control": [0.25, 0.6, 0.75]}).to_csv(path, index=False)
    with pytest.raises(UserError, match=r"patron\.control = 0\.6: allowed 0\.5 at point 1, as in"):
        made(sweep, tmp_path / "made")


def test_the_same_sweep_finds_its_folder_again_and_another_one_does_not() -> None:
    folder = asked(SOBOL).folder
    assert asked({**SOBOL, "study.points": 16, "study.runs": 50, "engine.threads": 1}).folder == folder
    assert asked({**SOBOL, "ladder.cooling": 0.5}).folder != folder
    assert asked({**SOBOL, "patron.control": (0.3, 1.0)}).folder != folder


def test_a_sweep_of_some_outcomes_keeps_these_with_the_bits_of_all(tmp_path: Path) -> None:
    sweep = {"patron.control": [0.3, 0.95], "study.runs": 300}
    made(sweep, tmp_path / "all")
    some = made({**sweep, "study.outcomes": ["lull_days", "deaths"]}, tmp_path / "some")
    assert set(some.data_vars) == {"lull_days", "deaths"}
    kept = rows_of(tmp_path / "some")
    assert kept.equals(rows_of(tmp_path / "all")[list(kept)])
    made({**sweep, "study.outcomes": ["lull_days"]}, tmp_path / "one")
    assert rows_of(tmp_path / "one")["lull_days"].equals(kept["lull_days"])
    with pytest.raises(UserError, match=r"study\.outcomes = war"):
        made({**sweep, "study.outcomes": ["war"]}, tmp_path / "one")


# --- precision ----------------------------------------------------------------------------------------------


def test_runs_are_added_until_every_point_is_precise(tmp_path: Path) -> None:
    sweep = {"pause.pausing_rate": [0.05, 4.0], "study.runs": 70, "study.precision": {"acknowledged_lull": 0.18}}
    grown, plain = tmp_path / "grown", tmp_path / "plain"
    values = made(sweep, grown)["acknowledged_lull"].values
    counts = np.isfinite(values).sum(axis=1)
    assert counts.min() >= 70
    assert counts[0] > counts[1], "groups that pause late have the wider spread"
    for sample, count in zip(values, counts, strict=True):
        assert sample[:count].std(ddof=1) / np.sqrt(count) <= 0.18
        half = sample[: count // 2]
        assert count == 70 or half.std(ddof=1) / np.sqrt(len(half)) > 0.18, "it was precise before"
    made({"pause.pausing_rate": [0.05, 4.0], "study.runs": int(counts.max())}, plain)
    everything = rows_of(plain)
    wanted = everything[everything["run"] < counts[everything["point"]]].reset_index(drop=True)
    assert rows_of(grown).equals(wanted)
    before = part_files(grown)
    made(sweep, grown)
    assert part_files(grown) == before
    tighter = made({**sweep, "study.precision": {"acknowledged_lull": 0.15}}, grown)["acknowledged_lull"].values
    assert (np.isfinite(tighter).sum(axis=1) >= counts).all()
    assert np.isfinite(tighter).sum() > counts.sum()
    after = part_files(grown)
    assert {name: after[name] for name in before} == before


def test_points_that_stay_imprecise_are_told(tmp_path: Path) -> None:
    sweep = {"patron.control": [0.3, 0.95], "study.runs": 10, "study.max_runs": 80, "study.precision": {"war": 1e-4}}
    said: list[str] = []
    with running(asked(sweep, tmp_path), said.append) as going:
        going.make()
        while going.refine():
            going.make()
    assert said == ["2 of 2 points miss study.precision after 80 runs"]
    assert open_sweep(tmp_path).sizes["run"] == 80


def test_heavy_tails_are_judged_by_a_quantile_and_said_to_be() -> None:
    deaths = Judgement(Outcome("deaths", "soldiers", "", heavy_tailed=True), 1.0)
    assert deaths.by == "95 % quantile"
    assert "heavy-tailed" in deaths.words
    assert "heavy-tailed" not in Judgement(Outcome("injured", "soldiers", ""), 1.0).words
    # Pareto with exponent 1 has no mean: its standard error does not fall, the quantile's error does.
    tail = 1 / np.random.default_rng(1).random((200, 20_000))
    few, many = (np.median(deaths.errors(tail[:, :count])) for count in (1000, 20_000))
    assert many < few / 3
    mean = Judgement(Outcome("injured", "soldiers", ""), 1.0)
    assert np.median(mean.errors(tail)) > np.median(mean.errors(tail[:, :1000])) / 3


@pytest.mark.parametrize(
    ("unit", "heavy", "value"), [("soldiers", True, 95.0), ("day", False, 50.0), ("attacks", False, 50.5)]
)
def test_a_point_is_told_by_the_quantity_that_its_outcome_allows(unit: str, heavy: bool, value: float) -> None:
    runs = np.random.default_rng(1).permutation(np.arange(1.0, 101.0))[None]
    assert Judgement(Outcome("it", unit, "", heavy_tailed=heavy), 1.0).value(runs).tolist() == [value]


def test_errors_are_those_of_repeated_samples() -> None:
    generator = np.random.default_rng(3)
    sample = generator.exponential(size=(1000, 4000))
    for level in (0.5, 0.95):
        spread = np.quantile(sample, level, axis=1).std()
        told = error_of_quantile(np.sort(sample, axis=1), level).mean()
        # of a thousand spreads the error is 2.2 %; the ranks are rounded outwards, 4 % at most
        assert told == pytest.approx(spread, rel=0.15)
    wars = (generator.random((4000, 400)) < 0.1).astype(float)
    assert error_of_share(wars).mean() == pytest.approx(wars.mean(axis=1).std(), rel=0.06)
    assert (error_of_share(np.zeros((1, 400))) > 0).all()


def test_a_day_that_mostly_never_comes_has_an_endless_median_known_well() -> None:
    day = Judgement(Outcome("war_day", "day", ""), 1.0)
    often = np.where(np.arange(100) < 30, 200, NEVER)[None, :].astype(float)
    assert day.errors(often) == 0.0
    assert np.isinf(day.value(often))
    split = np.where(np.arange(100) < 50, 200, NEVER)[None, :].astype(float)
    assert np.isinf(day.errors(split))


def test_too_few_runs_are_never_precise() -> None:
    assert next_runs(np.array([2]), np.array([True]), 10**6).tolist() == [LEAST_RUNS]
    assert np.isinf(error_of_quantile(np.zeros((1, 8)), 0.95)).all()


# --- the command --------------------------------------------------------------------------------------------


def test_the_command_tells_cost_and_findings_and_leaves_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    overrides = ["scenario=article,tight_leash", "patron.control=0.3,0.9", "study.runs=20", "calendar.days=140"]
    assert main(["sweep", *overrides, "output.dir=made"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "4 points (factorial, 2 in the space of parameters under 2 configurations each) x 20 runs = 80" in told.out
    assert "histories a second" in told.out
    found = {path.name for path in (tmp_path / "made").iterdir()} - {".lock"}
    files = {"by_point.csv", "config.yaml", "manifest.json", "parts", "points.parquet", "summary.json"}
    assert found == files | {"sweep.png", "sweep.svg"}
    summary = json.loads((tmp_path / "made" / "summary.json").read_text())
    assert (summary["points"], summary["histories"]) == (4, 80)
    assert summary["varied"]["patron.control"] == "0.3,0.9"
    table = pd.read_csv(tmp_path / "made" / "by_point.csv")
    data = open_sweep(tmp_path / "made")
    assert np.allclose(table["injured (mean)"], data["injured"].mean("run"))
    assert table["scenario"].tolist() == data["scenario"].values.tolist() == ["article", "tight_leash"] * 2


def test_a_mistake_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for wrong in ("patron.control=interval(0,2)", "engine.cluster=cloud", "study.runs=0"):
        assert main(["sweep", "target.quiet_days=5,10", wrong, "output.dir=made"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_parts")
def test_the_forecast_counts_what_is_missing(tmp_path: Path) -> None:
    stop_after(3, SOBOL, tmp_path)
    with running(asked(SOBOL, tmp_path)) as going:
        told = going.forecast()
        assert told.histories == 5 * 12
        assert told.seconds == pytest.approx(told.histories / told.rate)
        going.make()
        assert going.forecast().histories == 0
    size = sum(len(content) for content, _ in part_files(tmp_path).values())
    everything = forecast(asked(SOBOL).work, plan.parts_for(np.zeros(8, dtype=np.int64), np.full(8, 12), 0), 1)
    assert everything.histories == 96
    assert 0 < everything.disk < 3 * size


# --- cost ---------------------------------------------------------------------------------------------------

WITHOUT_KERNEL = """
import json, resource, sys, time
import numpy as np
from pathlib import Path
from sim.engine.batch import run_batch
from sim.experiment import runner

PER_HISTORY = ("rows", "counts", "lags")
lived, spent = [], 0.0

def repeated(table, seed, runs, points, wanted, threads, progress):
    '''Histories that were lived once, again and again: all that a batch costs besides the kernel.'''
    global spent
    began = time.process_time()
    if not lived:
        lived.append(run_batch(table, seed, np.arange(2048), threads=threads))
    place = np.random.default_rng(len(runs)).integers(0, 2048, len(runs))
    copied = {name: getattr(lived[0], name)[place] for name in PER_HISTORY}
    spent += time.process_time() - began
    return lived[0]._replace(**copied)

runner.run_batch = repeated
from sim.experiment.command import Request
from sim.experiment.sweep.run_sweep import running
from sim.experiment.sweep.run_sweep import prepare
axes = ("patron.control=interval(0.2,1)", "target.quiet_days=interval(5,30)", "compliance.rate=interval(0.05,0.5)")
asked = prepare(Request("sweep", (*axes, "study.points=1000000", "study.runs=8", "output.dir=" + sys.argv[1])))
with running(asked) as going:
    going.make()
files = sum(1 for path in Path(sys.argv[1]).rglob("*") if path.is_file())
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.process_time() - spent, "MiB": most, "files": files}))
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted otherwise elsewhere")
def test_a_million_points_cost_little_besides_the_kernel(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_KERNEL, str(tmp_path / "million")]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told["seconds"] < 15
    assert told["MiB"] < 2000
    assert told["files"] < 100
