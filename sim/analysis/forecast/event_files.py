"""Files of events: which events count as attacks, and their counts by day and theatre.

`read_events` takes a user's file in any known format and reports what was dropped and why. The format is recognised by
the columns, or described by `filters.columns`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.analysis.forecast.event_counts import (
    AttackDetail,
    Counts,
    ReadingReport,
    from_counts,
    from_days,
    kind_of_table,
    outside_words,
    read_table,
    whole_count,
)
from sim.analysis.forecast.event_dates import DateReading, parse_date, read_dates, stored_remarks
from sim.analysis.forecast.event_filters import (
    ATTACKER_FIRST,
    BY_TYPE,
    DROP,
    FIRST,
    SPREAD,
    Filters,
    matcher,
    plain_words,
)
from sim.analysis.forecast.event_formats import (
    GED,
    GED_COLUMNS,
    MONTH,
    WEEK,
    Format,
    bare_ged,
    format_of,
    mapped,
    missing_words,
    nearest_format,
    whole_code,
)
from sim.analysis.forecast.table_files import DELIMITERS, TableFile, each, open_table, refused
from sim.experiment.statistics import Array
from sim.model.timeline import Calendar

Mask = npt.NDArray[np.bool_]
_NAMED: Final = 6
_SHORT: Final = 30
_KNOWN: Final = (
    "an export of ACLED, UCDP GED or GTD, weekly aggregates of ACLED, events of HDX, or a table of counts with a date"
    " and a total"
)


def read_events(path: Path | str, filters: Filters, calendar: Calendar) -> Counts:
    """Read a file of events, or of counts.

    Args:
        path: a table in any form that `sim.analysis.forecast.table_files` opens: an export of ACLED, UCDP GED (also
            candidate events, also without a header) or GTD; ACLED's weekly aggregates; events of HDX; a table that
            `filters.columns` describes; or counts by day, week or month, or so far, in all and for each theatre.
        filters: which events count and where; a table of counts takes only the theatres and the first day from it.
        calendar: what falls outside is dropped, and reported.

    Returns:
        Counts so far at the end of each day, or of each date or period of the table, with a report.

    Raises:
        UserError: there is no such file, it is too large, of no known format, damaged, or empty once filtered.
    """
    table, form = recognised(Path(path), filters)
    if form is None:
        return read_table(table, filters.theatres, filters.start, filters.date_format, calendar)
    return Export(table, form, filters, calendar).counts()


def recognised(path: Path, filters: Filters) -> tuple[TableFile, Format | None]:
    """The table in a file and its format; None for a table of counts.

    Raises:
        UserError: it is neither; the line names a column that is missing, or the columns that are there.
    """

    def known(names: Sequence[str]) -> bool:
        if filters.columns:
            listed = {plain_words(one) for columns in filters.columns.values() for one in columns}
            return listed <= {plain_words(one) for one in names}
        return format_of(names) is not None or kind_of_table(names, filters.theatres) is not None

    table = open_table(path, known)
    if filters.columns:
        found = mapped(filters.columns, table.names)
        return (table, found) if isinstance(found, Format) else (table.renamed(found), None)
    form = format_of(table.names)
    if form is not None or kind_of_table(table.names, filters.theatres) is not None:
        return table, form
    if bare_ged(table.header):
        return replace(table, header=tuple(GED_COLUMNS), skipped=0), GED
    raise refused(path, _unknown(table))


def _unknown(table: TableFile) -> str:
    """What is allowed in place of a table of no known format."""
    if near := nearest_format(table.names):
        return missing_words(*near, table.names)
    shown = [one.strip()[:_SHORT] or "(nothing)" for one in table.header[:_NAMED]]
    if len(table.header) == 1:
        parted = ", ".join(DELIMITERS.values())
        return f"{_KNOWN}; this one has a single column, {shown[0]}: are columns parted by {parted}?"
    more = ", ..." if len(table.header) > len(shown) else ""
    return f"{_KNOWN}; this one has {len(table.header)} columns: {', '.join(shown)}{more}; name them in filters.columns"


# --- exports of event databases -----------------------------------------------------------------------------

OTHER_TYPE: Final = "another type of event"
OTHER_ACTORS: Final = "other actors"
OTHER_ORDER: Final = "the attacker stands on the second side"
OTHER_PLACE: Final = "another place"
NO_DATE: Final = "no date in the row"
ROUGH_DATE: Final = "the date is not known well enough"
SEVERAL_DAYS: Final = "the event lasts several days"
NOT_COVERED: Final = "outside the calendar, or the days that the file is said to cover"
OLDER: Final = "an older version of an event"
TWICE: Final = "the same event a second time"
MOST_SPREAD: Final = 31
"""Days over which an event is spread at most: one that may be of any day of a year says nothing about weeks."""
ROUGH_TO_MONTH: Final = 3.0
ROUGH_TO_YEAR: Final = 5.0


@dataclass
class Export:
    """An export of an event database, and what the filters say of each of its rows (R of them).

    `dropped` are the rows dropped by reason, in the order in which reasons are given.
    """

    table: TableFile
    form: Format
    filters: Filters
    calendar: Calendar
    dropped: Counter[str] = field(default_factory=Counter)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The columns of the format."""
        return self.table.frame(self.form.read)

    def column(self, name: str) -> pd.Series:
        """A column, blank where there is none."""
        if name in self.frame:
            return self.frame[name]
        return pd.Series("", self.frame.index, dtype="category")

    # --- what the filters say ---------------------------------------------------------------------------------

    @cached_property
    def kinds(self) -> npt.NDArray[Any]:
        """What each event is (R,), folded."""
        return each(self.column(self.form.types[0]), _folded_code) if self.form.types else np.full(len(self.frame), "")

    @cached_property
    def theatre(self) -> npt.NDArray[Any]:
        """The theatre of each row (R,), by the smallest place that is named; nothing elsewhere."""
        found = np.full(len(self.frame), "", dtype=object)
        for name in self.form.places[::-1]:
            inside = each(self.column(name), lambda text: self.filters.places.get(plain_words(text), ""))
            found = np.where(inside != "", inside, found)
        return found

    @cached_property
    def attacks(self) -> tuple[Mask, Mask]:
        """Whether an attacker stands on the first side and one of the attacked on the second (R,), and vice versa."""
        tests = [matcher(names) if names else None for names in (self.filters.attackers, self.filters.attacked)]

        def named(side: int, test: Callable[[str], bool] | None) -> Mask:
            columns = [one for one in self.form.sides[side] if one in self.frame]
            if test is None or not columns:
                return np.full(len(self.frame), True)
            return np.any([each(self.frame[one], test, bool) for one in columns], axis=0)

        return named(0, tests[0]) & named(1, tests[1]), named(1, tests[0]) & named(0, tests[1])

    @cached_property
    def turned(self) -> Mask:
        """Whether an event is dropped because the attacker stands on the second side (R,)."""
        form, filters = self.form, self.filters
        ordered = filters.order == ATTACKER_FIRST or (filters.order == BY_TYPE and form.directed)
        by_type = np.isin(self.kinds, list(form.attacker_first)) & (filters.order == BY_TYPE)
        return ~self.attacks[0] & (ordered | by_type)

    @cached_property
    def out(self) -> dict[str, Mask]:
        """The rows that each filter drops by itself (R,), in the order in which reasons are given."""
        form, filters = self.form, self.filters
        wanted = filters.violence if form is GED else filters.types
        kinds = [each(self.frame[one], _folded_code) for one in form.types if one in self.frame]
        typed = np.any([np.isin(one, wanted) for one in kinds], axis=0) if kinds and wanted else True
        rough = (self.precision > filters.date_precision) & (filters.rough_dates == DROP)
        everything = np.full(len(self.frame), True)
        return {
            OTHER_TYPE: everything & ~np.asarray(typed),
            OTHER_ACTORS: ~(self.attacks[0] | self.attacks[1]),
            OTHER_PLACE: self.theatre == "",
            NO_DATE: (self.day == "").to_numpy(),
            ROUGH_DATE: rough,
        }

    # --- days -------------------------------------------------------------------------------------------------

    @cached_property
    def _parts(self) -> list[npt.NDArray[Any]]:
        """Year, month and day where they stand apart, as texts of numbers; a day that is not there is the first."""
        year, month, *day = (self.column(name) for name in self.form.day)
        return [each(year, whole_code), each(month, _month), each(day[0], whole_code) if day else np.array("1")]

    @cached_property
    def day(self) -> pd.Series:
        """The dates as written, or put together where year, month and day stand apart."""
        if len(self.form.day) == 1:
            return self.column(self.form.day[0])
        year, month, day = (np.where(np.isin(one, ("0", "")), "1", one) for one in self._parts)
        joined = [f"{y}-{m}-{d}" for y, m, d in np.broadcast(year, month, day)]
        texts = np.where(self._parts[0] == "", "", np.array(joined, dtype=object))
        return pd.Series(texts, self.frame.index, dtype="category")

    @cached_property
    def precision(self) -> Array:
        """How well the date is known (R,), trusted where it is not said."""
        found = pd.to_numeric(each(self.column(self.form.precision), str), errors="coerce").astype(float)
        if len(self.form.day) > 1:
            for part, rough in zip(self._parts[:0:-1], (ROUGH_TO_MONTH, ROUGH_TO_YEAR), strict=True):
                found = np.where(np.isin(part, ("0", "")), rough, found)
        return np.asarray(found)

    @property
    def date_texts(self) -> dict[str, int]:
        """The distinct dates as written, each with its first row."""
        firsts = [one.drop_duplicates() for one in (self.day, self.column(self.form.end))]
        return {str(text): int(row) for one in firsts[::-1] for row, text in one.items()}

    @cached_property
    def reading(self) -> DateReading:
        """How the dates are written, and what they are."""
        return read_dates(self.table.path, self.date_texts, self.filters.date_format)

    @cached_property
    def spans(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The first and last days of events, or of the periods of rows (R,), as dates; none for a row without one."""
        first, last = (
            each(one, lambda text: self.reading.days.get(text), "datetime64[D]")
            for one in (self.day, self.column(self.form.end))
        )
        if self.form.period == WEEK:
            last = first + 6
        elif self.form.period == MONTH:
            last = _month_end(first)
        return first, np.fmax(first, last)

    @cached_property
    def possible(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Mask]:
        """The day numbers from which and up to which an event may be (R,), and whether its date is rough."""
        first, last = self.spans
        rough = self.precision > self.filters.date_precision
        if not self.form.end:
            year = first.astype("datetime64[Y]")
            near = (first - 3, first + 3)
            month = (first.astype("datetime64[M]").astype(first.dtype), _month_end(first))
            whole = (year.astype(first.dtype), (year + 1).astype(first.dtype) - 1)
            levels = [~rough, self.precision >= ROUGH_TO_YEAR, self.precision >= ROUGH_TO_MONTH]
            first, last = (
                np.select(levels, [one, in_year, in_month], in_week)
                for one, in_year, in_month, in_week in zip((first, last), whole, month, near, strict=True)
            )
        start = np.datetime64(self.calendar.start)
        return (first - start).astype(int), (last - start).astype(int), rough

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last day that count."""
        start, end, last = self.filters.start, self.filters.end, self.calendar.days - 1
        first = 0 if start is None else max(0, self.calendar.day_of(start))
        return first, last if end is None else min(last, self.calendar.day_of(end))

    @cached_property
    def dates(self) -> tuple[date, date] | None:
        """The first and the last date of all rows, whether they count or not; None without any."""
        first, last = (one[~np.isnat(one)] for one in self.spans)
        return (first.min().item(), (last if self.form.period else first).max().item()) if len(first) else None

    def _covered(self, days: npt.NDArray[np.int64]) -> tuple[int, int]:
        """The first and the last day that the file covers, as it is said or as its rows and `days` of events show."""
        assert self.dates is not None
        low, high = self.span
        first, last = (self.calendar.day_of(one) for one in self.dates)
        return (
            low if self.filters.start is not None else max(low, min(first, int(days.min()))),
            high if self.filters.end is not None else min(high, max(last, int(days.max()))),
        )

    # --- counts -----------------------------------------------------------------------------------------------

    def counts(self) -> Counts:
        """Counts of every day or period that the file covers; events outside the calendar extend it too.

        Raises:
            UserError: the filters name actors and the file has none, a cell cannot be read, or nothing is left.
        """
        form, filters, path = self.form, self.filters, self.table.path
        if filters.names_actors and not form.sides[0]:
            raise refused(
                path,
                f"events with actors; {form.name} name none: filters.attackers=[] and filters.attacked=[] count the"
                " events of the counted types by anybody",
            )
        left, spread = self._left()
        if form.overlap and len(set(self.kinds[left])) > 1:
            raise refused(path, f"one type of event, for those of {form.name} overlap: filters.types=[{form.overlap}]")
        places = np.flatnonzero(left)
        number = np.ones(len(places), dtype=int)
        if form.events:
            cells = self.column(form.events).iloc[places]
            number = np.array([whole_count(path, int(row), form.events, text) for row, text in cells.items()], int)
        first, last, _ = (one[places] for one in self.possible)
        days = pd.DataFrame({"first": first, "last": last})
        same = days.groupby(["first", "last"])["first"]
        evenly = (2 * same.cumcount() + 1) * (last - first + 1) // (2 * same.transform("size"))
        day = np.where(spread[places], first + evenly, last if form.period else first)
        if not number.any():
            raise refused(path, f"a file with at least one attack; {self._nothing_left()}")
        theatres = filters.theatres
        columns = np.array([theatres.index(one) for one in self.theatre[places]])
        low, high = self._covered(day)
        report = self._report(left, int(number.sum()), low, high)
        if form.period:
            start, end = self.span
            whole = ~np.isnat(self.spans[0]) & (self.possible[0] >= start) & (self.possible[1] <= end)
            ends = np.unique(self.possible[1][whole])
            by_period = np.zeros((len(ends), len(theatres)))
            np.add.at(by_period, (np.searchsorted(ends, day), columns), number)
            return from_counts(theatres, np.array([self.possible[0][whole].min() - 1, *ends]), by_period, report)
        by_day = np.zeros((high - low + 1, len(theatres)))
        np.add.at(by_day, (day - low, columns), number)
        groups, killed = self._groups(left), self._killed()
        known = places[~spread[places] & ((groups[places] != "") | (killed[places] > 0))]
        details = [
            AttackDetail(int(self.possible[0][row]), self.theatre[row], groups[row], round(np.nan_to_num(killed[row])))
            for row in known
        ]
        counts = from_days(theatres, low, by_day, report)
        says_dead = bool((killed[places] >= 0).any())
        return replace(counts, details=tuple(details), groups=tuple(filters.groups), says_dead=says_dead)

    def _groups(self, left: Mask) -> npt.NDArray[Any]:
        """The one group of the case that is named on the attackers' side (R,); nothing in rows that are not `left`."""
        tests = {group: matcher(names) for group, names in self.filters.groups.items()}
        if not tests or not self.form.sides[0]:
            return np.full(len(self.frame), "")

        def group_of(text: str) -> str:
            named = [group for group, test in tests.items() if any(map(test, text.split("|")))]
            return named[0] if len(named) == 1 else ""

        sides = [[each(self.frame[one], str) for one in side if one in self.frame] for side in self.form.sides]
        first, second = (["|".join(names) for names in zip(*side, strict=True)] for side in sides)
        texts = np.where(left, np.where(self.attacks[0], first, second), "")
        return each(pd.Series(texts, self.frame.index, dtype="category"), group_of)

    def _killed(self) -> Array:
        """The dead of the attacked (R,), who stand on the other side than the attackers; NaN where it is not said."""
        said = [next((one for one in columns if one in self.frame), "") for columns in self.form.killed]
        first, second = (pd.to_numeric(each(self.column(one), str), errors="coerce").astype(float) for one in said)
        found = np.where(self.attacks[0], second, first)
        return np.where(found >= 0, found, np.nan)

    def _left(self) -> tuple[Mask, Mask]:
        """The rows that count (R,), and those that are spread over the days that they may be of."""
        left = np.full(len(self.frame), True)

        def drop(reason: str, out: Mask) -> None:
            self.dropped[reason] += int((left & out).sum())
            left[out] = False

        self.dropped.clear()
        for reason, out in self.out.items():
            drop(reason, out)
        low, high = self.span
        first, last, rough = self.possible
        spread = rough | (self.several & (self.filters.multi_day == SPREAD))
        drop(SEVERAL_DAYS, self.several & (self.filters.multi_day == DROP))
        drop(ROUGH_DATE, spread & (last - first >= MOST_SPREAD))
        drop(NOT_COVERED, (first < low) | (np.where(spread | bool(self.form.period), last, first) > high))
        drop(OLDER, self.older)
        identity = self.column(self.form.identity)
        places = np.flatnonzero(left)
        places = places[np.argsort(self.turned[places], kind="stable")]  # an attack before its mirror image
        again = np.full(len(left), False)
        again[places] = (identity.iloc[places].duplicated() & (identity.iloc[places] != "")).to_numpy()
        drop(TWICE, again)
        drop(OTHER_ORDER, self.turned)
        return left, spread

    @property
    def several(self) -> Mask:
        """Whether an event with a good date lasts several days (R,)."""
        first, last, rough = self.possible
        return ~rough & (last > first) & (not self.form.period)

    @cached_property
    def older(self) -> Mask:
        """Whether a row is an older version of an event (R,), whatever the filters say of the newer one."""
        identity, version = self.column(self.form.identity), self.column(self.form.version)
        when = pd.Series(self._versions(version), self.frame.index)
        newest = when.groupby(identity, observed=True).transform("max")
        return ((when < newest) & (identity != "")).to_numpy()

    def _versions(self, column: pd.Series) -> Array:
        """When rows were last changed (R,), in seconds; -inf where it is not said."""
        texts = column.cat.categories.to_series()
        found = pd.to_numeric(texts, errors="coerce")
        when = pd.to_datetime(texts[found.isna()], format="ISO8601", utc=True, errors="coerce")
        bad = [one for one in when.index[when.isna()] if one]
        if bad:
            raise refused(self.table.path, f"timestamps in seconds or as ISO dates; one says {bad[0]!r}")
        seconds = found.fillna((when - pd.Timestamp(0, tz="UTC")).dt.total_seconds()).fillna(-np.inf)
        return seconds.to_numpy()[column.cat.codes.to_numpy()]

    # --- report -----------------------------------------------------------------------------------------------

    def _nothing_left(self) -> str:
        """Why no row is left: all dates lie elsewhere, or the reason with the most rows first."""
        reasons = ", ".join(f"{reason}: {number}" for reason, number in self.dropped.most_common() if number)
        why = f"of {len(self.frame)} rows none is left ({reasons or 'it has no rows'})"
        return (outside_words(*self.dates, self.calendar) if self.dates else "") + why

    def _report(self, left: Mask, kept: int, low: int, high: int) -> ReadingReport:
        dropped = {reason: number for reason, number in self.dropped.items() if number}
        remarks = self._remarks(left, kept, *map(self.calendar.date_of, (low, high)))
        return ReadingReport(self.form.name, len(self.frame), kept, dropped, tuple(remarks))

    def _remarks(self, left: Mask, kept: int, first: date, last: date) -> Iterator[str]:
        """How it was stored, how it was decided who attacked whom, and which days are covered."""
        form, filters = self.form, self.filters
        yield from stored_remarks(self.table, self.reading)
        if form.sides[0]:
            yield from self._order_remarks(int((left & ~self.attacks[0]).sum()), kept)
        yield from form.remarks
        several, rough = (int((left & one).sum()) for one in (self.several, self.possible[2]))
        if several and filters.multi_day == FIRST:
            yield f"{several} of several days count on their first; filters.multi_day=spread or drop changes that"
        elif several:
            yield f"{several} of several days are spread over them"
        if rough:
            yield f"{rough} with a rough date are spread over the days that they may be of"
        if filters.start is not None and filters.end is not None:
            how = "as filters.from and filters.to say"
        else:
            how = "by its events of any kind and any date; filters.from and filters.to say it better"
        yield f"covers {first} to {last}, {how}"
        if form.identity and form.identity not in self.frame:
            yield f"there is no column {form.identity}: an event that stands twice counts twice"

    def _order_remarks(self, second_side: int, kept: int) -> Iterator[str]:
        form, filters = self.form, self.filters
        if filters.order == ATTACKER_FIRST:
            yield "an attack: an attacker on the first side, one of the attacked on the second"
        else:
            order = f"; {form.order}" if filters.order == BY_TYPE and form.order else ""
            yield f"an attack: an attacker on one side, one of the attacked on the other, of a counted type{order}"
        if second_side and not form.fixed:
            yield f"in {second_side} of {kept} the attacked stand first; their own strikes may be among these"
        if answers := self.dropped[OTHER_ORDER]:
            look, them = ("event looks like a strike", "it") if answers == 1 else ("events look like strikes", "them")
            yield f"{answers} {look} {filters.answers}; filters.order=any includes {them}"


def _month_end(days: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The last days of the months of some dates."""
    return np.asarray((days.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1)


def _folded_code(text: str) -> str:
    return whole_code(text.casefold())


def _month(text: str) -> str:
    """The number of a month that may be written as a word."""
    text = whole_code(text)
    found = None if text.isdigit() or not text else parse_date(f"1 {text.title()} 2000")
    return text if found is None else str(found.month)
