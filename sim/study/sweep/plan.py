"""How a sweep is cut: parts that are files of their own, batches that are computed at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PARTS: Final = 48
"""Parts that a sweep is cut into, about; so 10^6 points make fewer than 100 files."""
LEAST_ROWS: Final = 2**14
"""Histories of a part where there are few: some seconds of work, lost at most when a process is killed."""
BATCH_ROWS: Final = 2**15
"""Histories computed at once: enough that a batch takes seconds, few enough that it takes some 50 MB."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """One file of a store: histories `runs` (from, to) of points `points` (from, to), `to` excluded.

    `chosen` are the points that it holds where it does not hold all of the span.
    """

    number: int
    points: Span
    runs: Span
    chosen: tuple[int, ...] | None = None

    @property
    def rows(self) -> int:
        """Number of histories."""
        return (width(self.points) if self.chosen is None else len(self.chosen)) * width(self.runs)

    def batches(self) -> "Iterator[Batch]":
        """The part cut into what is computed at once, in order of point and run."""
        if self.chosen is None:
            yield from (Batch(points, runs) for points, runs in cut(self.points, self.runs, BATCH_ROWS))
            return
        for places, runs in cut((0, len(self.chosen)), self.runs, BATCH_ROWS):
            some = self.chosen[slice(*places)]
            yield Batch((some[0], some[-1] + 1), runs, some)


@dataclass(frozen=True)
class Batch:
    """Histories to live at once: runs `runs` of points `points`, or of some of them, `chosen`, ascending."""

    points: Span
    runs: Span
    chosen: tuple[int, ...] | None = None

    def numbers(self) -> Array:
        """Point numbers (P,)."""
        return np.arange(*self.points) if self.chosen is None else np.array(self.chosen, dtype=np.int64)


def width(span: Span) -> int:
    """Length of a span."""
    return span[1] - span[0]


def cut(points: Span, runs: Span, rows: int) -> Iterator[tuple[Span, Span]]:
    """Cut a rectangle of histories into pieces of at most `rows`; all runs of a point stay together where they fit.

    >>> list(cut((0, 5), (0, 4), 8))
    [((0, 2), (0, 4)), ((2, 4), (0, 4)), ((4, 5), (0, 4))]
    >>> list(cut((0, 1), (0, 5), 3))
    [((0, 1), (0, 3)), ((0, 1), (3, 5))]
    """
    step = max(1, rows // max(1, width(runs)))
    for start in range(*points, step):
        for first in range(*runs, rows):
            yield (start, min(start + step, points[1])), (first, min(first + rows, runs[1]))


def parts_for(have: Array, want: Array, number: int) -> list[Part]:
    """The parts, numbered from `number`, that bring each point (P,) from the runs it has to those that are wanted.

    >>> [(part.points, part.runs) for part in parts_for(np.array([5, 5, 0]), np.array([8, 8, 8]), 0)]
    [((2, 3), (0, 8)), ((0, 2), (5, 8))]
    """
    rows = max(LEAST_ROWS, -(-int(want.sum()) // PARTS))
    parts: list[Part] = []
    most = int(want.max(initial=0)) + 1
    pairs = np.unique(have[want > have] * most + want[want > have])
    for runs in [(int(pair) // most, int(pair) % most) for pair in pairs]:
        points = np.flatnonzero((have == runs[0]) & (want == runs[1]))
        parts += _pieces(points, runs, rows, number + len(parts))
    return parts


def _pieces(points: Array, runs: Span, rows: int, number: int) -> list[Part]:
    first, end = int(points[0]), int(points[-1]) + 1
    if end - first == len(points):
        return [Part(number + k, piece, some) for k, (piece, some) in enumerate(cut((first, end), runs, rows))]
    pieces = enumerate(cut((0, len(points)), runs, rows))
    return [_chosen(number + k, points[slice(*places)].tolist(), some) for k, (places, some) in pieces]


def _chosen(number: int, points: Sequence[int], runs: Span) -> Part:
    span = (points[0], points[-1] + 1)
    return Part(number, span, runs, None if width(span) == len(points) else tuple(points))


def runs_of(parts: Sequence[Part], points: int) -> Array:
    """How many runs each point (P,) has when all these parts are there."""
    have = np.zeros(points, dtype=np.int64)
    for part in parts:
        place: Any = slice(*part.points) if part.chosen is None else np.array(part.chosen)
        have[place] = np.maximum(have[place], part.runs[1])
    return have
