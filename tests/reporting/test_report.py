"""`lull report`: the page as a document, its tables as files, its sentences against the data behind them."""

import csv
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from sim import cli, report, watch
from sim.analysis.calibration.identifiability import NOT
from sim.analysis.comparison.paired_comparison import compared
from sim.analysis.comparison.value_of_information import FEWEST
from sim.analysis.early_warning import EVENTS, Warned, Watch
from sim.analysis.report_data import Asked, ParameterEvidence, ReportResults, learnt, prepare
from sim.commands import report as report_command
from sim.commands.report import time_line
from sim.engine.batch import run_batch
from sim.experiment import runner
from sim.experiment.command import Request
from sim.experiment.dataset import outcomes_of
from sim.experiment.runner import Stopwatch, ensemble
from sim.model.hydra_config import override_of
from sim.model.parameters import MECHANISM_NAMES
from sim.model.scenario import load, titled
from sim.reporting import report_page
from sim.reporting.comparison_tables import (
    SIGNS,
    asked_of,
    choice_line,
    evppi_line,
    row_of,
    short,
    sign_words,
    verdict_line,
)
from sim.reporting.figures.compare_figures import choices_figure, shares_figure
from sim.reporting.report_contents import GLOSSARY, brief_of, every_table, rule_line, sentences, watch_lines
from sim.reporting.report_page import page_of, required, write_document
from sim.reporting.style import BLUE, ORANGE, rendered
from sim.reporting.table import write_workbook
from sim.reporting.text import amount, inside, minus, odds, percent
from tests.reporting.reports import HOSTILE, SMALL, Made, made_in

pytestmark = pytest.mark.usefixtures("small_sides")
VOID = {"meta", "link", "img", "source", "wbr", "br", "hr", "input"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("report"))


class Element:
    """An element of a page: its name, attributes, text and children."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes, self.children, self.parts = name, attributes, list[Element](), list[str]()

    @property
    def text(self) -> str:
        """All text inside, blanks put together."""
        return " ".join("".join(self.parts).split())

    def every(self, *names: str) -> Iterator["Element"]:
        """Yield the elements of these names inside, in order."""
        for child in self.children:
            if child.name in names or not names:
                yield child
            yield from child.every(*names)


class Reader(HTMLParser):
    """Reads a page as a tree, and refuses one whose elements are not closed as they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(one)
        if tag not in VOID:
            self.open.append(one)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        for one in self.open:
            one.parts.append(data)


def read(html: str) -> Element:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


@pytest.fixture(scope="module")
def page(made: Made) -> Element:
    return read((made.folder / "report.html").read_text(encoding="utf-8"))


def test_a_page_that_is_not_closed_is_noticed() -> None:
    with pytest.raises(AssertionError):
        read("<p><b>open</p>")


# --- as a document ------------------------------------------------------------------------------------------


def test_the_page_has_landmarks_a_language_and_a_way_past_the_contents(page: Element) -> None:
    (html,) = page.every("html")
    assert html.attributes["lang"] == "en"
    assert [len(list(page.every(name))) for name in ("header", "nav", "main", "footer", "title", "h1")] == [1] * 6
    links = list(page.every("a"))
    assert links[0].attributes["href"] == "#main"
    ids = [one.attributes["id"] for one in page.every() if "id" in one.attributes]
    assert len(set(ids)) == len(ids)
    assert {one.attributes["href"].removeprefix("#") for one in links} <= set(ids)
    named = {one.attributes[key] for one in page.every() for key in ("aria-labelledby",) if key in one.attributes}
    assert named <= set(ids)


