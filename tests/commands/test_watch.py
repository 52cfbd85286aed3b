"""`lull watch`: the folder, the Python call, a file of the user's, and what is refused."""

import csv
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sim
from sim.analysis.early_warning import FEWEST
from sim.cli import main
from sim.experiment.io import csv_text
from sim.model.scenario import load
from sim.model.validation import UserError
from tests.commands.test_result import contents
from tests.reporting.test_alone import source_in

SMALL: dict[str, Any] = {"runs": 300, "parameters": "defaults", "seed": 4}
WORDS = ["study.runs=300", "parameters=defaults", "seed=4"]
COLUMNS = "event_id_cnty event_date event_type sub_event_type actor1 actor2 country".split()
EVENT = ["Explosions/Remote violence", "Air/drone strike", "Islamic Resistance in Iraq"]
TARGET = "Military Forces of the United States"


def events(path: Path, by_day: dict[date, int]) -> Path:
    """A synthetic file of events in Syria."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for day, count in by_day.items():
            rows.writerows([f"{day}-{place}", day, *EVENT, TARGET, "Syria"] for place in range(count))
    return path


def test_the_command_leaves_what_the_call_leaves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", *WORDS, f"output.dir={tmp_path / 'command'}"]) == 0
    assert "seed" in source_in((tmp_path / "command" / "warning.svg").read_text(encoding="utf-8"))
    printed = " ".join(capsys.readouterr().out.split())
    found = sim.watch(**SMALL, to=tmp_path / "call")
    one, other = (contents(tmp_path / name) for name in ("command", "call"))
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} == {"config.yaml"}  # it names the folder
    assert found.tables.keys() == {"terms", "rules", "scores", "roc", "reliability"}
    assert "model's world" in printed
    rule, terms = found.found["lull"].rule, found.tables["terms"]
    assert rule is not None
    scores = found.tables["scores"].set_index(["event", "alarm"])
    assert f"times {scores.loc[('lull', 'rule'), 'odds_ratio']:.2g}" in printed
    assert set(terms["observable"]) - {""} <= set(found.tables["terms"]["observable"])
    assert found.summary()["scores"] == found.rows["scores"]
    titles = [one.get_text() for one in found.plot().texts]
    assert any("end of the lull" in one for one in titles)
    assert found.data.sizes["event"] == len(found.found)


def test_the_last_day_of_a_file_is_judged_by_what_the_file_shows(tmp_path: Path) -> None:
    start = load().scenario.calendar.start
    quiet = {start + timedelta(days=day): 1 for day in range(0, 121, 3)}
    last = start + timedelta(days=160)
    loud = quiet | {last - timedelta(days=1): 3, last: 1}
    made = [sim.watch(**SMALL, data=events(tmp_path / f"{k}.csv", one)) for k, one in enumerate((loud, quiet))]
    (attacked, calm) = (one.tables["today"].set_index("event").loc["lull"] for one in made)
    assert attacked["date"] == last.isoformat()
    assert (attacked["week"], attacked["week_syria"], attacked["week_iraq"], attacked["before"]) == (4, 4, 0, 0)
    assert (attacked["quiet"], calm["before_report"], attacked["before_report"]) == (0, True, False)
    assert (attacked["lull"], calm["lull"]) == ("on", "on")
    assert attacked["probability"] > calm["probability"]
    assert set(made[0].tables["terms"]["observable"]) <= {"", *attacked.index}
    model = made[0].found["lull"].model
    names = ["week_iraq", "week_syria", "week_jordan", "week", "before", "quiet"]
    value = model.probability(names, np.array([0.0, 4.0, 0.0, 4.0, 0.0, 0.0]))
    assert float(value) == pytest.approx(attacked["probability"])


def test_a_lull_that_is_over_in_the_file_is_not_forecast(tmp_path: Path) -> None:
    calendar = load().scenario.calendar
    over = {calendar.date_of(calendar.strikes + 5 + day): 1 for day in range(8)}
    found = sim.watch(**SMALL, data=events(tmp_path / "over.csv", over))
    row = found.tables["today"].set_index("event").loc["lull"]
    assert row["lull"] == "over"
    assert row["probability"] is None or np.isnan(row["probability"])
    assert any("the lull is over" in str(part) for part in found.text())


def test_before_the_strikes_there_is_no_lull_to_end(tmp_path: Path) -> None:
    start = load().scenario.calendar.start
    early = {start + timedelta(days=day): 1 for day in range(0, 90, 3)}
    found = sim.watch(**SMALL, data=events(tmp_path / "early.csv", early))
    row = found.tables["today"].set_index("event").loc["lull"]
    assert (row["lull"], row["before_report"]) == ("to come", True)
    assert row["probability"] is None or np.isnan(row["probability"])
    said = [str(part) for part in found.text()]
    assert any("the lull has not begun" in one for one in said)
    assert any("attacks in Syria within a week 3;" in one for one in said)
    assert not any("the end of the lull follows within 4 weeks with a probability" in one for one in said)


def refused(**given: Any) -> str:
    with pytest.raises(UserError) as problem:
        sim.watch(**{**SMALL, **given})
    return str(problem.value)


def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "watch.weeks = 26: allowed at most 3: what the calendar has after the report" in refused(
        weeks=26, overrides={"calendar.days": 170}
    )
    assert f"{FEWEST} or more have war" in refused(runs=20)
    rows = [{"as_of_date": date(2023, 11, 1) + timedelta(days=7 * week), "total": 5 * week} for week in range(9)]
    (tmp_path / "totals.csv").write_text(csv_text(rows), encoding="utf-8")
    assert "counts of every day" in refused(data=tmp_path / "totals.csv")
    monkeypatch.setitem(sys.modules, "statsmodels.api", None)
    assert "pip install 'lull-sim[watch]'" in refused()
    assert main(["watch", *WORDS, f"output.dir={tmp_path / 'none'}"]) == 2
    assert not (tmp_path / "none").exists()


def test_histories_are_conditioned_where_nothing_is_said() -> None:
    for scenario, parameters in (("article", "conditioned"), ("tight_leash", "posterior")):
        assert sim.watch(scenario, runs=400, seed=4).summary()["parameters"] == parameters
