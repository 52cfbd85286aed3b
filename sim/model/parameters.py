"""Every parameter of the model, declared once.

A declaration gives default, range, unit, prior shape, provenance class, source and meaning. The Hydra schema, the
validation, the numbers that the engines read, the prior, the sensitivity problem and the sliders all come from here.

Provenance classes: measured (a published count or date), expert (a judgement reported by a named kind of source),
assumed (ours), calibrated (chosen so that the documented figures come out; `docs/model.md` says how).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

Provenance = Literal["measured", "expert", "assumed", "calibrated"]


@dataclass(frozen=True)
class Prior:
    """Shape of a prior; `uniform` and `log_uniform` span (a, b), `normal` has mean a and deviation b."""

    shape: Literal["fixed", "uniform", "log_uniform", "normal"]
    a: float = math.nan
    b: float = math.nan

    def __str__(self) -> str:
        return self.shape if self.shape == "fixed" else f"{self.shape}({self.a:g}, {self.b:g})"


FIXED = Prior("fixed")


def uniform(a: float, b: float) -> Prior:
    """Every value between a and b alike."""
    return Prior("uniform", a, b)


def log_uniform(a: float, b: float) -> Prior:
    """Every ratio alike: for scales and rates, 0 < a < b."""
    return Prior("log_uniform", a, b)


def normal(mean: float, deviation: float) -> Prior:
    """Bell-shaped, cut at the declared range."""
    return Prior("normal", mean, deviation)


def first_words(text: str) -> str:
    """A title where none is declared: the text up to its first afterthought.

    >>> first_words("half-life of weariness; a toy")
    'Half-life of weariness'
    """
    words = re.split(r"[;:,(]", text)[0].strip()
    return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class Declaration:
    """What is known of one parameter apart from its value; low and high are inclusive.

    `title` names it in a table or a figure, `text` says what it is. Without a title the text gives one. `first_day` is
    true where it acts on the first day alone, so that a later change of it would do nothing.
    """

    default: float | None
    low: float
    high: float
    unit: str
    prior: Prior
    provenance: Provenance
    source: str
    text: str
    symbol: str
    title: str = ""
    first_day: bool = False

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", first_words(self.text))


def param(default: float | None, *declaration: Any) -> Any:
    """Declare one parameter as a dataclass field, with the values of `Declaration` in order.

    With no default the configuration must give the value.
    """
    metadata = {"declaration": Declaration(default, *declaration)}
    return field(metadata=metadata) if default is None else field(default=default, metadata=metadata)


# fmt: off
@dataclass(frozen=True)
class PatronParameters:
    """How the patron holds its proxies and how it takes fright."""

    control: float = param(
        0.75, 0.0, 1.0, "1", uniform(0.4, 1.0), "calibrated", "F13, F15: broad directions only",
        "hold over its proxies; 1 is a tight leash", "L", "Control over the proxies",
    )
    war_risk_half_life: float = param(
        15.0, 2.0, 90.0, "days", log_uniform(5.0, 45.0), "assumed", "assumed: an alarm fades in weeks",
        "half-life of perceived war risk", "h_W", "Half-life of perceived war risk",
    )
    alarm_per_strike: float = param(
        0.06, 0.0, 1.0, "1 per strike", uniform(0.0, 0.3), "assumed", "F09; size assumed",
        "perceived war risk added by one strike of the target, in units of one limited strike on one wing",
        "w_S", "Alarm per strike",
    )
    alarm_per_death: float = param(
        1.0, 0.0, 3.0, "1", uniform(0.5, 2.0), "assumed", "F09, F10; size assumed",
        "perceived war risk added by deaths of the target's soldiers, times 1.5 log2(1 + killed)",
        "w_K", "Alarm at deaths",
    )
    alarm_of_threat: float = param(
        0.4, 0.0, 2.0, "1/day", uniform(0.0, 1.0), "assumed", "F05, F09, F10; size assumed",
        "perceived war risk added on each day that an announced response is pending",
        "w_T", "Alarm at an announced response",
    )
    alarm_per_act: float = param(
        0.5, 0.0, 5.0, "1 per act", uniform(0.0, 1.0), "assumed", "F36; size assumed",
        "perceived war risk added by one act against the patron itself", "w_E", "Alarm per act against the patron",
    )
    alarm_threshold: float = param(
        2.5, 0.5, 10.0, "1", uniform(1.0, 4.0), "calibrated", "F09: the fear that set off the turn; level assumed",
        "perceived war risk at which the patron starts to deliberate", "W_alarm", "War risk that starts deliberation",
    )
    deliberation_days: float = param(
        2.0, 1.0, 15.0, "days", uniform(1.0, 6.0), "expert", "F16: emergency meetings within days of the deaths",
        "days from alarm to new orders", "T_delib", "Days of deliberation",
    )
    minimum_days: float = param(
        35.0, 0.0, 180.0, "days", uniform(10.0, 90.0), "assumed", "F02, F34: at least to the report",
        "days that an order to hold back stands before it can be released",
        "T_min", "Shortest time of an order to hold back",
    )
    release_rate: float = param(
        0.02, 0.0, 0.5, "1/day", log_uniform(0.002, 0.2), "assumed", "assumed: F34, F37 leave it open",
        "daily rate of releasing the order once perceived war risk is gone", "k_rel", "Rate of releasing the order",
    )
    directive_free: float = param(
        0.3, 0.0, 1.0, "1", uniform(0.1, 0.6), "assumed", "F08: the campaign was ordered; level assumed",
        "activity of a fully compliant wing with no order at all, as a share of the ordered campaign",
        "d_free", "Activity without any order",
    )
    directive_reduce: float = param(
        0.1, 0.0, 1.0, "1", log_uniform(5e-4, 0.4), "calibrated", "F03, F22: less intense where it asks to reduce",
        "activity left by an order to reduce", "d_reduce", "Activity under an order to reduce",
    )
    directive_stop: float = param(
        0.001, 0.0, 0.5, "1", log_uniform(1e-4, 0.1), "expert", "F21: stop all attacks; what is left is assumed",
        "activity left by an order to stop", "d_stop", "Activity under an order to stop",
    )
    directive_release: float = param(
        0.6, 0.0, 1.0, "1", uniform(0.2, 1.0), "assumed", "assumed: F34, F37",
        "activity once the order to hold back is released", "d_release", "Activity after the release",
    )
    gains_weight: float = param(
        0.25, 0.0, 1.0, "1", uniform(0.0, 0.5), "calibrated", "F18; size assumed",
        "compliance added by the argument that enough was gained", "s", "Weight of what was gained",
    )
    gains_scale: float = param(
        100.0, 5.0, 1000.0, "attacks", log_uniform(30.0, 300.0), "assumed", "F18; scale assumed",
        "ordered attacks on the target after which two thirds of the gains are made",
        "N_gains", "Attacks until gains convince",
    )
    open_answer: float = param(
        0.0, 0.0, 1.0, "1/day", FIXED, "measured", "F36: no open answer so far",
        "chance a day that the patron answers acts against it openly", "q_E", "Chance of an open answer",
    )


@dataclass(frozen=True)
class ComplianceParameters:
    """How fast militias follow the patron's order and how fast they forget it."""

    rate: float = param(
        0.5, 0.02, 1.0, "1/day", log_uniform(0.2, 1.0), "calibrated", "F19, F20: within days; speed assumed",
        "daily rate at which a wing without autonomy or ideology, under full control, moves to compliance",
        "r", "Rate of compliance",
    )
    relax_rate: float = param(
        0.1, 0.0, 1.0, "1/day", log_uniform(0.02, 0.5), "assumed", "assumed",
        "daily rate at which compliance is forgotten while the campaign is ordered",
        "r_relax", "Rate of losing compliance",
    )


