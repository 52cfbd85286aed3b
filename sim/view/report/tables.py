"""Every table of the report, from what was found."""

from collections import Counter
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from sim.study.attribution.explaining import share_rows
from sim.study.calibration.told import excluded_words
from sim.study.calibration.verdicts import NOT
from sim.study.comparison.rows import beside_rows, compared, effect_rows, regret_rows, verdict
from sim.study.report.found import Found, Number
from sim.study.summary import PRIOR_DRIVEN, pattern_told
from sim.view.attribution import MECHANISM_WORDS, digits_of, spread, with_error
from sim.view.comparison import (
    KEY_MEASURES,
    REGRETTED,
    beside,
    interval,
    interval_words,
    number,
    points,
    regret_title,
    until_war,
    verdict_line,
    war_counts,
)
from sim.view.report.answer import minus, rows_of, value, what
from sim.view.report.tabled import Column, Row, Table, numeric, text
from sim.view.tables import ASSUMED, percent

CLASSES: Final = {
    "measured": "a published count or date",
    "expert": "a judgement reported by a named kind of source",
    "assumed": "ours",
    "calibrated": "chosen so that the documented figures come out",
}
"""Provenance classes, from the firmest to the softest but one."""
HANGING: Final = 12
"""Lines of the table of what an answer hangs on; the rest is noise."""


def every_table(found: Found) -> dict[str, Table]:
    """All tables that there is something for, by id, in the order of the report."""
    made = (
        scenarios(found), effects(found), beside_prior(found), placed(found, "theatre"), placed(found, "group"),
        regret(found), shares(found), chosen(found), hanging(found), identified(found), unidentified(found),
        readings(found), stories(found), balance(found), patterns(found), classes(found), numbers(found),
    )  # fmt: skip
    return {one.id: one for one in made if one.rows}


def scenarios(found: Found) -> Table:
    """The scenarios and their questions."""
    data = found.comparison
    pinned = dict(zip(data["comparison"].values, data["pinned"].values, strict=True))
    rows = [
        {"scenario": str(name), "question": str(asks), "pinned": str(pinned.get(name, "the baseline"))}
        for name, asks in zip(data["scenario"].values, data["question"].values, strict=True)
    ]
    columns = (text("Scenario", "scenario"), text("Question", "question"), text("Documented history", "pinned"))
    return Table("scenarios", "The scenarios that are compared", columns, rows)


def effects(found: Found) -> Table:
    """The outcome that is asked for, then the key outcomes, pair by pair; twice what war cuts."""
    data, asked = found.comparison, found.asked.settings.outcome
    rows = [
        line
        for name in dict.fromkeys((asked, *KEY_MEASURES))
        for row in rows_of(data, name)
        for line in _lines({**row, "outcome": _told_of(found, name)})
    ]
    columns = (
        text("Outcome", "outcome"),
        text("Scenario", "scenario"),
        Column("Pairs", ("pairs", "share"), _pairs),
        numeric("Difference", "difference", lambda row: minus(number(row["difference"], row["unit"], sign=True))),
        numeric(interval_words(data), "low high", lambda row: minus(interval(row))),
        Column("Sign", ("verdict", "draws_less", "draws_same", "draws_more"), verdict_line),
        numeric(data.attrs["baseline"], "value_a low_a high_a unit", lambda row: value(data, row, "value_a")),
        numeric("Scenario's", "value_b low_b high_b", lambda row: value(data, row, "value_b")),
        numeric("Better", "better", lambda row: _share(row["better"])),
        numeric("Same", "even", lambda row: _share(row["even"])),
        numeric("Worse", "worse", lambda row: _share(row["worse"])),
    )
    note = (
        "Difference: scenario minus baseline under the same luck and parameters; all scenarios are pinned to documented"
        " history up to the day on which the earliest departs. Direct war ends a history, so counts and durations are"
        " compared among pairs without war in either arm; all pairs, counted until war, stand below that, and less of"
        " them may only mean an earlier war. Sign: shares of draws, or of the pairs of a single draw. Better, same,"
        f" worse: shares of all pairs; {war_counts(data)}. Of a probability the 90% interval over parameter sets, and"
        f" the mean. {ASSUMED} assumed numbers decide; no data correct them."
    )
    return Table(
        "comparison", f"Outcomes of every scenario against {data.attrs['baseline']}", columns, rows, note, grouped=True
    )


ALL_PAIRS: Final = "all"
UNTIL_WAR: Final = "all, until war"
WITHOUT_WAR: Final = "without war"


def _lines(row: Row) -> list[Row]:
    """One row; of what war cuts those without war, and all until war, which say nothing of better and worse."""
    if not row["cut_by_war"]:
        return [{**row, "pairs": ALL_PAIRS, "share": 1.0}]
    none = dict.fromkeys(("better", "even", "worse"))
    until = {**row, "pairs": UNTIL_WAR, "share": 1.0, "verdict": verdict(row), **none}
    return [{**compared(row), "pairs": WITHOUT_WAR}, until]


