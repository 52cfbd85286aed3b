"""Play in a real browser: it steps and plays, goes where it is asked to, and its numbers are the kernel's."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from sim.app.play.stepwise_run import config_of_scenario
from sim.experiment.ensemble import state_table
from sim.numbers.philox import RUN_LIMIT
from tests.app.conftest import WIDTHS, Visit

pytestmark = pytest.mark.browser
PINNED_DEATHS = "Kataib Hezbollah across the Jordanian border killed 3 soldiers, as documented."


def day_heading(page: Any) -> str:
    """Return the heading of the day that is shown."""
    return str(page.get_by_role("heading", level=2).first.inner_text())


def wait_for_day(page: Any, day: int) -> None:
    page.get_by_role("heading", name=f"Day {day} of").wait_for()


def day_shown(page: Any) -> int:
    """Return the number of the day that is shown."""
    return int(day_heading(page).split()[1])


def wait_until(page: Any, true: Callable[[], bool]) -> None:
    """Look again and again for half a minute at most."""
    for _ in range(600):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"half a minute later it is still {day_heading(page)}")


def wait_for_address(page: Any, part: str) -> None:
    page.wait_for_function("part => location.search.includes(part)", arg=part)


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def type_in(page: Any, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Enter")


def table(page: Any, name: str) -> dict[str, str]:
    """Return the full values of a table's states, by row and state."""
    cells = page.locator(f"table#{name} td[data-state]")
    return dict(
        cells.evaluate_all(
            "cells => cells.map(one => [(one.closest('tr').dataset.wing || one.closest('tr').dataset.theatre || '')"
            " + '/' + one.dataset.state, one.title])"
        )
    )


@pytest.fixture(params=WIDTHS.values(), ids=list(WIDTHS))
def any_width(request: pytest.FixtureRequest, visit: Callable[..., Visit]) -> Visit:
    return visit(request.param)


def test_it_steps_goes_back_and_jumps(visit: Callable[..., Visit]) -> None:
    page = visit().open("/play")
    assert day_heading(page).startswith("Day 0 of 329")
    press(page, "Step")
    wait_for_day(page, 1)
    wait_for_address(page, "day=1")
    press(page, "Step")
    wait_for_day(page, 2)
    press(page, "Back")
    wait_for_day(page, 1)
    type_in(page, "Go to day", "103")
    wait_for_day(page, 103)
    page.get_by_text(PINNED_DEATHS).wait_for()
    press(page, "Next event")
    wait_for_day(page, 104)
    type_in(page, "Run", str(RUN_LIMIT - 1))
    wait_for_address(page, f"run={RUN_LIMIT - 1}")
    wait_for_day(page, 104)
    press(page, "First")
    wait_for_day(page, 0)


def test_it_plays_and_pauses(visit: Callable[..., Visit]) -> None:
    page = visit().open("/play?day=95")
    page.get_by_label("Speed").select_option("10 days a second")
    began = time.monotonic()
    press(page, "Play")
    # A single day is there for a tenth of a second, which a look may miss.
    wait_until(page, lambda: day_shown(page) >= 100)
    press(page, "Pause")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    played_s = time.monotonic() - began
    paused = day_heading(page)
    page.wait_for_timeout(600)
    assert day_heading(page) == paused
    day = day_shown(page)
    # The bound moves with the machine: a slow browser presses Pause later, and the days go on until then.
    assert 100 <= day <= 95 + 10 * played_s + 1
    wait_for_address(page, f"day={day}")


def test_the_keyboard_does_all_of_it(visit: Callable[..., Visit]) -> None:
    page = visit().open("/play")
    page.get_by_label("Run", exact=True).focus()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "() => { let one = document.activeElement; while (one.shadowRoot?.activeElement)"
                " one = one.shadowRoot.activeElement; return one.innerText || one.value || one.tagName; }"
            )
        )
        if reached[-1] == "Step":
            break
    assert "Step" in reached, reached
    page.keyboard.press("Enter")
    wait_for_day(page, 1)
    page.keyboard.press("Space")
    wait_for_day(page, 2)


