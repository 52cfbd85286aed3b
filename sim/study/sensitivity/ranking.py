"""The ranking of parameters by how much a statistic hangs on them, with intervals, a dummy, and the part of chance."""

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
    chance_alone,
    chance_share,
    half_differences,
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
    """The statistic of every point, with its runs taken so and so often."""

    sample: Prepared
    counts: Array

    @cached_property
    def known(self) -> Halves:
        """What either half of the runs says."""
        return halves(self.sample, self.counts)

    @cached_property
    def chance(self) -> Halves:
        """What chance alone makes of it."""
        return chance_alone(self.sample, self.counts)


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
        starts = np.arange(self.samples) * self.block
        return np.sort(np.concatenate([starts, starts + self.parameters + 1]))

    def found(self, reading: Reading, samples: Array) -> Found:
        """Total and first order."""
        return Found(*sobol_indices(reading.known, reading.chance, samples, self.parameters))


@dataclass(frozen=True)
class Morris:
    """Trajectories (N (D + 1), D) in the unit cube."""

    samples: int
    unit: Column

    @property
    def block(self) -> int:
        """A start, and a step along each parameter."""
        return self.unit.shape[1] + 1

    @cached_property
    def spread(self) -> Array:
        """The first points: those of one trajectory are alike, so only trajectories tell something new."""
        return np.arange(self.samples) * self.block

    def found(self, reading: Reading, samples: Array) -> Found:
        """Size and spread of elementary effects; the dummy is the mean over steps that chance alone makes."""
        measures, dummy = (
            morris_measures(steps_of(self.unit, values)[samples])
            for values in (reading.known.mean, reading.chance.mean)
        )
        points = (samples[:, None] * self.block + np.arange(self.block)).ravel()
        return Found(np.append(measures, dummy.mean(axis=1, keepdims=True), axis=1), covariance(reading.known, points))

    def by_chance(self, sample: Prepared, seed: int) -> Column:
        """Size of effects (D,) that chance alone exceeds in 2.5 % of cases, each parameter's own."""
        sizes = [morris_measures(steps_of(self.unit, one))[0] for one in half_differences(sample, seed)]
        return np.asarray(np.quantile(sizes, 0.975, axis=0))


@dataclass(frozen=True)
class Given:
    """Any points (N, D) at all."""

    points: Column
    seed: int
    by_slices: bool
    block: int = 1

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
    by_chance: Column | None
    chance: Chance
    variance: Interval

    @property
    def resolved(self) -> bool:
        """Whether points differ by more than chance; nothing can be ranked where they do not."""
        measured = np.isfinite(self.measures.low).all() and np.isfinite(self.dummy.high).all()
        differ = self.variance.low > 0.0 or (self.by_chance is not None and self.distinguished.any())
        return bool(measured and differ)

    @property
    def distinguished(self) -> Array:
        """Whether each parameter (D,) does more than one without effect.

        Morris' effects have to exceed what chance makes of the same steps. An interval of Sobol, free of chance, has to
        lie above zero; one of PAWN or delta above the dummy.
        """
        if self.by_chance is not None:
            return self.measures.value[0] > self.by_chance
        return self.measures.low[0] > (0.0 if self.method == "sobol" else max(0.0, float(self.dummy.value[0])))


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
    reading = Reading(prepared, np.ones(runs, dtype=np.int64))
    found = method.found(reading, samples)
    left = list(runs_left(runs))
    own = prepared.shuffled(seed, method.block)
    again = Again(
        np.array([method.found(reading, some).told for some in samples_anew(method.samples, seed)]),
        *(
            np.reshape([method.found(Reading(which, one), samples).told for one in left], (len(left), -1))
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
        by_chance=method.by_chance(prepared, seed)[order] if isinstance(method, Morris) else None,
        chance=Chance(chance_share(numbers, seed), float(rest / mean) if mean > 0 else np.nan),
        variance=interval(np.array(found.variance), deviation[-1]),
    )
