"""A militia wing as an agent."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.engine.reference.actors import Actor
from sim.rules import decisions as decide
from sim.rules.casualties import ACKNOWLEDGED, HIT, LETHAL
from sim.rules.target import STRUCK

if TYPE_CHECKING:
    from sim.engine.reference.model import ReferenceModel


class Hit(NamedTuple):
    """What an attack that got through did, in soldiers."""

    injured: float
    lethal: bool
    killed: float


class MilitiaWing(Actor):
    """One group in one theatre: it obeys, fears, resents, rebuilds and attacks.

    `index` is its place among the wings, `theatre` that of its theatre; `trait` holds its own numbers, `place` the
    numbers of its theatre. `struck`, `nearby` and `jump` fell on it today and are felt tomorrow.
    """

    def __init__(
        self,
        model: "ReferenceModel",
        name: str,
        index: int,
        layout: Any,
        trait: SimpleNamespace,
        place: SimpleNamespace,
    ) -> None:
        super().__init__(model, name, layout.actor)
        self.index, self.theatre, self.collective = index, layout.theatre, layout.collective
        self.on_target, self.at_home, self.mediated = (
            bool(layout.on_target),
            bool(layout.at_home),
            bool(layout.mediated),
        )
        self.trait, self.place, self.numbers = trait, place, model.numbers
        self.listen()
        self.compliance = trait.held if self.directive < 1.0 else 0.0
        self.fear, self.grievance, self.capacity = 0.0, 0.0, 1.0
        self.rate, self.attacks, self.acknowledged = 0.0, 0.0, 0.0
        self.struck, self.nearby, self.jump = 0.0, 0.0, 0.0
        self.hits: list[Hit] = []

    @property
    def strikable(self) -> bool:
        """Whether the target strikes it at all."""
        return bool(self.on_target and self.trait.baseline > 0.0)

    def listen(self) -> None:
        """Hear what the patron and the mediators said until yesterday evening."""
        self.directive = self.model.patron.directives[self.theatre]
        self.pressure = self.model.mediators.felt if self.mediated else 0.0

    def adapt(self) -> None:
        """Comply, fear, resent and rebuild after what happened until yesterday evening."""
        self.listen()
        militia, numbers, trait, pressure = self.rules.militia, self.numbers, self.trait, self.pressure
        goal = militia.compliance_goal(
            trait.held, numbers.mediation_weight, pressure, numbers.gains_weight, self.model.patron.gains
        )
        speed = militia.compliance_speed(trait.pace, trait.ideology, numbers.ideology_relief, pressure)
        self.compliance = militia.compliance(self.compliance, self.directive, goal, speed, numbers.relax_rate)
        self.fear = militia.fear(
            self.fear, numbers.fear_keep, numbers.fear_own, self.struck, numbers.fear_other, self.nearby, self.jump
        )
        self.grievance = militia.grievance(
            self.grievance, numbers.grievance_keep, numbers.grievance_own, self.struck,
            numbers.grievance_other, self.nearby, numbers.grievance_max,
        )  # fmt: skip
        left = militia.survival(numbers.damage, self.struck) if self.struck > 0.0 else 1.0
        rebuild = self.place.rebuild * self.model.supplies[self.theatre]
        self.capacity = militia.capacity(self.capacity, rebuild, left, trait.wear, self.attacks)

    def attack(self) -> None:
        """Attack at the rate of today; a documented attack takes place whatever the draw."""
        militia, model = self.rules.militia, self.model
        order = militia.effective_order(self.directive, self.numbers.mediator_restraint, self.pressure)
        self.rate = militia.attack_rate(
            self.trait.baseline, model.rival.gates[self.theatre], model.surges[self.theatre], self.capacity,
            self.grievance, self.fear, self.compliance, order,
        )  # fmt: skip
        count = float(self.rules.samplers.poisson(self.drawn(decide.COUNT), self.rate))
        self.attacks = militia.attacks_made(count, model.today.pinned_wing == self.index)

    def land(self) -> None:
        """Every attack on the target meets its fate; attacks elsewhere are all seen."""
        self.hits = []
        self.acknowledged = self.attacks
        if self.on_target and self.attacks > 0.0:
            self.acknowledged = self._meet_fates()

    def _meet_fates(self) -> float:
        """Note what gets through; the number of attacks acknowledged."""
        numbers, observation = self.numbers, self.rules.observation
        small = observation.small_share(self.compliance, self.directive)
        through = observation.dampened(numbers.penetration, small, numbers.small_penetration)
        seen = observation.dampened(numbers.observed, small, numbers.small_observed)
        acknowledged = 0.0
        for k in range(int(self.attacks)):
            pinned = self.model.today.pinned_wing == self.index and k == 0
            fate = self._fate(k, through, seen, pinned)
            if fate >= ACKNOWLEDGED:
                acknowledged += 1.0
            if fate >= HIT:
                self.hits.append(self._hit(k, fate == LETHAL, pinned))
        return acknowledged

    def _fate(self, k: int, through: float, seen: float, pinned: bool) -> int:
        """What becomes of the k-th attack."""
        casualties = self.rules.casualties
        fate = casualties.fate(self.drawn(decide.FATE + k), through, self.numbers.lethality, seen)
        return int(casualties.pinned_fate(fate, pinned, self.model.today.deaths_allowed > 0))

    def _hit(self, k: int, lethal: bool, pinned: bool) -> Hit:
        """Casualties of the k-th attack, which got through."""
        numbers, casualties = self.numbers, self.rules.casualties
        injured = float(self.rules.samplers.poisson(self.drawn(decide.INJURED + k), numbers.injured_mean))
        if not lethal:
            return Hit(injured, False, 0.0)
        draw = self.drawn(decide.KILLED + k)
        killed = casualties.killed(draw, numbers.tail_span, numbers.tail_power, numbers.exposure)
        return Hit(injured, True, casualties.toll(killed, pinned, self.model.today.pinned_killed))

    def take_strikes(self) -> None:
        """Note what fell on the wing today."""
        response, numbers = self.model.target, self.numbers
        by_major = response.major and self.strikable
        chosen = response.struck_wing == self.index
        self.struck = self.rules.target.strikes_on_wing(
            self.model.raids[self.index], by_major, numbers.major_intensity, chosen and response.limited,
            chosen and response.leader == STRUCK, numbers.leader_intensity,
        )  # fmt: skip
        self.nearby = 0.0
        self.jump = numbers.major_fear if by_major else 0.0

    def hear_of_strikes(self, on_collective: float) -> None:
        """Learn of the strikes on the other wings of the collective."""
        self.nearby = self.rules.target.strikes_nearby(on_collective, self.struck)
