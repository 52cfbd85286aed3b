"""What computes the parts of a sweep: the work unit, the points that it stands for, and Dask workers.

Workers are sent ranges of points and runs and make everything else themselves, so little travels; each history has an
address of its own, so it does not matter who simulates it, in which order, or how often.
"""

import logging
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.engine.record import Output, OutputSpec
from sim.experiment.dataset import attributes, outcome_values, outcomes_of, theatre_counts
from sim.experiment.io import atomic_write
from sim.experiment.options import EngineOptions
from sim.experiment.result_dir import DECIDING_LIBRARIES, versions
from sim.experiment.runner import Arm, Experiment, Progress
from sim.experiment.statistics import Array
from sim.experiment.sweep.axes import declaration
from sim.experiment.sweep.configs import Group, deciding_hash
from sim.experiment.sweep.design import LOCAL, QUEUES, Batch, Design, Part
from sim.experiment.sweep.store import (
    CARRIED,
    COUNTED,
    POINTS,
    STRETCH,
    Store,
    count_in,
    counted,
    new_digest,
    parquet_writer,
)
from sim.model.cast import Source
from sim.model.parameters import shared_declarations
from sim.model.scenario import Scenario
from sim.model.validation import UserError
from sim.rules.outcomes import WINDOWS

Rows = dict[str, Array]


@dataclass(frozen=True)
class Work:
    """All that a worker has to know: points are made from it, never sent.

    Point p is sample p // crossing of the design, under arm p % crossing of those that its variant has. Of histories
    the `outcomes` named are kept; None: all of them, and counts by theatre.
    """

    design: Design
    arms: tuple[Arm, ...]
    crossing: int
    seed: int
    outcomes: tuple[str, ...] | None = None

    @property
    def points(self) -> int:
        """Number of points."""
        return self.design.samples * self.crossing

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        """Unit and meaning of every column that it gives, in order."""
        scenario = self.arms[0].scenario
        return {
            "point": {"units": "1", "long_name": "point of the sweep; points.parquet says what it stands for"},
            "run": {"units": "1", "long_name": "run number, part of the address of every draw"},
            **{
                name: attributes(outcome)
                for name, outcome in outcomes_of(scenario.extended).items()
                if self.outcomes is None or name in self.outcomes
            },
            **{
                counted(name, theatre, window): {
                    "units": "attacks", "long_name": f"{COUNTED[name]} in {theatre}, window {window}",
                }
                for name, theatre, window in product(COUNTED, scenario.cast.theatres, WINDOWS)
                if self.outcomes is None
            },
        }  # fmt: skip

    def to_send(self) -> "Work":
        """The work without what a worker works out for itself."""
        return replace(self, arms=tuple(replace(arm) for arm in self.arms))

    def experiment(self, threads: int) -> Experiment:
        """The sweep as an experiment: run r has the same random numbers at every point."""
        wanted = OutputSpec(weekly=False, lags=False) if self.outcomes is None else OutputSpec.of(*self.outcomes)
        return Experiment(self.arms, self.seed, pairing="shared", wanted=wanted, threads=threads)

    def arm_of(self, points: Array) -> Array:
        """Which arm each point (P,) has."""
        samples = points // self.crossing
        first = int(samples.min()) if len(samples) else 0
        variants = self.design.places(first, int(samples.max()) + 1 if len(samples) else 0)
        return np.asarray(variants[samples - first] * self.crossing + points % self.crossing)


