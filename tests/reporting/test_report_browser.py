"""The report in a real browser, at the width of a phone and of a desk, with the network shut.

Left out of `make test`; `make browser` runs it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.app.looks import chromium
from tests.reporting.reports import Made, made_in

pytestmark = pytest.mark.browser

WIDTHS = {"phone": 390, "desk": 1280}
LEAST_CONTRAST = 4.5

TEXTS = """() => {
  // Every piece of text that is shown, with its colour and the colour behind it.
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !one.checkVisibility({visibilityProperty: true})) continue;
    let behind = one, back = "rgba(0, 0, 0, 0)";
    while (behind && back.endsWith(", 0)")) {
      back = getComputedStyle(behind).backgroundColor;
      behind = behind.parentElement;
    }
    found.push([walk.currentNode.data.trim().slice(0, 40), getComputedStyle(one).color, back]);
  }
  return found;
}"""

FOCUSED = """() => {
  const one = document.activeElement, look = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    name: one.tagName, to: one.getAttribute("href"), outline: look.outlineStyle, wide: parseFloat(look.outlineWidth),
    colour: look.outlineColor, seen: box.width > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def report(made: Made) -> Path:
    return made.folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


class Shown:
    """A page that is shown, with what its browser complained of and asked the network for."""

    def __init__(self, browser: Any, path: Path, width: int) -> None:
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": 844})
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()
        self.page.on("console", lambda one: self.complaints.append(one.text))
        self.page.on("pageerror", lambda one: self.complaints.append(str(one)))
        self.page.goto(path.as_uri(), wait_until="load")

    def _answer(self, route: Any) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()


@pytest.fixture(params=WIDTHS.values(), ids=list(WIDTHS))
def shown(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Shown]:
    made = Shown(browser, report, request.param)
    yield made
    made.context.close()


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour written as rgb(r, g, b)."""
    assert colour.startswith("rgb("), colour
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21.0)
    assert contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)") < LEAST_CONTRAST


def test_nothing_is_asked_of_the_network_and_nothing_goes_wrong(shown: Shown) -> None:
    assert shown.asked == []
    assert shown.complaints == []
    loaded = shown.page.evaluate("() => [...document.images].map(one => one.complete && one.naturalWidth)")
    assert len(loaded) >= 4
    assert all(loaded)


def test_a_page_that_asks_and_complains_is_noticed(browser: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<html><body><img src='http://example.org/x.png'><script>nonsense()</script>", encoding="utf-8")
    seen = Shown(browser, bad, 390)
    assert seen.asked == ["http://example.org/x.png"]
    assert seen.complaints
    seen.context.close()


def test_the_page_does_not_scroll_sideways(shown: Shown) -> None:
    wide, room = shown.page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room
    # What is wider scrolls in frames of its own, which the keyboard reaches.
    frames = shown.page.evaluate(
        "() => [...document.querySelectorAll('body *')].filter(one => one.scrollWidth > one.clientWidth + 1 &&"
        " ['auto', 'scroll'].includes(getComputedStyle(one).overflowX)).map(one => one.tabIndex)"
    )
    assert all(place == 0 for place in frames)


def test_headings_go_down_one_level_at_a_time(shown: Shown) -> None:
    levels = shown.page.evaluate(
        "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(one => +one.tagName[1])"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_figures_have_names_and_tables_captions(shown: Shown) -> None:
    assert shown.page.evaluate("() => [...document.querySelectorAll('img:not([alt]), img[alt=\"\"]')].length") == 0
    assert shown.page.evaluate("() => [...document.querySelectorAll('svg:not([aria-label])')].length") == 0
    tables = shown.page.evaluate("() => [...document.querySelectorAll('table')].map(one => one.caption?.textContent)")
    assert len(tables) >= 12
    assert all(tables)
    unnamed = shown.page.evaluate(
        "() => [...document.querySelectorAll('[role=region]')].filter(one => !one.getAttribute('aria-label') &&"
        " !document.getElementById(one.getAttribute('aria-labelledby'))).length"
    )
    assert unnamed == 0


def test_text_stands_out_from_what_is_behind_it(shown: Shown) -> None:
    shown.page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    texts = shown.page.evaluate(TEXTS)
    assert len(texts) > 500
    weak = {(text, ink, back) for text, ink, back in texts if contrast(ink, back) < LEAST_CONTRAST}
    assert weak == set()


def test_the_keyboard_reaches_every_link_and_one_sees_where_it_is(shown: Shown) -> None:
    wanted = shown.page.evaluate("() => [...document.querySelectorAll('a')].map(one => one.getAttribute('href'))")
    reached = []
    for _ in wanted:
        shown.page.keyboard.press("Tab")
        at = shown.page.evaluate(FOCUSED)
        assert at["outline"] not in ("none", "hidden")
        assert at["wide"] >= 2
        assert contrast(at["colour"], "rgb(255, 255, 255)") >= 3.0
        assert at["seen"]
        reached.append(at["to"])
    assert reached == wanted
    shown.page.keyboard.press("Shift+Tab")
    shown.page.evaluate("() => document.querySelector('.skip').focus()")
    shown.page.keyboard.press("Enter")
    assert shown.page.evaluate("() => document.activeElement.id") == "main"


def test_words_can_be_read_without_zooming(shown: Shown) -> None:
    sizes = shown.page.evaluate(
        "() => [...document.querySelectorAll('p, li, td, th, dd, figcaption')].map(one =>"
        " parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 14.0


def test_on_paper_the_contents_go_and_every_number_is_printed(shown: Shown) -> None:
    shown.page.emulate_media(media="print")
    assert not shown.page.is_visible("nav")
    assert shown.page.is_visible("#table-numbers")


PAGE = re.compile(rb"/Type /Page\b")


def pages_of(browser: Any, path: Path) -> list[int]:
    """Return how many sheets of paper a report takes without its annex, and with it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="load")
    whole = page.pdf(prefer_css_page_size=True)
    page.add_style_tag(content=".annex, .annex ~ section, footer { display: none }")
    brief = page.pdf(prefer_css_page_size=True)
    context.close()
    return [len(PAGE.findall(one)) for one in (brief, whole)]


