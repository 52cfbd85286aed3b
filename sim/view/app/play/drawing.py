"""The picture of a day and the line of days, as Bokeh figures of one visitor."""

from collections.abc import Callable
from math import pi
from typing import Any, Final

import panel as pn
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from sim.view.app.parts import SEEN
from sim.view.app.play import diagram as at
from sim.view.app.play.days import Days
from sim.view.app.play.history import Evening
from sim.view.style import BLUE, GREEN, GREY, INK, PALE, PURPLE
from sim.world.actors import Cast

SMALL: Final = "12px"
RIGHT, LEFT = -pi / 2, pi / 2


class Picture:
    """The picture of a day: built once for a case, then only its columns change."""

    def __init__(self) -> None:
        self.pane = pn.pane.Bokeh(figure(height=10), sizing_mode="stretch_width", margin=0, min_width=0)
        self.stage: at.Stage | None = None
        names = ("orders", "words", "attacks", "strikes")
        self.sources = {name: ColumnDataSource() for name in names}

    def draw(self, cast: Cast, evening: Evening) -> None:
        """Draw a day of a case."""
        fresh = self.stage is None or self.stage.cast is not cast
        stage = at.stage_of(cast) if fresh or self.stage is None else self.stage
        columns = {
            "orders": at.order_columns(stage, evening),
            "words": at.word_columns(stage, evening),
            "attacks": at.attack_columns(stage, evening),
            "strikes": at.strike_columns(stage, evening),
        }
        for name, column in columns.items():
            self.sources[name].data = column
        if fresh:
            self.stage = stage
            self.pane.object = self._figure(stage)

    def _figure(self, stage: at.Stage) -> Any:
        made: Any = figure(
            height=round(stage.height) + 4, sizing_mode="stretch_width", toolbar_location=None, tools="", min_border=0,
            x_range=Range1d(start=0, end=100), y_range=Range1d(start=stage.height + 2, end=-2), outline_line_color=None,
            stylesheets=[SEEN],
        )  # fmt: skip
        made.axis.visible = False
        made.grid.visible = False
        self._stand(made, stage)
        self._order(made)
        self._attack(made)
        return made

    def _stand(self, made: Any, stage: at.Stage) -> None:
        """Who is there."""
        theatres, names = ColumnDataSource(at.theatre_columns(stage)), ColumnDataSource(at.name_columns(stage))
        made.quad(left=at.BOX_LEFT, right=100, top="top", bottom="bottom", source=theatres, color=PALE, fill_alpha=0.6)
        made.quad(left=0, right=at.PATRON_RIGHT, top=0, bottom=stage.height, color=GREY)
        made.quad(left=at.BASE_LEFT, right=100, top="rows", bottom="bottom", source=theatres, color=GREY)
        bold = {"text_font_size": "13px", "text_font_style": "bold", "text_color": INK, "text_baseline": "middle"}
        word = {"text_font_size": SMALL, "text_color": INK, "text_baseline": "middle"}
        made.text(x=at.TEXT, y="name_y", text="name", source=theatres, **bold)
        made.text(x=99.3, y="word_y", text="victim", source=theatres, text_align="right", **word)
        made.text(x=at.TEXT, y="y", text="name", source=names, **word)
        made.segment(
            x0=at.ATTACK_LEFT, x1=at.BASE_LEFT, y0="line", y1="line", source=names, color="#C4C9D1", line_dash="dotted"
        )
        made.text(
            x=at.PATRON_RIGHT / 2, y=stage.height / 2, text=[stage.cast.names.patron], angle=pi / 2, text_color="white",
            text_align="center", text_baseline="middle", text_font_style="bold", text_font_size="14px",
        )  # fmt: skip

    def _order(self, made: Any) -> None:
        orders, words = self.sources["orders"], self.sources["words"]
        word = {"text_font_size": SMALL, "text_color": INK, "text_baseline": "middle"}
        made.text(x=at.TEXT, y="y", text="words", source=words, **word)
        forth = {"x0": at.PATRON_RIGHT, "x1": at.ORDER_RIGHT - 1.5, "y0": "y", "y1": "y"}
        made.segment(**forth, source=orders, color="color", line_width="width", line_dash="dash")
        _heads(made, orders, at.ORDER_RIGHT - 1, RIGHT, color="color")
        made.scatter(x=at.WING, y="y", size="size", source=orders, fill_color="color", line_color=INK, line_width=1)

    def _attack(self, made: Any) -> None:
        attacks, strikes = self.sources["attacks"], self.sources["strikes"]
        word = {"text_font_size": SMALL, "text_color": INK, "text_baseline": "middle"}
        made.segment(
            x0=at.ATTACK_LEFT, x1=at.BASE_LEFT - 2, y0="y", y1="y", source=attacks, color="color", line_width="width"
        )
        _heads(made, attacks, at.BASE_LEFT - 2, RIGHT, color="color")
        made.text(x=at.BASE_LEFT - 1, y="note_y", text="note", source=attacks, text_align="right", **word)
        made.segment(
            x0=at.ATTACK_LEFT, x1=at.BASE_LEFT, y0="y", y1="y", source=strikes, color=PURPLE, line_width="width"
        )
        _heads(made, strikes, at.ATTACK_LEFT, LEFT, color=PURPLE)
        made.scatter(x=at.WING, y="line", size=24, source=strikes, fill_color=None, line_color=PURPLE, line_width=4)
        made.text(x=at.TEXT, y="note_y", text="note", source=strikes, **word)


