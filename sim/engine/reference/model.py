"""The reference model itself: who there is, the order of the day, and what is kept."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, Self

import mesa
import numpy as np
import numpy.typing as npt

from sim.engine.inputs import LaterNumbers, ModelInputs, build_inputs
from sim.engine.record import WEEK
from sim.engine.reference.agents import (
    MediatorsAgent,
    MilitiaGroup,
    MilitiaWing,
    PatronAgent,
    RivalAgent,
    TargetAgent,
    TheatreAgent,
    plain,
    total,
)
from sim.engine.reference.extension_hooks import ExtensionHooks, rulebooks_of
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.engine.trace import RULES, Listener, Rulebook, TraceRecorder
from sim.model.hydra_config import override_of
from sim.model.parameters import shared_declarations
from sim.model.scenario import Scenario, load
from sim.model.validation import UserError, one_of
from sim.numbers.philox import DAY_LIMIT, RUN_LIMIT, compiled_uniform, split_seed, words
from sim.rules import decisions as decide
from sim.rules.patron import PHASES
from sim.rules.target import STRUCK

Records = npt.NDArray[Any]

OF_WING: Final = tuple(name for name in WING_STATE.names or () if name != "recent")
"""The target remembers how much each wing attacked; all else is the wing's own."""

_wing_row = attrgetter(*OF_WING)

MODEL_REPORTERS: Final[Mapping[str, Any]] = {
    "war_risk": lambda model: model.patron.war_risk,
    "phase": lambda model: PHASES[model.patron.phase],
    "pressure": lambda model: model.mediators.pressure,
    "provocation": lambda model: model.target.provocation,
    "attacks": lambda model: model.target.attacks,
    "acknowledged": lambda model: model.target.acknowledged,
    "killed": lambda model: model.target.killed,
    "rung": lambda model: model.rung,
}
WING_REPORTERS: Final[Mapping[str, Any]] = {
    "wing": attrgetter("name"),
    "compliance": attrgetter("compliance"),
    "fear": attrgetter("fear"),
    "grievance": attrgetter("grievance"),
    "capacity": attrgetter("capacity"),
    "attacks": attrgetter("attacks"),
}


NOTHING: Final = np.zeros((0, 0))


def mesa_seed(seed: int, run: int) -> int:
    """The seed of Mesa's generators: the words at an address that no actor uses, on a day that no calendar reaches."""
    found = words(*split_seed(seed), run, DAY_LIMIT - 1, 0, 0)
    return int.from_bytes(b"".join(word.to_bytes(4, "little") for word in found), "little")


@cache
def _composed(name: str, parameters: tuple[tuple[str, float], ...]) -> Scenario:
    """A scenario by name with some parameters changed, composed once for all histories of it."""
    overrides = (override_of(_full_key(key), value) for key, value in parameters)
    return load([f"scenario={name}", *overrides]).scenario


def _full_key(name: str) -> str:
    """The key of a parameter that is named in full, or by its last part alone where no other ends so."""
    if "." in name:
        return name
    keys = [key for key in shared_declarations() if key.endswith(f".{name}")]
    if not keys:
        last = [key.rpartition(".")[2] for key in shared_declarations()]
        raise UserError(name, "no parameter", one_of(last, name))
    if len(keys) > 1:
        raise UserError(name, "more than one parameter", f"the full key, as in **{{{keys[0]!r}: 0.5}}")
    return keys[0]


class _Collector(mesa.DataCollector):  # type: ignore[misc]
    """Mesa's collector, which of a type of agents keeps those of a type derived from it too."""

    def _record_agenttype(self, model: mesa.Model, agent_type: type[mesa.Agent]) -> Iterator[tuple[Any, ...]]:
        """One row for each agent: the day's number, the agent's, and what is reported of it."""
        reports = self.agenttype_reporters[agent_type].values()
        agents = (one for one in model.agents if isinstance(one, agent_type))
        return ((model.steps, one.unique_id, *(report(one) for report in reports)) for one in agents)


class StateTable(NamedTuple):
    """The state at the end of every day, of the run (D,), its theatres (D, K) and its wings (D, W); zero after war.

    `extras` (D, R) are the numbers of extensions.
    """

    run: Records
    fronts: Records
    wings: Records
    extras: Records = NOTHING


