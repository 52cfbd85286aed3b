"""The oracle: one history after the other, day by day, wing by wing, compiled.

It may skip work that has no effect and is otherwise the plainest form of the model. State lives in the records of
`sim.engine.state`; whoever acts knows its own state of today and everybody else's of yesterday evening.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.engine import hooks
from sim.engine.record import Kept, Output, note_day, open_record, record_of
from sim.engine.samplers import poisson
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE, Situation
from sim.engine.table import Table
from sim.numbers.chance import uniform
from sim.numbers.compiled import kernel, step
from sim.rules import casualties, ladder, mediator, militia, observation, patron, rates, rival, target
from sim.rules import decisions as decide

Array = npt.NDArray[Any]


class Case(NamedTuple):
    """What holds for a whole history: numbers of the run, its theatres (K,) and wings (W,), and who stands where."""

    numbers: Any
    theatres: Array
    wings: Array
    layout: Array
    patron: int
    target: int


class Moment(NamedTuple):
    """One day of one history: its address for chance, and what the timeline says of it."""

    seed_low: int
    seed_high: int
    run: int
    day: int
    today: Any
    fronts: Array
    raids: Array


@step
def drawn(now: Moment, actor: int, decision: int) -> float:
    """The draw of one actor for one decision of this day."""
    return uniform(now.seed_low, now.seed_high, now.run, now.day, actor, decision)


@step
def begin(case: Case, now: Moment, state: Situation) -> None:
    """Put a history to its start: no fear, no grievance, full capacity, the standing orders known to all."""
    for k in range(len(state.fronts)):
        order = patron.standing_order(now.fronts[k].stance, case.numbers.directive_free)
        state.fronts[k].directive = order
        state.fronts[k].order = order
    for w in range(len(state.wings)):
        wing = state.wings[w]
        free = state.fronts[case.layout[w].theatre].directive < 1.0
        wing.compliance = case.wings[w].held if free else 0.0
        wing.capacity = 1.0
    state.run.struck_wing = -1


@step
def patron_assesses(case: Case, now: Moment, state: Situation) -> None:
    """The patron weighs the risk of war and changes its orders, which wings know from tomorrow."""
    numbers, run = case.numbers, state.run
    acts = now.today.acts + run.acts
    run.war_risk = patron.war_risk(
        run.war_risk, numbers.war_risk_keep, numbers.alarm_per_strike, run.strikes, numbers.alarm_per_death,
        patron.death_shock(run.killed) if run.killed > 0.0 else 0.0,
        numbers.alarm_of_threat, 1.0 if run.pending > 0.0 else 0.0, numbers.alarm_per_act, acts,
    )  # fmt: skip
    phase, days = run.phase, run.phase_days + 1.0
    release, draw = 0.0, 1.0
    if phase == patron.RESTRAINING:
        release = patron.release_chance(numbers.release_rate, run.war_risk, numbers.alarm_threshold)
        draw = drawn(now, case.patron, decide.RELEASE)
    run.phase = patron.next_phase(
        phase, days, run.war_risk, numbers.alarm_threshold, numbers.deliberation_days, numbers.minimum_days,
        release, draw,
    )  # fmt: skip
    run.phase_days = patron.days_in_phase(days, phase, run.phase)
    run.answered = 0
    if acts > 0.0:
        run.answered = patron.answers(drawn(now, case.patron, decide.ANSWER), numbers.open_answer, acts)
    run.gains = patron.gains(run.ordered_attacks, numbers.gains_scale)
    for k in range(len(state.fronts)):
        front = state.fronts[k]
        front.directive = front.order
        standing = patron.standing_order(now.fronts[k].stance, numbers.directive_free)
        front.order = patron.directive(run.phase, standing, case.theatres[k].restraint, case.theatres[k].release)


@step
def mediators_press(case: Case, now: Moment, state: Situation) -> None:
    """The mediators gather pressure, which wings feel from tomorrow."""
    numbers, run = case.numbers, state.run
    run.pressure = mediator.pressure(
        run.pressure, numbers.pressure_keep, numbers.pressure_per_strike, run.strikes_home,
        numbers.pressure_per_death, run.killed, numbers.pressure_of_talks, now.today.talks,
    )  # fmt: skip


@step
def militias_adapt(case: Case, now: Moment, state: Situation, pressure: float) -> None:
    """Each wing complies, fears, resents and rebuilds; `pressure` is the mediators' of yesterday."""
    numbers = case.numbers
    for w in range(len(state.wings)):
        wing, place, trait = state.wings[w], case.layout[w], case.wings[w]
        theatre = case.theatres[place.theatre]
        felt = pressure if place.mediated else 0.0
        goal = militia.compliance_goal(
            trait.held, numbers.mediation_weight, felt, numbers.gains_weight, state.run.gains
        )
        speed = militia.compliance_speed(trait.pace, trait.ideology, numbers.ideology_relief, felt)
        directive = state.fronts[place.theatre].directive
        wing.compliance = militia.compliance(wing.compliance, directive, goal, speed, numbers.relax_rate)
        wing.fear = militia.fear(
            wing.fear, numbers.fear_keep, numbers.fear_own, wing.struck, numbers.fear_other, wing.nearby, wing.jump
        )
        wing.grievance = militia.grievance(
            wing.grievance, numbers.grievance_keep, numbers.grievance_own, wing.struck,
            numbers.grievance_other, wing.nearby, numbers.grievance_max,
        )  # fmt: skip
        left = militia.survival(numbers.damage, wing.struck) if wing.struck > 0.0 else 1.0
        rebuild = theatre.rebuild * now.fronts[place.theatre].supply
        wing.capacity = militia.capacity(wing.capacity, rebuild, left, trait.wear, wing.attacks)


