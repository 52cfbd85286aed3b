"""Counts of attacks so far at the ends of days, in all and by theatre, and the small table that users keep them in."""

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.analysis.forecast.event_dates import DATES, read_dates, stored_remarks
from sim.analysis.forecast.table_files import TableFile, refused
from sim.experiment.statistics import Array
from sim.model.timeline import Calendar

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


class AttackDetail(NamedTuple):
    """An attack of which a file says more than day and theatre: the group of the case, "" if unknown, and the dead."""

    day: int
    theatre: str
    group: str
    killed: int


@dataclass(frozen=True)
class Counts:
    """Attacks so far at the ends of days on which they are known (E of them), over theatres (K).

    `ends` are day numbers of the case's calendar; counting begins after `ends[0]`, where all is 0. `total` (E,) is
    always known, `split` (E, K) is NaN where the source does not tell the theatre. `details` are the attacks with a
    group or dead, `groups` those that could be named; `says_dead` is whether the file has numbers of dead at all.
    """

    theatres: tuple[str, ...]
    ends: Array
    total: Array
    split: Array
    report: ReadingReport = field(compare=False)
    details: tuple[AttackDetail, ...] = ()
    groups: tuple[str, ...] = ()
    says_dead: bool = False

    @property
    def daily(self) -> bool:
        """Whether the count of every single day is known."""
        return bool((np.diff(self.ends) == 1).all())

    def upto(self, day: int) -> "Counts":
        """What was known at the end of a day."""
        known = self.ends <= day
        return replace(
            self, ends=self.ends[known], total=self.total[known], split=self.split[known],
            details=tuple(one for one in self.details if one.day <= day),
        )  # fmt: skip

    def nearest_end(self, day: int) -> int:
        """The last day up to `day` at whose end the total is known; the first one where there is none."""
        return int(self.ends[max(0, int(np.searchsorted(self.ends, day, side="right")) - 1)])

    def between(self, edges: npt.ArrayLike, theatre: int | None = None) -> Array:
        """Attacks (len(edges) - 1,) between consecutive ends, each of which must be known.

        Of one theatre where it is given, NaN where its count is not known; else of all.
        """
        column = self.total if theatre is None else self.split[:, theatre]
        return np.diff(column[np.searchsorted(self.ends, np.asarray(edges))])


def from_counts(theatres: tuple[str, ...], ends: Array, counts: Array, report: ReadingReport) -> Counts:
    """Counts so far at some ends of days (1 + E,), from the attacks (E, K) after each of them up to the next."""
    so_far = np.concatenate([np.zeros((1, len(theatres))), np.cumsum(counts, axis=0)])
    return Counts(theatres, ends, so_far.sum(axis=1), so_far, report)


def from_days(theatres: tuple[str, ...], first: int, by_day: Array, report: ReadingReport) -> Counts:
    """Counts from the attacks of each day and theatre (D, K), the first of them day number `first`."""
    return from_counts(theatres, first - 1 + np.arange(1 + len(by_day)), by_day, report)


def whole_count(path: Path, row: int, column: str, text: str) -> int:
    """A count; spreadsheets may put a point and noughts behind it, and a comma before each three digits."""
    try:
        value = float(re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text))
    except ValueError:
        value = -1.0
    if not value.is_integer() or not 0 <= value <= LARGEST_TOTAL:
        said = f"row {row}, column {column} says {text.strip()[:40]!r}"
        raise refused(path, f"whole counts from 0 to {LARGEST_TOTAL}; {said}")
    return int(value)


# --- tables of counts ---------------------------------------------------------------------------------------

