"""Comparisons: pairs that share their luck, two levels of uncertainty, regrets, and what a user may ask for."""

import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from sim import compare
from sim.analysis.comparison import paired_run
from sim.analysis.comparison.arms import ComparedArm, arms_of, common_day, listed
from sim.analysis.comparison.paired import (
    DIRECTIONS,
    NO_WAR,
    Draws,
    Effect,
    Regrets,
    columns_of,
    effect_of,
    effect_without_war,
    losses,
    measures_of,
)
from sim.analysis.comparison.paired_comparison import (
    EFFECTS,
    effect_rows,
    prepare,
    prior_rows,
    regret_rows,
    shares_of_sign,
    summary,
    verdict,
)
from sim.analysis.comparison.paired_run import PRIOR_DRAWS as BESIDE_DRAWS
from sim.analysis.comparison.paired_run import PRIOR_RUNS as BESIDE_RUNS
from sim.analysis.comparison.paired_run import points_of
from sim.analysis.summary import PRIOR_DRIVEN
from sim.engine.batch import run_batch
from sim.engine.inputs import build_inputs
from sim.experiment.command import Request
from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.ensemble import simulate, simulate_config
from sim.experiment.options import entries
from sim.experiment.parameter_sets import shipped_posterior
from sim.experiment.statistics import NORMAL_90, Tally, finite
from sim.model.scenario import load
from sim.model.validation import UserError
from sim.reporting.comparison_tables import effect_table, longest, sentence, short
from sim.rules.outcomes import NEVER

pytestmark = pytest.mark.usefixtures("small_sides")
RUNS = 400


def at(data: xr.Dataset, name: str, measure: str, comparison: int = 0) -> float:
    return float(data[name].sel(measure=measure).values[comparison])


@pytest.fixture(scope="module")
def fixed() -> xr.Dataset:
    """The pairs of the front page at the declared parameters, each from the day on which it departs."""
    scenarios = ["article", "no_us_strikes", "no_restraint", "tight_leash"]
    return compare(scenarios, runs=2000, parameters="defaults", departures="own").data


@pytest.fixture(scope="module")
def drawn() -> xr.Dataset:
    """A pair over draws of the prior."""
    return compare(["article", "tight_leash"], draws=12, runs=60, parameters="prior").data


# --- what must be true of any comparison --------------------------------------------------------------------


@pytest.mark.parametrize("parameters", ["defaults", "prior"])
def test_a_scenario_against_itself_is_exactly_zero_everywhere(parameters: str) -> None:
    draws = 1 if parameters == "defaults" else 6
    data = compare(["article", "article;mechanisms.fear=true"], draws=draws, runs=50, parameters=parameters).data
    for name in (
        "difference",
        "low",
        "high",
        "error",
        "sd_within_draw",
        "sd_between_draws",
        "history_low",
        "history_high",
    ):
        values = data[name].values
        assert (values[np.isfinite(values)] == 0.0).all(), name
    assert (data["tie"] == 1.0).all()
    assert (data["less"] == 0.0).all()
    assert (data["more"] == 0.0).all()
    assert (data["difference_of_draw"] == 0.0).all()
    assert np.nanmax(data["regret_worst"].values) == 0.0
    variance_reduction = data["variance_reduction"].values
    assert (variance_reduction[np.isfinite(variance_reduction)] == 1.0).all()


def test_that_zero_is_no_matter_of_course(drawn: xr.Dataset) -> None:
    assert (drawn["difference"].values != 0.0).any()
    assert (drawn["tie"].values < 1.0).any()


def test_a_against_b_is_minus_b_against_a(drawn: xr.Dataset) -> None:
    back = compare(["tight_leash", "article"], draws=12, runs=60, parameters="prior").data
    turned = {
        "low": "high",
        "history_low": "history_high",
        "less": "more",
        "baseline_value": "scenario_value",
        "better": "worse",
    }
    turned |= {"draws_less": "draws_more", "baseline_low": "scenario_low", "baseline_high": "scenario_high"}
    turned |= {value: key for key, value in turned.items()}
    turned |= {f"{NO_WAR}{one}": f"{NO_WAR}{other}" for one, other in turned.items()}
    for name in EFFECTS:
        signed = ("difference", "low", "high", "history_low", "history_high")
        sign = -1.0 if name.removeprefix(NO_WAR) in signed else 1.0
        expected, given = drawn[name].values, sign * back[turned.get(name, name)].values
        if name in ("variance_reduction", "variance_reduction_bound", "variance_reduction_rank_bound"):
            # Two variances add up in another order.
            np.testing.assert_allclose(given, expected, rtol=1e-12)
        else:
            np.testing.assert_array_equal(given, expected)
    np.testing.assert_array_equal(
        drawn["regret_of_draw"].sel(scenario=["tight_leash", "article"]).values, back["regret_of_draw"].values
    )


