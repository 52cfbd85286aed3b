"""Printing: tables and colours on a terminal, plain text anywhere else; 100 columns or as many as COLUMNS says."""

import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)  # fmt: skip
from rich.text import Text

if TYPE_CHECKING:
    from sim.analysis.narrative import Chronicle
    from sim.experiment.result_dir import Folder
    from sim.experiment.runner import Checkpoints, CostEstimate
    from sim.model.scenario import Config

NARROWEST: Final = 20
WIDEST: Final = 100
_ONLY_JSON: Final = ContextVar("only_json", default=False)
EVERY: Final = 10.0
"""Seconds between two lines of progress."""


def screen() -> Console:
    """Where results are printed: stdout, at most 100 columns wide; a pipe has 100, or those of COLUMNS if fewer."""
    console = Console(highlight=False, quiet=_ONLY_JSON.get())
    known = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    console.width = max(NARROWEST, min(console.width, WIDEST)) if known else WIDEST
    return console


@contextmanager
def only_json() -> Iterator[None]:
    """While the block runs, `show_json` prints and `show` is silent: stdout is one JSON document."""
    before = _ONLY_JSON.set(True)
    try:
        yield
    finally:
        _ONLY_JSON.reset(before)


def show(*parts: RenderableType) -> None:
    """Print tables and texts to stdout."""
    if _ONLY_JSON.get():
        return
    console = screen()
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)


def show_json(content: Any) -> None:
    """Print the tables of a verb as JSON to stdout where `--json` asks for it."""
    if _ONLY_JSON.get():
        print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=str), flush=True)


def shown_path(path: Path) -> str:
    """A path as short as it can be said here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


class Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """The rate of the last seconds."""
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


class End(ProgressColumn):
    """When it will be done, by the clock."""

    def render(self, task: Task) -> Text:
        """The time of day; the weekday too where it is not today."""
        if task.time_remaining is None:
            return Text("")
        now = datetime.now()
        end = now + timedelta(seconds=task.time_remaining)
        return Text(f"ends {end:%H:%M}" if end.date() == now.date() else f"ends {end:%a %H:%M}")


@contextmanager
def progress(total: int, text: str) -> Iterator[Callable[[int], None]]:
    """Progress on stderr while the block runs: a bar, or a line every ten seconds where stderr is no terminal.

    Yields the function that moves it on.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(total, text)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(), End(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.advance(task, done)


def _lines(total: int, text: str) -> Callable[[int], None]:
    """A function that prints progress as lines; the rate is that since the line before.

    The first part has no rate: code may have been compiled in it.
    """
    lock, done, before, last = threading.Lock(), 0, 0, time.monotonic()

    def advance(more: int) -> None:
        nonlocal done, before, last
        with lock:
            first, done, now = done == 0, done + more, time.monotonic()
            if now - last < EVERY or done >= total:
                return
            rate, before, last = (done - before) / (now - last), done, now
        speed = "" if first else f", {rate:,.0f}/s, about {duration(max(0, total - done) / rate)} left"
        print(f"lull: {done:,} of {total:,} {text}{speed}", file=sys.stderr, flush=True)

    return advance


@contextmanager
def simulating(folder: "Folder", config: "Config", forecast: "Callable[[], CostEstimate]") -> "Iterator[Checkpoints]":
    """Print what will be simulated, show progress, and keep finished parts so that the same command resumes.

    Where the configuration names a cluster, its workers make these parts; each is taken to be like a thread of ours. A
    forecast that only counts histories is printed where some of them are there from before.
    """
    from sim.engine.batch import thread_count
    from sim.experiment.cluster import cluster_of, connected, threads_of
    from sim.experiment.runner import Checkpoints

    with connected(cluster_of(config)) as client:
        cost = forecast()
        if client is not None:
            cost = replace(cost, seconds=cost.seconds * thread_count(config.threads) / threads_of(client))
        with progress(cost.histories, "histories") as advance:
            checkpoints = Checkpoints(folder.work, advance, client)
            if cost.seconds:
                show(forecast_line(cost, checkpoints.kept))
            elif kept := checkpoints.kept:
                show(f"{kept:,} of {cost.histories:,} histories are there from before")
            try:
                yield checkpoints
            except KeyboardInterrupt:
                if kept := checkpoints.kept:
                    note = f"{kept:,} of {cost.histories:,} histories are kept; the same command resumes"
                    print(f"lull: {note}", file=sys.stderr)
                raise


def forecast_line(forecast: "CostEstimate", kept: int = 0) -> str:
    """What will be simulated, in words; `kept` histories of it are there from before."""
    from sim.experiment.formats import size

    left = max(0, forecast.histories - kept)
    before = f"{kept:,} of them are there from before; " if kept else ""
    seconds = forecast.seconds * left / forecast.histories
    return (
        f"{counted(forecast.histories)} histories; {before}about {duration(seconds)}, {size(forecast.memory)} of memory"
    )


def counted(number: int) -> str:
    """A count as people read it.

    >>> counted(4_194_304), counted(80_000)
    ('4.2 million', '80,000')
    """
    return f"{number / 1e6:.1f} million" if number >= 1_000_000 else f"{number:,}"


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


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A status line on stderr while the block runs, where stderr is a terminal."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


STYLES: Final = {
    "casualties": "red",
    "war": "bold red",
    "ladder": "magenta",
    "response": "yellow",
    "strike": "yellow",
    "alarm": "cyan",
    "order": "cyan",
    "compliance": "green",
    "mediation": "green",
    "elsewhere": "dim",
}
"""Colours of a chronicle by kind of sentence; kinds that are not named are printed plainly."""


def chronicle_texts(chronicle: "Chronicle", width: int) -> Iterator[Text]:
    """A chronicle: headings for days, what weighs most in colours, one line for quiet days in a row."""
    yield Text(chronicle.title, style="bold")
    for paragraph in chronicle.paragraphs():
        if not paragraph.sentences:
            parts = (f"{paragraph.heading}: quiet. ", "bold"), (paragraph.elsewhere, STYLES["elsewhere"])
            yield Text.assemble(*parts)
            continue
        yield Text(paragraph.heading, style="bold")
        for kind, text in (*paragraph.flow(), ("elsewhere", paragraph.elsewhere)):
            if text:
                lines = wrap(text, width, initial_indent="  ", subsequent_indent="  ")
                yield Text("\n".join(lines), style=STYLES.get(kind, ""))
