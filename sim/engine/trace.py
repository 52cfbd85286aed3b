"""The rules as an actor of the reference model holds them: plain, or recorded for a listener.

Plain, they are the modules of `sim.rules` themselves, so a run without a listener pays nothing for it.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from sim.numbers.philox import compiled_uniform
from sim.rules import casualties, ladder, mediator, militia, observation, patron, rates, rival, samplers, target

Rule = Callable[..., Any]
UniformFunction = Callable[[int, int, int, int, int, int], float]


class DrawAddress(NamedTuple):
    """Where a draw is found: study seed, run, day, number of the actor, number of the decision."""

    seed: int
    run: int
    day: int
    actor: int
    decision: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule that an actor applied on one day.

    `actor` is a role or the id of a wing, `inputs` are the rule's arguments by name. Where chance took part, the draw
    is among the inputs under the name `draw` and `address` says where it was found.
    """

    day: int
    actor: str
    rule: Rule
    inputs: dict[str, Any]
    result: Any
    address: DrawAddress | None

    @property
    def draw(self) -> float | None:
        """The draw that took part; None where chance did not."""
        return None if self.address is None else float(self.inputs["draw"])


Listener = Callable[[Decision], None]


class Rulebook(SimpleNamespace):
    """Everything that an actor may apply, by role. Each is a module, or a traced module."""


RULES: Final = Rulebook(
    patron=patron, militia=militia, target=target, mediator=mediator, rival=rival, casualties=casualties,
    observation=observation, ladder=ladder, rates=rates, samplers=samplers,
)  # fmt: skip


class TraceRecorder:
    """Passes every rule applied in one history to a listener, with the addresses of its random numbers.

    `today` gives the number of the current day.
    """

    def __init__(self, listener: Listener, today: Callable[[], int]) -> None:
        self._listener = listener
        self._today = today
        self._addresses: dict[float, DrawAddress] = {}

    def uniform(self, seed_low: int, seed_high: int, run: int, day: int, actor: int, decision: int) -> float:
        """The random number at an address, which is remembered."""
        value = compiled_uniform(seed_low, seed_high, run, day, actor, decision)
        self._addresses[value] = DrawAddress(seed_low | seed_high << 32, run, day, actor, decision)
        return value

    def rules_of(self, actor: str, rules: Rulebook = RULES) -> Rulebook:
        """The rules, recorded while this actor applies them."""
        ours = vars(RULES)
        return Rulebook(**{role: TracedModule(self, actor, one, ours[role]) for role, one in vars(rules).items()})

    def apply(self, actor: str, rule: Rule, original: Rule, values: tuple[Any, ...]) -> Any:
        """Apply a rule and pass it to the listener as `original`, the model's own where an extension replaced it."""
        inputs = dict(zip(parameters(original), values, strict=True))
        result = rule(*values)
        address = self._addresses.get(inputs["draw"]) if "draw" in inputs else None
        self._listener(Decision(self._today(), actor, original, inputs, result, address))
        return result


class TracedModule:
    """A module of rules, each of which informs the recorder when it is applied; `ours` is the model's own."""

    def __init__(self, recorder: TraceRecorder, actor: str, module: Any, ours: Any) -> None:
        self._recorder, self._actor, self._module, self._ours = recorder, actor, module, ours

    def __getattr__(self, name: str) -> Rule:
        rule, original = getattr(self._module, name), getattr(self._ours, name)
        return lambda *values: self._recorder.apply(self._actor, rule, original, values)


@cache
def parameters(rule: Rule) -> tuple[str, ...]:
    """Names of a rule's arguments, in order."""
    return tuple(inspect.signature(rule).parameters)
