"""A militia wing: how it obeys, fears, resents, rebuilds and attacks."""

from sim.numbers.arithmetic import exp
from sim.numbers.compiled import rule
from sim.rules.rates import clipped

MAX_RATE = 60.0
"""Most attacks a day that a wing can intend; keeps a day's count below its cap for every draw."""


@rule
def trait(value: float, factor: float) -> float:
    """Autonomy or ideology of a wing after the shared factor.

    min(1, value * factor)

    Units: shares.
    Source: F13, F19; the shared factor lets sweeps move all wings together.

    >>> trait(0.5, 3.0)
    1.0
    """
    return clipped(value * factor)


@rule
def hold(control: float, autonomy: float) -> float:
    """How firmly the patron holds one wing.

    L * (1 - a)

    Units: shares.
    Source: F13 to F15; the product form is assumed.

    >>> hold(0.5, 0.5)
    0.25
    """
    return control * (1.0 - autonomy)


@rule
def pace(rate: float, held: float) -> float:
    """Speed of a wing toward compliance before ideology slows it.

    2 r L (1 - a)

    Units: 1/day; half a hold gives the plain rate r.
    Source: F13 to F15, F19: control and autonomy set the speed as well as the level.

    >>> pace(0.5, 0.25)
    0.25
    """
    return 2.0 * rate * held


@rule
def compliance_goal(held: float, mediation: float, pressure: float, gains_weight: float, gains: float) -> float:
    """Compliance that a wing ends at under an order to hold back.

    c* = clip(L (1 - a) + m M + s gains, 0, 1)

    Units: shares; pressure M is zero for wings that the mediators do not reach.
    Source: F13, F18, F20, F26; additive form assumed.

    >>> compliance_goal(0.25, 0.5, 0.5, 0.25, 1.0)
    0.75
    """
    return clipped(held + mediation * pressure + gains_weight * gains)


@rule
def compliance_speed(pace: float, ideology: float, relief: float, pressure: float) -> float:
    """Share of the way to its goal that a wing goes in a day.

    min(1, 2 r L (1 - a) * (1 - ideology (1 - xi M))), with pace = 2 r L (1 - a)

    Units: pace in 1/day, result 1/day.
    Source: F19, F20, F26: ideology slows a wing down, the mediators overcome it; form assumed.

    >>> compliance_speed(0.5, 0.5, 1.0, 0.5)
    0.375
    """
    return clipped(pace * (1.0 - ideology * (1.0 - relief * pressure)))


@rule
def compliance(now: float, directive: float, goal: float, speed: float, relax: float) -> float:
    """Compliance of a wing after another day.

    c <- c + speed (c* - c) while D < 1, else c <- c - r_relax c

    Units: shares; speed and relax in 1/day.
    Source: F19 to F22; first-order approach assumed.

    >>> compliance(0.0, 0.0, 0.8, 0.5, 0.1)
    0.4
    """
    ordered = now + speed * (goal - now)
    relaxed = now - relax * now
    return ordered if directive < 1.0 else relaxed


@rule
def fear(now: float, kept: float, own: float, struck: float, other: float, nearby: float, jump: float) -> float:
    """Fear of a wing after another day.

    f <- f keep_f + phi_own S_own + phi_other S_collective + J

    Units: fear in log attack rate; struck and nearby in limited strikes; jump only after a major response.
    Source: F05, F33; additive form assumed.

    >>> fear(1.0, 0.5, 0.25, 1.0, 0.125, 2.0, 0.0)
    1.0
    """
    return now * kept + own * struck + other * nearby + jump


@rule
def grievance(now: float, kept: float, own: float, struck: float, other: float, nearby: float, most: float) -> float:
    """Grievance of a wing after another day.

    v <- min(v_max, v keep_v + (psi_own S_own + psi_other S_collective) (1 - v / v_max))

    Units: grievance in log attack rate; struck and nearby in limited strikes.
    Source: studies of retaliation find provocation too; the ceiling is assumed, for uncapped it runs away.

    >>> grievance(0.5, 1.0, 0.25, 1.0, 0.125, 2.0, 1.0)
    0.75
    """
    room = 1.0 - now / most
    felt = (own * struck + other * nearby) * (room if room > 0.0 else 0.0)
    grown = now * kept + felt
    return grown if grown < most else most


@rule
def survival(damage: float, struck: float) -> float:
    """Share of a wing's capacity that today's strikes leave.

    exp(-zeta S_own)

    Units: damage per limited strike, struck in limited strikes.
    Source: assumed.

    >>> survival(0.5, 0.0)
    1.0
    """
    return exp(-(damage * struck))


@rule
def capacity(now: float, rebuild: float, left: float, wear: float, attacks: float) -> float:
    """Capacity of a wing after another day.

    kappa <- clip((kappa + supply (1 - kappa) / tau) exp(-zeta S_own) - wear n / b, 0, 1)

    Units: shares; rebuild = supply / tau in 1/day, left the share that strikes spare, wear = wear / b per attack.
    Source: F11, F32: the patron arms, the target cuts supply; form assumed.

    >>> capacity(0.5, 0.5, 1.0, 0.0, 3.0)
    0.75
    """
    return clipped((now + rebuild * (1.0 - now)) * left - wear * attacks)


@rule
def effective_order(directive: float, restraint: float, pressure: float) -> float:
    """Activity that a fully compliant wing keeps up.

    D (1 - m_0 M)

    Units: shares; pressure M is zero for wings that the mediators do not reach.
    Source: F21 to F23, F26: the mediators matter even without an order; form assumed.

    >>> effective_order(0.5, 0.5, 0.5)
    0.375
    """
    return directive * (1.0 - restraint * pressure)


@rule
def attack_rate(
    baseline: float, gate: float, surge: float, capacity: float, grievance: float, fear: float,
    compliance: float, order: float,
) -> float:  # fmt: skip
    """Attacks a day that a wing intends.

    lambda = b g R kappa exp(v - f) (1 - c (1 - D (1 - m_0 M))), at most MAX_RATE

    Units: baseline and result in attacks/day; order = D (1 - m_0 M).
    Source: F08, F13, F21; multiplicative form assumed.

    >>> attack_rate(2.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.5, 0.0)
    1.0
    """
    will = exp(grievance - fear) * (1.0 - compliance * (1.0 - order))
    rate = baseline * gate * surge * capacity * will
    return rate if rate < MAX_RATE else MAX_RATE


@rule
def attacks_made(drawn: float, pinned: bool) -> float:
    """Attacks of a wing today under documented history.

    at least 1 when an attack is pinned to this wing and day, else as drawn

    Units: attacks.
    Source: F04: the attack of 28 January takes place whatever the draw.

    >>> attacks_made(0.0, True)
    1.0
    """
    return 1.0 if pinned and drawn < 1.0 else drawn
