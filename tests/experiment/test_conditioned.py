"""Conditioned histories: up to the report those that reproduced the observations, then with numbers of their own."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.analysis.calibration.observations import figures_of, section_of
from sim.analysis.calibration.posterior import check_conditioned, unlike
from sim.analysis.durations import (
    FUTURES,
    Length,
    OtherForm,
    Outlook,
    by_other_form,
    expected,
    futures_of,
    outlook_of,
    shipped_other_form,
)
from sim.analysis.summary import OverSets
from sim.engine.batch import run_batch
from sim.engine.batched import kernel
from sim.engine.inputs import FRESH, ModelInputs, Past, build_inputs, with_design
from sim.engine.record import OutcomeRow, Output, OutputSpec
from sim.engine.reference.model import ReferenceModel, StateTable
from sim.experiment import parameter_sets
from sim.experiment.parameter_sets import Shipped, conditioned_sets, shipped_posterior
from sim.experiment.runner import Arm, Experiment, ensemble
from sim.model.scenario import Config, load
from sim.model.validation import UserError
from sim.reporting.tables import days_words, form_line, sets_words
from sim.reporting.text import percent
from sim.rules.outcomes import NEVER
from tests.engine.rows import differences

ROWS = 12


@pytest.fixture(scope="module")
def config() -> Config:
    return load()


@pytest.fixture(scope="module")
def posterior(config: Config) -> Shipped:
    return shipped_posterior(config.scenario.cast)


@pytest.fixture(scope="module")
def outlook(config: Config) -> Outlook:
    return outlook_of(config)


def pasts(config: Config, posterior: Shipped) -> ModelInputs:
    """The inputs of the article at the draws of the posterior, each with its past."""
    past = conditioned_sets(config.scenario).past
    return with_design(build_inputs(config.scenario), config.scenario, posterior.columns)._replace(past=past)


def states(output: Output, row: int) -> StateTable:
    return StateTable(output.run_states[row], output.front_states[row], output.wing_states[row])


# --- the switch of random numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("day", [1, 102, 134, 135, 200])
def test_both_engines_agree_on_histories_with_a_past(config: Config, posterior: Shipped, day: int) -> None:
    table = pasts(config, posterior)
    assert table.past is not None
    table = table._replace(past=table.past._replace(day=day))
    runs, points = FRESH + np.arange(ROWS), np.arange(ROWS)
    fast = run_batch(table, 5, runs, points, OutputSpec(states=True))
    for row in range(ROWS):
        model = ReferenceModel(config.scenario, 5, int(runs[row]), table=table, point=row).simulate()
        assert differences(model.state_table(), states(fast, row)) == []


def test_a_past_ends_on_its_day_and_not_before(config: Config, posterior: Shipped) -> None:
    table, points = pasts(config, posterior), np.arange(ROWS)
    assert table.past is not None
    day, wanted = table.past.day, OutputSpec(states=True)
    mixed = run_batch(table, 5, FRESH + points, points, wanted)
    alone = run_batch(table._replace(past=None), table.past.seed, posterior.rows[:ROWS], points, wanted)
    for one, other in ((mixed.wing_states, alone.wing_states), (mixed.run_states, alone.run_states)):
        assert one[:, :day].tobytes() == other[:, :day].tobytes()
        assert all(one[row, day:].tobytes() != other[row, day:].tobytes() for row in range(ROWS))


def test_arms_blocks_and_threads_change_no_bit_of_them(config: Config, posterior: Shipped) -> None:
    later = load(["scenario=full_release"]).scenario
    arms = (Arm(config.scenario), Arm(later, frozenset(["patron.directive_release"])))
    past = conditioned_sets(config.scenario).past
    few = Experiment(arms, 5, 3, sets=posterior.columns, wanted=OutputSpec(weekly=False), threads=2, past=past)
    sets = np.arange(400, 430)
    together = few.simulate_each(sets)
    for place, output in enumerate(together):
        alone = replace(few, threads=1).simulate([place], sets[10:20])
        np.testing.assert_array_equal(output.rows[30:60], alone.rows)
    assert not np.array_equal(together[0].rows, together[1].rows)
    plain = replace(few, past=None).simulate([0], sets)
    assert not np.array_equal(together[0].rows, plain.rows)


def test_each_past_is_simulated_once_with_the_same_bits(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Futures of one past share it; a control that shares a fortnight too much is noticed."""
    drawn, futures, lane_days = conditioned_sets(config.scenario), 3, 0
    config = replace(config, runs=futures * drawn.draws)
    real = kernel.simulate_block

    def counting(*given: Any) -> int:
        nonlocal lane_days
        lane_days += given[1].lanes.vectors * (given[5] - given[4])
        return int(real(*given))

    monkeypatch.setattr(kernel, "simulate_block", counting)
    alone, lane_days_alone = ensemble(config, drawn=drawn).simulate(), lane_days
    lane_days = 0
    shared = futures_of(config, drawn)
    assert [name for name in Output._fields if getattr(shared, name).tobytes() != getattr(alone, name).tobytes()] == []
    assert shared.weekly.any()
    assert drawn.past is not None
    saved = drawn.past.day * (1 - 1 / futures) / config.scenario.calendar.days
    # The last block of an arm is not full, which costs some of it.
    assert 0.75 * saved < 1 - lane_days / lane_days_alone <= saved
    late = kernel.Fork(drawn.past.day + 14, 0)
    monkeypatch.setattr(kernel, "forks_of", lambda *_: [kernel.Fork(0, 0), *[late] * (futures - 1)])
    assert futures_of(config, drawn).rows.tobytes() != alone.rows.tobytes()


