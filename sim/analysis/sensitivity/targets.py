"""What a sensitivity analysis explains: one statistic of one outcome at each point, from any multiset of its runs.

Halves of the runs separate noise between replicates from what parameters do: 0, 2, 4, ... make one half and 1, 3, ...
the other. Both halves see the same points with noise that is independent between them, so a product of one half's
number and the other's carries no chance on average. All points meet the same random numbers in the same run, so
intervals (bootstrap over points, jackknife over runs) have to show what would have come of other runs too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.statistics import NORMAL_95, Array, Column, jackknife, quantile
from sim.experiment.sweep.profiles import Judgement
from sim.model.declared_outcomes import Outcome
from sim.model.validation import UserError, one_of

STATISTICS: Final = "mean, median, q1 to q99, share, atleast10, below14"
"""What can follow the name of an outcome, as a user writes it."""

_BY_JUDGEMENT: Final = {"95 % quantile": "q95"}
_QUANTILE: Final = re.compile(r"q([1-9]\d?)")
_BOUND: Final = re.compile(r"(atleast|below)(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Target:
    """A statistic of an outcome: `mean`, `median`, `q95`, `share` (not zero), `atleast10`, `below14`."""

    outcome: Outcome
    statistic: str

    @property
    def name(self) -> str:
        """As a user writes it."""
        return f"{self.outcome.name}:{self.statistic}"

    @property
    def level(self) -> float | None:
        """Level of the quantile; None for what is a mean."""
        if self.statistic == "median":
            return 0.5
        found = _QUANTILE.fullmatch(self.statistic)
        return None if found is None else int(found[1]) / 100

    @property
    def bound(self) -> re.Match[str] | None:
        """`atleast` or `below` and its number; None for other statistics."""
        return _BOUND.fullmatch(self.statistic)

    @property
    def unit(self) -> str:
        """Unit of the statistic."""
        return "probability" if self.statistic == "share" or self.bound else self.outcome.unit

    @property
    def words(self) -> str:
        """The statistic in words."""
        if self.bound:
            how = "at least" if self.bound[1] == "atleast" else "less than"
            return f"share of histories with {how} {self.bound[2]} {self.outcome.unit}"
        if self.statistic == "share":
            return "share of histories"
        return f"{self.statistic[1:]} % quantile" if _QUANTILE.fullmatch(self.statistic) else self.statistic

    @property
    def title(self) -> str:
        """The title of the outcome, with the statistic where it is not what the outcome itself says."""
        plain = self.statistic == "mean" or (self.statistic == "share" and self.outcome.unit == "probability")
        return self.outcome.title if plain else self.sentence

    @property
    def sentence(self) -> str:
        """The title of the outcome with the statistic."""
        some = " with any" if self.statistic == "share" and self.outcome.unit != "probability" else ""
        return f"{self.outcome.title}, {self.words}{some}"

    @property
    def warning(self) -> str | None:
        """What to say where a mean would mislead."""
        return Judgement(self.outcome, 0.0).words.partition("; ")[2] or None

    def prepared(self, values: Array) -> "PointRuns":
        """Runs (P, R) of all points, made ready for the statistic."""
        numbers = self.numbers(values)
        return PointRuns(self.indicated(numbers) if self.level is None else numbers, self.level)

    def numbers(self, values: Array) -> Column:
        """The outcome as numbers; never counts as the day after the last on which it happened anywhere."""
        from sim.rules.outcomes import NEVER

        numbers = np.asarray(values, dtype=np.float64)
        if self.outcome.unit == "day":
            return np.where(numbers == NEVER, numbers.max(initial=0.0) + 1.0, numbers)
        return numbers

    def indicated(self, numbers: Column) -> Column:
        """What is averaged: the outcome itself, or 1 where it is as asked."""
        if self.bound:
            limit = float(self.bound[2])
            return np.asarray(numbers >= limit if self.bound[1] == "atleast" else numbers < limit, dtype=np.float64)
        return np.asarray(numbers != 0.0, dtype=np.float64) if self.statistic == "share" else numbers

    @property
    def file_name(self) -> str:
        """As part of the name of a file."""
        return f"{self.outcome.name}-{self.statistic}"

    @property
    def single_words(self) -> str:
        """What of a single history the variance due to chance is estimated from."""
        if self.level is None:
            return f"{self.outcome.name} in one history" if self.statistic == "mean" else "whether that happens"
        return f"whether one history exceeds the {self.words} of all"

    def single(self, values: Array) -> Column:
        """What of a single history the variance due to chance is estimated from (P, R).

        For a quantile it is whether the history exceeds that quantile of all histories (or reaches it, if none does):
        the variance of the outcome itself would depend on its rarest values, and has no meaning where a thing may never
        happen.
        """
        numbers = self.numbers(values)
        if self.level is None:
            return self.indicated(numbers)
        limit = float(quantile(numbers, self.level, observed=True))
        above = numbers > limit
        return np.asarray(above if above.any() else numbers >= limit, dtype=np.float64)


def target_of(
    text: str, outcomes: Mapping[str, Outcome] = OUTCOMES_BY_NAME, key: str = "sensitivity.outcomes"
) -> Target:
    """A target as a user writes it: `war`, or `deaths:q95`; without a statistic, what a sweep judges precision by.

    >>> target_of("war").name, target_of("deaths").name, target_of("lull_days:below14").words
    ('war:share', 'deaths:q95', 'share of histories with less than 14 days')

    Raises:
        UserError: no such outcome or statistic, or a mean where none can be trusted.
    """
    name, _, statistic = text.partition(":")
    if name not in outcomes:
        raise UserError(key, text, f"outcomes: {one_of(tuple(outcomes), name)}")
    outcome = outcomes[name]
    by = Judgement(outcome, 0.0).by
    target = Target(outcome, statistic or _BY_JUDGEMENT.get(by, by))
    known = target.statistic in ("mean", "share") or target.level is not None or target.bound
    if not known:
        raise UserError(key, text, f"{name}, or {name}: followed by one of {STATISTICS}")
    if target.statistic == "mean" and (outcome.heavy_tailed or outcome.unit == "day"):
        why = "it is heavy-tailed" if outcome.heavy_tailed else "it may never happen"
        raise UserError(key, text, f"a quantile, atleast or below of {name}: {why}, so no mean")
    if target.statistic == "share" and outcome.unit == "day":
        raise UserError(key, text, f"a quantile, atleast or below of {name}: days are numbers")
    return target


# --- the statistic at points, and its noise -----------------------------------------------------------------

RESAMPLES: Final = 100
SPLITS: Final = 200
"""Ways to split the runs in two; 2.5 % of them are five."""
MOST_PARTS: Final = 16
"""Parts of the runs that are left out in turn."""
MOST_POINTS: Final = 4096
"""Points from which the share of chance is estimated; more would only take longer."""


@dataclass(frozen=True)
class PointRuns:
    """Numbers (P, R) of which the mean over runs is wanted, or the quantile at a level."""

    numbers: Column
    level: float | None = None

    @cached_property
    def _order(self) -> Array:
        return np.argsort(self.numbers, axis=1, kind="stable").astype(np.int32)

    @cached_property
    def _sorted(self) -> Column:
        return np.take_along_axis(self.numbers, self._order, axis=1)

    def shuffled(self, seed: int, block: int = 1) -> "PointRuns":
        """The same with the runs of each block of points in an order of its own."""
        return replace(self, numbers=shuffled(self.numbers, seed, block))

    def of(self, counts: Array) -> Column:
        """The statistic (P,) of runs taken `counts` (R,) times each; a quantile is the least value that reaches it."""
        if self.level is None:
            return np.asarray(self.numbers @ counts.astype(np.float64) / counts.sum())
        reached = np.cumsum(counts.astype(np.int16)[self._order], axis=1, dtype=np.int32)
        wanted = max(1, int(np.ceil(counts.sum() * self.level - 1e-9)))
        place = np.argmax(reached >= wanted, axis=1)
        return np.asarray(self._sorted[np.arange(len(place)), place])

    def half_differences(self, seed: int) -> Iterator[Column]:
        """Half of the difference (P,) between two random halves of the runs, two hundred times: what chance may make.

        The halves have one size; of an odd number of runs one is left out.
        """
        generator, runs = np.random.default_rng([seed, 4]), self.numbers.shape[1]
        parts = np.arange(runs) % 2
        if runs % 2:
            parts[-1] = -1
        for _ in range(SPLITS):
            drawn = generator.permutation(parts)
            yield (self.of((drawn == 1).astype(np.int64)) - self.of((drawn == 0).astype(np.int64))) / 2.0


def shuffled(numbers: Column, seed: int, block: int) -> Column:
    """Numbers (P, R) with the runs of each block of points in an order of its own."""
    count, runs = len(numbers) // block, numbers.shape[1]
    order = np.random.default_rng([seed, 3]).permuted(np.tile(np.arange(runs), (count, 1)), axis=1)
    return np.take_along_axis(numbers, np.repeat(order, block, axis=0), axis=1)


def part_of_runs(counts: Array, place: int, parts: int) -> Array:
    """How often each run (R,) is taken in one of some equal parts of the runs."""
    return np.where(np.arange(len(counts)) % parts == place, counts, 0)


class Halves(NamedTuple):
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

    def covariance(self) -> float:
        """Variance over the points, free of chance: the covariance of what the halves say."""
        return float(np.mean((self.first - self.first.mean()) * (self.second - self.second.mean())))


class ErrorInterval(NamedTuple):
    """Numbers with 95 % intervals, each of one shape."""

    value: Column
    low: Column
    high: Column


def interval(value: Column, deviation: Column) -> ErrorInterval:
    """Numbers with 1.96 standard deviations to each side."""
    return ErrorInterval(value, value - NORMAL_95 * deviation, value + NORMAL_95 * deviation)


class Again(NamedTuple):
    """Numbers (K,) as they come out of other samples and of other random numbers.

    `by_samples` (B, K) from samples drawn anew; `by_runs` (G, K) with a part of the runs left out, at all points the
    same; `by_runs_shuffled` (G, K) likewise, where each block of points has its runs in an order of its own.
    """

    by_samples: Column
    by_runs: Column
    by_runs_shuffled: Column

    @property
    def deviation(self) -> Column:
        """Standard deviation (K,).

        Samples drawn anew show how much depends on the points, and on noise as far as it is every block's own. What
        they cannot show is the noise that all blocks share: what the jackknife over runs finds beyond what it finds
        where runs are no longer the same at all blocks.
        """
        shared = jackknife(self.by_runs) - jackknife(self.by_runs_shuffled)
        return np.asarray(np.sqrt(self.by_samples.var(axis=0, ddof=1) + np.maximum(shared, 0.0)))


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


class Chance(NamedTuple):
    """What chance has to do with it.

    `share` of the variance of a single history is left when all parameters are known; `left` is the share of the
    variance between the points' estimates that more runs would take away.
    """

    share: ErrorInterval
    left: float


def chance_share(numbers: Column, seed: int) -> ErrorInterval:
    """Share of the variance of a number of single histories (P, R) that is due to chance alone.

    E[Var(Y | x)] / Var(Y), where Var(Y) is that plus Var(E[Y | x]) (law of total variance). Points (P,) have to be
    spread as the parameters are.
    """
    numbers = numbers[np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_POINTS)).astype(np.int64)]
    runs, own = numbers.shape[1], shuffled(numbers, seed, 1)
    all_runs = np.ones(runs, dtype=np.int64)
    again = Again(
        np.array([[_share(numbers[some], all_runs)] for some in samples_anew(len(numbers), seed)]),
        *(np.array([_share(one, counts) for counts in runs_left(runs)]).reshape(-1, 1) for one in (numbers, own)),
    )
    found = interval(np.array(_share(numbers, all_runs)), again.deviation[0])
    return ErrorInterval(found.value, np.maximum(found.low, 0.0), np.minimum(found.high, 1.0))


def _share(numbers: Column, counts: Array) -> float:
    within = float(numbers[:, counts > 0].var(axis=1, ddof=1).mean())
    parts = (part_of_runs(counts, place, 2) for place in range(2))
    total = within + max(Halves(*((numbers @ part) / part.sum() for part in parts)).covariance(), 0.0)
    return within / total if total > 0 else np.nan
