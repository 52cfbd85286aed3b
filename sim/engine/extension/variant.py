"""Engines built with an extension: the same sources, compiled with other rules and other hooks.

A kernel inlines rules and hooks by name when it is compiled. So the modules of an engine are run once more into modules
of their own, which nobody else sees; there the names of rules and hooks stand for those of the extension. The kernels
of everybody else stay what they are. Compiled code is kept in a folder of its own, named by what the extension is.
"""

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Any, Final

from numba import config
from numba.core.errors import NumbaError

from sim.engine import hooks, lanes, scalar
from sim.engine.extension.code import lane_code, scalar_code
from sim.engine.extension.plan import Sizes, plan_of
from sim.engine.extension.remade import remade
from sim.engine.extension.replaced import in_lanes, rule_modules
from sim.engine.lanes.block import Scratch
from sim.engine.table import Table
from sim.numbers.chance import uniform
from sim.numbers.compiled import step
from sim.world.errors import UserError
from sim.world.extension import Extended

MOST_KEPT: Final = 16
"""Engines kept in memory; what was built before them is built again when it is needed."""

Run = Callable[..., None]
_LOCK: Final = Lock()


@dataclass(frozen=True)
class Engines:
    """The compiled engines with an extension; both are called as those without."""

    scalar: Run
    lanes: Run


def engines_of(table: Table) -> Engines:
    """The engines that live a table's extensions.

    Raises:
        UserError: an extension asks for what there is not.
    """
    extended = table.extended
    return _built(extended.key, Sizes(table.theatres.shape[1], table.wings.shape[1]), _Hidden(extended))


class _Hidden:
    """Extensions that a cache does not look at: their key says all."""

    def __init__(self, extended: Extended) -> None:
        self.extended = extended

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=MOST_KEPT)
def _built(key: str, sizes: Sizes, hidden: _Hidden) -> Engines:
    extended = hidden.extended
    plan = plan_of(extended, sizes)
    functions: dict[str, Any] = {f"f{place}": remade(task.function) for place, task in enumerate(plan.tasks)}
    rules = {name: remade(function) for name, function in extended.rules.items()}
    guarded = {name: in_lanes(name, function) for name, function in rules.items()}
    with _LOCK, compiled_apart(f"{key}-{sizes.theatres}-{sizes.wings}"):
        alone = _again({scalar.__name__: scalar}, rule_modules(rules))[scalar.__name__]
        beside = _again(modules_below(lanes), rule_modules(guarded))
    plain = bool(rules or plan.resets or any(task.target.kind == "state" for task in plan.tasks))
    _hook(alone, scalar_code(plan), functions, {})
    adapt = beside[f"{lanes.__name__}.plain"].militias_adapt
    moved = {"ALIVE": Scratch._fields.index("alive"), "PLAIN": plain, "plain": adapt}
    for module in beside.values():
        _hook(module, lane_code(plan), functions, moved)
    return Engines(
        _told(extended, lambda table, *rest: alone.run_histories(table._replace(extended=None), *rest)),
        _told(extended, beside[f"{lanes.__name__}.kernel"].run_histories),
    )


def _hook(module: ModuleType, code: str, functions: Mapping[str, Any], more: Mapping[str, Any]) -> None:
    """Put hooks of this code in place of a module's own."""
    if not hasattr(module, "hooks"):
        return
    put = ModuleType(hooks.__name__)
    vars(put).update(vars(hooks), WATCHED=True, step=step, uniform=uniform, **functions, **more)
    exec(compile(code, f"<hooks of {module.__name__}>", "exec"), vars(put))
    vars(module)["hooks"] = put


def modules_below(package: ModuleType) -> dict[str, ModuleType]:
    """The modules of a package by full name."""
    names = (f"{package.__name__}.{one.name}" for one in pkgutil.iter_modules(package.__path__))
    return {name: import_module(name) for name in names}


def _again(modules: Mapping[str, ModuleType], swaps: Mapping[str, ModuleType]) -> dict[str, ModuleType]:
    """The modules run once more, each seeing the others' new selves, and `swaps` by name in place of other modules.

    Types of tuples stay the same, for they pass between engines and everybody else.
    """
    fresh = {name: _run_again(module) for name, module in modules.items()}
    known = {
        id(value): vars(fresh[name])[key]
        for name, module in modules.items()
        for key, value in vars(module).items()
        if getattr(value, "__module__", None) == name and not isinstance(value, type)
    }
    for module in fresh.values():
        space = vars(module)
        for key, value in list(space.items()):
            if isinstance(value, ModuleType):
                space[key] = fresh.get(value.__name__) or swaps.get(value.__name__) or value
            elif isinstance(value, type) and issubclass(value, tuple) and value.__module__ == module.__name__:
                space[key] = vars(modules[module.__name__])[key]
            else:
                space[key] = known.get(id(value), value)
    return fresh


def _run_again(module: ModuleType) -> ModuleType:
    again = ModuleType(module.__name__, module.__doc__)
    again.__file__ = module.__file__
    exec(compile(inspect.getsource(module), str(module.__file__), "exec"), vars(again))
    return again


@contextmanager
def compiled_apart(name: str) -> Iterator[None]:
    """Kernels that are defined meanwhile keep their compiled code in a folder of this name, within that of all."""
    before = str(getattr(config, "CACHE_DIR"))  # noqa: B009
    setattr(config, "CACHE_DIR", f"{before}/with-{name}" if before else before)  # noqa: B010
    try:
        yield
    finally:
        setattr(config, "CACHE_DIR", before)  # noqa: B010


def _told(extended: Extended, run: Run) -> Run:
    """The engine, which tells in one line that a function of the user's cannot be compiled."""

    def live(*arguments: Any) -> None:
        try:
            run(*arguments)
        except NumbaError as problem:
            lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
            names = ", ".join(one.name for one in extended.extensions)
            raise UserError("extensions", names, f"functions that can be compiled ({' '.join(lines[:3])})") from None

    return live
