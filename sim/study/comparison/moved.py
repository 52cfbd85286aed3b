"""What if something had come on another day: an event moved in the calendar."""

from dataclasses import replace
from datetime import date
from typing import Final

from sim.world.errors import UserError, one_of
from sim.world.scenario import Scenario
from sim.world.timeline import Event

HELD: Final = {"major": "major_held", "limited": "limited_held", "deaths": "deaths_forbidden"}
"""What must not come before its new day when it is moved to a later one."""


def moved(scenario: Scenario, name: str, when: date) -> Scenario:
    """The scenario in which one event, documented or of the timeline, begins on another day.

    It keeps its length, or lasts to the end where it did. Deaths and responses that come later do not come before
    either. The scenario departs on the old or the new day, whichever is earlier, or as early as it did anyhow; a
    documented event stays, although documented history is free from then on.

    Raises:
        UserError: there is no such event, or it would not lie inside the calendar.
    """
    calendar = scenario.calendar
    by_name = {event.id: event for event in (*scenario.pins, *scenario.events)}
    if name not in by_name:
        raise UserError(f"scenarios: {name}@", when, f"events: {one_of(by_name, name)}")
    old = by_name[name]
    endless = old.last == calendar.days - 1 > old.first
    length = 0 if endless else old.last - old.first
    first = calendar.day_of(when)
    if not 0 <= first < calendar.days - length:
        allowed = f"{calendar.start} to {calendar.date_of(calendar.days - 1 - length)}"
        raise UserError(f"scenarios: {name}@", when, allowed)
    new = replace(old, first=first, last=old.last if endless else first + length)
    days = [day for day in (scenario.departs, scenario.free_from, old.first, first) if day is not None]
    held = _held_back(old, first)
    if old in scenario.events:
        # It keeps its place: where several events hold on a day, the later in the list decides.
        events = (*held, *(new if one is old else one for one in scenario.events))
    else:
        events = (*scenario.events, *held, new)
    pins = tuple(one for one in scenario.pins if one is not old)
    return replace(scenario, events=events, pins=pins, departs=min(days), free_from=min(days))


def _held_back(old: Event, first: int) -> tuple[Event, ...]:
    """An event that keeps the moved one from coming by chance or rule between its old and its new day."""
    if first <= old.first or old.kind not in HELD:
        return ()
    source = f"{old.id} moved to a later day"
    return (Event(f"{old.id}_held_back", HELD[old.kind], old.first, first - 1, source=source),)
