"""The patron, the mediators, the rival and the target as agents."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

from sim.engine.reference.actors import Actor, total
from sim.rules import decisions as decide
from sim.rules.patron import NORMAL, RESTRAINING
from sim.rules.target import NOTHING, STRUCK

if TYPE_CHECKING:
    from sim.engine.reference.militia import MilitiaWing
    from sim.engine.reference.model import ReferenceModel


class Rival(Actor):
    """The rival: its war is what the proxies say they fight over. The timeline speaks for it."""

    def __init__(self, model: "ReferenceModel", theatres: Sequence[SimpleNamespace]) -> None:
        super().__init__(model, "rival")
        self.theatres = theatres
        self.intensity, self.acts = 1.0, 0.0
        self.gates: list[float] = []

    def follow(self, today: SimpleNamespace) -> None:
        """Wage the war of today, act against the patron or not; wings everywhere see how far that opens the gate."""
        self.intensity, self.acts = today.intensity, today.acts
        self.gates = [self.rules.rival.war_gate(theatre.gate, self.intensity) for theatre in self.theatres]


class Mediators(Actor):
    """The mediators: they gather pressure, of which the wings feel what it was yesterday evening."""

    def __init__(self, model: "ReferenceModel") -> None:
        super().__init__(model, "mediators")
        self.numbers = model.numbers
        self.pressure = self.felt = 0.0

    def press(self, talks: float) -> None:
        """Gather pressure from strikes at home, deaths and talks."""
        numbers, target = self.numbers, self.model.target
        self.felt = self.pressure
        self.pressure = self.rules.mediator.pressure(
            self.pressure, numbers.pressure_keep, numbers.pressure_per_strike, target.strikes_home,
            numbers.pressure_per_death, target.killed, numbers.pressure_of_talks, talks,
        )  # fmt: skip


class Patron(Actor):
    """The patron: it fears war, directs its proxies and counts what its campaign gained.

    `orders` are those issued tonight, one for each theatre; `directives` those of yesterday, which the wings know.
    """

    def __init__(
        self, model: "ReferenceModel", number: int, theatres: Sequence[SimpleNamespace], stances: Sequence[float]
    ) -> None:
        super().__init__(model, "patron", number)
        self.numbers, self.theatres = model.numbers, theatres
        self.war_risk, self.phase, self.phase_days = 0.0, NORMAL, 0.0
        self.gains, self.ordered_attacks, self.answered = 0.0, 0.0, False
        self.orders: list[float] = [self._standing(stance) for stance in stances]
        self.directives = self.orders

    def assess(self) -> None:
        """Weigh the risk of war after yesterday, and take fright, deliberate, hold back or let go."""
        numbers, rules, target = self.numbers, self.rules.patron, self.model.target
        acts = self.model.rival.acts + target.acts
        self.war_risk = rules.war_risk(
            self.war_risk, numbers.war_risk_keep, numbers.alarm_per_strike, target.strikes, numbers.alarm_per_death,
            rules.death_shock(target.killed) if target.killed > 0.0 else 0.0,
            numbers.alarm_of_threat, 1.0 if target.pending > 0.0 else 0.0, numbers.alarm_per_act, acts,
        )  # fmt: skip
        self._change_phase()
        self.answered = acts > 0.0 and rules.answers(self.drawn(decide.ANSWER), numbers.open_answer, acts)
        self.gains = rules.gains(self.ordered_attacks, numbers.gains_scale)

    def _change_phase(self) -> None:
        numbers, rules = self.numbers, self.rules.patron
        before, days = self.phase, self.phase_days + 1.0
        release, draw = 0.0, 1.0
        if before == RESTRAINING:
            release = rules.release_chance(numbers.release_rate, self.war_risk, numbers.alarm_threshold)
            draw = self.drawn(decide.RELEASE)
        self.phase = rules.next_phase(
            before, days, self.war_risk, numbers.alarm_threshold, numbers.deliberation_days, numbers.minimum_days,
            release, draw,
        )  # fmt: skip
        self.phase_days = rules.days_in_phase(days, before, self.phase)

    def direct(self, stances: Sequence[float]) -> None:
        """Issue orders, which the wings know from tomorrow."""
        rules, phase = self.rules.patron, self.phase
        self.directives = self.orders
        self.orders = [
            rules.directive(phase, self._standing(stance), theatre.restraint, theatre.release)
            for stance, theatre in zip(stances, self.theatres, strict=True)
        ]

    def _standing(self, stance: float) -> float:
        return float(self.rules.patron.standing_order(stance, self.numbers.directive_free))

    def count(self, wings: Sequence["MilitiaWing"]) -> None:
        """Count the attacks of today on the target that followed the order to attack."""
        for wing in wings:
            if wing.on_target and self.directives[wing.theatre] >= 1.0:
                self.ordered_attacks += wing.attacks


class Target(Actor):
    """The target: it suffers, is provoked, and answers or holds back.

    `recent` is its fading record of each wing's attacks, `struck_wing` the place of the wing that a limited or leader
    strike of today hits (-1 for none), `acts` what it did to the patron itself today.
    """

    def __init__(self, model: "ReferenceModel", number: int, wings: int) -> None:
        super().__init__(model, "target", number)
        self.numbers = model.numbers
        self.provocation, self.pending, self.quiet_days = 0.0, 0.0, 0.0
        self.attacks, self.acknowledged = 0.0, 0.0
        self.injured, self.killed, self.lethal = 0.0, 0.0, 0.0
        self.limited, self.leader, self.major, self.struck_wing = False, NOTHING, False, -1
        self.strikes, self.strikes_home, self.acts = 0.0, 0.0, 0.0
        self.recent = [0.0] * wings

    def suffer(self, wings: Sequence["MilitiaWing"]) -> None:
        """Add up the attacks of today and what they did."""
        self.attacks, self.acknowledged = 0.0, 0.0
        self.injured, self.killed, self.lethal = 0.0, 0.0, 0.0
        for wing in wings:
            if wing.on_target:
                self.attacks += wing.attacks
                self.acknowledged += wing.acknowledged
            for hit in wing.hits:
                self.injured += hit.injured
                self.killed += hit.killed
                self.lethal += hit.lethal

    def respond(self, today: SimpleNamespace) -> None:
        """Be provoked, then strike in a major, a limited or a leader response, or hold back."""
        self._take_stock()
        self._consider_major(today)
        self._consider_less(today, busy=self.major or self.pending > 0.0)
        chosen = self.limited or self.leader == STRUCK
        self.provocation = self.rules.target.relieved(
            self.provocation, self.numbers.response_relief, self.major or chosen
        )
        self.struck_wing = self._choose_wing() if chosen else -1

    def _take_stock(self) -> None:
        numbers, rules, model = self.numbers, self.rules, self.model
        self.recent = [
            rules.rates.remembered(recent, numbers.attribution_keep, wing.attacks)
            for recent, wing in zip(self.recent, model.wings, strict=True)
        ]
        self.provocation = rules.target.provocation(
            self.provocation, numbers.provocation_keep, self.attacks, numbers.injured_weight, self.injured,
            numbers.killed_weight, self.killed, numbers.answer_provocation, float(model.patron.answered),
        )  # fmt: skip
        self.quiet_days = rules.target.quiet_days(self.quiet_days, self.acknowledged)

    def _consider_major(self, today: SimpleNamespace) -> None:
        """The announced response falls when it is due; deaths announce one."""
        numbers, rules = self.numbers, self.rules.target
        forced = numbers.major_able > 0.0 and today.major > 0
        self.major = rules.major_falls(self.pending, forced, today.major < 0)
        self.pending = rules.days_pending(self.pending, self.major, self.killed, numbers.major_days, numbers.major_able)

    def _consider_less(self, today: SimpleNamespace, busy: bool) -> None:
        """A limited response, or else a strike on a leader; neither while a major one is due or falls."""
        numbers, rules = self.numbers, self.rules.target
        likely = rules.limited_chance(numbers.response_rate, self.provocation, numbers.provocation_threshold)
        self.limited = rules.limited_falls(
            self.drawn(decide.LIMITED), likely, today.limited > 0, busy or today.limited < 0
        )
        self.leader = rules.leader_choice(
            self.drawn(decide.LEADER), numbers.leader_chance, self.quiet_days, numbers.quiet_days,
            busy or self.limited or today.leader < 0,
        )  # fmt: skip

    def _choose_wing(self) -> int:
        """The wing to hit, by blame among those that can be struck."""
        rules = self.rules
        wings = [wing for wing in self.model.wings if wing.strikable]
        recent = total(self.recent[wing.index] for wing in wings)
        attributed = rules.target.attributed(self.drawn(decide.ATTRIBUTION), self.numbers.attribution, recent)
        weights = tuple(rules.target.blame(attributed, self.recent[wing.index]) for wing in wings)
        place = rules.samplers.picked(self.drawn(decide.WHOM), weights)
        return wings[place].index if place >= 0 else -1

    def count_strikes(self, wings: Sequence["MilitiaWing"]) -> None:
        """Add up the strikes of today."""
        self.strikes, self.strikes_home = 0.0, 0.0
        for wing in wings:
            self.strikes += wing.struck
            self.strikes_home += wing.struck if wing.at_home else 0.0

    def turn_on_patron(self, rung: float) -> bool:
        """Whether today's response strikes the patron too; it feels that tomorrow."""
        responded = self.limited or self.leader == STRUCK or self.major
        on_patron = self.rules.target.strikes_patron(responded, rung, self.numbers.patron_strike_rung)
        self.acts = self.numbers.patron_strike_acts if on_patron else 0.0
        return bool(on_patron)
