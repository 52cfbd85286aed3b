"""The answer in three sentences: what differs, what made it, how sure that is. All numbers are those of the data."""

import xarray as xr

from sim.study.comparison.measures import named
from sim.study.comparison.rows import effect_row
from sim.study.report.found import Found
from sim.study.summary import PRIOR_DRIVEN
from sim.view.attribution import MECHANISM_WORDS, digits_of
from sim.view.comparison import KEY_MEASURES, Row, arm_words, day_text, interval, number, short
from sim.view.tables import percent

MOST_TOLD = 3
"""Scenarios that the first sentence tells of; the tables have all."""


def what(data: xr.Dataset, measure: str) -> str:
    """A measure in words, with the names and dates of the case where there are any."""
    if measure in KEY_MEASURES:
        return short(data, measure).removesuffix(" (medians)")
    return str(data["text"].values[place_of(data, measure)])


def place_of(data: xr.Dataset, measure: str) -> int:
    """Place of a measure in a comparison."""
    return list(data["measure"].values).index(measure)


def rows_of(data: xr.Dataset, measure: str) -> list[Row]:
    """One measure in every pair."""
    return [effect_row(data, one, place_of(data, measure)) for one in range(data.sizes["comparison"])]


def value(data: xr.Dataset, row: Row, name: str) -> str:
    """A value as it is told: a date where the unit is a day of the calendar."""
    if row["unit"] == "day":
        return day_text(data, round(row[name]))
    return arm_words(row, name.removeprefix("value_"))


def minus(text: str) -> str:
    """The text with a proper minus before numbers.

    >>> minus("-3.5 to +2, x-y")
    '−3.5 to +2, x-y'
    """
    return "".join(
        "−" if sign == "-" and text[place + 1 : place + 2].isdigit() and not text[place - 1 : place].isalnum() else sign
        for place, sign in enumerate(text)
    )


def question(found: Found) -> str:
    """The question: the user's, or the one that the scenarios ask together."""
    if found.asked.settings.question is not None:
        return found.asked.settings.question
    data = found.comparison
    subject = what(data, found.asked.settings.outcome)
    others = listed([str(one) for one in data["comparison"].values])
    return f"{subject[0].upper()}{subject[1:]}: what changes with {others}?"


def listed(names: list[str]) -> str:
    """Names in a row.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def sentences(found: Found) -> tuple[str, str, str]:
    """The answer."""
    return _difference(found), _causes(found), _sureness(found)


def _difference(found: Found) -> str:
    data, measure = found.comparison, found.asked.settings.outcome
    rows = rows_of(data, measure)
    told = sorted(rows, key=lambda row: -abs(row["difference"]))[:MOST_TOLD]
    of = "median" if rows[0]["heavy_tailed"] else "chance" if rows[0]["unit"] == "probability" else "mean"
    spread = "nine in ten draws of the parameters" if data.sizes["draw"] > 1 else "90% under luck"
    first, *others = told
    parts = [
        f"with {_named(data, first)} the {of} of {what(data, measure)} is {_moved(data, first)} in {first['baseline']}"
        f" (difference {_apart(first, f'; {spread}: ')})",
        *(f"with {_named(data, row)} {_moved(data, row)} ({_apart(row, '; ')})" for row in others),
    ]
    return minus(f"In the model, {listed(parts)}.")


def _named(data: xr.Dataset, row: Row) -> str:
    """A scenario, and what is pinned in its pair where that differs from pair to pair and so the baseline's value."""
    pinned = [str(one) for one in data["pinned_short"].values]
    if len(set(pinned)) == 1:
        return str(row["scenario"])
    return f"{row['scenario']} ({pinned[list(data['comparison'].values).index(row['scenario'])]})"


def _moved(data: xr.Dataset, row: Row) -> str:
    return f"{value(data, row, 'value_b')} instead of {value(data, row, 'value_a')}"


def _apart(row: Row, between: str) -> str:
    """A difference, and behind some words its interval."""
    difference = number(row["difference"], row["unit"], sign=True)
    return difference if row["low"] is None else f"{difference}{between}{interval(row)}"


def _causes(found: Found) -> str:
    made = found.attribution
    unit, digits = made.game.measured.unit, digits_of(made.total.mean)
    parts = []
    for one in made.ranked()[:MOST_TOLD]:
        share = one.shapley
        within = (
            f"nine in ten draws {share.low:+.{digits}f} to {share.high:+.{digits}f}"
            if share.low is not None and share.high is not None
            else f"± {share.error:.{digits}f}"
        )
        parts.append(f"“{mechanism(found, one.mechanism)}” ({share.mean:+.{digits}f}, {within})")
    several = f"the {len(made.shares)} mechanisms" if len(made.shares) > 1 else "the one mechanism"
    none, every = (f"{one.mean:.{digits}f}" for one in (made.none, made.every))
    return minus(
        f"Under {made.game.scenario.name}, {several} together lead from {none} to {every} {unit}"
        f" ({made.game.measured.words}); the largest fair shares are those of {listed(parts)}."
    )


def mechanism(found: Found, name: str) -> str:
    """A mechanism as a reader knows it, with the names of the case in place of the roles."""
    return named(MECHANISM_WORDS[name], found.asked.config.scenario.cast).replace("s's ", "s' ")


def _sureness(found: Found) -> str:
    data, measure = found.comparison, found.asked.settings.outcome
    row = max(rows_of(data, measure), key=lambda one: abs(one["difference"]))
    if row["better"] is None:
        pairs = f"{row['scenario']} has more in {percent(row['more'])} and less in {percent(row['less'])}"
    else:
        worse = max(0.0, round(1.0 - row["better"] - row["tie"], 12))
        pairs = f"{row['scenario']} does better than {row['baseline']} in {percent(row['better'])} and worse in"
        pairs += f" {percent(worse)}"
    parts = [f"Under the same luck and parameters {pairs} of {data.sizes['draw'] * int(data.attrs['runs']):,} pairs"]
    evidence = found.asked.evidence
    if fitted := evidence.rows("quantities"):
        parts.append(f"the known figures leave {len(evidence.lost)} of {len(fitted)} fitted quantities not identified")
    if measure in PRIOR_DRIVEN:
        parts.append("assumed numbers, not data, decide how large this outcome is")
    return f"{', and '.join([', '.join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)}."