def _heads(made: Any, source: Any, x: float, way: float, color: str) -> None:
    """Arrow heads."""
    made.scatter(x=x, y="y", marker="triangle", size=12, angle=way, source=source, color=color)


class Line:
    """The line of days: attacks on the target as far as the history was lived, and where one stands."""

    def __init__(self, went: Callable[[int], None]) -> None:
        self.went = went
        self.pane = pn.pane.Bokeh(figure(height=10), sizing_mode="stretch_width", margin=0, min_width=0)
        self.bars, self.marks = ColumnDataSource(), ColumnDataSource()
        self.cursor = Span(location=0, dimension="height", line_color=INK, line_width=2)
        self.held = ColumnDataSource()
        self.room = Range1d(start=0, end=10)
        self.case: object = None

    def draw(self, case: object, days: Days, day: int) -> None:
        """Draw the days of a history lived so far; `case` tells one calendar from another."""
        self.bars.data, self.marks.data, self.held.data = days.bars, days.marks, days.held
        if case != self.case:
            self.case = case
            self.pane.object = self._figure(days)
        self.room.end = days.room
        self.cursor.location = day

    def _figure(self, days: Days) -> Any:
        self.room = Range1d(start=0, end=days.room)
        made: Any = figure(
            height=170, sizing_mode="stretch_width", toolbar_location=None, tools="", min_border_right=10,
            x_range=Range1d(start=-1, end=days.total), y_range=self.room, outline_line_color=None,
            stylesheets=[SEEN],
        )  # fmt: skip
        made.quad(left="first", right="end", bottom=0, top=1000, source=self.held, color=GREEN, fill_alpha=0.18)
        made.vbar(x="day", top="acknowledged", width=0.9, source=self.bars, color=BLUE)
        made.vbar(x="day", bottom="acknowledged", top="attacks", width=0.9, source=self.bars, color="#9AA3AF")
        made.scatter(
            x="day", y="y", marker="marker", size=12, source=self.marks, color="color", line_color="white", line_width=1
        )
        self.cursor = Span(location=0, dimension="height", line_color=INK, line_width=2, level="underlay")
        made.add_layout(self.cursor)
        made.on_event(Tap, lambda event: self.went(round(event.x)))
        made.grid.grid_line_color = None
        made.ygrid.grid_line_color = PALE
        for axis in made.axis:
            axis.axis_line_color = axis.major_tick_line_color = GREY
            axis.minor_tick_line_color = None
            axis.major_label_text_color, axis.major_label_text_font_size = INK, SMALL
        made.yaxis.ticker.num_minor_ticks = 0
        made.yaxis.ticker.desired_num_ticks = 3
        made.xaxis.ticker = days.ticks
        made.xaxis.major_label_overrides = dict(zip(days.ticks, days.dates, strict=True))
        return made
