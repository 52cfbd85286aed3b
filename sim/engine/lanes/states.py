"""The days of the two states: the patron's orders, the mediators' pressure, the target's answers, the ladder.

Each step is a few loops over the lanes of a block, `vectors` times VECTOR of them.
"""

from typing import Any

import numpy.typing as npt

from sim.engine.lanes.block import (
    VECTOR,
    Draws,
    Felt,
    FrontNotes,
    Fronts,
    LadderNumbers,
    MediatorNumbers,
    PatronNumbers,
    Places,
    Runs,
    Scratch,
    Shares,
    TargetNumbers,
)
from sim.engine.lanes.draws import draw_lanes
from sim.numbers.compiled import step, wide_loops
from sim.rules import ladder, mediator, patron, target
from sim.rules import outcomes as kept

Array = npt.NDArray[Any]


@step
def patron_assesses(
    vectors: int, seed_low: int, seed_high: int, run: int, day: int, actor: int, acts_today: float,
    numbers: PatronNumbers, war_threshold: Array, runs: Runs, scratch: Scratch, shares: Shares, draws: Draws,
) -> int:  # fmt: skip
    """The patron weighs the risk of war, changes its phase, and answers acts against itself or not.

    Lanes in which it fears enough for war to be possible. It draws only where some lane needs a draw.
    """
    wide_loops()
    restraining, provoked, fearful = 0, 0, 0
    for i in range(VECTOR * vectors):
        acts = acts_today + runs.acts[i]
        risk = patron.war_risk(
            runs.war_risk[i], numbers.war_risk_keep[i], numbers.alarm_per_strike[i], runs.strikes[i],
            numbers.alarm_per_death[i], scratch.shock[i], numbers.alarm_of_threat[i],
            1.0 if runs.pending[i] > 0.0 else 0.0, numbers.alarm_per_act[i], acts,
        )  # fmt: skip
        runs.war_risk[i] = risk
        restraining += 1 if runs.phase[i] == patron.RESTRAINING else 0
        provoked += 1 if acts > 0.0 else 0
        fearful += 1 if risk > war_threshold[i] else 0
    if restraining + provoked + fearful > 0:
        draw_lanes(vectors, seed_low, seed_high, run, day, actor, shares, draws)
    if restraining > 0:
        for i in range(VECTOR * vectors):
            scratch.release[i] = patron.release_chance(
                numbers.release_rate[i], runs.war_risk[i], numbers.alarm_threshold[i]
            )
    for i in range(VECTOR * vectors):
        phase, days = runs.phase[i], runs.phase_days[i] + 1.0
        turned = patron.next_phase(
            phase, days, runs.war_risk[i], numbers.alarm_threshold[i], numbers.deliberation_days[i],
            numbers.minimum_days[i], scratch.release[i], draws.first[i],
        )  # fmt: skip
        runs.phase_days[i] = patron.days_in_phase(days, phase, turned)
        runs.phase[i] = turned
        runs.answered[i] = 0.0
        runs.gains[i] = patron.gains(runs.ordered_attacks[i], numbers.gains_scale[i])
    if provoked > 0:
        for i in range(VECTOR * vectors):
            acts = acts_today + runs.acts[i]
            runs.answered[i] = 1.0 if patron.answers(draws.second[i], numbers.open_answer[i], acts) else 0.0
    return fearful


@step
def orders_go_out(
    vectors: int, theatre: int, day: float, stance: float, numbers: PatronNumbers, places: Places, runs: Runs,
    fronts: Fronts, notes: FrontNotes,
) -> int:  # fmt: skip
    """Yesterday's order reaches a theatre and the patron gives today's; lanes in which it is told to hold back."""
    wide_loops()
    held_back = 0
    for i in range(VECTOR * vectors):
        k = theatre + i
        directive = fronts.order[k]
        held_back += 1 if directive < 1.0 else 0
        fronts.directive[k] = directive
        notes.held[k] = kept.first_day(notes.held[k], day, directive < 1.0)
        standing = patron.standing_order(stance, numbers.directive_free[i])
        fronts.order[k] = patron.directive(runs.phase[i], standing, places.restraint[k], places.release[k])
    return held_back


