"""`lull case`: a template that runs at once, what a case lacks, predictions; and the two cases of the experiments."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from sim import cli, predict_case
from sim.analysis.case_files import FINDINGS
from sim.analysis.forecast.case_predictions import CasePredictions
from sim.analysis.forecast.case_predictions import predict_case as predict
from sim.analysis.forecast.case_settings import case_settings
from sim.analysis.forecast.scores import FORECASTERS
from sim.experiment.statistics import effective_sample_size
from sim.model.hydra_config import GROUPS
from sim.model.package_data import data_folder
from sim.model.scenario import load
from tests.analysis.events.files import ACLED_31, acled, saved, text
from tests.reporting.test_alone import source_in

pytestmark = pytest.mark.usefixtures("small_sides")
ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = ("second_case", "red_sea")
FEW = "histories=30000"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new case in an otherwise empty folder."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["case", "new", "mine"]) == 0
    return tmp_path / "mine"


def findings(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, set[str]]:
    """The keys of what `lull case check` finds, by kind."""
    capsys.readouterr()
    assert cli.main(["case", "check", *words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    return {kind: {one["key"] for one in rows if one["kind"] == kind} for kind in FINDINGS}


# --- a file of events ---------------------------------------------------------------------------------------


def events_of(path: Path, start: str, sides: tuple[str, str, str]) -> Path:
    """An invented export of eight weeks with about an attack a day; somebody dies on the thirtieth day."""
    (actor, other, country), generator, first = sides, np.random.default_rng(4), date.fromisoformat(start)
    rows = [
        acled(10 * day + number, str(first + timedelta(days=day)), actor1=actor, actor2=other, country=country,
              fatalities=2 if (day, number) == (30, 0) else 0)
        for day in range(56) for number in range(1 + generator.poisson(0.5))
    ]  # fmt: skip
    return saved(path, text(ACLED_31, rows))


US = "Military Forces of the United States (2017-2021)"
FILES: dict[str, tuple[str, tuple[str, str, str], str]] = {
    "second_case": ("2020-02-01", ("Kataib Hezbollah", US, "Iraq"), "fatalities: used; 1 deadly attack (2 killed)"),
    "red_sea": ("2023-11-19", ("Houthi movement", "Civilians", "Red Sea"), "fatalities: not used"),
    "mine": ("START", ("First group", "Anybody", "Border"), "groups: used; "),
}
"""Start, both sides and place of the invented events of each case, and what is said of the dead or the groups."""


@pytest.mark.parametrize("case", FILES)
def test_a_file_of_events_of_another_case_is_forecast(
    case: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, sides, said = FILES[case]
    folder = mine if case == "mine" else ROOT / "experiments" / case
    config = load([f"scenario={case}"], folder)
    begin = str(config.scenario.calendar.start) if start == "START" else start
    path = events_of(Path.cwd(), begin, sides)
    words = ["forecast", f"data={path}", f"scenario={case}", "--config-dir", str(folder), "histories=2000", "weeks=2"]
    assert cli.main([*words, "output.dir=forecast"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert said in printed, printed
    counts, rows = (pd.read_csv(f"forecast/{name}.csv") for name in ("counts", "compared"))
    assert counts["total"].iloc[-1] == pd.read_csv(path)["event_id_cnty"].nunique()
    assert rows.groupby("forecaster").size().to_dict() == dict.fromkeys(FORECASTERS, 2)
    assert ", seed 1. A model, not a prediction" in Path("forecast/forecast.svg").read_text()


# --- new and check ------------------------------------------------------------------------------------------


def test_the_template_runs_and_predicts_at_once(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {path.parent.name for path in mine.rglob("*.yaml")} <= set(GROUPS)
    assert {path.name for path in mine.rglob("*.yaml")} == {"mine.yaml"}
    assert all("#" in path.read_text() for path in mine.rglob("*.yaml"))
    assert cli.main(["run", "mine", "--config-dir", "mine", "study.runs=20", "output.dir=ran"]) == 0
    assert cli.main(["case", "predict", "mine", "--config-dir", "mine", FEW, "output.dir=told"]) == 0
    assert {path.name for path in Path("told").iterdir() if path.suffix in (".json", ".csv")} == {
        "predictions.json", "predictions.csv", "manifest.json",
    }  # fmt: skip
    assert ", seed 1. A test of the model, not advice." in source_in(Path("told/predictions.svg").read_text())
    found = json.loads(Path("told/predictions.json").read_text())
    assert found["effective_sample_size"] > 50
    assert found["seed"] == 1
    assert found["histories"] == 30000
    assert "no direct war" in found["condition"]
    assert {"median", "interval_50", "interval_90", "probability", "from", "to"} <= found["predictions"][0].keys()


def test_what_a_template_lacks_goes_away_as_it_is_filled_in(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("mine", "--config-dir", "mine")
    before = findings(capsys, *words)
    assert {"militia.first_border.autonomy", "events.campaign", "history.events.strikes"} <= before["missing"]
    assert before["assumed"] == set()
    assert before["from the shipped case"] == {"shared parameters"}
    for path in mine.rglob("*.yaml"):
        path.write_text(path.read_text().replace("placeholder", "assumed_so"))
    after = findings(capsys, *words)
    assert after["missing"] == set()
    assert {"militia.first_border.autonomy", "events.campaign"} <= after["assumed"]


def test_numbers_and_files_of_the_shipped_case_are_found(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    actors = mine / "actors" / "mine.yaml"
    shipped = yaml.safe_load((data_folder("configs") / "actors" / "middle_east.yaml").read_text(encoding="utf-8"))
    wing = shipped["militia"]["kataib_hezbollah_iraq"]
    text = actors.read_text().replace("group: First group", f"group: {wing['group']}")
    actors.write_text(text.replace("ideology: 0.5  #", f"ideology: {wing['ideology']}  #"))
    found = findings(capsys, "mine", "--config-dir", "mine", "filters=middle_east")
    assert "militia.first_border.ideology" in found["from the shipped case"]
    assert "militia.second_border.ideology" not in found["from the shipped case"]
    assert "filters" in found["from the shipped case"]
    assert any(key.startswith("filters.places") for key in found["missing"])


def test_a_case_without_predictions_lacks_them(capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(capsys, "salt_coast")
    assert {f"predictions.{part}" for part in ("level", "observations", "quantities")} <= found["missing"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new"], "lull case new = (no name)"),
        (["new", "Mine"], "scenario = Mine: allowed a new name"),
        (["new", "middle_east"], "scenario = middle_east: allowed a new name"),
        (["new", "null"], "scenario = null: allowed a new name"),
        (["new", "mine"], "output.dir = mine: allowed a folder that does not exist yet"),
        (["new", "other", "seed=3"], "allowed NAME, and output.dir=FOLDER"),
        (["new", "other", "--config-dir", "mine"], "allowed NAME, and output.dir=FOLDER"),
        (["made"], "action = made: allowed new, check, predict"),
        ([], "case.action = (missing)"),
        (["check", "other", "--config-dir", "mine"], "scenario = other"),
        (["predict", "salt_coast"], "predictions.level = (missing)"),
        (["predict", "mine", "--config-dir", "mine", "histories=10"], "histories = 10"),
        (["predict", "mine", "--config-dir", "mine", "parameters=posterior"], "parameters = posterior"),
        (
            ["predict", "mine", "--config-dir", "mine", "histories=1000",
             "predictions.observations.before_strikes.value=5000"],
            "case.histories = 1000",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_nothing(
    words: list[str], said: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.main(["case", *words]) == 2
    out = capsys.readouterr()
    [line] = [one for one in out.err.splitlines() if not one.endswith(" left")]  # a slow start shows its progress
    assert said in line
    assert [path.name for path in mine.parent.iterdir() if path.name not in ("mine", "outputs")] == []
    assert not list(mine.parent.glob("outputs/*"))


def test_the_call_gives_what_the_command_writes(mine: Path) -> None:
    assert cli.main(["case", "predict", "mine", "--config-dir", "mine", "histories=4000", "output.dir=told"]) == 0
    result = predict_case("mine", runs=4000, config_dir="mine", to="called")
    for name in ("predictions.json", "predictions.csv"):
        assert (mine.parent / "told" / name).read_bytes() == (mine.parent / "called" / name).read_bytes()
    assert float(result.data["weight"].sum()) == pytest.approx(1.0)
    assert cli.main(["case", "check", "mine", "--config-dir", "mine", "output.dir=checked"]) == 0
    assert (mine.parent / "checked" / "case.csv").exists()
    assert all(cli.main(["verify", one, "trust=true"]) == 0 for one in ("told", "checked"))


# --- the case without a calibration says so -----------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "expected"), [("article", False), ("salt_coast", True)])
def test_a_run_says_first_that_a_case_has_no_calibration(
    scenario: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", scenario, "study.runs=4"]) == 0
    first = " ".join(capsys.readouterr().out.partition("\n\n")[0].split())
    assert ("This case has no calibration of its own" in first) == expected


def test_a_report_says_so_in_its_first_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [
        "salt_coast",
        "salt_coast;mechanisms.fear=false",
        "parameters=prior",
        "study.draws=3",
        "study.runs=4",
        "output.dir=report",
    ]
    few = ["report.mechanisms=[rival_war_gate,major_response]", "report.share_runs=2"]
    assert cli.main(["report", *words, *few]) == 0
    answer = json.loads(Path("report/summary.json").read_text())["answer"]
    assert answer.startswith("This case has no calibration of its own")
    assert answer.count("calibration of its own") == 1


# --- the experiments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_written_predictions_are_those_of_the_files(name: str) -> None:
    """A short run agrees with the written predictions within five errors of its own."""
    folder = ROOT / "experiments" / name
    written = {one["quantity"]: one for one in json.loads((folder / "predictions.json").read_text())["predictions"]}
    config = load([f"scenario={name}"], folder)
    found = predict(config, case_settings(config), 60_000)
    assert disagreeing(found, written) == []
    higher = predict(config, case_settings(load([f"scenario={name}", *HIGHER[name]], folder)), 60_000)
    assert disagreeing(higher, written) != []  # the control: other observations, other predictions


HIGHER = {
    "second_case": ["predictions.observations.two_months.value=30"],
    "red_sea": ["predictions.observations.by_december.value=35"],
}


def disagreeing(found: CasePredictions, written: dict[str, Any]) -> list[str]:
    """Quantities of which a short run does not have the written quantiles or probability."""
    assert set(found.values) == set(written)
    wrong = []
    for key, one in written.items():
        kept = ~np.isnan(found.values[key])
        values, weights = found.values[key][kept], found.weights[kept] / found.weights[kept].sum()
        size = effective_sample_size(np.bincount(found.draw[kept], weights))  # histories share draws
        if one["probability"] is None:
            low, high = one["interval_90"]
            ends = {0.05: low, 0.5: one["median"], 0.95: high}
            # A count passes a level in a step: from the share below a quantile to the share up to it.
            steps = [(level, np.inf if end is None else end) for level, end in ends.items()]
            shares = [(level, weights[values < end].sum(), weights[values <= end].sum()) for level, end in steps]
        else:
            shares = [(one["probability"], *2 * [weights[values == 1.0].sum()])]
        for level, below, upto in shares:
            room = 5.0 * np.sqrt(max(level * (1.0 - level), 0.01) / size)
            if not below - room <= level <= upto + room:
                wrong.append(key)
    return wrong
