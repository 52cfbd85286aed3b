"""Sobol indices, first and total order, without the part that chance has in them.

A variance, and each numerator of an index, is a quadratic form Q of the statistic at the points. With m the mean of two
halves of the runs and d half of their difference, Q(m) - Q(d) is what the product of the two halves gives: luck is
independent between them, so its part vanishes on average. SALib's estimators give both.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.study.sensitivity.luck import Array, Halves
from sim.study.sensitivity.targets import Column

TINY: Final = 1e-9
"""Share of the variance between points below which nothing but rounding is left when chance is taken out."""


@dataclass(frozen=True)
class Forms:
    """Numerators (2 D,) of the indices, the last D of steps by chance alone, and the variance to divide by."""

    first: Column
    total: Column
    variance: float


def sobol_indices(found: Halves, chance: Halves, samples: Array, parameters: int) -> tuple[Column, float]:
    """Total and first order (2, D + 1), the dummy last, and the variance of the statistic over the space.

    The dummy is the mean over parameters that step as far as chance alone makes the D parameters step.

    Args:
        found: the statistic at all points, in blocks of A, A with one parameter of B each, B.
        chance: what chance alone makes of the same points.
        samples: which blocks to use (N,), with repetitions.
        parameters: D.
    """
    known = _forms(found.mean, chance.mean, samples, parameters)
    rest = _forms(found.half_difference, chance.half_difference, samples, parameters)
    variance = known.variance - rest.variance
    numerators = np.stack([known.total - rest.total, known.first - rest.first])
    measured = np.append(numerators[:, :parameters], numerators[:, parameters:].mean(axis=1, keepdims=True), axis=1)
    if variance <= TINY * known.variance:
        return np.full(measured.shape, np.nan), 0.0
    return measured / variance, variance


def _forms(values: Column, chance: Column, samples: Array, parameters: int) -> Forms:
    from SALib.analyze.sobol import first_order, total_order

    blocks = values.reshape(-1, parameters + 2)[samples]
    blocks = blocks - blocks[:, [0, -1]].mean()
    start, end = blocks[:, :1], blocks[:, -1:]
    other = chance.reshape(-1, parameters + 2)[samples]
    steps = np.concatenate([blocks[:, 1:-1], start + other[:, 1:-1] - other[:, :1]], axis=1)
    starts, ends = np.broadcast_to(start, steps.shape), np.broadcast_to(end, steps.shape)
    variance = float(np.var(blocks[:, [0, -1]]))
    if variance == 0.0:
        return Forms(np.zeros(2 * parameters), np.zeros(2 * parameters), 0.0)
    return Forms(variance * first_order(starts, steps, ends), variance * total_order(starts, steps, ends), variance)
