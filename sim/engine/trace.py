"""The rules as an actor of the reference model holds them: plain, or watched by a listener.

Plain, they are the modules of `sim.rules` themselves, so watching costs nothing where nobody listens.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, NamedTuple

from sim.engine import samplers
from sim.numbers.chance import draw
from sim.rules import casualties, ladder, mediator, militia, observation, patron, rates, rival, target

Rule = Callable[..., Any]
Chance = Callable[[int, int, int, int, int, int], float]


class Address(NamedTuple):
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
    address: Address | None

    @property
    def draw(self) -> float | None:
        """The draw that took part; None where chance did not."""
        return None if self.address is None else float(self.inputs["draw"])


Listener = Callable[[Decision], None]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that an actor may apply, by role. Each is a module, or a module watched."""

    patron: Any
    militia: Any
    target: Any
    mediator: Any
    rival: Any
    casualties: Any
    observation: Any
    ladder: Any
    rates: Any
    samplers: Any

    @property
    def modules(self) -> tuple[Any, ...]:
        """All of them, in order."""
        return tuple(getattr(self, one.name) for one in fields(self))


RULES: Final = Rulebook(
    patron, militia, target, mediator, rival, casualties, observation, ladder, rates, samplers
)  # fmt: skip


class Witness:
    """Tells a listener of every rule applied in one history, and where the draws in it were found.

    `today` gives the number of the day that is being lived.
    """

    def __init__(self, listener: Listener, today: Callable[[], int], rules: Rulebook = RULES) -> None:
        self._listener = listener
        self._today = today
        self._rules = rules
        self._addresses: dict[float, Address] = {}

    def chance(self, seed_low: int, seed_high: int, run: int, day: int, actor: int, decision: int) -> float:
        """The draw at an address, whose address is remembered."""
        value = draw(seed_low, seed_high, run, day, actor, decision)
        self._addresses[value] = Address(seed_low | seed_high << 32, run, day, actor, decision)
        return value

    def rules_of(self, actor: str) -> Rulebook:
        """The rules, watched while this actor applies them."""
        pairs = zip(self._rules.modules, RULES.modules, strict=True)
        return Rulebook(*(Watched(self, actor, module, ours) for module, ours in pairs))

    def apply(self, actor: str, rule: Rule, told: Rule, values: tuple[Any, ...]) -> Any:
        """Apply a rule and tell the listener, of the rule `told`: the model's, where an extension replaced it."""
        inputs = dict(zip(parameters(rule), values, strict=True))
        result = rule(*values)
        address = self._addresses.get(inputs["draw"]) if "draw" in inputs else None
        self._listener(Decision(self._today(), actor, told, inputs, result, address))
        return result


class Watched:
    """A module of rules, each of which tells the witness when it is applied; `ours` is the model's own."""

    def __init__(self, witness: Witness, actor: str, module: Any, ours: Any) -> None:
        self._witness, self._actor, self._module, self._ours = witness, actor, module, ours

    def __getattr__(self, name: str) -> Rule:
        rule, told = getattr(self._module, name), getattr(self._ours, name)
        return lambda *values: self._witness.apply(self._actor, rule, told, values)


@cache
def parameters(rule: Rule) -> tuple[str, ...]:
    """Names of a rule's arguments, in order."""
    return tuple(inspect.signature(rule).parameters)
