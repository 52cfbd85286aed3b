"""`lull compare scenarios=[...]`: scenarios under common random numbers, as tables, one figure and files."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Unpack

import xarray as xr
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.comparison.paired_comparison import (
    COMMON_DAY,
    Comparison,
    by_baseline,
    effect_rows,
    evppi_rows,
    prepare,
    prepared,
    prior_rows,
    regret_rows,
    summary,
)
from sim.analysis.durations import Outlook, expected
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, study_call
from sim.experiment.options import CompareOptions
from sim.experiment.runner import Progress
from sim.model.scenario import CONDITIONED, keyed_title
from sim.reporting import comparison_tables as printed
from sim.reporting.figures import draw, drawn
from sim.reporting.tables import no_outlook_line, outlook_lines
from sim.reporting.terminal import simulating

CANNOT_TELL: Final = (
    "What this cannot tell: draws are spread as the parameters were chosen to be, and every scenario is only as good as"
    " the rules it runs by. A model to think with, not a forecast."
)
KINDS: Final = {"comparison": "outcome", "by_theatre": "theatre", "by_group": "group"}
"""Tables of differences, and the kind of measure in each."""


def main(request: Request) -> None:
    """Carry out the verb."""
    carry_out(lambda: job(request, prepare(request)))


@study_call
def compare(
    scenarios: Sequence[str] = CompareOptions.scenarios,
    *,
    runs: int | None = None,
    draws: int | None = None,
    parameters: str | None = None,
    war_loss: Mapping[str, float] | None = None,
    departures: str = COMMON_DAY,
    **study: Unpack[Study],
) -> Result[Comparison]:
    """Compare scenarios under common random numbers: every other one with the first, run by run.

    Args:
        scenarios: two or more, the first the baseline; those of the article where none are given. An entry names a
            scenario, perhaps with changes after semicolons: `article;target.quiet_days=5`, or
            `article;february_strikes@2024-01-20` to move an event.
        runs: histories of each draw and arm; None takes 500, or the configured number with a single draw, or 16 where
            histories are conditioned.
        draws: draws of the parameters; None takes 200 where they are drawn, or all where histories are conditioned.
        parameters: `posterior` draws what was fitted from the posterior that comes with the package, `prior` every
            parameter that has a prior, `defaults` takes the declared values; `conditioned` takes the posterior with
            the histories that reproduced the observations, up to the report. None takes `conditioned` where all
            scenarios depart after the report, else the posterior. What a scenario or `overrides` set stays so.
        war_loss: by measure the value that a history with war counts as where scenarios are ranked, such as
            `{"attacks_after": 500}`; of all others such a history is worst.
        departures: `common` frees history in all scenarios on the day on which the earliest departs; `own` frees it in
            each pair on the day on which that pair departs, so that the baselines differ and are named by their day.
        **study: as in every call.

    Returns:
        `data` over (comparison, measure), with draws and regrets, `unit` the unit of each measure (docs/compare.md);
        tables `comparison`, `by_theatre`, `by_group`, `regret`, `evppi` (with 30 draws or more) and `prior_predictive`.
        `plot("lull_days")` draws one measure.

    Raises:
        UserError: something asked for cannot be used; one line.

    >>> found = compare(["article", "tight_leash"], runs=20, parameters="defaults")
    >>> found.data["difference"].dims
    ('comparison', 'measure')
    """
    options = CompareOptions(tuple(scenarios), parameters, war_loss, departures)
    request, rest = request_of("compare", study, {"study.draws": draws, "study.runs": runs}, options)
    return call(job(request, prepared(options, rest)), study)


def job(request: Request, asked: Comparison) -> Job[Comparison]:
    """The comparison as a study."""

    def compute(advance: Progress | None) -> Result[Comparison]:
        data = asked.simulate(advance)
        outlook, why = expected(asked.config)
        further = {"evppi": evppi_rows(data), "prior_predictive": prior_rows(data)}
        rows = {name: effect_rows(data, kind) for name, kind in KINDS.items()} | {"regret": regret_rows(data)}
        return Result(
            request, asked.config, data, asked,
            rows=rows | {name: made for name, made in further.items() if made},
            content=summary(data) | ({} if outlook is None else {"outlook": outlook.record()}),
            figures={
                "comparison" if place == 1 else f"comparison_{place}": drawn("compare_figures", "comparison", part)
                for place, part in enumerate(by_baseline(data), start=1)
            },
            text=lambda: text(asked, data, outlook, why),
            files="comparison.png, summary.json, and the tables behind them",
            more=lambda folder: folder.dataset("comparison.nc", data),
            other=partial(draw, data),
        )  # fmt: skip

    watch = partial(simulating, config=asked.config, forecast=asked.forecast)
    return Job(request, asked.config, compute, watch, asked.identity)


def text(asked: Comparison, data: xr.Dataset, outlook: Outlook | None, why: str) -> Iterator[RenderableType]:
    """What is asked, how the observed winter goes on, what is compared, pair by pair the differences, then regrets."""
    if printed.asked_of(data):
        yield from (f"[bold]{escape(printed.answer_line(part))}[/]" for part in by_baseline(data))
        yield ""
    if outlook is not None:
        yield from (*map(escape, outlook_lines(outlook)), "")
    elif why:
        yield escape(no_outlook_line(why)) + "\n"
    plan, distinct = asked.plan, asked.distinct
    again = f" ({distinct} different)" if distinct < plan.draws else ""
    yield (
        f"[bold]{len(plan.arms)} scenarios under common random numbers[/], seed {plan.seed};"
        f" parameters: {asked.source}, {plan.draws} draw{'s' if plan.draws > 1 else ''}{again}"
        f" with {plan.runs} histories in each arm"
    )
    if outlook is not None and asked.source != CONDITIONED:
        yield (
            "These histories are other winters than the observed one: random numbers are new from the first day on, and"
            " the record is free where a scenario departs. So what follows is not the two answers above."
        )
    yield from (escape(f"{keyed_title(arm.label)}: {arm.words}") for arm in plan.arms)
    yield ""
    yield from map(printed.choices_table, by_baseline(data) if printed.asked_of(data) else ())
    for place in range(data.sizes["comparison"]):
        yield escape(printed.war_words(data, place))
        yield printed.effect_table(data, place)
        lines = (printed.sentence, printed.pinned_line, printed.uncertainty_line)
        yield from (escape(line(data, place)) for line in lines)
        yield escape(printed.pairing_line(data, place)) + "\n"
    yield from printed.prior_tables(data)
    yield from (*printed.place_tables(data, "theatre"), *printed.place_tables(data, "group"))
    yield printed.regret_table(data)
    yield escape(f"For regret all scenarios are alike: {data.attrs['pinned_together']}.")
    yield from printed.evppi_tables(data)
    yield from (escape(printed.war_line(data)), CANNOT_TELL)
