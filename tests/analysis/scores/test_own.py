"""Forecasts from own counts: planted levels are found, known events are used, what is not known yet is not."""

from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import nbinom

from sim.analysis.calibration.posterior import PriorSampler
from sim.analysis.forecast.attack_details import file_deaths, known_at, windowed
from sim.analysis.forecast.event_counts import AttackDetail, Counts, ReadingReport, from_days
from sim.analysis.forecast.forecasting import (
    SYNTHETIC_ROWS,
    Prediction,
    SimulatedPasts,
    bank_at,
    detail_words,
    fill,
    forecast,
    known_periods,
    match,
    pasts_of,
    poisson,
    predict,
    quantiles,
    seen,
    stretches_of,
    synthetic,
)
from sim.analysis.forecast.scores import (
    FORECASTERS,
    MODEL,
    SCORES,
    Scored,
    Trial,
    compared_rows,
    cuts_of,
    gain,
    simpler_forecasts,
    skills,
    trials,
)
from sim.experiment.parameter_sets import free_declarations, lethal_chance
from sim.experiment.statistics import LEVELS
from sim.model.scenario import Config, Scenario, load
from sim.model.validation import UserError

THEATRES = ("iraq", "syria", "jordan")
DAYS = 126
PAUSE = "+events.pause={kind: intensity, from: 2024-01-02, to: 2024-01-15, value: 0.0, source: invented}"
OFFENSIVE = "+events.offensive={kind: attack_multiplier, theatres: [syria], from: 2024-01-02, to: 2024-01-15, value: 2}"


@cache
def configured(*overrides: str) -> Config:
    return load(list(overrides))


@cache
def free_bank() -> SimulatedPasts:
    return fill(configured("history=free").scenario, THEATRES, DAYS, range(6000), 3)


def steady(per_day: tuple[float, float, float], days: int = 70, seed: int = 1) -> Counts:
    """Counts of a campaign that goes on at one rate."""
    drawn = np.random.default_rng(seed).poisson(per_day, (days, 3))
    return from_days(THEATRES, 0, drawn, ReadingReport("made up", 0, 0, {}))


# --- what is known when ---------------------------------------------------------------------------------------


def test_a_forecast_of_the_past_knows_nothing_that_came_later() -> None:
    scenario = configured().scenario
    known = known_at(scenario, 84, foresight=False)
    assert known.free_from == 85
    assert {one.id for one in scenario.events} - {one.id for one in known.events} == {
        "withdrawal_talks", "pipelines", "damascus",
    }  # fmt: skip
    assert known_at(scenario, 84, foresight=True).events == scenario.events
    later = fill(known_at(scenario, 110, False), THEATRES, 130, range(300), 3)
    early = fill(known, THEATRES, 130, range(300), 3)
    both, here, there = np.intersect1d(early.rows, later.rows, return_indices=True)
    assert len(both) > 200
    assert np.array_equal(early.so_far[here, :86], later.so_far[there, :86])
    assert not np.array_equal(early.so_far[here], later.so_far[there])


TRUCE = (
    "+events.truce={kind: intensity, from: 2024-01-02, to: 2024-01-15, value: 0.0, announced: 2023-12-20,"
    " source: invented}"
)


def test_an_announced_event_is_known_from_the_announcement_on_and_not_before() -> None:
    calendar = configured().scenario.calendar
    announced, begun = (calendar.day_of(date.fromisoformat(one)) for one in ("2023-12-20", "2024-01-02"))
    for overrides, foresight, first_known in (
        ((TRUCE,), False, announced),
        ((TRUCE,), True, announced),
        ((PAUSE,), False, begun),
        ((PAUSE,), True, 0),
    ):
        scenario, name = configured(*overrides).scenario, overrides[0].partition("=")[0].removeprefix("+events.")
        known = [name in {one.id for one in known_at(scenario, day, foresight).events} for day in range(begun + 1)]
        assert known == [day >= first_known for day in range(begun + 1)]


