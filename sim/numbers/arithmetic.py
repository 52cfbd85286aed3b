"""exp, log, log2 and power with the same bits everywhere.

The mathematical libraries of platforms differ in the last bit. These functions use only IEEE additions,
products, quotients and comparisons, and two exact steps on the exponent of a number, so plain Python and
vectors of any width agree. Clamps are selects that let NaN through: loops vectorise, and a mistake stays
visible. All take and return float64.

Errors: exp and log at most 1 ulp, log2 at most 2 ulp, power at most (1 + 1.5 |y ln x|) 2**-52 of its value.
"""

import math
from typing import Any

from llvmlite import ir
from numba import float64

from sim.numbers.compiled import primitive, rule

EXP_LOW, EXP_HIGH = -708.0, 709.0
LOG_LOW, LOG_HIGH = 2.0**-1022, 2.0**1023 - 2.0**970
LOG2_E = 1.4426950408889634
# ln 2 in two parts: the first has 21 trailing zero bits, so its product with any exponent is exact.
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
SQRT_2 = 1.4142135623730951
# Adding this number rounds to a whole number, for one ulp is then 1; the half leaves room for negative ones.
ROUNDER = 1.5 * 2.0**52

_BITS, _FLOAT = ir.IntType(64), ir.DoubleType()


def _emit_two_to(build: ir.IRBuilder, k: ir.Value) -> Any:
    """The biased exponent is put into the lowest bits of a float by adding, then shifted to its place."""
    biased = build.bitcast(build.fadd(k, ir.Constant(_FLOAT, ROUNDER + 1023.0)), _BITS)
    return build.bitcast(build.shl(biased, ir.Constant(_BITS, 52)), _FLOAT)


def _emit_exponent_of(build: ir.IRBuilder, x: ir.Value) -> Any:
    """The biased exponent becomes the last bits of a float near 2**52: AVX2 converts no 64-bit integers."""
    biased = build.lshr(build.bitcast(x, _BITS), ir.Constant(_BITS, 52))
    near = build.bitcast(build.or_(biased, ir.Constant(_BITS, 0x433 << 52)), _FLOAT)
    return build.fsub(near, ir.Constant(_FLOAT, 2.0**52 + 1023.0))


@primitive(float64(float64), _emit_two_to)
def two_to(k: float) -> float:
    """Two to the power `k`, exact for whole `k` from -1022 to 1023 (elsewhere undefined).

    >>> two_to(-3.0)
    0.125
    """
    return math.ldexp(1.0, int(k)) if k == k else k


@primitive(float64(float64), _emit_exponent_of)
def exponent_of(x: float) -> float:
    """The floor of log2 of `x`, exact for positive normal numbers (elsewhere undefined).

    >>> exponent_of(0.75), exponent_of(8.0)
    (-1.0, 3.0)
    """
    return math.frexp(x)[1] - 1.0


@rule
def exp(x: float) -> float:
    """The exponential of `x`, within 1 ulp; `x` is clamped to [-708, 709], so that every result is normal.

    Formula: x = k ln 2 + r with |r| <= (ln 2) / 2, e**x = 2**k e**r; Taylor's series for e**r, up to r**13.
    Source: the reduction in two parts is that of Cody and Waite (1980).

    >>> exp(0.0), exp(2.0)
    (1.0, 7.38905609893065)
    """
    x = EXP_LOW if x < EXP_LOW else x
    x = EXP_HIGH if x > EXP_HIGH else x
    k = (x * LOG2_E + ROUNDER) - ROUNDER
    high = x - k * LN2_HIGH
    low = k * LN2_LOW
    r = high - low
    s = r * r
    # Even and odd powers apart: two short chains of products keep the processor busier than a long one.
    a = 1 / 2 + s * (1 / 24 + s * (1 / 720 + s * (1 / 40320 + s * (1 / 3628800 + s * (1 / 479001600)))))
    b = 1 / 6 + s * (1 / 120 + s * (1 / 5040 + s * (1 / 362880 + s * (1 / 39916800 + s * (1 / 6227020800)))))
    return (1.0 + (high - (low - s * (a + r * b)))) * two_to(k)


