"""Elementary effects of Morris: how much a step over half of a parameter's range changes the statistic.

SALib tells the same effects per unit of its own grid, where such a step is two thirds.
"""

import numpy as np

from sim.study.sensitivity.targets import Column


def steps_of(unit: Column, values: Column) -> Column:
    """Changes of the statistic (N, D), upwards, from the points (N (D + 1), D) of trajectories in the unit cube."""
    size = unit.shape[1]
    moves = np.diff(unit.reshape(-1, size + 1, size), axis=1)
    changes = np.diff(values.reshape(-1, size + 1), axis=1)
    which = np.argmax(np.abs(moves), axis=2)
    found = np.empty(changes.shape)
    direction = np.sign(np.take_along_axis(moves, which[:, :, None], axis=2)[:, :, 0])
    np.put_along_axis(found, which, changes * direction, axis=1)
    return found


def morris_measures(steps: Column) -> Column:
    """Mean size and standard deviation (2, D) of changes (N, D)."""
    return np.stack([np.abs(steps).mean(axis=0), steps.std(axis=0, ddof=1)])
