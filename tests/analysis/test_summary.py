"""Outcomes in a few numbers, against what theory says they must be."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sim.analysis import summary as summaries
from sim.analysis.pattern_tests import Verdict
from sim.analysis.summary import PRIOR_DRIVEN, exceedance, statistic, statistics, summary, weekly_rows
from sim.experiment.ensemble import simulate, tallied
from sim.experiment.statistics import TWENTIETHS, Tally, histogram_quantile
from sim.model.declared_outcomes import DERIVED, RECORDED, Outcome
from sim.model.scenario import load

COUNT = Outcome("count", "attacks", "a count")
HEAVY = Outcome("heavy", "soldiers", "a heavy tail", heavy_tailed=True)
DAY = Outcome("when_day", "day", "a day")


def one_of(values: object, outcome: Outcome) -> summaries.Statistic:
    """The statistics of some values of one outcome."""
    return statistic({outcome.name: Tally.of(np.asarray(values))}, outcome)


def quantile(values: np.ndarray, twentieths: int) -> float:
    return Tally.of(values).quantile(twentieths)


def error_of_mean(values: np.ndarray) -> float | None:
    return Tally.of(values).error_of_mean()


def error_of_median(values: np.ndarray) -> float | None:
    return Tally.of(values).error_of_median()


# --- quantiles ----------------------------------------------------------------------------------------------


def test_quantiles_of_one_to_a_hundred() -> None:
    told = one_of(np.random.default_rng(1).permutation(np.arange(1, 101)), COUNT)
    assert [told.q05, told.q25, told.median, told.q75, told.q95] == [5.0, 25.0, 50.0, 75.0, 95.0]
    assert told.mean == 50.5
    assert told.mcse == pytest.approx(math.sqrt(100 * 101 / 12) / 10)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=200), st.sampled_from(sorted(TWENTIETHS.values())))
def test_a_quantile_is_the_smallest_value_that_a_share_does_not_exceed(values: list[int], part: int) -> None:
    ordered = np.sort(np.array(values, dtype=float))
    found = quantile(ordered, part)
    assert found in values
    assert 20 * np.sum(ordered <= found) >= part * len(values)
    assert 20 * np.sum(ordered < found) < part * len(values)
    assert found == np.quantile(ordered, part / 20, method="inverted_cdf") or len(values) % 20 == 0


@given(st.lists(st.integers(0, 30), min_size=1, max_size=100), st.sampled_from(sorted(TWENTIETHS.values())))
def test_histograms_have_the_quantiles_of_what_they_count(values: list[int], part: int) -> None:
    counts = np.bincount(values, minlength=40)
    assert histogram_quantile(counts, part) == quantile(np.sort(np.array(values, dtype=float)), part)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert histogram_quantile(np.zeros((2, 3, 5)), 10).tolist() == [[-1] * 3] * 2


def test_a_day_that_never_comes_lies_after_all_others() -> None:
    told = one_of([-1] * 30 + list(range(70)), DAY)
    assert told.never == 0.3
    assert (told.median, told.q05, told.q95, told.mean) == (49.0, 4.0, None, None)
    assert told.mcse_of == "median"
    always = one_of(range(100), DAY)
    assert (always.never, always.mean, always.mcse_of) == (0.0, 49.5, "mean")
    rarely = one_of([-1] * 90 + list(range(10)), DAY)
    assert (rarely.median, rarely.q05, rarely.mcse) == (None, 4.0, None)


# --- Monte Carlo error --------------------------------------------------------------------------------------

REPEATS, SIZE = 400, 900


def spread_and_error(draws: np.ndarray, centre: object, error: object) -> tuple[float, float]:
    """How far estimates of repeated samples really scatter, and what error each was given, on average."""
    estimates = [centre(np.sort(one)) for one in draws]  # type: ignore[operator]
    return float(np.std(estimates, ddof=1)), float(np.mean([error(np.sort(one)) for one in draws]))  # type: ignore[operator]


def middle(ordered: np.ndarray) -> float:
    return quantile(ordered, 10)


@pytest.mark.parametrize("tail", ["normal", "cauchy"])
def test_the_error_of_a_median_is_how_far_medians_scatter(tail: str) -> None:
    generator = np.random.default_rng(20)
    draws = getattr(generator, f"standard_{tail}")((REPEATS, SIZE))
    spread, told = spread_and_error(draws, middle, error_of_median)
    density = {"normal": 1 / math.sqrt(2 * math.pi), "cauchy": 1 / math.pi}[tail]
    theory = 1 / (2 * density * math.sqrt(SIZE))
    tolerance = 5 / math.sqrt(2 * REPEATS)
    assert abs(spread / theory - 1) < tolerance
    # One interval of sqrt(N) spacings has a relative deviation near N**-0.25; the bias from whole ranks is 2 / sqrt(N).
    assert abs(told / theory - 1) < 5 * SIZE**-0.25 / math.sqrt(REPEATS) + 2 / math.sqrt(SIZE)
    assert abs(1.3 * told / theory - 1) > 5 * SIZE**-0.25 / math.sqrt(REPEATS) + 2 / math.sqrt(SIZE)


def test_the_error_of_a_mean_is_how_far_means_scatter_unless_the_tail_is_heavy() -> None:
    generator = np.random.default_rng(21)
    spread, told = spread_and_error(generator.exponential(size=(REPEATS, SIZE)), np.mean, error_of_mean)
    tolerance = 5 / math.sqrt(2 * REPEATS)
    assert abs(told * math.sqrt(SIZE) - 1) < tolerance
    assert abs(spread / told - 1) < tolerance
    heavy = generator.pareto(1.2, size=(REPEATS, SIZE))
    spread, told = spread_and_error(heavy, np.mean, error_of_mean)
    assert abs(spread / told - 1) > tolerance, "the reason why heavy tails are told by their median"


def test_errors_that_cannot_be_known_are_not_told() -> None:
    assert error_of_mean(np.array([3.0])) is None
    assert error_of_median(np.arange(9.0)) is None
    assert error_of_median(np.array([1.0] * 50 + [math.inf] * 51)) is None
    assert error_of_median(np.array([math.inf] * 50)) is None
    assert error_of_median(np.full(100, 3.0)) == 0.0


# --- heavy tails and cuts -----------------------------------------------------------------------------------


def test_a_heavy_tail_is_told_by_exceedance() -> None:
    told = one_of([0] * 50 + [1] * 30 + [4] * 15 + [12] * 5, HEAVY)
    assert told.mean is None
    assert told.mcse_of == "median"
    assert told.exceedance == {"1": 0.5, "2": 0.2, "3": 0.2, "4": 0.2, "5": 0.05, "10": 0.05}
    assert exceedance(Tally.of(np.zeros(5))) == {}
    assert one_of([1, 2, 3], COUNT).exceedance is None


def test_cut_outcomes_say_in_how_many_histories() -> None:
    sample = {
        "lull_days": [10, 222, 222, 30], "resumption_day": [118, -1, -1, 138],
        "quiet_days": [5, 8, 222, 9], "first_attack_day": [113, 116, -1, 117],
    }  # fmt: skip
    tallies = {name: Tally.of(np.array(values)) for name, values in sample.items()}
    for name, cut in (("lull_days", 0.5), ("quiet_days", 0.25)):
        told = statistic(tallies, next(one for one in DERIVED if one.name == name))
        assert (told.censored, told.prior_driven, told.never) == (cut, True, None)
        assert (told.mean, told.mcse_of) == (None, "median"), "a mean of cut days is no length of a lull"
    whole = {"lull_days": Tally.of(np.array([10, 30])), "resumption_day": Tally.of(np.array([118, 138]))}
    assert statistic(whole, next(one for one in DERIVED if one.name == "lull_days")).mean == 20.0


# --- the whole ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    return simulate("article", runs=40, seed=5)


def test_every_outcome_is_told_in_order_with_its_unit(data: xr.Dataset) -> None:
    stats = statistics(tallied(data))
    assert [one.name for one in stats] == [one.name for one in (*RECORDED, *DERIVED)]
    assert {one.name: one.unit for one in stats} == {
        name: data[name].attrs["units"] for name in (s.name for s in stats)
    }
    assert {one.name for one in stats if one.prior_driven} == PRIOR_DRIVEN
    assert {one.name for one in stats if one.exceedance} == {"deaths"}


def test_the_summary_can_be_written_as_json_and_says_the_same_each_time(data: xr.Dataset) -> None:
    verdict = Verdict("P1", "text", "fitted", "article", "170", "166", "150 to 195", np.bool_(True))  # type: ignore[arg-type]
    silent = Verdict("P2", "text", "fitted", "article", "none", "none", "half", None)
    config = load(["study.runs=40", "seed=5"])
    content = summary(config, statistics(tallied(data)), (verdict, silent))
    text = json.dumps(content, allow_nan=False)
    assert json.loads(text) == content
    assert [one["pass"] for one in content["patterns"]] == [True, None]
    again = summary(config, statistics(tallied(simulate("article", runs=40, seed=5))), (verdict, silent))
    other = summary(config, statistics(tallied(simulate("article", runs=40, seed=6))), (verdict, silent))
    assert json.dumps(again) == text != json.dumps(other)


def test_weekly_rows_are_the_quantiles_of_the_daily_counts() -> None:
    data = simulate("article", runs=60, seed=5, daily=True, overrides={"ladder.war_rate": 0.0})
    weeks = data["attacks_by_day"].values[:, : 47 * 7].reshape(60, 47, 7, -1).sum(axis=2)
    rows = [row for row in weekly_rows(data) if row["days"] == 7]
    assert len(rows) == 47 * len(data["theatre"])
    for row in rows:
        theatre = list(data["theatre"].values).index(row["theatre"])
        ordered = np.sort(weeks[:, row["week"], theatre]).astype(float)
        assert [row[name] for name in TWENTIETHS] == [quantile(ordered, part) for part in TWENTIETHS.values()]
        assert row["histories"] == 60


@pytest.mark.parametrize(("days", "rest"), [(140, 0), (141, 1), (135, 2)])
def test_days_that_fill_no_week_have_a_row_without_numbers(days: int, rest: int) -> None:
    data = simulate("article", runs=10, seed=5, overrides={"calendar.days": days})
    rows = [row for row in weekly_rows(data) if row["theatre"] == "syria"]
    assert sum(row["days"] for row in rows) == days
    short = [row for row in rows if row["days"] < 7]
    last = str(data["date"].values[days - rest])[:10] if rest else ""
    none = dict.fromkeys((*TWENTIETHS, "histories"))
    assert short == [{"theatre": "syria", "week": days // 7, "first_day": last, "days": rest, **none}][: rest > 0]
    said = data["weekly_histogram"].attrs["long_name"]
    assert said.endswith(f"left out: {rest}") if rest else "left out" not in said


def test_weeks_after_war_are_left_out_and_counted_out() -> None:
    data = simulate("article", runs=60, seed=5, overrides={"ladder.war_rate": 0.05, "history": "free"})
    rows = [row for row in weekly_rows(data) if row["theatre"] == "iraq" and row["days"] == 7]
    left = [row["histories"] for row in rows]
    assert left == sorted(left, reverse=True)
    war = data["war_day"].values
    assert left == [int(np.sum((war < 0) | (war >= 7 * week + 6))) for week in range(47)]
    assert left[-1] < 60
