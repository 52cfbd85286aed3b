"""How fast the compiled kernel is, against what else could have been: measured by turns, told as medians of ratios.

One agent-day is one wing that lives one day, its share of the two states' day included; days after direct war are not
lived and not counted. Costs on one core are processor time of the measuring thread; speed-ups are by the clock on the
wall.
"""

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import binding

from sim.engine import lanes, scalar
from sim.engine.ensemble import OUTCOMES_ONLY, empty_output, run_batch
from sim.engine.lanes.block import lane_width
from sim.engine.record import WAR_DAY, Output
from sim.engine.table import Table, tabulate
from sim.engine.trace import Decision
from sim.numbers.chance import split_seed
from sim.study.prior import prior_design
from sim.study.provenance import source_hash, versions
from sim.study.speed.c_twin import NoTwin, Twin, twin
from sim.study.speed.stopwatch import Samples, by_turns, quartiles, ratios, spinners, thread_ns, wall_ns
from sim.world.scenario import Config, Scenario

Array = npt.NDArray[Any]
Kernel = Callable[[Table, int, int, Array, Array, Output], None]
Done = Callable[[], None]

MESA_DAYS: Final = 134
"""Length of the history that the reference model is timed on: to the day of the report."""

DRAWS: Final = 1 << 16
"""Draws of numpy's generator into its buffer: small enough to stay in the cache."""

