"""Events in words on top of a scenario: every kind, in which words a slip is refused, and what they do."""

from datetime import date

import numpy as np
import pytest

import sim
from sim.analysis.comparison.arms import arms_of
from sim.app.form_settings import load_base
from sim.engine.batch import run_batch
from sim.engine.inputs import build_inputs
from sim.engine.record import OutputSpec
from sim.model.hydra_config import override_of
from sim.model.interventions import EXAMPLES, PRESETS
from sim.model.scenario import Scenario, config_of, load
from sim.model.timeline import EVENT_KINDS
from sim.model.validation import UserError
from tests.engine.rows import Row, by_kernel, by_reference, design, differences

RUNS = np.arange(400)
MOVED = "february_strikes@2024-01-20"
SCENARIO = load().scenario


def intervened(*texts: str) -> Scenario:
    return load([override_of("interventions", list(texts))]).scenario


def test_there_is_an_example_of_each_kind_and_preset() -> None:
    assert set(EXAMPLES) == {*EVENT_KINDS, *PRESETS}


@pytest.mark.parametrize("word", EXAMPLES)
def test_each_example_makes_one_event_of_its_kind_that_departs_on_its_day(word: str) -> None:
    scenario, before = intervened(EXAMPLES[word]), load().scenario
    [event] = [one for one in scenario.events if one not in before.events]
    assert event is scenario.events[-1]
    assert event.kind == PRESETS.get(word, {}).get("kind", word)
    assert scenario.departs == scenario.free_from == event.first
    assert str(scenario.calendar.date_of(event.first)) in EXAMPLES[word]
    lasts = EVENT_KINDS[event.kind].lasts and " to " not in EXAMPLES[word] and " on " not in EXAMPLES[word]
    assert (event.last == scenario.calendar.days - 1) == lasts
    assert EXAMPLES[word] in scenario.question


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ordr iraq stop from 2023-12-10", 'for "ordr": one of 19 names, nearest: order'),
        ("order irak stop from 2023-12-10", 'for "irak": one of 12 names, nearest: iraq'),
        ("order iraq stopp from 2023-12-10", 'for "stopp": one of 12 names, nearest: stop'),
        ("order iraq from 2023-12-10", "with a value, as in 'order iraq stop from 2023-12-10'"),
        ("order iraq stop", "at the end: on, from, iraq"),
        ("order iraq stop from 2025-01-01", 'for "2025-01-01": a date within the calendar'),
        ("order iraq stop from 2023-12-10 to 2023-12-01", 'for "2023-12-01": 2023-12-10 or later'),
        ("order iraq stop on 2023-12-10 please", 'for "please": nothing more'),
        ("deaths 2 on 2024-02-10", "with the id of a wing"),
        ("november", "one of 1 names, nearest: november_truce"),
        ("march_strikes@2024-01-20", "events: one of 14 names, nearest: february_strikes"),
        ("february_strikes@2026-01-20", "2023-10-17 to 2024-09-10"),
        ("february_strikes@soon", "a date such as 2024-01-20"),
        ("february strikes@2024-01-20", "NAME@DATE such as february_strikes@2024-01-20"),
    ],
)
def test_a_slip_is_refused_by_its_token_and_the_nearest_word(text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        intervened(text)
    assert f"allowed {line}" in str(caught.value)


def test_the_same_twice_is_refused() -> None:
    for text in (EXAMPLES["order"], MOVED):
        with pytest.raises(UserError, match="each once"):
            intervened(text, text)


def test_a_moved_event_is_one_scenario_in_every_verb_and_on_the_page() -> None:
    alone = intervened(MOVED)
    day = alone.calendar.day_of(date(2024, 1, 20))
    assert (alone.departs, alone.free_from) == (day, day)
    assert "february_strikes on 2024-01-20" in alone.question
    assert [event.first for event in alone.events if event.id == "february_strikes"] == [day]
    compared = arms_of(["article", f"article;{MOVED}"])[1].config
    base = load_base(())
    shown = base.config(base.settings({"interventions": MOVED}))
    stored = config_of(compared.tree, "article")
    assert alone == compared.scenario == shown.scenario == stored.scenario
    assert alone != load().scenario
    # The record stays pinned for longer where the user says so.
    assert load([override_of("interventions", [MOVED]), "history.free_from=2024-02-03"]).scenario.free_from == 109


def test_a_moved_event_moves_the_runs_of_other_verbs_too() -> None:
    day = SCENARIO.calendar.day_of(date(2024, 1, 20))
    overrides = {"interventions": [MOVED]}
    found = sim.run(runs=50, overrides=overrides).data
    assert (found["major_day"] == day).all()
    assert (sim.run(runs=50).data["major_day"] != day).all()
    several = sim.explain(outcome="war", mechanisms=["fear"], runs=2, parameters="defaults", overrides=overrides)
    assert several.found.game.scenario.events[-1].first == day
    assert "20 January 2024" in "\n".join(sim.replay(run=3, overrides=overrides).found.lines())


def test_the_truce_of_november_is_off_until_a_scenario_switches_it_on() -> None:
    article = load().scenario
    assert not any(event.id == "november_truce" for event in article.events)
    named, by_word = load(["scenario=november_truce"]).scenario, intervened("november_truce")
    assert named.events[-1] == by_word.events[-1]
    assert (named.departs, named.events[-1].first, named.events[-1].last) == (38, 38, 44)


def test_an_order_as_an_event_is_between_a_stop_and_the_campaign() -> None:
    def attacks(value: str) -> np.ndarray:
        table = build_inputs(intervened(f"order iraq syria jordan {value} from 2023-11-01"))
        return run_batch(table, 3, RUNS, outputs=OutputSpec(weekly=False)).counts[:, :7, :, 0].sum((1, 2))

    stop, reduce, free, attack = (attacks(value) for value in ("stop", "reduce", "free", "attack"))
    error = 4 * attack.std(ddof=1) / np.sqrt(len(RUNS))
    assert stop.mean() < reduce.mean() + error
    assert reduce.mean() < free.mean() + error
    assert stop.mean() + error < attack.mean()


def test_a_stop_that_is_ordered_by_an_event_is_what_the_patron_asks_for_by_itself() -> None:
    scenario = intervened("order iraq stop from 2023-12-10 to 2023-12-20")
    numbers = scenario.parameters.patron
    states = by_reference(Row(scenario, build_inputs(scenario), 0, 1, 0))
    asked = states.fronts["order"][:, scenario.cast.theatre_index("iraq")]
    assert (asked[54:65] == numbers.directive_stop).all()
    assert asked[53] == 1.0
    assert asked[65] > numbers.directive_stop


@pytest.mark.parametrize("point", range(4))
def test_both_engines_agree_on_orders_by_events(point: int) -> None:
    scenario = intervened(
        "order iraq stop from 2023-11-01 to 2024-01-10",
        "order syria reduce from 2023-10-17",
        "order lebanon stop on 2024-01-01",
    )
    table = build_inputs(scenario, design(scenario, list(range(4))))
    row = Row(scenario, table, point, 20_24, point)
    assert differences(by_reference(row), by_kernel(row)) == []
