"""Files of events: which events count as attacks, and their counts by day and theatre.

`read_events` takes a user's file in any known format and reports what was dropped and why. The format is recognised by
the columns. Exports of event databases are streamed in blocks: memory does not grow with the file.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from sim.analysis.forecast.event_counts import (
    DATE,
    Counts,
    ReadingReport,
    from_days,
    read_cumulative,
    refuse_twice,
    refused,
)
from sim.experiment.formats import DATES, parse_date, size
from sim.experiment.io import existing_file
from sim.model.cast import Cast
from sim.model.timeline import Calendar
from sim.model.validation import Section, UserError, mapping, one_of

# --- formats ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Format:
    """Where a database keeps what we read; names as in its header, lower case.

    identity: the event's id, and version: when its row was last changed; a file need not have either. sides: the
    columns with actors of the first and of the second side. types: columns that say what happened; attacker_first:
    values of the first of them in which the first side attacks, and order: the same in words. fixed: whether sides are
    ordered by what they are, so that in other types the order says nothing at all. places: from the smallest region to
    the country. precision: how well the date is known.
    """

    name: str
    identity: str
    version: str
    day: str
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    types: tuple[str, ...]
    attacker_first: frozenset[str]
    order: str
    fixed: bool
    places: tuple[str, ...]
    precision: str
    remarks: tuple[str, ...]

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which a file is none of this format."""
        first, second = self.sides
        return (self.day, first[0], second[0], self.types[0], self.places[-1])

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that are read where they are there."""
        return (
            self.identity, self.version, self.day, *self.sides[0], *self.sides[1], *self.types, *self.places,
            self.precision,
        )  # fmt: skip


ACLED: Final = Format(
    name="ACLED",
    identity="event_id_cnty",
    version="timestamp",
    day="event_date",
    sides=(("actor1", "assoc_actor_1"), ("actor2", "assoc_actor_2")),
    types=("event_type", "sub_event_type"),
    attacker_first=frozenset(("explosions/remote violence", "violence against civilians")),
    order="in explosions, remote violence and violence against civilians the attacker stands on the first side",
    fixed=False,
    places=("admin2", "admin1", "country"),
    precision="time_precision",
    remarks=(),
)
GED: Final = Format(
    name="UCDP GED",
    identity="id",
    version="",
    day="date_start",
    sides=(("side_a",), ("side_b",)),
    types=("type_of_violence",),
    attacker_first=frozenset(("3",)),
    order="in one-sided violence the attacker stands on the first side",
    fixed=True,
    places=("adm_2", "adm_1", "country"),
    precision="date_prec",
    remarks=("UCDP lists events with deaths; attacks without deaths are not in the file",),
)
FORMATS: Final = (ACLED, GED)

GED_COLUMNS: Final = (
    "id relid year active_year code_status type_of_violence conflict_dset_id conflict_new_id conflict_name"
    " dyad_dset_id dyad_new_id dyad_name side_a_dset_id side_a_new_id side_a side_b_dset_id side_b_new_id side_b"
    " number_of_sources source_article source_office source_date source_headline source_original where_prec"
    " where_coordinates where_description adm_1 adm_2 latitude longitude geom_wkt priogrid_gid country country_id"
    " region event_clarity date_prec date_start date_end deaths_a deaths_b deaths_civilians deaths_unknown best high"
    " low gwnoa gwnob"
).split()
"""The 49 columns of GED in their order: releases of candidate events have come without a header."""


def bare_ged(row: Sequence[str]) -> bool:
    """Whether a first row is one of GED's events and no header: as many columns, and numbers and dates in their places.

    >>> bare_ged(["id"] * 49)
    False
    """
    if len(row) != len(GED_COLUMNS):
        return False
    cell = dict(zip(GED_COLUMNS, row, strict=True))
    numbers = ("id", "year", "type_of_violence", "date_prec", "best")
    return all(whole(cell[name]).isdigit() for name in numbers) and cell["date_start"][:4].isdigit()


def whole(text: str) -> str:
    """A code as databases mean it: spreadsheets and data frames write a whole number with a point and noughts.

    >>> whole(" 1.0"), whole("2"), whole("1.5"), whole("IRQ10")
    ('1', '2', '1.5', 'IRQ10')
    """
    return re.sub(r"(?<=\d)\.0*$", "", text.strip())


# --- filters ------------------------------------------------------------------------------------------------

_KEYS: Final = ("attackers", "attacked", "order", "types", "violence", "date_precision", "places", "from", "to")
BY_TYPE: Final = "by_type"
ATTACKER_FIRST: Final = "attacker_first"
ORDERS: Final = ("any", ATTACKER_FIRST, BY_TYPE)
_VIOLENCE: Final = ("1", "2", "3")
VIOLENCE_WORDS: Final = "a list with some of 1, 2, 3"
DAY_WORDS: Final = "a date such as 2024-02-02, or null"


@dataclass(frozen=True)
class Filters:
    """What counts.

    attackers, attacked: parts of actors' names, lower case, for the two sides; nothing named means anybody.
    order: `attacker_first` where the attacker must stand on the first side, `by_type` where it must in types of events
    in which the database puts it there, or `any`. answers: whose strikes the rows the other way round are, in words.
    types: ACLED's event or sub-event types, lower case; violence: UCDP's types of violence; nothing named means all.
    date_precision: the worst that is still dated well enough (1 is the day itself).
    places: theatre by the name of a country or region, lower case. start, end: the days that the file covers, None
    where its first and last event tell.
    """

    attackers: tuple[str, ...]
    attacked: tuple[str, ...]
    order: str
    answers: str
    types: tuple[str, ...]
    violence: tuple[str, ...]
    date_precision: int
    places: dict[str, str]
    start: date | None
    end: date | None

    @property
    def theatres(self) -> tuple[str, ...]:
        """Theatres that places stand for, each once."""
        return tuple(dict.fromkeys(self.places.values()))


def filters_of(tree: Mapping[str, Any], cast: Cast) -> Filters:
    """The filters of a composed configuration.

    Raises:
        UserError: a key is unknown or missing, or a place leads to no theatre of the case.
    """
    section = Section("filters", tree.get("filters"), _KEYS)
    start, end = _day(section, "from"), _day(section, "to")
    violence = section.raw("violence", VIOLENCE_WORDS)
    if not isinstance(violence, list) or any(str(one) not in _VIOLENCE for one in violence):
        raise UserError(section.full("violence"), violence, VIOLENCE_WORDS)
    if start and end and end < start:
        raise UserError("filters.to", end, f"{start} or later")
    return Filters(
        attackers=_folded(section, "attackers"),
        attacked=_folded(section, "attacked"),
        order=section.choice("order", ORDERS),
        answers=_answers(section.texts("attacked"), cast.names.target),
        types=_folded(section, "types"),
        violence=tuple(str(one) for one in violence),
        date_precision=section.whole("date_precision", 1, 5),
        places=_places(section, cast),
        start=start,
        end=end,
    )


def _folded(section: Section, name: str) -> tuple[str, ...]:
    return tuple(one.strip().casefold() for one in section.texts(name))


def _answers(attacked: Sequence[str], target: str) -> str:
    """Whose strikes those of an attacked side are: the target's, as the case names it, or of those that are named."""
    if not attacked:
        return "on the attackers"
    is_target = any(one.strip().casefold() in target.casefold() for one in attacked)
    return f"by {target if is_target else ' or '.join(attacked)}"


