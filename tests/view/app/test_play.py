"""The history that is played: the agents' own, the kernel's in every bit, in a picture and in words that agree."""

import struct
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.numbers.chance import RUN_LIMIT
from sim.rules.patron import RESTRAINING
from sim.study.chronicle import ELSEWHERE
from sim.study.replay import replay
from sim.study.simulation import simulate, state_table
from sim.view.app.learn.curves import applied
from sim.view.app.learn.entries import chapters
from sim.view.app.learn.evidence import evidence
from sim.view.app.learn.showing import chosen
from sim.view.app.link import parsed
from sim.view.app.play import diagram, words
from sim.view.app.play.asking import Asked, asked_for, config_named
from sim.view.app.play.days import days_of
from sim.view.app.play.history import History
from sim.view.app.play.showing import Play
from sim.view.app.play.states import RUN_LABELS, WING_LABELS
from sim.world.errors import UserError


@pytest.fixture(scope="module")
def article() -> History:
    history = History(Asked(run=4711))
    history.reach(10**6)
    return history


def bits(value: float) -> bytes:
    return struct.pack("<d", float(value))


def differences(history: History, table: Any) -> int:
    """How many states of the evenings shown differ from a table of the kernel, in any bit."""
    arrays = {name: table[name].values[0] for name in table.data_vars}

    def compare(shown: Mapping[str, float], prefix: str, *place: int) -> int:
        return sum(bits(value) != bits(arrays[prefix + name][place]) for name, value in shown.items())

    wrong = 0
    for day in range(history.lived):
        evening = history.evening(day)
        wrong += compare(evening.run, "", day)
        wrong += sum(compare(one, "theatre_", day, k) for k, one in enumerate(evening.fronts))
        wrong += sum(compare(one, "wing_", day, w) for w, one in enumerate(evening.wings))
    return wrong


@pytest.mark.parametrize(
    ("scenario", "run", "days"),
    [("article", 4711, 140), ("strike_iran", RUN_LIMIT - 1, 60), ("salt_coast", 3, 40)],
)
def test_states_shown_are_the_kernel_s_in_every_bit(scenario: str, run: int, days: int) -> None:
    history = History(Asked(scenario, run))
    history.reach(days - 1)
    config = config_named(scenario)
    kernel = state_table(config, [run]).load()
    assert differences(history, kernel) == 0
    if scenario == "salt_coast":  # another run is told apart
        assert differences(history, state_table(config, [run + 1]).load()) > 100


def test_a_day_is_lived_once_and_kept(article: History) -> None:
    history = History(Asked(run=4711))
    assert history.reach(20) == 20
    assert history.lived == 21
    before = history.evening(12)
    history.reach(3)
    assert history.lived == 21
    assert history.evening(12) == before
    history.reach(40)
    assert history.evening(12) == before == article.evening(12)


def test_the_words_are_those_of_a_replay(article: History) -> None:
    chronicle = replay(config_named("article"), 4711)
    told = tuple(one for day in range(article.lived) for one in article.evening(day).sentences)
    assert told == chronicle.sentences
    assert article.lived == chronicle.days


def test_every_why_leads_to_the_rule_with_the_very_numbers(article: History) -> None:
    book, followed = chapters(evidence()), 0
    for day in range(article.lived):
        for sentence in article.told(day):
            if sentence.kind == ELSEWHERE or not (address := words.why(sentence)):
                continue
            settings = parsed(address.partition("?")[2])
            entry, values, _ = chosen(book, settings)
            chain = [one for one in (sentence.decision, *sentence.reasons) if one.rule is entry.rule]
            assert chain, address
            if set(settings) - {"rule"} == set(values):
                assert applied(entry, values) in {float(one.result) for one in chain}
                followed += 1
    assert followed > 200


def test_the_documented_deaths_are_in_the_picture(article: History) -> None:
    evening = article.evening(103)
    wings = list(article.scenario.cast.wings)
    deed = evening.deeds[wings.index("kataib_hezbollah_jordan")]
    assert deed.killed == 3
    assert deed.through >= 1
    stage = diagram.stage_of(article.scenario.cast)
    attacks = diagram.attack_columns(stage, evening)
    assert any("3 killed" in note for note in attacks["note"])
    assert len(attacks["y"]) == sum(wing["attacks"] > 0 for wing in evening.wings)


