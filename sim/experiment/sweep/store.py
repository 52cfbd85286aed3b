"""The store of a sweep: a folder of few files that fills part by part; `open_sweep` reads it as one labelled Dataset.

manifest.json says what the sweep is and which parts belong to it; points.parquet what each point stands for; each file
in parts/ holds histories, one row per point and run. A part's name ends in the checksum of its bytes, so that the name
alone says whether it is whole: what was cut off or altered is found without trusting any second file.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.experiment.io import (
    LOCK,
    PARTIAL,
    WRITER,
    HashingFile,
    atomic_write,
    digest,
    disk_problem,
    json_text,
    read_mapping,
    text_hash,
    write_atomic,
)
from sim.experiment.result_dir import (
    COPY,
    LARGEST_MANIFEST,
    MAKER,
    MANIFEST,
    SWEEP,
    SWEEP_FORMATS,
    lying,
    read_manifest,
    source_hash,
    versions,
)
from sim.experiment.statistics import Array
from sim.experiment.sweep.design import Part, Span, width
from sim.model.validation import UserError

if TYPE_CHECKING:
    import xarray as xr

POINTS: Final = "points.parquet"
CHOSEN: Final = "chosen.parquet"
CONFIG: Final = "config.yaml"
PARTS_FOLDER: Final = "parts"
VERB: Final = SWEEP
READABLE: Final = SWEEP_FORMATS
FORMAT: Final = READABLE[-1]
"""Raised when a store says otherwise what it holds. Parts of format 1 do not say of which sweep they are."""

COUNTED: Final = {"theatre_attacks": "attacks", "theatre_acknowledged": "acknowledged attacks"}
"""Counts that are kept by theatre and window."""
CARRIED: Final = "carried_along"
"""Attribute of a column of a table of points that changes nothing and is kept as it is."""
STRETCH: Final = 2**16
"""Points that are written or compared at once."""

_NAME: Final = re.compile(r"part-(\d{5})-([0-9a-f]{16})\.parquet")
_UNLIKE: Final = {
    "points_digest": "its points stand for other values",
    "identity": "it is of a sweep with other settings or sources",
}
"""What is wrong with a part where the two checksums themselves would say nothing to a reader."""
_ORDERED: Final = ("point", "run")
"""Columns for which a reader can skip row groups by their least and largest value."""

Place = tuple[Path, Part]


@dataclass(frozen=True)
class Store:
    """A sweep on disk: its folder and its manifest as last written."""

    folder: Path
    manifest: dict[str, Any]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All parts that belong to it, finished or not."""
        chosen = self._chosen()
        return tuple(
            Part((points[0], points[1]), (runs[0], runs[1]), chosen.get(number), number)
            for number, (points, runs) in enumerate(self.manifest["parts"])
        )

    def _chosen(self) -> dict[int, tuple[int, ...]]:
        """The points of parts that do not hold all of their span."""
        path = self.folder / CHOSEN
        if not path.exists():
            return {}
        table = pq.read_table(path)
        part, point = (table.column(name).to_numpy() for name in ("part", "point"))
        return {int(number): tuple(point[part == number].tolist()) for number in np.unique(part)}

    def planning(self, parts: Sequence[Part], **changes: Any) -> "Store":
        """The store with more parts planned."""
        chosen = [part for part in (*self.parts, *parts) if part.chosen is not None]
        if chosen:
            table = pa.table({
                "part": np.repeat([part.number for part in chosen], [len(part.chosen or ()) for part in chosen]),
                "point": np.concatenate([part.chosen for part in chosen]),
            })  # fmt: skip
            with atomic_write(self.folder / CHOSEN) as file:
                pq.write_table(table, file)
        return self.save(parts=[*self.manifest["parts"], *([part.points, part.runs] for part in parts)], **changes)

    @property
    def points(self) -> int:
        """Number of points."""
        return int(self.manifest["points"])

    @property
    def runs(self) -> int:
        """Largest number of runs of a point."""
        return max((part.runs[1] for part in self.parts), default=0)

    def finished(self) -> dict[int, Path]:
        """Files of the parts that are there, by number."""
        return {int(found[1]): path for path, found in self._named()}

    def missing(self) -> list[Part]:
        """Parts that are still to be made."""
        there = self.finished()
        return [part for part in self.parts if part.number not in there]

    def damaged(self) -> list[Path]:
        """Files of parts whose bytes are not those that were written; this reads them all."""
        return [path for path, _ in self._named() if not whole(path)]

    def _named(self) -> list[tuple[Path, re.Match[str]]]:
        folder = self.folder / PARTS_FOLDER
        pairs = [(path, _NAME.fullmatch(path.name)) for path in sorted(folder.glob("*.parquet"))]
        return [(path, found) for path, found in pairs if found is not None]

    def save(self, **changes: Any) -> "Store":
        """The store with an altered manifest, which is on disk when this returns."""
        manifest = {**self.manifest, **changes}
        write_atomic(self.folder / MANIFEST, json_text(manifest, indent=1))
        return Store(self.folder, manifest)

    @contextmanager
    def writing(self, part: Part, about: Mapping[str, Mapping[str, Any]], points_digest: str) -> Iterator["PartWriter"]:
        """Write a part; it appears when the block ends well, and leaves nothing otherwise.

        Args:
            part: the part.
            about: unit and meaning of every column.
            points_digest: checksum of what its points stand for.

        Raises:
            UserError: the disk is full or does not take it; parts that are finished stay.
        """
        path = self.folder / PARTS_FOLDER / f"part-{part.number:05d}"
        try:
            with atomic_write(path, lambda: path.with_name(f"{path.name}-{hashing.digest}.parquet")) as file:
                hashing = HashingFile(file)
                writer = PartWriter(hashing, about, self._stated(part, points_digest))
                yield writer
                writer.close()
                if writer.rows != part.rows:
                    raise ValueError(f"part {part.number} has {writer.rows} rows instead of {part.rows}")
        except OSError as problem:
            hint = f"; {len(self.finished())} of {len(self.parts)} parts are finished, the same command goes on"
            raise disk_problem(self.folder, problem, hint) from None

    def _stated(self, part: Part, points_digest: str) -> dict[str, Any]:
        """What each part says of itself: the histories that it holds, and the sources and versions that made them."""
        made_with = {"source_hash": source_hash(), "versions": versions()}
        return {**self._expected(part, lambda _: points_digest), **made_with}

    def _expected(self, part: Part, points_digest: Callable[[Part], str]) -> dict[str, Any]:
        """What a part of this sweep says of the histories that it holds."""
        stated = {key: self.manifest[key] for key in ("made_by", "format", "scenario", "seed")}
        stated |= {"points": list(part.points), "runs": list(part.runs)}
        if self.manifest["format"] < FORMAT:
            return stated
        deciding = text_hash(json.dumps(self.manifest["identity"], sort_keys=True))
        return {**stated, "points_digest": points_digest(part), "identity": deciding}

    def check_parts(self, points_digest: Callable[[Part], str], damaged: Collection[Path] = ()) -> list[dict[str, Any]]:
        """What every part says of itself, those that cannot be read left out.

        Args:
            points_digest: gives the checksum of what the points of a part stand for.
            damaged: files that are known to be damaged, which are not looked into.
        """
        planned = {part.number: part for part in self.parts}
        seen: set[int] = set()
        stated = []
        for path in sorted((self.folder / PARTS_FOLDER).glob("*.parquet")):
            if path in damaged:
                continue
            found = _NAME.fullmatch(path.name)
            part = None if found is None else planned.get(int(found[1]))
            if part is None:
                raise self._foreign(path, "no part of this sweep has that name")
            if part.number in seen:
                raise self._foreign(path, f"there is another part {part.number}")
            seen.add(part.number)
            said, rows = _statement(path)
            if said is None:
                if whole(path):
                    raise self._foreign(path, "it does not say which histories it holds")
                continue
            for key, value in self._expected(part, points_digest).items():
                if said.get(key) != value:
                    raise self._foreign(path, _UNLIKE.get(key, f"{key} {said.get(key)} instead of {value}"))
            if rows != part.rows:
                raise self._foreign(path, f"{rows} rows instead of {part.rows}")
            stated.append(said)
        return stated

    def _foreign(self, path: Path, why: str) -> UserError:
        name = f"{PARTS_FOLDER}/{path.name}"
        return UserError("output.dir", self.folder, f"parts of this sweep alone; remove {name} from there: {why}")


