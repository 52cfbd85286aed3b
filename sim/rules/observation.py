"""What the official count sees of the attacks."""

from sim.numbers.compiled import rule


@rule
def small_share(compliance: float, directive: float) -> float:
    """Share of a wing's attacks that are kept small.

    c while D < 1, else 0

    Units: shares.
    Source: F03, F22: smaller attacks, so that nobody dies; form assumed.

    >>> small_share(0.5, 0.1)
    0.5
    """
    return compliance if directive < 1.0 else 0.0


@rule
def dampened(probability: float, small: float, factor: float) -> float:
    """A probability that small attacks reach only in part.

    p (1 - share + share q) = p (1 - share (1 - q))

    Units: probabilities and shares.
    Source: F03, F22; used for getting through and for being acknowledged.

    >>> dampened(0.5, 0.5, 0.5)
    0.375
    """
    return probability * (1.0 - small * (1.0 - factor))
