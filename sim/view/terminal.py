"""Printing: tables and colours on a terminal, plain text of at most 100 columns anywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

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

WIDEST: Final = 100


def screen() -> Console:
    """Where results are printed: stdout, at most 100 columns wide."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else WIDEST
    return console


def show(*parts: RenderableType) -> None:
    """Print tables and texts to stdout."""
    console = screen()
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)


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
    """A bar on stderr while the block runs, where stderr is a terminal; yields the function that moves it on."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(), End(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A sign of life on stderr while the block runs, where stderr is a terminal."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
