"""Where everybody stands in the picture of a day, and what passes between them: columns to be drawn, in pixels.

The patron stands on the left, the wings by theatre in the middle, those whom they attack on the right. Orders come from
the left, attacks go to the right, strikes come back from there. Across, 0 to 100 is the width of the picture.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sim.view.app.play.history import Deed, Evening, Manner, Told
from sim.view.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE
from sim.world.actors import Cast

HEAD, ROW, GAP = 42.0, 56.0, 10.0
PATRON_RIGHT, BOX_LEFT, TEXT, ORDER_RIGHT, WING, ATTACK_LEFT, BASE_LEFT = 6.5, 8.0, 9.5, 26.0, 32.0, 37.0, 95.0
NAME, LINE, STRIKE, NOTE = 9.0, 29.0, 38.0, 48.0
"""How far below the top of its row the name of a wing stands, the wing, a strike on it, and what is noted."""

Columns = dict[str, list[Any]]


class Stroke(NamedTuple):
    """How a line looks: never by colour alone."""

    color: str
    width: float
    dash: str
    words: str


ORDERS: Final[dict[Manner, Stroke]] = {
    "ordered": Stroke(BLUE, 4.0, "solid", "told to attack"),
    "free": Stroke(GREY, 1.5, "solid", "left to itself"),
    "obeys": Stroke(GREEN, 3.0, "dashed", "told to hold back, and does"),
    "resists": Stroke(ORANGE, 3.0, "dotted", "told to hold back, not in line yet"),
}
ATTACK: Final = Stroke(INK, 2.0, "solid", "attacks: the more, the wider")
DEFIANT: Final = Stroke(ORANGE, 2.0, "solid", "attacks by a wing that is told to hold back")
STRUCK: Final = Stroke(PURPLE, 4.0, "solid", "struck by the target")


@dataclass(frozen=True)
class Row:
    """One wing: its place from the top, its theatre's index, what it is called."""

    top: float
    theatre: int
    name: str


@dataclass(frozen=True)
class Stage:
    """What stays the same all days: theatres from top to bottom, and the wings in each.

    `heads` are the tops of the theatres, `feet` their ends; `rows` are in the order of the case.
    """

    height: float
    heads: tuple[float, ...]
    feet: tuple[float, ...]
    rows: tuple[Row, ...]
    cast: Cast


def stage_of(cast: Cast) -> Stage:
    """The places of a case."""
    top, heads, feet, rows = 0.0, [], [], {}
    for k, theatre in enumerate(cast.theatres):
        heads.append(top)
        top += HEAD
        for wing in cast.wings_in(theatre):
            rows[wing] = Row(top, k, cast.wings[wing].name)
            top += ROW
        feet.append(top)
        top += GAP
    return Stage(top - GAP, tuple(heads), tuple(feet), tuple(rows[wing] for wing in cast.wings), cast)


def theatre_columns(stage: Stage) -> Columns:
    """Name of every theatre and whom its wings attack, with its box."""
    theatres = list(stage.cast.theatres.values())
    return {
        "top": list(stage.heads),
        "bottom": list(stage.feet),
        "rows": [top + HEAD for top in stage.heads],
        "name": [one.name for one in theatres],
        "name_y": [top + 13.0 for top in stage.heads],
        "word_y": [top + 31.0 for top in stage.heads],
        "victim": [f"against {victim(stage.cast, one.kind)}" for one in theatres],
    }


def victim(cast: Cast, kind: str) -> str:
    """Who is attacked in a theatre of that kind."""
    return {"target": cast.names.target, "rival": cast.names.rival}.get(kind, "ships")


def name_columns(stage: Stage) -> Columns:
    """The names of the wings."""
    return {
        "y": [row.top + NAME for row in stage.rows],
        "name": [row.name for row in stage.rows],
        "line": [row.top + LINE for row in stage.rows],
    }


def order_columns(stage: Stage, evening: Evening) -> Columns:
    """The orders that the wings know today, as lines to them, and the wings themselves."""
    strokes = [ORDERS[manner] for manner in evening.manners]
    return {
        "y": [row.top + LINE for row in stage.rows],
        "color": [one.color for one in strokes],
        "width": [one.width for one in strokes],
        "dash": [one.dash for one in strokes],
        "size": [10.0 + 10.0 * wing["capacity"] for wing in evening.wings],
    }


def word_columns(stage: Stage, evening: Evening) -> Columns:
    """What the wings of each theatre are told."""
    return {"y": [top + 31.0 for top in stage.heads], "words": [order_words(one) for one in evening.orders]}


def order_words(told: Told) -> str:
    """An order in a few words.

    >>> order_words(Told("reduce", 0.1)), order_words(Told("free", 0.3))
    ('told to hold back to 10%', 'left to itself (30%)')
    """
    level = f"{told.level:.0%}"
    return {
        "attack": "told to attack",
        "free": f"left to itself ({level})",
        "stop": "told to stop",
        "reduce": f"told to hold back to {level}",
        "released": f"let go, up to {level}",
    }[told.order]


def attack_columns(stage: Stage, evening: Evening) -> Columns:
    """The attacks of the day."""
    made = [
        (row, wing["attacks"], manner, deed)
        for row, wing, manner, deed in zip(stage.rows, evening.wings, evening.manners, evening.deeds, strict=True)
        if wing["attacks"] > 0.0
    ]
    strokes = [DEFIANT if manner in ("obeys", "resists") else ATTACK for _, _, manner, _ in made]
    return {
        "y": [row.top + LINE for row, *_ in made],
        "note_y": [row.top + NOTE for row, *_ in made],
        "color": [one.color for one in strokes],
        "width": [one.width + min(count, 6.0) for one, (_, count, _, _) in zip(strokes, made, strict=True)],
        "note": [deed_words(count, deed) for _, count, _, deed in made],
    }


def deed_words(count: float, deed: Deed) -> str:
    """Attacks in a few words.

    >>> deed_words(1.0, Deed()), deed_words(2.0, Deed(through=1, killed=3))
    ('1 attack', '2 attacks, 1 got through, 3 killed')
    """
    parts = [f"{count:g} attack{'' if count == 1.0 else 's'}"]
    parts += [f"{deed.through} got through"] if deed.through else []
    parts += [f"{deed.killed} killed"] if deed.killed else []
    return ", ".join(parts)


def strike_columns(stage: Stage, evening: Evening) -> Columns:
    """The strikes of the day."""
    hit = [(row, wing["struck"]) for row, wing in zip(stage.rows, evening.wings, strict=True) if wing["struck"] > 0.0]
    return {
        "y": [row.top + STRIKE for row, _ in hit],
        "line": [row.top + LINE for row, _ in hit],
        "width": [3.0 + min(force, 5.0) for _, force in hit],
        "note": [f"struck, force {force:.3g}" for _, force in hit],
        "note_y": [row.top + NOTE for row, _ in hit],
    }
