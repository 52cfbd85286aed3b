"""Rules that every role shares: what a half-life keeps, what a rate makes likely."""

from typing import TYPE_CHECKING

from sim.numbers.arithmetic import exp, log
from sim.numbers.compiled import rule
from sim.rules import old_names

if not TYPE_CHECKING:
    __getattr__ = old_names(__name__)

LN2 = 0.6931471805599453


@rule
def decay_factor(half_life: float) -> float:
    """Share of a quantity left after one day.

    keep = exp(-ln 2 / h)

    Units: half_life in days (above 0), result 1/day.
    Source: definition of a half-life.

    >>> decay_factor(1.0)
    0.5
    """
    return exp(-LN2 / half_life)


@rule
def rate_to_probability(rate: float) -> float:
    """Probability that something with this daily rate happens within the day.

    p = 1 - exp(-max(0, rate))

    Units: rate in 1/day, result a probability.
    Source: constant hazard over one day.

    >>> round(rate_to_probability(0.1), 6)
    0.095163
    """
    return 1.0 - exp(-(rate if rate > 0.0 else 0.0))


@rule
def clip01(value: float) -> float:
    """The value cut to the range 0 to 1.

    min(1, max(0, x))

    Units: a share.
    Source: definition.

    >>> clip01(1.2)
    1.0
    """
    above = value if value > 0.0 else 0.0
    return above if above < 1.0 else 1.0


@rule
def exponential_memory(record: float, kept: float, today: float) -> float:
    """A fading record of recent events.

    x <- x * keep + today

    Units: those of the events; kept in 1/day.
    Source: exponential memory, assumed.

    >>> exponential_memory(4.0, 0.5, 1.0)
    3.0
    """
    return record * kept + today


@rule
def hazard_limit(draw: float) -> float:
    """Cumulative hazard at which an episode ends: one number for the whole of it.

    -ln(1 - u); so it has ended by a day with the probability 1 - exp(-sum of the daily rates so far)

    Units: draw a probability, result 1.
    Source: inversion of the exponential distribution: the law of the day is that of a draw each day, and the days of
    two scenarios move together.

    >>> round(hazard_limit(0.5), 6)
    0.693147
    """
    return -log(1.0 - draw)


@rule
def cumulative_hazard(so_far: float, rate: float) -> float:
    """Hazard of an episode after another day.

    H <- H + h

    Units: 1; rate in 1/day.
    Source: definition.

    >>> cumulative_hazard(0.5, 0.25)
    0.75
    """
    return so_far + rate


@rule
def episode_ends(hazard: float, limit: float) -> bool:
    """Whether an episode ends today.

    sum of the daily rates so far >= its limit

    Units: 1.
    Source: definition of a hazard.

    >>> episode_ends(0.7, 0.693147)
    True
    """
    return hazard >= limit
