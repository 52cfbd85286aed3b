"""More than this process: Dask workers here, behind an address, or as jobs of SLURM or PBS.

Workers are sent ranges of points and runs and make everything else themselves, so little travels; each history has an
address of its own, so it does not matter who lives it, in which order, or how often.
"""

import logging
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sim.study.provenance import DECIDING_LIBRARIES, versions
from sim.study.sweep.identity import deciding_hash
from sim.study.sweep.plan import Batch
from sim.study.sweep.work import Rows, Work, live
from sim.world.checks import Section, mapping
from sim.world.errors import UserError
from sim.world.scenario import MOST_THREADS, Config
from sim.world.schema import ENGINE_KEYS

LOCAL: Final = "local"
QUEUES: Final = {"slurm": "SLURMCluster", "pbs": "PBSCluster"}
_KEY: Final = "engine.cluster"
_PATIENCE: Final = "10s"
_QUIET: Final = "127.0.0.1:0"
"""Any free port, for this machine alone, for the scheduler's page: the usual one may be taken."""
_AHEAD: Final = 2
"""Batches per thread that are under way at once: one being lived, one waiting."""
_DEATHS: Final = 20
"""Workers that may die over one batch before it is taken for its fault."""


@dataclass(frozen=True)
class ClusterSettings:
    """Where the workers are: `local`, an address, `slurm` or `pbs`; how many; what a job asks for."""

    kind: str
    workers: int | None
    job: dict[str, Any]


def cluster_of(config: Config) -> ClusterSettings | None:
    """The cluster that a configuration asks for; None: this process alone.

    Raises:
        UserError: a value is not allowed.
    """
    section = Section("engine", config.tree["engine"], ENGINE_KEYS)
    if section.raw("cluster", "") is None:
        return None
    kind = section.text("cluster")
    if kind not in (LOCAL, *QUEUES) and not kind.startswith(("tcp://", "tls://")):
        raise UserError(_KEY, kind, f"{LOCAL}, tcp://HOST:PORT, {', '.join(QUEUES)} or null")
    workers = None if section.raw("workers", "") is None else section.whole("workers", 1, MOST_THREADS)
    job = section.raw("job", "")
    return ClusterSettings(kind, workers, {} if job is None else mapping("engine.job", job))


@contextmanager
def connected(settings: ClusterSettings) -> Iterator[Any]:
    """A client of the cluster, once it has a worker; what was started here ends with the block.

    Raises:
        UserError: there is nobody at the address, no queue here, or a worker with other sources.
    """
    import dask
    from distributed import Client

    with dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS}), _started(settings) as address:
        try:
            client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, TimeoutError):
            raise UserError(_KEY, settings.kind, "the address of a running dask scheduler") from None
        with client:
            client.wait_for_workers(1)
            yield client


@contextmanager
def _started(settings: ClusterSettings) -> Iterator[Any]:
    """What a client connects to: an address, or a cluster that was started here."""
    if settings.kind == LOCAL:
        from distributed import LocalCluster

        with _deaf_children():
            started = LocalCluster(
                n_workers=settings.workers, threads_per_worker=1, processes=True, dashboard_address=_QUIET,
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
        with started:
            yield started
    elif settings.kind in QUEUES:
        with _queue(settings) as cluster:
            cluster.scale(jobs=settings.workers or 1)
            yield cluster
    else:
        yield settings.kind


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


def _queue(settings: ClusterSettings) -> Any:
    try:
        import dask_jobqueue
    except ImportError:
        raise UserError(_KEY, settings.kind, "what is installed; pip install 'lull-sim[cluster]'") from None
    try:
        options = {"scheduler_options": {"dashboard_address": _QUIET}} | settings.job
        return getattr(dask_jobqueue, QUEUES[settings.kind])(**options)
    except (ValueError, TypeError, OSError) as problem:
        raise UserError("engine.job", settings.job, f"what dask-jobqueue takes ({problem})") from None


def threads_of(client: Any) -> int:
    """Threads of all workers that are there now."""
    return max(1, sum(client.nthreads().values()))


def cluster_rows(
    client: Any, work: Work, batches: Iterable[Batch], progress: Callable[[int], None] | None
) -> Iterator[Rows]:
    """The columns of each batch, in order, while later ones are under way.

    Raises:
        UserError: a worker has other sources or libraries than this process.
    """
    # A task that unpickles can be done again anywhere; data that were merely sent are lost with their worker.
    shared = client.submit(pickle.loads, pickle.dumps(work.to_send()), pure=False)
    mine = deciding()
    waiting: deque[Any] = deque()
    coming = iter(batches)
    try:
        while True:
            while len(waiting) < _AHEAD * threads_of(client) and (batch := next(coming, None)) is not None:
                waiting.append(client.submit(live_there, shared, batch, mine, pure=False))
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


def live_there(work: Work, batch: Batch, expected: Mapping[str, str]) -> Rows | str:
    """Live a batch on a worker; where the worker has other sources or libraries, the first of them instead."""
    differ = [f"{name} {mine}" for name, mine in deciding().items() if mine != expected.get(name)]
    return differ[0] if differ else live(work, batch, threads=1)
