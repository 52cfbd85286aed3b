"""How often each value of an outcome came: all that a table of outcomes needs, however many histories there are.

Outcomes are whole numbers, or ratios of two, so the values that ever occur are few; a tally grows with them and not
with the histories, and its quantiles are exact.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Tally:
    """Distinct values in order (V,) and how often each came (V,); infinite values stand for what never happened."""

    values: Array
    counts: Array

    @classmethod
    def of(cls, sample: Array) -> Self:
        """Count a sample (N,)."""
        values, counts = np.unique(np.asarray(sample, dtype=np.float64), return_counts=True)
        return cls(values, counts.astype(np.int64))

    def __add__(self, other: Self) -> Self:
        """Both samples counted together."""
        values, place = np.unique(np.concatenate((self.values, other.values)), return_inverse=True)
        counts = np.zeros(len(values), dtype=np.int64)
        np.add.at(counts, place, np.concatenate((self.counts, other.counts)))
        return type(self)(values, counts)

    def moved(self, old: float, new: float) -> Self:
        """With one value told as another, such as -1 for never as infinity."""
        values = np.where(self.values == old, new, self.values)
        order = np.argsort(values, kind="stable")
        return type(self)(values[order], self.counts[order])

    @property
    def total(self) -> int:
        """Size of the sample."""
        return int(self.counts.sum())

    def ranked(self, rank: int) -> float:
        """The value of a rank, from 1 for the lowest to `total`.

        >>> Tally.of(np.array([3.0, 1.0, 1.0])).ranked(2)
        1.0
        """
        return float(self.values[np.searchsorted(self.counts.cumsum(), rank)])

    def quantile(self, twentieths: int) -> float:
        """The smallest value that at least so many twentieths of the sample do not exceed.

        >>> Tally.of(np.arange(1.0, 21.0)).quantile(1)
        1.0
        """
        return self.ranked(-(-self.total * twentieths // 20))

    def mean(self) -> float:
        """Mean of the sample."""
        return float((self.values * self.counts).sum() / self.total)

    def share_at_least(self, value: float) -> float:
        """Share of the sample with at least this value."""
        return float(self.counts[self.values >= value].sum() / self.total)

    def share_of(self, value: float) -> float:
        """Share of the sample with exactly this value."""
        return float(self.counts[self.values == value].sum() / self.total)

    def error_of_mean(self) -> float | None:
        """Standard error of the mean, deviation / sqrt(N); None for one value, which says nothing of its spread."""
        if self.total < 2:
            return None
        squares = (self.counts * (self.values - self.mean()) ** 2).sum()
        return math.sqrt(float(squares) / (self.total - 1) / self.total)

    def error_of_median(self) -> float | None:
        """Standard error of the median, whatever the tail: half the width of its one-sigma interval.

        The number of values below the true median is binomial with deviation sqrt(N) / 2, so the values of rank
        (N -+ sqrt(N)) / 2 enclose it with the probability of one standard deviation. None where one of them is
        infinite or there are fewer than ten values.
        """
        if self.total < 10:
            return None
        half = math.sqrt(self.total) / 2
        low = self.ranked(math.floor(self.total / 2 - half) + 1)
        high = self.ranked(min(math.ceil(self.total / 2 + half) + 1, self.total))
        return (high - low) / 2 if math.isfinite(high) else None
