"""The notebooks: they run from top to bottom without complaints, tell right from wrong, and give the same each time."""

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks import (
    FOLDER,
    ROOT,
    WRONG,
    code,
    complaints,
    digest,
    notebooks,
    numbered,
    opened,
    pictures,
    read,
    tags,
    write,
)

CHEAPEST = "01_article_as_a_model"
IMPORTS = {"sim", "numpy", "matplotlib", "mesa", "pathlib"}
MOST_STATEMENTS = 5
"""What a function in a notebook may have beside its docstring: what is longer belongs into the library."""

every_notebook = pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)


@pytest.mark.notebook
@every_notebook
def test_runs_from_top_to_bottom_and_tells_right_from_wrong(path: Path, tmp_path: Path) -> None:
    with opened(path, tmp_path) as student:
        student.work_through()
        write(student.book, path.stem)
        assert not complaints(student.book)
        assert pictures(code(student.book)[0]), "the first code cell shows no picture"
        student.try_cell(WRONG)
        for cell in tagged(student.book, "solution"):
            assert not cell.outputs, "a check speaks before there is an answer"
            number = numbered(cell, "solution")
            right = student.try_cell(f"answer_{number} = solution_{number}\n{cell.source}")
            assert right.startswith("right"), f"solution {number} of {path.stem}: {right}"
            wrong = student.try_cell(f"answer_{number} = wrong(solution_{number})\n{cell.source}")
            assert wrong.startswith("not yet"), f"a wrong answer {number} to {path.stem}: {wrong}"


@pytest.mark.notebook
@every_notebook
def test_is_built_like_the_others(path: Path) -> None:
    book = read(path)
    first = book.cells[0].source
    assert re.match(r"# \d+ · \S", first), "no title such as `# 01 · The article as a model`"
    assert first.splitlines()[0].startswith(f"# {path.stem[:2]} ·"), "the title has another number than the file"
    assert len(re.findall(r"^- ", first, re.MULTILINE)) >= 3, "no three things to learn"
    assert book.metadata.kernelspec.name == "python3"
    asked, solved = (
        [numbered(cell, name) for cell in tagged(book, tag)]
        for tag, name in (("exercise", "answer"), ("solution", "solution"))
    )
    assert asked == solved == [str(place + 1) for place in range(len(asked))]
    assert len(asked) >= 3
    for cell in tagged(book, "exercise"):
        assert re.fullmatch(r"answer_\d+ = None  # your answer: .+", cell.source), cell.source
    assert all("hide-cell" in tags(cell) and "assert " in cell.source for cell in tagged(book, "solution"))


@pytest.mark.notebook
@every_notebook
def test_imports_what_a_user_imports_and_holds_no_plumbing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {one.name.partition(".")[0] for one in node.names} <= IMPORTS - {"sim"}
        elif isinstance(node, ast.ImportFrom):
            module = str(node.module)
            assert module == "sim" or module.partition(".")[0] in IMPORTS - {"sim"}, f"from {module}"
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            inside = sum(isinstance(one, ast.stmt) for one in ast.walk(node)) - 1 - bool(ast.get_docstring(node))
            assert inside <= MOST_STATEMENTS, f"{node.name} has {inside} statements"


@pytest.mark.notebook
def test_no_executed_notebook_is_stored() -> None:
    assert len(notebooks()) >= 1
    kept = subprocess.run(["git", "ls-files", "*.ipynb"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not kept
    assert not [path for path in FOLDER.iterdir() if path.suffix not in {".py", ".md"} and path.is_file()]


@pytest.mark.notebook
def test_the_same_numbers_come_each_time(tmp_path: Path) -> None:
    assert executed(FOLDER / f"{CHEAPEST}.py", tmp_path / "one") == executed(
        FOLDER / f"{CHEAPEST}.py", tmp_path / "other"
    )


@pytest.mark.long
@every_notebook
def test_the_same_numbers_come_each_time_in_all_of_them(path: Path, tmp_path: Path) -> None:
    assert executed(path, tmp_path / "one") == executed(path, tmp_path / "other")


@pytest.mark.notebook
def test_another_seed_gives_other_numbers() -> None:
    import nbformat

    def book(text: str) -> Any:
        cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("stream", text=text)])
        return nbformat.v4.new_notebook(cells=[cell])

    assert digest(book("4")) == digest(book("4")) != digest(book("5"))


def executed(path: Path, folder: Path) -> str:
    """The digest of a notebook carried out in a new folder."""
    folder.mkdir()
    with opened(path, folder) as student:
        student.work_through()
        return digest(student.book)


def tagged(book: Any, tag: str) -> list[Any]:
    """The code cells with a tag."""
    return [cell for cell in code(book) if tag in tags(cell)]
