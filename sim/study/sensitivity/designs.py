"""Points for Sobol indices and for Morris: designs of a sweep that are made piece by piece from their rule.

Their rows stand in SALib's order, so SALib's estimators read what the sweep has lived.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.study.sensitivity.settings import Settings
from sim.study.sweep.axes import Axis
from sim.study.sweep.design import Column, Sampled, sobol_points
from sim.world.errors import UserError

LEVELS: Final = 4
"""Levels of a Morris grid."""
STEP: Final = LEVELS // 2
"""Levels that a step of a trajectory goes: with four, half of the range."""
DEPENDENT: Final = ("saltelli", "morris")
"""Designs whose points repeat each other in all parameters but one: resampled one by one they would seem many more."""
MOST_POINTS: Final = 10**8


@dataclass(frozen=True)
class Crossed(Sampled):
    """Blocks of D + 2 points: A, then A with each of its parameters in turn taken from B, then B.

    A and B are halves of a scrambled Sobol sequence in twice as many dimensions (Saltelli and others 2010).
    """

    def unit(self, start: int, stop: int) -> Column:
        """Points start to stop in the unit cube (points, axes)."""
        size = len(self.axes)
        first, last = start // (size + 2), -(-stop // (size + 2))
        base = sobol_points(2 * size, first, last, self.seed)
        block, place = np.divmod(np.arange(start, stop), size + 2)
        unit = base[block - first, :size].copy()
        other = base[block - first, size:]
        unit[place == size + 1] = other[place == size + 1]
        mixed = np.flatnonzero((place > 0) & (place <= size))
        unit[mixed, place[mixed] - 1] = other[mixed, place[mixed] - 1]
        return unit


@dataclass(frozen=True)
class Trajectories(Sampled):
    """Blocks of D + 1 points: a random start, then one parameter after the other moved by half of its range.

    Each trajectory has a seed of its own, so more of them keep the old ones.
    """

    def unit(self, start: int, stop: int) -> Column:
        """Points start to stop in the unit cube (points, axes)."""
        size = len(self.axes) + 1
        first, last = start // size, -(-stop // size)
        made = np.concatenate([self._trajectory(number) for number in range(first, last)])
        return made[start - first * size : stop - first * size]

    def _trajectory(self, number: int) -> Column:
        """One trajectory (D + 1, D); levels lie in the middle of equal shares of the unit interval."""
        from SALib.sample.morris import sample

        size = len(self.axes)
        problem = {"num_vars": size, "names": [axis.key for axis in self.axes], "bounds": [[0.0, 1.0]] * size}
        grid = sample(problem, 1, num_levels=LEVELS, seed=np.random.default_rng([self.seed, number]))
        return np.asarray((np.rint(grid * (LEVELS - 1)) + 0.5) / LEVELS)


def block_of(method: str, parameters: int) -> int:
    """Points of one sample: a block of Sobol, a trajectory of Morris, a single point of the others."""
    return {"sobol": parameters + 2, "morris": parameters + 1}.get(method, 1)


def design_of(settings: Settings, axes: tuple[Axis, ...], seed: int) -> Sampled:
    """The points that a method wants.

    Raises:
        UserError: they are too many.
    """
    block = block_of(settings.method, len(axes))
    points = settings.samples * block
    if points > MOST_POINTS:
        raise UserError("sensitivity.samples", settings.samples, f"at most {MOST_POINTS // block}")
    if settings.method == "sobol":
        return Crossed("saltelli", axes, points, seed)
    if settings.method == "morris":
        return Trajectories("morris", axes, points, seed)
    return Sampled("sobol", axes, points, seed)
