"""Parameters that differ from history to history: the declared defaults for all, or a draw of a posterior for each.

History number r has draw r modulo the number of draws, whatever the scenario, so pairs of scenarios differ in what the
scenario changes and in nothing else. What a scenario or the command line has moved away from its declared default
stays there in every history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.table import Table, tabulate
from sim.world.parameters import shared_declarations
from sim.world.scenario import POSTERIOR, Config, Scenario

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Drawn:
    """Columns of parameters by key, each (draws,); none: every history has the scenario's own numbers."""

    columns: Mapping[str, Array] = field(default_factory=dict)

    def design(self, scenario: Scenario) -> dict[str, Array]:
        """The columns that hold in a scenario: those that it has not moved itself."""
        declared = shared_declarations()
        return {key: one for key, one in self.columns.items() if number(scenario, key) == declared[key].default}

    def table(self, scenario: Scenario) -> Table:
        """The table of a scenario with a point for each draw."""
        return tabulate(scenario, self.design(scenario))

    def scenario(self, scenario: Scenario, run: int) -> Scenario:
        """The scenario with the numbers that one of its histories has."""
        design = self.design(scenario)
        if not design:
            return scenario
        groups = {one.name: getattr(scenario.parameters, one.name) for one in fields(scenario.parameters)}
        for key, column in design.items():
            group, name = key.split(".")
            groups[group] = replace(groups[group], **{name: float(column[run % len(column)])})
        return replace(scenario, parameters=replace(scenario.parameters, **groups))


DEFAULTS = Drawn()


def drawn_of(config: Config) -> Drawn:
    """The draws that a configuration asks for.

    Raises:
        UserError: it asks for the posterior, and none that fits comes with this installation.
    """
    if config.parameters_from != POSTERIOR:
        return DEFAULTS
    from sim.study.calibration.shipped import shipped_posterior

    return Drawn(shipped_posterior(config.scenario.cast).columns)


def points_of(table: Table, runs: Sequence[int] | Array) -> Array:
    """The point of a table that each run (runs,) is lived at."""
    return np.asarray(runs, dtype=np.int64) % table.points


def number(scenario: Scenario, key: str) -> float:
    """The value that a scenario gives a shared parameter.

    >>> from sim.world.scenario import load
    >>> number(load(["patron.control=0.5"]).scenario, "patron.control")
    0.5
    """
    group, name = key.split(".")
    return float(getattr(getattr(scenario.parameters, group), name))
