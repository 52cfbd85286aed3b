"""The days of the two states: the patron's orders, the mediators' pressure, the target's answers, the ladder.

Each step is a few loops over the lanes of a block.
"""

from typing import Any

from sim.engine.batched.layout import Address, Lanes, Numbers, Runs, Theatres
from sim.engine.batched.rng import draw_lanes, episode_limit
from sim.engine.batched.strikes import marked_lanes
from sim.engine.batched.wings import product
from sim.numbers.compiled import simd_hints, step
from sim.numbers.soa import VECTOR
from sim.rules import counting, patron, rates, target
from sim.rules import decisions as decide


@step
def limits_begin(world: Any, runs: Runs, lanes: Lanes) -> None:
    """The hazard of war counts from zero to its limit, and that of release where there was an order to hold back."""
    state = runs.state
    for i in range(VECTOR * lanes.vectors):
        state.war_hazard[i] = 0.0
        state.war_limit[i] = episode_limit(world, lanes.run[i], 0, world.patron, decide.WAR)
        if state.restraint_orders[i] > 0.0:
            order = int(state.restraint_orders[i]) - 1
            state.release_hazard[i] = 0.0
            state.release_limit[i] = episode_limit(world, lanes.run[i], order, world.patron, decide.RELEASE)


@step
def patron_assesses(where: Address, today: Any, numbers: Numbers, runs: Runs, lanes: Lanes) -> tuple[int, int]:
    """The patron weighs the risk of war, changes its phase, and answers acts against itself or not.

    Lanes in which it fears enough for war to be possible, and those, flagged, in which it begins to hold its proxies
    back. It draws only where some lane needs a draw.
    """
    simd_hints()
    rules = lanes.rules
    state, scratch, own, draws = runs.state, lanes.scratch, numbers.patron, runs.patron_draws
    restraining, provoked, fearful = 0, 0, 0
    for i in range(VECTOR * lanes.vectors):
        acts = today.acts + state.acts[i]
        risk = rules.patron.war_risk(
            state.war_risk[i], own.war_risk_keep[i], rules.patron.alarm(own.alarm_per_strike[i], state.strikes[i]),
            rules.patron.alarm(own.alarm_per_death[i], scratch.shock[i]),
            rules.patron.alarm(own.alarm_of_threat[i], 1.0 if state.pending[i] > 0.0 else 0.0),
            rules.patron.alarm(own.alarm_per_act[i], acts),
        )  # fmt: skip
        state.war_risk[i] = risk
        restraining += 1 if state.phase[i] == patron.RESTRAINING else 0
        provoked += 1 if acts > 0.0 else 0
        fearful += 1 if risk > numbers.ladder.war_threshold[i] else 0
    if provoked > 0:
        draw_lanes(lanes.vectors, where, lanes.shares, draws)
    if restraining > 0:
        for i in range(VECTOR * lanes.vectors):
            held = today.release < 0 or state.phase_days[i] + 1.0 < own.minimum_days[i]
            rate = rules.patron.release_rate(own.release_rate[i], state.war_risk[i], own.alarm_threshold[i], held)
            rate = rate if state.phase[i] == patron.RESTRAINING else 0.0
            state.release_hazard[i] = rates.cumulative_hazard(state.release_hazard[i], rate)
    ordering = 0
    for i in range(VECTOR * lanes.vectors):
        phase, days = state.phase[i], state.phase_days[i] + 1.0
        released = rates.episode_ends(state.release_hazard[i], state.release_limit[i])
        turned = rules.patron.next_phase(
            phase, days, state.war_risk[i], own.alarm_threshold[i], own.deliberation_days[i], released
        )
        turned = rules.patron.documented_phase(phase, turned, own.order_able[i] > 0.0, today.restraint_order)
        lanes.flags[i] = 1 if turned == patron.RESTRAINING and phase != patron.RESTRAINING else 0
        ordering += lanes.flags[i]
        state.phase_days[i] = rules.patron.days_in_phase(days, phase, turned)
        state.phase[i] = turned
        state.answered[i] = 0.0
        state.gains[i] = rules.patron.gains(state.ordered_attacks[i], own.gains_scale[i])
    if provoked > 0:
        for i in range(VECTOR * lanes.vectors):
            acts = today.acts + state.acts[i]
            state.answered[i] = 1.0 if rules.patron.answers(draws.second[i], own.open_answer[i], acts) else 0.0
    if today.open_answer > 0:
        for i in range(VECTOR * lanes.vectors):
            state.answered[i] = 1.0
    return fearful, ordering


@step
def orders_begin(where: Address, runs: Runs, lanes: Lanes) -> None:
    """In flagged lanes an order to hold back begins, with the random number that decides how long it stands."""
    state = runs.state
    for j in range(marked_lanes(lanes, lanes.marked)):
        i = lanes.marked[j]
        state.release_hazard[i] = 0.0
        order = int(state.restraint_orders[i])
        state.release_limit[i] = episode_limit(where, lanes.run[i], order, where.actor, decide.RELEASE)
        state.restraint_orders[i] += 1.0


@step
def issue_orders(
    theatre: int, day: float, stance: float, of_patron: Any, runs: Runs, theatres: Theatres, lanes: Lanes
) -> int:
    """Yesterday's order reaches a theatre, the patron gives today's; the number of lanes with an order to hold back."""
    simd_hints()
    rules = lanes.rules
    state, notes, held_back = theatres.state, theatres.notes, 0
    for i in range(VECTOR * lanes.vectors):
        k = theatre + i
        directive = state.order[k]
        held_back += 1 if directive < 1.0 else 0
        state.directive[k] = directive
        notes.held[k] = counting.first_day(notes.held[k], day, directive < 1.0)
        standing = rules.patron.standing_order(stance, of_patron.directive_free[i])
        state.order[k] = rules.patron.directive(
            runs.state.phase[i], standing, theatres.numbers.restraint[k], theatres.numbers.release[k]
        )
    return held_back


