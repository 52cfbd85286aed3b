"""Composing a configuration with Hydra: declared defaults, files, overrides, and one line for every failure.

Hydra chooses and merges the files; overrides are then set on top, those that were read from a text and those that a
Python call gives as values alike. Types and ranges are checked afterwards, in one place and with the full key, because
Hydra itself would let through numbers out of range, NaN, `mechanisms.fear=3` and `+new.key=1`.

Hydra keeps global state; a lock lets one thread compose at a time, and what was there before is put back.
"""

import math
import pickle
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    Override,
    OverrideType,
    Quote,
    QuotedString,
    RangeSweep,
    Sweep,
    ValueType,
)
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, MissingConfigException
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from sim.model.aliases import current
from sim.model.package_data import data_folder
from sim.model.parameters import Mechanisms, default_parameters
from sim.model.validation import UserError, one_of

SCHEMA_NAME = "declared"
"""The name under which `configs/config.yaml` finds this ground among its defaults."""

GROUPS = ("actors", "timeline", "history", "patterns", "calibration", "filters", "predictions", "scenario")
"""The groups of configuration files: one file of each is chosen."""

STUDY_KEYS = (
    "runs", "points", "design", "table", "ignore", "draws", "policies", "outcomes", "precision", "max_runs",
    "accept_versions", "shard",
)  # fmt: skip
"""How a study is made: `runs` holds for all, the others for a sweep."""

ENGINE_KEYS = ("threads", "cluster", "workers", "job")
"""Where histories are computed; no result depends on it."""

_ON_THE_LINE = "this one is set on the command line or by the arguments of a function"
OF_A_CALL = {
    **dict.fromkeys(("seed", "study", "parameters", "output"), _ON_THE_LINE),
    "engine": "results do not depend on this one, which is set on the command line",
    "extensions": "code is named on the command line or handed over in Python, never by a file of data",
    "hydra": "Hydra's own settings are set on the command line",
}
"""Keys that say how a world is studied, not what it is, and where they are set: no file of a group sets them."""

TOP_KEYS = (
    "seed", "parameters", "study", "engine", "output", "scenario", "mechanisms", "names", "theatre", "militia",
    "calendar", "events", "interventions", "changes", "history", "rungs", "patterns", "calibration", "filters",
    "predictions", "extensions",
    *asdict(default_parameters()),
)  # fmt: skip


def declared_defaults() -> dict[str, Any]:
    """The defaults of all declared parameters and switches, as nested mappings.

    >>> declared_defaults()["patron"]["directive_stop"], declared_defaults()["mechanisms"]["fear"]
    (0.001, True)
    """
    return {**asdict(default_parameters()), "mechanisms": asdict(Mechanisms())}


FAILURES = (HydraException, OmegaConfBaseException, yaml.YAMLError, OSError, ValueError)
"""All that composing or reading a file can raise on a user's mistake."""

_OPEN = ("events", "history", "militia", "theatre")
"""Where users may add keys of their own with + before them: without it, a key that is not there is a slip."""
_OWN = "changes"
"""Where every name is the user's, so none needs a +."""


def failure(error: BaseException) -> UserError:
    """The one line for whatever went wrong while files were read, merged or resolved."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            return cause
        if isinstance(cause, yaml.YAMLError | UnicodeDecodeError):
            mark = getattr(cause, "problem_mark", None)
            return bad_file(cause, "YAML file" if mark is None else Path(str(mark.name)).name)
        if isinstance(cause, MissingConfigException):
            group, _, name = str(cause.missing_cfg_file or "").rpartition("/")
            return UserError(group or "defaults", name, one_of(list(cause.options or ()), name))
        cause = cause.__cause__ or cause.__context__
    return unresolved_error(error)


def bad_file(error: BaseException, name: str) -> UserError:
    """The one line for a file that cannot be read as YAML."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return UserError(name, _first_line(error), "a readable YAML file that maps keys to values")
    problem = getattr(error, "problem", None) or "malformed"
    return UserError(name, f"malformed in line {mark.line + 1} ({problem})", "valid YAML")


def unresolved_error(error: BaseException) -> UserError:
    """The one line for a reference such as ${patron.control} that leads nowhere, and for all other failures."""
    key = getattr(error, "full_key", None) or "configuration"
    return UserError(str(key), _first_line(error), "what Hydra can compose and resolve")


