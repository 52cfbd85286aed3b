"""The fan chart: attacks a week by theatre, drawn by the browser from one table of numbers that every change replaces.

The counts of the article are marked on it: a level over the days that the article counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, Final

import numpy as np
from bokeh.layouts import column
from bokeh.models import BasicTicker, ColumnDataSource, DatetimeTickFormatter, HoverTool, Range1d
from bokeh.models.annotations import BoxAnnotation, Span, Title
from bokeh.models.layouts import Column
from bokeh.plotting import figure

from sim.app.frame import plain_figure, quieten, round_up
from sim.app.workers import TOTAL, ExploreView
from sim.engine.record import WEEK
from sim.experiment.formats import named
from sim.experiment.statistics import Array
from sim.model.facts import Fact, load_facts
from sim.model.patterns import Pattern
from sim.model.scenario import Config
from sim.reporting.figures.briefing import last_shown, shown_theatres
from sim.reporting.style import BLUE, BY_KIND, INK, PALE, PURPLE, SAND

FONT: Final = 'system-ui, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif'
RUST: Final = "#B24A00"
"""Orange that is dark enough for text: scenario B."""
LEFT, TALL, LOW, HEAD, FOOT = 34, 104, 48, 19, 22
"""Pixels: room for the numbers of an axis; heights of a panel, of one with few attacks, of a line above it, and of the
dates beneath it."""
_LETTERS: Final[Any] = {"text_font_size": "13px", "text_font": FONT, "standoff": 2}
RARE: Final = 2
"""Attacks a week up to which a panel is low."""
COUNTED: Final = {"campaign_count": "campaign", "lull_none": "lull", "lull_few": "lull"}
"""Measures of something that was counted, and the window of the calendar that was counted over."""


@dataclass(frozen=True)
class ReferenceMark:
    """So many attacks a week on the days from `first` to before `last`, in one theatre or (TOTAL) in all together."""

    theatre: str
    first: int
    last: int
    weekly: float


def marks_of(config: Config) -> tuple[ReferenceMark, ...]:
    """The marks of a configuration; none where its patterns are those of another case."""
    return tuple(mark for pattern in config.patterns for mark in _marks(config, pattern))


@cache
def _facts() -> dict[str, Fact]:
    return {one.id: one for one in load_facts()}


def _marks(config: Config, pattern: Pattern) -> Iterator[ReferenceMark]:
    cited = [_facts()[one] for one in re.findall(r"F\d+", pattern.figure) if one in _facts()]
    window = COUNTED.get(pattern.measure)
    if window is None or not cited or cited[0].figure is None:
        return
    days = getattr(config.scenario.calendar, window)
    if days:
        for theatre in pattern.theatres or (TOTAL,):
            yield ReferenceMark(theatre, days.start, days.stop, cited[0].figure * WEEK / len(days))


def article_words(config: Config) -> dict[str, str]:
    """What the article says of each theatre, in words (TOTAL: all together)."""
    return {
        theatre: re.sub(r" *\(F[^)]*\)", "", pattern.figure)
        for pattern in config.patterns
        if pattern.judged == "article" and (pattern.theatres or pattern.measure in COUNTED)
        for theatre in pattern.theatres or (TOTAL,)
    }


class FanChart:
    """The figures of one session. `part` is what stands in the page; `show` fills it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._marks = marks_of(config)
        self._words = article_words(config)
        self._source = ColumnDataSource({}, name="bands")
        names = [TOTAL, *shown_theatres(config)]
        self._ends = {name: Range1d(start=0, end=1) for name in names}
        self._order = {name: Span(dimension="height", line_color=PURPLE, line_width=1.5) for name in names}
        self._others: list[Any] = []
        self._medians: list[Any] = []
        days = Range1d(start=self._moment(0), end=self._moment(last_shown(config.scenario)))
        panels = [self._panel(name, days, dated=name in (names[0], names[-1])) for name in names]
        self.part: Column = column(*panels, sizing_mode="stretch_width", spacing=0)

    def fits(self, config: Config) -> bool:
        """Whether another configuration has the same panels and dates."""
        old, new = self.config.scenario, config.scenario
        return old.calendar == new.calendar and old.cast.theatres == new.cast.theatres

    def show(self, view: ExploreView) -> None:
        """Draw the simulated ensembles."""
        calendar = self.config.scenario.calendar
        edges = np.arange(calendar.days // WEEK + 1) * np.timedelta64(WEEK, "D")
        data: dict[str, Array] = {"day": np.datetime64(calendar.start, "ms") + edges}
        for mark, ensemble in (("a", view.a), ("b", view.b or view.a)):
            for name in self._ends:
                for key, band in ensemble.bands[name].items():
                    # The last step ends with the last week.
                    data[f"{mark} {name} {key}"] = np.append(band, band[-1:])
        for renderer in self._others:
            renderer.visible = view.b is not None
        for line in self._medians:
            # Where both medians are the same, A is seen on both sides of B.
            line.glyph.line_width = 2 if view.b is None else 5
        for name, end in self._ends.items():
            highest = [one.bands[name]["q95"] for one in (view.a, view.b) if one is not None]
            marked = [mark.weekly for mark in self._marks if mark.theatre == name]
            most = float(np.nanmax(np.concatenate([*highest, marked]), initial=0.0))
            top = round_up(1.03 * most) if most >= 1.0 else 1.0  # a round end changes seldom
            end.update(start=-0.04 * top, end=top)
        order = next((one.median for one in view.a.stats if one.name == "directive_day"), None)
        for span in self._order.values():
            span.update(visible=order is not None, location=self._moment(order or 0))
        self._source.data = data

    def _panel(self, name: str, days: Range1d, dated: bool) -> figure:
        cast = self.config.scenario.cast
        # A panel gets its full height if its wings attack more than now and then when they are ordered to.
        weekly = sum(wing.baseline for wing in cast.wings.values() if wing.theatre == name) * WEEK
        height = TALL if name == TOTAL or weekly > RARE else LOW
        colour = BLUE if name == TOTAL else BY_KIND[cast.theatres[name].kind]
        made = plain_figure(
            height=height + HEAD * (1 + (name in self._words)) + (FOOT if dated else 0), x_range=days,
            y_range=self._ends[name], x_axis_type="datetime", min_border_left=LEFT, min_border_right=8,
            min_border_top=0,
        )  # fmt: skip
        self._bands(made, name, colour)
        self._mark(made, name)
        made.add_tools(_hover(made, self._source, name))
        _quiet(made, dated)
        if words := self._words.get(name):
            made.add_layout(Title(text=f"Article: {words}", text_font_style="normal", **_LETTERS), "above")
        title = cast.theatres[name].name if name else named("All on the target, acknowledged, a week", cast)
        # Above the numbers of the axis too: a long name needs the whole width of a phone.
        outwards: dict[str, Any] = {"offset": -LEFT, **_LETTERS}
        made.add_layout(Title(text=title, text_color=colour, **outwards), "above")
        return made

    def _bands(self, made: figure, name: str, colour: str) -> None:
        at: dict[str, Any] = {"x": "day", "source": self._source}
        for low, high, strength in (("q05", "q95", 0.20), ("q25", "q75", 0.38)):
            made.varea_step(
                y1=f"a {name} {low}", y2=f"a {name} {high}", fill_color=colour, fill_alpha=strength,
                step_mode="after", **at,
            )  # fmt: skip
        # `step` has the modes of `varea_step` under the name `mode`.
        at["mode"] = "after"
        self._medians.append(made.step(y=f"a {name} median", color=colour, line_width=2, **at))
        for key, width, dash in (("q05", 1.0, "4 3"), ("q95", 1.0, "4 3"), ("median", 2.2, "solid")):
            self._others.append(made.step(y=f"b {name} {key}", color=RUST, line_width=width, line_dash=dash, **at))

    def _mark(self, made: figure, name: str) -> None:
        calendar = self.config.scenario.calendar
        strikes, report = self._moment(calendar.strikes), self._moment(calendar.report)
        made.add_layout(BoxAnnotation(left=strikes, right=report, fill_color=SAND, fill_alpha=0.55, level="image"))
        made.add_layout(BoxAnnotation(left=report, fill_color=PALE, fill_alpha=0.6, level="image"))
        for day in (strikes, report):
            made.add_layout(Span(location=day, dimension="height", line_color=INK, line_width=1, line_alpha=0.7))
        made.add_layout(self._order[name])
        for mark in self._marks:
            if mark.theatre == name:
                ends = [self._moment(mark.first), self._moment(mark.last)]
                made.line(ends, [mark.weekly] * 2, color=INK, line_width=2.5, line_dash="5 4")

    def _moment(self, day: float) -> datetime:
        return datetime.combine(self.config.scenario.calendar.start, time()) + timedelta(days=float(day))


def _hover(made: figure, source: ColumnDataSource, name: str) -> HoverTool:
    """The numbers of a week under a finger or a mouse."""
    points = made.scatter(x="day", y=f"a {name} median", source=source, size=1, alpha=0)
    return HoverTool(
        renderers=[points], mode="vline", formatters={"@day": "datetime"}, point_policy="snap_to_data",
        tooltips=[
            ("week from", "@day{%d %b %Y}"), ("median", f"@{{a {name} median}}"),
            ("90%", f"@{{a {name} q05}} to @{{a {name} q95}}"),
        ],
    )  # fmt: skip


def _quiet(made: figure, dated: bool) -> None:
    """Few lines, no decoration; dates beneath the first panel and the last."""
    # The year stands in the heading; with it the names of months would not fit next to each other on a phone.
    made.xaxis.formatter = DatetimeTickFormatter(days="%d %b", months="%b", years="%Y")
    made.xaxis.visible = dated
    quieten(made, line=None)
    made.xgrid.grid_line_color = None
    made.axis.major_label_text_font = FONT
    made.yaxis.ticker = BasicTicker(desired_num_ticks=3, num_minor_ticks=0, min_interval=1)
