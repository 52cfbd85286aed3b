"""Explore: a live ensemble that follows every move of a setting."""

from typing import Any, Final

import panel as pn

from sim.study.live.desk import Desk
from sim.view.app.explore.visitor import Visitor
from sim.view.app.frame import html

AREAS: Final = """
:host { display: grid !important; gap: 0.25rem 2rem; grid-template-columns: minmax(18rem, 23rem) minmax(0, 1fr);
  grid-template-areas: "message message" "controls chart" "controls numbers"; grid-template-rows: auto auto 1fr; }
.message { grid-area: message; }
.chart { grid-area: chart; }
.numbers { grid-area: numbers; }
.controls { grid-area: controls; position: sticky; top: 0.5rem; max-height: calc(100vh - 1rem); overflow-y: auto;
  padding-right: 0.75rem; align-self: start; }
@media (max-width: 56rem) {
  :host { display: flex !important; flex-direction: column; }
  .chart { order: 1; }
  .controls { order: 2; }
  .numbers { order: 3; }
  .controls { position: static; max-height: none; overflow: visible; padding: 0; }
  .chart { position: sticky; top: 0; z-index: 1; max-height: 52vh; overflow-y: auto; background: #fff;
    border-bottom: 1px solid #c9ced6; }
  .numbers { position: relative; z-index: 2; background: #fff; }
}
"""
"""Two columns, of which the settings scroll by themselves; on a narrow page one, with the chart kept in sight."""
CHART: Final = "@media (max-width: 56rem) { .legend { order: 1; } }"
MESSAGE: Final = """
.late { position: fixed !important; left: 0; right: 0; bottom: 0; z-index: 5; background: #fdf4ec;
  box-shadow: 0 0 0.5rem #7b828c; }
"""
"""What is wrong with a setting is told at the foot of the window, wherever on the page one is."""
INTRODUCTION: Final = (
    "<p class='note'>Move a setting: the winter is lived {runs:,} times with it, always with the same luck, and"
    " everything here follows. What moves is what the setting does.</p>"
)


def page(desk: Desk) -> pn.viewable.Viewable:
    """The page for one visitor."""
    visitor = Visitor(desk, pn.state.curdoc)
    pn.state.onload(visitor.begin)
    if pn.state.curdoc is not None:
        pn.state.curdoc.on_session_destroyed(lambda _: visitor.leave())
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
    areas = {
        "message": pn.Column(
            visitor.message, html(INTRODUCTION.format(runs=desk.ground.runs)), stylesheets=[MESSAGE], **wide
        ),
        "controls": pn.Column(visitor.controls, visitor.link.part, **wide),
        "chart": pn.Column(visitor.title, visitor.key, visitor.legend, visitor.drawing, stylesheets=[CHART], **wide),
        "numbers": pn.Column(visitor.numbers, visitor.verdicts, visitor.away, **wide),
    }
    for name, area in areas.items():
        area.css_classes = [name]
    return pn.Column(*areas.values(), stylesheets=[AREAS], **wide)
