"""Many histories: a batch shared out over threads in blocks, with the same bits however it is shared.

Kernels run without the interpreter lock, so plain threads are enough; blocks are where Ctrl-C and progress come in.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine import lanes
from sim.engine.extension.variant import engines_of
from sim.engine.lanes.block import lane_width
from sim.engine.record import BINS, WEEK, Output
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.engine.table import Table
from sim.numbers.chance import DAY_LIMIT, RUN_LIMIT, split_seed
from sim.rules.outcomes import RECORDED, WINDOWS

Array = npt.NDArray[Any]
TASK: Final = 2e6
"""Agent-days that a thread lives before it looks up: some twenty milliseconds."""
TASKS: Final = 8
"""Tasks for each thread, where there are histories for so many: the last ones should not wait for one another."""


@dataclass(frozen=True)
class Wanted:
    """What to keep of each history besides its outcomes: attacks day by day, the state of every day."""

    daily: bool = False
    states: bool = False


OUTCOMES_ONLY = Wanted()


def run_batch(
    table: Table,
    seed: int,
    runs: Sequence[int] | Array,
    points: Sequence[int] | Array | None = None,
    wanted: Wanted = OUTCOMES_ONLY,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Output:
    """Live the histories `runs` (N,), each at its design point `points` (N,; all 0 when None).

    Args:
        table: the numbers of P design points.
        seed: study seed, 0 to 2**64 - 1.
        runs: global run numbers, below 2**48; the same number meets the same luck at every point.
        points: rows of the table.
        wanted: what to keep.
        threads: 0 uses every core.
        progress: called with the number of histories that a finished block held.

    Returns:
        Output arrays over the N histories, in the order given.

    Raises:
        ValueError: the seed, a run or the number of days has no address.
    """
    numbers = np.ascontiguousarray(runs, dtype=np.int64)
    rows = np.zeros(len(numbers), dtype=np.int64) if points is None else np.ascontiguousarray(points, dtype=np.int64)
    check_addresses(table, numbers)
    low, high = split_seed(seed)
    whole = empty_output(table, len(numbers), wanted)
    run_histories = lanes.run_histories if table.extended is None else engines_of(table).lanes
    size = task_size(table, len(numbers), thread_count(threads))
    starts = range(0, len(numbers), size)

    def live(start: int) -> Array:
        stop = min(start + size, len(numbers))
        part = part_of(whole, start, stop)
        run_histories(table, low, high, numbers[start:stop], rows[start:stop], part)
        if progress is not None:
            progress(stop - start)
        return part.weekly

    for weekly in each_block(live, starts, threads):
        whole.weekly[...] += weekly
    return whole


def task_size(table: Table, histories: int, threads: int) -> int:
    """Histories of a task: whole blocks of lanes, as many as take about TASK agent-days, but enough tasks for all."""
    width = lane_width(table)
    blocks = min(TASK / (width * max(1, table.raids.size)), histories / (width * threads * TASKS))
    return width * max(1, round(blocks))


def thread_count(threads: int) -> int:
    """Number of threads for a setting, where 0 stands for every core."""
    return threads or os.cpu_count() or 1


def each_block(live: Callable[[int], Array], starts: range, threads: int) -> list[Array]:
    """Call `live` for each start on a pool of threads; the first failure, or Ctrl-C, drops what has not begun."""
    with ThreadPoolExecutor(thread_count(threads)) as pool:
        try:
            blocks = [pool.submit(live, start) for start in starts]
            wait(blocks, return_when=FIRST_EXCEPTION)
            return [block.result() for block in blocks]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def check_addresses(table: Table, runs: Array) -> None:
    """Refuse what chance has no address for: kernels do not look."""
    if len(runs) and not 0 <= int(runs.min()) <= int(runs.max()) < RUN_LIMIT:
        raise ValueError(f"runs: allowed are whole numbers from 0 to {RUN_LIMIT - 1}")
    if len(table.days) >= DAY_LIMIT:
        raise ValueError(f"days={len(table.days)}: allowed are fewer than {DAY_LIMIT}")


def empty_output(table: Table, histories: int, wanted: Wanted) -> Output:
    """Output arrays for a number of histories; what is not wanted has none."""
    days, theatres = table.fronts.shape
    wings = len(table.layout)
    stated = histories if wanted.states else 0
    return Output(
        rows=np.zeros((histories, len(RECORDED)), dtype=np.int32),
        counts=np.zeros((histories, wings, len(WINDOWS), 2), dtype=np.int32),
        lags=np.zeros((histories, wings), dtype=np.int32),
        weekly=empty_weekly(theatres, days),
        daily=np.zeros((histories if wanted.daily else 0, days, theatres, 2), dtype=np.uint16),
        run_states=np.zeros((stated, days), dtype=RUN_STATE),
        front_states=np.zeros((stated, days, theatres), dtype=THEATRE_STATE),
        wing_states=np.zeros((stated, days, wings), dtype=WING_STATE),
        mine=np.zeros((histories, table.mine.shape[1])),
        mine_states=np.zeros((stated, days, table.mine.shape[1])),
    )


def empty_weekly(theatres: int, days: int) -> Array:
    """An empty histogram of weekly attacks (theatres, full weeks, bins)."""
    return np.zeros((theatres, days // WEEK, BINS), dtype=np.int64)


def part_of(whole: Output, start: int, stop: int) -> Output:
    """The histories from start to stop as views, with a histogram of their own so that threads never share one."""
    views = {name: getattr(whole, name)[start:stop] for name in Output._fields if name != "weekly"}
    return Output(**views, weekly=np.zeros_like(whole.weekly))
