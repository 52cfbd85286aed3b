"""The table: every renderer, what it escapes and defuses, its widths, units and formats."""

import csv
import io
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from sim.model.validation import UserError
from sim.reporting.table import Column, Table, column_widths, numeric, wrap, written

ROWS = [
    {"key": "patron.alarm_threshold", "text": "war | risk <b>", "value": 0.5, "low": -1.25, "high": 2.0, "why": "=1+1"},
    {"key": "patron.control", "text": "hold over\nits proxies", "value": None, "low": 0.0, "high": 1.0, "why": "-0.5"},
]
TABLE = Table(
    "What differs",
    (
        Column("key", "Key"),
        Column("text", "Meaning", style="bold red"),
        Column("value", "Value", unit="days", format="+.1f"),
        numeric("low", "Interval", lambda row: f"{row['low']:g} to {row['high']:g}", "high"),
        Column("why", "Why"),
    ),
    ROWS,
    note="A note.",
    name="differences",
)


@dataclass(frozen=True)
class Thing:
    """A row that is an object."""

    name: str
    size: int


def test_cells_are_written_by_formats_and_functions() -> None:
    assert TABLE.cells[0] == ["patron.alarm_threshold", "war | risk <b>", "+0.5", "-1.25 to 2", "=1+1"]
    assert TABLE.cells[1][2] == ""
    assert [column.right for column in TABLE.columns] == [False, False, True, True, False]
    assert TABLE.columns[2].heading == "Value (days)"
    things = Table("", (Column("name", "Name"), written("size", "Size", str)), [Thing("a", 3)])
    assert things.cells == [["a", "3"]]
    assert things.records == [{"name": "a", "size": 3}]


def test_the_terminal_gets_title_heads_units_cells_and_note() -> None:
    lines = TABLE.to_terminal(100).splitlines()
    assert lines[0] == "What differs"
    assert lines[-1] == "A note."
    assert re.split(r"\s{2,}", lines[2].strip()) == ["Key", "Meaning", "Value (days)", "Interval", "Why"]
    assert re.split(r"\s{2,}", lines[4].strip()) == [
        "patron.alarm_threshold", "war | risk <b>", "+0.5", "-1.25 to 2", "=1+1",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100])
def test_no_line_is_wider_than_asked_and_no_key_breaks_inside_a_word(width: int) -> None:
    text = TABLE.to_terminal(width)
    assert max(map(len, text.splitlines())) <= width
    assert "patron.alarm_threshold" in text
    assert "patron.control" in text
    assert "+0.5" in text


def test_what_is_too_narrow_for_columns_becomes_a_list_of_records() -> None:
    lines = [line.strip() for line in TABLE.to_terminal(30).splitlines()]
    assert "Value (days): +0.5" in lines
    assert "Interval: -1.25 to 2" in lines


def test_a_cell_that_looks_like_markup_of_the_terminal_stays_text() -> None:
    assert "[bold]x[/]" in Table.of_texts(("a",), [("[bold]x[/]",)]).to_terminal()


def test_looks_reach_a_terminal_with_colours() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system="standard")
    console.print(TABLE)
    assert "\x1b[1;31m" in console.file.getvalue()  # type: ignore[attr-defined]


