"""What the kernel is built with: rules, and where extensions take part in a day.

Without extensions the rules are those of the model and nothing takes part, of which nothing is left once compiled. With
them, the functions of a plan become closures over the places of memory that they read and write; compiled code cannot
go through a list of functions, so each closure calls the next.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from numba.core.errors import NumbaError

from sim.engine.batched.layout import with_rules
from sim.engine.batched.recording import change_casualties
from sim.engine.batched.strikes import strikes_add_up
from sim.engine.columns import ROLES as NUMBERS_BY_ROLE
from sim.engine.extension.plan import BOUNDS, ExtensionPlan, Slot, Task, plan_of
from sim.engine.extension.replacement import (
    ROLES,
    composed,
    guard_for_lanes,
    make_jittable,
    replaced_rules,
    rule_modules,
)
from sim.engine.inputs import ModelInputs, form_of
from sim.model.extension import MOMENTS, ActiveExtensions, Function
from sim.model.validation import UserError
from sim.numbers.arithmetic import bounded
from sim.numbers.compiled import part, step
from sim.numbers.philox import uniform
from sim.numbers.soa import VECTOR
from sim.numbers.variant import Variant

MOST_KEPT: Final = 16
"""Variants kept in memory; what was made before them is made again when it is needed."""
_KEPT: Final[dict[str, Variant]] = {}
_LOCK: Final = Lock()

Hook = Callable[..., Any]


@part
def nothing(world: Any, block: Any, day: Any) -> None:
    """No extension takes part."""


@part
def in_turn(whole: Hook, plans: Hook, lands: Hook, world: Any, block: Any, day: int, asked: bool) -> None:
    """Wings take their turns one by one: by `whole`, or in two halves by `plans` and `lands`."""
    for w in world.wings:
        whole(w, world, block, day, asked)


Form = tuple[bool, bool]
"""Whether groups decide to pause, and whether attacks cluster."""


def key_of(rules: str, form: Form) -> str:
    """The key of the variant in which these rules hold in a form of the model.

    >>> key_of("model", (True, False))
    'model-pauses'
    """
    return "-".join([rules, *(name for name, is_so in zip(("pauses", "bursts"), form, strict=True) if is_so)])


def rules_of_model(form: Form) -> Variant:
    """The rules of the model alone in one of its forms."""
    return Variant(
        key_of("model", form), pauses=form[0], bursts=form[1], plain=False, watched=False, strikes_change=False,
        launches=False, militias=in_turn, **ROLES, **dict.fromkeys(MOMENTS, nothing),
    )  # fmt: skip


FORMS: Final[tuple[Form, ...]] = ((False, False), (True, False), (False, True), (True, True))
OURS: Final = {form: rules_of_model(form) for form in FORMS}
"""The rules of the model by form: a kernel is compiled for those forms alone that something simulates.

