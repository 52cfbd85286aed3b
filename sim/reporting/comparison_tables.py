"""A comparison and an attribution in words and tables; of a comparison one table for each pair."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.analysis.attribution import Attributed, Attribution, share_rows
from sim.analysis.comparison.paired import UNTIL_WAR, WORST
from sim.analysis.comparison.paired_comparison import (
    ALIKE,
    LESS,
    MORE,
    NO_PAIRS,
    NOT_LESS,
    NOT_MORE,
    OPEN,
    SAME,
    by_baseline,
    compared,
    effect_row,
    effect_rows,
    evppi_rows,
    prior_rows,
    regret_rows,
    shares_of_sign,
)
from sim.analysis.report_data import LEAST_DRAWS
from sim.analysis.requested import PRIOR
from sim.analysis.summary import PRIOR_DRIVEN
from sim.experiment.formats import short_date
from sim.model.conditions import is_condition
from sim.model.scenario import CONDITIONED, titled
from sim.reporting.table import Column, Table, numeric, written
from sim.reporting.tables import ASSUMED
from sim.reporting.text import (
    amount,
    enumerated,
    inside,
    minus,
    percent,
    points,
    sets_from,
    share_ends,
    short_percent,
)  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True)
class KeyMeasure:
    """A measure that is printed: its words, whether it is one of the key questions, and how a sentence puts it.

    `said`: less of it, more of it, the subject of a sentence, what changes. Files hold every other measure too.
    """

    words: str
    key: bool = False
    said: tuple[str, str, str, str] | None = None


_KEY: Final = {
    "attacks_lull": KeyMeasure("attacks on {target}, {strikes} to {report}"),
    "attacks_after": KeyMeasure(
        "attacks on {target} after {strikes}", key=True,
        said=("fewer", "more", "attacks are", "attacks"),
    ),
    "lull_days": KeyMeasure(
        "days from {strikes} until attacks resume, counted up to {longest}", key=True,
        said=(
            "fewer", "more", "the days until they resume, counted up to {longest}, are",
            "the days until they resume, counted up to {longest}",
        ),
    ),
    "quiet_days": KeyMeasure("days from {strikes} to the first attack after {report}, counted up to {longest}"),
    "injured": KeyMeasure("soldiers injured"),
    "deaths": KeyMeasure("soldiers killed (medians)"),
    "deaths_10": KeyMeasure("10 or more soldiers killed", key=True),
    "peak_war_risk": KeyMeasure("highest war risk as {patron} sees it"),
    "war": KeyMeasure(
        "direct war", key=True,
        said=("less likely", "more likely", "direct war is", "the probability of direct war"),
    ),
}  # fmt: skip
KEY_MEASURES: Final = tuple(_KEY)
REGRETTED: Final = tuple(name for name, one in _KEY.items() if one.key)
SAID: Final = tuple(name for name, one in _KEY.items() if one.said)
"""What is printed, the key questions, of which regret is printed too, and what the sentence on a pair speaks of."""
QUESTIONS: Final = ("war", "lull_days", "attacks_after", "deaths_10")
"""The key questions in the order in which the figure answers them."""
SIGNS: Final = {MORE: "▲", LESS: "▼", NOT_LESS: "△", NOT_MORE: "▽", ALIKE: "≈", OPEN: "◇", SAME: "=", NO_PAIRS: "–"}
"""A sign for each verdict, which always stands before its words."""

SCENARIO: Final = Column("scenario", "Scenario", format=lambda row: titled(row["scenario"]), number=False)


def short(data: xr.Dataset, measure: str) -> str:
    """A measure in a few words, with the names and dates of the case; one that is not printed by its text."""
    if measure not in _KEY:
        return str(data["text"].values[place_of(data, measure)])
    return _of_case(data, _KEY[measure].words)


def _of_case(data: xr.Dataset, words: str) -> str:
    """Words with the names and dates of the case."""
    strikes, report = (day_text(data, int(data.attrs[f"{name}_day"])) for name in ("strikes", "report"))
    names = {name: data.attrs[name] for name in ("target", "patron")}
    return words.format(**names, strikes=strikes, report=report, longest=longest(data))


def longest(data: xr.Dataset) -> int:
    """Days from the strikes to the end of the calendar, which a duration that lasts longer counts as."""
    return int(data.attrs["days"]) - int(data.attrs["strikes_day"])


def questions(data: xr.Dataset) -> tuple[str, ...]:
    """The measures that a figure answers: the conditions asked, the key questions where none are."""
    return tuple(asked_of(data)) or QUESTIONS


def until_war(data: xr.Dataset, measure: str) -> str:
    """The same of all pairs, whether war ended them or not."""
    cut = bool(data["censored_by_war"].values[place_of(data, measure)])
    return f"{short(data, measure)}{', until war' if cut else ''}"


def day_text(data: xr.Dataset, day: int) -> str:
    """A day number as a date without its year."""
    return short_date(date.fromisoformat(data.attrs["first_day"]) + timedelta(days=day))


def place_of(data: xr.Dataset, measure: str) -> int:
    """Place of a measure in a comparison."""
    return list(data["measure"].values).index(measure)


def row_of(data: xr.Dataset, comparison: int, measure: str) -> Row:
    """One effect by the name of its measure."""
    return effect_row(data, comparison, place_of(data, measure))


def amounts(key: str, title: str, *keys: str, sign: bool = False) -> Column:
    """A column of values, or of differences with their `sign`, in the unit of each row."""
    return numeric(key, title, lambda row: minus(amount(row[key], row["unit"], sign=sign)), *keys)


def interval(row: Row) -> str:
    """The interval of a difference."""
    if row["low"] is None:
        return ""
    low, high = (amount(row[name], row["unit"], sign=True) for name in ("low", "high"))
    return f"{low.removesuffix(' pts')} to {high}"


def effect_table(data: xr.Dataset, comparison: int) -> Table:
    """The key outcomes of one pair: both values, the difference with its interval, who does better how often.

    What war cuts has two lines: the pairs without war in either arm, and all pairs, counted until war.
    """
    rows = []
    for name in KEY_MEASURES:
        row = row_of(data, comparison, name)
        rows.append({**compared(row), "outcome": short(data, name)})
        if row["censored_by_war"]:
            rows.append({**row, "outcome": "  all pairs, until war", "better": None, "even": None, "worse": None})
    columns = (
        Column("outcome", "Outcome"),
        amounts("baseline_value", "Baseline", "unit"),
        amounts("scenario_value", "Scenario"),
        *difference_columns(data),
        *judged_columns(lambda value: "" if value is None else short_percent(value)),
    )
    title = f"Scenario {scenario_of(data, comparison)} against baseline {baseline_of(data, comparison)}"
    return Table(title, columns, rows, restricted_note(data))


def restricted_note(data: xr.Dataset) -> str:
    """What the mean of a duration is that the end of the calendar censors."""
    return (
        f"Means, where nothing else is said; of days the restricted mean, in which more than {longest(data)} days, the"
        " length of the calendar after the strikes, count as so many."
    )


# --- choices ------------------------------------------------------------------------------------------------

MOST_ANSWERED: Final = 2
"""Scenarios that an answer names besides the baseline."""
CLEARLY: Final = 3.0
"""Errors above which the value of knowing a group of parameters is clear."""
COUNTED: Final = {
    UNTIL_WAR: "Attacks on {target} after {strikes} until war", "deaths": "Soldiers of {target} killed until war",
}  # fmt: skip
"""What the table of choices counts besides the conditions asked, in words."""
TERMS: Final = (
    "Direct war: between {patron} and {target}; a lull: from {strikes} until attacks on {target} resume; a parameter"
    " set: one guess at all uncertain numbers."
)
"""What the table of choices speaks of, said once."""


def asked_of(data: xr.Dataset) -> list[str]:
    """The conditions that a comparison was asked, as measures."""
    names = data["measure"].values[data["kind"].values == "outcome"]
    return [str(name) for name in names if is_condition(str(name))]


def answer_line(data: xr.Dataset) -> str:
    """What is asked, answered in one sentence: numbers, intervals and the condition under which they hold."""
    parts = [_of_condition(data, one, first=not place) for place, one in enumerate(asked_of(data)[:2])]
    sets = sets_from(data.attrs["parameters"], data.sizes["draw"])
    pinned = held(str(data["pinned"].values[0]))
    return minus(f"In the Lull model, {sets}, where {pinned}, {'; '.join(parts)}.")


def held(pinned: str) -> str:
    """What is pinned, in words that need no glossary."""
    if pinned.startswith("nothing"):
        return "the whole history is simulated"
    return pinned.replace("is pinned", "is held fixed").replace(", free from then on", " and simulated from then on")


def choice_line(data: xr.Dataset) -> str:
    """Which choice has more or less of what is asked, in one sentence, the choices that differ most first.

    Attacks and deaths are named where their sign is firm, so that an open answer does not hide what is known.
    """
    asked = asked_of(data)[:2]
    rows = {name: [row_of(data, one, name) for one in range(data.sizes["comparison"])] for name in (*asked, *COUNTED)}
    order = sorted(range(data.sizes["comparison"]), key=lambda one: -max(_apart(rows[name][one]) for name in asked))
    alike: dict[str, list[str]] = {}
    for one in order[:MOST_ANSWERED]:
        words: dict[str, list[str]] = {}
        for name in (*asked, *(name for name in COUNTED if rows[name][one]["verdict"] in (MORE, LESS))):
            words.setdefault(move_words(rows[name][one]), []).append(measured(data, rows[name][one]))
        said = enumerated([how.format(enumerated(what)) for how, what in words.items()])
        alike.setdefault(said, []).append(f"“{titled(rows[asked[0]][one]['scenario'])}”")
    parts = [f"{' as well as '.join(names)} {said}" for said, names in alike.items()]
    return f"In the Lull model, compared with “{baseline_of(data)}”, {'; '.join(parts)}."


def _apart(row: Row) -> float:
    """How far a choice is from the baseline, as a share of the larger of the two values."""
    size = max(abs(row["scenario_value"]), abs(row["baseline_value"]))
    return abs(row["difference"] or 0.0) / size if size else 0.0


def measured(data: xr.Dataset, row: Row) -> str:
    """What a choice moves: the probability or the mean of a condition, the median of what is counted."""
    counted = row["measure"] in COUNTED
    words = inside(_of_case(data, COUNTED[row["measure"]]) if counted else short(data, row["measure"]))
    of = "median" if counted else "probability" if row["unit"] == "probability" else "mean number"
    return f"the {of} of {words}"


def move_words(row: Row) -> str:
    """What a choice does to an outcome, which stands for the braces, and in how many parameter sets or pairs.

    >>> row = {"verdict": NOT_MORE, "draws_less": 0.59, "draws_same": 0.385, "draws_more": 0.025}
    >>> move_words(row)
    'lowers {} in 59% of the parameter sets (unchanged in 38%, higher in 2.5%)'
    """
    less, same, more = map(percent, shares_of_sign(row))
    of = f"of the {'pairs' if row['draws_less'] is None else 'parameter sets'}"

    def rest(*parts: tuple[str, str]) -> str:
        return f" ({', '.join(f'{word} in {share}' for word, share in parts if share != '0%')})"

    return {
        MORE: f"raises {{}} (in {more} {of})",
        LESS: f"lowers {{}} (in {less} {of})",
        NOT_LESS: f"raises {{}} in {more} {of}{rest(('unchanged', same), ('lower', less))}",
        NOT_MORE: f"lowers {{}} in {less} {of}{rest(('unchanged', same), ('higher', more))}",
        ALIKE: f"makes next to no difference to {{}} (the same in {same} {of})",
        SAME: f"leaves {{}} unchanged in all {of}",
    }.get(
        row["verdict"],
        f"may raise or lower {{}} (the {of.removeprefix('of the ')} disagree:"
        f"{rest(('lower', less), ('the same', same), ('higher', more)).replace('(', '')}",
    )


def _of_condition(data: xr.Dataset, condition: str, first: bool) -> str:
    """One condition under the baseline and the scenarios that differ most from it."""
    rows = sorted(
        (row_of(data, one, condition) for one in range(data.sizes["comparison"])),
        key=lambda x: -abs(x["difference"] or 0.0),
    )
    unit = rows[0]["unit"]

    def ends(row: Row, arm: str, said: str = "") -> str:
        spread = arm_ends(data, row, arm)
        label = "90% of the sets: " if first and arm == "baseline" and spread else ""
        inside = "; ".join(part for part in (f"{label}{spread}", said) if part)
        return f" ({inside})" if inside else ""

    named_rows = [
        f"{amount(row['scenario_value'], unit)} under “{titled(row['scenario'])}”"
        f"{ends(row, 'scenario', difference_line(row))}"
        for row in rows[:MOST_ANSWERED]
    ]
    base = f"{amount(rows[0]['baseline_value'], unit)} under “{titled(rows[0]['baseline'])}”{ends(rows[0], 'baseline')}"
    return f"{measured(data, rows[0])} is {enumerated([base, *named_rows])}"


def arm_ends(data: xr.Dataset, row: Row, arm: str) -> str:
    """The interval of an arm over parameter sets; of a share never seen in the histories of a set, what it is under."""
    low, high = row[f"{arm}_low"], row[f"{arm}_high"]
    if low is None:
        return ""
    if row["unit"] == "probability":
        return share_ends(low, high, int(data.attrs["runs"]))
    places = 0 if high >= 10 else 1
    return f"{low:,.{places}f} to {high:,.{places}f}"


def difference_line(row: Row) -> str:
    """The paired difference with its interval, and the verdict on it."""
    if row["verdict"] == SAME:
        return SAME
    ends = f", {interval(row)}" if row["low"] is not None else ""
    return f"difference {amount(row['difference'], row['unit'], sign=True)}{ends}: {row['verdict']}"


def choices_table(data: xr.Dataset) -> Table:
    """The choices side by side: each condition asked, then attacks and deaths until war, with 90% of parameter sets.

    The first row is the baseline; below each number of another row stand its paired difference and how sure that is.
    """
    measures = (*asked_of(data), *COUNTED)
    several, base = data.sizes["draw"] > 1, baseline_of(data)
    rows: list[Row] = [{"scenario": str(data["baseline"].values[0])}]
    for place, name in enumerate(data["comparison"].values):
        rows.append({"scenario": str(name)})
        for measure in measures:
            one = row_of(data, place, measure)
            judged_by = [one[key] for key in ("difference", "low", "high", "verdict")] + [sign_words(one, "sets")]
            for row, arm, said in ((rows[0], "baseline", [None] * 3 + [""] * 2), (rows[-1], "scenario", judged_by)):
                values = (*(one[f"{arm}_{end}"] for end in ("value", "low", "high")), *said)
                row |= dict(zip(_keys(measure), values, strict=True))
    heads = {name: f"{_of_case(data, words)} (median)" for name, words in COUNTED.items()}
    start = simulated_from(data)
    columns = [replace(SCENARIO, format=lambda row: titled(row["scenario"]) + (start if row is rows[0] else ""))]
    for measure in measures:
        unit = str(data["unit"].values[place_of(data, measure)])
        head = heads.get(measure) or _head(short(data, measure), unit)
        key, *more = _keys(measure)
        columns.append(numeric(key, head, partial(_choice, data=data, measure=measure, unit=unit), *more))
    spread = (
        "Below a number 90% of parameter sets, then the paired difference with its 90% (medians do not subtract to it)"
        if several
        else "One parameter set, so a number has no interval; below it the paired difference with its Monte Carlo error"
    )
    judged = (
        f"▲ more, ▼ less than {base} in at least 95% of the sets; △ ▽ so or unchanged in at least 95%; ≈ unchanged in"
        " at least 90%, = in all; ◇ the sets disagree."
        if several
        else f"▲ more, ▼ less than {base}, beyond Monte Carlo error; △ ▽ in no pair the other way; = the same; ◇ open."
    )
    note = (
        f"{_of_case(data, TERMS)} Compare only within this table. {spread}. {judged} All histories count, each"
        " until direct war where that comes: fewer attacks and deaths may only mean an earlier war."
    )
    return Table("The choices side by side", tuple(columns), rows, note, "choices", stacked=True)


def simulated_from(data: xr.Dataset) -> str:
    """From when the baseline is simulated, to stand behind its name; empty where it is throughout."""
    words = str(data["pinned_short"].values[0])
    return f", {words.replace('free', 'simulated')}" if words.startswith("free") else ""


def _keys(measure: str) -> tuple[str, ...]:
    """The keys of a measure in a row of choices."""
    parts = ("low", "high", "difference", "difference low", "difference high", "verdict", "shares")
    return (measure, *(f"{measure}: {part}" for part in parts))


def _head(words: str, unit: str) -> str:
    return f"Probability of {inside(words)}" if unit == "probability" else f"{words} (mean)"


def _choice(row: Row, data: xr.Dataset, measure: str, unit: str) -> str:
    """Number, interval, paired difference with its interval, and sign, each on a line of its own."""
    value, low, high, difference, *ends, said, shares = (row[key] for key in _keys(measure))
    lines = [amount(value, unit), arm_ends(data, {"arm_low": low, "arm_high": high, "unit": unit}, "arm")]
    if said:
        spread = interval({"low": ends[0], "high": ends[1], "unit": unit})
        change_words = amount(difference, unit, sign=True) + (f" ({spread.removesuffix(' pts')})" if spread else "")
        lines += [minus(change_words) if said != SAME else "", f"{SIGNS[said]} {shares}"]
    return "\n".join(filter(None, lines))


def difference_columns(data: xr.Dataset) -> tuple[Column, Column]:
    """A difference and its interval."""
    return (
        amounts("difference", "Difference", sign=True),
        numeric("low", interval_words(data), lambda row: minus(interval(row)), "high"),
    )


def judged_columns(write: Callable[[float | None], str]) -> tuple[Column, ...]:
    """How often the scenario does better, as well, or worse."""
    heads = {"better": "Better", "even": "Same", "worse": "Worse"}
    return tuple(written(key, head, write) for key, head in heads.items())


def scenario_of(data: xr.Dataset, comparison: int) -> str:
    """The title of the scenario of a pair."""
    return titled(str(data["comparison"].values[comparison]))


def baseline_of(data: xr.Dataset, comparison: int = 0) -> str:
    """The title of the baseline."""
    return titled(str(data["baseline"].values[comparison]))


def interval_words(data: xr.Dataset) -> str:
    """What the interval holds."""
    return "90% of draws" if data.sizes["draw"] > 1 else "90% (Monte Carlo)"


def sentence(data: xr.Dataset, comparison: int) -> str:
    """One plain sentence: what can be said of each difference, with the shares of draws or pairs that say so."""
    rows = [compared(row_of(data, comparison, name)) for name in SAID]
    verdicts = (verdict_words(data, row) for row in sorted(rows, key=lambda row: row["censored_by_war"]))
    pair = f"{scenario_of(data, comparison)} instead of {baseline_of(data, comparison)}"
    return f"With {pair}, {'; '.join(verdicts)}."


def verdict_words(data: xr.Dataset, row: Row) -> str:
    """What can be said of one difference; of what war cuts, for pairs without war in either arm."""
    said = _KEY[row["measure"]].said
    assert said is not None
    fewer, more, subject, change_of = (_of_case(data, one) for one in said)
    where = (
        f"among the {short_percent(row['share'])} of pairs without war in either arm " if row["censored_by_war"] else ""
    )
    unit = "pair" if row["draws_less"] is None else "draw"
    if row["verdict"] == NO_PAIRS:
        return f"no pair is without war, so {subject} cannot be compared"
    if row["verdict"] == SAME:
        return f"{where}{subject} the same in every {unit}"
    spread = f"({interval(row)}; {sign_words(row)})" if row["low"] is not None else f"({sign_words(row)})"
    if row["verdict"] in (MORE, LESS):
        return f"{where}{clear_difference(data, row)} {spread}"
    if row["verdict"] == ALIKE:
        return f"{where}{subject} mostly the same {spread}"
    if row["verdict"] in (NOT_LESS, NOT_MORE):
        return f"{where}{subject} {more if row['verdict'] == NOT_LESS else fewer} or unchanged {spread}"
    return f"{where}the sign of the change in {change_of} is undetermined {spread}"


def verdict_line(row: Row) -> str:
    """The verdict on a difference with the shares of draws or pairs that say so."""
    if row["verdict"] in (NO_PAIRS, SAME):
        return str(row["verdict"])
    return f"{row['verdict']}: {sign_words(row)}"


def sign_words(row: Row, of: str = "draws") -> str:
    """Shares of the draws, or of the pairs of a single draw, with less, as much and more: the largest first, no zeros.

    >>> sign_words({"draws_less": 0.01, "draws_same": 0.99, "draws_more": 0.0}, "sets")
    'unchanged in 99%, less in 1.0% of sets'
    """
    named_shares = zip(shares_of_sign(row), ("less", "unchanged", "more"), strict=True)
    parts = [
        f"{word} in {short_percent(share)}" for share, word in sorted(named_shares, key=lambda one: -one[0]) if share
    ]
    return f"{', '.join(parts)} of {'pairs' if row['draws_less'] is None else of}"


def clear_difference(data: xr.Dataset, row: Row) -> str:
    """A difference of known sign in words."""
    up, size = row["difference"] > 0.0, abs(row["difference"])
    if row["measure"] == "lull_days":
        later = "later" if up else "sooner"
        return (
            f"attacks resume {amount(size, 'days')} days {later} on average, if days are counted up to {longest(data)}"
        )
    if row["measure"] == "war":
        return f"direct war is {points(size, 'probability')} {'more' if up else 'less'} likely"
    return f"there are {amount(size, 'attacks')} {'more' if up else 'fewer'} {short(data, row['measure'])}"


def caveats(data: xr.Dataset, measures: Sequence[str]) -> list[str]:
    """What changes the reading of some measures of a comparison: its parameters, what assumptions decide, war, pins."""
    draws, source, rows = data.sizes["draw"], data.attrs["parameters"], [row_of(data, 0, one) for one in measures]
    found = []
    if draws == 1:
        found.append("One parameter set among many: intervals hold Monte Carlo error alone.")
    elif draws < LEAST_DRAWS:
        found.append(f"With {draws} parameter sets the ends of the intervals are crude.")
    if source == PRIOR:
        found.append("Parameters are drawn from their priors: no observation informs any of these numbers.")
    elif any(prior_driven(one) for one in measures):
        found.append(f"{ASSUMED} No observation informs this outcome: assumed numbers decide it.")
    if any(row["censored_by_war"] for row in rows):
        shares = data["no_war_share"].values[:, place_of(data, "attacks_after")]
        kept = ", ".join(f"{scenario_of(data, pair)} {short_percent(one)}" for pair, one in enumerate(shares.tolist()))
        found.append(
            "Direct war ends a history, and what would have followed is not counted. Probabilities are those of all"
            " histories, until war; days, counts, and differences in what war cuts, those of pairs without war in"
            f" either ({kept})."
        )
    winters = "" if source == CONDITIONED else ": these are other winters than the observed one"
    return [*found, f"In all scenarios {data['pinned'].values[0]}{winters}."]


def prior_driven(measure: str) -> bool:
    """Whether assumptions alone decide a measure, or the outcome of which a condition asks."""
    name = measure.partition(" ")[0]
    return bool({name, f"{name}_day"} & PRIOR_DRIVEN)


def pinned_line(data: xr.Dataset, comparison: int) -> str:
    """What is pinned, and whether the arms are the same up to the departure."""
    same = float(data["identical_before_departure"].values[comparison])
    line = f"In both, {data['pinned'].values[comparison]}."
    if not same < 1.0:
        return line
    return (
        f"{line} Before the departure {percent(same)} of the pairs have the same attacks day by day; in the others the"
        " change of the scenario acts earlier."
    )


def pairing_line(data: xr.Dataset, comparison: int) -> str:
    """How far common random numbers reduce the variance of attacks after the strikes, at fixed parameters."""
    row = row_of(data, comparison, "attacks_after")
    removed, bound, rank_bound = (row[f"variance_reduction{of}"] for of in ("", "_bound", "_rank_bound"))
    if removed is None:
        return "Pairing: neither arm varies."
    part = f", {removed / bound:.0%} of that" if bound else ""
    return (
        f"Common random numbers remove {removed:.0%} of the variance of {until_war(data, 'attacks_after')} (parameters"
        f" fixed). Upper bound if both arms moved as one: {bound:.0%}{part}; upper bound for any pairing of these two"
        f" distributions: {rank_bound:.0%}."
    )


def uncertainty_line(data: xr.Dataset, comparison: int) -> str:
    """The two levels of uncertainty: between runs, and between draws of the parameters."""
    row = row_of(data, comparison, "attacks_after")
    unit = row["unit"]
    low, high = (amount(row[f"history_{end}"], unit, sign=True) for end in ("low", "high"))
    between = row["sd_between_draws"]
    draws = "" if between is None else f"; of its mean, {amount(between, unit)} between draws"
    return (
        f"Two levels of uncertainty, for {until_war(data, 'attacks_after')}: standard deviation of the difference"
        f" {amount(row['sd_within_draw'], unit)} between runs of one draw of the parameters{draws}."
        f" 90% of single pairs: {low} to {high}."
    )


def place_tables(data: xr.Dataset, kind: str) -> list[Table]:
    """Attacks after the strikes by theatre or by group, a table for each baseline."""
    return [place_table(one, kind) for one in by_baseline(data)]


def arm_words(row: Row, arm: str, side: str = "", error: float | None = None) -> str:
    """One arm's value, `baseline` or `scenario`, here or under the priors (`prior_`), with its Monte Carlo error.

    Of a probability its interval over the draws comes first.
    """
    value = amount(row[f"{side}{arm}_value"], row["unit"])
    value += "" if error is None else f" ± {percent(error)} Monte Carlo error"
    low, high = (row[f"{side}{arm}_{end}"] for end in ("low", "high"))
    if row["unit"] != "probability" or low is None:
        return value
    return f"{percent(low)} to {percent(high)} (mean {value})"


def war_words(data: xr.Dataset, comparison: int) -> str:
    """Direct war under both arms: first its interval over parameter sets, here and under the priors."""
    row, place = row_of(data, comparison, "war"), place_of(data, "war")
    arms = {arm: titled(row[arm]) for arm in ("baseline", "scenario")}
    draws, runs = data.sizes["draw"], int(data.attrs["runs"])

    def error(arm: str) -> float:
        values = data[f"{arm}_value_of_draw"].values[comparison, place]
        return float(np.sqrt(values.var(ddof=1) / draws if draws > 1 else values[0] * (1.0 - values[0]) / runs))

    here = "; ".join(f"{label} {arm_words(row, arm, error=error(arm))}" for arm, label in arms.items())
    sets = f"90% of {draws} parameter sets" if draws > 1 else "at one parameter set among many"
    words = f"Direct war, {sets}: {here}."
    for one in prior_rows(data):
        if (one["measure"], one["scenario"]) == ("war", row["scenario"]):
            prior = "; ".join(f"{label} {arm_words(one, arm, 'prior_')}" for arm, label in arms.items())
            words += f" 90% of parameter sets drawn from the priors: {prior}."
    return words


def place_table(data: xr.Dataset, kind: str) -> Table:
    """Attacks after the strikes by theatre or by group against one baseline: a line for each scenario."""
    rows = [
        {**compared(row), "until_war": row["difference"]} for row in effect_rows(data, kind) if row["window"] == "after"
    ]
    order = list(dict.fromkeys(row["place"] for row in rows))
    rows.sort(key=lambda row: order.index(row["place"]))
    columns = (
        Column("place", kind.capitalize()),
        SCENARIO,
        *difference_columns(data),
        amounts("baseline_value", baseline_of(data)),
        amounts("until_war", "All, until war", sign=True),
    )
    strikes = day_text(data, int(data.attrs["strikes_day"]))
    title = f"Attacks after {strikes} by {kind}, against {baseline_of(data)}"
    note = "Of pairs without war in either arm; the last column is the difference of all pairs, counted until war."
    return Table(title, columns, rows, note, f"by_{kind}", grouped=True)


def prior_tables(data: xr.Dataset) -> list[Table]:
    """Prior-dominated outcomes, a table for each baseline; none where all is simulated at draws of priors."""
    return [prior_table(one) for one in by_baseline(data)] if prior_rows(data) else []


def prior_table(data: xr.Dataset) -> Table:
    """Prior-dominated outcomes: baseline, scenario and difference under the priors alone, and the same here."""
    rows = [{**row, "outcome": until_war(data, row["measure"]) + ASSUMED} for row in prior_rows(data)]
    columns = (
        Column("outcome", "Outcome"),
        SCENARIO,
        numeric(
            "prior_difference", "Under the priors alone", lambda row: change(row, "prior_"),
            "prior_baseline_value", "prior_scenario_value",
        ),
        numeric("difference", "Here", change, "baseline_value", "scenario_value", "unit"),
    )  # fmt: skip
    title = f"Prior-dominated outcomes ({ASSUMED}): prior and current parameters, against {baseline_of(data)}"
    note = "Difference of means, and in brackets from the baseline's to the scenario's."
    return Table(title, columns, rows, note, "prior_predictive", grouped=True)


def change(row: Row, side: str = "") -> str:
    """A difference and the values that it is between; `side` is `prior_` for the priors alone."""
    difference, before, after = (row[f"{side}{name}"] for name in ("difference", "baseline_value", "scenario_value"))
    unit = row["unit"]
    return minus(f"{amount(difference, unit, sign=True)} ({amount(before, unit)} to {amount(after, unit)})")


def regret_table(data: xr.Dataset) -> Table:
    """Regret of every scenario: expected, worst, and in how many draws it is the best choice."""
    every = regret_rows(data)
    rows = [{**row, "outcome": short(data, name)} for name in REGRETTED for row in every if row["measure"] == name]
    columns = (
        Column("outcome", "Outcome"),
        SCENARIO,
        numeric("expected", "Expected", lambda row: points(row["expected"], row["unit"]), "unit"),
        numeric("worst", "Worst draw", lambda row: points(row["worst"], row["unit"])),
        written("best", "Best in", percent),
        numeric("error", "± MC error", lambda row: points(row["error"], row["unit"])),
    )
    return Table(regret_title(data), columns, rows, grouped=True)


def regret_title(data: xr.Dataset) -> str:
    """What regret is, and what war counts as in it."""
    return f"Regret: how much worse than the best scenario of the same draw; {war_counts(data)}"


def evppi_tables(data: xr.Dataset) -> list[Table]:
    """What is worth knowing before choosing, of the outcomes whose regret is shown; none with few draws.

    A group is listed where its value is above twice its error.
    """
    every, rows = evppi_rows(data), []
    for name in (*asked_of(data), *REGRETTED):
        words = short(data, name)
        mine = [{**row, "outcome": words} for row in every if row["measure"] == name]
        worth = worth_knowing(mine)
        nothing = [{**row, "known_text": "No group alone: none above twice its error", "evppi": None} for row in mine]
        rows += worth or nothing[:1]
    columns = (
        Column("outcome", "Outcome"),
        Column("known_text", "If one knew before choosing"),
        numeric("evppi", "Better by", lambda row: saved(row, "evppi"), "unit"),
        numeric("evppi_error", "± error", lambda row: saved(row, "evppi_error")),
        numeric("regret", "All known", lambda row: points(row["regret"], row["unit"])),
    )
    title = "What is worth knowing (EVPPI): how much better the choice would be on average if one knew it"
    note = (
        "Each group of parameters alone, by the choice that a regression on all other draws makes in each draw; ± over"
        " draws. All known: the least expected regret, which Monte Carlo error within draws makes too large."
    )
    return [Table(title, columns, rows, note, "evppi", grouped=True)] if rows else []


def worth_knowing(rows: Sequence[Row], errors: float = 2.0) -> list[Row]:
    """Groups of parameters whose EVPPI is above so many times its error."""
    return [row for row in rows if row["evppi"] > errors * row["evppi_error"]]


def evppi_line(data: xr.Dataset) -> str:
    """What is worth knowing before choosing, of the conditions asked, in one sentence; empty with few draws."""
    rows, asked = evppi_rows(data), asked_of(data)
    parts = [
        f"by {inside(short(data, name))}, {enumerated([_worth(row) for row in worth])}"
        for name in asked
        if (worth := worth_knowing([row for row in rows if row["measure"] == name]))
    ]
    if not rows:
        return ""
    if not parts:
        words = enumerated([inside(short(data, name)) for name in asked])
        return (
            f"To know a single group of parameters before choosing is worth nothing that shows: for {words}, no group"
            " makes the choice better by more than twice its error."
        )
    return (
        f"If one knew a group of parameters before choosing, the choice would be better on average: {'; '.join(parts)}."
    )


def _worth(row: Row) -> str:
    """A group of parameters with its value."""
    return f"“{row['known_text']}” by {saved(row, 'evppi')} (± {saved(row, 'evppi_error')})"


def knowing_line(data: xr.Dataset) -> str:
    """The group of parameters that clearly matters for a condition asked, in one sentence; empty where none does.

    Its value is beyond chance in some forty such numbers, and at least a tenth of what knowing all is worth.
    """
    rows = [row for row in evppi_rows(data) if row["measure"] in asked_of(data)]
    clear = [row for row in worth_knowing(rows, CLEARLY) if row["evppi"] >= row["regret"] / 10]
    if not clear:
        return ""
    most = max(clear, key=lambda row: row["evppi"] / row["evppi_error"])
    return (
        f"Knowing “{most['known_text']}” (a group of parameters) would change the choice: made by"
        f" {inside(short(data, most['measure']))}, it would be better by {saved(most, 'evppi')} on average"
        f" (± {saved(most, 'evppi_error')}; with every parameter known, by {points(most['regret'], most['unit'])} at"
        " most)."
    )


def saved(row: Row, name: str) -> str:
    """A value of knowing, or its error; a dash where no group has one."""
    return "–" if row["evppi"] is None else points(row[name], row["unit"])


def war_counts(data: xr.Dataset) -> str:
    """What a history with war counts as wherever one scenario is better than another."""
    loss = data.attrs["war_loss"]
    return f"a history with war {'is worst' if loss == WORST else f'counts as {loss}, else as worst'}"


def war_line(data: xr.Dataset) -> str:
    """How many histories direct war ended, and how what it cuts is counted."""
    place = place_of(data, "war")
    worst = float(np.nanmax([data["baseline_value"].values[:, place], data["scenario_value"].values[:, place]]))
    every = data.sizes["draw"] * int(data.attrs["runs"])
    shares = data["no_war_share"].values[:, place_of(data, "attacks_after")]
    kept = " ".join(
        f"{scenario_of(data, pair)}: {round(share * every):,} of {every:,} pairs ({short_percent(float(share))}) are"
        " without war."
        for pair, share in enumerate(shares)
    )
    return (
        f"Direct war ends a history (in up to {percent(worst)} of them here), and what would have followed is not"
        " counted: less of it until war may only mean an earlier war. So counts and durations are compared among pairs"
        f" without war in either arm. {kept} Better, worse and regret hold for all pairs: there {war_counts(data)}."
    )


# --- attribution --------------------------------------------------------------------------------------------

MEASUREMENT: Final = "observation"
"""The mechanism that decides what is counted, and is no cause of what happens."""
MECHANISM_WORDS: Final = {
    "rival_war_gate": "attacks depend on the rival's war",
    "fear": "strikes frighten the militias",
    "grievance": "strikes embitter the militias",
    "capacity": "capacity wears out",
    "patron_restraint": "the patron orders restraint",
    "pause": "groups decide to pause",
    "bursts": "attacks cluster",
    "obedience": "militias heed restraint orders",
    "threat_fear": "threats frighten the patron and the militias",
    "autonomy": "militias have a will of their own",
    "mediation": "mediators press the militias",
    "limited_response": "the target's limited strikes",
    "major_response": "the target's major strikes",
    "target_restraint": "the target spares leaders in the calm",
    "observation": "some attacks go unacknowledged",
}
"""Titles of the mechanisms."""


def mechanism_words(name: str) -> str:
    """The title of a mechanism; of one of an extension its name.

    >>> mechanism_words("fear"), mechanism_words("war_weariness")
    ('strikes frighten the militias', 'war weariness')
    """
    return MECHANISM_WORDS.get(name, name.replace("_", " "))


def attribution_table(found: Attribution) -> Table:
    """Shapley values of the mechanisms with their intervals over draws, the largest first; first in, last in."""
    digits = digits_of(found.total.mean)

    def cell(name: str, title: str) -> Column:
        return numeric(
            name, title, lambda row: minus(with_error(row[name], row[f"{name}_error"], digits)), f"{name}_error"
        )

    def spread(row: dict[str, Any]) -> str:
        low, high = row["shapley_low"], row["shapley_high"]
        if low is None or high is None:
            return "–"
        return minus("0" if low == 0.0 == high else f"{low:+.{digits}f} to {high:+.{digits}f}")

    columns = (
        Column("words", "Mechanism", keys=("words", "mechanism")),
        cell("shapley", "Shapley value"),
        numeric("shapley_low", "90% of draws", spread, "shapley_high"),
        cell("first_in", "First in"),
        cell("last_in", "Last in"),
    )
    measured = found.game.measured
    rows = [{**row, "words": mechanism_words(row["mechanism"])} for row in share_rows(found)]
    unit = "" if measured.unit in ("probability", "1") else f" in {measured.unit}"
    title = f"Shapley values of the mechanisms: {measured.words}{unit}"
    return Table(title, columns, rows, "± is the Monte Carlo standard error.", "attribution")


def digits_of(size: float) -> int:
    """Decimals that give three significant digits of a number of this size."""
    return 3 if size == 0.0 else max(0, 2 - math.floor(math.log10(abs(size))))


def with_error(mean: float, error: float, digits: int) -> str:
    """A share with its Monte Carlo error; one that is exactly zero has none."""
    return "0" if mean == 0.0 == error else f"{mean:+.{digits}f} ± {error:.{digits}f}"


def total_line(found: Attribution) -> str:
    """The outcome with no mechanism and with all of them."""
    unit, digits = found.game.measured.unit, digits_of(found.total.mean)
    none, every = (f"{one.mean:.{digits}f}" for one in (found.none, found.every))
    return (
        f"Together: from {none} with no mechanism at work to {every} {unit} with all of them,"
        f" {with_error(found.total.mean, found.total.error, digits)}. The Shapley values add up to it."
    )


def before_line(found: Attribution) -> str:
    """The outcome under the priors alone; empty where it is not prior-dominated."""
    if found.before is None:
        return ""
    unit, digits = found.game.measured.unit, digits_of(found.total.mean)
    return (
        "This outcome is prior-dominated, whatever the observations: with all mechanisms it is"
        f" {found.before:.{digits}f} {unit} under the priors alone, {found.every.mean:.{digits}f} here."
    )


def largest_line(found: Attribution, source: str) -> str:
    """What matters most, in one sentence: the largest Shapley value with its interval, and what all bring together.

    `source` is where the parameters come from.
    """
    first, game, digits = found.ranked()[0], found.game, digits_of(found.total.mean)
    share, unit = first.shapley, game.measured.unit
    spread = f"± {share.error:.{digits}f}"
    if share.low is not None and share.high is not None:
        spread = f"90% of them {share.low:+.{digits}f} to {share.high:+.{digits}f}"
    several = f"{len(found.shares)} mechanism{'s' * (len(found.shares) > 1)}"
    return minus(
        f"In the Lull model, {sets_from(source, game.draws)}, “{mechanism_words(first.mechanism)}” matters most of"
        f" {several} for “{game.measured.words}”: Shapley value {share.mean:+.{digits}f} ({spread})"
        f" of the {found.total.mean:+.{digits}f} ({unit}) that all bring together."
    )


def reading(found: Attribution) -> str:
    """The two largest Shapley values in words."""
    first, *others = found.ranked()
    parts = [f"Largest: {mechanism_words(first.mechanism)} ({_role(first)})"]
    if others:
        parts.append(f"then {mechanism_words(others[0].mechanism)} ({_role(others[0])})")
    return "; ".join(parts) + "."


def _role(one: Attributed) -> str:
    """Whether a mechanism has its effect by itself, with others, or in place of others."""
    by_itself = abs(one.first_in.mean) > 2 * one.first_in.error
    missed = abs(one.last_in.mean) > 2 * one.last_in.error
    if by_itself and missed:
        return "has an effect first in and last in"
    if by_itself:
        return "has an effect first in; last in, others stand in for it"
    return "has an effect only together with others" if missed else "has an effect in some combinations only"
