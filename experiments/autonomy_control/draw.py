"""Attacks after the order over the patron's control and the militias' autonomy, with and without the major strikes.

Reads the two sweeps that README.md makes, from the current folder; writes the figure there and prints the finding.
"""

from pathlib import Path

import numpy as np

from sim import open_sweep
from sim.experiment.sweep.profiles import at_points, profile, varied
from sim.reporting.figures.sweep_figures import draw_map
from sim.reporting.style import GREY, new_figure, save, style
from sim.reporting.text import parameter_title

TITLES = {"article": "The order, and the major strikes", "no_threat": "The order alone, no major strikes"}
CONTROL, AUTONOMY = "patron.control", "multipliers.autonomy"


def main():
    data = open_sweep("autonomy_control")
    cells = {name: data.sel(point=data["scenario"] == name) for name in TITLES}
    found = {name: at_points(one, "attacks_lull") for name, one in cells.items()}
    draw(data, cells, found)
    told(cells)
    elsewhere(open_sweep("autonomy_control_priors"))


def draw(data, cells, found):
    span = (0.0, max(float(one.values.max()) for one in found.values()))
    with style():
        figure = new_figure(12.0, 5.0)
        for column, (name, at) in enumerate(found.items()):
            across, up = (one for one in varied(cells[name], 8) if one.name in (CONTROL, AUTONOMY))
            means = np.empty((len(up.labels), len(across.labels)))
            means[up.place, across.place] = at.values
            axes = figure.add_axes((0.08 + 0.475 * column, 0.2, 0.42, 0.54))
            draw_map(axes, means, at, span)
            axes.set_title(TITLES[name], fontsize=11, fontweight="bold")
            axes.set_xticks(range(len(across.labels)), across.labels)
            axes.set_yticks(range(len(up.labels)), up.labels)
            axes.set_xlabel("the patron's control over its proxies")
            axes.set_ylabel("factor on the militias' autonomy" if column == 0 else "")
        title = "Attacks on the United States from 3 to 27 February, after Tehran's order"
        figure.text(0.03, 0.95, title, fontsize=14.5, fontweight="bold", va="top")
        error = max(float(one.errors.max()) for one in found.values())
        under = f"mean of {data.sizes['run']:,} histories at each point, Monte Carlo error at most {error:.2g}"
        figure.text(0.03, 0.88, under, fontsize=10, color=GREY, va="top")
        foot = "Defaults: control 0.75, factor 1. All else at its default; both maps use the same random numbers."
        figure.text(0.03, 0.02, foot, fontsize=8.5, color=GREY)
    for ending in ("png", "svg"):
        save(figure, Path(f"autonomy_control.{ending}"))


def told(cells):
    """Differences between corners, run by run, with their errors."""
    for name, data in cells.items():
        attacks, control, autonomy = (data[key].values for key in ("attacks_lull", CONTROL, AUTONOMY))

        def at(strength, factor, attacks=attacks, control=control, autonomy=autonomy):
            return attacks[np.argmin(np.abs(control - strength) + np.abs(autonomy - factor))].astype(float)

        print(f"{TITLES[name]}:")
        for words, more, less in (
            ("control 0.4 less control 1, autonomy 1", (0.4, 1.0), (1.0, 1.0)),
            ("autonomy 1.5 less autonomy 0.5, control 0.8", (0.8, 1.5), (0.8, 0.5)),
            ("the same, control 0.4", (0.4, 1.5), (0.4, 0.5)),
        ):
            difference = at(*more) - at(*less)
            error = difference.std(ddof=1) / np.sqrt(len(difference))
            ends = f"{at(*more).mean():.1f}, {at(*less).mean():.1f}"
            print(f"  {words}: {difference.mean():.2f} ± {error:.2f} attacks ({ends})")


def elsewhere(data):
    """The same where every parameter follows its prior: the lowest and the highest quarter of the points."""
    for name in TITLES:
        one = data.sel(point=data["scenario"] == name)
        at = at_points(one, "attacks_lull")
        print(f"{TITLES[name]}, every parameter from its prior:")
        for axis in varied(one, 4):
            if axis.name in (CONTROL, AUTONOMY):
                found = profile(one, at, axis.place, len(axis.labels))
                ends = (f"{found.mean[k]:.1f} ± {found.error[k]:.1f} ({axis.labels[k]})" for k in (0, -1))
                print(f"  {parameter_title(axis.name)}: {' against '.join(ends)}")


if __name__ == "__main__":
    main()
