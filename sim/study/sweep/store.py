"""The store of a sweep: a folder of few files that fills part by part and is never seen half written.

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
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.study.folder import SWEEP, SWEEP_FORMATS, lying, read_manifest
from sim.study.inputs import COPY
from sim.study.provenance import source_hash, versions
from sim.study.sweep.disk import PARTIAL, Hashing, digest, disk_problem, settle, settle_folder, write_aside
from sim.study.sweep.lock import LOCK
from sim.study.sweep.plan import Part
from sim.world.errors import UserError

MANIFEST: Final = "manifest.json"
POINTS: Final = "points.parquet"
CHOSEN: Final = "chosen.parquet"
CONFIG: Final = "config.yaml"
PARTS_FOLDER: Final = "parts"
MAKER: Final = "lull"
VERB: Final = SWEEP
READABLE: Final = SWEEP_FORMATS
FORMAT: Final = READABLE[-1]
"""Raised when a store says otherwise what it holds. Parts of format 1 do not say of which sweep they are."""

_NAME: Final = re.compile(r"part-(\d{5})-([0-9a-f]{16})\.parquet")
_UNLIKE: Final = {
    "points_digest": "its points stand for other values",
    "identity": "it is of a sweep with other settings or sources",
}
"""What is wrong with a part where the two checksums themselves would say nothing to a reader."""
_ORDERED: Final = ("point", "run")
"""Columns for which a reader can skip row groups by their least and largest value."""


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
            Part(number, (points[0], points[1]), (runs[0], runs[1]), chosen.get(number))
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
            write_aside(self.folder / CHOSEN, lambda file: pq.write_table(table, file))
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
        text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_aside(self.folder / MANIFEST, lambda file: void(file.write(text.encode())))
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
        folder = self.folder / PARTS_FOLDER
        aside = folder / f".part-{part.number:05d}{PARTIAL}"
        try:
            with aside.open("wb") as file:
                hashing = Hashing(file)
                writer = PartWriter(hashing, about, self._stated(part, points_digest))
                yield writer
                writer.close()
                if writer.rows != part.rows:
                    raise ValueError(f"part {part.number} has {writer.rows} rows instead of {part.rows}")
                settle(file)
            aside.rename(folder / f"part-{part.number:05d}-{hashing.digest}.parquet")
            settle_folder(folder)
        except OSError as problem:
            aside.unlink(missing_ok=True)
            hint = f"; {len(self.finished())} of {len(self.parts)} parts are finished, the same command goes on"
            raise disk_problem(self.folder, problem, hint) from None
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

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
        return {**stated, "points_digest": points_digest(part), "identity": _digest(self.manifest["identity"])}

    def check_parts(self, points_digest: Callable[[Part], str], damaged: Collection[Path] = ()) -> list[dict[str, Any]]:
        """What every part says of itself, those that cannot be read left out.

        Args:
            points_digest: gives the checksum of what the points of a part stand for.
            damaged: files that are known to be damaged, which are not looked into.

        Raises:
            UserError: a file there is no part of this sweep: of another one, of another size, or a copy.
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


def _digest(identity: Mapping[str, Any]) -> str:
    """Checksum of all that decides the results of a sweep."""
    return hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=8).hexdigest()


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

    def __init__(self, file: Hashing, about: Mapping[str, Mapping[str, Any]], inside: Mapping[str, Any]) -> None:
        self._file = file
        self._about = about
        self._inside = inside
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def add(self, rows: Mapping[str, Any]) -> None:
        """Add histories (rows,) by column."""
        arrays = [pa.array(column) for column in rows.values()]
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
    """Nothing; for callbacks whose result nobody wants."""


def read_store(folder: Path) -> Store | None:
    """The store in a folder; None where there is none.

    Raises:
        UserError: it was made by another version that wrote otherwise.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("made_by") != MAKER or manifest.get("verb") != VERB:
        return None
    if manifest.get("format") not in READABLE:
        raise UserError("output.dir", folder, f"a sweep of format {FORMAT}; this one has {manifest.get('format')}")
    return Store(folder, manifest)


def check_free(folder: Path) -> None:
    """Refuse a folder that holds something else.

    Raises:
        UserError: it is no folder, or not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError("output.dir", folder, "a folder; this is a file")
    if folder.is_dir() and not _left_over({path.name for path in folder.iterdir()}):
        there = read_manifest(folder)
        told = "" if there is None else f"; {lying(there)}"
        raise UserError("output.dir", folder, f"a new folder, an empty one, or a sweep to go on with{told}")


def _left_over(names: set[str]) -> bool:
    """Whether this is nothing, or what a sweep leaves that was stopped before it had a manifest."""
    ours = {LOCK, POINTS, CONFIG, PARTS_FOLDER}
    of_a_sweep = (name in ours or name.endswith(PARTIAL) or name.startswith(COPY) for name in names)
    return not names or (LOCK in names and all(of_a_sweep))
