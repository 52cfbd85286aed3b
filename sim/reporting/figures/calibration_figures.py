"""Figures of a calibration: posteriors, simulation-based calibration, rival explanations, predicted patterns."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import datestr2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from sim.analysis.calibration.calibration_run import Calibration, Rivals, SbcResult, excluded_words, observation_rows
from sim.analysis.calibration.cross_checks import Predicted, prior_draws
from sim.analysis.calibration.hypotheses import Reading
from sim.analysis.calibration.identifiability import IDENTIFIED, NOT, WEAKLY, Quantity
from sim.analysis.calibration.posterior import COMBINED, with_products
from sim.analysis.calibration.sbc import LEVEL, conclusive, expected, rank_band, rank_shares
from sim.experiment.parameter_sets import free_declarations
from sim.experiment.statistics import Array, arviz, midpoint_quantile, quantile
from sim.reporting.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    date_axis,
    footer,
    heading,
    new_figure,
    quiet,
    style,
)
from sim.reporting.text import FigureSource, positional, quantity_title, shortened

BY_VERDICT: Final = {IDENTIFIED: BLUE, WEAKLY: GREEN, NOT: GREY}
COLUMNS: Final = 4
MOST_PANELS: Final = 12


@contextmanager
def page(height: float, title: str, text: str, source: FigureSource, *notes: str) -> Iterator[Figure]:
    """An empty figure, so many inches high; title, a line below it and small print at the foot come last."""
    with style():
        figure = new_figure(13.33, height)
        yield figure
        heading(figure, title, text, 0.045, 14.5)
        footer(figure, source, *notes)


def posterior_figure(done: Calibration) -> Figure:
    """Prior and posterior densities of what the observations inform, the most contracted first."""
    shown = [one for one in done.quantities if one.verdict != NOT][:MOST_PANELS]
    rows = max(1, -(-len(shown) // COLUMNS))
    height = 1.5 + 2.1 * rows
    after = with_products(done.kept.columns)
    before = with_products(prior_draws(done.posterior.bank, 20_000).columns)
    count = sum(one.verdict == NOT for one in done.quantities)
    title = f"{len(done.settings.figures)} observations, {len(done.quantities)} quantities: {count} are not identified"
    text = "Before (grey) and after (coloured); the bar holds 90%, the tick is the median. All others keep their priors"
    with page(height, title, f"{text} and get no value.", source(done)) as figure:
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        figure.subplots_adjust(0.045, 0.62 / height, 0.98, 1 - 1.2 / height, 0.22, 0.75)
        for axes in grid.ravel()[len(shown) :]:
            axes.set_axis_off()
        for axes, one in zip(grid.ravel(), shown, strict=False):
            _densities(axes, one, before[one.quantity], after[one.quantity])
    return figure


def _densities(axes: Axes, one: Quantity, before: Array, after: Array) -> None:
    """Densities before and after; on a log scale, and of the logarithm, where a prior is log-uniform."""
    colour, logs = BY_VERDICT[one.verdict], varies_by_factors(one.quantity)
    before, after = (np.log(values) if logs else np.asarray(values) for values in (before, after))
    low, high = quantile(before, [0.002, 0.998])
    kde = arviz().kde
    for values, shade, alpha in ((before, GREY, 0.3), (after, colour, 0.45)):
        grid, density = kde(values[(values >= low) & (values <= high)], custom_lims=(low, high))
        axes.fill_between(np.exp(grid) if logs else grid, density, linewidth=0, color=shade, alpha=alpha)
    if logs:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high - low < np.log(100.0) else (1.0,)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: positional(value, 2)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    top = axes.get_ylim()[1]
    ends = (one.posterior_q05, one.posterior_q95)
    axes.plot(ends, [-0.06 * top] * 2, color=colour, linewidth=3.5, solid_capstyle="butt", clip_on=False)
    if one.posterior_median is not None:
        axes.plot([one.posterior_median] * 2, [-0.11 * top, 0.0], color=INK, linewidth=1.4, clip_on=False)
    axes.set_ylim(-0.12 * top, top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title(quantity_title(one.quantity), fontsize=9, fontweight="bold", color=colour, pad=14)
    word = f"{one.verdict}, contraction {max(0.0, one.contraction):.0%}"
    axes.text(0, 1.03, word, transform=axes.transAxes, fontsize=8, color=GREY)
    axes.set_xlabel(one.unit if one.unit != "1" else "", fontsize=8, labelpad=1)
    axes.tick_params(labelsize=8)


def varies_by_factors(quantity: str) -> bool:
    """Whether a parameter, or a factor of a product, has a log-uniform prior."""
    factors, *_ = COMBINED.get(quantity, ((quantity,), "", ""))
    return any(free_declarations()[key].prior.shape == "log_uniform" for key in factors)


def forest_figure(done: Calibration) -> Figure:
    """Every quantity on the scale of prior probability: a posterior like the prior runs from 5% to 95%."""
    levels = dict(zip(done.posterior.keys, done.posterior.levels.T, strict=True))
    quantities = [one for one in done.quantities if one.quantity in levels]
    half = -(-len(quantities) // 2)
    height = 2.0 + 0.2 * half
    title = "Posterior of every parameter on the scale of its prior"
    text = "Thin bars hold 90% of posterior draws, thick ones 50%; 5% to 95% is the prior. Blue: identified; green:"
    with page(height, title, f"{text} weakly; grey: not.", source(done)) as figure:
        columns = figure.subplots(1, 2)
        figure.subplots_adjust(0.2, 0.95 / height, 0.98, 1 - 1.0 / height, 0.62)
        for axes, part in zip(columns, (quantities[:half], quantities[half:]), strict=True):
            for row, one in enumerate(part):
                _bar(axes, half - row, levels[one.quantity], done.posterior.weights, one)
            axes.set_yticks(
                [half - row for row in range(len(part))], [quantity_title(one.quantity) for one in part], fontsize=8
            )
            axes.set_ylim(half - len(part) + 0.3, half + 0.7)
            axes.set_xlim(0, 1)
            for edge in (0.05, 0.25, 0.75, 0.95):
                axes.axvline(edge, color=PALE, zorder=0)
            axes.set_xticks([0.05, 0.25, 0.5, 0.75, 0.95], ["5%", "25%", "50%", "75%", "95%"])
            axes.set_xlabel("share of the prior below")
            axes.tick_params(axis="y", length=0)
    return figure


def _bar(axes: Axes, row: float, levels: Array, weights: Array, one: Quantity) -> None:
    low, first, middle, third, high = midpoint_quantile(levels, weights, (0.05, 0.25, 0.5, 0.75, 0.95))
    colour = BY_VERDICT[one.verdict]
    axes.plot([low, high], [row, row], color=colour, linewidth=1.6, solid_capstyle="butt")
    axes.plot([first, third], [row, row], color=colour, linewidth=5, solid_capstyle="butt")
    if one.posterior_median is not None:
        axes.plot([middle], [row], marker="|", color="white", markersize=6, markeredgewidth=1.6)


def check_figure(check: SbcResult, control: SbcResult | None, source: FigureSource) -> Figure:
    """Simulation-based calibration: ECDF of the ranks less its expectation, with the simultaneous band."""
    every = [one for checked in check.checked.values() for one in checked]
    verdict = "passed" if all(one.uniform for one in every) else "FAILED"
    few = not any(map(conclusive, check.ranked.values()))
    title = f"Simulation-based calibration: {'too few data sets for a verdict' if few else verdict}"
    text = f"If posteriors are calibrated, every line stays inside its band with probability {1 - LEVEL:.0%} for all"
    text += " quantities of a panel together."
    if count := sum(one.retested for one in every):
        text += f" {count} that failed at first were tested again."
    with page(5.2, title, text, source) as figure:
        panels = figure.subplots(1, len(check.ranked), sharey=True, squeeze=False)[0]
        figure.subplots_adjust(0.06, 0.17, 0.98, 0.78, 0.08)
        for axes, region in zip(panels, check.ranked, strict=True):
            if control is not None:
                _ranks(axes, control, region, ORANGE, "control, posteriors narrowed by half: must leave the band")
            _ranks(axes, check, region, BLUE, "each quantity")
            _band(axes, check, region)
            axes.set_xlabel("rank of the true value among 99 draws")
            ranked = check.ranked[region]
            unjudged = "" if conclusive(ranked) else ", too few for a verdict"
            axes.set_title(f"SBC, {region}: {ranked.sets} data sets{unjudged}", fontsize=10)
            quiet(axes)
        panels[0].set_ylabel("ECDF difference")
        panels[0].legend(loc="upper right", fontsize=8.5)
    return figure


def _ranks(axes: Axes, check: SbcResult, region: str, colour: str, label: str) -> None:
    ranked = check.ranked[region]
    for place in range(len(ranked.names) if ranked.sets else 0):
        difference = rank_shares(ranked.ranks[:, place]) - expected()
        axes.plot(difference, label=label if not place else None, color=colour, linewidth=0.7, alpha=0.45)


def _band(axes: Axes, check: SbcResult, region: str) -> None:
    ranked = check.ranked[region]
    if ranked.sets:
        low, high = rank_band(ranked)
        for edge, label in ((low, "band"), (high, None)):
            axes.plot(np.arange(len(edge)), edge - expected(), color=INK, linewidth=1.3, label=label)


def counts_figure(rows: Sequence[Mapping[str, Any]], refusal: str, source: FigureSource) -> Figure:
    """Attacks of each stretch of a file, over what 90% of runs report before and after these counts are used."""
    inside = sum(row["after_q05"] <= row["attacks"] <= row["after_q95"] for row in rows)
    title = f"After the counts are used, {inside} of {len(rows)} stretches lie in what 90% of runs report"
    text = "Attacks in each stretch of the file, and in the same days of runs, without the scatter of the likelihood."
    edges = [datestr2num(row["from"]) for row in rows] + [datestr2num(rows[-1]["to"]) + 1]
    with page(4.8, "No conclusion from the dated counts" if refusal else title, text, source) as figure:
        axes = figure.add_axes((0.06, 0.16, 0.91, 0.58))
        for when, colour, strength in (("before", GREY, 0.35), ("after", BLUE, 0.5)):
            low, high = ([row[f"{when}_{end}"] for row in rows] for end in ("q05", "q95"))
            label = f"90% of runs, {when} the counts"
            axes.stairs(high, edges, baseline=low, fill=True, color=colour, alpha=strength, linewidth=0, label=label)
        axes.stairs(
            [row["attacks"] for row in rows], edges, baseline=None, color=INK, linewidth=1.8, label="in the file"
        )
        date_axis([axes])
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(bottom=0)
        axes.set_ylabel("attacks in the stretch")
        axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.005, 1.0), fontsize=9, borderaxespad=0.2)
        quiet(axes)
    return figure


def reading_figure(rivals: Rivals, source: FigureSource) -> Figure:
    """Rival explanations before and after, by form of the model, and sufficient causes by counterfactual draws."""
    readings = rivals.readings
    single = [one for one in readings if len(one.channels) == 1]
    alone, before = (sum(getattr(one, f"{when}_probability") for one in single) for when in ("posterior", "prior"))
    title = f"Single causes of the calm together: posterior probability {alone:.0%}, prior {before:.0%}"
    text = (
        "Left: sets of causes, the others shut off in the model. Right: draws that have the calm, simulated again with"
    )
    forms = list(dict.fromkeys(one.form for one in readings))
    height = 2.1 + 0.5 * max(8, len(readings) + len(forms))
    foot, tall = 0.93 / height, 1.0 - 2.05 / height
    notes = filter(None, [excluded_words(observation_rows(readings))])
    with page(height, title, f"{text} causes removed and common random numbers.", source, *notes) as figure:
        left = figure.add_axes((0.29, foot, 0.26, tall))
        right = figure.add_axes((0.80, foot, 0.18, tall))
        shares = np.array([one.posterior_probability for one in readings])
        limits = np.array([(one.probability_low, one.probability_high) for one in readings])
        errors = {"xerr": np.abs(limits - shares[:, None]).T, "ecolor": INK, "error_kw": {"lw": 1}}
        rows = -np.arange(len(readings), dtype=float) - [forms.index(one.form) for one in readings]
        texts = [of_form(one)[1] for one in readings]
        handles = _pairs(left, texts, [one.prior_probability for one in readings], shares, rows, **errors)
        labels = ["before", "after (line: 95%)"]
        wide = {one.hypothesis: one.posterior_probability for one in rivals.widened}
        if wide:
            marks = [wide[one.hypothesis] for one in readings]
            handles += left.plot(marks, rows - 0.2, "D", color=ORANGE, markersize=4.5, clip_on=False, zorder=4)
            labels.append("after, with wider priors")
        for form in forms:
            first, *_ = of_one = [place for place, one in enumerate(readings) if one.form == form]
            name, _ = of_form(readings[first])
            head = f"{name[:1].upper()}{name[1:]}: {sum(shares[of_one]):.0%} after" if name else ""
            left.annotate(
                head, (0, rows[first] + 0.75), xycoords=("axes fraction", "data"), xytext=(-4, 0),
                textcoords="offset points", ha="right", va="center", fontsize=9, fontweight="bold",
            )  # fmt: skip
        left.set_xlabel("probability of the explanation")
        left.set_title("Explanations of the calm", fontsize=10, loc="left")
        left.set_xlim(left=0.0)
        left.set_ylim(rows[-1] - 0.7, 1.0)
        left.legend(handles, labels, fontsize=8.5, loc="best")
        stories = rivals.stories
        texts = [one.text for one in stories]
        _pairs(right, texts, [one.before for one in stories], [one.after for one in stories], -np.arange(len(stories)))
        right.set_xlabel("share of draws with the calm")
        right.set_title("Sufficient causes", fontsize=10, loc="left")
        for axes in (left, right):
            quiet(axes, "x")
    return figure


def of_form(one: Reading) -> tuple[str, str]:
    """The form of the model of an explanation, empty where there is one alone, and the explanation under it."""
    form, parted, causes = one.text.partition(": ")
    return (form, causes) if one.form and parted else ("", one.text)


def _pairs(
    axes: Axes, texts: Sequence[str], before: Sequence[float], after: Sequence[float] | Array, rows: Array,
    **errors: Any,
) -> list[Any]:  # fmt: skip
    """Two bars for each text at its row, before and after."""
    bars = [
        axes.barh(rows + 0.2, before, 0.34, color=GREY, alpha=0.45),
        axes.barh(rows - 0.2, after, 0.34, color=BLUE, **errors),
    ]
    axes.set_yticks(rows, ["\n".join(textwrap.wrap(one, 46)) for one in texts], fontsize=8.5)
    return bars


def pattern_figure(found: Sequence[Predicted], source: FigureSource) -> Figure:
    """Predictive probability of every pattern, before and after."""
    height = 1.9 + 0.36 * len(found)
    failing = [one.id for one in found if one.holds is False]
    title = f"Not predicted: {', '.join(failing)}" if failing else "Every pattern holds in what the posterior predicts"
    text = "Before: histories at draws of the prior. After: at draws of the posterior. New random numbers in both."
    with page(height, title, text, source) as figure:
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
        quiet(axes, "both")
        figure.legend(fontsize=9, ncols=2, loc="upper right", bbox_to_anchor=(0.97, 1 - 0.62 / height))
    return figure


def source(done: Calibration) -> FigureSource:
    """Where a figure comes from."""
    posterior = done.posterior
    made = f"{posterior.bank.size:,} histories from the prior, ESS {posterior.effective:,.0f}"
    return FigureSource([done.config.scenario.title], made, done.config.seed)
