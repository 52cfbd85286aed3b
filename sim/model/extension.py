"""Extensions of a user: declarations, checks of purity, files, and what a configuration makes of them.

A function of an extension may use its arguments, numbers, functions of the same kind, the rules and the arithmetic of
this package, and of Python and its `math` only what every machine does to the last bit; this is checked in its code.

Hydra knows only keys that some file holds. So the user's overrides of an extension's own keys are taken out before it
composes and put into the tree afterwards, on top of what scenario files say.
"""

import dis
import hashlib
import inspect
import linecache
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, Literal

from hydra.core.override_parser.types import Override, OverrideType

from sim.model.cast import RESERVED
from sim.model.hydra_config import TOP_KEYS, parse_override, value_text
from sim.model.parameters import MECHANISM_NAMES, Declaration
from sim.model.validation import Section, UserError, mapping

Function = Callable[..., Any]
Moment = Literal["morning", "orders", "launch", "attacks", "strikes", "evening"]
Scope = Literal["run", "theatre", "wing"]

MOMENTS: Final[tuple[Moment, ...]] = ("morning", "orders", "launch", "attacks", "strikes", "evening")
"""When a day can be changed: before the patron assesses; once it has given orders and before the mediators press; once
wings have chosen how many attacks they make and before these land; once attacks have landed and before the target
responds; once strikes have fallen and before the ladder moves; once the ladder has moved."""
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
        _check_name("state", self.name)
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
        wings: ids of the wings that it is applied to, where it is applied to wings; all where empty.
    """

    what: str
    by: Function
    at: Moment = "morning"
    wings: tuple[str, ...] = ()

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
        _check_name("mechanism", self.name)
        if self.name in (*TOP_KEYS, *RESERVED, *MECHANISM_NAMES):
            raise UserError("mechanism", self.name, "a name that no key, role or mechanism of the model has")
        for name, one in self.parameters.items():
            _check_name(f"parameter of {self.name}", name)
            if one.default is None or not one.low <= one.default <= one.high:
                raise UserError(f"{self.name}.{name}", one.default, f"a default from {one.low:g} to {one.high:g}")
        _check_distinct(f"names of {self.name}", (*self.parameters, *(state.name for state in self.states)))
        if not self.changes:
            raise UserError(f"changes of {self.name}", "(none)", "one change or more")


@dataclass(frozen=True)
class ActorType(Mechanism):
    """A type of actor: each has states and parameters `NAME.ACTOR.PARAMETER` of its own, and acts every day.

    A configuration names its actors: `NAME: {hardliners: {strength: 0.5}}`. Without actors nothing happens.
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
        _check_name("outcome", self.name)


@dataclass(frozen=True)
class Derived:
    """An outcome that follows from others of the same run; the arguments of `by` name them."""

    name: str
    unit: str
    text: str
    by: Function
    heavy_tailed: bool = False

    def __post_init__(self) -> None:
        _check_name("outcome", self.name)


@dataclass(frozen=True)
class Series:
    """A number of every day: `now` begins at `start`, `each_day` gives the evening's value. Kept where days are."""

    name: str
    unit: str
    text: str
    each_day: Function
    start: float = 0.0

    def __post_init__(self) -> None:
        _check_name("series", self.name)


