"""Attacks a week by theatre over the calendar: for a briefing, as a fan, and of several ensembles over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.analysis.calibration.observations import figures_of, section_of
from sim.analysis.durations import Outlook
from sim.analysis.pattern_tests import Verdict
from sim.engine.record import WEEK
from sim.experiment.formats import full_date, short_date
from sim.experiment.result_dir import config_in
from sim.experiment.statistics import TWENTIETHS, Array, Tally, histogram_quantile
from sim.model.scenario import Config, Scenario, titled
from sim.reporting.style import (
    BY_KIND,
    COLOURS,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SAND,
    date_axis,
    extent,
    footer,
    heading,
    name_colours,
    new_figure,
    quiet,
    style,
)
from sim.reporting.tables import days_words, sets_words
from sim.reporting.text import FigureSource, percent
from sim.rules.outcomes import NEVER, RESUMED_ATTACKS, RESUMED_DAYS

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

FAN_WIDTH: Final = 9.5
FAN_RIGHT: Final = 0.975
FAN_FOOT: Final = 0.62
"""The same of a fan, which has no column of figures."""
FAN_LINES: Final = (3.2, 1.6)
"""Widths of the first ensemble's line and of the others', so that it is seen beneath them."""

FLAG_ROWS: Final = 6
LULL_BELOW: Final = 0.5
"""The days from the strikes to the report are called a lull if attacks fall below this share of what they were."""
SHOWN_LATER: Final = 0.95
"""Days shown after the report, as a share of the days up to it: assumptions get less room than what is documented."""
ENDED: Final = 1.15
"""Height in inches of the panel that says with what probability the lull has ended."""


@dataclass(frozen=True)
class Flag:
    """Something that happened on a day, or between two with the probability of 90%."""

    text: str
    day: float
    first: float
    last: float
    colour: str
    dashes: str = "-"


def briefing_figure(
    data: xr.Dataset, config: Config, verdicts: Sequence[Verdict], outlook: Outlook | None = None
) -> Figure:
    """Attacks a week by theatre: median, 50% and 90% bands; deaths, order, strikes and lull; the source's figures.

    Args:
        data: an ensemble as `simulate_config` gives it.
        config: its configuration; theatres, dates and names come from there.
        verdicts: the patterns judged; the source's numbers stand below the model's.
        outlook: how the observed winter goes on: its histories take the place of the ensemble, and a panel shows with
            what probability the lull has ended.
    """
    data = data if outlook is None else outlook.data
    with style():
        figure, head, panels = calendar_panels(data, config, WIDTH, RIGHT, FOOT, 0.0 if outlook is None else ENDED)
        if outlook is not None:
            draw_ended(panels.pop(), outlook, config.scenario)
            mark_observed(panels, config)
        for axes, name in zip(panels, shown_theatres(config), strict=True):
            lines = model_lines(data, config.scenario, name)
            lines += [(f"article: {one}", ORANGE) for one in said_of(config, verdicts, name)]
            write_column(axes, lines)
        label_bands(panels[0], data, config.scenario, outlook is not None)
        write_total(head, data, config, verdicts)
        write_frame(figure, data, config, outlook)
    return figure


def draw_ended(axes: Axes, outlook: Outlook, scenario: Scenario) -> None:
    """The probability that the lull has ended by each day: mean, and bands over parameter sets."""
    rows = outlook.course
    days = axis_day(scenario, scenario.calendar.strikes) + np.array([one["days"] for one in rows])
    for low, high, strength in (("q05", "q95", 0.20), ("q25", "q75", 0.38)):
        below, above = ([one[name] for one in rows] for name in (low, high))
        axes.fill_between(days, below, above, color=ORANGE, alpha=strength, linewidth=0)
    axes.plot(days, [one["ended"] for one in rows], color=ORANGE, linewidth=1.8)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title("Has the lull ended?", fontsize=10.5, fontweight="bold", pad=4, color=ORANGE)
    words = (
        f"probability that attacks have resumed ({RESUMED_ATTACKS} within {RESUMED_DAYS} days, from the first day on):"
        " mean, and 50% and 90% of parameter sets"
    )
    axes.set_title(words, loc="right", fontsize=8.5, color=GREY, pad=4)
    quiet(axes)
    write_column(axes, ended_lines(outlook, scenario))


def ended_lines(outlook: Outlook, scenario: Scenario) -> list[tuple[str, str]]:
    """The outlook in numbers: by a few dates, in the median, and of direct war."""
    start, lines = scenario.calendar.strikes, []
    for days in (60, 120, 180):
        if days < len(outlook.course):
            one, day = outlook.course[days], short_date(scenario.calendar.date_of(start + days))
            lines.append((f"by {day}: {percent(one['ended'])} ({percent(one['q05'])} to {percent(one['q95'])})", INK))
    lull = outlook.lull
    ends = f"{days_words(lull.low, outlook)} to {days_words(lull.high, outlook)}"
    lines.append((f"median: {days_words(lull.median, outlook)} days ({ends})", INK))
    lines.append((f"direct war by {short_date(outlook.last)}: {percent(outlook.war.mean)}", ORANGE))
    return [*lines, (f"({sets_words(outlook.war)} over parameter sets)", ORANGE)]


def mark_observed(panels: Sequence[Axes], config: Config) -> None:
    """Counts that were observed in one theatre during the lull, as attacks a week."""
    calendar = config.scenario.calendar
    first, last = (axis_day(config.scenario, day) for day in (calendar.strikes + 1, calendar.report + 1))
    by_theatre = dict(zip(shown_theatres(config), panels, strict=True))
    for one in figures_of(section_of(config), config.scenario):
        if one.window == "lull" and len(one.theatres) == 1 and one.theatres[0] in by_theatre:
            weekly = one.reading.observed * WEEK / len(calendar.lull)
            by_theatre[one.theatres[0]].hlines(weekly, first, last, color=ORANGE, linewidth=2.6, zorder=3)


def fan_figure(data: xr.Dataset) -> Figure:
    """Attacks a week by theatre in one ensemble: median, half and nine in ten of the histories, and what happened.

    Args:
        data: an ensemble as `simulate` gives it; theatres, dates and names come from the configuration that it carries.
    """
    config = config_in(data)
    with style():
        figure, _, _ = calendar_panels(data, config, FAN_WIDTH, FAN_RIGHT, FAN_FOOT)
        title, text = headline(data, config.scenario), "line: median; dark band: 50% of histories; pale band: 90%"
        heading(figure, title, text, LEFT, 13, (0.14, 0.44), fit=True)
        write_source(figure, {config.scenario.name: data})
    return figure


def fans_figure(found: Mapping[str, xr.Dataset]) -> Figure:
    """Attacks a week on the target, several ensembles over each other: medians, and bands with half of the histories.

    Args:
        found: ensembles of one case by what they are to be called, up to six.
    """
    scenario = config_in(next(iter(found.values()))).scenario
    targets = scenario.cast.targets
    theatres = [name for name in targets if any(panel_weight(data, name) == 1.0 for data in found.values())]
    with style():
        figure = new_figure(FAN_WIDTH, height := TITLE + 0.2 + len(theatres) * 1.7 + FAN_FOOT)
        panels = list(figure.subplots(len(theatres), 1, sharex=True, squeeze=False)[:, 0])
        top, bottom = 1 - (TITLE + 0.2) / height, FAN_FOOT / height
        figure.subplots_adjust(left=LEFT, right=FAN_RIGHT, top=top, bottom=bottom, hspace=0.35)
        for axes, name in zip(panels, theatres, strict=True):
            for place, (data, colour) in enumerate(zip(found.values(), COLOURS, strict=False)):
                draw_bands(axes, data, scenario, name, colour, (("q25", "q75", 0.22),), FAN_LINES[place > 0])
            name_theatre(axes, scenario, name)
            axes.set_ylim(bottom=0)
            draw_windows(axes, scenario)
        finish_calendar(panels, scenario)
        title = f"Attacks a week on {scenario.cast.names.target}"
        text = "line: median; band: 50% of histories; sand: from the strikes to the report; hatched: after it"
        heading(figure, title, text, LEFT, 13, (0.14, 0.44), fit=True)
        name_colours(figure, list(found), COLOURS, LEFT, 0.72)
        write_source(figure, found)
    return figure


def calendar_panels(
    data: xr.Dataset, config: Config, width: float, right: float, foot: float, more: float = 0.0
) -> tuple[Figure, Axes, list[Axes]]:
    """A figure with a strip of flags, and below it a panel for each theatre shown, all on one calendar.

    One `more` panel, where it has a height, comes last and is empty.
    """
    scenario, theatres = config.scenario, shown_theatres(config)
    heights = [*(PANEL * panel_weight(data, name) for name in theatres), *([more] if more else [])]
    whole = TITLE + HEAD + sum(GAP + one for one in heights) + foot
    figure = new_figure(width, whole)
    top = whole - TITLE - HEAD
    head = figure.add_axes((LEFT, top / whole, right - LEFT, HEAD / whole))
    panels = []
    for height in heights:
        top -= GAP + height
        panels.append(figure.add_axes((LEFT, top / whole, right - LEFT, height / whole), sharex=head))
    head.set_axis_off()
    flags = flags_of(data, scenario)
    for axes, name in zip(panels, theatres, strict=False):
        draw_theatre(axes, data, scenario, name)
    for axes in panels:
        draw_windows(axes, scenario)
        for flag in flags:
            day = axis_day(scenario, flag.day)
            axes.axvline(day, color=flag.colour, linewidth=1.1, linestyle=flag.dashes, zorder=1.5)
    finish_calendar(panels, scenario)
    raise_flags(head, scenario, flags)
    return figure, head, panels


def shown_theatres(config: Config) -> list[str]:
    """Theatres where the target is attacked and those that a pattern speaks of; all where there are no patterns."""
    spoken = {name for pattern in config.patterns for name in pattern.theatres}
    theatres = config.scenario.cast.theatres
    return [name for name, one in theatres.items() if one.kind == "target" or name in spoken or not config.patterns]


def weekly_bands(data: xr.Dataset, theatre: str) -> dict[str, Array]:
    """Quantiles of attacks a week in one theatre, each (week,); NaN where every history has ended in war."""
    counts = data["weekly_histogram"].sel(theatre=theatre).values
    bands = {name: histogram_quantile(counts, part).astype(float) for name, part in TWENTIETHS.items()}
    return {name: np.where(band < 0, np.nan, band) for name, band in bands.items()}


def panel_weight(data: xr.Dataset, theatre: str) -> float:
    """Height of a panel: a theatre where hardly anything happens gets less."""
    return 1.0 if np.nanmax(weekly_bands(data, theatre)["q95"], initial=0.0) > 2 else 0.45


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
    first = short_date(calendar.date_of(calendar.days - rest))
    if rest == 1:
        return f"The last day, {first}, fills no week and is left out."
    return f"The last {rest} days, from {first} on, fill no week and are left out."


def axis_day(scenario: Scenario, day: float) -> float:
    """Where a day number stands on the calendar's axis."""
    return float(date2num(scenario.calendar.start)) + day


