"""How the cost of an agent-day grows with runs, with days and with wings."""

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import psutil

from sim.engine import lanes
from sim.engine.ensemble import run_batch
from sim.engine.lanes.block import lane_width
from sim.engine.table import Table, tabulate
from sim.numbers.chance import actor_id
from sim.study.speed.bench import MESA_DAYS, Done, agent_days, first_days, first_runs
from sim.study.speed.stopwatch import quartiles
from sim.world.scenario import Config


@dataclass(frozen=True)
class Sizes:
    """Numbers of runs, days and wings, each in rising order."""

    runs: tuple[int, ...] = (10**3, 10**4, 10**5, 10**6, 10**7)
    days: tuple[int, ...] = (30, 134, 330, 1000, 3650)
    wings: tuple[int, ...] = (8, 10, 32, 100, 316, 1000, 3162, 10_000)

    @property
    def steps(self) -> int:
        """How many times `growth` reports progress."""
        return len(self.runs) + len(self.days) + len(self.wings)


SIZES: Final = Sizes()

BATCH: Final = 100_000
"""Histories that are in memory at a time, whatever the number of runs."""

REPEATS: Final = 3
AGENT_DAYS: Final = 3e7
"""Lived in each measurement of growth with days and wings."""
FEWEST: Final = 512
"""Least histories of a measurement, even where that makes more agent-days."""

AFTER_THE_TIMELINE: Final = (
    "After the last dated entry of the timeline its standing values go on: the war's intensity, the talks and the"
    " standing orders last to the end of the calendar, single acts do not return; a calendar that ends before the day"
    " of the strikes has none. Days after direct war are neither lived nor counted."
)
SYNTHETIC: Final = (
    "Synthetic wings repeat the scenario's, each copy in collectives of its own; baselines are divided by the number of"
    " copies, so that the campaign as a whole stays the same. 134 days."
)


def growth(config: Config, long: Config, done: Done, sizes: Sizes = SIZES, least: float = AGENT_DAYS) -> dict[str, Any]:
    """The three tables; each row one size. Runs go through the ensemble on every core, the others through one.

    Args:
        config: scenario and seed.
        long: the same with a calendar that is long enough for every size.
        done: called after every size.
        sizes: what is measured.
        least: agent-days lived in each measurement of growth with days and wings.
    """
    table, longest = tabulate(config.scenario), tabulate(long.scenario)
    base = first_days(table, MESA_DAYS)
    return {
        "runs": [with_runs(table, config.seed, runs, done) for runs in sizes.runs],
        "days": [of_table(first_days(longest, days), config.seed, least, done) for days in sizes.days],
        "wings": [of_table(synthetic(base, wings), config.seed, least, done) for wings in sizes.wings],
        "notes": {"days": AFTER_THE_TIMELINE, "wings": SYNTHETIC},
    }


def with_runs(table: Table, seed: int, runs: int, done: Done) -> dict[str, float]:
    """So many histories through the ensemble, in batches that are forgotten: memory does not grow.

    `agent_day_ns` is by the clock on the wall, `agent_day_ns_core` the processor time of all threads together.
    """
    peak = psutil.Process().memory_info().rss
    lived, took, busy = 0, 0.0, 0.0
    for start in range(0, runs, BATCH):
        numbers = np.arange(start, min(start + BATCH, runs))
        began, busy_before = time.perf_counter(), time.process_time()
        out = run_batch(table, seed, numbers)
        took, busy = took + time.perf_counter() - began, busy + time.process_time() - busy_before
        lived += agent_days(table, out)
        peak = max(peak, psutil.Process().memory_info().rss)
    done()
    return {
        "runs": runs,
        "seconds": took,
        "agent_day_ns": took / lived * 1e9,
        "agent_day_ns_core": busy / lived * 1e9,
        "peak_mib": peak / 2**20,
    }


def of_table(table: Table, seed: int, least: float, done: Done) -> dict[str, float]:
    """Cost of an agent-day of a table on one core, in blocks that are all full."""
    days, wings, width = len(table.days), len(table.layout), lane_width(table)
    runs = -(-max(FEWEST, int(least / (days * wings))) // width) * width
    work = first_runs(table, seed, runs)
    low, middle, high = quartiles([work.cost(lanes.run_histories) for _ in range(REPEATS)])
    done()
    return {"days": days, "wings": wings, "runs": runs, "agent_day_ns_core": middle, "low": low, "high": high}


def synthetic(table: Table, wings: int) -> Table:
    """The table with so many wings: its own ones over and over, the campaign as a whole as strong as before."""
    of = np.arange(wings) % len(table.layout)
    copies = np.arange(wings) // len(table.layout)
    layout, numbers = table.layout[of].copy(), table.wings[:, of].copy()
    collectives = int(table.layout["collective"].max()) + 1
    layout["collective"] += copies * collectives
    layout["actor"] = [actor_id(f"wing {number}") for number in range(wings)]
    numbers["baseline"] *= min(1.0, len(table.layout) / wings)
    return table._replace(layout=layout, wings=numbers, raids=np.ascontiguousarray(table.raids[:, of]))