class ReferenceModel(mesa.Model):  # type: ignore[misc]
    """One history of a scenario, simulated by agents day by day.

    Args:
        scenario: the world to simulate, or the name of a scenario.
        seed: study seed, 0 to 2**64 - 1.
        run: number of the history, 0 to 2**48 - 1. Seed and run decide all random numbers.
        wings: by name of a wing the class, derived from `MilitiaWing`, that takes its place.
        table: the scenario as numbers, where they exist already.
        point: design point of that table.
        trace: called with every rule that is applied, with its inputs, its result and the draw in it.
        kwargs: values of parameters of a scenario that is given by name, such as `control=0.9`; in full
            `**{"patron.control": 0.9}`.

    Raises:
        ValueError: the seed or the run has no address.
        UserError: a scenario, a parameter or a wing does not exist, or a value is not allowed.

    `world` is the scenario. `datacollector` keeps numbers of the model day by day, and of every `MilitiaWing`. Wings
    take their turns in the order of `turns`, which cannot matter. Any other `mesa.Agent` that joins the model takes its
    `step` every day after the wings have attacked and before attacks land, in the order of joining. `random` and `rng`
    are Mesa's generators, seeded by seed and run; no rule of the model uses them.

    >>> class Pacifist(MilitiaWing):
    ...     def attack(self):
    ...         self.rate = self.attacks = 0.0
    >>> model = ReferenceModel("article", seed=1, run=7, control=0.9, wings={"nujaba_iraq": Pacifist})
    >>> model.simulate().wings[1].name, model.wings[1].attacks
    ('nujaba_iraq', 0.0)
    """

    def __init__(
        self,
        scenario: Scenario | str = "article",
        seed: int = 1,
        run: int = 0,
        *,
        wings: Mapping[str, type[MilitiaWing]] | None = None,
        table: ModelInputs | None = None,
        point: int = 0,
        trace: Listener | None = None,
        **kwargs: float,  # Mesa's page takes parameters under this name alone
    ) -> None:
        if not 0 <= run < RUN_LIMIT:
            raise ValueError(f"run={run}: allowed are whole numbers from 0 to {RUN_LIMIT - 1}")
        if isinstance(scenario, str):
            scenario = _composed(scenario, tuple(kwargs.items()))
        elif kwargs:
            raise UserError(next(iter(kwargs)), "a parameter", "parameters only with the name of a scenario")
        super().__init__(seed=mesa_seed(seed, run))
        self.world = scenario
        self.table = build_inputs(scenario) if table is None else table
        self.seed_low, self.seed_high = split_seed(seed)
        self.point, self.run, self.day = point, run, -1
        self._own_address = self.seed_low, self.seed_high, run
        if (past := self.table.past) is not None:
            self.seed_low, self.seed_high = split_seed(past.seed)
            self.run = int(past.runs[point])
        extended = scenario.extended or None
        self._rulebooks = {"": RULES} if extended is None else rulebooks_of(extended)
        self.recorder = None if trace is None else TraceRecorder(trace, lambda: self.day)
        self.uniform = compiled_uniform if self.recorder is None else self.recorder.uniform
        self.rules = self.rules_of("ladder")
        self.numbers = plain(self.table.numbers[point : point + 1])[0]
        self.rung, self.recent_rung, self.war = 0.0, 0.0, False
        self._read_timeline()
        self._cast(scenario, point, wings or {})
        extras = self.table.extras[point].tolist()
        self.additions = None if extended is None else ExtensionHooks(self, extended, extras)
        self._evenings: list[tuple[Any, ...]] = []
        self.datacollector = _Collector(
            model_reporters=MODEL_REPORTERS, agenttype_reporters={MilitiaWing: WING_REPORTERS}
        )

    def rules_of(self, actor: str) -> Rulebook:
        """The rules for one actor to apply."""
        rules = self._rulebooks.get(actor, self._rulebooks[""])
        return rules if self.recorder is None else self.recorder.rules_of(actor, rules)

    def _read_timeline(self) -> None:
        """The timeline as lists of plain numbers, by day and theatre or wing."""
        table = self.table
        self._days = plain(table.days)
        self._surges, self._supplies, self._stances = (
            table.fronts[name].tolist() for name in ("surge", "supply", "stance")
        )
        self._raids = table.raids.tolist()

    def _cast(self, scenario: Scenario, point: int, classes: Mapping[str, type[MilitiaWing]]) -> None:
        """Create all actors."""
        for name, one in classes.items():
            if name not in scenario.cast.wings:
                raise UserError("wings", name, one_of(scenario.cast.wings, name))
            if not issubclass(one, MilitiaWing):
                raise UserError(f"wings.{name}", one.__name__, "a class derived from MilitiaWing")
        table = self.table
        self.theatres = theatres = plain(table.theatres[point])
        self.rival = RivalAgent(self, theatres)
        stirred = scenario.cast.theatres if len(table.bursts) + len(table.weights) > 0 else ()
        self.fronts = tuple(TheatreAgent(self, name, index) for index, name in enumerate(stirred))
        self.mediators = MediatorsAgent(self)
        self.patron = PatronAgent(self, table.patron, theatres, self._stances[0])
        self.target = TargetAgent(self, table.target, len(table.layout))
        self.war_hazard, self.war_limit = 0.0, self.patron.limit_of(0, decide.WAR)
        layouts, traits = plain(table.layout), plain(table.wings[point])
        self.wings = tuple(
            classes.get(name, MilitiaWing)(self, name, index, layout, trait, theatres[layout.theatre])
            for index, (name, layout, trait) in enumerate(zip(scenario.cast.wings, layouts, traits, strict=True))
        )
        self.groups = tuple(
            MilitiaGroup(self, name, number, [one for one in self.wings if one.group == place])
            for place, (name, number) in enumerate(zip(scenario.cast.groups, table.groups.tolist(), strict=False))
        )
        self.turns = list(self.wings)
        self._run_columns = [(self.holder_of(name), name) for name in RUN_STATE.names or ()]
        self._own = frozenset(self.agents)

    def simulate(self) -> Self:
        """Simulate the history to its last day or to direct war, whichever comes first."""
        while self.running:
            self.step()
        return self

    live = simulate
    """The former name, accepted for one release."""

    def step(self) -> None:
        """One day; nothing after the last."""
        if not self.running:
            return
        self.timeline_speaks()
        self.patron_assesses()
        self.mediators_press()
        self.groups_decide()
        self.militias_adapt()
        self.militias_attack()
        self.attacks_land()
        self.target_responds()
        self.strikes_land()
        self.ladder_moves()
        self.day_is_recorded()

    def timeline_speaks(self) -> None:
        """A new day brings what comes from outside."""
        self.day = day = self.day + 1
        self.today = self._days[day]
        self.surges, self.supplies, self.raids = self._surges[day], self._supplies[day], self._raids[day]
        self.stances = self._stances[day]
        for later in self.table.later:
            if later.day == day:
                self._renew(later)
        if self.table.past is not None and day == self.table.past.day:
            self._renew_random_numbers()
        self.act("morning")
        self.rival.follow(self.today)

    def _renew(self, later: LaterNumbers) -> None:
        """Parameters take on the values of a later stage."""
        new = plain(later.numbers[self.point : self.point + 1]) + plain(later.theatres[self.point])
        new += plain(later.wings[self.point])
        holders = (self.numbers, *self.theatres, *(wing.trait for wing in self.wings))
        for numbers, values in zip(holders, new, strict=True):
            vars(numbers).update(vars(values))
        if self.additions is not None:
            self.additions.renew(later, self.point)

    def _renew_random_numbers(self) -> None:
        """From today on random numbers are those of the run itself, and what waits for a limit gets a new one."""
        self.seed_low, self.seed_high, self.run = self._own_address
        self.war_hazard, self.war_limit = 0.0, self.patron.limit_of(0, decide.WAR)
        self.patron.renew_release()
        for group in self.groups:
            group.begin()

    def act(self, moment: str) -> bool:
        """Let extensions act, where there are any; whether one did."""
        return self.additions is not None and self.additions.act(moment)

    def holder_of(self, name: str) -> Any:
        """Who holds a state of the run: an agent, or the model, which holds the ladder."""
        return next(one for one in (self.patron, self.mediators, self.target, self) if hasattr(one, name))

    def patron_assesses(self) -> None:
        """The patron weighs the risk of war and changes its orders, which wings know from tomorrow."""
        self.patron.assess()
        self.patron.direct(self._stances[self.day])

    def mediators_press(self) -> None:
        """The mediators gather pressure, which wings feel from tomorrow."""
        self.act("orders")
        self.mediators.press(self.today.talks)

    def groups_decide(self) -> None:
        """Each group decides whether it pauses, after what its wings felt until yesterday evening."""
        for group in self.groups:
            group.decide()

    def militias_adapt(self) -> None:
        """Each wing complies, fears, resents and rebuilds; the mediators' pressure is that of yesterday."""
        fronts = [one for one in self.fronts if any(w.on_target and w.theatre == one.index for w in self.wings)]
        if len(self.table.weights) > 0 and self.day % WEEK == 0:
            self._share_out(fronts)
        if len(self.table.bursts) > 0:
            for front in fronts:
                front.stir()
        for wing in self.turns:
            wing.adapt()

    def _share_out(self, fronts: Sequence[TheatreAgent]) -> None:
        """For a week, the theatres share out the attacks on the target by their weights."""
        for front in fronts:
            front.change_weight()
        rates = total(front.campaign() for front in fronts)
        weighted = total(front.campaign() * front.weight for front in fronts)
        for front in fronts:
            front.take_share(weighted, rates)

    def militias_attack(self) -> None:
        """Each wing attacks at its rate of today; a pinned attack takes place whatever the draw."""
        for wing in self.turns:
            wing.attack()
        # Agents that a user added act once the wings have attacked.
        for guest in [one for one in self.agents if one not in self._own]:
            guest.step()
        self.act("launch")

    def attacks_land(self) -> None:
        """Every attack on the target meets its fate; attacks elsewhere are all seen."""
        for wing in self.turns:
            wing.land()
        self.target.suffer(self.wings)
        self.patron.count(self.wings)

    def target_responds(self) -> None:
        """The target is provoked, and answers with a limited, a leader or the announced major response, or not."""
        self.act("attacks")
        self.target.respond(self.today)

    def strikes_land(self) -> None:
        """Strikes fall on wings, which feel them tomorrow; a response may hit the patron too."""
        for wing in self.turns:
            wing.take_strikes()
        self._strikes_add_up()
        if self.act("strikes"):
            self._strikes_add_up(changed=True)

    def _strikes_add_up(self, changed: bool = False) -> None:
        self.target.count_strikes(self.wings)
        if self.target.strikes > 0.0 or changed:
            for wing in self.turns:
                comrades = (other for other in self.wings if other.collective == wing.collective)
                wing.hear_of_strikes(total(other.struck for other in comrades))

    def ladder_moves(self) -> None:
        """The day reaches a rung; from a high one, with war feared, direct war may break out."""
        numbers, ladder, patron, target = self.numbers, self.rules.ladder, self.patron, self.target
        struck = target.limited or target.leader == STRUCK
        rung = ladder.rung(target.attacks, target.injured, struck, target.killed, target.major)
        on_patron = target.turn_on_patron(rung)
        rung = ladder.highest(rung, on_patron or patron.answered, False)
        self.recent_rung = ladder.recent_rung(self.recent_rung, numbers.cooling, rung)
        rate = ladder.war_rate(numbers.war_rate, patron.war_risk, numbers.war_threshold, self.recent_rung)
        self.war_hazard = self.rules.rates.cumulative_hazard(self.war_hazard, rate)
        self.war = self.rules.rates.episode_ends(self.war_hazard, self.war_limit)
        self.rung = ladder.highest(rung, False, self.war)

    def day_is_recorded(self) -> None:
        """The evening's state is kept; war or the end of the calendar ends the history."""
        self.act("evening")
        shocks = [front.shock for front in self.fronts] or [0.0] * len(self.theatres)
        weights = [front.weight for front in self.fronts] or [1.0] * len(self.theatres)
        fronts = (self.patron.directives, self.patron.orders, shocks, weights)
        wings = [_wing_row(wing) for wing in self.wings]
        extras = [] if self.additions is None else [*self.additions.extras]
        run = [getattr(holder, name) for holder, name in self._run_columns]
        self._evenings.append((run, fronts, wings, self.target.recent, extras))
        self.running = not self.war and self.day + 1 < len(self._days)
        self.datacollector.collect(self)

    def state_table(self) -> StateTable:
        """The state at the end of every day simulated so far, as the compiled engine keeps it."""
        days, theatres = self.table.fronts.shape
        days_done = len(self._evenings)
        table = StateTable(
            np.zeros(days, RUN_STATE),
            np.zeros((days, theatres), THEATRE_STATE),
            np.zeros((days, len(self.wings)), WING_STATE),
            np.zeros((days, self.table.extras.shape[1])),
        )
        if days_done:
            runs, fronts, wings, recent, extras = zip(*self._evenings, strict=True)
            for name, column in zip(RUN_STATE.names or (), zip(*runs, strict=True), strict=True):
                table.run[name][:days_done] = column
            for name, values in zip(THEATRE_STATE.names or (), np.array(fronts).swapaxes(0, 1), strict=True):
                table.fronts[name][:days_done] = values
            for name, values in zip(OF_WING, np.moveaxis(np.array(wings), 2, 0), strict=True):
                table.wings[name][:days_done] = values
            table.wings["recent"][:days_done] = recent
            table.extras[:days_done] = extras
        return table
