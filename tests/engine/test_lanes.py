"""The kernel against the reference model: every bit of all it writes, however histories are laid side by side."""

from functools import cache

import numpy as np
import pytest

from sim.engine import batched
from sim.engine.batch import empty_output
from sim.engine.inputs import ModelInputs, build_inputs
from sim.engine.record import FIRST_DAYS, Output, OutputSpec
from sim.model.scenario import Scenario, load
from sim.rules.outcomes import NEVER
from tests.engine.rows import SCENARIOS, design, differing, reference_output

EVERYTHING = OutputSpec(daily=True, states=True)
POINTS = 24
HISTORIES = 71
SEED_LOW, SEED_HIGH = 20240202, 7
SEED = SEED_LOW | SEED_HIGH << 32
CHECKED = slice(3, None, 10)
"""The histories of a block that the reference model simulates too, run numbers beyond 32 bits among them."""


@cache
def scenario_of(name: str) -> Scenario:
    return load([f"scenario={name}", "calendar.days=200"]).scenario


@cache
def table(name: str) -> ModelInputs:
    """A table of random points over all declared ranges: rates near the cap and wars on the first days among them."""
    return build_inputs(scenario_of(name), design(scenario_of(name), list(range(POINTS))))


def simulated(
    world: ModelInputs, runs: np.ndarray, points: np.ndarray, width: int | None = None, outputs: OutputSpec = EVERYTHING
) -> Output:
    out = empty_output(world, len(runs), outputs)
    batched.run_histories(world, SEED_LOW, SEED_HIGH, runs, points, out, width)
    return out


def mixed(histories: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs and points all mixed up, with run numbers beyond 32 bits among them."""
    generator = np.random.default_rng(histories)
    runs = generator.integers(0, 2**20, histories)
    runs[histories // 2 :] += 3 * 2**32
    return runs, generator.integers(0, POINTS, histories)


@pytest.mark.parametrize("name", SCENARIOS)
def test_lanes_write_the_bits_of_the_reference_model(name: str) -> None:
    runs, points = mixed(HISTORIES)
    together = simulated(table(name), runs, points)
    some = reference_output(scenario_of(name), table(name), SEED, runs[CHECKED], points[CHECKED], EVERYTHING)
    assert differing(some, simulated(table(name), runs[CHECKED], points[CHECKED])) == []
    for part in set(Output._fields) - {"weekly"}:
        assert getattr(some, part).tobytes() == getattr(together, part)[CHECKED].tobytes(), part


@pytest.mark.parametrize("width", [1, 3, 8, 64, 256])
@pytest.mark.parametrize("name", ["article", "salt_coast"])
def test_width_and_order_of_a_block_change_no_bit(name: str, width: int) -> None:
    runs, points = mixed(HISTORIES)
    order = np.random.default_rng(width).permutation(HISTORIES)
    together = simulated(table(name), runs, points)
    apart = simulated(table(name), runs[order], points[order], width)
    for part in set(Output._fields) - {"weekly"}:
        assert getattr(apart, part).tobytes() == getattr(together, part)[order].tobytes(), part
    assert apart.weekly.tobytes() == together.weekly.tobytes()


def test_one_bit_of_one_lane_is_seen_in_that_lane_alone() -> None:
    world = build_inputs(load([]).scenario, {"patron.control": np.full(40, 0.75)})
    changed = world._replace(numbers=world.numbers.copy())
    changed.numbers["alarm_per_death"][17] = np.nextafter(changed.numbers["alarm_per_death"][17], 2.0)
    runs = points = np.arange(40)
    first, second = simulated(world, runs, points), simulated(changed, runs, points)
    differs = (first.run_states["war_risk"] != second.run_states["war_risk"]).any(axis=1)
    assert np.flatnonzero(differs).tolist() == [17]


def test_outcomes_are_the_same_when_no_states_are_kept() -> None:
    runs, points = mixed(300)
    without = simulated(table("article"), runs, points, outputs=OutputSpec())
    kept = simulated(table("article"), runs, points, outputs=OutputSpec(states=True))
    for name in ("rows", "counts", "lags", "weekly"):
        assert getattr(without, name).tobytes() == getattr(kept, name).tobytes(), name
    some = reference_output(scenario_of("article"), table("article"), SEED, runs[::20], points[::20], OutputSpec())
    assert some.rows.tobytes() == without.rows[::20].tobytes()


def test_a_calendar_without_days_leaves_empty_records() -> None:
    empty = table("article")._replace(
        days=table("article").days[:0], fronts=table("article").fronts[:0], raids=table("article").raids[:0]
    )
    found = simulated(empty, *mixed(9))
    assert (found.rows[:, FIRST_DAYS] == NEVER).all()
    assert (found.lags == NEVER).all()
    assert not np.delete(found.rows, FIRST_DAYS, axis=1).any()
    assert not any(part.any() for part in (found.counts, found.weekly, found.daily))
    assert found.run_states.shape == (9, 0)
