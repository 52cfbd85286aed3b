"""The day of the model in C: a yardstick for the compiled kernel, built from a checkout and only for measuring.

The source stands outside the package, in `experiments/speed/c`; clang comes with the distribution `ziglang`. What the
C code must know of the table, the layout of its records and the numbers of decisions and outcomes, is written into a
header from the declarations themselves, so it cannot go stale.
"""

import ctypes
import importlib.util
import platform
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.record import BINS, FIRST_DAYS, WEEK, Output
from sim.engine.table import FRONT_TODAY, NUMBERS, THEATRE_NUMBERS, TODAY, WING_LAYOUT, WING_NUMBERS, Table
from sim.rules import decisions, outcomes
from sim.rules.militia import MAX_RATE

Array = npt.NDArray[Any]

SOURCES: Final = Path(__file__).resolve().parents[3] / "experiments" / "speed" / "c"
FLAGS: Final = (
    "-std=c11", "-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Wextra",
    "-Rpass=loop-vectorize", "-Werror=pass-failed",
)  # fmt: skip
"""A loop over lanes that is not vectorised is an error."""

X86: Final = ("x86_64", "amd64")
X86_FLAGS: Final = ("-mprefer-vector-width=512",)
_REMARK: Final = re.compile(
    r"^(?P<file>.+?):(?P<line>\d+):\d+: remark: vectorized loop \(vectorization width: (?P<width>\d+)", re.M
)
_FUNCTION: Final = re.compile(r"^(?:static|ALWAYS|NEVER_INLINE|int) [\w *]*?(\w+)\(", re.M)


class NoTwin(Exception):  # noqa: N818
    """Why there is no C version here: one line."""


@dataclass(frozen=True)
class Loop:
    """A loop that clang reports as vectorised: where it stands, and how many numbers a vector holds."""

    file: str
    function: str
    line: int
    width: int


@dataclass(frozen=True)
class Twin:
    """The C version, compiled and loaded."""

    compiler: str
    flags: tuple[str, ...]
    loops: tuple[Loop, ...]
    library: ctypes.CDLL

    def run_histories(
        self, table: Table, seed_low: int, seed_high: int, runs: Array, points: Array, out: Output
    ) -> None:
        """Live the histories `runs` (N,) at the design points `points` (N,), both int64; a kernel like the others.

        Writes rows, counts, lags and weekly of `out`, as `sim.engine.ensemble` makes it empty.

        Raises:
            MemoryError: the block of histories does not fit.
        """
        kept = _Output(*(_address(array) for array in (out.rows, out.counts, out.lags, out.weekly)))
        seed = ctypes.c_uint64(seed_low | seed_high << 32)
        given = (ctypes.byref(_table_of(table)), seed, ctypes.c_int64(len(runs)), _address(runs), _address(points))
        failed = self.library.lull_run(*given, ctypes.byref(kept))
        if failed:
            raise MemoryError("the C version found no memory for its block of histories")


class _Table(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("numbers", "theatres", "wings", "layout", "days", "fronts", "raids")),
        *(
            (name, ctypes.c_int64)
            for name in ("n_wings", "n_theatres", "n_days", "patron", "target", "strikes_day", "report_day")
        ),
    ]


class _Output(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("rows", "counts", "lags", "weekly")]


def _address(array: Array) -> ctypes.c_void_p:
    if not array.flags.c_contiguous:
        raise ValueError("arrays for the C version must be contiguous")
    return ctypes.c_void_p(array.ctypes.data)


def _table_of(table: Table) -> _Table:
    """The same memory, as C sees it; the caller keeps the table alive."""
    arrays = (table.numbers, table.theatres, table.wings, table.layout, table.days, table.fronts, table.raids)
    return _Table(
        *(_address(array) for array in arrays), len(table.layout), table.theatres.shape[1], len(table.days),
        table.patron, table.target, table.strikes_day, table.report_day,
    )  # fmt: skip


