"""Samplers with a loop inside: not rules, because their length depends on the data.

Each has one draw as argument and finds the answer by inverting the distribution function, so a larger draw never
gives a smaller answer. The batched kernel walks the same sums for all lanes together, which must agree to the bit.
"""

from collections.abc import Sequence

from sim.numbers.arithmetic import exp
from sim.numbers.compiled import step
from sim.rules.decisions import MAX_ATTACKS


@step
def poisson(draw: float, mean: float) -> int:
    """The Poisson count at probability `draw`, at most MAX_ATTACKS.

    Units: mean in events, from 0 to 60. The largest draw is 1 - 2**-33, so the tail beyond a mass of about 1.2e-10
    is never reached; up to there the sum of the distribution function is exact to 1e-12.

    >>> [poisson(u, 2.0) for u in (0.1, 0.5, 0.99)]
    [0, 2, 6]
    """
    term = exp(-mean)
    reached = term
    count = 0
    while draw >= reached and count < MAX_ATTACKS:
        count += 1
        term = term * (mean * (1.0 / count))
        reached = reached + term
    return count


def sample_categorical(draw: float, weights: Sequence[float]) -> int:
    """The place at which `draw` falls along the summed weights; -1 where there are none.

    Units: any; weights of zero or more, not all zero. The kernel's walk is in `strikes.chosen_wing`.

    >>> [sample_categorical(u, (2.0, 0.0, 6.0)) for u in (0.2, 0.3)]
    [0, 2]
    """
    total = 0.0
    for weight in weights:
        total += weight
    mark = draw * total
    passed, chosen = 0.0, -1
    for place, weight in enumerate(weights):
        if passed <= mark:
            chosen = place
            passed += weight
    return chosen
