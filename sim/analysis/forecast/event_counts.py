"""Counts of attacks so far at the ends of days, in all and by theatre, and the small table that users keep them in."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.experiment.formats import DATES, parse_date
from sim.experiment.statistics import Array
from sim.model.timeline import Calendar
from sim.model.validation import UserError

DATE: Final = "as_of_date"
TOTAL: Final = "total"
MOST_ROWS: Final = 100_000
LARGEST_TOTAL: Final = 100_000
"""The largest count that is believed."""
OUTSIDE: Final = "outside the calendar"
REVISED: Final = "revised by a later row"
BLANK: Final = "no number in the row"


@dataclass(frozen=True)
class ReadingReport:
    """How a file was read: its format, its rows, the rows used, the rows dropped by reason, and remarks."""

    format: str
    rows: int
    kept: int
    dropped: dict[str, int]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Attacks so far at the ends of days on which they are known (E of them), over theatres (K).

    `ends` are day numbers of the case's calendar; counting begins after `ends[0]`, where all is 0. `total` (E,) is
    always known, `split` (E, K) is NaN where the source does not tell the theatre.
    """

    theatres: tuple[str, ...]
    ends: Array
    total: Array
    split: Array
    report: ReadingReport = field(compare=False)

    @property
    def daily(self) -> bool:
        """Whether the count of every single day is known."""
        return bool((np.diff(self.ends) == 1).all())

    def upto(self, day: int) -> "Counts":
        """What was known at the end of a day."""
        known = self.ends <= day
        return Counts(self.theatres, self.ends[known], self.total[known], self.split[known], self.report)

    def nearest_end(self, day: int) -> int:
        """The last day up to `day` at whose end the total is known; the first one where there is none."""
        return int(self.ends[max(0, int(np.searchsorted(self.ends, day, side="right")) - 1)])

    def between(self, edges: npt.ArrayLike, theatre: int | None = None) -> Array:
        """Attacks (len(edges) - 1,) between consecutive ends, each of which must be known.

        Of one theatre where it is given, NaN where its count is not known; else of all.
        """
        column = self.total if theatre is None else self.split[:, theatre]
        return np.diff(column[np.searchsorted(self.ends, np.asarray(edges))])


def from_days(theatres: tuple[str, ...], first: int, by_day: Array, report: ReadingReport) -> Counts:
    """Counts from the attacks of each day and theatre (D, K), the first of them day number `first`."""
    so_far = np.concatenate([np.zeros((1, len(theatres))), np.cumsum(by_day, axis=0)])
    return Counts(theatres, first - 1 + np.arange(len(so_far)), so_far.sum(axis=1), so_far, report)


def refused(path: Path, allowed: str) -> UserError:
    """The one line about a file that cannot be used."""
    return UserError("data", path.name, allowed)


def refuse_twice(path: Path, columns: Sequence[str]) -> None:
    """Refuse a file in which a column that is read stands twice."""
    twice = next((one for one in columns if columns.count(one) > 1), None)
    if twice is not None:
        raise refused(path, f"each column once; {twice} stands {columns.count(twice)} times")


# --- tables of cumulative counts ----------------------------------------------------------------------------


def read_cumulative(path: Path, theatres: tuple[str, ...], start: date | None, calendar: Calendar) -> Counts:
    """Read a table of cumulative counts.

    Columns `as_of_date` and `total`, and one for each theatre that is counted apart; others are ignored, blanks
    allowed. Where a date comes twice, the later row holds. Counting begins on `start`, else on the calendar's first
    day. If the first row after the calendar's end still has the last total within it, the days up to the end had no
    attack.
    """
    rows, dropped, read = _rows(path, theatres, calendar)
    later = [rows.pop(day) for day in sorted(rows) if day >= calendar.days]
    dropped[OUTSIDE] += len(later)
    if later and rows and later[0][0] == rows[max(rows)][0] and max(rows) < calendar.days - 1:
        rows[calendar.days - 1] = rows[max(rows)]
        dropped[OUTSIDE] -= 1
    if not rows:
        why = ", ".join(f"{reason}: {number}" for reason, number in dropped.items() if number) or "it has no rows"
        raise refused(path, f"a table with at least one count; of {read} rows none is left ({why})")
    first = 0 if start is None else max(0, calendar.day_of(start))
    days = [day for day in sorted(rows) if day >= first]
    if not days:
        raise refused(path, f"a count for a day from {calendar.date_of(first)} on")
    ends = np.array([first - 1, *days])
    table = np.array([np.zeros(1 + len(theatres)), *(rows[day] for day in days)])
    _check(path, (TOTAL, *theatres), table, [calendar.date_of(int(end)) for end in ends])
    remarks = (
        f"counted from {calendar.date_of(first)} on, known on {len(days)} days up to {calendar.date_of(days[-1])}",
        "only totals are given" if np.isnan(table[1:, 1:]).all() else "theatres are given where the table has them",
    )
    report = ReadingReport("cumulative counts", read, len(days), {why: n for why, n in dropped.items() if n}, remarks)
    return Counts(theatres, ends, table[:, 0], table[:, 1:], report)


