"""Tables as a reader meets them in the terminal. Each fits 100 columns and degrades to plain text."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.markup import escape
from rich.table import Table

from sim.world.facts import LINK_KINDS, Fact
from sim.world.scenario import Card
from sim.world.timeline import Calendar

if TYPE_CHECKING:
    from sim.study.balance import Balance
    from sim.study.beside import Beside, OverSets
    from sim.study.declared import Row
    from sim.study.patterns import Verdict
    from sim.study.summary import Statistic

ASSUMED: Final = "*"
"""The mark of what only assumed numbers decide."""

VERDICTS: Final = {True: "[green]holds[/]", False: "[bold red]FAILS[/]", None: "–"}


LONG: Final = 366
"""Days of a calendar from which dates need their year."""


def table(title: str, columns: Mapping[str, int], right: Sequence[str] = (), leading: int = 0) -> Table:
    """An empty table: columns with their greatest widths, those in `right` aligned so, `leading` lines between rows."""
    made = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
        padding=(0, 1, 0, 0), leading=leading,
    )  # fmt: skip
    for name, width in columns.items():
        made.add_column(name, justify="right" if name in right else "left", overflow="fold", max_width=width)
    return made


def outcome_table(stats: "Sequence[Statistic]", calendar: Calendar) -> Table:
    """Outcomes: unit, median, 50% and 90% bands, mean or median with its Monte Carlo error."""
    numbers = {"median": 9, "50%": 15, "90%": 15, "mean ± MC error": 16}
    made = table("Outcomes", {"outcome": 30, "unit": 11, **numbers}, right=tuple(numbers))
    for one in stats:
        made.add_row(
            outcome_words(one),
            "date" if one.unit == "day" else one.unit,
            told(one.median, one, calendar),
            band(one.q25, one.q75, one, calendar),
            band(one.q05, one.q95, one, calendar),
            error_words(one),
        )
    return made


def band(low: float | None, high: float | None, one: "Statistic", calendar: Calendar) -> str:
    """From where to where a share of the histories lies."""
    first, last = told(low, one, calendar), told(high, one, calendar)
    return first if first == last else f"{first}–{last}"


def outcome_words(one: "Statistic") -> str:
    """What an outcome is, with the share of histories where it never happened or was cut."""
    words = one.text + (ASSUMED if one.prior_driven else "")
    if one.never:
        words += f"; never in {percent(one.never)}"
    return words + (f"; cut in {percent(one.cut)}" if one.cut else "")


def told(value: float | None, one: "Statistic", calendar: Calendar) -> str:
    """A number of an outcome: a date for a day, `never` for a day that does not come."""
    if value is None:
        return "never"
    if one.unit == "day":
        day = calendar.date_of(int(value))
        return f"{day.day} {day:%b %y}" if calendar.days > LONG else f"{day.day} {day:%b}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def error_words(one: "Statistic") -> str:
    """The mean with its Monte Carlo error, or the error of the median where there is no mean to speak of."""
    if one.mcse is None:
        return "unknown"
    if one.mcse_of == "median" or one.mean is None:
        return f"median ± {one.mcse:.2g}"
    if one.unit == "day":
        return f"± {one.mcse:.2g}"
    places = 2 if one.mcse == 0.0 else min(6, max(0, 1 - math.floor(math.log10(one.mcse))))
    return f"{one.mean:.{places}f} ± {one.mcse:.{places}f}"


def exceedance_line(stats: "Sequence[Statistic]") -> str:
    """How likely heavy-tailed outcomes are to reach so much."""
    lines = []
    for one in stats:
        if one.exceedance:
            shares = ", ".join(f"{value} in {percent(share)}" for value, share in one.exceedance.items())
            lines.append(f"{one.text}, at least: {shares} of the histories.")
    return "\n".join(lines)


def beside_table(found: "Sequence[Beside]", calendar: Calendar) -> Table:
    """What assumptions decide, under the priors alone and here: median and nine in ten, a share for what may happen."""
    sides = {"under the priors alone": 26, "here": 26}
    made = table(f"Assumptions decide these ({ASSUMED}): beside their prior", {"outcome": 46, **sides}, tuple(sides))
    for one in found:
        if one.here.prior_driven:
            pairs = ((one.prior, one.prior_sets), (one.here, one.here_sets))
            made.add_row(one.here.text, *(_beside(side, sets, calendar) for side, sets in pairs))
    made.caption = "Of a probability: 90% interval over parameter sets, and the mean."
    made.caption_justify = "left"
    return made


def _beside(one: "Statistic", sets: "OverSets | None", calendar: Calendar) -> str:
    if one.unit == "probability":
        return f"{sets_words(sets)} (mean {percent(sets.mean)})" if sets else f"{percent(one.mean or 0.0)}, one set"
    low, middle, high = (told(value, one, calendar) for value in (one.q05, one.median, one.q95))
    return f"{middle} ({low} to {high})"


def sets_words(sets: "OverSets") -> str:
    """The interval of a probability over parameter sets."""
    return f"{percent(sets.low)} to {percent(sets.high)}"


def probability_lines(found: "Sequence[Beside]") -> list[str]:
    """Each probability: first its interval over parameter sets, then the Monte Carlo error of what is at hand."""
    return [escape(_probability(one)) for one in found if one.here.unit == "probability"]


def _probability(one: "Beside") -> str:
    name = "Direct war" if one.here.name == "war" else one.here.text
    prior = over_words(one.prior_sets, "the priors") if one.prior_sets else ""
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


def percent(share: float) -> str:
    """A share of the histories, small ones with more places.

    >>> percent(0.5), percent(0.0312), percent(0.00004)
    ('50%', '3.1%', 'under 0.1%')
    """
    if 0.0 < share < 0.001:
        return "under 0.1%"
    return f"{share:.0%}" if share >= 0.1 or share == 0.0 else f"{share:.1%}"


def pattern_table(verdicts: "Sequence[Verdict]") -> Table:
    """Patterns: what the source says, what the model gives, what is tolerated, and whether that holds."""
    made = table(
        "Patterns",
        {"": 3, "pattern": 23, "kind": 12, "article": 15, "model": 18, "tolerance": 13, "verdict": 7},
    )
    for one in verdicts:
        cells = (one.id, one.text, one.kind, one.article, one.model, one.tolerance)
        made.add_row(*(escape(cell) for cell in cells), VERDICTS[one.holds])
    if all(one.holds is None for one in verdicts):
        made.caption = "– measured, not judged: the patterns describe the documented history, not this scenario"
        made.caption_justify = "left"
    return made


def balance_table(balance: "Sequence[Balance]") -> Table:
    """Rival readings before any data: how likely the calm is under each."""
    names = {"P2: none": 10, "P3: few": 10, "both": 10}
    made = table(
        "Rival readings: probability of the calm under the priors alone", {"reading": 20, **names}, tuple(names)
    )
    for one in balance:
        made.add_row(one.reading, *(f"{share:.1%}" for share in (one.none, one.few, one.both)))
    made.caption = f"{balance[0].draws} draws; ± {max(one.error(one.few) for one in balance):.1%} at most (one error)"
    made.caption_justify = "left"
    return made


def parameter_table(rows: "Sequence[Row]") -> Table:
    """Every declared number: key, what it means with provenance and source, value, unit, range, prior."""
    columns = {"key and meaning": 48, "value": 8, "unit": 12, "range": 11, "prior": 15}
    made = table("Parameters", columns, right=("value",), leading=1)
    for one in rows:
        meaning = f"{one.text} ({one.provenance}; {one.source})"
        cells = (f"{one.value:g}", one.unit, f"{one.low:g} to {one.high:g}", one.prior)
        made.add_row(f"[bold]{escape(one.key)}[/]\n{escape(meaning)}", *(escape(cell) for cell in cells))
    return made


def scenario_table(cards: Iterable[Card]) -> Table:
    """Scenarios: the day from which each departs from the documented history, and its question."""
    made = table("Scenarios", {"scenario": 24, "departs": 10, "question": 62})
    for one in cards:
        made.add_row(escape(one.name), one.departs or "never", escape(one.question))
    return made


def fact_table(facts: Sequence[Fact]) -> Table:
    """Facts: what the source says and what in the model stands for it, with the number of tests."""
    columns = {"": 4, "fact": 31, "kind": 10, "stands in the model as": 44, "tests": 5}
    made = table("Facts", columns, right=("tests",), leading=1)
    for one in facts:
        links = "\n".join(f"{kind}: {', '.join(one.links(kind))}" for kind in LINK_KINDS if one.links(kind))
        made.add_row(one.id, escape(one.text), one.kind, escape(links), str(len(one.tests)))
    return made


def fact_rows(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """The same, one mapping per fact, names separated by blanks."""
    return [
        {
            "id": one.id,
            "text": one.text,
            "kind": one.kind,
            "figure": one.figure,
            "unit": one.unit,
            "date": one.date,
            **{kind: " ".join(one.links(kind)) for kind in LINK_KINDS},
            "tests": " ".join(one.tests),
        }
        for one in facts
    ]
