"""The answer in three sentences: what differs, what made it, how sure that is. All numbers are those of the data."""

import xarray as xr

from sim.study.comparison.measures import named
from sim.study.comparison.rows import compared, effect_row
from sim.study.report.found import Found
from sim.study.summary import PRIOR_DRIVEN
from sim.view.attribution import MECHANISM_WORDS, digits_of
from sim.view.comparison import (
    KEY_MEASURES,
    Row,
    arm_words,
    day_text,
    interval,
    number,
    short,
    verdict_line,
    war_counts,
)
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
    if row["unit"] == "day" and row[name] is not None:
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


def size(row: Row) -> float:
    """How large a difference is; of what has no pair to be compared in, nothing."""
    return abs(row["difference"] or 0.0)


def _difference(found: Found) -> str:
    data, measure = found.comparison, found.asked.settings.outcome
    rows = [compared(row) for row in rows_of(data, measure)]
    told = sorted(rows, key=lambda row: -size(row))[:MOST_TOLD]
    of = "median" if rows[0]["heavy_tailed"] else "chance" if rows[0]["unit"] == "probability" else "mean"
    spread = "nine in ten draws of the parameters" if data.sizes["draw"] > 1 else "90% under luck"
    first, *others = told
    parts = [
        f"{_named(first)} the {of} of {what(data, measure)} is {_moved(data, first)}"
        f"{_apart(first, f'; {spread}: ', 'difference ')}",
        *(f"{_named(row)} {_moved(data, row)}{_apart(row, '; ')}" for row in others),
    ]
    return minus(f"In the model, {listed(parts)}.")


def _named(row: Row) -> str:
    """A scenario, and where war cuts the outcome, the pairs that are compared."""
    return f"with {row['scenario']}" + (f", in {among(row)}," if row["cut_by_war"] else "")


def among(row: Row) -> str:
    """The pairs in which what war cuts is compared."""
    return f"the {percent(row['share'])} of pairs without war in either arm"


def _moved(data: xr.Dataset, row: Row) -> str:
    if row["difference"] is None:
        return "not known"
    return f"{value(data, row, 'value_b')} instead of {value(data, row, 'value_a')} in {row['baseline']}"


def _apart(row: Row, between: str, before: str = "") -> str:
    """A difference in brackets, behind some words its interval, and what can be said of its sign."""
    if row["difference"] is None:
        return ""
    spread = f"{between}{interval(row)}" if row["low"] is not None else ""
    return f" ({before}{number(row['difference'], row['unit'], sign=True)}{spread}; {verdict_line(row)})"


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
    row = max((compared(one) for one in rows_of(data, measure)), key=size)
    pairs, count = row["scenario"], f"{data.sizes['draw'] * int(data.attrs['runs']):,} pairs"
    if row["better"] is not None:
        pairs += (
            f" does better than {row['baseline']} in {percent(row['better'])}, as well in {percent(row['even'])} and"
        )
        pairs += f" worse in {percent(row['worse'])}"
        count += f" ({war_counts(data)})" if row["cut_by_war"] else ""
    elif row["difference"] is not None:
        pairs += f" has more in {percent(row['more'])} and less in {percent(row['less'])}"
        count = f"{among(row)}, of {count}" if row["cut_by_war"] else count
    parts = [f"Under the same luck and parameters {pairs} of {count}"]
    evidence = found.asked.evidence
    if fitted := evidence.rows("quantities"):
        parts.append(f"the known figures leave {len(evidence.lost)} of {len(fitted)} fitted quantities not identified")
    if measure in PRIOR_DRIVEN:
        parts.append("assumed numbers, not data, decide how large this outcome is")
    return f"{', and '.join([', '.join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)}."
