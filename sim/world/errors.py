"""The one way in which a user's mistake is reported."""

import difflib
from collections.abc import Collection

_LONGEST_VALUE = 80
_MOST_NAMES = 20


class UserError(ValueError):
    """Something the user wrote cannot be used: where it stands, what it says, and what is allowed.

    The text is one line, whatever the parts hold.

    >>> print(UserError("patron.control", 1.7, "0 to 1"))
    patron.control = 1.7: allowed 0 to 1
    """

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(key, value, allowed)
        self.key = key
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        value = _one_line(_written(self.value))
        if len(value) > _LONGEST_VALUE:
            value = value[: _LONGEST_VALUE - 3] + "..."
        return f"{_one_line(self.key)} = {value}: allowed {_one_line(self.allowed)}"


def one_of(names: Collection[str], given: object, prefix: str = "") -> str:
    """Say which names are allowed: the nearest ones to what was given, or all when none is near.

    `prefix` is put before each name that is told.

    >>> one_of(["patron", "target", "mediator"], "patorn")
    'one of 3 names, nearest: patron'
    """
    near = difflib.get_close_matches(str(given), names, n=3, cutoff=0.6)
    if near:
        return f"one of {len(names)} names, nearest: {', '.join(prefix + name for name in near)}"
    listed = [prefix + name for name in names][:_MOST_NAMES]
    return (", ".join(listed) or "nothing") + (", ..." if len(names) > _MOST_NAMES else "")


def _written(value: object) -> str:
    """The value as a user would write it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