@dataclass(frozen=True, eq=False)
class Extension:
    """Everything that one file or one notebook adds.

    Args:
        name: what it is called in records of provenance.
        mechanisms: mechanisms and types of actors.
        outcomes: outcomes of one's own, those that others ask for first.
        rules: functions that replace rules, by `role.name` such as `militia.compliance`, with the same arguments; the
            name alone is enough where no other role has such a rule.
        wings: the same for single wings, by id of the wing: rules of the militia, casualties and observation.
        series: daily series of one's own.

    Raises:
        UserError: a name is taken twice or not allowed, or a function is not pure as far as that can be seen.
    """

    name: str
    mechanisms: tuple[Mechanism, ...] = ()
    outcomes: tuple[Tallied | Derived, ...] = ()
    rules: Mapping[str, Function] = field(default_factory=dict)
    wings: Mapping[str, Mapping[str, Function]] = field(default_factory=dict)
    series: tuple[Series, ...] = ()
    text: str | None = field(default=None, repr=False)
    """Text of the file that it was read from; None where it was made in a notebook."""

    def __post_init__(self) -> None:
        _check_name("extension", self.name)
        _check_distinct("mechanisms", (one.name for one in self.mechanisms))
        _check_distinct("outcomes", (one.name for one in (*self.outcomes, *self.series)))
        for function in self.functions:
            for _ in called_functions(function):
                pass  # looking at each refuses what is not pure

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions that it brings."""
        found = [change.by for one in self.mechanisms for change in one.changes]
        for one in self.outcomes:
            found += [one.by] if isinstance(one, Derived) else [one.each_day]
            found += [one.at_end] if isinstance(one, Tallied) and one.at_end is not None else []
        found += [one.each_day for one in self.series]
        return (*found, *(function for _, rules in self.rules_by_wing for function in rules.values()))

    @property
    def rules_by_wing(self) -> tuple[tuple[str, Mapping[str, Function]], ...]:
        """Rules that are replaced, those of all wings under an empty id, then those of single wings."""
        return (("", self.rules), *self.wings.items())

    @cached_property
    def source(self) -> str:
        """What decides all that it does, as text of its file or as declarations and functions one by one."""
        if self.text is not None:
            return self.text
        rules = [(wing, name) for wing, rules in self.rules_by_wing for name in rules]
        parts = (self.mechanisms, self.outcomes, self.series, rules)
        declarations = re.sub(r"<function (\S+) at 0x[0-9a-f]+>", r"\1", repr(parts))
        return "\n".join((declarations, *(own_text(function) for function in self.functions)))

    def __reduce__(self) -> tuple[Any, ...]:
        """An extension travels as the text of its file."""
        if self.text is None:
            raise UserError("extensions", self.name, "an extension read from a file, where other processes work too")

        return read_text, (self.text, f"{self.name}.py")


def _check_name(what: str, name: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _TAKEN:
        raise UserError(what, name, f"a name of lower-case letters, digits and _, none of {', '.join(_TAKEN)}")


def _check_distinct(what: str, names: Iterable[str], allowed: str = "each name once") -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(what, name, allowed)
        seen.add(name)


EXACT_BUILTINS: Final = (abs, bool, float, int, max, min, range)
EXACT_MATH: Final = ("e", "floor", "inf", "pi", "tau")
OURS: Final = ("sim.numbers.arithmetic", "sim.rules")
_HINT: Final = "exp, log and power come from sim.numbers.arithmetic, chance as an argument named draw"
_FORBIDDEN: Final = {
    "IMPORT_NAME": "imports at the top of the file",
    "STORE_GLOBAL": "no change of anything global",
    "STORE_ATTR": "no change of an object",
    "STORE_SUBSCR": "no change of an object",
    "YIELD_VALUE": "a plain function",
    "SETUP_FINALLY": "a plain function",
    "PUSH_EXC_INFO": "a plain function",
    "RAISE_VARARGS": "a plain function, which raises nothing",
}


def own_text(function: Function) -> str:
    """The source of a function and of all of the user's that it calls, and the constants that they use."""
    try:
        parts = [inspect.getsource(one) for one in called_functions(function)]
    except (OSError, TypeError):
        raise UserError("extensions", function.__name__, "functions of a file or a notebook, with a source") from None
    used = [pair for one in called_functions(function) for pair in names_used(one)]
    constants = {f"{name} = {value!r}" for name, value in used if isinstance(value, bool | int | float)}
    return "\n".join((*parts, *sorted(constants)))


