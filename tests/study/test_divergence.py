"""Where two scenarios part: judged by the state tables of the compiled engine, which know nothing of the telling."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sim import simulate
from sim.cli import main
from sim.study.comparison.arms import Arm, arms_of
from sim.study.divergence.divergence import Divergence, divergence
from sim.study.divergence.diverging import diverge
from sim.world.errors import UserError

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
    overrides = [f"calendar.days={DAYS}", f"history.free_from={free_from}"]
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
def arms(pair: str) -> tuple[Arm, Arm]:
    one, other, _ = PAIRS[pair]
    first, second = arms_of((one, other), (f"calendar.days={DAYS}", "seed=9"))
    return first, second


def told_of(pair: str, run: int) -> Divergence:
    return divergence(*arms(pair), run)


def test_from_python_the_same_story_is_told() -> None:
    given = {"calendar.days": DAYS}
    told = diverge("article", "no_tower22", RUNS[0], seed=9, overrides=given)
    assert list(told.lines()) == list(told_of("no_tower22", RUNS[0]).lines())
    assert list(told.lines()) != list(diverge("article", "no_tower22", RUNS[0], seed=10, overrides=given).lines())
    shown = told._repr_markdown_()
    assert shown.count("\n- ") + 1 == shown.count("\n") == len(list(told.lines()))
    assert repr(told).startswith(f"<Run {RUNS[0]} of seed 9")
    with pytest.raises(UserError, match="scenario"):
        diverge("article", "no_tower23")


@pytest.mark.parametrize("place", range(len(RUNS)))
def test_what_is_told_agrees_with_the_two_state_tables(
    pair: tuple[str, tuple[xr.Dataset, xr.Dataset]], place: int
) -> None:
    name, both = pair
    tables = [table.isel(state_run=place) for table in both]
    days = differing(*tables)
    told = told_of(name, RUNS[place])
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
    days = {told_of("no_us_strikes", run).day for run in RUNS[:3]}
    assert len(days) > 1


def test_the_parting_decision_explains_itself() -> None:
    told = told_of("no_us_strikes", RUNS[0])
    parting = told.parting
    assert parting is not None
    assert parting.one is not None
    assert parting.other is not None
    assert parting.one.result != parting.other.result
    assert parting.one.rule(**parting.one.inputs) == parting.one.result
    assert parting.other.rule(**parting.other.inputs) == parting.other.result
    assert parting.one.draw == parting.other.draw
    assert parting.inputs
    story = " ".join(told.lines())
    assert "they part" in story
    assert "The draw was" in story


def test_a_scenario_and_itself_never_part() -> None:
    arm = arms("no_us_strikes")[0]
    told = divergence(arm, arm, 5)
    assert (told.day, told.parting, told.links) == (None, None, ())
    assert "never part" in " ".join(told.lines())


def test_the_command_leaves_story_table_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "parted"
    command = ["explain", "divergence=[article,no_restraint]", "run=3", "calendar.days=134", f"output.dir={folder}"]
    assert main(command) == 0
    out = " ".join(capsys.readouterr().out.split())
    summary = json.loads((folder / "divergence.json").read_text())
    assert f"Day {summary['day']}, " in out
    assert summary["links"][0]["day"] == summary["day"]
    assert (folder / "divergence.png").stat().st_size > 10_000
    assert (folder / "divergence.txt").read_text().startswith("Run 3 of seed 1: article against no_restraint")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["divergence=[article]"], "two scenarios"),
        (["divergence=article"], "list such as"),
        (["divergence=[article,no_such]"], "no_such"),
        (["divergence=[article,no_restraint]", "run=-1"], "whole number"),
        (["divergence=[article,salt_coast]"], "calendar"),
        (["outcome=lull_day"], "lull_days"),
        (["mechanisms=[anger]"], "mechanisms = anger"),
        (["mechanisms=[fear,fear]"], "each mechanism once"),
        (["parameters=guessed"], "posterior"),
        (["study.draws=0"], "study.draws"),
        (["study.draws=2", "parameters=defaults"], "single point"),
        (["study.runs=1000000", "study.draws=1000", "parameters=prior"], "study.runs"),
    ],
)
def test_mistakes_are_told_in_one_line(
    asked: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["explain", *asked]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert words in told.err
    assert list(tmp_path.iterdir()) == []
