"""The book of rules: generated from the rules, true to them, and grown by a rule that is added."""

import ast
import math
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import sim.rules
from sim.app.learn import learn_page
from sim.app.learn.learn_page import (
    LearnPage,
    applied,
    best_over,
    complete,
    curve,
    example_decision,
    parse_rule,
    worked_values,
)
from sim.app.learn.rule_catalog import RuleEntry, argument_ranges, chapters, day_steps, plain, steps_of
from sim.engine.reference.model import ReferenceModel
from sim.engine.trace import Decision
from sim.model.parameters import shared_declarations
from sim.model.validation import UserError
from sim.rules import militia, target
from sim.rules.decisions import STEPS

TOY = '''"""How wings grow <weary>: a toy."""

from sim.numbers.compiled import rule


@rule
def fatigue(now: float, half_life: float, attacks: int, resting: bool) -> float:
    """Weariness of a wing after another <day>.

    w <- w / h + n, nothing while it rests

    Units: attacks; half_life in days.
    Source: assumed, as F03.

    >>> fatigue(2.0, 2.0, 3, False)
    4.0
    """
    return 0.0 if resting else now / half_life + attacks


@rule
def collapses(draw: float, likely: float) -> bool:
    """Whether a weary wing gives up.

    u < p

    Units: probabilities.
    Source: assumed.

    >>> collapses(0.2, 0.5)
    True
    """
    return draw < likely
'''


@pytest.fixture(scope="module")
def book() -> dict[str, RuleEntry]:
    return {entry.key: entry for chapter in chapters(argument_ranges()) for entry in chapter.entries}


def test_every_rule_of_every_module_stands_in_the_book(book: dict[str, RuleEntry]) -> None:
    marked = {
        f"{path.stem}.{node.name}"
        for path in Path(sim.rules.__path__[0]).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(one) == "rule" for one in node.decorator_list)
    }
    assert set(book) == marked
    assert len(marked) > 50
    assert all(entry.doc.summary and entry.doc.units and entry.doc.source for entry in book.values())


def test_worked_values_come_out_where_the_page_begins(book: dict[str, RuleEntry]) -> None:
    for entry in book.values():
        said = ast.literal_eval(entry.doc.gives)
        wanted = float(said[0] if isinstance(said, tuple) else said)
        assert applied(entry, worked_values(entry)) == pytest.approx(wanted, abs=1e-6), entry.key


def test_a_curve_is_the_rule(book: dict[str, RuleEntry]) -> None:
    kept = curve(book["rates.decay_factor"], {"half_life": 1.0}, "half_life")
    assert not kept.steps
    assert kept.ys == pytest.approx([0.5 ** (1.0 / h) for h in kept.xs], rel=1e-14)
    answers = book["patron.answers"]
    jump = curve(answers, {"draw": 0.0, "probability": 0.25, "acts": 1.0}, "draw")
    assert jump.steps
    assert jump.names == {0: "no", 1: "yes"}
    assert [y == 1.0 for y in jump.ys] == [x < 0.25 for x in jump.xs]
    moved = curve(answers, {"draw": 0.0, "probability": 0.5, "acts": 1.0}, "draw")
    assert sum(moved.ys) > sum(jump.ys)


def test_every_rule_has_a_curve_that_moves(book: dict[str, RuleEntry]) -> None:
    for entry in book.values():
        values = worked_values(entry)
        drawn = curve(entry, values, best_over(entry, values))
        assert len(drawn.xs) == len(drawn.ys) >= 2
        assert all(math.isfinite(y) for y in drawn.ys), entry.key
        assert len(set(drawn.ys)) > 1, entry.key


def test_results_with_names_are_called_by_them(book: dict[str, RuleEntry]) -> None:
    phases = curve(book["patron.next_phase"], worked_values(book["patron.next_phase"]), "phase")
    assert phases.names[2] == "restraining"
    assert learn_page.outcome(2.0, phases.names) == "2 (restraining)"
    assert curve(book["outcomes.days_until"], worked_values(book["outcomes.days_until"]), "end").names == {}


def test_ranges_are_those_of_the_declarations(book: dict[str, RuleEntry]) -> None:
    threshold = book["target.limited_response_probability"].argument("threshold")
    declared = shared_declarations()["target.provocation_threshold"]
    assert (threshold.low, threshold.high, threshold.unit) == (declared.low, declared.high, declared.unit)
    assert threshold.keys == ("target.provocation_threshold",)
    kept = book["militia.fear_kept"].argument("kept")
    assert kept.keys == ("deterrence.fear_half_life",)
    assert (kept.low, kept.high) == pytest.approx((0.5, 0.5 ** (1 / 120)))
    assert set(book["militia.fear"].argument("other").keys) == {"deterrence.strike_fear", "deterrence.spillover"}
    # What only happens to be a declared number on some days is not taken for one.
    assert book["militia.compliance"].argument("directive").keys == ()


def test_every_declared_number_stands_behind_some_argument(book: dict[str, RuleEntry]) -> None:
    named = {key for entry in book.values() for one in entry.arguments for key in one.keys}
    # A sampler draws the injured; the others meet something else before a rule is given them.
    elsewhere = {
        "casualties.injured_mean",
        "deterrence.rebuild_days",
        "patron.minimum_days",
        "target.patron_strike_acts",
    }
    assert set(shared_declarations()) - named == elsewhere


def test_ranges_hold_all_that_a_history_gave(book: dict[str, RuleEntry]) -> None:
    seen = 0
    for entry in book.values():
        for decision in entry.decisions:
            values = plain(decision.inputs)
            assert complete(entry, values) == values, (entry.key, values)
            assert applied(entry, values) == float(decision.result)
            seen += 1
    assert seen > 5000


