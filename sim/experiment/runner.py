"""Experiments: arms x parameter sets x runs, with one rule for who shares random numbers with whom.

An arm is a configuration, a parameter set a row of drawn parameters, a run one history. Histories with equal run
numbers have common random numbers, and the pairing says which these are:

- `shared`: run r has number r in every arm and every set.
- `nested`: set d, run r has number d * runs + r, the same in all arms.
- `own`: no number occurs twice.
- `cycled`: an arm has `runs` histories in all, and number r has set r modulo the number of sets, the same in all arms.

This is the only place that calls the engine. Methods ask an experiment for histories, chunk by chunk, and reduce each
chunk to arrays; `chunks` has them made by the workers of a cluster where there is one, and keeps them on the disk where
a command has a working folder, so that it resumes after a kill.
"""

import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
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
from sim.experiment.cluster import on_workers
from sim.experiment.formats import size
from sim.experiment.io import atomic_write
from sim.experiment.parameter_sets import ParameterSets, drawn_of
from sim.experiment.statistics import Array
from sim.model.conditions import windows_of
from sim.model.declared_outcomes import DERIVED, RECORDED
from sim.model.scenario import Config, Scenario
from sim.model.validation import UserError
from sim.rules.outcomes import WINDOWS

COPIES: Final = 2.0
"""What labelling and deriving hold at once besides the engine's own arrays, as a multiple of these (measured: 1.7)."""
SPARE: Final = 0.9
"""Share of the free memory that may be planned with."""


