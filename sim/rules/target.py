"""The target: how it is provoked, when it answers, whom it hits and when it holds back."""

from typing import TYPE_CHECKING, Final

from sim.numbers.compiled import rule
from sim.rules import old_names
from sim.rules.rates import rate_to_probability

if not TYPE_CHECKING:
    __getattr__ = old_names(__name__)

NOTHING: Final = 0
STRUCK: Final = 1
DECLINED: Final = 2


@rule
def provocation_by(weight: float, size: float) -> float:
    """How much more than the attacks themselves one kind of event of a day provokes the target.

    w_inj injured, w_kill killed, w_answer answered

    Units: attacks; size in soldiers, and 0 or 1.
    Source: F04, F05; weights assumed.

    >>> provocation_by(0.5, 2.0)
    1.0
    """
    return weight * size


@rule
def provocation(now: float, kept: float, attacks: float, injured: float, killed: float, answer: float) -> float:
    """Provocation of the target after another day.

    U <- U keep_U + attacks + provocation by injured, killed and an open answer

    Units: attacks.
    Source: F01, F04, F05; a fading sum is assumed.

    >>> provocation(4.0, 0.5, 1.0, 1.0, 5.0, 0.0)
    9.0
    """
    return now * kept + attacks + injured + killed + answer


@rule
def limited_response_probability(
    rate: float, provocation: float, threshold: float, casualty_rate: float, casualties: bool
) -> float:
    """Chance of a limited response today.

    1 - exp(-(rho_0 [injured or killed today] + rho max(0, U - U_0)))

    Units: rate in 1/(attack day), casualty_rate in 1/day, provocation and threshold in attacks.
    Source: public record of one response in 12 to 25 attacks; form assumed.

    >>> limited_response_probability(0.5, 3.0, 8.0, 0.25, False)
    0.0
    """
    excess = provocation - threshold
    return rate_to_probability(rate * (excess if excess > 0.0 else 0.0) + (casualty_rate if casualties else 0.0))


@rule
def limited_response_occurs(draw: float, probability: float, forced: bool, held: bool) -> bool:
    """Whether a limited response comes today.

    not held and (forced or u < p)

    Units: probabilities. It is held back while a major response is due or falls.
    Source: public record; no limited response while a major one is pending is assumed.

    >>> limited_response_occurs(0.2, 0.1, False, False)
    False
    """
    return not held and (forced or draw < probability)


@rule
def major_response_occurs(pending: float, forced: bool, held: bool) -> bool:
    """Whether the announced major response comes today.

    forced, or (0 < pending <= 1 and not held)

    Units: pending in days left as of yesterday, 0 when nothing is announced.
    Source: F05; forced and held are how documented history is pinned.

    >>> major_response_occurs(1.0, False, False)
    True
    """
    return forced or (pending > 0.0 and pending <= 1.0 and not held)


@rule
def days_pending(pending: float, fell: bool, killed: float, delay: float, able: float) -> float:
    """Days left to the announced major response, as of tonight.

    T_major on the day of deaths when nothing was announced, one less each day, 0 once it fell

    Units: days; able is 1 when deaths draw a major response, else 0.
    Source: F04, F05; further deaths meanwhile do not start the count again.

    >>> days_pending(0.0, False, 3.0, 5.0, 1.0)
    5.0
    """
    if fell:
        return 0.0
    if pending > 0.0:
        return pending - 1.0 if pending > 1.0 else pending
    return delay if killed > 0.0 and able > 0.0 else 0.0


@rule
def leader_choice(draw: float, opportunity: float, quiet: float, patience: float, busy: bool) -> int:
    """What becomes of a chance to strike a militia leader: 0 no chance came or busy, 1 struck, 2 declined.

    a chance comes when u < p_opp; it is declined once quiet >= T_quiet

    Units: quiet and patience in days, draw and opportunity probabilities; busy while another response is due.
    Source: F29, F30.

    >>> leader_choice(0.01, 0.02, 9.0, 7.0, False)
    2
    """
    if busy or draw >= opportunity:
        return 0
    return 2 if quiet >= patience else 1


@rule
def quiet_days(quiet: float, acknowledged: float) -> float:
    """Days since the last acknowledged attack on the target.

    0 on a day with one, else one more

    Units: days.
    Source: F29: calm is what the target does not want to disturb.

    >>> quiet_days(4.0, 0.0)
    5.0
    """
    return 0.0 if acknowledged > 0.0 else quiet + 1.0


@rule
def provocation_after_response(provocation: float, left: float, responded: bool) -> float:
    """Provocation once the day's answer, if any, was given.

    U <- reset U after a response

    Units: attacks; left is a share.
    Source: F30: after the strikes, more were judged to serve nothing; size assumed.

    >>> provocation_after_response(8.0, 0.25, True)
    2.0
    """
    return provocation * left if responded else provocation


@rule
def attribution_succeeds(draw: float, attribution: float, recent: float) -> bool:
    """Whether a response hits wings by what they did lately.

    u < q_attr, if any of them attacked lately at all

    Units: probabilities; recent in attacks, over all wings that can be struck.
    Source: F17: blame fell on an umbrella, not on one group; form assumed.

    >>> attribution_succeeds(0.4, 0.7, 0.0)
    False
    """
    return recent > 0.0 and draw < attribution


@rule
def targeting_weight(attributed: bool, recent: float) -> float:
    """Weight with which a response picks one wing.

    recent attacks when the attack was attributed, else the same for every wing

    Units: attacks or 1.
    Source: F17: blame fell on an umbrella, not on one group; form assumed.

    >>> targeting_weight(True, 2.5)
    2.5
    """
    return recent if attributed else 1.0


@rule
def strikes_on_wing(
    raid: float, in_major: bool, major: float, in_limited: bool, in_leader: bool, leader: float
) -> float:
    """Strikes that fall on one wing today.

    scheduled raids + I_major in a major response + 1 in a limited one + I_leader in a leader strike

    Units: limited strikes on one wing.
    Source: F05, F29, F32; a major response hits every wing it can in full.

    >>> strikes_on_wing(0.0, True, 3.0, False, False, 2.0)
    3.0
    """
    return raid + (major if in_major else 0.0) + (1.0 if in_limited else 0.0) + (leader if in_leader else 0.0)


@rule
def strikes_nearby(collective: float, own: float) -> float:
    """Strikes that fell on the other wings of one's collective.

    max(0, strikes on the collective - strikes on oneself)

    Units: limited strikes.
    Source: definition of S_collective.

    >>> strikes_nearby(9.0, 3.0)
    6.0
    """
    others = collective - own
    return others if others > 0.0 else 0.0


@rule
def strikes_patron(responded: bool, rung: float, threshold: float) -> bool:
    """Whether a response hits the patron too.

    responded and rung >= rung_E

    Units: rungs of the ladder.
    Source: F28: it never did, so the threshold lies above the ladder by default.

    >>> strikes_patron(True, 4.0, 7.0)
    False
    """
    return responded and rung >= threshold
