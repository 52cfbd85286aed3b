"""Statistics that several methods share: value counts, weighted quantiles, Monte Carlo errors, intervals, resampling.

A quantile is of one of two kinds. An *observed* one is the smallest value that at least a share q of the sample does
not exceed: it means something for counts, for days on which a thing may never happen, and for histograms. All others
are interpolated between values, as NumPy does by default. ArviZ is imported where it is used: it takes seconds.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, SupportsFloat

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Column = npt.NDArray[np.float64]

TWENTIETHS: Final = {"q05": 1, "q25": 5, "median": 10, "q75": 15, "q95": 19}
"""The quantiles of every table, as whole twentieths, so that no rounding moves a rank."""
LEVELS: Final = {name: part / 20 for name, part in TWENTIETHS.items()}
"""The same as shares."""
INTERVAL_90: Final = (0.05, 0.95)
"""Ends of the interval that holds the middle 90%."""
ROUNDING: Final = 1e-9
"""By how much summed weights may miss a level by rounding alone."""
NORMAL_90: Final = 1.6448536269514722
"""Standard errors to each side that hold the middle 90% of a normal estimate."""
NORMAL_95: Final = 1.959963984540054
"""Standard deviations to each side of an interval that covers 95%."""


@dataclass(frozen=True)
class Tally:
    """Distinct values in order (V,) and how often each came (V,); infinite values stand for what never happened.

    Outcomes are whole numbers, or ratios of two, so the values that ever occur are few; a tally grows with them and not
    with the histories, and its quantiles are exact.
    """

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

    def replaced(self, old: float, new: float) -> Self:
        """With one value replaced by another, such as -1 for never by infinity."""
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

    def interval(self) -> tuple[float, float]:
        """5% and 95% quantile, the latter counted from above: minus the 5% quantile of the negative sample."""
        return self.quantile(1), self.ranked(self.total + 1 - math.ceil(self.total / 20))

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


def finite(value: SupportsFloat) -> float | None:
    """The number, or None where it is infinite or not a number: tables and JSON have neither."""
    number = float(value)
    return number if math.isfinite(number) else None


def quantile(
    values: npt.ArrayLike, level: float | Sequence[float] | Array, axis: int | None = None, *,
    weights: Array | None = None, observed: bool = False,
) -> Any:  # fmt: skip
    """Quantiles at a level or at several of them; observed values where asked for or where values have weights.

    >>> quantile([1, 2, 3, 4], 0.5).item(), quantile([1, 2, 3, 4], 0.5, observed=True).item()
    (2.5, 2)
    >>> quantile([3.0, 1.0, 2.0], 0.5, weights=np.array([0.25, 0.25, 0.5])).item()
    2.0
    """
    if weights is not None:
        level = np.asarray(level) - ROUNDING
    method = "inverted_cdf" if observed or weights is not None else "linear"
    return np.quantile(values, level, axis=axis, weights=weights, method=method)  # type: ignore[call-overload]


def interval_90(values: Array, *, observed: bool = False) -> tuple[float, float]:
    """Where the middle 90% of values (N,) lie.

    >>> interval_90(np.arange(101.0))
    (5.0, 95.0)
    """
    low, high = quantile(values, INTERVAL_90, observed=observed)
    return float(low), float(high)


def midpoint_quantile(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Quantiles (levels,) of weighted values: where the weights, summed in order, pass each level, interpolated.

    >>> midpoint_quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]), [0.5])
    array([2.])
    """
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(np.asarray(levels) * weights.sum(), middle, values[order]))


def histogram_quantile(counts: Array, twentieths: int) -> Array:
    """The same quantile of histograms (..., bins), as bin numbers (...); a histogram without entries gives -1."""
    total = counts.sum(axis=-1, keepdims=True)
    reached = 20 * counts.cumsum(axis=-1) >= total * twentieths
    return np.where(total[..., 0] > 0, reached.argmax(axis=-1), -1)


