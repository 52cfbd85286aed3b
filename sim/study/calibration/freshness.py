"""Whether a posterior still belongs to the model: its own draws are made and lived again.

Every draw is a row of a bank, so the row's parameters and its history can be made again from the seed. Where a rule, a
default, a prior or a timeline has changed since, they come out otherwise. That says more than a hash of the sources,
which also changes with a comment.
"""

from typing import Final

import numpy as np

from sim.study.calibration.bank import Prior, live
from sim.study.calibration.figures import figures_of, found, seen
from sim.study.calibration.settings import check_history, section_of
from sim.study.calibration.shipped import Shipped
from sim.study.prior import free_declarations
from sim.world.errors import UserError
from sim.world.scenario import load

_TOLERANCE: Final = 1e-6
"""Relative: parameters are stored in single precision."""


def stale(posterior: Shipped) -> str:
    """Why a posterior does not belong to the model any more; empty where it does."""
    about = posterior.about
    try:
        config = load(about["overrides"])
        figures = figures_of(section_of(config), config.scenario.cast)
        check_history(config.scenario)
    except UserError as mistake:
        return f"its configuration cannot be used any more ({mistake})"
    keys = tuple(posterior.columns)
    if unknown := [key for key in keys if key not in free_declarations()]:
        return f"{unknown[0]} has no prior any more"
    prior = Prior(config.scenario, keys, int(about["seed"]))
    values = prior.values(posterior.rows)
    for key in keys:
        if not np.allclose(values[key], posterior.columns[key], rtol=_TOLERANCE, atol=1e-7):
            return f"the prior of {key} is another now"
    here = seen(config.scenario, live(prior, values, posterior.rows))
    by_id = {one.id: one for one in figures}
    for key, numbers in posterior.numbers.items():
        if key not in by_id:
            return f"there is no figure {key} any more"
        if not np.array_equal(found(by_id[key], here), numbers.astype(np.float32)):
            return f"its histories give other numbers now for: {by_id[key].text}"
    return ""
