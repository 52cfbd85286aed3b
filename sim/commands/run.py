"""`lull run`: simulate a scenario, print outcomes and patterns, draw the figure, leave a folder."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Unpack

from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.calibration.posterior import check_conditioned
from sim.analysis.durations import FUTURES, Incidence, Outlook, durations, expected
from sim.analysis.pattern_tests import Balance, Verdict, described, judge, prior_balance
from sim.analysis.summary import (
    PriorComparison,
    Statistic,
    outcome_rows,
    pattern_record,
    prior_predictive,
    prior_rows,
    statistics,
    summary,
    weekly_rows,
)
from sim.commands.calls.result import Job, Result, call, request_of, show_files
from sim.experiment.cluster import cluster_of
from sim.experiment.command import Request, Study, study_call
from sim.experiment.dataset import outcomes_of
from sim.experiment.ensemble import Ensemble, HistoryFile, stream, stream_whole, write_histories
from sim.experiment.parameter_sets import drawn_of
from sim.experiment.result_dir import result_folder
from sim.experiment.runner import CHUNK, CostEstimate, Progress
from sim.model.cast import Cast
from sim.model.conditions import Condition
from sim.model.scenario import CONDITIONED, DEFAULTS, Config, keyed_title
from sim.reporting import tables as printed
from sim.reporting.figures import draw, drawn
from sim.reporting.terminal import progress, simulating, waiting
from sim.reporting.text import calibration_note, percent, sets_from

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

CANNOT_TELL: Final = (
    "What this cannot tell: one campaign and one lull do not show whether orders or strikes brought the lull, and"
    f" rows marked {printed.ASSUMED} depend on assumed numbers that no data correct."
    " This is a model to think with, not a forecast."
)
BRIEFING: Final = "briefing"
HISTORIES: Final = "histories.nc"


def main(request: Request) -> None:
    """Carry out the verb: histories are written while they are simulated, the figure while patterns are judged."""
    config = config_of(request, cluster=True)
    with result_folder(request, config) as folder:
        histories, cost = HistoryFile(folder.path(HISTORIES)), partial(CostEstimate, config.runs)
        several = config.runs > CHUNK or cluster_of(config)  # a single batch takes a second, and is not worth keeping
        watched = simulating(folder, config, cost) if several else progress(config.runs, "histories")
        with watched as advance:
            ensemble = stream(config, keep=histories.append, progress=advance, batch=CHUNK)
        with waiting("judging the patterns"), ThreadPoolExecutor(1) as pool:
            written = pool.submit(histories.close, weekly_histogram=ensemble.first["weekly_histogram"].values)
            result = result_of(request, config, ensemble, ensemble.first, partial(save, folder.path(BRIEFING)))
            written.result()
        replace(result, figures={}, more=lambda _: None).publish(folder)  # both are written already
    show_files(folder, result)


@study_call
def run(
    scenario: str | None = None, *, runs: int | None = None, parameters: str | None = None, **study: Unpack[Study]
) -> Result[Ensemble]:
    """Simulate histories of one scenario, sum up their outcomes, and judge the patterns of the source by them.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        runs: number of histories, numbered from 0; the same number has the same random numbers in every scenario. None:
            20,000, or as many as in the outlook where histories are conditioned.
        parameters: `defaults`, `posterior` or `conditioned`, which takes the posterior with the histories that
            reproduced the observations, up to the report; None: `defaults`.
        **study: as in every call.

    Returns:
        `data`: all histories, as `simulate` gives them; tables `outcomes`, `durations`, `prior_predictive`, `patterns`,
        `weekly` and, where the winter is the observed one, `outlook`. `plot("lull_days")` draws the distribution of an
        outcome.

    Raises:
        UserError: something asked for cannot be used; one line.
    """
    request, _ = request_of("run", study, {"scenario": scenario, "study.runs": runs, "parameters": parameters})
    config = config_of(request)

    def compute(advance: Progress | None) -> Result[Ensemble]:
        return result_of(request, config, *stream_whole(config, advance))

    return call(Job(request, config, compute), study)


def config_of(request: Request, cluster: bool = False) -> Config:
    """The configuration, with as many runs as in the outlook where histories are conditioned and none are asked for."""
    config = request.config(cluster)
    if config.parameters_from == CONDITIONED:
        check_conditioned(config)
        if not request.sets("study.runs"):  # so all numbers are of the same histories
            config = replace(config, runs=FUTURES * drawn_of(config).draws)
    return config


def result_of(
    request: Request,
    config: Config,
    ensemble: Ensemble,
    data: "xr.Dataset",
    early: Callable[[Callable[[], "Figure"]], None] = lambda _: None,
) -> Result[Ensemble]:
    """Judge and sum up an ensemble, whose histories are `data`; `early` is called with the figure on the way."""
    stats = statistics(ensemble.tallies, outcomes_of(config.scenario).values())
    with ThreadPoolExecutor(1) as pool:
        expecting = pool.submit(expected, config)

        def figure(verdicts: tuple[Verdict, ...]) -> Callable[[], "Figure"]:
            return drawn(BRIEFING, BRIEFING, ensemble.first, config, verdicts, expecting.result()[0])

        verdicts, balance, priors = judged(config, ensemble, stats, lambda found: early(figure(found)))
        outlook, why = expecting.result()
    before, lasting = prior_rows(priors), durations(ensemble.first, config.scenario.calendar)
    return Result(
        request, config, data, ensemble,
        rows={
            "outcomes": outcome_rows(stats),
            "durations": [asdict(one) for one in lasting],
            "prior_predictive": before,
            "patterns": [pattern_record(one) for one in verdicts],
            "weekly": weekly_rows(ensemble.first),
        }
        | ({} if outlook is None else {"outlook": list(outlook.course)}),
        content=summary(config, stats, verdicts, balance)
        | {"durations": [asdict(one) for one in lasting], "prior_predictive": before}
        | ({} if outlook is None else {"outlook": outlook.record()}),
        figures={BRIEFING: figure(verdicts)},
        text=lambda: text(config, ensemble, (stats, lasting, priors, verdicts, balance), outlook, why),
        files="summary.json, briefing.png, and the tables behind them",
        more=lambda folder: write_histories(folder.path(HISTORIES), data),
        other=partial(draw, data),
    )  # fmt: skip


def judged(
    config: Config, ensemble: Ensemble, stats: tuple[Statistic, ...], shown: Callable[[tuple[Verdict, ...]], None]
) -> tuple[tuple[Verdict, ...], tuple[Balance, ...], tuple[PriorComparison, ...]]:
    """The patterns, which are `shown` while the prior balance and the prior predictive are simulated."""
    with ThreadPoolExecutor(2) as pool:
        imported = pool.submit(import_module, f"sim.reporting.figures.{BRIEFING}")
        verdicts = judge(config, ensemble.first)
        balance = pool.submit(prior_balance, config) if described(config) else None
        priors = pool.submit(prior_predictive, config, stats)
        imported.result()
        shown(verdicts)
        return verdicts, balance.result() if balance else (), priors.result()


def save(path: Path, figure: Callable[[], "Figure"]) -> None:
    """Write the figure; drawing holds the interpreter lock, which kernels do not need."""
    from sim.reporting.style import save_both

    save_both(figure(), path)


Found = tuple[
    tuple[Statistic, ...], tuple[Incidence, ...], tuple[PriorComparison, ...], tuple[Verdict, ...], tuple[Balance, ...]
]
"""Of the runs: statistics, durations, what assumptions decide, patterns, the prior balance."""


def text(
    config: Config, ensemble: Ensemble, found: Found, outlook: Outlook | None, no_outlook: str
) -> Iterator[RenderableType]:
    """The answer, the outcomes, the patterns, and what to do next; `no_outlook` is why the winter's own is missing."""
    scenario, (stats, lasting, priors, verdicts, balance) = config.scenario, found
    yield f"[bold]{escape(scenario.question)}[/]"
    if outlook is None:
        at = sets_from(config.parameters_from, drawn_of(config).draws)
        yield from map(escape, asked_lines(stats, scenario.asked, at))
        yield f"{answer(scenario.cast, stats, lasting, at)} {calibration_note(config)}".rstrip() + "\n"
        if no_outlook:
            yield escape(printed.no_outlook_line(no_outlook)) + "\n"
    else:
        yield from (*map(escape, printed.outlook_lines(outlook)), "")
    one = " at one parameter set" if outlook is not None and config.parameters_from == DEFAULTS else ""
    runs = f"seed {config.seed}, {config.runs} runs{one}, {history_words(config)}"
    yield f"scenario {escape(keyed_title(scenario.name))}, {runs}\n"
    yield from (*origin(config), *printed.probability_lines(priors, outlook is None), "")
    yield from (printed.outcome_table(stats, scenario.calendar), printed.exceedance_line(stats), "")
    if lasting:
        yield from (printed.duration_table(lasting), "")
    yield from (printed.prior_table(priors, scenario.calendar), "")
    if verdicts:
        yield printed.pattern_table(verdicts)
    if (judged := ensemble.first.sizes["run"]) < ensemble.runs:
        yield f"Patterns are judged on the first {judged} histories, outcomes on all {ensemble.runs}.\n"
    if balance:
        yield from (printed.balance_table(balance), "")
    yield from (CANNOT_TELL, *map(escape, what_next(config)))


