"""The posterior by importance weighting of a reference table, exact under the observation models.

The table holds one history for each of many parameter sets from the prior, kept as the numbers behind the observations.
A row is known by its number: its parameters come from the row's own place in a counter-based stream, its random numbers
from the run of that number. So any row, parameters and history, can be made again when it is wanted.

The importance weight of a row is the likelihood: the probability of all observations given its run, a product over the
observations. Rows drawn from the prior with these weights are draws from the posterior, without tolerance or summary
in between, because the observations are few whole numbers. The only error left is that of a finite table, which the
effective sample size measures. A credible interval holds a stated share of these draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np

from sim.analysis.calibration.observations import (
    DatedCounts,
    Observation,
    check_history,
    figures_of,
    found,
    section_of,
    seen,
)
from sim.engine.record import WAR_DAY, Output, OutputSpec
from sim.experiment.dataset import ACKNOWLEDGED
from sim.experiment.parameter_sets import (
    Shipped,
    conditioned_sets,
    free_declarations,
    lethal_chance,
    quantile,
    shipped_posterior,
)
from sim.experiment.runner import Arm, Experiment, Progress, chunks, ensemble, joined
from sim.experiment.statistics import Array, Column, effective_sample_size
from sim.model.scenario import CONDITIONED, DEFAULTS, POSTERIOR, Config, Scenario, load
from sim.model.validation import UserError, written
from sim.rules.outcomes import NEVER

CHUNK: Final = 20_000
"""Rows whose parameters are drawn together: it decides their values, so it never changes."""
FEW: Final = 400
"""Rows of a chunk up to which drawing them one by one is quicker."""
AT_ONCE: Final = 4
"""Random numbers that the generator makes at once."""
LEAST_EFFECTIVE: Final = 50.0
"""Fewer effective draws than this say nothing worth printing."""
_CHANCE: Final = "_chance"
_PARAMETERS: Final = 0x6C756C6C
"""Second word of the key that parameters are drawn with, so that they share no stream with anything else."""


# --- the reference table ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PriorSampler:
    """Where rows come from: a scenario, the parameters that vary (`keys`), a seed, and numbers held in every row.

    Parameters in `wide` vary evenly over all of their declared range instead of by their prior.
    """

    scenario: Scenario
    keys: tuple[str, ...]
    seed: int
    held: Mapping[str, float] = field(default_factory=dict)
    wide: frozenset[str] = frozenset()

    @cached_property
    def arm(self) -> Arm:
        """The scenario up to the report: no figure reaches further."""
        return Arm(self.scenario, days=self.scenario.calendar.report + 1)

    def levels(self, rows: Array) -> Column:
        """Levels of the prior (rows, keys), uniform between 0 and 1, of rows of any numbers, in that order."""
        out = np.empty((len(rows), len(self.keys)))
        chunk_of = rows // CHUNK
        for chunk in np.unique(chunk_of):
            mine = np.flatnonzero(chunk_of == chunk)
            out[mine] = self._levels_in(int(chunk), rows[mine] - chunk * CHUNK)
        return out

    def _levels_in(self, chunk: int, places: Array) -> Column:
        """Levels (places, keys) of some places in a chunk; of a few, only these are drawn and not the whole chunk."""
        width = len(self.keys)
        if len(places) > FEW:
            whole: Column = self._source(chunk, 0).random((CHUNK, width))
            return whole[places]
        found = np.empty((len(places), width))
        for row, place in zip(found, places.tolist(), strict=True):
            block, before = divmod(place * width, AT_ONCE)
            row[:] = self._source(chunk, block).random(before + width)[before:]
        return found

    def _source(self, chunk: int, block: int) -> np.random.Generator:
        """Random numbers of a chunk, from a block of AT_ONCE on."""
        return np.random.Generator(np.random.Philox(key=[self.seed, _PARAMETERS], counter=[block, 0, 0, chunk]))

    def columns(self, levels: Column) -> dict[str, Array]:
        """Values of the parameters by key, each (rows,), at levels (rows, keys)."""
        declared, found = free_declarations(), {}
        for key, level in zip(self.keys, levels.T, strict=True):
            one = declared[key]
            found[key] = one.low + (one.high - one.low) * level if key in self.wide else quantile(one, level)
        return found

    def values(self, rows: Array) -> dict[str, Array]:
        """Values of the parameters of rows by key."""
        return self.columns(self.levels(rows))

    def design(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Columns as the table of the engine takes them, with what is held put in."""
        count = len(next(iter(columns.values())))
        return {**columns, **{key: np.full(count, value) for key, value in self.held.items()}}


