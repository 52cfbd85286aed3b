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
    found = _NUMBERS.fullmatch(text)
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
    rows = {text: row for text, row in texts.items() if text}
    if rows and all(map(_SERIAL.fullmatch, rows)):
        days = {text: _EXCEL + timedelta(int(float(text))) for text in rows}
        return DateReading("serial numbers of Excel", None, days)
    plain = {text: parse_date(text) for text in rows}
    found = {text: when for text, when in plain.items() if when is not None}
    numbers = [text for text in rows if text not in found and _NUMBERS.fullmatch(text)]
    if len(found) + len(numbers) < len(rows):
        bad = next(text for text in rows if text not in found and not _NUMBERS.fullmatch(text))
        raise refused(path, f"{DATES}; row {rows[bad]} says {bad!r}")
    if not numbers:
        written = "2024-02-01" if all(map(_ISO.fullmatch, found)) else "1 February 2024"
        return DateReading(f"written as {written}", None, found)
    one, other = numbers[0], next(iter(found), "")
    wrong = {form: next((text for text in numbers if in_order(text, form) is None), "") for form in ORDERS}
    day, month = (wrong[form] for form in ORDERS)
    if order and (bad := wrong[order]):
        raise refused(path, f"dates as filters.date_format={order} reads them; row {rows[bad]} says {bad!r}")
    if order is None:
        if day and day == month:
            raise refused(path, f"{DATES}; row {rows[day]} says {day!r}")
        if day and month:
            raise refused(
                path,
                f"dates in one order; row {rows[month]} says {month!r}, the day first, and row {rows[day]} says"
                f" {day!r}, the month first: get the file anew",
            )
        if not day and not month:
            raise refused(
                path, f"dates whose order shows; row {rows[one]} says {one!r}, and no day is above 12: set {SET_ORDER}"
            )
        if other:
            raise refused(
                path,
                f"dates written in one way; row {rows[one]} says {one!r} and row {rows[other]} says {other!r}: a"
                f" spreadsheet may have swapped days and months. Get the file anew, or set {SET_ORDER}",
            )
    chosen = order or ORDERS[bool(day)]
    read = {text: when for text in numbers if (when := in_order(text, chosen)) is not None}
    first = "month" if chosen == ORDERS[1] else "day"
    return DateReading(f"three numbers, the {first} first", chosen, found | read, "" if order else day or month)


def stored_remarks(table: TableFile, reading: DateReading) -> Iterator[str]:
    """What a reader should know of how a file is stored, where it is not CSV in UTF-8 with plain dates."""
    if table.words != PLAIN:
        doubt = "; it is not in UTF-8, so look whether names are right" if table.encoding == "cp1252" else ""
        yield f"read from {table.words}{doubt}"
    if reading.order or reading.form.startswith("serial"):
        why = f": {reading.deciding!r} shows it" if reading.deciding else ""
        yield f"dates are {reading.form}{why}"