def simulate(work: Work, batch: Batch, threads: int, progress: Progress | None = None) -> Rows:
    """Simulate the histories of a batch: columns (rows,), ordered by point and run."""
    points = batch.numbers()
    runs = np.arange(*batch.runs)
    rows: Rows = {
        "point": np.repeat(points, len(runs)).astype(np.int32),
        "run": np.tile(runs, len(points)).astype(np.int32),
    }
    arms, experiment = work.arm_of(points), work.experiment(threads)
    first = int(points[0]) // work.crossing
    columns, names = work.design.columns(first, int(points[-1]) // work.crossing + 1), set(work.columns)
    for number in np.unique(arms):
        mine = np.flatnonzero(arms == number)
        samples = points[mine] // work.crossing - first
        drawn = {key: column[samples] for key, column in columns.items()}
        output = experiment.simulate([number], samples, runs, values=drawn, progress=progress)
        every = outcome_columns(work.arms[number].scenario, output)
        found = {name: values for name, values in every.items() if name in names}
        if len(mine) == len(points):
            return rows | found
        place = (mine[:, None] * len(runs) + np.arange(len(runs))).ravel()
        for name, values in found.items():
            rows.setdefault(name, np.empty(len(points) * len(runs), dtype=values.dtype))[place] = values
    return rows


def outcome_columns(scenario: Scenario, output: Output) -> Rows:
    """Every outcome, and the counts by theatre and window, as columns; whole numbers as int32."""
    by_theatre = theatre_counts(scenario, output)
    names = (counted(*one) for one in product(COUNTED, scenario.cast.theatres, WINDOWS))
    counts = np.moveaxis(by_theatre, 2, 0).reshape(-1, len(output.rows))
    columns = outcome_values(scenario, output, by_theatre) | dict(zip(names, counts, strict=True))
    return {
        name: np.ascontiguousarray(values, dtype=np.float64 if values.dtype.kind == "f" else np.int32)
        for name, values in columns.items()
    }


Groups = tuple[Group, ...]


def point_columns(work: Work, groups: Groups) -> dict[str, dict[str, str]]:
    """Name, unit and meaning of every column, in order."""
    carried = {name: f"column {name.removeprefix('table.')} of study.table" for name in work.design.carried}
    return {
        "point": {"units": "1", "long_name": "point of the sweep"},
        "sample": {"units": "1", "long_name": "point of the design; the same for all configurations"},
        **({} if groups[0].policy is None else {"policy": {"units": "", "long_name": "policy"}}),
        **{key: {"units": "", "long_name": f"configuration key {key}"} for key in groups[0].labels},
        **{key: _described(key, groups[0].config.scenario) for key in work.design.keys},
        **{name: {"units": "", "long_name": text, CARRIED: "yes"} for name, text in carried.items()},
    }


def _described(key: str, scenario: Scenario) -> dict[str, str]:
    one = declaration(key, scenario.extended.extensions)
    assert one is not None
    source = scenario.cast.sources.get(key, Source(one.provenance, one.source))
    if key in shared_declarations():
        source = scenario.cast.shared_source(one)
    said = {"units": one.unit, "long_name": one.text, "provenance": source.provenance, "source": source.text}
    prior = "fixed" if key.startswith(("theatre.", "militia.")) else str(one.prior)
    return {**said, "valid_min": f"{one.low:g}", "valid_max": f"{one.high:g}", "prior": prior}


def write_points(work: Work, groups: Groups, folder: Path) -> str:
    """Write all points, a stretch at a time; returns their checksum."""
    found = new_digest()
    writer: pq.ParquetWriter | None = None
    with atomic_write(folder / POINTS) as file:
        for table in _stretches(work, groups, work.points):
            writer = writer or parquet_writer(file, table.schema)
            writer.write_table(table)
            count_in(found, table)
        if writer is not None:
            writer.close()
    return found.hexdigest()


def check_points(work: Work, groups: Groups, store: Store) -> bool:
    """Refuse to go on where the points would not be those of the store; whether the file holds them still."""
    now, then = new_digest(), new_digest()
    stored: pa.Table | None = None
    with suppress(OSError, pa.ArrowException):
        stored = pq.read_table(store.folder / POINTS).slice(0, store.points)
    start, different = 0, None
    for table in _stretches(work, groups, store.points):
        there = None if stored is None else stored.slice(start, len(table))
        count_in(now, table)
        if there is not None:
            count_in(then, there)
            if different is None and not there.equals(table):
                different = _difference(there, table, start)
        start += len(table)
    wanted = store.manifest["points_digest"]
    if now.hexdigest() == wanted:
        return then.hexdigest() == wanted
    name, value, before = different or (POINTS, "other points", "the points")
    raise UserError(name, value, f"{before}, as in {store.folder}; or another output.dir")


def points_of(work: Work, groups: Groups, part: Part) -> pa.Table:
    """The points from the first of a part to its last."""
    return _table(work, groups, point_columns(work, groups), *part.points)


def _difference(then: pa.Table, now: pa.Table, start: int) -> tuple[str, Any, str] | None:
    """The first column that differs, with what it is now, and what it was at which point."""
    for name in now.column_names:
        old = then.column(name).to_pylist() if name in then.column_names else []
        for place, value in enumerate(now.column(name).to_pylist()):
            if place >= len(old) or old[place] != value:
                return name, value, f"{old[place] if place < len(old) else 'nothing'} at point {start + place}"
    return None


def _stretches(work: Work, groups: Groups, points: int) -> Iterator[pa.Table]:
    about = point_columns(work, groups)
    for start in range(0, points, STRETCH):
        yield _table(work, groups, about, start, min(start + STRETCH, points))


def _table(work: Work, groups: Groups, about: dict[str, dict[str, str]], start: int, stop: int) -> pa.Table:
    """Points start to stop."""
    numbers = np.arange(start, stop)
    samples = numbers // work.crossing
    arms = work.arm_of(numbers)
    columns: dict[str, Any] = {"point": numbers.astype(np.int32), "sample": samples.astype(np.int32)}
    if "policy" in about:
        columns["policy"] = _labelled([str(group.policy) for group in groups], arms)
    for key in groups[0].labels:
        columns[key] = _labelled([group.labels[key] for group in groups], arms)
    first = int(samples[0])
    for key, column in work.design.columns(first, int(samples[-1]) + 1).items():
        kept = np.array([key in group.kept for group in groups])
        own = np.array([group.config.scenario.number(key) for group in groups])
        columns[key] = np.where(kept[arms], own[arms], column[samples - first])
    columns |= {name: column.take(pa.array(samples)) for name, column in work.design.carried.items()}
    fields = [pa.field(name, pa.array(column).type, metadata=about[name]) for name, column in columns.items()]
    return pa.Table.from_arrays([pa.array(column) for column in columns.values()], schema=pa.schema(fields))


def _labelled(labels: list[str], arms: Any) -> pa.Array:
    return pa.array(labels).take(pa.array(arms))


_KEY: Final = "engine.cluster"
_PATIENCE: Final = "10s"
_QUIET: Final = "127.0.0.1:0"
"""Any free port, for this machine alone, for the scheduler's page: the usual one may be taken."""
_AHEAD: Final = 2
"""Batches per thread that are under way at once: one being simulated, one waiting."""
_DEATHS: Final = 20
"""Workers that may die over one batch before it is taken for its fault."""


@contextmanager
def connected(settings: EngineOptions) -> Iterator[Any]:
    """A client of the cluster, once it has a worker; what was started here ends with the block.

    Raises:
        UserError: nothing answers at the address, no queue here, or a worker with other sources.
    """
    import dask
    from distributed import Client

    with dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS}), _started(settings) as address:
        try:
            client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, TimeoutError):
            raise UserError(_KEY, settings.cluster, "the address of a running dask scheduler") from None
        with client:
            client.wait_for_workers(1)
            yield client


