"""`lull sweep` and `lull merge`: histories at many points, kept part by part, resumed, extended, joined from shards."""

import math
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Unpack

import pandas as pd
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.verification import shards_of
from sim.commands.calls.result import Found, Result, request_of
from sim.experiment.command import Request, Study, study_call
from sim.experiment.formats import size
from sim.experiment.io import LOCK, WRITER, csv_text, json_text, write_atomic
from sim.experiment.options import MergeOptions, OutputOptions
from sim.experiment.result_dir import restored, whole_folder
from sim.experiment.runner import CostEstimate, Progress
from sim.experiment.sweep import run_sweep
from sim.experiment.sweep.axes import axis_of
from sim.experiment.sweep.design import runs_of
from sim.experiment.sweep.merging import join
from sim.experiment.sweep.profiles import AtPoints
from sim.experiment.sweep.store import VERB, Store, check_free, open_store, void
from sim.model.validation import UserError
from sim.reporting.figures import draw
from sim.reporting.table import Column, Table, numeric
from sim.reporting.terminal import duration, progress, show, show_json, shown_path, waiting
from sim.reporting.text import outcome_title


@dataclass(frozen=True, repr=False)
class StoredResult(Result[Found]):
    """A result that is already kept, with its histories, in the folder of a sweep."""

    folder: Path = Path()

    def save(self, folder: Path | str) -> Path:
        """Copy the folder, all of it or nothing, and return the copy.

        Raises:
            UserError: something else stands there.
        """
        place = Path(folder).resolve()
        if place == self.folder.resolve():
            return place
        check_free(place)
        with whole_folder(place) as aside:
            shutil.copytree(self.folder, aside, ignore=shutil.ignore_patterns(LOCK, WRITER), dirs_exist_ok=True)
        return place

    def put(self) -> None:
        """Write tables, summary and figures into the folder."""
        from sim.reporting.style import rendered

        texts: dict[str, bytes | str] = {f"{name}.csv": csv_text(rows) for name, rows in self.rows.items()}
        texts[self.summary_file] = json_text(self.content)
        with waiting("drawing"):
            for name, figure in self.figures.items():
                made = figure()
                texts |= {f"{name}.{ending}": rendered(made, ending) for ending in ("png", "svg")}
        for name, content in texts.items():
            write_atomic(self.folder / name, content)


def show_result(result: Result[Any]) -> None:
    """Print a result that is written already."""
    show(*result.text())
    show_json(result.summary())


def main(request: Request) -> None:
    """Carry out one of the verbs."""
    if request.verb != VERB:
        return merge_command(request)
    with waiting("composing"):
        asked = run_sweep.prepare(request)
    announce(asked)
    show_result(swept(asked, partial(make_shown, command=request.command), note))
    return None


def merge_command(request: Request) -> None:
    """Join shards of a sweep."""
    options, rest = request.options(MergeOptions)
    shards_of(options.folders, rest)
    output = OutputOptions.read(OutputOptions.split(rest.overrides)[0])
    with waiting("joining"):
        result = merge(options.folders, to=output.dir, trust=options.trust)
    show_result(result)


@study_call
def sweep(
    scenario: str | Sequence[str] | None = None,
    *,
    points: int | pd.DataFrame | None = None,
    runs: int | None = None,
    **study: Unpack[Study],
) -> StoredResult[tuple[AtPoints, ...]]:
    """Simulate a sweep, or resume it.

    In the overrides a list means each of its values and a tuple (low, high) an interval:
    `{"scenario": ["article", "tight_leash"], "patron.control": (0.2, 1.0)}`. Extensions are files. `to` None takes a
    folder below `outputs`; called again for the same folder it makes only what is missing, which may be more points or
    more runs.

    Args:
        scenario: name of a scenario file, or a list of several; None: `article`, or as the overrides say.
        points: how many points are sampled, or a table with one point per row and columns named by keys.
        runs: runs of each point; None: 100.
        **study: as in every call.

    Returns:
        `data` as `open_sweep` gives it, read from the folder when it is used; table `by_point`, for at most 10,000
        points.

    Raises:
        UserError: something asked for cannot be used, or the folder holds another sweep.
    """
    request, _ = request_of(VERB, study, swept_keys(scenario, points, runs), make=axis_of)
    asked = run_sweep.prepare(request, None if isinstance(points, int) else points)
    return swept(asked, partial(make_quietly, progress=study.get("progress")))


def merge(
    folders: Sequence[Path | str], *, to: Path | str | None = None, trust: bool = False
) -> StoredResult[tuple[AtPoints, ...]]:
    """Join shards of a sweep, made apart with `study.shard`, in a folder of their own; nothing is simulated again.

    Args:
        folders: of the shards, two or more, in any order.
        to: a new folder; None: that of the whole sweep, below `outputs`.
        trust: whether extensions and configuration files that the shards keep may be used; extensions are code that
            this would run.

    Returns:
        What `sweep` returns for the whole; without tables while a part is missing.

    Raises:
        UserError: the folders hold no shards of one sweep, a part is damaged, or something else stands in `to`.
    """
    shards = shards_of(folders, Request("merge", ()))
    manifest = shards[0].manifest
    whole = {**manifest, "overrides": [one for one in manifest["overrides"] if not one.startswith("study.shard=")]}
    with TemporaryDirectory(prefix="lull-merge-") as scratch:
        home = None if to is None else Path(to).resolve()
        asked = run_sweep.prepare(restored(whole, shards[0].folder, Path(scratch).resolve(), home, trust))
        if asked.folder in [one.folder for one in shards]:
            raise UserError("output.dir", asked.folder, "another folder than those of the shards")
        check_free(asked.folder)
        join(shards, asked.folder)
        with run_sweep.running(asked, note) as going:
            going.finish()
            return result_of(going)


