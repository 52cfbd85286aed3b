"""The figure of a sweep: a line along one axis, a map over two, outcomes against every axis where there are more."""

import textwrap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from sim.experiment.dataset import outcomes_in
from sim.experiment.statistics import Array
from sim.experiment.sweep.profiles import AtPoints, Profile, SweptFactor, at_points, profile, runs_at, strongest, varied
from sim.model.scenario import titled
from sim.model.validation import UserError, one_of
from sim.reporting.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, bare, fitted, footer, new_figure, quiet, style
from sim.reporting.text import FigureSource, outcome_title, parameter_title, percent

OUTCOMES: Final = ("acknowledged_lull", "lull_days", "war")
"""The default outcomes: how quiet it was, how long, and whether it ended in war."""

COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE, INK, GREY)
MOST_AXES: Final = 6
"""Columns of the figure where more than two things vary; of more axes, those along which outcomes vary most."""
LINE_BINS: Final = 8
SIDE: Final = 6
"""Bins along each side of a map of sampled points."""
WIDTH: Final = 13.33
NARROW: Final = 9.5
"""Inches: several panels side by side, and a single one."""
WIDE: Final = 5.0
"""Below this ratio of the largest to the smallest value no axis is logarithmic."""
AT_ONCE: Final = 20_000_000
"""Histories of which outcomes are held in memory, so that every axis need not read them from disk again."""

MAP: Final = LinearSegmentedColormap.from_list("lull", ["#F4F7FA", "#9CC3DE", BLUE, "#06304D"])


def sweep_figure(data: xr.Dataset, outcomes: Sequence[str] | None = None) -> Figure:
    """Outcomes of a sweep over what varies, with Monte Carlo errors.

    One axis: a line with a band of two errors either way. Two: a line for each value where one of them has names, else
    a map with its values. More: every outcome against every axis, means over the points with a dark band of two
    standard errors and a pale one that holds 90% of the points.

    Args:
        data: a sweep as `open_sweep` gives it.
        outcomes: what to draw; a mean, a share, a median day or a 95 % quantile, as each allows.

    Raises:
        UserError: there is no outcome of that name, or nothing varies.
    """
    known = outcomes_in(data.variables)
    outcomes = outcomes or [name for name in OUTCOMES if name in known] or [*known][: len(OUTCOMES)]
    for name in outcomes:
        if name not in known:
            raise UserError("outcome", name, one_of(known, name))
    if data.sizes["point"] * data.sizes["run"] <= AT_ONCE:
        data = data[list({*outcomes, *[*known][:1], "war"} & known.keys())].load()
    axes = varied(data, LINE_BINS)
    if not axes:
        raise UserError("sweep", data.attrs.get("title", ""), "a sweep in which something varies")
    found = [at_points(data, name) for name in outcomes]
    with style():
        if len(axes) == 1:
            figure = _lines(data, axes[0], None, found)
        elif len(axes) == 2 and any(_names(axis) for axis in axes):
            names, along = sorted(axes, key=lambda axis: not _names(axis))
            figure = _lines(data, along, names, found)
        elif len(axes) == 2:
            figure = _maps(data, found)
        else:
            figure = _grid(data, axes, found)
    return figure


def _names(axis: SweptFactor) -> bool:
    """Whether an axis has few names rather than numbers."""
    return not axis.numeric and len(axis.labels) <= len(COLOURS)


# --- the three kinds ----------------------------------------------------------------------------------------


def _lines(data: xr.Dataset, along: SweptFactor, names: SweptFactor | None, found: Sequence[AtPoints]) -> Figure:
    height = 4.6 if names is None else 5.0
    text, over = "Band: two Monte Carlo errors either way.", [along] if names is None else [names, along]
    figure, panels = _page(data, over, len(found), 1, height, text, names is not None)
    groups = 1 if names is None else len(names.labels)
    for axes, at in zip(panels[0], found, strict=True):
        for k in range(groups):
            mine = np.full(len(along.place), True) if names is None else names.place == k
            label = None if names is None else _labels(names)[k]
            shown = profile(data, at, np.where(mine, along.place, len(along.centres)), len(along.centres) + 1)
            _draw(axes, along, _without_last(shown), COLOURS[k], label, spread=False, share=at.by == "share")
        _finish(axes, along, at)
    if names is not None:
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(
            handles, labels, ncols=len(labels), loc="upper left", bbox_to_anchor=(0.045, 1 - 0.78 / height),
            title=None, fontsize=10, handlelength=1.4, borderpad=0.0, borderaxespad=0.0,
        )  # fmt: skip
    return figure


