"""What an extension does each day, worked out once for all engines.

All numbers of an extension stand in one row per history, `extras`: parameters, the model's own values of the numbers
that it changes, states, outcomes that are added up. A `Task` is one function applied at one moment: where its arguments
come from, what its result replaces, and whether it is applied once, for each theatre or for each wing in turn.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.core.errors import NumbaError

from sim.engine.columns import NUMBERS, THEATRE_NUMBERS, WING_NUMBERS, FrontToday
from sim.engine.extension.replacement import composed, make_jittable, replaced_rules
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.model.declared_outcomes import DERIVED, RECORDED
from sim.model.extension import (
    ActiveExtensions,
    ActorType,
    Change,
    Derived,
    Function,
    Mechanism,
    Moment,
    Scope,
    Series,
    Tallied,
)
from sim.model.validation import UserError, one_of
from sim.numbers.compiled import part
from sim.numbers.philox import actor_id, own_decision
from sim.rules.decisions import MAX_ATTACKS

Array = npt.NDArray[Any]

TODAY_NAMES: Final = ("intensity", "talks", "acts")
FRONT_NAMES: Final = FrontToday._fields
CHANGEABLE_STATES: Final[Mapping[str, Moment]] = {
    **dict.fromkeys(
        (
            "war_risk", "release_hazard", "pressure", "provocation", "pending", "quiet_days", "ordered_attacks",
            "recent_rung", "war_hazard", "acts",
            "theatre_order", "wing_compliance", "wing_fear", "wing_grievance", "wing_capacity", "wing_recent",
        ),
        "morning",
    ),
    "wing_attacks": "launch",
    **dict.fromkeys(("injured", "killed", "lethal"), "attacks"),
    "wing_struck": "strikes",
}  # fmt: skip
"""States of the model that may be changed, and when: in the morning what is carried on; during the day attacks before
they land, casualties before anybody knows of them, and strikes before wings feel them."""

BOUNDS: Final = {"attacks": MAX_ATTACKS, "injured": 10**6, "killed": 10**6, "lethal": 10**6, "struck": 100}
"""Most that a function may make of what happens today, all but strikes in whole numbers; the least is 0."""

TAKEN: Final = (
    "run", "point", "sample", "policy", "wing", "theatre", "window", "day", "date", "week", "attacks", "compliance_lag",
    "weekly_histogram", *(f"{place}_{what}" for place in ("wing", "theatre") for what in ("attacks", "acknowledged")),
    "attacks_by_day", "acknowledged_by_day", "wing_theatre", "theatre_kind", "week_start",
)  # fmt: skip
"""Names of variables and dimensions of results other than outcomes."""

JOINT_NUMBERS: Final = ("numbers.exposure", "numbers.tail_span", "numbers.tail_power")
"""Numbers that only mean something together: the law of how many an attack kills. They stay as they are."""

RANK: Final = {"run": 0, "theatre": 1, "wing": 2}
_FREE: Final = "a name that no outcome or variable of the model has"


class Slot(NamedTuple):
    """Where a number is found.

    `kind` is `extras` (row `at` and those after it, one per theatre or wing), `state` (of the model, by name),
    `numbers` (of the table, by name), `today`, `front`, `day`, `now` or `draw` (`at` is the decision, `who` the actor).
    """

    kind: str
    scope: Scope = "run"
    name: str = ""
    at: int = 0
    who: int = 0


class Task(NamedTuple):
    """One function of a user's, applied at one moment; `each` says for how many, `wings` for which (none: all)."""

    moment: str
    function: Function
    arguments: tuple[Slot, ...]
    target: Slot
    each: Scope
    wings: tuple[int, ...]


class Reset(NamedTuple):
    """A number of the model that the day begins with, as the configuration makes it; `at` is its row in `extras`."""

    name: str
    scope: Scope
    at: int


@dataclass(frozen=True)
class ExtensionPlan:
    """The rows of `extras`, and what is done when.

    `parameters`, `states`, `outcomes` and `series` give the first row of each by name; `starts` the value of every row
    at the beginning, apart from parameters and the model's own numbers. Rows are the same with any mechanisms switched
    off; those of numbers that nothing changes then are idle.
    """

    rows: int
    parameters: dict[str, int]
    resets: tuple[Reset, ...]
    states: dict[str, tuple[int, Scope]]
    outcomes: dict[str, int]
    series: dict[str, int]
    starts: dict[int, float]
    tasks: tuple[Task, ...]

    def at(self, moment: str) -> tuple[Task, ...]:
        """What is done at one moment, in order."""
        return tuple(task for task in self.tasks if task.moment == moment)


def changeable_numbers() -> dict[str, tuple[str, Scope]]:
    """The numbers of the table that may be changed: name and scope by the key that a user writes."""
    return (
        _listed("numbers.", "run", NUMBERS)
        | _listed("theatres.", "theatre", THEATRE_NUMBERS)
        | _listed("wings.", "wing", WING_NUMBERS)
    )