def test_orders_go_from_attack_to_restraint_and_wings_follow(article: History) -> None:
    early = article.evening(5)
    assert {one.order for one in early.orders} == {"attack"}
    assert set(early.manners) == {"ordered"}
    late = article.evening(125)
    by_theatre = dict(zip(article.scenario.cast.theatres, late.orders, strict=True))
    assert by_theatre["iraq"].order == "stop"
    assert by_theatre["syria"].order == "reduce"
    assert by_theatre["red_sea"].order == "attack"
    first = next(day for day in range(article.lived) if "resists" in article.evening(day).manners)
    assert article.evening(first - 1).run["phase"] == RESTRAINING  # orders are known a day later
    assert late.manners.count("obeys") > 0


def test_strikes_are_drawn_on_every_wing_that_they_hit(article: History) -> None:
    day = next(day for day in range(article.lived) if article.evening(day).run["major"])
    evening, stage = article.evening(day), diagram.stage_of(article.scenario.cast)
    assert len(diagram.strike_columns(stage, evening)["y"]) == sum(wing["struck"] > 0 for wing in evening.wings) > 3
    assert diagram.strike_columns(stage, article.evening(0))["y"] == []


def test_nothing_in_the_picture_overlaps() -> None:
    for name in ("article", "salt_coast"):
        stage = diagram.stage_of(config_named(name).scenario.cast)
        tops = sorted(row.top for row in stage.rows)
        assert all(after - before >= diagram.ROW for before, after in pairwise(tops))
        assert all(
            head + diagram.HEAD <= row.top and row.top + diagram.ROW <= foot
            for k, (head, foot) in enumerate(zip(stage.heads, stage.feet, strict=True))
            for row in stage.rows
            if row.theatre == k
        )


def test_looks_differ_by_more_than_colour() -> None:
    looks = {(one.dash, one.width) for one in diagram.ORDERS.values()}
    assert len(looks) == len(diagram.ORDERS)


def test_the_line_of_days_counts_the_attacks(article: History) -> None:
    days = days_of(article)
    run = article.states.run
    np.testing.assert_array_equal(days.bars["attacks"], run["attacks"])
    assert days.marks["marker"].count("star") == run["major"].sum()
    assert (
        sum(end - first for first, end in zip(days.held["first"], days.held["end"], strict=True))
        == (run["phase"] == RESTRAINING).sum()
    )
    assert len(days.ticks) == len(days.dates) <= 8


def test_every_state_has_a_name_and_the_names_no_other() -> None:
    assert tuple(RUN_LABELS) == RUN_STATE.names
    assert tuple(WING_LABELS) == WING_STATE.names
    assert THEATRE_STATE.names == ("directive", "order")


def test_tables_hold_the_full_values(article: History) -> None:
    shown = words.tables(article, article.evening(108))
    assert f'title="{article.evening(108).run["war_risk"]!r}"' in shown
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
        asked_for(settings)
    assert str(problem.value).startswith(line)
    assert "\n" not in str(problem.value)


def test_an_address_says_what_is_shown_and_leads_back_to_it() -> None:
    asked = Asked("tight_leash", RUN_LIMIT - 1, 7, 108)
    assert asked_for(asked.settings()) == asked


def test_an_address_with_a_key_twice_is_refused() -> None:
    with pytest.raises(UserError, match="run = 1 2: allowed one value"):
        parsed("?run=1&run=2")
    with pytest.raises(UserError, match="address"):
        parsed("?" + "&".join(f"k{n}=1" for n in range(200)))


def test_buttons_and_fields_move_the_day() -> None:
    page = Play()
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
    assert page.history.of_note(108)
    page.goal.value = "soon"
    assert page.day == 108
    assert "day = soon: allowed a whole number from 0 to 329" in page.problem.object
    page.run.value = str(RUN_LIMIT - 1)
    assert page.history.asked.run == RUN_LIMIT - 1
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
    history = History(asked_for({**settings, "run": str(run)}))
    last = history.reach(329)
    assert last == ended[run]
    assert history.evening(last).run["war"] == 1.0
    assert "Direct war broke out: the history ends here." in words.heading(history, history.evening(last))


def test_visitors_share_nothing_that_changes() -> None:
    one, other = Play(), Play()
    one.forth.clicks += 1
    assert (one.day, other.day) == (1, 0)
    assert other.history.lived == 1
