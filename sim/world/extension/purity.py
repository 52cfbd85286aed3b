"""Whether a function of a user's is pure, as far as its code shows it: its results must depend on nothing else.

A function may use its arguments, numbers, functions of the same kind, the rules and the arithmetic of this package, and
of Python and its `math` only what every machine does to the last bit.
"""

import dis
import inspect
import math
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from sim.world.errors import UserError

Function = Callable[..., Any]

EXACT_BUILTINS: Final = (abs, bool, float, int, max, min, range)
EXACT_MATH: Final = ("e", "floor", "inf", "pi", "tau")
OURS: Final = ("sim.numbers.arithmetic", "sim.rules")
_HINT: Final = "exp, log and power come from sim.numbers.arithmetic, chance as an argument named draw"
_FORBIDDEN: Final = {
    "IMPORT_NAME": "imports at the top of the file",
    "STORE_GLOBAL": "no change of anything global",
    "STORE_ATTR": "no change of an object",
    "STORE_SUBSCR": "no change of an object",
    "YIELD_VALUE": "a plain function",
    "SETUP_FINALLY": "a plain function",
    "PUSH_EXC_INFO": "a plain function",
    "RAISE_VARARGS": "a plain function, which raises nothing",
}


def check_pure(function: Function) -> None:
    """Refuse a function that depends on more than its arguments, or on arithmetic that machines do differently.

    Raises:
        UserError: it does, in one line.
    """
    for _ in reached(function):
        pass


def own_text(function: Function) -> str:
    """The source of a function and of all of the user's that it calls, and the constants that they use.

    Raises:
        UserError: nobody knows the source, as at Python's own prompt.
    """
    try:
        parts = [inspect.getsource(one) for one in reached(function)]
    except (OSError, TypeError):
        raise UserError("extensions", function.__name__, "functions of a file or a notebook, with a source") from None
    constants = [f"{name} = {value!r}" for one in reached(function) for name, value in _constants(one)]
    return "\n".join((*parts, *sorted(set(constants))))


def reached(function: Function) -> Iterator[FunctionType]:
    """The function and those of the user's that it calls, each once."""
    waiting, seen = [function], set[int]()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, FunctionType):
            raise UserError("extensions", getattr(one, "__name__", one), "plain Python functions")
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [value for _, value in used(one) if isinstance(value, FunctionType) and not is_ours(value)]


def _constants(function: FunctionType) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in used(function) if isinstance(value, bool | int | float))


def used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Everything outside its arguments that a function uses, by name."""
    code = function.__code__
    if code.co_freevars or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR):
        raise _impure(function, "(its shape)", "named arguments and nothing from a function around it")
    if any(isinstance(one, CodeType) for one in code.co_consts):
        raise _impure(function, "(a function inside)", "no functions inside a function")
    steps = [one for one in dis.get_instructions(function) if one.opname not in ("CACHE", "PRECALL", "PUSH_NULL")]
    for place, one in enumerate(steps):
        if one.opname in _FORBIDDEN:
            raise _impure(function, one.opname.lower(), _FORBIDDEN[one.opname])
        if one.opname == "BINARY_OP" and one.argrepr in ("**", "**="):
            raise _impure(function, "**", "power of sim.numbers.arithmetic, which is the same on every machine")
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            follows = steps[place + 1]
            attribute = follows.argval if follows.opname in ("LOAD_ATTR", "LOAD_METHOD") else None
            yield str(one.argval), _value(function, str(one.argval), attribute)
        elif one.opname in ("LOAD_ATTR", "LOAD_METHOD") and steps[place - 1].opname != "LOAD_GLOBAL":
            raise _impure(function, one.argval, "plain numbers, which have no attributes")


def _value(function: FunctionType, name: str, attribute: str | None) -> Any:
    space = function.__globals__
    value = space[name] if name in space else vars(__import__("builtins")).get(name)
    if value is math and attribute in EXACT_MATH:
        return value
    if isinstance(value, ModuleType) and value.__name__.startswith(OURS):
        return value
    if isinstance(value, bool | int | float) or any(value is one for one in EXACT_BUILTINS):
        return value
    if isinstance(value, FunctionType) and (is_ours(value) or value.__globals__ is space):
        return value
    if value is None:
        raise _impure(function, name, "names that the file defines")
    told = name if attribute is None else f"{name}.{attribute}"
    raise _impure(function, told, f"its arguments, numbers, rules and own functions; {_HINT}")


def is_ours(function: FunctionType) -> bool:
    """Whether a function belongs to this package's rules or arithmetic."""
    return function.__module__.startswith(OURS)


def _impure(function: FunctionType, what: str, allowed: str) -> UserError:
    return UserError(f"function {function.__name__}", what, allowed)
