"""What is said of a rule beside its curve, as pieces of HTML from `words.html.j2`."""

import math
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader

from sim.engine.trace import Decision
from sim.view.app.learn.curves import Curve
from sim.view.app.learn.entries import Argument, Chapter, Entry
from sim.view.app.learn.evidence import RUN, SEED
from sim.view.app.learn.places import places, places_of, spoken
from sim.world.facts import load_facts

_FACT: Final = re.compile(r"\bF\d\d\b")


@cache
def facts() -> dict[str, str]:
    """What each fact of the article says, by its id."""
    return {fact.id: fact.text for fact in load_facts()}


def link(entry: Entry) -> str:
    """The address of a rule on this page."""
    return "learn?" + urlencode({"rule": entry.key})


def number(value: float) -> str:
    """A number with four digits.

    >>> number(0.123456), number(3.0), number(2.0**-20)
    ('0.1235', '3', '9.537e-07')
    """
    return f"{value:.4g}"


def shown(argument: Argument, value: float) -> str:
    """A value of an argument in words."""
    return ("no", "yes")[int(value)] if argument.kind == "flag" else number(value)


def span(one: Argument) -> str:
    """The range of an argument, with its unit."""
    if one.kind == "flag":
        return "no or yes"
    unit = f" {one.unit}" if one.unit not in ("", "1") else ""
    return f"{number(one.low)} to {number(one.high)}{unit}"


def outcome(value: float, names: Mapping[int, str]) -> str:
    """A result, by its name where it has one.

    >>> outcome(2.5, {}), outcome(1.0, {0: "nothing", 1: "struck"}), outcome(float("nan"), {})
    ('2.5', '1 (struck)', 'no number')
    """
    if math.isnan(value):
        return "no number"
    return f"{number(value)} ({names[int(value)]})" if value in names else number(value)


@cache
def _said() -> Any:
    """The pieces by name."""
    space = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    space.globals.update(link=link, span=span, spoken=spoken)
    return space.get_template("words.html.j2").module


def heading(entry: Entry) -> str:
    """Name, sentence and formula."""
    return str(_said().heading(entry))


def result(entry: Entry, values: Mapping[str, float], gives: float, names: Mapping[int, str]) -> str:
    """The call with its present values and what comes of it."""
    inside = ", ".join(f"{one.name}={shown(one, values[one.name])}" for one in entry.arguments)
    return str(_said().result(entry, inside, outcome(gives, names)))


def described(over: Argument, drawn: Curve) -> str:
    """The curve in a sentence, for those who do not see it."""
    ends = (shown(over, drawn.xs[0]), shown(over, drawn.xs[-1]))
    reached = (outcome(drawn.ys[0], drawn.names), outcome(drawn.ys[-1], drawn.names))
    known = [y for y in drawn.ys if not math.isnan(y)] or [math.nan]
    return str(_said().described(over.name, *ends, *reached, number(min(known)), number(max(known))))


def details(entry: Entry) -> str:
    """Arguments, units, source, worked value, place in the day and source text."""
    cited = {name: facts()[name] for name in _FACT.findall(entry.told.source) if name in facts()}
    return str(_said().details(entry, cited, places(), places_of(entry.rule)))


def found(left: Iterable[Entry], among: int) -> str:
    """The rules that a search leaves, as links."""
    return str(_said().found(list(left), among))


def index(chapters: Iterable[Chapter]) -> str:
    """All rules in the order of the day, and then those of every module."""
    book = tuple(chapters)
    known = {entry.rule: entry for chapter in book for entry in chapter.entries}
    return str(_said().index(book, places(), known))


def lived(one: Decision) -> str:
    """Where a case comes from, with the way to see it happen."""
    day = max(one.day, 0)
    address = "play?" + urlencode({"scenario": "article", "run": RUN, "seed": SEED, "day": day})
    return str(_said().lived(one.actor, day, RUN, address))
