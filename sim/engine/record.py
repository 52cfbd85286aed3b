"""What engines write of histories: a fixed row of whole numbers, counts by wing, and what else was asked.

A sweep keeps no trajectories: weekly attacks go into a histogram per theatre and week, so bands need no stored runs.
Outcomes that follow from the recorded ones are computed at the end, run by run, by the same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sim.engine.columns import row_names
from sim.model.conditions import Window
from sim.model.declared_outcomes import NAMES, RECORDED, SETTLED
from sim.numbers.compiled import kernel
from sim.rules.outcomes import days_until, per_response

Array = npt.NDArray[Any]

WEEK: Final = 7
BINS: Final = 256
"""Bins of the weekly histogram: counts 0 to 254, and 255 or more."""

OutcomeRow = row_names("OutcomeRow", NAMES)
"""The outcomes of a history, or of many."""
WAR_DAY: Final = NAMES.index("war_day")
FIRST_DAYS: Final = tuple(place for place, one in enumerate(RECORDED) if one.unit == "day")
"""Columns of the row of a history that hold the day of an event."""


@dataclass(frozen=True)
class OutputSpec:
    """What is asked of histories; what nothing reads of it is not simulated.

    Kept besides outcomes: attacks day by day; the state of every day, or of that of the run the fields named; `weekly`
    histograms; `lags`, the days until wings complied; `windows`, counts of attacks in stretches of days. `elsewhere`
    says whether something reads what happens outside the theatres of the target, `outcomes` which ones are read, None
    for all.
    """

    daily: bool = False
    states: bool | tuple[str, ...] = False
    weekly: bool = True
    lags: bool = True
    elsewhere: bool = True
    outcomes: frozenset[str] | None = None
    windows: tuple[Window, ...] = ()

    @classmethod
    def of(cls, *names: str) -> Self:
        """Some outcomes and nothing besides; the record of all others may stop short."""
        return cls(weekly=False, lags=False, elsewhere=False, outcomes=frozenset(names))

    @property
    def by_day(self) -> bool:
        """Whether attacks are recorded day by day while histories are simulated."""
        return self.daily or bool(self.windows)

    def settled(self, strikes: int, report: int) -> tuple[int, list[int]] | None:
        """When all that is asked is known: from a day on, in histories where all of some days have come, by column.

        None: not before the calendar ends.
        """
        by = {SETTLED.get(name, "") for name in self.outcomes or ("",)}
        if self.by_day or self.states or self.weekly or self.lags or self.elsewhere or "" in by:
            return None
        windows = {"campaign": strikes, "lull": report + 1}
        return max(windows.get(one, strikes) for one in by), [NAMES.index(one) for one in by - windows.keys()]


ALL_OUTCOMES: Final = OutputSpec()


class Output(NamedTuple):
    """Where the kernel writes, for N histories: an array with N = 0 was not asked for.

    rows (N, F) and counts (N, W, 3, 2), lags (N, W) int32; weekly (K, weeks, BINS) int64, without weeks where it was
    not asked for; daily (N, D, K, 2) uint16; windows (N, Q) int32, the counts of Q stretches; run_states (N, D),
    front_states (N, D, K), wing_states (N, D, W) records, zero after direct war. extras (N, R) is what extensions keep,
    at the end, and extras_states (N, D, R) at the end of every day; series (N, D, S) of it the daily series, NaN after
    direct war.
    """

    rows: Array
    counts: Array
    lags: Array
    weekly: Array
    daily: Array
    windows: Array
    run_states: Array
    front_states: Array
    wing_states: Array
    extras: Array
    extras_states: Array
    series: Array


@kernel
def _days_until(first: Array, war: Array, origin: int, days: int, out: Array) -> None:
    for i in range(len(first)):
        end = war[i] if war[i] >= 0 else days
        out[i] = days_until(first[i], origin, end)


@kernel
def _per_response(attacks: Array, responses: Array, out: Array) -> None:
    for i in range(len(attacks)):
        out[i] = per_response(float(attacks[i]), float(responses[i]))


def counted_windows(daily: Array, windows: Sequence[Window]) -> Array:
    """Attacks (Q, L) in stretches of days, from those of every day (D, K, 2, L) by theatre, all and acknowledged."""
    counts = [daily[one.first : one.last + 1, list(one.theatres), one.kind].sum(axis=(0, 1)) for one in windows]
    return np.array(counts, dtype=np.int32).reshape(len(windows), daily.shape[-1])


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


def counts_by_theatre(counts: Array, places: Array, theatres: int) -> Array:
    """Counts by wing (run, W, windows, kinds) summed by theatre (K, windows, kinds, run); `places` (W,) says where."""
    out = np.zeros((theatres, *counts.shape[2:], counts.shape[0]), dtype=counts.dtype)
    for w, k in enumerate(places):
        out[k] += counts[:, w].transpose(1, 2, 0)
    return out
