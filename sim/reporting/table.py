"""One value for every table: columns and rows, rendered for terminal, CSV, HTML, Markdown, Excel and JSON."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from itertools import groupby
from operator import add
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table as Grid
from rich.text import Text

from sim.experiment.io import csv_text, defused, undate
from sim.model.validation import UserError
from sim.reporting.terminal import WIDEST

Row = Any
"""A mapping from keys to values, or an object whose attributes they are."""

_INSIDE_KEY: Final = re.compile(r"(?<=[^\W\d][._/=;@,])(?=\w)")
"""Where a key such as `patron.alarm_threshold` may be broken: between its words."""

LEAST_OF_KEY: Final = 24
"""Columns of a terminal that a long key keeps: a table that has no room for them becomes a list of records."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        key: key of its value in a row, and its name in files.
        title: its heading.
        unit: unit of its values; stands behind the heading.
        format: how a value becomes text: a format specification such as `+.1f`, or a function of the row.
        keys: the keys that files hold in place of `key`, where a cell puts several values together.
        number: whether cells are aligned to the right; by default those with a format specification are.
        style: look of a cell in the terminal, as Rich names it, or a function of the row.
    """

    key: str
    title: str
    unit: str = ""
    format: str | Callable[[Row], str] = ""
    keys: tuple[str, ...] = ()
    number: bool | None = None
    style: str | Callable[[Row], str] = ""

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def right(self) -> bool:
        """Whether cells are aligned to the right."""
        return isinstance(self.format, str) and self.format != "" if self.number is None else self.number

    @property
    def stored(self) -> tuple[str, ...]:
        """The keys that files hold."""
        return self.keys or (self.key,)

    def text(self, row: Row) -> str:
        """The cell of a row; None is an empty cell."""
        if callable(self.format):
            return self.format(row)
        value = value_of(row, self.key)
        return "" if value is None else format(value, self.format)

    def look(self, row: Row) -> str:
        """The look of a cell in the terminal."""
        return self.style(row) if callable(self.style) else self.style


def numeric(key: str, title: str, cell: Callable[[Row], str], *keys: str) -> Column:
    """A column aligned to the right whose cells a function of the row writes; `keys` are more values behind them."""
    return Column(key, title, "", cell, (key, *keys), number=True)


def written(key: str, title: str, write: Callable[[Any], str], *keys: str) -> Column:
    """The same where the cell is one value, which a function writes."""
    return numeric(key, title, lambda row: write(value_of(row, key)), *keys)


def value_of(row: Row, key: str) -> Any:
    """The value of a row, which is a mapping or an object."""
    return row[key] if isinstance(row, Mapping) else getattr(row, key)


@dataclass(frozen=True)
class Table:
    """A table: title, columns, rows, and a note below it.

    `name` is what its file and its element in a page are called. In a grouped table, neighbouring rows with the same
    first cell share it. On a narrow page the rows of a stacked table become lists of heading and value.
    """

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    note: str = ""
    name: str = ""
    grouped: bool = False
    stacked: bool = False

    @classmethod
    def of_texts(cls, heads: Sequence[str], rows: Iterable[Sequence[str]], title: str = "", note: str = "") -> "Table":
        """A table of texts without keys."""
        columns = tuple(Column(str(place), head) for place, head in enumerate(heads))
        return cls(title, columns, [{str(place): cell for place, cell in enumerate(row)} for row in rows], note)

    @property
    def file(self) -> str:
        """The CSV file that holds the same."""
        return f"{self.name}.csv"

    @property
    def cells(self) -> list[list[str]]:
        """The text of every cell, row by row."""
        return [[column.text(row) for column in self.columns] for row in self.rows]

    @property
    def groups(self) -> list[list[list[str]]]:
        """The same in groups: rows that share their first cell, or each row for itself."""
        if not self.grouped:
            return [[row] for row in self.cells]
        return [list(rows) for _, rows in groupby(self.cells, key=lambda row: row[0])]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The values behind the cells: every key once, in the order of the columns."""
        keys = dict.fromkeys(key for column in self.columns for key in column.stored)
        return [{key: value_of(row, key) for key in keys} for row in self.rows]

    # --- terminal -----------------------------------------------------------------------------------------------

    def to_terminal(self, width: int = WIDEST) -> str:
        """The table as plain text of at most so many columns; as a list of records where it cannot be that narrow."""
        file = StringIO()
        Console(file=file, width=width, color_system=None, highlight=False).print(self)
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print the table in the width that there is."""
        yield self._rich(options.max_width)

    def _rich(self, width: int) -> RenderableType:
        cells = [
            row if not place else ["", *row[1:]] for group in self.groups for place, row in enumerate(group)
        ]  # fmt: skip
        sizes = column_widths(self.columns, cells, width - 2 * len(self.columns))
        if sizes is None:
            return self._as_records(width)
        wrapped = [[wrap(cell, size) for cell, size in zip(row, sizes, strict=True)] for row in cells]
        tall = sum(max(map(len, row)) for row in wrapped) > 2 * len(wrapped)
        grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), leading=int(tall))
        for column, size in zip(self.columns, sizes, strict=True):
            head = Text("\n".join(wrap(column.heading, size)))
            grid.add_column(head, justify="right" if column.right else "left", width=size, no_wrap=True)
        for row, texts in zip(self.rows, wrapped, strict=True):
            looks = (column.look(row) for column in self.columns)
            grid.add_row(*(Text("\n".join(text), style=look) for text, look in zip(texts, looks, strict=True)))
        # Not of the grid: a title or a note as narrow as a narrow table would be broken a second time.
        title, note = (Text("\n".join(wrap(text, width))) for text in (self.title, self.note))
        title.stylize("bold")
        note.stylize("dim italic")
        return Group(*([title] if self.title else []), grid, *([note] if self.note else []))

    def _as_records(self, width: int) -> Text:
        """Every row as lines of heading and value, the first cell on top."""
        text = Text("\n".join(wrap(self.title, width)), style="bold")
        for row, (first, *others) in zip(self.rows, self.cells, strict=True):
            text.append("\n\n" + "\n".join(wrap(first, width)))
            for column, cell in zip(self.columns[1:], others, strict=True):
                if cell:
                    lines = "\n    ".join(wrap(f"{column.heading}: {cell}" if column.title else cell, width - 4))
                    text.append(f"\n  {lines}", column.look(row) or "not bold")
        return text.append("\n\n" + "\n".join(wrap(self.note, width)) if self.note else "\n", "not bold italic")

    # --- files --------------------------------------------------------------------------------------------------

    def to_csv(self, path: Path | str | None = None) -> str:
        """The values as CSV, also written to a path; texts that a spreadsheet would take for formulas are defused."""
        text = csv_text(self.records)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        return text

    def to_json(self) -> str:
        """Title, columns with units, and values, as JSON; what is NaN or infinite is null there."""
        columns = [
            {"key": key, "title": column.title, "unit": column.unit} for column in self.columns for key in column.stored
        ]
        rows = [
            {key: None if isinstance(one, float) and not math.isfinite(one) else one for key, one in row.items()}
            for row in self.records
        ]
        content = {"title": self.title, "columns": columns, "rows": rows, "note": self.note}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n"

    def to_xlsx(self, path: Path | str) -> None:
        """One sheet of an Excel file: values with their number formats below titles and units.

        Raises:
            UserError: the optional package that writes Excel files is missing.
        """
        write_workbook([self], path)

    # --- documents ----------------------------------------------------------------------------------------------

    def to_markdown(self) -> str:
        r"""The table in Markdown, title above and note below; cells may hold Markdown of their own.

        >>> print(Table.of_texts(("a", "b"), [("1", "2 | 3")]).to_markdown())
        | a | b |
        |---|---|
        | 1 | 2 \| 3 |
        """
        marks = "|".join("--:" if column.right else "---" for column in self.columns)
        heads = [column.heading for column in self.columns]
        rows = [[cell.replace("|", r"\|").replace("\n", "<br>") for cell in row] for row in (heads, *self.cells)]
        first, *lines = [f"| {' | '.join(row)} |" for row in rows]
        table = "\n".join([first, f"|{marks}|", *lines])
        return "\n\n".join(part for part in (self.title and f"**{self.title}**", table, self.note) if part)

    def to_html(self) -> str:
        """The table as an element of a page; all text is escaped."""
        named = f' id="table-{escape(self.name)}" data-file="{escape(self.file)}"' if self.name else ""
        named += ' class="stacked"' if self.stacked else ""
        caption = f' id="caption-{escape(self.name)}"' if self.name else ""
        looks = [' class="number"' if column.right else "" for column in self.columns]
        labels = [f' data-label="{escape(one.heading)}"' if self.stacked else "" for one in self.columns]
        heads = "".join(
            f'<th scope="col"{look}>{escape(column.heading)}</th>'
            for column, look in zip(self.columns, looks, strict=True)
        )
        bodies = ["\n".join(_html_group(group, list(map(add, looks, labels)))) for group in self.groups]
        body = "\n</tbody>\n<tbody>\n".join(bodies) if self.grouped else "\n".join(bodies)
        return (
            f"<table{named}>\n<caption{caption}><span>{escape(self.title)}</span></caption>\n"
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
        )


def _html_group(group: list[list[str]], looks: list[str]) -> Iterable[str]:
    """The rows of a group; its first cell stands for all of them."""
    scope = f'"rowgroup" rowspan="{len(group)}"' if len(group) > 1 else '"row"'
    for place, (first, *others) in enumerate(group):
        head = "" if place else f"<th scope={scope}>{_INSIDE_KEY.sub('<wbr>', escape(first))}</th>"
        cells = (f"<td{look}>{escape(cell)}</td>" for cell, look in zip(others, looks[1:], strict=True))
        yield f"<tr>{head}{''.join(cells)}</tr>"


def write_workbook(tables: Iterable[Table], path: Path | str) -> None:
    """Tables as the sheets of one Excel file: values with their number formats below titles and units, texts as shown.

    Raises:
        UserError: the optional package that writes Excel files is missing.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font
    except ImportError:
        raise UserError("excel", str(path), 'the extra "excel": pip install "lull-sim[excel]"') from None
    book = Workbook()
    book.remove(book.active)
    for table in tables:
        sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", table.name or table.title)[:31] or "table")
        stored = [(column, key) for column in table.columns for key in column.stored]
        sheet.append([defused(excel_head(column, key)) for column, key in stored])
        for row in table.rows:
            sheet.append([
                excel_value(value_of(row, key) if column.right or len(column.stored) > 1 else column.text(row))
                for column, key in stored
            ])  # fmt: skip
        for place, (column, _) in enumerate(stored, 1):
            for cell in next(sheet.iter_cols(place, place, 2)) if table.rows else ():
                cell.number_format = excel_format(column.format)
        for cell in sheet[1]:
            cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
            sheet.column_dimensions[cell.column_letter].width = EXCEL_WIDTH
        sheet.freeze_panes = "A2"
    book.save(path)
    undate(Path(path))


