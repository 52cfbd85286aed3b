"""Calibration against known answers: readings, weights, ranks of planted truths, and posteriors that must fail."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from sim.analysis.calibration import cross_checks
from sim.analysis.calibration.calibration_run import CountsCalibration, SbcResult, dated_counts, sbc_of_counts
from sim.analysis.calibration.cross_checks import WIDTHS, agreements, rejected
from sim.analysis.calibration.hypotheses import (
    LEFT_OUT,
    WEIGHED,
    Weighed,
    closed,
    counterfactuals,
    needed,
    open_sets,
    readings_of,
    spread_of,
    stories,
    weigh,
)
from sim.analysis.calibration.hypotheses import Reading as Hypothesis
from sim.analysis.calibration.identifiability import IDENTIFIED, NOT, WEAKLY, judged, quantities_of
from sim.analysis.calibration.observations import (
    BACKGROUND,
    Binomial,
    CalibrationSettings,
    DatedCounts,
    Exact,
    Observation,
    ObservationModel,
    Relative,
    Rounded,
    found,
    seen,
    settings_of,
)
from sim.analysis.calibration.posterior import (
    CHUNK,
    LEAST_EFFECTIVE,
    CountedRuns,
    Posterior,
    PriorSampler,
    ReferenceTable,
    accepted,
    counted_runs,
    fill,
    likelihood,
    posterior_of,
    reported,
    simulate,
)
from sim.analysis.calibration.sbc import (
    DRAWS,
    LEVEL,
    LIKELIHOOD,
    RECOVERED,
    Cells,
    Control,
    Ranked,
    check,
    conclusive,
    confirmed,
    fewest_sets,
    narrowed,
    nearby,
    noticed,
    rank,
    rank_counts,
    ranks_of,
    reports,
)
from sim.analysis.forecast.event_counts import ReadingReport, from_days
from sim.analysis.pattern_tests import calm_of
from sim.experiment.options import CalibrateOptions
from sim.experiment.parameter_sets import ParameterSets, quantile
from sim.experiment.statistics import binomial_limits, effective_sample_size, midpoint_quantile
from sim.model.parameters import shared_declarations
from sim.model.scenario import Config, load
from sim.model.validation import UserError
from sim.reporting.calibration_tables import check_lines
from sim.rules.outcomes import NEVER

KEYS = ("multipliers.baseline", "observation.chance", "patron.control", "casualties.penetration")
"""Parameters of the invented cases: two that the figures see, one that they do not, one that kills."""


@cache
def configured(*overrides: str) -> Config:
    return load(overrides)


@cache
def asked(*overrides: str) -> CalibrationSettings:
    return settings_of(configured(*overrides), overrides)


# --- readings -----------------------------------------------------------------------------------------------


def misfit(reading: ObservationModel, other: ObservationModel, number: float, chance: float) -> float:
    """Greatest distance between how often reports come and how likely they are said to be, in standard errors."""
    draws = 20_000
    reports = reading.report(np.full(draws, number), np.full(draws, chance), np.random.default_rng(5))
    values, counts = np.unique(reports, return_counts=True)
    said = np.array([float(other.pmf(np.array([number]), np.array([chance]), value)[0]) for value in values])
    errors = np.sqrt(np.maximum(said * (1.0 - said), 1.0 / draws) / draws)
    return float((np.abs(counts / draws - said) / errors).max())


@pytest.mark.parametrize(
    ("reading", "wrong"),
    [
        (Exact(2.0), Exact(2.0)),
        (Rounded(170.0, step=10.0), Rounded(170.0, step=7.0)),
        (Relative(170.0, 10.0, 0.05), Relative(170.0, 10.0, 0.06)),
        (Binomial(1.0), Binomial(1.0)),
    ],
    ids=["exact", "rounded", "relative", "binomial"],
)
def test_a_report_comes_as_often_as_its_likelihood_says(reading: ObservationModel, wrong: ObservationModel) -> None:
    assert misfit(reading, reading, 173.0, 0.006) < 5.0
    if wrong != reading:
        assert misfit(reading, wrong, 173.0, 0.006) > 5.0


def test_the_closed_form_of_lethal_attacks_is_the_binomial_law() -> None:
    attacks, chance = np.array([0.0, 1.0, 40.0, 200.0]), np.array([0.5, 0.02, 0.02, 0.004])
    for killed in (0.0, 1.0, 3.0):
        mine = Binomial(1.0).pmf(attacks, chance, killed)
        np.testing.assert_allclose(mine, stats.binom.pmf(killed, attacks, chance), rtol=1e-10)


# --- the bank -----------------------------------------------------------------------------------------------


def test_rows_can_be_made_again_one_by_one_and_in_any_order() -> None:
    config, settings = configured(), asked()
    prior = PriorSampler(config.scenario, settings.keys, 7)
    bank = fill(prior, settings.figures, 400)
    rows = np.array([399, 0, 123])
    here = seen(config.scenario, simulate(prior, prior.values(rows), rows))
    for one in settings.figures:
        np.testing.assert_array_equal(found(one, here), bank.numbers[one.id][rows])
    far = np.array([3 * CHUNK + 5, 5])
    np.testing.assert_array_equal(prior.levels(far)[1], prior.levels(np.arange(6))[5])
    assert not np.array_equal(*prior.levels(far))


def test_a_few_rows_of_a_chunk_are_those_of_the_whole_one() -> None:
    whole, places = np.arange(CHUNK, 2 * CHUNK), np.array([0, 1, 2, 3, 777, CHUNK - 1])
    for keys in (asked().keys, asked().keys[:3]):
        prior = PriorSampler(configured().scenario, keys, 8)
        np.testing.assert_array_equal(prior.levels(CHUNK + places), prior.levels(whole)[places])


def test_the_prior_of_the_bank_is_the_declared_one() -> None:
    prior = PriorSampler(configured().scenario, asked().keys, 3)
    columns = prior.values(np.arange(4000))
    levels = np.linspace(0.001, 0.999, 999)
    for key, column in columns.items():
        known = quantile(shared_declarations()[key], levels)
        back = np.interp(column, known, levels)
        assert stats.kstest(back, "uniform").statistic < 2.5 / np.sqrt(4000), key


# --- the posterior against known answers ----------------------------------------------------------------------


def invented(
    seed: int, size: int, numbers: Callable[[np.ndarray, np.random.Generator], dict[str, np.ndarray]]
) -> ReferenceTable:
    """A bank whose histories nobody lived: `numbers` makes the numbers behind the figures from the levels."""
    prior = PriorSampler(configured().scenario, KEYS, seed)
    levels = prior.levels(np.arange(size))
    made = numbers(levels, np.random.default_rng(seed))
    figures = tuple(one for one in asked().figures if one.id in made)
    return ReferenceTable(prior, figures, made, 0.02 * levels[:, 3])


def of_attacks(levels: np.ndarray, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Counts with a mean that two parameters share, and one that hangs on the first alone."""
    return {
        "campaign": generator.poisson(100.0 + 100.0 * levels[:, 0] + 60.0 * levels[:, 1]).astype(np.float32),
        "syria": generator.poisson(4.0 * levels[:, 0]).astype(np.float32),
        "lethal": np.full(len(levels), 180, dtype=np.float32),
    }


