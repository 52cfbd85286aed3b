"""The day of a wing in all lanes: compliance, fear, grievance and capacity, attacks, and what becomes of most of them.

`wing` and `theatre` are where the rows of this wing and its theatre start, `kept` where those start that only the state
tables need; where nobody asks for these all wings write to the same. The Poisson sampler walks the same sums as
its oracle `sim.engine.samplers.poisson`. A lane that has found its count walks on without effect, for the sums never
fall; so all lanes walk together until the last one has arrived.
"""

from typing import Any, Final

import numpy.typing as npt

from sim.engine import hooks
from sim.engine.lanes.block import (
    PACK,
    VECTOR,
    AttackNumbers,
    Draws,
    Felt,
    FrontNotes,
    Fronts,
    MilitiaNumbers,
    Places,
    Runs,
    Scratch,
    Shares,
    Traits,
    Wings,
)
from sim.engine.lanes.draws import draw_first, draw_lanes
from sim.numbers.arithmetic import ROUNDER, exp
from sim.numbers.compiled import part, step, wide_loops
from sim.rules import casualties, militia, observation, outcomes, rates, rival
from sim.rules.decisions import MAX_ATTACKS

Array = npt.NDArray[Any]

SCREENED: Final = 3
"""Attacks of a wing and day whose fates share the generator's block with its count of attacks."""
SURE: Final = 1.0
"""Lethality for screening: whatever gets through needs a closer look."""
TERMS: Final = 4
"""Terms of the sampler's sum that are added between two looks at whether any lane needs more."""


@step
def timeline_turns(
    vectors: int, wing: int, theatre: int, intensity: float, surge: float, supply: float, traits: Traits,
    places: Places,
) -> None:  # fmt: skip
    """Products that hold until the timeline changes: baseline rate times gate and surge, capacity rebuilt a day."""
    wide_loops()
    for i in range(VECTOR * vectors):
        gate = rival.war_gate(places.gate[theatre + i], intensity)
        traits.push[wing + i] = traits.baseline[wing + i] * gate * surge
        places.rebuilt[theatre + i] = places.rebuild[theatre + i] * supply


@part
def militias_adapt(
    vectors: int, wing: int, theatre: int, reached: int, kept: int, day: float, ordered: bool, obeyed: bool,
    touched: bool, numbers: MilitiaNumbers, traits: Traits, places: Places, fronts: Fronts, felt: Felt, wings: Wings,
    notes: FrontNotes, scratch: Scratch, lags: Array,
) -> None:  # fmt: skip
    """The wing complies, fears, resents, rebuilds and sets its rate; products come ready, with a weight of 1.

    `reached` is where the mediators' pressure on this wing starts. The flags tell whether in some lane the wing is told
    to hold back, ever was, and ever felt a strike: what is left out then is exactly 0, or a factor of exactly 1. Where
    it is told to hold back, the days are noted until it complies. Without strikes fear and grievance do nothing but
    fade, and what is below its ceiling stays there; what strikes made of both was found out when they fell.
    """
    wide_loops()
    if ordered:
        for i in range(VECTOR * vectors):
            w, m, directive = wing + i, reached + i, fronts.directive[theatre + i]
            goal = militia.compliance_goal(traits.held[w], 1.0, felt.goal[m], 1.0, felt.gains[i])
            speed = militia.compliance_speed(traits.pace[w], traits.ideology[w], 1.0, felt.relief[m])
            compliance = militia.compliance(wings.compliance[w], directive, goal, speed, numbers.relax_rate[i])
            complies = scratch.alive[i] > 0.0 and directive < 1.0 and compliance >= outcomes.COMPLIANT
            lags[w] = outcomes.first_day(lags[w], day - notes.held[theatre + i], complies)
            wings.compliance[w] = compliance
    elif obeyed:
        for i in range(VECTOR * vectors):
            w = wing + i
            wings.compliance[w] = militia.compliance(wings.compliance[w], 1.0, 0.0, 0.0, numbers.relax_rate[i])
    if touched:
        for i in range(VECTOR * vectors):
            w = wing + i
            shaken = wings.feared[w] >= 0.0
            fear = rates.remembered(wings.fear[w], numbers.fear_keep[i], 0.0)
            fear = wings.feared[w] if shaken else fear
            grievance = rates.remembered(wings.grievance[w], numbers.grievance_keep[i], 0.0)
            grievance = wings.resented[w] if shaken else grievance
            capacity = militia.capacity(
                wings.capacity[w], places.rebuilt[theatre + i], wings.left[w], traits.wear[w], wings.attacks[w]
            )
            order = militia.effective_order(fronts.directive[theatre + i], 1.0, felt.restraint[reached + i])
            wings.rate[kept + i] = militia.attack_rate(
                traits.push[w], 1.0, 1.0, capacity, grievance, fear, wings.compliance[w], order
            )
            wings.fear[w], wings.grievance[w], wings.capacity[w] = fear, grievance, capacity
    else:
        for i in range(VECTOR * vectors):
            w = wing + i
            capacity = militia.capacity(
                wings.capacity[w], places.rebuilt[theatre + i], 1.0, traits.wear[w], wings.attacks[w]
            )
            order = militia.effective_order(fronts.directive[theatre + i], 1.0, felt.restraint[reached + i])
            wings.rate[kept + i] = militia.attack_rate(
                traits.push[w], 1.0, 1.0, capacity, 0.0, 0.0, wings.compliance[w], order
            )
            wings.capacity[w] = capacity


