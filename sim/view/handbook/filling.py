"""Putting tables into documents.

A document marks a place with `<!-- table: NAME -->` and `<!-- end of table -->`; all between the two is written here.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from sim.rules import casualties, ladder, mediator, militia, observation, patron, rates, rival, target
from sim.view.handbook import fitted
from sim.view.handbook.composed import (
    balance_table,
    glossary_table,
    headline_table,
    pattern_table,
    pin_table,
    scenario_table,
)
from sim.view.handbook.declared import (
    cast_table,
    day_table,
    decision_table,
    mechanism_table,
    outcome_table,
    parameter_table,
    rule_table,
    symbol_table,
)
from sim.view.handbook.extensible import changeable_table, replaceable_table

ROLES: Final = (militia, patron, mediator, target, rival, casualties, observation, ladder, rates)
"""The modules of the rules of the day."""

TABLES: Final[dict[str, Callable[[], str]]] = {
    "parameters": parameter_table,
    "symbols": symbol_table,
    "wings": partial(cast_table, "militia"),
    "theatres": partial(cast_table, "theatre"),
    **{f"rules of {one.__name__.rpartition('.')[2]}": partial(rule_table, one) for one in ROLES},
    "day": day_table,
    "mechanisms": mechanism_table,
    "decisions": decision_table,
    "outcomes": outcome_table,
    "scenarios": scenario_table,
    "pins": pin_table,
    "patterns": pattern_table,
    "headlines": headline_table,
    "balance": balance_table,
    "glossary": glossary_table,
    "replaceable rules": replaceable_table,
    "changeable": changeable_table,
    "fitted to": fitted.figure_table,
    "verdicts": fitted.verdict_table,
    "readings": fitted.reading_table,
    "observations by reading": fitted.observation_table,
    "stories": fitted.story_table,
    "planted truths": fitted.check_table,
    "second method": fitted.agreement_table,
}
"""Every table by the name that documents call it by."""

_OPENED: Final = re.compile(r"^<!-- table: ([^\n]*) -->$", re.MULTILINE)
_CLOSED: Final = re.compile(r"^<!-- end of table -->$", re.MULTILINE)
_PLACE: Final = re.compile(rf"({_OPENED.pattern}\n).*?({_CLOSED.pattern})", re.MULTILINE | re.DOTALL)


def filled(text: str) -> str:
    """The text of a document with all its tables written anew.

    Raises:
        ValueError: there is no table of that name, or a place is not closed.
    """
    names = _OPENED.findall(text)
    if unknown := [name for name in names if name not in TABLES]:
        raise ValueError(f"table {unknown[0]!r}: allowed are {', '.join(TABLES)}")
    if not len(names) == len(_CLOSED.findall(text)) == len(_PLACE.findall(text)):
        raise ValueError("every table needs its own end, and every end its table")
    return _PLACE.sub(lambda place: f"{place[1]}\n{TABLES[place[2]]()}\n\n{place[3]}", text)


def main(paths: Sequence[str]) -> None:
    """Fill the tables of these documents and name those that changed."""
    for path in map(Path, paths):
        before = path.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print(f"{path}: tables written")
