"""What a rule says of itself: sentence, formula, units, source and worked value, as its docstring has them."""

import ast
import doctest
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Told:
    """The docstring of a rule, taken apart; `worked` are the inputs of its worked value by name, `gives` the result.

    A part that the docstring does not have is empty.
    """

    summary: str
    formula: tuple[str, ...]
    units: str
    source: str
    worked: dict[str, Any]
    gives: str


def rules_of(module: ModuleType) -> list[Rule]:
    """The rules that a module defines, in its order."""
    mine = (one for _, one in inspect.getmembers(module, inspect.isfunction) if one.__module__ == module.__name__)
    return sorted(mine, key=lambda one: one.__code__.co_firstlineno)


def told(rule: Rule) -> Told:
    """Take the docstring of a rule apart.

    >>> from sim.rules.rates import keep
    >>> card = told(keep)
    >>> card.formula, card.units, card.worked, card.gives
    (('keep = exp(-ln 2 / h)',), 'half_life in days (above 0), result 1/day.', {'half_life': 1.0}, '0.5')
    """
    summary, *parts = (inspect.getdoc(rule) or "").split("\n\n")
    about = next((part for part in parts if part.startswith("Units:")), "")
    formula = parts[: parts.index(about)] if about else []
    units, _, source = " ".join(about.split()).removeprefix("Units: ").partition(" Source: ")
    worked, gives = _worked(rule)
    lines = tuple(line.strip() for part in formula for line in part.splitlines())
    return Told(" ".join(summary.split()), lines, units, source, worked, gives)


def _worked(rule: Rule) -> tuple[dict[str, Any], str]:
    """Inputs and result of the first example that calls the rule with plain numbers."""
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(rule) or ""):
        for call in ast.walk(ast.parse(example.source)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == rule.__name__:
                values = [ast.literal_eval(one) for one in call.args]
                return dict(inspect.signature(rule).bind(*values).arguments), example.want.strip()
    return {}, ""