@part
def counted_on(
    draw: float, mean: float, done: int, count: float, term: float, reached: float
) -> tuple[float, float, float]:
    """The sampler's sum some terms further: the count so far, the last term and the sum.

    A function of its own, for a loop variable that outlives its turn would have the first lane taken apart from the
    others, and these start between two vectors then.
    """
    for k in range(TERMS):
        count += (1.0 if done + k < MAX_ATTACKS else 0.0) if draw >= reached else 0.0
        term = term * (mean * (1.0 / (done + k + 1)))
        reached = reached + term
    return count, term, reached


@part
def militias_attack(
    vectors: int, wing: int, kept: int, on_target: bool, pinned: bool, seed_low: int, seed_high: int, run: int,
    day: int, actor: int, wings: Wings, scratch: Scratch, shares: Shares, draws: Draws,
) -> None:  # fmt: skip
    """The wing attacks at its rate of today; a pinned attack takes place whatever the draw."""
    wide_loops()
    if on_target:
        draw_lanes(vectors, seed_low, seed_high, run, day, actor, shares, draws)
    else:
        draw_first(vectors, seed_low, seed_high, run, day, actor, shares, draws)
    more = 0
    for i in range(VECTOR * vectors):
        none = exp(-wings.rate[kept + i])
        count, term, reached = counted_on(draws.first[i], wings.rate[kept + i], 0, 0.0, none, none)
        wings.attacks[wing + i], scratch.term[i], scratch.reached[i] = count, term, reached
        more += 1 if draws.first[i] >= reached else 0
    done = TERMS
    while more > 0 and done < MAX_ATTACKS:
        more = 0
        for i in range(VECTOR * vectors):
            count, term, reached = counted_on(
                draws.first[i], wings.rate[kept + i], done, wings.attacks[wing + i], scratch.term[i], scratch.reached[i]
            )
            wings.attacks[wing + i], scratch.term[i], scratch.reached[i] = count, term, reached
            more += 1 if draws.first[i] >= reached else 0
        done += TERMS
    if pinned or hooks.PLAIN:
        for i in range(VECTOR * vectors):
            wings.attacks[wing + i] = militia.attacks_made(wings.attacks[wing + i], pinned and scratch.alive[i] > 0.0)


@part
def attacks_land(
    vectors: int, wing: int, theatre: int, kept: int, counted: int, ordered: bool, pinned: bool,
    numbers: AttackNumbers, attribution_keep: Array, fronts: Fronts, wings: Wings, notes: FrontNotes, counts: Array,
    draws: Draws, flags: Array,
) -> int:  # fmt: skip
    """Fates of the first attacks of a wing that attacks the target; `flags` marks the lanes that need a closer look.

    Those are lanes with more attacks than were screened, with a pinned one, or with one that got through; their number
    is returned. An attack that does not take place has a draw of 1: nobody sees it. `counted` is where the counts of
    this window start.
    """
    wide_loops()
    marked = 0
    for i in range(VECTOR * vectors):
        attacks, through, seen = wings.attacks[wing + i], numbers.penetration[i], numbers.observed[i]
        if ordered:
            small = observation.small_share(wings.compliance[wing + i], fronts.directive[theatre + i])
            through = observation.dampened(through, small, numbers.small_penetration[i])
            seen = observation.dampened(seen, small, numbers.small_observed[i])
        first = draws.second[i] if attacks > 0.0 else 1.0
        second = draws.third[i] if attacks > 1.0 else 1.0
        third = draws.fourth[i] if attacks > 2.0 else 1.0
        noticed = max(seen, through)
        acknowledged = 1.0 if first < noticed else 0.0
        acknowledged += 1.0 if second < noticed else 0.0
        acknowledged += 1.0 if third < noticed else 0.0
        lowest = min(first, min(second, third))
        hit = casualties.fate(lowest, through, SURE, seen) >= casualties.HIT
        closer = 1 if hit or attacks > SCREENED else 0
        flags[i] = closer
        marked += closer
        wings.acknowledged[kept + i] = acknowledged
        wings.recent[wing + i] = rates.remembered(wings.recent[wing + i], attribution_keep[i], attacks)
        pair = attacks * PACK + acknowledged
        counts[counted + i] += pair
        notes.today[theatre + i] += pair
    if pinned or hooks.PLAIN:
        marked = 0
        for i in range(VECTOR * vectors):
            flags[i] = 1 if wings.attacks[wing + i] > 0.0 else 0
            marked += flags[i]
    return marked


