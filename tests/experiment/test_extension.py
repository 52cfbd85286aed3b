"""Extensions in every engine: the same bits, nothing moved where they do nothing, nothing left behind."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sim
from sim import cli
from sim.analysis.calibration.observations import found as found_in
from sim.analysis.calibration.observations import seen, settings_of
from sim.analysis.report_data import prepare as prepare_report
from sim.analysis.requested import players_of
from sim.engine import batched
from sim.engine.batch import empty_output, run_batch
from sim.engine.batched.specialize import OURS, kernel_rules
from sim.engine.extension.plan import extension_outcomes, plan_of
from sim.engine.extension.replacement import REPLACEABLE, _replaced, original, replaced_rules
from sim.engine.inputs import ModelInputs, build_inputs
from sim.engine.record import Output, OutputSpec
from sim.engine.reference.extension_hooks import ExtensionHooks, rulebooks_of
from sim.engine.reference.model import ReferenceModel
from sim.experiment.command import Request
from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.extension_check import check_parity
from sim.model.extension import ActiveExtensions
from sim.model.hydra_config import override_of
from sim.model.parameters import MECHANISM_NAMES
from sim.model.scenario import Scenario, load
from sim.model.validation import UserError
from sim.numbers.philox import actor_id, compiled_uniform
from sim.rules import militia
from sim.rules.decisions import KILLED, MAX_ATTACKS
from tests.engine.rows import differing, reference_output
from tests.experiment.extensions import ACTORS, ALL, PACE, everything_moved, mechanism, written

RUNS = 30


@pytest.fixture(autouse=True)
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds the listings of docs/extending.md."""
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scenario_of(*overrides: str) -> Scenario:
    return load(overrides).scenario


@cache
def everything() -> tuple[Scenario, ModelInputs]:
    """All four listings at once, at nine points of their parameters and of some of ours."""
    scenario = load([ALL, *ACTORS, "ladder.war_rate=0.01"]).scenario
    rng = np.random.default_rng(5)
    design = {
        key: one.low + (one.high - one.low) * rng.random(9) for key, one in scenario.extended.declarations.items()
    }
    design |= {"casualties.penetration": np.linspace(0.02, 0.3, 9), "casualties.lethality": np.linspace(0.1, 0.5, 9)}
    return scenario, build_inputs(scenario, design)


def histories() -> tuple[np.ndarray, np.ndarray]:
    """Runs, some with numbers beyond 32 bits, and the points that they are lived at."""
    runs = np.arange(RUNS)
    runs[RUNS // 2 :] += 5 * 2**32
    return runs, np.arange(RUNS) % 9


def lived(table: ModelInputs, width: int | None = None) -> Output:
    runs, points = histories()
    out = empty_output(table, RUNS, OutputSpec(daily=True, states=True))
    batched.run_histories(table, 11, 3, runs, points, out, width)
    return out


def by_reference() -> Output:
    return reference_output(*everything(), 11 + (3 << 32), *histories(), OutputSpec(daily=True, states=True))


@cache
def together() -> Output:
    """All histories side by side."""
    return lived(everything()[1])


# --- the same in every engine -------------------------------------------------------------------------------


def test_lanes_write_the_bits_of_the_reference_model():
    assert differing(by_reference(), together()) == []


@pytest.mark.parametrize("width", [1, 3, 64])
def test_the_width_of_a_block_changes_no_bit(width):
    table = everything()[1]
    assert differing(together(), lived(table, width)) == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["strike_iran", "salt_coast"])
def test_all_that_may_be_replaced_and_changed_at_once(name, listings):
    (listings / "all.py").write_text(everything_moved())
    for overrides in ((), ("patron.open_answer=0.5", "casualties.penetration=0.2", "casualties.lethality=0.3")):
        found = check_parity("all.py", (f"scenario={name}", *overrides))
        assert found.histories > 0
        assert found.first is None, str(found.first)


def test_threads_and_blocks_change_no_bit(monkeypatch):
    table = everything()[1]
    runs, points = histories()
    one = run_batch(table, 11, runs, points, threads=1)
    monkeypatch.setattr("sim.engine.batch.task_size", lambda *_: 7)
    two = run_batch(table, 11, runs, points, threads=2)
    assert differing(one, two) == []


