"""The check of a user's file: what it is, what the filters make of it, and a configuration to start from.

Nothing here needs more than counts of rows by date, type, actor and place; single rows stand in `strikes` alone, which
stays in the folder of results.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from sim.analysis.forecast.event_counts import Counts, date_texts, kind_of_table, read_table
from sim.analysis.forecast.event_dates import ORDERS, DateReading, read_dates
from sim.analysis.forecast.event_files import NOT_COVERED, OTHER_ACTORS, OTHER_ORDER, Export, read_events, recognised
from sim.analysis.forecast.event_filters import Filters, filters_of, matcher, plain_words
from sim.analysis.forecast.event_formats import CANDIDATE, FORMATS, GED, Format, nearest_format
from sim.analysis.forecast.table_files import TableFile, open_table
from sim.model.scenario import Config
from sim.model.timeline import MOST_DAYS, Calendar
from sim.model.validation import UserError

NEAR: Final = 85.0
"""Score, of 100, from which two names nearly match."""
_SHORT_NAME: Final = 6
"""Letters that a name needs to be looked for inside another one."""
MOST_PAIRS: Final = 10
STRIKE: Final = ("date", "type", "first_side", "second_side", "place")
"""Columns of an event that looks like a strike by the target."""
_MOST_NAMES: Final = 10
_MORE_DAYS: Final = 56
"""Days of a calendar after the last date of a file, to be forecast."""
_LONGEST: Final = 730
"""Days of a file that a calendar of its own covers: its last two years, for histories take time."""
NO_RAPIDFUZZ: Final = 'names that nearly match are not looked for: pip install "lull-sim[data]"'
_GUESSES: Final = {
    "id": ("id", "event_id", "incident_id"),
    "date": ("date", "event_date", "incident_date", "day", "datum", "fecha"),
    "attacker": ("attacker", "perpetrator", "perpetrator_group", "group", "actor", "initiator", "source_actor"),
    "attacked": ("attacked", "target", "victim", "target_actor", "target_group", "recipient"),
    "type": ("type", "event_type", "attack_type", "weapon", "category"),
    "place": ("country", "place", "location", "region", "province", "state", "district"),
    "count": ("count", "attacks", "events", "number", "incidents"),
}
"""How people call the columns that `filters.columns` names."""


@dataclass(frozen=True)
class Proposal:
    """Groups of a configuration to start from, and the counts that they give.

    `problem` says why they give none; `own_calendar` is whether the case's own does not hold the dates.
    """

    filters: dict[str, Any]
    timeline: dict[str, Any]
    own_calendar: bool
    counts: Counts | None
    problem: str


@dataclass
class DataCheck:
    """What a file is and what the filters of the case make of it.

    `columns` are those of a table of no known format as they were guessed; `rows` is the number of its rows; `refusal`
    says why the filters give no counts. Tables are lists of rows: event types, actors, places, what each filter drops
    by itself and in order, pairs of actors that nearly match (None without rapidfuzz), and events that look like
    strikes by the target.
    """

    table: TableFile
    what: str
    columns: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    reading: DateReading | None = None
    guess: str = ""
    first: date | None = None
    last: date | None = None
    types: list[dict[str, Any]] = field(default_factory=list)
    actors: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    repeats: dict[str, int] = field(default_factory=dict)
    filters: list[dict[str, Any]] = field(default_factory=list)
    near: list[dict[str, Any]] | None = field(default_factory=list)
    strikes: list[dict[str, Any]] = field(default_factory=list)
    counts: Counts | None = None
    refusal: str = ""
    proposal: Proposal | None = None


def check_data(path: Path, config: Config) -> DataCheck:
    """Look at a file with the filters and the calendar of a case.

    Args:
        path: the file, in any form that `read_events` takes, or a table whose columns can be guessed.
        config: its filters, calendar and theatres are used.

    Raises:
        UserError: it cannot be read as a table, or its dates cannot; one line that says what to do.
    """
    scenario, tree = config.scenario, dict(config.tree["filters"])
    filters = filters_of({"filters": tree}, scenario.cast)
    guessed: dict[str, str] = {}
    try:
        table, form = recognised(path, filters)
    except UserError as problem:
        if filters.columns:
            raise
        tree["columns"] = guessed = _guessed_columns(path, problem)
        filters = filters_of({"filters": tree}, scenario.cast)
        table, form = recognised(path, filters)
    if form is None:
        found = _check_table(table, filters, scenario.calendar)
    else:
        found = _check_export(table, form, filters, scenario.calendar)
    if guessed:
        found.what, found.columns = "table of no known format", guessed
    listed = {plain_words(one): one for one in (*tree["attackers"], *tree["attacked"])}
    for row in found.near or ():
        row["aliases"] = {spelling: listed.get(name, name) for spelling, name in row["aliases"].items()}
        row["nearly"] = ", ".join(f"{spelling} for {name}" for spelling, name in row["aliases"].items())
    found.proposal = propose(found, tree, config)
    return found


def _guessed_columns(path: Path, problem: UserError) -> dict[str, str]:
    """Columns of a table of no known format by what they seem to hold; the problem is raised again where too few do."""
    names = open_table(path, lambda _: False).names
    found: dict[str, str] = {}
    for what, words in _GUESSES.items():
        exact = [one for one in words if one in names]
        near = [one for word in words for one in difflib.get_close_matches(word, names, 1, 0.85)]
        whole = [one for word in words for one in names if word in one.split("_")]
        hits = [one for one in (*exact, *near, *whole) if one not in found.values()]
        if hits:
            found[what] = hits[0]
    if {"attacker", "attacked"} <= set(found):
        found.pop("count", None)
    needed = {"date", "place", "count"} <= set(found) or {"date", "place", "attacker", "attacked"} <= set(found)
    if not needed or nearest_format(names) is not None:
        raise problem
    return found


def _check_table(table: TableFile, filters: Filters, calendar: Calendar) -> DataCheck:
    """A table of counts."""
    kind = kind_of_table(table.names, filters.theatres)
    assert kind is not None
    column = table.frame((kind.day, kind.total, *filters.theatres), short=True)[kind.day]
    found = DataCheck(table, kind.kind, rows=len(column))
    found.reading, found.guess = _dates(table, date_texts(table, column), filters.date_format)
    if days := found.reading.days.values():
        found.first, found.last = min(days), max(days)
    order = filters.date_format or (found.reading.order if found.guess else None)
    try:
        found.counts = read_table(table, filters.theatres, filters.start, order, calendar)
    except UserError as problem:
        found.refusal = problem.allowed
    return found


def _dates(table: TableFile, texts: Mapping[str, int], order: str | None) -> tuple[DateReading, str]:
    """The dates, and what is guessed of them where the file does not show the order of days and months."""
    try:
        return read_dates(table.path, texts, order), ""
    except UserError:
        readings = []
        for one in () if order else ORDERS:
            try:
                readings.append(read_dates(table.path, texts, one))
            except UserError:
                continue
        if not readings:
            raise
    best = min(readings, key=lambda one: max(one.days.values()) - min(one.days.values()))
    return best, f"the file does not show the order of days and months; {best.order} gives the shorter span, so look"


def _check_export(table: TableFile, form: Format, filters: Filters, calendar: Calendar) -> DataCheck:
    """An export of an event database, or a table of the same shape."""
    export = Export(table, form, filters, calendar)
    found = DataCheck(table, _what(table, form), rows=len(export.frame))
    found.reading, found.guess = _dates(table, export.date_texts, filters.date_format)
    if found.guess:
        export.filters = replace(filters, date_format=found.reading.order)
    if export.dates:
        found.first, found.last = export.dates
    alone = {reason: int(out.sum()) for reason, out in export.out.items()}
    try:
        found.counts = export.counts()
    except UserError as problem:
        found.refusal = problem.allowed
    low, high = export.span
    day, dated = export.possible[0], ~np.isnat(export.spans[0])
    alone[NOT_COVERED] = int((dated & ((day < low) | (day > high))).sum())
    kinds = [export.frame[one].astype(object) for one in form.types if one in export.frame]
    if kinds:
        found.types = _counted("type", kinds[0].str.cat(kinds[1:], sep=": "))
    place = export.column(next(one for one in reversed(form.places) if one in export.frame))
    where = pd.DataFrame({"place": place.astype(object), "theatre": export.theatre}).value_counts()
    found.places = where.rename("events").reset_index().to_dict("records")
    identity = export.column(form.identity)
    versions = pd.DataFrame({"id": identity, "version": export.column(form.version)})[identity != ""]
    revised = versions.drop_duplicates()["id"].value_counts() > 1
    found.repeats = {"repeated": int(versions["id"].duplicated().sum()), "revised": int(revised.sum())}
    if form.sides[0]:
        first, second = (_joined(export.frame, columns) for columns in form.sides)
        found.actors = list(_actor_rows(first, second, filters))
        dropped = export.out[OTHER_ACTORS]
        found.near = _near_pairs(pd.DataFrame({"a": first, "b": second})[dropped].value_counts().to_dict(), filters)
        turned = export.attacks[1] & ~export.attacks[0] & (not form.fixed)
        days = [str(found.reading.days.get(text, text)) for text in export.day[turned]]
        columns = (days, export.kinds[turned], first[turned], second[turned], place[turned])
        found.strikes = [dict(zip(STRIKE, row, strict=True)) for row in zip(*columns, strict=True)]
    alone[OTHER_ORDER] = len(found.strikes)
    found.filters = [
        {"reason": one, "rows_alone": alone.get(one), "rows_in_order": export.dropped[one]}
        for one in dict.fromkeys((*alone, *export.dropped))
    ]
    return found


def _counted(name: str, column: pd.Series) -> list[dict[str, Any]]:
    """How often each text stands in a column, the most frequent first."""
    return [{name: text, "events": int(number)} for text, number in column.value_counts().items()]


def _joined(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The actors of a side in one text each, parted by semicolons."""
    names = [one for one in columns if one in frame]
    groups = frame.groupby(names, observed=True, sort=False).ngroup()
    firsts = frame.loc[~groups.duplicated(), names].itertuples(index=False)
    texts = np.array(["; ".join(filter(None, row)) for row in firsts], dtype=object)
    return pd.Series(texts[groups], frame.index)


