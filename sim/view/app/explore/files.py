"""Files to take away, made from the settings in their address: the page's own visit plays no part."""

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import unquote_plus

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from sim.study.comparison.labelled import JUDGED, NO_WAR
from sim.study.live.desk import Desk, Shown
from sim.study.live.file import saved
from sim.study.live.link import asked_of
from sim.study.provenance import config_text, provenance
from sim.study.summary import outcome_rows, pattern_told, weekly_rows
from sim.view.app.explore.reproduce import FILES, PAIR_FILES
from sim.view.app.link import parsed
from sim.world.errors import UserError, one_of

TYPES: Final = {
    "yaml": "application/yaml; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "nc": "application/netcdf",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class Files(RequestHandler):
    """`/files/NAME?SETTINGS`: one file, made by a worker so that nobody else waits."""

    def initialize(self, desk: Desk) -> None:
        """Where histories are lived."""
        self.desk = desk

    async def get(self, name: str) -> None:
        """Answer with the file, or with 400 and one line on what is wrong with the settings."""
        self.set_header("X-Content-Type-Options", "nosniff")
        try:
            content = await IOLoop.current().run_in_executor(
                self.desk.patient, made, self.desk, name, self.request.query
            )  # fmt: skip
        except UserError as mistake:
            self.set_status(400)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{mistake}\n")
            return
        self.set_header("Content-Type", TYPES[name.rpartition(".")[2]])
        self.set_header("Content-Disposition", f'attachment; filename="lull-{name}"')
        self.finish(content)


def made(desk: Desk, name: str, query: str) -> bytes:
    """The content of one file for the settings in a query.

    Raises:
        UserError: there is no such file, or the settings cannot be used.
    """
    asked = asked_of(desk.ground, parsed(query))
    if name not in _MADE or (name in PAIR_FILES and asked.b is None):
        raise UserError("file", unquote_plus(name), one_of(FILES, name))
    return _MADE[name](desk, desk.show(asked))


def _scenario(desk: Desk, shown: Shown) -> bytes:
    return saved(desk.ground, shown.asked.a).encode()


def _scenario_b(desk: Desk, shown: Shown) -> bytes:
    assert shown.asked.b is not None
    return saved(desk.ground, shown.asked.b).encode()


def _config(desk: Desk, shown: Shown) -> bytes:
    return config_text(shown.a.config).encode()


def _outcomes(desk: Desk, shown: Shown) -> bytes:
    return _table(outcome_rows(shown.a.stats))


def _weekly(desk: Desk, shown: Shown) -> bytes:
    return _table(weekly_rows(shown.a.data))


def _patterns(desk: Desk, shown: Shown) -> bytes:
    order = [one.id for one in shown.a.config.patterns]
    verdicts = (*shown.verdicts, *shown.a.verdicts_later())
    return _table([pattern_told(one) for one in sorted(verdicts, key=lambda one: order.index(one.id))])


def _differences(desk: Desk, shown: Shown) -> bytes:
    about = ("name", "unit", "text")
    return _table(
        [
            {key: getattr(row.measure, key) for key in about}
            | vars(row.effect)
            | {f"{NO_WAR}{key}": value for key, value in vars(row.no_war).items() if key not in JUDGED}
            for row in shown.rows
        ]
    )


def _histories(desk: Desk, shown: Shown) -> bytes:
    data = shown.a.data.assign_attrs(provenance(shown.a.config))
    # The engine writes to files alone.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "histories.nc"
        packed = {str(key): {"zlib": True, "complevel": 4} for key in data.data_vars if data[key].ndim}
        data.to_netcdf(path, engine="h5netcdf", encoding=packed)
        return path.read_bytes()


def _figure(ending: str) -> Callable[[Desk, Shown], bytes]:
    def drawn_as(desk: Desk, shown: Shown) -> bytes:
        from sim.view.plots import briefing_figure
        from sim.view.style import drawn

        return drawn(briefing_figure(shown.a.data, shown.a.config, shown.verdicts), ending)

    return drawn_as


def _table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    file = StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


_MADE: Final[Mapping[str, Callable[[Desk, Shown], bytes]]] = {
    "scenario.yaml": _scenario,
    "scenario_b.yaml": _scenario_b,
    "config.yaml": _config,
    "outcomes.csv": _outcomes,
    "weekly.csv": _weekly,
    "patterns.csv": _patterns,
    "differences.csv": _differences,
    "histories.nc": _histories,
    "figure.svg": _figure("svg"),
    "figure.png": _figure("png"),
}
