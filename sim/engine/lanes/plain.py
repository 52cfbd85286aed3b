"""Wings in the plainest form, for engines in which a rule was replaced or a number of the model moves.

The kernel leaves out work and takes products ahead, which is right for the rules as they are. Here each rule is applied
to each wing with all its arguments, as the oracle does.
"""

from typing import Any

from sim.engine.lanes.block import (
    MARKS,
    FrontNotes,
    Fronts,
    MediatorNumbers,
    Memory,
    MilitiaNumbers,
    PatronNumbers,
    Places,
    Runs,
    Scratch,
    Traits,
    Wings,
)
from sim.numbers.compiled import step
from sim.numbers.rows import flat, rows_of
from sim.rules import militia, outcomes, rival


@step
def militias_adapt(world: Any, memory: Memory, day: int) -> None:
    """Every wing complies, fears, resents, rebuilds and sets its rate; orders are out, mediators press later."""
    of_patron = rows_of(PatronNumbers, memory.numbers[MARKS[0] : MARKS[1]])
    numbers = rows_of(MilitiaNumbers, memory.numbers[MARKS[1] : MARKS[2]])
    mediators = rows_of(MediatorNumbers, memory.numbers[MARKS[3] : MARKS[4]])
    places, traits = rows_of(Places, memory.places), rows_of(Traits, memory.traits)
    runs, fronts, wings = rows_of(Runs, memory.runs), rows_of(Fronts, memory.fronts), rows_of(Wings, memory.wings)
    scratch, notes, lags = rows_of(Scratch, memory.scratch), rows_of(FrontNotes, memory.front_notes), flat(memory.lags)
    lanes, layout = len(memory.run), world.layout
    for place in range(len(layout)):
        k = layout[place].theatre
        front, mediated = world.fronts[day, k], layout[place].mediated > 0
        for i in range(lanes):
            w, t = place * lanes + i, k * lanes + i
            directive, pressure = fronts.directive[t], runs.pressure[i] if mediated else 0.0
            goal = militia.compliance_goal(
                traits.held[w], mediators.mediation_weight[i], pressure, of_patron.gains_weight[i], runs.gains[i]
            )
            speed = militia.compliance_speed(traits.pace[w], traits.ideology[w], mediators.ideology_relief[i], pressure)
            compliance = militia.compliance(wings.compliance[w], directive, goal, speed, numbers.relax_rate[i])
            fear = militia.fear(
                wings.fear[w], numbers.fear_keep[i], numbers.fear_own[i], wings.struck[w], numbers.fear_other[i],
                wings.nearby[w], wings.jump[w],
            )  # fmt: skip
            grievance = militia.grievance(
                wings.grievance[w], numbers.grievance_keep[i], numbers.grievance_own[i], wings.struck[w],
                numbers.grievance_other[i], wings.nearby[w], numbers.grievance_max[i],
            )  # fmt: skip
            left = militia.survival(numbers.damage[i], wings.struck[w]) if wings.struck[w] > 0.0 else 1.0
            rebuild = places.rebuild[t] * front.supply
            capacity = militia.capacity(wings.capacity[w], rebuild, left, traits.wear[w], wings.attacks[w])
            order = militia.effective_order(directive, mediators.mediator_restraint[i], pressure)
            gate = rival.war_gate(places.gate[t], world.days[day].intensity)
            rate = militia.attack_rate(
                traits.baseline[w], gate, front.surge, capacity, grievance, fear, compliance, order
            )
            wings.compliance[w], wings.fear[w], wings.grievance[w] = compliance, fear, grievance
            wings.capacity[w], wings.rate[w] = capacity, rate if scratch.alive[i] > 0.0 else 0.0
            complies = scratch.alive[i] > 0.0 and directive < 1.0 and compliance >= outcomes.COMPLIANT
            lags[w] = outcomes.first_day(lags[w], day - notes.held[t], complies)
