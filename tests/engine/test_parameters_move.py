"""Every declared parameter is read by a rule: low against high moves an outcome, run by run, in a shipped scenario."""

from functools import cache

import numpy as np
import pytest

from sim.engine.batch import run_batch
from sim.engine.inputs import ModelInputs, build_inputs
from sim.model.parameters import Theatre, Wing, group_declarations, shared_declarations
from sim.model.scenario import Scenario, load

RUNS = 1000
SCENARIOS = (
    "article", "strike_iran", "no_order", "full_release", "open_answer", "article history=free",
    "full_release mechanisms.pause=false", "gaza_ceasefire",
)  # fmt: skip
"""Tried in turn: some numbers matter only where the patron is struck, nothing was ordered, chance kills, wings comply
in part, or the rival's war pauses."""


@cache
def scenario(name: str) -> Scenario:
    first, *rest = name.split()
    return load([f"scenario={first}", *rest]).scenario


def moved(name: str, key: str, low: float, high: float) -> bool:
    """Whether outcomes differ between the two ends, with common random numbers."""
    table: ModelInputs = build_inputs(scenario(name), {key: np.array([low, high])})
    runs = np.tile(np.arange(RUNS), 2)
    output = run_batch(table, 11, runs, np.repeat([0, 1], RUNS))
    return not np.array_equal(output.rows[:RUNS], output.rows[RUNS:]) or not np.array_equal(
        output.counts[:RUNS], output.counts[RUNS:]
    )


KEYS = {key: (one.low, one.high) for key, one in shared_declarations().items()}
KEYS |= {f"militia.kataib_hezbollah_iraq.{name}": (one.low, one.high) for name, one in group_declarations(Wing)}
KEYS |= {f"theatre.syria.{name}": (one.low, one.high) for name, one in group_declarations(Theatre)}


@pytest.mark.parametrize("key", KEYS)
def test_low_against_high_moves_an_outcome(key: str) -> None:
    low, high = KEYS[key]
    if key == "theatre.syria.gate":
        assert moved("gaza_ceasefire", key, low, high)
    else:
        assert any(moved(name, key, low, high) for name in SCENARIOS)


def test_a_column_that_does_not_differ_moves_nothing() -> None:
    assert not moved("article", "patron.control", 0.7, 0.7)
