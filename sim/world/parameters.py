"""Every parameter of the model, declared once.

A declaration gives default, range, unit, prior shape, provenance class, source and meaning. The Hydra schema, the
validation, the numbers that the engines read, the prior, the sensitivity problem and the sliders all come from here.

Provenance classes: measured (a published count or date), expert (a judgement reported by a named kind of source),
assumed (ours), calibrated (chosen so that the documented figures come out; `docs/model.md` says how).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
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


@dataclass(frozen=True)
class Declaration:
    """What is known of one parameter apart from its value; low and high are inclusive."""

    default: float | None
    low: float
    high: float
    unit: str
    prior: Prior
    provenance: Provenance
    source: str
    text: str
    symbol: str


def param(
    default: float | None,
    low: float,
    high: float,
    unit: str,
    prior: Prior,
    provenance: Provenance,
    source: str,
    text: str,
    symbol: str,
) -> Any:
    """Declare one parameter as a dataclass field; with no default the configuration must give the value."""
    declared = Declaration(default, low, high, unit, prior, provenance, source, text, symbol)
    if default is None:
        return field(metadata={"declaration": declared})
    return field(default=default, metadata={"declaration": declared})


# fmt: off
@dataclass(frozen=True)
class Patron:
    """How the patron holds its proxies and how it takes fright."""

    control: float = param(
        0.75, 0.0, 1.0, "1", uniform(0.4, 1.0), "calibrated", "F13, F15: broad directions only",
        "hold over its proxies; 1 is a tight leash", "L",
    )
    war_risk_half_life: float = param(
        15.0, 2.0, 90.0, "days", log_uniform(5.0, 45.0), "assumed", "assumed: an alarm fades in weeks",
        "half-life of perceived war risk", "h_W",
    )
    alarm_per_strike: float = param(
        0.06, 0.0, 1.0, "1 per strike", uniform(0.0, 0.3), "assumed", "F09; size assumed",
        "perceived war risk added by one strike of the target, in units of one limited strike on one wing", "w_S",
    )
    alarm_per_death: float = param(
        1.0, 0.0, 3.0, "1", uniform(0.5, 2.0), "assumed", "F09, F10; size assumed",
        "perceived war risk added by deaths of the target's soldiers, times 1.5 log2(1 + killed)", "w_K",
    )
    alarm_of_threat: float = param(
        0.4, 0.0, 2.0, "1/day", uniform(0.0, 1.0), "assumed", "F05, F09, F10; size assumed",
        "perceived war risk added on each day that an announced response is pending", "w_T",
    )
    alarm_per_act: float = param(
        0.5, 0.0, 5.0, "1 per act", uniform(0.0, 1.0), "assumed", "F36; size assumed",
        "perceived war risk added by one act against the patron itself", "w_E",
    )
    alarm_threshold: float = param(
        2.5, 0.5, 10.0, "1", uniform(1.0, 4.0), "calibrated", "F09: the fear that set off the turn; level assumed",
        "perceived war risk at which the patron starts to deliberate", "W_alarm",
    )
    deliberation_days: float = param(
        2.0, 1.0, 15.0, "days", uniform(1.0, 6.0), "expert", "F16: emergency meetings within days of the deaths",
        "days from alarm to new orders", "T_delib",
    )
    minimum_days: float = param(
        35.0, 0.0, 180.0, "days", uniform(10.0, 90.0), "assumed", "F02, F34: at least to the report",
        "days that an order to hold back stands before it can be released", "T_min",
    )
    release_rate: float = param(
        0.02, 0.0, 0.5, "1/day", log_uniform(0.002, 0.2), "assumed", "assumed: F34, F37 leave it open",
        "daily rate of releasing the order once perceived war risk is gone", "k_rel",
    )
    directive_free: float = param(
        0.3, 0.0, 1.0, "1", uniform(0.1, 0.6), "assumed", "F08: the campaign was ordered; level assumed",
        "activity of a fully compliant wing with no order at all, as a share of the ordered campaign", "d_free",
    )
    directive_reduce: float = param(
        0.1, 0.0, 1.0, "1", uniform(0.0, 0.4), "calibrated", "F03, F22: less intense where it asks to reduce",
        "activity left by an order to reduce", "d_reduce",
    )
    directive_stop: float = param(
        0.0, 0.0, 0.5, "1", FIXED, "expert", "F21: stop all attacks",
        "activity left by an order to stop", "d_stop",
    )
    directive_release: float = param(
        0.6, 0.0, 1.0, "1", uniform(0.2, 1.0), "assumed", "assumed: F34, F37",
        "activity once the order to hold back is released", "d_release",
    )
    gains_weight: float = param(
        0.25, 0.0, 1.0, "1", uniform(0.0, 0.5), "calibrated", "F18; size assumed",
        "compliance added by the argument that enough was gained", "s",
    )
    gains_scale: float = param(
        100.0, 5.0, 1000.0, "attacks", log_uniform(30.0, 300.0), "assumed", "F18; scale assumed",
        "ordered attacks on the target after which two thirds of the gains are made", "N_gains",
    )
    open_answer: float = param(
        0.0, 0.0, 1.0, "1/day", FIXED, "measured", "F36: no open answer so far",
        "chance a day that the patron answers acts against it openly", "q_E",
    )


@dataclass(frozen=True)
class Compliance:
    """How fast militias follow the patron's order and how fast they forget it."""

    rate: float = param(
        0.5, 0.02, 1.0, "1/day", log_uniform(0.2, 1.0), "calibrated", "F19, F20: within days; speed assumed",
        "daily rate at which a wing without autonomy or ideology, under full control, moves to compliance", "r",
    )
    relax_rate: float = param(
        0.1, 0.0, 1.0, "1/day", log_uniform(0.02, 0.5), "assumed", "assumed",
        "daily rate at which compliance is forgotten while the campaign is ordered", "r_relax",
    )


