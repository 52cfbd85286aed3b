"""Random rows of parameters: every declared number of a scenario drawn within its declared range."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine import batched
from sim.engine.batch import empty_output
from sim.engine.inputs import ModelInputs, build_inputs
from sim.engine.record import Output, OutputSpec
from sim.engine.reference.model import ReferenceModel, StateTable
from sim.engine.reference.tally import write_history
from sim.model.parameters import (
    MECHANISM_NAMES,
    Declaration,
    Mechanisms,
    Theatre,
    Wing,
    group_declarations,
    shared_declarations,
)
from sim.model.scenario import Scenario, load, scenario_names
from sim.numbers.philox import split_seed

ROWS: Final = 200
SEED: Final = 20240227
SCENARIOS: Final = tuple(card.name for card in scenario_names())
SHORT: Final = 140
"""Days that half of the rows simulate: past the report of every shipped case."""

SKEWED: Final = ("baseline", "war_rate")
"""Parameters drawn mostly near their lower end: else each history is a flood of attacks or ends in war at once."""


@dataclass(frozen=True)
class Row:
    """One history to simulate: a design point of a table, a study seed, a run."""

    scenario: Scenario
    table: ModelInputs
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
        for field, one in group_declarations(kind)
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

    The first half of each scenario's rows is simulated as shipped, to the end of the calendar; the second half with
    random mechanisms off and all of history free, for a shorter time.
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
    table = between(build_inputs(scenario, design(scenario, places)), 0, days)
    rows = []
    for point, place in enumerate(places):
        rng = np.random.default_rng([SEED, place, 2])
        seed, run = int(rng.integers(2**64, dtype=np.uint64)), int(rng.integers(2**48))
        rows.append(Row(scenario, table, point, seed, run))
    return tuple(rows)


def between(table: ModelInputs, first: int, stop: int) -> ModelInputs:
    """The table with some of its days only, which are numbered from 0 again."""
    days = slice(first, stop)
    return table._replace(days=table.days[days], fronts=table.fronts[days], raids=table.raids[days])


def by_kernel(row: Row) -> StateTable:
    """The states of a row from the kernel."""
    out = empty_output(row.table, 1, OutputSpec(states=True))
    low, high = split_seed(row.seed)
    batched.run_histories(row.table, low, high, np.array([row.run]), np.array([row.point]), out, width=1)
    return StateTable(out.run_states[0], out.front_states[0], out.wing_states[0])


def by_reference(row: Row) -> StateTable:
    """The states of a row from the reference model."""
    model = ReferenceModel(row.scenario, row.seed, row.run, table=row.table, point=row.point)
    return model.simulate().state_table()


def reference_output(
    scenario: Scenario,
    table: ModelInputs,
    seed: int,
    runs: npt.NDArray[Any],
    points: npt.NDArray[Any],
    outputs: OutputSpec,
) -> Output:
    """All that is asked of histories, from the reference model."""
    out = empty_output(table, len(runs), outputs)
    for i, (run, point) in enumerate(zip(runs.tolist(), points.tolist(), strict=True)):
        write_history(out, i, ReferenceModel(scenario, seed, run, table=table, point=point).simulate())
    return out


def differing(first: Output, second: Output) -> list[str]:
    """Names of the arrays in which a bit differs."""
    return [name for name in Output._fields if getattr(first, name).tobytes() != getattr(second, name).tobytes()]


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


def days_done(states: StateTable) -> int:
    """Days simulated: up to direct war, or all."""
    war = np.flatnonzero(states.run["war"])
    return int(war[0]) + 1 if len(war) else len(states.run)
