"""Where two scenarios part: judged by the state tables of the compiled engine, which know nothing of the telling."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sim import diff, simulate
from sim.analysis.comparison.arms import ComparedArm, arms_of
from sim.analysis.divergence import Divergence, divergence
from sim.cli import main
from sim.model.validation import UserError

# Ten runs drawn once from all that have an address below 10**6.
RUNS = [int(one) for one in np.random.default_rng(20240202).integers(0, 10**6, 10)]
PAIRS = {
    "no_us_strikes": ("article", "no_us_strikes", 0),
    "tight_leash": ("article", "tight_leash", "2024-01-29"),
    "no_tower22": ("article", "no_tower22", "2024-01-29"),
}
DAYS = 150


@pytest.fixture(scope="module", params=PAIRS)
def pair(request: pytest.FixtureRequest) -> tuple[str, tuple[xr.Dataset, xr.Dataset]]:
    """A pair of scenarios with the states of all days of all runs, by the compiled engine."""
    one, other, free_from = PAIRS[request.param]
    return request.param, (table_of(one, free_from), table_of(other, free_from))


def table_of(scenario: str, free_from: object) -> xr.Dataset:
    overrides = {"calendar.days": DAYS, "history.free_from": free_from}
    data = simulate(scenario, runs=1, seed=9, overrides=overrides, states=RUNS)
    return data[[name for name in data.data_vars if str(name).startswith("state_")]]


def differing(one: xr.Dataset, other: xr.Dataset) -> np.ndarray:
    """Days whose evening differs in any state."""
    days = np.zeros(DAYS, dtype=bool)
    for name in one.data_vars:
        unequal = one[name].values != other[name].values
        days |= unequal.reshape(DAYS, -1).any(axis=1)
    return np.flatnonzero(days)


@cache
def arms(pair: str) -> tuple[ComparedArm, ComparedArm]:
    one, other, _ = PAIRS[pair]
    first, second = arms_of((one, other), (f"calendar.days={DAYS}", "seed=9"))
    return first, second


def evidence_in(pair: str, run: int) -> Divergence:
    return divergence(*arms(pair), run)


def test_from_python_the_same_story_is_told() -> None:
    given = {"calendar.days": DAYS}
    two = ["article", "no_tower22"]
    result, other = (diff(two, run=RUNS[0], seed=seed, overrides=given) for seed in (9, 10))
    told = result.found
    assert list(told.lines()) == list(evidence_in("no_tower22", RUNS[0]).lines()) != list(other.found.lines())
    shown = result._repr_markdown_()
    assert shown is not None
    assert shown.count("\n- ") + 1 == shown.count("\n") == len(list(told.lines()))
    assert repr(told).startswith(f"<Run {RUNS[0]} of seed 9")
    for name, life in zip(two, (told.one, told.other), strict=True):
        assert np.array_equal(result.data["war_risk"].sel(scenario=name), life.states.run["war_risk"])
    with pytest.raises(UserError, match="scenario"):
        diff(["article", "no_tower23"])


@pytest.mark.parametrize("place", range(len(RUNS)))
def test_what_is_told_agrees_with_the_two_state_tables(
    pair: tuple[str, tuple[xr.Dataset, xr.Dataset]], place: int
) -> None:
    name, both = pair
    tables = [table.isel(state_run=place) for table in both]
    days = differing(*tables)
    told = evidence_in(name, RUNS[place])
    if not len(days):  # a pause may come on the same day under another leash
        assert name == "tight_leash"
        assert told.day is None
        assert not told.links
        return
    assert told.day == int(days[0])
    assert told.links
    assert [link.day for link in told.links] == sorted(link.day for link in told.links)
    assert told.links[0].day == told.day
    for link in told.links:
        prefix = {"run": "", "fronts": "theatre_", "wings": "wing_"}[link.quantity.table]
        here, there = (table[f"state_{prefix}{link.quantity.field}"].values for table in tables)
        spot = (link.day,) if link.place is None else (link.day, link.place)
        assert (here[spot], there[spot]) == (link.one, link.other)
        assert link.one != link.other
        assert (here[: link.day] == there[: link.day]).all()
    followed = {(link.quantity.table, link.quantity.field) for link in told.links}
    assert ("run", "war_risk") in followed or (tables[0]["state_war_risk"] == tables[1]["state_war_risk"]).all()
    sums = [float(table["state_attacks"].values[told.day :].sum()) for table in tables]
    assert told.totals()["attacks"] == tuple(sums)


def test_the_tables_would_notice_a_wrong_day() -> None:
    """Negative control: another run parts elsewhere, so the agreement above is no accident."""
    days = {evidence_in("no_us_strikes", run).day for run in RUNS[:3]}
    assert len(days) > 1


def test_the_parting_decision_explains_itself() -> None:
    told = evidence_in("no_us_strikes", RUNS[0])
    parting = told.decisive
    assert parting is not None
    assert parting.one is not None
    assert parting.other is not None
    assert parting.one.result != parting.other.result
    assert parting.one.rule(**parting.one.inputs) == parting.one.result
    assert parting.other.rule(**parting.other.inputs) == parting.other.result
    assert parting.one.draw == parting.other.draw
    assert parting.inputs
    story = " ".join(told.lines())
    assert "they diverge" in story
    assert "The draw was" in story


def test_a_scenario_and_itself_never_part() -> None:
    arm = arms("no_us_strikes")[0]
    told = divergence(arm, arm, 5)
    assert (told.day, told.decisive, told.links) == (None, None, ())
    assert "never diverge" in " ".join(told.lines())


def test_the_command_leaves_story_table_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "parted"
    command = ["diff", "article", "no_restraint", "run=3", "calendar.days=134", f"output.dir={folder}"]
    assert main(command) == 0
    out = " ".join(capsys.readouterr().out.split())
    summary = json.loads((folder / "divergence.json").read_text())
    assert f"Day {summary['day']}, " in out
    assert summary["links"][0]["day"] == summary["day"]
    assert (folder / "divergence.png").stat().st_size > 10_000
    told = (folder / "divergence.txt").read_text()
    both = "Documented history (article) against No restraint by Iran (no_restraint)"
    assert told.startswith(f"Run 3 of seed 1: {both}; ")
    assert told.splitlines()[-1].startswith("From then on, Documented history and No restraint by Iran: ")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["diff", "article"], "scenarios = [article]: allowed two scenarios"),
        (["diff", "article", "no_restraint", "no_order"], "allowed two scenarios"),
        (["diff", "article", "no_such"], "no_such"),
        (["diff", "scenarios=[article,no_restraint", "run=1"], "every bracket and quote closed"),
        (["diff", "article", "no_restraint", "run=-1"], "whole number"),
        (["diff", "article", "salt_coast"], "calendar"),
        (["explain", "lull_day"], "lull_days"),
        (["explain", "mechanisms=[anger]"], "mechanisms = anger"),
        (["explain", "mechanisms=[fear,fear]"], "each mechanism once"),
        (["explain", "parameters=guessed"], "posterior"),
        (["explain", "study.draws=0"], "study.draws"),
        (["explain", "study.draws=2", "parameters=defaults"], "single point"),
        (["explain", "study.runs=1000000", "study.draws=1000", "parameters=prior"], "study.runs"),
    ],
)
def test_mistakes_are_told_in_one_line(
    asked: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(asked) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert words in told.err
    assert list(tmp_path.iterdir()) == []
