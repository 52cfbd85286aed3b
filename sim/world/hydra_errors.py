"""What Hydra, OmegaConf and the YAML reader complain about, said in one line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from sim.world.errors import UserError, one_of
from sim.world.overrides import value_text

FAILURES = (HydraException, OmegaConfBaseException, yaml.YAMLError, OSError, ValueError)
"""All that composing or reading a file can raise on a user's mistake."""

_OPEN = ("events", "history", "militia", "theatre")
"""Where users may add keys of their own."""


def explained(
    error: BaseException, overrides: Sequence[Override], grounded: Callable[[], Mapping[str, Any]]
) -> UserError:
    """The one line for a failed composition.

    Args:
        error: what was raised.
        overrides: the overrides of the composition.
        grounded: composes again without those that set a single key; tells which keys there are.
    """
    for cause in _causes(error):
        if isinstance(cause, UserError):
            return cause
        if isinstance(cause, yaml.YAMLError | UnicodeDecodeError):
            return bad_file(cause, _file_of(cause))
        if isinstance(cause, MissingConfigException):
            return _missing_file(cause)
    try:
        tree = grounded()
    except FAILURES:
        return unresolved(error)
    return _bad_key(overrides, tree) or unresolved(error)


def bad_file(error: BaseException, name: str) -> UserError:
    """The one line for a file that cannot be read as YAML."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return UserError(name, _first_line(error), "a readable YAML file that maps keys to values")
    problem = getattr(error, "problem", None) or "malformed"
    return UserError(name, f"malformed in line {mark.line + 1} ({problem})", "valid YAML")


def unresolved(error: BaseException) -> UserError:
    """The one line for a reference such as ${patron.control} that leads nowhere, and for all that nobody foresaw."""
    key = getattr(error, "full_key", None) or "configuration"
    return UserError(str(key), _first_line(error), "what Hydra can compose and resolve")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _missing_file(error: MissingConfigException) -> UserError:
    group, _, name = str(error.missing_cfg_file or "").rpartition("/")
    return UserError(group or "defaults", name, one_of(list(error.options or ()), name))


def _bad_key(overrides: Sequence[Override], tree: Mapping[str, Any]) -> UserError | None:
    """The first override whose key is not there, or is there already although it is to be added."""
    for one in overrides:
        key = one.key_or_group
        prefix, name, names = _deepest(key, tree)
        if name is None and one.is_add():
            return UserError(f"+{key}", value_text(one), f"{key}=..., for the key is there already")
        if name is not None and not (one.is_add() or one.is_force_add()):
            hint = "; + adds a new one" if key.partition(".")[0] in _OPEN else ""
            return UserError(key, value_text(one), f"keys: {one_of(names, name, prefix)}{hint}")
    return None


def _deepest(key: str, tree: Mapping[str, Any]) -> tuple[str, str | None, list[str]]:
    """How far a key leads: the prefix that is there, the first name that is not (None: all are), names beside it."""
    prefix = ""
    inside: Any = tree
    for name in key.split("."):
        names = [str(one) for one in inside] if isinstance(inside, Mapping) else []
        if name not in names:
            return prefix, name, names
        prefix, inside = f"{prefix}{name}.", inside[name]
    return prefix, None, []


def _file_of(error: BaseException) -> str:
    mark = getattr(error, "problem_mark", None)
    return "YAML file" if mark is None else Path(str(mark.name)).name


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
