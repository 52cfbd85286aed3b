"""`lull report scenarios=[...]`: one page for those who decide, with its tables as files, and on paper when asked."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Unpack

from rich.markup import escape

from sim.analysis.attribution import share_rows
from sim.analysis.comparison.paired_comparison import summary
from sim.analysis.report_data import Asked, prepare, prepared, simulate
from sim.commands.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, spelled_options, study_call
from sim.experiment.options import CompareOptions, ReportOptions
from sim.experiment.result_dir import Folder
from sim.experiment.runner import Progress
from sim.experiment.sweep.configs import short_hash
from sim.reporting.report_page import Page, browser, page_of, print_page
from sim.reporting.terminal import simulating

PAGE: Final = "report.html"
PAPER: Final = "report.pdf"


def main(request: Request) -> None:
    """Carry out the verb."""
    carry_out(lambda: job(request, prepare(request)))


@study_call
def report(
    scenarios: Sequence[str] = CompareOptions.scenarios,
    *,
    runs: int | None = None,
    draws: int | None = None,
    outcome: str = ReportOptions.outcome,
    question: str | None = None,
    mechanisms: Sequence[str] | None = None,
    parameters: str | None = None,
    **study: Unpack[Study],
) -> Result[Page]:
    """Compare scenarios, explain an outcome of the first, and write a page about it.

    The overrides also take keys of the report, such as `report.share_draws`.

    Args:
        scenarios: two or more, the first the baseline, as `compare` takes them.
        runs: histories of each draw and scenario; None takes 250.
        draws: draws of the parameters; None takes 200 where they are drawn.
        outcome: what the answer is about.
        question: the heading; None makes one of the scenarios.
        mechanisms: those whose Shapley values are computed; None takes all that are at work.
        parameters: `posterior`, `prior` or `defaults`; None takes the posterior.
        **study: as in every call.

    Returns:
        `found`: the page with its `html`, `question`, `sentences`, `tables` and `pictures` by name, where a table also
        has `to_xlsx` (with the extra `excel`), `to_markdown` and `to_html`; `data`: the comparison, as `compare` gives
        it; tables: all of the page.

    Raises:
        UserError: something asked for cannot be used; one line.
    """
    request, rest = request_of("report", study, {"study.draws": draws, "study.runs": runs})
    given, rest = rest.options(ReportOptions)
    options = replace(
        given, outcome=outcome, question=question, mechanisms=None if mechanisms is None else tuple(mechanisms)
    )
    compared = CompareOptions(tuple(scenarios), parameters)
    spelled = (*spelled_options(options), *spelled_options(compared))
    request = replace(rest, overrides=(*spelled, *rest.overrides))
    return call(job(request, prepared(options, compared, rest)), study)


def job(request: Request, asked: Asked) -> Job[Page]:
    """The report as a study."""
    pdf = asked.settings.pdf
    if pdf:
        browser()

    def compute(advance: Progress | None) -> Result[Page]:
        found = simulate(asked, advance)
        page = page_of(found, request)

        def more(folder: Folder) -> None:
            folder.text(PAGE, page.html)
            folder.dataset("comparison.nc", found.comparison)
            folder.dataset("coalitions.nc", found.shares)
            if pdf:
                print_page(folder.path(PAGE), folder.path(PAPER))

        content = {"question": page.question, "answer": list(page.sentences), "comparison": summary(found.comparison)}
        content |= {} if found.outlook is None else {"outlook": found.outlook.record()}
        return Result(
            request, asked.config, found.comparison, page,
            rows={table.file.removesuffix(".csv"): table.records for table in page.tables.values()},
            content=content | {"attribution": share_rows(found.attribution)},
            figures={one.id: partial(getattr, one, "figure") for one in page.pictures.values()},
            text=lambda: map(escape, filter(None, (page.question, *page.sentences, page.form, *page.outlook))),
            files=f"{PAGE}{f', {PAPER}' if pdf else ''}, and every table as CSV",
            more=more,
        )  # fmt: skip

    players = short_hash({"players": list(asked.explaining.game.players)})
    label = f"{asked.settings.outcome}-{asked.comparison.identity}-{players}"
    watch = partial(simulating, config=asked.config, forecast=asked.forecast)
    return Job(request, asked.config, compute, watch, label)
