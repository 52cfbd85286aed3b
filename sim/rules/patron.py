"""The patron: how it takes fright, deliberates, holds its proxies back and lets them go."""

from typing import TYPE_CHECKING, Final

from sim.numbers.arithmetic import exp, log2
from sim.numbers.compiled import rule
from sim.rules import old_names

if not TYPE_CHECKING:
    __getattr__ = old_names(__name__)

NORMAL: Final = 0
DELIBERATING: Final = 1
RESTRAINING: Final = 2
RELEASED: Final = 3
ALARMED_AGAIN: Final = 4
PHASES: Final = ("normal", "deliberating", "restraining", "released", "alarmed again")


@rule
def death_shock(killed: float) -> float:
    """How strongly deaths among the target's soldiers shake a state.

    1.5 log2(1 + killed)

    Units: killed in soldiers; three killed count 3.
    Source: F04, F09; the concave form is assumed.

    >>> death_shock(3.0)
    3.0
    """
    return 1.5 * log2(1.0 + killed)


@rule
def alarm(weight: float, size: float) -> float:
    """How much one kind of event of a day alarms the patron.

    w_S S_total, 1.5 w_K log2(1 + killed), w_T [response announced], w_E acts

    Units: perceived risk (1); size in limited strikes, shocks, 0 or 1, and weighted acts against the patron.
    Source: F05, F09, F10, F36: deaths, bombs and the announcement of bombs frighten; sizes assumed.

    >>> alarm(0.25, 2.0)
    0.5
    """
    return weight * size


@rule
def war_risk(now: float, kept: float, strikes: float, deaths: float, threat: float, acts: float) -> float:
    """War risk that the patron perceives after another day.

    W <- W keep_W + alarm at strikes, deaths, an announced response and acts against itself

    Units: perceived risk (1).
    Source: F09, F10; a fading sum is assumed.

    >>> war_risk(1.0, 0.5, 0.5, 3.0, 0.5, 0.0)
    4.5
    """
    return now * kept + strikes + deaths + threat + acts


@rule
def gains(ordered_attacks: float, scale: float) -> float:
    """How far "enough was gained" convinces.

    1 - exp(-ordered attacks on the target so far / N_gains)

    Units: attacks, result a share.
    Source: F18; saturating form assumed.

    >>> gains(0.0, 100.0)
    0.0
    """
    return 1.0 - exp(-(ordered_attacks / scale))


@rule
def release_rate(rate: float, war_risk: float, threshold: float, held: bool) -> float:
    """Daily rate of releasing the order to hold back.

    k_rel max(0, 1 - W / W_alarm), 0 in the first T_min days and while documented history holds the release back

    Units: rates in 1/day.
    Source: F34, F37: open; form assumed.

    >>> release_rate(0.5, 3.0, 2.5, False)
    0.0
    """
    calm = 1.0 - war_risk / threshold
    return 0.0 if held or calm < 0.0 else rate * calm


@rule
def next_phase(phase: int, days: float, war_risk: float, threshold: float, deliberation: float, released: bool) -> int:
    """Phase of the patron after another day; `days` counts this day as part of the present phase.

    calm (0, 3) -> deliberating (1, 4) when W >= W_alarm -> restraining (2) after T_delib days

    restraining -> released (3) when the cumulative rate of release reaches its limit

    Units: days in days.
    Source: F09, F16, F21, F34.

    >>> next_phase(0, 9.0, 3.0, 2.5, 2.0, False)
    1
    """
    if phase == 2:
        return 3 if released else 2
    if phase == 1 or phase == 4:
        return 2 if days >= deliberation else phase
    return phase + 1 if war_risk >= threshold else phase


@rule
def documented_phase(before: int, turned: int, able: bool, order: int) -> int:
    """Phase of the patron where documented history orders restraint, or holds such an order back.

    2 on the day of a documented order (1); the phase before where an order is held back (-1)

    Units: order 1 forced, -1 held, 0 free; able: whether the patron restrains at all.
    Source: F16 to F21: the order of late January is documented.

    >>> documented_phase(0, 0, True, 1)
    2
    """
    if order > 0 and able:
        return 2
    return before if order < 0 and turned == 2 and before != 2 else turned


@rule
def days_in_phase(days: float, before: int, after: int) -> float:
    """Days since the present phase began.

    0 on its first day, else days

    Units: days.
    Source: definition.

    >>> days_in_phase(4.0, 1, 2)
    0.0
    """
    return days if before == after else 0.0


@rule
def standing_order(stance: float, free: float, reduce: float, stop: float) -> float:
    """Activity asked of a theatre by the timeline, on top of which the patron may hold it back.

    1 where the campaign is ordered, d_free without an order, d_reduce or d_stop where the timeline orders that

    Units: stance 1 (attack), 0 (free), -1 (reduce) or -2 (stop), result a share.
    Source: F08, F21 to F23.

    >>> standing_order(-2.0, 0.3, 0.1, 0.001)
    0.001
    """
    if stance < 0.0:
        return stop if stance < -1.0 else reduce
    return free + stance * (1.0 - free)


@rule
def directive(phase: int, standing: float, restraint: float, release: float) -> float:
    """Activity that the patron asks of one theatre.

    D = min(standing, restraint) while restraining, min(standing, release) once released, else standing

    Units: shares; 1 is the ordered campaign. Theatres left alone have restraint = release = 1.
    Source: F21 to F23.

    >>> directive(2, 1.0, 0.0, 0.6)
    0.0
    """
    asked = restraint if phase == 2 else (release if phase > 2 else 1.0)
    return asked if asked < standing else standing


@rule
def answers(draw: float, probability: float, acts: float) -> bool:
    """Whether the patron openly answers acts against itself today.

    acts > 0 and u < q_E

    Units: probabilities; acts weighted.
    Source: F36: it had not so far, so the chance is 0 by default.

    >>> answers(0.4, 0.5, 1.0)
    True
    """
    return acts > 0.0 and draw < probability
