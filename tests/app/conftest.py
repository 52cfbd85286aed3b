"""The page served as a user starts it, and visitors who look at it in a real browser with the network shut."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.app.looks import chromium
from tests.app.served import serving

WIDTHS = {"phone": 390, "desk": 1280}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a served page, without the last slash."""
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served.site


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


class Visit:
    """A visitor with a browser of their own, what it complained of, and what it asked of anybody but the server."""

    def __init__(self, browser: Any, site: str, width: int) -> None:
        self.site = site
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": 844})
        self.context.set_default_timeout(30_000)
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda one: self.complaints.append(str(one)))

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _answer(self, route: Any) -> None:
        if route.request.url.startswith((self.site, self.site.replace("http", "ws", 1))):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()

    def open(self, address: str) -> Any:
        """Open a page and wait until it is there; `address` is what follows the site, such as `/play?day=3`."""
        self.page.goto(self.site + address)
        self.page.wait_for_function("() => window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
        return self.page


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Callable[..., Visit]]:
    """What makes a visitor; at the end none of their browsers may have complained or asked elsewhere."""
    made: list[Visit] = []

    def new(width: int = WIDTHS["desk"]) -> Visit:
        made.append(Visit(browser, site, width))
        return made[-1]

    yield new
    for one in made:
        one.context.close()
        assert one.complaints == []
        assert one.asked == []
