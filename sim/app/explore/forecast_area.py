"""The forecast of a visitor's file: a field for the file, how it was read, the figure and the table.

The file is read by the reader of `lull forecast FILE` and deleted at once; a worker fits and simulates, and stops where
the visitor cancels, leaves or chooses another file. Numbers are those of `lull forecast` with as many histories.
"""

import logging
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import clear_frames
from typing import Any, Final

import panel as pn
import param
from panel.custom import JSComponent
from rich.markup import escape as markup
from rich.text import Text

from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.forecasting import effect_rows, forecast_rows, own_counts, predict
from sim.analysis.forecast.scores import compared_rows, simpler_forecasts
from sim.app.form_settings import ExploreState
from sim.app.frame import WIDE, button, complaint, html, read_text
from sim.app.workers import SupersededError, WorkerPool
from sim.experiment.command import check_from_defaults
from sim.model.scenario import Config
from sim.model.validation import UserError
from sim.reporting import calibration_tables as printed
from sim.reporting.figures.forecast_figures import forecast_figure
from sim.reporting.style import rendered
from sim.reporting.table import Table

MEGABYTE: Final = 1_000_000
LARGEST_UPLOAD: Final = 5
"""Megabytes of a file that the page takes; `lull forecast` takes far more."""
HISTORIES: Final = 20_000
"""Histories of a forecast: a fifth of those of `lull forecast`, for a visitor waits."""
WEEKS: Final = 4
HEAD: Final = (
    "<h2>Forecast from a file of your own</h2>"
    f"<p class='note'>A file of events (ACLED, UCDP GED, GTD, HDX) or of counts, of at most {LARGEST_UPLOAD} MB. It is"
    " read as <code>lull forecast FILE</code> reads it, with the settings of A, and not kept.</p>"
)
LOOK: Final = """
.scroll { overflow-x: auto; }
.scroll img { display: block; width: 100%; min-width: 46rem; }
.scroll table { min-width: 34rem; }
progress { width: 100%; accent-color: var(--blue); }
"""
_LOG: Final = logging.getLogger(__name__)


class FileField(JSComponent):
    """A field in the browser that takes a file: `upload` has its name, size and content, with a serial number."""

    label = param.String(default="Choose a file, or drop it here")
    most = param.Integer(default=LARGEST_UPLOAD * MEGABYTE)
    upload = param.Dict(default={})

    _esm = read_text("explore/forecast.js")
    _stylesheets = [read_text("inside.css"), read_text("explore/controls.css")]  # noqa: RUF012


@dataclass(frozen=True)
class FileForecast:
    """What the page shows of a forecast: the first sentence, how the file was read, the figure as SVG, and tables."""

    headline: str
    reading: tuple[str, ...]
    figure: bytes
    tables: tuple[Table, ...]

    def to_html(self) -> str:
        """The same as a part of the page."""
        picture = b64encode(self.figure).decode()
        tables = "".join(
            f"{_scrolled(one.to_html(), one.title)}<p class='note'>{escape(one.note)}</p>" for one in self.tables
        )
        image = f"<img alt='{escape(self.headline, quote=True)}' src='data:image/svg+xml;base64,{picture}'>"
        return (
            f"<p><strong>{escape(self.headline)}</strong></p>{_scrolled(image, 'Figure of the forecast')}{tables}"
            f"<ul class='note'>{''.join(f'<li>{escape(one)}</li>' for one in self.reading)}</ul>"
        )


def _scrolled(content: str, label: str) -> str:
    """A part that is scrolled sideways where it has no room, by keyboard too."""
    return f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(label, quote=True)}'>{content}</div>"


def plain(lines: list[str]) -> tuple[str, ...]:
    """Lines for the terminal without their marks."""
    return tuple(Text.from_markup(one).plain.strip() for one in lines)


def name_of(upload: Mapping[str, Any]) -> str:
    """The name of a file that was sent, without folders and signs that no file's name needs.

    >>> name_of({"name": "../a/b.csv"}), name_of({"name": ".."}), name_of({})
    ('b.csv', 'file', 'file')
    """
    name = str(upload.get("name", "")).replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable())[-100:].lstrip(".") or "file"


def uploaded_counts(config: Config, upload: Mapping[str, Any]) -> Counts:
    """A file that was sent, by the reader and the filters of `lull forecast`.

    Raises:
        UserError: it is too large, or the reader refuses it; one line.
    """
    name, size = name_of(upload), upload.get("size")
    if not isinstance(size, int) or size > LARGEST_UPLOAD * MEGABYTE:
        most = f"files of at most {LARGEST_UPLOAD} MB here; lull forecast FILE takes larger ones"
        raise UserError("data", name, most)
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(b64decode(str(upload.get("content", ""))))
        return own_counts(config, path)


