"""The store: few files that any reader understands, never torn, damage named, one writer at a time."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sim.cli import main
from sim.commands.sweep import sweep as live_sweep
from sim.engine.batch import run_batch
from sim.engine.inputs import build_inputs
from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.io import LOCK, HashingFile, atomic_write, digest, locked
from sim.experiment.result_dir import versions
from sim.experiment.sweep.design import Batch, runs_of
from sim.experiment.sweep.run_sweep import digest_in, findings, running
from sim.experiment.sweep.store import DamagedPart, open_sweep
from sim.experiment.sweep.worker import simulate as simulate_batch
from sim.model.validation import UserError
from tests.experiment.sweeps import (
    CONTROL,
    SHORT,
    asked,
    made,
    part_files,
    rows_of,
    same,
    small_parts,
    stop_after,
    store_in,
)

__all__ = ["small_parts"]

SOBOL = {**CONTROL, "study.points": 8, "study.runs": 12}
CROSSED = {**SOBOL, "scenario": ["article", "tight_leash"], "militia.nujaba_iraq.autonomy": [0.2, 0.8]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of several parts, not to be altered."""
    folder = tmp_path_factory.mktemp("finished") / "sweep"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.experiment.sweep.design.LEAST_ROWS", 64)
        made(CROSSED, folder)
    return folder


# --- what is inside -----------------------------------------------------------------------------------------


def test_few_files_and_no_others(finished: Path) -> None:
    found = sorted(path.name for path in finished.iterdir())
    assert found == [LOCK, "config.yaml", "manifest.json", "parts", "points.parquet"]
    names = [path.name for path in (finished / "parts").iterdir()]
    assert len(names) == len(store_in(finished).parts) == 4
    assert all(digest(finished / "parts" / name) == name[11:27] for name in names)


def test_pandas_reads_it_without_this_package(finished: Path) -> None:
    rows = pd.read_parquet(finished / "parts").merge(pd.read_parquet(finished / "points.parquet"), on="point")
    assert len(rows) == 16 * 12
    means = rows.groupby(["scenario", "sample"], observed=True)["acknowledged_lull"].mean()
    data = open_sweep(finished)
    tight = data["acknowledged_lull"].isel(point=data["scenario"].values == "tight_leash").mean("run").values
    assert np.array_equal(means["tight_leash"], tight)


def test_parts_and_points_say_what_they_are(finished: Path) -> None:
    part = pq.read_schema(next((finished / "parts").glob("*.parquet")))
    assert part.field("deaths").metadata[b"units"] == b"soldiers"
    assert part.field("theatre_attacks.iraq.lull").metadata[b"long_name"] == b"attacks in iraq, window lull"
    assert {str(part.field(name).type) for name in ("point", "run", "deaths", "war")} == {"int32"}
    inside = json.loads(part.metadata[b"lull"])
    assert (inside["seed"], inside["scenario"]) == (5, "article")
    assert {"source_hash", "versions"} <= set(inside)
    control = pq.read_schema(finished / "points.parquet").field("patron.control").metadata
    assert (control[b"units"], control[b"valid_min"], control[b"valid_max"]) == (b"1", b"0", b"1")
    assert control[b"provenance"]
    autonomy = pq.read_schema(finished / "points.parquet").field("militia.nujaba_iraq.autonomy").metadata
    assert (
        autonomy[b"source"] == asked(CROSSED).config.scenario.cast.sources["militia.nujaba_iraq.autonomy"].text.encode()
    )


def test_the_dataset_is_labelled_lazy_and_the_same_as_the_parts(finished: Path) -> None:
    data = open_sweep(finished)
    rows = rows_of(finished)
    assert dict(data.sizes) == {"point": 16, "run": 12, "theatre": 6, "window": 3}
    assert all(data[name].chunks is not None for name in data.data_vars)
    for name in OUTCOMES_BY_NAME:
        assert data[name].attrs["units"] == OUTCOMES_BY_NAME[name].unit
        assert np.array_equal(data[name].values.ravel(), rows[name])
    counts = data["theatre_acknowledged"].sel(theatre="syria", window="campaign")
    assert np.array_equal(counts.values.ravel(), rows["theatre_acknowledged.syria.campaign"])
    assert data["patron.control"].attrs["units"] == "1"
    assert data["scenario"].values.tolist() == ["article", "tight_leash"] * 8
    assert data["sample"].values.tolist() == np.repeat(np.arange(8), 2).tolist()
    assert {"seed", "scenario", "source_hash", "versions", "configuration", "command"} <= set(data.attrs)


