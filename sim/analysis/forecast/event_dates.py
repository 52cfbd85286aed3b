"""Dates in a user's file: how they are written is decided over the whole file, not cell by cell."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from sim.analysis.forecast.table_files import PLAIN, TableFile, refused

DATES: Final = "dates such as 2024-02-01, 1 February 2024 or 01/02/2024"
"""What is read."""
ORDERS: Final = ("d/m/y", "m/d/y")
"""What `filters.date_format` may say of dates that are three numbers."""
SET_ORDER: Final = "filters.date_format=d/m/y or filters.date_format=m/d/y"
_ISO: Final = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))(?:[T ].*)?")
_WEEK: Final = re.compile(r"(\d{4})-?W(\d{2})", re.IGNORECASE)
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_NUMBERS: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:[T ].*)?")
_SERIAL: Final = re.compile(r"([2-6]\d{4})(?:\.\d*)?")
_WORDS: Final = (
    "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%B-%Y", "%d-%b-%y", "%d %b %y", "%B %d, %Y", "%b %d, %Y", "%B %Y", "%b %Y",
)  # fmt: skip
_EXCEL: Final = date(1899, 12, 30)
"""Day 0 of Excel's serial numbers from March 1900 on."""


@dataclass(frozen=True)
class DateReading:
    """How dates are written, in words and as `filters.date_format` has it, and the date of every text that holds one.

    `deciding` is the text that decided between days first and months first.
    """

    form: str
    order: str | None
    days: dict[str, date]
    deciding: str = ""


def parse_date(text: str) -> date | None:
    """The date in a cell that can be read without looking at others; None where it holds none.

    >>> parse_date("16 May 2025"), parse_date("2024-02-01 00:00:00.000"), parse_date("02/01/24")
    (datetime.date(2025, 5, 16), datetime.date(2024, 2, 1), None)
    >>> parse_date("01-Feb-24"), parse_date("2024-W05"), parse_date("2024-02")
    (datetime.date(2024, 2, 1), datetime.date(2024, 1, 29), datetime.date(2024, 2, 1))
    """
    text = text.strip()
    try:
        if found := _ISO.fullmatch(text):
            return date(int(found[1]), int(found[3] or found[5]), int(found[4] or found[6]))
        if found := _WEEK.fullmatch(text):
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
        if found := _MONTH.fullmatch(text):
            return date(int(found[1]), int(found[2]), 1)
    except ValueError:
        return None
    for form in _WORDS if text[-2:].isdigit() and not text.isdigit() else ():
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def in_order(text: str, order: str) -> date | None:
    """The date that three numbers make in an order; two digits of a year are those from 1969 to 2068.

    >>> in_order("13/02/24", "d/m/y"), in_order("13/02/24", "m/d/y")
    (datetime.date(2024, 2, 13), None)
    """
    found = _NUMBERS.fullmatch(text.strip())
    if found is None:
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if len(found[4]) == 2:
        year += 2000 if year < 69 else 1900
    day, month = (first, second) if order == ORDERS[0] else (second, first)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_dates(path: Path, texts: Mapping[str, int], order: str | None) -> DateReading:
    """Read the distinct texts of a column of dates; blank ones hold none.

    Args:
        path: the file, for the error.
        texts: each with the number of its first row.
        order: what `filters.date_format` says; None where the file has to decide.

    Raises:
        UserError: a text is no date, or the file does not show in which order days and months stand.
    """
    filled = {text: row for text, row in texts.items() if text.strip()}
    if filled and all(_SERIAL.fullmatch(text.strip()) for text in filled):
        days = {text: _EXCEL + timedelta(int(float(text))) for text in filled}
        return DateReading("serial numbers of Excel", None, days)
    plain = {text: parse_date(text) for text in filled}
    numbers = [text for text in filled if plain[text] is None and _NUMBERS.fullmatch(text.strip())]
    bad = next((text for text in filled if plain[text] is None and text not in set(numbers)), None)
    if bad is not None:
        raise refused(path, f"{DATES}; row {filled[bad]} says {bad!r}")
    found = {text: when for text, when in plain.items() if when is not None}
    if not numbers:
        written = "2024-02-01" if all(_ISO.fullmatch(text.strip()) for text in found) else "1 February 2024"
        return DateReading(f"written as {written}", None, found)
    chosen, deciding = _order(path, numbers, filled, order)
    if found and order is None:
        one, other = numbers[0], next(iter(found))
        raise refused(
            path,
            f"dates written in one way; row {filled[one]} says {one!r} and row {filled[other]} says {other!r}: a"
            f" spreadsheet may have swapped days and months. Get the file anew, or set {SET_ORDER}",
        )
    for text in numbers:
        when = in_order(text, chosen)
        if when is None:
            why = f"dates as filters.date_format={chosen} reads them" if order else DATES
            raise refused(path, f"{why}; row {filled[text]} says {text!r}")
        found[text] = when
    first = "day" if chosen == ORDERS[0] else "month"
    return DateReading(f"three numbers, the {first} first", chosen, found, deciding)


def _order(path: Path, numbers: list[str], rows: Mapping[str, int], order: str | None) -> tuple[str, str]:
    """The order of three numbers, and the text that decides it."""
    if order is not None:
        return order, ""
    parts = {text: _NUMBERS.fullmatch(text.strip()) for text in numbers}
    day_first = next((text for text, one in parts.items() if one and int(one[1]) > 12 >= int(one[3])), None)
    month_first = next((text for text, one in parts.items() if one and int(one[3]) > 12 >= int(one[1])), None)
    if day_first is not None and month_first is not None:
        raise refused(
            path,
            f"dates in one order; row {rows[day_first]} says {day_first!r}, the day first, and row"
            f" {rows[month_first]} says {month_first!r}, the month first: get the file anew",
        )
    if day_first is None and month_first is None:
        text = numbers[0]
        raise refused(
            path, f"dates whose order shows; row {rows[text]} says {text!r}, and no day is above 12: set {SET_ORDER}"
        )
    return (ORDERS[0], day_first) if day_first is not None else (ORDERS[1], month_first or "")


def stored_remarks(table: TableFile, reading: DateReading) -> Iterator[str]:
    """What a reader should know of how a file is stored, where it is not CSV in UTF-8 with plain dates."""
    if table.words != PLAIN:
        doubt = "; it is not in UTF-8, so look whether names are right" if table.encoding == "cp1252" else ""
        yield f"read from {table.words}{doubt}"
    if reading.order or reading.form.startswith("serial"):
        why = f": {reading.deciding!r} shows it" if reading.deciding else ""
        yield f"dates are {reading.form}{why}"
