"""What stands in a report: two pages in sentences, every table, its terms, and what the model cannot say.

Every number is from the data.
"""

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Final

import xarray as xr

from sim.analysis.attribution import Attributed
from sim.analysis.calibration.calibration_run import excluded_words
from sim.analysis.calibration.identifiability import NOT
from sim.analysis.comparison.paired_comparison import LESS, MORE, compared, prior_rows
from sim.analysis.early_warning import EVENTS, Term, Warned, Watch
from sim.analysis.report_data import ReportResults
from sim.analysis.summary import pattern_record
from sim.experiment.formats import full_date, named
from sim.experiment.result_dir import source_hash
from sim.model.scenario import CONDITIONED, titled
from sim.model.validation import UserError
from sim.reporting.calibration_tables import story_table
from sim.reporting.comparison_tables import (
    COUNTED,
    KEY_MEASURES,
    MEASUREMENT,
    MECHANISM_WORDS,
    SCENARIO,
    Row,
    answer_line,
    arm_words,
    asked_of,
    attribution_table,
    baseline_of,
    choice_line,
    choices_table,
    day_text,
    difference_columns,
    evppi_tables,
    held,
    interval,
    interval_words,
    judged_columns,
    knowing_line,
    measured,
    mechanism_words,
    place_of,
    place_table,
    prior_table,
    regret_table,
    row_of,
    short,
    verdict_line,
    war_counts,
)
from sim.reporting.table import Column, Table, numeric, written
from sim.reporting.tables import ASSUMED, FORMS, balance_table, days_words
from sim.reporting.text import (
    amount,
    calibration_note,
    capital,
    enumerated,
    inside,
    minus,
    odds,
    percent,
    positional,
    quantity_title,
    share_ends,
    span,
)

GLOSSARY: Final = {
    "Acknowledged attack": "an attack that the target's side reports; some stay unreported.",
    "Baseline": "the scenario that every other one is compared with: the first in the list.",
    "Bayes factor": "how much more probable one explanation makes the observations than another.",
    "Common random numbers": "run 17 of one scenario gets the same random numbers as run 17 of any other.",
    "Contraction": "the share of its prior variance that a parameter loses once the observations are known.",
    "Draw": "one set of values for all uncertain parameters, taken from the prior or the posterior.",
    "First in, last in": "the effect of a mechanism where no other is at work; its effect where all others are.",
    "History": "one simulated course of events from the first day to the last, or to direct war; also called a run.",
    "Identified": "a parameter that the observations pin down; of one that is not, only an interval can be given.",
    "Lull": "the quiet that follows the day of the major strikes.",
    "Monte Carlo error": "how far a number would vary by chance if as many other histories were simulated.",
    "Odds": "the probability of an explanation divided by that of all others.",
    "Pair": "two histories with the same random numbers and the same draw, one in each scenario.",
    "Pinned": "before that day the documented events are given; from it on the rules decide.",
    "Points": "percentage points, the unit of a difference between two probabilities.",
    "Posterior": "the distribution of a parameter given the observations.",
    "Prior": "the distribution of a parameter before the observations.",
    "Prior-dominated": "decided by assumed numbers that no observation corrects; marked with an asterisk.",
    "Rank correlation": "from −1 to +1: how closely the order of draws by one quantity follows that by another.",
    "Regret": "how much worse a scenario turns out than the best of the same draw, war counting as worst or as stated.",
    "Restricted mean": "the mean of a duration in which all beyond the end of the calendar counts as the end.",
    "Seed": "the number that all random numbers derive from; the same seed gives the same report.",
    "Shapley value": "the effect of a mechanism when it is added, averaged over all orders in which all may be added.",
    "Until war": "counted to the end of the calendar, or to direct war where that comes first.",
    "Without war": "of pairs in which direct war comes in neither scenario, so that both run to the end.",
    "90% of draws": "the interval that leaves out one draw in twenty at either end.",
}
"""Terms in the order of the alphabet."""

