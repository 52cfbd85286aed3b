"""What made the lull: fair shares of three acts, of the ways in which they work, and of what the calm itself needed.

python experiments/lull_causes/tell.py DRAWS RUNS: sets of parameters, and histories with each in every combination.
Writes the figure and the table of shares to the current folder, and prints the finding.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from sim import explain, load
from sim.analysis.attribution import shapley, share
from sim.analysis.calibration.calibration_run import prior_of
from sim.analysis.calibration.hypotheses import counterfactuals
from sim.analysis.calibration.observations import Channel, settings_of
from sim.analysis.comparison.paired_run import points_of
from sim.analysis.pattern_tests import calm_of
from sim.experiment.parameter_sets import shipped_posterior
from sim.reporting.style import BLUE, GREY, INK, ORANGE, PALE, new_figure, save, style
from sim.reporting.text import parameter_title

ACTS = {"major_response": "major strikes", "patron_restraint": "Tehran's order", "mediation": "mediators"}
WAYS = ("patron_restraint", "threat_fear", "fear", "capacity", "grievance", "mediation")
OUTCOMES = {
    "attacks_lull": "attacks on US troops, 3–27 Feb",
    "lull_days": "days of lull from 2 Feb",
    "war": "direct war by 10 Sep",
}
SOURCES = {"posterior": BLUE, "prior": GREY, "defaults": ORANGE}
WORLDS = (0, 2, 6, 1, 3, 7)
"""Combinations that differ, bit by bit in the order of ACTS: mediators move nothing where nobody is held back."""


def main(draws, runs):
    acts = {
        (source, outcome): explained(outcome, tuple(ACTS), source, draws, runs)
        for source in SOURCES
        for outcome in OUTCOMES
    }
    ways = {one: explained(one, WAYS, "posterior", draws, max(2, runs // 4)) for one in ("attacks_lull", "lull_days")}
    calm = shares_of_the_calm(50 * draws)
    draw(acts, calm, draws, runs)
    write(acts, ways, calm)
    told(acts, ways, calm)
    hangs_on(acts["posterior", "attacks_lull"], draws)


def explained(outcome, mechanisms, source, draws, runs):
    many = {"draws": draws, "runs": runs} if source != "defaults" else {"runs": draws * runs}
    return explain(outcome=outcome, mechanisms=mechanisms, parameters=source, seed=1, **many).data


def shares_of_the_calm(looked_through):
    """Shares of the calm among its causes, in histories that have it, each simulated again, same random numbers."""
    config = load()
    settings, calm = settings_of(config), calm_of(config.patterns)
    causes = (*settings.channels, Channel("mediators", "mediators press the militias", ("mediation",), {}))
    prior = prior_of(config, settings)
    found = {}
    for name, rows in (
        ("prior", np.arange(looked_through)),
        ("posterior", shipped_posterior(config.scenario.cast).rows),
    ):
        lived = counterfactuals(prior, rows, causes, calm)
        bits = [sum(1 << place for place, one in enumerate(causes) if one.id in open_ones) for open_ones in lived]
        values = np.empty((len(lived), len(lived[()])))
        values[bits] = list(lived.values())
        found[name] = {
            "causes": [one.text for one in causes],
            "shares": [share(part[:, None]) for part in shapley(values)],
            "histories": values.shape[1],
        }
    return found


def draw(acts, calm, draws, runs):
    with style():
        figure = new_figure(13.33, 8.0)
        title = "Strikes and order each cut the attacks; the lull lasts longest with all three"
        figure.text(0.03, 0.972, title, fontsize=15, fontweight="bold", va="top")
        under = (
            f"Six worlds from 29 January 2024 on, common random numbers: {draws} sets of parameters that the article's"
            f" figures leave, {runs} histories with each. Dots: means. Lines: 90% of the sets."
        )
        figure.text(0.03, 0.93, under, fontsize=10, color=GREY, va="top")
        worlds(figure, acts)
        title = "Shared out: what each of them adds, averaged over all orders in which they may come (Shapley values)"
        figure.text(0.03, 0.425, title, fontsize=11, fontweight="bold", va="top")
        shares(figure.add_axes((0.115, 0.125, 0.125, 0.205)), acts, "attacks_lull", "attacks fewer", True)
        shares(figure.add_axes((0.395, 0.125, 0.125, 0.205)), acts, "lull_days", "days of lull", False)
        calm_shares(figure.add_axes((0.81, 0.125, 0.075, 0.205)), calm)
        foot = (
            "Source: Lull, scenario Documented history, seed 1. The two combinations of mediators without an order are"
            " left out. Shares are of mechanisms in the model, not of causes in the world."
        )
        figure.text(0.03, 0.018, foot, fontsize=8.5, color=GREY)
    for ending in ("png", "svg"):
        save(figure, Path(f"lull_causes.{ending}"))


def worlds(figure, acts):
    """Each combination as a row: what is at work, and three outcomes."""
    rows = np.arange(len(WORLDS))[::-1]
    grid = figure.add_axes((0.03, 0.5, 0.225, 0.345))
    for place, name in enumerate(ACTS.values()):
        on = np.array([bool(world >> place & 1) for world in WORLDS])
        grid.plot(np.full(len(rows), place), rows, "o", color=PALE, markersize=15)
        grid.plot(np.full(on.sum(), place), rows[on], "o", color=BLUE, markersize=15)
        grid.text(place, len(rows) - 0.4, name.replace(" ", "\n"), ha="center", va="bottom", fontsize=10)
    grid.set(xlim=(-0.5, 2.5))
    grid.axis("off")
    grid.set_ylim(-0.6, len(rows) - 0.4)
    for column, (outcome, words) in enumerate(OUTCOMES.items()):
        axes = figure.add_axes((0.275 + 0.243 * column, 0.5, 0.21, 0.345))
        found = acts["posterior", outcome]["mean_by_coalition"].values[list(WORLDS)]
        scale, unit = (100, "%") if outcome == "war" else (1, "")
        low, high = scale * np.quantile(found, (0.05, 0.95), axis=1)
        mean = scale * found.mean(axis=1)
        axes.hlines(rows, low, high, color=BLUE, linewidth=5, alpha=0.35)
        axes.plot(mean, rows, "o", color=BLUE, markersize=8, markeredgecolor="white")
        for row, value, edge in zip(rows, mean, high, strict=True):
            axes.text(edge, row, f"   {value:.0f}{unit}", va="center", fontsize=10.5, fontweight="bold")
        axes.set_yticks([])
        frame(axes, f"{words[0].upper()}{words[1:]}", "per cent of histories" if unit else "", len(rows))
        axes.set_xlim(0.0, 1.22 * high.max())


def shares(axes, acts, outcome, words, named):
    """Fair shares; behind them their part of the whole, by where the parameters come from."""
    rows = np.arange(len(ACTS))[::-1]
    data = abs(acts["posterior", outcome][["shapley", "shapley_low", "shapley_high"]])
    axes.barh(rows, data["shapley"], 0.5, color=BLUE)
    axes.hlines(rows, data["shapley_low"], data["shapley_high"], color=INK, linewidth=1.3)
    axes.set_yticks(rows, [name[0].upper() + name[1:] for name in ACTS.values()] if named else [""] * len(ACTS))
    frame(axes, f"Of {abs(acts['posterior', outcome].attrs['total']):.0f} {words}", words, len(ACTS))
    parts = {source: acts[source, outcome]["shapley"] / acts[source, outcome].attrs["total"] for source in SOURCES}
    columns(axes, rows, {source: part.values for source, part in parts.items()})


def calm_shares(axes, calm):
    """What is due to each cause, among histories that have the calm."""
    names = (
        "militias heed the order\nto hold back",
        "strikes deter the militias",
        "the announcement of strikes\ndeters",
        "mediators press the militias",
    )
    rows = np.arange(len(names))[::-1]
    means = {source: np.array([one.mean for one in found["shares"]]) for source, found in calm.items()}
    axes.barh(rows, 100 * means["posterior"], 0.5, color=BLUE)
    axes.set_yticks(rows, names, fontsize=9)
    title = f"Of the calm of {calm['posterior']['histories']:,} histories like the article's"
    frame(axes, "", "per cent", len(names))
    axes.set_title(title, fontsize=10.5, fontweight="bold", x=2.35, ha="right", loc="center", pad=22)
    columns(axes, rows, {source: means[source] for source in ("posterior", "prior")})


def columns(axes, rows, parts):
    """Per cent as text beside the bars, a column for each source of the parameters."""
    height = len(rows) - 0.38
    for place, (source, found) in enumerate(parts.items()):
        at = (1.22 + 0.32 * place) if len(parts) > 2 else (1.42 + 0.65 * place)
        told = {"transform": axes.get_yaxis_transform(), "ha": "center", "color": SOURCES[source]}
        axes.text(at, height, source, fontsize=8.5, va="bottom", **told)
        for row, value in zip(rows, found, strict=True):
            axes.text(at, row, f"{value:.0%}", fontsize=10, va="center", fontweight="bold", **told)


def frame(axes, title, words, rows):
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.axvline(0.0, color=GREY, linewidth=0.9)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, rows - 0.4)
    axes.set_xlim(left=0.0)
    axes.set_xlabel(words)
    axes.set_title(title, fontsize=10.5, fontweight="bold", pad=22 if rows < 6 else 6)


def write(acts, ways, calm):
    """All shares as one table."""
    with Path("shares.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            (
                "coalition_set",
                "parameters",
                "outcome",
                "mechanism",
                "shapley",
                "error",
                "low",
                "high",
                "first_in",
                "last_in",
            )
        )
        games = {("acts", *key): data for key, data in acts.items()}
        games |= {("ways", "posterior", outcome): data for outcome, data in ways.items()}
        for key, data in games.items():
            for one in data["mechanism"].values:
                cells = data.sel(mechanism=one)
                parts = ("shapley", "shapley_error", "shapley_low", "shapley_high", "first_in", "last_in")
                rows.writerow((*key, one, *(f"{float(cells[part]):.4g}" for part in parts)))
        for source, found in calm.items():
            for text, one in zip(found["causes"], found["shares"], strict=True):
                rows.writerow(("calm", source, "calm", text, f"{one.mean:.4g}", f"{one.error:.2g}", "", "", "", ""))


def told(acts, ways, calm):
    for (source, outcome), data in acts.items():
        print(
            f"{OUTCOMES[outcome]}, parameters from the {source}: {data.attrs['none']:.3g} to {data.attrs['every']:.3g}"
        )
        print(f"  {shares_in_words(data)}")
        if outcome == "attacks_lull" and source != "defaults":
            by_draw = shapley(data["mean_by_coalition"].values)
            spans = np.quantile(100 * by_draw / by_draw.sum(axis=0), (0.05, 0.95), axis=1).T
            told = ", ".join(f"{name} {a:.0f} to {b:.0f}" for name, (a, b) in zip(ACTS, spans, strict=True))
            print(f"  per cent of the whole in nine of ten sets: {told}")
    for outcome, data in ways.items():
        print(f"{OUTCOMES[outcome]}, by the ways in which they work: {shares_in_words(data)}")
    for source, found in calm.items():
        told = zip(found["causes"], found["shares"], strict=True)
        print(f"the calm, {found['histories']:,} histories of the {source}:",
              "; ".join(f"{text} {one.mean:.1%} ± {one.error:.1%}" for text, one in told))  # fmt: skip


def shares_in_words(data):
    return ", ".join(
        f"{name} {data['shapley'].values[k]:.3g} ± {data['shapley_error'].values[k]:.2g}"
        f" ({data['shapley_low'].values[k]:.3g} to {data['shapley_high'].values[k]:.3g})"
        for k, name in enumerate(data["mechanism"].values)
    )


def hangs_on(data, draws):
    """Parameters that the strikes' part of the fall in attacks goes with, by rank over the draws."""
    by_draw = shapley(data["mean_by_coalition"].values)
    part = rankdata(by_draw[0] / by_draw.sum(axis=0))
    points = points_of("posterior", draws, 1, load().scenario.cast)
    found = {key: np.corrcoef(rankdata(column), part)[0, 1] for key, column in points.items()}
    strongest = sorted(found, key=lambda key: -abs(found[key]))[:6]
    print("the strikes' part goes with:", ", ".join(f"{parameter_title(key)} {found[key]:+.2f}" for key in strongest))
    print(f"  one of {len(found)} reaches {3.3 / np.sqrt(draws):.2f} by chance in one study of twenty")


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:3]))
