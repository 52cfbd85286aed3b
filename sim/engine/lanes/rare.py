"""What few lanes do on a day, one lane at a time: casualties, the choice of whom to strike, strikes."""

from typing import Any, Final

import numpy.typing as npt

from sim.engine.lanes.block import (
    UNSHAKEN,
    AttackNumbers,
    Draws,
    FrontNotes,
    Fronts,
    MilitiaNumbers,
    Runs,
    Scratch,
    Tally,
    TargetNumbers,
    Traits,
    Wings,
)
from sim.engine.lanes.record import answer_is_noted, casualties_are_noted
from sim.engine.samplers import poisson
from sim.numbers.chance import uniform
from sim.numbers.compiled import part, step
from sim.rules import casualties, militia, observation, patron, target
from sim.rules import decisions as decide

Array = npt.NDArray[Any]

SCREENED: Final = 3
"""Attacks of a wing and day whose fates share the generator's block with its count of attacks."""
EIGHT: Final = 8
"""Flags of a byte, 0 or 1, that one look at 64 bits takes in."""


@part
def marked_lanes(flags: Array, eights: Array, lanes: int, found: Array) -> int:
    """Collect the lanes whose flag is set; their number. `eights` is the memory of `flags`, eight to a number."""
    count = 0
    for j in range(lanes // EIGHT):
        if eights[j] != 0:
            for i in range(EIGHT * j, EIGHT * j + EIGHT):
                # Which of the eight it is nobody can foresee: the place is written in any case, and kept if it counts.
                found[count] = i
                count += flags[i]
    return count


@step
def casualties_fall(
    lanes: int, flags: Array, eights: Array, marked: Array, wing: int, theatre: int, kept: int, counted: int,
    seed_low: int, seed_high: int, run: Array, day: int, actor: int, pinned_wing: bool, pinned_killed: float,
    deaths_allowed: bool, numbers: AttackNumbers, fronts: Fronts, wings: Wings, runs: Runs, notes: FrontNotes,
    counts: Array, scratch: Scratch, draws: Draws, tally: Tally,
) -> None:  # fmt: skip
    """In the lanes that are flagged all attacks of a wing meet their fates again, now with their casualties."""
    for j in range(marked_lanes(flags, eights, lanes, marked)):
        i = marked[j]
        small = observation.small_share(wings.compliance[wing + i], fronts.directive[theatre + i])
        through = observation.dampened(numbers.penetration[i], small, numbers.small_penetration[i])
        seen = observation.dampened(numbers.observed[i], small, numbers.small_observed[i])
        acknowledged, injured, lethal, dead = 0.0, 0.0, 0.0, 0.0
        for n in range(int(wings.attacks[wing + i])):
            pinned = pinned_wing and n == 0
            draw = draws.second[i] if n == 0 else (draws.third[i] if n == 1 else draws.fourth[i])
            if n >= SCREENED:
                draw = uniform(seed_low, seed_high, run[i], day, actor, decide.FATE + n)
            fate = casualties.fate(draw, through, numbers.lethality[i], seen)
            fate = casualties.pinned_fate(fate, pinned, deaths_allowed)
            if fate >= casualties.ACKNOWLEDGED:
                acknowledged += 1.0
            if fate >= casualties.HIT:
                draw = uniform(seed_low, seed_high, run[i], day, actor, decide.INJURED + n)
                injured += float(poisson(draw, numbers.injured_mean[i]))
            if fate == casualties.LETHAL:
                lethal += 1.0
                draw = uniform(seed_low, seed_high, run[i], day, actor, decide.KILLED + n)
                killed = casualties.killed(draw, numbers.tail_span[i], numbers.tail_power[i], numbers.exposure[i])
                dead += casualties.toll(killed, pinned, pinned_killed)
        if injured + lethal > 0.0:
            casualties_are_noted(i, day, injured, lethal, dead, tally, runs)
        if runs.killed[i] > 0.0:
            scratch.shock[i] = patron.death_shock(runs.killed[i])
        more = acknowledged - wings.acknowledged[kept + i]
        wings.acknowledged[kept + i] = acknowledged
        counts[counted + i] += more
        notes.today[theatre + i] += more


@step
def strikes_land(
    struck: Array, before: int, flags: Array, eights: Array, answers: int, change: bool, lanes: int, layout: Array,
    raids: Array, echoes: Array, weights: Array, collectives: Array, touched: Array, numbers: TargetNumbers,
    of_wings: MilitiaNumbers, traits: Traits, wings: Wings, runs: Runs, scratch: Scratch, draws: Draws, tally: Tally,
    day: int, window: int,
) -> int:  # fmt: skip
    """Raids and answers fall on wings, which feel them tomorrow; lanes with an answer, which `struck` lists.

    `before` is that number of yesterday: those lanes go back to raids alone first. Where scheduled raids fall, or end
    (`change`), all lanes feel it; `echoes` (W,) are the raids on others of each wing's collective.
    """
    if change:
        for w in range(len(layout)):
            touched[w] |= 1 if raids[w] > 0.0 or echoes[w] > 0.0 else 0
        for i in range(lanes):
            raids_in_lane(i, lanes, layout, raids, echoes, touched, of_wings, wings, runs)
    else:
        for j in range(before):
            raids_in_lane(struck[j], lanes, layout, raids, echoes, touched, of_wings, wings, runs)
    hit = 0
    if answers > 0:
        for j in range(marked_lanes(flags, eights, lanes, struck)):
            i = struck[j]
            if scratch.alive[i] > 0.0:
                answer_is_noted(i, day, window, tally, runs)
                chooses = runs.limited[i] > 0.0 or runs.leader[i] == target.STRUCK
                if chooses:
                    runs.struck_wing[i] = chosen_wing(i, lanes, layout, weights, numbers, traits, wings, draws)
                if not chooses and runs.major[i] == 0.0:
                    continue
                struck[hit] = i
                hit += 1
                strikes_in_lane(
                    i, lanes, layout, raids, echoes, collectives, touched, numbers, of_wings, traits, wings, runs
                )
    return hit


@part
def raids_in_lane(
    i: int, lanes: int, layout: Array, raids: Array, echoes: Array, touched: Array, of_wings: MilitiaNumbers,
    wings: Wings, runs: Runs,
) -> None:  # fmt: skip
    """Nothing but today's raids falls on the wings of lane i."""
    strikes, home = 0.0, 0.0
    for w in range(len(layout)):
        strikes += raids[w]
        home += raids[w] if layout[w].at_home else 0.0
        if touched[w]:
            at = w * lanes + i
            wings.struck[at], wings.nearby[at], wings.jump[at] = raids[w], echoes[w], 0.0
            wings.left[at] = militia.survival(of_wings.damage[i], raids[w]) if raids[w] > 0.0 else 1.0
            wings.feared[at] = UNSHAKEN
            if raids[w] > 0.0 or echoes[w] > 0.0:
                shake(at, i, of_wings, wings)
    runs.strikes[i], runs.strikes_home[i], runs.struck_wing[i] = strikes, home, -1.0


@part
def shake(at: int, i: int, numbers: MilitiaNumbers, wings: Wings) -> None:
    """Tomorrow's fear and grievance of a wing in lane i, which strikes on it or near it reached today.

    They are found tonight, for the few that are struck: nothing else changes either before tomorrow.
    """
    struck, nearby = wings.struck[at], wings.nearby[at]
    wings.feared[at] = militia.fear(
        wings.fear[at], numbers.fear_keep[i], numbers.fear_own[i], struck, numbers.fear_other[i], nearby, wings.jump[at]
    )
    wings.resented[at] = militia.grievance(
        wings.grievance[at], numbers.grievance_keep[i], numbers.grievance_own[i], struck, numbers.grievance_other[i],
        nearby, numbers.grievance_max[i],
    )  # fmt: skip


@part
def chosen_wing(
    i: int, lanes: int, layout: Array, weights: Array, numbers: TargetNumbers, traits: Traits, wings: Wings,
    draws: Draws,
) -> int:  # fmt: skip
    """The wing that a limited or leader strike hits in lane i: found by walking along the summed weights.

    `weights` (W,) is scratch; a wing that the target does not strike has a weight below 0 and is passed over.
    """
    recent = 0.0
    for w in range(len(layout)):
        at = w * lanes + i
        weights[w] = wings.recent[at] if layout[w].on_target and traits.baseline[at] > 0.0 else -1.0
        recent += weights[w] if weights[w] >= 0.0 else 0.0
    attributed = target.attributed(draws.third[i], numbers.attribution[i], recent)
    total = 0.0
    for w in range(len(layout)):
        if weights[w] >= 0.0:
            weights[w] = target.blame(attributed, weights[w])
            total += weights[w]
    mark = draws.fourth[i] * total
    passed, chosen = 0.0, -1
    for w in range(len(layout)):
        if weights[w] >= 0.0 and passed <= mark:
            chosen = w
            passed += weights[w]
    return chosen


@part
def strikes_in_lane(
    i: int, lanes: int, layout: Array, raids: Array, echoes: Array, collectives: Array, touched: Array,
    numbers: TargetNumbers, of_wings: MilitiaNumbers, traits: Traits, wings: Wings, runs: Runs,
) -> None:  # fmt: skip
    """All strikes of today on the wings of lane i; where they are but the raids, the lane has them already."""
    limited, by_leader, major = runs.limited[i] > 0.0, runs.leader[i] == target.STRUCK, runs.major[i] > 0.0
    strikes, home = 0.0, 0.0
    for w in range(len(layout)):
        collectives[layout[w].collective] = 0.0
    for w in range(len(layout)):
        at, chosen = w * lanes + i, runs.struck_wing[i] == w
        by_major = major and layout[w].on_target > 0 and traits.baseline[at] > 0.0
        struck = target.strikes_on_wing(
            raids[w], by_major, numbers.major_intensity[i], chosen and limited, chosen and by_leader,
            numbers.leader_intensity[i],
        )  # fmt: skip
        strikes += struck
        home += struck if layout[w].at_home else 0.0
        collectives[layout[w].collective] += struck
        if by_major or chosen:
            touched[w] = 1
            wings.struck[at] = struck
            wings.jump[at] = of_wings.major_fear[i] if by_major else 0.0
            wings.left[at] = militia.survival(of_wings.damage[i], struck) if struck > 0.0 else 1.0
    runs.strikes[i], runs.strikes_home[i] = strikes, home
    for w in range(len(layout)):
        at, chosen = w * lanes + i, runs.struck_wing[i] == w
        own = wings.struck[at] if major or chosen else raids[w]
        nearby = target.strikes_nearby(collectives[layout[w].collective], own)
        if nearby != echoes[w]:
            touched[w] = 1
            wings.nearby[at] = nearby
        if touched[w] and (major or chosen or nearby != echoes[w]):
            shake(at, i, of_wings, wings)
