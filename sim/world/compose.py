"""Composing a configuration with Hydra, and turning whatever goes wrong there into one line.

Hydra keeps global state; a lock lets one thread compose at a time, and what was there before is put back.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from sim.world.data import data_folder
from sim.world.errors import UserError, one_of
from sim.world.hydra_errors import FAILURES, bad_file, explained, unresolved
from sim.world.overrides import parsed_overrides
from sim.world.schema import GROUPS, OF_A_CALL, SCHEMA_NAME, ground

Tree = dict[str, Any]

_LOCK = threading.Lock()
_REFERENCE = re.compile(r"\$\{\s*\.*(?!hydra\b)\w[\w.\[\]-]*\s*\}")
"""A plain reference such as ${patron.control}: without a resolver, without another reference in it."""

# configs/config.yaml asks for the declared defaults by this name; importing this module is enough for Hydra's own main.
ConfigStore.instance().store(name=SCHEMA_NAME, node=ground())


def shipped_folder() -> Path:
    """The folder of the configuration that comes with the package."""
    return data_folder("configs")


def compose_tree(overrides: Sequence[str], config_dir: Path | None = None) -> tuple[Tree, dict[str, str]]:
    """Compose the configuration and return it as nested mappings, with the file chosen in each group.

    Args:
        overrides: Hydra overrides, such as `scenario=tight_leash` or `patron.control=0.9`.
        config_dir: a folder of the user's own files, found beside ours.

    Raises:
        UserError: an override cannot be read, names an unknown file or key, or a file is malformed.
    """
    files = {group: options(group, config_folders(config_dir)) for group in GROUPS}
    with _LOCK:
        parsed = parsed_overrides(overrides, files)
        chosen = [one for one in parsed if one.key_or_group in GROUPS]
        for one in chosen:
            read_group_file(files[one.key_or_group][str(one.value())])
        try:
            return _hydra(overrides, config_dir)
        except FAILURES as error:
            grounded = [str(one.input_line) for one in chosen]
            raise explained(error, parsed, lambda: _hydra(grounded, config_dir)[0]) from None


def config_folders(config_dir: Path | None) -> tuple[Path, ...]:
    """Our folder and the user's, if any; no file of the user's may hide behind one of ours.

    Raises:
        UserError: the user's folder does not exist or has a file under a name of ours.
    """
    shipped = shipped_folder()
    if config_dir is None:
        return (shipped,)
    if not config_dir.is_dir():
        raise UserError("--config-dir", config_dir, "an existing folder")
    grouped = [f"{group}/{name}.yaml" for group in GROUPS for name in options(group, (config_dir,))]
    for name in ("config.yaml", *grouped):
        if (config_dir / name).exists() and (shipped / name).exists():
            raise UserError("--config-dir", name, "names that no shipped file has")
    return (shipped, config_dir)


def options(group: str, folders: Sequence[Path]) -> dict[str, Path]:
    """The files of one group by name, in alphabetical order."""
    found = {
        path.relative_to(folder / group).with_suffix("").as_posix(): path
        for folder in folders
        for path in (folder / group).rglob("*.yaml")
    }
    return dict(sorted(found.items()))


class OwnFiles(FileConfigSource):
    """The user's folder as Hydra reads it: every file is checked, whichever way it was asked for."""

    @staticmethod
    def scheme() -> str:
        """How the search path names such a folder."""
        return "own"

    def load_config(self, config_path: str) -> ConfigResult:
        """One file of the folder.

        Raises:
            UserError: it sets a key that only a call sets, or refers to anything but keys of the configuration.
        """
        found: ConfigResult = super().load_config(config_path)
        _check_file(found, Path(config_path).with_suffix(".yaml"))
        return found


def read_group_file(path: Path) -> Tree:
    """One file of a group as nested mappings, read by the rules that Hydra reads it by; references stay as written.

    Raises:
        UserError: the file is not YAML, holds no mapping, or says what no file of a group may say.
    """
    place = Path(path.parent.name, path.name)
    try:
        found = FileConfigSource("", str(path.parent)).load_config(path.name)
    except FAILURES as error:
        raise bad_file(error, place.as_posix()) from None
    _check_file(found, place)
    return _mapping(found.config, place.as_posix())


