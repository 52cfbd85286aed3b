"""What makes `lull run` quick: what is imported before the table, and that no ensemble is lived twice."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import main
from sim.engine.ensemble import run_batch
from sim.engine.record import Output
from sim.engine.table import Table
from sim.study import balance, evidence, patterns, stream
from sim.view.verbs import run
from sim.world.scenario import load

IMPORTED = """
import sys
from sim.study import stream
from sim.view.verbs import run

HEAVY = ("xarray", "pandas", "dask", "pyarrow", "scipy.stats", "h5netcdf", "matplotlib", "mesa")
begin, report = stream.preload, run.report


def told(moment, then):
    def call(*given):
        print(moment, *(one for one in HEAVY if one in sys.modules), file=sys.stderr)
        return then(*given)
    return call


stream.preload, run.report = told("histories", begin), told("table", report)
from sim.cli import main
sys.exit(main(sys.argv[1:]))
"""


def imported(tmp_path: Path) -> dict[str, set[str]]:
    """Which of the heavy libraries are imported as histories begin, and as the table is printed."""
    asked = ["run", "study.runs=20", f"output.dir={tmp_path / 'out'}"]
    done = subprocess.run([sys.executable, "-c", IMPORTED, *asked], capture_output=True, text=True, check=True)
    return {line.split()[0]: set(line.split()[1:]) for line in done.stderr.splitlines()}


def test_libraries_are_imported_while_histories_are_lived_and_what_draws_and_writes_after_the_table(
    tmp_path: Path,
) -> None:
    found = imported(tmp_path)
    assert found["histories"] == set()
    assert "xarray" in found["table"]
    assert not found["table"] & {"scipy.stats", "h5netcdf", "matplotlib", "mesa"}


def test_no_ensemble_is_lived_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lived: list[bytes] = []

    def counted(table: Table, seed: int, runs: Any, *given: Any, **named: Any) -> Output:
        lived.append(b"".join(part.tobytes() for part in table if hasattr(part, "tobytes")) + str(len(runs)).encode())
        return run_batch(table, seed, runs, *given, **named)

    for module in (stream, evidence, balance):
        monkeypatch.setattr(module, "run_batch", counted)
    monkeypatch.setattr(evidence, "PAIRED_RUNS", 20)
    monkeypatch.setattr(evidence, "TRACED_RUNS", 10)
    monkeypatch.setattr(run, "prior_balance", lambda config: balance.prior_balance(config, draws=15))
    assert main(["run", "study.runs=30", f"output.dir={tmp_path / 'out'}"]) == 0
    assert len(lived) == len(set(lived)) <= 14
    # A baseline that is forgotten is lived again: this notices.
    monkeypatch.setattr(evidence.Evidence, "baseline", lambda self, day, days: self.ensemble(self.freed(day), days))
    lived.clear()
    assert main(["run", "study.runs=30", f"output.dir={tmp_path / 'again'}"]) == 0
    assert len(lived) > len(set(lived))


def test_patterns_and_readings_side_by_side_are_what_they_are_one_by_one() -> None:
    config = load(["study.runs=50"])
    ensemble = stream.stream(config)
    verdicts, weighed = run.judged(config, ensemble)
    assert verdicts == patterns.judge(config, ensemble.first)
    assert weighed == balance.prior_balance(config)
