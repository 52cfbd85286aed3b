"""Simulation-based calibration: whether posteriors can be trusted, by the ranks of known parameters among their draws.

A truth is a draw from the prior with a history and reports of its own. Its posterior comes from the bank, by the same
weights that the article's has: rows that would be reported alike, each kept with a probability in proportion to its
weight. Among `DRAWS` such draws the rank of the truth is uniform on 0 to `DRAWS` if, and only if, posterior and truth
follow the same law (Talts et al. 2018). Data sets for which the bank has too few draws are left out. That is a choice
made by the data alone, never by the truth, so it leaves the ranks of the others uniform. These rare data can be ranked
apart, among the draws that there are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Final, Literal

import numpy as np

from sim.analysis.calibration.observations import AtLeast, Observation, Rounded, Within
from sim.analysis.calibration.posterior import (
    LEAST_EFFECTIVE,
    CountedRuns,
    PriorSampler,
    ReferenceTable,
    accepted,
    likelihood,
    with_products,
)
from sim.experiment.statistics import Array, binomial_limits, ecdf_band, effective_sample_size, rank_correlation

DRAWS: Final = 99
"""Draws of the posterior that a truth is ranked among: with 99, intervals of 50% and 90% end between two ranks."""
RARE: Final = 10
"""Draws that a rare data set must have to be ranked: the largest weight stays for certain, which matters among few."""
_LOOKED_AT: Final = 60_000
"""Rows of the bank, in their order, that are looked at for the draws of one data set."""

Control = Literal["", "narrowed", "prior"]


@dataclass(frozen=True)
class Ranked:
    """Truths among draws of their posteriors.

    `ranks` (sets, quantities), the number of draws below the truth; `truths` and `means` (sets, quantities), values of
    the truth and means of the draws; `sides` (sets, quantities) 1, or -1 where the data lower a quantity; `left_out`
    counts data sets for which there were too few draws.
    """

    region: str
    names: tuple[str, ...]
    ranks: Array
    truths: Array
    means: Array
    sides: Array
    left_out: int

    def by_side(self) -> Array:
        """Ranks (sets, quantities) of each quantity times its side: high where the truth lies further out than draws.

        Such a quantity depends on the data, so its ranks tell a posterior from the prior wherever the data speak.
        """
        return np.where(self.sides < 0.0, DRAWS - self.ranks, self.ranks)

    @property
    def sets(self) -> int:
        """Number of data sets ranked."""
        return len(self.ranks)


def reports(bank: ReferenceTable, generator: np.random.Generator, count: int | None = None) -> dict[str, Array]:
    """What is reported of each row of a bank, or of its first `count` (rows,), by id of the figure."""
    chance = bank.chance[:count]
    return {one.id: one.reading.report(bank.numbers[one.id][:count], chance, generator) for one in bank.figures}


def anywhere(figures: Sequence[Observation], observed: Mapping[str, Array]) -> Array:
    """Data sets with no war before the report, as documented (rows,); all others are as the prior has them."""
    return _within([one for one in figures if one.of == "peace"], observed, lambda figure: 0.0)


def nearby(figures: Sequence[Observation], observed: Mapping[str, Array]) -> Array:
    """Data sets much like the documented one (rows,): within two steps of a rounded figure, one of a count."""
    return _within(figures, observed, _reach)


def _within(
    figures: Sequence[Observation], observed: Mapping[str, Array], reach: Callable[[Observation], float]
) -> Array:
    inside = np.ones(len(next(iter(observed.values()))), dtype=bool)
    for one in figures:
        inside &= np.abs(observed[one.id] - one.reading.observed) <= reach(one)
    return inside


def _reach(figure: Observation) -> float:
    if figure.of not in ("acknowledged", "lethal") or isinstance(figure.reading, AtLeast | Within):
        return 0.0
    return 2.0 * figure.reading.step if isinstance(figure.reading, Rounded) else 1.0


REGIONS: Final = {"anywhere": anywhere, "near the article": nearby}
"""Where truths lie: wherever the prior puts them, and where the data look like the documented ones."""


def rank(
    bank: ReferenceTable,
    plants: ReferenceTable,
    region: str,
    sets: int,
    generator: np.random.Generator,
    control: Control = "",
    rare: bool = False,
) -> Ranked:
    """Rank known truths among draws of their posteriors: parameters, products of them, and the log likelihood.

    The likelihood depends on the data, so its rank distinguishes a posterior from the prior, which the ranks of
    parameters alone do not (Modrak et al. 2025). So does a parameter times its side, which the data alone decide.

    Args:
        bank: the rows that posteriors are made of.
        plants: rows of another seed; each one whose reports lie in the region is a data set with a known truth.
        region: a name in `REGIONS`.
        sets: most data sets to rank.
        generator: for reports and draws.
        control: a mistake that must be noticed: posteriors "narrowed" by half, or the "prior" in place of each.
        rare: rank those data sets alone that are left out otherwise, but for the rarest, among the draws there are.
    """
    observed = reports(plants, generator)
    inside = np.flatnonzero(REGIONS[region](bank.figures, observed))[: 2 * sets if rare else None]
    cells = Cells(bank, plants, observed)
    rows: dict[int, Array] = {}
    tried = 0
    for place in inside.tolist():
        if len(rows) == sets:
            break
        mine = {key: float(one[place]) for key, one in observed.items()}
        drawn = cells.draws(place, mine, generator, RARE if rare else DRAWS)
        if rare and drawn is not None and len(drawn) == DRAWS:
            continue
        tried += 1
        if drawn is not None:
            rows[place] = generator.integers(bank.size, size=DRAWS) if control == "prior" else drawn
    levels = _levels(bank.prior, _padded(list(rows.values())))
    if control == "narrowed":
        levels = np.array([narrowed(one) for one in levels]).reshape(levels.shape)
    drawn_values = _quantities(bank.prior, levels)
    true_values = _quantities(bank.prior, plants.prior.levels(np.array(list(rows), dtype=np.int64)))
    seen = np.stack([one[list(rows)] for one in observed.values()], axis=1)
    sides = sides_of(*_prior_reports(bank, observed), seen)
    true_values[LIKELIHOOD], drawn_values[LIKELIHOOD] = log_likelihoods(bank, plants, observed, rows)
    return Ranked(
        region=region,
        names=tuple(true_values),
        ranks=np.stack([ranks_of(one, drawn_values[name], generator) for name, one in true_values.items()], axis=1),
        truths=np.stack(list(true_values.values()), axis=1),
        means=np.stack([np.nanmean(drawn_values[name], axis=1) for name in true_values], axis=1),
        sides=sides,
        left_out=tried - len(rows),
    )


REGRESSED: Final = 20_000
"""Rows of a bank by which quantities are regressed on reports."""


def _prior_reports(bank: ReferenceTable, names: Sequence[str] | Mapping[str, Array]) -> tuple[Array, Array]:
    """Reports (rows, figures) of the first rows of a bank, and their quantities (rows, quantities)."""
    count = min(bank.size, REGRESSED)
    seen = reports(bank, np.random.default_rng(bank.prior.seed), count)
    quantities = _quantities(bank.prior, bank.prior.levels(np.arange(count)))
    return np.stack([seen[name] for name in names], axis=1), np.stack(list(quantities.values()), axis=1)


def sides_of(reports: Array, values: Array, seen: Array, weights: Array | None = None) -> Array:
    """1 where data raise a quantity, -1 where they lower it, and 1 for the likelihood (sets, quantities and one).

    A function of the data alone.

    The quantities (rows, quantities) are regressed on the logarithms of reports (rows, figures) of simulated data; the
    side is the sign of what the regression predicts for the data that are `seen` (sets, figures), less the mean.
    """
    share = np.full(len(values), 1.0 / len(values)) if weights is None else weights / weights.sum()
    usual, logs = share @ values, np.log1p(np.maximum(reports, 0.0))
    centre, root = share @ logs, np.sqrt(share)[:, None]
    slopes, *_ = np.linalg.lstsq((logs - centre) * root, (values - usual) * root, rcond=None)
    lower = (np.log1p(np.maximum(seen, 0.0)) - centre) @ slopes < 0.0
    return np.column_stack([np.where(lower, -1.0, 1.0), np.ones(len(seen))])


LIKELIHOOD: Final = "log likelihood"
"""The quantity that depends on the data."""


def log_likelihoods(
    bank: ReferenceTable, plants: ReferenceTable, observed: Mapping[str, Array], rows: Mapping[int, Array]
) -> tuple[Array, Array]:
    """Log likelihoods of the reports of each data set under its truth (sets,) and under its draws (sets, draws)."""
    truths, draws = np.empty(len(rows)), np.full((len(rows), DRAWS), np.nan)
    for place, (plant, drawn) in enumerate(rows.items()):
        mine = {key: float(one[plant]) for key, one in observed.items()}
        out_of_bank = draws[place, : len(drawn)]
        for table, at, out in ((plants, np.array([plant]), truths[place : place + 1]), (bank, drawn, out_of_bank)):
            numbers = {key: one[at] for key, one in table.numbers.items()}
            out[:] = likelihood(bank.figures, numbers, table.chance[at], mine)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(truths), IMPOSSIBLE), np.maximum(np.log(draws), IMPOSSIBLE)


IMPOSSIBLE: Final = -1e3
"""Log likelihood of what cannot be reported."""


def ranks_of(truths: Array, draws: Array, generator: np.random.Generator) -> Array:
    """Ranks (sets,) from 0 to `DRAWS` of truths (sets,) among draws (sets, draws); among equals a place is drawn.

    Where draws are missing (NaN), rank r among L draws becomes a whole number drawn evenly from the share of the scale
    that belongs to it, floor((DRAWS + 1) (r + u) / (L + 1)): uniform on the same scale if r is uniform on 0 to L.
    """
    equals = (draws == truths[:, None]).sum(axis=1)
    ranks = np.asarray((draws < truths[:, None]).sum(axis=1) + generator.integers(0, equals + 1))
    missing = np.isnan(draws).sum(axis=1)
    if not missing.any():
        return ranks
    return ((DRAWS + 1) * (ranks + generator.random(len(ranks))) / (DRAWS + 1 - missing)).astype(np.int64)


def _padded(rows: Sequence[Array]) -> Array:
    """Rows (sets, DRAWS) of every data set, -1 where it has fewer."""
    return np.array([np.pad(one, (0, DRAWS - len(one)), constant_values=-1) for one in rows], np.int64).reshape(
        -1, DRAWS
    )


def _levels(prior: PriorSampler, rows: Array) -> Array:
    """Levels (sets, draws, parameters) of rows (sets, draws), each row made once; NaN where a row is missing."""
    unique, back = np.unique(np.maximum(rows, 0), return_inverse=True)
    levels = prior.levels(unique)[back.reshape(rows.shape)]
    levels[rows < 0] = np.nan
    return levels


def _quantities(prior: PriorSampler, levels: Array) -> dict[str, Array]:
    """Values of parameters and of their products by name, each in the shape of the levels less the last dimension."""
    values = with_products(prior.columns(levels.reshape(-1, levels.shape[-1])))
    return {name: one.reshape(levels.shape[:-1]) for name, one in values.items()}


def rank_counts(
    runs: CountedRuns, sets: int, generator: np.random.Generator, control: Control = ""
) -> tuple[Ranked, Array]:
    """Rank known truths among draws of posteriors given dated counts, all given the observations as reported.

    A truth is a draw of the posterior before the counts; its counts are simulated from its own run, and its posterior
    comes from all other rows (Säilynoja et al. 2025, posterior SBC). Data sets whose posterior has too low an effective
    sample size are left out: from such counts no conclusion is drawn either.

    Args:
        runs: rows of the posterior before, with their runs.
        sets: most data sets; no truth comes twice.
        generator: for truths, counts and draws.
        control: the "prior", here the posterior before the counts, in place of each posterior: a mistake that must be
            noticed; or posteriors "narrowed" by half.

    Returns:
        The ranks, and the log probability (data sets,) of the counts of each data set, those left out included.
    """
    before = runs.posterior
    truths, draws, means, seen, evidence = [], [], [], [], []
    values = np.stack(list(with_products(before.values()).values()), axis=1)
    likelihoods: list[tuple[float, Array]] = []
    places = generator.permutation(accepted(before.weights, generator))[:sets]
    for place in places.tolist():
        observed = runs.dated.simulate(runs.reported[place], generator)
        weights, probability = runs.given(observed, left_out=place)
        evidence.append(probability)
        if effective_sample_size(weights) < LEAST_EFFECTIVE:
            continue
        kept = accepted(before.weights if control == "prior" else weights, generator)
        kept = generator.permutation(kept[kept != place])[:DRAWS]
        truths.append(place)
        draws.append(kept)
        means.append(weights @ values)
        seen.append(observed)
        logs = runs.dated.log_likelihood(runs.reported[[place, *kept]], observed)
        likelihoods.append((logs[0], np.pad(logs[1:], (0, DRAWS - len(kept)), constant_values=np.nan)))
    chosen = _padded(draws)
    levels = before.levels[chosen]
    levels[chosen < 0] = np.nan
    if control == "narrowed":
        levels = np.array([narrowed(one) for one in levels]).reshape(levels.shape)
    drawn_values = _quantities(before.bank.prior, levels)
    true_values = _quantities(before.bank.prior, before.levels[np.array(truths, dtype=np.int64)])
    true_values[LIKELIHOOD] = np.array([one for one, _ in likelihoods])
    drawn_values[LIKELIHOOD] = np.array([one for _, one in likelihoods]).reshape(-1, DRAWS)
    posterior_means = np.column_stack([np.array(means).reshape(-1, values.shape[1]), true_values[LIKELIHOOD]])
    ranked = Ranked(
        region=GIVEN_OBSERVATIONS,
        names=tuple(true_values),
        ranks=np.stack([ranks_of(one, drawn_values[name], generator) for name, one in true_values.items()], axis=1),
        truths=np.stack(list(true_values.values()), axis=1),
        means=posterior_means,
        sides=sides_of(runs.reported, values, np.array(seen).reshape(-1, runs.reported.shape[1]), before.weights),
        left_out=len(places) - len(truths),
    )
    return ranked, np.array(evidence)


GIVEN_OBSERVATIONS: Final = "given the observations"
"""Where the truths of dated counts lie: the posterior before the counts."""


class Cells:
    """Rows of a bank by what is reported of them where chance takes no part in the report."""

    def __init__(self, bank: ReferenceTable, plants: ReferenceTable, observed: Mapping[str, Array]) -> None:
        self._bank = bank
        self._drawn = tuple(one for one in bank.figures if one.reading.drawn)
        unused = np.random.default_rng(0)
        codes, mine = np.zeros(bank.size, dtype=np.int64), np.zeros(plants.size, dtype=np.int64)
        for one in bank.figures:
            if one.reading.drawn:
                continue
            both = np.concatenate((one.reading.report(bank.numbers[one.id], bank.chance, unused), observed[one.id]))
            values, place = np.unique(both, return_inverse=True)
            codes = codes * len(values) + place[: bank.size]
            mine = mine * len(values) + place[bank.size :]
        self._order = np.argsort(codes, kind="stable")
        sorted_codes = codes[self._order]
        self._from, self._to = (np.searchsorted(sorted_codes, mine, side) for side in ("left", "right"))

    def draws(
        self, place: int, observed: Mapping[str, float], generator: np.random.Generator, least: int = DRAWS
    ) -> Array | None:
        """Rows drawn from the posterior of one data set, `DRAWS` at most; None where the bank has fewer than `least`.

        Any of the rows that are accepted, not the first: data sets with the same reports would share theirs, and ranks
            with them.
        """
        start, stop = int(self._from[place]), int(self._to[place])
        rows = self._order[start : min(stop, start + _LOOKED_AT)]
        if len(rows) < least:
            return None
        numbers = {one.id: self._bank.numbers[one.id][rows] for one in self._drawn}
        weights = likelihood(self._drawn, numbers, self._bank.chance[rows], observed)
        if weights.sum() < least * weights.max():
            return None
        kept = accepted(weights, generator)
        return np.asarray(rows[generator.permutation(kept)[:DRAWS]]) if len(kept) >= least else None


def narrowed(levels: Array) -> Array:
    """Levels (draws, parameters) pulled halfway to their medians: what an overconfident posterior looks like."""
    middle = np.nanmedian(levels, axis=0)
    return np.asarray(middle + 0.5 * (levels - middle))


LEVEL: Final = 0.05
"""Chance that sound posteriors fail somewhere, in the ranks or in the coverages of one region: shared out over all
quantities, and that of the ranks over those of each quantity and by side. Two regions with ranks and coverages each
would so call sound posteriors unsound once in five or ten checks; what fails is therefore looked at again, with other
truths, and only what fails twice is called unsound."""

INTERVALS: Final = {0.5: (25, 75), 0.9: (5, 95)}
"""Intervals by their level: a truth is inside if its rank lies from the first number up to, not with, the second."""


@dataclass(frozen=True)
class SbcCheck:
    """What the ranks of one quantity say.

    `uniform`: their distribution stays inside the band, and so do ranks by side; `coverage_ok`: both coverages lie
    within their Monte Carlo error. `recovery_rank_corr` is the rank correlation of truths and posterior means.
    `retested`: it failed at first, and what is reported is the second look.
    """

    name: str
    uniform: bool
    ks_distance: float
    coverage_50: float
    coverage_90: float
    coverage_ok: bool
    recovery_rank_corr: float
    retested: bool = False

    @property
    def calibrated(self) -> bool:
        """Whether nothing speaks against the posterior of this quantity."""
        return self.uniform and self.coverage_ok


def check(ranked: Ranked) -> tuple[SbcCheck, ...]:
    """Judge the ranks of every quantity, each at the level that leaves `LEVEL` for all of them together.

    From fewer than `fewest_sets` this is no verdict: hardly any ranks could leave their band.
    """
    if not ranked.sets:
        return ()
    each = LEVEL / len(ranked.names)
    low, high = rank_band(ranked)
    by_side = ranked.by_side()
    limits = {level: binomial_limits(ranked.sets, level, each / len(INTERVALS)) for level in INTERVALS}

    def checked(place: int, name: str) -> SbcCheck:
        ranks = ranked.ranks[:, place]
        shares, turned = rank_shares(ranks), rank_shares(by_side[:, place])
        inside = {level: float(((ranks >= start) & (ranks < end)).mean()) for level, (start, end) in INTERVALS.items()}
        return SbcCheck(
            name=name,
            uniform=all(((found >= low) & (found <= high)).all() for found in (shares, turned)),
            ks_distance=float(np.abs(shares - expected()).max()),
            coverage_50=inside[0.5],
            coverage_90=inside[0.9],
            coverage_ok=all(limits[level][0] <= share <= limits[level][1] for level, share in inside.items()),
            recovery_rank_corr=rank_correlation(ranked.truths[:, place], ranked.means[:, place]),
        )

    return tuple(checked(place, name) for place, name in enumerate(ranked.names))


RECOVERED: Final = 0.7
"""Rank correlation of truths and posterior means from which data speak clearly of a quantity."""


def noticed(sound: Sequence[SbcCheck], prior: Sequence[SbcCheck]) -> bool:
    """Whether the prior in place of posteriors fails for the log likelihood and for all that data speak clearly of."""
    clear = {one.name for one in sound if one.recovery_rank_corr >= RECOVERED} | {LIKELIHOOD}
    return not any(one.uniform for one in prior if one.name in clear)


def confirmed(first: Sequence[SbcCheck], second: Sequence[SbcCheck]) -> tuple[SbcCheck, ...]:
    """The first look at each quantity, or the second where something spoke against it in the first."""
    by_name = {one.name: replace(one, retested=True) for one in second}
    return tuple(one if one.calibrated else by_name.get(one.name, one) for one in first)


def rank_shares(ranks: Array) -> Array:
    """Share of the data sets (DRAWS,) whose rank does not exceed 0, 1, ..., DRAWS - 1."""
    counts = np.bincount(ranks, minlength=DRAWS + 1)
    return np.asarray(counts.cumsum()[:-1] / len(ranks))


def expected() -> Array:
    """The same (DRAWS,) for uniform ranks."""
    return np.arange(1, DRAWS + 1) / (DRAWS + 1)


def rank_band(ranked: Ranked) -> tuple[Array, Array]:
    """Band for the ranks of each quantity, twice: as they are and by side."""
    return band(ranked.sets, 1.0 - LEVEL / (2 * len(ranked.names)))


def conclusive(ranked: Ranked) -> bool:
    """Whether there are data sets enough for a verdict."""
    return ranked.sets >= fewest_sets(len(ranked.names))


@lru_cache
def fewest_sets(quantities: int) -> int:
    """Data sets from which on the ranks of so many quantities can be judged.

    With fewer, ranks that all lie in the middle, as those of posteriors that are far too wide, stay inside the band.

    >>> fewest_sets(77)
    16
    """
    level = 1.0 - LEVEL / (2 * quantities)
    return next(sets for sets in count(2) if band(sets, level)[0][DRAWS // 2] > 0.0)


@lru_cache(maxsize=64)
def band(sets: int, level: float) -> tuple[Array, Array]:
    """Band that all shares of uniform ranks stay inside at once with this probability (Säilynoja et al. 2022)."""
    return ecdf_band(sets, expected(), level)
