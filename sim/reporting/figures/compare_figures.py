"""Figures of effects: a comparison, one panel for each question, and bars for Shapley values."""

import re
import textwrap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.analysis.comparison.paired_comparison import LESS, MORE, NO_PAIRS, SAME, Row, compared
from sim.model.scenario import titled
from sim.model.validation import UserError
from sim.reporting.comparison_tables import (
    MEASUREMENT,
    QUESTIONS,
    SIGNS,
    arm_ends,
    asked_of,
    baseline_of,
    caveats,
    digits_of,
    interval,
    mechanism_words,
    prior_driven,
    questions,
    row_of,
    scenario_of,
    short,
)
from sim.reporting.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    ORANGE,
    foot_height,
    footer,
    heading,
    in_lines,
    new_figure,
    quiet,
    style,
)
from sim.reporting.tables import ASSUMED
from sim.reporting.text import FigureSource, amount, capital, minus, shortened

COLUMN: Final = 4.9
EDGE: Final = 0.15
TITLE: Final = 14.0
TOP: Final = 0.6
ROW: Final = 0.62
AXIS: Final = 0.4
"""Inches of a column of panels and of its margin, points of the title; inches above the rows of a panel, of one row,
and below them."""
ARMS: Final = ("baseline", "scenario")
LETTERS: Final = 54
"""Of a panel's title on one line."""
MOST_ASKED: Final = 3
"""Conditions that the figure of choices draws; the table has all."""


