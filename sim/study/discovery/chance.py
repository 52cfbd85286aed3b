"""How much of a box chance could have made: quasi-p-values of its sides, and the test on what was held out."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.study.discovery.box import Sides
from sim.study.discovery.cases import Half

Array = npt.NDArray[Any]


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

    Clustered by point and by run, because all points meet the same luck in the same run.
    """
    weights = half.there / half.there.sum(axis=1, keepdims=True)
    signs = np.where(within, 1.0 / within.sum(), -1.0 / (~within).sum())
    shares = half.shares
    level = np.where(within, shares[within].mean(), shares[~within].mean())
    parts = signs[:, None] * weights * (half.cases - level[:, None])
    by_point, by_run, alone = (parts.sum(axis=1) ** 2).sum(), (parts.sum(axis=0) ** 2).sum(), (parts**2).sum()
    runs = half.there.shape[1]
    variance = by_point if runs < 2 else max(by_point, by_point + by_run * runs / (runs - 1) - alone)
    return float(signs @ shares), float(np.sqrt(variance))


def density_error(within: Array, half: Half) -> float:
    """Standard error of the density of points `within` (n,), clustered alike."""
    box = half.some(within)
    weights = box.there / box.there.sum(axis=1, keepdims=True) / max(1, box.points)
    parts = weights * (box.cases - (box.shares.mean() if box.points else 0.0))
    by_point, by_run, alone = (parts.sum(axis=1) ** 2).sum(), (parts.sum(axis=0) ** 2).sum(), (parts**2).sum()
    runs = half.there.shape[1]
    variance = by_point if runs < 2 else max(by_point, by_point + by_run * runs / (runs - 1) - alone)
    return float(np.sqrt(variance))


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
