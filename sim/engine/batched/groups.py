"""The decisions of groups in all lanes: to pause, and to fight again.

A group goes by its most persuaded wing. One random number, found when an episode begins, decides how long it lasts.
"""

from typing import Any

from sim.engine.batched.layout import Groups, Lanes, Numbers, Runs, Theatres, WingPlace, Wings
from sim.engine.batched.rng import episode_limit
from sim.engine.batched.strikes import marked_lanes
from sim.engine.batched.wings import weight
from sim.numbers.compiled import part, simd_hints, step
from sim.numbers.soa import VECTOR
from sim.rules import decisions as decide
from sim.rules import rates


@step
def episodes_begin(world: Any, groups: Groups, lanes: Lanes) -> None:
    """The present episode of every group, at first of fighting, counts from zero to a limit that is found now."""
    for g in range(len(world.groups)):
        for i in range(VECTOR * lanes.vectors):
            begin(i, g, world, groups, lanes)


@part
def begin(i: int, g: int, world: Any, groups: Groups, lanes: Lanes) -> None:
    """An episode of group g begins in lane i."""
    state, at = groups.state, g * VECTOR * lanes.vectors + i
    state.hazard[at] = 0.0
    state.limit[at] = episode_limit(world, lanes.run[i], int(state.episode[at]), world.groups[g], decide.PAUSE)


@step
def lanes_threatened(runs: Runs, lanes: Lanes) -> int:
    """Lanes in which a response was announced."""
    count = 0
    for i in range(VECTOR * lanes.vectors):
        count += 1 if runs.state.pending[i] > 0.0 else 0
    return count


@step
def wing_moves_group(
    at: WingPlace, numbers: Numbers, runs: Runs, theatres: Theatres, wings: Wings, groups: Groups, lanes: Lanes
) -> None:
    """The rate at which a wing would have its group turn; the highest counts."""
    simd_hints()
    rules = lanes.rules
    own, felt, of_militia = wings.numbers, lanes.felt, numbers.militia
    if at.ordered or rules.plain:
        for i in range(VECTOR * lanes.vectors):
            w, k, heeded = at.wing + i, at.theatre + i, of_militia.order_heeded[i] > 0.0
            restraint = theatres.numbers.restraint[k]
            stands = rules.militia.order_stands(theatres.state.directive[k], restraint, heeded)
            goal = rules.militia.compliance_goal(
                own.held[w], weight(numbers.mediators.mediation_weight[i], lanes), felt.goal[at.reached + i],
                weight(numbers.patron.gains_weight[i], lanes), felt.gains[i],
            )  # fmt: skip
            wing_moves_lane(at, i, (restraint, stands, goal), numbers, runs, wings, groups, lanes)
    else:
        for i in range(VECTOR * lanes.vectors):
            ask = theatres.numbers.restraint[at.theatre + i], False, 0.0
            wing_moves_lane(at, i, ask, numbers, runs, wings, groups, lanes)


@part
def wing_moves_lane(
    at: WingPlace, i: int, ask: tuple[float, bool, float], numbers: Numbers, runs: Runs, wings: Wings, groups: Groups,
    lanes: Lanes,
) -> None:  # fmt: skip
    """The same in lane i; `ask`: what its theatre is asked for in restraint, whether that stands, the goal by it."""
    rules, own, felt, of_militia = lanes.rules, wings.numbers, lanes.felt, numbers.militia
    w, m, (restraint, stands, goal) = at.wing + i, at.reached + i, ask
    conviction = rules.militia.conviction(
        stands, goal, of_militia.fear_weight[i], wings.state.fear[w], of_militia.threat_weight[i],
        1.0 if runs.state.pending[i] > 0.0 else 0.0,
    )  # fmt: skip
    pause = rules.militia.pause_rate(
        of_militia.pausing_rate[i], conviction, own.ideology[w],
        weight(numbers.mediators.ideology_relief[i], lanes), felt.relief[m],
    )  # fmt: skip
    resume = rules.militia.resume_rate(
        of_militia.breaking_rate[i], of_militia.resuming_rate[i], stands, of_militia.reprisal_rate[i],
        wings.state.struck[w], felt.pressure[m],
    )  # fmt: skip
    rate = resume if groups.state.paused[at.group + i] > 0.0 else pause
    pausable = restraint < 1.0 and own.baseline[w] > 0.0
    groups.rate[i] = rate if pausable and rate > groups.rate[i] else groups.rate[i]


@step
def episodes_end(world: Any, g: int, groups: Groups, lanes: Lanes) -> None:
    """A day is added to the episodes of group g; those that end give way to the next ones."""
    simd_hints()
    state, start, ending = groups.state, g * VECTOR * lanes.vectors, 0
    for i in range(VECTOR * lanes.vectors):
        hazard = rates.cumulative_hazard(state.hazard[start + i], groups.rate[i])
        state.hazard[start + i], groups.rate[i] = hazard, 0.0
        lanes.flags[i] = 1 if rates.episode_ends(hazard, state.limit[start + i]) else 0
        ending += lanes.flags[i]
    for j in range(marked_lanes(lanes, lanes.marked) if ending > 0 else 0):
        i = lanes.marked[j]
        state.paused[start + i] = 1.0 - state.paused[start + i]
        state.episode[start + i] += 1.0
        begin(i, g, world, groups, lanes)
