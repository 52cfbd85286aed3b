"""Timing by turns: on a shared machine only what ran at the same time can be compared."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Final

Samples = dict[str, list[float]]

SPIN: Final = """
import sys, time
for line in sys.stdin:
    x, began = 1.0, time.perf_counter()
    for _ in range(int(line)):
        x = x * 0.999 + 0.5
    print(time.perf_counter() - began, flush=True)
"""
"""A process that does nothing but count, as often as each line of its input says, and tells how long it took."""


def by_turns(parts: Mapping[str, Callable[[], float]], rounds: int, done: Callable[[], None]) -> Samples:
    """Call every part once a round and keep what it returns; every second round goes backwards, so drift cancels.

    A first round warms up and is dropped; `done` is called after each of the others.
    """
    names = list(parts)
    samples: Samples = {name: [] for name in names}
    for one in names:
        parts[one]()
    for turn in range(rounds):
        for one in names if turn % 2 == 0 else reversed(names):
            samples[one].append(parts[one]())
        done()
    return samples


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The ratio in every round.

    >>> ratios([2.0, 9.0], [1.0, 3.0])
    [2.0, 3.0]
    """
    return [a / b for a, b in zip(above, below, strict=True)]


def quartiles(values: Sequence[float]) -> list[float]:
    """Lower quartile, median, upper quartile.

    >>> quartiles([1.0, 2.0, 3.0, 4.0, 5.0])
    [2.0, 3.0, 4.0]
    """
    if len(values) < 2:
        return [values[0]] * 3
    low, _, high = quantiles(values, n=4, method="inclusive")
    return [low, median(values), high]


def thread_ns(work: Callable[[], object]) -> int:
    """Nanoseconds of processor time that the work takes in this thread: others on the machine do not count."""
    began = time.thread_time_ns()
    work()
    return time.thread_time_ns() - began


def wall_ns(work: Callable[[], object]) -> int:
    """Nanoseconds on the clock on the wall."""
    began = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - began


@contextmanager
def spinners(count: int, seconds: float) -> Iterator[Callable[[int], float]]:
    """Independent processes that spin; yields a function that lets the first so many of them count at once.

    Each counts for about so many seconds. The function returns the speed of all together, in loops a second.
    """
    command = [sys.executable, "-S", "-c", SPIN]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]

    def ask(chosen: Sequence[subprocess.Popen[str]], loops: int) -> list[float]:
        for one in chosen:
            assert one.stdin is not None
            print(loops, file=one.stdin, flush=True)
        return [float(one.stdout.readline()) for one in chosen if one.stdout is not None]

    try:
        trial = 200_000
        loops = int(seconds * trial / ask(processes[:1], trial)[0])
        yield lambda together: sum(loops / took for took in ask(processes[:together], loops))
    finally:
        for one in processes:
            one.communicate()