def _maps(data: xr.Dataset, found: Sequence[AtPoints]) -> Figure:
    across, up = varied(data, _side(data))
    worst = ", ".join(f"{outcome_title(at.name, at.text)} {_number(float(at.errors.max()), at)}" for at in found)
    text = f"Largest Monte Carlo error of a point: {worst}."
    figure, panels = _page(data, [across, up], len(found), 1, 5.2, text)
    count = len(across.labels) * len(up.labels)
    for axes, at in zip(panels[0], found, strict=True):
        shown = profile(data, at, up.place * len(across.labels) + across.place, count)
        shape = (len(up.labels), len(across.labels))
        draw_map(axes, shown.mean.reshape(shape), at)
        for ticks, labels, axis in (
            (axes.set_xticks, across.labels, across), (axes.set_yticks, up.labels, up),
        ):  # fmt: skip
            ticks(range(len(labels)), labels, fontsize=8 if axis.levels else 7)
        if len(across.labels) > SIDE and max(len(one) for one in across.labels) > 4:
            axes.tick_params(axis="x", rotation=45)
        axes.set_xlabel(_said(across), fontsize=9)
        axes.set_ylabel(_said(up) if axes is panels[0][0] else "", fontsize=9)
    return figure


def _grid(data: xr.Dataset, axes: Sequence[SweptFactor], found: Sequence[AtPoints]) -> Figure:
    shown = [(axis, [profile(data, at, axis.place, len(axis.centres)) for at in found]) for axis in axes]
    chosen = strongest(shown, MOST_AXES)
    shown = [one for one in shown if one[0].name in chosen]
    left = f" The {len(shown)} of {len(axes)} that move them most." if len(shown) < len(axes) else ""
    text = f"Line: mean over the points. Dark band: two standard errors. Pale: 90% of the points.{left}"
    figure, panels = _page(data, axes, len(shown), len(found), 1.9 + 1.95 * len(found), text)
    for column, (axis, profiles) in enumerate(shown):
        for row, (at, one) in enumerate(zip(found, profiles, strict=True)):
            place = panels[row][column]
            _draw(place, axis, one, COLOURS[row], None, spread=True, share=at.by == "share")
            _finish(place, axis, at, last=row == len(found) - 1, headed=column == 0, narrow=True)
            place.sharey(panels[row][0])
            place.tick_params(labelleft=column == 0)
    return figure


# --- parts --------------------------------------------------------------------------------------------------


def _page(
    data: xr.Dataset, axes: Sequence[SweptFactor], columns: int, rows: int, height: float, text: str,
    legend: bool = False,
) -> tuple[Figure, list[list[Axes]]]:  # fmt: skip
    """An empty page with its title, a line below it, a grid of panels, and its source."""
    figure = new_figure(NARROW if columns == 1 else WIDTH, height)
    top, bottom = 1 - (1.35 + 0.2 * legend) / height, 1.15 / height
    grid = figure.add_gridspec(
        rows, columns, left=0.075, right=0.985, top=top, bottom=bottom, wspace=0.22 if rows == 1 else 0.1, hspace=0.34
    )
    panels = [[figure.add_subplot(grid[row, column]) for column in range(columns)] for row in range(rows)]
    fitted(figure, 1 - 0.2 / height, _title(data, axes), fontsize=14.5, fontweight="bold")
    figure.text(0.045, 1 - 0.53 / height, text, fontsize=10, color=GREY, va="top")
    footer(figure, sweep_source(data))
    return figure, panels


def sweep_source(data: xr.Dataset) -> FigureSource:
    """Where the figures of a sweep come from: the scenarios swept, points and runs."""
    have = runs_at(data)
    runs = f"{have.min():,}" if have.min() == have.max() else f"{have.min():,} to {have.max():,}"
    labels = data["scenario"].values.tolist() if "scenario" in data.coords else [data.attrs["scenario"]]
    made = f"{data.sizes['point']:,} points, {runs} histories at each"
    return FigureSource(
        [titled(str(one)) for one in dict.fromkeys(np.ravel(labels).tolist())], made, data.attrs["seed"]
    )


def _title(data: xr.Dataset, axes: Sequence[SweptFactor]) -> str:
    names = [axis.name if _is_key(axis) else f"“{parameter_title(axis.name, axis.text)}”" for axis in axes]
    over = (
        f"{len(names)} settings" if len(names) > 3 else " and ".join([", ".join(names[:-1]), names[-1]][-len(names) :])
    )
    where = "" if "scenario" in names else f", scenario {titled(data.attrs['scenario'])}"
    return f"What changes with {over}{where}"


def _draw(
    axes: Axes, axis: SweptFactor, one: Profile, colour: str, label: str | None, spread: bool, share: bool
) -> None:
    """One line with its band, or dots with bars where values have names."""
    low, high = one.mean - 2 * one.error, one.mean + 2 * one.error
    if share:
        low, high = low.clip(0.0, 1.0), high.clip(0.0, 1.0)
    if not axis.numeric:
        if spread:
            axes.vlines(axis.centres, one.low, one.high, color=colour, alpha=0.2, linewidth=9)
        axes.vlines(axis.centres, low, high, color=colour, linewidth=2.2)
        axes.plot(axis.centres, one.mean, "o", color=colour, markersize=5, label=label)
        return
    if spread:
        axes.fill_between(axis.centres, one.low, one.high, color=colour, alpha=0.13, linewidth=0)
    axes.fill_between(axis.centres, low, high, color=colour, alpha=0.32, linewidth=0)
    marker = "o" if axis.levels else ""
    axes.plot(axis.centres, one.mean, marker=marker, color=colour, linewidth=1.7, markersize=3.5, label=label)