@dataclass(frozen=True)
class ReferenceTable:
    """Numbers behind the figures of rows 0 to `size`: `numbers` by id of the figure, each (rows,).

    `chance` (rows,) is the probability that an attack kills, p_pen p_lethal.
    """

    prior: PriorSampler
    figures: tuple[Observation, ...]
    numbers: Mapping[str, Array]
    chance: Array

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.chance)


def fill(
    prior: PriorSampler, figures: Sequence[Observation], draws: int, threads: int = 0, progress: Progress | None = None
) -> ReferenceTable:
    """Simulate one history for each of the first `draws` rows of a prior."""

    experiment = experiment_of(prior, threads)

    def numbers(part: range, done: Progress | None) -> dict[str, Array]:
        rows = np.arange(part.start, part.stop)
        columns = prior.values(rows)
        here = seen(prior.scenario, experiment.simulate(sets=rows, values=prior.design(columns), progress=done))
        chance = np.broadcast_to(lethal_chance(prior.scenario, columns).astype(np.float32), rows.shape)
        return {one.id: found(one, here) for one in figures} | {_CHANCE: chance}

    made = joined(chunks(draws, CHUNK, numbers, progress))
    chance = made.pop(_CHANCE)
    return ReferenceTable(prior, tuple(figures), made, chance)


def experiment_of(prior: PriorSampler, threads: int = 0) -> Experiment:
    """The rows of a prior as an experiment, each with its own run number."""
    return Experiment((prior.arm,), prior.seed, wanted=OutputSpec(weekly=False), threads=threads)


def simulate(prior: PriorSampler, columns: Mapping[str, Array], rows: Array) -> Output:
    """Simulate the histories of rows at the values `columns` of their parameters."""
    return experiment_of(prior).simulate(sets=rows, values=prior.design(columns))


# --- the posterior ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Posterior:
    """Rows of a bank that the figures leave (rows,), with their weights, which sum to 1, and their levels.

    `evidence` is the mean weight over the whole bank, the probability of the reports under the prior, with its Monte
    Carlo standard error.
    """

    bank: ReferenceTable
    rows: Array
    weights: Array
    levels: Column
    evidence: float
    evidence_error: float

    @property
    def keys(self) -> tuple[str, ...]:
        """Parameters that were fitted."""
        return self.bank.prior.keys

    @property
    def effective(self) -> float:
        """Effective sample size, 1 / sum of squared weights."""
        return effective_sample_size(self.weights)

    def values(self) -> dict[str, Array]:
        """Values of the parameters of the rows by key."""
        return self.bank.prior.columns(self.levels)


def likelihood(
    figures: Sequence[Observation], numbers: Mapping[str, Array], chance: Array, observed: Mapping[str, float]
) -> Array:
    """Probability (rows,) of what is reported of each figure, given the numbers behind them (rows,)."""
    whole = np.ones(len(chance))
    for one in figures:
        # Most rows are out after a figure or two; the closed forms that follow need not be worked out for them.
        left = np.flatnonzero(whole)
        whole[left] *= one.reading.pmf(numbers[one.id][left], chance[left], observed[one.id])
    return whole


def reported(figures: Sequence[Observation]) -> dict[str, float]:
    """What was reported of each figure, by its id."""
    return {one.id: one.reading.observed for one in figures}


