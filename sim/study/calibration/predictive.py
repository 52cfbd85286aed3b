"""What the posterior predicts: every pattern with its predictive probability, before and after, and how the lull ends.

Before and after are histories at draws of the prior and of the posterior, with fresh luck. How long the lull lasts and
whether war comes, no figure tells: these stand beside their prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.beside import over_sets
from sim.study.calibration.bank import Bank
from sim.study.calibration.figures import Figure
from sim.study.drawn import Drawn
from sim.study.outcomes import OUTCOMES_BY_NAME
from sim.study.patterns import Verdict, judge
from sim.study.simulation import simulate_config
from sim.study.summary import PRIOR_DRIVEN
from sim.world.scenario import Config

Array = npt.NDArray[Any]

BEFORE_DRAWS: Final = 2000
FITTED: Final = "fitted here"
"""The kind of a pattern in a calibration that fits to the figure behind it."""
TOLD: Final = (
    "acknowledged_campaign", "acknowledged_lull", "attacks_per_response", "lull_days", "quiet_days", "release_day",
    "war",
)  # fmt: skip
"""Outcomes that are told before and after."""


@dataclass(frozen=True)
class Predicted:
    """One pattern before and after: shares of histories, or of pairs, that show it, and the verdict after."""

    id: str
    text: str
    kind: str
    article: str
    model: str
    before: float | None
    after: float | None
    holds: bool | None


@dataclass(frozen=True)
class Ahead:
    """One outcome before and after: 5% quantile, median and 95% quantile over histories; None for never.

    Of a probability the same places hold its mean, and its quantiles over parameter sets; None where there are too few
    histories of each.
    """

    name: str
    text: str
    unit: str
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]
    prior_driven: bool


def prior_draws(bank: Bank, count: int = BEFORE_DRAWS) -> Drawn:
    """Draws of the prior, as a posterior's would be."""
    return Drawn(bank.prior.values(np.arange(count)))


def predicted(
    config: Config, figures: Sequence[Figure], before: Drawn, after: Drawn, runs: int
) -> tuple[tuple[Predicted, ...], tuple[Ahead, ...]]:
    """Every pattern, and the outcomes worth telling, before and after."""
    told, data = [], []
    for drawn in (before, after):
        main = simulate_config(config, runs=runs, drawn=drawn)
        told.append(judge(config, main, drawn))
        data.append(main)
    fitted = {one.pattern for one in figures}
    patterns = tuple(_predicted(one, other, fitted) for one, other in zip(*told, strict=True))
    sets = [len(next(iter(drawn.columns.values()))) for drawn in (before, after)]
    pairs = ([(one[name].values, size) for one, size in zip(data, sets, strict=True)] for name in TOLD)
    return patterns, tuple(_ahead(name, *pair) for name, pair in zip(TOLD, pairs, strict=True))


def _predicted(before: Verdict, after: Verdict, fitted: set[str]) -> Predicted:
    kind = FITTED if after.id in fitted else after.kind
    return Predicted(after.id, after.text, kind, after.article, after.model, before.share, after.share, after.holds)


def _ahead(name: str, before: tuple[Array, int], after: tuple[Array, int]) -> Ahead:
    outcome = OUTCOMES_BY_NAME[name]
    told = [_told(name, *one) for one in (before, after)]
    return Ahead(name, outcome.text, outcome.unit, told[0], told[1], name in PRIOR_DRIVEN)


def _told(name: str, values: Array, sets: int) -> tuple[float | None, ...]:
    """Quantiles 5%, 50% and 95%; of a probability its mean between quantiles over the parameter sets."""
    if OUTCOMES_BY_NAME[name].unit == "probability":
        spread = over_sets(values, sets)
        return (spread.low if spread else None, float(values.mean()), spread.high if spread else None)
    known = np.where(values < 0, np.inf, values.astype(np.float64)) if name.endswith("_day") else values
    found = np.quantile(known, (0.05, 0.5, 0.95), method="inverted_cdf")
    return tuple(float(one) if np.isfinite(one) else None for one in found)
