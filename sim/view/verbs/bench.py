"""`lull bench`: how fast the kernel is here, against what else could have been, as a table and as `bench.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from sim.study.folder import result_folder
from sim.study.request import Request
from sim.study.speed.bench import USUAL, measure, steps_of
from sim.study.speed.growth import SIZES, growth
from sim.view.tables import table
from sim.view.terminal import progress, show, shown_path
from sim.world.errors import UserError


@dataclass(frozen=True)
class Figure:
    """One line of the table: what it is, its unit, what we ask of it."""

    text: str
    unit: str
    asked: str = ""


FIGURES: Final = {
    "agent_day_ns_core": Figure("one wing-day of the kernel on one core", "ns"),
    "mesa_ms_per_history": Figure("a history of 134 days in the reference model", "ms", "15 or less"),
    "ratio_vs_mesa_core": Figure("reference model / kernel, one core", "x"),
    "ratio_vs_scalar": Figure("scalar oracle / kernel, one core", "x", "2.5 or more"),
    "ratio_vs_c": Figure("kernel / the same in C", "x", "1.1 or less"),
    "ratio_vs_philox_draw": Figure("kernel / one float64 draw of numpy's Philox", "x", "6 or less"),
    "draws_per_agent_day": Figure("draws that the rules use in a wing-day", "draws"),
    "speed_up_threads": Figure("speed of two threads / of one", "x"),
    "speed_up_processes": Figure("the same for two processes that only spin", "x"),
    "thread_efficiency": Figure("the first of these / the second", "x", "0.9 or more"),
    "mixed_block_ratio": Figure("one run per point / 10,000 runs per point", "x", "1.3 or less"),
}


def main(request: Request) -> None:
    """Carry out the verb; `bench.full=true` adds growth with runs, days and wings.

    Raises:
        UserError: the configuration cannot be used, or the folder cannot be written.
    """
    text, rest = request.taking("bench.full")
    if text not in (None, "true", "false"):
        raise UserError("bench.full", text, "true or false")
    full, config = text == "true", rest.config()
    with result_folder(request, config) as folder:
        show("Measuring for one to five minutes; what else runs on this machine now will show.")
        with progress(steps_of(USUAL), "rounds") as advance:
            found = measure(config, done=lambda: advance(1))
        show(figure_table(found), *remarks(found))
        if full:
            found["growth"] = grown(rest, found)
        folder.json("bench.json", found)
    show(f"\nFiles in {escape(shown_path(folder.final))}: bench.json, with every sample behind the figures.")


def grown(request: Request, found: Mapping[str, Any]) -> dict[str, Any]:
    """Measure growth and print it, with a forecast before."""
    config = request.config()
    long = replace(request, overrides=(*request.overrides, f"calendar.days={SIZES.days[-1]}")).config()
    agent_days = sum(SIZES.runs) * config.scenario.calendar.days * len(config.scenario.cast.wings)
    minutes = agent_days * found["agent_day_ns_core"] / found["speed_up_threads"] / 60e9
    show(f"Growth with runs, days and wings: about {minutes + 1:.0f} minutes.")
    with progress(SIZES.steps, "sizes") as advance:
        tables = growth(config, long, done=lambda: advance(1))
    show(*growth_tables(tables))
    return tables


def figure_table(found: Mapping[str, Any]) -> Table:
    """The figures with their quartiles over the rounds, and what is asked of them."""
    made = table(
        "Speed", {"figure": 44, "median": 9, "quartiles": 17, "unit": 5, "asked": 11}, right=("median", "quartiles")
    )
    for name, figure in FIGURES.items():
        value, around = found.get(name), found["quartiles"].get(name)
        made.add_row(
            figure.text,
            "none" if value is None else f"{value:.4g}",
            "" if around is None else f"{around[0]:.4g}–{around[2]:.4g}",
            figure.unit,
            figure.asked,
        )
    return made


def remarks(found: Mapping[str, Any]) -> list[RenderableType]:
    """What a reader must know beside the table."""
    machine, missing = found["machine"], found["ratio_vs_c_missing"]
    lines = [
        f"{machine['processor']} ({machine['target']}, {machine['vectors']}), {machine['cores']} cores, load"
        f" {machine['load_before']} before and {machine['load_after']} after; scenario {found['scenario']}, seed"
        f" {found['seed']}, {found['rounds']} rounds by turns."
    ]
    return [*map(escape, lines), *([f"No ratio to C: {escape(missing)}."] if missing else [])]


def growth_tables(tables: Mapping[str, Any]) -> list[RenderableType]:
    """Growth with runs, days and wings."""
    return [
        growth_table("Growth with runs, all cores", tables["runs"]),
        growth_table("Growth with days, one core", tables["days"]),
        tables["notes"]["days"],
        growth_table("Growth with wings, one core", tables["wings"]),
        tables["notes"]["wings"],
    ]


def growth_table(title: str, rows: Sequence[Mapping[str, float]]) -> Table:
    """One table of growth."""
    made = table(title, dict.fromkeys(rows[0], 18), right=tuple(rows[0]))
    for row in rows:
        made.add_row(*(f"{value:,}" if isinstance(value, int) else f"{value:.4g}" for value in row.values()))
    return made
