"""How a block begins: parameters from the table, states at their start; in numpy, for it is done once a block."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.lanes.block import UNSHAKEN, Memory, PatronNumbers, Runs, Scratch, Traits, Wings
from sim.engine.lanes.record import open_record
from sim.engine.table import Table
from sim.rules import patron

Array = npt.NDArray[Any]

BASELINE, HELD = (Traits._fields.index(name) for name in ("baseline", "held"))
COMPLIANCE, CAPACITY, LEFT, FEARED = (
    Wings._fields.index(name) for name in ("compliance", "capacity", "left", "feared")
)
STRUCK_WING: Final = Runs._fields.index("struck_wing")
ALIVE: Final = Scratch._fields.index("alive")
DIRECTIVE_FREE: Final = PatronNumbers._fields.index("directive_free")
"""Rows of the tables of a block that start at something other than zero."""


def open_block(table: Table, runs: Array, points: Array, memory: Memory, before: int | None = None) -> int | None:
    """Fetch each lane's parameters and put its history to the start: no fear, no grievance, full capacity.

    Lanes beyond the histories asked for repeat the last one, at rest. `before` is the point at which the block before
    lived in all its lanes (None: at several, or there was none); the same of this block is returned.
    """
    living = len(runs)
    point = int(points[0]) if (points == points[0]).all() else None
    memory.run[:living], memory.run[living:] = runs, runs[-1]
    if point is None or point != before or table.extended is not None:
        fetch_points(table, points[np.minimum(np.arange(len(memory.run)), living - 1)], memory)
    baseline = memory.traits[BASELINE]
    if point is not None:
        baseline[:] = plain(table.wings)[point, :, BASELINE, None]  # wars put it to rest
    baseline[:, living:] = 0.0
    for part in (memory.runs, memory.wings, memory.scratch, memory.ordered, memory.obeyed, memory.touched):
        part[:] = 0
    memory.runs[STRUCK_WING] = -1.0
    memory.scratch[ALIVE, :living] = 1.0
    # Rules are arithmetic, so this one takes whole arrays too.
    first_day = table.fronts["stance"][:1] if len(table.days) else np.ones((1, table.fronts.shape[1]))
    stances: Any = first_day.T
    free: Any = memory.numbers[DIRECTIVE_FREE]
    memory.fronts[:] = patron.standing_order(stances, free)
    theatres = table.layout["theatre"]
    if not (first_day == 1.0).all():
        memory.wings[COMPLIANCE] = np.where(memory.fronts[0][theatres] < 1.0, memory.traits[HELD], 0.0)
    memory.wings[CAPACITY] = memory.wings[LEFT] = 1.0
    memory.wings[FEARED] = UNSHAKEN
    open_record(memory)
    return point


def fetch_points(table: Table, points: Array, memory: Memory) -> None:
    """Copy the parameters of the design points (L,) into the lanes."""
    if (points == points[0]).all():
        points = points[:1]  # one column is spread over all lanes, which is quicker than to fetch it for each
    memory.numbers[:] = plain(table.numbers)[points].T
    memory.mine[:] = table.mine[points].T
    for to, records in ((memory.places, table.theatres), (memory.traits, table.wings)):
        numbers = plain(records)[points].transpose(2, 1, 0)
        to[: len(numbers)] = numbers


def plain(records: Array) -> npt.NDArray[np.float64]:
    """Records of floats as floats with the fields along one more axis: the same memory."""
    return records.view(np.float64).reshape(*records.shape, len(records.dtype.names or ()))
