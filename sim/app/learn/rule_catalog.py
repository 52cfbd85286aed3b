"""The rules as entries of a catalog: what each says, the ranges of its arguments, and the steps that apply it.

Everything is read from the rules, the declarations and the engines, so that a rule that is added to `sim.rules` appears
by itself. One run of the article is simulated in which every number of the model's inputs knows the column that it
stands in; so the range of an argument is that of the declarations behind it.
"""

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, reduce
from importlib import import_module
from pkgutil import iter_modules
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

import sim.rules as rule_package
from sim.app.frame import round_up
from sim.engine import inputs as model_inputs
from sim.engine import record
from sim.engine.inputs import ModelInputs, build_inputs, with_design
from sim.engine.reference import agents, tally
from sim.engine.reference.model import ReferenceModel
from sim.engine.trace import RULES, Decision
from sim.model.parameters import Declaration, Theatre, Wing, group_declarations, shared_declarations
from sim.model.scenario import Scenario, load, parameter_rows
from sim.reporting.formulas import Rule, RuleDocstring, parse_docstring, rules_of
from sim.rules.decisions import STEPS

Kind = Literal["number", "whole", "flag"]
Span = tuple[float, float]

_KINDS: dict[type, Kind] = {bool: "flag", int: "whole", float: "number"}
RUN: Final = 0
SEED: Final = 1
HALVES: Final = tuple(half / 2 for half in range(2, 21))
"""First digits of a round end of a range."""


# --- ranges of arguments ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InputColumn:
    """One column of the model's inputs: its span over the declared ranges, and the keys that change it."""

    low: float
    high: float
    keys: tuple[str, ...]

    def joined(self, other: "InputColumn") -> "InputColumn":
        """The span and the keys of both."""
        keys = tuple(dict.fromkeys((*self.keys, *other.keys)))
        return InputColumn(min(self.low, other.low), max(self.high, other.high), keys)


@dataclass(frozen=True)
class ObservedArguments:
    """The arguments of a rule in a run: their spans, the input columns of those that always came from one, decisions.

    At most one decision of each day is kept.
    """

    spans: dict[str, Span]
    columns: dict[str, tuple[str, ...]]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class ArgumentRanges:
    """What one run and the declarations say about the arguments of rules."""

    scenario: Scenario
    columns: dict[str, InputColumn]
    observed: dict[Rule, ObservedArguments]


class NamedFloat(float):
    """A number that knows the column that it stands in; a number computed from it is a plain one again."""

    column: str

    def __new__(cls, value: float, column: str) -> "NamedFloat":
        """A number from that column."""
        made = super().__new__(cls, value)
        made.column = column
        return made


@cache
def argument_ranges() -> ArgumentRanges:
    """Simulate a run of the article and read the declarations, once for all sessions.

    Rules that are applied only where wings comply by degrees, or where shares of theatres change, have their ranges
    from such a run, and no cases.
    """
    scenario = load().scenario
    others = [load([one]).scenario for one in ("shares.share_deviation=0.25", "mechanisms.pause=false")]
    inputs = build_inputs(scenario)
    elsewhere = {
        rule: replace(seen, decisions=())
        for other in others
        for rule, seen in _observed(other, build_inputs(other)).items()
    }
    observed = elsewhere | _observed(scenario, inputs)
    return ArgumentRanges(scenario, _input_columns(scenario, inputs), observed)


def _input_columns(scenario: Scenario, inputs: ModelInputs) -> dict[str, InputColumn]:
    """Every column of the inputs, with each declared number at both ends of its range and all others unchanged."""
    rows = parameter_rows(scenario)
    base, low, high = (np.array([getattr(row, name) for row in rows]) for name in ("value", "low", "high"))
    points = np.tile(base, (3 + 2 * len(rows), 1))
    points[-2], points[-1] = low, high
    for place, row in enumerate(rows):
        points[1 + 2 * place, place], points[2 + 2 * place, place] = row.low, row.high
    made = with_design(inputs, scenario, {row.key: points[:, place] for place, row in enumerate(rows)})
    keys = [row.key for row in rows]
    return {
        name: _input_column(records[name].reshape(len(points), -1), keys)
        for records in (made.numbers, made.theatres, made.wings)
        for name in records.dtype.names or ()
    }


