"""Explore without a browser: what can be set is what is declared, what is shown and taken away is what was lived."""

import csv
import gc
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

from sim.study.calibration.shipped import shipped_posterior
from sim.study.comparison.comparing import compare
from sim.study.live.desk import Desk, Shown
from sim.study.live.file import opened
from sim.study.live.link import asked_of, usual
from sim.study.live.lived import TOTAL
from sim.study.live.pair import SHOWN
from sim.study.live.settings import ground_of
from sim.study.patterns import judge
from sim.study.simulation import simulate
from sim.study.stream import tallied
from sim.study.summary import outcome_rows, statistics, weekly_rows
from sim.view.app.explore import choice, tables
from sim.view.app.explore.chart import FanChart
from sim.view.app.explore.controls import form_of, state_of
from sim.view.app.explore.files import made
from sim.view.app.explore.marks import marks_of
from sim.view.app.explore.reproduce import FILES, PAIR_FILES, python, take_away
from sim.view.app.explore.visitor import Visitor
from sim.view.tables import percent
from sim.world.errors import UserError
from sim.world.mechanisms import MECHANISM_NAMES
from sim.world.parameters import Declaration, Prior, shared_declarations
from sim.world.scenario import load

FEW = 400
MOVED = {"patron.control": "0.5"}
PAIR = {**MOVED, "b.scenario": "tight_leash", "b.patron.control": "0.9"}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    made_desk = Desk(ground_of((f"study.runs={FEW}",)))
    yield made_desk
    made_desk.close()


def shown(desk: Desk, texts: dict[str, str]) -> Shown:
    return desk.show(asked_of(desk.ground, texts))


def values(html: str, kind: str) -> dict[str, dict[str, float | None]]:
    """Return the full numbers that stand in the rows of a table, by row and name."""
    found: dict[str, dict[str, float | None]] = {}
    for row in re.findall(rf"<tr data-{kind}='.*?>", html):
        name = re.search(rf"data-{kind}='(\w+)'", row)[1]  # type: ignore[index]
        told = dict(re.findall(r'data-(\w+)="([^"]*)"', row))
        found[name] = {key: None if text == "None" else float(text) for key, text in told.items()}
    return found