def test_new_limits_leave_the_law_of_what_follows_as_it_was(config: Config) -> None:
    """Histories that are cut in the middle of pauses, orders and peace, against whole ones; both at declared values."""
    pasts, futures, cut_on, wanted = 2000, 10, 160, OutputSpec(weekly=False)
    scenario = config.scenario
    table = with_design(
        build_inputs(scenario), scenario, {"patron.control": np.full(pasts, scenario.number("patron.control"))}
    )
    cut = table._replace(past=Past(cut_on, 11, np.arange(pasts)))
    numbers = np.arange(pasts * futures)
    after = run_batch(cut, 13, FRESH + numbers, numbers % pasts, wanted)
    whole = run_batch(build_inputs(scenario), 12, numbers, None, wanted)
    faster = scenario.parameters.patron.release_rate * 1.3
    released = build_inputs(load([f"patron.release_rate={faster}"]).scenario)
    other = run_batch(released, 12, numbers, None, wanted)

    def shares(output: Output) -> dict[tuple[str, int], np.ndarray]:
        """By event and day: whether it came by then, (futures, pasts)."""
        found = {}
        for name in ("release_day", "resumption_day", "war_day"):
            days = output.rows[:, OutcomeRow._fields.index(name)]
            for day in (cut_on, 165, 180, 210, 250):
                found[name, day] = ((days != NEVER) & (days <= day)).reshape(futures, pasts).astype(float)
        return found

    def farthest(one: Output) -> float:
        """Largest difference of a share from that of whole histories, in standard errors, clustered by past."""
        ratios = []
        for key, came in shares(one).items():
            expected = shares(whole)[key]
            error = np.hypot(came.mean(axis=0).std(), expected.mean(axis=0).std()) / np.sqrt(pasts)
            ratios.append(abs(came.mean() - expected.mean()) / max(error, 1e-9))
        return max(ratios)

    assert farthest(after) < 5.0
    assert farthest(other) > 5.0


# --- conditioning -------------------------------------------------------------------------------------------