def test_numbers_give_way_last() -> None:
    columns = (Column("text", "Text"), Column("value", "Value", format=".1f"))
    cells = [["many words in a long sentence", "1 to 2"]]
    assert column_widths(columns, cells, 20) == [14, 6]
    assert column_widths(columns, cells, 100) == [29, 6]
    assert column_widths(columns, cells, 5) is None


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("two words", 20, ["two words"]),
        ("two words", 5, ["two", "words"]),
        ("patron.alarm_threshold", 14, ["patron.alarm_", "threshold"]),
        ("0.123456 and", 8, ["0.123456", "and"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("one\ntwo", 9, ["one", "two"]),
        ("  indented text", 10, ["  indented", "text"]),
        ("", 5, [""]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


def test_csv_holds_values_by_key_and_no_formula(tmp_path: Path) -> None:
    text = TABLE.to_csv(tmp_path / "table.csv")
    assert TABLE.to_csv(str(tmp_path / "named.csv")) == text
    for name in ("table.csv", "named.csv"):
        assert (tmp_path / name).read_bytes() == text.encode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["key", "text", "value", "low", "high", "why"]
    assert (rows[0]["low"], rows[0]["why"], rows[1]["why"], rows[1]["value"]) == ("-1.25", "'=1+1", "-0.5", "")


@pytest.mark.parametrize("cell", ["=1", "+a", "-b", "@c", "\tx"])
def test_every_beginning_of_a_formula_is_defused(cell: str) -> None:
    text = Table.of_texts(("a",), [(cell,)]).to_csv()
    assert next(csv.reader(io.StringIO(text.partition("\n")[2]))) == [f"'{cell}"]


def test_markdown_escapes_bars_and_breaks() -> None:
    assert TABLE.to_markdown().splitlines() == [
        "**What differs**", "",
        "| Key | Meaning | Value (days) | Interval | Why |",
        "|---|---|--:|--:|---|",
        "| patron.alarm_threshold | war \\| risk <b> | +0.5 | -1.25 to 2 | =1+1 |",
        "| patron.control | hold over<br>its proxies |  | 0 to 1 | -0.5 |", "",
        "A note.",
    ]  # fmt: skip


def test_html_is_escaped_and_keys_may_break_between_words() -> None:
    html = TABLE.to_html()
    assert '<table id="table-differences" data-file="differences.csv">' in html
    assert '<caption id="caption-differences"><span>What differs</span></caption>' in html
    assert '<th scope="row">patron.<wbr>alarm_<wbr>threshold</th><td>war | risk &lt;b&gt;</td>' in html
    assert '<th scope="col" class="number">Value (days)</th>' in html
    assert "<b>" not in html


def test_rows_of_a_group_share_their_first_cell() -> None:
    table = Table("", (Column("a", "A"), Column("b", "B")), [{"a": "x", "b": n} for n in (1, 2)], grouped=True)
    assert '<th scope="rowgroup" rowspan="2">x</th><td>1</td>' in table.to_html()
    assert "<tr><td>2</td></tr>" in table.to_html()
    assert table.to_terminal().count("x") == 1
    assert [row["a"] for row in table.records] == ["x", "x"]


def test_json_has_columns_with_units_and_null_for_what_is_no_number() -> None:
    rows = [{"a": float("nan"), "b": 2.0}, {"a": float("inf"), "b": -1.0}]
    table = Table("T", (Column("a", "A", unit="days"), Column("b", "B")), rows)
    content = json.loads(table.to_json())
    assert content["columns"][0] == {"key": "a", "title": "A", "unit": "days"}
    assert content["rows"] == [{"a": None, "b": 2.0}, {"a": None, "b": -1.0}]


def test_excel_has_numbers_formats_units_and_no_formula(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    TABLE.to_xlsx(tmp_path / "table.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "table.xlsx").active
    heads, first, second = sheet.iter_rows()
    assert [cell.value for cell in heads] == [
        "Key",
        "Meaning",
        "Value (days)",
        "Interval: low",
        "Interval: high",
        "Why",
    ]
    assert [cell.value for cell in first] == ["patron.alarm_threshold", "war | risk <b>", 0.5, -1.25, 2, "'=1+1"]
    assert first[2].number_format == "+0.0;-0.0;0.0"
    assert {cell.data_type for row in (first, second) for cell in row} <= {"s", "n"}
    assert second[2].value is None
    assert second[5].value == "-0.5"


def test_excel_without_its_package_is_one_line_that_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UserError, match=r'the extra "excel"') as caught:
        TABLE.to_xlsx(tmp_path / "table.xlsx")
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "table.xlsx").exists()
