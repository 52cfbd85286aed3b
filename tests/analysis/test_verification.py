"""Verifying a folder: what is the same is said to be, and any one bit that differs is named by its place."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sim import verify
from sim.analysis.verification import array_difference, difference
from sim.cli import main
from sim.experiment.result_dir import MANIFEST
from sim.model.validation import UserError

pytestmark = pytest.mark.usefixtures("small_sides")
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
    """Write size and checksum of an altered file into the manifest, as a forger would."""
    content = (folder / name).read_bytes()
    about = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewritten(folder, files={**manifest_in(folder)["files"], name: about})


def manifest_in(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return manifest


def rewritten(folder: Path, **changes: Any) -> None:
    """Change entries of a manifest."""
    (folder / MANIFEST).write_text(json.dumps(manifest_in(folder) | changes))


def told_by(folder: Path, code: int, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What `lull verify` says of a folder, in one line where it cannot be compared."""
    capsys.readouterr()
    assert main(["verify", str(folder), *more]) == code
    said = capsys.readouterr()
    if code == 2:
        assert (said.out, said.err.count("\n")) == ("", 1)
    return " ".join((said.err if code == 2 else said.out).split())


def test_a_folder_is_what_its_manifest_makes(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["verify", str(made)]) == 0
    assert f"{len(manifest_in(made)['files'])} files, no difference" in " ".join(capsys.readouterr().out.split())


def test_python_asks_as_the_command_does(made: Path, tmp_path: Path) -> None:
    found = verify(made)
    assert (found.compared, found.first) == (len(manifest_in(made)["files"]), None)
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

    from sim.experiment.io import digest

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
    assert told.err.startswith(("lull: verify = ", "lull: override = there: "))
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


# --- hostile and damaged folders ------------------------------------------------------------------------------

ABSENT = object()
DEEP = "[" * 100_000 + "]" * 100_000
RECORD = {"key": "extensions", "name": "a.py", "path": "/a.py", "copy": "input-1-a.py", "sha256": ""}
FILE = {"bytes": 3, "sha256": "0" * 64}
MALFORMED: list[tuple[str, Any]] = [
    *((key, value) for key in ("verb", "command", "scenario", "began", "source_hash") for value in (3, None, ["run"])),
    *(("verb", value) for value in ("", "app", "verify", "bench", "check-extension", "../run", "os", "run\0")),
    *(("overrides", value) for value in (ABSENT, None, "seed=1", 3, {"seed": 1}, [3], [["seed=1"]], [None])),
    *(("overrides", [value]) for value in ("seed=1\0", "nonsense", "=", "", "seed=1,2", "hydra.run.dir=x", "+=")),
    *(("overrides", [value]) for value in ("seed=" + "9" * 5000, "study={table: /dev/zero}", "study={policies: x}")),
    *(("overrides", [value]) for value in ("names.patron=${oc.env:HOME}", "study.points=3", "trust=true")),
    *(("config_dir", value) for value in (ABSENT, 3, ["/"], {})),
    *(("inputs", value) for value in list[Any]((3, None, {}, [3], [{}]))),
    *(("inputs", [{**RECORD, **value}]) for value in list[Any](({"copy": None}, {"path": "a\0"}))),
    *(("inputs", [{**RECORD, "copy": value}]) for value in ("/etc/passwd", "../a.py", "a/b.py", ".a.py", "", 3, "a\0")),
    *(("inputs", [{**RECORD, "key": "--config-dir", "name": one}]) for one in ("/x.yaml", "../x.yaml", "a/../x.yaml")),
    *(("seed", value) for value in (ABSENT, "1", None, 1.5, [])),
    *(("versions", value) for value in (ABSENT, None, [], "1", {"numpy": 2}, {"numpy": None})),
    *(("files", value) for value in list[Any]((None, [], 3, "run"))),
    *(("files", {"a": value}) for value in list[Any]((3, {}, {"sha256": 3, "bytes": 1}))),
    *(("files", {name: FILE}) for name in ("", ".", "../a", "/etc/passwd", "a/b", "a\\b", "a\0b", "a\nb", "x" * 300)),
    *(("files", {one: FILE}) for one in ("configs/a", "configs/../a", "configs/x/../a", "configs/x/y/a", "other/x/a")),
    *(("files", {"a": {"sha256": "", "bytes": value}}) for value in (ABSENT, None, "3", 1.5)),
    *(("format", value) for value in (ABSENT, None, 0, 2, "1", [1])),
    *(("made_by", value) for value in (ABSENT, None, "somebody", ["lull"])),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_manifest_cannot_be_compared(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: Any
) -> None:
    folder = copied(made, tmp_path / "run")
    manifest = manifest_in(folder) | {key: value}
    if key == "files" and isinstance(value, dict):
        value = {name: {k: v for k, v in one.items() if v is not ABSENT} if isinstance(one, dict) else one
                 for name, one in value.items()}  # fmt: skip
        manifest["files"] = value
    if value is ABSENT:
        del manifest[key]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert told_by(folder, 2, capsys).startswith("lull: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "null",
        "[]",
        "{",
        "\0",
        DEEP,
        '{"made_by": ' + "9" * 10_000 + "}",
        '"lull"',
        "\ufeff{}",
        '{"made_by": "lull"}',
    ],
    ids=range(11),
)
def test_a_manifest_that_is_none_cannot_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / MANIFEST).write_text(text)
    assert told_by(tmp_path, 2, capsys).startswith("lull: verify = ")


