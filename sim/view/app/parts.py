"""Fields, buttons and sliders in the common look, and how they share a row."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import panel as pn

WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
"""As wide as there is room."""
SEEN: Final = ".bk-Canvas:focus-within { outline: 3px solid #9a3d00; outline-offset: -3px; }"
"""A stylesheet of a figure: the keyboard stops there, and one sees that it does."""


@cache
def look() -> str:
    """The look of what is inside a widget, which the look of the page does not reach."""
    return (Path(__file__).parent / "widgets.css").read_text(encoding="utf-8")


def field(kind: Any, name: str, **settings: Any) -> Any:
    """A widget as wide as its place."""
    return kind(name=name, stylesheets=[look()], **{**WIDE, **settings})


def button(name: str, **settings: Any) -> pn.widgets.Button:
    """A button as wide as its words."""
    return pn.widgets.Button(name=name, stylesheets=[look()], margin=0, **settings)


def row(*parts: Any, gap: str = "0.5rem 1rem", align: str = "flex-end") -> pn.FlexBox:
    """Parts beside each other; what finds no room goes below."""
    return pn.FlexBox(*parts, gap=gap, align_items=align, **WIDE)


def share(part: Any, flex: str) -> pn.Column:
    """A part that takes its share of a row, as CSS writes it: how it grows, shrinks, and its least width."""
    return pn.Column(part, margin=0, styles={"flex": flex, "min-width": "0"})
