"""`open_sweep`: a stored sweep as one labelled Dataset that reads from disk only what is asked of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from sim.rules.outcomes import WINDOWS
from sim.study.sweep.plan import Part, Span, width
from sim.study.sweep.points import part_digest, points_digest
from sim.study.sweep.store import CONFIG, POINTS, Store, read_store, whole
from sim.study.sweep.work import COUNTED, counted
from sim.world.errors import UserError

Array = npt.NDArray[Any]
Place = tuple[Path, Part]

_KEY: Final = "sweep"


def open_sweep(path: Path | str, *, partial: bool = False) -> xr.Dataset:
    """Open a sweep without loading it.

    Args:
        path: the folder of the sweep.
        partial: open it although parts are still missing; their histories are NaN.

    Returns:
        Dataset over (point, run), and (point, run, theatre, window) for counts, as dask arrays. What a point stands
        for is in coordinates over `point`: `sample`, `policy`, and one for each key that varies, with unit, meaning
        and source. All points meet the same luck in the same run. Where points have different numbers of runs, values
        are floating-point and NaN beyond the last run of a point.

    Raises:
        UserError: there is no sweep, it is not finished, or a file among its parts is of another sweep.
        DamagedPart: points.parquet was cut off or altered; or, when values are read, a part.
    """
    folder = Path(path)
    store = read_store(folder)
    if store is None:
        raise UserError(_KEY, folder, "the folder of a sweep, with its manifest.json")
    missing = len(store.missing())
    if missing and not partial:
        told = f"{missing} of {len(store.parts)} parts are missing; {store.manifest['command']} goes on"
        raise UserError(_KEY, folder, f"a finished sweep, or partial=True ({told})")
    return open_store(store)


class DamagedPart(OSError):  # noqa: N818  (it names what was found)
    """A part of a sweep cannot be read as it was written."""

    def __init__(self, path: Path, problem: object) -> None:
        super().__init__(f"{path} is damaged ({problem}); the command of the sweep, given again, computes it anew")
        self.path = path


def open_store(store: Store) -> xr.Dataset:
    """The Dataset of a store, whatever is there of it.

    Raises:
        UserError: a file among its parts is of another sweep.
        DamagedPart: the points are not those that were written.
    """
    points = read_points(store)
    stated = store.check_parts(lambda part: part_digest(points.slice(part.points[0], width(part.points)), part))
    files = store.finished()
    places = [(files[part.number], part) for part in store.parts if part.number in files]
    about = store.manifest["columns"]
    theatres = store.manifest["theatres"]
    grid = Grid(store, places)
    data = xr.Dataset(coords=_coordinates(store, points))
    counts = {counted(name, theatre, window) for name in COUNTED for theatre in theatres for window in WINDOWS}
    for name in about:
        if name not in counts and name not in ("point", "run"):
            data[name] = (("point", "run"), grid.array(name), about[name]["attrs"])
    for name, text in COUNTED.items():
        data[name] = (("point", "run", "theatre", "window"), grid.stacked(name, theatres), {
            "units": "attacks", "long_name": f"{text} by theatre and window",
        })  # fmt: skip
    data.attrs = _attributes(store, stated)
    return data


class Grid:
    """The cells into which the edges of all parts cut (point, run), and the parts that reach into each."""

    def __init__(self, store: Store, places: Sequence[Place]) -> None:
        self._columns: dict[str, Any] = store.manifest["columns"]
        self._folder = str(store.folder.resolve())
        self._points = _edges([part.points for _, part in places], store.points)
        self._runs = _edges([part.runs for _, part in places], store.runs)
        self._cells = self._filled(places)
        self._ragged = any(not _holds_all(cell) for cell in self._cells.values())

    def _filled(self, places: Sequence[Place]) -> dict[tuple[int, int], tuple[Place, ...]]:
        cells: dict[tuple[int, int], tuple[Place, ...]] = {
            (i, j): () for i in range(len(self._points) - 1) for j in range(len(self._runs) - 1)
        }
        for path, part in places:
            rows = np.searchsorted(self._points, part.points)
            columns = np.searchsorted(self._runs, part.runs)
            for i in range(*rows):
                for j in range(*columns):
                    cells[i, j] = (*cells[i, j], (path, part))
        return cells

    def array(self, column: str) -> Any:
        """One column as a dask array (point, run)."""
        import dask.array as da
        from dask.base import tokenize

        name = f"{column}-{tokenize(self._folder, [str(path) for cell in self._cells.values() for path, _ in cell])}"
        kind = np.dtype(np.float64 if self._ragged else self._columns[column]["dtype"])
        points, runs = list(pairwise(self._points)), list(pairwise(self._runs))
        graph = {
            (name, i, j): (read_cell, Cell(cell, points[i], runs[j]), column, kind)
            for (i, j), cell in self._cells.items()
        }
        chunks = (tuple(width(span) for span in points), tuple(width(span) for span in runs))
        return da.Array(graph, name, chunks, dtype=kind)

    def stacked(self, name: str, theatres: Sequence[str]) -> Any:
        """Counts as a dask array (point, run, theatre, window)."""
        import dask.array as da

        by_theatre = [
            da.stack([self.array(counted(name, theatre, window)) for window in WINDOWS], axis=2) for theatre in theatres
        ]
        return da.stack(by_theatre, axis=2)


@dataclass(frozen=True)
class Cell:
    """A rectangle of (point, run), and the parts that reach into it."""

    places: tuple[Place, ...]
    points: Span
    runs: Span


def _holds_all(places: Sequence[Place]) -> bool:
    """Whether one part holds the whole of a cell."""
    return len(places) == 1 and places[0][1].chosen is None


def _edges(spans: Sequence[Span], end: int) -> list[int]:
    return sorted({0, end, *(edge for span in spans for edge in span)})


def read_cell(cell: Cell, column: str, kind: np.dtype[Any]) -> Array:
    """The values of one cell (points, runs); NaN where there are no histories.

    Raises:
        DamagedPart: a file cannot be read as it was written.
    """
    (first, end), (begin, stop) = cell.points, cell.runs
    if _holds_all(cell.places):
        path, part = cell.places[0]
        values = read_column(path, column).reshape(width(part.points), width(part.runs))
        mine = values[first - part.points[0] : end - part.points[0], begin - part.runs[0] : stop - part.runs[0]]
        return mine.astype(kind, copy=False)
    found = np.full((end - first, stop - begin), np.nan)
    for path, _ in cell.places:
        point, run = read_column(path, "point"), read_column(path, "run")
        inside = (point >= first) & (point < end) & (run >= begin) & (run < stop)
        found[point[inside] - first, run[inside] - begin] = read_column(path, column)[inside]
    return found


def read_column(path: Path, column: str) -> Array:
    """One column of a part (rows,); the first time, all bytes of the part are compared with its checksum.

    Raises:
        DamagedPart: the file is not as it was written, or is gone.
    """
    try:
        about = path.stat()
        if not _whole(path, about.st_size, about.st_mtime_ns):
            raise DamagedPart(path, "its bytes are not those that were written")
        return np.asarray(pq.ParquetFile(path).read([column]).column(0).to_numpy())
    except FileNotFoundError:
        raise DamagedPart(path, "it is gone") from None


@lru_cache(maxsize=4096)
def _whole(path: Path, size: int, changed: int) -> bool:
    """Whether a part is as it was written, remembered for as long as its size and time stamp stay."""
    return whole(path)


def read_points(store: Store) -> pa.Table:
    """What each point stands for: one row per point.

    Raises:
        DamagedPart: the file cannot be read, or holds other points.
    """
    path = store.folder / POINTS
    try:
        points = pq.read_table(path).slice(0, store.points)
    except (OSError, pa.ArrowException) as problem:
        raise DamagedPart(path, str(problem).partition("\n")[0]) from None
    if points_digest(points) != store.manifest["points_digest"]:
        raise DamagedPart(path, "its points are not those that were written")
    return points


def _coordinates(store: Store, points: pa.Table) -> dict[str, Any]:
    manifest = store.manifest
    coordinates: dict[str, Any] = {
        "point": ("point", np.arange(store.points, dtype=np.int32), {"long_name": "point of the sweep"}),
        "run": (
            "run",
            np.arange(store.runs, dtype=np.int32),
            {"long_name": "run number, part of the address of every draw"},
        ),
        "theatre": ("theatre", np.array(manifest["theatres"], dtype=object)),
        "window": ("window", np.array(WINDOWS, dtype=object)),
    }
    for name, column in zip(manifest["point_columns"], points.columns, strict=True):
        if name != "point":
            values = column.to_numpy(zero_copy_only=False)
            coordinates[name] = ("point", values, manifest["point_columns"][name])
    return coordinates


def _attributes(store: Store, stated: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where it comes from; where parts were made by several versions or sources, all of them."""
    manifest = store.manifest
    makers = stated or (manifest,)
    numbers = {name: dict.fromkeys(one["versions"].get(name, "?") for one in makers) for name in makers[0]["versions"]}
    return {
        "title": f"Lull: sweep of scenario {manifest['scenario']}",
        **{key: str(manifest[key]) for key in ("scenario", "seed", "command")},
        "source_hash": " and ".join(dict.fromkeys(one["source_hash"] for one in makers)),
        "versions": ", ".join(f"{name} {' and '.join(found)}" for name, found in numbers.items()),
        "configuration": (store.folder / CONFIG).read_text(encoding="utf-8"),
    }