@rule
def split(x: float) -> tuple[float, float]:
    """Whole `e` and `m` in about [0.71, 1.42] with x = m 2**e exactly; `x` is clamped to [2**-1022, 2**1023).

    >>> split(12.0)
    (4.0, 0.75)
    """
    x = LOG_LOW if x < LOG_LOW else x
    x = LOG_HIGH if x > LOG_HIGH else x
    e = exponent_of(x)
    m = x * two_to(-e)
    return (e + 1.0 if m > SQRT_2 else e), (0.5 * m if m > SQRT_2 else m)


@rule
def log_of_parts(e: float, m: float) -> float:
    """The natural logarithm of m 2**e, for the parts that `split` gives.

    Formula: with f = m - 1, s = f / (2 + f): ln m = 2 artanh s = f - (f**2 / 2 - s (f**2 / 2 + R)), where
    R = 2 s**2 / 3 + 2 s**4 / 5 + ..., up to s**20; the exact f leads, so that little rounding is left.
    Source: the arrangement is that of FreeBSD's msun library (e_log.c).

    >>> log_of_parts(1.0, 1.0)
    0.6931471805599453
    """
    f = m - 1.0
    half = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = z * (2 / 3 + w * (2 / 7 + w * (2 / 11 + w * (2 / 15 + w * (2 / 19)))))
    even = w * (2 / 5 + w * (2 / 9 + w * (2 / 13 + w * (2 / 17 + w * (2 / 21)))))
    return e * LN2_HIGH - ((half - (s * (half + (odd + even)) + e * LN2_LOW)) - f)


@rule
def log(x: float) -> float:
    """The natural logarithm of `x`, within 1 ulp; clamped to [2**-1022, 2**1023), so that zero gives -708.4.

    >>> log(1.0), log(10.0)
    (0.0, 2.302585092994046)
    """
    e, m = split(x)
    return log_of_parts(e, m)


@rule
def log2(x: float) -> float:
    """The logarithm to base 2 of `x`, within 2 ulp and exact for powers of two; clamped like `log`.

    >>> log2(8.0), log2(10.0)
    (3.0, 3.321928094887362)
    """
    e, m = split(x)
    return e + log_of_parts(0.0, m) * LOG2_E


@rule
def power(x: float, y: float) -> float:
    """`x` to the power `y` for x >= 0 (and y > 0 where x is 0); its exponent is clamped like that of `exp`.

    Formula: e**(y ln x), and 0 for x = 0. The relative error is at most (1 + 1.5 |y ln x|) * 2**-52.

    >>> power(4.0, 0.5), power(0.0, 0.5), power(7.0, 0.0)
    (2.0, 0.0, 1.0)
    """
    value = exp(y * log(x))
    return 0.0 if x == 0.0 else value


@rule
def inverse_normal(u: float) -> float:
    """The value that a standard normal number stays below with the probability `u`, from 2**-33 to 1 - 2**-33.

    Error: at most 2e-4 of the value, which is enough for shocks of assumed size, and half as dear as more would be.
    Formula: x = 2 u - 1 times a polynomial in w = -ln(1 - x**2), whose logarithm is a polynomial too, without division.
    Source: Giles (2012), GPU Computing Gems, chapter 10, for the choice of w; coefficients fitted for this range.

    >>> inverse_normal(0.5), round(inverse_normal(0.975), 3)
    (0.0, 1.96)
    """
    x = 2.0 * u - 1.0
    e, m = split(4.0 * u * (1.0 - u))
    f = m - 1.0
    series = -0.25472015915161683 + f * (0.22329363230233693 + f * -0.14320971054264917)
    series = 1.000012743168723 + f * (-0.4998508009469551 + f * (0.3322597425430156 + f * series))
    t = -0.1 * (e * LN2_HIGH + f * series) - 1.0
    high = -0.2185915929712332 + t * (0.03347347794477553 + t * (0.18037816075686133 + t * -0.10466869843766498))
    low = 4.235978013651947 + t * (2.244700170413192 + t * (-0.5185310789933852 + t * 0.2524121016686483))
    return x * (low + (t * t) * (t * t) * high)


@rule
def bounded(value: float, most: float) -> float:
    """The value, at least 0 and at most `most`; 0 where it is no number.

    >>> [bounded(x, 2.0) for x in (-1.0, 1.5, 3.0, float("nan"))]
    [0.0, 1.5, 2.0, 0.0]
    """
    if not value > 0.0:
        return 0.0
    return value if value < most else most
