"""Explore as a visitor uses it: with mouse and keyboard, and by what stands on the page."""

import random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from sim.analysis.summary import Statistic, statistics
from sim.experiment.ensemble import simulate, tallied

RUNS = 2000
DOCUMENT = "[...Bokeh.documents[0]._all_models.values()]"
ANSWERED = f"""(serial) => {{
  // Whether all that was asked for is answered, and something was asked for since a message of that number.
  const form = {DOCUMENT}.find((one) => one.data && one.data.form !== undefined).data;
  const asked = Math.max(form.asked.serial ?? 0, form.upload.serial ?? 0);
  return form.state.serial === asked && asked > serial;
}}"""
SERIAL = f"() => {DOCUMENT}.find((one) => one.data && one.data.form !== undefined).data.state.serial"
BANDS = f"""() => {{
  const source = {DOCUMENT}.find((one) => one.name === "bands");
  return Object.fromEntries(Object.entries(source.data instanceof Map ? Object.fromEntries(source.data) : source.data)
    .map(([name, one]) => [name, Array.from(one)]));
}}"""
TABLE_VALUES = """(rows) => Object.fromEntries(rows.map((row) => [row.dataset.outcome ?? row.dataset.measure,
  Object.fromEntries(Object.entries(row.dataset).filter(([key]) => !["outcome", "measure"].includes(key)))]))"""


def arrive(visitor: Any, query: str = "") -> Any:
    """Open the page and wait until the first ensemble is there."""
    page = visitor.open(f"/explore{query}")
    page.locator("dl.key").wait_for()
    page.locator("canvas").first.wait_for()
    return page


def answered(page: Any, since: int) -> None:
    page.wait_for_function(ANSWERED, arg=since)


def serial(page: Any) -> int:
    return int(page.evaluate(SERIAL))


def slider(page: Any, key: str) -> Any:
    return page.locator(f"input[type=range][data-key='{key}']")


def press(page: Any, key: str, *names: str) -> None:
    """Move the slider of a number by keys, and wait for the answer."""
    before = serial(page)
    slider(page, key).focus()
    for name in names:
        page.keyboard.press(name)
    answered(page, before)


def slide(page: Any, key: str, share: float) -> None:
    """Move the slider of a number to a share of its way by the mouse, without waiting."""
    one = slider(page, key)
    one.scroll_into_view_if_needed()
    box = one.bounding_box()
    # The middle of the knob goes from half its width to as much before the end.
    page.mouse.click(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2)


def elsewhere(dice: random.Random, page: Any, key: str) -> float:
    """Return a share of the way of a slider that is not where it stands."""
    now = slider(page, key).evaluate("(one) => (one.value - one.min) / (one.max - one.min)")
    return next(share for share in iter(dice.random, None) if abs(share - now) > 0.1)


def visible_keys(page: Any) -> list[str]:
    """Return the keys of the sliders that are not folded away."""
    found = page.locator("input[type=range]:visible")
    return list(found.evaluate_all("(all) => all.map((one) => one.dataset.key)"))


def table_values(page: Any, kind: str = "outcome") -> dict[str, dict[str, float | None]]:
    """Return the full numbers of a table of the page, by row and name."""
    rows = page.locator(f"tr[data-{kind}]").evaluate_all(TABLE_VALUES)
    return {
        name: {key: None if text == "None" else float(text) for key, text in row.items()} for name, row in rows.items()
    }


def texts(page: Any) -> dict[str, str]:
    """Return the settings in the address of the page."""
    return dict(parse_qsl(urlsplit(page.url).query))


def simulated(given: dict[str, str]) -> dict[str, Statistic]:
    """Return what `simulate` says of the settings in an address, by outcome."""
    others = {key: yaml.safe_load(text) for key, text in given.items() if key not in ("scenario", "seed")}
    scenario, seed = given.get("scenario", "article"), int(given.get("seed", "1"))
    data = simulate(scenario, runs=RUNS, seed=seed, overrides=others)
    return {one.name: one for one in statistics(tallied(data))}


def agrees(shown: dict[str, dict[str, float | None]], expected: dict[str, Statistic]) -> bool:
    """Whether every number of the table of outcomes is that of an ensemble, to the last bit."""
    assert set(shown) == set(expected)
    return all(row == {key: getattr(expected[name], key) for key in row} and row for name, row in shown.items())
