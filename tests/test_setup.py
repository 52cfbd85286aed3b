"""The set-up: pins, rooms, shipped data, wheel.

Guards are shown to fail when what they guard is broken.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import sim
from sim.model.package_data import FOLDERS, data_folder

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
TEST = EXTRAS["test"]
TAUGHT = [*EXTRAS["notebooks"], *EXTRAS["docs"], *EXTRAS["solara"]]
"""What `make notebooks`, `make docs` and `make browser` need and `make test` does not."""


def distribution(requirement: str) -> str:
    """Return the normalised name in a requirement line."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


# --- versions -----------------------------------------------------------------------------------------------

TERM = r"[a-z_]+ [<>=!]+ '[\w.]+'"
PIN = re.compile(rf"[a-z0-9-]+==[0-9][0-9a-z.]*( ; {TERM}( (and|or) {TERM})*)?")
REASON = re.compile(r" +#( +via)?( +[a-z0-9-]+( \(pyproject\.toml\))?)?", re.IGNORECASE)


def foreign_lines(constraints: str) -> list[str]:
    """Return the lines that are neither an exact pin nor a note on who asked for it."""
    lines = constraints.splitlines()
    return [line for line in lines if not (PIN.fullmatch(line) or REASON.fullmatch(line))]


def test_constraints_hold_exact_pins_and_nothing_else():
    assert foreign_lines((ROOT / "constraints.txt").read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "numpy @ https://example.org/numpy.whl",
        "numpy>=2",
        "-e .",
        "numpy @ file:///opt/numpy.whl",
        "    # via -r /home/someone/requirements.in",
        "numpy==2.4.6 --hash=sha256:00",
    ],
)
def test_the_constraints_check_sees_addresses_paths_and_loose_pins(line):
    assert foreign_lines(f"numba==0.68.1\n{line}\n") == [line]


def test_every_dependency_is_pinned_bounded_and_explained():
    pins = (ROOT / "constraints.txt").read_text()
    reasons = (ROOT / "docs" / "choices.md").read_text()
    pinned = {distribution(line) for line in pins.splitlines() if PIN.fullmatch(line)}
    explained = {distribution(name) for name in re.findall(r"^\| `([^`]+)`", reasons, re.MULTILINE)}
    wanted = {distribution(line) for line in [*RUNTIME, *TEST, *TAUGHT]}
    assert wanted <= pinned
    assert wanted == explained
    assert {line for name, extra in EXTRAS.items() if name != "test" for line in extra} <= {*TEST, *TAUGHT}
    assert [line for line in [*RUNTIME, *TEST, *TAUGHT] if not re.search(r">=[\d.]+,<[\d.]+$", line)] == []


def test_every_library_the_package_imports_is_declared():
    imported = set()
    for file in (ROOT / "sim").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    known = packages_distributions()
    libraries = imported - sys.stdlib_module_names - {"sim"}
    assert "numba" in libraries
    wanted = [*RUNTIME, *(line for name, extra in EXTRAS.items() if name != "test" for line in extra)]
    declared = {distribution(line) for line in wanted}
    undeclared = {name for name in libraries if distribution(known[name][0]) not in declared}
    assert undeclared == set()


def test_ci_runs_the_same_tests_as_everybody_and_none_is_skipped():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert [line for line in script.read_text().splitlines() if not line.startswith("#")] == [
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        "export LULL_NO_SKIPS=1",
        "make test",
        "make notebooks",
        "make browser",
        "make docs",
    ]


def test_every_marker_that_is_left_out_of_the_quick_tests_has_a_target():
    settings = PROJECT["tool"]["pytest"]["ini_options"]
    marked = {line.partition(":")[0] for line in settings["markers"]}
    left_out = set(re.findall(r"not (\w+)", settings["addopts"]))
    run = set(re.findall(r'pytest -m "?(\w+)', (ROOT / "Makefile").read_text()))
    assert marked == left_out == run


# --- rooms --------------------------------------------------------------------------------------------------


