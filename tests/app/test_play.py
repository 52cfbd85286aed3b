"""The run that is played: the agents' own, the kernel's in every bit, in a picture and in words that agree."""

import struct
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sim.analysis.narrative import ELSEWHERE
from sim.analysis.traced_run import chronicle_of
from sim.app.frame import parse_query
from sim.app.learn.learn_page import applied, parse_rule
from sim.app.learn.rule_catalog import argument_ranges, chapters
from sim.app.play import day_plots, play_page
from sim.app.play.play_page import RUN_LABELS, THEATRE_LABELS, WING_LABELS, PlayPage
from sim.app.play.stepwise_run import PlayState, StepwiseRun, config_of_scenario, parse_play_state
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.experiment.ensemble import simulate, state_table
from sim.model.validation import UserError
from sim.numbers.philox import RUN_LIMIT
from sim.rules.patron import RESTRAINING


@pytest.fixture(scope="module")
def article() -> StepwiseRun:
    stepwise = StepwiseRun(PlayState(run=4711))
    stepwise.reach(10**6)
    return stepwise


def bits(value: float) -> bytes:
    return struct.pack("<d", float(value))


def differences(stepwise: StepwiseRun, table: Any) -> int:
    """How many states of the evenings shown differ from a table of the kernel, in any bit."""
    arrays = {name: table[name].values[0] for name in table.data_vars}

    def compare(shown: Mapping[str, float], prefix: str, *place: int) -> int:
        return sum(bits(value) != bits(arrays[prefix + name][place]) for name, value in shown.items())

    wrong = 0
    for day in range(stepwise.days):
        state = stepwise.day_state(day)
        wrong += compare(state.run, "", day)
        wrong += sum(compare(one, "theatre_", day, k) for k, one in enumerate(state.fronts))
        wrong += sum(compare(one, "wing_", day, w) for w, one in enumerate(state.wings))
    return wrong


@pytest.mark.parametrize(
    ("scenario", "run", "days"),
    [("article", 4711, 140), ("strike_iran", RUN_LIMIT - 1, 60), ("salt_coast", 3, 40)],
)
def test_states_shown_are_the_kernel_s_in_every_bit(scenario: str, run: int, days: int) -> None:
    stepwise = StepwiseRun(PlayState(scenario, run))
    stepwise.reach(days - 1)
    config = config_of_scenario(scenario)
    kernel = state_table(config, [run]).load()
    assert differences(stepwise, kernel) == 0
    if scenario == "salt_coast":  # another run differs
        assert differences(stepwise, state_table(config, [run + 1]).load()) > 100


def test_a_day_is_simulated_once_and_kept(article: StepwiseRun) -> None:
    stepwise = StepwiseRun(PlayState(run=4711))
    assert stepwise.reach(20) == 20
    assert stepwise.days == 21
    before = stepwise.day_state(12)
    stepwise.reach(3)
    assert stepwise.days == 21
    assert stepwise.day_state(12) == before
    stepwise.reach(40)
    assert stepwise.day_state(12) == before == article.day_state(12)


def test_the_words_are_those_of_a_replay(article: StepwiseRun) -> None:
    chronicle = chronicle_of(config_of_scenario("article"), 4711)
    printed = tuple(one for day in range(article.days) for one in article.day_state(day).sentences)
    assert printed == chronicle.sentences
    assert article.days == chronicle.days


def test_every_why_leads_to_the_rule_with_the_very_numbers(article: StepwiseRun) -> None:
    book, followed = chapters(argument_ranges()), 0
    for day in range(article.days):
        for sentence in article.sentences(day):
            if sentence.kind == ELSEWHERE or not (address := play_page.rule_link(sentence)):
                continue
            settings = parse_query(address.partition("?")[2])
            entry, values, _ = parse_rule(book, settings)
            chain = [one for one in (sentence.decision, *sentence.reasons) if one.rule is entry.rule]
            assert chain, address
            if set(settings) - {"rule"} == set(values):
                assert applied(entry, values) in {float(one.result) for one in chain}
                followed += 1
    assert followed > 200


def test_the_documented_deaths_are_in_the_picture(article: StepwiseRun) -> None:
    state = article.day_state(103)
    wings = list(article.scenario.cast.wings)
    summary = state.attacks[wings.index("kataib_hezbollah_jordan")]
    assert summary.killed == 3
    assert summary.through >= 1
    layout = day_plots.layout_of(article.scenario.cast)
    attacks = day_plots.attack_columns(layout, state)
    assert any("3 killed" in note for note in attacks["note"])
    assert len(attacks["y"]) == sum(wing["attacks"] > 0 for wing in state.wings)


def test_orders_go_from_attack_to_restraint_and_wings_follow(article: StepwiseRun) -> None:
    early = article.day_state(5)
    assert {one.order for one in early.orders} == {"attack"}
    assert set(early.manners) == {"ordered"}
    late = article.day_state(125)
    by_theatre = dict(zip(article.scenario.cast.theatres, late.orders, strict=True))
    assert by_theatre["iraq"].order == "stop"
    assert by_theatre["syria"].order == "reduce"
    assert by_theatre["red_sea"].order == "attack"
    first = next(day for day in range(article.days) if "resists" in article.day_state(day).manners)
    assert article.day_state(first - 1).run["phase"] == RESTRAINING  # orders are known a day later
    assert late.manners.count("obeys") > 0


def test_strikes_are_drawn_on_every_wing_that_they_hit(article: StepwiseRun) -> None:
    day = next(day for day in range(article.days) if article.day_state(day).run["major"])
    state, layout = article.day_state(day), day_plots.layout_of(article.scenario.cast)
    assert len(day_plots.strike_columns(layout, state)["y"]) == sum(wing["struck"] > 0 for wing in state.wings) > 3
    assert day_plots.strike_columns(layout, article.day_state(0))["y"] == []