def test_shares_add_up_and_no_pairing_does_more_than_the_best_pairing(fixed: xr.Dataset) -> None:
    np.testing.assert_allclose(fixed["less"] + fixed["tie"] + fixed["more"], 1.0, rtol=1e-12)
    known = np.isfinite(fixed["variance_reduction"].values)
    variance_reduction, variance_reduction_rank_bound, variance_reduction_bound = (
        fixed[name].values[known]
        for name in ("variance_reduction", "variance_reduction_rank_bound", "variance_reduction_bound")
    )
    assert (variance_reduction <= variance_reduction_rank_bound + 1e-9).all()
    assert (variance_reduction_rank_bound <= variance_reduction_bound + 1e-9).all()


# --- against ensembles that know nothing of it --------------------------------------------------------------


def test_a_pair_is_two_ensembles_pinned_before_the_earlier_departure(fixed: xr.Dataset) -> None:
    a = simulate("article", runs=2000, overrides={"history.free_from": "2024-01-29"})
    b = simulate("no_restraint", runs=2000)
    place = list(fixed["comparison"].values).index("no_restraint")
    assert str(fixed["pinned"].values[place]).startswith("documented history is pinned before 29 Jan 2024")
    for name in ("acknowledged_lull", "lull_days", "war", "peak_war_risk", "injured"):
        difference = b[name].values.astype(float) - a[name].values
        assert at(fixed, "difference", name, place) == difference.mean()
        assert at(fixed, "more", name, place) == (difference > 0).mean()
        expected = 1.0 - difference.var(ddof=1) / (a[name].values.var(ddof=1) + b[name].values.var(ddof=1))
        assert at(fixed, "variance_reduction", name, place) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        ratio = b[name].values.std() / a[name].values.std()
        assert at(fixed, "variance_reduction_bound", name, place) == pytest.approx(2 * ratio / (1 + ratio**2), rel=1e-9)
    wrongly = simulate("article", runs=2000)["acknowledged_lull"].values
    assert at(fixed, "baseline_value", "acknowledged_lull", place) != wrongly.mean()


def test_means_of_days_are_restricted_means_and_named_so() -> None:
    """Among pairs without war only the end of the calendar censors: the mean is that of min(days, days left)."""
    found = compare(["article", "no_restraint"], runs=RUNS, parameters="defaults").data
    arms = (
        simulate("article", runs=RUNS, overrides={"history.free_from": "2024-01-29"}),
        simulate("no_restraint", runs=RUNS),
    )
    peace = np.logical_and(*(one["war_day"].values == NEVER for one in arms))
    strikes, days = int(found.attrs["strikes_day"]), int(found.attrs["days"])
    assert longest(found) == days - strikes
    cut = 0
    for measure, event in (("lull_days", "resumption_day"), ("quiet_days", "first_attack_day")):
        for name, one in zip(("baseline_value", "scenario_value"), arms, strict=True):
            came = one[event].values[peace]
            times = np.where(came == NEVER, np.inf, came - strikes)
            assert at(found, f"no_war_{name}", measure) == pytest.approx(np.minimum(times, longest(found)).mean())
            cut += np.isinf(times).sum()
        assert short(found, measure).endswith(f", counted up to {longest(found)}")
    assert cut > 0
    assert f"counted up to {longest(found)}" in sentence(found, 0)
    assert f"more than {longest(found)} days" in effect_table(found, 0).note


def test_theatres_groups_and_windows_count_the_same_attacks() -> None:
    data = simulate("article", runs=RUNS, overrides={"history.free_from": "2024-01-29"})
    found = compare(["article", "no_restraint"], runs=RUNS, parameters="defaults").data
    after = data["theatre_attacks"].sel(window=["lull", "later"]).sum("window").mean("run")
    for theatre in data["theatre"].values:
        assert at(found, "baseline_value", f"theatre.{theatre}.after") == float(after.sel(theatre=theatre))
    kataib = [name for name in data["wing"].values if str(name).startswith("kataib")]
    lull = data["wing_attacks"].sel(wing=kataib, window="lull").sum("wing").mean("run")
    assert at(found, "baseline_value", "group.Kataib Hezbollah.lull") == float(lull)
    on_target = data["theatre"].values[data["theatre_kind"].values == "target"]
    total = sum(at(found, "baseline_value", f"theatre.{one}.after") for one in on_target)
    assert at(found, "baseline_value", "attacks_after") == pytest.approx(total)


