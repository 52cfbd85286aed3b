"""The machine code of the lane kernel: wide vectors in every hot loop, nothing fused, no mathematical library.

Code that comes from the cache tells nothing of itself, so the steps of a day are compiled anew, each alone with the
kernel's options; in the kernel they are functions of their own too.
"""

import inspect
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from llvmlite.binding import get_host_cpu_features
from numba import boolean, float64, int8, int64, njit, types

from sim.engine.lanes import record, states, wings
from sim.engine.lanes.block import VECTOR, Shares
from sim.numbers.arithmetic import exp
from sim.numbers.compiled import wide_loops
from tests.numbers.conftest import READABLE, Assembly

STEPS = {
    step.__name__: step
    for step in (
        wings.day_begins, wings.timeline_turns, wings.wing_lives, wings.attacks_are_summed, states.patron_assesses,
        states.orders_go_out, states.mediators_press, states.target_responds, states.ladder_moves,
        record.day_is_noted, record.quiet_is_noted,
    )
}  # fmt: skip
"""What every lane does every day."""

PLAIN = {int: int64, float: float64, bool: boolean}
JUMP = re.compile(r"\tj\w+\t(\.LBB\w+)")
COUNTS = re.compile(r"\tv(?:add|sub|mul|div|min|max|sqrt|cmp\w*)(pd|sd)\t(.*)")


def arguments(step: Callable[..., Any]) -> tuple[types.Type, ...]:
    """What the kernel calls a step with, from its annotations."""

    def of(name: str, kind: Any) -> types.Type:
        if isinstance(kind, type) and issubclass(kind, tuple):
            row = types.CPointer(int64 if kind is Shares else float64)
            return types.NamedUniTuple(row, len(kind._fields), kind)  # type: ignore[attr-defined]
        return PLAIN.get(kind) or types.CPointer(int8 if name == "flags" else float64)

    return tuple(of(one.name, one.annotation) for one in inspect.signature(step).parameters.values())


def code_of(step: Callable[..., Any]) -> Assembly:
    return Assembly(njit(nogil=True, error_model="numpy", fastmath=False)(step), arguments(step))


def loops(code: Assembly) -> list[str]:
    """The innermost loops: what lies between a label and the next jump back to it, and holds no other such loop."""
    found = []
    begins: dict[str, int] = {}
    place = 0
    for line in code.text.splitlines(keepends=True):
        if line.startswith(".LBB"):
            begins[line.partition(":")[0]] = place
        place += len(line)
        if (jump := JUMP.match(line)) and jump[1] in begins:
            found.append((begins[jump[1]], place))
    inner = [one for one in found if not any(one != two and one[0] <= two[0] and two[1] <= one[1] for two in found)]
    return [code.text[begin:end] for begin, end in inner]


def narrow(loop: str) -> list[str]:
    """What a loop counts with, one number or two at a time."""
    return [one[0].strip() for one in COUNTS.finditer(loop) if one[1] == "sd" or not re.search("%[yz]mm", one[2])]


def wide(loop: str) -> bool:
    return any(re.search("%[yz]mm", one[2]) for one in COUNTS.finditer(loop))


pytestmark = pytest.mark.skipif(not READABLE, reason="reads compiled code for x86 processors")


@pytest.mark.parametrize("name", STEPS)
def test_hot_loops_are_wide_vectors_that_nothing_fuses(name: str) -> None:
    code = code_of(STEPS[name])
    assert not code.fuses()
    assert code.library_calls() == set()
    if get_host_cpu_features()["avx2"]:
        assert [one for loop in loops(code) for one in narrow(loop)] == []
        assert name == "day_begins" or any(wide(loop) for loop in loops(code))


class Pair(NamedTuple):
    """Rows for the controls."""

    into: Any
    out_of: Any


def test_it_would_notice() -> None:
    def calls_the_library(vectors: int, rows: Pair) -> None:
        wide_loops()
        for i in range(VECTOR * vectors):
            rows.into[i] = math.exp(rows.out_of[i])

    def chained(vectors: int, rows: Pair) -> None:
        wide_loops()
        value = 1.0
        for i in range(VECTOR * vectors):
            value = exp(-value * rows.out_of[i])
            rows.into[i] = value

    def fused(vectors: int, rows: Pair) -> None:
        wide_loops()
        for i in range(VECTOR * vectors):
            rows.into[i] = rows.out_of[i] * rows.out_of[i] + 1.0

    assert "exp" in code_of(calls_the_library).library_calls()
    assert any(narrow(loop) for loop in loops(code_of(chained)))
    quick = Assembly(njit(fastmath=True)(fused), arguments(fused))
    assert quick.fuses() or not get_host_cpu_features()["fma"]
    assert not code_of(fused).fuses()
