"""What came out at the points of a sweep: each outcome by a quantity that it allows, its error, and profiles of it.

A mean says nothing of an outcome whose rare values decide (deaths), and a day on which a thing may never happen has
none. So the former is judged by its 95 % quantile, the latter by its median, a probability by a share whose error is
never taken for that of exactly 0 or 1, and only the others by their mean.

All points meet the same random numbers, so two errors add up in a mean over points: which points there are, and which
random numbers. Its standard error counts both: it is clustered by point and by run (Cameron, Gelbach and Miller 2011,
doi:10.1198/jbes.2010.07136).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.experiment.dataset import OUTCOMES_BY_NAME, outcomes_in
from sim.experiment.statistics import Array, Column, error_of_quantile, error_of_share, interval_90, quantile
from sim.experiment.sweep.store import CARRIED
from sim.model.declared_outcomes import Outcome

if TYPE_CHECKING:
    import xarray as xr

LEAST_RUNS: Final = 64
"""Runs from which an error is believed: fewer may all agree by chance."""
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
        ordered, level = self._ordered(values)
        return np.asarray(ordered[:, max(0, math.ceil(ordered.shape[1] * level) - 1)])

    def errors(self, values: Column) -> Column:
        """Monte Carlo error (P,) of each point from its runs (P, R)."""
        if self.by == "share":
            return error_of_share(values)
        if self.by != "mean":
            return error_of_quantile(*self._ordered(values))
        if values.shape[1] < 2:
            return np.full(len(values), np.inf)
        return np.asarray(values.std(axis=1, ddof=1) / np.sqrt(values.shape[1]))

    def _ordered(self, values: Column) -> tuple[Column, float]:
        """The runs in order, days infinite where a thing never happened, and the level of the quantile."""
        from sim.rules.outcomes import NEVER

        heavy = self.outcome.heavy_tailed
        return np.sort(values if heavy else np.where(values == NEVER, np.inf, values), axis=1), TAIL if heavy else 0.5


def judgements(
    precision: Mapping[str, float], outcomes: Mapping[str, Outcome] = OUTCOMES_BY_NAME
) -> tuple[Judgement, ...]:
    """What the outcomes named are judged by."""
    return tuple(Judgement(outcomes[name], tolerance) for name, tolerance in precision.items())


def unmet(data: "xr.Dataset", have: Array, asked: tuple[Judgement, ...]) -> Array:
    """Whether each point (P,) with `have` runs (P,) misses one of the tolerances; one with too few runs does."""
    misses = have < LEAST_RUNS
    for one in asked:
        for points, sample in samples(data[one.outcome.name], have):
            if sample.shape[1] >= LEAST_RUNS:
                misses[points] |= one.errors(sample) > one.tolerance
    return misses


def samples(outcome: "xr.DataArray", have: Array) -> Iterator[tuple[Array, Column]]:
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


LEVELS: Final = 12
"""Up to so many values of a number are shown one by one; more are sorted into bins of equally many points."""
NOT_VARIED: Final = ("point", "sample")


@dataclass(frozen=True)
class SweptFactor:
    """Something that varies over the points: its key, unit and meaning, its bins, and the bin of each point (P,).

    `centres` (B,) are the means of a number in the bins, else 0, 1, ...; `labels` (B,) are what people call the bins;
    `levels` says that each bin holds one value.
    """

    name: str
    unit: str
    text: str
    numeric: bool
    levels: bool
    labels: tuple[str, ...]
    centres: Column
    place: Array


@dataclass(frozen=True)
class AtPoints:
    """The quantity `by` that stands for an outcome, at each point (P,), with its Monte Carlo error (P,)."""

    name: str
    unit: str
    text: str
    by: str
    values: Column
    errors: Column


@dataclass(frozen=True)
class Profile:
    """An outcome in bins (B,): mean over the points, its standard error, 5 % and 95 % quantile over the points."""

    mean: Column
    error: Column
    low: Column
    high: Column


def runs_at(data: "xr.Dataset") -> Array:
    """How many runs each point (P,) of an opened sweep has."""
    one = data["war" if "war" in data else next(iter(outcomes_in(data.variables)))]
    if one.dtype.kind != "f":
        return np.full(data.sizes["point"], data.sizes["run"], dtype=np.int64)
    return np.asarray(one.notnull().sum("run").values, dtype=np.int64)


def varied(data: "xr.Dataset", bins: int) -> tuple[SweptFactor, ...]:
    """What varies over the points of a sweep, in the order of its columns; numbers of many values in `bins` bins."""
    return tuple(_varied(data[name], bins) for name in keys_of(data) if len(np.unique(data[name].values)) > 1)


def keys_of(data: "xr.Dataset") -> tuple[str, ...]:
    """The keys that stand for the points of a sweep, without their numbers and what a table only carried along."""
    names = [str(name) for name in data.coords if data[name].dims == ("point",) and name not in NOT_VARIED]
    return tuple(name for name in names if CARRIED not in data[name].attrs)


def _varied(column: "xr.DataArray", bins: int) -> SweptFactor:
    values, numeric = column.values, column.dtype.kind in "iuf"
    found, place = np.unique(values, return_inverse=True)
    about = (str(column.name), str(column.attrs.get("units", "")), str(column.attrs.get("long_name", column.name)))
    if not numeric:
        # Labels keep the order in which they were written, which is that of the points.
        order = np.argsort(np.unique(values, return_index=True)[1])
        labels = tuple(str(found[k]) for k in order)
        return SweptFactor(*about, False, True, labels, np.arange(len(found), dtype=float), np.argsort(order)[place])
    if len(found) > LEVELS:
        edges = quantile(values, np.linspace(0.0, 1.0, bins + 1)[1:-1])
        # An edge at the smallest value, which many points may share, leaves nothing below it: bins are numbered anew.
        place = np.unique(np.searchsorted(np.unique(edges), values, side="right"), return_inverse=True)[1]
    count = np.bincount(place)
    centres = np.bincount(place, weights=values) / count
    lows = [values[place == k].min() for k in range(len(count))]
    highs = [values[place == k].max() for k in range(len(count))]
    labels = tuple(
        f"{low:.3g}" if low == high else f"{low:.2g}–{high:.2g}" for low, high in zip(lows, highs, strict=True)
    )
    return SweptFactor(*about, True, len(found) <= LEVELS, labels, centres, place)


def at_points(data: "xr.Dataset", name: str, have: Array | None = None) -> AtPoints:
    """One outcome at every point: a mean, a share, a median or a 95 % quantile, as the outcome allows."""
    judged = Judgement(outcomes_in(data.variables)[name], np.inf)
    have = runs_at(data) if have is None else have
    values, errors = np.full(len(have), np.nan), np.full(len(have), np.nan)
    for points, sample in samples(data[name], have):
        values[points], errors[points] = judged.value(sample), judged.errors(sample)
    outcome = judged.outcome
    return AtPoints(name, outcome.unit, outcome.text, judged.by, values, errors)


def profile(data: "xr.Dataset", at: AtPoints, place: Array, bins: int) -> Profile:
    """An outcome in bins; `place` (P,) is the bin of each point. NaN where a bin is empty."""
    groups = [at.values[place == k] for k in range(bins)]
    filled = [k for k in range(bins) if len(groups[k])]
    found = Profile(*(np.full(bins, np.nan) for _ in range(4)))
    noise = _shared_noise(data, at.name, place, bins) if at.by in ("mean", "share") else np.zeros(bins)
    for k in filled:
        group = groups[k]
        found.mean[k] = group.mean()
        if len(group) == 1:
            found.error[k] = at.errors[place == k][0]
            continue
        found.low[k], found.high[k] = interval_90(group, observed=True)
        found.error[k] = np.sqrt(group.var(ddof=1) / len(group) + noise[k])
    return found


def _shared_noise(data: "xr.Dataset", name: str, place: Array, bins: int) -> Column:
    """What common random numbers add to the variance of the mean in each bin (B,).

    The variance of the means of single runs over a bin, less what the same histories would give were all of them
    independent, which the points' own variance holds already; never negative. Of the runs that all points have.
    """
    have = runs_at(data)
    runs = int(have.min())
    if runs < 2:
        return np.zeros(bins)
    sums, squares = np.zeros((bins, runs)), np.zeros((bins, runs))
    for points, sample in samples(data[name], have):
        np.add.at(sums, place[points], sample[:, :runs])
        np.add.at(squares, place[points], sample[:, :runs] ** 2)
    count = np.bincount(place, minlength=bins)[:, None].clip(1)
    by_run = sums / count
    alone = (squares / count - by_run**2).mean(axis=1) / (count[:, 0] * runs)
    return np.asarray(np.maximum(0.0, by_run.var(axis=1, ddof=1) / runs - alone))


def strongest(found: Sequence[tuple[SweptFactor, Sequence[Profile]]], most: int) -> list[str]:
    """Keys of the `most` axes along which some outcome's mean varies most, against its own spread, in their order."""

    def strength(profiles: Sequence[Profile]) -> float:
        return max(float(np.nanvar(one.mean) / (np.nanmean(one.error**2) + 1e-300)) for one in profiles)

    ranked = sorted(found, key=lambda one: -strength(one[1]))[:most]
    chosen = {axis.name for axis, _ in ranked}
    return [axis.name for axis, _ in found if axis.name in chosen]
