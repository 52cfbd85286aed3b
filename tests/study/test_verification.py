"""Verifying a folder: what is the same is said to be, and any one bit that differs is named by its place."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sim import verify
from sim.cli import main
from sim.study.folder import MANIFEST
from sim.study.verification.difference import array_difference, difference
from sim.world.errors import UserError

RUN = ("scenario=no_us_strikes", "study.runs=40", "calendar.days=134")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verified") / "run"
    assert main(["run", *RUN, f"output.dir={folder}"]) == 0
    return folder


def copied(made: Path, to: Path) -> Path:
    to.mkdir()
    for path in made.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def signed(folder: Path, name: str) -> None:
    """Write the checksum of an altered file into the manifest, as a forger would."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name]["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_a_folder_is_what_its_manifest_makes(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["verify", str(made)]) == 0
    assert "9 files, no difference" in " ".join(capsys.readouterr().out.split())


def test_python_asks_as_the_command_does(made: Path, tmp_path: Path) -> None:
    found = verify(made)
    assert (found.compared, found.first) == (9, None)
    folder = copied(made, tmp_path / "run")
    (folder / "weekly.csv").write_text("nothing\n")
    first = verify(str(folder)).first
    assert first is not None
    assert first.startswith("weekly.csv: altered")
    with pytest.raises(UserError):
        verify(tmp_path)


def test_an_altered_file_is_named(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(made, tmp_path / "run")
    table = pd.read_csv(folder / "outcomes.csv", dtype=str)
    table.loc[2, "mean"] = "17"
    table.to_csv(folder / "outcomes.csv", index=False)
    capsys.readouterr()
    assert main(["verify", str(folder)]) == 1
    assert "outcomes.csv: altered after it was made" in " ".join(capsys.readouterr().out.split())
    signed(folder, "outcomes.csv")
    assert main(["verify", str(folder)]) == 1
    assert "outcomes.csv, line 4, mean: 17, made again" in " ".join(capsys.readouterr().out.split())


def test_one_history_that_differs_is_named(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(made, tmp_path / "run")
    with xr.open_dataset(made / "histories.nc", engine="h5netcdf") as data:
        data = data.load()
    data["deaths"][23] += 1
    data.to_netcdf(folder / "histories.nc", engine="h5netcdf")
    signed(folder, "histories.nc")
    capsys.readouterr()
    assert main(["verify", str(folder)]) == 1
    was = int(data["deaths"][23])
    assert f"histories.nc, deaths[23]: {was}, made again {was - 1}" in " ".join(capsys.readouterr().out.split())


def test_what_was_made_elsewhere_is_said(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(made, tmp_path / "run")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["versions"]["numpy"] = "1.0"
    manifest["source_hash"] = "0" * 16
    (folder / MANIFEST).write_text(json.dumps(manifest))
    capsys.readouterr()
    assert main(["verify", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "made by sources 0000000000000000, here" in out
    assert "made by numpy 1.0, here" in out


def test_a_sweep_is_lived_again_part_by_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sweep"
    swept = ["sweep", "patron.control=interval(0.2,1)", "study.points=4", f"output.dir={folder}"]
    assert main([*swept, "study.runs=8"]) == 0
    assert main([*swept, "study.runs=20"]) == 0
    parts = sorted((folder / "parts").iterdir())
    stamps = [path.stat().st_mtime_ns for path in parts]
    capsys.readouterr()
    assert main(["verify", str(folder)]) == 0
    assert f"{len(parts)} files, no difference" in " ".join(capsys.readouterr().out.split())
    assert [path.stat().st_mtime_ns for path in parts] == stamps

    content = bytearray(parts[-1].read_bytes())
    content[len(content) // 2] ^= 1
    parts[-1].write_bytes(content)
    assert main(["verify", str(folder)]) == 1
    assert f"part {len(parts) - 1}: altered after it was made" in " ".join(capsys.readouterr().out.split())


def test_a_forged_part_is_found_at_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sweep"
    assert main(["sweep", "patron.control=0.3,0.9", "study.runs=8", f"output.dir={folder}"]) == 0
    import pyarrow as pa
    import pyarrow.parquet as pq

    from sim.study.sweep.disk import digest

    (path, *_) = sorted((folder / "parts").iterdir())
    table = pq.read_table(path)
    deaths = table["deaths"].to_numpy().copy()
    deaths[3] += 1
    forged = table.set_column(table.column_names.index("deaths"), "deaths", pa.array(deaths))
    pq.write_table(forged, path)
    path.rename(path.with_name(f"part-00000-{digest(path)}.parquet"))
    capsys.readouterr()
    assert main(["verify", str(folder)]) == 1
    assert f"deaths[3]: {deaths[3]}, made again {deaths[3] - 1}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("asked", [(), ("nowhere",), ("here", "there"), (".",)])
def test_what_is_no_folder_of_ours_is_refused(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["verify", *asked]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("lull: verify = ")
    assert told.err.count("\n") == 1


def test_a_difference_is_found_in_every_kind_of_file(tmp_path: Path) -> None:
    pairs = {
        "a.json": ('{"x": {"y": [1, 2]}}', '{"x": {"y": [1, 3]}}', "x.y[1]: 2, made again 3"),
        "a.yaml": ("seed: 1\noutput: {dir: a}", "seed: 2\noutput: {dir: b}", "seed: 1, made again 2"),
        "a.csv": ("p,q\n1,2\n", "p,q\n1,4\n", "line 2, q: 2, made again 4"),
        "b.csv": ("p,q\n1,2\n", "p,q\n", "line 2, p: 1, made again (nothing)"),
        "a.txt": ("one\ntwo\n", "one\nthree\n", "line 2: two, made again three"),
        "a.svg": ("<svg/>", "<svg></svg>", "drawn otherwise"),
    }
    for name, (one, other, told) in pairs.items():
        for folder, text in (("one", one), ("other", other)):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_text(text)
        assert difference(tmp_path / "one" / name, tmp_path / "other" / name) == told
        assert difference(tmp_path / "one" / name, tmp_path / "one" / name) is None
    for folder in ("one", "other"):
        (tmp_path / folder / "same.yaml").write_text(f"seed: 1\noutput: {{dir: {folder}}}")
    assert difference(tmp_path / "one" / "same.yaml", tmp_path / "other" / "same.yaml") is None


@pytest.mark.parametrize("ending", ["parquet", "nc"])
def test_a_column_that_is_missing_or_new_is_named(ending: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.{ending}" for name in ("fewer", "more")]
    for path, columns in zip(paths, ({"p": [1, 2]}, {"p": [1, 2], "q": [3, 4]}), strict=True):
        if ending == "parquet":
            pd.DataFrame(columns).to_parquet(path)
        else:
            xr.Dataset({name: ("run", one) for name, one in columns.items()}).to_netcdf(path, engine="h5netcdf")
    fewer, more = paths
    assert difference(fewer, more) == "q: new when made again"
    assert difference(more, fewer) == "q: missing when made again"
    assert difference(more, more) is None


def test_arrays_differ_by_one_bit_and_by_the_sign_of_zero() -> None:
    values = np.array([[0.1, np.nan], [0.0, 3.0]])
    assert array_difference(values, values.copy()) is None
    other = values.copy()
    other[0, 0] = np.nextafter(0.1, 1.0)
    assert array_difference(values, other) == f"[0, 0]: 0.1, made again {other[0, 0]}"
    assert array_difference(values, values * np.array([[1.0, 1.0], [-1.0, 1.0]])) == "[1, 0]: 0.0, made again -0.0"
    assert array_difference(values, values.astype(np.float32)) is not None
