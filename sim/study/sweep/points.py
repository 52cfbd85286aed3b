"""points.parquet: what each point of a sweep stands for, one row per point."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.study.sweep.axes import declaration
from sim.study.sweep.disk import write_aside
from sim.study.sweep.groups import Group, parameter
from sim.study.sweep.plan import Part
from sim.study.sweep.store import POINTS, Store, parquet_writer
from sim.study.sweep.work import Work
from sim.world.actors import Source
from sim.world.errors import UserError
from sim.world.parameters import Declaration, shared_declarations

STRETCH: Final = 2**16
"""Points that are written or compared at once."""
_DIGEST: Final = 8
CARRIED: Final = "carried_along"
"""Attribute of a column of a table that changes nothing and is kept as it is."""

Groups = tuple[Group, ...]


def point_columns(work: Work, groups: Groups) -> dict[str, dict[str, str]]:
    """Name, unit and meaning of every column, in order."""
    columns = {
        "point": {"units": "1", "long_name": "point of the sweep"},
        "sample": {"units": "1", "long_name": "point of the design; the same for all configurations it is lived under"},
    }
    if groups[0].policy is not None:
        columns["policy"] = {"units": "", "long_name": "policy"}
    for key in groups[0].labels:
        columns[key] = {"units": "", "long_name": f"configuration key {key}"}
    for key in work.design.keys:
        columns[key] = _described(key, groups[0])
    for name in work.design.carried:
        columns[name] = {
            "units": "",
            "long_name": f"column {name.removeprefix('table.')} of study.table",
            CARRIED: "yes",
        }
    return columns


def _described(key: str, group: Group) -> dict[str, str]:
    one = declaration(key, group.config.scenario.extended.extensions)
    assert one is not None
    cast = group.config.scenario.cast
    source = cast.sources.get(key, Source(one.provenance, one.source))
    if key in shared_declarations():
        source = cast.shared_source(one)
    said = {"units": one.unit, "long_name": one.text, "provenance": source.provenance, "source": source.text}
    return {**said, "valid_min": f"{one.low:g}", "valid_max": f"{one.high:g}", "prior": _prior(key, one)}


def _prior(key: str, declared: Declaration) -> str:
    return "fixed" if key.startswith(("theatre.", "militia.")) else str(declared.prior)


def write_points(work: Work, groups: Groups, folder: Path) -> str:
    """Write all points, a stretch at a time; returns their checksum."""
    found = hashlib.blake2b(digest_size=_DIGEST)

    def write(file: Any) -> None:
        writer: pq.ParquetWriter | None = None
        for table in _stretches(work, groups, work.points):
            writer = writer or parquet_writer(file, table.schema)
            writer.write_table(table)
            _count_in(found, table)
        if writer is not None:
            writer.close()

    write_aside(folder / POINTS, write)
    return found.hexdigest()


def check_points(work: Work, groups: Groups, store: Store) -> bool:
    """Refuse to go on where the points would not be those of the store; whether the file holds them still.

    Raises:
        UserError: a point differs; another table, or another version of the library that draws them.
    """
    now, then = hashlib.blake2b(digest_size=_DIGEST), hashlib.blake2b(digest_size=_DIGEST)
    stored = _stored(store)
    start, different = 0, None
    for table in _stretches(work, groups, store.points):
        there = None if stored is None else stored.slice(start, len(table))
        _count_in(now, table)
        if there is not None:
            _count_in(then, there)
            if different is None and not there.equals(table):
                different = _difference(there, table, start)
        start += len(table)
    wanted = store.manifest["points_digest"]
    if now.hexdigest() == wanted:
        return then.hexdigest() == wanted
    name, value, told = different or (POINTS, "other points", "the points")
    raise UserError(name, value, f"{told}, as in {store.folder}; or another output.dir")


def points_digest(table: pa.Table) -> str:
    """Checksum of points: that which `write_points` gave for them."""
    found = hashlib.blake2b(digest_size=_DIGEST)
    for start in range(0, len(table), STRETCH):
        _count_in(found, table.slice(start, STRETCH))
    return found.hexdigest()


def points_of(work: Work, groups: Groups, part: Part) -> pa.Table:
    """The points from the first of a part to its last."""
    return _table(work, groups, point_columns(work, groups), *part.points)


def part_digest(table: pa.Table, part: Part) -> str:
    """Checksum of the points that a part holds, from a table of those from its first to its last."""
    if part.chosen is None:
        return points_digest(table)
    return points_digest(table.take(np.array(part.chosen) - part.points[0]))


def _stored(store: Store) -> pa.Table | None:
    try:
        return pq.read_table(store.folder / POINTS).slice(0, store.points)
    except (OSError, pa.ArrowException):
        return None


def _count_in(found: Any, table: pa.Table) -> None:
    for name in table.column_names:
        values = table.column(name).to_numpy()
        found.update("\n".join(map(str, values)).encode() if values.dtype == object else np.ascontiguousarray(values))


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
        own = np.array([parameter(group.config, key) for group in groups])
        columns[key] = np.where(kept[arms], own[arms], column[samples - first])
    columns |= {name: column.take(pa.array(samples)) for name, column in work.design.carried.items()}
    fields = [pa.field(name, pa.array(column).type, metadata=about[name]) for name, column in columns.items()]
    return pa.Table.from_arrays([pa.array(column) for column in columns.values()], schema=pa.schema(fields))


def _labelled(labels: list[str], arms: Any) -> pa.Array:
    return pa.array(labels).take(pa.array(arms))
