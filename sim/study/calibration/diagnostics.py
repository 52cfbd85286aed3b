"""What ArviZ works out for us, imported when it is asked for: it takes seconds and warns of its own future."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def arviz() -> Any:
    """The library, without the warning that it speaks on import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz

    return arviz


def ecdf_band(sample: int, shares: Array, level: float) -> tuple[Array, Array]:
    """Simultaneous band of an empirical distribution of `sample` values where the true one has `shares` (points,).

    Säilynoja, Bürkner and Vehtari (2022), worked out without simulation.
    """
    arviz()
    from arviz.stats.ecdf_utils import ecdf_confidence_band

    low, high = ecdf_confidence_band(sample, shares, shares, prob=level, method="optimized")
    return np.asarray(low), np.asarray(high)


def pareto_k(weights: Array) -> float:
    """Shape of the tail of importance weights (Vehtari et al. 2024): below 0.7 their mean can be trusted."""
    kept = weights[weights > 0.0]
    if len(kept) < 25 or kept.max() == kept.min():
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (UserWarning, RuntimeWarning))
        _, shape = arviz().psislw(np.log(kept))
    return float(shape)
