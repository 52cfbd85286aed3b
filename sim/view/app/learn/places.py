"""Where a rule stands in the day: which step applies it, read from the functions that do."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import Any, Final

from sim.engine import derived, record, scalar, table
from sim.rules.day import STEPS
from sim.view.handbook.told import Rule


@dataclass(frozen=True)
class Place:
    """A step of the day, or what comes before and after all days: its name, what happens, the rules it applies."""

    name: str
    text: str
    rules: tuple[Rule, ...]


BEFORE: Final = "before the first day"
START: Final = "on the first morning"
AFTER: Final = "in the record"


@cache
def places() -> tuple[Place, ...]:
    """Everything that applies rules, in the order of time."""
    before = _place(BEFORE, "Declared numbers become those that the days read.", *_functions(table))
    start = _place(START, "Everybody is put to the state in which the history begins.", scalar.begin)
    steps = [_place(name, _told(getattr(scalar, name)), getattr(scalar, name)) for name in STEPS]
    after = _place(
        AFTER, "What happened is counted, and outcomes follow from the counts.", *_functions(record, derived)
    )
    return (before, start, *steps, after)


def _told(step: Any) -> str:
    return (inspect.getdoc(step) or "").replace("`", "")


def places_of(rule: Rule) -> tuple[Place, ...]:
    """The places where a rule is applied, itself or inside another rule."""
    return tuple(one for one in places() if rule in one.rules)


def spoken(name: str) -> str:
    """The name of a place in words.

    >>> spoken("patron_assesses")
    'patron assesses'
    """
    return name.replace("_", " ")


def _place(name: str, text: str, *functions: Any) -> Place:
    found: dict[Rule, None] = {}
    for function in functions:
        found.update(dict.fromkeys(_applied(_plain(function), set())))
    return Place(name, text, tuple(found))


def _functions(*modules: ModuleType) -> Iterator[Any]:
    """All that the modules define, compiled or not."""
    for module in modules:
        for one in vars(module).values():
            if getattr(_plain(one), "__module__", "") == module.__name__ and isinstance(_plain(one), FunctionType):
                yield one


def _plain(function: Any) -> Any:
    """The Python function behind a compiled one."""
    return getattr(function, "py_func", function)


def _applied(function: Any, seen: set[Any]) -> Iterator[Rule]:
    """The rules that a function applies, and those that its helpers and these rules themselves apply."""
    if function in seen:
        return
    seen.add(function)
    for one in _named(function):
        if one.__module__.startswith("sim.rules."):
            yield one
        if one.__module__.startswith(("sim.rules.", "sim.engine.")):
            yield from _applied(one, seen)


def _named(function: FunctionType) -> Iterator[FunctionType]:
    """The functions that another names, by themselves or as members of a module that it names."""
    own = function.__code__.co_varnames
    space: Mapping[str, Any] = {name: one for name, one in function.__globals__.items() if name not in own}
    for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))):
        one = None
        if isinstance(node, ast.Name):
            one = _plain(space.get(node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = space.get(node.value.id)
            one = _plain(getattr(module, node.attr, None)) if isinstance(module, ModuleType) else None
        if isinstance(one, FunctionType):
            yield one
