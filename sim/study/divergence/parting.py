"""The first difference between two histories: the day, the number, the decision, and what that decision hung on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.trace import Decision
from sim.study.life import Life

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Parting:
    """The first decision that came out otherwise, in one history, the other, or both.

    None stands for a decision that was not taken at all. `inputs` are those that differ: name, here, there.
    """

    day: int
    one: Decision | None
    other: Decision | None
    inputs: tuple[tuple[str, Any, Any], ...]

    @property
    def decision(self) -> Decision:
        """The decision, of whichever history has it."""
        found = self.one or self.other
        assert found is not None
        return found


def differing_days(one: Life, other: Life) -> Array:
    """Whether each evening's state differs anywhere (D,), to the bit."""
    differs = np.zeros(len(one.states.run), dtype=bool)
    for a, b in zip(one.states, other.states, strict=True):
        for name in a.dtype.names or ():
            unequal = a[name] != b[name]
            differs |= unequal.reshape(len(unequal), -1).any(axis=1)
    return differs


def first_day(one: Life, other: Life) -> int | None:
    """The first day whose evening differs; None where none does."""
    days = np.flatnonzero(differing_days(one, other))
    return int(days[0]) if len(days) else None


def partings(one: Life, other: Life, day: int) -> list[Parting]:
    """The decisions of a day whose results differ, in the order of the day."""
    here, there = one.placed(day), other.placed(day)
    keys = [*here, *(key for key in there if key not in here)]
    pairs = [(here.get(key), there.get(key)) for key in keys]
    return [
        Parting(day, a, b, differing_inputs(a, b)) for a, b in pairs if a is None or b is None or a.result != b.result
    ]


def parting_on(one: Life, other: Life, day: int) -> Parting | None:
    """The decision of a day that parts two histories; None where no decision differs.

    The first that says yes or no, or how many, otherwise than the other; where only shades differ, the first of these.
    None is possible where something that nobody decides differs, such as an event of the timeline.
    """
    found = partings(one, other, day)
    acts = [parting for parting in found if isinstance(parting.decision.result, bool | np.bool_ | int | np.integer)]
    return next(iter(acts or found), None)


def differing_inputs(one: Decision | None, other: Decision | None) -> tuple[tuple[str, Any, Any], ...]:
    """What a decision hung on that was not the same: name, here, there."""
    if one is None or other is None:
        return ()
    return tuple((name, value, other.inputs[name]) for name, value in one.inputs.items() if value != other.inputs[name])


def first_unlike_decision(one: Life, other: Life, until: int) -> Parting | None:
    """The first decision at all that came out otherwise, up to a day: it may have stayed without effect for long."""
    return next((found[0] for day in range(until + 1) if (found := partings(one, other, day))), None)