def test_a_day_that_never_comes_counts_as_the_end() -> None:
    scenario = load(["history=free"]).scenario
    output = run_batch(build_inputs(scenario), 1, np.arange(200))
    columns = columns_of(scenario, output)
    days = simulate("article", runs=200, overrides={"history": "free"})["release_day"].values
    assert (days == NEVER).any()
    np.testing.assert_array_equal(columns["release_day"], np.where(days == NEVER, scenario.calendar.days, days))
    assert tuple(columns) == tuple(one.name for one in measures_of(scenario))


def test_histories_are_the_same_until_the_departure() -> None:
    late = compare(["article", "rafah_offensive"], runs=RUNS, parameters="defaults").data
    for name in ("attacks_campaign", "attacks_lull", "theatre.lebanon.lull"):
        assert at(late, "tie", name) == 1.0
    assert at(late, "tie", "theatre.lebanon.after") < 0.1


def test_where_the_change_acts_before_the_departure_that_is_said(fixed: xr.Dataset) -> None:
    assert list(fixed["comparison"].values) == ["no_us_strikes", "no_restraint", "tight_leash"]
    np.testing.assert_array_equal(fixed["identical_before_departure"].values, [np.nan, 1.0, 1.0])
    early = compare(
        ["article", "no_restraint"],
        runs=60,
        parameters="defaults",
        overrides={"history": "free", "patron.alarm_threshold": 0.5, "patron.alarm_per_strike": 0.5},
    ).data
    assert float(early["identical_before_departure"].values[0]) < 0.9


def test_pairs_are_looked_at_up_to_the_departure() -> None:
    what = "kind: attack_multiplier, theatres: [syria], from: 2024-01-15, to: 2024-03-15, value: 4, source: x"
    push = f"+events.push={{{what}}}"
    late, early = (
        compare(["article", f"article;scenario.departs={day};{push}"], runs=100, parameters="defaults").data
        for day in ("2024-02-20", "2024-01-15")
    )
    assert float(late["identical_before_departure"].values[0]) < 0.2
    assert float(early["identical_before_departure"].values[0]) == 1.0


# --- what pairing is worth ----------------------------------------------------------------------------------

ATTAINED = {"no_us_strikes": 0.40, "no_restraint": 0.35, "tight_leash": 0.89}
"""Share of the variance of attacks after the strikes that pairing removes, by 2,000 pairs at the declared parameters.

Where one arm lacks the event that decides most, such as a release without any order, no coupling can help.
"""


@pytest.mark.parametrize("scenario", list(ATTAINED))
def test_pairing_removes_what_it_did(fixed: xr.Dataset, scenario: str) -> None:
    place = list(fixed["comparison"].values).index(scenario)
    names = ("variance_reduction", "variance_reduction_rank_bound")
    removed, bound = (at(fixed, name, "attacks_after", place) for name in names)
    # A variance from R pairs has a relative error of sqrt(2 / R), doubled for tails heavier than normal ones.
    error = (1.0 - ATTAINED[scenario]) * 2.0 * np.sqrt(2.0 / RUNS)
    assert ATTAINED[scenario] - 3.0 * error <= removed <= bound


def test_no_pairing_whatever_could_do_so_without_strikes(fixed: xr.Dataset) -> None:
    """Values paired by rank bound every pairing: the two distributions differ too much in shape."""
    place = list(fixed["comparison"].values).index("no_us_strikes")
    variance_reduction_rank_bound, most = (
        at(fixed, name, "attacks_after", place)
        for name in ("variance_reduction_rank_bound", "variance_reduction_bound")
    )
    assert 0.85 * most < variance_reduction_rank_bound < 0.97 * most


def test_what_the_other_arm_does_not_have_makes_much_of_the_variance() -> None:
    """The release of the order: without any order there is none."""
    data = simulate("article", runs=2000, overrides={"history.free_from": "2024-01-29"})
    on_target = data["theatre_kind"].values == "target"
    attacks = data["theatre_attacks"].values[:, on_target, 1:].sum(axis=(1, 2)).astype(float)
    day = data["release_day"].values
    groups = np.digitize(day, np.unique(np.quantile(day, np.linspace(0.0, 1.0, 16)))[1:-1])
    within = sum(attacks[groups == one].var() * (groups == one).mean() for one in np.unique(groups))
    assert 1.0 - within / attacks.var() > 0.3


@pytest.mark.parametrize("change", ["patron.control=0.71", "target.injured_weight=0.01", "deterrence.strike_fear=0.21"])
def test_addresses_do_not_shift_where_little_changes(change: str) -> None:
    """Were luck handed out in order, one attack more would give all later ones other luck."""
    data = compare(
        ["article", f"article;{change}"], runs=RUNS, parameters="defaults", overrides={"history": "free"}
    ).data
    for name in ("attacks_campaign", "attacks_after"):
        assert 0.97 * at(data, "variance_reduction_bound", name) < at(data, "variance_reduction", name) < 1.0
        assert at(data, "tie", name) > 0.1


