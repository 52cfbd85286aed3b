"""A folder of results is there complete or not at all, and never at the cost of somebody else's files."""

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from sim.cli import main
from sim.experiment.command import Request
from sim.experiment.options import OWN, declared
from sim.experiment.result_dir import MANIFEST, files_named, read_manifest, result_folder
from sim.model.scenario import Config, load
from sim.model.validation import UserError

CONFIG = load(["output.dir=result", "seed=7"])
REQUEST = Request("run", ("output.dir=result", "seed=7"))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content; empty folders by name."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{path.relative_to(folder)}/"] = b""
    return found


def leave(words: str, config: Config = CONFIG) -> None:
    """Leave a result that holds some words."""
    with result_folder(REQUEST, config) as folder:
        folder.text("words.txt", words)


def leave_half(fault: BaseException, config: Config) -> None:
    """Fail after the first file."""
    with result_folder(REQUEST, config) as folder:
        folder.text("words.txt", "half")
        raise fault


def test_it_appears_only_when_everything_is_there(tmp_path: Path) -> None:
    with result_folder(REQUEST, CONFIG) as folder:
        folder.text("words.txt", "first\n")
        assert folder.final == tmp_path / "result"
        assert not folder.final.exists()
    assert set(tree(tmp_path)) == {"result/words.txt", "result/config.yaml", "result/manifest.json"}


def test_the_manifest_says_how_to_make_it_again_and_what_it_holds(tmp_path: Path) -> None:
    leave("zäh\n")
    content = json.loads((tmp_path / "result" / MANIFEST).read_text())
    assert content == read_manifest(tmp_path / "result")
    assert content["verb"] == "run"
    assert content["overrides"] == ["output.dir=result", "seed=7"]
    assert (content["scenario"], content["seed"], content["runs"]) == ("article", 7, CONFIG.runs)
    assert set(content["versions"]) >= {"python", "numpy", "numba", "lull-sim"}
    assert set(content["files"]) == {"words.txt", "config.yaml"}
    told = content["files"]["words.txt"]
    assert told == {"bytes": 5, "sha256": hashlib.sha256("zäh\n".encode()).hexdigest()}


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_nothing(tmp_path: Path, fault: type[BaseException]) -> None:
    deep = load(["output.dir=new/and/deep"])
    with pytest.raises(fault):
        leave_half(fault(), deep)
    assert tree(tmp_path) == {}


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    leave("first")
    before = tree(tmp_path)
    with pytest.raises(ValueError, match="broken"):
        leave_half(ValueError("broken"), CONFIG)
    assert tree(tmp_path) == before


def test_a_number_that_json_lacks_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"), result_folder(REQUEST, CONFIG) as folder:
        folder.json("bad.json", {"value": float("nan")})
    assert tree(tmp_path) == {}


def test_a_result_of_ours_is_replaced_whole(tmp_path: Path) -> None:
    with result_folder(REQUEST, CONFIG) as folder:
        folder.text("old.txt", "first")
    leave("second")
    assert set(tree(tmp_path)) == {"result/words.txt", "result/config.yaml", "result/manifest.json"}
    assert (tmp_path / "result" / "words.txt").read_text() == "second"


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "result").mkdir()
    leave("first")
    assert (tmp_path / "result" / "words.txt").read_text() == "first"


