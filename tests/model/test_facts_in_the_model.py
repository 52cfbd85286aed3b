"""What the facts say, found again in rules and configuration: directions and orders, not sizes."""

from itertools import pairwise

import pytest

from sim.model.parameters import Parameters, default_parameters
from sim.model.scenario import Scenario, load
from sim.model.timeline import Day, daily
from sim.rules import casualties, ladder, mediator, militia, observation, patron, rates, rival, target

IRAQI_MIDDLE = ("kataib_hezbollah_iraq", "nujaba_iraq", "hashd_iraq", "local_syria")
RESISTING = ("kataib_hezbollah_iraq", "nujaba_iraq")


@pytest.fixture(scope="module")
def article() -> Scenario:
    return load().scenario


@pytest.fixture(scope="module")
def numbers() -> Parameters:
    return default_parameters()


@pytest.fixture(scope="module")
def days(article: Scenario) -> tuple[Day, ...]:
    return daily(article.calendar, article.standing_events(), article.cast)


def rate(compliance: float, order: float, intensity: float = 1.0, surge: float = 1.0, fear: float = 0.0) -> float:
    return militia.attack_rate(1.0, rival.war_gate(1.0, intensity), surge, 1.0, 0.0, fear, compliance, order)


def risk(
    numbers: Parameters, killed: float = 0.0, strikes: float = 0.0, threat: float = 0.0, acts: float = 0.0
) -> float:
    """War risk that the patron perceives after one day with nothing before it."""
    own = numbers.patron
    return patron.war_risk(
        0.0, rates.decay_factor(own.war_risk_half_life), patron.alarm(own.alarm_per_strike, strikes),
        patron.alarm(own.alarm_per_death, patron.death_shock(killed)), patron.alarm(own.alarm_of_threat, threat),
        patron.alarm(own.alarm_per_act, acts),
    )  # fmt: skip


def held(article: Scenario, wing: str, control: float, factor: float) -> float:
    return militia.hold(control, militia.trait(article.cast.wings[wing].autonomy, factor))


def asked(article: Scenario, theatre: str, phase: int) -> float:
    """Activity that the patron asks of a theatre in which the campaign is ordered."""
    own = article.parameters.patron
    restraint = {"stop": own.directive_stop, "reduce": own.directive_reduce, "unchanged": 1.0}
    kind = article.cast.theatres[theatre].restraint
    release = 1.0 if kind == "unchanged" else own.directive_release
    return patron.directive(phase, 1.0, restraint[kind], release)


def test_baselines_of_the_target_s_theatres_are_of_the_order_of_the_official_count(article: Scenario) -> None:
    daily_rate = sum(wing.baseline for name, wing in article.cast.wings.items() if article.cast.strikable(name))
    expected = daily_rate * len(article.calendar.campaign) * article.parameters.observation.chance
    assert 170 / 2 < expected < 170 * 2
    sums = dict.fromkeys(("iraq", "syria", "jordan"), 0.0)
    for name, wing in article.cast.wings.items():
        if article.cast.strikable(name):
            sums[wing.theatre] += wing.baseline
    assert sums["jordan"] < 0.05 * sums["syria"]
    assert 0.5 < sums["iraq"] / sums["syria"] < 2.0


def test_a_lethal_attack_is_rare_and_the_documented_one_is_as_documented(numbers: Parameters) -> None:
    assert 0.2 < 170 * numbers.casualties.penetration * numbers.casualties.lethality < 5.0
    assert casualties.pinned_fate(casualties.UNNOTICED, True, False) == casualties.LETHAL
    assert casualties.pinned_fate(casualties.LETHAL, False, False) == casualties.HIT
    assert casualties.toll(1.0, True, 3.0) == 3.0


def test_deaths_are_answered_by_a_major_response_announced_at_once(article: Scenario, numbers: Parameters) -> None:
    delay = numbers.target.major_days
    pending, waited = target.days_pending(0.0, False, 3.0, delay, 1.0), 0
    assert pending == delay
    while not target.major_response_occurs(pending, False, False):
        pending, waited = target.days_pending(pending, False, 0.0, delay, 1.0), waited + 1
    # Deaths in the evening of one day and strikes `waited + 1` days later.
    pins = {event.id: event for event in article.pins}
    assert waited + 1 == delay == pins["february_strikes"].first - pins["tower_22"].first
    assert target.days_pending(2.0, False, 5.0, delay, 1.0) == 1.0


