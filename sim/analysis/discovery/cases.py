"""The cases of a search: the condition on an outcome, and its share of runs at every point of a sweep, in two halves.

A history is one draw from the chance of the outcome at its point, and that chance is what a place in the space of
parameters can explain. So the share of a point is what is peeled, and every point counts once, however many runs it
has: points stand for equal parts of the space.

The points are halved, and so are the runs: what is found among the points of the first half in even runs is judged
among those of the second half in odd runs. Points alone would not do, since all of them meet the same random numbers in
a run.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sim.experiment.statistics import Array
from sim.experiment.sweep.profiles import keys_of, runs_at, samples
from sim.experiment.sweep.store import Store, read_store
from sim.model.conditions import Condition, read
from sim.model.timeline import Calendar
from sim.model.validation import UserError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

KEY: Final = "discover.where"
NO_SWEEP: Final = (
    "the folder of a sweep; or say what to sweep, such as 'patron.control=interval(0.2,1)' study.points=512"
)
ALLOWED: Final = "OUTCOME, or OUTCOME < <= > >= == or != NUMBER, such as war or 'lull_days<14'"


def condition(text: str, units: dict[str, str], calendar: Calendar | None = None) -> Condition:
    """Read a condition on one of the outcomes of a sweep whose `units` are given; the sweep may hold it as one of them.

    >>> condition("war", {"war": "probability"}).tests
    (('==', 1.0),)
    """
    bare = text.strip().strip("'\"").strip()
    if units.get(bare) == "probability":
        return Condition(bare, bare, "probability", (("==", 1.0),))
    return read(text, units, calendar, key=KEY)


def sweep_at(path: Path | None) -> Store:
    """The store of the sweep to search.

    Raises:
        UserError: no folder is named, or there is no sweep in it.
    """
    store = None if path is None else read_store(path)
    if store is None:
        raise UserError("discover.sweep", path or "(missing)", NO_SWEEP)
    return store


Column = npt.NDArray[np.float64]

LEAST_POINTS: Final = 50


@dataclass(frozen=True)
class Half:
    """Points (n,) with what stands for each, and whether each of their runs (n, r) is a case; a run may be missing.

    `place` (n, dimensions) holds numbers as they are and names as text.
    """

    place: "pd.DataFrame"
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
        """The same points, seen in some of their dimensions."""
        return Half(self.place[[one for one in self.place.columns if one in keys]], self.cases, self.there)

    def some(self, chosen: Array) -> "Half":
        """Some of the points: a mask or numbers."""
        return Half(self.place.iloc[chosen].reset_index(drop=True), self.cases[chosen], self.there[chosen])

    def every(self, first: int, step: int) -> "Half":
        """Some of the runs at every point."""
        return Half(self.place, self.cases[:, first::step], self.there[:, first::step])


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
    split: "pd.DataFrame" = field(repr=False)
    """Every point: its sample, the half that it belongs to, and the first and the step of the runs used there."""


def cases_of(data: "xr.Dataset", looked_for: Condition, seed: int) -> Cases:
    """Read the cases from an opened sweep and halve it; points of the same sample stay together."""
    import pandas as pd

    dimensions = tuple(_dimensions(data))
    if data.sizes["point"] < LEAST_POINTS:
        allowed = f"{LEAST_POINTS} points or more: a box is a share of them"
        raise UserError("sweep", f"{data.sizes['point']} points", allowed)
    if not dimensions:
        raise UserError("sweep", "(one place)", "points that differ")
    have = runs_at(data)
    there = np.arange(int(have.max())) < have[:, None]
    hits = np.zeros(there.shape, dtype=bool)
    for points, sample in samples(data[looked_for.outcome], have):
        hits[points, : sample.shape[1]] = looked_for.of(sample)
    cases, histories = int((hits & there).sum()), int(there.sum())
    if cases in (0, histories):
        allowed = f"what some histories show and some do not ({cases} of {histories} do)"
        raise UserError(KEY, looked_for.text, allowed)
    numbers = np.unique(sample := data["sample"].values)
    chosen = np.random.default_rng(seed).permutation(numbers)[: (len(numbers) + 1) // 2]
    first, step = np.isin(sample, chosen), 2 if have.min() > 1 else 1
    start = np.where(first, 0, step - 1)
    split = pd.DataFrame({
        "point": data["point"].values,
        "sample": sample,
        "half": np.where(first, "searched", "held_out"),
        "first_run": start,
        "run_step": step,
        "runs": (have - start + step - 1) // step,
    })  # fmt: skip
    whole = Half(pd.DataFrame({one.key: data[one.key].values for one in dimensions}), hits, there)
    search, held_out = whole.some(first).every(0, step), whole.some(~first).every(step - 1, step)
    return Cases(looked_for, dimensions, search, held_out, int(have.max()), split)


def _dimensions(data: "xr.Dataset") -> list[Dimension]:
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
