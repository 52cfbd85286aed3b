"""What is known of the numbers that rules are given: which declared numbers they are, and what a history gave them.

One history of the article is lived, in which every number of the table knows the column that it stands in. So the
range of an argument is that of the declarations behind it, whoever adds a rule or a parameter.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.reference import ReferenceModel
from sim.engine.table import Table, at_points, tabulate
from sim.engine.trace import Decision
from sim.study.declared import parameter_rows
from sim.view.handbook.told import Rule
from sim.world.scenario import Scenario, load

RUN: Final = 0
SEED: Final = 1


@dataclass(frozen=True)
class Column:
    """One column of the table: the span that the declared ranges give it, and the keys that move it."""

    low: float
    high: float
    keys: tuple[str, ...]

    def joined(self, other: "Column") -> "Column":
        """What holds for both."""
        keys = tuple(dict.fromkeys((*self.keys, *other.keys)))
        return Column(min(self.low, other.low), max(self.high, other.high), keys)


@dataclass(frozen=True)
class Seen:
    """What a rule was given in a history: the span of every argument, its columns if it always had one, decisions.

    At most one decision of each day is kept.
    """

    spans: dict[str, tuple[float, float]]
    columns: dict[str, tuple[str, ...]]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Evidence:
    """What one history and the declarations say of the arguments of rules."""

    scenario: Scenario
    columns: dict[str, Column]
    seen: dict[Rule, Seen]


class Named(float):
    """A number that knows the column that it stands in; what is worked out from it is a plain number again."""

    column: str

    def __new__(cls, value: float, column: str) -> "Named":
        """A number from that column."""
        made = super().__new__(cls, value)
        made.column = column
        return made


@cache
def evidence() -> Evidence:
    """Live a history of the article and read the declarations; the same for everybody, so it is done once."""
    scenario = load().scenario
    table = tabulate(scenario)
    return Evidence(scenario, columns_of(scenario, table), seen_in(scenario, table))


def columns_of(scenario: Scenario, table: Table) -> dict[str, Column]:
    """Every column of the table, with each declared number at both ends of its range and all others as they are."""
    rows = parameter_rows(scenario)
    base = np.array([row.value for row in rows])
    points = np.concatenate(
        [np.tile(base, (1 + 2 * len(rows), 1)), [[row.low for row in rows]], [[row.high for row in rows]]]
    )
    for place, row in enumerate(rows):
        points[1 + 2 * place, place], points[2 + 2 * place, place] = row.low, row.high
    design = {row.key: points[:, place] for place, row in enumerate(rows)}
    made = at_points(table, scenario, design)
    keys = [row.key for row in rows]
    return {
        name: _column(records[name].reshape(len(points), -1), keys)
        for records in (made.numbers, made.theatres, made.wings)
        for name in records.dtype.names or ()
    }


def _column(values: npt.NDArray[np.float64], keys: list[str]) -> Column:
    moved = (values[1:-2] != values[0]).any(axis=1).reshape(-1, 2).any(axis=1)
    finite = values[np.isfinite(values)]
    named = dict.fromkeys(general(key) for key, moves in zip(keys, moved, strict=True) if moves)
    return Column(float(finite.min()), float(finite.max()), tuple(named))


def general(key: str) -> str:
    """The key without the name of the wing or theatre.

    >>> general("militia.nujaba_iraq.autonomy"), general("patron.control")
    ('militia.WING.autonomy', 'patron.control')
    """
    group, *_, name = key.split(".")
    return {"militia": f"militia.WING.{name}", "theatre": f"theatre.THEATRE.{name}"}.get(group, key)


def seen_in(scenario: Scenario, table: Table) -> dict[Rule, Seen]:
    """Live one history and note what its rules were given."""
    by_day: dict[Rule, dict[int, Decision]] = defaultdict(dict)
    spans: dict[Rule, dict[str, tuple[float, float]]] = defaultdict(dict)
    columns: dict[Rule, dict[str, dict[str, None]]] = {}

    def note(one: Decision) -> None:
        by_day[one.rule][one.day] = one
        _widen(spans[one.rule], one.inputs)
        if one.day >= 0:  # before that, numbers did not know their columns yet
            _note_columns(columns.setdefault(one.rule, {name: {} for name in one.inputs}), one.inputs)

    model = ReferenceModel(scenario, SEED, RUN, table=table, trace=note)
    _name_numbers((model.numbers, *model.theatres, *(wing.trait for wing in model.wings)))
    model.live()
    return {
        rule: Seen(spans[rule], {name: tuple(of) for name, of in columns[rule].items() if of}, tuple(days.values()))
        for rule, days in by_day.items()
    }


def _name_numbers(spaces: Iterable[Any]) -> None:
    for space in spaces:
        vars(space).update({name: Named(value, name) for name, value in vars(space).items()})


def _note_columns(columns: dict[str, dict[str, None]], inputs: dict[str, Any]) -> None:
    """Note where arguments came from. One that came from elsewhere once is no declared number; zero stands for none."""
    for name, value in inputs.items():
        if isinstance(value, Named) and name in columns:
            columns[name][value.column] = None
        elif value != 0.0 or isinstance(value, bool):
            columns.pop(name, None)


def _widen(spans: dict[str, tuple[float, float]], inputs: dict[str, Any]) -> None:
    for name, value in inputs.items():
        if isinstance(value, int | float):
            low, high = spans.get(name, (value, value))
            spans[name] = min(low, float(value)), max(high, float(value))
