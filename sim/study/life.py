"""One history lived with every decision written down, at once or day by day."""

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


class Living:
    """A history that is being lived, day by day, by agents.

    Raises:
        ValueError: the seed or the run has no address.
    """

    def __init__(self, label: str, scenario: Scenario, seed: int, run: int) -> None:
        self._label, self._scenario = label, scenario
        self._today: list[Decision] = []
        self._model: Any = ReferenceModel(scenario, seed, run, trace=self._today.append)
        names = tuple(wing.name for wing in self._model.wings if wing.strikable)
        self._narrator = Narrator(Scene(scenario, names))
        self._decisions: list[tuple[Decision, ...]] = []
        self._sentences: list[tuple[Sentence, ...]] = []

    @property
    def running(self) -> bool:
        """Whether there is another day to live."""
        return bool(self._model.running)

    @property
    def days(self) -> int:
        """Number of days lived so far."""
        return len(self._decisions)

    def step(self) -> None:
        """Live one day.

        Raises:
            RuntimeError: the history has ended.
        """
        self._today.clear()
        self._model.step()
        self._decisions.append(tuple(self._today))
        self._sentences.append(tuple(self._narrator.tell(self._today)))

    def decided(self, day: int) -> tuple[Decision, ...]:
        """The decisions of a day that was lived, in order."""
        return self._decisions[day]

    def told(self, day: int) -> tuple[Sentence, ...]:
        """The sentences of a day that was lived."""
        return self._sentences[day]

    def life(self) -> Life:
        """What was lived so far."""
        states = self._model.state_table()
        return Life(self._label, self._scenario, tuple(self._decisions), tuple(self._sentences), states)


def lived(label: str, scenario: Scenario, seed: int, run: int) -> Life:
    """Live one history to its end.

    Raises:
        ValueError: the seed or the run has no address.
    """
    living = Living(label, scenario, seed, run)
    while living.running:
        living.step()
    return living.life()
