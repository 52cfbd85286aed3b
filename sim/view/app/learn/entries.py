"""The rules as entries of a book: what each says, and what its arguments are and may be.

Everything is read from the rules themselves, from the declarations and from one history, so that a rule that is added
to `sim.rules` stands in the book without anything being said of it here.
"""

import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal

import sim.rules as rooms
from sim.engine.trace import Decision
from sim.view.app.learn.evidence import Column, Evidence, Seen
from sim.view.handbook.told import Rule, Told, rules_of, told
from sim.world.parameters import Declaration, Theatre, Wing, declared, shared_declarations

Kind = Literal["number", "whole", "flag"]

_KINDS: dict[type, Kind] = {bool: "flag", int: "whole", float: "number"}


@dataclass(frozen=True)
class Argument:
    """One argument of a rule: its range, the keys of the declared numbers that it is made of, and what these mean."""

    name: str
    kind: Kind
    low: float
    high: float
    keys: tuple[str, ...] = ()
    text: str = ""
    unit: str = ""

    def cut(self, value: float) -> float:
        """A value as the argument takes it, inside its range."""
        inside = min(max(float(value), self.low), self.high)
        return inside if self.kind == "number" else float(round(inside))

    def reaching(self, value: float) -> "Argument":
        """The argument with a range that holds this value too."""
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def typed(self, value: float) -> float | int | bool:
        """A number as the rule takes it."""
        return {"number": float, "whole": int, "flag": bool}[self.kind](value)


@dataclass(frozen=True)
class Entry:
    """One rule: `key` is its module and name, `decisions` are cases of it from a lived history, if it was applied."""

    key: str
    rule: Rule
    told: Told
    arguments: tuple[Argument, ...]
    decisions: tuple[Decision, ...]

    @property
    def name(self) -> str:
        """The rule's name in words."""
        return self.rule.__name__.replace("_", " ")

    @property
    def gives(self) -> Kind:
        """The kind of its result."""
        return _KINDS.get(inspect.signature(self.rule).return_annotation, "number")

    @cached_property
    def source(self) -> str:
        """Its source text, without the mark."""
        return inspect.getsource(self.rule)

    def matches(self, words: str) -> bool:
        """Whether all words stand in its key, sentence, formula, units, source or the keys of its arguments."""
        said = self.told
        keys = (key for one in self.arguments for key in (one.name, *one.keys))
        text = " ".join((self.key, self.name, said.summary, *said.formula, said.units, said.source, *keys)).lower()
        return all(word in text for word in words.lower().split())


@dataclass(frozen=True)
class Chapter:
    """The rules of one module, and what the module says of itself."""

    name: str
    text: str
    entries: tuple[Entry, ...]


def chapters(evidence: Evidence, package: ModuleType = rooms) -> tuple[Chapter, ...]:
    """Every module of the package that defines rules, in alphabetical order."""
    found = (import_module(f"{package.__name__}.{one.name}") for one in iter_modules(package.__path__))
    return tuple(_chapter(module, evidence) for module in found if rules_of(module))


def _chapter(module: ModuleType, evidence: Evidence) -> Chapter:
    text = (inspect.getdoc(module) or "").split("\n\n")[0]
    entries = tuple(_entry(rule, evidence) for rule in rules_of(module))
    return Chapter(module.__name__.rpartition(".")[2], " ".join(text.split()), entries)


def _entry(rule: Rule, evidence: Evidence) -> Entry:
    said, seen = told(rule), evidence.seen.get(rule)
    arguments = tuple(
        _argument(name, _KINDS.get(one.annotation, "number"), said, seen, evidence)
        for name, one in inspect.signature(rule).parameters.items()
    )
    key = f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}"
    return Entry(key, rule, said, arguments, () if seen is None else seen.decisions)


def _argument(name: str, kind: Kind, said: Told, seen: Seen | None, evidence: Evidence) -> Argument:
    if kind == "flag":
        return Argument(name, kind, 0.0, 1.0)
    if seen is not None and name in seen.columns:
        column = reduce(Column.joined, (evidence.columns[one] for one in seen.columns[name]))
        if column.low < column.high:
            return reduce(Argument.reaching, (_example(name, said), *seen.spans[name]), _declared(name, kind, column))
    if name == "draw":
        return Argument(name, kind, 0.0, 1.0, text="the luck of this decision: uniform between 0 and 1")
    low, high = _span(name, kind, said, seen, evidence)
    return Argument(name, kind, low, high)


def _declared(name: str, kind: Kind, column: Column) -> Argument:
    """An argument that is a declared number itself, or is made of some."""
    known, (low, high, keys) = dict(_declarations()), (column.low, column.high, column.keys)
    if len(keys) == 1 and (one := known[keys[0]]).low == low and one.high == high:
        return Argument(name, kind, low, high, keys, one.text, one.unit)
    return Argument(name, kind, low, high, keys, "declared, or worked out from what is declared")


def _example(name: str, said: Told) -> float:
    """The argument in the worked value."""
    worked = said.worked.get(name, 1.0)
    return float(worked) if isinstance(worked, int | float) else 1.0


def _span(name: str, kind: Kind, said: Told, seen: Seen | None, evidence: Evidence) -> tuple[float, float]:
    """The range of an argument that is no declared number: by its unit, by what it was, by its name, or as worked."""
    example = _example(name, said)
    low, high = (example, example) if seen is None else seen.spans.get(name, (example, example))
    low, high = min(0.0, low, example), max(high, example)
    if _is_share(said.units) and low == 0.0 and high <= 1.0 and kind == "number":
        return 0.0, 1.0
    if "day number" in said.units:
        return -1.0, max(high, float(evidence.scenario.calendar.days - 1))
    if seen is None and (named := tuple(_named(name))):
        return min(example, *(one.low for one in named)), max(example, *(one.high for one in named))
    if (seen is not None and (low, high) == (0.0, 1.0)) or kind == "whole":
        return low, max(high, 1.0)
    return low, rounded_up(high if seen is not None and high > example else 2.0 * high) or 1.0


def _is_share(units: str) -> bool:
    return any(word in units for word in ("share", "probabilit"))


def _named(name: str) -> Iterator[Declaration]:
    """Declared numbers of this name, or else those whose names end so."""
    pairs = [(key.rpartition(".")[2], one) for key, one in _declarations()]
    exact = [one for own, one in pairs if own == name]
    yield from exact or (one for own, one in pairs if own.endswith(f"_{name}"))


def _declarations() -> Iterator[tuple[str, Declaration]]:
    yield from shared_declarations().items()
    yield from ((f"militia.WING.{name}", one) for name, one in declared(Wing))
    yield from ((f"theatre.THEATRE.{name}", one) for name, one in declared(Theatre))


def rounded_up(value: float) -> float:
    """The next number with one digit, or with a half.

    >>> rounded_up(0.0), rounded_up(0.31), rounded_up(7.2), rounded_up(130.0)
    (0.0, 0.35, 7.5, 150.0)
    """
    if value <= 0.0:
        return 0.0
    step = 10.0 ** math.floor(math.log10(value)) / 2.0
    return round(math.ceil(value / step - 1e-9) * step, 12)


def plain(inputs: dict[str, Any]) -> dict[str, float]:
    """Inputs as numbers; what is none, such as a list of weights, is left out."""
    return {name: float(value) for name, value in inputs.items() if isinstance(value, int | float)}
