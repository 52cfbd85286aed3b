"""The first difference between two files that should be the same, told by its place."""

import csv
import json
import reprlib
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import yaml

from sim.study.provenance import NEUTRAL_KEYS

PROVENANCE: Final = frozenset({"source_hash", "versions"})
"""What may differ without the result differing; it is told apart."""

MORE: Final = 10
LEAST: Final = 100_000
"""A file that is so many times larger than the one made again, and more than that many bytes, is not looked into."""

PICTURES: Final = (".png", ".svg", ".pdf", ".html")


def difference(one: Path, other: Path) -> str | None:
    """Where `other` first differs from `one`, with both values; None where it does not."""
    if one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes():
        return None
    if one.stat().st_size > MORE * (other.stat().st_size + LEAST):
        return f"{one.stat().st_size} bytes, made again {other.stat().st_size}"
    try:
        return _BY_SUFFIX.get(one.suffix, _of_lines)(one, other)
    except Exception as problem:  # whatever a reader of the format makes of bytes that are not of that format
        return f"cannot be read as {one.suffix} ({type(problem).__name__})"


def _of_datasets(one: Path, other: Path) -> str | None:
    import xarray as xr

    with xr.open_dataset(one, engine="h5netcdf") as a, xr.open_dataset(other, engine="h5netcdf") as b:
        said = next(_of_trees(_words(a.attrs), _words(b.attrs)), None)
        return said or _of_columns(a.variables, b.variables)


def _of_frames(one: Path, other: Path) -> str | None:
    import pyarrow.parquet as pq

    tables = [pq.read_table(path) for path in (one, other)]
    return _of_columns(*({name: table[name].to_numpy() for name in table.column_names} for table in tables))


def _of_columns(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> str | None:
    for name in one:
        if name not in other:
            return f"{name}: missing when made again"
        found = array_difference(np.asarray(one[name]), np.asarray(other[name]))
        if found is not None:
            return f"{name}{found}"
    return next((f"{name}: new when made again" for name in other if name not in one), None)


def array_difference(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> str | None:
    """Where two arrays first differ to the bit; not-a-number equals itself.

    >>> array_difference(np.array([1.0, np.nan, 3.0]), np.array([1.0, np.nan, 4.0]))
    '[2]: 3.0, made again 4.0'
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        return f": {one.dtype} {one.shape}, made again {other.dtype} {other.shape}"
    differs = one != other
    if one.dtype.kind == "f":
        differs = (differs | (np.signbit(one) != np.signbit(other))) & ~(np.isnan(one) & np.isnan(other))
    if not differs.any():
        return None
    place = tuple(int(i) for i in np.argwhere(differs)[0]) if one.ndim else ()
    where = f"[{', '.join(map(str, place))}]" if place else ""
    return f"{where}: {one[place]}, made again {other[place]}"


def _words(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value.tolist() if hasattr(value, "tolist") else value for key, value in attributes.items()}


def _of_json(one: Path, other: Path) -> str | None:
    return next(_of_trees(*(json.loads(path.read_text(encoding="utf-8")) for path in (one, other))), None)


def _of_yaml(one: Path, other: Path) -> str | None:
    trees = [yaml.safe_load(path.read_bytes()) for path in (one, other)]
    for tree in trees:
        for key in NEUTRAL_KEYS:
            tree.pop(key, None)
    return next(_of_trees(*trees), None)


def _of_trees(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Differences of two trees of mappings and lists, in order."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            if key not in PROVENANCE:
                yield from _of_trees(one.get(key), other.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(one, list) and isinstance(other, list):
        for i, (a, b) in enumerate(zip_longest(one, other)):
            yield from _of_trees(a, b, f"{place}[{i}]")
    elif one != other or type(one) is not type(other):
        yield f"{place}: {_SHORT.repr(one)}, made again {_SHORT.repr(other)}"


def _of_tables(one: Path, other: Path) -> str | None:
    with one.open(encoding="utf-8", newline="") as a, other.open(encoding="utf-8", newline="") as b:
        header: list[str] = []
        for number, (left, right) in enumerate(
            zip_longest(csv.reader(a), csv.reader(b), fillvalue=list[str]()), start=1
        ):
            header = header or left
            for column, (x, y) in enumerate(zip_longest(left, right, fillvalue="(nothing)")):
                if x != y:
                    name = header[column] if column < len(header) else f"column {column + 1}"
                    return f"line {number}, {name}: {x}, made again {y}"
    return None


def _of_lines(one: Path, other: Path) -> str | None:
    texts = [path.read_bytes().decode("utf-8", errors="replace").splitlines() for path in (one, other)]
    for number, (x, y) in enumerate(zip_longest(*texts, fillvalue="(nothing)"), start=1):
        if x != y:
            return f"line {number}: {x.strip()}, made again {y.strip()}"
    return None


def _of_pictures(_: Path, __: Path) -> str:
    return "drawn otherwise"


_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200

_BY_SUFFIX: Final = {
    ".nc": _of_datasets,
    ".parquet": _of_frames,
    ".json": _of_json,
    ".yaml": _of_yaml,
    ".csv": _of_tables,
    **dict.fromkeys(PICTURES, _of_pictures),
}
"""How files are compared that are not lines of text."""
