"""PAWN and delta: how the distribution of the statistic over the points differs where one parameter is known.

Both work on any points. Few points alone make both indices greater than zero, so dummies, which are independent of
everything, say what an index is worth. The formulas are SALib's, arranged for many parameters and resamples: what they
share is computed once.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.sensitivity.targets import Column

Array = npt.NDArray[Any]

SLICES: Final = 10
"""Slices of a parameter's range in PAWN, equally full."""
GRID: Final = 100
"""Places at which delta compares densities."""
DUMMIES: Final = 5


def pawn(points: Column, values: Column) -> Column:
    """PAWN (2, D): median and greatest Kolmogorov-Smirnov distance over slices (Pianosi and Wagener 2018).

    Args:
        points: parameters (N, D).
        values: the statistic (N,).
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    overall = (ends + 1) / len(values)
    found = np.empty((2, points.shape[1]))
    for place in range(points.shape[1]):
        distances = _distances(points[order, place], ends, overall)
        found[:, place] = np.median(distances), distances.max()
    return found


def _distances(parameter: Column, ends: Array, overall: Column) -> Column:
    """Kolmogorov-Smirnov distances of the slices that are not empty, with values in ascending order."""
    edges = np.quantile(parameter, np.linspace(0.0, 1.0, SLICES + 1))
    # As in SALib, the largest value of the parameter belongs to no slice.
    slices = np.searchsorted(edges, parameter, side="right") - 1
    members = slices == np.arange(SLICES)[:, None]
    counts = members.sum(axis=1)
    used = counts > 0
    reached = np.cumsum(members[used], axis=1)[:, ends] / counts[used, None]
    return np.asarray(np.abs(reached - overall).max(axis=1))


def delta(points: Column, values: Column) -> Column:
    """Delta and first order (2, D) from slices (Plischke, Borgonovo, Smith 2013), before the bias is reduced.

    Args:
        points: parameters (N, D).
        values: the statistic (N,).
    """
    from SALib.analyze.delta import sobol_first

    count = len(values)
    edges = np.linspace(0, count, classes(count) + 1)
    grid = np.linspace(values.min(), values.max(), GRID)
    overall = density(values, grid)
    found = np.empty((2, points.shape[1]))
    for place in range(points.shape[1]):
        order = np.argsort(points[:, place], kind="stable")
        parts = np.split(values[order], np.floor(edges[1:-1]).astype(np.int64))
        apart = [len(part) * np.trapezoid(np.abs(overall - density(part, grid)), grid) for part in parts]
        found[:, place] = sum(apart) / (2 * count), sobol_first(values, points[:, place], edges)
    return found


def classes(count: int) -> int:
    """Slices that delta cuts each parameter into.

    >>> classes(512), classes(4096)
    (5, 16)
    """
    exponent = 2.0 / (7.0 + np.tanh((1500.0 - count) / 500.0))
    return int(np.round(min(int(np.ceil(count**exponent)), 48)))


def density(values: Column, grid: Column) -> Column:
    """Density on a grid by Gaussian kernels of Silverman's width; zero where all values are one."""
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    if spread == 0.0:
        return np.zeros(len(grid))
    width = spread * (len(values) * 3.0 / 4.0) ** -0.2
    kinds, counts = np.unique(values, return_counts=True)
    scaled = (grid[:, None] - kinds) / width
    return np.asarray(np.exp(-0.5 * scaled**2) @ counts / (len(values) * width * np.sqrt(2.0 * np.pi)))


def dummies(count: int, seed: int) -> Column:
    """Columns (count, 5) that have nothing to do with anything."""
    return np.random.default_rng([seed, 2]).random((count, DUMMIES))
