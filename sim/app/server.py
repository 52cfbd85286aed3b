"""The server of the page: which address shows or downloads what, to whom, and until when."""

import asyncio
import ctypes
import logging
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import unquote_plus

import panel as pn
from bokeh.server.server import Server
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.platform.asyncio import BaseAsyncIOLoop
from tornado.web import ErrorHandler, RedirectHandler, RequestHandler
from tornado.websocket import WebSocketClosedError

from sim.analysis.comparison.paired import NO_WAR, OF_ALL, OF_PART
from sim.analysis.summary import outcome_rows, pattern_record, weekly_rows
from sim.app import address_errors
from sim.app.explore.outcome_html import FILES, PAIR_FILES
from sim.app.form_settings import dump_scenario, parse_state
from sim.app.frame import PAGES, framed, parse_query
from sim.app.workers import ExploreView, WorkerPool
from sim.experiment.io import csv_text
from sim.experiment.result_dir import config_text, provenance
from sim.model.validation import UserError, one_of

EXPLORE: Final = "explore"
"""The page at the root of the site."""
ANYWHERE: Final = ("0.0.0.0", "::")
"""Hosts that stand for every address of the machine."""
LOOPBACK: Final = ("127.0.0.1", "localhost")
"""Names of this machine for itself."""
LARGEST_MESSAGE: Final = 2**23
"""Bytes that a browser may send at a time: a file of events of the largest size takes a third more on its way."""
TRIM_EVERY: Final = 15_000
"""Milliseconds between two times of returning free memory."""
_SENDERS: Final = ("bokeh.server.views.ws", "panel.io.document")
"""Loggers of the code that sends messages to browsers."""


