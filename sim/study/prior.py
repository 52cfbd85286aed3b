"""Draws from the declared priors, as columns for a design."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.world.parameters import Declaration, shared_declarations

Column = npt.NDArray[np.float64]


def free_declarations() -> dict[str, Declaration]:
    """The declarations with a prior that is not fixed, by full key: what calibration and balance draw."""
    return {key: one for key, one in shared_declarations().items() if one.prior.shape != "fixed"}


def prior_design(draws: int, seed: int) -> dict[str, Column]:
    """Independent draws (draws,) of every free parameter from its prior, within its declared range."""
    generator = np.random.Generator(np.random.Philox(seed))
    return {key: quantile(one, generator.random(draws)) for key, one in free_declarations().items()}


def quantile(declared: Declaration, level: npt.NDArray[Any]) -> Column:
    """The value of a parameter at probability levels of its prior (any shape).

    Raises:
        ValueError: the prior is fixed.
    """
    from scipy import special

    prior = declared.prior
    if prior.shape == "uniform":
        return np.asarray(prior.a + (prior.b - prior.a) * level)
    if prior.shape == "log_uniform":
        return np.asarray(prior.a * (prior.b / prior.a) ** level)
    if prior.shape == "normal":
        low, high = (special.ndtr((edge - prior.a) / prior.b) for edge in (declared.low, declared.high))
        return np.asarray(prior.a + prior.b * special.ndtri(low + (high - low) * level))
    raise ValueError(f"a {prior.shape} prior has no quantiles")
