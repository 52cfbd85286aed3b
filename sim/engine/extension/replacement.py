"""Functions of a user as compiled code can take them, and rules that they may take the place of."""

import builtins
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any, Final, cast

from sim.model.extension import ActiveExtensions, Function, is_ours, names_used
from sim.model.validation import UserError, one_of
from sim.numbers.compiled import part, rule
from sim.rules import (
    RENAMED,
    RENAMED_ARGUMENTS,
    casualties,
    ladder,
    mediator,
    militia,
    observation,
    patron,
    rival,
    target,
)


def make_jittable(function: Function) -> Function:
    """The function with all of the user's that it calls, as rules of their own.

    Compiled code is kept with the name of the module of every function in it, by which Numba finds them again. A file
    of the user's, or a notebook's cell, is no such module, so the copies say that they belong here.
    """
    return _copy(cast(FunctionType, function), {})


def _copy(function: FunctionType, made: dict[int, FunctionType]) -> FunctionType:
    if id(function) not in made:
        space: dict[str, Any] = {"__builtins__": builtins, "__name__": __name__}
        copy = FunctionType(function.__code__, space, function.__name__, function.__defaults__)
        copy.__module__ = __name__
        made[id(function)] = copy
        for name, value in names_used(function):
            users = isinstance(value, FunctionType) and not is_ours(value)
            space[name] = _copy(value, made) if users else value
        rule(copy)
    return made[id(function)]


def composed(function: Function, readers: Sequence[Callable[..., float]]) -> Callable[..., float]:
    """The function of what readers find, in order: `composed(f, (a, b))(*place)` is `f(a(*place), b(*place))`.

    Compiled code cannot go through a list of functions, each of a type of its own; so one closure calls others.
    """
    values = _values(readers)
    return part(lambda *place: float(function(*values(*place))))


def _values(readers: Sequence[Callable[..., float]]) -> Callable[..., tuple[float, ...]]:
    """What readers find, as one function."""
    if not readers:
        return part(lambda *place: ())
    if len(readers) == 1:
        reader = readers[0]
        return part(lambda *place: (float(reader(*place)),))
    first, rest = _values(readers[: len(readers) // 2]), _values(readers[len(readers) // 2 :])
    return part(lambda *place: (*first(*place), *rest(*place)))


ROLES: Final[Mapping[str, ModuleType]] = {
    module.__name__.rpartition(".")[2]: module
    for module in (casualties, ladder, mediator, militia, observation, patron, rival, target)
}
REPLACEABLE: Final[tuple[str, ...]] = tuple(
    f"{role}.{name}"
    for role, names in {
        "patron": "death_shock alarm war_risk gains release_rate next_phase documented_phase days_in_phase"
        " directive answers",
        "mediator": "pressure",
        "militia": "compliance_goal compliance_speed compliance order_stands conviction pause_rate resume_rate"
        " compliance_in_pause fear_kept fear grievance survival rebuild_rate capacity effective_order attack_rate"
        " paused_attack_rate rate_under_order burst burst_factor rate_in_burst theatre_weight share_factor",
        "casualties": "fate pinned_fate number_killed toll",
        "observation": "small_share mix_small",
        "target": "provocation limited_response_probability limited_response_occurs major_response_occurs days_pending"
        " leader_choice quiet_days provocation_after_response attribution_succeeds targeting_weight strikes_patron",
        "ladder": "rung recent_rung war_rate",
        "rival": "war_gate",
    }.items()
    for name in names.split()
)
"""Rules of the day that every engine applies one by one. Others make the table, define what is recorded, or are such
that the kernel takes their results for granted."""
OF_WINGS: Final = ("casualties", "militia", "observation")
"""Roles whose rules may be replaced for one wing alone: those that are applied in the turn of a wing."""


def replaced_rules(extended: ActiveExtensions) -> dict[str, dict[str, Function]]:
    """By id of a wing the functions of the extensions by the rule that each replaces; those of all wings under "".

    Extensions may leave out the role of a rule where no other has one of that name, and use old names of rules. A
    wing's own rules come on top of those of all wings.

    Raises:
        UserError: a rule may not be replaced, is replaced twice, or is replaced by a function with other arguments, or
            there is no such wing.
    """
    common = _replaced("rules", extended.rules[""], REPLACEABLE)
    of_wings = tuple(key for key in REPLACEABLE if key.startswith(OF_WINGS))
    found = {"": common}
    for wing, rules in extended.rules.items():
        if wing and wing not in extended.wings:
            raise UserError("wings", wing, one_of(extended.wings, wing))
        if wing:
            found[wing] = common | _replaced(f"wings.{wing}", rules, of_wings)
    return found


def _replaced(where: str, given_rules: Mapping[str, Function], allowed: tuple[str, ...]) -> dict[str, Function]:
    rules: dict[str, Function] = {}
    for key, function in given_rules.items():
        alike = [one for one in allowed if one.partition(".")[2] == key]
        name = alike[0] if len(alike) == 1 else RENAMED.get(key, key)
        if name not in allowed:
            raise UserError(where, key, one_of(alike or allowed, key))
        if name in rules:
            raise UserError("extensions", key, "each extension, and each replaced rule, once")
        old = RENAMED_ARGUMENTS.get(name, {})
        given = tuple(inspect.signature(function).parameters)
        expected = tuple(inspect.signature(original(name)).parameters)
        if tuple(old.get(argument, argument) for argument in given) != expected:
            raise UserError(f"{where}: {key}", f"({', '.join(given)})", f"the arguments ({', '.join(expected)})")
        rules[name] = function
    return rules


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
        copy = found.setdefault(module.__name__, copy_module(module))
        setattr(copy, name, function)
    return found


def copy_module(module: ModuleType) -> ModuleType:
    """A module with the same contents."""
    copy = ModuleType(module.__name__, module.__doc__)
    vars(copy).update(vars(module))
    return copy


def guard_for_lanes(key: str, guarded: Function) -> Function:
    """A replaced rule as lanes may apply it: they also ask it where the answer is known, and then get that answer."""
    if key == "patron.next_phase":

        @rule
        def next_phase(phase: Any, days: Any, war_risk: Any, threshold: Any, deliberation: Any, released: Any) -> Any:
            holds = phase == patron.RESTRAINING
            return guarded(phase, days, war_risk, threshold, deliberation, released and holds)

        return next_phase
    if key == "patron.answers":

        @rule
        def answers(draw: Any, probability: Any, acts: Any) -> Any:
            return acts > 0.0 and guarded(draw, probability, acts)

        return answers
    return guarded