def test_headings_go_down_one_level_at_a_time(page: Element) -> None:
    levels = [int(one.name[1]) for one in page.every("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_all_that_an_analyst_asks_for_is_there(page: Element) -> None:
    assert [one.text for one in page.every("h2")][1:] == [
        "How far to trust this", "What would change our mind", "Why", "What to watch", "Cite this run",
        "Annex: what the two pages rest on", "What differs, and whether it is noise", "What caused it",
        "Levers apart from uncertainties", "What is not identified", "Rival explanations",
        "The baseline against its source",
        "Where the numbers come from", "What the model cannot say", "Glossary", "How to reproduce it",
    ]  # fmt: skip
    assert set(GLOSSARY) <= {one.text for one in page.every("dt")}


def test_every_table_has_a_caption_and_heads_with_a_scope(page: Element) -> None:
    tables = list(page.every("table"))
    assert len(tables) >= 12
    for table in tables:
        assert table.children[0].name == "caption"
        assert table.children[0].text
        heads = list(table.every("th"))
        assert {one.attributes["scope"] for one in heads} <= {"col", "row", "rowgroup"}
        assert all(one.text for one in heads)


def test_every_figure_is_in_the_page_and_in_words(page: Element) -> None:
    images = list(page.every("img"))
    assert len(images) == 5
    assert all(len(one.attributes["alt"]) > 40 for one in images)
    assert all(one.text for one in page.every("figcaption"))
    sources = [one.attributes[key] for one in page.every() for key in ("src", "srcset") if key in one.attributes]
    assert len(sources) == 7
    assert all(one.startswith("data:image/svg+xml;base64,") for one in sources)


def test_nothing_is_fetched_and_nothing_is_run(page: Element) -> None:
    assert list(page.every("script", "iframe", "object", "embed", "form")) == []
    assert [one for one in page.every("link") if one.attributes["href"] != "data:,"] == []
    (style,) = page.every("style")
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_what_users_write_is_text(made: Made, page: Element) -> None:
    (table,) = [one for one in page.every("table") if one.attributes["id"] == "table-scenarios"]
    assert [one.text for one in table.every("td")].count(HOSTILE) == 1
    asked = replace(made.found.asked, settings=replace(made.found.asked.settings, question=HOSTILE))
    again = read(page_of(replace(made.found, asked=asked), made.request).html)
    assert [one.text for one in again.every("h1")] == [HOSTILE]
    assert list(again.every("script")) == []


# --- tables and files ---------------------------------------------------------------------------------------


def cells_of(table: Element) -> list[list[str]]:
    """Return the body of a table; a cell that stands for several rows is repeated in each."""
    rows: list[list[str]] = []
    for body in table.every("tbody"):
        shared = ""
        for row in body.every("tr"):
            cells = [one.text for one in row.every("th", "td")]
            (head, *_) = row.children
            if head.attributes.get("scope") == "rowgroup":
                shared = head.text
            rows.append(cells if head.name == "th" else [shared, *cells])
    return rows


def agrees(shown: str, written: str) -> bool:
    """Whether the first number of a cell is the number in the file, as far as digits are shown, or as a percentage."""
    if shown in ("–", "no history fits", "never") or shown.startswith("under"):
        return True
    if " : " in shown:
        one, other = (float(part) for part in shown.split(" : "))
        return float(written) == pytest.approx(one / other, rel=0.01)
    if written == "":
        return not re.search(r"\d", shown)
    found = re.search(r"[−+]?[\d,]*\.?\d+(e[−+-]?\d+)?", shown)
    if found is None:
        return False
    text = found[0].replace("−", "-").replace(",", "")
    mantissa = text.partition("e")[0]
    exponent = int(text.partition("e")[2] or 0)
    step = 0.501 * 10.0 ** (exponent - len(mantissa.partition(".")[2]))
    two_digits = 0.0501 * abs(float(text))
    return any(abs(float(text) - scale * float(written)) <= max(step, two_digits) for scale in (1.0, 100.0))


def test_the_comparison_of_cells_and_numbers_can_fail() -> None:
    assert agrees("−37.6 to +5.4", "-37.61")
    assert agrees("9.1%", "0.0912")
    assert not agrees("−37.6 to +5.4", "-39.9")
    assert not agrees("9.1%", "0.19")
    assert agrees("1 : 7", "0.14286")
    assert not agrees("1 : 7", "7.0")


def test_every_table_is_a_file_with_the_same_rows(made: Made, page: Element) -> None:
    for table in page.every("table"):
        known = made.page.tables[table.attributes["id"].removeprefix("table-")]
        with (made.folder / table.attributes["data-file"]).open(encoding="utf-8", newline="") as file:
            written = list(csv.DictReader(file))
        shown = cells_of(table)
        assert len(shown) == len(written) > 0
        for cells, row in zip(shown, written, strict=True):
            assert len(cells) == len(known.columns)
            for cell, column in zip(cells, known.columns, strict=True):
                if not column.right:
                    continue
                assert any(agrees(cell, row[key]) for key in column.stored), (known.name, column.heading, cell)
            texts = {row[key] for column in known.columns if not column.right for key in column.stored}
            assert any(cell.startswith(one) for one in map(titled, filter(None, texts)) for cell in cells) or texts & {
                *cells
            }


def test_the_answer_has_the_numbers_of_the_data(made: Made) -> None:
    data = xr.open_dataset(made.folder / "comparison.nc", engine="h5netcdf")
    first, last = sentences(made.found)
    shown = [float(one.replace("−", "-")) for one in re.findall(r"(?<![\w.])[−+]?\d+(?:\.\d+)?", first)]
    lull = data.sel(measure="lull_days")
    order = np.argsort(-np.abs(lull["no_war_difference"].values), kind="stable")
    wanted = []
    for rank, place in enumerate(order):
        row = lull.isel(comparison=int(place))
        names = (
            "scenario_value",
            "baseline_value",
            "difference",
            "low",
            "high",
            "draws_less",
            "draws_same",
            "draws_more",
        )
        share, *values = (float(row[f"no_war_{name}"]) for name in ("share", *names))
        # The first scenario's words also hold the day of the strikes, the most days counted, and the interval's level.
        longest = data.attrs["days"] - data.attrs["strikes_day"]
        first_only = ([2.0, longest], [90.0]) if rank == 0 else ([], [])
        wanted += [100 * share, *first_only[0], *values[:3], *first_only[1], *values[3:5]]
        wanted += sorted((100 * one for one in values[5:] if one), reverse=True)  # the largest share first, no zeros
    assert shown == pytest.approx(wanted, abs=0.51)
    for place in range(data.sizes["comparison"]):
        assert verdict_line(compared(row_of(data, place, "lull_days"))) in first
    coalitions = xr.open_dataset(made.folder / "coalitions.nc", engine="h5netcdf")
    largest = float(np.abs(coalitions["shapley"]).max())
    assert amount(largest, "days") in made.page.brief.causes[0]
    assert f"{data.sizes['draw'] * int(data.attrs['runs'])} pairs" in last
    evidence = made.found.asked.evidence
    assert f"{len(evidence.lost)} of {len(evidence.rows('quantities'))} fitted" in last


def test_what_war_cuts_stands_twice_and_is_ranked_without_war(made: Made) -> None:
    data = made.found.comparison.sel(measure="lull_days")
    rows = [
        row for row in every_table(made.found)["comparison"].records if row["outcome"].startswith("days from 2 Feb")
    ]
    for place, name in enumerate(data["comparison"].values):
        apart, until_war = (row for row in rows if row["scenario"] == name and "resume" in row["outcome"])
        assert (apart["pairs"], until_war["pairs"]) == ("without war", "all, until war")
        assert apart["difference"] == float(data["no_war_difference"][place])
        assert until_war["difference"] == float(data["difference"][place])
        assert (apart["better"], until_war["better"]) == (float(data["better"][place]), None)
        assert apart["difference"] != until_war["difference"]
    note = every_table(made.found)["comparison"].note
    assert "a history with war is worst" in note


def test_other_data_give_another_answer(made: Made) -> None:
    data = made.found.comparison.copy()
    data["no_war_difference"] = data["no_war_difference"] + 7.0
    assert sentences(replace(made.found, comparison=data))[0] != sentences(made.found)[0]


def test_what_is_not_identified_gets_no_value(made: Made) -> None:
    tables = every_table(made.found)
    uncertain = {one["key"] for one in made.found.numbers if one["prior_q05"] is not None}
    assert len(uncertain) > 50
    assert all(row["value"] is None for row in tables["numbers"].records if row["key"] in uncertain)
    rows = made.found.asked.evidence.rows("quantities")
    lost = {one["quantity"] for one in rows if one["verdict"] == NOT}
    assert lost == {row["quantity"] for row in tables["not_identified"].records}
    assert lost.isdisjoint(row["quantity"] for row in tables["identified"].records)
    told = {key for name in ("not_identified", "identified") for key in tables[name].records[0]}
    assert not {key for key in told if "median" in key or "mean" in key}


def test_rival_readings_stand_beside_their_priors(made: Made) -> None:
    rows = every_table(made.found)["rival_readings"].records
    assert len(rows) == 16
    for when in ("prior", "posterior"):
        shares = [row[f"{when}_probability"] for row in rows]
        assert sum(shares) == pytest.approx(1.0)
        assert [row[f"{when}_odds"] or 0.0 for row in rows] == pytest.approx([one / (1.0 - one) for one in shares])


def test_what_cannot_be_said_is_left_out_and_said_to_be(made: Made) -> None:
    asked = replace(made.found.asked, evidence=ParameterEvidence(why="there is no posterior"))
    found = replace(made.found, asked=asked, hanging=[], balance=())
    html = page_of(found, made.request).html
    ids = {one.attributes["id"].removeprefix("table-") for one in read(html).every("table")}
    assert ids.isdisjoint({"not_identified", "identified", "rival_readings", "enough", "prior_balance"})
    assert html.count("Left out: there is no posterior.") == 2
    assert "Left out: it takes 20 draws" in html
    assert "not identified" not in sentences(found)[1]
    assert brief_of(found, "").trust[0] == ("Identified", "nothing: there is no posterior.")


def test_odds_are_spoken() -> None:
    assert (odds(1.0 / 7.0), odds(3.0)) == ("1 : 7", "3 : 1")


def test_levers_are_what_the_scenarios_change(made: Made) -> None:
    changed = {(row["scenario"], row["key"]) for row in every_table(made.found)["levers"].records}
    assert changed == {("no_restraint", "mechanisms.patron_restraint"), ("ill", "patron.control")}
    drawn = {(one["scenario"], one["key"]) for one in made.found.hanging}
    assert ("no_restraint", "patron.control") in drawn
    assert ("ill", "patron.control") not in drawn


def test_the_same_report_twice_is_the_same_to_the_byte(made: Made) -> None:
    assert page_of(made.found, made.request).html == made.page.html
    assert (made.folder / "report.html").read_text(encoding="utf-8") == made.page.html


def test_python_asks_as_the_command_does(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []

    def remembered(one: Asked, progress: object) -> ReportResults:
        asked.append(one)
        return made.found

    monkeypatch.setattr(report_command, "simulate", remembered)
    result = report(
        ["article", "no_restraint"], question="Why?", mechanisms=["fear"], draws=4, runs=3, parameters="prior",
        overrides={"report.share_draws": 2, "calendar.days": 134},
    )  # fmt: skip
    (one,) = asked
    assert (one.settings.question, one.settings.share_draws) == ("Why?", 2)
    assert (one.comparison.plan.draws, one.comparison.plan.runs, one.comparison.source) == (4, 3, "prior")
    assert (one.explaining.game.players, one.explaining.game.draws) == (("fear",), 2)
    assert "calendar.days=134" in result.found.html


# --- two pages and their copies ------------------------------------------------------------------------------


def test_war_and_a_long_lull_are_asked_where_nothing_is(made: Made) -> None:
    data, calendar = made.found.comparison, made.found.asked.config.scenario.calendar
    last = calendar.date_of(calendar.days - 1)
    assert asked_of(data) == [f"war by {last}", f"lull_days >= {calendar.days - calendar.strikes}"]
    for name in ("baseline_value", "scenario_value", "difference"):
        assert list(data[name].sel(measure=f"war by {last}")) == list(data[name].sel(measure="war"))
    assert made.found.asked.outcome == "lull_days"


def test_a_condition_that_is_asked_is_answered_and_explained(made: Made) -> None:
    overrides = ('study.outcomes=["war by 2024-02-20"]', *made.request.overrides)
    asked = prepare(replace(made.request, overrides=overrides))
    assert asked.outcome == "war by 2024-02-20"
    assert asked.prior_driven(asked.outcome)
    assert [one.text for one in asked.conditions] == [asked.outcome]
    assert asked.explaining.game.measured.unit == "probability"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("war by 2024-02-20", "direct war by 20 February 2024"),
        ("lull_days >= 90", "a lull of at least 90 days"),
        ("deaths < 10", "fewer than 10 soldiers killed"),
        ("peak_rung > 3", "the highest rung of more than 3"),
    ],
)
def test_conditions_stand_in_sentences_as_people_say_them(asked: str, words: str) -> None:
    outcomes = outcomes_of(load([override_of("study.outcomes", [asked])]).scenario)
    assert inside(outcomes[asked].title) == words


def test_choices_are_the_numbers_of_the_comparison(made: Made) -> None:
    table, data = made.page.tables["choices"], made.found.comparison
    assert [row["scenario"] for row in table.records] == list(data["scenario"].values)
    for measure in (*asked_of(data), "attacks_until_war", "deaths"):
        one = data.sel(measure=measure)
        assert table.records[0][measure] == float(one["baseline_value"][0])
        for place, row in enumerate(table.records[1:]):
            assert row[measure] == float(one["scenario_value"][place])
            by_draw = one["scenario_value_of_draw"][place]
            ends = [row[f"{measure}: {end}"] for end in ("low", "high")]
            assert ends == pytest.approx(np.quantile(by_draw, [0.05, 0.95]))
            found = row_of(data, place, measure)
            for key, name in (("difference", "difference"), ("difference low", "low"), ("verdict", "verdict")):
                assert row[f"{measure}: {key}"] == found[name]
            cell = table.cells[place + 1][1 + (*asked_of(data), "attacks_until_war", "deaths").index(measure)]
            assert cell.endswith(f"\n{SIGNS[found['verdict']]} {sign_words(found, 'sets')}")
            change = minus(amount(found["difference"], found["unit"], sign=True))
            assert (f"\n{change} (" in cell) == (found["verdict"] != "the same")


def test_verdicts_of_choices_follow_the_differences(made: Made) -> None:
    data = made.found.comparison.copy()
    for firm, said in (("draws_more", "more"), ("draws_less", "less")):
        for name in ("draws_less", "draws_same", "draws_more"):
            data[name] = xr.full_like(made.found.comparison[name], 0.95 if name == firm else 0.025)
        assert row_of(data, 0, asked_of(data)[0])["verdict"] == said


def test_every_number_of_the_answer_stands_in_the_table(made: Made) -> None:
    cells = {cell for row in made.page.tables["choices"].cells for cell in " ".join(row).split()}
    answer = made.page.brief.answer.partition(" given, ")[2] or made.page.brief.answer.partition(" then on, ")[2]
    of_conditions = re.sub(r"by \d+ \w+ \d+|at least \d+ days|90% of the sets|in \S+ of the", "", answer)
    shown = re.findall(r"\d[\d.]*%", of_conditions)
    assert len(shown) >= 2 * 3 * 3
    assert set(shown) <= cells
    assert "99.9%" not in cells
    assert made.page.brief.answer.count(".  ") == 0


def test_the_answer_in_one_sentence_says_the_verdicts(made: Made) -> None:
    data = made.found.comparison.copy()
    rows = {place: row_of(data, place, asked_of(data)[1]) for place in range(data.sizes["comparison"])}
    assert made.page.brief.choice.count(". ") == 0
    for row in rows.values():
        assert f"“{titled(row['scenario'])}”" in made.page.brief.choice
    for sign, verb, share in ((-1, "lowers", "draws_less"), (1, "raises", "draws_more")):
        for name in ("low", "high", "difference"):
            data[name] = abs(made.found.comparison[name]) * sign + 0.1 * sign
        for name in ("draws_less", "draws_same", "draws_more"):
            data[name] = xr.full_like(made.found.comparison[name], 0.97 if name == share else 0.015)
        assert choice_line(data).count(f" {verb} the probability of") == 1  # the same of all choices, in one breath
        assert choice_line(data).count("(in 97% of the parameter sets)") == 1
        assert ("raises" in choice_line(data)) == (verb == "raises")


def test_what_to_watch_is_what_the_verb_learns_from_as_many_histories() -> None:
    request = Request("report", ("scenarios=[article,tight_leash]", "study.draws=40", "study.runs=40"))
    asked = prepare(request)
    assert isinstance(asked.watch, Watch)
    warned, why = learnt(asked.watch)
    assert why == ""
    result = watch("article", runs=1600)
    assert result.config.parameters_from == asked.watch.config.parameters_from == "conditioned"
    assert {event: one.rule for event, one in warned.items()} == {
        event: one.rule for event, one in result.found.items()
    }
    intro, *lines = watch_lines(
        cast(ReportResults, SimpleNamespace(asked=asked, warned=warned, no_warning=why))
    )  # reads nothing else
    assert "This is the model's world" in intro
    assert "1,600 simulated histories" in intro
    for one in warned.values():
        rule = rule_line(one, asked.watch)
        (line,) = (line for line in lines if rule[1:] in line)
        assert f"{percent(one.scores['rule'].precision)} of the days" in line
        (terms,) = (line for line in lines if "logistic" in line and line[:9] == line_of(one)[:9])
        assert all(f"{term.odds_ratio.value:.2g} (" in terms for term in one.model.terms)


def line_of(one: Warned) -> str:
    return EVENTS[one.event].capitalize()


def test_what_cannot_be_learnt_to_watch_is_one_line(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made.page.brief.watch == ("Left out: the calendar ends too soon after the report.",)
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    monkeypatch.setitem(sys.modules, "statsmodels.api", None)
    asked = prepare(Request("report", ("scenarios=[article,tight_leash]", "study.draws=20", "study.runs=4")))
    found = replace(made.found, asked=asked, no_warning=learnt(asked.watch)[1])
    assert watch_lines(found) == ('Left out: the extra for it is not installed: pip install "lull-sim[watch]".',)


def test_what_is_worth_knowing_is_what_the_comparison_says(made: Made) -> None:
    data, name = made.found.comparison, asked_of(made.found.comparison)[0]
    assert data.sizes["draw"] < FEWEST  # so few that nothing is said
    assert "evppi" not in made.page.tables
    assert f"it takes {FEWEST} draws of the parameters or more" in made.page.html
    known = data.copy()
    worth, error = xr.zeros_like(data["evppi"]), xr.full_like(data["evppi"], 0.001)
    known["evppi"], known["evppi_error"] = worth, error
    nothing = brief_of(replace(made.found, comparison=known), "")
    assert nothing.knowing == ""
    assert "no group makes the choice better" in evppi_line(known)
    place = list(known["measure"].values).index(name)
    worth[1, place] = 0.02
    known["regret_expected"] = xr.full_like(data["regret_expected"], 0.05)
    group = str(known["known_text"].values[1])
    some = replace(made.found, comparison=known)
    assert f"Knowing “{group}”" in brief_of(some, "").knowing
    assert (
        "better by 2.0 pts on average (± 0.1 pts; with every parameter known, by 5.0 pts" in brief_of(some, "").knowing
    )
    assert f"“{group}” by 2.0 pts (± 0.1 pts)" in evppi_line(known)
    (row,) = (row for row in every_table(some)["evppi"].records if row["evppi"] is not None)
    assert (row["known_text"], row["outcome"]) == (group, short(known, name))
    worth[1, place] = 0.0025  # beyond twice its error, and not clearly
    assert brief_of(some, "").knowing == ""
    assert group in evppi_line(known)


def test_measurement_is_apart_from_causes(made: Made) -> None:
    first, *others = made.found.attribution.shares
    shares = (replace(first, mechanism="observation"), *others)
    told = brief_of(replace(made.found, attribution=replace(made.found.attribution, shares=shares)), "").causes
    assert "unacknowledged" not in told[0]
    assert told[1].startswith("Measurement, not a cause: “some attacks go unacknowledged”")
    assert len(made.page.brief.causes) == 1


def test_word_and_excel_hold_the_same(made: Made, tmp_path: Path) -> None:
    docx, openpyxl = pytest.importorskip("docx"), pytest.importorskip("openpyxl")
    for name in ("one", "other"):
        write_document(made.page, tmp_path / f"{name}.docx")
        write_workbook(made.page.tables.values(), tmp_path / f"{name}.xlsx")
    for ending in ("docx", "xlsx"):
        assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"other.{ending}").read_bytes()
    document = docx.Document(tmp_path / "one.docx")
    text = [one.text for one in document.paragraphs]
    brief = made.page.brief
    assert {brief.question, brief.choice, brief.answer, *brief.watch, brief.cite} <= set(text)
    assert len(document.tables) == len(made.page.tables) - 1
    pictures = {one.blob for one in document.part.package.image_parts}
    drawn = {rendered(made.page.pictures[name].figure, "png") for name in ("choices", "why", "comparison")}
    assert drawn <= pictures
    book = openpyxl.load_workbook(tmp_path / "one.xlsx")
    assert book.sheetnames == list(made.page.tables)
    for name, table in made.page.tables.items():
        _, *rows = book[name].iter_rows(values_only=True)
        assert len(rows) == len(table.rows)
    found = [value for value in next(book["choices"].iter_rows(min_row=2, values_only=True)) if value is not None]
    wanted = [value for value in made.page.tables["choices"].records[0].values() if value not in (None, "")]
    assert found[0] == made.page.tables["choices"].cells[0][0] == f"{titled(wanted[0])}, simulated from 29 Jan 2024"
    assert not [head for head in next(book["choices"].iter_rows(max_row=1, values_only=True)) if ">=" in str(head)]
    assert found[1:] == pytest.approx(wanted[1:])


def test_a_missing_package_is_said_before_anything_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "docx", None)
    assert cli.main(["report", "scenarios=[article,no_restraint]", *SMALL, "report.docx=true"]) == 2
    assert 'pip install "lull-sim[word]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    required("json", "xlsx", "excel")


