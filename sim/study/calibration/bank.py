"""The bank: histories from the prior, one for each set of parameters, kept as the numbers behind the figures.

A row is known by its number: its parameters come from the row's own place in a counter-based stream, its luck from the
run of that number. So a bank of millions holds only a few numbers a row, and any row can be made again, parameters and
history, when it is wanted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import run_batch
from sim.engine.record import Output
from sim.engine.table import Table, at_points, tabulate
from sim.study.calibration.figures import Figure, found, seen
from sim.study.evidence import first_days
from sim.study.prior import free_declarations, quantile
from sim.world.parameters import Declaration
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]
Levels = npt.NDArray[np.float64]

CHUNK: Final = 20_000
"""Rows that are made at a time."""
_PARAMETERS: Final = 0x6C756C6C
"""Second word of the key that parameters are drawn with, so that they share no stream with anything else."""


@dataclass(frozen=True)
class Prior:
    """Where rows come from: a scenario, the parameters that vary (`keys`), a seed, and numbers held in every row.

    Parameters in `wide` vary evenly over all of their declared range instead of by their prior.
    """

    scenario: Scenario
    keys: tuple[str, ...]
    seed: int
    held: Mapping[str, float] = field(default_factory=dict)
    wide: frozenset[str] = frozenset()

    @cached_property
    def base(self) -> Table:
        """What engines read of the scenario, up to the report: no figure reaches further."""
        return first_days(tabulate(self.scenario), self.scenario.calendar.report + 1)

    def levels(self, rows: Array) -> Levels:
        """Levels of the prior (rows, keys), uniform between 0 and 1, of rows of any numbers, in that order."""
        out = np.empty((len(rows), len(self.keys)))
        chunks = rows // CHUNK
        for chunk in np.unique(chunks):
            mine = np.flatnonzero(chunks == chunk)
            out[mine] = self._chunk(int(chunk))[rows[mine] - chunk * CHUNK]
        return out

    def columns(self, levels: Levels) -> dict[str, Array]:
        """Values of the parameters by key, each (rows,), at levels (rows, keys)."""
        declared = free_declarations()
        return {key: self._column(declared[key], key, levels[:, place]) for place, key in enumerate(self.keys)}

    def _column(self, declared: Declaration, key: str, level: Array) -> Array:
        if key in self.wide:
            return np.asarray(declared.low + (declared.high - declared.low) * level)
        return quantile(declared, level)

    def values(self, rows: Array) -> dict[str, Array]:
        """Values of the parameters of rows by key."""
        return self.columns(self.levels(rows))

    def _chunk(self, chunk: int) -> Levels:
        source = np.random.Philox(key=[self.seed, _PARAMETERS], counter=[0, 0, 0, chunk])
        return np.random.Generator(source).random((CHUNK, len(self.keys)))

    def design(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Columns as the table of the engine takes them, with what is held put in."""
        count = len(next(iter(columns.values())))
        return {**columns, **{key: np.full(count, value) for key, value in self.held.items()}}


@dataclass(frozen=True)
class Bank:
    """Numbers behind the figures of rows 0 to `size`: `numbers` by id of the figure, each (rows,).

    `chance` (rows,) is the probability that an attack kills, p_pen p_lethal.
    """

    prior: Prior
    figures: tuple[Figure, ...]
    numbers: Mapping[str, Array]
    chance: Array

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.chance)


def fill(
    prior: Prior,
    figures: Sequence[Figure],
    draws: int,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Bank:
    """Live one history for each of the first `draws` rows of a prior."""
    numbers = {one.id: np.empty(draws, dtype=np.float32) for one in figures}
    chance = np.empty(draws, dtype=np.float32)
    for start in range(0, draws, CHUNK):
        stop = min(start + CHUNK, draws)
        rows = np.arange(start, stop)
        columns = prior.values(rows)
        chance[start:stop] = lethal_chance(prior, columns)
        here = seen(prior.scenario, live(prior, columns, rows, threads))
        for one in figures:
            numbers[one.id][start:stop] = found(one, here)
        if progress is not None:
            progress(stop - start)
    return Bank(prior, tuple(figures), numbers, chance)


def live(prior: Prior, columns: Mapping[str, Array], rows: Array, threads: int = 0) -> Output:
    """Live the histories of rows with their own luck, at the values `columns` of their parameters."""
    table = at_points(prior.base, prior.scenario, prior.design(columns))
    return run_batch(table, prior.seed, rows, points=np.arange(len(rows)), threads=threads)


def lethal_chance(prior: Prior, columns: Mapping[str, Array]) -> Array:
    """Probability (rows,) that an attack kills: p_pen p_lethal."""
    casualties = prior.scenario.parameters.casualties
    through, lethal = (
        columns.get(f"casualties.{name}", np.full(1, getattr(casualties, name)))
        for name in ("penetration", "lethality")
    )
    return np.asarray(through * lethal)
