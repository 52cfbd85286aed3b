"""A day in words and tables, as pieces of HTML from `words.html.j2`."""

import math
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader

from sim.rules.patron import PHASES
from sim.study.chronicle import ELSEWHERE, Sentence, spelled
from sim.view.app.play.days import MARKS
from sim.view.app.play.diagram import ATTACK, DEFIANT, ORDERS, STRUCK
from sim.view.app.play.history import Evening, History
from sim.view.app.play.states import RUN_LABELS, WING_LABELS
from sim.world.actors import Cast
from sim.world.scenario import Scenario

SIGNS: Final = {"inverted_triangle": "▼", "diamond": "◆", "star": "★", "x": "✕"}
FLAGS: Final = ("answered", "limited", "major", "war")
LEADER: Final = ("none taken", "struck", "declined")
_BESIDE: Final = (
    "display: grid; gap: 1rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr))"
)


@cache
def _said() -> Environment:
    space = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    space.globals.update(number=number, signs=SIGNS)
    return space


def _piece(name: str, cast: Cast, *values: object) -> str:
    """One piece of the template, told of a case."""
    names = {"patron": cast.names.patron, "target": cast.names.target}
    module: Any = _said().get_template("words.html.j2").make_module(names)
    return str(getattr(module, name)(*values))


def number(value: float) -> str:
    """A number with three digits.

    >>> number(0.123456), number(12.0), number(0.0)
    ('0.123', '12', '0')
    """
    return f"{value:.3g}"


def question(history: History) -> str:
    """What the scenario asks."""
    return _piece("question", history.scenario.cast, history.question)


def heading(history: History, evening: Evening) -> str:
    """The day, and how things stand in a line."""
    scenario, run = history.scenario, evening.run
    so_far = history.states.run[: evening.day + 1]
    facts = [
        (f"{scenario.cast.names.patron}:", PHASES[int(run["phase"])]),
        ("war risk", f"{number(run['war_risk'])} (alarm at {number(scenario.parameters.patron.alarm_threshold)})"),
        ("ladder", f"{int(run['rung'])}, {scenario.rungs[int(run['rung'])]}"),
        ("attacks so far", f"{so_far['attacks'].sum():g}"),
        ("killed so far", f"{so_far['killed'].sum():g}"),
    ]
    last = scenario.calendar.days - 1
    title = f"Day {evening.day} of {last}, {spelled(evening.date)}"
    return _piece("heading", scenario.cast, title, facts, _shut(history, evening))


def _shut(history: History, evening: Evening) -> str:
    if not history.ended or evening.day != history.lived - 1:
        return ""
    if evening.run["war"]:
        return "Direct war broke out: the history ends here."
    return "The calendar ends here."


def messages(history: History, evening: Evening) -> str:
    """What happened on the day, with the way to the rule behind each sentence."""
    cast = history.scenario.cast
    told = [(one.kind, one.text, why(one)) for one in evening.sentences if one.kind != ELSEWHERE]
    counts = {one.actor: int(one.result) for one in evening.sentences if one.kind == ELSEWHERE}
    elsewhere = ", ".join(f"{cast.wings[wing].name} {count}" for wing, count in counts.items())
    return _piece("messages", cast, told, f"Attacks elsewhere: {elsewhere}." if elsewhere else "")


def why(sentence: Sentence) -> str:
    """The address of the rule that decided, with what it was given; empty where no rule of the book did."""
    for one in (sentence.decision, *reversed(sentence.reasons)):
        if one.rule.__module__.startswith("sim.rules."):
            given = {
                name: repr(float(value))
                for name, value in one.inputs.items()
                if isinstance(value, int | float) and math.isfinite(value)
            }
            key = f"{one.rule.__module__.rpartition('.')[2]}.{one.rule.__name__}"
            return "learn?" + urlencode({"rule": key, **given})
    return ""


def legend(cast: Cast) -> str:
    """What lines and colours of the picture mean."""
    return _piece("legend", cast, [*ORDERS.values(), ATTACK, DEFIANT, STRUCK], list(MARKS.values()))


def tables(history: History, evening: Evening) -> str:
    """All states of the evening, as the agents have them; the full value stands behind each number."""
    cast = history.scenario.cast
    wings = [(one.name, key, states) for (key, one), states in zip(cast.wings.items(), evening.wings, strict=True)]
    fronts = [(one.name, key, states) for (key, one), states in zip(cast.theatres.items(), evening.fronts, strict=True)]
    rows = []
    for state, label in RUN_LABELS.items():
        text = label.text.format(patron=cast.names.patron, target=cast.names.target)
        value = evening.run[state]
        rows.append((text[0].upper() + text[1:], label.unit, state, value, spoken(history.scenario, state, value)))
    beside = _piece("theatres", cast, fronts) + _piece("run", cast, rows)
    above = f"<h2>The states this evening</h2>{_piece('wings', cast, wings, WING_LABELS)}"
    return f"{above}<div style='{_BESIDE}'>{beside}</div>"


def spoken(scenario: Scenario, state: str, value: float) -> str:
    """A state of the run in words where its number stands for something."""
    if state == "phase":
        return PHASES[int(value)]
    if state in FLAGS:
        return "yes" if value else "no"
    if state == "leader":
        return LEADER[int(value)]
    if state == "struck_wing":
        return "none" if value < 0 else list(scenario.cast.wings.values())[int(value)].name
    if state == "rung":
        return f"{int(value)}, {scenario.rungs[int(value)]}"
    return number(value)
