"""The figure of an attribution: what each mechanism adds, from none at work to all."""

from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.view.attribution import MECHANISM_WORDS, digits_of
from sim.view.style import BLUE, GREY, INK, ORANGE, new_figure, style

WIDTH: Final = 11.0
ROW: Final = 0.42
"""Inches of a mechanism."""
EDGES: Final = 2.4


def attribution_figure(data: xr.Dataset) -> Figure:
    """Fair shares as bars with the spread over draws, beside them what each brings alone and is missed for."""
    order = np.argsort(-np.abs(data["shapley"].values), kind="stable")
    shown = data.isel(mechanism=order)
    rows = np.arange(shown.sizes["mechanism"])[::-1]
    with style():
        figure = new_figure(WIDTH, EDGES + ROW * len(rows))
        axes = figure.subplots()
        height = EDGES + ROW * len(rows)
        figure.subplots_adjust(left=0.31, right=0.97, top=1 - 1.15 / height, bottom=0.95 / height)
        _bars(axes, shown, rows)
        _frame(axes, shown, rows)
        _texts(figure, data)
    return figure


def _bars(axes: Axes, shown: xr.Dataset, rows: np.ndarray) -> None:
    shares = shown["shapley"].values
    axes.barh(rows, shares, height=0.55, color=np.where(shares >= 0.0, BLUE, ORANGE), label="_")
    low, high = shown["shapley_low"].values, shown["shapley_high"].values
    if not np.isnan(low).any():
        axes.hlines(rows, low, high, color=INK, linewidth=1.3, label="nine in ten draws of the parameters")
    axes.plot(shown["alone"], rows, "o", markersize=6, markerfacecolor="white", color=INK, label="alone")
    axes.plot(shown["but_for"], rows, "D", markersize=5, color=INK, label="lost where only it is missing")


def _frame(axes: Axes, shown: xr.Dataset, rows: np.ndarray) -> None:
    names = [MECHANISM_WORDS[str(name)] for name in shown["mechanism"].values]
    axes.set_yticks(rows, [name[0].upper() + name[1:] for name in names])
    axes.tick_params(axis="y", length=0)
    axes.axvline(0.0, color=GREY, linewidth=0.9)
    axes.grid(axis="x", color="#EDEFF2", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(f"share of the outcome, {shown.attrs['units']}")
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, fontsize=9, borderaxespad=0.3, handletextpad=0.5
    )  # fmt: skip


def _texts(figure: Figure, data: xr.Dataset) -> None:
    words, unit, digits = data.attrs["words"], data.attrs["units"], digits_of(data.attrs["total"])
    pinned = data.attrs["pinned"][0].upper() + data.attrs["pinned"][1:]
    height = figure.bbox.height / figure.dpi
    figure.text(0.02, 1 - 0.36 / height, f"What made it: {words}", fontsize=13, fontweight="bold", color=INK)
    below = (
        f"Bars: fair shares (Shapley values) of {data.sizes['mechanism']} mechanisms; together they lead from"
        f" {data.attrs['none']:.{digits}f} to {data.attrs['every']:.{digits}f} {unit}."
    )
    figure.text(0.02, 1 - 0.66 / height, below, fontsize=9.5, color=GREY)
    source = (
        f"Lull, scenario {data.attrs['scenario']}, seed {data.attrs['seed']}, parameters: {data.attrs['parameters']},"
        f" {data.attrs['draws']} draws of {data.attrs['runs']} histories. {pinned}."
    )
    figure.text(0.02, 0.14 / height, source, fontsize=8.5, color=GREY)
