"""The cases of a search: the condition on an outcome, and its share of runs at every point of a sweep, in two halves.

A history is one draw from the chance of the outcome at its point, and that chance is what a place in the space of
parameters can explain. So the share of a point is what is peeled, and every point counts once, however many runs it
has: points stand for equal parts of the space.

The points are halved, and so are the runs: what is found among the points of the first half in even runs is judged
among those of the second half in odd runs. Points alone would not do, since all of them meet the same random numbers in
a run.
"""

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sim.experiment.statistics import Array
from sim.experiment.sweep.profiles import keys_of, runs_at, samples
from sim.experiment.sweep.store import Store, read_store
from sim.model.validation import UserError, one_of
from sim.rules.outcomes import NEVER

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

KEY: Final = "discover.where"
NO_SWEEP: Final = (
    "the folder of a sweep; or say what to sweep, such as 'patron.control=interval(0.2,1)' study.points=512"
)
ALLOWED: Final = "OUTCOME, or OUTCOME < <= > >= == or != NUMBER, such as war or 'lull_days<14'"

_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_FORM: Final = re.compile(r"(\w+)\s*(?:(<=|>=|==|!=|<|>)\s*([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?))?")


@dataclass(frozen=True)
class Condition:
    """The histories that are looked for: those whose `outcome` compares so with `number`."""

    outcome: str
    sign: str
    number: float
    text: str

    @property
    def slug(self) -> str:
        """A name that any file system takes.

        >>> condition("lull_days < 14", {"lull_days": "days"}).slug
        'lull_days-below-14'
        """
        words = {"<": "below", "<=": "to", ">": "above", ">=": "from", "==": "is", "!=": "not"}
        number = f"{self.number:g}".replace("+", "")
        return self.outcome if self.text == self.outcome else f"{self.outcome}-{words[self.sign]}-{number}"

    def holds(self, values: Array, unit: str) -> Array:
        """Which histories (any shape) it holds for; a day that never came lies beyond every other day.

        >>> condition("war_day<120", {"war_day": "day"}).holds(np.array([-1, 110, 130]), "day")
        array([False,  True, False])
        """
        days = np.where(values == NEVER, np.inf, values) if unit == "day" else values
        return np.asarray(_COMPARISONS[self.sign](days, self.number), dtype=bool)


def sweep_at(path: Path | None) -> Store:
    """The store of the sweep to search.

    Raises:
        UserError: no folder is named, or there is no sweep in it.
    """
    store = None if path is None else read_store(path)
    if store is None:
        raise UserError("discover.sweep", path or "(missing)", NO_SWEEP)
    return store


def condition(text: str, units: dict[str, str]) -> Condition:
    """Read a condition on one of the outcomes whose `units` are given.

    >>> condition("war", {"war": "probability"})
    Condition(outcome='war', sign='==', number=1.0, text='war')
    """
    bare = text.strip().strip("'\"").strip()
    found = _FORM.fullmatch(bare)
    if found is None:
        raise UserError(KEY, text, ALLOWED)
    outcome, sign, number = found.groups()
    if outcome not in units:
        raise UserError(KEY, text, f"outcomes: {one_of(units, outcome)}")
    if sign is None:
        if units[outcome] != "probability":
            raise UserError(KEY, text, f"a comparison such as '{outcome}<14'")
        return Condition(outcome, "==", 1.0, bare)
    return Condition(outcome, sign, float(number), f"{outcome} {sign} {float(number):g}")


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
    unit = str(data[looked_for.outcome].attrs.get("units", ""))
    for points, sample in samples(data[looked_for.outcome], have):
        hits[points, : sample.shape[1]] = looked_for.holds(sample, unit)
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
