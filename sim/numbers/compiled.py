"""The marks that connect plain Python with compiled kernels.

A `rule` is written once: called from Python it runs as Python, called from a kernel the same source is
compiled into the caller. A `primitive` is one machine step that Python spells differently (a bit pattern, a
32-bit product); it gives both spellings side by side. A `step` is a part of an engine's loop, a `kernel` the
compiled loop itself. `simd_hints` asks for vectors. With NUMBA_DISABLE_JIT=1 everything runs as Python and
gives the same bits.

Compiled code is kept so that no edit can leave a stale kernel behind. Numba notices an edit of the file that holds a
kernel but not of the helpers inlined into it. So the folder is named by a hash of every source that can be compiled and
of every version that compiles it: what changes gets a new folder. Numba writes each file aside and renames it, so
several processes may share a folder. A folder that no process has opened for a month is removed when a new one is made.
"""

import hashlib
import inspect
import platform
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import Any, Final, TypeVar, cast

from llvmlite import ir
from numba import config, njit, types
from numba.core.typing.templates import Signature
from numba.extending import lower_builtin, overload, register_jitable, type_callable
from platformdirs import user_cache_path

from sim.numbers.fingerprint import hash_of
from sim.numbers.soa import fetched

F = TypeVar("F", bound=Callable[..., Any])

UNCALLED: Final = {"no_cfunc_wrapper": True}
"""Nothing here needs an entry for C: a seventh of the time that compiling takes."""


def rule(function: F) -> F:
    """Mark a pure scalar function that kernels inline; it stays callable as plain Python.

    Inlining is forced: one call left standing inside a loop would keep the whole loop from being vectorised.
    """
    return register_jitable(forceinline=True, **UNCALLED)(function)


def step(function: F) -> F:
    """Mark a part of an engine's loop: compiled as a function of its own, which keeps compilation short.

    Callers hand on where rows are kept. The step fetches those it reads, and its body, inlined, gets them as arguments.
    """
    body = part(FunctionType(function.__code__, function.__globals__, function.__name__, None, function.__closure__))

    def called(*given: Any) -> Any:
        simd_hints()
        return body(*fetched(given))

    called.__qualname__, called.__module__ = function.__qualname__, function.__module__
    options: Any = {"forceinline": False, **UNCALLED}  # said, or a step would be inlined where a part calls it
    overload(function, jit_options=options, strict=False)(lambda *given: called)
    return function


def part(function: F) -> F:
    """Mark a part of a step: inlined into it, so that it shares what the step promises and costs no call."""
    inlined: F = register_jitable(forceinline=True, **UNCALLED)(function)
    return inlined


def kernel(function: F) -> F:
    """Compile an engine loop: no interpreter lock, every operation rounded by itself in the order written.

    Without fastmath LLVM may neither reorder sums nor fuse a product with a sum, so the bits do not depend on
    the vector width. Division is that of IEEE: Python's test for zero would keep loops from being vectorised. A kernel
    makes no arrays, and those that it gets outlive it, so it counts no references: that is an atomic step in each part.
    """
    return _compiled(function, counted=False)


def open_kernel(function: F) -> F:
    """The same for a loop that calls functions of a user's, who may make texts and arrays: it counts references."""
    return _compiled(function, counted=True)


def _compiled(function: F, counted: bool) -> F:
    options: Any = {"_nrt": counted, **UNCALLED}
    return cast(F, njit(nogil=True, error_model="numpy", fastmath=False, cache=open_cache(), **options)(function))


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


def _emit_simd_hints(build: ir.IRBuilder) -> Any:
    """Attributes of the function that is being compiled; `set.add`, for llvmlite lists only part of LLVM's."""
    function = build.function
    set.add(function.attributes, '"prefer-vector-width"="512"')
    if "alwaysinline" not in function.attributes:
        function.attributes.add("noinline")
    for argument in function.args:
        if isinstance(argument.type, ir.PointerType) and isinstance(argument.type.pointee, (ir.DoubleType, ir.IntType)):
            argument.add_attribute("noalias")
    return ir.Constant(ir.IntType(8).as_pointer(), None)


@primitive(types.none(), _emit_simd_hints)
def simd_hints() -> None:
    """Promise that what the caller writes overlaps with nothing else it is given, and ask for wide vectors.

    The caller is a step or a part. Without the promise a loop over many rows compares all their addresses before it
    starts, or stays scalar. Rows that are only read may be passed twice. It must not take arrays that share their
    owner, only rows of tables. A part is made into vectors before it is inlined, so it promises for itself.
    """


COMPILED_ROOMS = ("numbers", "rules", "engine")
COMPILERS = ("numba", "llvmlite", "numpy")
UNUSED_SECONDS: Final = 30 * 24 * 3600
_NAME: Final = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}(\.[0-9a-f]{32})?")
"""A folder of ours; with the ending, one on its way out."""


def source_hash() -> str:
    """Hash of the sources of the compiled rooms."""
    return hash_of(tuple(f"{room}/**/*.py" for room in COMPILED_ROOMS))


def compiler_hash() -> str:
    """Hash of the versions that turn the sources into machine code."""
    parts = [platform.python_version(), sys.platform, *(version(name) for name in COMPILERS)]
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=4).hexdigest()


@cache
def open_cache() -> bool:
    """Point Numba to the folder of these sources; False, with one line on stderr, where nothing can be written."""
    folder = user_cache_path("lull") / f"{source_hash()}-{compiler_hash()}"
    known = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # This also dates the folder: it was in use today.
        probe = folder / f".probe-{platform.node()}-{id(folder)}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        print(f"lull: compiled code is not kept: {folder}: {problem.strerror}", file=sys.stderr)
        return False
    # Numba makes its settings at import time, where no checker sees them.
    setattr(config, "CACHE_DIR", str(folder))  # noqa: B010
    if not known:
        remove_unused(folder.parent)
    return True


def remove_unused(home: Path) -> None:
    """Remove folders of compiled code in `home` that were not opened for a month; what cannot be removed stays."""
    oldest = time.time() - UNUSED_SECONDS
    for folder in home.iterdir():
        with suppress(OSError):
            if _NAME.fullmatch(folder.name) and folder.lstat().st_mtime < oldest:
                _remove(folder, oldest)


def _remove(folder: Path, oldest: float) -> None:
    """Rename a folder, which only one process can do, and remove it unless a process opened it just before."""
    aside = folder.with_name(f"{folder.name[:25]}.{uuid.uuid4().hex}")
    folder.rename(aside)
    if aside.lstat().st_mtime < oldest:
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.rename(folder)