def _what(table: TableFile, form: Format) -> str:
    """The database; of UCDP only candidate events come without a header, or in files of such names."""
    if form is GED and (not table.skipped or CANDIDATE.search(table.path.name)):
        return "UCDP Candidate Events"
    return form.name


def _actor_rows(first: pd.Series, second: pd.Series, filters: Filters) -> Iterator[dict[str, Any]]:
    """Actors with the rows in which they stand on each side, and what the filters take them for."""
    sides: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for side, texts in zip(sides, (first, second), strict=True):
        for text, number in texts.value_counts().items():
            side.update(dict.fromkeys(str(text).split("; "), int(number)))
    attackers, attacked = matcher(filters.attackers), matcher(filters.attacked)
    for actor, _ in (sides[0] + sides[1]).most_common():
        role = "attacker" if attackers(actor) else "attacked" if attacked(actor) else ""
        yield {"actor": actor, "first_side": sides[0][actor], "second_side": sides[1][actor], "role": role}


def _near_pairs(pairs: Mapping[tuple[str, str], int], filters: Filters) -> list[dict[str, Any]] | None:
    """The most frequent pairs of actors that the filters drop although both sides nearly match; None without rapidfuzz.

    In one order or the other, each side has a name of the filters or nearly one: a `rapidfuzz` score of at least 85.
    """
    score = _scorer()
    if score is None:
        return None
    rows: list[dict[str, Any]] = []
    for (first, second), number in sorted(pairs.items(), key=lambda one: -one[1]):
        orders = ((score(one, filters.attackers), score(other, filters.attacked)) for one, other in
                  ((first, second), (second, first)))  # fmt: skip
        found = next((one for one in orders if min(one[0].score, one[1].score) >= NEAR), None)
        if found is not None:
            meant = {one.spelling: one.name for one in found if one.spelling}
            least = min(one.score for one in found)
            rows.append({"first_side": first, "second_side": second, "rows": number, "score": least, "aliases": meant})
        if len(rows) == MOST_PAIRS:
            break
    return rows