@contextmanager
def _started(settings: EngineOptions) -> Iterator[Any]:
    """What a client connects to: an address, or a cluster that was started here."""
    if settings.cluster == LOCAL:
        from distributed import LocalCluster

        with _deaf_children():
            started = LocalCluster(
                n_workers=settings.workers, threads_per_worker=1, processes=True, dashboard_address=_QUIET,
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
        with started:
            yield started
    elif settings.cluster in QUEUES:
        with _queue(settings) as cluster:
            cluster.scale(jobs=settings.workers or 1)
            yield cluster
    else:
        yield settings.cluster


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C: it is ours to answer, and we end them in good order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _queue(settings: EngineOptions) -> Any:
    try:
        import dask_jobqueue
    except ImportError:
        raise UserError(_KEY, settings.cluster, "what is installed; pip install 'lull-sim[cluster]'") from None
    try:
        options = {"scheduler_options": {"dashboard_address": _QUIET}} | settings.job
        return getattr(dask_jobqueue, QUEUES[str(settings.cluster)])(**options)
    except (ValueError, TypeError, OSError) as problem:
        raise UserError("engine.job", settings.job, f"what dask-jobqueue takes ({problem})") from None


def threads_of(client: Any) -> int:
    """Threads of all workers that are there now."""
    return max(1, sum(client.nthreads().values()))


def cluster_rows(
    client: Any, work: Work, batches: Iterable[Batch], progress: Callable[[int], None] | None
) -> Iterator[Rows]:
    """The columns of each batch, in order, while later ones are under way."""
    # A task that unpickles can be done again anywhere; data that were merely sent are lost with their worker.
    shared = client.submit(pickle.loads, pickle.dumps(work.to_send()), pure=False)
    mine = deciding()
    waiting: deque[Any] = deque()
    coming = iter(batches)
    try:
        while True:
            while len(waiting) < _AHEAD * threads_of(client) and (batch := next(coming, None)) is not None:
                waiting.append(client.submit(simulate_there, shared, batch, mine, pure=False))
            if not waiting:
                return
            rows = waiting.popleft().result()
            if isinstance(rows, str):
                here = ", ".join(f"{name} {number}" for name, number in mine.items())
                raise UserError(_KEY, rows, f"workers with the sources of this process and its libraries: {here}")
            if progress is not None:
                progress(len(rows["run"]))
            yield rows
    finally:
        client.cancel([*waiting, shared])


def deciding() -> dict[str, str]:
    """The sources and libraries of this process that decide results."""
    return {"sources": deciding_hash(), **{name: versions()[name] for name in DECIDING_LIBRARIES}}


def simulate_there(work: Work, batch: Batch, expected: Mapping[str, str]) -> Rows | str:
    """Simulate a batch on a worker; where the worker has other sources or libraries, the first of them instead."""
    differ = [f"{name} {mine}" for name, mine in deciding().items() if mine != expected.get(name)]
    return differ[0] if differ else simulate(work, batch, threads=1)
