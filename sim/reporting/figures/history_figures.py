"""Single histories day by day: one of the reference model, and two that diverge as tracks, one above the other."""

from dataclasses import dataclass
from textwrap import fill
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from sim.analysis.divergence import Divergence
from sim.analysis.traced_run import Life
from sim.engine.reference.model import ReferenceModel
from sim.experiment.statistics import Array
from sim.model.timeline import long_date
from sim.reporting.style import BLUE, GREY, INK, ORANGE, PURPLE, WIDTH, date_axis, footer, new_figure, quiet, style
from sim.reporting.text import FigureSource, capital
from sim.rules.patron import ALARMED_AGAIN, RESTRAINING
from sim.rules.target import STRUCK

BAND: Final = "#E9DDEC"
"""Days on which the patron holds its proxies back."""
RED: Final = "#B00020"
ONE_HISTORY: Final = "A single simulated history: an illustration, not an estimate."
TRACKS: Final = (11.0, 6.4)
"""Inches of the figure of two histories."""
ROW: Final = 0.33
"""Inches of a wing in the map of compliance."""
LETTERS: Final = 30
"""Of a wing's name on one line."""
OBEYING: Final = LinearSegmentedColormap.from_list("obeying", ["#F4F1F6", PURPLE])


@dataclass(frozen=True)
class Mark:
    """A kind of event: what it is, which days have it, its sign and its row above the bars (0 lowest)."""

    words: str
    days: Array
    sign: str
    colour: str
    row: int

    def draw(self, axes: Axes, when: Array, most: float) -> None:
        """Draw it above bars that reach up to `most`."""
        height = np.full(len(self.days), most * (1.12 + 0.16 * self.row))
        axes.plot(
            when[self.days], height, self.sign, color=self.colour, markersize=6, markeredgewidth=0, label=self.words
        )


def marks_of(life: Life) -> tuple[Mark, ...]:
    """Events other than attacks, by kind."""
    run, names = life.states.run, life.scenario.cast.names
    return (
        Mark(f"limited strike by {names.target}", np.flatnonzero(run["limited"] > 0), "v", ORANGE, 0),
        Mark("strike on a leader", np.flatnonzero(run["leader"] == STRUCK), "P", ORANGE, 0),
        Mark("major response", np.flatnonzero(run["major"] > 0), "D", INK, 1),
        Mark("soldiers killed", np.flatnonzero(run["killed"] > 0), "X", RED, 1),
        Mark("direct war", np.flatnonzero(run["war"] > 0), "*", RED, 0),
    )


def restrained(life: Life) -> Array:
    """Whether the patron held its proxies back on each day (D,): also while it is alarmed again."""
    phase = life.states.run["phase"]
    return np.asarray((phase == RESTRAINING) | (phase == ALARMED_AGAIN))


def _shade(axes: Axes, when: Array, held: Array, **look: Any) -> None:
    axes.fill_between(
        when, 0, 1, where=held, step="mid", color=BAND, linewidth=0, transform=axes.get_xaxis_transform(), **look
    )  # fmt: skip


# --- two histories ------------------------------------------------------------------------------------------


def divergence_figure(found: Divergence) -> Figure:
    """Attacks on the target by day in both histories, with strikes, deaths and orders; grey where they are the same."""
    both = (found.one, found.other)
    most = max(float(life.states.run["attacks"].max()) for life in both)
    with style():
        figure = new_figure(*TRACKS)
        tracks = figure.subplots(2, 1, sharex=True, sharey=True)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.80, bottom=0.11, hspace=0.28)
        for axes, life in zip(tracks, both, strict=True):
            _track(axes, life, found.day, most)
        date_axis(tracks)
        _legend(figure, found)
        _entitle_tracks(figure, found)
    return figure


def _track(axes: Axes, life: Life, parted: int | None, most: float) -> None:
    days = np.arange(len(life.states.run))
    when = date2num(life.scenario.calendar.start) + days
    attacks = life.states.run["attacks"]
    same = days < (len(days) if parted is None else parted)
    _shade(axes, when, restrained(life))
    for where, colour in ((same, "#B9BEC6"), (~same, BLUE)):
        axes.bar(when[where], attacks[where], width=1.0, color=colour, linewidth=0)
    for mark in marks_of(life):
        mark.draw(axes, when, most)
    if life.days < len(days):
        axes.axvline(when[life.days], color=RED, linewidth=1.2)
    if parted is not None:
        axes.axvline(when[parted], color=INK, linewidth=1.0, linestyle="--")
    quiet(axes)
    axes.set_ylim(0, most * 1.42)
    axes.set_xlim(when[0] - 1, when[-1] + 1)
    axes.set_ylabel("attacks a day")
    axes.set_title(f"{life.title}: {attacks[~same].sum():.0f} attacks from then on", fontsize=10.5, fontweight="bold")


def _legend(figure: Figure, found: Divergence) -> None:
    """One legend for both tracks, of what appears in either."""
    handles = [axes.get_legend_handles_labels() for axes in figure.axes]
    shown = {
        label: handle
        for shapes, labels in handles
        for handle, label in zip(shapes, labels, strict=True)
        if len(handle.get_xdata())  # type: ignore[attr-defined]
    }
    if any(restrained(life).any() for life in (found.one, found.other)):
        shown[f"{found.one.scenario.cast.names.patron} holds back"] = figure.axes[0].fill_between([], [], color=BAND)
    if shown:
        figure.legend(
            list(shown.values()), list(shown), ncols=len(shown), loc="upper left", bbox_to_anchor=(0.065, 0.895),
            fontsize=9, handletextpad=0.4, columnspacing=1.4,
        )  # fmt: skip


