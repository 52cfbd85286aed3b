"""The site as `make docs` has built it: nothing comes from outside, every link inside leads somewhere, all is found."""

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from sim.cli import VERBS
from sim.model.facts import load_facts
from tests.notebooks import notebooks

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "site"
LOADED = {
    ("img", "src"),
    ("script", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("source", "srcset"),
}
"""What a browser fetches without being asked."""

pytestmark = pytest.mark.docs


class Parsed(HTMLParser):
    """A page: its anchors, where its links lead, and what is loaded with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.anchors.add(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")
            elif (tag, name) in LOADED:
                self.loaded.append(value or "")


@cache
def pages() -> dict[Path, Parsed]:
    """Every page of the site."""
    assert (SITE / "index.html").is_file(), "no site here: make docs builds it"
    return {path: Parsed(path.read_text(encoding="utf-8")) for path in sorted(SITE.rglob("*.html"))}


def outside(page: Parsed) -> list[str]:
    """What a page loads from elsewhere."""
    return [one for one in page.loaded if urlsplit(one).netloc or urlsplit(one).scheme not in ("", "data")]


def dead(path: Path, page: Parsed, known: dict[Path, Parsed]) -> Iterator[str]:
    """The links and pictures of a page that lead nowhere on the site."""
    for one in [*page.links, *page.loaded]:
        parts = urlsplit(one)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        target = target / "index.html" if target.is_dir() else target
        if not target.exists() or (target in known and unquote(parts.fragment) not in known[target].anchors):
            yield one


def test_nothing_is_loaded_from_elsewhere():
    assert {str(path): found for path, page in pages().items() if (found := outside(page))} == {}
    for sheet in SITE.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_link_inside_leads_somewhere():
    assert {str(path): found for path, page in pages().items() if (found := list(dead(path, page, pages())))} == {}


def test_dead_links_and_outside_assets_are_noticed():
    page = Parsed('<img src="//cdn.org/x.png"><script src="https://a.org/b.js"></script><p id="here">')
    assert outside(page) == ["//cdn.org/x.png", "https://a.org/b.js"]
    links = Parsed('<a href="#here">a</a><a href="#gone">b</a><a href="gone.html">c</a><a href="https://a.org">d</a>')
    links.anchors |= page.anchors
    path = SITE / "index.html"
    assert list(dead(path, links, {path: links})) == ["#gone", "gone.html"]


def test_every_document_notebook_and_experiment_has_its_page_in_the_menu():
    menu = set(pages()[SITE / "index.html"].links)
    wanted = {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md") if path.stem != "index"}
    wanted |= {f"tutorials/{path.stem}.html" for path in notebooks()}
    wanted |= {f"experiments/{path.parent.name}/index.html" for path in (ROOT / "experiments").glob("*/README.md")}
    assert wanted - menu == set()


def test_the_reference_has_every_verb_fact_and_public_name():
    import sim

    command, facts = (pages()[SITE / "reference" / f"{name}.html"].anchors for name in ("commands", "facts"))
    assert {f"lull-{verb}" for verb in VERBS} <= command
    assert {fact.id.lower() for fact in load_facts()} <= facts
    for name in {f"sim.{name}" for name in sim.__all__} - {"sim.__version__"}:
        assert name in pages()[SITE / "reference" / "python" / f"{name}.html"].anchors


def test_search_works_without_a_server():
    found = re.fullmatch(r"Search\.setIndex\((.*)\);?", (SITE / "searchindex.js").read_text(encoding="utf-8").strip())
    assert found is not None
    index = json.loads(found[1])
    assert "reference/rules" in index["docnames"]
    assert index["terms"]["mediat"]


def test_formulas_are_drawn_by_the_browser_itself():
    assert not [path for path, page in pages().items() if any("mathjax" in one.lower() for one in page.loaded)]
