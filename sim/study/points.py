"""points.parquet: what each point of a sweep stands for, one row per point."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.study.axes import Axes, declaration
from sim.study.disk import write_aside
from sim.study.groups import Group, parameter
from sim.study.store import POINTS, Store, parquet_writer
from sim.study.work import Work
from sim.world.errors import UserError
from sim.world.parameters import shared_declarations

STRETCH: Final = 2**16
"""Points that are written or compared at once."""

Groups = tuple[Group, ...]


def point_columns(work: Work, groups: Groups, axes: Axes) -> dict[str, dict[str, str]]:
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
    return columns


def _described(key: str, group: Group) -> dict[str, str]:
    one = declaration(key)
    assert one is not None
    source = group.config.scenario.cast.sources.get(key)
    provenance, text = (one.provenance, one.source) if source is None else (source.provenance, source.text)
    said = {"units": one.unit, "long_name": one.text, "provenance": provenance, "source": text}
    return {**said, "valid_min": f"{one.low:g}", "valid_max": f"{one.high:g}", "prior": _prior(key)}


def _prior(key: str) -> str:
    shared = shared_declarations()
    return str(shared[key].prior) if key in shared else "fixed"


def write_points(work: Work, groups: Groups, axes: Axes, folder: Path) -> None:
    """Write all points, a stretch at a time."""
    about = point_columns(work, groups, axes)

    def write(file: Any) -> None:
        writer: pq.ParquetWriter | None = None
        for table in _stretches(work, groups, about, work.points):
            writer = writer or parquet_writer(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()

    write_aside(folder / POINTS, write)


def check_points(work: Work, groups: Groups, axes: Axes, store: Store) -> None:
    """Refuse to go on where the points would not be those of the store.

    Raises:
        UserError: a point differs; another table, or another version of the library that draws them.
    """
    about = point_columns(work, groups, axes)
    stored = pq.read_table(store.folder / POINTS)
    start = 0
    for table in _stretches(work, groups, about, store.points):
        there = stored.slice(start, len(table))
        for name in about:
            then, now = there.column(name).combine_chunks(), table.column(name).combine_chunks()
            if not then.equals(now):
                place = next(k for k in range(len(now)) if k >= len(then) or then[k] != now[k])
                told = then[place].as_py() if place < len(then) else "nothing"
                raise UserError(name, now[place].as_py(), f"{told} at point {start + place}, as in {store.folder}")
        start += len(table)


def _stretches(work: Work, groups: Groups, about: dict[str, dict[str, str]], points: int) -> Iterator[pa.Table]:
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
    fields = [pa.field(name, pa.array(column).type, metadata=about[name]) for name, column in columns.items()]
    return pa.Table.from_arrays([pa.array(column) for column in columns.values()], schema=pa.schema(fields))


def _labelled(labels: list[str], arms: Any) -> pa.Array:
    return pa.array(labels).take(pa.array(arms))
