"""What makes `lull run` quick: it imports only what it needs, and simulates no ensemble twice."""

import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim import cli
from sim.analysis import pattern_tests
from sim.analysis.summary import prior_predictive, statistics
from sim.cli import main
from sim.commands import run
from sim.engine.batch import run_batch
from sim.engine.inputs import ModelInputs
from sim.engine.record import Output
from sim.experiment import ensemble as stream
from sim.experiment import runner
from sim.model.scenario import load

IMPORTED = """
import sys
from sim.commands import run
from sim.experiment import runner

begin = runner.run_batch


def run_batch(*given, **named):
    print("before", *sys.modules, file=sys.stderr)
    return begin(*given, **named)


runner.run_batch = run_batch
from sim.cli import main
code = main()
print("after", *(name for name, one in sys.modules.items() if one), file=sys.stderr)
sys.exit(code)
"""

LATER = frozenset({"h5netcdf", "matplotlib"})
"""What draws and writes: imported while the patterns are judged."""
NEVER_NEEDED = frozenset(
    {"arviz", "dask.array", "distributed", "mesa", "netCDF4", "panel", "SALib", "scipy.stats", "sim.engine.reference"}
)
"""What other verbs need, and xarray for arrays that are not ours."""


def imported(tmp_path: Path, *overrides: str) -> dict[str, set[str]]:
    """The modules imported as the histories begin, and at the end."""
    asked = ["run", "study.runs=20", f"output.dir={tmp_path / 'out'}", *overrides]
    done = subprocess.run([sys.executable, "-c", IMPORTED, *asked], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stderr.splitlines()]
    return {moment: set(modules) for moment, *modules in reversed(lines)}  # the first of each moment


def test_a_run_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    found = imported(tmp_path)
    assert not found["before"] & (NEVER_NEEDED | LATER)
    assert found["after"] >= LATER | {"xarray"}
    assert not found["after"] & (NEVER_NEEDED | {"dask"})


@pytest.mark.parametrize(
    ("words", "hidden"),
    [("run seed=3", True), ("run extensions=mine.py", False), ("run parameters=posterior", False), ("sweep", False)],
)
def test_unused_modules_are_hidden_in_a_process_of_ours_alone(
    words: str, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules: dict[str, Any] = {}
    monkeypatch.setattr(cli, "sys", SimpleNamespace(modules=modules, setswitchinterval=lambda _: None))
    with warnings.catch_warnings():
        cli._prepare_process(words.split())
    assert ("dask" in modules) == hidden
    assert set(modules.values()) <= {None}


def test_no_ensemble_is_lived_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lived: list[bytes] = []

    def counted(table: ModelInputs, seed: int, runs: Any, *given: Any, **named: Any) -> Output:
        lived.append(
            b"".join(part.tobytes() for part in table if isinstance(part, np.ndarray)) + str(len(runs)).encode()
        )
        return run_batch(table, seed, runs, *given, **named)

    monkeypatch.setattr(runner, "run_batch", counted)
    monkeypatch.setattr(pattern_tests, "PAIRED_RUNS", 20)
    monkeypatch.setattr(pattern_tests, "TRACED_RUNS", 10)
    monkeypatch.setattr(run, "prior_balance", lambda config: pattern_tests.prior_balance(config, draws=15))
    assert main(["run", "study.runs=30", f"output.dir={tmp_path / 'out'}"]) == 0
    assert len(lived) == len(set(lived)) <= 17
    # A baseline that is forgotten is lived again: this notices.
    monkeypatch.setattr(
        pattern_tests.Evidence, "baseline", lambda self, day, days, wanted: self.ensemble(self.freed(day), days, wanted)
    )
    lived.clear()
    assert main(["run", "study.runs=30", f"output.dir={tmp_path / 'again'}"]) == 0
    assert len(lived) > len(set(lived))


def test_patterns_and_readings_side_by_side_are_what_they_are_one_by_one() -> None:
    config = load(["study.runs=50"])
    ensemble = stream.stream(config)
    stats = statistics(ensemble.tallies)
    shown: list[Any] = []
    verdicts, weighed, compared = run.judged(config, ensemble, stats, shown.append)
    assert shown == [verdicts]
    assert verdicts == pattern_tests.judge(config, ensemble.first)
    assert weighed == pattern_tests.prior_balance(config)
    assert compared == prior_predictive(config, stats)
