"""`lull discover` and `lull optimise`: boxes where an outcome concentrates (PRIM), and Pareto fronts over levers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Unpack

import pandas as pd
import xarray as xr
import yaml
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.discovery import scenario_discovery as analysis
from sim.analysis.discovery.cases import ALLOWED, KEY, cases_of, condition, sweep_at
from sim.analysis.discovery.prim import Content, workbench
from sim.analysis.optimising import pareto_search
from sim.analysis.optimising.objectives import VERB as OPTIMISE
from sim.analysis.optimising.objectives import asked_by
from sim.analysis.optimising.pareto_search import Found, Problem
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.commands.sweep import StoredResult, announce, make_quietly, make_shown, note, swept, swept_keys
from sim.experiment.command import Request, Study, study_call
from sim.experiment.dataset import outcomes_of
from sim.experiment.options import DiscoverOptions, OptimiseOptions, OutputOptions
from sim.experiment.result_dir import provenance
from sim.experiment.runner import Progress
from sim.experiment.statistics import NORMAL_90
from sim.experiment.sweep.axes import axis_of
from sim.experiment.sweep.configs import short_hash
from sim.experiment.sweep.run_sweep import Running, Sweep, prepare
from sim.experiment.sweep.store import VERB, open_sweep, void
from sim.model.aliases import current_tree
from sim.model.scenario import Config, config_of, keyed_title
from sim.model.validation import UserError
from sim.reporting.figures import drawn
from sim.reporting.table import Column, Table, numeric
from sim.reporting.tables import box_words, case_words, dimension_title, meaning
from sim.reporting.terminal import progress, simulating, waiting
from sim.reporting.text import amount, capital, minus, parameter_title, percent


def main(request: Request) -> None:
    """Carry out one of the verbs."""
    if request.verb == OPTIMISE:
        carry_out(lambda: optimise_job(request, pareto_search.prepared(asked_by(*request.options(OptimiseOptions)))))
    else:
        discover_command(request)


def discover_command(request: Request) -> None:
    """Carry out the verb; `discover.where` is what is looked for, `discover.sweep` the folder of the sweep."""
    search = search_of(request, partial(make_shown, command=request.command), announce, note)
    carry_out(lambda: search)


@study_call
def discover(
    sweep: StoredResult[Any] | xr.Dataset | Path | str | None = None,
    *,
    where: str,
    scenario: str | Sequence[str] | None = None,
    points: int | pd.DataFrame | None = None,
    runs: int | None = None,
    boxes: int = DiscoverOptions.boxes,
    coverage: float | None = None,
    **study: Unpack[Study],
) -> Result[analysis.Discovery]:
    """Find where in the space of a sweep an outcome comes from: scenario discovery by PRIM.

    The sweep is there already, or what `sweep` takes says what is swept. Then it is made first, or gone on with in the
    folder that `sweep` names, with None in one below `outputs`; `progress` counts its histories, and later searches.

    Args:
        sweep: what `sweep` or `open_sweep` gives, or its folder.
        where: what is looked for: an outcome that is 0 or 1 (`war`), or one compared with a number (`lull_days<14`).
        scenario: of a sweep that is made: as `sweep` takes it.
        points: the same.
        runs: the same.
        boxes: how many boxes at most, each among the points that the ones before left.
        coverage: take the densest box that covers at least this share of the cases left; None: the box whose coverage
            exceeds its mass most.
        **study: as in every call.

    Returns:
        Table `boxes`: each restriction of each box, with coverage, density and mass where it was found and in the
        held-out half; tables `trajectory` and `split`; `data`: the sweep; `found`: the boxes, with
        `inside(box, points)`.

    Raises:
        UserError: there is no such sweep or outcome, too few points, nothing to find, or no ema-workbench.
    """
    folder = sweep.folder if isinstance(sweep, StoredResult) else None if isinstance(sweep, xr.Dataset) else sweep
    options = DiscoverOptions(where, None if folder is None else Path(folder), boxes, coverage)
    given = swept_keys(scenario, points, runs)
    request, _ = request_of("discover", study, given, options, make=axis_of)
    make = partial(make_quietly, progress=study.get("progress"))
    data = sweep if isinstance(sweep, xr.Dataset) else None
    return call(search_of(request, make, points=points, data=data), study)


def search_of(
    request: Request,
    make: Callable[[Running], None],
    begin: Callable[[Sweep], None] = lambda _: None,
    say: Callable[[str], None] = void,
    *,
    points: int | pd.DataFrame | None = None,
    data: xr.Dataset | None = None,
) -> Job[analysis.Discovery]:
    """The search of a sweep, which is `data`, or is there already, or is made by `make` after `begin`."""
    options, rest = request.options(DiscoverOptions)
    output, rest = rest.options(OutputOptions)
    if options.where is None:
        raise UserError(KEY, "(missing)", ALLOWED)
    workbench()
    table = points if isinstance(points, pd.DataFrame) else None
    if rest.overrides or table is not None:
        if data is not None:
            raise UserError("sweep", "(a dataset)", "its folder, where the sweep is to be gone on with")
        asked = replace(rest, verb=VERB, home=options.sweep)
        data, config = _made(asked, table, options.where, begin, partial(swept, make=make, say=say))
    else:
        data = open_sweep(sweep_at(options.sweep).folder) if data is None else data
        config = config_of_sweep(data)
    answer_to = request if output.dir is None else replace(request, home=output.dir)
    return job(answer_to, replace(config, overwrite=output.overwrite), data, options)


def job(request: Request, config: Config, data: xr.Dataset, options: DiscoverOptions) -> Job[analysis.Discovery]:
    """The search as a study."""
    looked_for = condition(options.where or "", analysis.units(data), config.scenario.calendar)
    cases = cases_of(data, looked_for, analysis.seed_of(data))

    def compute(advance: Progress | None) -> Result[analysis.Discovery]:
        found = analysis.discovered(cases, options.boxes, options.coverage, advance)
        rows = analysis.box_rows(found)
        return Result(
            request, config, data, found,
            rows={"boxes": rows, "trajectory": step_rows(found), "split": cases.split.to_dict("records")},
            content=summary(found),
            figures={name: drawn("discovery_figures", name, found, data) for name in ("boxes", "trajectory")},
            text=lambda: text(found, data),
            files="boxes.csv, boxes.png, trajectory.png, split.csv, summary.json",
            printed={"restrictions": rows},
            columns={"boxes": ("box", *analysis.COLUMNS)},
        )  # fmt: skip

    searches = options.boxes * analysis.RESAMPLES
    return Job(request, config, compute, lambda _: progress(searches, "searches"), looked_for.slug)


def _made(
    asked: Request,
    table: pd.DataFrame | None,
    where: str,
    begin: Callable[[Sweep], None],
    make: Callable[[Sweep], StoredResult[Any]],
) -> tuple[xr.Dataset, Config]:
    """A sweep that is made, or gone on with, once it is sure that it has what is looked for."""
    with waiting("composing"):
        sweep = prepare(asked, table)
    outcomes = outcomes_of(sweep.config.scenario).values()
    condition(where, {one.name: one.unit for one in outcomes}, sweep.config.scenario.calendar)
    begin(sweep)
    return make(sweep).data, replace(sweep.config, output_dir=None)


def config_of_sweep(data: xr.Dataset) -> Config:
    """The first configuration of a sweep, without the folder that it is kept in."""
    tree = current_tree(yaml.safe_load(data.attrs["configuration"]))
    return replace(config_of(tree, str(data.attrs["scenario"])), output_dir=None)


# --- what is printed and written ----------------------------------------------------------------------------


def text(found: analysis.Discovery, data: xr.Dataset) -> Iterator[RenderableType]:
    """What was found in a sweep, in words and as a table for each box."""
    cases, boxes = found.cases, found.boxes
    yield f"\n[bold]Which parameter values go with {escape(case_words(cases.condition, data))}?[/]"
    yield escape(meaning(cases.condition))
    yield (
        f"It occurs in {percent(found.density_held_out)} of the histories. {cases.search.points:,} points searched,"
        f" {cases.held_out.points:,} others with other random numbers held out (split.csv).\n"
    )
    heads = ("Parameter", "In the box", "Swept", "Quasi-p", "Reproducibility")
    for number, box in enumerate(boxes, 1):
        mass, coverage, density = map(percent, shares(box.found).values())
        yield f"{escape(box_words(box))}."
        yield f"Where it was found: {mass} of the space, {coverage} of the cases, {density} of histories in it."
        yield Table.of_texts(heads, map(_cells, box.restrictions), f"Box {number}")
    if not boxes:
        yield "No box found: no varied parameter separates cases from non-cases at this sample size."
    elif not boxes[-1].believed:
        yield (
            f"Box {len(boxes)} is not confirmed on the held-out half (p >= {analysis.BELIEVED}); search stopped."
            " More points and runs may confirm it."
        )


def _cells(one: analysis.Restriction) -> tuple[str, ...]:
    dimension = one.dimension
    swept = f"{dimension.low:.3g} to {dimension.high:.3g}" if dimension.numeric else f"{len(dimension.names)} names"
    values = ", ".join("<1e-4" if value < 1e-4 else f"{value:.2g}" for value in one.quasi_p)
    return dimension_title(dimension), limits(one), swept, values, f"{one.again:.0%}"


def limits(one: analysis.Restriction) -> str:
    """The range of a restriction in words."""
    unit = "" if one.dimension.unit in ("", "1") else f" {one.dimension.unit}"
    if one.names:
        return ", ".join(one.names)
    if one.low is None:
        return f"at most {one.high:.3g}{unit}"
    return f"at least {one.low:.3g}{unit}" if one.high is None else f"{one.low:.3g} to {one.high:.3g}{unit}"


def shares(content: Content, prefix: str = "") -> dict[str, float]:
    """What a box holds, by the names of columns."""
    return {f"{prefix}{name}": getattr(content, name) for name in ("mass", "coverage", "density")}


def step_rows(found: analysis.Discovery) -> list[dict[str, Any]]:
    """One row for each step of each search."""
    searches = [one.steps for one in found.boxes] or [found.steps]
    return [
        {"box": number, "step": k, "dimensions": one.dimensions} | shares(one.found) | shares(one.held_out, "held_out_")
        for number, steps in enumerate(searches, 1)
        for k, one in enumerate(steps)
    ]


def summary(found: analysis.Discovery) -> dict[str, Any]:
    """The content of `summary.json`."""
    return {
        "where": found.cases.condition.text,
        "points": {"searched": found.cases.search.points, "held_out": found.cases.held_out.points},
        "density": found.density,
        "density_held_out": found.density_held_out,
        "boxes": [
            {
                "in_words": box_words(one),
                "limits": {part.dimension.key: limits(part) for part in one.restrictions},
                "better_than_chance": one.believed,
                "held_out": {**shares(one.held_out), "error": one.error, "p_value": one.p_value},
            }
            for one in found.boxes
        ],
    }


# --- the front over levers -----------------------------------------------------------------------------------

Row = dict[str, Any]
FRONT_CANNOT_TELL: Final = (
    "What this cannot tell: which objective matters more, and whether a lever can be set in the world. The front holds"
    " for this model, these parameter sets and these levers."
)
SETTLED: Final = 0.98
"""Share of the final hypervolume that a search has at three quarters of its generations if it has settled."""


@study_call
def optimise(
    scenario: str | None = None,
    *,
    objectives: Sequence[str] = OptimiseOptions.objectives,
    constraints: Sequence[str] | None = None,
    robust: str = OptimiseOptions.robust,
    candidates: tuple[int, int] = (OptimiseOptions.population, OptimiseOptions.generations),
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
        candidates: how many are in a generation, and how many generations.
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
        tuple(objectives), None if constraints is None else tuple(constraints), robust, candidates[0], candidates[1],
        parameters,
    )  # fmt: skip
    given = {"scenario": scenario, "study.runs": runs, "study.draws": draws}
    request, rest = request_of(OPTIMISE, study, given, options, make=axis_of)
    return call(optimise_job(request, pareto_search.prepared(asked_by(options, rest))), study)


def optimise_job(request: Request, problem: Problem) -> Job[Found]:
    """The search as a study."""

    def compute(advance: Progress | None) -> Result[Found]:
        found = pareto_search.optimised(problem, advance)
        rows, data = {"front": list(found.rows()), "search": search_rows(found)}, judged(found)
        return Result(
            request, problem.config, data, found,
            rows=rows,
            content=search_about(found) | rows,
            figures={"front": drawn("front_figures", "front", found)},
            text=lambda: front_text(found, rows["front"]),
            files="front.png, front.csv, search.csv, candidates.nc, summary.json",
            more=lambda folder: folder.dataset("candidates.nc", data),
        )  # fmt: skip

    asked = {
        "levers": [one.text for one in problem.levers],
        "choices": [one.overrides for one in problem.choices],
    }
    label = short_hash({**asked, **problem.asked.options.values()})
    return Job(
        request, problem.config, compute, partial(simulating, config=problem.config, forecast=problem.forecast), label
    )


def search_about(found: Found) -> Row:
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


def judged(found: Found) -> Any:
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


def front_text(found: Found, rows: Sequence[Row]) -> Iterator[RenderableType]:
    """What was searched, the front, and how far to trust it."""
    problem = found.problem
    yield f"[bold]{escape(capital('; '.join(one.title for one in problem.asked.objectives)))}[/]"
    yield (
        f"scenario {escape(keyed_title(problem.config.scenario.name))}, seed {problem.config.seed}; parameters:"
        f" {problem.asked.source}; {len(found.searched.unit):,} candidates, {found.histories:,} histories\n"
    )
    shown = [row for row in rows if row["on_front"] is not False]
    yield Table(
        "The front, judged on parameter sets and random numbers that the search never saw", front_columns(found), shown
    )
    yield "In brackets: the difference to the scenario as configured, in points or in the unit, with its 90% interval."
    yield escape(afresh_line(found))
    yield escape(settled_line(found))
    yield FRONT_CANNOT_TELL


def front_columns(found: Found) -> tuple[Column, ...]:
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
