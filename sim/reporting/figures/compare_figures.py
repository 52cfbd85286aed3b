"""Figures of effects: a comparison on one page, and bars and dots for Shapley values and for a narrow page."""

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.analysis.comparison.paired import NO_WAR
from sim.analysis.comparison.paired_comparison import Row, compared, effect_row
from sim.model.scenario import titled
from sim.model.validation import UserError
from sim.reporting.comparison_tables import (
    DRAWN,
    MEASUREMENT,
    MECHANISM_WORDS,
    REGRETTED,
    asked_of,
    asked_words,
    baseline_of,
    day_text,
    digits_of,
    place_of,
    regret_head,
    regret_title,
    row_of,
    scenario_of,
    short,
)
from sim.reporting.style import BLUE, COLOURS, GREY, INK, ORANGE, bare, extent, heading, new_figure, quiet, style
from sim.reporting.text import amount, capital, minus, points, short_percent, shortened

MARKERS: Final = ("o", "s")
SIGNS: Final = {"o": "●", "s": "■"}
"""Beyond six pairs colours come again with another mark."""

WIDTH: Final = 13.33
LEFT: Final = 0.045
MIDDLE: Final = 0.36
"""Where the effects end and their shares begin, as shares of the width."""
RIGHT: Final = 0.725
"""Where the panels on the right begin: names of places stand before it."""
TABLE: Final = 0.68
END: Final = 0.975
HEAD: Final = 1.32
ROW: Final = 0.2
PANEL: Final = 0.62
FOOT: Final = 0.62
"""Inches: title and names, one pair in one panel, a panel's title and axis, the source."""
SMALL: Final = 8.5
LINE: Final = 130
"""Signs of a line of names."""
MOST_ASKED: Final = 3
"""Conditions that the figure of choices draws; the table has all."""
MOST_NAMED: Final = 3
"""Of more pairs the title names the lowest and the highest."""
LIGHT: Final = LinearSegmentedColormap.from_list("regret", ["#FFFFFF", "#F7C9A8"])


def comparison_figure(data: xr.Dataset) -> Figure:
    """Everything that a comparison found, from the Dataset that `sim.compare` gives.

    On the left the key outcomes, each on its own scale: the difference of every scenario to the baseline as a dot, 90%
    of draws as a thick line, and how often the scenario does better. Where war cuts an outcome these are of pairs
    without war in either arm, and all pairs until war are a hollow dot with a thin line. On the right attacks by
    theatre and by group, and what each scenario may be regretted for.
    """
    check_one_baseline(data)
    pairs = data.sizes["comparison"]
    effects = len(DRAWN) * (PANEL + ROW * pairs)
    head = HEAD + 0.22 * (len(name_lines(data)) - 1)
    height = head + effects + FOOT
    with style():
        figure = new_figure(WIDTH, height)
        top = height - head
        for name in DRAWN:
            rows = [row_of(data, one, name) for one in range(pairs)]
            below = top - PANEL - ROW * pairs
            box = (LEFT, (below + 0.38) / height, MIDDLE - LEFT, (ROW * pairs + 0.02) / height)
            draw_effects(figure.add_axes(box), data, rows)
            top = below
        regret = 0.42 * data.sizes["scenario"]
        upper, lower = height - head - 0.12, FOOT + 0.3 + regret + 1.35
        draw_places(figure.add_axes((RIGHT, lower / height, END - RIGHT, (upper - lower) / height)), data)
        draw_regrets(figure.add_axes((TABLE, (FOOT + 0.3) / height, END - TABLE, regret / height)), data)
        write_frame(figure, data)
    return figure


def check_one_baseline(data: xr.Dataset) -> None:
    """Refuse pairs with several baselines: no panel may mix them."""
    if len(names := list(dict.fromkeys(data["baseline"].values))) > 1:
        raise UserError("draw", "; ".join(names), "pairs with one baseline: data.isel(comparison=[0])")


