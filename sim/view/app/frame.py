"""What every page has in common: head, navigation, look, what none of it can tell, and how text is put on it."""

from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

import panel as pn

_HERE: Final = Path(__file__).parent


class Place(NamedTuple):
    """One page: its name in the address, what the navigation calls it, and the question that it answers."""

    name: str
    title: str
    question: str


PLACES: Final = (
    Place("explore", "Explore", "What would other choices have done?"),
    Place("play", "Play", "What happens in one history, day by day?"),
    Place("learn", "Learn", "What are the rules?"),
)


@cache
def stylesheet() -> str:
    """The look of what stands inside a component, which the look of the page around it does not reach."""
    return (_HERE / "inside.css").read_text(encoding="utf-8")


def html(content: str, **settings: Any) -> pn.pane.HTML:
    """A piece of the page from HTML that is already escaped, in the common look."""
    return pn.pane.HTML(
        content, stylesheets=[stylesheet()], sizing_mode="stretch_width", margin=0, disable_math=True, **settings
    )


def text(words: str, kind: str = "p", **settings: Any) -> pn.pane.HTML:
    """A piece of the page from plain words."""
    return html(f"<{kind}>{escape(words)}</{kind}>", **settings)


def complaint(problem: Exception) -> str:
    """What is wrong with what was asked for, in one line, as HTML that a screen reader says at once."""
    return f"<p role='alert' class='mistake'>{escape(str(problem))}</p>"


def framed(name: str, body: pn.viewable.Viewable) -> pn.template.Template:
    """A whole page: the body of that name below the common head and above the common foot."""
    place = next(one for one in PLACES if one.name == name)
    template = pn.template.Template((_HERE / "frame.html.j2").read_text(encoding="utf-8"))
    for key, value in {
        "place": place._asdict(),
        "places": [one._asdict() for one in PLACES],
        "look": (_HERE / "page.css").read_text(encoding="utf-8"),
    }.items():
        template.add_variable(key, value)
    template.add_panel("body", body)
    return template
