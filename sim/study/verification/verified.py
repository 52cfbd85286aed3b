"""What came of verifying a folder, and the two ways of doing it: made again whole, or lived again part by part.

The folder may come from anywhere: nothing in it is run or followed that its user has not said to trust.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from sim.study.folder import LARGEST_MANIFEST, MAKER, MANIFEST, malformed
from sim.study.inputs import LARGEST, checksum, read_regular, restored, size_of
from sim.study.provenance import NEUTRAL_KEYS, config_text, source_hash, versions
from sim.study.sensitivity.prepared import VERB as ANALYSIS
from sim.study.sensitivity.prepared import prepare as prepare_analysis
from sim.study.sweep.lock import LOCK
from sim.study.sweep.plan import Part
from sim.study.sweep.points import check_points
from sim.study.sweep.prepared import Sweep, prepare
from sim.study.sweep.settings import MOST_POINTS
from sim.study.sweep.store import CHOSEN, CONFIG, PARTS_FOLDER, POINTS, Store, whole
from sim.study.sweep.store import VERB as SWEEP
from sim.study.sweep.work import Rows, Work, live
from sim.study.verification.difference import PICTURES, array_difference, difference
from sim.world.errors import UserError
from sim.world.scenario import MOST_RUNS

TIMINGS = "bench"
"""The verb whose results no machine gives twice."""

VERBS: Final = (
    "run", "replay", "facts", "parameters", "scenarios", "explain", "compare", "report", "sweep", "discover",
    "calibrate",
)  # fmt: skip
"""Verbs that leave results; no other is ever carried out to verify a folder."""


@dataclass(frozen=True)
class Verified:
    """A folder verified.

    `compared` counts the files, `first` tells the first difference of results, `pictures` names those drawn otherwise,
    `elsewhere` what made it that is not what is here, `others` files that lie there and were not compared.
    """

    compared: int
    first: str | None
    pictures: tuple[str, ...]
    elsewhere: tuple[str, ...]
    others: tuple[str, ...] = ()


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a folder to verify, every entry of which is what it has to be.

    Raises:
        UserError: it is no finished result, says something that no result says, or is one of timings.
    """
    try:
        manifest = json.loads(read_regular(folder / MANIFEST, LARGEST_MANIFEST))
    except (OSError, ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("made_by") != MAKER:
        raise UserError("verify", folder, f"a folder that lull made, with its {MANIFEST}")
    if (key := malformed(manifest)) is not None:
        raise UserError("verify", folder, f"a {MANIFEST} as lull writes it; its {key} cannot be used")
    if manifest["verb"] == TIMINGS:
        raise UserError("verify", folder, "a folder of results; timings differ each time")
    if manifest["verb"] not in VERBS:
        raise UserError("verify", folder, f"results of one of {', '.join(VERBS)}; its verb is {manifest['verb']}")
    if manifest["verb"] == SWEEP and (key := _malformed_sweep(manifest)) is not None:
        raise UserError("verify", folder, f"a {MANIFEST} as lull writes it; its {key} cannot be used")
    return manifest


def _malformed_sweep(manifest: dict[str, Any]) -> str | None:
    for key, most in (("points", MOST_POINTS), ("runs", MOST_RUNS)):
        if not isinstance(manifest.get(key), int) or not 1 <= manifest[key] <= most:
            return key
    if not isinstance(manifest.get("points_digest"), str):
        return "points_digest"
    parts = manifest.get("parts")
    if not isinstance(parts, list) or not all(_is_part(one, manifest["points"]) for one in parts):
        return "parts"
    return None


def _is_part(part: Any, points: int) -> bool:
    """Whether this is the points and the runs of a part, each from the first to before the last."""
    return (
        isinstance(part, list)
        and len(part) == 2
        and all(isinstance(span, list) and len(span) == 2 for span in part)
        and all(isinstance(one, int) for span in part for one in span)
        and 0 <= part[0][0] < part[0][1] <= points
        and 0 <= part[1][0] < part[1][1] <= MOST_RUNS
    )


def made_elsewhere(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Sources and versions that made it and are not those that are here."""
    made, here = manifest["versions"], versions()
    told = [
        f"{name} {made.get(name)}, here {here.get(name)}"
        for name in {**made, **here}
        if made.get(name) != here.get(name)
    ]
    if manifest["source_hash"] != source_hash():
        told.insert(0, f"sources {manifest['source_hash']}, here {source_hash()}")
    return tuple(told)


def verify_folder(folder: Path, again: Path) -> Verified:
    """Compare a folder with the same made again in another place: what is listed, what was made, what lies there."""
    manifest = manifest_of(folder)
    listed = manifest["files"]
    names = sorted({*listed, *_names(folder), *_names(again)}, key=_first_what_decides)
    told: list[str] = []
    pictures: list[str] = []
    for name in names:
        if name not in listed:
            told.append(f"{name}: not in the manifest")
        elif altered := _altered(folder / name, listed[name]):
            told.append(f"{name}: {altered}")
        elif not (again / name).is_file():
            told.append(f"{name}: not made again")
        elif (found := difference(folder / name, again / name)) is None:
            continue
        elif Path(name).suffix in PICTURES:
            pictures.append(name)
        else:
            told.append(f"{name}, {found}")
    return Verified(len(names), told[0] if told else None, tuple(pictures), made_elsewhere(manifest))


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {MANIFEST}


def _first_what_decides(name: str) -> tuple[int, str]:
    order = (".yaml", ".nc", ".parquet", ".csv", ".json")
    suffix = Path(name).suffix
    return (order.index(suffix) if suffix in order else len(order), name)


def _altered(path: Path, once: dict[str, Any]) -> str | None:
    """Whether a file is still the one that was written."""
    try:
        same = size_of(path) == once["bytes"] and checksum(path) == once["sha256"]
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
    manifest = manifest_of(folder)
    store = Store(folder, manifest)
    with TemporaryDirectory(prefix="lull-verify-") as scratch:
        request = restored(manifest, folder, Path(scratch).resolve(), folder, trust)
        sweep = prepare_analysis(request).sweep if _is_analysis(manifest) else prepare(request)
    _check_regular(folder)
    parts, files = _parts_of(store), store.finished()
    told = [*_points_difference(store, sweep), *_configuration_difference(store, sweep)]
    kept = {path.name for number, path in files.items() if number < len(parts)}
    told += [f"{PARTS_FOLDER}/{name}: not in the manifest" for name in sorted(_names(folder / PARTS_FOLDER) - kept)]
    for part in parts if not told else ():
        there = files.get(part.number)
        if there is None or not whole(there):
            told.append(f"part {part.number}: {'missing' if there is None else 'altered after it was made'}")
        elif (found := _part_difference(there, part, sweep.work, threads, progress)) is not None:
            told.append(f"{there.name}, {found}")
    ours = {LOCK, POINTS, CHOSEN, CONFIG, PARTS_FOLDER, *(one["copy"] for one in manifest.get("inputs", []))}
    others = tuple(sorted(_names(folder) - ours))
    return Verified(len(parts), told[0] if told else None, (), made_elsewhere(manifest), others)


def _is_analysis(manifest: dict[str, Any]) -> bool:
    return manifest["command"].split()[1:2] == [ANALYSIS]


def _check_regular(folder: Path) -> None:
    """Refuse a sweep with a link or a device where a file belongs: reading one may never end.

    Raises:
        UserError: there is one, or there are no parts.
    """
    try:
        paths = [folder / name for name in (POINTS, CHOSEN, CONFIG)], (folder / PARTS_FOLDER).iterdir()
        for path in (one for some in paths for one in some):
            if path.is_symlink() or path.exists():
                size_of(path)
    except OSError as problem:
        raise UserError("verify", folder, f"a sweep of files that can be read ({problem})") from None


def _parts_of(store: Store) -> tuple[Part, ...]:
    try:
        return store.parts
    except (OSError, ValueError, KeyError, pa.ArrowException):
        raise UserError("verify", store.folder, f"a sweep whose {CHOSEN} can be read") from None


def _points_difference(store: Store, sweep: Sweep) -> list[str]:
    """Where the points are not those that the command makes, or no longer those that were written."""
    if store.points != sweep.work.points:
        return [f"{store.points} points, made again {sweep.work.points}"]
    try:
        return [] if check_points(sweep.work, sweep.groups, store) else [f"{POINTS}: altered after it was made"]
    except UserError as other:
        return [f"{POINTS}, {other}"]


def _configuration_difference(store: Store, sweep: Sweep) -> list[str]:
    """Where the configuration is not the one that the command makes; it may have asked for fewer runs at first."""
    try:
        trees = [
            yaml.safe_load(read_regular(store.folder / CONFIG, LARGEST)),
            yaml.safe_load(config_text(sweep.config)),
        ]
        now, made = ({key: one for key, one in tree.items() if key not in (*NEUTRAL_KEYS, "study")} for tree in trees)
    except (OSError, ValueError, AttributeError, RecursionError, yaml.YAMLError):
        return [f"{CONFIG}: no configuration that can be read"]
    return [f"{CONFIG}, {key}: not as made again" for key in {**made, **now} if made.get(key) != now.get(key)]


def _part_difference(
    path: Path, part: Part, work: Work, threads: int, progress: Callable[[int], None] | None
) -> str | None:
    """Where the histories of a part are not those that are made again."""
    batches = list(part.batches())
    try:
        table = pq.ParquetFile(path)
        if table.metadata.num_rows != part.rows or table.metadata.num_row_groups != len(batches):
            return f"{table.metadata.num_rows} rows, made again {part.rows}"
        groups = (table.read_row_group(number) for number in range(len(batches)))
        for batch, group in zip(batches, groups, strict=True):
            if (found := _rows_difference(group, live(work, batch, threads, progress))) is not None:
                return found
    except (OSError, KeyError, pa.ArrowException):
        return "no table of histories"
    return None


def _rows_difference(table: Any, made: Rows) -> str | None:
    for name, values in made.items():
        found = array_difference(np.asarray(table[name]), values)
        if found is not None:
            return f"{name}{found}"
    return next((f"{name}: new in the folder" for name in table.column_names if name not in made), None)
