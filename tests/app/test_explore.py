"""Explore without a browser: what can be set is what is declared, what is shown and taken away is what was ensemble."""

import csv
import gc
import io
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

from sim import compare
from sim import forecast as sim_forecast
from sim.analysis.pattern_tests import judge
from sim.analysis.summary import outcome_rows, statistics, weekly_rows
from sim.app.explore import outcome_html
from sim.app.explore import session as explore
from sim.app.explore.fan_chart import FanChart, marks_of
from sim.app.explore.forecast_area import file_forecast
from sim.app.explore.outcome_html import FILES, PAIR_FILES, downloads, python
from sim.app.explore.session import Session, form_content, form_state
from sim.app.form_settings import initial_state, load_base, parse_scenario, parse_state
from sim.app.server import file_content
from sim.app.workers import COMPARED, TOTAL, ExploreView, WorkerPool
from sim.experiment.ensemble import simulate, tallied
from sim.experiment.parameter_sets import shipped_posterior
from sim.model.parameters import MECHANISM_NAMES, Declaration, Prior, shared_declarations
from sim.model.scenario import load
from sim.model.validation import UserError
from sim.reporting.calibration_tables import forecast_line
from sim.reporting.text import percent
from tests.analysis.events.files import ACLED_31, acled, calendar, saved
from tests.analysis.events.files import text as table_text

FEW = 400
MOVED = {"patron.control": "0.5"}
PAIR = {**MOVED, "b.scenario": "tight_leash", "b.patron.control": "0.9"}


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    made_pool = WorkerPool(load_base((f"study.runs={FEW}",)))
    yield made_pool
    made_pool.close()


def shown(pool: WorkerPool, texts: dict[str, str]) -> ExploreView:
    return pool.view(parse_state(pool.base, texts))


def values(html: str, kind: str) -> dict[str, dict[str, float | None]]:
    """Return the full numbers that stand in the rows of a table, by row and name."""
    found: dict[str, dict[str, float | None]] = {}
    for row in re.findall(rf"<tr data-{kind}='.*?>", html):
        name = re.search(rf"data-{kind}='(\w+)'", row)[1]  # type: ignore[index]
        printed = dict(re.findall(r'data-(\w+)="([^"]*)"', row))
        found[name] = {key: None if text == "None" else float(text) for key, text in printed.items()}
    return found


