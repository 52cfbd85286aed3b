"""The live ensemble without a page: numbers are those of `simulate`, texts are checked as the command line is."""

import random

import numpy as np
import pytest
import yaml

from sim.cli import main
from sim.rules.outcomes import NEVER
from sim.study.comparison.comparing import compare
from sim.study.live.file import LARGEST, opened, saved
from sim.study.live.link import Asked, asked_of, usual
from sim.study.live.lived import TOTAL, live
from sim.study.live.pair import alike, paired
from sim.study.live.settings import MOST_RUNS, Ground, Settings, ground_of, settable
from sim.study.patterns import judge
from sim.study.simulation import simulate
from sim.study.stream import tallied
from sim.study.summary import statistics, weekly_rows
from sim.world.errors import UserError
from sim.world.mechanisms import MECHANISM_NAMES
from sim.world.parameters import shared_declarations

FEW = 400


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of((f"study.runs={FEW}",))


def random_texts(seed: int) -> dict[str, str]:
    """Return settings as a visitor might leave them."""
    dice = random.Random(seed)
    texts = {"scenario": dice.choice(("article", "tight_leash", "no_order", "salt_coast"))}
    if dice.random() < 0.5:
        texts["history"] = "free"
    for key, one in dice.sample(sorted(shared_declarations().items()), 4):
        texts[key] = f"{dice.uniform(one.low, one.high):.3g}"
    texts[f"mechanisms.{dice.choice(MECHANISM_NAMES)}"] = "false"
    return texts


def as_simulated(texts: dict[str, str], runs: int = FEW, seed: int = 1):
    others = [f"{key}={text}" for key, text in texts.items() if key != "scenario"]
    return simulate(texts["scenario"], runs=runs, seed=seed, overrides=others)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_numbers_are_those_of_simulate_with_the_settings_of_the_link(ground: Ground, seed: int):
    asked = asked_of(ground, random_texts(seed) | {"seed": "7"})
    lived = live(ground.config(asked.a, asked.seed))
    told = dict(one.split("=", 1) for one in asked.a.overrides())
    expected = as_simulated(told, seed=7)
    assert lived.stats == statistics(tallied(expected))
    for row in weekly_rows(expected):
        if row["days"] < 7:
            continue
        for name in ("q05", "q25", "median", "q75", "q95"):
            shown = lived.bands[row["theatre"]][name][row["week"]]
            assert (None if np.isnan(shown) else shown) == row[name]


def test_a_number_that_is_not_of_these_settings_is_noticed(ground: Ground):
    lived = live(ground.config(ground.settings({"patron.control": "0.5"})))
    assert lived.stats != statistics(tallied(as_simulated({"scenario": "article"})))