def read_yaml(path: Path) -> Tree:
    """A YAML file as nested mappings; references stay as written.

    Raises:
        UserError: the file is not YAML, holds no mapping, or refers to anything but keys of the configuration.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        content = OmegaConf.load(path)
    except FAILURES as error:
        raise bad_file(error, name) from None
    return _mapping(content, name)


def _mapping(content: Any, name: str) -> Tree:
    tree = OmegaConf.to_container(content, resolve=False)
    if not isinstance(tree, dict):
        raise UserError(name, "a list", "a YAML file that maps keys to values")
    check_references(tree, f"{name}: ")
    return {str(key): value for key, value in tree.items()}


def _check_file(found: ConfigResult, place: Path) -> None:
    """Refuse what would be passed over in silence, or would reach beyond the configuration."""
    tree = _mapping(found.config, place.as_posix())
    package = (found.header.get("package") or place.parent.as_posix()).removeprefix("_global_").lstrip(".")
    inside = {package.replace("/", ".").partition(".")[0]: tree} if package else tree
    for key in inside:
        if key in OF_A_CALL:
            raise UserError(f"{place.as_posix()}: {key}", inside[key], f"keys of the world; {OF_A_CALL[key]}")


def check_references(value: Any, key: str = "") -> None:
    """Refuse all in `${...}` that is no plain key: Hydra's resolvers read the environment and run functions.

    >>> check_references({"patron": {"control": "${target.restraint}"}})

    Raises:
        UserError: there is one.
    """
    for name, text in _texts(value, key):
        if "${" in _REFERENCE.sub("", text):
            raise UserError(name, text, "values, and plain references to keys such as ${patron.control}")


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """All texts in nested mappings and lists, with their full keys."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inside in value.items():
            yield from _texts(inside, f"{key}.{name}".removeprefix(".").replace(": .", ": "))
    elif isinstance(value, list):
        for place, inside in enumerate(value):
            yield from _texts(inside, f"{key}[{place}]")


def group_file(group: str, name: str, config_dir: Path | None) -> Tree:
    """What a file of a group says, with the files of the group that it builds on; references stay as written.

    Raises:
        UserError: one is malformed or not there.
    """
    files = options(group, config_folders(config_dir))
    if name not in files:
        raise UserError(group, name, one_of(files, name))
    content = read_group_file(files[name])
    tree: Tree = {}
    for parent in content.pop("defaults", None) or ():
        if isinstance(parent, str) and parent != "_self_":
            tree = _unresolved(OmegaConf.merge(tree, group_file(group, parent, config_dir)))
    return _unresolved(OmegaConf.merge(tree, content))


def merged(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """The resolved tree with the changes merged on top, as Hydra merges files.

    Merging costs by the size of both, so sections that nothing changes stay out of it, unless a reference may ask
    for them.

    Raises:
        UserError: a reference leads nowhere.
    """
    beneath = tree if "${" in str(changes) else {key: tree[key] for key in changes if key in tree}
    try:
        return {**tree, **_plain(OmegaConf.merge(dict(beneath), dict(changes)))}
    except FAILURES as error:
        raise unresolved(error) from None


def _hydra(overrides: Sequence[str], config_dir: Path | None) -> tuple[Tree, dict[str, str]]:
    Plugins.instance().register(OwnFiles)
    folder = [] if config_dir is None else [_quoted(f"{OwnFiles.scheme()}://{config_dir.resolve()}")]
    path = [f"hydra.searchpath=[{one}]" for one in folder]
    with initialize_config_dir(config_dir=str(shipped_folder()), version_base="1.3"):
        composed = compose("config", overrides=[*overrides, *path], return_hydra_config=True)
        choices = {str(group): str(name) for group, name in composed.hydra.runtime.choices.items()}
        ours = [key for key in composed if key != "hydra"]
        for key in ours:
            check_references(_contained(composed[key], False), str(key))
        return {str(key): _contained(composed[key]) for key in ours}, choices


def _unresolved(config: Any) -> Tree:
    content: Any = OmegaConf.to_container(config, resolve=False)
    return {str(key): value for key, value in content.items()}


def _plain(config: Any) -> Tree:
    return {str(key): _contained(config[key]) for key in config}


def _contained(value: Any, resolve: bool = True) -> Any:
    return OmegaConf.to_container(value, resolve=resolve) if OmegaConf.is_config(value) else value


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
