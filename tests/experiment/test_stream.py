"""Streaming: the same result in batches as at once, and memory that does not grow with the runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.ensemble import HistoryFile, simulate_config, stream
from sim.experiment.runner import require
from sim.experiment.statistics import Tally
from sim.model.scenario import load
from sim.model.validation import UserError


def test_batches_give_the_tallies_the_histogram_and_the_file_of_the_whole(tmp_path: Path) -> None:
    config = load(["study.runs=700"])
    whole = simulate_config(config)
    file = HistoryFile(tmp_path / "histories.nc")
    ensemble = stream(config, keep=file.append, batch=300)
    file.close(weekly_histogram=ensemble.first["weekly_histogram"].values)
    assert ensemble.runs == 700
    for name in OUTCOMES_BY_NAME:
        expected = Tally.of(whole[name].values)
        assert np.array_equal(ensemble.tallies[name].values, expected.values), name
        assert np.array_equal(ensemble.tallies[name].counts, expected.counts), name
    assert ensemble.first.sizes["run"] == 300
    with xr.open_dataset(file.path, engine="h5netcdf") as stored:
        xr.testing.assert_equal(stored.load(), whole)
        assert stored["deaths"].attrs == whole["deaths"].attrs


def test_the_file_is_what_xarray_would_write(tmp_path: Path) -> None:
    config = load(["study.runs=30"])
    whole = simulate_config(config)
    whole.to_netcdf(tmp_path / "xarray.nc", engine="h5netcdf", unlimited_dims=["run"])
    file = HistoryFile(tmp_path / "histories.nc")
    file.append(whole)
    file.close()
    opened = [xr.open_dataset(path, engine="h5netcdf", decode_cf=False) for path in tmp_path.glob("*.nc")]
    with opened[0] as ours, opened[1] as theirs:
        xr.testing.assert_identical(ours.load(), theirs.load())
        assert [one.dtype for one in ours.variables.values()] == [one.dtype for one in theirs.variables.values()]
        assert ours.encoding["unlimited_dims"] == theirs.encoding["unlimited_dims"] == {"run"}
    with xr.open_dataset(file.path, engine="h5netcdf") as stored:
        assert stored["war_day"].encoding["chunksizes"] == (4096,)
        assert stored["war_day"].encoding["zlib"]


def test_what_does_not_fit_is_refused_in_one_line() -> None:
    with pytest.raises(UserError, match=r"study\.runs = 10: allowed what fits: this needs about 1,000,000\.0 GB"):
        require(10**15, "study.runs", 10)


PEAK = """
import resource, sys
from sim.experiment.ensemble import stream
from sim.model.scenario import load
stream(load([f"study.runs={sys.argv[1]}", "engine.threads=2", "calendar.days=134"]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(runs: int) -> int:
    """Peak resident memory of a process that streams so many runs, in kB."""
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(runs)], env=environment, text=True, capture_output=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="getrusage is not there")
def test_memory_is_flat_in_the_number_of_runs() -> None:
    few, many = peak(20_000), peak(100_000)
    # Kept whole, 80,000 more histories would take 40 MB and their labels as much again.
    assert many - few < 20_000
