"""Parameters that change in the course of a history: the same in both engines, and nothing else moves."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.engine import batched
from sim.engine.batch import empty_output, run_batch
from sim.engine.inputs import ModelInputs, at_day, build_inputs, stacked, with_design
from sim.engine.record import Output, OutputSpec
from sim.engine.reference.model import ReferenceModel
from sim.experiment.command import override_texts
from sim.model.scenario import Scenario, load
from sim.model.validation import UserError
from tests.engine.rows import differing, reference_output
from tests.experiment.extensions import written

RUNS = np.arange(24)
SEED = 7
WANTED = OutputSpec(daily=True, states=True)
BUSY = ("ladder.war_rate=0.01", "casualties.penetration=0.2", "deterrence.wear=0.02")


def change(parameter: str, value: float, first: Any, last: Any = None, name: str = "a") -> str:
    to = "" if last is None else f", to: {last}"
    return f"changes.{name}={{parameter: {parameter}, value: {value}, from: {first}{to}}}"


MANY = (
    change("patron.control", 0.2, "2024-02-03", name="leash"),
    change("militia.nujaba_iraq.baseline", 1.0, "2023-12-01", "2024-01-20", name="bold"),
    change("theatre.iraq.supply", 0.1, 90, 200, name="supply"),
    change("deterrence.damage", 0.9, 109, name="damage"),
    change("deterrence.strike_fear", 0.5, 50, 100, name="fear"),
    change("deterrence.strike_fear", 2.0, 60, 70, name="shock"),
    change("casualties.injured_mean", 5.0, 20, name="harm"),
    change("multipliers.baseline", 1.5, 0, 30, name="start"),
)
"""Numbers of the run, of a theatre and of a wing; on the day after strikes too, of which wings feel what they left."""


def scenario_of(*overrides: str) -> Scenario:
    return load(overrides).scenario


@cache
def changing() -> tuple[Scenario, ModelInputs]:
    """A scenario with all of these changes, at two points."""
    scenario = scenario_of(*MANY, *BUSY)
    return scenario, build_inputs(scenario, {"compliance.rate": np.array([0.1, 0.4])})


def simulated(table: ModelInputs, width: int | None = None, wanted: OutputSpec = WANTED) -> Output:
    out = empty_output(table, len(RUNS), wanted)
    batched.run_histories(table, SEED, 0, RUNS, RUNS % table.points, out, width)
    return out


def reference(table: ModelInputs | None = None) -> Output:
    scenario, own = changing()
    return reference_output(scenario, own if table is None else table, SEED, RUNS, RUNS % own.points, WANTED)


@pytest.mark.parametrize("width", [None, 3, 64])
def test_both_engines_change_the_same_numbers_on_the_same_days(width):
    found = simulated(changing()[1], width)
    assert differing(reference(), found) == []
    assert (found.run_states["war"] > 0).any()
    assert (found.wing_states["struck"][:, 108] > 0).any(), "wings feel strikes with numbers of the day after"


def test_a_change_that_one_engine_leaves_out_is_seen():
    table = changing()[1]
    for place in range(len(table.later)):
        others = table._replace(later=table.later[:place] + table.later[place + 1 :])
        assert differing(reference(others), simulated(table)) != [], table.later[place].day


def test_the_fast_path_gives_what_states_day_by_day_give():
    table = changing()[1]
    fast, slow = (simulated(table, wanted=one) for one in (OutputSpec(daily=True), WANTED))
    assert [name for name in ("rows", "counts", "lags", "weekly", "daily") if name in differing(fast, slow)] == []


def test_a_change_of_the_whole_history_is_another_parameter():
    changed = simulated(build_inputs(scenario_of(change("patron.control", 0.3, 0), *BUSY)))
    assert differing(changed, simulated(build_inputs(scenario_of("patron.control=0.3", *BUSY)))) == []
    assert differing(changed, simulated(build_inputs(scenario_of(*BUSY)))) != []


def test_nothing_moves_before_the_day_of_the_change():
    plain = simulated(build_inputs(scenario_of(*BUSY)))
    late = simulated(build_inputs(scenario_of(change("target.response_rate", 0.9, 120), *BUSY)))
    for name in ("run_states", "front_states", "wing_states"):
        one, other = (getattr(out, name) for out in (plain, late))
        assert np.array_equal(one[:, :120], other[:, :120])
    assert not np.array_equal(plain.run_states[:, 120:], late.run_states[:, 120:])


def test_arms_with_and_without_changes_share_a_batch():
    scenario, table = changing()
    plain = build_inputs(scenario_of(*BUSY))
    both = stacked([plain, table])
    out = run_batch(both, SEED, np.tile(RUNS[:8], 3), np.repeat([0, 1, 2], 8))
    alone = [run_batch(plain, SEED, RUNS[:8])]
    alone += [run_batch(table, SEED, RUNS[:8], np.full(8, point)) for point in (0, 1)]
    assert np.array_equal(out.rows, np.concatenate([one.rows for one in alone]))
    assert with_design(build_inputs(scenario), scenario, {}).later[0].day == table.later[0].day


def test_overlapping_changes_and_what_is_drawn():
    scenario, table = changing()
    fear = {day: at_day(table, day).numbers["fear_own"].tolist() for day in (40, 55, 65, 80, 200)}
    usual = scenario.parameters.deterrence.strike_fear
    assert fear == {40: [usual] * 2, 55: [0.5] * 2, 65: [2.0] * 2, 80: [0.5] * 2, 200: [usual] * 2}
    drawn = build_inputs(scenario, {"patron.control": np.array([0.4, 0.9])})
    assert at_day(drawn, 0).wings["held"][0, 0] < at_day(drawn, 0).wings["held"][1, 0]
    assert at_day(drawn, 200).wings["held"][0, 0] == at_day(drawn, 200).wings["held"][1, 0]


def test_a_parameter_of_an_extension_changes_and_its_states_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    scenario = scenario_of("extensions=weariness.py", change("weariness.strength", 2.0, 60), *BUSY)
    table = build_inputs(scenario)
    out = empty_output(table, 4, WANTED)
    batched.run_histories(table, SEED, 0, RUNS[:4], np.zeros(4, dtype=np.int64), out)
    assert differing(reference_output(scenario, table, SEED, RUNS[:4], np.zeros(4, dtype=np.int64), WANTED), out) == []
    states = ReferenceModel(scenario, SEED, 0, table=table).simulate().state_table()
    assert set(states.extras[:, 1].tolist()) == {0.0, 2.0}


def test_a_scenario_changes_from_the_day_on_which_it_departs():
    scenario = scenario_of("scenario=no_restraint", change("patron.control", 0.1, "departs"))
    assert [one.day for one in build_inputs(scenario).later] == [scenario.departs]
    assert [one.first for one in scenario.changes] == [scenario.departs]


def test_changes_are_a_mapping_and_no_spelling_needs_a_plus():
    leash = {"parameter": "patron.control", "value": 0.95, "from": date(2024, 1, 29)}
    wanted = scenario_of(change("patron.control", 0.95, "2024-01-29", name="leash")).changes
    assert [(one.id, one.value, one.last) for one in wanted] == [("leash", 0.95, 329)]
    flow = "{leash: {parameter: patron.control, value: 0.95, from: 2024-01-29}}"
    for text in (f"changes={flow}", f"+changes={flow}", f"++changes={flow}"):
        assert scenario_of(text).changes == wanted
    mine: dict[str, Any]
    for mine in ({"changes": {"leash": leash}}, {"changes.leash": leash}, {"+changes.leash": leash}):
        assert scenario_of(*override_texts(mine)).changes == wanted
    bold = {"parameter": "militia.nujaba_iraq.autonomy", "value": 0.9, "from": 3}
    both = scenario_of(*override_texts({"changes": {"leash": leash, "bold": bold}, "changes.leash.value": 0.5})).changes
    assert [(one.id, one.value) for one in both] == [("leash", 0.5), ("bold", 0.9)]
    assert (
        scenario_of(*override_texts({"changes": {"leash": leash, "bold": bold}, "~changes.bold": None})).changes
        == wanted
    )
    assert scenario_of(*override_texts({"changes": {}})).changes == scenario_of("changes=null").changes == ()
    with pytest.raises(UserError, match=r"change = 3: allowed keys: .*nearest: changes"):
        scenario_of("change=3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (change("patron.controll", 0.5, 3), "changes.a.parameter = patron.controll: allowed"),
        (change("patron.control", 1.5, 3), "changes.a.value = 1.5: allowed 0 to 1"),
        (change("patron.control", 0.5, "departs"), "changes.a.from = departs: .* never departs"),
        (change("patron.control", 0.5, "2029-01-01"), "changes.a.from = 2029-01-01: allowed 2023-10-17 to"),
        (change("patron.control", 0.5, 9, 3), "changes.a.to = 3: allowed 2023-10-26 or later"),
        ("changes.a.until=3", "changes.a.until = 3: allowed keys"),
        ("changes=3", "changes = 3: allowed a mapping"),
        ("changes={a: {parameter: patron.control, value: 2, from: 3}}", "changes.a.value = 2: allowed 0 to 1"),
    ],
)
def test_a_mistake_gives_one_line(text, said):
    with pytest.raises(UserError, match=said) as caught:
        scenario_of(text)
    assert "\n" not in str(caught.value)
