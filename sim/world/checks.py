"""Values taken from a composed configuration, each checked on its way out."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from sim.world.errors import UserError, one_of

MISSING = "???"
"""How Hydra writes a value that has to be given."""

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Section:
    """One mapping of the configuration under its full key, which refuses keys that it does not know.

    Every method returns a checked value or raises UserError with the full key.
    """

    def __init__(self, key: str, value: object, names: Collection[str]) -> None:
        self.key = key
        self._values = mapping(key, value)
        for name, given in self._values.items():
            if name not in names:
                raise unknown_key(key, name, given, names)

    def full(self, name: str) -> str:
        """The full key of one entry."""
        return f"{self.key}.{name}" if self.key else name

    def has(self, name: str) -> bool:
        """Whether an entry is given at all; null counts as given."""
        return bool(self._values.get(name, MISSING) != MISSING)

    def raw(self, name: str, allowed: str) -> Any:
        """An entry as it stands; `allowed` is told to the user where it is missing."""
        if not self.has(name):
            raise UserError(self.full(name), "(missing)", allowed)
        return self._values[name]

    def number(self, name: str, low: float, high: float) -> float:
        """A finite number, low and high included."""
        allowed = f"{low:g} to {high:g}"
        value = self.raw(name, allowed)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError(self.full(name), value, f"a number from {allowed}")
        if not low <= value <= high:
            raise UserError(self.full(name), value, allowed)
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number, low and high included; 1e6 is one."""
        allowed = f"a whole number from {low} to {high}"
        value = self.raw(name, allowed)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UserError(self.full(name), value, allowed)
        return value

    def flag(self, name: str) -> bool:
        """True or false, nothing else."""
        value = self.raw(name, "true or false")
        if not isinstance(value, bool):
            raise UserError(self.full(name), value, "true or false")
        return value

    def text(self, name: str) -> str:
        """A text that says something."""
        value = self.raw(name, "a text")
        if not isinstance(value, str) or not value.strip():
            raise UserError(self.full(name), value, "a text")
        return value.strip()

    def choice(self, name: str, names: Collection[str]) -> str:
        """One of the given names."""
        value = self.raw(name, one_of(names, ""))
        if not isinstance(value, str) or value not in names:
            raise UserError(self.full(name), value, one_of(names, value))
        return value

    def choices(self, name: str, names: Collection[str]) -> tuple[str, ...]:
        """A list of one or more of the given names, none of them twice."""
        value = self.raw(name, "a list of names")
        if not isinstance(value, list) or not value:
            raise UserError(self.full(name), value, f"a list with some of {', '.join(names)}")
        for one in value:
            if one not in names:
                raise UserError(self.full(name), one, one_of(names, one))
        if len(set(value)) < len(value):
            raise UserError(self.full(name), value, "each name once")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, possibly empty."""
        value = self.raw(name, "a list of texts")
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise UserError(self.full(name), value, "a list of texts")
        return tuple(value)

    def children(self, name: str) -> dict[str, Any]:
        """A mapping whose keys the user chose: lower-case identifiers."""
        value = mapping(self.full(name), self.raw(name, "a mapping"))
        for child in value:
            if not isinstance(child, str) or not _IDENTIFIER.fullmatch(child):
                allowed = "a name of at most 64 lower-case letters, digits and _"
                raise UserError(f"{self.full(name)}.{child}", child, allowed)
        return value


def mapping(key: str, value: object) -> dict[str, Any]:
    """The value as a mapping."""
    if not isinstance(value, Mapping):
        raise UserError(key or "configuration", value, "a mapping of keys to values")
    return dict(value)


def unknown_key(parent: str, name: str, value: object, names: Collection[str]) -> UserError:
    """The error for a key under `parent` that nobody reads, told with its first leaf."""
    prefix = f"{parent}." if parent else ""
    leaf, inside = f"{prefix}{name}", value
    while isinstance(inside, Mapping) and inside:
        first, inside = next(iter(inside.items()))
        leaf = f"{leaf}.{first}"
    return UserError(leaf, inside, f"keys: {one_of(names, name, prefix)}")
