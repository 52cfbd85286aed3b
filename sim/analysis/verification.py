"""Verification of a folder of results: made again whole, or simulated again part by part; the first difference.

The folder may come from anywhere: nothing in it is run or followed that its user has not said to trust.
"""

import csv
import json
import reprlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from sim.analysis.forecast.event_filters import OPTIONAL
from sim.analysis.sensitivity.sensitivity_run import VERB as ANALYSIS
from sim.analysis.sensitivity.sensitivity_run import prepare as prepare_analysis
from sim.experiment.command import Request
from sim.experiment.io import LOCK, WRITER, read_mapping, read_regular, sha256, size_of
from sim.experiment.options import OutputOptions
from sim.experiment.result_dir import (
    LARGEST,
    LARGEST_MANIFEST,
    MAKER,
    MANIFEST,
    NEUTRAL_KEYS,
    config_text,
    malformed,
    names_in,
    restored,
    source_hash,
    versions,
)
from sim.experiment.sweep.design import MOST_POINTS, Part
from sim.experiment.sweep.merging import KEY as MERGED
from sim.experiment.sweep.store import CHOSEN, CONFIG, PARTS_FOLDER, POINTS, Store, values_of, whole
from sim.experiment.sweep.store import VERB as SWEEP
from sim.model.aliases import current_column, current_file, current_tree
from sim.model.scenario import MOST_RUNS
from sim.model.validation import UserError

if TYPE_CHECKING:
    from sim.experiment.sweep.run_sweep import Sweep
    from sim.experiment.sweep.worker import Work

PROVENANCE: Final = frozenset({"source_hash", "versions"})
"""What may differ without the result differing; it is reported separately."""

MORE: Final = 10
LEAST: Final = 100_000
"""A file that is so many times larger than the one made again, and more than that many bytes, is not looked into."""

CONFIGURATION: Final = "configuration"
"""The attribute of a dataset that holds the configuration as YAML."""

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
    first, second = (
        {name: values_of(table[name]) for name in table.column_names} for table in map(pq.read_table, (one, other))
    )
    return _of_columns(first, second)


def _present(name: Any, known: Collection[Any]) -> Any:
    """The name that a column, key or file of an older release has among those that are known."""
    if name in known or not isinstance(name, str):
        return name
    found = [one for one in (current_column(name), current_file(name)) if one in known]
    return found[0] if found else name


def _named_now(one: Mapping[Any, Any], known: Collection[Any]) -> dict[Any, Any]:
    return {_present(name, known): value for name, value in one.items()}


def _of_columns(one: Mapping[Any, Any], other: Mapping[Any, Any], alone: str = "missing when made again") -> str | None:
    """Where columns first differ; `alone` is said of one that `other` lacks."""
    one = _named_now(one, other)
    for name in one:
        if name not in other:
            return f"{name}: {alone}"
        found = array_difference(_values_now(one[name], other[name]), np.asarray(other[name]))
        if found is not None:
            return f"{name}{found}"
    return next((f"{name}: new when made again" for name in other if name not in one), None)


def _values_now(one: Any, other: Any) -> npt.NDArray[Any]:
    """The values of a column; names of outcomes as they are called now where the other has them so."""
    values, known = np.asarray(one), np.asarray(other)
    if values.dtype.kind not in "OU" or values.shape != known.shape or not values.ndim:
        return values
    return np.array([_present(a, (b,)) for a, b in zip(values.flat, known.flat, strict=True)], known.dtype).reshape(
        values.shape
    )


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
    found = {str(key): value.tolist() if hasattr(value, "tolist") else value for key, value in attributes.items()}
    if isinstance(tree := yaml.safe_load(found.get(CONFIGURATION, "")), dict):
        found[CONFIGURATION] = _present_tree(tree)
    return found


def _of_json(one: Path, other: Path) -> str | None:
    return next(_of_trees(*(json.loads(path.read_text(encoding="utf-8")) for path in (one, other))), None)


def _of_yaml(one: Path, other: Path) -> str | None:
    trees = [yaml.safe_load(path.read_bytes()) for path in (one, other)]
    now, made = ({key: value for key, value in tree.items() if key not in NEUTRAL_KEYS} for tree in trees)
    return next(_of_trees(_present_tree(now), made), None)


