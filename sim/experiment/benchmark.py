"""The benchmark: the kernel's speed against alternatives, its growth, and timing by turns.

Timing by turns: on a shared machine only what ran at the same time can be compared.

How the cost of an agent-day grows with runs, with days and with wings.

How fast the compiled kernel is, against what else could have been: measured by turns, reported as medians of ratios.

One agent-day is one wing for one day, its share of the two states' day included; days after direct war are not
simulated and not counted. Costs on one core are processor time of the measuring thread; speed-ups are by the clock on
the wall.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import numpy as np
import psutil
from llvmlite import binding

from sim.engine import batched
from sim.engine.batch import empty_output, run_batch
from sim.engine.batched.layout import lane_width
from sim.engine.inputs import POINTWISE, ModelInputs, build_inputs, form_of, stacked, with_design
from sim.engine.record import ALL_OUTCOMES, WAR_DAY, Output, OutputSpec
from sim.engine.trace import Decision
from sim.experiment.parameter_sets import prior_design
from sim.experiment.result_dir import source_hash, versions
from sim.experiment.runner import first_days
from sim.experiment.statistics import Array
from sim.model.parameters import MECHANISM_NAMES
from sim.model.scenario import Config, Scenario
from sim.numbers.philox import actor_id, split_seed

Samples = dict[str, list[float]]

SPIN: Final = """
import sys, time
for line in sys.stdin:
    x, began = 1.0, time.perf_counter()
    for _ in range(int(line)):
        x = x * 0.999 + 0.5
    print(time.perf_counter() - began, flush=True)
"""
"""A process that does nothing but count, as often as each line of its input says, and reports how long it took."""


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


@dataclass(frozen=True)
class Sizes:
    """Numbers of runs, days and wings, each in rising order."""

    runs: tuple[int, ...] = (10**3, 10**4, 10**5, 10**6, 10**7)
    days: tuple[int, ...] = (30, 134, 330, 1000, 3650)
    wings: tuple[int, ...] = (8, 10, 32, 100, 316, 1000, 3162, 10_000)

    @property
    def steps(self) -> int:
        """How many times `growth` reports progress."""
        return len(self.runs) + len(self.days) + len(self.wings)


SIZES: Final = Sizes()

BATCH: Final = 100_000
"""Histories that are in memory at a time, whatever the number of runs."""

REPEATS: Final = 3
AGENT_DAYS: Final = 3e7
"""Simulated in each measurement of growth with days and wings."""
FEWEST: Final = 512
"""Least histories of a measurement, even where that makes more agent-days."""

AFTER_THE_TIMELINE: Final = (
    "After the last dated entry of the timeline its standing values go on: the war's intensity, the talks and the"
    " standing orders last to the end of the calendar, single acts do not return; a calendar that ends before the day"
    " of the strikes has none. Days after direct war are neither simulated nor counted."
)
SYNTHETIC: Final = (
    "Synthetic wings repeat the scenario's, each copy in collectives of its own; baselines are divided by the number of"
    " copies, so that the campaign as a whole stays the same. 134 days."
)


def growth(
    config: Config, long: Config, done: "Done", sizes: Sizes = SIZES, least: float = AGENT_DAYS
) -> dict[str, Any]:
    """The three tables; each row one size. Runs go through the ensemble on every core, the others through one.

    Args:
        config: scenario and seed.
        long: the same with a calendar that is long enough for every size.
        done: called after every size.
        sizes: what is measured.
        least: agent-days simulated in each measurement of growth with days and wings.
    """
    table, longest = build_inputs(config.scenario), build_inputs(long.scenario)
    base = first_days(table, MESA_DAYS)
    return {
        "runs": [with_runs(table, config.seed, runs, done) for runs in sizes.runs],
        "days": [of_table(first_days(longest, days), config.seed, least, done) for days in sizes.days],
        "wings": [of_table(synthetic(base, wings), config.seed, least, done) for wings in sizes.wings],
        "notes": {"days": AFTER_THE_TIMELINE, "wings": SYNTHETIC},
    }


def with_runs(table: ModelInputs, seed: int, runs: int, done: "Done") -> dict[str, float]:
    """So many histories through the ensemble, in batches that are forgotten: memory does not grow.

    `agent_day_ns` is by the clock on the wall, `agent_day_ns_core` the processor time of all threads together.
    """
    peak = psutil.Process().memory_info().rss
    agent_work, took, busy = 0, 0.0, 0.0
    for start in range(0, runs, BATCH):
        numbers = np.arange(start, min(start + BATCH, runs))
        began, busy_before = time.perf_counter(), time.process_time()
        out = run_batch(table, seed, numbers)
        took, busy = took + time.perf_counter() - began, busy + time.process_time() - busy_before
        agent_work += agent_days(table, out)
        peak = max(peak, psutil.Process().memory_info().rss)
    done()
    return {
        "runs": runs,
        "seconds": took,
        "agent_day_ns": took / agent_work * 1e9,
        "agent_day_ns_core": busy / agent_work * 1e9,
        "peak_mib": peak / 2**20,
    }


def of_table(table: ModelInputs, seed: int, least: float, done: "Done") -> dict[str, float]:
    """Cost of an agent-day of a table on one core, in blocks that are all full."""
    days, wings, width = len(table.days), len(table.layout), lane_width(table)
    runs = -(-max(FEWEST, int(least / (days * wings))) // width) * width
    work = first_runs(table, seed, runs)
    low, middle, high = quartiles([work.cost(batched.run_histories) for _ in range(REPEATS)])
    done()
    return {"days": days, "wings": wings, "runs": runs, "agent_day_ns_core": middle, "low": low, "high": high}


def synthetic(table: ModelInputs, wings: int) -> ModelInputs:
    """The table with so many wings: its own ones over and over, the campaign as a whole as strong as before."""
    of = np.arange(wings) % len(table.layout)
    copies = np.arange(wings) // len(table.layout)
    layout, numbers = table.layout[of].copy(), table.wings[:, of].copy()
    collectives = int(table.layout["collective"].max()) + 1
    layout["collective"] += copies * collectives
    layout["actor"] = [actor_id(f"wing {number}") for number in range(wings)]
    numbers["baseline"] *= min(1.0, len(table.layout) / wings)
    return table._replace(layout=layout, wings=numbers, raids=np.ascontiguousarray(table.raids[:, of]))


Kernel = Callable[[ModelInputs, int, int, Array, Array, Output], None]
Done = Callable[[], None]

MESA_DAYS: Final = 134
"""Length of the history that the reference model is timed on: to the day of the report."""

DRAWS: Final = 1 << 16
"""Draws of numpy's generator into its buffer: small enough to stay in the cache."""

