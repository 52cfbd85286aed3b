"""The figure for a briefing: attacks a week by theatre over the calendar, what happened, what the source says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.engine.record import WEEK
from sim.rules.outcomes import NEVER
from sim.study.patterns import Verdict
from sim.study.summary import TWENTIETHS, counted_quantile
from sim.study.tally import Tally
from sim.view.style import BY_KIND, GREY, INK, ORANGE, PURPLE, SAND, new_figure, quiet, style
from sim.world.scenario import Config, Scenario

Array = npt.NDArray[Any]

WIDTH: Final = 13.33
LEFT: Final = 0.045
RIGHT: Final = 0.75
"""Where the calendar ends and the column of figures begins, as shares of the width."""
TITLE: Final = 0.95
HEAD: Final = 1.2
PANEL: Final = 0.88
GAP: Final = 0.35
FOOT: Final = 0.88
"""Heights in inches: title, strip of flags, a full panel, the gap above each panel, dates and source."""

FLAG_ROWS: Final = 6
LULL_BELOW: Final = 0.5
"""The days from the strikes to the report are called a lull if attacks fall below this share of what they were."""
SHOWN_LATER: Final = 0.7
"""Days shown after the report, as a share of the days up to it: assumptions get less room than what is documented."""


@dataclass(frozen=True)
class Flag:
    """Something that happened on a day, or between two with the probability of 90%."""

    text: str
    day: float
    first: float
    last: float
    colour: str
    dashes: str = "-"


def briefing_figure(data: xr.Dataset, config: Config, verdicts: Sequence[Verdict]) -> Figure:
    """Attacks a week by theatre: median, 50% and 90% bands; deaths, order, strikes and lull; the source's figures.

    Args:
        data: an ensemble as `simulate_config` gives it.
        config: its configuration; theatres, dates and names come from there.
        verdicts: the patterns judged; their figures stand beside the model's.
    """
    scenario = config.scenario
    theatres = shown_theatres(config)
    heights = [panel_weight(data, name) for name in theatres]
    with style():
        figure = new_figure(WIDTH, TITLE + HEAD + sum(GAP + PANEL * one for one in heights) + FOOT)
        head, *panels = stacked(figure, heights)
        for axes, name in zip(panels, theatres, strict=True):
            draw_theatre(axes, data, scenario, name)
            write_figures(axes, data, config, name, verdicts)
        flags = flags_of(data, scenario)
        for axes in panels:
            draw_windows(axes, scenario)
            draw_lines(axes, scenario, flags)
        finish_calendar(panels, scenario)
        label_bands(panels[0], data, scenario)
        raise_flags(head, scenario, flags)
        write_total(head, data, config, verdicts)
        write_frame(figure, data, config)
    return figure


def shown_theatres(config: Config) -> list[str]:
    """Theatres where the target is attacked and those that a pattern speaks of; all where there are no patterns."""
    spoken = {name for pattern in config.patterns for name in pattern.theatres}
    theatres = config.scenario.cast.theatres
    return [name for name, one in theatres.items() if one.kind == "target" or name in spoken or not config.patterns]


def weekly_bands(data: xr.Dataset, theatre: str) -> dict[str, Array]:
    """Quantiles of attacks a week in one theatre, each (week,); NaN where every history has ended in war."""
    counts = data["weekly_histogram"].sel(theatre=theatre).values
    bands = {name: counted_quantile(counts, part).astype(float) for name, part in TWENTIETHS.items()}
    return {name: np.where(band < 0, np.nan, band) for name, band in bands.items()}


def panel_weight(data: xr.Dataset, theatre: str) -> float:
    """Height of a panel: a theatre where hardly anything happens gets less."""
    return 1.0 if np.nanmax(weekly_bands(data, theatre)["q95"], initial=0.0) > 2 else 0.45


def stacked(figure: Figure, heights: Sequence[float], left: float = LEFT, right: float = RIGHT) -> list[Axes]:
    """A strip for the flags and one panel for each height beneath it, all on one calendar."""
    whole, width = figure.get_figheight(), right - left
    top = whole - TITLE - HEAD
    places = [figure.add_axes((left, top / whole, width, HEAD / whole))]
    for height in heights:
        top -= GAP + PANEL * height
        places.append(figure.add_axes((left, top / whole, width, PANEL * height / whole), sharex=places[0]))
    places[0].set_axis_off()
    return places


def last_shown(scenario: Scenario) -> int:
    """The day on which the figure ends."""
    report = scenario.calendar.report
    return min(scenario.calendar.days, report + 1 + round(SHOWN_LATER * report))


def no_week(scenario: Scenario) -> str:
    """A sentence on the last days where the figure reaches them and they fill no week; otherwise empty."""
    calendar = scenario.calendar
    rest = calendar.days % WEEK
    if not rest or last_shown(scenario) <= calendar.days - rest:
        return ""
    first = short(calendar.date_of(calendar.days - rest))
    if rest == 1:
        return f"The last day, {first}, fills no week and is left out."
    return f"The last {rest} days, from {first} on, fill no week and are left out."


def number(scenario: Scenario, day: float) -> float:
    """Where a day number stands on the calendar's axis."""
    return float(date2num(scenario.calendar.start)) + day