@dataclass(frozen=True)
class Deterrence:
    """What a strike does to a militia: fear, grievance, and capacity."""

    strike_fear: float = param(
        0.2, 0.0, 2.0, "1 per strike", log_uniform(0.03, 0.6), "assumed",
        "assumed: gross size; retaliation studies find null or mixed net effects",
        "fear added to a wing by one limited strike on it", "phi_own",
    )
    strike_net: float = param(
        0.0, -0.5, 0.5, "1 per strike", normal(0.0, 0.1), "assumed",
        "retaliation studies: null or mixed-sign short-run effects",
        "grievance less fear added by one limited strike: above zero a strike provokes", "psi_own - phi_own",
    )
    spillover: float = param(
        0.1, 0.0, 1.0, "1", uniform(0.0, 0.3), "assumed", "assumed",
        "effect of a strike on another wing of the same collective, as a share of a strike on oneself",
        "phi_other/phi_own",
    )
    fear_half_life: float = param(
        10.0, 1.0, 120.0, "days", log_uniform(4.0, 60.0), "calibrated", "F03, F34; assumed to fade in weeks",
        "half-life of fear", "h_f",
    )
    grievance_half_life: float = param(
        10.0, 1.0, 120.0, "days", log_uniform(4.0, 60.0), "assumed", "assumed: as fear",
        "half-life of grievance", "h_v",
    )
    grievance_max: float = param(
        1.5, 0.2, 3.0, "1", uniform(0.5, 2.5), "assumed", "assumed: uncapped, strikes and attacks run away",
        "ceiling of grievance", "v_max",
    )
    major_fear: float = param(
        2.5, 0.0, 8.0, "1", uniform(2.0, 6.0), "calibrated", "F05, F33; size assumed",
        "fear added once to every targeted wing by a major response", "J",
    )
    rebuild_days: float = param(
        20.0, 1.0, 180.0, "days", log_uniform(5.0, 90.0), "assumed", "F11: the patron arms and trains",
        "time to rebuild lost capacity under full supply", "tau",
    )
    damage: float = param(
        0.05, 0.0, 1.0, "1 per strike", uniform(0.0, 0.2), "assumed", "assumed",
        "capacity destroyed by one limited strike, as a rate in the exponent", "zeta",
    )
    wear: float = param(
        0.004, 0.0, 0.1, "1", uniform(0.0, 0.02), "assumed", "assumed",
        "capacity used up by a day of attacks at the baseline rate", "wear",
    )


