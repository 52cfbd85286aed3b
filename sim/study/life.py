"""One history lived with every decision written down."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sim.engine.reference import ReferenceModel, StateTable
from sim.engine.trace import Decision, Rule
from sim.study.chronicle import Sentence
from sim.study.narration import Narrator, Scene
from sim.world.scenario import Scenario

Key = tuple[str, Rule, int]
"""Where a decision stands in its day: who took it, by which rule, for which time."""


@dataclass(frozen=True)
class Life:
    """A history: decisions and sentences by day, and the state of every evening."""

    label: str
    scenario: Scenario
    decisions: tuple[tuple[Decision, ...], ...]
    sentences: tuple[tuple[Sentence, ...], ...]
    states: StateTable

    @property
    def days(self) -> int:
        """Number of days that were lived."""
        return len(self.decisions)

    def placed(self, day: int) -> dict[Key, Decision]:
        """The decisions of a day by where they stand in it, in order."""
        seen: dict[tuple[str, Rule], int] = defaultdict(int)
        found: dict[Key, Decision] = {}
        for one in self.decisions[day] if day < self.days else ():
            found[one.actor, one.rule, seen[one.actor, one.rule]] = one
            seen[one.actor, one.rule] += 1
        return found

    def told(self, decision: Decision) -> str | None:
        """The sentence that tells of a decision; None where it is not told."""
        for sentence in self.sentences[decision.day]:
            if (sentence.actor, sentence.rule, sentence.inputs) == (decision.actor, decision.rule, decision.inputs):
                return sentence.text
        return None


def lived(label: str, scenario: Scenario, seed: int, run: int) -> Life:
    """Live one history.

    Raises:
        ValueError: the seed or the run has no address.
    """
    today: list[Decision] = []
    model: Any = ReferenceModel(scenario, seed, run, trace=today.append)
    narrator = Narrator(Scene(scenario, tuple(wing.name for wing in model.wings if wing.strikable)))
    decisions, sentences = [], []
    while model.running:
        today.clear()
        model.step()
        decisions.append(tuple(today))
        sentences.append(tuple(narrator.tell(today)))
    return Life(label, scenario, tuple(decisions), tuple(sentences), model.state_table())
