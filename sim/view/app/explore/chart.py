"""The fan chart: attacks a week by theatre, drawn by the browser from one table of numbers that every move replaces."""

import math
from datetime import datetime, time, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from bokeh.layouts import column
from bokeh.models import BasicTicker, ColumnDataSource, DatetimeTickFormatter, HoverTool, Range1d
from bokeh.models.annotations import BoxAnnotation, Span, Title
from bokeh.models.layouts import Column
from bokeh.plotting import figure

from sim.engine.record import WEEK
from sim.study.comparison.measures import named
from sim.study.live.desk import Shown
from sim.study.live.lived import TOTAL, Lived
from sim.study.summary import TWENTIETHS
from sim.view.app.explore.marks import marks_of, said
from sim.view.app.parts import SEEN
from sim.view.plots import last_shown, shown_theatres
from sim.view.style import BLUE, BY_KIND, GREY, INK, PALE, PURPLE, SAND
from sim.world.scenario import Config

Array = npt.NDArray[Any]

FONT: Final = 'system-ui, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif'
RUST: Final = "#B24A00"
"""Orange that is dark enough for text: scenario B."""
LEFT: Final = 34
TALL: Final = 104
LOW: Final = 48
HEAD: Final = 19
FOOT: Final = 22
"""Pixels: room for the numbers of an axis; heights of a panel, of one where hardly anything happens, of a line above
it, and of dates beneath it."""
_LETTERS: Final[Any] = {"text_font_size": "13px", "text_font": FONT, "standoff": 2}
RARE: Final = 2
"""Attacks a week up to which hardly anything happens."""
ROUND: Final = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)


