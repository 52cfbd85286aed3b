"""The patterns: they hold for the defaults under seeds the search never used, and break where they should."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.analysis import pattern_tests
from sim.analysis.pattern_tests import (
    BASELINE,
    MEASURES,
    Evidence,
    Finding,
    Verdict,
    banded,
    judge,
    naive_ratio,
    paired_ratio,
    prior_balance,
    shares_over_prior,
    shipped_shares,
)
from sim.experiment.ensemble import simulate_config
from sim.model.patterns import PATTERN_KINDS
from sim.model.scenario import Config, load, scenario_names
from sim.model.validation import UserError

RUNS = 3000
FRESH_SEEDS = (101, 202, 303, 404, 505)


def configured(*overrides: str) -> Config:
    return load([f"study.runs={RUNS}", *overrides])


@cache
def verdicts(*overrides: str) -> dict[str, Verdict]:
    config = configured(*overrides)
    # Any scenario is judged, as if the patterns spoke of it: how a departure breaks them.
    described = replace(config, scenario=replace(config.scenario, name=BASELINE))
    return {one.id: one for one in judge(described, simulate_config(config))}


@pytest.mark.parametrize("seed", FRESH_SEEDS)
def test_the_defaults_show_every_pattern_for_a_fresh_seed(seed: int) -> None:
    found = verdicts(f"seed={seed}")
    assert list(found) == [f"P{number}" for number in range(1, 14) if number != 11]
    broken = {name: one.model for name, one in found.items() if not one.holds}
    assert not broken


def test_each_pattern_has_one_kind_and_what_assumptions_decide_has_its_own() -> None:
    found = verdicts(f"seed={FRESH_SEEDS[0]}")
    assert {name for name, one in found.items() if one.kind == "prior-driven"} == {"P9", "P13"}
    assert {one.kind for one in found.values()} == set(PATTERN_KINDS)
    assert not [name for name, one in found.items() if any(kind in one.model for kind in PATTERN_KINDS)]


@pytest.mark.parametrize(("scenario", "fails"), [("no_restraint", "P2"), ("no_us_strikes", "P5"), ("no_order", "P1")])
def test_other_scenarios_break_the_pattern_they_should(scenario: str, fails: str) -> None:
    assert verdicts(f"scenario={scenario}")[fails].holds is False


def test_another_scenario_is_measured_but_not_judged() -> None:
    config = replace(configured("scenario=no_order", "study.runs=50"))
    found = judge(config, simulate_config(config))
    assert len(found) == 12
    assert all(one.holds is None and one.model for one in found)


def test_the_naive_ratio_sees_deterrence_where_strikes_do_nothing() -> None:
    # Strikes follow bad days; so the days after look calmer than the days before, whatever strikes do.
    off = ("mechanisms.fear=false", "mechanisms.grievance=false", "mechanisms.capacity=false")
    config = configured(*off)
    evidence = Evidence(config, simulate_config(config, runs=10))
    assert paired_ratio(evidence, 5) == pytest.approx(1.0, abs=0.01)
    assert naive_ratio(evidence, 5) < 0.95


def test_the_naive_ratio_counts_as_many_days_after_a_response_as_up_to_it() -> None:
    attacks, limited = 2.0 ** np.arange(10)[None], np.zeros((1, 10), dtype=int)
    # Three days from day 4 on; too few days lie before a response on day 1, and after one on day 7.
    limited[0, [1, 4, 7]] = 1
    calendar = SimpleNamespace(strikes=10)
    made: Any = SimpleNamespace(scenario=SimpleNamespace(calendar=calendar), traced=lambda days: (attacks, limited))
    assert naive_ratio(made, 3) == (2**5 + 2**6 + 2**7) / (2**2 + 2**3 + 2**4)
    limited[0, 4] = 0
    assert np.isnan(naive_ratio(made, 3))


def test_a_strike_that_only_frightens_lowers_the_paired_ratio() -> None:
    config = configured("deterrence.strike_net=-0.5", "deterrence.strike_fear=1", "deterrence.spillover=0.5")
    evidence = Evidence(config, simulate_config(config, runs=10))
    assert paired_ratio(evidence, 5) < 0.9


def test_orders_alone_and_strikes_alone_are_about_equally_able_to_explain_the_calm() -> None:
    shares = {one.reading: one for one in prior_balance(configured())}
    orders, strikes = shares["orders only"], shares["strikes only"]
    for mine, other in ((orders.none, strikes.none), (orders.few, strikes.few), (orders.both, strikes.both)):
        assert min(mine, other) > 0.0
        assert max(mine, other) / min(mine, other) <= 10.0
    assert shares["both"].none > max(orders.none, strikes.none)


@pytest.mark.parametrize("name", [card.name for card in scenario_names()])
def test_every_shipped_scenario_can_be_measured(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_tests, "PAIRED_RUNS", 20)
    monkeypatch.setattr(pattern_tests, "TRACED_RUNS", 20)
    config = load([f"scenario={name}", "study.runs=20"])
    found = judge(config, simulate_config(config))
    unmeasured = {one.id for one in found if one.model.startswith("not measured: ")}
    assert not unmeasured


@pytest.mark.parametrize(
    ("override", "pattern", "why"),
    [
        ("calendar.report=2024-02-02", "P7", "not measured: no days before the strikes, or none between"),
        ("calendar.strikes=2023-10-17", "P7", "not measured: no days before the strikes, or none between"),
    ],
)
def test_what_a_configuration_leaves_nothing_to_measure_on_is_said(
    override: str, pattern: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern_tests, "PAIRED_RUNS", 20)
    monkeypatch.setattr(pattern_tests, "TRACED_RUNS", 20)
    config = load([override, "study.runs=20"])
    found = {one.id: one for one in judge(config, simulate_config(config))}
    assert found[pattern].model.startswith(why)
    assert found[pattern].holds is None


def test_a_departure_that_does_not_exist_is_the_users_mistake() -> None:
    config = load(["study.runs=20"])
    broken = replace(config, patterns=(replace(config.patterns[9], scenario=("nowhere", "tight_leash")),))
    with pytest.raises(UserError, match="scenario = nowhere"):
        judge(broken, simulate_config(config))


def test_every_measure_is_named_by_a_pattern_and_the_other_way_round() -> None:
    assert {pattern.measure for pattern in configured().patterns} == set(MEASURES)


@pytest.mark.parametrize(("share", "holds"), [(0.0, False), (0.049, False), (0.05, True), (0.5, True), (1.0, True)])
@pytest.mark.parametrize("at_one_set", [True, False])
def test_the_predictive_band_holds_what_is_predicted_with_5_percent_or_more(
    share: float, holds: bool, at_one_set: bool
) -> None:
    found = banded(Finding("in 9% of runs", "at least 10%", at_one_set, share))
    assert found == ("in 9% of runs", "predicted with 5% or more (at least 10% at one set of numbers)", holds, share)


def test_shipped_shares_over_the_priors_are_those_of_the_model_and_leave_room_to_fail() -> None:
    shipped = shipped_shares()
    assert list(shipped) == [one.id for one in configured().patterns if one.judged != "prior"]
    assert all(0.0 < one <= 0.9 for one in shipped.values())
    draws = 40
    found = shares_over_prior(load(["seed=2"]), draws)
    for name, share in shipped.items():
        # Two binomial shares, of 300 draws and of 40, apart by four standard errors at most.
        assert abs(found[name] - share) <= 4.0 * np.sqrt(share * (1.0 - share) * (1.0 / 300 + 1.0 / draws)), name


def test_strikes_on_every_wing_show_and_strikes_without_any_effect_do_not() -> None:
    config = configured()
    evidence = Evidence(config, simulate_config(config, runs=10))
    assert paired_ratio(evidence, 5) < 0.99


def test_an_offensive_raises_attacks_elsewhere_and_a_ceasefire_stops_those_on_the_target() -> None:
    runs, later = 1000, {"window": "later"}
    offensive, as_it_was = (
        simulate_config(load([f"study.runs={runs}", one]))
        for one in ("scenario=rafah_offensive", "history.free_from=2024-03-01")
    )
    for theatre in ("lebanon", "red_sea"):
        place = {"theatre": theatre, **later}
        more = offensive["theatre_attacks"].sel(place).values - as_it_was["theatre_attacks"].sel(place).values
        assert more.mean() > 5.0 * more.std(ddof=1) / np.sqrt(runs)
    ceasefire = load([f"study.runs={runs}", "scenario=gaza_ceasefire"])
    pause = next(one for one in ceasefire.scenario.events if one.kind == "intensity" and one.value == 0.0)
    attacks = simulate_config(ceasefire, daily=True)["attacks_by_day"].sel(theatre=["iraq", "syria", "jordan"])
    inside = attacks[:, pause.first : pause.last + 1].values
    after = attacks[:, pause.last + 1 : pause.last + 15].values
    assert inside.sum() == 0
    assert after.sum() > 0
