"""How long the lull lasts, what ends it, what would have moved its end, and on which numbers that hangs.

Reads the two sweeps that README.md makes, from the current folder; writes the figure there and prints the finding.
"""

from pathlib import Path

import numpy as np

from sim import open_sweep
from sim.reporting.style import BLUE, GREY, INK, ORANGE, PALE, PURPLE, SAND, new_figure, quiet, save, style
from sim.reporting.text import parameter_title
from sim.rules.outcomes import NEVER, RESUMED_DAYS

STRIKES, REPORT, MARCH = 108, 133, 150
"""Day numbers: 2 February, the article, and 15 March, on which the events of the scenarios fall."""

SOON, LONG = 30, 90
MOST_IN_SYRIA = 4

ENDS = {
    "war": (PURPLE, "direct war"),
    "released": (ORANGE, "attacks, the order taken back before"),
    "meanwhile": (SAND, "attacks, the order taken back in those two weeks"),
    "standing": (BLUE, "attacks under the standing order"),
    "holds": (PALE, "quiet for a year"),
}
CHANGES = {
    "firm_hand": "all wings obey, and the order stays",
    "full_obedience": "all wings obey",
    "order_kept": "the order stays",
    "stop_in_syria": "the order says stop in Syria too",
    "no_blood": "no attack kills any more",
    "no_more_strikes": "Washington strikes nobody any more",
    "truce": "six weeks without war in Gaza",
    "strikes_again": "major strikes as on 2 February",
    "drone": "a drone kills three more",
    "consulate": "an Israeli strike on Iranian officers",
    "leader_killed": "Washington kills a militia leader",
    "talks_fail": "the talks on withdrawal break off",
    "offensive": "half as many attacks again, for two months",
}
LASTING = 6
"""So many of the changes hold throughout; the others are events of 15 March."""


def main():
    data, prior = open_sweep("lull_posterior"), open_sweep("lull_prior").load()
    arms = {name: data.sel(point=data["scenario"].values == name).load() for name in ("article", *CHANGES)}
    drawn = {"posterior": arms["article"], "prior": prior}
    moved = [change(arms["article"], arms[name]) for name in CHANGES]
    numbers = {name: by_parameter(one) for name, one in drawn.items()}
    told(drawn, arms, moved, numbers)
    with style():
        figure = new_figure(13.0, 9.4)
        draw_survival(figure.add_axes((0.06, 0.56, 0.4, 0.29)), drawn)
        draw_ends(figure.add_axes((0.56, 0.7, 0.41, 0.15)), drawn)
        draw_changes(figure.add_axes((0.255, 0.1, 0.22, 0.34)), moved)
        draw_numbers(figure.add_axes((0.72, 0.1, 0.25, 0.34)), numbers)
        figure.text(
            0.03, 0.965, "How long does the lull last, and what ends it?", fontsize=16, fontweight="bold", va="top"
        )
        counts = [one.sizes["run"] * one.sizes["point"] for one in drawn.values()]
        under = (
            f"Of {counts[0]:,} histories from the posterior and {counts[1]:,} from the prior, those as quiet up to the"
        )
        under += " report as the article says"
        figure.text(0.03, 0.925, under, fontsize=10, color=GREY, va="top")
        foot = "A lull ends with the first of 14 days with five acknowledged attacks, or with war. All is prior-driven."
        figure.text(0.03, 0.015, foot, fontsize=8.5, color=GREY)
    for ending in ("png", "svg"):
        save(figure, Path(f"fragility.{ending}"))


# --- what is counted ----------------------------------------------------------------------------------------


def alike(data):
    """Which histories (point, run) are as quiet up to the report as the article says (F02, F03), and at peace."""
    war, seen = data["war_day"].values, data["theatre_acknowledged"].sel(window="lull")
    at_peace = (war == NEVER) | (war > REPORT)
    return at_peace & (seen.sel(theatre="iraq").values == 0) & (seen.sel(theatre="syria").values <= MOST_IN_SYRIA)


def ended_by(data, day):
    """Which lulls are over before a day, by attacks or by war."""
    resumed, war = data["resumption_day"].values, data["war_day"].values
    return ((resumed != NEVER) & (resumed < day)) | ((war != NEVER) & (war < day))


def ends(data):
    """What each history's lull ended by: a key of ENDS."""
    resumed, war = data["resumption_day"].values, data["war_day"].values
    freed = data["release_day"].values
    freed = np.where(freed == NEVER, np.inf, freed)
    quiet_still = resumed == NEVER
    return np.select(
        [quiet_still & (war != NEVER), quiet_still, freed <= resumed, freed < resumed + RESUMED_DAYS],
        ["war", "holds", "released", "meanwhile"],
        "standing",
    )


