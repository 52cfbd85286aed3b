"""Tables: every number in its place, 100 columns, plain text away from a terminal."""

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from sim.analysis.pattern_tests import Verdict
from sim.analysis.summary import Statistic
from sim.model.facts import load_facts
from sim.model.parameters import shared_declarations
from sim.model.scenario import load, parameter_rows, scenario_names, titled
from sim.reporting import terminal
from sim.reporting.tables import (
    exceedance_line,
    fact_table,
    outcome_table,
    parameter_table,
    pattern_table,
    scenario_table,
)
from sim.reporting.terminal import WIDEST, show
from sim.reporting.text import percent

CONFIG = load()
CALENDAR = CONFIG.scenario.calendar

COUNT = Statistic("n", "attacks counted", "attacks", 166.557, 166.0, 147.0, 158.0, 175.0, 187.0, 0.0866, "mean", False)
DEATHS = Statistic(
    "deaths", "soldiers killed", "soldiers", None, 3.0, 3.0, 3.0, 4.0, 8.0, 0.5, "median", False,
    exceedance={"3": 1.0, "10": 0.0312, "50": 0.0001},
)  # fmt: skip
RELEASE = Statistic(
    "release_day", "order lifted", "day", None, 190.0, 148.0, 165.0, 230.0, None, 1.0, "median", True, never=0.062
)
LULL = Statistic(
    "lull_days", "days of calm", "days", 35.0, 34.0, 12.0, 25.0, 44.0, 62.0, 0.1, "mean", True, censored=0.03
)
WAR = Statistic("war_day", "war", "day", None, None, None, None, None, None, None, "median", True, never=0.97)

VERDICT = Verdict("P2", "nothing in [brackets]", "fitted", "article", "none (F02)", "none in 87%", "at least 50%", True)


def printed(table: object, capsys: pytest.CaptureFixture[str]) -> str:
    """A table as it arrives in a file or a pipe."""
    show(table)  # type: ignore[arg-type]
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= WIDEST
    return text


def row(text: str, word: str) -> list[str]:
    """The first line that holds a word, in cells."""
    line = next(line for line in text.splitlines() if word in line)
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_outcomes_in_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(outcome_table([COUNT, DEATHS, LULL], CALENDAR), capsys)
    assert row(text, "Attacks counted") == [
        "Attacks counted",
        "attacks",
        "166",
        "158–175",
        "147–187",
        "166.557 ± 0.087",
    ]
    assert row(text, "Soldiers killed") == ["Soldiers killed", "soldiers", "3", "3–4", "3–8", "median ± 0.5"]
    assert row(text, "Days until")[0].startswith("Days until attacks resume*; censored in")
    assert "35.00 ± 0.10" in text


def test_days_are_dates_and_never_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(outcome_table([RELEASE, WAR], CALENDAR), capsys)
    assert row(text, "24 Apr")[1:] == ["date", "24 Apr", "30 Mar–3 Jun", "13 Mar–never", "median ± 1"]
    assert "Release of the order*; never in 6.2%" in " ".join(text.split())
    assert row(text, "never in 97%")[1:] == ["date", "never", "never", "never", "unknown"]
    longer = printed(outcome_table([RELEASE], replace(CALENDAR, days=700)), capsys)
    assert "24 Apr 24" in longer


def test_what_is_assumed_is_marked_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(outcome_table([COUNT, DEATHS, LULL, RELEASE], CALENDAR), capsys)
    assert text.count("*") == 2


def test_a_heavy_tail_in_words() -> None:
    assert exceedance_line([COUNT, DEATHS]) == (
        "Soldiers killed, at least: 3 in 100%, 10 in 3.1%, 50 in under 0.1% of the histories."
    )
    assert exceedance_line([COUNT]) == ""
    assert percent(0.0) == "0%"


def test_patterns_with_their_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    words = "P2 nothing in [brackets] fitted none (F02) none in 87% at least 50%"
    for holds, verdict in ((True, "holds"), (False, "FAILS"), (None, "–")):
        text = printed(pattern_table([replace(VERDICT, holds=holds)]), capsys)
        assert f"{words} – {verdict}" in " ".join(text.split())
        assert ("measured, not judged" in text) == (holds is None)


def test_every_parameter_with_value_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    rows = parameter_rows(load(["patron.control=0.31"]).scenario)
    text = printed(parameter_table(rows), capsys)
    keys = {one.key for one in rows}
    assert set(shared_declarations()) < keys
    cast = CONFIG.scenario.cast
    assert len(keys) == len(rows) == len(shared_declarations()) + 2 * len(cast.theatres) + 3 * len(cast.wings)
    assert [key for key in keys if key not in text] == []
    assert row(text, "patron.control")[:2] == ["patron.control", "0.31"]
    assert "F13, F15: broad directions only" in str(parameter_table(rows).cells)
    sourced = {one.key: (one.provenance, one.source) for one in rows}
    assert sourced["theatre.gaza.supply"][0] == "assumed"
    assert sourced["militia.nujaba_iraq.autonomy"][0] == "expert"


def test_scenarios_and_facts(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(scenario_table(scenario_names()), capsys)
    assert row(text, "tight_leash")[:3] == ["Tight leash", "tight_leash", "2024-01-29"]
    assert row(text, "no_order")[2] == "start"
    assert row(text, "long_horizon")[2] == "never"
    facts = load_facts()
    text = printed(fact_table(facts), capsys)
    assert [fact.id for fact in facts if f" {fact.id} " not in text] == []
    words = " ".join(text.split())
    linked = {link for fact in facts for links in fact.modelled_by.values() for link in links}
    assert [link for link in linked if link not in words] == []


@pytest.mark.parametrize("width", [60, 100, 200])
def test_a_terminal_gets_colours_and_no_more_columns_than_it_has(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=width, color_system="standard")
    monkeypatch.setattr(terminal, "Console", lambda **_: console)
    show(pattern_table([VERDICT]))
    assert re.search(r"\x1b\[(1;)?32m\s*(Verdict: )?holds", file.getvalue())
    assert console.width == min(width, WIDEST)


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress(10, "histories") as advance, terminal.waiting("judging"):
        advance(10)
    assert capsys.readouterr() == ("", "")


def test_every_scenario_has_a_title_of_its_own_which_is_no_part_of_the_configuration() -> None:
    cards = scenario_names()
    assert len({card.title for card in cards}) == len(cards)
    assert all("_" not in card.title and card.title[0].isupper() for card in cards)
    assert load(["scenario=no_us_strikes"]).scenario.title == "No US strikes"
    assert "title" not in CONFIG.tree["scenario"]
    assert titled("no_us_strikes;patron.control=0.9") == "No US strikes; patron.control=0.9"
    assert titled("of_my_own") == "Of my own"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_key_of_a_parameter_breaks_inside_a_word(width: int) -> None:
    rows = parameter_rows(CONFIG.scenario)
    lines = parameter_table(rows).to_terminal(width).splitlines()
    assert max(map(len, lines)) <= width
    keys = [one.key for one in rows]
    edge = lines[2].index("Value") if "Value" in lines[2] else width
    pieces = [line[:edge].strip() for line in lines]
    assert [key for key in keys if key not in "".join(pieces)] == []
    begun = [piece for piece in pieces if piece and any(key != piece and key.startswith(piece) for key in keys)]
    assert [piece for piece in begun if piece not in keys and piece[-1] not in "._"] == []