def _pairs(row: Row) -> str:
    return f"{row['pairs']} ({percent(row['share'])})" if row["pairs"] == WITHOUT_WAR else str(row["pairs"])


def _told_of(found: Found, name: str) -> str:
    """An outcome, marked where it needs a mark: prior-driven, or told by its median."""
    data = found.comparison
    heavy = bool(data["heavy_tailed"].values[list(data["measure"].values).index(name)])
    return what(data, name) + (" (medians)" if heavy else "") + (ASSUMED if name in PRIOR_DRIVEN else "")


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)


def beside_prior(found: Found) -> Table:
    """What assumptions decide, under the priors alone and here."""
    data = found.comparison
    rows = [{**row, "outcome": until_war(data, row["measure"]) + ASSUMED} for row in beside_rows(data)]
    columns = (
        text("Outcome", "outcome"),
        text("Scenario", "scenario"),
        numeric(
            "Under the priors alone", "prior_difference prior_value_a prior_value_b",
            lambda row: minus(beside(row, "prior_")),
        ),
        numeric("Here", "difference value_a value_b unit", lambda row: minus(beside(row, ""))),
    )  # fmt: skip
    note = "Difference of means, and in brackets from the baseline's to the scenario's."
    return Table("beside_prior", "What assumptions decide, beside its prior", columns, rows, note, grouped=True)


def placed(found: Found, kind: str) -> Table:
    """Attacks after the strikes by theatre or by group."""
    data = found.comparison
    rows = [
        {**compared(row), "until_war": row["difference"]} for row in effect_rows(data, kind) if row["window"] == "after"
    ]
    columns = (
        text(kind.capitalize(), "place"),
        text("Scenario", "scenario"),
        numeric("Difference", "difference", lambda row: minus(number(row["difference"], row["unit"], sign=True))),
        numeric(interval_words(data), "low high", lambda row: minus(interval(row))),
        numeric(data.attrs["baseline"], "value_a", lambda row: number(row["value_a"], row["unit"])),
        numeric("All, until war", "until_war", lambda row: minus(number(row["until_war"], row["unit"], sign=True))),
    )
    note = "Of pairs without war in either arm; the last column is the difference of all pairs, counted until war."
    order = list(dict.fromkeys(row["place"] for row in rows))
    rows.sort(key=lambda row: order.index(row["place"]))
    caption = f"Attacks after the day of the strikes, by {kind}"
    return Table(f"by_{kind}", caption, columns, rows, note, grouped=True)


def regret(found: Found) -> Table:
    """What each scenario may be regretted for."""
    data = found.comparison
    every = regret_rows(data)
    rows = [{**row, "outcome": what(data, name)} for name in REGRETTED for row in every if row["measure"] == name]
    columns = (
        text("Outcome", "outcome"),
        text("Scenario", "scenario"),
        numeric("Expected", "expected unit", lambda row: points(row["expected"], row["unit"])),
        numeric("Worst draw", "worst", lambda row: points(row["worst"], row["unit"])),
        numeric("Best in", "best", lambda row: percent(row["best"])),
        numeric("± luck", "error", lambda row: points(row["error"], row["unit"])),
    )
    note = f"For regret all scenarios are alike: {data.attrs['pinned_together']}."
    return Table("regret", regret_title(data), columns, rows, note, grouped=True)


def shares(found: Found) -> Table:
    """What each mechanism brings."""
    made = found.attribution
    digits, unit = digits_of(made.total.mean), made.game.measured.unit
    by_name = {one.mechanism: one for one in made.shares}
    rows = [{**row, "words": MECHANISM_WORDS[row["mechanism"]]} for row in share_rows(made)]

    def told(name: str) -> Column:
        heads = {"shapley": "Fair share", "alone": "Alone", "but_for": "But for it"}
        return numeric(
            heads[name], f"{name} {name}_error",
            lambda row: minus(with_error(getattr(by_name[row["mechanism"]], name), digits)),
        )  # fmt: skip

    columns = (
        Column("Mechanism", ("words", "mechanism"), lambda row: row["words"]),
        told("shapley"),
        numeric(
            "Nine in ten draws", "shapley_low shapley_high",
            lambda row: minus(spread(by_name[row["mechanism"]].shapley, digits)),
        ),
        told("alone"),
        told("but_for"),
    )  # fmt: skip
    caption = f"Shares of the mechanisms in {made.game.measured.words}, in {unit}"
    return Table("attribution", caption, columns, rows, "± is the Monte Carlo standard error.")


