"""A user's functions as kernels can take them."""

import builtins
from types import FunctionType
from typing import Any, cast

from sim.engine import hooks
from sim.numbers.compiled import rule
from sim.world.extension.declared import Function
from sim.world.extension.purity import is_ours, used


def remade(function: Function) -> Function:
    """The function with all of the user's that it calls, as rules of their own.

    Compiled code is kept with the name of the module of every function in it, by which Numba finds them again. A file
    of the user's, or a notebook's cell, is no such module, so the copies say that they belong to the hooks.
    """
    return _remade(cast(FunctionType, function), {})


def _remade(function: FunctionType, made: dict[int, FunctionType]) -> FunctionType:
    if id(function) not in made:
        space: dict[str, Any] = {"__builtins__": builtins, "__name__": hooks.__name__}
        copy = FunctionType(function.__code__, space, function.__name__, function.__defaults__)
        copy.__module__ = hooks.__name__
        made[id(function)] = copy
        for name, value in used(function):
            users = isinstance(value, FunctionType) and not is_ours(value)
            space[name] = _remade(value, made) if users else value
        rule(copy)
    return made[id(function)]
