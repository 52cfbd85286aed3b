"""One history of the reference model, day by day: attacks and what happened, war risk, who complies."""

from textwrap import fill
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from sim.engine.reference import ReferenceModel
from sim.study.life import Life
from sim.view.figures.divergence import BAND, marks_of, restrained
from sim.view.style import BLUE, GREY, INK, ORANGE, PURPLE, new_figure, quiet, style

WIDTH: Final = 9.5
ROW: Final = 0.33
"""Inches of a wing in the map of compliance."""
LETTERS: Final = 30
"""Of a wing's name on one line."""
OBEYING: Final = LinearSegmentedColormap.from_list("obeying", ["#F4F1F6", PURPLE])


def history_figure(model: ReferenceModel) -> Figure:
    """Attacks on the target by day with strikes, deaths and orders; the war risk that the patron perceives; compliance.

    Args:
        model: a model that has lived some days; what it has not lived yet is left white.
    """
    life = _life(model)
    wings = [key for key in model.world.cast.wings if model.world.cast.strikable(key)]
    with style():
        tall = 0.95 + 2.3 + 0.55 + 1.3 + 0.55 + ROW * len(wings) + 0.45
        figure = new_figure(WIDTH, tall)
        left, width = 0.225, 0.75
        top = tall - 0.95
        panels: list[Axes] = []
        for height in (2.3, 1.3, ROW * len(wings)):
            box = (left, (top - height) / tall, width, height / tall)
            panels.append(figure.add_axes(box, sharex=panels[0] if panels else None))
            top -= height + 0.55
        _attacks(panels[0], life)
        _risk(panels[1], life)
        _compliance(panels[2], life, wings)
        _finish(figure, panels, model)
        _titles(figure, life)
    return figure


def _life(model: ReferenceModel) -> Life:
    """The model's days as a life, of which nothing is told."""
    days = tuple(() for _ in range(model.day + 1))
    return Life(f"{model.world.name}, run {model.run}", model.world, days, days, model.state_table())


def _when(life: Life) -> Any:
    return date2num(life.scenario.calendar.start) + np.arange(life.days)


def _attacks(axes: Axes, life: Life) -> None:
    when, attacks = _when(life), life.states.run["attacks"][: life.days]
    most = max(1.0, float(attacks.max(initial=0.0)))
    names = life.scenario.cast.names
    if (held := restrained(life)[: life.days]).any():
        axes.fill_between(
            when, 0, 1, where=held, step="mid", color=BAND, linewidth=0, transform=axes.get_xaxis_transform(),
            label=f"{names.patron} holds back",
        )  # fmt: skip
    axes.bar(when, attacks, width=1.0, color=BLUE, linewidth=0)
    for mark in marks_of(life):
        if len(mark.days):
            height = np.full(len(mark.days), most * (1.12 + 0.16 * mark.row))
            look: dict[str, Any] = {"color": mark.colour, "markersize": 6, "markeredgewidth": 0, "label": mark.words}
            axes.plot(when[mark.days], height, mark.sign, **look)
    axes.set_ylim(0, most * 1.42)
    _entitle(axes, f"Attacks on {names.target} a day")


def _risk(axes: Axes, life: Life) -> None:
    when, patron = _when(life), life.scenario.cast.names.patron
    alarm = life.scenario.parameters.patron.alarm_threshold
    risk = life.states.run["war_risk"][: life.days]
    axes.plot(when, risk, color=ORANGE, linewidth=1.5)
    axes.axhline(alarm, color=GREY, linewidth=1.0, linestyle="--")
    axes.annotate(
        f"{patron} is alarmed above", (0, alarm), xycoords=("axes fraction", "data"), xytext=(4, 3),
        textcoords="offset points", fontsize=8.5, color=GREY,
    )  # fmt: skip
    axes.set_ylim(0, max(1.5 * alarm, 1.05 * float(risk.max(initial=0.0))))
    _entitle(axes, f"War risk as {patron} sees it")


def _compliance(axes: Axes, life: Life, wings: list[str]) -> None:
    cast, when = life.scenario.cast, _when(life)
    places = [cast.wing_index(key) for key in wings]
    values = life.states.wings["compliance"][: life.days, places].T
    days, rows = np.append(when, when[-1] + 1) - 0.5 if len(when) else np.zeros(1), np.arange(len(wings) + 1) - 0.5
    if len(when):
        axes.pcolormesh(days, rows, values, cmap=OBEYING, vmin=0.0, vmax=1.0)
    names = [fill(cast.wings[key].name, LETTERS) for key in wings]
    axes.set_yticks(np.arange(len(wings)), names, fontsize=8.5, linespacing=1.0)
    axes.set_ylim(len(wings) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    _entitle(axes, "Compliance of each wing: white does as it likes, dark does as it is told")
    axes.grid(visible=False)


def _entitle(axes: Axes, words: str) -> None:
    axes.set_title(words, fontsize=10, fontweight="bold", pad=5)
    quiet(axes)


def _finish(figure: Figure, panels: list[Axes], model: ReferenceModel) -> None:
    start = float(date2num(model.world.calendar.start))
    panels[0].set_xlim(start - 1, start + model.world.calendar.days)
    locator = AutoDateLocator(minticks=6, maxticks=12)
    for axes in panels:
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        axes.tick_params(axis="x", labelbottom=axes is panels[-1])
        if model.war:
            axes.axvline(start + model.day, color="#B00020", linewidth=1.4)


def _titles(figure: Figure, life: Life) -> None:
    height, attacks = figure.get_figheight(), life.states.run["attacks"][: life.days].sum()
    killed = life.states.run["killed"][: life.days].sum()
    title = f"{life.label}: {attacks:.0f} attacks, {killed:.0f} killed in {life.days} days"
    figure.text(0.02, 1 - 0.14 / height, title, fontsize=13, fontweight="bold", va="top")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(
            handles, labels, ncols=len(handles), loc="upper left", bbox_to_anchor=(0.015, 1 - 0.4 / height),
            fontsize=8.5, handletextpad=0.3, columnspacing=1.0, borderaxespad=0.0, labelcolor=INK,
        )  # fmt: skip
