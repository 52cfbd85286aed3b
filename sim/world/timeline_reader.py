"""From a composed configuration to the calendar and its events, every day checked to lie inside."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sim.world.actors import Cast
from sim.world.checks import Section
from sim.world.errors import UserError
from sim.world.timeline import EVENT_KINDS, MOST_DAYS, STANCES, Calendar, Event, EventKind

_EVENT_KEYS = ("kind", "from", "to", "theatres", "wing", "value", "killed", "source", "intervention")
_MOST_KILLED = 10_000


def calendar_of(tree: Mapping[str, Any]) -> Calendar:
    """The calendar.

    Raises:
        UserError: a date is none, the number of days is not positive, or strikes and report lie outside or are
            in the wrong order.
    """
    section = Section("calendar", tree.get("calendar", {}), ("start", "days", "strikes", "report"))
    start = _date("calendar.start", section.raw("start", "a date such as 2024-02-02"))
    bare = Calendar(start, section.whole("days", 1, MOST_DAYS), 0, 0)
    strikes = day_in(section, "strikes", bare)
    report = day_in(section, "report", bare)
    if report < strikes:
        raise UserError("calendar.report", bare.date_of(report), f"{bare.date_of(strikes)} or later")
    return Calendar(start, bare.days, strikes, report)


def day_in(section: Section, name: str, calendar: Calendar) -> int:
    """The day number of an entry that is a date or a day number inside the calendar."""
    allowed = _span(calendar)
    value = section.raw(name, allowed)
    if isinstance(value, bool) or not isinstance(value, str | int | date):
        raise UserError(section.full(name), value, allowed)
    number = value if isinstance(value, int) else calendar.day_of(_date(section.full(name), value, allowed))
    if not 0 <= number < calendar.days:
        raise UserError(section.full(name), value, allowed)
    return number


def events_of(key: str, value: object, calendar: Calendar, cast: Cast) -> tuple[Event, ...]:
    """The events of one mapping, such as `events` or `history.events`, in their order.

    Raises:
        UserError: an event is of no known kind, lacks what its kind needs, says what its kind has no use for,
            or lies outside the calendar.
    """
    parent, _, name = key.rpartition(".")
    listed = Section(parent, {name: value}, (name,)).children(name)
    events = tuple(
        _event(one, Section(f"{key}.{one}", given, _EVENT_KEYS), calendar, cast) for one, given in listed.items()
    )
    _refuse_deaths_twice(key, events, calendar)
    return events


def _event(name: str, section: Section, calendar: Calendar, cast: Cast) -> Event:
    kind = section.choice("kind", EVENT_KINDS)
    about = EVENT_KINDS[kind]
    _refuse_unused(section, kind, about)
    first = day_in(section, "from", calendar)
    return Event(
        id=name,
        kind=kind,
        first=first,
        last=_last(section, first, calendar),
        theatres=_theatres(section, about, cast),
        wing=_wing(section, about, cast),
        value=_value(section, kind, about) if about.valued else 0.0,
        killed=section.whole("killed", 1, _MOST_KILLED) if about.killed else 0,
        source=section.text("source") if section.has("source") else "",
        intervention=section.has("intervention") and section.flag("intervention"),
    )


def _refuse_unused(section: Section, kind: str, about: EventKind) -> None:
    used = {"theatres": about.theatres, "wing": about.wing, "value": about.valued, "killed": about.killed}
    for name, wanted in used.items():
        if section.has(name) and not wanted:
            raise UserError(section.full(name), section.raw(name, ""), f"nothing: {kind} has no {name}")
    if section.has("wing") and section.has("theatres"):
        raise UserError(section.full("theatres"), section.raw("theatres", ""), "either wing or theatres")


def _last(section: Section, first: int, calendar: Calendar) -> int:
    """The last day: `to`, or the first day where it is absent, or the last of the calendar where it is null."""
    if not section.has("to"):
        return first
    if section.raw("to", "") is None:
        return calendar.days - 1
    last = day_in(section, "to", calendar)
    if last < first:
        raise UserError(section.full("to"), section.raw("to", ""), f"{calendar.date_of(first)} or later, or null")
    return last


def _theatres(section: Section, about: EventKind, cast: Cast) -> tuple[str, ...]:
    if not about.theatres or _named_wing(section, about):
        return ()
    if section.has("theatres") or about.wing:
        return section.choices("theatres", cast.theatres)
    return tuple(cast.theatres)


def _wing(section: Section, about: EventKind, cast: Cast) -> str | None:
    if not _named_wing(section, about):
        return None
    # Only attacks on the target can kill its soldiers; a strike may hit whomever it likes.
    wings = [wing for wing in cast.wings if cast.strikable(wing) or not about.killed]
    return section.choice("wing", wings)


def _named_wing(section: Section, about: EventKind) -> bool:
    return about.wing and (section.has("wing") or not about.theatres)


def _value(section: Section, kind: str, about: EventKind) -> float:
    if kind == "stance":
        return STANCES[section.choice("value", STANCES)]
    if kind == "talks":
        return float(section.whole("value", 0, 1))
    return section.number("value", about.low, about.high)


def _refuse_deaths_twice(key: str, events: tuple[Event, ...], calendar: Calendar) -> None:
    seen: set[int] = set()
    for event in events:
        days = set(range(event.first, event.last + 1)) if event.kind == "deaths" else set()
        if days & seen:
            again = calendar.date_of(min(days & seen))
            raise UserError(f"{key}.{event.id}.from", again, "one event of kind deaths a day")
        seen |= days


def _date(key: str, value: object, allowed: str = "a date such as 2024-02-02") -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UserError(key, value, allowed) from None


def _span(calendar: Calendar) -> str:
    last = calendar.days - 1
    return f"{calendar.start} to {calendar.date_of(last)}, or days 0 to {last}"
