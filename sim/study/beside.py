"""What assumptions decide, beside its prior: the same scenario lived at draws of the declared priors.

How long the lull lasts and whether war comes, no figure tells. So whatever the parameters of an ensemble are, these
outcomes are shown together with what the priors alone make of them. A probability differs from one parameter set to
another, of which its Monte Carlo error says nothing, so its interval over parameter sets goes with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.drawn import Drawn, drawn_of
from sim.study.outcomes import outcomes_of
from sim.study.prior import prior_design
from sim.study.simulation import simulate_config
from sim.study.summary import CUT_BY, Statistic, statistic
from sim.study.tally import Tally
from sim.world.scenario import Config

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[Any]

SETS: Final = 500
"""Parameter sets that are drawn."""
RUNS: Final = 16
"""Histories of each: enough to tell a probability of a third from none."""
TOLD: Final = ("lull_days", "quiet_days", "release_day", "war")
"""The outcomes that are told so; all others that assumptions decide follow from these."""


@dataclass(frozen=True)
class OverSets:
    """A probability over parameter sets: the mean with its Monte Carlo error, and the interval of 90% over the sets."""

    mean: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class Beside:
    """One outcome under the priors alone and in the ensemble at hand.

    A probability also over parameter sets: those of the priors, and those of the ensemble where it has several.
    """

    prior: Statistic
    here: Statistic
    prior_sets: OverSets | None = None
    here_sets: OverSets | None = None


def over_sets(values: Array, sets: int) -> OverSets | None:
    """A probability over parameter sets; `values` (runs,) are 1 or 0, and run r has set r modulo `sets`.

    None where hardly any history comes on each set: shares of so few would be spread by chance.
    """
    runs = len(values) // sets
    if runs < RUNS // 2 or sets < 2:
        return None
    shares = values[: runs * sets].reshape(runs, sets).mean(axis=0)
    low, high = np.quantile(shares, (0.05, 0.95), method="inverted_cdf")
    error = shares.std(ddof=1) / np.sqrt(sets)
    return OverSets(float(shares.mean()), float(error), float(low), float(high))


def beside_prior(config: Config, stats: Sequence[Statistic], sets: int = SETS) -> tuple[Beside, ...]:
    """What assumptions decide of an ensemble's statistics, each beside the same outcome at draws of the priors.

    Probabilities of other kinds go with them. Parameters that the scenario or the command line has set stay set.
    """
    data = _lived(config, Drawn(prior_design(sets, config.seed)))
    mine = {key: column[:sets] for key, column in drawn_of(config).columns.items()}
    own = _lived(config, Drawn(mine)) if mine else None
    here, outcomes = {one.name: one for one in stats}, outcomes_of(config.scenario.extended)
    names = dict.fromkeys((*TOLD, *(one.name for one in stats if one.unit == "probability")))
    tallies = {name: Tally.of(data[name].values) for name in (*names, *CUT_BY.values())}
    return tuple(
        Beside(
            statistic(tallies, outcomes[name]), here[name],
            *(_over_sets(here[name], one, sets) for one in (data, own)),
        )
        for name in names
    )  # fmt: skip


def _lived(config: Config, drawn: Drawn) -> "xr.Dataset":
    return simulate_config(config, runs=RUNS * len(next(iter(drawn.columns.values()))), drawn=drawn)


def _over_sets(one: Statistic, data: "xr.Dataset | None", sets: int) -> OverSets | None:
    return over_sets(data[one.name].values, sets) if data is not None and one.unit == "probability" else None


def beside_rows(found: Sequence[Beside]) -> list[dict[str, Any]]:
    """One row per outcome: quantiles before and here; of a probability its mean, and its interval over sets."""
    return [
        {"outcome": one.here.name, "text": one.here.text, "unit": one.here.unit}
        | {f"prior_{key}": value for key, value in _numbers(one.prior, one.prior_sets).items()}
        | _numbers(one.here, one.here_sets)
        for one in found
    ]


def _numbers(one: Statistic, sets: OverSets | None) -> dict[str, float | None]:
    if one.unit == "probability":
        low, high = (sets.low, sets.high) if sets else (None, None)
        return {"q05": low, "median": None, "q95": high, "share": one.mean, "error": sets.error if sets else one.mcse}
    return {"q05": one.q05, "median": one.median, "q95": one.q95, "share": None, "error": None}
