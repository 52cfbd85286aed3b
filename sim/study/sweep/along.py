"""Outcomes of a sweep along what varies: the points sorted into bins of an axis, and what came out in each.

All points meet the same luck, so two errors add up in a mean over points: which points there are, and which luck. The
standard error counts both: it is clustered by point and by run (Cameron, Gelbach and Miller 2011,
doi:10.1198/jbes.2010.07136).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from sim.study.outcomes import outcomes_in
from sim.study.sweep.points import CARRIED
from sim.study.sweep.precision import Judgement, samples

Array = npt.NDArray[Any]
Column = npt.NDArray[np.float64]

LEVELS: Final = 12
"""Up to so many values of a number are shown one by one; more are sorted into bins of equally many points."""
NOT_VARIED: Final = ("point", "sample")


@dataclass(frozen=True)
class Varied:
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


def runs_at(data: xr.Dataset) -> Array:
    """How many runs each point (P,) of an opened sweep has."""
    one = data["war"]
    if one.dtype.kind != "f":
        return np.full(data.sizes["point"], data.sizes["run"], dtype=np.int64)
    return np.asarray(one.notnull().sum("run").values, dtype=np.int64)


def varied(data: xr.Dataset, bins: int) -> tuple[Varied, ...]:
    """What varies over the points of a sweep, in the order of its columns; numbers of many values in `bins` bins."""
    return tuple(_varied(data[name], bins) for name in keys_of(data) if len(np.unique(data[name].values)) > 1)


def keys_of(data: xr.Dataset) -> tuple[str, ...]:
    """The keys that stand for the points of a sweep, without their numbers and what a table only carried along."""
    names = [str(name) for name in data.coords if data[name].dims == ("point",) and name not in NOT_VARIED]
    return tuple(name for name in names if CARRIED not in data[name].attrs)


def _varied(column: xr.DataArray, bins: int) -> Varied:
    values, numeric = column.values, column.dtype.kind in "iuf"
    found, place = np.unique(values, return_inverse=True)
    about = (str(column.name), str(column.attrs.get("units", "")), str(column.attrs.get("long_name", column.name)))
    if not numeric:
        # Labels keep the order in which they were written, which is that of the points.
        order = np.argsort(np.unique(values, return_index=True)[1])
        labels = tuple(str(found[k]) for k in order)
        return Varied(*about, False, True, labels, np.arange(len(found), dtype=float), np.argsort(order)[place])
    if len(found) > LEVELS:
        edges = np.quantile(values, np.linspace(0.0, 1.0, bins + 1)[1:-1])
        # An edge at the smallest value, which many points may share, leaves nothing below it: bins are numbered anew.
        place = np.unique(np.searchsorted(np.unique(edges), values, side="right"), return_inverse=True)[1]
    count = np.bincount(place)
    centres = np.bincount(place, weights=values) / count
    lows = [values[place == k].min() for k in range(len(count))]
    highs = [values[place == k].max() for k in range(len(count))]
    labels = tuple(
        f"{low:.3g}" if low == high else f"{low:.2g}–{high:.2g}" for low, high in zip(lows, highs, strict=True)
    )
    return Varied(*about, True, len(found) <= LEVELS, labels, centres, place)


def at_points(data: xr.Dataset, name: str) -> AtPoints:
    """One outcome at every point: a mean, a share, a median or a 95 % quantile, as the outcome allows."""
    judged, have = Judgement(outcomes_in(data.variables)[name], np.inf), runs_at(data)
    values, errors = np.full(len(have), np.nan), np.full(len(have), np.nan)
    for points, sample in samples(data[name], have):
        values[points], errors[points] = judged.value(sample), judged.errors(sample)
    outcome = judged.outcome
    return AtPoints(name, outcome.unit, outcome.text, judged.by, values, errors)


def profile(data: xr.Dataset, at: AtPoints, place: Array, bins: int) -> Profile:
    """An outcome in bins; `place` (P,) is the bin of each point. NaN where a bin is empty."""
    groups = [at.values[place == k] for k in range(bins)]
    filled = [k for k in range(bins) if len(groups[k])]
    found = Profile(*(np.full(bins, np.nan) for _ in range(4)))
    luck = _luck(data, at.name, place, bins) if at.by in ("mean", "share") else np.zeros(bins)
    for k in filled:
        group = groups[k]
        found.mean[k] = group.mean()
        if len(group) == 1:
            found.error[k] = at.errors[place == k][0]
            continue
        found.low[k], found.high[k] = np.quantile(group, (0.05, 0.95), method="inverted_cdf")
        found.error[k] = np.sqrt(group.var(ddof=1) / len(group) + luck[k])
    return found


def _luck(data: xr.Dataset, name: str, place: Array, bins: int) -> Column:
    """What common luck adds to the variance of the mean in each bin (B,), beside that of which points there are.

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


def strongest(found: Sequence[tuple[Varied, Sequence[Profile]]], most: int) -> list[str]:
    """Keys of the `most` axes along which some outcome's mean varies most, against its own spread, in their order."""

    def strength(profiles: Sequence[Profile]) -> float:
        return max(float(np.nanvar(one.mean) / (np.nanmean(one.error**2) + 1e-300)) for one in profiles)

    ranked = sorted(found, key=lambda one: -strength(one[1]))[:most]
    chosen = {axis.name for axis, _ in ranked}
    return [axis.name for axis, _ in found if axis.name in chosen]
