"""Exports of event databases: streamed in blocks, filtered row by row, counted by day and theatre."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from sim.study.events.counts import Counts, Report, from_days
from sim.study.events.dates import ALLOWED, date_of
from sim.study.events.filters import ATTACKER_FIRST, BY_TYPE, Filters
from sim.study.events.formats import ACLED, Format, refuse_twice, whole
from sim.study.memory import size
from sim.world.errors import UserError
from sim.world.timeline import Calendar

Array = npt.NDArray[Any]
KEY: Final = "data"
BLOCK: Final = 1 << 22
"""Bytes of a file that are looked at together."""

OTHER_TYPE: Final = "another type of event"
OTHER_ACTORS: Final = "other actors"
OTHER_ORDER: Final = "the attacker stands on the second side"
OTHER_PLACE: Final = "another place"
ROUGH_DATE: Final = "the date is not known well enough"
OUTSIDE: Final = "outside the calendar, or the days that the file is said to cover"
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
class _Tally:
    """What has been found while the file streams by."""

    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    passing: list[_Row] = field(default_factory=list)
    found: Counter[tuple[int, str]] = field(default_factory=Counter)
    second_side: int = 0
    days: set[int] = field(default_factory=set)


def read_export(
    path: Path, form: Format, header: Sequence[str], bare: bool, filters: Filters, calendar: Calendar
) -> Counts:
    """Count the attacks in an export.

    Args:
        path: the file.
        form: its format.
        header: its columns in order, as written; of the format where the file has none.
        bare: whether the file has no line of columns.
        filters: what counts.
        calendar: days that count.

    Raises:
        UserError: a row is damaged, a date cannot be read, or nothing is left.
    """
    tally = _Tally()
    for block in _blocks(path, form.read, header, bare):
        _sift(block, form, filters, calendar, tally, path)
    _count(tally, _newest(path, form, header, bare, {one.identity for one in tally.passing if one.identity}))
    if not tally.found:
        raise UserError(KEY, path.name, f"a file with at least one attack; {_told(tally)}")
    return _counts(form, filters, calendar, tally, form.identity in _names(header))


def _names(header: Sequence[str]) -> list[str]:
    return [one.strip().casefold() for one in header]


def _blocks(path: Path, columns: Sequence[str], header: Sequence[str], bare: bool) -> Iterator[pd.DataFrame]:
    """The columns that we read, as text, block by block."""
    refuse_twice(path, [name for name in _names(header) if name in columns])
    wanted = {name: one for name, one in zip(_names(header), header, strict=True) if name in columns}
    reading = csv.ReadOptions(block_size=BLOCK, column_names=list(header) if bare else None)
    converting = csv.ConvertOptions(
        include_columns=list(wanted.values()),
        column_types={one: pa.string() for one in wanted.values()},
        strings_can_be_null=False,
    )
    try:
        with csv.open_csv(path, reading, csv.ParseOptions(newlines_in_values=True), converting) as stream:
            for batch in stream:
                frame = batch.to_pandas()
                frame.columns = list(wanted)
                yield frame
    except pa.ArrowInvalid as problem:
        raise UserError(KEY, path.name, f"a CSV file that can be read ({_plain(problem)})") from None
    except OSError as problem:
        raise UserError(KEY, path.name, f"a file that can be read ({problem.strerror or problem})") from None


def _plain(problem: Exception) -> str:
    """What the reader says, without the row that it quotes."""
    said = str(problem)
    if "UTF8" in said:
        return "it is not in UTF-8"
    if "straddling" in said:
        return f"a row is longer than {size(BLOCK)}"
    return said.partition(": ")[2].partition(":")[0].strip() or "damaged"


def _sift(frame: pd.DataFrame, form: Format, filters: Filters, calendar: Calendar, tally: _Tally, path: Path) -> None:
    """Take the rows of one block that pass, and count the others by reason."""
    tally.rows += len(frame)
    days = _days(frame[form.day], calendar, path, tally.rows - len(frame))
    tally.days |= set(days.unique().tolist())
    lower = {name: frame[name].str.strip().str.casefold() for name in frame.columns}
    kinds = lower[form.types[0]]
    lower[form.types[0]] = kinds.map({one: whole(one) for one in kinds.unique()})
    attacker, reversed_order = _sides(lower, form, filters)
    low, high = _span(filters, calendar)
    theatre = _theatres(lower, form, filters)
    reasons = (
        (OTHER_TYPE, ~_typed(lower, form, filters)),
        (OTHER_ACTORS, ~(attacker | reversed_order)),
        (OTHER_PLACE, theatre == ""),
        (ROUGH_DATE, ~_dated(lower, form, filters)),
        (OUTSIDE, (days < low) | (days > high)),
    )
    left = pd.Series(True, index=frame.index)
    for reason, refused in reasons:
        tally.dropped[reason] += int((left & refused).sum())
        left &= ~refused
    nothing = pd.Series("", index=frame.index)
    identity, version = (frame.get(name, nothing)[left].str.strip() for name in (form.identity, form.version))
    refused = ~attacker & _ordered(lower, form, filters)
    passing = (identity, _versions(version, path), days[left], theatre[left], ~attacker[left], refused[left])
    tally.passing += map(_Row, *(column.tolist() for column in passing))


def _versions(column: pd.Series, path: Path) -> pd.Series:
    """When rows were last changed, in seconds; -inf where it is not said."""
    found = pd.to_numeric(column, errors="coerce")
    words = column[found.isna() & (column != "")]
    when = pd.to_datetime(words, format="ISO8601", utc=True, errors="coerce")
    if when.isna().any():
        raise UserError(
            KEY, path.name, f"timestamps in seconds or as ISO dates; one says {words[when.isna()].iloc[0]!r}"
        )
    seconds = (when - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return found.fillna(seconds).fillna(-np.inf)


def _newest(path: Path, form: Format, header: Sequence[str], bare: bool, wanted: set[str]) -> dict[str, float]:
    """The newest version of some events, among all rows: a revised row may fail filters that an older one passes."""
    newest: dict[str, float] = {}
    if not wanted or form.version not in _names(header):
        return newest
    for frame in _blocks(path, (form.identity, form.version), header, bare):
        identity = frame[form.identity].str.strip()
        known = identity.isin(wanted)
        for key, one in zip(identity[known], _versions(frame[form.version][known].str.strip(), path), strict=True):
            newest[key] = max(one, newest.get(key, -np.inf))
    return newest


def _count(tally: _Tally, newest: Mapping[str, float]) -> None:
    """Count the events that pass: each once, in its newest version, an attack before its mirror image."""
    seen: set[str] = set()
    for row in sorted(tally.passing, key=lambda one: one.refused):
        if row.version < newest.get(row.identity, row.version):
            tally.dropped[OLDER] += 1
        elif row.identity and row.identity in seen:
            tally.dropped[TWICE] += 1
        else:
            seen.add(row.identity)
            if row.refused:
                tally.dropped[OTHER_ORDER] += 1
            else:
                tally.found[row.day, row.theatre] += 1
                tally.second_side += row.second_side


def _ordered(lower: dict[str, pd.Series], form: Format, filters: Filters) -> pd.Series:
    """Whether the attacker must stand on the first side."""
    kinds = lower[form.types[0]]
    if filters.order == BY_TYPE:
        return kinds.isin(form.attacker_first)
    return pd.Series(filters.order == ATTACKER_FIRST, index=kinds.index)


def _days(column: pd.Series, calendar: Calendar, path: Path, before: int) -> pd.Series:
    """Day numbers of the case's calendar; each distinct text is read once."""
    read = {text: date_of(text) for text in column.unique()}
    bad = next((text for text, when in read.items() if when is None), None)
    if bad is not None:
        row = before + int((column == bad).to_numpy().argmax()) + 1
        raise UserError(KEY, path.name, f"{ALLOWED}; row {row} says {bad!r}")
    return column.map({text: calendar.day_of(when) for text, when in read.items() if when is not None})


