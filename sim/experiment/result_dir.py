"""The folder that a verb leaves behind, complete or not at all: its provenance, and the user's files behind it.

Everything is written into a hidden folder next to the final one, which takes its name only when the last file is
there. What stood there before is replaced only if it is a result of the same command and holds nothing else; the result
of another command is replaced where `output.overwrite=true` says so.

Of the user's files, code and configuration are kept in copy. Data stay where they lie, for they may not be the user's
to pass on: their path and checksum are recorded.
"""

import glob
import hashlib
import json
import os
import platform
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import yaml

from sim.experiment.command import Request, renamed
from sim.experiment.io import csv_text, json_text, read_mapping, read_regular, sha256, size_of, write_dataset, yaml_text
from sim.experiment.options import OWN, DiscoverOptions, declared, resolved
from sim.model.aliases import current_tree
from sim.model.extension import KEY as EXTENSIONS
from sim.model.hydra_config import GROUPS, TOP_KEYS, compose_tree, options, override_of, parse_override
from sim.model.package_data import FOLDERS, data_folder
from sim.model.parameters import MECHANISM_NAMES
from sim.model.scenario import DEFAULTS, Config, config_of
from sim.model.validation import UserError
from sim.numbers.fingerprint import hash_of

if TYPE_CHECKING:
    import xarray as xr


CONFIG_DIR: Final = "--config-dir"
DATA: Final = "data"
_WITH_DATA: Final = {kind.section for kinds in OWN.values() for kind in kinds if DATA in declared(kind)}
IN_PLACE: Final = (DATA, "study.table", "study.policies")
"""Keys that name files of data."""