def words_of(html: str) -> str:
    """Return what a reader reads, without the marks of HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- what can be set ----------------------------------------------------------------------------------------


def all_sliders(pool: WorkerPool, texts: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    form = form_content(pool.base, pool.base.config(parse_state(pool.base, texts or {}).a))
    made_sliders = [one for group in form["groups"] for one in group["sliders"]]
    assert len({one["key"] for one in made_sliders}) == len(made_sliders)
    return {one["key"]: one for one in made_sliders}


def test_every_declared_number_has_one_slider_with_its_unit_and_range(pool: WorkerPool) -> None:
    made_sliders = all_sliders(pool)
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


def test_a_number_that_is_declared_anew_gets_a_slider_by_itself(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Declaration(
        4.0, 1.0, 16.0, "sighs/day", Prior("log_uniform", 2.0, 8.0), "assumed", "invented",
        "patience of the target; a toy", "p",
    )  # fmt: skip
    monkeypatch.setattr(explore, "shared_declarations", lambda: {**shared_declarations(), "target.patience": added})
    slider = all_sliders(pool)["target.patience"]
    assert (slider["label"], slider["hint"]) == ("Patience of the United States", "a toy")
    assert (slider["unit"], slider["least"], slider["most"]) == ("sighs/day", 1.0, 16.0)
    assert (slider["low"], slider["high"], slider["ratio"]) == (2.0, 8.0, True)


def test_switches_and_scenarios_are_all_there_and_names_those_of_the_case(pool: WorkerPool) -> None:
    form = form_content(pool.base, pool.base.config(initial_state(pool.base).a))
    assert [one["key"] for one in form["switches"]] == [f"mechanisms.{name}" for name in MECHANISM_NAMES]
    assert [one["name"] for one in form["scenarios"]] == list(pool.base.names)
    assert all(one["question"] for one in form["scenarios"])
    assert form["groups"][0]["title"] == "Iran"
    other = str(
        form_content(pool.base, pool.base.config(parse_state(pool.base, {"scenario": "salt_coast"}).a))["groups"]
    )
    assert "Tarvenia" in other
    assert "Iran" not in other


def test_the_state_holds_what_is_set_and_what_the_scenario_says(pool: WorkerPool) -> None:
    state = form_state(pool.base, parse_state(pool.base, PAIR | {"seed": "7"}), 3)
    assert (state["serial"], state["seed"], state["texts"]) == (3, "7", PAIR | {"seed": "7"})
    assert (state["a"]["values"]["patron.control"], state["a"]["own"]["patron.control"]) == (0.5, 0.75)
    assert (state["b"]["values"]["patron.control"], state["b"]["own"]["patron.control"]) == (0.9, 1.0)
    assert form_state(pool.base, initial_state(pool.base), 0)["b"] is None


# --- what is shown ------------------------------------------------------------------------------------------


def simulated_stats(texts: dict[str, str], scenario: str = "article") -> dict[str, Any]:
    values = {key: yaml.safe_load(text) for key, text in texts.items()}
    return {one.name: one for one in statistics(tallied(simulate(scenario, runs=FEW, overrides=values)))}


def test_outcomes_are_those_of_simulate_and_not_those_of_other_settings(pool: WorkerPool) -> None:
    html = outcome_html.outcomes(shown(pool, MOVED).a)
    printed = values(html, "outcome")
    expected, other = simulated_stats(MOVED), simulated_stats({})
    assert set(printed) == set(expected)
    for name, row in printed.items():
        assert row == {key: getattr(expected[name], key) for key in ("median", "q05", "q95", "mean")}, name
    assert printed["lull_days"]["median"] != other["lull_days"].median
    assert f"{FEW} histories" in words_of(html)


def test_the_numbers_in_front_are_the_medians(pool: WorkerPool) -> None:
    expected = simulated_stats(MOVED)
    printed = words_of(outcome_html.key_figures(shown(pool, MOVED)))
    assert f"{expected['acknowledged_campaign'].median:g} " in printed
    assert f"{expected['lull_days'].median:g} " in printed
    assert re.search(r"direct war, at these settings\* \d+\.\d% ± ", printed), printed
    both = words_of(outcome_html.key_figures(shown(pool, PAIR)))
    assert both.count("A ") == both.count("B ") == 5
    assert "A " not in printed


def test_every_sign_of_the_numbers_is_explained(pool: WorkerPool) -> None:
    one = shown(pool, MOVED)
    legend = words_of(outcome_html.legend(one.a.config, pair=False))
    assert "* decided by assumed numbers" in legend
    assert "90% of histories" in legend
    for html in (outcome_html.outcomes(one.a), outcome_html.outcomes(one.a, "A")):
        assert "* decided by assumed numbers" in words_of(html)
    assert words_of(outcome_html.outcomes(one.a, "A")).startswith("Outcomes of A, ")
    assert words_of(outcome_html.patterns(one.a.config, one.verdicts, "A")).startswith("Does A look like")


def test_direct_war_is_given_over_parameter_sets_before_its_monte_carlo_error(pool: WorkerPool) -> None:
    one = shown(pool, MOVED)
    (war,) = (
        row
        for row in shipped_posterior(one.a.config.scenario.cast).about["results"]["posterior_predictive"]
        if row["name"] == "war"
    )
    printed = words_of(outcome_html.outcomes(one.a))
    for low, _, high in (war["before"], war["after"]):
        assert printed.index(f"{percent(low)} to {percent(high)} over") < printed.index("± Monte Carlo error")
    assert "one of many parameter sets" in printed
    assert outcome_html.war_over_sets(load(["scenario=salt_coast"]).scenario.cast) == ""


def test_a_pair_is_that_of_compare(pool: WorkerPool) -> None:
    printed = values(outcome_html.differences(shown(pool, PAIR)), "measure")
    entries = ["article;patron.control=0.5", "tight_leash;patron.control=0.9"]
    data = compare(entries, runs=FEW, parameters="defaults").data.isel(comparison=0)
    assert set(printed) == {*COMPARED, *(f"{name}_until_war" for name in COMPARED if name != "war")}
    for line, row in printed.items():
        name = line.removesuffix("_until_war")
        apart = "no_war_" if name == line != "war" else ""
        for key, variable in (("a", "baseline_value"), ("b", "scenario_value"), ("difference", "difference")):
            expected = float(data[f"{apart}{variable}"].sel(measure=name))
            assert row[key] == pytest.approx(expected, nan_ok=True), (line, key)
    assert printed["quiet_days"]["difference"] != printed["quiet_days_until_war"]["difference"]
    words = words_of(outcome_html.differences(shown(pool, PAIR)))
    assert f"among the {percent(float(data['no_war_share'].sel(measure='deaths')))} of pairs without war" in words
    # Both lulls hold few attacks, so the pair differs mostly after them.
    assert printed["acknowledged_lull"]["difference"] < 0.0  # type: ignore[operator]
    assert printed["attacks_after"]["difference"] < -5.0  # type: ignore[operator]
    assert outcome_html.differences(shown(pool, MOVED)) == ""


def test_a_pair_of_the_same_has_no_difference(pool: WorkerPool) -> None:
    printed = values(
        outcome_html.differences(shown(pool, {**MOVED, "b.scenario": "article", "b.patron.control": "0.5"})), "measure"
    )
    assert {row["difference"] for row in printed.values()} == {0.0}


def test_patterns_wait_are_judged_and_can_fail(pool: WorkerPool) -> None:
    broken = {"multipliers.baseline": "2"}
    one = shown(pool, broken)
    at_once = outcome_html.patterns(one.a.config, one.verdicts)
    waiting = int(re.search(r"data-waiting='(\d+)'", at_once)[1])  # type: ignore[index]
    assert waiting == len(one.a.config.patterns) - len(one.verdicts) > 0
    assert at_once.count("class='waiting'") == waiting
    verdicts = (*one.verdicts, *one.a.slow_verdicts())
    whole = outcome_html.patterns(one.a.config, verdicts)
    expected = list(judge(one.a.config, one.a.data))
    assert "data-waiting='0'" in whole
    assert (whole.count("✓"), whole.count("✗")) == tuple(
        sum(verdict.holds == kind for verdict in expected) for kind in (True, False)
    )
    assert "✗" in whole
    assert whole.index("P1<") < whole.index("P13<")
    assert "the target" not in words_of(whole)


def test_text_from_data_is_escaped(pool: WorkerPool) -> None:
    one = shown(pool, {})
    scenario = one.a.config.scenario
    cast = replace(scenario.cast, names=replace(scenario.cast.names, patron="<b>Iran</b>", target="<i>x</i>"))
    config = replace(one.a.config, scenario=replace(scenario, cast=cast))
    nasty = replace(one, a=replace(one.a, config=config))
    for html in (
        outcome_html.key_figures(nasty), outcome_html.outcomes(nasty.a), outcome_html.patterns(config, nasty.verdicts),
        outcome_html.legend(config, pair=True),
    ):  # fmt: skip
        assert "<b>Iran" not in html
        assert "<i>x" not in html


# --- the chart ----------------------------------------------------------------------------------------------


def drawn(one: ExploreView) -> FanChart:
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


def test_the_bands_drawn_are_those_that_were_simulated(pool: WorkerPool) -> None:
    one = shown(pool, PAIR)
    assert one.b is not None
    data = source_of(drawn(one))
    compared = 0
    for mark, ensemble in (("a", one.a), ("b", one.b)):
        for name in ("iraq", "syria", TOTAL):
            for key in ("q05", "q25", "median", "q75", "q95"):
                steps = data[f"{mark} {name} {key}"]
                assert len(steps) == len(data["day"])
                np.testing.assert_array_equal(steps[:-1], ensemble.bands[name][key])
                compared += 1
    assert compared == 30
    assert not np.array_equal(data["a iraq median"], data["b iraq median"])
    assert data["day"][0] == np.datetime64(one.a.config.scenario.calendar.start, "ms")


def test_b_is_drawn_where_there_is_one_and_a_stays_visible_behind_it(pool: WorkerPool) -> None:
    for texts, pair in ((MOVED, False), (PAIR, True)):
        chart = drawn(shown(pool, texts))
        lines = [r for figure in figures_of(chart) for r in figure.renderers if hasattr(r, "glyph")]
        seen = {r.visible for r in lines if getattr(r.glyph, "y", "").startswith("b ")}
        assert seen == {pair}
        widths = {r.glyph.line_width for r in lines if re.fullmatch(r"a .*median", str(getattr(r.glyph, "y", "")))}
        assert max(widths) == (5 if pair else 2)


def test_every_axis_reaches_above_what_is_drawn(pool: WorkerPool) -> None:
    # They are not restrained and they attack twice as often: axes must grow.
    usual_ends, high_ends = (
        {titles(figure)[-1]: figure.y_range.end for figure in figures_of(drawn(shown(pool, texts)))}
        for texts in ({}, {"multipliers.baseline": "2"})
    )
    assert set(usual_ends) == set(high_ends)
    assert high_ends["Syria"] > usual_ends["Syria"]
    one = shown(pool, {"multipliers.baseline": "2"})
    assert high_ends["Syria"] > np.nanmax(one.a.bands["syria"]["q95"])


def test_marks_and_words_are_those_of_the_article(pool: WorkerPool) -> None:
    config = shown(pool, {}).a.config
    calendar = config.scenario.calendar
    marks = {mark.theatre: mark for mark in marks_of(config)}
    assert marks[TOTAL].weekly == pytest.approx(170 * 7 / len(calendar.campaign))
    assert (marks[TOTAL].first, marks[TOTAL].last) == (calendar.campaign.start, calendar.campaign.stop)
    assert marks["iraq"].weekly == 0.0
    assert marks["syria"].weekly == pytest.approx(2 * 7 / len(calendar.lull))
    said = [text for figure in figures_of(drawn(shown(pool, {}))) for text in titles(figure)]
    assert "Article: at least 170 in four months" in said
    assert "All on the United States, acknowledged, a week" in said
    other = shown(pool, {"scenario": "salt_coast"})
    assert marks_of(other.a.config) == ()
    assert not any(text.startswith("Article") for figure in figures_of(drawn(other)) for text in titles(figure))


def test_the_legend_explains_every_sign_that_is_drawn_and_no_other(pool: WorkerPool) -> None:
    one, pair = shown(pool, {}).a.config, shown(pool, {"scenario": "salt_coast"}).a.config
    single = outcome_html.legend(one, pair=False)
    assert "class='article'" in single
    assert "class='other'" not in single
    assert "class='other'" in outcome_html.legend(one, pair=True)
    assert "class='article'" not in outcome_html.legend(pair, pair=False)
    assert "2 Feb" in single
    assert "27 Feb" in single


# --- a visit ------------------------------------------------------------------------------------------------


class Turns:
    """In place of a browser's document: what is to be done on the session's own turn is done when a test says so."""

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
def session(pool: WorkerPool) -> Session:
    return arrived(pool)


def arrived(pool: WorkerPool) -> Session:
    made_session = Session(pool, Turns())  # type: ignore[arg-type]
    made_session.start()
    turns(made_session).until(lambda: made_session.view is not None)
    return made_session


def turns(session: Session) -> Turns:
    assert isinstance(session.document, Turns)
    return session.document


def ask(session: Session, serial: int, texts: dict[str, Any]) -> None:
    session.form.asked = {"serial": serial, "texts": texts}


def answered(session: Session, serial: int) -> None:
    turns(session).until(lambda: session.form.state["serial"] == serial)


def medians(session: Session) -> dict[str, Any]:
    return {name: row["median"] for name, row in values(session.numbers.object, "outcome").items()}


def test_a_move_is_answered_with_numbers_chart_link_and_files(session: Session) -> None:
    before, bands = medians(session), source_of(session.chart)  # type: ignore[arg-type]
    ask(session, 1, MOVED)
    answered(session, 1)
    assert medians(session)["lull_days"] == simulated_stats(MOVED)["lull_days"].median != before["lull_days"]
    after = source_of(session.chart)  # type: ignore[arg-type]
    assert not np.array_equal(after["a  median"], bands["a  median"])
    assert session.url.part.value == "=patron.control=0.5"
    assert "files/outcomes.csv?patron.control=0.5" in session.downloads.object
    turns(session).until(lambda: "data-waiting='0'" in session.verdicts.object)


def test_the_newest_of_many_moves_is_what_stays(session: Session) -> None:
    for serial in range(1, 9):
        ask(session, serial, {"patron.control": f"{0.4 + serial / 20:g}"})
    answered(session, 8)
    assert session.url.part.value == "=patron.control=0.8"
    assert session.form.state["a"]["values"]["patron.control"] == 0.8


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
def test_a_bad_move_gives_one_line_and_changes_nothing(session: Session, line: str) -> None:
    before = medians(session)
    ask(session, 1, BAD_MOVES[line])
    answered(session, 1)
    assert session.message.visible
    assert f"class='mistake'>{line.replace(chr(39), '&#x27;')}" in session.message.object
    assert "<script>" not in session.message.object
    assert session.form.state["texts"] == {}
    assert medians(session) == before
    ask(session, 2, MOVED)
    answered(session, 2)
    assert not session.message.visible


@pytest.mark.parametrize("message", [{}, {"texts": 3, "serial": 1}, {"texts": [1], "serial": "x"}, {"serial": {}}])
def test_messages_of_another_form_do_no_harm(pool: WorkerPool, message: dict[str, Any]) -> None:
    session = arrived(pool)
    session.form.asked = message
    ask(session, 9, MOVED)
    answered(session, 9)
    assert session.url.part.value == "=patron.control=0.5"


def test_a_scenario_file_sets_a_or_b(session: Session) -> None:
    text = "patron: {control: 0.5}\nmechanisms: {fear: false}\n"
    session.form.upload = {"serial": 1, "side": "a", "text": text, "texts": {}}
    answered(session, 1)
    assert session.form.state["texts"] == {"patron.control": "0.5", "mechanisms.fear": "false"}
    session.form.upload = {"serial": 2, "side": "b", "text": text, "texts": {"patron.control": "0.6"}}
    answered(session, 2)
    assert session.form.state["texts"] == {
        "patron.control": "0.6", "b.scenario": "article", "b.patron.control": "0.5", "b.mechanisms.fear": "false",
    }  # fmt: skip
    assert "What B changes" in session.numbers.object
    assert session.title.object.startswith("<h2 aria-live='polite'>A: ")


def test_a_bad_file_gives_one_line_and_nothing_in_it_is_carried_out(session: Session, tmp_path: Path) -> None:
    hit = tmp_path / "hit"
    for serial, text in enumerate(
        (f"a: !!python/object/apply:os.system ['touch {hit}']", "patron: {control: '${oc.env:HOME}'}", "[", "\x00"), 1
    ):
        session.form.upload = {"serial": serial, "side": "a", "text": text, "texts": {}}
        answered(session, serial)
        assert session.message.visible
        assert "class='mistake'>file" in session.message.object
        assert session.message.object.count("\n") == 0
        assert session.form.state["texts"] == {}
    assert not hit.exists()


def test_another_case_brings_its_names_and_panels(session: Session) -> None:
    before = session.chart
    ask(session, 1, {"scenario": "salt_coast"})
    answered(session, 1)
    assert session.chart is not before
    assert "Tarvenia" in str(session.form.form["groups"])
    assert "Ondrel Republic" in session.title.object
    ask(session, 2, {})
    answered(session, 2)
    assert "Iran" in str(session.form.form["groups"])


def test_judging_ends_when_a_visitor_leaves(pool: WorkerPool) -> None:
    for leaves in (False, True):
        session = arrived(pool)
        shown_now = session.view
        assert shown_now is not None
        request = session._request
        if leaves:
            session.end()
        assert bool(list(pool.judge(shown_now, lambda: request is not session._request))) is not leaves  # noqa: B023


def test_what_is_overtaken_waits_for_no_collector(pool: WorkerPool) -> None:
    one = shown(pool, MOVED)
    # Whatever earlier visitors still have judged is done first.
    pool.patient.submit(int).result()
    gc.collect()
    gc.disable()
    try:
        assert list(pool.judge(one, lambda: True)) == []
        # Frames, futures and arrays of the work that was stopped would be hundreds.
        assert gc.collect() < 20
    finally:
        gc.enable()


def test_what_is_remembered_of_an_ensemble_is_small(pool: WorkerPool) -> None:
    ensemble = shown(pool, MOVED).a
    held = 0
    for array in ensemble.output:
        while isinstance(array, np.ndarray) and array.base is not None:
            array = array.base
        held += getattr(array, "nbytes", 0)
    by_day = FEW * ensemble.config.scenario.calendar.days * len(ensemble.config.scenario.cast.theatres) * 2 * 2
    # A slice of what was counted by day would hold all of it.
    assert held < by_day / 2


def test_visitors_share_nothing_that_changes(pool: WorkerPool) -> None:
    one, other = arrived(pool), arrived(pool)
    before = medians(other)
    ask(one, 1, MOVED)
    answered(one, 1)
    assert other.form.state["texts"] == {}
    assert medians(other) == before != medians(one)


# --- a file of the visitor's ----------------------------------------------------------------------------------


def attacks_file(days: int = 60) -> str:
    generator = np.random.default_rng(2)
    rows = [
        acled(10 * day + number, str(calendar().start + timedelta(days=day)), country=("Iraq", "Syria")[number % 2])
        for day in range(days) for number in range(generator.poisson(1.5))
    ]  # fmt: skip
    return table_text(ACLED_31, rows)


def upload(session: Session, content: str | bytes, name: str = "attacks.csv", **changes: Any) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    sent = {"serial": time.monotonic_ns(), "name": name, "size": len(raw), "content": b64encode(raw).decode()}
    session.forecast.field.upload = sent | changes


def forecast_done(session: Session) -> str:
    """What stands in the area of the forecast once no work is left."""
    turns(session).until(lambda: session.forecast._work is None)
    return str(session.forecast.status.object + session.forecast.result.object)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(file_forecast, "__defaults__", (1500,))
    return 1500


def test_a_file_is_forecast_as_lull_forecast_does(session: Session, few: int, tmp_path: Path) -> None:
    content = attacks_file()
    upload(session, content)
    said, seen = [], session.forecast
    seen.status.param.watch(lambda event: said.append(event.new), "object")
    html = forecast_done(session)
    expected = sim_forecast(saved(tmp_path, content, "attacks.csv"), runs=few, overrides={"scenario": "article"})
    words = words_of(html)
    for row in expected.tables["compared"].itertuples():
        if row.to <= expected.tables["compared"]["to"].unique()[3]:
            assert f"{row.median:.0f} ({row.q05:.0f}–{row.q95:.0f})" in words
    assert forecast_line(expected.content["forecast"], len(expected.found.forecast.match.places)) in words
    assert "Forecast of the model, for comparison with simpler ones" in words
    assert f"attacks.csv, read as ACLED: {content.count('INV')} rows, {content.count('INV')} used" in words
    assert "fatalities: not used" in words
    assert "data:image/svg+xml;base64," in html
    assert any("histories</p><progress" in one for one in said), "progress is shown"
    assert not session.forecast.stop.visible


BAD_FILES: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "no table": ("hello\n", {"name": "x.csv"}, "data = x.csv: allowed an export of ACLED"),
    "too large": ("", {"size": 5_000_001}, "data = attacks.csv: allowed files of at most 5 MB here"),
    "no size": ("", {"size": "many"}, "data = attacks.csv: allowed files of at most 5 MB"),
    "too short": (attacks_file(9), {}, "allowed at least 14 days"),
    "markup": ("a\n", {"name": "<script>.csv"}, "data = &lt;script&gt;.csv"),
    "a folder": ("hello\n", {"name": "../../etc/x.csv"}, "data = x.csv: allowed"),
    "binary": (bytes(range(256)) * 40, {"name": "x.xlsx"}, "data = x.xlsx: allowed"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_used_gives_one_line_at_its_field(session: Session, name: str, few: int) -> None:
    content, changes, line = BAD_FILES[name]
    upload(session, content, **changes)
    html = forecast_done(session)
    assert "class='mistake'>" in html
    assert line in html
    assert html.count("\n") == 0
    assert "/tmp" not in html
    assert "<script>" not in html
    assert not session.message.visible
    upload(session, attacks_file())
    assert "for comparison with simpler ones" in forecast_done(session), "a good file afterwards works"


def test_a_forecast_is_cancelled_and_overtaken_and_ends_with_the_visit(pool: WorkerPool, few: int) -> None:
    session = arrived(pool)
    upload(session, attacks_file())
    assert session.forecast.stop.visible
    session.forecast._pressed()
    pool.patient.submit(int).result()
    while not turns(session).acts.empty():
        turns(session).acts.get()()
    assert "Cancelled" in session.forecast.status.object
    assert session.forecast.result.object == ""
    upload(session, attacks_file())
    upload(session, attacks_file(), "second.csv")
    assert "second.csv" in b64decode(re.search(r"base64,([^']+)", forecast_done(session))[1]).decode()  # type: ignore[index]
    upload(session, attacks_file())
    session.end()
    pool.patient.submit(int).result()
    assert session.forecast._work is None


def test_other_settings_are_offered_for_the_same_file(session: Session, few: int) -> None:
    upload(session, attacks_file())
    first = forecast_done(session)
    ask(session, 1, {"multipliers.baseline": "1.2", "history": "free"})
    answered(session, 1)
    assert "earlier settings" in session.forecast.status.object
    assert session.forecast.stop.label == "Forecast again with these settings"
    session.forecast._pressed()
    assert forecast_done(session) != first
    assert "earlier settings" not in session.forecast.status.object


# --- what is taken away -------------------------------------------------------------------------------------

QUERY = "patron.control=0.5&b.scenario=tight_leash"


def test_files_hold_what_is_shown(pool: WorkerPool, tmp_path: Path) -> None:
    asked = parse_state(pool.base, {"patron.control": "0.5"})
    data = simulate("article", runs=FEW, overrides={"patron.control": 0.5})
    assert parse_scenario(pool.base, file_content(pool, "scenario.yaml", "patron.control=0.5").decode()) == asked.a
    config = yaml.safe_load(file_content(pool, "config.yaml", "patron.control=0.5"))
    assert (config["patron"]["control"], config["study"]["runs"], config["seed"]) == (0.5, FEW, 1)
    for name, rows in (("outcomes.csv", outcome_rows(statistics(tallied(data)))), ("weekly.csv", weekly_rows(data))):
        read = list(csv.DictReader(io.StringIO(file_content(pool, name, "patron.control=0.5").decode())))
        assert read == [{key: "" if one is None else str(one) for key, one in row.items()} for row in rows], name
        other = list(csv.DictReader(io.StringIO(file_content(pool, name, "").decode())))
        assert read != other, name
    (tmp_path / "histories.nc").write_bytes(file_content(pool, "histories.nc", "patron.control=0.5"))
    with xr.open_dataset(tmp_path / "histories.nc", engine="h5netcdf") as kept:
        for outcome in ("lull_days", "deaths", "war_day"):
            np.testing.assert_array_equal(kept[outcome].values, data[outcome].values)
        assert "patron" in str(kept.attrs)


def test_files_of_a_pair_and_pictures(pool: WorkerPool) -> None:
    assert parse_scenario(pool.base, file_content(pool, "scenario_b.yaml", QUERY).decode()).scenario == "tight_leash"
    rows = {
        row["name"]: row for row in csv.DictReader(io.StringIO(file_content(pool, "differences.csv", QUERY).decode()))
    }
    expected = {row.measure.name: row.effect for row in shown(pool, dict(PAIR) | {"b.patron.control": "1"}).rows}
    assert {name: float(row["difference"]) for name, row in rows.items()} == pytest.approx(
        {name: effect.difference for name, effect in expected.items()}, nan_ok=True
    )
    assert file_content(pool, "figure.png", QUERY).startswith(b"\x89PNG")
    svg = file_content(pool, "figure.svg", QUERY)
    assert b"<svg" in svg[:2000]
    assert b"United States" in svg
    patterns = list(csv.DictReader(io.StringIO(file_content(pool, "patterns.csv", "").decode())))
    assert [row["id"] for row in patterns] == [f"P{k}" for k in range(1, 14) if k != 11]


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
def test_what_is_no_file_of_these_settings_gives_an_error(pool: WorkerPool, name: str, query: str, line: str) -> None:
    with pytest.raises(UserError, match=r"^[^\n]+$") as printed:
        file_content(pool, name, query)
    assert str(printed.value).startswith(line)


def test_the_lines_of_python_make_the_same_numbers(pool: WorkerPool) -> None:
    asked = parse_state(pool.base, {"scenario": "no_order", "history": "free", "mechanisms.fear": "false", "seed": "7"})
    names: dict[str, Any] = {}
    exec(python(pool.base, asked), names)
    assert statistics(tallied(names["data"])) == pool.view(asked).a.stats
    assert statistics(tallied(names["data"])) != pool.view(initial_state(pool.base)).a.stats


def test_every_file_is_offered_and_those_of_a_pair_only_with_one(pool: WorkerPool) -> None:
    single, pair = (downloads(pool.base, parse_state(pool.base, texts)) for texts in (MOVED, PAIR))
    assert [name for name in FILES if f"files/{name}?" not in single] == []
    assert not any(name in single for name in PAIR_FILES)
    assert all(f"files/{name}?" in pair for name in PAIR_FILES)
    assert "href='explore?patron.control=0.5&amp;b.scenario=tight_leash" in pair
