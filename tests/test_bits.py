"""Results of small commands against hashes of the same results, so that no change of the code changes them unnoticed.

`tests/bits.json` holds, by command, file and array, a hash of the values at the time when the model's form was revised;
`sim/model/aliases.py` gives present names for former ones. What engines compute is compared bit for bit; statistics are
compared to six digits, because sums and logarithms of NumPy and SciPy may differ in their last bits between processors.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

from sim.cli import main
from sim.model.aliases import current_column, current_file

HASHES = Path(__file__).with_name("bits.json")
COMMANDS = {
    "run": "run study.runs=200 seed=5",
    "sweep": "sweep patron.control=interval(0.2,1) scenario=article,no_order study.points=8 study.runs=24 seed=5",
    "compare": "compare scenarios=[article,no_us_strikes,no_restraint] study.draws=12 study.runs=20 seed=5",
    "explain": "explain outcome=lull_days mechanisms=[fear,patron_restraint,mediation] study.draws=6 study.runs=8"
    " seed=5",
    "sensitivity": "sensitivity sensitivity.method=morris sensitivity.samples=8 patron.control=interval(0.2,1)"
    " multipliers.autonomy=interval(0.5,1.5) study.runs=12 seed=5",
    "calibrate": "calibrate mechanisms.pause=false calibration.draws=250000 calibration.kept=40"
    " calibration.sbc_datasets=20 calibration.hypothesis_draws=0 calibration.rejection_draws=0"
    " calibration.predictive_runs=100 seed=5",
}


def numbers(values: list[str]) -> np.ndarray | None:
    """A column of a table as numbers, empty cells as NaN; None where it holds text."""
    try:
        return np.array([float(value) if value else np.nan for value in values])
    except ValueError:
        return None


def hashed(values: np.ndarray, exact: bool) -> str:
    content = values.tobytes() if exact else " ".join(f"{one:.6g}" for one in values.ravel().tolist()).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def arrays(folder: Path) -> Iterator[tuple[str, str]]:
    """Every array of numbers in a folder of results, as `file:name`, with the hash of its values."""
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if path.suffix == ".csv":
            rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
            for name in rows[0] if rows else ():
                if (column := numbers([row[name] for row in rows])) is not None:
                    yield f"{place}:{name}", hashed(column, exact=False)
        elif path.suffix == ".nc":
            with xr.open_dataset(path, engine="h5netcdf") as data:
                for name, one in data.variables.items():
                    if one.dtype.kind in "iuf":
                        yield f"{place}:{name}", hashed(one.values.astype(np.float64), path.stem == "histories")
        elif path.suffix == ".parquet":
            table = pq.read_table(path)
            part = place.rsplit("-", 1)[0]  # without the checksum in its name
            for name in table.column_names:
                column = table[name].to_numpy()
                if column.dtype.kind in "iuf":
                    yield f"{part}:{name}", hashed(column.astype(np.float64), exact=path.stem != "posterior")


def present(key: str) -> str:
    """A key of the hashes under present names."""
    file, _, name = key.partition(":")
    name, _, statistic = name.partition(" ")
    return f"{current_file(file)}:{current_column(name)}{' ' * bool(statistic)}{statistic}"


@pytest.mark.parametrize("name", COMMANDS)
def test_results_are_those_of_before(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMANDS[name].split(), f"output.dir={tmp_path / name}"]) == 0
    before = {present(key): value for key, value in json.loads(HASHES.read_text())[name].items()}
    now = dict(arrays(tmp_path / name))
    assert len(before) > 20
    assert {key: now.get(key) for key in before} == before


def test_another_number_is_seen(tmp_path: Path) -> None:
    for folder, value in (("one", "0.1"), ("two", "0.100001")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "table.csv").write_text(f"name,value\nx,{value}\n")
    assert dict(arrays(tmp_path / "one")) != dict(arrays(tmp_path / "two"))


if __name__ == "__main__":  # python -m tests.test_bits FOLDER: hashes of the folders FOLDER/COMMAND
    import sys

    HASHES.write_text(json.dumps({name: dict(arrays(Path(sys.argv[1]) / name)) for name in COMMANDS}, indent=1) + "\n")