def only(name: str, bank: ReferenceTable) -> tuple[Observation, ...]:
    return tuple(one for one in bank.figures if one.id == name)


def test_weights_give_the_known_posterior_of_a_chance_to_kill() -> None:
    bank = invented(11, 40_000, of_attacks)
    posterior = posterior_of(bank, only("lethal", bank))
    level = np.linspace(0.0, 1.0, 20_001)
    density = stats.binom.pmf(1, 180, 0.02 * level)
    exact = np.interp((0.05, 0.5, 0.95), density.cumsum() / density.sum(), level)
    mine = midpoint_quantile(posterior.levels[:, 3], posterior.weights, (0.05, 0.5, 0.95))
    # A quantile of n draws errs by sqrt(q (1 - q) / n) / density there.
    heights = np.interp(exact, level, density / density.mean())
    errors = np.sqrt(np.array([0.05, 0.5, 0.95]) * np.array([0.95, 0.5, 0.05]) / posterior.effective) / heights
    assert (np.abs(mine - exact) < 5.0 * errors).all()
    assert not (np.abs(0.5 + 0.5 * (mine - 0.5) - exact) < 5.0 * errors).all()
    assert abs(posterior.evidence - density.mean()) < 5.0 * posterior.evidence_error


def test_unweighted_draws_follow_the_weights_and_repeat_no_row() -> None:
    bank = invented(12, 30_000, of_attacks)
    posterior = posterior_of(bank, only("lethal", bank))
    places = accepted(posterior.weights, np.random.default_rng(2))
    assert len(np.unique(places)) == len(places)
    mean = np.average(posterior.levels[:, 3], weights=posterior.weights)
    kept = posterior.levels[places, 3]
    assert abs(kept.mean() - mean) < 5.0 * kept.std() / np.sqrt(len(kept))
    assert effective_sample_size(posterior.weights) > len(kept)


def test_too_few_draws_are_refused_in_one_line() -> None:
    bank = invented(13, 200, of_attacks)
    with pytest.raises(UserError, match=r"calibration\.draws"):
        posterior_of(bank)


# --- planted truths -------------------------------------------------------------------------------------------


@cache
def ranked(control: Control = "", wrong: bool = False) -> Ranked:
    """600 truths of the invented case; `wrong` makes the bank another model than the truths'."""

    def other(levels: np.ndarray, generator: np.random.Generator) -> dict[str, np.ndarray]:
        return of_attacks(np.clip(levels * 0.8, 0.0, 1.0), generator)

    bank = invented(21, 300_000, other if wrong else of_attacks)
    plants = invented(22, 4000, of_attacks)
    return rank(bank, plants, "anywhere", 600, np.random.default_rng(4), control)


def test_sound_posteriors_pass_the_check() -> None:
    assert ranked().sets > 500
    assert all(one.calibrated for one in check(ranked()))


