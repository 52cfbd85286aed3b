"""How fast the page answers a move, and how it bears several visitors at once."""

import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest

from tests.app.conftest import Visit
from tests.app.exploring import (
    DOCUMENT,
    agrees,
    arrive,
    elsewhere,
    press,
    serial,
    simulated,
    slide,
    table_values,
    texts,
    visible_keys,
)  # fmt: skip
from tests.app.served import Served, serving

pytestmark = pytest.mark.browser

MOVES = 50
MEDIAN = 300.0
NINETEEN_IN_TWENTY = 600.0
"""Milliseconds from the browser's event of a move to the chart that shows it."""
VISITORS = 10
ROUNDS = 10
MINUTE = 60.0
LEFT_OVER = 32 * 2**20
"""Bytes by which the server may be larger than after as many visitors before: a tenth of what ten of them take."""
EXPIRY = 60.0
"""Seconds in which what visitors left is thrown away: the server waits a quarter of a minute for them to come back,
looks every quarter of a minute, and as often gives back what is free."""

CLOCK = f"""() => {{
  // From an event of input to the frame on which every panel is painted anew with the data that followed.
  const models = {DOCUMENT}, source = models.find((one) => one.name === "bands");
  const views = models.filter((one) => one.type === "Figure").map((one) => Bokeh.index.get_one(one));
  const clock = window.clock = {{moved: 0, came: 0, done: [], way: []}}, painted = new Map();
  const look = () => {{
    if (!clock.came || views.some((view) => (painted.get(view) ?? 0) < clock.came)) return;
    const {{moved, came}} = clock;
    clock.came = clock.moved = 0;
    // A message that is posted in a frame's callback is heard once that frame is on its way to the screen.
    requestAnimationFrame(() => {{
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {{ clock.done.push(performance.now() - moved); clock.way.push(came - moved); }};
      channel.port2.postMessage(null);
    }});
  }};
  for (const view of views) {{
    const paint = view.paint.bind(view);
    view.paint = (...given) => {{ paint(...given); painted.set(view, performance.now()); look(); }};
  }}
  document.addEventListener("input", (event) => {{ clock.moved ||= event.timeStamp; }}, true);
  source.properties.data.change.connect(() => {{ clock.came = performance.now(); }});
  return views.length;
}}"""


