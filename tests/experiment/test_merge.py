"""Shards of a sweep: each a share, made anywhere; joined they are the whole, and what does not fit is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sim
from sim import merge, open_sweep
from sim.cli import main
from sim.commands.sweep import sweep
from sim.experiment.io import digest
from sim.experiment.sweep.run_sweep import running
from sim.model.validation import UserError
from tests.experiment.sweeps import CONTROL, SHORT, StoppedError, asked, made, make_some, part_files, same, small_parts

__all__ = ["small_parts"]
pytestmark = pytest.mark.usefixtures("small_parts")

WHOLE = {**CONTROL, "study.points": 8, "study.runs": 12, "scenario": ["article", "tight_leash"]}
SHARES = 3


def shards(folder: Path, shares: int = SHARES, **changes: Any) -> list[Path]:
    """All shards of a sweep, made one by one."""
    found = [folder / f"shard{number}" for number in range(1, shares + 1)]
    for number, one in enumerate(found, 1):
        with running(asked({**WHOLE, **changes, "study.shard": f"{number}/{shares}"}, one)) as going:
            going.make()
            going.finish()
    return found


def altered(folder: Path, **changes: Any) -> None:
    """Write other entries into the manifest of a folder."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_shards_made_apart_and_joined_are_the_whole_bit_for_bit_with_one_killed_and_repeated(tmp_path: Path) -> None:
    made(WHOLE, tmp_path / "whole")
    first, second, third = shards(tmp_path)
    shutil.rmtree(second)
    share = {**WHOLE, "study.shard": f"2/{SHARES}"}
    with pytest.raises(StoppedError), running(asked(share, second)) as going:
        make_some(going, 1)
    assert len(part_files(second)) == 1
    with running(asked(share, second)) as going:
        assert 0 < len(going.missing) < len(going.store.missing()), "no part of another shard is made"
        going.make()
        going.finish()
    found = merge([third, first, second], to=tmp_path / "joined")
    assert same(tmp_path / "whole", tmp_path / "joined")
    assert part_files(tmp_path / "whole").keys() == part_files(tmp_path / "joined").keys()
    assert open_sweep(tmp_path / "joined").equals(open_sweep(tmp_path / "whole"))
    assert found.data.equals(open_sweep(tmp_path / "whole"))
    made_whole = sweep(overrides={**SHORT, **WHOLE}, to=tmp_path / "whole")
    assert made_whole.summary() == found.summary()
    assert (tmp_path / "joined/by_point.csv").read_text() == (tmp_path / "whole/by_point.csv").read_text()
    assert main(["verify", str(tmp_path / "joined")]) == 0
    with running(asked({**WHOLE, "study.runs": 14}, tmp_path / "joined")) as more:  # the joined folder can grow
        more.make()
    assert same(tmp_path / "joined", _grown(tmp_path))


def _grown(folder: Path) -> Path:
    made({**WHOLE, "study.runs": 14}, folder / "whole")
    return folder / "whole"


def test_a_shard_is_a_share_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["patron.control=interval(0.2,1)", "study.points=8", "study.runs=12", "calendar.days=140"]
    assert main(["sweep", *words, "study.shard=2/3", f"output.dir={tmp_path / 'one'}"]) == 0
    out = capsys.readouterr().out
    assert "shard 2/3" in out
    assert "3 of 8 parts are there; lull merge" in out
    with pytest.raises(UserError, match="5 of 8 parts are missing"):
        open_sweep(tmp_path / "one")
    there = np.isfinite(open_sweep(tmp_path / "one", partial=True)["injured"].values).all(1)
    assert there.tolist() == [number % 3 == 1 for number in range(8)]
    assert json.loads((tmp_path / "one/summary.json").read_text())["histories"] == 3 * 12


def test_what_is_missing_after_a_merge_is_made_by_the_command_of_the_sweep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _, third = shards(tmp_path)
    assert main(["merge", str(first), str(third), f"output.dir={tmp_path / 'joined'}"]) == 0
    assert "parts are there" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "joined/manifest.json").read_text())
    assert manifest["finished"] is None
    assert "shard" not in manifest["command"]
    before = part_files(tmp_path / "joined")
    made(WHOLE, tmp_path / "joined")
    made(WHOLE, tmp_path / "whole")
    assert same(tmp_path / "whole", tmp_path / "joined")
    assert {name: before[name] for name in before} == {
        name: found for name, found in part_files(tmp_path / "joined").items() if name in before
    }