EXCEL_WIDTH: Final = 24
"""Width in signs of a column of a sheet."""


def excel_head(column: Column, key: str) -> str:
    """The heading of a column of a sheet: that of the table, and which of the values behind a cell it holds.

    >>> column = Column("war", "War", keys=("war", "war: low"))
    >>> [excel_head(column, key) for key in column.stored]
    ['War', 'War: low']
    """
    base = f"{column.key}: "
    if len(column.stored) == 1 or (key == column.key and column.stored[1].startswith(base)):
        return column.heading
    return f"{column.heading}: {key.removeprefix(base).replace('_', ' ')}"


# --- widths -------------------------------------------------------------------------------------------------


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most so many columns, broken at blanks, then between the words of a key, inside words at last.

    >>> wrap("see patron.alarm_threshold", 13)
    ['see patron.', 'alarm_', 'threshold']
    """
    lines = []
    for paragraph in text.split("\n"):
        line = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
        for word in paragraph.split():
            parts = [word] if len(word) <= width else _INSIDE_KEY.split(word)
            pieces = [part[at : at + width] for part in parts for at in range(0, len(part), max(1, width))]
            for place, piece in enumerate(pieces):
                gap = " " if line.strip() and not place else ""
                if line.strip() and len(line) + len(gap) + len(piece) > width:
                    lines.append(line)
                    line, gap = "", ""
                line += gap + piece
        lines.append(line)
    return lines


def column_widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Widths that fill at most the room: the widest columns give way first, columns of numbers last.

    None where keys would have to be broken into short pieces.
    """
    texts = [[row[place] for row in cells] for place in range(len(columns))]
    lines = [_longest(one, str.splitlines) for one in texts]
    words, parts = (
        [_longest([*one, column.heading], split) for column, one in zip(columns, texts, strict=True)]
        for split in (str.split, _parts)
    )
    unbroken = [max(line, word) if one.right else word for one, line, word in zip(columns, lines, words, strict=True)]
    broken = [max(part, min(word, LEAST_OF_KEY)) for word, part in zip(words, parts, strict=True)]
    for least in (unbroken, words, broken):
        if sum(least) <= room:
            sizes = [max(len(one.heading), *pair) for one, *pair in zip(columns, lines, least, strict=True)]
            while sum(sizes) > room:
                giving = [place for place, size in enumerate(sizes) if size > least[place]]
                sizes[max(giving, key=sizes.__getitem__)] -= 1
            return sizes
    return None


def _parts(text: str) -> list[str]:
    return [part for word in text.split() for part in _INSIDE_KEY.split(word)]


def _longest(texts: Iterable[str], split: Callable[[str], list[str]]) -> int:
    return max((len(part) for text in texts for part in split(text)), default=0)


# --- values in files ----------------------------------------------------------------------------------------


def excel_value(value: Any) -> Any:
    """A value as a cell of Excel can hold it; Excel knows no infinity, so that becomes text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if value is None or isinstance(value, bool | int | float) else defused(str(value))


def excel_format(pattern: str | Callable[[Row], str]) -> str:
    """The number format of Excel for a format specification.

    >>> excel_format(".1%"), excel_format("+.1f"), excel_format(",.0f"), excel_format(".3g")
    ('0.0%', '+0.0;-0.0;0.0', '#,##0', 'General')
    """
    found = None if callable(pattern) else re.fullmatch(r"(\+?)z?(,?)\.(\d)([f%])", pattern)
    if found is None:
        return "General"
    sign, group, places, kind = found.groups()
    plain = ("#,##0" if group else "0") + ("." + "0" * int(places) if int(places) else "") + kind.replace("f", "")
    return f"+{plain};-{plain};{plain}" if sign else plain
