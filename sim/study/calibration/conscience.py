"""Whether posteriors can be trusted: rank statistics with simultaneous bands, coverage, recovery."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from sim.study.calibration.planted import DRAWS, Ranked

Array = npt.NDArray[Any]

LEVEL: Final = 0.05
"""Chance that sound posteriors fail somewhere, in the ranks or in the coverages of one region: shared out over all
quantities. Two regions with ranks and coverages each would so call sound posteriors unsound once in five or ten checks;
what fails is therefore looked at again, with other truths, and only what fails twice is called unsound."""

INTERVALS: Final = {0.5: (25, 75), 0.9: (5, 95)}
"""Intervals by their level: a truth is inside if its rank lies from the first number up to, not with, the second."""


@dataclass(frozen=True)
class Checked:
    """What the ranks of one quantity say.

    `uniform`: their distribution stays inside the band; `covered`: both coverages lie within their Monte Carlo error.
    `recovery` is the rank correlation of truths and posterior means. `again`: it failed at first, and what is told
    is the second look.
    """

    name: str
    uniform: bool
    farthest: float
    coverage_50: float
    coverage_90: float
    covered: bool
    recovery: float
    again: bool = False

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against the posterior of this quantity."""
        return self.uniform and self.covered


def check(ranked: Ranked) -> tuple[Checked, ...]:
    """Judge the ranks of every quantity, each at the level that leaves `LEVEL` for all of them together."""
    if not ranked.sets:
        return ()
    each = LEVEL / len(ranked.names)
    low, high = band(ranked.sets, 1.0 - each)
    limits = {level: binomial_limits(ranked.sets, level, each / len(INTERVALS)) for level in INTERVALS}
    return tuple(_checked(ranked, place, low, high, limits) for place in range(len(ranked.names)))


def confirmed(first: Sequence[Checked], second: Sequence[Checked]) -> tuple[Checked, ...]:
    """What is told of each quantity: the first look, or the second where something spoke against it in the first."""
    by_name = {one.name: replace(one, again=True) for one in second}
    return tuple(one if one.sound else by_name.get(one.name, one) for one in first)


def _checked(ranked: Ranked, place: int, low: Array, high: Array, limits: dict[float, tuple[float, float]]) -> Checked:
    ranks = ranked.ranks[:, place]
    shares = rank_shares(ranks)
    coverage = {level: float(((ranks >= first) & (ranks < last)).mean()) for level, (first, last) in INTERVALS.items()}
    return Checked(
        name=ranked.names[place],
        uniform=bool(((shares >= low) & (shares <= high)).all()),
        farthest=float(np.abs(shares - expected()).max()),
        coverage_50=coverage[0.5],
        coverage_90=coverage[0.9],
        covered=all(limits[level][0] <= share <= limits[level][1] for level, share in coverage.items()),
        recovery=correlation(_ranks_of(ranked.truths[:, place]), _ranks_of(ranked.means[:, place])),
    )


def rank_shares(ranks: Array) -> Array:
    """Share of the data sets (DRAWS,) whose rank does not exceed 0, 1, ..., DRAWS - 1."""
    counts = np.bincount(ranks, minlength=DRAWS + 1)
    return np.asarray(counts.cumsum()[:-1] / len(ranks))


def expected() -> Array:
    """The same (DRAWS,) for uniform ranks."""
    return np.arange(1, DRAWS + 1) / (DRAWS + 1)


@lru_cache(maxsize=16)
def band(sets: int, level: float) -> tuple[Array, Array]:
    """Band that all shares of uniform ranks stay inside at once with this probability (Säilynoja et al. 2022)."""
    from sim.study.calibration.diagnostics import ecdf_band

    return ecdf_band(sets, expected(), level)


def binomial_limits(sets: int, level: float, error: float) -> tuple[float, float]:
    """Shares between which a coverage of `level` lies by chance, but for the probability `error`; exact.

    >>> low, high = binomial_limits(1000, 0.9, 0.05)
    >>> round(low, 3), round(high, 3)
    (0.881, 0.918)
    """
    counts = np.arange(sets + 1)
    below = special.bdtr(counts, sets, level)
    low = int(np.searchsorted(below, error / 2.0))
    high = int(np.searchsorted(below, 1.0 - error / 2.0))
    return low / sets, high / sets


def correlation(one: Array, other: Array) -> float:
    """Correlation; 0 where one of the two does not vary."""
    if len(one) < 2 or one.std() == 0.0 or other.std() == 0.0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _ranks_of(values: Array) -> Array:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)
