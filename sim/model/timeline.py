"""The timeline: calendar, events and the inputs of every day that follow from them, read from the configuration.

Events hold on all days from `first` to `last`. Where several hold on one day, the later one in the list decides for
intensity, talks, orders and whatever is forced or held; multipliers and supplies multiply; acts and strikes add up.
On days without an event the defaults hold: intensity 1, no talks, no campaign ordered, factors of 1, nothing else.
So an event that is to outlast everything written after it says `to: null`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sim.model.cast import Cast
from sim.model.validation import Section, UserError

MOST_DAYS: Final = 3660


@dataclass(frozen=True)
class Calendar:
    """Days are numbered from 0 at `start`; `strikes` and `report` are the day numbers that part the windows."""

    start: date
    days: int
    strikes: int
    report: int

    def date_of(self, day: int) -> date:
        """The date of a day number.

        >>> Calendar(date(2023, 10, 17), 330, 108, 133).date_of(103)
        datetime.date(2024, 1, 28)
        """
        return self.start + timedelta(days=day)

    def day_of(self, when: date) -> int:
        """The day number of a date; it may lie outside the calendar."""
        return (when - self.start).days

    @property
    def campaign(self) -> range:
        """Days before the strikes."""
        return range(self.strikes)

    @property
    def lull(self) -> range:
        """Days after the strikes, up to and with the report."""
        return range(self.strikes + 1, self.report + 1)

    @property
    def later(self) -> range:
        """Days after the report."""
        return range(self.report + 1, self.days)


def long_date(day: date) -> str:
    """A date in words.

    >>> long_date(date(2024, 1, 28))
    '28 January 2024'
    """
    return f"{day.day} {day:%B} {day.year}"


def long_dates(first: date, last: date) -> str:
    """A stretch of days in words.

    >>> long_dates(date(2024, 2, 3), date(2024, 2, 27)), long_dates(date(2023, 12, 1), date(2024, 1, 1))
    ('3 to 27 February 2024', '1 December 2023 to 1 January 2024')
    """
    same = " ".join(long_date(first).split()[: 1 if first.month == last.month else 2])
    return f"{same if first.year == last.year else long_date(first)} to {long_date(last)}"


@dataclass(frozen=True)
class Event:
    """Something that the timeline says about the days from `first` to `last`, both included.

    `value` and `killed` are 0 where the kind has none, `theatres` is empty and `wing` None likewise. An `intervention`
    is an event of history that a scenario brings or changes: it acts on all its days, whatever is free by then.
    `announced` is the day at whose end the event was known beforehand, which may lie before the calendar; None where
    the timeline does not say. It acts on nothing but forecasts. `title` is what figures call it.
    """

    id: str
    kind: str
    first: int
    last: int
    theatres: tuple[str, ...] = ()
    wing: str | None = None
    value: float = 0.0
    killed: int = 0
    source: str = ""
    intervention: bool = False
    announced: int | None = None
    title: str = ""

    @property
    def words(self) -> str:
        """Its title, or its id in words.

        >>> Event("winter_truce", "intensity", 0, 1).words, Event("taji", "deaths", 0, 0, title="Taji").words
        ('winter truce', 'Taji')
        """
        return self.title or self.id.replace("_", " ")

    def known(self, day: int, foresight: bool) -> bool:
        """Whether it is known at the end of a day: once it has begun or was announced, else with `foresight` only.

        >>> event = Event("truce", "intensity", first=30, last=40, announced=20)
        >>> event.known(19, foresight=True), event.known(20, foresight=False), event.known(30, foresight=False)
        (False, True, True)
        """
        ahead = foresight if self.announced is None else self.announced <= day
        return self.first <= day or ahead


@dataclass(frozen=True)
class EventKind:
    """What an event of one kind is about, and the range of its value; a kind whose range is empty has no value.

    An event of a kind with a wing names one, or theatres where it may have these too; `any_wing`: or neither. An event
    that `lasts` goes on until it is said to end; any other takes one day.
    """

    text: str
    low: float = 0.0
    high: float = 0.0
    theatres: bool = False
    wing: bool = False
    killed: bool = False
    any_wing: bool = False
    lasts: bool = False


EVENT_KINDS: Final[dict[str, EventKind]] = {
    "intensity": EventKind("intensity of the rival's war", 0.0, 1.0, lasts=True),
    "attack_multiplier": EventKind("factor on the attacks in theatres", 0.0, 20.0, theatres=True, lasts=True),
    "supply": EventKind("factor on the supply of theatres", 0.0, 1.0, theatres=True, lasts=True),
    "order": EventKind(
        "what the patron orders in theatres: attack, free, reduce or stop", -2.0, 1.0, theatres=True, lasts=True
    ),
    "talks": EventKind("talks between target and mediators are open (1) or not (0)", 0.0, 1.0, lasts=True),
    "act_against_patron": EventKind("acts against the patron itself, weighted", 0.0, 100.0),
    "strike": EventKind("strikes by the target, in limited strikes", 0.0, 100.0, theatres=True, wing=True),
    "deaths": EventKind("an attack of a wing kills soldiers of the target", wing=True, killed=True),
    "major": EventKind("a major response of the target, perhaps on one wing alone", wing=True, any_wing=True),
    "limited": EventKind("a limited response of the target"),
    "restraint_order": EventKind("the patron decides on restraint"),
    "open_answer": EventKind("the patron answers openly"),
    "no_deaths": EventKind("no attack kills", lasts=True),
    "block_major_response": EventKind("no major response of the target", lasts=True),
    "block_limited_response": EventKind("no limited response of the target", lasts=True),
    "block_leader_strike": EventKind("no strike on a militia leader", lasts=True),
    "block_restraint_order": EventKind("the patron does not decide on restraint", lasts=True),
    "block_release": EventKind("the patron does not release its order", lasts=True),
}
HELD: Final = {
    "block_major_response": "major", "block_limited_response": "limited", "block_leader_strike": "leader",
    "block_restraint_order": "restraint_order", "block_release": "release",
}  # fmt: skip
"""Kinds that hold a response of the target or an order of the patron, and the part of a day that they set."""
ADDING: Final = ("attack_multiplier", "supply", "act_against_patron", "strike")
"""Kinds that come on top of what other events say of a day; of all others the last one decides."""
ORDERS: Final = {"attack": 1.0, "free": 0.0, "reduce": -1.0, "stop": -2.0}
"""What the patron orders in a theatre: the campaign, nothing, fewer attacks, none."""


@dataclass(frozen=True)
class Day:
    """What one day brings from outside.

    intensity: the rival's war, 0 to 1. talks: whether talks are open. acts: weighted acts against the patron.
    deaths_allowed: whether attacks may kill. pinned_wing, pinned_killed: documented deaths (wing index, -1 for none),
    which happen in every run; no other soldier is killed on such a day. major_wing: the only wing that a major response
    of the day hits (index, -1 for all).
    major, limited, restraint_order: 1 forced, -1 held, 0 free. leader, release: -1 held, 0 free. open_answer: 1 forced,
    0 free.
    attack_multiplier, supply, stance: one number per theatre (factor, factor, one of `ORDERS`).
    strike: one number per wing, in limited strikes by the target.
    """

    intensity: float
    talks: float
    acts: float
    deaths_allowed: bool
    pinned_wing: int
    pinned_killed: int
    major: int
    limited: int
    leader: int
    restraint_order: int
    release: int
    open_answer: int
    major_wing: int
    attack_multiplier: tuple[float, ...]
    supply: tuple[float, ...]
    stance: tuple[float, ...]
    strike: tuple[float, ...]


def quiet_day(cast: Cast) -> Day:
    """A day about which the timeline says nothing."""
    ones = (1.0,) * len(cast.theatres)
    zeros = (0.0,) * len(cast.theatres)
    return Day(1.0, 0.0, 0.0, True, -1, 0, 0, 0, 0, 0, 0, 0, -1, ones, ones, zeros, (0.0,) * len(cast.wings))


def daily(calendar: Calendar, events: Sequence[Event], cast: Cast) -> tuple[Day, ...]:
    """The inputs of every day of the calendar."""
    days = [quiet_day(cast)] * calendar.days
    for event in events:
        before = after = quiet_day(cast)
        for number in range(event.first, event.last + 1):
            if days[number] is not before:  # neighbours are mostly one and the same day
                before, after = days[number], with_event(days[number], event, cast)
            days[number] = after
    return tuple(days)


def with_event(day: Day, event: Event, cast: Cast) -> Day:
    """The day once one more event holds on it."""
    kind, value = event.kind, event.value

    def changed(now: tuple[float, ...], places: Sequence[int], change: Callable[[float], float]) -> tuple[float, ...]:
        return tuple(change(number) if place in places else number for place, number in enumerate(now))

    theatres = [cast.theatre_index(theatre) for theatre in event.theatres]
    wings = [cast.wing_index(wing) for theatre in event.theatres for wing in cast.wings_in(theatre)]
    if event.wing is not None:
        wings = [cast.wing_index(event.wing)]
    changes: dict[str, Any]
    match kind:
        case "intensity" | "talks":
            changes = {kind: value}
        case "act_against_patron":
            changes = {"acts": day.acts + value}
        case "attack_multiplier" | "supply":
            changes = {kind: changed(getattr(day, kind), theatres, lambda now: now * value)}
        case "order":
            changes = {"stance": changed(day.stance, theatres, lambda _: value)}
        case "strike":
            changes = {kind: changed(day.strike, wings, lambda now: now + value)}
        case "deaths":
            changes = {"deaths_allowed": False, "pinned_wing": wings[0], "pinned_killed": event.killed}
        case "major":
            changes = {"major": 1, "major_wing": wings[0] if wings else -1}
        case "no_deaths":
            changes = {"deaths_allowed": False, "pinned_wing": -1, "pinned_killed": 0}
        case _:
            changes = {HELD[kind]: -1} if kind in HELD else {kind: 1}
    return replace(day, **changes)


def pins_before(events: Sequence[Event], free_from: int | None) -> tuple[Event, ...]:
    """The events cut to the days before `free_from`; None keeps them whole. Interventions are never cut."""
    if free_from is None:
        return tuple(events)
    return tuple(
        event if event.intervention else replace(event, last=min(event.last, free_from - 1))
        for event in events
        if event.intervention or event.first < free_from
    )


def split_pins(events: Sequence[Event], free_from: int | None) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
    """Events of history, and the days of interventions among them on which history is free."""
    if free_from is None:
        return tuple(events), ()
    pins = (
        replace(event, last=min(event.last, free_from - 1)) if event.intervention else event
        for event in events
        if not event.intervention or event.first < free_from
    )
    late = (event for event in events if event.intervention and event.last >= free_from)
    return tuple(pins), tuple(replace(event, first=max(event.first, free_from)) for event in late)


def has_effect(event: Event, days: Sequence[Day], cast: Cast) -> bool:
    """Whether an event decides anything in the days that all events make, or others replace it on each of its days."""
    if event.kind in ADDING:
        return True
    parts = [replace(event, theatres=(one,)) for one in event.theatres] or [event]
    return any(with_event(day, one, cast) == day for day in days[event.first : event.last + 1] for one in parts)


_EVENT_KEYS = (
    "kind", "from", "to", "theatres", "wing", "value", "killed", "source", "intervention", "announced", "enabled",
    "title",
)  # fmt: skip
_MOST_KILLED = 10_000


def calendar_of(tree: Mapping[str, Any]) -> Calendar:
    """The calendar."""
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
    last = calendar.days - 1
    allowed = f"{calendar.start} to {calendar.date_of(last)}, or days 0 to {last}"
    value = section.raw(name, allowed)
    if isinstance(value, bool) or not isinstance(value, str | int | date):
        raise UserError(section.full(name), value, allowed)
    number = value if isinstance(value, int) else calendar.day_of(_date(section.full(name), value, allowed))
    if not 0 <= number < calendar.days:
        raise UserError(section.full(name), value, allowed)
    return number


def events_of(key: str, value: object, calendar: Calendar, cast: Cast) -> tuple[Event, ...]:
    """The events of one mapping, such as `events` or `history.events`, in their order; without those not enabled."""
    parent, _, name = key.rpartition(".")
    sections = Section(parent, {name: value}, (name,)).sections(name, _EVENT_KEYS)
    enabled = {name: one for name, one in sections.items() if not one.has("enabled") or one.flag("enabled")}
    events = tuple(_event(event, section, calendar, cast) for event, section in enabled.items())
    days_of_deaths: set[int] = set()
    for event in events:
        days = set(range(event.first, event.last + 1)) if event.kind == "deaths" else set()
        if twice := days & days_of_deaths:
            raise UserError(f"{key}.{event.id}.from", calendar.date_of(min(twice)), "one event of kind deaths a day")
        days_of_deaths |= days
    return events


def _event(name: str, section: Section, calendar: Calendar, cast: Cast) -> Event:
    kind = section.choice("kind", EVENT_KINDS)
    about = EVENT_KINDS[kind]
    used = {"theatres": about.theatres, "wing": about.wing, "value": about.high > 0.0, "killed": about.killed}
    for entry, wanted in used.items():
        if section.has(entry) and not wanted:
            raise UserError(section.full(entry), section.raw(entry, ""), f"nothing: {kind} has no {entry}")
    if section.has("wing") and section.has("theatres"):
        raise UserError(section.full("theatres"), section.raw("theatres", ""), "either wing or theatres")
    first = day_in(section, "from", calendar)
    theatres, wing = _where(section, about, cast)
    return Event(
        id=name,
        kind=kind,
        first=first,
        last=last_day(section, first, calendar, first),
        theatres=theatres,
        wing=wing,
        value=_value(section, kind, about) if about.high > 0.0 else 0.0,
        killed=section.whole("killed", 1, _MOST_KILLED) if about.killed else 0,
        source=section.text("source") if section.has("source") else "",
        intervention=section.has("intervention") and section.flag("intervention"),
        announced=_announced(section, first, calendar) if section.has("announced") else None,
        title=section.text("title") if section.has("title") else "",
    )


def _announced(section: Section, first: int, calendar: Calendar) -> int:
    """The day of the announcement; it may lie before the calendar, but not after the event has begun."""
    key, begun = section.full("announced"), calendar.date_of(first)
    if key.startswith("history."):
        raise UserError(key, section.raw("announced", ""), "nothing: forecasts know events of the timeline beforehand")
    allowed = f"a date up to {begun}, when the event begins"
    value = section.raw("announced", allowed)
    day = calendar.day_of(_date(key, value, allowed))
    if day > first:
        raise UserError(key, value, allowed)
    return day


def last_day(section: Section, first: int, calendar: Calendar, otherwise: int) -> int:
    """The last day: `to`, or another where it is absent, or the last of the calendar where it is null."""
    if not section.has("to"):
        return otherwise
    if section.raw("to", "") is None:
        return calendar.days - 1
    last = day_in(section, "to", calendar)
    if last < first:
        raise UserError(section.full("to"), section.raw("to", ""), f"{calendar.date_of(first)} or later, or null")
    return last


def _where(section: Section, about: EventKind, cast: Cast) -> tuple[tuple[str, ...], str | None]:
    """The theatres of an event, all of them where it names none, or its wing."""
    if about.wing and (section.has("wing") or not (about.theatres or about.any_wing)):
        # Deaths and responses are of wings that attack the target; a scheduled strike may hit any wing.
        return (), section.choice("wing", [wing for wing in cast.wings if cast.strikable(wing) or about.theatres])
    if not about.theatres:
        return (), None
    named = section.has("theatres") or about.wing
    return section.choices("theatres", cast.theatres) if named else tuple(cast.theatres), None


def _value(section: Section, kind: str, about: EventKind) -> float:
    if kind == "order":
        return ORDERS[section.choice("value", ORDERS)]
    if kind == "talks":
        return float(section.whole("value", 0, 1))
    return section.number("value", about.low, about.high)


def _date(key: str, value: object, allowed: str = "a date such as 2024-02-02") -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UserError(key, value, allowed) from None
