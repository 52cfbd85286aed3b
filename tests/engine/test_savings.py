"""What nothing asked reads is not simulated: every saving against the full computation, bit by bit."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from sim.engine import record
from sim.engine.batch import run_arms, run_batch
from sim.engine.batched import kernel
from sim.engine.inputs import ModelInputs, build_inputs
from sim.engine.record import Output, OutputSpec
from sim.experiment.dataset import OUTCOMES_BY_NAME, outcome_values, theatre_counts
from sim.model.declared_outcomes import NAMES, SETTLED
from sim.model.scenario import Scenario, load
from tests.engine.rows import design

CASES = {"article": (), "free": ("history=free",), "salt_coast": ("scenario=salt_coast",)}
POINTS = 40
RUNS = np.arange(600)
LEAN = OutputSpec(weekly=False)


@cache
def scenario_of(case: str) -> Scenario:
    return load(list(CASES[case])).scenario


@cache
def table(case: str) -> ModelInputs:
    """Random points over all declared ranges, and the declared one for half of the histories."""
    random = design(scenario_of(case), list(range(POINTS)))
    declared = {
        key: np.append(column, np.full(POINTS, scenario_of(case).number(key))) for key, column in random.items()
    }
    return build_inputs(scenario_of(case), declared)


def simulated(case: str, asked: OutputSpec) -> Output:
    return run_batch(table(case), 7, RUNS, RUNS % (2 * POINTS), asked)


@cache
def everything(case: str) -> Output:
    return simulated(case, OutputSpec())


def values(case: str, output: Output) -> dict[str, np.ndarray]:
    return outcome_values(scenario_of(case), output, theatre_counts(scenario_of(case), output))


def differing(case: str, *names: str) -> list[str]:
    """Which outcomes that are asked for differ from those of the full computation."""
    lean, whole = values(case, simulated(case, OutputSpec.of(*names))), values(case, everything(case))
    return [name for name in names if not np.array_equal(lean[name], whole[name])]


@pytest.mark.parametrize("case", CASES)
def test_an_outcome_that_is_asked_alone_has_the_bits_of_the_full_computation(case: str) -> None:
    assert [name for name in OUTCOMES_BY_NAME if differing(case, name)] == []
    assert differing(case, "lull_days", "quiet_days", "first_death_day", "attacks_lull") == []
    assert differing(case, *OUTCOMES_BY_NAME) == []


def test_it_would_notice_what_is_settled_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "SETTLED", SETTLED | {"deaths": "campaign", "peak_rung": "resumption_day"})
    assert differing("article", "deaths") == ["deaths"]
    assert differing("article", "peak_rung") == ["peak_rung"]


def test_lanes_stop_when_their_outcomes_are_settled_and_histories_when_all_are(monkeypatch: pytest.MonkeyPatch) -> None:
    stretches: list[tuple[int, int]] = []
    real = kernel.simulate_block

    def counting(*given: Any) -> int:
        stretches.append((given[1].lanes.vectors, given[5]))
        return int(real(*given))

    monkeypatch.setattr(kernel, "simulate_block", counting)
    calendar = scenario_of("article").calendar
    for asked, last in (("attacks_campaign", calendar.strikes), ("attacks_lull", calendar.report + 1)):
        stretches.clear()
        simulated("article", OutputSpec.of(asked))
        assert {stop for _, stop in stretches} == {last}
    stretches.clear()
    simulated("article", OutputSpec.of("lull_days"))
    assert {width for width, _ in stretches} >= {9, 1}
    assert all(width % 2 for width, _ in stretches)  # rows a power of two apart would compete for the cache
    stretches.clear()
    simulated("article", OutputSpec.of("deaths"))
    assert {stop for _, stop in stretches} == {calendar.days}


def test_wings_that_nothing_asked_reads_are_not_simulated() -> None:
    on_target = table("article").layout["on_target"] > 0
    lean, whole = simulated("article", OutputSpec.of("deaths")), everything("article")
    assert not lean.counts[:, ~on_target].any()
    assert whole.counts[:, ~on_target].any()
    assert np.array_equal(lean.counts[:, on_target], whole.counts[:, on_target])
    assert lean.lags.shape[0] == lean.weekly.shape[1] == 0


ARMS = (
    "article",
    "axis_pause",
    "arms_interdiction",
    "leader_strike_in_lull",
    "gaza_ceasefire",
    "tight_leash",
    "no_order",
)


@cache
def arms() -> list[ModelInputs]:
    scenarios = [load([f"scenario={name}", "history=free"]).scenario for name in ARMS]
    return [build_inputs(one, design(one, list(range(POINTS)))) for one in scenarios]


def same_runs(tables: Sequence[Any]) -> np.ndarray:
    """Runs of each table, the same in all."""
    return np.broadcast_to(RUNS, (len(tables), len(RUNS)))


def arms_differing() -> list[str]:
    """Arms that together have other bits than alone."""
    asked = OutputSpec(daily=True)
    together = run_arms(arms(), 7, RUNS, RUNS % POINTS, asked)
    alone = [run_batch(one, 7, RUNS, RUNS % POINTS, asked) for one in arms()]
    pairs = zip(ARMS, together, alone, strict=True)
    return [name for name, one, two in pairs if not all(np.array_equal(*both) for both in zip(one, two, strict=True))]


def test_arms_share_what_is_alike_with_the_bits_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    forks = dict(zip(ARMS, kernel.forks_of(arms(), LEAN, same_runs(ARMS)), strict=True))
    assert forks["axis_pause"] == (108, 0)
    assert forks["leader_strike_in_lull"] == (126, 0)
    assert forks["no_order"].day == 0
    assert arms_differing() == []
    monkeypatch.setattr(kernel, "days_alike", lambda one, other: 150)
    assert set(arms_differing()) >= {"axis_pause", "leader_strike_in_lull"}


def test_arms_fork_from_the_one_that_shares_most_and_settle_alike() -> None:
    table = arms()[0]
    changed = []
    for days in ((60,), (60, 120), (60, 200)):
        other = table.days.copy()
        other["intensity"][list(days)] = 0.123
        changed.append(table._replace(days=other))
    tables = [table, *changed]
    forks = kernel.forks_of(tables, LEAN, same_runs(tables))
    assert [tuple(one) for one in forks] == [(0, 0), (60, 0), (120, 1), (200, 1)]
    asked = OutputSpec.of("lull_days")
    column = NAMES.index("resumption_day")
    together = run_arms(tables, 7, RUNS, RUNS % POINTS, asked)
    alone = [run_batch(one, 7, RUNS, RUNS % POINTS, asked) for one in tables]
    for one, two in zip(together, alone, strict=True):
        assert np.array_equal(one.rows[:, column], two.rows[:, column])
    assert not np.array_equal(together[0].rows, together[1].rows)