LIMITS: Final = (
    "What happens next. It is a model to think with, not a forecast; its actors are roles with a few numbers each.",
    "What caused events in the world. Shares and differences are those of the model under its own rules.",
    "Whether the order or the strikes brought the lull. Both fell in one week; one campaign and one lull cannot"
    " separate them, and the rival explanations above show how much the priors decide.",
    "The true value of most parameters. There are far more of them than observations; very different values fit too.",
    "When the lull ends and whether war comes. Assumptions decide both; such rows carry an asterisk.",
    "Anything beyond its calendar, its theatres and its groups: no politics inside states, no civilians, no towns.",
    "What direct war would be like. War ends a history, so attacks and days are compared where neither scenario has it,"
    " and wherever scenarios are ranked a history with war counts as worst, or as the reader has stated.",
)
"""What the model cannot say."""
MOST_NAMED: Final = 3
"""Scenarios and mechanisms that the sentences name; the tables have all."""


def what(data: xr.Dataset, measure: str) -> str:
    """A measure in words, with the names and dates of the case where there are any."""
    if measure in KEY_MEASURES:
        return short(data, measure).removesuffix(" (medians)")
    return str(data["text"].values[place_of(data, measure)])


def rows_of(data: xr.Dataset, measure: str) -> list[Row]:
    """One measure in every pair."""
    return [row_of(data, one, measure) for one in range(data.sizes["comparison"])]


def value(data: xr.Dataset, row: Row, name: str) -> str:
    """A value as text: a date where the unit is a day of the calendar."""
    if row["unit"] == "day" and row[name] is not None:
        return day_text(data, round(row[name]))
    return arm_words(row, name.removesuffix("_value"))


def question(found: ReportResults) -> str:
    """The question: the user's, or the one that conditions and scenarios ask together."""
    if found.asked.settings.question is not None:
        return found.asked.settings.question
    data = found.comparison
    names = [titled(str(one)) for one in data["scenario"].values]
    if len(names) > MOST_NAMED + 1:
        names = [names[0], f"{len(names) - 1} other choices"]
    asked = [(inside(short(data, one)), data["unit"].values[place_of(data, one)]) for one in asked_of(data)]
    verb, under = "is" if len(asked) == 1 else "are", f"{', '.join(names[:-1])} or {names[-1]}"
    if all(unit == "probability" for _, unit in asked):
        return f"{under}: how likely {verb} {enumerated([words for words, _ in asked])}?"
    of = [f"the {'probability' if unit == 'probability' else 'number'} of {words}" for words, unit in asked]
    return f"{under}: what {verb} {enumerated(of)}?"


def sentences(found: ReportResults) -> tuple[str, str]:
    """What differs in the outcome that is explained, and how certain that is."""
    return _difference(found), _sureness(found)


@dataclass(frozen=True)
class Brief:
    """What two pages say: `choice` is the answer in one sentence, `answer` its numbers.

    `observed` are the numbers of the winter that was observed, empty where another is simulated; `trust` are the parts
    of one paragraph with their labels; `changes` would change our mind; `knowing` is what one group of parameters is
    worth, empty where none clearly matters; the first of `watch` says where the others come from.
    """

    question: str
    choice: str
    answer: str
    observed: str
    trust: tuple[tuple[str, str], ...]
    changes: tuple[str, ...]
    causes: tuple[str, ...]
    knowing: str
    watch: tuple[str, ...]
    cite: str


def brief_of(found: ReportResults, command: str) -> Brief:
    """The two pages of a report, which `command` made."""
    cite = (
        f"The Lull maintainers, Lull {version('lull-sim')}, sources {source_hash()[:12]}, seed"
        f" {found.comparison.attrs['seed']}: {command}"
    )
    return Brief(
        question(found),
        choice_line(found.comparison),
        answer(found),
        observed(found),
        trust(found),
        changes(found),
        causes(found),
        knowing_line(found.comparison),
        watch_lines(found),
        cite,
    )


def answer(found: ReportResults) -> str:
    """The answer in one sentence, after what a case without its own calibration says of itself."""
    return f"{calibration_note(found.asked.config)} {answer_line(found.comparison)}".lstrip()