def test_forecasts_after_an_announcement_expect_the_truce_and_forecasts_before_it_do_not() -> None:
    counts, weeks = steady((0.9, 0.8, 0.0), 91), {}
    for until in (date(2023, 12, 19), date(2023, 12, 20)):
        found = predict(configured(TRUCE), counts, until, 4, 3000)
        days = found.forecast.edges - configured().scenario.calendar.day_of(date(2024, 1, 2))
        inside = (days[:-1] >= -1) & (days[1:] <= 13)
        weeks[until.day] = found.forecast.weights @ found.forecast.samples[:, inside].sum(axis=(1, 2))
        assert ("truce" in {one.event.id for one in found.effects}) == (until.day == 20)
    assert weeks[20] < 0.5 * weeks[19]


def test_the_record_of_deaths_prefers_histories_that_seldom_kill() -> None:
    bank = fill(known_at(configured().scenario, 84, False), THEATRES, 90, range(4000), 3)
    assert (bank.record <= 0).all()
    counts = synthetic(configured().scenario, THEATRES, 90, 1, 3)[0]
    found = match(pasts_of(bank, counts, 84), counts)
    free = fill(configured("history=free").scenario, THEATRES, 20, range(50), 3)
    assert not free.record.any()
    likely = np.exp(bank.record[found.places])
    assert found.weights @ likely > likely.mean()


# --- matching -------------------------------------------------------------------------------------------------


def test_stretches_part_the_past_without_gaps() -> None:
    counts = steady((1.0, 0.7, 0.1))
    found = stretches_of(counts, 60)
    total = ((-1, 4), (4, 32), (32, 46), (46, 53), (53, 60))
    split = tuple((a, b, k) for k in range(3) for a, b in ((-1, 32), (32, 60)))
    assert found == (*((a, b, None) for a, b in total), *split)


def test_a_history_of_the_bank_finds_itself() -> None:
    bank = free_bank()
    pasts = pasts_of(bank, steady((1.0, 0.7, 0.1)), 60)
    for place in (0, 17, 4000):
        own = from_days(THEATRES, 0, np.diff(bank.so_far[place].astype(int), axis=0), ReadingReport("own", 0, 0, {}))
        found = match(pasts, own)
        assert place in found.places
        assert found.weights[found.places == place] == pytest.approx(found.weights.max())


def test_the_nearer_a_past_the_heavier_its_history() -> None:
    counts = steady((1.0, 0.7, 0.1))
    pasts = pasts_of(free_bank(), counts, 60)
    found = match(pasts, counts)
    distances = ((pasts.values[found.places] - seen(counts, pasts.stretches)) ** 2).sum(axis=1)
    weights = found.weights[np.argsort(distances)]
    assert (np.diff(weights) <= 0).all()
    assert weights[-1] < 1e-6 * weights[0]
    assert weights.sum() == pytest.approx(1.0)


def test_a_past_that_the_model_does_not_tell_is_called_strange() -> None:
    usual, odd = steady((0.6, 0.5, 0.0)), steady((0.1, 9.0, 6.0))
    assert match(pasts_of(free_bank(), odd, 60), odd).discrepancy_p_value < 0.02
    article = fill(known_at(configured().scenario, 60, False), THEATRES, 62, range(6000), 3)
    assert match(pasts_of(article, usual, 60), usual).discrepancy_p_value > 0.05


def test_the_level_of_a_busier_case_is_found_by_theatre() -> None:
    scenario = configured("mechanisms.major_response=false", "mechanisms.patron_restraint=false").scenario
    counts = steady((0.9, 4.5, 0.0))
    bank = bank_at(known_at(scenario, 69, False), counts, 69, 83, 1, histories=8000)
    found = forecast(pasts_of(bank, counts, 69), counts, np.array([69, 76, 83]))
    weeks = found.weights @ found.samples[:, 0]
    assert 4.0 < weeks[0] < 9.0
    assert 24.0 < weeks[1] < 40.0
    narrow = fill(known_at(scenario, 69, False), THEATRES, 84, range(8000), 1)
    assert match(pasts_of(narrow, counts, 69), counts).discrepancy_p_value < found.match.discrepancy_p_value


# --- events ahead ---------------------------------------------------------------------------------------------


@cache
def predicted() -> Prediction:
    config = configured(PAUSE, OFFENSIVE)
    return predict(config, steady((0.9, 0.8, 0.0), 77), date(2023, 12, 25), 4, 4000)


