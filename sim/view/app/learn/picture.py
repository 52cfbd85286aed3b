"""The curve as a Bokeh figure."""

from typing import Any

import panel as pn
from bokeh.models import ColumnDataSource, DataRange1d, FixedTicker, Range1d
from bokeh.plotting import figure

from sim.view.app.learn.curves import Curve
from sim.view.app.learn.entries import Argument, Entry
from sim.view.app.parts import SEEN
from sim.view.style import BLUE, GREY, INK, ORANGE, PALE

_WORDS = {0: "no", 1: "yes"}


class Picture:
    """One figure for one visitor: the curve as set, the curve of the worked value, and where one stands."""

    def __init__(self) -> None:
        self.now, self.begin, self.point = (ColumnDataSource({"x": [], "y": []}) for _ in range(3))
        self.pane = pn.pane.Bokeh(figure(height=10), sizing_mode="stretch_width", margin=0, min_width=0)
        self.shape: tuple[Any, ...] = ()
        self.drawn: Any = None

    def draw(self, entry: Entry, over: Argument, now: Curve, begin: Curve, point: tuple[float, float]) -> None:
        """Draw these curves; the figure itself is made anew only where its axes change."""
        self.now.data = {"x": list(now.xs), "y": list(now.ys)}
        self.begin.data = {"x": list(begin.xs), "y": list(begin.ys)}
        self.point.data = {"x": [point[0]], "y": [point[1]]}
        shape = entry.key, over.name, tuple(now.names.items())
        if shape != self.shape:
            self.shape = shape
            self.pane.object = self._figure(entry, over, now)

    def _figure(self, entry: Entry, over: Argument, now: Curve) -> Any:
        made: Any = figure(
            height=330, sizing_mode="stretch_width", toolbar_location=None, tools="", min_border_right=14,
            stylesheets=[SEEN],
        )  # fmt: skip
        whole = over.kind != "number"
        drawer: Any = made.step if now.steps else made.line
        extra = {"mode": "center" if whole else "after"} if now.steps else {}
        drawer(
            "x",
            "y",
            source=self.begin,
            color=GREY,
            line_width=2,
            line_dash="dashed",
            legend_label="worked value",
            **extra,
        )
        drawer("x", "y", source=self.now, color=BLUE, line_width=3, legend_label="as set", **extra)
        if whole and over.high - over.low <= 30:
            made.scatter("x", "y", source=self.now, color=BLUE, size=8, legend_label="as set")
        made.scatter("x", "y", source=self.point, color=ORANGE, line_color="white", size=14, legend_label="this call")
        _dress(made)
        unit = f" ({over.unit})" if over.unit not in ("", "1") else ""
        made.xaxis.axis_label, made.yaxis.axis_label = over.name + unit, entry.name
        pad = (over.high - over.low) * 0.02 or 0.5
        made.x_range = Range1d(start=over.low - pad, end=over.high + pad)
        if over.kind == "flag":
            _named(made.xaxis, _WORDS)
        if now.names:
            _named(made.yaxis, now.names)
            made.y_range = Range1d(start=min(now.names) - 0.3, end=max(now.names) + 0.3)
        else:
            made.y_range = DataRange1d(range_padding=0.08)
        return made


def _dress(made: Any) -> None:
    made.outline_line_color = None
    made.grid.grid_line_color = PALE
    for axis in made.axis:
        axis.axis_line_color = axis.major_tick_line_color = GREY
        axis.minor_tick_line_color = None
        axis.major_label_text_color = axis.axis_label_text_color = INK
        axis.major_label_text_font_size, axis.axis_label_text_font_size = "13px", "14px"
        axis.axis_label_text_font_style = "normal"
    legend = made.legend[0]
    legend.orientation, legend.border_line_color, legend.background_fill_alpha = "horizontal", None, 0.0
    legend.label_text_font_size, legend.label_text_color = "13px", INK
    legend.margin, legend.padding, legend.spacing = 0, 4, 14
    made.add_layout(legend, "above")


def _named(axis: Any, names: dict[int, str]) -> None:
    axis.ticker = FixedTicker(ticks=sorted(names))
    axis.major_label_overrides = dict(names)
