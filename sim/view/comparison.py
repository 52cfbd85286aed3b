"""A comparison in words and tables, for people who decide and for those who check: one table for each pair."""

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import xarray as xr
from rich.markup import escape
from rich.table import Table

from sim.study.comparison.rows import beside_rows, effect_row, effect_rows, regret_rows
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
    """The key outcomes of one pair: both values, the difference with its interval, who does better how often."""
    label, baseline = str(data["comparison"].values[comparison]), data.attrs["baseline"]
    columns = {
        "outcome": 32, "baseline": 8, "scenario": 8, "difference": 10, interval_words(data): 20,
        "better": 6, "same": 5, "worse": 5,
    }  # fmt: skip
    title = f"Scenario {label} against baseline {baseline}"
    made = table(escape(title), columns, right=tuple(columns)[1:])
    for place in shown(data, KEY_MEASURES):
        row = effect_row(data, comparison, place)
        worse = 1.0 - (row["better"] or 0.0) - row["tie"]
        made.add_row(
            escape(short(data, row["measure"])),
            number(row["value_a"], row["unit"]),
            number(row["value_b"], row["unit"]),
            number(row["difference"], row["unit"], sign=True),
            interval(row),
            share(row["better"] or 0.0),
            share(row["tie"]),
            share(max(0.0, round(worse, 12))),
        )
    return made


def interval_words(data: xr.Dataset) -> str:
    """What the interval holds."""
    return "90% of draws" if data.sizes["draw"] > 1 else "90% (luck)"


def sentence(data: xr.Dataset, comparison: int) -> str:
    """One plain sentence: what the scenario clearly changes, and what stays open."""
    label, baseline = str(data["comparison"].values[comparison]), data.attrs["baseline"]
    clear, same, unclear = [], [], []
    for place in shown(data, SAID):
        row = effect_row(data, comparison, place)
        if row["low"] is not None and (row["low"] > 0.0 or row["high"] < 0.0):
            pairs = share(row["more"] if row["difference"] > 0.0 else row["less"])
            clear.append(f"{said(data, row)} ({interval(row)}; so in {pairs} of the pairs)")
        elif row["tie"] == 1.0:
            same.append(f"{_OPEN[row['measure']][1]} the same in every pair")
        else:
            unclear.append(_OPEN[row["measure"]][0])
    told = [f"on average {', '.join(clear)}"] if clear else []
    told += [", ".join(same)] if same else []
    told += [f"it stays open whether {' and whether '.join(unclear)}"] if unclear else []
    return f"With {label} instead of {baseline}, {'; '.join(told)}."


_OPEN: Final = {
    "attacks_after": ("attacks become fewer or more", "attacks are"),
    "lull_days": ("they resume sooner or later", "the days until they resume are"),
    "war": ("direct war becomes less likely or more", "the chance of direct war is"),
}
"""What is said of a measure where the difference is not clear, and where there is none."""


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
        f"Pairing takes away {row['removed']:.0%} of the variance of {short(data, 'attacks_after')} (parameters fixed)."
        f" Most if both arms moved as one: {row['removable']:.0%}{part}; most that any pairing of these two"
        f" distributions can do: {row['attainable']:.0%}."
    )


def uncertainty_line(data: xr.Dataset, comparison: int) -> str:
    """The two levels: spread between parameters, spread by luck."""
    row = effect_row(data, comparison, shown(data, ("attacks_after",))[0])
    luck = (
        f"Two levels, for {short(data, 'attacks_after')}: by luck alone the difference varies by"
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
    arms = {"a": data.attrs["baseline"], "b": row["scenario"]}
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
    """Attacks after the strikes by theatre or by group: the difference with its interval, a line for each scenario."""
    strikes = day_text(data, int(data.attrs["strikes_day"]))
    several = {"scenario": 24} if data.sizes["comparison"] > 1 else {}
    columns = {kind: 42, **several, "difference": 10, interval_words(data): 20}
    title = f"Attacks after {strikes} by {kind}, against {data.attrs['baseline']}"
    made = table(escape(title), columns, right=("difference", interval_words(data)))
    rows = [row for row in effect_rows(data, kind) if row["window"] == "after"]
    for name in dict.fromkeys(row["place"] for row in rows):
        for line, row in enumerate(one for one in rows if one["place"] == name):
            scenario = [escape(row["scenario"])] if several else []
            difference = number(row["difference"], row["unit"], sign=True)
            made.add_row("" if line else escape(name), *scenario, difference, interval(row))
    return made


def beside_table(data: xr.Dataset) -> Table:
    """What assumptions decide: baseline, scenario and difference under the priors alone, and the same here."""
    columns = {"outcome": 34, "scenario": 24, "under the priors alone": 26, "here": 26}
    title = f"Assumptions decide these ({ASSUMED}): beside their prior"
    made = table(title, columns, right=("under the priors alone", "here"))
    for place, row in enumerate(beside_rows(data)):
        made.add_row(
            "" if place % data.sizes["comparison"] else escape(short(data, row["measure"])),
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
    made = table("Regret: how much worse than the best scenario of the same draw", columns, right=tuple(columns)[2:])
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


def points(value: float | None, unit: str) -> str:
    """A regret: never below zero, chances in percentage points.

    >>> points(0.034, "probability"), points(12.0, "attacks")
    ('3.4 pts', '12')
    """
    return f"{100 * (value or 0.0):.1f} pts" if unit == "probability" else number(value, unit)


def war_line(data: xr.Dataset) -> str:
    """How many histories direct war ended, for attacks after it are counted nowhere."""
    place = shown(data, ("war",))[0]
    worst = float(np.nanmax([data["value_a"].values[:, place], data["value_b"].values[:, place]]))
    return (
        f"Direct war ends a history (in up to {percent(worst)} of them here): attacks that would have followed are not"
        " counted, so fewer attacks beside more war are no success."
    )
