"""Rival readings of the calm: how much probability the figures leave to each, and how far that depends on the priors.

Militias that heeded the order to hold back, strikes that deterred, announced strikes that did: each is a channel that
can be shut in the model. The order itself is documented and given in all of them. A reading is a set of open channels
under a form of the model: wings comply by degrees, or groups decide to pause. What the figures say of readings is the
ratio of their marginal likelihoods, each the mean weight over a bank of its own at the same draws with common random
numbers.

A reading may fix an observation by definition: by degrees no group complies with an order that it does not heed, so no
group complies later than another. Such an observation does not test the reading, and readings are compared on the same
observations. So it leaves the evidence of all of them (`part_of`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from scipy import special

from sim.analysis.calibration.observations import Channel, Form, Observation, seen
from sim.analysis.calibration.posterior import (
    CHUNK,
    PriorSampler,
    ReferenceTable,
    experiment_of,
    fill,
    likelihood,
    reported,
)
from sim.analysis.pattern_tests import Calm
from sim.experiment.dataset import ACKNOWLEDGED
from sim.experiment.runner import Progress, chunks, joined
from sim.experiment.statistics import Array
from sim.rules.outcomes import LULL

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
    """A set of open channels under a form of the model, in words, and what the figures say of it.

    `evidence` is the probability under it of the reports that are weighed, given those that are given. The Bayes factor
    is against the reading with all channels open, with its Monte Carlo standard error; the prior probability is the
    same for all readings. Limits are those of 95% for the finite number of histories (`spread_of`). `singles` are its
    probabilities of the reports one by one, by figure.
    """

    hypothesis: str
    form: str
    text: str
    prior_probability: float
    posterior_probability: float
    probability_low: float
    probability_high: float
    bayes_factor: float
    bayes_factor_error: float
    bayes_factor_low: float
    bayes_factor_high: float
    evidence: float
    channels: tuple[str, ...]
    singles: Mapping[str, Single]


@dataclass(frozen=True)
class PriorSensitivity:
    """How the posterior shares of all readings (readings,) change where the prior of one parameter is another."""

    key: str
    prior: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Weighed:
    """Weights of the rows under each reading (readings, rows); rows are the same draws in all, with common random
    numbers.

    `given` (readings, rows) is the part of the weights that is no evidence: the probability of the reports that are
    given.
    """

    prior: PriorSampler
    channels: tuple[Channel, ...]
    sets: tuple[tuple[Form, tuple[str, ...]], ...]
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


AS_CONFIGURED: Final = Form("", "", {})
"""The form of the model where a calibration names none."""


def closed(
    prior: PriorSampler, channels: Sequence[Channel], open_ones: Sequence[str], form: Form = AS_CONFIGURED
) -> PriorSampler:
    """The prior of a reading: the same draws under a form of the model, with all other channels shut."""
    shut = [one for one in channels if one.id not in open_ones]
    off = {name: False for one in shut for name in one.mechanisms}
    held = {key: value for one in shut for key, value in one.parameters.items()}
    switches = {**form.mechanisms, **off}
    scenario = replace(prior.scenario, mechanisms=replace(prior.scenario.mechanisms, **switches))
    return replace(prior, scenario=scenario, held={**prior.held, **held})


def weigh(
    bank: ReferenceTable,
    channels: Sequence[Channel],
    draws: int,
    threads: int = 0,
    progress: Progress | None = None,
    wide: frozenset[str] = frozenset(),
    forms: Sequence[Form] = (),
) -> Weighed:
    """Weigh every reading over banks of `draws` rows; figures are those of `bank`, the last form is the model's own."""
    prior = replace(bank.prior, wide=wide)
    reports = reported(bank.figures)
    sets = tuple((form, one) for form in forms or (AS_CONFIGURED,) for one in open_sets(channels))
    banks = [fill(closed(prior, channels, one, form), bank.figures, draws, threads, progress) for form, one in sets]
    alone = {figure.id: [_single(one, figure) for one in banks] for figure in bank.figures}
    parts = {name: part_of(found) for name, found in alone.items()}

    def product(*wanted: str) -> Array:
        figures = [one for one in bank.figures if parts[one.id] in wanted]
        return np.stack([likelihood(figures, one.numbers, one.chance, reports) for one in banks])

    singles = tuple(
        {name: replace(found[place], part=parts[name]) for name, found in alone.items()} for place in range(len(sets))
    )
    return Weighed(prior, tuple(channels), sets, product(WEIGHED, GIVEN), product(GIVEN), singles)


def _single(bank: ReferenceTable, figure: Observation) -> Single:
    numbers = bank.numbers[figure.id]
    probability = float(figure.reading.pmf(numbers, bank.chance, figure.reading.observed).mean())
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


def readings_of(weighed: Weighed) -> tuple[Reading, ...]:
    """What the figures say of each reading, under equal prior probabilities.

    Nothing where no row agrees with them while all channels are open, so that there are no odds.
    """
    if not weighed.weights[-1].any():
        return ()
    passed = weighed.given.mean(axis=1)
    means = weighed.weights.mean(axis=1) / passed
    # A ratio of two means varies, to first order, as the mean of these.
    rows = (weighed.weights - means[:, None] * weighed.given) / passed[:, None]
    covariance = np.atleast_2d(np.cov(rows)) / rows.shape[1]
    shares, share_errors = _shares(means, covariance)
    factors, factor_errors = means / means[-1], _ratio_errors(means, covariance)
    one_more = float(weighed.weights.max()) / weighed.weights.shape[1]
    made = []
    for place, (form, open_ones) in enumerate(weighed.sets):
        share, factor = float(shares[place]), float(factors[place])
        low, high = spread_of(share, share_errors[place], one_more / means.sum())
        limits = (factor, factor)
        if place != len(means) - 1:
            limits = spread_of(factor, factor_errors[place], one_more / means[-1])
        made.append(
            Reading(
                named(form.id, "+".join(open_ones) or "none"), form.id,
                named(form.text, words(weighed.channels, open_ones)), 1.0 / len(means), share, low,
                min(1.0, high), factor, factor_errors[place], *limits, float(means[place]), open_ones,
                weighed.singles[place],
            )
        )  # fmt: skip
    return tuple(made)