def comparison_figure(data: xr.Dataset, *measures: str) -> Figure:
    """One panel for each question: the value under every choice, and its paired difference to the baseline in words.

    Dots are values with their interval over parameter sets, a line marks the baseline. The title answers one question.

    Args:
        data: what `sim.compare` gives, all pairs with one baseline.
        measures: what is asked; where none is named the conditions asked, or else the key questions.
    """
    check_one_baseline(data)
    shown = measures or questions(data)
    columns = min(2, len(shown))
    width, panel = COLUMN * columns, TOP + ROW * (1 + data.sizes["comparison"]) + AXIS
    source, notes, left = source_of(data), caveats(data, shown), EDGE / width
    size = TITLE if columns > 1 else TITLE - 3
    title = in_lines(headline(data, shown), width - 2 * EDGE, 1.1 * size)  # bold letters are wider
    below = in_lines(legend_words(data), width - 2 * EDGE, 9.5)
    head = 0.3 + (title.count("\n") + 1) * 1.25 * size / 72
    foot = foot_height(width, source, *notes, left=left)
    height = head + (below.count("\n") + 1) * 0.17 + 0.05 + -(-len(shown) // columns) * panel + foot
    with style():
        figure = new_figure(width, height)
        figure.text(left, 1 - 0.15 / height, title, fontsize=size, fontweight="bold", va="top", linespacing=1.2)
        figure.text(left, 1 - head / height, below, fontsize=9.5, color=GREY, va="top")
        for place, measure in enumerate(shown):
            row, column = divmod(place, columns)
            low = foot + panel * (-(-len(shown) // columns) - 1 - row) + AXIS
            box = (column * COLUMN + EDGE, low, COLUMN - 2 * EDGE, panel - TOP - AXIS)
            draw_panel(
                figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height)), data, measure
            )
        footer(figure, source, *notes, left=left, ink=INK)
    return figure


def check_one_baseline(data: xr.Dataset) -> None:
    """Refuse pairs with several baselines."""
    if len(names := list(dict.fromkeys(data["baseline"].values))) > 1:
        raise UserError("draw", "; ".join(names), "pairs with one baseline: data.isel(comparison=[0])")


def draw_panel(axes: Axes, data: xr.Dataset, measure: str) -> None:
    """One question: the baseline on top, then every scenario, each with two lines of words above its dot."""
    rows = [row_of(data, pair, measure) for pair in range(data.sizes["comparison"])]
    first = rows[0]
    draw_choice(axes, 0, baseline_of(data), baseline_values(rows), INK)
    write_above(axes, 0, 6, "the baseline", GREY)
    for line, row in enumerate(rows, 1):
        draw_choice(axes, line, scenario_of(data, line - 1), valued(row), colour_of(row))
        write_above(axes, line, 6, difference_words(row), colour_of(row))
        axes.vlines(valued(row)["baseline_value"], line - 0.12, line + 0.12, color=INK, linewidth=1.2)
    title = textwrap.fill(capital(short(data, measure)), LETTERS) + (ASSUMED if prior_driven(measure) else "")
    axes.set_title(title, fontsize=10.5, fontweight="bold", pad=17)
    write_above(axes, 0, 35, unit_line(first), GREY)
    if first["good"]:
        write_above(axes, 0, 35, f"{first['good']} is better", GREY, right=True)
    axes.set_ylim(len(rows) + 0.22, -0.74)
    drawn = [valued(row)[f"{arm}_{end}"] for row in rows for arm in ARMS for end in ("value", "low", "high")]
    known = [one for one in drawn if one is not None]
    if min(known, default=0.0) >= 0.0:
        most = max(known, default=0.0) or 1.0
        axes.set_xlim(-0.03 * most, 1.03 * most)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    if first["unit"] == "probability":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    quiet(axes, "x")
    axes.tick_params(labelsize=8.5)


def valued(row: Row) -> Row:
    """The row with the values that are drawn: probabilities of all histories, all else of pairs without war."""
    return row if row["unit"] == "probability" else compared(row)


def baseline_values(rows: Sequence[Row]) -> Row:
    """The values under the baseline as if it were a scenario; where pairs differ by their wars, the mean over them."""
    ends = {
        name: [one for row in rows if (one := valued(row)[f"baseline_{name}"]) is not None]
        for name in ("value", "low", "high")
    }
    return {**rows[0], **{f"scenario_{name}": float(np.mean(one)) if one else None for name, one in ends.items()}}


def unit_line(row: Row) -> str:
    """What the values of a panel are."""
    if row["unit"] == "probability":
        return "probability" + (", until war" if row["censored_by_war"] else "")
    unit, middle = {"1": "index"}.get(row["unit"], row["unit"]), "median" if row["heavy_tailed"] else "mean"
    return f"{unit}, {middle}" + (", without war" if row["censored_by_war"] else "")


def draw_choice(axes: Axes, line: int, title: str, row: Row, colour: str) -> None:
    """One choice: its title and values in words, a dot, and the interval over parameter sets."""
    value, low, high = (row[f"scenario_{name}"] for name in ("value", "low", "high"))
    number, *ends = (amount(one, row["unit"]) for one in (value, low, high))
    words = minus(f"{number} ({ends[0]} to {ends[1]})" if low is not None else number)
    if low is not None:
        axes.hlines(line, low, high, color=colour, linewidth=5, alpha=0.4)
    if value is not None:
        axes.plot([value], [line], "o", color=colour, markersize=7, markeredgecolor="white", clip_on=False, zorder=3)
    write_above(axes, line, 19, in_short(title, LETTERS - len(words)), INK, weight="bold")
    write_above(axes, line, 19, words, INK, right=True)


def in_short(title: str, most: int) -> str:
    """A choice in so many letters at most: of a key that it changes the last part says enough.

    >>> in_short("Documented history;target.quiet_days=15;patron.control=0.9", 40)
    'Documented history; quiet_days=15 …'
    """
    words = re.sub(r"; ?([\w.]*\.)?(?=\w+[=@])", "; ", title)
    return words if len(words) <= most else textwrap.shorten(words, most, placeholder=" …").replace("; …", " …")


def write_above(axes: Axes, line: int, lift: float, words: str, colour: str, right: bool = False, **look: Any) -> None:
    """Words so many points above a line, at the left edge or at the right."""
    axes.annotate(
        words, (1.0 if right else 0.0, line), xycoords=("axes fraction", "data"), xytext=(0, lift),
        textcoords="offset points", ha="right" if right else "left", va="bottom", color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5}, annotation_clip=False, **{"fontsize": 9, **look},
    )  # fmt: skip


def colour_of(row: Row) -> str:
    """Blue where a choice is better for certain, orange where worse, grey with an open sign, ink where none is good."""
    row = compared(row)
    if row["verdict"] not in (MORE, LESS):
        return GREY
    return {row["verdict"]: BLUE, "": INK}.get(row["good"], ORANGE)


def difference_words(row: Row) -> str:
    """The verdict on a difference with its sign, the difference, its interval, and whether values are of more pairs."""
    one = compared(row)
    words = f"{SIGNS[one['verdict']]} {one['verdict']}"
    if one["verdict"] not in (NO_PAIRS, SAME):
        ends = f" ({interval(one)})" if one["low"] is not None else ""
        words += f": {amount(one['difference'], one['unit'], sign=True)}{ends}"
    return minus(words + (" without war" if of_all(row) and one["verdict"] != NO_PAIRS else ""))


def of_all(row: Row) -> bool:
    """Whether the values drawn are those of all histories where the difference is that of pairs without war."""
    return bool(row["censored_by_war"] and row["unit"] == "probability")