def called_functions(function: Function) -> Iterator[FunctionType]:
    """The function and those of the user's that it calls, each once; refused is one that depends on anything else."""
    waiting, seen = [function], set[int]()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, FunctionType):
            raise UserError("extensions", getattr(one, "__name__", one), "plain Python functions")
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [value for _, value in names_used(one) if isinstance(value, FunctionType) and not is_ours(value)]


def names_used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Everything outside its arguments that a function uses, by name."""
    code = function.__code__
    if code.co_freevars or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR):
        raise _impure(function, "(its shape)", "named arguments and nothing from a function around it")
    if any(isinstance(one, CodeType) for one in code.co_consts):
        raise _impure(function, "(a function inside)", "no functions inside a function")
    steps = [one for one in dis.get_instructions(function) if one.opname not in ("CACHE", "PRECALL", "PUSH_NULL")]
    for place, one in enumerate(steps):
        if one.opname in _FORBIDDEN:
            raise _impure(function, one.opname.lower(), _FORBIDDEN[one.opname])
        if one.opname == "BINARY_OP" and one.argrepr in ("**", "**="):
            raise _impure(function, "**", "power of sim.numbers.arithmetic, which is the same on every machine")
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            follows = steps[place + 1]
            attribute = follows.argval if follows.opname in ("LOAD_ATTR", "LOAD_METHOD") else None
            yield str(one.argval), _value(function, str(one.argval), attribute)
        elif one.opname in ("LOAD_ATTR", "LOAD_METHOD") and steps[place - 1].opname != "LOAD_GLOBAL":
            raise _impure(function, one.argval, "plain numbers, which have no attributes")


def _value(function: FunctionType, name: str, attribute: str | None) -> Any:
    space = function.__globals__
    value = space[name] if name in space else vars(__import__("builtins")).get(name)
    if value is math and attribute in EXACT_MATH:
        return value
    if isinstance(value, ModuleType) and value.__name__.startswith(OURS):
        return value
    if isinstance(value, bool | int | float) or any(value is one for one in EXACT_BUILTINS):
        return value
    if isinstance(value, FunctionType) and (is_ours(value) or value.__globals__ is space):
        return value
    if value is None:
        raise _impure(function, name, "names that the file defines")
    full_name = name if attribute is None else f"{name}.{attribute}"
    raise _impure(function, full_name, f"its arguments, numbers, rules and own functions; {_HINT}")


def is_ours(function: FunctionType) -> bool:
    """Whether a function belongs to this package's rules or arithmetic."""
    return function.__module__.startswith(OURS)


def _impure(function: FunctionType, what: str, allowed: str) -> UserError:
    return UserError(f"function {function.__name__}", what, allowed)


Tree = dict[str, Any]


def requested_extensions(
    overrides: Sequence[str], extensions: Sequence[Extension | Path | str]
) -> tuple[Extension, ...]:
    """The extensions that a key `extensions` names, then those that were handed over."""
    files: list[str] = []
    for text in overrides:
        if _key(text) == KEY:
            named = _single(text, "one file, or a list of files in [ and ]; a sweep has one set").value()
            files += map(str, named if isinstance(named, list) else [named])
    return extensions_of((*files, *extensions)) if files or extensions else ()


def split_overrides(overrides: Sequence[str], added: tuple[Extension, ...]) -> tuple[list[Override], list[str]]:
    """The overrides of keys that extensions bring, and all others."""
    names = {mechanism.name for extension in added for mechanism in extension.mechanisms}

    def own(text: str) -> bool:
        first, _, rest = _key(text).strip(" +~").partition(".")
        return first in names or (first == "mechanisms" and rest in names)

    others = [text for text in overrides if _key(text) != KEY]
    return (
        [_single(text, "one value; only a sweep takes several", plain=True) for text in others if own(text)],
        [text for text in others if not own(text)],
    )


