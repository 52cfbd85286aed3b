"""`lull app`: the page in a browser, served on this machine until Ctrl-C."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from rich.markup import escape

from sim.study.live.desk import Desk
from sim.study.live.settings import ground_of
from sim.study.request import Request, whole
from sim.view.terminal import show, waiting
from sim.world.errors import UserError, one_of

PREFIX: Final = "app."
KEYS: Final = ("port", "host", "show")
PORT: Final = 5006
HOST: Final = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """Where the page is served, and whether a browser is opened; port 0 is any that is free."""

    port: int = PORT
    host: str = HOST
    show: bool = True


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: a key is unknown or a value not allowed, the extra is not installed, or the address is taken.
    """
    settings, rest = settings_of(request)
    ground = ground_of(rest.overrides, rest.config_dir)
    if missing := [name for name in ("panel", "bokeh") if find_spec(name) is None]:
        raise UserError("app", f"{missing[0]} is not installed", "pip install 'lull-sim[app]'")
    with waiting("getting ready"):
        from sim.view.app.serving import Address, free_port, server_at

        desk = Desk(ground)
        desk.warm()
        address = Address(settings.host, settings.port or free_port(settings.host))
        server = server_at(address, desk)
    show(f"Ready at {escape(address.url)} (Ctrl-C ends it)")
    server.start()
    if settings.show:
        server.show("/")
    server.io_loop.start()
    server.stop()
    desk.close()
    show("Ended.")


def settings_of(request: Request) -> tuple[Settings, Request]:
    """The settings in a request, and the request without them.

    Raises:
        UserError: an unknown key, or a value that is not allowed.
    """
    given: dict[str, str] = {}
    for name in KEYS:
        text, request = request.taking(PREFIX + name)
        if text is not None:
            given[name] = text
    for one in request.overrides:
        key, _, value = one.partition("=")
        if key.lstrip("+").startswith(PREFIX):
            raise UserError(key, value, one_of(KEYS, key.lstrip("+").removeprefix(PREFIX), PREFIX))
    return (
        Settings(
            port=whole("app.port", given.get("port", str(PORT)), 0, 65535),
            host=_host(given.get("host", HOST)),
            show=_flag(given.get("show", "true")),
        ),
        request,
    )


def _host(text: str) -> str:
    if not text or len(text) > 253 or not all(sign.isalnum() or sign in ".-:" for sign in text):
        raise UserError("app.host", text, "a name or an address of this machine, such as 127.0.0.1 or 0.0.0.0")
    return text


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise UserError("app.show", text, "true or false")
    return text == "true"
