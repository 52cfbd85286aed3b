"""Outcomes of extensions, run by run, from what the engines kept."""

import inspect
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.core.errors import NumbaError

from sim.engine.extension.plan import Sizes, plan_of
from sim.engine.extension.remade import remade
from sim.world.errors import UserError
from sim.world.extension import Derived, Extended
from sim.world.extension.declared import Function

Array = npt.NDArray[Any]


def own_outcomes(extended: Extended, sizes: Sizes, mine: Array, known: Mapping[str, Array]) -> dict[str, Array]:
    """Every outcome of the extensions (run,), float64, from their numbers at the end (run, R) and the outcomes `known`.

    Raises:
        UserError: a function cannot be compiled.
    """
    plan, found = plan_of(extended, sizes), dict(known)
    for one in extended.outcomes:
        if isinstance(one, Derived):
            found[one.name] = applied(one.name, one.by, found)
        else:
            last = np.ascontiguousarray(mine[:, plan.outcomes[one.name]])
            found[one.name] = last if one.at_end is None else applied(one.name, one.at_end, {**found, "now": last})
    return {one.name: found[one.name] for one in extended.outcomes}


def applied(name: str, function: Function, columns: Mapping[str, Array]) -> Array:
    """A function applied to columns (run,) that its arguments name."""
    asked = tuple(inspect.signature(function).parameters)
    if not asked:
        raise UserError(f"outcome {name}", "(no arguments)", "a function of one outcome or more")
    given = [np.ascontiguousarray(columns[one], dtype=np.float64) for one in asked]
    out = np.empty(len(given[0]))
    try:
        _loop(function, len(asked))(out, *given)
    except NumbaError as problem:
        line = str(problem).strip().splitlines()[0]
        raise UserError(f"outcome {name}", function.__name__, f"functions that can be compiled ({line})") from None
    return out


@lru_cache(maxsize=64)
def _loop(function: Function, count: int) -> Any:
    """A compiled loop that applies a function to that many columns."""
    names = [f"a{place}" for place in range(count)]
    values = ", ".join(f"{name}[i]" for name in names)
    text = f"def loop(out, {', '.join(names)}):\n    for i in range(len(out)):\n        out[i] = float(f({values}))\n"
    space: dict[str, Any] = {"f": remade(function)}
    exec(compile(text, "<outcome of an extension>", "exec"), space)
    return njit(nogil=True, error_model="numpy")(space["loop"])
