"""`lull run`: simulate a scenario, print outcomes and patterns, draw the figure, leave a folder."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from rich.console import RenderableType
from rich.markup import escape

from sim.study.balance import Balance, prior_balance
from sim.study.beside import Beside, beside_prior, beside_rows
from sim.study.folder import Folder, result_folder
from sim.study.histories import HistoryFile
from sim.study.outcomes import outcomes_of
from sim.study.patterns import Verdict, described, judge
from sim.study.preload import preload
from sim.study.request import Request
from sim.study.stream import Ensemble, stream
from sim.study.summary import Statistic, outcome_rows, pattern_told, statistics, summary, weekly_rows
from sim.view.tables import (
    ASSUMED,
    balance_table,
    beside_table,
    exceedance_line,
    outcome_table,
    pattern_table,
    probability_lines,
)
from sim.view.terminal import progress, show, shown_path, waiting
from sim.world.scenario import DEFAULTS, Config

if TYPE_CHECKING:
    import xarray as xr

CANNOT_TELL: Final = (
    "What this cannot tell: one campaign and one lull do not show whether orders or strikes brought the lull, and"
    f" rows marked {ASSUMED} hang on assumed numbers that no data correct."
    " This is a model to think with, not a forecast."
)


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: the configuration cannot be used, memory is short, or the folder cannot be written.
    """
    config = request.config()
    with result_folder(request, config) as folder:
        histories = HistoryFile(folder.path("histories.nc"))
        with progress(config.runs, "histories") as advance:
            ensemble = stream(config, keep=histories.append, progress=advance)
        with waiting("judging the patterns"):
            verdicts, balance = judged(config, ensemble)
        stats = statistics(ensemble.tallies, outcomes_of(config.scenario.extended).values())
        beside = beside_prior(config, stats)
        report(config, ensemble, stats, beside, verdicts, balance)
        preload("sim.view.plots")
        histories.close(weekly_histogram=ensemble.first["weekly_histogram"].values)
        write(folder, config, ensemble.first, stats, beside, verdicts, balance)
    show(f"\nFiles in {escape(shown_path(folder.final))}: summary.json, briefing.png, and the tables behind them.")


def judged(config: Config, ensemble: Ensemble) -> tuple[tuple[Verdict, ...], tuple[Balance, ...]]:
    """The patterns judged and the readings weighed, side by side: while one lives histories, the other sums up."""
    if not described(config):
        return judge(config, ensemble.first), ()
    with ThreadPoolExecutor(1) as aside:
        balance = aside.submit(prior_balance, config)
        return judge(config, ensemble.first), balance.result()


def report(
    config: Config,
    ensemble: Ensemble,
    stats: tuple[Statistic, ...],
    beside: tuple[Beside, ...],
    verdicts: tuple[Verdict, ...],
    balance: tuple[Balance, ...],
) -> None:
    """Print the result."""
    scenario = config.scenario
    tables: list[RenderableType] = [
        *probability_lines(beside),
        "",
        outcome_table(stats, scenario.calendar),
        exceedance_line(stats),
        "",
    ]
    tables += [beside_table(beside, scenario.calendar), ""]
    if verdicts:
        tables.append(pattern_table(verdicts))
    if (judged := ensemble.first.sizes["run"]) < ensemble.runs:
        tables.append(f"Patterns are judged on the first {judged} histories, outcomes on all {ensemble.runs}.\n")
    if balance:
        tables += [balance_table(balance), ""]
    show(
        f"[bold]{escape(scenario.question)}[/]",
        f"scenario {scenario.name}, seed {config.seed}, {config.runs} runs, {history_words(config)}\n",
        *origin(config),
        *tables,
        CANNOT_TELL,
    )


def origin(config: Config) -> list[str]:
    """Where the parameters come from, if they are not the declared defaults."""
    if config.parameters_from == DEFAULTS:
        return []
    from sim.view.calibration.origin import posterior_lines

    return posterior_lines(config)


def history_words(config: Config) -> str:
    """How much of the documented history is pinned."""
    scenario = config.scenario
    if not scenario.pins or scenario.free_from == 0:
        return "nothing pinned"
    if scenario.free_from is None:
        return "documented history pinned"
    return f"documented history pinned before {scenario.calendar.date_of(scenario.free_from)}"


def write(
    folder: Folder,
    config: Config,
    data: "xr.Dataset",
    stats: tuple[Statistic, ...],
    beside: tuple[Beside, ...],
    verdicts: tuple[Verdict, ...],
    balance: tuple[Balance, ...],
) -> None:
    """Write everything that the folder holds."""
    from sim.view.plots import briefing_figure
    from sim.view.style import save

    folder.json("summary.json", summary(config, stats, verdicts, balance) | {"beside_prior": beside_rows(beside)})
    folder.csv("outcomes.csv", outcome_rows(stats))
    folder.csv("beside_prior.csv", beside_rows(beside))
    folder.csv("patterns.csv", [pattern_told(one) for one in verdicts])
    folder.csv("weekly.csv", weekly_rows(data))
    figure = briefing_figure(data, config, verdicts)
    for name in ("briefing.png", "briefing.svg"):
        save(figure, folder.path(name))
