"""Fits to a user's own campaign, and what follows.

`lull forecast FILE`: fit to counts and forecast; `score=true` evaluates forecasts of the past.

`lull case new|check|predict NAME`: write a template of a case, say what it lacks, refit its level and predict.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis import case_files
from sim.analysis.forecast import case_predictions as cases
from sim.analysis.forecast import forecasting as analysis
from sim.analysis.forecast import scores as evaluation
from sim.analysis.forecast.case_settings import case_settings
from sim.analysis.forecast.event_counts import Counts
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, check_from_defaults, study_call
from sim.experiment.options import CaseOptions, ForecastOptions
from sim.experiment.result_dir import provenance, result_folder
from sim.experiment.runner import CostEstimate, Progress
from sim.model.scenario import Config, keyed_title
from sim.model.validation import UserError
from sim.reporting import calibration_tables as printed
from sim.reporting.figures import drawn
from sim.reporting.terminal import show, show_json, shown_path, simulating
from sim.reporting.text import FigureSource

WEEKS: Final = 4
CANNOT_TELL: Final = (
    "What this cannot tell: whether the model's mechanisms caused these counts. A forecast is as good as its score"
    " on the past: score=true."
)
CASE_CANNOT_TELL: Final = (
    "What this cannot tell: whether the rules hold in this case. Parameters were calibrated to another campaign; only"
    " the level is fitted to this one."
)


def main(request: Request) -> None:
    """Carry out one of the verbs."""
    if request.verb == "forecast":
        carry_out(lambda: job(request, *request.options(ForecastOptions)))
        return
    options, rest = request.options(CaseOptions)
    match options.action:
        case "new":
            new_case(rest)
        case "check":
            check_case(request, rest)
        case "predict":
            carry_out(lambda: case_job(request, options, rest))
        case _:
            raise UserError("case.action", "(missing)", "new, check or predict: lull case new NAME")


@study_call
def forecast(
    data: Path | str,
    *,
    scenario: str | None = None,
    runs: int = ForecastOptions.histories,
    until: date | None = None,
    weeks: int | None = None,
    score: bool = False,
    **study: Unpack[Study],
) -> Result[Any]:
    """Fit to counts of your own and forecast them, or forecast the past from several days on and score it.

    Args:
        data: a file of events or of cumulative counts (docs/own_events.md).
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        runs: simulated histories, each at a draw of its own.
        until: last day whose counts are used; None: the last of the file.
        weeks: weeks ahead; None: 4.
        score: forecast the past and score it; `until` and `weeks` are then chosen.
        **study: as in every call.

    Returns:
        A forecast: `data` are attacks over (history, period, theatre) and the weight of each history; tables `forecast`
        (quantiles by period), `compared` (the same of the model and of simpler forecasts), `counts` (what was read)
        and, where events lie ahead, `effects`. A score: `data` is one
        score a row; tables `skill`, `scores`, `trials` and `counts`.

    Raises:
        UserError: an option, the file or the configuration cannot be used; one line.
    """
    options = ForecastOptions(Path(data), score, until, weeks, runs)
    request, rest = request_of("forecast", study, {"scenario": scenario}, options)
    return call(job(request, options, rest), study)


def job(request: Request, options: ForecastOptions, rest: Request) -> Job[Any]:
    """The forecast, or its evaluation, as a study."""
    file, histories = options.data, options.histories
    if file is None:
        raise UserError("data", "(missing)", "a file of events or of cumulative counts: lull forecast FILE")
    if options.score and (options.until or options.weeks):
        name = "until" if options.until else "weeks"
        raise UserError(name, options.values()[name], "nothing with score=true, which chooses its own days")
    config = rest.config(cluster=True)
    check_from_defaults("forecast", config)
    counts = analysis.own_counts(config, file)

    total = histories * evaluation.cut_count(counts) if options.score else histories
    compute: Callable[..., Result[Any]] = skill_result if options.score else forecast_result
    return Job(
        request,
        config,
        partial(compute, request, config, counts, options),
        partial(simulating, config=config, forecast=partial(CostEstimate, total)),
        "own-skill" if options.score else "own-events",
    )


def about_file(config: Config, counts: Counts, options: ForecastOptions) -> dict[str, Any]:
    """What was read, and how."""
    assert options.data is not None
    about = {"scenario": config.scenario.name, "seed": config.seed, "file": options.data.name}
    return about | {"reading": analysis.reading_record(counts)}


def forecast_result(
    request: Request, config: Config, counts: Counts, options: ForecastOptions, advance: Progress | None
) -> Result[analysis.Prediction]:
    """Fit and forecast."""
    found = analysis.predict(config, counts, options.until, options.weeks or WEEKS, options.histories, advance)
    about, calendar = about_file(config, counts, options), config.scenario.calendar
    rows, effects = analysis.forecast_rows(found, calendar), analysis.effect_rows(found, calendar)
    simple = evaluation.simpler_forecasts(found, config.seed)
    compared = evaluation.compared_rows(found, simple, calendar)
    tables = {"forecast": rows, "compared": compared, "counts": analysis.count_rows(counts, calendar)}

    def text() -> Iterator[RenderableType]:
        yield f"[bold]{printed.forecast_line(rows, len(found.forecast.match.places))}[/]\n"
        yield from (*printed.reading_lines(counts), "")
        yield from (printed.forecast_table(rows), printed.compared_table(compared))
        yield from printed.match_lines(found)
        if effects:
            yield from ("", printed.effect_table(effects))
        yield from ("", CANNOT_TELL)

    return Result(
        request, config, period_data(found).assign_attrs(provenance(config)), found,
        rows={**tables, "effects": effects} if effects else tables,
        content={**about, "match": analysis.match_record(found), "forecast": rows, "compared": compared,
                 "effects": effects},
        figures={"forecast": drawn("forecast_figures", "forecast", found, simple, config, about["file"])},
        text=text,
        files="summary.json, forecast.png, and the tables behind them",
    )  # fmt: skip


def period_data(found: analysis.Prediction) -> xr.Dataset:
    """Attacks in each simulated history that is like the counts, by period and theatre, and its weight."""
    ahead = found.forecast
    ends = np.datetime64(ahead.bank.scenario.calendar.start) + ahead.edges
    attacks = (("history", "period", "theatre"), ahead.samples, {"units": "attacks"})
    places = {"from": ("period", ends[:-1] + 1), "to": ("period", ends[1:]), "theatre": list(found.counts.theatres)}
    return xr.Dataset({"attacks": attacks, "weight": ("history", ahead.weights)}, places)


def skill_result(
    request: Request, config: Config, counts: Counts, options: ForecastOptions, advance: Progress | None
) -> Result[list[evaluation.Trial]]:
    """Forecast the past again from several days on, and score."""
    trials = evaluation.evaluate(config, counts, options.histories, advance)
    means, gains = evaluation.summaries(trials), evaluation.skills(trials, lambda one: one.cut, config.seed, True)
    about, calendar, cuts = about_file(config, counts, options), config.scenario.calendar, evaluation.cut_count(counts)
    rows = evaluation.trial_rows(trials, calendar)
    made = f"{len({one.cut for one in trials})} forecasts of up to three weeks, {means[0].periods} periods"
    source = FigureSource([config.scenario.title], made, config.seed, f"{about['file']} ({counts.report.format})")
    words = (
        f"{cuts} forecasts of up to three weeks, {means[0].periods} periods; each knew the counts, the documented"
        f" history and the events up to its day."
    )
    block = evaluation.block_of(cuts)
    bootstrap = (
        [f"Intervals: bootstrap over the {cuts} forecasts, in blocks of {block}."]
        if cuts >= evaluation.FEWEST_UNITS
        else []
    )
    scores = {"scores": evaluation.summary_rows(means), "skill": evaluation.skill_rows(gains)}
    return Result(
        request, config, pd.DataFrame(rows).to_xarray().assign_attrs(provenance(config)), trials,
        rows={**scores, "trials": rows, "counts": analysis.count_rows(counts, calendar)},
        content={**about, **scores},
        figures={"skill": drawn("forecast_figures", "skill", gains, means, source)},
        text=lambda: (
            *printed.reading_lines(counts), "", words, "", printed.score_table(means), printed.skill_table(gains),
            *printed.verdict_lines(gains), *bootstrap,
        ),
        files="summary.json, skill.png, and the tables behind them",
    )  # fmt: skip


# --- lull case ------------------------------------------------------------------------------------------------


def new_case(request: Request) -> None:
    """Write the template of a case, into a folder of its name or into `output.dir`."""
    name, folder = case_files.asked_for(request)
    files = case_files.write_template(name, folder)
    there = shown_path(folder)
    show_json({"folder": str(folder), "files": files})
    show(
        escape(f"A case to start from in {there}: {', '.join(files)}."),
        escape(f"\n  lull run {name} --config-dir {there}\n  lull case check {name} --config-dir {there}"),
    )


def check_case(request: Request, rest: Request) -> None:
    """Say what a case lacks, what is assumed in it, and which of the shipped case's numbers are still there."""
    config = rest.config()
    rows = [asdict(one) for one in case_files.findings(config, case_files.chosen_files(rest))]
    if config.output_dir is not None or request.home is not None:
        with result_folder(request, config) as folder:
            folder.csv("case.csv", rows)
    counts = {kind: sum(one["kind"] == kind for one in rows) for kind in case_files.FINDINGS}
    show_json(rows)
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    show(
        f"Case {escape(keyed_title(config.scenario.name))}: {found}.\n",
        printed.finding_table(rows),
    )


