"""A history told in sentences, each of which carries what is needed to work it out again."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from sim.engine.reference import StateTable
from sim.engine.trace import Address, Decision, Rule
from sim.numbers.chance import split_seed, uniform

ELSEWHERE: Final = "elsewhere"
"""Kind of the sentences about attacks on others than the target: too many to print one by one."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happened, and why: the rule that decided, its inputs by name, its result and the draw, if chance took part.

    `kind` is one of attack, elsewhere, casualties, response, strike, order, alarm, compliance, mediation, rivalry,
    ladder, war; `actor` a role or the id of a wing. `reasons` are the decisions whose results went into this one.
    """

    day: int
    date: date
    kind: str
    actor: str
    text: str
    rule: Rule
    inputs: dict[str, Any]
    result: Any
    address: Address | None
    draw: float | None
    reasons: tuple[Decision, ...] = ()

    @property
    def decision(self) -> Decision:
        """The decision that the sentence tells of."""
        return Decision(self.day, self.actor, self.rule, self.inputs, self.result, self.address)

    def holds(self) -> bool:
        """Whether rules, draws and the way from the reasons to the decision come out again as they are told."""
        chain = (*self.reasons, self.decision)
        used = [flat(one.inputs.values()) for one in chain]
        leads = all(any(one.result in inputs for inputs in used[place + 1 :]) for place, one in enumerate(self.reasons))
        return leads and self.draw == self.decision.draw and all(comes_out(one) for one in chain)


def flat(values: Iterable[Any]) -> list[Any]:
    """The values, with those inside tuples one by one."""
    return [one for value in values for one in (value if isinstance(value, tuple) else (value,))]


def comes_out(decision: Decision) -> bool:
    """Whether the rule gives the result again, and the address the draw.

    >>> from sim.rules.ladder import breaks_out
    >>> comes_out(Decision(0, "ladder", breaks_out, {"draw": 0.5, "likely": 0.1}, True, None))
    False
    """
    address = decision.address
    if address is not None:
        low, high = split_seed(address.seed)
        if uniform(low, high, *address[1:]) != decision.draw:
            return False
    return bool(decision.rule(**decision.inputs) == decision.result)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What is printed of one day, or of several days on which nothing happened to the target.

    `attacks_elsewhere` maps the ids of wings to the attacks that they made on others than the target.
    """

    first: int
    last: int
    heading: str
    sentences: tuple[Sentence, ...]
    attacks_elsewhere: dict[str, int]

    def flow(self) -> list[tuple[str, str]]:
        """Kind and text of sentences of one kind in a row, joined."""
        runs = groupby(self.sentences, key=lambda one: one.kind)
        return [(kind, " ".join(one.text for one in run)) for kind, run in runs]


@dataclass(frozen=True)
class Chronicle:
    """One history in sentences, in the order in which things happened, and the state of every day of it."""

    title: str
    start: date
    days: int
    sentences: tuple[Sentence, ...]
    states: StateTable
    names: dict[str, str]

    def paragraphs(self) -> list[Paragraph]:
        """The sentences by day; days in a row about which there is nothing to tell share one paragraph."""
        told: list[list[Sentence]] = [[] for _ in range(self.days)]
        for sentence in self.sentences:
            told[sentence.day].append(sentence)
        matters = [any(one.kind != ELSEWHERE for one in day) for day in told]
        spans = groupby(range(self.days), key=lambda day: day if matters[day] else -1)
        return [self._paragraph(list(span), told) for _, span in spans]

    def _paragraph(self, span: Sequence[int], told: list[list[Sentence]]) -> Paragraph:
        sentences = [one for day in span for one in told[day]]
        elsewhere: dict[str, int] = {}
        for one in sentences:
            if one.kind == ELSEWHERE:
                elsewhere[one.actor] = elsewhere.get(one.actor, 0) + int(one.result)
        main = tuple(one for one in sentences if one.kind != ELSEWHERE)
        return Paragraph(span[0], span[-1], self._heading(span[0], span[-1]), main, elsewhere)

    def _heading(self, first: int, last: int) -> str:
        if first == last:
            return f"Day {first}, {spelled(self.date_of(first))}"
        return f"Days {first} to {last}, {spelled(self.date_of(first))} to {spelled(self.date_of(last))}"

    def date_of(self, day: int) -> date:
        """The date of a day number."""
        return date.fromordinal(self.start.toordinal() + day)

    def elsewhere(self, paragraph: Paragraph) -> str:
        """The attacks on others than the target in words; empty where there were none."""
        counts = ", ".join(f"{self.names[wing]} {count}" for wing, count in paragraph.attacks_elsewhere.items())
        return f"Attacks elsewhere: {counts}." if counts else ""

    def lines(self) -> Iterator[str]:
        """The chronicle as plain text."""
        yield self.title
        for paragraph in self.paragraphs():
            flow = [*paragraph.flow(), (ELSEWHERE, self.elsewhere(paragraph))]
            if paragraph.sentences:
                yield paragraph.heading
                yield from (f"  {text}" for _, text in flow if text)
            else:
                yield f"{paragraph.heading}: quiet. {flow[-1][1]}".rstrip()

    def records(self) -> list[dict[str, Any]]:
        """One mapping for each sentence, of plain values that JSON can hold."""
        return [_record(one) for one in self.sentences]

    def to_json(self, path: Path) -> None:
        """Write title and sentences."""
        content = {"title": self.title, "sentences": self.records()}
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def to_csv(self, path: Path) -> None:
        """Write one row for each sentence; inputs, address and reasons as JSON."""
        rows = self.records()
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(RECORD)
            for row in rows:
                writer.writerow(
                    json.dumps(value, allow_nan=False) if isinstance(value, dict | list) else value
                    for value in row.values()
                )


RECORD: Final = ("day", "date", "kind", "actor", "text", "rule", "inputs", "result", "address", "draw", "reasons")
"""Names of what a record holds, in order."""


def _record(sentence: Sentence) -> dict[str, Any]:
    decided = _decided(sentence.decision)
    values = (
        sentence.day, sentence.date.isoformat(), sentence.kind, sentence.actor, sentence.text, decided["rule"],
        decided["inputs"], decided["result"], decided["address"], sentence.draw,
        [{"actor": one.actor, **_decided(one)} for one in sentence.reasons],
    )  # fmt: skip
    return dict(zip(RECORD, values, strict=True))


def _decided(one: Decision) -> dict[str, Any]:
    return {
        "rule": f"{one.rule.__module__}.{one.rule.__qualname__}",
        "inputs": {name: _plain(value) for name, value in one.inputs.items()},
        "result": _plain(one.result),
        "address": None if one.address is None else one.address._asdict(),
    }


def _plain(value: Any) -> Any:
    """A value that JSON can hold: what is infinite becomes text."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def spelled(when: date) -> str:
    """A date in words.

    >>> spelled(date(2024, 1, 28))
    '28 January 2024'
    """
    return f"{when.day} {when:%B} {when.year}"
