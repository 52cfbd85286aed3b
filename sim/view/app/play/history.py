"""One history as far as it was lived, and what stands at the end of each of its days."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from sim.engine.reference import StateTable
from sim.engine.trace import Decision
from sim.rules import casualties, patron
from sim.rules.outcomes import COMPLIANT
from sim.study.chronicle import ELSEWHERE, Sentence
from sim.study.life import Life, Living
from sim.study.replay import lived_in
from sim.view.app.play.asking import Asked, config_named
from sim.world.scenario import Scenario

EVERYDAY: Final = (ELSEWHERE, "attack")
"""Kinds of sentences that a day of note needs more than."""

Order = Literal["attack", "free", "stop", "reduce", "released"]
Manner = Literal["ordered", "free", "obeys", "resists"]


@dataclass(frozen=True)
class Told:
    """What the wings of a theatre know today of the patron's will: the kind of order, and the activity it asks for."""

    order: Order
    level: float


@dataclass(frozen=True)
class Deed:
    """What a wing's attacks of a day came to: how many got through, and the soldiers that they killed."""

    through: int = 0
    killed: int = 0


@dataclass(frozen=True)
class Evening:
    """The end of a day: states as the agents have them, by name; orders by theatre, deeds and manners by wing.

    `run` is one mapping, `fronts` one for each theatre, `wings` one for each wing, in the order of the case.
    """

    day: int
    date: date
    run: dict[str, float]
    fronts: tuple[dict[str, float], ...]
    wings: tuple[dict[str, float], ...]
    orders: tuple[Told, ...]
    manners: tuple[Manner, ...]
    deeds: tuple[Deed, ...]
    sentences: tuple[Sentence, ...]


class History:
    """A history that is lived by agents as far as somebody wants to see it.

    Days once lived are kept: going back shows them again and lives nothing anew.
    """

    def __init__(self, asked: Asked) -> None:
        config = config_named(asked.scenario)
        self.asked, self.question = asked, config.scenario.question
        self.scenario: Scenario = lived_in(config, asked.run)
        self._living = Living(asked.scenario, self.scenario, asked.seed, asked.run)
        self._life: Life = self._living.life()

    @property
    def lived(self) -> int:
        """Number of days lived so far."""
        return self._living.days

    @property
    def ended(self) -> bool:
        """Whether there is no further day: the calendar is over, or direct war broke out."""
        return not self._living.running

    def reach(self, day: int) -> int:
        """Live on to the end of a day, or of the history; the last day that can be shown up to there."""
        while self.lived <= day and not self.ended:
            self._living.step()
        return min(day, self.lived - 1)

    @property
    def states(self) -> StateTable:
        """The states of all evenings lived so far."""
        if self._life.days != self.lived:
            self._life = self._living.life()
        return self._life.states

    def of_note(self, day: int) -> bool:
        """Whether more happens on a day than attacks."""
        return any(one.kind not in EVERYDAY for one in self.told(day))

    def told(self, day: int) -> tuple[Sentence, ...]:
        """The sentences of a day that was lived."""
        return self._living.told(day)

    def evening(self, day: int) -> Evening:
        """The end of a day that was lived."""
        states, cast = self.states, self.scenario.cast
        yesterday = self._living.decided(day - 1) if day else ()
        orders = _orders(yesterday, [float(one["directive"]) for one in states.fronts[day]])
        wings = tuple(_named(one) for one in states.wings[day])
        places = [cast.theatre_index(wing.theatre) for wing in cast.wings.values()]
        deeds = _deeds(self._living.decided(day))
        return Evening(
            day=day,
            date=self.scenario.calendar.date_of(day),
            run=_named(states.run[day]),
            fronts=tuple(_named(one) for one in states.fronts[day]),
            wings=wings,
            orders=orders,
            manners=tuple(_manner(orders[k], wing["compliance"]) for k, wing in zip(places, wings, strict=True)),
            deeds=tuple(deeds[key] for key in cast.wings),
            sentences=self.told(day),
        )


def _named(record: Any) -> dict[str, float]:
    """A record of the state table as plain numbers, the same bits."""
    return dict(zip(record.dtype.names, record.item(), strict=True))


def _orders(yesterday: Sequence[Decision], levels: Sequence[float]) -> tuple[Told, ...]:
    """What yesterday's orders were, theatre by theatre; on the first day those that stood before."""
    given = [one for one in yesterday if one.rule is patron.directive]
    if len(given) != len(levels):
        return tuple(Told("attack" if level >= 1.0 else "free", level) for level in levels)
    return tuple(Told(_order(one, level), level) for one, level in zip(given, levels, strict=True))


def _order(given: Decision, level: float) -> Order:
    if level >= given.inputs["standing"]:
        return "attack" if level >= 1.0 else "free"
    if given.inputs["phase"] > patron.RESTRAINING:
        return "released"
    return "stop" if level == 0.0 else "reduce"


def _manner(told: Told, compliance: float) -> Manner:
    if told.order in ("stop", "reduce"):
        return "obeys" if compliance >= COMPLIANT else "resists"
    return "ordered" if told.order in ("attack", "released") else "free"


def _deeds(decisions: Sequence[Decision]) -> defaultdict[str, Deed]:
    found: defaultdict[str, Deed] = defaultdict(Deed)
    for one in decisions:
        was = found[one.actor]
        if one.rule is casualties.pinned_fate and one.result >= casualties.HIT:
            found[one.actor] = Deed(was.through + 1, was.killed)
        elif one.rule is casualties.toll:
            found[one.actor] = Deed(was.through, was.killed + int(one.result))
    return found
