"""What a day reads: the numbers of each role, theatre and wing, where wings stand, and what the timeline says.

Each is declared once, as a class that names its numbers. Records of the inputs and rows of the kernel's memory follow.
"""

from collections import namedtuple
from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

import numpy as np

from sim.model.parameters import group_declarations, shared_groups

Real = Annotated[Any, "f8"]
Whole = Annotated[Any, "i8"]
"""A number in a record, or the row of it in the memory of many histories; of floats or of whole numbers."""


def record_type(*classes: type) -> "np.dtype[np.void]":
    """The type of records with the numbers of some classes, in order.

    Its fields are attributes in plain Python too, so that kernels run uncompiled.
    """
    hints = [hint for one in classes for hint in get_type_hints(one, include_extras=True).items()]
    return np.dtype((np.record, [(name, kind.__metadata__[0]) for name, kind in hints]))


def row_names(name: str, fields: Sequence[str]) -> Any:
    """A NamedTuple class of numbers with these names: as one that is written out, for names declared elsewhere."""
    made = namedtuple(name, fields, module=__name__)  # type: ignore[misc]
    made.__annotations__ = dict.fromkeys(fields, Real)
    return made


def role_numbers(name: str, groups: Sequence[str], consumed: str = "", derived: str = "") -> Any:
    """A class of the numbers of a role: the parameters of some groups, and numbers that are derived from parameters.

    Parameters that are `consumed` before the first day are left out.
    """
    known = dict(shared_groups())
    declared = [parameter for group in groups for parameter, _ in group_declarations(known[group])]
    return row_names(name, [*(one for one in declared if one not in consumed.split()), *derived.split()])


PatronNumbers = role_numbers(
    "PatronNumbers",
    ["patron"],
    consumed="control war_risk_half_life directive_release",
    derived="war_risk_keep order_able",
)
MilitiaNumbers = role_numbers(
    "MilitiaNumbers",
    ["compliance", "pause", "bursts", "shares", "deterrence"],
    consumed="rate residual burst_half_life strike_fear strike_net spillover fear_half_life grievance_half_life"
    " rebuild_days wear",
    derived="order_heeded burst_keep burst_innovation fear_own fear_other fear_keep grievance_own grievance_other"
    " grievance_keep",
)
TargetNumbers = role_numbers(
    "TargetNumbers",
    ["target"],
    consumed="provocation_half_life attribution_half_life",
    derived="provocation_keep major_able",
)
MediatorNumbers = role_numbers(
    "MediatorNumbers",
    ["mediator"],
    consumed="half_life per_strike per_death talks weight restraint",
    derived="pressure_keep pressure_per_strike pressure_per_death pressure_of_talks mediation_weight"
    " mediator_restraint",
)
AttackNumbers = role_numbers(
    "AttackNumbers",
    ["casualties", "observation"],
    consumed="tail_exponent chance small",
    derived="tail_span tail_power observed small_observed attribution_keep",
)
LadderNumbers = role_numbers("LadderNumbers", ["ladder"])

ROLES: Final = {
    "patron": PatronNumbers,
    "militia": MilitiaNumbers,
    "target": TargetNumbers,
    "mediators": MediatorNumbers,
    "attacks": AttackNumbers,
    "ladder": LadderNumbers,
}
NUMBERS: Final = record_type(*ROLES.values())
"""What holds for a whole run: parameters as a day uses them, role by role. Units follow `sim.model.parameters`."""


class TheatreNumbers(NamedTuple):
    """Of a theatre: how far the rival's war opens it, capacity rebuilt a day, what the patron asks in two phases.

    `paused` is the share of the baseline that a paused group keeps up there; `campaign` the attacks a day on the target
    of all its wings together.
    """

    gate: Real
    rebuild: Real
    restraint: Real
    release: Real
    paused: Real
    campaign: Real


class WingNumbers(NamedTuple):
    """Of a wing: its rate (attacks/day), the patron's hold, pace of compliance, ideology, wear of an attack."""

    baseline: Real
    held: Real
    pace: Real
    ideology: Real
    wear: Real


class WingLayout(NamedTuple):
    """Where a wing stands: indices, its number in the addresses of chance, and flags.

    Flags: it attacks the target; its theatre is the mediators' own; the mediators reach it; the patron may ask its
    theatre to hold back.
    """

    theatre: Whole
    group: Whole
    collective: Whole
    actor: Whole
    on_target: Whole
    at_home: Whole
    mediated: Whole
    pausable: Whole


class Today(NamedTuple):
    """What the timeline says of a day. `major` to `open_answer`: 1 forced, 0 free, -1 held back. No wing is -1."""

    intensity: Real
    talks: Real
    acts: Real
    pinned_killed: Real
    deaths_allowed: Whole
    major: Whole
    limited: Whole
    leader: Whole
    restraint_order: Whole
    release: Whole
    open_answer: Whole
    pinned_wing: Whole
    major_wing: Whole


class FrontToday(NamedTuple):
    """What the timeline says of a day in a theatre."""

    surge: Real
    supply: Real
    stance: Real


THEATRE_NUMBERS, WING_NUMBERS = record_type(TheatreNumbers), record_type(WingNumbers)
WING_LAYOUT, TODAY, FRONT_TODAY = record_type(WingLayout), record_type(Today), record_type(FrontToday)
