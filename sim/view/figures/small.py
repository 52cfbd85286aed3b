"""Figures for a narrow page: one outcome of a comparison, one attribution, legible on a phone."""

from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.study.comparison.rows import compared, effect_row
from sim.view.attribution import MECHANISM_WORDS, digits_of
from sim.view.comparison import interval, number
from sim.view.figures.comparison import COLOURS, check_one_baseline
from sim.view.style import BLUE, GREY, INK, ORANGE, PALE, new_figure, style

WIDTH: Final = 4.7
ROW: Final = 0.56
FOOT: Final = 0.55
"""Inches: the figure, one line of it with the words above, the axis."""


def effect_figure(data: xr.Dataset, measure: str) -> Figure:
    """The difference of every scenario to the baseline in one outcome: dot, and 90% of draws as a bar.

    Where war cuts the outcome, of pairs without war in either arm.

    Raises:
        UserError: the pairs have several baselines, which no panel may mix.
    """
    check_one_baseline(data)
    place = list(data["measure"].values).index(measure)
    rows = [compared(effect_row(data, one, place)) for one in range(data.sizes["comparison"])]
    chance = rows[0]["unit"] == "probability"
    scale = 100.0 if chance else 1.0
    with style():
        figure, axes = _canvas(len(rows))
        for line, row in enumerate(rows):
            colour = COLOURS[line % len(COLOURS)]
            if row["low"] is not None:
                axes.hlines(line, scale * row["low"], scale * row["high"], color=colour, linewidth=6, alpha=0.4)
            told = "no pair without war"
            if row["difference"] is not None:
                axes.plot([scale * row["difference"]], [line], "o", color=colour, markersize=8, markeredgecolor="white")
                told = f"{number(row['difference'], row['unit'], sign=True)} ({interval(row)})"
            _above(axes, line, row["scenario"])
            _above(axes, line, told.replace("-", "−"), right=True)
        unit = "percentage points" if chance else rows[0]["unit"]
        pairs = "; pairs without war" if rows[0]["cut_by_war"] else ""
        _frame(axes, len(rows), f"difference to {data['baseline'].values[0]}, {unit}{pairs}")
    return figure


def shares_figure(data: xr.Dataset) -> Figure:
    """Fair shares of the mechanisms, largest on top, with nine in ten draws as a line."""
    order = np.argsort(-np.abs(data["shapley"].values), kind="stable")
    shown = data.isel(mechanism=order)
    digits = digits_of(data.attrs["total"])
    with style():
        figure, axes = _canvas(shown.sizes["mechanism"])
        low, high = shown["shapley_low"].values, shown["shapley_high"].values
        for line, name in enumerate(shown["mechanism"].values):
            share = float(shown["shapley"].values[line])
            axes.barh(line, share, height=0.3, color=BLUE if share >= 0.0 else ORANGE)
            if np.isfinite(low[line]):
                axes.hlines(line, low[line], high[line], color=INK, linewidth=1.4)
            words = MECHANISM_WORDS[str(name)]
            _above(axes, line, words[0].upper() + words[1:])
            _above(axes, line, f"{share:+.{digits}f}".replace("-", "−"), right=True)
        _frame(axes, shown.sizes["mechanism"], f"fair share, {data.attrs['units']}")
    return figure


def _canvas(rows: int) -> tuple[Figure, Axes]:
    height = FOOT + ROW * rows
    figure = new_figure(WIDTH, height)
    return figure, figure.add_axes((0.02, FOOT / height, 0.96, 1 - FOOT / height))


def _above(axes: Axes, line: int, words: str, right: bool = False) -> None:
    """Words above a line, at the left edge or at the right."""
    axes.annotate(
        words, (1.0 if right else 0.0, line), xycoords=("axes fraction", "data"), xytext=(0, 9),
        textcoords="offset points", ha="right" if right else "left", va="bottom", fontsize=9, color=INK,
        fontweight="bold" if right else "normal", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def _frame(axes: Axes, rows: int, words: str) -> None:
    axes.axvline(0.0, color=GREY, linewidth=1.0, zorder=0)
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_yticks([])
    axes.set_ylim(rows - 0.55, -0.75)
    axes.margins(x=0.06)
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=3, labelsize=9)
    axes.set_xlabel(words, fontsize=9, color=INK)