def test_an_unfinished_sweep_is_opened_only_when_asked(tmp_path: Path, small_parts: None) -> None:
    stop_after(3, SOBOL, tmp_path)
    with pytest.raises(UserError, match="5 of 8 parts are missing; lull sweep"):
        open_sweep(tmp_path)
    data = open_sweep(tmp_path, partial=True)
    there = np.isfinite(data["injured"].values)
    assert there[:3].all()
    assert not there[3:].any()
    assert np.array_equal(data["injured"].values[:3].ravel(), rows_of(tmp_path)["injured"])


def test_what_is_no_sweep_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the folder of a sweep"):
        open_sweep(tmp_path)


def test_findings_by_point_are_those_of_the_rows(finished: Path) -> None:
    store = store_in(finished)
    found = {one.name: one for one in findings(open_sweep(finished), runs_of(store.parts, store.points))}
    grouped = rows_of(finished).groupby("point")
    assert np.allclose(found["injured"].values, grouped["injured"].mean())
    assert np.allclose(found["injured"].errors, grouped["injured"].std() / np.sqrt(12))
    assert np.array_equal(found["deaths"].values, grouped["deaths"].max()), "of 12 runs, the 95 % quantile is the last"
    assert found["deaths"].by == "95 % quantile"
    assert found["war_day"].by == "median"


# --- never torn ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
def test_whatever_is_visible_is_whole(tmp_path: Path) -> None:
    seen = 0

    def look(_: int) -> None:
        nonlocal seen
        for path in (tmp_path / "parts").glob("*.parquet"):
            assert digest(path) == path.name[11:27]
            assert pq.read_metadata(path).num_rows == 12
            seen += 1

    with running(asked(SOBOL, tmp_path)) as going:
        going.make(look)
    assert seen > 8


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def write_half() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