def look(place: int) -> tuple[str, str]:
    """Colour and mark of a pair."""
    return COLOURS[place % len(COLOURS)], MARKERS[place // len(COLOURS) % len(MARKERS)]


def draw_effects(axes: Axes, data: xr.Dataset, rows: Sequence[Row]) -> None:
    """One outcome: every pair on a line of its own, the first on top, with its shares on the right."""
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=0)
    unit = {"probability": "percentage points", "1": ""}.get(rows[0]["unit"], rows[0]["unit"])
    for place, row in enumerate(rows):
        colour, mark = look(place)
        if row["censored_by_war"]:
            if row["low"] is not None:
                axes.hlines(place, row["low"], row["high"], color=colour, linewidth=1.0, alpha=0.55)
            axes.plot([row["difference"]], [place], mark, color=colour, markersize=4.5, markerfacecolor="white")
        main = compared(row)
        if main["low"] is not None:
            axes.hlines(place, main["low"], main["high"], color=colour, linewidth=4.2, alpha=0.45)
        if main["difference"] is not None:
            axes.plot([main["difference"]], [place], mark, color=colour, markersize=5.5, markeredgecolor="white")
        label_right(axes, place, 8, signed(main["difference"], row["unit"]), color=colour, fontweight="bold")
        label_right(axes, place, 66, shares(row), color=colour)
    axes.set_title(short(data, rows[0]["measure"]), fontsize=10, fontweight="bold", pad=4)
    good = {"more": "more is better →", "less": "← less is better"}[rows[0]["good"]]
    label_right(axes, -1.05, 8, str(unit), color=GREY)
    label_right(axes, -1.05, 120 if unit else 66, good, color=GREY)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    if rows[0]["unit"] == "probability":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}".replace("-", "−")))
    quiet(axes, "x")
    axes.tick_params(labelsize=SMALL)
    axes.margins(x=0.04)


def label_right(axes: Axes, line: float, points_right: float, words: str, **look_of: Any) -> None:
    """Words to the right of a panel, at the height of a line of it."""
    axes.annotate(
        words, (1.0, line), xycoords=("axes fraction", "data"), xytext=(points_right, 0), textcoords="offset points",
        va="center", fontsize=SMALL, annotation_clip=False, **look_of,
    )  # fmt: skip


def shares(row: Row) -> str:
    """How often the scenario does better, as well, or worse."""
    return (
        f"better {short_percent(row['better'])}, same {short_percent(row['even'])}, worse {short_percent(row['worse'])}"
    )


def signed(value: float | None, unit: str) -> str:
    """A difference with its sign, as figures write it."""
    return minus(amount(value, unit, sign=True))


def draw_places(axes: Axes, data: xr.Dataset) -> None:
    """Attacks after the strikes by theatre and by group, on a scale linear around zero, logarithmic beyond."""
    names: list[tuple[str, int]] = []
    heads: list[int] = []
    for kind in ("theatre", "group"):
        mine = np.flatnonzero((data["kind"].values == kind) & (data["window"].values == "after"))
        heads.append(len(names))
        names += [(str(data["place"].values[one]), int(one)) for one in mine]
    pairs = data.sizes["comparison"]
    gap = 0.8 / pairs
    for place in range(pairs):
        colour, mark = look(place)
        for line, (_, measure) in enumerate(names):
            row = compared(effect_row(data, place, measure))
            if row["difference"] is None:
                continue
            y = line + (line >= heads[1]) + (place - (pairs - 1) / 2) * gap
            if row["low"] is not None:
                axes.hlines(y, row["low"], row["high"], color=colour, linewidth=2.6, alpha=0.45)
            axes.plot([row["difference"]], [y], mark, color=colour, markersize=4, markeredgecolor="white")
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=0)
    axes.set_xscale("symlog", linthresh=1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}".replace("-", "−") if value else "0"))
    places = [line + (line >= heads[1]) for line in range(len(names))]
    axes.set_yticks(places, [folded(name) for name, _ in names], fontsize=SMALL)
    axes.set_ylim(len(names) + 0.6, -0.7)
    quiet(axes, "x")
    axes.tick_params(axis="x", labelsize=SMALL)
    for y, words in ((-0.95, "by theatre"), (heads[1] + 0.05, "by group")):
        axes.annotate(
            words, (0.0, y), xycoords=("axes fraction", "data"), xytext=(-8, 0), textcoords="offset points",
            ha="right", va="center", fontsize=SMALL, color=GREY, annotation_clip=False,
        )  # fmt: skip
    axes.set_title(f"Attacks after {after_words(data)}", fontsize=10, fontweight="bold", pad=4)
    spread = "90% of draws" if data.sizes["draw"] > 1 else "its 90% Monte Carlo interval"
    axes.set_xlabel(f"difference in attacks: mean and {spread}", fontsize=SMALL, color=GREY)


