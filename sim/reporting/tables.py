"""Tables of a run and of what is shipped: outcomes, patterns, parameters, scenarios, facts; boxes in words."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape

from sim.experiment.dataset import OUTCOMES_BY_NAME, outcomes_in
from sim.experiment.formats import full_date
from sim.model.facts import LINK_KINDS, Fact
from sim.model.scenario import Card
from sim.model.timeline import Calendar
from sim.reporting.table import Column, Table, numeric, written
from sim.reporting.text import inside, minus, on_calendar, outcome_title, parameter_title, percent

if TYPE_CHECKING:
    import xarray as xr

    from sim.analysis.discovery.cases import Dimension
    from sim.analysis.discovery.scenario_discovery import Box
    from sim.analysis.durations import Incidence, Outlook
    from sim.analysis.pattern_tests import Balance, Verdict
    from sim.analysis.summary import OverSets, PriorComparison, Statistic
    from sim.model.conditions import Condition
    from sim.model.scenario import Row

ASSUMED: Final = "*"
"""The mark of what only assumed numbers decide."""

VERDICTS: Final = {True: "holds", False: "FAILS", None: "–"}
VERDICT_LOOKS: Final = {True: "green", False: "bold red", None: ""}
VERDICT: Final = Column(
    "holds", "Verdict", format=lambda one: VERDICTS[one.holds], number=False, style=lambda one: VERDICT_LOOKS[one.holds]
)
"""The column that says whether a pattern holds."""


def outcome_table(stats: "Sequence[Statistic]", calendar: Calendar) -> Table:
    """Outcomes: unit, median, 50% and 90% bands, mean or median with its Monte Carlo error."""
    columns = (
        Column("text", "Outcome", format=outcome_words, keys=("name", "text", "never", "censored"), number=False),
        Column("unit", "Unit", format=lambda one: "date" if one.unit == "day" else one.unit, number=False),
        numeric("median", "Median", lambda one: on_calendar(one.median, one.unit, calendar)),
        numeric("q25", "50%", lambda one: band(one.q25, one.q75, one, calendar), "q75"),
        numeric("q05", "90%", lambda one: band(one.q05, one.q95, one, calendar), "q95"),
        numeric("mean", "Mean ± MC error", error_words, "mcse", "mcse_of"),
    )
    return Table("Outcomes", columns, stats)


def band(low: float | None, high: float | None, one: "Statistic", calendar: Calendar) -> str:
    """An interval of an outcome."""
    first, last = (on_calendar(value, one.unit, calendar) for value in (low, high))
    return first if first == last else f"{first}–{last}"


def outcome_words(one: "Statistic") -> str:
    """What an outcome is, with the share of histories where it never happened or was censored."""
    words = outcome_title(one.name, one.text) + (ASSUMED if one.prior_driven else "")
    words += f"; never in {percent(one.never)}" if one.never else ""
    return words + (f"; censored in {percent(one.censored)}" if one.censored else "")


def error_words(one: "Statistic") -> str:
    """The mean with its Monte Carlo error, or the error of the median where a mean says little."""
    if one.mcse is None:
        return "unknown"
    if one.mcse_of == "median" or one.mean is None:
        return f"median ± {one.mcse:.2g}"
    if one.unit == "day":
        return f"± {one.mcse:.2g}"
    places = 2 if one.mcse == 0.0 else min(6, max(0, 1 - math.floor(math.log10(one.mcse))))
    return f"{one.mean:.{places}f} ± {one.mcse:.{places}f}"


def duration_table(found: "Sequence[Incidence]") -> Table:
    """How many lulls have ended after so many days, in how many war came first, and how many last."""
    words = {"lull_days": "since the strikes, until attacks resume", "quiet_days": "since the report, until an attack"}
    columns = (
        Column("outcome", "Quiet", format=lambda one: words[one.outcome], number=False),
        Column("days", "Days"),
        Column("at_risk", "At risk", format=","),
        written("ended", "Ended", percent),
        written("war", "War first", percent),
        written("lasts", "Lasts", percent),
    )
    note = (
        "Cumulative incidence with war as a competing event; at risk are the histories that were quiet the day before."
    )
    return Table("How long the quiet lasts: share of the histories", columns, found, note, "durations")


def outlook_lines(one: "Outlook") -> tuple[str, ...]:
    """What is asked, how long the lull lasts, whether war comes, what this rests on; then the other form."""
    lull, war, report = one.lull, one.war, full_date(one.report)
    ends = f"{days_words(lull.low, one)} to {days_words(lull.high, one)}"
    error = f"± {lull.error:.0f} days Monte Carlo error; " if lull.error else ""
    k = "" if one.pareto_k is None else f"; Pareto k of their importance weights {minus(f'{one.pareto_k:.1f}')}"
    given = f"in the model, given the {one.observations} observations up to {report}"
    return (
        *(
            f"{one.data[name].attrs['long_name']}: probability {percent(share.mean)} (± {percent(share.error)} Monte"
            f" Carlo error; 90% interval over parameter sets {sets_words(share)}), {given}."
            for name, share in one.asked.items()
        ),
        f"The lull lasts {days_words(lull.median, one)} days from {full_date(one.strikes)} (median; {error}90% interval"
        f" over parameter sets {ends}), and direct war by {full_date(one.last)} has a probability of"
        f" {percent(war.mean)} (± {percent(war.error)} Monte Carlo error; 90% interval over parameter sets"
        f" {sets_words(war)}): {given}.",
        f"This winter: {one.draws:,} histories that reproduce all {one.observations} observations, of equal weight"
        f" (effective sample size {one.effective:,.0f}{k}), each continued {one.data.sizes['run'] // one.draws} times"
        f" with new random numbers from {report} on. No observation lies after that day: assumptions decide both"
        f" answers{ASSUMED}.",
        form_line(one),
    )


FORMS: Final = {True: "whole groups decide to pause", False: "wings comply by degrees"}
"""What the two forms of the model are, by `mechanisms.pause`."""


def form_line(one: "Outlook") -> str:
    """Both answers by the other form of the model, and whether they survive the change of form."""
    forms = f"{FORMS[False]}, where here {FORMS[True]}"
    if (other := one.other_form) is None:
        return f"Whether these answers survive the other form of the model ({forms}) was not measured."
    lull, war = other.lull, other.war
    error = f"± {lull.error:.0f}; " if lull.error else ""
    ends = f"{days_words(lull.low, one)} to {days_words(lull.high, one)}"
    kept = {"the length of the lull": other.keeps_lull(one.lull), "the probability of war": other.keeps_war(one.war)}
    if len(set(kept.values())) == 1:
        verdict = "Both answers survive" if all(kept.values()) else "Neither answer survives"
    else:
        first, second = sorted(kept, key=lambda name: kept[name])
        verdict = f"{second[0].upper()}{second[1:]} survives, {first} does not survive"
    return (
        f"By the other form of the model ({forms}) the lull lasts {days_words(lull.median, one)} days (median; {error}"
        f"90% interval {ends}), and direct war has a probability of {percent(war.mean)} (± {percent(war.error)}; 90%"
        f" interval {sets_words(war)}): {other.draws:,} histories that reproduce the same observations. {verdict} the"
        " change of form, if a difference of up to twice its Monte Carlo error counts as none."
        + (" Of the conditions asked this was not measured." if one.asked else "")
    )


def no_outlook_line(why: str) -> str:
    """Why there is no outlook of the observed winter, and what to do."""
    return f"No outlook of the observed winter: {why}."


def days_words(days: float | None, one: "Outlook") -> str:
    """A length of the lull; None is one that ends neither before war nor before the calendar does."""
    return f"more than {one.longest}" if days is None else f"{days:.0f}"


def exceedance_line(stats: "Sequence[Statistic]") -> str:
    """Probabilities that heavy-tailed outcomes exceed some values."""
    return "\n".join(
        f"{outcome_title(one.name, one.text)}, at least:"
        f" {', '.join(f'{value} in {percent(p)}' for value, p in one.exceedance.items())} of the histories."
        for one in stats
        if one.exceedance
    )


def prior_table(found: "Sequence[PriorComparison]", calendar: Calendar) -> Table:
    """Prior-dominated outcomes under the priors alone and here: median and 90% interval, or a probability."""
    columns = (
        Column("text", "Outcome", format=lambda one: outcome_title(one.here.name, one.here.text), number=False),
        numeric("prior", "Under the priors alone", lambda one: _side(one.prior, one.prior_sets, calendar)),
        numeric("here", "Here", lambda one: _side(one.here, one.here_sets, calendar)),
    )
    rows = [one for one in found if one.here.prior_driven]
    note = "Of a probability: 90% interval over parameter sets, and the mean."
    return Table(f"Prior-dominated outcomes ({ASSUMED}): prior and current parameters", columns, rows, note)


def _side(one: "Statistic", sets: "OverSets | None", calendar: Calendar) -> str:
    if one.unit == "probability":
        return f"{sets_words(sets)} (mean {percent(sets.mean)})" if sets else f"{percent(one.mean or 0.0)}, one set"
    low, middle, high = (on_calendar(value, one.unit, calendar) for value in (one.q05, one.median, one.q95))
    return f"{middle} ({low} to {high})"


def sets_words(sets: "OverSets") -> str:
    """The interval of a probability over parameter sets."""
    return f"{percent(sets.low)} to {percent(sets.high)}"


def probability_lines(found: "Sequence[PriorComparison]", of_war: bool = True) -> list[str]:
    """Each probability: first its interval over parameter sets, then the Monte Carlo error of this run.

    That of war only as the priors have it where `of_war` is false, because the outlook gives it.
    """
    shown = [one for one in found if one.here.unit == "probability"]
    return [escape(_probability(one, of_war or one.here.name != "war")) for one in shown]


def _probability(one: "PriorComparison", here: bool) -> str:
    name = outcome_title(one.here.name, one.here.text)
    prior = over_words(one.prior_sets, "the priors") if one.prior_sets else ""
    if not here:
        return f"{name} before any observation: {prior}."
    if one.here_sets:
        return f"{name}: {over_words(one.here_sets, 'the posterior')}; {prior}."
    error = f" ± {percent(one.here.mcse)} Monte Carlo error" if one.here.mcse else ""
    return (
        f"{name}: {prior}; {percent(one.here.mean or 0.0)}{error} at this run's values, which are one parameter set"
        " among many."
    )


def over_words(sets: "OverSets", source: str) -> str:
    """A probability over parameter sets from some source: the interval, then the mean with its Monte Carlo error."""
    mean = f"mean {percent(sets.mean)} ± {percent(sets.error)} Monte Carlo error"
    return f"{sets_words(sets)} over parameter sets drawn from {source} (90% interval; {mean})"


def pattern_table(verdicts: "Sequence[Verdict]") -> Table:
    """Patterns: what the source says, what the model gives, what is tolerated, and whether that holds."""
    heads = {"id": "", "text": "Pattern", "kind": "Kind", "article": "Article", "model": "Model"}
    over = Column("over_prior", "Over the priors", format=over_prior_words, number=True)
    columns = (*(Column(key, head) for key, head in heads.items()), Column("tolerance", "Tolerance"), over, VERDICT)
    silent = all(one.holds is None for one in verdicts)
    note = "– measured, not judged: the patterns describe the documented history, not this scenario"
    note = note if silent else OVER
    return Table("Patterns", columns, verdicts, note)


OVER: Final = (
    "Over the priors: share of parameter sets drawn from the priors at which the pattern holds; what holds at nearly"
    " all of them is no evidence."
)


def over_prior_words(one: "Verdict") -> str:
    """How often a pattern holds over the priors."""
    return "–" if one.over_prior is None else f"holds in {percent(one.over_prior)}"


def balance_table(balance: "Sequence[Balance]") -> Table:
    """Rival explanations before any data: how likely the calm is under each."""
    rows = [{**asdict(one), "error": max(one.error(one.none), one.error(one.few))} for one in balance]
    shares = {"none": "None (P2)", "few": "Few (P3)", "both": "Both"}
    columns = (
        Column("reading", "Explanation"),
        *(Column(key, head, format=".1%") for key, head in shares.items()),
        Column("error", "± at most", format=".1%", keys=("error", "draws")),
    )
    note = "Under orders only the target never strikes; under strikes only no militia heeds the order. ± is one error."
    title = "Rival explanations: probability of the calm under the priors alone"
    return Table(title, columns, rows, note, "prior_balance")


def parameter_table(rows: "Sequence[Row]") -> Table:
    """Every declared number: title, key, meaning with provenance and source, value, unit, range, prior."""
    columns = (
        Column(
            "key",
            "Parameter",
            format=lambda one: f"{one.key}\n{one.title}: {one.text} ({one.provenance}; {one.source})",
            keys=("key", "title", "text", "provenance", "source"),
            number=False,
        ),
        Column("value", "Value", format="g"),
        Column("unit", "Unit"),
        Column("low", "Range", format=lambda one: f"{one.low:g} to {one.high:g}", keys=("low", "high"), number=False),
        Column("prior", "Prior"),
    )
    return Table("Parameters", columns, rows)


def scenario_table(cards: Iterable[Card]) -> Table:
    """Scenarios: the day from which each departs from the documented history, and its question."""
    departs = Column("departs", "Departs", format=lambda one: one.departs or "never", number=False)
    names = (Column("title", "Title"), Column("name", "Key"))
    return Table("Scenarios", (*names, departs, Column("question", "Question")), list(cards))


def event_kind_table(kinds: Sequence[Mapping[str, str]]) -> Table:
    """Kinds of events: what each is about, and an example in words, as an intervention is written."""
    columns = (Column("kind", "Kind"), Column("text", "What it is"), Column("example", "Example"))
    note = "As an intervention: lull compare article 'article; order iraq stop from 2023-12-10'."
    return Table("Kinds of events", columns, kinds, note)


def event_table(events: Sequence[Mapping[str, Any]]) -> Table:
    """Events of a scenario, with those that only a scenario or an intervention by their name switches on."""

    def until(one: Mapping[str, Any]) -> str:
        return "the end" if one.get("to", 0) is None else str(one.get("to", one["from"]))

    columns = (
        Column("name", "Key"),
        Column("of", "Of the"),
        Column("kind", "Kind"),
        Column("from", "From", format=lambda one: str(one["from"]), number=False),
        Column("to", "To", format=until, number=False),
        Column("enabled", "On", format=lambda one: "no" if one.get("enabled") is False else "yes", number=False),
        Column("source", "Source", format=lambda one: str(one.get("source", "")), number=False),
    )
    return Table("Events", columns, events, "As an intervention on another day: NAME@DATE.")


def fact_table(facts: Sequence[Fact]) -> Table:
    """Facts: what the source says and what in the model stands for it, with the number of tests."""
    columns = (
        Column("id", ""),
        Column("text", "Fact"),
        Column("kind", "Kind"),
        Column("modelled_by", "Represented in the model by", format=_links, number=False),
        numeric("tests", "Tests", lambda one: str(len(one.tests))),
    )
    return Table("Facts", columns, facts)


def _links(one: Fact) -> str:
    return "\n".join(f"{kind}: {', '.join(one.links(kind))}" for kind in LINK_KINDS if one.links(kind))


def fact_rows(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """The same, one mapping per fact, names separated by blanks."""
    return [
        {
            **{key: getattr(one, key) for key in ("id", "text", "kind", "figure", "unit", "date")},
            **{kind: " ".join(one.links(kind)) for kind in LINK_KINDS},
            "tests": " ".join(one.tests),
        }
        for one in facts
    ]


# --- boxes --------------------------------------------------------------------------------------------------


def case_words(condition: "Condition", data: "xr.Dataset") -> str:
    """What is looked for in a sweep, as it stands inside a sentence: `direct war`, `a lull of less than 14 days`."""
    return inside(condition.title(outcomes_in(data.data_vars)))


def meaning(condition: "Condition") -> str:
    """The outcome of a condition in a sentence; nothing where it is none of ours."""
    outcome = OUTCOMES_BY_NAME.get(condition.outcome)
    return "" if outcome is None else f"{outcome.title}: {outcome.text} ({outcome.unit})"


def dimension_title(one: "Dimension") -> str:
    """A dimension of the space that was searched: the title of a parameter; another key stands for itself."""
    return one.key if one.text.startswith("configuration key") else parameter_title(one.key, one.text)


def box_words(box: "Box") -> str:
    """A box in a line: its mass, coverage and density in the held-out half."""
    held = box.held_out
    words = (
        f"{percent(held.mass)} of the space holds {percent(held.coverage)} of the cases;"
        f" {percent(held.density)} ± {percent(box.error)} of histories in it, {percent(box.elsewhere)} elsewhere"
    )
    return words if box.believed else f"{words}. Not confirmed on the held-out half"