@dataclass(frozen=True)
class Target:
    """How the target (the United States) is provoked, answers and holds back."""

    provocation_half_life: float = param(
        7.0, 1.0, 60.0, "days", log_uniform(3.0, 30.0), "assumed", "assumed",
        "half-life of provocation", "h_U",
    )
    injured_weight: float = param(
        0.3, 0.0, 5.0, "attacks", uniform(0.0, 1.0), "assumed", "assumed",
        "provocation by one injured soldier, in attacks", "w_inj",
    )
    killed_weight: float = param(
        5.0, 0.0, 50.0, "attacks", uniform(1.0, 10.0), "assumed", "F04, F05; size assumed",
        "provocation by one killed soldier, in attacks", "w_kill",
    )
    provocation_threshold: float = param(
        8.0, 0.0, 60.0, "attacks", uniform(2.0, 16.0), "calibrated", "public record: one response in 12 to 25 attacks",
        "provocation below which the target does not answer", "U_0",
    )
    response_rate: float = param(
        0.03, 0.0, 1.0, "1/(attack day)", log_uniform(0.005, 0.2), "calibrated",
        "public record: one response in 12 to 25 attacks",
        "daily rate of a limited response for each attack of provocation above the threshold", "rho",
    )
    response_relief: float = param(
        0.3, 0.0, 1.0, "1", uniform(0.0, 0.8), "assumed", "assumed",
        "share of provocation left after a response", "reset",
    )
    major_days: float = param(
        5.0, 1.0, 15.0, "days", uniform(3.0, 8.0), "measured", "F04, F05: 28 January to 2 February",
        "days from deaths to the major response", "T_major",
    )
    major_intensity: float = param(
        3.0, 0.0, 10.0, "strikes", uniform(1.0, 6.0), "assumed", "F05: a series of air strikes; size assumed",
        "strikes on each targeted wing in a major response", "I_major",
    )
    leader_chance: float = param(
        0.025, 0.0, 0.5, "1/day", log_uniform(0.005, 0.1), "calibrated", "F29: at least one chance in 25 days",
        "chance a day of an opportunity to strike a militia leader", "p_opp",
    )
    leader_intensity: float = param(
        2.0, 0.0, 10.0, "strikes", uniform(0.5, 4.0), "assumed", "assumed",
        "size of a leader strike in limited strikes", "I_leader",
    )
    quiet_days: float = param(
        5.0, 0.0, 60.0, "days", uniform(2.0, 20.0), "calibrated", "F29, F30; length assumed",
        "days without an acknowledged attack after which leader strikes are declined", "T_quiet",
    )
    attribution: float = param(
        0.7, 0.0, 1.0, "1", uniform(0.3, 1.0), "assumed", "F17: blame fell on the umbrella",
        "chance that a response hits wings in proportion to their recent attacks", "q_attr",
    )
    attribution_half_life: float = param(
        7.0, 1.0, 60.0, "days", log_uniform(3.0, 30.0), "assumed", "assumed",
        "half-life of the record of recent attacks", "h_attr",
    )
    patron_strike_rung: float = param(
        7.0, 1.0, 7.0, "rung", FIXED, "measured", "F28: has not attacked the patron itself",
        "rung of the ladder from which a response strikes the patron too; 7 is never", "rung_E",
    )
    patron_strike_acts: float = param(
        4.0, 0.0, 10.0, "acts", FIXED, "assumed", "assumed: matters only if the patron is struck",
        "weight of a strike on the patron, in acts against it", "e_US",
    )
    answer_provocation: float = param(
        20.0, 0.0, 100.0, "attacks", FIXED, "assumed", "assumed: matters only if the patron answers openly",
        "provocation by an open answer of the patron", "w_answer",
    )