def observed(found: ReportResults) -> str:
    """The conditions in the winter that was observed, which no choice changes; empty where another is simulated."""
    one = found.outlook
    if one is None or not one.asked:
        return ""
    futures = one.data.sizes["run"] // one.draws
    parts = [
        f"{percent(share.mean)} (90% of the sets: {share_ends(share.low, share.high, futures)}) for"
        f" {inside(short(found.comparison, text))}"
        for text, share in one.asked.items()
    ]
    return (
        "The table re-simulates the winter, so it may go unlike the real one. Given what really happened up to"
        f" {full_date(one.report)}, with no choice made otherwise, the model says {enumerated(parts)}."
    )


def trust(found: ReportResults) -> tuple[tuple[str, str], ...]:
    """How far to trust it: what is identified, what is assumed, how many signs are sure, whether the form matters."""
    data, evidence = found.comparison, found.asked.evidence
    fitted = evidence.rows("quantities")
    identified = (
        f"the observations inform {len(fitted) - len(evidence.lost)} of {len(fitted)} fitted quantities and leave"
        f" {len(evidence.lost)} at their priors."
        if fitted
        else f"nothing: {evidence.why}."
    )
    asked = asked_of(data)
    if driven := [inside(short(data, one)) for one in asked if found.asked.prior_driven(one)]:
        assumed = f"the probability of {enumerated(driven)} rests mainly on assumptions, not data."
    else:
        assumed = "every parameter without data keeps its prior."
    for row in prior_rows(data)[-1:]:
        mean, low, high = (percent(row[f"prior_baseline_{end}"]) for end in ("value", "low", "high"))
        assumed += (
            f" Before any observation (priors alone), direct war under “{titled(row['baseline'])}” would be {mean}"
            f" likely on average (90% of the sets: {low} to {high})."
        )
    return (("Identified", identified), ("Assumed", assumed), ("Signs", signs(data)), ("Form", form_line(found)))


def signs(data: xr.Dataset) -> str:
    """Which differences of the table of choices have a firm sign, by name."""
    rows = [row for name in (*asked_of(data), *COUNTED) for row in rows_of(data, name)]
    firm = [
        f"“{titled(row['scenario'])}” {'raises' if row['verdict'] == MORE else 'lowers'} {measured(data, row)}"
        for row in rows
        if row["verdict"] in (MORE, LESS)
    ]
    if not firm:
        return "no difference in the table has one sign in at least 95% of the parameter sets."
    return (
        f"{enumerated(firm)}, in at least 95% of the parameter sets each: firmer than the numbers themselves, because"
        " all choices share parameters and random numbers."
        f"{' No other difference in the table is firm.' if len(firm) < len(rows) else ''}"
    )


def form_line(found: ReportResults) -> str:
    """Whether the answer survives a change of the form of the rules: the one place that says it."""
    here, outlook = found.asked.config.scenario.mechanisms.pause, found.outlook
    if found.asked.evidence.why:
        return "whether the answer survives another form of the rules was not tested in this run."
    line = (
        f"here {FORMS[here]}; whether this answer survives the other form of the rules, in which {FORMS[not here]},"
        " was not measured."
    )
    if outlook is not None and (other := outlook.other_form) is not None:
        line += (
            f" For the winter as it was observed, that form gives a lull of {days_words(other.lull.median, outlook)}"
            f" days in the median instead of {days_words(outlook.lull.median, outlook)}, and direct war"
            f" by {full_date(outlook.last)} a probability of {percent(other.war.mean)} instead of"
            f" {percent(outlook.war.mean)}."
        )
    return line


