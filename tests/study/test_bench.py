"""The benchmark: it names every figure, and its C version lives the kernel's histories to the last bit."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from sim.engine import lanes
from sim.engine.ensemble import OUTCOMES_ONLY, empty_output
from sim.engine.record import Output
from sim.engine.table import Table, tabulate
from sim.study.speed import c_twin
from sim.study.speed.bench import BRIEF, Kernel, agent_days, find_twin, first_days, measure, steps_of
from sim.study.speed.growth import Sizes, growth, synthetic
from sim.study.speed.stopwatch import by_turns, quartiles
from sim.world.scenario import Config, load
from tests.engine.rows import SCENARIOS, changed, design

FIGURES = (
    "agent_day_ns_core", "mesa_ms_per_history", "ratio_vs_mesa_core", "ratio_vs_scalar", "ratio_vs_c",
    "ratio_vs_philox_draw", "draws_per_agent_day", "thread_efficiency", "mixed_block_ratio",
)  # fmt: skip
HOT = (
    "draw_words", "adapt", "count_few", "count_more", "land_on_target", "land_elsewhere", "weigh_risk", "next_phase",
    "issue_orders", "sum_theatre", "answer_attacks", "climb",
)  # fmt: skip
WIDTH = 72
KEPT = ("rows", "counts", "lags", "weekly")
POINTS = 100


@pytest.fixture(scope="module")
def config() -> Config:
    return load([])


@pytest.fixture(scope="module")
def twin() -> c_twin.Twin:
    return c_twin.twin(WIDTH)


def lived(kernel: Kernel, table: Table, runs: np.ndarray, points: np.ndarray) -> Output:
    out = empty_output(table, len(runs), OUTCOMES_ONLY)
    kernel(table, 12345, 987654321, runs, points, out)
    return out


def differing(one: Output, other: Output) -> list[str]:
    return [name for name in KEPT if not np.array_equal(getattr(one, name), getattr(other, name))]


def test_every_figure_is_there_and_finite(config):
    steps: list[None] = []
    found = measure(config, BRIEF, done=lambda: steps.append(None))
    assert [name for name in FIGURES if not math.isfinite(found[name]) or found[name] <= 0.0] == []
    assert len(steps) == steps_of(BRIEF)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found["samples"]["core"]) == {"lanes", "scalar", "c", "philox"}
    assert all(len(values) == BRIEF.rounds for values in found["samples"]["core"].values())
    for low, middle, high in found["quartiles"].values():
        assert low <= middle <= high


@pytest.mark.parametrize("name", SCENARIOS)
def test_c_lives_the_same_histories(twin, name):
    """Wild numbers within their ranges, blocks that mix points, runs of every size: thousands of histories in all."""
    shipped = load([f"scenario={name}"]).scenario
    chance = np.random.default_rng(SCENARIOS.index(name))
    runs = np.concatenate([np.arange(150), np.sort(chance.integers(0, 4, 100)) * 2**32, chance.integers(0, 2**48, 20)])
    points = chance.integers(0, POINTS, len(runs))
    for scenario in (shipped, changed(shipped, 7)):
        table = tabulate(scenario, design(scenario, list(range(POINTS))))
        ours, theirs = (lived(one, table, runs, points) for one in (lanes.run_histories, twin.run_histories))
        assert differing(ours, theirs) == []


def test_the_comparison_with_c_sees_another_number(config, twin):
    table = tabulate(config.scenario)
    runs, points = np.arange(300), np.zeros(300, dtype=np.int64)
    other = table._replace(numbers=table.numbers.copy())
    other.numbers["attribution"] += 0.01
    ours, theirs = lived(lanes.run_histories, table, runs, points), lived(twin.run_histories, other, runs, points)
    assert differing(ours, theirs) == ["rows", "counts", "lags", "weekly"]


def test_the_hot_loops_of_c_are_vectors(twin):
    widths = {loop.function: loop.width for loop in twin.loops}
    assert [name for name in HOT if widths.get(name, 1) < 2] == []
    assert "meet_fates" not in widths  # a loop over the attacks of one history is none


def test_without_a_checkout_or_a_compiler_one_line_says_why(monkeypatch, tmp_path):
    fresh = c_twin.twin.__wrapped__
    monkeypatch.setattr("sim.study.speed.bench.twin", fresh)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert find_twin(WIDTH) == (None, "no C compiler: the extra `bench` brings ziglang")
    monkeypatch.setattr(c_twin, "SOURCES", Path(tmp_path / "nowhere"))
    assert find_twin(WIDTH) == (None, "the C version is part of a checkout, not of an installed package")


def test_agent_days_end_with_war(config):
    table = tabulate(config.scenario)
    out = empty_output(table, 2, OUTCOMES_ONLY)
    out.rows[:, 12] = (-1, 9)
    assert agent_days(table, out) == (len(table.days) + 10) * len(table.layout)


def test_synthetic_wings_keep_the_campaign_and_its_collectives_apart(config):
    table = tabulate(config.scenario)
    own, more = synthetic(table, 10), synthetic(table, 30)
    np.testing.assert_array_equal(own.wings, table.wings)
    np.testing.assert_allclose(more.wings["baseline"].sum(), table.wings["baseline"].sum())
    first, second = set(more.layout["collective"][:10]), set(more.layout["collective"][10:20])
    assert not first & second
    assert len(set(more.layout["actor"])) == 30


def test_growth_has_a_row_for_every_size(config):
    sizes = Sizes(runs=(64, 128), days=(30, 40), wings=(8, 20))
    steps: list[None] = []
    tables = growth(config, load(["calendar.days=400"]), lambda: steps.append(None), sizes, 1e4)
    assert [row["runs"] for row in tables["runs"]] == [64, 128]
    assert [(row["days"], row["wings"]) for row in tables["days"]] == [(30, 10), (40, 10)]
    assert [row["wings"] for row in tables["wings"]] == [8, 20]
    assert all(row["agent_day_ns_core"] > 0.0 for row in (*tables["days"], *tables["wings"]))
    assert len(steps) == sizes.steps


def test_a_shorter_calendar_is_the_beginning_of_the_longer_one(config):
    table = tabulate(config.scenario)
    short = first_days(table, 50)
    assert (len(short.days), len(short.fronts), len(short.raids)) == (50, 50, 50)
    np.testing.assert_array_equal(short.days, table.days[:50])


def test_turns_alternate_and_the_first_round_is_dropped():
    order: list[str] = []

    def part(name: str):
        def run() -> float:
            order.append(name)
            return float(len(order))

        return run

    samples = by_turns({"a": part("a"), "b": part("b")}, 2, lambda: None)
    assert order == ["a", "b", "a", "b", "b", "a"]
    assert samples == {"a": [3.0, 6.0], "b": [4.0, 5.0]}


def test_quartiles_of_one_value_are_that_value():
    assert quartiles([3.0]) == [3.0, 3.0, 3.0]