def test_the_northern_border_and_the_red_sea_see_attacks_almost_daily(article: Scenario) -> None:
    wings = article.cast.wings
    assert wings["hezbollah_lebanon"].baseline > 1.0
    assert 0.2 < wings["houthis_red_sea"].baseline < 2.0
    assert article.cast.theatres["red_sea"].kind == "shipping"


def test_the_campaign_is_ordered_and_part_of_the_fight_over_gaza(days: tuple[Day, ...], numbers: Parameters) -> None:
    assert all(min(day.stance) == 1.0 for day in days)
    free = numbers.patron.directive_free
    levels = (free, numbers.patron.directive_reduce, numbers.patron.directive_stop)
    assert patron.standing_order(0.0, *levels) < patron.standing_order(1.0, *levels) == 1.0
    assert rate(0.0, 1.0, intensity=0.0) == 0.0 < rate(0.0, 1.0, intensity=0.5) < rate(0.0, 1.0)


def test_deaths_strikes_threats_and_acts_each_frighten_the_patron(numbers: Parameters) -> None:
    assert risk(numbers) == 0.0
    assert 0.0 < risk(numbers, killed=1.0) < risk(numbers, killed=3.0)
    assert min(risk(numbers, strikes=1.0), risk(numbers, threat=1.0), risk(numbers, acts=1.0)) > 0.0
    # One limited strike does not turn the patron; three deaths and the threat that follows do.
    assert risk(numbers, strikes=1.0) < numbers.patron.alarm_threshold
    assert (
        risk(numbers, killed=3.0) + numbers.target.major_days * numbers.patron.alarm_of_threat
        > numbers.patron.alarm_threshold
    )


def test_more_fear_of_war_on_a_higher_ladder_means_more_war(numbers: Parameters) -> None:
    own = numbers.ladder
    daily = [ladder.war_rate(own.war_rate, level, own.war_threshold, 3.0) for level in (0.0, 3.0, 4.0, 6.0)]
    assert daily[0] == daily[1] == 0.0 < daily[2] < daily[3]
    assert ladder.war_rate(own.war_rate, 6.0, own.war_threshold, 2.0) < daily[3]


def test_supply_rebuilds_capacity_and_without_it_strikes_last(numbers: Parameters) -> None:
    own = numbers.deterrence
    struck = militia.capacity(1.0, 0.0, militia.survival(own.damage, 1.0), 0.0, 0.0)
    armed = militia.capacity(struck, 1.0 / own.rebuild_days, 1.0, 0.0, 0.0)
    assert struck == militia.capacity(struck, 0.0, 1.0, 0.0, 0.0) < armed < 1.0


def test_the_axis_is_complete(article: Scenario) -> None:
    groups = {wing.group for wing in article.cast.wings.values()}
    named = ("Kataib Hezbollah", "Hashd al-Shaabi", "Nujaba", "Syrian", "Houthis", "Hamas", "Islamic Jihad")
    assert all(any(name in group for group in groups) for name in named)
    assert "Hezbollah" in groups


def test_the_patron_holds_hezbollah_most_the_middle_less_and_the_houthis_least(article: Scenario) -> None:
    control = article.parameters.patron.control
    middle = [held(article, wing, control, 1.0) for wing in IRAQI_MIDDLE]
    assert held(article, "hezbollah_lebanon", control, 1.0) > max(middle)
    assert min(middle) > held(article, "houthis_red_sea", control, 1.0)


def test_a_tight_leash_holds_every_wing_more_and_hands_off_less(article: Scenario) -> None:
    tight, loose = load(["scenario=tight_leash"]).scenario, load(["scenario=hands_off_extreme"]).scenario
    for wing in article.cast.wings:
        levels = [
            held(article, wing, one.parameters.patron.control, one.parameters.multipliers.autonomy)
            for one in (loose, article, tight)
        ]
        assert levels[0] < levels[1] < levels[2]


def test_the_alarm_leads_to_deliberation_and_deliberation_to_new_orders(numbers: Parameters) -> None:
    own = numbers.patron
    phases, phase, inside = [], patron.NORMAL, 0.0
    for _ in range(6):
        before = phase
        phase = patron.next_phase(
            phase,
            inside + 1.0,
            own.alarm_threshold,
            own.alarm_threshold,
            own.deliberation_days,
            False,
        )
        inside = patron.days_in_phase(inside + 1.0, before, phase)
        phases.append(phase)
    assert phases == [patron.DELIBERATING] * 2 + [patron.RESTRAINING] * 4


