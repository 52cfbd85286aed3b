"""What assumptions decide, beside its prior: the same pairs lived at draws of the declared priors.

No figure tells how long a lull lasts or whether war comes. So wherever the parameters of a comparison come from, these
outcomes are shown together with what the priors alone make of them.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from sim.study.comparison.lived import Plan, live
from sim.study.comparison.paired import Draws
from sim.study.comparison.points import PRIOR, points_of
from sim.study.summary import PRIOR_DRIVEN

DRAWS: Final = 1000
RUNS: Final = 20
"""Draws of the priors, and histories of each in every arm."""
TEXTS: Final = {
    "prior_value_a": "value under the baseline at draws of the priors, of what assumptions alone decide",
    "prior_value_b": "value under the scenario, likewise",
    "prior_difference": "scenario minus baseline, likewise",
    "prior_low_a": "5% quantile of the value under the baseline over these draws",
    "prior_high_a": "95% quantile, likewise",
    "prior_low_b": "5% quantile of the value under the scenario over these draws",
    "prior_high_b": "95% quantile, likewise",
}
TOLD: Final = ("lull_days", "quiet_days", "war")
"""What tables show beside its prior; all else that assumptions decide follows from these."""


def add_prior(data: xr.Dataset, plan: Plan) -> None:
    """Add to a comparison what the priors alone make of its prior-driven measures; NaN for all others.

    Raises:
        UserError: it would not fit into the free memory.
    """
    found = live(prior_plan(plan))
    values = np.full((len(TEXTS), len(plan.pairs), len(plan.measures)), np.nan)
    for at, one in enumerate(plan.measures):
        if one.name in PRIOR_DRIVEN:
            for place in range(len(plan.pairs)):
                drawn = Draws.joined(found.draws[place, one.name])
                means = [each.mean() for each in (drawn.value_a, drawn.value_b, drawn.difference)]
                values[:, place, at] = [*means, *over_draws(drawn.value_a), *over_draws(drawn.value_b)]
    for name, found_of in zip(TEXTS, values, strict=True):
        described = {"long_name": TEXTS[name], "units": "as the coordinate unit says"}
        data[name] = (("comparison", "measure"), found_of, described)


def over_draws(values: npt.NDArray[Any]) -> tuple[float, float]:
    """Where the middle 90% of values of draws (draws,) lie.

    >>> over_draws(np.arange(101.0))
    (5.0, 95.0)
    """
    low, high = np.quantile(values, (0.05, 0.95))
    return float(low), float(high)


def prior_plan(plan: Plan) -> Plan:
    """The same pairs at draws of the priors."""
    points = points_of(PRIOR, DRAWS, plan.seed, plan.arms[0].scenario.cast)
    return replace(plan, points=points, draws=DRAWS, runs=RUNS)
