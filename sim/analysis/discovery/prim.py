"""PRIM: boxes by peeling and pasting with the EMA workbench, which of their sides to keep, and significance tests.

Source: Friedman and Fisher 1999, doi:10.1023/A:1008894516817; Bryant and Lempert 2010,
doi:10.1016/j.techfore.2009.08.002.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from sim.analysis.discovery.cases import Half
from sim.experiment.statistics import Array, clustered_error
from sim.model.validation import UserError


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


PEELED: Final = 0.05
"""Share of the points in the box that a step takes off."""
LEAST_MASS: Final = 0.05
LEAST_POINTS: Final = 10
"""A box holds at least this share, and this number, of the points."""
ALPHA: Final = 0.05
"""A side stays if its quasi-p-value, times the number of sides that could have been chosen, lies below this."""


def workbench() -> Any:
    """The modules of the EMA workbench."""
    try:
        with warnings.catch_warnings():
            # It speaks of other libraries that it could use.
            warnings.simplefilter("ignore")
            from ema_workbench.analysis import RuleInductionType, prim
    except ImportError:
        raise UserError("discover", "ema-workbench (missing)", "pip install 'lull-sim[discover]'") from None
    return prim, RuleInductionType.REGRESSION


def trajectory(half: Half) -> list[Sides]:
    """The boxes that peeling and pasting pass through, from the whole space on."""
    prim, regression = workbench()
    # Under names of ours: a column that is called scenario would be dropped without a word.
    names = [f"c{number}" for number in range(half.place.shape[1])]
    table = half.place.set_axis(names, axis=1)
    table = table.astype({name: float for name in names if table[name].dtype.kind in "iuf"})
    search = prim.Prim(
        table, half.shares, threshold=-1.0, mode=regression, peel_alpha=PEELED, paste_alpha=PEELED,
        mass_min=max(LEAST_MASS, LEAST_POINTS / half.points),
    )  # fmt: skip
    found = search.find_box()
    back = dict(zip(names, map(str, half.place.columns), strict=True))
    whole = _limits(found.box_lims[0], back)
    return [sides_of(_limits(one, back), whole) for one in found.box_lims]


def _limits(box: pd.DataFrame, back: dict[str, str]) -> dict[str, Any]:
    return {
        back[str(name)]: frozenset(map(str, low)) if isinstance(low, set) else (float(low), float(high))
        for name, (low, high) in ((name, box[name].tolist()) for name in box.columns)
    }


def contents(boxes: Sequence[Sides], half: Half) -> list[Content]:
    """What each box holds."""
    return [content(inside(one, half.place), half) for one in boxes]


def choose(held: Sequence[Content], coverage: float | None) -> int:
    """Which box to tell: the densest that covers so much, else the one that is most over-represented.

    That is the one with the largest coverage less mass: cases in the box beyond those that any part of the space of its
    size would hold (weighted relative accuracy; Lavrac, Flach and Zupan 1999, doi:10.1007/3-540-48751-4_17).
    """
    if coverage is None:
        return int(np.argmax([one.coverage - one.mass for one in held]))
    enough = [k for k, one in enumerate(held) if one.coverage >= coverage]
    return max(enough, key=lambda k: held[k].density) if enough else 0


def pruned(sides: Sides, half: Half, choices: int = 1) -> Sides:
    """The box without the sides that chance could as well have brought, the weakest dropped first.

    Args:
        sides: the box.
        half: the points on which it was found.
        choices: sides that could have been chosen; each quasi-p-value is multiplied with it.
    """
    while sides:
        values = quasi_p(sides, half)
        worst = int(np.argmax(values))
        if values[worst] * choices <= ALPHA:
            break
        sides = tuple(one for k, one in enumerate(sides) if k != worst)
    return sides


@dataclass(frozen=True)
class Search:
    """A search: the boxes that it passed through, which of them was chosen, and what is left of that one's sides."""

    boxes: tuple[Sides, ...]
    chosen: int
    sides: Sides


