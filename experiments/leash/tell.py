"""A tight leash against loose ones: what the styles change, and where in the plane of control and autonomy.

Reads what the commands of README.md leave in the current folder; writes the figure and the table of effects there, and
prints the finding.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from sim import open_sweep
from sim.experiment.sweep.profiles import at_points, profile
from sim.reporting.figures.sweep_figures import draw_map
from sim.reporting.style import BLUE, GREY, INK, ORANGE, PALE, new_figure, save, style

CONTROL, AUTONOMY = "patron.control", "multipliers.autonomy"
STYLES = {
    "tight_leash": (1.0, 0.3, "Tight leash"),
    "broad_directions": (0.5, 1.3, "Broad directions"),
    "hands_off_extreme": (0.3, 1.6, "Hands off"),
}
MEASURES = {
    "attacks_lull": "Attacks, 3–27 Feb",
    "defiance": "Attacks against the order",
    "lull_days": "Days of lull",
    "deaths_5": "Five or more killed",
    "war": "Direct war by 10 Sep",
}
MAPS = {
    "defiance": "Attacks against the order to hold back",
    "lull_days": "Days of lull from 2 February",
    "war": "Direct war by 10 September",
}
CHANCES = ("deaths_5", "war")
COLUMNS = ("baseline_value", "scenario_value", "difference", "low", "high", "error", "less", "tie", "more")


def main():
    plane = Plane(open_sweep("leash_plane"))
    effects = {source: compared(f"leash_{source}") for source in ("posterior", "defaults")}
    effects["posterior"] = pd.concat([effects["posterior"], *(plane.defied(one) for one in STYLES)])
    draw(effects, plane)
    table = pd.concat([found.assign(parameters=source) for source, found in effects.items()])
    table.to_csv("effects.csv", index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False, float_format="%.3g"))
    print(regrets().to_string(index=False, float_format="%.3g"))
    plane.told()


def compared(folder):
    """What `lull compare` found of the measures that are told; where war cuts them, among pairs without war."""
    found = pd.read_csv(Path(folder, "comparison.csv"))
    for name in COLUMNS:
        found[name] = found[name].where(~found["censored_by_war"], found[f"no_war_{name}"])
    return found[found["measure"].isin(MEASURES)][["scenario", "measure", *COLUMNS]]


def regrets():
    found = pd.read_csv(Path("leash_posterior", "regret.csv"))
    found = found[found["measure"].isin(["attacks_after", "lull_days", "deaths_10", "war"])]
    return found[["measure", "scenario", "expected", "worst", "best", "error"]]


class Plane:
    """The sweep: cells of the plane, and the draws at their own control and autonomy."""

    def __init__(self, data):
        self.controls, self.factors = (self._most_common(data[key].values) for key in (CONTROL, AUTONOMY))
        control, factor = data[CONTROL].values, data[AUTONOMY].values
        inside = np.isin(control, self.controls) & np.isin(factor, self.factors)
        self.cells, self.drawn = data.sel(point=inside), data.sel(point=~inside)
        across = np.searchsorted(self.controls, control[inside])
        self.place = np.searchsorted(self.factors, factor[inside]) * len(self.controls) + across

    @staticmethod
    def _most_common(values):
        """Values of an axis of the plane: those that come again."""
        found, count = np.unique(values, return_counts=True)
        return found[count > 1]

    def profile(self, name):
        """Mean over the draws and its error in each cell (factors, controls)."""
        at = at_points(self.cells, name)
        count = len(self.factors) * len(self.controls)
        found = profile(self.cells, at, self.place, count)
        return at, *(one.reshape(len(self.factors), len(self.controls)) for one in (found.mean, found.error))

    def cell(self, control, factor):
        return np.searchsorted(self.factors, factor), np.searchsorted(self.controls, control)

    def values(self, name, control, factor):
        """An outcome in one cell (draw, run)."""
        row, column = self.cell(control, factor)
        return self.cells[name].values[self.place == row * len(self.controls) + column].astype(float)

    def apart(self, name, one, other):
        """An outcome in one cell less that in another (draw, run); where war cuts it, NaN if it came in either.

        No cell stands for the draws at their own control and autonomy.
        """
        (mine, first), (theirs, second) = (
            [self.drawn[key].values.astype(float) if cell is None else self.values(key, *cell) for key in (name, "war")]
            for cell in (one, other)
        )
        return np.where((first + second == 0.0) | (name == "war"), mine - theirs, np.nan), theirs

    def defied(self, name):
        """Attacks against the order under a style, less those at the draw's own control and autonomy, run by run."""
        found, own = self.apart("defiance", STYLES[name][:2], None)
        base = own[np.isfinite(found)].mean()
        told = paired(found)
        row = {
            "scenario": name,
            "measure": "defiance",
            "baseline_value": base,
            "scenario_value": base + told["difference"],
        }
        return pd.DataFrame([row | told])

    def told(self):
        for name in ("attacks_lull", *MAPS):
            _, means, errors = self.profile(name)
            print(f"{name}, mean over the draws, Monte Carlo error at most {errors.max():.2g}:")
            print(pd.DataFrame(means, self.factors, self.controls).iloc[::-1].to_string(float_format="%.3g"))
            steps = [self.apart(name, (1.0, one), (0.3, one))[0] for one in self.factors]
            words = ("{difference:.3g} ± {error:.2g} ({low:.3g} to {high:.3g})".format(**paired(one)) for one in steps)
            told = ", ".join(f"x {factor}: {one}" for factor, one in zip(self.factors, words, strict=True))
            print(f"  control 1 less control 0.3, at autonomy {told}")


