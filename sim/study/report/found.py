"""Everything that a report says, found: lived and counted."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from sim.study.attribution.attributed import Attribution
from sim.study.attribution.explaining import dataset_of
from sim.study.balance import Balance, prior_balance
from sim.study.calibration.shipped import shipped_posterior
from sim.study.declared import Row, parameter_rows
from sim.study.drawn import DEFAULTS as DECLARED
from sim.study.drawn import Drawn
from sim.study.patterns import Verdict, described, judge
from sim.study.prior import free_declarations, quantile
from sim.study.report.levers import Hanging, Lever, hanging, levers
from sim.study.report.prepared import Asked
from sim.study.simulation import simulate_config
from sim.world.scenario import POSTERIOR

HISTORIES = 2000
"""Histories that show the baseline against its source, or as many as an arm of the comparison has, if fewer."""


@dataclass(frozen=True)
class Number:
    """A declared number: where it comes from, and either its value or, where it is drawn, an interval and no value.

    `low` and `high` hold nine in ten of the prior of what varies; `how` says what the report does with it.
    """

    row: Row
    value: float | None
    low: float | None
    high: float | None
    how: str


@dataclass(frozen=True)
class Found:
    """What a report is written from. `baseline` are histories of the baseline, `verdicts` its patterns."""

    asked: Asked
    comparison: xr.Dataset
    attribution: Attribution
    shares: xr.Dataset
    levers: tuple[Lever, ...]
    hanging: tuple[Hanging, ...]
    balance: tuple[Balance, ...]
    numbers: tuple[Number, ...]
    baseline: xr.Dataset
    verdicts: tuple[Verdict, ...]


def live(asked: Asked, progress: Callable[[int], None] | None = None) -> Found:
    """Live all that is asked and count it up.

    Raises:
        UserError: it would not fit into the free memory.
    """
    comparison = asked.comparison.live(progress)
    attribution = asked.explaining.live(progress)
    plan = asked.comparison.plan
    config = replace(asked.config, runs=min(HISTORIES, plan.draws * plan.runs))
    drawn = Drawn(shipped_posterior(config.scenario.cast).columns) if asked.comparison.source == POSTERIOR else DECLARED
    baseline = simulate_config(config, drawn=drawn)
    return Found(
        asked=asked,
        comparison=comparison,
        attribution=attribution,
        shares=dataset_of(asked.explaining, attribution),
        levers=levers(asked.comparison.plan.arms),
        hanging=hanging(comparison, asked.settings.outcome),
        balance=prior_balance(config) if described(config) else (),
        numbers=numbers(asked),
        baseline=baseline,
        verdicts=judge(config, baseline, drawn) if config.patterns else (),
    )


def numbers(asked: Asked) -> tuple[Number, ...]:
    """Every declared number; what has a prior gets an interval, whatever value the configuration happens to hold."""
    arm, source = asked.comparison.plan.arms[0], asked.comparison.source
    free = free_declarations()
    found = []
    for row in parameter_rows(arm.scenario):
        if row.key not in free:
            found.append(Number(row, row.value, None, None, "held at this value"))
            continue
        low, high = (float(one) for one in quantile(free[row.key], np.array([0.05, 0.95])))
        if row.key in arm.kept:
            how = "set by the baseline, not estimated"
        elif row.key in asked.comparison.plan.points:
            how = f"drawn from the {source}"
        else:
            how = "held at its declared default, not estimated"
        found.append(Number(row, None, low, high, how))
    return tuple(found)
