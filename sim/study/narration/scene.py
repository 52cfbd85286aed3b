"""What storytellers share: who is called what, the decisions of a day, and words for numbers."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sim.engine.trace import Decision, Rule
from sim.study.chronicle import Sentence
from sim.world.actors import Names
from sim.world.scenario import Scenario


@dataclass(frozen=True)
class Scene:
    """The names of a case. `strikable` are the ids of the wings that responses can hit, in order."""

    scenario: Scenario
    strikable: tuple[str, ...]

    @property
    def names(self) -> Names:
        """What the states are called."""
        return self.scenario.cast.names

    @property
    def wings(self) -> dict[str, str]:
        """Names of the wings by id, in order."""
        return {key: wing.name for key, wing in self.scenario.cast.wings.items()}

    @property
    def theatres(self) -> tuple[str, ...]:
        """Names of the theatres, in order."""
        return tuple(theatre.name for theatre in self.scenario.cast.theatres.values())

    def at_target(self, wing: str) -> bool:
        """Whether a wing attacks the target itself."""
        return self.scenario.cast.strikable(wing)

    def date_of(self, day: int) -> date:
        """The date of a day number."""
        return self.scenario.calendar.date_of(day)

    def said(self, kind: str, text: str, told: Decision, *reasons: Decision) -> Sentence:
        """A sentence about one decision, resting on earlier ones."""
        return Sentence(
            told.day, self.date_of(told.day), kind, told.actor, text[0].upper() + text[1:], told.rule, told.inputs,
            told.result, told.address, told.draw, reasons,
        )  # fmt: skip


class Book:
    """The decisions of one day, to be looked up by who took them and by which rule."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._found: dict[tuple[str, Rule], list[Decision]] = defaultdict(list)
        for one in decisions:
            self._found[one.actor, one.rule].append(one)

    def all(self, actor: str, rule: Rule) -> list[Decision]:
        """Every time that an actor applied a rule, in order."""
        return self._found.get((actor, rule), [])

    def one(self, actor: str, rule: Rule) -> Decision:
        """The first time that an actor applied a rule."""
        return self._found[actor, rule][0]

    def changes(self, before: "Book", actor: str, rule: Rule) -> Iterator[tuple[int, Decision, Decision | None]]:
        """Place, decision and yesterday's decision, wherever the result is not that of yesterday."""
        old = before.all(actor, rule)
        for place, new in enumerate(self.all(actor, rule)):
            past = old[place] if place < len(old) else None
            if past is None or past.result != new.result:
                yield place, new, past


def number(value: float) -> str:
    """A number with three digits.

    >>> number(0.123456), number(3.0), number(2.0**-20)
    ('0.123', '3', '9.54e-07')
    """
    return f"{value:.3g}"


def share(value: float) -> str:
    """A share in per cent.

    >>> share(0.125)
    '12%'
    """
    return f"{value:.0%}"


def times(count: float) -> str:
    """How often something happened.

    >>> times(1.0), times(2.0), times(7.0)
    ('once', 'twice', '7 times')
    """
    return {1.0: "once", 2.0: "twice"}.get(count, f"{count:g} times")


def soldiers(count: float) -> str:
    """A number of soldiers.

    >>> soldiers(1.0), soldiers(3.0)
    ('1 soldier', '3 soldiers')
    """
    return f"{count:g} {'soldier' if count == 1.0 else 'soldiers'}"


def own(name: str) -> str:
    """A name as an owner.

    >>> own("Iran"), own("United States")
    ("Iran's", "United States'")
    """
    return f"{name}'" if name.endswith("s") else f"{name}'s"
