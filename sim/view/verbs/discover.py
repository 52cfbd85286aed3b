"""`lull discover`: where in the space of a sweep an outcome comes from, as boxes, a table and two figures."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import xarray as xr
import yaml
from rich.markup import escape

from sim.study.discovery.cases import cases_of
from sim.study.discovery.condition import ALLOWED, KEY, Condition, condition
from sim.study.discovery.discovering import (
    BOXES,
    RESAMPLES,
    Box,
    Discovery,
    Restriction,
    box_rows,
    discovered,
    seed_of,
    units,
)
from sim.study.discovery.peeling import workbench
from sim.study.folder import Folder, result_folder
from sim.study.outcomes import OUTCOMES_BY_NAME
from sim.study.request import Request, whole
from sim.study.sweep.axes import spelled
from sim.study.sweep.opened import open_sweep
from sim.study.sweep.prepared import prepare
from sim.study.sweep.store import CONFIG, VERB, read_store
from sim.view.figures.words import box_words, case_words, meaning, percent
from sim.view.tables import table
from sim.view.terminal import progress, show, shown_path, waiting
from sim.view.verbs.sweep import carry_out
from sim.world.errors import UserError
from sim.world.scenario import Config, config_of

MOST_BOXES: Final = 10
NO_SWEEP: Final = (
    "the folder of a sweep; or say what to sweep, such as 'patron.control=interval(0.2,1)' study.points=512"
)


def main(request: Request) -> None:
    """Carry out the verb; `discover.where` is what is looked for, `discover.sweep` the folder of the sweep.

    Raises:
        UserError: something asked for cannot be used.
        KeyboardInterrupt: a sweep that was to be made first was stopped; the same command goes on.
    """
    where, rest = request.taking(KEY)
    folder, rest = rest.taking("discover.sweep")
    boxes_text, rest = rest.taking("discover.boxes")
    coverage_text, rest = rest.taking("discover.coverage")
    home, rest = rest.taking("output.dir")
    overwrite, rest = rest.taking("output.overwrite")
    if overwrite not in (None, "true", "false"):
        raise UserError("output.overwrite", overwrite, "true or false")
    if where is None:
        raise UserError(KEY, "(missing)", ALLOWED)
    boxes = BOXES if boxes_text is None else whole("discover.boxes", boxes_text, 1, MOST_BOXES)
    coverage = None if coverage_text is None else _share("discover.coverage", coverage_text)
    workbench()
    data, config, looked_for = _swept(request, rest, folder, where)
    cases = cases_of(data, looked_for, seed_of(data))
    answer_to = request if home is None else replace(request, home=Path(_unquoted(home)))
    with result_folder(answer_to, replace(config, overwrite=overwrite == "true"), looked_for.slug) as made:
        with progress(boxes * RESAMPLES, "searches") as advance:
            found = discovered(cases, boxes, coverage, advance)
        report(found)
        write(made, found)
    show(f"\nFiles in {escape(shown_path(made.final))}: boxes.csv, boxes.png, trajectory.png, summary.json.")


def _swept(request: Request, rest: Request, folder: str | None, where: str) -> tuple[xr.Dataset, Config, Condition]:
    """The sweep to look at: made or gone on with where the command says what to sweep, else opened."""
    if not rest.overrides:
        if folder is None:
            raise UserError("discover.sweep", "(missing)", NO_SWEEP)
        path = Path(_unquoted(folder))
        if read_store(path) is None:
            raise UserError("discover.sweep", folder, NO_SWEEP)
        data = open_sweep(path)
        tree = yaml.safe_load((path / CONFIG).read_text(encoding="utf-8"))
        config = config_of(tree, str(data.attrs["scenario"]))
        return data, replace(config, output_dir=None), condition(where, units(data))
    place = () if folder is None else (f"output.dir={spelled(_unquoted(folder))}",)
    asked = replace(rest, verb=VERB, overrides=(*rest.overrides, *place), home=None)
    with waiting("composing"):
        sweep = prepare(asked)
    outcomes = (*OUTCOMES_BY_NAME.values(), *sweep.config.scenario.extended.outcomes)
    looked_for = condition(where, {one.name: one.unit for one in outcomes})
    carry_out(sweep, request.command)
    return open_sweep(sweep.folder), replace(sweep.config, output_dir=None), looked_for


def _unquoted(text: str) -> str:
    return text.strip("'\"")


def _share(key: str, text: str) -> float:
    allowed = "a number above 0 and below 1"
    try:
        value = float(text)
    except ValueError:
        raise UserError(key, text, allowed) from None
    if not 0.0 < value < 1.0:
        raise UserError(key, text, allowed)
    return value


# --- what is told -------------------------------------------------------------------------------------------


def report(found: Discovery) -> None:
    """Print what was found, in words and as a table for each box."""
    cases = found.cases
    show(
        f"\n[bold]Where does {escape(case_words(cases.condition))} come from?[/]",
        escape(meaning(cases.condition)),
        f"It comes in {percent(found.density_held_out)} of the histories. {cases.search.points:,} points were searched,"
        f" {cases.held_out.points:,} others with other luck held out.\n",
    )
    for number, box in enumerate(found.boxes, 1):
        made = table(f"Box {number}", {"what": 40, "in the box": 22, "swept": 16, "quasi-p": 9, "again": 5}, ("again",))
        for one in box.restrictions:
            made.add_row(*(escape(cell) for cell in _cells(one)))
        show(*_told(box), made)
    show(*_ending(found))


def _told(box: Box) -> list[str]:
    here = box.found
    return [
        escape(box_words(box)) + ".",
        f"Where it was found: {percent(here.mass)} of the space, {percent(here.coverage)} of the cases,"
        f" {percent(here.density)} of histories in it.",
    ]


def _cells(one: Restriction) -> tuple[str, ...]:
    dimension = one.dimension
    swept = f"{dimension.low:.3g} to {dimension.high:.3g}" if dimension.numeric else f"{len(dimension.names)} names"
    values = ", ".join("<1e-4" if value < 1e-4 else f"{value:.2g}" for value in one.quasi_p)
    words = dimension.text.partition(";")[0]
    named = f"{dimension.key}" if words.startswith("configuration key") else f"{dimension.key}: {words}"
    return named, limits(one), swept, values, f"{one.again:.0%}"


def limits(one: Restriction) -> str:
    """The range of a restriction in words."""
    unit = "" if one.dimension.unit in ("", "1") else f" {one.dimension.unit}"
    if one.names:
        return ", ".join(one.names)
    if one.low is None:
        return f"at most {one.high:.3g}{unit}"
    return f"at least {one.low:.3g}{unit}" if one.high is None else f"{one.low:.3g} to {one.high:.3g}{unit}"


def _ending(found: Discovery) -> Sequence[str]:
    if not found.boxes:
        return ["No box: nothing that varies tells these histories from the others, as far as these points can show."]
    if not found.boxes[-1].believed:
        last = len(found.boxes)
        return [
            f"Box {last} is not borne out by the half in which nobody looked, so the search ends there. Take it for"
            " chance unless more points and runs say otherwise."
        ]
    return []


def write(folder: Folder, found: Discovery) -> None:
    """Write everything that the folder holds."""
    from sim.view.figures.discovery import boxes_figure, trajectory_figure
    from sim.view.style import save

    folder.csv("boxes.csv", box_rows(found))
    folder.csv("trajectory.csv", step_rows(found))
    folder.json("summary.json", summary(found))
    for name, figure in (("boxes", boxes_figure(found)), ("trajectory", trajectory_figure(found))):
        for ending in ("png", "svg"):
            save(figure, folder.path(f"{name}.{ending}"))


def step_rows(found: Discovery) -> list[dict[str, Any]]:
    """One row for each step of each search."""
    ways = [one.steps for one in found.boxes] or [found.steps]
    return [
        {
            "box": number, "step": k, "dimensions": one.dimensions,
            "mass": one.found.mass, "coverage": one.found.coverage, "density": one.found.density,
            "held_out_mass": one.held_out.mass, "held_out_coverage": one.held_out.coverage,
            "held_out_density": one.held_out.density,
        }
        for number, steps in enumerate(ways, 1)
        for k, one in enumerate(steps)
    ]  # fmt: skip


def summary(found: Discovery) -> dict[str, Any]:
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
                "held_out": {"mass": one.held_out.mass, "coverage": one.held_out.coverage,
                             "density": one.held_out.density, "error": one.error, "p_value": one.p_value},
            }
            for one in found.boxes
        ],
    }  # fmt: skip
