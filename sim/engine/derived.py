"""Outcomes that follow from the recorded ones, run by run, by the same rules."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.numbers.compiled import kernel
from sim.rules.outcomes import days_until, per_response

Array = npt.NDArray[Any]


@kernel
def _days_until(first: Array, war: Array, origin: int, days: int, out: Array) -> None:
    for i in range(len(first)):
        end = war[i] if war[i] >= 0 else days
        out[i] = days_until(first[i], origin, end)


@kernel
def _per_response(attacks: Array, responses: Array, out: Array) -> None:
    for i in range(len(attacks)):
        out[i] = per_response(float(attacks[i]), float(responses[i]))


def days_after(first: Array, war: Array, origin: int, days: int) -> Array:
    """Days from `origin` to an event (run,), cut at direct war or after `days`; int32."""
    out = np.empty(len(first), dtype=np.int32)
    _days_until(np.ascontiguousarray(first), np.ascontiguousarray(war), origin, days, out)
    return out


def attacks_per_response(attacks: Array, responses: Array) -> Array:
    """Attacks for each response (run,)."""
    out = np.empty(len(attacks))
    _per_response(np.ascontiguousarray(attacks), np.ascontiguousarray(responses), out)
    return out
