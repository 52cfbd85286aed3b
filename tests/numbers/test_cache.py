"""The cache of compiled code: used when nothing changed, never stale, safe to share, and not needed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sim
from sim.numbers import compiled
from sim.rules.rates import decay_factor

PROBE = """
import numpy as np
from sim.engine import inputs
out = np.empty(1)
inputs._keeps(np.array([2.0]), out)
stats = inputs._keeps.stats
print(out[0], sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
RULES = Path("sim/rules/rates.py")
CACHE = Path("sim/numbers/compiled.py")
KEPT = decay_factor(2.0)


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


DAY = 24 * 3600


def unused(home: Path, name: str, days: float) -> Path:
    """A folder with something in it that was last opened so many days ago."""
    (home / name / "engine").mkdir(parents=True)
    (home / name / "engine" / "kernel.nbi").touch()
    then = time.time() - days * DAY
    os.utime(home / name, (then, then))
    return home / name


def test_folders_not_opened_for_a_month_go_when_a_new_one_is_made(copy: Path) -> None:
    home = copy / "home" / "lull"
    old, young = unused(home, f"{1:016x}-{1:08x}", 31), unused(home, f"{2:016x}-{1:08x}", 29)
    left, other = unused(home, f"{3:016x}-{1:08x}.{1:032x}", 31), unused(home, "notes", 400)
    assert probe(copy, copy / "home")[:3] == (KEPT, 0, 1)
    assert [one.exists() for one in (old, left, young, other)] == [False, False, True, True]
    later = unused(home, f"{4:016x}-{1:08x}", 31)
    assert probe(copy, copy / "home")[:3] == (KEPT, 1, 0)
    assert later.exists()


def test_opening_a_folder_keeps_it(copy: Path) -> None:
    home = copy / "home" / "lull"
    assert probe(copy, copy / "home")[:3] == (KEPT, 0, 1)
    (ours,) = home.iterdir()
    long_ago = time.time() - 40 * DAY
    os.utime(ours, (long_ago, long_ago))
    assert probe(copy, copy / "home")[:3] == (KEPT, 1, 0)
    compiled.remove_unused(home)
    assert ours.exists()
    os.utime(ours, (long_ago, long_ago))
    compiled.remove_unused(home)
    assert list(home.iterdir()) == []


def test_several_processes_may_remove_at_once_and_one_that_opens_in_between_keeps_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = unused(tmp_path, f"{1:016x}-{1:08x}", 31)
    rename = Path.rename

    def opened_just_before(path: Path, aside: Path) -> Path:
        if path == old:
            os.utime(path)
        return rename(path, aside)

    def taken_just_before(path: Path, aside: Path) -> Path:
        shutil.rmtree(path)
        return rename(path, aside)

    monkeypatch.setattr(Path, "rename", opened_just_before)
    compiled.remove_unused(tmp_path)
    assert [one.name for one in tmp_path.rglob("*")] == [old.name, "engine", "kernel.nbi"]
    monkeypatch.setattr(Path, "rename", taken_just_before)
    gone = unused(tmp_path, f"{2:016x}-{1:08x}", 31)
    compiled.remove_unused(tmp_path)
    assert not gone.exists()
