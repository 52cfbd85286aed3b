"""Interventions in words: an event of any kind on top of a scenario, such as `order iraq stop from 2023-12-10`.

    KIND [THEATRE ... | WING] [VALUE] on DATE | from DATE [to DATE]
    truce on DATE | from DATE [to DATE]
    NAME
    NAME@DATE

A kind that lasts goes on to the end of the calendar where no end is given; any other takes one day. A truce is the
rival's war at intensity 0. A name alone switches on an event of the timeline that is not enabled; with a date it
moves an event, of the timeline or documented, to another day.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sim.model.cast import Cast
from sim.model.conditions import Reader
from sim.model.timeline import EVENT_KINDS, ORDERS, Calendar, Event
from sim.model.validation import UserError, one_of

if TYPE_CHECKING:
    from sim.model.scenario import Scenario

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {"truce": {"kind": "intensity", "value": 0.0}}
"""Named events: what a word stands for."""
WORDS: Final = {name: one.text for name, one in EVENT_KINDS.items()} | {"truce": "the rival's war rests: intensity 0"}
"""What each word with which an intervention begins stands for."""
EXAMPLES: Final = {
    "intensity": "intensity 0.5 from 2023-12-15 to 2024-01-15",
    "attack_multiplier": "attack_multiplier syria 2 from 2024-01-10",
    "supply": "supply iraq syria 0.5 from 2023-12-01",
    "order": "order iraq stop from 2023-12-10",
    "talks": "talks 0 from 2024-02-05",
    "act_against_patron": "act_against_patron 1 on 2024-02-05",
    "strike": "strike syria 2 on 2023-12-01",
    "deaths": "deaths nujaba_iraq 2 on 2024-02-10",
    "major": "major on 2023-12-20",
    "limited": "limited on 2024-02-10",
    "restraint_order": "restraint_order on 2023-12-10",
    "open_answer": "open_answer on 2024-02-05",
    "no_deaths": "no_deaths from 2024-02-28",
    "block_major_response": "block_major_response from 2024-01-29",
    "block_limited_response": "block_limited_response from 2023-12-01 to 2024-01-31",
    "block_leader_strike": "block_leader_strike from 2024-02-03",
    "block_restraint_order": "block_restraint_order from 2024-01-29",
    "block_release": "block_release from 2024-02-28",
    "truce": "truce from 2023-12-15 to 2023-12-21",
}
"""One of each kind, in words."""
_WHEN: Final = ("on", "from")
MOVE: Final = "@"
_MOVED: Final = re.compile(rf"([a-z][a-z0-9_]*)\s*{MOVE}\s*(\S+)")
BEFORE: Final = {
    "major": "block_major_response", "limited": "block_limited_response", "deaths": "no_deaths",
    "restraint_order": "block_restraint_order",
}  # fmt: skip
"""What must not come before its new day when it is moved to a later one."""


def kind_rows() -> list[dict[str, str]]:
    """What an intervention may begin with: the word, what it stands for, and an example."""
    return [{"kind": name, "text": text, "example": EXAMPLES[name]} for name, text in WORDS.items()]


def spoken(text: str) -> str:
    """An intervention as it stands in a sentence.

    >>> spoken("february_strikes@2024-01-20")
    'february_strikes on 2024-01-20'
    """
    return re.sub(rf"\s*{MOVE}\s*", " on ", text)


def moved(scenario: "Scenario", text: str, key: str) -> "Scenario":
    """The scenario in which one event, documented or of the timeline, begins on another day, as `NAME@DATE` asks.

    It keeps its length, or lasts to the end where it did. Deaths and responses that come later do not come before
    either. The scenario departs on the old or the new day, whichever is earlier, or as early as it did anyhow; a
    documented event stays, although documented history is free from then on.

    Raises:
        UserError: there is no such event, or it cannot begin on that day; `key` is where it was written.
    """
    calendar = scenario.calendar
    found = _MOVED.fullmatch(text.strip())
    if found is None:
        raise UserError(key, text, "NAME@DATE such as february_strikes@2024-01-20")
    by_name = {event.id: event for event in (*scenario.pins, *scenario.events)}
    if found[1] not in by_name:
        raise UserError(key, text, f"events: {one_of(by_name, found[1])}")
    old = by_name[found[1]]
    endless = old.last == calendar.days - 1 > old.first
    length = 0 if endless else old.last - old.first
    try:
        first = calendar.day_of(date.fromisoformat(found[2]))
    except ValueError:
        raise UserError(key, text, "a date such as 2024-01-20") from None
    if not 0 <= first < calendar.days - length:
        raise UserError(key, text, f"{calendar.start} to {calendar.date_of(calendar.days - 1 - length)}")
    new = replace(old, first=first, last=old.last if endless else first + length)
    days = [day for day in (scenario.departs, scenario.free_from, old.first, first) if day is not None]
    held: tuple[Event, ...] = ()
    if first > old.first and old.kind in BEFORE:
        source = f"{old.id} moved to a later day"
        held = (Event(f"{old.id}_held_back", BEFORE[old.kind], old.first, first - 1, source=source),)
    if old in scenario.events:
        # It keeps its place: where several events hold on a day, the later in the list decides.
        events = (*held, *(new if one is old else one for one in scenario.events))
    else:
        events = (*scenario.events, *held, new)
    pins = tuple(one for one in scenario.pins if one is not old)
    return replace(scenario, events=events, pins=pins, departs=min(days), free_from=min(days))


def read_event(text: str, calendar: Calendar, cast: Cast, key: str) -> tuple[str, dict[str, Any]]:
    """An intervention as the event that a file would hold, with a name for it.

    Args:
        text: as the user writes it.
        calendar: the days in which it lies.
        cast: its theatres and wings.
        key: the key under which it was written.

    Raises:
        UserError: something in it cannot be read; the token, and the nearest word.
    """
    reader = Reader(key, text.strip())
    word = reader.choice((*EVENT_KINDS, *PRESETS))
    preset = PRESETS.get(word, {})
    kind = str(preset.get("kind", word))
    about = EVENT_KINDS[kind]
    event: dict[str, Any] = {"kind": kind, **preset}
    numbered = "killed" if about.killed else "value" if about.high > about.low and not preset else ""
    theatres: list[str] = []
    while reader.peek() not in _WHEN:
        _read_word(reader, event, theatres, numbered, cast)
    wing = about.wing and not (about.theatres or about.any_wing)
    needed = {"value" if kind == "order" else numbered: "a value", "wing" if wing else "": "the id of a wing"}
    for name in needed.keys() - event.keys() - {""}:
        raise UserError(key, text, f"with {needed[name]}, as in '{EXAMPLES[word]}'")
    if theatres:
        event["theatres"] = theatres
    if reader.choice(_WHEN) == "on":
        first = last = reader.day(calendar)
    else:
        first = reader.day(calendar)
        last = calendar.days - 1 if about.lasts else first
        if reader.peek():
            last = reader.last_day(first, calendar)
    reader.end(EXAMPLES[word])
    event |= {"from": str(calendar.date_of(first)), "to": str(calendar.date_of(last)), "source": "what if"}
    return re.sub(r"\W+", "_", text.strip().lower())[:64], event


def _read_word(reader: Reader, event: dict[str, Any], theatres: list[str], numbered: str, cast: Cast) -> None:
    """One word between kind and date: a place, or the value of the event."""
    about, word = EVENT_KINDS[event["kind"]], reader.peek().lower()
    if about.theatres and word in cast.theatres:
        theatres.append(reader.take().lower())
    elif about.wing and word in cast.wings and "wing" not in event:
        event["wing"] = reader.take().lower()
    elif event["kind"] == "order" and word in ORDERS and "value" not in event:
        event["value"] = reader.take().lower()
    elif numbered and event["kind"] != "order" and numbered not in event and reader.is_number():
        number = reader.number()
        event[numbered] = int(number) if number.is_integer() else number
    else:
        reader.take()
        names = [*_WHEN, *(cast.theatres if about.theatres else ()), *(cast.wings if about.wing else ())]
        names += list(ORDERS) if event["kind"] == "order" else []
        number_words = ", or a number" if numbered and event["kind"] != "order" else ""
        raise reader.refusal(f'{one_of(names, word)}{number_words}, as in "{EXAMPLES[event["kind"]]}"')
