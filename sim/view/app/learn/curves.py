"""A rule as a curve: the rule itself, called at every point of a grid of one argument."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sim.engine.trace import Decision
from sim.view.app.learn.entries import Argument, Entry, plain

POINTS: Final = 161
MOST_WHOLE: Final = 400
_TRIED: Final = 24
"""Cases from a history among which a good one to start from is looked for."""


@dataclass(frozen=True)
class Curve:
    """Results over a grid; NaN where the rule gives no number. `steps` says that it jumps from value to value."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    steps: bool
    names: dict[int, str]


@dataclass(frozen=True)
class Start:
    """Values to begin with, and the argument to draw over."""

    values: dict[str, float]
    over: str


def applied(entry: Entry, values: Mapping[str, float]) -> float:
    """The result of the rule for these values; NaN where it has none."""
    given = {one.name: one.typed(values[one.name]) for one in entry.arguments}
    try:
        return float(entry.rule(**given))
    except (ArithmeticError, ValueError):
        return float("nan")


def curve(entry: Entry, values: Mapping[str, float], over: str) -> Curve:
    """The rule over the range of one argument, the others as given."""
    xs = grid(argument(entry, over), POINTS)
    ys = tuple(applied(entry, {**values, over: x}) for x in xs)
    steps = entry.gives != "number" or argument(entry, over).kind != "number"
    return Curve(xs, ys, steps, names_of(entry, ys))


def argument(entry: Entry, name: str) -> Argument:
    """An argument by its name."""
    return next(one for one in entry.arguments if one.name == name)


def grid(one: Argument, points: int) -> tuple[float, ...]:
    """Values over the range of an argument: all of them where it takes few."""
    low, high = one.low, one.high
    if one.kind != "number" and high - low <= MOST_WHOLE:
        return tuple(low + k for k in range(int(high - low) + 1))
    values = [low + (high - low) * k / (points - 1) for k in range(points - 1)]
    return tuple(dict.fromkeys(one.cut(value) for value in (*values, high)))


def names_of(entry: Entry, ys: Sequence[float]) -> dict[int, str]:
    """Words for the results, where they are yes or no or all have a name in the rule's module."""
    if entry.gives == "flag":
        return {0: "no", 1: "yes"}
    if entry.gives != "whole":
        return {}
    space: dict[str, Any] = entry.rule.__globals__
    known = {
        value: name.lower().replace("_", " ")
        for name, value in space.items()
        if name.isupper() and type(value) is int and value >= 0
    }
    return known if set(ys) <= set(known) else {}


def start(entry: Entry) -> Start:
    """The worked value of the rule, drawn over the argument that shows most; declared numbers come last."""
    values = complete(entry, plain(entry.told.worked))
    return Start(values, best_over(entry, values))


def case(entry: Entry) -> Decision | None:
    """The case from the history in which most arguments matter; None where the rule was not applied in it."""
    every = max(1, len(entry.decisions) // _TRIED)
    tried = entry.decisions[::every]
    return max(tried, key=lambda one: _matters(entry, complete(entry, plain(one.inputs))), default=None)


def complete(entry: Entry, values: Mapping[str, float]) -> dict[str, float]:
    """A value for every argument, inside its range."""
    return {one.name: one.cut(values.get(one.name, (one.low + one.high) / 2.0)) for one in entry.arguments}


def _matters(entry: Entry, values: Mapping[str, float]) -> int:
    """How many arguments change the result, by themselves."""
    return sum(_spread(entry, values, one)[0] > 1 for one in entry.arguments)


def best_over(entry: Entry, values: Mapping[str, float]) -> str:
    """The argument over which the curve shows most."""

    def shows(one: Argument) -> tuple[bool, bool, bool, float]:
        results, apart = _spread(entry, values, one)
        return results > 1, not one.keys, results > 2, apart

    return max(entry.arguments, key=shows).name


def _spread(entry: Entry, values: Mapping[str, float], one: Argument) -> tuple[int, float]:
    """How many different results an argument gives, and how far apart they are."""
    found = {applied(entry, {**values, one.name: x}) for x in grid(one, 9)}
    known = [y for y in found if math.isfinite(y)]
    return len(found), max(known) - min(known) if known else 0.0