def share(hits, among):
    """A share with its standard error, for which points and for which luck: all points meet the same luck."""
    value = hits[among].mean() if among.any() else np.nan
    parts = []
    for axis in (0, 1):
        count = among.sum(axis=axis)
        off = ((hits - value) * among).sum(axis=axis)
        parts.append(len(count) / max(1, len(count) - 1) * (off**2).sum() / max(1, count.sum()) ** 2)
    return value, np.sqrt(sum(parts))


def by_draw(hits, among):
    """The same share at each point; NaN where fewer than five histories are meant."""
    count = among.sum(axis=1)
    return np.where(count >= 5, (hits & among).sum(axis=1) / np.maximum(count, 1), np.nan)


def change(as_it_was, otherwise):
    """Change of the share that is over within 30 days of 15 March, in points: mean, error, and nine in ten draws."""
    among = alike(as_it_was) & ~ended_by(as_it_was, MARCH)
    soon = [ended_by(one, MARCH + SOON) for one in (as_it_was, otherwise)]
    value, error = share(soon[1].astype(float) - soon[0], among)
    difference = by_draw(soon[1], among) - by_draw(soon[0], among)
    return (100 * value, 100 * error, *(100 * quantiles(difference)))


def quantiles(values):
    """The 5% and the 95% quantile of the numbers among the values."""
    kept = values[np.isfinite(values)]
    return np.quantile(kept, (0.05, 0.95)) if len(kept) else np.array([np.nan, np.nan])


def by_parameter(data):
    """For every drawn parameter the share that lasts 90 days, in its lowest and its highest quarter of points."""
    among = alike(data)
    lasting = ~ended_by(data, STRIKES + LONG + 1)
    found = {}
    for name in data.coords:
        if "." in str(name) and len(np.unique(data[name].values)) > 1:
            low, high = np.quantile(data[name].values, (0.25, 0.75))
            rows = [data[name].values <= low, data[name].values >= high]
            found[str(name)] = [share(lasting[one], among[one]) for one in rows]
    return found


def strongest(found, most):
    """Names of the parameters whose quarters differ most."""
    return sorted(found, key=lambda name: -abs(np.nan_to_num(found[name][1][0] - found[name][0][0])))[:most]


# --- what is drawn ------------------------------------------------------------------------------------------


def draw_survival(axes, drawn):
    days = np.arange(0, 366)
    for (name, data), colour in zip(drawn.items(), (BLUE, GREY), strict=True):
        among, length = alike(data), data["lull_days"].values
        holds = np.array([(length[among] > day).mean() for day in days])
        axes.plot(days, 100 * holds, color=colour, linewidth=2.4)
        if name == "posterior":
            each = [by_draw(length > day, among) for day in days]
            band = np.array([100 * quantiles(one) for one in each])
            axes.fill_between(days, band[:, 0], band[:, 1], color=colour, alpha=0.13, linewidth=0)
        below = name == "posterior"
        axes.annotate(
            name, (100, 100 * holds[100]), xytext=(-8, -16) if below else (8, 8), textcoords="offset points",
            color=colour, fontweight="bold", ha="right" if below else "left",
        )  # fmt: skip
    axes.axvline(REPORT - STRIKES, color=INK, linewidth=0.8, linestyle=(0, (3, 3)))
    axes.text(REPORT - STRIKES + 3, 103, "the report", fontsize=8.5)
    axes.set_title("The lull holds", fontsize=11, fontweight="bold", pad=14)
    axes.set_xlabel("days after the strikes of 2 February")
    axes.set_ylabel("% of histories; band: 90% of the draws")
    axes.set_ylim(0, 101)
    axes.set_xlim(0, 365)
    quiet(axes)