def _input_column(values: npt.NDArray[np.float64], keys: list[str]) -> InputColumn:
    changed = (values[1:-2] != values[0]).any(axis=1).reshape(-1, 2).any(axis=1)
    finite = values[np.isfinite(values)]
    named = dict.fromkeys(general_key(key) for key, changes in zip(keys, changed, strict=True) if changes)
    return InputColumn(float(finite.min()), float(finite.max()), tuple(named))


def general_key(key: str) -> str:
    """The key without the name of the wing or theatre.

    >>> general_key("militia.nujaba_iraq.autonomy"), general_key("patron.control")
    ('militia.WING.autonomy', 'patron.control')
    """
    group, *_, name = key.split(".")
    return {"militia": f"militia.WING.{name}", "theatre": f"theatre.THEATRE.{name}"}.get(group, key)


def _observed(scenario: Scenario, inputs: ModelInputs) -> dict[Rule, ObservedArguments]:
    """Simulate one run and record the inputs of its rules."""
    by_day: dict[Rule, dict[int, Decision]] = defaultdict(dict)
    spans: dict[Rule, dict[str, Span]] = defaultdict(dict)
    columns: dict[Rule, dict[str, dict[str, None]]] = {}

    def note(one: Decision) -> None:
        by_day[one.rule][one.day] = one
        for name, value in plain(one.inputs).items():
            low, high = spans[one.rule].get(name, (value, value))
            spans[one.rule][name] = min(low, value), max(high, value)
        if one.day >= 0:  # before that, numbers did not know their columns yet
            known = columns.setdefault(one.rule, {name: {} for name in one.inputs})
            for name, value in one.inputs.items():
                if isinstance(value, NamedFloat) and name in known:
                    known[name][value.column] = None
                elif value != 0.0 or isinstance(value, bool):
                    # An argument that came from elsewhere once is no declared number; zero stands for none.
                    known.pop(name, None)

    model = ReferenceModel(scenario, SEED, RUN, table=inputs, trace=note)
    for space in (model.numbers, *model.theatres, *(wing.trait for wing in model.wings)):
        vars(space).update({name: NamedFloat(value, name) for name, value in vars(space).items()})
    model.simulate()
    return {
        rule: ObservedArguments(
            spans[rule], {name: tuple(of) for name, of in columns[rule].items() if of}, tuple(days.values())
        )
        for rule, days in by_day.items()
    }


# --- entries ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleArgument:
    """One argument of a rule: its range, the keys of the declared numbers behind it, and what these mean."""

    name: str
    kind: Kind
    low: float
    high: float
    keys: tuple[str, ...] = ()
    text: str = ""
    unit: str = ""

    def clip(self, value: float) -> float:
        """A value as the argument takes it, inside its range."""
        inside = min(max(float(value), self.low), self.high)
        return inside if self.kind == "number" else float(round(inside))

    def including(self, value: float) -> "RuleArgument":
        """The argument with a range that includes this value."""
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def typed(self, value: float) -> float | int | bool:
        """A number as the rule takes it."""
        return {"number": float, "whole": int, "flag": bool}[self.kind](value)


@dataclass(frozen=True)
class RuleEntry:
    """One rule: `key` is its module and name, `decisions` are cases of it from a run, if it was applied there."""

    key: str
    rule: Rule
    doc: RuleDocstring
    arguments: tuple[RuleArgument, ...]
    decisions: tuple[Decision, ...]

    @property
    def name(self) -> str:
        """The rule's name in words."""
        return self.rule.__name__.replace("_", " ")

    @property
    def result_kind(self) -> Kind:
        """The kind of its result."""
        return _KINDS.get(inspect.signature(self.rule).return_annotation, "number")

    @cached_property
    def source(self) -> str:
        """Its source text."""
        return inspect.getsource(self.rule)

    def argument(self, name: str) -> RuleArgument:
        """An argument by its name."""
        return next(one for one in self.arguments if one.name == name)

    def matches(self, words: str) -> bool:
        """Whether its key, sentence, formula, units, source or the keys of its arguments contain all words."""
        doc, keys = self.doc, (key for one in self.arguments for key in (one.name, *one.keys))
        text = " ".join((self.key, self.name, doc.summary, *doc.formula, doc.units, doc.source, *keys)).lower()
        return all(word in text for word in words.lower().split())