@pytest.mark.parametrize(
    "files",
    [
        {"result/letter.txt": "dear"},
        {"result/manifest.json": "{}"},
        {"result/manifest.json": '{"made_by": "somebody"}', "result/letter.txt": "dear"},
        {"result/manifest.json": "no JSON", "result/letter.txt": "dear"},
        {"result/manifest.json": '{"made_by": "lull", "files": {}}', "result/letter.txt": "dear"},
        {"result": "a file"},
    ],
)
def test_what_is_not_ours_is_refused_and_kept(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    before = tree(tmp_path)
    with pytest.raises(UserError, match=r"output\.dir = .*result: allowed "):
        leave("second")
    assert tree(tmp_path) == before


def test_a_file_that_the_user_put_beside_ours_is_not_lost(tmp_path: Path) -> None:
    leave("first")
    (tmp_path / "result" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"notes\.txt"):
        leave("second")
    assert (tmp_path / "result" / "words.txt").read_text() == "first"


def test_the_current_folder_is_not_pulled_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave("first")
    monkeypatch.chdir(tmp_path / "result")
    for name in (".", "..", "../result"):
        with pytest.raises(UserError, match="current one"):
            leave("second", load([f"output.dir={name}"]))
    assert (tmp_path / "result" / "words.txt").read_text() == "first"


def test_a_folder_that_cannot_be_made_is_told_before_the_block_begins(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can be written"), result_folder(REQUEST, load(["output.dir=file/a/b"])):
        raise AssertionError("the block began")
    assert tree(tmp_path) == {"file": b""}


def test_what_stood_there_comes_back_when_the_last_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave("first")
    before = tree(tmp_path)
    rename = Path.rename
    calls = []

    def second_fails(path: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError("disk lost")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(OSError, match="disk lost"):
        leave("second")
    assert len(calls) == 3
    assert tree(tmp_path) == before


@pytest.mark.skipif(os.name == "nt", reason="links of Unix")
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "result").symlink_to("elsewhere")
    leave("first")
    assert (tmp_path / "elsewhere" / "words.txt").read_text() == "first"
    assert (tmp_path / "result").is_symlink()


def test_folders_are_named_by_verb_scenario_and_seed(tmp_path: Path) -> None:
    with result_folder(Request("replay"), load(["seed=3", "scenario=no_order"]), label="run9") as folder:
        assert folder.final == tmp_path / "outputs" / "replay-no_order-seed3-run9"
    with result_folder(Request("run", home=tmp_path / "job"), CONFIG) as folder:
        assert folder.final == tmp_path / "job"


def test_a_table_without_rows_is_a_file_all_the_same(tmp_path: Path) -> None:
    with result_folder(REQUEST, CONFIG) as folder:
        folder.csv("none.csv", [])
        folder.csv("one.csv", [{"a": 1, "b": None}, {"a": "x,y", "b": 0.5}])
    assert (tmp_path / "result" / "none.csv").read_bytes() == b"\n"
    assert (tmp_path / "result" / "one.csv").read_bytes() == b'a,b\n1,\n"x,y",0.5\n'


def test_the_same_command_replaces_and_another_is_refused(tmp_path: Path) -> None:
    leave("first")
    leave("second")
    same = Request("run", ("engine.threads=1", "output.dir=elsewhere", "seed=7"))
    with result_folder(same, CONFIG) as folder:
        folder.text("words.txt", "third")
    before = tree(tmp_path)
    others = [
        Request("run", ("output.dir=result", "seed=8")),
        Request("run", ("output.dir=result",)),
        Request("replay", REQUEST.overrides),
        Request("run", REQUEST.overrides, config_dir=tmp_path),
    ]
    for other in others:
        with pytest.raises(UserError) as caught, result_folder(other, CONFIG):
            raise AssertionError("the block began")
        line = str(caught.value)
        assert "allowed another folder, or output.overwrite=true; `lull run` left its results here" in line
        assert re.search(r"\(scenario article, seed 7, 20\d\d-\d\d-\d\d\)$", line)
    assert tree(tmp_path) == before


def test_overwriting_takes_the_place_of_another_command_and_of_nothing_else(tmp_path: Path) -> None:
    leave("first")
    overwriting = load([*REQUEST.overrides, "output.overwrite=true"])
    other = Request("replay", ("output.dir=result", "seed=7", "output.overwrite=true"))
    with result_folder(other, overwriting) as folder:
        folder.text("words.txt", "second")
    assert (tmp_path / "result" / "words.txt").read_text() == "second"
    (tmp_path / "result" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"notes\.txt"), result_folder(REQUEST, overwriting):
        pass
    with pytest.raises(UserError, match="true or false"):
        load(["output.overwrite=perhaps"])


def test_a_folder_that_is_named_by_us_has_another_name_for_another_command(tmp_path: Path) -> None:
    places = []
    for overrides in ((), ("patron.control=0.5",), ("patron.control=0.6",), (), ("patron.control=0.5",)):
        with result_folder(Request("run", overrides), load(overrides)) as folder:
            places.append(folder.final)
    assert places[0] == tmp_path / "outputs" / "run-article-seed1"
    assert len(set(places[:3])) == 3
    assert places[3:] == places[:2]


@pytest.mark.parametrize("other", [["facts"], ["run", "study.runs=3"], ["replay"], ["sweep", "patron.control=0.5,0.6"]])
def test_every_verb_refuses_the_folder_of_another_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: list[str]
) -> None:
    assert main(["parameters", "seed=5", "output.dir=result"]) == 0
    before = tree(tmp_path)
    capsys.readouterr()
    assert main([*other, "output.dir=result"]) == 2
    told = capsys.readouterr().err
    assert "`lull parameters` left its results here (scenario article, seed 5, 20" in told
    assert told.count("\n") == 1
    assert tree(tmp_path) == before


@pytest.mark.parametrize("files", [5, [["a"]], {"../x": {"sha256": ""}}, {"a": 3}, None])
def test_a_manifest_that_is_malformed_is_none_of_ours(tmp_path: Path, files: object) -> None:
    leave("first")
    path = tmp_path / "result" / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": files}))
    before = tree(tmp_path)
    with pytest.raises(UserError, match="a result of lull to replace"):
        leave("second")
    assert tree(tmp_path) == before


# --- what a stopped command leaves --------------------------------------------------------------------------


def test_finished_parts_wait_for_the_same_command_alone(tmp_path: Path) -> None:
    def stopped(request: Request, fault: BaseException) -> Path:
        try:
            with result_folder(request, CONFIG) as folder:
                folder.work.mkdir(exist_ok=True)
                raise fault
        except (KeyboardInterrupt, UserError):
            return folder.work

    first = stopped(REQUEST, KeyboardInterrupt())
    assert first.parent == tmp_path
    assert first.is_dir()
    assert stopped(Request("run", ("engine.threads=1", *REQUEST.overrides)), KeyboardInterrupt()) == first
    assert stopped(Request("run", ("output.dir=result", "seed=8")), KeyboardInterrupt()) != first
    stopped(REQUEST, UserError("seed", 7, "another"))
    assert not list(tmp_path.iterdir())
    stopped(REQUEST, KeyboardInterrupt())
    leave("done")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize("verb", OWN)
def test_a_file_of_data_is_recorded_under_one_key_with_and_without_its_section(verb: str) -> None:
    sections = {kind.section for kind in OWN[verb] if "data" in declared(kind)}
    for key in ("data", *(f"{section}.data" for section in sections)):
        assert files_named([f"{key}=counts.csv", "seed=3"]) == [("data", "counts.csv")]
    assert files_named([f"{verb}.other=counts.csv", "patron.data=counts.csv"]) == []
    assert bool(sections) == (verb in ("calibrate", "forecast", "data", "watch"))
