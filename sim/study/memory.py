"""How much memory an ensemble will take at its peak, told before it starts."""

from typing import Final

import numpy as np
import psutil

from sim.engine.ensemble import Wanted
from sim.engine.lanes.block import block_bytes, lane_width
from sim.engine.record import BINS, WEEK
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.engine.table import Table
from sim.rules.outcomes import DERIVED, RECORDED, WINDOWS
from sim.world.errors import UserError

COPIES: Final = 2.0
"""What labelling and deriving hold at once beside the engine's own arrays, as a multiple of these (measured: 1.7)."""
SPARE: Final = 0.9
"""Share of the free memory that may be planned with."""


def bytes_per_run(table: Table, wanted: Wanted) -> int:
    """Bytes that the engine writes for one history."""
    days, theatres = table.fronts.shape
    wings = len(table.layout)
    outcomes = 4 * len(RECORDED) + 8 * len(DERIVED)
    counts = 4 * 2 * len(WINDOWS) * (wings + theatres) + 4 * wings
    daily = 2 * 2 * days * theatres if wanted.daily else 0
    states = days * (RUN_STATE.itemsize + theatres * THEATRE_STATE.itemsize + wings * WING_STATE.itemsize)
    return outcomes + counts + daily + (states if wanted.states else 0)


def forecast(table: Table, runs: int, wanted: Wanted, threads: int) -> int:
    """Peak bytes that an ensemble adds to the process: what it keeps of each run, each thread's histogram and block."""
    days, theatres = table.fronts.shape
    histogram = np.dtype(np.int64).itemsize * theatres * (days // WEEK) * BINS
    lanes = lane_width(table)
    block = block_bytes(table, lanes) + (2 * 2 * days * theatres * lanes if wanted.daily else 0)
    return int(runs * bytes_per_run(table, wanted) * COPIES + (threads + 2) * histogram + threads * block)


def require(needed: int, key: str, value: object) -> None:
    """Refuse what does not fit into the memory that is free now.

    Raises:
        UserError: it does not fit.
    """
    free = psutil.virtual_memory().available
    if needed > free * SPARE:
        raise UserError(key, value, f"what fits: this needs about {size(needed)} of memory, {size(free)} are free")


def size(count: float) -> str:
    """A number of bytes as people read it.

    >>> size(3_500_000_000)
    '3.5 GB'
    """
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
