"""Experiments: arms x parameter sets x runs, with one rule for who shares random numbers with whom.

An arm is a configuration, a parameter set a row of drawn parameters, a run one history. Histories with equal run
numbers have common random numbers, and the pairing says which these are:

- `shared`: run r has number r in every arm and every set.
- `nested`: set d, run r has number d * runs + r, the same in all arms.
- `own`: no number occurs twice.
- `cycled`: an arm has `runs` histories in all, and number r has set r modulo the number of sets, the same in all arms.

This is the only place that calls the engine. Methods ask an experiment for histories, chunk by chunk, and reduce each
chunk to arrays; `chunks` keeps these on the disk where a command has a working folder, so that it resumes after a kill.
"""

import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import psutil

from sim.engine.batch import run_arms, run_batch, thread_count
from sim.engine.batched.layout import block_bytes, lane_width
from sim.engine.inputs import FRESH, POINTWISE, ModelInputs, Past, build_inputs, form_of, stacked, with_design
from sim.engine.record import ALL_OUTCOMES, BINS, WEEK, Output, OutputSpec
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.experiment.formats import size
from sim.experiment.io import atomic_write
from sim.experiment.parameter_sets import ParameterSets, drawn_of
from sim.experiment.statistics import Array
from sim.model.scenario import Config, Scenario
from sim.model.validation import UserError
from sim.rules.outcomes import DERIVED, RECORDED, WINDOWS

COPIES: Final = 2.0
"""What labelling and deriving hold at once besides the engine's own arrays, as a multiple of these (measured: 1.7)."""
SPARE: Final = 0.9
"""Share of the free memory that may be planned with."""


