"""The reference model and the kernel agree to the last bit, and a difference of one bit would be seen."""

import inspect
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.engine.batch import run_batch
from sim.engine.inputs import DesignColumns, build_inputs
from sim.engine.record import OutputSpec
from sim.engine.reference.model import StateTable
from sim.model.scenario import load
from sim.rules import casualties, ladder, mediator, militia, observation, patron, rates, rival, samplers, target
from tests.engine import digest
from tests.engine.rows import (
    ROWS,
    SCENARIOS,
    Row,
    between,
    by_kernel,
    by_reference,
    changed,
    days_done,
    declarations,
    design,
    differences,
    numbers_of,
    rows_of,
)
from tests.engine.worlds import world

ROOT = Path(__file__).resolve().parents[2]
compiled = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") != "0",
    reason="uncompiled, the kernel looks rules up as the reference does",
)


# --- equality -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_engines_agree_on_every_state_of_every_day(name):
    for row in rows_of(name):
        kernel = by_kernel(row)
        assert differences(by_reference(row), kernel) == [], f"point {row.point}, seed {row.seed}, run {row.run}"
        assert all(np.isfinite(column).all() for column in numbers_of(kernel).values())


@pytest.mark.parametrize("name", ["second_case", "red_sea"])
def test_both_engines_agree_on_cases_in_a_folder_of_their_own(name):
    scenario = load([f"scenario={name}"], ROOT / "experiments" / name).scenario
    table = build_inputs(scenario, design(scenario, list(range(6))))
    for point in range(6):
        row = Row(scenario, table, point, 2020, point)
        assert differences(by_reference(row), by_kernel(row)) == [], f"point {point}"


def test_an_open_answer_that_is_documented_comes_on_its_day_and_on_no_other():
    scenario = load(["scenario=second_case", "ladder.war_rate=0"], ROOT / "experiments" / "second_case").scenario
    [pin] = [one for one in scenario.pins if one.kind == "open_answer"]
    table = build_inputs(scenario)
    for engine in (by_reference, by_kernel):
        run = engine(Row(scenario, table, 0, 1, 0)).run
        assert np.flatnonzero(run["answered"]).tolist() == [pin.first]
        assert run["rung"][pin.first] == 5
    without = replace(scenario, pins=tuple(one for one in scenario.pins if one is not pin))
    assert not by_kernel(Row(without, build_inputs(without), 0, 1, 0)).run["answered"].any()


def test_a_major_response_that_names_a_wing_hits_that_wing_alone():
    scenario = load(["scenario=second_case", "ladder.war_rate=0"], ROOT / "experiments" / "second_case").scenario
    one = next(pin for pin in scenario.pins if pin.kind == "major")
    every = replace(scenario, pins=tuple(replace(pin, wing=None) if pin is one else pin for pin in scenario.pins))
    only = scenario.cast.wing_index(one.wing or "")
    for engine in (by_reference, by_kernel):
        named, all_hit = (
            engine(Row(case, build_inputs(case), 0, 1, 0)).wings[one.first]["jump"] > 0 for case in (scenario, every)
        )
        assert np.flatnonzero(named).tolist() == [only]
        assert all_hit.all()


def test_there_are_two_hundred_rows_with_seeds_and_runs_of_all_sizes():
    rows = [row for name in SCENARIOS for row in rows_of(name)]
    assert len(rows) == ROWS == 200
    assert len({row.seed for row in rows}) == len({row.run for row in rows}) == ROWS
    assert max(row.seed for row in rows) > 2**63
    assert max(row.run for row in rows) > 2**47


@pytest.mark.parametrize("name", ["article", "salt_coast"])
def test_every_declared_parameter_is_drawn_within_its_range_and_read(monkeypatch, name):
    scenario, column_of, asked = world(f"scenario={name}"), DesignColumns._column, set()

    def noting(self, key, value):
        asked.add(key)
        return column_of(self, key, value)

    monkeypatch.setattr(DesignColumns, "_column", noting)
    columns = design(scenario, list(range(40)))
    build_inputs(scenario, columns)
    assert asked == set(columns)
    for key, (declaration, _) in declarations(scenario).items():
        column = columns[key]
        assert declaration.low <= column.min() < column.max() <= declaration.high, key


def test_the_rows_reach_every_corner_of_the_model():
    histories = [by_kernel(row) for name in SCENARIOS for row in rows_of(name)]
    met = {
        name: {value for states in histories for value in np.unique(states.run[name]).tolist()}
        for name in ("phase", "leader", "rung", "limited", "major", "answered", "war")
    }
    assert met["phase"] == set(range(len(patron.PHASES)))
    assert met["leader"] == {0, 1, 2}
    assert met["rung"] == set(range(7))
    assert all(met[name] == {0, 1} for name in ("limited", "major", "answered", "war"))
    columns = [numbers_of(states) for states in histories]
    for name in columns[0]:
        assert any((column[name] > 0).any() for column in columns), name
    assert all((states.run["killed"] % 1.0 == 0.0).all() for states in histories), "deaths are whole numbers"
    complete = sum(days_done(states) == len(states.run) for states in histories)
    assert ROWS // 3 < complete < ROWS, "some histories end in war, many do not"
    switches = [row.scenario.mechanisms for name in SCENARIOS for row in rows_of(name)]
    for mechanism in vars(switches[0]):
        assert {getattr(one, mechanism) for one in switches} == {True, False}, mechanism


