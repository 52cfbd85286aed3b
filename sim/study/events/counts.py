"""Counts of attacks as they are known: how many so far, at the ends of days, in all and by theatre."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Report:
    """How a file was read: its format, its rows, the rows used, the rows dropped by reason, and remarks."""

    format: str
    rows: int
    kept: int
    dropped: dict[str, int]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Attacks so far at the ends of days on which they are known (E of them), over theatres (K).

    `ends` are day numbers of the case's calendar; counting begins after `ends[0]`, where all is 0. `total` (E,) is
    always known, `split` (E, K) is NaN where the source does not tell the theatre.
    """

    theatres: tuple[str, ...]
    ends: Array
    total: Array
    split: Array
    report: Report = field(compare=False)

    @property
    def daily(self) -> bool:
        """Whether the count of every single day is known."""
        return bool((np.diff(self.ends) == 1).all())

    def upto(self, day: int) -> "Counts":
        """What was known at the end of a day."""
        known = self.ends <= day
        return Counts(self.theatres, self.ends[known], self.total[known], self.split[known], self.report)

    def nearest_end(self, day: int) -> int:
        """The last day up to `day` at whose end the total is known; the first one where there is none."""
        return int(self.ends[max(0, int(np.searchsorted(self.ends, day, side="right")) - 1)])

    def between(self, edges: Array) -> Array:
        """Attacks (len(edges) - 1,) between consecutive ends, each of which must be known."""
        return np.diff(self.total[np.searchsorted(self.ends, edges)])

    def split_between(self, theatre: int, edges: Array) -> Array:
        """The same of one theatre; NaN where it is not told."""
        return np.diff(self.split[np.searchsorted(self.ends, edges), theatre])


def from_days(theatres: tuple[str, ...], first: int, by_day: Array, report: Report) -> Counts:
    """Counts from the attacks of each day and theatre (D, K), the first of them day number `first`."""
    so_far = np.concatenate([np.zeros((1, len(theatres))), np.cumsum(by_day, axis=0)])
    return Counts(theatres, first - 1 + np.arange(len(so_far)), so_far.sum(axis=1), so_far, report)
