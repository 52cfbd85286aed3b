"""Sensitivity indices: Morris, Sobol, PAWN and delta, and the ranking of parameters by them.

*Morris*: elementary effects, how much a step over half of a parameter's range changes the statistic. SALib gives the
same effects per unit of its own grid, where such a step is two thirds.

*Sobol*: first and total order, without the part that chance has in them. A variance, and each numerator of an index, is
a quadratic form Q of the statistic at the points. With m the mean of two halves of the runs and d half of their
difference, Q(m) - Q(d) is what the product of the two halves gives: noise is independent between them, so its part
vanishes on average. SALib's estimators give both.

*PAWN* and *delta*: how the distribution of the statistic over the points differs where one parameter is known. Both
work on any points. Few points alone make both indices greater than zero, so dummies, which are independent of
everything, say what an index is worth. The formulas are SALib's, arranged for many parameters and resamples: what they
share is computed once.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from sim.analysis.sensitivity.targets import (
    Again,
    Chance,
    ErrorInterval,
    Halves,
    PointRuns,
    Target,
    chance_share,
    interval,
    part_of_runs,
    runs_left,
    samples_anew,
)
from sim.experiment.statistics import Array, Column, quantile


def steps_of(unit: Column, values: Column) -> Column:
    """Changes of the statistic (N, D), upwards, from the points (N (D + 1), D) of trajectories in the unit cube."""
    size = unit.shape[1]
    moves = np.diff(unit.reshape(-1, size + 1, size), axis=1)
    changes = np.diff(values.reshape(-1, size + 1), axis=1)
    which = np.argmax(np.abs(moves), axis=2)
    found = np.empty(changes.shape)
    direction = np.sign(np.take_along_axis(moves, which[:, :, None], axis=2)[:, :, 0])
    np.put_along_axis(found, which, changes * direction, axis=1)
    return found


def morris_measures(steps: Column) -> Column:
    """Mean size and standard deviation (2, D) of changes (N, D)."""
    return np.stack([np.abs(steps).mean(axis=0), steps.std(axis=0, ddof=1)])


TINY: Final = 1e-9
"""Share of the variance between points below which nothing but rounding is left when chance is taken out."""


def sobol_indices(found: Halves, chance: Halves, samples: Array, parameters: int) -> tuple[Column, float]:
    """Total and first order (2, D + 1), the dummy last, and the variance of the statistic over the space.

    The dummy is the mean over parameters that step as far as chance alone makes the D parameters step.

    Args:
        found: the statistic at all points, in blocks of A, A with one parameter of B each, B.
        chance: what chance alone makes of the same points.
        samples: which blocks to use (N,), with repetitions.
        parameters: D.
    """
    known, whole = _numerators(found.mean, chance.mean, samples, parameters)
    noise, rest = _numerators(found.half_difference, chance.half_difference, samples, parameters)
    variance, numerators = whole - rest, known - noise
    measured = np.append(numerators[:, :parameters], numerators[:, parameters:].mean(axis=1, keepdims=True), axis=1)
    if variance <= TINY * whole:
        return np.full(measured.shape, np.nan), 0.0
    return measured / variance, variance


def _numerators(values: Column, chance: Column, samples: Array, parameters: int) -> tuple[Column, float]:
    """Numerators (2, 2 D) of total and first order, the last D of steps by chance alone, and the variance."""
    from SALib.analyze.sobol import first_order, total_order

    blocks = values.reshape(-1, parameters + 2)[samples]
    blocks = blocks - blocks[:, [0, -1]].mean()
    start, end = blocks[:, :1], blocks[:, -1:]
    other = chance.reshape(-1, parameters + 2)[samples]
    steps = np.concatenate([blocks[:, 1:-1], start + other[:, 1:-1] - other[:, :1]], axis=1)
    starts, ends = np.broadcast_to(start, steps.shape), np.broadcast_to(end, steps.shape)
    variance = float(np.var(blocks[:, [0, -1]]))
    if variance == 0.0:
        return np.zeros((2, 2 * parameters)), 0.0
    return variance * np.stack([total_order(starts, steps, ends), first_order(starts, steps, ends)]), variance


SLICES: Final = 10
"""Slices of a parameter's range in PAWN, equally full."""
GRID: Final = 100
"""Places at which delta compares densities."""
DUMMIES: Final = 5