@dataclass(frozen=True)
class RuleChapter:
    """The rules of one module, and the first paragraph of the module's docstring."""

    name: str
    text: str
    entries: tuple[RuleEntry, ...]


def chapters(ranges: ArgumentRanges, package: ModuleType = rule_package) -> tuple[RuleChapter, ...]:
    """Every module of the package that defines rules, in alphabetical order."""
    names = (one.name for one in iter_modules(package.__path__) if one.name != "samplers")  # these are no rules
    modules = (import_module(f"{package.__name__}.{name}") for name in names)
    return tuple(
        RuleChapter(
            module.__name__.rpartition(".")[2],
            " ".join((inspect.getdoc(module) or "").split("\n\n")[0].split()),
            tuple(_entry(rule, ranges) for rule in rules),
        )
        for module in modules
        if (rules := rules_of(module))
    )


def _entry(rule: Rule, ranges: ArgumentRanges) -> RuleEntry:
    doc, observed = parse_docstring(rule), ranges.observed.get(rule)
    arguments = tuple(
        _argument(name, _KINDS.get(one.annotation, "number"), doc, observed, ranges)
        for name, one in inspect.signature(rule).parameters.items()
    )
    key = f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}"
    return RuleEntry(key, rule, doc, arguments, () if observed is None else observed.decisions)


def _argument(
    name: str, kind: Kind, doc: RuleDocstring, observed: ObservedArguments | None, ranges: ArgumentRanges
) -> RuleArgument:
    if kind == "flag":
        return RuleArgument(name, kind, 0.0, 1.0)
    worked = doc.worked.get(name, 1.0)
    example = float(worked) if isinstance(worked, int | float) else 1.0
    if observed is not None and name in observed.columns:
        column = reduce(InputColumn.joined, (ranges.columns[one] for one in observed.columns[name]))
        if column.low < column.high:
            declared_one = _declared_argument(name, kind, column)
            return reduce(RuleArgument.including, (example, *observed.spans[name]), declared_one)
    if name == "draw":
        return RuleArgument(name, kind, 0.0, 1.0, text="the random number of this decision: uniform between 0 and 1")
    span = None if observed is None else observed.spans.get(name, (example, example))
    last = float(ranges.scenario.calendar.days - 1)
    return RuleArgument(name, kind, *_span(name, kind, doc.units, example, span, last))


def _declared_argument(name: str, kind: Kind, column: InputColumn) -> RuleArgument:
    """An argument that is a declared number itself, or is computed from some."""
    known, keys = dict(_declarations()), column.keys
    if len(keys) == 1 and (one := known[keys[0]]).low == column.low and one.high == column.high:
        return RuleArgument(name, kind, column.low, column.high, keys, one.text, one.unit)
    return RuleArgument(name, kind, column.low, column.high, keys, "declared, or computed from what is declared")


def _span(name: str, kind: Kind, units: str, example: float, observed: Span | None, last: float) -> Span:
    """The range of an argument that is no declared number: by its unit, its values in a run, its name or the example.

    `last` is the last day number.
    """
    low, high = observed or (example, example)
    low, high = min(0.0, low, example), max(high, example)
    if any(word in units for word in ("share", "probabilit")) and low == 0.0 and high <= 1.0 and kind == "number":
        return 0.0, 1.0
    if "day number" in units:
        return -1.0, max(high, last)
    if observed is None and (named := tuple(_declared_as(name))):
        return min(example, *(one.low for one in named)), max(example, *(one.high for one in named))
    if (observed is not None and (low, high) == (0.0, 1.0)) or kind == "whole":
        return low, max(high, 1.0)
    most = high if observed is not None and high > example else 2.0 * high
    return low, round_up(most, HALVES) if most > 0.0 else 1.0


def _declared_as(name: str) -> Iterator[Declaration]:
    """Declared numbers of this name, or else those whose names end with it."""
    pairs = [(key.rpartition(".")[2], one) for key, one in _declarations()]
    exact = [one for own, one in pairs if own == name]
    yield from exact or (one for own, one in pairs if own.endswith(f"_{name}"))


