"""What all pages have in common: head, navigation, look, limits of the model, widgets, and the URL in the browser.

The URL records what a page shows. A step that a visitor may want to undo is pushed on the browser's history; smaller
changes replace the last entry. Going back loads the page that the URL describes.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

import panel as pn
from bokeh.events import DocumentReady
from bokeh.models import CustomJS
from bokeh.plotting import figure
from jinja2 import Environment, FileSystemLoader

from sim.model.validation import UserError
from sim.reporting.style import GREY, INK, PALE

MOST_SETTINGS: Final = 100
"""Most settings that a URL may hold."""
WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
"""As wide as there is room."""
FOCUS: Final = ".bk-Canvas:focus-within { outline: 3px solid #9a3d00; outline-offset: -3px; }"
"""A stylesheet of a figure: the keyboard stops there, and this shows it."""
ROUND: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""First digits of a round number."""

_WRITE_URL: Final = """
const [way, query] = [cb_obj.value.slice(0, 1), cb_obj.value.slice(1)];
const url = window.location.pathname + (query ? "?" + query : "");
if (window.location.pathname + window.location.search === url) return;
if (way === "+") window.history.pushState(null, "", url); else window.history.replaceState(null, "", url);
"""
_RELOAD: Final = 'window.addEventListener("popstate", () => window.location.reload());'


class PageInfo(NamedTuple):
    """One page: its name in the URL, its title in the navigation, the question that it answers, and its module."""

    name: str
    title: str
    question: str
    module: str


PAGES: Final = (
    PageInfo("explore", "Explore", "What would other choices have done?", "sim.app.explore.session"),
    PageInfo("play", "Play", "What happens in one run, day by day?", "sim.app.play.play_page"),
    PageInfo("learn", "Learn", "What are the rules?", "sim.app.learn.learn_page"),
)


@cache
def read_text(name: str) -> str:
    """A file of this folder, such as a stylesheet."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def framed(name: str, body: pn.viewable.Viewable) -> pn.template.Template:
    """A whole page: the body of that name below the common head and above the common foot."""
    template = pn.template.Template(read_text("frame.html.j2"))
    template.add_variable("place", next(one for one in PAGES if one.name == name)._asdict())
    template.add_variable("places", [one._asdict() for one in PAGES])
    template.add_variable("look", read_text("page.css"))
    template.add_panel("body", body)
    return template


@cache
def environment() -> Environment:
    """The templates of this folder; whatever they print is escaped."""
    made = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    made.globals["repr"] = repr
    return made


def pieces(template: str, macro: str, *values: object, **context: object) -> str:
    """The HTML that a macro of a template makes; `context` are names that all its macros know."""
    module: Any = environment().get_template(template).make_module(dict(context))
    return str(getattr(module, macro)(*values))


def html(content: str = "", **settings: Any) -> pn.pane.HTML:
    """A piece of the page from HTML that is already escaped, in the common look."""
    return pn.pane.HTML(content, stylesheets=[read_text("inside.css")], disable_math=True, **WIDE, **settings)


def complaint(problem: UserError) -> str:
    """An error in one line, as HTML that a screen reader says at once."""
    return f"<p role='alert' class='mistake'>{escape(str(problem))}</p>"


def round_up(value: float, digits: Sequence[float] = ROUND) -> float:
    """The next number that is one of the digits times a power of ten.

    >>> round_up(0.31), round_up(17.2), round_up(0.006, (1, 2, 5, 10))
    (0.4, 20.0, 0.01)
    """
    power = math.floor(math.log10(value))
    digit = next((one for one in digits if value <= one * 10.0**power * (1 + 1e-9)), digits[-1])
    return float(f"{digit}e{power}")


# --- figures ------------------------------------------------------------------------------------------------


def plain_figure(**settings: Any) -> Any:
    """A figure as wide as its place, without frame and tools."""
    return figure(
        sizing_mode="stretch_width", toolbar_location=None, tools="", outline_line_color=None, stylesheets=[FOCUS],
        **settings,
    )  # fmt: skip


def quieten(made: Any, size: str = "12px", line: str | None = GREY) -> None:
    """Few lines in a figure: pale rules across, grey axes, labels of that size."""
    made.grid.grid_line_color = PALE
    made.axis.axis_line_color, made.axis.major_tick_line_color, made.axis.minor_tick_line_color = line, GREY, None
    made.axis.major_label_text_color, made.axis.major_label_text_font_size = INK, size


# --- widgets ------------------------------------------------------------------------------------------------


def field(kind: Any, label: str, **settings: Any) -> Any:
    """A widget as wide as its place."""
    return kind(label=label, stylesheets=[read_text("widgets.css")], **{**WIDE, **settings})


def button(label: str, **settings: Any) -> pn.widgets.Button:
    """A button as wide as its words."""
    return pn.widgets.Button(label=label, stylesheets=[read_text("widgets.css")], margin=0, **settings)


def row(*parts: Any, gap: str = "0.5rem 1rem", align: str = "flex-end") -> pn.FlexBox:
    """Parts side by side; those without room go below."""
    return pn.FlexBox(*parts, gap=gap, align_items=align, **WIDE)


def share(part: Any, flex: str) -> pn.Column:
    """A part that takes its share of a row, as CSS writes it: how it grows, shrinks, and its least width."""
    return pn.Column(part, margin=0, styles={"flex": flex, "min-width": "0"})


# --- the URL ------------------------------------------------------------------------------------------------


def parse_query(search: str) -> dict[str, str]:
    """The settings in the part of a URL from the question mark on.

    >>> parse_query("?run=3&scenario=tight_leash")
    {'run': '3', 'scenario': 'tight_leash'}

    Raises:
        UserError: a key comes twice, or there are too many.
    """
    try:
        pairs = parse_qsl(search.lstrip("?"), keep_blank_values=True, max_num_fields=MOST_SETTINGS)
    except ValueError:
        raise UserError("address", f"{search.count('&') + 1} settings", f"at most {MOST_SETTINGS}") from None
    found = dict(pairs)
    for key in found:
        if (given := [value for name, value in pairs if name == key]) != [found[key]]:
            raise UserError(key, " ".join(given), "one value, given once")
    return found


def url_settings() -> dict[str, str]:
    """The settings in the URL by which this visitor came."""
    location = pn.state.location
    return {} if location is None else parse_query(location.search or "")


class UrlBar:
    """The URL of one session. `part` must stand in the page; it is invisible."""

    def __init__(self) -> None:
        self.part = pn.widgets.TextInput(visible=False)
        self.part.jscallback(value=_WRITE_URL)
        if (document := pn.state.curdoc) is not None:
            document.js_on_event(DocumentReady, CustomJS(code=_RELOAD))

    def show(self, settings: Mapping[str, str], step: bool = False) -> None:
        """Write these settings into the URL; with `step`, the browser's back button undoes it."""
        self.part.value = ("+" if step else "=") + urlencode(settings)