def test_a_pause_ahead_silences_its_days_and_an_offensive_adds_to_them() -> None:
    found = predicted()
    effects = {one.event.id: one for one in found.effects}
    assert set(effects) == {"pause", "offensive"}
    weights = found.forecast.weights
    pause = weights @ effects["pause"].differences
    assert pause[0] == 0.0
    assert pause[1] < -5.0
    assert pause[2] < -2.0
    alone = predict(configured(OFFENSIVE), found.counts, date(2023, 12, 25), 4, 4000)
    added = alone.forecast.weights @ alone.effects[0].differences[:, 1]
    assert added > 2.0
    # While the war rests an offensive multiplies only what does not hang on it.
    assert weights @ effects["offensive"].differences[:, 1] < 0.5 * added
    whole = found.forecast.samples.sum(axis=2)
    assert (found.bare - whole)[:, 1].min() >= 0


@pytest.mark.parametrize(
    ("until", "weeks", "line"),
    [
        (date(2030, 1, 1), 4, "until = 2030-01-01: allowed a day after 2023-10-16, up to 2024-01-01"),
        (date(2023, 10, 20), 4, "data = 4 days: allowed at least 14 days"),
        (None, 100, "weeks = 100: allowed at most 36 up to the end of the calendar"),
    ],
)
def test_what_cannot_be_forecast_is_refused(until: date | None, weeks: int, line: str) -> None:
    with pytest.raises(UserError) as refused:
        predict(configured(), steady((1.0, 1.0, 0.0), 77), until, weeks, 1000)
    assert str(refused.value).startswith(line)


def test_quantiles_are_those_of_the_weights() -> None:
    found = quantiles(np.array([3, 1, 2]), np.array([0.04, 0.5, 0.46]))
    assert found == {"q05": 1.0, "q25": 1.0, "median": 1.0, "q75": 2.0, "q95": 2.0}


# --- deaths and groups of a file ------------------------------------------------------------------------------

GROUPS = ("Kataib Hezbollah", "Harakat al-Nujaba")


def told(killed: dict[int, int] | None = None, groups: tuple[int, int] = (0, 0)) -> Counts:
    """A steady campaign of which a file tells the dead by day, and how many attacks were of each of two groups."""
    counts = steady((0.9, 0.8, 0.0))
    deaths = [AttackDetail(day, "iraq", "", number) for day, number in (killed or {}).items()]
    named = [AttackDetail(day % 70, "iraq", one, 0) for one, n in zip(GROUPS, groups, strict=True) for day in range(n)]
    details = tuple(deaths + named)
    return replace(counts, details=details, groups=GROUPS, says_dead=killed is not None)


def ahead(counts: Counts, *overrides: str) -> Prediction:
    return predict(configured(*overrides), counts, None, 4, 6000)


def mean_ahead(found: Prediction) -> tuple[float, float]:
    """Mean attacks over the weeks ahead, with its Monte Carlo error."""
    whole, weights = found.forecast.samples.sum(axis=(1, 2)), found.forecast.weights
    mean = float(weights @ whole)
    return mean, float(np.sqrt((weights**2) @ (whole - mean) ** 2))


def same(one: Prediction, other: Prediction) -> bool:
    ours, theirs = one.forecast, other.forecast
    return np.array_equal(ours.samples, theirs.samples) and np.array_equal(ours.weights, theirs.weights)


def test_deaths_of_a_file_are_pinned_to_their_days_and_wings_and_all_other_days_kill_nobody() -> None:
    scenario = configured("history=free").scenario
    named = AttackDetail(45, "syria", "Harakat al-Nujaba", 1)
    counts = told({20: 1, 66: 3})
    counts = replace(counts, details=(*counts.details, named, AttackDetail(45, "syria", "", 0)))
    pins, words = file_deaths(scenario, counts, 65)
    deaths = {one.first: (one.wing, one.killed) for one in pins if one.kind == "deaths"}
    assert deaths == {20: ("hashd_iraq", 1), 45: ("nujaba_syria", 1)}
    silent = {day for one in pins if one.kind == "no_deaths" for day in range(one.first, one.last + 1)}
    assert silent == set(range(66)) - {20, 45}
    assert "2 deadly attacks (2 killed), and 64 days without a death" in words
    assert file_deaths(scenario, counts, 65).pins == file_deaths(scenario, counts.upto(65), 65).pins


