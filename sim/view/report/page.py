"""The page: what was found, put into the template. Text of users and files is escaped on its way in."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from matplotlib.figure import Figure

from sim.study.comparison.rows import compared
from sim.study.provenance import source_hash, versions
from sim.study.report.found import Found
from sim.study.report.levers import LEAST_DRAWS
from sim.study.request import Request
from sim.study.summary import PRIOR_DRIVEN
from sim.view.attribution import MECHANISM_WORDS, before_line, reading, total_line
from sim.view.comparison import pairing_line, uncertainty_line, war_line, war_words
from sim.view.figures.attribution import attribution_figure
from sim.view.figures.comparison import comparison_figure
from sim.view.figures.small import effect_figure, shares_figure
from sim.view.plots import briefing_figure
from sim.view.report.answer import minus, question, sentences, value, what
from sim.view.report.answer import rows_of as outcome_rows
from sim.view.report.tabled import Table
from sim.view.report.tables import every_table
from sim.view.report.words import GLOSSARY, LIMITS
from sim.view.style import drawn

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """A figure as it stands in the page: drawn, what it shows, and in words for those who do not see it.

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
        return drawn(self.figure, "svg")

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
    """A finished report: the page, and its tables and figures for the files beside it."""

    html: str
    question: str
    sentences: tuple[str, str, str]
    tables: Mapping[str, Table]
    pictures: Mapping[str, Picture]


def page_of(found: Found, request: Request) -> Page:
    """Write the page. The same finding and request give the same bytes."""
    tables, pictures = every_table(found), pictures_of(found)
    asked, told = question(found), sentences(found)
    html = _template().render(
        found=found,
        about=found.comparison.attrs,
        draws=found.comparison.sizes["draw"],
        labels=[str(one) for one in found.comparison["scenario"].values],
        outcome=what(found.comparison, found.asked.settings.outcome),
        prior_driven=found.asked.settings.outcome in PRIOR_DRIVEN,
        question=asked,
        sentences=told,
        tables=tables,
        pictures=pictures,
        lines=lines_of(found),
        evidence=found.asked.evidence,
        least_draws=LEAST_DRAWS,
        glossary=GLOSSARY,
        limits=LIMITS,
        command=request.taking("output.dir")[1].command,
        versions=versions(),
        source_hash=source_hash(),
    )
    return Page(html, asked, told, tables, pictures)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("template.html.j2")


def lines_of(found: Found) -> dict[str, Any]:
    """Lines that a comparison and an attribution say in words."""
    data = found.comparison
    pairs = range(data.sizes["comparison"])
    return {
        "uncertainty": [minus(uncertainty_line(data, one)) for one in pairs],
        "pairing": [minus(pairing_line(data, one)) for one in pairs],
        "names": [str(one) for one in data["comparison"].values],
        "war": war_line(data),
        "probability": [war_words(data, one) for one in pairs],
        "total": minus(total_line(found.attribution)),
        "before": minus(before_line(found.attribution)),
        "reading": reading(found.attribution),
        "pinned": found.asked.explaining.pinned,
    }


def pictures_of(found: Found) -> dict[str, Picture]:
    """The figures, each with what it shows in words."""
    data, measure = found.comparison, found.asked.settings.outcome
    rows = [compared(row) for row in outcome_rows(data, measure)]
    subject = what(data, measure) + (", pairs without war in either arm" if rows[0]["cut_by_war"] else "")
    effects = "; ".join(
        f"{row['scenario']} {value(data, row, 'value_b')} against {value(data, row, 'value_a')}" for row in rows
    )
    middle = "median" if rows[0]["heavy_tailed"] else "mean"
    spread = "nine in ten draws of the parameters" if data.sizes["draw"] > 1 else "90% under luck"
    largest = found.attribution.ranked()[0]
    scenario = found.asked.config.scenario
    made = (
        Picture(
            "effect", effect_figure(data, measure),
            f"Dots with bars around a line at zero, one for each scenario. {subject}: {effects}. All numbers stand in"
            " the table of outcomes.",
            f"Difference to {data.attrs['baseline']} in {subject}: the dot is the {middle}, the bar holds {spread}.",
            wide=False,
        ),
        Picture(
            "comparison", comparison_figure(data),
            "The key outcomes in one panel each, with the difference of every scenario to the baseline; attacks by"
            " theatre and by group; and the regret of every scenario. All numbers stand in the three tables below.",
            "Everything that the comparison found, on one page.",
            wide=True,
        ),
        Picture(
            "shares", shares_figure(found.shares),
            f"Bars of fair shares, the largest for “{MECHANISM_WORDS[largest.mechanism]}”.",
            "Fair shares of the mechanisms; the lines hold nine in ten draws of the parameters.",
            wide=False,
        ),
        Picture(
            "attribution", attribution_figure(found.shares),
            f"Bars of fair shares, the largest for “{MECHANISM_WORDS[largest.mechanism]}”, with lines that hold nine in"
            " ten draws. All numbers stand in the table of shares.",
            "Bars: fair shares of the mechanisms. Lines: nine in ten draws of the parameters.",
            wide=True,
        ),
        Picture(
            "briefing", briefing_figure(found.baseline, found.asked.config, found.verdicts),
            f"Attacks a week by theatre over the calendar of {scenario.name}, medians with bands of half and of nine in"
            " ten histories, and the documented events. What it is held against stands in the table of patterns.",
            f"Attacks a week in {scenario.name}, and what the source says.",
            wide=True,
        ),
    )  # fmt: skip
    return {one.id: one for one in made}
