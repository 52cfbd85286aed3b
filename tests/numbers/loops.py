"""Loops over arrays for the tests of sim.numbers, and one digest of what they give.

Run as a program it prints the digest; with NUMBA_DISABLE_JIT=1 that is the digest of plain Python.
"""

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sim.numbers import arithmetic, philox
from sim.numbers.compiled import kernel

Array = np.ndarray[Any, Any]


def over_one(function: Callable[[float], float]) -> Callable[[Array, Array], None]:
    """A compiled loop that applies `function` to each element."""

    def loop(x: Array, out: Array) -> None:
        for i in range(x.size):
            out[i] = function(x[i])

    return kernel(loop)


exp_loop, log_loop, log2_loop = over_one(arithmetic.exp), over_one(arithmetic.log), over_one(arithmetic.log2)
two_to_loop, exponent_loop = over_one(arithmetic.two_to), over_one(arithmetic.exponent_of)


@kernel
def power_loop(x: Array, y: Array, out: Array) -> None:
    for i in range(x.size):
        out[i] = arithmetic.power(x[i], y[i])


@kernel
def chance_loop(low: int, high: int, run: Array, day: Array, actor: Array, decision: Array, out: Array) -> None:
    for i in range(run.size):
        out[i] = philox.uniform(low, high, run[i], day[i], actor[i], decision[i])


@kernel
def lanes_loop(low: int, high: int, run: Array, day: int, actor: int, out: Array) -> None:
    """The shape of an engine's inner loop: only the run differs, the decisions are written out."""
    for i in range(run.size):
        first = philox.uniform(low, high, run[i], day, actor, 5)
        second = philox.uniform(low, high, run[i], day, actor, 6)
        out[i] = first if second < 0.5 else -first


@kernel
def philox_loop(word: Array, out: Array) -> None:
    """Philox on words straight from an array of 32-bit numbers, where careless products would overflow."""
    for i in range(word.size):
        a, b, c, d = philox.philox(word[i], word[i], word[i], word[i], word[i], word[i])
        out[i] = philox.unit(a) + philox.unit(b) + philox.unit(c) + philox.unit(d)


def applied(loop: Callable[..., None], *arguments: Any) -> Array:
    """The output of a loop whose first array gives the length."""
    size = next(argument.size for argument in arguments if isinstance(argument, np.ndarray))
    out = np.empty(size)
    loop(*arguments, out)
    return out


def same_bits(first: Array, second: Array) -> bool:
    """Whether two arrays of floats agree in every bit, any NaN counting as any other."""
    plain = np.isnan(first) & np.isnan(second)
    return bool(np.all(plain | (first.view(np.int64) == second.view(np.int64))))


def addresses(size: int, seed: int) -> tuple[Array, Array, Array, Array]:
    """Random runs of all magnitudes, days, actors and decisions, in the types that kernels use."""
    source = np.random.default_rng(seed)
    run = source.integers(0, philox.RUN_LIMIT, size, dtype=np.uint64)
    return (
        run >> source.integers(0, 40, size, dtype=np.uint64),
        source.integers(0, philox.DAY_LIMIT, size, dtype=np.int64),
        source.integers(0, 2**32, size, dtype=np.uint32),
        source.integers(0, philox.DECISION_LIMIT, size, dtype=np.int64),
    )


def digest(size: int = 300) -> str:
    """One hash over everything in sim.numbers, applied to the same inputs in every process."""
    source = np.random.default_rng(20)
    x = source.uniform(-720.0, 720.0, size)
    positive = np.array([math.ldexp(1.0 + m, int(e)) for m, e in zip(source.random(size), x, strict=True)])
    run, day, actor, decision = addresses(size, 21)
    results = [
        applied(exp_loop, x),
        applied(log_loop, positive),
        applied(log2_loop, positive),
        applied(power_loop, positive, x / 720.0),
        applied(two_to_loop, np.floor(x)),
        applied(exponent_loop, positive),
        applied(chance_loop, *philox.split_seed(2**64 - 5), run, day, actor, decision),
        applied(lanes_loop, 0, 1, run.astype(np.int64), 300, np.uint32(2**32 - 1)),
        applied(philox_loop, actor),
    ]
    return hashlib.sha256(np.concatenate(results).tobytes()).hexdigest()


if __name__ == "__main__":
    print(type(exp_loop).__name__, digest())