def search(half: Half, coverage: float | None) -> Search:
    """Peel twice: once along everything, to see which dimensions matter, then along those alone.

    Among many dimensions each gets few of the steps, so that real ones are hardly cut and idle ones are cut by chance.
    In the second peeling the former are cut in full. What is left has to stand against all the sides that there were.
    """
    if not half.shares.any():
        return Search(((),), 0, ())
    boxes = trajectory(half)
    chosen = choose(contents(boxes, half), coverage)
    keys = {side.key for side in pruned(boxes[chosen], half)}
    if not keys:
        return Search(tuple(boxes), chosen, ())
    if len(keys) < half.place.shape[1]:
        boxes = trajectory(half.along(keys))
        chosen = choose(contents(boxes, half), coverage)
    return Search(tuple(boxes), chosen, pruned(boxes[chosen], half, 2 * half.place.shape[1]))


def quasi_p(sides: Sides, half: Half) -> list[float]:
    """For each side: the chance of so many cases in the box if it were no denser than without that side.

    P(X >= H), X binomial with T trials of the density without that side, H of T being the cases of the box.

    Runs at a point are no independent cases, so T and H are divided by the design effect: the variance of the shares of
    the points in the box over that of as many independent histories. With one run a point this is the plain binomial.
    "Quasi", because the same points chose the side.

    Source: Bryant and Lempert 2010 for the test; Rao and Scott 1992, doi:10.2307/2532311, for the design effect.
    """
    from scipy.special import betainc

    shares = half.shares
    outside = np.stack([~side.holds(half.place[side.key]) for side in sides])
    broken = outside.sum(axis=0)
    box = shares[broken == 0]
    density = float(box.mean()) if len(box) else 0.0
    trials = len(box) * independent_runs(box, float(half.there.sum(axis=1).mean()))
    cases = density * trials
    if cases <= 0.0:
        return [1.0] * len(sides)
    without = [float(shares[broken == own].mean()) for own in outside]
    return [float(betainc(cases, trials - cases + 1.0, one)) for one in without]


def independent_runs(shares: Array, runs: float) -> float:
    """How many independent histories the runs of a point are worth, from 1 to all of them.

    >>> independent_runs(np.array([0.0, 1.0, 1.0, 0.0]), 50.0), independent_runs(np.full(4, 0.5), 50.0)
    (1.0, 50.0)
    """
    density = float(shares.mean())
    spread = float(shares.var(ddof=1)) if len(shares) > 1 else 0.0
    return min(runs, max(1.0, density * (1.0 - density) / spread)) if spread > 0.0 else runs


def excess(within: Array, half: Half) -> tuple[float, float]:
    """How much denser points `within` (n,) are than the others, and the standard error of that.

    Clustered by point and by run, because all points meet the same random numbers in the same run.
    """
    weights = half.there / half.there.sum(axis=1, keepdims=True)
    signs = np.where(within, 1.0 / within.sum(), -1.0 / (~within).sum())
    shares = half.shares
    level = np.where(within, shares[within].mean(), shares[~within].mean())
    parts = signs[:, None] * weights * (half.cases - level[:, None])
    return float(signs @ shares), clustered_error(parts)


def density_error(within: Array, half: Half) -> float:
    """Standard error of the density of points `within` (n,), clustered alike."""
    box = half.some(within)
    weights = box.there / box.there.sum(axis=1, keepdims=True) / max(1, box.points)
    parts = weights * (box.cases - (box.shares.mean() if box.points else 0.0))
    return clustered_error(parts)


def tail(difference: float, error: float, points: int, runs: int) -> float:
    """One-sided p-value of a difference: Student's, with as few degrees of freedom as there are points or runs.

    >>> round(tail(2.0, 1.0, 1000, 1), 3), tail(0.0, 1.0, 9, 9), tail(-1.0, 0.0, 9, 9)
    (0.023, 0.5, 1.0)
    """
    from scipy.special import stdtr

    if error <= 0.0:
        return 0.0 if difference > 0.0 else 1.0
    degrees = points - 1 if runs < 2 else min(points, runs) - 1
    return float(stdtr(max(1, degrees), -difference / error))