@study_call
def predict_case(
    scenario: str, *, runs: int = CaseOptions.histories, **study: Unpack[Study]
) -> Result[cases.CasePredictions]:
    """Carry the bundled posterior over to another case, refit the level of attacks, and predict.

    Args:
        scenario: name of the case's scenario file; its configuration has a section `predictions`.
        runs: simulated histories, each at a draw of its own.
        **study: as in every call.

    Returns:
        `data` are the quantities over `history`, with the weight and the level of each; tables `predictions`.

    Raises:
        UserError: an option or the case cannot be used, or hardly any history agrees with the observations; one line.
    """
    options = CaseOptions("predict", runs)
    request, rest = request_of("case", study, {"scenario": scenario}, options)
    return call(case_job(request, options, rest), study)


def case_job(request: Request, options: CaseOptions, rest: Request) -> Job[cases.CasePredictions]:
    """The predictions of a case as a study."""
    config = rest.config(cluster=True)
    check_from_defaults("case", config)
    settings = case_settings(config)

    def compute(advance: Progress | None) -> Result[cases.CasePredictions]:
        return case_result(request, cases.predict_case(config, settings, options.histories, advance))

    watch = partial(simulating, config=config, forecast=partial(CostEstimate, options.histories))
    return Job(request, config, compute, watch, "predictions")


def case_result(request: Request, found: cases.CasePredictions) -> Result[cases.CasePredictions]:
    """The predictions as a result."""
    config, rows = found.config, cases.prediction_rows(found)
    content = cases.prediction_record(found)
    data = xr.Dataset(
        {name: ("history", one) for name, one in found.values.items()}
        | {"weight": ("history", found.weights), "level": ("history", found.level)},
        attrs=provenance(config),
    )
    return Result(
        request, config, data, found,
        rows={"predictions": rows},
        content=content,
        figures={"predictions": drawn("forecast_figures", "case", found)},
        text=lambda: (*printed.case_lines(content), printed.prediction_table(rows), "", CASE_CANNOT_TELL),
        files="predictions.json, predictions.csv and predictions.png",
        summary_file="predictions.json",
    )  # fmt: skip
