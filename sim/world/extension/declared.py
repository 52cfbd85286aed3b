"""The parts of an extension, each declared once and checked as far as it can be without the engines."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from sim.world.actors import RESERVED
from sim.world.errors import UserError, one_of
from sim.world.extension.purity import check_pure, own_text
from sim.world.mechanisms import MECHANISM_NAMES
from sim.world.parameters import Declaration
from sim.world.schema import TOP_KEYS

Function = Callable[..., Any]
Moment = Literal["morning", "orders", "attacks", "evening"]
Scope = Literal["run", "theatre", "wing"]

MOMENTS: Final[tuple[Moment, ...]] = ("morning", "orders", "attacks", "evening")
"""When a day can be changed: before the patron assesses; once it has given orders and before the mediators press; once
attacks have landed and before the target responds; once the ladder has moved."""
SCOPES: Final[tuple[Scope, ...]] = ("run", "theatre", "wing")

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAKEN: Final = ("now", "draw", "day", "sources")


@dataclass(frozen=True)
class State:
    """A number that a mechanism or an actor carries from day to day, one per run, per theatre or per wing."""

    name: str
    unit: str
    text: str
    start: float = 0.0
    per: Scope = "run"

    def __post_init__(self) -> None:
        _named("state", self.name)
        if self.per not in SCOPES:
            raise UserError(f"state {self.name}", self.per, f"per one of {', '.join(SCOPES)}")


@dataclass(frozen=True)
class Change:
    """What is changed every day, by which function, and when.

    Args:
        what: a state of one's own, a state of the model such as `provocation` or `wing_fear`, or a number of the model
            such as `numbers.response_rate`.
        by: a pure function. Its arguments say by their names what it reads; `now` is the present value of `what`, or,
            of a number of the model, what the configuration makes of it. What it returns is the new value.
        at: one of `MOMENTS`.
    """

    what: str
    by: Function
    at: Moment = "morning"

    def __post_init__(self) -> None:
        if self.at not in MOMENTS:
            raise UserError(f"change of {self.what}", self.at, f"at one of {', '.join(MOMENTS)}")


@dataclass(frozen=True)
class Mechanism:
    """Something that happens every day, with parameters `NAME.PARAMETER` and a switch `mechanisms.NAME`."""

    name: str
    text: str
    changes: tuple[Change, ...]
    parameters: Mapping[str, Declaration] = field(default_factory=dict)
    states: tuple[State, ...] = ()

    def __post_init__(self) -> None:
        _named("mechanism", self.name)
        if self.name in (*TOP_KEYS, *RESERVED, *MECHANISM_NAMES):
            raise UserError("mechanism", self.name, "a name that no key, role or mechanism of the model has")
        for name, one in self.parameters.items():
            _named(f"parameter of {self.name}", name)
            if one.default is None or not one.low <= one.default <= one.high:
                raise UserError(f"{self.name}.{name}", one.default, f"a default from {one.low:g} to {one.high:g}")
        _distinct(f"names of {self.name}", (*self.parameters, *(state.name for state in self.states)))
        if not self.changes:
            raise UserError(f"changes of {self.name}", "(none)", "one change or more")


@dataclass(frozen=True)
class ActorType(Mechanism):
    """A type of actor: each has states and parameters `NAME.ACTOR.PARAMETER` of its own, and acts every day.

    A configuration names its actors: `NAME: {somebody: {strength: 0.5}}`. Without actors nothing happens.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        for state in self.states:
            if state.per != "run":
                raise UserError(f"state {state.name} of {self.name}", state.per, "run: each actor has one")


@dataclass(frozen=True)
class Tallied:
    """An outcome that is added up day by day: `now` begins at `start`, `each_day` gives the evening's value of it.

    `at_end` turns the last value into the outcome; it may ask for `now` and for other outcomes by name.
    """

    name: str
    unit: str
    text: str
    each_day: Function
    start: float = 0.0
    at_end: Function | None = None
    heavy_tailed: bool = False

    def __post_init__(self) -> None:
        _named("outcome", self.name)


@dataclass(frozen=True)
class Derived:
    """An outcome that follows from others of the same run; the arguments of `by` name them."""

    name: str
    unit: str
    text: str
    by: Function
    heavy_tailed: bool = False

    def __post_init__(self) -> None:
        _named("outcome", self.name)


@dataclass(frozen=True, eq=False)
class Extension:
    """Everything that one file or one notebook adds.

    Args:
        name: what it is called in records of provenance.
        mechanisms: mechanisms and types of actors.
        outcomes: outcomes of one's own, those that others ask for first.
        rules: functions that replace rules, by `role.name` such as `militia.compliance`, with the same arguments.

    Raises:
        UserError: a name is taken twice or not allowed, or a function is not pure as far as that can be seen.
    """

    name: str
    mechanisms: tuple[Mechanism, ...] = ()
    outcomes: tuple[Tallied | Derived, ...] = ()
    rules: Mapping[str, Function] = field(default_factory=dict)
    text: str | None = field(default=None, repr=False)
    """Text of the file that it was read from; None where it was made in a notebook."""

    def __post_init__(self) -> None:
        _named("extension", self.name)
        _distinct("mechanisms", (one.name for one in self.mechanisms))
        _distinct("outcomes", (one.name for one in self.outcomes))
        for function in self.functions:
            check_pure(function)

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions that it brings."""
        found = [change.by for one in self.mechanisms for change in one.changes]
        for one in self.outcomes:
            found += [one.by] if isinstance(one, Derived) else [one.each_day]
            found += [one.at_end] if isinstance(one, Tallied) and one.at_end is not None else []
        return (*found, *self.rules.values())

    @cached_property
    def source(self) -> str:
        """What decides all that it does, as text of its file or as declarations and functions one by one."""
        if self.text is not None:
            return self.text
        parts = (self.mechanisms, self.outcomes, tuple(self.rules))
        told = re.sub(r"<function (\S+) at 0x[0-9a-f]+>", r"\1", repr(parts))
        return "\n".join((told, *(own_text(function) for function in self.functions)))

    def __reduce__(self) -> tuple[Any, ...]:
        """An extension travels as the text of its file."""
        if self.text is None:
            raise UserError("extensions", self.name, "an extension read from a file, where other processes work too")
        from sim.world.extension.file import read_text

        return read_text, (self.text, f"{self.name}.py")


def _named(what: str, name: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _TAKEN:
        raise UserError(what, name, f"a name of lower-case letters, digits and _, none of {', '.join(_TAKEN)}")


def _distinct(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(what, name, "each name once")
        seen.add(name)


def check_known(key: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is none of those known."""
    if name not in (names := list(known)):
        raise UserError(key, name, one_of(names, name))
