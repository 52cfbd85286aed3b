"""Where the parameters of a comparison come from: draws that all arms share."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.calibration.shipped import shipped_posterior
from sim.study.prior import prior_design
from sim.world.actors import Cast
from sim.world.errors import UserError, one_of
from sim.world.scenario import DEFAULTS, POSTERIOR

Columns = dict[str, npt.NDArray[np.float64]]

PRIOR: Final = "prior"
SOURCES: Final = (POSTERIOR, PRIOR, DEFAULTS)
USUAL: Final = POSTERIOR
"""Where parameters come from when nothing is said."""


def source_of(told: str | None) -> str:
    """Where parameters come from, as told; None takes what is usual.

    Raises:
        UserError: there is no such source.
    """
    if told is not None and told not in SOURCES:
        raise UserError("parameters", told, one_of(SOURCES, told))
    return told or USUAL


def points_of(source: str, draws: int, seed: int, cast: Cast) -> Columns:
    """Columns (draws,) of the drawn parameters by key; none where the declared values hold.

    Of the posterior that comes with the package a random part is taken, another one for another seed; where more are
    asked for than it has, they come round again.

    Raises:
        UserError: more than one draw of the declared values, or the posterior is of another case.
    """
    if source == PRIOR:
        return prior_design(draws, seed)
    if source == POSTERIOR:
        posterior = shipped_posterior(cast)
        order = np.random.Generator(np.random.Philox(seed)).permutation(posterior.draws)
        chosen = order[np.arange(draws) % posterior.draws]
        return {key: np.asarray(column)[chosen] for key, column in posterior.columns.items()}
    if draws != 1:
        raise UserError("study.draws", draws, f"1 or null with parameters={DEFAULTS}, which are a single point")
    return {}


def without(points: Columns, keys: Collection[str]) -> Columns:
    """The columns but those that an arm keeps at its own values."""
    return {key: column for key, column in points.items() if key not in keys}


def rows(points: Columns, start: int, stop: int) -> dict[str, Any]:
    """Draws start to stop."""
    return {key: column[start:stop] for key, column in points.items()}