@dataclass(frozen=True)
class PauseParameters:
    """How groups decide to pause and to fight again, and what goes on while they pause (`mechanisms.pause`)."""

    pausing_rate: float = param(
        0.5, 0.0, 10.0, "1/day", log_uniform(0.05, 4.0), "assumed", "F19 to F21: within days to weeks; speed assumed",
        "daily rate at which a wing without ideology moves its group to pause, under an order that convinces it wholly",
        "r_p", "Rate of pausing",
    )
    fear_weight: float = param(
        0.05, 0.0, 1.0, "1", log_uniform(0.005, 0.5), "assumed", "F33; size assumed",
        "what one unit of fear adds to the conviction that moves a group to pause", "w_f", "Weight of fear in pausing",
    )
    threat_weight: float = param(
        0.05, 0.0, 1.0, "1", log_uniform(0.005, 0.5), "assumed", "F10; size assumed",
        "what an announced response adds to the conviction that moves a group to pause",
        "w_t", "Weight of a threat in pausing",
    )
    breaking_rate: float = param(
        0.0003, 0.0, 0.1, "1/day", log_uniform(1e-5, 3e-3), "assumed", "F34; assumed to be rare",
        "daily rate at which a pause breaks while the order to hold back stands", "beta", "Rate of breaking a pause",
    )
    resuming_rate: float = param(
        0.03, 0.0, 1.0, "1/day", log_uniform(2e-3, 0.3), "assumed", "assumed: F34, F37 leave it open",
        "daily rate at which a paused group fights again once no order to hold back stands",
        "rho_r", "Rate of fighting again",
    )
    reprisal_rate: float = param(
        0.02, 0.0, 1.0, "1 per strike", log_uniform(2e-3, 0.2), "assumed", "F30; size assumed",
        "what one limited strike on a wing adds to the daily rate at which its paused group fights again",
        "k_s", "Rate of fighting again per strike",
    )
    residual: float = param(
        0.01, 0.0, 1.0, "1", log_uniform(1e-4, 0.3), "assumed", "F02: none in 25 days; level assumed",
        "activity of a paused group where it is ordered to stop, as a share of its baseline",
        "epsilon", "Activity left in a pause",
    )