def draw_theatre(axes: Axes, data: xr.Dataset, scenario: Scenario, theatre: str) -> None:
    """One panel: bands as steps a week wide, the median as a line of steps."""
    one = scenario.cast.theatres[theatre]
    colour = BY_KIND[one.kind]
    bands = weekly_bands(data, theatre)
    edges = number(scenario, 0) + np.append(data["week_start"].values, data.sizes["week"] * WEEK)
    for low, high, strength in (("q05", "q95", 0.20), ("q25", "q75", 0.38)):
        axes.stairs(bands[high], edges, baseline=bands[low], fill=True, color=colour, alpha=strength, linewidth=0)
    axes.stairs(bands["median"], edges, baseline=None, color=colour, linewidth=1.6)
    top = max(1.0, float(np.nanmax(bands["q95"], initial=0.0)) * 1.1)
    axes.set_ylim(-0.025 * top, top)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4 if panel_weight(data, theatre) == 1.0 else 2, integer=True))
    background = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.set_title(one.name, fontsize=10.5, fontweight="bold", color=colour, pad=4, bbox=background)
    unit = f"attacks a week on {attacked(scenario, theatre)}"
    axes.set_title(unit, loc="right", fontsize=8.5, color=GREY, pad=4)
    quiet(axes)


def attacked(scenario: Scenario, theatre: str) -> str:
    """Who is attacked in a theatre."""
    kind = scenario.cast.theatres[theatre].kind
    names = scenario.cast.names
    return {"target": names.target, "rival": names.rival, "shipping": "ships"}[kind]


def draw_windows(axes: Axes, scenario: Scenario) -> None:
    """Shade the lull, and hatch all that lies after the report."""
    calendar = scenario.calendar
    axes.axvspan(number(scenario, calendar.strikes), number(scenario, calendar.report), color=SAND, zorder=-2, lw=0)
    if calendar.later:
        end = number(scenario, calendar.days)
        axes.axvspan(
            number(scenario, calendar.report),
            end,
            facecolor="#F8F8F8",
            edgecolor="#E9E9E9",
            hatch="//",
            zorder=-2,
            lw=0,
        )


def draw_lines(axes: Axes, scenario: Scenario, flags: Sequence[Flag]) -> None:
    """The foot of every flag."""
    for flag in flags:
        axes.axvline(number(scenario, flag.day), color=flag.colour, linewidth=1.1, linestyle=flag.dashes, zorder=1.5)


def finish_calendar(panels: Sequence[Axes], scenario: Scenario) -> None:
    """Dates under the lowest panel alone."""
    panels[0].set_xlim(number(scenario, 0), number(scenario, last_shown(scenario)))
    locator = AutoDateLocator(minticks=6, maxticks=14)
    for axes in panels:
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        axes.tick_params(axis="x", labelbottom=axes is panels[-1])


def label_bands(axes: Axes, data: xr.Dataset, scenario: Scenario) -> None:
    """What line, bands and shading are, once."""
    figure = axes.figure
    wide, narrow, middle = axes.patches[:3]
    figure.legend(
        [middle, narrow, wide], ["median", "half of the histories", "nine in ten"], ncols=3, fontsize=9,
        loc="upper left", bbox_to_anchor=(LEFT, 1 - 0.79 / figure.bbox.height * figure.dpi), handlelength=1.3,
        columnspacing=1.4, borderaxespad=0.0, borderpad=0.0,
    )  # fmt: skip
    before, after = weekly_rates(data, scenario)
    if after < LULL_BELOW * before:
        day = number(scenario, (scenario.calendar.strikes + scenario.calendar.report) / 2)
        place = axes.get_xaxis_transform()
        axes.text(day, 0.93, "lull", transform=place, ha="center", va="top", fontsize=9, color=GREY)