def swept_keys(
    scenario: str | Sequence[str] | None, points: int | pd.DataFrame | None, runs: int | None
) -> dict[str, Any]:
    """The keys that these arguments of a sweep set."""
    several = scenario if scenario is None or isinstance(scenario, str) else list(scenario)
    return {"scenario": several, "study.points": points if isinstance(points, int) else None, "study.runs": runs}


def swept(
    asked: run_sweep.Sweep, make: Callable[[run_sweep.Running], None], say: Callable[[str], None] = void
) -> StoredResult[tuple[AtPoints, ...]]:
    """Make a sweep or go on with it, and sum it up."""
    with run_sweep.running(asked, say) as going:
        make(going)
        return result_of(going)


def make_quietly(going: run_sweep.Running, progress: Progress | None = None) -> None:
    """Make a sweep to its end."""
    going.make(progress)
    while going.refine():
        going.make(progress)
    going.finish()


def result_of(going: run_sweep.Running) -> StoredResult[tuple[AtPoints, ...]]:
    """Sum up a finished sweep, in its folder too; by point where points are as many as people can read."""
    store, asked = going.store, going.sweep
    there = store.finished()
    have, data = runs_of([part for part in store.parts if part.number in there], store.points), open_store(store)
    whole = len(there) == len(store.parts)
    found = run_sweep.findings(data, have) if whole and store.points <= run_sweep.MOST_POINTS else ()
    plot = partial(draw, data)
    result = StoredResult(
        asked.request, asked.config, data, found,
        rows={"by_point": run_sweep.point_rows(data, have, found)} if found else {},
        content=run_sweep.summary(asked, store, have, found),
        figures={"sweep": plot} if found else {},
        text=lambda: text(store, found),
        files="",
        other=plot,
        folder=store.folder,
    )  # fmt: skip
    result.put()
    return result


def text(store: Store, found: tuple[AtPoints, ...]) -> Iterator[RenderableType]:
    """The range of each outcome over the points, and where everything is."""
    place, tables = escape(shown_path(store.folder)), "summary.json"
    if missing := len(store.missing()):
        there = len(store.parts) - missing
        yield f"{there} of {len(store.parts)} parts are there; lull merge joins the folders of shards."
    if found:
        heads = {"name": "Key", "by": "Statistic of each point", "unit": "Unit"}
        columns = (
            Column("name", "Outcome", format=_title, number=False),
            *(Column(key, head) for key, head in heads.items()),
            numeric("values", "Lowest", lambda one: number(one.values.min(), "never")),
            numeric("values", "Highest", lambda one: number(one.values.max(), "never")),
            numeric("errors", "Largest error", lambda one: number(one.errors.max(), "too few runs")),
        )
        yield Table("Over the points", columns, found)
        tables = "sweep.png, by_point.csv, summary.json"
    stored = f"parts/*.parquet, points.parquet, {tables}. In Python: sim.open_sweep({str(place)!r})"
    yield f"\nFiles in {place}: {stored}"


def make_shown(going: run_sweep.Running, command: str) -> None:
    """Make a sweep to its end and show how far it is; where it is stopped, say that `command` goes on."""
    try:
        with waiting("a trial, to see how long it takes"):
            cost = going.forecast()
        show(forecast_line(going.sweep, cost))
        with progress(cost.histories, "histories") as advance:
            going.make(advance)
        while more := going.refine():
            with progress(more, "more runs, for precision") as advance:
                going.make(advance)
        going.finish()
    except KeyboardInterrupt:
        done, all_parts = len(going.store.finished()), len(going.store.parts)
        note(f"stopped; {done} of {all_parts} parts are kept in {going.sweep.folder}. To go on: {command}")
        raise


def announce(sweep: run_sweep.Sweep) -> None:
    """Say what is to be done, and by what it will be judged."""
    count = sweep.work.points
    share = "" if sweep.settings.shard is None else f"; shard {sweep.settings.shard} of these"
    crossed = f" under {sweep.crossing} configurations each" if sweep.crossing > 1 else ""
    show(
        f"{count:,} points ({sweep.design.kind}, {sweep.design.samples:,} in the space of parameters{crossed})"
        f" x {sweep.runs:,} runs = {sweep.histories:,} histories, seed {sweep.config.seed}{share}"
    )
    for one in sweep.asked:
        show(escape(one.words))


def forecast_line(sweep: run_sweep.Sweep, cost: CostEstimate) -> str:
    """What is left, in words."""
    place = escape(shown_path(sweep.folder))
    if not cost.histories:
        return f"Nothing is missing in {place}."
    share = "" if cost.histories == sweep.histories else f"{cost.histories:,} histories are missing; "
    least = "at least " if sweep.asked else "about "
    return (
        f"{share}{least}{duration(cost.seconds)} at {cost.rate:,.0f} histories a second,"
        f" {least}{size(cost.disk)} in {place}"
    )


def note(text: str) -> None:
    """Tell something on stderr."""
    print(f"lull: {text}", file=sys.stderr)


def _title(one: AtPoints) -> str:
    return outcome_title(one.name, one.text)


def number(value: float, endless: str) -> str:
    """A number in few digits; what is infinite in words.

    >>> number(math.inf, "never"), number(3.14159, "never")
    ('never', '3.14')
    """
    return endless if math.isinf(value) else f"{value:.3g}"
