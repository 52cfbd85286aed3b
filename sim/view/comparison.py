"""A comparison in words and tables, for people who decide and for those who check: one table for each pair."""

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import xarray as xr
from rich.markup import escape
from rich.table import Table

from sim.study.comparison.labelled import WORST
from sim.study.comparison.rows import (
    LESS,
    MORE,
    NO_PAIRS,
    NOT_LESS,
    NOT_MORE,
    SAME,
    beside_rows,
    by_baseline,
    compared,
    effect_row,
    effect_rows,
    regret_rows,
    shares_of_sign,
)
from sim.view.tables import ASSUMED, percent, table

Row = dict[str, Any]

KEY_MEASURES: Final = (
    "attacks_lull", "attacks_after", "lull_days", "quiet_days", "injured", "deaths", "deaths_10", "peak_war_risk",
    "war",
)  # fmt: skip
"""What is printed and drawn; the files hold everything."""
REGRETTED: Final = ("attacks_after", "lull_days", "deaths_10", "war")
"""What regret is printed and drawn of."""
SAID: Final = ("attacks_after", "lull_days", "war")
"""What the sentence on a pair speaks of."""

_SHORT: Final = {
    "attacks_lull": "attacks on {target}, {strikes} to {report}",
    "attacks_after": "attacks on {target} after {strikes}",
    "lull_days": "days from {strikes} until attacks resume",
    "quiet_days": "days from {strikes} to the first attack after {report}",
    "injured": "soldiers injured",
    "deaths": "soldiers killed (medians)",
    "deaths_10": "10 or more soldiers killed",
    "peak_war_risk": "highest war risk as {patron} sees it",
    "war": "direct war",
}


def short(data: xr.Dataset, measure: str) -> str:
    """A measure in a few words, with the names and dates of the case."""
    return _SHORT[measure].format(
        target=data.attrs["target"],
        patron=data.attrs["patron"],
        strikes=day_text(data, int(data.attrs["strikes_day"])),
        report=day_text(data, int(data.attrs["report_day"])),
    )


def until_war(data: xr.Dataset, measure: str) -> str:
    """The same of all pairs, whether war ended them or not."""
    cut = bool(data["cut_by_war"].values[shown(data, (measure,))[0]])
    return f"{short(data, measure)}{', until war' if cut else ''}"


def day_text(data: xr.Dataset, day: int) -> str:
    """A day number as a date without its year."""
    when = date.fromisoformat(data.attrs["first_day"]) + timedelta(days=day)
    return f"{when.day} {when:%b}"


def shown(data: xr.Dataset, names: tuple[str, ...]) -> list[int]:
    """Places of measures, as far as the comparison has them."""
    all_names = list(data["measure"].values)
    return [all_names.index(name) for name in names]


def number(value: float | None, unit: str, sign: bool = False) -> str:
    """A number as it is printed: a chance in percent, everything else with three figures.

    >>> number(0.034, "probability"), number(-12.34, "attacks", sign=True), number(None, "attacks")
    ('3.4%', '-12.3', '')
    """
    if value is None:
        return ""
    if unit == "probability":
        if sign:
            return f"{100 * value:+.1f} pts" if abs(value) >= 0.0005 else "0 pts"
        return percent(value)
    size = abs(value)
    places = 0 if size >= 100 or float(value).is_integer() else 1 if size >= 1 else 2
    text = f"{value:{'+' if sign else ''},.{places}f}"
    return text if float(text.replace(",", "")) else "0"


def share(value: float) -> str:
    """A share of the pairs in six signs at most.

    >>> share(0.0003), share(0.5)
    ('<0.1%', '50%')
    """
    return percent(value).replace("under ", "<")


def interval(row: Row) -> str:
    """The interval of a difference."""
    if row["low"] is None:
        return ""
    low, high = (number(row[name], row["unit"], sign=True) for name in ("low", "high"))
    return f"{low.removesuffix(' pts')} to {high}"


def effect_table(data: xr.Dataset, comparison: int) -> Table:
    """The key outcomes of one pair: both values, the difference with its interval, who does better how often.

    What war cuts has two lines: the pairs without war in either arm, and all pairs, counted until war.
    """
    label, baseline = names_of(data, comparison)
    columns = {
        "outcome": 32, "baseline": 8, "scenario": 8, "difference": 10, interval_words(data): 20,
        "better": 6, "same": 5, "worse": 5,
    }  # fmt: skip
    title = f"Scenario {label} against baseline {baseline}"
    made = table(escape(title), columns, right=tuple(columns)[1:])
    for place in shown(data, KEY_MEASURES):
        row = effect_row(data, comparison, place)
        shares = [share(row[name]) for name in ("better", "even", "worse")]
        made.add_row(escape(short(data, row["measure"])), *effect_cells(compared(row)), *shares)
        if row["cut_by_war"]:
            made.add_row("  all pairs, until war", *effect_cells(row), "", "", "")
    return made