def forecast(table: ModelInputs, runs: int, wanted: OutputSpec, threads: int) -> int:
    """Peak bytes that an ensemble adds to the process: what it keeps of each run, each thread's histogram and block."""
    days, theatres = table.fronts.shape
    wings = len(table.layout)
    of_a_run = 4 * len(RECORDED) + 8 * len(DERIVED) + 8 * len(WINDOWS) * (wings + theatres) + 4 * wings
    daily = 4 * days * theatres if wanted.by_day else 0
    states = RUN_STATE.itemsize + theatres * THEATRE_STATE.itemsize + wings * WING_STATE.itemsize
    if wanted.states is not True:
        states = sum(RUN_STATE[name].itemsize for name in wanted.states or ())
    of_a_run += (daily if wanted.daily else 4 * len(wanted.windows)) + days * states
    histogram = np.dtype(np.int64).itemsize * theatres * (days // WEEK) * BINS
    lanes = lane_width(table)
    block = block_bytes(table, lanes) + daily * lanes
    return int(runs * of_a_run * COPIES + (threads + 2) * histogram + threads * block)


def require(needed: int, key: str, value: object) -> None:
    """Refuse what does not fit into the memory that is free now."""
    free = psutil.virtual_memory().available
    if needed > free * SPARE:
        raise UserError(key, value, f"what fits: this needs about {size(needed)} of memory, {size(free)} are free")


class Stopwatch:
    """Seconds that the engine has taken while the watch ran: what simulations cost, apart from what is made of them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let it run while the block does; simulations by workers of a cluster are not seen."""
        before = _WATCH.set(self)
        try:
            yield
        finally:
            _WATCH.reset(before)


_WATCH: Final[ContextVar[Stopwatch]] = ContextVar("stopwatch")


@contextmanager
def _timed() -> Iterator[None]:
    """Add the seconds of the block to the watch that runs, if one does."""
    began = time.perf_counter()
    yield
    if (watch := _WATCH.get(None)) is not None:
        watch.seconds += time.perf_counter() - began


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

    def __getstate__(self) -> dict[str, Any]:
        """What travels to a worker: not what it works out for itself."""
        return {name: value for name, value in vars(self).items() if name != "inputs"}


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

    def __getstate__(self) -> dict[str, Any]:
        """What travels to a worker, which is one thread."""
        return {**vars(self), "threads": 1}

    @property
    def count(self) -> int:
        """Number of parameter sets."""
        return len(next(iter(self.sets.values()))) if self.sets else 1

    @property
    def histories(self) -> int:
        """Number of histories."""
        return len(self.arms) * self.runs * (1 if self.pairing == "cycled" else self.count)

    @cached_property
    def recorded(self) -> OutputSpec:
        """What engines keep: what is wanted, and the counts that the conditions of the scenarios ask for."""
        return replace(self.wanted, windows=windows_of(self.arms[0].scenario.asked)) if self.arms else self.wanted

    def numbers(self, arm: int, sets: Array, runs: Array) -> Array:
        """Run numbers (sets x runs,) of an arm, set by set.

        >>> Experiment((), 1, runs=10).numbers(1, np.array([0, 2]), np.arange(2)).tolist()
        [0, 1, 20, 21]
        """
        if self.pairing in ("shared", "cycled"):
            return np.tile(runs, len(sets))
        if self.past is not None:  # as in an ensemble that cycles through its pasts: the same histories everywhere
            futures = runs + arm * self.runs if self.pairing == "own" else runs
            return np.asarray((sets[:, None] + self.count * futures).ravel())
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
        table, number, point = stacked(tables), self.first + np.concatenate(numbers), np.concatenate(points)
        with _timed():
            return run_batch(table, self.seed, number, point, self.recorded, self.threads, progress)

    def simulate_each(
        self, sets: Sequence[int] | Array | None = None, runs: Sequence[int] | Array | None = None,
        progress: Progress | None = None,
    ) -> list[Output]:  # fmt: skip
        """Simulate parameter sets and runs in all arms; one output for each arm.

        What two arms of one calendar and cast have in common up to a day is simulated once.
        """
        run, chosen, values = self._chosen(sets, runs, None)
        tables = self._tables(self.arms, values, chosen)
        numbers = np.stack([self.numbers(arm, chosen, run) for arm in range(len(tables))])
        points = self._points(max(tables, key=lambda table: table.points), numbers[0], chosen, run)
        wide = [table if table.points > 1 else first_points(table, int(points.max()) + 1) for table in tables]
        with _timed():
            return run_arms(wide, self.seed, self.first + numbers, points, self.recorded, self.threads, progress)

    @property
    def first(self) -> int:
        """Number of the first run, which decides its random numbers."""
        return 0 if self.past is None else FRESH

    def _tables(self, arms: Sequence[Arm], values: Arrays, sets: Array) -> list[ModelInputs]:
        """The inputs of arms at some parameter sets, with their pasts."""
        tables = {id(arm): arm.at(values) for arm in {id(arm): arm for arm in arms}.values()}
        if self.past is not None:
            past = self.past if self.pairing == "cycled" else self.past._replace(runs=self.past.runs[sets])
            tables = {place: one._replace(past=past) for place, one in tables.items()}
        return [tables[id(arm)] for arm in arms]

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
        return forecast(self.arms[0].inputs, chunk, self.recorded, thread_count(self.threads)) + kept

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
            few = min(len(self.arms), together, max(1, most // (tried.count * tried.runs)))
            arms = np.linspace(0, len(self.arms) - 1, few).astype(int).tolist()  # from all over: arms cost differently
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

    >>> left, right = (Output(*np.array([[one], [one + 2]])[None].repeat(len(Output._fields), 0)) for one in (1, 2))
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
    while True:
        trial(size)  # compiles all that so many need: more histories may be of arms that others compile nothing for
        began = time.perf_counter()
        done = trial(size)
        seconds = time.perf_counter() - began
        if seconds >= LONG_ENOUGH or size >= largest:
            return done / seconds
        size = min(2 * size, largest)


Make = Callable[[range, Progress | None], Arrays]
"""What makes the arrays of a chunk, and reports finished histories; a worker is sent it, with all that it refers to."""


class Checkpoints:
    """Progress of a command that resumes: it counts finished histories and keeps the arrays of finished chunks.

    Chunks are files `SERIES-CHUNK-HISTORIES.npz` in `folder`, whose name must change with everything that results
    depend on; None keeps none. A command asks for the same series of chunks in the same order each time. Where there is
    a `client` of a cluster, its workers make them.
    """

    def __init__(self, folder: Path | None, advance: Progress, client: Any = None) -> None:
        self.folder = folder
        self._advance = advance
        self._client = client
        self._lock = threading.Lock()
        self._done = 0
        self._series = 0

    @property
    def kept(self) -> int:
        """Histories in the finished chunks."""
        return sum(int(path.stem.rpartition("-")[2]) for path in self._files("[0-9]*"))

    def __call__(self, histories: int) -> None:
        """Count finished histories."""
        with self._lock:
            self._done += histories
        self._advance(histories)

    def chunks(self, parts: Sequence[range], make: Make) -> Iterator[Arrays]:
        """The arrays of the next series of chunks, in order: as kept, or else made and kept."""
        self._series += 1
        files: dict[str, Path | None] = {f"{self._series:03}-{number:06}": None for number in range(len(parts))}
        files |= {name: path for name in files for path in self._files(f"{name}-*")}
        missing = [part for part, path in zip(parts, files.values(), strict=True) if path is None]
        if self._client is None:
            made: Iterator[Arrays] = (make(part, self) for part in missing)
        else:
            made = on_workers(self._client, make, missing, self)
        for part, (name, path) in zip(parts, files.items(), strict=True):
            arrays, before = None if path is None else self._read(path), self._done
            if arrays is None:
                arrays = next(made) if path is None else make(part, self)
                self._keep(f"{name}-{self._done - before}.npz", arrays)
            yield arrays

    def _files(self, pattern: str) -> list[Path]:
        return [] if self.folder is None else list(self.folder.glob(f"{pattern}.npz"))

    def _read(self, path: Path) -> Arrays | None:
        """The arrays of a kept chunk, which are counted; None where the file is damaged."""
        with suppress(OSError, ValueError, zipfile.BadZipFile), np.load(path, allow_pickle=False) as file:
            arrays = {name[1:]: file[name] for name in file}
            self(int(path.stem.rpartition("-")[2]))
            return arrays
        return None

    def _keep(self, name: str, arrays: Arrays) -> None:
        if self.folder is None:
            return
        with suppress(OSError):  # a full disk costs the resume, not the result
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self.folder / name) as file:
                np.savez(file, allow_pickle=False, **{f"_{key}": one for key, one in arrays.items()})


def chunks(total: int, size: int, make: Make, progress: Progress | None = None) -> Iterator[Arrays]:
    """The arrays that `make` gives for each stretch of at most `size` out of `total`, in order.

    Where `progress` keeps checkpoints, finished stretches come from the disk, and a cluster makes the others.
    """
    parts = [range(start, min(start + size, total)) for start in range(0, total, size)]
    if isinstance(progress, Checkpoints):
        yield from progress.chunks(parts, make)
    else:
        yield from (make(part, progress) for part in parts)


def joined(parts: Iterator[Arrays], axis: int = 0) -> dict[str, Array]:
    """The arrays of all chunks, one after the other along an axis."""
    every = list(parts)
    return {name: np.concatenate([part[name] for part in every], axis=axis) for name in every[0]}
