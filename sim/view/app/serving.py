"""The server of the page: which address shows what, to whom, and until when."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import panel as pn
from bokeh.server.server import Server
from tornado.ioloop import PeriodicCallback
from tornado.platform.asyncio import BaseAsyncIOLoop
from tornado.web import ErrorHandler, RedirectHandler

from sim.study.live.desk import Desk
from sim.view.app.explore.files import Files
from sim.view.app.frame import PLACES, framed
from sim.view.app.leaving import expected_on
from sim.view.app.memory import EVERY, give_back
from sim.world.errors import UserError

EXPLORE: Final = "explore"
"""The page that is shown to whoever asks for none."""
ANYWHERE: Final = ("0.0.0.0", "::")
"""Hosts that stand for every address of the machine."""
LOOPBACK: Final = ("127.0.0.1", "localhost")
"""Names of this machine for itself."""
LARGEST_MESSAGE: Final = 2**20
"""Bytes that a browser may send at a time: settings and scenario files are far smaller."""


@dataclass(frozen=True)
class Address:
    """Where the page is served."""

    host: str = "127.0.0.1"
    port: int = 5006

    @property
    def names(self) -> tuple[str, ...]:
        """What a browser may call it in an address; empty where any name will do."""
        if self.host in ANYWHERE:
            return ()
        return LOOPBACK if self.host in LOOPBACK else (_spelled(self.host),)

    @property
    def origins(self) -> list[str]:
        """Whose pages may talk to it: its own, never those of another site."""
        return [f"{name}:{self.port}" for name in self.names or ("*",)]

    @property
    def url(self) -> str:
        """What to type into a browser on this machine."""
        return f"http://{'localhost' if self.host in ANYWHERE else _spelled(self.host)}:{self.port}/"


def _spelled(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def build(name: str, *given: Any) -> Callable[[], pn.template.Template]:
    """What makes one page for a visitor; its module is imported when the first one asks for it."""
    return lambda: framed(name, import_module(f"sim.view.app.{name}").page(*given))


def free_port(host: str) -> int:
    """A port that nobody uses now.

    Raises:
        UserError: this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with _or_told(host), socket.create_server((host, 0), family=family) as found:
        return int(found.getsockname()[1])


@contextmanager
def _or_told(address: str) -> Iterator[None]:
    """Tell in one line why an address cannot be had; a name may also be none that can be looked up at all."""
    try:
        yield
    except (OSError, UnicodeError) as problem:
        # Some versions of Python tell the address once more behind the reason.
        why = (getattr(problem, "strerror", None) or "no name of a machine").partition(" (while")[0]
        raise UserError("app.host, app.port", address, f"an address that is free ({why})") from None


def server_at(address: Address, desk: Desk) -> Server:
    """A server that answers once it is started; the desk is where its visitors have histories lived.

    Raises:
        UserError: the address cannot be had.
    """
    given = {EXPLORE: (desk,)}
    pages: dict[str, Any] = {one.name: build(one.name, *given.get(one.name, ())) for one in PLACES}
    with _or_told(f"{address.host}:{address.port}"):
        server = pn.io.server.get_server(
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
    assert isinstance(server.io_loop, BaseAsyncIOLoop)
    expected_on(server.io_loop.asyncio_loop)
    PeriodicCallback(give_back, EVERY).start()
    if address.names:
        # Another site's name, once made to lead to this machine, would pass for our own in the browser's eyes.
        others = f"(?!({'|'.join(map(re.escape, address.names))})$).*"
        server._tornado.add_handlers(others, [(".*", ErrorHandler, {"status_code": 403})])
    return server