def changes(found: ReportResults) -> tuple[str, ...]:
    """What would change our mind: what the first answer goes with, what is undecided, what has not been observed."""
    data, evidence, scenario = found.comparison, found.asked.evidence, found.asked.config.scenario
    words = inside(short(data, asked_of(data)[0]))
    strongest = {one["key"]: one for one in reversed(found.doubts) if one["counts"]}
    changed = {row["scenario"]: row["difference"] for row in rows_of(data, asked_of(data)[0])}
    found_lines = [
        f"Evidence on “{named(one['text'].partition(';')[0], scenario.cast)}”: where it is larger,"
        f" “{titled(one['scenario'])}” {'raises' if changed[one['scenario']] > 0 else 'lowers'} {words} by"
        f" {'more' if (one['rank'] > 0) == (changed[one['scenario']] > 0) else 'less'} (rank correlation"
        f" {one['rank']:+.2f})."
        for one in sorted(strongest.values(), key=lambda one: -abs(one["rank"]))[:2]
    ]
    if needed := evidence.rows("necessity"):
        shares = enumerated([f"“{one['text']}” in {percent(one['fails_after'])}" for one in needed])
        found_lines.append(
            "Evidence on what brought the calm: remove a cause from the model, and the calm no longer comes in some of"
            f" the histories that fit the observations: {shares} (these overlap). What rules one out would move the"
            " answer."
        )
    if any(map(found.asked.prior_driven, asked_of(data))):
        day = full_date(scenario.calendar.date_of(scenario.calendar.report))
        found_lines.append(f"Any observation after {day}: none is used yet, and each would correct what is assumed.")
    return tuple(map(minus, found_lines))


def causes(found: ReportResults) -> tuple[str, ...]:
    """Why: the largest shares of causes, then the share of measurement, which is none."""
    made, cast = found.attribution, found.asked.config.scenario.cast
    unit = made.game.measured.unit

    def part(one: Attributed) -> str:
        share, low, high = (
            None if value is None else amount(value, unit, sign=True)
            for value in (one.shapley.mean, one.shapley.low, one.shapley.high)
        )
        share = share if unit in ("probability", "1") else f"{share} {unit}"
        within = f"90% of the sets: {low.removesuffix(' pts')} to {high}" if low and high else ""
        within = within or f"± {amount(one.shapley.error, unit)}"
        return f"“{named(mechanism_words(one.mechanism), cast)}” ({share}; {within})"

    several = f"the {len(made.shares)} mechanisms" if len(made.shares) > 1 else "the one mechanism"
    none, every = (amount(one.mean, unit) for one in (made.none, made.every))
    real = [one for one in made.ranked() if one.mechanism != MEASUREMENT][:MOST_NAMED]
    last = every if unit == "probability" else f"{every} {unit}"
    same = found.asked.outcome in asked_of(found.comparison)
    lines = (
        f"{'' if same else 'This explains another outcome than the answer does. '}In {made.game.draws} parameter sets"
        f" of {made.game.runs} histories each, under “{made.game.scenario.title}”, where"
        f" {held(found.asked.explaining.pinned)}, {several} at work together"
        f" take “{made.game.measured.words}” from {none} to {last}. The largest contributions (Shapley values; where"
        f" some are negative, others may exceed the total) are {enumerated(list(map(part, real)))}.",
    ) * bool(real)
    lines += tuple(
        f"Measurement, not a cause: {part(one)}. It decides which attacks are counted and answered, not why they stop."
        for one in made.shares
        if one.mechanism == MEASUREMENT
    )
    return tuple(map(minus, lines))


def rule_line(one: Warned, watch: Watch) -> str:
    """The rule of an event, and what it does to the odds, as one can say it."""
    event, weeks = EVENTS[one.event], watch.horizon // 7
    if one.rule is None:
        return (
            f"In the model's world, no rule raises the odds of {event} within {weeks} weeks with so few false alarms."
        )
    score, words = one.scores["rule"], one.rule.words(watch.titles)
    return (
        f"In the model's world, {event} follows within {weeks} weeks on {percent(score.precision)} of the days with"
        f" {words}, and on {percent(one.otherwise)} of all others: odds times {score.odds_ratio.value:.2g}"
        f" (90% interval {span(score.odds_ratio.low, score.odds_ratio.high)})."
    )


