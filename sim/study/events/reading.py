"""`read_events`: a user's file in, counts by day and theatre out, and what was dropped and why.

The format is recognised by the columns. Exports of event databases are streamed: memory does not grow with the file.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sim.study.events.counts import Counts
from sim.study.events.cumulative import DATE, is_cumulative, read_cumulative
from sim.study.events.exports import read_export
from sim.study.events.filters import Filters
from sim.study.events.formats import GED, GED_COLUMNS, bare_ged, recognised
from sim.study.memory import size
from sim.world.errors import UserError
from sim.world.timeline import Calendar

KEY: Final = "data"
LARGEST: Final = 2_000_000_000
"""Bytes of the largest file that is read: about four million rows of ACLED. A larger one is refused unread."""
_HEAD: Final = 1 << 18
_NAMED: Final = 6
_SHORT: Final = 30
_FORMATS: Final = (
    f"an export of ACLED or UCDP GED, or a table with the columns {DATE}, total and theatres, as a CSV file with commas"
)
_NOT_CSV: Final = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\xd0\xcf\x11\xe0": "an Excel file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"\x1f\x8b": "a compressed file",
    b"PAR1": "a Parquet file",
}


def read_events(path: Path | str, filters: Filters, calendar: Calendar) -> Counts:
    """Read a file of events, or of cumulative counts.

    Args:
        path: a CSV file in UTF-8, with commas: an export of ACLED (by its columns; dates such as 2024-02-01 or
            1 February 2024) or of UCDP GED (also its candidate events, also without a header), or a table with the
            columns `as_of_date`, `total` and one for each theatre.
        filters: which events count and where; a table of counts takes only the theatres and the first day from it.
        calendar: what falls outside is dropped, and reported.

    Returns:
        Counts so far at the end of each day, or of each date of the table, with a report.

    Raises:
        UserError: there is no such file, it is too large, of no known format, damaged, or empty once filtered.
    """
    path = Path(path)
    _check_size(path)
    header, columns = _head(path)
    names = [one.strip().casefold() for one in header]
    if is_cumulative(names):
        return read_cumulative(path, filters, calendar)
    found = recognised(names)
    if found is not None:
        return read_export(path, found, header, False, filters, calendar)
    if bare_ged(header):
        return read_export(path, GED, GED_COLUMNS, True, filters, calendar)
    raise UserError(KEY, path.name, f"{_FORMATS}; {_named(header, columns)}")


def _named(header: Sequence[str], columns: int) -> str:
    """What the columns of an unknown file are called, in short."""
    names = [one.strip()[:_SHORT] or "(nothing)" for one in header[:_NAMED]]
    if columns == 1:
        return f"this one has a single column, {names[0]}"
    return f"this one has {columns} columns: {', '.join(names)}" + (", ..." if columns > len(names) else "")


def _check_size(path: Path) -> None:
    try:
        bytes_there = path.stat().st_size
    except OSError:
        raise UserError(KEY, path, "an existing file") from None
    if not path.is_file():
        raise UserError(KEY, path, "a file; this is a folder")
    if bytes_there > LARGEST:
        raise UserError(KEY, path.name, f"files of at most {size(LARGEST)}; this one has {size(bytes_there)}")


def _head(path: Path) -> tuple[list[str], int]:
    """The cells of the first line, and how many there are.

    Raises:
        UserError: this is no text in UTF-8, or its columns are not parted by commas.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_HEAD)
    except OSError as problem:
        raise UserError(KEY, path.name, f"a file that can be read ({problem.strerror})") from None
    for mark, what in _NOT_CSV.items():
        if start.startswith(mark):
            raise UserError(KEY, path.name, f"{_FORMATS}; this is {what}: save it as CSV (UTF-8)")
    text = _decoded(start, path)
    first = text.lstrip("\r\n").partition("\n")[0]
    if not first.strip():
        raise UserError(KEY, path.name, f"{_FORMATS}; this one is empty")
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if first.count(sign) > first.count(","):
            raise UserError(KEY, path.name, f"columns parted by commas; these are parted by {name}")
    cells = _cells(text)
    return cells, len(cells)


def _decoded(start: bytes, path: Path) -> str:
    """The text, without a byte order mark; a letter cut in two at the end of what was read does not matter."""
    if b"\x00" in start:
        raise UserError(KEY, path.name, f"{_FORMATS}; this one holds bytes that are no text")
    try:
        return start.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        if problem.start < len(start) - 4:
            line = start[: problem.start].count(b"\n") + 1
            raise UserError(KEY, path.name, f"text in UTF-8; line {line} is in another encoding") from None
        return start[: problem.start].decode("utf-8-sig")


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:
        return []