def after_words(data: xr.Dataset) -> str:
    """The day of the strikes and the end of the calendar."""
    ends = (day_text(data, day) for day in (int(data.attrs["strikes_day"]), int(data.attrs["days"]) - 1))
    return f"{' to '.join(ends)}, without war"


_DOTTED: Final = re.compile(r"^[\w.]*\.(?=\w+=)")


def folded(name: str, most: int = 24) -> str:
    """A name on two lines where it is long; changes of a scenario on lines of their own."""
    if ";" in name:
        # Of a key the last part says enough: departs=..., not scenario.departs=...
        parts = [_DOTTED.sub("", part) for part in name.replace("@", ";@").split(";")]
        lines = [part if len(part) <= most else f"{part[: most - 1]}…" for part in parts]
        return "\n".join(lines if len(lines) <= 3 else [*lines[:2], "…"])
    if len(name) <= most:
        return name
    cut = name.rfind(" ", 0, most)
    first, rest = (name[:cut], name[cut + 1 :]) if cut > 0 else (name[:most], name[most:])
    return f"{first}\n{rest if len(rest) <= most else rest[: most - 1] + '…'}"


def draw_regrets(axes: Axes, data: xr.Dataset) -> None:
    """Expected and worst regret of every scenario, darker where more is to be regretted."""
    places = [place_of(data, name) for name in REGRETTED]
    expected = data["regret_expected"].values[:, places]
    worst = data["regret_worst"].values[:, places]
    shade = expected / np.maximum(expected.max(axis=0), 1e-12)
    axes.imshow(shade, cmap=LIGHT, vmin=0.0, vmax=1.0, aspect="auto")
    units = data["unit"].values[places]
    for line in range(len(expected)):
        for column, unit in enumerate(units):
            best = expected[line, column] == expected[:, column].min()
            text = points(expected[line, column], unit)
            if data.sizes["draw"] > 1:
                text += f"\nworst {points(worst[line, column], unit)}"
            axes.text(column, line, text, ha="center", va="center", fontsize=8, fontweight="bold" if best else "normal")
    axes.set_yticks(
        range(len(expected)), [folded(titled(str(one)), 18) for one in data["scenario"].values], fontsize=7.5
    )
    axes.set_xticks(range(len(places)), [regret_head(data, name) for name in REGRETTED], fontsize=8)
    axes.xaxis.tick_top()
    bare(axes)
    title = "Regret, expected and worst over draws" if data.sizes["draw"] > 1 else "Regret"
    axes.set_title(title, fontsize=10, fontweight="bold", pad=31)


def write_frame(figure: Figure, data: xr.Dataset) -> None:
    """Title, what is shown, the names of the pairs, and where it comes from."""
    height = figure.get_figheight()
    draws = data.sizes["draw"]
    spread = (
        f"thick: 90% of {draws} draws of the parameters ({data.attrs['parameters']})"
        if draws > 1
        else "thick: 90% Monte Carlo interval, parameters at their declared values"
    )
    text = f"Difference to {baseline_of(data)}, common random numbers. Dot: mean of pairs without war; {spread};"
    text += " hollow, thin: all pairs, until war."
    heading(figure, headline(data), text, LEFT, 15, (0.17, 0.51), 10.5, fit=True)
    write_names(figure, data)
    several = "s" if draws > 1 else ""
    source = (
        f"Source: Lull, {draws} draw{several} × {int(data.attrs['runs']):,} histories in each arm, seed"
        f" {data.attrs['seed']}. A model, not a forecast.\n"
        f"{regret_title(data)}; bold: least on average. There {data.attrs['pinned_together']}."
    )
    figure.text(LEFT, 0.14 / height, source, fontsize=SMALL, color=GREY)


