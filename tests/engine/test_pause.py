"""Groups that pause, clustered attacks, and events with one random number for an episode: laws, limits, directions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.engine.batch import run_batch
from sim.engine.inputs import ModelInputs, build_inputs
from sim.engine.record import Output, OutputSpec
from sim.engine.reference.model import ReferenceModel
from sim.experiment.parameter_sets import prior_design
from sim.model.extension import ActiveExtensions, Extension
from sim.model.scenario import Scenario, load
from sim.model.timeline import Event
from sim.rules import militia, patron
from tests.engine.worlds import ALL_OFF, NO_WAR, Array, simulate, world

SEED = 20240202
DAYS = 134
LAST = DAYS - 1
SHORT = f"calendar.days={DAYS}"
ORDER = Event("order", "restraint_order", 20, 20)
STANDS = Event("stands", "block_release", 20, LAST)
STEADY = ("history=free", NO_WAR, SHORT, "patron.gains_weight=0", "patron.alarm_per_death=0")


def ordered(*overrides: str, **switches: bool) -> Scenario:
    """An order from day 20 on, known from day 21, and nothing that changes how groups take it."""
    scenario = world(*STEADY, *overrides, events=(ORDER, STANDS))
    on = {"pause": True, "patron_restraint": True, "obedience": True, "autonomy": True} | switches
    return replace(scenario, mechanisms=replace(ALL_OFF, **on))


# --- the law of an event's day ------------------------------------------------------------------------------


def furthest(days: Array, hazards: Array) -> float:
    """Largest distance between the share of events by each day and what draws each day would give.

    `days` of events, -1 for none; `hazards` by day. With a draw each day an event is still to come with the product of
    the daily chances 1 - p that it does not.
    """
    law = 1.0 - np.cumprod(1.0 - (1.0 - np.exp(-hazards)))
    shares = np.array([np.mean((days >= 0) & (days <= day)) for day in range(len(hazards))])
    return float(np.abs(shares - law).max())


def most(runs: int) -> float:
    """Distance that chance exceeds with a probability below 1e-6 (Dvoretzky, Kiefer, Wolfowitz; Massart's constant)."""
    return float(np.sqrt(np.log(2e6) / (2 * runs)))


def first(flags: Array) -> Array:
    """First day with a flag, by history; -1 for none."""
    return np.where(flags.any(axis=1), flags.argmax(axis=1), -1)


def lives(scenario: Scenario, runs: int) -> Output:
    return simulate(scenario, runs, SEED, states=True)


def test_the_day_of_a_release_has_the_law_of_daily_draws() -> None:
    runs, rate, minimum = 8000, 0.05, 10
    scenario = ordered(f"patron.release_rate={rate}", f"patron.minimum_days={minimum}", pause=False)
    scenario = replace(scenario, events=(ORDER,))
    days = first(lives(scenario, runs).run_states["phase"] == patron.RELEASED)
    hazards = np.where(np.arange(DAYS) >= 20 + minimum, rate, 0.0)
    assert furthest(days, hazards) < most(runs)
    assert furthest(days, 1.2 * hazards) > most(runs)
    assert furthest(days, np.roll(hazards, 2)) > most(runs)


def test_the_day_of_war_has_the_law_of_daily_draws_at_rates_that_change() -> None:
    runs = 8000
    acts = tuple(Event(f"act {day}", "act_against_patron", day, day, value=1.0) for day in (30, 40, 70))
    scenario = world(
        "history=free", SHORT, "patron.open_answer=1", "patron.alarm_per_act=4", "ladder.war_threshold=1",
        "ladder.war_rate=0.002", mechanisms=ALL_OFF, events=acts,
    )  # fmt: skip
    calm = {wing: replace(one, baseline=0.0) for wing, one in scenario.cast.wings.items()}
    scenario = replace(scenario, cast=replace(scenario.cast, wings=calm))
    states = lives(scenario, runs).run_states
    days = first(states["war"] > 0)
    sums = states["war_hazard"][int(np.argmin(days))]
    assert days.min() == -1, "in this history nothing cuts the sum of the rates short"
    hazards = np.diff(sums, prepend=0.0)
    assert len(np.unique(hazards)) > 20
    assert furthest(days, hazards) < most(runs)
    assert furthest(days, 1.2 * hazards) > most(runs)
    assert furthest(days, np.full(DAYS, sums[-1] / DAYS)) > most(runs)


def test_the_day_of_a_pause_has_the_law_of_daily_draws() -> None:
    runs = 8000
    scenario = ordered("pause.pausing_rate=0.15")
    table = build_inputs(scenario)
    compliance = lives(scenario, runs).wing_states["compliance"]
    checked = 0
    for g in range(len(table.groups)):
        wings = [w for w, one in enumerate(table.layout) if one["group"] == g and one["pausable"]]
        if wings:
            rate = max(0.15 * table.wings[0, w]["held"] * (1.0 - table.wings[0, w]["ideology"]) for w in wings)
            days = first(compliance[:, :, wings[0]] == 1.0)
            hazards = np.where(np.arange(DAYS) >= 21, rate, 0.0)
            assert furthest(days, hazards) < most(runs)
            assert furthest(days, 1.3 * hazards) > most(runs)
            checked += 1
    assert checked >= 3


# --- directions ---------------------------------------------------------------------------------------------

share = st.floats(0.0, 1.0)
rate = st.floats(0.0, 10.0)


def pausing(control: float, autonomy: float, pressure: float, fear: float, ideology: float, speed: float) -> float:
    """Rate at which a wing under an order moves its group to pause."""
    held = militia.hold(control, autonomy)
    goal = militia.compliance_goal(held, 0.5, pressure, 0.2, 0.5)
    told = militia.conviction(True, goal, 0.05, fear, 0.05, 0.0)
    return militia.pause_rate(speed, told, ideology, 0.7, pressure)


@given(share, share, share, share, st.floats(0.0, 20.0), share, rate, share)
def test_control_mediation_and_fear_never_lower_the_rate_of_pausing_and_ideology_never_raises_it(
    control: float, autonomy: float, pressure: float, more: float, fear: float, ideology: float, speed: float, to: float
) -> None:
    here = (control, autonomy, pressure, fear, ideology, speed)
    at = pausing(*here)
    slack = 1e-12 * max(1.0, at)
    up = {0: max(control, to), 2: max(pressure, to), 3: fear + 10.0 * more}
    for place, value in up.items():
        assert pausing(*(value if i == place else one for i, one in enumerate(here))) >= at - slack
    assert pausing(*(max(ideology, to) if i == 4 else one for i, one in enumerate(here))) <= at + slack


@given(rate, rate, rate, rate, share, share)
def test_a_standing_order_and_mediators_never_raise_the_rate_of_fighting_again(
    one: float, other: float, per_strike: float, struck: float, pressure: float, to: float
) -> None:
    breaking, resuming = sorted((one, other))
    standing, free = (
        militia.resume_rate(breaking, resuming, stands, per_strike, struck, pressure) for stands in (True, False)
    )
    assert standing <= free
    assert militia.resume_rate(breaking, resuming, False, per_strike, struck, max(pressure, to)) <= free
    assert militia.resume_rate(breaking, resuming, False, per_strike, struck + 1.0, pressure) >= free


# --- what holds a lull ---------------------------------------------------------------------------------------


def calm(*overrides: str, pause: bool = True, strikes: bool = True) -> Scenario:
    """A world with an order on day 20, felt from day 21, with strikes on day 22 or without, then nothing.

    No further strike, death or release comes. Shocks would only add noise: their factor has the mean 1.
    """
    kinds = (
        "block_leader_strike",
        "block_limited_response",
        "no_deaths",
        *(() if strikes else ("block_major_response",)),
    )
    events = (
        *(Event(kind, kind, 0, LAST) for kind in kinds), Event("none", "block_major_response", 23, LAST),
        *((Event("major", "major", 22, 22),) if strikes else ()), STANDS, ORDER,
    )  # fmt: skip
    scenario = world("history=free", NO_WAR, SHORT, *overrides, events=events)
    return replace(scenario, mechanisms=replace(scenario.mechanisms, pause=pause, bursts=False))


FELT, STRUCK = 21, 23
"""First days with the order, and with all that the strikes did."""


def rates_seen(table: ModelInputs, points: Array, directives: Array, wings: Array) -> Array:
    """Expected acknowledged attacks on the target (run, day) in states of theatres and wings (run, day, ...)."""
    ordered = directives[:, :, table.layout["theatre"]] < 1.0
    seen, factor = (table.numbers[name][points, None, None] for name in ("observed", "small_observed"))
    rates = wings["rate"] * seen * (1.0 - np.where(ordered, wings["compliance"], 0.0) * (1.0 - factor))
    return np.asarray(rates[:, :, table.layout["on_target"] > 0].sum(axis=2))


def acknowledged(scenario: Scenario, runs: int, design: dict[str, Array] | None = None) -> Array:
    """Expected acknowledged attacks (run, day), each history at the next point of a design."""
    table = build_inputs(scenario, design)
    points = np.arange(runs) % table.points
    output = run_batch(table, SEED, np.arange(runs), points, OutputSpec(states=True))
    return rates_seen(table, points, output.front_states["directive"], output.wing_states)


def steepest(rates: Array, start: int) -> float:
    """Largest rise from a day to the next in any history, as a share of the rate on the first day."""
    return float((np.diff(rates[:, start:], axis=1) / rates[:, start, None]).max())


def rises(rates: Array, start: int) -> bool:
    """Whether the mean rate of any week exceeds that of the week before by more than five standard errors."""
    weeks = rates[:, start : start + (rates.shape[1] - start) // 7 * 7].reshape(len(rates), -1, 7).mean(axis=2)
    steps = np.diff(weeks, axis=1)
    return bool((steps.mean(axis=0) > 5.0 * steps.std(axis=0) / np.sqrt(len(steps))).any())


HOLDING = ("pause.breaking_rate=0", "shares.share_drift=0")
"""Nothing new: no pause breaks, and shares of theatres stay."""
ROUNDING = 1e-12


def test_while_an_order_stands_and_nothing_new_happens_no_rate_rises_in_any_draw_of_the_priors() -> None:
    drawn = prior_design(1000, 3)
    drawn |= {key.partition("=")[0]: np.zeros(1000) for key in HOLDING}
    for strikes, start in ((True, STRUCK), (False, FELT)):
        for design, runs in ((None, 300), (drawn, 2000)):
            paused, in_part = (
                acknowledged(calm(*HOLDING, pause=pause, strikes=strikes), runs, design) for pause in (True, False)
            )
            assert steepest(paused, start) < ROUNDING
            assert paused[:, -1].mean() < 0.8 * paused[:, start].mean()
            assert steepest(in_part, start) > 1e6 * ROUNDING, "where wings comply in part, attacks come back"


def test_with_pauses_that_break_the_expected_rate_does_not_rise_either() -> None:
    for design, runs in ((None, 1500), (prior_design(500, 3), 2500)):
        paused, in_part = (acknowledged(calm(pause=pause), runs, design) for pause in (True, False))
        assert not rises(paused, STRUCK)
        assert rises(in_part, STRUCK)
        assert in_part[:, STRUCK:].mean(axis=0).max() > 2.0 * in_part[:, STRUCK : STRUCK + 7].mean()


def fades(kept: float, stands: bool) -> float:
    return kept


def rebuilds(rebuild: float, stands: bool) -> float:
    return rebuild


def frightens(fighting: float, least: float, paused: bool, stands: bool) -> float:
    return least if paused else fighting


@pytest.mark.parametrize(
    ("rule", "old", "overrides"),
    [
        ("fear_kept", fades, ("pause.pausing_rate=0",)),
        ("rebuild_rate", rebuilds, ("pause.pausing_rate=0", "deterrence.damage=0.2", "deterrence.rebuild_days=5")),
        ("rate_under_order", frightens, ("patron.directive_reduce=0.4", "observation.small=1")),
    ],
)
def test_without_one_of_the_three_rules_a_rate_rises(
    rule: str, old: Callable[..., float], overrides: list[str]
) -> None:
    scenario = calm(*HOLDING, *overrides)
    without = replace(scenario, extended=ActiveExtensions((Extension("old", rules={rule: old}),)))
    table, rates = build_inputs(scenario), []
    for one in (scenario, without):
        states = [ReferenceModel(one, SEED, run, table=build_inputs(one)).simulate().state_table() for run in range(3)]
        wings, fronts = (np.stack([getattr(state, name) for state in states]) for name in ("wings", "fronts"))
        rates.append(rates_seen(table, np.zeros(3, int), fronts["directive"], wings))
    assert [steepest(one, STRUCK) > ROUNDING for one in rates] == [False, True]


def test_an_order_that_nobody_heeds_leaves_fear_and_capacity_as_without_one() -> None:
    heedless = "mechanisms.obedience=false"
    fear, capacity = ([], [])
    for overrides in ((), (heedless,), (heedless, "mechanisms.patron_restraint=false")):
        states = lives(calm(*overrides, "deterrence.wear=0"), 5).wing_states
        fear.append(states["fear"])
        capacity.append(states["capacity"])
    for kept in (fear, capacity):
        assert not np.array_equal(kept[0], kept[1])
        assert np.array_equal(kept[1], kept[2])


# --- limits -------------------------------------------------------------------------------------------------

HOLDS = ("pause.breaking_rate=0", "pause.resuming_rate=0", "pause.reprisal_rate=0")


def paused(scenario: Scenario, runs: int = 60) -> Array:
    """Whether each wing pauses (run, day, wing), of wings that may."""
    found = lives(scenario, runs).wing_states["compliance"] == 1.0
    return found[:, :, build_inputs(scenario).layout["pausable"] > 0]


def test_groups_that_are_never_moved_to_pause_never_do() -> None:
    assert not paused(ordered("pause.pausing_rate=0")).any()
    assert paused(ordered()).any()


def test_a_pause_that_nothing_ends_lasts() -> None:
    struck = world(*STEADY, *HOLDS, events=(ORDER,))
    loose = world(*STEADY, "pause.breaking_rate=0.05", events=(ORDER,))
    ends = [bool((here[:, :-1] & ~here[:, 1:]).any()) for here in (paused(struck), paused(loose))]
    assert ends == [False, True]
    assert lives(struck, 60).wing_states["struck"].any(), "strikes fall, and do not move paused groups"


def test_nothing_is_left_of_a_group_that_is_told_to_stop_where_the_residual_is_zero() -> None:
    made = []
    for residual in (0.0, 0.3):
        scenario = ordered(f"pause.residual={residual}", *HOLDS)
        stopped = [w for w, one in enumerate(scenario.cast.wings.values()) if one.theatre in ("iraq", "jordan")]
        states = lives(scenario, 200).wing_states[:, :, stopped]
        made.append(states["attacks"][states["compliance"] == 1.0].sum())
    assert made[0] == 0.0 < made[1]


def test_a_wing_of_rate_zero_in_a_group_changes_no_bit_of_others() -> None:
    scenario = world(NO_WAR)
    group = scenario.cast.wings["kataib_hezbollah_iraq"].group
    idle = replace(scenario.cast.wings["local_syria"], name="idle", group=group, baseline=0.0, ideology=0.0)
    wider = replace(scenario, cast=replace(scenario.cast, wings={**scenario.cast.wings, "idle_syria": idle}))
    without, with_it = lives(scenario, 100), lives(wider, 100)
    assert paused(scenario).any()
    assert np.array_equal(without.rows, with_it.rows)
    assert np.array_equal(without.wing_states, with_it.wing_states[:, :, :-1])
    idle = replace(idle, baseline=0.01)
    awake = replace(scenario, cast=replace(scenario.cast, wings={**scenario.cast.wings, "idle_syria": idle}))
    assert not np.array_equal(without.wing_states, lives(awake, 100).wing_states[:, :, :-1])


def test_an_order_that_nobody_heeds_changes_no_attack_where_no_strike_falls() -> None:
    def attacks(obedience: bool, order: bool) -> Array:
        scenario = world(
            "scenario=no_us_strikes",
            "patron.alarm_per_death=0",
            "history=free",
            NO_WAR,
            SHORT,
            events=(ORDER,) if order else (),
        )
        scenario = replace(scenario, mechanisms=replace(scenario.mechanisms, obedience=obedience, mediation=False))
        states = lives(scenario, 100)
        assert (states.run_states["phase"][:, 25] == patron.RESTRAINING).any() == order
        return np.asarray(states.wing_states["attacks"])

    assert np.array_equal(attacks(False, True), attacks(False, False))
    assert not np.array_equal(attacks(True, True), attacks(True, False))


# --- bursts -------------------------------------------------------------------------------------------------


def stirring(*overrides: str, bursts: bool = True) -> Scenario:
    return world("history=free", NO_WAR, SHORT, *overrides, mechanisms=replace(ALL_OFF, bursts=bursts))


def test_bursts_leave_the_mean_and_widen_counts_by_the_known_amount() -> None:
    runs, deviation, half_life = 4000, 0.6, 4.0
    scenario = stirring(f"bursts.burst_deviation={deviation}", f"bursts.burst_half_life={half_life}")
    output = lives(scenario, runs)
    days, baseline = np.arange(DAYS), scenario.cast.wings["kataib_hezbollah_iraq"].baseline
    shocks = output.front_states["shock"][:, :, list(scenario.cast.theatres).index("iraq")]
    factors = np.exp(shocks - 0.5 * deviation**2).mean(axis=1)
    assert abs(factors.mean() - 1.0) < 5.0 * factors.std() / np.sqrt(runs)
    assert abs(shocks.std(axis=0) / deviation - 1.0).max() < 5.0 / np.sqrt(2 * runs)
    counts = output.wing_states["attacks"][:, :, 0].sum(axis=1)
    mean = baseline * DAYS
    # The covariance of two factors whose shocks have covariance c is exp(c) - 1.
    covariances = np.expm1(deviation**2 * 0.5 ** (np.abs(days[:, None] - days) / half_life))
    variance = mean + baseline**2 * covariances.sum()
    squares = (counts - mean) ** 2
    assert abs(counts.mean() - mean) < 5.0 * np.sqrt(variance / runs)
    assert abs(squares.mean() - variance) < 5.0 * squares.std() / np.sqrt(runs)
    assert abs(squares.mean() - mean) > 5.0 * squares.std() / np.sqrt(runs), "independent counts would be narrower"


def test_shocks_without_deviation_are_as_none() -> None:
    without, still = (
        lives(stirring(*overrides, bursts=bursts), 50)
        for overrides, bursts in (((), False), (("bursts.burst_deviation=0",), True))
    )
    assert all(np.array_equal(getattr(without, name), getattr(still, name)) for name in ("rows", "counts", "lags"))
    assert np.array_equal(without.wing_states, still.wing_states)
    assert not np.array_equal(without.wing_states, lives(stirring(), 50).wing_states)


# --- shares of theatres -------------------------------------------------------------------------------------


HIT = ("iraq", "syria", "jordan")
UNSURE = ("shares.share_deviation=0.5", "shares.share_drift=0.1")


def weights_of(output: Output, scenario: Scenario) -> Array:
    """Weights (run, day, theatre) of the theatres where the target is attacked."""
    return np.asarray(output.front_states["weight"][:, :, [list(scenario.cast.theatres).index(one) for one in HIT]])


def test_weights_take_independent_steps_of_the_declared_size() -> None:
    runs, (deviation, drift) = 4000, (0.5, 0.1)
    scenario = stirring(*UNSURE, bursts=False)
    logs = np.log(weights_of(lives(scenario, runs), scenario))
    weekly = logs[:, ::7]
    assert all(np.array_equal(logs[:, day], weekly[:, day // 7]) for day in range(DAYS))
    steps = np.concatenate((weekly[:, :1], np.diff(weekly, axis=1)), axis=1)
    sizes = np.where(np.arange(steps.shape[1]) == 0, deviation, drift)[:, None]
    error = 5.0 / np.sqrt(runs)
    assert abs(steps.mean(axis=0) / sizes).max() < error
    assert abs(steps.std(axis=0) / sizes - 1.0).max() < error
    assert abs(steps[:, 1:].std(axis=0) / deviation - 1.0).max() > error, "later steps are smaller"
    flat = (steps / sizes).reshape(runs, -1)
    assert abs(np.corrcoef(flat.T) - np.eye(flat.shape[1])).max() < 1.2 * error, "1,770 pairs: within six errors"


def test_shares_change_and_the_total_stays() -> None:
    scenario = stirring(*UNSURE, bursts=False)
    states = lives(scenario, 200)
    weights, rates = weights_of(states, scenario), states.wing_states["rate"]
    wings = list(scenario.cast.wings.values())
    baselines = np.array([one.baseline for one in wings])
    own = np.array([one.theatre in HIT for one in wings])
    assert np.allclose(rates[:, :, own].sum(axis=2), baselines[own].sum(), rtol=1e-12)
    assert np.array_equal(rates[:, :, ~own], np.broadcast_to(baselines[~own], rates[:, :, ~own].shape))
    of_theatre = np.array([sum(one.baseline for one in wings if one.theatre == theatre) for theatre in HIT])
    shares = of_theatre * weights / (of_theatre * weights).sum(axis=2, keepdims=True)
    iraq = rates[:, :, [one.theatre == "iraq" for one in wings]].sum(axis=2) / baselines[own].sum()
    assert np.allclose(iraq, shares[:, :, 0], rtol=1e-12)
    assert iraq.std() > 0.05


def test_shares_without_deviation_are_as_configured() -> None:
    scenario = world("history=free", NO_WAR, SHORT)
    still, unsure = lives(scenario, 50), lives(world("history=free", NO_WAR, SHORT, *UNSURE), 50)
    assert (still.front_states["weight"] == 1.0).all()
    assert len(build_inputs(scenario).weights) == 0
    # A column of zeros beside one point that is not certain: the weights are worked out, and all of them are 1.
    design = {"shares.share_deviation": np.array([0.0, 0.5])}
    mixed = run_batch(build_inputs(scenario, design), SEED, range(50), np.zeros(50, int), OutputSpec(states=True))
    assert all(np.array_equal(getattr(still, name), getattr(mixed, name)) for name in ("rows", "counts", "lags"))
    assert np.array_equal(still.wing_states, mixed.wing_states)
    assert not np.array_equal(still.wing_states, unsure.wing_states)


def test_theatres_share_out_a_campaign_of_rate_zero() -> None:
    scenario = stirring(*UNSURE, bursts=False)
    calm = {wing: replace(one, baseline=0.0) for wing, one in scenario.cast.wings.items()}
    scenario = replace(scenario, cast=replace(scenario.cast, wings=calm))
    kernel, reference = lives(scenario, 3), ReferenceModel(scenario, SEED, 2).simulate().state_table()
    days = len(reference.wings)
    assert len(np.unique(weights_of(kernel, scenario))) > 100
    assert not kernel.wing_states["rate"].any()
    assert not kernel.counts.any()
    assert np.array_equal(kernel.wing_states[2, :days], reference.wings)
    assert militia.share_factor(1.5, 3.0, 3.0) == 1.5, "the control: with rates the weight counts"


# --- the documented order -----------------------------------------------------------------------------------


PINNED, AFTER = (load().scenario.calendar.day_of(date(2024, *day)) for day in ((1, 31), (2, 28)))


def first_days(*overrides: str) -> tuple[Array, Array]:
    """Days of the first order and of its release, by history."""
    scenario = load([NO_WAR, *overrides]).scenario
    phases = lives(scenario, 300).run_states["phase"]
    return first(phases == patron.RESTRAINING), first(phases == patron.RELEASED)


def test_documented_history_pins_the_order_and_its_standing() -> None:
    hasty = ("patron.release_rate=0.5", "patron.minimum_days=1", "patron.war_risk_half_life=2")
    for overrides in (
        (),
        hasty,
        ("patron.alarm_threshold=1", "patron.alarm_per_strike=1"),
        ("patron.alarm_threshold=9", *hasty),
    ):
        orders, releases = first_days(*overrides)
        assert (orders == PINNED).all()
        assert (releases[releases >= 0] >= AFTER).all()
    assert (first_days(*hasty)[1] == AFTER).any()


def test_without_the_pins_the_order_comes_when_the_patron_is_alarmed_and_goes_when_it_may() -> None:
    free = ("~history.events.no_order_before", "~history.events.january_order", "~history.events.order_stands")
    early = first_days(*free, "patron.alarm_threshold=1", "patron.alarm_per_strike=1")[0]
    assert (early < PINNED).any()
    assert (first_days(*free, "patron.alarm_threshold=9")[0] != PINNED).all()
    hasty = ("patron.release_rate=0.5", "patron.minimum_days=1", "patron.war_risk_half_life=2")
    orders, releases = first_days(*free, *hasty)
    assert ((orders >= 0) & (releases < AFTER) & (releases > orders)).any()