def test_the_documented_record_stands_where_it_has_a_day() -> None:
    found = ahead(told({20: 1, 45: 2, 66: 3}))
    assert same(found, ahead(told()))
    assert "the documented record has every day (3 deadly attacks in the file)" in detail_words(found)[0]
    later = configured().scenario.pins[-1].last + 1
    counts = replace(steady((0.5, 0.5, 0.0), 160), details=(AttackDetail(later + 3, "iraq", "", 2),), says_dead=True)
    pins = file_deaths(configured().scenario, counts, 159).pins
    assert min(one.first for one in pins) == later
    assert [one.first for one in pins if one.kind == "deaths"] == [later + 3]


def test_a_file_that_says_nothing_of_dead_and_groups_is_forecast_as_before() -> None:
    bare = ahead(steady((0.9, 0.8, 0.0)), "history=free")
    assert same(ahead(told(), "history=free"), bare)
    assert same(ahead(told(groups=(5, 4)), "history=free"), bare), "nine named attacks are too few"
    assert [one.partition(";")[0] for one in detail_words(bare)] == ["fatalities: not used", "groups: not used"]
    assert not same(ahead(told({}), "history=free"), bare), "a control: days without deaths are data"


def test_recent_deaths_in_a_file_forecast_fewer_attacks_and_a_chance_to_kill_that_fits() -> None:
    free = "history=free"
    found = {name: ahead(told(one), free) for name, one in (("none", {}), ("some", {20: 1, 45: 2, 66: 3}))}
    (quiet, error), (deadly, other) = (mean_ahead(one) for one in found.values())
    assert quiet - deadly > 5 * np.hypot(error, other), "the model answers deaths with strikes and an order"

    def chance(one: Prediction) -> float:
        bank = one.forecast.bank
        keys = tuple(free_declarations())
        design = PriorSampler(bank.scenario, keys, bank.seed).values(bank.rows[one.forecast.match.places])
        return float(one.forecast.weights @ lethal_chance(bank.scenario, design))

    unknown = chance(ahead(told(), free))
    assert chance(found["none"]) < unknown < chance(found["some"])


def test_an_order_ahead_leaves_more_attacks_where_the_file_names_the_group_that_does_not_obey() -> None:
    world = (
        "history=free", "interventions=[order iraq stop from 2023-12-26, order syria stop from 2023-12-26]",
        *(f"militia.{wing}.baseline=0.02" for wing in ("hashd_iraq", "local_syria")),
        "multipliers.autonomy=1.0", "patron.control=1.0",
        *(f"mechanisms.{one}=false" for one in ("mediation", "major_response", "pause")),
    )  # fmt: skip

    def left(first: int, loose: int) -> tuple[float, float]:
        """Attacks under the order, with error, where of 100 attacks so many are of the first group."""
        autonomy = [
            f"militia.{name}_{place}.autonomy={0.95 if k == loose else 0.05}"
            for k, name in enumerate(("kataib_hezbollah", "nujaba")) for place in ("iraq", "syria")
        ]  # fmt: skip
        found = ahead(told(groups=(first, 100 - first)), *world, *autonomy)
        weights, by_group = found.forecast.weights, found.forecast.bank.by_group[found.forecast.match.places]
        share = float(weights @ (by_group[:, 0] / np.maximum(by_group.sum(axis=1), 1)))
        assert share == pytest.approx(first / 100, abs=0.15), "histories have the planted split"
        assert "groups: used; 100 of" in detail_words(found)[1]
        return mean_ahead(found)

    for loose, (many, few) in ((0, (90, 10)), (1, (10, 90))):
        (more, error), (less, other) = left(many, loose), left(few, loose)
        assert more - less > 3 * np.hypot(error, other), (loose, more, less)


@pytest.mark.parametrize("first", [0, 30])
def test_groups_are_counted_over_the_days_that_the_file_covers(first: int) -> None:
    scenario = known_at(configured("history=free").scenario, 60, False)
    scenario = replace(scenario, calendar=windowed(scenario.calendar, first, 60))
    named = (*GROUPS, "Islamic Resistance in Iraq and Hashd al-Shaabi", "Syrian militias")
    bank = fill(scenario, THEATRES, 70, range(200), 3, dict.fromkeys(named, (1.0, 1.0)))
    assert bank.groups == named
    assert np.array_equal(bank.by_group.sum(axis=1), bank.between(first - 1, 60))


