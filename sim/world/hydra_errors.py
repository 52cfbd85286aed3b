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


def explained(
    error: BaseException, overrides: Sequence[Override], grounded: Callable[[], Mapping[str, Any]]
) -> UserError:
    """The one line for a failed composition.

    Args:
        error: what was raised.
        overrides: the overrides of the composition.
        grounded: composes again without those that set a single key; tells which keys there are.
    """
    if isinstance(error, UserError):
        return error
    for cause in _causes(error):
        if isinstance(cause, yaml.YAMLError | UnicodeDecodeError):
            return bad_file(cause)
        if isinstance(cause, MissingConfigException):
            return _missing_file(cause)
    try:
        tree = grounded()
    except FAILURES:
        return _unforeseen(error)
    return _bad_key(overrides, tree) or _unforeseen(error)


def bad_file(error: BaseException, name: str = "YAML file") -> UserError:
    """The one line for a file that cannot be read as YAML."""
    if isinstance(error, UserError):
        return error
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return UserError(name, type(error).__name__, "a readable YAML file with a mapping of keys to values")
    problem = getattr(error, "problem", None) or "malformed"
    file = Path(str(mark.name)).name if name == "YAML file" else name
    return UserError(file, f"malformed in line {mark.line + 1} ({problem})", "valid YAML")


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
        known, inside, place = "", tree, ""
        for name in one.key_or_group.split("."):
            place = f"{known}.{name}" if known else name
            if not isinstance(inside, Mapping) or name not in inside:
                break
            known, inside = place, inside[name]
        exists = known == one.key_or_group
        if not exists and not (one.is_add() or one.is_force_add()):
            names = [f"{known}.{name}" if known else str(name) for name in inside] if isinstance(inside, Mapping) else []
            return UserError(one.key_or_group, value_text(one), f"keys: {one_of(names, place)}")
        if exists and one.is_add():
            return UserError(f"+{one.key_or_group}", value_text(one), f"{one.key_or_group}=..., for the key is there already")
    return None


def _unforeseen(error: BaseException) -> UserError:
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    key = getattr(error, "full_key", None) or "configuration"
    return UserError(str(key), first, "what Hydra can compose")
