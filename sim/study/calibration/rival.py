"""Rival readings of the calm: how much probability the figures leave to each, and how far that hangs on the priors.

Strikes that deterred, a patron that held back of itself, a patron that held back before announced strikes: each is a
channel that can be shut in the model. A reading is a set of open channels. What the figures say of readings is the
ratio of their marginal likelihoods, each the mean weight over a bank of its own with the same draws and the same luck.

A reading may fix an observation by definition: without an order nobody complies, so no group complies later than
another. Such an observation does not test the reading, and readings are compared on the same observations. So it leaves
the evidence of all of them (`part_of`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from sim.rules.outcomes import LULL
from sim.study.calibration.bank import CHUNK, Bank, Prior, fill, live
from sim.study.calibration.figures import Figure, seen
from sim.study.calibration.posterior import likelihood, reported
from sim.study.calibration.settings import Channel
from sim.study.outcomes import ACKNOWLEDGED
from sim.world.patterns import Pattern

Array = npt.NDArray[Any]

NOTHING: Final = "none of these"
TAIL: Final = 0.025
"""Chance that an interval lies below, or above, what it is to hold."""

WEIGHED, GIVEN, LEFT_OUT = "weighed", "given", "left out"
"""Parts that a figure can have in the comparison of readings."""


@dataclass(frozen=True)
class Single:
    """Probability of one figure's report alone under a reading, and the part of the figure in the comparison.

    `fixed` says that the report is excluded by definition: the number behind it is the same in every history.
    """

    probability: float
    fixed: bool
    part: str = WEIGHED


@dataclass(frozen=True)
class Reading:
    """A set of open channels, in words, and what the figures say of it.

    `evidence` is the probability under it of the reports that are weighed, given those that are given, `odds` the Bayes
    factor against the reading with all channels open, with its Monte Carlo standard error, `share` its posterior
    probability where all readings are equally probable before; the last two with an interval of 95% for the finite
    number of histories (`spread_of`). `singles` are its probabilities of the reports one by one, by figure.
    """

    id: str
    text: str
    channels: tuple[str, ...]
    evidence: float
    odds: float
    odds_error: float
    odds_interval: tuple[float, float]
    prior_share: float
    share: float
    share_interval: tuple[float, float]
    singles: Mapping[str, Single]


@dataclass(frozen=True)
class Leaning:
    """How the posterior shares of all readings (readings,) change where the prior of one parameter is another."""

    key: str
    prior: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Weighed:
    """Weights of the rows under each reading (readings, rows); rows are the same draws and the same luck in all.

    `given` (readings, rows) is the part of the weights that is no evidence: the probability of the reports that are
    given.
    """

    prior: Prior
    channels: tuple[Channel, ...]
    sets: tuple[tuple[str, ...], ...]
    weights: Array
    given: Array
    singles: tuple[Mapping[str, Single], ...]


def open_sets(channels: Sequence[Channel]) -> tuple[tuple[str, ...], ...]:
    """Every set of open channels, the smaller ones first.

    >>> open_sets([Channel(name, "", (), {}) for name in "ab"])
    ((), ('a',), ('b',), ('a', 'b'))
    """
    names = [one.id for one in channels]
    return tuple(one for size in range(len(names) + 1) for one in combinations(names, size))


def closed(prior: Prior, channels: Sequence[Channel], open_ones: Sequence[str]) -> Prior:
    """The prior of a reading: the same draws with all other channels shut."""
    shut = [one for one in channels if one.id not in open_ones]
    off = {name: False for one in shut for name in one.mechanisms}
    held = {key: value for one in shut for key, value in one.parameters.items()}
    scenario = replace(prior.scenario, mechanisms=replace(prior.scenario.mechanisms, **off))
    return replace(prior, scenario=scenario, held={**prior.held, **held})


def weigh(
    bank: Bank,
    channels: Sequence[Channel],
    draws: int,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
    wide: frozenset[str] = frozenset(),
) -> Weighed:
    """Weigh every reading over banks of `draws` rows; the figures are those of `bank`."""
    prior = replace(bank.prior, wide=wide)
    sets, told = open_sets(channels), reported(bank.figures)
    banks = [fill(closed(prior, channels, one), bank.figures, draws, threads, progress) for one in sets]
    alone = {figure.id: [_single(one, figure) for one in banks] for figure in bank.figures}
    parts = {name: part_of(found) for name, found in alone.items()}

    def product(*wanted: str) -> Array:
        figures = [one for one in bank.figures if parts[one.id] in wanted]
        return np.stack([likelihood(figures, one.numbers, one.chance, told) for one in banks])

    singles = (
        {name: replace(found[place], part=parts[name]) for name, found in alone.items()} for place in range(len(sets))
    )
    return Weighed(prior, tuple(channels), sets, product(WEIGHED, GIVEN), product(GIVEN), tuple(singles))


def _single(bank: Bank, figure: Figure) -> Single:
    numbers = bank.numbers[figure.id]
    probability = float(figure.reading.likely(numbers, bank.chance, figure.reading.told).mean())
    # A number that varies and never fits is no case of this: the reading could have given it, and is tested by it.
    return Single(probability, probability in (0.0, 1.0) and bool((numbers == numbers[0]).all()))


def part_of(singles: Sequence[Single]) -> str:
    """The part of a figure in a comparison, by what each of the readings makes of it alone.

    What a reading excludes by definition is evidence for none of them. Where it is impossible under one, it is left
    out; where it is certain under one and possible under all, histories that have it are compared.

    >>> part_of([Single(0.0, True), Single(0.6, False)]), part_of([Single(1.0, True), Single(0.9, False)])
    ('left out', 'given')
    """
    if not any(one.fixed for one in singles):
        return WEIGHED
    return GIVEN if all(one.probability for one in singles) else LEFT_OUT


def usable(weighed: Weighed) -> bool:
    """Whether any row agrees with the figures while all channels are open, so that there are odds at all."""
    return bool(weighed.weights[-1].any())


def readings_of(weighed: Weighed) -> tuple[Reading, ...]:
    """What the figures say of each reading, under equal prior probabilities."""
    passed = weighed.given.mean(axis=1)
    means = weighed.weights.mean(axis=1) / passed
    # A ratio of two means varies, to first order, as the mean of these.
    covariance = _covariance((weighed.weights - means[:, None] * weighed.given) / passed[:, None])
    shares, share_errors = _shares(means, covariance)
    full = len(means) - 1
    one_more = float(weighed.weights.max()) / weighed.weights.shape[1]
    made = []
    for place, open_ones in enumerate(weighed.sets):
        odds = float(means[place] / means[full])
        apart = _ratio_error(means, covariance, place, full)
        made.append(
            Reading(
                id="+".join(open_ones) or "none",
                text=words(weighed.channels, open_ones),
                channels=open_ones,
                evidence=float(means[place]),
                odds=odds,
                odds_error=apart,
                odds_interval=spread_of(odds, apart, one_more / means[full]) if place != full else (odds, odds),
                prior_share=1.0 / len(means),
                share=float(shares[place]),
                share_interval=_within(spread_of(shares[place], share_errors[place], one_more / means.sum())),
                singles=weighed.singles[place],
            )
        )
    return tuple(made)


def words(channels: Sequence[Channel], open_ones: Sequence[str]) -> str:
    """A reading in words."""
    if len(open_ones) == len(channels) > 1:
        return "all of these"
    return "; ".join(one.text for one in channels if one.id in open_ones) or NOTHING


def _covariance(weights: Array) -> Array:
    """Covariance (readings, readings) of the means of weights (readings, rows)."""
    return np.atleast_2d(np.cov(weights)) / weights.shape[1]


def _ratio_error(means: Array, covariance: Array, one: int, other: int) -> float:
    """Standard error of means[one] / means[other], to first order."""
    if one == other or not means[one] or not means[other]:
        return 0.0
    both = np.ix_((one, other), (one, other))
    relative = covariance[both] / np.outer(means[[one, other]], means[[one, other]])
    variance = relative[0, 0] + relative[1, 1] - 2.0 * relative[0, 1]
    return float(means[one] / means[other] * np.sqrt(max(variance, 0.0)))


def _shares(means: Array, covariance: Array) -> tuple[Array, Array]:
    """Shares of the means in their sum, with standard errors to first order."""
    shares = means / means.sum()
    slopes = (np.eye(len(means)) - shares[:, None]) / means.sum()
    return shares, np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, covariance, slopes), 0.0))


def spread_of(value: float, error: float, one_more: float) -> tuple[float, float]:
    """Interval of 95% of a sum of weights, few of which may have been seen: a scaled Poisson count's.

    The value counts as k = (value / error)^2 histories of the size s = error^2 / value; exact limits of k, times s (Fay
    and Feuer 1997). Of many histories it is value +/- 1.96 errors; of none it reaches as far as histories of the size
    `one_more` would be missed by chance.

    >>> low, high = spread_of(0.25, 0.01, 0.01)
    >>> round(low, 3), round(high, 3), spread_of(0.0, 0.0, 0.001)[1] > 0.003
    (0.231, 0.27, True)
    """
    if value and not error:
        return float(value), float(value)
    counted, size = ((value / error) ** 2, error**2 / value) if value else (0.0, one_more)
    low = special.gammaincinv(counted, TAIL) if counted else 0.0
    return float(size * low), float(size * special.gammaincinv(counted + 1.0, 1.0 - TAIL))


def _within(interval: tuple[float, float]) -> tuple[float, float]:
    return interval[0], min(1.0, interval[1])


def leanings(weighed: Weighed, most: int = 8) -> tuple[Leaning, ...]:
    """Shares where the prior of one parameter keeps only its lower or its upper half, those that change most first.

    The same rows serve: those of the other half get no weight.
    """
    lower, whole = _by_half(weighed)
    shares = [_normed(one) for one in (lower, whole[:, :, None] - lower)]
    declared = _normed(whole[:, :, None])
    found: list[tuple[float, list[Leaning]]] = []
    for place, key in enumerate(weighed.prior.keys):
        halves = [
            Leaning(key, name, tuple(float(one) for one in half[:, place]))
            for name, half in zip(("lower half", "upper half"), shares, strict=True)
        ]
        change = max(float(np.abs(half[:, place] - declared[:, 0]).max()) for half in shares)
        found.append((change, halves))
    found.sort(key=lambda one: -one[0])
    return tuple(one for _, halves in found[:most] for one in halves)


def _by_half(weighed: Weighed) -> tuple[Array, Array]:
    """Sums of weights and of what is given (2, readings, keys) in the lower half of each prior, and of all rows."""
    both = np.stack([weighed.weights, weighed.given])
    lower = np.zeros((*both.shape[:2], len(weighed.prior.keys)))
    for start in range(0, both.shape[2], CHUNK):
        rows = np.arange(start, min(start + CHUNK, both.shape[2]))
        lower += both[:, :, rows] @ (weighed.prior.levels(rows) < 0.5)
    return lower, both.sum(axis=2)


def _normed(sums: Array) -> Array:
    """Shares of the readings (readings, keys) from sums of weights and of what is given (2, readings, keys)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        evidence = sums[0] / sums[1]
        return np.asarray(evidence / evidence.sum(axis=0))


