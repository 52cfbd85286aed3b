"""Tables of what is shipped, and of what the model gives for it: scenarios, pins, patterns, rival readings."""

from functools import cache
from typing import Final

from sim.study.balance import DRAWS, Balance, prior_balance
from sim.study.patterns import Verdict, judge
from sim.study.simulation import simulate_config
from sim.view.handbook.markdown import Row, code, table
from sim.view.report.words import GLOSSARY
from sim.world.scenario import load, scenario_names
from sim.world.timeline import Calendar, Event

HEADLINES: Final = ("P1", "P2", "P3", "P5", "P8", "P9", "P13")
"""The patterns that the front page shows."""


def scenario_table() -> str:
    """The shipped scenarios and the question of each."""
    cards = ((code(one.name), one.question, one.departs or "never") for one in scenario_names())
    return table(("Scenario", "Question", "Departs"), cards)


def pin_table() -> str:
    """The documented events that the article's history pins."""
    scenario = load().scenario
    rows = (_pin(pin, scenario.calendar) for pin in scenario.pins)
    return table(("Pin", "Kind", "Days", "First day", "Last day", "Source"), rows)


def _pin(pin: Event, calendar: Calendar) -> Row:
    first, last = (calendar.date_of(day).isoformat() for day in (pin.first, pin.last))
    return code(pin.id), pin.kind, f"{pin.first} to {pin.last}", first, last, pin.source


def glossary_table() -> str:
    """The terms of every report."""
    return table(("Term", "Meaning"), GLOSSARY.items())


@cache
def baseline() -> tuple[Verdict, ...]:
    """The verdicts that a plain `lull run` prints."""
    config = load()
    return judge(config, simulate_config(config))


def pattern_table() -> str:
    """Every pattern: what the article says, what the model gives, and what is tolerated."""
    heads = ("", "Pattern", "Kind", "Judged under", "Article", "Model", "Holds when", "Holds")
    return table(heads, map(_pattern, baseline()))


def _pattern(one: Verdict) -> Row:
    holds = "yes" if one.holds else "no"
    return one.id, one.text, one.kind, one.judged, one.article, one.model, one.tolerance, holds


def headline_table() -> str:
    """The patterns that a newcomer wants to see first."""
    shown = (one for one in baseline() if one.id in HEADLINES)
    return table(("What", "Article", "Model", "Kind"), ((one.text, one.article, one.model, one.kind) for one in shown))


def balance_table() -> str:
    """Prior-predictive probabilities of the calm under each rival reading."""
    heads = ("Reading", "None in Iraq (P2)", "One to four in Syria (P3)", "Both")
    told = table(heads, map(_balance, prior_balance(load())))
    return f"{told}\n\n{DRAWS} draws from the priors, the same for each reading; ± is one standard error."


def _balance(one: Balance) -> Row:
    shares = (one.none, one.few, one.both)
    return one.reading, *(f"{100 * share:.1f}% ± {100 * one.error(share):.1f}" for share in shares)
