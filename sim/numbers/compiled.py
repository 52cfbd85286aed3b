"""The marks that connect plain Python with compiled kernels.

A `rule` is written once: called from Python it runs as Python, called from a kernel the same source is
compiled into the caller. A `primitive` is one machine step that Python spells differently (a bit pattern, a
32-bit product); it gives both spellings side by side. A `step` is a part of an engine's loop, a `kernel` the
compiled loop itself. `wide_loops` asks for vectors. With NUMBA_DISABLE_JIT=1 everything runs as Python and
gives the same bits.
"""

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.core.typing.templates import Signature
from numba.extending import lower_builtin, register_jitable, type_callable

from sim.numbers.cache import open_cache

F = TypeVar("F", bound=Callable[..., Any])

UNCALLED: Final = {"no_cfunc_wrapper": True}
"""What only kernels call needs no entry for C: a seventh of the time that compiling takes."""


def rule(function: F) -> F:
    """Mark a pure scalar function that kernels inline; it stays callable as plain Python.

    Inlining is forced: one call left standing inside a loop would keep the whole loop from being vectorised.
    """
    return register_jitable(forceinline=True, **UNCALLED)(function)


def step(function: F) -> F:
    """Mark a part of an engine's loop: compiled as a function of its own, which keeps compilation short."""
    stepped: F = register_jitable(**UNCALLED)(function)
    return stepped


def part(function: F) -> F:
    """Mark a part of a step: inlined into it, so that it shares what the step promises and costs no call."""
    inlined: F = register_jitable(forceinline=True, **UNCALLED)(function)
    return inlined


def kernel(function: F) -> F:
    """Compile an engine loop: no interpreter lock, every operation rounded by itself in the order written.

    Without fastmath LLVM may neither reorder sums nor fuse a product with a sum, so the bits do not depend on
    the vector width. Division is that of IEEE: Python's test for zero would keep loops from being vectorised.
    """
    return cast(F, njit(nogil=True, error_model="numpy", fastmath=False, cache=open_cache())(function))


def primitive(signature: Signature, emit: Callable[..., Any]) -> Callable[[F], F]:
    """Give a plain function its compiled form: `emit(build, *values)` returns the LLVM value of the result.

    `signature` is written result type first, such as `uint32(uint32, uint32)`. Compiled callers convert their
    arguments to it, but a float is never taken for a whole number.
    """

    def register(function: F) -> F:
        def typer(*given: types.Type) -> Signature | None:
            pairs = zip(given, signature.args, strict=True)
            whole = (got for got, wanted in pairs if isinstance(wanted, types.Integer))
            return signature if all(isinstance(got, types.Integer) for got in whole) else None

        # Numba binds a call by the typer's parameters, which must be those of the function.
        typer.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        type_callable(function)(lambda context: typer)
        lower_builtin(function, *signature.args)(lambda context, build, types, values: emit(build, *values))
        return function

    return register


def _emit_wide_loops(build: ir.IRBuilder) -> Any:
    """Attributes of the function that is being compiled; `set.add`, for llvmlite lists only part of LLVM's."""
    function = build.function
    set.add(function.attributes, '"prefer-vector-width"="512"')
    if "alwaysinline" not in function.attributes:
        function.attributes.add("noinline")
    for argument in function.args:
        if isinstance(argument.type, ir.PointerType) and isinstance(argument.type.pointee, (ir.DoubleType, ir.IntType)):
            argument.add_attribute("noalias")
    return ir.Constant(ir.IntType(8).as_pointer(), None)


@primitive(types.none(), _emit_wide_loops)
def wide_loops() -> None:
    """Promise that what the caller writes overlaps with nothing else it is given, and ask for wide vectors.

    The caller is a step or a part. Without the promise a loop over many rows compares all their addresses before it
    starts, or stays scalar. Rows that are only read may be passed twice. It must not take arrays that share their
    owner, only rows of tables. A part is made into vectors before it is inlined, so it promises for itself.
    """