SO_FAR: Final = "cumulative counts"
DAILY: Final = "daily counts"
WEEKLY: Final = "weekly counts"
WEEKLY_ENDS: Final = "weekly counts by the last day"
MONTHLY: Final = "monthly counts"
DATE_COLUMNS: Final = {
    DATE: SO_FAR,
    **dict.fromkeys(("date", "day"), DAILY),
    **dict.fromkeys(("week", "week_start", "week_of", "week_beginning", "week_commencing"), WEEKLY),
    **dict.fromkeys(("week_end", "week_ending"), WEEKLY_ENDS),
    **dict.fromkeys(("month", "month_start"), MONTHLY),
}
"""What a table counts, by its column of dates."""
COUNT_COLUMNS: Final = (TOTAL, "attacks", "events", "count", "incidents", "number")
SO_FAR_COLUMNS: Final = ("cumulative", "cumulative_total", "cumulative_attacks", "so_far", "total_so_far")
_LOOKS_CUMULATIVE: Final = (8, 5)
"""Rows and rises from which counts that never fall are taken for counts so far."""


class TableKind(NamedTuple):
    """What a table of counts holds, and the columns of its dates and totals; no totals where theatres add up."""

    kind: str
    day: str
    total: str


def kind_of_table(names: Sequence[str], theatres: Sequence[str]) -> TableKind | None:
    """The kind of a table of counts; None where it is none."""
    day = next((one for one in DATE_COLUMNS if one in names), None)
    if day is None:
        return None
    if so_far := next((one for one in SO_FAR_COLUMNS if one in names), None):
        return TableKind(SO_FAR, day, so_far)
    total = next((one for one in COUNT_COLUMNS if one in names), "")
    if day == DATE:
        return TableKind(SO_FAR, day, total) if len(names) > 1 else None
    return TableKind(DATE_COLUMNS[day], day, total) if total or set(theatres) <= set(names) else None