def extended_tree(tree: Tree, own: Sequence[Override], added: tuple[Extension, ...]) -> Tree:
    """The tree with every parameter and switch of the extensions in it, and with the hash of each extension."""
    if not added:
        return tree
    tree = {**tree, "mechanisms": dict(tree["mechanisms"])}
    for override in own:
        _put(tree, override.key_or_group, override.value())
    extended = extended_of(tree, added)
    for name in (mechanism.name for mechanism in extended.mechanisms):
        tree[name] = {actor: {} for actor in extended.actors.get(name, ())}
        tree["mechanisms"][name] = name not in extended.off
    for key, value in extended.values.items():
        _put(tree, key, value)
    return {**tree, KEY: extended.hashes}


def _put(tree: Tree, key: str, value: Any) -> None:
    """Put a value under its full key into nested mappings."""
    *path, name = key.split(".")
    for depth, part in enumerate(path):
        tree[part] = mapping(".".join(path[: depth + 1]), tree.get(part) or {})
        tree = tree[part]
    tree[name] = value


def _key(text: str) -> str:
    return text.partition("=")[0].strip()


def _single(text: str, allowed: str, plain: bool = False) -> Override:
    """An override that sets one value; `plain` refuses to delete a key and to name a package."""
    override = parse_override(text)
    if override.is_sweep_override() or (plain and (override.type is OverrideType.DEL or override.package is not None)):
        raise UserError(override.key_or_group, value_text(override), allowed)
    return override


KEY = "extensions"


def extension_of(given: "Extension | Path | str") -> Extension:
    """The extension itself, or the one that a Python file defines."""
    if isinstance(given, Extension):
        return given
    path = Path(given)
    if path.suffix != ".py" or not path.is_file():
        raise UserError(KEY, given, "existing Python files that define an Extension")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(KEY, given, f"files that can be read ({problem})") from None
    return read_text(text, str(path))


def read_text(text: str, name: str) -> Extension:
    """The extension that a text defines; `name` is that of its file.

    The text is run as Python, in a module that is not registered.
    """
    module = ModuleType(f"extension_{Path(name).stem}")
    module.__file__ = name
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        exec(compile(text, name, "exec"), module.__dict__)
    except UserError:
        raise
    except SyntaxError as problem:
        raise UserError(KEY, name, f"a Python file (line {problem.lineno}: {problem.msg})") from None
    except Exception as problem:
        raise UserError(KEY, name, f"a file that runs ({type(problem).__name__}: {problem})") from None
    found = [value for value in vars(module).values() if isinstance(value, Extension)]
    if len(found) != 1:
        raise UserError(KEY, f"{name} with {len(found)} of them", "files that define one Extension each")
    return replace(found[0], text=text)


def extensions_of(given: Sequence["Extension | Path | str"]) -> tuple[Extension, ...]:
    """Several, in order."""
    found = tuple(map(extension_of, given))
    _check_distinct(KEY, (one.name for each in found for one in each.mechanisms), "each of the mechanisms once")
    _check_distinct(KEY, (one.name for each in found for one in (*each.outcomes, *each.series)), "each outcome once")
    rules = (f"{wing}{rule}" for each in found for wing, rules in each.rules_by_wing for rule in rules)
    for names in ((each.name for each in found), rules):
        _check_distinct(KEY, names, "each extension, and each replaced rule, once")
    return found