def effect_cells(row: Row) -> list[str]:
    """Both values, the difference and its interval."""
    values = [number(row[name], row["unit"]) for name in ("value_a", "value_b")]
    return [*values, number(row["difference"], row["unit"], sign=True), interval(row)]


def names_of(data: xr.Dataset, comparison: int) -> tuple[str, str]:
    """The scenario of a pair and its baseline."""
    return str(data["comparison"].values[comparison]), str(data["baseline"].values[comparison])


def interval_words(data: xr.Dataset) -> str:
    """What the interval holds."""
    return "90% of draws" if data.sizes["draw"] > 1 else "90% (luck)"


def sentence(data: xr.Dataset, comparison: int) -> str:
    """One plain sentence: what can be said of each difference, with the shares of draws or pairs that say so."""
    label, baseline = names_of(data, comparison)
    rows = [compared(effect_row(data, comparison, place)) for place in shown(data, SAID)]
    told = "; ".join(verdict_words(data, row) for row in sorted(rows, key=lambda row: row["cut_by_war"]))
    return f"With {label} instead of {baseline}, {told}."


def verdict_words(data: xr.Dataset, row: Row) -> str:
    """What can be said of one difference; of what war cuts, for pairs without war in either arm."""
    fewer, more, subject = _SIGNS[row["measure"]]
    where = f"among the {share(row['share'])} of pairs without war in either arm " if row["cut_by_war"] else ""
    if row["verdict"] == NO_PAIRS:
        return f"no pair is without war, so {subject} cannot be compared"
    if row["verdict"] == SAME:
        return f"{where}{subject} the same in every {'pair' if row['draws_less'] is None else 'draw'}"
    if row["verdict"] in (MORE, LESS):
        return f"{where}{said(data, row)} ({interval(row)}; {sign_words(row)})"
    if row["verdict"] in (NOT_LESS, NOT_MORE):
        one, other = (more, fewer) if row["verdict"] == NOT_LESS else (fewer, more)
        unit = "pair" if row["draws_less"] is None else "draw"
        return f"{where}{subject} {one} or unchanged, in no {unit} {other} ({interval_part(row)}{sign_words(row)})"
    return f"{where}it stays open whether {subject} {fewer} or {more} ({interval_part(row)}{sign_words(row)})"


def interval_part(row: Row) -> str:
    """The interval of a difference, to stand before something else."""
    return f"{interval(row)}; " if row["low"] is not None else ""


def verdict_line(row: Row) -> str:
    """The verdict on a difference with the shares of draws or pairs that say so."""
    if row["verdict"] in (NO_PAIRS, SAME):
        return str(row["verdict"])
    other = {NOT_LESS: "less", NOT_MORE: "more"}.get(row["verdict"])
    unit = "pair" if row["draws_less"] is None else "draw"
    return f"{row['verdict']}{f', in no {unit} {other}' if other else ''}: {sign_words(row)}"


def sign_words(row: Row) -> str:
    """Shares of the draws, or of the pairs of a single draw, in which there is less, as much and more."""
    less, same, more = (share(one) for one in shares_of_sign(row))
    return f"less in {less}, unchanged in {same}, more in {more} of {'pairs' if row['draws_less'] is None else 'draws'}"


_SIGNS: Final = {
    "attacks_after": ("fewer", "more", "attacks are"),
    "lull_days": ("fewer", "more", "the days until they resume are"),
    "war": ("less likely", "more likely", "direct war is"),
}
"""How less and more of a measure is said, and of what."""


def said(data: xr.Dataset, row: Row) -> str:
    """A clear difference in words."""
    up = row["difference"] > 0.0
    if row["measure"] == "lull_days":
        return f"attacks resume {number(abs(row['difference']), 'days')} days {'later' if up else 'sooner'}"
    if row["measure"] == "war":
        return f"direct war is {points(abs(row['difference']), 'probability')} {'more' if up else 'less'} likely"
    less_or_more = "more" if up else "fewer"
    return f"there are {number(abs(row['difference']), 'attacks')} {less_or_more} {short(data, row['measure'])}"