@dataclass(frozen=True)
class BurstParameters:
    """How attacks cluster in time (`mechanisms.bursts`)."""

    burst_deviation: float = param(
        0.5, 0.0, 2.0, "1", uniform(0.0, 1.0), "assumed", "counts of attacks cluster; size assumed",
        "standard deviation of the shock to log attack rates that all wings of a theatre share",
        "sigma_x", "Size of bursts",
    )
    burst_half_life: float = param(
        3.0, 0.5, 60.0, "days", uniform(1.0, 10.0), "assumed", "assumed",
        "half-life of that shock", "h_x", "Half-life of bursts",
    )


@dataclass(frozen=True)
class ShareParameters:
    """How uncertain the theatres' shares of the attacks on the target are, and how they change."""

    share_deviation: float = param(
        0.0, 0.0, 2.0, "1", uniform(0.0, 0.5), "assumed", "the split of attacks over theatres is assumed",
        "standard deviation of the logarithm of a theatre's weight in the first week",
        "sigma_0", "Uncertainty of shares", True,
    )
    share_drift: float = param(
        0.0, 0.0, 1.0, "1", uniform(0.0, 0.1), "assumed", "assumed: slow",
        "standard deviation of what each later week adds to that logarithm", "sigma_w", "Weekly change of shares",
    )


