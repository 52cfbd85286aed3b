"""The day of a wing in all lanes: compliance, fear, grievance and capacity, attacks, and what becomes of most of them.

The Poisson sampler walks the same sums as `sim.rules.samplers.poisson`. A lane that has found its count walks on
without effect, for the sums never fall; so all lanes walk together until the last one has arrived.
"""

from typing import Any, Final

from sim.engine.batched.layout import (
    PACK,
    UNAFFECTED,
    Address,
    Groups,
    Lanes,
    Numbers,
    Runs,
    Theatres,
    WingPlace,
    Wings,
)
from sim.engine.batched.rng import draw_first, draw_lanes
from sim.engine.record import WEEK
from sim.numbers.arithmetic import ROUNDER, exp
from sim.numbers.compiled import part, simd_hints, step
from sim.numbers.soa import VECTOR
from sim.rules import casualties, outcomes, rates
from sim.rules.decisions import DAYS_IN_PLACE, MAX_ATTACKS, WEEKS_IN_PLACE

SCREENED: Final = 3
"""Attacks of a wing and day whose fates share the generator's block with its count of attacks."""
SURE: Final = 1.0
"""Lethality for screening: whatever gets through needs a closer look."""
TERMS: Final = 4
"""Terms of the sampler's sum that are added between two looks at whether any lane needs more."""


@part
def weight(number: float, lanes: Lanes) -> float:
    """A weight as rules get it: 1 where products with it come ready, itself where rules or numbers may be a user's."""
    return number if lanes.rules.plain else 1.0


@part
def product(number: float, value: float, lanes: Lanes) -> float:
    """What a rule gets with that weight: the product that is ready, or the value."""
    return value if lanes.rules.plain else number * value


@step
def update_timeline_products(at: WingPlace, supply: float, theatres: Theatres, wings: Wings, lanes: Lanes) -> None:
    """Products that hold until the timeline changes: baseline rate times gate and surge, capacity rebuilt a day."""
    simd_hints()
    rules = lanes.rules
    for i in range(VECTOR * lanes.vectors):
        gate = rules.rival.war_gate(theatres.numbers.gate[at.theatre + i], at.intensity)
        wings.push[at.wing + i] = wings.numbers.baseline[at.wing + i] * gate * at.surge
        theatres.rebuilt[at.theatre + i] = theatres.numbers.rebuild[at.theatre + i] * supply


@part
def comply_as_group(
    at: WingPlace, day: float, numbers: Numbers, theatres: Theatres, wings: Wings, groups: Groups, lanes: Lanes
) -> None:
    """The wing complies as its group decided. Ordered to hold back, it is timed until it complies.

    It pauses with its group where it fights at all, and where it may be asked to hold back.
    """
    simd_hints()
    rules = lanes.rules
    if at.ordered or rules.plain:
        for i in range(VECTOR * lanes.vectors):
            w, directive, restraint = at.wing + i, theatres.state.directive[at.theatre + i], theatres.numbers.restraint
            pauses = pauses_with_group(at, i, theatres, wings, groups)
            stands = rules.militia.order_stands(
                directive, restraint[at.theatre + i], numbers.militia.order_heeded[i] > 0.0
            )
            compliance = rules.militia.compliance_in_pause(pauses, stands, directive, wings.numbers.held[w])
            complies = lanes.scratch.alive[i] > 0.0 and directive < 1.0 and compliance >= outcomes.COMPLIANT
            wings.lags[w] = outcomes.first_day(wings.lags[w], day - theatres.notes.held[at.theatre + i], complies)
            lanes.scratch.paused[i], lanes.scratch.stands[i] = 1.0 if pauses else 0.0, 1.0 if stands else 0.0
            wings.state.compliance[w] = compliance
    else:
        for i in range(VECTOR * lanes.vectors):
            pauses = pauses_with_group(at, i, theatres, wings, groups)
            lanes.scratch.paused[i] = 1.0 if pauses else 0.0
            wings.state.compliance[at.wing + i] = rules.militia.compliance_in_pause(pauses, False, 1.0, 0.0)


@part
def pauses_with_group(at: WingPlace, i: int, theatres: Theatres, wings: Wings, groups: Groups) -> bool:
    """Whether the wing pauses in lane i: its group does, it fights at all, and it may be asked to hold back."""
    asked = theatres.numbers.restraint[at.theatre + i] < 1.0 and wings.numbers.baseline[at.wing + i] > 0.0
    return bool(asked and groups.state.paused[at.group + i] > 0.0)


