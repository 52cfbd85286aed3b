"""The benchmark: it names every figure, takes turns and counts agent-days."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from sim.engine.batch import empty_output
from sim.engine.inputs import build_inputs
from sim.engine.record import ALL_OUTCOMES, WAR_DAY, OutputSpec
from sim.experiment.benchmark import (
    ASKS,
    BRIEF,
    Sizes,
    agent_days,
    ask_speed,
    ask_speeds,
    by_turns,
    departing,
    growth,
    measure,
    quartiles,
    steps_of,
    synthetic,
)
from sim.experiment.runner import first_days
from sim.model.scenario import Config, load

FIGURES = (
    "agent_day_ns_core", "mesa_ms_per_history", "ratio_vs_mesa_core",
    "ratio_vs_philox_draw", "draws_per_agent_day", "thread_efficiency", "mixed_block_ratio",
    *(f"{ask}_{what}" for ask in ASKS for what in ("full", "lean", "cost_ratio")),
)  # fmt: skip


@pytest.fixture(scope="module")
def config() -> Config:
    return load([])


def test_every_figure_is_there_and_finite(config):
    steps: list[None] = []
    found = measure(config, BRIEF, done=lambda: steps.append(None))
    assert [name for name in FIGURES if not math.isfinite(found[name]) or found[name] <= 0.0] == []
    assert len(steps) == steps_of(BRIEF)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found["samples"]["core"]) == {"lanes", "philox"}
    assert all(len(values) == BRIEF.rounds for values in found["samples"]["core"].values())
    for low, middle, high in found["quartiles"].values():
        assert low <= middle <= high


def test_ratios_of_asks_are_those_of_the_costs(config):
    effort = replace(BRIEF, histories=1024)
    samples = ask_speeds(config.scenario, config.seed, effort, lambda: None)
    assert set(samples) == {f"{ask}_{how}" for ask in ASKS for how in ("full", "lean")}
    table = build_inputs(config.scenario)
    arms = [table, departing(table, 110)]
    asked = OutputSpec(weekly=False)
    alike, whole = (ask_speed(arms, 1, 1024, one) for one in (asked, ALL_OUTCOMES))
    assert alike > whole > 0.0


def test_agent_days_end_with_war(config):
    table = build_inputs(config.scenario)
    out = empty_output(table, 2, ALL_OUTCOMES)
    out.rows[:, WAR_DAY] = (-1, 9)
    assert agent_days(table, out) == (len(table.days) + 10) * len(table.layout)


def test_synthetic_wings_keep_the_campaign_and_its_collectives_apart(config):
    table = build_inputs(config.scenario)
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
    table = build_inputs(config.scenario)
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