# --- two levels ---------------------------------------------------------------------------------------------


def nested(draws: int, runs: int, between: float, within: float, seed: int = 3) -> tuple[Effect, np.ndarray]:
    """An effect of pairs with known spreads: differences of draws are normal, and so is luck."""
    generator = np.random.default_rng(seed)
    a = generator.normal(size=(draws, runs))
    d = 2.0 + generator.normal(size=(draws, 1)) * between + generator.normal(size=(draws, runs)) * within
    return effect_of(Draws.of(a, a + d, False), runs, Tally.of(d), False), d


def test_spreads_of_parameters_and_of_luck_are_told_apart() -> None:
    draws, runs, between, within = 400, 25, 1.5, 6.0
    effect, d = nested(draws, runs, between, within)
    assert abs(effect.sd_within_draw - within) < 5 * within / np.sqrt(2 * draws * (runs - 1))
    observed = between**2 + within**2 / runs
    error = 5 * observed * np.sqrt(2.0 / (draws - 1))
    assert abs(effect.sd_between_draws**2 - between**2) < error
    assert abs(d.mean(axis=1).var(ddof=1) - between**2) > abs(effect.sd_between_draws**2 - between**2)
    assert abs(effect.difference - 2.0) < 5 * np.sqrt(observed / draws)
    assert effect.error == pytest.approx(np.sqrt(d.mean(axis=1).var(ddof=1) / draws))


def test_luck_alone_leaves_nothing_between_draws() -> None:
    effect, d = nested(400, 25, 0.0, 6.0)
    assert effect.sd_between_draws < 0.5 * d.mean(axis=1).std()


def test_nine_in_ten_draws_lie_in_the_interval_and_one_draw_has_that_of_luck() -> None:
    effect, d = nested(400, 25, 1.5, 6.0)
    means = d.mean(axis=1)
    assert ((means >= effect.low) & (means <= effect.high)).mean() == pytest.approx(0.9, abs=0.01)
    single, d = nested(1, 4000, 1.5, 6.0)
    half = 1.6448536 * d.std(ddof=1) / np.sqrt(4000)
    assert (single.low, single.high) == pytest.approx((d.mean() - half, d.mean() + half))
    assert np.isnan(single.sd_between_draws)


def test_heavy_tails_are_never_told_by_means(drawn: xr.Dataset) -> None:
    for name in ("error", "sd_within_draw", "sd_between_draws", "variance_reduction"):
        assert np.isnan(at(drawn, name, "deaths"))
    assert np.isfinite(at(drawn, "error", "deaths_10"))
    assert "deaths" not in {row["measure"] for row in regret_rows(drawn)}
    a = np.array([[0.0, 1.0, 1e9]])
    assert float(Draws.of(a, a * 0.0, True).baseline_value[0]) == 1.0


def test_no_run_number_serves_two_draws(drawn: xr.Dataset) -> None:
    assert list(drawn["first_run"].values) == [60 * draw for draw in range(12)]


def test_what_a_scenario_sets_is_not_drawn(drawn: xr.Dataset) -> None:
    kept = dict(zip(drawn["scenario"].values, (str(one).split() for one in drawn["kept"].values), strict=True))
    assert kept == {"article": [], "tight_leash": ["multipliers.autonomy", "patron.control"]}
    named = arms_of(["article", "article;patron.control=0.7"], ["ladder.cooling=0.3"])
    assert [sorted(arm.kept) for arm in named] == [["ladder.cooling"], ["ladder.cooling", "patron.control"]]


def test_draws_come_from_the_posterior_unless_told_otherwise() -> None:
    config = load([])
    posterior = shipped_posterior(config.scenario.cast)
    rows = {tuple(row) for row in np.stack(list(posterior.columns.values()), axis=1)}
    asked = prepare(Request("compare", ("scenarios=[article,tight_leash]",)))
    assert (asked.source, asked.plan.draws, asked.plan.runs, asked.distinct) == ("posterior", 200, 500, 200)
    assert {tuple(row) for row in np.stack(list(asked.plan.points.values()), axis=1)} <= rows
    other = points_of("posterior", 200, 2, config.scenario.cast)
    assert any((asked.plan.points[key] != column).any() for key, column in other.items())
    many = points_of("posterior", posterior.draws + 3, 1, config.scenario.cast)
    assert all((column[-3:] == column[:3]).all() for column in many.values())


# --- what assumptions decide --------------------------------------------------------------------------------


