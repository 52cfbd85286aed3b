"""The shipped scenarios: all load, each departs when it says, and history is pinned or free as asked."""

import pickle
import threading
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from sim.model.hydra_config import shipped_folder
from sim.model.parameters import Mechanisms, default_parameters, shared_declarations
from sim.model.scenario import Config, config_of, load, overlay, scenario_names
from sim.model.timeline import Day, daily
from sim.model.validation import UserError

SHIPPED = {
    "article": None,
    "no_order": 0,
    "axis_pause": 108,
    "no_us_strikes": 0,
    "no_threat": 104,
    "no_restraint": 104,
    "tight_leash": 104,
    "hands_off_extreme": 104,
    "no_tower22": 103,
    "major_early": 29,
    "strike_iran": 108,
    "no_mediation": 104,
    "leader_strike_in_lull": 126,
    "rafah_offensive": 136,
    "gaza_ceasefire": 59,
    "arms_interdiction": 109,
    "long_horizon": None,
}
INVENTED = "salt_coast"
FREED_LATER = {"no_tower22": 104}
"""Scenarios that differ from the baseline before history is freed."""


@pytest.fixture(scope="module")
def configs() -> dict[str, Config]:
    return {card.name: load([f"scenario={card.name}"]) for card in scenario_names()}


@pytest.fixture(scope="module")
def article(configs: dict[str, Config]) -> Config:
    return configs["article"]


def days_of(config: Config) -> tuple[Day, ...]:
    scenario = config.scenario
    return daily(scenario.calendar, scenario.standing_events(), scenario.cast)


def test_all_seventeen_and_the_invented_one_are_there_with_question_and_departure(configs: dict[str, Config]) -> None:
    cards = scenario_names()
    assert len(SHIPPED) == 17
    assert {*SHIPPED, INVENTED} <= {card.name for card in cards}
    assert list(cards) == sorted(cards, key=lambda card: card.name)
    for card in cards:
        assert card.question.endswith("?")
        assert configs[card.name].scenario.question == card.question
        assert configs[card.name].scenario.name == card.name


@pytest.mark.parametrize(("name", "departs"), SHIPPED.items())
def test_each_scenario_departs_on_its_day_and_frees_history_from_there(
    configs: dict[str, Config], name: str, departs: int | None
) -> None:
    scenario = configs[name].scenario
    assert scenario.departs == departs
    assert scenario.free_from == FREED_LATER.get(name, departs)


def test_where_the_drone_is_intercepted_its_baseline_has_the_deaths(configs: dict[str, Config]) -> None:
    """Freed on the day of the deaths, neither arm would have them, and there would be nothing to compare."""
    without_deaths = configs["no_tower22"]
    baseline = replace(configs["article"].scenario, free_from=without_deaths.scenario.free_from)
    there = daily(baseline.calendar, baseline.standing_events(), baseline.cast)[103]
    assert (there.pinned_killed, days_of(without_deaths)[103].pinned_killed) == (3, 0)


def test_the_windows_of_the_article(article: Config) -> None:
    calendar = article.scenario.calendar
    assert (calendar.date_of(0), calendar.days) == (date(2023, 10, 17), 330)
    assert calendar.campaign == range(108)
    assert calendar.lull == range(109, 134)
    assert calendar.date_of(133) == date(2024, 2, 27)


def test_the_documented_history_is_pinned_day_by_day(article: Config) -> None:
    days = days_of(article)
    assert [day for day in range(330) if not days[day].deaths_allowed] == list(range(134))
    assert [day for day in range(330) if days[day].pinned_killed] == [103]
    wings = list(article.scenario.cast.wings)
    assert (wings[days[103].pinned_wing], days[103].pinned_killed) == ("kataib_hezbollah_jordan", 3)
    assert [day for day in range(330) if days[day].major == -1] == list(range(108))
    assert [day for day in range(330) if days[day].major == 1] == [108]


def test_free_history_pins_nothing_and_changes_nothing_else(article: Config) -> None:
    free = load(["history=free"])
    assert free.scenario.pins == ()
    for day in days_of(free):
        assert (day.deaths_allowed, day.major, day.pinned_wing) == (True, 0, -1)
    assert replace(free.scenario, pins=article.scenario.pins) == article.scenario


@pytest.mark.parametrize("freed", [0, 50, 103, 104, 108, 329])
def test_a_baseline_can_be_freed_on_any_day(article: Config, freed: int) -> None:
    pinned, free = days_of(article), days_of(load(["history=free"]))
    asked = days_of(load([f"history.free_from={freed}"]))
    assert asked == (*pinned[:freed], *free[freed:])