def _declarations() -> Iterator[tuple[str, Declaration]]:
    yield from shared_declarations().items()
    yield from ((f"militia.WING.{name}", one) for name, one in group_declarations(Wing))
    yield from ((f"theatre.THEATRE.{name}", one) for name, one in group_declarations(Theatre))


def plain(inputs: Mapping[str, Any]) -> dict[str, float]:
    """Inputs as numbers; all others, such as a list of weights, are left out."""
    return {name: float(value) for name, value in inputs.items() if isinstance(value, int | float)}


# --- steps of the day ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DayStep:
    """A step of the day, or what comes before and after all days: its name, what happens, the rules it applies."""

    name: str
    text: str
    rules: tuple[Rule, ...]


@cache
def day_steps() -> tuple[DayStep, ...]:
    """Everything that applies rules, in the order of time."""
    steps = {name: getattr(ReferenceModel, name) for name in STEPS}
    before = "Declared numbers become those that the days read."
    start = "All agents get the state in which the run begins."
    morning = "The timeline says what comes from outside."
    after = "Events are counted, and outcomes follow from the counts."
    return tuple(
        DayStep(name, text, tuple(dict.fromkeys(rule for one in functions for rule in _applied(_python(one), set()))))
        for name, text, functions in (
            ("before the first day", before, _functions(model_inputs)),
            ("on the first morning", start, [agents.PatronAgent.__init__, agents.MilitiaGroup.__init__]),
            ("every morning", morning, [ReferenceModel.timeline_speaks]),
            *((name, (inspect.getdoc(one) or "").replace("`", ""), [one]) for name, one in steps.items()),
            ("in the record", after, (*_functions(tally), *_functions(record))),
        )
    )


def steps_of(rule: Rule) -> tuple[DayStep, ...]:
    """The steps that apply a rule, themselves or inside another rule."""
    return tuple(one for one in day_steps() if rule in one.rules)


def _python(function: Any) -> Any:
    """The Python function behind a compiled one."""
    return getattr(function, "py_func", function)


def _functions(module: ModuleType) -> Sequence[Any]:
    """All functions that a module defines, compiled or not."""
    found = (_python(one) for one in vars(module).values())
    return [one for one in found if isinstance(one, FunctionType) and one.__module__ == module.__name__]


def _applied(function: Any, seen: set[Any]) -> Iterator[Rule]:
    """The rules that a function applies, and those that its helpers and these rules themselves apply."""
    if function in seen:
        return
    seen.add(function)
    for one in _called(function):
        if one.__module__.startswith("sim.rules."):
            yield one
        if one.__module__.startswith(("sim.rules.", "sim.engine.")):
            yield from _applied(one, seen)


@cache
def _by_agents() -> Mapping[str, Sequence[FunctionType]]:
    """What agents call by its name: the rules of their book, and methods, which may share a name with a rule.

    Of the model's own methods these are its helpers; the others are steps.
    """
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for one in (one for module in vars(RULES).values() for one in _functions(module)):
        found[one.__name__].append(one)
    kinds = [one for one in vars(agents).values() if isinstance(one, type) and one.__module__ == agents.__name__]
    helpers = {name: one for name, one in vars(ReferenceModel).items() if name.startswith("_")}
    for name, one in (pair for methods in (*map(vars, kinds), helpers) for pair in methods.items()):
        if isinstance(one, FunctionType) and not name.startswith("__"):
            found[name].append(one)
    return found


def _called(function: FunctionType) -> Iterator[FunctionType]:
    """The functions that another names, by themselves, as members of a module that it names or of an agent's."""
    own = function.__code__.co_varnames
    by_agents = function.__module__.startswith("sim.engine.reference.")
    space: Mapping[str, Any] = {name: one for name, one in function.__globals__.items() if name not in own}
    for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))):
        one = None
        if isinstance(node, ast.Name):
            one = _python(space.get(node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = space.get(node.value.id)
            one = _python(getattr(module, node.attr, None)) if isinstance(module, ModuleType) else None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and by_agents:
            yield from _by_agents().get(node.func.attr, ())
        if isinstance(one, FunctionType):
            yield one
