"""The cases of a sweep: at each point the share of its histories that are looked for, in two halves.

A history is one draw from the chance of the outcome at its point, and that chance is what a place in the space of
parameters can explain. So the share of a point is what is peeled, and every point counts once, however many runs it
has: points stand for equal parts of the space.

The points are halved, and so are the runs: what is found among the points of the first half in even runs is judged
among those of the second half in odd runs. Points alone would not do, since all of them meet the same luck in a run.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from sim.study.discovery.condition import Condition
from sim.study.sweep.along import keys_of, runs_at
from sim.study.sweep.precision import samples
from sim.world.errors import UserError

Array = npt.NDArray[Any]
Column = npt.NDArray[np.float64]

LEAST_POINTS: Final = 50


@dataclass(frozen=True)
class Half:
    """Points (n,) with what stands for each, and whether each of their runs (n, r) is a case; a run may be missing.

    `place` (n, dimensions) holds numbers as they are and names as text.
    """

    place: pd.DataFrame
    cases: Array
    there: Array

    @property
    def points(self) -> int:
        """Number of points."""
        return len(self.place)

    @cached_property
    def shares(self) -> Column:
        """Share of cases (n,) at each point."""
        return np.asarray((self.cases & self.there).sum(axis=1) / self.there.sum(axis=1))

    def along(self, keys: Collection[str]) -> "Half":
        """The same points, told by some of their dimensions."""
        return Half(self.place[[one for one in self.place.columns if one in keys]], self.cases, self.there)

    def some(self, chosen: Array) -> "Half":
        """Some of the points: a mask or numbers."""
        return Half(self.place.iloc[chosen].reset_index(drop=True), self.cases[chosen], self.there[chosen])


@dataclass(frozen=True)
class Dimension:
    """Something that varies: its key, unit and meaning, whether it is a number, and from where to where it goes."""

    key: str
    unit: str
    text: str
    numeric: bool
    low: float
    high: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class Cases:
    """What is looked for, the dimensions of the space, and its two halves."""

    condition: Condition
    dimensions: tuple[Dimension, ...]
    search: Half
    held_out: Half
    runs: int


def cases_of(data: xr.Dataset, looked_for: Condition, seed: int) -> Cases:
    """Read the cases from an opened sweep and halve it; points of the same sample stay together.

    Raises:
        UserError: too few points, nothing that varies, or all histories alike.
    """
    dimensions = tuple(_dimensions(data))
    if data.sizes["point"] < LEAST_POINTS:
        raise UserError(
            "sweep", f"{data.sizes['point']} points", f"{LEAST_POINTS} points or more: a box is a share of them"
        )
    if not dimensions:
        raise UserError("sweep", "(one place)", "points that differ")
    have = runs_at(data)
    there = np.arange(int(have.max())) < have[:, None]
    hits = np.zeros(there.shape, dtype=bool)
    unit = str(data[looked_for.outcome].attrs.get("units", ""))
    for points, sample in samples(data[looked_for.outcome], have):
        hits[points, : sample.shape[1]] = looked_for.holds(sample, unit)
    cases, histories = int((hits & there).sum()), int(there.sum())
    if cases in (0, histories):
        raise UserError(
            "discover.where", looked_for.text, f"what some histories show and some do not ({cases} of {histories} do)"
        )
    place = pd.DataFrame({one.key: data[one.key].values for one in dimensions})
    first = _first_half(data["sample"].values, seed)
    even, odd = (slice(0, None, 2), slice(1, None, 2)) if have.min() > 1 else (slice(None), slice(None))
    whole = Half(place, hits, there)
    search, held_out = whole.some(first), whole.some(~first)
    return Cases(
        looked_for, dimensions,
        Half(search.place, search.cases[:, even], search.there[:, even]),
        Half(held_out.place, held_out.cases[:, odd], held_out.there[:, odd]),
        int(have.max()),
    )  # fmt: skip


def _first_half(samples_of: Array, seed: int) -> Array:
    """Whether each point (P,) belongs to the half in which boxes are looked for."""
    numbers = np.unique(samples_of)
    chosen = np.random.default_rng(seed).permutation(numbers)[: (len(numbers) + 1) // 2]
    return np.isin(samples_of, chosen)


def _dimensions(data: xr.Dataset) -> list[Dimension]:
    found = []
    for name in keys_of(data):
        column = data[name]
        if len(values := np.unique(column.values)) < 2:
            continue
        about = (name, str(column.attrs.get("units", "")), str(column.attrs.get("long_name", name)))
        if column.dtype.kind in "iuf":
            found.append(Dimension(*about, True, float(values[0]), float(values[-1]), ()))
        else:
            found.append(Dimension(*about, False, 0.0, 0.0, tuple(str(one) for one in values)))
    return found
