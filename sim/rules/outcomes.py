"""The record of a history: the rules that find the outcomes of a run, which `sim.model.declared_outcomes` declares.

Days are day numbers, NEVER where the thing did not happen. Counts by wing are kept for three windows: the campaign
(before the day of the strikes), the lull (after that day, up to the report) and later; the day of the strikes itself
belongs to none.
"""

from typing import Final

from sim.numbers.compiled import rule

NEVER: Final = -1
CAMPAIGN: Final = 0
LULL: Final = 1
LATER: Final = 2
WINDOWS: Final = ("campaign", "lull", "later")

COMPLIANT: Final = 0.8
"""Compliance from which a wing counts as complying (the patterns' lag is measured to this level)."""

RESUMED_DAYS: Final = 14
RESUMED_ATTACKS: Final = 5
"""Attacks have resumed once this many were acknowledged within this many days."""


@rule
def first_day(known: float, day: float, happened: bool) -> float:
    """Day on which something first happened.

    the day already known, else today if it happened, else never

    Units: day numbers.
    Source: definition.

    >>> first_day(-1, 7, True)
    7
    """
    return day if known < 0 and happened else known


@rule
def window(day: int, strikes: int, report: int) -> int:
    """Window that a day belongs to: 0 campaign, 1 lull, 2 later, -1 the day of the strikes.

    Units: day numbers.
    Source: F01 counts up to the strikes, F02 and F03 from them to the report.

    >>> window(108, 108, 133)
    -1
    """
    if day < strikes:
        return 0
    if day == strikes:
        return -1
    return 1 if day <= report else 2


@rule
def fortnight_began(day: int, strikes: int) -> int:
    """First of the 14 days that end today, among those after the strikes.

    max(day - 13, strikes + 1)

    Units: day numbers.
    Source: definition; attacks before the strikes are no resumption.

    >>> fortnight_began(112, 108), fortnight_began(150, 108)
    (109, 137)
    """
    first = day - RESUMED_DAYS + 1
    return first if first > strikes else strikes + 1


@rule
def days_until(first: int, origin: int, end: int) -> int:
    """Days from an origin to an event, cut at the end of what was simulated.

    (first, or end if it never happened) - origin

    Units: day numbers in, days out.
    Source: definition; cut values are a lower bound.

    >>> days_until(-1, 108, 330)
    222
    """
    return (first if first >= 0 else end) - origin


@rule
def per_response(attacks: float, responses: float) -> float:
    """Attacks for each response; all attacks where no response came, which is then a lower bound.

    attacks / max(1, responses)

    Units: attacks.
    Source: public record of one response in 12 to 25 attacks.

    >>> per_response(170.0, 10.0)
    17.0
    """
    return attacks / (responses if responses > 1.0 else 1.0)
