"""The game that mechanisms play: an outcome under every combination of them, at the same draws, with the same luck."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import run_batch
from sim.engine.table import Table, at_points, tabulate
from sim.rules.outcomes import NEVER, Outcome
from sim.study.outcomes import OUTCOMES_BY_NAME, outcome_values, theatre_counts
from sim.world.aliases import current_mechanism
from sim.world.errors import UserError, one_of
from sim.world.mechanisms import MECHANISM_NAMES
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]
Column = npt.NDArray[np.float64]

TABLE_ROWS: Final = 8192
"""Points that are lived at once: their numbers take some ten megabytes."""

POINTWISE: Final = ("numbers", "theatres", "wings", "mine")
"""Fields of a table with a row for each point."""


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

    def of(self, values: Array) -> Array:
        """The quantity (runs,) whose mean is attributed."""
        if not self.chance:
            return values.astype(np.float64)
        return (values != NEVER if self.unit_is_day else values > 0).astype(np.float64)

    @property
    def unit_is_day(self) -> bool:
        """Whether the outcome is the day on which a thing happens."""
        return OUTCOMES_BY_NAME[self.name].unit == "day"


def measured(name: str) -> Measured:
    """How an outcome is attributed.

    Raises:
        UserError: there is no such outcome.
    """
    if name not in OUTCOMES_BY_NAME:
        raise UserError("outcome", name, one_of(OUTCOMES_BY_NAME, name))
    outcome: Outcome = OUTCOMES_BY_NAME[name]
    if outcome.heavy_tailed:
        return Measured(name, f"probability of any {outcome.text}", "probability", True)
    if outcome.unit == "day":
        return Measured(name, f"probability that it happens: {outcome.text}", "probability", True)
    return Measured(name, f"mean {outcome.text}", outcome.unit, False)


@dataclass(frozen=True)
class Game:
    """Which mechanisms play, on which scenario, at which draws of its parameters, with which luck.

    `design` maps parameters to columns (draws,); empty means one draw, the scenario's own numbers. Mechanisms that do
    not play stay as the scenario has them. Every draw has runs of its own, so that luck evens out over the draws;
    all coalitions meet the same ones.
    """

    scenario: Scenario
    players: tuple[str, ...]
    measured: Measured
    design: Mapping[str, Column]
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

    def values(self, threads: int = 0, progress: Callable[[int], None] | None = None) -> Array:
        """The quantity in every coalition, draw and run (2**n, draws, runs)."""
        found = np.empty((2 ** len(self.players), self.draws, self.runs))
        for some in self._batches():
            found[some] = self._lived(some, threads, progress)
        return found

    def _batches(self) -> Iterator[Array]:
        width = max(1, TABLE_ROWS // self.draws)
        every = np.arange(2 ** len(self.players))
        return (every[start : start + width] for start in range(0, len(every), width))

    def _lived(self, coalitions: Array, threads: int, progress: Callable[[int], None] | None) -> Array:
        shape = (len(coalitions), self.draws, self.runs)
        table = stacked([self.table(int(one)) for one in coalitions])
        points = np.repeat(np.arange(table.points), self.runs)
        runs = np.tile(np.arange(self.draws * self.runs), len(coalitions))
        output = run_batch(table, self.seed, runs, points=points, threads=threads, progress=progress)
        values = outcome_values(self.scenario, output, theatre_counts(self.scenario, output))
        return self.measured.of(values[self.measured.name]).reshape(shape)

    def table(self, coalition: int) -> Table:
        """What the engines read of one coalition, a point for each draw."""
        at_work = {name: bool(coalition >> place & 1) for place, name in enumerate(self.players)}
        scenario = replace(self.scenario, mechanisms=replace(self.scenario.mechanisms, **at_work))
        return at_points(self._days, scenario, self.design)

    @cached_property
    def _days(self) -> Table:
        """A table with the days that all coalitions share: no mechanism changes the timeline."""
        return tabulate(self.scenario)


def stacked(tables: Sequence[Table]) -> Table:
    """Tables of one calendar and one cast as one, their points in a row."""
    joined: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in tables]) for name in POINTWISE}
    return tables[0]._replace(**joined)


def players_of(scenario: Scenario, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The mechanisms that play: those asked for, else all that the scenario has at work.

    Raises:
        UserError: there is no such mechanism, it is named twice, or it is switched off.
    """
    working = tuple(name for name in MECHANISM_NAMES if getattr(scenario.mechanisms, name))
    if asked is None:
        return working
    asked = tuple(map(current_mechanism, asked))
    for name in asked:
        if name not in MECHANISM_NAMES:
            raise UserError("mechanisms", name, one_of(MECHANISM_NAMES, name))
        if name not in working:
            raise UserError("mechanisms", name, f"mechanisms that {scenario.name} has at work")
        if list(asked).count(name) > 1:
            raise UserError("mechanisms", name, "each mechanism once")
    return asked


def freed_after_deaths(scenario: Scenario) -> Scenario:
    """The scenario with its history pinned up to the last documented deaths and free after them.

    What the mechanisms did after that day is the question, so nothing documented may force it, the major response
    least of all. A scenario that is freed already stays as it is.
    """
    deaths = [event.last for event in scenario.pins if event.kind == "deaths"]
    if not deaths or scenario.free_from is not None:
        return scenario
    return replace(scenario, free_from=max(deaths) + 1)