THREADS: Final = 2


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    `rounds` of every comparison, of the mixed blocks `mixed_rounds`; histories of the kernel, the oracle, the reference
    model and the threads in each round; design points of the mixed blocks and runs at each of them; seconds that a
    process spins.
    """

    rounds: int = 15
    histories: int = 4096
    oracle: int = 1024
    reference: int = 4
    threaded: int = 40_000
    mixed_rounds: int = 3
    points: int = 16
    runs_per_point: int = 10_000
    spin: float = 0.3


USUAL: Final = Effort()
BRIEF: Final = Effort(
    rounds=2,
    histories=256,
    oracle=32,
    reference=1,
    threaded=512,
    mixed_rounds=1,
    points=4,
    runs_per_point=64,
    spin=0.01,
)
"""Too short to mean much: for tests."""

COMPARISONS: Final = 4


def steps_of(effort: Effort) -> int:
    """How many times `measure` reports progress."""
    return (COMPARISONS - 1) * effort.rounds + effort.mixed_rounds


@dataclass(frozen=True)
class Work:
    """A batch of histories for a kernel to live: `runs` (N,) at `points` (N,) of a table."""

    table: Table
    seed: int
    runs: Array
    points: Array

    def cost(self, kernel: Kernel) -> float:
        """Nanoseconds that a kernel takes for an agent-day, on one core."""
        out = empty_output(self.table, len(self.runs), OUTCOMES_ONLY)
        low, high = split_seed(self.seed)
        return thread_ns(lambda: kernel(self.table, low, high, self.runs, self.points, out)) / self.lived(out)

    def lived(self, out: Output) -> int:
        """Agent-days that these histories lived."""
        return agent_days(self.table, out)


def agent_days(table: Table, out: Output) -> int:
    """Agent-days in an output: every history up to its end or its day of war."""
    war, days = out.rows[:, WAR_DAY], len(table.days)
    return int(np.where(war >= 0, war + 1, days).sum()) * len(table.layout)


def first_runs(table: Table, seed: int, histories: int) -> Work:
    """The first histories of a study, all at the first point."""
    return Work(table, seed, np.arange(histories), np.zeros(histories, dtype=np.int64))


def measure(config: Config, effort: Effort = USUAL, done: Done = lambda: None) -> dict[str, Any]:
    """Everything that `bench.json` holds: the figures under names of their own, then what they rest on.

    Args:
        config: the scenario and the seed.
        effort: how much to measure.
        done: called after every round.
    """
    table = tabulate(config.scenario)
    rival, missing = find_twin(lane_width(table))
    load_before = load()
    samples = {
        "core": core_costs(table, config.seed, rival, effort, done),
        "mesa": mesa_costs(config.scenario, config.seed, effort, done),
        "threads": thread_speeds(table, config.seed, effort, done),
        "mixed": mixed_costs(config.scenario, config.seed, effort, done),
    }
    rows = figures(samples)
    return {
        **{name: None if row is None else row[1] for name, row in rows.items()},
        "draws_per_agent_day": draws_per_agent_day(config.scenario, config.seed, effort.reference),
        "quartiles": rows,
        "ratio_vs_c_missing": missing,
        "scenario": config.scenario.name,
        "seed": config.seed,
        "rounds": effort.rounds,
        "mixed_rounds": effort.mixed_rounds,
        "machine": {**machine(), "load_before": load_before, "load_after": load()},
        "versions": {**versions(), "numpy": version("numpy"), "source_hash": source_hash()},
        "c": None if rival is None else described(rival),
        "samples": samples,
    }


def find_twin(lanes: int) -> tuple[Twin | None, str | None]:
    """The C version with so many lanes, or why there is none."""
    try:
        return twin(lanes), None
    except NoTwin as reason:
        return None, str(reason)


def described(rival: Twin) -> dict[str, Any]:
    """The C version for the record: compiler, flags, and the loops that clang reports as vectorised."""
    loops = [f"{loop.file}:{loop.line} {loop.function}: {loop.width} numbers" for loop in rival.loops]
    return {"compiler": rival.compiler, "flags": list(rival.flags), "vectorised": loops}


def core_costs(table: Table, seed: int, rival: Twin | None, effort: Effort, done: Done) -> Samples:
    """On one core: an agent-day of the kernel, of the scalar oracle and of C, and one draw of numpy's Philox; ns."""
    width = lane_width(table)
    many, few = first_runs(table, seed, -(-effort.histories // width) * width), first_runs(table, seed, effort.oracle)
    parts = {"scalar": lambda: few.cost(scalar.run_histories), "lanes": lambda: many.cost(lanes.run_histories)}
    if rival is not None:
        parts["c"] = lambda: many.cost(rival.run_histories)
    parts["philox"] = lambda: draw_cost(effort.histories // 64)
    return by_turns(parts, effort.rounds, done)


def draw_cost(buffers: int) -> float:
    """Nanoseconds for one float64 draw of numpy's Philox into a buffer that is used again and again."""
    generator, buffer = np.random.Generator(np.random.Philox(1)), np.empty(DRAWS)

    def fill() -> None:
        for _ in range(buffers):
            generator.random(out=buffer)

    return thread_ns(fill) / (buffers * DRAWS)


def mesa_costs(scenario: Scenario, seed: int, effort: Effort, done: Done) -> Samples:
    """134 days: an agent-day of the reference model and of the kernel on one core, ns; and its whole history, ms."""
    from sim.engine.reference import ReferenceModel

    table = first_days(tabulate(scenario), MESA_DAYS)
    work = first_runs(table, seed, effort.histories)
    histories: list[float] = []

    def reference() -> float:
        models: list[ReferenceModel] = []
        took = thread_ns(
            lambda: models.extend(
                ReferenceModel(scenario, seed, run, table=table).live() for run in range(effort.reference)
            )
        )
        histories.append(took / effort.reference / 1e6)
        return took / (sum(model.day + 1 for model in models) * len(table.layout))

    samples = by_turns({"mesa": reference, "lanes": lambda: work.cost(lanes.run_histories)}, effort.rounds, done)
    return samples | {"mesa_ms_per_history": histories[1:]}


def first_days(table: Table, days: int) -> Table:
    """The table of a shorter calendar: what the timeline says of the first days alone."""
    return table._replace(days=table.days[:days], fronts=table.fronts[:days], raids=table.raids[:days])


def draws_per_agent_day(scenario: Scenario, seed: int, histories: int) -> float:
    """Numbers that chance gives the rules, for each wing and day, counted in the reference model."""
    from sim.engine.reference import ReferenceModel

    drawn: list[None] = []

    def listen(decision: Decision) -> None:
        if decision.address is not None:
            drawn.append(None)

    models = [ReferenceModel(scenario, seed, run, trace=listen).live() for run in range(histories)]
    return len(drawn) / sum((model.day + 1) * len(model.wings) for model in models)


def thread_speeds(table: Table, seed: int, effort: Effort, done: Done) -> Samples:
    """Speed of the ensemble on one and on two threads, agent-days/s, and of one and two spinning processes, loops/s."""
    runs = np.arange(effort.threaded)
    lived = agent_days(table, run_batch(table, seed, runs, threads=THREADS))

    def speed(threads: int) -> float:
        return lived / wall_ns(lambda: run_batch(table, seed, runs, threads=threads)) * 1e9

    with spinners(THREADS, effort.spin) as spin:
        parts: Mapping[str, Callable[[], float]] = {
            "one_thread": lambda: speed(1),
            "two_threads": lambda: speed(THREADS),
            "one_process": lambda: spin(1),
            "two_processes": lambda: spin(THREADS),
        }
        return by_turns(parts, effort.rounds, done)


def mixed_costs(scenario: Scenario, seed: int, effort: Effort, done: Done) -> Samples:
    """The same histories in two orders, an agent-day in ns: point after point, and each with a row of its own.

    Points are drawn from the priors. In the second order the histories are shuffled and the table has one row for each,
    so neighbours in a block differ in every number and none shares its memory: what differs is the mixing alone.
    """
    table = tabulate(scenario, prior_design(effort.points, seed))
    points = np.repeat(np.arange(effort.points), effort.runs_per_point)
    runs = np.tile(np.arange(effort.runs_per_point), effort.points)
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(runs))
    own_rows = table._replace(
        **{name: getattr(table, name)[points[order]] for name in ("numbers", "theatres", "wings", "mine")}
    )
    apart, mixed = Work(table, seed, runs, points), Work(own_rows, seed, runs[order], np.arange(len(runs)))
    parts = {
        "many_runs_per_point": lambda: apart.cost(lanes.run_histories),
        "one_run_per_point": lambda: mixed.cost(lanes.run_histories),
    }
    return by_turns(parts, effort.mixed_rounds, done)


def figures(samples: Mapping[str, Samples]) -> dict[str, list[float] | None]:
    """The figures by their names, each with lower quartile, median and upper quartile over the rounds."""
    core, mesa, threads, mixed = (samples[name] for name in ("core", "mesa", "threads", "mixed"))
    lanes = core["lanes"]
    speed_up = ratios(threads["two_threads"], threads["one_thread"])
    possible = ratios(threads["two_processes"], threads["one_process"])
    found = {
        "agent_day_ns_core": lanes,
        "mesa_ms_per_history": mesa["mesa_ms_per_history"],
        "ratio_vs_mesa_core": ratios(mesa["mesa"], mesa["lanes"]),
        "ratio_vs_scalar": ratios(core["scalar"], lanes),
        "ratio_vs_c": ratios(lanes, core["c"]) if "c" in core else None,
        "ratio_vs_philox_draw": ratios(lanes, core["philox"]),
        "thread_efficiency": ratios(speed_up, possible),
        "speed_up_threads": speed_up,
        "speed_up_processes": possible,
        "mixed_block_ratio": ratios(mixed["one_run_per_point"], mixed["many_runs_per_point"]),
    }
    return {name: None if values is None else quartiles(values) for name, values in found.items()}


def machine() -> dict[str, Any]:
    """What this was measured on."""
    features = binding.get_host_cpu_features()
    return {
        "processor": processor(),
        "target": binding.get_host_cpu_name(),
        "vectors": next((name for name in ("avx512f", "avx2", "avx", "neon", "sse2") if features.get(name)), "unknown"),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


def processor() -> str:
    """Name of the processor as its system tells it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def load() -> float | None:
    """How busy the machine is: the average number of processes that want a core over the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
