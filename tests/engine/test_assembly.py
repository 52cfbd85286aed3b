"""The machine code of the lane kernel: wide vectors in every hot loop, nothing fused, no mathematical library.

Code that comes from the cache does not show its source, so the steps of a day are compiled anew, each alone with the
kernel's options; in the kernel they are functions of their own too.
"""

import inspect
import math
import re
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features
from numba import boolean, float64, int64, njit, typeof, types

from sim.engine.batched import groups, recording, roles, wings
from sim.engine.batched.layout import Block, Numbers, new_memory
from sim.engine.batched.specialize import OURS
from sim.engine.inputs import build_inputs
from sim.model.scenario import load
from sim.numbers.arithmetic import exp
from sim.numbers.compiled import part, simd_hints, step
from sim.numbers.soa import VECTOR, rows_of
from sim.numbers.variant import Variant
from tests.numbers.conftest import READABLE, Assembly

STEPS = {
    step.__name__: step
    for step in (
        wings.reset_day, wings.update_timeline_products, wings.simulate_wing, wings.sum_attacks, wings.theatre_stirs,
        groups.wing_moves_group, roles.patron_assesses, roles.issue_orders, roles.mediators_press,
        roles.target_responds, roles.ladder_moves, recording.record_day_end, recording.record_quiet,
    )
}  # fmt: skip
"""What every lane does every day."""

PLAIN = {int: int64, float: float64, bool: boolean}
JUMP = re.compile(r"\tj\w+\t(\.LBB\w+)")
COUNTS = re.compile(r"\tv(?:add|sub|mul|div|min|max|sqrt|cmp\w*)(pd|sd)\t(.*)")


@cache
def rows(rules: Variant) -> dict[Any, Any]:
    """The types of all parts of a block, by their class, and of the numbers of roles, by the names that steps use."""
    memory = new_memory(build_inputs(load([]).scenario), VECTOR, False)
    found: dict[Any, Any] = {}

    def note(kind: Any) -> None:
        if hasattr(kind, "instance_class"):
            found[kind.instance_class] = kind
            for one in kind.types:
                note(one)

    taken = njit(lambda memory, rules: rows_of(Block, memory, rules))
    taken.compile((typeof(memory), typeof(rules)))
    note(taken.overloads[taken.signatures[0]].signature.return_type.held)
    numbers = found[Numbers]
    found["today"] = typeof(build_inputs(load([]).scenario).days).dtype
    return found | {f"of_{name}": kind for name, kind in zip(numbers.fields, numbers.types, strict=True)}


def arguments(step: Callable[..., Any], rules: Variant) -> tuple[types.Type, ...]:
    """What the kernel calls a step with, from its annotations."""
    known = rows(rules)

    def of(name: str, kind: Any) -> types.Type:
        if kind in PLAIN:
            return PLAIN[kind]
        if kind in known or name in known:
            return known.get(kind) or known[name]
        fields = [PLAIN.get(one) or types.CPointer(float64) for one in get_type_hints(kind).values()]
        return types.BaseTuple.from_types(fields, kind)

    return tuple(of(one.name, one.annotation) for one in inspect.signature(step).parameters.values())


def code_of(step: Callable[..., Any], rules: Variant = OURS[True, True]) -> Assembly:
    return Assembly(njit(nogil=True, error_model="numpy", fastmath=False)(step), arguments(step, rules))


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
@pytest.mark.parametrize("form", [(True, True), (False, False)])
def test_hot_loops_are_wide_vectors_that_nothing_fuses(name: str, form: tuple[bool, bool]) -> None:
    code = code_of(STEPS[name], OURS[form])
    assert not code.fuses()
    assert code.library_calls() == set()
    if get_host_cpu_features()["avx2"]:
        assert [one for loop in loops(code) for one in narrow(loop)] == []
        assert name == "reset_day" or any(wide(loop) for loop in loops(code))


class Pair(NamedTuple):
    """Rows for the controls."""

    into: Any
    out_of: Any


class Pairs(NamedTuple):
    """Rows within rows, and what a call is not to recognise."""

    pair: Annotated[Any, Pair]
    rules: Any


def calls(compiled: Any) -> tuple[bool, int]:
    """Whether the code of a loop calls its only step, and how many numbers it hands on."""
    text = str(compiled.inspect_llvm(compiled.signatures[0]))
    called = re.search(r"call \w+ @\S*double_all\S*\(([^)]*)\)", text)
    return called is not None, called[1].count(",") + 1 if called else 0


def double_all(pairs: Pairs) -> None:
    simd_hints()
    pair = pairs.pair
    for i in range(VECTOR):
        pair.into[i] = 2.0 * pair.out_of[i]


def doubling(inner: Any) -> Any:
    outer = part(lambda pairs: inner(pairs))
    return njit(lambda memory, rules: outer(rows_of(Pairs, memory, rules)))


def test_a_step_that_a_part_calls_is_a_function_that_gets_an_address_and_a_part_is_none() -> None:
    for mark, expected in ((step, (True, 3)), (part, (False, 0))):
        inner = mark(FunctionType(double_all.__code__, globals(), "double_all"))
        compiled = doubling(inner)
        table = np.ones((2, VECTOR))
        compiled(Pairs(pair=table, rules=None), OURS[True, True])
        assert table.tolist() == [[2.0] * VECTOR, [1.0] * VECTOR]
        assert calls(compiled) == expected


def test_it_would_notice() -> None:
    def calls_the_library(vectors: int, rows: Pair) -> None:
        simd_hints()
        for i in range(VECTOR * vectors):
            rows.into[i] = math.exp(rows.out_of[i])

    def chained(vectors: int, rows: Pair) -> None:
        simd_hints()
        value = 1.0
        for i in range(VECTOR * vectors):
            value = exp(-value * rows.out_of[i])
            rows.into[i] = value

    def fused(vectors: int, rows: Pair) -> None:
        simd_hints()
        for i in range(VECTOR * vectors):
            rows.into[i] = rows.out_of[i] * rows.out_of[i] + 1.0

    assert "exp" in code_of(calls_the_library).library_calls()
    assert any(narrow(loop) for loop in loops(code_of(chained)))
    quick = Assembly(njit(fastmath=True)(fused), arguments(fused, OURS[True, True]))
    assert quick.fuses() or not get_host_cpu_features()["fma"]
    assert not code_of(fused).fuses()
