"""Random rows of parameters: every declared number of a scenario drawn within its declared range."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine import scalar
from sim.engine.ensemble import Wanted, empty_output
from sim.engine.reference import ReferenceModel, StateTable
from sim.engine.table import Table, tabulate
from sim.numbers.chance import split_seed
from sim.world.mechanisms import MECHANISM_NAMES, Mechanisms
from sim.world.parameters import Declaration, Theatre, Wing, declared, shared_declarations
from sim.world.scenario import Scenario, load, scenario_names

ROWS: Final = 200
SEED: Final = 20240227
SCENARIOS: Final = tuple(card.name for card in scenario_names())
SHORT: Final = 140
"""Days that half of the rows live: past the report of every shipped case."""

SKEWED: Final = ("baseline", "war_rate")
"""Parameters drawn mostly near their lower end: else each history is a flood of attacks or ends in war at once."""


@dataclass(frozen=True)
class Row:
    """One history to live: a design point of a table, a study seed, a run."""

    scenario: Scenario
    table: Table
    point: int
    seed: int
    run: int


def declarations(scenario: Scenario) -> dict[str, tuple[Declaration, float]]:
    """Declaration and configured value of every parameter of a scenario, by full key."""
    numbers = scenario.parameters
    shared = {
        key: (one, getattr(getattr(numbers, key.split(".")[0]), key.split(".")[1]))
        for key, one in shared_declarations().items()
    }
    cast = scenario.cast
    own = {
        f"{group}.{name}.{field}": (one, getattr(thing, field))
        for group, kind, things in (("theatre", Theatre, cast.theatres), ("militia", Wing, cast.wings))
        for name, thing in things.items()
        for field, one in declared(kind)
    }
    return shared | own


def drawn_value(rng: np.random.Generator, key: str, declaration: Declaration, configured: float) -> float:
    """A value within the declared range: an end, what is configured, or anything between."""
    low, high, choice, place = declaration.low, declaration.high, rng.random(), rng.random()
    if choice < 0.3:
        return low if choice < 0.1 else configured
    if key.endswith(SKEWED):
        return float(low + (high - low) * place**6)
    return float(high if choice < 0.4 else low + (high - low) * place)


def design(scenario: Scenario, places: list[int]) -> dict[str, npt.NDArray[np.float64]]:
    """A design with one point for each random row."""
    columns: dict[str, list[float]] = {key: [] for key in declarations(scenario)}
    for place in places:
        rng = np.random.default_rng([SEED, place])
        for key, (declaration, configured) in declarations(scenario).items():
            columns[key].append(drawn_value(rng, key, declaration, configured))
    return {key: np.array(column) for key, column in columns.items()}


@cache
def rows_of(name: str) -> tuple[Row, ...]:
    """The rows that fall to a scenario when all take turns.

    Of each scenario's rows the first half is lived as shipped, to the end of the calendar; the second half with random
    mechanisms off and all of history free, for a shorter time.
    """
    places = list(range(SCENARIOS.index(name), ROWS, len(SCENARIOS)))
    shipped = load([f"scenario={name}"]).scenario
    middle = len(places) // 2
    whole = _rows(shipped, places[:middle], shipped.calendar.days)
    return whole + _rows(changed(shipped, places[0]), places[middle:], SHORT)


def changed(scenario: Scenario, place: int) -> Scenario:
    """The scenario with about a third of its mechanisms off and nothing pinned."""
    on = np.random.default_rng([SEED, place, 1]).random(len(MECHANISM_NAMES)) < 0.67
    switches = Mechanisms(**dict(zip(MECHANISM_NAMES, on.tolist(), strict=True)))
    return replace(scenario, mechanisms=switches, free_from=0)


def _rows(scenario: Scenario, places: list[int], days: int) -> tuple[Row, ...]:
    table = between(tabulate(scenario, design(scenario, places)), 0, days)
    rows = []
    for point, place in enumerate(places):
        rng = np.random.default_rng([SEED, place, 2])
        seed, run = int(rng.integers(2**64, dtype=np.uint64)), int(rng.integers(2**48))
        rows.append(Row(scenario, table, point, seed, run))
    return tuple(rows)


def between(table: Table, first: int, stop: int) -> Table:
    """The table with some of its days only, which are numbered from 0 again."""
    days = slice(first, stop)
    return table._replace(days=table.days[days], fronts=table.fronts[days], raids=table.raids[days])


def by_kernel(row: Row) -> StateTable:
    """The states of a row as the compiled engine lives it."""
    out = empty_output(row.table, 1, Wanted(states=True))
    low, high = split_seed(row.seed)
    scalar.run_histories(row.table, low, high, np.array([row.run]), np.array([row.point]), out)
    return StateTable(out.run_states[0], out.front_states[0], out.wing_states[0])


def by_reference(row: Row) -> StateTable:
    """The states of a row as the reference model lives it."""
    model = ReferenceModel(row.scenario, row.seed, row.run, table=row.table, point=row.point)
    return model.live().state_table()


def differences(first: StateTable, second: StateTable) -> list[str]:
    """Every column of two state tables that is not the same bytes, with the first day on which it is not."""
    found = []
    for part, one, other in zip(StateTable._fields, first, second, strict=True):
        for name in one.dtype.names or ():
            bits, others = (np.ascontiguousarray(table[name]).view(np.int64) for table in (one, other))
            if not np.array_equal(bits, others):
                found.append(f"{part}.{name} from day {np.argwhere(bits != others)[0][0]}")
    return found


def numbers_of(states: StateTable) -> Mapping[str, npt.NDArray[Any]]:
    """Every column of a state table by name."""
    return {name: part[name] for part in states for name in part.dtype.names or ()}


def lived(states: StateTable) -> int:
    """Days lived: up to direct war, or all."""
    war = np.flatnonzero(states.run["war"])
    return int(war[0]) + 1 if len(war) else len(states.run)
