"""Sensitivity: known indices come back through the path of a sweep, chance is told apart, bad input is one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import delta as salib_delta
from SALib.analyze import morris as salib_morris
from SALib.analyze import pawn as salib_pawn
from SALib.analyze import sobol as salib_sobol
from SALib.sample import sobol as salib_sample
from scipy import stats

from sim.analysis.sensitivity.indices import (
    Morris,
    Ranking,
    Sobol,
    classes,
    delta,
    morris_measures,
    pawn,
    ranked,
    steps_of,
)
from sim.analysis.sensitivity.sensitivity_run import LEVELS, Crossed, Trajectories, prepare
from sim.analysis.sensitivity.targets import Chance, ErrorInterval, chance_share, interval, target_of
from sim.cli import main
from sim.commands.sensitivity import sensitivity
from sim.commands.sweep import sweep
from sim.experiment.command import Request, override_texts
from sim.experiment.statistics import jackknife
from sim.experiment.sweep import run_sweep
from sim.experiment.sweep.axes import Interval, axis_of
from sim.experiment.sweep.design import Batch
from sim.experiment.sweep.run_sweep import running as open_running
from sim.experiment.sweep.store import open_sweep
from sim.experiment.sweep.worker import Rows, Work
from sim.experiment.sweep.worker import simulate as simulate_batch
from tests.experiment.sweeps import StoppedError, make_some, part_files, small_parts

__all__ = ["small_parts"]

UNIT = (
    "patron.control", "mediator.weight", "mediator.restraint", "casualties.lethality", "deterrence.spillover",
    "target.attribution",
)  # fmt: skip
"""Parameters that may take any value from 0 to 1; what they do in the model is put aside here."""
WHOLE: dict[str, Any] = dict.fromkeys(UNIT, (0.0, 1.0))
PLANTED = "peak_war_risk"
SHORT = {"calendar.days": 140, "seed": 5}

Function = Callable[[np.ndarray], np.ndarray]


def ishigami(unit: np.ndarray) -> np.ndarray:
    x = np.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_indices() -> tuple[np.ndarray, np.ndarray, float]:
    """Total and first order of the three parameters, and the variance (Ishigami and Homma 1990)."""
    first = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2
    second, third = 7**2 / 8, 0.1**2 * np.pi**8 * (1 / 18 - 1 / 50)
    variance = first + second + third
    return np.array([first + third, second, third]) / variance, np.array([first, second, 0.0]) / variance, variance


G_WEIGHTS = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])


def g_function(unit: np.ndarray) -> np.ndarray:
    return np.asarray(np.prod((np.abs(4 * unit - 2) + G_WEIGHTS) / (1 + G_WEIGHTS), axis=1))


def g_indices() -> tuple[np.ndarray, np.ndarray, float]:
    """Total and first order, and the variance (Saltelli and Sobol 1995)."""
    parts = 1 / (3 * (1 + G_WEIGHTS) ** 2)
    variance = np.prod(1 + parts) - 1
    others = np.prod(1 + parts) / (1 + parts)
    return parts * others / variance, parts / variance, float(variance)


def plant(
    monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], function: Function, noise: float, shared: float = 0.0
) -> Callable[..., Rows]:
    """Let histories come to a function of the parameters instead: with noise of each, and a slope of each run."""

    def live(work: Work, batch: Batch, threads: int, progress: Any = None) -> Rows:
        points, runs = batch.numbers(), np.arange(*batch.runs)
        columns = work.design.columns(int(points[0]), int(points[-1]) + 1)
        unit = np.stack([columns[key] for key in keys], axis=1)[points - points[0]]
        luck = np.stack([np.random.default_rng([1, int(point)]).normal(size=runs[-1] + 1) for point in points])
        slopes = np.random.default_rng(2).normal(size=runs[-1] + 1)[runs]
        values = function(unit)[:, None] + noise * luck[:, runs] + shared * slopes * (unit[:, :1] - 0.5)
        one = Batch((int(points[0]), int(points[0]) + 1), (0, 1))
        rows: Rows = {
            name: np.zeros(values.size, dtype=column.dtype) for name, column in simulate_batch(work, one, 1).items()
        }
        rows["point"] = np.repeat(points, len(runs)).astype(np.int32)
        rows["run"] = np.tile(runs, len(points)).astype(np.int32)
        rows[PLANTED] = values.ravel()
        return rows

    monkeypatch.setattr(run_sweep, "simulate", live)
    monkeypatch.setattr(run_sweep, "simulate", live)
    return live


def analysed(folder: Path, keys: tuple[str, ...], **own: Any) -> pd.DataFrame:
    spans = {key: WHOLE[key] for key in keys}
    asked = {f"sensitivity.{name}": value for name, value in own.items() if name != "runs"}
    outcomes = {"sensitivity.outcomes": [PLANTED]} if "outcomes" not in own else {}
    overrides = {**SHORT, **spans, **asked, **outcomes, "study.runs": own.get("runs", 16)}
    return sensitivity(overrides=overrides, to=folder).tables["sensitivity"].set_index("parameter")


def covered(table: pd.DataFrame, keys: tuple[str, ...], name: str, truth: np.ndarray) -> np.ndarray:
    """Whether intervals, made one and a half times as wide so that all of a dozen cover, hold the truth."""
    rows = table.loc[list(keys)]
    spare = 0.5 * (rows[f"{name}_high"] - rows[name]) + 0.01
    return np.asarray((rows[f"{name}_low"] - spare <= truth) & (truth <= rows[f"{name}_high"] + spare))


# --- known indices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "known", "size"), [(ishigami, ishigami_indices, 3), (g_function, g_indices, 6)], ids=["ishigami", "g"]
)
def test_known_indices_come_back_through_the_path_of_a_sweep(function, known, size, tmp_path, monkeypatch):
    keys, (total, first, variance) = UNIT[:size], known()
    noise = 2.0 * np.sqrt(variance)
    plant(monkeypatch, keys, function, noise)
    table = analysed(tmp_path / "it", keys, samples=1024)
    for name, truth in (("total", total), ("first", first)):
        assert covered(table, keys, name, truth).all(), table[[name, f"{name}_low", f"{name}_high"]]
        assert (table[f"{name}_high"] - table[name]).max() < 0.16, "intervals so wide prove nothing"
        assert not covered(table, keys, name, truth[::-1]).all(), "the indices of other parameters fit as well"
    assert table["total_low"]["(dummy)"] < 0 < table["total_high"]["(dummy)"]
    assert table["above_dummy"][keys[0]]
    chance = noise**2 / (noise**2 + variance)
    assert table["chance_share_low"].iloc[0] - 0.01 < chance < table["chance_share_high"].iloc[0] + 0.01
    assert len(list((tmp_path / "it" / "parts").glob("*.parquet"))) >= 1

    values = open_sweep(tmp_path / "it")[PLANTED].mean("run").values
    raw = salib_sobol.analyze({"num_vars": size, "names": list(keys)}, values, calc_second_order=False, seed=1)["ST"]
    assert not covered(table, keys, "total", raw).all(), "what chance adds to the indices is not seen"


def test_luck_that_all_points_share_widens_the_intervals(tmp_path, monkeypatch):
    keys = UNIT[:3]
    widths = []
    for number, shared in enumerate((0.0, 6.0)):
        plant(monkeypatch, keys, ishigami, 0.1, shared)
        table = analysed(tmp_path / str(number), keys, samples=128, runs=8)
        widths.append(table["first_high"][keys[0]] - table["first"][keys[0]])
    assert widths[1] > 1.5 * widths[0]


def test_means_and_quantiles_hang_on_different_parameters(tmp_path, monkeypatch):
    keys = UNIT[:3]

    def live_like(unit: np.ndarray) -> np.ndarray:
        return 2.0 * unit[:, 0]

    plain = plant(monkeypatch, keys, live_like, 0.0)

    def spread_too(work: Work, batch: Batch, threads: int, progress: Any = None) -> Rows:
        rows = plain(work, batch, threads, progress)
        columns = work.design.columns(int(rows["point"][0]), int(rows["point"][-1]) + 1)
        spread = columns[keys[1]][rows["point"] - rows["point"][0]]
        level = np.modf(rows["run"] * 0.6180339887 + rows["point"] * 0.7548776662)[0]
        rows[PLANTED] = rows[PLANTED] + 4.0 * spread * (level - 0.5)
        return rows

    monkeypatch.setattr(run_sweep, "simulate", spread_too)
    monkeypatch.setattr(run_sweep, "simulate", spread_too)
    asked = [f"{PLANTED}:mean", f"{PLANTED}:q90"]
    table = analysed(tmp_path / "it", keys, samples=256, runs=32, outcomes=asked).set_index("statistic", append=True)
    first = table["first"]
    assert abs(first[keys[0], "mean"] - 1.0) < 0.1
    assert abs(first[keys[1], "mean"]) < 0.1
    # The 90 % quantile of 2 x + 4 y (u - 1/2) is 2 x + 1.6 y.
    assert abs(first[keys[0], "q90"] - 4 / (4 + 1.6**2)) < 0.12
    assert abs(first[keys[1], "q90"] - 1.6**2 / (4 + 1.6**2)) < 0.12
    assert not table["above_dummy"][keys[2], "q90"]


def test_morris_pawn_and_delta_rank_a_known_function_and_see_through_one_without_effect(tmp_path, monkeypatch):
    keys = UNIT
    weights = np.array([3.0, 2.0, 0.0, 0.0, 0.0, 0.0])
    plant(monkeypatch, keys, lambda unit: unit @ weights, 0.5)
    for method, samples in (("morris", 32), ("pawn", 1024), ("delta", 512)):
        table = analysed(tmp_path / method, keys, method=method, samples=samples)
        assert list(table.index[:2]) == list(keys[:2]), method
        assert list(table["above_dummy"][list(keys)]) == [True, True, False, False, False, False], method
    effects = analysed(tmp_path / "morris", keys, method="morris", samples=32)["mu_star"]
    assert effects[keys[0]] == pytest.approx(1.5, abs=5 * 0.5 * np.sqrt(2 / 16 / 32)), "half of the range of weight 3"


def war_by_known_function(seed: int, function: Function, reshuffled: bool) -> Ranking:
    """Morris' ranking of war, 32 trajectories and 32 runs, where all points share the random numbers of a run.

    Where `reshuffled`, the third parameter decides which random numbers a point reads, and nothing else.
    """
    unit = Trajectories("morris", tuple(Interval(key, "", 0.0, 1.0) for key in UNIT[:3]), 32 * 4, seed).unit(0, 32 * 4)
    uniforms = np.random.default_rng([seed, 7]).random((4, 32))
    read = np.floor(4 * unit[:, 2]).astype(int) if reshuffled else np.zeros(len(unit), dtype=int)
    war = (uniforms[read] < function(unit)[:, None]).astype(np.int8)
    return ranked(target_of("war"), war, Morris(32, unit), "morris", UNIT[:3], seed)


def above_chance(one: Ranking) -> set[str]:
    return {key for key, above in zip(one.keys, one.distinguished, strict=True) if above and one.resolved}


@pytest.mark.parametrize("reshuffled", [False, True])
def test_the_dummy_of_morris_hides_no_parameter_with_nearly_all_of_the_variance(reshuffled):
    def function(unit: np.ndarray) -> np.ndarray:
        return 0.1 + 0.5 * unit[:, 0] + 0.1 * unit[:, 1]

    found = [war_by_known_function(seed, function, reshuffled) for seed in range(12)]
    assert 0.5**2 / (0.5**2 + 0.1**2) > 0.95, "share of the first parameter in the variance"
    # A step of 0.25 is 3.3 standard deviations of 32 shared runs, so one of a dozen may be lost.
    assert sum(UNIT[0] in above_chance(one) for one in found) >= 11
    assert all(one.keys[0] == UNIT[0] for one in found)
    without = [above_chance(war_by_known_function(seed, lambda unit: 0.3 + 0 * unit[:, 0], True)) for seed in range(40)]
    # Chance alone goes beyond the limit of the one that reshuffles in 2.5 %: of 40 one, and five deviations more.
    assert sum(UNIT[2] in one for one in without) <= 1 + 5 * np.sqrt(40 * 0.025 * 0.975)
    assert not any({UNIT[0], UNIT[1]} & one for one in without), "what changes nothing at all is above nothing"


@pytest.mark.parametrize("name", ["sobol", "morris"])
def test_a_shift_that_all_points_share_is_no_step_of_the_dummy(name):
    axes = tuple(Interval(key, "", 0.0, 1.0) for key in UNIT[:3])
    made, block = {"sobol": (Crossed, 5), "morris": (Trajectories, 4)}[name]
    unit = made(name, axes, 32 * block, 1).unit(0, 32 * block)
    values = unit[:, :1] + 0.5 * np.random.default_rng(3).normal(size=(1, 16))
    method = Sobol(32, 3) if name == "sobol" else Morris(32, unit)
    one = ranked(target_of(PLANTED), values, method, name, UNIT[:3], 1)
    assert one.dummy.high[0] == pytest.approx(0.0, abs=1e-9), "each parameter's steps are free of it as well"
    assert UNIT[0] in above_chance(one)


def test_the_share_of_chance_is_that_of_known_variances_and_zero_without_any():
    generator = np.random.default_rng(4)
    between, within = generator.normal(size=(2000, 1)), 2.0 * generator.normal(size=(2000, 20))
    found = chance_share(between + within, 1)
    assert found.low < 0.8 < found.high
    assert abs(found.value - 0.8) < 0.05
    assert chance_share(between + 0 * within, 1).value == pytest.approx(0.0, abs=1e-9)


def test_intervals_of_95_percent_reach_to_the_normal_quantile_either_way():
    found = interval(np.array([2.0]), np.array([0.5]))
    assert np.allclose([found.low, found.value, found.high], stats.norm.ppf([[0.025], [0.5], [0.975]], 2.0, 0.5))


def test_the_jackknife_of_a_mean_is_its_squared_standard_error():
    parts = np.random.default_rng(2).normal(size=(8, 3))
    left = np.array([np.delete(parts, place, axis=0).mean(axis=0) for place in range(8)])
    assert np.allclose(jackknife(left), parts.var(axis=0, ddof=1) / 8)
    assert jackknife(np.empty((0, 3))).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("method", "low", "dummy", "by_chance", "above"),
    [
        ("pawn", [2.1, 1.9], 2.0, None, [True, False]),
        ("delta", [0.1, -0.1], -1.0, None, [True, False]),
        ("pawn", [2.1, 2.2], 3.0, None, [False, False]),
        ("sobol", [0.1, -0.1], 3.0, None, [True, False]),
        ("morris", [2.1, 2.2], 3.0, np.array([3.9, 4.1]), [True, False]),
    ],
)
def test_what_a_parameter_has_to_exceed_to_stand_out(method, low, dummy, by_chance, above):
    measures = ErrorInterval(np.full((2, 2), 4.0), np.array([low, low]), np.full((2, 2), 5.0))
    of_dummy = ErrorInterval(np.full(2, dummy), np.full(2, dummy - 1.0), np.full(2, dummy + 1.0))
    one = ErrorInterval(*np.ones((3, 1)))
    found = Ranking(target_of("war"), method, ("a", "b"), measures, of_dummy, by_chance, Chance(one, 0.0), one)
    assert found.distinguished.tolist() == above


# --- the same as SALib --------------------------------------------------------------------------------------

AXES = tuple(Interval(key, "", 0.0, 1.0) for key in UNIT)


def test_points_are_those_of_salib_whatever_piece_is_asked_for():
    problem = {"num_vars": 6, "names": list(UNIT), "bounds": [[0.0, 1.0]] * 6}
    theirs = salib_sample.sample(problem, 16, calc_second_order=False, seed=np.random.default_rng(3))
    crossed = Crossed("saltelli", AXES, 16 * 8, 3)
    assert np.array_equal(crossed.unit(0, 128), theirs)
    trajectories = Trajectories("morris", AXES, 5 * 7, 3)
    for design in (crossed, trajectories):
        whole = design.unit(0, 35)
        assert np.array_equal(design.unit(5, 23), whole[5:23])
        assert not np.array_equal(design.unit(0, 18), whole[5:23])


def test_measures_are_those_of_salib():
    problem = {"num_vars": 6, "names": list(UNIT), "bounds": [[0.0, 1.0]] * 6}
    unit = Trajectories("morris", AXES, 20 * 7, 3).unit(0, 140)
    values = ishigami(unit) + unit[:, 4]
    theirs = salib_morris.analyze(problem, (unit * LEVELS - 0.5) / (LEVELS - 1), values, num_levels=LEVELS, seed=1)
    ours = morris_measures(steps_of(unit, values))
    assert np.allclose(ours, 2 / 3 * np.array([theirs["mu_star"], theirs["sigma"]]).astype(float))

    points = np.random.default_rng(1).random((300, 6))
    for values in (ishigami(points), np.round(ishigami(points))):
        theirs = salib_pawn.analyze(problem, points, values, S=10)
        assert np.allclose(pawn(points, values), [theirs["median"], theirs["maximum"]])
        edges, grid = np.linspace(0, 300, classes(300) + 1), np.linspace(values.min(), values.max(), 100)
        theirs = [salib_delta.calc_delta(values, grid, points[:, place], edges) for place in range(6)]
        assert np.allclose(delta(points, values)[0], theirs)


def test_a_quantile_of_runs_taken_several_times_is_that_of_the_runs_written_out():
    values = np.random.default_rng(1).integers(0, 9, size=(7, 12))
    counts = np.array([0, 3, 1, 0, 2, 1, 1, 0, 0, 4, 1, 1])
    for name in ("median", "q95", "q1"):
        target = target_of(f"injured:{name}")
        written = np.repeat(values, counts, axis=1)
        expected = np.quantile(written, target.level or 0.5, axis=1, method="inverted_cdf")
        assert np.array_equal(target.prepared(values).of(counts), expected)


# --- a sweep like any other ---------------------------------------------------------------------------------

SMALL = {
    **SHORT, "patron.control": (0.2, 1.0), "casualties.lethality": (0.01, 0.3), "sensitivity.samples": 32,
    "study.runs": 8, "sensitivity.outcomes": ["acknowledged_lull", "deaths"],
}  # fmt: skip


def arguments(folder: Path, **changes: Any) -> tuple[str, ...]:
    return tuple(override_texts({**SMALL, **changes, "output.dir": str(folder)}, make=axis_of))


def test_a_stopped_analysis_goes_on_and_comes_to_the_same(tmp_path, small_parts):
    whole = sensitivity(overrides=SMALL, to=tmp_path / "whole").tables["sensitivity"]
    asked = prepare(Request("sensitivity", arguments(tmp_path / "stopped"))).sweep
    with pytest.raises(StoppedError), open_running(asked) as going:
        make_some(going, 3)
    before = part_files(tmp_path / "stopped")
    assert 3 <= len(before) < len(part_files(tmp_path / "whole"))
    assert main(["sensitivity", *arguments(tmp_path / "stopped")]) == 0
    after = part_files(tmp_path / "stopped")
    assert before.items() <= after.items()
    assert {name: content for name, (content, _) in after.items()} == {
        name: content for name, (content, _) in part_files(tmp_path / "whole").items()
    }
    written = pd.read_csv(tmp_path / "stopped" / "sensitivity.csv")
    assert np.allclose(written["total"], whole["total"].astype(float), equal_nan=True)


def test_more_samples_and_runs_keep_the_old_ones_and_fewer_are_refused(tmp_path, capsys):
    folder = tmp_path / "it"
    sensitivity(overrides=SMALL, to=folder)
    before = part_files(folder)
    sensitivity(overrides={**SMALL, "sensitivity.samples": 64, "study.runs": 12}, to=folder)
    assert before.items() <= part_files(folder).items()
    assert open_sweep(folder).sizes["point"] == 64 * 4
    assert main(["sensitivity", *arguments(folder)]) == 2
    assert "sensitivity.samples = 32: allowed 64 or more" in capsys.readouterr().err
    assert main(["verify", str(folder)]) == 0


@pytest.mark.parametrize("method", ["pawn", "delta"])
def test_a_sweep_that_is_there_is_asked_without_a_new_history(method, tmp_path, capsys):
    varied = {"patron.control": (0.2, 1.0), "ladder.cooling": (0.1, 0.5)}
    sweep(overrides={**SHORT, **varied, "study.points": 128, "study.runs": 8}, to=tmp_path / "it")
    before = part_files(tmp_path / "it")
    own = {"sensitivity.sweep": str(tmp_path / "it"), "sensitivity.method": method}
    table = sensitivity(overrides={**own, "sensitivity.outcomes": ["acknowledged_lull"]}).tables["sensitivity"]
    assert set(table["parameter"]) == {*varied, "(dummy)"}
    assert part_files(tmp_path / "it") == before
    assert (
        main(["sensitivity", f"sensitivity.sweep={tmp_path / 'it'}", "sensitivity.outcomes=[acknowledged_lull]"]) == 0
    )
    assert (tmp_path / "it" / "sensitivity.csv").exists()


EXTENSION = """
from sim.model.extension import Derived, Extension