def forecast(table: ModelInputs, runs: int, wanted: OutputSpec, threads: int) -> int:
    """Peak bytes that an ensemble adds to the process: what it keeps of each run, each thread's histogram and block."""
    days, theatres = table.fronts.shape
    wings = len(table.layout)
    of_a_run = 4 * len(RECORDED) + 8 * len(DERIVED) + 8 * len(WINDOWS) * (wings + theatres) + 4 * wings
    daily = 4 * days * theatres if wanted.daily else 0
    states = RUN_STATE.itemsize + theatres * THEATRE_STATE.itemsize + wings * WING_STATE.itemsize
    if wanted.states is not True:
        states = sum(RUN_STATE[name].itemsize for name in wanted.states or ())
    of_a_run += daily + days * states
    histogram = np.dtype(np.int64).itemsize * theatres * (days // WEEK) * BINS
    lanes = lane_width(table)
    block = block_bytes(table, lanes) + daily * lanes
    return int(runs * of_a_run * COPIES + (threads + 2) * histogram + threads * block)


def require(needed: int, key: str, value: object) -> None:
    """Refuse what does not fit into the memory that is free now."""
    free = psutil.virtual_memory().available
    if needed > free * SPARE:
        raise UserError(key, value, f"what fits: this needs about {size(needed)} of memory, {size(free)} are free")


Arrays = Mapping[str, Array]
Progress = Callable[[int], None]
Pairing = Literal["shared", "nested", "own", "cycled"]

CHUNK: Final = 20_000
"""Histories simulated at a time: some 20 MB."""
LONG_ENOUGH: Final = 0.3
"""Seconds that a trial takes, so that its rate can be trusted."""
TRIALS: Final = (256, 2**14)
"""Histories of the first and of the largest trial."""


@dataclass(frozen=True)
class Arm:
    """A scenario, the drawn parameters that stay `fixed` at its own values, and how many `days` of it are simulated.

    `base` may be the inputs of a scenario that differs in parameters and mechanisms alone: its days are reused.
    """

    scenario: Scenario
    fixed: frozenset[str] = frozenset()
    days: int | None = None
    base: ModelInputs | None = field(default=None, repr=False)

    @cached_property
    def inputs(self) -> ModelInputs:
        """What the engine reads of the scenario itself."""
        whole = build_inputs(self.scenario) if self.base is None else self.base
        return whole if self.days is None else first_days(whole, self.days)

    def at(self, values: Arrays) -> ModelInputs:
        """The same with a point for each parameter set: values (sets,) by key."""
        drawn = {key: column for key, column in values.items() if key not in self.fixed}
        return with_design(self.inputs, self.scenario, drawn) if drawn or self.base is not None else self.inputs


@dataclass(frozen=True)
class CostEstimate:
    """What simulating costs: histories, seconds, bytes of memory at the peak, bytes on the disk."""

    histories: int = 0
    seconds: float = 0.0
    memory: int = 0
    disk: int = 0

    @property
    def rate(self) -> float:
        """Histories a second."""
        return self.histories / self.seconds if self.seconds else 0.0

    def __add__(self, other: Self) -> Self:
        """Both, one after the other."""
        histories, seconds = self.histories + other.histories, self.seconds + other.seconds
        memory, disk = max(self.memory, other.memory), self.disk + other.disk
        return replace(self, histories=histories, seconds=seconds, memory=memory, disk=disk)


@dataclass(frozen=True)
class Experiment:
    """Arms x parameter sets x runs: what is simulated and under which run numbers.

    `sets` are columns of drawn parameters (sets,) by key; without any, all histories have the arm's own numbers.
    `runs` are the replicates of one parameter set in one arm; of an arm in all where sets are cycled. With a `past`
    (sets,) a history begins as its set says, and run numbers, from FRESH on, number what follows.
    """

    arms: tuple[Arm, ...]
    seed: int
    runs: int = 1
    pairing: Pairing = "nested"
    sets: Arrays = field(default_factory=dict)
    wanted: OutputSpec = ALL_OUTCOMES
    threads: int = 0
    past: Past | None = None

    @property
    def count(self) -> int:
        """Number of parameter sets."""
        return len(next(iter(self.sets.values()))) if self.sets else 1

    @property
    def histories(self) -> int:
        """Number of histories."""
        return len(self.arms) * self.runs * (1 if self.pairing == "cycled" else self.count)

    def numbers(self, arm: int, sets: Array, runs: Array) -> Array:
        """Run numbers (sets x runs,) of an arm, set by set.

        >>> Experiment((), 1, runs=10).numbers(1, np.array([0, 2]), np.arange(2)).tolist()
        [0, 1, 20, 21]
        """
        if self.pairing in ("shared", "cycled"):
            return np.tile(runs, len(sets))
        if self.past is not None:  # as in an ensemble that cycles through its pasts: the same histories everywhere
            return np.asarray((sets[:, None] + self.count * runs).ravel())
        first = sets + arm * self.count if self.pairing == "own" else sets
        return np.asarray((first[:, None] * self.runs + runs).ravel())

    def simulate(
        self,
        arms: Sequence[int] = (0,),
        sets: Sequence[int] | Array | None = None,
        runs: Sequence[int] | Array | None = None,
        *,
        values: Arrays | None = None,
        progress: Progress | None = None,
    ) -> Output:
        """Simulate a part of the experiment.

        Args:
            arms: places of arms; several have the same calendar, cast and timeline.
            sets: numbers of parameter sets; None: all. Cycled sets are always used all.
            runs: runs of each set; None: all.
            values: the drawn parameters of these sets, by key, where they are not kept in `sets`.
            progress: called with numbers of finished histories; what it raises ends the simulation.

        Returns:
            Outcomes, ordered by arm, set and run.
        """
        run, chosen, values = self._chosen(sets, runs, values)
        tables = self._tables([self.arms[arm] for arm in arms], values, chosen)
        if len(forms := list(dict.fromkeys(map(form_of, tables)))) > 1:
            of_form = [[arm for arm, table in zip(arms, tables, strict=True) if form_of(table) == one] for one in forms]
            parts = [self.simulate(some, chosen, run, values=values, progress=progress) for some in of_form]
            return interleaved(parts, [forms.index(form_of(table)) for table in tables])
        first = np.cumsum([0, *(table.points for table in tables)])
        numbers = [self.numbers(arm, chosen, run) for arm in arms]
        points = [
            start + self._points(table, number, chosen, run)
            for start, table, number in zip(first[:-1], tables, numbers, strict=True)
        ]
        return run_batch(
            stacked(tables), self.seed, self.first + np.concatenate(numbers), np.concatenate(points), self.wanted,
            self.threads, progress,
        )  # fmt: skip

    def simulate_each(
        self, sets: Sequence[int] | Array | None = None, runs: Sequence[int] | Array | None = None,
        progress: Progress | None = None,
    ) -> list[Output]:  # fmt: skip
        """Simulate parameter sets and runs in all arms, which share run numbers; one output for each arm.

        What two arms of one calendar and cast have in common up to a day is simulated once.
        """
        run, chosen, values = self._chosen(sets, runs, None)
        tables = self._tables(self.arms, values, chosen)
        number = self.numbers(0, chosen, run)
        points = self._points(max(tables, key=lambda table: table.points), number, chosen, run)
        wide = [table if table.points > 1 else first_points(table, int(points.max()) + 1) for table in tables]
        return run_arms(wide, self.seed, self.first + number, points, self.wanted, self.threads, progress)

    @property
    def first(self) -> int:
        """Number of the first run, which decides its random numbers."""
        return 0 if self.past is None else FRESH

    def _tables(self, arms: Sequence[Arm], values: Arrays, sets: Array) -> list[ModelInputs]:
        """The inputs of arms at some parameter sets, with their pasts."""
        tables = [arm.at(values) for arm in arms]
        if self.past is None:
            return tables
        past = self.past if self.pairing == "cycled" else self.past._replace(runs=self.past.runs[sets])
        return [one._replace(past=past) for one in tables]

    def _chosen(
        self, sets: Sequence[int] | Array | None, runs: Sequence[int] | Array | None, values: Arrays | None
    ) -> tuple[Array, Array, Arrays]:
        """The runs, the sets and the drawn parameters of a part."""
        run = np.arange(self.runs) if runs is None else np.asarray(runs, dtype=np.int64)
        cycled = self.pairing == "cycled"
        chosen = np.arange(1 if cycled else self.count) if sets is None else np.asarray(sets, dtype=np.int64)
        if values is None:
            values = self.sets if cycled or sets is None else {key: one[chosen] for key, one in self.sets.items()}
        return run, chosen, values

    def _points(self, table: ModelInputs, numbers: Array, sets: Array, runs: Array) -> Array:
        """The point of each history of some sets and runs in a table."""
        if self.pairing == "cycled":
            return np.asarray(numbers % table.points)
        return np.repeat(np.arange(len(sets)) % table.points, len(runs))

    def memory(self, chunk: int, kept: int = 0) -> int:
        """Peak bytes of simulating a chunk of histories while `kept` bytes are kept."""
        return forecast(self.arms[0].inputs, chunk, self.wanted, thread_count(self.threads)) + kept

    def require_memory(self, chunk: int, kept: int, key: str, value: object) -> None:
        """Refuse what does not fit into free memory; `key` and `value` name the setting to change."""
        require(self.memory(chunk, kept), key, value)

    def forecast(self, chunk: int, kept: int = 0, histories: int | None = None) -> CostEstimate:
        """What `histories` (None: all) cost in chunks of `chunk`, of which `kept` bytes are kept; a part is tried.

        Where there are more than the experiment has itself, the trial is not smaller than the first of `TRIALS`: the
        rate of a few histories, which leave most lanes of a block idle, is not that of many.
        """
        count = self.histories if histories is None else histories
        least = min(count - self.histories, TRIALS[0])
        tried = replace(self, runs=max(self.runs, least // self.count))
        size = max(chunk, least)
        together = max(1, size // (tried.count * tried.runs))  # arms of a chunk

        def trial(most: int) -> int:
            arms = range(min(len(self.arms), together, max(1, most // (tried.count * tried.runs))))
            sets = np.arange(min(tried.count, max(1, most // tried.runs)))
            return len(tried.simulate(arms, sets, np.arange(min(most, tried.runs))).rows)

        return CostEstimate(count, count / rate_of(trial, min(count, size)), self.memory(chunk, kept))


def ensemble(
    config: Config,
    *,
    drawn: ParameterSets | None = None,
    scenario: Scenario | None = None,
    days: int | None = None,
    wanted: OutputSpec = ALL_OUTCOMES,
) -> Experiment:
    """One arm with the runs of a configuration, cycling through its parameter sets or through `drawn`."""
    scenario = config.scenario if scenario is None else scenario
    drawn = drawn_of(config) if drawn is None else drawn
    return Experiment(
        (Arm(scenario, days=days),), config.seed, config.runs, "cycled", drawn.design(scenario), wanted, config.threads,
        drawn.past,
    )  # fmt: skip


def interleaved(parts: Sequence[Output], turns: Sequence[int]) -> Output:
    """Outputs of arms of several forms as one, each arm in its turn; all arms have as many histories.

    >>> left, right = (Output(*np.array([[one], [one + 2]])[None].repeat(11, 0)) for one in (1, 2))
    >>> interleaved([left, right], [0, 1, 0, 1]).rows.ravel().tolist()
    [1, 2, 3, 4]
    """
    each = sum(len(one.rows) for one in parts) // len(turns)
    before = [turns[:place].count(turn) for place, turn in enumerate(turns)]

    def joined_field(name: str) -> Array:
        pieces = (
            getattr(parts[turn], name)[each * place : each * place + each]
            for turn, place in zip(turns, before, strict=True)
        )
        return np.concatenate(list(pieces))

    fields = {name: joined_field(name) for name in Output._fields if name != "weekly"}
    return Output(**fields, weekly=np.sum([one.weekly for one in parts], axis=0))


def first_days(table: ModelInputs, days: int) -> ModelInputs:
    """The inputs of the first days of a calendar; histories are the same up to there."""
    return table._replace(days=table.days[:days], fronts=table.fronts[:days], raids=table.raids[:days])


def first_points(table: ModelInputs, points: int) -> ModelInputs:
    """A table of one point with so many, all alike."""

    def repeated(one: Any) -> Any:
        return one._replace(**{name: np.repeat(getattr(one, name), points, axis=0) for name in POINTWISE})

    whole: ModelInputs = repeated(table._replace(later=tuple(map(repeated, table.later))))
    return whole


def rate_of(trial: Callable[[int], int], histories: int) -> float:
    """Histories a second of `trial`, which simulates about as many as it is asked for and says how many it did."""
    size, largest = (min(one, histories) for one in TRIALS)
    trial(size)  # compiles all that so many need: for a few points loops run as plain Python
    while True:
        began = time.perf_counter()
        done = trial(size)
        seconds = time.perf_counter() - began
        if seconds >= LONG_ENOUGH or size >= largest:
            return done / seconds
        size = min(2 * size, largest)


class Checkpoints:
    """Progress of a command that resumes: it counts finished histories and keeps the arrays of finished chunks.

    Chunks are files `SERIES-CHUNK-HISTORIES.npz` in `folder`, whose name must change with everything that results
    depend on. A command asks for the same series of chunks in the same order each time.
    """

    def __init__(self, folder: Path, advance: Progress) -> None:
        self.folder = folder
        self._advance = advance
        self._lock = threading.Lock()
        self._done = 0
        self._series = 0

    @property
    def kept(self) -> int:
        """Histories in the finished chunks."""
        return sum(int(path.stem.rpartition("-")[2]) for path in self.folder.glob("[0-9]*.npz"))

    def __call__(self, histories: int) -> None:
        """Count finished histories."""
        with self._lock:
            self._done += histories
        self._advance(histories)

    def begin(self) -> str:
        """Name of the next series of chunks."""
        self._series += 1
        return f"{self._series:03}"

    def chunk(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of a chunk: as kept, or else made and kept."""
        for path in self.folder.glob(f"{name}-*.npz"):
            with suppress(OSError, ValueError, zipfile.BadZipFile), np.load(path, allow_pickle=False) as file:
                arrays = {name[1:]: file[name] for name in file}
                self(int(path.stem.rpartition("-")[2]))
                return arrays
        before = self._done
        made = make()
        with suppress(OSError):  # a full disk costs the resume, not the result
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self.folder / f"{name}-{self._done - before}.npz") as file:
                np.savez(file, allow_pickle=False, **{f"_{key}": one for key, one in made.items()})
        return made


def chunks(
    total: int, size: int, make: Callable[[range], Arrays], progress: Progress | None = None
) -> Iterator[Arrays]:
    """The arrays that `make` gives for each stretch of at most `size` out of `total`, in order.

    Where `progress` keeps checkpoints, finished stretches come from the disk.
    """
    series = progress.begin() if isinstance(progress, Checkpoints) else ""
    for number, start in enumerate(range(0, total, size)):
        part = range(start, min(start + size, total))
        if isinstance(progress, Checkpoints):
            yield progress.chunk(f"{series}-{number:06}", lambda part=part: make(part))  # type: ignore[misc]
        else:
            yield make(part)


def joined(parts: Iterator[Arrays], axis: int = 0) -> dict[str, Array]:
    """The arrays of all chunks, one after the other along an axis."""
    every = list(parts)
    return {name: np.concatenate([part[name] for part in every], axis=axis) for name in every[0]}
