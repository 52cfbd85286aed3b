"""`divergence`: two scenarios, one run, and the story of their parting."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from sim.engine.trace import Decision
from sim.rules import patron
from sim.study.chronicle import spelled
from sim.study.comparison.arms import Arm, common_day, pinned_words
from sim.study.divergence.chain import Link, chain
from sim.study.divergence.parting import Parting, first_day, first_unlike_decision, parting_on
from sim.study.drawn import drawn_of
from sim.study.life import Life, lived

PHASES: Final = {
    patron.NORMAL: "at ease",
    patron.DELIBERATING: "deliberating",
    patron.RESTRAINING: "holding its proxies back",
    patron.RELEASED: "having let go",
    patron.ALARMED_AGAIN: "alarmed again",
}
LEADER: Final = {0: "had none", 1: "struck", 2: "declined"}
SUMMED: Final = (
    ("attacks", "attacks on {target}"),
    ("acknowledged", "of them acknowledged"),
    ("killed", "soldiers killed"),
)
"""What is added up from the parting on."""


@dataclass(frozen=True, repr=False)
class Divergence:
    """Two histories under the same luck. A notebook shows the story as a list.

    `day` is the first whose evening differs (None: they never part), `parting` the decision of that day that came out
    otherwise (None: an event of the timeline did it), `silent` an earlier decision that came out otherwise but left no
    trace until then.
    """

    one: Life
    other: Life
    seed: int
    run: int
    pinned: str
    day: int | None
    parting: Parting | None
    silent: Parting | None
    links: tuple[Link, ...]

    def lines(self) -> Iterator[str]:
        """The story in sentences."""
        yield f"Run {self.run} of seed {self.seed}: {self.one.label} against {self.other.label}; {self.pinned}."
        if self.day is None:
            yield "They never part: every state of every day is the same."
            return
        if self.silent is not None and self.silent.day < self.day:
            yield f"{self._on(self.silent.day)}: a number differs, still without effect. {self._parted(self.silent)}"
        yield f"{self._on(self.day)}: they part. {self._parted(self.parting)}"
        yield from (f"{self._on(link.day)}: {self._link(link)}." for link in self.links)
        yield from self._sums()

    def __repr__(self) -> str:
        return f"<{next(self.lines())}>"

    def _repr_markdown_(self) -> str:
        return "".join(f"- {line}\n" for line in self.lines())

    def records(self) -> list[dict[str, Any]]:
        """The links as rows of a table."""
        return [
            {
                "day": link.day,
                "date": self._date(link.day).isoformat(),
                "quantity": link.quantity.field,
                "where": self._place(link),
                self.one.label: link.one,
                self.other.label: link.other,
                "places_in_the_end": link.places,
                "text": self._link(link),
            }
            for link in self.links
        ]

    def summary(self) -> dict[str, Any]:
        """The same as plain values that JSON can hold."""
        parting = None if self.parting is None else self.parting.decision
        return {
            "scenarios": [self.one.label, self.other.label],
            "seed": self.seed,
            "run": self.run,
            "pinned": self.pinned,
            "day": self.day,
            "date": None if self.day is None else self._date(self.day).isoformat(),
            "actor": None if parting is None else parting.actor,
            "rule": None if parting is None else f"{parting.rule.__module__}.{parting.rule.__qualname__}",
            "totals": {name: list(pair) for name, pair in self.totals().items()},
            "links": self.records(),
        }

    def totals(self) -> dict[str, tuple[float, float]]:
        """Sums over the run's days from the parting on, here and there."""
        start = self.day or 0
        return {
            name: tuple(float(life.states.run[name][start:].sum()) for life in (self.one, self.other))  # type: ignore[misc]
            for name, _ in SUMMED
        }

    def _sums(self) -> Iterator[str]:
        names = self.one.scenario.cast.names
        told = [
            f"{words.format(target=names.target)} {here:g} and {there:g}"
            for (_, words), (here, there) in zip(SUMMED, self.totals().values(), strict=True)
        ]
        yield f"From then on, {self.one.label} and {self.other.label}: {', '.join(told)}."

    def _parted(self, parting: Parting | None) -> str:
        if parting is None:
            return "Nobody decided it: the timeline brings something else."
        decision = parting.decision
        texts = [f"{life.label}: {self._outcome(life, one)}" for life, one in self._sides(parting)]
        hung = "; ".join(f"{name} {_value(here)} and {_value(there)}" for name, here, there in parting.inputs)
        luck = f" The draw was {decision.draw:.3g} in both." if self._same_draw(parting) else ""
        because = f" What differed before it: {hung}." if hung else ""
        actor = self._actor(decision)
        return f"{actor[0].upper()}{actor[1:]}, {summary_of(decision)}: {'; '.join(texts)}.{because}{luck}"

    def _sides(self, parting: Parting) -> tuple[tuple[Life, Decision | None], ...]:
        return (self.one, parting.one), (self.other, parting.other)

    def _same_draw(self, parting: Parting) -> bool:
        if parting.one is None or parting.other is None or parting.one.draw is None:
            return False
        return parting.one.draw == parting.other.draw

    def _outcome(self, life: Life, decision: Decision | None) -> str:
        if decision is None:
            return "it did not come up"
        told = life.told(decision)
        return _value(decision.result) if told is None else f"{_value(decision.result)} ({told.rstrip('.')})"

    def _actor(self, decision: Decision) -> str:
        cast = self.one.scenario.cast
        if decision.actor in cast.wings:
            return cast.wings[decision.actor].name
        return str(asdict(cast.names).get(decision.actor, decision.actor))

    def _link(self, link: Link) -> str:
        names = self.one.scenario.cast.names
        what = link.quantity.words.format(patron=names.patron, target=names.target, place=self._place(link))
        unit = f" ({link.quantity.unit})" if link.quantity.unit else ""
        more = f"; by the end {link.places} places differ in this" if link.places > 1 else ""
        here, there = (_state(link.quantity.field, value) for value in (link.one, link.other))
        return f"{what}: {here} in {self.one.label}, {there} in {self.other.label}{unit}{more}"

    def _place(self, link: Link) -> str:
        cast = self.one.scenario.cast
        if link.place is None:
            return ""
        places = cast.theatres if link.quantity.table == "fronts" else cast.wings
        return list(places.values())[link.place].name  # type: ignore[attr-defined]

    def _date(self, day: int) -> date:
        return self.one.scenario.calendar.date_of(day)

    def _on(self, day: int) -> str:
        return f"Day {day}, {spelled(self._date(day))}"