def watch_lines(found: ReportResults) -> tuple[str, ...]:
    """What to watch: of each event its rule and how often that is right, then the terms of the regression."""
    watch = found.asked.watch
    if isinstance(watch, UserError) or not found.warned:
        return (f"Left out: {found.no_warning}.",)
    whose = "that reproduce the observations" if watch.config.parameters_from == CONDITIONED else "of the baseline"
    lines = [
        f"This is the model's world: what {watch.config.runs:,} simulated histories {whose} show before an event comes,"
        f" week by week after {full_date(watch.scenario.calendar.date_of(watch.scenario.calendar.report))}; not what"
        " causes it, nor how often the world brings it."
    ]
    for one in found.warned.values():
        event, terms = capital(EVENTS[one.event]), [_term(term, watch) for term in one.model.terms]
        kept = rule_line(one, watch)
        if one.rule is not None:
            score = one.scores["rule"]
            kept += f" {percent(score.caught)} of the histories in which it comes give the sign before"
            kept += f", {score.lead:.0f} days ahead in the median." if score.caught else "."
        lines.append(f"{event}, the rule to keep in mind: {kept[:1].lower()}{kept[1:]}")
        if terms:
            lines.append(
                f"{event}, the best terms of a logistic regression (AUC {one.scores['model'].auc.value:.2f}, where 0.5"
                f" is chance): its odds are multiplied by {enumerated(terms)}."
            )
    lines += map(unlearnt_line, EVENTS.keys() - found.warned.keys())
    return tuple(map(minus, lines))


def unlearnt_line(event: str) -> str:
    """That an event has no rule and no regression."""
    return f"{capital(EVENTS[event])}: too few histories have it, or too few have not, to learn from."


def _term(term: Term, watch: Watch) -> str:
    """A term of a regression: by how much one step of the observable multiplies the odds."""
    ratio, step = term.odds_ratio, "each doubling of 1 +" if term.doubling else "each one more of the"
    return f"{ratio.value:.2g} ({span(ratio.low, ratio.high)}) for {step} {watch.titles[term.name]}"


def _size(row: Row) -> float:
    """How large a difference is; 0 where no pair can be compared."""
    return abs(row["difference"] or 0.0)


def among(row: Row) -> str:
    """The pairs in which what war cuts is compared."""
    return f"the {percent(row['share'])} of pairs without war in either arm"


def _difference(found: ReportResults) -> str:
    data, measure = found.comparison, found.asked.outcome
    rows = [compared(row) for row in rows_of(data, measure)]
    of = "median" if rows[0]["heavy_tailed"] else "probability" if rows[0]["unit"] == "probability" else "mean"
    subject, before, spread = f"the {of} of {what(data, measure)} is ", "difference ", f"{interval_words(data)}: "
    parts = []
    for row in sorted(rows, key=lambda row: -_size(row))[:MOST_NAMED]:
        pairs = f", in {among(row)}," if row["censored_by_war"] else ""
        text = f"with “{titled(row['scenario'])}”{pairs} {subject}"
        if row["difference"] is None:
            parts.append(f"{text}not known")
        else:
            here, there = (value(data, row, name) for name in ("scenario_value", "baseline_value"))
            ends = f"; {spread}{interval(row)}" if row["low"] is not None else ""
            difference = f"{before}{amount(row['difference'], row['unit'], sign=True)}{ends}; {verdict_line(row)}"
            parts.append(f"{text}{here} instead of {there} in “{titled(row['baseline'])}” ({difference})")
        subject = before = spread = ""  # said once
    note = calibration_note(found.asked.config)
    return minus(f"{note} In the model, {enumerated(parts)}.".lstrip())


def _sureness(found: ReportResults) -> str:
    data, measure = found.comparison, found.asked.outcome
    row = max((compared(one) for one in rows_of(data, measure)), key=_size)
    pairs, count = titled(row["scenario"]), f"{data.sizes['draw'] * int(data.attrs['runs']):,} pairs"
    if row["better"] is not None:
        better, same, worse = (percent(row[name]) for name in ("better", "even", "worse"))
        pairs += f" does better than {titled(row['baseline'])} in {better}, as well in {same} and worse in {worse}"
        count += f" ({war_counts(data)})" if row["censored_by_war"] else ""
    elif row["difference"] is not None:
        pairs += f" has more in {percent(row['more'])} and less in {percent(row['less'])}"
        count = f"{among(row)}, of {count}" if row["censored_by_war"] else count
    parts = [f"Under common random numbers and the same parameters {pairs} of {count}"]
    evidence = found.asked.evidence
    if fitted := evidence.rows("quantities"):
        parts.append(f"the observations leave {len(evidence.lost)} of {len(fitted)} fitted quantities not identified")
    if found.asked.prior_driven(measure):
        parts.append("this outcome is prior-dominated: assumed numbers, not data, decide how large it is")
    return f"{', and '.join([', '.join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)}."