def test_what_assumptions_decide_stands_beside_the_same_pairs_at_draws_of_the_priors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paired_run, "PRIOR_DRAWS", BESIDE_DRAWS)  # as many as users get
    asked = ["article", "no_restraint"]
    here, priors = (
        compare(asked, draws=draws, runs=runs, parameters=source).data
        for draws, runs, source in ((4, 20, "posterior"), (BESIDE_DRAWS, BESIDE_RUNS, "prior"))
    )
    rows = {row["measure"]: row for row in prior_rows(here)}
    assert list(rows) == ["lull_days", "quiet_days", "war"]
    for name, row in rows.items():
        for key in ("baseline_value", "scenario_value", "difference"):
            assert row[f"prior_{key}"] == at(priors, key, name)
            assert row[key] == at(here, key, name)
        assert row["difference"] != row["prior_difference"]
    assert set(rows) < PRIOR_DRIVEN
    told_beside = here["measure"].values[np.isfinite(here["prior_difference"].values[0])]
    assert set(told_beside) == PRIOR_DRIVEN
    assert "prior_difference" not in priors
    assert prior_rows(priors) == []


# --- regrets ------------------------------------------------------------------------------------------------


def test_regrets_by_hand() -> None:
    losses = np.array([[[1.0, 3.0], [5.0, 5.0]], [[4.0, 6.0], [1.0, 3.0]]])
    regrets = Regrets.of(losses)
    np.testing.assert_array_equal(regrets.regret, [[0.0, 3.0], [3.0, 0.0]])
    found = regrets.over_draws()
    for scenario in (0, 1):
        assert [found[name][scenario] for name in ("expected", "worst", "best")] == [1.5, 3.0, 0.5]
    np.testing.assert_allclose(regrets.error, [[0.0, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize(("measure", "direction"), [("war", -1.0), ("war_day", 1.0)])
def test_regret_goes_by_the_direction_of_an_outcome(drawn: xr.Dataset, measure: str, direction: float) -> None:
    a, b = (
        direction * drawn[f"{arm}_value_of_draw"].sel(measure=measure).values[0] for arm in ("baseline", "scenario")
    )
    np.testing.assert_allclose(
        drawn["regret_of_draw"].sel(measure=measure).values, [np.maximum(b - a, 0.0), np.maximum(a - b, 0.0)]
    )
    assert np.abs(a - b).max() > 0.0
    assert set(DIRECTIONS) <= set(OUTCOMES_BY_NAME)


def test_some_scenario_is_always_without_regret(fixed: xr.Dataset) -> None:
    regret = fixed["regret_of_draw"].values
    known = regret[:, np.isfinite(regret[0]).all(axis=1)]
    assert (known >= 0.0).all()
    assert (known.min(axis=0) == 0.0).all()


def test_the_tables_hold_every_row_once(fixed: xr.Dataset) -> None:
    rows = [row for kind in ("outcome", "theatre", "group") for row in effect_rows(fixed, kind)]
    assert len(rows) == fixed.sizes["comparison"] * fixed.sizes["measure"]
    evidence_in = summary(fixed)
    assert set(evidence_in["comparisons"]) == {"no_us_strikes", "no_restraint", "tight_leash"}
    lull, war = (
        next(row for row in rows if row["measure"] == name and row["scenario"] == "tight_leash")
        for name in ("attacks_lull", "war")
    )
    assert (war["good"], war["better"], war["worse"]) == ("less", war["less"], war["more"])
    assert lull["good"] == "less"
    assert lull["better"] != lull["less"], "a pair with war and fewer attacks is not better"


# --- war ends counts, and is no success ---------------------------------------------------------------------


def test_pairs_without_war_are_counted_apart() -> None:
    """Of 2,000 pairs, those in which neither ensemble has war, taken from the two ensembles themselves."""
    data = compare(["article", "no_restraint"], runs=2000, parameters="defaults").data
    a, b = (
        simulate(name, runs=2000, overrides={"history.free_from": "2024-01-29"}) for name in ("article", "no_restraint")
    )
    kept = ~(a["war"].values.astype(bool) | b["war"].values.astype(bool))
    assert 0.5 < kept.mean() < 0.99
    assert at(data, "no_war_share", "lull_days") == kept.mean()
    for name in ("lull_days", "acknowledged_lull", "injured", "peak_war_risk"):
        one, other = (data_of[name].values.astype(float) for data_of in (a, b))
        difference = (other - one)[kept]
        assert at(data, "no_war_difference", name) == pytest.approx(difference.mean(), rel=1e-12)
        assert at(data, "no_war_baseline_value", name) == pytest.approx(one[kept].mean(), rel=1e-12)
        assert at(data, "no_war_more", name) == pytest.approx((difference > 0.0).mean(), rel=1e-12)
        half = NORMAL_90 * difference.std(ddof=1) / np.sqrt(kept.sum())
        assert at(data, "no_war_high", name) - at(data, "no_war_difference", name) == pytest.approx(half, rel=1e-9)
        assert at(data, "difference", name) != at(data, "no_war_difference", name)
    assert np.isnan(at(data, "no_war_difference", "war"))


def test_a_history_with_war_is_worst_unless_a_loss_is_stated() -> None:
    attacks, days, ten, war = (
        next(one for one in measures_of(load([]).scenario) if one.name == name)
        for name in ("attacks_after", "lull_days", "deaths_10", "war")
    )
    came = np.array([[[False, False]], [[True, False]]])
    values = np.array([[[9.0, 3.0]], [[1.0, 3.0]]])
    np.testing.assert_array_equal(losses(attacks, values, came), [[[9.0, 3.0]], [[10.0, 3.0]]])
    np.testing.assert_array_equal(losses(attacks, values, came, 50.0), [[[9.0, 3.0]], [[50.0, 3.0]]])
    np.testing.assert_array_equal(losses(days, values, came), [[[-9.0, -3.0]], [[0.0, -3.0]]])
    np.testing.assert_array_equal(losses(days, values, came, 4.0), [[[-9.0, -3.0]], [[-4.0, -3.0]]])
    np.testing.assert_array_equal(losses(ten, values * 0.0, came), [[[0.0, 0.0]], [[1.0, 0.0]]])
    np.testing.assert_array_equal(losses(war, came * 1.0, came), came * 1.0)
    found = Draws.of(values[0], values[1], False, ~(came[0] | came[1]), losses(attacks, values, came))
    assert (float(found.better[0]), float(found.even[0]), float(found.worse[0])) == (0.0, 0.5, 0.5)
    assert (int(found.pairs[0]), float(found.difference[0])) == (1, 0.0)


def test_a_scenario_that_brings_war_is_not_best_for_attacks() -> None:
    """Striking the patron brings war: counted until war it is the best choice, and that is no success."""
    scenarios = ["article", "strike_iran"]
    data = compare(scenarios, draws=30, runs=60).data
    until_war, apart = (at(data, name, "attacks_after") for name in ("difference", "no_war_difference"))
    best = float(data["regret_best"].sel(measure="attacks_after", scenario="strike_iran"))
    assert at(data, "difference", "war") > 0.05
    assert until_war < 4.0 * apart < 0.0
    assert best < 0.4
    free = compare(scenarios, draws=30, runs=60, war_loss={"attacks_after": 0.0}).data
    assert float(free["regret_best"].sel(measure="attacks_after", scenario="strike_iran")) > 0.9, "were war free"
    assert free.attrs["war_loss"] == "attacks_after: 0"
    np.testing.assert_array_equal(free["no_war_difference"].values, data["no_war_difference"].values)


def test_the_error_among_pairs_without_war_is_that_of_repeated_draws() -> None:
    """Draws with more war and larger differences: the error is the spread of the estimate over fresh draws."""
    generator = np.random.default_rng(11)

    def once() -> Effect:
        level = generator.uniform(size=(60, 1))
        war = generator.uniform(size=(60, 20)) < 0.9 * level
        d = 5.0 * level + generator.normal(size=(60, 20))
        return effect_without_war(Draws.of(0.0 * d, d, False, ~war), 20, False)

    found = [once() for _ in range(400)]
    spread = float(np.std([one.difference for one in found], ddof=1))
    # The spread of 400 estimates has a relative error of 1 / sqrt(800); linearised errors of 60 draws are a few % low.
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=5 / np.sqrt(800))


def test_where_every_pair_has_war_nothing_is_compared() -> None:
    ones = np.ones((2, 3))
    found = effect_without_war(Draws.of(ones, ones, False, ~ones.astype(bool)), 3, False)
    assert found.share == 0.0
    assert np.isnan([found.baseline_value, found.difference, found.low, found.draws_same, found.baseline_low]).all()


# --- what can be said of a sign -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ([2.0] * 39 + [-1.0], "more"),
        ([-2.0] * 39 + [1.0], "less"),
        ([1.0] * 12 + [-1.0] * 8, "sign open"),
        ([0.0] * 6 + [5.0] * 14, "more or unchanged"),
        ([0.0] * 6 + [-5.0] * 14, "less or unchanged"),
        ([0.0] * 20, "the same"),
    ],
)
def test_verdicts_go_by_draws_below_at_and_above_zero(differences: list[float], words: str) -> None:
    d = np.array(differences)[:, None] * np.ones((1, 4))
    effect = effect_of(Draws.of(0.0 * d, d, False), 4, Tally.of(d), False)
    row = {name: finite(value) for name, value in vars(effect).items()}
    assert verdict(row) == words
    expected = tuple(float(np.mean(one)) for one in (d[:, 0] < 0, d[:, 0] == 0, d[:, 0] > 0))
    assert shares_of_sign(row) == expected


