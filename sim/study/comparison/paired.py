"""Pairs of histories under the same luck: what differs, by how much, how surely, and what the pairing is worth.

Two levels: parameters differ between draws, luck within one. Every history of a draw is paired with the history of the
other arm that has the same parameters and the same run number, and no run number is used in two draws, so the draws
are a nested design: variance between their means is that of the parameters plus 1/runs of that of luck.
Source: Searle, Casella and McCulloch (1992), Variance Components, chapter 3, for the balanced one-way layout.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from sim.study.tally import Tally

Array = npt.NDArray[Any]

ONE_SIDED: Final = 1.6448536269514722
"""Standard errors that hold the middle 90% of a normal estimate."""


@dataclass(frozen=True)
class Draws:
    """Pairs of one measure, draw by draw (D,): `a` the baseline, `b` the other arm, differences are b - a.

    `value_a`, `value_b` and `difference` are means, or medians where the tail is heavy. Variances are within the draw;
    `couplable` is the covariance if the two arms' values were paired by rank, the most that any pairing could give.
    """

    value_a: Array
    value_b: Array
    difference: Array
    variance_a: Array
    variance_b: Array
    variance: Array
    couplable: Array
    less: Array
    tie: Array
    more: Array

    @classmethod
    def of(cls, a: Array, b: Array, heavy: bool) -> Self:
        """From the values of all pairs (draw, run).

        >>> Draws.of(np.array([[1.0, 2.0]]), np.array([[2.0, 2.0]]), False).difference
        array([0.5])
        """
        a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        d = b - a
        middle = np.median if heavy else np.mean
        return cls(
            value_a=middle(a, axis=1),
            value_b=middle(b, axis=1),
            difference=middle(d, axis=1),
            variance_a=a.var(axis=1, ddof=1),
            variance_b=b.var(axis=1, ddof=1),
            variance=d.var(axis=1, ddof=1),
            couplable=_covariance(np.sort(a, axis=1), np.sort(b, axis=1)),
            less=(d < 0.0).mean(axis=1),
            tie=(d == 0.0).mean(axis=1),
            more=(d > 0.0).mean(axis=1),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All draws of several batches, in order."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


@dataclass(frozen=True)
class Effect:
    """What one arm changes against the baseline, in one measure; NaN where a number does not exist.

    value_a, value_b, difference: over all draws. low, high: middle 90% of the difference over the draws, or, with a
    single draw, of its estimate under luck. error: Monte Carlo standard error of the difference. draws_sd: spread of
    the difference between draws, without what luck adds. luck_sd: its spread between histories of one draw.
    history_low, history_high: middle 90% of single pairs over all draws. less, tie, more: shares of pairs in which the
    arm has less than, as much as and more than the baseline; draws_less, draws_same, draws_more: shares of draws whose
    difference lies below, at and above zero. removed: share of the variance of two unpaired samples that pairing takes
    away within draws; removable: the most, were the two arms perfectly correlated; attainable: the most that any
    pairing of these two distributions could reach.
    """

    value_a: float
    value_b: float
    difference: float
    low: float
    high: float
    error: float
    draws_sd: float
    luck_sd: float
    history_low: float
    history_high: float
    less: float
    tie: float
    more: float
    draws_less: float
    draws_same: float
    draws_more: float
    removed: float
    removable: float
    attainable: float


def effect_of(draws: Draws, runs: int, single: Tally, heavy: bool) -> Effect:
    """The effect over all draws of `runs` pairs each; `single` tallies the differences of all pairs.

    Means and variances mean nothing where the tail is heavy: there the medians of the draws are told, and no spread.
    """
    number = len(draws.difference)
    luck = float(draws.variance.mean())
    between = float(draws.difference.var(ddof=1)) if number > 1 else math.nan
    error = math.sqrt(between / number if number > 1 else luck / runs)
    middle = np.median if heavy else np.mean
    difference = float(middle(draws.difference))
    if number > 1:
        over = Tally.of(draws.difference)
        low, high = lower(over), upper(over)
    else:
        low, high = difference - ONE_SIDED * error, difference + ONE_SIDED * error
    none = math.nan
    removed, removable, attainable = pairing(draws)
    return Effect(
        value_a=float(middle(draws.value_a)),
        value_b=float(middle(draws.value_b)),
        difference=difference,
        low=none if heavy and number == 1 else low,
        high=none if heavy and number == 1 else high,
        error=none if heavy else error,
        draws_sd=none if heavy or number == 1 else math.sqrt(max(0.0, between - luck / runs)),
        luck_sd=none if heavy else math.sqrt(luck),
        history_low=lower(single),
        history_high=upper(single),
        less=float(draws.less.mean()),
        tie=float(draws.tie.mean()),
        more=float(draws.more.mean()),
        draws_less=float((draws.difference < 0.0).mean()) if number > 1 else none,
        draws_same=float((draws.difference == 0.0).mean()) if number > 1 else none,
        draws_more=float((draws.difference > 0.0).mean()) if number > 1 else none,
        removed=none if heavy else removed,
        removable=none if heavy else removable,
        attainable=none if heavy else attainable,
    )


@dataclass(frozen=True)
class CompetingDraws:
    """Pairs under the competing risk of war, draw by draw (D,).

    `pairs`: number without war in either arm. Values, variance and shares are those of these pairs, NaN where there are
    none. `better`, `even`, `worse`: shares of all pairs by the loss of the scenario against that of the baseline, with
    the loss that war brings; NaN for a measure without a direction.
    """

    pairs: Array
    value_a: Array
    value_b: Array
    difference: Array
    variance: Array
    less: Array
    tie: Array
    more: Array
    better: Array
    even: Array
    worse: Array

    @classmethod
    def of(cls, a: Array, b: Array, heavy: bool, war: Array, lost: Array | None = None) -> Self:
        """From all pairs (draw, run), whether war came in either arm, and the losses (arm, draw, run).

        >>> a, b = np.array([[1.0, 9.0]]), np.array([[3.0, 0.0]])
        >>> CompetingDraws.of(a, b, False, np.array([[False, True]])).difference.tolist()
        [2.0]
        """
        kept = ~np.asarray(war, dtype=bool)
        a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        d = b - a
        pairs = kept.sum(axis=1)
        difference = _mean(d, kept)
        middle = _median if heavy else _mean
        squares = np.where(kept, (d - difference[:, None]) ** 2, 0.0).sum(axis=1)
        none = np.full(len(a), np.nan)
        judged = [none] * 3 if lost is None else [one.mean(axis=1) for one in _order(lost[1] - lost[0])]
        return cls(
            pairs,
            middle(a, kept),
            middle(b, kept),
            middle(d, kept),
            np.divide(squares, pairs - 1, out=none.copy(), where=pairs > 1),
            *(_mean(one.astype(np.float64), kept) for one in _order(d)),
            *judged,
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All draws of several batches, in order."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


@dataclass(frozen=True)
class Competing:
    """What one arm changes against the baseline where war ends histories; NaN where a number does not exist.

    share: of pairs without war in either arm. All up to draws_more are those of these pairs, named as in `Effect`:
    means over all of them, medians of the medians of the draws where the tail is heavy; intervals over the draws, each
    with the weight of its pairs, of the difference and (low_a to high_b) of the two values. better, even, worse: shares
    of all pairs, with the loss that war brings.
    """

    share: float
    value_a: float
    value_b: float
    difference: float
    low: float
    high: float
    error: float
    less: float
    tie: float
    more: float
    draws_less: float
    draws_same: float
    draws_more: float
    low_a: float
    high_a: float
    low_b: float
    high_b: float
    better: float
    even: float
    worse: float


def competing_of(draws: CompetingDraws, runs: int, heavy: bool) -> Competing:
    """The same over all draws of `runs` pairs each."""
    here = draws.pairs > 0
    weight, none = draws.pairs[here], math.nan
    judged = [float(one.mean()) for one in (draws.better, draws.even, draws.worse)]
    share = float(draws.pairs.sum() / (runs * len(draws.pairs)))
    if not here.any():
        return Competing(share, *(none,) * 16, *judged)
    d = draws.difference[here]

    def over(values: Array) -> float:
        return float(np.median(values[here]) if heavy else np.average(values[here], weights=weight))

    def spread(values: Array) -> tuple[float, float]:
        seen, place = np.unique(values[here], return_inverse=True)
        tally = Tally(seen, np.bincount(place, weights=weight).astype(np.int64))
        return (lower(tally), upper(tally)) if several else (none, none)

    several = len(draws.pairs) > 1
    low, high = spread(draws.difference)
    error = none
    if len(d) > 1 and not heavy:
        # A ratio of two sums over draws, differences and pairs: Cochran (1977), Sampling Techniques, section 6.3.
        residual = weight * (d - over(draws.difference))
        error = math.sqrt(len(d) / (len(d) - 1) * float((residual**2).sum())) / float(weight.sum())
    elif not several and not heavy and weight[0] > 1:
        error = math.sqrt(draws.variance[0] / weight[0])
        low, high = float(d[0]) - ONE_SIDED * error, float(d[0]) + ONE_SIDED * error
    rest = [
        *(float(np.average(one[here], weights=weight)) for one in (draws.less, draws.tie, draws.more)),
        *(float(one.mean()) if several else none for one in _order(d)),
        *spread(draws.value_a),
        *spread(draws.value_b),
        *judged,
    ]
    return Competing(share, over(draws.value_a), over(draws.value_b), over(draws.difference), low, high, error, *rest)


def _order(d: Array) -> tuple[Array, Array, Array]:
    return d < 0.0, d == 0.0, d > 0.0


def _mean(values: Array, kept: Array) -> Array:
    """Mean by row of what is kept; NaN where nothing is."""
    count = kept.sum(axis=1)
    total = np.where(kept, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _median(values: Array, kept: Array) -> Array:
    """Median by row of what is kept; NaN where nothing is."""
    return np.array([np.median(row[mine]) if mine.any() else np.nan for row, mine in zip(values, kept, strict=True)])


def pairing(draws: Draws) -> tuple[float, float, float]:
    """Shares of the variance of two unpaired samples: what pairing removes, could remove at most, and what any can.

    1 - Var(b - a) / (Var a + Var b);  2 sd(a) sd(b) / (Var a + Var b), for one draw 2 r / (1 + r^2) with r the ratio of
    the standard deviations;  the same with the covariance of values paired by rank. Each sum runs over the draws.
    Source: Owen (2013), Monte Carlo theory, methods and examples, chapter 8; Hoeffding (1940) for pairing by rank.

    NaN where neither arm varies.
    """
    unpaired = float((draws.variance_a + draws.variance_b).sum())
    if unpaired == 0.0:
        return math.nan, math.nan, math.nan
    most = 2.0 * float(np.sqrt(draws.variance_a * draws.variance_b).sum())
    return (
        1.0 - float(draws.variance.sum()) / unpaired,
        most / unpaired,
        2.0 * float(draws.couplable.sum()) / unpaired,
    )


def lower(tally: Tally) -> float:
    """The 5% quantile: an observed value."""
    return tally.quantile(1)


def upper(tally: Tally) -> float:
    """The 95% quantile, counted from above, so that it is minus the 5% quantile of the negative sample."""
    return tally.ranked(tally.total + 1 - math.ceil(tally.total / 20))


def _covariance(a: Array, b: Array) -> Array:
    """Covariance by row (draw, run) -> (draw,)."""
    runs = a.shape[1]
    return np.asarray(
        ((a - a.mean(axis=1, keepdims=True)) * (b - b.mean(axis=1, keepdims=True))).sum(axis=1) / (runs - 1)
    )