def asked_lines(stats: tuple[Statistic, ...], asked: Sequence[Condition], at: str) -> Iterator[str]:
    """The conditions asked, each as a share of the runs; a count by its median. `at` says at which parameters."""
    by_name = {one.name: one for one in stats}
    for one in (by_name[condition.text] for condition in asked):
        if one.unit == "probability":
            error = percent(one.mcse or 0.0)
            yield f"{one.text}: {percent(one.mean or 0.0)} of the runs {at} (± {error} Monte Carlo error)."
        else:
            ends = f"{one.q05:g} to {one.q95:g}"
            yield f"{one.text}: median {one.median:g} of the runs {at} (90% of them: {ends})."


def answer(cast: Cast, stats: tuple[Statistic, ...], lasting: tuple[Incidence, ...], at: str) -> str:
    """The answer in a sentence: whether the lull has ended some months on, or war has come."""
    if not any(map(cast.strikable, cast.wings)):
        return (
            "No group of this case attacks the target itself, so all outcomes of the target are zero by definition;"
            " weekly.csv and the figure have the attacks elsewhere."
        )
    lull = [one for one in lasting if one.outcome == "lull_days" and one.days in MILESTONES]
    if not lull:
        war = {one.name: one for one in stats}["war"].mean or 0.0
        short = "the calendar is too short for how long a lull lasts"
        return f"Direct war breaks out in {percent(war)} of the runs {at}; {short}."
    ends = ", ".join(f"within {one.days} days in {percent(one.ended)}" for one in lull)
    last = lull[-1]
    return (
        f"Of the runs {at}, attacks have resumed {ends}; direct war has come first in"
        f" {percent(last.war)}, and in {percent(last.lasts)} the lull still lasts after {last.days} days."
    )


