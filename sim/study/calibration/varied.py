"""The posterior with one figure left out, or read otherwise, from the same bank: what each figure does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sim.study.calibration.bank import Bank
from sim.study.calibration.figures import Figure
from sim.study.calibration.posterior import (
    LEAST_EFFECTIVE,
    Posterior,
    combined,
    effective,
    likelihood,
    reported,
    weighed,
    weighted_quantile,
)
from sim.study.calibration.reading import AtLeast, Exact, Reading, Relative, Rounded
from sim.study.calibration.verdicts import NOT, Quantity

MISJUDGED: Final = 0.05
"""How far a reporter misjudges a rounded count where that reading is tried."""


@dataclass(frozen=True)
class Varied:
    """One variation: what was changed, effective draws, and the interval of nine in ten of each quantity shown."""

    change: str
    effective: float
    evidence: float
    intervals: dict[str, tuple[float, float]]


def varied(bank: Bank, quantities: Sequence[Quantity]) -> tuple[Varied, ...]:
    """The posterior as it is, without each figure, and with each rounded figure read in other ways.

    Intervals are told of what is identified or weakly so with all figures. A variation that leaves too few draws is
    left out.
    """
    names = [one.name for one in quantities if one.verdict != NOT]
    found = []
    for change, figures in variations(bank.figures):
        weights = likelihood(figures, bank.numbers, bank.chance, reported(figures))
        if effective(weights) >= LEAST_EFFECTIVE:
            found.append(_told(change, weights, thinned(bank, weights), names))
    return tuple(found)


def variations(figures: Sequence[Figure]) -> Iterator[tuple[str, tuple[Figure, ...]]]:
    """Each variation in words, with the figures that are left."""
    yield "as it is", tuple(figures)
    for place, one in enumerate(figures):
        rest = (*figures[:place], *figures[place + 1 :])
        if rest:
            yield f"without {one.id}", rest
        if type(one.reading) is Rounded:
            told, step = one.reading.reported, one.reading.step
            others: dict[str, Reading] = {
                "exact": Exact(told),
                "at_least": AtLeast(told),
                "relative": Relative(told, step, MISJUDGED),
            }
            for name, reading in others.items():
                read = replace(one, reading=reading)
                yield f"{one.id} read as {name}", (*figures[:place], read, *figures[place + 1 :])


def thinned(bank: Bank, weights: np.ndarray, most: int = 50_000) -> Posterior:
    """The posterior of weights, from the first rows alone where they are more than enough for an interval."""
    rows = np.flatnonzero(weights)
    if len(rows) > most:
        weights = np.where(np.arange(len(weights)) <= rows[most - 1], weights, 0.0)
    return weighed(bank, weights)


def _told(change: str, weights: np.ndarray, posterior: Posterior, names: Sequence[str]) -> Varied:
    values = posterior.values()
    values = {**values, **combined(values)}
    intervals = {}
    for name in names:
        low, high = weighted_quantile(values[name], posterior.weights, (0.05, 0.95))
        intervals[name] = (float(low), float(high))
    return Varied(change, effective(weights), float(weights.mean()), intervals)
