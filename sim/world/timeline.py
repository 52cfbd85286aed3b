"""What comes from outside: the calendar, the events, and the inputs of every day that follow from them.

Events hold on all days from `first` to `last`. Where several hold on one day, the later one in the list decides for
intensity, talks, stance and whatever is forced or held; multipliers and supplies multiply; acts and strikes add up.
On days without an event the defaults hold: intensity 1, no talks, no campaign ordered, factors of 1, nothing else.
So an event that is to outlast everything written after it says `to: null`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from sim.world.actors import Cast

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


@dataclass(frozen=True)
class Event:
    """Something that the timeline says about the days from `first` to `last`, both included.

    `value` and `killed` are 0 where the kind has none, `theatres` is empty and `wing` None likewise. An `intervention`
    is an event of history that a scenario brings or changes: it acts on all its days, whatever is free by then.
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


@dataclass(frozen=True)
class EventKind:
    """What an event of one kind is about and what its value may be."""

    low: float = 0.0
    high: float = 0.0
    valued: bool = False
    theatres: bool = False
    wing: bool = False
    killed: bool = False


_VALUED: Final = EventKind(0.0, 1.0, valued=True)
_FLAG: Final = EventKind()

EVENT_KINDS: Final[dict[str, EventKind]] = {
    "intensity": _VALUED,
    "multiplier": EventKind(0.0, 20.0, valued=True, theatres=True),
    "supply": EventKind(0.0, 1.0, valued=True, theatres=True),
    "stance": EventKind(0.0, 1.0, valued=True, theatres=True),
    "talks": _VALUED,
    "act": EventKind(0.0, 100.0, valued=True),
    "strike": EventKind(0.0, 100.0, valued=True, theatres=True, wing=True),
    "deaths": EventKind(wing=True, killed=True),
    "deaths_forbidden": _FLAG,
    "major": _FLAG,
    "major_held": _FLAG,
    "limited": _FLAG,
    "limited_held": _FLAG,
    "leader_held": _FLAG,
}
ADDING: Final = ("multiplier", "supply", "act", "strike")
"""Kinds that come on top of what other events say of a day; of all others the last one decides."""
STANCES: Final = {"free": 0.0, "attack": 1.0}


@dataclass(frozen=True)
class Day:
    """What one day brings from outside.

    intensity: the rival's war, 0 to 1. talks: whether talks are open. acts: weighted acts against the patron.
    deaths_allowed: whether chance may kill. pinned_wing, pinned_killed: documented deaths (wing index, -1 for none),
    which happen whatever chance says; chance kills nobody else on such a day.
    major, limited: 1 forced, -1 held, 0 free. leader: -1 held, 0 free.
    multiplier, supply, stance: one number per theatre (factor, factor, 1 attack or 0 free).
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
    multiplier: tuple[float, ...]
    supply: tuple[float, ...]
    stance: tuple[float, ...]
    strike: tuple[float, ...]


def quiet_day(cast: Cast) -> Day:
    """A day about which the timeline says nothing."""
    ones = (1.0,) * len(cast.theatres)
    zeros = (0.0,) * len(cast.theatres)
    return Day(1.0, 0.0, 0.0, True, -1, 0, 0, 0, 0, ones, ones, zeros, (0.0,) * len(cast.wings))


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
    return _EFFECTS[event.kind](day, event, cast)


def until(events: Sequence[Event], free_from: int | None) -> tuple[Event, ...]:
    """The events cut to the days before `free_from`; None keeps them whole. Interventions are never cut."""
    if free_from is None:
        return tuple(events)
    return tuple(
        event if event.intervention else replace(event, last=min(event.last, free_from - 1))
        for event in events
        if event.intervention or event.first < free_from
    )


def parted(events: Sequence[Event], free_from: int | None) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
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


def acts(event: Event, days: Sequence[Day], cast: Cast) -> bool:
    """Whether an event decides anything in the days that all events make, or others replace it on each of its days."""
    if event.kind in ADDING:
        return True
    parts = [replace(event, theatres=(one,)) for one in event.theatres] or [event]
    return any(with_event(day, one, cast) == day for day in days[event.first : event.last + 1] for one in parts)


def _changed(now: tuple[float, ...], places: Sequence[int], change: Callable[[float], float]) -> tuple[float, ...]:
    return tuple(change(one) if place in places else one for place, one in enumerate(now))


def _theatres(event: Event, cast: Cast) -> list[int]:
    return [cast.theatre_index(theatre) for theatre in event.theatres]


def _wings(event: Event, cast: Cast) -> list[int]:
    if event.wing is not None:
        return [cast.wing_index(event.wing)]
    return [cast.wing_index(wing) for theatre in event.theatres for wing in cast.wings_in(theatre)]


def _multiply(day: Day, event: Event, cast: Cast) -> Day:
    return replace(day, multiplier=_changed(day.multiplier, _theatres(event, cast), lambda x: x * event.value))


def _supply(day: Day, event: Event, cast: Cast) -> Day:
    return replace(day, supply=_changed(day.supply, _theatres(event, cast), lambda x: x * event.value))


def _stance(day: Day, event: Event, cast: Cast) -> Day:
    return replace(day, stance=_changed(day.stance, _theatres(event, cast), lambda _: event.value))


def _strike(day: Day, event: Event, cast: Cast) -> Day:
    return replace(day, strike=_changed(day.strike, _wings(event, cast), lambda x: x + event.value))


def _deaths(day: Day, event: Event, cast: Cast) -> Day:
    return replace(day, deaths_allowed=False, pinned_wing=_wings(event, cast)[0], pinned_killed=event.killed)


_EFFECTS: Final[dict[str, Callable[[Day, Event, Cast], Day]]] = {
    "intensity": lambda day, event, _: replace(day, intensity=event.value),
    "multiplier": _multiply,
    "supply": _supply,
    "stance": _stance,
    "talks": lambda day, event, _: replace(day, talks=event.value),
    "act": lambda day, event, _: replace(day, acts=day.acts + event.value),
    "strike": _strike,
    "deaths": _deaths,
    "deaths_forbidden": lambda day, _, __: replace(day, deaths_allowed=False, pinned_wing=-1, pinned_killed=0),
    "major": lambda day, _, __: replace(day, major=1),
    "major_held": lambda day, _, __: replace(day, major=-1),
    "limited": lambda day, _, __: replace(day, limited=1),
    "limited_held": lambda day, _, __: replace(day, limited=-1),
    "leader_held": lambda day, _, __: replace(day, leader=-1),
}
