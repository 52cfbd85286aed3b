"""Old names of keys: the one table by which what was written under an old name is still read."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

ALIASES: Final = {
    "mechanisms.gaza_gate": "mechanisms.rival_war_gate",
    "mechanisms.us_limited": "mechanisms.limited_response",
    "mechanisms.us_major": "mechanisms.major_response",
    "mechanisms.us_restraint": "mechanisms.target_restraint",
}
"""Full keys of the configuration as they were called, and as they are."""

_KEY: Final = re.compile(r"[+~]*([^=]*)")


def current(key: str) -> str:
    """The present name of a key.

    >>> current("mechanisms.us_major"), current("mechanisms.fear")
    ('mechanisms.major_response', 'mechanisms.fear')
    """
    return ALIASES.get(key, key)


def current_mechanism(name: str) -> str:
    """The present name of a mechanism.

    >>> current_mechanism("gaza_gate")
    'rival_war_gate'
    """
    return current(f"mechanisms.{name}").partition(".")[2]


def current_overrides(overrides: Iterable[str]) -> tuple[str, ...]:
    """Overrides under present names.

    >>> current_overrides(["+mechanisms.us_major=false", "seed=7"])
    ('+mechanisms.major_response=false', 'seed=7')
    """
    return tuple(_KEY.sub(lambda found: found[0].replace(found[1], current(found[1])), one, 1) for one in overrides)


def current_tree(tree: Mapping[str, Any], overrides: Iterable[str] = ()) -> dict[str, Any]:
    """A configuration under present names; what files say under an old one yields to overrides of the present one."""
    found, set_above = dict(tree), {_KEY.match(one)[1] for one in overrides}  # type: ignore[index]
    for old, new in ALIASES.items():
        (group, before), name = old.split("."), new.partition(".")[2]
        if isinstance(section := found.get(group), Mapping) and before in section:
            rest = {key: value for key, value in section.items() if key != before}
            found[group] = rest if new in set_above else {**rest, name: section[before]}
    return found