@dataclass(frozen=True)
class DeterrenceParameters:
    """What a strike does to a militia: fear, grievance, and capacity."""

    strike_fear: float = param(
        0.2, 0.0, 2.0, "1 per strike", log_uniform(0.03, 0.6), "assumed",
        "assumed: gross size; retaliation studies find null or mixed net effects",
        "fear added to a wing by one limited strike on it", "phi_own", "Fear per strike",
    )
    strike_net: float = param(
        0.0, -0.5, 0.5, "1 per strike", normal(0.0, 0.1), "assumed",
        "retaliation studies: null or mixed-sign short-run effects",
        "grievance less fear added by one limited strike: above zero a strike provokes",
        "psi_own - phi_own", "Net provocation per strike",
    )
    spillover: float = param(
        0.1, 0.0, 1.0, "1", uniform(0.0, 0.3), "assumed", "assumed",
        "effect of a strike on another wing of the same collective, as a share of a strike on oneself",
        "phi_other/phi_own", "Spillover within a collective",
    )
    fear_half_life: float = param(
        10.0, 1.0, 120.0, "days", log_uniform(4.0, 60.0), "calibrated", "F03, F34; assumed to fade in weeks",
        "half-life of fear", "h_f", "Half-life of fear",
    )
    grievance_half_life: float = param(
        10.0, 1.0, 120.0, "days", log_uniform(4.0, 60.0), "assumed", "assumed: as fear",
        "half-life of grievance", "h_v", "Half-life of grievance",
    )
    grievance_max: float = param(
        1.5, 0.2, 3.0, "1", uniform(0.5, 2.5), "assumed", "assumed: uncapped, strikes and attacks run away",
        "ceiling of grievance", "v_max", "Ceiling of grievance",
    )
    major_fear: float = param(
        2.5, 0.0, 8.0, "1", uniform(0.0, 6.0), "calibrated", "F05, F33; size assumed",
        "fear added once to every targeted wing by a major response", "J", "Fear after a major response",
    )
    rebuild_days: float = param(
        20.0, 1.0, 180.0, "days", log_uniform(5.0, 90.0), "assumed", "F11: the patron arms and trains",
        "time to rebuild lost capacity under full supply", "tau", "Days to rebuild capacity",
    )
    damage: float = param(
        0.05, 0.0, 1.0, "1 per strike", uniform(0.0, 0.2), "assumed", "assumed",
        "capacity destroyed by one limited strike, as a rate in the exponent", "zeta", "Capacity lost per strike",
    )
    wear: float = param(
        0.004, 0.0, 0.1, "1", uniform(0.0, 0.02), "assumed", "assumed",
        "capacity used up by a day of attacks at the baseline rate", "wear", "Capacity used up by attacks",
    )


@dataclass(frozen=True)
class TargetParameters:
    """How the target is provoked and how it answers and holds back."""

    provocation_half_life: float = param(
        7.0, 1.0, 60.0, "days", log_uniform(3.0, 30.0), "assumed", "assumed",
        "half-life of provocation", "h_U", "Half-life of provocation",
    )
    injured_weight: float = param(
        0.3, 0.0, 5.0, "attacks", uniform(0.0, 1.0), "assumed", "assumed",
        "provocation by one injured soldier, in attacks", "w_inj", "Provocation per injured soldier",
    )
    killed_weight: float = param(
        5.0, 0.0, 50.0, "attacks", uniform(1.0, 10.0), "assumed", "F04, F05; size assumed",
        "provocation by one killed soldier, in attacks", "w_kill", "Provocation per killed soldier",
    )
    provocation_threshold: float = param(
        8.0, 0.0, 60.0, "attacks", uniform(2.0, 16.0), "calibrated", "public record: one response in 12 to 25 attacks",
        "provocation below which the target does not answer", "U_0", "Provocation without an answer",
    )
    response_rate: float = param(
        0.03, 0.0, 1.0, "1/(attack day)", log_uniform(0.005, 0.2), "calibrated",
        "public record: one response in 12 to 25 attacks",
        "daily rate of a limited response for each attack of provocation above the threshold",
        "rho", "Rate of limited responses",
    )
    casualty_response_rate: float = param(
        0.1, 0.0, 2.0, "1/day", log_uniform(0.01, 1.0), "assumed", "assumed",
        "daily rate of a limited response added on a day with injured or killed soldiers",
        "rho_0", "Rate of responses to casualties",
    )
    response_relief: float = param(
        0.3, 0.0, 1.0, "1", uniform(0.0, 0.8), "assumed", "assumed",
        "share of provocation left after a response", "reset", "Provocation left after a response",
    )
    major_days: float = param(
        5.0, 1.0, 15.0, "days", uniform(3.0, 8.0), "measured", "F04, F05: 28 January to 2 February",
        "days from deaths to the major response", "T_major", "Days to the major response",
    )
    major_intensity: float = param(
        3.0, 0.0, 10.0, "strikes", uniform(1.0, 6.0), "assumed", "F05: a series of air strikes; size assumed",
        "strikes on each targeted wing in a major response", "I_major", "Size of the major response",
    )
    leader_chance: float = param(
        0.025, 0.0, 0.5, "1/day", log_uniform(0.005, 0.1), "calibrated", "F29: at least one chance in 25 days",
        "chance a day of an opportunity to strike a militia leader", "p_opp", "Chance to strike a leader",
    )
    leader_intensity: float = param(
        2.0, 0.0, 10.0, "strikes", uniform(0.5, 4.0), "assumed", "assumed",
        "size of a leader strike in limited strikes", "I_leader", "Size of a leader strike",
    )
    quiet_days: float = param(
        5.0, 0.0, 60.0, "days", uniform(2.0, 20.0), "calibrated", "F29, F30; length assumed",
        "days without an acknowledged attack after which leader strikes are declined",
        "T_quiet", "Quiet days that rule out leader strikes",
    )
    attribution: float = param(
        0.7, 0.0, 1.0, "1", uniform(0.3, 1.0), "assumed", "F17: blame fell on the umbrella",
        "chance that a response hits wings in proportion to their recent attacks", "q_attr", "Chance of attribution",
    )
    attribution_half_life: float = param(
        7.0, 1.0, 60.0, "days", log_uniform(3.0, 30.0), "assumed", "assumed",
        "half-life of the record of recent attacks", "h_attr", "Half-life of recent attacks",
    )
    patron_strike_rung: float = param(
        7.0, 1.0, 7.0, "rung", FIXED, "measured", "F28: has not attacked the patron itself",
        "rung of the ladder from which a response strikes the patron too; 7 is never",
        "rung_E", "Rung of strikes on the patron",
    )
    patron_strike_acts: float = param(
        4.0, 0.0, 10.0, "acts", FIXED, "assumed", "assumed: matters only if the patron is struck",
        "weight of a strike on the patron, in acts against it", "e_US", "Weight of a strike on the patron",
    )
    answer_provocation: float = param(
        20.0, 0.0, 100.0, "attacks", FIXED, "assumed", "assumed: matters only if the patron answers openly",
        "provocation by an open answer of the patron", "w_answer", "Provocation by an open answer",
    )


