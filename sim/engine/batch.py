"""Many histories: a batch shared out over threads in blocks, with the same bits however it is shared.

Kernels run without the interpreter lock, so plain threads are enough; blocks are where Ctrl-C and progress come in.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from sim.engine import batched
from sim.engine.batched.layout import lane_width
from sim.engine.inputs import FRESH, ModelInputs, form_of
from sim.engine.record import ALL_OUTCOMES, BINS, WEEK, Output, OutputSpec
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.model.declared_outcomes import RECORDED
from sim.numbers.philox import DAY_LIMIT, RUN_LIMIT, split_seed
from sim.rules.outcomes import WINDOWS

Array = npt.NDArray[Any]
T = TypeVar("T")
TASK: Final = 2e6
"""Agent-days that a thread simulates in one task: some twenty milliseconds."""
TASKS: Final = 8
"""Tasks for each thread, where there are histories for so many: the last ones should not wait for one another."""


def run_batch(
    table: ModelInputs,
    seed: int,
    runs: Sequence[int] | Array,
    points: Sequence[int] | Array | None = None,
    outputs: OutputSpec = ALL_OUTCOMES,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Output:
    """Simulate the histories `runs` (N,), each at its design point `points` (N,; all 0 when None).

    Args:
        table: the numbers of P design points.
        seed: study seed, 0 to 2**64 - 1.
        runs: global run numbers, below 2**48; the same number uses the same random numbers at every point.
        points: rows of the table.
        outputs: what to keep.
        threads: 0 uses every core.
        progress: called with the number of histories that a finished block held.

    Returns:
        Output arrays over the N histories, in the order given.

    Raises:
        ValueError: the seed, a run or the number of days has no address.
    """
    return run_arms((table,), seed, runs, points, outputs, threads, progress)[0]


def run_arms(
    tables: Sequence[ModelInputs],
    seed: int,
    runs: Sequence[int] | Array,
    points: Sequence[int] | Array | None = None,
    outputs: OutputSpec = ALL_OUTCOMES,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> list[Output]:
    """The same for several tables of one cast and calendar; a stretch that is alike in two is simulated once.

    Tables have the same runs (N,), or each has its own: runs (tables, N).
    """
    numbers = np.atleast_2d(np.ascontiguousarray(runs, dtype=np.int64))
    if len({form_of(table) for table in tables}) > 1:
        each = zip(tables, np.broadcast_to(numbers, (len(tables), numbers.shape[1])), strict=True)
        alone = [run_arms((one,), seed, own, points, outputs, threads, progress) for one, own in each]
        return [out for outs in alone for out in outs]
    count = numbers.shape[1]
    rows = np.zeros(count, dtype=np.int64) if points is None else np.ascontiguousarray(points, dtype=np.int64)
    for table in tables:
        check_addresses(table, numbers)
    low, high = split_seed(seed)
    whole = [empty_output(table, count, outputs) for table in tables]
    size = task_size(tables[0], count, thread_count(threads))

    def simulate(start: int) -> list[Output]:
        stop = min(start + size, count)
        parts = [part_of(one, start, stop) for one in whole]
        batched.run_arms(tables, low, high, numbers[:, start:stop], rows[start:stop], parts, asked=outputs)
        if progress is not None:
            progress((stop - start) * len(tables))
        return parts

    for parts in each_block(simulate, range(0, count, size), threads):
        for one, part in zip(whole, parts, strict=True):
            one.weekly[...] += part.weekly
    return whole


def task_size(table: ModelInputs, histories: int, threads: int) -> int:
    """Histories of a task: whole blocks of lanes, as many as take about TASK agent-days, but enough tasks for all."""
    width = lane_width(table)
    blocks = min(TASK / (width * max(1, table.raids.size)), histories / (width * threads * TASKS))
    return width * max(1, round(blocks))


def thread_count(threads: int) -> int:
    """Number of threads for a setting, where 0 stands for every core."""
    return threads or os.cpu_count() or 1


def each_block(simulate: Callable[[int], T], starts: range, threads: int) -> list[T]:
    """Call `simulate` for each start on a pool of threads; the first failure, or Ctrl-C, drops what has not begun."""
    with ThreadPoolExecutor(thread_count(threads)) as pool:
        try:
            blocks = [pool.submit(simulate, start) for start in starts]
            wait(blocks, return_when=FIRST_EXCEPTION)
            return [block.result() for block in blocks]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def check_addresses(table: ModelInputs, runs: Array) -> None:
    """Refuse runs and days without an address: kernels do not check."""
    if runs.size and not 0 <= int(runs.min()) <= int(runs.max()) < RUN_LIMIT:
        raise ValueError(f"runs: allowed are whole numbers from 0 to {RUN_LIMIT - 1}")
    if table.past is not None and not 0 <= int(table.past.runs.min()) <= int(table.past.runs.max()) < FRESH:
        raise ValueError(f"past: allowed are runs from 0 to {FRESH - 1}")
    if len(table.days) >= DAY_LIMIT:
        raise ValueError(f"days={len(table.days)}: allowed are fewer than {DAY_LIMIT}")


def empty_output(table: ModelInputs, histories: int, outputs: OutputSpec) -> Output:
    """Output arrays for a number of histories; an output that was not requested is empty."""
    days, theatres = table.fronts.shape
    wings = len(table.layout)
    stated, whole = histories if outputs.states else 0, histories if outputs.states is True else 0
    fields = RUN_STATE.names if outputs.states is True else outputs.states or RUN_STATE.names
    return Output(
        rows=np.zeros((histories, len(RECORDED)), dtype=np.int32),
        counts=np.zeros((histories, wings, len(WINDOWS), 2), dtype=np.int32),
        lags=np.zeros((histories if outputs.lags else 0, wings), dtype=np.int32),
        weekly=np.zeros((theatres, days // WEEK if outputs.weekly else 0, BINS), dtype=np.int64),
        daily=np.zeros((histories if outputs.daily else 0, days, theatres, 2), dtype=np.uint16),
        windows=np.zeros((histories, len(outputs.windows)), dtype=np.int32),
        run_states=np.zeros((stated, days), dtype=[(name, RUN_STATE[name]) for name in fields or ()]),
        front_states=np.zeros((whole, days, theatres), dtype=THEATRE_STATE),
        wing_states=np.zeros((whole, days, wings), dtype=WING_STATE),
        extras=np.zeros((histories, table.extras.shape[1])),
        extras_states=np.zeros((whole, days, table.extras.shape[1])),
        series=np.full(
            (histories, days, len(table.extended.series) if outputs.daily and table.extended else 0), np.nan
        ),
    )


def part_of(whole: Output, start: int, stop: int) -> Output:
    """The histories from start to stop as views, with a histogram of their own so that threads never share one."""
    views = {name: getattr(whole, name)[start:stop] for name in Output._fields if name != "weekly"}
    return Output(**views, weekly=np.zeros_like(whole.weekly))
