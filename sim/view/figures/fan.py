"""Attacks a week over the calendar as fans: of one ensemble with what happened, or of several laid over each other."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sim.engine.record import WEEK
from sim.study.provenance import config_in
from sim.view.plots import (
    GAP,
    HEAD,
    LEFT,
    PANEL,
    TITLE,
    attacked,
    draw_lines,
    draw_theatre,
    draw_windows,
    finish_calendar,
    fitted,
    flags_of,
    headline,
    no_week,
    number,
    panel_weight,
    raise_flags,
    shown_theatres,
    stacked,
    weekly_bands,
)
from sim.view.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, new_figure, quiet, style
from sim.world.scenario import Scenario

WIDTH: Final = 9.5
RIGHT: Final = 0.975
WIDTHS: Final = (3.2, 1.6)
"""Of the first ensemble's line and of the others', so that it is seen beneath them."""
TOLD: Final = "line: median; band: half of the histories; sand: from the strikes to the report; hatched: after it"
COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE, INK, GREY)
BELOW: Final = 0.62
"""Inches of dates and source."""


def fan_figure(data: xr.Dataset) -> Figure:
    """Attacks a week by theatre in one ensemble: median, half and nine in ten of the histories, and what happened.

    Args:
        data: an ensemble as `simulate` gives it; theatres, dates and names come from the configuration that it carries.
    """
    config = config_in(data)
    scenario, theatres = config.scenario, shown_theatres(config)
    heights = [panel_weight(data, name) for name in theatres]
    with style():
        figure = new_figure(WIDTH, TITLE + HEAD + sum(GAP + PANEL * one for one in heights) + BELOW)
        head, *panels = stacked(figure, heights, LEFT, RIGHT)
        flags = flags_of(data, scenario)
        for axes, name in zip(panels, theatres, strict=True):
            draw_theatre(axes, data, scenario, name)
            draw_windows(axes, scenario)
            draw_lines(axes, scenario, flags)
        finish_calendar(panels, scenario)
        raise_flags(head, scenario, flags)
        told = "line: median; dark band: half of the histories; pale band: nine in ten"
        _frame(figure, headline(data, scenario), told)
        _foot(figure, {scenario.name: data})
    return figure


def fans_figure(found: Mapping[str, xr.Dataset]) -> Figure:
    """Attacks a week on the target, several ensembles over each other: medians, and bands with half of the histories.

    Args:
        found: ensembles of one case by what they are to be called, up to six.
    """
    first, *_ = found.values()
    scenario = config_in(first).scenario
    theatres = [name for name, one in scenario.cast.theatres.items() if one.kind == "target"]
    theatres = [name for name in theatres if any(panel_weight(data, name) == 1.0 for data in found.values())]
    with style():
        figure = new_figure(WIDTH, TITLE + 0.2 + len(theatres) * 1.7 + BELOW)
        height = figure.get_figheight()
        panels = list(figure.subplots(len(theatres), 1, sharex=True, squeeze=False)[:, 0])
        figure.subplots_adjust(
            left=LEFT, right=RIGHT, top=1 - (TITLE + 0.2) / height, bottom=BELOW / height, hspace=0.35
        )
        for axes, name in zip(panels, theatres, strict=True):
            for place, (data, colour) in enumerate(zip(found.values(), COLOURS, strict=False)):
                _overlaid(axes, data, scenario, name, (colour, WIDTHS[place > 0]))
            _named(axes, scenario, name)
            draw_windows(axes, scenario)
        finish_calendar(panels, scenario)
        _frame(figure, f"Attacks a week on {scenario.cast.names.target}", TOLD)
        _legend(figure, list(found))
        _foot(figure, found)
    return figure


def _overlaid(axes: Axes, data: xr.Dataset, scenario: Scenario, theatre: str, look: tuple[str, float]) -> None:
    colour, width = look
    bands = weekly_bands(data, theatre)
    edges = number(scenario, 0) + np.append(data["week_start"].values, data.sizes["week"] * WEEK)
    axes.stairs(bands["q75"], edges, baseline=bands["q25"], fill=True, color=colour, alpha=0.22, linewidth=0)
    axes.stairs(bands["median"], edges, baseline=None, color=colour, linewidth=width)


def _named(axes: Axes, scenario: Scenario, theatre: str) -> None:
    axes.set_title(scenario.cast.theatres[theatre].name, fontsize=10.5, fontweight="bold", pad=4)
    unit = f"attacks a week on {attacked(scenario, theatre)}"
    axes.set_title(unit, loc="right", fontsize=8.5, color=GREY, pad=4)
    axes.set_ylim(bottom=0)
    quiet(axes)


def _legend(figure: Figure, names: list[str]) -> None:
    handles = [Patch(color=colour, label=name) for name, colour in zip(names, COLOURS, strict=False)]
    figure.legend(
        handles=handles, ncols=len(handles), loc="upper left", fontsize=10, handlelength=1.2,
        bbox_to_anchor=(LEFT, 1 - 0.72 / figure.get_figheight()), borderaxespad=0.0, borderpad=0.0,
    )  # fmt: skip


def _frame(figure: Figure, title: str, told: str) -> None:
    height = figure.get_figheight()
    fitted(figure, 1 - 0.14 / height, title, fontsize=13, fontweight="bold")
    fitted(figure, 1 - 0.44 / height, told, fontsize=10, color=GREY)


def _foot(figure: Figure, found: Mapping[str, xr.Dataset]) -> None:
    runs: Any = {data.sizes["run"] for data in found.values()}
    each = " each" if len(found) > 1 else ""
    seeds = ", ".join(sorted({data.attrs["seed"] for data in found.values()}))
    words = f"Source: Lull, {', '.join(f'{one:,}' for one in sorted(runs))} simulated histories{each}, seed {seeds}."
    if len(found) == 1:
        words += f" Scenario {next(iter(found.values())).attrs['scenario']}."
    rests = dict.fromkeys(no_week(config_in(data).scenario) for data in found.values())
    words = " ".join([words, *filter(None, rests), "A model, not a forecast."])
    figure.text(LEFT, 0.1 / figure.get_figheight(), words, fontsize=8, color=GREY)
