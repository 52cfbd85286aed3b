"""The figures of a search for boxes: how it went, and what it found."""

import textwrap
from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from sim.analysis.discovery.cases import Half
from sim.analysis.discovery.prim import inside
from sim.analysis.discovery.scenario_discovery import Box, Discovery, Restriction, Step
from sim.reporting.figures.sweep_figures import sweep_source
from sim.reporting.style import BLUE, GREY, INK, ORANGE, PALE, bare, footer, heading, new_figure, quiet, style
from sim.reporting.tables import box_words, case_words, dimension_title
from sim.reporting.text import percent

WIDTH: Final = 13.33
LEFT: Final = 0.045
TITLE: Final = 0.95
FOOT: Final = 0.7
BAR: Final = 0.62
TOPS: Final = (0.2, 0.55)
"""Inches: title, what stands below, one restriction, and the lines of the title below the upper edge."""

PERCENT: Final = FuncFormatter(lambda value, _: f"{100 * value:g}%")


def trajectory_figure(found: Discovery, data: xr.Dataset) -> Figure:
    """Density over coverage on the way of each search, in the search half and in the held-out half of a sweep."""
    boxes = found.boxes
    ways: list[tuple[Sequence[Step], int | None]] = [(one.steps, one.chosen) for one in boxes] or [(found.steps, None)]
    with style():
        figure = new_figure(WIDTH, 5.4)
        title = f"How the search for {case_words(found.cases.condition, data)} went"
        heading(figure, title, _sample_words(found), LEFT, 14.5, TOPS)
        grid = figure.add_gridspec(1, len(ways), left=0.065, right=0.985, top=0.74, bottom=0.19, wspace=0.18)
        for number, (steps, chosen) in enumerate(ways):
            axes = figure.add_subplot(grid[0, number])
            _way(axes, steps, chosen)
            axes.set_title(f"Box {number + 1}" if boxes else "No box", fontsize=11, fontweight="bold", loc="left")
            axes.set_ylabel("density: share of histories that are cases" if number == 0 else "", fontsize=9.5)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, ncols=len(labels), loc="upper left", bbox_to_anchor=(LEFT, 0.855), fontsize=9.5,
            borderpad=0.0, borderaxespad=0.0, columnspacing=1.6,
        )  # fmt: skip
        words = "From right to left the box gets smaller. Where the held-out line falls below, the search took noise"
        footer(figure, sweep_source(data), f"{words} for a pattern.", left=LEFT)
    return figure


def boxes_figure(found: Discovery, data: xr.Dataset) -> Figure:
    """Each box: the ranges that it has of what was swept, and the points of the held-out half of a sweep."""
    boxes = found.boxes
    rows = [max(2.6, 0.9 + BAR * len(one.restrictions)) for one in boxes] or [1.0]
    height = TITLE + sum(rows) + FOOT
    with style():
        figure = new_figure(WIDTH, height)
        title = f"Parameter values that go with {case_words(found.cases.condition, data)}"
        heading(figure, title, _sample_words(found), LEFT, 14.5, TOPS)
        top, left = TITLE, found.cases.held_out
        for number, (box, row) in enumerate(zip(boxes, rows, strict=False), 1):
            place = {"top": 1 - (top + 0.55) / height, "bottom": 1 - (top + row - 0.35) / height}
            grid = figure.add_gridspec(1, 2, left=0.28, right=0.975, wspace=0.26, width_ratios=(1.25, 1.0), **place)
            _ranges(figure.add_subplot(grid[0, 0]), box)
            _points(figure.add_subplot(grid[0, 1]), box, left)
            left = left.some(~inside(box.sides, left.place))
            title = f"Box {number}: {box_words(box)}"
            figure.text(LEFT, 1 - (top + 0.1) / height, title, fontsize=11, fontweight="bold", va="top")
            top += row
        if not boxes:
            figure.text(LEFT, 0.45, "No box found: no varied parameter separates cases from non-cases.", fontsize=12)
        note = "Points: the held-out half, without those of the boxes above. Grey bars: what was swept."
        footer(figure, sweep_source(data), note, left=LEFT)
    return figure


def _sample_words(found: Discovery) -> str:
    share = percent(found.density_held_out)
    return (
        f"{share} of histories are cases. Boxes are searched in half of points and runs and tested in the other half."
    )


def _way(axes: Axes, steps: Sequence[Step], chosen: int | None) -> None:
    for name, colour, dashes in (("found", BLUE, "-"), ("held_out", ORANGE, "--")):
        held = [getattr(one, name) for one in steps]
        coverage, density = [one.coverage for one in held], [one.density for one in held]
        label = "search half" if name == "found" else "held-out half"
        axes.plot(coverage, density, dashes, color=colour, linewidth=1.4, marker="o", markersize=3.5, label=label)
        if chosen is not None:
            mark = "chosen step" if name == "held_out" else None
            axes.plot(
                coverage[chosen], density[chosen], "o", markersize=11, markerfacecolor="none",
                markeredgecolor=INK, markeredgewidth=1.4, label=mark,
            )  # fmt: skip
    whole = steps[0].held_out.density
    axes.axhline(whole, color=GREY, linewidth=0.9, linestyle=":", label="all remaining points")
    axes.set_xlim(-0.03, 1.05)
    axes.set_ylim(0, 1.1 * max(0.01, *(max(one.found.density, one.held_out.density) for one in steps)))
    axes.set_xlabel("coverage: share of the cases left that lie in the box", fontsize=9.5)
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    quiet(axes)


