"""An outcome shared out among mechanisms, with what is uncertain about the shares."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.attribution.game import Game
from sim.study.attribution.shapley import alone, but_for, shapley, total

Array = npt.NDArray[Any]

WITHIN: Final = (0.05, 0.95)
"""Quantiles over the draws that are told."""


@dataclass(frozen=True)
class Share:
    """A contribution: its mean, its Monte Carlo standard error, and where nine in ten draws of the parameters lie.

    `low` and `high` are None where there is one draw.
    """

    mean: float
    error: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Attributed:
    """What one mechanism brings: shared out fairly, alone, and what is lost where only it is missing."""

    mechanism: str
    shapley: Share
    alone: Share
    but_for: Share


@dataclass(frozen=True)
class Attribution:
    """An outcome shared out. `none` and `every` are the outcome with no mechanism at work and with all of them.

    `before` is the latter under the priors alone, where assumptions decide the outcome and the draws are others.
    """

    game: Game
    values: Array
    none: Share
    every: Share
    total: Share
    shares: tuple[Attributed, ...]
    before: float | None = None

    def ranked(self) -> tuple[Attributed, ...]:
        """Mechanisms by the size of their share, largest first."""
        return tuple(sorted(self.shares, key=lambda one: -abs(one.shapley.mean)))


def attribution(game: Game, values: Array) -> Attribution:
    """Share out the values (2**n, draws, runs) of a game."""
    parts = (shapley(values), alone(values), but_for(values))
    return Attribution(
        game=game,
        values=values,
        none=share(values[0]),
        every=share(values[-1]),
        total=share(total(values)),
        shares=tuple(
            Attributed(name, *(share(part[place]) for part in parts)) for place, name in enumerate(game.players)
        ),
    )


def share(values: Array) -> Share:
    """Mean, error and spread over draws of a quantity (draws, runs), every draw with runs of its own.

    The spread is that of the expected quantity of a draw: means over a few runs scatter more than what they estimate,
    and are drawn together by the ratio of the two standard deviations (one-way analysis of variance).
    """
    draws, runs = values.shape
    mean = float(values.mean())
    if draws == 1:
        return Share(mean, float(np.sqrt(variance(values[0]) / runs)), None, None)
    by_draw = values.mean(axis=1)
    seen = variance(by_draw)
    luck = float(np.mean([variance(one) for one in values])) / runs
    kept = np.sqrt(max(0.0, 1.0 - luck / seen)) if seen > 0.0 else 0.0
    low, high = np.quantile(mean + (by_draw - mean) * kept, WITHIN)
    return Share(mean, float(np.sqrt(seen / draws)), float(low), float(high))


def variance(values: Array) -> float:
    """Sample variance; zero of a single value."""
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