def readable_states() -> dict[str, tuple[str, Scope]]:
    """The states of the model that may be read, by the names of the state table."""
    return (
        _listed("", "run", RUN_STATE)
        | _listed("theatre_", "theatre", THEATRE_STATE)
        | _listed("wing_", "wing", WING_STATE)
    )


def _listed(prefix: str, scope: Scope, kind: "np.dtype[np.void]") -> dict[str, tuple[str, Scope]]:
    return {f"{prefix}{name}": (name, scope) for name in kind.names or () if f"{prefix}{name}" not in JOINT_NUMBERS}


def plan_of(extended: ActiveExtensions) -> ExtensionPlan:
    """Work out rows and tasks.

    Raises:
        UserError: a function asks for what there is not, or something changes or replaces what may not be changed.
    """
    replaced_rules(extended)
    check_outcomes(extended)
    return _Planner(extended).plan()


def check_outcomes(extended: ActiveExtensions) -> None:
    """Refuse outcomes under a name of ours, and those that ask for others than ours and those before them.

    Raises:
        UserError: the first of them.
    """
    known = [one.name for one in (*RECORDED, *DERIVED)]
    for one in extended.outcomes:
        if one.name in (*known, *TAKEN):
            raise UserError("outcome", one.name, _FREE)
        function = one.at_end if isinstance(one, Tallied) else one.by
        asked = () if function is None else tuple(inspect.signature(function).parameters)
        allowed = ("now", *known) if isinstance(one, Tallied) else tuple(known)
        for name in asked:
            if name not in allowed:
                raise UserError(f"outcome {one.name}", f"argument {name}", one_of(allowed, name))
        known.append(one.name)
    for series in extended.series:
        if series.name in (*known, *TAKEN):
            raise UserError("series", series.name, _FREE)


class _Planner:
    def __init__(self, extended: ActiveExtensions) -> None:
        self.extended = extended
        self.rows = 0
        self.parameters = {key: self._take("run") for key in extended.values}
        self.resets: dict[str, Reset] = {}
        self.changed: set[str] = set()
        self.states: dict[str, tuple[int, Scope]] = {}
        self.outcomes: dict[str, int] = {}
        self.series: dict[str, int] = {}
        self.starts: dict[int, float] = {}
        self.tasks: list[Task] = []
        self.decisions: dict[int, str] = {}

    def plan(self) -> ExtensionPlan:
        for one in self.extended.mechanisms:
            actors = self.extended.actors.get(one.name, ())
            prefixes = [f"{one.name}.{actor}" for actor in actors] if isinstance(one, ActorType) else [one.name]
            for prefix in prefixes:
                self._mechanism(one, prefix)
        for outcome in self.extended.outcomes:
            if isinstance(outcome, Tallied):
                self.outcomes[outcome.name] = self._evening(outcome)
        for series in self.extended.series:
            self.series[series.name] = self._evening(series)
        return ExtensionPlan(
            self.rows, self.parameters, tuple(one for key, one in self.resets.items() if key in self.changed),
            self.states, self.outcomes, self.series, self.starts, tuple(self.tasks),
        )  # fmt: skip

    def _take(self, scope: Scope) -> int:
        first = self.rows
        self.rows += self.extended.count(scope)
        return first

    def _mechanism(self, one: Mechanism, prefix: str) -> None:
        own: dict[str, Slot] = {}
        for name in one.parameters:
            own[name] = Slot("extras", "run", name, self.parameters[f"{prefix}.{name}"])
        for state in one.states:
            row = self._take(state.per)
            self.states[f"{prefix}.{state.name}"] = (row, state.per)
            self.starts |= dict.fromkeys(range(row, self.rows), state.start)
            own[state.name] = Slot("extras", state.per, state.name, row)
        for change in one.changes:
            self._change(one, prefix, change, own)

    def _change(self, one: Mechanism, prefix: str, change: Change, own: Mapping[str, Slot]) -> None:
        key = f"{one.name}: change of {change.what}"
        if wrong := [wing for wing in change.wings if wing not in self.extended.wings]:
            raise UserError(key, f"wings {wrong[0]}", one_of(self.extended.wings, wrong[0]))
        target = self._target(key, change, own, {state.name for state in one.states})
        if one.name in self.extended.off:
            return
        self.changed.add(change.what)
        lone = isinstance(one, ActorType)
        self._task(key, prefix, change, target, own, ("run",) if lone else ("run", "wing"))

    def _target(self, key: str, change: Change, own: Mapping[str, Slot], states: set[str]) -> Slot:
        if change.what in states:
            return own[change.what]
        numbers = changeable_numbers()
        if change.what not in numbers and change.what not in CHANGEABLE_STATES:
            raise UserError(key, change.what, one_of((*states, *CHANGEABLE_STATES, *numbers), change.what))
        moment = CHANGEABLE_STATES.get(change.what, "morning")
        if change.at != moment:
            raise UserError(key, change.at, f"at={moment}: at no other moment of a day may it change")
        if change.what in CHANGEABLE_STATES:
            name, scope = readable_states()[change.what]
            return Slot("state", scope, name)
        name, scope = numbers[change.what]
        if change.what not in self.resets:
            self.resets[change.what] = Reset(name, scope, self._take(scope))
        return Slot("numbers", scope, name)

    def _evening(self, outcome: Tallied | Series) -> int:
        """Make the task of what is worked out every evening; its row."""
        row = self._take("run")
        self.starts[row] = outcome.start
        target = Slot("extras", "run", outcome.name, row)
        visible = {
            key.rpartition(".")[2]: Slot("extras", scope, key, at)
            for key, (at, scope) in self.states.items()
            if key.count(".") == 1
        }
        change = Change(outcome.name, outcome.each_day, "evening")
        self._task(f"outcome {outcome.name}", outcome.name, change, target, visible, ())
        return row

    def _task(
        self, key: str, prefix: str, change: Change, target: Slot, own: Mapping[str, Slot], chances: tuple[Scope, ...]
    ) -> None:
        """Make a task; it may draw where it is applied for one of `chances`, or to one wing alone."""
        names = tuple(inspect.signature(change.by).parameters)
        places = [self._argument(key, change.at, name, own) for name in names if name != "draw"]
        each: Scope = max((target.scope, *(place.scope for place in places)), key=lambda scope: RANK[scope])
        if change.wings and each != "wing":
            raise UserError(key, f"wings {', '.join(change.wings)}", "wings only where something of a wing is read")
        draws: Scope = each if each in chances or not chances or len(change.wings) != 1 else "run"
        if "draw" in names and draws not in chances:
            allowed = "draws of mechanisms, and of actors for the run or one wing; not for each theatre or outcome"
            raise UserError(key, "argument draw", allowed)
        found = iter(places)
        decision = f"{key} by {change.by.__name__}"
        arguments = tuple(self._draw(decision, prefix, draws) if name == "draw" else next(found) for name in names)
        wings = tuple(sorted(map(self.extended.wings.index, change.wings)))
        self.tasks.append(Task(change.at, change.by, arguments, target, each, wings))

    def _argument(self, key: str, moment: str, name: str, own: Mapping[str, Slot]) -> Slot:
        if name in own:
            return own[name]
        if name in ("now", "day"):
            return Slot(name)
        if name.startswith("today_") and name[6:] in TODAY_NAMES:
            return Slot("today", "run", name[6:])
        if name.startswith("theatre_") and name[8:] in FRONT_NAMES:
            return Slot("front", "theatre", name[8:])
        known = readable_states()
        if name in known and not (name == "wing_recent" and moment == "attacks"):
            return Slot("state", known[name][1], known[name][0])
        others = ("now", "day", "draw", *(f"today_{one}" for one in TODAY_NAMES))
        fronts = tuple(f"theatre_{one}" for one in FRONT_NAMES)
        raise UserError(key, f"argument {name}", one_of((*own, *others, *known, *fronts), name))

    def _draw(self, key: str, prefix: str, each: Scope) -> Slot:
        """A decision of its own, numbered by its name far above those of the model."""
        decision = own_decision(key)
        if self.decisions.setdefault(decision, key) != key:
            raise UserError(key, "draw", "another name: its number is taken")
        return Slot("draw", each, key, decision, actor_id(prefix))