def posterior_of(
    bank: ReferenceTable, figures: Sequence[Observation] | None = None, observed: Mapping[str, float] | None = None
) -> Posterior:
    """The posterior given what is reported of the figures; those of the bank, as reported, unless others are given.

    Raises:
        UserError: hardly any row of the bank agrees with them.
    """
    figures = bank.figures if figures is None else figures
    weights = likelihood(figures, bank.numbers, bank.chance, reported(figures) if observed is None else observed)
    if (size := effective_sample_size(weights)) < LEAST_EFFECTIVE:
        raise UserError(
            "calibration.draws", bank.size,
            f"more, or other figures: only {size:.0f} effective draws of the prior agree with them",
        )  # fmt: skip
    return weighed(bank, weights)


def weighed(bank: ReferenceTable, weights: Array) -> Posterior:
    """The posterior that weights (rows of the bank,) make."""
    rows = np.flatnonzero(weights)
    kept = weights[rows]
    error = float(weights.std() / np.sqrt(bank.size))
    return Posterior(bank, rows, kept / kept.sum(), bank.prior.levels(rows), float(weights.mean()), error)


def accepted(weights: Array, generator: np.random.Generator) -> Array:
    """Places of an unweighted sample: each row stays with a probability in proportion to its weight, none twice.

    The largest weight stays for certain. Unlike resampling it repeats no row, so the draws are independent.
    """
    return np.flatnonzero(generator.random(len(weights)) * weights.max() < weights)


COMBINED: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "lethal attacks per attack": (
        ("casualties.penetration", "casualties.lethality"), "1 per attack", "p_pen p_lethal",
    ),
    "acknowledged attacks, scale": (("multipliers.baseline", "observation.chance"), "1", "x_b p_obs"),
}  # fmt: skip
"""Products of parameters that the figures see while they do not see the factors: their factors, unit and symbol."""


