"""What an extension does each day, worked out once for all engines.

All numbers of an extension stand in one row per history, `mine`: parameters, the model's own values of the numbers that
it changes, states, outcomes that are added up. A `Task` is one function applied at one moment: where its arguments come
from, what its result replaces, and whether it is applied once, for each theatre or for each wing in turn.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sim.engine.extension.replaced import check_replaced
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.numbers.chance import actor_id
from sim.rules.outcomes import DERIVED, RECORDED
from sim.world.errors import UserError, one_of
from sim.world.extension import ActorType, Change, Extended, Mechanism, Tallied
from sim.world.extension.declared import Function, Scope

TODAY_NAMES: Final = ("intensity", "talks", "acts")
FRONT_NAMES: Final = ("surge", "supply", "stance")
STOCKS: Final[Mapping[Scope, tuple[str, ...]]] = {
    "run": ("war_risk", "pressure", "provocation", "pending", "quiet_days", "ordered_attacks", "recent_rung", "acts"),
    "theatre": ("order",),
    "wing": ("compliance", "fear", "grievance", "capacity", "recent"),
}
"""States of the model that may be changed: what is carried on, not what the day works out anew."""

TAKEN: Final = (
    "run", "point", "sample", "policy", "wing", "theatre", "window", "day", "date", "week", "attacks", "compliance_lag",
    "weekly_histogram", *(f"{place}_{what}" for place in ("wing", "theatre") for what in ("attacks", "acknowledged")),
    "attacks_by_day", "acknowledged_by_day", "wing_theatre", "theatre_kind", "week_start",
)  # fmt: skip
"""What variables and dimensions of results are called beside outcomes."""

OWN: Final = 2**33
"""Decisions from here on belong to extensions, by the hash of their names: far above all numbers of the model."""

TOGETHER: Final = ("numbers.exposure", "numbers.tail_span", "numbers.tail_power")
"""Numbers that only mean something together: the law of how many an attack kills. They stay as they are."""

RANK: Final = {"run": 0, "theatre": 1, "wing": 2}


class Place(NamedTuple):
    """Where a number is found.

    `kind` is `mine` (row `at` and those after it, one per theatre or wing), `state` (of the model, by name), `numbers`
    (of the table, by name), `today`, `front`, `day`, `now` or `draw` (`at` is the decision, `who` the actor).
    """

    kind: str
    scope: Scope = "run"
    name: str = ""
    at: int = 0
    who: int = 0


class Task(NamedTuple):
    """One function of a user's, applied at one moment of the day; `each` says for how many."""

    moment: str
    function: Function
    arguments: tuple[Place, ...]
    target: Place
    each: Scope


class Reset(NamedTuple):
    """A number of the model that the day begins with, as the configuration makes it; `at` is its row in `mine`."""

    name: str
    scope: Scope
    at: int


class Sizes(NamedTuple):
    """How many theatres and wings there are."""

    theatres: int
    wings: int

    def of(self, scope: Scope) -> int:
        """Rows that a number of this scope takes."""
        return {"run": 1, "theatre": self.theatres, "wing": self.wings}[scope]


@dataclass(frozen=True)
class Plan:
    """The rows of `mine`, and what is done when.

    `parameters`, `states` and `outcomes` give the first row of each by name; `starts` the value of every row at the
    beginning, apart from parameters and the model's own numbers.
    """

    sizes: Sizes
    rows: int
    parameters: dict[str, int]
    resets: tuple[Reset, ...]
    states: dict[str, tuple[int, Scope]]
    outcomes: dict[str, int]
    starts: dict[int, float]
    tasks: tuple[Task, ...]

    def at(self, moment: str) -> tuple[Task, ...]:
        """What is done at one moment, in order."""
        return tuple(task for task in self.tasks if task.moment == moment)


def numbers_known() -> dict[str, tuple[str, Scope]]:
    """The numbers of the table that may be changed: name and scope by the key that a user writes."""
    from sim.engine.table import NUMBERS, THEATRE_NUMBERS, WING_NUMBERS

    return (
        _listed("numbers.", "run", NUMBERS)
        | _listed("theatres.", "theatre", THEATRE_NUMBERS)
        | _listed("wings.", "wing", WING_NUMBERS)
    )


def states_known() -> dict[str, tuple[str, Scope]]:
    """The states of the model that may be read, by the names of the state table."""
    return (
        _listed("", "run", RUN_STATE)
        | _listed("theatre_", "theatre", THEATRE_STATE)
        | _listed("wing_", "wing", WING_STATE)
    )


def _listed(prefix: str, scope: Scope, kind: "np.dtype[np.void]") -> dict[str, tuple[str, Scope]]:
    return {f"{prefix}{name}": (name, scope) for name in kind.names or () if f"{prefix}{name}" not in TOGETHER}


def plan_of(extended: Extended, sizes: Sizes) -> Plan:
    """Work out rows and tasks.

    Raises:
        UserError: a function asks for what there is not, or something changes or replaces what may not be changed.
    """
    check_replaced(extended.rules)
    check_outcomes(extended)
    return _Planner(extended, sizes).plan()


def check_outcomes(extended: Extended) -> None:
    """Refuse outcomes under a name of ours, and those that ask for others than ours and those before them.

    Raises:
        UserError: the first of them.
    """
    known = [one.name for one in (*RECORDED, *DERIVED)]
    for one in extended.outcomes:
        if one.name in (*known, *TAKEN):
            raise UserError("outcome", one.name, "a name that no outcome or variable of the model has")
        function = one.at_end if isinstance(one, Tallied) else one.by
        asked = () if function is None else tuple(inspect.signature(function).parameters)
        allowed = ("now", *known) if isinstance(one, Tallied) else tuple(known)
        for name in asked:
            if name not in allowed:
                raise UserError(f"outcome {one.name}", f"argument {name}", one_of(allowed, name))
        known.append(one.name)


