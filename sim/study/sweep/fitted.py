"""Points that are draws of the posterior: whole sets of parameters, as the figures leave them together."""

import numpy as np

from sim.study.calibration.shipped import shipped_posterior
from sim.study.sweep.axes import Axes
from sim.study.sweep.design import Tabled
from sim.study.sweep.settings import Settings
from sim.world.actors import Cast
from sim.world.errors import UserError
from sim.world.scenario import POSTERIOR


def fitted_design(axes: Axes, settings: Settings, cast: Cast) -> Tabled:
    """The first draws of the posterior that comes with the package; what the user sets has no column.

    Raises:
        UserError: another number varies too, a design or more points than draws are asked for, or no posterior fits.
    """
    if axes.numbers:
        allowed = "one value; draws of the posterior belong together"
        raise UserError(axes.numbers[0].key, axes.numbers[0].text, allowed)
    if settings.ignore:
        raise UserError("study.ignore", ", ".join(settings.ignore), "null; without study.table there is no column")
    if settings.design is not None:
        raise UserError("study.design", settings.design, "null; the points are draws of the posterior")
    posterior = shipped_posterior(cast)
    points = posterior.draws if settings.points is None else settings.points
    if points > posterior.draws:
        raise UserError("study.points", points, f"1 to {posterior.draws}, as many as the posterior has draws")
    numbers = {key: column[:points] for key, column in posterior.columns.items() if key not in axes.fixed_keys}
    return Tabled(numbers, ({},), np.zeros(points, dtype=np.int64), POSTERIOR)
