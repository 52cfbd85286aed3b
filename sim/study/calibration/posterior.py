"""From a bank and what was reported to the posterior: exact under the stated readings, by weighing rows of the prior.

The weight of a row is the probability of all reports given its history, a product over the figures. Draws from the
prior with these weights are draws from the posterior, with no tolerance and no summary in between, because the figures
themselves are few and whole. The only error left is that of a finite bank, which the effective sample size tells.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.calibration.bank import Bank, Levels
from sim.study.calibration.figures import Figure
from sim.world.errors import UserError

Array = npt.NDArray[Any]

LEAST_EFFECTIVE: Final = 50.0
"""Fewer effective draws than this say nothing worth printing."""


@dataclass(frozen=True)
class Posterior:
    """Rows of a bank that the figures leave (rows,), with their weights, which sum to 1, and their levels.

    `evidence` is the mean weight over the whole bank, the probability of the reports under the prior, with its Monte
    Carlo standard error.
    """

    bank: Bank
    rows: Array
    weights: Array
    levels: Levels
    evidence: float
    evidence_error: float

    @property
    def keys(self) -> tuple[str, ...]:
        """Parameters that were fitted."""
        return self.bank.prior.keys

    @property
    def effective(self) -> float:
        """Effective sample size, 1 / sum of squared weights."""
        return effective(self.weights)

    def values(self) -> dict[str, Array]:
        """Values of the parameters of the rows by key."""
        return self.bank.prior.columns(self.levels)


def effective(weights: Array) -> float:
    """Effective sample size of weights: (sum)^2 / sum of squares.

    >>> effective(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def likelihood(
    figures: Sequence[Figure], numbers: Mapping[str, Array], chance: Array, told: Mapping[str, float]
) -> Array:
    """Probability (rows,) of what is told of each figure, given the numbers behind them (rows,)."""
    whole = np.ones(len(chance))
    for one in figures:
        # Most rows are out after a figure or two; the closed forms that follow need not be worked out for them.
        left = np.flatnonzero(whole)
        whole[left] *= one.reading.likely(numbers[one.id][left], chance[left], told[one.id])
    return whole


def reported(figures: Sequence[Figure]) -> dict[str, float]:
    """What was reported of each figure, by its id."""
    return {one.id: one.reading.told for one in figures}


def posterior_of(
    bank: Bank, figures: Sequence[Figure] | None = None, told: Mapping[str, float] | None = None
) -> Posterior:
    """The posterior given what is told of the figures; those of the bank, as reported, unless others are given.

    Raises:
        UserError: hardly any row of the bank agrees with them.
    """
    figures = bank.figures if figures is None else tuple(figures)
    weights = likelihood(figures, bank.numbers, bank.chance, reported(figures) if told is None else told)
    if effective(weights) < LEAST_EFFECTIVE:
        raise UserError(
            "calibration.draws", bank.size,
            f"more, or other figures: only {effective(weights):.0f} effective draws of the prior agree with them",
        )  # fmt: skip
    return weighed(bank, weights)


def weighed(bank: Bank, weights: Array) -> Posterior:
    """The posterior that weights (rows of the bank,) make."""
    rows = np.flatnonzero(weights)
    kept = weights[rows]
    error = float(weights.std() / np.sqrt(bank.size))
    levels = bank.prior.levels(rows)
    return Posterior(bank, rows, kept / kept.sum(), levels, float(weights.mean()), error)


def accepted(weights: Array, generator: np.random.Generator) -> Array:
    """Places of an unweighted sample: each row stays with a probability in proportion to its weight, none twice.

    The largest weight stays for certain. Unlike resampling it repeats no row, so the draws are independent.
    """
    return np.flatnonzero(generator.random(len(weights)) * weights.max() < weights)


def weighted_quantile(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Quantiles (levels,) of weighted values: where the weights, summed in order, pass each level.

    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]), [0.5])
    array([2.])
    """
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(np.asarray(levels) * weights.sum(), middle, values[order]))


def weighted_deviation(values: Array, weights: Array) -> float:
    """Standard deviation of weighted values."""
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


Quantity = Callable[[Mapping[str, Array]], Array]

COMBINED: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "lethal attacks per attack": (
        ("casualties.penetration", "casualties.lethality"), "1 per attack", "p_pen p_lethal",
    ),
    "acknowledged attacks, scale": (("multipliers.baseline", "observation.chance"), "1", "x_b p_obs"),
}  # fmt: skip
"""Products of parameters that the figures see while they do not see the factors: their factors, unit and symbol."""


def combined(columns: Mapping[str, Array]) -> dict[str, Array]:
    """The products whose factors are all there, by name."""
    return {
        name: np.prod([columns[key] for key in factors], axis=0)
        for name, (factors, _, _) in COMBINED.items()
        if all(key in columns for key in factors)
    }