def test_a_date_frees_history_as_its_day_number_does() -> None:
    assert load(["history.free_from=2024-01-28"]).scenario == load(["history.free_from=103"]).scenario


@pytest.mark.parametrize("name", [name for name, departs in SHIPPED.items() if departs])
def test_the_timeline_before_the_departure_is_that_of_the_article(configs: dict[str, Config], name: str) -> None:
    scenario = configs[name].scenario
    departs = scenario.departs
    assert departs is not None
    assert days_of(configs[name])[:departs] == days_of(load([f"history.free_from={departs}"]))[:departs]


def test_no_two_scenarios_are_the_same(configs: dict[str, Config]) -> None:
    worlds = [replace(config.scenario, name="", question="") for config in configs.values()]
    assert all(one != other for place, one in enumerate(worlds) for other in worlds[:place])


def test_what_each_scenario_changes(configs: dict[str, Config], article: Config) -> None:
    def off(name: str) -> set[str]:
        return {one.name for one in fields(Mechanisms) if not getattr(configs[name].scenario.mechanisms, one.name)}

    assert off("no_us_strikes") == {"limited_response", "major_response"}
    assert off("no_threat") == {"major_response", "threat_fear"}
    assert off("no_restraint") == {"patron_restraint"}
    assert off("no_mediation") == {"mediation"}
    assert off("article") == set()
    tight, loose = configs["tight_leash"].scenario.parameters, configs["hands_off_extreme"].scenario.parameters
    assert (tight.patron.control, tight.multipliers.autonomy) == (1.0, 0.3)
    assert (loose.patron.control, loose.multipliers.autonomy) == (0.3, 1.6)
    assert configs["strike_iran"].scenario.parameters.target.patron_strike_rung == 3.0
    assert configs["long_horizon"].scenario.calendar.days == 365
    assert days_of(configs["long_horizon"])[:330] == days_of(article)

    order = list(article.scenario.cast.theatres)
    unordered = days_of(configs["no_order"])[50].stance
    assert {order[k] for k in range(6) if unordered[k] == 0.0} == {"iraq", "syria", "jordan"}
    pause = days_of(configs["axis_pause"])
    paused = [day for day in range(330) if max(pause[day].stance) == 0.0]
    assert paused == list(range(108, paused[-1] + 1))
    assert all(min(day.stance) == 1.0 for number, day in enumerate(pause) if number not in paused)
    rafah = days_of(configs["rafah_offensive"])
    assert [day for day in range(330) if max(rafah[day].attack_multiplier) > 1.0] == list(range(136, 196))
    truce = days_of(configs["gaza_ceasefire"])
    assert [day for day in range(330) if truce[day].intensity == 0.0] == list(range(59, 66))
    assert [number for number, day in enumerate(days_of(configs["major_early"])) if day.major == 1] == [29]
    without_deaths = days_of(configs["no_tower22"])[103]
    assert (without_deaths.deaths_allowed, without_deaths.pinned_wing) == (False, -1)
    assert [sum(day.strike) for day in days_of(configs["leader_strike_in_lull"])][126:128] == [2.0, 0.0]
    arms = days_of(configs["arms_interdiction"])[329]
    assert (arms.supply[order.index("red_sea")], sum(arms.strike)) == (0.3, 0.3)


def test_the_invented_case_shares_nothing_with_the_article(configs: dict[str, Config], article: Config) -> None:
    other = configs[INVENTED].scenario
    assert (len(other.cast.wings), len(other.cast.theatres)) == (4, 3)
    assert {theatre.kind for theatre in other.cast.theatres.values()} == {"target", "rival", "shipping"}
    assert len({wing.collective for wing in other.cast.wings.values()}) == 2
    assert other.calendar.days == 200
    assert {event.kind for event in other.pins} == {"deaths", "no_deaths", "major", "block_major_response"}
    assert configs[INVENTED].patterns == ()
    theirs, ours = vars(other.cast.names), vars(article.scenario.cast.names)
    assert not set(theirs.values()) & set(ours.values())
    assert not set(other.cast.wings) & set(article.scenario.cast.wings)
    assert load([f"scenario={INVENTED}", "history=free"]).scenario.pins == ()


def test_shared_numbers_come_from_their_declarations_alone(article: Config) -> None:
    assert article.scenario.parameters == default_parameters()
    text = "\n".join(path.read_text() for path in shipped_folder().rglob("*.yaml"))
    groups = {key.partition(".")[0] for key in shared_declarations()}
    set_in_files = {group for group in groups if f"\n{group}:\n" in text}
    assert set_in_files <= {"patron", "multipliers", "target"}


