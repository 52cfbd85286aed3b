"""The escalation ladder.

0 quiet, 1 attacks, 2 casualties or a limited strike, 3 deaths, 4 major strikes, 5 the patron struck or
answering openly, 6 direct war.
"""

from typing import TYPE_CHECKING, Final

from sim.numbers.compiled import rule
from sim.rules import old_names

if not TYPE_CHECKING:
    __getattr__ = old_names(__name__)

WAR_RUNG: Final = 6.0


@rule
def rung(attacks: float, injured: float, limited: bool, killed: float, major: bool) -> float:
    """Rung that the day reached, before the patron itself is touched.

    4 major response, 3 deaths, 2 injured or a limited or leader strike, 1 attacks, 0 quiet

    Units: rungs.
    Source: ladder of `model.md`; F04, F05.

    >>> rung(2.0, 0.0, False, 0.0, False)
    1.0
    """
    if major:
        return 4.0
    if killed > 0.0:
        return 3.0
    if limited or injured > 0.0:
        return 2.0
    return 1.0 if attacks > 0.0 else 0.0


@rule
def highest(rung: float, patron_touched: bool, war: bool) -> float:
    """Rung of the day once the patron's own part is known.

    6 war, 5 the patron struck or answering openly, else the rung before

    Units: rungs.
    Source: F10, F28, F36.

    >>> highest(4.0, True, False)
    5.0
    """
    if war:
        return 6.0
    return 5.0 if patron_touched else rung


@rule
def recent_rung(now: float, cooling: float, rung: float) -> float:
    """Recent height of the ladder.

    max(today's rung, recent - cooling)

    Units: rungs; cooling in rungs/day.
    Source: F37; linear cooling assumed.

    >>> recent_rung(3.0, 0.5, 1.0)
    2.5
    """
    cooled = now - cooling
    return rung if rung > cooled else cooled


@rule
def war_rate(rate: float, war_risk: float, threshold: float, recent: float) -> float:
    """Daily rate at which direct war breaks out.

    recent rung * k_war max(0, W - W_war); war comes when its sum over days reaches a limit drawn once for each run

    Units: rate in 1/(rung day), result in 1/day.
    Source: F10; no figure identifies it, so its prior alone speaks.

    >>> war_rate(0.01, 2.0, 3.0, 4.0)
    0.0
    """
    excess = war_risk - threshold
    return rate * (excess if excess > 0.0 else 0.0) * recent
