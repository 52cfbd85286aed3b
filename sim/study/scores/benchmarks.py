"""Simpler forecasts to be held against: each sees the counts up to the cut and no more."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.events.counts import Counts
from sim.study.scores import hawkes
from sim.study.scores.predictive import Predictive

Array = npt.NDArray[Any]
WEEK: Final = 7
LARGEST_SIZE: Final = 1e3
"""Size of a negative binomial from which it is taken for a Poisson distribution."""

Benchmark = Callable[[Counts, Array, int, np.random.Generator], Predictive]


def constant_rate(past: Counts, edges: Array, largest: int, _: np.random.Generator) -> Predictive:
    """A Poisson process whose rate never changed, with the uncertainty of that rate (Jeffreys' prior)."""
    return _gamma_poisson(past.total[-1], past.ends[-1] - past.ends[0], edges, largest)


def last_value(past: Counts, edges: Array, largest: int, _: np.random.Generator) -> Predictive:
    """The rate of the last week goes on, with the uncertainty of that rate."""
    last, since = int(past.ends[-1]), past.nearest_end(int(past.ends[-1]) - WEEK)
    return _gamma_poisson(past.between(np.array([since, last]))[0], last - since, edges, largest)


def negative_binomial(past: Counts, edges: Array, largest: int, _: np.random.Generator) -> Predictive:
    """Weeks that scatter more than chance alone: a negative binomial fitted to the weeks of the past."""
    mean, size = fit_negative_binomial(*weeks_of(past))
    return Predictive.negative_binomial(np.maximum(mean * np.diff(edges), 1e-9), size, largest)


def self_exciting(past: Counts, edges: Array, largest: int, generator: np.random.Generator) -> Predictive:
    """A Hawkes model, fitted to the shortest periods that are known and carried forward in steps as short."""
    counts, lengths = np.diff(past.total), np.diff(past.ends).astype(float)
    model = hawkes.fit(counts, lengths)
    _, excitement = hawkes.expected(model, counts, lengths)
    steps = np.arange(edges[0], edges[-1] + 1) if past.daily else edges
    paths = hawkes.simulate(model, excitement, np.diff(steps).astype(float), generator)
    so_far = np.concatenate([np.zeros((len(paths), 1), dtype=np.int64), np.cumsum(paths, axis=1)], axis=1)
    samples = np.diff(so_far[:, np.searchsorted(steps, edges)], axis=1)
    return Predictive.of_samples(samples, np.full(len(samples), 1.0 / len(samples)), largest)


BENCHMARKS: Final[dict[str, Benchmark]] = {
    "constant rate": constant_rate,
    "negative binomial": negative_binomial,
    "self-exciting": self_exciting,
    "last value": last_value,
}


def weeks_of(past: Counts) -> tuple[Array, Array]:
    """Counts and lengths in days of stretches of about a week, backwards from the last day known."""
    edges = [int(past.ends[-1])]
    while edges[-1] > past.ends[0]:
        edges.append(past.nearest_end(edges[-1] - WEEK))
    found = np.array(edges[::-1])
    return past.between(found), np.diff(found)


def fit_negative_binomial(counts: Array, lengths: Array) -> tuple[float, float]:
    """Most likely mean a day and size of negative binomial counts (P,) over stretches of these lengths."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import nbinom

    mean = float((counts.sum() + 0.5) / lengths.sum())
    means = mean * lengths

    def surprise(log_size: float) -> float:
        size = np.exp(log_size)
        return -float(nbinom.logpmf(counts, size, size / (size + means)).sum())

    found = minimize_scalar(surprise, bounds=(np.log(0.05), np.log(LARGEST_SIZE)), method="bounded")
    return mean, float(np.exp(found.x))


def _gamma_poisson(count: float, days: int, edges: Array, largest: int) -> Predictive:
    """Counts of periods whose rate is known from a count over some days: a gamma mixture of Poisson distributions."""
    shape = float(count) + 0.5
    return Predictive.negative_binomial(shape / days * np.diff(edges), shape, largest)