# --- tables -------------------------------------------------------------------------------------------------

CLASSES: Final = {
    "measured": "a published count or date",
    "expert": "a judgement reported by a named kind of source",
    "assumed": "ours",
    "calibrated": "chosen so that the documented numbers come out",
}
"""Provenance classes, from the firmest to the softest but one."""
WITHOUT_WAR: Final = "without war"
UNCERTAINTIES: Final = 12
"""Rows of the table of uncertainties; the rest is noise."""


def every_table(found: ReportResults) -> dict[str, Table]:
    """All tables that are not empty, by name, in the order of the report."""
    data, evidence = found.comparison, found.asked.evidence
    regrets = replace(
        regret_table(data), name="regret", note=f"For regret all scenarios are alike: {data.attrs['pinned_together']}."
    )
    made = (
        choices_table(data), scenarios(found), effects(found), prior_table(data), place_table(data, "theatre"),
        place_table(data, "group"),
        regrets, *evppi_tables(data), attribution_table(found.attribution), levers(found), uncertainties(found),
        quantities(found, identified=True), quantities(found, identified=False), explanations(found),
        story_table(evidence.rows("causal_patterns"), evidence.rows("necessity")),
        balance_table(found.balance), patterns(found), classes(found),
        numbers(found),
    )  # fmt: skip
    return {one.name: one for one in made if one.rows}


def texts(**heads: str) -> tuple[Column, ...]:
    """Columns of texts by their keys."""
    return tuple(Column(key, head) for key, head in heads.items())


def scenarios(found: ReportResults) -> Table:
    """The scenarios and their questions."""
    data = found.comparison
    pinned = dict(zip(data["comparison"].values, data["pinned"].values, strict=True))
    rows = [
        {"scenario": str(name), "question": str(asks), "pinned": str(pinned.get(name, "the baseline"))}
        for name, asks in zip(data["scenario"].values, data["question"].values, strict=True)
    ]
    columns = (SCENARIO, *texts(question="Question", pinned="Pinned events"))
    return Table("The scenarios that are compared", columns, rows, name="scenarios")


def effects(found: ReportResults) -> Table:
    """The outcome that is asked for, then the key outcomes, pair by pair; twice where war cuts an outcome."""
    data, asked = found.comparison, found.asked.outcome
    rows = [
        line
        for name in dict.fromkeys((asked, *KEY_MEASURES))
        for row in rows_of(data, name)
        for line in _lines({**row, "outcome": _marked(found, name)})
    ]
    columns = (
        *texts(outcome="Outcome"), SCENARIO,
        Column(
            "pairs", "Pairs", keys=("pairs", "share"), number=False,
            format=lambda row: row["pairs"] + (f" ({percent(row['share'])})" if row["pairs"] == WITHOUT_WAR else ""),
        ),
        *difference_columns(data),
        Column(
            "verdict", "Sign", format=verdict_line, number=False,
            keys=("verdict", "draws_less", "draws_same", "draws_more"),
        ),
        *(
            numeric(f"{arm}_value", head, partial(value, data, name=f"{arm}_value"), f"{arm}_low", f"{arm}_high", *more)
            for arm, head, *more in (("baseline", baseline_of(data), "unit"), ("scenario", "Scenario's"))
        ),
        *judged_columns(percent),
    )  # fmt: skip
    note = (
        "Difference: scenario minus baseline under common random numbers and the same parameters; all scenarios are"
        " pinned to documented history up to the day on which the earliest departs. Direct war ends a history, so"
        " counts and durations are compared among pairs without war in either arm; all pairs, counted until war, stand"
        " below, and less of them may only mean an earlier war. Sign: shares of draws, or of the pairs of a single"
        f" draw. Better, same, worse: shares of all pairs; {war_counts(data)}. Of a probability the 90% interval over"
        f" parameter sets, and the mean. {ASSUMED} prior-dominated: assumed numbers decide; no data correct them."
    )
    title = f"Outcomes of every scenario against {baseline_of(data)}"
    return Table(title, columns, rows, note, "comparison", grouped=True)


