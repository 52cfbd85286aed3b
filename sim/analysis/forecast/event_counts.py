"""Counts of attacks so far at the ends of days, in all and by theatre, and the small table that users keep them in."""

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

from sim.analysis.forecast.event_dates import DATES, read_dates, stored_remarks
from sim.analysis.forecast.table_files import TableFile, refuse_twice, refused
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


def from_days(theatres: tuple[str, ...], first: int, by_day: Array, report: ReadingReport) -> Counts:
    """Counts from the attacks of each day and theatre (D, K), the first of them day number `first`."""
    so_far = np.concatenate([np.zeros((1, len(theatres))), np.cumsum(by_day, axis=0)])
    return Counts(theatres, first - 1 + np.arange(len(so_far)), so_far.sum(axis=1), so_far, report)


def period_counts(
    theatres: tuple[str, ...],
    periods: Sequence[tuple[int, int]],
    found: Mapping[tuple[int, str], int],
    report: ReadingReport,
) -> Counts:
    """Counts from attacks in periods such as weeks, by the last day of each; days between periods had none."""
    ends = np.array([periods[0][0] - 1, *sorted({last for _, last in periods})])
    by_period = np.array([[found.get((int(end), one), 0) for one in theatres] for end in ends], dtype=float)
    so_far = np.cumsum(by_period, axis=0)
    return Counts(theatres, ends, so_far.sum(axis=1), so_far, report)


def whole_count(path: Path, row: int, column: str, text: str) -> int:
    """A count; spreadsheets may put a point or noughts behind it."""
    try:
        value = float(text)
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
    """The rows of a table: dates as written with the row of each, and total and theatres (R, 1 + K), NaN for blanks."""

    table: TableFile
    kind: TableKind
    theatres: tuple[str, ...]
    texts: list[str]
    numbers: list[int]
    cells: Array

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
    kind = kind_of_table(table.names, theatres)
    assert kind is not None
    counted = _cells(table, kind, theatres)
    reading = read_dates(table.path, dict(zip(counted.texts, counted.numbers, strict=True)), date_format)
    dates = [reading.days[one] for one in counted.texts]
    if kind.kind == SO_FAR:
        found = _so_far(counted, dates, start, calendar)
    else:
        found = _by_period(counted, dates, start, calendar)
    return replace(
        found, report=replace(found.report, remarks=(*found.report.remarks, *stored_remarks(table, reading)))
    )


def _cells(table: TableFile, kind: TableKind, theatres: tuple[str, ...]) -> _Counted:
    """The cells that count, row by row."""
    names, path = table.names, table.path
    if not kind.total and not set(theatres) <= set(names):
        raise refused(path, f"a table with the column {TOTAL}, or with all of {', '.join(theatres)}")
    columns = (kind.total or TOTAL, *theatres)
    refuse_twice(path, [one for one in names if one in (kind.day, *columns)])
    places = [names.index(one) if one in names else None for one in columns]
    texts, numbers, cells = [], [], []
    day = names.index(kind.day)
    for number, row in enumerate(table.rows(short=True), 1):
        if number > MOST_ROWS:
            raise refused(path, f"a table of at most {MOST_ROWS} rows")
        if not row[day].strip():
            raise refused(path, f"{DATES}; row {number} says {row[day]!r}")
        texts.append(row[day])
        numbers.append(number)
        cells.append([
            np.nan if at is None or not row[at].strip() else whole_count(path, number, column, row[at])
            for at, column in zip(places, columns, strict=True)
        ])  # fmt: skip
    return _Counted(table, kind, theatres, texts, numbers, np.array(cells).reshape(-1, len(columns)))


def _so_far(counted: _Counted, dates: Sequence[date], start: date | None, calendar: Calendar) -> Counts:
    """Counts so far, as they stand."""
    path, theatres = counted.table.path, counted.theatres
    rows, dropped = _newest(counted, dates, calendar)
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
    ends = np.array([first - 1, *days])
    table = np.array([np.zeros(1 + len(theatres)), *(rows[day] for day in days)])
    _check(path, counted.names, table, [calendar.date_of(int(end)) for end in ends])
    remarks = (
        f"counted from {calendar.date_of(first)} on, known on {len(days)} days up to {calendar.date_of(days[-1])}",
        "only totals are given" if np.isnan(table[1:, 1:]).all() else "theatres are given where the table has them",
    )
    report = ReadingReport(SO_FAR, read, len(days), {why: n for why, n in dropped.items() if n}, remarks)
    return Counts(theatres, ends, table[:, 0], table[:, 1:], report)


def _newest(counted: _Counted, dates: Sequence[date], calendar: Calendar) -> tuple[dict[int, Array], dict[str, int]]:
    """Total and theatres by day, the last row of each, and how many rows were dropped by reason."""
    rows: dict[int, Array] = {}
    dropped = dict.fromkeys((OUTSIDE, REVISED, BLANK), 0)
    for when, counts in zip(dates, _with_totals(counted.cells), strict=True):
        day = calendar.day_of(when)
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


def _by_period(counted: _Counted, dates: Sequence[date], start: date | None, calendar: Calendar) -> Counts:
    """Counts of days, weeks or months, added up; days without a row had no attack."""
    path, kind, theatres = counted.table.path, counted.kind, counted.theatres
    cells = _with_totals(counted.cells)
    _check_periods(counted, dates, cells)
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
    table = np.cumsum(by_period, axis=0)
    ends = np.array([inside[0][0] - 1, *(last for _, last, _ in inside)])
    _check(path, counted.names, table, [calendar.date_of(int(end)) for end in ends])
    silent = sum(place < 0 for *_, place in inside)
    remarks = [f"covers {calendar.date_of(int(ends[0]) + 1)} to {calendar.date_of(int(ends[-1]))}"]
    if silent:
        remarks.append(f"{silent} days without a row count as days without attacks")
    if np.isnan(table[1:, 1:]).all():
        remarks.append("only totals are given")
    kept = len(inside) - silent
    report = ReadingReport(kind.kind, len(dates), kept, {why: n for why, n in dropped.items() if n}, tuple(remarks))
    return Counts(theatres, ends, table[:, 0], table[:, 1:], report)


def _days_of(kind: str, when: date) -> tuple[date, date]:
    """The first and the last day of a row."""
    if kind == WEEKLY:
        return when, when + timedelta(6)
    if kind == WEEKLY_ENDS:
        return when - timedelta(6), when
    if kind == MONTHLY:
        return when.replace(day=1), when.replace(day=monthrange(when.year, when.month)[1])
    return when, when


def _check_periods(counted: _Counted, dates: Sequence[date], cells: Array) -> None:
    """Refuse dates that stand twice, blanks, and counts that look like counts of something else."""
    path, day = counted.table.path, counted.kind.day
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