def with_products(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Columns of parameters by key, then by name the products whose factors are all there."""
    products = {
        name: np.prod([columns[key] for key in factors], axis=0)
        for name, (factors, _, _) in COMBINED.items()
        if all(key in columns for key in factors)
    }
    return {**columns, **products}


# --- dated counts -------------------------------------------------------------------------------------------

MOST_ROWS: Final = 200_000
"""Most rows that are simulated for dated counts: the first ones, which are a smaller table of the same prior."""


@dataclass(frozen=True)
class CountedRuns:
    """Rows (N,) of a posterior whose runs were simulated again, day by day, over the days of some dated counts.

    `posterior` has them before the counts, without runs that saw direct war by then; `reported` (N, S) are the attacks
    of each run that `DatedCounts` expects to be reported in each stretch.
    """

    posterior: Posterior
    dated: DatedCounts
    reported: Array

    def given(self, observed: Array | None = None, left_out: int | None = None) -> tuple[Array, float]:
        """Weights (N,) given counts (S,), by default the file's, and the log probability of these counts.

        The weight of a row is its weight before times the likelihood of the counts given its run. The row `left_out`
        has none.
        """
        before = self.posterior.weights.copy()
        if left_out is not None:
            before[left_out] = 0.0
        logs = self.dated.log_likelihood(self.reported, observed)
        highest = float(logs[before > 0.0].max())
        weights = before * np.exp(np.minimum(logs - highest, 0.0))
        return weights / weights.sum(), highest + float(np.log(weights.sum() / before.sum()))


def counted_runs(
    posterior: Posterior, dated: DatedCounts, threads: int = 0, progress: Progress | None = None
) -> CountedRuns:
    """Simulate the rows of a posterior again, as long as the counts last.

    Raises:
        UserError: direct war breaks out by then in all of them.
    """
    prior, rows = posterior.bank.prior, posterior.rows[:MOST_ROWS]
    arm = Arm(prior.scenario, days=int(dated.edges[-1]) + 1)
    experiment = Experiment((arm,), prior.seed, wanted=OutputSpec(weekly=False, daily=True), threads=threads)
    places = [prior.scenario.cast.theatre_index(one) for one in dated.theatres]

    def make(part: range, done: Progress | None) -> dict[str, Array]:
        mine = rows[part.start : part.stop]
        output = experiment.simulate(sets=mine, values=prior.design(prior.values(mine)), progress=done)
        daily = output.daily[:, :, places, ACKNOWLEDGED].sum(axis=2)
        return {"reported": dated.reported(daily), "peace": output.rows[:, WAR_DAY] == NEVER}

    made = joined(chunks(len(rows), CHUNK, make, progress))
    kept = np.flatnonzero(made["peace"])
    if not len(kept):
        raise UserError("data", f"{arm.days} days", "counts that end before direct war breaks out in every run")
    weights = posterior.weights[kept]
    before = replace(posterior, rows=rows[kept], weights=weights / weights.sum(), levels=posterior.levels[kept])
    return CountedRuns(before, dated, made["reported"][kept])


# --- whether a stored posterior still belongs to the model --------------------------------------------------

_TOLERANCE: Final = 1e-6
"""Relative: parameters are stored in single precision."""


def stale(posterior: Shipped) -> str:
    """Why a posterior does not belong to the model any more; empty where it does.

    Its draws are rows of a bank, so their parameters and histories are made again from the seed. Where a rule, a
    default, a prior or a timeline has changed since, they come out otherwise. That says more than a hash of the
    sources, which also changes with a comment.
    """
    about = posterior.about
    try:
        config = load(about["overrides"])
        check_history(config.scenario)
    except UserError as mistake:
        return f"its configuration cannot be used any more ({mistake})"
    if unknown := [key for key in posterior.columns if key not in free_declarations()]:
        return f"{unknown[0]} has no prior any more"
    prior = PriorSampler(config.scenario, tuple(posterior.columns), int(about["seed"]))
    values = prior.values(posterior.rows)
    for key, column in posterior.columns.items():
        if not np.allclose(values[key], column, rtol=_TOLERANCE, atol=1e-7):
            return f"the prior of {key} is another now"
    return unlike(posterior, config, simulate(prior, values, posterior.rows))


def unlike(posterior: Shipped, config: Config, output: Output) -> str:
    """Why histories, of draws in turn, do not show of each observation what the draws showed; empty where they do."""
    try:
        by_id = {one.id: one for one in figures_of(section_of(config), config.scenario)}
    except UserError as mistake:
        return f"its configuration cannot be used any more ({mistake})"
    here, draws = seen(config.scenario, output), np.arange(len(output.rows)) % posterior.draws
    for key, numbers in posterior.numbers.items():
        if key not in by_id:
            return f"there is no figure {key} any more"
        if not np.array_equal(found(by_id[key], here), numbers.astype(np.float32)[draws]):
            return f"its histories give other numbers now for: {by_id[key].text}"
    return ""


class OtherPastError(UserError):
    """Conditioned histories of a configuration do not reproduce the observations: `why`, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__("parameters", CONDITIONED, f"{DEFAULTS} or {POSTERIOR} where {why}")
        self.why = why


def check_conditioned(config: Config, posterior: Shipped | None = None) -> None:
    """Refuse a configuration whose conditioned histories do not reproduce the observations.

    Raises:
        OtherPastError: the past is changed, or the posterior is stale or of the other form of the model.
        UserError: there is no posterior of this case, or the scenario departs before the report.
    """
    posterior = posterior or shipped_posterior(config.scenario.cast)
    drawn, report = conditioned_sets(config.scenario, posterior), config.scenario.calendar.report
    config = replace(config, runs=drawn.draws)
    begun = ensemble(config, drawn=drawn, days=report + 1, wanted=OutputSpec(weekly=False)).simulate()
    if not (changed := unlike(posterior, config, begun)):
        return
    if old := stale(posterior):
        raise OtherPastError(f"the posterior that comes with the package is stale: {old}; `make posterior` renews it")
    here, there = (
        f"mechanisms.pause={written(one.mechanisms.pause)}"
        for one in (config.scenario, load(posterior.about["overrides"]).scenario)
    )
    if here != there:
        why = f"the posterior that comes with the package is of the other form of the model, {there} and not {here}"
        raise OtherPastError(f"{why}; `lull calibrate {here}` fits this one")
    raise OtherPastError(f"the past is changed ({changed}); only changes of what follows the report keep its answers")
