"""`lull optimise`: settings of levers that no other dominates, searched under noise and judged again afresh."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final, Unpack

import pandas as pd
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.optimising import pareto_search as analysis
from sim.analysis.optimising.objectives import VERB, asked_by
from sim.analysis.optimising.pareto_search import Found, Problem
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, study_call
from sim.experiment.options import OptimiseOptions
from sim.experiment.result_dir import provenance
from sim.experiment.runner import Progress
from sim.experiment.statistics import NORMAL_90
from sim.experiment.sweep.axes import axis_of
from sim.experiment.sweep.configs import short_hash
from sim.model.scenario import keyed_title
from sim.reporting.figures import drawn
from sim.reporting.table import Column, Table, numeric
from sim.reporting.terminal import simulating
from sim.reporting.text import amount, capital, minus, parameter_title, percent

Row = dict[str, Any]
CANNOT_TELL: Final = (
    "What this cannot tell: which objective matters more, and whether a lever can be set in the world. The front holds"
    " for this model, these parameter sets and these levers."
)
SETTLED: Final = 0.98
"""Share of the final hypervolume that a search has at three quarters of its generations if it has settled."""


def main(request: Request) -> None:
    """Carry out the verb."""
    carry_out(lambda: job(request, analysis.prepared(asked_by(*request.options(OptimiseOptions)))))


@study_call
def optimise(
    scenario: str | None = None,
    *,
    objectives: Sequence[str] = OptimiseOptions.objectives,
    constraints: Sequence[str] | None = None,
    robust: str = OptimiseOptions.robust,
    population: int = OptimiseOptions.population,
    generations: int = OptimiseOptions.generations,
    draws: int | None = None,
    runs: int | None = None,
    parameters: str | None = None,
    **study: Unpack[Study],
) -> Result[Found]:
    """Search settings of levers for the Pareto front of several objectives, and judge the front afresh.

    Levers are what the overrides vary: a list means each of its values and a tuple (low, high) an interval, as in
    `sweep`. All candidates meet the same parameter sets and random numbers; the front is judged again on others.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        objectives: texts such as `min war by 2024-06-01`, `max lull_days >= 90` or `max lull_days:median`.
        constraints: texts such as `deaths >= 10 at most 0.2`, which hold on average over the parameter sets.
        robust: how an objective counts over parameter sets: `mean`, a quantile of the loss (`q90`), or `regret`.
        population: candidates of a generation.
        generations: generations.
        draws: parameter sets of the search; None: 40.
        runs: runs of each parameter set; None: 16.
        parameters: `posterior` or `defaults`; None takes the posterior.
        **study: as in every call.

    Returns:
        Table `front`: the scenario as configured and the candidates judged again, with intervals; table `search`: the
        hypervolume by generation; `data`: the objectives over (candidate) of all that were judged; `found`: all of it.

    Raises:
        UserError: something asked for cannot be used, no candidate keeps the constraints, or pymoo is missing.
    """
    options = OptimiseOptions(
        tuple(objectives),
        None if constraints is None else tuple(constraints),
        robust,
        population,
        generations,
        parameters,
    )
    given = {"scenario": scenario, "study.runs": runs, "study.draws": draws}
    request, rest = request_of(VERB, study, given, options, make=axis_of)
    return call(job(request, analysis.prepared(asked_by(options, rest))), study)


def job(request: Request, problem: Problem) -> Job[Found]:
    """The search as a study."""

    def compute(advance: Progress | None) -> Result[Found]:
        found = analysis.optimised(problem, advance)
        rows = {"front": list(found.rows()), "search": search_rows(found)}
        return Result(
            request, problem.config, candidates(found), found,
            rows=rows,
            content=about(found) | rows,
            figures={"front": drawn("front_figures", "front", found)},
            text=lambda: text(found, rows["front"]),
            files="front.png, front.csv, search.csv, candidates.nc, summary.json",
            more=lambda folder: folder.dataset("candidates.nc", candidates(found)),
        )  # fmt: skip

    asked = {
        "levers": [one.text for one in problem.levers],
        "choices": [one.overrides for one in problem.choices],
    }
    label = short_hash({**asked, **problem.asked.options.values()})
    return Job(
        request, problem.config, compute, partial(simulating, config=problem.config, forecast=problem.forecast), label
    )


def about(found: Found) -> Row:
    """What was asked and what it cost, for `summary.json`."""
    problem, options = found.problem, found.problem.asked.options
    return {
        "scenario": problem.config.scenario.name, "seed": problem.config.seed, "parameters": problem.asked.source,
        "levers": list(problem.keys), "objectives": list(options.objectives),
        "constraints": list(options.constraints or ()), "robust": options.robust,
        "candidates": len(found.searched.unit), "histories": found.histories,
        "draws": problem.search.draws, "runs": problem.search.runs,
        "draws_afresh": problem.again.draws, "runs_afresh": problem.again.runs,
    }  # fmt: skip


def search_rows(found: Found) -> list[Row]:
    """The share of the final hypervolume by generation."""
    return [
        {"generation": place + 1, "hypervolume": float(one)} for place, one in enumerate(found.searched.hypervolume())
    ]


def candidates(found: Found) -> Any:
    """All candidates of the search as a Dataset: settings and objectives over (candidate)."""
    problem, seen = found.problem, found.searched
    columns = {
        **problem.settings(seen.unit),
        **{one.target.name: one.sign * seen.losses[:, place] for place, one in enumerate(problem.asked.objectives)},
        "generation": seen.generation + 1,
        "on_front": [place in found.front for place in range(len(seen.unit))],
    }
    data = pd.DataFrame(columns).rename_axis("candidate").to_xarray()
    for one in problem.asked.objectives:
        data[one.target.name].attrs |= {"units": one.target.unit, "long_name": one.title}
    return data.assign_attrs(provenance(problem.config))


def text(found: Found, rows: Sequence[Row]) -> Iterator[RenderableType]:
    """What was searched, the front, and how far to trust it."""
    problem = found.problem
    yield f"[bold]{escape(capital('; '.join(one.title for one in problem.asked.objectives)))}[/]"
    yield (
        f"scenario {escape(keyed_title(problem.config.scenario.name))}, seed {problem.config.seed}; parameters:"
        f" {problem.asked.source}; {len(found.searched.unit):,} candidates, {found.histories:,} histories\n"
    )
    shown = [row for row in rows if row["on_front"] is not False]
    yield Table(
        "The front, judged on parameter sets and random numbers that the search never saw", columns(found), shown
    )
    yield "In brackets: the difference to the scenario as configured, in points or in the unit, with its 90% interval."
    yield escape(afresh_line(found))
    yield escape(settled_line(found))
    yield CANNOT_TELL


def columns(found: Found) -> tuple[Column, ...]:
    """A column for each lever, and one for each target with where 90% of the parameter sets lie."""
    levers = [
        Column(key, parameter_title(key), format=partial(_setting, key=key), number=False) for key in found.settings
    ]
    return (*levers, *(_target_column(found, place) for place in range(len(found.problem.targets))))


def _target_column(found: Found, place: int) -> Column:
    target = found.problem.targets[place]
    scale, digits = (100.0, "+.1f") if target.unit == "probability" else (1.0, "+.2g")

    def cell(row: Row) -> str:
        value, change, error = (row[f"{target.name}{end}"] for end in ("", " difference", " difference error"))
        said = percent(value) if target.unit == "probability" else amount(value, target.unit)
        if row["on_front"] is None or error is None:
            return said
        return minus(f"{said} ({scale * change:{digits}} ± {scale * NORMAL_90 * error:{digits[1:]}})")

    ends = ("error", "low", "high", "difference", "difference error")
    return numeric(target.name, target.title, cell, *(f"{target.name} {end}" for end in ends))


def _setting(row: Row, key: str) -> str:
    value = row[key]
    return "as configured" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def afresh_line(found: Found) -> str:
    """How many candidates stay on the front."""
    problem, stay = found.problem, int((found.stays & found.keeps).sum())
    again = f"{problem.again.draws} parameter sets with {problem.again.runs} runs each"
    line = f"{stay} of the {len(found.front)} candidates that the search left stay on the front on {again} (afresh)."
    broken = int((~found.keeps).sum())
    return f"{line} {broken} break a constraint there." if broken else line


def settled_line(found: Found) -> str:
    """Whether the search had settled."""
    shares = found.searched.hypervolume()
    before = float(shares[int(len(shares) * 0.75)])
    said = "it has settled" if before >= SETTLED else "it has not settled; more generations may improve the front"
    return f"At three quarters of the generations the search had {percent(before)} of its final hypervolume: {said}."