def flags_of(data: xr.Dataset, scenario: Scenario) -> list[Flag]:
    """What to point at, in the order of the calendar."""
    names, calendar = scenario.cast.names, scenario.calendar
    pinned = {event.first: event for event in scenario.standing_events() if event.kind == "deaths"}
    flags = [Flag("report; beyond it assumptions decide", calendar.report, calendar.report, calendar.report, GREY)]
    if scenario.departs:
        flags.append(Flag("scenario departs", scenario.departs, scenario.departs, scenario.departs, GREY, ":"))
    told = (
        ("first_death_day", f"first deaths among soldiers of {names.target}", ORANGE, "-"),
        ("directive_day", f"{names.patron} orders restraint (in the model)", PURPLE, "-"),
        ("major_day", f"major strikes of {names.target}", INK, "-"),
        ("release_day", f"{names.patron} lifts the order (assumed)", PURPLE, ":"),
    )
    for name, text, colour, dashes in told:
        sample = Tally.of(data[name].values).moved(NEVER, np.inf)
        first, middle, last = (sample.quantile(part) for part in (1, 10, 19))
        if middle < last_shown(scenario):
            event = pinned.get(int(middle)) if name == "first_death_day" and first == last else None
            words = text if event is None else f"{event.killed} soldiers killed in {place(scenario, event.wing)}"
            flags.append(Flag(words, middle, first, min(last, calendar.days), colour, dashes))
    return sorted(flags, key=lambda flag: flag.day)


def place(scenario: Scenario, wing: str | None) -> str:
    """Where a wing fights."""
    return scenario.cast.theatres[scenario.cast.wings[str(wing)].theatre].name


def raise_flags(head: Axes, scenario: Scenario, flags: Sequence[Flag]) -> None:
    """Write what each flag says, from right to left, each in the lowest row where it covers no other."""
    canvas: Any = head.figure.canvas
    taken = [np.inf] * FLAG_ROWS
    head.set_ylim(0, FLAG_ROWS)
    for flag in sorted(flags, key=lambda one: -one.day):
        x = number(scenario, flag.day)
        text = head.annotate(
            said(flag, scenario), (x, 0), xytext=(4, 0), textcoords="offset points", color=flag.colour, fontsize=9,
            va="center", annotation_clip=False, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=3,
        )  # fmt: skip
        box = text.get_window_extent(canvas.get_renderer())
        over = max(0.0, box.x1 - head.bbox.x1)
        text.set_position((4 - over * 72 / head.figure.dpi, 0))
        row = next((row for row in range(FLAG_ROWS) if box.x1 - over + 6 < taken[row]), FLAG_ROWS - 1)
        for below in range(row + 1):
            taken[below] = min(taken[below], box.x0 - over - 4)
        text.xy = (x, row + 0.5)
        foot = -FLAG_ROWS * GAP / HEAD
        head.plot([x, x], [foot, row + 0.9], color=flag.colour, linewidth=1.1, linestyle=flag.dashes, clip_on=False)
        if flag.last > flag.first:
            span = [number(scenario, flag.first), number(scenario, min(flag.last, last_shown(scenario)))]
            head.plot(span, [row + 0.04] * 2, color=flag.colour, linewidth=3, alpha=0.35, solid_capstyle="butt")


def said(flag: Flag, scenario: Scenario) -> str:
    """The flag's text with its date, or with the dates between which nine in ten histories have it."""
    calendar = scenario.calendar
    if flag.first == flag.last:
        return f"{short(calendar.date_of(int(flag.day)))}: {flag.text}"
    first = short(calendar.date_of(int(flag.first)))
    if flag.last >= calendar.days:
        return f"{flag.text}, {first} or later"
    return f"{flag.text}, {first} to {short(calendar.date_of(int(flag.last)))}"


def short(day: date) -> str:
    """A date without its year.

    >>> short(date(2024, 2, 2))
    '2 Feb'
    """
    return f"{day.day} {day:%b}"


def write_figures(axes: Axes, data: xr.Dataset, config: Config, theatre: str, verdicts: Sequence[Verdict]) -> None:
    """The figures of one theatre in the column on the right: the model's, and the source's beneath."""
    lines = model_lines(data, config.scenario, theatre)
    lines += [(f"article: {one}", ORANGE) for one in said_of(config, verdicts, theatre)]
    write_column(axes, lines)


def model_lines(data: xr.Dataset, scenario: Scenario, theatre: str) -> list[tuple[str, str]]:
    """The model before and after the strikes: acknowledged attacks where the target is hit, else attacks a week."""
    calendar = scenario.calendar
    on_target = scenario.cast.theatres[theatre].kind == "target"
    counts = data["theatre_acknowledged" if on_target else "theatre_attacks"].sel(theatre=theatre)
    strikes, report = (short(calendar.date_of(day)) for day in (calendar.strikes, calendar.report))
    lines = []
    for window, text in (("campaign", f"before {strikes}"), ("lull", f"{strikes} to {report}")):
        sample = Tally.of(counts.sel(window=window).values)
        days = len(calendar.campaign if window == "campaign" else calendar.lull)
        if not days:
            continue
        weeks = 1.0 if on_target else days / WEEK
        low, middle, high = (sample.quantile(part) / weeks for part in (1, 10, 19))
        unit = "" if on_target else " a week"
        lines.append((f"{text}: {middle:.0f}{unit} ({low:.0f} to {high:.0f})", INK))
    return lines