def _span(filters: Filters, calendar: Calendar) -> tuple[int, int]:
    """The first and the last day that count."""
    first = 0 if filters.start is None else max(0, calendar.day_of(filters.start))
    last = calendar.days - 1
    return first, last if filters.end is None else min(last, calendar.day_of(filters.end))


def _sides(lower: dict[str, pd.Series], form: Format, filters: Filters) -> tuple[pd.Series, pd.Series]:
    """Whether the attacker stands on the first side and the attacked on the second; and whether it is the reverse."""
    texts = [_joined(lower, columns) for columns in form.sides]
    attacks = [_any_of(text, filters.attackers) for text in texts]
    suffers = [_any_of(text, filters.attacked) for text in texts]
    return attacks[0] & suffers[1], attacks[1] & suffers[0]


def _joined(lower: dict[str, pd.Series], columns: Sequence[str]) -> pd.Series:
    there = [lower[name] for name in columns if name in lower]
    text = there[0]
    for more in there[1:]:
        text = text + "; " + more
    return text


def _any_of(text: pd.Series, names: Sequence[str]) -> pd.Series:
    """Whether a text names one of them; nothing named is anybody. Each distinct text is looked at once."""
    if not names:
        return pd.Series(True, index=text.index)
    answers = {one: any(name in one for name in names) for one in text.unique()}
    return text.map(answers).astype(bool)


