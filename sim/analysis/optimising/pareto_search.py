"""Many-objective search over levers: what is asked, how candidates are judged, the search, and the front judged afresh.

A candidate is one setting of all levers. It is judged by its objectives over parameter sets (what is not known) and
runs (chance), which are the same for all candidates. NSGA-II or NSGA-III (pymoo) improve a population of candidates.
The best of many noisy numbers is too good to be true, so the front is judged again on parameter sets and random numbers
that the search never saw; only what is not dominated there is shown as the front.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from sim.analysis.optimising.objectives import VERB, LeverSearch
from sim.analysis.sensitivity.targets import Target
from sim.engine.record import OutputSpec
from sim.experiment.parameter_sets import DEFAULTS, ParameterSets, shipped_posterior
from sim.experiment.runner import Arm, Arrays, CostEstimate, Experiment, Progress, chunks, joined, rate_of, require
from sim.experiment.statistics import Array, Column, interval_90, quantile
from sim.experiment.sweep.axes import Axis, Choice
from sim.experiment.sweep.design import sobol_points
from sim.experiment.sweep.worker import outcome_columns
from sim.model.scenario import DEFAULTS as DECLARED
from sim.model.scenario import Config
from sim.model.validation import UserError

NO_PYMOO: Final = 'an installed pymoo: pip install "lull-sim[optimise]"'
MANY: Final = 3
"""More objectives than these are searched by NSGA-III, whose directions keep a front of many dimensions spread."""
MOST_ON_FRONT: Final = 40
"""Candidates that are judged again; of a longer front those that are farthest apart."""
AGAIN: Final = 4
"""Histories of a candidate in the second judgement, as a multiple of those in the search, as far as sets reach."""


# --- candidates, and what judges them ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What is asked, with the parameter sets of the search and, after these, of the second judgement."""

    asked: LeverSearch
    sets: ParameterSets

    @property
    def config(self) -> Config:
        """The first configuration, which holds what is common to all."""
        return self.asked.configs[0]

    @property
    def levers(self) -> tuple[Axis, ...]:
        """The levers that are parameters."""
        return self.asked.axes.numbers

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All other levers."""
        return self.asked.axes.choices

    @property
    def keys(self) -> tuple[str, ...]:
        """All levers."""
        return (
            *(one.key for one in self.levers),
            *(one.key.lstrip("+") for one in self.choices),
        )

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is worked out of a candidate in each parameter set, the objectives first."""
        return (*(one.target for one in self.asked.objectives), *(one.target for one in self.asked.constraints))

    def settings(self, unit: Column) -> dict[str, Array]:
        """The settings of candidates (N, K) in the unit cube, by key: values of parameters, labels of other levers."""
        found: dict[str, Array] = {axis.key: axis.at(unit[:, place]) for place, axis in enumerate(self.levers)}
        for choice, places in zip(self.choices, self.places(unit), strict=True):
            found[choice.key.lstrip("+")] = np.array(choice.labels, dtype=object)[places]
        return found

    def places(self, unit: Column) -> Array:
        """Which value each candidate (N, K) has of every choice (C, N)."""
        counts = np.array([len(one.labels) for one in self.choices])[:, None]
        inside = unit[:, len(self.levers) :].T
        return np.minimum((inside * counts).astype(np.int64), counts - 1)

    def arms(self, unit: Column) -> Array:
        """The configuration (N,) of each candidate (N, K)."""
        found = np.zeros(len(unit), dtype=np.int64)
        for choice, places in zip(self.choices, self.places(unit), strict=True):
            found = found * len(choice.labels) + places
        return found

    @cached_property
    def search(self) -> "Judge":
        """What judges candidates while it is searched."""
        return self._judge(range(self.asked.draws), self.config.runs, 0)

    @cached_property
    def again(self) -> "Judge":
        """What judges the front afresh: other parameter sets where there are any, and random numbers of its own."""
        left = range(self.asked.draws, self.sets.draws)
        sets = left if len(left) else range(self.asked.draws)
        sets = sets[: AGAIN * self.asked.draws] if len(left) else sets
        runs = max(1, AGAIN * self.asked.draws * self.config.runs // len(sets))
        return self._judge(sets, runs, self.asked.draws * self.config.runs)

    def _judge(self, sets: range, runs: int, first: int) -> "Judge":
        columns = {key: one[sets.start : sets.stop] for key, one in self.sets.columns.items()}
        levers = {one.key for one in self.levers}
        arms = []
        for config in (*self.asked.configs, self.asked.plain):
            kept = ParameterSets(columns).design(config.scenario)
            arms.append(Arm(config.scenario, frozenset(columns) - frozenset(kept) - levers))
        return Judge(self, tuple(arms), columns, len(sets), runs, first)

    def forecast(self) -> CostEstimate:
        """What the search and the second judgement cost, at most."""
        one = self.search.histories
        histories = self.asked.options.population * self.asked.options.generations * one
        histories += (MOST_ON_FRONT + 1) * self.again.histories
        unit = sobol_points(len(self.keys), 0, self.asked.options.population, self.config.seed)

        def trial(most: int) -> int:
            some = unit[: max(1, min(len(unit), most // one))]
            self.search(some, None)
            return len(some) * one

        return CostEstimate(
            histories, histories / rate_of(trial, self.asked.options.population * one), self.search.memory
        )


@dataclass(frozen=True)
class Judge:
    """Simulates candidates with the same parameter sets and runs for all; `first` offsets the random numbers."""

    problem: Problem
    arms: tuple[Arm, ...]
    columns: Mapping[str, Array]
    draws: int
    runs: int
    first: int

    @property
    def experiment(self) -> Experiment:
        """The experiment, set by set and run by run, of which candidates are parts."""
        wanted = OutputSpec.of(*dict.fromkeys(one.outcome.name for one in self.problem.targets))
        config = self.problem.config
        return Experiment(self.arms, config.seed, self.runs, wanted=wanted, threads=config.threads)

    @property
    def histories(self) -> int:
        """Histories of one candidate."""
        return self.draws * self.runs

    @property
    def memory(self) -> int:
        """Peak bytes of judging a population."""
        return self.experiment.memory(self.problem.asked.options.population * self.histories)

    def __call__(self, unit: Column, progress: Progress | None) -> Column:
        """Statistics (T, N, D) of candidates (N, K) in each parameter set."""
        names = [f"{place}" for place in range(len(self.problem.targets))]
        part = max(1, -(-len(unit) // 4))
        found = joined(chunks(len(unit), part, Candidates(self, unit), progress), axis=0)
        return np.stack([found[name] for name in names])

    def simulate(self, unit: Column, progress: Progress | None) -> dict[str, Array]:
        """The statistics of some candidates (N, K), by place of the target, each (N, D)."""
        found = np.empty((len(self.problem.targets), len(unit), self.draws))
        arms, levers = self.problem.arms(unit), self.problem.levers
        for arm in np.unique(arms):
            mine = np.flatnonzero(arms == arm)
            values = {key: np.tile(one, len(mine)) for key, one in self.columns.items()}
            values |= {axis.key: np.repeat(axis.at(unit[mine, place]), self.draws) for place, axis in enumerate(levers)}
            found[:, mine] = self.statistics(int(arm), values, len(mine), progress)
        return {f"{place}": one for place, one in enumerate(found)}

    def statistics(self, arm: int, values: Arrays, candidates: int, progress: Progress | None) -> Column:
        """Statistics (T, N, D) of candidates of one configuration, whose parameters are columns (N x D,)."""
        sets = np.tile(np.arange(self.draws), candidates) + self.first
        output = self.experiment.simulate([arm], sets, values=values, progress=progress)
        columns = outcome_columns(self.arms[arm].scenario, output)
        every = np.ones(self.runs, dtype=np.int64)
        runs = {name: column.reshape(-1, self.runs) for name, column in columns.items()}
        found = [one.prepared(runs[one.outcome.name]).of(every) for one in self.problem.targets]
        return np.stack(found).reshape(-1, candidates, self.draws)

    def as_configured(self, progress: Progress | None) -> Column:
        """Statistics (T, D) of the scenario without levers, the last of the arms."""
        return np.asarray(self.statistics(len(self.arms) - 1, self.columns, 1, progress)[:, 0])


@dataclass(frozen=True)
class Candidates:
    """Some candidates of a population, for a chunk that a worker may make."""

    judge: Judge
    unit: Column

    def __call__(self, part: range, progress: Progress | None) -> Arrays:
        """Their statistics."""
        return self.judge.simulate(self.unit[part.start : part.stop], progress)


# --- the search ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Searched:
    """Candidates `unit` (N, K) in the order in which they were judged, with what they came to.

    `losses` (N, M) are good where small, `excess` (N, C) is above 0 where a constraint is broken; `generation` (N,)
    counts from 0.
    """

    unit: Column
    losses: Column
    excess: Column
    generation: Array

    @cached_property
    def front(self) -> Array:
        """Places of the candidates that keep all constraints and that no other such candidate dominates."""
        return front_of(self.losses, self.excess)

    def hypervolume(self) -> Column:
        """Share of the final hypervolume that the front had after each generation (G,)."""
        from pymoo.indicators.hv import Hypervolume

        best = self.losses[self.front]
        if not len(best):
            return np.zeros(int(self.generation.max()) + 1)
        low, high = best.min(axis=0), best.max(axis=0)
        wide = np.where(high > low, high - low, 1.0)
        volume = Hypervolume(ref_point=np.full(best.shape[1], 1.1))
        found = []
        for last in range(int(self.generation.max()) + 1):
            some = (self.generation <= last) & (self.excess <= 0).all(axis=1)
            found.append(volume.do((self.losses[some] - low) / wide) if some.any() else 0.0)
        return np.array(found) / found[-1]


def front_of(losses: Column, excess: Column) -> Array:
    """Places of candidates that keep all constraints (N, C) and that none of those dominates in all losses (N, M).

    >>> front_of(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), np.array([[0.0], [0.0], [0.0], [1.0]]))
    array([0, 1])
    """
    kept = np.flatnonzero(np.all(excess <= 0, axis=1))
    some = losses[kept]
    worse = np.all(some[:, None] >= some[None], axis=2) & np.any(some[:, None] > some[None], axis=2)
    return np.asarray(kept[~worse.any(axis=1)])


Losses = Callable[[Column], tuple[Column, Column]]
"""Takes candidates (N, K) and gives losses (N, M) and excesses over constraints (N, C)."""


def searched(
    judge: Losses, levers: int, sizes: tuple[int, int], population: int, generations: int, seed: int
) -> Searched:
    """Search for the front of a problem in the unit cube of `levers`, with `sizes` of objectives and constraints.

    The first generation is a Sobol sequence. A candidate that came before is not judged again.
    """
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.problem import Problem as Box
    from pymoo.problems.static import StaticProblem

    objectives, constraints = sizes
    box = Box(n_var=levers, n_obj=objectives, n_ieq_constr=constraints, xl=0.0, xu=1.0)
    algorithm = _algorithm(objectives, population, sobol_points(levers, 0, population, seed))
    algorithm.setup(box, termination=("n_gen", generations), seed=seed % 2**32, verbose=False)
    parts: list[tuple[Column, Column, Column, Array]] = []
    while algorithm.has_next():
        asked = algorithm.ask()
        unit = np.asarray(asked.get("X"), dtype=np.float64)
        losses, excess = judge(unit)
        given = {"F": losses, "G": excess} if constraints else {"F": losses}
        Evaluator().eval(StaticProblem(box, **given), asked)
        algorithm.tell(infills=asked)
        parts.append((unit, losses, excess, np.full(len(unit), len(parts))))
    return Searched(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def _algorithm(objectives: int, population: int, first: Column) -> Any:
    if objectives <= MANY:
        return engine().NSGA2(pop_size=population, sampling=first)
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.util.ref_dirs import get_reference_directions

    directions = get_reference_directions("energy", objectives, population, seed=1)
    return NSGA3(directions, pop_size=population, sampling=first)


def robust(values: Column, sign: int, how: str, best: Column) -> Column:
    """The loss (N,) of candidates from an objective's values (N, D) in each parameter set.

    `how` is `mean`; `q90`, the 90% quantile of the loss over the sets, and so on; or `regret`, the mean over the sets
    of how much worse it is than `best` (D,), the best of the first generation in that set.

    >>> robust(np.array([[1.0, 3.0]]), -1, "mean", np.array([4.0, 4.0])), robust(
    ...     np.array([[1.0, 3.0]]), -1, "regret", np.array([4.0, 4.0]))
    (array([-2.]), array([2.]))
    """
    loss = sign * values
    if how == "mean":
        return np.asarray(loss.mean(axis=1))
    if how == "regret":
        return np.asarray((loss - sign * best).mean(axis=1))
    return np.asarray(quantile(loss, int(how[1:]) / 100, axis=1))


def losses_of(problem: Problem, values: Column, best: Column) -> tuple[Column, Column]:
    """Losses (N, M) and excesses over constraints (N, C) from statistics (T, N, D); `best` (M, D) is for regrets."""
    objectives, how = problem.asked.objectives, problem.asked.options.robust
    losses = [robust(values[place], one.sign, how, best[place]) for place, one in enumerate(objectives)]
    means = values[len(objectives) :].mean(axis=2)
    excess = [one.sign * (mean - one.bound) for one, mean in zip(problem.asked.constraints, means, strict=True)]
    return np.stack(losses, axis=1), np.array(excess).reshape(len(excess), len(losses[0])).T


def best_of(problem: Problem, values: Column) -> Column:
    """The best (M, D) of some candidates in each objective and parameter set, from statistics (T, N, D)."""
    return np.stack(
        [
            one.sign * (one.sign * found).min(axis=0)
            for one, found in zip(problem.asked.objectives, values, strict=False)
        ]
    )


# --- the front, judged afresh ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A finished search.

    `front` (F,) are the places of the candidates that were on the front when it was searched, `values` (T, F, D) their
    statistics on other parameter sets and random numbers, `configured` (T, D) those of the scenario without levers;
    `stays` (F,) says which are on the front there too, `keeps` (F,) which keep the constraints there. `histories`
    counts all that was simulated.
    """

    problem: Problem
    searched: Searched
    front: Array
    values: Column
    configured: Column
    stays: Array
    keeps: Array
    histories: int

    @cached_property
    def settings(self) -> dict[str, Array]:
        """The settings (F,) of these candidates, by lever."""
        return self.problem.settings(self.searched.unit[self.front])

    def rows(self) -> Iterator[dict[str, Any]]:
        """The scenario as configured, then a row for each candidate: settings, and what each target comes to.

        Of a target, the mean over parameter sets with its standard error, where 90% of the sets lie, and the difference
        to the scenario as configured with its standard error, paired by set.
        """
        yield {**dict.fromkeys(self.settings), **self._judged(self.configured), "on_front": None}
        for place, stays in enumerate(self.stays.tolist()):
            setting = {key: _plain(column[place]) for key, column in self.settings.items()}
            yield {**setting, **self._judged(self.values[:, place]), "on_front": stays and bool(self.keeps[place])}

    def _judged(self, values: Column) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for one, column, configured in zip(self.problem.targets, values, self.configured, strict=True):
            low, high = interval_90(column)
            row |= {one.name: float(column.mean()), f"{one.name} error": _error(column), f"{one.name} low": low}
            row |= {f"{one.name} high": high, f"{one.name} difference": float((column - configured).mean())}
            row[f"{one.name} difference error"] = _error(column - configured)
        return row


def _error(column: Column) -> float | None:
    """Standard error of the mean over parameter sets (D,); None of a single one."""
    return float(column.std(ddof=1) / math.sqrt(len(column))) if len(column) > 1 else None


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def prepared(asked: LeverSearch) -> Problem:
    """The search as a problem; nothing is simulated.

    Raises:
        UserError: pymoo is missing, there are too few parameter sets, or the memory does not suffice.
    """
    engine()
    declared = asked.source == DECLARED
    sets = DEFAULTS if declared else ParameterSets(shipped_posterior(asked.plain.scenario.cast).columns)
    if asked.draws > sets.draws:
        raise UserError("study.draws", asked.draws, f"at most {sets.draws}, as many as the parameters have")
    problem = Problem(asked, sets)
    require(problem.search.memory, "optimise.population", asked.options.population)
    return problem


def engine() -> Any:
    """The library that searches.

    Raises:
        UserError: it is not installed.
    """
    try:
        import pymoo.algorithms.moo.nsga2 as nsga2
    except ImportError:
        raise UserError(VERB, "pymoo is missing", NO_PYMOO) from None
    return nsga2


def optimised(problem: Problem, progress: Progress | None = None) -> Found:
    """Search, and judge the front afresh.

    Raises:
        UserError: no candidate keeps the constraints.
    """
    options, best = problem.asked.options, np.zeros((0, 0))

    def judge(unit: Column) -> tuple[Column, Column]:
        nonlocal best
        values = problem.search(unit, progress)
        best = best if best.size else best_of(problem, values)
        return losses_of(problem, values, best)

    sizes = len(problem.asked.objectives), len(problem.asked.constraints)
    seen = searched(judge, len(problem.keys), sizes, options.population, options.generations, problem.config.seed)
    # Settings between which no history differs are one: the first that was judged stands for all.
    alike = {tuple(seen.losses[place]): place for place in seen.front[::-1]}
    front = np.array(sorted(alike.values()), dtype=np.int64)
    if not len(front):
        allowed = f"bounds that a candidate can keep; of {len(seen.unit):,} none keeps all"
        raise UserError("optimise.constraints", ", ".join(options.constraints or ()), allowed)
    front = front[spread(seen.losses[front], MOST_ON_FRONT)]
    front = front[np.argsort(seen.losses[front, 0], kind="stable")]
    again = problem.again
    values, configured = again(seen.unit[front], progress), again.as_configured(progress)
    losses, excess = losses_of(problem, values, best_of(problem, values))
    stays = np.isin(np.arange(len(front)), front_of(losses, excess))
    histories = len(seen.unit) * problem.search.histories + (len(front) + 1) * again.histories
    return Found(problem, seen, front, values, configured, stays, np.all(excess <= 0, axis=1), histories)


def spread(losses: Column, most: int) -> Array:
    """Places of at most so many candidates of a front (N, M) that lie far apart: the ends first, then the farthest.

    >>> spread(np.array([[0.0, 9.0], [1.0, 8.0], [5.0, 5.0], [9.0, 0.0]]), 3).tolist()
    [0, 2, 3]
    """
    if len(losses) <= most:
        return np.arange(len(losses))
    wide = np.ptp(losses, axis=0)
    places = losses / np.where(wide > 0, wide, 1.0)
    chosen = list(dict.fromkeys(np.argmin(places, axis=0).tolist()))[:most]
    near = np.min([np.abs(places - places[one]).sum(axis=1) for one in chosen], axis=0)
    while len(chosen) < most:
        chosen.append(int(np.argmax(near)))
        near = np.minimum(near, np.abs(places - places[chosen[-1]]).sum(axis=1))
    return np.sort(chosen)
