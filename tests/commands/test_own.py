"""`lull forecast FILE`: what it leaves and says; mistakes are told in one line and leave nothing."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim import cli
from sim.analysis.forecast.scores import FORECASTERS
from sim.experiment.statistics import LEVELS
from sim.reporting.calibration_tables import BENCHMARK_WORDS
from tests.analysis.events.files import ACLED_31, acled, calendar, saved, text


@pytest.fixture
def attacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An invented export of seventy days; the work goes on in an empty folder beside it."""
    generator = np.random.default_rng(1)
    start = calendar().start
    rows = [
        acled(1000 * day + 10 * place + number, str(start + timedelta(days=day)), country=country)
        for day in range(70)
        for place, (country, rate) in enumerate((("Iraq", 0.9), ("Syria", 0.8)))
        for number in range(generator.poisson(rate))
    ]
    path = saved(tmp_path, text(ACLED_31, rows), "attacks.csv")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return path


def test_a_forecast_leaves_tables_and_a_figure_that_agree(attacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truce = "+events.truce={kind: intensity, from: 2023-12-18, to: 2023-12-24, value: 0.0}"
    words = ["forecast", f"data={attacks}", "histories=1500", "weeks=3", "until=2023-12-10", truce, "output.dir=out"]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "ACLED" in said
    assert "truce" in said
    out = Path("out")
    assert {path.name for path in out.iterdir()} == {
        "summary.json", "forecast.csv", "compared.csv", "counts.csv", "effects.csv", "forecast.png", "forecast.svg",
        "config.yaml", "manifest.json",
    }  # fmt: skip
    rows = pd.read_csv(out / "forecast.csv")
    counts = pd.read_csv(out / "counts.csv").set_index("as_of_date")
    assert list(rows["theatre"].unique()) == ["all", "iraq", "syria", "jordan"]
    everywhere = rows[rows["theatre"] == "all"].reset_index()
    assert everywhere.loc[0, "known"] == counts.loc["2023-12-17", "total"] - counts.loc["2023-12-10", "total"]
    assert np.isnan(everywhere.loc[2, "known"])
    assert everywhere.loc[1, "median"] < everywhere.loc[2, "median"]
    assert (everywhere["q05"] <= everywhere["median"]).all()
    compared = pd.read_csv(out / "compared.csv")
    assert list(compared["forecaster"].unique()) == list(FORECASTERS)
    ours = compared[compared["forecaster"] == "model"].reset_index()
    pd.testing.assert_frame_equal(ours[["from", "to", *LEVELS]], everywhere[["from", "to", *LEVELS]])
    assert "for comparison with simpler ones" in said
    assert all(words in said for words in BENCHMARK_WORDS.values())
    drawn_words = (out / "forecast.svg").read_text()
    assert all(words in drawn_words for words in (*BENCHMARK_WORDS.values(), "counts used up to 10 Dec"))
    summary = json.loads((out / "summary.json").read_text())
    assert summary["effects"][0]["event"] == "truce"
    assert summary["effects"][0]["mean"] < -3
    assert summary["reading"]["kept"] == counts["total"].iloc[-1]


def test_scores_of_a_few_forecasts_leave_gains_and_no_verdict(
    attacks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["forecast", f"data={attacks}", "histories=1000", "score=true", "output.dir=out"]) == 0
    said = capsys.readouterr().out
    assert "Interval and verdict need at least 8 forecasts" in said
    assert "Intervals come from" not in said
    assert "inf" not in said
    skill = pd.read_csv("out/skill.csv")
    assert len(skill) == 28
    assert set(skill["verdict"]) == {"too few forecasts"}
    assert skill[["low", "high"]].isna().all(axis=None)
    assert np.isfinite(skill["gain"]).all()
    assert Path("out/skill.png").stat().st_size > 10_000
    trials = pd.read_csv("out/trials.csv")
    means = pd.read_csv("out/scores.csv").set_index("forecaster")
    for name, group in trials.groupby("forecaster"):
        assert group["crps"].mean() == pytest.approx(means.loc[str(name), "crps"], abs=1e-3)


def test_scores_of_eight_forecasts_leave_a_verdict_for_each_benchmark_and_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weeks = [f"{calendar().start + timedelta(days=7 * week - 1)},{12 * week}" for week in range(1, 31)]
    path = saved(tmp_path, "as_of_date,total\n" + "\n".join(weeks) + "\n")
    words = ["forecast", f"data={path}", "histories=1000", "score=true", f"output.dir={tmp_path / 'out'}"]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "8 forecasts of up to three weeks" in said
    assert "Intervals: bootstrap over the 8 forecasts, in blocks of 2" in said
    skill = pd.read_csv(tmp_path / "out" / "skill.csv")
    assert len(skill) == 28
    assert set(skill["verdict"]) <= {"model better", "model worse", "no difference shown"}
    assert "model worse" in set(skill["verdict"]), "a constant rate is best forecast by a constant rate"


def test_the_invented_case_takes_its_own_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        acled(day, f"2031-03-{day + 1:02d}", actor1="Grey Gulls", actor2="Coast guard of Ondrel", country="Brine Towns")
        for day in range(28)
    ]
    path = saved(tmp_path, text(ACLED_31, rows))
    words = ["forecast", "scenario=salt_coast", f"data={path}", "histories=1000", "weeks=1"]
    assert cli.main([*words, f"output.dir={tmp_path / 'out'}"]) == 0
    assert "28 used" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["data=gone.csv"], "data = gone.csv: allowed an existing file"),
        (["data="], "data = : allowed a file"),
        (["data=FILE", "score=maybe"], "score = maybe: allowed true or false"),
        (["data=FILE", "score=true", "weeks=3"], "weeks = 3: allowed nothing with score=true"),
        (["data=FILE", "check=true"], "check = true: allowed keys"),
        (["data=FILE", "until=soon"], "until = soon: allowed a date"),
        (["data=FILE", "weeks=0"], "weeks = 0: allowed a whole number from 1"),
        (["data=FILE", "histories=5"], "histories = 5: allowed a whole number from 1000"),
        (["data=FILE", "filters=none"], "filters = none: allowed middle_east, salt_coast"),
        (["data=FILE", "scenario=salt_coast"], "of 113 rows none is left (other actors: 113)"),
        (["score=true"], "data = (missing): allowed a file of events"),
        (["until=2024-01-01"], "data = (missing): allowed a file of events"),
        (["data=FILE", "parameters=posterior"], "parameters = posterior: allowed defaults with a forecast"),
        (["data=FILE", "until=2023-10-25"], "data = 9 days: allowed at least 14 days"),
    ],
)
def test_mistakes_are_told_in_one_line_and_leave_nothing(
    words: list[str], line: str, attacks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.replace("FILE", str(attacks)) for word in words]
    assert cli.main(["forecast", *given]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("lull: ")
    assert len(told.err.splitlines()) == 1
    assert line in told.err
    assert list(Path.cwd().iterdir()) == []