def draw_theatre(axes: Axes, data: xr.Dataset, scenario: Scenario, theatre: str) -> None:
    """One panel: bands as steps a week wide, the median as a line of steps."""
    colour = BY_KIND[scenario.cast.theatres[theatre].kind]
    draw_bands(axes, data, scenario, theatre, colour, (("q05", "q95", 0.20), ("q25", "q75", 0.38)), 1.6)
    top = max(1.0, float(np.nanmax(weekly_bands(data, theatre)["q95"], initial=0.0)) * 1.1)
    axes.set_ylim(-0.025 * top, top)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4 if panel_weight(data, theatre) == 1.0 else 2, integer=True))
    name_theatre(axes, scenario, theatre, color=colour, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})


def draw_bands(
    axes: Axes, data: xr.Dataset, scenario: Scenario, theatre: str, colour: str,
    fills: Sequence[tuple[str, str, float]], width: float,
) -> None:  # fmt: skip
    """Bands between quantiles of attacks a week, each with its strength, and the median."""
    bands = weekly_bands(data, theatre)
    edges = axis_day(scenario, 0) + np.append(data["week_start"].values, data.sizes["week"] * WEEK)
    for low, high, strength in fills:
        axes.stairs(bands[high], edges, baseline=bands[low], fill=True, color=colour, alpha=strength, linewidth=0)
    axes.stairs(bands["median"], edges, baseline=None, color=colour, linewidth=width)