def harm(deaths: float, injured: float) -> float:
    return deaths + injured


mine = Extension("mine", outcomes=(Derived("harmed", "soldiers", "soldiers killed or injured", harm),))
"""


@pytest.mark.long
def test_an_outcome_of_an_extension_is_explained_like_any_other(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(EXTENSION, encoding="utf-8")
    own = {"extensions": str(tmp_path / "mine.py"), "sensitivity.outcomes": ["harmed:q75"]}
    pawn_too = {"sensitivity.method": "pawn", "sensitivity.samples": 128}
    assert main(["sensitivity", *arguments(tmp_path / "it", **own, **pawn_too)]) == 0
    assert main(["sensitivity", f"sensitivity.sweep={tmp_path / 'it'}", "sensitivity.outcomes=[harmed]"]) == 0
    assert "soldiers killed or injured" in capsys.readouterr().out
    assert main(["sensitivity", *arguments(tmp_path / "without", **{"sensitivity.outcomes": ["harmed"]})]) == 2
    assert "sensitivity.outcomes = harmed: allowed outcomes: " in capsys.readouterr().err


def test_the_command_prints_draws_and_writes(tmp_path, capsys):
    swept = {key: value for key, value in SMALL.items() if key != "patron.control"} | {
        "patron.directive_reduce": (0.001, 0.4), "study.runs": 256, "output.dir": str(tmp_path / "it"),
    }  # fmt: skip
    assert main(["sensitivity", *override_texts(swept, make=axis_of)]) == 0
    said = capsys.readouterr().out
    assert "sobol: 2 parameters, 32 samples, 128 points x 256 runs = 32,768 histories" in said
    assert "heavy-tailed" in said
    assert "histories a second" in said
    assert "(dummy)" in said
    rows = pd.read_csv(tmp_path / "it" / "sensitivity.csv")
    assert list(rows["statistic"].unique()) == ["mean", "q95"]
    assert {"total", "total_low", "total_high", "first", "chance_share", "above_dummy"} <= set(rows.columns)
    told = json.loads((tmp_path / "it" / "sensitivity.json").read_text())
    for one in told["statistics"]:
        drawn = tmp_path / "it" / f"sensitivity-{one['statistic'].replace(':', '-')}.svg"
        assert drawn.exists() == one["points_differ"]
    assert any(one["points_differ"] for one in told["statistics"])


def test_all_parameters_vary_by_default_and_what_is_set_stays():
    space = prepare(Request("sensitivity", ("militia.nujaba_iraq.autonomy=0.9", "scenario=tight_leash"))).space
    keys = {axis.key for axis in space.axes}
    assert {"ladder.war_rate", "militia.hezbollah_lebanon.baseline", "theatre.gaza.supply"} <= keys
    assert space.held["militia.nujaba_iraq.autonomy"] == "set by you"
    assert space.held["patron.control"] == "set by the scenario"
    assert "measured" in space.held["patron.open_answer"]
    some = prepare(
        Request("sensitivity", ("sensitivity.parameters=[patron.*]", "ladder.cooling=interval(0.1,0.5)"))
    ).space
    assert {axis.key.partition(".")[0] for axis in some.axes} == {"patron", "ladder"}


# --- what cannot be used ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sensitivity.method=fast"], "sensitivity.method = fast: allowed sobol, morris, pawn, delta"),
        (["sensitivity.metod=sobol"], "sensitivity.metod = sobol: allowed one of 5 names, nearest: sensitivity.method"),
        (["sensitivity.method=sobol", "sensitivity.method=pawn"], "one value, given once"),
        (["sensitivity.outcomes=[wars]"], 'sensitivity.outcomes = wars: allowed for "wars": outcomes: '),
        (["sensitivity.outcomes=[war:q0]"], "followed by one of mean, median, q1 to q99"),
        (["sensitivity.outcomes=[deaths:mean]"], "a quantile, atleast or below of deaths: it is heavy-tailed"),
        (["sensitivity.outcomes=[war_day:mean]"], "it may never happen"),
        (["sensitivity.outcomes=[]"], "a name, or a list"),
        (["sensitivity.outcomes=[war,war:share]"], "each once"),
        (["sensitivity.samples=16"], "sensitivity.samples = 16: allowed a whole number from 32"),
        (["sensitivity.samples=100"], "a power of two, such as 128"),
        (["sensitivity.parameters=[patorn.*]"], "sensitivity.parameters = patorn.*: allowed all, or patterns of keys"),
        (["sensitivity.parameters=patron.open_answer"], "parameters that are not held fixed"),
        (["patron.control=interval(0.5,0.5)"], "an interval from a lower to a higher number"),
        (["patron.control=interval(0.5,1.5)"], "patron.control = 1.5: allowed 0 to 1"),
        (["militia.nobody.autonomy=interval(0,1)"], "militia.nobody.autonomy"),
        (["scenario=article,tight_leash"], "one value; an analysis has one configuration"),
        (["study.points=100"], "study.points = 100: allowed null: lull sensitivity does not read it"),
        (["study.precision={war: 0.1}"], "study.precision"),
        (["study.runs=4"], "study.runs = 4: allowed 8 or more"),
        (["sensitivity.sweep=nowhere"], "sensitivity.sweep = nowhere: allowed the folder of a sweep"),
        (["sensitivity.sweep=nowhere", "sensitivity.method=sobol"], "pawn or delta of a sweep that is there already"),
        (["sensitivity.sweep=nowhere", "seed=3"], "seed = 3: allowed sensitivity.method and sensitivity.outcomes"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sensitivity", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_sweep_that_cannot_be_asked_is_refused_in_one_line(tmp_path, capsys):
    several = {**SHORT, "patron.control": (0.2, 1.0), "scenario": ["article", "no_order"]}
    sweep(overrides={**several, "study.points": 64, "study.runs": 2}, to=tmp_path / "several")
    sweep(overrides={**SHORT, "patron.control": (0.2, 1.0), "study.points": 16, "study.runs": 2}, to=tmp_path / "few")
    sweep(overrides={**SHORT, "patron.control": (0.2, 1.0), "study.points": 128, "study.runs": 1}, to=tmp_path / "once")
    sensitivity(overrides={**SMALL, "sensitivity.outcomes": ["acknowledged_lull"]}, to=tmp_path / "crossed")
    for name, said in (
        ("several", "scenario differs"), ("few", "128 points or more"), ("once", "2 runs or more"),
        ("crossed", "points made independently; those of a saltelli are not"),
    ):  # fmt: skip
        assert main(["sensitivity", f"sensitivity.sweep={tmp_path / name}"]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("verb", ["run", "replay"])
def test_keys_of_a_sweep_are_refused_where_one_configuration_is_lived(verb, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([verb, "study.points=100"]) == 2
    line = f"lull: study.points = 100: allowed null: lull {verb} does not read it, but lull sweep, lull discover\n"
    assert capsys.readouterr().err == line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("war", "Direct war, share of histories"),
        ("deaths", "Soldiers killed, 95 % quantile"),
        ("deaths:share", "Soldiers killed, share of histories with any"),
        ("attacks_lull:mean", "Attacks in the lull, mean"),
        ("lull_days:below14", "Days until attacks resume, share of histories with less than 14 days"),
    ],
)
def test_a_target_is_said_by_its_title(asked: str, words: str) -> None:
    assert target_of(asked).sentence == words