def test_blame_and_fear_spread_over_the_umbrella(article: Scenario, numbers: Parameters) -> None:
    umbrella = [name for name, wing in article.cast.wings.items() if wing.collective == "islamic_resistance_in_iraq"]
    assert {"kataib_hezbollah_iraq", "nujaba_iraq", "hashd_iraq", "kataib_hezbollah_jordan"} <= set(umbrella)
    assert target.targeting_weight(False, 3.0) == target.targeting_weight(False, 0.0) > 0.0
    assert target.targeting_weight(True, 3.0) > target.targeting_weight(True, 1.0)
    assert numbers.deterrence.spillover > 0.0
    assert target.strikes_nearby(4.0, 1.0) == 3.0


def test_the_argument_that_enough_was_gained_grows_with_the_campaign(numbers: Parameters) -> None:
    own = numbers.patron
    gains = [patron.gains(attacks, own.gains_scale) for attacks in (0.0, 50.0, 170.0, 1e6)]
    assert gains[0] == 0.0 < gains[1] < gains[2] < gains[3] <= 1.0
    assert militia.compliance_goal(0.3, 0.0, 0.0, own.gains_weight, gains[2]) > 0.3


def test_ideology_slows_the_two_that_resisted_and_mediators_win_them_over(
    article: Scenario, numbers: Parameters
) -> None:
    def speed(wing: str, pressure: float) -> float:
        own = article.cast.wings[wing]
        hold = militia.hold(numbers.patron.control, own.autonomy)
        pace = militia.pace(numbers.compliance.rate, hold)
        return militia.compliance_speed(pace, own.ideology, numbers.mediator.ideology_relief, pressure)

    for wing in RESISTING:
        assert speed(wing, 0.0) < 0.5 * speed("hashd_iraq", 0.0)
        assert speed(wing, 0.0) < speed(wing, 0.5) < speed(wing, 1.0)


def test_a_wing_under_an_order_gives_in_little_by_little(article: Scenario, numbers: Parameters) -> None:
    goal = militia.compliance_goal(0.4, numbers.mediator.weight, 0.5, numbers.patron.gains_weight, 0.8)
    steps = [0.0]
    for _ in range(200):
        steps.append(militia.compliance(steps[-1], 0.0, goal, 0.2, numbers.compliance.relax_rate))
    assert all(one < two <= goal for one, two in pairwise(steps[:51]))
    assert steps[-1] == pytest.approx(goal)


def test_new_orders_stop_iraq_and_jordan_reduce_syria_and_leave_the_rest(article: Scenario) -> None:
    orders = {theatre: asked(article, theatre, patron.RESTRAINING) for theatre in article.cast.theatres}
    assert 0.0 <= orders["iraq"] == orders["jordan"] <= 0.01 < orders["syria"] < 0.5
    assert orders["lebanon"] == orders["red_sea"] == orders["gaza"] == 1.0
    assert all(asked(article, theatre, patron.NORMAL) == 1.0 for theatre in orders)


def test_attacks_under_the_order_are_small_so_that_fewer_get_through(numbers: Parameters) -> None:
    through, seen = numbers.casualties.penetration, numbers.observation.chance
    small = observation.small_share(0.8, numbers.patron.directive_reduce)
    assert observation.small_share(0.8, 1.0) == 0.0 < small
    assert observation.mix_small(through, small, numbers.casualties.small_penetration) < through
    assert observation.mix_small(seen, small, numbers.observation.small) < seen


def test_compliance_with_an_order_lowers_attacks_and_without_one_does_not() -> None:
    assert rate(0.9, 0.0) < rate(0.5, 0.0) < rate(0.0, 0.0)
    assert rate(0.9, 1.0) == rate(0.0, 1.0)
    assert rate(0.0, 1.0, fear=1.0) < rate(0.0, 1.0)


def test_deaths_strikes_at_home_and_talks_move_the_mediators(days: tuple[Day, ...], numbers: Parameters) -> None:
    own = numbers.mediator

    def pressure(strikes: float, killed: float, talks: float) -> float:
        return mediator.pressure(
            0.0, rates.decay_factor(own.half_life), own.per_strike, strikes, own.per_death, killed, own.talks, talks
        )

    assert pressure(0.0, 0.0, 0.0) == 0.0
    assert min(pressure(1.0, 0.0, 0.0), pressure(0.0, 1.0, 0.0), pressure(0.0, 0.0, 1.0)) > 0.0
    assert [day.talks for day in days] == [0.0] * 102 + [1.0] * (len(days) - 102)
    assert militia.effective_order(1.0, own.restraint, 0.5) < 1.0


