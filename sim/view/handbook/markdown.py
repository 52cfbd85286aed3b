"""Tables and code in Markdown."""

from collections.abc import Iterable, Sequence

Row = Sequence[str]


def table(heads: Row, rows: Iterable[Row]) -> str:
    r"""A table.

    >>> print(table(("a", "b"), [("1", "2 | 3")]))
    | a | b |
    |---|---|
    | 1 | 2 \| 3 |
    """
    told = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    lines = [line(heads), "|---" * len(heads) + "|", *map(line, told)]
    return "\n".join(lines)


def line(cells: Row) -> str:
    """One row of a table."""
    return f"| {' | '.join(cells)} |"


def code(text: str) -> str:
    """Text set as code."""
    return f"`{text}`"