def test_posteriors_narrowed_by_half_fail_ranks_and_coverage_everywhere() -> None:
    checked = [one for one in check(ranked("narrowed")) if one.name != LIKELIHOOD]
    assert not any(one.uniform or one.coverage_ok for one in checked)


def test_the_prior_in_place_of_the_posterior_fails_for_the_likelihood_and_wherever_data_speak() -> None:
    sound, prior = check(ranked()), check(ranked("prior"))
    checked = {one.name: one for one in prior}
    assert not checked[LIKELIHOOD].coverage_ok
    clear = {one.name for one in sound if one.recovery_rank_corr >= RECOVERED}
    assert KEYS[0] in clear
    assert KEYS[2] not in clear
    assert noticed(sound, prior)
    assert not noticed(sound, sound)
    # Ranks of parameters alone do not tell: each is uniform whatever the data said. By side they do.
    alone = check(replace(ranked("prior"), sides=np.ones_like(ranked("prior").sides)))
    assert all(one.uniform for one in alone if one.name != LIKELIHOOD)


def test_a_posterior_of_another_model_fails_where_the_figures_speak() -> None:
    bad = {one.name for one in check(ranked(wrong=True)) if not one.calibrated}
    assert "multipliers.baseline" in bad
    assert "patron.control" not in bad


def test_data_sets_are_left_out_by_their_data_and_counted() -> None:
    bank, plants = invented(21, 20_000, of_attacks), invented(22, 300, of_attacks)
    few = rank(bank, plants, "anywhere", 300, np.random.default_rng(4))
    assert few.left_out > 0
    assert few.sets + few.left_out == 300


def test_rare_data_are_ranked_apart_among_the_draws_there_are_and_mistakes_are_noticed() -> None:
    bank, plants = invented(21, 30_000, of_attacks), invented(22, 4000, of_attacks)

    def rare(control: Control = "") -> Ranked:
        return rank(bank, plants, "anywhere", 600, np.random.default_rng(4), control, rare=True)

    found = rare()
    usual = rank(bank, plants, "anywhere", 600, np.random.default_rng(4))
    assert found.sets > 0.5 * usual.left_out > 50
    assert all(one.calibrated for one in check(found))
    narrow = {one.name: one for one in check(rare("narrowed")) if one.name != LIKELIHOOD}
    assert not any(one.coverage_ok for one in narrow.values())
    prior = {one.name: one for one in check(rare("prior"))}
    assert not prior[LIKELIHOOD].uniform


@pytest.mark.parametrize(
    ("figure", "told", "near"),
    [
        ("campaign", [140, 150, 170, 190, 200], [False, True, True, True, False]),
        ("syria", [0, 1, 2, 3, 4], [False, True, True, True, False]),
        ("lethal", [0, 1, 2, 3], [True, True, True, False]),
        ("ordering", [0, 1], [False, True]),
        ("responses", [0, 1], [False, True]),
        ("peace", [0, 1], [False, True]),
    ],
)
def test_data_are_near_within_two_steps_of_a_rounded_figure_and_one_of_a_count(
    figure: str, told: list[float], near: list[bool]
) -> None:
    figures = asked().figures
    reported = {one.id: np.full(len(told), one.reading.observed) for one in figures}
    assert nearby(figures, {**reported, figure: np.array(told, dtype=float)}).tolist() == near


def test_data_sets_told_alike_share_no_more_draws_than_chance_makes_them() -> None:
    bank, plants = invented(21, 300_000, of_attacks), invented(22, 300, of_attacks)
    generator = np.random.default_rng(4)
    told = reports(plants, generator)
    cells, first = Cells(bank, plants, told), {key: float(one[0]) for key, one in told.items()}
    draws = [cells.draws(0, first, generator) for _ in range(40)]
    known = len(np.unique(np.concatenate([one for one in draws if one is not None])))
    assert known > 6 * DRAWS
    for one, other in pairwise(draws):
        assert one is not None
        assert other is not None
        # Of two times DRAWS among at least `known` rows so many are shared by chance.
        mean = DRAWS**2 / known
        assert len(np.intersect1d(one, other)) < mean + 5.0 * np.sqrt(mean)


def test_what_fails_once_is_looked_at_again_and_what_fails_twice_is_unsound() -> None:
    sound, wrong = check(ranked()), check(ranked("narrowed"))
    once = (replace(sound[0], uniform=False), *sound[1:])
    found = confirmed(once, sound)
    assert all(one.calibrated for one in found)
    assert [one.name for one in found if one.retested] == [sound[0].name]
    assert not any(one.calibrated for one in confirmed(wrong, wrong) if one.name != LIKELIHOOD)
    assert confirmed(sound, wrong) == sound


