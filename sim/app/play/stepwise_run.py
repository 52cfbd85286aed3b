"""One run of the reference model as far as it was simulated, and the state at the end of each of its days."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal

from sim.analysis.narrative import ELSEWHERE, Sentence
from sim.analysis.traced_run import Life, Living, scenario_of_run
from sim.app.form_settings import MAX_SEED
from sim.engine.reference.model import StateTable
from sim.engine.trace import Decision
from sim.experiment.command import whole
from sim.model.scenario import Config, Scenario, load, scenario_names
from sim.model.validation import UserError, one_of
from sim.numbers.philox import RUN_LIMIT
from sim.rules import casualties, patron
from sim.rules.outcomes import COMPLIANT

SCENARIO, RUN, SEED, DAY = KEYS = ("scenario", "run", "seed", "day")
EVERYDAY: Final = (ELSEWHERE, "attack")
"""Kinds of sentences that do not make a day an event."""

Order = Literal["attack", "free", "stop", "reduce", "released"]
Manner = Literal["ordered", "free", "obeys", "resists"]


@dataclass(frozen=True)
class PlayState:
    """What the page shows: one run, and a day of it."""

    scenario: str = "article"
    run: int = 0
    seed: int = 1
    day: int = 0

    def texts(self) -> dict[str, str]:
        """The same as texts for the URL."""
        return {key: str(getattr(self, key)) for key in KEYS}


def parse_play_state(texts: Mapping[str, str]) -> PlayState:
    """The state that texts by key describe; what is missing has its default.

    Raises:
        UserError: a key is unknown or a value not allowed.
    """
    for key, text in texts.items():
        if key not in KEYS:
            raise UserError(key, text, one_of(KEYS, key))
    scenario = texts.get(SCENARIO, PlayState.scenario)
    known = [card.name for card in scenario_names()]
    if scenario not in known:
        raise UserError(SCENARIO, scenario, one_of(known, scenario))
    numbers = {key: parse_number(key, texts[key], scenario) for key in (RUN, SEED, DAY) if key in texts}
    return PlayState(scenario, **numbers)


def parse_number(key: str, text: str, scenario: str) -> int:
    """A run, seed or day as a visitor types it."""
    most = {RUN: RUN_LIMIT - 1, SEED: MAX_SEED}.get(key)
    return whole(
        key, text.strip(), 0, config_of_scenario(scenario).scenario.calendar.days - 1 if most is None else most
    )


@lru_cache(maxsize=32)
def config_of_scenario(scenario: str) -> Config:
    """The configuration of a scenario; it is frozen, so sessions may share it."""
    return load([f"scenario={scenario}"])


@dataclass(frozen=True)
class PerceivedOrder:
    """The patron's order as the wings of a theatre know it today: its kind, and the activity that it asks for."""

    order: Order
    level: float


@dataclass(frozen=True)
class AttackSummary:
    """A wing's attacks of a day: how many got through, and the soldiers that they killed."""

    through: int = 0
    killed: int = 0


@dataclass(frozen=True)
class DayState:
    """The end of a day: states of the agents by name; orders by theatre, attacks and manners by wing.

    `run` is one mapping, `fronts` one for each theatre, `wings` one for each wing, in the order of the case.
    """

    day: int
    date: date
    run: dict[str, float]
    fronts: tuple[dict[str, float], ...]
    wings: tuple[dict[str, float], ...]
    orders: tuple[PerceivedOrder, ...]
    manners: tuple[Manner, ...]
    attacks: tuple[AttackSummary, ...]
    sentences: tuple[Sentence, ...]


