"""How often each value of an outcome came: one panel an outcome, ensembles laid over each other."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.rules.outcomes import NEVER, Outcome
from sim.study.chronicle import spelled
from sim.study.outcomes import outcomes_in
from sim.study.provenance import config_in
from sim.study.tally import Tally
from sim.view.figures.fan import COLOURS
from sim.view.figures.ranking import named
from sim.view.style import GREY, INK, new_figure, quiet, style
from sim.world.errors import UserError, one_of
from sim.world.scenario import Scenario

Array = npt.NDArray[np.float64]

WIDTH: Final = 9.5
PANEL: Final = 2.5
LEFT: Final = 0.075
MOST_BARS: Final = 40
"""Values are put together in bars of equal width where there are more."""
SEEN: Final = 0.995
"""Share of the histories that the axis shows where the tail is heavy."""


def outcome_figure(found: Mapping[str, xr.Dataset], names: Sequence[str]) -> Figure:
    """The distribution of outcomes: share of the histories with each value, and the medians.

    Args:
        found: ensembles as `simulate` gives them, up to six, by what they are to be called; a single one needs no name.
        names: outcomes, one panel each. Of days, histories in which the thing never happened are told, not drawn.

    Raises:
        UserError: there is no outcome of that name.
    """
    first = next(iter(found.values()))
    known = outcomes_in(first.variables)
    for name in names:
        if name not in known:
            raise UserError("outcome", name, one_of(known, name))
    several = len(found) > 1
    above = 0.98 if several else 0.62
    scenario = config_in(first).scenario
    with style():
        figure = new_figure(WIDTH, above + len(names) * PANEL + 0.1)
        height = figure.get_figheight()
        panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
        figure.subplots_adjust(left=LEFT, right=0.975, top=1 - above / height, bottom=0.8 / height, hspace=0.62)
        for axes, name in zip(panels, names, strict=True):
            _panel(axes, {label: data[name].values for label, data in found.items()}, known[name])
            _words(axes, known[name], scenario)
        if several:
            handles = [Patch(color=colour, label=label) for label, colour in zip(found, COLOURS, strict=False)]
            figure.legend(
                handles=handles, ncols=len(handles), loc="upper left", fontsize=10, handlelength=1.2,
                bbox_to_anchor=(LEFT, 1 - 0.1 / height), borderaxespad=0.0, borderpad=0.0,
            )  # fmt: skip
        runs = ", ".join(sorted({f"{data.sizes['run']:,}" for data in found.values()}))
        words = f"Source: Lull, {runs} simulated histories{' each' if several else ''}. A model, not a forecast."
        figure.text(LEFT, 0.1 / height, words, fontsize=8, color=GREY)
    return figure


def _panel(axes: Axes, samples: Mapping[str, npt.NDArray[np.generic]], outcome: Outcome) -> None:
    happened = {label: _happened(values, outcome) for label, values in samples.items()}
    edges = bars(np.concatenate(list(happened.values())), outcome.heavy_tailed)
    told = []
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
        told.append(prefix + _left_out(values, total, edges))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylabel("of the histories")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.annotate(
        "; ".join(told), (0, 1), xycoords="axes fraction", xytext=(0, 6), textcoords="offset points", color=GREY,
        fontsize=9,
    )  # fmt: skip
    quiet(axes)


def _words(axes: Axes, outcome: Outcome, scenario: Scenario) -> None:
    """What is shown, with roles by their names, and its unit."""
    title = named(outcome.text, scenario.cast)
    axes.set_title(title[0].upper() + title[1:], fontsize=10.5, fontweight="bold", pad=20)
    start = spelled(scenario.calendar.start)
    axes.set_xlabel(f"day, counted from {start}" if outcome.unit == "day" else outcome.unit)


def _happened(values: npt.NDArray[np.generic], outcome: Outcome) -> Array:
    """The values (N,) as numbers, without those of histories in which the thing never happened."""
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[numbers != NEVER] if outcome.unit == "day" else numbers


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
    low, high = float(values.min()), float(np.quantile(values, SEEN) if heavy_tailed else values.max())
    if np.array_equal(values, np.round(values)):
        low, high = np.floor(low), np.ceil(high)
        step = max(1.0, np.ceil((high - low + 1) / MOST_BARS))
        return np.arange(low, high + step + 1, step)[: int((high - low) // step) + 2] - 0.5
    return np.linspace(low, high if high > low else low + 1.0, MOST_BARS + 1)
