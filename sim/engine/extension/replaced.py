"""Rules that an extension may put others in place of, and the modules of rules as engines then see them."""

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from sim.numbers.compiled import rule
from sim.rules import casualties, ladder, mediator, militia, observation, patron, rival, target
from sim.world.errors import UserError, one_of
from sim.world.extension.declared import Function

ROLES: Final[Mapping[str, ModuleType]] = {
    module.__name__.rpartition(".")[2]: module
    for module in (casualties, ladder, mediator, militia, observation, patron, rival, target)
}
REPLACEABLE: Final[tuple[str, ...]] = tuple(
    f"{role}.{name}"
    for role, names in {
        "patron": "death_shock war_risk gains release_chance next_phase days_in_phase directive answers",
        "mediator": "pressure",
        "militia": "compliance_goal compliance_speed compliance fear grievance survival capacity effective_order"
        " attack_rate",
        "casualties": "fate pinned_fate killed toll",
        "observation": "small_share dampened",
        "target": "provocation limited_chance limited_falls major_falls days_pending leader_choice quiet_days relieved"
        " attributed blame strikes_patron",
        "ladder": "rung recent_rung war_chance breaks_out",
        "rival": "war_gate",
    }.items()
    for name in names.split()
)
"""Rules of the day that every engine applies one by one. Others make the table, define what is recorded, or are such
that the kernel takes their results for granted."""


def check_replaced(rules: Mapping[str, Function]) -> None:
    """Refuse to replace what may not be replaced, or by a function with other arguments.

    Raises:
        UserError: the first of them.
    """
    for key, function in rules.items():
        if key not in REPLACEABLE:
            raise UserError("rules", key, one_of(REPLACEABLE, key))
        asked, given = (tuple(inspect.signature(one).parameters) for one in (original(key), function))
        if asked != given:
            raise UserError(f"rules: {key}", f"({', '.join(given)})", f"the arguments ({', '.join(asked)})")


def original(key: str) -> Function:
    """The rule of that name as it is in the model."""
    role, _, name = key.partition(".")
    found: Function = getattr(ROLES[role], name)
    return found


def rule_modules(rules: Mapping[str, Function]) -> dict[str, ModuleType]:
    """The modules of rules that differ, by the name of the original, each a copy with other functions in it."""
    found: dict[str, ModuleType] = {}
    for key, function in rules.items():
        role, _, name = key.partition(".")
        module = ROLES[role]
        copy = found.setdefault(module.__name__, copied(module))
        setattr(copy, name, function)
    return found


def copied(module: ModuleType) -> ModuleType:
    """A module with the same contents."""
    copy = ModuleType(module.__name__, module.__doc__)
    vars(copy).update(vars(module))
    return copy


def in_lanes(key: str, guarded: Function) -> Function:
    """A replaced rule as lanes may apply it: they also ask where the oracle does not, and then the answer is given."""
    if key == "patron.next_phase":

        @rule
        def next_phase(
            phase: Any, days: Any, war_risk: Any, threshold: Any, deliberation: Any, minimum: Any, release: Any,
            draw: Any,
        ) -> Any:  # fmt: skip
            holds = phase == patron.RESTRAINING
            return guarded(
                phase,
                days,
                war_risk,
                threshold,
                deliberation,
                minimum,
                release if holds else 0.0,
                draw if holds else 1.0,
            )

        return next_phase
    if key == "patron.answers":

        @rule
        def answers(draw: Any, chance: Any, acts: Any) -> Any:
            return acts > 0.0 and guarded(draw, chance, acts)

        return answers
    return guarded