def weighted_deviation(values: Array, weights: Array) -> float:
    """Standard deviation of weighted values."""
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def effective_sample_size(weights: Array) -> float:
    """Effective sample size of weights: (sum)^2 / sum of squares.

    >>> effective_sample_size(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def error_of_share(values: Column) -> Column:
    """Standard error of shares (P,) of runs (P, R) that are 0 or 1, with one of each added.

    >>> error_of_share(np.zeros((1, 98))).round(4)
    array([0.0099])
    """
    count = values.shape[1] + 2
    share = (values.sum(axis=1) + 1) / count
    return np.asarray(np.sqrt(share * (1 - share) / count))


def error_of_quantile(ordered: Column, level: float) -> Column:
    """Error of a quantile (P,) of ordered runs (P, R): half the width of its one-sigma interval, whatever the tail.

    The number of runs below the true quantile is binomial, so the values at R q -+ sqrt(R q (1 - q)) enclose it.
    Infinite where the upper one lies beyond the last run; 0 where both are the same.
    """
    runs = ordered.shape[1]
    half = np.sqrt(runs * level * (1 - level))
    low, high = int(np.floor(runs * level - half)), int(np.ceil(runs * level + half))
    if low < 0 or high >= runs:
        return np.full(len(ordered), np.inf)
    with np.errstate(invalid="ignore"):
        found = (ordered[:, high] - ordered[:, low]) / 2
    return np.where(ordered[:, high] == ordered[:, low], 0.0, found)


def clustered_error(parts: Array) -> float:
    """Standard error of the sum of parts (points, runs), clustered by point and by run."""
    by_point, by_run, alone = (parts.sum(axis=1) ** 2).sum(), (parts.sum(axis=0) ** 2).sum(), (parts**2).sum()
    runs = parts.shape[1]
    variance = by_point if runs < 2 else max(by_point, by_point + by_run * runs / (runs - 1) - alone)
    return float(np.sqrt(variance))


def binomial_limits(sets: int, level: float, error: float) -> tuple[float, float]:
    """Shares between which a coverage of `level` lies by chance, but for the probability `error`; exact.

    >>> low, high = binomial_limits(1000, 0.9, 0.05)
    >>> round(low, 3), round(high, 3)
    (0.881, 0.918)
    """
    from scipy import special

    below = special.bdtr(np.arange(sets + 1), sets, level)
    low, high = (int(np.searchsorted(below, tail)) for tail in (error / 2.0, 1.0 - error / 2.0))
    return low / sets, high / sets


def jackknife(found: Column) -> Column:
    """Variance (K,) of numbers that were found G times (G, K), each time without one of G equal parts of the runs.

    Zero where there are no such parts, because the runs are too few.
    """
    if not len(found):
        return np.zeros(found.shape[1])
    return np.asarray(((found - found.mean(axis=0)) ** 2).sum(axis=0) * (len(found) - 1) / len(found))


def rank_correlation(one: Array, other: Array) -> float:
    """Spearman's correlation, ties in their order; 0 where one of the two does not vary."""
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64) for values in (one, other)]
    return correlation(*ranks)


def correlation(one: Array, other: Array) -> float:
    """Correlation; 0 where one of the two does not vary."""
    if len(one) < 2 or one.std() == 0.0 or other.std() == 0.0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def arviz() -> Any:
    """ArviZ, without the warning that it speaks on import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz

    return arviz


def ecdf_band(sample: int, shares: Array, level: float) -> tuple[Array, Array]:
    """Simultaneous band of an empirical distribution of `sample` values where the true one has `shares` (points,).

    Säilynoja, Bürkner and Vehtari (2022), worked out without simulation.
    """
    arviz()
    from arviz.stats.ecdf_utils import ecdf_confidence_band

    low, high = ecdf_confidence_band(sample, shares, shares, prob=level, method="optimized")
    return np.asarray(low), np.asarray(high)


def pareto_k(weights: Array) -> float:
    """Shape of the tail of importance weights (Vehtari et al. 2024): below 0.7 their mean can be trusted."""
    kept = weights[weights > 0.0]
    if len(kept) < 25 or kept.max() == kept.min():
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (UserWarning, RuntimeWarning))
        _, shape = arviz().psislw(np.log(kept))
    return float(shape)
