"""Draws of parameters before and after: what a calibration moved, and what it left as it was."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from sim.view.style import BLUE, GREY, ORANGE, new_figure, style
from sim.world.errors import UserError, one_of
from sim.world.parameters import shared_declarations

Array = npt.NDArray[Any]

WIDTH: Final = 9.5
COLUMNS: Final = 3
PANEL: Final = 1.95
HEAD: Final = 0.75
BARS: Final = 24
LOOKS: Final = ((GREY, 0.35), (BLUE, 0.55), (ORANGE, 0.45))


def draws_figure(found: Mapping[str, xr.Dataset], names: Sequence[str]) -> Figure:
    """How draws of parameters are spread, set of draws over set of draws, one panel a parameter.

    Args:
        found: up to three sweeps with a draw of the parameters at each point, by what they are to be called.
        names: keys of the parameters.

    Raises:
        UserError: a name is no parameter that varies in all of them.
    """
    known = [str(key) for key in shared_declarations() if all(key in data.coords for data in found.values())]
    for name in names:
        if name not in known:
            raise UserError("draw", name, one_of(known, name))
    rows = -(-len(names) // COLUMNS)
    with style():
        figure = new_figure(WIDTH, HEAD + PANEL * rows)
        height = figure.get_figheight()
        grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        figure.subplots_adjust(0.02, 0.45 / height, 0.98, 1 - HEAD / height, 0.1, 0.75)
        for axes in grid[len(names) :]:
            axes.set_axis_off()
        for axes, name in zip(grid, names, strict=False):
            _panel(axes, name, [data[name].values for data in found.values()])
        figure.legend(
            handles=[Patch(color=c, alpha=alpha, label=label) for label, (c, alpha) in zip(found, LOOKS, strict=False)],
            ncols=len(found), loc="upper left", bbox_to_anchor=(0.015, 1 - 0.05 / height), fontsize=10,
        )  # fmt: skip
        words = "a bar holds nine in ten draws"
        figure.text(0.98, 1 - 0.1 / height, words, ha="right", va="top", fontsize=9, color=GREY)
    return figure


def _panel(axes: Axes, name: str, samples: Sequence[Array]) -> None:
    """Histograms of one parameter over each other, with an interval for each beneath."""
    declared = shared_declarations()[name]
    ratios = declared.prior.shape == "log_uniform"
    low, high = np.quantile(np.concatenate(samples), [0.001, 0.999])
    edges = np.geomspace(low, high, BARS + 1) if ratios else np.linspace(low, high, BARS + 1)
    for place, (values, (colour, alpha)) in enumerate(zip(samples, LOOKS, strict=False)):
        share = np.histogram(values, edges)[0] / len(values)
        axes.stairs(share, edges, fill=True, color=colour, alpha=alpha)
        span = np.quantile(values, [0.05, 0.95])
        y = -0.05 - 0.09 * place
        beneath = axes.get_xaxis_transform()
        axes.plot(
            span, [y, y], color=colour, linewidth=3.5, alpha=min(1.0, alpha + 0.3), transform=beneath,
            clip_on=False, solid_capstyle="butt",
        )  # fmt: skip
    if ratios:
        axes.set_xscale("log")
        axes.set_xticks(told := decades(low, high), [f"{one:g}" for one in told])
        axes.minorticks_off()
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", pad=7 + 6 * len(samples), length=0)
    axes.set_title(name, fontsize=10, fontweight="bold")
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
        told = [float(f"{digit}e{power}") for power in powers for digit in digits if inside(digit * 10.0**power)]
        if len(told) <= 4:
            break
    return told
