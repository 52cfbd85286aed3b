"""Shards of a sweep, made apart with `study.shard`, joined in one store: their parts side by side, none made again."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sim.experiment.command import Request
from sim.experiment.io import disk_problem
from sim.experiment.result_dir import COPY, DECIDING_LIBRARIES, whole_folder
from sim.experiment.sweep.configs import ABSENT, check_same
from sim.experiment.sweep.design import width
from sim.experiment.sweep.store import CHOSEN, CONFIG, PARTS_FOLDER, POINTS, Store, part_digest, read_points
from sim.model.validation import UserError

KEY: Final = "merge.folders"
APART: Final = ("study.shard", "output.", "engine.")
"""How keys begin that say how and where a shard was made, and nothing of the sweep."""


def join(shards: Sequence[Store], into: Path) -> Store:
    """Put the parts of shards into one new store, whole or not at all; what is missing then is missing there too.

    Args:
        shards: stores of one sweep; parts that several have must be the same to the bit.
        into: a folder that appears when all is there.

    Raises:
        UserError: they are not of one sweep, a part is damaged or differs, or the disk does not take it.
        DamagedPart: the points of one cannot be read.
    """
    first = shards[0]
    parts: dict[int, Path] = {}
    for one in shards:
        _check_fits(one, first)
        for number, path in one.finished().items():
            kept = parts.setdefault(number, path)
            if kept.name != path.name:
                raise UserError(KEY, one.folder, f"part {number} as {kept.parent.parent} has it; theirs differ")
    overrides = [one for one in first.manifest["overrides"] if not one.lstrip("+").startswith(APART)]
    config_dir = first.manifest["config_dir"]
    command = Request(first.manifest["verb"], tuple(overrides), None if config_dir is None else Path(config_dir))
    try:
        with whole_folder(into) as aside:
            (aside / PARTS_FOLDER).mkdir()
            copies = [path for path in first.folder.iterdir() if path.name.startswith(COPY)]
            for path in (*copies, *(first.folder / name for name in (POINTS, CHOSEN, CONFIG))):
                if path.is_file():
                    shutil.copyfile(path, aside / path.name)
            for path in parts.values():
                shutil.copyfile(path, aside / PARTS_FOLDER / path.name)
            Store(aside, first.manifest).save(
                overrides=overrides, command=command.command, finished=None,
                began=min(one.manifest["began"] for one in shards),
            )  # fmt: skip
    except OSError as problem:
        raise disk_problem(into, problem) from None
    return Store(into, first.manifest)


def _check_fits(one: Store, first: Store) -> None:
    """Refuse a store of another sweep than the first, one that is damaged, and one with parts of others."""
    check_same(first.manifest["identity"], one.manifest["identity"], first.folder, "; it is another sweep")
    for key in ("points_digest", "parts", "columns"):
        if one.manifest[key] != first.manifest[key]:
            raise UserError(KEY, one.folder, f"{key} as in {first.folder}: as many points and runs of the same design")
    for name in DECIDING_LIBRARIES:
        here, there = (store.manifest["versions"].get(name, ABSENT) for store in (one, first))
        if here != there:
            raise UserError(KEY, one.folder, f"{name} {there}, as in {first.folder}; this shard has {here}")
    if damaged := one.damaged():
        again = f"whole parts; {damaged[0].name} is damaged, {one.manifest['command']} makes it anew"
        raise UserError(KEY, one.folder, again)
    points = read_points(one)
    one.check_parts(lambda part: part_digest(points.slice(part.points[0], width(part.points)), part))