def pawn(points: Column, values: Column) -> Column:
    """PAWN (2, D): median and greatest Kolmogorov-Smirnov distance over slices (Pianosi and Wagener 2018).

    Args:
        points: parameters (N, D).
        values: the statistic (N,).
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    overall = (ends + 1) / len(values)
    found = np.empty((2, points.shape[1]))
    for place in range(points.shape[1]):
        distances = _distances(points[order, place], ends, overall)
        found[:, place] = np.median(distances), distances.max()
    return found


def _distances(parameter: Column, ends: Array, overall: Column) -> Column:
    """Kolmogorov-Smirnov distances of the slices that are not empty, with values in ascending order."""
    edges = quantile(parameter, np.linspace(0.0, 1.0, SLICES + 1))
    # As in SALib, the largest value of the parameter belongs to no slice.
    slices = np.searchsorted(edges, parameter, side="right") - 1
    members = slices == np.arange(SLICES)[:, None]
    counts = members.sum(axis=1)
    used = counts > 0
    reached = np.cumsum(members[used], axis=1)[:, ends] / counts[used, None]
    return np.asarray(np.abs(reached - overall).max(axis=1))


def delta(points: Column, values: Column) -> Column:
    """Delta and first order (2, D) from slices (Plischke, Borgonovo, Smith 2013), before the bias is reduced.

    Args:
        points: parameters (N, D).
        values: the statistic (N,).
    """
    from SALib.analyze.delta import sobol_first

    count = len(values)
    edges = np.linspace(0, count, classes(count) + 1)
    grid = np.linspace(values.min(), values.max(), GRID)
    overall = density(values, grid)
    found = np.empty((2, points.shape[1]))
    for place in range(points.shape[1]):
        order = np.argsort(points[:, place], kind="stable")
        parts = np.split(values[order], np.floor(edges[1:-1]).astype(np.int64))
        apart = [len(part) * np.trapezoid(np.abs(overall - density(part, grid)), grid) for part in parts]
        found[:, place] = sum(apart) / (2 * count), sobol_first(values, points[:, place], edges)
    return found


def classes(count: int) -> int:
    """Slices that delta cuts each parameter into.

    >>> classes(512), classes(4096)
    (5, 16)
    """
    exponent = 2.0 / (7.0 + np.tanh((1500.0 - count) / 500.0))
    return int(np.round(min(int(np.ceil(count**exponent)), 48)))


def density(values: Column, grid: Column) -> Column:
    """Density on a grid by Gaussian kernels of Silverman's width; zero where all values are one."""
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    if spread == 0.0:
        return np.zeros(len(grid))
    width = spread * (len(values) * 3.0 / 4.0) ** -0.2
    kinds, counts = np.unique(values, return_counts=True)
    scaled = (grid[:, None] - kinds) / width
    return np.asarray(np.exp(-0.5 * scaled**2) @ counts / (len(values) * width * np.sqrt(2.0 * np.pi)))


MEASURES: Final = {
    "sobol": ("total", "first"),
    "morris": ("mu_star", "sigma"),
    "pawn": ("median", "maximum"),
    "delta": ("delta", "first"),
}
"""What each method gives for a parameter; it ranks by the first."""


@dataclass(frozen=True)
class PointStatistics:
    """The statistic of every point, with its runs taken `counts` (R,) times each."""

    runs: PointRuns
    counts: Array

    @cached_property
    def known(self) -> Halves:
        """The statistic from either half of the runs."""
        return Halves(self._part(0, 2), self._part(1, 2))

    @cached_property
    def chance(self) -> Halves:
        """What chance alone makes of each point, as far apart between halves as the statistic itself is by chance.

        It is half of the difference between quarters of the runs. All points have the same runs in a quarter, so a step
        from point to point shares its random numbers just as the step of a real parameter does.
        """
        quarters = [self._part(place, 4) for place in range(4)]
        return Halves((quarters[0] - quarters[2]) / 2.0, (quarters[1] - quarters[3]) / 2.0)

    def _part(self, place: int, parts: int) -> Column:
        return self.runs.of(part_of_runs(self.counts, place, parts))


# A method knows its points. `samples` is what is resampled (blocks, trajectories or points), each of `block` points;
# `spread` are points that are spread as the parameters are; `found` gives, from some samples (N,) with repetitions, its
# measures (2, D + 1), the dummy last, and the variance of the statistic over the space.


@dataclass(frozen=True)
class Sobol:
    """Blocks of a crossed design of D parameters: A, A with one parameter of B each, B."""

    samples: int
    parameters: int

    @property
    def block(self) -> int:
        """Points of a block."""
        return self.parameters + 2

    @cached_property
    def spread(self) -> Array:
        """The points A and B."""
        starts = np.arange(self.samples) * self.block
        return np.sort(np.concatenate([starts, starts + self.parameters + 1]))

    def found(self, reading: PointStatistics, samples: Array) -> tuple[Column, float]:
        """Total and first order."""
        return sobol_indices(reading.known, reading.chance, samples, self.parameters)