def headline(data: xr.Dataset) -> str:
    """What every scenario does to attacks on the target after the strikes, among pairs without war."""
    every = [compared(row_of(data, one, "attacks_after")) for one in range(data.sizes["comparison"])]
    rows = [row for row in every if row["difference"] is not None]
    parts = [f"{signed(row['difference'], row['unit'])} with {titled(row['scenario'])}" for row in rows] or [
        "no such pair"
    ]
    if len(rows) > MOST_NAMED:
        order = sorted(range(len(rows)), key=lambda place: float(rows[place]["difference"]))
        parts = [f"from {parts[order[0]]} to {parts[order[-1]]}"]
    what = short(data, "attacks_after")
    return f"{capital(what)}, pairs without war, against {baseline_of(data)}: {', '.join(parts)}"


def name_lines(data: xr.Dataset) -> list[list[int]]:
    """Pairs by the line on which their names stand."""
    lines: list[list[int]] = [[]]
    room = LINE
    for place in range(data.sizes["comparison"]):
        size = len(scenario_of(data, place)) + len(small(data, place)) + 6
        if size > room and lines[-1]:
            lines.append([])
            room = LINE
        lines[-1].append(place)
        room -= size
    return lines


def small(data: xr.Dataset, place: int) -> str:
    """From when history is free in a pair, and how many of its pairs are without war."""
    kept = float(data[f"{NO_WAR}share"].values[place, place_of(data, "attacks_after")])
    return f"{data['pinned_short'].values[place]}, {short_percent(kept)} without war"


def write_names(figure: Figure, data: xr.Dataset) -> None:
    """The pairs by colour, from when history is free in each, and how many are without war."""
    height = figure.get_figheight()
    for line, places in enumerate(name_lines(data)):
        x, y = LEFT, 1 - (0.82 + 0.22 * line) / height
        for place in places:
            colour, mark = look(place)
            name = f"{SIGNS[mark]} {titled(str(data['comparison'].values[place]))}"
            for words, weight, gap in ((name, "bold", 10), (small(data, place), "normal", 26)):
                text = figure.text(x, y, words, fontsize=9.5, color=colour, va="top", fontweight=weight)
                x += (extent(text).width + gap) / figure.bbox.width


# --- Shapley values of mechanisms, and for a narrow page one outcome of a comparison --------------------------

WIDE: Final = 11.0
BAR: Final = 0.42
EDGES: Final = 2.4
"""Inches: the figure of an attribution, one mechanism in it, what stands above and below."""
PAPER: Final = 7.1
NARROW: Final = 4.7
NARROW_ROW: Final = 0.56
NARROW_FOOT: Final = 0.55
"""Inches: a figure as wide as a sheet, one that is legible on a phone, a line of it with the words above, the axis."""


def ordered(data: xr.Dataset) -> xr.Dataset:
    """An attribution with its mechanisms by the size of their Shapley values, largest first."""
    return data.isel(mechanism=np.argsort(-np.abs(data["shapley"].values), kind="stable"))


def attribution_figure(data: xr.Dataset) -> Figure:
    """Shapley values as bars with their intervals over draws; first-in and last-in effects as marks."""
    shown = ordered(data)
    rows = np.arange(shown.sizes["mechanism"])[::-1]
    with style():
        figure = new_figure(WIDE, height := EDGES + BAR * len(rows))
        axes = figure.subplots()
        figure.subplots_adjust(left=0.31, right=0.97, top=1 - 1.15 / height, bottom=0.95 / height)
        _bars(axes, shown, rows)
        _axes_of(axes, shown, rows)
        _texts(figure, data)
    return figure