MILESTONES: Final = (30, 90, 180)
"""Days after the strikes at which the answer says how many lulls have ended."""


def what_next(config: Config) -> list[str]:
    """Commands that go on from here."""
    name = config.scenario.name
    named = "" if name == "article" else f" {name}"
    steps = {
        f"lull replay 0{named}": "one of these histories",
        f"lull explain lull_days{named}": "which mechanisms matter",
    }
    if config.patterns:
        other = f"article {'no_us_strikes' if name == 'article' else name}"
        steps[f"lull compare {other}"] = "paired differences, the same random numbers"
    width = max(map(len, steps))
    return ["\nWhat next", *(f"  {command:<{width}}  {text}" for command, text in steps.items())]


def origin(config: Config) -> list[str]:
    """Where the parameters come from, if they are not the declared defaults."""
    if config.parameters_from == DEFAULTS:
        return []
    from sim.reporting.calibration_tables import posterior_lines

    return posterior_lines(config)


def history_words(config: Config) -> str:
    """How much of the documented history is pinned."""
    scenario = config.scenario
    if not scenario.pins or scenario.free_from == 0:
        return "nothing pinned"
    if scenario.free_from is None:
        return "documented history pinned"
    return f"documented history pinned before {scenario.calendar.date_of(scenario.free_from)}"