def paired(apart):
    """What differences (draw, run) say, NaN left out; all draws meet the same runs, so the error counts both."""
    by_draw, by_run = np.nanmean(apart, axis=1), np.nanmean(apart, axis=0)
    low, high = np.quantile(by_draw, (0.05, 0.95))
    error = np.sqrt(by_draw.var(ddof=1) / len(by_draw) + by_run.var(ddof=1) / len(by_run))
    known = apart[np.isfinite(apart)]
    shares = {"less": (known < 0).mean(), "tie": (known == 0).mean(), "more": (known > 0).mean()}
    return {"difference": known.mean(), "low": low, "high": high, "error": error, **shares}


def draw(effects, plane):
    with style():
        figure = new_figure(13.33, 8.3)
        title = "A tighter leash: fewer attacks against the order, a longer lull; the probability of war moves little"
        figure.text(0.03, 0.972, title, fontsize=15, fontweight="bold", va="top")
        under = (
            "Difference to the documented history, where control and autonomy are whatever the article's figures leave;"
            " the same parameters otherwise,\nthe same random numbers. War ends a history, so all but war is of pairs"
            " without it."
        )
        figure.text(0.03, 0.93, under, fontsize=10, color=GREY, va="top")
        for column, name in enumerate(MEASURES):
            differences(figure.add_axes((0.125 + 0.176 * column, 0.61, 0.15, 0.215)), effects, name, column == 0)
        legend(figure)
        figure.text(
            0.03,
            0.475,
            "Where in the plane: means over the same draws, attacks and days until war",
            fontsize=11,
            fontweight="bold",
            va="top",
        )
        for column, (name, words) in enumerate(MAPS.items()):
            mapped(figure.add_axes((0.075 + 0.31 * column, 0.135, 0.285, 0.265)), plane, name, words, column == 0)
        foot = (
            "Source: Lull, scenario Documented history freed on 29 January 2024, seed 1. Frames: T tight leash, B broad"
            " directions, H hands off. A model to think with, not a forecast."
        )
        figure.text(0.03, 0.018, foot, fontsize=8.5, color=GREY)
    for ending in ("png", "svg"):
        save(figure, Path(f"leash.{ending}"))


def differences(axes, effects, name, named):
    """Difference of each style to the baseline: draws of the posterior as a line, the defaults as a diamond."""
    scale = 100.0 if name in CHANCES else 1.0
    rows = np.arange(len(STYLES))[::-1]
    for source, found in effects.items():
        mine = found[found["measure"] == name].set_index("scenario")
        if mine.empty:
            continue
        mine = mine.loc[list(STYLES), ["difference", "low", "high", "baseline_value"]]
        if source == "defaults":
            axes.plot(scale * mine["difference"], rows - 0.2, "D", color=ORANGE, markersize=5)
            continue
        axes.hlines(rows, scale * mine["low"], scale * mine["high"], color=BLUE, linewidth=5, alpha=0.35)
        axes.plot(scale * mine["difference"], rows, "o", color=BLUE, markersize=8, markeredgecolor="white")
        for row, value in zip(rows, scale * mine["difference"], strict=True):
            text = f"{value:+.1f}" if abs(value) < 10 else f"{value:+.0f}"
            axes.text(
                value, row + 0.19, text.replace("-", "−"), ha="center", va="bottom", fontsize=9.5, fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
            )  # fmt: skip
        base = f"{mine['baseline_value'].iloc[0]:.1%}" if name in CHANCES else f"{mine['baseline_value'].iloc[0]:.1f}"
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(rows, [told for _, _, told in STYLES.values()] if named else [""] * len(rows), fontsize=10.5)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.set_title(f"{MEASURES[name]}\n", fontsize=10.5, fontweight="bold", pad=2)
    axes.text(0.0, 1.02, f"documented: {base}", transform=axes.transAxes, fontsize=9.5, color=GREY)
    axes.set_xlabel("percentage points" if name in CHANCES else "days" if name == "lull_days" else "attacks")


def legend(figure):
    axes = figure.add_axes((0.125, 0.495, 0.8, 0.035))
    axes.axis("off")
    axes.set(xlim=(0, 100), ylim=(-1, 1))
    axes.plot([0.7, 4.2], [0, 0], color=BLUE, linewidth=5, alpha=0.35)
    axes.plot([2.4], [0], "o", color=BLUE, markersize=8, markeredgecolor="white")
    axes.text(5.2, 0, "mean, and 90% of the draws of the posterior", va="center", fontsize=9.5)
    axes.plot([42], [0], "D", color=ORANGE, markersize=5)
    axes.text(43, 0, "at the defaults", va="center", fontsize=9.5)


def mapped(axes, plane, name, words, named):
    at, means, errors = plane.profile(name)
    draw_map(axes, means, at, span=(0.0, 2.5 * means.max()) if name == "war" else None)
    axes.set_title(words, fontsize=10.5, fontweight="bold")
    axes.set_xticks(range(len(plane.controls)), [f"{one:g}" for one in plane.controls])
    axes.set_yticks(range(len(plane.factors)), [f"{one:g}" for one in plane.factors] if named else [""] * 5)
    error = f"{errors.max():.1%}" if name in CHANCES else f"{errors.max():.2g}"
    axes.set_xlabel(f"control; Monte Carlo error at most {error}")
    axes.set_ylabel("factor on the militias' autonomy" if named else "")
    for control, factor, told in STYLES.values():
        row, column = plane.cell(control, factor)
        axes.add_patch(Rectangle((column - 0.47, row - 0.46), 0.94, 0.92, fill=False, edgecolor=ORANGE, linewidth=2.2))
        tag = {"facecolor": ORANGE, "edgecolor": "none", "pad": 1.6}
        axes.text(column - 0.41, row + 0.37, told[0], fontsize=8, fontweight="bold", color="white", va="top", bbox=tag)


if __name__ == "__main__":
    main()