def headline(data: xr.Dataset, shown: Sequence[str]) -> str:
    """One finding that is true when quoted alone: the first question's, of the key ones the first with a clear sign.

    Of several scenarios that with the largest difference, clear ones first.
    """
    asked = shown if shown == QUESTIONS else shown[:1]
    rows = [compared(row_of(data, pair, one)) for one in asked for pair in range(data.sizes["comparison"])]
    clear = [row for row in rows if row["verdict"] in (MORE, LESS)] or rows
    mine = [row for row in clear if row["measure"] == clear[0]["measure"]]
    row = max(mine, key=lambda one: abs(one["difference"] or 0.0))
    what, choice, base = short(data, row["measure"]), titled(row["scenario"]), baseline_of(data)
    said = f"In the model, {what[:1].lower()}{what[1:]}: "
    if row["verdict"] in (NO_PAIRS, SAME):
        return f"{said}{row['verdict']} with {choice} instead of {base}"
    unit = {"probability": " percentage points", "1": ""}.get(row["unit"], f" {row['unit']}")
    size = amount(row["difference"], row["unit"], sign=True).removesuffix(" pts") + unit
    where = ", among pairs without war" if row["censored_by_war"] else ""
    ends = f"{spread_words(data)}: {interval(row) or 'none'}{where}"
    if of_all(row):
        found = f"{size} with {choice} instead of {base} ({ends})"
    else:
        value, other = (amount(row[f"{arm}_value"], row["unit"]) for arm in ("scenario", "baseline"))
        found = f"{value} with {choice}, {other} with {base} (difference {size}; {ends})"
    count = data.sizes["comparison"]
    largest = f"; largest{'' if len(mine) == count else ' clear one'} of {count} differences" if count > 1 else ""
    return minus(f"{said}{found}: {row['verdict']}{largest}")


def spread_words(data: xr.Dataset) -> str:
    """What an interval holds."""
    return f"90% of {draws} parameter sets" if (draws := data.sizes["draw"]) > 1 else "90% Monte Carlo interval"


def legend_words(data: xr.Dataset) -> str:
    """What dots, bars, ticks, words and colours are."""
    bar = f"; bar: {spread_words(data)}" if data.sizes["draw"] > 1 else ""
    return (
        f"Dot: value under a choice{bar}; tick: {baseline_of(data)}. In words the paired difference (common random"
        " numbers) and its 90% interval: blue is better, orange worse, grey not certain."
    )


def source_of(data: xr.Dataset) -> FigureSource:
    """Where the figure of a comparison comes from."""
    draws, runs = data.sizes["draw"], int(data.attrs["runs"])
    titles = [baseline_of(data), *(scenario_of(data, pair) for pair in range(data.sizes["comparison"]))]
    sets = f"{draws} parameter sets" if draws > 1 else "1 parameter set"
    made = f"{sets} ({data.attrs['parameters']}) × {runs:,} histories in each"
    return FigureSource(titles, made, data.attrs["seed"])


# --- Shapley values of mechanisms, wide and for a narrow page -------------------------------------------------

WIDE: Final = 11.0
BAR: Final = 0.42
EDGES: Final = 2.4
"""Inches: the figure of an attribution, one mechanism in it, what stands above and below."""
PAPER: Final = 7.1
NARROW: Final = 4.7
NARROW_ROW: Final = 0.56
"""Inches: a figure as wide as a sheet, one that is legible on a phone, one line of it with the words above."""


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
        axes.hlines(rows, low, high, color=INK, linewidth=1.3, label="90% of parameter sets")
    axes.plot(shown["first_in"], rows, "o", markersize=6, markerfacecolor="white", color=INK, label="first in")
    axes.plot(shown["last_in"], rows, "D", markersize=5, color=INK, label="last in")


def _axes_of(axes: Axes, shown: xr.Dataset, rows: np.ndarray) -> None:
    names = [mechanism_words(str(name)) for name in shown["mechanism"].values]
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
    below = (
        f"Bars: Shapley values of {data.sizes['mechanism']} mechanisms; together they add up to the change from"
        f" {data.attrs['none']:.{digits}f} to {data.attrs['every']:.{digits}f} {unit}."
    )
    heading(figure, f"What moves it: {words}", below, 0.02, 13, (0.17, 0.53), 9.5)
    footer(figure, attribution_source(data), left=0.02)


def attribution_source(data: xr.Dataset) -> FigureSource:
    """Where the figures of an attribution come from, and what is pinned."""
    about = data.attrs
    made = f"parameters: {about['parameters']}, {about['draws']} draws of {about['runs']} histories"
    is_what = f"{capital(about['pinned'])}. A model, not a forecast."
    return FigureSource([titled(about["scenario"])], made, about["seed"], is_what=is_what)


