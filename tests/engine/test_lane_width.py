"""How many lanes a block has: whole vectors, memory that stays bounded and is told as it is, and the same bits."""

import numpy as np
import pytest

from sim.engine import lanes, scalar
from sim.engine.ensemble import Wanted, empty_output, task_size
from sim.engine.lanes.block import CACHE_BYTES, MOST_VECTORS, SHARED_BYTES, VECTOR, block_bytes, lane_width, new_memory
from sim.engine.table import Table, tabulate
from sim.study.speed.bench import first_days
from sim.study.speed.growth import synthetic
from sim.world.scenario import load

SIZES = (8, 10, 32, 100, 316, 1000, 10_000)


def with_wings(wings: int, days: int = 40) -> Table:
    return synthetic(first_days(tabulate(load([]).scenario), days), wings)


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


@pytest.mark.parametrize("wings", [8, 10, 316])
def test_the_memory_of_a_block_is_what_is_told(wings: int) -> None:
    table = with_wings(wings)
    width = lane_width(table)
    real = sum(array.nbytes for array in new_memory(table, width, daily=False))
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
def test_many_wings_live_as_the_oracle_says(wings: int) -> None:
    table = with_wings(wings)
    runs, points = np.arange(lane_width(table) + 3), np.zeros(lane_width(table) + 3, dtype=np.int64)
    ours, oracle = (empty_output(table, len(runs), Wanted(daily=True)) for _ in range(2))
    lanes.run_histories(table, 5, 6, runs, points, ours)
    scalar.run_histories(table, 5, 6, runs, points, oracle)
    assert [name for name, a, b in zip(ours._fields, ours, oracle, strict=True) if a.tobytes() != b.tobytes()] == []
