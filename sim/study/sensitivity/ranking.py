"""The ranking of parameters by how much a statistic hangs on them, with intervals, a dummy, and the part of chance."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from sim.study.sensitivity.effects import morris_measures, steps_of
from sim.study.sensitivity.given import delta, dummies, pawn
from sim.study.sensitivity.luck import (
    Chance,
    Draw,
    Halves,
    Interval,
    chance_share,
    draws,
    dummy_steps,
    halves,
    interval,
    whole,
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


class Method(Protocol):
    """A method with the points that it looks at."""

    @property
    def samples(self) -> int:
        """What is resampled: blocks, trajectories or points."""

    @property
    def spread(self) -> Array:
        """Points that are spread as the parameters are."""

    def starts(self, prepared: Prepared) -> Prepared:
        """Points from which the dummy steps, each with its runs in an order of its own."""

    def found(self, prepared: Prepared, starts: Prepared, draw: Draw) -> Found:
        """What one draw of samples and runs gives."""


@dataclass(frozen=True)
class Sobol:
    """Blocks of a crossed design of D parameters."""

    samples: int
    parameters: int
    seed: int

    @cached_property
    def spread(self) -> Array:
        """The points A and B."""
        return np.sort(np.concatenate([self._starts, self._starts + self.parameters + 1]))

    @cached_property
    def _starts(self) -> Array:
        return np.arange(self.samples) * (self.parameters + 2)

    def starts(self, prepared: Prepared) -> Prepared:
        """The points A."""
        return prepared.at(self._starts).shuffled(self.seed)

    def found(self, prepared: Prepared, starts: Prepared, draw: Draw) -> Found:
        """Total and first order."""
        dummy = dummy_steps(starts, draw.counts)
        return Found(*sobol_indices(halves(prepared, draw.counts), dummy, draw.samples, self.parameters))


@dataclass(frozen=True)
class Morris:
    """Trajectories (N (D + 1), D) in the unit cube."""

    samples: int
    unit: Column
    seed: int

    @cached_property
    def spread(self) -> Array:
        """All points: each lies on the grid with equal chances."""
        return np.arange(len(self.unit))

    def starts(self, prepared: Prepared) -> Prepared:
        """The first point of each trajectory."""
        return prepared.at(np.arange(self.samples) * (self.unit.shape[1] + 1)).shuffled(self.seed)

    def found(self, prepared: Prepared, starts: Prepared, draw: Draw) -> Found:
        """Size and spread of elementary effects."""
        known = halves(prepared, draw.counts)
        steps = steps_of(self.unit, known.mean)[draw.samples]
        dummy = dummy_steps(starts, draw.counts).mean[draw.samples, None]
        return Found(morris_measures(np.concatenate([steps, dummy], axis=1)), covariance(known, self.spread))


@dataclass(frozen=True)
class Given:
    """Any points (N, D) at all."""

    points: Column
    seed: int
    by_slices: bool

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

    def starts(self, prepared: Prepared) -> Prepared:
        """Not needed: the dummies are columns."""
        return prepared

    def found(self, prepared: Prepared, starts: Prepared, draw: Draw) -> Found:
        """Distances between distributions; the dummy is the greatest of some."""
        known = halves(prepared, draw.counts)
        measures = (pawn if self.by_slices else delta)(self._columns[draw.samples], known.mean[draw.samples])
        size = self.points.shape[1]
        dummy = measures[:, size:].max(axis=1, keepdims=True)
        return Found(np.concatenate([measures[:, :size], dummy], axis=1), covariance(known, draw.samples))


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
    runs = values.shape[1]
    starts = method.starts(prepared)
    found = method.found(prepared, starts, whole(method.samples, runs))
    again = [method.found(prepared, starts, draw) for draw in draws(method.samples, runs, seed)]
    measures = found.measures
    resampled = np.array([one.measures for one in again])
    if name == "delta":
        # Plischke, Borgonovo and Smith (2013, eq. 30): resamples are too high by as much as the sample itself is.
        measures = 2.0 * measures - resampled.mean(axis=0)
    told = interval(measures, resampled)
    order = np.argsort(-measures[0, :-1], kind="stable")
    known = halves(prepared, np.ones(runs, dtype=np.int64))
    mean, left = (np.var(one[method.spread]) for one in (known.mean, known.half_difference))
    numbers = target.single(values[method.spread])
    return Ranking(
        target=target,
        method=name,
        keys=tuple(keys[place] for place in order),
        measures=Interval(*(one[:, :-1][:, order] for one in (told.value, told.low, told.high))),
        dummy=Interval(*(one[:, -1] for one in (told.value, told.low, told.high))),
        chance=Chance(chance_share(numbers, seed), float(left / mean) if mean > 0 else np.nan),
        variance=interval(np.array(found.variance), np.array([one.variance for one in again])),
    )