@step
def militias_attack(case: Case, now: Moment, state: Situation, pressure: float) -> None:
    """Each wing attacks at its rate of today; a pinned attack takes place whatever the draw."""
    for w in range(len(state.wings)):
        wing, place = state.wings[w], case.layout[w]
        felt = pressure if place.mediated else 0.0
        directive = state.fronts[place.theatre].directive
        order = militia.effective_order(directive, case.numbers.mediator_restraint, felt)
        gate = rival.war_gate(case.theatres[place.theatre].gate, now.today.intensity)
        wing.rate = militia.attack_rate(
            case.wings[w].baseline, gate, now.fronts[place.theatre].surge, wing.capacity,
            wing.grievance, wing.fear, wing.compliance, order,
        )  # fmt: skip
        count = float(poisson(drawn(now, place.actor, decide.COUNT), wing.rate))
        wing.attacks = militia.attacks_made(count, now.today.pinned_wing == w)


@step
def attacks_land(case: Case, now: Moment, state: Situation) -> None:
    """Every attack on the target meets its fate; attacks elsewhere are all seen."""
    run = state.run
    run.attacks, run.acknowledged, run.injured, run.killed, run.lethal = 0.0, 0.0, 0.0, 0.0, 0.0
    for w in range(len(state.wings)):
        wing, place = state.wings[w], case.layout[w]
        wing.acknowledged = wing.attacks
        if place.on_target:
            if state.fronts[place.theatre].directive >= 1.0:
                run.ordered_attacks += wing.attacks
            run.attacks += wing.attacks
            if wing.attacks > 0.0:
                wing.acknowledged = acknowledged_of(case, now, state, w)
            run.acknowledged += wing.acknowledged


@step
def acknowledged_of(case: Case, now: Moment, state: Situation, w: int) -> float:
    """Fates of one wing's attacks of today: casualties go to the run, the number acknowledged is returned."""
    numbers, run, wing, place = case.numbers, state.run, state.wings[w], case.layout[w]
    small = observation.small_share(wing.compliance, state.fronts[place.theatre].directive)
    through = observation.dampened(numbers.penetration, small, numbers.small_penetration)
    seen = observation.dampened(numbers.observed, small, numbers.small_observed)
    acknowledged = 0.0
    for k in range(int(wing.attacks)):
        pinned = now.today.pinned_wing == w and k == 0
        fate = casualties.fate(drawn(now, place.actor, decide.FATE + k), through, numbers.lethality, seen)
        fate = casualties.pinned_fate(fate, pinned, now.today.deaths_allowed > 0)
        if fate >= casualties.ACKNOWLEDGED:
            acknowledged += 1.0
        if fate >= casualties.HIT:
            run.injured += float(poisson(drawn(now, place.actor, decide.INJURED + k), numbers.injured_mean))
        if fate == casualties.LETHAL:
            run.lethal += 1.0
            draw = drawn(now, place.actor, decide.KILLED + k)
            killed = casualties.killed(draw, numbers.tail_span, numbers.tail_power, numbers.exposure)
            run.killed += casualties.toll(killed, pinned, now.today.pinned_killed)
    return acknowledged


