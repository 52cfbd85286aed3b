"""Settings as a scenario file: what `lull run` reads, and what of such a file can be set while looking.

A file is read as plain data. What it changes beside numbers and mechanisms must be what a known scenario file changes,
because nothing else can be shown as an address.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import yaml

from sim.study.live.settings import FREE_FROM, Ground, Settings, Value, set_in, settable
from sim.world.aliases import current_tree
from sim.world.compose import check_references, config_folders, options, read_group_file
from sim.world.errors import UserError
from sim.world.scenario import START

LARGEST: Final = 50_000
"""Signs of a file that is read."""
DEEPEST: Final = 100
"""Brackets that it may open: reading them takes time that grows with the square."""
KEY: Final = "file"
_HEAD: Final = """\
# @package _global_
# Saved by the page of Lull. As DIR/scenario/{name}.yaml it is run by: lull run --config-dir DIR scenario={name}
"""

Tree = dict[str, Any]


def saved(ground: Ground, settings: Settings, name: str = "mine") -> str:
    """The scenario file that settings make: that of their scenario with the values on top."""
    content = _file(ground, settings.scenario)
    if settings.free:
        content["history"] = {**content.get("history", {}), "free_from": START}
    for key, value in settings.values:
        group, _, leaf = key.partition(".")
        content[group] = {**content.get(group, {}), leaf: value}
    return _HEAD.format(name=name) + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def opened(ground: Ground, text: str) -> Settings:
    """The settings in a scenario file.

    Raises:
        UserError: it is no scenario file, changes more than numbers and mechanisms, or a value is not allowed.
    """
    values, rest = _parted(_parsed(text))
    for name in ground.names:
        own, other = _parted(_file(ground, name))
        if other == rest:
            free = values.get(FREE_FROM) == START and FREE_FROM not in own
            left_out = {key: _usual(ground, key) for key in own if key not in values}
            kept = {key: value for key, value in (values | left_out).items() if not (free and key == FREE_FROM)}
            return _checked(ground, {"scenario": name, **({"history": "free"} if free else {})}, kept)
    about = rest.pop("scenario", {})
    if rest or not isinstance(about, dict) or not set(about) <= {"question", "departs"}:
        key = next(iter(rest), "scenario")
        allowed = "numbers and mechanisms here; scenarios with more are chosen after `lull app --config-dir DIR`"
        raise UserError(f"{KEY}: {key}", rest.get(key, about), allowed)
    if about.get("departs") is not None:
        values = {FREE_FROM: about["departs"], **values}
    return _checked(ground, {"scenario": "article"}, values)


def _checked(ground: Ground, chosen: Mapping[str, str], values: Mapping[str, Any]) -> Settings:
    texts = {key: str(one).lower() if isinstance(one, bool) else str(one) for key, one in values.items()}
    try:
        return ground.settings({**chosen, **texts})
    except UserError as mistake:
        raise UserError(f"{KEY}: {mistake.key}", mistake.value, mistake.allowed) from None


def _parsed(text: str) -> Tree:
    """A text as plain data: no objects, no references, nothing that grows when it is read."""
    if len(text) > LARGEST:
        raise UserError(KEY, f"{len(text)} signs", f"at most {LARGEST}")
    if text.count("{") + text.count("[") > DEEPEST:
        raise UserError(KEY, "many brackets", f"at most {DEEPEST}")
    allowed = "a scenario file: YAML that maps keys to values"
    try:
        referring = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text))
        content = None if referring else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        raise UserError(KEY, f"malformed in line {mark.line + 1}" if mark else "malformed", allowed) from None
    if referring:
        raise UserError(KEY, "a reference (*)", "plain values")
    if not isinstance(content, dict):
        raise UserError(KEY, "no mapping", allowed)
    check_references(content, f"{KEY}: ")
    return _plain(content)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _parted(content: Tree) -> tuple[dict[str, Any], Tree]:
    """What can be set, by key, and all else, as it stands."""
    known = set(settable())
    values: dict[str, Any] = {}
    rest: Tree = {}
    for group, inside in current_tree(content).items():
        leaves = inside if isinstance(inside, dict) else {}
        mine = {name: one for name, one in leaves.items() if f"{group}.{name}" in known}
        values |= {f"{group}.{name}": one for name, one in mine.items()}
        if len(mine) < len(leaves) or not leaves:
            others = {name: one for name, one in leaves.items() if name not in mine}
            rest[group] = others if leaves else inside
    return values, rest


def _file(ground: Ground, name: str) -> Tree:
    plain: Tree = _plain(read_group_file(options("scenario", config_folders(ground.config_dir))[name]))
    return plain


def _usual(ground: Ground, key: str) -> Value | None:
    return set_in(ground.base("article", False), key)