def draw_ends(axes, drawn):
    for line, (name, data) in enumerate(drawn.items()):
        kinds, start = ends(data)[alike(data)], 0.0
        for kind, (colour, _) in reversed(ENDS.items()):
            part = 100 * float((kinds == kind).mean()) if len(kinds) else 0.0
            axes.barh(line, part, left=start, height=0.62, color=colour, edgecolor="white")
            if part >= 3:
                light = kind in ("meanwhile", "holds")
                axes.text(start + part / 2, line, f"{part:.0f}", ha="center", va="center", fontsize=9.5,
                          color=INK if light else "white", fontweight="bold")  # fmt: skip
            start += part
        axes.text(-1.5, line, name, ha="right", va="center")
    handles = [axes.barh(0, 0, color=colour, label=words) for colour, words in reversed(ENDS.values())]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, -0.2), fontsize=9, handlelength=1.2)
    axes.set_title("What ended it, % of lulls", fontsize=11, fontweight="bold")
    axes.set_xlim(0, 100)
    axes.set_ylim(1.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def draw_changes(axes, moved):
    axes.axvline(0.0, color=GREY, linewidth=1.0)
    places = [line + 0.9 * (line >= LASTING) for line in range(len(CHANGES))]
    for line, words, (value, _, low, high) in zip(places, CHANGES.values(), moved, strict=True):
        colour = BLUE if value < 0.0 else ORANGE
        axes.hlines(line, low, high, color=colour, linewidth=5, alpha=0.35)
        axes.plot([value], [line], "o", color=colour, markersize=7, markeredgecolor="white")
        axes.text(-0.04, line, words, ha="right", va="center", transform=axes.get_yaxis_transform())
    for line, words in ((-0.95, "Throughout"), (LASTING - 0.05, "An event on 15 March")):
        axes.text(-0.04, line, words, ha="right", va="center", color=GREY, transform=axes.get_yaxis_transform())
    axes.set_yticks([])
    axes.set_ylim(places[-1] + 0.6, -1.5)
    axes.set_title("What would move the end", fontsize=11, fontweight="bold", x=-1.02)
    axes.set_xlabel(
        "points more or fewer lulls over by 14 April,\nof those that held to 15 March; bar: 90% of the draws"
    )
    axes.grid(axis="x", color=PALE)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def draw_numbers(axes, numbers):
    names = strongest(numbers["prior"], 9)
    for line, name in enumerate(names):
        for found, colour, shift in ((numbers["prior"], GREY, 0.17), (numbers["posterior"], BLUE, -0.17)):
            (low, _), (high, _) = found.get(name, ((np.nan, 0), (np.nan, 0)))
            axes.annotate("", (100 * high, line + shift), (100 * low, line + shift),
                          arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.8})  # fmt: skip
            axes.plot([100 * low], [line + shift], "o", color=colour, markersize=4)
        axes.text(-0.04, line, parameter_title(name), ha="right", va="center", transform=axes.get_yaxis_transform())
    axes.set_yticks([])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_title("Which numbers decide it", fontsize=11, fontweight="bold", x=-0.72)
    axes.set_xlabel(
        "% that hold 90 days: from the lowest quarter of the number\nto its highest; posterior blue, prior grey"
    )
    axes.grid(axis="x", color=PALE)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


# --- what is told -------------------------------------------------------------------------------------------


def told(drawn, arms, moved, numbers):
    for name, data in drawn.items():
        among = alike(data)
        everyone = np.ones_like(among)
        length = data["lull_days"].values
        value, error = share(among, everyone)
        print(f"{name}: as quiet as the article in {value:.1%} ± {error:.1%} of histories")
        if among.any():
            for words, kept in (("of these", among), ("of all", everyone)):
                middle = ", ".join(f"{one:.0f}" for one in np.quantile(length[kept], (0.05, 0.5, 0.95)))
                first = np.median(data["quiet_days"].values[kept])
                print(f"  days {words}, 5%, half, 95%: {middle}; to the first attack after the report {first:.0f}")
        for day in (30, 60, 90, 180):
            value, error = share(length > day, among)
            low, high = quantiles(by_draw(length > day, among))
            print(f"  more than {day} days: {value:.1%} ± {error:.1%}, nine in ten draws {low:.0%} to {high:.0%}")
        kinds = ends(data)
        for kind, (_, words) in ENDS.items():
            value, error = share(kinds == kind, among)
            print(f"  ended by {words}: {value:.1%} ± {error:.1%}")
    base = arms["article"]
    among = alike(base) & ~ended_by(base, MARCH)
    value, error = share(ended_by(base, MARCH + SOON), among)
    print(f"held to 15 March, over within {SOON} days: {value:.1%} ± {error:.1%}; changed by points")
    for name, (value, error, low, high) in zip(CHANGES, moved, strict=True):
        was, now = base["lull_days"].values, arms[name]["lull_days"].values
        sooner, later = share(now < was, among)[0], share(now > was, among)[0]
        war = share(ended_war(arms[name]), among)[0] - share(ended_war(base), among)[0]
        print(
            f"  {name}: {value:+.1f} ± {error:.1f} ({low:+.0f} to {high:+.0f}); the lull ends sooner in {sooner:.0%},"
            f" later in {later:.0%}; war by 14 April {100 * war:+.1f} points"
        )
    for name, found in numbers.items():
        print(f"{name}: share of lulls that hold {LONG} days, lowest and highest quarter")
        for key in strongest(found, 6):
            (low, low_error), (high, high_error) = found[key]
            print(f"  {parameter_title(key)}: {low:.0%} ± {low_error:.0%}, {high:.0%} ± {high_error:.0%}")
    for key in strongest(numbers["prior"], 2):
        middle = (f"{np.median(one[key].values):.3g} in the {name}" for name, one in drawn.items() if key in one.coords)
        print(f"half of the draws of {parameter_title(key)} lie below {', '.join(middle)}")


def ended_war(data):
    """Which histories are at war within 30 days of 15 March."""
    war = data["war_day"].values
    return (war != NEVER) & (war < MARCH + SOON)


if __name__ == "__main__":
    main()
