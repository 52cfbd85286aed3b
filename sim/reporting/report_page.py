"""The report as an HTML page from a template, and printed to PDF by a browser that is there already."""

import base64
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from matplotlib.figure import Figure

from sim.analysis.comparison.paired_comparison import compared
from sim.analysis.report_data import LEAST_DRAWS, ReportResults
from sim.analysis.summary import PRIOR_DRIVEN
from sim.experiment.command import Request
from sim.experiment.options import OutputOptions
from sim.experiment.result_dir import source_hash, versions
from sim.model.scenario import titled
from sim.model.validation import UserError
from sim.reporting.comparison_tables import (
    baseline_of,
    before_line,
    interval_words,
    mechanism_words,
    pairing_line,
    reading,
    total_line,
    uncertainty_line,
    war_line,
    war_words,
)
from sim.reporting.figures.briefing import briefing_figure
from sim.reporting.figures.compare_figures import attribution_figure, comparison_figure, shares_figure
from sim.reporting.report_contents import (
    GLOSSARY,
    LIMITS,
    every_table,
    form_note,
    question,
    rows_of,
    sentences,
    value,
    what,
)
from sim.reporting.style import rendered
from sim.reporting.table import Table
from sim.reporting.tables import no_outlook_line, outlook_lines
from sim.reporting.text import capital, minus

BROWSERS: Final = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)  # fmt: skip
"""Browsers of one family, which print without a window, by name or by their usual place."""
SECONDS: Final = 180
_FLAGS: Final = (
    "--headless", "--disable-gpu", "--no-sandbox", "--no-pdf-header-footer", "--generate-pdf-document-outline",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking",
)  # fmt: skip
_DATES: Final = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")
_NODES: Final = re.compile(rb"node\d{8}")
_KEY: Final = "report.pdf"


def browser() -> str:
    """The browser that prints."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise UserError(_KEY, "true", "false here; true takes Chromium, Chrome or Edge, and none is found")
    return found


def print_page(page: Path, pdf: Path) -> None:
    """Print a page; the file says nothing of the hour at which it was made.

    The page holds no script and the browser may reach no other machine, so nothing needs its sandbox, which containers
    and superusers do not have.
    """
    program = browser()
    with tempfile.TemporaryDirectory() as profile:
        command = [program, *_FLAGS, f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", page.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
            printed = done.returncode == 0 and pdf.is_file()
        except (OSError, subprocess.TimeoutExpired):
            printed = False
    if not printed:
        raise UserError(_KEY, "true", f"false here; {program} does not print")
    pdf.write_bytes(settled(pdf.read_bytes()))


def settled(content: bytes) -> bytes:
    """A PDF without the hour of its making and with its nodes numbered from 0; every other byte stays at its place.

    A browser goes on counting the nodes of its pages, so their numbers differ from print to print.

    >>> settled(b"/CreationDate (D:20240228101112+00'00') (node00000070) (node00000071) (node00000070)")
    b'/CreationDate (D:19700101000000       ) (node00000000) (node00000001) (node00000000)'
    """
    undated = rb"/%b (D:19700101000000"
    content = _DATES.sub(lambda found: (undated % found[1]).ljust(len(found[0]) - 1) + b")", content)
    places = {name: place for place, name in enumerate(sorted(set(_NODES.findall(content))))}
    return _NODES.sub(lambda found: b"node%08d" % places[found[0]], content)


@dataclass(frozen=True)
class Picture:
    """A figure in the page with a caption, and in words for screen readers.

    `wide` ones scroll in a frame of their own where the page is narrow.
    """

    id: str
    figure: Figure
    alt: str
    caption: str
    wide: bool

    @cached_property
    def svg(self) -> bytes:
        """The figure as a file."""
        return rendered(self.figure, "svg")

    @property
    def address(self) -> str:
        """The figure as a data address."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode()

    @property
    def width(self) -> int:
        """Width in pixels of a page."""
        return round(96 * self.figure.get_figwidth())

    @property
    def height(self) -> int:
        """Height likewise."""
        return round(96 * self.figure.get_figheight())


@dataclass(frozen=True)
class Page:
    """A finished report: the page, and its tables and figures for the files of the folder."""

    html: str
    question: str
    sentences: tuple[str, str, str]
    tables: Mapping[str, Table]
    pictures: Mapping[str, Picture]
    outlook: tuple[str, ...] = ()
    form: str = ""