def test_every_number_of_the_cast_says_where_it_comes_from(configs: dict[str, Config]) -> None:
    for config in (configs["article"], configs[INVENTED]):
        cast = config.scenario.cast
        wanted = {f"theatre.{name}.{number}" for name in cast.theatres for number in ("gate", "supply")}
        wanted |= {f"militia.{name}.{number}" for name in cast.wings for number in ("baseline", "autonomy", "ideology")}
        assert set(cast.sources) == wanted
        events = (*config.scenario.events, *config.scenario.pins)
        assert all(event.source for event in events)


def test_the_cast_of_the_article(article: Config) -> None:
    cast = article.scenario.cast
    assert list(cast.theatres) == ["iraq", "syria", "jordan", "lebanon", "red_sea", "gaza"]
    assert len(cast.wings) == 10
    assert [name for name in cast.wings if cast.strikable(name)] == list(cast.wings)[:7]
    iraqi = [name for name, wing in cast.wings.items() if wing.collective == "islamic_resistance_in_iraq"]
    assert iraqi == [name for name, wing in cast.wings.items() if wing.mediated]
    autonomy = {name: wing.autonomy for name, wing in cast.wings.items()}
    middle = [autonomy[name] for name in cast.wings if cast.strikable(name)]
    assert autonomy["hezbollah_lebanon"] < min(middle)
    assert max(middle) < autonomy["houthis_red_sea"]


@pytest.mark.parametrize("name", SHIPPED)
def test_an_overlay_is_the_scenario_itself_when_put_on_the_article(
    configs: dict[str, Config], article: Config, name: str
) -> None:
    laid = overlay(article, name)
    assert laid.scenario == configs[name].scenario
    assert (laid.seed, laid.runs, laid.patterns) == (article.seed, article.runs, article.patterns)


def test_an_overlay_keeps_what_the_user_set_unless_the_scenario_says_otherwise() -> None:
    mine = load(["seed=0", "study.runs=7", "patron.control=0.5", "target.quiet_days=3", "scenario=rafah_offensive"])
    laid = overlay(mine, "tight_leash")
    assert (laid.seed, laid.runs) == (0, 7)
    assert laid.scenario.parameters.target.quiet_days == 3.0
    assert laid.scenario.parameters.patron.control == 1.0
    assert (laid.scenario.name, laid.scenario.departs) == ("tight_leash", 104)
    assert any(event.id == "rafah" for event in laid.scenario.events)
    assert mine.scenario.parameters.patron.control == 0.5


def test_an_overlay_of_another_case_or_on_one_is_refused(article: Config, configs: dict[str, Config]) -> None:
    with pytest.raises(UserError, match=r"scenario = salt_coast: allowed"):
        overlay(article, INVENTED)
    with pytest.raises(UserError, match=r"scenario.departs = 2024-03-01: allowed 2031-03-01 to 2031-09-16"):
        overlay(configs[INVENTED], "rafah_offensive")
    assert overlay(configs[INVENTED], "no_us_strikes").scenario.cast == configs[INVENTED].scenario.cast


def test_the_resolved_tree_alone_gives_the_configuration_back(configs: dict[str, Config]) -> None:
    for name, config in configs.items():
        assert config_of(config.tree, name) == config


def test_scenario_files_of_the_user_stand_beside_ours(tmp_path: Path) -> None:
    folder = tmp_path / "it's mine, = [ö]"
    (folder / "scenario").mkdir(parents=True)
    (folder / "scenario" / "mine.yaml").write_text(
        "# @package _global_\nscenario: {question: Mine, departs: 2024-02-01}\npatron: {control: 0.6}\n"
    )
    config = load(["scenario=mine", "patron.release_rate=0.1"], folder)
    assert (config.scenario.name, config.scenario.departs) == ("mine", 107)
    assert config.scenario.parameters.patron.control == 0.6
    assert overlay(load(), "mine", folder).scenario.parameters.patron.control == 0.6
    assert "mine" in {card.name for card in scenario_names(folder)}
    assert load(["scenario=tight_leash"], folder) == load(["scenario=tight_leash"])


def test_whole_new_wings_theatres_and_events_can_be_added_by_override() -> None:
    config = load(
        [
            "+theatre.gulf={name: Gulf, kind: target, mediated: false, restraint: reduce, gate: 0.5, supply: 0.5}",
            "+militia.newcomers={name: Newcomers, group: Newcomers, theatre: gulf, collective: newcomers,"
            " mediated: false, baseline: 0, autonomy: 1, ideology: 0}",
            "+events.raid={kind: strike, wing: newcomers, from: 3, value: 1}",
            "~militia.hamas_gaza",
        ]
    )
    cast = config.scenario.cast
    assert list(cast.theatres)[-1] == "gulf"
    assert list(cast.wings)[-1] == "newcomers"
    assert len(cast.wings) == 10
    assert cast.source("militia.newcomers.autonomy").provenance == "assumed"
    assert config.scenario.events[-1].last == 3


