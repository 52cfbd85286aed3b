"""Files of events: which events count as attacks, and their counts by day and theatre.

`read_events` takes a user's file in any known format and reports what was dropped and why. The format is recognised by
the columns, or described by `filters.columns`. Exports of event databases are streamed in blocks: memory does not grow
with the file.
"""

import calendar as months
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.analysis.forecast.event_counts import (
    AttackDetail,
    Counts,
    ReadingReport,
    from_days,
    kind_of_table,
    outside_words,
    period_counts,
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
from sim.analysis.forecast.table_files import DELIMITERS, TableFile, open_table, refused
from sim.model.timeline import Calendar

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


class _Row(NamedTuple):
    """A row that passes every filter but those of order and dates; `version` is its time stamp, `killed` may be NaN."""

    identity: str
    version: float
    day: str
    end: str
    precision: float
    theatre: str
    second_side: bool
    refused: bool
    group: str
    killed: float
    number: int


class _Dated(NamedTuple):
    """The same with its days of the calendar; spread over them, or of the first."""

    row: _Row
    first: int
    last: int
    spread: bool


@dataclass
class Look:
    """What the filters say of the rows of one block: which fail each of them, who stands where, and the theatre.

    `out` are the rows that each reason drops by itself, in the order in which reasons are given.
    """

    days: pd.Series
    precision: pd.Series
    out: dict[str, pd.Series]
    attacker: pd.Series
    reversed_order: pd.Series
    kinds: pd.Series
    theatre: pd.Series


@dataclass
class Export:
    """An export of an event database, and what has been found while it streams by.

    `spans` are the first and last dates as written, each pair with its first row; `hashes` are those of all ids, by
    which repeated ones are found in little memory.
    """

    table: TableFile
    form: Format
    filters: Filters
    calendar: Calendar
    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    passing: list[_Row] = field(default_factory=list)
    spans: dict[tuple[str, str], int] = field(default_factory=dict)
    hashes: list[npt.NDArray[np.uint64]] = field(default_factory=list)
    several: int = 0
    rough: int = 0
    second_side: int = 0
    details: list[AttackDetail] = field(default_factory=list)

    def counts(self) -> Counts:
        """Counts of every day or period that the file covers; events outside the calendar extend it too."""
        self.refuse_no_actors()
        for block in self.table.blocks(self.form.read):
            self.sift(block, self.look(block))
        return self.finished()

    def refuse_no_actors(self) -> None:
        """Refuse filters of actors for a file that names none."""
        if self.filters.names_actors and not self.form.sides[0]:
            raise refused(
                self.table.path,
                f"events with actors; {self.form.name} name none: filters.attackers=[] and filters.attacked=[] count"
                " the events of the counted types by anybody",
            )

    def finished(self) -> Counts:
        """The counts, once every block has been looked at."""
        found = self._placed(self._once(self._dated()))
        if not found:
            raise refused(self.table.path, f"a file with at least one attack; {self._nothing_left()}")
        kept = sum(found.values())
        report = self._report(kept)
        if self.form.period:
            return period_counts(self.filters.theatres, self._intervals(), found, report)
        first, last = self.covered
        theatres = self.filters.theatres
        by_day = np.zeros((last - first + 1, len(theatres)))
        for (day, theatre), number in found.items():
            by_day[day - first, theatres.index(theatre)] += number
        says_dead = any(row.killed >= 0 for row in self.passing)
        counts = from_days(theatres, first, by_day, report)
        return replace(counts, details=tuple(self.details), groups=tuple(self.filters.groups), says_dead=says_dead)

    # --- rows -------------------------------------------------------------------------------------------------

    def look(self, frame: pd.DataFrame) -> Look:
        """What the filters say of the rows of one block."""
        form, filters = self.form, self.filters
        nothing = pd.Series("", index=frame.index)
        attacker, reversed_order = self._sides(frame)
        kinds = [_each(frame[name], _folded_code) for name in form.types if name in frame]
        wanted = filters.violence if form is GED else filters.types
        theatre = nothing
        for name in reversed([one for one in form.places if one in frame]):
            inside = _each(frame[name], lambda text: filters.places.get(plain_words(text)))
            theatre = theatre.where(inside.isna(), inside)
        days, precision = self._written(frame)
        typed = (
            pd.concat([one.isin(wanted) for one in kinds], axis=1).any(axis=1) if kinds and wanted else nothing == ""
        )
        out = {
            OTHER_TYPE: ~typed,
            OTHER_ACTORS: ~(attacker | reversed_order),
            OTHER_PLACE: theatre == "",
            NO_DATE: _each(days, lambda text: not text.strip()).astype(bool),
            ROUGH_DATE: (precision > filters.date_precision) & (filters.rough_dates == DROP),
        }
        return Look(days, precision, out, attacker, reversed_order, kinds[0] if kinds else nothing, theatre)

    def _sides(self, frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Whether an attacker stands on the first side and one of the attacked on the second, and vice versa."""
        everybody = pd.Series(True, index=frame.index)

        def named(place: int, test: Callable[[str], bool] | None) -> pd.Series:
            columns = [one for one in self.form.sides[place] if one in frame]
            if test is None or not columns:
                return everybody
            return pd.concat([_each(frame[one], test) for one in columns], axis=1).any(axis=1)

        attackers, attacked = self._tests
        return named(0, attackers) & named(1, attacked), named(1, attackers) & named(0, attacked)

    @cached_property
    def _tests(self) -> tuple[Callable[[str], bool] | None, ...]:
        """Tests of names for the attackers and the attacked; None where anybody is meant."""
        return tuple(matcher(names) if names else None for names in (self.filters.attackers, self.filters.attacked))

    def _written(self, frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """The dates as written, put together where year, month and day stand apart, and how well they are known."""
        columns = self.form.day
        nothing = pd.Series("", index=frame.index)
        precision = pd.to_numeric(frame.get(self.form.precision, nothing), errors="coerce")  # trusted where not given
        if len(columns) == 1:
            return frame[columns[0]], precision
        parts = [_each(frame[name], whole_code) for name in columns]
        month = _each(parts[1], _month)
        day = parts[2] if len(parts) > 2 else pd.Series("1", index=frame.index)
        texts = parts[0] + "-" + _each(month, _at_least_one) + "-" + _each(day, _at_least_one)
        unknown = (day.isin(("0", "")), month.isin(("0", "")))
        for out, rough in zip(unknown, (ROUGH_TO_MONTH, ROUGH_TO_YEAR), strict=True):
            precision = precision.mask(out, rough)
        return texts.where(parts[0] != "", ""), precision

    def sift(self, frame: pd.DataFrame, look: Look) -> None:
        """Take the rows of one block that pass, and count the others by reason."""
        form, filters, before = self.form, self.filters, self.rows
        self.rows += len(frame)
        nothing = pd.Series("", index=frame.index)
        ends = frame.get(form.end, nothing)
        for row, span in enumerate(zip(look.days, ends, strict=True), before + 1):
            self.spans.setdefault(span, row)
        if form.identity in frame and form.version in frame:
            self.hashes.append(_hashes(frame[form.identity].str.strip()))
        left = pd.Series(True, index=frame.index)
        for reason, out in look.out.items():
            self.dropped[reason] += int((left & out).sum())
            left &= ~out
        identity, version = (frame.get(name, nothing)[left].str.strip() for name in (form.identity, form.version))
        ordered = filters.order == ATTACKER_FIRST or (filters.order == BY_TYPE and form.directed)
        by_type = look.kinds.isin(form.attacker_first) if filters.order == BY_TYPE and not form.directed else ordered
        refuse = ~look.attacker & by_type
        numbers = [1] * int(left.sum()) if not form.events else self._numbers(frame[form.events][left], before)
        passing = (
            identity, self._versions(version), look.days[left], ends[left], look.precision[left], look.theatre[left],
            ~look.attacker[left], refuse[left], self._groups(frame[left], look.attacker[left]),
            self._killed(frame[left], look.attacker[left]),
        )  # fmt: skip
        self.passing += map(_Row, *(column.tolist() for column in passing), numbers)

    def _groups(self, frame: pd.DataFrame, first: pd.Series) -> pd.Series:
        """The one group of the case that is named on the attackers' side, which is the `first` or the second."""
        tests = {group: matcher(names) for group, names in self.filters.groups.items()}
        nothing = pd.Series("", index=frame.index)
        if not tests or not self.form.sides[0]:
            return nothing
        sides = [sum((frame[one] + " | " for one in side if one in frame), start=nothing) for side in self.form.sides]

        def group_of(text: str) -> str:
            named = [group for group, test in tests.items() if any(map(test, text.split("|")))]
            return named[0] if len(named) == 1 else ""

        return _each(sides[0].where(first, sides[1]), group_of)

    def _killed(self, frame: pd.DataFrame, first: pd.Series) -> pd.Series:
        """The dead of the attacked, who stand on the second side where the attackers stand `first`; NaN if not said."""
        dead = [
            pd.to_numeric(frame[name], errors="coerce") if name else pd.Series(np.nan, index=frame.index)
            for name in (next((one for one in columns if one in frame), "") for columns in self.form.killed)
        ]
        found = dead[1].where(first, dead[0])
        return found.where(found >= 0)

    def _numbers(self, column: pd.Series, before: int) -> list[int]:
        """The numbers of events in rows that hold those of a period."""
        return [
            whole_count(self.table.path, before + row + 1, self.form.events, text)
            for row, text in zip(column.index, column, strict=True)
        ]

    def _versions(self, column: pd.Series) -> pd.Series:
        """When rows were last changed, in seconds; -inf where it is not said."""
        found = pd.to_numeric(column, errors="coerce")
        words = column[found.isna() & (column != "")]
        when = pd.to_datetime(words, format="ISO8601", utc=True, errors="coerce")
        if when.isna().any():
            said = words[when.isna()].iloc[0]
            raise refused(self.table.path, f"timestamps in seconds or as ISO dates; one says {said!r}")
        seconds = (when - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
        return found.fillna(seconds).fillna(-np.inf)

    # --- days -------------------------------------------------------------------------------------------------

    @cached_property
    def reading(self) -> DateReading:
        """How the dates are written, and what they are."""
        texts: dict[str, int] = {}
        for span, row in self.spans.items():
            for text in span:
                texts.setdefault(text, row)
        return read_dates(self.table.path, texts, self.filters.date_format)

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last day that count."""
        start, end, last = self.filters.start, self.filters.end, self.calendar.days - 1
        first = 0 if start is None else max(0, self.calendar.day_of(start))
        return first, last if end is None else min(last, self.calendar.day_of(end))

    @cached_property
    def periods(self) -> list[tuple[date, date]]:
        """The first and last days of all rows, whether they count or not, in order and each once."""
        return sorted({self._period(day, end) for day, end in self.spans if day in self.reading.days})

    @property
    def covered(self) -> tuple[int, int]:
        """The first and the last day that the file covers, as it is said or as its rows show."""
        low, high = self.span
        first, last = self.periods[0][0], max(one[bool(self.form.period)] for one in self.periods)
        first_day, last_day = self.calendar.day_of(first), self.calendar.day_of(last)
        return (
            low if self.filters.start is not None else max(low, first_day),
            high if self.filters.end is not None else min(high, last_day),
        )

    def _period(self, day: str, end: str) -> tuple[date, date]:
        """The days of an event, or of a row that holds those of a period."""
        first = self.reading.days[day]
        last = self.reading.days.get(end, first)
        if self.form.period == WEEK:
            last = first + timedelta(6)
        elif self.form.period == MONTH:
            last = first.replace(day=months.monthrange(first.year, first.month)[1])
        return first, max(first, last)

    def _rough(self, row: _Row) -> tuple[date, date]:
        """The days of which an event with a rough date may be."""
        first, last = self._period(row.day, row.end)
        if not self.form.end and row.precision >= ROUGH_TO_YEAR:
            return first.replace(month=1, day=1), first.replace(month=12, day=31)
        if not self.form.end and row.precision >= ROUGH_TO_MONTH:
            return first.replace(day=1), first.replace(day=months.monthrange(first.year, first.month)[1])
        if not self.form.end:
            return first - timedelta(3), first + timedelta(3)
        return first, last

    def _dated(self) -> Iterator[_Dated]:
        """The rows that pass with their days; those are dropped that last too long or are not covered."""
        low, high = self.span
        for row in self.passing:
            rough, period = row.precision > self.filters.date_precision, bool(self.form.period)
            dates = self._rough(row) if rough else self._period(row.day, row.end)
            first, last = (self.calendar.day_of(one) for one in dates)
            several = not rough and not period and last > first
            spread = rough or (several and self.filters.multi_day == SPREAD)
            if several and self.filters.multi_day == DROP:
                self.dropped[SEVERAL_DAYS] += 1
            elif spread and last - first >= MOST_SPREAD:
                self.dropped[ROUGH_DATE] += 1
            elif first < low or (last if spread or period else first) > high:
                self.dropped[NOT_COVERED] += 1
            else:
                self.several += several
                self.rough += rough
                yield _Dated(row, first, last, spread)

    def _once(self, rows: Iterable[_Dated]) -> Iterator[_Dated]:
        """Each event once, in its newest version, an attack before its mirror image."""
        kept = list(rows)
        newest = self._newest({one.row.identity for one in kept if one.row.identity})
        seen: set[str] = set()
        for one in sorted(kept, key=lambda one: one.row.refused):
            row = one.row
            if row.version < newest.get(row.identity, row.version):
                self.dropped[OLDER] += 1
            elif row.identity and row.identity in seen:
                self.dropped[TWICE] += 1
            else:
                seen.add(row.identity)
                if row.refused:
                    self.dropped[OTHER_ORDER] += 1
                else:
                    self.second_side += row.second_side
                    yield one

    def _newest(self, wanted: set[str]) -> dict[str, float]:
        """The newest version of some events among all rows: a revised row may fail filters that an older one passes."""
        newest: dict[str, float] = {}
        values, times = np.unique(np.concatenate(self.hashes or [np.array([], np.uint64)]), return_counts=True)
        listed = pd.Series(sorted(wanted), dtype=object)
        wanted = set(listed[np.isin(_hashes(listed), values[times > 1])])
        if not wanted:
            return newest
        for frame in self.table.blocks((self.form.identity, self.form.version)):
            identity = frame[self.form.identity].str.strip()
            known = identity.isin(wanted)
            versions = self._versions(frame[self.form.version][known].str.strip())
            for key, one in zip(identity[known], versions, strict=True):
                newest[key] = max(one, newest.get(key, -np.inf))
        return newest

    def _placed(self, rows: Iterable[_Dated]) -> dict[tuple[int, str], int]:
        """Numbers of attacks by day, or by the last day of the period, and theatre.

        The events that may be of any of the same days are spread over them evenly, one after the other.
        """
        found: Counter[tuple[int, str]] = Counter()
        spread: defaultdict[tuple[int, int], list[_Row]] = defaultdict(list)
        for one in rows:
            if one.spread:
                spread[one.first, one.last].append(one.row)
            else:
                found[one.last if self.form.period else one.first, one.row.theatre] += one.row.number
                if (one.row.group or one.row.killed > 0) and not self.form.period:
                    killed = 0 if np.isnan(one.row.killed) else round(one.row.killed)
                    self.details.append(AttackDetail(one.first, one.row.theatre, one.row.group, killed))
        for (first, last), several in spread.items():
            for place, row in enumerate(several):
                found[first + (2 * place + 1) * (last - first + 1) // (2 * len(several)), row.theatre] += row.number
        return {key: number for key, number in found.items() if number}

    def _intervals(self) -> list[tuple[int, int]]:
        """The first and last days of all periods that are covered."""
        low, high = self.span
        found = [(self.calendar.day_of(first), self.calendar.day_of(last)) for first, last in self.periods]
        return [one for one in found if low <= one[0] and one[1] <= high]

    # --- report -----------------------------------------------------------------------------------------------

    def _nothing_left(self) -> str:
        """Why no row is left: all dates lie elsewhere, or the reason with the most rows first."""
        reasons = ", ".join(f"{reason}: {number}" for reason, number in self.dropped.most_common() if number)
        why = f"of {self.rows} rows none is left ({reasons or 'it has no rows'})"
        elsewhere = outside_words(self.periods[0][0], self.periods[-1][0], self.calendar) if self.periods else ""
        return elsewhere + why

    def _report(self, kept: int) -> ReadingReport:
        dropped = {reason: n for reason, n in self.dropped.items() if n}
        return ReadingReport(self.form.name, self.rows, kept, dropped, tuple(self._remarks(kept)))

    def _remarks(self, kept: int) -> Iterator[str]:
        """How it was stored, how it was decided who attacked whom, and which days are covered."""
        form, filters = self.form, self.filters
        yield from stored_remarks(self.table, self.reading)
        if form.sides[0]:
            yield from self._order_remarks(kept)
        yield from form.remarks
        if self.several and filters.multi_day == FIRST:
            yield f"{self.several} of several days count on their first; filters.multi_day=spread or drop changes that"
        elif self.several:
            yield f"{self.several} of several days are spread over them"
        if self.rough:
            yield f"{self.rough} with a rough date are spread over the days that they may be of"
        first, last = (self.calendar.date_of(day) for day in self.covered)
        if filters.start is not None and filters.end is not None:
            yield f"covers {first} to {last}, as filters.from and filters.to say"
        else:
            how = "by its events of any kind and any date; filters.from and filters.to say it better"
            yield f"covers {first} to {last}, {how}"
        if form.identity and form.identity not in self.table.names:
            yield f"there is no column {form.identity}: an event that stands twice counts twice"

    def _order_remarks(self, kept: int) -> Iterator[str]:
        form, filters = self.form, self.filters
        if filters.order == ATTACKER_FIRST:
            yield "an attack: an attacker on the first side, one of the attacked on the second"
        else:
            order = f"; {form.order}" if filters.order == BY_TYPE and form.order else ""
            yield f"an attack: an attacker on one side, one of the attacked on the other, of a counted type{order}"
        if self.second_side and not form.fixed:
            yield f"in {self.second_side} of {kept} the attacked stand first; their own strikes may be among these"
        if answers := self.dropped[OTHER_ORDER]:
            look, them = ("event looks like a strike", "it") if answers == 1 else ("events look like strikes", "them")
            yield f"{answers} {look} {filters.answers}; filters.order=any includes {them}"


def _each(column: pd.Series, answer: Callable[[str], Any]) -> pd.Series:
    """What a function says of every text; each distinct text is looked at once."""
    return column.map({one: answer(one) for one in column.unique()})


def _hashes(texts: pd.Series) -> npt.NDArray[np.uint64]:
    """A number of 64 bits for every text, the same for the same text."""
    return pd.util.hash_array(texts.to_numpy(dtype=object), categorize=False)


def _folded_code(text: str) -> str:
    return whole_code(text.casefold())


def _at_least_one(text: str) -> str:
    return f"{int(text):02d}" if text.isdigit() and int(text) else "01" if text in ("0", "") else text


def _month(text: str) -> str:
    """The number of a month that may be written as a word."""
    found = None if text.isdigit() or not text else parse_date(f"1 {text.strip().title()} 2000")
    return text if found is None else str(found.month)
