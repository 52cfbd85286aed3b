"""Ensembles: the same bits however the work is shared, other bits for another seed."""

import numpy as np
import pytest

from sim.engine.batch import run_batch, task_size
from sim.engine.inputs import build_inputs
from sim.engine.record import BINS, Output, OutputSpec
from sim.model.declared_outcomes import NAMES
from sim.rules.outcomes import NEVER
from tests.engine.worlds import NO_WAR, world


def same(first: Output, second: Output) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_threads_chunks_and_repetition_do_not_change_a_bit() -> None:
    table = build_inputs(world())
    runs = np.arange(2 * task_size(table, 1, 1) + 37)
    assert task_size(table, len(runs), 2) < len(runs)
    wanted = OutputSpec(daily=True, states=True)
    whole = run_batch(table, 7, runs, outputs=wanted, threads=1)
    assert same(whole, run_batch(table, 7, runs, outputs=wanted, threads=2))
    parts = [run_batch(table, 7, part, outputs=wanted) for part in np.array_split(runs, 5)]
    for name in Output._fields:
        pieces = [getattr(part, name) for part in parts]
        joined = sum(pieces) if name == "weekly" else np.concatenate(pieces)
        assert np.array_equal(getattr(whole, name), joined), name
    alone = run_batch(table, 7, [300], outputs=wanted)
    assert np.array_equal(alone.wing_states[0], whole.wing_states[300])


def test_another_seed_gives_other_bits_and_zero_is_a_seed() -> None:
    table = build_inputs(world())
    outputs = [run_batch(table, seed, range(50)) for seed in (0, 1, 2**32, 2**64 - 1)]
    for place, one in enumerate(outputs):
        assert not any(np.array_equal(one.counts, other.counts) for other in outputs[:place])


def test_run_numbers_beyond_32_bits_have_random_numbers_of_their_own() -> None:
    table = build_inputs(world())
    low, high = run_batch(table, 1, [5, 6]), run_batch(table, 1, [5 + 2**32, 6 + 2**32])
    assert not np.array_equal(low.counts, high.counts)


@pytest.mark.parametrize("runs", [[-1], [2**48]])
def test_runs_without_an_address_are_refused(runs: list[int]) -> None:
    with pytest.raises(ValueError, match="runs"):
        run_batch(build_inputs(world()), 1, runs)


def test_the_peak_of_the_war_risk_is_kept_to_the_nearest_thousandth() -> None:
    output = run_batch(build_inputs(world()), 1, range(400), outputs=OutputSpec(states=True))
    peak = output.run_states["war_risk"].max(axis=1)
    kept = output.rows[:, NAMES.index("peak_war_risk")] * 0.001
    assert np.abs(kept - peak).max() <= 0.0005 + 1e-12
    assert (kept > peak).any()
    assert (kept < peak).any()


def test_the_weekly_histogram_counts_every_history_and_every_attack_once() -> None:
    scenario = world(NO_WAR)
    output = run_batch(build_inputs(scenario), 1, range(400), outputs=OutputSpec(daily=True))
    weeks = output.weekly.shape[1]
    assert (output.weekly.sum(axis=2) == 400).all()
    daily = output.daily[:, : weeks * 7, :, 0].reshape(400, weeks, 7, -1).sum(axis=2)
    by_week = (output.weekly * np.arange(BINS)).sum(axis=2)
    assert np.array_equal(by_week, daily.sum(axis=0).T)


def test_histories_leave_the_weekly_histogram_with_direct_war() -> None:
    output = run_batch(build_inputs(world("ladder.war_rate=0.005")), 1, range(100))
    war_day = output.rows[:, NAMES.index("war_day")]
    ends = np.where(war_day == NEVER, 330, war_day + 1)
    full_weeks = np.array([(ends >= (week + 1) * 7).sum() for week in range(output.weekly.shape[1])])
    assert 0 < full_weeks[-1] < 100
    assert (output.weekly.sum(axis=2) == full_weeks).all()


def test_counts_by_window_are_the_daily_counts_summed() -> None:
    scenario = world()
    output = run_batch(build_inputs(scenario), 1, range(200), outputs=OutputSpec(daily=True))
    places = build_inputs(scenario).layout["theatre"]
    calendar = scenario.calendar
    for window, days in ((0, calendar.campaign), (1, calendar.lull)):
        for theatre in range(output.daily.shape[2]):
            by_wing = output.counts[:, places == theatre, window, :].sum(axis=1)
            assert np.array_equal(by_wing, output.daily[:, days.start : days.stop, theatre].sum(axis=1))


def test_a_design_with_a_column_that_nothing_reads_is_refused() -> None:
    with pytest.raises(ValueError, match=r"patron\.contrl"):
        build_inputs(world(), {"patron.contrl": np.array([0.5])})
    with pytest.raises(ValueError, match="length"):
        build_inputs(world(), {"patron.control": np.array([0.5]), "militia.nujaba_iraq.autonomy": np.array([0.1, 0.2])})