def extension_outcomes(extended: ActiveExtensions, extras: Array, known: Mapping[str, Array]) -> dict[str, Array]:
    """Every outcome of the extensions (run,), float64, from their numbers at the end (run, R) and the outcomes `known`.

    Raises:
        UserError: a function cannot be compiled.
    """
    plan, found = plan_of(extended), dict(known)
    for one in extended.outcomes:
        if isinstance(one, Derived):
            found[one.name] = _applied(one.name, one.by, found)
        else:
            last = extras[:, plan.outcomes[one.name]].copy()
            found[one.name] = last if one.at_end is None else _applied(one.name, one.at_end, {**found, "now": last})
    return {one.name: found[one.name] for one in extended.outcomes}


def _applied(name: str, function: Function, columns: Mapping[str, Array]) -> Array:
    """A function applied to columns (run,) that its arguments name."""
    asked = tuple(inspect.signature(function).parameters)
    if not asked:
        raise UserError(f"outcome {name}", "(no arguments)", "a function of one outcome or more")
    given = np.array([columns[one] for one in asked], dtype=np.float64)
    out = np.empty(given.shape[1])
    try:
        _loop(function, len(asked))(given, out)
    except NumbaError as problem:
        line = str(problem).strip().splitlines()[0]
        raise UserError(f"outcome {name}", function.__name__, f"functions that can be compiled ({line})") from None
    return out


@lru_cache(maxsize=64)
def _loop(function: Function, count: int) -> Any:
    """A compiled loop that applies a function to columns (count, run)."""
    each = composed(make_jittable(function), [_column(number) for number in range(count)])

    def loop(given: Array, out: Array) -> None:
        for i in range(len(out)):
            out[i] = each(given, i)

    return njit(nogil=True, error_model="numpy")(loop)


def _column(number: int) -> Any:
    return part(lambda given, i: given[number, i])