def test_a_case_from_the_history_can_be_shown(book: dict[str, RuleEntry]) -> None:
    found = example_decision(book["casualties.number_killed"])
    assert found is not None
    assert f"day={found.day}" in learn_page.origin(found)
    assert example_decision(book["rates.decay_factor"]) is None


def test_rules_stand_where_agents_apply_them() -> None:
    seen: dict[str, set[object]] = defaultdict(set)
    at = "morning"

    def note(one: Decision) -> None:
        seen[at].add(one.rule)

    model = ReferenceModel(argument_ranges().scenario, 1, 0, trace=note)
    while model.running:
        at = "morning"
        model.timeline_speaks()
        for at in STEPS:
            getattr(model, at)()
        model.day_is_recorded()
    known = {place.name: set(place.rules) for place in day_steps()}
    for step in STEPS:
        applied_there = {one for one in seen[step] if str(getattr(one, "__module__", "")).startswith("sim.rules.")}
        assert applied_there, step
        assert applied_there <= known[step], step
    assert [place.name for place in steps_of(militia.fear)] == ["militias_adapt"]
    # A state or an argument that is called as a rule is not that rule.
    assert [place.name for place in steps_of(militia.capacity)] == ["militias_adapt"]
    assert [place.name for place in steps_of(target.limited_response_probability)] == ["target_responds"]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule module more, which nothing knows of."""
    (tmp_path / "weariness.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(sim.rules, "__path__", [*sim.rules.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "sim.rules.weariness", raising=False)


@pytest.mark.usefixtures("toy")
def test_a_rule_that_is_added_appears_by_itself() -> None:
    book = chapters(argument_ranges())
    chapter = next(one for one in book if one.name == "weariness")
    fatigue, collapses = chapter.entries
    assert fatigue.doc.formula == ("w <- w / h + n, nothing while it rests",)
    assert [one.kind for one in fatigue.arguments] == ["number", "number", "whole", "flag"]
    half_life = fatigue.argument("half_life")
    assert half_life.low > 0.0
    values = {"now": 2.0, "half_life": 2.0, "attacks": 3.0, "resting": 0.0}
    assert curve(fatigue, values, "resting").ys == (4.0, 0.0)
    assert curve(fatigue, values, "attacks").steps
    assert best_over(collapses, {"draw": 0.2, "likely": 0.5}) == "draw"
    page = LearnPage(book)
    page.show(*parse_rule(book, {"rule": "weariness.fatigue", "now": "4"}))
    assert page.pick.value == "weariness.fatigue"
    assert "gives <strong>5</strong>" in page.result.object
    assert "another &lt;day&gt;" in page.heading.object
    assert "F03: " in page.details.object
    assert "No step of the day applies it" in page.details.object
    page.sliders["attacks"].value = 1
    assert "gives <strong>3</strong>" in page.result.object
    assert page.plot.now.data["y"] != page.plot.worked.data["y"]
    sys.modules.pop("sim.rules.weariness")


def test_a_rule_without_a_result_somewhere_has_a_gap_there(toy: None) -> None:
    fatigue = next(one for one in chapters(argument_ranges()) if one.name == "weariness").entries[0]
    assert math.isnan(applied(fatigue, {"now": 1.0, "half_life": 0.0, "attacks": 0.0, "resting": 0.0}))
    sys.modules.pop("sim.rules.weariness")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"rule": "militia.feer"}, "rule = militia.feer: allowed one of 78 names, nearest: militia.fear"),
        ({"rule": "militia.fear", "own": "7"}, "own = 7: allowed a number from 0 to 2"),
        ({"rule": "militia.fear", "own": "nan"}, "own = nan: allowed a number from 0 to 2"),
        ({"rule": "militia.fear", "own": "__import__('os')"}, "own = __import__('os'): allowed a number from 0 to 2"),
        ({"rule": "militia.fear", "over": "hope"}, "over = hope: allowed "),
        ({"rule": "militia.fear", "hope": "1"}, "hope = 1: allowed "),
    ],
)
def test_what_an_address_may_not_ask_for_is_said_in_a_line(settings: dict[str, str], line: str) -> None:
    with pytest.raises(UserError) as problem:
        parse_rule(chapters(argument_ranges()), settings)
    assert str(problem.value).startswith(line)
    assert "\n" not in str(problem.value)


def test_a_page_says_what_was_wrong_and_shows_the_first_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.app.learn.learn_page.url_settings", lambda: {"rule": "<b>"})
    page = LearnPage(chapters(argument_ranges()))
    assert "rule = &lt;b&gt;: allowed" in page.problem.object
    assert page.entry.key == "militia.attack_rate"
    page.next.clicks += 1
    assert page.entry.key == "militia.burst"
    assert page.problem.object == ""


def test_searching_leaves_the_rules_with_all_the_words(book: dict[str, RuleEntry]) -> None:
    page = LearnPage(chapters(argument_ranges()))
    page.search.value_input = "fear F05"
    assert "militia.fear" in page.found.object
    assert "rates.decay_factor" not in page.found.object
    page.search.value_input = "nonsense"
    assert f"None of {len(book)} rules" in page.found.object


def test_visitors_share_nothing_that_changes() -> None:
    one, other = LearnPage(chapters(argument_ranges())), LearnPage(chapters(argument_ranges()))
    before = dict(other.values)
    one.sliders["fear"].value = 1.5
    assert one.values["fear"] == 1.5
    assert other.values == before
