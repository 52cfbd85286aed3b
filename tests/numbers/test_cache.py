"""The cache of compiled code: used when nothing changed, never stale, safe to share, and not needed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim.rules.rates import keep

PROBE = """
import numpy as np
from sim.engine import table
out = np.empty(1)
table._keeps(np.array([2.0]), out)
stats = table._keeps.stats
print(out[0], sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
RULES = Path("sim/rules/rates.py")
CACHE = Path("sim/numbers/cache.py")
KEPT = keep(2.0)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package on its own, so that its sources can be edited."""
    package = Path(sim.__file__).parent
    shutil.copytree(package, tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def start(copy: Path, home: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PROBE],
        cwd=copy,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def probe(copy: Path, home: Path) -> tuple[float, int, int, str]:
    """Value, cache hits, cache misses and what was said on stderr."""
    process = start(copy, home)
    output, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    value, hits, misses = output.split()
    return float(value), int(hits), int(misses), said


def edit(copy: Path, path: Path, old: str, new: str) -> None:
    text = (copy / path).read_text()
    assert old in text
    (copy / path).write_text(text.replace(old, new))


def test_an_edited_helper_changes_the_result_and_an_unedited_one_is_not_compiled_again(copy: Path) -> None:
    home = copy / "home"
    assert probe(copy, home)[:3] == (KEPT, 0, 1)
    assert probe(copy, home)[:3] == (KEPT, 1, 0)
    edit(copy, RULES, "exp(-LN2 / half_life)", "exp(-2.0 * LN2 / half_life)")
    value, hits, misses, said = probe(copy, home)
    assert (value, hits, misses, said) == (0.5, 0, 1, "")


def test_without_the_hash_the_edit_would_go_unseen(copy: Path) -> None:
    home = copy / "home"
    edit(copy, CACHE, 'f"{source_hash()}-{compiler_hash()}"', '"always"')
    assert probe(copy, home)[0] == KEPT
    edit(copy, RULES, "exp(-LN2 / half_life)", "exp(-2.0 * LN2 / half_life)")
    assert probe(copy, home)[:3] == (KEPT, 1, 0)


def test_several_processes_may_fill_it_at_once(copy: Path) -> None:
    processes = [start(copy, copy / "home") for _ in range(3)]
    values = [float(process.communicate(timeout=120)[0].split()[0]) for process in processes]
    assert values == [KEPT] * 3
    assert probe(copy, copy / "home")[:3] == (KEPT, 1, 0)


def test_where_nothing_can_be_written_one_line_says_so_and_the_result_is_the_same(copy: Path) -> None:
    home = copy / "file"
    home.write_text("not a folder")
    value, hits, _, said = probe(copy, home)
    assert (value, hits) == (KEPT, 0)
    assert len(said.splitlines()) == 1
    assert said.startswith("lull: compiled code is not kept:")
