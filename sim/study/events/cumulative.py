"""A small table of cumulative counts: one row per date, how many attacks so far, perhaps by theatre."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from sim.study.events.counts import Counts, Report
from sim.study.events.dates import ALLOWED, date_of
from sim.study.events.filters import Filters
from sim.study.events.formats import refuse_twice
from sim.world.errors import UserError
from sim.world.timeline import Calendar

KEY: Final = "data"
DATE: Final = "as_of_date"
TOTAL: Final = "total"
MOST_ROWS: Final = 100_000
LARGEST: Final = 100_000
"""The largest count that is believed."""
OUTSIDE: Final = "outside the calendar"
REVISED: Final = "revised by a later row"
BLANK: Final = "no number in the row"


def is_cumulative(header: Sequence[str]) -> bool:
    """Whether a header (lower case) is that of such a table."""
    return DATE in header and len(header) > 1


def read_cumulative(path: Path, filters: Filters, calendar: Calendar) -> Counts:
    """Read a table of cumulative counts.

    Columns `as_of_date` and `total`, and one for each theatre that is told apart; others are ignored, blanks allowed.
    Where a date comes twice, the later row holds. Counting begins on `filters.from`, else on the calendar's first day.
    If the first row after the calendar's end still has the last total within it, the days up to the end had no attack.

    Raises:
        UserError: a cell is no date or no count, a count falls, theatres exceed the total, or nothing is left.
    """
    theatres = filters.theatres
    rows, dropped, read = _rows(path, theatres, calendar)
    later = [rows.pop(day) for day in sorted(rows) if day >= calendar.days]
    dropped[OUTSIDE] += len(later)
    if later and rows and _total(later[0]) == _total(rows[max(rows)]) and max(rows) < calendar.days - 1:
        rows[calendar.days - 1] = rows[max(rows)]
        dropped[OUTSIDE] -= 1
    if not rows:
        told = ", ".join(f"{reason}: {number}" for reason, number in dropped.items() if number) or "it has no rows"
        raise UserError(KEY, path.name, f"a table with at least one count; of {read} rows none is left ({told})")
    first = 0 if filters.start is None else max(0, calendar.day_of(filters.start))
    days = [day for day in sorted(rows) if day >= first]
    if not days:
        raise UserError(KEY, path.name, f"a count for a day from {calendar.date_of(first)} on")
    ends = np.array([first - 1, *days])
    split = np.array([[0.0] * len(theatres), *([np.nan if n is None else n for n in rows[day][1]] for day in days)])
    total = np.array([0.0, *(_total(rows[day]) for day in days)])
    _check(path, calendar, theatres, ends, total, split)
    remarks = (
        f"counted from {calendar.date_of(first)} on, known on {len(days)} days up to {calendar.date_of(days[-1])}",
        "only totals are told" if np.isnan(split[1:]).all() else "theatres are told where the table has them",
    )
    report = Report("cumulative counts", read, len(days), {why: n for why, n in dropped.items() if n}, remarks)
    return Counts(theatres, ends, total, split, report)


def _rows(
    path: Path, theatres: Sequence[str], calendar: Calendar
) -> tuple[dict[int, tuple[float | None, tuple[float | None, ...]]], dict[str, int], int]:
    """What holds of each day, how many rows were dropped by reason, and how many there are."""
    rows: dict[int, tuple[float | None, tuple[float | None, ...]]] = {}
    dropped = dict.fromkeys((OUTSIDE, REVISED, BLANK), 0)
    read = 0
    for when, total, split in _cells(path, theatres):
        read += 1
        day = calendar.day_of(when)
        if total is None and any(one is None for one in split):
            dropped[BLANK] += 1
        elif day < 0:
            dropped[OUTSIDE] += 1
        else:
            dropped[REVISED] += day in rows
            rows[day] = (total, split)
    return rows, dropped, read


def _cells(path: Path, theatres: Sequence[str]) -> Iterator[tuple[date, float | None, tuple[float | None, ...]]]:
    """The rows of the file: date, total, theatres; None for a blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = [one.strip().casefold() for one in reader.fieldnames or ()]
            _check_header(path, reader.fieldnames, theatres)
            for number, row in enumerate(reader, start=1):
                if number > MOST_ROWS:
                    raise UserError(KEY, path.name, f"a table of at most {MOST_ROWS} rows")
                _check_width(path, number, row, len(reader.fieldnames))
                if not any(isinstance(cell, str) and cell.strip() for cell in row.values()):
                    continue  # _check_width has seen to it that further cells are blank too
                when = date_of(row[DATE] or "")
                if when is None:
                    raise UserError(KEY, path.name, f"{ALLOWED}; row {number} says {row[DATE] or ''!r}")
                total = _number(path, number, TOTAL, row.get(TOTAL))
                yield when, total, tuple(_number(path, number, name, row.get(name)) for name in theatres)
    except UnicodeDecodeError:
        raise UserError(KEY, path.name, "text in UTF-8") from None
    except csv.Error as problem:
        raise UserError(KEY, path.name, f"a CSV file that can be read ({problem})") from None


def _check_header(path: Path, header: Sequence[str], theatres: Sequence[str]) -> None:
    """Refuse a table that tells no total, nor all theatres that would add up to one; or a column twice."""
    if TOTAL not in header and not set(theatres) <= set(header):
        raise UserError(KEY, path.name, f"a table with the column {TOTAL}, or with all of {', '.join(theatres)}")
    refuse_twice(path, [one for one in header if one in (DATE, TOTAL, *theatres)])


def _check_width(path: Path, number: int, row: Mapping[str | None, Any], width: int) -> None:
    """Refuse a row with more cells than there are columns: a comma within a number would shift the others."""
    more = row.get(None) or ()
    if any(one.strip() for one in more):
        raise UserError(
            KEY, path.name, f"rows of {width} cells, as many as columns; row {number} has {width + len(more)}"
        )


def _number(path: Path, row: int, column: str, text: str | None) -> float | None:
    """A count, or None for a blank."""
    if text is None or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value.is_integer() or not 0 <= value <= LARGEST:
        raise UserError(
            KEY, path.name, f"whole counts from 0 to {LARGEST}; row {row}, column {column} says {text.strip()[:40]!r}"
        )
    return value


def _total(row: tuple[float | None, tuple[float | None, ...]]) -> float:
    """The total of a row; the sum of its theatres where it has none."""
    total, split = row
    return sum(one or 0.0 for one in split) if total is None else total


def _check(
    path: Path, calendar: Calendar, theatres: Sequence[str], ends: np.ndarray, total: np.ndarray, split: np.ndarray
) -> None:
    """Refuse counts that fall, and theatres that together exceed the total."""
    for name, column in ((TOTAL, total), *((name, split[:, k]) for k, name in enumerate(theatres))):
        known = ~np.isnan(column)
        fell = np.flatnonzero(np.diff(column[known]) < 0)
        if len(fell):
            place = int(np.flatnonzero(known)[fell[0] + 1])
            before = int(np.flatnonzero(known)[fell[0]])
            raise UserError(
                KEY, path.name,
                f"counts that never fall (a later row may revise a date); {name} falls from {column[before]:.0f}"
                f" on {calendar.date_of(int(ends[before]))} to {column[place]:.0f}"
                f" on {calendar.date_of(int(ends[place]))}",
            )  # fmt: skip
    over = np.flatnonzero(np.nansum(split, axis=1) > total)
    if len(over):
        when = calendar.date_of(int(ends[over[0]]))
        raise UserError(KEY, path.name, f"theatres that add up to no more than the total; on {when} they do")