@dataclass(frozen=True)
class MediatorParameters:
    """How the mediators gain and use pressure on the militias."""

    half_life: float = param(
        20.0, 2.0, 120.0, "days", log_uniform(7.0, 60.0), "assumed", "assumed",
        "half-life of the mediators' pressure", "h_M", "Half-life of pressure",
    )
    per_strike: float = param(
        0.02, 0.0, 0.5, "1 per strike", uniform(0.0, 0.06), "assumed", "F27; size assumed",
        "pressure added by one strike in the mediators' own country", "mu_S", "Pressure per strike at home",
    )
    per_death: float = param(
        0.1, 0.0, 1.0, "1 per death", uniform(0.0, 0.3), "assumed", "F26; size assumed",
        "pressure added by one killed soldier", "mu_K", "Pressure per killed soldier",
    )
    talks: float = param(
        0.03, 0.0, 0.5, "1/day", uniform(0.0, 0.1), "assumed", "F27; size assumed",
        "pressure added a day while talks on withdrawal are open", "mu_T", "Pressure by talks",
    )
    weight: float = param(
        0.6, 0.0, 1.0, "1", uniform(0.1, 0.8), "calibrated", "F20, F26; size assumed",
        "compliance added by full pressure", "m", "Weight of mediation",
    )
    restraint: float = param(
        0.3, 0.0, 1.0, "1", uniform(0.0, 0.6), "assumed", "F26; size assumed",
        "activity that full pressure takes from a compliant wing even without an order",
        "m_0", "Restraint by mediators",
    )
    ideology_relief: float = param(
        0.7, 0.0, 1.0, "1", uniform(0.2, 1.0), "assumed", "F19, F20, F26",
        "share of ideological resistance that full pressure overcomes", "xi", "Resistance that mediators overcome",
    )


@dataclass(frozen=True)
class CasualtyParameters:
    """What an attack on the target's soldiers does."""

    penetration: float = param(
        0.08, 0.0, 0.5, "1 per attack", uniform(0.01, 0.25), "assumed", "F01, F04: few attacks got through",
        "chance that an attack gets through the defences", "p_pen", "Chance of getting through",
    )
    lethality: float = param(
        0.07, 0.0, 1.0, "1 per hit", uniform(0.01, 0.3), "calibrated", "F01, F04: one lethal attack in about 170",
        "chance that an attack that got through kills", "p_lethal", "Chance of killing",
    )
    tail_exponent: float = param(
        2.4, 1.5, 4.0, "1", normal(2.4, 0.1), "measured", "studies of the severity of terrorist attacks: about 2.4",
        "density exponent of the number killed", "alpha", "Tail exponent of deaths",
    )
    exposure: float = param(
        350.0, 1.0, 2000.0, "soldiers", FIXED, "assumed", "public record: about 350 at the outpost hit on 28 January",
        "most that one attack can kill", "K_max", "Most deaths in one attack",
    )
    injured_mean: float = param(
        2.0, 0.0, 20.0, "soldiers per hit", log_uniform(0.3, 10.0), "assumed", "prior only: the record has no figure",
        "mean number injured by an attack that got through", "mean injured", "Mean number injured",
    )
    small_penetration: float = param(
        0.4, 0.0, 1.0, "1", uniform(0.1, 1.0), "assumed", "F03, F22: so that there are no deaths",
        "chance of getting through of a small attack, as a share of an ordinary one",
        "q_small", "Penetration of small attacks",
    )


