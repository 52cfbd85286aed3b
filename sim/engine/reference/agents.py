"""The agents of the reference model: the patron, the mediators, the rival and the target, and the militia wings."""

import itertools
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import mesa
import numpy.typing as npt

from sim.engine.record import WEEK
from sim.numbers.philox import own_decision
from sim.rules import decisions as decide
from sim.rules.casualties import ACKNOWLEDGED, HIT, LETHAL
from sim.rules.patron import NORMAL, RESTRAINING
from sim.rules.target import NOTHING, STRUCK

if TYPE_CHECKING:
    from sim.engine.reference.model import ReferenceModel


class _Counters(WeakKeyDictionary[Any, Iterator[int]]):
    """A counter of agents for every model that is alive."""

    def __getitem__(self, model: Any) -> Iterator[int]:
        return self.setdefault(model, itertools.count(1))


class Actor(mesa.Agent):  # type: ignore[misc]
    """An agent that decides.

    `name` is a role or the id of a wing, `number` stands for it in the addresses of chance.
    """

    # Mesa's own table of counters would keep every model alive for as long as the process.
    _ids = _Counters()

    model: "ReferenceModel"

    def __init__(self, model: "ReferenceModel", name: str, number: int = 0) -> None:
        super().__init__(model)
        self.name = name
        self.number = number
        self.rules = model.rules_of(name)

    def random_number(self, decision: int | str) -> float:
        """This actor's random number for one decision of today, one of the model's or one of your own by name."""
        model = self.model
        if isinstance(decision, str):
            decision = own_decision(decision)
        return model.uniform(model.seed_low, model.seed_high, model.run, model.day, self.number, decision)

    def limit_of(self, episode: int, decision: int) -> float:
        """Cumulative hazard at which an episode ends; in the address its number takes the place of the day."""
        model = self.model
        draw = model.uniform(model.seed_low, model.seed_high, model.run, episode, self.number, decision)
        return float(self.rules.rates.hazard_limit(draw))


def plain(records: npt.NDArray[Any]) -> list[SimpleNamespace]:
    """Records of the table as plain Python numbers: numpy's own would make rules slow, and not plain Python."""
    names = records.dtype.names or ()
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in records.tolist()]


def total(values: Iterator[float]) -> float:
    """The sum in the order given: Python's `sum` compensates rounding from 3.12 on, which changes the last bit."""
    added = 0.0
    for value in values:
        added += value
    return added


class RivalAgent(Actor):
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


