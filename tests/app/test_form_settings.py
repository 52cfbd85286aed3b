"""The live ensemble without a page: numbers are those of `simulate`, texts are checked as the command line is."""

import random

import numpy as np
import pytest
import yaml

from sim import compare
from sim.analysis.pattern_tests import judge
from sim.analysis.summary import statistics, weekly_rows
from sim.app.form_settings import (
    LARGEST_FILE,
    MOST_RUNS,
    BaseConfig,
    ExploreState,
    ScenarioSettings,
    dump_scenario,
    initial_state,
    load_base,
    parse_scenario,
    parse_state,
    settable,
)
from sim.app.workers import TOTAL, compare_pair, free_from_same_day, run_ensemble
from sim.cli import main
from sim.experiment.ensemble import simulate, tallied
from sim.model.parameters import MECHANISM_NAMES, shared_declarations
from sim.model.validation import UserError
from sim.rules.outcomes import NEVER

FEW = 400


@pytest.fixture(scope="module")
def base() -> BaseConfig:
    return load_base((f"study.runs={FEW}",))


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
    others = {key: yaml.safe_load(text) for key, text in texts.items() if key != "scenario"}
    return simulate(texts["scenario"], runs=runs, seed=seed, overrides=others)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_numbers_are_those_of_simulate_with_the_settings_of_the_link(base: BaseConfig, seed: int):
    asked = parse_state(base, random_texts(seed) | {"seed": "7"})
    ensemble = run_ensemble(base.config(asked.a, asked.seed))
    given = dict(one.split("=", 1) for one in asked.a.overrides())
    expected = as_simulated(given, seed=7)
    assert ensemble.stats == statistics(tallied(expected))
    for row in weekly_rows(expected):
        if row["days"] < 7:
            continue
        for name in ("q05", "q25", "median", "q75", "q95"):
            shown = ensemble.bands[row["theatre"]][name][row["week"]]
            assert (None if np.isnan(shown) else shown) == row[name]


def test_a_number_that_is_not_of_these_settings_is_noticed(base: BaseConfig):
    ensemble = run_ensemble(base.config(base.settings({"patron.control": "0.5"})))
    assert ensemble.stats != statistics(tallied(as_simulated({"scenario": "article"})))


