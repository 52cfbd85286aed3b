"""Text of dates, numbers and sizes, and dates from text."""

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.model.cast import Cast


def full_date(day: date) -> str:
    """A date with a short month.

    >>> full_date(date(2024, 1, 29))
    '29 Jan 2024'
    """
    return f"{day.day} {day:%b %Y}"


def short_date(day: date) -> str:
    """A date without its year.

    >>> short_date(date(2024, 3, 5))
    '5 Mar'
    """
    return f"{day.day} {day:%b}"


def number(value: float) -> str:
    """A number with three digits.

    >>> number(0.123456), number(3.0), number(2.0**-20)
    ('0.123', '3', '9.54e-07')
    """
    return f"{value:.3g}"


def times(count: float) -> str:
    """How often something happened.

    >>> times(1.0), times(2.0), times(7.0)
    ('once', 'twice', '7 times')
    """
    return {1.0: "once", 2.0: "twice"}.get(count, f"{count:g} times")


def soldiers(count: float) -> str:
    """A number of soldiers.

    >>> soldiers(1.0), soldiers(3.0)
    ('1 soldier', '3 soldiers')
    """
    return f"{count:g} {'soldier' if count == 1.0 else 'soldiers'}"


def possessive(name: str) -> str:
    """A name as an owner.

    >>> possessive("Iran"), possessive("United States")
    ("Iran's", "United States'")
    """
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def named(text: str, cast: "Cast") -> str:
    """The text with the names of this case in place of the roles."""
    for role, name in (("the target", cast.names.target), ("the patron", cast.names.patron)):
        text = text.replace(f"{role}'s", possessive(name)).replace(role, name)
    return text


def size(count: float) -> str:
    """A number of bytes as people read it.

    >>> size(3_500_000_000)
    '3.5 GB'
    """
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