def chosen(found: Found) -> Table:
    """Levers."""
    rows = [
        {**asdict(one), "text": MECHANISM_WORDS.get(one.key.removeprefix("mechanisms."), one.text)}
        for one in found.levers
    ]
    columns = (
        text("Scenario", "scenario"),
        text("Lever", "key"),
        text("Kind", "kind"),
        text("Baseline", "baseline"),
        text("Here", "here"),
        text("Meaning", "text"),
    )
    return Table("levers", "Levers: what each scenario has otherwise than the baseline", columns, rows)


def hanging(found: Found) -> Table:
    """Uncertainties that the difference goes with."""
    rows = [{**asdict(one), "counts": one.counts} for one in found.hanging if one.counts][:HANGING]
    columns = (
        text("Parameter", "text"),
        text("Key", "key"),
        text("Scenario", "scenario"),
        numeric("Rank correlation", "rank limit", lambda row: minus(f"{row['rank']:+.2f}")),
    )
    limit = f"{min(one.limit for one in found.hanging):.2f}" if found.hanging else ""
    note = f"Only what is beyond ±{limit}, which noise alone reaches once in twenty such tables."
    return Table("uncertainties", "Uncertainties: drawn parameters that the difference goes with", columns, rows, note)


def _quantity_columns() -> tuple[Column, ...]:
    return (
        text("Quantity", "quantity"),
        numeric("Prior 90%", "prior_q05 prior_q95", lambda row: _range(row, "prior")),
        numeric("Posterior 90%", "posterior_q05 posterior_q95", lambda row: _range(row, "posterior")),
        numeric("Contraction", "contraction", lambda row: f"{max(0.0, row['contraction']):.0%}"),
        text("Unit", "unit"),
        text("Meaning", "text"),
    )


def _range(row: Row, name: str) -> str:
    return minus(f"{few(row[f'{name}_q05'])} to {few(row[f'{name}_q95'])}")


def few(value: float) -> str:
    """A number in two digits, never as a power of ten.

    >>> few(0.000063), few(268.0), few(-0.164), few(12.0), few(5.0)
    ('0.000063', '270', '-0.16', '12', '5')
    """
    return np.format_float_positional(value, precision=2, fractional=False, trim="-")


def identified(found: Found) -> Table:
    """What the figures say something of."""
    rows = [one for one in found.asked.evidence.rows("quantities") if one["verdict"] != NOT]
    quantity, *others = _quantity_columns()
    note = (
        "Contraction: share of the prior's variance that the figures remove. Weakly: the figures say something, but not"
        " enough to tell the value, or only together with another parameter."
    )
    columns = (quantity, text("Verdict", "verdict"), *others)
    return Table("identified", "Quantities that the figures say something of", columns, rows, note)


def unidentified(found: Found) -> Table:
    """What the figures leave as it was: intervals, no value."""
    rows = [one for one in found.asked.evidence.rows("quantities") if one["verdict"] == NOT]
    note = "No value is given: the figures cannot tell these from their priors."
    return Table("not_identified", "Quantities that are not identified", _quantity_columns(), rows, note)


def readings(found: Found) -> Table:
    """Rival readings: prior and posterior side by side."""
    evidence = found.asked.evidence
    wide = {one["reading"]: one["posterior_probability"] for one in evidence.rows("readings_wide_priors")}
    rows = [
        {
            **one,
            "prior_odds": _odds(one["prior_probability"]),
            "posterior_odds": _odds(one["posterior_probability"]),
            "with_wide_priors": wide.get(one["reading"]),
        }
        for one in evidence.rows("readings")
    ]
    columns = (
        text("The calm because", "text"),
        numeric("Prior probability", "prior_probability", lambda row: f"{row['prior_probability']:.1%}"),
        numeric("Posterior probability", "posterior_probability probability_low probability_high", _posterior),
        numeric("Prior odds", "prior_odds", lambda row: odds(row["prior_odds"])),
        numeric("Posterior odds", "posterior_odds", lambda row: odds(row["posterior_odds"])),
        numeric("Bayes factor", "bayes_factor bayes_factor_error bayes_factor_low bayes_factor_high", _factor),
        numeric("Posterior, wide priors", "with_wide_priors", lambda row: _some(row["with_wide_priors"])),
    )
    note = (
        "± one Monte Carlo error, in brackets 95%, for the finite number of histories. Odds: a reading against all"
        " others. Bayes factor: against all causes together. The last column takes some priors as wide as their"
        " declared ranges: where it differs, priors decide. A reading that no history fits is not thereby impossible."
        f" {excluded_words(evidence.rows('observations_by_reading'))}"
    )
    return Table("rival_readings", "Rival readings of the calm, before and after the figures", columns, rows, note)


def _posterior(row: Row) -> str:
    if not row["posterior_probability"]:
        return "no history fits"
    low, high = (f"{row[f'probability_{end}']:.1%}" for end in ("low", "high"))
    return f"{row['posterior_probability']:.1%} ({low} to {high})"


