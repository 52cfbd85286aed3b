"""`lull app`: the page in a browser, served on this machine until Ctrl-C."""

from importlib.util import find_spec

from rich.markup import escape

from sim.experiment.command import Request
from sim.experiment.options import AppOptions
from sim.model.validation import UserError
from sim.reporting.terminal import show, waiting


def main(request: Request) -> None:
    """Carry out the verb."""
    from sim.app.form_settings import load_base
    from sim.app.workers import WorkerPool

    options, rest = request.options(AppOptions)
    _check_host(options.host)
    base = load_base(rest.overrides, rest.config_dir)
    if missing := [name for name in ("panel", "bokeh") if find_spec(name) is None]:
        raise UserError("app", f"{missing[0]} is not installed", "pip install 'lull-sim[app]'")
    with waiting("getting ready"):
        from sim.app.server import ServerAddress, free_port, server_at

        pool = WorkerPool(base)
        pool.warm_up()
        address = ServerAddress(options.host, options.port or free_port(options.host))
        server = server_at(address, pool)
    show(f"Ready at {escape(address.url)} (Ctrl-C ends it)")
    server.start()
    if options.show:
        server.show("/")
    server.io_loop.start()
    server.stop()
    pool.close()
    show("Ended.")


def _check_host(text: str) -> None:
    if len(text) > 253 or not all(sign.isalnum() or sign in ".-:" for sign in text):
        raise UserError("app.host", text, "a name or an address of this machine, such as 127.0.0.1 or 0.0.0.0")