def pinned_line(data: xr.Dataset, comparison: int) -> str:
    """What is pinned, and whether the arms are the same up to the departure."""
    same = float(data["same_before"].values[comparison])
    line = f"In both, {data['pinned'].values[comparison]}."
    if not same < 1.0:
        return line
    return (
        f"{line} Before the departure {percent(same)} of the pairs have the same attacks day by day; in the others what"
        " the scenario changes acts earlier."
    )


def pairing_line(data: xr.Dataset, comparison: int) -> str:
    """What pairing is worth for attacks after the strikes, at fixed parameters."""
    row = effect_row(data, comparison, shown(data, ("attacks_after",))[0])
    if row["removed"] is None:
        return "Pairing: neither arm varies."
    part = "" if not row["removable"] else f", {row['removed'] / row['removable']:.0%} of that"
    return (
        f"Pairing takes away {row['removed']:.0%} of the variance of {until_war(data, 'attacks_after')} (parameters"
        " fixed)."
        f" Most if both arms moved as one: {row['removable']:.0%}{part}; most that any pairing of these two"
        f" distributions can do: {row['attainable']:.0%}."
    )


def uncertainty_line(data: xr.Dataset, comparison: int) -> str:
    """The two levels: spread between parameters, spread by luck."""
    row = effect_row(data, comparison, shown(data, ("attacks_after",))[0])
    luck = (
        f"Two levels, for {until_war(data, 'attacks_after')}: by luck alone the difference varies by"
        f" {number(row['luck_sd'], row['unit'])} from history to history"
    )
    if row["draws_sd"] is not None:
        luck += (
            f"; its mean varies by {number(row['draws_sd'], row['unit'])} from one draw of the parameters to another"
        )
    return (
        f"{luck} (standard deviations). Nine in ten single pairs: {number(row['history_low'], row['unit'], sign=True)}"
        f" to {number(row['history_high'], row['unit'], sign=True)}."
    )


def place_tables(data: xr.Dataset, kind: str) -> list[Table]:
    """Attacks after the strikes by theatre or by group, a table for each baseline."""
    return [place_table(one, kind) for one in by_baseline(data)]


def arm_words(row: Row, arm: str, side: str = "", error: float | None = None) -> str:
    """One arm's value, `a` or `b`, here or under the priors (`prior_`), with its Monte Carlo error.

    Of a probability its interval over the draws comes first.
    """
    value = number(row[f"{side}value_{arm}"], row["unit"])
    value += "" if error is None else f" ± {percent(error)} Monte Carlo error"
    low, high = (row[f"{side}{end}_{arm}"] for end in ("low", "high"))
    if row["unit"] != "probability" or low is None:
        return value
    return f"{percent(low)} to {percent(high)} (mean {value})"


def war_words(data: xr.Dataset, comparison: int) -> str:
    """Direct war under both arms: first its interval over parameter sets, here and under the priors."""
    place = shown(data, ("war",))[0]
    row = effect_row(data, comparison, place)
    arms = {"a": row["baseline"], "b": row["scenario"]}
    draws, runs = data.sizes["draw"], int(data.attrs["runs"])

    def error(arm: str) -> float:
        values = data[f"value_{arm}_of_draw"].values[comparison, place]
        return float(np.sqrt(values.var(ddof=1) / draws if draws > 1 else values[0] * (1.0 - values[0]) / runs))

    here = "; ".join(f"{label} {arm_words(row, arm, error=error(arm))}" for arm, label in arms.items())
    sets = f"90% of {draws} parameter sets" if draws > 1 else "at one parameter set among many"
    words = f"Direct war, {sets}: {here}."
    for one in beside_rows(data):
        if (one["measure"], one["scenario"]) == ("war", row["scenario"]):
            prior = "; ".join(f"{label} {arm_words(one, arm, 'prior_')}" for arm, label in arms.items())
            words += f" 90% of parameter sets drawn from the priors: {prior}."
    return words