@pytest.mark.parametrize("kind", ["link", "device", "pipe", "folder", "bytes", "large"])
def test_a_manifest_that_is_no_file_of_text_is_not_read(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / MANIFEST
    {
        "link": lambda: path.symlink_to(made / MANIFEST),
        "device": lambda: path.symlink_to("/dev/zero"),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "bytes": lambda: path.write_bytes(b"\xff\xfe\x00"),
        "large": lambda: path.open("wb").truncate(10**12),
    }[kind]()
    assert told_by(tmp_path, 2, capsys).startswith("lull: verify = ")


SWEPT = ("sweep", "patron.control=0.3,0.9", "study.runs=8")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verified") / "sweep"
    assert main([*SWEPT, f"output.dir={folder}"]) == 0
    return folder


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, value) for key in ("points", "runs") for value in list[Any]((None, "3", 0, -1, 1.5, [], 10**30))),
        *(("parts", value) for value in list[Any]((None, 3, {}, [3], [[1, 2]], [[[0, 1]]], [[[0, 2], [0, "8"]]]))),
        *(("parts", [[span, [0, 8]]]) for span in ([0, 10**9], [-1, 2], [2, 0], [0, 10**30])),
        ("points_digest", None),
        ("points_digest", 3),
        ("command", 3),
        ("overrides", ["study.table=/dev/zero"]),
        ("overrides", ["++study.table=/dev/zero"]),
        ("overrides", ["seed=1"]),
        ("config_dir", "/"),
    ],
)  # fmt: skip
def test_a_malformed_manifest_of_a_sweep_cannot_be_compared(
    swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: Any
) -> None:
    folder = tmp_path / "sweep"
    shutil.copytree(swept, folder)
    rewritten(folder, **{key: value})
    assert told_by(folder, 2, capsys).startswith("lull: ")


def test_what_lies_in_a_sweep_is_compared_with_its_manifest(
    swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sweep"
    shutil.copytree(swept, folder)
    assert "not compared, for they are worked out from the histories: by_point.csv" in told_by(folder, 0, capsys)
    (part,) = (folder / "parts").iterdir()
    for name in ("note.txt", "part-00007-0000000000000000.parquet"):
        (folder / "parts" / name).write_text("mine")
        assert f"parts/{name}: not in the manifest" in told_by(folder, 1, capsys)
        (folder / "parts" / name).unlink()
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("seed: 1\n", "seed: 2\n"))
    assert "config.yaml, seed: not as made again" in told_by(folder, 1, capsys)
    (folder / "config.yaml").write_text(text)
    points = (folder / "points.parquet").read_bytes()
    (folder / "points.parquet").write_bytes(b"none")
    assert "points.parquet: altered after it was made" in told_by(folder, 1, capsys)
    (folder / "points.parquet").write_bytes(points)
    part.unlink()
    assert "part 0: missing" in told_by(folder, 1, capsys)
    part.symlink_to("/dev/zero")
    assert f"{part.name} is no regular file" in told_by(folder, 2, capsys)


