"""Chance in an analysis: statistics from halves of the runs, resampled points and runs, the share that chance has.

Runs 0, 2, 4, ... make one half and 1, 3, 5, ... the other. Both halves see the same points with luck that is
independent between them, so a product of one half's number and the other's carries no chance on average. All points
meet the same luck in the same run, so runs are resampled for all points at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.sensitivity.targets import Column, Prepared

Array = npt.NDArray[Any]

RESAMPLES: Final = 100
NORMAL: Final = 1.959963984540054
"""Standard deviations to each side of an interval that covers 95 %."""
MOST_POINTS: Final = 4096
"""Points from which the share of chance is told; more would only take longer."""


@dataclass(frozen=True)
class Interval:
    """Numbers with 95 % intervals, each of one shape."""

    value: Column
    low: Column
    high: Column


def interval(value: Column, resampled: Column) -> Interval:
    """Numbers (...) with what they were in each resample (resamples, ...): 1.96 standard deviations to each side."""
    spread = NORMAL * resampled.std(axis=0, ddof=1)
    return Interval(value, value - spread, value + spread)


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


def dummy_steps(sample: Prepared, counts: Array) -> Halves:
    """What the step of a parameter without effect would be, had each of its points luck of its own.

    The runs of `sample` have to be shuffled, so that quarters of them are other luck at every point. The difference of
    two quarters has twice the variance of the difference that is meant.
    """
    quarters = [sample.of(_part(counts, place, 4)) for place in range(4)]
    return Halves((quarters[0] - quarters[2]) / np.sqrt(2.0), (quarters[1] - quarters[3]) / np.sqrt(2.0))


def _part(counts: Array, place: int, parts: int) -> Array:
    return np.where(np.arange(len(counts)) % parts == place, counts, 0)


@dataclass(frozen=True)
class Draw:
    """A resample: which samples of the design (N,), and how often each run (R,) is taken."""

    samples: Array
    counts: Array


def whole(samples: int, runs: int) -> Draw:
    """Everything once."""
    return Draw(np.arange(samples), np.ones(runs, dtype=np.int64))


def draws(samples: int, runs: int, seed: int, resamples: int = RESAMPLES) -> Iterator[Draw]:
    """Samples and runs drawn anew, with replacement; runs within the quarter that they belong to."""
    generator = np.random.default_rng([seed, 1])
    for _ in range(resamples):
        counts = np.zeros(runs, dtype=np.int64)
        for place in range(4):
            mine = np.arange(place, runs, 4)
            counts[mine] = np.bincount(generator.integers(len(mine), size=len(mine)), minlength=len(mine))
        yield Draw(generator.integers(samples, size=samples), counts)


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
    found = [_share(numbers[draw.samples], draw.counts) for draw in draws(len(numbers), numbers.shape[1], seed)]
    value = _share(numbers, np.ones(numbers.shape[1]))
    told = interval(np.array(value), np.array(found))
    return Interval(told.value, np.maximum(told.low, 0.0), np.minimum(told.high, 1.0))


def _share(numbers: Column, counts: Array) -> float:
    weights = counts / counts.sum()
    runs = len(counts)
    mean = numbers @ weights
    within = float(((numbers**2) @ weights - mean**2).mean()) * runs / (runs - 1)
    first, second = ((numbers @ part) / part.sum() for part in (_part(counts, 0, 2), _part(counts, 1, 2)))
    between = float(np.mean((first - first.mean()) * (second - second.mean())))
    total = within + max(between, 0.0)
    return within / total if total > 0 else np.nan