def place_table(data: xr.Dataset, kind: str) -> Table:
    """Attacks after the strikes by theatre or by group against one baseline: a line for each scenario."""
    strikes = day_text(data, int(data.attrs["strikes_day"]))
    several = {"scenario": 22} if data.sizes["comparison"] > 1 else {}
    columns = {kind: 30, **several, "difference": 10, interval_words(data): 20, "until war": 10}
    title = f"Attacks after {strikes} by {kind}, pairs without war, against {data['baseline'].values[0]}"
    made = table(escape(title), columns, right=tuple(columns)[-3:])
    rows = [row for row in effect_rows(data, kind) if row["window"] == "after"]
    for name in dict.fromkeys(row["place"] for row in rows):
        for line, row in enumerate(one for one in rows if one["place"] == name):
            scenario = [escape(row["scenario"])] if several else []
            all_pairs = number(row["difference"], row["unit"], sign=True)
            cells = effect_cells(compared(row))[2:]
            made.add_row("" if line else escape(name), *scenario, *cells, all_pairs)
    return made


def beside_tables(data: xr.Dataset) -> list[Table]:
    """What assumptions decide, a table for each baseline; none where all is lived at draws of priors."""
    return [beside_table(one) for one in by_baseline(data)] if beside_rows(data) else []


def beside_table(data: xr.Dataset) -> Table:
    """What assumptions decide: baseline, scenario and difference under the priors alone, and the same here."""
    columns = {"outcome": 34, "scenario": 24, "under the priors alone": 26, "here": 26}
    title = f"Assumptions decide these ({ASSUMED}): beside their prior, against {data['baseline'].values[0]}"
    made = table(escape(title), columns, right=("under the priors alone", "here"))
    for place, row in enumerate(beside_rows(data)):
        made.add_row(
            "" if place % data.sizes["comparison"] else escape(until_war(data, row["measure"])),
            escape(row["scenario"]),
            beside(row, "prior_"),
            beside(row, ""),
        )
    return made


def beside(row: Row, side: str) -> str:
    """A difference and what it lies between: `prior_` for the priors alone."""
    difference, *values = (row[f"{side}{name}"] for name in ("difference", "value_a", "value_b"))
    before, after = (number(one, row["unit"]) for one in values)
    return f"{number(difference, row['unit'], sign=True)} ({before} to {after})"


def regret_table(data: xr.Dataset) -> Table:
    """Regret of every scenario: expected, worst, and in how many draws it is the best choice."""
    columns = {"outcome": 34, "scenario": 24, "expected": 10, "worst draw": 11, "best in": 8, "± luck": 8}
    made = table(regret_title(data), columns, right=tuple(columns)[2:])
    rows = [row for name in REGRETTED for row in regret_rows(data) if row["measure"] == name]
    for place, row in enumerate(rows):
        made.add_row(
            "" if place % data.sizes["scenario"] else escape(short(data, row["measure"])),
            escape(row["scenario"]),
            points(row["expected"], row["unit"]),
            points(row["worst"], row["unit"]),
            percent(row["best"]),
            points(row["error"], row["unit"]),
        )
    return made


def regret_title(data: xr.Dataset) -> str:
    """What regret is, and what war counts as in it."""
    return f"Regret: how much worse than the best scenario of the same draw; {war_counts(data)}"


def war_counts(data: xr.Dataset) -> str:
    """What a history with war counts as wherever one scenario is better than another."""
    loss = data.attrs["war_loss"]
    return f"a history with war {'is worst' if loss == WORST else f'counts as {loss}, else as worst'}"


def points(value: float | None, unit: str) -> str:
    """A regret: never below zero, chances in percentage points.

    >>> points(0.034, "probability"), points(12.0, "attacks")
    ('3.4 pts', '12')
    """
    return f"{100 * (value or 0.0):.1f} pts" if unit == "probability" else number(value, unit)


def war_line(data: xr.Dataset) -> str:
    """How many histories direct war ended, and how what it cuts is counted."""
    place = shown(data, ("war",))[0]
    worst = float(np.nanmax([data["value_a"].values[:, place], data["value_b"].values[:, place]]))
    kept = " ".join(
        f"{name}: {words}." for name, words in zip(data["comparison"].values, pairs_words(data), strict=True)
    )
    return (
        f"Direct war ends a history (in up to {percent(worst)} of them here), and what would have followed is not"
        " counted: less of it until war may only mean an earlier war. So counts and durations are compared among pairs"
        f" without war in either arm. {kept} Better, worse and regret hold for all pairs: there {war_counts(data)}."
    )


def pairs_words(data: xr.Dataset) -> list[str]:
    """How many pairs have no war in either arm, comparison by comparison."""
    every = data.sizes["draw"] * int(data.attrs["runs"])
    shares = data["no_war_share"].values[:, shown(data, ("attacks_after",))[0]]
    return [f"{round(one * every):,} of {every:,} pairs ({share(float(one))}) are without war" for one in shares]