COPY: Final = "input-"
"""How the names of copies begin."""
LARGEST: Final = 10_000_000
"""Bytes of a file of code or configuration."""
PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""Names of files in a folder of results: no path, no hidden file."""
CONFIGS: Final = "configs"
"""The one folder within a folder of results: groups of a configuration to start from."""
LISTED: Final = re.compile(rf"(?:{CONFIGS}/[a-z]+/)?{PLAIN.pattern}")
"""Names that a manifest lists: those of files, and of files in a group of that folder."""

LIBRARIES = ("lull-sim", "numpy", "numba", "llvmlite", "mesa", "xarray")
DECIDING_LIBRARIES = ("numba", "llvmlite", "numpy")
"""Libraries that compute histories: with another version of one, the last bits may differ."""


def source_hash() -> str:
    """Hash of every Python source of the package."""
    return hash_of(("**/*.py",))


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a result depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


NEUTRAL_KEYS = ("engine", "output", "calibration", "predictions")
"""Sections of the configuration that no history depends on: how many threads, which folder, what is fitted to."""


def config_text(config: Config) -> str:
    """The resolved configuration as YAML."""
    return yaml_text(config.tree)


def provenance(config: Config) -> dict[str, Any]:
    """Attributes of a dataset: everything needed to make it again, so that equal results carry equal words."""
    scenario = config.scenario
    return {
        "title": f"Lull: scenario {scenario.name}",
        "question": scenario.question,
        "scenario": scenario.name,
        "seed": str(config.seed),
        "first_day": scenario.calendar.start.isoformat(),
        "strikes_day": scenario.calendar.strikes,
        "report_day": scenario.calendar.report,
        "source_hash": source_hash(),
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
        "configuration": yaml_text({key: one for key, one in config.tree.items() if key not in NEUTRAL_KEYS}),
        **_posterior(config),
    }


def config_in(data: "xr.Dataset") -> Config:
    """The configuration that a dataset carries, without what extensions added to the model.

    Raises:
        KeyError: the dataset carries none.
    """
    tree = current_tree(yaml.safe_load(data.attrs["configuration"]))
    kept = {name: value for name, value in tree.items() if name in TOP_KEYS and name != "extensions"}
    kept["mechanisms"] = {name: value for name, value in kept["mechanisms"].items() if name in MECHANISM_NAMES}
    ground, _ = compose_tree(())
    return config_of({**{name: ground[name] for name in NEUTRAL_KEYS}, **kept}, data.attrs["scenario"])


def _posterior(config: Config) -> dict[str, str]:
    """Which posterior parameters were drawn from, if they were."""
    if config.parameters_from == DEFAULTS:
        return {}
    from sim.experiment.parameter_sets import shipped_posterior  # which imports the engine

    posterior = shipped_posterior(config.scenario.cast)
    about = {key: posterior.about[key] for key in ("draws", "bank", "effective", "seed", "deciding_hash")}
    return {"posterior": ", ".join(f"{key} {value}" for key, value in about.items())}


MANIFEST: Final = "manifest.json"
MAKER: Final = "lull"
FORMAT: Final = 1
"""Raised when a manifest of before can no longer be read."""
SWEEP: Final = "sweep"
SWEEP_FORMATS: Final = (1, 2)
"""Those of sweeps that can be read, the present one last: since 2 every part says of which sweep it is."""

LARGEST_MANIFEST: Final = 50_000_000
"""Bytes of a manifest that is read; that of a sweep grows with its parts."""


def _is_record(one: Any) -> bool:
    """Whether this is an entry of what `recorded` returns, with names that lead nowhere else."""
    texts = [one.get(name) for name in ("key", "name", "path", "sha256")] if isinstance(one, dict) else [None]
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        return False
    if one["key"] in IN_PLACE:
        return one.get("copy") is None
    inside = PurePosixPath(one["name"])
    leads_in = not inside.is_absolute() and ".." not in inside.parts and "\\" not in one["name"]
    copied = isinstance(one.get("copy"), str) and PLAIN.fullmatch(one["copy"]) is not None
    return copied and (one["key"] == EXTENSIONS or (one["key"] == CONFIG_DIR and leads_in and inside.suffix == ".yaml"))


_SHAPE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "format": lambda value: isinstance(value, int),
    **dict.fromkeys(("verb", "command", "scenario", "began", "source_hash"), lambda value: isinstance(value, str)),
    "overrides": lambda value: (
        isinstance(value, list) and all(isinstance(one, str) and "\0" not in one for one in value)
    ),
    "config_dir": lambda value: value is None or isinstance(value, str),
    "inputs": lambda value: isinstance(value, list) and all(map(_is_record, value)),
    "seed": lambda value: isinstance(value, int),
    "versions": lambda value: isinstance(value, dict) and all(isinstance(one, str) for one in value.values()),
    "files": lambda value: (
        isinstance(value, dict)
        and all(LISTED.fullmatch(one) for one in value)
        and all(
            isinstance(one, dict) and isinstance(one.get("sha256"), str) and isinstance(one.get("bytes"), int)
            for one in value.values()
        )
    ),
}
"""What the manifest of any verb has to hold."""

_KEY: Final = "output.dir"
_WORK: Final = "work"


class Folder:
    """A folder of results while it is being filled; `final` is where it will be found."""

    def __init__(self, final: Path, aside: Path, request: Request) -> None:
        self.final = final
        self._aside = aside
        self._request = request

    @cached_property
    def work(self) -> Path:
        """A hidden folder for finished parts of a result; its name changes with everything that the result depends on.

        It stays where the command is stopped, so that the same command resumes.
        """
        data = (path for name in FOLDERS for path in sorted(data_folder(name).rglob("*")) if path.is_file())
        about = [
            self._request.verb, _deciding(self._request.overrides), source_hash(), versions(),
            [sha256(path) for path in (*data, *(path for _, path, _ in inputs(self._request)))],
        ]  # fmt: skip
        digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
        return self.final.parent / f".{self.final.name}.{_WORK}-{digest}"

    def drop_work(self) -> None:
        """Remove finished parts, those of other versions too."""
        for path in self.final.parent.glob(f".{glob.escape(self.final.name)}.{_WORK}-*"):
            shutil.rmtree(path, ignore_errors=True)

    def path(self, name: str) -> Path:
        """Where to write the file of that name now; the name may have folders in it."""
        place = self._aside / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def text(self, name: str, content: str) -> None:
        """Write a text file: UTF-8, plain line ends, on every system."""
        self.path(name).write_text(content, encoding="utf-8", newline="\n")

    def json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file. ValueError where a number is NaN or infinite: JSON has none."""
        self.text(name, json_text(content))

    def csv(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a table as CSV, one column per key of the first row; None becomes an empty cell."""
        self.text(name, csv_text(rows))

    def dataset(self, name: str, data: "xr.Dataset") -> None:
        """Write a dataset as netCDF."""
        write_dataset(self.path(name), data)


@contextmanager
def result_folder(request: Request, config: Config, label: str = "") -> Iterator[Folder]:
    """Open the folder of one result; it appears under its name when the block ends well, and not at all otherwise.

    Args:
        request: what was asked, for the manifest.
        config: the configuration; its `output.dir` names the folder, null makes one below `outputs`.
        label: what else the name of such a folder should say, for example the run.

    Raises:
        UserError: nothing can be written there, or something stands there that is no result of the same command.
    """
    request.check_kept()
    final = _final(request, config, label)
    _check_free(final, request, config.overwrite)
    began = datetime.now(UTC)
    with whole_folder(final) as aside:
        folder = Folder(final, aside, request)
        try:
            yield folder
        except UserError:
            folder.drop_work()
            raise
        folder.text("config.yaml", config_text(config))
        folder.json(MANIFEST, manifest(request, config, began, aside))
    folder.drop_work()


@contextmanager
def whole_folder(final: Path) -> Iterator[Path]:
    """A hidden folder to fill, which replaces `final` when the block ends well; else nothing is left of it.

    Raises:
        UserError: nothing can be written there.
    """
    aside, made = _make_aside(final)
    try:
        yield aside
        _put(aside, final)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
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
        "options": resolved(request.verb, request.overrides)[0],
        "scenario": config.scenario.name,
        "seed": config.seed,
        "runs": config.runs,
        "began": began.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - began).total_seconds(), 2),
        "source_hash": source_hash(),
        "versions": versions(),
        "inputs": recorded(request, folder),
        "files": {name: described(folder / name) for name in sorted(names_in(folder))},
    }


def names_in(folder: Path) -> set[str]:
    """The names of all files, links and empty folders that lie in a folder or in folders within it."""
    inside = folder.rglob("*")
    last = (path for path in inside if path.is_symlink() or not path.is_dir() or not any(path.iterdir()))
    return {path.relative_to(folder).as_posix() for path in last}


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder of results; None where there is none of ours, or one that says something else."""
    content = read_mapping(folder / MANIFEST, LARGEST_MANIFEST)
    ours = content is not None and content.get("made_by") == MAKER and malformed(content) is None
    return content if ours else None


def malformed(manifest: Mapping[str, Any]) -> str | None:
    """The first key of a manifest that does not hold what it has to; None where all do."""
    keys = {"files": {}, "inputs": [], **manifest}  # a sweep names its files otherwise; older manifests have no inputs
    known = SWEEP_FORMATS if keys.get("verb") == SWEEP else (FORMAT,)
    return next(
        (key for key, fits in _SHAPE.items() if key not in keys or not fits(keys[key])),
        None if keys.get("format") in known else "format",
    )


def described(path: Path) -> dict[str, Any]:
    """What a manifest says of a file.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    return {"bytes": size_of(path), "sha256": sha256(path)}


def _final(request: Request, config: Config, label: str) -> Path:
    if request.home is not None or config.output_dir is not None:
        return Path(os.path.realpath(request.home or config.output_dir or "."))
    parts = [request.verb, config.scenario.name.replace("/", "-"), f"seed{config.seed}", label]
    usual = Path.cwd() / "outputs" / "-".join(part for part in parts if part)
    there = read_manifest(usual)
    if there is None or config.overwrite or same_command(there, request):
        return usual
    deciding = json.dumps([*_deciding(request.overrides), str(request.config_dir)])
    return usual.with_name(f"{usual.name}-{hashlib.sha256(deciding.encode()).hexdigest()[:8]}")


def check_home(request: Request, config: Config) -> None:
    """Refuse the folder of results that a configuration names where it cannot be written or holds something else."""
    if config.output_dir is None:
        return
    final = _final(request, config, "")
    _check_free(final, request, config.overwrite)
    aside, made = _make_aside(final)
    for path in (aside, *made):
        path.rmdir()


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


def refuse_current(folder: Path) -> None:
    """Refuse a folder that holds the current one, and a file."""
    here = Path.cwd()
    if folder == here or folder in here.parents:
        raise UserError(_KEY, folder, "a folder that does not hold the current one")
    if folder.exists() and not folder.is_dir():
        raise UserError(_KEY, folder, "a folder; this is a file")


def _check_free(final: Path, request: Request, overwrite: bool) -> None:
    """Refuse to touch what is not ours to replace."""
    refuse_current(final)
    if not final.exists():
        return
    found = names_in(final)
    ours = read_manifest(final)
    if found and ours is None:
        raise UserError(_KEY, final, "a new folder, an empty one, or a result of lull to replace")
    if ours is None:
        return
    if foreign := sorted(found - {MANIFEST, *ours.get("files", ())}):
        allowed = f"a result of lull to replace; {lying(ours)}, and this folder also holds {foreign[0]}"
        raise UserError(_KEY, final, allowed)
    if not (overwrite or same_command(ours, request)):
        raise UserError(_KEY, final, f"another folder, or output.overwrite=true; {lying(ours)}")


def _make_aside(final: Path) -> tuple[Path, list[Path]]:
    """Make the hidden folder to write into, and any parents; this finds out whether one may write there."""
    made: list[Path] = []
    aside = final.parent / f".{final.name}.{uuid.uuid4().hex[:12]}"
    try:
        for parent in reversed([final.parent, *final.parent.parents]):
            if not parent.exists():
                parent.mkdir()
                made.insert(0, parent)
        aside.mkdir()
    except OSError as problem:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise UserError(_KEY, final, f"a folder that can be written ({problem.strerror})") from None
    return aside, made


def _put(aside: Path, final: Path) -> None:
    """Give the finished folder its name; what was there before goes only once the new one stands."""
    if not final.exists():
        aside.rename(final)
        return
    old = final.parent / f".{final.name}.{uuid.uuid4().hex[:12]}"
    final.rename(old)
    try:
        aside.rename(final)
    except BaseException:
        old.rename(final)
        raise
    shutil.rmtree(old)


def key_of(override: str) -> str:
    """The key of an override, without the signs that add or delete it; that of a file of data without its section.

    >>> key_of("++output.dir=x"), key_of("calibrate.data=counts.csv")
    ('output.dir', 'data')
    """
    key = override.partition("=")[0].strip(" +~")
    section, _, name = key.rpartition(".")
    return DATA if name == DATA and section in _WITH_DATA else key


def files_named(overrides: Sequence[str]) -> list[tuple[str, str]]:
    """The keys of overrides that name files, with the files as written.

    >>> files_named(["extensions=[a.py,'b.py']", "data='my counts.csv'", "seed=3"])
    [('extensions', 'a.py'), ('extensions', 'b.py'), ('data', 'my counts.csv')]
    """
    return [(key, path) for text in overrides for key, path in _named(text) if key in (EXTENSIONS, *IN_PLACE)]


def _named(text: str) -> Iterator[tuple[str, str]]:
    key = key_of(text)
    if key == DATA:
        yield key, text.partition("=")[2].strip("'\"")
    elif key.partition(".")[0] in (EXTENSIONS, "study"):
        value = parse_override(text).value()
        inside = {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {key: value}
        for name, one in inside.items():
            yield from (
                (str(name), each) for each in (one if isinstance(one, list) else [one]) if isinstance(each, str)
            )


def recorded(request: Request, folder: Path) -> list[dict[str, Any]]:
    """What a manifest says of the files that a command read; copies of code and configuration go into the folder."""
    records: list[dict[str, Any]] = []
    for key, path, name in inputs(request):
        copy = None
        if key in (EXTENSIONS, CONFIG_DIR):
            copy = f"{COPY}{len(records) + 1}-{re.sub(r'[^A-Za-z0-9._-]', '_', path.name)[-100:]}"
            (folder / copy).write_bytes(path.read_bytes())
        about = {"key": key, "name": name, "path": str(path.resolve()), "copy": copy}
        records.append(about | {"sha256": sha256(path)})
    return records


def inputs(request: Request) -> Iterator[tuple[str, Path, str]]:
    """The files that a command reads: their keys, where they are, and the names by which the command knows them."""
    named = [(key, Path(path), path) for key, path in files_named(request.overrides)]
    yield from (one for one in named if one[1].is_file())
    if request.config_dir is not None:
        for group in GROUPS:
            for name, path in options(group, (request.config_dir,)).items():
                yield CONFIG_DIR, path, f"{group}/{name}.yaml"


def restored(manifest: Mapping[str, Any], folder: Path, scratch: Path, home: Path | None, trust: bool) -> Request:
    """The command that made a folder, for another place; what it reads is what the folder keeps, and nothing else.

    Args:
        manifest: that of the folder.
        folder: where the copies of code and configuration are.
        scratch: where they are laid out again.
        home: where the results go.
        trust: whether the user trusts the files.
    """
    verb, now = renamed(manifest["verb"], manifest["overrides"])
    overrides = [one for one in now if key_of(one).partition(".")[0] not in ("output", "engine")]
    named = files_named(overrides)
    used = [key for key, _ in named] + [CONFIG_DIR] * (manifest["config_dir"] is not None)
    if verb == "discover":
        given, swept = DiscoverOptions.split(overrides)
        if not swept:
            used.append("discover.sweep")
        else:
            own = [text for name, text in given.items() if name != "sweep"]
            overrides = [*own, f"discover.sweep={scratch / 'sweep'}", *swept]
    if not used:
        return Request(verb, tuple(overrides), None, home)
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
    return Request(verb, tuple(_with_files(overrides, found)), config_dir, home)


def _lay_out(kept: Path, record: Mapping[str, Any], place: Path) -> None:
    """Put a recorded file in its place, where it is still the one that was recorded."""
    allowed = "the file that was recorded with the results"
    try:
        if record["copy"] is None:
            same = sha256(kept) == record["sha256"]
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
    for text in overrides:
        key = key_of(text)
        places = [str(found[one]) for one in files_named([text])]
        if not places:
            yield text
        elif key == EXTENSIONS:
            yield override_of(key, places)
        elif key in IN_PLACE:
            yield override_of(key, places[0])
        else:
            raise UserError(key, text.partition("=")[2], "keys that name their files one by one")