@dataclass(frozen=True)
class Mediator:
    """How the mediators gain and use pressure on the militias."""

    half_life: float = param(
        20.0, 2.0, 120.0, "days", log_uniform(7.0, 60.0), "assumed", "assumed",
        "half-life of the mediators' pressure", "h_M",
    )
    per_strike: float = param(
        0.02, 0.0, 0.5, "1 per strike", uniform(0.0, 0.06), "assumed", "F27; size assumed",
        "pressure added by one strike in the mediators' own country", "mu_S",
    )
    per_death: float = param(
        0.1, 0.0, 1.0, "1 per death", uniform(0.0, 0.3), "assumed", "F26; size assumed",
        "pressure added by one killed soldier", "mu_K",
    )
    talks: float = param(
        0.03, 0.0, 0.5, "1/day", uniform(0.0, 0.1), "assumed", "F27; size assumed",
        "pressure added a day while talks on withdrawal are open", "mu_T",
    )
    weight: float = param(
        0.6, 0.0, 1.0, "1", uniform(0.1, 0.8), "calibrated", "F20, F26; size assumed",
        "compliance added by full pressure", "m",
    )
    restraint: float = param(
        0.3, 0.0, 1.0, "1", uniform(0.0, 0.6), "assumed", "F26; size assumed",
        "activity that full pressure takes from a compliant wing even without an order", "m_0",
    )
    ideology_relief: float = param(
        0.7, 0.0, 1.0, "1", uniform(0.2, 1.0), "assumed", "F19, F20, F26",
        "share of ideological resistance that full pressure overcomes", "xi",
    )


@dataclass(frozen=True)
class Casualties:
    """What an attack on the target's soldiers does."""

    penetration: float = param(
        0.08, 0.0, 0.5, "1 per attack", uniform(0.01, 0.25), "assumed", "F01, F04: few attacks got through",
        "chance that an attack gets through the defences", "p_pen",
    )
    lethality: float = param(
        0.07, 0.0, 1.0, "1 per hit", uniform(0.01, 0.3), "calibrated", "F01, F04: one lethal attack in about 170",
        "chance that an attack that got through kills", "p_lethal",
    )
    tail_exponent: float = param(
        2.4, 1.5, 4.0, "1", FIXED, "measured", "studies of the severity of terrorist attacks: about 2.4",
        "density exponent of the number killed", "alpha",
    )
    exposure: float = param(
        350.0, 1.0, 2000.0, "soldiers", FIXED, "assumed", "public record: about 350 at the outpost hit on 28 January",
        "most that one attack can kill", "K_max",
    )
    injured_mean: float = param(
        2.0, 0.0, 20.0, "soldiers per hit", uniform(0.5, 6.0), "assumed", "prior only: the record has no figure",
        "mean number injured by an attack that got through", "mean injured",
    )
    small_penetration: float = param(
        0.4, 0.0, 1.0, "1", uniform(0.1, 1.0), "assumed", "F03, F22: so that nobody dies",
        "chance of getting through of a small attack, as a share of an ordinary one", "q_small",
    )


@dataclass(frozen=True)
class Observation:
    """What the official count sees."""

    chance: float = param(
        0.85, 0.3, 1.0, "1 per attack", uniform(0.7, 1.0), "assumed",
        "public record: official counts and monitors differ by up to 1.4 times",
        "chance that an attack is acknowledged", "p_obs",
    )
    small: float = param(
        0.8, 0.1, 1.0, "1", uniform(0.5, 1.0), "assumed", "assumed: small attacks are easier to pass over",
        "chance of being acknowledged of a small attack, as a share of an ordinary one", "p_obs_small",
    )