class _Near(NamedTuple):
    """The name of the filters that is nearest to an actor, as which it is spelled, and how near, of 100."""

    score: float
    name: str = ""
    spelling: str = ""


def _scorer() -> Callable[[str, tuple[str, ...]], _Near] | None:
    """What finds the nearest of some names to the actors of a side; None without rapidfuzz."""
    try:
        from rapidfuzz import fuzz
    except ImportError:
        return None

    @cache
    def score(text: str, names: tuple[str, ...]) -> _Near:
        if not names or matcher(names)(text):
            return _Near(100.0)
        best = _Near(0.0)
        for part, name in product(text.split("; "), names):
            words = plain_words(part)
            inside = fuzz.partial_ratio(name, words) if min(len(name), len(words)) >= _SHORT_NAME else 0.0
            near = min(99.0, max(fuzz.token_sort_ratio(name, words), inside)) if words else 0.0
            best = max(best, _Near(round(near, 1), name, part))
        return best

    return score


# --- a configuration to start from --------------------------------------------------------------------------


def propose(found: DataCheck, given: Mapping[str, Any], config: Config) -> Proposal:
    """Filters and a calendar that take what is in the file, and the counts that they give.

    Names of the given filters that occur in the file stay; names that nearly match are added; where none occurs, the
    most frequent ones of the file take their place.
    """
    scenario = config.scenario
    filters = {**given, "from": _text(found.first), "to": _text(found.last)}
    if found.reading is not None and found.reading.order and found.guess:
        filters["date_format"] = found.reading.order
    if found.types or found.places:
        filters |= _actors_to_take(found, given)
        listed = {one["type"].casefold() for one in found.types}
        parts = listed | {part for one in listed for part in one.split(": ")}
        overlap = [one.overlap for one in FORMATS if one.name == found.what and one.overlap in listed]
        filters["types"] = [one for one in given["types"] if one.strip().casefold() in parts] or overlap
        filters["violence"] = [one for one in given["violence"] if str(one) in parts] if found.types else []
        filters["places"] = _places_to_take(found, given, config)
    timeline, calendar = _timeline(found, config)
    try:
        counts = read_events(found.table.path, filters_of({"filters": filters}, scenario.cast), calendar)
        return Proposal(_plain(filters), timeline, "start" in timeline["calendar"], counts, "")
    except UserError as problem:
        return Proposal(_plain(filters), timeline, "start" in timeline["calendar"], None, problem.allowed)


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)


