import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType
from typing import Any

import mpmath
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite.binding import get_host_cpu_features

from sim.numbers import arithmetic
from sim.numbers.compiled import kernel
from tests.numbers import loops
from tests.numbers.loops import applied, same_bits

mpmath.mp.prec = 160
EXPONENTS = range(-1022, 1023)
NORMAL = st.floats(min_value=arithmetic.LOG_LOW, max_value=arithmetic.LOG_HIGH)
UNARY = {
    "exp": (arithmetic.exp, loops.exp_loop),
    "log": (arithmetic.log, loops.log_loop),
    "log2": (arithmetic.log2, loops.log2_loop),
}


def wide(size: int) -> list[float]:
    """Arguments of exp: its whole range, the interval around 0, and the seams where k changes."""
    source = np.random.default_rng(11)
    seams = [(k + 0.5) * math.log(2) + step for k in range(-1020, 1022) for step in (-1e-13, 0.0, 1e-13)]
    return [*source.uniform(-708, 709, size).tolist(), *source.uniform(-1, 1, size).tolist(), *seams]


def positive(size: int) -> list[float]:
    """Arguments of log: all magnitudes, the interval around 1, the closest neighbours of 1, and the seams."""
    source = np.random.default_rng(12)
    near = 1.0 + source.choice([-0.5, 1.0], size) * 2.0 ** source.uniform(-52, -1, size)
    scaled = np.exp(source.uniform(-708, 709, size))
    seams = [math.ldexp(2**0.5 + step, k) for k in range(-3, 3) for step in (-2 * 2**-52, 0.0, 2 * 2**-52)]
    return [*scaled.tolist(), *source.uniform(0.4, 2.5, size).tolist(), *near.tolist(), *seams]


def worst_ulps(got: Callable[[float], float], true: Callable[[float], Any], xs: Iterable[float]) -> float:
    """The largest error, in units of the last place of the true value."""
    pairs = ((got(x), true(x)) for x in xs)
    return max(float(abs(value - exact)) / math.ulp(float(exact)) for value, exact in pairs)


def true_log2(x: float) -> mpmath.mpf:
    return mpmath.log(x) / mpmath.log(2)


def exp_reduced_in_one_part(x: float) -> float:
    """The classical mistake: ln 2 in one part."""
    k = math.floor(x / math.log(2) + 0.5)
    return arithmetic.exp(x - k * math.log(2)) * arithmetic.two_to(k)


def log_added_in_one_part(x: float) -> float:
    e, m = arithmetic.split(x)
    return e * math.log(2) + arithmetic.log_of_parts(0.0, m)


def test_exp_errs_by_at_most_one_ulp():
    xs = wide(8000)
    assert worst_ulps(arithmetic.exp, mpmath.exp, xs) <= 1.0
    assert worst_ulps(exp_reduced_in_one_part, mpmath.exp, xs) > 10.0


def test_log_errs_by_at_most_one_ulp():
    xs = positive(6000)
    assert worst_ulps(arithmetic.log, mpmath.log, xs) <= 1.0
    assert worst_ulps(log_added_in_one_part, mpmath.log, xs) > 1.0


def test_log2_errs_by_at_most_two_ulps():
    xs = positive(6000)
    assert worst_ulps(arithmetic.log2, true_log2, xs) <= 2.0
    assert worst_ulps(lambda x: arithmetic.log(x) * (arithmetic.LOG2_E + 2.0**-51), true_log2, xs) > 2.0


def power_error(got: Callable[[float, float], float], x: float, y: float) -> float:
    """The relative error of a power as a share of the stated bound."""
    exact = mpmath.power(x, y)
    bound = (1.0 + 1.5 * abs(y * math.log(x))) * 2.0**-52
    return float(abs(got(x, y) / exact - 1)) / bound


def test_power_keeps_its_stated_bound():
    source = np.random.default_rng(13)
    bases = np.exp(source.uniform(-8, 8, 8000)).tolist()
    pairs = list(zip(bases, source.uniform(-20, 20, 8000).tolist(), strict=True))
    assert max(power_error(arithmetic.power, x, y) for x, y in pairs) <= 1.0
    careless = lambda x, y: arithmetic.exp(y * (arithmetic.log2(x) * 0.693147180559945))  # noqa: E731
    assert max(power_error(careless, x, y) for x, y in pairs) > 1.0


def normal_error(got: Callable[[float], float], u: float) -> float:
    """The error of a normal quantile as a share of the true one."""
    exact = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(u) - 1)
    return float(abs(got(u) / exact - 1))


def test_inverse_normal_keeps_its_stated_bound():
    source = np.random.default_rng(14)
    tails = 2.0 ** source.uniform(-33, -1, 1500)
    spread = (source.integers(2**32, size=1500) + 0.5) / 2**32
    us = [2.0**-33, 0.5 - 2.0**-33, *tails.tolist(), *spread.tolist()]
    us += [1.0 - u for u in us]
    assert max(normal_error(arithmetic.inverse_normal, u) for u in us) <= 2e-4
    code = arithmetic.inverse_normal.__code__
    off = tuple(1.001 * one if one == 2.244700170413192 else one for one in code.co_consts)
    assert off != code.co_consts
    wrong = FunctionType(code.replace(co_consts=off), vars(arithmetic))
    assert max(normal_error(wrong, u) for u in us) > 2e-4
    assert arithmetic.inverse_normal(0.5) == 0.0
    assert all(arithmetic.inverse_normal(u) == -arithmetic.inverse_normal(1.0 - u) for u in spread.tolist())