def test_what_is_listed_made_and_lying_there_is_compared(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(made, tmp_path / "run")
    files = manifest_in(folder)["files"]
    (folder / "notes.txt").write_text("mine")
    assert "notes.txt: not in the manifest" in told_by(folder, 1, capsys)
    signed(folder, "notes.txt")
    assert "notes.txt: not made again" in told_by(folder, 1, capsys)
    (folder / "notes.txt").unlink()
    rewritten(folder, files={})
    assert "config.yaml: not in the manifest" in told_by(folder, 1, capsys)
    rewritten(folder, files={name: one for name, one in files.items() if name != "weekly.csv"})
    assert "weekly.csv: not in the manifest" in told_by(folder, 1, capsys)
    (folder / "weekly.csv").unlink()
    assert "weekly.csv: not in the manifest" in told_by(folder, 1, capsys)
    rewritten(folder, files=files)
    assert "weekly.csv: missing" in told_by(folder, 1, capsys)
    (folder / "weekly.csv").symlink_to("/dev/zero")
    assert "weekly.csv: no file that can be read" in told_by(folder, 1, capsys)


@pytest.mark.parametrize("name", ["config.yaml", "summary.json", "histories.nc", "outcomes.csv"])
def test_a_file_of_other_bytes_differs_whatever_they_are(made: Path, tmp_path: Path, name: str) -> None:
    for number, content in enumerate((b"", b"\0\xff", b"- 3\n", b"[" * 50_000, b"a: &a [*a]\n", b'"' + b"x" * 200_000)):
        (tmp_path / f"{number}").mkdir()
        path = tmp_path / f"{number}" / name
        path.write_bytes(content)
        assert difference(path, made / name) is not None
    with path.open("wb") as file:
        file.truncate(10**12)
    assert difference(path, made / name) == f"{10**12} bytes, made again {(made / name).stat().st_size}"


# --- what a folder brings along ---------------------------------------------------------------------------------

MARK = "LULL_TEST_MARK"
EXTENSION = f"""\
import os
from pathlib import Path

from sim import Extension, Tallied

Path(os.environ["{MARK}"]).touch()


def alarmed(now: float, war_risk: float) -> float:
    return now + 1.0 if war_risk >= 1.0 else now


EXTENSION = Extension("fears", outcomes=(Tallied("alarmed_days", "days", "days of alarm", alarmed),))
"""
OWN = "# @package _global_\nscenario: {question: Mine, departs: null}\npatron: {control: 0.4}\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments that name files of the user's: an extension that leaves a mark when it is run, and a scenario.

    The text of the extension is always the same, so that it is compiled once.
    """
    monkeypatch.setenv(MARK, str(tmp_path / "mark"))
    (tmp_path / "mine" / "scenario").mkdir(parents=True)
    (tmp_path / "mine" / "scenario" / "own.yaml").write_text(OWN)
    (tmp_path / "fears.py").write_text(EXTENSION)
    return ["--config-dir", str(tmp_path / "mine"), "scenario=own", f"extensions={tmp_path}/fears.py"]


@pytest.mark.parametrize("verb", [["run", "study.runs=20"], ["sweep", "patron.control=0.3,0.9", "study.runs=5"]])
def test_code_and_configuration_are_used_from_the_folder_alone_and_once_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], own: list[str], verb: list[str]
) -> None:
    folder = tmp_path / "result"
    assert main([*verb, *own, f"output.dir={folder}"]) == 0
    (tmp_path / "mark").unlink()
    shutil.rmtree(tmp_path / "mine")
    (tmp_path / "fears.py").write_text("raise SystemExit(77)")
    line = told_by(folder, 2, capsys)
    assert line.startswith("lull: trust = false: allowed true, once you have read the files")
    assert "(extensions, --config-dir)" in line
    assert not (tmp_path / "mark").exists()
    assert "no difference" in told_by(folder, 0, capsys, "trust=true")
    assert (tmp_path / "mark").exists()
    with pytest.raises(UserError, match=r"^trust = false"):
        verify(folder)
    assert verify(folder, trust=True).first is None

    (tmp_path / "mark").unlink()
    (copy,) = folder.glob("input-*-fears.py")
    content = copy.read_text()
    copy.write_text(content + "\n")
    assert "extensions = " in told_by(folder, 2, capsys, "trust=true")
    copy.unlink()
    assert "extensions = " in told_by(folder, 2, capsys, "trust=true")
    copy.symlink_to(tmp_path / "fears.py")
    assert "no regular file" in told_by(folder, 2, capsys, "trust=true")
    copy.unlink()
    copy.write_text(content)
    other = f"extensions={tmp_path}/other.py"
    (tmp_path / "other.py").write_text(content)
    before = manifest_in(folder)["overrides"]
    rewritten(folder, overrides=[*before, other])
    assert "a folder that records the extensions" in told_by(folder, 2, capsys, "trust=true")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("data", ["/dev/zero", "/etc/passwd", "missing.csv"])
def test_data_are_read_only_where_they_are_recorded(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: str
) -> None:
    folder = copied(made, tmp_path / "run")
    rewritten(folder, verb="calibrate", overrides=[f"data={data}"])
    assert told_by(folder, 2, capsys).startswith("lull: trust = false")
    assert "a folder that records the data" in told_by(folder, 2, capsys, "trust=true")
    record = {"key": "data", "name": data, "path": data, "copy": None, "sha256": "0" * 64}
    rewritten(folder, inputs=[record])
    assert told_by(folder, 2, capsys, "trust=true").startswith(
        f"lull: data = {data}: allowed the file that was recorded"
    )


def test_a_cluster_and_a_folder_are_not_taken_from_a_manifest(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(made, tmp_path / "run")
    more = [
        "engine.cluster=tcp://127.0.0.1:1",
        "++engine.threads=1",
        f"output.dir={tmp_path}/elsewhere",
        "output={dir: x}",
    ]
    rewritten(folder, overrides=[*manifest_in(folder)["overrides"], *more])
    assert "no difference" in told_by(folder, 0, capsys)
    assert not (tmp_path / "elsewhere").exists()
