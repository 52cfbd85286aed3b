"""Figures of a calibration: what the figures say, whether it can be trusted, rival readings, patterns predicted."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.study.calibration.calibrating import Calibration, Conscience, Rivals
from sim.study.calibration.conscience import LEVEL, band, expected, rank_shares
from sim.study.calibration.diagnostics import arviz
from sim.study.calibration.posterior import combined, weighted_quantile
from sim.study.calibration.predictive import Predicted, prior_draws
from sim.study.calibration.told import excluded_words, observation_rows
from sim.study.calibration.verdicts import IDENTIFIED, NOT, WEAKLY, Quantity
from sim.view.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, new_figure, quiet, style

Array = npt.NDArray[Any]

BY_VERDICT: Final = {IDENTIFIED: BLUE, WEAKLY: GREEN, NOT: GREY}
COLUMNS: Final = 4
MOST_PANELS: Final = 12


def posterior_figure(done: Calibration) -> Figure:
    """Densities before and after of what the figures say something about, the most contracted first."""
    shown = [one for one in done.quantities if one.verdict != NOT][:MOST_PANELS]
    rows = max(1, -(-len(shown) // COLUMNS))
    after = {**done.kept.columns, **combined(done.kept.columns)}
    before = prior_draws(done.posterior.bank, 20_000).columns
    before = {**before, **combined(before)}
    with style():
        figure = new_figure(13.33, 1.5 + 2.1 * rows)
        height = figure.get_figheight()
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        figure.subplots_adjust(0.045, 0.62 / height, 0.98, 1 - 1.2 / height, 0.22, 0.75)
        for axes in grid.ravel()[len(shown) :]:
            axes.set_axis_off()
        for axes, one in zip(grid.ravel(), shown, strict=False):
            _densities(axes, one, before[one.name], after[one.name])
        count = sum(one.verdict == NOT for one in done.quantities)
        heading(
            figure,
            f"What {len(done.settings.figures)} figures say of {len(done.quantities)} quantities: little, and of"
            f" {count} nothing",
            "Before (grey) and after (coloured); the bar holds nine in ten, the tick is the median. All others keep"
            " their priors and are given no value.",
        )
        figure.text(0.045, 0.1 / height, source(done), fontsize=8.5, color=GREY)
    return figure


def _densities(axes: Axes, one: Quantity, before: Array, after: Array) -> None:
    low, high = np.quantile(before, [0.002, 0.998])
    colour = BY_VERDICT[one.verdict]
    kde = arviz().kde
    for values, shade, alpha in ((before, GREY, 0.3), (after, colour, 0.45)):
        grid, density = kde(np.asarray(values)[(values >= low) & (values <= high)], custom_lims=(low, high))
        axes.fill_between(grid, density, linewidth=0, color=shade, alpha=alpha)
    top = axes.get_ylim()[1]
    axes.plot(one.posterior, [-0.06 * top] * 2, color=colour, linewidth=3.5, solid_capstyle="butt", clip_on=False)
    if one.median is not None:
        axes.plot([one.median] * 2, [-0.11 * top, 0.0], color=INK, linewidth=1.4, clip_on=False)
    axes.set_ylim(-0.12 * top, top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title(one.name, fontsize=9, fontweight="bold", color=colour, pad=14)
    word = f"{one.verdict}, contraction {max(0.0, one.contraction):.0%}"
    axes.text(0, 1.03, word, transform=axes.transAxes, fontsize=8, color=GREY)
    axes.set_xlabel(one.unit if one.unit != "1" else "", fontsize=8, labelpad=1)
    axes.tick_params(labelsize=8)


def forest_figure(done: Calibration) -> Figure:
    """Every quantity on the scale of prior probability: where a prior stays as it was, the bar runs from 5% to 95%."""
    quantities = [one for one in done.quantities if one.name in done.posterior.keys]
    place = {key: column for column, key in enumerate(done.posterior.keys)}
    half = -(-len(quantities) // 2)
    with style():
        figure = new_figure(13.33, 2.0 + 0.2 * half)
        height = figure.get_figheight()
        columns = figure.subplots(1, 2)
        figure.subplots_adjust(0.2, 0.95 / height, 0.98, 1 - 1.0 / height, 0.62)
        for axes, part in zip(columns, (quantities[:half], quantities[half:]), strict=True):
            for row, one in enumerate(part):
                levels = done.posterior.levels[:, place[one.name]]
                _bar(axes, half - row, levels, done.posterior.weights, one)
            axes.set_yticks([half - row for row in range(len(part))], [one.name for one in part], fontsize=8)
            axes.set_ylim(half - len(part) + 0.3, half + 0.7)
            axes.set_xlim(0, 1)
            for edge in (0.05, 0.25, 0.75, 0.95):
                axes.axvline(edge, color=PALE, zorder=0)
            axes.set_xticks([0.05, 0.25, 0.5, 0.75, 0.95], ["5%", "25%", "50%", "75%", "95%"])
            axes.set_xlabel("share of the prior below")
            axes.tick_params(axis="y", length=0)
        heading(
            figure,
            "Where the figures move a parameter within its prior, and where they do not",
            "Thin bars hold nine in ten draws of the posterior, thick ones half; 5% to 95% is a prior left as it was."
            " Blue: identified; green: weakly; grey: not.",
        )
        figure.text(0.03, 0.1 / height, source(done), fontsize=8.5, color=GREY)
    return figure


def _bar(axes: Axes, row: float, levels: Array, weights: Array, one: Quantity) -> None:
    low, first, middle, third, high = weighted_quantile(levels, weights, (0.05, 0.25, 0.5, 0.75, 0.95))
    colour = BY_VERDICT[one.verdict]
    axes.plot([low, high], [row, row], color=colour, linewidth=1.6, solid_capstyle="butt")
    axes.plot([first, third], [row, row], color=colour, linewidth=5, solid_capstyle="butt")
    if one.median is not None:
        axes.plot([middle], [row], marker="|", color="white", markersize=6, markeredgewidth=1.6)


def check_figure(conscience: Conscience, control: Conscience | None, words: str) -> Figure:
    """Ranks of planted truths: the share not above each rank less what is expected, with the simultaneous band."""
    regions = list(conscience.ranked)
    with style():
        figure = new_figure(13.33, 5.2)
        panels = figure.subplots(1, len(regions), sharey=True, squeeze=False)[0]
        figure.subplots_adjust(0.06, 0.17, 0.98, 0.78, 0.08)
        for axes, region in zip(panels, regions, strict=True):
            if control is not None:
                _ranks(axes, control, region, ORANGE, "posteriors narrowed by half: must leave the band")
            _ranks(axes, conscience, region, BLUE, "each quantity")
            _band(axes, conscience, region)
            axes.set_xlabel("rank of the truth among 99 draws")
            axes.set_title(f"truths planted {region}: {conscience.ranked[region].sets} data sets", fontsize=10)
            quiet(axes)
        panels[0].set_ylabel("share not above, less expected")
        panels[0].legend(loc="upper right", fontsize=8.5)
        good = all(one.uniform for checked in conscience.checked.values() for one in checked)
        heading(
            figure,
            "Truths that are known lie among draws of their posteriors "
            + ("as they should" if good else "as they should NOT"),
            f"If posteriors are right, every line stays inside its band with probability {1 - LEVEL:.0%} for all"
            " quantities of a panel together." + again_words(conscience),
        )
        figure.text(0.045, 0.02, words, fontsize=8.5, color=GREY)
    return figure


def again_words(conscience: Conscience) -> str:
    """How many lines were outside at first and are judged by a second look; nothing where there are none."""
    count = sum(one.again for checked in conscience.checked.values() for one in checked)
    return f" {count} that something spoke against at first got a second look." if count else ""


def _ranks(axes: Axes, conscience: Conscience, region: str, colour: str, label: str) -> None:
    ranked = conscience.ranked[region]
    for place in range(len(ranked.names) if ranked.sets else 0):
        difference = rank_shares(ranked.ranks[:, place]) - expected()
        axes.plot(difference, label=label if not place else None, color=colour, linewidth=0.7, alpha=0.45)


def _band(axes: Axes, conscience: Conscience, region: str) -> None:
    ranked = conscience.ranked[region]
    if ranked.sets:
        low, high = band(ranked.sets, 1.0 - LEVEL / len(ranked.names))
        for edge, label in ((low, "band"), (high, None)):
            axes.plot(np.arange(len(edge)), edge - expected(), color=INK, linewidth=1.3, label=label)


def reading_figure(rivals: Rivals, words: str) -> Figure:
    """Rival readings before and after, and what the calm needs, draw by draw."""
    with style():
        figure = new_figure(13.33, 6.2)
        left = figure.add_axes((0.29, 0.15, 0.26, 0.67))
        right = figure.add_axes((0.80, 0.15, 0.18, 0.67))
        rows = np.arange(len(rivals.readings))[::-1]
        shares = np.array([one.share for one in rivals.readings])
        errors = np.abs(np.array([one.share_interval for one in rivals.readings]) - shares[:, None])
        even = [one.prior_share for one in rivals.readings]
        handles: list[Any] = [
            left.barh(rows + 0.2, even, 0.34, color=GREY, alpha=0.45),
            left.barh(rows - 0.2, shares, 0.34, color=BLUE, xerr=errors.T, ecolor=INK, error_kw={"lw": 1}),
        ]
        labels = ["before", "after (line: 95%)"]
        wide = {one.id: one.share for one in rivals.widened}
        if wide:
            marks = [wide[one.id] for one in rivals.readings]
            points = left.plot(marks, rows - 0.2, "D", color=ORANGE, markersize=4.5, clip_on=False, zorder=4)
            handles.append(points[0])
            labels.append("after, with wider priors")
        left.set_yticks(rows, [wrapped(one.text) for one in rivals.readings], fontsize=8.5)
        left.set_xlabel("probability of the reading")
        left.set_title("Readings: what brought the calm", fontsize=10, loc="left")
        left.set_xlim(left=0.0)
        left.legend(handles, labels, fontsize=8.5, loc="best")
        _story_bars(right, rivals)
        for axes in (left, right):
            axes.grid(axis="x", color=PALE)
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", length=0)
        heading(
            figure,
            reading_headline(rivals),
            "Left: sets of causes, the others shut off in the model. Right: draws that have the calm, lived again with"
            " causes taken away, everybody's luck the same.",
        )
        figure.text(0.045, 0.05, excluded_words(observation_rows(rivals.readings)), fontsize=8.5, color=GREY)
        figure.text(0.045, 0.025, words, fontsize=8.5, color=GREY)
    return figure


def reading_headline(rivals: Rivals) -> str:
    """The headline: how much probability is left to any single cause."""
    alone = sum(one.share for one in rivals.readings if len(one.channels) == 1)
    return f"To a single cause of the calm the figures leave {alone:.0%}, and they do not choose among combinations"


def _story_bars(axes: Axes, rivals: Rivals) -> None:
    rows = np.arange(len(rivals.stories))[::-1]
    axes.barh(rows + 0.2, [one.before for one in rivals.stories], 0.34, color=GREY, alpha=0.45)
    axes.barh(rows - 0.2, [one.after for one in rivals.stories], 0.34, color=BLUE)
    axes.set_yticks(rows, [wrapped(one.text) for one in rivals.stories], fontsize=8.5)
    axes.set_xlabel("share of draws with the calm")
    axes.set_title("Which causes are enough", fontsize=10, loc="left")


def wrapped(text: str, width: int = 46) -> str:
    """A text in lines of at most so many letters."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def pattern_figure(found: Sequence[Predicted], words: str) -> Figure:
    """Predictive probability of every pattern, before and after."""
    with style():
        figure = new_figure(13.33, 1.9 + 0.36 * len(found))
        height = figure.get_figheight()
        axes = figure.add_axes((0.42, 0.75 / height, 0.55, 1 - 1.75 / height))
        rows = np.arange(len(found))[::-1]
        for row, one in zip(rows, found, strict=True):
            if one.before is not None and one.after is not None:
                axes.plot([one.before, one.after], [row, row], color=PALE, linewidth=3, zorder=1)
                axes.plot([one.before], [row], "o", color=GREY, markersize=6, label="before" if not row else None)
                axes.plot([one.after], [row], "o", color=BLUE, markersize=7.5, label="after" if not row else None)
        axes.set_yticks(rows, [f"{one.id}  {shortened(one.text)} ({one.kind})" for one in found], fontsize=8.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks(np.arange(0, 1.01, 0.2), [f"{level:.0%}" for level in np.arange(0, 1.01, 0.2)])
        axes.set_xlabel("share of predicted histories, or of pairs that differ, that show the pattern")
        axes.grid(axis="both", color=PALE)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        figure.legend(fontsize=9, ncols=2, loc="upper right", bbox_to_anchor=(0.97, 1 - 0.62 / height))
        failing = [one.id for one in found if one.holds is False]
        heading(
            figure,
            f"Not predicted: {', '.join(failing)}" if failing else "Every pattern holds in what the posterior predicts",
            "Before: histories at draws of the prior. After: at draws of the posterior. Fresh luck in both.",
        )
        figure.text(0.045, 0.1 / height, words, fontsize=8.5, color=GREY)
    return figure


def shortened(text: str, most: int = 62) -> str:
    """A text cut at a word.

    >>> shortened("a lull may end", 7)
    'a lull …'
    """
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0]} …"


def heading(figure: Figure, title: str, text: str) -> None:
    """Title and what is shown."""
    height = figure.get_figheight()
    figure.text(0.045, 1 - 0.17 / height, title, fontsize=14.5, fontweight="bold", va="top")
    figure.text(0.045, 1 - 0.5 / height, text, fontsize=10, color=GREY, va="top")


def source(done: Calibration) -> str:
    """Where a figure comes from."""
    posterior = done.posterior
    return (
        f"Source: Lull, scenario {done.config.scenario.name}, {posterior.bank.size:,} histories from the prior, worth"
        f" {posterior.effective:,.0f} draws, seed {done.config.seed}. A model, not a forecast."
    )
