"""Rules that every role shares: what a half-life keeps, what a rate makes likely."""

from sim.numbers.arithmetic import exp
from sim.numbers.compiled import rule

LN2 = 0.6931471805599453


@rule
def keep(half_life: float) -> float:
    """Share of a quantity left after one day.

    keep = exp(-ln 2 / h)

    Units: half_life in days (above 0), result 1/day.
    Source: definition of a half-life.

    >>> keep(1.0)
    0.5
    """
    return exp(-LN2 / half_life)


@rule
def chance(rate: float) -> float:
    """Probability that something with this daily rate happens within the day.

    p = 1 - exp(-max(0, rate))

    Units: rate in 1/day, result a probability.
    Source: constant hazard over one day.

    >>> round(chance(0.1), 6)
    0.095163
    """
    return 1.0 - exp(-(rate if rate > 0.0 else 0.0))


@rule
def clipped(value: float) -> float:
    """The value cut to the range 0 to 1.

    min(1, max(0, x))

    Units: a share.
    Source: definition.

    >>> clipped(1.2)
    1.0
    """
    above = value if value > 0.0 else 0.0
    return above if above < 1.0 else 1.0


@rule
def remembered(record: float, kept: float, today: float) -> float:
    """A fading record of recent events.

    x <- x * keep + today

    Units: those of the events; kept in 1/day.
    Source: exponential memory, assumed.

    >>> remembered(4.0, 0.5, 1.0)
    3.0
    """
    return record * kept + today