def _factor(row: Row) -> str:
    if not row["bayes_factor"]:
        return "–"
    spread = f"({row['bayes_factor_low']:.2f} to {row['bayes_factor_high']:.2f})"
    return f"{row['bayes_factor']:.2f} ± {row['bayes_factor_error']:.2f} {spread}"


def _some(share: float | None) -> str:
    return "–" if share is None else "no history fits" if not share else f"{share:.1%}"


def stories(found: Found) -> Table:
    """Which causes are enough, or needed, draw by draw."""
    evidence = found.asked.evidence
    rows = evidence.rows("stories") + [
        {"text": f"no calm without: {one['text']}", "before": one["fails_before"], "after": one["fails_after"]}
        for one in evidence.rows("needed")
    ]
    columns = (
        text("Of the draws that have the calm", "text"),
        numeric("Before the figures", "before", lambda row: percent(row["before"])),
        numeric("After", "after", lambda row: percent(row["after"])),
    )
    note = "The same luck is lived again with some causes taken away."
    return Table("enough", "Which causes are enough for the calm, and which it needs", columns, rows, note)


def _odds(share: float) -> float | None:
    return share / (1.0 - share) if 0.0 < share < 1.0 else None


def odds(value: float | None) -> str:
    """Odds as they are spoken.

    >>> odds(0.5), odds(3.0), odds(None)
    ('1 : 2', '3 : 1', '–')
    """
    if value is None:
        return "–"
    return f"1 : {1 / value:.3g}" if value < 1.0 else f"{value:.3g} : 1"


def balance(found: Found) -> Table:
    """How likely the calm is under each reading before any data."""
    rows = [{**asdict(one), "error": max(one.error(one.none), one.error(one.few))} for one in found.balance]
    columns = (
        text("Reading", "reading"),
        numeric("None (P2)", "none", lambda row: f"{row['none']:.1%}"),
        numeric("Few (P3)", "few", lambda row: f"{row['few']:.1%}"),
        numeric("Both", "both", lambda row: f"{row['both']:.1%}"),
        numeric("± at most", "error draws", lambda row: f"{row['error']:.1%}"),
    )
    note = "Under orders only the target never strikes; under strikes only the patron never reins in."
    return Table("prior_balance", "The calm before any data: how likely the priors alone make it", columns, rows, note)


def patterns(found: Found) -> Table:
    """The baseline against its source."""
    rows = [pattern_told(one) for one in found.verdicts]
    columns = (
        text("Pattern", "id"),
        text("What", "text"),
        text("Kind", "kind"),
        text("Article", "article"),
        Column("Model", ("model",), lambda row: minus(row["model"])),
        text("Tolerance", "tolerance"),
        Column("Verdict", ("pass",), lambda row: {True: "holds", False: "fails", None: "not judged"}[row["pass"]]),
    )
    note = f"{found.baseline.sizes['run']:,} histories of the baseline, documented history pinned."
    return Table("patterns", "What the source says, and what the model gives", columns, rows, note)


def classes(found: Found) -> Table:
    """Provenance classes, counted."""
    counts = Counter(one.row.provenance for one in found.numbers)
    drawn = Counter(one.row.provenance for one in found.numbers if one.value is None)
    rows = [
        {"class": name, "meaning": meaning, "numbers": counts[name], "uncertain": drawn[name]}
        for name, meaning in CLASSES.items()
    ]
    columns = (
        text("Class", "class"),
        text("Meaning", "meaning"),
        numeric("Numbers", "numbers", lambda row: str(row["numbers"])),
        numeric("Of these with a prior", "uncertain", lambda row: str(row["uncertain"])),
    )
    return Table("provenance", "Where the numbers come from, by class", columns, rows)


def numbers(found: Found) -> Table:
    """Every number."""
    rows = [_number(one) for one in found.numbers]
    columns = (
        text("Key", "key"),
        numeric("Value or prior 90%", "value prior_q05 prior_q95", _told),
        text("Unit", "unit"),
        text("Class", "class"),
        text("Source", "source"),
        text("In this report", "how"),
        text("Meaning", "text"),
    )
    note = "What has a prior is given as the interval that holds nine in ten of it, never as one value."
    return Table("numbers", "Every declared number and its source", columns, rows, note)


def _number(one: Number) -> dict[str, Any]:
    row = one.row
    return {
        "key": row.key, "text": row.text, "class": row.provenance, "source": row.source, "value": one.value,
        "prior_q05": one.low, "prior_q95": one.high, "unit": row.unit, "how": one.how,
    }  # fmt: skip


def _told(row: Row) -> str:
    return f"{row['value']:g}" if row["value"] is not None else _range(row, "prior")
