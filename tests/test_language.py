"""One vocabulary: no private word anywhere, and the field's terms in code and in documents."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BANNED = frozenset(
    line.split()[0]
    for line in (ROOT / "tests" / "banned_words.txt").read_text().splitlines()
    if not line.startswith("#")
)
TERMS = (
    "common random numbers", "posterior predictive", "prior predictive", "simulation-based calibration", "replicate",
    "likelihood", "rejection ABC", "censored", "counterfactual", "Sobol", "Morris", "PRIM", "observation model",
    "credible interval", "Shapley", "regret", "importance weight", "identifiab", "posterior",
)  # fmt: skip
CODE = sorted((ROOT / "sim").rglob("*.py"))
DOCUMENTS = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), *(ROOT / "experiments").glob("*/README.md")])
OTHERS = sorted(
    [*(ROOT / "notebooks").glob("*.py"), *(ROOT / "configs").rglob("*.yaml"), *(ROOT / "seeds").glob("*.yaml")]
)


def words_of(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def names_in(source: str) -> list[tuple[int, str]]:
    """Names that a module defines, its strings and its comments, each with the line."""
    found = [(number, line.partition("#")[2]) for number, line in enumerate(source.splitlines(), 1) if "#" in line]
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append((line, node.name))
        elif isinstance(node, ast.arg):
            found.append((line, node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append((line, node.id))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((line, node.value))
    return found


def private(path: Path, text: str) -> list[str]:
    """Where a text uses a banned word."""
    spots = [(0, path.stem), *names_in(text)] if path.suffix == ".py" else list(enumerate(text.splitlines(), 1))
    return sorted({f"{path.name}:{line} {word}" for line, one in spots for word in words_of(one) if word in BANNED})


def test_no_banned_word_is_used():
    found = [one for path in [*CODE, *DOCUMENTS, *OTHERS] for one in private(path, path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "source",
    ["told = 1", "def lives(): ...", "x = 'by luck'", "# beside it", "class PlantedTruth: ...", "f = lambda nobody: 0"],
)
def test_a_banned_word_is_found(source):
    assert private(Path("module.py"), source)
    assert private(Path("page.md"), "What is told")


@pytest.mark.parametrize("term", TERMS)
def test_a_standard_term_stands_in_code_and_in_documents(term):
    code = "\n".join(path.read_text(encoding="utf-8") for path in CODE)
    documents = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    pattern = re.compile(r"\s+".join(map(re.escape, term.split())), re.IGNORECASE)
    assert pattern.search(code), "code"
    assert pattern.search(documents), "documents"