@dataclass(frozen=True)
class _Counted:
    """The rows of a table: the date of each, and total and theatres (R, 1 + K), NaN for blanks."""

    table: TableFile
    kind: TableKind
    theatres: tuple[str, ...]
    dates: list[date]
    cells: Array
    calendar: Calendar

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of counts."""
        return (self.kind.total or TOTAL, *self.theatres)


def read_table(
    table: TableFile, theatres: tuple[str, ...], start: date | None, date_format: str | None, calendar: Calendar
) -> Counts:
    """Read a table of counts: so far, or of days, weeks or months.

    A column of dates and one of totals, and one for each theatre that is counted separately; others are ignored. Counts
    so far may have blanks, and where a date comes twice, the later row holds. Counting begins on `start`, else on the
    calendar's first day or, of counts by period, on the first of them. If the first row after the calendar's end still
    has the last total within it, the days up to the end had no attack.

    Raises:
        UserError: a row cannot be used, counts fall or look like others than they are, or none is left.
    """
    kind, path = kind_of_table(table.names, theatres), table.path
    assert kind is not None
    if not kind.total and not set(theatres) <= set(table.names):
        raise refused(path, f"a table with the column {TOTAL}, or with all of {', '.join(theatres)}")
    columns = (kind.total or TOTAL, *theatres)
    frame = table.frame((kind.day, *columns), short=True)
    if len(frame) > MOST_ROWS:
        raise refused(path, f"a table of at most {MOST_ROWS} rows")
    texts = date_texts(table, frame[kind.day])
    reading = read_dates(path, texts, date_format)
    cells = [
        [np.nan if not text else whole_count(path, row, name, text) for row, text in frame[name].items()]
        if name in frame else np.full(len(frame), np.nan)
        for name in columns
    ]  # fmt: skip
    dates = [reading.days[text] for text in frame[kind.day]]
    counted = _Counted(table, kind, theatres, dates, np.array(cells, dtype=float).T.reshape(-1, len(columns)), calendar)
    found = (_so_far if kind.kind == SO_FAR else _by_period)(counted, start)
    remarks = (*found.report.remarks, *stored_remarks(table, reading))
    return replace(found, report=replace(found.report, remarks=remarks))


def date_texts(table: TableFile, column: pd.Series) -> dict[str, int]:
    """The distinct dates of a table of counts as written, each with its first row."""
    texts = {str(text): int(row) for row, text in column.drop_duplicates().items()}
    if "" in texts:
        raise refused(table.path, f"{DATES}; row {texts['']} says ''")
    return texts


def _so_far(counted: _Counted, start: date | None) -> Counts:
    """Counts so far, as they stand."""
    path, theatres, dates, calendar = counted.table.path, counted.theatres, counted.dates, counted.calendar
    rows, dropped = _newest(counted)
    read = len(dates)
    later = [rows.pop(day) for day in sorted(rows) if day >= calendar.days]
    dropped[OUTSIDE] += len(later)
    if later and rows and later[0][0] == rows[max(rows)][0] and max(rows) < calendar.days - 1:
        rows[calendar.days - 1] = rows[max(rows)]
        dropped[OUTSIDE] -= 1
    if not rows:
        raise refused(path, f"a table with at least one count; {_nothing_left(read, dropped, dates, calendar)}")
    first = 0 if start is None else max(0, calendar.day_of(start))
    days = [day for day in sorted(rows) if day >= first]
    if not days:
        raise refused(path, f"a count for a day from {calendar.date_of(first)} on")
    table = np.array([np.zeros(1 + len(theatres)), *(rows[day] for day in days)])
    remarks = [
        f"counted from {calendar.date_of(first)} on, known on {len(days)} days up to {calendar.date_of(days[-1])}"
    ]
    return _made(counted, np.array([first - 1, *days]), table, ReadingReport(SO_FAR, read, len(days), dropped), remarks)


def _made(counted: _Counted, ends: Array, table: Array, report: ReadingReport, remarks: list[str]) -> Counts:
    """Counts so far (E, 1 + K), once they are checked."""
    _check(counted, table, ends)
    if np.isnan(table[1:, 1:]).all():
        remarks.append("only totals are given")
    dropped = {reason: number for reason, number in report.dropped.items() if number}
    report = replace(report, dropped=dropped, remarks=tuple(remarks))
    return Counts(counted.theatres, ends, table[:, 0], table[:, 1:], report)


def _newest(counted: _Counted) -> tuple[dict[int, Array], dict[str, int]]:
    """Total and theatres by day, the last row of each, and how many rows were dropped by reason."""
    rows: dict[int, Array] = {}
    dropped = dict.fromkeys((OUTSIDE, REVISED, BLANK), 0)
    for when, counts in zip(counted.dates, _with_totals(counted.cells), strict=True):
        day = counted.calendar.day_of(when)
        if np.isnan(counts[0]):
            dropped[BLANK] += 1
        elif day < 0:
            dropped[OUTSIDE] += 1
        else:
            dropped[REVISED] += day in rows
            rows[day] = counts
    return rows, dropped


def _with_totals(cells: Array) -> Array:
    """The cells with the sum of the theatres where a total is blank."""
    totals = np.where(np.isnan(cells[:, 0]), cells[:, 1:].sum(axis=1), cells[:, 0])
    return np.column_stack([totals, cells[:, 1:]])


def _by_period(counted: _Counted, start: date | None) -> Counts:
    """Counts of days, weeks or months, added up; days without a row had no attack."""
    path, kind, dates, calendar = counted.table.path, counted.kind, counted.dates, counted.calendar
    cells = _with_totals(counted.cells)
    _check_periods(counted, cells)
    low = 0 if start is None else max(0, calendar.day_of(start))
    spans = [_days_of(kind.kind, when) for when in dates]
    found = sorted((calendar.day_of(first), calendar.day_of(last), place) for place, (first, last) in enumerate(spans))
    over = next((two for one, two in pairwise(found) if two[0] <= one[1]), None)
    if over is not None:
        raise refused(path, f"periods that do not overlap; {spans[over[2]][0]} lies within the one before it")
    inside = [one for one in found if low <= one[0] and one[1] < calendar.days]
    dropped = {OUTSIDE: len(found) - len(inside)}
    if not inside:
        raise refused(path, f"a table with at least one count; {_nothing_left(len(dates), dropped, dates, calendar)}")
    if kind.kind == DAILY:  # every day between the first and the last is known
        have = {first: place for first, _, place in inside}
        inside = [(day, day, have.get(day, -1)) for day in range(inside[0][0], inside[-1][0] + 1)]
    nothing = np.where(np.isnan(cells).all(axis=0), np.nan, 0.0)
    by_period = np.array([nothing * 0.0, *(cells[place] if place >= 0 else nothing for *_, place in inside)])
    ends = np.array([inside[0][0] - 1, *(last for _, last, _ in inside)])
    silent = sum(place < 0 for *_, place in inside)
    remarks = [f"covers {calendar.date_of(int(ends[0]) + 1)} to {calendar.date_of(int(ends[-1]))}"]
    if silent:
        remarks.append(f"{silent} days without a row count as days without attacks")
    report = ReadingReport(kind.kind, len(dates), len(inside) - silent, dropped)
    return _made(counted, ends, np.cumsum(by_period, axis=0), report, remarks)


def _days_of(kind: str, when: date) -> tuple[date, date]:
    """The first and the last day of a row."""
    if kind == WEEKLY:
        return when, when + timedelta(6)
    if kind == WEEKLY_ENDS:
        return when - timedelta(6), when
    if kind == MONTHLY:
        return when.replace(day=1), when.replace(day=monthrange(when.year, when.month)[1])
    return when, when


def _check_periods(counted: _Counted, cells: Array) -> None:
    """Refuse dates that stand twice, blanks, and counts that look like counts of something else."""
    path, day, dates = counted.table.path, counted.kind.day, counted.dates
    twice = next((one for one, number in Counter(dates).items() if number > 1), None)
    if twice is not None:
        raise refused(
            path,
            f"each date once; {twice} stands {dates.count(twice)} times: add its rows up, or name a column of places in"
            f" filters.columns={{{counted.kind.kind.split()[0].removesuffix('ly').replace('dai', 'date')}: {day},"
            f" place: COLUMN, count: {counted.names[0]}}}",
        )
    for place, name in enumerate(counted.names):
        blank = np.flatnonzero(np.isnan(cells[:, place]))
        if len(blank) and (not place or len(blank) < len(cells)):
            raise refused(path, f"a number in every row, 0 for none; row {blank[0] + 1} of {name} has none")
    if counted.kind.kind != DAILY or len(dates) < _LOOKS_CUMULATIVE[0]:
        return
    order = np.argsort(np.array(dates, dtype="datetime64[D]"))
    gaps = np.diff(np.array(dates, dtype="datetime64[D]")[order]).astype(int)
    steps = np.diff(cells[order, 0])
    if (steps >= 0).all() and (steps > 0).sum() >= _LOOKS_CUMULATIVE[1]:
        raise refused(
            path,
            f"counts of each day; {counted.names[0]} never falls over {len(dates)} rows, as counts so far do: call the"
            f" column {day} {DATE} if they are",
        )
    if (gaps == 7).all():
        raise refused(path, f"counts of each day; {day} has one row a week: call it week_start or week_end")


def _nothing_left(read: int, dropped: Mapping[str, int], dates: Sequence[date], calendar: Calendar) -> str:
    """Why no row of a table is left."""
    why = ", ".join(f"{reason}: {number}" for reason, number in dropped.items() if number) or "it has no rows"
    return f"{outside_words(min(dates), max(dates), calendar) if dates else ''}of {read} rows none is left ({why})"


def outside_words(first: date, last: date, calendar: Calendar) -> str:
    """That all dates from one to another lie outside the calendar, where they do."""
    low, high = calendar.start, calendar.date_of(calendar.days - 1)
    if last >= low and first <= high:
        return ""
    return (
        f"all dates lie outside the calendar: the file has {first} to {last}, the calendar {low} to {high} (`lull data"
        f" FILE` writes one for the file); "
    )


def _check(counted: _Counted, table: Array, ends: Array) -> None:
    """Refuse counts that fall, and theatres that together exceed the total."""
    path, dates = counted.table.path, [counted.calendar.date_of(int(end)) for end in ends]
    for name, column in zip(counted.names, table.T, strict=True):
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