@pytest.mark.parametrize("quantities", [1, 20, 77])
def test_no_verdict_from_fewer_data_sets_than_ranks_need_to_show_a_fault(quantities: int) -> None:
    """Ranks all in the middle are those of posteriors that are far too wide, and the last to leave the band."""
    least = fewest_sets(quantities)

    def all_in_the_middle(sets: int) -> Ranked:
        flat = np.zeros((sets, quantities))
        names = tuple(f"x{place}" for place in range(quantities))
        return Ranked("anywhere", names, np.full(flat.shape, DRAWS // 2 + 1), flat, flat, flat + 1.0, 5)

    # One share of the data sets jumps from 0 to 1 in the middle, where half are expected: all but impossible by chance.
    assert 2.0 * 0.5**least < LEVEL / (2 * quantities)
    seen_by_all = check(all_in_the_middle(least))
    assert len(seen_by_all) == quantities
    assert not any(one.uniform for one in seen_by_all)
    assert conclusive(all_in_the_middle(least))
    assert not conclusive(all_in_the_middle(least - 1))
    assert all(one.uniform for one in check(all_in_the_middle(least - 1)))
    few = all_in_the_middle(3)
    (line,) = check_lines(SbcResult({few.region: few}, {few.region: check(few)}))
    assert "too few data sets for a verdict: 3 (5 skipped, too few posterior draws), and the ranks can show" in line
    assert f"from {least} on" in line
    many = all_in_the_middle(least)
    assert "too few data sets" not in " ".join(check_lines(SbcResult({"anywhere": many}, {"anywhere": check(many)})))


def test_truths_are_recovered_where_the_figures_speak_and_only_there() -> None:
    recovery = {one.name: one.recovery_rank_corr for one in check(ranked())}
    noise = 5.0 / np.sqrt(ranked().sets)
    assert recovery["multipliers.baseline"] > 0.5
    assert abs(recovery["patron.control"]) < noise


def test_every_rank_once_has_the_coverage_that_intervals_promise() -> None:
    level = np.linspace(0.0, 1.0, DRAWS + 1)[:, None]
    (told,) = check(Ranked("anywhere", ("x",), np.arange(DRAWS + 1)[:, None], level, level**3, np.ones((100, 1)), 0))
    assert (told.coverage_50, told.coverage_90, told.ks_distance) == (0.5, 0.9, 0.0)
    assert told.recovery_rank_corr == pytest.approx(1.0)
    assert told.calibrated


def test_ranks_by_side_notice_draws_that_stay_where_the_prior_was() -> None:
    ranks = np.random.default_rng(5).integers(0, DRAWS + 1, (1000, 1))
    # Data that raise the quantity have truths above most draws of the prior, data that lower it truths below them.
    sides = np.where(ranks > 60, 1.0, np.where(ranks < 40, -1.0, 1.0))
    flat = np.zeros((1000, 1))
    for turned, uniform in ((sides, False), (np.ones_like(sides), True)):
        (told,) = check(Ranked("anywhere", ("x",), ranks, flat, flat, turned, 0))
        assert (told.uniform, told.coverage_ok) == (uniform, True)


def test_coverage_limits_are_those_of_the_binomial_law() -> None:
    low, high = binomial_limits(1000, 0.9, 0.05)
    inside = stats.binom.cdf(high * 1000, 1000, 0.9) - stats.binom.cdf(low * 1000 - 1, 1000, 0.9)
    assert 0.95 <= inside < 0.96


# --- verdicts -------------------------------------------------------------------------------------------------


def test_verdicts_tell_what_the_figures_see_from_what_they_do_not() -> None:
    bank = invented(31, 60_000, of_attacks)
    verdicts = {one.quantity: one for one in quantities_of(posterior_of(bank), {"anywhere": check(ranked())})}
    assert verdicts["multipliers.baseline"].verdict == IDENTIFIED
    assert verdicts["patron.control"].verdict == NOT
    assert verdicts["patron.control"].posterior_median is None
    assert verdicts["multipliers.baseline"].posterior_median is not None


def test_without_a_check_nothing_is_called_identified() -> None:
    bank = invented(31, 60_000, of_attacks)
    assert IDENTIFIED not in {one.verdict for one in quantities_of(posterior_of(bank), {})}
    unsound = tuple(replace(one, uniform=False) for one in check(ranked()))
    assert IDENTIFIED not in {one.verdict for one in quantities_of(posterior_of(bank), {"anywhere": unsound})}


def test_a_parameter_whose_truths_are_not_recovered_is_not_identified() -> None:
    bank = invented(31, 60_000, of_attacks)
    lost = tuple(replace(one, recovery_rank_corr=0.49) for one in check(ranked()))
    verdicts = {one.quantity: one.verdict for one in quantities_of(posterior_of(bank), {"anywhere": lost})}
    assert verdicts["multipliers.baseline"] == WEAKLY
    assert IDENTIFIED not in verdicts.values()


SURE = {
    "contraction": 0.5, "distance": 0.3, "effective": 2000.0, "correlation": 0.89, "recovery": 0.5, "sound": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, IDENTIFIED),
        ({"contraction": 0.49}, WEAKLY),
        ({"recovery": 0.49}, WEAKLY),
        ({"recovery": float("nan")}, WEAKLY),
        ({"correlation": 0.9}, WEAKLY),
        ({"correlation": -0.9}, WEAKLY),
        ({"sound": False}, WEAKLY),
        ({"contraction": 0.09, "distance": 0.1}, WEAKLY),
        ({"contraction": 0.1, "distance": 0.09}, WEAKLY),
        ({"contraction": 0.09, "distance": 0.09}, NOT),
        # Of 100 effective draws chance alone makes distances up to 0.195 and contractions up to 0.295.
        ({"contraction": 0.0, "distance": 0.19, "effective": 100.0}, NOT),
        ({"contraction": 0.0, "distance": 0.2, "effective": 100.0}, WEAKLY),
        ({"contraction": 0.29, "distance": 0.0, "effective": 100.0}, NOT),
        ({"contraction": 0.3, "distance": 0.0, "effective": 100.0}, WEAKLY),
    ],
)
def test_every_condition_of_a_verdict_counts(change: dict[str, Any], verdict: str) -> None:
    assert judged(**{**SURE, **change}) == verdict


