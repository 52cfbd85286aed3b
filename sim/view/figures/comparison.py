"""The figure of a comparison: effects on outcomes, by theatre and by group, and regrets, on one page."""

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.study.comparison.labelled import NO_WAR
from sim.study.comparison.rows import Row, compared, effect_row
from sim.view.comparison import REGRETTED, day_text, number, points, regret_title, share, short, shown
from sim.view.plots import fitted
from sim.view.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE, new_figure, style
from sim.world.errors import UserError

DRAWN: Final = ("attacks_lull", "attacks_after", "lull_days", "injured", "deaths_10", "peak_war_risk", "war")
COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE, INK, GREY)
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
MOST_TOLD: Final = 3
"""Of more pairs the title tells the lowest and the highest."""
LIGHT: Final = LinearSegmentedColormap.from_list("regret", ["#FFFFFF", "#F7C9A8"])


def comparison_figure(data: xr.Dataset) -> Figure:
    """Everything that a comparison found, from the Dataset that `sim.compare` gives.

    On the left the key outcomes, each on its own scale: the difference of every scenario to the baseline as a dot, 90%
    of draws as a thick line, and how often the scenario does better. Where war cuts an outcome these are of pairs
    without war in either arm, and all pairs until war are a hollow dot with a thin line. On the right attacks by
    theatre and by group, and what each scenario may be regretted for.

    Raises:
        UserError: the pairs have several baselines, which no panel may mix.
    """
    check_one_baseline(data)
    pairs = data.sizes["comparison"]
    effects = len(DRAWN) * (PANEL + ROW * pairs)
    head = HEAD + 0.22 * (len(name_lines(data)) - 1)
    height = head + effects + FOOT
    with style():
        figure = new_figure(WIDTH, height)
        top = height - head
        for place in shown(data, DRAWN):
            rows = [effect_row(data, one, place) for one in range(pairs)]
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
    """Refuse pairs with several baselines: no panel may mix them.

    Raises:
        UserError: there are several.
    """
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
        if row["cut_by_war"]:
            if row["low"] is not None:
                axes.hlines(place, row["low"], row["high"], color=colour, linewidth=1.0, alpha=0.55)
            axes.plot([row["difference"]], [place], mark, color=colour, markersize=4.5, markerfacecolor="white")
        main = compared(row)
        if main["low"] is not None:
            axes.hlines(place, main["low"], main["high"], color=colour, linewidth=4.2, alpha=0.45)
        if main["difference"] is not None:
            axes.plot([main["difference"]], [place], mark, color=colour, markersize=5.5, markeredgecolor="white")
        beside(axes, place, 8, signed(main["difference"], row["unit"]), color=colour, fontweight="bold")
        beside(axes, place, 66, shares(row), color=colour)
    axes.set_title(short(data, rows[0]["measure"]), fontsize=10, fontweight="bold", pad=4)
    good = {"more": "more is better →", "less": "← less is better"}[rows[0]["good"]]
    beside(axes, -1.05, 8, str(unit), color=GREY)
    beside(axes, -1.05, 120 if unit else 66, good, color=GREY)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    if rows[0]["unit"] == "probability":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}".replace("-", "−")))
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.7, labelsize=SMALL)
    axes.margins(x=0.04)


def beside(axes: Axes, line: float, points_right: float, words: str, **look_of: Any) -> None:
    """Words to the right of a panel, at the height of a line of it."""
    axes.annotate(
        words, (1.0, line), xycoords=("axes fraction", "data"), xytext=(points_right, 0), textcoords="offset points",
        va="center", fontsize=SMALL, annotation_clip=False, **look_of,
    )  # fmt: skip


def shares(row: Row) -> str:
    """How often the scenario does better, as well, or worse."""
    return f"better {share(row['better'])}, same {share(row['even'])}, worse {share(row['worse'])}"


def signed(value: float | None, unit: str) -> str:
    """A difference with its sign, as figures write it."""
    return number(value, unit, sign=True).replace("-", "−")


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
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    for y, words in ((-0.95, "by theatre"), (heads[1] + 0.05, "by group")):
        axes.annotate(
            words, (0.0, y), xycoords=("axes fraction", "data"), xytext=(-8, 0), textcoords="offset points",
            ha="right", va="center", fontsize=SMALL, color=GREY, annotation_clip=False,
        )  # fmt: skip
    axes.set_title(f"Attacks after {after_words(data)}", fontsize=10, fontweight="bold", pad=4)
    spread = "nine in ten draws" if data.sizes["draw"] > 1 else "its 90% interval under luck"
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