@part
def comply(at: WingPlace, day: float, numbers: Numbers, theatres: Theatres, wings: Wings, lanes: Lanes) -> None:
    """The wing approaches its orders, or relaxes. Ordered to hold back, it is timed until it complies."""
    simd_hints()
    rules = lanes.rules
    own, felt, relax, compliances = wings.numbers, lanes.felt, numbers.militia.relax_rate, wings.state.compliance
    if at.ordered or rules.plain:
        for i in range(VECTOR * lanes.vectors):
            w, m, directive = at.wing + i, at.reached + i, theatres.state.directive[at.theatre + i]
            goal = rules.militia.compliance_goal(
                own.held[w], weight(numbers.mediators.mediation_weight[i], lanes), felt.goal[m],
                weight(numbers.patron.gains_weight[i], lanes), felt.gains[i],
            )  # fmt: skip
            relief = weight(numbers.mediators.ideology_relief[i], lanes)
            speed = rules.militia.compliance_speed(own.pace[w], own.ideology[w], relief, felt.relief[m])
            compliance = rules.militia.compliance(compliances[w], directive, goal, speed, relax[i])
            complies = lanes.scratch.alive[i] > 0.0 and directive < 1.0 and compliance >= outcomes.COMPLIANT
            wings.lags[w] = outcomes.first_day(wings.lags[w], day - theatres.notes.held[at.theatre + i], complies)
            compliances[w] = compliance
    else:
        for i in range(VECTOR * lanes.vectors):
            w = at.wing + i
            compliances[w] = rules.militia.compliance(compliances[w], 1.0, 0.0, 0.0, relax[i])


@part
def order_stands(at: WingPlace, i: int, lanes: Lanes) -> bool:
    """Whether the order to hold back stands for the wing whose turn it is in lane i, where groups decide to pause."""
    stands = False
    if lanes.rules.pauses and (at.ordered or lanes.rules.plain):
        stands = lanes.scratch.stands[i] > 0.0
    return stands


@part
def fear_and_resent(at: WingPlace, i: int, numbers: Any, wings: Wings, lanes: Lanes) -> tuple[float, float, float]:
    """Fear and grievance of a wing in lane i, and the share of its capacity that yesterday's strikes left.

    Without strikes grievance does nothing but fade; what strikes made of it was found out when they fell.
    """
    rules = lanes.rules
    state, effects, w = wings.state, wings.effects, at.wing + i
    struck, nearby, kept = state.struck[w], state.nearby[w], numbers.fear_keep[i]
    if rules.pauses:
        kept = rules.militia.fear_kept(kept, order_stands(at, i, lanes))
    fear = rules.militia.fear(
        state.fear[w], kept, numbers.fear_own[i], struck, numbers.fear_other[i], nearby, state.jump[w]
    )
    if rules.plain:
        grievance = rules.militia.grievance(
            state.grievance[w], numbers.grievance_keep[i], numbers.grievance_own[i], struck, numbers.grievance_other[i],
            nearby, numbers.grievance_max[i],
        )  # fmt: skip
        left = rules.militia.survival(numbers.damage[i], struck) if struck > 0.0 else 1.0
    else:
        left = effects.left[w]
        grievance = rates.exponential_memory(state.grievance[w], numbers.grievance_keep[i], 0.0)
        grievance = effects.resented[w] if effects.resented[w] != UNAFFECTED else grievance
    return fear, grievance, left


@part
def rebuild_and_plan(
    at: WingPlace, i: int, felt: tuple[float, float, float], numbers: Numbers, theatres: Theatres, wings: Wings,
    lanes: Lanes,
) -> None:  # fmt: skip
    """The wing rebuilds its capacity and sets its rate in lane i, with the fear, grievance and capacity left to it."""
    rules = lanes.rules
    state, own, w, k = wings.state, wings.numbers, at.wing + i, at.theatre + i
    fear, grievance, left = felt
    rebuilt, stands = theatres.rebuilt[k], order_stands(at, i, lanes)
    if rules.pauses:
        rebuilt = rules.militia.rebuild_rate(rebuilt, stands)
    capacity = rules.militia.capacity(state.capacity[w], rebuilt, left, own.wear[w], state.attacks[w])
    restraint = weight(numbers.mediators.mediator_restraint[i], lanes)
    order = rules.militia.effective_order(theatres.state.directive[k], restraint, lanes.felt.restraint[at.reached + i])
    if rules.plain:
        gate = rules.rival.war_gate(theatres.numbers.gate[k], at.intensity)
        rate = rules.militia.attack_rate(
            own.baseline[w], gate, at.surge, capacity, grievance, fear, state.compliance[w], order
        )
        if rules.pauses:
            least = rules.militia.paused_attack_rate(own.baseline[w], gate, at.surge, theatres.numbers.paused[k])
            rate = rules.militia.rate_under_order(rate, least, lanes.scratch.paused[i] > 0.0, stands)
        rate = rate if lanes.scratch.alive[i] > 0.0 else 0.0
    else:
        rate = rules.militia.attack_rate(wings.push[w], 1.0, 1.0, capacity, grievance, fear, state.compliance[w], order)
        if rules.pauses and at.complies:
            least = rules.militia.paused_attack_rate(wings.push[w], 1.0, 1.0, theatres.numbers.paused[k])
            rate = rules.militia.rate_under_order(rate, least, lanes.scratch.paused[i] > 0.0, stands)
    if at.on_target and (rules.bursts or at.shared):
        rate = rules.militia.rate_in_burst(rate, theatres.factor[k])
    state.rate[at.kept + i] = rate
    state.capacity[w] = capacity


