"""Small sweeps for tests: few days, few histories, parts of a handful of them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr

from sim.experiment.command import Request, override_texts
from sim.experiment.sweep import design
from sim.experiment.sweep.axes import axis_of
from sim.experiment.sweep.run_sweep import Running, Sweep, prepare, running
from sim.experiment.sweep.store import Store, open_sweep, read_store

SHORT = {"calendar.days": 140, "seed": 5}
CONTROL = {"patron.control": (0.2, 1.0)}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 16 histories at most, batches of 12."""
    monkeypatch.setattr(design, "LEAST_ROWS", 16)
    monkeypatch.setattr(design, "BATCH_ROWS", 12)


def asked(overrides: dict[str, Any], folder: Path | None = None) -> Sweep:
    home = {} if folder is None else {"output.dir": str(folder)}
    return prepare(Request("sweep", tuple(override_texts({**SHORT, **overrides, **home}, make=axis_of))))


def made(overrides: dict[str, Any], folder: Path) -> xr.Dataset:
    """A sweep made or gone on with."""
    with running(asked(overrides, folder)) as going:
        going.make()
        while going.refine():
            going.make()
        going.finish()
    return open_sweep(folder)


def rows_of(folder: Path, points: int = 10**9, runs: int = 10**9) -> pd.DataFrame:
    """Every history of a sweep, of the first points and runs where asked so, in order."""
    rows = pd.concat([pd.read_parquet(path) for path in sorted((folder / "parts").glob("*.parquet"))])
    rows = rows[(rows["point"] < points) & (rows["run"] < runs)]
    return rows.sort_values(["point", "run"]).reset_index(drop=True)


def same(first: Path, second: Path) -> bool:
    """Whether two sweeps hold the same bits for the same points, however they are cut."""
    points = (pd.read_parquet(folder / "points.parquet") for folder in (first, second))
    return rows_of(first).equals(rows_of(second)) and next(points).equals(next(points))


def store_in(folder: Path) -> Store:
    store = read_store(folder)
    assert store is not None
    return store


def part_files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time stamp of every finished part."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (folder / "parts").glob("*.parquet")}


class StoppedError(Exception):
    """What tests stop a sweep with."""


def stop_after(parts: int, overrides: dict[str, Any], folder: Path) -> None:
    """Make some parts of a sweep, then fail in the middle of the next."""
    with pytest.raises(StoppedError), running(asked(overrides, folder)) as going:
        make_some(going, parts)


def make_some(going: Running, parts: int) -> None:
    def watch(_: int) -> None:
        if len(going.store.finished()) >= parts:
            raise StoppedError

    going.make(watch)


SOBOL_KILLED = {**CONTROL, "study.points": 60, "study.runs": 24}
"""A sweep of seconds, to be killed on the way."""