`pauses` and `bursts` say which form it is, so that code for the other is left out. `plain` says whether the lanes
apply every rule as the reference does, with no work left out and no products taken ahead; `watched` whether they keep
every state of every day in memory, because a function of a user's reads it; `strikes_change` whether a user's function
changes strikes, which then differ in all lanes, `launches` whether one acts before attacks land. `militias` lets the
wings take their turns. The functions named by moments are called when `sim.model.extension.MOMENTS` says.
"""


def kernel_rules(table: ModelInputs) -> Variant:
    """The rules that a table's histories live by, with its extensions.

    Raises:
        UserError: an extension asks for what there is not.
    """
    groups, bursts, *_ = form_of(table)
    form = groups > 0, bursts > 0
    if table.extended is None:
        return OURS[form]
    key = key_of(table.extended.key, form)
    with _LOCK:
        if key not in _KEPT:
            _KEPT[key] = _rules_with(table.extended, key, form)
            while len(_KEPT) > MOST_KEPT:
                del _KEPT[next(iter(_KEPT))]
        return _KEPT[key]


def _rules_with(extended: ActiveExtensions, key: str, form: Form) -> Variant:
    plan, rules = plan_of(extended), replaced_rules(extended)
    stocks = {task.target.name: task.moment for task in plan.tasks if task.target.kind == "state"}
    strikes_change = "struck" in stocks
    members: dict[str, Any] = {
        "pauses": form[0],
        "bursts": form[1],
        "plain": bool(any(rules.values()) or plan.resets or strikes_change or "morning" in stocks.values()),
        "watched": True,
        "strikes_change": strikes_change,
        "launches": bool(plan.at("launch")),
        **{moment: hook_of(plan, moment) for moment in MOMENTS},
    }
    places = {wing: extended.wings.index(wing) for wing in rules if wing}
    others = {
        f"rules_{place}": Variant(f"{key}-{place}", militias=in_turn, **members, **_roles(rules[wing]))
        for wing, place in places.items()
    }
    members["militias"] = militias_of(tuple(places.values()), members["launch"] if members["launches"] else None)
    return Variant(key, **members, **others, **_roles(rules[""]))


def _roles(rules: dict[str, Function]) -> dict[str, Any]:
    """The modules of rules with some replaced."""
    swapped = rule_modules({name: guard_for_lanes(name, make_jittable(one)) for name, one in rules.items()})
    return {role: swapped.get(module.__name__, module) for role, module in ROLES.items()}


def militias_of(places: Sequence[int], launch: Hook | None) -> Hook:
    """How wings take turns, where some have rules of their own or something happens before attacks land."""

    @part
    def turn(take: Hook, w: int, world: Any, block: Any, day: int, asked: bool) -> None:
        take(w, world, block, day, asked)

    for place in places:
        turn = _turn_of(place, turn)
    if launch is None:

        @part
        def together(whole: Hook, plans: Hook, lands: Hook, world: Any, block: Any, day: int, asked: bool) -> None:
            for w in range(len(world.layout)):
                turn(whole, w, world, block, day, asked)

        return together

    @part
    def apart(whole: Hook, plans: Hook, lands: Hook, world: Any, block: Any, day: int, asked: bool) -> None:
        for w in range(len(world.layout)):
            turn(plans, w, world, block, day, asked)
        launch(world, block, day)
        for w in range(len(world.layout)):
            turn(lands, w, world, block, day, asked)

    return apart


def _turn_of(place: int, others: Hook) -> Hook:
    """The turn of a wing with rules of its own, and those of others."""
    name = f"rules_{place}"

    @part
    def turn(take: Hook, w: int, world: Any, block: Any, day: int, asked: bool) -> None:
        if w == place:
            take(w, world, with_rules(block, getattr(block.lanes.rules, name)), day, asked)
        else:
            others(take, w, world, block, day, asked)

    return turn


def hook_of(plan: ExtensionPlan, moment: str) -> Hook:
    """What a plan does at a moment, (world, block, day); only lanes that live take part."""
    made = [_task(task) for task in plan.at(moment)]
    if moment == "morning":
        resets = ((Slot("numbers", one.scope, one.name), Slot("extras", one.scope, "", one.at)) for one in plan.resets)
        made = [_turns(number.scope, (), _put(number, reader(base))) for number, base in resets] + made
    if not made:
        return nothing
    first = _in_order(made)

    @step
    def hook(world: Any, block: Any, day: int) -> None:
        for i in range(VECTOR * block.lanes.vectors):
            if block.lanes.scratch.alive[i] > 0.0:
                first(world, block, day, i)

    if moment != "strikes":
        return hook

    @part
    def with_sums(world: Any, block: Any, day: int) -> None:
        hook(world, block, day)
        strikes_add_up(world, block)

    return with_sums


def _in_order(made: Sequence[Hook]) -> Hook:
    """Several functions one after the other, as one: by halves, for a compiler is not made for long chains of calls."""
    if len(made) == 1:
        return made[0]
    first, rest = _in_order(made[: len(made) // 2]), _in_order(made[len(made) // 2 :])

    @part
    def both(world: Any, block: Any, day: int, i: int) -> None:
        first(world, block, day, i)
        rest(world, block, day, i)

    return both


def _task(task: Task) -> Hook:
    """What a task does in lane i on a day."""
    slots = (task.target if one.kind == "now" else one for one in task.arguments)
    value = composed(make_jittable(task.function), [reader(slot) for slot in slots])
    return _turns(task.each, task.wings, _put(task.target, value))


def _turns(scope: str, wings: tuple[int, ...], apply: Hook) -> Hook:
    """A function of a place (.., i, k, w), once for the run, for each theatre, or for these wings (none: all)."""
    if scope == "run":
        return part(lambda world, block, day, i: apply(world, block, day, i, 0, 0))

    @part
    def theatres(world: Any, block: Any, day: int, i: int) -> None:
        for k in range(world.fronts.shape[1]):
            apply(world, block, day, i, k, 0)

    @part
    def some(world: Any, block: Any, day: int, i: int) -> None:
        for w in wings:
            apply(world, block, day, i, world.layout[w].theatre, w)

    @part
    def each(world: Any, block: Any, day: int, i: int) -> None:
        for w in range(len(world.layout)):
            apply(world, block, day, i, world.layout[w].theatre, w)

    return theatres if scope == "theatre" else some if wings else each


def reader(slot: Slot) -> Hook:
    """What finds a number for lane i, theatre k and wing w: (world, block, day, i, k, w)."""
    name, who, decision, of_wing = slot.name, slot.who, slot.at, slot.scope == "wing"

    @part
    def draw(world: Any, block: Any, day: int, i: int, k: int, w: int) -> float:
        actor = world.layout[w].actor if of_wing else who
        return uniform(world.seed_low, world.seed_high, block.lanes.run[i], day, actor, decision)

    match slot.kind:
        case "today":
            return part(lambda world, block, day, i, k, w: world.days[day][name])
        case "front":
            return part(lambda world, block, day, i, k, w: world.fronts[day, k][name])
        case "day":
            return part(lambda world, block, day, i, k, w: day)
        case "draw":
            return draw
    rows, place = rows_of_slot(slot)
    return part(lambda world, block, day, i, k, w: rows(block)[place(block, i, k, w)])


def _put(target: Slot, value: Hook) -> Hook:
    """What writes a value to a number for lane i, theatre k and wing w, within its bounds where it has some."""
    (rows, place), name = rows_of_slot(target), target.name
    most = float(BOUNDS[name]) if target.kind == "state" and name in BOUNDS else math.inf

    @part
    def free(world: Any, block: Any, day: int, i: int, k: int, w: int) -> None:
        rows(block)[place(block, i, k, w)] = value(world, block, day, i, k, w)

    @part
    def strike(world: Any, block: Any, day: int, i: int, k: int, w: int) -> None:
        rows(block)[place(block, i, k, w)] = bounded(value(world, block, day, i, k, w), most)

    @part
    def attack(world: Any, block: Any, day: int, i: int, k: int, w: int) -> None:
        rows(block)[place(block, i, k, w)] = math.floor(bounded(value(world, block, day, i, k, w), most))

    @part
    def casualties(world: Any, block: Any, day: int, i: int, k: int, w: int) -> None:
        count, state = float(math.floor(bounded(value(world, block, day, i, k, w), most))), block.runs.state
        change_casualties(
            block, i, day, count if name == "injured" else state.injured[i],
            count if name == "lethal" else state.lethal[i], count if name == "killed" else state.killed[i],
        )  # fmt: skip

    if most == math.inf:
        return free
    return {"struck": strike, "attacks": attack}.get(name, casualties)


def rows_of_slot(slot: Slot) -> tuple[Hook, Hook]:
    """Where in a block the rows of a number are, and which place in them is that of lane i, theatre k and wing w."""
    name, at = slot.name, slot.at if slot.kind == "extras" else 0
    by_theatre, by_wing = int(slot.scope == "theatre"), int(slot.scope == "wing")
    outer, middle = f"{slot.scope}s", slot.kind
    if (slot.kind, slot.scope) == ("numbers", "run"):
        outer, middle = "numbers", next(role for role, kind in NUMBERS_BY_ROLE.items() if name in kind._fields)

    @part
    def place(block: Any, i: int, k: int, w: int) -> Any:
        return (at + by_theatre * k + by_wing * w) * (VECTOR * block.lanes.vectors) + i

    if slot.kind == "extras":
        return part(lambda block: block.extras), place
    return part(lambda block: getattr(getattr(getattr(block, outer), middle), name)), place


@contextmanager
def one_error_line(table: ModelInputs) -> Iterator[None]:
    """One error line where a function of the user's cannot be compiled."""
    try:
        yield
    except NumbaError as problem:
        if table.extended is None:
            raise
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        names = ", ".join(one.name for one in table.extended.extensions)
        raise UserError("extensions", names, f"functions that can be compiled ({' '.join(lines[:3])})") from None
