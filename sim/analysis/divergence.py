"""Divergence: where one run first differs under two scenarios with common random numbers, why, and what follows."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Literal

import numpy as np

from sim.analysis.comparison.arms import ComparedArm, common_day, pinned_words
from sim.analysis.traced_run import Life, trace_run
from sim.engine.trace import Decision
from sim.experiment.parameter_sets import drawn_of
from sim.model.scenario import keyed_title
from sim.model.timeline import long_date
from sim.rules import patron


@dataclass(frozen=True)
class DecisionDifference:
    """A decision that came out otherwise, in one history, the other, or both.

    None stands for a decision that was not taken at all. `inputs` are those that differ: name, here, there.
    """

    day: int
    one: Decision | None
    other: Decision | None

    @property
    def decision(self) -> Decision:
        """The decision, of whichever history has it."""
        found = self.one or self.other
        assert found is not None
        return found

    @property
    def inputs(self) -> tuple[tuple[str, Any, Any], ...]:
        """What the decision hung on that was not the same: name, here, there."""
        if self.one is None or self.other is None:
            return ()
        there = self.other.inputs
        return tuple((name, value, there[name]) for name, value in self.one.inputs.items() if value != there[name])


def first_day(one: Life, other: Life) -> int | None:
    """The first day whose evening's state differs anywhere, to the bit; None where none does."""
    differs = np.zeros(len(one.states.run), dtype=bool)
    for a, b in zip(one.states, other.states, strict=True):
        for name in a.dtype.names or ():
            unequal = a[name] != b[name]
            differs |= unequal.reshape(len(unequal), -1).any(axis=1)
    return int(np.flatnonzero(differs)[0]) if differs.any() else None


def decision_differences(one: Life, other: Life, day: int) -> list[DecisionDifference]:
    """The decisions of a day whose results differ, in the order of the day."""
    here, there = one.placed(day), other.placed(day)
    pairs = [(here.get(key), there.get(key)) for key in dict.fromkeys((*here, *there))]
    return [DecisionDifference(day, a, b) for a, b in pairs if a is None or b is None or a.result != b.result]


def decisive_difference(one: Life, other: Life, day: int) -> DecisionDifference | None:
    """The decision of a day that separates two histories; None where no decision differs.

    The first that says yes or no, or how many, otherwise than the other; where only shades differ, the first of these.
    None is possible where something that is no decision differs, such as an event of the timeline.
    """
    found = decision_differences(one, other, day)
    acts = [one for one in found if isinstance(one.decision.result, bool | np.bool_ | int | np.integer)]
    return next(iter(acts or found), None)


@dataclass(frozen=True)
class DivergingQuantity:
    """Something that is followed: where it stands in the state table, what it is, in which unit it is given."""

    table: Literal["run", "fronts", "wings"]
    field: str
    words: str
    unit: str = ""


FOLLOWED: Final = (
    DivergingQuantity("run", "war_risk", "war risk perceived by {patron}"),
    DivergingQuantity("run", "phase", "state of {patron}"),
    DivergingQuantity("fronts", "order", "{patron}'s order for {place}"),
    DivergingQuantity("run", "pressure", "pressure of the mediators"),
    DivergingQuantity("fronts", "shock", "shock to attack rates in {place}"),
    DivergingQuantity("wings", "compliance", "compliance of {place}"),
    DivergingQuantity("wings", "fear", "fear of {place}"),
    DivergingQuantity("wings", "grievance", "grievance of {place}"),
    DivergingQuantity("wings", "capacity", "capacity of {place}"),
    DivergingQuantity("wings", "rate", "attack rate of {place}", "a day"),
    DivergingQuantity("wings", "attacks", "attacks by {place}"),
    DivergingQuantity("wings", "acknowledged", "acknowledged attacks by {place}"),
    DivergingQuantity("run", "injured", "soldiers injured"),
    DivergingQuantity("run", "killed", "soldiers killed"),
    DivergingQuantity("run", "provocation", "provocation of {target}", "attacks"),
    DivergingQuantity("run", "pending", "days until the announced response of {target}"),
    DivergingQuantity("run", "acts", "acts of {target} against {patron}"),
    DivergingQuantity("run", "limited", "limited strikes by {target}"),
    DivergingQuantity("run", "leader", "what {target} did about a chance to strike a leader"),
    DivergingQuantity("run", "major", "major response by {target}"),
    DivergingQuantity("wings", "struck", "strikes on {place}", "limited strikes"),
    DivergingQuantity("run", "rung", "rung of the ladder"),
    DivergingQuantity("run", "war", "direct war"),
)
"""In the order of the day, so that causes stand before effects of the same day."""