class TheatreAgent(Actor):
    """A theatre: the shock to the rates of all its wings (`mechanisms.bursts`), its weight among others.

    Of the places where it finds random numbers, `number` is that of shocks, `weight_number` that of the weight.
    """

    def __init__(self, model: "ReferenceModel", name: str, index: int) -> None:
        tables = model.table.bursts, model.table.weights
        number, self.weight_number = (int(one[index]) if len(one) > 0 else 0 for one in tables)
        super().__init__(model, name, number)
        self.index = index
        self.shock, self.burst, self.weight, self.share = 0.0, 1.0, 1.0, 1.0

    def stir(self) -> None:
        """Let the shock of the day before fade, and add that of today."""
        model, numbers, militia = self.model, self.model.numbers, self.rules.militia
        place, decision = divmod(model.day, decide.DAYS_IN_PLACE)
        draw = model.uniform(model.seed_low, model.seed_high, model.run, place, self.number, decide.BURST + decision)
        innovation = numbers.burst_innovation if model.day > 0 else numbers.burst_deviation
        self.shock = militia.burst(self.shock, numbers.burst_keep, innovation, draw)
        self.burst = militia.burst_factor(self.shock, numbers.burst_deviation)

    def change_weight(self) -> None:
        """Change the weight for the week that begins today."""
        model, numbers = self.model, self.model.numbers
        place, decision = divmod(model.day // WEEK, decide.WEEKS_IN_PLACE)
        at = (model.run, place, self.weight_number, decide.WEIGHT + decision)
        deviation = numbers.share_drift if model.day > 0 else numbers.share_deviation
        draw = model.uniform(model.seed_low, model.seed_high, *at)
        self.weight = self.rules.militia.theatre_weight(self.weight, deviation, draw)

    def take_share(self, weighted: float, rates: float) -> None:
        """Take the share of the attacks that the weight gives, by the sums of all rates with weights and without."""
        self.share = self.rules.militia.share_factor(self.weight, weighted, rates)

    def campaign(self) -> float:
        """Attacks a day on the target of all its wings together."""
        return float(self.model.theatres[self.index].campaign)


class MediatorsAgent(Actor):
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


class PatronAgent(Actor):
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
        self.restraint_orders, self.release_hazard, self.release_limit = 0, 0.0, 0.0
        self.orders: list[float] = [self._standing(stance) for stance in stances]
        self.directives = self.orders

    def assess(self) -> None:
        """Weigh the risk of war after yesterday, and take fright, deliberate, hold back or let go."""
        numbers, rules, target = self.numbers, self.rules.patron, self.model.target
        acts = self.model.rival.acts + target.acts
        self.war_risk = rules.war_risk(
            self.war_risk, numbers.war_risk_keep, rules.alarm(numbers.alarm_per_strike, target.strikes),
            rules.alarm(numbers.alarm_per_death, rules.death_shock(target.killed) if target.killed > 0.0 else 0.0),
            rules.alarm(numbers.alarm_of_threat, 1.0 if target.pending > 0.0 else 0.0),
            rules.alarm(numbers.alarm_per_act, acts),
        )  # fmt: skip
        self._change_phase()
        answers = acts > 0.0 and rules.answers(self.random_number(decide.ANSWER), numbers.open_answer, acts)
        self.answered = answers or self.model.today.open_answer > 0
        self.gains = rules.gains(self.ordered_attacks, numbers.gains_scale)

    def _change_phase(self) -> None:
        numbers, rules, today = self.numbers, self.rules.patron, self.model.today
        before, days = self.phase, self.phase_days + 1.0
        released = before == RESTRAINING and self._releases(days, today.release < 0)
        turned = rules.next_phase(
            before, days, self.war_risk, numbers.alarm_threshold, numbers.deliberation_days, released
        )
        self.phase = rules.documented_phase(before, turned, numbers.order_able > 0.0, today.restraint_order)
        self.phase_days = rules.days_in_phase(days, before, self.phase)
        if self.phase == RESTRAINING and before != RESTRAINING:
            self.release_hazard = 0.0
            self.release_limit = self.limit_of(self.restraint_orders, decide.RELEASE)
            self.restraint_orders += 1

    def renew_release(self) -> None:
        """The last order to hold back, if there was one, gets a new limit."""
        if self.restraint_orders:
            self.release_hazard, self.release_limit = 0.0, self.limit_of(self.restraint_orders - 1, decide.RELEASE)

    def _releases(self, days: float, held: bool) -> bool:
        """Whether the order that stands is released today."""
        numbers, rules = self.numbers, self.rules.patron
        rate = rules.release_rate(
            numbers.release_rate, self.war_risk, numbers.alarm_threshold, held or days < numbers.minimum_days
        )
        self.release_hazard = self.rules.rates.cumulative_hazard(self.release_hazard, rate)
        return bool(self.rules.rates.episode_ends(self.release_hazard, self.release_limit))

    def direct(self, stances: Sequence[float]) -> None:
        """Issue orders, which the wings know from tomorrow."""
        rules, phase = self.rules.patron, self.phase
        self.directives = self.orders
        self.orders = [
            rules.directive(phase, self._standing(stance), theatre.restraint, theatre.release)
            for stance, theatre in zip(stances, self.theatres, strict=True)
        ]

    def _standing(self, stance: float) -> float:
        numbers = self.numbers
        return float(
            self.rules.patron.standing_order(
                stance, numbers.directive_free, numbers.directive_reduce, numbers.directive_stop
            )
        )

    def count(self, wings: Sequence["MilitiaWing"]) -> None:
        """Count the attacks of today on the target that followed the order to attack."""
        for wing in wings:
            if wing.on_target and self.directives[wing.theatre] >= 1.0:
                self.ordered_attacks += wing.attacks


class TargetAgent(Actor):
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
        self.provocation = self.rules.target.provocation_after_response(
            self.provocation, self.numbers.response_relief, self.major or chosen
        )
        self.struck_wing = self._choose_wing() if chosen else -1

    def _take_stock(self) -> None:
        numbers, rules, model = self.numbers, self.rules, self.model
        self.recent = [
            rules.rates.exponential_memory(recent, numbers.attribution_keep, wing.attacks)
            for recent, wing in zip(self.recent, model.wings, strict=True)
        ]
        self.provocation = rules.target.provocation(
            self.provocation, numbers.provocation_keep, self.attacks,
            rules.target.provocation_by(numbers.injured_weight, self.injured),
            rules.target.provocation_by(numbers.killed_weight, self.killed),
            rules.target.provocation_by(numbers.answer_provocation, float(model.patron.answered)),
        )  # fmt: skip
        self.quiet_days = rules.target.quiet_days(self.quiet_days, self.acknowledged)

    def _consider_major(self, today: SimpleNamespace) -> None:
        """The announced response falls when it is due; deaths announce one."""
        numbers, rules = self.numbers, self.rules.target
        forced = numbers.major_able > 0.0 and today.major > 0
        self.major = rules.major_response_occurs(self.pending, forced, today.major < 0)
        self.pending = rules.days_pending(self.pending, self.major, self.killed, numbers.major_days, numbers.major_able)

    def _consider_less(self, today: SimpleNamespace, busy: bool) -> None:
        """A limited response, or else a strike on a leader; neither while a major one is due or falls."""
        numbers, rules = self.numbers, self.rules.target
        likely = rules.limited_response_probability(
            numbers.response_rate, self.provocation, numbers.provocation_threshold, numbers.casualty_response_rate,
            self.injured + self.killed > 0.0,
        )  # fmt: skip
        self.limited = rules.limited_response_occurs(
            self.random_number(decide.LIMITED), likely, today.limited > 0, busy or today.limited < 0
        )
        self.leader = rules.leader_choice(
            self.random_number(decide.LEADER), numbers.leader_chance, self.quiet_days, numbers.quiet_days,
            busy or self.limited or today.leader < 0,
        )  # fmt: skip

    def _choose_wing(self) -> int:
        """The wing to hit, by blame among those that can be struck."""
        rules = self.rules
        wings = [wing for wing in self.model.wings if wing.strikable]
        recent = total(self.recent[wing.index] for wing in wings)
        draw = self.random_number(decide.ATTRIBUTION)
        attributed = rules.target.attribution_succeeds(draw, self.numbers.attribution, recent)
        weights = tuple(rules.target.targeting_weight(attributed, self.recent[wing.index]) for wing in wings)
        place = rules.samplers.sample_categorical(self.random_number(decide.WHOM), weights)
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


class Hit(NamedTuple):
    """What an attack that got through did, in soldiers."""

    injured: float
    lethal: bool
    killed: float


class MilitiaGroup(Actor):
    """All wings of one named actor, where groups decide to pause and to fight again (`mechanisms.pause`).

    `hazard` is the rate of turning, summed over the days of the present episode; when it reaches `limit`, which one
    random number decides, the episode ends. Episode 0 is one of fighting.
    """

    def __init__(self, model: "ReferenceModel", name: str, number: int, wings: Sequence["MilitiaWing"]) -> None:
        super().__init__(model, name, number)
        self.wings = wings
        self.paused, self.episode = False, 0
        self.begin()

    def begin(self) -> None:
        """One random number, at the address of the episode, for the whole of it."""
        self.hazard, self.limit = 0.0, self.limit_of(self.episode, decide.PAUSE)

    def decide(self) -> None:
        """Pause or fight again, as the most persuaded wing would after what happened until yesterday evening."""
        rates = [wing.resume_rate() if self.paused else wing.pause_rate() for wing in self.wings if wing.pausable]
        self.hazard = self.rules.rates.cumulative_hazard(self.hazard, max((0.0, *rates)))
        if self.rules.rates.episode_ends(self.hazard, self.limit):
            self.paused, self.episode = not self.paused, self.episode + 1
            self.begin()
        for wing in self.wings:
            wing.paused = self.paused and wing.pausable


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
        self.index, self.theatre, self.group, self.collective = index, layout.theatre, layout.group, layout.collective
        self.on_target, self.at_home, self.mediated = (
            bool(layout.on_target),
            bool(layout.at_home),
            bool(layout.mediated),
        )
        self.trait, self.place, self.numbers = trait, place, model.numbers
        self.listen()
        self.compliance = trait.held if self.directive < 1.0 else 0.0
        self.paused = False
        self.fear, self.grievance, self.capacity = 0.0, 0.0, 1.0
        self.rate, self.attacks, self.acknowledged = 0.0, 0.0, 0.0
        self.struck, self.nearby, self.jump = 0.0, 0.0, 0.0
        self.hits: list[Hit] = []

    @property
    def strikable(self) -> bool:
        """Whether the target strikes it at all."""
        return bool(self.on_target and self.trait.baseline > 0.0)

    @property
    def pausable(self) -> bool:
        """Whether it fights at all, and where the patron may ask it to hold back."""
        return bool(self.place.restraint < 1.0 and self.trait.baseline > 0.0)

    def pause_rate(self) -> float:
        """Rate at which it moves its group to pause."""
        numbers, trait = self.numbers, self.trait
        self.listen()
        conviction = self.rules.militia.conviction(
            self._order_stands(), self._goal(), numbers.fear_weight, self.fear, numbers.threat_weight,
            1.0 if self.model.target.pending > 0.0 else 0.0,
        )  # fmt: skip
        return float(
            self.rules.militia.pause_rate(
                numbers.pausing_rate, conviction, trait.ideology, numbers.ideology_relief, self.pressure
            )
        )

    def resume_rate(self) -> float:
        """Rate at which it moves its group back to fighting."""
        numbers = self.numbers
        self.listen()
        return float(
            self.rules.militia.resume_rate(
                numbers.breaking_rate, numbers.resuming_rate, self._order_stands(), numbers.reprisal_rate, self.struck,
                self.pressure,
            )
        )  # fmt: skip

    def _order_stands(self) -> bool:
        return bool(
            self.rules.militia.order_stands(self.directive, self.place.restraint, self.numbers.order_heeded > 0.0)
        )

    def _goal(self) -> float:
        numbers = self.numbers
        return float(
            self.rules.militia.compliance_goal(
                self.trait.held, numbers.mediation_weight, self.pressure, numbers.gains_weight, self.model.patron.gains
            )
        )

    def listen(self) -> None:
        """Hear what the patron and the mediators said until yesterday evening."""
        self.directive = self.model.patron.directives[self.theatre]
        self.pressure = self.model.mediators.felt if self.mediated else 0.0

    def adapt(self) -> None:
        """Comply, fear, resent and rebuild after what happened until yesterday evening."""
        self.listen()
        militia, numbers, trait, pressure = self.rules.militia, self.numbers, self.trait, self.pressure
        kept, rebuild = numbers.fear_keep, self.place.rebuild * self.model.supplies[self.theatre]
        if self.model.groups:
            stands = self._order_stands()
            kept, rebuild = militia.fear_kept(kept, stands), militia.rebuild_rate(rebuild, stands)
            self.compliance = militia.compliance_in_pause(self.paused, stands, self.directive, trait.held)
        else:
            speed = militia.compliance_speed(trait.pace, trait.ideology, numbers.ideology_relief, pressure)
            self.compliance = militia.compliance(
                self.compliance, self.directive, self._goal(), speed, numbers.relax_rate
            )
        self.fear = militia.fear(
            self.fear, kept, numbers.fear_own, self.struck, numbers.fear_other, self.nearby, self.jump
        )
        self.grievance = militia.grievance(
            self.grievance, numbers.grievance_keep, numbers.grievance_own, self.struck,
            numbers.grievance_other, self.nearby, numbers.grievance_max,
        )  # fmt: skip
        left = militia.survival(numbers.damage, self.struck) if self.struck > 0.0 else 1.0
        self.capacity = militia.capacity(self.capacity, rebuild, left, trait.wear, self.attacks)

    def attack(self) -> None:
        """Attack at the rate of today; a documented attack takes place whatever the draw."""
        militia, model = self.rules.militia, self.model
        gate, surge = model.rival.gates[self.theatre], model.surges[self.theatre]
        order = militia.effective_order(self.directive, self.numbers.mediator_restraint, self.pressure)
        self.rate = militia.attack_rate(
            self.trait.baseline, gate, surge, self.capacity, self.grievance, self.fear, self.compliance, order
        )
        if model.groups:
            least = militia.paused_attack_rate(self.trait.baseline, gate, surge, self.place.paused)
            self.rate = militia.rate_under_order(self.rate, least, self.paused, self._order_stands())
        if model.fronts and self.on_target:
            front = model.fronts[self.theatre]
            self.rate = militia.rate_in_burst(self.rate, front.burst * front.share)
        count = float(self.rules.samplers.poisson(self.random_number(decide.COUNT), self.rate))
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
        through = observation.mix_small(numbers.penetration, small, numbers.small_penetration)
        seen = observation.mix_small(numbers.observed, small, numbers.small_observed)
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
        fate = casualties.fate(self.random_number(decide.FATE + k), through, self.numbers.lethality, seen)
        return int(casualties.pinned_fate(fate, pinned, self.model.today.deaths_allowed > 0))

    def _hit(self, k: int, lethal: bool, pinned: bool) -> Hit:
        """Casualties of the k-th attack, which got through."""
        numbers, casualties = self.numbers, self.rules.casualties
        injured = float(self.rules.samplers.poisson(self.random_number(decide.INJURED + k), numbers.injured_mean))
        if not lethal:
            return Hit(injured, False, 0.0)
        draw = self.random_number(decide.KILLED + k)
        killed = casualties.number_killed(draw, numbers.tail_span, numbers.tail_power, numbers.exposure)
        return Hit(injured, True, casualties.toll(killed, pinned, self.model.today.pinned_killed))

    def take_strikes(self) -> None:
        """Note what fell on the wing today."""
        response, numbers = self.model.target, self.numbers
        by_major = response.major and self.strikable and self.model.today.major_wing in (-1, self.index)
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
