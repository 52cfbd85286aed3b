"""Limits with known answers: what the model must give when the answer can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from sim.engine.inputs import build_inputs
from sim.engine.state import RUN_STATE
from sim.model.timeline import Event
from sim.numbers.arithmetic import power
from sim.rules.casualties import number_killed, tail_power, tail_span
from sim.rules.rates import decay_factor
from tests.engine.worlds import ALL_OFF, NO_WAR, close_in_errors, rates, simulate, world

RUNS = 4000
SEED = 20240202


def test_with_every_mechanism_off_counts_are_poisson_with_exact_mean_and_variance() -> None:
    scenario = world("history=free", NO_WAR, mechanisms=ALL_OFF)
    counts = simulate(scenario, RUNS, SEED).counts[:, :, 0, 0].astype(float)
    expected = rates(scenario) * len(scenario.calendar.campaign)
    assert close_in_errors(counts, expected)
    # The variance of a squared deviation from a Poisson mean m is m + 2 m**2.
    deviations = (counts - expected) ** 2
    error = np.sqrt((expected + 2.0 * expected**2) / RUNS)
    assert (np.abs(deviations.mean(axis=0) - expected) <= 5.0 * error).all()


def test_a_rate_three_percent_off_would_be_noticed() -> None:
    scenario = world("history=free", NO_WAR, "multipliers.baseline=1.03", mechanisms=ALL_OFF)
    counts = simulate(scenario, RUNS, SEED).counts[:, :, 0, 0].astype(float)
    assert not close_in_errors(counts, rates(scenario) * len(scenario.calendar.campaign))


def test_wear_against_rebuilding_settles_at_its_fixed_point() -> None:
    # E kappa' = kappa + supply (1 - kappa) / tau - wear kappa, linear while nothing is cut: kappa* = s / (s + wear).
    wear, days = 0.02, 8.0
    scenario = world(
        "history=free", NO_WAR, f"deterrence.wear={wear}", f"deterrence.rebuild_days={days}",
        mechanisms=replace(ALL_OFF, capacity=True),
    )  # fmt: skip
    output = simulate(scenario, 1500, SEED, states=True)
    names = list(scenario.cast.wings)
    settled = output.wing_states["attacks"][:, 150:].mean(axis=1)
    for wing in ("hezbollah_lebanon", "local_syria"):
        supply = scenario.cast.theatres[scenario.cast.wings[wing].theatre].supply / days
        share = supply / (supply + wear)
        place = names.index(wing)
        assert close_in_errors(settled[:, place], share * scenario.cast.wings[wing].baseline)
        assert not close_in_errors(settled[:, place], scenario.cast.wings[wing].baseline)


def test_fear_and_grievance_under_constant_strikes_settle_at_their_fixed_points() -> None:
    raid = Event("raids", "strike", 0, 329, wing="kataib_hezbollah_iraq", value=0.5)
    scenario = world(
        "history=free", NO_WAR, "deterrence.strike_net=0.1", mechanisms=replace(ALL_OFF, fear=True, grievance=True),
        events=(raid,),
    )  # fmt: skip
    deterrence = scenario.parameters.deterrence
    output = simulate(scenario, 1, SEED, states=True)
    wing = output.wing_states[0, -1, 0]
    own = deterrence.strike_fear * 0.5
    assert wing["fear"] == pytest.approx(own / (1.0 - decay_factor(deterrence.fear_half_life)), rel=1e-9)
    provoked, kept = 0.5 * (deterrence.strike_fear + 0.1), decay_factor(deterrence.grievance_half_life)
    assert wing["grievance"] == pytest.approx(provoked / (1.0 - kept + provoked / deterrence.grievance_max), rel=1e-9)
    assert wing["rate"] == pytest.approx(0.35 * np.exp(wing["grievance"] - wing["fear"]), rel=1e-9)


def test_compliance_follows_its_closed_form() -> None:
    # Without pressure and gains the goal is L (1 - a) and the gap to it shrinks by one share each day.
    order = Event("pause", "order", 20, 329, theatres=("iraq",), value=0.0)
    scenario = world(
        "patron.gains_weight=0", "history=free", NO_WAR, mechanisms=replace(ALL_OFF, autonomy=True), events=(order,)
    )
    table = build_inputs(scenario)
    wing = table.wings[0, 0]
    speed = wing["pace"] * (1.0 - wing["ideology"])
    course = simulate(scenario, 1, SEED, states=True).wing_states["compliance"][0, :, 0]
    days = np.arange(330)
    obeyed = np.maximum(0, days - 20)  # the order of day 20 is known on day 21
    np.testing.assert_allclose(course, wing["held"] * (1.0 - (1.0 - speed) ** obeyed), rtol=1e-12, atol=1e-15)


def test_fear_decays_by_its_half_life_after_one_strike() -> None:
    once = Event("raid", "strike", 10, 10, wing="kataib_hezbollah_iraq", value=1.0)
    scenario = world(
        "deterrence.fear_half_life=5", "history=free", NO_WAR, mechanisms=replace(ALL_OFF, fear=True), events=(once,)
    )
    fear = simulate(scenario, 1, SEED, states=True).wing_states["fear"][0, :, 0]
    assert fear[10] == 0.0
    assert fear[11] == scenario.parameters.deterrence.strike_fear
    np.testing.assert_allclose(fear[[16, 21, 31]] / fear[11], [0.5, 0.25, 0.0625], rtol=1e-12)


def test_the_number_killed_has_the_exact_quantiles_of_the_truncated_law() -> None:
    exponent, exposure = 2.4, 350.0
    span, inverse = tail_span(exponent, exposure), tail_power(exponent)
    for least in (2, 3, 5, 10, 50, 350):
        edge = (1.0 - power(float(least), 1.0 - exponent)) / span
        assert number_killed(edge - 1e-9, span, inverse, exposure) == least - 1
        assert number_killed(edge + 1e-9, span, inverse, exposure) == least
    assert number_killed(1.0 - 2.0**-33, span, inverse, exposure) == exposure
    assert number_killed(2.0**-33, span, inverse, exposure) == 1.0


def test_without_strikes_fear_and_grievance_stay_zero() -> None:
    scenario = world("scenario=no_us_strikes", "history=free", NO_WAR)
    wings = simulate(scenario, 50, SEED, states=True).wing_states
    assert not wings["fear"].any()
    assert not wings["grievance"].any()
    struck = simulate(world("history=free", NO_WAR), 50, SEED, states=True).wing_states
    assert struck["fear"].any()


def test_swapping_two_identical_wings_changes_nothing_but_their_places() -> None:
    scenario = world("mechanisms.limited_response=false")
    wings = dict(scenario.cast.wings)
    wings["nujaba_iraq"] = replace(wings["kataib_hezbollah_iraq"], name="twin")
    names = list(wings)
    names[0], names[1] = names[1], names[0]
    here = replace(scenario, cast=replace(scenario.cast, wings=wings))
    there = replace(scenario, cast=replace(scenario.cast, wings={name: wings[name] for name in names}))
    first, second = simulate(here, 200, SEED), simulate(there, 200, SEED)
    assert np.array_equal(first.rows, second.rows)
    assert np.array_equal(first.counts[:, [1, 0]], second.counts[:, :2])
    assert np.array_equal(first.counts[:, 2:], second.counts[:, 2:])
    assert not np.array_equal(first.counts[:, 0], first.counts[:, 1])


@pytest.mark.parametrize(
    ("form", "least"),
    [
        (("mechanisms.pause=false",), 1.0),
        ((NO_WAR, "pause.breaking_rate=0", "pause.reprisal_rate=0", "mechanisms.major_response=false"), 1.0),
    ],
)
def test_more_autonomy_never_lowers_attacks_after_the_order(form: tuple[str, ...], least: float) -> None:
    # A group that pauses later would also break its pause later; and after a major response fear leaves less of the
    # attacks of a group that fights on than the residual of one that pauses.
    levels = np.linspace(0.0, 2.0, 9)
    scenario = world("mechanisms.limited_response=false", "mechanisms.capacity=false", *form)
    attacks = [
        simulate(scenario, 300, SEED, design={"multipliers.autonomy": np.array([level])})
        .counts[:, :7, 1, 0]
        .sum(axis=1)
        for level in levels
    ]
    steps = np.diff(np.array(attacks, dtype=float), axis=0)
    assert (steps >= 0).all()
    assert steps.sum(axis=0).mean() > least


def test_a_wing_of_rate_zero_changes_no_other_bits() -> None:
    scenario = world(NO_WAR)
    idle = replace(scenario.cast.wings["local_syria"], name="idle", baseline=0.0)
    wider = replace(scenario, cast=replace(scenario.cast, wings={"idle_syria": idle, **scenario.cast.wings}))
    without, with_it = simulate(scenario, 100, SEED, states=True), simulate(wider, 100, SEED, states=True)
    assert np.array_equal(without.rows, with_it.rows)
    assert np.array_equal(without.counts, with_it.counts[:, 1:])
    assert np.array_equal(without.wing_states, with_it.wing_states[:, :, 1:])
    same = [name for name in RUN_STATE.names or () if name != "struck_wing"]
    assert all(np.array_equal(without.run_states[name], with_it.run_states[name]) for name in same)
    shifted = without.run_states["struck_wing"]
    assert np.array_equal(np.where(shifted >= 0, shifted + 1, shifted), with_it.run_states["struck_wing"])