# --- what is predicted -----------------------------------------------------------------------------------------


def test_outcomes_are_predicted_by_their_5_50_and_95_percent_quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    days = np.random.default_rng(1).permutation(np.arange(1, 101))
    told = {
        **dict.fromkeys(cross_checks.REPORTED, days),
        "war": np.arange(100) % 10 > 7,
        "release_day": np.where(days > 90, NEVER, days),
    }
    before, after = (xr.Dataset({name: ("run", one) for name, one in told.items()}) for _ in range(2))
    after["lull_days"] = after["lull_days"] * 2
    made, sets = iter((before, after)), ParameterSets({"patron.control": np.zeros(10)})
    one_set = ParameterSets({"patron.control": np.zeros(1)})
    monkeypatch.setattr(cross_checks, "simulate_config", lambda *_, **__: next(made))
    monkeypatch.setattr(cross_checks, "judge", lambda *_: ())
    found = {one.name: one for one in cross_checks.predicted(configured(), (), sets, one_set, 100)[1]}
    assert (found["lull_days"].before, found["lull_days"].after) == ((5.0, 50.0, 95.0), (10.0, 100.0, 190.0))
    assert found["release_day"].before == (5.0, 50.0, None)
    # Of ten parameter sets two always end in war: the mean between the quantiles over sets; of a single set none.
    assert (found["war"].before, found["war"].after) == ((0.0, 0.2, 1.0), (None, 0.2, None))


# --- the second method ----------------------------------------------------------------------------------------


def shrunk(posterior: Posterior) -> Posterior:
    return replace(posterior, levels=narrowed(posterior.levels))


def test_plain_rejection_gives_the_same_and_a_narrowed_posterior_does_not() -> None:
    bank, other = invented(41, 200_000, of_attacks), invented(42, 800_000, of_attacks)
    posterior, rows = posterior_of(bank), rejected(other, 5)
    assert len(rows) > 400
    quantities = quantities_of(posterior, {"anywhere": check(ranked())})
    asked_of = [one for one in agreements(posterior, other, rows, quantities) if one.tested]
    assert asked_of
    assert all(one.passed for one in asked_of)
    narrow = [one for one in agreements(shrunk(posterior), other, rows, quantities) if one.tested]
    assert all(one.width_change > WIDTHS for one in narrow)


# --- rival readings -------------------------------------------------------------------------------------------


def test_closing_channels_is_switching_mechanisms_off_with_the_same_luck() -> None:
    settings = asked()
    prior = PriorSampler(configured().scenario, settings.keys, 5)
    rows = np.arange(200)
    only_strikes = closed(prior, settings.channels, ("strikes",))
    assert not only_strikes.scenario.mechanisms.threat_fear
    assert only_strikes.scenario.mechanisms.fear
    off = replace(prior.scenario.mechanisms, threat_fear=False, obedience=False)
    by_hand = replace(prior.scenario, mechanisms=off)
    one = simulate(only_strikes, only_strikes.values(rows), rows)
    other = simulate(PriorSampler(by_hand, settings.keys, 5), prior.values(rows), rows)
    np.testing.assert_array_equal(one.counts, other.counts)
    assert not np.array_equal(one.counts, simulate(prior, prior.values(rows), rows).counts)


def test_readings_share_out_all_probability_and_only_full_ones_give_calm_always() -> None:
    settings = asked()
    loose = tuple(one for one in settings.figures if one.id in ("iraq", "ordering"))
    bank = fill(PriorSampler(configured().scenario, settings.keys, 6), loose, 1000)
    weighed = weigh(bank, settings.channels, 1500, forms=settings.forms)
    readings = readings_of(weighed)
    assert [one.channels for one in readings] == 2 * list(open_sets(settings.channels))
    assert sum(one.posterior_probability for one in readings) == pytest.approx(1.0)
    shares = {(one.form, one.channels): one.posterior_probability for one in readings}
    for form in ("fractional", "pause"):
        assert shares[form, ()] < shares[form, ("order",)] < shares[form, ("order", "strikes", "threat")]
    for one in readings:
        assert one.probability_low <= one.posterior_probability <= one.probability_high


def weighed_by(figures: tuple[Observation, ...], draws: int) -> Weighed:
    settings = asked()
    bank = fill(PriorSampler(configured().scenario, settings.keys, 6), figures, 1000)
    return weigh(bank, settings.channels, draws, forms=settings.forms)


