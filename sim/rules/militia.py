"""A militia wing: how it obeys, fears, resents, rebuilds and attacks."""

from sim.numbers.arithmetic import exp, inverse_normal
from sim.numbers.compiled import rule
from sim.rules.rates import clip01

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
    return clip01(value * factor)


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
    return clip01(held + mediation * pressure + gains_weight * gains)


@rule
def compliance_speed(pace: float, ideology: float, relief: float, pressure: float) -> float:
    """Share of the way to its goal that a wing goes in a day.

    min(1, 2 r L (1 - a) * (1 - ideology (1 - xi M))), with pace = 2 r L (1 - a)

    Units: pace in 1/day, result 1/day.
    Source: F19, F20, F26: ideology slows a wing down, the mediators overcome it; form assumed.

    >>> compliance_speed(0.5, 0.5, 1.0, 0.5)
    0.375
    """
    return clip01(pace * (1.0 - ideology * (1.0 - relief * pressure)))


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
def order_stands(directive: float, restraint: float, heeded: bool) -> bool:
    """Whether an order to hold back, which militias heed, is in force in a theatre.

    D <= d_stop, or d_reduce, whichever the theatre is asked for, where that is less than all

    Units: shares; restraint is what the patron asks of the theatre while it restrains.
    Source: F21, F22; definition.

    >>> order_stands(0.6, 0.0, True)
    False
    """
    return heeded and restraint < 1.0 and directive <= restraint


@rule
def conviction(
    stands: bool, goal: float, fear_weight: float, fear: float, threat_weight: float, threat: float
) -> float:
    """How far a wing is convinced that its group should pause.

    [order stands] c* + w_f f + w_t [response announced]

    Units: 1; goal c* a share, fear in log attack rate, threat 0 or 1.
    Source: F18 to F21 for the order, F33 for fear, F10 for the threat; form and sizes assumed.

    >>> conviction(True, 0.5, 0.25, 2.0, 0.1, 0.0)
    1.0
    """
    return (goal if stands else 0.0) + fear_weight * fear + threat_weight * threat


@rule
def pause_rate(rate: float, conviction: float, ideology: float, relief: float, pressure: float) -> float:
    """Rate at which one wing moves its group to pause.

    h = r_p conviction (1 - ideology (1 - xi M))

    Units: 1/day. A group goes by its most convinced wing.
    Source: F19 to F21: groups resisted, then relented, one announced that it halts. Form assumed.

    >>> pause_rate(2.0, 1.0, 0.5, 1.0, 0.0)
    1.0
    """
    return rate * conviction * (1.0 - ideology * (1.0 - relief * pressure))


@rule
def resume_rate(
    breaking: float, resuming: float, stands: bool, per_strike: float, struck: float, pressure: float
) -> float:
    """Rate at which one wing moves its group back to fighting.

    h = ([order stands] beta + [no order stands] rho_r + k_s S_own) (1 - M)

    Units: 1/day; struck in limited strikes of the day before, pressure M a share, 0 where mediators do not reach.
    Source: F34, F37: it could change at any moment; F26: the mediators hold it together. Form assumed.

    >>> resume_rate(0.0, 0.5, False, 0.25, 2.0, 0.5)
    0.5
    """
    return ((breaking if stands else resuming) + per_strike * struck) * (1.0 - pressure)


@rule
def compliance_in_pause(paused: bool, stands: bool, directive: float, held: float) -> float:
    """Compliance of a wing where groups decide to pause: all or nothing under an order to hold back.

    1 paused; 0 fighting on while the order stands; L (1 - a) under any other order that asks less than all

    Units: shares.
    Source: F19 to F21: restraint came as decisions of whole groups; form assumed.

    >>> compliance_in_pause(False, False, 0.6, 0.25)
    0.25
    """
    if paused:
        return 1.0
    return held if directive < 1.0 and not stands else 0.0


@rule
def paused_attack_rate(baseline: float, gate: float, surge: float, share: float) -> float:
    """Attacks a day that a wing of a paused group intends: cells that do not obey, or few and small attacks.

    lambda = b g R epsilon where ordered to stop, b g R d_reduce where ordered to reduce, at most 60

    Units: attacks/day; share of the baseline. Neither fear nor capacity is in it, so nothing rises as they recover.
    Source: F02, F03, F22; form assumed.

    >>> paused_attack_rate(2.0, 1.0, 1.0, 0.25)
    0.5
    """
    rate = baseline * gate * surge * share
    return rate if rate < MAX_RATE else MAX_RATE


@rule
def rate_under_order(fighting: float, least: float, paused: bool, stands: bool) -> float:
    """Attacks a day that a wing intends, where groups decide to pause.

    the rate of a pause if it pauses; while an order to hold back stands at least that; else its rate of fighting

    Units: attacks/day.
    Source: F02, F03, F22; what goes on in a pause, asked for or by cells that do not obey, goes on without one too,
    so a decision to pause never raises a rate; form assumed.

    >>> rate_under_order(0.1, 0.5, False, True), rate_under_order(0.1, 0.5, False, False)
    (0.5, 0.1)
    """
    return least if paused or (stands and fighting < least) else fighting