def test_the_band_of_all_theatres_counts_acknowledged_attacks_of_histories_without_war(base: BaseConfig):
    # A model without war threshold: many histories end, and their later weeks are no weeks without attacks.
    texts = {"scenario": "article", "history": "free", "ladder.war_rate": "0.05", "ladder.war_threshold": "0.5"}
    ensemble = run_ensemble(base.config(base.settings(texts)))
    others = {key: yaml.safe_load(text) for key, text in texts.items() if key != "scenario"}
    data = simulate("article", runs=FEW, overrides=others, daily=True)
    target = data["theatre_kind"].values == "target"
    daily = data["acknowledged_by_day"].values[:, :, target].sum(axis=2, dtype=int)
    war = data["war_day"].values
    assert (war != NEVER).sum() > 20
    for week in range(daily.shape[1] // 7):
        counts = [daily[run, 7 * week : 7 * week + 7].sum() for run in range(FEW) if not 0 <= war[run] < 7 * week + 7]
        whole = sorted(counts)
        for name, part in (("q05", 1), ("median", 10), ("q95", 19)):
            shown = ensemble.bands[TOTAL][name][week]
            if whole:
                assert shown == whole[-(-len(whole) * part // 20) - 1]
            else:
                assert np.isnan(shown)


def test_verdicts_are_those_of_the_command(base: BaseConfig):
    config = base.config(base.settings({"patron.control": "0.5"}))
    ensemble = run_ensemble(config)
    heard: list[int] = []
    found = {one.id: one for one in (*ensemble.quick_verdicts(), *ensemble.slow_verdicts(heard.append))}
    assert [found[one.id] for one in judge(config, ensemble.data)] == list(judge(config, ensemble.data))
    assert len(found) == 12
    assert sum(heard) > 10_000


def test_judging_stops_when_superseded(base: BaseConfig):
    class Newer(Exception):  # noqa: N818
        pass

    def newer(_: int) -> None:
        raise Newer

    with pytest.raises(Newer):
        list(run_ensemble(base.config(initial_state(base).a)).slow_verdicts(newer))


def test_a_pair_is_that_of_compare(base: BaseConfig):
    asked = parse_state(base, {"patron.control": "0.5", "b.scenario": "tight_leash", "b.patron.control": "0.9"})
    assert asked.b is not None
    first, second, words = free_from_same_day(base.config(asked.a), base.config(asked.b))
    rows = {row.measure.name: row for row in compare_pair(run_ensemble(first), run_ensemble(second))}
    entries = ["article;patron.control=0.5", "tight_leash;patron.control=0.9"]
    data = compare(entries, runs=FEW, parameters="defaults").data
    assert words == "documented history is pinned before 29 Jan 2024, free from then on"
    for name, row in rows.items():
        at = data.sel(measure=name).isel(comparison=0)
        for key in ("baseline_value", "scenario_value", "difference", "low", "high", "less", "more"):
            assert getattr(row.effect, key) == pytest.approx(float(at[key]), nan_ok=True), (name, key)
            apart = float(at[f"no_war_{key}" if name != "war" else key])
            assert getattr(row.comparable, key) == pytest.approx(apart, nan_ok=True), (name, key)


def test_a_pair_of_two_cases_is_refused(base: BaseConfig):
    with pytest.raises(UserError, match="salt_coast"):
        free_from_same_day(base.config(ScenarioSettings("article")), base.config(ScenarioSettings("salt_coast")))


# --- texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_link_comes_back(base: BaseConfig, seed: int):
    asked = parse_state(base, random_texts(seed) | {"b.scenario": "article", "b.patron.control": "0.4", "seed": "0"})
    assert parse_state(base, asked.texts(base)) == asked


def test_a_link_holds_what_differs_and_nothing_else(base: BaseConfig):
    texts = {"scenario": "tight_leash", "patron.control": "1", "target.major_days": "6.50", "mechanisms.fear": "true"}
    assert parse_state(base, texts).query(base) == "scenario=tight_leash&target.major_days=6.5"
    assert initial_state(base).query(base) == ""
    assert parse_state(base, {}) == initial_state(base) == ExploreState(ScenarioSettings("article"), None, 1)


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
    f"patron.control={'9' * 5000}": "at most 64 characters",
    f"{'x' * 5000}=1": "keys: ",
}


@pytest.mark.parametrize("text", BAD, ids=[one[:30] for one in BAD])
def test_a_bad_link_gives_one_short_line(base: BaseConfig, text: str):
    with pytest.raises(UserError, match=r"^[^\n]{1,700}$") as given:
        parse_state(base, dict([text.split("=", 1)]))
    assert BAD[text] in str(given.value)


def test_the_ground_holds_for_everybody_and_stays_out_of_the_link():
    base = load_base(("scenario=tight_leash", "seed=7", "militia.nujaba_iraq.autonomy=0.9"))
    assert (base.scenario, base.seed, base.runs) == ("tight_leash", 7, 2000)
    config = base.config(initial_state(base).a)
    assert config.scenario.cast.wings["nujaba_iraq"].autonomy == 0.9
    assert initial_state(base).query(base) == ""
    with pytest.raises(UserError, match=f"1 to {MOST_RUNS} here"):
        load_base(("study.runs=1000000",))


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_saved_scenario_comes_back(base: BaseConfig, seed: int):
    settings = base.settings(random_texts(seed))
    assert parse_scenario(base, dump_scenario(base, settings)) == settings


def test_a_shipped_scenario_comes_back(base: BaseConfig):
    for name in ("tight_leash", "no_order", "arms_interdiction", "salt_coast"):
        assert parse_scenario(base, dump_scenario(base, ScenarioSettings(name))) == ScenarioSettings(name)


def test_the_command_runs_a_saved_scenario(base: BaseConfig, tmp_path, capsys):
    settings = base.settings({"scenario": "no_order", "history": "free", "patron.control": "0.5"})
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "mine.yaml").write_text(dump_scenario(base, settings), encoding="utf-8")
    data = simulate("mine", runs=FEW, config_dir=tmp_path)
    assert statistics(tallied(data)) == run_ensemble(base.config(settings)).stats
    assert (
        main(["run", "--config-dir", str(tmp_path), "scenario=mine", "study.runs=20", f"output.dir={tmp_path}/x"]) == 0
    )
    assert "what" in capsys.readouterr().out.lower()


def test_a_file_of_ones_own_may_depart(base: BaseConfig):
    text = "scenario:\n  question: Mine?\n  departs: 2024-01-29\npatron: {control: 0.5}\nmechanisms: {fear: false}\n"
    values = (("history.free_from", "2024-01-29"), ("patron.control", 0.5), ("mechanisms.fear", False))
    assert parse_scenario(base, text) == ScenarioSettings("article", False, values)


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
        "#" * (LARGEST_FILE + 1),
    ],
    ids=range(19),
)
def test_a_bad_file_gives_one_line(base: BaseConfig, text: str):
    with pytest.raises(UserError, match=r"^file[^\n]{1,300}$"):
        parse_scenario(base, text)


def test_what_can_be_set_is_what_a_file_may_hold(base: BaseConfig):
    assert len(settable()) == len(set(settable())) == 1 + len(shared_declarations()) + len(MECHANISM_NAMES)
    assert "control: 0.5" in dump_scenario(base, base.settings({"patron.control": "0.5"}))
    assert yaml.safe_load(dump_scenario(base, ScenarioSettings("tight_leash")))["patron"] == {"control": 1.0}