@step
def target_responds(case: Case, now: Moment, state: Situation) -> None:
    """The target is provoked, and answers with a limited, a leader or the announced major response, or holds back."""
    numbers, run, today = case.numbers, state.run, now.today
    for w in range(len(state.wings)):
        wing = state.wings[w]
        wing.recent = rates.remembered(wing.recent, numbers.attribution_keep, wing.attacks)
    run.provocation = target.provocation(
        run.provocation, numbers.provocation_keep, run.attacks, numbers.injured_weight, run.injured,
        numbers.killed_weight, run.killed, numbers.answer_provocation, float(run.answered),
    )  # fmt: skip
    run.quiet_days = target.quiet_days(run.quiet_days, run.acknowledged)
    able = numbers.major_able > 0.0
    major = target.major_falls(run.pending, able and today.major > 0, today.major < 0)
    run.pending = target.days_pending(run.pending, major, run.killed, numbers.major_days, numbers.major_able)
    busy = major or run.pending > 0.0
    limited = target.limited_falls(
        drawn(now, case.target, decide.LIMITED),
        target.limited_chance(numbers.response_rate, run.provocation, numbers.provocation_threshold),
        today.limited > 0, busy or today.limited < 0,
    )  # fmt: skip
    run.leader = target.leader_choice(
        drawn(now, case.target, decide.LEADER), numbers.leader_chance, run.quiet_days, numbers.quiet_days,
        busy or limited or today.leader < 0,
    )  # fmt: skip
    run.major, run.limited = major, limited
    responded = major or limited or run.leader == target.STRUCK
    run.provocation = target.relieved(run.provocation, numbers.response_relief, responded)
    run.struck_wing = -1
    if limited or run.leader == target.STRUCK:
        run.struck_wing = chosen_wing(case, now, state)


@step
def can_be_struck(case: Case, w: int) -> bool:
    """Whether the target strikes this wing at all: it attacks the target, and not at rate zero."""
    return bool(case.layout[w].on_target > 0 and case.wings[w].baseline > 0.0)


@step
def chosen_wing(case: Case, now: Moment, state: Situation) -> int:
    """The wing that a limited or leader strike hits: by blame, found by walking along the summed weights."""
    recent = 0.0
    for w in range(len(state.wings)):
        recent += state.wings[w].recent if can_be_struck(case, w) else 0.0
    attributed = target.attributed(drawn(now, case.target, decide.ATTRIBUTION), case.numbers.attribution, recent)
    total = 0.0
    for w in range(len(state.wings)):
        total += target.blame(attributed, state.wings[w].recent) if can_be_struck(case, w) else 0.0
    mark = drawn(now, case.target, decide.WHOM) * total
    passed, chosen = 0.0, -1
    for w in range(len(state.wings)):
        if can_be_struck(case, w) and passed <= mark:
            chosen = w
            passed += target.blame(attributed, state.wings[w].recent)
    return chosen


@step
def strikes_land(case: Case, now: Moment, state: Situation) -> None:
    """Strikes fall on wings, which feel them tomorrow; a response may hit the patron too."""
    numbers, run = case.numbers, state.run
    run.strikes, run.strikes_home = 0.0, 0.0
    for w in range(len(state.wings)):
        wing = state.wings[w]
        hit_by_major = run.major > 0 and can_be_struck(case, w)
        chosen = run.struck_wing == w
        wing.struck = target.strikes_on_wing(
            now.raids[w], hit_by_major, numbers.major_intensity, chosen and run.limited > 0,
            chosen and run.leader == target.STRUCK, numbers.leader_intensity,
        )  # fmt: skip
        wing.nearby = 0.0
        wing.jump = numbers.major_fear if hit_by_major else 0.0
        run.strikes += wing.struck
        run.strikes_home += wing.struck if case.layout[w].at_home else 0.0
    if run.strikes > 0.0:
        spread_in_collectives(case, state)


@step
def spread_in_collectives(case: Case, state: Situation) -> None:
    """Every wing learns of the strikes on the others of its collective."""
    state.collectives[:] = 0.0
    for w in range(len(state.wings)):
        state.collectives[case.layout[w].collective] += state.wings[w].struck
    for w in range(len(state.wings)):
        wing = state.wings[w]
        wing.nearby = target.strikes_nearby(state.collectives[case.layout[w].collective], wing.struck)


