"""The folder that a verb leaves behind: complete or not at all.

Everything is written into a hidden folder beside the final one, which takes its name only when the last file is
there. What stood there before is replaced only if it is a result of the same command and holds nothing else; the result
of another command is replaced where `output.overwrite=true` says so.
"""

import csv
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sim.study.inputs import PLAIN, checksum, is_records, read_regular, recorded, size_of
from sim.study.provenance import config_text, source_hash, versions
from sim.study.request import Request
from sim.world.errors import UserError
from sim.world.scenario import Config

if TYPE_CHECKING:
    import xarray as xr

MANIFEST: Final = "manifest.json"
MAKER: Final = "lull"
FORMAT: Final = 1
"""Raised when a manifest of before can no longer be read."""
SWEEP: Final = "sweep"
SWEEP_FORMATS: Final = (1, 2)
"""Those of sweeps that can be read, the present one last: since 2 every part says of which sweep it is."""

LARGEST_MANIFEST: Final = 50_000_000
"""Bytes of a manifest that is read; that of a sweep grows with its parts."""

_SHAPE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "format": lambda value: isinstance(value, int),
    **dict.fromkeys(("verb", "command", "scenario", "began", "source_hash"), lambda value: isinstance(value, str)),
    "overrides": lambda value: (
        isinstance(value, list) and all(isinstance(one, str) and "\0" not in one for one in value)
    ),
    "config_dir": lambda value: value is None or isinstance(value, str),
    "inputs": is_records,
    "seed": lambda value: isinstance(value, int),
    "versions": lambda value: isinstance(value, dict) and all(isinstance(one, str) for one in value.values()),
    "files": lambda value: (
        isinstance(value, dict)
        and all(PLAIN.fullmatch(one) for one in value)
        and all(
            isinstance(one, dict) and isinstance(one.get("sha256"), str) and isinstance(one.get("bytes"), int)
            for one in value.values()
        )
    ),
}
"""What the manifest of any verb has to hold."""

_KEY: Final = "output.dir"


class Folder:
    """A folder of results while it is being filled; `final` is where it will be found."""

    def __init__(self, final: Path, drawn: Path) -> None:
        self.final = final
        self._drawn = drawn

    def path(self, name: str) -> Path:
        """Where to write the file of that name now."""
        return self._drawn / name

    def text(self, name: str, content: str) -> None:
        """Write a text file: UTF-8, plain line ends, on every system."""
        self.path(name).write_text(content, encoding="utf-8", newline="\n")

    def json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file. ValueError where a number is NaN or infinite: JSON has none."""
        self.text(name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def csv(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a table as CSV, one column per key of the first row; None becomes an empty cell."""
        with self.path(name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def dataset(self, name: str, data: "xr.Dataset") -> None:
        """Write a dataset as netCDF."""
        packed = {str(key): {"zlib": True, "complevel": 4} for key in data.data_vars if data[key].ndim}
        data.to_netcdf(self.path(name), engine="h5netcdf", encoding=packed)


@contextmanager
def result_folder(request: Request, config: Config, label: str = "") -> Iterator[Folder]:
    """Open the folder of one result; it appears under its name when the block ends well, and not at all otherwise.

    Args:
        request: what was asked, for the manifest.
        config: the configuration; its `output.dir` names the folder, null makes one below `outputs`.
        label: what else the name of such a folder should tell, for example the run.

    Raises:
        UserError: nothing can be written there, or something stands there that is no result of the same command.
    """
    final = _final(request, config, label)
    _check_free(final, request, config.overwrite)
    drawn, made = _draw(final)
    began = datetime.now(UTC)
    try:
        folder = Folder(final, drawn)
        yield folder
        folder.text("config.yaml", config_text(config))
        folder.json(MANIFEST, manifest(request, config, began, drawn))
        _put(drawn, final)
    except BaseException:
        shutil.rmtree(drawn, ignore_errors=True)
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


def manifest(request: Request, config: Config, began: datetime, folder: Path) -> dict[str, Any]:
    """How a folder came to be, and what lies in it: enough to make it again and compare."""
    return {
        "made_by": MAKER,
        "format": FORMAT,
        "verb": request.verb,
        "overrides": list(request.overrides),
        "config_dir": None if request.config_dir is None else str(request.config_dir.resolve()),
        "command": request.command,
        "scenario": config.scenario.name,
        "seed": config.seed,
        "runs": config.runs,
        "began": began.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - began).total_seconds(), 2),
        "source_hash": source_hash(),
        "versions": versions(),
        "inputs": recorded(request, folder),
        "files": {path.name: described(path) for path in sorted(folder.iterdir())},
    }


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder of results; None where there is none of ours, or one that says something else."""
    try:
        content = json.loads(read_regular(folder / MANIFEST, LARGEST_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    ours = isinstance(content, dict) and content.get("made_by") == MAKER
    return content if ours and malformed(content) is None else None


def malformed(manifest: Mapping[str, Any]) -> str | None:
    """The first key of a manifest that does not hold what it has to; None where all do."""
    told = {"files": {}, "inputs": [], **manifest}  # a sweep names its files otherwise; older manifests have no inputs
    known = SWEEP_FORMATS if told.get("verb") == SWEEP else (FORMAT,)
    return next(
        (key for key, fits in _SHAPE.items() if key not in told or not fits(told[key])),
        None if told.get("format") in known else "format",
    )


def described(path: Path) -> dict[str, Any]:
    """What a manifest says of a file.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    return {"bytes": size_of(path), "sha256": checksum(path)}