@dataclass(frozen=True)
class Link:
    """One link of the chain: on this day this quantity differed for the first time.

    `place` is the number of the theatre or wing (None for the run), `places` how many of them had differed by the end.
    """

    day: int
    quantity: DivergingQuantity
    place: int | None
    one: float
    other: float
    places: int = 1


def chain(one: Life, other: Life) -> tuple[Link, ...]:
    """Every followed quantity that ever differs, by the day on which it first does."""
    found = []
    for quantity in FOLLOWED:
        a, b = (np.asarray(getattr(life.states, quantity.table)[quantity.field]) for life in (one, other))
        if len(spots := np.argwhere(unequal := a != b)):
            spot = tuple(int(place) for place in spots[0])
            place, places = (None, 1) if a.ndim == 1 else (spot[1], int(unequal.any(axis=0).sum()))
            found.append(Link(spot[0], quantity, place, float(a[spot]), float(b[spot]), places))
    return tuple(sorted(found, key=lambda link: link.day))


STATES: Final = {
    "phase": {
        patron.NORMAL: "at ease",
        patron.DELIBERATING: "deliberating",
        patron.RESTRAINING: "holding its proxies back",
        patron.RELEASED: "having let go",
        patron.ALARMED_AGAIN: "alarmed again",
    },
    "leader": {0: "had none", 1: "struck", 2: "declined"},
}
"""What the numbers of a quantity stand for."""
SUMMED: Final = {"attacks": "attacks on {target}", "acknowledged": "of them acknowledged", "killed": "soldiers killed"}
"""What is added up from the divergence on."""


