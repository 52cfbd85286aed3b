"""Skill of forecasts: predictive distributions of counts, proper scores, simpler forecasts, and their comparison.

Along one set of counts forecasts are made again and again, and each is held against what came: coverage, CRPS, log
score and interval scores. The benchmarks see the counts up to the cut and no more.

One of them is a self-exciting (Hawkes) model of counts over periods, in which each attack raises the rate of those that
follow. Over a period of length L the expected count is mu L + S (1 - exp(-beta L)), where S is the excitement left over
at its start: S <- S exp(-beta L) + alpha n. Summed over all time one attack brings alpha further ones. What the attacks
of a period bring about within it is left out, so periods should be short compared with 1 / beta.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self

import numpy as np

from sim.analysis.forecast.attack_details import as_counted
from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.forecasting import (
    ALL,
    WEEK,
    Forecast,
    Pasts,
    Prediction,
    SimulatedPasts,
    bank_at,
    forecast,
    forecast_rows,
    known_periods,
    pasts_of,
)
from sim.experiment.runner import Progress
from sim.experiment.statistics import LEVELS, Array, finite, quantile
from sim.model.scenario import Config
from sim.model.timeline import Calendar
from sim.model.validation import UserError
from sim.numbers.compiled import kernel

# --- predictive distributions -------------------------------------------------------------------------------

SPREAD: Final = 0.3
"""How far one sampled count stands for its neighbours, in units of sqrt(count): it fills the gaps between samples."""
PRIOR_MEMBERS: Final = 2.0
"""Weight, in sampled histories, of a broad distribution mixed in, so that no count is called impossible."""


@dataclass(frozen=True)
class Predictive:
    """Probabilities (P periods, S counts from 0); the last column stands for all counts from there on."""

    chance: Array

    @classmethod
    def of_samples(cls, samples: Array, weights: Array, largest: int) -> Self:
        """From sampled counts (M, P) with weights (M,), smoothed a little, over counts up to `largest`."""
        members = 1.0 / (weights**2).sum()
        mixed = PRIOR_MEMBERS / (members + PRIOR_MEMBERS)
        rows = []
        for column in np.minimum(samples, largest).T:
            raw = np.bincount(column, weights=weights, minlength=largest + 1)
            mean = float(raw @ np.arange(largest + 1))
            rows.append((1.0 - mixed) * (raw @ smoothing_kernel(largest)) + mixed * broad(mean, largest))
        return cls(np.array(rows))

    @classmethod
    def negative_binomial(cls, means: Array, size: float, largest: int) -> Self:
        """Negative binomials with these means (P,) and one size, mean^2 / (variance - mean)."""
        from scipy.stats import nbinom

        counts = np.arange(largest)
        body = nbinom.pmf(counts, size, (size / (size + means))[:, None])
        return cls(np.concatenate([body, np.maximum(1.0 - body.sum(axis=1, keepdims=True), 0.0)], axis=1))

    @property
    def below(self) -> Array:
        """Probability (P, S) of that count or fewer."""
        return np.minimum(np.cumsum(self.chance, axis=1), 1.0)

    def quantile(self, level: float) -> Array:
        """The smallest counts (P,) that are not exceeded with this probability."""
        return np.asarray((self.below < level - 1e-12).sum(axis=1))

    def band(self, level: float) -> tuple[Array, Array, Array]:
        """Lower and upper ends (P,) of the central band, and the probability (P,) that it holds, at least `level`."""
        low, high = self.quantile((1.0 - level) / 2), self.quantile((1.0 + level) / 2)
        inside = np.arange(self.chance.shape[1])
        held = (self.chance * ((inside >= low[:, None]) & (inside <= high[:, None]))).sum(axis=1)
        return low, high, held


@cache
def smoothing_kernel(largest: int) -> Array:
    """For each sampled count (row) the counts that it stands for: a bell of deviation SPREAD sqrt(count), cut off."""
    from scipy.special import ndtr

    counts = np.arange(largest + 1)
    deviation = np.maximum(SPREAD * np.sqrt(counts), 1e-3)[:, None]
    upper, lower = (counts + 0.5 - counts[:, None]) / deviation, (counts - 0.5 - counts[:, None]) / deviation
    mass = ndtr(upper) - ndtr(lower)
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))


def broad(mean: float, largest: int) -> Array:
    """A geometric distribution of about this mean over counts up to `largest`."""
    share = (mean + 1.0) / (mean + 2.0)
    chance = share ** np.arange(largest + 1)
    return np.asarray(chance / chance.sum())


# --- scores -------------------------------------------------------------------------------------------------

BANDS: Final = (0.5, 0.9)
SCORES: Final = ("crps", "log", "interval50", "interval90")
"""Scores, in the order of tables: the lower the better."""


@dataclass(frozen=True)
class Scored:
    """Scores (P,) of a forecast over periods: `values` by name of the score, lower is better.

    `covered` and `held` by band: whether the band held the count, and the probability that the forecast itself gave it,
    which is more than its level because counts are whole.
    """

    values: dict[str, Array]
    covered: dict[float, Array]
    held: dict[float, Array]


KINDS: Final = ("values", "covered", "held")
"""The parts of `Scored`, and of a summary of many."""


def score(predicted: Predictive, counts: Array) -> Scored:
    """Scores of a forecast of P periods against their counts (P,).

    The CRPS is the sum of (F(k) - [count <= k])^2 over k, the log score -log p(count), the interval score of a central
    band its width plus 2 / (1 - level) for each attack by which the count lies outside.
    """
    from scoringrules import crps_ensemble, interval_score

    chance = predicted.chance
    seen = np.minimum(np.asarray(counts, dtype=np.int64), chance.shape[1] - 1)
    support = np.broadcast_to(np.arange(chance.shape[1], dtype=float), chance.shape)
    values = {
        "crps": crps_ensemble(seen.astype(float), support, ens_w=chance, sorted_ensemble=True, backend="numpy"),
        "log": -np.log(np.maximum(chance[np.arange(len(seen)), seen], 1e-300)),
    }
    covered, held = {}, {}
    for level in BANDS:
        low, high, mass = predicted.band(level)
        name = f"interval{round(100 * level)}"
        values[name] = interval_score(seen.astype(float), low, high, 1.0 - level, backend="numpy")
        covered[level], held[level] = (seen >= low) & (seen <= high), mass
    return Scored({name: np.asarray(values[name], dtype=float).reshape(seen.shape) for name in SCORES}, covered, held)


# --- benchmarks ---------------------------------------------------------------------------------------------

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
    model = fit(counts, lengths)
    _, excitement = expected(model, counts, lengths)
    steps = np.arange(edges[0], edges[-1] + 1) if past.daily else edges
    paths = simulate(model, excitement, np.diff(steps).astype(float), generator)
    so_far = np.concatenate([np.zeros((len(paths), 1), dtype=np.int64), np.cumsum(paths, axis=1)], axis=1)
    samples = np.diff(so_far[:, np.searchsorted(steps, edges)], axis=1)
    return Predictive.of_samples(samples, np.full(len(samples), 1.0 / len(samples)), largest)


def two_rates(past: Counts, edges: Array, largest: int, generator: np.random.Generator) -> Predictive:
    """A Poisson process whose rate changed once: the second rate goes on, with the uncertainty of that rate.

    The day of the change is the most likely one up to the cut that leaves a week or more on each side.
    """
    total, ends = past.total, past.ends
    inside = np.flatnonzero((ends - ends[0] >= WEEK) & (ends[-1] - ends >= WEEK))
    if not len(inside):
        return constant_rate(past, edges, largest, generator)
    counts = np.stack([total[inside] - total[0], total[-1] - total[inside]])
    days = np.stack([ends[inside] - ends[0], ends[-1] - ends[inside]])
    log_likelihoods = (counts * np.log(np.maximum(counts, 1e-12) / days)).sum(axis=0)
    best = int(log_likelihoods.argmax())
    return _gamma_poisson(counts[1, best], int(days[1, best]), edges, largest)


def exponential_smoothing(past: Counts, edges: Array, largest: int, _: np.random.Generator) -> Predictive:
    """Simple exponential smoothing of weekly rates; counts are negative binomial about the rate that is expected.

    The smoothing factor is the most likely one of forecasts a week ahead, the size of the k-th period that of forecasts
    k weeks ahead.
    """
    counts, lengths = weeks_of(past)
    coming, floor = np.diff(edges), 0.5 / lengths.sum()  # half an attack in all: no rate is known to be zero

    def levels(factor: float) -> Array:
        """Rates (P + 1,) that are expected before each week, and after the last."""
        rates = [counts[0] / lengths[0]]
        for count, length in zip(counts, lengths, strict=True):
            rates.append(rates[-1] + factor * (count / length - rates[-1]))
        return np.maximum(rates, floor)

    def ahead(rates: Array, weeks: int) -> tuple[float, float]:
        return fit_size(counts[weeks:], rates[1 : len(counts) - weeks + 1] * lengths[weeks:])

    rates = min(map(levels, SMOOTHING), key=lambda one: ahead(one, 1)[1])
    sizes = [ahead(rates, max(1, min(week, len(counts) // 2)))[0] for week in range(1, len(coming) + 1)]
    rows = [
        Predictive.negative_binomial(rates[-1] * coming[[place]], size, largest).chance
        for place, size in enumerate(sizes)
    ]
    return Predictive(np.concatenate(rows))


def recent_weeks(past: Counts, edges: Array, largest: int, _: np.random.Generator) -> Predictive:
    """The empirical distribution of the last weeks, each as probable, on the length of the coming periods."""
    counts, lengths = (one[-RECENT:] for one in weeks_of(past))
    samples = np.rint(counts / lengths * np.diff(edges)[:, None]).astype(np.int64).T
    return Predictive.of_samples(samples, np.full(len(samples), 1.0 / len(samples)), largest)


RECENT: Final = 8
"""Weeks whose empirical distribution is a forecast."""
SMOOTHING: Final = tuple(np.linspace(0.1, 1.0, 10).tolist())
"""Smoothing factors that are tried; 1 is the last week alone."""

BENCHMARKS: Final[dict[str, Benchmark]] = {
    "constant rate": constant_rate,
    "negative binomial": negative_binomial,
    "self-exciting": self_exciting,
    "last value": last_value,
    "two rates": two_rates,
    "smoothing": exponential_smoothing,
    "recent weeks": recent_weeks,
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
    mean = float((counts.sum() + 0.5) / lengths.sum())
    return mean, fit_size(counts, mean * lengths)[0]


def fit_size(counts: Array, means: Array) -> tuple[float, float]:
    """Most likely size of negative binomial counts (P,) with these means (P,), and minus their log likelihood."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import nbinom

    def surprise(log_size: float) -> float:
        size = np.exp(log_size)
        return -float(nbinom.logpmf(counts, size, size / (size + means)).sum())

    found = minimize_scalar(surprise, bounds=(np.log(0.05), np.log(LARGEST_SIZE)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _gamma_poisson(count: float, days: int, edges: Array, largest: int) -> Predictive:
    """Counts of periods whose rate is known from a count over some days: a gamma mixture of Poisson distributions."""
    shape = float(count) + 0.5
    return Predictive.negative_binomial(shape / days * np.diff(edges), shape, largest)


MOST_BRANCHING: Final = 0.98
"""Most attacks that one brings about: more would grow without end."""
PATHS: Final = 4000
_STARTS: Final = ((0.2, 0.3), (0.8, 0.05), (0.5, 0.7))
"""Where the search for (branching, decay) starts; the likelihood may have several peaks."""


@dataclass(frozen=True)
class Hawkes:
    """base: attacks a day that nothing brought about; branching: alpha; decay: beta, per day."""

    base: float
    branching: float
    decay: float


def expected(model: Hawkes, counts: Array, lengths: Array) -> tuple[Array, float]:
    """Expected counts (P,) of periods given all before each, and the excitement left at the end of the last."""
    rates, _, excitement = _filtered(model, counts, lengths)
    return rates, excitement


def log_likelihood(model: Hawkes, counts: Array, lengths: Array) -> tuple[float, Array]:
    """Log likelihood of counts (P,) over periods of these lengths in days, and its slopes by base, branching and decay.

    Terms of the counts alone are left out.
    """
    rates, slopes, _ = _filtered(model, counts, lengths)
    rates = np.maximum(rates, 1e-12)
    return float((counts * np.log(rates) - rates).sum()), (counts / rates - 1.0) @ slopes


def fit(counts: Array, lengths: Array) -> Hawkes:
    """The most likely model."""
    from scipy.optimize import minimize

    mean = max(float(counts.sum() / lengths.sum()), 1e-3)

    def surprise(point: Array) -> tuple[float, Array]:
        base, branching, decay = np.exp(point[0]), point[1], np.exp(point[2])
        found, slopes = log_likelihood(Hawkes(base, branching, decay), counts, lengths)
        return -found, -slopes * np.array([base, 1.0, decay])

    limits = [(np.log(mean * 1e-3), np.log(mean * 3.0)), (0.0, MOST_BRANCHING), (np.log(0.01), np.log(3.0))]
    starts = [(np.log(mean * (1.0 - branching)), branching, np.log(decay)) for branching, decay in _STARTS]
    # As good as L-BFGS-B here, and without a linear algebra library whose threads cost more than the sums.
    tried = [minimize(surprise, np.array(one), jac=True, bounds=limits, method="TNC") for one in starts]
    base, branching, decay = min(tried, key=lambda one: float(one.fun)).x
    return Hawkes(float(np.exp(base)), float(branching), float(np.exp(decay)))


def _filtered(model: Hawkes, counts: Array, lengths: Array) -> tuple[Array, Array, float]:
    """Expected counts (P,), their slopes (P, 3) by base, branching and decay, and the excitement at the end."""
    spans = np.asarray(lengths, dtype=np.float64)
    rates, slopes = np.empty(len(spans)), np.empty((len(spans), 3))
    kept = np.exp(-model.decay * spans)
    seen = np.asarray(counts, dtype=np.float64)
    left = _excite(seen, spans, kept, float(model.base), float(model.branching), rates, slopes)
    return rates, slopes, float(left)


@kernel
def _excite(
    counts: Array, lengths: Array, kept: Array, base: float, branching: float, rates: Array, slopes: Array
) -> float:
    """Go through the periods; `by_...` are the slopes of the excitement."""
    excitement, by_branching, by_decay = 0.0, 0.0, 0.0
    for place in range(len(counts)):
        length, keeps = lengths[place], kept[place]
        rates[place] = base * length + excitement * (1.0 - keeps)
        slopes[place, 0] = length
        slopes[place, 1] = by_branching * (1.0 - keeps)
        slopes[place, 2] = by_decay * (1.0 - keeps) + excitement * length * keeps
        by_decay = (by_decay - excitement * length) * keeps
        by_branching = by_branching * keeps + counts[place]
        excitement = excitement * keeps + branching * counts[place]
    return excitement


def simulate(
    model: Hawkes, excitement: float, lengths: Array, generator: np.random.Generator, paths: int = PATHS
) -> Array:
    """Counts (paths, P) of coming periods of these lengths."""
    out = np.empty((paths, len(lengths)), dtype=np.int64)
    now = np.full(paths, excitement)
    for place, length in enumerate(lengths):
        kept = np.exp(-model.decay * length)
        out[:, place] = generator.poisson(model.base * length + now * (1.0 - kept))
        now = now * kept + model.branching * out[:, place]
    return out


# --- forecasts of the past ----------------------------------------------------------------------------------

MODEL: Final = "model"
FORECASTERS: Final = (MODEL, *BENCHMARKS)
FIRST: Final = 42
"""Days of counts before the first forecast."""
STEP: Final = 21
"""Days from one forecast to the next, and days that each reaches ahead: no day is forecast twice."""
RESAMPLED: Final = 4000
LEVEL: Final = 0.9
FEWEST_UNITS: Final = 8
"""Independent forecasts, or datasets, that an interval and a verdict need: from fewer it would be far too narrow."""
BETTER: Final = "model better"
WORSE: Final = "model worse"
NEITHER: Final = "no difference shown"
TOO_FEW: Final = "too few forecasts"
SKILL_VERDICTS: Final = (BETTER, WORSE, NEITHER, TOO_FEW)


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
    """The model compared with one benchmark by one score.

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


@dataclass(frozen=True)
class Summary:
    """One forecaster over all trials: mean scores, and for each band how often it held the count and was to hold it."""

    forecaster: str
    periods: int
    means: Mapping[str, float]
    covered: Mapping[float, float]
    held: Mapping[float, float]


def cuts_of(counts: Counts) -> list[tuple[int, Array]]:
    """Days at whose end forecasts are made, with the ends of the periods that each is about, up to three weeks ahead.

    Raises:
        UserError: the counts are too short for one.
    """
    found: list[tuple[int, Array]] = []
    start, end = int(counts.ends[0]), int(counts.ends[-1])
    for target in (start + FIRST, *range(start + FIRST + STEP, end, STEP)):
        cut = counts.nearest_end(target)
        edges = known_periods(counts, cut, cut + STEP)
        if cut - start >= FIRST // 2 and len(edges) > 1 and (not found or cut > found[-1][0]):
            found.append((cut, np.array(edges)))
    if not found:
        raise UserError("data", f"{end - start} days", f"at least {FIRST + WEEK} days of counts to be scored")
    return found


def cut_count(counts: Counts) -> int:
    """How many forecasts `evaluate` makes."""
    return len(cuts_of(counts))


def evaluate(config: Config, counts: Counts, histories: int, progress: Progress | None = None) -> list[Trial]:
    """Forecast the user's own past from several days on and score it; events that began later are not known.

    `progress` is called with numbers of finished histories.

    Raises:
        UserError: the counts are too short.
    """
    scenario, seed, threads = config.scenario, config.seed, config.threads

    def bank_for(known: Counts, cut: int, last: int) -> SimulatedPasts:
        then = as_counted(scenario, known, cut, foresight=False)
        return bank_at(then, known.upto(cut), cut, last, seed, histories, threads, progress)

    return trials([counts], bank_for, seed)


def trials(
    datasets: Sequence[Counts], bank_for: Callable[[Counts, int, int], SimulatedPasts], seed: int
) -> list[Trial]:
    """Forecast every dataset from every cut and score what came.

    Args:
        datasets: counts; those of one list share the days on which they are known.
        bank_for: gives the bank for counts, a cut and the last day that is needed.
        seed: of the benchmarks that are simulated.
    """
    found = []
    for cut, edges in cuts_of(datasets[0]):
        pasts = pasts_of(bank_for(datasets[0], cut, int(edges[-1])), datasets[0], cut)
        for number, counts in enumerate(datasets):
            generator = np.random.Generator(np.random.Philox(key=[seed, number], counter=[0, 0, 0, cut]))
            came = counts.between(edges)
            found.append(Trial(number, cut, edges, came, _scored(pasts, counts.upto(cut), edges, came, generator)))
    return found


def _scored(
    pasts: Pasts, known: Counts, edges: Array, counts: Array, generator: np.random.Generator
) -> dict[str, Scored]:
    """Scores of every forecaster that knew some counts, against those of the periods that followed."""
    predicted = all_forecasts(forecast(pasts, known, edges), known, generator, int(counts.max()))
    return {name: score(one, counts) for name, one in predicted.items()}


def all_forecasts(
    ours: Forecast, known: Counts, generator: np.random.Generator, most: int = 0
) -> dict[str, Predictive]:
    """What the model and every benchmark say of the same periods from the same counts, reaching beyond `most`."""
    totals, edges = ours.samples.sum(axis=2), ours.edges
    largest = int(2 * max(totals.max(), most, _busiest(known, edges)) + 20)
    predicted = {MODEL: Predictive.of_samples(totals, ours.weights, largest)}
    return predicted | {name: one(known, edges, largest, generator) for name, one in BENCHMARKS.items()}


def simpler_forecasts(found: Prediction, seed: int) -> dict[str, Predictive]:
    """What every benchmark says of the periods of a prediction; by name."""
    ours = found.forecast
    generator = np.random.Generator(np.random.Philox(key=[seed, 0], counter=[0, 0, 0, ours.cut]))
    predicted = all_forecasts(ours, found.counts.upto(ours.cut), generator)
    return {name: predicted[name] for name in BENCHMARKS}


def compared_rows(found: Prediction, simple: Mapping[str, Predictive], calendar: Calendar) -> list[dict[str, Any]]:
    """One row per forecaster and period, all theatres together, the model first: its days and quantiles."""
    ours = [row for row in forecast_rows(found, calendar) if row["theatre"] == ALL]
    rows = [{"forecaster": MODEL, **{key: row[key] for key in ("from", "to", *LEVELS)}} for row in ours]
    for name, one in simple.items():
        ends = {key: one.quantile(level) for key, level in LEVELS.items()}
        rows += [
            {"forecaster": name, "from": row["from"], "to": row["to"]}
            | {key: float(values[place]) for key, values in ends.items()}
            for place, row in enumerate(ours)
        ]
    return rows


def _busiest(known: Counts, edges: Array) -> float:
    """Most attacks of the past in as many days as the longest period has."""
    longest = int(np.diff(edges).max())
    before = known.total[np.searchsorted(known.ends, known.ends - longest, side="right") - 1]
    return float((known.total - np.where(known.ends - longest < known.ends[0], 0.0, before)).max())


def means_by(found: Sequence[Trial], unit: Callable[[Trial], int]) -> dict[str, dict[str, Array]]:
    """Mean score (units,) of each forecaster and score, by what `unit` names: datasets, or cuts of one dataset."""
    trials_of: dict[int, list[Trial]] = {}
    for one in found:
        trials_of.setdefault(unit(one), []).append(one)
    parts = [summaries(some) for some in trials_of.values()]
    return {
        name: {key: np.array([part[place].means[key] for part in parts]) for key in SCORES}
        for place, name in enumerate(FORECASTERS)
    }


def skills(
    found: Sequence[Trial], unit: Callable[[Trial], int], seed: int = 0, consecutive: bool = False
) -> tuple[Skill, ...]:
    """The model compared with every benchmark by every score; intervals are a bootstrap over the units.

    `consecutive` units, such as the cuts of one set of counts, depend on their neighbours: they are drawn in circular
    blocks of about the cube root of their number, two at least (Politis and Romano 1992).
    """
    means = means_by(found, unit)
    size = len(means[MODEL][SCORES[0]])
    block = block_of(size) if consecutive else 1
    starts = np.random.Generator(np.random.Philox(seed)).integers(0, size, (RESAMPLED, -(-size // block)))
    drawn = ((starts[:, :, None] + np.arange(block)) % size).reshape(RESAMPLED, -1)[:, :size]
    out = []
    for name in BENCHMARKS:
        for key in SCORES:
            ours, theirs = means[MODEL][key], means[name][key]
            low, high = (-np.inf, np.inf)
            if size >= FEWEST_UNITS:
                again = gain(key, ours[drawn].mean(axis=1), theirs[drawn].mean(axis=1))
                low, high = quantile(again, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
            out.append(Skill(name, key, float(gain(key, ours.mean(), theirs.mean())), float(low), float(high)))
    return tuple(out)


def block_of(units: int) -> int:
    """Length of a block of consecutive units in the bootstrap.

    >>> [block_of(units) for units in (8, 30, 125)]
    [2, 3, 5]
    """
    return max(2, round(units ** (1 / 3)))


def gain(key: str, ours: Array, theirs: Array) -> Array:
    """How much better mean scores are than others: a share, for the log score a difference."""
    return np.asarray(theirs - ours if key == "log" else 1.0 - ours / np.maximum(theirs, 1e-12))


def summaries(found: Sequence[Trial]) -> tuple[Summary, ...]:
    """Every forecaster over all trials."""
    periods = sum(len(one.counts) for one in found)

    def means(arrays: Sequence[Mapping[Any, Array]]) -> dict[Any, float]:
        return {key: float(np.mean(np.concatenate([one[key] for one in arrays]))) for key in arrays[0]}

    return tuple(
        Summary(name, periods, *(means([getattr(one.scored[name], kind) for one in found]) for kind in KINDS))
        for name in FORECASTERS
    )


def skill_rows(found: Sequence[Skill]) -> list[dict[str, Any]]:
    """One row per benchmark and score."""
    return [
        {"benchmark": one.benchmark, "score": one.score, "gain": round(one.gain, 4)}
        | {"low": finite(round(one.low, 4)), "high": finite(round(one.high, 4)), "verdict": one.verdict}
        for one in found
    ]


def summary_rows(found: Sequence[Summary]) -> list[dict[str, Any]]:
    """One row per forecaster: mean scores, and how often bands held the count and were to hold it."""
    return [
        {"forecaster": one.forecaster, "periods": one.periods}
        | {key: round(value, 4) for key, value in one.means.items()}
        | {f"covered{round(100 * level)}": round(one.covered[level], 4) for level in BANDS}
        | {f"expected{round(100 * level)}": round(one.held[level], 4) for level in BANDS}
        for one in found
    ]


def trial_rows(found: Sequence[Trial], calendar: Calendar) -> list[dict[str, Any]]:
    """One row per cut, period and forecaster."""
    return [
        {
            "cut": calendar.date_of(one.cut).isoformat(),
            "to": calendar.date_of(int(one.edges[place + 1])).isoformat(),
            "attacks": int(count),
            "forecaster": name,
            **{key: round(float(at[place]), 4) for key, at in scored.values.items()},
        }
        for one in found
        for place, count in enumerate(one.counts)
        for name, scored in one.scored.items()
    ]
