"""`lull report scenarios=[...]`: one page for those who decide, with its tables as files, and on paper when asked."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Final, Unpack

from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.attribution import share_rows
from sim.analysis.comparison.paired_comparison import summary
from sim.analysis.report_data import Asked, prepare, prepared, simulate
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, spelled_options, study_call
from sim.experiment.options import CompareOptions, ReportOptions
from sim.experiment.result_dir import Folder
from sim.experiment.runner import Progress, Stopwatch
from sim.experiment.sweep.configs import short_hash
from sim.reporting.report_page import Page, browser, page_of, print_page, required, write_document
from sim.reporting.table import write_workbook
from sim.reporting.terminal import show, simulating

PAGE: Final = "report.html"
PAPER: Final = "report.pdf"
WORD: Final = "report.docx"
BOOK: Final = "report.xlsx"


def main(request: Request) -> None:
    """Carry out the verb, and say what its simulations took and the whole."""
    began, watch = time.perf_counter(), Stopwatch()
    carry_out(lambda: job(request, prepare(request), watch))
    show(time_line(watch.seconds, time.perf_counter() - began))


@study_call
def report(
    scenarios: Sequence[str] = CompareOptions.scenarios,
    *,
    runs: int | None = None,
    draws: int | None = None,
    outcome: str | None = None,
    question: str | None = None,
    mechanisms: Sequence[str] | None = None,
    parameters: str | None = None,
    **study: Unpack[Study],
) -> Result[Page]:
    """Compare scenarios, explain an outcome of the first, and write a page about it.

    The overrides also take keys of the report, such as `report.share_draws`, and with `study.outcomes` the conditions
    that the answer is about, such as `["war by 2024-06-01", "lull_days >= 90"]`.

    Args:
        scenarios: two or more, the first the baseline, as `compare` takes them.
        runs: histories of each draw and scenario; None takes 250.
        draws: draws of the parameters; None takes 200 where they are drawn.
        outcome: what the second page explains; None takes the first condition asked, or `lull_days`.
        question: the heading; None makes one of conditions and scenarios.
        mechanisms: those whose Shapley values are computed; None takes all that are at work.
        parameters: `posterior`, `prior` or `defaults`; None takes the posterior.
        **study: as in every call.

    Returns:
        `found`: the page with its `html`, `brief`, `tables` and `pictures` by name, where a table also
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


def time_line(simulations: float, whole: float) -> str:
    """What simulations took and the whole, and how many times as much that is, where any were made here.

    >>> time_line(812.4, 1010.0)
    'Simulations 812 s, all 1,010 s: 1.24 times as long.'
    """
    ratio = f": {whole / simulations:.2f} times as long" if simulations else ""
    return f"Simulations {simulations:,.0f} s, all {whole:,.0f} s{ratio}."


def job(request: Request, asked: Asked, watch: Stopwatch | None = None) -> Job[Page]:
    """The report as a study; the `watch` counts the seconds of its simulations."""
    settings, wanted = asked.settings, dict[str, Callable[[Page, Path], None]]()
    if settings.pdf:
        browser()
        wanted[PAPER] = lambda _, path: print_page(path.with_name(PAGE), path)
    if settings.docx:
        required("docx", "docx", "word")
        wanted[WORD] = write_document
    if settings.xlsx:
        required("openpyxl", "xlsx", "excel")
        wanted[BOOK] = lambda page, path: write_workbook(page.tables.values(), path)

    def compute(advance: Progress | None) -> Result[Page]:
        with (watch or Stopwatch()).running():
            found = simulate(asked, advance)
        page = page_of(found, request)

        def more(folder: Folder) -> None:
            folder.text(PAGE, page.html)
            folder.dataset("comparison.nc", found.comparison)
            folder.dataset("coalitions.nc", found.shares)
            for name, write in wanted.items():
                write(page, folder.path(name))

        said = {name: one for name, one in asdict(page.brief).items() if name != "cite"}  # which names the command
        content = {**said, "comparison": summary(found.comparison)}
        content |= {} if found.outlook is None else {"outlook": found.outlook.record()}
        return Result(
            request, asked.config, found.comparison, page,
            rows={table.file.removesuffix(".csv"): table.records for table in page.tables.values()},
            content=content | {"attribution": share_rows(found.attribution)},
            figures={one.id: partial(getattr, one, "figure") for one in page.pictures.values()},
            text=lambda: text(page),
            files=f"{', '.join((PAGE, *wanted))}, and every table as CSV",
            more=more,
        )  # fmt: skip

    players = short_hash({"players": list(asked.explaining.game.players)})
    outcome = re.sub(r"[^\w.]+", "-", asked.outcome)
    label = f"{outcome}-{asked.comparison.identity}-{players}"
    show_progress = partial(simulating, config=asked.config, forecast=asked.forecast)
    return Job(request, asked.config, compute, show_progress, label)


def text(page: Page) -> Iterator[RenderableType]:
    """Question and answer, the choices side by side, why, and how the documented winter goes on."""
    brief = page.brief
    yield from map(escape, filter(None, (brief.question, brief.choice, brief.answer, brief.observed)))
    yield ""
    yield page.tables["choices"]
    yield from map(escape, (*brief.causes, *brief.watch, *page.outlook))
