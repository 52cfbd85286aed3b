"""The experiments: files that a README shows are those that lie beside it."""

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shown(document: str) -> list[tuple[str, str]]:
    """Return path and text of every block that says which file of an experiment it is."""
    blocks = re.findall(r"^```(?:yaml|python)\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    named = ((re.search(r"^# (experiments/\S+)$", text, re.MULTILINE), text) for text in blocks)
    return [(place[1], text) for place, text in named if place is not None]


def differing(document: str) -> list[str]:
    """Return the files that are not as the document shows them."""
    return [path for path, text in shown(document) if (ROOT / path).read_text(encoding="utf-8") != text]


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in ROOT.glob("experiments/*/README.md")))
def test_files_are_as_the_readme_shows_them(folder):
    assert differing((ROOT / "experiments" / folder / "README.md").read_text(encoding="utf-8")) == []


def test_a_file_that_differs_is_noticed():
    document = (ROOT / "experiments/leash/README.md").read_text(encoding="utf-8")
    assert len(shown(document)) == 2
    changed = document.replace("control: 0.5", "control: 0.6")
    assert differing(changed) == ["experiments/leash/scenario/broad_directions.yaml"]


def lost_imports(source: str) -> list[str]:
    """Return the names that a script imports from our package and that do not exist there."""
    found = []
    for one in ast.walk(ast.parse(source)):
        if isinstance(one, ast.ImportFrom) and one.module and one.module.split(".")[0] == "sim":
            home = import_module(one.module)
            found += [
                f"{one.module}.{part.name}"
                for part in one.names
                if not hasattr(home, part.name) and not find_spec(f"{one.module}.{part.name}")
            ]
    return found


@pytest.mark.parametrize("script", sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("experiments/*/*.py")))
def test_scripts_import_what_exists(script):
    assert lost_imports((ROOT / script).read_text(encoding="utf-8")) == []


def test_a_lost_import_is_noticed():
    assert lost_imports("import numpy\nfrom sim import load\nfrom sim.model import facts, lost\n") == ["sim.model.lost"]