@dataclass(frozen=True)
class Needed:
    """How often one channel is needed for the calm, or enough for it, among draws that have the calm.

    Shares of draws, before (the prior's with the calm) and after (the posterior's): `fails` without this channel,
    `enough` with this channel alone.
    """

    channel: str
    text: str
    fails_before: float
    fails_after: float
    enough_before: float
    enough_after: float
    draws_before: int
    draws_after: int


@dataclass(frozen=True)
class Story:
    """One story of the calm, by which channels alone are enough for it, and its share of draws before and after."""

    text: str
    before: float
    after: float


@dataclass(frozen=True)
class Calm:
    """Where and how many acknowledged attacks still count as the calm: none in some theatres, few in others."""

    none: tuple[str, ...]
    few: tuple[str, ...]
    most: float


def calm_of(patterns: Sequence[Pattern]) -> Calm | None:
    """The calm as the patterns describe it; None where they do not."""
    by_measure = {one.measure: one for one in patterns}
    if not {"lull_none", "lull_few"} <= by_measure.keys():
        return None
    few = by_measure["lull_few"]
    return Calm(by_measure["lull_none"].theatres, few.theatres, few.limits["high"])


def holds(prior: Prior, rows: Array, calm: Calm, threads: int = 0) -> Array:
    """Whether the calm comes about in the histories of rows (rows,), and no war before the report."""
    parts = [_holds(prior, rows[start : start + CHUNK], calm, threads) for start in range(0, len(rows), CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def _holds(prior: Prior, rows: Array, calm: Calm, threads: int) -> Array:
    here = seen(prior.scenario, live(prior, prior.values(rows), rows, threads))
    lull = here.by_theatre[:, LULL, ACKNOWLEDGED]
    cast = prior.scenario.cast
    none, few = (lull[[cast.theatre_index(key) for key in keys]].sum(axis=0) for keys in (calm.none, calm.few))
    return np.asarray((none == 0) & (few <= calm.most) & (here.outcomes["war_day"] < 0))


@dataclass(frozen=True)
class Sufficient:
    """Whether the calm comes about with each set of open channels alone (sets, rows), for rows that have it."""

    sets: tuple[tuple[str, ...], ...]
    calm: Array


def counterfactuals(prior: Prior, rows: Array, channels: Sequence[Channel], calm: Calm, threads: int = 0) -> Sufficient:
    """Live the histories of rows again with every set of open channels, the luck the same.

    Rows without the calm where all are open drop out.
    """
    sets = open_sets(channels)
    lived = np.stack([holds(closed(prior, channels, one), rows, calm, threads) for one in sets])
    return Sufficient(sets, lived[:, lived[-1]])


def needed(before: Sufficient, after: Sufficient, channels: Sequence[Channel]) -> tuple[Needed, ...]:
    """How often each channel is needed, or enough alone."""
    return tuple(
        Needed(
            one.id, one.text, _fails(before, one.id), _fails(after, one.id), _enough(before, one.id),
            _enough(after, one.id), before.calm.shape[1], after.calm.shape[1],
        )
        for one in channels
    )  # fmt: skip


def _fails(found: Sufficient, channel: str) -> float:
    others = tuple(one for one in found.sets[-1] if one != channel)
    return float(1.0 - _share(found.calm[found.sets.index(others)]))


def _enough(found: Sufficient, channel: str) -> float:
    return _share(found.calm[found.sets.index((channel,))])


def _share(which: Array) -> float:
    return float(which.mean()) if len(which) else float("nan")


def stories(before: Sufficient, after: Sufficient, channels: Sequence[Channel]) -> tuple[Story, ...]:
    """Shares of draws by which channels alone are enough for the calm: one of them, several, only some together."""
    masks = [dict(_stories(one, channels)) for one in (before, after)]
    return tuple(Story(text, _share(masks[0][text]), _share(masks[1][text])) for text in masks[0])


def _stories(found: Sufficient, channels: Sequence[Channel]) -> Iterator[tuple[str, Array]]:
    lived: Mapping[tuple[str, ...], Array] = dict(zip(found.sets, found.calm, strict=True))
    idle = lived[()]
    alone = np.stack([lived[(one.id,)] for one in channels])
    count = alone.sum(axis=0)
    for place, one in enumerate(channels):
        yield f"only this is enough: {one.text}", ~idle & (count == 1) & alone[place]
    yield "several are enough, each alone", ~idle & (count > 1)
    yield "none is enough alone, only some together", ~idle & (count == 0)
    yield "none is needed: it would have been calm anyway", idle
