"""The figure of a divergence: two histories under the same luck as two tracks, one above the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from sim.rules.patron import ALARMED_AGAIN, RESTRAINING
from sim.rules.target import STRUCK
from sim.study.chronicle import spelled
from sim.study.divergence.divergence import Divergence
from sim.study.life import Life
from sim.view.style import BLUE, GREY, INK, ORANGE, new_figure, quiet, style

Array = npt.NDArray[Any]

WIDTH: Final = 11.0
HEIGHT: Final = 6.4
BAND: Final = "#E9DDEC"
"""Days on which the patron holds its proxies back."""


@dataclass(frozen=True)
class Mark:
    """A kind of event: what it is, which days have it, its sign and its row above the bars (0 lowest)."""

    words: str
    days: Array
    sign: str
    colour: str
    row: int


def divergence_figure(told: Divergence) -> Figure:
    """Attacks on the target by day in both histories, with strikes, deaths and orders; grey where they are the same."""
    lives = (told.one, told.other)
    most = max(float(life.states.run["attacks"].max()) for life in lives)
    with style():
        figure = new_figure(WIDTH, HEIGHT)
        tracks = figure.subplots(2, 1, sharex=True, sharey=True)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.80, bottom=0.11, hspace=0.28)
        for axes, life in zip(tracks, lives, strict=True):
            _track(axes, life, told.day, most)
        _dates(tracks)
        _legend(figure, told)
        _titles(figure, told)
    return figure


def marks_of(life: Life) -> tuple[Mark, ...]:
    """What happened beside attacks, by kind."""
    run, names = life.states.run, life.scenario.cast.names
    return (
        Mark(f"limited strike by {names.target}", _days(run["limited"] > 0), "v", ORANGE, 0),
        Mark("strike on a leader", _days(run["leader"] == STRUCK), "P", ORANGE, 0),
        Mark("major response", _days(run["major"] > 0), "D", INK, 1),
        Mark("soldiers killed", _days(run["killed"] > 0), "X", "#B00020", 1),
        Mark("direct war", _days(run["war"] > 0), "*", "#B00020", 0),
    )


def restrained(life: Life) -> Array:
    """Whether the patron held its proxies back on each day (D,): also while it is alarmed again."""
    phase = life.states.run["phase"]
    return np.asarray((phase == RESTRAINING) | (phase == ALARMED_AGAIN))


def _days(flags: Array) -> Array:
    return np.flatnonzero(flags)


def _track(axes: Axes, life: Life, parted: int | None, most: float) -> None:
    days = np.arange(len(life.states.run))
    when = date2num(life.scenario.calendar.start) + days
    attacks = life.states.run["attacks"]
    same = np.where(days < (len(days) if parted is None else parted), True, False)
    axes.fill_between(
        when, 0, 1, where=restrained(life), step="mid", color=BAND, linewidth=0, transform=axes.get_xaxis_transform()
    )
    for where, colour in ((same, "#B9BEC6"), (~same, BLUE)):
        axes.bar(when[where], attacks[where], width=1.0, color=colour, linewidth=0)
    for mark in marks_of(life):
        height = most * (1.12 + 0.16 * mark.row)
        axes.plot(
            when[mark.days], np.full(len(mark.days), height), mark.sign, color=mark.colour, markersize=6,
            markeredgewidth=0, label=mark.words,
        )  # fmt: skip
    if life.days < len(days):
        axes.axvline(when[life.days], color="#B00020", linewidth=1.2)
    if parted is not None:
        axes.axvline(when[parted], color=INK, linewidth=1.0, linestyle="--")
    quiet(axes)
    axes.set_ylim(0, most * 1.42)
    axes.set_xlim(when[0] - 1, when[-1] + 1)
    axes.set_ylabel("attacks a day")
    axes.set_title(f"{life.label}: {attacks[~same].sum():.0f} attacks from then on", fontsize=10.5, fontweight="bold")


def _dates(tracks: Sequence[Axes]) -> None:
    locator = AutoDateLocator(minticks=6, maxticks=12)
    tracks[-1].xaxis.set_major_locator(locator)
    tracks[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))


def _legend(figure: Figure, told: Divergence) -> None:
    """One legend for both tracks, of what appears in either."""
    handles = [axes.get_legend_handles_labels() for axes in figure.axes]
    shown = {
        label: handle
        for found, labels in handles
        for handle, label in zip(found, labels, strict=True)
        if len(handle.get_xdata())  # type: ignore[attr-defined]
    }
    if any(restrained(life).any() for life in (told.one, told.other)):
        shown[f"{told.one.scenario.cast.names.patron} holds back"] = figure.axes[0].fill_between([], [], color=BAND)
    if shown:
        figure.legend(
            list(shown.values()), list(shown), ncols=len(shown), loc="upper left", bbox_to_anchor=(0.065, 0.895),
            fontsize=9, handletextpad=0.4, columnspacing=1.4,
        )  # fmt: skip


def _titles(figure: Figure, told: Divergence) -> None:
    if told.day is None:
        title = "Under the same luck, the two histories never part"
    else:
        title = f"Under the same luck, they part on {spelled(told.one.scenario.calendar.date_of(told.day))}"
    figure.text(0.07, 0.955, title, fontsize=13, fontweight="bold", color=INK)
    pinned = told.pinned[0].upper() + told.pinned[1:]
    below = f"Attacks on {told.one.scenario.cast.names.target} by day; grey: the same in both. {pinned}."
    figure.text(0.07, 0.915, below, fontsize=9.5, color=GREY)
    figure.text(
        0.07, 0.02, f"Lull, run {told.run} of seed {told.seed}. One history each: an illustration, not an estimate.",
        fontsize=8.5, color=GREY,
    )  # fmt: skip
