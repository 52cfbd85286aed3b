"""Outcomes that follow from the recorded ones, run by run, by the same rules."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.numbers.compiled import kernel
from sim.rules.outcomes import days_until, per_response

Array = npt.NDArray[Any]

CLOSE: Final = 512
"""Runs whose counts fit into a fast cache together."""


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


@kernel
def _by_theatre(counts: Array, places: Array, out: Array) -> None:
    runs, wings, windows, kinds = counts.shape
    for start in range(0, runs, CLOSE):
        stop = min(start + CLOSE, runs)
        for w in range(wings):
            for window in range(windows):
                for kind in range(kinds):
                    for i in range(start, stop):
                        out[places[w], window, kind, i] += counts[i, w, window, kind]


def counts_by_theatre(counts: Array, places: Array, theatres: int) -> Array:
    """Counts by wing (run, W, windows, kinds) summed by theatre (K, windows, kinds, run); `places` (W,) says where."""
    out = np.zeros((theatres, *counts.shape[2:], counts.shape[0]), dtype=counts.dtype)
    _by_theatre(counts, places, out)
    return out
