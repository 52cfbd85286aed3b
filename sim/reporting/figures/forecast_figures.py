"""Figures of forecasts from a user's counts, and of skill."""

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.markers import CARETUPBASE
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.analysis.calibration.observations import AtLeast
from sim.analysis.forecast.case_predictions import CasePredictions
from sim.analysis.forecast.forecasting import Prediction, quantiles
from sim.analysis.forecast.scores import (
    BANDS,
    BENCHMARKS,
    BETTER,
    FEWEST_UNITS,
    NEITHER,
    TOO_FEW,
    WORSE,
    Predictive,
    Skill,
    Summary,
    weeks_of,
)
from sim.experiment.formats import short_date
from sim.experiment.statistics import LEVELS, Array, quantile
from sim.model.scenario import Config, Scenario
from sim.model.timeline import long_date
from sim.reporting.calibration_tables import BENCHMARK_WORDS, COMPARED_TITLE, SCORE_WORDS
from sim.reporting.style import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    date_axis,
    footer,
    new_figure,
    quiet,
    style,
)
from sim.reporting.text import FigureSource, capital

WEEK: Final = 7
WIDTH: Final = 11.0
LEFT: Final = 0.06
SHOWN_AHEAD: Final = 8
"""Events ahead that are named in the figure."""
NAME_LINE: Final = 0.065
"""Share of the height that the name of an event takes."""
NAME_ROOM: Final = 0.24
"""Share of the calendar that a name may need: nearer to its end it stands left of its line."""
OPAQUE: Final = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
"""What stands behind the name of an event, so that lines do not cross it."""
SIMPLER_COLOURS: Final = (ORANGE, GREEN, PURPLE, INK, GREY)
MOST_WEEKS: Final = 6
"""Weeks that have room for their date under the simpler forecasts."""
VERDICT_COLOURS: Final = {BETTER: BLUE, WORSE: ORANGE, NEITHER: GREY, TOO_FEW: GREY}


def forecast_figure(found: Prediction, simple: Mapping[str, Predictive], config: Config, file: str) -> Figure:
    """Attacks a week: counts up to the cut, the fan after it, later counts; to the right the simpler forecasts."""
    scenario = config.scenario
    with style():
        figure = new_figure(WIDTH, 6.0)
        axes = figure.add_axes((LEFT, 0.14, 0.52, 0.56))
        draw_past(axes, found, scenario)
        draw_fan(axes, found, scenario)
        draw_events(axes, found, scenario)
        date_axis([axes], most=8)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_ylim(0, axes.get_ylim()[1] * (1.12 + NAME_LINE * len(found.effects[:SHOWN_AHEAD])))
        quiet(axes)
        right = figure.add_axes((0.64, 0.14, 0.34, 0.56))
        draw_simpler(right, found, simple, scenario)
        for panel, columns in ((axes, 3), (right, 2)):
            panel.legend(
                ncols=columns, loc="lower left", bbox_to_anchor=(-0.01, 1.0), fontsize=8.5, borderaxespad=0.2,
                handlelength=1.3, columnspacing=1.0, labelspacing=0.3,
            )  # fmt: skip
        write_words(figure, found, config, file)
    return figure