class StepwiseRun:
    """A run that is simulated by agents as far as the visitor wants to see it.

    Simulated days are kept: going back shows them again and simulates nothing.
    """

    def __init__(self, state: PlayState) -> None:
        config = config_of_scenario(state.scenario)
        self.state, self.question = state, config.scenario.question
        self.scenario: Scenario = scenario_of_run(config, state.run)
        self._runner = Living(state.scenario, self.scenario, state.seed, state.run)
        self._trace: Life = self._runner.life()

    @property
    def days(self) -> int:
        """Number of days simulated so far."""
        return self._runner.days

    @property
    def ended(self) -> bool:
        """Whether there is no further day: the calendar is over, or direct war broke out."""
        return not self._runner.running

    def reach(self, day: int) -> int:
        """Simulate to the end of a day, or of the run; returns the last day up to there that can be shown."""
        while self.days <= day and not self.ended:
            self._runner.step()
        return min(day, self.days - 1)

    @property
    def states(self) -> StateTable:
        """The states at the end of all days simulated so far."""
        if self._trace.days != self.days:
            self._trace = self._runner.life()
        return self._trace.states

    def is_event(self, day: int) -> bool:
        """Whether more happens on a day than attacks."""
        return any(one.kind not in EVERYDAY for one in self.sentences(day))

    def sentences(self, day: int) -> tuple[Sentence, ...]:
        """The sentences on a simulated day."""
        return self._runner.sentences[day]

    def day_state(self, day: int) -> DayState:
        """The end of a simulated day."""
        states, cast = self.states, self.scenario.cast
        fronts, wings = (tuple(map(_by_name, records[day])) for records in (states.fronts, states.wings))
        asked = [theatre.restraint for theatre in cast.theatres.values()]
        orders = _orders(self._runner.decisions[day - 1] if day else (), asked, [one["directive"] for one in fronts])
        places = [cast.theatre_index(wing.theatre) for wing in cast.wings.values()]
        attacks = _attacks(self._runner.decisions[day])
        return DayState(
            day=day,
            date=self.scenario.calendar.date_of(day),
            run=_by_name(states.run[day]),
            fronts=fronts,
            wings=wings,
            orders=orders,
            manners=tuple(_manner(orders[k], wing["compliance"]) for k, wing in zip(places, wings, strict=True)),
            attacks=tuple(attacks[key] for key in cast.wings),
            sentences=self.sentences(day),
        )


def _by_name(record: Any) -> dict[str, float]:
    """A record of the state table as plain numbers, the same bits."""
    return dict(zip(record.dtype.names, record.item(), strict=True))


def _orders(yesterday: Sequence[Decision], asked: Sequence[str], levels: Sequence[float]) -> tuple[PerceivedOrder, ...]:
    """Yesterday's orders, theatre by theatre; on the first day those that were in force before.

    `asked` is what the patron asks of each theatre when it restrains.
    """
    given = [one for one in yesterday if one.rule is patron.directive]
    if len(given) != len(levels):
        return tuple(PerceivedOrder("attack" if level >= 1.0 else "free", level) for level in levels)
    return tuple(PerceivedOrder(_order(*one), one[-1]) for one in zip(given, asked, levels, strict=True))


def _order(given: Decision, asked: str, level: float) -> Order:
    if level >= given.inputs["standing"]:
        return "attack" if level >= 1.0 else "free"
    if given.inputs["phase"] > patron.RESTRAINING:
        return "released"
    return "stop" if asked == "stop" else "reduce"


def _manner(perceived: PerceivedOrder, compliance: float) -> Manner:
    if perceived.order in ("stop", "reduce"):
        return "obeys" if compliance >= COMPLIANT else "resists"
    return "ordered" if perceived.order in ("attack", "released") else "free"


def _attacks(decisions: Sequence[Decision]) -> defaultdict[str, AttackSummary]:
    found: defaultdict[str, AttackSummary] = defaultdict(AttackSummary)
    for one in decisions:
        before = found[one.actor]
        if one.rule is casualties.pinned_fate and one.result >= casualties.HIT:
            found[one.actor] = AttackSummary(before.through + 1, before.killed)
        elif one.rule is casualties.toll:
            found[one.actor] = AttackSummary(before.through, before.killed + int(one.result))
    return found
