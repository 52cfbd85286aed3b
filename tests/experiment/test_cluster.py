"""Workers elsewhere give the bits of this process, whoever of them dies; mistakes are told in one line."""

import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.experiment.command import Request
from sim.experiment.options import EngineOptions
from sim.experiment.sweep import worker as cluster
from sim.experiment.sweep.design import Batch, cluster_of
from sim.experiment.sweep.run_sweep import prepare, running
from sim.experiment.sweep.worker import connected, threads_of
from sim.model.validation import UserError
from tests.experiment.sweeps import CONTROL, asked, made, part_files, same

SOBOL = {**CONTROL, "scenario": ["article", "no_order"], "study.points": 16, "study.runs": 24}


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    """A scheduler with two workers, somewhere behind an address."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as started:
        yield started


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep made in this process, not to be altered."""
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.experiment.sweep.design.LEAST_ROWS", 48)
        made({**SOBOL, "engine.threads": 1}, folder)
    return folder


@pytest.fixture
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same parts, for those who make it elsewhere."""
    monkeypatch.setattr("sim.experiment.sweep.design.LEAST_ROWS", 48)


@pytest.mark.usefixtures("few_parts")
def test_workers_behind_an_address_give_the_same_bits_and_files(scheduler: Any, here: Path, tmp_path: Path) -> None:
    made({**SOBOL, "engine.cluster": scheduler.scheduler_address}, tmp_path)
    assert same(here, tmp_path)
    contents = [{name: one[0] for name, one in part_files(folder).items()} for folder in (here, tmp_path)]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 16


@pytest.mark.usefixtures("few_parts")
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_worker_that_is_killed_on_the_way_changes_nothing(scheduler: Any, here: Path, tmp_path: Path) -> None:
    with running(asked({**SOBOL, "engine.cluster": scheduler.scheduler_address}, tmp_path)) as going:
        workers = [worker.pid for worker in scheduler.workers.values()]
        done = 0

        def kill_one(histories: int) -> None:
            nonlocal done
            done += histories
            if workers and done >= 100:
                os.kill(workers.pop(), signal.SIGKILL)
                workers.clear()

        going.make(kill_one)
        assert not workers
    assert same(here, tmp_path)


@pytest.mark.parametrize("name", ["sources", "numba", "llvmlite", "numpy"])
def test_a_worker_answers_only_for_what_decides_results_here(name: str) -> None:
    work, batch = asked({**CONTROL, "study.points": 2, "study.runs": 2}).work, Batch((0, 1), (0, 2))
    here = cluster.deciding()
    assert not isinstance(cluster.simulate_there(work, batch, here), str)
    assert cluster.simulate_there(work, batch, {**here, name: "99.0"}) == f"{name} {here[name]}"


def test_a_worker_with_other_sources_is_refused(
    scheduler: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "deciding_hash", lambda: "0123456789abcdef")
    with pytest.raises(UserError, match=r"engine\.cluster = sources [0-9a-f]{16}: allowed workers with the sources of"):
        made({**SOBOL, "engine.cluster": scheduler.scheduler_address}, tmp_path)
    assert part_files(tmp_path) == {}


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["engine.cluster=cloud"], "engine.cluster = cloud: allowed local, tcp://HOST:PORT, slurm, pbs or null"),
        (["engine.cluster=local", "engine.workers=0"], "engine.workers = 0: allowed a whole number from 1"),
        (["engine.cluster=slurm", "engine.job=3"], "engine.job = 3: allowed a mapping"),
    ],
)
def test_a_mistake_is_told_in_one_line(overrides: list[str], line: str) -> None:
    with pytest.raises(UserError) as caught:
        prepare(Request("sweep", ("patron.control=0.1,0.2", *overrides)))
    assert str(caught.value).startswith(line)


def test_nobody_at_the_address_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", "0.5s")
    with pytest.raises(UserError, match=r"tcp://127\.0\.0\.1:9: allowed the address of a running dask scheduler"):
        made({**SOBOL, "engine.cluster": "tcp://127.0.0.1:9"}, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_asks_for_nothing_is_told_in_one_line() -> None:
    settings = EngineOptions(cluster="slurm", workers=1, job={"cores": 1})
    with pytest.raises(UserError, match=r"engine\.job"), connected(settings):
        pass


def test_no_cluster_is_this_process() -> None:
    assert cluster_of(asked(SOBOL).config) is None
    assert cluster_of(asked({**SOBOL, "engine.cluster": "local", "engine.workers": 3}).config) == EngineOptions(
        cluster="local", workers=3, job={}
    )
    for alone in (
        {"engine.workers": 3},
        {"engine.job": "{queue:x}"},
        {"engine.cluster": "tcp://a:1", "engine.workers": 3},
    ):
        with pytest.raises(UserError, match=r"engine\.(workers|job) = .*: allowed null, or engine\.cluster="):
            asked({**SOBOL, **alone})


@pytest.mark.long
@pytest.mark.usefixtures("few_parts")
def test_a_local_cluster_that_is_started_here_gives_the_same_bits(here: Path, tmp_path: Path) -> None:
    made({**SOBOL, "engine.cluster": "local", "engine.workers": 2}, tmp_path)
    assert same(here, tmp_path)
    made({**SOBOL, "study.runs": 30}, tmp_path)
    made({**SOBOL, "study.runs": 30}, tmp_path / "at_once")
    assert same(tmp_path, tmp_path / "at_once")


def stand_in(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.long
@pytest.mark.usefixtures("few_parts")
@pytest.mark.skipif(os.name == "nt", reason="no SLURM")
@pytest.mark.parametrize(("kind", "submit", "cancel"), [("slurm", "sbatch", "scancel"), ("pbs", "qsub", "qdel")])
def test_jobs_of_a_queue_give_the_same_bits(
    kind: str, submit: str, cancel: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in of the queue: a job is a process, its number the process's.
    queue = tmp_path / "queue"
    queue.mkdir()
    told = "Submitted batch job $!" if kind == "slurm" else "$!"
    stand_in(queue, submit, f'#!/bin/sh\nsetsid sh "$1" > "{queue}/log.$$" 2>&1 &\necho "{told}"\n')
    stand_in(queue, cancel, '#!/bin/sh\nfor job in "$@"; do kill -- "-$job" 2>/dev/null; done\nexit 0\n')
    monkeypatch.setenv("PATH", f"{queue}{os.pathsep}{os.environ['PATH']}")
    job = {"cores": 1, "processes": 1, "memory": "2GB", "python": sys.executable, "interface": "lo"}
    made({**SOBOL, "engine.cluster": kind, "engine.workers": 2, "engine.job": job}, tmp_path / "there")
    assert same(here, tmp_path / "there")
    assert list(queue.glob("log.*"))


def test_threads_are_counted_over_all_workers(scheduler: Any) -> None:
    with connected(EngineOptions(cluster=scheduler.scheduler_address, job={})) as client:
        deadline = time.monotonic() + 30
        while threads_of(client) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert threads_of(client) == 2