def _plain(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Filters as their file holds them: keys that say nothing are left out."""
    return {key: one for key, one in filters.items() if not (one is None and key not in ("from", "to")) and one != {}}


def _actors_to_take(found: DataCheck, given: Mapping[str, Any]) -> dict[str, Any]:
    """Attackers and attacked that occur in the file, and spellings that nearly match as their aliases."""
    if not found.actors:
        return {"attackers": [], "attacked": [], "aliases": {}}
    names = [one["actor"] for one in found.actors if one["actor"]]
    aliases: dict[str, list[str]] = {key: list(one) for key, one in (given.get("aliases") or {}).items()}
    for row in found.near or ():
        for spelling, name in row["aliases"].items():
            known = aliases.setdefault(name, [])
            known += [spelling] if spelling not in known else []
    spelled = {one: (one, *aliases.get(one, ())) for one in (*given["attackers"], *given["attacked"])}

    def occurring(side: Sequence[str]) -> list[str]:
        return [one for one in side if any(map(matcher(tuple(map(plain_words, spelled[one]))), names))]

    attackers, attacked = occurring(given["attackers"]), occurring(given["attacked"])
    if given["attackers"] and not attackers:
        foes = [one for one in found.actors if one["actor"] and one["first_side"] and one["role"] != "attacked"]
        attackers = [one["actor"] for one in sorted(foes, key=lambda one: -one["first_side"])[:_MOST_NAMES]]
    taken = {*attackers, *attacked}
    return {
        "attackers": attackers, "attacked": attacked,
        "aliases": {name: spellings for name, spellings in aliases.items() if name in taken},
    }  # fmt: skip


def _places_to_take(found: DataCheck, given: Mapping[str, Any], config: Config) -> dict[str, list[str]]:
    """The places of the given filters; where none occurs in the file, its most frequent one for the first theatre."""
    if any(one["theatre"] for one in found.places) or not found.places:
        return {theatre: list(names) for theatre, names in given["places"].items()}
    cast = config.scenario.cast
    first = next(iter(cast.targets or cast.theatres))
    return {first: [found.places[0]["place"]]}


def _timeline(found: DataCheck, config: Config) -> tuple[dict[str, Any], Calendar]:
    """A timeline whose calendar holds the dates of the file: the case's own, longer if need be, or a new one."""
    scenario, cast = config.scenario, config.scenario.cast
    own = scenario.calendar
    if found.first is None or found.last is None:
        return {"calendar": {}}, own
    needed = own.day_of(found.last) + 1 + _MORE_DAYS
    if found.last >= own.start and found.first <= own.date_of(own.days - 1) and needed <= MOST_DAYS:
        longer = replace(own, days=max(own.days, needed))
        return {"calendar": {} if longer == own else {"days": longer.days}}, longer
    start = max(found.first, found.last - timedelta(_LONGEST))
    span = (found.last - start).days + 1
    made = Calendar(start, span + _MORE_DAYS, span // 2, span - 1)
    theatres = list(cast.targets or cast.theatres)
    lasting = {"from": str(start), "to": None, "source": "placeholder"}
    events = {
        "reason": {"kind": "intensity", **lasting, "value": 1.0},
        "campaign": {"kind": "stance", "theatres": theatres, **lasting, "value": "attack"},
    }
    dates = {"strikes": str(made.date_of(made.strikes)), "report": str(made.date_of(made.report))}
    return {"calendar": {"start": str(start), "days": made.days, **dates}, "events": events}, made
