"""Predictive distributions of counts: probabilities of 0, 1, 2, ... for each of several periods."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SPREAD: Final = 0.3
"""How far one sampled count stands for its neighbours, in units of sqrt(count): it fills the gaps between samples."""
PRIOR_MEMBERS: Final = 2.0
"""Weight, in sampled histories, of a broad distribution mixed in, so that no count is called impossible."""


@dataclass(frozen=True)
class Predictive:
    """Probabilities (P periods, S counts from 0); the last column stands for all counts from there on."""

    chance: Array

    @classmethod
    def of_samples(cls, samples: Array, weights: Array, largest: int) -> Self:
        """From sampled counts (M, P) with weights (M,), smoothed a little, over counts up to `largest`."""
        members = 1.0 / (weights**2).sum()
        mixed = PRIOR_MEMBERS / (members + PRIOR_MEMBERS)
        rows = []
        for column in np.minimum(samples, largest).T:
            raw = np.bincount(column, weights=weights, minlength=largest + 1)
            mean = float(raw @ np.arange(largest + 1))
            rows.append((1.0 - mixed) * (raw @ kernel(largest)) + mixed * broad(mean, largest))
        return cls(np.array(rows))

    @classmethod
    def negative_binomial(cls, means: Array, size: float, largest: int) -> Self:
        """Negative binomials with these means (P,) and one size, mean^2 / (variance - mean)."""
        from scipy.stats import nbinom

        counts = np.arange(largest)
        body = nbinom.pmf(counts, size, (size / (size + means))[:, None])
        return cls(np.concatenate([body, np.maximum(1.0 - body.sum(axis=1, keepdims=True), 0.0)], axis=1))

    @property
    def below(self) -> Array:
        """Probability (P, S) of that count or fewer."""
        return np.minimum(np.cumsum(self.chance, axis=1), 1.0)

    def quantile(self, level: float) -> Array:
        """The smallest counts (P,) that are not exceeded with this probability."""
        return np.asarray((self.below < level - 1e-12).sum(axis=1))

    def band(self, level: float) -> tuple[Array, Array, Array]:
        """Lower and upper ends (P,) of the central band, and the probability (P,) that it holds, at least `level`."""
        low, high = self.quantile((1.0 - level) / 2), self.quantile((1.0 + level) / 2)
        inside = np.arange(self.chance.shape[1])
        held = (self.chance * ((inside >= low[:, None]) & (inside <= high[:, None]))).sum(axis=1)
        return low, high, held


@cache
def kernel(largest: int) -> Array:
    """For each sampled count (row) the counts that it stands for: a bell of deviation SPREAD sqrt(count), cut off."""
    from scipy.special import ndtr

    counts = np.arange(largest + 1)
    deviation = np.maximum(SPREAD * np.sqrt(counts), 1e-3)[:, None]
    upper, lower = (counts + 0.5 - counts[:, None]) / deviation, (counts - 0.5 - counts[:, None]) / deviation
    mass = ndtr(upper) - ndtr(lower)
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))


def broad(mean: float, largest: int) -> Array:
    """A geometric distribution of about this mean over counts up to `largest`."""
    share = (mean + 1.0) / (mean + 2.0)
    chance = share ** np.arange(largest + 1)
    return np.asarray(chance / chance.sum())
