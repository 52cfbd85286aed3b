"""Composing a configuration with Hydra, and turning whatever goes wrong there into one line.

Hydra keeps global state; a lock lets one thread compose at a time, and what was there before is put back.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from sim.world.data import data_folder
from sim.world.errors import UserError, one_of
from sim.world.hydra_errors import FAILURES, bad_file, explained, unresolved
from sim.world.overrides import parsed_overrides
from sim.world.schema import GROUPS, SCHEMA_NAME, ground

Tree = dict[str, Any]

_LOCK = threading.Lock()

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
            read_yaml(files[one.key_or_group][str(one.value())])
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


def read_yaml(path: Path) -> Tree:
    """One file of a group as nested mappings, read by the rules that Hydra reads it by; references stay as written.

    Raises:
        UserError: the file is not YAML or holds no mapping.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except FAILURES as error:
        raise bad_file(error, name) from None
    if not isinstance(content, dict):
        raise UserError(name, "a list", "a YAML file that maps keys to values")
    return {str(key): value for key, value in content.items()}


def group_file(group: str, name: str, config_dir: Path | None) -> Tree:
    """What a file of a group says, with the files of the group that it builds on; references stay as written.

    Raises:
        UserError: one is malformed or not there.
    """
    files = options(group, config_folders(config_dir))
    if name not in files:
        raise UserError(group, name, one_of(files, name))
    content = read_yaml(files[name])
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
    path = [] if config_dir is None else [f"hydra.searchpath=[{_quoted('file://' + str(config_dir.resolve()))}]"]
    with initialize_config_dir(config_dir=str(shipped_folder()), version_base="1.3"):
        composed = compose("config", overrides=[*overrides, *path], return_hydra_config=True)
        choices = {str(group): str(name) for group, name in composed.hydra.runtime.choices.items()}
        return {str(key): _resolved(composed[key]) for key in composed if key != "hydra"}, choices


def _unresolved(config: Any) -> Tree:
    content: Any = OmegaConf.to_container(config, resolve=False)
    return {str(key): value for key, value in content.items()}


def _plain(config: Any) -> Tree:
    return {str(key): _resolved(config[key]) for key in config}


def _resolved(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
