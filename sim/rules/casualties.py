"""What becomes of one attack on the target's soldiers."""

import math
from typing import TYPE_CHECKING, Final

from sim.numbers.arithmetic import power
from sim.numbers.compiled import rule
from sim.rules import old_names

if not TYPE_CHECKING:
    __getattr__ = old_names(__name__)

UNNOTICED: Final = 0
ACKNOWLEDGED: Final = 1
HIT: Final = 2
LETHAL: Final = 3
FATES: Final = ("unnoticed", "acknowledged", "got through", "lethal")


@rule
def fate(draw: float, through: float, lethal: float, seen: float) -> int:
    """What becomes of one attack: 0 unnoticed, 1 acknowledged, 2 got through, 3 lethal.

    lethal if u < p_pen p_lethal, got through if u < p_pen, acknowledged if u < p_obs, else unnoticed

    Units: probabilities. One draw decides all three, so what gets through is always acknowledged.
    Source: F01, F04; deaths are always acknowledged.

    >>> fate(0.5, 0.1, 0.1, 0.8)
    1
    """
    if draw < through * lethal:
        return 3
    if draw < through:
        return 2
    return 1 if draw < seen else 0


@rule
def pinned_fate(fate: int, pinned: bool, deaths_allowed: bool) -> int:
    """Fate of an attack under documented history.

    lethal when pinned; got through instead of lethal on days without deaths; else as drawn

    Units: fates as in `fate`.
    Source: F04: the history of 28 January is pinned, the rest is simulated.

    >>> pinned_fate(3, False, False)
    2
    """
    if pinned:
        return 3
    return 2 if fate == 3 and not deaths_allowed else fate


@rule
def tail_power(exponent: float) -> float:
    """Exponent of the inverse of the tail law.

    1 / (1 - alpha)

    Units: 1; exponent alpha above 1.
    Source: inverse of a Pareto distribution.

    >>> tail_power(2.0)
    -1.0
    """
    return 1.0 / (1.0 - exponent)


@rule
def tail_span(exponent: float, exposure: float) -> float:
    """Probability that the tail law without its upper limit stays below that limit.

    1 - (K_max + 1) ** (1 - alpha)

    Units: a probability; exposure in soldiers.
    Source: truncated Pareto distribution.

    >>> tail_span(2.0, 3.0)
    0.75
    """
    return 1.0 - power(exposure + 1.0, 1.0 - exponent)


@rule
def number_killed(draw: float, span: float, power_of_tail: float, exposure: float) -> float:
    """Number killed by a lethal attack: a Pareto draw cut at K_max + 1 and rounded down.

    k = floor((1 - u span) ** (1 / (1 - alpha))), at most K_max

    P(k or more) = (k**(1-alpha) - (K_max+1)**(1-alpha)) / span

    Units: soldiers.
    Source: severity of attacks has density exponent about 2.4; extending it down to 1 is assumed.

    >>> number_killed(0.75, 1.0, -1.0, 350.0)
    4.0
    """
    size = float(math.floor(power(1.0 - draw * span, power_of_tail)))
    return size if size < exposure else exposure


@rule
def toll(killed: float, pinned: bool, documented: float) -> float:
    """Number killed by a lethal attack under documented history.

    as documented when pinned, else as drawn

    Units: soldiers.
    Source: F04.

    >>> toll(1.0, True, 3.0)
    3.0
    """
    return documented if pinned else killed