def _statement(path: Path) -> tuple[dict[str, Any] | None, int]:
    """What a part says of itself, None where it says nothing that can be read; and its number of rows."""
    try:
        footer = pq.read_metadata(path)
        said = json.loads((footer.metadata or {})[MAKER.encode()])
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return None, 0
    return (said, footer.num_rows) if isinstance(said, dict) else (None, 0)


def whole(path: Path) -> bool:
    """Whether the bytes of a part are those that were written; this reads them all."""
    found = _NAME.fullmatch(path.name)
    return found is not None and digest(path) == found[2]


class PartWriter:
    """A Parquet file that grows batch by batch."""

    def __init__(self, file: HashingFile, about: Mapping[str, Mapping[str, Any]], inside: Mapping[str, Any]) -> None:
        self._file = file
        self._about = about
        self._inside = inside
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def add(self, rows: Mapping[str, Any]) -> None:
        """Add histories (rows,) by column, daily series (rows, days)."""
        arrays = [
            pa.array(one) if one.ndim == 1 else pa.FixedSizeListArray.from_arrays(pa.array(one.ravel()), one.shape[1])
            for one in rows.values()
        ]
        fields = [
            pa.field(
                name, array.type, nullable=False, metadata={key: str(said) for key, said in self._about[name].items()}
            )
            for name, array in zip(rows, arrays, strict=True)
        ]
        schema = pa.schema(fields, metadata={MAKER: json.dumps(self._inside)})
        if self._writer is None:
            self._writer = parquet_writer(self._file, schema)
        table = pa.Table.from_arrays(arrays, schema=schema)
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        self.rows += len(table)

    def close(self) -> None:
        """Write what ends the file."""
        if self._writer is not None:
            self._writer.close()


