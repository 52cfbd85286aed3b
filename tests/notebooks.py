"""Carrying out a notebook as a student would: from top to bottom in a kernel of its own.

What Jupyter brings is imported where it is used: `make test` does without it.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "notebooks"
BUILT: Final = ROOT / "build" / "notebooks"
LIMIT: Final = 300
"""Seconds that one cell may take on a busy machine."""

KEPT: Final = ("text/plain", "text/html", "text/markdown", "image/png", "image/svg+xml")

NAMED: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

WRONG: Final = """
def wrong(solution):
    if isinstance(solution, str):
        return "not " + solution
    if isinstance(solution, (list, tuple, set, dict)):
        return type(solution)()
    return (not solution) if solution in (True, False) else -3.0 * solution - 17.0
"""
"""What no student should be told is right; a cell for the notebook's own kernel."""


def notebooks() -> list[Path]:
    """All notebooks in their order."""
    return sorted(FOLDER.glob("*.py"))


def read(path: Path) -> Any:
    """A text notebook as cells."""
    import jupytext

    return jupytext.read(path)


def tags(cell: Any) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def code(book: Any) -> list[Any]:
    """The code cells of a notebook."""
    return [cell for cell in book.cells if cell.cell_type == "code"]


def numbered(cell: Any, name: str) -> str:
    """The number that a name such as `answer_3` has in a cell."""
    found = re.search(rf"\b{name}_(\d+)\b", cell.source)
    assert found, f"no {name}_N in:\n{cell.source}"
    return found[1]


class Student:
    """A notebook in a running kernel."""

    def __init__(self, client: Any) -> None:
        self.book = client.nb
        self._client = client

    def work_through(self) -> None:
        """Every cell in order; an error ends it."""
        for place, cell in enumerate(self.book.cells):
            self._client.execute_cell(cell, place)

    def try_cell(self, source: str) -> str:
        """What a further cell prints."""
        import nbformat

        scratch = nbformat.v4.new_code_cell(source)
        self.book.cells.append(scratch)
        try:
            done: Any = self._client.execute_cell(scratch, len(self.book.cells) - 1)
        finally:
            self.book.cells.pop()
        return printed(done)


@contextmanager
def opened(path: Path, folder: Path) -> Iterator[Student]:
    """A notebook opened in a kernel that works in a folder."""
    from nbclient import NotebookClient

    book = read(path)
    client = NotebookClient(
        book, timeout=LIMIT, kernel_name="python3", resources={"metadata": {"path": str(folder)}}, record_timing=False
    )
    with client.setup_kernel(cwd=str(folder)):
        yield Student(client)


def write(book: Any, name: str) -> Path:
    """Keep an executed notebook where the site and readers find it."""
    import nbformat

    BUILT.mkdir(parents=True, exist_ok=True)
    path = BUILT / f"{name}.ipynb"
    aside = path.with_suffix(".part")
    nbformat.write(book, aside)
    aside.replace(path)
    return path


def printed(cell: Any) -> str:
    """What a cell printed."""
    return "".join(one.text for one in cell.outputs if one.output_type == "stream" and one.name == "stdout")


def complaints(book: Any) -> list[str]:
    """Warnings, errors and all else that went to stderr."""
    outputs = [one for cell in code(book) for one in cell.outputs]
    errors = [one.evalue for one in outputs if one.output_type == "error"]
    return errors + [one.text for one in outputs if one.output_type == "stream" and one.name == "stderr"]


def pictures(cell: Any) -> int:
    """How many pictures a cell shows."""
    return sum("image/png" in one.get("data", {}) for one in cell.outputs)


def digest(book: Any) -> str:
    """A short name of everything that a notebook printed and drew, without the names that xarray gives to its folds."""
    told = hashlib.sha256()
    for cell in code(book):
        for one in cell.outputs:
            data = one.get("data", {"stream": one.get("text", "")})
            for kind in (*KEPT, "stream"):
                told.update(f"{kind}:{NAMED.sub('', str(data.get(kind, '')))}\n".encode())
    return told.hexdigest()[:16]
