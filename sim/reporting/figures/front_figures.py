"""Figure of a search over levers: parallel coordinates, levers to the left, objectives to the right."""

import textwrap
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.experiment.statistics import Array
from sim.model.scenario import titled
from sim.reporting.style import GREY, INK, ORANGE, bare, footer, heading, new_figure, style
from sim.reporting.text import FigureSource, parameter_title, percent

if TYPE_CHECKING:
    from sim.analysis.optimising.pareto_search import Found, Problem
    from sim.analysis.sensitivity.targets import Target

HEIGHT: Final = 5.4
LEAST_WIDTH: Final = 9.5
AXIS: Final = 1.75
"""Inches between two axes."""
MARGIN: Final = 0.05
TITLE: Final = 20
"""Signs of a line of the title of an axis."""
LABEL: Final = 24


def front_figure(found: "Found") -> Figure:
    """One line for each candidate that stays on the front, coloured by the first objective; dashed: as configured."""
    problem, objectives = found.problem, found.problem.asked.objectives
    stay = np.flatnonzero(found.stays & found.keeps)
    means, own = found.values[:, stay].mean(axis=2), found.configured.mean(axis=1)
    width = max(LEAST_WIDTH, AXIS * (len(found.settings) + len(objectives)) + 1.0)
    with style():
        figure = new_figure(width, HEIGHT)
        title = f"{len(stay)} settings of {len(found.settings)} levers that no other dominates"
        said = "Judged on parameter sets and random numbers that the search never saw; a line is one setting."
        heading(figure, title, said, MARGIN, 14.0)
        axes = figure.add_axes((MARGIN + 0.06, 0.19, 0.82, 0.47))
        bare(axes)
        columns = [
            *(_lever(axes, place, problem, column[stay]) for place, column in enumerate(found.settings.values())),
            *(
                _objective(axes, len(found.settings) + place, one.target, one.sign, np.append(means[place], own[place]))
                for place, one in enumerate(objectives)
            ),
        ]
        loss = objectives[0].sign * means[0]
        colours = colormaps["viridis"](0.9 * _scaled(loss, loss.min(), loss.max()))
        for line, colour in zip(zip(*columns, strict=False), colours, strict=False):
            axes.plot(range(len(columns)), line, color=colour, linewidth=1.4, alpha=0.85)
        places = np.arange(len(found.settings), len(columns))
        ends = [columns[place][-1] for place in places]
        axes.plot(places, ends, "D--", color=ORANGE, markersize=6, linewidth=1.2, zorder=5, label="as configured")
        axes.legend(loc="upper right", bbox_to_anchor=(1.0, -0.06), frameon=False, fontsize=9)
        axes.set(xlim=(-0.1, len(columns) - 0.9), ylim=(-0.06, 1.06), xticks=[], yticks=[])
        made = f"{found.histories:,} histories, parameters {problem.asked.source}"
        footer(figure, FigureSource([titled(problem.config.scenario.name)], made, problem.config.seed), left=MARGIN)
    return figure


def _scaled(values: Array, low: float, high: float) -> Array:
    return np.full(len(values), 0.5) if high <= low else (values - low) / (high - low)


def _axis(axes: Axes, place: int, title: str, ticks: dict[float, str]) -> None:
    axes.plot([place, place], [0, 1], color=GREY, linewidth=0.9, zorder=1)
    axes.text(place, 1.13, textwrap.fill(title, TITLE), ha="center", va="bottom", fontsize=9, color=INK)
    for height, label in ticks.items():
        above = 1.03 if height == 1.0 else -0.03 if height == 0.0 else height
        va = "bottom" if height == 1.0 else "top" if height == 0.0 else "center"
        axes.text(place, above, label, ha="center", va=va, fontsize=8.5, color=GREY, zorder=6, backgroundcolor="white")


def _lever(axes: Axes, place: int, problem: "Problem", column: Array) -> Array:
    """Draw the axis of a lever over all that it may be; where each candidate lies on it."""
    title = parameter_title(problem.keys[place])
    if place < len(problem.levers):
        low, high = problem.levers[place].at(np.array([0.0, 1.0 - 1e-12]))
        _axis(axes, place, title, {0.0: f"{low:.3g}", 1.0: f"{high:.3g}"})
        return _scaled(column, low, high)
    labels = problem.choices[place - len(problem.levers)].labels
    heights = {label: (number + 0.5) / len(labels) for number, label in enumerate(labels)}
    _axis(axes, place, title, {height: label[:LABEL] for label, height in heights.items()})
    return np.array([heights[one] for one in column])


def _objective(axes: Axes, place: int, target: "Target", sign: int, values: Array) -> Array:
    """Draw the axis of an objective, the better end up; where each candidate and the scenario as configured lie."""
    low, high = float(values.min()), float(values.max())
    say = percent if target.unit == "probability" else "{:.3g}".format
    top, bottom = (low, high) if sign > 0 else (high, low)
    title = f"{target.title} ({'less' if sign > 0 else 'more'} is up)"
    _axis(axes, place, title, {1.0: say(top), 0.0: say(bottom)} if high > low else {0.5: say(low)})
    heights = _scaled(values, low, high)
    return 1 - heights if sign > 0 else heights