def test_the_extensions_do_something_and_their_histories_reach_far():
    found = together()
    plan = plan_of(everything()[0].extended)
    for name, (row, scope) in plan.states.items():
        rows = slice(row, row + everything()[0].extended.count(scope))
        few = 6 if name == "volleys.rockets" else 10
        assert len(np.unique(found.extras_states[:, :, rows])) >= few, name
    assert (found.run_states["war"] > 0).any(), "some histories end in war"
    assert (found.run_states["killed"] > 0).any()


def test_outcomes_are_what_the_states_say():
    scenario, table = everything()
    runs, points = histories()
    out = run_batch(table, 11 + (3 << 32), runs, points, OutputSpec(states=True))
    plan = plan_of(scenario.extended)
    calm, busiest = (out.extras[:, plan.outcomes[name]] for name in ("longest_calm", "busiest_day"))
    assert np.array_equal(calm, out.run_states["quiet_days"].max(axis=1))
    assert np.array_equal(busiest, out.wing_states["attacks"].max(axis=(1, 2)))


# --- what must not pass unseen ------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["morning", "launch", "attacks", "strikes", "evening"])
def test_a_moment_that_the_reference_model_leaves_out_is_seen(moment, monkeypatch):
    act = ExtensionHooks.act
    monkeypatch.setattr(ExtensionHooks, "act", lambda self, when: when != moment and act(self, when))
    assert differing(together(), by_reference())


def test_a_rule_of_one_wing_that_the_reference_model_leaves_out_is_seen(monkeypatch):
    monkeypatch.setattr("sim.engine.reference.model.rulebooks_of", lambda extended: {"": rulebooks_of(extended)[""]})
    assert "wing_states" in differing(together(), by_reference())