def _lines(row: Row) -> list[Row]:
    """One row; where war cuts the outcome, one of pairs without war and one of all pairs until war."""
    if not row["censored_by_war"]:
        return [{**row, "pairs": "all", "share": 1.0}]
    none = dict.fromkeys(("better", "even", "worse"))
    every = {**row, "pairs": "all, until war", "share": 1.0, **none}
    return [{**compared(row), "pairs": WITHOUT_WAR}, every]


def _marked(found: ReportResults, name: str) -> str:
    """An outcome, marked where it is prior-dominated, or given by its median."""
    data = found.comparison
    heavy = bool(data["heavy_tailed"].values[place_of(data, name)])
    return what(data, name) + (" (medians)" if heavy else "") + (ASSUMED if found.asked.prior_driven(name) else "")


def levers(found: ReportResults) -> Table:
    """What each scenario changes."""
    rows = [
        {**one, "text": MECHANISM_WORDS.get(one["key"].removeprefix("mechanisms."), one["text"])}
        for one in found.levers
    ]
    columns = (
        SCENARIO,
        Column("key", "Lever", format=lambda row: _lever(row["key"]), number=False),
        *texts(kind="Kind", baseline="Baseline", here="Here", text="Meaning"),
    )
    return Table("Levers: what each scenario has otherwise than the baseline", columns, rows, name="levers")


def _lever(key: str) -> str:
    """What a scenario changes: a mechanism or a parameter by its title, any other key as it is."""
    mechanism = MECHANISM_WORDS.get(key.removeprefix("mechanisms."))
    return capital(mechanism) if mechanism else quantity_title(key)


def uncertainties(found: ReportResults) -> Table:
    """Drawn parameters that are correlated with the difference."""
    rows = [one for one in found.hanging if one["counts"]][:UNCERTAINTIES]
    columns = (
        Column("key", "Parameter", format=lambda row: quantity_title(row["key"]), number=False),
        *texts(text="Meaning"),
        SCENARIO,
        numeric("rank", "Rank correlation", lambda row: minus(f"{row['rank']:+.2f}"), "limit"),
    )
    limit = f"{min(one['limit'] for one in found.hanging):.2f}" if found.hanging else ""
    note = f"Only what is beyond ±{limit}, which noise alone reaches once in twenty such tables."
    title = "Uncertainties: drawn parameters that are correlated with the difference"
    return Table(title, columns, rows, note, "uncertainties")


def quantities(found: ReportResults, identified: bool) -> Table:
    """Quantities that the observations inform, or those that keep their priors: intervals, no value."""
    rows = [one for one in found.asked.evidence.rows("quantities") if (one["verdict"] != NOT) == identified]
    columns = (
        Column("quantity", "Quantity", format=lambda row: quantity_title(row["quantity"]), number=False),
        *(texts(verdict="Verdict") if identified else ()),
        numeric("prior_q05", "Prior 90%", lambda row: _range(row, "prior"), "prior_q95"),
        numeric("posterior_q05", "Posterior 90%", lambda row: _range(row, "posterior"), "posterior_q95"),
        numeric("contraction", "Contraction", lambda row: f"{max(0.0, row['contraction']):.0%}"),
        *texts(unit="Unit", text="Meaning"),
    )
    if not identified:
        note = "No value is given: the observations cannot distinguish these from their priors."
        return Table("Quantities that are not identified", columns, rows, note, "not_identified")
    note = (
        "Contraction: share of the prior's variance that the observations remove. Weakly: the observations inform it,"
        " but not enough to give a value, or only together with another parameter."
    )
    return Table("Quantities that the observations inform", columns, rows, note, "identified")


