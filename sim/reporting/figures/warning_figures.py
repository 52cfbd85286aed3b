"""Figure of an early warning: for each event the rule in words, the ROC curve, and how reliable probabilities are."""

import textwrap
from collections.abc import Mapping
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.analysis.early_warning import EVENTS, Warned, Watch
from sim.experiment.statistics import NORMAL_90
from sim.model.scenario import titled
from sim.reporting.style import BLUE, GREY, INK, ORANGE, footer, heading, new_figure, quiet, style
from sim.reporting.text import FigureSource, enumerated

WIDTH: Final = 9.5
ROW: Final = 3.75
TOP: Final = 0.9
FOOT: Final = 0.4
LEFT: Final = 0.075
TITLE: Final = 100
"""Signs of a line of a rule."""


def warning_figure(found: Mapping[str, Warned], lines: Mapping[str, str], watch: Watch) -> Figure:
    """One row for each event: its rule, with which `lines` come, over the ROC curve and the reliability diagram."""
    height = TOP + ROW * len(found) + FOOT
    events, weeks = enumerated([EVENTS[event] for event in found]), watch.horizon // 7
    with style():
        figure = new_figure(WIDTH, height)
        title = f"What precedes {events} within {weeks} weeks"
        heading(
            figure,
            title,
            "In the model's world, on histories that the warning was not learnt from; intervals hold 90%.",
            LEFT,
            14.0,
        )
        for place, (event, one) in enumerate(found.items()):
            top = 1 - (TOP + ROW * place) / height
            words = textwrap.fill(lines[event], TITLE)
            figure.text(LEFT, top, words, va="top", fontsize=10, fontweight="bold", linespacing=1.3)
            low, tall = top - 3.2 / height, 2.45 / height
            draw_roc(figure.add_axes((LEFT + 0.01, low, 0.37, tall)), one)
            draw_reliability(figure.add_axes((0.57, low, 0.40, tall)), one, weeks)
        made = f"{watch.config.runs:,} histories, parameters {watch.config.parameters_from}"
        footer(figure, FigureSource([titled(watch.scenario.name)], made, watch.config.seed), left=LEFT)
    return figure


def draw_roc(axes: Axes, one: Warned) -> None:
    """The curve of the regression, its alarm level, and the rule as a point."""
    wrong, right = one.curve
    area = one.scores["model"].auc
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    label = f"regression: AUC {area.value:.2f} ({area.low:.2f} to {area.high:.2f})"
    axes.plot(wrong, right, color=BLUE, linewidth=1.8, label=label)
    for name, colour, marker, words in (
        ("model", BLUE, "o", "its alarm"), ("rule", ORANGE, "D", "the rule"),
    ):  # fmt: skip
        if name not in one.scores:
            continue
        score = one.scores[name]
        hits, alarms = score.share * score.precision, score.share
        place = ((alarms - hits) / (1 - one.base), hits / one.base)
        each = f"{words}: {score.false_alarms:.1f} false alarms a year"
        axes.plot(*place, marker, color=colour, markersize=7, label=each, zorder=4, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xlabel("alarm although the event did not follow")
    axes.set_ylabel("alarm where it followed")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="lower right", fontsize=8.5, handlelength=1.3)
    quiet(axes, "both")


def draw_reliability(axes: Axes, one: Warned, weeks: int) -> None:
    """Observed shares against predicted probabilities, in bins of equal size."""
    predicted, observed, error = ([row[name] for row in one.rows] for name in ("predicted", "observed", "error"))
    most = 1.12 * max(*predicted, *(share + NORMAL_90 * off for share, off in zip(observed, error, strict=True)))
    axes.plot([0, most], [0, most], color=GREY, linewidth=0.8, linestyle="--")
    axes.errorbar(
        predicted, observed, yerr=[NORMAL_90 * one for one in error], fmt="o", color=INK, markersize=4.5,
        elinewidth=1.0, clip_on=False,
    )  # fmt: skip
    axes.set(xlim=(0, most), ylim=(0, most))
    axes.set_xlabel("probability that the regression gave")
    axes.set_ylabel(f"event followed within {weeks} weeks")
    digits = 0 if most > 0.08 else 1
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(PercentFormatter(1.0, decimals=digits))
    words = f"on the dashed line, probabilities are right;\nthese are off by at most {100 * one.off:.1f} points"
    axes.text(0.02, 0.97, words, transform=axes.transAxes, va="top", fontsize=8.5, color=GREY)
    quiet(axes, "both")