THREADS: Final = 2


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    `rounds` of every comparison, of the mixed blocks `mixed_rounds`; histories of the kernel, the reference model and
    the threads in each round; design points of the mixed blocks and runs at each of them; seconds that a
    process spins.
    """

    rounds: int = 15
    histories: int = 4096
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
    reference=1,
    threaded=512,
    mixed_rounds=1,
    points=4,
    runs_per_point=64,
    spin=0.01,
)
"""Too short to mean much: for tests."""

ASKS: Final = ("sweep", "compare", "explain")
COMPARISONS: Final = 5


def steps_of(effort: Effort) -> int:
    """How many times `measure` reports progress."""
    return (COMPARISONS - 1) * effort.rounds + effort.mixed_rounds


@dataclass(frozen=True)
class BenchmarkCase:
    """A batch of histories for a kernel to live: `runs` (N,) at `points` (N,) of a table."""

    table: ModelInputs
    seed: int
    runs: Array
    points: Array

    def cost(self, kernel: Kernel) -> float:
        """Nanoseconds that a kernel takes for an agent-day, on one core."""
        out = empty_output(self.table, len(self.runs), ALL_OUTCOMES)
        low, high = split_seed(self.seed)
        return thread_ns(lambda: kernel(self.table, low, high, self.runs, self.points, out)) / self.agent_days(out)

    def agent_days(self, out: Output) -> int:
        """Agent-days of these histories."""
        return agent_days(self.table, out)


def agent_days(table: ModelInputs, out: Output) -> int:
    """Agent-days in an output: every history up to its end or its day of war."""
    war, days = out.rows[:, WAR_DAY], len(table.days)
    return int(np.where(war >= 0, war + 1, days).sum()) * len(table.layout)


def first_runs(table: ModelInputs, seed: int, histories: int) -> BenchmarkCase:
    """The first histories of a study, all at the first point."""
    return BenchmarkCase(table, seed, np.arange(histories), np.zeros(histories, dtype=np.int64))


def measure(config: Config, effort: Effort = USUAL, done: Done = lambda: None) -> dict[str, Any]:
    """Everything that `bench.json` holds: the figures under names of their own, then what they rest on.

    Args:
        config: the scenario and the seed.
        effort: how much to measure.
        done: called after every round.
    """
    table = build_inputs(config.scenario)
    load_before = load()
    samples = {
        "core": core_costs(table, config.seed, effort, done),
        "mesa": mesa_costs(config.scenario, config.seed, effort, done),
        "threads": thread_speeds(table, config.seed, effort, done),
        "mixed": mixed_costs(config.scenario, config.seed, effort, done),
        "asks": ask_speeds(config.scenario, config.seed, effort, done),
    }
    rows = figures(samples)
    return {
        **{name: row[1] for name, row in rows.items()},
        "draws_per_agent_day": draws_per_agent_day(config.scenario, config.seed, effort.reference),
        "quartiles": rows,
        "scenario": config.scenario.name,
        "seed": config.seed,
        "rounds": effort.rounds,
        "mixed_rounds": effort.mixed_rounds,
        "machine": {**machine(), "load_before": load_before, "load_after": load()},
        "versions": {**versions(), "numpy": version("numpy"), "source_hash": source_hash()},
        "samples": samples,
    }


def core_costs(table: ModelInputs, seed: int, effort: Effort, done: Done) -> Samples:
    """On one core: an agent-day of the kernel, and one draw of numpy's Philox; ns."""
    width = lane_width(table)
    many = first_runs(table, seed, -(-effort.histories // width) * width)
    parts: Mapping[str, Callable[[], float]] = {
        "lanes": lambda: many.cost(batched.run_histories),
        "philox": lambda: draw_cost(effort.histories // 64),
    }
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
    from sim.engine.reference.model import ReferenceModel

    table = first_days(build_inputs(scenario), MESA_DAYS)
    work = first_runs(table, seed, effort.histories)
    histories: list[float] = []

    def reference() -> float:
        models: list[ReferenceModel] = []
        took = thread_ns(
            lambda: models.extend(
                ReferenceModel(scenario, seed, run, table=table).simulate() for run in range(effort.reference)
            )
        )
        histories.append(took / effort.reference / 1e6)
        return took / (sum(model.day + 1 for model in models) * len(table.layout))

    samples = by_turns({"mesa": reference, "lanes": lambda: work.cost(batched.run_histories)}, effort.rounds, done)
    return samples | {"mesa_ms_per_history": histories[1:]}


def draws_per_agent_day(scenario: Scenario, seed: int, histories: int) -> float:
    """Numbers that chance gives the rules, for each wing and day, counted in the reference model."""
    from sim.engine.reference.model import ReferenceModel

    drawn: list[None] = []

    def listen(decision: Decision) -> None:
        if decision.address is not None:
            drawn.append(None)

    models = [ReferenceModel(scenario, seed, run, trace=listen).simulate() for run in range(histories)]
    return len(drawn) / sum((model.day + 1) * len(model.wings) for model in models)


def thread_speeds(table: ModelInputs, seed: int, effort: Effort, done: Done) -> Samples:
    """Speed of the ensemble on one and on two threads, agent-days/s, and of one and two spinning processes, loops/s."""
    runs = np.arange(effort.threaded)
    agent_work = agent_days(table, run_batch(table, seed, runs, threads=THREADS))

    def speed(threads: int) -> float:
        return agent_work / wall_ns(lambda: run_batch(table, seed, runs, threads=threads)) * 1e9

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
    table = build_inputs(scenario, prior_design(effort.points, seed))
    points = np.repeat(np.arange(effort.points), effort.runs_per_point)
    runs = np.tile(np.arange(effort.runs_per_point), effort.points)
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(runs))
    own_rows = table._replace(**{name: getattr(table, name)[points[order]] for name in POINTWISE})
    apart, mixed = (
        BenchmarkCase(table, seed, runs, points),
        BenchmarkCase(own_rows, seed, runs[order], np.arange(len(runs))),
    )
    parts = {
        "many_runs_per_point": lambda: apart.cost(batched.run_histories),
        "one_run_per_point": lambda: mixed.cost(batched.run_histories),
    }
    return by_turns(parts, effort.mixed_rounds, done)


def ask_speeds(scenario: Scenario, seed: int, effort: Effort, done: Done) -> Samples:
    """What users ask for, on one core, in histories/s: with everything simulated, and `lean` with what is read alone.

    A sweep of one outcome over draws of the priors; a comparison with three scenarios that depart on the day of the
    strikes or a week and two weeks after; an attribution of one outcome, with each mechanism missing in turn.
    """
    point = build_inputs(scenario)
    mechanisms = scenario.mechanisms
    without = (replace(mechanisms, **{name: False}) for name in MECHANISM_NAMES if getattr(mechanisms, name))
    missing = [with_design(point, replace(scenario, mechanisms=one), {}) for one in without]
    missing = [one for one in missing if form_of(one) == form_of(point)]
    departures = (min(scenario.calendar.strikes + days, len(point.days) - 1) for days in (0, 7, 14))
    one_outcome = OutputSpec.of("lull_days")
    asks: dict[str, tuple[list[ModelInputs], OutputSpec]] = {
        "sweep": ([build_inputs(scenario, prior_design(effort.points, seed))], one_outcome),
        "compare": ([point, *(departing(point, day) for day in departures)], OutputSpec(weekly=False)),
        "explain": ([stacked([point, *missing])], one_outcome),
    }
    parts: dict[str, Callable[[], float]] = {}
    for name, (tables, asked) in asks.items():
        parts[f"{name}_full"] = partial(ask_speed, tables, seed, effort.histories // len(tables), ALL_OUTCOMES)
        parts[f"{name}_lean"] = partial(ask_speed, tables, seed, effort.histories // len(tables), asked)
    return by_turns(parts, effort.rounds, done)


def departing(table: ModelInputs, day: int) -> ModelInputs:
    """The table with the rival's war at rest from a day on."""
    days = table.days.copy()
    days["intensity"][day:] = 0.0
    return table._replace(days=days)


def ask_speed(tables: Sequence[ModelInputs], seed: int, histories: int, asked: OutputSpec) -> float:
    """Histories a second, on one core, of so many in each table at its points in turn."""
    runs = np.arange(histories)
    outs = [empty_output(table, histories, asked) for table in tables]
    low, high = split_seed(seed)
    points = np.sort(runs % tables[0].points)
    took = thread_ns(lambda: batched.run_arms(tables, low, high, runs, points, outs, None, asked))
    return histories * len(tables) / took * 1e9


def figures(samples: Mapping[str, Samples]) -> dict[str, list[float]]:
    """The figures by their names, each with lower quartile, median and upper quartile over the rounds."""
    core, mesa, threads, mixed = (samples[name] for name in ("core", "mesa", "threads", "mixed"))
    lanes = core["lanes"]
    speed_up = ratios(threads["two_threads"], threads["one_thread"])
    possible = ratios(threads["two_processes"], threads["one_process"])
    found = {
        "agent_day_ns_core": lanes,
        "mesa_ms_per_history": mesa["mesa_ms_per_history"],
        "ratio_vs_mesa_core": ratios(mesa["mesa"], mesa["lanes"]),
        "ratio_vs_philox_draw": ratios(lanes, core["philox"]),
        "thread_efficiency": ratios(speed_up, possible),
        "speed_up_threads": speed_up,
        "speed_up_processes": possible,
        "mixed_block_ratio": ratios(mixed["one_run_per_point"], mixed["many_runs_per_point"]),
    }
    for name in ASKS:
        full, lean = (samples["asks"][f"{name}_{how}"] for how in ("full", "lean"))
        found |= {f"{name}_full": full, f"{name}_lean": lean, f"{name}_cost_ratio": ratios(full, lean)}
    return {name: quartiles(values) for name, values in found.items()}


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
    """Name of the processor as its system gives it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def load() -> float | None:
    """How busy the machine is: the average number of processes that want a core over the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
