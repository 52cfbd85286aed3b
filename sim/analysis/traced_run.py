"""One history simulated by the reference model with every decision written down, at once or day by day; `replay`."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sim.analysis.narrative import Chronicle, NarratedDay, Sentence, narrate
from sim.engine.reference.model import ReferenceModel, StateTable
from sim.engine.trace import Decision, Rule
from sim.experiment.parameter_sets import drawn_of
from sim.model.scenario import Config, Scenario, keyed_title, titled
from sim.rules.rates import hazard_limit

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
    def title(self) -> str:
        """What it is a history of, in words."""
        return titled(self.label)

    @property
    def days(self) -> int:
        """Number of days that were simulated."""
        return len(self.decisions)

    def placed(self, day: int) -> dict[Key, Decision]:
        """The decisions of a day by where they stand in it, in order."""
        seen: dict[tuple[str, Rule], int] = defaultdict(int)
        found: dict[Key, Decision] = {}
        for one in self.decisions[day] if day < self.days else ():
            found[one.actor, one.rule, seen[one.actor, one.rule]] = one
            seen[one.actor, one.rule] += 1
        return found

    def sentence_on(self, decision: Decision) -> str | None:
        """The sentence about a decision; None where there is none."""
        for sentence in self.sentences[decision.day]:
            if (sentence.actor, sentence.rule, sentence.inputs) == (decision.actor, decision.rule, decision.inputs):
                return sentence.text
        return None


class Living:
    """A history that agents simulate day by day: decisions in order and sentences of every day so far."""

    def __init__(self, label: str, scenario: Scenario, seed: int, run: int) -> None:
        self._label, self._scenario = label, scenario
        self._today: list[Decision] = []
        self._model: Any = ReferenceModel(scenario, seed, run, trace=self._today.append)
        self._strikable = tuple(wing.name for wing in self._model.wings if wing.strikable)
        # Random numbers of whole episodes; those of the first are drawn before the first day.
        self._limits: dict[tuple[str, float], Decision] = {}
        self._note_limits()
        self.decisions: list[tuple[Decision, ...]] = []
        self.sentences: list[tuple[Sentence, ...]] = []

    @property
    def running(self) -> bool:
        """Whether there is another day to live."""
        return bool(self._model.running)

    @property
    def days(self) -> int:
        """Number of days simulated so far."""
        return len(self.decisions)

    def step(self) -> None:
        """Live one day."""
        self._today.clear()
        self._model.step()
        self._note_limits()
        before = self.decisions[-1] if self.decisions else ()
        self.decisions.append(tuple(self._today))
        day = NarratedDay(self._scenario, self._strikable, self._today, before, self._limits)
        self.sentences.append(tuple(narrate(day)))

    def _note_limits(self) -> None:
        self._limits |= {(one.actor, one.result): one for one in self._today if one.rule is hazard_limit}

    def life(self) -> Life:
        """What was simulated so far."""
        states = self._model.state_table()
        return Life(self._label, self._scenario, tuple(self.decisions), tuple(self.sentences), states)


def trace_run(label: str, scenario: Scenario, seed: int, run: int) -> Life:
    """Live one history to its end."""
    living = Living(label, scenario, seed, run)
    while living.running:
        living.step()
    return living.life()


def chronicle_of(config: Config, run: int) -> Chronicle:
    """One history in sentences; it is the compiled engine's run of that number, state for state.

    Raises:
        ValueError: the run has no address.
    """
    scenario = scenario_of_run(config, run)
    life = trace_run(scenario.name, scenario, config.seed, run)
    return Chronicle(
        title=f"{keyed_title(scenario.name)}: run {run} of seed {config.seed}",
        start=scenario.calendar.start,
        days=life.days,
        sentences=tuple(sentence for day in life.sentences for sentence in day),
        states=life.states,
        names={key: wing.name for key, wing in scenario.cast.wings.items()},
    )


def scenario_of_run(config: Config, run: int) -> Scenario:
    """The scenario with the numbers that one history of a configuration has."""
    return drawn_of(config).scenario(config.scenario, run)