def test_nothing_in_the_picture_overlaps() -> None:
    for name in ("article", "salt_coast"):
        cast = config_of_scenario(name).scenario.cast
        layout = day_plots.layout_of(cast)
        assert all(after - before >= day_plots.ROW for before, after in pairwise(sorted(layout.rows)))
        for top, wing in zip(layout.rows, cast.wings.values(), strict=True):
            k = cast.theatre_index(wing.theatre)
            assert layout.tops[k] + day_plots.HEAD <= top
            assert top + day_plots.ROW <= layout.ends[k]


def test_looks_differ_by_more_than_colour() -> None:
    looks = {(one.dash, one.width) for one in day_plots.ORDERS.values()}
    assert len(looks) == len(day_plots.ORDERS)


def test_the_time_axis_counts_the_attacks(article: StepwiseRun) -> None:
    axis, run, calendar = day_plots.DayAxis(print), article.states.run, article.scenario.calendar
    axis.draw(calendar, run, 100)
    np.testing.assert_array_equal(axis.bars.data["attacks"], run["attacks"])
    assert list(axis.events.data["marker"]).count("star") == run["major"].sum()
    spans = axis.restraint.data
    assert (
        sum(end - first for first, end in zip(spans["first"], spans["end"], strict=True))
        == (run["phase"] == RESTRAINING).sum()
        > 0
    )
    assert 0 < len(day_plots.month_ticks(calendar)) <= 8
    axis.draw(calendar, run[:1], 0)
    assert list(axis.restraint.data["first"]) == list(axis.events.data["day"]) == []


def test_every_state_has_a_name_and_the_names_no_other() -> None:
    assert tuple(RUN_LABELS) == RUN_STATE.names
    assert tuple(WING_LABELS) == WING_STATE.names
    assert tuple(THEATRE_LABELS) == THEATRE_STATE.names


def test_tables_hold_the_full_values(article: StepwiseRun) -> None:
    shown = play_page.tables(article, article.day_state(108))
    assert f'title="{article.day_state(108).run["war_risk"]!r}"' in shown
    assert shown.count("data-wing=") == len(article.scenario.cast.wings)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"run": "-1"}, f"run = -1: allowed a whole number from 0 to {RUN_LIMIT - 1}"),
        ({"run": str(RUN_LIMIT)}, f"run = {RUN_LIMIT}: allowed a whole number from 0 to {RUN_LIMIT - 1}"),
        ({"run": "1e3"}, f"run = 1e3: allowed a whole number from 0 to {RUN_LIMIT - 1}"),
        ({"run": "9" * 5000}, "run = 999"),
        ({"seed": "x"}, "seed = x: allowed a whole number from 0 to "),
        ({"day": "330"}, "day = 330: allowed a whole number from 0 to 329"),
        ({"scenario": "artcle"}, "scenario = artcle: allowed one of "),
        ({"scenario": "../article"}, "scenario = ../article: allowed "),
        ({"colour": "red"}, "colour = red: allowed "),
    ],
)
def test_what_an_address_may_not_ask_for_is_said_in_a_line(settings: dict[str, str], line: str) -> None:
    with pytest.raises(UserError) as problem:
        parse_play_state(settings)
    assert str(problem.value).startswith(line)
    assert "\n" not in str(problem.value)


def test_an_address_says_what_is_shown_and_leads_back_to_it() -> None:
    asked = PlayState("tight_leash", RUN_LIMIT - 1, 7, 108)
    assert parse_play_state(asked.texts()) == asked


def test_an_address_with_a_key_twice_is_refused() -> None:
    with pytest.raises(UserError, match="run = 1 2: allowed one value"):
        parse_query("?run=1&run=2")
    with pytest.raises(UserError, match="address"):
        parse_query("?" + "&".join(f"k{n}=1" for n in range(200)))


def test_buttons_and_fields_move_the_day() -> None:
    page = PlayPage()
    assert page.day == 0
    page.forth.clicks += 1
    assert page.day == 1
    page.goal.value = "108"
    assert page.day == 108
    assert "Day 108 of 329, 2 February 2024" in page.heading.object
    page.back.clicks += 1
    assert (page.day, page.goal.value) == (107, "107")
    page.event.clicks += 1
    assert page.day == 108
    assert page.run.is_event(108)
    page.goal.value = "soon"
    assert page.day == 108
    assert "day = soon: allowed a whole number from 0 to 329" in page.problem.object
    page.number.value = str(RUN_LIMIT - 1)
    assert page.run.state.run == RUN_LIMIT - 1
    assert page.day == 108
    assert page.problem.object == ""
    page.goal.value = "329"
    assert "The calendar ends here" in page.heading.object
    assert page.forth.disabled
    page.first.clicks += 1
    assert page.day == 0
    assert page.back.disabled


def test_a_war_ends_the_history_and_the_page_says_so() -> None:
    settings = {"scenario": "strike_iran", "day": "329"}
    ended = simulate("strike_iran", runs=400)["war_day"].values
    run = int(np.flatnonzero(ended >= 0)[0])
    stepwise = StepwiseRun(parse_play_state({**settings, "run": str(run)}))
    last = stepwise.reach(329)
    assert last == ended[run]
    assert stepwise.day_state(last).run["war"] == 1.0
    assert "Direct war broke out: the run ends here." in play_page.heading(stepwise, stepwise.day_state(last))


def test_visitors_share_nothing_that_changes() -> None:
    one, other = PlayPage(), PlayPage()
    one.forth.clicks += 1
    assert (one.day, other.day) == (1, 0)
    assert other.run.days == 1
