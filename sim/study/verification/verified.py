"""What came of verifying a folder, and the two ways of doing it: made again whole, or lived again part by part."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sim.study.folder import MANIFEST, described, read_manifest
from sim.study.provenance import source_hash, versions
from sim.study.request import Request
from sim.study.sensitivity.prepared import VERB as ANALYSIS
from sim.study.sensitivity.prepared import prepare as prepare_analysis
from sim.study.sweep.prepared import prepare
from sim.study.sweep.store import read_store, whole
from sim.study.sweep.work import Rows, live
from sim.study.verification.difference import PICTURES, array_difference, difference
from sim.world.errors import UserError

TIMINGS = "bench"
"""The verb whose results no machine gives twice."""


@dataclass(frozen=True)
class Verified:
    """A folder verified.

    `compared` counts the files, `first` tells the first difference of results, `pictures` names those drawn otherwise,
    `elsewhere` what made it that is not what is here.
    """

    compared: int
    first: str | None
    pictures: tuple[str, ...]
    elsewhere: tuple[str, ...]


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a folder to verify.

    Raises:
        UserError: it is no finished result, or one of timings.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise UserError("verify", folder, f"a folder that lull made, with its {MANIFEST}")
    if manifest["verb"] == TIMINGS:
        raise UserError("verify", folder, "a folder of results; timings differ each time")
    return manifest


def asked_again(manifest: dict[str, Any], home: Path | None) -> Request:
    """The request that made a folder, for another place."""
    overrides = tuple(one for one in manifest["overrides"] if one.partition("=")[0] != "output.dir")
    folder = manifest["config_dir"]
    return Request(manifest["verb"], overrides, None if folder is None else Path(folder), home)


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
    """Compare a folder with the same made again in another place."""
    manifest = manifest_of(folder)
    names = sorted(manifest["files"], key=_first_what_decides)
    told: list[str] = []
    pictures: list[str] = []
    for name in names:
        altered = _altered(folder / name, manifest["files"][name])
        if altered:
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


def _first_what_decides(name: str) -> tuple[int, str]:
    order = (".yaml", ".nc", ".parquet", ".csv", ".json")
    suffix = Path(name).suffix
    return (order.index(suffix) if suffix in order else len(order), name)


def _altered(path: Path, once: dict[str, Any]) -> str | None:
    """Whether a file is still the one that was written."""
    try:
        now = described(path)
    except OSError:
        return "missing"
    return None if now["sha256"] == once["sha256"] else "altered after it was made"


def verify_sweep(folder: Path, threads: int = 0, progress: Callable[[int], None] | None = None) -> Verified:
    """Live every history of a sweep again and compare it with the part that holds it; nothing is written.

    Raises:
        UserError: there is no sweep, or what its manifest asks for cannot be used.
    """
    manifest = manifest_of(folder)
    store = read_store(folder)
    if store is None:
        raise UserError("verify", folder, "a folder that lull made")
    request = asked_again(manifest, folder)
    by_analysis = shlex.split(manifest["command"])[1] == ANALYSIS
    work = (prepare_analysis(request).sweep if by_analysis else prepare(request)).work
    files = store.finished()
    first: str | None = None
    for part in store.parts:
        path = files.get(part.number)
        if path is None or not whole(path):
            first = first or f"part {part.number}: {'missing' if path is None else 'altered after it was made'}"
            continue
        table = pq.ParquetFile(path)
        for group, batch in enumerate(part.batches()):
            made = live(work, batch, threads, progress)
            found = _rows_difference(table.read_row_group(group), made)
            first = first or (None if found is None else f"{path.name}, {found}")
    return Verified(len(store.parts), first, (), made_elsewhere(manifest))


def _rows_difference(table: Any, made: Rows) -> str | None:
    for name, values in made.items():
        found = array_difference(np.asarray(table[name]), values)
        if found is not None:
            return f"{name}{found}"
    return None