def page_of(found: ReportResults, request: Request) -> Page:
    """Write the page. The same finding and request give the same bytes."""
    tables, pictures = every_table(found), pictures_of(found)
    asked, answer, form = question(found), sentences(found), form_note(found)
    missing = (no_outlook_line(found.no_outlook),) if found.no_outlook else ()
    outlook = missing if found.outlook is None else outlook_lines(found.outlook)
    html = _template().render(
        found=found,
        about=found.comparison.attrs,
        draws=found.comparison.sizes["draw"],
        labels=[titled(str(one)) for one in found.comparison["scenario"].values],
        baseline=baseline_of(found.comparison),
        outcome=what(found.comparison, found.asked.settings.outcome),
        prior_driven=found.asked.settings.outcome in PRIOR_DRIVEN,
        question=asked,
        sentences=answer,
        form=form,
        outlook=outlook,
        tables=tables,
        pictures=pictures,
        lines=lines_of(found),
        evidence=found.asked.evidence,
        least_draws=LEAST_DRAWS,
        glossary=GLOSSARY,
        limits=LIMITS,
        command=request.options(OutputOptions)[1].command,
        versions=versions(),
        source_hash=source_hash(),
    )
    return Page(html, asked, answer, tables, pictures, outlook, form)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("template.html.j2")


def lines_of(found: ReportResults) -> dict[str, Any]:
    """Lines that a comparison and an attribution say in words."""
    data = found.comparison
    pairs = range(data.sizes["comparison"])
    return {
        "uncertainty": [minus(uncertainty_line(data, one)) for one in pairs],
        "pairing": [minus(pairing_line(data, one)) for one in pairs],
        "names": [titled(str(one)) for one in data["comparison"].values],
        "war": war_line(data),
        "probability": [war_words(data, one) for one in pairs],
        "total": minus(total_line(found.attribution)),
        "before": minus(before_line(found.attribution)),
        "reading": reading(found.attribution),
        "pinned": found.asked.explaining.pinned,
    }


def pictures_of(found: ReportResults) -> dict[str, Picture]:
    """The figures, each with what it shows in words."""
    data, measure = found.comparison, found.asked.settings.outcome
    rows = [compared(row) for row in rows_of(data, measure)]
    subject = what(data, measure) + (", pairs without war in either arm" if rows[0]["censored_by_war"] else "")
    effects = "; ".join(
        f"{titled(row['scenario'])} {value(data, row, 'scenario_value')} against {value(data, row, 'baseline_value')}"
        for row in rows
    )
    middle = "median" if rows[0]["heavy_tailed"] else "mean"
    spread = interval_words(data)
    largest = found.attribution.ranked()[0]
    scenario = found.asked.config.scenario
    ended = "" if found.outlook is None else "; given the observations, the probability that the lull has ended"
    made = (
        Picture(
            "effect", comparison_figure(data, measure),
            f"A dot with a bar for each scenario, and its difference to {baseline_of(data)} in words. {subject}:"
            f" {effects}. All numbers stand in the table of outcomes.",
            f"{capital(subject)}: the dot is the {middle}, the bar holds {spread}; the words say the difference to"
            f" {baseline_of(data)}.",
            wide=False,
        ),
        Picture(
            "comparison", comparison_figure(data),
            "The key questions in one panel each: the value under every scenario with its interval, and its difference"
            " to the baseline in words. All numbers stand in the table of outcomes.",
            "The key questions on one page, with what changes their reading.",
            wide=True,
        ),
        Picture(
            "shares", shares_figure(found.shares),
            f"Bars of Shapley values, the largest for “{mechanism_words(largest.mechanism)}”.",
            "Shapley values of the mechanisms; the lines hold 90% of draws of the parameters.",
            wide=False,
        ),
        Picture(
            "attribution", attribution_figure(found.shares),
            f"Bars of Shapley values, the largest for “{mechanism_words(largest.mechanism)}”, with lines that hold"
            " 90% of draws. All numbers stand in the table of shares.",
            "Bars: Shapley values of the mechanisms. Lines: 90% of draws of the parameters.",
            wide=True,
        ),
        Picture(
            "briefing", briefing_figure(found.baseline, found.asked.config, found.verdicts, found.outlook),
            f"Attacks a week by theatre over the calendar of {scenario.title}, medians with bands of 50% and 90% of"
            f" histories, and the documented events{ended}. The table of patterns compares it with its source.",
            f"Attacks a week in {scenario.title}, and what the source says{ended}.",
            wide=True,
        ),
    )  # fmt: skip
    return {one.id: one for one in made}
