"""Where each nanosecond of an agent-day goes: samples of the running kernel, by the step of the day they fall into.

    XDG_CACHE_HOME=$(mktemp -d) .venv/bin/python experiments/speed/profile.py [seconds]

Needs Linux and `perf`, and an empty cache: code that comes from the cache has lost the names of its parts. Steps of the
kernel are functions of their own in the compiled code, so the address of a sample tells the step. Prints what
it finds and writes it to nanoseconds.json beside this file.
"""

import json
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
from typing import Any, NamedTuple

import numpy as np

from sim.engine import batched
from sim.engine.batch import ALL_OUTCOMES, empty_output
from sim.engine.batched import kernel
from sim.engine.batched.layout import Address, RandomBlock, RngCache, lane_width
from sim.engine.batched.rng import draw_first, draw_lanes
from sim.engine.inputs import ModelInputs, build_inputs
from sim.experiment.benchmark import agent_days, thread_ns
from sim.model.scenario import load
from sim.numbers.arithmetic import exp
from sim.numbers.compiled import kernel as compiled
from sim.numbers.compiled import simd_hints, step
from sim.numbers.soa import VECTOR, rows_of

BLOCKS = 16
PER_SECOND = 1000
LONGEST = 1 << 16
OUTSIDE = "outside: blocks opened, results written, Python"
GROUPS = {
    "wings": ("simulate_wing", "update_timeline_products"),
    "casualties": ("apply_casualties", "marked_lanes"),
    "strikes": ("strikes_land", "strikes_in_lane", "chosen_wing"),
    "states": ("patron_assesses", "issue_orders", "mediators_press", "target_responds", "ladder_moves"),
    "record": ("sum_attacks", "record_week", "record_day_end", "record_quiet", "reset_day"),
}


class Shared(NamedTuple):
    """Rows of the lanes that the primitives read and write."""

    low: Any
    high: Any


@step
def exps(vectors: int, rows: Shared) -> None:
    simd_hints()
    for i in range(VECTOR * vectors):
        rows.high[i] = exp(rows.low[i])


@step
def four_draws(vectors: int, day: int, shares: RngCache, draws: RandomBlock) -> None:
    simd_hints()
    draw_lanes(vectors, Address(1, 0, 0, day, 12345), shares, draws)


@step
def first_draw(vectors: int, day: int, shares: RngCache, draws: RandomBlock) -> None:
    simd_hints()
    draw_first(vectors, Address(1, 0, 0, day, 12345), shares, draws)


@compiled
def repeat(what: int, times: int, floats: Any, whole: Any) -> None:
    """Do one primitive in all lanes of (4, lanes) floats, so many times."""
    vectors, shared = floats.shape[1] // VECTOR, rows_of(Shared, floats[:2])
    draws, shares = rows_of(RandomBlock, floats), rows_of(RngCache, whole)
    for day in range(times):
        if what == 0:
            exps(vectors, shared)
        elif what == 1:
            four_draws(vectors, day, shares, draws)
        else:
            first_draw(vectors, day, shares, draws)


def primitives(lanes: int) -> dict[str, float]:
    """Nanoseconds of one exp, of a block of four draws and of the first draw of a block alone, in one lane."""
    floats, whole = np.ones((4, lanes)), np.arange(len(RngCache._fields) * lanes).reshape(-1, lanes)
    found = {}
    for what, name in enumerate(("exp", "four draws", "first draw alone")):
        repeat(what, 1, floats, whole)
        costs = [thread_ns(lambda what=what: repeat(what, 20_000, floats, whole)) for _ in range(5)]
        found[name] = min(costs) / (20_000 * lanes)
    return found


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
    table = build_inputs(load([]).scenario)
    runs = np.arange(BLOCKS * lane_width(table))
    points, out = np.zeros_like(runs), empty_output(table, len(runs), ALL_OUTCOMES)

    def live() -> None:
        batched.run_histories(table, 1, 0, runs, points, out)

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
    return next((group for group, names in GROUPS.items() if step in names), "all else")


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
    table = build_inputs(load([]).scenario)
    steps, alone = rows(samples, cost), primitives(lane_width(table))
    parts: Counter[str] = Counter()
    for row in steps:
        parts[row["part"]] += row["ns"]
        print(f"{row['ns']:8.2f} ns {row['share']:7.1%}  {row['step']}")
    told = {
        "agent_day_ns": round(cost, 2),
        "steps": steps,
        "parts": {part: round(spent, 2) for part, spent in parts.most_common()},
        "in_one_lane_ns": {name: round(spent, 2) for name, spent in alone.items()},
        "draws_ns": round(draws_cost(table, alone), 2),
        "exps_ns": round(exps_cost(table, alone), 2),
    }
    print(json.dumps({name: value for name, value in told.items() if name != "steps"}, indent=2))
    (Path(__file__).parent / "nanoseconds.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def draws_cost(table: ModelInputs, alone: dict[str, float]) -> float:
    """Draws in an agent-day: a block for each wing, only its first word where no fates are met, and the target's."""
    wings, on_target = len(table.layout), int((table.layout["on_target"] > 0).sum())
    return ((on_target + 1) * alone["four draws"] + (wings - on_target) * alone["first draw alone"]) / wings


def exps_cost(table: ModelInputs, alone: dict[str, float]) -> float:
    """Exps in an agent-day: one for each count, one for each rate that strikes have touched, two for the states."""
    wings, on_target = len(table.layout), int((table.layout["on_target"] > 0).sum())
    return (wings + on_target + 2) * alone["exp"] / wings


if __name__ == "__main__":
    main()
