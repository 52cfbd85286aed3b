"""`lull forecast FILE`: fit to a user's own counts and forecast; `score=true` evaluates forecasts of the past."""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import RenderableType

from sim.analysis.forecast import forecasting as analysis
from sim.analysis.forecast import scores as evaluation
from sim.analysis.forecast.event_counts import Counts
from sim.commands.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, study_call
from sim.experiment.options import ForecastOptions
from sim.experiment.result_dir import provenance
from sim.experiment.runner import CostEstimate, Progress
from sim.model.scenario import DEFAULTS, Config
from sim.model.validation import UserError
from sim.reporting import calibration_tables as printed
from sim.reporting.figures import drawn
from sim.reporting.terminal import simulating

WEEKS: Final = 4
CANNOT_TELL: Final = (
    "What this cannot tell: whether the model's mechanisms caused these counts. A forecast is as good as its score"
    " on the past: score=true."
)


def main(request: Request) -> None:
    """Carry out the verb."""
    carry_out(lambda: job(request, *request.options(ForecastOptions)))


@study_call
def forecast(
    data: Path | str,
    *,
    scenario: str | None = None,
    until: date | None = None,
    weeks: int | None = None,
    histories: int = ForecastOptions.histories,
    score: bool = False,
    **study: Unpack[Study],
) -> Result[Any]:
    """Fit to counts of your own and forecast them, or forecast the past from several days on and score it.

    Args:
        data: a file of events or of cumulative counts (docs/own_events.md).
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        until: last day whose counts are used; None: the last of the file.
        weeks: weeks ahead; None: 4.
        histories: simulated histories.
        score: forecast the past and score it; `until` and `weeks` are then chosen.
        **study: as in every call.

    Returns:
        A forecast: `data` are attacks over (history, period, theatre) and the weight of each history; tables `forecast`
        (quantiles by period), `counts` (what was read) and, where events lie ahead, `effects`. A score: `data` is one
        score a row; tables `skill`, `scores`, `trials` and `counts`.

    Raises:
        UserError: an option, the file or the configuration cannot be used; one line.
    """
    options = ForecastOptions(Path(data), score, until, weeks, histories)
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
    config = rest.config()
    if config.parameters_from != DEFAULTS:
        raise UserError(
            "parameters", config.parameters_from,
            f"{DEFAULTS} with a forecast: the shipped posterior knows the article, not these counts",
        )  # fmt: skip
    counts = analysis.own_counts(config, file)

    total = histories * evaluation.cut_count(counts) if options.score else histories
    compute: Callable[..., Result[Any]] = skill_result if options.score else forecast_result
    return Job(
        request,
        config,
        partial(compute, request, config, counts, options),
        lambda folder: simulating(folder, CostEstimate(total)),
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
    tables = {"forecast": rows, "counts": analysis.count_rows(counts, calendar)}

    def text() -> Iterator[RenderableType]:
        yield from (*printed.reading_lines(counts), "")
        yield printed.forecast_table(rows)
        yield from printed.match_lines(found)
        if effects:
            yield from ("", printed.effect_table(effects))
        yield from ("", CANNOT_TELL)

    return Result(
        request, config, period_data(found).assign_attrs(provenance(config)), found,
        rows={**tables, "effects": effects} if effects else tables,
        content={**about, "match": analysis.match_record(found), "forecast": rows, "effects": effects},
        figures={"forecast": drawn("forecast_figures", "forecast", found, config, about["file"])},
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
    source = (
        f"Source: {about['file']} ({counts.report.format}); Lull, scenario {config.scenario.name}, seed {config.seed};"
        f" {len({one.cut for one in trials})} forecasts of up to three weeks, {means[0].periods} periods."
    )
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
