"""What extensions add to the reference model: their numbers, and their functions applied to the agents."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.engine.extension.plan import BOUNDS, ExtensionPlan, Slot, Task, plan_of
from sim.engine.extension.replacement import replaced_rules, rule_modules
from sim.engine.inputs import LaterNumbers
from sim.engine.trace import RULES, Rulebook
from sim.model.extension import ActiveExtensions, Scope
from sim.numbers.arithmetic import bounded

if TYPE_CHECKING:
    from sim.engine.reference.model import ReferenceModel


def rulebooks_of(extended: ActiveExtensions) -> dict[str, Rulebook]:
    """The rules with those of the extensions in place of some of ours, by wing; for all others under ""."""
    found = {}
    for wing, rules in replaced_rules(extended).items():
        swapped = rule_modules(rules)
        found[wing] = Rulebook(**{role: swapped.get(module.__name__, module) for role, module in vars(RULES).items()})
    return found


class ExtensionHooks:
    """The numbers of the extensions in one history, `extras`, and what happens to them and through them each day."""

    def __init__(self, model: "ReferenceModel", extended: ActiveExtensions, extras: list[float]) -> None:
        self.model, self.extras, self.plan = model, extras, plan_of(extended)

    def renew(self, later: LaterNumbers, point: int) -> None:
        """Parameters, and numbers as the configuration makes them, become those of a later stage."""
        for row in later.rows.tolist():
            self.extras[row] = float(later.extras[point, row])

    def act(self, moment: str) -> bool:
        """Apply all that is applied at one moment of the day; whether there is anything."""
        if moment == "morning":
            self._begin(self.plan)
        tasks = self.plan.at(moment)
        for task in tasks:
            for k, w in self._turns(task.each):
                if not task.wings or w in task.wings:
                    values = (self._get(task, one, k, w) for one in task.arguments)
                    self._put(task.target, k, w, float(task.function(*(float(value) for value in values))))
        return bool(tasks)

    def _begin(self, plan: ExtensionPlan) -> None:
        for one in plan.resets:
            target, base = Slot("numbers", one.scope, one.name), Slot("extras", one.scope, "", one.at)
            for k, w in self._turns(one.scope):
                self._put(target, k, w, self.extras[_row(base, k, w)])

    def _turns(self, each: Scope) -> Iterator[tuple[int, int]]:
        """Yield (theatre, wing) for everything of this scope; -1 where there is none."""
        if each == "run":
            yield -1, -1
        elif each == "theatre":
            yield from ((k, -1) for k in range(len(self.model.theatres)))
        else:
            yield from ((wing.theatre, wing.index) for wing in self.model.wings)

    def _get(self, task: Task, place: Slot, k: int, w: int) -> Any:
        model = self.model
        match place.kind:
            case "now":
                return self._get(task, task.target, k, w)
            case "extras":
                return self.extras[_row(place, k, w)]
            case "numbers":
                return getattr(self._holder(place.scope, k, w), place.name)
            case "today":
                return getattr(model.today, place.name)
            case "front":
                fronts = {"surge": model.surges, "supply": model.supplies, "stance": model.stances}
                return fronts[place.name][k]
            case "day":
                return model.day
            case "draw":
                who = model.wings[w].number if place.scope == "wing" else place.who
                return model.uniform(model.seed_low, model.seed_high, model.run, model.day, who, place.at)
        if place.scope == "theatre":
            return (model.patron.directives if place.name == "directive" else model.patron.orders)[k]
        if place.name == "recent":
            return model.target.recent[w]
        return getattr(model.wings[w] if place.scope == "wing" else model.holder_of(place.name), place.name)

    def _put(self, place: Slot, k: int, w: int, value: float) -> None:
        model = self.model
        if place.kind == "extras":
            self.extras[_row(place, k, w)] = value
        elif place.kind == "numbers":
            setattr(self._holder(place.scope, k, w), place.name, value)
        elif place.name in BOUNDS:
            value = bounded(value, BOUNDS[place.name])
            holder = model.wings[w] if place.scope == "wing" else model.target
            setattr(holder, place.name, value if place.name == "struck" else float(math.floor(value)))
        elif place.scope == "theatre":
            model.patron.orders = _with(model.patron.orders, k, value)
        elif place.name == "recent":
            model.target.recent = _with(model.target.recent, w, value)
        else:
            setattr(model.wings[w] if place.scope == "wing" else model.holder_of(place.name), place.name, value)

    def _holder(self, scope: Scope, k: int, w: int) -> Any:
        if scope == "run":
            return self.model.numbers
        return self.model.theatres[k] if scope == "theatre" else self.model.wings[w].trait


def _with(values: list[float], place: int, value: float) -> list[float]:
    """A new list, for others may still hold the one that this was: as directives, or as last evening's record."""
    return [value if at == place else one for at, one in enumerate(values)]


def _row(place: Slot, k: int, w: int) -> int:
    return place.at + {"run": 0, "theatre": k, "wing": w}[place.scope]