def name_theatre(axes: Axes, scenario: Scenario, theatre: str, **look: Any) -> None:
    """The name of a theatre, and the unit of its panel."""
    axes.set_title(scenario.cast.theatres[theatre].name, fontsize=10.5, fontweight="bold", pad=4, **look)
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
    strikes, report, end = (axis_day(scenario, day) for day in (calendar.strikes, calendar.report, calendar.days))
    axes.axvspan(strikes, report, color=SAND, zorder=-2, lw=0)
    if calendar.later:
        axes.axvspan(report, end, facecolor="#F8F8F8", edgecolor="#E9E9E9", hatch="//", zorder=-2, lw=0)


def finish_calendar(panels: Sequence[Axes], scenario: Scenario) -> None:
    """Dates under the lowest panel alone."""
    panels[0].set_xlim(axis_day(scenario, 0), axis_day(scenario, last_shown(scenario)))
    date_axis(panels, 14)


def label_bands(axes: Axes, data: xr.Dataset, scenario: Scenario, observed: bool = False) -> None:
    """What line, bands and shading are, once; also the marks of what was `observed`."""
    figure = axes.figure
    wide, narrow, middle = axes.patches[:3]
    marks: dict[str, Artist] = {"median": middle, "50% of histories": narrow, "90%": wide}
    if observed:
        marks["observed in the lull, a week"] = Line2D([], [], color=ORANGE, linewidth=2.6)
    figure.legend(
        list(marks.values()), list(marks), ncols=len(marks), fontsize=9,
        loc="upper left", bbox_to_anchor=(LEFT, 1 - 0.79 / figure.bbox.height * figure.dpi), handlelength=1.3,
        columnspacing=1.4, borderaxespad=0.0, borderpad=0.0,
    )  # fmt: skip
    before, after = weekly_rates(data, scenario)
    if after < LULL_BELOW * before:
        day = axis_day(scenario, (scenario.calendar.strikes + scenario.calendar.report) / 2)
        place = axes.get_xaxis_transform()
        axes.text(day, 0.93, "lull", transform=place, ha="center", va="top", fontsize=9, color=GREY)


