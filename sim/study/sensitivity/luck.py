"""Chance in an analysis: statistics from halves of the runs, resampled points and runs, the share that chance has.

Runs 0, 2, 4, ... make one half and 1, 3, 5, ... the other. Both halves see the same points with luck that is
independent between them, so a product of one half's number and the other's carries no chance on average. All points
meet the same luck in the same run, so intervals have to tell what would have come of other runs too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.sensitivity.targets import Column, Prepared, shuffled

Array = npt.NDArray[Any]

RESAMPLES: Final = 100
SPLITS: Final = 200
"""Ways to split the runs in two; 2.5 % of them are five."""
NORMAL: Final = 1.959963984540054
"""Standard deviations to each side of an interval that covers 95 %."""
MOST_PARTS: Final = 16
"""Parts of the runs that are left out in turn."""
MOST_POINTS: Final = 4096
"""Points from which the share of chance is told; more would only take longer."""


@dataclass(frozen=True)
class Interval:
    """Numbers with 95 % intervals, each of one shape."""

    value: Column
    low: Column
    high: Column


def interval(value: Column, deviation: Column) -> Interval:
    """Numbers with 1.96 standard deviations to each side."""
    return Interval(value, value - NORMAL * deviation, value + NORMAL * deviation)


@dataclass(frozen=True)
class Again:
    """Numbers (K,) as they come out of other samples and of other luck.

    `by_samples` (B, K) from samples drawn anew; `by_luck` (G, K) with a part of the runs left out, at all points the
    same; `by_own_luck` (G, K) likewise, where each block of points has its runs in an order of its own.
    """

    by_samples: Column
    by_luck: Column
    by_own_luck: Column

    @property
    def deviation(self) -> Column:
        """Standard deviation (K,).

        Samples drawn anew show how much depends on the points, and on luck as far as it is every block's own. What they
        cannot show is the luck that all blocks share: what the jackknife over runs finds beyond what it finds where
        runs are no longer the same at all blocks.
        """
        shared = jackknife(self.by_luck) - jackknife(self.by_own_luck)
        return np.asarray(np.sqrt(self.by_samples.var(axis=0, ddof=1) + np.maximum(shared, 0.0)))


def jackknife(found: Column) -> Column:
    """Variance (K,) of numbers that were found G times (G, K), each time without one of G equal parts of the runs.

    Zero where there are no such parts, because the runs are too few.
    """
    if not len(found):
        return np.zeros(found.shape[1])
    return np.asarray(((found - found.mean(axis=0)) ** 2).sum(axis=0) * (len(found) - 1) / len(found))


@dataclass(frozen=True)
class Halves:
    """A statistic of each point (P,) from either half of the runs."""

    first: Column
    second: Column

    @property
    def mean(self) -> Column:
        """What is known of each point."""
        return (self.first + self.second) / 2

    @property
    def half_difference(self) -> Column:
        """What only chance has made: as much of it as is in `mean`."""
        return (self.first - self.second) / 2


def halves(sample: Prepared, counts: Array) -> Halves:
    """The statistic from either half of the runs, each taken `counts` (R,) times."""
    return Halves(sample.of(_part(counts, 0, 2)), sample.of(_part(counts, 1, 2)))


def chance_alone(sample: Prepared, counts: Array) -> Halves:
    """What chance alone makes of each point (P,), as far apart between halves as the statistic itself is by chance.

    It is half of the difference between quarters of the runs. All points have the same runs in a quarter, so a step
    from point to point shares its random numbers just as the step of a real parameter does.
    """
    quarters = [sample.of(_part(counts, place, 4)) for place in range(4)]
    return Halves((quarters[0] - quarters[2]) / 2.0, (quarters[1] - quarters[3]) / 2.0)


def splits(runs: int, seed: int) -> Iterator[Array]:
    """Runs (R,) split at random into two parts of one size, 1 and 0, two hundred times; of an odd number one is -1."""
    generator = np.random.default_rng([seed, 4])
    parts = np.arange(runs) % 2
    if runs % 2:
        parts[-1] = -1
    for _ in range(SPLITS):
        yield generator.permutation(parts)


def half_differences(sample: Prepared, seed: int) -> Iterator[Column]:
    """Half of the difference (P,) between the parts of each of these splits: what chance may as well have made."""
    for parts in splits(sample.runs, seed):
        yield (sample.of((parts == 1).astype(np.int64)) - sample.of((parts == 0).astype(np.int64))) / 2.0


def _part(counts: Array, place: int, parts: int) -> Array:
    return np.where(np.arange(len(counts)) % parts == place, counts, 0)


def samples_anew(samples: int, seed: int) -> Iterator[Array]:
    """Samples (N,) drawn with replacement, a hundred times."""
    generator = np.random.default_rng([seed, 1])
    for _ in range(RESAMPLES):
        yield generator.integers(samples, size=samples)


def runs_left(runs: int) -> Iterator[Array]:
    """How often each run (R,) is taken, each time without one part of the runs; all quarters lose alike.

    >>> [counts.tolist() for counts in runs_left(8)]
    [[0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0]]
    """
    parts = min(MOST_PARTS, runs // 4)
    for part in range(parts if parts > 1 else 0):
        yield np.where(np.arange(runs) // 4 % parts == part, 0, 1)


@dataclass(frozen=True)
class Chance:
    """What chance has to do with it.

    `share` of the variance of a single history is left when all parameters are known; `left` is the share of the
    variance between the points' estimates that more runs would take away.
    """

    share: Interval
    left: float


def chance_share(numbers: Column, seed: int) -> Interval:
    """Share of the variance of a number of single histories (P, R) that is due to chance alone.

    E[Var(Y | x)] / Var(Y), where Var(Y) is that plus Var(E[Y | x]) (law of total variance). Points (P,) have to be
    spread as the parameters are.
    """
    numbers = numbers[np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_POINTS)).astype(np.int64)]
    runs, own = numbers.shape[1], shuffled(numbers, seed, 1)
    all_runs = np.ones(runs, dtype=np.int64)
    again = Again(
        np.array([[_share(numbers[some], all_runs)] for some in samples_anew(len(numbers), seed)]),
        np.array([[_share(numbers, counts)] for counts in runs_left(runs)]).reshape(-1, 1),
        np.array([[_share(own, counts)] for counts in runs_left(runs)]).reshape(-1, 1),
    )
    told = interval(np.array(_share(numbers, all_runs)), again.deviation[0])
    return Interval(told.value, np.maximum(told.low, 0.0), np.minimum(told.high, 1.0))


def _share(numbers: Column, counts: Array) -> float:
    taken = numbers[:, counts > 0]
    within = float(taken.var(axis=1, ddof=1).mean())
    first, second = ((numbers @ part) / part.sum() for part in (_part(counts, 0, 2), _part(counts, 1, 2)))
    between = float(np.mean((first - first.mean()) * (second - second.mean())))
    total = within + max(between, 0.0)
    return within / total if total > 0 else np.nan
