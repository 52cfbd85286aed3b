"""The ensembles that patterns are judged on: the main one, the free history, and pairs that differ in one thing.

Pairs meet the same luck run by run. Both arms are pinned up to the day on which the departing one departs and free
from then on; to compare with the fully pinned baseline would mix the departure with the pins that fall away.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import Wanted, run_batch
from sim.engine.record import Output
from sim.engine.table import Table
from sim.study.dataset import dataset_of
from sim.study.drawn import DEFAULTS, Drawn, points_of
from sim.world.errors import UserError
from sim.world.scenario import Config, Scenario, overlay
from sim.world.timeline import Event

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[Any]

PAIRED_RUNS = 2000
"""Histories in each arm of a pair and in the free ensemble: enough for a probability within 0.04 at four errors."""
TRACED_RUNS = 500
"""Histories whose every day is looked at for the naive ratio."""


class UnmeasurableError(ValueError):
    """The configuration leaves nothing to measure a pattern on; says why, fit to be shown."""


@dataclass(frozen=True)
class Evidence:
    """A configuration with its main ensemble; everything else is simulated when first asked for.

    `drawn` are the parameters that its histories have; `progress` is called with numbers of finished histories.
    """

    config: Config
    main: "xr.Dataset"
    drawn: Drawn = DEFAULTS
    progress: Callable[[int], None] | None = field(default=None, repr=False)
    _baselines: "dict[tuple[int | None, int], xr.Dataset]" = field(default_factory=dict, repr=False)

    @property
    def scenario(self) -> Scenario:
        """The scenario that is judged."""
        return self.config.scenario

    @property
    def lull_end(self) -> int:
        """Number of days up to and with the report."""
        return self.scenario.calendar.report + 1

    @cached_property
    def free(self) -> "xr.Dataset":
        """Histories with nothing pinned, up to the report."""
        return self.ensemble(replace(self.scenario, free_from=0), self.lull_end)

    def departed(self, name: str) -> Scenario:
        """The judged scenario with what another scenario file changes put on top.

        Raises:
            UserError: there is no such scenario.
            UnmeasurableError: it does not fit this configuration, for example because the calendar ends too early.
        """
        try:
            return overlay(self.config, name).scenario
        except UserError as mistake:
            if mistake.key == "scenario":
                raise
            raise UnmeasurableError(f"{name} does not fit: {mistake}") from None

    def departing_events(self, departed: Scenario, kind: str) -> list[Event]:
        """Events of one kind that the departure brings.

        Raises:
            UnmeasurableError: there are none, as when the judged scenario is that departure itself.
        """
        events = [event for event in departed.events if event.kind == kind and event not in self.scenario.events]
        if not events:
            raise UnmeasurableError(f"{departed.name} changes nothing here")
        return events

    def freed(self, day: int | None) -> Scenario:
        """The judged scenario, free from the day on which its rival in a pair departs."""
        days = [one for one in (day, self.scenario.free_from) if one is not None]
        return replace(self.scenario, free_from=min(days) if days else None)

    def baseline(self, day: int | None, days: int) -> "xr.Dataset":
        """The judged scenario, freed on the day on which its rival departs, over the first `days`."""
        scenario = self.freed(day)
        key = (scenario.free_from, days)
        if key not in self._baselines:
            self._baselines[key] = self.ensemble(scenario, days)
        return self._baselines[key]

    def ensemble(self, scenario: Scenario, days: int, daily: bool = False) -> "xr.Dataset":
        """Histories of a scenario over the first `days` of its calendar."""
        runs = np.arange(PAIRED_RUNS)
        short = replace(scenario, calendar=replace(scenario.calendar, days=days))
        output = self._live(first_days(self.drawn.table(scenario), days), runs, Wanted(daily=daily))
        return dataset_of(short, runs, output)

    def forced_strike(self, day: int, kind: Literal["limited", "limited_held"], days: int) -> Array:
        """Attacks on the target by run and day (run, day), with a limited response forced or held back on one day."""
        event = Event(id="paired_strike", kind=kind, first=day, last=day, source="pattern")
        scenario = replace(self.scenario, events=(*self.scenario.events, event))
        return attacks_on_target(self.ensemble(scenario, days, daily=True))

    def traced(self, days: int) -> tuple[Array, Array]:
        """Attacks on the target and limited responses by run and day (run, day), as they came."""
        table = first_days(self.drawn.table(self.scenario), days)
        output = self._live(table, np.arange(TRACED_RUNS), Wanted(states=True))
        return output.run_states["attacks"], output.run_states["limited"]

    def _live(self, table: Table, runs: Array, wanted: Wanted) -> Output:
        points = points_of(table, runs)
        return run_batch(table, self.config.seed, runs, points, wanted, self.config.threads, self.progress)


def first_days(table: Table, days: int) -> Table:
    """The table of the first days of a calendar; histories are the same up to there."""
    return table._replace(days=table.days[:days], fronts=table.fronts[:days], raids=table.raids[:days])


def attacks_on_target(data: "xr.Dataset") -> Array:
    """Attacks on the target by run and day (run, day)."""
    on_target = data["theatre_kind"].values == "target"
    return np.asarray(data["attacks_by_day"].values[:, :, on_target].sum(axis=2, dtype=np.int64))