@rule
def fear_kept(kept: float, stands: bool) -> float:
    """Share of its fear that a wing keeps for another day, where groups decide to pause.

    keep_f, but 1 while an order to hold back stands

    Units: 1/day.
    Source: F10, F18: the order is the warning that another attack brings war, and as long as it stands it says so
    every day; form assumed.

    >>> fear_kept(0.9, False), fear_kept(0.9, True)
    (0.9, 1.0)
    """
    return 1.0 if stands else kept


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
def rebuild_rate(rebuild: float, stands: bool) -> float:
    """Share of its lost capacity that a wing rebuilds in a day, where groups decide to pause.

    supply_k / tau, but 0 while an order to hold back stands

    Units: 1/day.
    Source: F11: arms are what the patron moves them by, so it rearms none that it orders to hold back; assumed.

    >>> rebuild_rate(0.05, False), rebuild_rate(0.05, True)
    (0.05, 0.0)
    """
    return 0.0 if stands else rebuild


@rule
def capacity(now: float, rebuild: float, left: float, wear: float, attacks: float) -> float:
    """Capacity of a wing after another day.

    kappa <- clip((kappa + supply_k (1 - kappa) / tau) exp(-zeta S_own) - wear n / b, 0, 1)

    Units: shares; rebuild = supply_k / tau in 1/day, left the share that strikes leave, wear = wear / b per attack.
    Source: F11, F32: the patron arms, the target cuts supply; form assumed.

    >>> capacity(0.5, 0.5, 1.0, 0.0, 3.0)
    0.75
    """
    return clip01((now + rebuild * (1.0 - now)) * left - wear * attacks)


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

    lambda = b g R kappa exp(v - f) (1 - c (1 - D (1 - m_0 M))), at most 60

    Units: baseline and result in attacks/day; order = D (1 - m_0 M).
    Source: F08, F13, F21; multiplicative form assumed.

    >>> attack_rate(2.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.5, 0.0)
    1.0
    """
    will = exp(grievance - fear) * (1.0 - compliance * (1.0 - order))
    rate = baseline * gate * surge * capacity * will
    return rate if rate < MAX_RATE else MAX_RATE


@rule
def burst(now: float, kept: float, innovation: float, draw: float) -> float:
    """Shock that all wings of a theatre share today, in log attack rate.

    x <- keep_x x + sigma_x sqrt(1 - keep_x^2) z(u), but sigma_x z(u) on the first day

    Units: log attack rate; draw a probability, z the inverse normal.
    Source: counts of attacks cluster more than independent ones would; autoregression of order 1 assumed.

    >>> burst(2.0, 0.5, 1.0, 0.5)
    1.0
    """
    return kept * now + innovation * inverse_normal(draw)


@rule
def burst_factor(shock: float, deviation: float) -> float:
    """Factor by which a shock raises attack rates; its mean is 1.

    exp(x - sigma_x^2 / 2)

    Units: shock in log attack rate.
    Source: mean of a log-normal variable.

    >>> burst_factor(0.0, 0.0)
    1.0
    """
    return exp(shock - 0.5 * deviation * deviation)


@rule
def rate_in_burst(rate: float, factor: float) -> float:
    """Attacks a day that a wing intends under the shock of its theatre.

    lambda <- lambda exp(x - sigma_x^2 / 2), at most 60

    Units: attacks/day.
    Source: form assumed.

    >>> rate_in_burst(2.0, 0.5)
    1.0
    """
    raised = rate * factor
    return raised if raised < MAX_RATE else MAX_RATE


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


@rule
def theatre_weight(now: float, deviation: float, draw: float) -> float:
    """Weight of a theatre among those where the target is attacked, from this week on.

    w <- w exp(sigma_w z(u)), but exp(sigma_0 z(u)) in the first week

    Units: 1, and 1 before the first week; draw a probability, z the inverse normal.
    Source: the split of attacks over theatres is assumed; a random walk of its logarithm, which any start allows.

    >>> theatre_weight(1.5, 0.0, 0.9)
    1.5
    """
    return now * exp(deviation * inverse_normal(draw))


@rule
def share_factor(weight: float, weighted: float, rates: float) -> float:
    """Factor on the attack rates of a theatre by its weight: all baseline rates together stay as they are.

    w / w_mean, or 1 where no theatre has a weight or all rates are zero

    Units: the mean is weighted / rates, sums over the theatres where the target is attacked of the baseline rates of
    their wings, in attacks/day, with and without their weights.
    Source: a split of a known total (Aitchison 1986, logistic normal).

    >>> share_factor(1.5, 2.4, 2.0), share_factor(1.5, 0.0, 0.0)
    (1.25, 1.0)
    """
    return weight / (weighted / rates) if weighted > 0.0 else 1.0