# --- time ---------------------------------------------------------------------------------------------------

LONGEST_RATIO = 1.5
FOURTEEN = ",".join(MECHANISM_NAMES[:14])
"""Mechanisms of a report that has half of the histories of one with its defaults."""


def ratio_of(line: str) -> float:
    """How many times as long as its simulations a report took, by the numbers of its last line."""
    simulations, whole = (float(one.replace(",", "")) for one in re.findall(r"([\d,]+) s", line))
    return whole / simulations


def test_the_last_line_says_what_simulations_took_and_the_whole() -> None:
    assert time_line(812.4, 1010.0) == "Simulations 812 s, all 1,010 s: 1.24 times as long."
    assert time_line(0.0, 12.0) == "Simulations 0 s, all 12 s."
    assert ratio_of(time_line(812.4, 1010.0)) == pytest.approx(1.24, abs=0.01)
    assert ratio_of(time_line(100.0, 200.0)) > LONGEST_RATIO  # a report that takes longer does not pass


def test_the_watch_counts_what_the_engine_takes_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*given: Any) -> Any:
        time.sleep(0.2)
        return run_batch(*given)

    monkeypatch.setattr(runner, "run_batch", slow)
    experiment, watch = ensemble(load(["study.runs=2"])), Stopwatch()
    experiment.simulate()
    assert watch.seconds == 0.0  # it does not run
    with watch.running():
        time.sleep(0.3)
        before = time.perf_counter()
        experiment.simulate()
        most = time.perf_counter() - before
    experiment.simulate()
    assert 0.2 <= watch.seconds <= most