# --- one baseline -------------------------------------------------------------------------------------------


def test_all_pairs_have_one_baseline_unless_each_departs_on_its_own_day() -> None:
    scenarios = ["article", "no_us_strikes", "no_restraint", "gaza_ceasefire"]
    together = compare(scenarios, runs=60, parameters="defaults").data
    assert set(together["baseline"].values) == {"article"}
    assert (together["baseline_value"] == together["baseline_value"][0]).all()
    apart = compare(scenarios, runs=60, parameters="defaults", departures="own").data
    names = list(apart["baseline"].values)
    assert names[:2] == ["article, nothing pinned", "article, free from 29 Jan 2024"]
    assert len(set(names)) == 3
    assert len(set(apart["baseline_value"].sel(measure="lull_days").values)) == 3
    np.testing.assert_array_equal(apart["difference"].values[0], together["difference"].values[0])
    two = compare(["article", "no_restraint"], runs=60, parameters="defaults", departures="own").data
    assert list(two["baseline"].values) == ["article"]
    np.testing.assert_array_equal(two["difference"].values[0], apart["difference"].values[1])


# --- what may be compared -----------------------------------------------------------------------------------


def test_lists_are_read_as_people_write_them() -> None:
    assert entries("[article,no_order]") == entries(" [ 'article' , \"no_order\" ] ")
    assert entries("[article;a=[1,2],b;c='x,y']") == ("article;a=[1,2]", "b;c='x,y'")
    entry = listed("article; target.quiet_days=5 ;strikes@2024-01-20")
    assert (entry.changes[0], entry.words) == ("target.quiet_days=5", ("strikes@2024-01-20",))