def test_the_brief_fits_two_sheets(made: Made, report: Path, browser: Any, tmp_path: Path) -> None:
    brief, whole = pages_of(browser, report)
    assert brief == 2
    assert whole > 5
    # A control that must not fit: what is said ten times.
    long = tmp_path / "long.html"
    text = report.read_text(encoding="utf-8")
    long.write_text(text.replace(made.page.brief.trust[1][1], made.page.brief.trust[1][1] * 20), encoding="utf-8")
    assert pages_of(browser, long)[0] > 2


def test_axe_finds_nothing_serious(shown: Shown) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def serious() -> list[str]:
        found = axe.run(shown.page).response["violations"]
        return [one["id"] for one in found if one["impact"] in ("serious", "critical")]

    shown.page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    assert serious() == []
    shown.page.evaluate("() => document.images[0].removeAttribute('alt')")
    assert serious() == ["image-alt"]


def test_the_choices_are_read_without_scrolling_sideways(shown: Shown) -> None:
    wide = shown.page.evaluate(
        "() => [...document.querySelectorAll('.brief *')].filter(one => one.getBoundingClientRect().right > innerWidth)"
        ".length"
    )
    assert wide == 0


def test_the_pdf_is_the_same_twice(report: Path, tmp_path: Path, browser: Any) -> None:
    from sim.reporting.report_page import print_page

    papers = [tmp_path / name for name in ("one.pdf", "other.pdf")]
    for paper in papers:
        print_page(report, paper)
    one, other = (paper.read_bytes() for paper in papers)
    assert one == other
    assert one.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in one
    assert b"/Lang" in one
