"""`lull app`: the page in a browser, served on this machine until Ctrl-C."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from rich.markup import escape

from sim.experiment.command import Request
from sim.experiment.options import AppOptions
from sim.model.validation import UserError
from sim.reporting.terminal import show, waiting


def main(request: Request) -> None:
    """Carry out the verb."""
    options, rest = request.options(AppOptions)
    _check_host(options.host)
    bound_port(options.host, options.port)
    from sim.app.form_settings import load_base
    from sim.app.workers import WorkerPool

    base = load_base(rest.overrides, rest.config_dir)
    if missing := [name for name in ("panel", "bokeh") if find_spec(name) is None]:
        raise UserError("app", f"{missing[0]} is not installed", "pip install 'lull-sim[app]'")
    with waiting("getting ready"):
        from sim.app.server import ServerAddress, server_at

        pool = WorkerPool(base)
        pool.warm_up()
        address = ServerAddress(options.host, bound_port(options.host, options.port))
        server = server_at(address, pool)
    show(f"Ready at {escape(address.url)} (Ctrl-C ends it)")
    server.start()
    if options.show:
        server.show("/")
    server.io_loop.start()
    server.stop()
    pool.close()
    show("Ended.")


@contextmanager
def address_errors(address: str) -> Iterator[None]:
    """Say in one line why an address cannot be used; a name may also be none that can be looked up at all."""
    try:
        yield
    except (OSError, UnicodeError) as problem:
        # Some versions of Python repeat the address behind the reason.
        why = (getattr(problem, "strerror", None) or "no name of a machine").partition(" (while")[0]
        raise UserError("app.host, app.port", address, f"an address that is free ({why})") from None


def bound_port(host: str, port: int) -> int:
    """The port that can be served now; 0 takes any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with address_errors(f"{host}:{port}" if port else host), socket.create_server((host, port), family=family) as found:
        return int(found.getsockname()[1])


def _check_host(text: str) -> None:
    if len(text) > 253 or not all(sign.isalnum() or sign in ".-:" for sign in text):
        raise UserError("app.host", text, "a name or an address of this machine, such as 127.0.0.1 or 0.0.0.0")