@part
def militias_adapt(
    at: WingPlace, day: float, numbers: Numbers, theatres: Theatres, wings: Wings, groups: Groups, lanes: Lanes
) -> None:
    """The wing complies, fears, resents, rebuilds and sets its rate.

    What the flags of its place leave out is exactly 0, or a factor of exactly 1.
    """
    simd_hints()
    rules = lanes.rules
    if at.complies or rules.plain:
        if rules.pauses:
            comply_as_group(at, day, numbers, theatres, wings, groups, lanes)
        else:
            comply(at, day, numbers, theatres, wings, lanes)
    if at.touched or rules.plain:
        for i in range(VECTOR * lanes.vectors):
            w = at.wing + i
            fear, grievance, left = fear_and_resent(at, i, numbers.militia, wings, lanes)
            wings.state.fear[w], wings.state.grievance[w] = fear, grievance
            rebuild_and_plan(at, i, (fear, grievance, left), numbers, theatres, wings, lanes)
    else:
        for i in range(VECTOR * lanes.vectors):
            rebuild_and_plan(at, i, (0.0, 0.0, 1.0), numbers, theatres, wings, lanes)


@part
def poisson_step(
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
def militias_attack(at: WingPlace, where: Address, wings: Wings, lanes: Lanes) -> None:
    """The wing attacks at its rate of today; a pinned attack takes place whatever the draw."""
    simd_hints()
    rules = lanes.rules
    state, scratch, draws = wings.state, lanes.scratch, lanes.draws.first
    if at.on_target:
        draw_lanes(lanes.vectors, where, lanes.shares, lanes.draws)
    else:
        draw_first(lanes.vectors, where, lanes.shares, lanes.draws)
    more = 0
    for i in range(VECTOR * lanes.vectors):
        none = exp(-state.rate[at.kept + i])
        count, term, reached = poisson_step(draws[i], state.rate[at.kept + i], 0, 0.0, none, none)
        state.attacks[at.wing + i], scratch.term[i], scratch.reached[i] = count, term, reached
        more += 1 if draws[i] >= reached else 0
    done = TERMS
    while more > 0 and done < MAX_ATTACKS:
        more = 0
        for i in range(VECTOR * lanes.vectors):
            count, term, reached = poisson_step(
                draws[i], state.rate[at.kept + i], done, state.attacks[at.wing + i], scratch.term[i], scratch.reached[i]
            )
            state.attacks[at.wing + i], scratch.term[i], scratch.reached[i] = count, term, reached
            more += 1 if draws[i] >= reached else 0
        done += TERMS
    if at.pinned or rules.plain:
        for i in range(VECTOR * lanes.vectors):
            pinned = at.pinned and scratch.alive[i] > 0.0
            state.attacks[at.wing + i] = rules.militia.attacks_made(state.attacks[at.wing + i], pinned)


@part
def attacks_land(at: WingPlace, of_attacks: Any, theatres: Theatres, wings: Wings, lanes: Lanes) -> int:
    """Fates of the first attacks of a wing that attacks the target; flags mark the lanes that need a closer look.

    Those are lanes with more attacks than were screened, with a pinned one, or with one that got through; their number
    is returned. An attack that does not take place has a random number of 1: it is not acknowledged.
    """
    simd_hints()
    rules = lanes.rules
    state, draws, marked = wings.state, lanes.draws, 0
    for i in range(VECTOR * lanes.vectors):
        attacks, through, seen = state.attacks[at.wing + i], of_attacks.penetration[i], of_attacks.observed[i]
        if at.ordered:
            small = rules.observation.small_share(
                state.compliance[at.wing + i], theatres.state.directive[at.theatre + i]
            )
            through = rules.observation.mix_small(through, small, of_attacks.small_penetration[i])
            seen = rules.observation.mix_small(seen, small, of_attacks.small_observed[i])
        first = draws.second[i] if attacks > 0.0 else 1.0
        second = draws.third[i] if attacks > 1.0 else 1.0
        third = draws.fourth[i] if attacks > 2.0 else 1.0
        noticed = max(seen, through)
        acknowledged = 1.0 if first < noticed else 0.0
        acknowledged += 1.0 if second < noticed else 0.0
        acknowledged += 1.0 if third < noticed else 0.0
        lowest = min(first, min(second, third))
        hit = rules.casualties.fate(lowest, through, SURE, seen) >= casualties.HIT
        closer = 1 if hit or attacks > SCREENED else 0
        lanes.flags[i] = closer
        marked += closer
        state.acknowledged[at.kept + i] = acknowledged
        state.recent[at.wing + i] = rates.exponential_memory(
            state.recent[at.wing + i], of_attacks.attribution_keep[i], attacks
        )
        pair = attacks * PACK + acknowledged
        wings.counts[at.counted + i] += pair
        theatres.notes.today[at.theatre + i] += pair
    if at.pinned or rules.plain:
        marked = 0
        for i in range(VECTOR * lanes.vectors):
            lanes.flags[i] = 1 if state.attacks[at.wing + i] > 0.0 else 0
            marked += lanes.flags[i]
    return marked


@part
def attacks_elsewhere(at: WingPlace, of_attacks: Any, theatres: Theatres, wings: Wings, lanes: Lanes) -> None:
    """Attacks of a wing on others than the target: all are seen, and the target remembers none of them.

    That memory is part of the state tables all the same.
    """
    simd_hints()
    state = wings.state
    for i in range(VECTOR * lanes.vectors):
        pair = state.attacks[at.wing + i] * (PACK + 1.0)
        wings.counts[at.counted + i] += pair
        theatres.notes.today[at.theatre + i] += pair
    if at.remembers:
        for i in range(VECTOR * lanes.vectors):
            attacks, recent = state.attacks[at.wing + i], state.recent[at.wing + i]
            state.acknowledged[at.kept + i] = attacks
            state.recent[at.wing + i] = rates.exponential_memory(recent, of_attacks.attribution_keep[i], attacks)


@step
def simulate_wing(
    at: WingPlace, where: Address, numbers: Numbers, theatres: Theatres, wings: Wings, groups: Groups, lanes: Lanes
) -> int:
    """Simulate the day of a wing; the number of lanes in which its attacks need a closer look."""
    simd_hints()
    militias_adapt(at, float(where.day), numbers, theatres, wings, groups, lanes)
    militias_attack(at, where, wings, lanes)
    return attacks_happen(at, numbers, theatres, wings, lanes)


@part
def attacks_happen(at: WingPlace, numbers: Numbers, theatres: Theatres, wings: Wings, lanes: Lanes) -> int:
    """The attacks of a wing meet their fates; the number of lanes in which they need a closer look."""
    marked = 0
    if at.on_target:
        marked = attacks_land(at, numbers.attacks, theatres, wings, lanes)
    else:
        attacks_elsewhere(at, numbers.attacks, theatres, wings, lanes)
    return marked


@part
def draw_shocks(where: Address, k: int, theatres: Theatres, lanes: Lanes) -> None:
    """The random numbers of the four days around today, for the shocks of theatre k."""
    four, size = lanes.draws, VECTOR * lanes.vectors
    there = Address(where.seed_low, where.seed_high, where.run, where.day // DAYS_IN_PLACE, where.actor)
    draw_lanes(lanes.vectors, there, lanes.shares, four)
    for i in range(size):
        at = DAYS_IN_PLACE * k * size + i
        theatres.draws[at], theatres.draws[at + size] = four.first[i], four.second[i]
        theatres.draws[at + 2 * size], theatres.draws[at + 3 * size] = four.third[i], four.fourth[i]


@step
def theatre_stirs(where: Address, k: int, anew: bool, of_militia: Any, theatres: Theatres, lanes: Lanes) -> None:
    """Theatre k has the shock of today; the random numbers of four days are found on the first of them, or anew."""
    simd_hints()
    rules, size = lanes.rules, VECTOR * lanes.vectors
    decision = where.day % DAYS_IN_PLACE
    if decision == 0 or anew:
        draw_shocks(where, k, theatres, lanes)
    for i in range(size):
        innovation = of_militia.burst_innovation[i] if where.day > 0 else of_militia.burst_deviation[i]
        draw = theatres.draws[(DAYS_IN_PLACE * k + decision) * size + i]
        shock = rules.militia.burst(theatres.state.shock[k * size + i], of_militia.burst_keep[i], innovation, draw)
        theatres.state.shock[k * size + i] = shock
        burst = rules.militia.burst_factor(shock, of_militia.burst_deviation[i])
        theatres.factor[k * size + i] = burst * theatres.share[k * size + i]


@step
def theatre_changes_weight(where: Address, k: int, numbers: Numbers, theatres: Theatres, lanes: Lanes) -> None:
    """Theatre k has the weight of the week that begins today; with it it joins the sums over theatres."""
    simd_hints()
    scratch, draws, size, week = lanes.scratch, lanes.draws, VECTOR * lanes.vectors, where.day // WEEK
    there = Address(where.seed_low, where.seed_high, where.run, week // WEEKS_IN_PLACE, where.actor)
    draw_lanes(lanes.vectors, there, lanes.shares, draws)
    place, of_militia = week % WEEKS_IN_PLACE, numbers.militia
    for i in range(size):
        at, campaign = k * size + i, theatres.numbers.campaign[k * size + i]
        lower = draws.first[i] if place == 0 else draws.second[i]
        upper = draws.third[i] if place == 2 else draws.fourth[i]
        deviation = of_militia.share_drift[i] if where.day > 0 else of_militia.share_deviation[i]
        weight = lanes.rules.militia.theatre_weight(theatres.state.weight[at], deviation, lower if place < 2 else upper)
        theatres.state.weight[at] = weight
        scratch.term[i], scratch.reached[i] = scratch.term[i] + campaign * weight, scratch.reached[i] + campaign


@step
def theatre_takes_share(k: int, theatres: Theatres, lanes: Lanes) -> None:
    """Theatre k takes the share of the attacks that its weight gives, by the sums over theatres."""
    simd_hints()
    scratch, size = lanes.scratch, VECTOR * lanes.vectors
    for i in range(size):
        weight, weighted, rates = theatres.state.weight[k * size + i], scratch.term[i], scratch.reached[i]
        share = lanes.rules.militia.share_factor(weight, weighted, rates)
        theatres.share[k * size + i] = theatres.factor[k * size + i] = share


@step
def plan_attacks(
    at: WingPlace, where: Address, numbers: Numbers, theatres: Theatres, wings: Wings, groups: Groups, lanes: Lanes
) -> None:
    """The first half of the day of a wing, where something happens before its attacks land."""
    simd_hints()
    militias_adapt(at, float(where.day), numbers, theatres, wings, groups, lanes)
    militias_attack(at, where, wings, lanes)


@step
def land_attacks(
    at: WingPlace, where: Address, numbers: Numbers, theatres: Theatres, wings: Wings, lanes: Lanes
) -> int:
    """The second half, with the random numbers of the wing drawn again: other wings drew in between."""
    simd_hints()
    if at.on_target:
        draw_lanes(lanes.vectors, where, lanes.shares, lanes.draws)
    return attacks_happen(at, numbers, theatres, wings, lanes)


@step
def reset_day(runs: Runs, lanes: Lanes) -> None:
    """No attack has landed yet today, and the patron has taken in the shock of yesterday."""
    simd_hints()
    state = runs.state
    for i in range(VECTOR * lanes.vectors):
        state.attacks[i], state.acknowledged[i] = 0.0, 0.0
        state.injured[i], state.killed[i], state.lethal[i] = 0.0, 0.0, 0.0
        lanes.scratch.shock[i] = 0.0


@step
def sum_attacks(theatre: int, on_target: bool, runs: Runs, theatres: Theatres, lanes: Lanes) -> None:
    """Attacks of the day in a theatre join those of the week and, where they hit the target, of the run."""
    simd_hints()
    state, notes = runs.state, theatres.notes
    for i in range(VECTOR * lanes.vectors):
        k = theatre + i
        attacks = (notes.today[k] * (1.0 / PACK) + ROUNDER) - ROUNDER
        acknowledged = notes.today[k] - attacks * PACK
        notes.today[k] = 0.0
        notes.week[k] += attacks
        if on_target:
            state.attacks[i] += attacks
            state.acknowledged[i] += acknowledged
            state.ordered_attacks[i] += attacks if theatres.state.directive[k] >= 1.0 else 0.0
