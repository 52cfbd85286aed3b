"""`lull data FILE`: what it says of a file agrees with pandas, its configuration runs at once, and no row leaks."""

import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim import cli, inspect_data
from sim.analysis.forecast.data_check import DataCheck
from sim.analysis.forecast.event_files import read_events
from sim.analysis.forecast.event_filters import filters_of
from sim.analysis.forecast.event_formats import GED_COLUMNS
from sim.model.scenario import load
from tests.analysis.events.files import ACLED_31, acled, ged, saved, text

SECRET = "a row that nobody may see"  # stands in a column that no table needs
ODD = "Kata'ib Hizbulah (Iraq)"
START = date(2023, 10, 17)


def rows(start: date = START) -> list[dict[str, object]]:
    """Ninety days of an invented export: attacks, attacks under another spelling, strikes, protests, repeats."""
    chance = np.random.default_rng(3)
    found = [
        acled(1000 * day + k, f"{start + timedelta(day):%d/%m/%Y}", notes=SECRET, timestamp=5,
              country=chance.choice(["Iraq", "Syria", "Elsewhere"]), actor1=chance.choice([ODD, "Kataib Hezbollah"]))
        for day in range(90) for k in range(chance.poisson(1.5))
    ]  # fmt: skip
    strike = {"actor1": "Military Forces of the United States (2021-)", "actor2": "Kataib Hezbollah"}
    when = f"{start + timedelta(60):%d/%m/%Y}"
    found += [acled(900_000 + n, when, sub_event_type="Air/drone strike", **strike) for n in range(7)]
    protest = {"event_type": "Protests", "sub_event_type": "Peaceful protest", "actor1": "Protesters", "actor2": ""}
    found += [acled(910_000 + n, when, **protest) for n in range(11)]
    return [*found, found[0], {**found[1], "timestamp": 9}]


@pytest.fixture
def attacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return saved(tmp_path, text(ACLED_31, rows()), "attacks.csv")


def checked(path: Path, **overrides: object) -> DataCheck:
    found = inspect_data(path, overrides=overrides).found
    assert isinstance(found, DataCheck)
    return found


def test_the_check_counts_what_pandas_counts(attacks: Path) -> None:
    table, found = pd.read_csv(attacks), checked(attacks)
    days = pd.to_datetime(table["event_date"], dayfirst=True).dt.date
    assert (found.what, found.rows, found.first, found.last) == ("ACLED", len(table), days.min(), days.max())
    assert found.table.words == "CSV, UTF-8, parted by commas"
    assert found.reading is not None
    assert found.reading.order == "d/m/y"
    types = (table["event_type"] + ": " + table["sub_event_type"]).value_counts()
    assert {one["type"]: one["events"] for one in found.types} == types.to_dict()
    assert {one["place"]: one["events"] for one in found.places} == table["country"].value_counts().to_dict()
    first = table["actor1"].value_counts()
    assert {one["actor"]: one["first_side"] for one in found.actors if one["first_side"]} == first.to_dict()
    assert {one["actor"]: one["role"] for one in found.actors}[ODD] == ""
    assert found.repeats == {"repeated": 2, "revised": 1}
    assert found.counts is not None
    alone = {one["reason"]: one["rows_alone"] for one in found.filters}
    named = table["actor1"] + "; " + table["actor2"].fillna("")
    foes = named.str.contains("Kataib Hezbollah") & named.str.contains("United States")
    assert alone["another type of event"] == (table["event_type"] == "Protests").sum()
    assert alone["other actors"] == (~foes).sum()
    assert alone["another place"] == (table["country"] == "Elsewhere").sum()
    assert alone["the attacker stands on the second side"] == len(found.strikes) == 7
    in_order = sum(one["rows_in_order"] for one in found.filters)
    assert in_order + found.counts.report.kept == found.rows
    assert {one["date"] for one in found.strikes} == {str(START + timedelta(60))}


def test_pairs_that_nearly_match_become_aliases_that_count(attacks: Path) -> None:
    pytest.importorskip("rapidfuzz")
    table, found = pd.read_csv(attacks), checked(attacks)
    assert found.near is not None
    [near] = found.near
    assert (near["first_side"], near["rows"]) == (ODD, (table["actor1"] == ODD).sum())
    assert found.proposal is not None
    assert found.counts is not None
    assert found.proposal.counts is not None
    assert found.proposal.filters["aliases"] == {"Kata'ib Hizballah": [ODD]}
    unique = table.drop_duplicates("event_id_cnty")
    inside = unique[unique["country"].isin(["Iraq", "Syria"]) & (unique["event_type"] != "Protests")]
    ours = inside[inside["actor1"].isin([ODD, "Kataib Hezbollah"])]
    assert found.proposal.counts.total[-1] == len(ours)
    assert found.counts.total[-1] == (ours["actor1"] != ODD).sum(), "a control: without aliases they do not count"


def test_names_that_only_share_a_word_do_not_nearly_match(tmp_path: Path) -> None:
    pytest.importorskip("rapidfuzz")
    pairs = [
        ("Military Forces of Iraq", "Military Forces of the United Kingdom"), ("Islamic State (Iraq)", "Civilians"),
        ("Kataib Hezbollah", "Civilians of Yemen"), ("Houthis", "Russian forces"),
    ]  # fmt: skip
    path = saved(tmp_path, text(ACLED_31, [acled(n, actor1=a, actor2=b) for n, (a, b) in enumerate(pairs)]))
    assert checked(path).near == []


def test_only_the_ten_most_frequent_pairs_are_shown(tmp_path: Path) -> None:
    pytest.importorskip("rapidfuzz")
    odd = [f"Kataib Hezbollo{'abcdefghijklmno'[n]}" for n in range(14)]
    path = saved(
        tmp_path, text(ACLED_31, [acled(100 * n + k, actor1=one) for n, one in enumerate(odd) for k in range(n + 1)])
    )
    near = checked(path).near
    assert near is not None
    assert [one["rows"] for one in near] == list(range(14, 4, -1))