def flags_of(data: xr.Dataset, scenario: Scenario) -> list[Flag]:
    """What to point at, in the order of the calendar."""
    names, calendar = scenario.cast.names, scenario.calendar
    pinned = {event.first: event for event in scenario.standing_events() if event.kind == "deaths"}
    flags = [Flag("report; beyond it assumptions decide", calendar.report, calendar.report, calendar.report, GREY)]
    if scenario.departs:
        flags.append(Flag("scenario departs", scenario.departs, scenario.departs, scenario.departs, GREY, ":"))
    ordered = any(event.kind == "restraint_order" for event in scenario.standing_events())
    how = "documented, the day assumed" if ordered else "in the model"
    kinds = (
        ("first_death_day", f"first deaths among soldiers of {names.target}", ORANGE, "-"),
        ("directive_day", f"{names.patron} orders restraint ({how})", PURPLE, "-"),
        ("major_day", f"major strikes of {names.target}", INK, "-"),
        ("release_day", f"{names.patron} lifts the order (assumed)", PURPLE, ":"),
    )
    for name, text, colour, dashes in kinds:
        sample = Tally.of(data[name].values).replaced(NEVER, np.inf)
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
    taken = [np.inf] * FLAG_ROWS
    head.set_ylim(0, FLAG_ROWS)
    for flag in sorted(flags, key=lambda one: -one.day):
        x = axis_day(scenario, flag.day)
        text = head.annotate(
            said(flag, scenario), (x, 0), xytext=(4, 0), textcoords="offset points", color=flag.colour, fontsize=9,
            va="center", annotation_clip=False, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=3,
        )  # fmt: skip
        box = extent(text)
        over = max(0.0, box.x1 - head.bbox.x1)
        text.set_position((4 - over * 72 / head.figure.dpi, 0))
        row = next((row for row in range(FLAG_ROWS) if box.x1 - over + 6 < taken[row]), FLAG_ROWS - 1)
        for below in range(row + 1):
            taken[below] = min(taken[below], box.x0 - over - 4)
        text.xy = (x, row + 0.5)
        foot = -FLAG_ROWS * GAP / HEAD
        head.plot([x, x], [foot, row + 0.9], color=flag.colour, linewidth=1.1, linestyle=flag.dashes, clip_on=False)
        if flag.last > flag.first:
            span = [axis_day(scenario, flag.first), axis_day(scenario, min(flag.last, last_shown(scenario)))]
            head.plot(span, [row + 0.04] * 2, color=flag.colour, linewidth=3, alpha=0.35, solid_capstyle="butt")


def said(flag: Flag, scenario: Scenario) -> str:
    """The flag's text with its date, or with the 90% interval of its dates."""
    calendar = scenario.calendar
    if flag.first == flag.last:
        return f"{short_date(calendar.date_of(int(flag.day)))}: {flag.text}"
    first = short_date(calendar.date_of(int(flag.first)))
    if flag.last >= calendar.days:
        return f"{flag.text}, {first} or later"
    return f"{flag.text}, {first} to {short_date(calendar.date_of(int(flag.last)))}"


def model_lines(data: xr.Dataset, scenario: Scenario, theatre: str) -> list[tuple[str, str]]:
    """The model before and after the strikes: acknowledged attacks where the target is hit, else attacks a week."""
    calendar = scenario.calendar
    on_target = scenario.cast.theatres[theatre].kind == "target"
    counts = data["theatre_acknowledged" if on_target else "theatre_attacks"].sel(theatre=theatre)
    strikes, report = (short_date(calendar.date_of(day)) for day in (calendar.strikes, calendar.report))
    lines = []
    for window, text in (("campaign", f"before {strikes}"), ("lull", f"{strikes} to {report}")):
        if days := len(calendar.campaign if window == "campaign" else calendar.lull):
            weeks, unit = (1.0, "") if on_target else (days / WEEK, " a week")
            lines.append((f"{text}: {median_words(counts.sel(window=window).values, weeks, unit)}", INK))
    return lines