class _Planner:
    def __init__(self, extended: Extended, sizes: Sizes) -> None:
        self.extended, self.sizes = extended, sizes
        self.rows = 0
        self.parameters = {key: self._take("run") for key in extended.values}
        self.resets: dict[str, Reset] = {}
        self.states: dict[str, tuple[int, Scope]] = {}
        self.outcomes: dict[str, int] = {}
        self.starts: dict[int, float] = {}
        self.tasks: list[Task] = []
        self.decisions: dict[int, str] = {}

    def plan(self) -> Plan:
        for one in self.extended.mechanisms:
            actors = self.extended.actors.get(one.name, ())
            prefixes = [f"{one.name}.{actor}" for actor in actors] if isinstance(one, ActorType) else [one.name]
            for prefix in prefixes:
                self._mechanism(one, prefix)
        for outcome in self.extended.outcomes:
            if isinstance(outcome, Tallied):
                self._tallied(outcome)
        return Plan(
            self.sizes, self.rows, self.parameters, tuple(self.resets.values()), self.states, self.outcomes,
            self.starts, tuple(self.tasks),
        )  # fmt: skip

    def _take(self, scope: Scope) -> int:
        first = self.rows
        self.rows += self.sizes.of(scope)
        return first

    def _mechanism(self, one: Mechanism, prefix: str) -> None:
        own: dict[str, Place] = {}
        for name in one.parameters:
            own[name] = Place("mine", "run", name, self.parameters[f"{prefix}.{name}"])
        for state in one.states:
            row = self._take(state.per)
            self.states[f"{prefix}.{state.name}"] = (row, state.per)
            self.starts |= dict.fromkeys(range(row, row + self.sizes.of(state.per)), state.start)
            own[state.name] = Place("mine", state.per, state.name, row)
        if one.name not in self.extended.off:
            for change in one.changes:
                self._change(one, prefix, change, own)

    def _change(self, one: Mechanism, prefix: str, change: Change, own: Mapping[str, Place]) -> None:
        key = f"{one.name}: change of {change.what}"
        target = self._target(key, change, own, {state.name for state in one.states})
        lone = isinstance(one, ActorType)
        self._task(key, prefix, change.at, change.by, target, own, ("run",) if lone else ("run", "wing"))

    def _target(self, key: str, change: Change, own: Mapping[str, Place], states: set[str]) -> Place:
        if change.what in states:
            return own[change.what]
        numbers = numbers_known()
        stocks = {
            name: (bare, scope) for name, (bare, scope) in states_known().items() if bare in STOCKS[scope]
        }  # fmt: skip
        if change.what not in numbers and change.what not in stocks:
            raise UserError(key, change.what, one_of((*states, *stocks, *numbers), change.what))
        if change.at != "morning":
            raise UserError(key, change.at, "morning: what the model knows changes before the day begins")
        if change.what in stocks:
            name, scope = stocks[change.what]
            return Place("state", scope, name)
        name, scope = numbers[change.what]
        if change.what not in self.resets:
            self.resets[change.what] = Reset(name, scope, self._take(scope))
        return Place("numbers", scope, name)

    def _tallied(self, outcome: Tallied) -> None:
        row = self._take("run")
        self.outcomes[outcome.name] = row
        self.starts[row] = outcome.start
        target = Place("mine", "run", outcome.name, row)
        visible = {
            key.rpartition(".")[2]: Place("mine", scope, key, at)
            for key, (at, scope) in self.states.items()
            if key.count(".") == 1
        }
        self._task(f"outcome {outcome.name}", outcome.name, "evening", outcome.each_day, target, visible, ())

    def _task(
        self, key: str, prefix: str, moment: str, function: Function, target: Place, own: Mapping[str, Place],
        chances: tuple[Scope, ...],
    ) -> None:  # fmt: skip
        """Make a task; it may draw where it is applied for one of `chances`."""
        names = tuple(inspect.signature(function).parameters)
        places = [self._argument(key, moment, name, own) for name in names if name != "draw"]
        each: Scope = max((target.scope, *(place.scope for place in places)), key=lambda scope: RANK[scope])
        if "draw" in names and each not in chances:
            raise UserError(key, "argument draw", "draws of mechanisms and actors, not for each theatre or outcome")
        found = iter(places)
        decision = f"{key} by {function.__name__}"
        arguments = tuple(self._draw(decision, prefix, each) if name == "draw" else next(found) for name in names)
        self.tasks.append(Task(moment, function, arguments, target, each))

    def _argument(self, key: str, moment: str, name: str, own: Mapping[str, Place]) -> Place:
        if name in own:
            return own[name]
        if name in ("now", "day"):
            return Place(name)
        if name.startswith("today_") and name[6:] in TODAY_NAMES:
            return Place("today", "run", name[6:])
        if name.startswith("theatre_") and name[8:] in FRONT_NAMES:
            return Place("front", "theatre", name[8:])
        known = states_known()
        if name in known and not (name == "wing_recent" and moment == "attacks"):
            return Place("state", known[name][1], known[name][0])
        others = ("now", "day", "draw", *(f"today_{one}" for one in TODAY_NAMES))
        fronts = tuple(f"theatre_{one}" for one in FRONT_NAMES)
        raise UserError(key, f"argument {name}", one_of((*own, *others, *known, *fronts), name))

    def _draw(self, key: str, prefix: str, each: Scope) -> Place:
        """A decision of its own, numbered by its name far above those of the model."""
        decision = OWN + actor_id(key)
        if self.decisions.setdefault(decision, key) != key:
            raise UserError(key, "draw", "another name: its number is taken")
        return Place("draw", each, key, decision, actor_id(prefix))
