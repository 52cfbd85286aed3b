"""Stop when good enough: the Monte Carlo error of every point, judged as the outcome allows.

A mean says nothing of an outcome whose rare values decide (deaths), and a day on which a thing may never happen has
none. So the former is judged by the error of its 95 % quantile, the latter by that of its median, a probability by the
error of a share that is never taken for exactly 0 or 1, and only the others by the standard error of their mean.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from sim.rules.outcomes import NEVER, Outcome
from sim.study.outcomes import OUTCOMES_BY_NAME

Array = npt.NDArray[Any]
Column = npt.NDArray[np.float64]

LEAST_RUNS: Final = 64
"""Runs from which an error is believed: fewer may all agree by luck."""
AT_ONCE: Final = 2_000_000
"""Values of one outcome that are read at once."""
TAIL: Final = 0.95


@dataclass(frozen=True)
class Judgement:
    """What one outcome is judged by."""

    outcome: Outcome
    tolerance: float

    @property
    def by(self) -> str:
        """The quantity whose error is meant."""
        if self.outcome.heavy_tailed:
            return "95 % quantile"
        return {"day": "median", "probability": "share"}.get(self.outcome.unit, "mean")

    @property
    def words(self) -> str:
        """What is asked, in words; says where a mean and its error would mislead."""
        text = f"{self.outcome.name}: error of the {self.by} at most {self.tolerance:g} {self.outcome.unit}"
        if self.outcome.heavy_tailed:
            return f"{text}; it is heavy-tailed, so no mean and standard error: rare histories decide them"
        return text

    def value(self, values: Column) -> Column:
        """The quantity itself (P,), from the runs (P, R) of each point; infinite where it never happened."""
        if self.by in ("mean", "share"):
            return np.asarray(values.mean(axis=1))
        level = TAIL if self.outcome.heavy_tailed else 0.5
        ordered = np.sort(_happened(values) if self.by == "median" else values, axis=1)
        return np.asarray(ordered[:, max(0, math.ceil(ordered.shape[1] * level) - 1)])

    def errors(self, values: Column) -> Column:
        """Monte Carlo error (P,) of each point from its runs (P, R)."""
        if self.by == "95 % quantile":
            return error_of_quantile(np.sort(values, axis=1), TAIL)
        if self.by == "median":
            return error_of_quantile(np.sort(_happened(values), axis=1), 0.5)
        if self.by == "share":
            return error_of_share(values)
        if values.shape[1] < 2:
            return np.full(len(values), np.inf)
        return np.asarray(values.std(axis=1, ddof=1) / np.sqrt(values.shape[1]))


def judgements(
    precision: Mapping[str, float], outcomes: Mapping[str, Outcome] = OUTCOMES_BY_NAME
) -> tuple[Judgement, ...]:
    """What the outcomes named are judged by."""
    return tuple(Judgement(outcomes[name], tolerance) for name, tolerance in precision.items())


def _happened(values: Column) -> Column:
    """Days, infinite where a thing never happened."""
    return np.where(values == NEVER, np.inf, values)


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


def unmet(data: xr.Dataset, have: Array, asked: tuple[Judgement, ...]) -> Array:
    """Whether each point (P,) with `have` runs (P,) misses one of the tolerances; one with too few runs does."""
    misses = have < LEAST_RUNS
    for one in asked:
        for points, sample in samples(data[one.outcome.name], have):
            if sample.shape[1] >= LEAST_RUNS:
                misses[points] |= one.errors(sample) > one.tolerance
    return misses


def samples(outcome: xr.DataArray, have: Array) -> Iterator[tuple[Array, Column]]:
    """The runs of all points, those with the same number together: point numbers (k,) and values (k, runs)."""
    step = max(1, AT_ONCE // max(1, int(have.max(initial=1))))
    for start in range(0, len(have), step):
        counts = have[start : start + step]
        values = outcome.isel(point=slice(start, start + step)).values
        for runs in np.unique(counts):
            mine = np.flatnonzero(counts == runs)
            yield start + mine, values[mine, :runs].astype(np.float64)


def next_runs(have: Array, misses: Array, most: int) -> Array:
    """How many runs each point (P,) is to have next: twice as many where it misses, at least LEAST_RUNS, up to `most`.

    >>> next_runs(np.array([10, 100, 100]), np.array([True, False, True]), 150)
    array([ 64, 100, 150])
    """
    doubled = np.where(have < LEAST_RUNS, LEAST_RUNS, 2 * have)
    return np.where(misses, np.maximum(have, np.minimum(doubled, most)), have)