def _entitle_tracks(figure: Figure, found: Divergence) -> None:
    if found.day is None:
        title = "Under common random numbers, the two histories never diverge"
    else:
        day = long_date(found.one.scenario.calendar.date_of(found.day))
        title = f"Common random numbers: the histories diverge on {day}"
    figure.text(0.07, 0.955, title, fontsize=13, fontweight="bold", color=INK)
    pinned = capital(found.pinned)
    below = f"Attacks on {found.one.scenario.cast.names.target} by day; grey: the same in both. {pinned}."
    figure.text(0.07, 0.915, below, fontsize=9.5, color=GREY)
    titles = [found.one.title, found.other.title]
    footer(figure, FigureSource(titles, f"run {found.run}", found.seed, is_what=ONE_HISTORY), left=0.07)


# --- one history --------------------------------------------------------------------------------------------


def history_figure(model: ReferenceModel) -> Figure:
    """Attacks on the target by day with strikes, deaths and orders; the war risk that the patron perceives; compliance.

    Args:
        model: a model that has run for some days; later days stay white.
    """
    days = tuple(() for _ in range(model.day + 1))
    life = Life(f"{model.world.title}, run {model.run}", model.world, days, days, model.state_table())
    when = date2num(model.world.calendar.start) + np.arange(life.days)
    wings = [key for key in model.world.cast.wings if model.world.cast.strikable(key)]
    with style():
        tall = 0.95 + 2.3 + 0.55 + 1.3 + 0.55 + ROW * len(wings) + 0.75
        figure = new_figure(WIDTH, tall)
        left, width = 0.225, 0.75
        top = tall - 0.95
        panels: list[Axes] = []
        for height in (2.3, 1.3, ROW * len(wings)):
            box = (left, (top - height) / tall, width, height / tall)
            panels.append(figure.add_axes(box, sharex=panels[0] if panels else None))
            top -= height + 0.55
        _attacks(panels[0], life, when)
        _risk(panels[1], life, when)
        _compliance(panels[2], life, wings, when)
        _finish(figure, panels, model)
        _entitle_history(figure, life, model)
    return figure


def _attacks(axes: Axes, life: Life, when: Array) -> None:
    attacks = life.states.run["attacks"][: life.days]
    most = max(1.0, float(attacks.max(initial=0.0)))
    names = life.scenario.cast.names
    if (held := restrained(life)[: life.days]).any():
        _shade(axes, when, held, label=f"{names.patron} holds back")
    axes.bar(when, attacks, width=1.0, color=BLUE, linewidth=0)
    for mark in marks_of(life):
        if len(mark.days):
            mark.draw(axes, when, most)
    axes.set_ylim(0, most * 1.42)
    _entitle(axes, f"Attacks on {names.target} a day")


def _risk(axes: Axes, life: Life, when: Array) -> None:
    patron = life.scenario.cast.names.patron
    alarm = life.scenario.parameters.patron.alarm_threshold
    risk = life.states.run["war_risk"][: life.days]
    axes.plot(when, risk, color=ORANGE, linewidth=1.5)
    axes.axhline(alarm, color=GREY, linewidth=1.0, linestyle="--")
    axes.annotate(
        f"{patron} is alarmed above", (0, alarm), xycoords=("axes fraction", "data"), xytext=(4, 3),
        textcoords="offset points", fontsize=8.5, color=GREY,
    )  # fmt: skip
    axes.set_ylim(0, max(1.5 * alarm, 1.05 * float(risk.max(initial=0.0))))
    _entitle(axes, f"War risk as {patron} sees it (index)")


def _compliance(axes: Axes, life: Life, wings: list[str], when: Array) -> None:
    cast = life.scenario.cast
    places = [cast.wing_index(key) for key in wings]
    values = life.states.wings["compliance"][: life.days, places].T
    days, rows = np.append(when, when[-1] + 1) - 0.5 if len(when) else np.zeros(1), np.arange(len(wings) + 1) - 0.5
    if len(when):
        axes.pcolormesh(days, rows, values, cmap=OBEYING, vmin=0.0, vmax=1.0)
    names = [fill(cast.wings[key].name, LETTERS) for key in wings]
    axes.set_yticks(np.arange(len(wings)), names, fontsize=8.5, linespacing=1.0)
    axes.set_ylim(len(wings) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    _entitle(axes, "Compliance of each wing: white 0 (independent) to dark 1 (obeys)")
    axes.grid(visible=False)


def _entitle(axes: Axes, words: str) -> None:
    axes.set_title(words, fontsize=10, fontweight="bold", pad=5)
    quiet(axes)


def _finish(figure: Figure, panels: list[Axes], model: ReferenceModel) -> None:
    start = float(date2num(model.world.calendar.start))
    panels[0].set_xlim(start - 1, start + model.world.calendar.days)
    date_axis(panels)
    for axes in panels:
        if model.war:
            axes.axvline(start + model.day, color=RED, linewidth=1.4)


def _entitle_history(figure: Figure, life: Life, model: ReferenceModel) -> None:
    height, attacks = figure.get_figheight(), life.states.run["attacks"][: life.days].sum()
    killed = life.states.run["killed"][: life.days].sum()
    title = f"{life.title}: {attacks:.0f} attacks, {killed:.0f} killed in {life.days} days"
    figure.text(0.02, 1 - 0.14 / height, title, fontsize=13, fontweight="bold", va="top")
    seed = (model.seed_high << 32) + model.seed_low
    footer(figure, FigureSource([life.scenario.title], f"run {model.run}", seed, is_what=ONE_HISTORY), left=0.02)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(
            handles, labels, ncols=len(handles), loc="upper left", bbox_to_anchor=(0.015, 1 - 0.4 / height),
            fontsize=8.5, handletextpad=0.3, columnspacing=1.0, borderaxespad=0.0, labelcolor=INK,
        )  # fmt: skip
