"""How good a predictive distribution was, once the counts are known: coverage, CRPS, log score and interval scores."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.scores.predictive import Predictive

Array = npt.NDArray[Any]

BANDS: Final = (0.5, 0.9)
SCORES: Final = ("crps", "log", "interval50", "interval90")
"""Scores, in the order of tables: the lower the better."""


@dataclass(frozen=True)
class Scored:
    """Scores (P,) of a forecast over periods: `values` by name of the score, lower is better.

    `covered` and `held` by band: whether the band held the count, and the probability that the forecast itself gave it,
    which is more than its level because counts are whole.
    """

    values: dict[str, Array]
    covered: dict[float, Array]
    held: dict[float, Array]


def score(forecast: Predictive, counts: Array) -> Scored:
    """Scores of a forecast of P periods against their counts (P,).

    The CRPS is the sum of (F(k) - [count <= k])^2 over k, the log score -log p(count), the interval score of a central
    band its width plus 2 / (1 - level) for each attack by which the count lies outside.
    """
    from scoringrules import crps_ensemble, interval_score

    chance = forecast.chance
    seen = np.minimum(np.asarray(counts, dtype=np.int64), chance.shape[1] - 1)
    support = np.broadcast_to(np.arange(chance.shape[1], dtype=float), chance.shape)
    values = {
        "crps": crps_ensemble(seen.astype(float), support, ens_w=chance, sorted_ensemble=True, backend="numpy"),
        "log": -np.log(np.maximum(chance[np.arange(len(seen)), seen], 1e-300)),
    }
    covered, held = {}, {}
    for level in BANDS:
        low, high, mass = forecast.band(level)
        name = f"interval{round(100 * level)}"
        values[name] = interval_score(seen.astype(float), low, high, 1.0 - level, backend="numpy")
        covered[level], held[level] = (seen >= low) & (seen <= high), mass
    return Scored({name: np.asarray(values[name], dtype=float).reshape(seen.shape) for name in SCORES}, covered, held)