@cache
def twin(lanes: int) -> Twin:
    """Compile and load the C version with so many histories side by side, a multiple of eight.

    The first time on a machine takes half a minute, for clang brings its libraries as sources; later some seconds.

    Raises:
        NoTwin: the source is not here (an installed package), there is no compiler, or it failed.
    """
    if not SOURCES.is_dir():
        raise NoTwin("the C version is part of a checkout, not of an installed package")
    if importlib.util.find_spec("ziglang") is None:
        raise NoTwin("no C compiler: the extra `bench` brings ziglang")
    flags = (*FLAGS, *(X86_FLAGS if platform.machine().lower() in X86 else ()), f"-DLANES={lanes}")
    # Where a loaded library cannot be deleted, the folder stays until the system tidies up.
    with tempfile.TemporaryDirectory(prefix="lull-c-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "table.h").write_text(header(), encoding="utf-8")
        target = folder / "lanes.so"
        done = _zig("cc", *flags, f"-I{folder}", str(SOURCES / "lanes.c"), "-o", str(target))
        if done.returncode:
            raise NoTwin(f"the C compiler failed: {done.stderr.strip().splitlines()[-1]}")
        library = ctypes.CDLL(str(target))
    return Twin(_zig("cc", "--version").stdout.splitlines()[0], flags, vectorised(done.stderr), library)


def _zig(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ziglang", *arguments], capture_output=True, text=True, check=False)


def vectorised(remarks: str) -> tuple[Loop, ...]:
    """The loops that clang says it vectorised, in order."""
    found = {(Path(one["file"]).name, int(one["line"]), int(one["width"])) for one in _REMARK.finditer(remarks)}
    return tuple(Loop(file, _function_at(file, line), line, width) for file, line, width in sorted(found))


@cache
def _functions_of(file: str) -> tuple[tuple[int, str], ...]:
    """Functions of a source file with the lines on which they begin."""
    text = (SOURCES / file).read_text(encoding="utf-8")
    return tuple((text.count("\n", 0, one.start()) + 1, one[1]) for one in _FUNCTION.finditer(text))


def _function_at(file: str, line: int) -> str:
    """The function that a line stands in: the last one that begins before it."""
    return next((name for begins, name in reversed(_functions_of(file)) if begins <= line), "")


def header() -> str:
    """What C must know of the table, of decisions and outcomes, as a header."""
    parts = ["/* Written from the declarations of the engine. */", "#include <stdint.h>"]
    for name, numbers in (("NUMBERS", NUMBERS), ("THEATRE_NUMBERS", THEATRE_NUMBERS), ("WING_NUMBERS", WING_NUMBERS)):
        parts.append(f"#define {name}(_) " + " ".join(f"_({field})" for field in _names(numbers)))
        parts.append(f"enum {{ {name}_N = {len(_names(numbers))} }};")
    for name, record in (("layout", WING_LAYOUT), ("today", TODAY), ("front_today", FRONT_TODAY)):
        parts.append(f"struct {name} {{ {' '.join(_member(record, field) for field in _names(record))} }};")
    kept = (*(name.upper() for name in outcomes.NAMES), "OUTCOMES")
    parts.append(f"enum {{ {', '.join(kept)} }};")
    first = ", ".join(str(int(field in FIRST_DAYS)) for field in range(len(outcomes.NAMES)))
    parts.append(f"static const char IS_FIRST_DAY[] = {{ {first} }};")
    draws = ("FATE", "INJURED", "KILLED", "LIMITED", "LEADER", "ATTRIBUTION", "WHOM", "RELEASE", "ANSWER", "WAR")
    numbers_of = {f"DRAW_{name}": getattr(decisions, name) for name in draws}
    numbers_of |= {"MAX_ATTACKS": decisions.MAX_ATTACKS, "WEEK": WEEK, "BINS": BINS}
    numbers_of |= {
        name: getattr(outcomes, name) for name in ("CAMPAIGN", "LULL", "LATER", "RESUMED_DAYS", "RESUMED_ATTACKS")
    }
    parts.append(f"enum {{ {', '.join(f'{name} = {number}' for name, number in numbers_of.items())} }};")
    parts.append(f"static const double MAX_RATE = {MAX_RATE!r}, COMPLIANT = {outcomes.COMPLIANT!r};")
    return "\n".join(parts) + "\n"


def _names(record: np.dtype[Any]) -> tuple[str, ...]:
    return record.names or ()


def _member(record: np.dtype[Any], field: str) -> str:
    return f"{'double' if record[field] == np.float64 else 'int64_t'} {field};"