def _finish(
    axes: Axes, axis: SweptFactor, at: AtPoints, last: bool = True, headed: bool = True, narrow: bool = False
) -> None:
    """Title, units and ticks of a panel."""
    if headed:
        axes.set_title(_outcome(at), fontsize=10, fontweight="bold", loc="left")
    if not axis.numeric:
        slanted = narrow or len(axis.labels) > 4
        turned: dict[str, Any] = (
            {"rotation": 30, "ha": "right", "rotation_mode": "anchor", "fontsize": 8} if slanted else {}
        )
        axes.set_xticks(axis.centres, _folded(axis, 30 if slanted else 12), **turned)
        axes.set_xlim(-0.6, len(axis.labels) - 0.4)
    elif _geometric(axis.centres):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if narrow else (1.0, 3.0), numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    elif axis.levels and len(axis.centres) <= (4 if narrow else 8):
        axes.set_xticks(axis.centres, axis.labels)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if narrow else 7))
    axes.tick_params(axis="x", which="both", labelbottom=last)
    if last:
        axes.set_xlabel(_said(axis, 24 if narrow else 44), fontsize=8.5 if narrow else 9.5)
    if at.by == "share":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    quiet(axes)


def draw_map(axes: Axes, means: Array, at: AtPoints, span: tuple[float, float] | None = None) -> None:
    """A map (rows, columns) with its values written in; colours go from the least to the most, or over `span`."""
    finite = np.where(np.isfinite(means), means, np.nan)
    least, most = span or (float(np.nanmin(finite)), float(np.nanmax(finite)))
    axes.imshow(finite, origin="lower", aspect="auto", cmap=MAP, vmin=least, vmax=max(most, least + 1e-12))
    size = 8.5 if means.size <= 49 else 7 if means.size <= 100 else 5.5
    for (row, column), value in np.ndenumerate(means):
        if np.isnan(value):
            continue
        dark = (value - least) / max(most - least, 1e-12) > 0.45
        text = "never" if np.isinf(value) else _number(value, at, most)
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color="white" if dark else INK)
    axes.set_title(_outcome(at), fontsize=10, fontweight="bold", loc="left")
    bare(axes)


def _geometric(centres: Array) -> bool:
    """Whether values stand more evenly by their logarithms than by themselves.

    >>> _geometric(np.array([1.0, 3.0, 10.0])), _geometric(np.array([0.1, 0.5, 0.9]))
    (True, False)
    """
    if centres[0] <= 0 or centres[-1] / centres[0] < WIDE:
        return False
    plain, logs = np.diff(centres), np.diff(np.log(centres))
    return bool(logs.std() / logs.mean() < plain.std() / plain.mean())


def _outcome(at: AtPoints) -> str:
    """What a panel shows, in at most two lines."""
    unit = "share of histories" if at.by == "share" else f"{at.by}, {at.unit}"
    return "\n".join(textwrap.wrap(f"{outcome_title(at.name, at.text)} ({unit})", 46))


def _said(axis: SweptFactor, width: int = 44) -> str:
    """What an axis is: its title and unit; a key that is no parameter stands for itself."""
    if _is_key(axis):
        return axis.name
    unit = "" if axis.unit in ("", "1") else f" ({axis.unit})"
    return "\n".join(textwrap.wrap(parameter_title(axis.name, axis.text) + unit, width))


def _is_key(axis: SweptFactor) -> bool:
    """Whether an axis is a key that is no parameter."""
    return axis.text.startswith("configuration key") or axis.text == axis.name


def _labels(axis: SweptFactor) -> Sequence[str]:
    """The values along an axis as they are written; scenarios by their titles."""
    return tuple(map(titled, axis.labels)) if axis.name == "scenario" else axis.labels


def _folded(axis: SweptFactor, width: int) -> list[str]:
    """The same in lines short enough to stand in a row below an axis."""
    return [textwrap.fill(one, width, break_long_words=False, break_on_hyphens=False) for one in _labels(axis)]


def _number(value: float, at: AtPoints, most: float | None = None) -> str:
    """A value in as few digits as tell the values up to `most` apart: shares as per cent."""
    if np.isinf(value):
        return "unknown (too few runs)"
    if at.by == "share":
        return percent(value)
    scale = abs(value) if most is None else abs(most)
    return f"{value:.0f}" if scale >= 100 else f"{value:.1f}" if scale >= 1 else f"{value:.2f}"


def _without_last(one: Profile) -> Profile:
    return Profile(one.mean[:-1], one.error[:-1], one.low[:-1], one.high[:-1])


def _side(data: xr.Dataset) -> int:
    """Bins of a map: as many as leave some eight points in each."""
    return int(np.clip(np.sqrt(data.sizes["point"] / 8), 2, SIDE))