@pytest.mark.long
def test_a_report_takes_at_most_half_as_long_again_as_its_simulations(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "sim.cli", "report", "scenarios=[article,no_us_strikes,no_restraint]",
        f"report.mechanisms=[{FOURTEEN}]", "output.dir=made",
    ]  # fmt: skip
    began = time.perf_counter()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    lines = done.stdout.splitlines()
    assert re.match(r"8\.6 million histories; about ", lines[0])
    assert lines[-1].startswith("Simulations ")
    (whole,) = re.findall(r"all ([\d,]+) s", lines[-1])
    assert float(whole.replace(",", "")) == pytest.approx(seconds, rel=0.15)  # which also starts Python
    assert ratio_of(lines[-1]) <= LONGEST_RATIO


# --- figures ------------------------------------------------------------------------------------------------


def test_the_small_figures_draw_what_was_found(made: Made) -> None:
    data = made.found.comparison
    for narrow in (False, True):
        for axes, name in zip(choices_figure(data, narrow).axes, asked_of(data), strict=True):
            dots = [float(np.asarray(line.get_xdata())[0]) for line in axes.lines if line.get_marker() == "o"]
            one = data.sel(measure=name)
            assert dots == [100 * float(one["baseline_value"][0]), *(100 * one["scenario_value"].values)]
    (axes,) = shares_figure(made.found.shares).axes
    bars = sorted(float(one.get_width()) for one in axes.patches)  # type: ignore[attr-defined]
    assert bars == sorted(made.found.shares["shapley"].values)
    colours = {to_hex(one.get_facecolor()).upper() for one in axes.patches}
    assert colours <= {BLUE, ORANGE}