def _typed(lower: dict[str, pd.Series], form: Format, filters: Filters) -> pd.Series:
    """Whether the type of event counts."""
    if form is ACLED:
        wanted = set(filters.types)
        columns = [lower[name].isin(wanted) for name in form.types if name in lower]
        return columns[0] | columns[-1] | (not wanted)
    return lower[form.types[0]].isin([str(one) for one in filters.violence]) | (not filters.violence)


def _dated(lower: dict[str, pd.Series], form: Format, filters: Filters) -> pd.Series:
    """Whether the date is known well enough; a file that does not tell is believed."""
    if form.precision not in lower:
        return pd.Series(True, index=lower[form.day].index)
    worst = pd.to_numeric(lower[form.precision], errors="coerce")
    return ~(worst > filters.date_precision)


def _theatres(lower: dict[str, pd.Series], form: Format, filters: Filters) -> pd.Series:
    """The theatre of each row, empty for none; the smallest region that is named decides."""
    found = pd.Series("", index=lower[form.day].index)
    for name in reversed([one for one in form.places if one in lower]):
        inside = lower[name].map(filters.places)
        found = found.where(inside.isna(), inside)
    return found


def _counts(form: Format, filters: Filters, calendar: Calendar, tally: _Tally, identified: bool) -> Counts:
    """Counts of every day from the first to the last that the file covers; events outside the calendar say so too."""
    low, high = _span(filters, calendar)
    first = low if filters.start is not None else max(low, min(tally.days))
    last = high if filters.end is not None else min(high, max(tally.days))
    theatres = filters.theatres
    by_day = np.zeros((last - first + 1, len(theatres)))
    for (day, theatre), number in tally.found.items():
        by_day[day - first, theatres.index(theatre)] += number
    kept = int(by_day.sum())
    remarks = (*_direction(form, filters, tally, kept), *form.remarks, _covers(filters, calendar, first, last))
    if not identified:
        remarks = (*remarks, f"there is no column {form.identity}: an event that stands twice counts twice")
    dropped = {reason: n for reason, n in tally.dropped.items() if n}
    return from_days(theatres, first, by_day, Report(form.name, tally.rows, kept, dropped, remarks))


def _direction(form: Format, filters: Filters, tally: _Tally, kept: int) -> list[str]:
    """How it was decided who attacked whom."""
    if filters.order == ATTACKER_FIRST:
        said = ["an attack: an attacker on the first side, one of the attacked on the second"]
    else:
        first = f"; {form.order}" if filters.order == BY_TYPE else ""
        said = [f"an attack: an attacker on one side, one of the attacked on the other, of a counted type{first}"]
    if tally.second_side and not form.fixed:
        said.append(f"in {tally.second_side} of {kept} the attacked stand first; their own strikes may be among these")
    if answers := tally.dropped[OTHER_ORDER]:
        look, them = ("event looks like a strike", "it") if answers == 1 else ("events look like strikes", "them")
        said.append(f"{answers} {look} {filters.answers}; filters.order=any includes {them}")
    return said


def _covers(filters: Filters, calendar: Calendar, first: int, last: int) -> str:
    span = f"{calendar.date_of(first)} to {calendar.date_of(last)}"
    if filters.start is not None and filters.end is not None:
        return f"covers {span}, as filters.from and filters.to say"
    return f"covers {span}, by its events of any kind and any date; filters.from and filters.to say it better"


def _told(tally: _Tally) -> str:
    """Why nothing is left."""
    reasons = ", ".join(f"{reason}: {number}" for reason, number in tally.dropped.most_common() if number)
    return f"of {tally.rows} rows none is left ({reasons or 'it has no rows'})"