def median_words(sample: Array, weeks: float = 1.0, unit: str = "") -> str:
    """The median of counts over so many weeks, and the middle 90%."""
    tally = Tally.of(sample)
    low, middle, high = (tally.quantile(part) / weeks for part in (1, 10, 19))
    return f"{middle:.0f}{unit} ({low:.0f} to {high:.0f})"


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
    strikes = short_date(scenario.calendar.date_of(scenario.calendar.strikes))
    lines = [
        ("Acknowledged attacks, in the model:", GREY),
        ("median (90% of histories)", GREY),
        (f"on {scenario.cast.names.target}, all theatres", BY_KIND["target"]),
        (f"before {strikes}: {median_words(data['acknowledged_campaign'].values)}", INK),
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


def write_frame(figure: Figure, data: xr.Dataset, config: Config, outlook: Outlook | None = None) -> None:
    """Title, what is shown, and where it comes from."""
    scenario = config.scenario
    title, words = headline(data, scenario), scenario.question
    if outlook is not None:
        title, words = outlook_headline(outlook)
    heading(figure, title, words, LEFT, 15, (0.17, 0.51), 10.5, fit=True)
    war = float((data["war_day"].values != NEVER).mean())
    left_out = f" Weeks after direct war ({war:.1%} of histories) are left out." if war else ""
    left_out += f" {rest}" if (rest := no_week(scenario)) else ""
    note = f"On the right: acknowledged attacks on {scenario.cast.names.target}, all attacks elsewhere.{left_out}"
    footer(figure, FigureSource([scenario.title], f"{data.sizes['run']:,} simulated histories", config.seed), note)


def write_source(figure: Figure, found: Mapping[str, xr.Dataset]) -> None:
    """Where a fan, or several, come from."""
    footer(figure, source_of(found), *filter(None, {no_week(config_in(data).scenario) for data in found.values()}))


def source_of(found: Mapping[str, xr.Dataset]) -> FigureSource:
    """Where ensembles come from, which have names where there are several."""
    several = len(found) > 1
    runs = ", ".join(f"{one:,}" for one in sorted({data.sizes["run"] for data in found.values()}))
    seeds = ", ".join(sorted({data.attrs["seed"] for data in found.values()}))
    titles = dict.fromkeys(titled(data.attrs["scenario"]) for data in found.values())
    return FigureSource(list(titles), f"{runs} simulated histories{' each' if several else ''}", seeds)


def headline(data: xr.Dataset, scenario: Scenario) -> str:
    """What the figure says: acknowledged attacks a week on the target, before the strikes and up to the report."""
    calendar = scenario.calendar
    before, after = (f"{rate:.1f}" if 0 < rate < 2 else f"{rate:.0f}" for rate in weekly_rates(data, scenario))
    strikes, report = (calendar.date_of(day) for day in (calendar.strikes, calendar.report))
    return (
        f"Attacks on {scenario.cast.names.target} in the model: {before} a week before"
        f" {short_date(strikes)} {strikes.year}, {after} a week from then to {short_date(report)}"
    )


def outlook_headline(one: Outlook) -> tuple[str, str]:
    """What the figure says of the observed winter, and under which condition."""
    lull, report = one.lull, full_date(one.report)
    ends = f"{days_words(lull.low, one)} to {days_words(lull.high, one)}"
    title = (
        f"This winter in the model: a lull of {days_words(lull.median, one)} days ({ends}), direct war by"
        f" {short_date(one.last)} {percent(one.war.mean)} ({sets_words(one.war)})"
    )
    words = (
        f"Given the {one.observations} observations up to {report}: {one.draws:,} histories that reproduce them, each"
        f" continued {one.data.sizes['run'] // one.draws} times. Median, mean, 90% intervals over parameter sets."
    )
    return title, words


def weekly_rates(data: xr.Dataset, scenario: Scenario) -> tuple[float, float]:
    """Median of acknowledged attacks a week on the target, before the strikes and from them to the report."""
    windows = (("acknowledged_campaign", scenario.calendar.campaign), ("acknowledged_lull", scenario.calendar.lull))
    before, after = (WEEK * Tally.of(data[name].values).quantile(10) / max(1, len(days)) for name, days in windows)
    return before, after