def test_every_conditioned_history_reproduces_the_observations(config: Config, outlook: Outlook) -> None:
    data, lull = outlook.data, {one.id: one for one in figures_of(section_of(config), config.scenario)}
    assert data.sizes["run"] == FUTURES * outlook.draws
    counts = data["theatre_acknowledged"]
    campaign = counts.sel(window="campaign", theatre=list(lull["campaign"].theatres)).sum("theatre").values
    assert ((campaign >= 170) & (campaign < 180)).all()
    assert (counts.sel(window="lull", theatre="iraq").values == 0).all()
    assert (counts.sel(window="lull", theatre="syria").values == 2).all()
    war = data["war_day"].values
    assert ((war == NEVER) | (war > config.scenario.calendar.report)).all()
    ratio = data["attacks_per_response"].values
    assert ((ratio >= 12.0) & (ratio <= 25.0)).all()
    lags = {str(wing): data["compliance_lag"].sel(wing=wing).values.astype(float) for wing in data["wing"].values}
    ordering = lull["ordering"]
    late = np.min([np.where(lags[one] == NEVER, np.inf, lags[one]) for one in ordering.wings], axis=0)
    early = np.max([np.where(lags[one] == NEVER, np.inf, lags[one]) for one in ordering.others], axis=0)
    assert (late > early).all()
    # Control: the same parameters with random numbers afresh describe another winter.
    afresh = ensemble(replace(config, parameters_from="posterior", runs=outlook.draws), days=134).simulate()
    assert unlike(shipped_posterior(config.scenario.cast), config, afresh) != ""