def test_a_permalink_restores_and_its_numbers_are_the_kernel_s(any_width: Visit) -> None:
    run = 123_456_789
    page = any_width.open(f"/play?scenario=tight_leash&run={run}&seed=1&day=107")
    wait_for_day(page, 107)
    kernel = state_table(config_of_scenario("tight_leash"), [run]).isel(run=0, day=107)
    of_run, of_theatres, of_wings = (table(page, name) for name in ("run", "theatres", "wings"))
    assert len(of_run) == 30
    assert all(float(text) == float(kernel[key.lstrip("/")]) for key, text in of_run.items())
    for prefix, cells, dimension in (("theatre_", of_theatres, "theatre"), ("wing_", of_wings, "wing")):
        assert len(cells) >= 12
        for place, text in cells.items():
            key, _, state = place.partition("/")
            assert float(text) == float(kernel[prefix + state].sel({dimension: key})), place
    assert page.get_by_label("Run", exact=True).input_value() == str(run)
    assert page.get_by_label("Scenario").input_value() == "Tight leash"
    other = state_table(config_of_scenario("tight_leash"), [run + 1]).isel(run=0, day=107)
    assert any(float(text) != float(other[key.lstrip("/")]) for key, text in of_run.items())


def test_the_address_follows_and_the_back_button_undoes(visit: Callable[..., Visit]) -> None:
    page = visit().open("/play?day=20")
    type_in(page, "Run", "77")
    wait_for_address(page, "run=77")
    page.get_by_label("Scenario").select_option("No restraint by Iran")
    wait_for_address(page, "scenario=no_restraint")
    page.go_back()
    page.wait_for_function("() => location.search.includes('run=77') && location.search.includes('scenario=article')")
    page.wait_for_function("() => window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
    page.get_by_role("heading", name="Day 20 of").wait_for()
    assert page.get_by_label("Scenario").input_value() == "Documented history"
    assert page.get_by_label("Run", exact=True).input_value() == "77"


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("run=-1", f"run = -1: allowed a whole number from 0 to {RUN_LIMIT - 1}"),
        ("day=400", "day = 400: allowed a whole number from 0 to 329"),
        ("scenario=atricle", "scenario = atricle: allowed one of"),
        ("scenario=%3Cscript%3Ealert(1)%3C/script%3E", "scenario = <script>alert(1)</script>: allowed"),
        ("seed=1&seed=2", "seed = 1 2: allowed one value, given once"),
    ],
)
def test_a_bad_permalink_gives_one_line(visit: Callable[..., Visit], address: str, line: str) -> None:
    page = visit().open(f"/play?{address}")
    printed = page.get_by_role("alert")
    printed.wait_for()
    assert printed.count() == 1
    assert printed.inner_text().startswith(line)
    assert "Traceback" not in page.content()
    wait_for_day(page, 0)


def test_a_bad_number_typed_gives_an_error_and_changes_nothing(visit: Callable[..., Visit]) -> None:
    page = visit().open("/play?day=3")
    type_in(page, "Run", "many")
    page.get_by_text("run = many: allowed a whole number from 0 to").wait_for()
    wait_for_day(page, 3)
    type_in(page, "Run", "5")
    page.get_by_text("run = many").wait_for(state="detached")
    wait_for_address(page, "run=5")


def test_why_leads_to_the_rule_with_its_numbers(visit: Callable[..., Visit]) -> None:
    page = visit().open("/play?run=0&day=103")
    page.get_by_role("link", name=f"the rule behind: {PINNED_DEATHS}").click()
    page.get_by_role("heading", name="Toll casualties.toll").wait_for()
    page.get_by_text("pinned=yes, documented=3) gives 3").wait_for()


def test_a_click_on_the_line_goes_to_that_day(visit: Callable[..., Visit]) -> None:
    page = visit().open("/play?day=100")
    box = page.locator("canvas").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.15, box["y"] + box["height"] * 0.6)
    page.wait_for_function("() => !location.search.includes('day=100') && location.search.includes('day=')")
    day = int(day_heading(page).split()[1])
    assert 20 < day < 60


def test_the_page_fits_its_width(any_width: Visit) -> None:
    page = any_width.open("/play?day=108")
    wide, room = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room


def test_two_visitors_have_runs_of_their_own(visit: Callable[..., Visit]) -> None:
    one, other = visit().open("/play"), visit().open("/play?run=9&day=50")
    press(one, "Step")
    wait_for_day(one, 1)
    type_in(one, "Run", "3")
    wait_for_address(one, "run=3")
    assert day_heading(other).startswith("Day 50 of")
    assert other.get_by_label("Run", exact=True).input_value() == "9"
