"""`lull calibrate`: what the observations say about the parameters and what they do not.

`check=true` tests the method, `data=FILE` fits to dated counts as well.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import RenderableType

from sim.analysis.calibration import calibration_run as analysis
from sim.analysis.calibration.identifiability import pairs
from sim.analysis.calibration.observations import CalibrationSettings, DatedCounts, settings_of
from sim.analysis.calibration.posterior import MOST_ROWS, accepted, fill, with_products
from sim.analysis.calibration.sbc import Control, conclusive
from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.forecasting import own_counts, reading_record
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, check_from_defaults, study_call
from sim.experiment.options import CalibrateOptions
from sim.experiment.parameter_sets import NAME, write_posterior
from sim.experiment.result_dir import Folder, provenance
from sim.experiment.runner import Progress
from sim.model.scenario import Config
from sim.model.validation import UserError
from sim.reporting import calibration_tables as printed
from sim.reporting.figures import drawn
from sim.reporting.tables import balance_table
from sim.reporting.terminal import simulating
from sim.reporting.text import FigureSource

CANNOT_TELL: Final = (
    "What this cannot tell: the figures are a handful and the parameters many. Most keep their priors, and every"
    " conclusion that depends on those does too. This is a model to think with, not a forecast."
)
TOO_FEW: Final = "Rival readings: calibration.hypothesis_draws is too small for any history to agree with the figures."


def main(request: Request) -> None:
    """Carry out the verb."""
    options, rest = request.options(CalibrateOptions)
    carry_out(lambda: job(request, options, rest))


@study_call
def calibrate(
    scenario: str | None = None,
    *,
    runs: int | None = None,
    check: bool = False,
    data: Path | str | None = None,
    stretch: int = CalibrateOptions.stretch,
    lag: int = CalibrateOptions.lag,
    dispersion: float = CalibrateOptions.dispersion,
    **study: Unpack[Study],
) -> Result[Any]:
    """Find the parameters that agree with the observations of a scenario, or check the method that finds them.

    Parameters among the overrides are held; further keys such as `calibration.sbc_datasets` say how much is simulated.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        runs: draws of the prior, a history of each; None: 16 million, or as `calibration.draws` says.
        check: simulation-based calibration instead, with posteriors that must fail.
        data: a file of events or of cumulative counts (docs/own_events.md) that is fitted to as well.
        stretch: days of each stretch of that file whose attacks are counted.
        lag: most days between an attack and its report.
        dispersion: of a count, (variance - mean) / mean^2.
        **study: as in every call.

    Returns:
        `data`: draws of the posterior over (chain, draw), a variable for each parameter and product, with unit and
        verdict in its attributes; tables `parameters`, `observations`, `hypotheses` and others (docs/calibration.md);
        `found`: everything that they are made of; `inference`: ArviZ's InferenceData. With `check`: `data` has one
        quantity of one region a row; tables `sbc` and `control`. With a file: `data` has draws given its counts too;
        tables `parameters_before`, `parameters` and `counts`; without `parameters` where too few draws are left.

    Raises:
        UserError: the configuration or the file cannot be used, or the observations leave too few draws.
    """
    options = CalibrateOptions(check, None if data is None else Path(data), stretch, lag, dispersion)
    request, rest = request_of("calibrate", study, {"scenario": scenario, "calibration.draws": runs}, options)
    return call(job(request, options, rest), study)


def job(request: Request, options: CalibrateOptions, rest: Request) -> Job[Any]:
    """The calibration, or the check of its method, as a study."""
    config = rest.config(cluster=True)
    check_from_defaults("calibrate", config)
    settings = settings_of(config, rest.overrides)
    if options.check and options.data is not None:
        raise UserError("check", "true", "nothing with data=FILE, whose method is checked each time")
    compute: Callable[..., Result[Any]] = check_result if options.check else calibration_result
    number = settings.draws + 2 * analysis.plants_of(settings) if options.check else analysis.histories(settings)
    if options.data is not None:
        counts = own_counts(config, options.data)
        compute = partial(counts_result, counts, analysis.dated_counts(counts, options))
        number = settings.draws + analysis.plants_of(settings) + min(settings.draws, MOST_ROWS)
    return Job(
        request,
        config,
        partial(compute, request, rest, config, settings),
        partial(simulating, config=config, forecast=partial(analysis.forecast, config, settings, number)),
        "check" if options.check else "own-events" if options.data else "",
    )


def calibration_result(
    request: Request, rest: Request, config: Config, settings: CalibrationSettings, advance: Progress | None
) -> Result[analysis.Calibration]:
    """Calibrate."""
    from sim.reporting.figures.calibration_figures import source

    found = analysis.calibrated(config, settings, rest.overrides, advance)
    data = analysis.inference_data(found)

    def more(folder: Folder) -> None:
        write_posterior(folder.path(NAME), analysis.with_results(found))
        data.to_netcdf(str(folder.path("calibration.nc")), engine="h5netcdf")

    words = source(found)
    drawers: dict[str, tuple[Any, ...]] = {
        "posterior": ("posterior", found),
        "forest": ("forest", found),
        "sbc": ("check", found.sbc, None, words),
        "patterns": ("pattern", found.predicted, words),
    }
    if found.rivals.readings:
        drawers["hypotheses"] = ("reading", found.rivals, words)
    return Result(
        request, config, data.posterior, found,
        rows={name: rows for name, rows in analysis.tables(found).items() if rows},
        content=analysis.summary(found),
        figures={name: drawn("calibration_figures", *given) for name, given in drawers.items()},
        text=lambda: text(found),
        files=f"summary.json, {NAME}, calibration.nc for ArviZ, figures, and the tables behind them",
        more=more,
    )  # fmt: skip


def text(done: analysis.Calibration) -> Iterator[RenderableType]:
    """Observations, parameters, checks, predictions and hypotheses."""
    rivals, left = done.rivals, done.again
    yield from (printed.figure_table(done.settings.figures), printed.method_line(done), "")
    yield from (printed.quantity_table(done.quantities), printed.not_identified(done.quantities))
    yield from (printed.pairs_line(pairs(done.posterior)), "")
    yield printed.varied_table(done.varied, done.quantities)
    yield from (*printed.check_lines(done.sbc), "")
    if done.agreements:
        yield printed.agreement_table(done.agreements, left)
    else:
        yield f"Plain rejection left {left} draws, too few to compare; calibration.rejection_draws makes more."
    yield from ("", printed.predicted_table(done.predicted))
    yield printed.ahead_table(done.ahead, done.config.scenario.calendar)
    if rivals.readings:
        yield from ("", printed.reading_table(rivals.readings, rivals.widened))
        yield printed.observation_table(rivals.readings)
        yield printed.prior_sensitivity_table(rivals.prior_sensitivity, rivals.readings)
        yield printed.story_table(rivals.stories, rivals.needed)
    elif done.settings.hypothesis_draws:
        yield from ("", TOO_FEW)
    if rivals.balance:
        yield balance_table(rivals.balance)
    yield from ("", CANNOT_TELL)


def counts_result(
    counts: Counts, dated: DatedCounts, request: Request, _: Request, config: Config, settings: CalibrationSettings,
    advance: Progress | None,
) -> Result[analysis.CountsCalibration]:  # fmt: skip
    """Calibrate to the observations, and to the dated counts of a file as well."""
    found = analysis.calibrated_with_counts(config, settings, dated, advance)
    stretches = analysis.stretch_rows(found, config.scenario.calendar)
    made_of = source_of(config, found.before.bank.size)
    rows = {
        "parameters_before": analysis.records(found.quantities),
        "parameters": analysis.records(found.quantities_after) if not found.refusal else [],
        "counts": stretches,
        "sbc": analysis.check_rows(found.sbc),
    }

    def text() -> Iterator[RenderableType]:
        yield from (*printed.reading_lines(counts), "")
        yield printed.figure_table(settings.figures)
        yield printed.stretch_table(stretches, dated.words)
        yield from (printed.counts_line(found), "")
        yield printed.quantity_table(found.quantities, "Identifiability before the dated counts")
        yield from (printed.not_identified(found.quantities, "parameters_before.csv"), "")
        if found.refusal:
            yield f"[bold red]No conclusion from the dated counts:[/] {found.refusal}"
        else:
            yield printed.quantity_table(found.quantities_after, "Identifiability after the dated counts")
            yield printed.not_identified(found.quantities_after)
        yield from ("", *printed.check_lines(found.sbc), "", CANNOT_TELL)

    return Result(
        request, config, draws_given_counts(found).assign_attrs(provenance(config)), found,
        rows={name: one for name, one in rows.items() if one},
        content={**analysis.counts_summary(found), "reading": reading_record(counts)},
        figures={
            "counts": drawn("calibration_figures", "counts", stretches, found.refusal, made_of),
            "sbc": drawn("calibration_figures", "check", found.sbc, None, made_of),
        },
        text=text,
        files="summary.json, figures, and the tables behind them",
    )  # fmt: skip


def draws_given_counts(found: analysis.CountsCalibration) -> xr.Dataset:
    """Unweighted draws of the posterior given observations and counts, a variable each parameter and product."""
    generator = np.random.default_rng(analysis.seed_for(found.config.seed, "kept"))
    values, places = with_products(found.after.values()), accepted(found.after.weights, generator)
    about = {one.quantity: {"units": one.unit, "verdict": one.verdict} for one in found.quantities_after}
    attrs = {"conclusion": found.refusal or "drawn"}
    return xr.Dataset({name: ("draw", one[places], about[name]) for name, one in values.items()}, attrs=attrs)


def check_result(
    request: Request, _: Request, config: Config, settings: CalibrationSettings, advance: Progress | None
) -> Result[tuple[analysis.SbcResult, ...]]:
    """Put the method to the test with truths that are known, and with posteriors that must fail."""
    bank = fill(analysis.prior_of(config, settings, "check"), settings.figures, settings.draws, config.threads, advance)
    sbc, narrow, prior = (
        analysis.run_sbc(config, settings, bank, control, advance, "checked truths", rare=True) for control in CONTROLS
    )
    found = {"sbc": sbc, "control": narrow, "control_prior": prior}
    rows = {name: analysis.check_rows(one) for name, one in found.items()}
    return Result(
        request, config, pd.DataFrame(rows["sbc"]).to_xarray().assign_attrs(provenance(config)), (sbc, narrow, prior),
        rows=rows,
        content={
            "scenario": config.scenario.name, "seed": config.seed, "bank": bank.size,
            "calibrated": analysis.calibrates(sbc),
            **{name: analysis.sbc_record(one) for name, one in found.items()},
        },
        figures={"sbc": drawn("calibration_figures", "check", sbc, narrow, source_of(config, bank.size))},
        text=lambda: (*printed.check_lines(sbc), "", *control_lines(narrow, prior), verdict_line(sbc, narrow, prior)),
        files="summary.json, sbc.csv, control.csv, control_prior.csv, sbc.png",
    )  # fmt: skip


def source_of(config: Config, histories: int) -> FigureSource:
    """Where a figure comes from."""
    return FigureSource([config.scenario.title], f"{histories:,} histories", config.seed)


CONTROLS: Final[tuple[Control, ...]] = ("", "narrowed", "prior")
"""The posteriors as they are, and two mistakes that must be noticed."""


def control_lines(narrow: analysis.SbcResult, prior: analysis.SbcResult) -> Iterator[str]:
    """How posteriors that were made overconfident fare, and the prior in place of posteriors."""
    for words, one in (
        ("the same posteriors narrowed by half", narrow),
        ("the prior in place of the posterior", prior),
    ):
        every = [one for checked in one.checked.values() for one in checked]
        outside, off = sum(not one.uniform for one in every), sum(not one.coverage_ok for one in every)
        yield f"Control, {words}: ranks of {outside} and coverage of {off} of {len(every)} fail, as some must."


def verdict_line(sbc: analysis.SbcResult, narrow: analysis.SbcResult, prior: analysis.SbcResult) -> str:
    """What follows."""
    if not any(map(conclusive, sbc.ranked.values())):
        return "[bold red]Too few data sets for a verdict on the posteriors.[/]"
    if not analysis.calibrates(sbc):
        return "[bold red]The posteriors are NOT calibrated: see sbc.csv.[/]"
    if analysis.calibrates(narrow) or not analysis.notices(sbc, prior):
        return "[bold red]The check is too weak: it passes posteriors that are wrong. Ask for more truths.[/]"
    return "[green]The posteriors are calibrated, and the check notices posteriors that are not.[/]"