# --- simpler forecasts beside it ------------------------------------------------------------------------------


def test_simpler_forecasts_beside_a_prediction_are_the_textbooks_and_know_nothing_after_the_cut() -> None:
    found = predicted()
    cut, week = found.forecast.cut, np.diff(found.forecast.edges)
    known = found.counts.upto(cut)
    shape, days = known.total[-1] + 0.5, cut - known.ends[0]
    expected = nbinom(shape, days / (days + week))
    simple = simpler_forecasts(found, 1)
    assert set(simple) == set(FORECASTERS) - {MODEL}
    rows = compared_rows(found, simple, configured().scenario.calendar)
    flat = [row for row in rows if row["forecaster"] == "constant rate"]
    for name, level in LEVELS.items():
        assert [row[name] for row in flat] == expected.ppf(level).tolist()
    assert [row["median"] for row in rows if row["forecaster"] == "last value"] != [row["median"] for row in flat]
    late = known.total[-1] + 5 * np.maximum(0, found.counts.ends - cut)
    others = replace(found.counts, total=np.where(found.counts.ends > cut, late, found.counts.total))
    again = compared_rows(found, simpler_forecasts(replace(found, counts=others), 1), configured().scenario.calendar)
    assert again[len(week) :] == rows[len(week) :]


# --- skill ----------------------------------------------------------------------------------------------------


def test_forecasts_of_the_past_do_not_overlap_and_begin_before_the_turn() -> None:
    found = cuts_of(steady((1.0, 1.0, 0.0), DAYS))
    assert [cut for cut, _ in found] == [41, 62, 83, 104]
    assert all(edges[-1] <= after for (_, edges), (after, _) in pairwise(found))
    assert min(cut for cut, _ in found) < configured().scenario.calendar.strikes
    with pytest.raises(UserError, match="at least 49 days of counts"):
        cuts_of(steady((1.0, 1.0, 0.0), 20))


def test_gain_is_a_share_and_for_the_log_score_a_difference() -> None:
    assert gain("crps", np.array(1.0), np.array(4.0)) == 0.75
    assert gain("log", np.array(1.0), np.array(4.0)) == 3.0


def test_periods_are_the_weeks_after_a_cut_or_as_long_as_counts_are_apart() -> None:
    daily = steady((1.0, 1.0, 0.0), DAYS)
    assert known_periods(daily, 41, 62) == [41, 48, 55, 62]
    some = replace(daily, ends=np.array([-1, 41, 44, 49, 62, 63]))
    assert known_periods(some, 41, 62) == [41, 49, 62]


def test_intervals_of_a_gain_hold_90_percent_of_it_resampled() -> None:
    ours = np.random.default_rng(9).normal(3.0, 1.0, 400)

    def trial(number: int, value: float) -> Trial:
        scored = {
            name: Scored(dict.fromkeys(SCORES, np.array([value if name == MODEL else 3.0])), {}, {})
            for name in FORECASTERS
        }
        return Trial(number, 41, np.array([41, 48]), np.array([2]), scored)

    found = skills([trial(number, value) for number, value in enumerate(ours)], lambda one: one.dataset)
    told = next(one for one in found if one.score == "log")
    error = ours.std() / np.sqrt(400)
    assert told.gain == pytest.approx(3.0 - ours.mean())
    # A quantile of 4000 resamples errs by 2.1 of their deviations over sqrt(4000).
    reach = pytest.approx(1.645 * error, abs=5 * 2.1 * error / np.sqrt(4000))
    assert told.gain - told.low == reach
    assert told.high - told.gain == reach


def test_forecasts_of_one_set_of_counts_are_resampled_in_blocks() -> None:
    generator, size = np.random.default_rng(9), 120
    # Neighbours are alike: what differs from forecast to forecast is a random walk that is drawn back to its mean.
    drift = np.zeros(size)
    for place in range(1, size):
        drift[place] = 0.8 * drift[place - 1] + generator.normal()

    def trial(cut: int) -> Trial:
        values = {name: drift[cut] + 10.0 if name == MODEL else 10.0 for name in FORECASTERS}
        scored = {name: Scored(dict.fromkeys(SCORES, np.array([one])), {}, {}) for name, one in values.items()}
        return Trial(0, cut, np.array([cut, cut + 7]), np.array([2]), scored)

    found = [trial(cut) for cut in range(size)]
    alone, blocks = (
        next(one for one in skills(found, lambda one: one.cut, 0, consecutive) if one.score == "log")
        for consecutive in (False, True)
    )
    assert alone.gain == blocks.gain
    # Neighbours correlate by 0.8: whole, that widens intervals threefold; blocks of five keep a part of it.
    assert 1.4 < (blocks.high - blocks.low) / (alone.high - alone.low) < 3.0


