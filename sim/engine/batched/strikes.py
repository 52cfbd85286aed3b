"""What few lanes do on a day, one lane at a time: casualties, the choice of whom to strike, strikes."""

from typing import Any, Final

import numpy.typing as npt

from sim.engine.batched.layout import UNAFFECTED, Address, Block, Lanes, Numbers, Runs, Theatres, WingPlace, Wings
from sim.engine.batched.recording import record_answer, record_casualties
from sim.numbers.compiled import part, step
from sim.numbers.philox import uniform
from sim.numbers.soa import VECTOR
from sim.rules import casualties, target
from sim.rules import decisions as decide
from sim.rules.samplers import poisson

Array = npt.NDArray[Any]

SCREENED: Final = 3
"""Attacks of a wing and day whose fates share the generator's block with its count of attacks."""
EIGHT: Final = 8
"""Flags of a byte, 0 or 1, that one look at 64 bits takes in."""


@part
def marked_lanes(lanes: Lanes, found: Any) -> int:
    """Collect the lanes whose flag is set into `found` (L,); their number."""
    count = 0
    for j in range(VECTOR * lanes.vectors // EIGHT):
        if lanes.eights[j] != 0:
            for i in range(EIGHT * j, EIGHT * j + EIGHT):
                # Which of the eight it is cannot be predicted: the place is always written, and kept if it is flagged.
                found[count] = i
                count += int(lanes.flags[i])
    return count


@part
def attack_draw(i: int, n: int, where: Address, lanes: Lanes) -> float:
    """The random number of the fate of a wing's n-th attack in lane i."""
    draws = lanes.draws
    draw: float = draws.second[i] if n == 0 else (draws.third[i] if n == 1 else draws.fourth[i])
    if n >= SCREENED:
        draw = lane_draw(i, decide.FATE + n, where, lanes)
    return draw


@part
def lane_draw(i: int, decision: int, where: Address, lanes: Lanes) -> float:
    """A random number of an actor's day in lane i."""
    return uniform(where.seed_low, where.seed_high, lanes.run[i], where.day, where.actor, decision)


@step
def apply_casualties(
    at: WingPlace,
    where: Address,
    today: Any,
    of_attacks: Any,
    runs: Runs,
    theatres: Theatres,
    wings: Wings,
    lanes: Lanes,
) -> None:
    """In the lanes that are flagged all attacks of a wing meet their fates again, now with their casualties."""
    rules = lanes.rules
    for j in range(marked_lanes(lanes, lanes.marked)):
        i = lanes.marked[j]
        small = rules.observation.small_share(
            wings.state.compliance[at.wing + i], theatres.state.directive[at.theatre + i]
        )
        through = rules.observation.mix_small(of_attacks.penetration[i], small, of_attacks.small_penetration[i])
        seen = rules.observation.mix_small(of_attacks.observed[i], small, of_attacks.small_observed[i])
        acknowledged, injured, lethal, dead = 0.0, 0.0, 0.0, 0.0
        for n in range(int(wings.state.attacks[at.wing + i])):
            pinned = at.pinned and n == 0
            fate = rules.casualties.fate(attack_draw(i, n, where, lanes), through, of_attacks.lethality[i], seen)
            fate = rules.casualties.pinned_fate(fate, pinned, today.deaths_allowed > 0)
            if fate >= casualties.ACKNOWLEDGED:
                acknowledged += 1.0
            if fate >= casualties.HIT:
                injured += float(poisson(lane_draw(i, decide.INJURED + n, where, lanes), of_attacks.injured_mean[i]))
            if fate == casualties.LETHAL:
                lethal += 1.0
                draw = lane_draw(i, decide.KILLED + n, where, lanes)
                killed = rules.casualties.number_killed(
                    draw, of_attacks.tail_span[i], of_attacks.tail_power[i], of_attacks.exposure[i]
                )
                dead += rules.casualties.toll(killed, pinned, today.pinned_killed)
        if injured + lethal > 0.0:
            record_casualties(i, where.day, injured, lethal, dead, runs)
        if runs.state.killed[i] > 0.0:
            lanes.scratch.shock[i] = rules.patron.death_shock(runs.state.killed[i])
        more = acknowledged - wings.state.acknowledged[at.kept + i]
        wings.state.acknowledged[at.kept + i] = acknowledged
        wings.counts[at.counted + i] += more
        theatres.notes.today[at.theatre + i] += more


@step
def strikes_land(
    world: Any, day: int, answers: int, before: int, numbers: Numbers, runs: Runs, wings: Wings, lanes: Lanes
) -> int:
    """Raids and answers fall on wings, which feel them tomorrow; lanes with an answer, which `lanes.struck` lists.

    `before` is that number of yesterday: those lanes go back to raids alone first. Where scheduled raids fall, or end,
    all lanes feel it.
    """
    if world.raids_change[day] or lanes.rules.strikes_change:
        for w in range(len(world.layout)):
            wings.touched[w] |= 1 if world.raids[day, w] > 0.0 or world.echoes[day, w] > 0.0 else 0
            wings.touched[w] |= 1 if lanes.rules.strikes_change else 0
        for i in range(VECTOR * lanes.vectors):
            raids_in_lane(i, world, day, numbers.militia, runs, wings, lanes)
    else:
        for j in range(before):
            raids_in_lane(lanes.struck[j], world, day, numbers.militia, runs, wings, lanes)
    hit = 0
    if answers > 0:
        for j in range(marked_lanes(lanes, lanes.struck)):
            i = lanes.struck[j]
            if lanes.scratch.alive[i] > 0.0:
                record_answer(i, world, day, runs)
                chooses = runs.state.limited[i] > 0.0 or runs.state.leader[i] == target.STRUCK
                if chooses:
                    runs.state.struck_wing[i] = chosen_wing(i, world.layout, numbers.target, runs, wings, lanes)
                if not chooses and runs.state.major[i] == 0.0:
                    continue
                lanes.struck[hit] = i
                hit += 1
                strikes_in_lane(i, world, day, numbers, runs, wings, lanes)
    return hit


@step
def strikes_add_up(world: Any, block: Block) -> None:
    """The sums of today's strikes in all lanes, once a user's function has changed some."""
    runs, wings, collectives, size = (
        block.runs.state,
        block.wings.state,
        block.wings.collectives,
        VECTOR * block.lanes.vectors,
    )
    for i in range(size):
        runs.strikes[i], runs.strikes_home[i] = 0.0, 0.0
        for w in range(len(world.layout)):
            collectives[world.layout[w].collective] = 0.0
        for w in range(len(world.layout)):
            struck = wings.struck[w * size + i]
            runs.strikes[i] += struck
            runs.strikes_home[i] += struck if world.layout[w].at_home else 0.0
            collectives[world.layout[w].collective] += struck
        for w in range(len(world.layout)):
            on_collective, own = collectives[world.layout[w].collective], wings.struck[w * size + i]
            wings.nearby[w * size + i] = block.lanes.rules.target.strikes_nearby(on_collective, own)


@part
def raids_in_lane(i: int, world: Any, day: int, of_militia: Any, runs: Runs, wings: Wings, lanes: Lanes) -> None:
    """Nothing but today's raids falls on the wings of lane i."""
    rules = lanes.rules
    state, effects, strikes, home = wings.state, wings.effects, 0.0, 0.0
    for w in range(len(world.layout)):
        raid, echo = world.raids[day, w], world.echoes[day, w]
        strikes += raid
        home += raid if world.layout[w].at_home else 0.0
        if wings.touched[w]:
            at = w * VECTOR * lanes.vectors + i
            state.struck[at], state.nearby[at], state.jump[at] = raid, echo, 0.0
            effects.left[at] = rules.militia.survival(of_militia.damage[i], raid) if raid > 0.0 else 1.0
            effects.resented[at] = UNAFFECTED
            if raid > 0.0 or echo > 0.0:
                apply_strike_effects(at, i, of_militia, wings, lanes)
    runs.state.strikes[i], runs.state.strikes_home[i], runs.state.struck_wing[i] = strikes, home, -1.0


@part
def apply_strike_effects(at: int, i: int, of_militia: Any, wings: Wings, lanes: Lanes) -> None:
    """Tomorrow's grievance of a wing in lane i, which strikes on it or near it reached today.

    It is found tonight, for the few that are struck: nothing else changes it before tomorrow.
    """
    own, state = of_militia, wings.state
    wings.effects.resented[at] = lanes.rules.militia.grievance(
        state.grievance[at], own.grievance_keep[i], own.grievance_own[i], state.struck[at], own.grievance_other[i],
        state.nearby[at], own.grievance_max[i],
    )  # fmt: skip


@step
def renew_strike_effects(w: int, of_militia: Any, wings: Wings, lanes: Lanes) -> None:
    """The same in all lanes of a wing, for numbers that are new this morning."""
    size, effects = VECTOR * lanes.vectors, wings.effects
    for i in range(size if wings.touched[w] else 0):
        at = w * size + i
        struck = wings.state.struck[at]
        effects.left[at] = lanes.rules.militia.survival(of_militia.damage[i], struck) if struck > 0.0 else 1.0
        if effects.resented[at] != UNAFFECTED:
            apply_strike_effects(at, i, of_militia, wings, lanes)


@part
def chosen_wing(i: int, layout: Array, of_target: Any, runs: Runs, wings: Wings, lanes: Lanes) -> int:
    """The wing that a limited or leader strike hits in lane i: found by walking along the summed weights.

    A wing that the target does not strike has a weight below 0 and is passed over.
    """
    rules = lanes.rules
    weights, draws, recent = wings.weights, runs.target_draws, 0.0
    for w in range(len(layout)):
        at = w * VECTOR * lanes.vectors + i
        struck = layout[w].on_target and wings.numbers.baseline[at] > 0.0
        weights[w] = wings.state.recent[at] if struck else -1.0
        recent += weights[w] if weights[w] >= 0.0 else 0.0
    attributed = rules.target.attribution_succeeds(draws.third[i], of_target.attribution[i], recent)
    total = 0.0
    for w in range(len(layout)):
        if weights[w] >= 0.0:
            weights[w] = rules.target.targeting_weight(attributed, weights[w])
            total += weights[w]
    mark = draws.fourth[i] * total
    passed, chosen = 0.0, -1
    for w in range(len(layout)):
        if weights[w] >= 0.0 and passed <= mark:
            chosen = w
            passed += weights[w]
    return chosen


@part
def strikes_in_lane(i: int, world: Any, day: int, numbers: Numbers, runs: Runs, wings: Wings, lanes: Lanes) -> None:
    """All strikes of today on the wings of lane i; where they are but the raids, the lane has them already."""
    rules = lanes.rules
    layout, collectives = world.layout, wings.collectives
    state, of_target, touched, size = wings.state, numbers.target, wings.touched, VECTOR * lanes.vectors
    limited, major = runs.state.limited[i] > 0.0, runs.state.major[i] > 0.0
    by_leader, struck_wing = runs.state.leader[i] == target.STRUCK, runs.state.struck_wing[i]
    strikes, home, only = 0.0, 0.0, world.days[day].major_wing
    for w in range(len(layout)):
        collectives[layout[w].collective] = 0.0
    for w in range(len(layout)):
        at, chosen = w * size + i, struck_wing == w
        named = only < 0 or only == w
        by_major = major and named and layout[w].on_target > 0 and wings.numbers.baseline[at] > 0.0
        struck = rules.target.strikes_on_wing(
            world.raids[day, w], by_major, of_target.major_intensity[i], chosen and limited, chosen and by_leader,
            of_target.leader_intensity[i],
        )  # fmt: skip
        strikes += struck
        home += struck if layout[w].at_home else 0.0
        collectives[layout[w].collective] += struck
        if by_major or chosen:
            touched[w] = 1
            state.struck[at] = struck
            state.jump[at] = numbers.militia.major_fear[i] if by_major else 0.0
            wings.effects.left[at] = rules.militia.survival(numbers.militia.damage[i], struck) if struck > 0.0 else 1.0
    runs.state.strikes[i], runs.state.strikes_home[i] = strikes, home
    for w in range(len(layout)):
        at, chosen = w * size + i, struck_wing == w
        own = state.struck[at] if major or chosen else world.raids[day, w]
        nearby = rules.target.strikes_nearby(collectives[layout[w].collective], own)
        spreads = nearby != world.echoes[day, w]
        if spreads:
            touched[w] = 1
            state.nearby[at] = nearby
        if touched[w] and (major or chosen or spreads):
            apply_strike_effects(at, i, numbers.militia, wings, lanes)