def _present_tree(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration under present names, with the filters that it could not name yet."""
    found = current_tree(tree)
    return {**found, "filters": {**OPTIONAL, **found["filters"]}} if "filters" in found else found


def _of_trees(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Differences of two trees of mappings and lists, in order."""
    if isinstance(one, dict) and isinstance(other, dict):
        one = _named_now(one, other)
        for key in [*one, *(key for key in other if key not in one)]:
            if key not in PROVENANCE:
                yield from _of_trees(one.get(key), other.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(one, list) and isinstance(other, list):
        for i, (a, b) in enumerate(zip_longest(one, other)):
            yield from _of_trees(a, b, f"{place}[{i}]")
    elif (one := _present(one, (other,))) != other or type(one) is not type(other):
        yield f"{place}: {_SHORT.repr(one)}, made again {_SHORT.repr(other)}"


def _of_tables(one: Path, other: Path) -> str | None:
    with one.open(encoding="utf-8", newline="") as a, other.open(encoding="utf-8", newline="") as b:
        header: list[str] = []
        for number, (left, right) in enumerate(
            zip_longest(csv.reader(a), csv.reader(b), fillvalue=list[str]()), start=1
        ):
            if not header:
                header = left = [_present(name, right) for name in left]
            for column, (x, y) in enumerate(zip_longest(left, right, fillvalue="(nothing)")):
                if _present(x, (y,)) != y:
                    name = header[column] if column < len(header) else f"column {column + 1}"
                    return f"line {number}, {name}: {x}, made again {y}"
    return None


def _of_lines(one: Path, other: Path) -> str | None:
    texts = [path.read_bytes().decode("utf-8", errors="replace").splitlines() for path in (one, other)]
    for number, (x, y) in enumerate(zip_longest(*texts, fillvalue="(nothing)"), start=1):
        if x != y:
            return f"line {number}: {x.strip()}, made again {y.strip()}"
    return None


_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200

_BY_SUFFIX: Final = {
    ".nc": _of_datasets,
    ".parquet": _of_frames,
    ".json": _of_json,
    ".yaml": _of_yaml,
    ".csv": _of_tables,
    **dict.fromkeys(PICTURES, lambda one, other: "drawn otherwise"),
}
"""How files are compared that are not lines of text."""


VERBS: Final = (
    "run", "replay", "facts", "parameters", "scenarios", "events", "explain", "diff", "compare", "report", "sweep",
    "discover", "calibrate", "forecast", "data", "case", "watch", "optimise",
)  # fmt: skip
"""Verbs that leave results; no other is ever carried out to verify a folder."""


@dataclass(frozen=True)
class Verified:
    """A folder verified.

    `compared` counts the files, `first` is the first difference of results, `pictures` names those drawn otherwise,
    `elsewhere` what made it that is not what is here, `others` files that lie there and were not compared.
    """

    compared: int
    first: str | None
    pictures: tuple[str, ...]
    elsewhere: tuple[str, ...]
    others: tuple[str, ...] = ()


def asked_for(folder: Path | None, rest: Request) -> tuple[Path, dict[str, Any]]:
    """The folder that a command asks to verify, and its manifest; `rest` is the command without its options."""
    if folder is None or rest.overrides:
        raise UserError("verify", " ".join(rest.overrides) or "(missing)", "one folder that lull made")
    return folder.resolve(), manifest_of(folder.resolve())


def shards_of(folders: Sequence[Path | str], rest: Request) -> list[Store]:
    """The stores that a command asks to merge; `rest` is the command without its options."""
    given, others = OutputOptions.split(rest.overrides)
    if others or rest.config_dir is not None or OutputOptions.read(given).overwrite:
        raise UserError(MERGED, " ".join((*given.values(), *others)), "folders of shards, and output.dir")
    places = list(dict.fromkeys(Path(one).resolve() for one in folders))
    if len(places) < 2:
        raise UserError(MERGED, ", ".join(map(str, folders)) or "(missing)", "two folders of shards or more")
    shards = [Store(place, manifest_of(place)) for place in places]
    for one in shards:
        if one.manifest["verb"] != SWEEP or one.manifest["command"].split()[1:2] != [SWEEP]:
            raise UserError(MERGED, one.folder, "the folder of a sweep")
    return shards


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a folder to verify, every entry of which is what it has to be."""
    manifest = read_mapping(folder / MANIFEST, LARGEST_MANIFEST)
    if manifest is None or manifest.get("made_by") != MAKER:
        raise UserError("verify", folder, f"a folder that lull made, with its {MANIFEST}")
    if (key := malformed(manifest)) is not None:
        raise UserError("verify", folder, f"a {MANIFEST} as lull writes it; its {key} cannot be used")
    if manifest["verb"] == "bench":
        raise UserError("verify", folder, "a folder of results; timings differ each time")
    if manifest["verb"] not in VERBS:
        raise UserError("verify", folder, f"results of one of {', '.join(VERBS)}; its verb is {manifest['verb']}")
    if manifest["verb"] == SWEEP and (key := _malformed_sweep(manifest)) is not None:
        raise UserError("verify", folder, f"a {MANIFEST} as lull writes it; its {key} cannot be used")
    return manifest


def _malformed_sweep(manifest: dict[str, Any]) -> str | None:
    points, parts = manifest.get("points"), manifest.get("parts")
    fits = {
        "points": isinstance(points, int) and 1 <= points <= MOST_POINTS,
        "runs": isinstance(manifest.get("runs"), int) and 1 <= manifest["runs"] <= MOST_RUNS,
        "points_digest": isinstance(manifest.get("points_digest"), str),
        "parts": isinstance(points, int) and isinstance(parts, list) and all(_is_part(one, points) for one in parts),
    }
    return next((key for key, fit in fits.items() if not fit), None)


def _is_part(part: Any, points: int) -> bool:
    """Whether this is the points and the runs of a part, each from the first to before the last."""
    return (
        isinstance(part, list)
        and len(part) == 2
        and all(isinstance(span, list) and len(span) == 2 for span in part)
        and all(isinstance(one, int) for span in part for one in span)
        and all(0 <= first < last <= most for (first, last), most in zip(part, (points, MOST_RUNS), strict=True))
    )


def made_elsewhere(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Sources and versions that made it and are not those that are here."""
    made, here = manifest["versions"], versions()
    made, here = {"sources": manifest["source_hash"], **made}, {"sources": source_hash(), **here}
    names = [name for name in {**made, **here} if made.get(name) != here.get(name)]
    return tuple(f"{name} {made.get(name)}, here {here.get(name)}" for name in names)


def verify_folder(folder: Path, again: Path) -> Verified:
    """Compare a folder with the same made again in another place: what is listed, what was made, what lies there."""
    manifest = manifest_of(folder)
    listed = manifest["files"]
    made = names_in(again) - {MANIFEST}
    known = {*listed, *names_in(folder)} - {MANIFEST}
    names = sorted({*known, *(made - {_present(name, made) for name in known})}, key=_first_what_decides)
    differences: list[str] = []
    pictures: list[str] = []
    for name in names:
        if name not in listed:
            differences.append(f"{name}: not in the manifest")
        elif altered := _altered(folder, name, listed[name]):
            differences.append(f"{name}: {altered}")
        elif not (there := again / _present(name, made)).is_file():
            differences.append(f"{name}: not made again")
        elif (found := difference(folder / name, there)) is None:
            continue
        elif Path(name).suffix in PICTURES:
            pictures.append(name)
        else:
            differences.append(f"{name}, {found}")
    return Verified(len(names), differences[0] if differences else None, tuple(pictures), made_elsewhere(manifest))


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {MANIFEST}


def _first_what_decides(name: str) -> tuple[int, str]:
    order = (".yaml", ".nc", ".parquet", ".csv", ".json")
    suffix = Path(name).suffix
    return (order.index(suffix) if suffix in order else len(order), name)


def _altered(folder: Path, name: str, once: dict[str, Any]) -> str | None:
    """Whether a file is still the one that was written."""
    path = folder / name
    try:
        inside = path.parent.resolve().is_relative_to(folder.resolve())  # a folder within it may be a link elsewhere
        same = inside and size_of(path) == once["bytes"] and sha256(path) == once["sha256"]
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "no file that can be read"
    return None if same else "altered after it was made"


def verify_sweep(
    folder: Path, trust: bool = False, threads: int = 0, progress: Callable[[int], None] | None = None
) -> Verified:
    """Live every history of a sweep again and compare it with the part that holds it; nothing is written there.

    What is worked out from the histories, such as `by_point.csv`, is named as not compared.

    Raises:
        UserError: there is no sweep, or what its manifest asks for cannot be used.
    """
    from sim.experiment.sweep.run_sweep import prepare

    manifest = manifest_of(folder)
    store = Store(folder, manifest)
    with TemporaryDirectory(prefix="lull-verify-") as scratch:
        request = restored(manifest, folder, Path(scratch).resolve(), folder, trust)
        analysis = manifest["command"].split()[1:2] == [ANALYSIS]
        sweep = prepare_analysis(request).sweep if analysis else prepare(request)
    _check_regular(folder)
    try:
        parts = store.parts
    except (OSError, ValueError, KeyError, pa.ArrowException):
        raise UserError("verify", store.folder, f"a sweep whose {CHOSEN} can be read") from None
    files = store.finished()
    differences = [*_points_difference(store, sweep), *_configuration_difference(store, sweep)]
    kept = {path.name for number, path in files.items() if number < len(parts)}
    differences += [
        f"{PARTS_FOLDER}/{name}: not in the manifest" for name in sorted(_names(folder / PARTS_FOLDER) - kept)
    ]
    for part in parts if not differences else ():
        there = files.get(part.number)
        if there is None or not whole(there):
            differences.append(f"part {part.number}: {'missing' if there is None else 'altered after it was made'}")
        elif (found := _part_difference(there, part, sweep.work, threads, progress)) is not None:
            differences.append(f"{there.name}, {found}")
    ours = {LOCK, WRITER, POINTS, CHOSEN, CONFIG, PARTS_FOLDER, *(one["copy"] for one in manifest.get("inputs", []))}
    others = tuple(sorted(_names(folder) - ours))
    return Verified(len(parts), differences[0] if differences else None, (), made_elsewhere(manifest), others)


def _check_regular(folder: Path) -> None:
    """Refuse a sweep with a link or a device where a file belongs: reading one may never end."""
    try:
        for path in (folder / POINTS, folder / CHOSEN, folder / CONFIG, *(folder / PARTS_FOLDER).iterdir()):
            if path.is_symlink() or path.exists():
                size_of(path)
    except OSError as problem:
        raise UserError("verify", folder, f"a sweep of files that can be read ({problem})") from None


def _points_difference(store: Store, sweep: "Sweep") -> list[str]:
    """Where the points are not those that the command makes, or no longer those that were written."""
    from sim.experiment.sweep.worker import check_points

    if store.points != sweep.work.points:
        return [f"{store.points} points, made again {sweep.work.points}"]
    try:
        return [] if check_points(sweep.work, sweep.groups, store) else [f"{POINTS}: altered after it was made"]
    except UserError as other:
        return [f"{POINTS}, {other}"]


def _configuration_difference(store: Store, sweep: "Sweep") -> list[str]:
    """Where the configuration is not the one that the command makes; it may have asked for fewer runs at first."""
    try:
        trees = [
            current_tree(yaml.safe_load(read_regular(store.folder / CONFIG, LARGEST))),
            yaml.safe_load(config_text(sweep.config)),
        ]
        now, made = ({key: one for key, one in tree.items() if key not in (*NEUTRAL_KEYS, "study")} for tree in trees)
    except (OSError, ValueError, AttributeError, RecursionError, yaml.YAMLError):
        return [f"{CONFIG}: no configuration that can be read"]
    return [f"{CONFIG}, {key}: not as made again" for key in {**made, **now} if made.get(key) != now.get(key)]


def _part_difference(
    path: Path, part: Part, work: "Work", threads: int, progress: Callable[[int], None] | None
) -> str | None:
    """Where the histories of a part are not those that are made again."""
    from sim.experiment.sweep.worker import simulate

    batches = list(part.batches())
    try:
        table = pq.ParquetFile(path)
        if table.metadata.num_rows != part.rows or table.metadata.num_row_groups != len(batches):
            return f"{table.metadata.num_rows} rows, made again {part.rows}"
        groups = (table.read_row_group(number) for number in range(len(batches)))
        for batch, group in zip(batches, groups, strict=True):
            there = {name: values_of(group[name]) for name in group.column_names}
            if (found := _of_columns(there, simulate(work, batch, threads, progress), "new in the folder")) is not None:
                return found
    except (OSError, KeyError, pa.ArrowException):
        return "no table of histories"
    return None