def test_exact_values():
    assert [arithmetic.exp(0.0), arithmetic.exp(-0.0), arithmetic.log(1.0)] == [1.0, 1.0, 0.0]
    for k in EXPONENTS:
        assert arithmetic.two_to(k) == math.ldexp(1.0, k)
        assert arithmetic.log2(math.ldexp(1.0, k)) == k
        assert arithmetic.exponent_of(math.ldexp(1.0, k)) == k
        assert arithmetic.exponent_of(math.nextafter(math.ldexp(2.0, k), 0.0)) == k


def test_compiled_primitives_are_exact_over_all_exponents():
    k = np.arange(-1022.0, 1024.0)
    powers = np.ldexp(1.0, k.astype(int))
    assert same_bits(applied(loops.two_to_loop, k), powers)
    assert same_bits(applied(loops.exponent_loop, powers), k)
    assert same_bits(applied(loops.exponent_loop, np.nextafter(powers[1:], 0.0)), k[:-1])


def test_power_at_the_edges():
    assert arithmetic.power(0.0, 0.3) == 0.0
    assert [arithmetic.power(x, 0.0) for x in (1e-300, 0.5, 1e300)] == [1.0, 1.0, 1.0]
    assert [arithmetic.power(1.0, y) for y in (-1e300, 0.5, 1e300)] == [1.0, 1.0, 1.0]


def test_arguments_out_of_range_count_as_the_nearest_end():
    assert arithmetic.exp(math.inf) == arithmetic.exp(1e9) == arithmetic.exp(709.0) < math.inf
    assert arithmetic.exp(-math.inf) == arithmetic.exp(-1e9) == arithmetic.exp(-708.0) >= 2.0**-1022
    assert arithmetic.log(-1.0) == arithmetic.log(0.0) == arithmetic.log(5e-324) == arithmetic.log(2.0**-1022)
    assert arithmetic.log(math.inf) == arithmetic.log(arithmetic.LOG_HIGH)


@pytest.mark.parametrize("name", UNARY)
def test_nan_stays_visible(name):
    plain, loop = UNARY[name]
    assert math.isnan(plain(math.nan))
    assert np.isnan(applied(loop, np.full(17, math.nan))).all()
    assert math.isnan(arithmetic.power(math.nan, 2.0))
    assert math.isnan(arithmetic.power(2.0, math.nan))


@given(st.floats(-707, 708), st.floats(4 * 2.0**-52, 1.0))
def test_exp_rises_by_any_step_greater_than_its_error(x, step):
    assert arithmetic.exp(x) <= arithmetic.exp(x + step)


@given(NORMAL, st.floats(2.0**-40, 1.0))
def test_log_rises_by_any_factor_greater_than_its_error(x, step):
    assert arithmetic.log(x) <= arithmetic.log(x * (1.0 + step))


@given(st.floats(-700, 700))
def test_log_undoes_exp(x):
    assert math.isclose(arithmetic.log(arithmetic.exp(x)), x, rel_tol=2 * 2.0**-52, abs_tol=2 * 2.0**-52)


@pytest.mark.parametrize("name", UNARY)
def test_plain_and_compiled_give_the_same_bits(name):
    plain, loop = UNARY[name]
    xs = np.array(wide(4000) if name == "exp" else positive(4000))
    expected = np.array([plain(x) for x in xs.tolist()])
    assert same_bits(applied(loop, xs), expected)
    assert not same_bits(applied(loop, np.nextafter(xs, math.inf)), expected)


def test_plain_and_compiled_powers_give_the_same_bits():
    source = np.random.default_rng(14)
    x, y = np.exp(source.uniform(-20, 20, 8000)), source.uniform(-30, 30, 8000)
    expected = np.array([arithmetic.power(*pair) for pair in zip(x.tolist(), y.tolist(), strict=True)])
    assert same_bits(applied(loops.power_loop, x, y), expected)


@given(st.lists(st.floats(), min_size=1, max_size=40))
def test_plain_and_compiled_agree_on_any_float_at_any_width(values):
    for plain, loop in UNARY.values():
        assert same_bits(applied(loop, np.array(values)), np.array([plain(x) for x in values]))


NARROW = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_DISABLE_JIT": "0"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [({"NUMBA_DISABLE_JIT": "1"}, "function"), (NARROW, "CPUDispatcher")],
    ids=["not compiled", "narrowest vectors"],
)
def test_a_process_that_computes_in_another_way_gives_the_same_bits(settings, kind):
    root = Path(loops.__file__).parents[2]
    environment = {**os.environ, **settings}
    command = [sys.executable, "-m", "tests.numbers.loops"]
    answer = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    assert answer.stdout.split() == [kind, loops.digest()]
    assert loops.digest(299) != loops.digest()


@pytest.mark.parametrize("name", [*UNARY, "power"])
def test_loops_are_vectorised_without_fusing_or_library_calls(name, assembly):
    loop = loops.power_loop if name == "power" else UNARY[name][1]
    applied(loop, *([np.ones(9)] * (2 if name == "power" else 1)))
    code = assembly(loop)
    assert code.in_vectors("mulpd")
    assert not code.fuses()
    assert code.library_calls() == set()


def test_the_assembly_tests_would_notice(assembly):
    library = loops.over_one(math.exp)

    @kernel
    def chained(x, out):
        value = 1.0
        for i in range(x.size):
            value = arithmetic.exp(-value * x[i])
            out[i] = value

    @numba.njit(fastmath=True)
    def fused(x, out):
        for i in range(x.size):
            out[i] = x[i] * x[i] + 1.0

    for loop in (library, chained, fused):
        applied(loop, np.ones(9))
    assert "exp" in assembly(library).library_calls()
    assert not assembly(chained).in_vectors("mulpd")
    assert assembly(fused).fuses() or not get_host_cpu_features()["fma"]