@dataclass(frozen=True)
class ServerAddress:
    """Where the page is served."""

    host: str
    port: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names by which a browser may address it; empty where any name will do."""
        if self.host in ANYWHERE:
            return ()
        return LOOPBACK if self.host in LOOPBACK else (_bracketed(self.host),)

    @property
    def origins(self) -> list[str]:
        """Sites whose pages may talk to it: its own, never those of another site."""
        return [f"{name}:{self.port}" for name in self.names or ("*",)]

    @property
    def url(self) -> str:
        """What to type into a browser on this machine."""
        return f"http://{'localhost' if self.host in ANYWHERE else _bracketed(self.host)}:{self.port}/"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def server_at(address: ServerAddress, pool: WorkerPool) -> Server:
    """A server that answers once it is started; the pool simulates for its sessions."""
    given = {EXPLORE: (pool,)}
    pages: dict[str, Any] = {one.name: _builder(one.name, one.module, *given.get(one.name, ())) for one in PAGES}
    with address_errors(f"{address.host}:{address.port}"):
        server = pn.io.server.get_server(
            pages,
            port=address.port,
            address=address.host,
            websocket_origin=address.origins,
            use_index=False,
            extra_patterns=[
                (r"/", RedirectHandler, {"url": EXPLORE, "permanent": False}),
                (r"/files/([a-z_.]+)", FileHandler, {"pool": pool}),
            ],
            websocket_max_message_size=LARGEST_MESSAGE,
        )
    assert isinstance(server.io_loop, BaseAsyncIOLoop)
    ignore_closed_sockets(server.io_loop.asyncio_loop)
    PeriodicCallback(_return_free_memory, TRIM_EVERY).start()
    if address.names:
        # Another site's name that is made to resolve to this machine would pass for our own in the browser's eyes.
        others = f"(?!({'|'.join(map(re.escape, address.names))})$).*"
        server._tornado.add_handlers(others, [(".*", ErrorHandler, {"status_code": 403})])
    return server


def _builder(name: str, module: str, *given: Any) -> Callable[[], pn.template.Template]:
    """A function that builds one page for a session; the module of the page is imported on its first use."""
    return lambda: framed(name, import_module(module).page(*given))


def _return_free_memory() -> None:
    """Return the memory that threads have freed to the machine: the C library keeps it otherwise."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def ignore_closed_sockets(loop: asyncio.AbstractEventLoop) -> None:
    """Log no error where a visitor leaves while an answer is on its way; log all other errors of the loop as before."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), WebSocketClosedError):
            loop.default_exception_handler(context)

    for name in _SENDERS:
        logging.getLogger(name).addFilter(_not_closed)
    loop.set_exception_handler(handle)


def _not_closed(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Failed sending message as connection was closed")


# --- downloads ----------------------------------------------------------------------------------------------

TYPES: Final = {
    "yaml": "application/yaml; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "nc": "application/netcdf",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class FileHandler(RequestHandler):
    """`/files/NAME?SETTINGS`: one file, made by a worker so that other sessions do not wait."""

    def initialize(self, pool: WorkerPool) -> None:
        """Take the pool that simulates."""
        self.pool = pool

    async def get(self, name: str) -> None:
        """Answer with the file, or with 400 and one line on what is wrong with the settings."""
        self.set_header("X-Content-Type-Options", "nosniff")
        try:
            content = await IOLoop.current().run_in_executor(
                self.pool.patient, file_content, self.pool, name, self.request.query
            )  # fmt: skip
        except UserError as mistake:
            self.set_status(400)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{mistake}\n")
            return
        self.set_header("Content-Type", TYPES[name.rpartition(".")[2]])
        self.set_header("Content-Disposition", f'attachment; filename="lull-{name}"')
        self.finish(content)


def file_content(pool: WorkerPool, name: str, query: str) -> bytes:
    """The content of one file for the settings in a query."""
    state = parse_state(pool.base, parse_query(query))
    if name not in FILES | PAIR_FILES or (name in PAIR_FILES and state.b is None):
        raise UserError("file", unquote_plus(name), one_of(FILES, name))
    if name == "scenario.yaml":
        return dump_scenario(pool.base, state.a).encode()
    if name == "scenario_b.yaml" and state.b is not None:
        return dump_scenario(pool.base, state.b).encode()
    content = _CONTENT[name](pool.view(state))
    return content.encode() if isinstance(content, str) else content


def _pattern_file(view: ExploreView) -> str:
    order = [one.id for one in view.a.config.patterns]
    verdicts = sorted((*view.verdicts, *view.a.slow_verdicts()), key=lambda one: order.index(one.id))
    return csv_text([pattern_record(one) for one in verdicts])


def _difference_file(view: ExploreView) -> str:
    return csv_text(
        [
            {key: getattr(row.measure, key) for key in ("name", "unit", "text")}
            | {key: getattr(row.effect, key) for key in OF_ALL}
            | {f"{NO_WAR}{key}": getattr(row.no_war, key) for key in OF_PART}
            for row in view.rows
        ]
    )


def _run_file(view: ExploreView) -> bytes:
    data = view.a.data.assign_attrs(provenance(view.a.config))
    # The engine can write to files only.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "histories.nc"
        packed = {str(key): {"zlib": True, "complevel": 4} for key in data.data_vars if data[key].ndim}
        data.to_netcdf(path, engine="h5netcdf", encoding=packed)
        return path.read_bytes()


def _figure_file(view: ExploreView, ending: str) -> bytes:
    from sim.reporting.figures.briefing import briefing_figure
    from sim.reporting.style import rendered

    return rendered(briefing_figure(view.a.data, view.a.config, view.verdicts), ending)


_CONTENT: Final[Mapping[str, Callable[[ExploreView], bytes | str]]] = {
    "config.yaml": lambda view: config_text(view.a.config),
    "outcomes.csv": lambda view: csv_text(outcome_rows(view.a.stats)),
    "weekly.csv": lambda view: csv_text(weekly_rows(view.a.data)),
    "patterns.csv": _pattern_file,
    "differences.csv": _difference_file,
    "histories.nc": _run_file,
    "figure.svg": lambda view: _figure_file(view, "svg"),
    "figure.png": lambda view: _figure_file(view, "png"),
}