def _rows(path: Path, theatres: Sequence[str], calendar: Calendar) -> tuple[dict[int, Array], dict[str, int], int]:
    """Total and theatres by day, how many rows were dropped by reason, and how many there are."""
    rows: dict[int, Array] = {}
    dropped = dict.fromkeys((OUTSIDE, REVISED, BLANK), 0)
    read = 0
    for when, counts in _row_cells(path, theatres):
        read += 1
        day = calendar.day_of(when)
        if np.isnan(counts[0]):
            counts[0] = counts[1:].sum()
        if np.isnan(counts[0]):
            dropped[BLANK] += 1
        elif day < 0:
            dropped[OUTSIDE] += 1
        else:
            dropped[REVISED] += day in rows
            rows[day] = counts
    return rows, dropped, read


def _row_cells(path: Path, theatres: Sequence[str]) -> Iterator[tuple[date, Array]]:
    """The rows of the file: date, and total and theatres; NaN for a blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = header = [one.strip().casefold() for one in reader.fieldnames or ()]
            if TOTAL not in header and not set(theatres) <= set(header):
                raise refused(path, f"a table with the column {TOTAL}, or with all of {', '.join(theatres)}")
            refuse_twice(path, [one for one in header if one in (DATE, TOTAL, *theatres)])
            for number, row in enumerate(reader, start=1):
                if number > MOST_ROWS:
                    raise refused(path, f"a table of at most {MOST_ROWS} rows")
                _check_width(path, number, row, len(header))
                if not any(isinstance(cell, str) and cell.strip() for cell in row.values()):
                    continue  # _check_width has seen to it that further cells are blank too
                when = parse_date(row[DATE] or "")
                if when is None:
                    raise refused(path, f"{DATES}; row {number} says {row[DATE] or ''!r}")
                yield when, np.array([_number(path, number, name, row.get(name)) for name in (TOTAL, *theatres)])
    except UnicodeDecodeError:
        raise refused(path, "text in UTF-8") from None
    except csv.Error as problem:
        raise refused(path, f"a CSV file that can be read ({problem})") from None


def _check_width(path: Path, number: int, row: Mapping[str | None, Any], width: int) -> None:
    """Refuse a row with more cells than there are columns: a comma within a number would shift the others."""
    more = row.get(None) or ()
    if any(one.strip() for one in more):
        raise refused(path, f"rows of {width} cells, as many as columns; row {number} has {width + len(more)}")


def _number(path: Path, row: int, column: str, text: str | None) -> float:
    """A count, or NaN for a blank."""
    if text is None or not text.strip():
        return np.nan
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value.is_integer() or not 0 <= value <= LARGEST_TOTAL:
        said = f"row {row}, column {column} says {text.strip()[:40]!r}"
        raise refused(path, f"whole counts from 0 to {LARGEST_TOTAL}; {said}")
    return value


def _check(path: Path, names: Sequence[str], table: Array, dates: Sequence[date]) -> None:
    """Refuse counts that fall, and theatres that together exceed the total."""
    for name, column in zip(names, table.T, strict=True):
        known = np.flatnonzero(~np.isnan(column))
        fell = np.flatnonzero(np.diff(column[known]) < 0)
        if len(fell):
            before, place = (int(known[fell[0] + step]) for step in (0, 1))
            raise refused(
                path,
                f"counts that never fall (a later row may revise a date); {name} falls from {column[before]:.0f}"
                f" on {dates[before]} to {column[place]:.0f} on {dates[place]}",
            )
    over = np.flatnonzero(np.nansum(table[:, 1:], axis=1) > table[:, 0])
    if len(over):
        raise refused(path, f"theatres that add up to no more than the total; on {dates[over[0]]} they do")
