"""The record of a history: the outcomes of a run, each with unit, tail and meaning, and the rules that find them.

Days are day numbers, NEVER where the thing did not happen. Counts by wing are kept for three windows: the campaign
(before the day of the strikes), the lull (after that day, up to the report) and later; the day of the strikes itself
belongs to none.
"""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Outcome:
    """One number per run: `title` names it in a table or a figure, `text` says what it is.

    Heavy-tailed ones are summarised by quantiles and exceedance, never by mean and error.
    """

    name: str
    unit: str
    text: str
    title: str = ""
    heavy_tailed: bool = False
    scale: float = 1.0


RECORDED: Final = (
    Outcome("deaths", "soldiers", "soldiers of the target killed", "Soldiers killed", heavy_tailed=True),
    Outcome("lethal_attacks", "attacks", "attacks that killed", "Lethal attacks"),
    Outcome("injured", "soldiers", "soldiers of the target injured", "Soldiers injured"),
    Outcome("first_death_day", "day", "day of the first deaths", "First deaths"),
    Outcome("limited_responses", "responses", "limited responses of the target", "Limited responses"),
    Outcome("leader_strikes", "responses", "strikes on militia leaders", "Leader strikes"),
    Outcome(
        "campaign_responses", "responses", "limited responses and leader strikes during the campaign",
        "Responses during the campaign",
    ),
    Outcome(
        "leader_strikes_declined", "chances", "chances to strike a leader that were declined during the lull",
        "Leader strikes declined",
    ),
    Outcome("major_responses", "responses", "major responses of the target", "Major responses"),
    Outcome("major_day", "day", "day of the first major response", "First major response"),
    Outcome("directive_day", "day", "day on which the patron first ordered restraint", "Order to hold back"),
    Outcome("release_day", "day", "day on which the patron first released that order", "Release of the order"),
    Outcome("war_day", "day", "day on which direct war broke out; the history ends there", "Day of direct war"),
    Outcome(
        "first_attack_day", "day", "day of the first acknowledged attack on the target after the report",
        "First attack after the report",
    ),
    Outcome(
        "resumption_day", "day", "start of the first 14 days with 5 or more acknowledged attacks after strikes",
        "Resumption of attacks",
    ),
    Outcome(
        "peak_war_risk", "1", "highest war risk that the patron perceived",
        "Highest perceived war risk", scale=0.001,
    ),
    Outcome("peak_rung", "rung", "highest rung of the ladder reached", "Highest rung"),
)  # fmt: skip
"""What the engines write per run, whole numbers; the value is the number times `scale`."""

DERIVED: Final = (
    Outcome("attacks_campaign", "attacks", "attacks on the target before the strikes", "Attacks before the strikes"),
    Outcome(
        "acknowledged_campaign", "attacks", "acknowledged attacks on the target before the strikes",
        "Acknowledged attacks before the strikes",
    ),
    Outcome(
        "attacks_lull", "attacks", "attacks on the target between the strikes and the report",
        "Attacks in the lull",
    ),
    Outcome(
        "acknowledged_lull", "attacks", "acknowledged attacks on the target between the strikes and the report",
        "Acknowledged attacks in the lull",
    ),
    Outcome(
        "attacks_per_response", "attacks", "acknowledged attacks per limited or leader response in the campaign",
        "Attacks per response",
    ),
    Outcome(
        "lull_days", "days", "days from the strikes until attacks resumed, cut at war or at the end",
        "Days until attacks resume",
    ),
    Outcome(
        "quiet_days", "days", "days from the strikes to the first acknowledged attack after the report, cut too",
        "Days until the first attack",
    ),
    Outcome("war", "probability", "1 when direct war broke out", "Direct war"),
)  # fmt: skip
"""What follows from the recorded numbers of a run."""

SETTLED: Final = {
    **{one.name: one.name for one in RECORDED if one.unit == "day" and one.name != "war_day"},
    **dict.fromkeys(
        ("campaign_responses", "attacks_campaign", "acknowledged_campaign", "attacks_per_response"), "campaign"
    ),
    **dict.fromkeys(("leader_strikes_declined", "attacks_lull", "acknowledged_lull"), "lull"),
    "lull_days": "resumption_day",
    "quiet_days": "first_attack_day",
}
"""What settles an outcome before the calendar ends: the recorded day of an event, once that has come, or a window, once
it is over. Direct war settles all, but only the end says that none came. No outcome reads what happens outside the
theatres of the target."""

NAMES: Final = tuple(one.name for one in RECORDED)


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