def _places(section: Section, cast: Cast) -> dict[str, str]:
    key, words = section.full("places"), "a mapping of theatres to lists of names"
    listed = mapping(key, section.raw("places", words))
    if not listed:
        raise UserError(key, "{}", f"{words} of countries or regions")
    inner = Section(key, listed, cast.theatres)
    places: dict[str, str] = {}
    for theatre in listed:
        for place in _folded(inner, theatre):
            if places.setdefault(place, theatre) != theatre:
                raise UserError(inner.full(theatre), place, f"each place in one theatre; it is in {places[place]} too")
    if not places:
        raise UserError(key, listed, f"names of places for some of {one_of(cast.theatres, '')}")
    return places


def _day(section: Section, name: str) -> date | None:
    given = section.raw(name, DAY_WORDS)
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise UserError(section.full(name), given, DAY_WORDS) from None


# --- any file -----------------------------------------------------------------------------------------------

LARGEST: Final = 2_000_000_000
"""Bytes of the largest file that is read: about four million rows of ACLED. A larger one is refused unread."""
_HEAD: Final = 1 << 18
_NAMED: Final = 6
_SHORT: Final = 30
_KNOWN: Final = (
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
    header = _head(path)
    names = [one.strip().casefold() for one in header]
    if DATE in names and len(names) > 1:
        return read_cumulative(path, filters.theatres, filters.start, calendar)
    found = next((one for one in FORMATS if set(one.needed) <= set(names)), None)
    if found is not None:
        return Export(path, found, header, False, filters, calendar).counts()
    if bare_ged(header):
        return Export(path, GED, GED_COLUMNS, True, filters, calendar).counts()
    shown = [one.strip()[:_SHORT] or "(nothing)" for one in header[:_NAMED]]
    if len(header) == 1:
        raise refused(path, f"{_KNOWN}; this one has a single column, {shown[0]}")
    more = ", ..." if len(header) > len(shown) else ""
    raise refused(path, f"{_KNOWN}; this one has {len(header)} columns: {', '.join(shown)}{more}")


def _check_size(path: Path) -> None:
    if (bytes_there := existing_file("data", path)) > LARGEST:
        raise refused(path, f"files of at most {size(LARGEST)}; this one has {size(bytes_there)}")


def _head(path: Path) -> list[str]:
    """The cells of the first line; refuses what is no text in UTF-8 with columns parted by commas."""
    try:
        with path.open("rb") as file:
            start = file.read(_HEAD)
    except OSError as problem:
        raise refused(path, f"a file that can be read ({problem.strerror})") from None
    for mark, what in _NOT_CSV.items():
        if start.startswith(mark):
            raise refused(path, f"{_KNOWN}; this is {what}: save it as CSV (UTF-8)")
    text = _decoded(start, path)
    first = text.lstrip("\r\n").partition("\n")[0]
    if not first.strip():
        raise refused(path, f"{_KNOWN}; this one is empty")
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if first.count(sign) > first.count(","):
            raise refused(path, f"columns parted by commas; these are parted by {name}")
    try:
        return next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:
        return []


def _decoded(start: bytes, path: Path) -> str:
    """The text, without a byte order mark; a letter cut in two at the end of what was read does not matter."""
    if b"\x00" in start:
        raise refused(path, f"{_KNOWN}; this one holds bytes that are no text")
    try:
        return start.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        if problem.start < len(start) - 4:
            line = start[: problem.start].count(b"\n") + 1
            raise refused(path, f"text in UTF-8; line {line} is in another encoding") from None
        return start[: problem.start].decode("utf-8-sig")


# --- exports of event databases -----------------------------------------------------------------------------

BLOCK: Final = 1 << 22
"""Bytes of a file that are looked at together."""

OTHER_TYPE: Final = "another type of event"
OTHER_ACTORS: Final = "other actors"
OTHER_ORDER: Final = "the attacker stands on the second side"
OTHER_PLACE: Final = "another place"
ROUGH_DATE: Final = "the date is not known well enough"
NOT_COVERED: Final = "outside the calendar, or the days that the file is said to cover"
OLDER: Final = "an older version of an event"
TWICE: Final = "the same event a second time"


class _Row(NamedTuple):
    """A row that passes every filter but perhaps that of the order; `version` is its time stamp."""

    identity: str
    version: float
    day: int
    theatre: str
    second_side: bool
    refused: bool


@dataclass
class Export:
    """An export of an event database, and what has been found while it streams by.

    `header` are its columns in order, as written; of the format where the file has none, which `bare` says.
    """

    path: Path
    form: Format
    header: Sequence[str]
    bare: bool
    filters: Filters
    calendar: Calendar
    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    passing: list[_Row] = field(default_factory=list)
    found: Counter[tuple[int, str]] = field(default_factory=Counter)
    second_side: int = 0
    days: set[int] = field(default_factory=set)

    def counts(self) -> Counts:
        """Counts of every day that the file covers; events outside the calendar say so too."""
        for block in self._blocks(self.form.read):
            self._sift(block)
        self._count(self._newest({one.identity for one in self.passing if one.identity}))
        if not self.found:
            reasons = ", ".join(f"{reason}: {number}" for reason, number in self.dropped.most_common() if number)
            why = f"of {self.rows} rows none is left ({reasons or 'it has no rows'})"
            raise refused(self.path, f"a file with at least one attack; {why}")
        low, high = self._span
        filters, theatres = self.filters, self.filters.theatres
        first = low if filters.start is not None else max(low, min(self.days))
        last = high if filters.end is not None else min(high, max(self.days))
        by_day = np.zeros((last - first + 1, len(theatres)))
        for (day, theatre), number in self.found.items():
            by_day[day - first, theatres.index(theatre)] += number
        kept = int(by_day.sum())
        dropped = {reason: n for reason, n in self.dropped.items() if n}
        report = ReadingReport(self.form.name, self.rows, kept, dropped, tuple(self._remarks(kept, first, last)))
        return from_days(theatres, first, by_day, report)

    @property
    def _names(self) -> list[str]:
        return [one.strip().casefold() for one in self.header]

    @property
    def _span(self) -> tuple[int, int]:
        """The first and the last day that count."""
        start, end, last = self.filters.start, self.filters.end, self.calendar.days - 1
        first = 0 if start is None else max(0, self.calendar.day_of(start))
        return first, last if end is None else min(last, self.calendar.day_of(end))

    def _blocks(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """The columns that we read, as text, block by block."""
        refuse_twice(self.path, [name for name in self._names if name in columns])
        wanted = {name: one for name, one in zip(self._names, self.header, strict=True) if name in columns}
        reading = arrow_csv.ReadOptions(block_size=BLOCK, column_names=list(self.header) if self.bare else None)
        converting = arrow_csv.ConvertOptions(
            include_columns=list(wanted.values()),
            column_types={one: pa.string() for one in wanted.values()},
            strings_can_be_null=False,
        )
        parsing = arrow_csv.ParseOptions(newlines_in_values=True)
        try:
            with arrow_csv.open_csv(self.path, reading, parsing, converting) as stream:
                for batch in stream:
                    yield batch.to_pandas().set_axis(list(wanted), axis=1)
        except pa.ArrowInvalid as problem:
            raise refused(self.path, f"a CSV file that can be read ({_plain(problem)})") from None
        except OSError as problem:
            raise refused(self.path, f"a file that can be read ({problem.strerror or problem})") from None

    def _sift(self, frame: pd.DataFrame) -> None:
        """Take the rows of one block that pass, and count the others by reason."""
        form, filters = self.form, self.filters
        days = self._days(frame[form.day])
        self.rows += len(frame)
        self.days |= set(days.unique().tolist())
        lower = pd.DataFrame({name: frame[name].str.strip().str.casefold() for name in frame})
        kinds = lower[form.types[0]] = _each(lower[form.types[0]], whole)
        first, second = (_joined(lower, columns) for columns in form.sides)
        attacker = _any_of(first, filters.attackers) & _any_of(second, filters.attacked)
        reversed_order = _any_of(second, filters.attackers) & _any_of(first, filters.attacked)
        theatre = self._theatres(lower)
        nothing = pd.Series("", index=frame.index)
        precision = pd.to_numeric(lower.get(form.precision, nothing), errors="coerce")  # trusted where it is not given
        low, high = self._span
        reasons = (
            (OTHER_TYPE, ~self._typed(lower)),
            (OTHER_ACTORS, ~(attacker | reversed_order)),
            (OTHER_PLACE, theatre == ""),
            (ROUGH_DATE, precision > filters.date_precision),
            (NOT_COVERED, (days < low) | (days > high)),
        )
        left = pd.Series(True, index=frame.index)
        for reason, out in reasons:
            self.dropped[reason] += int((left & out).sum())
            left &= ~out
        identity, version = (frame.get(name, nothing)[left].str.strip() for name in (form.identity, form.version))
        by_type = kinds.isin(form.attacker_first) if filters.order == BY_TYPE else filters.order == ATTACKER_FIRST
        out = ~attacker & by_type
        passing = (identity, self._versions(version), days[left], theatre[left], ~attacker[left], out[left])
        self.passing += map(_Row, *(column.tolist() for column in passing))

    def _days(self, column: pd.Series) -> pd.Series:
        """Day numbers of the case's calendar; each distinct text is read once."""
        read = {text: parse_date(text) for text in column.unique()}
        bad = next((text for text, when in read.items() if when is None), None)
        if bad is not None:
            row = self.rows + int((column == bad).to_numpy().argmax()) + 1
            raise refused(self.path, f"{DATES}; row {row} says {bad!r}")
        return column.map({text: self.calendar.day_of(when) for text, when in read.items() if when is not None})

    def _typed(self, lower: pd.DataFrame) -> pd.Series:
        """Whether the type of event counts; nothing named means all types."""
        wanted = self.filters.types if self.form is ACLED else self.filters.violence
        columns = [name for name in self.form.types if name in lower]
        return lower[columns].isin(wanted).any(axis=1) | (not wanted)

    def _theatres(self, lower: pd.DataFrame) -> pd.Series:
        """The theatre of each row, empty for none; the smallest region that is named decides."""
        found = pd.Series("", index=lower.index)
        for name in reversed([one for one in self.form.places if one in lower]):
            inside = lower[name].map(self.filters.places)
            found = found.where(inside.isna(), inside)
        return found

    def _versions(self, column: pd.Series) -> pd.Series:
        """When rows were last changed, in seconds; -inf where it is not said."""
        found = pd.to_numeric(column, errors="coerce")
        words = column[found.isna() & (column != "")]
        when = pd.to_datetime(words, format="ISO8601", utc=True, errors="coerce")
        if when.isna().any():
            said = words[when.isna()].iloc[0]
            raise refused(self.path, f"timestamps in seconds or as ISO dates; one says {said!r}")
        seconds = (when - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
        return found.fillna(seconds).fillna(-np.inf)

    def _newest(self, wanted: set[str]) -> dict[str, float]:
        """The newest version of some events among all rows: a revised row may fail filters that an older one passes."""
        newest: dict[str, float] = {}
        if not wanted or self.form.version not in self._names:
            return newest
        for frame in self._blocks((self.form.identity, self.form.version)):
            identity = frame[self.form.identity].str.strip()
            known = identity.isin(wanted)
            versions = self._versions(frame[self.form.version][known].str.strip())
            for key, one in zip(identity[known], versions, strict=True):
                newest[key] = max(one, newest.get(key, -np.inf))
        return newest

    def _count(self, newest: Mapping[str, float]) -> None:
        """Count the events that pass: each once, in its newest version, an attack before its mirror image."""
        seen: set[str] = set()
        for row in sorted(self.passing, key=lambda one: one.refused):
            if row.version < newest.get(row.identity, row.version):
                self.dropped[OLDER] += 1
            elif row.identity and row.identity in seen:
                self.dropped[TWICE] += 1
            else:
                seen.add(row.identity)
                if row.refused:
                    self.dropped[OTHER_ORDER] += 1
                else:
                    self.found[row.day, row.theatre] += 1
                    self.second_side += row.second_side

    def _remarks(self, kept: int, first: int, last: int) -> Iterator[str]:
        """How it was decided who attacked whom, and which days are covered."""
        form, filters = self.form, self.filters
        if filters.order == ATTACKER_FIRST:
            yield "an attack: an attacker on the first side, one of the attacked on the second"
        else:
            order = f"; {form.order}" if filters.order == BY_TYPE else ""
            yield f"an attack: an attacker on one side, one of the attacked on the other, of a counted type{order}"
        if self.second_side and not form.fixed:
            yield f"in {self.second_side} of {kept} the attacked stand first; their own strikes may be among these"
        if answers := self.dropped[OTHER_ORDER]:
            look, them = ("event looks like a strike", "it") if answers == 1 else ("events look like strikes", "them")
            yield f"{answers} {look} {filters.answers}; filters.order=any includes {them}"
        yield from form.remarks
        span = f"{self.calendar.date_of(first)} to {self.calendar.date_of(last)}"
        if filters.start is not None and filters.end is not None:
            yield f"covers {span}, as filters.from and filters.to say"
        else:
            yield f"covers {span}, by its events of any kind and any date; filters.from and filters.to say it better"
        if form.identity not in self._names:
            yield f"there is no column {form.identity}: an event that stands twice counts twice"


def _plain(problem: Exception) -> str:
    """What the reader says, without the row that it quotes."""
    said = str(problem)
    if "UTF8" in said:
        return "it is not in UTF-8"
    if "straddling" in said:
        return f"a row is longer than {size(BLOCK)}"
    return said.partition(": ")[2].partition(":")[0].strip() or "damaged"


def _each(column: pd.Series, answer: Callable[[str], Any]) -> pd.Series:
    """What a function says of every text; each distinct text is looked at once."""
    return column.map({one: answer(one) for one in column.unique()})


def _joined(lower: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    first, *more = (lower[name] for name in columns if name in lower)
    return first.str.cat(more, sep="; ") if more else first


def _any_of(text: pd.Series, names: Sequence[str]) -> pd.Series:
    """Whether a text names one of them; nothing named is anybody."""
    return _each(text, lambda one: not names or any(name in one for name in names)).astype(bool)
