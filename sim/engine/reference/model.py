"""The reference model itself: who there is, the order of the day, and what is kept."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, Self

import mesa
import numpy as np
import numpy.typing as npt

from sim.engine.reference.actors import plain, total
from sim.engine.reference.additions import Additions, rulebook_of
from sim.engine.reference.militia import MilitiaWing
from sim.engine.reference.states import Mediators, Patron, Rival, Target
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.engine.table import Table, tabulate
from sim.engine.trace import RULES, Listener, Rulebook, Witness
from sim.numbers.chance import DAY_LIMIT, RUN_LIMIT, draw, split_seed, words
from sim.rules import decisions as decide
from sim.rules.patron import PHASES
from sim.rules.target import STRUCK
from sim.world.scenario import Scenario

Records = npt.NDArray[Any]

HOLDERS: Final = {
    "patron": "war_risk phase phase_days gains ordered_attacks answered",
    "mediators": "pressure",
    "target": "provocation pending quiet_days attacks acknowledged injured killed lethal limited leader major"
    " struck_wing strikes strikes_home acts",
}
"""Who holds which column of the run's state; the ladder is the model's own."""

OF_RUN: Final = tuple(f"{holder}.{name}" for holder, names in HOLDERS.items() for name in names.split())
HOLDER_OF: Final = {name: holder for holder, names in HOLDERS.items() for name in names.split()}
OF_LADDER: Final = ("rung", "recent_rung", "war")
OF_WING: Final = tuple(name for name in WING_STATE.names or () if name != "recent")
"""The target remembers how much each wing attacked; all else is the wing's own."""

_run_row, _wing_row = attrgetter(*OF_RUN, *OF_LADDER), attrgetter(*OF_WING)

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


class StateTable(NamedTuple):
    """The state at the end of every day, of the run (D,), its theatres (D, K) and its wings (D, W); zero after war.

    `mine` (D, R) are the numbers of extensions.
    """

    run: Records
    fronts: Records
    wings: Records
    mine: Records = NOTHING