class FanChart:
    """The figures of one visitor. `part` is what stands in the page; `show` fills it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._marks = marks_of(config)
        self._source = ColumnDataSource({}, name="bands")
        self._ends = {name: Range1d(start=0, end=1) for name in _panels(config)}
        self._order = [Span(dimension="height", line_color=PURPLE, line_width=1.5) for _ in self._ends]
        self._others: list[Any] = []
        self._medians: list[Any] = []
        self.part = self._made()

    def fits(self, config: Config) -> bool:
        """Whether another configuration has the same panels and dates."""
        old, new = self.config.scenario, config.scenario
        return old.calendar == new.calendar and old.cast.theatres == new.cast.theatres

    def show(self, shown: Shown) -> None:
        """Draw what was lived."""
        data: dict[str, Array] = {"day": _edges(self.config)}
        for mark, lived in (("a", shown.a), ("b", shown.b or shown.a)):
            for name in self._ends:
                for key in TWENTIETHS:
                    data[f"{mark} {name} {key}"] = _stepped(lived.bands[name][key])
        for renderer in self._others:
            renderer.visible = shown.b is not None
        for line in self._medians:
            # Where both medians are the same, A is seen on both sides of B.
            line.glyph.line_width = 2 if shown.b is None else 5
        for name, end in self._ends.items():
            top = max(_top(one, name) for one in (shown.a, shown.b) if one is not None)
            highest = [mark.weekly for mark in self._marks if mark.theatre == name]
            end.update(start=-0.04 * (nice := _nice(max([top, *highest]))), end=nice)
        order = next((one.median for one in shown.a.stats if one.name == "directive_day"), None)
        for span in self._order:
            span.update(visible=order is not None, location=_moment(self.config, order or 0))
        self._source.data = data

    def _made(self) -> Column:
        days = Range1d(start=_moment(self.config, 0), end=_moment(self.config, last_shown(self.config.scenario)))
        names = list(self._ends)
        panels = [self._panel(name, days, dated=name in (names[0], names[-1])) for name in names]
        return column(*panels, sizing_mode="stretch_width", spacing=0)

    def _panel(self, name: str, days: Range1d, dated: bool) -> figure:
        lines = 1 + (name in said(self.config))
        height = (TALL if _busy(self.config, name) else LOW) + HEAD * lines + (FOOT if dated else 0)
        colour = BLUE if name == TOTAL else BY_KIND[self.config.scenario.cast.theatres[name].kind]
        made = figure(
            height=height, sizing_mode="stretch_width", x_range=days, y_range=self._ends[name], x_axis_type="datetime",
            toolbar_location=None, tools="", min_border_left=LEFT, min_border_right=8, min_border_top=0,
            outline_line_color=None, stylesheets=[SEEN],
        )  # fmt: skip
        self._bands(made, name, colour)
        self._mark(made, name)
        made.add_tools(_hover(made, self._source, name))
        _quiet(made, dated)
        if words := said(self.config).get(name):
            made.add_layout(Title(text=f"Article: {words}", text_font_style="normal", **_LETTERS), "above")
        # Above the numbers of the axis too: a long name needs the whole width of a phone.
        outwards: dict[str, Any] = {"offset": -LEFT, **_LETTERS}
        made.add_layout(Title(text=_title(self.config, name), text_color=colour, **outwards), "above")
        return made

    def _bands(self, made: figure, name: str, colour: str) -> None:
        at: dict[str, Any] = {"x": "day", "source": self._source, "step_mode": "after"}
        for low, high, strength in (("q05", "q95", 0.20), ("q25", "q75", 0.38)):
            made.varea_step(
                y1=f"a {name} {low}", y2=f"a {name} {high}", fill_color=colour, fill_alpha=strength, **at
            )  # fmt: skip
        # `step` calls its modes as `varea_step` does, but names its argument `mode`.
        line: dict[str, Any] = {"x": "day", "source": self._source, "mode": "after"}
        self._medians.append(made.step(y=f"a {name} median", color=colour, line_width=2, **line))
        for key, width in (("q05", 1.0), ("q95", 1.0), ("median", 2.2)):
            other = made.step(
                y=f"b {name} {key}", color=RUST, line_width=width, line_dash="4 3" if width < 2 else "solid", **line
            )  # fmt: skip
            self._others.append(other)

    def _mark(self, made: figure, name: str) -> None:
        calendar = self.config.scenario.calendar
        strikes, report = (_moment(self.config, day) for day in (calendar.strikes, calendar.report))
        made.add_layout(BoxAnnotation(left=strikes, right=report, fill_color=SAND, fill_alpha=0.55, level="image"))
        made.add_layout(BoxAnnotation(left=report, fill_color=PALE, fill_alpha=0.6, level="image"))
        for day in (strikes, report):
            made.add_layout(Span(location=day, dimension="height", line_color=INK, line_width=1, line_alpha=0.7))
        made.add_layout(self._order[list(self._ends).index(name)])
        for mark in self._marks:
            if mark.theatre == name:
                ends = [_moment(self.config, day) for day in (mark.first, mark.last)]
                made.line(ends, [mark.weekly] * 2, color=INK, line_width=2.5, line_dash="5 4")


def _panels(config: Config) -> list[str]:
    return [TOTAL, *shown_theatres(config)]


def _busy(config: Config, name: str) -> bool:
    """Whether a panel deserves its full height: its wings attack more than now and then when they are told to."""
    if name == TOTAL:
        return True
    wings = config.scenario.cast.wings.values()
    return sum(wing.baseline for wing in wings if wing.theatre == name) * WEEK > RARE


def _title(config: Config, name: str) -> str:
    cast = config.scenario.cast
    return named("All on the target, acknowledged, a week", cast) if name == TOTAL else cast.theatres[name].name


def _moment(config: Config, day: float) -> datetime:
    return datetime.combine(config.scenario.calendar.start, time()) + timedelta(days=float(day))


def _edges(config: Config) -> Array:
    """Edges of the full weeks, as what a browser takes for moments."""
    weeks = config.scenario.calendar.days // WEEK
    return np.datetime64(config.scenario.calendar.start, "ms") + np.arange(weeks + 1) * np.timedelta64(WEEK, "D")


def _stepped(band: Array) -> Array:
    """A band (week,) over edges: the last step ends with the last week."""
    return np.append(band, band[-1:])


def _top(lived: Lived, name: str) -> float:
    return float(np.nanmax(lived.bands[name]["q95"], initial=0.0))


def _nice(top: float) -> float:
    """A round end of an axis above the highest value, so that it moves seldom.

    >>> _nice(17.2), _nice(0.0)
    (20.0, 1.0)
    """
    if top < 1.0:
        return 1.0
    power = 10 ** math.floor(math.log10(top))
    return float(next(one * power for one in ROUND if one * power >= top * 1.03 or one == ROUND[-1]))


def _hover(made: figure, source: ColumnDataSource, name: str) -> HoverTool:
    """What one reads with a finger or a mouse: the numbers of a week."""
    felt = made.scatter(x="day", y=f"a {name} median", source=source, size=1, alpha=0)
    return HoverTool(
        renderers=[felt], mode="vline", formatters={"@day": "datetime"}, point_policy="snap_to_data",
        tooltips=[
            ("week from", "@day{%d %b %Y}"), ("median", f"@{{a {name} median}}"),
            ("90%", f"@{{a {name} q05}} to @{{a {name} q95}}"),
        ],
    )  # fmt: skip


def _quiet(made: figure, dated: bool) -> None:
    """Few lines, no decoration; dates beneath the first panel and the last."""
    # The heading tells the year; with it the names of months would not find room beside each other on a phone.
    made.xaxis.formatter = DatetimeTickFormatter(days="%d %b", months="%b", years="%Y")
    made.xaxis.visible = dated
    made.xgrid.grid_line_color = None
    made.ygrid.grid_line_color = PALE
    made.yaxis.ticker = BasicTicker(desired_num_ticks=3, num_minor_ticks=0, min_interval=1)
    for axis in (*made.xaxis, *made.yaxis):
        axis.update(
            axis_line_color=None, major_tick_line_color=GREY, minor_tick_line_color=None, major_label_text_color=INK,
            major_label_text_font=FONT, major_label_text_font_size="12px",
        )  # fmt: skip