def _bars(axes: Axes, shown: xr.Dataset, rows: np.ndarray) -> None:
    shares = shown["shapley"].values
    axes.barh(rows, shares, height=0.55, color=np.where(shares >= 0.0, BLUE, ORANGE), label="_")
    low, high = shown["shapley_low"].values, shown["shapley_high"].values
    if not np.isnan(low).any():
        axes.hlines(rows, low, high, color=INK, linewidth=1.3, label="90% of draws of the parameters")
    axes.plot(shown["first_in"], rows, "o", markersize=6, markerfacecolor="white", color=INK, label="first in")
    axes.plot(shown["last_in"], rows, "D", markersize=5, color=INK, label="last in")


def _axes_of(axes: Axes, shown: xr.Dataset, rows: np.ndarray) -> None:
    names = [MECHANISM_WORDS[str(name)] for name in shown["mechanism"].values]
    axes.set_yticks(rows, list(map(capital, names)))
    axes.axvline(0.0, color=GREY, linewidth=0.9)
    quiet(axes, "x")
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(f"contribution to the outcome, {shown.attrs['units']}")
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, fontsize=9, borderaxespad=0.3, handletextpad=0.5
    )  # fmt: skip


def _texts(figure: Figure, data: xr.Dataset) -> None:
    words, unit, digits = data.attrs["words"], data.attrs["units"], digits_of(data.attrs["total"])
    pinned = capital(data.attrs["pinned"])
    height = figure.bbox.height / figure.dpi
    figure.text(0.02, 1 - 0.36 / height, f"What caused it: {words}", fontsize=13, fontweight="bold", color=INK)
    below = (
        f"Bars: Shapley values of {data.sizes['mechanism']} mechanisms; together they add up to the change from"
        f" {data.attrs['none']:.{digits}f} to {data.attrs['every']:.{digits}f} {unit}."
    )
    figure.text(0.02, 1 - 0.66 / height, below, fontsize=9.5, color=GREY)
    source = (
        f"Lull, scenario {titled(data.attrs['scenario'])}, seed {data.attrs['seed']}, parameters:"
        f" {data.attrs['parameters']}, {data.attrs['draws']} draws of {data.attrs['runs']} histories. {pinned}."
    )
    figure.text(0.02, 0.14 / height, source, fontsize=8.5, color=GREY)


# --- narrow figures -----------------------------------------------------------------------------------------


def choices_figure(data: xr.Dataset, narrow: bool = False) -> Figure:
    """The conditions asked, a panel for each: every choice as a dot with 90% of parameter sets as a bar.

    Panels stand side by side, or below each other where the page is `narrow`.
    """
    check_one_baseline(data)
    asked, names = asked_of(data)[:MOST_ASKED], [titled(str(one)) for one in data["scenario"].values]
    down, across = (len(asked), 1) if narrow else (1, len(asked))
    width, panel = NARROW if narrow else PAPER, 0.66 + 0.4 * len(names)
    several = data.sizes["draw"] > 1
    with style():
        figure = new_figure(width, height := down * panel + 0.38)
        for place, measure in enumerate(asked):
            left, room = 0.01 + (0 if narrow else place / across), 1 / across - (0.02 if narrow else 0.05)
            below = height - panel * (place + 1 if narrow else 1) + 0.4
            axes = figure.add_axes((left, below / height, room, 0.4 * len(names) / height))
            _draw_choices(axes, data, measure, names, 9.5 if narrow else 8.0 if across < MOST_ASKED else 7.0)
        spread = f"Dot: mean over {data.sizes['draw']:,} parameter sets; bar: 90% of them. " if several else ""
        source = (
            f"{spread}Dotted: {baseline_of(data)}.\nSource: Lull, seed {data.attrs['seed']},"
            f" {int(data.attrs['runs']):,} histories a set. A model, not a forecast."
        )
        figure.text(
            0.01, 0.06 / height, source, fontsize=8 if narrow else 7.5, color=GREY, va="bottom", linespacing=1.3
        )
    return figure