def test_a_function_that_compiles_to_something_else_is_found(listings, capsys):
    huge = mechanism("float(int(force * 1e9 + 7.0) * int(3e9) * int(3e9) % 1000003)")
    (listings / "huge.py").write_text(huge)
    found = check_parity("huge.py").first
    assert found is not None
    assert found.engine == "lanes, as many as fit side by side"
    assert found.what.startswith("extras.row")
    assert found.reference != found.other
    capsys.readouterr()
    assert cli.main(["check-extension", "huge.py", "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["file"], printed["same"], printed["first"]["what"]) == ("huge.py", False, found.what)


def test_one_bit_of_a_parameter_of_an_extension_is_seen():
    scenario, table = everything()
    extras = table.extras.copy()
    extras[0] = np.nextafter(extras[0], np.inf)
    changed = table._replace(extras=extras)
    states = ReferenceModel(scenario, 11 + (3 << 32), 0, table=changed, point=0).simulate().state_table()
    assert states.extras.tobytes() != together().extras_states[0].tobytes()


def test_replaceable_rules_are_those_of_the_model():
    assert len(set(REPLACEABLE)) == len(REPLACEABLE)
    assert all(callable(original(key)) for key in REPLACEABLE)


# --- nothing else moves -------------------------------------------------------------------------------------


def test_a_mechanism_without_strength_moves_no_bit():
    plain = sim.simulate("article", runs=100, daily=True, states=[3])
    neutral = sim.simulate("article", runs=100, daily=True, states=[3], extensions=["weariness.py"])
    strong = sim.simulate("article", runs=100, overrides={"weariness.strength": 2}, extensions=["weariness.py"])
    assert [name for name in plain.data_vars if plain[name].values.tobytes() != neutral[name].values.tobytes()] == []
    assert set(neutral.data_vars) - set(plain.data_vars) == {"state_weariness_weariness"}
    assert not np.array_equal(plain.limited_responses, strong.limited_responses)
    assert float(strong.limited_responses.mean()) < float(plain.limited_responses.mean())


def test_extensions_one_after_the_other_do_not_disturb_each_other():
    def outcomes(*extensions: str) -> bytes:
        overrides = {"weariness.strength": 2} if "weariness.py" in extensions else {}
        data = sim.simulate("article", runs=20, overrides=overrides, extensions=extensions)
        return b"".join(data[name].values.tobytes() for name in OUTCOMES_BY_NAME)

    plain, weary = outcomes(), outcomes("weariness.py")
    calm = outcomes("calm.py")
    assert plain != weary
    assert (outcomes(), outcomes("weariness.py"), calm) == (plain, weary, plain)
    ours = kernel_rules(build_inputs(load([]).scenario))
    assert ours is OURS[True, True]
    assert kernel_rules(everything()[1]).key != ours.key
    assert (ours.plain, ours.watched, ours.militia) == (False, False, militia)


@pytest.mark.parametrize("extended", [[], [ALL]])
def test_rules_are_those_of_one_form_of_the_model(extended: list[str]) -> None:
    found = {}
    for pauses, bursts in OURS:
        switches = [f"mechanisms.pause={pauses}".lower(), f"mechanisms.bursts={bursts}".lower()]
        rules = kernel_rules(build_inputs(scenario_of(*extended, *switches)))
        assert (rules.pauses, rules.bursts) == (pauses, bursts)
        found[rules.key] = rules
    assert len(found) == len(OURS) == 4


def test_a_rule_may_be_named_without_its_role():
    def rate(
        baseline: float, gate: float, surge: float, capacity: float, grievance: float, fear: float, compliance: float,
        order: float,
    ) -> float:  # fmt: skip
        return baseline * gate

    def rules(wing: dict[str, Any], every: dict[str, Any]) -> Any:
        own = sim.Extension("own", rules=every, wings={"nujaba_iraq": wing})
        return replaced_rules(load(extensions=[own]).scenario.extended)

    assert rules({"attack_rate": rate}, {}) == rules({"militia.attack_rate": rate}, {})
    assert rules({}, {"attack_rate": rate})[""] == {"militia.attack_rate": rate}
    with pytest.raises(UserError, match="each replaced rule, once"):
        rules({"attack_rate": rate, "militia.attack_rate": rate}, {})
    with pytest.raises(UserError, match=r"wings\.nujaba_iraq = rung: allowed militia\.compliance_goal, "):
        rules({"rung": rate}, {})
    with pytest.raises(UserError, match=r"rules = rate: allowed one of 2 names, nearest: two\.rate, one\.rate"):
        _replaced("rules", {"rate": rate}, ("one.rate", "two.rate"))


def test_draws_of_extensions_are_their_own():
    plan = plan_of(everything()[0].extended)
    places = [place for task in plan.tasks for place in task.arguments if place.kind == "draw"]
    actors = everything()[0].extended.actors
    own = {f"{kind}.{name}" for kind, names in actors.items() for name in names}
    assert {place.who for place in places} == {actor_id(name) for name in (*own, "volleys")}
    assert all(place.at >= 2**33 > KILLED + MAX_ATTACKS for place in places)
    assert 0.0 < compiled_uniform(1, 0, 2, 3, places[0].who, places[0].at) < 1.0


def test_outcomes_follow_from_what_was_added_up_and_from_others():
    def doubled(now: float) -> float:
        return 2.0 * now

    def gap(deaths: float, twice: float) -> float:
        return twice - 2.0 * deaths

    mine = sim.Extension(
        "here",
        outcomes=(
            sim.Tallied("twice", "soldiers", "deaths, twice", lambda now, killed: now + killed, at_end=doubled),
            sim.Derived("gap", "soldiers", "zero, or the model lost some", gap),
        ),
    )
    extended, added = ActiveExtensions((mine,)), np.array([[0.0], [3.0], [5.0]])
    known = {name: np.zeros(3) for name in OUTCOMES_BY_NAME} | {"deaths": np.array([0, 3, 4])}
    found = extension_outcomes(extended, added, known)
    assert {name: values.tolist() for name, values in found.items()} == {
        "twice": [0.0, 6.0, 10.0],
        "gap": [0.0, 0.0, 2.0],
    }


def test_a_series_is_what_the_states_say_and_ends_with_the_history(listings):
    written(listings, pace=PACE)
    added = "pace.py"
    scenario = load(["ladder.war_rate=0.01"], extensions=[added]).scenario
    table, runs = build_inputs(scenario), np.arange(8)
    out = empty_output(table, 8, OutputSpec(daily=True, states=True))
    batched.run_histories(table, 1, 0, runs, np.zeros(8, dtype=np.int64), out)
    assert (
        differing(reference_output(scenario, table, 1, runs, runs * 0, OutputSpec(daily=True, states=True)), out) == []
    )
    pace = np.zeros(8)
    for day in range(out.series.shape[1]):
        pace = pace + 0.5 * (out.run_states["attacks"][:, day] - pace)
        last = out.run_states["war"][:, :day].any(axis=1)
        assert np.array_equal(out.series[:, day, 0], np.where(last, np.nan, pace), equal_nan=True)
    assert 0 < np.isnan(out.series).sum() < out.series.size
    assert empty_output(table, 8, OutputSpec(states=True)).series.size == 0
    data = sim.simulate("article", runs=3, daily=True, extensions=[added])
    assert data.pace.dims == ("run", "day")
    assert "pace" not in sim.simulate("article", runs=3, extensions=[added])


# --- outcomes in every verb ---------------------------------------------------------------------------------


def test_an_outcome_of_an_extension_is_explained_reported_and_observed(tmp_path):
    few: dict[str, Any] = {"mechanisms": ["fear", "patron_restraint"], "extensions": ["calm.py"]}
    found = sim.explain(outcome="longest_calm", runs=8, parameters="defaults", **few)
    assert found.data.attrs["outcome"] == "longest_calm"
    runs = sim.simulate("article", runs=8, overrides={"history.free_from": "2024-01-29"}, extensions=["calm.py"])
    assert float(found.data.mean_by_coalition[-1, 0]) == pytest.approx(float(runs.longest_calm.mean()))
    words = ("extensions=calm.py", "report.outcome=longest_calm", "scenarios=[article,no_restraint]")
    asked = prepare_report(Request("report", words))
    assert asked.explaining.game.measured.name == "longest_calm"
    observed = {
        "text": "calm",
        "source": "x",
        "of": "longest_calm",
        "likelihood": "at_least",
        "value": 9,
        "enabled": True,
    }
    config = load(["extensions=calm.py", override_of("+calibration.observations.calm", observed)])
    figure = next(one for one in settings_of(config).figures if one.id == "calm")
    out = run_batch(build_inputs(config.scenario), 1, np.arange(5))
    histories = seen(config.scenario, out)
    assert found_in(figure, histories).tolist() == histories.outcomes["longest_calm"].tolist()


@pytest.mark.parametrize(
    ("words", "before"),
    [
        (["explain", "outcome=longest_calm"], 'for "longest_calm": outcomes: '),
        (["report", "report.outcome=longest_calm", "scenarios=[article,no_mediation]"], ""),
    ],
)
def test_an_outcome_of_no_extension_is_refused(words, before, capsys):
    assert cli.main(words) == 2
    assert f"outcome = longest_calm: allowed {before}deaths, lethal_attacks" in capsys.readouterr().err


# --- mechanisms as causes -------------------------------------------------------------------------------------


def test_a_planted_mechanism_gets_the_share_that_it_has_by_construction():
    # It kills two soldiers on the last day, when nobody can respond any more, whatever else is at work.
    def bomb(now: float, day: float) -> float:
        return now + (2.0 if day == 133.0 else 0.0)

    planted = sim.Mechanism("bomb", "kills two on the last day", (sim.Change("killed", bomb, at="attacks"),))
    own = sim.Extension("bombs", (planted,), (sim.Derived("lost", "soldiers", "deaths", lambda deaths: deaths),))

    def shares(*players: str, **overrides: Any) -> dict[str, float]:
        few = {"calendar.days": 134, "ladder.war_rate": 0.0, "history": "free", **overrides}
        asked: dict[str, Any] = {"outcome": "lost", "runs": 20, "parameters": "defaults", "extensions": [own]}
        found = sim.explain(mechanisms=players, overrides=few, **asked).data
        assert float(found["shapley"].sum()) == pytest.approx(found.attrs["total"], abs=1e-12)
        return dict(zip(found["mechanism"].values.tolist(), found["shapley"].values.tolist(), strict=True))

    both = shares("capacity", "bomb")
    assert both["bomb"] == 2.0
    assert both["capacity"] == shares("capacity", **{"mechanisms.bomb": False})["capacity"] != 0.0
    with pytest.raises(UserError, match=r"mechanisms = bomb: allowed mechanisms that article has at work"):
        shares("bomb", **{"mechanisms.bomb": False})


def test_a_mechanism_that_is_switched_off_in_one_arm_is_one_without_strength():
    def comparison(change: str) -> Any:
        return sim.compare(
            ["article", f"article;{change}"], runs=20, draws=2, parameters="prior",
            overrides={"weariness.strength": 2, "calendar.days": 140}, extensions=["weariness.py"],
        ).data  # fmt: skip

    off, weak = comparison("mechanisms.weariness=false"), comparison("weariness.strength=0")
    assert np.array_equal(off["difference"], weak["difference"], equal_nan=True)
    assert np.abs(off["difference"]).max() > 0.0


def test_mechanisms_at_work_play_and_those_of_extensions_come_last():
    names = [name for name in MECHANISM_NAMES if name != "fear"]
    there = players_of(scenario_of(ALL, *ACTORS, "mechanisms.fear=false", "mechanisms.volleys=false"), None)
    assert there == (*names, "weariness", "spoiler", "cell")
    assert players_of(scenario_of(ALL), None)[-2:] == ("weariness", "volleys")  # no actor, no cause


# --- sweeps -------------------------------------------------------------------------------------------------


def test_a_sweep_keeps_a_daily_series_where_it_is_asked_for(listings, monkeypatch):
    written(listings, pace=PACE)
    monkeypatch.setattr("sim.experiment.sweep.design.LEAST_ROWS", 16)
    monkeypatch.setattr("sim.experiment.sweep.design.BATCH_ROWS", 12)
    points: dict[str, Any] = {"ladder.war_rate": [0.0, 0.01], "calendar.days": [140, 150]}

    def swept(runs: int, outcomes: list[str] | None) -> Any:
        return sim.sweep(
            runs=runs, overrides={**points, "study.outcomes": outcomes}, extensions=["pace.py"], to="kept"
        ).data.load()  # fmt: skip

    few, more = swept(8, ["pace", "war"]), swept(11, ["pace", "war"])
    assert set(more.data_vars) == {"pace", "war"}
    assert more["pace"].dims == ("point", "run", "day")
    assert more["pace"].shape == (4, 11, 150)
    assert np.array_equal(more["pace"][:, :8], few["pace"], equal_nan=True)
    for point in range(4):
        here = {key: float(more[key].values[point]) for key in points}
        alone = sim.simulate("article", runs=11, daily=True, overrides=here, extensions=["pace.py"])["pace"].values
        found = more["pace"].values[point]
        assert found[:, : alone.shape[1]].tobytes() == alone.tobytes()
        assert np.isnan(found[:, alone.shape[1] :]).all()
    assert cli.main(["verify", "kept", "trust=true"]) == 0
    next(iter((listings / "kept/parts").glob("part-00000-*"))).unlink()
    rest = sim.open_sweep("kept", partial=True)["pace"].values
    lost = np.isnan(rest).all(axis=2)
    assert 0 < lost.sum() < lost.size
    assert np.array_equal(rest[~lost], more["pace"].values[~lost], equal_nan=True)
    with pytest.raises(UserError, match=r"study\.outcomes = .*: allowed one outcome or more"):
        swept(11, ["pace"])
    with pytest.raises(UserError, match=r"study\.outcomes = pase: allowed .*nearest: pace"):
        swept(11, ["pase", "war"])


def test_a_sweep_goes_on_with_the_same_file_and_not_with_another(listings, capsys):
    sweep = ["extensions=weariness.py", "weariness.strength=0,2", "output.dir=kept"]
    same: dict[str, Any] = {
        "overrides": {"weariness.strength": [0, 2]}, "extensions": ["weariness.py"], "to": "kept",
    }  # fmt: skip
    few = sim.sweep(runs=5, **same).data.load()
    assert float(few["weariness.strength"].max()) == 2.0
    more = sim.sweep(runs=9, **same).data.load()
    assert np.array_equal(more["limited_responses"][:, :5], few["limited_responses"])
    changed = (listings / "weariness.py").read_text().replace("strength * weariness", "2.0 * strength * weariness")
    (listings / "weariness.py").write_text(changed)
    with pytest.raises(UserError, match=r"extensions.war_weariness = .*: allowed .*, as in this sweep"):
        sim.sweep(runs=9, **same)
    assert cli.main(["sweep", *sweep, "study.runs=9"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_own_outcomes_stand_in_a_sweep(listings):
    data = sim.sweep(["article", "tight_leash"], runs=5, extensions=["calm.py"], to="kept").data
    assert {"longest_calm", "busiest_day", "deadliness"} <= set(data.data_vars)
    assert data.longest_calm.attrs["units"] == "days"
    assert float(data.longest_calm.min()) > 0.0
