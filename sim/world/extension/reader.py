"""Extensions in a configuration: which files are asked for, and the keys that they bring.

Hydra knows only keys that some file holds. So the user's overrides of an extension's own keys are taken out before it
composes and put into the tree afterwards, on top of what scenario files say.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override, OverrideType

from sim.world.checks import mapping
from sim.world.errors import UserError
from sim.world.extension.declared import Extension
from sim.world.extension.extended import extended_of
from sim.world.extension.file import KEY, extensions_of
from sim.world.overrides import parsed_override, value_text

Tree = dict[str, Any]


def asked_for(overrides: Sequence[str], extensions: Sequence[Extension | Path | str]) -> tuple[Extension, ...]:
    """The extensions that a key `extensions` names, then those that were handed over.

    Raises:
        UserError: one cannot be read.
    """
    files: list[str] = []
    for text in overrides:
        if text.partition("=")[0].strip() == KEY:
            parsed = parsed_override(text)
            if parsed.is_sweep_override():
                raise UserError(KEY, value_text(parsed), "one file, or a list of files in [ and ]; a sweep has one set")
            value = parsed.value()
            named = value if isinstance(value, list) else [value]
            files += [str(one) for one in named]
    return extensions_of((*files, *extensions)) if files or extensions else ()


def own_overrides(overrides: Sequence[str], added: tuple[Extension, ...]) -> tuple[list[Override], list[str]]:
    """The overrides of keys that extensions bring, and all others.

    Raises:
        UserError: one of the former cannot be read or asks for several values.
    """
    others = [text for text in overrides if text.partition("=")[0].strip() != KEY]
    names = {one.name for extension in added for one in extension.mechanisms}
    if not names:
        return [], others
    own = [text for text in others if _is_own(text, names)]
    return [_single(text) for text in own], [text for text in others if text not in own]


def extended_tree(tree: Tree, own: Sequence[Override], added: tuple[Extension, ...]) -> Tree:
    """The tree with every parameter and switch of the extensions in it, and with the hash of each extension."""
    if not added:
        return tree
    tree = {**tree, "mechanisms": dict(tree["mechanisms"])}
    for one in own:
        _set(tree, one.key_or_group.split("."), one.value(), one)
    extended = extended_of(tree, added)
    for name in (mechanism.name for mechanism in extended.mechanisms):
        tree[name] = {actor: {} for actor in extended.actors.get(name, ())}
        tree["mechanisms"][name] = name not in extended.off
    for key, value in extended.values.items():
        *path, name = key.split(".")
        place = tree
        for part in path:
            place = place[part]
        place[name] = value
    return {**tree, KEY: extended.hashes}


def _is_own(text: str, names: set[str]) -> bool:
    first, _, rest = text.partition("=")[0].strip(" +~").partition(".")
    return first in names or (first == "mechanisms" and rest in names)


def _single(text: str) -> Override:
    one = parsed_override(text)
    if one.is_sweep_override() or one.type is OverrideType.DEL or one.package is not None:
        raise UserError(one.key_or_group, value_text(one), "one value; only a sweep takes several")
    return one


def _set(tree: Tree, path: Sequence[str], value: Any, one: Override) -> None:
    place = tree
    for depth, part in enumerate(path[:-1]):
        inside = mapping(".".join(path[: depth + 1]), place.get(part) or {})
        place[part] = inside
        place = inside
    place[path[-1]] = value