@step
def ladder_moves(case: Case, now: Moment, state: Situation) -> None:
    """The day reaches a rung; from a high one, with war feared, direct war may break out."""
    numbers, run = case.numbers, state.run
    struck = run.limited > 0 or run.leader == target.STRUCK
    rung = ladder.rung(run.attacks, run.injured, struck, run.killed, run.major > 0)
    on_patron = target.strikes_patron(struck or run.major > 0, rung, numbers.patron_strike_rung)
    run.acts = numbers.patron_strike_acts if on_patron else 0.0
    touched = ladder.highest(rung, on_patron or run.answered > 0, False)
    run.recent_rung = ladder.recent_rung(run.recent_rung, numbers.cooling, touched)
    war = False
    if run.war_risk > numbers.war_threshold:
        chance = ladder.war_chance(numbers.war_rate, run.war_risk, numbers.war_threshold, run.recent_rung)
        war = ladder.breaks_out(drawn(now, case.patron, decide.WAR), chance)
    run.war = war
    run.rung = ladder.highest(touched, False, war)


@step
def live_day(case: Case, now: Moment, state: Situation) -> None:
    """One day, in the order of `sim.rules.day.STEPS`."""
    hooks.morning(case, now, state)
    pressure = state.run.pressure
    patron_assesses(case, now, state)
    hooks.orders(case, now, state)
    mediators_press(case, now, state)
    militias_adapt(case, now, state, pressure)
    militias_attack(case, now, state, pressure)
    attacks_land(case, now, state)
    hooks.attacks(case, now, state)
    target_responds(case, now, state)
    strikes_land(case, now, state)
    ladder_moves(case, now, state)
    hooks.evening(case, now, state)


@step
def keep_state(out: Output, i: int, day: int, state: Situation) -> None:
    """Copy tonight's state into the table, record by record: copying slices would double the time to compile."""
    out.run_states[i, day] = state.run
    for k in range(len(state.fronts)):
        out.front_states[i, day, k] = state.fronts[k]
    for w in range(len(state.wings)):
        out.wing_states[i, day, w] = state.wings[w]
    for r in range(len(state.mine)):
        out.mine_states[i, day, r] = state.mine[r]


@kernel
def run_histories(table: Table, seed_low: int, seed_high: int, runs: Array, points: Array, out: Output) -> None:
    """Live the histories `runs` (N,) at the design points `points` (N,) and write what is asked of each."""
    for i in range(len(runs)):
        p = points[i]
        # Compiled, a record is an address alone: these arrays must outlive it, so what takes records of them is called.
        # Numbers are copied, for what extensions change of them is of this history alone.
        run, numbers = np.zeros(1, dtype=RUN_STATE), table.numbers[p : p + 1].copy()
        fronts = np.zeros(table.theatres.shape[1], dtype=THEATRE_STATE)
        wings = np.zeros(len(table.layout), dtype=WING_STATE)
        theatres, traits, mine = table.theatres[p].copy(), table.wings[p].copy(), table.mine[p].copy()
        begin_history(
            table, numbers, theatres, traits, run, fronts, wings, mine, seed_low, seed_high, runs[i], out, i
        )  # fmt: skip
        out.mine[i, :] = mine


@step
def begin_history(
    table: Table, numbers: Array, theatres: Array, traits: Array, run_memory: Array, fronts: Array, wings: Array,
    mine: Array, seed_low: int, seed_high: int, run: int, out: Output, i: int,
) -> None:  # fmt: skip
    """Live one history in memory that the caller holds."""
    state = Situation(run_memory[0], fronts, wings, np.zeros(len(wings)), mine)
    case = Case(numbers[0], theatres, traits, table.layout, table.patron, table.target)
    live_history(table, case, seed_low, seed_high, run, state, record_of(out, i), out, i)


@step
def live_history(
    table: Table, case: Case, seed_low: int, seed_high: int, run: int, state: Situation, record: Kept,
    out: Output, i: int,
) -> None:  # fmt: skip
    """Live the days of one history until the end or until direct war."""
    days = len(table.days)
    open_record(record)
    for day in range(days):
        now = Moment(seed_low, seed_high, run, day, table.days[day], table.fronts[day], table.raids[day])
        if day == 0:
            begin(case, now, state)
        live_day(case, now, state)
        note_day(record, state, table.layout, day, table.strikes_day, table.report_day)
        if len(out.run_states) > 0:
            keep_state(out, i, day, state)
        if state.run.war > 0:
            break