# --- a full disk --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
def test_a_full_disk_loses_nothing_that_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(SOBOL, tmp_path / "whole")
    folder = tmp_path / "sweep"
    command = [
        "sweep",
        "patron.control=interval(0.2,1.0)",
        "study.points=8",
        "study.runs=12",
        "calendar.days=140",
        "seed=5",
    ]
    write = HashingFile.write

    def full(self: HashingFile, data: Any) -> int:
        if len(list((folder / "parts").glob("*.parquet"))) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, data)

    monkeypatch.setattr(HashingFile, "write", full)
    assert main([*command, f"output.dir={folder}"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "a disk that takes it (No space left on device); 3 of 8 parts are finished, the same command goes on" in told
    before = part_files(folder)
    assert len(before) == 3
    assert not [path for path in folder.rglob("*") if path.name.endswith(".partial")]
    monkeypatch.setattr(HashingFile, "write", write)
    assert main([*command, f"output.dir={folder}"]) == 0
    after = part_files(folder)
    assert {name: after[name] for name in before} == before
    assert same(tmp_path / "whole", folder)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from sim.commands.sweep import sweep
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
from tests.experiment.sweeps import SHORT
try:
    sweep(overrides={**SHORT, "patron.control": [0.2, 0.9], "study.runs": 1500}, to=Path(sys.argv[1]))
except Exception as problem:
    print(type(problem).__name__, problem)
"""


@pytest.mark.skipif(os.name == "nt", reason="no limits on files")
def test_a_disk_that_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "sweep")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.startswith("UserError output.dir = ")
    assert "File too large" in told
    assert list((tmp_path / "sweep" / "parts").iterdir()) == []


# --- damage -------------------------------------------------------------------------------------------------


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(bytes(content))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("damage", [truncated, altered, emptied])
def test_a_damaged_part_is_named_and_made_anew(tmp_path: Path, damage: Any, capsys: pytest.CaptureFixture[str]) -> None:
    made(SOBOL, tmp_path)
    rows, before = rows_of(tmp_path), part_files(tmp_path)
    victim = sorted((tmp_path / "parts").iterdir())[2]
    assert store_in(tmp_path).damaged() == []
    damage(victim)
    assert store_in(tmp_path).damaged() == [victim]
    with pytest.raises(DamagedPart, match=victim.name):
        open_sweep(tmp_path).load()
    said: list[str] = []
    with running(asked(SOBOL, tmp_path), said.append) as going:
        assert [part.number for part in going.missing] == [2]
        going.make()
    assert said == [f"{victim.name} is damaged: its bytes are not those that were written; it is made anew"]
    after = part_files(tmp_path)
    assert {name: one[0] for name, one in after.items()} == {name: one[0] for name, one in before.items()}
    assert {name: one for name, one in after.items() if name != victim.name}.items() <= before.items()
    assert rows_of(tmp_path).equals(rows)


@pytest.mark.parametrize("damage", [truncated, emptied, Path.unlink])
def test_damaged_points_are_named_and_written_anew(tmp_path: Path, damage: Any) -> None:
    made(CROSSED, tmp_path)
    points, before = (tmp_path / "points.parquet").read_bytes(), part_files(tmp_path)
    damage(tmp_path / "points.parquet")
    with pytest.raises(DamagedPart, match=r"points\.parquet is damaged"):
        open_sweep(tmp_path)
    said: list[str] = []
    with running(asked(CROSSED, tmp_path), said.append) as going:
        assert going.missing == []
    assert said == ["points.parquet is damaged: its points are not those that were written; it is written anew"]
    assert (tmp_path / "points.parquet").read_bytes() == points
    assert part_files(tmp_path) == before


# --- whose parts --------------------------------------------------------------------------------------------

TABLED = {"study.runs": 12}
"""A sweep of a table, whose values are in no identity."""


def foreign(kind: str, folder: Path, elsewhere: Path) -> Path:
    """Put a file that is no part of it among the parts of a finished sweep."""
    parts = sorted((folder / "parts").iterdir())
    if kind == "another seed":
        made({**SOBOL, "seed": 6}, elsewhere)
    elif kind == "another axis":
        made({**SOBOL, "patron.control": (0.9, 1.0)}, elsewhere)
    elif kind == "other sources":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sim.experiment.sweep.configs.deciding_hash", lambda: "0123456789abcdef")
            made(SOBOL, elsewhere)
    elif kind == "copied to another number":
        parts[1].unlink()
        victim = folder / "parts" / parts[0].name.replace("00000", "00001")
        shutil.copy(parts[0], victim)
        return victim
    elif kind == "twice":
        store = store_in(folder)
        part = store.parts[0]
        rows = simulate_batch(asked(SOBOL).work, Batch(part.points, part.runs), 1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sim.experiment.sweep.store.source_hash", lambda: "0123456789abcdef")
            with store.writing(part, asked(SOBOL).work.columns, digest_in(asked(SOBOL), part)) as writer:
                writer.add(rows)
        (victim,) = {*(folder / "parts").iterdir()} - {*parts}
        return max(victim, parts[0])
    elif kind == "another number of rows":
        file = pq.read_table(parts[0])
        pq.write_table(file.slice(0, 5), folder / "cut.parquet")
        parts[0].unlink()
        return (folder / "cut.parquet").rename(
            folder / "parts" / f"part-00000-{digest(folder / 'cut.parquet')}.parquet"
        )
    else:
        name = {"a number of none": "part-00099-" + parts[0].name[11:], "a name of its own": "copy of a part.parquet"}
        return Path(shutil.copy(parts[0], folder / "parts" / name[kind]))
    parts[0].unlink()
    return Path(shutil.copy(sorted((elsewhere / "parts").iterdir())[0], folder / "parts"))


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("another seed", "seed 6 instead of 5"),
        ("another axis", "its points stand for other values"),
        ("other sources", "it is of a sweep with other settings or sources"),
        ("copied to another number", r"points \[0, 1\] instead of \[1, 2\]"),
        ("twice", "there is another part 0"),
        ("another number of rows", "5 rows instead of 12"),
        ("a number of none", "no part of this sweep has that name"),
        ("a name of its own", "no part of this sweep has that name"),
    ],
)
def test_a_foreign_part_is_named_and_refused_on_resume_and_on_open(tmp_path: Path, kind: str, why: str) -> None:
    folder = tmp_path / "it"
    made(SOBOL, folder)
    open_sweep(folder).load()
    victim = foreign(kind, folder, tmp_path / "elsewhere")
    before, manifest = part_files(folder), (folder / "manifest.json").read_bytes()
    line = rf"allowed parts of this sweep alone; remove parts/{victim.name} from there: {why}"
    for attempt in (lambda: made(SOBOL, folder), lambda: open_sweep(folder, partial=True)):
        with pytest.raises(UserError, match=line) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    (folder / "manifest.json").unlink()
    with pytest.raises(UserError, match=line):
        made(SOBOL, folder)
    assert not (folder / "manifest.json").exists()
    assert part_files(folder) == before
    (folder / "manifest.json").write_bytes(manifest)
    victim.unlink()
    made(SOBOL, folder)
    assert len(part_files(folder)) == 8


def test_a_part_of_another_table_is_refused(tmp_path: Path) -> None:
    for name, values in (("one", [0.2, 0.4]), ("two", [0.2, 0.5])):
        live_sweep(overrides={**SHORT, **TABLED}, to=tmp_path / name, points=pd.DataFrame({"patron.control": values}))
    one, two = (next((tmp_path / name / "parts").iterdir()) for name in ("one", "two"))
    one.unlink()
    shutil.copy(two, one.parent)
    with pytest.raises(UserError, match=f"remove parts/{two.name} from there: its points stand for other values"):
        open_sweep(tmp_path / "one")


def test_a_sweep_cut_short_adopts_its_own_parts_and_no_others(tmp_path: Path, capsys: Any) -> None:
    words = ["calendar.days=140", "study.points=4", "study.runs=10", f"output.dir={tmp_path / 'it'}"]
    assert main(["sweep", "patron.control=interval(0.2,1)", *words, "seed=1"]) == 0
    kept = part_files(tmp_path / "it")
    for path in (tmp_path / "it").iterdir():
        if path.name not in (LOCK, "config.yaml", "points.parquet", "parts"):
            path.unlink()
    assert main(["sweep", "patron.control=interval(0.9,1)", *words, "seed=2"]) == 2
    error = capsys.readouterr().err
    assert f"remove parts/{next(iter(kept))} from there: seed 1 instead of 2" in error
    assert error.count("\n") == 1
    assert part_files(tmp_path / "it") == kept
    assert not (tmp_path / "it" / "manifest.json").exists()
    assert main(["sweep", "patron.control=interval(0.2,1)", *words, "seed=1"]) == 0
    assert part_files(tmp_path / "it") == kept


@pytest.mark.usefixtures("small_parts")
def test_sensitivity_and_discover_refuse_foreign_parts_too(tmp_path: Path, capsys: Any) -> None:
    own = ["patron.control=interval(0.2,1)", "sensitivity.method=morris", "sensitivity.samples=8", "study.runs=8"]
    for seed in (1, 2):
        assert (
            main(["sensitivity", *own, "calendar.days=140", f"seed={seed}", f"output.dir={tmp_path / str(seed)}"]) == 0
        )
        made({**CONTROL, "study.points": 64, "study.runs": 2, "seed": seed}, tmp_path / f"swept{seed}")
    capsys.readouterr()
    for first, words in (
        ("", ["sensitivity", *own, "calendar.days=140", "seed=1", f"output.dir={tmp_path / '1'}"]),
        ("swept", ["sensitivity", f"sensitivity.sweep={tmp_path / 'swept1'}"]),
        ("swept", ["discover", "discover.where=war", f"discover.sweep={tmp_path / 'swept1'}"]),
    ):
        (folder, other) = (tmp_path / f"{first}{seed}" / "parts" for seed in (1, 2))
        for path in folder.glob("part-00000-*"):
            path.unlink()
        (part,) = other.glob("part-00000-*")
        shutil.copy(part, folder)
        assert main(words) == 2
        error = capsys.readouterr().err
        assert f"remove parts/{part.name} from there: seed 2 instead of 1" in error
        assert error.count("\n") == 1


def test_points_of_another_sweep_are_refused_on_open(tmp_path: Path) -> None:
    made(SOBOL, tmp_path / "one")
    made({**SOBOL, "patron.control": (0.9, 1.0)}, tmp_path / "two")
    shutil.copy(tmp_path / "two" / "points.parquet", tmp_path / "one")
    with pytest.raises(DamagedPart, match=r"points\.parquet is damaged \(its points are not those"):
        open_sweep(tmp_path / "one")


def test_stores_whose_parts_say_less_are_still_opened(tmp_path: Path) -> None:
    made(SOBOL, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    (path,) = (tmp_path / "parts").iterdir()
    rows = pq.read_table(path)
    said = {**json.loads(rows.schema.metadata[b"lull"]), "format": 1}
    old = {key: value for key, value in said.items() if key not in ("identity", "points_digest")}
    path.unlink()
    pq.write_table(rows.replace_schema_metadata({"lull": json.dumps(old)}), tmp_path / "old.parquet")
    (tmp_path / "old.parquet").rename(path.with_name(f"part-00000-{digest(tmp_path / 'old.parquet')}.parquet"))
    assert open_sweep(tmp_path).load().sizes["point"] == 8


# --- which libraries ----------------------------------------------------------------------------------------


def others(monkeypatch: pytest.MonkeyPatch, **numbers: str) -> None:
    """Go on as a process in which some libraries have other versions."""
    here = {**versions(), **numbers}
    for module in ("store", "run_sweep"):
        monkeypatch.setattr(f"sim.experiment.sweep.{module}.versions", lambda: here)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("name", ["numba", "llvmlite", "numpy"])
def test_other_libraries_that_compute_are_refused_unless_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    stop_after(3, SOBOL, tmp_path)
    before = part_files(tmp_path)
    others(monkeypatch, **{name: "99.0"})
    with pytest.raises(UserError) as caught:
        made(SOBOL, tmp_path)
    assert str(caught.value) == (
        f"{name} = 99.0: allowed {versions()[name]}, as in {tmp_path}; study.accept_versions=true goes on with 99.0;"
        " or another output.dir"
    )
    assert part_files(tmp_path) == before
    accepted = {**SOBOL, "study.accept_versions": True}
    said: list[str] = []
    with running(asked(accepted, tmp_path), said.append) as going:
        going.make()
    assert any(one == f"{name} is 99.0; what is there was made with {versions()[name]}" for one in said)
    stated = [json.loads(pq.read_schema(path).metadata[b"lull"]) for path in sorted((tmp_path / "parts").iterdir())]
    assert [one["versions"][name] for one in stated] == [versions()[name]] * 3 + ["99.0"] * 5
    assert f"{name} {versions()[name]} and 99.0" in open_sweep(tmp_path).attrs["versions"]


@pytest.mark.usefixtures("small_parts")
def test_other_libraries_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(3, SOBOL, tmp_path)
    others(monkeypatch, xarray="99.0")
    monkeypatch.setattr("sim.experiment.sweep.store.source_hash", lambda: "0123456789abcdef")
    said: list[str] = []
    with running(asked(SOBOL, tmp_path), said.append) as going:
        going.make()
    assert said[-1] == f"xarray is 99.0; what is there was made with {versions()['xarray']}"
    assert open_sweep(tmp_path).attrs["source_hash"].endswith(" and 0123456789abcdef")
    others(monkeypatch, numpy="99.0")
    with running(asked(SOBOL, tmp_path), said.append) as going:
        assert going.missing == [], "what is finished may be read with any version"


# --- one at a time ------------------------------------------------------------------------------------------

HOLDING = """
import sys, time
from pathlib import Path
from sim.experiment.io import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.usefixtures("small_parts")
def test_two_processes_do_not_write_to_one_store(tmp_path: Path) -> None:
    stop_after(2, SOBOL, tmp_path)
    before = part_files(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLDING, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(
            UserError, match=f"one sweep at a time; process {holder.pid} on .*, since .*, is writing there"
        ):
            made(SOBOL, tmp_path)
        assert part_files(tmp_path) == before
    finally:
        holder.kill()
        holder.wait()
    said: list[str] = []
    with running(asked(SOBOL, tmp_path), said.append) as going:
        going.make()
    assert len(said) == 1
    assert said[0].startswith(f"process {holder.pid} on ")
    assert "ended without finishing; going on from what it left" in said[0]


def test_a_lock_that_was_given_back_is_not_stale(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path) as left:
            assert left is None


# --- whose folder -------------------------------------------------------------------------------------------


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(UserError, match="a new folder, an empty one, or a sweep to go on with"):
        made(SOBOL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UserError, match="a folder; this is a file"):
        made(SOBOL, tmp_path / "thesis.tex")


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"made_by": "lull", "verb": "sweep", "format": 99}))
    with pytest.raises(UserError, match="a sweep of format 2; this one has 99"):
        open_sweep(tmp_path)


def test_histories_in_the_store_are_those_of_the_engine(finished: Path) -> None:
    sweep, rows = asked(CROSSED), rows_of(finished)
    columns = sweep.design.columns(0, 8)
    for arm, group in enumerate(sweep.groups):
        table = build_inputs(group.config.scenario, columns)
        output = run_batch(table, 5, np.tile(np.arange(12), 8), points=np.repeat(np.arange(8), 12))
        mine = rows[rows["point"] % 2 == arm]
        assert np.array_equal(mine["injured"], output.rows[:, 2])
        assert np.array_equal(mine["deaths"], output.rows[:, 0])