@dataclass(frozen=True)
class Ladder:
    """The way up to direct war. The data cannot identify it; the prior alone speaks."""

    cooling: float = param(
        0.2, 0.01, 2.0, "rungs/day", uniform(0.05, 0.5), "assumed", "assumed",
        "rungs that the recent height of the ladder loses a day", "cooling",
    )
    war_threshold: float = param(
        3.0, 0.5, 20.0, "1", uniform(2.0, 6.0), "assumed", "F10: another death was expected to mean war",
        "perceived war risk above which direct war can break out", "W_war",
    )
    war_rate: float = param(
        0.0004, 0.0, 0.05, "1/(rung day)", log_uniform(0.00005, 0.005), "assumed", "F10, F37; size assumed",
        "daily rate of war for each unit of war risk above the threshold and each recent rung", "k_war",
    )


@dataclass(frozen=True)
class Multipliers:
    """Shared factors on the values of all wings: how calibration and sweeps move them together."""

    baseline: float = param(
        1.0, 0.0, 4.0, "1", log_uniform(0.5, 2.0), "calibrated", "F01: about 170 attacks",
        "factor on every wing's baseline rate", "x_b",
    )
    autonomy: float = param(
        1.0, 0.0, 3.0, "1", uniform(0.5, 1.5), "assumed", "F13, F14, F15",
        "factor on every wing's autonomy (the product is cut at 1)", "x_a",
    )
    ideology: float = param(
        1.0, 0.0, 3.0, "1", uniform(0.5, 1.5), "assumed", "F19",
        "factor on every wing's ideology (the product is cut at 1)", "x_i",
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
        "attacks a day in the ordered campaign with full capacity", "b",
    )
    autonomy: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "independence from the patron: 0 obeys, 1 does as it likes", "a",
    )
    ideology: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "resistance to a pause on grounds of ideology and identity", "ideology",
    )


@dataclass(frozen=True)
class Theatre:
    """One place of attack: whom it hits, how it hangs on the rival's war, and what the patron asks of it."""

    name: str
    kind: Literal["target", "rival", "shipping"]
    mediated: bool
    restraint: Literal["stop", "reduce", "unchanged"]
    gate: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "how far attacks hang on the rival's war: 0 not at all, 1 entirely", "gamma_k",
    )
    supply: float = param(
        None, 0.0, 1.0, "1", FIXED, "assumed", "configuration",
        "supply by the patron, as a share of what rebuilding asks for", "supply_k",
    )


@dataclass(frozen=True)
class Parameters:
    """The numbers of one case that hold for all wings and theatres."""

    patron: Patron
    compliance: Compliance
    deterrence: Deterrence
    target: Target
    mediator: Mediator
    casualties: Casualties
    observation: Observation
    ladder: Ladder
    multipliers: Multipliers
# fmt: on


def declared(group: type) -> Iterator[tuple[str, Declaration]]:
    """Yield (field name, declaration) of every parameter of one group, in order."""
    for one in fields(group):
        declaration = one.metadata.get("declaration")
        if declaration is not None:
            yield one.name, declaration


def shared_groups() -> Iterator[tuple[str, type]]:
    """Yield (configuration key, dataclass) of the groups whose numbers hold for the whole case."""
    for one in fields(Parameters):
        assert isinstance(one.type, type)
        yield one.name, one.type


def shared_declarations() -> dict[str, Declaration]:
    """All declarations of the whole case by full configuration key, such as `patron.control`."""
    return {f"{key}.{name}": one for key, group in shared_groups() for name, one in declared(group)}


def default_parameters() -> Parameters:
    """The declared defaults."""
    return Parameters(**{key: group() for key, group in shared_groups()})
