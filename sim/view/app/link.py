"""The address line as part of the page: what it asks for, and how it follows what is shown.

A step that a visitor may want to take back is pushed on the browser's history; smaller moves replace the last one.
Going back loads the page that the address asks for.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

import panel as pn
from bokeh.events import DocumentReady
from bokeh.models import CustomJS

from sim.world.errors import UserError

MOST: Final = 100
"""Most settings that an address may hold."""

_WRITE: Final = """
const [way, query] = [cb_obj.value.slice(0, 1), cb_obj.value.slice(1)];
const url = window.location.pathname + (query ? "?" + query : "");
if (window.location.pathname + window.location.search === url) return;
if (way === "+") window.history.pushState(null, "", url); else window.history.replaceState(null, "", url);
"""
_BACK: Final = 'window.addEventListener("popstate", () => window.location.reload());'


def parsed(search: str) -> dict[str, str]:
    """The settings in the part of an address from the question mark on.

    >>> parsed("?run=3&scenario=tight_leash")
    {'run': '3', 'scenario': 'tight_leash'}

    Raises:
        UserError: a key comes twice, or there are too many.
    """
    try:
        pairs = parse_qsl(search.lstrip("?"), keep_blank_values=True, max_num_fields=MOST)
    except ValueError:
        raise UserError("address", f"{search.count('&') + 1} settings", f"at most {MOST}") from None
    found = dict(pairs)
    for key in found:
        if (given := [value for name, value in pairs if name == key]) != [found[key]]:
            raise UserError(key, " ".join(given), "one value, given once")
    return found


def asked() -> dict[str, str]:
    """The settings in the address that this visitor came by.

    Raises:
        UserError: as for `parsed`.
    """
    location = pn.state.location
    return {} if location is None else parsed(location.search or "")


class Link:
    """The address line of one visitor. `part` must stand in the page; it shows nothing."""

    def __init__(self) -> None:
        self.part = pn.widgets.TextInput(visible=False)
        self.part.jscallback(value=_WRITE)
        if (document := pn.state.curdoc) is not None:
            document.js_on_event(DocumentReady, CustomJS(code=_BACK))

    def show(self, settings: Mapping[str, str], step: bool = False) -> None:
        """Make the address that of these settings; `step` says that the browser's back button should undo it."""
        self.part.value = ("+" if step else "=") + urlencode(settings)