def _range(row: Row, name: str) -> str:
    return minus(" to ".join(positional(row[f"{name}_{end}"], 2) for end in ("q05", "q95")))


def explanations(found: ReportResults) -> Table:
    """Rival explanations: prior and posterior probabilities."""
    evidence = found.asked.evidence
    wide = {one["hypothesis"]: one["posterior_probability"] for one in evidence.rows("hypotheses_wide_priors")}
    rows = [
        {
            **one,
            "prior_odds": _odds(one["prior_probability"]),
            "posterior_odds": _odds(one["posterior_probability"]),
            "with_wide_priors": wide.get(one["hypothesis"]),
        }
        for one in evidence.rows("hypotheses")
    ]
    columns = (
        Column("text", "The calm because"),
        Column("prior_probability", "Prior probability", format=".1%"),
        numeric("posterior_probability", "Posterior probability", _posterior, "probability_low", "probability_high"),
        written("prior_odds", "Prior odds", odds),
        written("posterior_odds", "Posterior odds", odds),
        numeric("bayes_factor", "Bayes factor", _factor, "bayes_factor_error", "bayes_factor_low", "bayes_factor_high"),
        written("with_wide_priors", "Posterior, wide priors", _probability),
    )
    note = (
        "± one Monte Carlo error, in brackets 95%, for the finite number of histories. Odds: an explanation against all"
        " others. Bayes factor: against all causes together. The last column takes some priors as wide as their"
        " declared ranges: where it differs, priors decide. An explanation that no history fits is not thereby"
        f" impossible. {excluded_words(evidence.rows('observations_by_hypothesis'))}"
    )
    title = "Rival explanations of the calm, before and after the observations"
    return Table(title, columns, rows, note, "rival_readings")


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


def _probability(share: float | None) -> str:
    return "–" if share is None else "no history fits" if not share else f"{share:.1%}"


def _odds(share: float) -> float | None:
    return share / (1.0 - share) if 0.0 < share < 1.0 else None


def patterns(found: ReportResults) -> Table:
    """The baseline against its source."""
    words = {True: "holds", False: "fails", None: "not judged"}
    columns = (
        *texts(id="Pattern", text="What", kind="Kind", article="Article"),
        Column("model", "Model", format=lambda row: minus(row["model"]), number=False),
        Column("tolerance", "Tolerance"),
        Column("pass", "Verdict", format=lambda row: words[row["pass"]], number=False),
    )
    note = f"{found.baseline.sizes['run']:,} histories of the baseline, documented history pinned."
    rows = [pattern_record(one) for one in found.verdicts]
    return Table("What the source says, and what the model gives", columns, rows, note, "patterns")


def classes(found: ReportResults) -> Table:
    """Provenance classes, counted."""
    counts = Counter(one["class"] for one in found.numbers)
    drawn = Counter(one["class"] for one in found.numbers if one["value"] is None)
    rows = [
        {"class": name, "meaning": meaning, "numbers": counts[name], "uncertain": drawn[name]}
        for name, meaning in CLASSES.items()
    ]
    columns = (
        *texts(**{"class": "Class", "meaning": "Meaning"}),
        Column("numbers", "Numbers", format="d"),
        Column("uncertain", "Of these with a prior", format="d"),
    )
    return Table("Where the numbers come from, by class", columns, rows, name="provenance")


def numbers(found: ReportResults) -> Table:
    """Every declared number."""
    columns = (
        Column("key", "Parameter", format=lambda row: quantity_title(row["key"]), number=False),
        numeric("value", "Value or prior 90%", _value, "prior_q05", "prior_q95"),
        *texts(**{"unit": "Unit", "class": "Class", "source": "Source", "how": "In this report", "text": "Meaning"}),
    )
    note = "What has a prior is given as its 90% interval, never as one value."
    return Table("Every declared number and its source", columns, found.numbers, note, "numbers")


def _value(row: Row) -> str:
    return f"{row['value']:g}" if row["value"] is not None else _range(row, "prior")