def test_a_strike_on_another_day() -> None:
    earlier = "article;february_strikes@2024-01-20"
    base, arm = arms_of(["article", earlier])
    assert (base.words, arm.words) == (base.scenario.question, "as article, with february_strikes on 2024-01-20")
    calendar = base.scenario.calendar
    day = calendar.day_of(date(2024, 1, 20))
    assert common_day((base, arm)) == arm.scenario.departs == day
    mine, theirs = (build_inputs(one.freed(day)).days for one in (arm, base))
    assert mine["major"][day] == 1
    assert theirs["major"][day] == 0
    np.testing.assert_array_equal(mine[:day], theirs[:day])
    data = simulate_arm(arm, day)
    assert (data["major_day"] == day).all()


def test_whoever_says_so_keeps_documented_history_longer() -> None:
    base, arm = arms_of(["article", "article;february_strikes@2024-01-20;history.free_from=2024-02-03"])
    day = common_day((base, arm))
    assert day == base.scenario.calendar.day_of(date(2024, 2, 3))
    mine, theirs = (build_inputs(one.freed(day)).days for one in (arm, base))
    assert list(mine["pinned_killed"][[103]]) == list(theirs["pinned_killed"][[103]]) == [3]
    assert [list(one["major"][[95, 108]]) for one in (mine, theirs)] == [[1, 0], [-1, 1]]


def test_an_event_of_a_scenarios_own_file_on_its_departure_makes_pairs_differ(tmp_path: Path) -> None:
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "second.yaml").write_text(
        "# @package _global_\nscenario:\n  question: What if more die?\n  departs: 2024-02-10\nhistory:\n  events:\n"
        "    second_attack: {kind: deaths, from: 2024-02-10, wing: kataib_hezbollah_iraq, killed: 2}\n",
        encoding="utf-8",
    )
    data = compare(["article", "second"], runs=200, parameters="defaults", config_dir=tmp_path).data
    assert at(data, "more", "deaths") > 0.9
    assert at(data, "tie", "attacks_campaign") == 1.0
    alone = compare(["article", f"article;{SECOND}"], runs=50, parameters="defaults").data
    assert at(alone, "difference", "deaths") == 2.0


SECOND = "+history.events.second_attack={kind: deaths, from: 2024-02-10, wing: kataib_hezbollah_iraq, killed: 2}"


def test_a_later_strike_does_not_come_before() -> None:
    later = "article;february_strikes@2024-02-20"
    base, arm = arms_of(["article", later])
    old, new = (arm.scenario.calendar.day_of(date(2024, 2, one)) for one in (2, 20))
    assert common_day((base, arm)) == old
    days = build_inputs(arm.freed(old)).days
    assert (days["major"][old:new] == -1).all()
    assert days["major"][new] == 1
    came = simulate_arm(arm, old)["major_day"].values
    assert set(came) <= {new, NEVER}, "never where direct war came first"
    assert (came == new).mean() > 0.9


