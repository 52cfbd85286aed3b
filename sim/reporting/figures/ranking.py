"""The figure of a sensitivity analysis: sensitivity indices, greatest first, and stochastic variance."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.analysis.sensitivity.indices import Ranking
from sim.analysis.sensitivity.sensitivity_run import VariedFactor
from sim.experiment.formats import named
from sim.model.cast import Cast
from sim.reporting.style import BLUE, GREY, ORANGE, footer, new_figure, quiet, style
from sim.reporting.text import FigureSource, capital, positional, unit_words

SHOWN: Final = 15
"""Parameters that a figure and a table show; the rest are summed up in a line."""

WIDTH: Final = 13.33
LEFT: Final = 0.43
RIGHT: Final = 0.965
ROW: Final = 0.36
HEAD: Final = 1.5
FOOT: Final = 1.3
"""Inches: a row, what stands above the rows, what stands below them."""
LABEL: Final = 62
"""Signs of a line of a label."""

GROUPS: Final = {
    "compliance": "Compliance", "deterrence": "Deterrence", "casualties": "Casualties",
    "observation": "Official count", "ladder": "Ladder to war", "multipliers": "All wings",
}  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """What the two measures of a method are, in words: for the axis, and for the legend."""

    axis: str
    main: str
    second: str | None
    most: float = 1.0


SCALES: Final = {
    "sobol": Scale(
        "share of the variance that parameters make; 1 is all of it",
        "with all its interactions (total order)",
        "alone (first order)",
    ),
    "morris": Scale(
        "mean change when the parameter moves by half of its range, {unit}", "mean size of the change", None, np.inf
    ),
    "pawn": Scale("distance between distributions, 0 to 1", "median over slices (PAWN)", "greatest"),
    "delta": Scale("share of the distribution that shifts, 0 to 1", "delta", "share of the variance alone"),
}


@dataclass(frozen=True)
class Shown:
    """What a figure needs in addition to the ranking: the case, the range of each parameter, and the source."""

    cast: Cast
    varied: Mapping[str, VariedFactor]
    source: FigureSource


def ranking_figure(one: Ranking, shown: Shown) -> Figure:
    """Dots with 95 % intervals for the first parameters, the dummy as a band, the part of chance as a bar."""
    count = min(SHOWN, len(one.keys))
    height = HEAD + ROW * (count + 1) + FOOT
    with style():
        figure = new_figure(WIDTH, height)
        axes = figure.add_axes((LEFT, FOOT / height, RIGHT - LEFT, ROW * (count + 1) / height))
        draw_rows(axes, one, shown, count)
        draw_chance(figure, one, height)
        write_frame(figure, one, shown, height)
    return figure


def draw_rows(axes: Axes, one: Ranking, shown: Shown, count: int) -> None:
    """One row per parameter, the greatest on top; grey where it does not differ from the dummy."""
    places = np.arange(count)
    lost = count + 0.15
    scale = SCALES[one.method]
    colours = [BLUE if distinct else GREY for distinct in one.distinguished[:count]]
    value, low, high = (edge[0, :count].clip(0.0, scale.most) for edge in one.measures)
    dummy = [float(np.clip(edge[0], 0.0, scale.most)) for edge in one.dummy]
    axes.axvline(dummy[0], color=GREY, linewidth=0.9, linestyle=":", zorder=1)
    axes.axhline(count - 0.45, color=GREY, linewidth=0.5, alpha=0.5)
    axes.hlines([lost], dummy[1], dummy[2], color=GREY, linewidth=2.2, alpha=0.55)
    axes.scatter(dummy[:1], [lost], s=46, marker="D", color=GREY, zorder=3, clip_on=False)
    axes.hlines(places, low, high, color=colours, linewidth=2.2, alpha=0.55)
    axes.scatter(value, places, s=46, color=colours, zorder=3, clip_on=False)
    handles: list[Any] = [axes.scatter([], [], s=46, color=BLUE, label=scale.main)]
    if scale.second is not None:
        alone = one.measures.value[1, :count]
        shown_alone = np.where(alone > 0.0, alone, np.nan)
        second = axes.scatter(
            shown_alone, places + 0.22, s=22, facecolors="white", edgecolors=ORANGE,
            linewidths=1.2, zorder=3, clip_on=False, label=scale.second,
        )  # fmt: skip
        handles.append(second)
    grey = axes.scatter([], [], s=46, color=GREY, label="not different from a parameter without effect")
    handles.append(grey)
    figure = axes.figure
    below = 0.42 / (figure.bbox.height / figure.dpi)
    figure.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(RIGHT, below), ncols=3, fontsize=8.5, borderaxespad=0.0
    )
    axes.set_ylim(count + 0.7, -0.6)
    axes.set_xlim(0.0, min(max(float(high.max()), dummy[2]) * 1.03, scale.most))
    labels = [*(label(key, shown) for key in one.keys[:count]), "a parameter without effect"]
    axes.set_yticks([*places, lost], labels, fontsize=8.5)
    axes.set_xlabel(scale.axis.format(unit=one.target.unit), fontsize=9, color=GREY)
    quiet(axes, "x")


def draw_chance(figure: Figure, one: Ranking, height: float) -> None:
    """The stochastic share of the variance of single histories, as a bar over the rows."""
    share, low, high = (float(edge) for edge in one.chance.share)
    if not np.isfinite(share):
        return
    axes = figure.add_axes((LEFT, 1 - (HEAD - 0.32) / height, RIGHT - LEFT, 0.2 / height))
    axes.barh([0.0], [share], color=GREY, alpha=0.7)
    axes.barh([0.0], [1 - share], left=[share], color=BLUE, alpha=0.8)
    axes.set_xlim(0.0, 1.0)
    axes.set_axis_off()
    words = f"stochastic variance {share:.0%} ({low:.0%} to {high:.0%})"
    axes.set_title(words, loc="left", fontsize=8.5, color=GREY, pad=3)
    axes.set_title(f"parameters {1 - share:.0%}", loc="right", fontsize=8.5, color=BLUE, pad=3)
    figure.text(
        LEFT - 0.008, 1 - (HEAD - 0.42) / height, "Why single histories differ", ha="right", va="center", fontsize=9
    )


def write_frame(figure: Figure, one: Ranking, shown: Shown, height: float) -> None:
    """Title, what was found, what is left out, and where it comes from."""
    title = named(capital(one.target.sentence), shown.cast)
    size = 14 * min(1.0, 105 / len(title))
    figure.text(0.02, 1 - 0.17 / height, title, fontsize=size, fontweight="bold", va="top")
    figure.text(0.02, 1 - 0.52 / height, finding(one, shown), fontsize=10, color=GREY, va="top")
    footer(figure, shown.source, rest_line(one), left=0.02)


def finding(one: Ranking, shown: Shown) -> str:
    """What the figure says, in a line."""
    count = int(one.distinguished.sum())
    if not count:
        return f"None of {len(one.keys)} parameters differs from one without effect."
    leading = next(key for key, above in zip(one.keys, one.distinguished, strict=True) if above)
    first = plain_words(leading, shown).replace(": ", ", ")
    return f"Of {len(one.keys)} parameters {count} differ from one without effect; the greatest: {first}."


def rest_line(one: Ranking) -> str:
    """What is not shown, and how many parameters do not differ from the dummy."""
    left = len(one.keys) - SHOWN
    lost = int((~one.distinguished).sum())
    dummy = f"{lost} of all {len(one.keys)} do not differ from one without effect."
    if left <= 0:
        return dummy
    return f"The other {left} parameters: at most {one.measures.value[0, SHOWN:].max():.2g} each. {dummy}"


def label(key: str, shown: Shown) -> str:
    """A parameter in words with its unit and the range over which it varied, in at most two lines."""
    one = shown.varied[key]
    unit = unit_words(one.declared.unit)
    words = plain_words(key, shown)
    lines = textwrap.wrap(words, LABEL, max_lines=2, placeholder=" …")
    span = f" ({positional(one.low, 3)} to {positional(one.high, 3)}{unit})"
    if len(lines) == 1 or len(lines[-1]) + len(span) <= LABEL + 4:
        return "\n".join([*lines[:-1], lines[-1] + span])
    return "\n".join([lines[0], textwrap.shorten(lines[1], LABEL - len(span), placeholder=" …") + span])


def plain_words(key: str, shown: Shown) -> str:
    """A parameter in words: whose it is, and what, such as `Hezbollah: independence from Iran`."""
    cast = shown.cast
    kind, _, rest = key.partition(".")
    text = named(shown.varied[key].declared.title, cast)
    actors: dict[str, Mapping[str, Any]] = {"militia": cast.wings, "theatre": cast.theatres}
    roles = {"patron": cast.names.patron, "target": cast.names.target, "mediator": cast.names.mediators}
    if kind in actors:
        who = actors[kind][rest.partition(".")[0]].name
    else:
        who = capital(roles.get(kind, GROUPS.get(kind, kind)).removeprefix("the "))
    return f"{who}: {text}"
