"""A self-exciting model of counts over periods: each attack raises the rate of those that follow.

Over a period of length L the expected count is mu L + S (1 - exp(-beta L)), where S is the excitement left over at its
start: S <- S exp(-beta L) + alpha n. Summed over all time one attack brings alpha further ones. What the attacks of a
period bring about within it is left out, so periods should be short beside 1 / beta.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.numbers.compiled import kernel

Array = npt.NDArray[Any]

MOST_BRANCHING: Final = 0.98
"""Most attacks that one brings about: more would grow without end."""
PATHS: Final = 4000
_STARTS: Final = ((0.2, 0.3), (0.8, 0.05), (0.5, 0.7))
"""Where the search for (branching, decay) starts; the likelihood may have several peaks."""


@dataclass(frozen=True)
class Hawkes:
    """base: attacks a day that nothing brought about; branching: alpha; decay: beta, per day."""

    base: float
    branching: float
    decay: float


def expected(model: Hawkes, counts: Array, lengths: Array) -> tuple[Array, float]:
    """Expected counts (P,) of periods given all before each, and the excitement left at the end of the last."""
    rates, _, excitement = _lived(model, counts, lengths)
    return rates, excitement


def log_likelihood(model: Hawkes, counts: Array, lengths: Array) -> tuple[float, Array]:
    """Log likelihood of counts (P,) over periods of these lengths in days, and its slopes by base, branching and decay.

    Terms of the counts alone are left out.
    """
    rates, slopes, _ = _lived(model, counts, lengths)
    rates = np.maximum(rates, 1e-12)
    return float((counts * np.log(rates) - rates).sum()), (counts / rates - 1.0) @ slopes


def fit(counts: Array, lengths: Array) -> Hawkes:
    """The most likely model."""
    from scipy.optimize import minimize

    mean = max(float(counts.sum() / lengths.sum()), 1e-3)

    def surprise(point: Array) -> tuple[float, Array]:
        base, branching, decay = np.exp(point[0]), point[1], np.exp(point[2])
        found, slopes = log_likelihood(Hawkes(base, branching, decay), counts, lengths)
        return -found, -slopes * np.array([base, 1.0, decay])

    limits = [(np.log(mean * 1e-3), np.log(mean * 3.0)), (0.0, MOST_BRANCHING), (np.log(0.01), np.log(3.0))]
    starts = [(np.log(mean * (1.0 - branching)), branching, np.log(decay)) for branching, decay in _STARTS]
    # As good as L-BFGS-B here, and without a linear algebra library whose threads cost more than the sums.
    tried = [minimize(surprise, np.array(one), jac=True, bounds=limits, method="TNC") for one in starts]
    base, branching, decay = min(tried, key=lambda one: float(one.fun)).x
    return Hawkes(float(np.exp(base)), float(branching), float(np.exp(decay)))


def _lived(model: Hawkes, counts: Array, lengths: Array) -> tuple[Array, Array, float]:
    """Expected counts (P,), their slopes (P, 3) by base, branching and decay, and the excitement at the end."""
    spans = np.asarray(lengths, dtype=np.float64)
    rates, slopes = np.empty(len(spans)), np.empty((len(spans), 3))
    kept = np.exp(-model.decay * spans)
    seen = np.asarray(counts, dtype=np.float64)
    left = _excite(seen, spans, kept, float(model.base), float(model.branching), rates, slopes)
    return rates, slopes, float(left)


@kernel
def _excite(
    counts: Array, lengths: Array, kept: Array, base: float, branching: float, rates: Array, slopes: Array
) -> float:
    """Go through the periods; `by_...` are the slopes of the excitement."""
    excitement, by_branching, by_decay = 0.0, 0.0, 0.0
    for place in range(len(counts)):
        length, keeps = lengths[place], kept[place]
        rates[place] = base * length + excitement * (1.0 - keeps)
        slopes[place, 0] = length
        slopes[place, 1] = by_branching * (1.0 - keeps)
        slopes[place, 2] = by_decay * (1.0 - keeps) + excitement * length * keeps
        by_decay = (by_decay - excitement * length) * keeps
        by_branching = by_branching * keeps + counts[place]
        excitement = excitement * keeps + branching * counts[place]
    return excitement


def simulate(
    model: Hawkes, excitement: float, lengths: Array, generator: np.random.Generator, paths: int = PATHS
) -> Array:
    """Counts (paths, P) of coming periods of these lengths."""
    out = np.empty((paths, len(lengths)), dtype=np.int64)
    now = np.full(paths, excitement)
    for place, length in enumerate(lengths):
        kept = np.exp(-model.decay * length)
        out[:, place] = generator.poisson(model.base * length + now * (1.0 - kept))
        now = now * kept + model.branching * out[:, place]
    return out
