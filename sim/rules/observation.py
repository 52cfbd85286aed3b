"""What the official count sees of the attacks."""

from typing import TYPE_CHECKING

from sim.numbers.compiled import rule
from sim.rules import old_names

if not TYPE_CHECKING:
    __getattr__ = old_names(__name__)


@rule
def small_share(compliance: float, directive: float) -> float:
    """Share of a wing's attacks that are kept small.

    c while D < 1, else 0

    Units: shares.
    Source: F03, F22: smaller attacks, so that there are no deaths; form assumed.

    >>> small_share(0.5, 0.1)
    0.5
    """
    return compliance if directive < 1.0 else 0.0


@rule
def mix_small(probability: float, small: float, factor: float) -> float:
    """A probability that small attacks reach only in part.

    p (1 - share + share q) = p (1 - share (1 - q))

    Units: probabilities and shares.
    Source: F03, F22; used for getting through and for being acknowledged.

    >>> mix_small(0.5, 0.5, 0.5)
    0.375
    """
    return probability * (1.0 - small * (1.0 - factor))
