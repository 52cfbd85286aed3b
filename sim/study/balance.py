"""Rival readings before any data: how likely the calm is under orders alone and under strikes alone.

The patron's order and the target's strikes fell in the same days, so the calm cannot tell them apart. A model could
still decide for one by its priors; this says how far they lean. Each draw is one history at parameters drawn from the
priors: under `orders only` the target never strikes, under `strikes only` the patron never reins in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sim.engine.ensemble import run_batch
from sim.engine.table import Column, Table, at_points, tabulate
from sim.study.dataset import dataset_of
from sim.study.evidence import first_days
from sim.study.measures import in_lull
from sim.study.prior import prior_design
from sim.world.mechanisms import Mechanisms
from sim.world.patterns import Pattern
from sim.world.scenario import Config

DRAWS = 4000
READINGS: Final = {
    "orders only": {"limited_response": False, "major_response": False},
    "strikes only": {"patron_restraint": False},
    "both": {},
}
"""Rival readings as mechanisms switched off."""


@dataclass(frozen=True)
class Balance:
    """Prior-predictive probabilities of the calm under one reading; errors are standard errors of the share."""

    reading: str
    none: float
    few: float
    both: float
    draws: int

    def error(self, share: float) -> float:
        """Standard error of a share."""
        return float(np.sqrt(share * (1.0 - share) / self.draws))


def prior_balance(config: Config, draws: int = DRAWS) -> tuple[Balance, ...]:
    """Probabilities of P2's and P3's events under each reading, the same draws and the same luck for all.

    Empty where the configuration has no patterns of the calm.
    """
    by_measure = {pattern.measure: pattern for pattern in config.patterns}
    if not {"lull_none", "lull_few"} <= by_measure.keys():
        return ()
    none, few = by_measure["lull_none"], by_measure["lull_few"]
    table, design = tabulate(config.scenario), prior_design(draws, config.seed)
    return tuple(
        _balance(config, reading, replace(config.scenario.mechanisms, **off), none, few, table, design)
        for reading, off in READINGS.items()
    )


def _balance(
    config: Config, reading: str, mechanisms: Mechanisms, none: Pattern, few: Pattern, table: Table,
    design: Mapping[str, Column],
) -> Balance:  # fmt: skip
    scenario = replace(config.scenario, mechanisms=mechanisms)
    days = scenario.calendar.report + 1
    points = first_days(at_points(table, scenario, design), days)
    draws = points.points
    runs = np.arange(draws)
    output = run_batch(points, config.seed, runs, points=runs, threads=config.threads)
    data = dataset_of(replace(scenario, calendar=replace(scenario.calendar, days=days)), runs, output)
    quiet = in_lull(data, none) == 0
    counts = in_lull(data, few)
    small = (counts >= few.limits["low"]) & (counts <= few.limits["high"])
    return Balance(reading, float(quiet.mean()), float(small.mean()), float((quiet & small).mean()), draws)