def test_a_share_beyond_the_parts_is_empty_and_joins_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["patron.control=0.3,0.9", "study.runs=4", "calendar.days=140"]
    for number in (1, 2, 3):
        assert main(["sweep", *words, f"study.shard={number}/3", f"output.dir={tmp_path / str(number)}"]) == 0
    assert "0 of 1 parts are there" in capsys.readouterr().out
    assert main(["merge", *(str(tmp_path / str(one)) for one in (3, 1, 2)), f"output.dir={tmp_path / 'all'}"]) == 0
    assert open_sweep(tmp_path / "all").sizes["run"] == 4


@pytest.mark.parametrize(
    ("shard", "line"),
    [
        ("4/3", "study.shard = 4/3: allowed number/shares, such as 3/20 for the third of twenty"),
        ("0/3", "study.shard = 0/3: allowed number/shares"), ("third", "study.shard = third: allowed number/shares"),
    ],
)  # fmt: skip
def test_a_share_that_there_is_not_is_refused(shard: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        asked({**WHOLE, "study.shard": shard}, tmp_path / "here")
    assert str(caught.value).startswith(line)
    with pytest.raises(UserError, match=r"null with study\.precision"):
        asked({**WHOLE, "study.shard": "1/2", "study.precision": {"war": 0.1}})
    with pytest.raises(UserError, match=r"study\.shard = '1/2': allowed null: lull run does not read it"):
        sim.run(overrides={"study.shard": "1/2"})
    assert not (tmp_path / "here").exists()


def another(part: Path, folder: Path) -> None:
    """The part with one number changed, under the name that this makes right."""
    table = pq.read_table(part)
    deaths = table.column("deaths").to_numpy().copy()
    deaths[0] += 1
    place = table.column_names.index("deaths")
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array(deaths)), folder / "new")
    (folder / "new").rename(folder / f"{part.name[:10]}-{digest(folder / 'new')}.parquet")


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "another seed": ({"seed": 6}, "seed = 6: allowed 5, as in this sweep"),
    "other points": ({"study.points": 16}, "points_digest as in"),
    "other runs": ({"study.runs": 16}, "parts as in"),
    "another world": ({"mechanisms.fear": False}, "mechanisms.fear = false: allowed true"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_shard_of_another_sweep_is_refused_and_nothing_is_left(case: str, tmp_path: Path) -> None:
    changes, line = OTHERS[case]
    first, *_ = shards(tmp_path / "one")
    _, second, _ = shards(tmp_path / "other", **changes)
    with pytest.raises(UserError) as caught:
        merge([first, second], to=tmp_path / "joined")
    assert line in str(caught.value)
    assert not (tmp_path / "joined").exists()


def test_what_is_damaged_differs_or_is_no_shard_is_refused(tmp_path: Path) -> None:
    first, second, third = shards(tmp_path)
    joined = tmp_path / "joined"

    def refused(folders: list[Path], line: str, to: Path = joined) -> None:
        with pytest.raises(UserError) as caught:
            merge(folders, to=to)
        assert line in str(caught.value)
        assert not joined.exists()

    refused([first], "two folders of shards or more")
    refused([first, first], "two folders of shards or more")
    refused([first, tmp_path], "a folder that lull made")
    refused([first, second], "another folder than those", first)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/mine.txt").write_text("mine")
    refused([first, second], "a new folder", tmp_path / "taken")

    copied = tmp_path / "copied"
    shutil.copytree(first, copied)
    part = sorted((copied / "parts").glob("*.parquet"))[0]
    twin = part.with_name(part.name.replace(part.name[11:15], "0000" if part.name[11:15] != "0000" else "1111"))
    part.rename(twin)
    refused([second, copied], "is damaged")
    twin.unlink()
    shutil.copyfile(sorted((third / "parts").glob("*.parquet"))[0], part)
    refused([second, copied], "is damaged")
    shutil.copytree(first, copied, dirs_exist_ok=True)
    part.unlink()
    another(sorted((first / "parts").glob("*.parquet"))[0], part.parent)
    refused([first, copied], "theirs differ")
    altered(third, versions={**json.loads((third / "manifest.json").read_text())["versions"], "numba": "99.0"})
    refused([first, third], "this shard has 99.0")
    altered(third, verb="run")
    refused([first, third], "")
    assert merge([first, second], to=joined).folder == joined.resolve()
