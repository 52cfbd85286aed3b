"""Tables of the report: the same rows as HTML, in words, and as CSV, in numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: its head, what it says of a row, and the numbers or texts behind that by their names in the CSV."""

    head: str
    keys: tuple[str, ...]
    words: Callable[[Row], str]
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption, what stands beneath it, and the name of its CSV file.

    In a grouped one neighbouring rows of one subject share their first cell.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    note: str = ""
    grouped: bool = False

    @property
    def file(self) -> str:
        """The file that holds the same."""
        return f"{self.id}.csv"

    @property
    def cells(self) -> list[list[str]]:
        """What is shown: one list of texts for each row."""
        return [[column.words(row) for column in self.columns] for row in self.rows]

    @property
    def groups(self) -> list[list[list[str]]]:
        """The same in groups: rows that share their first cell, or each row for itself."""
        if not self.grouped:
            return [[row] for row in self.cells]
        return [list(rows) for _, rows in groupby(self.cells, key=lambda row: row[0])]

    @property
    def records(self) -> list[dict[str, Any]]:
        """What goes into the CSV: every key once, in the order of the columns."""
        keys = dict.fromkeys(key for column in self.columns for key in column.keys)
        return [{key: row[key] for key in keys} for row in self.rows]


def text(head: str, key: str) -> Column:
    """A column of texts that stand as they are."""
    return Column(head, (key,), lambda row: str(row[key]))


def numeric(head: str, keys: str, words: Callable[[Row], str]) -> Column:
    """A column of numbers, aligned to the right; `keys` are separated by blanks."""
    return Column(head, tuple(keys.split()), words, number=True)