def judged(units: int, ours: float, theirs: float) -> set[tuple[str, float, float]]:
    """Verdicts and intervals from so many forecasts, all of which score alike."""

    def scored(value: float) -> Scored:
        return Scored({key: np.full(3, value) for key in SCORES}, {}, {})

    values = {name: scored(ours if name == MODEL else theirs) for name in FORECASTERS}
    found = [Trial(0, cut, np.arange(4), np.zeros(3), values) for cut in range(units)]
    return {(one.verdict, one.low, one.high) for one in skills(found, lambda one: one.cut) if one.score != "log"}


def test_fewer_than_eight_forecasts_give_neither_a_verdict_nor_an_interval() -> None:
    for units in (1, 2, 7):
        assert judged(units, 1.25, 1.0) == judged(units, 0.75, 1.0) == {("too few forecasts", -np.inf, np.inf)}
    assert judged(8, 1.25, 1.0) == {("model worse", -0.25, -0.25)}
    assert judged(8, 0.75, 1.0) == {("model better", 0.25, 0.25)}
    assert judged(8, 1.0, 1.0) == {("no difference shown", 0.0, 0.0)}


def by_dataset(
    scenario: Scenario, datasets: list[Counts], bank: SimulatedPasts
) -> dict[tuple[str, str], tuple[float, float]]:
    """Interval of the gain by benchmark and score."""
    found = trials(datasets, lambda known, cut, last: bank, 5)
    return {(one.benchmark, one.score): (one.low, one.high) for one in skills(found, lambda one: one.dataset)}


def test_on_histories_of_the_model_it_beats_every_benchmark_and_on_constant_rates_none() -> None:
    scenario, bank = configured("history=free").scenario, free_bank()
    assert bank.rows.max() < SYNTHETIC_ROWS
    ours = by_dataset(scenario, synthetic(scenario, THEATRES, 84, 100, 11), bank)
    flat = by_dataset(scenario, poisson(THEATRES, 84, 100, 11), bank)
    for (benchmark, score), (low, _) in ours.items():
        if score in ("crps", "log"):
            assert low > 0, (benchmark, score)
    for (benchmark, score), (low, _) in flat.items():
        assert low <= 0, (benchmark, score)
    assert flat["constant rate", "crps"][1] < 0


def test_the_models_bands_hold_what_they_promise_on_its_own_histories() -> None:
    scenario = configured("history=free").scenario
    found = trials(synthetic(scenario, THEATRES, 63, 100, 12), lambda known, cut, last: free_bank(), 5)
    inside = np.concatenate([one.scored[MODEL].covered[0.9] for one in found])
    held = np.concatenate([one.scored[MODEL].held[0.9] for one in found])
    by_set = (inside - held).reshape(100, -1).mean(axis=1)
    assert abs(by_set.mean()) < 5 * by_set.std() / 10
    naive = np.concatenate([one.scored["constant rate"].covered[0.9] for one in found])
    assert naive.mean() < inside.mean() - 0.05


@pytest.mark.long
@pytest.mark.parametrize("history", ["free", "article"])
def test_over_a_hundred_planted_datasets_the_model_is_better_by_every_score(history: str) -> None:
    scenario = configured(f"history={history}").scenario
    datasets = synthetic(scenario, THEATRES, 147, 100, 11)

    def bank_for(known: Counts, cut: int, last: int) -> SimulatedPasts:
        return fill(known_at(scenario, cut, False), THEATRES, last + 1, range(20_000), 3)

    found = skills(trials(datasets, bank_for, 5), lambda one: one.dataset)
    assert [(one.benchmark, one.score) for one in found if one.low <= 0] == []
    flat = skills(trials(poisson(THEATRES, 147, 100, 11), bank_for, 5), lambda one: one.dataset)
    assert [(one.benchmark, one.score) for one in flat if one.low > 0] == []
