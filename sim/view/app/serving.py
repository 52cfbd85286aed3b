"""The server of the page: which address shows what, to whom, and until when."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import panel as pn
from bokeh.server.server import Server
from tornado.web import RedirectHandler

from sim.study.live.desk import Desk
from sim.view.app.explore.files import Files
from sim.view.app.frame import PLACES, framed
from sim.world.errors import UserError

EXPLORE: Final = "explore"
"""The page that is shown to whoever asks for none."""
ANYWHERE: Final = ("0.0.0.0", "::")
"""Hosts that stand for every address of the machine."""
LARGEST_MESSAGE: Final = 2**20
"""Bytes that a browser may send at a time: settings and scenario files are far smaller."""


@dataclass(frozen=True)
class Address:
    """Where the page is served."""

    host: str = "127.0.0.1"
    port: int = 5006

    @property
    def origins(self) -> list[str]:
        """The names under which a browser may reach it; another site's page may not talk to it."""
        if self.host in ANYWHERE:
            return [f"*:{self.port}"]
        return [f"{name}:{self.port}" for name in {self.host, *_other_names(self.host)}]

    @property
    def url(self) -> str:
        """What to type into a browser on this machine."""
        host = "localhost" if self.host in ANYWHERE else self.host
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


def _other_names(host: str) -> tuple[str, ...]:
    loopback = ("127.0.0.1", "localhost")
    return loopback if host in loopback else ()


def build(name: str, *given: Any) -> Callable[[], pn.template.Template]:
    """What makes one page for a visitor; its module is imported when the first one asks for it."""
    return lambda: framed(name, import_module(f"sim.view.app.{name}").page(*given))


def free_port(host: str) -> int:
    """A port that nobody uses now."""
    with socket.create_server((host, 0)) as found:
        return int(found.getsockname()[1])


def server_at(address: Address, desk: Desk) -> Server:
    """A server that answers once it is started; the desk is where its visitors have histories lived.

    Raises:
        UserError: the address cannot be had.
    """
    given = {EXPLORE: (desk,)}
    pages: dict[str, Any] = {one.name: build(one.name, *given.get(one.name, ())) for one in PLACES}
    try:
        return pn.io.server.get_server(
            pages,
            port=address.port,
            address=address.host,
            websocket_origin=address.origins,
            use_index=False,
            extra_patterns=[
                (r"/", RedirectHandler, {"url": EXPLORE, "permanent": False}),
                (r"/files/([a-z_.]+)", Files, {"desk": desk}),
            ],
            websocket_max_message_size=LARGEST_MESSAGE,
        )
    except OSError as problem:
        text = f"{address.host}:{address.port}"
        raise UserError("app.host, app.port", text, f"an address that is free ({problem.strerror})") from None