@dataclass(frozen=True)
class ObservationParameters:
    """What the official count sees."""

    chance: float = param(
        0.85, 0.3, 1.0, "1 per attack", uniform(0.7, 1.0), "assumed",
        "public record: official counts and monitors differ by up to 1.4 times",
        "chance that an attack is acknowledged", "p_obs", "Chance of acknowledgement",
    )
    small: float = param(
        0.8, 0.05, 1.0, "1", uniform(0.05, 1.0), "assumed", "assumed: small attacks are easier to pass over",
        "chance of being acknowledged of a small attack, as a share of an ordinary one",
        "p_obs_small", "Acknowledgement of small attacks",
    )


@dataclass(frozen=True)
class LadderParameters:
    """The way up to direct war. The data cannot identify it; the prior alone speaks."""

    cooling: float = param(
        0.2, 0.01, 2.0, "rungs/day", uniform(0.05, 0.5), "assumed", "assumed",
        "rungs that the recent height of the ladder loses a day", "cooling", "Cooling of the ladder",
    )
    war_threshold: float = param(
        3.0, 0.5, 20.0, "1", uniform(2.0, 6.0), "assumed", "F10: another death was expected to mean war",
        "perceived war risk above which direct war can break out", "W_war", "War risk from which war is possible",
    )
    war_rate: float = param(
        0.0004, 0.0, 0.05, "1/(rung day)", log_uniform(0.00005, 0.005), "assumed", "F10, F37; size assumed",
        "daily rate of war for each unit of war risk above the threshold and each recent rung",
        "k_war", "Rate of direct war",
    )


@dataclass(frozen=True)
class MultiplierParameters:
    """Shared factors on the values of all wings: how calibration and sweeps move them together."""

    baseline: float = param(
        1.0, 0.0, 4.0, "1", log_uniform(0.5, 2.0), "calibrated", "F01: about 170 attacks",
        "factor on every wing's baseline rate", "x_b", "Factor on baseline rates",
    )
    gate: float = param(
        1.0, 0.0, 1.0, "1", uniform(0.5, 1.0), "assumed", "F24; that attacks depend on the war entirely is assumed",
        "factor on every theatre's gate: how far attacks depend on the rival's war", "x_g", "Factor on gates",
    )
    autonomy: float = param(
        1.0, 0.0, 3.0, "1", uniform(0.5, 1.5), "assumed", "F13, F14, F15",
        "factor on every wing's autonomy (the product is cut at 1)", "x_a", "Factor on autonomy",
    )
    ideology: float = param(
        1.0, 0.0, 3.0, "1", uniform(0.5, 1.5), "assumed", "F19",
        "factor on every wing's ideology (the product is cut at 1)", "x_i", "Factor on ideology",
    )


@dataclass(frozen=True)
class Wing:
    """One group in one theatre: three numbers and where it stands. The configuration gives every value."""

    name: str
    group: str
    theatre: str
    collective: str
    mediated: bool
    baseline: float = param(
        None, 0.0, 30.0, "attacks/day", FIXED, "assumed", "configuration",
        "attacks a day in the ordered campaign with full capacity", "b", "Baseline rate",
    )
    autonomy: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "independence from the patron: 0 obeys, 1 does as it likes", "a", "Autonomy",
    )
    ideology: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "resistance to a pause on grounds of ideology and identity", "ideology", "Resistance on grounds of ideology",
    )