def draw_simpler(axes: Axes, found: Prediction, simple: Mapping[str, Predictive], scenario: Scenario) -> None:
    """Each coming period: the model's band and median, and a line with a mark for each simpler forecast."""
    one = found.forecast
    spans, steps = np.diff(one.edges), np.arange(len(one.edges)) - 0.5
    ours = [quantiles(column, one.weights) for column in one.samples.sum(axis=2).T]
    low, middle, high = (a_week(np.array([row[key] for row in ours]), one.edges) for key in ("q05", "median", "q95"))
    axes.stairs(high, steps, baseline=low, fill=True, color=BLUE, alpha=0.2, linewidth=0, label="model, 90%")
    axes.stairs(middle, steps, baseline=None, color=BLUE, linewidth=1.8, label="model, median")
    every = -(-len(spans) // MOST_WEEKS)
    shown = np.arange(0, len(spans), every)
    middles = shown + (every - 1) / 2
    looks = zip(np.linspace(-0.36, 0.36, len(simple)) * every, cycle(SIMPLER_COLOURS), "osD^vPX", strict=False)
    for (name, predicted), (shift, colour, mark) in zip(simple.items(), looks, strict=True):
        ends = [(predicted.quantile(LEVELS[key]) * WEEK / spans)[shown] for key in ("q05", "median", "q95")]
        axes.vlines(middles + shift, ends[0], ends[2], color=colour, linewidth=1.1)
        axes.plot(middles + shift, ends[1], mark, color=colour, markersize=3.8, label=BENCHMARK_WORDS[name])
    dates = [scenario.calendar.date_of(int(one.edges[place]) + 1) for place in shown]
    axes.set_xticks(middles, list(map(short_date, dates)))
    axes.set_xlim(steps[0], steps[-1])
    axes.set_ylim(0, 1.04 * axes.get_ylim()[1])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    of = "each week" if every == 1 else f"one week in {every},"
    axes.set_xlabel(f"{of} from; simpler forecasts: median and 90% interval", fontsize=9)
    quiet(axes)


def so_far_figure(data: xr.Dataset, config: Config, file: str) -> Figure:
    """Attacks so far by date: all of them, and those of each theatre where the file says where they were."""
    dates, attacks = data["as_of_date"].values.astype("datetime64[D]"), data["attacks"].values
    names = [config.scenario.cast.theatres[str(one)].name for one in data["theatre"].values]
    known = [k for k in range(len(names)) if np.nanmax(attacks[:, k], initial=0.0) > 0]
    last, total = dates[-1].item(), int(data["total"].values[-1])
    with style():
        figure = new_figure(WIDTH, 4.6)
        axes = figure.add_axes((LEFT, 0.15, 0.91, 0.6))
        axes.plot(dates, data["total"], color=INK, linewidth=2.0, label="all theatres", drawstyle="steps-post")
        for k, colour in zip(known, cycle(COLOURS), strict=False):
            axes.plot(dates, attacks[:, k], color=colour, linewidth=1.4, label=names[k], drawstyle="steps-post")
        date_axis([axes])
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_xlim(dates[0], dates[-1])
        axes.set_ylim(bottom=0)
        axes.legend(ncols=7, loc="lower left", bbox_to_anchor=(-0.005, 1.0), fontsize=9, borderaxespad=0.2)
        quiet(axes)
        head = f"{total:,} attacks up to {long_date(last)}"
        figure.text(LEFT, 0.965, head, fontsize=13.5, fontweight="bold", va="top")
        figure.text(LEFT, 0.885, "attacks so far, as the filters count them", fontsize=10, color=GREY, va="top")
        source = f"Source: {file}, by the filters of the scenario {config.scenario.title}."
        figure.text(LEFT, 0.03, source, fontsize=8.5, color=GREY)
    return figure


def place(scenario: Scenario, end: float) -> float:
    """Where the end of a day stands on the calendar's axis."""
    return float(date2num(scenario.calendar.start)) + end + 1


def a_week(counts: Array, edges: Array) -> Array:
    """Counts of periods as attacks a week."""
    return np.asarray(counts * WEEK / np.diff(edges))


def draw_past(axes: Axes, found: Prediction, scenario: Scenario) -> None:
    """The counts up to the cut, by week or by the periods that are known; later counts as points."""
    known = found.counts.upto(found.forecast.cut)
    counts, lengths = weeks_of(known)
    edges = known.ends[-1] - np.append(np.cumsum(lengths[::-1])[::-1], 0)
    steps = [place(scenario, end) for end in edges]
    axes.stairs(a_week(counts, edges), steps, color=INK, linewidth=1.3, fill=True, alpha=0.12)
    axes.stairs(a_week(counts, edges), steps, baseline=None, color=INK, linewidth=1.3, label="counts in the file")
    ahead = found.forecast.edges
    both = [(first, last) for first, last in pairwise(ahead.tolist()) if {first, last} <= set(found.counts.ends)]
    if both:
        middles = [place(scenario, (first + last) / 2) for first, last in both]
        came = [float(a_week(found.counts.between(one), np.array(one))[0]) for one in both]
        axes.plot(middles, came, "o", color=INK, markersize=5, label="observed later", zorder=4, clip_on=False)


def draw_fan(axes: Axes, found: Prediction, scenario: Scenario) -> None:
    """Median and bands of each coming period; dashed the median without the coming events."""
    one = found.forecast
    steps = [place(scenario, end) for end in one.edges]
    totals = one.samples.sum(axis=2)
    bands = [quantiles(column, one.weights) for column in totals.T]
    by = {name: a_week(np.array([band[name] for band in bands]), one.edges) for name in bands[0]}
    for low, high, strength, words in (("q05", "q95", 0.20, "90% of histories"), ("q25", "q75", 0.38, "50%")):
        axes.stairs(by[high], steps, baseline=by[low], fill=True, color=BLUE, alpha=strength, linewidth=0, label=words)
    axes.stairs(by["median"], steps, baseline=None, color=BLUE, linewidth=1.8, label="median")
    if found.effects:
        bare = [quantiles(column, one.weights)["median"] for column in found.bare.T]
        words = "median without the coming events"
        values = a_week(np.array(bare), one.edges)
        axes.stairs(values, steps, baseline=None, color=PURPLE, linewidth=1.5, linestyle="--", label=words)
    axes.axvline(place(scenario, one.cut), color=GREY, linewidth=1.0)
    axes.annotate(
        f"counts used up to {short_date(scenario.calendar.date_of(one.cut))}", (place(scenario, one.cut), 0.985),
        xycoords=("data", "axes fraction"), xytext=(-3, 0), textcoords="offset points", color=GREY, fontsize=8.5,
        va="top", ha="right",
    )  # fmt: skip
    axes.set_xlim(place(scenario, found.counts.ends[0]), place(scenario, one.edges[-1]))


def draw_events(axes: Axes, found: Prediction, scenario: Scenario) -> None:
    """Name the coming events where they begin; those with an end are shaded up to it."""
    last = found.forecast.edges[-1]
    shown = found.effects[:SHOWN_AHEAD]
    for row, one in enumerate(shown):
        first, end = place(scenario, one.event.first - 1), place(scenario, min(one.event.last, last))
        if one.event.last < last:
            axes.axvspan(first, end, color=PURPLE, alpha=0.07, linewidth=0, zorder=-2)
        axes.axvline(first, color=PURPLE, linewidth=0.9, linestyle=":")
        side, shift = ("right", -3) if first > axes.get_xlim()[1] - NAME_ROOM * np.ptp(axes.get_xlim()) else ("left", 3)
        axes.annotate(
            capital(one.event.words), (first, 0.97 - NAME_LINE * row), xycoords=("data", "axes fraction"),
            xytext=(shift, 0), textcoords="offset points", color=PURPLE, fontsize=9, va="top", ha=side, bbox=OPAQUE,
        )  # fmt: skip


def write_words(figure: Figure, found: Prediction, config: Config, file: str) -> None:
    """Title, what is shown, and the source."""
    one, scenario = found.forecast, config.scenario
    cut, last = (scenario.calendar.date_of(int(day)) for day in (one.cut, one.edges[-1]))
    whole = quantiles(one.samples.sum(axis=(1, 2)), one.weights)
    head = (
        f"Forecast of {cut.day} {cut:%B %Y}: {whole['median']:.0f} attacks up to {last.day} {last:%B}"
        f" (90% of histories {whole['q05']:.0f} to {whole['q95']:.0f})"
    )
    words = f"{COMPARED_TITLE}: acknowledged attacks a week on {scenario.cast.names.target}, all theatres"
    made = f"{len(one.bank.rows):,} histories, {len(one.match.places):,} of them like the past in the file"
    data, is_what = f"{file} ({found.counts.report.format})", "A model, not a prediction of what will happen."
    figure.text(LEFT, 0.965, head, fontsize=13.5, fontweight="bold", va="top")
    figure.text(LEFT, 0.905, words, fontsize=10, color=GREY, va="top")
    footer(figure, FigureSource([scenario.title], made, config.seed, data, is_what), left=LEFT)


def skill_figure(found: Sequence[Skill], means: Sequence[Summary], source: FigureSource) -> Figure:
    """How much better or worse the model is than each benchmark, and how often its bands held the count."""
    with style():
        figure = new_figure(WIDTH, 4.6)
        shares = figure.add_axes((0.17, 0.22, 0.31, 0.54))
        nats = figure.add_axes((0.505, 0.22, 0.165, 0.54))
        inside = figure.add_axes((0.79, 0.22, 0.185, 0.54))
        draw_gains(shares, [one for one in found if one.score != "log"], "share of the benchmark's score saved")
        shares.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        draw_gains(nats, [one for one in found if one.score == "log"], "log score: nats a period")
        shares.set_yticks(range(len(BENCHMARKS)), [BENCHMARK_WORDS[name] for name in BENCHMARKS])
        nats.set_yticks([])
        draw_coverage(inside, means)
        figure.text(0.02, 0.965, headline(found), fontsize=13.5, fontweight="bold", va="top")
        below = "right of zero the model is better; lines are intervals of 90%"
        below = below if np.isfinite(found[0].low) else "right of zero the model was better; too few for an interval"
        figure.text(0.02, 0.885, below, fontsize=10, color=GREY, va="top")
        footer(figure, source, left=0.02)
    return figure


def headline(found: Sequence[Skill]) -> str:
    """What the figure says, by the CRPS."""
    verdicts = [one.verdict for one in found if one.score == "crps"]
    if TOO_FEW in verdicts:
        return f"Fewer than {FEWEST_UNITS} forecasts: too few to judge between the model and simpler forecasts"
    better, worse = verdicts.count(BETTER), verdicts.count(WORSE)
    if not better and not worse:
        return f"By the CRPS no difference is shown between the model and {len(verdicts)} simpler forecasts"
    return f"By the CRPS the model beats {better} of {len(verdicts)} simpler forecasts and loses to {worse}"


def draw_gains(axes: Axes, found: Sequence[Skill], words: str) -> None:
    """A point and an interval for each score, benchmark under benchmark."""
    names = list(BENCHMARKS)
    keys = list(dict.fromkeys(one.score for one in found))
    marks = dict(zip(keys, "osD", strict=False))
    axes.axvline(0.0, color=INK, linewidth=0.9)
    for one in found:
        shift = 0.2 * (keys.index(one.score) - (len(keys) - 1) / 2)
        row = names.index(one.benchmark) + shift
        colour = VERDICT_COLOURS[one.verdict]
        ends = [value for value in (one.low, one.high) if np.isfinite(value)]
        axes.plot(ends, [row] * len(ends), color=colour, linewidth=1.6)
        axes.plot([one.gain], [row], marks[one.score], color=colour, markersize=5)
    if len(keys) > 1:
        handles = [axes.plot([], [], marks[key], color=GREY, markersize=5, label=SCORE_WORDS[key])[0] for key in keys]
        axes.legend(handles=handles, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 1.0), fontsize=8.5,
                    handletextpad=0.1, columnspacing=1.0)  # fmt: skip
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(words, fontsize=9)
    quiet(axes, "x")


