"""Learn in a real browser: every rule's curve is there and moves with a slider."""

from collections.abc import Callable
from typing import Any

import pytest

from sim.app.learn.rule_catalog import RuleEntry, argument_ranges, chapters
from tests.app.conftest import WIDTHS, Visit

pytestmark = pytest.mark.browser

CURVE = """() => {
  // The curve as set: the second line of the only figure.
  for (const doc of Bokeh.documents) for (const model of doc._all_models.values())
    if (model.type === "Figure" && model.renderers.length > 2) return Array.from(model.renderers[1].data_source.data.y);
  return [];
}"""
DRAWN = """() => {
  const canvas = [];
  const walk = node => { for (const one of node.querySelectorAll("*")) {
    if (one.tagName === "CANVAS" && one.width * one.height > 0) canvas.push(one);
    if (one.shadowRoot) walk(one.shadowRoot); } };
  walk(document);
  return canvas.length;
}"""


@pytest.fixture(scope="module")
def book() -> dict[str, RuleEntry]:
    return {entry.key: entry for chapter in chapters(argument_ranges()) for entry in chapter.entries}


def choose(page: Any, key: str) -> None:
    page.get_by_label("Rule", exact=True).select_option(label=key.partition(".")[2].replace("_", " "))
    page.get_by_role("heading", level=2).filter(has_text=key).wait_for()
    page.wait_for_function("() => Bokeh.documents[0].is_idle")
    page.get_by_role("heading", name=key).wait_for()


def move_something(page: Any, entry: RuleEntry, over: str) -> bool:
    """Move the sliders and ticks of a rule one by one until its curve is another; whether it became one."""
    before = page.evaluate(CURVE)
    for one in entry.arguments:
        if one.name == over:
            continue
        if one.kind == "flag":
            flag = page.get_by_label(one.name, exact=True)
            flag.select_option("no" if flag.input_value() == "yes" else "yes")
        else:
            handle = page.get_by_role("slider").nth(
                [a.name for a in entry.arguments if a.kind != "flag"].index(one.name)
            )
            handle.focus()
            middle = (one.low + one.high) / 2
            now = float(handle.get_attribute("aria-valuenow"))
            handle.press("End" if now < middle else "Home")
        if becomes_another(page, before):
            return True
    return False


def becomes_another(page: Any, before: list[float]) -> bool:
    """Whether the curve is another within some seconds."""
    for _ in range(60):
        if page.evaluate(CURVE) != before:
            return True
        page.wait_for_timeout(50)
    return False


def test_every_rule_shows_its_curve_and_most_move_with_a_slider(
    visit: Callable[..., Visit], book: dict[str, RuleEntry]
) -> None:
    page = visit().open("/learn")
    still = []
    for key, entry in book.items():
        choose(page, key)
        page.wait_for_function(f"() => ({CURVE})().length > 1")
        assert page.evaluate(DRAWN) >= 1, key
        over = page.get_by_label("Drawn over").input_value()
        if not move_something(page, entry, over):
            still.append(key)
    # A rule of one argument has no other to move.
    assert set(still) <= {key for key, entry in book.items() if len(entry.arguments) == 1}, still


def test_a_slider_moves_result_and_address_and_the_address_restores(visit: Callable[..., Visit]) -> None:
    page = visit().open("/learn?rule=militia.fear&over=struck")
    page.get_by_role("heading", name="Fear militia.fear").wait_for()
    page.get_by_role("slider").first.focus()
    page.keyboard.press("Home")
    page.get_by_text("fear(now=0,").wait_for()
    page.wait_for_function("() => new URLSearchParams(location.search).get('now') === '0'")
    curve = page.evaluate(CURVE)
    again = visit().open(page.url.removeprefix(visit().site))
    again.get_by_text("fear(now=0,").wait_for()
    assert again.evaluate(CURVE) == pytest.approx(curve, rel=1e-3)
    assert again.get_by_label("Drawn over").input_value() == "struck"


def test_search_index_and_the_way_back(visit: Callable[..., Visit]) -> None:
    page = visit().open("/learn")
    page.get_by_label("Find rules by words").press_sequentially("half-life")
    page.get_by_role("link", name="rates.decay_factor", exact=True).first.click()
    page.get_by_role("heading", name="Decay factor rates.decay_factor").wait_for()
    page.get_by_role("button", name="Next rule").click()
    page.get_by_role("heading", name="Rate to probability rates.rate_to_probability").wait_for()
    page.wait_for_function("() => location.search.includes('rates.rate_to_probability')")
    page.go_back()
    page.get_by_role("heading", name="Decay factor rates.decay_factor").wait_for()
    page.get_by_role("link", name="war gate").first.click()
    page.get_by_role("heading", name="War gate rival.war_gate").wait_for()


def test_a_case_from_a_history_leads_to_its_day(visit: Callable[..., Visit]) -> None:
    page = visit().open("/learn?rule=casualties.number_killed")
    page.get_by_role("button", name="As in a run").click()
    page.get_by_role("link", name="see that day").click()
    page.get_by_role("heading", name="Day 103 of 329").wait_for()


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("rule=militia.feer", "rule = militia.feer: allowed one of 78 names, nearest: militia.fear"),
        ("rule=militia.fear&own=9", "own = 9: allowed a number from 0 to 2"),
        ("rule=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "rule = <img src=x onerror=alert(1)>: allowed"),
    ],
)
def test_a_bad_permalink_gives_one_line(visit: Callable[..., Visit], address: str, line: str) -> None:
    page = visit().open(f"/learn?{address}")
    printed = page.get_by_role("alert")
    printed.wait_for()
    assert printed.inner_text().startswith(line)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=list(WIDTHS))
def test_no_rule_is_wider_than_the_page(visit: Callable[..., Visit], book: dict[str, RuleEntry], width: int) -> None:
    page = visit(width).open("/learn")
    for key in ("militia.attack_rate", "patron.war_risk", "patron.next_phase", "target.provocation", "casualties.fate"):
        assert key in book
        choose(page, key)
        wide, room = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room, key