def _bad_key(one: Override, tree: Mapping[str, Any]) -> UserError | None:
    """The error of an override whose key is not there, or is there already although it is to be added."""
    key, prefix, inside = one.key_or_group, "", tree
    for name in key.split("."):
        names = {str(known): value for known, value in inside.items()} if isinstance(inside, Mapping) else {}
        if name not in names:
            hint = "; + adds a new one" if key.partition(".")[0] in _OPEN else ""
            new = one.is_add() or one.is_force_add()
            return None if new else UserError(key, value_text(one), f"keys: {one_of(names, name, prefix)}{hint}")
        prefix, inside = f"{prefix}{name}.", names[name]
    return UserError(f"+{key}", value_text(one), f"{key}=..., for the key is there already") if one.is_add() else None


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


FUNCTIONS: Final = ("choice", "range", "interval", "glob", "sort", "int", "float", "str", "bool")
"""Functions of Hydra's grammar that overrides may use."""
REFUSED: Final = {
    "shuffle": "values in their own order; a shuffle would give another one each time",
    "tag": "values without tags; nothing reads them",
}
"""Functions of Hydra's grammar that are refused, and what is allowed instead."""
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/]*")
"""A text that Hydra reads as a text without quotes."""
MOST_VALUES: Final = 10**6
"""A range of more values than this is taken for a mistake."""


class GivenOverride(str):
    """An override of a Python call: the text spells it for records and command lines, its `value` is set as it is."""

    value: Any


def override_of(key: str, value: Any) -> str:
    """An override that sets a key, perhaps with + or ~ before it, to a Python value.

    >>> override_of("events.campaign.to", None), override_of("patron.control", 0.5).value
    ('events.campaign.to=null', 0.5)
    """
    name = key.lstrip("+~")
    key = key.removesuffix(name) + current(name)
    value = value.item() if hasattr(value, "item") else value  # a number of NumPy's
    made = GivenOverride(f"{key}={hydra_text(value)}")
    made.value = value
    return made


def parse_override(text: str) -> Override:
    """One override as Hydra reads it, or with the value that was given; it may ask for several values."""
    key, sign, value = text.partition("=")
    if sign and not key.strip("+~ "):
        raise UserError("override", text, "key=value")
    given = isinstance(text, GivenOverride)
    try:
        one = OverridesParser(_functions()).parse_override(f"{key}=null" if given else text)
    except HydraException as error:
        if sign:
            raise UserError(key.strip(), value, _allowed(error)) from None
        raise UserError("override", text, "key=value") from None
    if one.type is OverrideType.CHANGE and _own(one.key_or_group):
        one = replace(one, type=OverrideType.FORCE_ADD)
    if isinstance(text, GivenOverride):
        kind = {ChoiceSweep: ValueType.CHOICE_SWEEP, IntervalSweep: ValueType.INTERVAL_SWEEP}
        found = kind.get(type(text.value), ValueType.ELEMENT)
        return replace(one, value_type=found, _value=_as_read(text.value), input_line=str(text))
    if any(isinstance(inner, Sweep | Glob) for inner in _within(one.value())):
        raise UserError(one.key_or_group, value, "one function that gives several values, not within others")
    return one


def _own(key: str) -> bool:
    return key.partition(".")[0] == _OWN


def for_hydra(text: str) -> str:
    """An override as Hydra itself takes it, which adds no key without a +.

    >>> for_hydra("changes.leash.value=0.9"), for_hydra("patron.control=0.9")
    ('++changes.leash.value=0.9', 'patron.control=0.9')
    """
    return f"++{text}" if _own(text.partition("=")[0]) else text