def lint_rooms(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the package that lies in `folder` against the contracts that lie there."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def package_copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package and its contracts, to be broken at will."""
    shutil.copytree(ROOT / "sim", tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(report: str) -> set[str]:
    """Return the names of the contracts that a report calls broken."""
    return {line.removesuffix(" BROKEN") for line in report.splitlines() if line.endswith(" BROKEN")}


def test_the_rooms_are_kept(package_copy):
    outcome = lint_rooms(package_copy)
    assert outcome.returncode == 0, outcome.stdout
    assert broken_contracts(outcome.stdout) == set()


@pytest.mark.parametrize(
    ("module", "line", "contracts"),
    [
        ("numbers/bad.py", "import sim.rules", "rooms"),
        ("rules/bad.py", "import sim.model", "rooms"),
        ("model/bad.py", "import sim.rules", "rooms"),
        ("model/bad.py", "def late() -> None:\n    import sim.engine", "rooms"),
        ("engine/bad.py", "import sim.experiment", "rooms"),
        ("experiment/bad.py", "import sim.analysis", "rooms"),
        ("analysis/bad.py", "import sim.reporting", "rooms"),
        ("reporting/bad.py", "import sim.commands", "rooms"),
        ("commands/bad.py", "import sim.app", "rooms"),
        ("app/bad.py", "import sim.cli", "rooms"),
        ("stray.py", "", "rooms"),
        # The facade shows all rooms, so an import of it from below breaks both.
        ("analysis/bad.py", "from sim import __version__", "facade rooms"),
        ("engine/batched/bad.py", "import sim.engine.reference", "engines"),
        ("engine/batch.py", "import sim.engine.reference", ""),
        ("engine/batch.py", "import mesa", "mesa"),
        ("analysis/bad.py", "import mesa.agent", "mesa"),
        ("numbers/bad.py", "import numpy", "plain-numbers"),
        ("rules/bad.py", "from yaml import safe_load", "plain-numbers"),
        ("rules/bad.py", "import time", "rules"),
        ("rules/bad.py", "from numba import njit", "rules"),
        ("model/bad.py", "import numba", "model"),
    ],
)
def test_a_forbidden_import_turns_the_rooms_red(package_copy, module, line, contracts):
    with (package_copy / "sim" / module).open("a") as file:
        file.write(f"\n{line}\n")
    outcome = lint_rooms(package_copy)
    names = {one["id"]: one["name"] for one in PROJECT["tool"]["importlinter"]["contracts"]}
    assert broken_contracts(outcome.stdout) == {names[one] for one in contracts.split()}, outcome.stdout
    assert outcome.returncode == (1 if contracts else 0)


def test_every_engine_is_under_the_contract():
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    listed = next(set(one["modules"]) for one in contracts if one["id"] == "engines")
    engines = {"reference", "batched"}
    modules = {path.stem for path in (ROOT / "sim" / "engine").iterdir()}  # files and packages
    existing = {f"sim.engine.{name}" for name in engines & modules}
    assert listed == existing


def inexact_steps(source: str) -> list[str]:
    """Return the powers and library functions in a source whose last bit depends on the platform."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow):
            found.append(ast.unparse(node))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "math" and node.attr != "floor":
            found.append(ast.unparse(node))
        if isinstance(node, ast.ImportFrom) and node.module == "math":
            found += [alias.name for alias in node.names if alias.name != "floor"]
    return found


def test_rules_use_no_arithmetic_that_differs_between_platforms():
    rules = {file.name: file.read_text() for file in (ROOT / "sim" / "rules").glob("*.py")}
    assert {name: steps for name, source in rules.items() if (steps := inexact_steps(source))} == {}
    bad = "import math\nfrom math import floor, tanh\ny = x**0.5 + math.exp(x) + math.floor(x)\ny **= 2"
    assert sorted(inexact_steps(bad)) == ["math.exp", "tanh", "x ** 0.5", "y **= 2"]


# --- shipped data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOLDERS)
def test_a_checkout_uses_its_own_data(name):
    assert data_folder(name) == ROOT / name
    assert not (ROOT / "sim" / "_data").exists(), "the data have one home: the top level"


def test_an_installation_prefers_its_own_copy_to_a_neighbour(tmp_path):
    package = tmp_path / "site-packages" / "sim"
    (package.parent / "configs").mkdir(parents=True)
    assert data_folder("configs", package) == package.parent / "configs"
    (package / "_data" / "configs").mkdir(parents=True)
    assert data_folder("configs", package) == package / "_data" / "configs"


def test_lost_or_unknown_data_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="seeds"):
        data_folder("seeds", tmp_path / "sim")
    with pytest.raises(ValueError, match=r"'\.\./seeds': allowed are configs, seeds"):
        data_folder("../seeds")


# --- wheel --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once and return its path."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.glob("*.whl")
    return built


def run_unpacked(
    wheel: Path, folder: Path, *arguments: str, code: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `lull ARGUMENTS` (or `code`) from the unpacked wheel, away from the checkout.

    The unpacked wheel goes first on the path, ahead of the checkout that the interpreter has installed.
    """
    unpacked, elsewhere = folder / "unpacked", folder / "elsewhere"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    elsewhere.mkdir()
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "sim.cli", *arguments]
    environment = os.environ | {"PYTHONPATH": str(unpacked)}
    return subprocess.run(
        command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def shipped_files(folder: str) -> set[str]:
    """Return the files below a top-level folder, as paths from the top."""
    files = (ROOT / folder).rglob("*")
    return {str(one.relative_to(ROOT)) for one in files if one.is_file() and "__pycache__" not in one.parts}


def test_the_wheel_carries_the_package_its_data_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {f"sim/_data/{name}" for folder in FOLDERS for name in shipped_files(folder)}
    assert data
    assert {name for name in names if ".dist-info/" not in name} == data | shipped_files("sim")
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert wheel.name.split("-")[:2] == ["lull_sim", sim.__version__]


def test_the_unpacked_wheel_finds_its_own_data(wheel, tmp_path):
    code = "from sim.model.package_data import data_folder, FOLDERS\nfor name in FOLDERS: print(data_folder(name))"
    outcome = run_unpacked(wheel, tmp_path, code=code)
    assert outcome.returncode == 0, outcome.stderr
    package = (tmp_path / "unpacked" / "sim").resolve()
    assert outcome.stdout.split() == [str(package / "_data" / name) for name in FOLDERS]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("facts",), "37 facts:"), (("run", "study.runs=50"), "Files in outputs/run-article-seed1:")],
)
def test_the_unpacked_wheel_does_the_main_job(wheel, tmp_path, arguments, words):
    outcome = run_unpacked(wheel, tmp_path, *arguments)
    assert outcome.returncode == 0, outcome.stderr
    # A slow machine sees a line of progress every ten seconds, and nothing else.
    assert [line for line in outcome.stderr.splitlines() if " histories, " not in line] == []
    assert words in outcome.stdout
    made = {path.name for path in (tmp_path / "elsewhere").rglob("*.json")}
    assert made == ({"summary.json", "manifest.json"} if arguments[0] == "run" else set())


@pytest.mark.long
def test_the_wheel_works_in_an_empty_environment(wheel, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    commands = environment / ("Scripts" if os.name == "nt" else "bin")
    install = [commands / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run([str(part) for part in install], check=True, cwd=tmp_path)
    for arguments in (["facts"], ["run", "study.runs=200", "output.dir=made"]):
        outcome = subprocess.run(
            [str(commands / "lull"), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "made" / "summary.json").is_file()
