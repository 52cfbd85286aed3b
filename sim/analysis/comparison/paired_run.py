"""The simulation of a comparison: parameter draws that all arms share, all arms chunk by chunk of draws, and checks.

Only statistics of the draws are kept. What assumptions decide is also simulated at draws of the declared priors: no
observation says how long a lull lasts or whether war comes, so these outcomes are shown with what the priors alone make
of them.

A scenario that changes a parameter or a mechanism changes it in the whole history. That is meant to show from its
departure on, because before it documented history is pinned; where drawn parameters have the patron order restraint
earlier than it did, it shows earlier. So pairs are checked for being the same before they depart.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from sim.analysis.calibration.posterior import check_conditioned
from sim.analysis.comparison.arms import ComparedArm, common_day
from sim.analysis.comparison.paired import Columns, Draws, Measure, Regrets, columns_of, described, losses, measures_of
from sim.analysis.requested import PRIOR, SOURCES, source_of
from sim.analysis.summary import PRIOR_DRIVEN
from sim.engine.inputs import Past
from sim.engine.record import OutputSpec
from sim.experiment.parameter_sets import conditioned_sets, prior_design, shipped_posterior
from sim.experiment.runner import CHUNK, Arm, Experiment, Progress, chunks, joined
from sim.experiment.statistics import Array, Tally, interval_90
from sim.model.cast import Cast
from sim.model.scenario import CONDITIONED, DEFAULTS, POSTERIOR, Scenario
from sim.model.validation import UserError

PointColumns = dict[str, npt.NDArray[np.float64]]

LOOKED_AT: Final = 2000
"""Pairs looked at before their departure, spread over all draws."""
COMPARED: Final = OutputSpec(weekly=False)
KEPT_PER_HISTORY: Final = 4 * 160
"""Bytes of the measures of one history."""
PRIOR_DRAWS: Final = 1000
PRIOR_RUNS: Final = 20
"""Draws of the priors, and histories of each in every arm."""
PRIORS: Final = {
    "prior_baseline_value": "value under the baseline at draws of the priors, of what assumptions alone decide",
    "prior_scenario_value": "value under the scenario, likewise",
    "prior_difference": "scenario minus baseline, likewise",
    "prior_baseline_low": "5% quantile of the value under the baseline over these draws",
    "prior_baseline_high": "95% quantile, likewise",
    "prior_scenario_low": "5% quantile of the value under the scenario over these draws",
    "prior_scenario_high": "95% quantile, likewise",
}
SHOWN: Final = ("lull_days", "quiet_days", "war")
"""What tables show with its prior predictive; all else that assumptions decide follows from these."""


def compared_source(given: str | None, arms: Sequence[ComparedArm]) -> str:
    """Where parameters and pasts of a comparison come from, as given; None takes what is usual.

    Raises:
        UserError: conditioned histories are asked for, and some arm departs before the report.
    """
    source = source_of(given, (*SOURCES, CONDITIONED))
    if source == CONDITIONED or given is None:
        day = common_day(arms)
        try:
            for arm in arms:
                check_conditioned(replace(arm.config, scenario=arm.freed(day)))
        except UserError:
            if given is not None:
                raise
        else:
            return CONDITIONED
    return source


def points_of(source: str, draws: int, seed: int, cast: Cast) -> PointColumns:
    """Columns (draws,) of the drawn parameters by key; none where the declared values hold.

    Of the posterior that comes with the package a random part is taken, another one for another seed; where more are
    asked for than it has, they come round again.
    """
    if source == PRIOR:
        return prior_design(draws, seed)
    if source == POSTERIOR:
        posterior = shipped_posterior(cast)
        order = np.random.Generator(np.random.Philox(seed)).permutation(posterior.draws)
        chosen = order[np.arange(draws) % posterior.draws]
        return {key: np.asarray(column)[chosen] for key, column in posterior.columns.items()}
    if draws != 1:
        raise UserError("study.draws", draws, f"1 or null with parameters={DEFAULTS}, which are a single point")
    return {}


def conditioned_points(draws: int, scenario: Scenario) -> tuple[PointColumns, Past]:
    """Columns (draws,) of the posterior in its own order, and their pasts (draws,); where more are asked for, again."""
    drawn = conditioned_sets(scenario)
    assert drawn.past is not None
    chosen = np.arange(draws) % drawn.draws
    past = drawn.past._replace(runs=drawn.past.runs[chosen])
    return {key: np.asarray(column)[chosen] for key, column in drawn.columns.items()}, past


Key = tuple[int, int | None]
"""An ensemble by the place of its arm and the day before which history is pinned."""


@dataclass(frozen=True)
class Plan:
    """What is to be simulated: `draws` parameter sets, `runs` histories each; run numbers go on from draw to draw.

    `war_loss`: by measure the value that a history with war counts as. `apart`: each pair from a day of its own.
    """

    arms: tuple[ComparedArm, ...]
    points: PointColumns
    draws: int
    runs: int
    seed: int
    threads: int
    war_loss: Mapping[str, float] = field(default_factory=dict)
    apart: bool = False
    past: Past | None = None

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What is compared."""
        return measures_of(self.arms[0].scenario)

    @cached_property
    def ranked(self) -> tuple[Measure, ...]:
        """The measures for which scenarios are ranked by regret."""
        return tuple(one for one in self.measures if one.direction and not one.heavy and one.kind == "outcome")

    @cached_property
    def pairs(self) -> tuple[tuple[Key, Key], ...]:
        """Each arm against the first, all pinned before the day on which the earliest of them departs.

        Where pairs are apart: both pinned before the day on which the earlier of the two departs.
        """
        if not self.apart:
            return tuple((self.together[0], key) for key in self.together[1:])
        days = [common_day((self.arms[0], arm)) for arm in self.arms[1:]]
        return tuple(((0, day), (place, day)) for place, day in enumerate(days, start=1))

    @cached_property
    def together(self) -> tuple[Key, ...]:
        """All arms, pinned before the day on which the earliest of them departs."""
        day = common_day(self.arms)
        return tuple((place, day) for place in range(len(self.arms)))

    @cached_property
    def ensembles(self) -> dict[Key, int]:
        """All that is simulated, each once, however many pairs need it, with its place in the experiment."""
        wanted = dict.fromkeys((*self.together, *(key for pair in self.pairs for key in pair)))
        return {key: place for place, key in enumerate(wanted)}

    def experiment(self, days: int | None = None, wanted: OutputSpec = COMPARED) -> Experiment:
        """The ensembles, the first `days` of them, at the same draws with common random numbers."""
        arms = (Arm(self.arms[place].freed(day), self.arms[place].kept, days) for place, day in self.ensembles)
        return Experiment(tuple(arms), self.seed, self.runs, "nested", self.points, wanted, self.threads, self.past)

    @property
    def chunk(self) -> int:
        """Draws that are simulated at once."""
        return min(self.draws, max(1, CHUNK // self.runs))

    @property
    def kept(self) -> int:
        """Bytes of the measures of a chunk, in all ensembles."""
        return self.chunk * self.runs * KEPT_PER_HISTORY * len(self.ensembles)

    @property
    def histories(self) -> int:
        """Number of histories."""
        return len(self.ensembles) * self.draws * self.runs

    def at_priors(self) -> "Plan":
        """The same pairs at draws of the priors."""
        points = points_of(PRIOR, PRIOR_DRAWS, self.seed, self.arms[0].scenario.cast)
        return replace(self, points=points, draws=PRIOR_DRAWS, runs=PRIOR_RUNS, past=None)


def identical_before_departure(plan: Plan) -> Array:
    """Share of pairs with the same attacks on every day before the departure (comparison,); NaN where none is.

    Some histories of every draw are looked at.
    """
    found = []
    for a, b in plan.pairs:
        days = [day for day in (*(plan.arms[place].scenario.departs for place, _ in (a, b)), a[1]) if day is not None]
        if not days or min(days) == 0:
            found.append(math.nan)
            continue
        experiment = plan.experiment(min(days), OutputSpec(daily=True, weekly=False))
        some = np.arange(min(plan.runs, max(1, LOOKED_AT // plan.draws)))
        first, second = (experiment.simulate([plan.ensembles[key]], runs=some).daily for key in (a, b))
        found.append(float((first == second).all(axis=(1, 2, 3)).mean()))
    return np.array(found)


@dataclass(frozen=True)
class Findings:
    """Statistics of a comparison by pair, measure and draw: arrays whose last dimension are the draws."""

    plan: Plan
    arrays: Mapping[str, Array]

    def draws(self, pair: int, measure: int, of: str = "all") -> Draws:
        """The pairs of one comparison and measure, draw by draw: `all` of them, or those with `no_war`."""
        return Draws(*(self.arrays[f"{of}.{one.name}"][pair, measure] for one in fields(Draws)))

    def regrets(self) -> Iterable[tuple[Measure, Regrets]]:
        """Regrets of the measures that scenarios are ranked by."""
        for place, one in enumerate(self.plan.ranked):
            yield one, Regrets(self.arrays["regret.regret"][place], self.arrays["regret.error"][place])

    @cached_property
    def tallies(self) -> dict[tuple[int, int], Tally]:
        """How often each difference of single pairs came, by comparison and measure."""
        values, counts, cells = (self.arrays[f"tally.{name}"] for name in ("values", "counts", "cell"))
        order, width = np.argsort(cells, kind="stable"), len(self.plan.measures)
        found = {}
        for part in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
            seen, place = np.unique(values[part], return_inverse=True)
            tally = Tally(seen, np.bincount(place, weights=counts[part]).astype(np.int64))
            found[divmod(int(cells[part[0]]), width)] = tally
        return found


def simulate(plan: Plan, progress: Progress | None = None) -> Findings:
    """Simulate a comparison; `progress` is called with numbers of finished histories."""
    experiment = plan.experiment()
    experiment.require_memory(plan.chunk * plan.runs, plan.kept, "study.runs", plan.runs)

    def compared(draws: range, done: Progress | None) -> dict[str, Array]:
        shape = (len(draws), plan.runs)
        values: dict[Key, Columns] = {}
        outputs = experiment.simulate_each(draws, progress=done)
        for key, arm, output in zip(plan.ensembles, experiment.arms, outputs, strict=True):
            values[key] = {name: one.reshape(shape) for name, one in columns_of(arm.scenario, output).items()}
        return statistics(plan, values)

    return Findings(plan, joined(chunks(plan.draws, plan.chunk, compared, progress), axis=-1))


def statistics(plan: Plan, values: Mapping[Key, Columns]) -> dict[str, Array]:
    """What is kept of the measures (draw, run) of every ensemble: the arrays of `Findings`, of these draws alone."""

    def losses_in(keys: Iterable[Key], one: Measure) -> Array:
        both, wars = (np.stack([values[key][name] for key in keys]) for name in (one.name, "war"))
        return losses(one, both, wars, plan.war_loss.get(one.name))

    found: dict[str, list[Draws | Regrets]] = {"all": [], "no_war": [], "regret": []}
    tallies = []
    for pair in plan.pairs:
        without_war = ~np.logical_or(*(values[key]["war"].astype(bool) for key in pair))
        for one in plan.measures:
            a, b = (values[key][one.name] for key in pair)
            lost = losses_in(pair, one) if one.direction else None
            found["all"].append(Draws.of(a, b, one.heavy))
            found["no_war"].append(Draws.of(a, b, one.heavy, without_war, lost))
            tallies.append(Tally.of(np.asarray(b, dtype=np.float64) - a))
    found["regret"] += [Regrets.of(losses_in(plan.together, one)) for one in plan.ranked]
    cells = (len(plan.pairs), len(plan.measures))
    arrays = {
        "tally.values": np.concatenate([one.values for one in tallies]),
        "tally.counts": np.concatenate([one.counts for one in tallies]),
        "tally.cell": np.repeat(np.arange(len(tallies)), [len(one.values) for one in tallies]),
    }
    for kind, parts in found.items():
        for name in (one.name for one in fields(parts[0])):
            stack = np.stack([getattr(part, name) for part in parts])
            arrays[f"{kind}.{name}"] = stack if kind == "regret" else stack.reshape(*cells, -1)
    return arrays


def add_prior(data: xr.Dataset, plan: Plan, progress: Progress | None = None) -> None:
    """Add to a comparison what the priors alone make of its prior-driven measures; NaN for all others."""
    found = simulate(plan.at_priors(), progress)
    values = np.full((len(PRIORS), len(plan.pairs), len(plan.measures)), np.nan)
    for at, one in enumerate(plan.measures):
        if one.name in PRIOR_DRIVEN:
            for place in range(len(plan.pairs)):
                drawn = found.draws(place, at)
                means = [each.mean() for each in (drawn.baseline_value, drawn.scenario_value, drawn.difference)]
                values[:, place, at] = [*means, *interval_90(drawn.baseline_value), *interval_90(drawn.scenario_value)]
    for (name, text), numbers in zip(PRIORS.items(), values, strict=True):
        data[name] = (("comparison", "measure"), numbers, described(text))
