"""A box: a range of some numbers, some of the names of others; what lies in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.study.discovery.cases import Half

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Side:
    """One restriction: a number not below or not above `limit`, or one of `names`."""

    key: str
    kind: str
    limit: float = 0.0
    names: tuple[str, ...] = ()

    def holds(self, column: "pd.Series[Any]") -> Array:
        """Which points (n,) keep to it."""
        if self.kind == "names":
            return np.asarray(column.isin(self.names))
        return np.asarray(column >= self.limit if self.kind == "low" else column <= self.limit)


Sides = tuple[Side, ...]


@dataclass(frozen=True)
class Content:
    """What a box holds: points, share of the points, share of all cases, and share of cases among its histories."""

    points: int
    mass: float
    coverage: float
    density: float


def inside(sides: Sides, place: pd.DataFrame) -> Array:
    """Which points (n,) lie in the box."""
    found = np.full(len(place), True)
    for side in sides:
        found &= side.holds(place[side.key])
    return found


def content(within: Array, half: Half) -> Content:
    """What the points `within` (n,) hold, of a half."""
    shares = half.shares
    count, total = int(within.sum()), float(shares.sum())
    held = float(shares[within].sum())
    return Content(count, count / len(shares), held / total if total else 0.0, held / count if count else 0.0)


def sides_of(limits: Mapping[str, tuple[float, float] | frozenset[str]], whole: Mapping[str, Any]) -> Sides:
    """The restrictions of limits, against those of the whole space.

    >>> sides_of({"a": (0.2, 1.0), "b": (0.0, 1.0)}, {"a": (0.0, 1.0), "b": (0.0, 1.0)})
    (Side(key='a', kind='low', limit=0.2, names=()),)
    """
    found: list[Side] = []
    for key, limit in limits.items():
        if isinstance(limit, frozenset):
            if limit != whole[key]:
                found.append(Side(key, "names", names=tuple(sorted(limit))))
            continue
        if limit[0] > whole[key][0]:
            found.append(Side(key, "low", limit[0]))
        if limit[1] < whole[key][1]:
            found.append(Side(key, "high", limit[1]))
    return tuple(found)
