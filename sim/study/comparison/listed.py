"""The list of a comparison as a user writes it: `[article,no_order,article;target.quiet_days=5]`.

Commas part the entries, semicolons what is changed in one. Brackets and quotes inside values are left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from sim.world.errors import UserError

KEY: Final = "scenarios"
SHAPE: Final = "a list such as [article,no_order,article;target.quiet_days=5]"
_MOVE: Final = re.compile(r"(?P<event>[a-z][a-z0-9_]*)\s*@\s*(?P<day>\S+)")


@dataclass(frozen=True)
class Listed:
    """One entry: the scenario file, overrides on top of it, and events that are moved to another day."""

    label: str
    scenario: str
    changes: tuple[str, ...] = ()
    moves: tuple[tuple[str, date], ...] = ()


def entries(text: str) -> list[str]:
    """The entries of a list.

    >>> entries("[article, 'article;target.quiet_days=5']")
    ['article', 'article;target.quiet_days=5']

    Raises:
        UserError: it is no list.
    """
    inside = text.strip()
    if not (inside.startswith("[") and inside.endswith("]")):
        raise UserError(KEY, text, SHAPE)
    return [_unquoted(one) for one in parted(inside[1:-1], ",")]


def listed(entry: str) -> Listed:
    """One entry taken apart.

    >>> listed("article;february_strikes@2024-01-20").moves
    (('february_strikes', datetime.date(2024, 1, 20)),)

    Raises:
        UserError: it cannot be read.
    """
    scenario, *changes = parted(entry, ";")
    if not scenario or "=" in scenario or "@" in scenario or not all(changes):
        raise UserError(KEY, entry or "(empty)", f"a scenario, then KEY=VALUE or EVENT@DATE after semicolons: {SHAPE}")
    moves = [_move(one) for one in changes if "=" not in one]
    keyed = tuple(one for one in changes if "=" in one)
    return Listed(";".join((scenario, *changes)), scenario, keyed, tuple(moves))


def _move(text: str) -> tuple[str, date]:
    found = _MOVE.fullmatch(text)
    if found is None:
        raise UserError(KEY, text, "KEY=VALUE, or EVENT@DATE such as february_strikes@2024-01-20")
    try:
        return found["event"], date.fromisoformat(found["day"])
    except ValueError:
        raise UserError(f"{KEY}: {found['event']}@", found["day"], "a date such as 2024-01-20") from None


def parted(text: str, sign: str) -> list[str]:
    """A text cut at a sign, except inside brackets or quotes.

    >>> parted("a=[1,2],b='x,y',c", ",")
    ['a=[1,2]', "b='x,y'", 'c']

    Raises:
        UserError: a bracket or a quote is not closed.
    """
    parts = [""]
    for one, inside in _watched(text):
        if one == sign and not inside:
            parts.append("")
        else:
            parts[-1] += one
    return [part.strip() for part in parts]


def _watched(text: str) -> Iterator[tuple[str, bool]]:
    """Every sign, and whether it stands inside brackets or quotes."""
    depth, quote = 0, ""
    for one in text:
        if quote:
            quote = "" if one == quote else quote
        elif one in "'\"":
            quote = one
        else:
            depth += (one in "[{(") - (one in "]})")
        yield one, bool(depth or quote)
    if depth or quote:
        raise UserError(KEY, text, f"brackets and quotes that close, in {SHAPE}")


def _unquoted(text: str) -> str:
    """An entry without the quotes around it."""
    for quote in "'\"":
        if len(text) > 1 and text[0] == text[-1] == quote and quote not in text[1:-1]:
            return text[1:-1].strip()
    return text