# --- however it is computed ---------------------------------------------------------------------------------


def test_design_points_alone_and_together_in_any_order_and_on_any_threads(monkeypatch):
    scenario = changed(world("scenario=tight_leash"), 3)
    table = build_inputs(scenario, design(scenario, list(range(30))))
    runs, points = np.arange(30) * 2**20, np.arange(30)
    wanted = OutputSpec(states=True)
    whole = run_batch(table, 9, runs, points, wanted, threads=1)
    monkeypatch.setattr("sim.engine.batch.task_size", lambda *given: 7)
    shuffled = np.random.default_rng(1).permutation(30)
    apart = run_batch(table, 9, runs[shuffled], points[shuffled], wanted, threads=2)
    for name in ("rows", "counts", "lags", "run_states", "front_states", "wing_states"):
        assert getattr(whole, name)[shuffled].tobytes() == getattr(apart, name).tobytes(), name
    assert np.array_equal(whole.weekly, apart.weekly)
    for place in (0, 17):
        alone = by_reference(Row(scenario, table, place, 9, int(runs[place])))
        batch = StateTable(whole.run_states[place], whole.front_states[place], whole.wing_states[place])
        assert differences(alone, batch) == []


@compiled
def test_compilation_on_and_off_and_both_engines_give_one_digest():
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tests.engine.digest"]
    off = subprocess.run(
        command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert off.returncode == 0, off.stderr
    assert len({*off.stdout.split(), *digest.digest()}) == 1


# --- what must not pass unseen ------------------------------------------------------------------------------

BEFORE_THE_DAY = {"trait", "hold", "pace", "tail_power", "tail_span", "decay_factor", "rate_to_probability", "clip01"}
"""Rules that make the table, or that other rules call: the reference model does not look them up."""

RULES = [
    (module, name)
    for module in (patron, mediator, militia, casualties, observation, target, ladder, rival, rates)
    for name, rule in inspect.getmembers(module, inspect.isfunction)
    if rule.__module__ == module.__name__ and name not in BEFORE_THE_DAY
]


@cache
def busy(run: int, pause: bool = True) -> tuple[Row, StateTable]:
    """A history in which everybody decides something, and its states: deaths, strikes on the patron, open answers."""
    scenario = world(
        f"mechanisms.pause={str(pause).lower()}",
        "scenario=strike_iran", "patron.open_answer=0.5", "casualties.penetration=0.3", "casualties.lethality=0.3",
        "ladder.war_rate=0.001", "deterrence.wear=0.02", "shares.share_deviation=0.4", "shares.share_drift=0.1",
    )  # fmt: skip
    row = Row(scenario, between(build_inputs(scenario), 0, 200), 0, 1, run)
    return row, by_kernel(row)


def altered(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule with another result."""

    def other(*values: Any) -> Any:
        result = rule(*values)
        if isinstance(result, bool):
            return not result
        return (result + 1) % 4 if isinstance(result, int) else result * 1.5 + 0.125

    return other


@compiled
@pytest.mark.parametrize(("module", "name"), RULES, ids=[f"{module.__name__}.{name}" for module, name in RULES])
def test_a_rule_replaced_in_python_changes_the_reference_alone(monkeypatch, module, name):
    histories = [*map(busy, range(12)), busy(0, pause=False)]
    monkeypatch.setattr(module, name, altered(getattr(module, name)))
    assert all(differences(by_kernel(row), states) == [] for row, states in histories)
    assert any(differences(by_reference(row), states) for row, states in histories)


@compiled
def test_a_sampler_replaced_in_python_changes_the_reference_alone(monkeypatch):
    row, states = busy(0)
    monkeypatch.setattr(samplers, "sample_categorical", lambda draw, weights: len(weights) - 1)
    assert differences(by_reference(row), states)


ONE_BIT = {
    "numbers": "war_risk_keep alarm_per_death fear_keep fear_own grievance_keep grievance_max provocation_keep"
    " killed_weight attribution_keep response_relief pressure_keep pressure_per_strike gains_scale cooling"
    " major_intensity major_fear",
    "theatres": "rebuild",
    "wings": "baseline held wear",
}


@pytest.mark.parametrize(("part", "name"), [(part, name) for part in ONE_BIT for name in ONE_BIT[part].split()])
def test_one_bit_of_a_constant_is_seen(part, name):
    row, states = busy(2)
    records = getattr(row.table, part).copy()
    records[name] = np.nextafter(records[name], math.inf)
    other = replace(row, table=row.table._replace(**{part: records}))
    assert differences(by_reference(other), states)
    assert differences(by_reference(other), by_kernel(other)) == []


@pytest.mark.parametrize("other", [{"seed": 2}, {"seed": 1 + 2**32}, {"run": 1}, {"run": 2**32}])
def test_another_address_is_seen(other):
    row, states = busy(0)
    assert differences(by_reference(replace(row, **other)), states)


def test_the_comparison_sees_one_bit_and_the_sign_of_zero():
    _, states = busy(0)
    for value in (math.nextafter(float(states.wings["fear"][5, 2]), 9.0), -0.0):
        wings = states.wings.copy()
        wings["fear"][5, 2] = value
        assert differences(states, states._replace(wings=wings)) == ["wings.fear from day 5"]
