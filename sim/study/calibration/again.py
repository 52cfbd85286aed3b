"""The same posterior by another method that shares nothing with the first: plain rejection.

Another seed, so other parameters and other luck; every report is drawn, deaths and misjudged counts included, and no
weight is worked out. What is not reported exactly as in the article is thrown away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.calibration.bank import Bank
from sim.study.calibration.planted import reports
from sim.study.calibration.posterior import Posterior, combined, weighted_deviation, weighted_quantile
from sim.study.calibration.verdicts import IDENTIFIED, Quantity

Array = npt.NDArray[Any]

MEDIANS: Final = 0.25
"""Posterior standard deviations that the two medians may differ by."""
WIDTHS: Final = 0.25
"""Share by which the widths of the two intervals of nine in ten may differ."""


@dataclass(frozen=True)
class Agreement:
    """One quantity by both methods: medians apart in posterior standard deviations, widths as a ratio less 1."""

    name: str
    verdict: str
    medians_apart: float
    widths_apart: float

    @property
    def asked(self) -> bool:
        """Whether agreement is asked for: only what is identified must come out alike."""
        return self.verdict == IDENTIFIED

    @property
    def agrees(self) -> bool:
        """Whether both differences are within their limits."""
        return abs(self.medians_apart) <= MEDIANS and abs(self.widths_apart) <= WIDTHS


def rejected(bank: Bank, seed: int) -> Array:
    """Rows of a bank whose every report, drawn by chance, is the one of the article."""
    told = reports(bank, np.random.default_rng(seed))
    same = np.ones(bank.size, dtype=bool)
    for one in bank.figures:
        same &= told[one.id] == one.reading.told
    return np.flatnonzero(same)


def agreements(posterior: Posterior, bank: Bank, rows: Array, quantities: Sequence[Quantity]) -> tuple[Agreement, ...]:
    """Compare the weighted posterior with the rows of another bank that rejection left."""
    verdicts = {one.name: one.verdict for one in quantities}
    mine, other = (_with_products(values) for values in (posterior.values(), bank.prior.values(rows)))
    return tuple(_compared(name, verdicts[name], mine[name], posterior.weights, other[name]) for name in verdicts)


def _with_products(values: Mapping[str, Array]) -> dict[str, Array]:
    return {**values, **combined(values)}


def _compared(name: str, verdict: str, values: Array, weights: Array, other: Array) -> Agreement:
    tail = (0.05, 0.5, 0.95)
    low, middle, high = weighted_quantile(values, weights, tail)
    other_low, other_middle, other_high = np.quantile(other, tail)
    return Agreement(
        name=name,
        verdict=verdict,
        medians_apart=float((other_middle - middle) / weighted_deviation(values, weights)),
        widths_apart=float((other_high - other_low) / (high - low) - 1.0),
    )