@step
def mediators_press(talks: float, numbers: Numbers, runs: Runs, lanes: Lanes) -> None:
    """The mediators gather pressure; what wings feel today comes from that of yesterday."""
    simd_hints()
    rules = lanes.rules
    state, own, felt = runs.state, numbers.mediators, lanes.felt
    for i in range(VECTOR * lanes.vectors):
        reached, pressure = VECTOR * lanes.vectors + i, state.pressure[i]
        felt.pressure[reached] = pressure
        felt.goal[reached] = product(own.mediation_weight[i], pressure, lanes)
        felt.relief[reached] = product(own.ideology_relief[i], pressure, lanes)
        felt.restraint[reached] = product(own.mediator_restraint[i], pressure, lanes)
        felt.gains[i] = product(numbers.patron.gains_weight[i], state.gains[i], lanes)
        state.pressure[i] = rules.mediator.pressure(
            pressure, own.pressure_keep[i], own.pressure_per_strike[i], state.strikes_home[i],
            own.pressure_per_death[i], state.killed[i], own.pressure_of_talks[i], talks,
        )  # fmt: skip


@step
def target_responds(
    where: Address, major_today: int, limited_today: int, leader_today: int, of_target: Any, runs: Runs, lanes: Lanes
) -> int:
    """The target is provoked and answers or holds back.

    Flags mark the lanes in which it answers, or declines a chance to; their number is returned.
    """
    simd_hints()
    rules = lanes.rules
    state, draws = runs.state, runs.target_draws
    draw_lanes(lanes.vectors, where, lanes.shares, draws)
    answers = 0
    for i in range(VECTOR * lanes.vectors):
        provocation = rules.target.provocation(
            state.provocation[i], of_target.provocation_keep[i], state.attacks[i],
            rules.target.provocation_by(of_target.injured_weight[i], state.injured[i]),
            rules.target.provocation_by(of_target.killed_weight[i], state.killed[i]),
            rules.target.provocation_by(of_target.answer_provocation[i], state.answered[i]),
        )  # fmt: skip
        quiet = rules.target.quiet_days(state.quiet_days[i], state.acknowledged[i])
        able = of_target.major_able[i] > 0.0
        major = rules.target.major_response_occurs(state.pending[i], able and major_today > 0, major_today < 0)
        pending = rules.target.days_pending(
            state.pending[i], major, state.killed[i], of_target.major_days[i], of_target.major_able[i]
        )
        busy = major or pending > 0.0
        likely = rules.target.limited_response_probability(
            of_target.response_rate[i], provocation, of_target.provocation_threshold[i],
            of_target.casualty_response_rate[i], state.injured[i] + state.killed[i] > 0.0,
        )  # fmt: skip
        limited = rules.target.limited_response_occurs(
            draws.first[i], likely, limited_today > 0, busy or limited_today < 0
        )
        leader = rules.target.leader_choice(
            draws.second[i], of_target.leader_chance[i], quiet, of_target.quiet_days[i],
            busy or limited or leader_today < 0,
        )  # fmt: skip
        responded = major or limited or leader == target.STRUCK
        state.provocation[i] = rules.target.provocation_after_response(
            provocation, of_target.response_relief[i], responded
        )
        state.quiet_days[i] = quiet
        state.pending[i] = pending
        state.major[i] = 1.0 if major else 0.0
        state.limited[i] = 1.0 if limited else 0.0
        state.leader[i] = leader
        news = 1 if responded or leader == target.DECLINED else 0
        lanes.flags[i] = news
        answers += news
    return answers


@step
def ladder_moves(fearful: int, numbers: Numbers, runs: Runs, lanes: Lanes) -> int:
    """The day reaches a rung, and where the patron is fearful direct war may break out; lanes in which it does."""
    simd_hints()
    rules = lanes.rules
    state, own, of_target = runs.state, numbers.ladder, numbers.target
    for i in range(VECTOR * lanes.vectors):
        struck = state.limited[i] > 0.0 or state.leader[i] == target.STRUCK
        major = state.major[i] > 0.0
        rung = rules.ladder.rung(state.attacks[i], state.injured[i], struck, state.killed[i], major)
        on_patron = rules.target.strikes_patron(struck or major, rung, of_target.patron_strike_rung[i])
        state.acts[i] = of_target.patron_strike_acts[i] if on_patron else 0.0
        touched = rules.ladder.highest(rung, on_patron or state.answered[i] > 0.0, False)
        state.recent_rung[i] = rules.ladder.recent_rung(state.recent_rung[i], own.cooling[i], touched)
        state.rung[i] = touched
        state.war[i] = 0.0
    wars = 0
    if fearful > 0 or rules.plain:
        for i in range(VECTOR * lanes.vectors):
            rate = rules.ladder.war_rate(own.war_rate[i], state.war_risk[i], own.war_threshold[i], state.recent_rung[i])
            hazard = rates.cumulative_hazard(state.war_hazard[i], rate)
            war = rates.episode_ends(hazard, state.war_limit[i])
            state.war_hazard[i] = hazard
            state.war[i] = 1.0 if war else 0.0
            state.rung[i] = rules.ladder.highest(state.rung[i], False, war)
            wars += 1 if war and lanes.scratch.alive[i] > 0.0 else 0
    return wars