def test_the_band_of_all_theatres_counts_acknowledged_attacks_of_histories_without_war(ground: Ground):
    # A model without war threshold: many histories end, and their later weeks are no weeks without attacks.
    texts = {"scenario": "article", "history": "free", "ladder.war_rate": "0.05", "ladder.war_threshold": "0.5"}
    lived = live(ground.config(ground.settings(texts)))
    others = [f"{key}={text}" for key, text in texts.items() if key != "scenario"]
    data = simulate("article", runs=FEW, overrides=others, daily=True)
    target = data["theatre_kind"].values == "target"
    daily = data["acknowledged_by_day"].values[:, :, target].sum(axis=2, dtype=int)
    war = data["war_day"].values
    assert (war != NEVER).sum() > 20
    for week in range(daily.shape[1] // 7):
        counts = [daily[run, 7 * week : 7 * week + 7].sum() for run in range(FEW) if not 0 <= war[run] < 7 * week + 7]
        whole = sorted(counts)
        for name, part in (("q05", 1), ("median", 10), ("q95", 19)):
            shown = lived.bands[TOTAL][name][week]
            if whole:
                assert shown == whole[-(-len(whole) * part // 20) - 1]
            else:
                assert np.isnan(shown)


def test_verdicts_are_those_of_the_command(ground: Ground):
    config = ground.config(ground.settings({"patron.control": "0.5"}))
    lived = live(config)
    heard: list[int] = []
    found = {one.id: one for one in (*lived.verdicts_at_once(), *lived.verdicts_later(heard.append))}
    assert [found[one.id] for one in judge(config, lived.data)] == list(judge(config, lived.data))
    assert len(found) == 14
    assert sum(heard) > 10_000


def test_judging_stops_when_told(ground: Ground):
    class Newer(Exception):  # noqa: N818
        pass

    def newer(_: int) -> None:
        raise Newer

    with pytest.raises(Newer):
        list(live(ground.config(usual(ground).a)).verdicts_later(newer))


def test_a_pair_is_that_of_compare(ground: Ground):
    asked = asked_of(ground, {"patron.control": "0.5", "b.scenario": "tight_leash", "b.patron.control": "0.9"})
    assert asked.b is not None
    first, second, words = alike(ground.config(asked.a), ground.config(asked.b))
    rows = {row.measure.name: row for row in paired(live(first), live(second))}
    entries = ["article;patron.control=0.5", "tight_leash;patron.control=0.9"]
    data = compare(entries, runs=FEW, parameters="defaults")
    assert words == "documented history is pinned before 29 Jan 2024, free from then on"
    for name, row in rows.items():
        at = data.sel(measure=name).isel(comparison=0)
        for key in ("value_a", "value_b", "difference", "low", "high", "less", "more"):
            assert getattr(row.effect, key) == pytest.approx(float(at[key]), nan_ok=True), (name, key)
            apart = float(at[f"no_war_{key}" if name != "war" else key])
            assert getattr(row.compared, key) == pytest.approx(apart, nan_ok=True), (name, key)


def test_a_pair_of_two_cases_is_refused(ground: Ground):
    with pytest.raises(UserError, match="salt_coast"):
        alike(ground.config(Settings("article")), ground.config(Settings("salt_coast")))


# --- texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_link_comes_back(ground: Ground, seed: int):
    asked = asked_of(ground, random_texts(seed) | {"b.scenario": "article", "b.patron.control": "0.4", "seed": "0"})
    assert asked_of(ground, asked.texts(ground)) == asked


def test_a_link_holds_what_differs_and_nothing_else(ground: Ground):
    texts = {"scenario": "tight_leash", "patron.control": "1", "target.major_days": "6.50", "mechanisms.fear": "true"}
    assert asked_of(ground, texts).query(ground) == "scenario=tight_leash&target.major_days=6.5"
    assert usual(ground).query(ground) == ""
    assert asked_of(ground, {}) == usual(ground) == Asked(Settings("article"), None, 1)


BAD = {
    "patron.contro=1": "nearest: patron.control",
    "patron.control=7": "patron.control = 7.0: allowed 0 to 1",
    "patron.control=nan": "a number from 0 to 1",
    "patron.control=1_0": "a number from 0 to 1",
    "patron.control=${oc.env:HOME}": "a number from 0 to 1",
    "patron.control=": "a number from 0 to 1",
    "mechanisms.fear=maybe": "true or false",
    "mechanisms.=true": "keys: ",
    "scenario=../../etc": "scenario = ../../etc",
    "scenario=tihgt_leash": "nearest: tight_leash",
    "history=article": "history = article: allowed free",
    "history.free_from=2029-01-01": "2023-10-17 to 2024-09-10",
    "history.free_from=soon": "a date such as",
    "seed=-1": "a whole number from 0",
    "b.seed=3": "b.seed",
    "b.patron.control=7": "b.patron.control = 7.0",
    "study.runs=1000000000": "study.runs",
    "output.dir=/tmp/x": "output.dir",
    "events.x.kind=major": "events.x.kind",
    f"patron.control={'9' * 5000}": "at most 64 signs",
    f"{'x' * 5000}=1": "keys: ",
}


@pytest.mark.parametrize("text", BAD, ids=[one[:30] for one in BAD])
def test_a_bad_link_is_told_in_one_short_line(ground: Ground, text: str):
    with pytest.raises(UserError, match=r"^[^\n]{1,700}$") as told:
        asked_of(ground, dict([text.split("=", 1)]))
    assert BAD[text] in str(told.value)


def test_the_ground_holds_for_everybody_and_stays_out_of_the_link():
    ground = ground_of(("scenario=tight_leash", "seed=7", "militia.nujaba_iraq.autonomy=0.9"))
    assert (ground.scenario, ground.seed, ground.runs) == ("tight_leash", 7, 2000)
    config = ground.config(usual(ground).a)
    assert config.scenario.cast.wings["nujaba_iraq"].autonomy == 0.9
    assert usual(ground).query(ground) == ""
    with pytest.raises(UserError, match=f"1 to {MOST_RUNS} here"):
        ground_of(("study.runs=1000000",))


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_saved_scenario_comes_back(ground: Ground, seed: int):
    settings = ground.settings(random_texts(seed))
    assert opened(ground, saved(ground, settings)) == settings


def test_a_shipped_scenario_comes_back(ground: Ground):
    for name in ("tight_leash", "no_order", "arms_interdiction", "salt_coast"):
        assert opened(ground, saved(ground, Settings(name))) == Settings(name)


def test_the_command_runs_a_saved_scenario(ground: Ground, tmp_path, capsys):
    settings = ground.settings({"scenario": "no_order", "history": "free", "patron.control": "0.5"})
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "mine.yaml").write_text(saved(ground, settings), encoding="utf-8")
    data = simulate("mine", runs=FEW, config_dir=tmp_path)
    assert statistics(tallied(data)) == live(ground.config(settings)).stats
    assert (
        main(["run", "--config-dir", str(tmp_path), "scenario=mine", "study.runs=20", f"output.dir={tmp_path}/x"]) == 0
    )
    assert "what" in capsys.readouterr().out.lower()


def test_a_file_of_ones_own_may_depart(ground: Ground):
    text = "scenario:\n  question: Mine?\n  departs: 2024-01-29\npatron: {control: 0.5}\nmechanisms: {fear: false}\n"
    values = (("history.free_from", "2024-01-29"), ("patron.control", 0.5), ("mechanisms.fear", False))
    assert opened(ground, text) == Settings("article", False, values)


@pytest.mark.parametrize(
    "text",
    [
        "[1",
        "- a",
        "",
        "a: !!python/object/apply:os.system [ls]",
        "events: {x: {kind: major}}",
        "patron: {control: '${oc.env:HOME}'}",
        "scenario: {question: '${oc.env:HOME}', departs: null}",
        "scenario: {question: Mine}\nseed: 7",
        "scenario: {question: Mine}\nparameters: posterior",
        "patron: {control: 7}",
        "patron: {control: [1, 2]}",
        "patron: {contrl: 1}",
        "patron: 3",
        "scenario: 3",
        "defaults: [override /actors: salt_coast]",
        "a: &a [1]\nb: *a",
        "{" * 3000,
        "\x00",
        "#" * (LARGEST + 1),
    ],
    ids=range(19),
)
def test_a_bad_file_is_told_in_one_line(ground: Ground, text: str):
    with pytest.raises(UserError, match=r"^file[^\n]{1,300}$"):
        opened(ground, text)


def test_what_can_be_set_is_what_a_file_may_hold(ground: Ground):
    assert len(settable()) == len(set(settable())) == 1 + len(shared_declarations()) + len(MECHANISM_NAMES)
    assert "control: 0.5" in saved(ground, ground.settings({"patron.control": "0.5"}))
    assert yaml.safe_load(saved(ground, Settings("tight_leash")))["patron"] == {"control": 1.0}