def divergence(one: Arm, other: Arm, run: int) -> Divergence:
    """Live one run under two scenarios, both pinned up to the earlier departure and free after it.

    Raises:
        ValueError: the run has no address.
    """
    day = common_day((one, other))
    seed = one.config.seed
    a, b = (lived(arm.label, drawn_of(arm.config).scenario(arm.freed(day), run), seed, run) for arm in (one, other))
    return parted(a, b, seed, run, pinned_words(one.scenario, day))


def parted(one: Life, other: Life, seed: int, run: int, pinned: str) -> Divergence:
    """Where two histories part, and what follows."""
    day = first_day(one, other)
    if day is None:
        return Divergence(one, other, seed, run, pinned, None, None, None, ())
    silent = first_unlike_decision(one, other, day)
    return Divergence(one, other, seed, run, pinned, day, parting_on(one, other, day), silent, chain(one, other))


def summary_of(decision: Decision) -> str:
    """What a rule is for, in the words of its own documentation.

    >>> from sim.rules.ladder import breaks_out
    >>> summary_of(Decision(0, "ladder", breaks_out, {}, True, None))
    'whether direct war breaks out today'
    """
    first = (decision.rule.__doc__ or decision.rule.__name__).strip().splitlines()[0].rstrip(".")
    return first[0].lower() + first[1:]


def _value(value: Any) -> str:
    """A number, a truth or several of them, short."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))})"
    return f"{value:.3g}" if isinstance(value, float | int) else str(value)


def _state(field: str, value: float) -> str:
    if field == "phase":
        return PHASES[int(value)]
    if field == "leader":
        return LEADER[int(value)]
    return f"{value:.3g}"
