"""What extensions add to the reference model: their numbers, and their functions applied to the agents."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.engine.extension.plan import Place, Plan, Sizes, Task, plan_of
from sim.engine.extension.replaced import rule_modules
from sim.engine.trace import RULES, Rulebook
from sim.world.extension import Extended
from sim.world.extension.declared import Scope

if TYPE_CHECKING:
    from sim.engine.reference.model import ReferenceModel


def rulebook_of(extended: Extended) -> Rulebook:
    """The rules with those of the extensions in place of some of ours."""
    swapped = rule_modules(extended.rules)
    return Rulebook(*(swapped.get(module.__name__, module) for module in RULES.modules))


class Additions:
    """The numbers of the extensions in one history, `mine`, and what happens to them and through them each day."""

    def __init__(self, model: "ReferenceModel", extended: Extended, mine: list[float]) -> None:
        sizes = Sizes(model.table.theatres.shape[1], model.table.wings.shape[1])
        self.model, self.mine, self.plan = model, mine, plan_of(extended, sizes)

    def act(self, moment: str) -> None:
        """Apply all that is applied at one moment of the day."""
        if moment == "morning":
            self._begin(self.plan)
        for task in self.plan.at(moment):
            for k, w in self._turns(task.each):
                values = (self._get(task, one, k, w) for one in task.arguments)
                self._put(task.target, k, w, float(task.function(*(float(value) for value in values))))

    def _begin(self, plan: Plan) -> None:
        for one in plan.resets:
            target, base = Place("numbers", one.scope, one.name), Place("mine", one.scope, "", one.at)
            for k, w in self._turns(one.scope):
                self._put(target, k, w, self.mine[_row(base, k, w)])

    def _turns(self, each: Scope) -> Iterator[tuple[int, int]]:
        """Yield (theatre, wing) for everything of this scope; -1 where there is none."""
        if each == "run":
            yield -1, -1
        elif each == "theatre":
            yield from ((k, -1) for k in range(self.plan.sizes.theatres))
        else:
            yield from ((wing.theatre, wing.index) for wing in self.model.wings)

    def _get(self, task: Task, place: Place, k: int, w: int) -> Any:
        model = self.model
        match place.kind:
            case "now":
                return self._get(task, task.target, k, w)
            case "mine":
                return self.mine[_row(place, k, w)]
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
                return model.chance(model.seed_low, model.seed_high, model.run, model.day, who, place.at)
        if place.scope == "theatre":
            return (model.patron.directives if place.name == "directive" else model.patron.orders)[k]
        if place.name == "recent":
            return model.target.recent[w]
        return getattr(model.wings[w] if place.scope == "wing" else model.holder_of(place.name), place.name)

    def _put(self, place: Place, k: int, w: int, value: float) -> None:
        model = self.model
        if place.kind == "mine":
            self.mine[_row(place, k, w)] = value
        elif place.kind == "numbers":
            setattr(self._holder(place.scope, k, w), place.name, value)
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


def _row(place: Place, k: int, w: int) -> int:
    return place.at + {"run": 0, "theatre": k, "wing": w}[place.scope]
