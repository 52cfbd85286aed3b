"""The lane kernel against its oracle: every bit of all it writes, however histories are laid side by side."""

from functools import cache

import numpy as np
import pytest

from sim.engine import lanes, scalar
from sim.engine.ensemble import Wanted, empty_output
from sim.engine.record import Output
from sim.engine.table import Table, tabulate
from sim.world.scenario import load
from tests.engine.rows import SCENARIOS, design

EVERYTHING = Wanted(daily=True, states=True)
POINTS = 24
SEED_LOW, SEED_HIGH = 20240202, 7


@cache
def table(name: str) -> Table:
    """A table of random points over all declared ranges: rates near the cap and wars on the first days among them."""
    scenario = load([f"scenario={name}", "calendar.days=200"]).scenario
    return tabulate(scenario, design(scenario, list(range(POINTS))))


def lived(engine: object, world: Table, runs: np.ndarray, points: np.ndarray, *width: int) -> Output:
    out = empty_output(world, len(runs), EVERYTHING)
    engine.run_histories(world, SEED_LOW, SEED_HIGH, runs, points, out, *width)  # type: ignore[attr-defined]
    return out


def differing(first: Output, second: Output) -> list[str]:
    """Names of the arrays in which a bit differs."""
    return [name for name in Output._fields if getattr(first, name).tobytes() != getattr(second, name).tobytes()]


def mixed(histories: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs and points all mixed up, with run numbers beyond 32 bits among them."""
    generator = np.random.default_rng(histories)
    runs = generator.integers(0, 2**20, histories)
    runs[histories // 2 :] += 3 * 2**32
    return runs, generator.integers(0, POINTS, histories)


@pytest.mark.parametrize("name", SCENARIOS)
def test_lanes_write_the_bits_of_the_oracle(name: str) -> None:
    runs, points = mixed(71)
    assert differing(lived(scalar, table(name), runs, points), lived(lanes, table(name), runs, points)) == []


@pytest.mark.parametrize("width", [1, 3, 8, 64, 256])
def test_the_width_of_a_block_changes_no_bit(width: int) -> None:
    runs, points = mixed(71)
    oracle = lived(scalar, table("article"), runs, points)
    assert differing(oracle, lived(lanes, table("article"), runs, points, width)) == []


def test_one_bit_of_one_lane_is_seen_in_that_lane_alone() -> None:
    world = tabulate(load([]).scenario, {"patron.control": np.full(40, 0.75)})
    changed = world._replace(numbers=world.numbers.copy())
    changed.numbers["alarm_per_death"][17] = np.nextafter(changed.numbers["alarm_per_death"][17], 2.0)
    runs = points = np.arange(40)
    first, second = lived(lanes, world, runs, points), lived(lanes, changed, runs, points)
    differs = (first.run_states["war_risk"] != second.run_states["war_risk"]).any(axis=1)
    assert np.flatnonzero(differs).tolist() == [17]


def test_outcomes_are_the_same_when_no_states_are_kept() -> None:
    runs, points = mixed(300)
    out = empty_output(table("article"), 300, Wanted())
    lanes.run_histories(table("article"), SEED_LOW, SEED_HIGH, runs, points, out)
    oracle = empty_output(table("article"), 300, Wanted())
    scalar.run_histories(table("article"), SEED_LOW, SEED_HIGH, runs, points, oracle)
    assert differing(oracle, out) == []


def test_a_calendar_without_days_leaves_empty_records() -> None:
    empty = table("article")._replace(
        days=table("article").days[:0], fronts=table("article").fronts[:0], raids=table("article").raids[:0]
    )
    runs, points = mixed(9)
    assert differing(lived(scalar, empty, runs, points), lived(lanes, empty, runs, points)) == []
