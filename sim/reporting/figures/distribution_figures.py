"""Distributions: how often each value of an outcome came, and how draws of parameters are spread, before and after."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.experiment.dataset import outcomes_in
from sim.experiment.formats import named
from sim.experiment.result_dir import config_in
from sim.experiment.statistics import INTERVAL_90, Array, Tally, quantile
from sim.model.declared_outcomes import Outcome
from sim.model.parameters import shared_declarations
from sim.model.scenario import titled
from sim.model.timeline import long_date
from sim.model.validation import UserError, one_of
from sim.reporting.figures.briefing import source_of
from sim.reporting.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    ORANGE,
    WIDTH,
    fitted,
    footer,
    name_colours,
    new_figure,
    quiet,
    style,
)
from sim.reporting.text import FigureSource, enumerated, parameter_title
from sim.rules.outcomes import NEVER

PANEL: Final = 2.5
LEFT: Final = 0.075
MOST_BARS: Final = 40
"""Values are put together in bars of equal width where there are more."""
SEEN: Final = 0.995
"""Share of the histories that the axis shows where the tail is heavy."""
COLUMNS: Final = 3
SMALL_PANEL: Final = 1.95
HEAD: Final = 1.05
FOOT: Final = 0.3
BARS: Final = 24
LOOKS: Final = ((GREY, 0.35), (BLUE, 0.55), (ORANGE, 0.45))
"""Of the panels of parameters: how many in a row, inches of one and of what stands above and below, bars, looks."""


def outcome_figure(found: Mapping[str, xr.Dataset], names: Sequence[str]) -> Figure:
    """The distribution of outcomes: share of the histories with each value, and the medians.

    Args:
        found: ensembles as `simulate` gives them, up to six, by what they are to be called; a single one needs no name.
        names: outcomes, one panel each. Of days, histories without the event are counted in words.
    """
    first = next(iter(found.values()))
    known = outcomes_in(first.variables)
    for name in names:
        if name not in known:
            raise UserError("outcome", name, one_of(known, name))
    several = len(found) > 1
    above = 1.28 if several else 0.92
    scenario = config_in(first).scenario
    with style():
        figure = new_figure(WIDTH, above + len(names) * PANEL + 0.1)
        height = figure.get_figheight()
        panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
        figure.subplots_adjust(left=LEFT, right=0.975, top=1 - above / height, bottom=0.8 / height, hspace=0.62)
        for axes, name in zip(panels, names, strict=True):
            _outcome_panel(axes, {label: data[name].values for label, data in found.items()}, known[name])
            axes.set_title(named(known[name].title, scenario.cast), fontsize=10.5, fontweight="bold", pad=20)
            unit = known[name].unit
            axes.set_xlabel(f"day, counted from {long_date(scenario.calendar.start)}" if unit == "day" else unit)
        if several:
            name_colours(figure, list(found), COLOURS, LEFT, 0.42)
        title = f"How often each value came: {', '.join(named(known[one].title, scenario.cast) for one in names)}"
        fitted(figure, 1 - 0.12 / height, title, fontsize=12, left=LEFT, fontweight="bold")
        footer(figure, source_of(found), left=LEFT)
    return figure


def _outcome_panel(axes: Axes, samples: Mapping[str, Array], outcome: Outcome) -> None:
    happened = {label: np.asarray(values, dtype=np.float64) for label, values in samples.items()}
    if outcome.unit == "day":
        happened = {label: values[values != NEVER] for label, values in happened.items()}
    edges = bars(np.concatenate(list(happened.values())), outcome.heavy_tailed)
    lines = []
    for place, (label, values) in enumerate(happened.items()):
        colour, total = COLOURS[place % len(COLOURS)], len(samples[label])
        share = np.histogram(values, edges)[0] / total
        one = len(samples) == 1
        axes.stairs(share, edges, fill=True, color=colour, alpha=0.55 if one else 0.3, linewidth=0)
        axes.stairs(share, edges, color=colour, linewidth=1.4)
        prefix = "" if one else f"{label}: "
        if len(values):
            middle = Tally.of(values).quantile(10)
            axes.axvline(middle, color=INK if one else colour, linewidth=1.6, linestyle="--")
            prefix += f"median {middle:,.4g}"
        lines.append(prefix + _left_out(values, total, edges))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylabel("of the histories")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.annotate(
        "; ".join(lines), (0, 1), xycoords="axes fraction", xytext=(0, 6), textcoords="offset points", color=GREY,
        fontsize=9,
    )  # fmt: skip
    quiet(axes)


def _left_out(values: Array, total: int, edges: Array) -> str:
    """What the bars do not show: histories without a value, and those beyond the axis."""
    never, beyond = total - len(values), int((values > edges[-1]).sum())
    words = f", never in {never / total:.0%}" if never else ""
    return words + (f", more than {np.floor(edges[-1]):,.0f} in {beyond / total:.1%}" if beyond else "")


def bars(values: Array, heavy_tailed: bool = False) -> Array:
    """Edges of bars (E,): one bar for each whole number, wider ones where there are many, 40 where values are no whole.

    >>> bars(np.array([0.0, 2.0]))
    array([-0.5,  0.5,  1.5,  2.5])
    """
    if not len(values):
        return np.array([-0.5, 0.5])
    low, high = float(values.min()), float(quantile(values, SEEN) if heavy_tailed else values.max())
    if np.array_equal(values, np.round(values)):
        low, high = np.floor(low), np.ceil(high)
        step = max(1.0, np.ceil((high - low + 1) / MOST_BARS))
        return np.arange(low, high + step + 1, step)[: int((high - low) // step) + 2] - 0.5
    return np.linspace(low, high if high > low else low + 1.0, MOST_BARS + 1)


def draws_figure(found: Mapping[str, xr.Dataset], names: Sequence[str]) -> Figure:
    """How draws of parameters are spread, set of draws over set of draws, one panel a parameter.

    Args:
        found: up to three sweeps with a draw of the parameters at each point, by what they are to be called.
        names: keys of the parameters.
    """
    known = [str(key) for key in shared_declarations() if all(key in data.coords for data in found.values())]
    for name in names:
        if name not in known:
            raise UserError("draw", name, one_of(known, name))
    rows = -(-len(names) // COLUMNS)
    points = enumerated([f"{data.sizes['point']:,}" for data in found.values()])
    seeds = ", ".join(sorted({str(data.attrs["seed"]) for data in found.values()}))
    titles = dict.fromkeys(titled(str(data.attrs["scenario"])) for data in found.values())
    source = FigureSource(list(titles), f"{points} draws of the parameters", seeds)
    with style():
        figure = new_figure(WIDTH, HEAD + SMALL_PANEL * rows + FOOT)
        height = figure.get_figheight()
        grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        figure.subplots_adjust(0.02, (0.45 + FOOT) / height, 0.98, 1 - HEAD / height, 0.1, 0.75)
        for axes in grid[len(names) :]:
            axes.set_axis_off()
        for axes, name in zip(grid, names, strict=False):
            _draws_panel(axes, name, [data[name].values for data in found.values()])
        figure.legend(
            handles=[Patch(color=c, alpha=alpha, label=label) for label, (c, alpha) in zip(found, LOOKS, strict=False)],
            ncols=len(found), loc="upper left", bbox_to_anchor=(0.015, 1 - 0.35 / height), fontsize=10,
        )  # fmt: skip
        title = f"How draws of {len(names)} parameters are spread: {' and '.join(found)}"
        fitted(figure, 1 - 0.12 / height, title, fontsize=12, left=0.02, fontweight="bold")
        words = "a bar holds 90% of draws"
        figure.text(0.98, 1 - 0.42 / height, words, ha="right", va="top", fontsize=9, color=GREY)
        footer(figure, source, left=0.02)
    return figure


def _draws_panel(axes: Axes, name: str, samples: Sequence[Array]) -> None:
    """Histograms of one parameter over each other, with an interval for each beneath."""
    declared = shared_declarations()[name]
    ratios = declared.prior.shape == "log_uniform"
    low, high = quantile(np.concatenate(samples), [0.001, 0.999])
    edges = np.geomspace(low, high, BARS + 1) if ratios else np.linspace(low, high, BARS + 1)
    for place, (values, (colour, alpha)) in enumerate(zip(samples, LOOKS, strict=False)):
        share = np.histogram(values, edges)[0] / len(values)
        axes.stairs(share, edges, fill=True, color=colour, alpha=alpha)
        span = quantile(values, INTERVAL_90)
        y = -0.05 - 0.09 * place
        beneath = axes.get_xaxis_transform()
        axes.plot(
            span, [y, y], color=colour, linewidth=3.5, alpha=min(1.0, alpha + 0.3), transform=beneath,
            clip_on=False, solid_capstyle="butt",
        )  # fmt: skip
    if ratios:
        axes.set_xscale("log")
        axes.set_xticks(ticks := decades(low, high), [f"{one:g}" for one in ticks])
        axes.minorticks_off()
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", pad=7 + 6 * len(samples), length=0)
    axes.set_title(parameter_title(name), fontsize=9.5, fontweight="bold")
    if declared.unit != "1":
        axes.set_title(declared.unit, loc="right", fontsize=9, color=GREY)


def decades(low: float, high: float) -> list[float]:
    """Round numbers to write on an axis of ratios, four at most: 1, 2 and 5 times powers of ten, fewer where many.

    >>> decades(0.502, 4.0), decades(0.002, 0.2)
    ([0.5, 1.0, 2.0], [0.003, 0.01, 0.03, 0.1])
    """

    def inside(value: float) -> bool:
        return 0.98 * low <= value <= 1.02 * high

    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{digit}e{power}") for power in powers for digit in digits if inside(digit * 10.0**power)]
        if len(ticks) <= 4:
            break
    return ticks
