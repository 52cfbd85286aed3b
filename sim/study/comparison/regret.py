"""What each choice may be regretted for: how much worse it is, draw by draw, than the best choice of that draw.

Scenarios are what can be chosen, draws are what cannot be known. The least expected regret over the choices is what
it would be worth to know the parameters before choosing (the expected value of perfect information).
Source: Savage (1951), The theory of statistical decision, for regret; Raiffa and Schlaifer (1961) for its value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Regrets:
    """Regret of each scenario in each draw (S, D), and the standard error that luck leaves in it (S, D)."""

    regret: Array
    error: Array

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All draws of several batches, in order."""
        return cls(
            np.concatenate([part.regret for part in parts], axis=1),
            np.concatenate([part.error for part in parts], axis=1),
        )


@dataclass(frozen=True)
class Regret:
    """One scenario and measure over the draws.

    expected: mean regret. worst: largest. best: share of draws in which no scenario does better. error: standard error
    that luck leaves in the regret of a single draw, on average: a worst regret of that size says nothing.
    """

    expected: float
    worst: float
    best: float
    error: float


def regrets_of(losses: Array) -> Regrets:
    """Regrets from losses (scenario, draw, run), all under the same luck; a loss is what had better be less.

    >>> regrets_of(np.array([[[1.0, 3.0]], [[1.0, 1.0]]])).regret
    array([[1.],
           [0.]])
    """
    losses = np.asarray(losses, dtype=np.float64)
    means = losses.mean(axis=2)
    best = means.argmin(axis=0)
    excess = losses - losses[best, np.arange(losses.shape[1])]
    return Regrets(means - means.min(axis=0), excess.std(axis=2, ddof=1) / np.sqrt(losses.shape[2]))


def told(regrets: Regrets) -> tuple[Regret, ...]:
    """Regret of every scenario over all draws."""
    return tuple(
        Regret(
            expected=float(mine.mean()),
            worst=float(mine.max()),
            best=float((mine == 0.0).mean()),
            error=float(error.mean()),
        )
        for mine, error in zip(regrets.regret, regrets.error, strict=True)
    )