def said_of(config: Config, verdicts: Sequence[Verdict], theatre: str | None) -> list[str]:
    """The source's figures on one theatre, or on all of the target's together (None)."""
    article = {one.id: one.article for one in verdicts}
    return [
        article[pattern.id]
        for pattern in config.patterns
        if pattern.id in article
        and pattern.judged == "article"
        and (theatre in pattern.theatres if theatre else pattern.measure == "campaign_count")
    ]


def write_total(head: Axes, data: xr.Dataset, config: Config, verdicts: Sequence[Verdict]) -> None:
    """What the column on the right holds, and its figure for all places where the target is attacked together."""
    scenario = config.scenario
    acknowledged = Tally.of(data["acknowledged_campaign"].values)
    low, middle, high = (acknowledged.quantile(part) for part in (1, 10, 19))
    strikes = short(scenario.calendar.date_of(scenario.calendar.strikes))
    lines = [
        ("Acknowledged attacks, in the model:", GREY),
        ("median (range of nine in ten histories)", GREY),
        (f"on {scenario.cast.names.target}, all theatres", BY_KIND["target"]),
        (f"before {strikes}: {middle:.0f} ({low:.0f} to {high:.0f})", INK),
        *((f"article: {one}", ORANGE) for one in said_of(config, verdicts, None)),
    ]
    write_column(head, lines, lift=8)


def write_column(axes: Axes, lines: Sequence[tuple[str, str]], lift: float = -2.0) -> None:
    """Lines of text in the column on the right of a panel, the first so many points above its upper edge."""
    for row, (text, colour) in enumerate(lines):
        axes.annotate(
            text, (1.0, 1.0), xycoords="axes fraction", xytext=(12, lift - 14 * row), textcoords="offset points",
            va="top", fontsize=9, color=colour, annotation_clip=False,
        )  # fmt: skip


def write_frame(figure: Figure, data: xr.Dataset, config: Config) -> None:
    """Title, what is shown, and where it comes from."""
    scenario, height = config.scenario, figure.get_figheight()
    fitted(figure, 1 - 0.17 / height, headline(data, scenario), fontsize=15, fontweight="bold")
    fitted(figure, 1 - 0.51 / height, scenario.question, fontsize=10.5, color=GREY)
    war = float((data["war_day"].values != NEVER).mean())
    left_out = f" Weeks after direct war ({war:.1%} of histories) are left out." if war else ""
    left_out += f" {rest}" if (rest := no_week(scenario)) else ""
    source = (
        f"Source: Lull, scenario {scenario.name}, {data.sizes['run']:,} simulated histories, seed {config.seed}."
        f"{left_out} A model, not a forecast.\n"
        f"On the right: acknowledged attacks on {scenario.cast.names.target}, all attacks elsewhere."
    )
    figure.text(LEFT, 0.12 / height, source, fontsize=8.5, color=GREY)


def fitted(figure: Figure, y: float, words: str, fontsize: float, **look: Any) -> None:
    """Write a line across the figure, smaller where it would not fit."""
    text = figure.text(LEFT, y, words, fontsize=fontsize, va="top", **look)
    canvas: Any = figure.canvas
    width = text.get_window_extent(canvas.get_renderer()).width
    room = (1 - 2 * LEFT) * figure.bbox.width
    text.set_fontsize(fontsize * min(1.0, room / width))


def headline(data: xr.Dataset, scenario: Scenario) -> str:
    """What the figure says: acknowledged attacks a week on the target, before the strikes and up to the report."""
    calendar = scenario.calendar
    before, after = (f"{rate:.1f}" if 0 < rate < 2 else f"{rate:.0f}" for rate in weekly_rates(data, scenario))
    strikes, report = (calendar.date_of(day) for day in (calendar.strikes, calendar.report))
    return (
        f"Attacks on {scenario.cast.names.target} in the model: {before} a week before"
        f" {short(strikes)} {strikes.year}, {after} a week from then to {short(report)}"
    )


def weekly_rates(data: xr.Dataset, scenario: Scenario) -> tuple[float, float]:
    """Median of acknowledged attacks a week on the target, before the strikes and from them to the report."""
    windows = (("acknowledged_campaign", scenario.calendar.campaign), ("acknowledged_lull", scenario.calendar.lull))
    before, after = (WEEK * Tally.of(data[name].values).quantile(10) / max(1, len(days)) for name, days in windows)
    return before, after