def _draw_choices(axes: Axes, data: xr.Dataset, measure: str, names: Sequence[str], size: float) -> None:
    rows = [row_of(data, one, measure) for one in range(data.sizes["comparison"])]
    unit = rows[0]["unit"]
    scale, tight = 100.0 if unit == "probability" else 1.0, size < 8.0
    arms = [(rows[0], "baseline"), *((row, "scenario") for row in rows)]
    axes.axvline(scale * rows[0]["baseline_value"], color=GREY, linewidth=1.0, linestyle=":", zorder=0)
    for line, (name, (row, arm)) in enumerate(zip(names, arms, strict=True)):
        colour = GREY if arm == "baseline" else COLOURS[(line - 1) % (len(COLOURS) - 1)]
        value, low, high = (row[f"{arm}_{end}"] for end in ("value", "low", "high"))
        words = amount(value, unit)
        if low is not None:
            axes.hlines(line, scale * low, scale * high, color=colour, linewidth=6, alpha=0.4)
            words += "" if tight else f" ({amount(low, unit)} to {amount(high, unit)})"
        axes.plot([scale * value], [line], "o", color=colour, markersize=7, markeredgecolor="white")
        _above(axes, line, shortened(name, 28), size=size)
        _above(axes, line, words, right=True, size=size)
    _frame(axes, len(names), "probability, percent" if unit == "probability" else f"mean, {unit}", zero=False)
    axes.xaxis.label.set_fontsize(size)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0] if unit != "probability" else 0.0) - 0.02 * axes.get_xlim()[1])
    axes.tick_params(labelsize=size)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.set_title(asked_words(data, measure), fontsize=size + 1.5, fontweight="bold", pad=3)


def shares_figure(data: xr.Dataset, most: int | None = None) -> Figure:
    """Shapley values of the mechanisms, or the largest of them, on top the largest, with 90% of draws as a line.

    Measurement, which is no cause, is grey.
    """
    shown = ordered(data).isel(mechanism=slice(most))
    digits = digits_of(data.attrs["total"])
    with style():
        figure, axes = _canvas(shown.sizes["mechanism"])
        low, high = shown["shapley_low"].values, shown["shapley_high"].values
        for line, name in enumerate(shown["mechanism"].values):
            share = float(shown["shapley"].values[line])
            colour = GREY if name == MEASUREMENT else BLUE if share >= 0.0 else ORANGE
            axes.barh(line, share, height=0.3, color=colour)
            if np.isfinite(low[line]):
                axes.hlines(line, low[line], high[line], color=INK, linewidth=1.4)
            apart = " (measurement)" if name == MEASUREMENT else ""
            _above(axes, line, capital(MECHANISM_WORDS[str(name)]) + apart)
            _above(axes, line, minus(f"{share:+.{digits}f}"), right=True)
        of = f", the {len(low)} largest of {data.sizes['mechanism']}" if len(low) < data.sizes["mechanism"] else ""
        _frame(axes, shown.sizes["mechanism"], f"Shapley value, {data.attrs['units']}{of}")
    return figure


def _canvas(rows: int) -> tuple[Figure, Axes]:
    height = NARROW_FOOT + NARROW_ROW * rows
    figure = new_figure(NARROW, height)
    return figure, figure.add_axes((0.02, NARROW_FOOT / height, 0.96, 1 - NARROW_FOOT / height))


def _above(axes: Axes, line: int, words: str, right: bool = False, size: float = 9) -> None:
    """Words above a line, at the left edge or at the right."""
    axes.annotate(
        words, (1.0 if right else 0.0, line), xycoords=("axes fraction", "data"), xytext=(0, 9),
        textcoords="offset points", ha="right" if right else "left", va="bottom", fontsize=size, color=INK,
        fontweight="bold" if right else "normal", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def _frame(axes: Axes, rows: int, words: str, zero: bool = True) -> None:
    if zero:
        axes.axvline(0.0, color=GREY, linewidth=1.0, zorder=0)
    axes.set_yticks([])
    axes.set_ylim(rows - 0.55, -0.75)
    axes.margins(x=0.06)
    axes.spines["left"].set_visible(False)
    quiet(axes, "x")
    axes.tick_params(labelsize=9)
    axes.set_xlabel(words, fontsize=9, color=INK)
