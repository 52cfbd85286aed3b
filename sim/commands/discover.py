"""`lull discover`: scenario discovery (PRIM) in a sweep: boxes where an outcome concentrates, tables and figures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import pandas as pd
import xarray as xr
import yaml
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.discovery import scenario_discovery as analysis
from sim.analysis.discovery.cases import ALLOWED, KEY, cases_of, condition, sweep_at
from sim.analysis.discovery.prim import Content, workbench
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.commands.sweep import StoredResult, announce, make_quietly, make_shown, note, swept, swept_keys
from sim.experiment.command import Request, Study, study_call
from sim.experiment.dataset import outcomes_of
from sim.experiment.options import DiscoverOptions, OutputOptions
from sim.experiment.runner import Progress
from sim.experiment.sweep.axes import axis_of
from sim.experiment.sweep.run_sweep import Running, Sweep, prepare
from sim.experiment.sweep.store import VERB, open_sweep, void
from sim.model.aliases import current_tree
from sim.model.scenario import Config, config_of
from sim.model.validation import UserError
from sim.reporting.figures import drawn
from sim.reporting.table import Table
from sim.reporting.tables import box_words, case_words, dimension_title, meaning
from sim.reporting.terminal import progress, waiting
from sim.reporting.text import percent


def main(request: Request) -> None:
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
