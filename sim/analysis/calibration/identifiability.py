"""Identifiability of every parameter: what the figures say about it, and whether they identify it.

All is measured on the scale of prior probability: the level of a value is the share of the prior below it, uniform
before any data. So a verdict does not depend on units, nor on whether a prior is spread evenly over values or ratios.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from sim.analysis.calibration.posterior import CHUNK, COMBINED, Posterior, with_products
from sim.analysis.calibration.sbc import SbcCheck
from sim.experiment.statistics import LEVELS, Array, interval_90, midpoint_quantile
from sim.model.parameters import shared_declarations

IDENTIFIED: Final = "identified"
WEAKLY: Final = "weakly"
NOT: Final = "not identified"
VERDICTS: Final = (IDENTIFIED, WEAKLY, NOT)

CONTRACTED: Final = 0.5
"""Contraction, 1 - variance after / variance before, from which a parameter may be called identified."""
RECOVERED: Final = 0.5
"""Rank correlation of truths and posterior means, over simulated data sets anywhere, that this also takes."""
ENTANGLED: Final = 0.9
"""Correlation with another parameter above which only the two together are identified."""
MOVED: Final = 0.1
"""Contraction, or greatest distance between the distributions before and after, that is more than nothing."""
_NOISE: Final = 1.95
"""Times 1 / sqrt(effective draws): distance that chance alone exceeds once in a thousand times."""
_SPREAD_NOISE: Final = 2.95
"""Times the same: contraction that does, for the variance of n uniform values has the relative error sqrt(0.8 / n)."""
_PRIOR_ROWS: Final = 2 * CHUNK


@dataclass(frozen=True)
class Quantity:
    """A parameter, or a product of parameters, before and after: quantiles and what they rest on.

    The median is there only where the figures say something. `closest` is the parameter with the strongest
    correlation, which is `correlation`; `calibrated` says that simulation-based calibration found nothing wrong.
    """

    quantity: str
    symbol: str
    unit: str
    verdict: str
    prior_q05: float
    prior_q95: float
    posterior_q05: float
    posterior_q25: float
    posterior_median: float | None
    posterior_q75: float
    posterior_q95: float
    contraction: float
    distance: float
    recovery_rank_corr: float
    closest: str
    correlation: float
    calibrated: bool
    text: str


def quantities_of(posterior: Posterior, checked: Mapping[str, Sequence[SbcCheck]]) -> tuple[Quantity, ...]:
    """Every fitted parameter and product with its verdict, the most contracted first.

    Args:
        posterior: what the figures leave.
        checked: what simulation-based calibration gave, by region; the first region is the one that recovery is judged
            on.
    """
    before = with_products(posterior.bank.prior.values(np.arange(_PRIOR_ROWS)))
    values = with_products(posterior.values())
    levels = dict(zip(posterior.keys, posterior.levels.T, strict=True))
    for name in values.keys() - levels.keys():
        levels[name] = np.searchsorted(np.sort(before[name]), values[name]) / _PRIOR_ROWS
    levels = {name: levels[name] for name in values}
    together = correlations(np.stack(list(levels.values()), axis=1), posterior.weights)
    made = []
    for place, name in enumerate(values):
        checks = [one for region in checked.values() for one in region if one.name == name]
        closest = _closest(tuple(values), place, together)
        made.append(_quantity(name, posterior, values[name], before[name], levels[name], closest, checks))
    return tuple(sorted(made, key=lambda one: (VERDICTS.index(one.verdict), -one.contraction)))


def _quantity(
    name: str, posterior: Posterior, values: Array, before: Array, levels: Array, closest: tuple[str, float],
    checks: Sequence[SbcCheck],
) -> Quantity:  # fmt: skip
    weights = posterior.weights
    low, first, middle, third, high = (float(one) for one in midpoint_quantile(values, weights, tuple(LEVELS.values())))
    symbol, unit, text = about(name)
    contraction, distance = contracted(levels, weights), distance_from_uniform(levels, weights)
    recovery = checks[0].recovery_rank_corr if checks else float("nan")
    sound = bool(checks) and all(one.calibrated for one in checks)
    verdict = judged(contraction, distance, posterior.effective, closest[1], recovery, sound)
    median = None if verdict == NOT else middle
    return Quantity(
        name, symbol, unit, verdict, *interval_90(before), low, first, median, third, high, contraction, distance,
        recovery, *closest, sound, text,
    )  # fmt: skip


def judged(
    contraction: float, distance: float, effective: float, correlation: float, recovery: float, sound: bool
) -> str:
    """The verdict that follows from the measures.

    >>> judged(0.7, 0.3, 2000.0, 0.2, 0.8, True), judged(0.7, 0.3, 2000.0, 0.95, 0.8, True)
    ('identified', 'weakly')
    >>> judged(0.7, 0.3, 2000.0, 0.2, 0.8, False), judged(0.04, 0.05, 2000.0, 0.0, 0.1, True)
    ('weakly', 'not identified')
    """
    far = distance >= max(MOVED, _NOISE / np.sqrt(effective))
    moved = far or contraction >= max(MOVED, _SPREAD_NOISE / np.sqrt(effective))
    if contraction >= CONTRACTED and recovery >= RECOVERED and abs(correlation) < ENTANGLED and sound:
        return IDENTIFIED
    return WEAKLY if moved else NOT


def contracted(levels: Array, weights: Array) -> float:
    """Contraction: 1 - variance of the levels / variance of a uniform variable; below zero where it spread.

    >>> round(contracted(np.linspace(0.25, 0.75, 1001), np.full(1001, 1 / 1001)), 2)
    0.75
    """
    mean = np.average(levels, weights=weights)
    return float(1.0 - np.average((levels - mean) ** 2, weights=weights) / (1.0 / 12.0))


def distance_from_uniform(levels: Array, weights: Array) -> float:
    """Greatest distance between the distribution of the levels and a uniform one.

    >>> round(distance_from_uniform(np.linspace(0.0, 0.5, 1001), np.full(1001, 1 / 1001)), 2)
    0.5
    """
    order = np.argsort(levels, kind="stable")
    after = np.cumsum(weights[order]) / weights.sum()
    return float(np.abs(after - weights[order] / 2.0 - levels[order]).max())


def correlations(levels: Array, weights: Array) -> Array:
    """Correlations (quantities, quantities) of weighted levels (rows, quantities)."""
    centred = levels - np.average(levels, weights=weights, axis=0)
    products = (centred * weights[:, None]).T @ centred
    scale = np.sqrt(np.diag(products))
    return np.asarray(products / np.outer(scale, scale))


def _closest(names: Sequence[str], place: int, together: Array) -> tuple[str, float]:
    """The parameter most correlated with a quantity; a product and its own factors do not count."""
    row = np.abs(together[place])
    for other, name in enumerate(names):
        related = name in COMBINED or name in COMBINED.get(names[place], ((), "", ""))[0]
        if other == place or related:
            row[other] = -1.0
    best = int(row.argmax())
    return names[best], float(together[place, best])


def about(name: str) -> tuple[str, str, str]:
    """Symbol, unit and meaning of a quantity."""
    if name in COMBINED:
        factors, unit, symbol = COMBINED[name]
        return symbol, unit, " times ".join(factors)
    declared = shared_declarations()[name]
    return declared.symbol, declared.unit, declared.text


def pairs(posterior: Posterior, least: float = 0.3) -> list[tuple[str, str, float]]:
    """Pairs of parameters whose correlation is at least so strong, the strongest first."""
    together = correlations(posterior.levels, posterior.weights)
    every = (
        (posterior.keys[i], posterior.keys[j], float(together[i, j])) for i, j in combinations(range(len(together)), 2)
    )
    return sorted((one for one in every if abs(one[2]) >= least), key=lambda one: -abs(one[2]))