@step
def mediators_press(
    vectors: int, talks: float, numbers: MediatorNumbers, gains_weight: Array, runs: Runs, felt: Felt
) -> None:
    """The mediators gather pressure; what wings feel today comes from that of yesterday."""
    wide_loops()
    for i in range(VECTOR * vectors):
        reached, pressure = VECTOR * vectors + i, runs.pressure[i]
        felt.goal[reached] = numbers.mediation_weight[i] * pressure
        felt.relief[reached] = numbers.ideology_relief[i] * pressure
        felt.restraint[reached] = numbers.mediator_restraint[i] * pressure
        felt.gains[i] = gains_weight[i] * runs.gains[i]
        runs.pressure[i] = mediator.pressure(
            pressure, numbers.pressure_keep[i], numbers.pressure_per_strike[i], runs.strikes_home[i],
            numbers.pressure_per_death[i], runs.killed[i], numbers.pressure_of_talks[i], talks,
        )  # fmt: skip


@step
def target_responds(
    vectors: int, seed_low: int, seed_high: int, run: int, day: int, actor: int, major_today: int,
    limited_today: int, leader_today: int, numbers: TargetNumbers, runs: Runs, shares: Shares, draws: Draws,
    flags: Array,
) -> int:  # fmt: skip
    """The target is provoked and answers or holds back.

    `flags` marks the lanes in which it answers, or declines a chance to; their number is returned.
    """
    wide_loops()
    draw_lanes(vectors, seed_low, seed_high, run, day, actor, shares, draws)
    answers = 0
    for i in range(VECTOR * vectors):
        provocation = target.provocation(
            runs.provocation[i], numbers.provocation_keep[i], runs.attacks[i], numbers.injured_weight[i],
            runs.injured[i], numbers.killed_weight[i], runs.killed[i], numbers.answer_provocation[i],
            runs.answered[i],
        )  # fmt: skip
        quiet = target.quiet_days(runs.quiet_days[i], runs.acknowledged[i])
        able = numbers.major_able[i] > 0.0
        major = target.major_falls(runs.pending[i], able and major_today > 0, major_today < 0)
        pending = target.days_pending(
            runs.pending[i], major, runs.killed[i], numbers.major_days[i], numbers.major_able[i]
        )
        busy = major or pending > 0.0
        likely = target.limited_chance(numbers.response_rate[i], provocation, numbers.provocation_threshold[i])
        limited = target.limited_falls(draws.first[i], likely, limited_today > 0, busy or limited_today < 0)
        leader = target.leader_choice(
            draws.second[i], numbers.leader_chance[i], quiet, numbers.quiet_days[i],
            busy or limited or leader_today < 0,
        )  # fmt: skip
        responded = major or limited or leader == target.STRUCK
        runs.provocation[i] = target.relieved(provocation, numbers.response_relief[i], responded)
        runs.quiet_days[i] = quiet
        runs.pending[i] = pending
        runs.major[i] = 1.0 if major else 0.0
        runs.limited[i] = 1.0 if limited else 0.0
        runs.leader[i] = leader
        news = 1 if responded or leader == target.DECLINED else 0
        flags[i] = news
        answers += news
    return answers


@step
def ladder_moves(
    vectors: int, fearful: int, numbers: LadderNumbers, of_target: TargetNumbers, runs: Runs, scratch: Scratch,
    draws: Draws,
) -> int:  # fmt: skip
    """The day reaches a rung, and where the patron is fearful direct war may break out; lanes in which it does."""
    wide_loops()
    for i in range(VECTOR * vectors):
        struck = runs.limited[i] > 0.0 or runs.leader[i] == target.STRUCK
        major = runs.major[i] > 0.0
        rung = ladder.rung(runs.attacks[i], runs.injured[i], struck, runs.killed[i], major)
        on_patron = target.strikes_patron(struck or major, rung, of_target.patron_strike_rung[i])
        runs.acts[i] = of_target.patron_strike_acts[i] if on_patron else 0.0
        touched = ladder.highest(rung, on_patron or runs.answered[i] > 0.0, False)
        runs.recent_rung[i] = ladder.recent_rung(runs.recent_rung[i], numbers.cooling[i], touched)
        runs.rung[i] = touched
        runs.war[i] = 0.0
    wars = 0
    if fearful > 0:
        for i in range(VECTOR * vectors):
            risk, threshold = runs.war_risk[i], numbers.war_threshold[i]
            likely = ladder.war_chance(numbers.war_rate[i], risk, threshold, runs.recent_rung[i])
            war = risk > threshold and ladder.breaks_out(draws.third[i], likely)
            runs.war[i] = 1.0 if war else 0.0
            runs.rung[i] = ladder.highest(runs.rung[i], False, war)
            wars += 1 if war and scratch.alive[i] > 0.0 else 0
    return wars