def _as_read(value: Any) -> Any:
    """A Python value as Hydra reads it: dates are texts, tuples lists, ends of an interval decimal numbers."""
    if isinstance(value, Mapping):
        return {key: _as_read(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_as_read(inside) for inside in value]
    if isinstance(value, ChoiceSweep):
        return ChoiceSweep(list=_as_read(value.list))
    if isinstance(value, IntervalSweep):
        start, end = (float(one) if isinstance(one, int) else one for one in _as_read((value.start, value.end)))
        return IntervalSweep(start=start, end=end)
    value = value.item() if hasattr(value, "item") else value
    return value if value is None or isinstance(value, bool | int | float | str | QuotedString) else str(value)


def hydra_text(value: Any) -> str:
    """A value as the text of an override, which Hydra reads back as the same value.

    >>> hydra_text({"a.b": [True, None, 1.5, "it's"]})
    "{a.b:[true,null,1.5,'it\\\\'s']}"
    """
    if isinstance(value, QuotedString):
        return value.with_quotes()
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(hydra_text, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{hydra_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, ChoiceSweep):
        inside = ",".join(map(hydra_text, value.list))
        return inside if None in value.list else f"choice({inside})"  # choice() takes no null
    if isinstance(value, IntervalSweep):
        return f"interval({hydra_text(value.start)},{hydra_text(value.end)})"
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) and value.lower() not in ("true", "false", "null", "nan", "inf")
        return value if bare else QuotedString(value, Quote.single).with_quotes()
    return str(value)


@cache
def _functions() -> Any:
    """The functions of the grammar; where Hydra's own would mislead, ours in their place."""
    made = create_functions()
    hydras_int, hydras_range, hydras_sort = (made.functions[name] for name in ("int", "range", "sort"))

    def whole(*args: Any, value: Any = None) -> Any:
        for one in (*args, value):
            ends = _ends(one) if isinstance(one, RangeSweep | IntervalSweep) else ()
            if any(end != math.floor(end) for end in ends):
                raise _NotAllowedError("a range or an interval between whole numbers in int(), or a list of values")
        return hydras_int(*args, value=value)

    def finite_range(*args: Any, **named: Any) -> RangeSweep:
        sweep: RangeSweep = hydras_range(*args, **named)
        start, stop, step = _ends(sweep)
        if not all(math.isfinite(end) for end in (start, stop, step)) or step == 0:
            raise _NotAllowedError("a range between finite numbers, with a step that is not 0")
        if (stop - start) / step > MOST_VALUES:
            raise _NotAllowedError(f"a range of at most {MOST_VALUES} values")
        return sweep

    def sorted_values(*args: Any, **named: Any) -> Any:
        given = named.get("sweep") or (args[0] if len(args) == 1 else None)
        if not isinstance(given, RangeSweep):
            return hydras_sort(*args, **named)
        return ChoiceSweep(list=[*sorted(range_values(given), reverse=named.get("reverse", False))])

    def refused(allowed: str) -> Any:
        def function(*_: Any, **__: Any) -> None:
            raise _NotAllowedError(allowed)

        return function

    ours = {"int": whole, "range": finite_range, "sort": sorted_values}
    made.functions = {name: ours.get(name, made.functions[name]) for name in FUNCTIONS}
    made.definitions = {name: made.definitions[name] for name in FUNCTIONS}
    for name, allowed in REFUSED.items():
        made.register(name, refused(allowed))
    return made


class _NotAllowedError(ValueError):
    """A function or its arguments that cannot be used; the text says what is allowed."""


def _allowed(error: BaseException) -> str:
    """What is allowed where the grammar refused something."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, _NotAllowedError):
        return str(cause)
    if "while evaluating" in str(error):
        reason = str(cause).partition("\n")[0]
        return f"{', '.join(FUNCTIONS)} with what each of them takes ({reason})"
    return "key=value in Hydra's grammar; quote unusual text"


def _ends(sweep: RangeSweep | IntervalSweep) -> tuple[float, ...]:
    ends = (sweep.start, sweep.stop, sweep.step) if isinstance(sweep, RangeSweep) else (sweep.start, sweep.end)
    return tuple(end for end in ends if end is not None)


def range_values(one: RangeSweep) -> list[int | float]:
    """The values of a range; those between decimal numbers are the ones nearest to what decimal steps give.

    >>> range_values(RangeSweep(start=0.1, stop=0.7, step=0.1))
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    """
    start, stop, step = _ends(one)
    if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
        return list(range(start, stop, step))
    # The shortest text that reads back as a number is the one that was written.
    first, end, by = (Decimal(repr(number)) for number in (start, stop, step))
    return [float(first + place * by) for place in range(max(0, math.ceil((end - first) / by)))]


def _within(value: Any) -> Iterator[Any]:
    """All that stands within a value, however deep."""
    inner = value.list if isinstance(value, ChoiceSweep) else value.values() if isinstance(value, dict) else value
    if isinstance(inner, Collection) and not isinstance(inner, str):
        for one in inner:
            yield one
            yield from _within(one)


def value_text(override: Override) -> str:
    """What an override sets its key to, as the user wrote it."""
    text = override.input_line or ""
    return text.partition("=")[2] if "=" in text else text


def _check(one: Override, groups: Mapping[str, Collection[str]]) -> None:
    key = one.key_or_group
    if key.partition(".")[0].partition("/")[0] == "hydra":
        raise UserError(key, value_text(one), "no settings of Hydra here; --cfg, --info and -m take them")
    if one.package is not None:
        raise UserError(f"{key}@{one.package}", value_text(one), "key=value without a package")
    if one.is_sweep_override():
        raise UserError(key, value_text(one), "one value; only a sweep takes several")
    if key not in groups:
        return
    if one.type is not OverrideType.CHANGE:
        raise UserError((one.input_line or key).partition("=")[0], value_text(one), f"{key}=NAME")
    if not isinstance(one.value(), str) or one.value() not in groups[key]:
        raise UserError(key, value_text(one), one_of(groups[key], value_text(one)))


Tree = dict[str, Any]
Stamp = tuple[Path, int, int]
"""A file with when it was written and its size."""

_LOCK = threading.Lock()
_REFERENCE = re.compile(r"\$\{\s*\.*(?!hydra\b)\w[\w.\[\]-]*\s*\}")
"""A plain reference such as ${patron.control}: without a resolver, without another reference in it."""

# configs/config.yaml asks for the declared defaults by this name; importing this module is enough for Hydra's own main.
ConfigStore.instance().store(name=SCHEMA_NAME, node=declared_defaults())


def shipped_folder() -> Path:
    """The folder of the configuration that comes with the package."""
    return data_folder("configs")


def compose_tree(overrides: Sequence[str], config_dir: Path | None = None) -> tuple[Tree, dict[str, str]]:
    """Compose the configuration and return it as nested mappings, with the file chosen in each group.

    Args:
        overrides: Hydra overrides, such as `scenario=tight_leash` or `patron.control=0.9`.
        config_dir: a folder of the user's own files, searched after ours.

    Raises:
        UserError: an override cannot be read, names an unknown file or key, or a file is malformed.
    """
    folders = config_folders(config_dir)
    files = {group: options(group, folders) for group in GROUPS}
    parsed = [parse_override(text) for text in overrides]
    for one in parsed:
        _check(one, files)
    chosen = [one for one in parsed if _chooses_file(one, folders)]
    for one in chosen:
        if one.key_or_group in files:
            read_group_file(files[one.key_or_group][str(one.value())])
    with _LOCK:
        try:
            # Hydra takes choices of files, from which it makes its list of defaults, as texts and not otherwise.
            composed, choices = _composed([str(one.input_line) for one in chosen], config_dir)
            for one in parsed:
                if not _chooses_file(one, folders):
                    _set(composed, one)
            tree = _plain(composed, resolve=False)
            check_references(tree)
            return _plain(composed) if _refers(tree) else tree, choices
        except FAILURES as error:
            raise failure(error) from None


def _chooses_file(one: Override, folders: Sequence[Path]) -> bool:
    """Whether an override chooses a file of the configuration rather than setting a key."""
    return not isinstance(one.value(), dict) and any((folder / one.key_or_group).is_dir() for folder in folders)


def _set(composed: DictConfig, one: Override) -> None:
    """Set, add or delete a key as Hydra does."""
    try:
        ConfigLoaderImpl._apply_overrides_to_config([one], composed)
    except FAILURES as error:
        raise _bad_key(one, _plain(composed, resolve=False)) or unresolved_error(error) from None


def config_folders(config_dir: Path | None) -> tuple[Path, ...]:
    """Our folder and the user's, if any; no file of the user's may hide behind one of ours."""
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
        """One file of the folder."""
        found: ConfigResult = super().load_config(config_path)
        _checked_file(found, Path(config_path).with_suffix(".yaml"))
        return found


def read_group_file(path: Path) -> Tree:
    """One file of a group as nested mappings, read by the rules that Hydra reads it by; references stay as written."""
    place = Path(path.parent.name, path.name)
    try:
        found = _read(_stamp(path))
    except FAILURES as error:
        raise bad_file(error, place.as_posix()) from None
    return _checked_file(found, place)


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return path, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=64)
def _read(stamp: Stamp) -> ConfigResult:
    """A file as Hydra reads it; the same file is read once."""
    path, *_ = stamp
    return FileConfigSource("", str(path.parent)).load_config(path.name)


def read_yaml(path: Path) -> Tree:
    """A YAML file as nested mappings; references stay as written."""
    name = f"{path.parent.name}/{path.name}"
    try:
        return _mapping(OmegaConf.load(path), name)
    except FAILURES as error:
        raise error if isinstance(error, UserError) else bad_file(error, name) from None


def _mapping(content: Any, name: str) -> Tree:
    tree = OmegaConf.to_container(content, resolve=False)
    if not isinstance(tree, dict):
        raise UserError(name, "a list", "a YAML file that maps keys to values")
    check_references(tree, f"{name}: ")
    return {str(key): value for key, value in tree.items()}


def _checked_file(found: ConfigResult, place: Path) -> Tree:
    """What a file says; refused is what would be passed over in silence, or would reach beyond the configuration."""
    tree = _mapping(found.config, place.as_posix())
    package = (found.header.get("package") or place.parent.as_posix()).removeprefix("_global_").lstrip(".")
    inside = {package.replace("/", ".").partition(".")[0]: tree} if package else tree
    for key in inside:
        if key in OF_A_CALL:
            raise UserError(f"{place.as_posix()}: {key}", inside[key], f"keys of the world; {OF_A_CALL[key]}")
    return tree


def check_references(value: Any, key: str = "") -> None:
    """Refuse all in `${...}` that is no plain key: Hydra's resolvers read the environment and run functions.

    >>> check_references({"patron": {"control": "${target.restraint}"}})
    """
    if isinstance(value, str) and "${" in _REFERENCE.sub("", value):
        raise UserError(key, value, "values, and plain references to keys such as ${patron.control}")
    if isinstance(value, Mapping):
        for name, inside in value.items():
            check_references(inside, f"{key}.{name}".removeprefix(".").replace(": .", ": "))
    elif isinstance(value, list):
        for place, inside in enumerate(value):
            check_references(inside, f"{key}[{place}]")


def group_file(group: str, name: str, config_dir: Path | None) -> Tree:
    """What a file of a group says, with the files of the group that it builds on; references stay as written."""
    content = read_group_file(named_file(group, name, config_dir))
    parents = [one for one in content.pop("defaults", None) or () if isinstance(one, str) and one != "_self_"]
    if not parents:
        return content
    trees = [group_file(group, parent, config_dir) for parent in parents]
    return _plain(OmegaConf.merge(*trees, content), resolve=False)


def named_file(group: str, name: str, config_dir: Path | None) -> Path:
    """The file of a group that has this name."""
    files = options(group, config_folders(config_dir))
    if name not in files:
        raise UserError(group, name, one_of(files, name))
    return files[name]


def merge_trees(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """The resolved tree with the changes merged on top, as Hydra merges files.

    Merging costs by the size of both, so sections that nothing changes stay out of it, unless a reference may ask
    for them.
    """
    refers = _refers(changes)
    beneath = tree if refers else {key: tree[key] for key in changes if key in tree}
    if not beneath and not refers:
        return {**tree, **changes}
    try:
        return {**tree, **_plain(OmegaConf.merge(dict(beneath), dict(changes)))}
    except FAILURES as error:
        raise unresolved_error(error) from None


def _composed(choices: Sequence[str], config_dir: Path | None) -> tuple[DictConfig, dict[str, str]]:
    """The chosen files merged by Hydra, and their names by group; the same files are merged once."""
    home = None if config_dir is None else config_dir.resolve()
    files = [path for folder in config_folders(home) for path in sorted(folder.rglob("*.yaml"))]
    merged, chosen = _merged(tuple(choices), home, tuple(map(_stamp, files)))
    return pickle.loads(merged), dict(chosen)  # a copy of its own, made faster than by copying


@lru_cache(maxsize=64)
def _merged(choices: tuple[str, ...], config_dir: Path | None, _: tuple[Stamp, ...]) -> tuple[bytes, Mapping[str, str]]:
    Plugins.instance().register(OwnFiles)
    path = []
    if config_dir is not None:
        folder = f"{OwnFiles.scheme()}://{config_dir}".replace("\\", "\\\\").replace("'", "\\'")
        path = [f"hydra.searchpath=['{folder}']"]
    with initialize_config_dir(config_dir=str(shipped_folder()), version_base="1.3"):
        composed = compose("config", overrides=[*choices, *path], return_hydra_config=True)
    with open_dict(composed):
        settings = composed.pop("hydra")
    return pickle.dumps(composed), {str(group): str(name) for group, name in settings.runtime.choices.items()}


def _refers(tree: Mapping[str, Any]) -> bool:
    """Whether a reference such as ${patron.control} stands anywhere in a tree."""
    return "${" in str(tree)


def _plain(config: Any, resolve: bool = True) -> Tree:
    """A configuration as plain Python."""
    content: Any = OmegaConf.to_container(config, resolve=resolve)
    return {str(key): value for key, value in content.items()}  # a key may be a number