@cache
def all_weighed() -> Weighed:
    """The readings of the shipped case, weighed with all its figures."""
    return weighed_by(asked().figures, 40_000)


def test_every_observation_is_possible_and_uncertain_under_every_reading_or_excluded_by_definition() -> None:
    weighed = all_weighed()
    excluded = set()
    for (form, channels), singles in zip(weighed.sets, weighed.singles, strict=True):
        assert list(singles) == [one.id for one in asked().figures]
        for name, one in singles.items():
            if one.fixed:
                excluded.add((form.id, channels, name))
            else:
                assert 0.0 < one.probability < 1.0, (form.id, channels, name)
    # By degrees nobody complies with an order that is not heeded; nobody pauses where nothing convinces.
    unheeded = [one for one in open_sets(asked().channels) if "order" not in one]
    assert excluded == {("fractional", one, "ordering") for one in unheeded} | {("pause", (), "ordering")}
    parts = {name: one.part for name, one in weighed.singles[0].items()}
    assert parts.pop("ordering") == LEFT_OUT
    assert set(parts.values()) == {WEIGHED}


def test_what_a_reading_excludes_by_definition_is_evidence_for_no_reading() -> None:
    weighed, settings = all_weighed(), asked()
    readings = {(one.form, one.channels): one for one in readings_of(weighed)}
    kept = [one for one in settings.figures if one.id != "ordering"]
    full = readings["pause", ("order", "strikes", "threat")]
    for form in settings.forms:
        prior = closed(weighed.prior, settings.channels, ("strikes",), form)
        one = fill(prior, settings.figures, weighed.weights.shape[1])
        strikes = readings[form.id, ("strikes",)]
        by_hand = likelihood(kept, one.numbers, one.chance, reported(kept)).mean()
        assert strikes.evidence == pytest.approx(by_hand)
        assert strikes.bayes_factor == pytest.approx(strikes.evidence / full.evidence)
    # With *ordering* as evidence it was 0 by definition, at most 0.03 for the number of histories.
    assert readings["fractional", ("strikes",)].bayes_factor_low > 0.03


def test_the_error_of_a_bayes_factor_is_the_spread_among_banks() -> None:
    loose = tuple(one for one in asked().figures if one.id in ("iraq", "ordering", "peace"))
    weighed, parts = weighed_by(loose, 20_000), 40
    size = weighed.weights.shape[1] // parts

    def factors(rows: slice) -> tuple[Hypothesis, ...]:
        return readings_of(replace(weighed, weights=weighed.weights[:, rows], given=weighed.given[:, rows]))

    found = np.array([[one.bayes_factor for one in factors(slice(size * k, size * (k + 1)))] for k in range(parts)])
    spread = found.std(axis=0, ddof=1) / np.sqrt(parts)
    # A standard error from 40 parts is itself known to 1 / sqrt(2 * 39) = 11%; five of these, for readings that occur.
    for one, by_parts in zip(factors(slice(None)), spread, strict=True):
        if one.channels and one.bayes_factor != 1.0:
            assert one.bayes_factor_error == pytest.approx(by_parts, rel=5.0 / np.sqrt(2.0 * (parts - 1)))


def test_intervals_of_rare_weights_hold_what_they_say_and_normal_ones_do_not() -> None:
    generator = np.random.default_rng(3)
    true, tried, size = 1.5, 4000, 1000
    weights = generator.uniform(0.2, 1.0, (tried, size)) * (generator.random((tried, size)) < true / size)
    sums, errors = weights.sum(axis=1), np.sqrt((weights**2).sum(axis=1))
    spans = np.array([spread_of(value, error, 1.0) for value, error in zip(sums, errors, strict=True)])
    inside = ((spans[:, 0] <= 0.6 * true) & (0.6 * true <= spans[:, 1])).mean()
    normal = (np.abs(sums - 0.6 * true) <= 1.96 * errors).mean()
    error = np.sqrt(0.05 * 0.95 / tried)
    assert inside > 0.95 - 5.0 * error
    assert normal < 0.95 - 5.0 * error
    many = spread_of(0.5, 0.005, 0.001)
    np.testing.assert_allclose(many, (0.5 - 1.96 * 0.005, 0.5 + 1.96 * 0.005), atol=2e-4)


def test_draws_lived_again_without_a_cause_tell_what_the_calm_needs() -> None:
    settings, config = asked(), configured()
    prior, calm = PriorSampler(config.scenario, settings.keys, 8), calm_of(config.patterns)
    assert calm is not None
    before = counterfactuals(prior, np.arange(1500), settings.channels, calm)
    found = {one.channel: one for one in needed(before, before, settings.channels)}
    told = stories(before, before, settings.channels)
    assert sum(one.before for one in told) == pytest.approx(1.0)
    assert all(one.before == one.after for one in told)
    # Order and strikes stand in for each other in most draws; the announcement alone is hardly ever missed.
    assert found["threat"].fails_before < min(found["order"].fails_before, found["strikes"].fails_before) < 0.5


