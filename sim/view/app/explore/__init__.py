"""Explore: a live ensemble that follows every move of a setting."""

import panel as pn

from sim.view.app.frame import text


def page() -> pn.viewable.Viewable:
    """The page for one visitor."""
    return pn.Column(text("In the making."), sizing_mode="stretch_width")
