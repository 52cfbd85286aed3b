"""The one way in which a user's mistake is reported, and values of a configuration, each checked on its way out."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

_LONGEST_VALUE = 80
_MOST_NAMES = 20


class UserError(ValueError):
    """Something the user wrote cannot be used: where it stands, what it says, and what is allowed.

    The text is one line, whatever the parts hold. A long value keeps both its ends: a path ends in the file's name.

    >>> print(UserError("patron.control", 1.7, "0 to 1"))
    patron.control = 1.7: allowed 0 to 1
    >>> print(UserError("data", "/home/" + "very/" * 20 + "own.csv", "an existing file"))
    data = /home/very/very/very/very/very/very/ver.../very/very/very/very/very/very/own.csv: allowed an existing file
    """

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(key, value, allowed)
        self.key = key
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        value = _one_line(written(self.value))
        if len(value) > _LONGEST_VALUE:
            end = (_LONGEST_VALUE - 3) // 2
            value = f"{value[: _LONGEST_VALUE - 3 - end]}...{value[-end:]}"
        return f"{_one_line(self.key)} = {value}: allowed {_one_line(self.allowed)}"


def one_of(names: Collection[str], given: object, prefix: str = "") -> str:
    """Say which names are allowed: the nearest ones to what was given, or all when none is near.

    `prefix` is put before each name that is listed.

    >>> one_of(["patron", "target", "mediator"], "patorn")
    'one of 3 names, nearest: patron'
    """
    near = difflib.get_close_matches(str(given), names, n=3, cutoff=0.6)
    if near:
        return f"one of {len(names)} names, nearest: {', '.join(prefix + name for name in near)}"
    listed = [prefix + name for name in names][:_MOST_NAMES]
    return (", ".join(listed) or "nothing") + (", ..." if len(names) > _MOST_NAMES else "")


def written(value: object) -> str:
    """The value as a user would write it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def quoted(value: object) -> object:
    """A value that was read, with quotes where it is a text that without them would be a number or a switch.

    >>> quoted("true"), quoted("0.5"), quoted("maybe"), quoted(0.5)
    ("'true'", "'0.5'", 'maybe', 0.5)
    """
    other = isinstance(value, str) and _NO_TEXT.fullmatch(value.strip())
    return f"'{value}'" if other else value


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


MISSING = "???"
"""How Hydra writes a value that has to be given."""

_NO_TEXT = re.compile(r"true|false|null|[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
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
        """An entry as it stands; `allowed` says what the user may write where it is missing."""
        if not self.has(name):
            raise UserError(self.full(name), "(missing)", allowed)
        return self._values[name]

    def checked(self, name: str, allowed: str, accepts: Callable[[Any], bool]) -> Any:
        """An entry that a test accepts."""
        value = self.raw(name, allowed)
        if not accepts(value):
            raise UserError(self.full(name), quoted(value), allowed)
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """A finite number, low and high included."""
        allowed = f"{low:g} to {high:g}"
        self.raw(name, allowed)
        self.checked(name, f"a number from {allowed}", lambda value: is_number(value, int | float))
        return float(self.checked(name, allowed, lambda value: low <= value <= high))

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number, low and high included; 1e6 is one."""
        allowed = f"a whole number from {low} to {high}"
        value = self.raw(name, allowed)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not is_number(value, int) or not low <= value <= high:
            raise UserError(self.full(name), quoted(value), allowed)
        return int(value)

    def flag(self, name: str) -> bool:
        """True or false, nothing else."""
        return bool(self.checked(name, "true or false", lambda value: isinstance(value, bool)))

    def text(self, name: str) -> str:
        """A text that is not blank."""
        return str(self.checked(name, "a text", is_text)).strip()

    def choice(self, name: str, names: Collection[str]) -> str:
        """One of the given names."""
        value = self._values[name] if self.has(name) else self.raw(name, one_of(names, ""))
        if not isinstance(value, str) or value not in names:
            raise UserError(self.full(name), quoted(value), one_of(names, value))
        return value

    def choices(self, name: str, names: Collection[str]) -> tuple[str, ...]:
        """A list of one or more of the given names, none of them twice."""
        self.raw(name, "a list of names")
        allowed = f"a list with some of {', '.join(names)}"
        listed = self.checked(name, allowed, lambda value: isinstance(value, list) and bool(value))
        for item in listed:
            if item not in names:
                raise UserError(self.full(name), item, one_of(names, item))
        return tuple(self.checked(name, "each name once", lambda value: len(set(value)) == len(value)))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, possibly empty."""
        allowed = "a list of texts"
        return tuple(self.checked(name, allowed, lambda value: isinstance(value, list) and all(map(is_text, value))))

    def sections(self, name: str, keys: Collection[str]) -> "dict[str, Section]":
        """The mappings under keys that the user chose, each with entries of these names."""
        key = self.full(name)
        return {child: Section(f"{key}.{child}", value, keys) for child, value in self.children(name).items()}

    def children(self, name: str) -> dict[str, Any]:
        """A mapping whose keys the user chose: lower-case identifiers."""
        value = mapping(self.full(name), self.raw(name, "a mapping"))
        for child in value:
            if not isinstance(child, str) or not _IDENTIFIER.fullmatch(child):
                allowed = "a name of at most 64 lower-case letters, digits and _"
                raise UserError(f"{self.full(name)}.{child}", child, allowed)
        return value


def is_text(value: object) -> bool:
    """Whether a value is a text that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def is_number(value: object, kind: Any) -> bool:
    """Whether a value is a number of this kind; true and false are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def mapping(key: str, value: object) -> dict[str, Any]:
    """The value as a mapping."""
    if not isinstance(value, Mapping):
        raise UserError(key or "configuration", value, "a mapping of keys to values")
    return dict(value)


def unknown_key(parent: str, name: str, value: object, names: Collection[str]) -> UserError:
    """The error for an unknown key under `parent`, with its first leaf."""
    prefix = f"{parent}." if parent else ""
    leaf, inside = f"{prefix}{name}", value
    while isinstance(inside, Mapping) and inside:
        first, inside = next(iter(inside.items()))
        leaf = f"{leaf}.{first}"
    return UserError(leaf, inside, f"keys: {one_of(names, name, prefix)}")
