"""`lull compare scenarios=[...]`: scenarios side by side under the same luck, as tables, one figure and files."""

from typing import Final

import xarray as xr
from rich.console import RenderableType
from rich.markup import escape

from sim.study.comparison.comparing import Comparison, prepare
from sim.study.comparison.rows import beside_rows, by_baseline, effect_rows, regret_rows, summary
from sim.study.folder import Folder, result_folder
from sim.study.preload import preload
from sim.study.request import Request
from sim.view.comparison import (
    beside_tables,
    effect_table,
    pairing_line,
    pinned_line,
    place_tables,
    regret_table,
    sentence,
    uncertainty_line,
    war_line,
    war_words,
)
from sim.view.terminal import progress, show, shown_path, waiting

CANNOT_TELL: Final = (
    "What this cannot tell: draws are spread as the parameters were chosen to be, and every scenario is only as good as"
    " the rules it runs by. A model to think with, not a forecast."
)


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: the scenarios or the configuration cannot be used, memory is short, or the folder cannot be written.
    """
    with waiting("composing"):
        asked = prepare(request)
    with result_folder(request, asked.config, label=asked.identity) as folder:
        with progress(asked.plan.histories, "histories") as advance:
            data = asked.live(advance)
        preload("sim.view.figures.comparison")
        report(asked, data)
        write(folder, data)
    show(f"\nFiles in {escape(shown_path(folder.final))}: comparison.png, summary.json, and the tables behind them.")


def report(asked: Comparison, data: xr.Dataset) -> None:
    """Print the result."""
    plan = asked.plan
    parts: list[RenderableType] = [
        f"[bold]{len(plan.arms)} scenarios under the same luck[/], seed {plan.seed}; parameters: {asked.source},"
        f" {draws_words(asked)} with {plan.runs} histories in each arm",
        *(escape(f"{arm.label}: {arm.words}") for arm in plan.arms),
        "",
    ]
    for place in range(data.sizes["comparison"]):
        parts += [
            escape(war_words(data, place)),
            effect_table(data, place),
            escape(sentence(data, place)),
            escape(pinned_line(data, place)),
            escape(uncertainty_line(data, place)),
            escape(pairing_line(data, place)) + "\n",
        ]
    parts += [*beside_tables(data), *place_tables(data, "theatre"), *place_tables(data, "group"), regret_table(data)]
    show(
        *parts,
        escape(f"For regret all scenarios are alike: {data.attrs['pinned_together']}."),
        escape(war_line(data)),
        CANNOT_TELL,
    )


def draws_words(asked: Comparison) -> str:
    """How many draws of the parameters there are."""
    draws, distinct = asked.plan.draws, asked.distinct
    again = f" ({distinct} different)" if distinct < draws else ""
    return f"{draws} draw{'s' if draws > 1 else ''}{again}"


def write(folder: Folder, data: xr.Dataset) -> None:
    """Write everything that the folder holds."""
    from sim.view.figures.comparison import comparison_figure
    from sim.view.style import save

    folder.json("summary.json", summary(data))
    for name, kind in (("comparison", "outcome"), ("by_theatre", "theatre"), ("by_group", "group")):
        folder.csv(f"{name}.csv", effect_rows(data, kind))
    folder.csv("regret.csv", regret_rows(data))
    if beside := beside_rows(data):
        folder.csv("beside_prior.csv", beside)
    folder.dataset("comparison.nc", data)
    for place, part in enumerate(by_baseline(data), start=1):
        figure = comparison_figure(part)
        for kind in ("png", "svg"):
            save(figure, folder.path(f"comparison{'' if place == 1 else f'_{place}'}.{kind}"))
