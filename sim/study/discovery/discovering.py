"""`discover`: the boxes of a sweep in which an outcome is most at home, and whether they hold where nobody looked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from sim.study.discovery.box import Content, Side, Sides, content, inside
from sim.study.discovery.cases import Cases, Dimension, Half, cases_of
from sim.study.discovery.chance import density_error, excess, quasi_p, tail
from sim.study.discovery.condition import condition
from sim.study.discovery.peeling import Search, contents, search
from sim.study.sweep.opened import open_sweep

Array = npt.NDArray[Any]

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
        return next((one.limit for one in self.sides if one.kind == "low"), None)

    @property
    def high(self) -> float | None:
        """Upper limit; None where there is none."""
        return next((one.limit for one in self.sides if one.kind == "high"), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Names that the box has of a dimension of names."""
        return next((one.names for one in self.sides if one.kind == "names"), ())


@dataclass(frozen=True)
class Step:
    """A box on the way: its number of restricted dimensions, and what it holds in either half."""

    dimensions: int
    found: Content
    held_out: Content


@dataclass(frozen=True)
class Box:
    """A box: its restrictions; what it holds where it was found and where nobody looked; how it came about.

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
        """Whether it is better than chance where nobody looked."""
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

    def table(self) -> pd.DataFrame:
        """One row for each restriction of each box; what `boxes.csv` holds."""
        return pd.DataFrame(box_rows(self), columns=list(COLUMNS))

    def inside(self, box: int, place: pd.DataFrame) -> Array:
        """Which points (n,) of a table with one column per key lie in a box (0 is the first)."""
        return inside(self.boxes[box].sides, place)


COLUMNS: Final = (
    "box", "key", "unit", "low", "high", "names", "swept_low", "swept_high", "quasi_p_low", "quasi_p_high",
    "restricted_again", "mass", "coverage", "density", "held_out_mass", "held_out_coverage", "held_out_density",
    "held_out_density_error", "held_out_density_elsewhere", "held_out_p", "better_than_chance",
)  # fmt: skip


def discover(
    sweep: xr.Dataset | Path | str,
    where: str,
    *,
    boxes: int = BOXES,
    coverage: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Discovery:
    """Find where in the space of a sweep an outcome comes from.

    Args:
        sweep: an opened sweep, or its folder.
        where: what is looked for: an outcome that is 0 or 1 (`war`), or one compared with a number (`lull_days<14`).
        boxes: how many boxes at most, each among the points that the ones before left.
        coverage: take the densest box that covers at least this share of the cases left; None: the box whose coverage
            exceeds its mass most.
        progress: called with the number of searches that are done.

    Returns:
        Boxes with coverage, density and mass where they were found and where nobody looked.

    Raises:
        UserError: there is no such sweep or outcome, too few points, nothing to find, or no ema-workbench.
    """
    data = sweep if isinstance(sweep, xr.Dataset) else open_sweep(sweep)
    return discovered(cases_of(data, condition(where, units(data)), seed_of(data)), boxes, coverage, progress)


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
            _restriction(one, {side: value for side, value in values.items() if side.key == one.key}, again)
            for one in cases.dimensions
            if one.key in {side.key for side in sides}
        ),
        found=_of_all(content(inside(sides, left.place), left), left, cases.search),
        held_out=_of_all(content(within, judged), judged, cases.held_out),
        error=density_error(within, judged),
        elsewhere=float(judged.shares[~within].mean()) if (~within).any() else 0.0,
        p_value=1.0 if alone else tail(difference, error, judged.points, judged.there.shape[1]),
        steps=_steps(tried, left, judged),
        chosen=tried.chosen,
    )


def _restriction(one: Dimension, values: dict[Side, float], again: dict[str, float]) -> Restriction:
    return Restriction(one, tuple(values), tuple(values.values()), again[one.key])


def _of_all(held: Content, left: Half, whole: Half) -> Content:
    """A content of what was left, as shares of the whole half."""
    total = float(whole.shares.sum())
    cases = held.coverage * float(left.shares.sum())
    return Content(held.points, held.points / whole.points, cases / total if total else 0.0, held.density)


def box_rows(found: Discovery) -> list[dict[str, Any]]:
    """One row for each restriction of each box."""
    return [
        dict(zip(COLUMNS, (number, *_restricted(one), *_held(box)), strict=True))
        for number, box in enumerate(found.boxes, 1)
        for one in box.restrictions
    ]


def _restricted(one: Restriction) -> tuple[Any, ...]:
    dimension = one.dimension
    by_kind = {side.kind: value for side, value in zip(one.sides, one.quasi_p, strict=True)}
    swept = (dimension.low, dimension.high) if dimension.numeric else (None, None)
    first = by_kind.get("low", by_kind.get("names"))
    limits = (one.low, one.high, " ".join(one.names))
    return (dimension.key, dimension.unit, *limits, *swept, first, by_kind.get("high"), one.again)


def _held(box: Box) -> tuple[Any, ...]:
    here, there = box.found, box.held_out
    return (
        here.mass, here.coverage, here.density, there.mass, there.coverage, there.density,
        box.error, box.elsewhere, box.p_value, box.believed,
    )  # fmt: skip
