"""An honest word on every parameter: what the figures say about it, and whether they identify it.

All is measured on the scale of prior probability: the level of a value is the share of the prior below it, uniform
before any data. So a verdict does not depend on units, nor on whether a prior is spread evenly over values or ratios.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.calibration.bank import CHUNK
from sim.study.calibration.conscience import Checked
from sim.study.calibration.posterior import COMBINED, Posterior, combined, weighted_quantile
from sim.world.parameters import shared_declarations

Array = npt.NDArray[Any]

IDENTIFIED: Final = "identified"
WEAKLY: Final = "weakly"
NOT: Final = "not identified"

CONTRACTED: Final = 0.5
"""Contraction, 1 - variance after / variance before, from which a parameter may be called identified."""
RECOVERED: Final = 0.5
"""Rank correlation of truths and posterior means, over planted data sets anywhere, that this also takes."""
ENTANGLED: Final = 0.9
"""Correlation with another parameter above which only the two together are identified."""
MOVED: Final = 0.1
"""Contraction, or greatest distance between the distributions before and after, that is more than nothing."""
UNIFORM_VARIANCE: Final = 1.0 / 12.0
_NOISE: Final = 1.95
"""Times 1 / sqrt(effective draws): distance that chance alone exceeds once in a thousand times."""
_SPREAD_NOISE: Final = 2.95
"""Times the same: contraction that does, for the variance of n uniform values has the relative error sqrt(0.8 / n)."""
_PRIOR_ROWS: Final = 2 * CHUNK


@dataclass(frozen=True)
class Quantity:
    """A parameter, or a product of parameters, before and after: intervals and what they rest on.

    `prior` and `posterior` are intervals of nine in ten, `half` the posterior's of five in ten. `median` is there only
    where the figures say something. `closest` is the parameter with the strongest correlation, which is `correlation`.
    """

    name: str
    symbol: str
    unit: str
    text: str
    prior: tuple[float, float]
    posterior: tuple[float, float]
    half: tuple[float, float]
    median: float | None
    contraction: float
    distance: float
    closest: str
    correlation: float
    recovery: float
    sound: bool
    verdict: str


def quantities_of(posterior: Posterior, checked: Mapping[str, Sequence[Checked]]) -> tuple[Quantity, ...]:
    """Every fitted parameter and product with its verdict, the most contracted first.

    Args:
        posterior: what the figures leave.
        checked: what planted truths said, by region; the first region is the one that recovery is judged on.
    """
    levels, values, prior_values = _levels(posterior)
    names = tuple(levels)
    weights = posterior.weights
    together = correlations(np.stack([levels[name] for name in names], axis=1), weights)
    by_region = [{one.name: one for one in region} for region in checked.values()]
    made = [
        _quantity(
            name, posterior.effective, values[name], prior_values[name], levels[name], weights,
            _closest(names, place, together), [region[name] for region in by_region if name in region],
        )
        for place, name in enumerate(names)
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: (RANKED.index(one.verdict), -one.contraction)))


RANKED: Final = (IDENTIFIED, WEAKLY, NOT)


def _levels(posterior: Posterior) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
    """Levels and values of the posterior's rows, and values of the prior, by name of the quantity."""
    values = posterior.values()
    prior = posterior.bank.prior
    before = prior.values(np.arange(_PRIOR_ROWS))
    levels = {key: posterior.levels[:, place] for place, key in enumerate(posterior.keys)}
    for name, product in combined(values).items():
        levels[name] = np.searchsorted(np.sort(combined(before)[name]), product) / _PRIOR_ROWS
    return levels, {**values, **combined(values)}, {**before, **combined(before)}


def _quantity(
    name: str, effective: float, values: Array, before: Array, levels: Array, weights: Array,
    closest: tuple[str, float], checked: Sequence[Checked],
) -> Quantity:  # fmt: skip
    tail = (0.05, 0.25, 0.5, 0.75, 0.95)
    low, first, middle, third, high = (float(one) for one in weighted_quantile(values, weights, tail))
    symbol, unit, text = about(name)
    contraction = contracted(levels, weights)
    distance = distance_from_uniform(levels, weights)
    recovery = checked[0].recovery if checked else float("nan")
    sound = bool(checked) and all(one.sound for one in checked)
    verdict = judged(contraction, distance, effective, closest[1], recovery, sound)
    return Quantity(
        name=name,
        symbol=symbol,
        unit=unit,
        text=text,
        prior=(float(np.quantile(before, 0.05)), float(np.quantile(before, 0.95))),
        posterior=(low, high),
        half=(first, third),
        median=None if verdict == NOT else middle,
        contraction=contraction,
        distance=distance,
        closest=closest[0],
        correlation=closest[1],
        recovery=recovery,
        sound=sound,
        verdict=verdict,
    )


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
    return float(1.0 - np.average((levels - mean) ** 2, weights=weights) / UNIFORM_VARIANCE)


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
    keys = posterior.keys
    found = [
        (keys[i], keys[j], float(together[i, j]))
        for i in range(len(keys))
        for j in range(i + 1, len(keys))
        if abs(together[i, j]) >= least
    ]
    return sorted(found, key=lambda one: -abs(one[2]))
