"""The plot of a day, who orders, attacks and strikes whom, and the time axis of the run, as Bokeh figures of a session.

The patron stands on the left, the wings by theatre in the middle, those whom they attack on the right. Orders come from
the left, attacks go to the right, strikes come back from there. The width of the plot is 100; heights are in pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Any, Final, NamedTuple

import numpy as np
import panel as pn
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from sim.app.frame import WIDE, plain_figure, quieten
from sim.app.play.stepwise_run import AttackSummary, DayState, Manner, PerceivedOrder
from sim.model.cast import Cast
from sim.model.timeline import Calendar
from sim.reporting.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE
from sim.rules.patron import RESTRAINING
from sim.rules.target import STRUCK

HEAD, ROW, GAP = 42.0, 56.0, 10.0
PATRON_RIGHT, BOX_LEFT, TEXT, ORDER_RIGHT, WING, ATTACK_LEFT, BASE_LEFT = 6.5, 8.0, 9.5, 26.0, 32.0, 37.0, 95.0
NAME, LINE, STRIKE, NOTE = 9.0, 29.0, 38.0, 48.0
"""How far below the top of its row the name of a wing stands, the wing, a strike on it, and a note."""
WORD: Final[Any] = {"text_font_size": "12px", "text_color": INK, "text_baseline": "middle"}
BOLD: Final[Any] = WORD | {"text_font_size": "13px", "text_font_style": "bold"}
MONTHS: Final = 2
"""Months between the dates below the time axis."""
LEAST_ROOM: Final = 8.0

Columns = dict[str, list[Any]]


class LineStyle(NamedTuple):
    """How a line looks, never by colour alone, and what it means."""

    color: str
    width: float
    dash: str
    words: str


ORDERS: Final[dict[Manner, LineStyle]] = {
    "ordered": LineStyle(BLUE, 4.0, "solid", "ordered to attack"),
    "free": LineStyle(GREY, 1.5, "solid", "left to itself"),
    "obeys": LineStyle(GREEN, 3.0, "dashed", "ordered to hold back, and does"),
    "resists": LineStyle(ORANGE, 3.0, "dotted", "ordered to hold back, not in line yet"),
}
ATTACK: Final = LineStyle(INK, 2.0, "solid", "attacks: the more, the wider")
DEFIANT: Final = LineStyle(ORANGE, 2.0, "solid", "attacks by a wing that is ordered to hold back")
STRIKES: Final = LineStyle(PURPLE, 4.0, "solid", "struck by the target")
MARKS: Final = {
    "deaths": ("inverted_triangle", ORANGE, "soldiers killed"),
    "response": ("diamond", PURPLE, "limited response or leader strike"),
    "major": ("star", PURPLE, "major response"),
    "war": ("x", ORANGE, "direct war"),
}
"""Marker, colour and meaning of the events above the time axis."""


# --- the plot of a day --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """What stays the same all days: the tops and ends of the theatres, and by wing the top of its row."""

    height: float
    tops: tuple[float, ...]
    ends: tuple[float, ...]
    rows: tuple[float, ...]
    cast: Cast


def layout_of(cast: Cast) -> Layout:
    """The layout of a case."""
    top, tops, ends, rows = 0.0, [], [], {}
    for theatre in cast.theatres:
        tops.append(top)
        top += HEAD
        for wing in cast.wings_in(theatre):
            rows[wing] = top
            top += ROW
        ends.append(top)
        top += GAP
    return Layout(top - GAP, tuple(tops), tuple(ends), tuple(rows[wing] for wing in cast.wings), cast)


def order_words(perceived: PerceivedOrder) -> str:
    """An order in a few words.

    >>> order_words(PerceivedOrder("reduce", 0.1)), order_words(PerceivedOrder("free", 0.3))
    ('ordered to hold back to 10%', 'left to itself (30%)')
    """
    level = f"{perceived.level:.0%}"
    return {
        "attack": "ordered to attack",
        "free": f"left to itself ({level})",
        "stop": "ordered to stop",
        "reduce": f"ordered to hold back to {level}",
        "released": f"released, up to {level}",
    }[perceived.order]


def attack_words(count: float, summary: AttackSummary) -> str:
    """Attacks in a few words.

    >>> attack_words(1.0, AttackSummary()), attack_words(2.0, AttackSummary(through=1, killed=3))
    ('1 attack', '2 attacks, 1 got through, 3 killed')
    """
    parts = [f"{count:g} attack{'' if count == 1.0 else 's'}"]
    parts += [f"{summary.through} got through"] if summary.through else []
    parts += [f"{summary.killed} killed"] if summary.killed else []
    return ", ".join(parts)


def order_columns(layout: Layout, state: DayState) -> Columns:
    """The orders that the wings know today, as lines to them, and the wings themselves."""
    styles = [ORDERS[manner] for manner in state.manners]
    return {
        "y": [top + LINE for top in layout.rows],
        "color": [one.color for one in styles],
        "width": [one.width for one in styles],
        "dash": [one.dash for one in styles],
        "size": [10.0 + 10.0 * wing["capacity"] for wing in state.wings],
    }


def attack_columns(layout: Layout, state: DayState) -> Columns:
    """The attacks of the day."""
    found = [
        (top, wing["attacks"], DEFIANT if manner in ("obeys", "resists") else ATTACK, summary)
        for top, wing, manner, summary in zip(layout.rows, state.wings, state.manners, state.attacks, strict=True)
        if wing["attacks"] > 0.0
    ]
    return {
        "y": [top + LINE for top, *_ in found],
        "note_y": [top + NOTE for top, *_ in found],
        "color": [style.color for _, _, style, _ in found],
        "width": [style.width + min(count, 6.0) for _, count, style, _ in found],
        "note": [attack_words(count, summary) for _, count, _, summary in found],
    }


def strike_columns(layout: Layout, state: DayState) -> Columns:
    """The strikes of the day."""
    hit = [(top, wing["struck"]) for top, wing in zip(layout.rows, state.wings, strict=True) if wing["struck"] > 0.0]
    return {
        "y": [top + STRIKE for top, _ in hit],
        "line": [top + LINE for top, _ in hit],
        "width": [3.0 + min(force, 5.0) for _, force in hit],
        "note": [f"struck, force {force:.3g}" for _, force in hit],
        "note_y": [top + NOTE for top, _ in hit],
    }


class DayPlot:
    """The plot of a day: built once for a case, then only its columns change."""

    def __init__(self) -> None:
        self.pane = pn.pane.Bokeh(figure(height=10), min_width=0, **WIDE)
        self.layout: Layout | None = None
        self.orders, self.words, self.attacks, self.strikes = (ColumnDataSource() for _ in range(4))

    def draw(self, cast: Cast, state: DayState) -> None:
        """Draw a day of a case."""
        layout = self.layout if self.layout is not None and self.layout.cast is cast else layout_of(cast)
        self.orders.data = order_columns(layout, state)
        self.words.data = {"y": [top + 31.0 for top in layout.tops], "words": list(map(order_words, state.orders))}
        self.attacks.data = attack_columns(layout, state)
        self.strikes.data = strike_columns(layout, state)
        if layout is not self.layout:
            self.layout = layout
            self.pane.object = self._figure(layout)

    def _figure(self, layout: Layout) -> Any:
        ranges = {"x_range": Range1d(start=0, end=100), "y_range": Range1d(start=layout.height + 2, end=-2)}
        made = plain_figure(height=round(layout.height) + 4, min_border=0, **ranges)
        made.axis.visible = made.grid.visible = False
        _draw_fixed(made, layout)
        way = {"x0": PATRON_RIGHT, "x1": ORDER_RIGHT - 1.5, "y0": "y", "y1": "y", "source": self.orders}
        made.text(x=TEXT, y="y", text="words", source=self.words, **WORD)
        made.segment(**way, color="color", line_width="width", line_dash="dash")
        _arrow_heads(made, self.orders, ORDER_RIGHT - 1, -pi / 2, "color")
        made.scatter(x=WING, y="y", size="size", source=self.orders, fill_color="color", line_color=INK, line_width=1)
        way = {"x0": ATTACK_LEFT, "y0": "y", "y1": "y", "line_width": "width"}
        made.segment(**way, x1=BASE_LEFT - 2, source=self.attacks, color="color")
        _arrow_heads(made, self.attacks, BASE_LEFT - 2, -pi / 2, "color")
        made.text(x=BASE_LEFT - 1, y="note_y", text="note", source=self.attacks, text_align="right", **WORD)
        made.segment(**way, x1=BASE_LEFT, source=self.strikes, color=PURPLE)
        _arrow_heads(made, self.strikes, ATTACK_LEFT, pi / 2, PURPLE)
        made.scatter(x=WING, y="line", size=24, source=self.strikes, fill_color=None, line_color=PURPLE, line_width=4)
        made.text(x=TEXT, y="note_y", text="note", source=self.strikes, **WORD)
        return made


def _draw_fixed(made: Any, layout: Layout) -> None:
    """Draw the patron, the theatres with the victims of their wings, and the names of the wings."""
    cast, theatres = layout.cast, list(layout.cast.theatres.values())
    victims = {"target": cast.names.target, "rival": cast.names.rival}
    boxes = ColumnDataSource(
        {
            "top": list(layout.tops),
            "bottom": list(layout.ends),
            "rows": [top + HEAD for top in layout.tops],
            "name": [one.name for one in theatres],
            "name_y": [top + 13.0 for top in layout.tops],
            "word_y": [top + 31.0 for top in layout.tops],
            "victim": [f"against {victims.get(one.kind, 'ships')}" for one in theatres],
        }
    )
    wings = ColumnDataSource(
        {
            "y": [top + NAME for top in layout.rows],
            "name": [wing.name for wing in cast.wings.values()],
            "line": [top + LINE for top in layout.rows],
        }
    )
    made.quad(left=BOX_LEFT, right=100, top="top", bottom="bottom", source=boxes, color=PALE, fill_alpha=0.6)
    made.quad(left=0, right=PATRON_RIGHT, top=0, bottom=layout.height, color=GREY)
    made.quad(left=BASE_LEFT, right=100, top="rows", bottom="bottom", source=boxes, color=GREY)
    made.text(x=TEXT, y="name_y", text="name", source=boxes, **BOLD)
    made.text(x=99.3, y="word_y", text="victim", source=boxes, text_align="right", **WORD)
    made.text(x=TEXT, y="y", text="name", source=wings, **WORD)
    made.segment(x0=ATTACK_LEFT, x1=BASE_LEFT, y0="line", y1="line", source=wings, color="#C4C9D1", line_dash="dotted")
    upright = BOLD | {"text_font_size": "14px", "text_color": "white", "text_align": "center", "angle": pi / 2}
    made.text(x=PATRON_RIGHT / 2, y=layout.height / 2, text=[cast.names.patron], **upright)


def _arrow_heads(made: Any, source: Any, x: float, angle: float, color: str) -> None:
    made.scatter(x=x, y="y", marker="triangle", size=12, angle=angle, source=source, color=color)


# --- the time axis ------------------------------------------------------------------------------------------


def event_columns(run: Any, y: float) -> Columns:
    """The marks of the days on which soldiers died, the target responded, or war broke out, from records of states."""
    days = {
        "deaths": run["killed"] > 0.0,
        "response": (run["limited"] > 0) | (run["leader"] == STRUCK),
        "major": run["major"] > 0,
        "war": run["war"] > 0,
    }
    found = [(day, *MARKS[event][:2]) for event, happened in days.items() for day in happened.nonzero()[0].tolist()]
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    return {"y": [y] * len(found), **{name: list(columns[k]) for k, name in enumerate(("day", "marker", "color"))}}


def restraint_columns(run: Any) -> Columns:
    """The spans of days on which the patron restrains its proxies."""
    edges = np.flatnonzero(np.diff(run["phase"] == RESTRAINING, prepend=False, append=False)) - 0.5
    return {"first": edges[::2].tolist(), "end": edges[1::2].tolist()}


def month_ticks(calendar: Calendar) -> dict[int, str]:
    """The days that have a date below the axis, with their dates."""
    dates = {day: calendar.date_of(day) for day in range(calendar.days)}
    return {
        day: f"{one:%b} {one.year}"
        for day, one in dates.items()
        if one.day == 1 and (one.month - calendar.start.month - 1) % MONTHS == 0
    }


class DayAxis:
    """The time axis: attacks on the target on all days simulated so far, and the day that is shown."""

    def __init__(self, on_click: Callable[[int], None]) -> None:
        self.on_click = on_click
        self.pane = pn.pane.Bokeh(figure(height=10), min_width=0, **WIDE)
        self.bars, self.events, self.restraint = (ColumnDataSource() for _ in range(3))
        self.cursor = Span(location=0, dimension="height", line_color=INK, line_width=2, level="underlay")
        self.room = Range1d(start=0, end=10)
        self.calendar: Calendar | None = None

    def draw(self, calendar: Calendar, run: Any, day: int) -> None:
        """Draw the simulated days of a run from the records of its states."""
        room = max(LEAST_ROOM, float(run["attacks"].max(initial=0.0))) + 2.0
        self.bars.data = {
            "day": list(range(len(run))),
            **{name: run[name].tolist() for name in ("acknowledged", "attacks")},
        }
        self.events.data, self.restraint.data = event_columns(run, room - 1.0), restraint_columns(run)
        if calendar != self.calendar:
            self.calendar = calendar
            self.room, self.cursor = Range1d(start=0, end=room), self.cursor.clone()
            self.pane.object = self._figure(calendar)
        self.room.end, self.cursor.location = room, day

    def _figure(self, calendar: Calendar) -> Any:
        days = Range1d(start=-1, end=calendar.days)
        made = plain_figure(height=170, min_border_right=10, x_range=days, y_range=self.room)
        made.quad(left="first", right="end", bottom=0, top=1000, source=self.restraint, color=GREEN, fill_alpha=0.18)
        made.vbar(x="day", top="acknowledged", width=0.9, source=self.bars, color=BLUE)
        made.vbar(x="day", bottom="acknowledged", top="attacks", width=0.9, source=self.bars, color="#9AA3AF")
        marker = {"marker": "marker", "color": "color", "size": 12, "line_color": "white", "line_width": 1}
        made.scatter(x="day", y="y", source=self.events, **marker)
        made.add_layout(self.cursor)
        made.on_event(Tap, lambda event: self.on_click(round(event.x)))
        quieten(made)
        made.xgrid.grid_line_color = None
        made.yaxis.ticker.num_minor_ticks, made.yaxis.ticker.desired_num_ticks = 0, 3
        ticks = month_ticks(calendar)
        made.xaxis.ticker, made.xaxis.major_label_overrides = list(ticks), ticks
        return made
