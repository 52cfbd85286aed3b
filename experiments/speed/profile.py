"""Where each nanosecond of an agent-day goes: samples of the running kernel, by the step of the day they fall into.

    XDG_CACHE_HOME=$(mktemp -d) .venv/bin/python experiments/speed/profile.py [seconds]

Needs Linux and `perf`, and an empty cache: code that comes from the cache has lost the names of its parts. Steps of the
kernel are functions of their own in the compiled code, so the address of a sample tells the step. Prints a table and
writes it to nanoseconds.csv beside this file.
"""

import csv
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from sim.engine import lanes
from sim.engine.ensemble import OUTCOMES_ONLY, empty_output
from sim.engine.lanes import kernel
from sim.engine.lanes.block import lane_width
from sim.engine.table import tabulate
from sim.study.bench import agent_days
from sim.world.scenario import load

BLOCKS = 16
PER_SECOND = 4000
LONGEST = 1 << 16
OUTSIDE = "outside: blocks opened, results written, Python"
GROUPS = {
    "draws": ("draw",),
    "compliance, fear, grievance, capacity, rate (one exp)": ("adapt",),
    "numbers of attacks (one exp)": ("attack", "count"),
    "fates of attacks": ("land", "casualties", "attacks_elsewhere"),
    "the two states": ("patron", "orders", "mediators", "target", "ladder", "gains"),
    "strikes on wings": ("strike", "struck"),
    "record": ("note", "week", "record", "lags", "write", "kept"),
}


def addresses() -> dict[int, str]:
    """Where every function of the compiled kernel begins."""
    day = next(one for one in vars(kernel).values() if hasattr(one, "overloads") and one.signatures)
    library = day.overloads[day.signatures[0]].library
    find = library._codegen._engine._ee.get_function_address
    found = {find(one.name): plain(one.name) for one in library._final_module.functions if not one.is_declaration}
    if not found:
        raise SystemExit("the kernel came from the cache: set XDG_CACHE_HOME to an empty folder")
    return found


def plain(mangled: str) -> str:
    """The Python name in a mangled one: the last of the names that it nests."""
    parts, rest = [], mangled.removeprefix("_ZN")
    while match := re.match(r"\d+", rest):
        size = int(match[0])
        parts.append(rest[match.end() : match.end() + size])
        rest = rest[match.end() + size :]
    return parts[-1] if parts else mangled


def sampled(seconds: float) -> tuple[Counter[str], float]:
    """Samples by step while the kernel runs, and what an agent-day costs meanwhile, ns."""
    table = tabulate(load([]).scenario)
    runs = np.arange(BLOCKS * lane_width(table))
    points, out = np.zeros_like(runs), empty_output(table, len(runs), OUTCOMES_ONLY)

    def live() -> None:
        lanes.run_histories(table, 1, 0, runs, points, out)

    live()
    steps = addresses()
    begins = sorted(steps)
    with tempfile.TemporaryDirectory() as folder:
        record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(PER_SECOND), "-p", str(os.getpid())]
        perf = subprocess.Popen([*record, "-o", f"{folder}/samples"], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        began, lived = time.thread_time_ns(), 0
        while time.thread_time_ns() - began < seconds * 1e9:
            live()
            lived += agent_days(table, out)
        took = time.thread_time_ns() - began
        perf.send_signal(signal.SIGINT)
        perf.wait()
        script = ["perf", "script", "-i", f"{folder}/samples", "-F", "tid,ip"]
        lines = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    here = [int(line.split()[1], 16) for line in lines if line.split()[0] == str(os.getpid())]
    return Counter(step_at(address, begins, steps) for address in here), took / lived


def step_at(address: int, begins: list[int], steps: dict[int, str]) -> str:
    """The step that an address lies in."""
    place = bisect_right(begins, address) - 1
    within = place >= 0 and address - begins[place] < LONGEST
    return steps[begins[place]] if within else OUTSIDE


def group_of(step: str) -> str:
    """What a step of the kernel belongs to."""
    return next((group for group, words in GROUPS.items() if any(word in step for word in words)), "everything else")


def rows(samples: Counter[str], cost: float) -> list[dict[str, Any]]:
    """Nanoseconds of an agent-day by step, the dearest first."""
    total = sum(samples.values())
    return [
        {"step": step, "part": group_of(step), "ns": round(cost * count / total, 3), "share": round(count / total, 4)}
        for step, count in samples.most_common()
        if count >= total / 1000
    ]


def main() -> None:
    samples, cost = sampled(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
    found = rows(samples, cost)
    parts: Counter[str] = Counter()
    for row in found:
        parts[row["part"]] += row["ns"]
        print(f"{row['ns']:8.2f} ns {row['share']:7.1%}  {row['step']}")
    print(f"{cost:8.2f} ns an agent-day\n")
    for part, spent in parts.most_common():
        print(f"{spent:8.2f} ns  {part}")
    with (Path(__file__).parent / "nanoseconds.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


if __name__ == "__main__":
    main()