def test_the_past_of_another_row_is_refused(
    config: Config, posterior: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_conditioned(config)
    rows = posterior.rows.copy()
    rows[17] += 1
    monkeypatch.setattr(parameter_sets, "_read", lambda _: replace(posterior, rows=rows))
    with pytest.raises(UserError, match="where the posterior that comes with the package is stale: the prior of"):
        outlook_of(config)
    outlook, why = expected(config)
    assert outlook is None
    assert why.endswith("is another now; `make posterior` renews it")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("scenario=no_us_strikes", "free from 2023-10-17 on, not only after the report"),
        ("scenario=leader_strike_in_lull", "free from 2024-02-20"),
        (
            "mechanisms.pause=false",
            "of the other form of the model, mechanisms.pause=true and not mechanisms.pause=false",
        ),
        ("history=free", "its histories give other numbers"),
        ("patron.control=0.9", "its histories give other numbers"),
        ("mechanisms.fear=false", "its histories give other numbers"),
        ("militia.local_syria.baseline=0.46", "its histories give other numbers"),
        ("scenario=salt_coast", "another case"),
        ("calendar.days=134", "no day to look ahead"),
    ],
)
def test_what_changes_the_past_is_refused(change: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        outlook_of(load([change]))


def median(outlook: Outlook) -> float:
    assert outlook.lull.median is not None
    return outlook.lull.median


@pytest.mark.parametrize("change", ["scenario=no_us_strikes", "scenario=salt_coast", "calendar.days=134"])
def test_no_reason_is_given_for_another_winter(change: str) -> None:
    assert expected(load([change])) == (None, "")


def test_a_change_after_the_report_keeps_the_past(outlook: Outlook) -> None:
    other = outlook_of(load(["scenario=full_release"]))
    for window in ("campaign", "lull"):
        here, there = (one.data["wing_attacks"].sel(window=window).values for one in (outlook, other))
        np.testing.assert_array_equal(here, there)
    assert median(other) < median(outlook)


def test_the_seed_of_the_study_decides_the_futures_alone(outlook: Outlook) -> None:
    other = outlook_of(load(["seed=2"]))
    here, there = (one.data["wing_attacks"].sel(window=["campaign", "lull"]).values for one in (outlook, other))
    np.testing.assert_array_equal(here, there)
    assert (other.data["resumption_day"].values != outlook.data["resumption_day"].values).mean() > 0.5
    error = np.hypot(outlook.war.error, other.war.error)
    assert abs(other.war.mean - outlook.war.mean) < 5.0 * error


# --- the outlook --------------------------------------------------------------------------------------------


def test_the_effective_sample_size_and_the_pareto_k_are_those_that_were_asked_for(outlook: Outlook) -> None:
    assert outlook.effective == outlook.draws >= 400
    assert outlook.pareto_k is not None
    assert outlook.pareto_k < 0.7


def test_the_outlook_adds_up(config: Config, outlook: Outlook) -> None:
    calendar, last = config.scenario.calendar, outlook.course[-1]
    assert last["days"] == calendar.days - 1 - calendar.strikes
    assert 0.0 <= outlook.war.low <= outlook.war.mean <= outlook.war.high <= 1.0
    ended = [one["ended"] for one in outlook.course]
    assert ended == sorted(ended)
    middle = int(median(outlook))
    assert outlook.course[middle]["ended"] >= 0.5 > outlook.course[middle - 1]["ended"]
    for one in outlook.course:
        assert one["q05"] <= one["q25"] <= one["median"] <= one["q75"] <= one["q95"]
    # War that comes after the lull has ended counts to the probability of war, not to the ends of the lull.
    assert last["ended"] + last["war"] <= 1.0
    assert last["war"] <= outlook.war.mean


def test_shares_of_the_pasts_do_not_depend_on_the_future_that_is_counted(outlook: Outlook) -> None:
    """Half of the futures give the same within the error that is stated for all of them."""
    war = outlook.data["war"].values.reshape(FUTURES, outlook.draws)
    halves = [part.mean() for part in (war[: FUTURES // 2], war[FUTURES // 2 :])]
    assert abs(halves[0] - halves[1]) < 5.0 * 2.0 * outlook.war.error


# --- the other form -----------------------------------------------------------------------------------------


def test_the_answers_by_the_other_form_belong_to_the_shipped_case_and_posterior(
    config: Config, outlook: Outlook, posterior: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, other = shipped_other_form(), outlook.other_form
    assert "mechanisms.pause=false" in found["overrides"]
    assert found["posterior"] == posterior.about["deciding_hash"]
    assert other is not None
    assert (other.draws, asdict(other.war), asdict(other.lull)) == (found["draws"], found["war"], found["lull_days"])
    assert outlook.record()["other_form"] == asdict(other)
    # Another future, or a posterior made anew since, has no such answers.
    assert by_other_form(load(["scenario=full_release"]), posterior) is None
    anew = replace(posterior, about={**posterior.about, "deciding_hash": "another"})
    assert by_other_form(config, anew) is None
    assert by_other_form(load(["seed=7", "study.runs=50"]), posterior) == other
    line = form_line(outlook)
    assert "70 days (median; ± 2; 90% interval 25 to more than 221)" in line
    assert "Neither answer survives the change of form" in line
    assert "was not measured" in form_line(replace(outlook, other_form=None))


@pytest.mark.parametrize("document", ["README.md", "docs/calibration.md"])
def test_documents_have_the_answers_by_the_other_form(document: str, outlook: Outlook) -> None:
    other = outlook.other_form
    assert other is not None
    lull, war = other.lull, other.war
    text = " ".join((Path(__file__).parents[2] / document).read_text().split())
    ends = f"{days_words(lull.low, outlook)} to {days_words(lull.high, outlook)}"
    assert f"{lull.median:.0f} ± {lull.error:.0f} days ({ends})" in text
    assert f"{percent(war.mean)} ± {percent(war.error)} ({sets_words(war)})" in text
    assert (document == "README.md") or f"the {other.draws} rows that" in text
    assert "neither number survives the change of form" in text
    assert not other.keeps_lull(outlook.lull)
    assert not other.keeps_war(outlook.war)


def test_an_answer_survives_within_twice_the_error_of_the_difference(outlook: Outlook) -> None:
    def other(median: float | None, mean: float) -> OtherForm:
        error = None if median is None else 4.0
        return OtherForm(100, OverSets(mean, 0.004, 0.0, 0.1), Length(median, error, 10.0, None))

    war, lull = OverSets(0.03, 0.003, 0.0, 0.1), Length(100.0, 3.0, 20.0, None)  # errors of differences: 0.005 and 5
    assert other(109.9, 0.0399).keeps_lull(lull)
    assert other(109.9, 0.0399).keeps_war(war)
    assert not other(110.1, 0.0401).keeps_lull(lull)
    assert not other(110.1, 0.0401).keeps_war(war)
    assert not other(None, 0.03).keeps_lull(lull)
    assert other(None, 0.03).keeps_lull(Length(None, None, 20.0, None))
    mixed = form_line(replace(outlook, lull=lull, war=war, other_form=other(100.0, 0.2)))
    assert "The length of the lull survives, the probability of war does not survive the change of form" in mixed
    both = form_line(replace(outlook, lull=lull, war=war, other_form=other(100.0, 0.03)))
    assert "Both answers survive the change of form" in both
