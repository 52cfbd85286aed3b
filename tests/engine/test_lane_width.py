"""How many lanes a block has: whole vectors, memory that stays bounded and matches its estimate, and the same bits."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.engine import batched
from sim.engine.batch import empty_output, task_size
from sim.engine.batched.layout import (
    CACHE_BYTES,
    MOST_VECTORS,
    SHARED_BYTES,
    block_bytes,
    lane_width,
    new_memory,
)
from sim.engine.inputs import ModelInputs, build_inputs
from sim.engine.record import OutputSpec
from sim.experiment.benchmark import synthetic
from sim.experiment.runner import first_days
from sim.model.scenario import load
from sim.numbers.soa import VECTOR
from tests.engine.rows import reference_output

SIZES = (8, 10, 32, 100, 316, 1000, 10_000)


def with_wings(wings: int, days: int = 40) -> ModelInputs:
    return synthetic(first_days(build_inputs(load([]).scenario), days), wings)


@pytest.mark.parametrize("wings", SIZES)
def test_lanes_are_whole_vectors_and_their_block_fits_a_cache(wings: int) -> None:
    table = with_wings(wings)
    width = lane_width(table)
    assert width % VECTOR == 0
    assert width // VECTOR in range(1, MOST_VECTORS + 1, 2)
    assert width == VECTOR or block_bytes(table, width) <= (CACHE_BYTES if width > 3 * VECTOR else SHARED_BYTES)


def test_lanes_never_grow_with_wings() -> None:
    widths = [lane_width(with_wings(wings)) for wings in SIZES]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[-1]


def arrays_of(memory: Any) -> Iterator[np.ndarray]:
    """All arrays of a block."""
    for one in memory:
        if isinstance(one, tuple):
            yield from arrays_of(one)
        elif isinstance(one, np.ndarray):
            yield one


@pytest.mark.parametrize("wings", [8, 10, 316])
def test_the_memory_of_a_block_is_as_estimated(wings: int) -> None:
    table = with_wings(wings)
    width = lane_width(table)
    real = sum(array.nbytes for array in arrays_of(new_memory(table, width, False)))
    assert 0.9 < block_bytes(table, width) / real < 1.1
    assert not 0.9 < block_bytes(table, 2 * width) / real < 1.1


def test_tasks_are_whole_blocks_and_enough_for_all_threads() -> None:
    table = with_wings(10, days=330)
    width = lane_width(table)
    for histories in (1, width, 20_000, 10**6):
        size = task_size(table, histories, 2)
        assert size % width == 0
        assert size == width or histories / size >= 8
    assert task_size(table, 10**6, 2) * table.raids.size < 4e6


@pytest.mark.parametrize("wings", [8, 32, 100])
def test_many_wings_live_as_the_reference_model_says(wings: int) -> None:
    cast = load([]).scenario.cast
    names = list(cast.wings)
    more = {
        f"wing {place}": replace(cast.wings[names[place % len(names)]], name=f"wing {place}") for place in range(wings)
    }
    scenario = replace(load([]).scenario, cast=replace(cast, wings=more))
    table, width = with_wings(wings), lane_width(with_wings(wings))
    runs, points = np.arange(width + 3), np.zeros(width + 3, dtype=np.int64)
    found = empty_output(table, len(runs), OutputSpec(daily=True))
    batched.run_histories(table, 5, 6, runs, points, found)
    some = [0, 1, width - 1, width, width + 2]
    expected = reference_output(scenario, table, 5 + (6 << 32), runs[some], points[some], OutputSpec(daily=True))
    for name in ("rows", "counts", "lags", "daily"):
        assert getattr(expected, name).tobytes() == getattr(found, name)[some].tobytes(), name
