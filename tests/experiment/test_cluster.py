"""Workers elsewhere give the bits of this process, whoever of them dies; mistakes are told in one line."""

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import sim
from sim.analysis.calibration.observations import settings_of
from sim.analysis.calibration.posterior import CHUNK, PriorSampler, fill
from sim.experiment import cluster
from sim.experiment.cluster import carry_out_there, cluster_of, connected, on_workers, threads_of
from sim.experiment.command import Request
from sim.experiment.ensemble import stream
from sim.experiment.options import EngineOptions
from sim.experiment.runner import Checkpoints, chunks
from sim.experiment.sweep.run_sweep import prepare, running
from sim.model.extension import Extension, Tallied
from sim.model.scenario import load
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


def twice(number: int, done: Callable[[int], None]) -> int:
    done(2)
    done(3)
    return 2 * number


@pytest.mark.parametrize("name", ["sources", "numba", "llvmlite", "numpy"])
def test_a_worker_answers_only_for_what_decides_results_here(name: str) -> None:
    here = cluster.deciding()
    assert carry_out_there(twice, 3, here) == (6, 5)
    assert carry_out_there(twice, 3, {**here, name: "99.0"}) == f"{name} {here[name]}"


def test_a_worker_with_other_sources_is_refused(
    scheduler: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "source_hash", lambda: "0123456789abcdef")
    with pytest.raises(UserError, match=r"engine\.cluster = sources [0-9a-f]{16}: allowed workers with the sources of"):
        made({**SOBOL, "engine.cluster": scheduler.scheduler_address}, tmp_path)
    assert part_files(tmp_path) == {}


# --- the other verbs ------------------------------------------------------------------------------------------

SHORT = {"calendar.days": 140}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """Chunks of a handful of histories; those that are sent to workers are listed here."""
    monkeypatch.setattr("sim.analysis.comparison.paired_run.CHUNK", 40)
    monkeypatch.setattr("sim.analysis.comparison.paired_run.PRIOR_DRAWS", 4)
    monkeypatch.setattr("sim.analysis.attribution.TABLE_ROWS", 8)
    monkeypatch.setattr("sim.analysis.attribution.PRIOR_DRAWS", 4)
    found: list[range] = []

    def listening(client: Any, task: Any, parts: list[range], progress: Any) -> Iterator[Any]:
        found.extend(parts)
        return on_workers(client, task, parts, progress)

    monkeypatch.setattr("sim.experiment.runner.on_workers", listening)
    return found


def compared(**study: Any) -> Any:
    return sim.compare(["article", "no_us_strikes"], runs=10, draws=8, parameters="posterior", **study)


def explained(**study: Any) -> Any:
    return sim.explain(mechanisms=["fear", "patron_restraint"], runs=5, draws=4, **study)


@pytest.mark.parametrize(("verb", "number"), [(compared, 4), (explained, 3)])
def test_workers_give_other_verbs_the_bits_of_this_process(
    verb: Callable[..., Any], number: int, scheduler: Any, sent: list[range]
) -> None:
    here = verb(overrides=SHORT).data
    assert not sent
    there = verb(overrides={**SHORT, "engine.cluster": scheduler.scheduler_address}).data
    assert len(sent) == number
    xr.testing.assert_identical(there, here)
    assert not verb(overrides=SHORT, seed=2).data.equals(here)


def outcomes_of_a_run(progress: Checkpoints | None) -> dict[str, Any]:
    found = stream(load(["calendar.days=140", "study.runs=50"]), progress=progress, batch=20)
    return {name: (one.values, one.counts) for name, one in found.tallies.items()}


def prior_sample(progress: Checkpoints | None) -> dict[str, Any]:
    config = load()
    settings = settings_of(config, ())
    found = fill(PriorSampler(config.scenario, settings.keys, 3), settings.figures, CHUNK + 500, progress=progress)
    return {**found.numbers, "chance": found.chance}


@pytest.mark.parametrize(("ensemble", "number"), [(outcomes_of_a_run, 3), (prior_sample, 2)])
def test_workers_give_chunks_of_any_kind_the_bits_of_this_process(
    ensemble: Callable[..., dict[str, Any]], number: int, scheduler: Any, sent: list[range]
) -> None:
    done: list[int] = []
    with connected(EngineOptions(cluster=scheduler.scheduler_address, job={})) as client:
        there = ensemble(Checkpoints(None, done.append, client))
    assert len(sent) == len(done) == number
    here = ensemble(None)
    assert here.keys() == there.keys()
    assert all(np.array_equal(one, there[name]) for name, one in here.items())


def test_chunks_that_this_process_kept_are_not_sent(scheduler: Any, tmp_path: Path, sent: list[range]) -> None:
    def numbers(part: range, done: Callable[[int], None] | None) -> dict[str, Any]:
        return {"number": np.arange(part.start, part.stop)}

    def all_of(client: Any, parts: int) -> Iterator[Any]:
        return islice(chunks(5, 1, numbers, Checkpoints(tmp_path, lambda _: None, client)), parts)

    list(all_of(None, 2))
    with connected(EngineOptions(cluster=scheduler.scheduler_address, job={})) as client:
        found = [int(one["number"][0]) for one in all_of(client, 5)]
    assert found == list(range(5))
    assert sent == [range(2, 3), range(3, 4), range(4, 5)]


def test_an_extension_of_a_notebook_is_refused_where_others_work(scheduler: Any, sent: list[range]) -> None:
    own = Extension("calm", outcomes=(Tallied("calm", "days", "quiet days", one_more),))
    with pytest.raises(UserError, match="extensions = calm: allowed an extension read from a file"):
        explained(extensions=[own], overrides={**SHORT, "engine.cluster": scheduler.scheduler_address})


def one_more(now: float) -> float:
    return now + 1.0


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["engine.cluster=cloud"], "engine.cluster = cloud: allowed local, tcp://HOST:PORT, slurm, pbs or null"),
        (["engine.cluster=local", "engine.workers=0"], "engine.workers = 0: allowed a whole number from 1"),
        (["engine.cluster=slurm", "engine.job=3"], "engine.job = 3: allowed a mapping"),
        (["engine.workers=2"], "engine.workers = 2: allowed null without engine.cluster"),
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
        with pytest.raises(UserError, match=r"engine\.(workers|job) = .*: allowed null without engine\.cluster="):
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