@dataclass(frozen=True)
class Theatre:
    """One place of attack: whom it hits, how it depends on the rival's war, and what the patron asks of it."""

    name: str
    kind: Literal["target", "rival", "shipping"]
    mediated: bool
    restraint: Literal["stop", "reduce", "unchanged"]
    gate: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "how far attacks depend on the rival's war: 0 not at all, 1 entirely", "gamma_k",
        "Dependence on the rival's war",
    )
    supply: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "supply by the patron, as a share of what rebuilding asks for", "supply_k", "Supply by the patron",
    )


@dataclass(frozen=True)
class Parameters:
    """The numbers of one case that hold for all wings and theatres."""

    patron: PatronParameters
    compliance: ComplianceParameters
    pause: PauseParameters
    bursts: BurstParameters
    shares: ShareParameters
    deterrence: DeterrenceParameters
    target: TargetParameters
    mediator: MediatorParameters
    casualties: CasualtyParameters
    observation: ObservationParameters
    ladder: LadderParameters
    multipliers: MultiplierParameters
# fmt: on


@cache
def group_declarations(group: type) -> tuple[tuple[str, Declaration], ...]:
    """(Field name, declaration) of every parameter of one group, in order."""
    return tuple((one.name, one.metadata["declaration"]) for one in fields(group) if "declaration" in one.metadata)


def shared_groups() -> Iterator[tuple[str, type]]:
    """Yield (configuration key, dataclass) of the groups whose numbers hold for the whole case."""
    for one in fields(Parameters):
        assert isinstance(one.type, type)
        yield one.name, one.type


def group_title(key: str) -> str:
    """What the parameters of a shared group say, from the first words on its class.

    >>> group_title("bursts"), group_title("deterrence")
    ('How attacks cluster in time', 'What a strike does to a militia')
    """
    return first_words((dict(shared_groups())[key].__doc__ or key).partition(".")[0])


@cache
def shared_declarations() -> MappingProxyType[str, Declaration]:
    """All declarations of the whole case by full configuration key, such as `patron.control`."""
    every = ((f"{key}.{name}", one) for key, group in shared_groups() for name, one in group_declarations(group))
    return MappingProxyType(dict(every))


def declaration_of(key: str) -> Declaration | None:
    """The declaration of a parameter by its full key, that of a wing or a theatre too; None of another key.

    >>> declaration_of("militia.nujaba_iraq.autonomy").title, declaration_of("seed")
    ('Autonomy', None)
    """
    kind, _, rest = key.partition(".")
    local = {"militia": Wing, "theatre": Theatre}.get(kind)
    if local is None:
        return shared_declarations().get(key)
    return dict(group_declarations(local)).get(rest.partition(".")[2])


def default_parameters() -> Parameters:
    """The declared defaults."""
    return Parameters(**{key: group() for key, group in shared_groups()})


@dataclass(frozen=True)
class Mechanisms:
    """One switch for every mechanism; off means a neutral value, which the engines use."""

    rival_war_gate: bool = True
    """Attacks depend on the rival's war."""
    fear: bool = True
    """Strikes frighten the wings they hit and their neighbours."""
    grievance: bool = True
    """Strikes embitter the wings they hit and their neighbours."""
    capacity: bool = True
    """Strikes and attacks use up capacity, supply restores it."""
    patron_restraint: bool = True
    """The patron, once alarmed, orders its proxies to hold back."""
    pause: bool = True
    """Groups decide to pause and to fight again; off, wings comply in part and by degrees."""
    bursts: bool = True
    """Attacks cluster: all wings of a theatre share shocks that last some days."""
    obedience: bool = True
    """Militias heed an order to hold back."""
    threat_fear: bool = True
    """An announced response frightens the patron and the militias before it falls."""
    autonomy: bool = True
    """Wings differ from the patron in what they want; off, they all obey."""
    mediation: bool = True
    """Mediators press the militias."""
    limited_response: bool = True
    """The target answers attacks with limited and leader strikes."""
    major_response: bool = True
    """The target announces and carries out a major response to deaths."""
    target_restraint: bool = True
    """The target declines leader strikes while it is quiet."""
    observation: bool = True
    """Some attacks go unacknowledged."""


MECHANISM_NAMES = tuple(one.name for one in fields(Mechanisms))