SECOND = "+history.events.second_attack={kind: deaths, from: 2024-02-10, wing: kataib_hezbollah_iraq, killed: 2}"


def _day(config: Config, when: date) -> Day:
    scenario = config.scenario
    return daily(scenario.calendar, scenario.standing_events(), scenario.cast)[scenario.calendar.day_of(when)]


@pytest.mark.parametrize("departs", ["2024-02-10", "2024-02-03", "start", "null"])
def test_an_event_that_a_scenario_brings_acts_whatever_is_free_by_then(departs: str) -> None:
    config = load([f"scenario.departs={departs}", SECOND])
    day = _day(config, date(2024, 2, 10))
    assert (day.pinned_killed, config.scenario.cast.wing_index("kataib_hezbollah_iraq")) == (2, day.pinned_wing)
    again = config_of(config.tree, config.scenario.name)
    assert again.scenario == config.scenario
    freed = replace(config, scenario=replace(config.scenario, free_from=0))
    assert _day(freed, date(2024, 2, 10)).pinned_killed == 2
    assert _day(freed, date(2024, 1, 28)).pinned_killed == 0, "what is documented goes on being freed"


def test_a_documented_event_that_is_moved_past_the_departure_acts() -> None:
    late = load(["scenario=no_restraint", "history.events.february_strikes.from=2024-02-05"])
    assert [_day(late, date(2024, 2, day)).major for day in (2, 5)] == [0, 1]
    assert _day(load(["scenario=no_restraint"]), date(2024, 2, 2)).major == 0


def test_an_event_across_the_departure_acts_on_both_sides_and_has_the_last_word_after_it() -> None:
    given = "+history.events.calm={kind: intensity, from: 2024-02-01, to: 2024-02-20, value: 0.2}"
    config = load(["scenario.departs=2024-02-10", given])
    assert [_day(config, date(2024, 2, day)).intensity for day in (9, 10, 20, 21)] == [1.0, 0.2, 0.2, 1.0]
    act = "+history.events.more={kind: act_against_patron, from: 2024-02-08, to: 2024-02-12, value: 2}"
    config = load(["scenario.departs=2024-02-10", act])
    assert [_day(config, date(2024, 2, day)).acts for day in (7, 8, 12, 13)] == [0.0, 2.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["history.events.tower_22.from=2024-02-05"], "history.events.tower_22 = 2024-02-05"),
        (["+history.events.x={kind: intensity, from: 2024-01-01, value: 0.5}"], "history.events.x = 2024-01-01"),
        (
            [
                "+events.x={kind: talks, from: 2024-01-01, value: 1}",
                "+events.y={kind: talks, from: 2023-12-30, to: 2024-01-01, value: 0}",
            ],
            "events.x = 2024-01-01",
        ),
    ],
)  # fmt: skip
def test_an_event_that_cannot_act_is_refused_by_name_and_date(overrides: list[str], key: str) -> None:
    with pytest.raises(UserError) as caught:
        load(overrides)
    assert str(caught.value).startswith(f"{key}: allowed")
    assert "\n" not in str(caught.value)
    load(["+history.events.x={kind: intensity, from: 2024-01-01, value: 1.0}"])


def test_histories_of_ones_own_are_documented_with_the_files_that_they_build_on(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - article\n  - _self_\nhistory:\n  events:\n    february_strikes:\n"
        "      from: 2024-02-03\n",
        encoding="utf-8",
    )
    scenario = load(["scenario=no_restraint", "history=mine"], tmp_path).scenario
    assert not any(one.intervention for one in (*scenario.pins, *scenario.events))


def test_seed_zero_and_the_largest_seed_are_seeds() -> None:
    assert load(["seed=0"]).seed == 0
    assert load([f"seed={2**64 - 1}"]).seed == 2**64 - 1


def test_loading_leaves_no_global_state_and_can_go_on_in_threads() -> None:
    wanted = [load([f"seed={seed}"]) for seed in range(4)]
    found: dict[int, Config] = {}

    def read(seed: int) -> None:
        found[seed] = load([f"seed={seed}"])

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[seed] for seed in range(4)] == wanted
    assert not GlobalHydra.instance().is_initialized()


def test_configurations_are_frozen_and_travel_between_processes(article: Config) -> None:
    assert pickle.loads(pickle.dumps(article)) == article
    with pytest.raises(AttributeError):
        article.seed = 3  # type: ignore[misc]
