"""What a sweep will cost, told before it starts: histories, time and room on the disk."""

import io
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.study.sweep.disk import Hashing
from sim.study.sweep.plan import Batch, Part
from sim.study.sweep.store import PartWriter
from sim.study.sweep.work import Rows, Work, live

LONG_ENOUGH: Final = 0.3
"""Seconds that the trial is to take, so that its rate can be trusted."""
FIRST_TRIAL: Final = 256
LARGEST_TRIAL: Final = 2**14
ORDERED: Final = ("factorial", "table")
"""Designs whose neighbouring points are alike; any range of the others is like the whole."""


@dataclass(frozen=True)
class Forecast:
    """What remains to be done: histories, seconds, bytes; `rate` in histories a second."""

    histories: int
    seconds: float
    size: int
    rate: float


def forecast(work: Work, missing: list[Part], threads: int, workers: int | None = None) -> Forecast:
    """Live a few histories from all over the sweep and see how long they take and how much room.

    Args:
        work: the sweep.
        missing: parts that are to be made.
        threads: of this process; 0 is every core.
        workers: threads of a cluster that will do it instead, each taken to be like one of ours.
    """
    count = sum(part.rows for part in missing)
    if not count:
        return Forecast(0, 0.0, 0, 0.0)
    live(work, trial(work, missing, 2), threads)  # compiles
    histories = min(FIRST_TRIAL, count)
    while True:
        batch = trial(work, missing, histories)
        began = time.perf_counter()
        rows = live(work, batch, 1 if workers else threads)
        seconds = time.perf_counter() - began
        if seconds >= LONG_ENOUGH or histories >= min(count, LARGEST_TRIAL):
            break
        histories = min(2 * histories, count, LARGEST_TRIAL)
    done = len(rows["run"])
    rate = done / seconds * (workers or 1)
    return Forecast(count, count / rate, expected_size(work, rows, count, len(missing)), rate)


def trial(work: Work, missing: list[Part], histories: int) -> Batch:
    """Some histories of the missing parts: from all over where points are ordered, else as they come."""
    start, stop = min(part.points[0] for part in missing), max(part.points[1] for part in missing)
    count = min(histories, stop - start)
    run = missing[0].runs[0]
    runs = (run, run + max(1, histories // count))
    if work.design.kind not in ORDERED:
        return Batch((start, start + count), runs)
    chosen = np.unique(np.linspace(start, stop - 1, count).astype(np.int64))
    return Batch((start, stop), runs, tuple(chosen.tolist()))


def expected_size(work: Work, rows: Rows, histories: int, parts: int) -> int:
    """Bytes on the disk: what every part has besides its histories, and what each of these adds."""
    frame = stored_size(work, {name: column[:1] for name, column in rows.items()})
    each = (stored_size(work, rows) - frame) / len(rows["run"])
    return int(parts * frame + histories * each)


def stored_size(work: Work, rows: Rows) -> int:
    """Bytes that these histories take in a part."""
    sink = Hashing(io.BytesIO())
    writer = PartWriter(sink, work.columns, {})
    writer.add(rows)
    writer.close()
    return sink.tell()