def test_without_rapidfuzz_one_line_names_the_extra(
    attacks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    assert cli.main(["data", "attacks.csv"]) == 0
    assert 'pip install "lull-sim[data]"' in capsys.readouterr().out


@pytest.mark.parametrize("start", [START, date(2019, 3, 2)])
def test_the_configuration_to_start_from_runs_at_once(
    start: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, text(ACLED_31, rows(start)), "attacks.csv")
    assert cli.main(["data", "attacks.csv", "output.dir=out"]) == 0
    said = capsys.readouterr().out
    assert "lull forecast attacks.csv --config-dir out/configs scenario=own" in said
    assert ("all dates lie outside the calendar" in " ".join(said.split())) is (start != START)
    assert {one.name for one in Path("out/configs").rglob("*.yaml")} == {"filters.yaml", "calendar.yaml", "own.yaml"}
    config = load(["scenario=own"], Path("out/configs"))
    counts = read_events(path, filters_of(config.tree, config.scenario.cast), config.scenario.calendar)
    record = json.loads(Path("out/summary.json").read_text())
    assert record["proposal"]["attacks"] == counts.total[-1] > 60
    assert config.scenario.calendar.date_of(config.scenario.calendar.days - 1) >= start + timedelta(89 + 28)
    words = ["forecast", "attacks.csv", "--config-dir", "out/configs", "scenario=own", "histories=1000", "weeks=2"]
    assert cli.main([*words, "until=" + str(start + timedelta(20)), "output.dir=ahead"]) == 0
    capsys.readouterr()
    assert cli.main(["verify", "out", "trust=true"]) == 0
    assert "no difference" in capsys.readouterr().out


def test_no_row_of_the_file_leaves_the_folder_of_results(attacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(Path.cwd().rglob("*"))
    assert cli.main(["data", "attacks.csv", "output.dir=out"]) == 0
    assert all("out" in path.parts for path in set(Path.cwd().rglob("*")) - before)
    printed = capsys.readouterr().out
    assert "INV" not in printed
    for path in (one for one in Path("out").rglob("*") if one.is_file()):
        content = path.read_text(encoding="utf-8", errors="replace")  # of a picture its bytes
        assert SECRET not in content, path
        assert "INV" not in content, path
    assert cli.main(["data", "attacks.csv", "--json", "output.dir=out"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "strikes" in told
    assert isinstance(told["strikes"], int), "their number; the rows stay in the folder"


def ambiguous(tmp_path: Path) -> Path:
    days = [START + timedelta(day) for day in (16, 17, 18, 19, 20, 45, 46, 47, 48, 49)]  # first days of two months
    return saved(tmp_path, text(ACLED_31, [acled(n, f"{one:%d/%m/%Y}") for n, one in enumerate(days)]))


FILES: dict[str, tuple[Callable[[Path], Path], str, int]] = {
    "no order of dates": (ambiguous, "ACLED", 10),
    "UCDP Candidate": (
        lambda folder: saved(folder, text(GED_COLUMNS, [ged(n, f"2023-11-{n + 1:02d}") for n in range(20)]),
                             "GEDEvent_v24_0_3.csv"), "UCDP Candidate Events", 20,
    ),
    "weekly aggregates without actors": (
        lambda folder: saved(folder, "week,country,admin1,event_type,sub_event_type,events\n" + "".join(
            f"{date(2023, 10, 28) + timedelta(7 * n)},Iraq,,Battles,Armed clash,{n}\n" for n in range(6))),
        "ACLED weekly aggregates", 15,
    ),
    "columns that can be guessed": (
        lambda folder: saved(folder, "incident date;perpetrator;target;country\n" + "".join(
            f"{n + 1}.11.2023;Grey Wolves;Police;Iraq\n" for n in range(20))), "table of no known format", 20,
    ),
    "another country and other names": (
        lambda folder: saved(folder, text(ACLED_31, [
            acled(n, f"2021-05-{n + 1:02d}", country="Colombia", actor1="Band X", actor2="Police of Colombia")
            for n in range(25)
        ])),
        "ACLED", 25,
    ),
    "daily counts": (
        lambda folder: saved(folder, "date,attacks,iraq,syria,jordan\n" + "".join(
            f"{START + timedelta(n)},{n % 3},{n % 3},0,0\n" for n in range(30))), "daily counts", 30,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_gets_a_configuration_that_counts_its_events(name: str, tmp_path: Path) -> None:
    make, what, attacks = FILES[name]
    found = checked(make(tmp_path))
    assert found.what == what
    assert found.proposal is not None
    assert found.proposal.counts is not None, found.proposal.problem
    assert found.proposal.counts.total[-1] == attacks
    if name == "no order of dates":
        assert "does not show the order" in found.guess
        assert found.proposal.filters["date_format"] == "d/m/y"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["data"], "data = (missing): allowed a file of events or of counts: lull data FILE"),
        (["data", "gone.csv"], "data = gone.csv: allowed an existing file"),
        (["data", "plain.csv"], "data = plain.csv: allowed an export of ACLED"),
        (["data", "attacks.csv", "filters.multi_day=last"], "filters.multi_day = last: allowed first, spread, drop"),
        (["data", "attacks.csv", "weeks=3"], "weeks = 3: allowed keys"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    words: list[str], line: str, attacks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(Path.cwd(), "a,b\n1,2\n", "plain.csv")
    assert cli.main(words) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"lull: {line}")
    assert len(said.err.splitlines()) == 1
    assert not Path("outputs").exists()
