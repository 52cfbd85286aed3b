"""How a block begins: parameters from the table, states at their start; in numpy, for it is done once a block."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.lanes.block import MARKS, UNSHAKEN, Memory, PatronNumbers, Runs, Scratch, Traits, Wings
from sim.engine.lanes.record import open_record
from sim.engine.table import Table
from sim.rules import patron

Array = npt.NDArray[Any]


def open_block(table: Table, runs: Array, points: Array, memory: Memory) -> None:
    """Fetch each lane's parameters and put its history to the start: no fear, no grievance, full capacity.

    Lanes beyond the histories asked for repeat the last one, at rest.
    """
    living = len(runs)
    spread = np.minimum(np.arange(len(memory.run)), living - 1)
    memory.run[:] = runs[spread]
    fetch_points(table, points[spread], memory)
    for part in (memory.runs, memory.wings, memory.scratch, memory.ordered, memory.obeyed, memory.touched):
        part[:] = 0
    Runs(*memory.runs).struck_wing[:] = -1.0
    Scratch(*memory.scratch).alive[:living] = 1.0
    traits, wings = Traits(*memory.traits), Wings(*memory.wings)
    traits.baseline[:, living:] = 0.0
    # Rules are arithmetic, so this one takes whole arrays too.
    first_day = table.fronts["stance"][:1] if len(table.days) else np.ones((1, table.fronts.shape[1]))
    stances: Any = first_day.T
    free: Any = PatronNumbers(*memory.numbers[: MARKS[1]]).directive_free
    memory.fronts[:] = patron.standing_order(stances, free)
    wings.compliance[:] = np.where(memory.fronts[0][table.layout["theatre"]] < 1.0, traits.held, 0.0)
    wings.capacity[:] = 1.0
    wings.left[:] = 1.0
    wings.feared[:] = UNSHAKEN
    open_record(memory)


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
