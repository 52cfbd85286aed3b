"""The outcomes of a run, each declared once with unit, tail and meaning; `sim.rules.outcomes` finds them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Outcome:
    """One number per run: `title` names it in a table or a figure, `text` says what it is.

    Heavy-tailed ones are summarised by quantiles and exceedance, never by mean and error. `compared` says it compared
    with an amount, such as `Lull of {} days`, where the title cannot.
    """

    name: str
    unit: str
    text: str
    title: str = ""
    heavy_tailed: bool = False
    scale: float = 1.0
    compared: str = ""


RECORDED: Final = (
    Outcome("deaths", "soldiers", "soldiers of the target killed", "Soldiers killed", heavy_tailed=True),
    Outcome("lethal_attacks", "attacks", "attacks that killed", "Lethal attacks"),
    Outcome("injured", "soldiers", "soldiers of the target injured", "Soldiers injured"),
    Outcome("first_death_day", "day", "day of the first deaths", "First deaths"),
    Outcome("limited_responses", "responses", "limited responses of the target", "Limited responses"),
    Outcome(
        "leader_strikes", "responses", "strikes on militia leaders", "Leader strikes", compared="{} leader strikes",
    ),
    Outcome(
        "campaign_responses", "responses", "limited responses and leader strikes during the campaign",
        "Responses during the campaign",
    ),
    Outcome(
        "leader_strikes_declined", "chances", "chances to strike a leader that were declined during the lull",
        "Leader strikes declined", compared="{} leader strikes declined",
    ),
    Outcome("major_responses", "responses", "major responses of the target", "Major responses"),
    Outcome("major_day", "day", "day of the first major response", "First major response"),
    Outcome("directive_day", "day", "day on which the patron first ordered restraint", "Order to hold back"),
    Outcome("release_day", "day", "day on which the patron first released that order", "Release of the order"),
    Outcome("war_day", "day", "day on which direct war broke out; the history ends there", "Day of direct war"),
    Outcome(
        "first_attack_day", "day", "day of the first acknowledged attack on the target after the report",
        "First attack since the report",
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
        "Days until attacks resume", compared="Lull of {} days",
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
