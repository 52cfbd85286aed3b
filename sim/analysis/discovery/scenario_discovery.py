"""`discover`: the boxes of a sweep in which an outcome is most at home, and whether they hold in the held-out half."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from sim.analysis.discovery.cases import Cases, Dimension, Half
from sim.analysis.discovery.prim import (
    Content,
    Search,
    Sides,
    content,
    contents,
    density_error,
    excess,
    inside,
    quasi_p,
    search,
    tail,
)
from sim.experiment.statistics import Array

BOXES: Final = 3
RESAMPLES: Final = 10
"""Searches in random halves of the points, to see which restrictions come again."""
BELIEVED: Final = 0.01
"""Held-out p-value above which a box is called no better than chance."""


@dataclass(frozen=True)
class Restriction:
    """One dimension of a box: its sides, the quasi-p-value of each, and the share of resamples that restrict it too."""

    dimension: Dimension
    sides: Sides
    quasi_p: tuple[float, ...]
    again: float

    @property
    def low(self) -> float | None:
        """Lower limit; None where there is none."""
        return self._limit("low")

    @property
    def high(self) -> float | None:
        """Upper limit; None where there is none."""
        return self._limit("high")

    @property
    def names(self) -> tuple[str, ...]:
        """Names that the box has of a dimension of names."""
        return next((one.names for one in self.sides if one.kind == "names"), ())

    def _limit(self, kind: str) -> float | None:
        return next((one.limit for one in self.sides if one.kind == kind), None)

    def quasi_p_of(self, *kinds: str) -> float | None:
        """The quasi-p-value of a side of one of these kinds; None where there is none."""
        pairs = zip(self.sides, self.quasi_p, strict=True)
        return next((value for side, value in pairs if side.kind in kinds), None)


@dataclass(frozen=True)
class Step:
    """A box on the way: its number of restricted dimensions, and what it holds in either half."""

    dimensions: int
    found: Content
    held_out: Content


@dataclass(frozen=True)
class Box:
    """A box: its restrictions; what it holds where it was found and in the held-out half; how it came about.

    `error` is that of the held-out density, `elsewhere` the density held out outside of all boxes so far, `p_value`
    that of the difference. `steps` is the trajectory, `chosen` the step that the box was made of by dropping sides.
    """

    restrictions: tuple[Restriction, ...]
    found: Content
    held_out: Content
    error: float
    elsewhere: float
    p_value: float
    steps: tuple[Step, ...]
    chosen: int

    @property
    def believed(self) -> bool:
        """Whether it is better than chance in the held-out half."""
        return self.p_value < BELIEVED

    @property
    def sides(self) -> Sides:
        """All of its sides."""
        return tuple(side for one in self.restrictions for side in one.sides)


@dataclass(frozen=True)
class Discovery:
    """What was found: the cases, the boxes in the order in which they were found, the density of the whole space.

    The last box may be one that is no better than chance: then there are no more. `steps` is the way of a first search
    that ended in no box at all.
    """

    cases: Cases
    boxes: tuple[Box, ...]
    density: float
    density_held_out: float
    steps: tuple[Step, ...]

    @property
    def believed(self) -> tuple[Box, ...]:
        """The boxes that are better than chance."""
        return tuple(one for one in self.boxes if one.believed)

    def inside(self, box: int, place: pd.DataFrame) -> Array:
        """Which points (n,) of a table with one column per key lie in a box (0 is the first)."""
        return inside(self.boxes[box].sides, place)


COLUMNS: Final[dict[str, Callable[[Box, Restriction], Any]]] = {
    "key": lambda _, one: one.dimension.key,
    "unit": lambda _, one: one.dimension.unit,
    "low": lambda _, one: one.low,
    "high": lambda _, one: one.high,
    "names": lambda _, one: " ".join(one.names),
    "swept_low": lambda _, one: one.dimension.low if one.dimension.numeric else None,
    "swept_high": lambda _, one: one.dimension.high if one.dimension.numeric else None,
    "quasi_p_low": lambda _, one: one.quasi_p_of("low", "names"),
    "quasi_p_high": lambda _, one: one.quasi_p_of("high"),
    "restricted_again": lambda _, one: one.again,
    "mass": lambda box, _: box.found.mass,
    "coverage": lambda box, _: box.found.coverage,
    "density": lambda box, _: box.found.density,
    "held_out_mass": lambda box, _: box.held_out.mass,
    "held_out_coverage": lambda box, _: box.held_out.coverage,
    "held_out_density": lambda box, _: box.held_out.density,
    "held_out_density_error": lambda box, _: box.error,
    "held_out_density_elsewhere": lambda box, _: box.elsewhere,
    "held_out_p": lambda box, _: box.p_value,
    "better_than_chance": lambda box, _: box.believed,
}
"""What is written of each restriction of each box, behind the number of the box."""


def box_rows(found: Discovery) -> list[dict[str, Any]]:
    """One row for each restriction of each box."""
    return [
        {"box": number, **{name: value(box, one) for name, value in COLUMNS.items()}}
        for number, box in enumerate(found.boxes, 1)
        for one in box.restrictions
    ]


def units(data: xr.Dataset) -> dict[str, str]:
    """The outcomes of an opened sweep with their units."""
    return {str(name): str(one.attrs.get("units", "")) for name, one in data.items() if one.dims == ("point", "run")}


def seed_of(data: xr.Dataset) -> int:
    """The seed of a sweep, which halves it too."""
    return int(data.attrs.get("seed", 0))


def discovered(
    cases: Cases, boxes: int = BOXES, coverage: float | None = None, progress: Callable[[int], None] | None = None
) -> Discovery:
    """Find boxes one after the other until no side is worth telling, or one is no better than chance."""
    left, judged = cases.search, cases.held_out
    chance = np.random.default_rng([len(left.place), boxes])
    found: list[Box] = []
    first: tuple[Step, ...] = ()
    while len(found) < boxes and min(left.points, judged.points) > 1:
        tried = search(left, coverage)
        first = first or _steps(tried, left, judged)
        if not tried.sides:
            break
        again = _again(left, coverage, chance, progress)
        found.append(_box(tried, again, cases, left, judged))
        if not found[-1].believed:
            break
        left = left.some(~inside(tried.sides, left.place))
        judged = judged.some(~inside(tried.sides, judged.place))
    return Discovery(cases, tuple(found), float(cases.search.shares.mean()), float(cases.held_out.shares.mean()), first)


def _steps(tried: Search, left: Half, judged: Half) -> tuple[Step, ...]:
    pairs = zip(tried.boxes, contents(tried.boxes, left), contents(tried.boxes, judged), strict=True)
    return tuple(Step(len({side.key for side in sides}), here, there) for sides, here, there in pairs)


def _again(
    left: Half, coverage: float | None, chance: np.random.Generator, progress: Callable[[int], None] | None
) -> dict[str, float]:
    """Share of searches in random halves of the points that restrict each dimension too."""
    counts = dict.fromkeys(map(str, left.place.columns), 0)
    for _ in range(RESAMPLES):
        some = left.some(chance.permutation(left.points)[: left.points // 2])
        for key in {side.key for side in search(some, coverage).sides}:
            counts[key] += 1
        if progress is not None:
            progress(1)
    return {key: count / RESAMPLES for key, count in counts.items()}


def _box(tried: Search, again: dict[str, float], cases: Cases, left: Half, judged: Half) -> Box:
    sides = tried.sides
    within = inside(sides, judged.place)
    alone = min(within.sum(), (~within).sum()) < 2
    difference, error = (0.0, 0.0) if alone else excess(within, judged)
    values = dict(zip(sides, quasi_p(sides, left), strict=True))
    return Box(
        restrictions=tuple(
            Restriction(one, mine, tuple(values[side] for side in mine), again[one.key])
            for one in cases.dimensions
            if (mine := tuple(side for side in sides if side.key == one.key))
        ),
        found=_of_all(content(inside(sides, left.place), left), left, cases.search),
        held_out=_of_all(content(within, judged), judged, cases.held_out),
        error=density_error(within, judged),
        elsewhere=float(judged.shares[~within].mean()) if (~within).any() else 0.0,
        p_value=1.0 if alone else tail(difference, error, judged.points, judged.there.shape[1]),
        steps=_steps(tried, left, judged),
        chosen=tried.chosen,
    )


def _of_all(held: Content, left: Half, whole: Half) -> Content:
    """A content of what was left, as shares of the whole half."""
    total = float(whole.shares.sum())
    cases = held.coverage * float(left.shares.sum())
    return Content(held.points, held.points / whole.points, cases / total if total else 0.0, held.density)