def test_only_iraqi_groups_feel_the_mediators_and_only_strikes_in_iraq_anger_them(article: Scenario) -> None:
    assert {wing.group for wing in article.cast.wings.values() if wing.mediated} == {
        "Kataib Hezbollah", "Harakat al-Nujaba", "Islamic Resistance in Iraq and Hashd al-Shaabi",
    }  # fmt: skip
    assert [name for name, theatre in article.cast.theatres.items() if theatre.mediated] == ["iraq"]


def test_the_patron_itself_is_struck_only_where_a_scenario_says_so(numbers: Parameters) -> None:
    threshold = load(["scenario=strike_iran"]).scenario.parameters.target.patron_strike_rung
    for reached in range(6):
        assert not target.strikes_patron(True, float(reached), numbers.target.patron_strike_rung)
    assert target.strikes_patron(True, 3.0, threshold)
    assert not target.strikes_patron(True, 2.0, threshold)


def test_a_chance_to_strike_a_leader_is_declined_once_it_is_quiet(numbers: Parameters) -> None:
    own = numbers.target
    choices = [
        target.leader_choice(0.0, own.leader_chance, quiet, own.quiet_days, False) for quiet in (0.0, own.quiet_days)
    ]
    assert choices == [target.STRUCK, target.DECLINED]
    assert target.quiet_days(own.quiet_days, 1.0) == 0.0


def test_the_target_stays_ready_to_strike_and_does_less_when_it_is_calm(numbers: Parameters) -> None:
    own = numbers.target
    likely, hurt = (
        [
            target.limited_response_probability(
                own.response_rate, level, own.provocation_threshold, own.casualty_response_rate, hit
            )
            for level in (0.0, 10.0, 30.0)
        ]
        for hit in (False, True)
    )
    assert likely[0] == 0.0 < likely[1] < likely[2] < 1.0
    assert all(one < two for one, two in zip(likely, hurt, strict=True))
    assert target.provocation_after_response(30.0, own.response_relief, True) < 30.0


def test_the_order_stands_for_weeks_and_then_may_be_released_any_day(numbers: Parameters) -> None:
    own = numbers.patron
    assert 0.0 < patron.release_rate(own.release_rate, 0.0, own.alarm_threshold, False) < 0.2
    assert patron.release_rate(own.release_rate, 0.0, own.alarm_threshold, True) == 0.0
    assert patron.release_rate(own.release_rate, own.alarm_threshold, own.alarm_threshold, False) == 0.0
    assert own.minimum_days >= 25  # from the strikes to the report


def test_an_offensive_raises_two_fronts_in_proportion() -> None:
    assert rate(0.0, 1.0, surge=1.6) == pytest.approx(1.6 * rate(0.0, 1.0))
    event = next(one for one in load(["scenario=rafah_offensive"]).scenario.events if one.id == "rafah")
    assert event.theatres == ("lebanon", "red_sea")


def test_acts_against_the_patron_alarm_it_and_stay_without_open_answer(
    article: Scenario, days: tuple[Day, ...], numbers: Parameters
) -> None:
    acts = [article.calendar.date_of(day).isoformat() for day in range(len(days)) if days[day].acts > 0.0]
    assert acts == ["2024-02-14", "2024-02-21"]
    assert not patron.answers(2.0**-33, numbers.patron.open_answer, 1.0)
    assert patron.answers(0.5, 0.6, 1.0)


def test_the_ladder_cools_slowly_so_that_what_follows_matters(numbers: Parameters) -> None:
    recent = [4.0]
    for _ in range(30):
        recent.append(ladder.recent_rung(recent[-1], numbers.ladder.cooling, 0.0))
    assert all(two <= one for one, two in pairwise(recent))
    assert recent[1] > 3.0
    assert recent[-1] == 0.0


def test_stopping_transfers_and_hitting_the_arsenal_touch_the_houthis_alone() -> None:
    scenario = load(["scenario=arms_interdiction"]).scenario
    day = daily(scenario.calendar, scenario.standing_events(), scenario.cast)[150]
    cut = [name for name, supply in zip(scenario.cast.theatres, day.supply, strict=True) if supply < 1.0]
    hit = [name for name, strikes in zip(scenario.cast.wings, day.strike, strict=True) if strikes > 0.0]
    assert (cut, hit) == (["red_sea"], ["houthis_red_sea"])