@dataclass(frozen=True, repr=False)
class Divergence:
    """Two histories under common random numbers. A notebook shows the story as a list.

    `day` is the first whose evening differs (None: they never diverge), `decisive` the decision of that day that came
    out otherwise (None: an event of the timeline did it), `silent` an earlier decision that came out otherwise but left
    no trace until then.
    """

    one: Life
    other: Life
    seed: int
    run: int
    pinned: str
    day: int | None
    decisive: DecisionDifference | None
    silent: DecisionDifference | None
    links: tuple[Link, ...]

    def lines(self) -> Iterator[str]:
        """The story in sentences."""
        both = f"{keyed_title(self.one.label)} against {keyed_title(self.other.label)}"
        yield f"Run {self.run} of seed {self.seed}: {both}; {self.pinned}."
        if self.day is None:
            yield "They never diverge: every state of every day is the same."
            return
        if self.silent is not None and self.silent.day < self.day:
            yield f"{self._on(self.silent.day)}: a number differs, still without effect. {self._parted(self.silent)}"
        yield f"{self._on(self.day)}: they diverge. {self._parted(self.decisive)}"
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
        decision = None if self.decisive is None else self.decisive.decision
        return {
            "scenarios": [self.one.label, self.other.label],
            "seed": self.seed,
            "run": self.run,
            "pinned": self.pinned,
            "day": self.day,
            "date": None if self.day is None else self._date(self.day).isoformat(),
            "actor": None if decision is None else decision.actor,
            "rule": None if decision is None else f"{decision.rule.__module__}.{decision.rule.__qualname__}",
            "totals": {name: list(pair) for name, pair in self.totals().items()},
            "links": self.records(),
        }

    def totals(self) -> dict[str, tuple[float, float]]:
        """Sums over the run's days from the divergence on, here and there."""
        start = self.day or 0
        return {
            name: tuple(float(life.states.run[name][start:].sum()) for life in (self.one, self.other))  # type: ignore[misc]
            for name in SUMMED
        }

    def _sums(self) -> Iterator[str]:
        names = self.one.scenario.cast.names
        sums = [
            f"{words.format(target=names.target)} {here:g} and {there:g}"
            for (_, words), (here, there) in zip(SUMMED.items(), self.totals().values(), strict=True)
        ]
        yield f"From then on, {self.one.title} and {self.other.title}: {', '.join(sums)}."

    def _parted(self, difference: DecisionDifference | None) -> str:
        if difference is None:
            return "No decision did it: the timeline brings something else."
        decision, one, other = difference.decision, difference.one, difference.other
        results = "; ".join(
            f"{life.title}: {self._outcome(life, taken)}" for life, taken in ((self.one, one), (self.other, other))
        )
        hung = "; ".join(f"{name} {_value(here)} and {_value(there)}" for name, here, there in difference.inputs)
        because = f" What differed before it: {hung}." if hung else ""
        same_draw = one is not None and other is not None and one.draw is not None and one.draw == other.draw
        draw = f" The draw was {decision.draw:.3g} in both." if same_draw else ""
        actor = self._actor(decision)
        return f"{actor[0].upper()}{actor[1:]}, {summary_of(decision)}: {results}.{because}{draw}"

    def _outcome(self, life: Life, decision: Decision | None) -> str:
        if decision is None:
            return "it did not come up"
        sentence = life.sentence_on(decision)
        return _value(decision.result) if sentence is None else f"{_value(decision.result)} ({sentence.rstrip('.')})"

    def _actor(self, decision: Decision) -> str:
        cast = self.one.scenario.cast
        for things in (cast.wings, cast.theatres):
            if decision.actor in things:
                return str(things[decision.actor].name)
        return str(asdict(cast.names).get(decision.actor, decision.actor))

    def _link(self, link: Link) -> str:
        names = self.one.scenario.cast.names
        what = link.quantity.words.format(patron=names.patron, target=names.target, place=self._place(link))
        unit = f" ({link.quantity.unit})" if link.quantity.unit else ""
        more = f"; by the end {link.places} places differ in this" if link.places > 1 else ""
        states = STATES.get(link.quantity.field, {})
        here, there = (states[int(value)] if states else f"{value:.3g}" for value in (link.one, link.other))
        return f"{what}: {here} in {self.one.title}, {there} in {self.other.title}{unit}{more}"

    def _place(self, link: Link) -> str:
        cast = self.one.scenario.cast
        if link.place is None:
            return ""
        places = cast.theatres if link.quantity.table == "fronts" else cast.wings
        return list(places.values())[link.place].name  # type: ignore[attr-defined]

    def _date(self, day: int) -> date:
        return self.one.scenario.calendar.date_of(day)

    def _on(self, day: int) -> str:
        return f"Day {day}, {long_date(self._date(day))}"


def divergence(one: ComparedArm, other: ComparedArm, run: int) -> Divergence:
    """Simulate one run under two scenarios, both pinned up to the earlier departure and free after it."""
    day = common_day((one, other))
    seed = one.config.seed
    a, b = (trace_run(arm.label, drawn_of(arm.config).scenario(arm.freed(day), run), seed, run) for arm in (one, other))
    pinned, first = pinned_words(one.scenario, day), first_day(a, b)
    if first is None:
        return Divergence(a, b, seed, run, pinned, None, None, None, ())
    # A decision may come out otherwise and stay without effect for long.
    silent = next((found[0] for day in range(first + 1) if (found := decision_differences(a, b, day))), None)
    return Divergence(a, b, seed, run, pinned, first, decisive_difference(a, b, first), silent, chain(a, b))


def summary_of(decision: Decision) -> str:
    """What a rule is for, in the words of its own documentation.

    >>> from sim.rules.rates import episode_ends
    >>> summary_of(Decision(0, "ladder", episode_ends, {}, True, None))
    'whether an episode ends today'
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