def words_of(html: str) -> str:
    """Return what a reader reads, without the marks of HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- what can be set ----------------------------------------------------------------------------------------


def sliders(desk: Desk, texts: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    form = form_of(desk.ground, desk.ground.config(asked_of(desk.ground, texts or {}).a))
    made_sliders = [one for group in form["groups"] for one in group["sliders"]]
    assert len({one["key"] for one in made_sliders}) == len(made_sliders)
    return {one["key"]: one for one in made_sliders}


def test_every_declared_number_has_one_slider_with_its_unit_and_range(desk: Desk) -> None:
    made_sliders = sliders(desk)
    assert set(made_sliders) == set(shared_declarations())
    for key, one in shared_declarations().items():
        slider = made_sliders[key]
        assert (slider["least"], slider["most"]) == (one.low, one.high), key
        assert slider["unit"] == ("" if one.unit == "1" else one.unit), key
        assert one.low <= slider["low"] <= one.default <= slider["high"] <= one.high, key
        assert 40 <= (slider["high"] - slider["low"]) / slider["step"] <= 100, key
        if one.prior.shape in ("uniform", "log_uniform"):
            assert (slider["low"], slider["high"]) == (one.prior.a, one.prior.b), key
        assert not slider["ratio"] or slider["low"] > 0.0, key


def test_a_number_that_is_declared_anew_gets_a_slider_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Declaration(
        4.0, 1.0, 16.0, "sighs/day", Prior("log_uniform", 2.0, 8.0), "assumed", "invented",
        "patience of the target; a toy", "p",
    )  # fmt: skip
    monkeypatch.setattr(choice, "shared_declarations", lambda: {**shared_declarations(), "target.patience": added})
    slider = sliders(desk)["target.patience"]
    assert (slider["label"], slider["hint"]) == ("Patience of the United States", "a toy")
    assert (slider["unit"], slider["least"], slider["most"]) == ("sighs/day", 1.0, 16.0)
    assert (slider["low"], slider["high"], slider["ratio"]) == (2.0, 8.0, True)


def test_switches_and_scenarios_are_all_there_and_names_those_of_the_case(desk: Desk) -> None:
    form = form_of(desk.ground, desk.ground.config(usual(desk.ground).a))
    assert [one["key"] for one in form["switches"]] == [f"mechanisms.{name}" for name in MECHANISM_NAMES]
    assert [one["name"] for one in form["scenarios"]] == list(desk.ground.names)
    assert all(one["question"] for one in form["scenarios"])
    assert form["groups"][0]["title"] == "Iran"
    other = str(form_of(desk.ground, desk.ground.config(asked_of(desk.ground, {"scenario": "salt_coast"}).a))["groups"])
    assert "Tarvenia" in other
    assert "Iran" not in other


def test_the_state_tells_what_is_set_and_what_the_scenario_says(desk: Desk) -> None:
    state = state_of(desk.ground, asked_of(desk.ground, PAIR | {"seed": "7"}), 3)
    assert (state["serial"], state["seed"], state["texts"]) == (3, "7", PAIR | {"seed": "7"})
    assert (state["a"]["values"]["patron.control"], state["a"]["own"]["patron.control"]) == (0.5, 0.75)
    assert (state["b"]["values"]["patron.control"], state["b"]["own"]["patron.control"]) == (0.9, 1.0)
    assert state_of(desk.ground, usual(desk.ground), 0)["b"] is None


# --- what is shown ------------------------------------------------------------------------------------------


def told_by_simulate(texts: dict[str, str], scenario: str = "article") -> dict[str, Any]:
    return {one.name: one for one in statistics(tallied(simulate(scenario, runs=FEW, overrides=dict(texts))))}


def test_outcomes_are_those_of_simulate_and_not_those_of_other_settings(desk: Desk) -> None:
    html = tables.outcomes(shown(desk, MOVED).a)
    told = values(html, "outcome")
    expected, other = told_by_simulate(MOVED), told_by_simulate({})
    assert set(told) == set(expected)
    for name, row in told.items():
        assert row == {key: getattr(expected[name], key) for key in ("median", "q05", "q95", "mean")}, name
    assert told["lull_days"]["median"] != other["lull_days"].median
    assert f"{FEW} histories" in words_of(html)


def test_the_numbers_in_front_are_the_medians(desk: Desk) -> None:
    expected = told_by_simulate(MOVED)
    told = words_of(tables.key_figures(shown(desk, MOVED)))
    assert f"{expected['acknowledged_campaign'].median:g} " in told
    assert f"{expected['lull_days'].median:g} " in told
    assert re.search(r"\d% ± \d.*direct war|direct war\* \d+\.\d% ± ", told), told
    both = words_of(tables.key_figures(shown(desk, PAIR)))
    assert both.count("A ") == both.count("B ") == 5
    assert "A " not in told


def test_every_sign_of_the_numbers_is_told(desk: Desk) -> None:
    one = shown(desk, MOVED)
    legend = words_of(tables.legend(one.a.config, pair=False))
    assert "* assumed numbers" in legend
    assert "nine in ten" in legend
    for html in (tables.outcomes(one.a), tables.outcomes(one.a, "A")):
        assert "* assumed numbers" in words_of(html)
    assert words_of(tables.outcomes(one.a, "A")).startswith("Outcomes of A, ")
    assert words_of(tables.patterns(one.a.config, one.verdicts, "A")).startswith("Does A look like")


def test_direct_war_is_told_over_parameter_sets_before_its_monte_carlo_error(desk: Desk) -> None:
    one = shown(desk, MOVED)
    (war,) = (
        row for row in shipped_posterior(one.a.config.scenario.cast).about["results"]["ahead"] if row["name"] == "war"
    )
    told = words_of(tables.outcomes(one.a))
    for low, _, high in (war["before"], war["after"]):
        assert told.index(f"{percent(low)} to {percent(high)} over") < told.index("± Monte Carlo error")
    assert "one parameter set among many" in told
    assert tables.war_over_sets(load(["scenario=salt_coast"]).scenario.cast) == ""


def test_a_pair_is_that_of_compare(desk: Desk) -> None:
    told = values(tables.pair(shown(desk, PAIR)), "measure")
    entries = ["article;patron.control=0.5", "tight_leash;patron.control=0.9"]
    data = compare(entries, runs=FEW, parameters="defaults").isel(comparison=0)
    assert set(told) == {*SHOWN, *(f"{name}_until_war" for name in SHOWN if name != "war")}
    for line, row in told.items():
        name = line.removesuffix("_until_war")
        apart = "no_war_" if name == line != "war" else ""
        for key, variable in (("a", "value_a"), ("b", "value_b"), ("difference", "difference")):
            expected = float(data[f"{apart}{variable}"].sel(measure=name))
            assert row[key] == pytest.approx(expected, nan_ok=True), (line, key)
    assert told["quiet_days"]["difference"] != told["quiet_days_until_war"]["difference"]
    words = words_of(tables.pair(shown(desk, PAIR)))
    assert f"among the {percent(float(data['no_war_share'].sel(measure='deaths')))} of pairs without war" in words
    assert told["acknowledged_lull"]["difference"] < -0.5  # type: ignore[operator]
    assert tables.pair(shown(desk, MOVED)) == ""


def test_a_pair_of_the_same_has_no_difference(desk: Desk) -> None:
    told = values(tables.pair(shown(desk, {**MOVED, "b.scenario": "article", "b.patron.control": "0.5"})), "measure")
    assert {row["difference"] for row in told.values()} == {0.0}


def test_patterns_wait_are_judged_and_can_fail(desk: Desk) -> None:
    broken = {"multipliers.baseline": "2"}
    one = shown(desk, broken)
    at_once = tables.patterns(one.a.config, one.verdicts)
    waiting = int(re.search(r"data-waiting='(\d+)'", at_once)[1])  # type: ignore[index]
    assert waiting == len(one.a.config.patterns) - len(one.verdicts) > 0
    assert at_once.count("class='waiting'") == waiting
    verdicts = (*one.verdicts, *one.a.verdicts_later())
    whole = tables.patterns(one.a.config, verdicts)
    expected = list(judge(one.a.config, one.a.data))
    assert "data-waiting='0'" in whole
    assert (whole.count("✓"), whole.count("✗")) == tuple(
        sum(verdict.holds == kind for verdict in expected) for kind in (True, False)
    )
    assert "✗" in whole
    assert whole.index("P1<") < whole.index("P14<")
    assert "the target" not in words_of(whole)


def test_text_from_data_is_escaped(desk: Desk) -> None:
    one = shown(desk, {})
    scenario = one.a.config.scenario
    cast = replace(scenario.cast, names=replace(scenario.cast.names, patron="<b>Iran</b>", target="<i>x</i>"))
    config = replace(one.a.config, scenario=replace(scenario, cast=cast))
    nasty = replace(one, a=replace(one.a, config=config))
    for html in (
        tables.key_figures(nasty), tables.outcomes(nasty.a), tables.patterns(config, nasty.verdicts),
        tables.legend(config, pair=True),
    ):  # fmt: skip
        assert "<b>Iran" not in html
        assert "<i>x" not in html


# --- the chart ----------------------------------------------------------------------------------------------


def drawn(one: Shown) -> FanChart:
    chart = FanChart(one.a.config)
    chart.show(one)
    return chart


def source_of(chart: FanChart) -> dict[str, Any]:
    source: Any = chart.part.select_one({"name": "bands"})
    return dict(source.data)


def figures_of(chart: FanChart) -> list[Any]:
    return [one for one, _ in ((place if isinstance(place, tuple) else (place, 0)) for place in chart.part.children)]


def titles(figure: Any) -> list[str]:
    return [one.text for one in figure.above if hasattr(one, "text")]


def test_the_bands_drawn_are_those_that_were_lived(desk: Desk) -> None:
    one = shown(desk, PAIR)
    assert one.b is not None
    data = source_of(drawn(one))
    compared = 0
    for mark, lived in (("a", one.a), ("b", one.b)):
        for name in ("iraq", "syria", TOTAL):
            for key in ("q05", "q25", "median", "q75", "q95"):
                steps = data[f"{mark} {name} {key}"]
                assert len(steps) == len(data["day"])
                np.testing.assert_array_equal(steps[:-1], lived.bands[name][key])
                compared += 1
    assert compared == 30
    assert not np.array_equal(data["a iraq median"], data["b iraq median"])
    assert data["day"][0] == np.datetime64(one.a.config.scenario.calendar.start, "ms")


def test_b_is_drawn_where_there_is_one_and_a_stays_visible_behind_it(desk: Desk) -> None:
    for texts, pair in ((MOVED, False), (PAIR, True)):
        chart = drawn(shown(desk, texts))
        lines = [r for figure in figures_of(chart) for r in figure.renderers if hasattr(r, "glyph")]
        seen = {r.visible for r in lines if getattr(r.glyph, "y", "").startswith("b ")}
        assert seen == {pair}
        widths = {r.glyph.line_width for r in lines if re.fullmatch(r"a .*median", str(getattr(r.glyph, "y", "")))}
        assert max(widths) == (5 if pair else 2)


def test_every_axis_reaches_above_what_is_drawn(desk: Desk) -> None:
    # Nobody restrains them and they attack twice as often: axes must grow.
    usual_ends, high_ends = (
        {titles(figure)[-1]: figure.y_range.end for figure in figures_of(drawn(shown(desk, texts)))}
        for texts in ({}, {"multipliers.baseline": "2"})
    )
    assert set(usual_ends) == set(high_ends)
    assert high_ends["Syria"] > usual_ends["Syria"]
    one = shown(desk, {"multipliers.baseline": "2"})
    assert high_ends["Syria"] > np.nanmax(one.a.bands["syria"]["q95"])


def test_marks_and_words_are_those_of_the_article(desk: Desk) -> None:
    config = shown(desk, {}).a.config
    calendar = config.scenario.calendar
    marks = {mark.theatre: mark for mark in marks_of(config)}
    assert marks[TOTAL].weekly == pytest.approx(170 * 7 / len(calendar.campaign))
    assert (marks[TOTAL].first, marks[TOTAL].last) == (calendar.campaign.start, calendar.campaign.stop)
    assert marks["iraq"].weekly == 0.0
    assert marks["syria"].weekly == pytest.approx(2 * 7 / len(calendar.lull))
    said = [text for figure in figures_of(drawn(shown(desk, {}))) for text in titles(figure)]
    assert "Article: at least 170 in four months" in said
    assert "All on the United States, acknowledged, a week" in said
    other = shown(desk, {"scenario": "salt_coast"})
    assert marks_of(other.a.config) == ()
    assert not any(text.startswith("Article") for figure in figures_of(drawn(other)) for text in titles(figure))


def test_the_legend_tells_every_sign_that_is_drawn_and_no_other(desk: Desk) -> None:
    one, pair = shown(desk, {}).a.config, shown(desk, {"scenario": "salt_coast"}).a.config
    single = tables.legend(one, pair=False)
    assert "class='article'" in single
    assert "class='other'" not in single
    assert "class='other'" in tables.legend(one, pair=True)
    assert "class='article'" not in tables.legend(pair, pair=False)
    assert "2 Feb" in single
    assert "27 Feb" in single


# --- a visit ------------------------------------------------------------------------------------------------


class Turns:
    """In place of a browser's document: what is to be done on the visitor's own turn is done when a test says so."""

    def __init__(self) -> None:
        self.acts: Queue[Callable[[], None]] = Queue()

    def add_next_tick_callback(self, act: Callable[[], None]) -> None:
        self.acts.put(act)

    def add_timeout_callback(self, act: Callable[[], None], pause: int) -> None:
        self.acts.put(act)

    def until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.acts.get(timeout=60)()


@pytest.fixture
def visitor(desk: Desk) -> Visitor:
    return arrived(desk)


def arrived(desk: Desk) -> Visitor:
    made_visitor = Visitor(desk, Turns())  # type: ignore[arg-type]
    made_visitor.begin()
    turns(made_visitor).until(lambda: made_visitor.shown is not None)
    return made_visitor


def turns(visitor: Visitor) -> Turns:
    assert isinstance(visitor.document, Turns)
    return visitor.document


def ask(visitor: Visitor, serial: int, texts: dict[str, Any]) -> None:
    visitor.controls.asked = {"serial": serial, "texts": texts}


def answered(visitor: Visitor, serial: int) -> None:
    turns(visitor).until(lambda: visitor.controls.state["serial"] == serial)


def medians(visitor: Visitor) -> dict[str, Any]:
    return {name: row["median"] for name, row in values(visitor.numbers.object, "outcome").items()}


def test_a_move_is_answered_with_numbers_chart_link_and_files(visitor: Visitor) -> None:
    before, bands = medians(visitor), source_of(visitor.chart)  # type: ignore[arg-type]
    ask(visitor, 1, MOVED)
    answered(visitor, 1)
    assert medians(visitor)["lull_days"] == told_by_simulate(MOVED)["lull_days"].median != before["lull_days"]
    after = source_of(visitor.chart)  # type: ignore[arg-type]
    assert not np.array_equal(after["a  median"], bands["a  median"])
    assert visitor.link.part.value == "=patron.control=0.5"
    assert "files/outcomes.csv?patron.control=0.5" in visitor.away.object
    turns(visitor).until(lambda: "data-waiting='0'" in visitor.verdicts.object)


def test_the_newest_of_many_moves_is_what_stays(visitor: Visitor) -> None:
    for serial in range(1, 9):
        ask(visitor, serial, {"patron.control": f"{0.4 + serial / 20:g}"})
    answered(visitor, 8)
    assert visitor.link.part.value == "=patron.control=0.8"
    assert visitor.controls.state["a"]["values"]["patron.control"] == 0.8


BAD_MOVES = {
    "patron.control = 7": {"patron.control": "7"},
    "patron.control = __import__('os')": {"patron.control": "__import__('os')"},
    "patron.control = ${oc.env:HOME}": {"patron.control": "${oc.env:HOME}"},
    "scenario = ../../etc/passwd": {"scenario": "../../etc/passwd"},
    "seed = -1": {"seed": "-1"},
    "study.runs = 10": {"study.runs": "10"},
    "b.patron.grip = 1": {"b.patron.grip": "1"},
    "scenario": {"b.scenario": "salt_coast"},
    "&lt;script&gt; = 1": {"<script>": "1"},
}


@pytest.mark.parametrize("line", BAD_MOVES)
def test_a_bad_move_is_told_in_a_line_and_changes_nothing(visitor: Visitor, line: str) -> None:
    before = medians(visitor)
    ask(visitor, 1, BAD_MOVES[line])
    answered(visitor, 1)
    assert visitor.message.visible
    assert f"class='mistake'>{line.replace(chr(39), '&#x27;')}" in visitor.message.object
    assert "<script>" not in visitor.message.object
    assert visitor.controls.state["texts"] == {}
    assert medians(visitor) == before
    ask(visitor, 2, MOVED)
    answered(visitor, 2)
    assert not visitor.message.visible


@pytest.mark.parametrize("message", [{}, {"texts": 3, "serial": 1}, {"texts": [1], "serial": "x"}, {"serial": {}}])
def test_messages_of_another_form_do_no_harm(desk: Desk, message: dict[str, Any]) -> None:
    visitor = arrived(desk)
    visitor.controls.asked = message
    ask(visitor, 9, MOVED)
    answered(visitor, 9)
    assert visitor.link.part.value == "=patron.control=0.5"


def test_a_scenario_file_sets_a_or_b(visitor: Visitor) -> None:
    text = "patron: {control: 0.5}\nmechanisms: {fear: false}\n"
    visitor.controls.upload = {"serial": 1, "side": "a", "text": text, "texts": {}}
    answered(visitor, 1)
    assert visitor.controls.state["texts"] == {"patron.control": "0.5", "mechanisms.fear": "false"}
    visitor.controls.upload = {"serial": 2, "side": "b", "text": text, "texts": {"patron.control": "0.6"}}
    answered(visitor, 2)
    assert visitor.controls.state["texts"] == {
        "patron.control": "0.6", "b.scenario": "article", "b.patron.control": "0.5", "b.mechanisms.fear": "false",
    }  # fmt: skip
    assert "What B changes" in visitor.numbers.object
    assert visitor.title.object.startswith("<h2 aria-live='polite'>A: ")


def test_a_bad_file_is_told_in_a_line_and_nothing_in_it_is_carried_out(visitor: Visitor, tmp_path: Path) -> None:
    hit = tmp_path / "hit"
    for serial, text in enumerate(
        (f"a: !!python/object/apply:os.system ['touch {hit}']", "patron: {control: '${oc.env:HOME}'}", "[", "\x00"), 1
    ):
        visitor.controls.upload = {"serial": serial, "side": "a", "text": text, "texts": {}}
        answered(visitor, serial)
        assert visitor.message.visible
        assert "class='mistake'>file" in visitor.message.object
        assert visitor.message.object.count("\n") == 0
        assert visitor.controls.state["texts"] == {}
    assert not hit.exists()


def test_another_case_brings_its_names_and_panels(visitor: Visitor) -> None:
    before = visitor.chart
    ask(visitor, 1, {"scenario": "salt_coast"})
    answered(visitor, 1)
    assert visitor.chart is not before
    assert "Tarvenia" in str(visitor.controls.form["groups"])
    assert "Ondrel Republic" in visitor.title.object
    ask(visitor, 2, {})
    answered(visitor, 2)
    assert "Iran" in str(visitor.controls.form["groups"])


def test_nobody_judges_for_a_visitor_who_left(desk: Desk) -> None:
    for leaves in (False, True):
        visitor = arrived(desk)
        shown_now = visitor.shown
        assert shown_now is not None
        wish = visitor._wish
        if leaves:
            visitor.leave()
        assert bool(list(desk.judge(shown_now, lambda: wish is not visitor._wish))) is not leaves  # noqa: B023


def test_what_is_overtaken_waits_for_no_collector(desk: Desk) -> None:
    one = shown(desk, MOVED)
    # Whatever earlier visitors still have judged is done first.
    desk.patient.submit(int).result()
    gc.collect()
    gc.disable()
    try:
        assert list(desk.judge(one, lambda: True)) == []
        # Frames, futures and arrays of the work that was stopped would be hundreds.
        assert gc.collect() < 20
    finally:
        gc.enable()


def test_what_is_remembered_of_an_ensemble_is_small(desk: Desk) -> None:
    lived = shown(desk, MOVED).a
    held = 0
    for array in lived.output:
        while isinstance(array, np.ndarray) and array.base is not None:
            array = array.base
        held += getattr(array, "nbytes", 0)
    by_day = FEW * lived.config.scenario.calendar.days * len(lived.config.scenario.cast.theatres) * 2 * 2
    # A slice of what was counted by day would hold all of it.
    assert held < by_day / 2


def test_visitors_share_nothing_that_changes(desk: Desk) -> None:
    one, other = arrived(desk), arrived(desk)
    before = medians(other)
    ask(one, 1, MOVED)
    answered(one, 1)
    assert other.controls.state["texts"] == {}
    assert medians(other) == before != medians(one)


# --- what is taken away -------------------------------------------------------------------------------------

QUERY = "patron.control=0.5&b.scenario=tight_leash"


def test_files_hold_what_is_shown(desk: Desk, tmp_path: Path) -> None:
    asked = asked_of(desk.ground, {"patron.control": "0.5"})
    data = simulate("article", runs=FEW, overrides={"patron.control": 0.5})
    assert opened(desk.ground, made(desk, "scenario.yaml", "patron.control=0.5").decode()) == asked.a
    config = yaml.safe_load(made(desk, "config.yaml", "patron.control=0.5"))
    assert (config["patron"]["control"], config["study"]["runs"], config["seed"]) == (0.5, FEW, 1)
    for name, rows in (("outcomes.csv", outcome_rows(statistics(tallied(data)))), ("weekly.csv", weekly_rows(data))):
        read = list(csv.DictReader(io.StringIO(made(desk, name, "patron.control=0.5").decode())))
        assert read == [{key: "" if one is None else str(one) for key, one in row.items()} for row in rows], name
        other = list(csv.DictReader(io.StringIO(made(desk, name, "").decode())))
        assert read != other, name
    (tmp_path / "histories.nc").write_bytes(made(desk, "histories.nc", "patron.control=0.5"))
    with xr.open_dataset(tmp_path / "histories.nc", engine="h5netcdf") as kept:
        for outcome in ("lull_days", "deaths", "war_day"):
            np.testing.assert_array_equal(kept[outcome].values, data[outcome].values)
        assert "patron" in str(kept.attrs)


def test_files_of_a_pair_and_pictures(desk: Desk) -> None:
    assert opened(desk.ground, made(desk, "scenario_b.yaml", QUERY).decode()).scenario == "tight_leash"
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(made(desk, "differences.csv", QUERY).decode()))}
    expected = {row.measure.name: row.effect for row in shown(desk, dict(PAIR) | {"b.patron.control": "1"}).rows}
    assert {name: float(row["difference"]) for name, row in rows.items()} == pytest.approx(
        {name: effect.difference for name, effect in expected.items()}, nan_ok=True
    )
    assert made(desk, "figure.png", QUERY).startswith(b"\x89PNG")
    svg = made(desk, "figure.svg", QUERY)
    assert b"<svg" in svg[:2000]
    assert b"United States" in svg
    patterns = list(csv.DictReader(io.StringIO(made(desk, "patterns.csv", "").decode())))
    assert [row["id"] for row in patterns] == [f"P{k}" for k in range(1, 15)]


@pytest.mark.parametrize(
    ("name", "query", "line"),
    [
        ("scenario_b.yaml", "", "file = scenario_b.yaml"),
        ("secrets.csv", "", "file = secrets.csv"),
        ("outcomes.csv", "patron.control=9", "patron.control = 9"),
        ("outcomes.csv", "patron.control=1&patron.control=0.5", "patron.control = 1 0.5"),
        ("outcomes.csv", "patron.control=%24%7Boc.env%3AHOME%7D", "patron.control = ${oc.env:HOME}"),
    ],
)
def test_what_is_no_file_of_these_settings_is_told(desk: Desk, name: str, query: str, line: str) -> None:
    with pytest.raises(UserError, match=r"^[^\n]+$") as told:
        made(desk, name, query)
    assert str(told.value).startswith(line)


def test_the_lines_of_python_make_the_same_numbers(desk: Desk) -> None:
    asked = asked_of(desk.ground, {"scenario": "no_order", "history": "free", "mechanisms.fear": "false", "seed": "7"})
    names: dict[str, Any] = {}
    exec(python(desk.ground, asked), names)
    assert statistics(tallied(names["data"])) == desk.show(asked).a.stats
    assert statistics(tallied(names["data"])) != desk.show(usual(desk.ground)).a.stats


def test_every_file_is_offered_and_those_of_a_pair_only_with_one(desk: Desk) -> None:
    single, pair = (take_away(desk.ground, asked_of(desk.ground, texts)) for texts in (MOVED, PAIR))
    assert [name for name in FILES if f"files/{name}?" not in single] == []
    assert not any(name in single for name in PAIR_FILES)
    assert all(f"files/{name}?" in pair for name in PAIR_FILES)
    assert "href='explore?patron.control=0.5&amp;b.scenario=tight_leash" in pair