def file_forecast(
    config: Config, name: str, counts: Counts, advance: Callable[[int], None], histories: int = HISTORIES
) -> FileForecast:
    """Fit, forecast and draw; `advance` gets numbers of finished histories and may raise."""
    check_from_defaults("forecast", config)
    found, calendar = predict(config, counts, None, WEEKS, histories, advance), config.scenario.calendar
    simple, (first, *reading) = simpler_forecasts(found, config.seed), printed.reading_lines(counts)
    tables = [printed.compared_table(compared_rows(found, simple, calendar))]
    if found.effects:
        tables.append(printed.effect_table(effect_rows(found, calendar)))
    return FileForecast(
        printed.forecast_line(forecast_rows(found, calendar), len(found.forecast.match.places)),
        plain([f"{markup(name)}, read as {first}", *reading, *printed.match_lines(found)]),
        rendered(forecast_figure(found, simple, config, name), "svg"),
        tuple(tables),
    )


class ForecastArea:
    """The part of a session: one forecast at a time, of the newest file; `schedule` acts on the session's own turn."""

    def __init__(self, pool: WorkerPool, schedule: Callable[[Callable[[], None]], None]) -> None:
        self.pool, self.schedule = pool, schedule
        self.field = FileField(**WIDE)
        self.stop = button("Cancel", visible=False)
        self.status, self.result = (html() for _ in range(2))
        self.status.stylesheets = self.result.stylesheets = [read_text("inside.css"), LOOK]
        self.part = pn.Column(html(HEAD), self.field, self.status, self.stop, self.result, **WIDE)
        self.state: ExploreState | None = None
        self._work: Mapping[str, Any] | None = None
        self._last: tuple[Mapping[str, Any], ExploreState] | None = None
        self.field.param.watch(lambda event: self.begin(event.new), "upload")
        self.stop.on_click(lambda _: self._pressed())

    def follow(self, state: ExploreState) -> None:
        """Know the settings of the page, and offer to forecast anew where they are not those of the forecast."""
        self.state = state
        if self._last is not None and self._work is None and not _alike(self._last[1], state):
            self.status.object = "<p>The forecast below is of earlier settings.</p>"
            self.stop.label, self.stop.visible = "Forecast again with these settings", True

    def end(self) -> None:
        """Stop all work."""
        self._work = None

    def begin(self, upload: Mapping[str, Any]) -> None:
        """Work on a file, and on no earlier one."""
        if self.state is None:
            return
        self._work, self._last = dict(upload), (upload, self.state)
        self.result.object = ""
        self._show_progress(self._work, 0)
        self.stop.label, self.stop.visible = "Cancel", True
        self.pool.patient.submit(self._working, self._work, self.state)

    def _pressed(self) -> None:
        if self._work is None and self._last is not None:
            self.begin(self._last[0])
            return
        self._work = None
        self.stop.visible = False
        self.status.object = "<p role='status'>Cancelled.</p>"

    def _working(self, work: Mapping[str, Any], state: ExploreState) -> None:
        """A worker's part."""
        done = 0

        def advance(histories: int) -> None:
            nonlocal done
            if work is not self._work:
                raise SupersededError
            done += histories
            self.schedule(lambda now=done: self._show_progress(work, now))  # type: ignore[misc]

        result: FileForecast | UserError
        try:
            advance(0)
            config = self.pool.base.config(state.a, state.seed)
            counts = uploaded_counts(config, work)
            result = file_forecast(config, name_of(work), counts, advance)
        except SupersededError as stopped:
            clear_frames(stopped.__traceback__)
            return
        except UserError as mistake:
            result = mistake
        except Exception:
            _LOG.exception("a file could not be forecast")
            result = UserError("data", "an error in the program", "another file; see the terminal for details")
        self.schedule(lambda: self._finish(work, result))

    def _show_progress(self, work: Mapping[str, Any], done: int) -> None:
        if work is self._work:
            label = f"{done:,} of {HISTORIES:,} histories" if done else "Reading the file"
            bar = f"<progress max='{HISTORIES}' value='{done}' aria-label='Forecast'></progress>"
            self.status.object = f"<p role='status'>{label}</p>{bar}"

    def _finish(self, work: Mapping[str, Any], result: FileForecast | UserError) -> None:
        if work is not self._work:
            return
        self._work = None
        self.stop.visible = False
        self.status.object = complaint(result) if isinstance(result, UserError) else ""
        self.result.object = "" if isinstance(result, UserError) else result.to_html()
        if self.state is not None:
            self.follow(self.state)


def _alike(one: ExploreState, other: ExploreState) -> bool:
    """Whether two states have the same settings A and the same seed."""
    return (one.a, one.seed) == (other.a, other.seed)
