"""Attribution of an outcome to mechanisms: Shapley values of the outcome under every combination of them, `explain`.

A coalition of n players is a number whose bit i says whether player i takes part, so values are an array whose first
axis has length 2**n. All other axes (draws, runs) are carried through, since the values are linear in the game.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import factorial
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.analysis.comparison.arms import kept, pinned_words
from sim.analysis.comparison.paired_run import PointColumns, points_of
from sim.analysis.requested import PRIOR, draws_of, known_outcome, players_of, source_of
from sim.analysis.summary import PRIOR_DRIVEN
from sim.engine.inputs import build_inputs
from sim.engine.record import OutputSpec
from sim.experiment.command import Request
from sim.experiment.dataset import OUTCOMES_BY_NAME, outcome_values, outcomes_of, theatre_counts
from sim.experiment.options import SIZES, ExplainOptions
from sim.experiment.result_dir import provenance
from sim.experiment.runner import Arm, CostEstimate, Experiment, Progress, chunks, joined
from sim.experiment.statistics import Array, interval_90
from sim.model.declared_outcomes import Outcome
from sim.model.extension import ActiveExtensions
from sim.model.parameters import MECHANISM_NAMES
from sim.model.scenario import Config, Scenario, asking, load
from sim.model.validation import UserError
from sim.rules.outcomes import NEVER


def shapley(values: Array) -> Array:
    """Shapley values (n, ...) of the players of a game (2**n, ...).

    sum over coalitions S without i of |S|! (n - |S| - 1)! / n! * (v(S + i) - v(S))

    They add up to v(all) - v(none); a player who changes no coalition's value gets exactly zero.
    Source: Shapley (1953).

    >>> shapley(np.array([0.0, 1.0, 2.0, 7.0])).tolist()
    [3.0, 4.0]
    """
    players = player_count(values)
    every = np.arange(2**players)
    sizes = np.array([int(bits).bit_count() for bits in every])
    weights = [factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)]
    found = []
    for player in range(players):
        absent = every[every >> player & 1 == 0]
        gains = values[absent | 1 << player] - values[absent]
        found.append(np.tensordot(np.take(weights, sizes[absent]), gains, axes=(0, 0)))
    return np.array(found)


def first_in(values: Array) -> Array:
    """What each player brings where no other takes part (n, ...): v(i) - v(none)."""
    return np.array([values[1 << player] - values[0] for player in range(player_count(values))])


def last_in(values: Array) -> Array:
    """What is lost where only this player is missing (n, ...): v(all) - v(all but i)."""
    every = len(values) - 1
    return np.array([values[every] - values[every ^ 1 << player] for player in range(player_count(values))])


def player_count(values: Array) -> int:
    """Number of players of a game."""
    players = len(values).bit_length() - 1
    if len(values) != 2**players:
        raise ValueError(f"{len(values)} coalitions: allowed is a power of two")
    return players


TABLE_ROWS: Final = 8192
"""Points that are simulated at once: their numbers take some ten megabytes."""
MOST_AT_ONCE: Final = 200_000
"""Histories that are simulated at once where one coalition has fewer: what a killed command loses at most."""


@dataclass(frozen=True)
class Measured:
    """What is attributed: an outcome, or the chance of it where a mean would mislead.

    Heavy-tailed outcomes and days on which a thing may never happen have no mean that can be shared out, so the
    probability that they happen at all is.
    """

    name: str
    words: str
    unit: str
    chance: bool
    day: bool = False

    def of(self, values: Array) -> Array:
        """The quantity (runs,) whose mean is attributed."""
        if not self.chance:
            return values.astype(np.float64)
        return (values != NEVER if self.day else values > 0).astype(np.float64)


def measured(name: str, known: Mapping[str, Outcome] = OUTCOMES_BY_NAME) -> Measured:
    """How one of the outcomes known is attributed."""
    outcome = known_outcome(name, known)
    if outcome.heavy_tailed:
        return Measured(name, f"{outcome.title}, probability of any", "probability", True)
    if outcome.unit == "day":
        return Measured(name, f"{outcome.title}, probability", "probability", True, day=True)
    statistic = "probability" if outcome.unit == "probability" else "mean"
    return Measured(name, f"{outcome.title}, {statistic}", outcome.unit, False)


@dataclass(frozen=True)
class Game:
    """Which mechanisms play, on which scenario, at which draws of its parameters, with which random numbers.

    `design` maps parameters to columns (draws,); empty means one draw, the scenario's own numbers. Mechanisms that do
    not play stay as the scenario has them. Every draw has runs of its own, so that chance evens out over the draws;
    all coalitions have common random numbers.
    """

    scenario: Scenario
    players: tuple[str, ...]
    measured: Measured
    design: PointColumns
    runs: int
    seed: int

    @property
    def draws(self) -> int:
        """Number of draws of the parameters."""
        return len(next(iter(self.design.values()))) if self.design else 1

    @property
    def histories(self) -> int:
        """Number of histories of the whole game."""
        return 2 ** len(self.players) * self.draws * self.runs

    @property
    def width(self) -> int:
        """Coalitions that are simulated at once, few enough that a command with many histories can resume."""
        fit = min(TABLE_ROWS // self.draws, MOST_AT_ONCE // (self.draws * self.runs))
        return min(2 ** len(self.players), max(1, fit))

    @property
    def kept(self) -> int:
        """Bytes of the quantity of all histories, which are joined from those of the chunks."""
        return 2 * 8 * self.histories

    def experiment(self, threads: int = 0) -> Experiment:
        """All coalitions, each an arm, at the same draws with common random numbers."""
        base = build_inputs(self.scenario)  # no mechanism changes the timeline
        arms = tuple(Arm(self.coalition(one), base=base) for one in range(2 ** len(self.players)))
        return Experiment(arms, self.seed, self.runs, "nested", self.design, OutputSpec.of(self.recorded), threads)

    @property
    def recorded(self) -> str:
        """The recorded or derived outcome that decides what is attributed."""
        name = self.measured.name
        return {one.text: one.outcome for one in self.scenario.asked if one.window is None}.get(name, name)

    def coalition(self, bits: int) -> Scenario:
        """The scenario of one coalition."""
        at_work = {name: bool(bits >> place & 1) for place, name in enumerate(self.players)}
        off = frozenset(name for name, works in at_work.items() if not works and name not in MECHANISM_NAMES)
        ours = {name: works for name, works in at_work.items() if name in MECHANISM_NAMES}
        mechanisms = replace(self.scenario.mechanisms, **ours)
        return replace(self.scenario, mechanisms=mechanisms, extended=self._extended[off])

    @cached_property
    def _extended(self) -> Mapping[frozenset[str], ActiveExtensions]:
        """The extensions, by which of their players are off; the coalitions share them, so each is looked at once."""
        own, whole = [name for name in self.players if name not in MECHANISM_NAMES], self.scenario.extended
        subsets = (frozenset(some) for count in range(len(own) + 1) for some in combinations(own, count))
        return {some: replace(whole, off=whole.off | some) if some else whole for some in subsets}

    def forecast(self, threads: int = 0) -> CostEstimate:
        """What it costs, by a trial."""
        return self.experiment(threads).forecast(self.width * self.draws * self.runs, self.kept)

    def values(self, threads: int = 0, progress: Progress | None = None) -> Array:
        """The quantity in every coalition, draw and run (2**n, draws, runs)."""
        experiment = self.experiment(threads)
        experiment.require_memory(self.width * self.draws * self.runs, self.kept, "study.runs", self.runs)

        def quantity(coalitions: range, done: Progress | None) -> dict[str, Array]:
            output = experiment.simulate(coalitions, progress=done)
            values = outcome_values(self.scenario, output, theatre_counts(self.scenario, output))
            found = self.measured.of(values[self.measured.name])
            return {"values": found.reshape(len(coalitions), self.draws, self.runs)}

        return joined(chunks(len(experiment.arms), self.width, quantity, progress))["values"]


def freed_after_deaths(scenario: Scenario) -> Scenario:
    """The scenario with its history pinned up to the last documented deaths and free after them.

    What the mechanisms did after that day is the question, so nothing documented may force it, the major response
    least of all. A scenario that is freed already stays as it is.
    """
    deaths = [event.last for event in scenario.pins if event.kind == "deaths"]
    if not deaths or scenario.free_from is not None:
        return scenario
    return replace(scenario, free_from=max(deaths) + 1)


@dataclass(frozen=True)
class Share:
    """A contribution: its mean, its Monte Carlo standard error, and where nine in ten draws of the parameters lie.

    `low` and `high` are None where there is one draw.
    """

    mean: float
    error: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Attributed:
    """What one mechanism brings: shared out fairly, alone, and what is lost where only it is missing."""

    mechanism: str
    shapley: Share
    first_in: Share
    last_in: Share


@dataclass(frozen=True)
class Attribution:
    """An outcome shared out. `none` and `every` are the outcome with no mechanism at work and with all of them.

    `before` is the latter under the priors alone, where assumptions decide the outcome and the draws are others.
    """

    game: Game
    values: Array
    none: Share
    every: Share
    total: Share
    shares: tuple[Attributed, ...]
    before: float | None = None

    def ranked(self) -> tuple[Attributed, ...]:
        """Mechanisms by the size of their share, largest first."""
        return tuple(sorted(self.shares, key=lambda one: -abs(one.shapley.mean)))


def attribution(game: Game, values: Array) -> Attribution:
    """Share out the values (2**n, draws, runs) of a game."""
    parts = (shapley(values), first_in(values), last_in(values))
    return Attribution(
        game=game,
        values=values,
        none=share(values[0]),
        every=share(values[-1]),
        total=share(values[-1] - values[0]),
        shares=tuple(
            Attributed(name, *(share(part[place]) for part in parts)) for place, name in enumerate(game.players)
        ),
    )


def share(values: Array) -> Share:
    """Mean, error and spread over draws of a quantity (draws, runs), every draw with runs of its own.

    The spread is that of the expected quantity of a draw: means over a few runs scatter more than what they estimate,
    and are drawn together by the ratio of the two standard deviations (one-way analysis of variance).
    """
    draws, runs = values.shape
    mean = float(values.mean())
    if draws == 1:
        return Share(mean, float(np.sqrt(variance(values[0]) / runs)), None, None)
    by_draw = values.mean(axis=1)
    seen = variance(by_draw)
    chance = float(np.mean([variance(one) for one in values])) / runs
    kept = np.sqrt(max(0.0, 1.0 - chance / seen)) if seen > 0.0 else 0.0
    low, high = interval_90(mean + (by_draw - mean) * kept)
    return Share(mean, float(np.sqrt(seen / draws)), low, high)


def variance(values: Array) -> float:
    """Sample variance; zero of a single value."""
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


RUNS, DRAWS = SIZES["explain"]
"""Draws, and runs of each draw and coalition, where nothing is said: with twelve mechanisms 4.2 million histories."""
PRIOR_DRAWS: Final = 1000
"""Draws of the priors for the prior predictive of what assumptions decide; `RUNS` histories of each."""
MOST_HISTORIES: Final = 10**9


@dataclass(frozen=True)
class Explaining:
    """An attribution as it was asked for: nothing is simulated yet. `held` are keys that are set and never drawn."""

    config: Config
    game: Game
    source: str
    held: Collection[str]

    @property
    def pinned(self) -> str:
        """What is pinned, in words."""
        return pinned_words(self.game.scenario, self.game.scenario.free_from)

    def forecast(self) -> CostEstimate:
        """What it costs, by a trial of the coalitions and one of the histories at the priors."""
        games, none = filter(None, (self.game, self._at_priors)), CostEstimate()
        return sum((one.forecast(self.config.threads) for one in games), none)

    def simulate(self, progress: Progress | None = None) -> Attribution:
        """Simulate every coalition and share out.

        Where assumptions decide the outcome, all mechanisms are also simulated at draws of the priors.
        """
        found = attribution(self.game, self.game.values(self.config.threads, progress))
        if self._at_priors is None:
            return found
        return replace(found, before=float(self._at_priors.values(self.config.threads, progress).mean()))

    @cached_property
    def _at_priors(self) -> Game | None:
        """All mechanisms at draws of the priors, where assumptions decide the outcome and it is not there already."""
        if self.game.measured.name not in PRIOR_DRIVEN or self.source == PRIOR:
            return None
        drawn = points_of(PRIOR, PRIOR_DRAWS, self.game.seed, self.game.scenario.cast)
        free = {key: column for key, column in drawn.items() if key not in self.held}
        return replace(self.game, players=(), design=free, runs=RUNS)


def prepare(request: Request) -> Explaining:
    """Read and check what a command asks to be shared out."""
    options, rest = request.options(ExplainOptions)
    return prepared(options, rest)


def prepared(options: ExplainOptions, request: Request) -> Explaining:
    """An attribution of what the options name, in the configuration that the overrides make."""
    source = source_of(options.parameters)
    config = load(request.overrides, request.config_dir, request.extensions)
    points = points_of(source, draws_of(config, source, DRAWS), config.seed, config.scenario.cast)
    held = kept(config, request.overrides)
    scenario, [name] = asking(config.scenario, [options.outcome], "outcome")
    game = Game(
        scenario=freed_after_deaths(scenario),
        players=players_of(config.scenario, options.mechanisms),
        measured=measured(name, outcomes_of(scenario)),
        design={key: column for key, column in points.items() if key not in held},
        runs=config.runs if request.sets("study.runs") else RUNS,
        seed=config.seed,
    )
    if game.histories > MOST_HISTORIES:
        raise UserError("study.runs", game.runs, f"fewer: {game.histories:,} histories, {MOST_HISTORIES:,} at most")
    return Explaining(config, game, source, held)


SHARES: Final = {
    "shapley": "fair share: Shapley value",
    "first_in": "brought where no other mechanism is at work",
    "last_in": "lost where only this mechanism is missing",
}


def dataset_of(asked: Explaining, found: Attribution) -> xr.Dataset:
    """The attribution as a labelled Dataset: shares over mechanism, outcome means over coalition and draw."""
    game = asked.game
    coalitions = [coalition_name(game.players, bits) for bits in range(len(found.values))]
    about = {"units": game.measured.unit, "long_name": game.measured.words}
    data = xr.Dataset(
        {"mean_by_coalition": (("coalition", "draw"), found.values.mean(axis=2), about)},
        {"mechanism": list(game.players), "coalition": coalitions},
    )
    for name, text in SHARES.items():
        shares = [getattr(one, name) for one in found.shares]
        for part in ("mean", "error", "low", "high"):
            label = name if part == "mean" else f"{name}_{part}"
            numbers = np.array([getattr(one, part) for one in shares], dtype=np.float64)
            data[label] = ("mechanism", numbers, {"units": game.measured.unit, "long_name": text})
    for name in ("none", "every", "total"):
        data.attrs[name] = getattr(found, name).mean
    if found.before is not None:
        data.attrs["every_under_priors"] = found.before
    return data.assign_attrs(provenance(asked.config)).assign_attrs(
        outcome=game.measured.name, words=game.measured.words, units=game.measured.unit, parameters=asked.source,
        draws=game.draws, runs=game.runs, pinned=asked.pinned,
    )  # fmt: skip


def coalition_name(players: Sequence[str], bits: int) -> str:
    """A coalition by the names in it.

    >>> coalition_name(("fear", "major_response"), 2), coalition_name(("fear", "major_response"), 0)
    ('major_response', 'none')
    """
    there = [name for place, name in enumerate(players) if bits >> place & 1]
    return "+".join(there) or "none"


def share_rows(found: Attribution) -> list[dict[str, Any]]:
    """One row for each mechanism, by the size of its share."""
    columns = [
        (name if part == "mean" else f"{name}_{part}", name, part)
        for name in SHARES for part in ("mean", "error", "low", "high")
    ]  # fmt: skip
    return [
        {"mechanism": one.mechanism, **{key: getattr(getattr(one, name), part) for key, name, part in columns}}
        for one in found.ranked()
    ]