def test_events_of_the_timeline_move_too_and_keep_their_length() -> None:
    base, arm = arms_of(["gaza_ceasefire", "gaza_ceasefire;ceasefire@2024-01-10"])
    old, new = (next(one for one in each.scenario.events if one.id == "ceasefire") for each in (base, arm))
    assert new.last - new.first == old.last - old.first
    talks = arms_of(["article", "article;withdrawal_talks@2023-12-01"])[1].scenario
    event = next(one for one in talks.events if one.id == "withdrawal_talks")
    assert (event.last, talks.departs) == (talks.calendar.days - 1, talks.calendar.day_of(date(2023, 12, 1)))


def simulate_arm(arm: ComparedArm, day: int) -> xr.Dataset:
    return simulate_config(replace(arm.config, scenario=arm.freed(day)), runs=100)


def test_a_file_of_the_users_own_can_be_compared(tmp_path: Path) -> None:
    folder = tmp_path / "scenario"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        "# @package _global_\nscenario:\n  question: What if?\n  departs: 2024-01-29\npatron:\n  control: 0.9\n",
        encoding="utf-8",
    )
    data = compare(["article", "mine"], runs=50, parameters="defaults", config_dir=tmp_path).data
    same = compare(
        ["article", "article;scenario.departs=2024-01-29;patron.control=0.9"], runs=50, parameters="defaults"
    ).data
    np.testing.assert_array_equal(data["difference"].values, same["difference"].values)


@pytest.mark.parametrize(
    ("scenarios", "more", "words"),
    [
        (["article"], {}, "scenarios = [article]: allowed 2 to 12"),
        (["article", "article"], {}, "each scenario once"),
        (["article", "nonsense"], {}, "scenario = nonsense"),
        (["article", "article;target.quiet=5"], {}, "target.quiet = 5"),
        (["article", "article;target.quiet_days=-1"], {}, "target.quiet_days = -1"),
        (["article", "article;seed=3"], {}, "scenarios: seed = 3"),
        (["article", "article;scenario.departs=2026-01-01"], {}, "scenario.departs = 2026-01-01"),
        (
            ["article", "article;february_strikes@2026-01-01"],
            {},
            "interventions = february_strikes@2026-01-01: allowed 2023-10-17 to 2024-09-10",
        ),
        (["article", "article;february_strikes@soon"], {}, "a date such as 2024-01-20"),
        (["article", "article;march_strikes@2024-01-20"], {}, "nearest: february_strikes"),
        (["article", "article;"], {}, "KEY=VALUE, EVENT@DATE or an event in words"),
        (["article", "long_horizon"], {}, "scenarios with the calendar of article: 330 days from 2023-10-17"),
        (["article", "salt_coast"], {}, "scenarios with the calendar of article"),
        (
            ["article", "article;militia.nujaba_iraq.theatre=syria"],
            {},
            "scenarios with the theatres and wings of article",
        ),
        (["article", "no_order"], {"draws": 5, "parameters": "defaults"}, "study.draws = 5: allowed 1 or null"),
        (["article", "no_order"], {"parameters": "guesses"}, "parameters = guesses"),
        (["article", "no_order"], {"departures": "late"}, "compare.departures = late: allowed common, own"),
        (["article", "no_order"], {"war_loss": {"war": 1.0}}, "compare.war_loss.war = 1.0: allowed measures that war"),
        (["article", "no_order"], {"war_loss": {"attacks_after": "bad"}}, "compare.war_loss.attacks_after = bad"),
        (["article", "no_order"], {"runs": 1}, "study.runs = 1: allowed 2 or more"),
        (["article", "no_order"], {"overrides": {"study.points": 5}}, "study.points = 5"),
        (
            ["article", "no_order"],
            {"overrides": {"scenario": "no_threat"}},
            "scenario = no_threat: allowed nothing here",
        ),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(scenarios: list[str], more: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as caught:
        compare(scenarios, **{"runs": 50, "parameters": "prior", **({} if "draws" in more else {"draws": 2}), **more})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.long
def test_four_scenarios_over_two_hundred_draws_take_a_minute_of_two_cores() -> None:
    """Counted in processor time, which does not hang on what else runs: 700,000 histories and their statistics."""
    compare(["article", "tight_leash"], draws=2, runs=2, parameters="prior")
    began = time.process_time()
    data = compare(
        ["article", "no_us_strikes", "no_restraint", "tight_leash"], draws=200, runs=500, parameters="prior"
    ).data
    assert time.process_time() - began < 2 * 60
    assert data.sizes["draw"] == 200
