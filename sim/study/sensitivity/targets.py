"""What a sensitivity analysis explains: one statistic of one outcome at each point, from any multiset of its runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.rules.outcomes import NEVER, Outcome
from sim.study.outcomes import OUTCOMES_BY_NAME
from sim.study.sweep.precision import Judgement
from sim.world.errors import UserError, one_of

Array = npt.NDArray[Any]
Column = npt.NDArray[np.float64]

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
    def unit(self) -> str:
        """Unit of the statistic."""
        shares = self.statistic == "share" or _BOUND.fullmatch(self.statistic)
        return "probability" if shares else self.outcome.unit

    @property
    def words(self) -> str:
        """The statistic in words."""
        bound = _BOUND.fullmatch(self.statistic)
        if bound is not None:
            how = "at least" if bound[1] == "atleast" else "less than"
            return f"share of histories with {how} {bound[2]} {self.outcome.unit}"
        if self.statistic == "share":
            return "share of histories"
        return f"{self.statistic[1:]} % quantile" if _QUANTILE.fullmatch(self.statistic) else self.statistic

    @property
    def sentence(self) -> str:
        """The statistic with the meaning of the outcome, in words."""
        text = self.outcome.text.removeprefix("1 when ")
        if self.statistic == "share":
            return f"share of histories in which {text}"
        bound = _BOUND.fullmatch(self.statistic)
        return f"{text}: {self.words}" if bound is not None else f"{self.words} of {text}"

    @property
    def warning(self) -> str | None:
        """What to say where a mean would mislead."""
        return Judgement(self.outcome, 0.0).words.partition("; ")[2] or None

    def prepared(self, values: Array) -> "Linear | Ordered":
        """Runs (P, R) of all points, made ready for the statistic."""
        numbers = self.numbers(values)
        if self.level is None:
            return Linear(self.indicated(numbers))
        return Ordered(numbers, self.level)

    def numbers(self, values: Array) -> Column:
        """The outcome as numbers; never counts as the day after the last on which it happened anywhere."""
        numbers = np.asarray(values, dtype=np.float64)
        if self.outcome.unit == "day":
            return np.where(numbers == NEVER, numbers.max(initial=0.0) + 1.0, numbers)
        return numbers

    def indicated(self, numbers: Column) -> Column:
        """What is averaged: the outcome itself, or 1 where it is as asked."""
        bound = _BOUND.fullmatch(self.statistic)
        if bound is not None:
            limit = float(bound[2])
            return np.asarray(numbers >= limit if bound[1] == "atleast" else numbers < limit, dtype=np.float64)
        return np.asarray(numbers != 0.0, dtype=np.float64) if self.statistic == "share" else numbers

    @property
    def file_name(self) -> str:
        """As part of the name of a file."""
        return f"{self.outcome.name}-{self.statistic}"

    @property
    def single_words(self) -> str:
        """What of a single history the variance due to chance is told of."""
        if self.level is None:
            return f"{self.outcome.name} in one history" if self.statistic == "mean" else "whether that happens"
        return f"whether one history exceeds the {self.words} of all"

    def single(self, values: Array) -> Column:
        """What of a single history the variance due to chance is told of (P, R).

        For a quantile it is whether the history exceeds that quantile of all histories (or reaches it, if none does):
        the variance of the outcome itself would hang on its rarest values, and has no meaning where a thing may never
        happen.
        """
        numbers = self.numbers(values)
        if self.level is None:
            return self.indicated(numbers)
        limit = float(np.quantile(numbers, self.level, method="inverted_cdf"))
        above = numbers > limit
        return np.asarray(above if above.any() else numbers >= limit, dtype=np.float64)


@dataclass(frozen=True)
class Linear:
    """Numbers (P, R) of which a mean is wanted."""

    numbers: Column

    @property
    def runs(self) -> int:
        """R."""
        return self.numbers.shape[1]

    def shuffled(self, seed: int, block: int = 1) -> "Linear":
        """The same with the runs of each block of points in an order of its own."""
        return Linear(shuffled(self.numbers, seed, block))

    def of(self, counts: Array) -> Column:
        """The mean (P,) of runs taken `counts` (R,) times each."""
        return np.asarray(self.numbers @ counts.astype(np.float64) / counts.sum())


@dataclass(frozen=True)
class Ordered:
    """Numbers (P, R) of which a quantile is wanted."""

    numbers: Column
    level: float

    @cached_property
    def _order(self) -> Array:
        return np.argsort(self.numbers, axis=1, kind="stable").astype(np.int32)

    @cached_property
    def _sorted(self) -> Column:
        return np.take_along_axis(self.numbers, self._order, axis=1)

    @property
    def runs(self) -> int:
        """R."""
        return self.numbers.shape[1]

    def shuffled(self, seed: int, block: int = 1) -> "Ordered":
        """The same with the runs of each block of points in an order of its own."""
        return Ordered(shuffled(self.numbers, seed, block), self.level)

    def of(self, counts: Array) -> Column:
        """The quantile (P,) of runs taken `counts` (R,) times each: the least value that reaches the level."""
        reached = np.cumsum(counts.astype(np.int16)[self._order], axis=1, dtype=np.int32)
        wanted = max(1, int(np.ceil(counts.sum() * self.level - 1e-9)))
        place = np.argmax(reached >= wanted, axis=1)
        return np.asarray(self._sorted[np.arange(len(place)), place])


Prepared = Linear | Ordered


def shuffled(numbers: Column, seed: int, block: int) -> Column:
    """Numbers (P, R) with the runs of each block of points in an order of its own."""
    count, runs = len(numbers) // block, numbers.shape[1]
    order = np.random.default_rng([seed, 3]).permuted(np.tile(np.arange(runs), (count, 1)), axis=1)
    return np.take_along_axis(numbers, np.repeat(order, block, axis=0), axis=1)


def target_of(text: str, outcomes: Mapping[str, Outcome] = OUTCOMES_BY_NAME) -> Target:
    """A target as a user writes it: `war`, or `deaths:q95`; without a statistic, what a sweep judges precision by.

    >>> target_of("war").name, target_of("deaths").name, target_of("lull_days:below14").words
    ('war:share', 'deaths:q95', 'share of histories with less than 14 days')

    Raises:
        UserError: no such outcome or statistic, or a mean where none can be trusted.
    """
    name, _, statistic = text.partition(":")
    if name not in outcomes:
        raise UserError("sensitivity.outcomes", text, f"outcomes: {one_of(tuple(outcomes), name)}")
    outcome = outcomes[name]
    by = Judgement(outcome, 0.0).by
    target = Target(outcome, statistic or _BY_JUDGEMENT.get(by, by))
    known = target.statistic in ("mean", "share") or target.level is not None or _BOUND.fullmatch(target.statistic)
    if not known:
        raise UserError("sensitivity.outcomes", text, f"{name}, or {name}: followed by one of {STATISTICS}")
    if target.statistic == "mean" and (outcome.heavy_tailed or outcome.unit == "day"):
        why = "it is heavy-tailed" if outcome.heavy_tailed else "it may never happen"
        raise UserError("sensitivity.outcomes", text, f"a quantile, atleast or below of {name}: {why}, so no mean")
    if target.statistic == "share" and outcome.unit == "day":
        raise UserError("sensitivity.outcomes", text, f"a quantile, atleast or below of {name}: days are numbers")
    return target
