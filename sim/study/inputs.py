"""Files of the user's that a command reads: recorded with its results; code and configuration are kept in copy.

Data stay where they lie, for they may not be the user's to pass on: their path and checksum are recorded.
"""

import hashlib
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sim.study.request import Request
from sim.world.compose import options
from sim.world.errors import UserError
from sim.world.extension.file import KEY as EXTENSIONS
from sim.world.overrides import parsed_override
from sim.world.schema import GROUPS

CONFIG_DIR: Final = "--config-dir"
DATA: Final = "data"
IN_PLACE: Final = (DATA, "study.table", "study.policies")
"""Keys that name files of data."""

COPY: Final = "input-"
"""How the names of copies begin."""
LARGEST: Final = 10_000_000
"""Bytes of a file of code or configuration."""
PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""Names of files in a folder of results: no path, no hidden file."""


def key_of(override: str) -> str:
    """The key of an override, without the signs that add or delete it.

    >>> key_of("++output.dir=x")
    'output.dir'
    """
    return override.partition("=")[0].strip(" +~")


def files_named(overrides: Sequence[str]) -> list[tuple[str, str]]:
    """The keys of overrides that name files, with the files as written.

    >>> files_named(["extensions=[a.py,'b.py']", "data='my counts.csv'", "seed=3"])
    [('extensions', 'a.py'), ('extensions', 'b.py'), ('data', 'my counts.csv')]

    Raises:
        UserError: one of them cannot be read.
    """
    return [(key, path) for text in overrides for key, path in _named(text) if key in (EXTENSIONS, *IN_PLACE)]


def _named(text: str) -> Iterator[tuple[str, str]]:
    key = key_of(text)
    if key == DATA:
        yield key, text.partition("=")[2].strip("'\"")
    elif key.partition(".")[0] in (EXTENSIONS, "study"):
        value = parsed_override(text).value()
        inside = {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {key: value}
        for name, one in inside.items():
            yield from (
                (str(name), each) for each in (one if isinstance(one, list) else [one]) if isinstance(each, str)
            )


def recorded(request: Request, folder: Path) -> list[dict[str, Any]]:
    """What a manifest says of the files that a command read; copies of code and configuration go into the folder."""
    records: list[dict[str, Any]] = []
    for key, path, name in _read(request):
        copy = None
        if key in (EXTENSIONS, CONFIG_DIR):
            copy = f"{COPY}{len(records) + 1}-{re.sub(r'[^A-Za-z0-9._-]', '_', path.name)[-100:]}"
            (folder / copy).write_bytes(path.read_bytes())
        about = {"key": key, "name": name, "path": str(path.resolve()), "copy": copy}
        records.append(about | {"sha256": checksum(path)})
    return records


def _read(request: Request) -> Iterator[tuple[str, Path, str]]:
    """Keys, files, and the names by which the command knows them."""
    named = [(key, Path(path), path) for key, path in files_named(request.overrides)]
    yield from (one for one in named if one[1].is_file())
    if request.config_dir is not None:
        for group in GROUPS:
            for name, path in options(group, (request.config_dir,)).items():
                yield CONFIG_DIR, path, f"{group}/{name}.yaml"


def is_records(value: object) -> bool:
    """Whether this is what `recorded` returns, with names that lead nowhere else."""
    return isinstance(value, list) and all(isinstance(one, dict) and _is_record(one) for one in value)


def _is_record(one: Mapping[str, Any]) -> bool:
    texts = [one.get(name) for name in ("key", "name", "path", "sha256")]
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        return False
    if one["key"] in IN_PLACE:
        return one.get("copy") is None
    inside = PurePosixPath(one["name"])
    leads_in = not inside.is_absolute() and ".." not in inside.parts and "\\" not in one["name"]
    copied = isinstance(one.get("copy"), str) and PLAIN.fullmatch(one["copy"]) is not None
    return copied and (one["key"] == EXTENSIONS or (one["key"] == CONFIG_DIR and leads_in and inside.suffix == ".yaml"))


def restored(manifest: Mapping[str, Any], folder: Path, scratch: Path, home: Path | None, trust: bool) -> Request:
    """The command that made a folder, for another place; what it reads is what the folder keeps, and nothing else.

    Args:
        manifest: that of the folder.
        folder: where the copies of code and configuration are.
        scratch: where they are laid out again.
        home: where the results go.
        trust: whether the user trusts the files.

    Raises:
        UserError: files are needed and not trusted, or they are not those that were recorded.
    """
    overrides = [one for one in manifest["overrides"] if key_of(one).partition(".")[0] not in ("output", "engine")]
    named = files_named(overrides)
    used = [key for key, _ in named] + [CONFIG_DIR] * (manifest["config_dir"] is not None)
    if manifest["verb"] == "discover":
        if all(key_of(one).startswith("discover.") for one in overrides):
            used.append("discover.sweep")
        else:
            overrides = [one for one in overrides if key_of(one) != "discover.sweep"]
            overrides.append(f"discover.sweep={scratch / 'sweep'}")
    if not used:
        return Request(manifest["verb"], tuple(overrides), None, home)
    if not trust:
        what = ", ".join(dict.fromkeys(used))
        raise UserError("trust", False, f"true, once you have read the files that this folder was made with ({what})")
    config_dir = None if manifest["config_dir"] is None else scratch / "config"
    found: dict[tuple[str, str], Path] = {}
    for number, one in enumerate(manifest.get("inputs", [])):
        kept = Path(one["path"]) if one["copy"] is None else folder / one["copy"]
        place = kept
        if one["copy"] is not None:
            place = scratch / (
                f"config/{one['name']}" if one["key"] == CONFIG_DIR else f"{number}/{Path(one['name']).name}"
            )
        _lay_out(kept, one, place)
        found[one["key"], one["name"]] = place
    if config_dir is not None:
        config_dir.mkdir(parents=True, exist_ok=True)
    if missing := [name for name in named if name not in found]:
        raise UserError("verify", folder, f"a folder that records the {missing[0][0]} that it was made with")
    return Request(manifest["verb"], tuple(_with_files(overrides, found)), config_dir, home)


def _lay_out(kept: Path, record: Mapping[str, Any], place: Path) -> None:
    """Put a recorded file in its place, where it is still the one that was recorded."""
    allowed = "the file that was recorded with the results"
    try:
        if record["copy"] is None:
            same = checksum(kept) == record["sha256"]
        else:
            content = read_regular(kept, LARGEST)
            same = hashlib.sha256(content).hexdigest() == record["sha256"]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    except OSError as problem:
        raise UserError(record["key"], record["name"], f"{allowed} ({problem.strerror or problem})") from None
    if not same:
        raise UserError(record["key"], record["name"], f"{allowed}; this one is another")


def _with_files(overrides: Sequence[str], found: Mapping[tuple[str, str], Path]) -> Iterator[str]:
    """The overrides with the files where they are now."""
    from sim.study.sweep.axes import spelled

    for text in overrides:
        key = key_of(text)
        places = [str(found[one]) for one in files_named([text])]
        if not places:
            yield text
        elif key == EXTENSIONS:
            yield f"{key}={spelled(places)}"
        elif key in IN_PLACE:
            yield f"{key}={spelled(places[0])}"
        else:
            raise UserError(key, text.partition("=")[2], "keys that name their files one by one")


def read_regular(path: Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes; no link is followed, and no device is read.

    Raises:
        OSError: there is none.
    """
    if size_of(path) > most:
        raise OSError(f"{path.name} has more than {most} bytes")
    return path.read_bytes()


def size_of(path: Path) -> int:
    """Bytes of a regular file.

    Raises:
        OSError: there is none; a link or a device is none.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path.name} is no regular file")
    return found.st_size


def checksum(path: Path) -> str:
    """SHA-256 of a file, read piece by piece.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    size_of(path.resolve())
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