@pytest.mark.long
@pytest.mark.parametrize("query", ["", "?b.scenario=tight_leash"], ids=["alone", "pair"])
def test_the_chart_follows_a_move_at_once(visit: Callable[..., Visit], query: str) -> None:
    dice = random.Random(1)
    page = arrive(visit(), query)
    page.locator("[data-waiting='0']").wait_for()
    assert page.evaluate(CLOCK) == 6
    keys = visible_keys(page)
    assert len(keys) >= 6
    for move in range(MOVES):
        key = dice.choice(keys)
        if move % 5 == 4:
            press(page, key, "ArrowLeft" if elsewhere(dice, page, key) < 0.5 else "ArrowRight")
        else:
            slide(page, key, elsewhere(dice, page, key))
        page.wait_for_function("(moves) => clock.done.length > moves", arg=move)
        # A hand rests between moves, and while it does patterns are judged, which the next move overtakes.
        page.wait_for_timeout(dice.choice((20, 150, 600)))
    took, way = sorted(page.evaluate("clock.done")), sorted(page.evaluate("clock.way"))
    assert len(took) == MOVES
    late = took[-(-MOVES * 19 // 20) - 1]
    print(
        f"\nslider to chart, {query or 'alone'}: median {median(took):.0f} ms, 95% {late:.0f} ms, most {took[-1]:.0f}"
        f" ms; of it until the data came: median {median(way):.0f} ms"
    )
    assert median(took) <= MEDIAN
    assert late <= NINETEEN_IN_TWENTY


def test_a_chart_that_comes_late_would_be_noticed(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    page.evaluate(CLOCK)
    # Every move is held back for longer than the bar allows.
    page.evaluate(
        f"""() => {{
          const source = {DOCUMENT}.find((one) => one.name === "bands"), end = () => performance.now() + 700;
          source.properties.data.change.connect(() => {{ for (const until = end(); performance.now() < until;) {{}} }});
        }}"""
    )
    slide(page, "patron.control", 0.1)
    page.wait_for_function("() => clock.done.length > 0")
    assert page.evaluate("clock.done[0]") > NINETEEN_IN_TWENTY


def test_two_visitors_do_not_see_each_other_s_settings(visit: Callable[..., Visit]) -> None:
    one, other = arrive(visit()), arrive(visit(), "?scenario=tight_leash")
    before = table_values(other)
    for key in ("patron.war_risk_half_life", "patron.gains_weight"):
        press(one, key, "Home")
        press(other, key, "End")
    assert {key: float(text) for key, text in texts(one).items()} == {
        "patron.war_risk_half_life": 5.0, "patron.gains_weight": 0.0,
    }  # fmt: skip
    assert texts(other)["scenario"] == "tight_leash"
    assert float(texts(other)["patron.war_risk_half_life"]) == 45.0
    assert agrees(table_values(one), simulated(texts(one)))
    assert agrees(table_values(other), simulated(texts(other)))
    assert not agrees(table_values(one), simulated(texts(other)))
    assert table_values(other) != before


# --- ten visitors -------------------------------------------------------------------------------------------


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as served:
        yield served


def size(served: Served) -> int:
    return int(psutil.Process(served.process.pid).memory_info().rss)


def crowd(browser: Any, served: Served, rounds: int, seconds: float, seed: int) -> int:
    """Have ten visitors move a slider each in turn, so many times and so long at least, and go; how often they moved.

    None of them may see an error.
    """
    dice = random.Random(seed)
    visitors = [Visit(browser, served.site, 1280) for _ in range(VISITORS)]
    pages = [arrive(one) for one in visitors]
    end, moves = time.monotonic() + seconds, 0
    while moves < rounds * VISITORS or time.monotonic() < end:
        for page in pages:
            key = dice.choice(visible_keys(page))
            slide(page, key, elsewhere(dice, page, key))
            moves += 1
    for page in pages:
        before = serial(page)
        press(page, "patron.control", "Home", "End")
        assert serial(page) > before
        assert texts(page)["patron.control"] == "1.0"
    for one in visitors:
        one.context.close()
        assert one.complaints == []
        assert one.asked == []
    return moves


def settled(served: Served, most: float) -> int:
    """Wait until the server is no larger than that, or for as long as what was left is kept; how large it is then."""
    end = time.monotonic() + EXPIRY
    while (now := size(served)) > most and time.monotonic() < end:
        time.sleep(1)
    return now


def resting(served: Served) -> int:
    """Wait for as long as what visitors left is kept; how large the server is then."""
    return settled(served, 0)


@pytest.mark.long
def test_ten_visitors_for_a_minute_leave_nothing_behind(browser: Any, busy: Served) -> None:
    begun = size(busy)
    crowd(browser, busy, ROUNDS, 0.0, seed=1)
    warm = resting(busy)
    moves = crowd(browser, busy, ROUNDS, MINUTE, seed=2)
    crowded = size(busy)
    left = settled(busy, warm + LEFT_OVER)
    print(
        f"\n{moves} moves of {VISITORS} visitors; memory of the server in MiB: {begun / 2**20:.0f} at first,"
        f" {warm / 2**20:.0f} after as many visitors, {crowded / 2**20:.0f} as the minute ended,"
        f" {left / 2**20:.0f} after"
    )
    assert moves >= ROUNDS * VISITORS
    assert left <= warm + LEFT_OVER
    assert re.fullmatch(r"Ready at \S+ .*\n", busy.output()), busy.output()
