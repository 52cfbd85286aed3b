"""Interventions in words: an event of any kind on top of a scenario, such as `order iraq stop from 2023-12-10`.

    KIND [THEATRE ... | WING] [VALUE] on DATE | from DATE [to DATE]
    truce on DATE | from DATE [to DATE]
    NAME

A kind that lasts goes on to the end of the calendar where no end is given; any other takes one day. A truce is the
rival's war at intensity 0. A name alone switches on an event of the timeline that is not enabled.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from sim.model.cast import Cast
from sim.model.conditions import Reader
from sim.model.timeline import EVENT_KINDS, ORDERS, Calendar
from sim.model.validation import UserError, one_of

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
    about, word = EVENT_KINDS[event["kind"]], reader.peek()
    if about.theatres and word in cast.theatres:
        theatres.append(reader.take())
    elif about.wing and word in cast.wings and "wing" not in event:
        event["wing"] = reader.take()
    elif event["kind"] == "order" and word in ORDERS and "value" not in event:
        event["value"] = reader.take()
    elif numbered and event["kind"] != "order" and numbered not in event and reader.is_number():
        number = reader.number()
        event[numbered] = int(number) if number.is_integer() else number
    else:
        reader.take()
        names = [*_WHEN, *(cast.theatres if about.theatres else ()), *(cast.wings if about.wing else ())]
        names += list(ORDERS) if event["kind"] == "order" else []
        number_words = ", or a number" if numbered and event["kind"] != "order" else ""
        raise reader.refusal(f'{one_of(names, word)}{number_words}, as in "{EXAMPLES[event["kind"]]}"')