_HEADS: Final = {
    "attacks_after": "attacks\nafter {strikes}",
    "lull_days": "days until\nthey resume",
    "deaths_10": "chance of 10\nor more killed",
    "war": "chance of\ndirect war",
}


def draw_regrets(axes: Axes, data: xr.Dataset) -> None:
    """Expected and worst regret of every scenario, darker where more is to be regretted."""
    places = shown(data, REGRETTED)
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
    axes.set_yticks(range(len(expected)), [folded(str(one), 18) for one in data["scenario"].values], fontsize=7.5)
    strikes = day_text(data, int(data.attrs["strikes_day"]))
    heads = [_HEADS[name].format(strikes=strikes) for name in REGRETTED]
    axes.set_xticks(range(len(heads)), heads, fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    title = "Regret, expected and worst over draws" if data.sizes["draw"] > 1 else "Regret"
    axes.set_title(title, fontsize=10, fontweight="bold", pad=31)


def write_frame(figure: Figure, data: xr.Dataset) -> None:
    """Title, what is shown, the names of the pairs, and where it comes from."""
    height = figure.get_figheight()
    fitted(figure, 1 - 0.17 / height, headline(data), fontsize=15, fontweight="bold")
    draws = data.sizes["draw"]
    spread = (
        f"thick: nine in ten of {draws} draws of the parameters ({data.attrs['parameters']})"
        if draws > 1
        else "thick: 90% interval under luck, parameters at their declared values"
    )
    told = f"Difference to {data['baseline'].values[0]} under the same luck. Dot: mean of pairs without war; {spread};"
    told += " hollow, thin: all pairs, until war."
    fitted(figure, 1 - 0.51 / height, told, fontsize=10.5, color=GREY)
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
    place = shown(data, ("attacks_after",))[0]
    every = [compared(effect_row(data, one, place)) for one in range(data.sizes["comparison"])]
    rows = [row for row in every if row["difference"] is not None]
    told = [f"{signed(row['difference'], row['unit'])} with {row['scenario']}" for row in rows] or ["no such pair"]
    if len(rows) > MOST_TOLD:
        order = sorted(range(len(rows)), key=lambda place: float(rows[place]["difference"]))
        told = [f"from {told[order[0]]} to {told[order[-1]]}"]
    what = short(data, "attacks_after")
    return f"{what[0].upper()}{what[1:]}, pairs without war, against {data['baseline'].values[0]}: {', '.join(told)}"


def name_lines(data: xr.Dataset) -> list[list[int]]:
    """Pairs by the line on which their names stand."""
    lines: list[list[int]] = [[]]
    room = LINE
    for place in range(data.sizes["comparison"]):
        size = len(str(data["comparison"].values[place])) + len(small(data, place)) + 6
        if size > room and lines[-1]:
            lines.append([])
            room = LINE
        lines[-1].append(place)
        room -= size
    return lines


def small(data: xr.Dataset, place: int) -> str:
    """From when history is free in a pair, and how many of its pairs are without war."""
    kept = float(data[f"{NO_WAR}share"].values[place, shown(data, ("attacks_after",))[0]])
    return f"{data['pinned_short'].values[place]}, {share(kept)} without war"


def write_names(figure: Figure, data: xr.Dataset) -> None:
    """The pairs by colour, from when history is free in each, and how many are without war."""
    height, canvas = figure.get_figheight(), _renderer(figure)
    for line, places in enumerate(name_lines(data)):
        x, y = LEFT, 1 - (0.82 + 0.22 * line) / height
        for place in places:
            colour, mark = look(place)
            name = f"{SIGNS[mark]} {data['comparison'].values[place]}"
            for words, weight, gap in ((name, "bold", 10), (small(data, place), "normal", 26)):
                text = figure.text(x, y, words, fontsize=9.5, color=colour, va="top", fontweight=weight)
                x += (text.get_window_extent(canvas).width + gap) / figure.bbox.width


def _renderer(figure: Figure) -> Any:
    canvas: Any = figure.canvas
    return canvas.get_renderer()