@dataclass(frozen=True)
class Morris:
    """Trajectories (N (D + 1), D) in the unit cube: a start, and a step along each parameter."""

    samples: int
    unit: Column

    @property
    def block(self) -> int:
        """Points of a trajectory."""
        return self.unit.shape[1] + 1

    @cached_property
    def spread(self) -> Array:
        """The first points: those of one trajectory are alike, so only trajectories tell something new."""
        return np.arange(self.samples) * self.block

    def found(self, reading: PointStatistics, samples: Array) -> tuple[Column, float]:
        """Size and spread of elementary effects; the dummy is the mean over steps that chance alone makes."""
        measures, dummy = (
            morris_measures(steps_of(self.unit, values)[samples])
            for values in (reading.known.mean, reading.chance.mean)
        )
        points = (samples[:, None] * self.block + np.arange(self.block)).ravel()
        return np.append(measures, dummy.mean(axis=1, keepdims=True), axis=1), covariance(reading.known, points)

    def by_chance(self, runs: PointRuns, seed: int) -> Column:
        """Size of effects (D,) that chance alone exceeds in 2.5 % of cases, each parameter's own."""
        sizes = [morris_measures(steps_of(self.unit, one))[0] for one in runs.half_differences(seed)]
        return np.asarray(quantile(sizes, 0.975, axis=0))


@dataclass(frozen=True)
class Given:
    """Any points (N, D) at all; dummies (N, 5), which have nothing to do with anything, go with them."""

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
        dummies = np.random.default_rng([self.seed, 2]).random((self.samples, DUMMIES))
        return np.concatenate([self.points, dummies], axis=1)

    def found(self, reading: PointStatistics, samples: Array) -> tuple[Column, float]:
        """Distances between distributions; the dummy is the greatest of some."""
        measure = pawn if self.by_slices else delta
        measures = measure(self._columns[samples], reading.known.mean[samples])
        size = self.points.shape[1]
        dummy = measures[:, size:].max(axis=1, keepdims=True)
        return np.concatenate([measures[:, :size], dummy], axis=1), covariance(reading.known, samples)


Method = Sobol | Morris | Given


def covariance(known: Halves, points: Array) -> float:
    """Variance of the statistic over points; 0 where it is nothing but rounding."""
    found = Halves(known.first[points], known.second[points]).covariance()
    return found if found > TINY * np.var(known.mean[points]) else 0.0


@dataclass(frozen=True)
class Ranking:
    """What a statistic depends on: two measures of D parameters and of the dummy, greatest first."""

    target: Target
    method: str
    keys: tuple[str, ...]
    measures: ErrorInterval
    dummy: ErrorInterval
    by_chance: Column | None
    chance: Chance
    variance: ErrorInterval

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

    def flat(reading: PointStatistics, some: Array) -> Column:
        measures, variance = method.found(reading, some)
        return np.append(measures.ravel(), variance)

    reading = PointStatistics(prepared, np.ones(runs, dtype=np.int64))
    found = flat(reading, samples)
    by_runs = (
        np.array([flat(PointStatistics(which, counts), samples) for counts in runs_left(runs)]).reshape(-1, found.size)
        for which in (prepared, prepared.shuffled(seed, method.block))
    )
    again = Again(np.array([flat(reading, some) for some in samples_anew(method.samples, seed)]), *by_runs)
    if name == "delta":
        # Plischke, Borgonovo and Smith (2013, eq. 30): resamples are too high by as much as the sample itself is.
        found[:-1] = 2.0 * found[:-1] - again.by_samples[:, :-1].mean(axis=0)
    shape, deviation = (2, len(keys) + 1), again.deviation
    bounded = interval(found[:-1].reshape(shape), deviation[:-1].reshape(shape))
    order = np.argsort(-bounded.value[0, :-1], kind="stable")
    known = reading.known
    mean, rest = (np.var(one[method.spread]) for one in (known.mean, known.half_difference))
    numbers = target.single(values[method.spread])
    return Ranking(
        target=target,
        method=name,
        keys=tuple(keys[place] for place in order),
        measures=ErrorInterval(*(one[:, order] for one in bounded)),
        dummy=ErrorInterval(*(one[:, -1] for one in bounded)),
        by_chance=method.by_chance(prepared, seed)[order] if isinstance(method, Morris) else None,
        chance=Chance(chance_share(numbers, seed), float(rest / mean) if mean > 0 else np.nan),
        variance=interval(np.asarray(found[-1]), deviation[-1]),
    )