def test_the_ranks_that_intervals_end_at_hold_what_they_say() -> None:
    assert DRAWS == 99
    ranks = np.arange(DRAWS + 1)
    assert ((ranks >= 5) & (ranks < 95)).mean() == 0.9
    assert ((ranks >= 25) & (ranks < 75)).mean() == 0.5


# --- dated counts ---------------------------------------------------------------------------------------------

THEATRES = ("iraq", "syria", "jordan")


def weeks(last: int = 133, step: int = 21, lag: int = 2, dispersion: float = 0.1) -> DatedCounts:
    """Stretches of `step` days from the calendar's first day on, with no attack in any."""
    edges = np.array([*range(-1, last - step // 2, step), last])
    return DatedCounts(THEATRES, edges, np.zeros(len(edges) - 1), lag, dispersion)


@cache
def counted(rows: int = 20_000, last: int = 133, step: int = 21, keys: tuple[str, ...] = ()) -> CountedRuns:
    """Runs that saw no war, at draws of the prior of all parameters or of `keys`, and what each reports."""
    peace = tuple(one for one in asked().figures if one.of == "peace")
    bank = fill(PriorSampler(configured().scenario, keys or asked().keys, 51), peace, rows)
    return counted_runs(posterior_of(bank), weeks(last, step))


def test_counts_are_negative_binomial_about_what_the_run_reports() -> None:
    dated, reported = weeks(last=41), np.array([[0.0, 6.0], [20.0, 1.0]])
    means = reported + 21 * BACKGROUND
    for observed in (np.array([0.0, 0.0]), np.array([3.0, 9.0])):
        exact = stats.nbinom.logpmf(observed, 10.0, 10.0 / (10.0 + means)).sum(axis=1)
        np.testing.assert_allclose(dated.log_likelihood(reported, observed), exact)
    counts = dated.simulate(np.repeat(reported[1:], 40_000, axis=0), np.random.default_rng(1))
    mean, variance = means[1], means[1] + 0.1 * means[1] ** 2
    assert (np.abs(counts.mean(axis=0) - mean) < 5.0 * np.sqrt(variance / len(counts))).all()
    spread = ((counts - mean) ** 2).std(axis=0) / np.sqrt(len(counts))
    assert (np.abs(counts.var(axis=0) - variance) < 5.0 * spread).all()
    # Poisson counts, without the dispersion, would be off.
    assert abs(counts[:, 0].var() - mean[0]) > 5.0 * spread[0]


def test_a_late_report_moves_attacks_into_the_next_stretch_and_loses_none() -> None:
    daily = np.zeros((1, 42))
    daily[0, 20] = 6.0
    assert weeks(last=41, lag=0).reported(daily).tolist() == [[6.0, 0.0]]
    assert weeks(last=41, lag=2).reported(daily).tolist() == [[2.0, 4.0]]


def test_stretches_follow_the_days_on_which_a_file_is_known() -> None:
    def edges(days: int, stretch: int) -> list[int]:
        counts = from_days(THEATRES, 0, np.ones((days, 3)), ReadingReport("known", 0, 0, {}))
        found = dated_counts(counts, CalibrateOptions(stretch=stretch))
        assert found.observed.sum() == 3 * days
        return list(found.edges.tolist())

    assert edges(63, 21) == [-1, 20, 41, 62]
    assert edges(73, 21) == [-1, 20, 41, 72], "a rest of less than half a stretch belongs to the last"
    assert edges(74, 21) == [-1, 20, 41, 62, 73]
    with pytest.raises(UserError, match="data = 20 days: allowed at least one stretch"):
        edges(20, 21)


def test_rows_that_are_simulated_on_have_the_same_days_as_before() -> None:
    short, long = counted(2000, 83), counted(2000, 133)
    _, here, there = np.intersect1d(short.posterior.rows, long.posterior.rows, return_indices=True)
    assert len(here) > 1000
    np.testing.assert_array_equal(short.reported[here, :3], long.reported[there, :3])


def mean_coverage(found: Ranked) -> float:
    """Share of all quantities but the likelihood whose truth lies inside its 90% interval, over data sets."""
    inside = (found.ranks >= 5) & (found.ranks < 95)
    return float(inside[:, [name != LIKELIHOOD for name in found.names]].mean())


def coverage_error(found: Ranked) -> float:
    """Standard error of the mean coverage: data sets are independent, the quantities of one need not be."""
    inside = (found.ranks >= 5) & (found.ranks < 95)
    return float(inside.mean(axis=1).std() / np.sqrt(found.sets))


def check_truths_of_dated_counts(runs: CountedRuns, sets: int) -> None:
    """Truths lie inside 90% intervals at that rate, all ranks are uniform, and posteriors that are wrong fail."""
    ranked, checked, _ = sbc_of_counts(runs, sets, 3)
    assert ranked.sets > sets / 2
    assert all(one.calibrated for one in checked)
    assert abs(mean_coverage(ranked) - 0.9) < 5.0 * coverage_error(ranked)
    narrow = sbc_of_counts(runs, sets, 3, "narrowed")[0]
    assert mean_coverage(narrow) < 0.9 - 5.0 * coverage_error(narrow)
    prior = {one.name: one for one in sbc_of_counts(runs, sets, 3, "prior")[1]}
    assert noticed(checked, list(prior.values()))
    assert not prior[LIKELIHOOD].coverage_ok


def test_truths_of_dated_counts_lie_inside_90_percent_intervals_as_often_as_promised() -> None:
    check_truths_of_dated_counts(counted(), 100)


@pytest.mark.long
@pytest.mark.parametrize("last", [133, 230])
def test_truths_of_many_dated_counts_lie_inside_90_percent_intervals_as_often_as_promised(last: int) -> None:
    check_truths_of_dated_counts(counted(100_000, last, 28), 600)


def test_counts_read_by_another_observation_model_miss_the_truth() -> None:
    runs = counted()
    # The file counts half of what the model says it does: the scale of attacks is missed.
    halved = replace(runs, reported=0.5 * runs.reported)
    generator = np.random.default_rng(3)
    name, scale = "multipliers.baseline", runs.posterior.keys.index("multipliers.baseline")
    outside = []
    for place in range(60):
        weights, _ = runs.given(halved.dated.simulate(halved.reported[place], generator), left_out=place)
        levels = runs.posterior.levels[:, scale]
        low, high = midpoint_quantile(levels, weights, (0.05, 0.95))
        outside.append(not low <= levels[place] <= high)
    assert name in runs.posterior.keys
    assert np.mean(outside) > 0.1 + 5.0 * np.sqrt(0.1 * 0.9 / len(outside))


def test_counts_from_which_no_conclusion_is_drawn_are_left_out_by_their_data() -> None:
    runs = counted(2000)
    found, evidence = rank_counts(runs, 200, np.random.default_rng(4))
    assert found.left_out > 0
    assert found.sets + found.left_out == len(evidence) == 200
    odd = np.full(len(runs.dated.observed), 900.0)
    assert effective_sample_size(runs.given(odd)[0]) < LEAST_EFFECTIVE
    assert runs.given(odd)[1] < evidence.min()


@pytest.mark.parametrize(
    ("effective", "pareto", "typical", "words"),
    [
        (50.0, 0.7, 0.02, ""),
        (49.0, 0.1, 0.5, "an ESS of 49 and a Pareto k of 0.10"),
        (500.0, 0.71, 0.5, "a Pareto k of 0.71"),
        (500.0, 0.1, 0.019, "the model hardly produces such counts"),
    ],
)
def test_a_conclusion_takes_enough_draws_a_light_tail_and_counts_that_the_model_produces(
    effective: float, pareto: float, typical: float, words: str
) -> None:
    done = SimpleNamespace(after=SimpleNamespace(effective=effective), pareto=pareto, typical=typical)
    refusal = CountsCalibration.refusal.fget(done)  # type: ignore[attr-defined]
    assert words in refusal
    assert bool(words) == bool(refusal)


def test_a_lull_that_ends_within_the_counts_identifies_what_one_that_does_not_end_cannot() -> None:
    keys = ("patron.release_rate", "multipliers.baseline")
    # Up to day 160 no order has been withdrawn; up to day 300 the quickest patrons withdrew theirs.
    ended, not_ended = counted(20_000, 300, 28, keys), counted(20_000, 160, 28, keys)
    quick = ended.posterior.rows[ended.posterior.levels[:, 0] > 0.8]
    files = np.intersect1d(quick, not_ended.posterior.rows)[:30]

    def verdicts(runs: CountedRuns) -> list[set[str]]:
        """Names of the parameters that the counts of each file identify."""
        generator, checked = np.random.default_rng(1), sbc_of_counts(runs, 200, 3)[1]
        found = []
        for place in np.searchsorted(runs.posterior.rows, files).tolist():
            weights, _ = runs.given(runs.dated.simulate(runs.reported[place], generator), left_out=place)
            quantities = quantities_of(replace(runs.posterior, weights=weights), {"known": checked})
            found.append({one.quantity for one in quantities if one.verdict == IDENTIFIED})
        return found

    pairs = list(zip(verdicts(not_ended), verdicts(ended), strict=True))
    assert all(before == {"multipliers.baseline"} for before, _ in pairs)
    assert all(after >= before for before, after in pairs)
    # Chance alone moves a parameter so far once in a thousand files.
    assert sum(after > before for before, after in pairs) >= 3


def test_ranks_among_fewer_draws_are_uniform_on_the_same_scale() -> None:
    generator = np.random.default_rng(6)
    truths, draws = generator.random(40_000), generator.random((40_000, DRAWS))
    draws[:, 7:] = np.nan
    ranks = ranks_of(truths, draws, generator)
    counts = np.bincount(ranks, minlength=DRAWS + 1)
    assert ranks.max() == DRAWS
    assert stats.chisquare(counts).pvalue > 1e-6
    # Without the scale a rank among seven draws would never exceed seven.
    assert stats.chisquare(np.bincount(ranks_of(truths, draws[:, :7], generator), minlength=DRAWS + 1)).pvalue < 1e-6
