"""`lull run`: simulate a scenario, print outcomes and patterns, draw the figure, leave a folder."""

from typing import Final

import xarray as xr
from rich.console import RenderableType
from rich.markup import escape

from sim.study.folder import Folder, result_folder
from sim.study.patterns import Verdict, judge
from sim.study.request import Request
from sim.study.simulation import simulate_config
from sim.study.summary import Statistic, outcome_rows, pattern_told, statistics, summary, weekly_rows
from sim.view.plots import briefing_figure
from sim.view.style import save
from sim.view.tables import ASSUMED, exceedance_line, outcome_table, pattern_table
from sim.view.terminal import progress, show, shown_path, waiting
from sim.world.scenario import Config

CANNOT_TELL: Final = (
    "What this cannot tell: one campaign and one lull do not show whether orders or strikes brought the lull, and"
    f" rows marked {ASSUMED} hang on assumed numbers that no data correct."
    " This is a model to think with, not a forecast."
)


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: the configuration cannot be used, or the folder cannot be written.
    """
    config = request.config()
    with result_folder(request, config) as folder:
        with progress(config.runs, "histories") as advance:
            data = simulate_config(config, progress=advance)
        with waiting("judging the patterns"):
            verdicts = judge(config, data)
        stats = statistics(data)
        report(config, stats, verdicts)
        write(folder, config, data, stats, verdicts)
    show(f"\nFiles in {escape(shown_path(folder.final))}: summary.json, briefing.png, and the tables behind them.")


def report(config: Config, stats: tuple[Statistic, ...], verdicts: tuple[Verdict, ...]) -> None:
    """Print the result."""
    scenario = config.scenario
    tables: list[RenderableType] = [outcome_table(stats, scenario.calendar), exceedance_line(stats), ""]
    if verdicts:
        tables.append(pattern_table(verdicts))
    show(
        f"[bold]{escape(scenario.question)}[/]",
        f"scenario {scenario.name}, seed {config.seed}, {config.runs} runs, {history_words(config)}\n",
        *tables,
        CANNOT_TELL,
    )


def history_words(config: Config) -> str:
    """How much of the documented history is pinned."""
    scenario = config.scenario
    if not scenario.pins or scenario.free_from == 0:
        return "nothing pinned"
    if scenario.free_from is None:
        return "documented history pinned"
    return f"documented history pinned before {scenario.calendar.date_of(scenario.free_from)}"


def write(
    folder: Folder, config: Config, data: xr.Dataset, stats: tuple[Statistic, ...], verdicts: tuple[Verdict, ...]
) -> None:
    """Write everything that the folder holds."""
    folder.json("summary.json", summary(config, stats, verdicts))
    folder.csv("outcomes.csv", outcome_rows(stats))
    folder.csv("patterns.csv", [pattern_told(one) for one in verdicts])
    folder.csv("weekly.csv", weekly_rows(data))
    folder.dataset("histories.nc", data)
    figure = briefing_figure(data, config, verdicts)
    for name in ("briefing.png", "briefing.svg"):
        save(figure, folder.path(name))
