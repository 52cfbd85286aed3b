"""The ranking of parameters by how much a statistic hangs on them, with intervals, a dummy, and the part of chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from sim.study.sensitivity.effects import morris_measures, steps_of
from sim.study.sensitivity.given import delta, dummies, pawn
from sim.study.sensitivity.luck import (
    Again,
    Chance,
    Halves,
    Interval,
    chance_share,
    dummy_steps,
    halves,
    interval,
    runs_left,
    samples_anew,
)
from sim.study.sensitivity.targets import Column, Prepared, Target
from sim.study.sensitivity.variance import TINY, sobol_indices

Array = npt.NDArray[Any]

MEASURES: Final = {
    "sobol": ("total", "first"),
    "morris": ("mu_star", "sigma"),
    "pawn": ("median", "maximum"),
    "delta": ("delta", "first"),
}
"""What each method tells of a parameter; it ranks by the first."""


@dataclass(frozen=True)
class Found:
    """Measures (2, D + 1), the dummy last, and the variance of the statistic over the space, from one draw."""

    measures: Column
    variance: float

    @property
    def told(self) -> Column:
        """All of it as one row of numbers."""
        return np.append(self.measures.ravel(), self.variance)


@dataclass(frozen=True)
class Reading:
    """The statistic of every point from either half of the runs, and the steps of the dummy where it takes any."""

    known: Halves
    dummy: Halves | None


class Method(Protocol):
    """A method with the points that it looks at."""

    @property
    def samples(self) -> int:
        """What is resampled: blocks, trajectories or points."""

    @property
    def block(self) -> int:
        """Points of a sample."""

    @property
    def spread(self) -> Array:
        """Points that are spread as the parameters are."""

    @property
    def starts(self) -> Array | None:
        """Points from which the dummy steps; None where it is a column."""

    def found(self, reading: Reading, samples: Array) -> Found:
        """What some samples (N,) give, with repetitions."""


@dataclass(frozen=True)
class Sobol:
    """Blocks of a crossed design of D parameters."""

    samples: int
    parameters: int

    @property
    def block(self) -> int:
        """A, A with one parameter of B each, B."""
        return self.parameters + 2

    @cached_property
    def spread(self) -> Array:
        """The points A and B."""
        return np.sort(np.concatenate([self.starts, self.starts + self.parameters + 1]))

    @cached_property
    def starts(self) -> Array:
        """The points A."""
        return np.arange(self.samples) * self.block

    def found(self, reading: Reading, samples: Array) -> Found:
        """Total and first order."""
        assert reading.dummy is not None
        return Found(*sobol_indices(reading.known, reading.dummy, samples, self.parameters))


@dataclass(frozen=True)
class Morris:
    """Trajectories (N (D + 1), D) in the unit cube."""

    samples: int
    unit: Column

    @property
    def block(self) -> int:
        """A start, and a step along each parameter."""
        return self.unit.shape[1] + 1

    @property
    def spread(self) -> Array:
        """The first points: those of one trajectory are alike, so only trajectories tell something new."""
        return self.starts

    @cached_property
    def starts(self) -> Array:
        """The first point of each trajectory."""
        return np.arange(self.samples) * self.block

    def found(self, reading: Reading, samples: Array) -> Found:
        """Size and spread of elementary effects."""
        assert reading.dummy is not None
        steps = steps_of(self.unit, reading.known.mean)[samples]
        dummy = reading.dummy.mean[samples, None]
        measures = morris_measures(np.concatenate([steps, dummy], axis=1))
        points = (samples[:, None] * self.block + np.arange(self.block)).ravel()
        return Found(measures, covariance(reading.known, points))


@dataclass(frozen=True)
class Given:
    """Any points (N, D) at all."""

    points: Column
    seed: int
    by_slices: bool
    block: int = 1
    starts: None = None

    @property
    def samples(self) -> int:
        """Number of points."""
        return len(self.points)

    @cached_property
    def spread(self) -> Array:
        """All points."""
        return np.arange(self.samples)

    @cached_property
    def _columns(self) -> Column:
        return np.concatenate([self.points, dummies(self.samples, self.seed)], axis=1)

    def found(self, reading: Reading, samples: Array) -> Found:
        """Distances between distributions; the dummy is the greatest of some."""
        measure = pawn if self.by_slices else delta
        measures = measure(self._columns[samples], reading.known.mean[samples])
        size = self.points.shape[1]
        dummy = measures[:, size:].max(axis=1, keepdims=True)
        return Found(np.concatenate([measures[:, :size], dummy], axis=1), covariance(reading.known, samples))


def read(method: Method, prepared: Prepared, seed: int, counts: Sequence[Array]) -> Iterator[Reading]:
    """The statistic with each of these counts of the runs (R,)."""
    starts = None if method.starts is None else prepared.at(method.starts).shuffled(seed)
    for one in counts:
        yield Reading(halves(prepared, one), None if starts is None else dummy_steps(starts, one))


def covariance(known: Halves, points: Array) -> float:
    """Variance of the statistic over points, as the covariance of what the halves of the runs say of it."""
    first, second = known.first[points], known.second[points]
    found = float(np.mean((first - first.mean()) * (second - second.mean())))
    return found if found > TINY * np.var(known.mean[points]) else 0.0


@dataclass(frozen=True)
class Ranking:
    """What a statistic hangs on: two measures of D parameters and of the dummy, greatest first."""

    target: Target
    method: str
    keys: tuple[str, ...]
    measures: Interval
    dummy: Interval
    chance: Chance
    variance: Interval

    @property
    def resolved(self) -> bool:
        """Whether points differ by more than chance; nothing can be ranked where they do not."""
        measured = np.isfinite(self.measures.low).all() and np.isfinite(self.dummy.high).all()
        return bool(measured and self.variance.low > 0.0)

    @property
    def distinguished(self) -> Array:
        """Whether the interval of each parameter (D,) lies above what the dummy got, and above zero."""
        return self.measures.low[0] > max(0.0, float(self.dummy.value[0]))


def ranked(target: Target, values: Array, method: Method, name: str, keys: tuple[str, ...], seed: int) -> Ranking:
    """Rank parameters by what they do to a statistic.

    Args:
        target: the statistic.
        values: its outcome in each run of each point (P, R).
        method: how, with the points.
        name: what the method is called.
        keys: parameters (D,).
        seed: of the resampling.
    """
    prepared = target.prepared(values)
    runs, samples = values.shape[1], np.arange(method.samples)
    (reading,) = read(method, prepared, seed, [np.ones(runs, dtype=np.int64)])
    found = method.found(reading, samples)
    left = list(runs_left(runs))
    own = prepared.shuffled(seed, method.block)
    again = Again(
        np.array([method.found(reading, some).told for some in samples_anew(method.samples, seed)]),
        *(
            np.reshape([method.found(one, samples).told for one in read(method, which, seed, left)], (len(left), -1))
            if left
            else np.empty((0, found.told.size))
            for which in (prepared, own)
        ),
    )
    measures = found.measures
    if name == "delta":
        # Plischke, Borgonovo and Smith (2013, eq. 30): resamples are too high by as much as the sample itself is.
        measures = 2.0 * measures - again.by_samples[:, :-1].mean(axis=0).reshape(measures.shape)
    deviation = again.deviation
    told = interval(measures, deviation[:-1].reshape(measures.shape))
    order = np.argsort(-measures[0, :-1], kind="stable")
    known = reading.known
    mean, rest = (np.var(one[method.spread]) for one in (known.mean, known.half_difference))
    numbers = target.single(values[method.spread])
    return Ranking(
        target=target,
        method=name,
        keys=tuple(keys[place] for place in order),
        measures=Interval(*(one[:, :-1][:, order] for one in (told.value, told.low, told.high))),
        dummy=Interval(*(one[:, -1] for one in (told.value, told.low, told.high))),
        chance=Chance(chance_share(numbers, seed), float(rest / mean) if mean > 0 else np.nan),
        variance=interval(np.array(found.variance), deviation[-1]),
    )