def parquet_writer(file: Any, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer for columns of mostly small whole numbers: their differences are packed, every page has a checksum."""
    whole = [field.name for field in schema if pa.types.is_integer(field.type)]
    return pq.ParquetWriter(
        file,
        schema,
        use_dictionary=False,
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        compression="lz4",
        write_statistics=[name for name in _ORDERED if name in schema.names],
        write_page_checksum=True,
    )


def void(_: object) -> None:
    """Nothing; for callbacks whose result is not used."""


def read_store(folder: Path) -> Store | None:
    """The store in a folder; None where there is none."""
    manifest = read_mapping((folder / MANIFEST).resolve(), LARGEST_MANIFEST)
    if manifest is None or manifest.get("made_by") != MAKER or manifest.get("verb") != VERB:
        return None
    if manifest.get("format") not in READABLE:
        raise UserError("output.dir", folder, f"a sweep of format {FORMAT}; this one has {manifest.get('format')}")
    return Store(folder, manifest)


def check_free(folder: Path) -> None:
    """Refuse a folder that holds something else."""
    if folder.is_dir() and not _left_over({path.name for path in folder.iterdir()}):
        there = read_manifest(folder)
        about = "" if there is None else f"; {lying(there)}"
        raise UserError("output.dir", folder, f"a new folder, an empty one, or a sweep to go on with{about}")


def _left_over(names: set[str]) -> bool:
    """Whether this is nothing, or what a sweep leaves that was stopped before it had a manifest."""
    ours = {LOCK, WRITER, POINTS, CONFIG, PARTS_FOLDER}
    of_a_sweep = (name in ours or name.endswith(PARTIAL) or name.startswith(COPY) for name in names)
    return not names or (LOCK in names and all(of_a_sweep))


def counted(name: str, theatre: str, window: str) -> str:
    """Name of the column of a count.

    >>> counted("theatre_attacks", "iraq", "lull")
    'theatre_attacks.iraq.lull'
    """
    return f"{name}.{theatre}.{window}"


def points_digest(table: pa.Table) -> str:
    """Checksum of points: that which `write_points` gave for them."""
    found = new_digest()
    for start in range(0, len(table), STRETCH):
        count_in(found, table.slice(start, STRETCH))
    return found.hexdigest()


def part_digest(table: pa.Table, part: Part) -> str:
    """Checksum of the points that a part holds, from a table of those from its first to its last."""
    if part.chosen is None:
        return points_digest(table)
    return points_digest(table.take(np.array(part.chosen) - part.points[0]))


def new_digest() -> Any:
    """What the checksum of points is taken with."""
    return hashlib.blake2b(digest_size=8)


def count_in(found: Any, table: pa.Table) -> None:
    """Count a stretch of points into their checksum."""
    for name in table.column_names:
        values = table.column(name).to_numpy()
        found.update("\n".join(map(str, values)).encode() if values.dtype == object else np.ascontiguousarray(values))


def open_sweep(path: Path | str, *, partial: bool = False) -> "xr.Dataset":
    """Open a sweep without loading it.

    Args:
        path: the folder of the sweep.
        partial: open it although parts are still missing; their histories are NaN.

    Returns:
        Dataset over (point, run), (point, run, theatre, window) for counts and (point, run, day) for daily series, as
        dask arrays. What a point stands for is in coordinates over `point`: `sample`, `policy`, and one for each key
        that varies, with unit, meaning and source. All points meet the same random numbers in the same run. Where
        points have different numbers of runs, values are floating-point and NaN beyond the last run of a point.

    Raises:
        UserError: there is no sweep, it is not finished, or a file among its parts is of another sweep.
        DamagedPart: points.parquet was cut off or altered; or, when values are read, a part.
    """
    folder = Path(path)
    store = read_store(folder)
    if store is None:
        raise UserError("sweep", folder, "the folder of a sweep, with its manifest.json")
    missing = len(store.missing())
    if missing and not partial:
        about = f"{missing} of {len(store.parts)} parts are missing; {store.manifest['command']} goes on"
        raise UserError("sweep", folder, f"a finished sweep, or partial=True ({about})")
    return open_store(store)


class DamagedPart(OSError):  # noqa: N818  (it names what was found)
    """A part of a sweep cannot be read as it was written."""

    def __init__(self, path: Path, problem: object) -> None:
        super().__init__(f"{path} is damaged ({problem}); the command of the sweep, given again, computes it anew")
        self.path = path


def open_store(store: Store) -> "xr.Dataset":
    """The Dataset of a store, whatever is there of it.

    Raises:
        UserError: a file among its parts is of another sweep.
        DamagedPart: the points are not those that were written.
    """
    import xarray as xr

    from sim.rules.outcomes import WINDOWS

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
            along = ("day",) if "days" in about[name] else ()
            data[name] = (("point", "run", *along), grid.array(name), about[name]["attrs"])
    for name, text in COUNTED.items() if counts <= about.keys() else ():
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
        """One column as a dask array (point, run), of a daily series (point, run, day)."""
        import dask.array as da
        from dask.base import tokenize

        name = f"{column}-{tokenize(self._folder, [str(path) for cell in self._cells.values() for path, _ in cell])}"
        kind = np.dtype(np.float64 if self._ragged else self._columns[column]["dtype"])
        points, runs = list(pairwise(self._points)), list(pairwise(self._runs))
        days = (self._columns[column]["days"],) if "days" in self._columns[column] else ()
        graph = {
            (name, i, j, *(0 for _ in days)): (read_cell, Cell(cell, points[i], runs[j], days), column, kind)
            for (i, j), cell in self._cells.items()
        }
        chunks = (tuple(width(span) for span in points), tuple(width(span) for span in runs), *((one,) for one in days))
        return da.Array(graph, name, chunks, dtype=kind)

    def stacked(self, name: str, theatres: Sequence[str]) -> Any:
        """Counts as a dask array (point, run, theatre, window)."""
        import dask.array as da

        from sim.rules.outcomes import WINDOWS

        by_theatre = [
            da.stack([self.array(counted(name, theatre, window)) for window in WINDOWS], axis=2) for theatre in theatres
        ]
        return da.stack(by_theatre, axis=2)


@dataclass(frozen=True)
class Cell:
    """A rectangle of (point, run), and the parts that reach into it; `days` (D,) of a daily series."""

    places: tuple[Place, ...]
    points: Span
    runs: Span
    days: tuple[int, ...] = ()


def _holds_all(places: Sequence[Place]) -> bool:
    """Whether one part holds the whole of a cell."""
    return len(places) == 1 and places[0][1].chosen is None


def _edges(spans: Sequence[Span], end: int) -> list[int]:
    return sorted({0, end, *(edge for span in spans for edge in span)})


def read_cell(cell: Cell, column: str, kind: np.dtype[Any]) -> Array:
    """The values of one cell (points, runs), of a daily series (points, runs, days); NaN where there are no histories.

    Raises:
        DamagedPart: a file cannot be read as it was written.
    """
    (first, end), (begin, stop) = cell.points, cell.runs
    if _holds_all(cell.places):
        path, part = cell.places[0]
        values = read_column(path, column).reshape(width(part.points), width(part.runs), *cell.days)
        mine = values[first - part.points[0] : end - part.points[0], begin - part.runs[0] : stop - part.runs[0]]
        return mine.astype(kind, copy=False)
    found = np.full((end - first, stop - begin, *cell.days), np.nan)
    for path, _ in cell.places:
        point, run = read_column(path, "point"), read_column(path, "run")
        inside = (point >= first) & (point < end) & (run >= begin) & (run < stop)
        found[point[inside] - first, run[inside] - begin] = read_column(path, column)[inside]
    return found


def read_column(path: Path, column: str) -> Array:
    """One column of a part (rows,) or (rows, days); the first time, its bytes are compared with its checksum.

    Raises:
        DamagedPart: the file is not as it was written, or is gone.
    """
    try:
        about = path.stat()
        if not _whole(path, about.st_size, about.st_mtime_ns):
            raise DamagedPart(path, "its bytes are not those that were written")
        return values_of(pq.ParquetFile(path).read([column]).column(0))
    except FileNotFoundError:
        raise DamagedPart(path, "it is gone") from None


def values_of(column: pa.ChunkedArray) -> Array:
    """A column (rows,), that of a daily series (rows, days)."""
    if not pa.types.is_fixed_size_list(column.type):
        return np.asarray(column.to_numpy())
    return np.concatenate([chunk.flatten().to_numpy() for chunk in column.chunks]).reshape(len(column), -1)


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
    from sim.rules.outcomes import WINDOWS

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
