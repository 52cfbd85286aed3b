"""Whether an extension means the same in both engines, the reference model and the kernel, bit by bit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sim.engine import batched
from sim.engine.batch import empty_output
from sim.engine.inputs import ModelInputs, build_inputs
from sim.engine.record import Output, OutputSpec
from sim.engine.reference.model import ReferenceModel
from sim.engine.reference.tally import write_history
from sim.experiment.parameter_sets import prior_design
from sim.experiment.statistics import Array
from sim.model.extension import ActorType, Extension, extension_of
from sim.model.scenario import Scenario, load
from sim.model.validation import UserError
from sim.numbers.philox import split_seed

POINTS: Final = 6
"""Design points: as configured, all parameters of the extension at one end and at the other, the rest drawn."""
WIDTHS: Final = (None, 3)
"""Widths of a block of lanes that are tried; None is the one that fits the cache."""
SEEDS: Final = (1, 2**40 + 7)
STATES: Final = {"run": "run_states", "fronts": "front_states", "wings": "wing_states", "extras": "extras_states"}
ACTORS: Final = ("first", "second")
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
class ParityCheck:
    """What came of a check: how many histories each engine simulated, and the first difference, if any."""

    histories: int
    first: Difference | None


def check_parity(
    extension: Extension | Path | str,
    overrides: Sequence[str] = (),
    runs: int = 1,
    config_dir: Path | str | None = None,
) -> ParityCheck:
    """Compare both engines with an extension; `runs` histories for each of two seeds and six sets of parameters.

    Raises:
        UserError: the extension cannot be used at all.
    """
    added = extension_of(extension)
    scenario = load((*overrides, *_one_actor(added, overrides)), config_dir, [added]).scenario
    design = _design(scenario)
    table = build_inputs(scenario, design)
    points = np.repeat(np.arange(table.points), runs)
    numbers = np.tile(np.arange(runs), table.points)
    for seed in SEEDS:
        low, high = split_seed(seed)
        first = _compared(scenario, table, (low, high), numbers, points)
        if first is not None:
            i, engine, what, day, values = first
            point = {key: float(column[points[i]]) for key, column in design.items() if key in scenario.extended.values}
            found = Difference(engine, what, day, *values, seed, int(numbers[i]), point)
            return ParityCheck(len(SEEDS) * len(numbers), found)
    return ParityCheck(len(SEEDS) * len(numbers), None)


Found = tuple[int, str, str, int | None, tuple[float, float]]


def _one_actor(added: Extension, overrides: Sequence[str]) -> Iterator[str]:
    for one in added.mechanisms:
        if isinstance(one, ActorType) and not any(text.startswith(f"{one.name}.") for text in overrides):
            yield from (f"{one.name}.{actor}={{}}" for actor in ACTORS)


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


def _compared(
    scenario: Scenario, table: ModelInputs, seed: tuple[int, int], runs: Array, points: Array
) -> Found | None:
    """The first difference between the engines, which live the same histories."""
    outputs = OutputSpec(states=True)
    expected = empty_output(table, len(runs), outputs)
    for i, (run, point) in enumerate(zip(runs.tolist(), points.tolist(), strict=True)):
        model = ReferenceModel(scenario, seed[0] | seed[1] << 32, run, table=table, point=point)
        try:
            write_history(expected, i, model.simulate())
        except (ArithmeticError, TypeError, ValueError) as problem:
            names = ", ".join(one.name for one in scenario.extended.extensions)
            allowed = f"functions that work on every day (day {model.day}: {type(problem).__name__}: {problem})"
            raise UserError("extensions", names, allowed) from None
    for width in WIDTHS:
        found = empty_output(table, len(runs), outputs)
        batched.run_histories(table, *seed, runs, points, found, width)
        for i in range(len(runs)):
            if (first := _first(expected, found, i)) is not None:
                return (i, f"lanes, {width or 'as many as fit'} side by side", *first)
    return None


def _first(expected: Output, found: Output, i: int) -> tuple[str, int | None, tuple[float, float]] | None:
    """The first day on which the states of a history differ and what differs there first, or what does at the end."""
    states: list[tuple[int, str, tuple[float, float]]] = []
    for part, table in STATES.items():
        mine, its = (getattr(one, table)[i] for one in (expected, found))
        for name in mine.dtype.names or (None,):
            here, there = (one if name is None else one[name] for one in (mine, its))
            if (place := _first_place(here, there)) is not None:
                what = f"{part}.{f'row {place[1]}' if name is None else name}"
                states.append((int(place[0]), what, (float(here[place]), float(there[place]))))
    if states:
        day, what, values = min(states)
        return what, day, values
    for name in ("rows", "extras", "counts", "lags"):
        here, there = getattr(expected, name)[i], getattr(found, name)[i]
        if (place := _first_place(here, there)) is not None:
            return name, None, (float(here[place]), float(there[place]))
    return None


def _first_place(one: Array, other: Array) -> tuple[int, ...] | None:
    """Where two arrays first differ in a bit."""
    bits, others = (np.ascontiguousarray(table).view(f"i{table.dtype.itemsize}") for table in (one, other))
    return None if np.array_equal(bits, others) else tuple(np.argwhere(bits != others)[0])