# --- what users get wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scenarios=[article,no_restraint]", "report.outcome=peace"], "report.outcome = peace: allowed"),
        (["scenarios=[article,no_restraint]", "report.pdf=maybe"], "report.pdf = maybe: allowed true or false"),
        (["scenarios=[article,no_restraint]", "report.colour=red"], "report.colour = red: allowed"),
        (["scenarios=[article,no_restraint]", "report.share_runs=0"], "report.share_runs = 0: allowed a whole number"),
        (["scenarios=[article,no_restraint]", "report.question= "], "report.question = : allowed a question"),
        (["scenarios=[article,no_restraint]", "report.mechanisms=[hope]"], "report.mechanisms = hope: allowed"),
        (["scenarios=[article]"], "scenarios = [article]: allowed 2 to"),
        (["scenarios=[article,no_restraint]", "compare.departures=own"], "compare.departures = own: allowed common"),
        (["scenarios=[article,no_restraint]", "compare.loss=9"], "compare.loss = 9: allowed"),
        (["parameters=guesses"], "parameters = guesses"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_paper_without_a_browser_is_told_before_anything_is_lived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report_page, "BROWSERS", ("no-such-browser",))
    assert cli.main(["report", "scenarios=[article,no_restraint]", *SMALL, "report.pdf=true"]) == 2
    assert capsys.readouterr().err.startswith("lull: report.pdf = true: allowed false here")
    assert list(tmp_path.iterdir()) == []