def named(form: str, reading: str) -> str:
    """A reading under a form of the model, where there are several.

    >>> named("pause", "order+strikes"), named("", "none")
    ('pause: order+strikes', 'none')
    """
    return f"{form}: {reading}" if form else reading


def words(channels: Sequence[Channel], open_ones: Sequence[str]) -> str:
    """A reading in words."""
    if len(open_ones) == len(channels) > 1:
        return "all of these"
    return "; ".join(one.text for one in channels if one.id in open_ones) or NOTHING


def _ratio_errors(means: Array, covariance: Array) -> list[float]:
    """Standard errors (readings,) of the ratios of means to the last one, to first order; 0 of a ratio that is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = covariance / np.outer(means, means)
    variance = np.diag(relative) + relative[-1, -1] - 2.0 * relative[:, -1]
    errors = means / means[-1] * np.sqrt(np.maximum(variance, 0.0))
    return np.where(means > 0.0, errors, 0.0).tolist()


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


def prior_sensitivity(weighed: Weighed, most: int = 8) -> tuple[PriorSensitivity, ...]:
    """Shares where the prior of one parameter keeps only its lower or its upper half, those that change most first.

    The same rows serve: those of the other half get no weight.
    """
    lower, whole = _by_half(weighed)
    shares = [_normed(one) for one in (lower, whole[:, :, None] - lower)]
    declared = _normed(whole[:, :, None])
    found: list[tuple[float, list[PriorSensitivity]]] = []
    for place, key in enumerate(weighed.prior.keys):
        halves = [
            PriorSensitivity(key, name, tuple(float(one) for one in half[:, place]))
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


def holds(prior: PriorSampler, rows: Array, calm: Calm, threads: int = 0, progress: Progress | None = None) -> Array:
    """Whether the calm comes about in the histories of rows (rows,), and no war before the report."""
    cast, experiment = prior.scenario.cast, experiment_of(prior, threads)

    def calm_there(part: range, done: Progress | None) -> dict[str, Array]:
        some = rows[part.start : part.stop]
        output = experiment.simulate(sets=some, values=prior.design(prior.values(some)), progress=done)
        here = seen(prior.scenario, output)
        lull = here.by_theatre[:, LULL, ACKNOWLEDGED]
        none, few = (
            lull[[cast.theatre_index(key) for key in one.theatres]].sum(axis=0) for one in (calm.none, calm.few)
        )
        return {"calm": (none == 0) & (few <= calm.few.limits["high"]) & (here.outcomes["war_day"] < 0)}

    return joined(chunks(len(rows), CHUNK, calm_there, progress))["calm"] if len(rows) else np.zeros(0, dtype=bool)


Sufficient = Mapping[tuple[str, ...], Array]
"""Whether the calm comes about with each set of open channels alone (rows,), for rows that have it with all."""


def counterfactuals(
    prior: PriorSampler, rows: Array, channels: Sequence[Channel], calm: Calm, threads: int = 0,
    progress: Progress | None = None,
) -> Sufficient:  # fmt: skip
    """Simulate the histories of rows again with every set of open channels, under common random numbers.

    Rows without the calm where all are open drop out.
    """
    calms = {one: holds(closed(prior, channels, one), rows, calm, threads, progress) for one in open_sets(channels)}
    *_, whole = calms.values()
    return {one: found[whole] for one, found in calms.items()}


def needed(before: Sufficient, after: Sufficient, channels: Sequence[Channel]) -> tuple[Needed, ...]:
    """How often each channel is needed, or enough alone."""
    draws = (len(before[()]), len(after[()]))
    found = []
    for one in channels:
        others = tuple(other.id for other in channels if other.id != one.id)
        fails = (1.0 - _share(before[others]), 1.0 - _share(after[others]))
        enough = (_share(before[(one.id,)]), _share(after[(one.id,)]))
        found.append(Needed(one.id, one.text, *fails, *enough, *draws))
    return tuple(found)


def _share(which: Array) -> float:
    return float(which.mean()) if len(which) else float("nan")


def stories(before: Sufficient, after: Sufficient, channels: Sequence[Channel]) -> tuple[Story, ...]:
    """Shares of draws by which channels alone are enough for the calm: one of them, several, only some together."""
    pairs = zip(_stories(before, channels), _stories(after, channels), strict=True)
    return tuple(Story(text, _share(earlier), _share(later)) for (text, earlier), (_, later) in pairs)


def _stories(found: Sufficient, channels: Sequence[Channel]) -> Iterator[tuple[str, Array]]:
    idle = found[()]
    count = np.sum([found[(one.id,)] for one in channels], axis=0)
    for one in channels:
        yield f"only this is enough: {one.text}", ~idle & (count == 1) & found[(one.id,)]
    yield "several are enough, each alone", ~idle & (count > 1)
    yield "none is enough alone, only some together", ~idle & (count == 0)
    yield "none is needed: it would have been calm anyway", idle
