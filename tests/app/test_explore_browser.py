"""Explore in a real browser: every move shows, and what it shows is what `simulate` says of the address."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sim import compare
from sim.app.form_settings import load_base, parse_scenario, parse_state
from tests.analysis.events.files import calendar
from tests.app.conftest import WIDTHS, Visit
from tests.app.exploring import (
    BANDS,
    RUNS,
    agrees,
    answered,
    arrive,
    elsewhere,
    press,
    serial,
    simulated,
    slide,
    slider,
    table_values,
    texts,
    visible_keys,
)  # fmt: skip
from tests.app.looks import FOCUSED, HIDDEN, UNNAMED, contrast, weak

pytestmark = pytest.mark.browser


@pytest.fixture(params=WIDTHS.values(), ids=list(WIDTHS))
def any_width(request: pytest.FixtureRequest, visit: Callable[..., Visit]) -> Visit:
    return visit(request.param)


def headline_of(page: Any) -> str:
    return str(page.get_by_role("heading", name="in the model").inner_text())


def unfold(page: Any) -> None:
    page.locator("summary").evaluate_all("(all) => all.forEach((one) => { one.parentElement.open = true; })")


# --- a move -------------------------------------------------------------------------------------------------


def test_it_begins_with_the_article_as_simulate_gives_it(any_width: Visit) -> None:
    page = arrive(any_width)
    assert agrees(table_values(page), simulated({}))
    assert not agrees(table_values(page), simulated({"patron.control": "0.5"}))
    assert page.get_by_label("Scenario", exact=True).input_value() == "article"
    assert texts(page) == {}


def test_the_keyboard_moves_a_slider_and_everything_follows(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    before, bands, headline = table_values(page), page.evaluate(BANDS), headline_of(page)
    press(page, "patron.control", "Home")
    assert texts(page) == {"patron.control": "0.4"}
    assert page.locator("input[data-typed='patron.control']").input_value() == "0.4"
    assert page.evaluate(BANDS) != bands
    assert table_values(page) != before
    assert agrees(table_values(page), simulated({"patron.control": "0.4"}))
    press(page, "patron.control", "ArrowRight", "ArrowRight")
    assert texts(page) == {"patron.control": "0.42"}
    before_back = serial(page)
    page.get_by_role("button", name="Control over the proxies: as in the scenario").click()
    answered(page, before_back)
    assert texts(page) == {}
    assert table_values(page) == before
    assert page.evaluate(BANDS) == bands
    unfold(page)
    press(page, "multipliers.baseline", "Home")
    assert headline_of(page) != headline


def test_the_mouse_drags_a_slider_and_the_chart_follows_on_the_way(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    seen = [page.evaluate(BANDS)]
    box = slider(page, "patron.control").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.58, box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.4, 0.2, 0.03):
        before = serial(page)
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2, steps=4)
        answered(page, before)
        seen.append(page.evaluate(BANDS))
    page.mouse.up()
    assert all(one != other for at, one in enumerate(seen) for other in seen[:at])
    assert float(texts(page)["patron.control"]) < 0.45


@pytest.mark.parametrize("seed", [1, 2])
def test_after_random_moves_numbers_are_those_of_simulate_at_the_address(
    visit: Callable[..., Visit], seed: int
) -> None:
    dice = random.Random(seed)
    page = arrive(visit())
    unfold(page)
    keys = visible_keys(page)
    assert len(keys) > 60
    for key in dice.sample(keys, 8):
        before = serial(page)
        slide(page, key, elsewhere(dice, page, key))
        answered(page, before)
        assert key in texts(page)
    before = serial(page)
    page.get_by_label("Strikes frighten the militias").uncheck()
    answered(page, before)
    given = texts(page)
    assert len(given) == 9
    assert agrees(table_values(page), simulated(given))
    assert not agrees(table_values(page), simulated({**given, "seed": "2"}))
    given.popitem()
    assert not agrees(table_values(page), simulated(given))


def test_moves_faster_than_answers_end_where_the_last_one_went(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    press(page, "patron.control", "Home", *["ArrowRight"] * 25, "End", "ArrowLeft")
    assert texts(page) == {"patron.control": "0.99"}
    assert agrees(table_values(page), simulated({"patron.control": "0.99"}))


def test_a_number_may_be_typed_and_one_out_of_range_gives_an_error(any_width: Visit) -> None:
    page = arrive(any_width)
    field = page.locator("input[data-typed='patron.control']")
    for text in ("7", "-1"):
        before = serial(page)
        field.fill(text)
        field.press("Enter")
        answered(page, before)
        alert = page.get_by_role("alert")
        alert.wait_for()
        assert alert.inner_text().startswith(f"patron.control = {float(text)}: allowed 0 to 1")
        box = alert.bounding_box()
        # The visitor sees what is wrong without scrolling.
        assert 0 <= box["y"] < box["y"] + box["height"] <= 844
        assert field.input_value() == "0.75"
        assert texts(page) == {}
    before = serial(page)
    # The slider spans the prior; what is declared beyond may be typed.
    field.fill("0.1")
    field.press("Enter")
    answered(page, before)
    page.get_by_role("alert").wait_for(state="hidden")
    assert texts(page) == {"patron.control": "0.1"}
    assert float(slider(page, "patron.control").get_attribute("min")) == 0.1


def test_scenario_history_seed_and_reset(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    unfold(page)
    before = serial(page)
    page.get_by_label("Scenario", exact=True).select_option("no_order")
    answered(page, before)
    page.get_by_label("History free").check()
    answered(page, before + 1)
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Seed").press("Enter")
    answered(page, before + 2)
    press(page, "patron.control", "End")
    expected = {"scenario": "no_order", "history": "free", "patron.control": "1.0", "seed": "7"}
    assert texts(page) == expected
    assert agrees(table_values(page), simulated(expected))
    before = serial(page)
    page.get_by_role("button", name="All as in the scenario", exact=True).click()
    answered(page, before)
    assert texts(page) == {"scenario": "no_order", "seed": "7"}


def test_another_case_has_its_own_names(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    before = serial(page)
    page.get_by_label("Scenario", exact=True).select_option("salt_coast")
    answered(page, before)
    page.locator("summary", has_text="Tarvenia").wait_for()
    assert page.locator("summary", has_text="Iran").count() == 0
    press(page, "patron.control", "Home")
    assert agrees(table_values(page), simulated({"scenario": "salt_coast", "patron.control": "0.4"}))


def test_patterns_are_judged_while_one_rests(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    page.locator("[data-waiting='0']").wait_for()
    assert page.locator("tr[data-pattern]").count() == 12
    assert page.locator("td.waiting").count() == 0
    assert page.locator("td.fails").count() == 0
    unfold(page)
    press(page, "multipliers.baseline", "End")
    page.locator("[data-waiting='0']").wait_for()
    assert page.locator("td.fails").count() > 0


# --- A against B --------------------------------------------------------------------------------------------


def test_a_against_b_is_what_compare_says(any_width: Visit) -> None:
    page = arrive(any_width)
    assert page.get_by_role("radio").count() == 0
    before = serial(page)
    page.get_by_label("Compare with a second scenario, B").check()
    answered(page, before)
    # B begins as A is, and is what the controls set now.
    assert {row["difference"] for row in table_values(page, "measure").values()} == {0.0}
    assert page.get_by_label("B", exact=True).is_checked()
    before = serial(page)
    page.get_by_label("Scenario", exact=True).select_option("tight_leash")
    answered(page, before)
    page.get_by_label("A", exact=True).check()
    assert page.get_by_label("Scenario", exact=True).input_value() == "article"
    press(page, "patron.control", "Home")
    assert texts(page) == {"patron.control": "0.4", "b.scenario": "tight_leash"}
    shown = table_values(page, "measure")
    data = compare(["article;patron.control=0.4", "tight_leash"], runs=RUNS, parameters="defaults").data.isel(
        comparison=0
    )
    for line, row in shown.items():
        name = line.removesuffix("_until_war")
        apart = "no_war_" if name == line != "war" else ""
        for key, variable in (("a", "baseline_value"), ("b", "scenario_value"), ("difference", "difference")):
            expected = float(data[f"{apart}{variable}"].sel(measure=name))
            assert row[key] == pytest.approx(expected, nan_ok=True), (line, key)
    assert shown["acknowledged_lull"]["difference"] != 0.0
    bands = page.evaluate(BANDS)
    assert bands["a iraq median"] != bands["b iraq median"]
    before = serial(page)
    page.get_by_label("Compare with a second scenario, B").uncheck()
    answered(page, before)
    assert texts(page) == {"patron.control": "0.4"}
    assert table_values(page, "measure") == {}
    assert agrees(table_values(page), simulated({"patron.control": "0.4"}))


def test_a_pair_of_two_cases_is_refused_in_a_line(visit: Callable[..., Visit]) -> None:
    page = arrive(visit())
    before = serial(page)
    page.get_by_label("Compare with a second scenario, B").check()
    answered(page, before)
    page.get_by_label("Scenario", exact=True).select_option("salt_coast")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "salt_coast" in alert.inner_text()
    assert page.get_by_label("Scenario", exact=True).input_value() == "article"


# --- links and files ----------------------------------------------------------------------------------------

LINK = (
    "?scenario=no_order&history=free&patron.control=0.5&mechanisms.fear=false"
    "&b.scenario=article&b.patron.control=0.9&seed=7"
)


def test_a_permalink_restores_all_of_it(visit: Callable[..., Visit]) -> None:
    page = arrive(visit(), LINK)
    unfold(page)
    assert page.get_by_label("Scenario", exact=True).input_value() == "no_order"
    assert page.get_by_label("History free").is_checked()
    assert not page.get_by_label("Strikes frighten the militias").is_checked()
    assert page.get_by_label("Strikes embitter the militias").is_checked()
    assert page.get_by_label("Seed").input_value() == "7"
    assert page.locator("input[data-typed='patron.control']").input_value() == "0.5"
    page.get_by_label("B", exact=True).check()
    assert page.locator("input[data-typed='patron.control']").input_value() == "0.9"
    assert page.get_by_label("Scenario", exact=True).input_value() == "article"
    base = load_base(())
    given = {**texts(page)}
    assert parse_state(base, given) == parse_state(base, dict(one.split("=") for one in LINK[1:].split("&")))
    link = page.locator("#permalink").get_attribute("href")
    other = arrive(visit(), "?" + link.partition("?")[2])
    assert table_values(other) == table_values(page)
    assert table_values(other, "measure") == table_values(page, "measure")
    assert other.evaluate(BANDS) == page.evaluate(BANDS)
    assert arrive(visit()).evaluate(BANDS) != page.evaluate(BANDS)


BAD = {
    "patron.contro=1": "patron.contro = 1: allowed keys: one of",
    "patron.control=7": "patron.control = 7.0: allowed 0 to 1",
    "patron.control=${oc.env:HOME}": "patron.control = ${oc.env:HOME}: allowed a number from 0 to 1",
    "patron.control=__import__('os')": "patron.control = __import__('os'): allowed a number from 0 to 1",
    "scenario=<img src=x onerror=window.hit++>": "scenario = <img src=x onerror=window.hit++>: allowed ",
    "<script>window.hit++</script>=1": "<script>window.hit++</script> = 1: allowed keys",
    "scenario=../../etc/passwd": "scenario = ../../etc/passwd: allowed ",
    "b.patron.control=x": "b.patron.control = x: allowed a number from 0 to 1",
    "seed=-1": "seed = -1: allowed a whole number from 0",
    "patron.control=1&patron.control=0.5": "patron.control = 1 0.5: allowed one value, given once",
    "&".join(f"k{n}=1" for n in range(200)): "address = 200 settings: allowed at most 100",
    "study.runs=1000000": "study.runs = 1000000: allowed keys",
}


@pytest.mark.parametrize("bad", BAD, ids=[one[:30] for one in BAD])
def test_a_bad_permalink_gives_one_line_and_the_default_is_shown(visit: Callable[..., Visit], bad: str) -> None:
    page = arrive(visit(), "?" + quote(bad, safe="=&"))
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.count() == 1
    assert alert.inner_text().startswith(BAD[bad])
    assert "\n" not in alert.inner_text()
    # Whatever ran would have made something of it.
    assert page.evaluate("() => window.hit === undefined")
    assert "Traceback" not in page.content()
    assert page.locator("input[data-typed='patron.control']").input_value() == "0.75"
    press(page, "patron.control", "Home")
    alert.wait_for(state="hidden")


def test_what_is_taken_away_is_what_is_shown(visit: Callable[..., Visit], tmp_path: Path) -> None:
    page = arrive(visit(), "?patron.control=0.5&b.scenario=tight_leash")
    base = load_base(())
    links = page.locator("ul.files a")
    assert links.count() == 10
    kept = {}
    for link in links.all():
        with page.expect_download() as loading:
            link.click()
        path = tmp_path / loading.value.suggested_filename
        loading.value.save_as(path)
        kept[path.name] = path.read_bytes()
    assert parse_scenario(base, kept["lull-scenario.yaml"].decode()) == parse_state(base, {"patron.control": "0.5"}).a
    assert parse_scenario(base, kept["lull-scenario_b.yaml"].decode()).scenario == "tight_leash"
    assert "control: 0.5" in kept["lull-config.yaml"].decode()
    median = table_values(page)["lull_days"]["median"]
    line = next(one for one in kept["lull-outcomes.csv"].decode().splitlines() if one.startswith("lull_days,"))
    assert str(median) in line.split(",")
    assert kept["lull-figure.png"].startswith(b"\x89PNG")
    assert b"<svg" in kept["lull-figure.svg"][:2000]
    assert kept["lull-histories.nc"][:4] == b"\x89HDF"
    assert all(len(content) > 100 for content in kept.values())


def test_a_scenario_that_is_saved_can_be_loaded(visit: Callable[..., Visit], tmp_path: Path) -> None:
    page = arrive(visit(), "?scenario=no_order&patron.control=0.5&mechanisms.fear=false")
    with page.expect_download() as loading:
        page.get_by_role("link", name="scenario, for lull run").click()
    loading.value.save_as(tmp_path / "mine.yaml")
    other = arrive(visit())
    unfold(other)
    before = serial(other)
    other.get_by_label("Load a scenario file (YAML)").set_input_files(tmp_path / "mine.yaml")
    answered(other, before)
    assert texts(other) == texts(page)
    assert table_values(other) == table_values(page)


@pytest.mark.parametrize(
    "content", ["a: !!python/object/apply:os.system [ls]", "events: {x: {kind: major}}", "[" * 500]
)
def test_a_bad_file_gives_one_line(visit: Callable[..., Visit], tmp_path: Path, content: str) -> None:
    page = arrive(visit())
    unfold(page)
    (tmp_path / "bad.yaml").write_text(content, encoding="utf-8")
    before = serial(page)
    page.get_by_label("Load a scenario file (YAML)").set_input_files(tmp_path / "bad.yaml")
    answered(page, before)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith("file")
    assert texts(page) == {}


# --- for everybody ------------------------------------------------------------------------------------------

PLACES = ("/explore", "/explore?patron.control=0.5&b.scenario=tight_leash", "/play?day=103", "/learn")


def looked_at(visitor: Visit, address: str) -> Any:
    """Open a page and all that is folded in it, once it is there."""
    page = visitor.open(address)
    page.locator("canvas").first.wait_for()
    page.locator("h2:visible").first.wait_for()
    unfold(page)
    return page


@pytest.mark.parametrize("address", PLACES)
def test_text_stands_out_fits_and_can_be_read(any_width: Visit, address: str) -> None:
    page = looked_at(any_width, address)
    assert weak(page) == set()
    wide, room = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room
    assert page.evaluate(HIDDEN) == []


def test_what_cannot_be_read_or_does_not_fit_is_noticed(visit: Callable[..., Visit]) -> None:
    page = arrive(visit(WIDTHS["phone"]))
    page.evaluate(
        "() => { document.querySelector('h1').style.color = '#aaa'; document.querySelector('h1').style.width = '500px';"
        " const one = document.createElement('input'); document.querySelector('main').append(one); }"
    )
    assert {text for text, *_ in weak(page)} == {"What would other choices have done?"}
    assert len(page.evaluate(HIDDEN)) == 1
    assert len(page.evaluate(UNNAMED)) == 1


@pytest.mark.parametrize("address", PLACES)
def test_every_control_has_a_name(visit: Callable[..., Visit], address: str) -> None:
    page = looked_at(visit(), address)
    assert page.evaluate(UNNAMED) == []


def test_the_keyboard_reaches_everything_in_order_and_one_sees_where_it_is(any_width: Visit) -> None:
    page = arrive(any_width, "?patron.control=0.5")
    page.locator("[data-waiting='0']").wait_for()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:
            break
        assert at["outline"] not in ("none", "hidden"), at
        assert at["wide"] >= 2, at
        assert contrast(at["colour"], "rgb(255, 255, 255)") >= 3.0, at
        assert at["seen"], at
        reached.append(at["name"])
    wanted = ["To the page", "Explore", "Play", "Learn", "scenario", "compare", "free", "patron.control", "again"]
    places = [reached.index(name) for name in wanted]
    assert places == sorted(places), reached
    assert reached.count("patron.control") == 2
    assert "link to what is shown" in " ".join(reached) or "permalink" in reached
    assert reached.index("again") < reached.index("permalink")


def test_what_it_cannot_tell_stands_on_every_page(any_width: Visit) -> None:
    for address in ("/explore", "/play", "/learn"):
        page = any_width.open(address)
        page.get_by_text("What this page cannot tell.").wait_for()


# --- a file of the visitor's ----------------------------------------------------------------------------------

DROP = """(zone, content) => {
  const carried = new DataTransfer();
  carried.items.add(new File([content], "dropped.csv", {type: "text/csv"}));
  for (const kind of ["dragover", "drop"])
    zone.dispatchEvent(new DragEvent(kind, {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""


def test_a_file_that_is_dropped_or_chosen_is_forecast(any_width: Visit, tmp_path: Path) -> None:
    page = arrive(any_width)
    weeks = [f"{calendar().start + timedelta(days=7 * week - 1)},{12 * week}" for week in range(1, 12)]
    content = "as_of_date,total\n" + "\n".join(weeks) + "\n"
    page.locator(".zone").evaluate(DROP, "nothing that could be read\n")
    mistake = page.locator("p.mistake")
    mistake.wait_for()
    assert "data = dropped.csv: allowed " in mistake.inner_text()
    page.locator(".zone").evaluate(DROP, content)
    figure = page.locator("img[alt*='a forecast of the model, for comparison with simpler ones']")
    figure.wait_for()
    assert mistake.count() == 0
    assert figure.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 700
    table = page.get_by_role("table", name="Forecast of the model, for comparison with simpler ones")
    assert table.locator("tbody tr").count() == 8
    assert page.get_by_text("cumulative counts: 11 rows, 11 used").count() == 1
    assert page.evaluate(HIDDEN) == []
    assert page.evaluate(UNNAMED) == []
    assert weak(page) == set()
    too_large = tmp_path / "large.csv"
    too_large.write_bytes(b"x" * 5_000_001)
    page.get_by_label("Choose a file, or drop it here").set_input_files(too_large)
    page.get_by_text("data = large.csv: allowed files of at most 5 MB here").wait_for()