@part
def attacks_elsewhere(
    vectors: int, wing: int, theatre: int, kept: int, counted: int, remembers: bool, attribution_keep: Array,
    wings: Wings, notes: FrontNotes, counts: Array,
) -> None:  # fmt: skip
    """Attacks of a wing on others than the target: all are seen, and the target remembers none of them.

    That memory is part of the state all the same; `remembers` tells that somebody asks for it.
    """
    wide_loops()
    for i in range(VECTOR * vectors):
        pair = wings.attacks[wing + i] * (PACK + 1.0)
        counts[counted + i] += pair
        notes.today[theatre + i] += pair
    if remembers:
        for i in range(VECTOR * vectors):
            attacks = wings.attacks[wing + i]
            wings.acknowledged[kept + i] = attacks
            wings.recent[wing + i] = rates.remembered(wings.recent[wing + i], attribution_keep[i], attacks)


@step
def day_begins(vectors: int, runs: Runs, scratch: Scratch) -> None:
    """No attack has landed yet today, and the patron has taken in the shock of yesterday."""
    wide_loops()
    for i in range(VECTOR * vectors):
        runs.attacks[i], runs.acknowledged[i] = 0.0, 0.0
        runs.injured[i], runs.killed[i], runs.lethal[i] = 0.0, 0.0, 0.0
        scratch.shock[i] = 0.0


@step
def attacks_are_summed(
    vectors: int, theatre: int, on_target: bool, fronts: Fronts, runs: Runs, notes: FrontNotes
) -> None:
    """Attacks of the day in a theatre join those of the week and, where they hit the target, of the run."""
    wide_loops()
    for i in range(VECTOR * vectors):
        k = theatre + i
        attacks = (notes.today[k] * (1.0 / PACK) + ROUNDER) - ROUNDER
        acknowledged = notes.today[k] - attacks * PACK
        notes.today[k] = 0.0
        notes.week[k] += attacks
        if on_target:
            runs.attacks[i] += attacks
            runs.acknowledged[i] += acknowledged
            runs.ordered_attacks[i] += attacks if fronts.directive[k] >= 1.0 else 0.0


@step
def wing_lives(
    vectors: int, wing: int, theatre: int, reached: int, kept: int, counted: int, seed_low: int, seed_high: int,
    run: int, day: int, actor: int, ordered: bool, obeyed: bool, touched: bool, on_target: bool, pinned: bool,
    remembers: bool, numbers: MilitiaNumbers, of_attacks: AttackNumbers, attribution_keep: Array, traits: Traits,
    places: Places, fronts: Fronts, felt: Felt, wings: Wings, notes: FrontNotes, scratch: Scratch, shares: Shares,
    draws: Draws, counts: Array, lags: Array, flags: Array,
) -> int:  # fmt: skip
    """The day of a wing; lanes in which its attacks need a closer look."""
    wide_loops()
    if not hooks.PLAIN:
        militias_adapt(
            vectors, wing, theatre, reached, kept, float(day), ordered, obeyed, touched, numbers, traits, places,
            fronts, felt, wings, notes, scratch, lags,
        )  # fmt: skip
    militias_attack(
        vectors, wing, kept, on_target, pinned, seed_low, seed_high, run, day, actor, wings, scratch, shares, draws
    )
    marked = 0
    if on_target:
        marked = attacks_land(
            vectors, wing, theatre, kept, counted, ordered, pinned, of_attacks, attribution_keep, fronts, wings, notes,
            counts, draws, flags,
        )  # fmt: skip
    else:
        attacks_elsewhere(vectors, wing, theatre, kept, counted, remembers, attribution_keep, wings, notes, counts)
    return marked
