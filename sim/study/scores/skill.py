"""Forecasts made again and again along one set of counts, and the skill of ours beside simpler ones."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.events.counts import Counts
from sim.study.scores.bank import Bank
from sim.study.scores.benchmarks import BENCHMARKS
from sim.study.scores.forecasting import forecast
from sim.study.scores.matching import Pasts, pasts_of
from sim.study.scores.scoring import BANDS, SCORES, Scored, score
from sim.world.errors import UserError

Array = npt.NDArray[Any]

MODEL: Final = "model"
FORECASTERS: Final = (MODEL, *BENCHMARKS)
FIRST: Final = 42
"""Days of counts before the first forecast."""
STEP: Final = 21
"""Days from one forecast to the next, and days that each reaches ahead: no day is forecast twice."""
SHORTEST: Final = 7
"""Days that a period has at least."""
RESAMPLED: Final = 4000
LEVEL: Final = 0.9
FEWEST_UNITS: Final = 8
"""Independent forecasts, or datasets, that an interval and a verdict need: from fewer it would be far too narrow."""
BETTER: Final = "model better"
WORSE: Final = "model worse"
NEITHER: Final = "no difference shown"
TOO_FEW: Final = "too few forecasts"
VERDICTS: Final = (BETTER, WORSE, NEITHER, TOO_FEW)


@dataclass(frozen=True)
class Trial:
    """One forecast that was held against what came: counts (P,) of its periods, and the scores of each forecaster."""

    dataset: int
    cut: int
    edges: Array
    counts: Array
    scored: Mapping[str, Scored]


@dataclass(frozen=True)
class Skill:
    """The model beside one benchmark by one score.

    `gain` is 1 - (mean score of the model) / (mean score of the benchmark), for the log score the difference of their
    means in nats a period; `low` and `high` its interval of 90%, infinite where too few forecasts give none. Above zero
    the model is better.
    """

    benchmark: str
    score: str
    gain: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """What the interval says."""
        if not np.isfinite(self.high - self.low):
            return TOO_FEW
        if self.low > 0:
            return BETTER
        return WORSE if self.high < 0 else NEITHER


def cuts_of(counts: Counts) -> list[tuple[int, Array]]:
    """Days at whose end forecasts are made, with the ends of the periods that each is about.

    Raises:
        UserError: the counts are too short for one.
    """
    found: list[tuple[int, Array]] = []
    target = int(counts.ends[0]) + FIRST
    while True:
        cut = counts.nearest_end(target)
        edges = periods_after(counts, cut)
        if cut - counts.ends[0] >= FIRST // 2 and len(edges) > 1 and (not found or cut > found[-1][0]):
            found.append((cut, edges))
        target += STEP
        if target >= counts.ends[-1]:
            break
    if not found:
        span = int(counts.ends[-1] - counts.ends[0])
        raise UserError("data", f"{span} days", f"at least {FIRST + SHORTEST} days of counts to be scored")
    return found


def periods_after(counts: Counts, cut: int) -> Array:
    """Ends of periods of at least a week after a cut, up to three weeks ahead, the cut the first."""
    edges = [cut]
    for end in counts.ends[(counts.ends > cut) & (counts.ends <= cut + STEP)]:
        if end - edges[-1] >= SHORTEST:
            edges.append(int(end))
    return np.array(edges)


def trials(
    datasets: Sequence[Counts],
    bank_for: Callable[[Counts, int, int], Bank],
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> list[Trial]:
    """Forecast every dataset from every cut and score what came.

    Args:
        datasets: counts; those of one list share the days on which they are known.
        bank_for: gives the bank for counts, a cut and the last day that is needed.
        seed: of the benchmarks that are simulated.
        progress: called with 1 after each cut.
    """
    found = []
    for cut, edges in cuts_of(datasets[0]):
        bank = bank_for(datasets[0], cut, int(edges[-1]))
        pasts = pasts_of(bank, datasets[0], cut)
        for number, counts in enumerate(datasets):
            known = counts.upto(cut)
            generator = np.random.Generator(np.random.Philox(key=[seed, number], counter=[0, 0, 0, cut]))
            found.append(_trial(number, edges, known, counts.between(edges), pasts, generator))
        if progress is not None:
            progress(1)
    return found


def _trial(
    number: int, edges: Array, known: Counts, counts: Array, pasts: Pasts, generator: np.random.Generator
) -> Trial:
    ours = forecast(pasts, known, edges)
    largest = int(2 * max(ours.samples.sum(axis=2).max(), counts.max(), _busiest(known, edges)) + 20)
    predicted = {MODEL: ours.predictive(largest)}
    predicted |= {name: one(known, edges, largest, generator) for name, one in BENCHMARKS.items()}
    return Trial(number, ours.cut, edges, counts, {name: score(one, counts) for name, one in predicted.items()})


def _busiest(known: Counts, edges: Array) -> float:
    """Most attacks of the past in as many days as the longest period has."""
    longest = int(np.diff(edges).max())
    before = known.total[np.searchsorted(known.ends, known.ends - longest, side="right") - 1]
    return float((known.total - np.where(known.ends - longest < known.ends[0], 0.0, before)).max())


def means_by(found: Iterable[Trial], unit: Callable[[Trial], int]) -> dict[str, dict[str, Array]]:
    """Mean score (units,) of each forecaster and score, by what `unit` names: datasets, or cuts of one dataset."""
    trials_of: dict[int, list[Trial]] = {}
    for one in found:
        trials_of.setdefault(unit(one), []).append(one)
    return {
        name: {
            key: np.array(
                [np.mean(np.concatenate([t.scored[name].values[key] for t in ts])) for ts in trials_of.values()]
            )
            for key in SCORES
        }
        for name in FORECASTERS
    }


def skills(found: Sequence[Trial], unit: Callable[[Trial], int], seed: int = 0) -> tuple[Skill, ...]:
    """The model compared with every benchmark by every score; intervals come from drawing the units again."""
    means = means_by(found, unit)
    size = len(means[MODEL][SCORES[0]])
    drawn = np.random.Generator(np.random.Philox(seed)).integers(0, size, (RESAMPLED, size))
    out = []
    for name in BENCHMARKS:
        for key in SCORES:
            ours, theirs = means[MODEL][key], means[name][key]
            again = gain(key, ours[drawn].mean(axis=1), theirs[drawn].mean(axis=1))
            low, high = (-np.inf, np.inf)
            if size >= FEWEST_UNITS:
                low, high = np.quantile(again, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
            out.append(Skill(name, key, float(gain(key, ours.mean(), theirs.mean())), float(low), float(high)))
    return tuple(out)


def gain(key: str, ours: Array, theirs: Array) -> Array:
    """How much better mean scores are than others: a share, for the log score a difference."""
    return np.asarray(theirs - ours if key == "log" else 1.0 - ours / np.maximum(theirs, 1e-12))


@dataclass(frozen=True)
class Summary:
    """One forecaster over all trials: mean scores, and for each band how often it held the count and was to hold it."""

    forecaster: str
    periods: int
    means: Mapping[str, float]
    covered: Mapping[float, float]
    held: Mapping[float, float]


def summaries(found: Sequence[Trial]) -> tuple[Summary, ...]:
    """Every forecaster over all trials."""
    out = []
    for name in FORECASTERS:
        scored = [one.scored[name] for one in found]
        out.append(
            Summary(
                name,
                sum(len(one.counts) for one in found),
                {key: float(np.mean(np.concatenate([one.values[key] for one in scored]))) for key in SCORES},
                {level: float(np.mean(np.concatenate([one.covered[level] for one in scored]))) for level in BANDS},
                {level: float(np.mean(np.concatenate([one.held[level] for one in scored]))) for level in BANDS},
            )
        )
    return tuple(out)
