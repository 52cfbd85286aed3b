"""Whether two arms are the same before they depart: what a scenario changes may act earlier than its day says.

A scenario that changes a parameter or a mechanism changes it in the whole history. That is meant to show from its
departure on, because before it documented history is pinned; where drawn parameters have the patron order restraint
earlier than it did, it shows earlier.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import Wanted, run_batch
from sim.engine.table import at_points
from sim.study.comparison.lived import Ensemble, Plan
from sim.study.comparison.points import without
from sim.study.evidence import first_days

Array = npt.NDArray[Any]

LOOKED_AT: Final = 2000
"""Pairs looked at, spread over all draws."""


def same_before(plan: Plan) -> Array:
    """Share of pairs with the same attacks on every day before the departure (comparison,); NaN where none is."""
    return np.array([_same(plan, plan.ensembles[a], plan.ensembles[b]) for a, b in plan.pairs])


def _same(plan: Plan, a: Ensemble, b: Ensemble) -> float:
    days = [day for day in (a.arm.scenario.departs, b.arm.scenario.departs, a.day) if day is not None]
    if not days or min(days) == 0:
        return math.nan
    first, second = (_daily(plan, one, min(days)) for one in (a, b))
    return float((first == second).all(axis=(1, 2, 3)).mean())


def _daily(plan: Plan, one: Ensemble, days: int) -> Array:
    """Attacks and acknowledged attacks (run, day, theatre, 2) of some histories of every draw."""
    each = min(plan.runs, max(1, LOOKED_AT // plan.draws))
    points = without(plan.points, one.arm.kept)
    table = first_days(at_points(one.table, one.scenario, points), days)
    runs = (np.arange(plan.draws)[:, None] * plan.runs + np.arange(each)).ravel()
    place = np.repeat(np.arange(plan.draws), each) if points else np.zeros(len(runs), dtype=np.int64)
    return run_batch(table, plan.seed, runs, place, Wanted(daily=True), plan.threads).daily