def draw_coverage(axes: Axes, means: Sequence[Summary]) -> None:
    """For each forecaster, the coverage of its bands, compared with the nominal one."""
    for row, one in enumerate(means):
        for level, colour in zip(BANDS, (GREY, BLUE), strict=True):
            axes.plot([one.held[level]] * 2, [row - 0.25, row + 0.25], color=colour, linewidth=1.6)
            axes.plot([one.covered[level]], [row], "o", color=colour, markersize=5)
    names = ["model", *(name for name in BENCHMARKS)]
    axes.set_yticks(range(len(means)), names)
    axes.set_ylim(len(means) - 0.5, -0.5)
    axes.set_xlim(0.0, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("coverage of 50% (grey), 90% bands;\nbars: nominal", fontsize=9)
    quiet(axes, "x")


# --- predictions of a case ----------------------------------------------------------------------------------


def case_figure(found: CasePredictions) -> Figure:
    """Acknowledged attacks so far: bands of the weighted histories, what was observed, and the pinned events."""
    scenario = found.config.scenario
    weights = np.broadcast_to(found.weights[:, None], found.so_far.shape)
    low, lower, middle, upper, high = quantile(found.so_far, list(LEVELS.values()), axis=0, weights=weights)
    days = np.array([place(scenario, day) for day in range(len(middle))])
    with style():
        figure = new_figure(WIDTH, 4.8)
        axes = figure.add_axes((LEFT, 0.16, 0.91, 0.62))
        axes.fill_between(days, low, high, color=BLUE, alpha=0.2, linewidth=0, label="90% of histories")
        axes.fill_between(days, lower, upper, color=BLUE, alpha=0.38, linewidth=0, label="50%")
        axes.plot(days, middle, color=BLUE, linewidth=1.8, label="median")
        draw_observed(axes, found, days, middle)
        axes.set_xlim(days[0] - 1, days[-1])
        draw_pins(axes, scenario, days, max(float(high[-1]), 1.0))
        date_axis([axes])
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        quiet(axes)
        axes.legend(ncols=5, loc="lower left", bbox_to_anchor=(-0.005, 1.0), fontsize=9, borderaxespad=0.2)
        last = scenario.calendar.date_of(len(days) - 1)
        ends = f"90% of histories {low[-1]:.0f} to {high[-1]:.0f}"
        head = f"Median {middle[-1]:.0f} attacks by {last.day} {last:%B %Y} ({ends})"
        words = "acknowledged attacks so far, given the observed counts and the pinned events (dotted)"
        made = f"{found.histories:,} histories, ESS {found.effective:,.0f}, posterior of another case, level refitted"
        source = FigureSource([scenario.title], made, found.config.seed, is_what="A test of the model, not advice.")
        figure.text(LEFT, 0.965, head, fontsize=13.5, fontweight="bold", va="top")
        figure.text(LEFT, 0.895, words, fontsize=10, color=GREY, va="top")
        footer(figure, source, left=LEFT)
    return figure


def draw_observed(axes: Axes, found: CasePredictions, days: Array, middle: Array) -> None:
    """Each observed count as a line from the median before it to that many more; a lower bound ends in an arrow up."""
    labels = {False: "observed, to which the level is refitted", True: "observed: at least so many"}
    for one in (one for one in found.settings.observations if one.quantity.of == "count"):
        ends, bound = [one.quantity.first, one.quantity.last], isinstance(one.reading, AtLeast)
        before = float(middle[ends[0] - 1]) if ends[0] else 0.0
        seen = one.reading.value if hasattr(one.reading, "value") else one.reading.observed
        axes.plot(
            days[ends], [before, before + seen], color=ORANGE, linewidth=1.4, linestyle="--" if bound else "-",
            marker=CARETUPBASE if bound else "o", markersize=8 if bound else 4, markevery=[1],
            label=labels.pop(bound, ""),
        )  # fmt: skip


def draw_pins(axes: Axes, scenario: Scenario, days: Array, highest: float) -> None:
    """Name the pinned events where they begin, above the bands."""
    pins = [one for one in scenario.standing_events() if one.kind in SHOWN_KINDS and one.first < len(days)]
    axes.set_ylim(0, highest * (1.1 + 1.3 * NAME_LINE * len(pins)))
    for row, event in enumerate(sorted(pins, key=lambda one: one.first)):
        at = place(scenario, event.first - 1)
        side, shift = ("right", -3) if at > days[-1] - NAME_ROOM * np.ptp(days) else ("left", 3)
        axes.axvline(at, color=PURPLE, linewidth=0.9, linestyle=":")
        axes.annotate(
            capital(event.words), (at, 0.98 - NAME_LINE * row), xycoords=("data", "axes fraction"),
            xytext=(shift, 0), textcoords="offset points", color=PURPLE, fontsize=9, va="top", ha=side,
            bbox=OPAQUE,
        )  # fmt: skip


SHOWN_KINDS: Final = ("deaths", "major", "limited", "strike", "act_against_patron", "open_answer", "restraint_order")
"""Kinds of events that the figure of a case names."""
