"""Mesa's own page of the model, as the documents show it, opened in Chromium with the network shut."""

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from sim import ReferenceModel
from sim.app import bound_port

PATIENCE = 120.0
DOCUMENT = Path(__file__).parents[2] / "docs" / "extending.md"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of the page, served by Solara."""
    shown = re.search(r"```python\n(# page\.py\n.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    (tmp_path / "page.py").write_text(shown[1], encoding="utf-8")
    port, log = str(bound_port("localhost", 0)), tmp_path / "log"
    with log.open("wb") as file:
        words = ["-m", "solara", "run", "page.py", "--no-open", "--production", "--port", port]
        server = subprocess.Popen([sys.executable, *words], cwd=tmp_path, stdout=file, stderr=subprocess.STDOUT)
    end = monotonic() + PATIENCE
    try:
        while not answers(f"http://localhost:{port}/"):
            assert server.poll() is None, log.read_text()
            assert monotonic() < end, log.read_text()
            sleep(0.2)
        yield f"http://localhost:{port}/"
    finally:
        server.terminate()
        server.wait(30)


def answers(address: str) -> bool:
    """Whether a server answers there."""
    try:
        urllib.request.urlopen(address, timeout=10).close()
    except OSError:
        return False
    return True


@pytest.mark.browser
def test_mesas_page_steps_through_the_model_and_a_slider_makes_it_anew(browser: Any, site: str) -> None:
    asked: list[str] = []
    page = browser.new_context().new_page()
    page.on("request", lambda one: asked.append(one.url))
    page.goto(site)
    page.get_by_text("Step: 0").wait_for(timeout=60_000)
    for day in range(1, 4):
        page.get_by_role("button", name="Step", exact=True).click()
        page.get_by_text(f"Step: {day}").wait_for()
    assert page.locator("img").count() == 2  # a plot of each of two quantities
    page.get_by_role("button", name="Reset").click()
    page.get_by_text("Step: 0").wait_for()
    assert [one for one in asked if not one.startswith(("data:", "blob:", site, site.replace("http", "ws", 1)))] == []
    model = ReferenceModel("article", run=17)
    model.step()
    assert (model.steps, model.day) == (1, 0)  # the page counts steps, the model days
