"""The work of a sweep, small enough to send anywhere: from ranges of points and runs to columns of outcomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import run_batch
from sim.engine.record import Output
from sim.engine.table import Table, at_points, tabulate
from sim.rules.outcomes import WINDOWS, Outcome
from sim.study.dataset import attributes
from sim.study.outcomes import outcome_values, outcomes_of, theatre_counts
from sim.study.sweep.design import Design
from sim.study.sweep.plan import Batch
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]
Rows = dict[str, Array]

COUNTED: Final = {"theatre_attacks": "attacks", "theatre_acknowledged": "acknowledged attacks"}
"""Counts that are kept by theatre and window."""


@dataclass(frozen=True)
class Arm:
    """A scenario, and the drawn parameters that it keeps at its own values."""

    scenario: Scenario
    kept: frozenset[str]

    @cached_property
    def table(self) -> Table:
        """What engines read of the scenario itself; points put their numbers into it."""
        return tabulate(self.scenario)

    def to_send(self) -> "Arm":
        """The arm without what a worker works out for itself."""
        return Arm(self.scenario, self.kept)


@dataclass(frozen=True)
class Work:
    """All that a worker has to know: points are made from it, never sent.

    Point p is sample p // crossing of the design, under arm p % crossing of those that its variant has.
    """

    design: Design
    arms: tuple[Arm, ...]
    crossing: int
    seed: int

    @property
    def points(self) -> int:
        """Number of points."""
        return self.design.samples * self.crossing

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        """Unit and meaning of every column that it gives, in order."""
        scenario = self.arms[0].scenario
        return described(tuple(scenario.cast.theatres), outcomes_of(scenario.extended))

    def to_send(self) -> "Work":
        """The work without what a worker works out for itself."""
        return replace(self, arms=tuple(arm.to_send() for arm in self.arms))

    def arm_of(self, points: Array) -> Array:
        """Which arm each point (P,) lives under."""
        samples = points // self.crossing
        first = int(samples.min()) if len(samples) else 0
        variants = self.design.places(first, int(samples.max()) + 1 if len(samples) else 0)
        return np.asarray(variants[samples - first] * self.crossing + points % self.crossing)


def live(work: Work, batch: Batch, threads: int, progress: Callable[[int], None] | None = None) -> Rows:
    """Live the histories of a batch: columns (rows,), ordered by point and run."""
    points = batch.numbers()
    runs = np.arange(*batch.runs)
    rows: Rows = {
        "point": np.repeat(points, len(runs)).astype(np.int32),
        "run": np.tile(runs, len(points)).astype(np.int32),
    }
    arms = work.arm_of(points)
    first = int(points[0]) // work.crossing
    columns = work.design.columns(first, int(points[-1]) // work.crossing + 1)
    for number in np.unique(arms):
        mine = np.flatnonzero(arms == number)
        samples = points[mine] // work.crossing - first
        arm = work.arms[number]
        design = {key: column[samples] for key, column in columns.items() if key not in arm.kept}
        found = outcome_columns(arm.scenario, _output(arm, design, len(mine), runs, work.seed, threads, progress))
        if len(mine) == len(points):
            return rows | found
        place = (mine[:, None] * len(runs) + np.arange(len(runs))).ravel()
        for name, values in found.items():
            rows.setdefault(name, np.empty(len(points) * len(runs), dtype=values.dtype))[place] = values
    return rows


def _output(
    arm: Arm, design: dict[str, Array], points: int, runs: Array, seed: int, threads: int,
    progress: Callable[[int], None] | None,
) -> Output:  # fmt: skip
    table = at_points(arm.table, arm.scenario, design) if design else arm.table
    rows = np.arange(points) if design else np.zeros(points, dtype=np.int64)
    return run_batch(
        table, seed, np.tile(runs, points), points=np.repeat(rows, len(runs)), threads=threads, progress=progress
    )


def outcome_columns(scenario: Scenario, output: Output) -> Rows:
    """Every outcome, and the counts by theatre and window, as columns; whole numbers as int32."""
    by_theatre = theatre_counts(scenario, output)
    columns = outcome_values(scenario, output, by_theatre)
    for place, name in enumerate(COUNTED):
        for k, theatre in enumerate(scenario.cast.theatres):
            for w, window in enumerate(WINDOWS):
                columns[counted(name, theatre, window)] = by_theatre[k, w, place]
    return {name: _compact(values) for name, values in columns.items()}


def counted(name: str, theatre: str, window: str) -> str:
    """Name of the column of a count.

    >>> counted("theatre_attacks", "iraq", "lull")
    'theatre_attacks.iraq.lull'
    """
    return f"{name}.{theatre}.{window}"


def described(theatres: tuple[str, ...], outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, Any]]:
    """Unit and meaning of every column of a part, in order."""
    about: dict[str, dict[str, Any]] = {
        "point": {"units": "1", "long_name": "point of the sweep; points.parquet says what it stands for"},
        "run": {"units": "1", "long_name": "run number, part of the address of every draw"},
    }
    about |= {name: attributes(outcome) for name, outcome in outcomes.items()}
    for name, text in COUNTED.items():
        for theatre in theatres:
            for window in WINDOWS:
                about[counted(name, theatre, window)] = {
                    "units": "attacks", "long_name": f"{text} in {theatre}, window {window}",
                }  # fmt: skip
    return about


def _compact(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64 if values.dtype.kind == "f" else np.int32)