class ReferenceModel(mesa.Model):  # type: ignore[misc]
    """One history of a scenario, lived by agents day by day.

    Args:
        scenario: the world to live in.
        seed: study seed, 0 to 2**64 - 1.
        run: number of the history, 0 to 2**48 - 1. Seed and run decide all that is left to chance.
        table: the scenario as numbers, where somebody has tabulated it already.
        point: design point of that table.
        trace: told of every rule that is applied, with its inputs, its result and the draw in it.

    Raises:
        ValueError: the seed or the run has no address.

    `world` is the scenario. `datacollector` keeps numbers of the model day by day, and of every `MilitiaWing`. Wings
    take their turns in the order of `turns`, which cannot matter. Any other `mesa.Agent` that joins the model takes its
    `step` every day after the wings have attacked and before attacks land, in the order of joining. `random` and `rng`
    are Mesa's generators, seeded by seed and run; no rule of the model uses them.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int = 1,
        run: int = 0,
        *,
        table: Table | None = None,
        point: int = 0,
        trace: Listener | None = None,
    ) -> None:
        if not 0 <= run < RUN_LIMIT:
            raise ValueError(f"run={run}: allowed are whole numbers from 0 to {RUN_LIMIT - 1}")
        super().__init__(seed=mesa_seed(seed, run))
        self.world = scenario
        self.table = tabulate(scenario) if table is None else table
        self.seed_low, self.seed_high = split_seed(seed)
        self.run, self.day = run, -1
        extended = self.table.extended
        self._rulebook = RULES if extended is None else rulebook_of(extended)
        self.witness = None if trace is None else Witness(trace, lambda: self.day, self._rulebook)
        self.chance = draw if self.witness is None else self.witness.chance
        self.rules = self.rules_of("ladder")
        self.numbers = plain(self.table.numbers[point : point + 1])[0]
        self.rung, self.recent_rung, self.war = 0.0, 0.0, False
        self._read_timeline()
        self._cast(scenario, point)
        mine = self.table.mine[point].tolist()
        self.additions = None if extended is None else Additions(self, extended, mine)
        self._evenings: list[tuple[Any, ...]] = []
        self.datacollector = mesa.DataCollector(
            model_reporters=MODEL_REPORTERS, agenttype_reporters={MilitiaWing: WING_REPORTERS}
        )

    def rules_of(self, actor: str) -> Rulebook:
        """The rules for one actor to apply."""
        return self._rulebook if self.witness is None else self.witness.rules_of(actor)

    def _read_timeline(self) -> None:
        """The timeline as lists of plain numbers, by day and theatre or wing."""
        table = self.table
        self._days = plain(table.days)
        self._surges, self._supplies, self._stances = (
            table.fronts[name].tolist() for name in ("surge", "supply", "stance")
        )
        self._raids = table.raids.tolist()

    def _cast(self, scenario: Scenario, point: int) -> None:
        """Everybody who acts."""
        table = self.table
        self.theatres = theatres = plain(table.theatres[point])
        self.rival = Rival(self, theatres)
        self.mediators = Mediators(self)
        self.patron = Patron(self, table.patron, theatres, self._stances[0])
        self.target = Target(self, table.target, len(table.layout))
        layouts, traits = plain(table.layout), plain(table.wings[point])
        self.wings = tuple(
            MilitiaWing(self, name, index, layout, trait, theatres[layout.theatre])
            for index, (name, layout, trait) in enumerate(zip(scenario.cast.wings, layouts, traits, strict=True))
        )
        self.turns = list(self.wings)
        self._own = frozenset(self.agents)

    def live(self) -> Self:
        """Live the history to its last day or to direct war, whichever comes first."""
        while self.running:
            self.step()
        return self

    def step(self) -> None:
        """One day."""
        self.timeline_speaks()
        self.patron_assesses()
        self.mediators_press()
        self.militias_adapt()
        self.militias_attack()
        self.attacks_land()
        self.target_responds()
        self.strikes_land()
        self.ladder_moves()
        self.day_is_recorded()

    def timeline_speaks(self) -> None:
        """A new day brings what comes from outside."""
        if not self.running:
            raise RuntimeError(f"the history ended on day {self.day}")
        self.day = day = self.day + 1
        self.today = self._days[day]
        self.surges, self.supplies, self.raids = self._surges[day], self._supplies[day], self._raids[day]
        self.stances = self._stances[day]
        self.act("morning")
        self.rival.follow(self.today)

    def act(self, moment: str) -> None:
        """Let extensions act, where there are any."""
        if self.additions is not None:
            self.additions.act(moment)

    def holder_of(self, name: str) -> Any:
        """Whoever holds a state of the run."""
        return self if name in OF_LADDER else getattr(self, HOLDER_OF[name])

    def patron_assesses(self) -> None:
        """The patron weighs the risk of war and issues its orders for tomorrow."""
        self.patron.assess()
        self.patron.direct(self._stances[self.day])

    def mediators_press(self) -> None:
        """The mediators gather pressure, which is felt tomorrow."""
        self.act("orders")
        self.mediators.press(self.today.talks)

    def militias_adapt(self) -> None:
        """Wings comply, fear, resent and rebuild."""
        for wing in self.turns:
            wing.adapt()

    def militias_attack(self) -> None:
        """Wings attack, then all agents act that were added to the model."""
        for wing in self.turns:
            wing.attack()
        for guest in [one for one in self.agents if one not in self._own]:
            guest.step()

    def attacks_land(self) -> None:
        """Attacks meet their fate; the target suffers them, the patron counts them."""
        for wing in self.turns:
            wing.land()
        self.target.suffer(self.wings)
        self.patron.count(self.wings)

    def target_responds(self) -> None:
        """The target is provoked, and answers or holds back."""
        self.act("attacks")
        self.target.respond(self.today)

    def strikes_land(self) -> None:
        """Strikes fall on wings, which hear of those on the others of their collective and feel all of it tomorrow."""
        for wing in self.turns:
            wing.take_strikes()
        self.target.count_strikes(self.wings)
        if self.target.strikes > 0.0:
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
        self.war = False
        if patron.war_risk > numbers.war_threshold:
            likely = ladder.war_chance(numbers.war_rate, patron.war_risk, numbers.war_threshold, self.recent_rung)
            self.war = ladder.breaks_out(patron.drawn(decide.WAR), likely)
        self.rung = ladder.highest(rung, False, self.war)

    def day_is_recorded(self) -> None:
        """The evening's state is kept; war or the end of the calendar ends the history."""
        self.act("evening")
        fronts = (self.patron.directives, self.patron.orders)
        wings = [_wing_row(wing) for wing in self.wings]
        mine = [] if self.additions is None else [*self.additions.mine]
        self._evenings.append((_run_row(self), fronts, wings, self.target.recent, mine))
        self.running = not self.war and self.day + 1 < len(self._days)
        self.datacollector.collect(self)

    def state_table(self) -> StateTable:
        """The state at the end of every day lived so far, as the compiled engine keeps it."""
        days, theatres = self.table.fronts.shape
        lived = len(self._evenings)
        table = StateTable(
            np.zeros(days, RUN_STATE),
            np.zeros((days, theatres), THEATRE_STATE),
            np.zeros((days, len(self.wings)), WING_STATE),
            np.zeros((days, self.table.mine.shape[1])),
        )
        if lived:
            runs, fronts, wings, recent, mine = zip(*self._evenings, strict=True)
            for name, column in zip((*OF_RUN, *OF_LADDER), zip(*runs, strict=True), strict=True):
                table.run[name.rpartition(".")[2]][:lived] = column
            table.fronts["directive"][:lived], table.fronts["order"][:lived] = np.array(fronts).swapaxes(0, 1)
            for name, values in zip(OF_WING, np.moveaxis(np.array(wings), 2, 0), strict=True):
                table.wings[name][:lived] = values
            table.wings["recent"][:lived] = recent
            table.mine[:lived] = mine
        return table
