"""Tasks as source: the hooks of the scalar engine and of the lanes, written out for one plan.

Both say the same: `mine` is the row of the extension, `f0`, `f1`, ... are the user's functions. What is
generated holds names of the model, row numbers and decisions, nothing that a user wrote.
"""

from collections.abc import Callable
from typing import Final

from sim.engine.extension.plan import Place, Plan, Task
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.engine.table import NUMBERS, THEATRE_NUMBERS, WING_NUMBERS
from sim.world.extension.declared import MOMENTS, Scope

INDEX: Final[dict[Scope, str]] = {"run": "", "theatre": " + k", "wing": " + w"}
_STATES: Final = {"run": RUN_STATE, "theatre": THEATRE_STATE, "wing": WING_STATE}
_NUMBERS: Final = {"run": NUMBERS, "theatre": THEATRE_NUMBERS, "wing": WING_NUMBERS}
Spell = Callable[[Place], str]


def scalar_code(plan: Plan) -> str:
    """Hooks of the scalar engine, whose arguments are its case, its moment and its state."""
    parts = {"run": "state.run.{}", "theatre": "state.fronts[k].{}", "wing": "state.wings[w].{}"}
    numbers = {"run": "case.numbers.{}", "theatre": "case.theatres[k].{}", "wing": "case.wings[w].{}"}

    def spell(place: Place) -> str:
        match place.kind:
            case "mine":
                return f"state.mine[{place.at}{INDEX[place.scope]}]"
            case "state":
                return parts[place.scope].format(place.name)
            case "numbers":
                return numbers[place.scope].format(place.name)
            case "today":
                return f"now.today.{place.name}"
            case "front":
                return f"now.fronts[k].{place.name}"
            case "day":
                return "now.day"
        who = "case.layout[w].actor" if place.scope == "wing" else str(place.who)
        return f"uniform(now.seed_low, now.seed_high, now.run, now.day, {who}, {place.at})"

    return _hooks(plan, "case, now, state", "case.layout", "", spell, "")


def lane_code(plan: Plan) -> str:
    """Hooks of the lanes, whose arguments are their world, their memory and the day; only lanes that live take part."""
    states = {"run": "memory.runs[{}, i]", "theatre": "memory.fronts[{}, k, i]", "wing": "memory.wings[{}, w, i]"}
    numbers = {"run": "memory.numbers[{}, i]", "theatre": "memory.places[{}, k, i]", "wing": "memory.traits[{}, w, i]"}

    def spell(place: Place) -> str:
        match place.kind:
            case "mine":
                return f"memory.mine[{place.at}{INDEX[place.scope]}, i]"
            case "state":
                return states[place.scope].format((_STATES[place.scope].names or ()).index(place.name))
            case "numbers":
                return numbers[place.scope].format((_NUMBERS[place.scope].names or ()).index(place.name))
            case "today":
                return f"world.days[day].{place.name}"
            case "front":
                return f"world.fronts[day, k].{place.name}"
            case "day":
                return "day"
        who = "world.layout[w].actor" if place.scope == "wing" else str(place.who)
        return f"uniform(world.seed_low, world.seed_high, memory.run[i], day, {who}, {place.at})"

    lanes = "    for i in range(len(memory.run)):\n        if memory.scratch[ALIVE, i] > 0.0:\n"
    return _hooks(plan, "world, memory, day", "world.layout", lanes, spell, "plain(world, memory, day)")


def _hooks(plan: Plan, arguments: str, layout: str, lanes: str, spell: Spell, at_orders: str) -> str:
    """The four hooks as source; `lanes` opens the loop over lanes, `at_orders` is called when orders are out."""
    written = []
    for moment in MOMENTS:
        indent = "            " if lanes else "    "
        lines = _reset_lines(plan, layout, spell) if moment == "morning" else []
        for task in plan.at(moment):
            lines += _task_lines(plan.tasks.index(task), task, plan, layout, spell)
        body = (lanes + "".join(f"{indent}{line}\n" for line in lines)) if lines else ""
        if at_orders and moment == "orders":
            body += f"    if PLAIN:\n        {at_orders}\n"
        written.append(f"@step\ndef {moment}({arguments}):\n{body or '    pass'}\n")
    return "\n".join(written)


def _reset_lines(plan: Plan, layout: str, spell: Spell) -> list[str]:
    lines = []
    for one in plan.resets:
        number, base = spell(Place("numbers", one.scope, one.name)), spell(Place("mine", one.scope, "", one.at))
        lines += _each(one.scope, plan, layout, f"{number} = {base}")
    return lines


def _task_lines(place: int, task: Task, plan: Plan, layout: str, spell: Spell) -> list[str]:
    target = spell(task.target)
    values = (target if one.kind == "now" else spell(one) for one in task.arguments)
    call = ", ".join(f"float({value})" for value in values)
    return _each(task.each, plan, layout, f"{target} = float(f{place}({call}))")


def _each(scope: Scope, plan: Plan, layout: str, line: str) -> list[str]:
    if scope == "run":
        return [line]
    if scope == "theatre":
        return [f"for k in range({plan.sizes.theatres}):", f"    {line}"]
    return [f"for w in range({plan.sizes.wings}):", f"    k = {layout}[w].theatre", f"    {line}"]