def choices_figure(data: xr.Dataset, narrow: bool = False) -> Figure:
    """The conditions asked, a panel for each: every choice as a dot with 90% of parameter sets as a bar.

    Panels stand side by side, or below each other where the page is `narrow`.
    """
    check_one_baseline(data)
    asked, names = asked_of(data)[:MOST_ASKED], [titled(str(one)) for one in data["scenario"].values]
    down, across = (len(asked), 1) if narrow else (1, len(asked))
    width = NARROW if narrow else PAPER
    size = 9.5 if narrow else 8.0 if across < MOST_ASKED else 7.0
    signs = int(72 * width / across / (0.62 * (size + 1.5)))  # of a title on one line of its panel
    titles = [textwrap.wrap(short(data, one), signs) for one in asked]
    lines = 0.16 * (max(map(len, titles)) - 1)
    panel = 0.66 + lines + 0.4 * len(names)
    several = data.sizes["draw"] > 1
    spread = f"Dot: mean over {data.sizes['draw']:,} parameter sets; bar: 90% of them. " if several else ""
    source, notes = source_of(data), (f"{spread}Dotted: {baseline_of(data)}.",)
    foot = foot_height(width, source, *notes, left=0.01)
    with style():
        figure = new_figure(width, height := down * panel + foot)
        for place, measure in enumerate(asked):
            left, room = 0.01 + (0 if narrow else place / across), 1 / across - (0.02 if narrow else 0.05)
            below = height - panel * (place + 1 if narrow else 1) + 0.4
            axes = figure.add_axes((left, below / height, room, 0.4 * len(names) / height))
            _draw_choices(axes, data, measure, names, size)
            axes.set_title("\n".join(titles[place]), fontsize=size + 1.5, fontweight="bold", pad=3)
        footer(figure, source, *notes, left=0.01)
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
            words += "" if tight else f" ({arm_ends(data, row, arm)})"
        axes.plot([scale * value], [line], "o", color=colour, markersize=7, markeredgecolor="white")
        write_above(axes, line, 9, shortened(name, 28), INK, fontsize=size)
        write_above(axes, line, 9, words, INK, right=True, weight="bold", fontsize=size)
    _frame(axes, len(names), "probability, percent" if unit == "probability" else f"mean, {unit}")
    axes.xaxis.label.set_fontsize(size)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0] if unit != "probability" else 0.0) - 0.02 * axes.get_xlim()[1])
    axes.tick_params(labelsize=size)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))


def _frame(axes: Axes, rows: int, words: str) -> None:
    """The axes of choices or mechanisms, one above the other, with their names inside."""
    axes.set_yticks([])
    axes.set_ylim(rows - 0.55, -0.75)
    axes.margins(x=0.06)
    axes.spines["left"].set_visible(False)
    quiet(axes, "x")
    axes.tick_params(labelsize=9)
    axes.set_xlabel(words, fontsize=9, color=INK)


def shares_figure(data: xr.Dataset, most: int | None = None) -> Figure:
    """Shapley values of the mechanisms, or the largest of them, on a narrow page with 90% of draws as a line.

    The largest is on top. Measurement, which is no cause, is grey.
    """
    shown, source = ordered(data).isel(mechanism=slice(most)), attribution_source(data)
    rows, unit, left = shown.sizes["mechanism"], str(data.attrs["units"]), EDGE / NARROW
    title = in_lines(f"What moves it: {data.attrs['words']}", NARROW - 2 * EDGE, 12)
    top, foot = 0.4 + (title.count("\n") + 1) * 0.19, foot_height(NARROW, source, left=left) + 0.55
    with style():
        figure = new_figure(NARROW, height := top + NARROW_ROW * rows + foot)
        figure.text(left, 1 - 0.12 / height, title, fontsize=11, fontweight="bold", va="top")
        axes = figure.add_axes((left, foot / height, 1 - 2 * left, NARROW_ROW * rows / height))
        low, high = shown["shapley_low"].values, shown["shapley_high"].values
        for line, name in enumerate(shown["mechanism"].values):
            share = float(shown["shapley"].values[line])
            colour = GREY if name == MEASUREMENT else BLUE if share >= 0.0 else ORANGE
            axes.barh(line, share, height=0.3, color=colour)
            if np.isfinite(low[line]):
                axes.hlines(line, low[line], high[line], color=INK, linewidth=1.4)
            apart = " (measurement)" if name == MEASUREMENT else ""
            write_above(axes, line, 9, capital(mechanism_words(str(name))) + apart, INK)
            write_above(axes, line, 9, minus(amount(share, unit, sign=True)), INK, right=True, weight="bold")
        axes.axvline(0.0, color=GREY, linewidth=1.0, zorder=0)
        words = "; line: 90% of parameter sets" if np.isfinite(low).any() else ""
        words += f"; {rows} largest of {data.sizes['mechanism']}" if rows < data.sizes["mechanism"] else ""
        if unit == "probability":
            unit = "points"
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
        _frame(axes, rows, f"Shapley value, {unit}{words}")
        footer(figure, source, left=left)
    return figure