@dataclass(frozen=True)
class ActiveExtensions:
    """Extensions as a scenario has them.

    `values` are the parameters by full key, `NAME.PARAMETER` or `NAME.ACTOR.PARAMETER`; `actors` those of each type of
    actor, in order; `off` the mechanisms that are switched off; `theatres` and `wings` the ids of those that there are.
    """

    extensions: tuple[Extension, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    actors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    theatres: tuple[str, ...] = ()
    wings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.extensions)

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """All mechanisms and types of actors, in order."""
        return tuple(one for extension in self.extensions for one in extension.mechanisms)

    @property
    def at_work(self) -> tuple[str, ...]:
        """The mechanisms that are not switched off and, where they are types of actors, have one; in order."""
        return tuple(
            one.name
            for one in self.mechanisms
            if one.name not in self.off and (self.actors.get(one.name) or not isinstance(one, ActorType))
        )

    @property
    def acts(self) -> bool:
        """Whether anything happens in the course of a history; else the kernel is that of the model alone."""
        tallied = any(isinstance(one, Tallied) for one in self.outcomes)
        return bool(self.at_work or tallied or self.series or any(self.rules.values()))

    @property
    def outcomes(self) -> tuple[Tallied | Derived, ...]:
        """All outcomes, in order."""
        return tuple(one for extension in self.extensions for one in extension.outcomes)

    @property
    def series(self) -> tuple[Series, ...]:
        """All daily series, in order."""
        return tuple(one for extension in self.extensions for one in extension.series)

    @property
    def rules(self) -> dict[str, dict[str, Function]]:
        """All replaced rules by `role.name`, by id of a wing; those of all wings under an empty id."""
        found: dict[str, dict[str, Function]] = {"": {}}
        for wing, rules in (pair for extension in self.extensions for pair in extension.rules_by_wing):
            found[wing] = found.get(wing, {}) | dict(rules)
        return found

    def count(self, scope: Scope) -> int:
        """Rows that a number of this scope takes."""
        return {"run": 1, "theatre": len(self.theatres), "wing": len(self.wings)}[scope]

    @property
    def declarations(self) -> dict[str, Declaration]:
        """Declarations of all parameters by full key, in order."""
        found: dict[str, Declaration] = {}
        for one in self.mechanisms:
            prefixes = [f"{one.name}.{actor}" for actor in self.actors.get(one.name, ())]
            for prefix in prefixes if isinstance(one, ActorType) else [one.name]:
                found |= {f"{prefix}.{name}": declared for name, declared in one.parameters.items()}
        return found

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Hash of the source of each extension by its name: 16 hexadecimal digits."""
        return {one.name: _hash(one.source.replace("\r\n", "\n")) for one in self.extensions}

    @cached_property
    def key(self) -> str:
        """What decides how engines are built with it: 16 hexadecimal digits."""
        return _hash(repr((self.hashes, sorted(self.off), sorted(self.actors.items()), self.theatres, self.wings)))


NO_EXTENSIONS: Final = ActiveExtensions()


def declaration_in(extensions: tuple[Extension, ...], key: str) -> Declaration | None:
    """The declaration that extensions give a full key, whatever actors there are; None for any other key."""
    name, *rest = key.split(".")
    for one in (mechanism for extension in extensions for mechanism in extension.mechanisms):
        if one.name == name and len(rest) == (2 if isinstance(one, ActorType) else 1):
            return one.parameters.get(rest[-1])
    return None


def extended_of(tree: Mapping[str, Any], extensions: tuple[Extension, ...]) -> ActiveExtensions:
    """The extensions as a composed configuration has them."""
    bare = ActiveExtensions(extensions)
    actors: dict[str, tuple[str, ...]] = {}
    values: dict[str, float] = {}
    for one in bare.mechanisms:
        given = tree.get(one.name) or {}
        if isinstance(one, ActorType):
            named = Section("", {one.name: given}, (one.name,)).children(one.name)
            actors[one.name] = tuple(named)
            for actor, numbers in named.items():
                values |= _values(f"{one.name}.{actor}", numbers or {}, one.parameters)
        else:
            values |= _values(one.name, given, one.parameters)
    names = [one.name for one in bare.mechanisms]
    switches = {name: value for name, value in (tree.get("mechanisms") or {}).items() if name in names}
    section = Section("mechanisms", switches, names)
    off = frozenset(name for name in switches if not section.flag(name))
    return ActiveExtensions(extensions, values, actors, off)


def _values(prefix: str, given: Any, parameters: Mapping[str, Declaration]) -> dict[str, float]:
    section = Section(prefix, given, tuple(parameters))
    return {
        f"{prefix}.{name}": section.number(name, one.low, one.high) if section.has(name) else float(one.default or 0.0)
        for name, one in parameters.items()
    }


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