def _final(request: Request, config: Config, label: str) -> Path:
    if request.home is not None or config.output_dir is not None:
        return Path(os.path.realpath(request.home or config.output_dir or "."))
    parts = [request.verb, config.scenario.name.replace("/", "-"), f"seed{config.seed}", label]
    usual = Path.cwd() / "outputs" / "-".join(part for part in parts if part)
    there = read_manifest(usual)
    if there is None or config.overwrite or same_command(there, request):
        return usual
    told = json.dumps([*_deciding(request.overrides), str(request.config_dir)])
    return usual.with_name(f"{usual.name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}")


def same_command(manifest: Mapping[str, Any], request: Request) -> bool:
    """Whether a folder was made by the same command, wherever it writes and on however many threads."""
    folder = None if request.config_dir is None else str(request.config_dir.resolve())
    now = [request.verb, _deciding(request.overrides), folder]
    return now == [manifest["verb"], _deciding(manifest["overrides"]), manifest["config_dir"]]


def _deciding(overrides: Sequence[str]) -> list[str]:
    return [one for one in overrides if one.partition("=")[0].partition(".")[0].lstrip("+") not in ("output", "engine")]


def lying(manifest: Mapping[str, Any]) -> str:
    """What lies in a folder, in words: verb, scenario, seed and date."""
    about = f"scenario {manifest['scenario']}, seed {manifest['seed']}, {manifest['began'][:10]}"
    return f"`lull {manifest['verb']}` left its results here ({about})"


def _check_free(final: Path, request: Request, overwrite: bool) -> None:
    """Refuse to touch what is not ours to replace."""
    here = Path.cwd()
    if final == here or final in here.parents:
        raise UserError(_KEY, final, "a folder that does not hold the current one")
    if not final.exists():
        return
    if not final.is_dir():
        raise UserError(_KEY, final, "a folder; this is a file")
    found = {path.name for path in final.iterdir()}
    ours = read_manifest(final)
    if found and ours is None:
        raise UserError(_KEY, final, "a new folder, an empty one, or a result of lull to replace")
    if ours is None:
        return
    if strangers := sorted(found - {MANIFEST, *ours.get("files", ())}):
        allowed = f"a result of lull to replace; {lying(ours)}, and this folder also holds {strangers[0]}"
        raise UserError(_KEY, final, allowed)
    if not (overwrite or same_command(ours, request)):
        raise UserError(_KEY, final, f"another folder, or output.overwrite=true; {lying(ours)}")


def _draw(final: Path) -> tuple[Path, list[Path]]:
    """Make the hidden folder to write into, and any parents; this finds out whether one may write there."""
    made: list[Path] = []
    drawn = final.parent / f".{final.name}.{uuid.uuid4().hex[:12]}"
    try:
        for parent in reversed([final.parent, *final.parent.parents]):
            if not parent.exists():
                parent.mkdir()
                made.insert(0, parent)
        drawn.mkdir()
    except OSError as problem:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise UserError(_KEY, final, f"a folder that can be written ({problem.strerror})") from None
    return drawn, made


def _put(drawn: Path, final: Path) -> None:
    """Give the finished folder its name; what was there before goes only once the new one stands."""
    if not final.exists():
        drawn.rename(final)
        return
    old = final.parent / f".{final.name}.{uuid.uuid4().hex[:12]}"
    final.rename(old)
    try:
        drawn.rename(final)
    except BaseException:
        old.rename(final)
        raise
    shutil.rmtree(old)
