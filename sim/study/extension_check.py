"""Whether an extension means the same in every engine: the reference model, the oracle and the lanes, bit by bit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import Wanted, empty_output
from sim.engine.extension.variant import engines_of
from sim.engine.record import Output
from sim.engine.reference import ReferenceModel, StateTable
from sim.engine.table import Table, tabulate
from sim.numbers.chance import split_seed
from sim.study.prior import prior_design
from sim.world.errors import UserError
from sim.world.extension import ActorType, Extension, extension_of
from sim.world.scenario import Scenario, load

Array = npt.NDArray[Any]

POINTS: Final = 6
"""Design points: as configured, all parameters of the extension at one end and at the other, the rest drawn."""
WIDTHS: Final = (None, 3)
"""Widths of a block of lanes that are tried; None is the one that fits the cache."""
SEEDS: Final = (1, 2**40 + 7)
SOMEBODY: Final = ("first", "second")
"""Actors of a type that the configuration names none of."""


@dataclass(frozen=True)
class Difference:
    """The first number on which an engine and the reference model differ, in the history of a seed and a run.

    `day` is None for what is found at the end, `point` says with which of the parameters that were tried.
    """

    engine: str
    what: str
    day: int | None
    reference: float
    other: float
    seed: int
    run: int
    point: dict[str, float]

    def __str__(self) -> str:
        when = "at the end" if self.day is None else f"on day {self.day}"
        where = ", ".join(f"{key}={value!r}" for key, value in self.point.items())
        return (
            f"{self.what} {when}: {self.reference!r} by the reference model, {self.other!r} by the {self.engine}"
            f" (seed {self.seed}, run {self.run}{', ' if where else ''}{where})"
        )


@dataclass(frozen=True)
class Checked:
    """What came of a check: how many histories were lived by each engine, and the first difference, if any."""

    histories: int
    first: Difference | None


def check_extension(
    extension: Extension | Path | str,
    overrides: Sequence[str] = (),
    *,
    runs: int = 1,
    config_dir: Path | str | None = None,
) -> Checked:
    """Live some histories by every engine with an extension and compare every state of every day, bit by bit.

    Args:
        extension: it, or the file that defines it.
        overrides: configuration to live in, such as `scenario=tight_leash`.
        runs: histories for each of two seeds and six sets of parameters: as configured, those of the extension at their
            ends, and the rest drawn from the declared ranges and priors.
        config_dir: a folder with files of your own.

    Raises:
        UserError: the extension cannot be used at all.
    """
    added = extension_of(extension)
    scenario = load((*overrides, *_somebody(added, overrides)), config_dir, [added]).scenario
    design = _design(scenario)
    table = tabulate(scenario, design)
    points = np.repeat(np.arange(table.points), runs)
    numbers = np.tile(np.arange(runs), table.points)
    for seed in SEEDS:
        low, high = split_seed(seed)
        first = _compared(scenario, table, (low, high), numbers, points)
        if first is not None:
            i, engine, what, day, values = first
            point = {key: float(column[points[i]]) for key, column in design.items() if key in scenario.extended.values}
            found = Difference(engine, what, day, *values, seed, int(numbers[i]), point)
            return Checked(len(SEEDS) * len(numbers), found)
    return Checked(len(SEEDS) * len(numbers), None)


Found = tuple[int, str, str, int | None, tuple[float, float]]


def _somebody(added: Extension, overrides: Sequence[str]) -> Iterator[str]:
    for one in added.mechanisms:
        if isinstance(one, ActorType) and not any(text.startswith(f"{one.name}.") for text in overrides):
            yield from (f"{one.name}.{actor}={{}}" for actor in SOMEBODY)


def _design(scenario: Scenario) -> dict[str, Array]:
    """Six points: the numbers of the extension by themselves, then with all others drawn from their priors."""
    rng = np.random.default_rng(1)
    found: dict[str, Array] = {}
    for key, value in prior_design(POINTS, 1).items():
        configured = getattr(getattr(scenario.parameters, key.split(".")[0]), key.split(".")[1])
        found[key] = np.where(np.arange(POINTS) < POINTS // 2, configured, value)
    for key, one in scenario.extended.declarations.items():
        drawn = one.low + (one.high - one.low) * rng.random(POINTS)
        drawn[:3] = scenario.extended.values[key], one.low, one.high
        found[key] = drawn
    return found


def _compared(scenario: Scenario, table: Table, seed: tuple[int, int], runs: Array, points: Array) -> Found | None:
    """The first difference between the engines, which live the same histories."""
    engines = engines_of(table)
    oracle = _lived(engines.scalar, table, seed, runs, points)
    for i, (run, point) in enumerate(zip(runs.tolist(), points.tolist(), strict=True)):
        states = _by_reference(scenario, table, seed, run, point)
        other = StateTable(oracle.run_states[i], oracle.front_states[i], oracle.wing_states[i], oracle.mine_states[i])
        if (found := _first(states, other)) is not None:
            return (i, "scalar engine", *found)
    for width in WIDTHS:
        lived = _lived(engines.lanes, table, seed, runs, points, *(() if width is None else (width,)))
        for i in range(len(runs)):
            states, other = (
                StateTable(one.run_states[i], one.front_states[i], one.wing_states[i], one.mine_states[i])
                for one in (oracle, lived)
            )
            if (found := _first(states, other)) is not None:
                return (i, f"lanes, {width or 'as many as fit'} side by side", *found)
            for name in ("rows", "mine", "counts", "lags"):
                one, another = getattr(oracle, name)[i], getattr(lived, name)[i]
                if one.tobytes() != another.tobytes():
                    place = tuple(np.argwhere(one != another)[0])
                    return i, "lanes", name, None, (float(one[place]), float(another[place]))
    return None


def _lived(engine: Any, table: Table, seed: tuple[int, int], runs: Array, points: Array, *width: int) -> Output:
    out = empty_output(table, len(runs), Wanted(states=True))
    engine(table, *seed, runs, points, out, *width)
    return out


def _by_reference(scenario: Scenario, table: Table, seed: tuple[int, int], run: int, point: int) -> StateTable:
    model = ReferenceModel(scenario, seed[0] | seed[1] << 32, run, table=table, point=point)
    try:
        return model.live().state_table()
    except (ArithmeticError, TypeError, ValueError) as problem:
        names = ", ".join(one.name for one in scenario.extended.extensions)
        told = f"functions that work on every day (day {model.day}: {type(problem).__name__}: {problem})"
        raise UserError("extensions", names, told) from None


def _first(one: StateTable, other: StateTable) -> tuple[str, int, tuple[float, float]] | None:
    """The first day on which two tables of states differ, and what differs there first."""
    found: list[tuple[int, str, tuple[float, float]]] = []
    for part, here, there in zip(StateTable._fields, one, other, strict=True):
        names = here.dtype.names
        for name in names or (None,):
            mine, its = (here, there) if name is None else (here[name], there[name])
            bits, others = (np.ascontiguousarray(table).view(np.int64) for table in (mine, its))
            if not np.array_equal(bits, others):
                place = tuple(np.argwhere(bits != others)[0])
                what = f"{part}.{name or f'row {place[1]}'}"
                found.append((int(place[0]), what, (float(mine[place]), float(its[place]))))
    if not found:
        return None
    day, what, values = min(found)
    return what, day, values
