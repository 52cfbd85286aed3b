"""How a block begins: parameters from the table, states at their start; in numpy, for it is done once a block."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.batched.layout import UNAFFECTED, Memory, StrikeEffects, Workspace
from sim.engine.batched.recording import init_block_record
from sim.engine.columns import PatronNumbers, WingNumbers
from sim.engine.inputs import LaterNumbers, ModelInputs
from sim.engine.state import RunState, TheatreState, WingState
from sim.numbers.compiled import kernel
from sim.rules import patron

Array = npt.NDArray[Any]


def init_block(table: ModelInputs, runs: Array, points: Array, memory: Memory, before: int | None = None) -> int | None:
    """Fetch each lane's parameters and put its history to the start: no fear, no grievance, full capacity.

    Lanes beyond the histories asked for repeat the last one, at rest. `before` is the point of all lanes of the block
    before (None: at several, or there was none); the same of this block is returned.
    """
    living, lanes = len(runs), len(memory.lanes.run)
    traits, states = WingNumbers(*memory.wings.numbers), WingState(*memory.wings.state)
    point = int(points[0]) if (points == points[0]).all() else None
    memory.lanes.run[:living], memory.lanes.run[living:] = runs, runs[-1]
    if point is None or point != before or table.extended is not None or table.later:
        fetch_points(table, points[np.minimum(np.arange(lanes), living - 1)], memory)
    if point is not None:
        traits.baseline[:] = table.wings["baseline"][point, :, None]  # wars put it to rest
    traits.baseline[:, living:] = 0.0
    for zeros in (
        memory.runs.state, memory.theatres.state, memory.wings.state, memory.lanes.scratch, memory.theatres.ordered,
        memory.theatres.obeyed, memory.wings.touched, memory.groups.state, memory.groups.rate, memory.groups.moved,
        memory.lanes.felt,
    ):  # fmt: skip
        zeros[:] = 0
    RunState(*memory.runs.state).struck_wing[:] = -1.0
    memory.theatres.share[:] = TheatreState(*memory.theatres.state).weight[:] = 1.0
    Workspace(*memory.lanes.scratch).alive[:living] = 1.0
    first_day = table.fronts["stance"][0].copy() if len(table.days) else np.ones(table.fronts.shape[1])
    standing_orders(first_day, PatronNumbers(*memory.numbers.patron), memory.theatres.state[:2])
    if not (first_day == 1.0).all():
        free = memory.theatres.state[0][table.layout["theatre"]] < 1.0
        states.compliance[:] = np.where(free, traits.held, 0.0)
    effects = StrikeEffects(*memory.wings.effects)
    states.capacity[:] = effects.left[:] = 1.0
    effects.resented[:] = UNAFFECTED
    init_block_record(memory)
    return point


@kernel
def standing_orders(stances: Array, numbers: Any, orders: Array) -> None:
    """The orders known and given on the first day (2, K, L), from the stances (K,) and the patron's numbers (L,)."""
    for k in range(len(stances)):
        for i in range(orders.shape[2]):
            orders[:, k, i] = patron.standing_order(
                stances[k], numbers.directive_free[i], numbers.directive_reduce[i], numbers.directive_stop[i]
            )


def renew_numbers(later: LaterNumbers, points: Array, memory: Memory) -> None:
    """Numbers of a later stage, at the points of the histories, take the place of those that held so far."""
    extras, lanes = memory.extras.copy(), np.arange(len(memory.lanes.run))
    resting = Workspace(*memory.lanes.scratch).alive == 0.0
    fetch_points(later, points[np.minimum(lanes, len(points) - 1)], memory)
    extras[later.rows] = memory.extras[later.rows]
    memory.extras[:] = extras
    WingNumbers(*memory.wings.numbers).baseline[:, resting] = 0.0


def fetch_points(table: ModelInputs | LaterNumbers, points: Array, memory: Memory) -> None:
    """Copy the parameters of the design points (L,) into the lanes."""
    if (points == points[0]).all():
        points = points[:1]  # one column is spread over all lanes, which is quicker than to fetch it for each
    numbers, first = plain(table.numbers)[points].T, 0
    for role in memory.numbers:
        role[:] = numbers[first : first + len(role)]
        first += len(role)
    memory.extras[:] = table.extras[points].T
    for to, records in ((memory.theatres.numbers, table.theatres), (memory.wings.numbers, table.wings)):
        to[:] = plain(records)[points].transpose(2, 1, 0)


def plain(records: Array) -> npt.NDArray[np.float64]:
    """Records of floats as floats with the fields along one more axis: the same memory."""
    return records.view(np.float64).reshape(*records.shape, len(records.dtype.names or ()))