def _ranges(axes: Axes, box: Box) -> None:
    """A bar for each restricted dimension: what was swept, and what of it the box has."""
    colour = BLUE if box.believed else GREY
    count = len(box.restrictions)
    for row, one in enumerate(reversed(box.restrictions)):
        axes.barh(row, 1.0, height=0.3, color=PALE)
        if one.dimension.numeric:
            low, high = _shares(one)
            axes.barh(row, high - low, left=low, height=0.3, color=colour)
            for limit, place in ((one.low, low), (one.high, high)):
                if limit is not None:
                    text = axes.text(place, row + 0.2, f"{limit:.3g}", ha="center", va="bottom", color=colour)
                    text.set(fontsize=9.5, fontweight="bold")
            for edge, place, side in ((one.dimension.low, 0.0, "left"), (one.dimension.high, 1.0, "right")):
                axes.text(place, row - 0.2, f"{edge:.3g}", ha=side, va="top", fontsize=8, color=GREY)
        else:
            for k, name in enumerate(one.dimension.names):
                share = 1.0 / len(one.dimension.names)
                chosen = name in one.names
                axes.barh(row, share * 0.97, left=k * share, height=0.3, color=colour if chosen else PALE)
                text = axes.text((k + 0.5) * share, row, name, ha="center", va="center", fontsize=8)
                text.set_color("white" if chosen else INK)
    labels = [_label(one) for one in reversed(box.restrictions)]
    axes.set_yticks(range(count), labels, fontsize=9)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.7, count - 0.3)
    axes.set_xticks([])
    bare(axes)


def _ends(one: Restriction) -> tuple[float, float]:
    """Where a box begins and ends."""
    low = one.dimension.low if one.low is None else one.low
    return low, one.dimension.high if one.high is None else one.high


def _shares(one: Restriction) -> tuple[float, float]:
    """The same as shares of what was swept."""
    low, high = one.dimension.low, one.dimension.high
    begin, end = _ends(one)
    return (begin - low) / (high - low), (end - low) / (high - low)


def _label(one: Restriction, width: int = 44) -> str:
    """A dimension in words with its unit."""
    unit = "" if one.dimension.unit in ("", "1") else f" ({one.dimension.unit})"
    return "\n".join(textwrap.wrap(dimension_title(one.dimension) + unit, width))


def _points(axes: Axes, box: Box, half: Half) -> None:
    """The points held out that no box before has: over two dimensions of the box, or the shares over its only one."""
    numbers = [one for one in box.restrictions if one.dimension.numeric]
    within = inside(box.sides, half.place)
    colour = BLUE if box.believed else GREY
    if len(numbers) >= 2:
        first, second = numbers[:2]
        spots = axes.scatter(
            half.place[first.dimension.key], half.place[second.dimension.key], c=half.shares, s=16, cmap="YlOrRd",
            vmin=0.0, edgecolors=GREY, linewidths=0.2,
        )  # fmt: skip
        bar = axes.figure.colorbar(spots, ax=axes, fraction=0.05, pad=0.02, format=PERCENT)
        bar.outline.set_visible(False)
        bar.set_label("share of histories that are cases", fontsize=9)
        axes.add_patch(_frame(first, second, colour))
        axes.set_ylabel(_label(second, 30), fontsize=9)
        axes.set_xlabel(_label(first), fontsize=9)
        return
    one = box.restrictions[0] if not numbers else numbers[0]
    column = half.place[one.dimension.key]
    if not one.dimension.numeric:
        chance = np.random.default_rng(0)
        order = {name: k for k, name in enumerate(one.dimension.names)}
        column = column.map(order) + chance.uniform(-0.2, 0.2, len(column))
        axes.set_xticks(range(len(order)), list(order), fontsize=8.5)
    for mine, shade, label in ((~within, "#B9BEC6", "outside"), (within, colour, "in the box")):
        axes.plot(column[mine], half.shares[mine], "o", markersize=3.2, color=shade, alpha=0.75, label=label)
    axes.yaxis.set_major_formatter(PERCENT)
    axes.set_xlabel(_label(one), fontsize=9)
    axes.set_ylabel("share of histories", fontsize=9)
    quiet(axes)


def _frame(first: Restriction, second: Restriction, colour: str) -> Rectangle:
    """The box over two dimensions."""
    (left, right), (bottom, top) = _ends(first), _ends(second)
    return Rectangle((left, bottom), right - left, top - bottom, fill=False, edgecolor=colour, linewidth=2.2)
