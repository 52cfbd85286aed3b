"""What assumptions decide, beside its prior: the same scenario lived at draws of the declared priors.

How long the lull lasts and whether war comes, no figure tells. So whatever the parameters of an ensemble are, these
outcomes are shown together with what the priors alone make of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sim.study.drawn import Drawn
from sim.study.outcomes import OUTCOMES_BY_NAME
from sim.study.prior import prior_design
from sim.study.simulation import simulate_config
from sim.study.summary import CUT_BY, Statistic, statistic
from sim.study.tally import Tally
from sim.world.scenario import Config

DRAWS: Final = 4000
TOLD: Final = ("lull_days", "quiet_days", "release_day", "war")
"""The outcomes that are told so; all others that assumptions decide follow from these."""


@dataclass(frozen=True)
class Beside:
    """One outcome under the priors alone and in the ensemble at hand."""

    prior: Statistic
    here: Statistic


def beside_prior(config: Config, stats: Sequence[Statistic], draws: int = DRAWS) -> tuple[Beside, ...]:
    """What assumptions decide of an ensemble's statistics, each beside the same outcome at draws of the priors.

    Parameters that the scenario or the command line has set stay set.
    """
    data = simulate_config(config, runs=draws, drawn=Drawn(prior_design(draws, config.seed)))
    tallies = {name: Tally.of(data[name].values) for name in (*TOLD, *CUT_BY.values())}
    here = {one.name: one for one in stats}
    return tuple(Beside(statistic(tallies, OUTCOMES_BY_NAME[name]), here[name]) for name in TOLD)


def beside_rows(found: Sequence[Beside]) -> list[dict[str, Any]]:
    """One row per outcome: quantiles before and here; of war its share, which is a mean."""
    return [
        {"outcome": one.here.name, "text": one.here.text, "unit": one.here.unit}
        | {f"prior_{key}": value for key, value in _numbers(one.prior).items()}
        | _numbers(one.here)
        for one in found
    ]


def _numbers(one: Statistic) -> dict[str, float | None]:
    if one.unit == "probability":
        return {"q05": None, "median": None, "q95": None, "share": one.mean}
    return {"q05": one.q05, "median": one.median, "q95": one.q95, "share": None}
