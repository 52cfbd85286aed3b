"""Other processes and machines: Dask workers that carry out parts of a study, with the bits of this process.

Each history has an address of its own, so it does not matter who simulates it, in which order, or how often. A worker
is sent one task and then parts of it; it makes everything else itself.
"""

import logging
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

from sim.experiment.options import EngineOptions
from sim.experiment.result_dir import DECIDING_LIBRARIES, source_hash, versions
from sim.model.hydra_config import hydra_text
from sim.model.scenario import Config
from sim.model.validation import UserError, mapping

Part = TypeVar("Part")
Made = TypeVar("Made")
Task = Callable[[Part, Callable[[int], None]], Made]
"""What makes something of a part, and calls a function with numbers of finished histories."""

LOCAL: Final = "local"
QUEUES: Final = {"slurm": "SLURMCluster", "pbs": "PBSCluster"}
_KEY: Final = "engine.cluster"
_PATIENCE: Final = "10s"
_QUIET: Final = "127.0.0.1:0"
"""Any free port, for this machine alone, for the scheduler's page: the usual one may be taken."""
_AHEAD: Final = 2
"""Batches per thread that are under way at once: one being simulated, one waiting."""
_DEATHS: Final = 20
"""Workers that may die over one batch before it is taken for its fault."""


def cluster_of(config: Config) -> EngineOptions | None:
    """Where the workers are, how many, and what a job of them requests; None: this process alone."""
    engine = EngineOptions.of(config.tree["engine"])
    known = (None, LOCAL, *QUEUES)
    if engine.cluster not in known and not str(engine.cluster).startswith(("tcp://", "tls://")):
        raise UserError(_KEY, engine.cluster, f"{LOCAL}, tcp://HOST:PORT, {', '.join(QUEUES)} or null")
    if engine.workers is not None and engine.cluster not in known[1:]:
        allowed = f"null without {_KEY}={LOCAL}, {' or '.join(QUEUES)}, which starts workers"
        raise UserError("engine.workers", engine.workers, allowed)
    if engine.job is not None and engine.cluster not in QUEUES:
        raise UserError("engine.job", hydra_text(engine.job), f"null without {_KEY}={' or '.join(QUEUES)}")
    if engine.cluster is None:
        return None
    return replace(engine, job=mapping("engine.job", {} if engine.job is None else engine.job))


@contextmanager
def connected(settings: EngineOptions | None) -> Iterator[Any]:
    """A client of the cluster, once it has a worker; None without one. What was started here ends with the block.

    Raises:
        UserError: nothing answers at the address, or no queue here.
    """
    if settings is None:
        yield None
        return
    if sys.modules.get("dask", cluster_of) is None:  # hidden from xarray by a command that seldom needs it
        del sys.modules["dask"]
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


def on_workers(
    client: Any, task: Task[Part, Made], parts: Iterable[Part], progress: Callable[[int], None] | None = None
) -> Iterator[Made]:
    """What a task makes of each part, in order, while later ones are under way.

    Raises:
        UserError: a worker has other sources or libraries, or an extension is no file.
    """
    from distributed.protocol.pickle import dumps

    # A task that unpickles can be done again anywhere; data that were merely sent are lost with their worker.
    shared = client.submit(pickle.loads, dumps(task), pure=False)
    mine = deciding()
    waiting: deque[Any] = deque()
    coming = iter(parts)
    try:
        while True:
            while len(waiting) < _AHEAD * threads_of(client) and (part := next(coming, None)) is not None:
                waiting.append(client.submit(carry_out_there, shared, part, mine, pure=False))
            if not waiting:
                return
            answer = waiting.popleft().result()
            if isinstance(answer, str):
                here = ", ".join(f"{name} {number}" for name, number in mine.items())
                raise UserError(_KEY, answer, f"workers with the sources of this process and its libraries: {here}")
            made, histories = answer
            if progress is not None:
                progress(histories)
            yield made
    finally:
        client.cancel([*waiting, shared])


def deciding() -> dict[str, str]:
    """The sources and libraries of this process that decide results."""
    return {"sources": source_hash(), **{name: versions()[name] for name in DECIDING_LIBRARIES}}


def carry_out_there(task: Task[Part, Made], part: Part, expected: Mapping[str, str]) -> tuple[Made, int] | str:
    """What a task makes of a part on a worker, and its histories; what differs first where a worker differs."""
    differ = [f"{name} {mine}" for name, mine in deciding().items() if mine != expected.get(name)]
    if differ:
        return differ[0]
    done: list[int] = []
    return task(part, done.append), sum(done)
