"""`lull sweep`: histories at many points, kept part by part, gone on with when stopped, made more when asked."""

import csv
import io
import json
import math
import sys
from typing import Any

import xarray as xr
from rich.markup import escape

from sim.study.memory import size
from sim.study.request import Request
from sim.study.sweep.by_point import MOST_POINTS, Finding, findings, point_rows, summary
from sim.study.sweep.disk import write_aside
from sim.study.sweep.forecast import Forecast
from sim.study.sweep.opened import open_store
from sim.study.sweep.plan import runs_of
from sim.study.sweep.prepared import Sweep, prepare
from sim.study.sweep.running import Running, running
from sim.study.sweep.store import void
from sim.view.tables import table
from sim.view.terminal import progress, show, shown_path, waiting


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: something asked for cannot be used, or the folder holds something else.
        KeyboardInterrupt: after saying how to go on.
    """
    with waiting("composing"):
        sweep = prepare(request)
    report(sweep, carry_out(sweep, request.command))


def carry_out(sweep: Sweep, command: str) -> tuple[Finding, ...]:
    """Make a sweep or go on with it; `command` is what a user has to say again where it was stopped.

    Raises:
        UserError: the folder holds something else, or the disk does not take it.
        KeyboardInterrupt: after saying how to go on.
    """
    announce(sweep)
    with running(sweep, say=note) as going:
        make_all(going, command)
        return write(going)


def make_all(going: Running, command: str) -> None:
    """Make a sweep to its end; where it is stopped, say what is kept and that `command` goes on.

    Raises:
        UserError: the disk does not take it.
        KeyboardInterrupt: after saying how to go on.
    """
    try:
        make(going)
        going.finish()
    except KeyboardInterrupt:
        done, all_parts = len(going.store.finished()), len(going.store.parts)
        note(f"stopped; {done} of {all_parts} parts are kept in {going.sweep.folder}. To go on: {command}")
        raise


def make(going: Running) -> None:
    """Make what is missing, then what precision asks for besides."""
    with waiting("a trial, to see how long it takes"):
        cost = going.forecast()
    show(forecast_line(going.sweep, cost))
    with progress(cost.histories, "histories") as advance:
        going.make(advance)
    while more := refined(going):
        with progress(more, "more runs, for precision") as advance:
            going.make(advance)


def refined(going: Running) -> int:
    """Histories that precision asks for besides."""
    if not going.sweep.asked:
        return 0
    with waiting("judging precision"):
        return going.refine()


def announce(sweep: Sweep) -> None:
    """Say what is to be done, and by what it will be judged."""
    count = sweep.work.points
    crossed = f" under {sweep.crossing} configurations each" if sweep.crossing > 1 else ""
    show(
        f"{count:,} points ({sweep.design.kind}, {sweep.design.samples:,} in the space of parameters{crossed})"
        f" x {sweep.runs:,} runs = {sweep.histories:,} histories, seed {sweep.config.seed}"
    )
    for one in sweep.asked:
        show(escape(one.words))


def forecast_line(sweep: Sweep, cost: Forecast) -> str:
    """What is left, in words."""
    place = escape(shown_path(sweep.folder))
    if not cost.histories:
        return f"Nothing is missing in {place}."
    share = "" if cost.histories == sweep.histories else f"{cost.histories:,} histories are missing; "
    least = "at least " if sweep.asked else "about "
    return (
        f"{share}{least}{duration(cost.seconds)} at {cost.rate:,.0f} histories a second,"
        f" {least}{size(cost.size)} in {place}"
    )


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(3.2), duration(200), duration(9000)
    ('4 s', '3 min 20 s', '2 h 30 min')
    """
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def note(text: str) -> None:
    """Tell something on stderr."""
    print(f"lull: {text}", file=sys.stderr)


def write(going: Running) -> tuple[Finding, ...]:
    """Write the summary; the table of points and the figure where points are as many as people can read."""
    store = going.store
    have = runs_of(store.parts, store.points)
    found: tuple[Finding, ...] = ()
    if store.points <= MOST_POINTS:
        data = open_store(store)
        found = findings(data, have)
        put(going, "by_point.csv", table_text(point_rows(data, have, found)).encode())
        draw(going, data)
    told = summary(going.sweep, store, have, found)
    put(going, "summary.json", json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    return found


def draw(going: Running, data: xr.Dataset) -> None:
    """Draw the figure of the sweep."""
    from sim.view.figures.sweep import sweep_figure
    from sim.view.style import drawn

    with waiting("drawing"):
        figure = sweep_figure(data)
        for ending in ("png", "svg"):
            put(going, f"sweep.{ending}", drawn(figure, ending))


def put(going: Running, name: str, content: bytes) -> None:
    """Write a file into the folder of the sweep."""
    write_aside(going.store.folder / name, lambda file: void(file.write(content)))


def table_text(rows: list[dict[str, Any]]) -> str:
    """A table as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def report(sweep: Sweep, found: tuple[Finding, ...]) -> None:
    """Print the range of each outcome over the points, and where everything is."""
    if found:
        columns = {"outcome": 22, "of each point": 13, "unit": 12, "lowest": 9, "highest": 9, "largest error": 13}
        made = table("Over the points", columns, right=("lowest", "highest", "largest error"))
        for one in found:
            numbers = (number(value, "never") for value in (one.values.min(), one.values.max()))
            made.add_row(one.name, one.by, one.unit, *numbers, number(one.errors.max(), "too few runs"))
        show(made)
    place = escape(shown_path(sweep.folder))
    tables = "sweep.png, by_point.csv, summary.json" if found else "summary.json"
    show(f"\nFiles in {place}: parts/*.parquet, points.parquet, {tables}. In Python: sim.open_sweep({str(place)!r})")


def number(value: float, endless: str) -> str:
    """A number in few digits; what is infinite in words.

    >>> number(math.inf, "never"), number(3.14159, "never")
    ('never', '3.14')
    """
    return endless if math.isinf(value) else f"{value:.3g}"
