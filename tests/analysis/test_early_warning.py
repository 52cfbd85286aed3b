"""Early warning in worlds with a known hazard, what an observer may know, and controls that must fail."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.analysis import early_warning as analysis
from sim.analysis.early_warning import (
    RAREST,
    SEEN,
    Number,
    Rule,
    RuleCondition,
    Weeks,
    attacks_seen,
    auc,
    days_since,
    false_alarms,
    halves,
    judged,
    learnt,
    level_of,
    lull_end,
    observed,
    reliability,
    roc,
    rule_of,
    steps,
    warned,
    weeks_of,
    within,
)
from sim.engine.record import WEEK
from sim.experiment.dataset import ACKNOWLEDGED
from sim.experiment.statistics import NORMAL_90
from sim.model.declared_outcomes import NAMES as OUTCOMES
from sim.model.scenario import load
from sim.rules.outcomes import NEVER, RESUMED_ATTACKS, RESUMED_DAYS

NAMES = ("week", "before", "elsewhere")
HISTORIES, TIMES = 3000, 20
DAYS = np.arange(TIMES) * WEEK


def world(log_odds: np.ndarray, values: np.ndarray, seed: int) -> Weeks:
    """Histories in which an event comes within a week with known log odds (N, J), once; three histories a set."""
    random = np.random.default_rng(seed)
    came = random.random(log_odds.shape) < 1.0 / (1.0 + np.exp(-log_odds))
    day = np.where(came.any(axis=1), came.argmax(axis=1) * WEEK + random.integers(1, WEEK + 1, len(came)), NEVER)
    sets = np.arange(len(came)) // 3
    return weeks_of(NAMES, values, day, np.full(len(came), NEVER), DAYS, sets, WEEK)


def counts(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(1.5, (HISTORIES, TIMES, len(NAMES))).astype(np.float32)


def graded(seed: int) -> tuple[Weeks, np.ndarray]:
    """The odds are twice as high with each doubling of the first observable; the others have no influence."""
    values = counts(seed)
    log_odds = -4.0 + np.log(2.0) * steps(values[..., 0], True)
    return world(log_odds, values, seed + 100), log_odds


def ruled(seed: int, factor: float) -> Weeks:
    """The odds are `factor` times as high with three or more of the first and none of the second."""
    values = counts(seed)
    holds = (values[..., 0] >= 3) & (values[..., 1] < 1)
    return world(-4.0 + np.log(factor) * holds, values, seed + 100)


def shuffled(weeks: Weeks, seed: int = 9) -> Weeks:
    """The same observables with the events of other histories."""
    order = np.random.default_rng(seed).permutation(len(weeks.values))
    return replace(weeks, until=weeks.until[order], risk=weeks.risk[order])


def error(one: Number) -> float:
    return (one.high - one.low) / (2 * NORMAL_90)


# --- worlds with a known hazard -----------------------------------------------------------------------------


def test_a_known_odds_ratio_is_found_and_nothing_else() -> None:
    weeks, _ = graded(1)
    (term,) = learnt(weeks).terms
    assert term.name == "week"
    assert abs(term.weight - np.log(2.0)) < 4 * term.error
    assert abs(term.weight) > 4 * term.error  # control: no influence is out of reach
    assert learnt(shuffled(weeks)).terms == ()


def test_its_auc_is_that_of_the_true_hazard_and_of_the_formula() -> None:
    weeks, log_odds = graded(2)
    learn = halves(weeks.sets, 1)
    found = warned("war", weeks.of(learn), weeks.of(~learn), accepted=2.0)
    area = found.scores["model"].auc
    judge = weeks.of(~learn)
    true = log_odds[~learn][judge.risk]
    assert abs(area.value - auc(true, judge.came[judge.risk])) < error(area)
    # The formula: of all pairs of weeks, the first with the event and the second without, by their true probabilities.
    chance = 1.0 / (1.0 + np.exp(-true))
    levels, place = np.unique(true, return_inverse=True)
    yes, no = (np.bincount(place, weights=one, minlength=len(levels)) for one in (chance, 1.0 - chance))
    below = np.cumsum(no) - no
    expected = float((yes * (below + no / 2)).sum() / (yes.sum() * no.sum()))
    assert abs(area.value - expected) < 4 * error(area)
    assert abs(0.5 - expected) > 8 * error(area)


def test_shuffled_events_have_an_auc_of_one_half() -> None:
    weeks, _ = graded(3)
    learn = halves(weeks.sets, 1)
    model = learnt(weeks.of(learn))

    def half(judge: Weeks) -> bool:
        score = model.probability(NAMES, judge.values)
        area = judged(judge, score, score > 0.1).auc
        return abs(area.value - 0.5) < 4 * error(area)

    assert half(shuffled(weeks.of(~learn)))
    assert not half(weeks.of(~learn))


@pytest.mark.parametrize("factor", [6.0, 15.0])
def test_a_known_rule_is_found_with_its_odds_ratio(factor: float) -> None:
    weeks = ruled(4, factor)
    learn = halves(weeks.sets, 1)
    rule = rule_of(weeks.of(learn), accepted=10.0)
    assert rule is not None
    assert set(rule.conditions) == {RuleCondition("week", 3.0, True), RuleCondition("before", 1.0, False)}
    judge = weeks.of(~learn)
    alarm = rule.alarm(NAMES, judge.values)
    score = judged(judge, alarm.astype(float), alarm)
    spread = np.log(score.odds_ratio.high / score.odds_ratio.low) / (2 * NORMAL_90)
    assert abs(np.log(score.odds_ratio.value / factor)) < 4 * spread
    assert abs(np.log(score.odds_ratio.value)) > 4 * spread  # control: odds that are the same
    other = shuffled(judge)
    none = judged(other, alarm.astype(float), alarm).odds_ratio
    assert abs(np.log(none.value)) < 4 * np.log(none.high / none.low) / (2 * NORMAL_90)


def test_probabilities_are_reliable_and_doubled_ones_are_not() -> None:
    weeks, _ = graded(5)
    learn = halves(weeks.sets, 1)
    judge = weeks.of(~learn)
    _, came, sets = judge.rows()
    chance = learnt(weeks.of(learn)).probability(NAMES, judge.values)[judge.risk]

    def reliable(probability: np.ndarray) -> bool:
        rows = reliability(probability, came, sets)
        return all(abs(row["predicted"] - row["observed"]) < 4 * row["error"] for row in rows)

    assert reliable(chance)
    assert not reliable(2 * chance)


@pytest.mark.parametrize("doubling", [False, True])
def test_the_form_of_a_term_is_that_of_the_world(doubling: bool) -> None:
    """Odds that grow with each further attack are no straight line over doublings, and the other way round."""
    for seed in (14, 15, 16):
        values = counts(seed)
        weeks = world(-4.5 + (1.6 if doubling else 0.9) * steps(values[..., 0], doubling), values, seed + 100)
        (term,) = learnt(weeks).terms
        assert (term.name, term.doubling) == ("week", doubling)
        assert abs(term.weight - (1.6 if doubling else 0.9)) < 4 * term.error


def test_the_shares_of_the_sentence_are_those_of_the_weeks() -> None:
    weeks = ruled(4, 15.0)
    learn = halves(weeks.sets, 1)
    judge = weeks.of(~learn)
    found = warned("war", weeks.of(learn), judge, accepted=10.0)
    assert found.rule is not None
    alarm, came = found.rule.alarm(NAMES, judge.values)[judge.risk], judge.came[judge.risk]
    assert found.scores["rule"].precision == pytest.approx(came[alarm].mean())
    assert found.otherwise == pytest.approx(came[~alarm].mean())
    assert found.off == max(abs(row["predicted"] - row["observed"]) for row in found.rows)


def test_the_stated_error_of_an_auc_is_that_of_repetitions() -> None:
    found = []
    for seed in range(25):
        weeks, log_odds = graded(20 + seed)
        some = weeks.of(np.arange(HISTORIES) < 600)
        found.append(judged(some, log_odds[:600], log_odds[:600] > 0).auc)
    ratio = np.std([one.value for one in found], ddof=1) / np.mean([error(one) for one in found])
    assert abs(ratio - 1.0) < 4 / np.sqrt(2 * len(found))


# --- what an observer knows ---------------------------------------------------------------------------------


def test_observables_are_sums_and_ages_by_hand() -> None:
    by_day = np.random.default_rng(6).poisson(0.3, (40, 60, 2))
    days = np.array([3, 20, 59])
    found = attacks_seen(by_day, days)
    for history in range(40):
        for place, day in enumerate(days.tolist()):
            past = by_day[history, : day + 1]
            total = past.sum(axis=1)
            attacked = np.flatnonzero(total)
            since = day - attacked[-1] if len(attacked) else day + 1
            expected = [*past[-7:].sum(axis=0), total[-7:].sum(), total[-28:-7].sum(), since]
            assert found[history, place].tolist() == expected


def test_a_single_theatre_has_no_column_of_its_own() -> None:
    by_day, days = np.random.default_rng(6).poisson(0.3, (40, 60, 1)), np.array([20, 59])
    empty = np.concatenate((by_day, np.zeros_like(by_day)), axis=2)
    assert np.array_equal(attacks_seen(by_day, days), attacks_seen(empty, days)[..., 2:])


def test_terms_that_say_the_same_are_taken_once() -> None:
    weeks, _ = graded(1)
    twice = replace(weeks, values=weeks.values[..., [0, 0, 1]])
    (term,) = learnt(twice).terms
    assert term.weight == pytest.approx(learnt(weeks).terms[0].weight)


def test_no_observable_knows_the_day_after() -> None:
    random = np.random.default_rng(7)
    before, after = random.poisson(0.4, (2, 50, 80, 3))
    same = np.where(np.arange(80)[:, None] <= 40, before, after)
    days = np.array([26, 33, 40])
    assert np.array_equal(attacks_seen(before, days), attacks_seen(same, days))
    assert not np.array_equal(attacks_seen(before, days + 1), attacks_seen(same, days + 1))


def test_what_is_observed_on_a_day_does_not_change_with_what_comes_after() -> None:
    """All observables, from two invented outputs that differ in every field from day 40 on."""
    scenario, random = load().scenario, np.random.default_rng(15)
    shape = (30, 90)

    def output(same: dict[str, np.ndarray] | None) -> dict[str, np.ndarray]:
        made = {name: random.poisson(0.4, shape) for name in SEEN}
        made["daily"] = random.poisson(0.3, (*shape, len(scenario.cast.theatres), 1 + ACKNOWLEDGED))
        if same is not None:
            made = {name: np.concatenate((same[name][:, :41], one[:, 41:]), axis=1) for name, one in made.items()}
        return made

    def seen(made: dict[str, np.ndarray], days: np.ndarray) -> np.ndarray:
        rows = np.zeros((shape[0], len(OUTCOMES)))
        fake: Any = SimpleNamespace(daily=made["daily"], run_states=made, rows=rows)
        return observed(scenario, fake, days)["values"]

    before = output(None)
    after, days = output(before), np.array([26, 33, 40])
    assert np.array_equal(seen(before, days), seen(after, days))
    later = seen(before, days + 21) != seen(after, days + 21)
    assert later[:, 2].any(axis=0).all(), "a control: every observable sees the days that differ"


def test_the_lull_ends_on_the_day_of_the_last_of_its_attacks() -> None:
    total = np.random.default_rng(8).poisson(0.25, (300, 90))
    strikes = 20
    for one, found in zip(total, lull_end(total, strikes).tolist(), strict=True):
        ends = [
            day for day in range(strikes + 1, 90)
            if one[max(strikes + 1, day - RESUMED_DAYS + 1) : day + 1].sum() >= RESUMED_ATTACKS
        ]  # fmt: skip
        assert found == (ends[0] if ends else NEVER)


def test_sums_and_ages_reach_before_the_first_day() -> None:
    counts = np.array([[0, 3, 0, 0]])
    assert within(counts, np.array([-5, 0, 3]), WEEK).tolist() == [[0.0, 0.0, 3.0]]
    assert days_since(counts, np.array([0, 1, 3])).tolist() == [[1, 0, 2]]


def test_weeks_end_with_the_event_and_with_what_rules_it_out() -> None:
    event, rival = np.array([9, NEVER, 16]), np.array([NEVER, 8, 15])
    weeks = weeks_of(NAMES, np.zeros((3, 3, 3)), event, rival, np.array([0, 7, 14]), np.arange(3), 14)
    assert weeks.risk.tolist() == [[True, True, False], [True, True, False], [True, True, True]]
    assert weeks.came.tolist() == [[True, True, False], [False] * 3, [False] * 3]


# --- figures of merit by hand -------------------------------------------------------------------------------


def test_alarms_leads_and_false_alarms_by_hand() -> None:
    event = np.array([20, NEVER, NEVER])
    days = np.array([0, 7, 14])
    values = np.zeros((3, 3, 1))
    values[0, 1:] = values[1, :2] = values[2, 2] = 1.0
    weeks = weeks_of(("week",), values, event, np.full(3, NEVER), days, np.arange(3), 14)
    alarm = Rule((RuleCondition("week", 1.0, True),)).alarm(("week",), values)
    found = judged(weeks, alarm.astype(float), alarm)
    assert (found.share, found.precision, found.caught, found.lead) == (5 / 9, 2 / 5, 1.0, 13.0)
    assert found.false_alarms == pytest.approx(2 / (9 * 7 / 365.25))  # two begin; one of them stands for two weeks


def test_the_area_is_that_under_the_curve_and_of_all_pairs() -> None:
    random = np.random.default_rng(10)
    score, came = random.integers(0, 6, 200).astype(float), random.random(200) < 0.3
    wrong, right = roc(score, came)
    pairs = [(a > b) + (a == b) / 2 for a in score[came] for b in score[~came]]
    assert auc(score, came) == pytest.approx(np.mean(pairs))
    assert np.trapezoid(right, wrong) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("accepted", [0.5, 3.0])
def test_no_alarm_gives_more_false_alarms_than_are_accepted(accepted: float) -> None:
    weeks = ruled(11, 8.0)
    chance = learnt(weeks).probability(NAMES, weeks.values)
    level = level_of(weeks, chance, accepted)
    assert false_alarms(weeks, chance >= level) <= accepted
    rule = rule_of(weeks, accepted)
    assert rule is None or false_alarms(weeks, rule.alarm(NAMES, weeks.values)) <= accepted
    assert false_alarms(weeks, chance >= 0.0) > 0.0


def test_no_set_is_on_both_sides() -> None:
    sets = np.arange(1000) % 37
    learn = halves(sets, 5)
    assert set(sets[learn]) & set(sets[~learn]) == set()
    assert set(sets[learn]) | set(sets[~learn]) == set(range(37))
    assert not np.array_equal(learn, halves(sets, 6))


def test_a_world_without_influence_has_no_rule_worth_a_second_condition() -> None:
    weeks = world(np.full((HISTORIES, TIMES), -3.0), counts(12), 13)
    rule = rule_of(weeks, accepted=20.0)
    alarm = np.ones(weeks.risk.shape, dtype=bool) if rule is None else rule.alarm(NAMES, weeks.values)
    ratio = judged(weeks, alarm.astype(float), alarm).odds_ratio
    assert ratio.value < 3.0  # chosen by chance among some hundred
    assert alarm[weeks.risk].mean() >= RAREST
    assert analysis.enough(weeks)
    assert not analysis.enough(replace(weeks, until=np.full(weeks.until.shape, np.inf)))
