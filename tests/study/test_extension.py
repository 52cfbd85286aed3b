"""Extensions in every engine: the same bits, nothing moved where they do nothing, nothing left behind."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import sim
from sim import cli
from sim.engine import hooks, lanes, scalar
from sim.engine.ensemble import Wanted, empty_output, run_batch
from sim.engine.extension.applied import own_outcomes
from sim.engine.extension.plan import OWN, Sizes, plan_of
from sim.engine.extension.replaced import REPLACEABLE, original
from sim.engine.extension.variant import engines_of
from sim.engine.record import Output
from sim.engine.reference import ReferenceModel
from sim.engine.table import Table, tabulate
from sim.numbers.chance import actor_id, draw
from sim.rules.decisions import KILLED, MAX_ATTACKS
from sim.study.extension_check import check_extension
from sim.study.outcomes import OUTCOMES_BY_NAME
from sim.world.errors import UserError
from sim.world.extension import Extended
from sim.world.scenario import Scenario, load
from tests.study.extensions import ACTORS, ALL, everything_moved, mechanism, written

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
def everything() -> tuple[Scenario, Table]:
    """All four listings at once, at nine points of their parameters and of some of ours."""
    scenario = load([ALL, *ACTORS, "ladder.war_rate=0.01"]).scenario
    rng = np.random.default_rng(5)
    design = {
        key: one.low + (one.high - one.low) * rng.random(9) for key, one in scenario.extended.declarations.items()
    }
    design |= {"casualties.penetration": np.linspace(0.02, 0.3, 9), "casualties.lethality": np.linspace(0.1, 0.5, 9)}
    return scenario, tabulate(scenario, design)


def sizes() -> Sizes:
    """Theatres and wings of these histories."""
    table = everything()[1]
    return Sizes(table.theatres.shape[1], table.wings.shape[1])


def histories() -> tuple[np.ndarray, np.ndarray]:
    """Runs, some with numbers beyond 32 bits, and the points that they are lived at."""
    runs = np.arange(RUNS)
    runs[RUNS // 2 :] += 5 * 2**32
    return runs, np.arange(RUNS) % 9


def lived(engine: object, table: Table, *width: int) -> Output:
    runs, points = histories()
    out = empty_output(table, RUNS, Wanted(daily=True, states=True))
    engine(table, 11, 3, runs, points, out, *width)  # type: ignore[operator]
    return out


@cache
def oracle() -> Output:
    return lived(engines_of(everything()[1]).scalar, everything()[1])


def differing(first: Output, second: Output) -> list[str]:
    return [name for name in Output._fields if getattr(first, name).tobytes() != getattr(second, name).tobytes()]


# --- the same in every engine -------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [None, 1, 3, 64])
def test_lanes_write_the_bits_of_the_oracle(width):
    table = everything()[1]
    found = lived(engines_of(table).lanes, table, *(() if width is None else (width,)))
    assert differing(oracle(), found) == []


def test_the_reference_model_lives_the_same_states_and_rows():
    scenario, table = everything()
    runs, points = histories()
    for i in (0, 4, 8, 17, 29):
        states = ReferenceModel(scenario, 11 + (3 << 32), int(runs[i]), table=table, point=int(points[i])).live()
        for name, mine in states.state_table()._asdict().items():
            theirs = {"mine": "mine_states"}.get(name, f"{name.rstrip('s')}_states")
            assert mine.tobytes() == getattr(oracle(), theirs)[i].tobytes(), (i, name)


@pytest.mark.long
@pytest.mark.parametrize("name", ["strike_iran", "salt_coast"])
def test_all_that_may_be_replaced_and_changed_at_once(name, listings):
    (listings / "all.py").write_text(everything_moved())
    for overrides in ((), ("patron.open_answer=0.5", "casualties.penetration=0.2", "casualties.lethality=0.3")):
        found = check_extension("all.py", (f"scenario={name}", *overrides))
        assert found.histories > 0
        assert found.first is None, str(found.first)


def test_threads_and_blocks_change_no_bit(monkeypatch):
    table = everything()[1]
    runs, points = histories()
    one = run_batch(table, 11, runs, points, threads=1)
    monkeypatch.setattr("sim.engine.ensemble.task_size", lambda *_: 7)
    two = run_batch(table, 11, runs, points, threads=2)
    assert differing(one, two) == []


def test_the_extensions_do_something_and_their_histories_reach_far():
    found = oracle()
    plan = plan_of(everything()[0].extended, sizes())
    for name, (row, _) in plan.states.items():
        assert len(np.unique(found.mine_states[:, :, row])) > 10, name
    assert (found.run_states["war"] > 0).any(), "some histories end in war"
    assert (found.run_states["killed"] > 0).any()


def test_outcomes_are_what_the_states_say():
    scenario, table = everything()
    runs, points = histories()
    out = run_batch(table, 11 + (3 << 32), runs, points, Wanted(states=True))
    plan = plan_of(scenario.extended, sizes())
    calm, busiest = (out.mine[:, plan.outcomes[name]] for name in ("longest_calm", "busiest_day"))
    assert np.array_equal(calm, out.run_states["quiet_days"].max(axis=1))
    assert np.array_equal(busiest, out.wing_states["attacks"].max(axis=(1, 2)))


# --- what must not pass unseen ------------------------------------------------------------------------------


def test_a_function_that_compiles_to_something_else_is_found(listings):
    huge = mechanism("float(int(force * 1e9 + 7.0) * int(3e9) * int(3e9) % 1000003)")
    (listings / "huge.py").write_text(huge)
    found = check_extension("huge.py").first
    assert found is not None
    assert found.engine == "scalar engine"
    assert found.what.startswith("mine.row")
    assert found.reference != found.other
    assert cli.main(["check-extension", "huge.py"]) == 1


def test_one_bit_of_a_parameter_of_an_extension_is_seen():
    scenario, table = everything()
    mine = table.mine.copy()
    mine[0] = np.nextafter(mine[0], np.inf)
    changed = table._replace(mine=mine)
    states = ReferenceModel(scenario, 11 + (3 << 32), 0, table=changed, point=0).live().state_table()
    assert states.mine.tobytes() != oracle().mine_states[0].tobytes()


def test_replaceable_rules_are_those_of_the_model():
    assert len(set(REPLACEABLE)) == len(REPLACEABLE)
    assert all(callable(original(key)) for key in REPLACEABLE)


# --- nothing else moves -------------------------------------------------------------------------------------


def test_a_mechanism_without_strength_moves_no_bit():
    plain = sim.simulate("article", runs=100, daily=True, states=[3])
    neutral = sim.simulate("article", runs=100, daily=True, states=[3], extensions=["weariness.py"])
    strong = sim.simulate("article", runs=100, overrides=["weariness.strength=2"], extensions=["weariness.py"])
    assert [name for name in plain.data_vars if plain[name].values.tobytes() != neutral[name].values.tobytes()] == []
    assert set(neutral.data_vars) - set(plain.data_vars) == {"state_weariness_weariness"}
    assert not np.array_equal(plain.limited_responses, strong.limited_responses)
    assert float(strong.limited_responses.mean()) < float(plain.limited_responses.mean())


def test_extensions_one_after_the_other_do_not_disturb_each_other():
    def outcomes(*extensions: str) -> bytes:
        overrides = ["weariness.strength=2"] if "weariness.py" in extensions else []
        data = sim.simulate("article", runs=20, overrides=overrides, extensions=extensions)
        return b"".join(data[name].values.tobytes() for name in OUTCOMES_BY_NAME)

    plain, weary = outcomes(), outcomes("weariness.py")
    calm = outcomes("calm.py")
    assert plain != weary
    assert (outcomes(), outcomes("weariness.py"), calm) == (plain, weary, plain)
    assert vars(lanes.kernel)["hooks"] is vars(scalar)["hooks"] is hooks
    assert not hooks.PLAIN
    assert not hooks.WATCHED


def test_draws_of_extensions_are_their_own():
    plan = plan_of(everything()[0].extended, sizes())
    places = [place for task in plan.tasks for place in task.arguments if place.kind == "draw"]
    assert {place.who for place in places} == {actor_id("spoiler.hardliners"), actor_id("spoiler.smugglers")}
    assert all(place.at >= OWN > KILLED + MAX_ATTACKS for place in places)
    assert 0.0 < draw(1, 0, 2, 3, places[0].who, places[0].at) < 1.0


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
    extended, added = Extended((mine,)), np.array([[0.0], [3.0], [5.0]])
    known = {name: np.zeros(3) for name in OUTCOMES_BY_NAME} | {"deaths": np.array([0, 3, 4])}
    found = own_outcomes(extended, Sizes(2, 3), added, known)
    assert {name: values.tolist() for name, values in found.items()} == {
        "twice": [0.0, 6.0, 10.0],
        "gap": [0.0, 0.0, 2.0],
    }


# --- sweeps -------------------------------------------------------------------------------------------------


def test_a_sweep_goes_on_with_the_same_file_and_not_with_another(listings, capsys):
    sweep = ["extensions=weariness.py", "weariness.strength=0,2", "output.dir=kept"]
    few = sim.sweep([*sweep, "study.runs=5"]).load()
    assert float(few["weariness.strength"].max()) == 2.0
    more = sim.sweep([*sweep, "study.runs=9"]).load()
    assert np.array_equal(more["limited_responses"][:, :5], few["limited_responses"])
    changed = (listings / "weariness.py").read_text().replace("strength * weariness", "2.0 * strength * weariness")
    (listings / "weariness.py").write_text(changed)
    with pytest.raises(UserError, match=r"extensions.war_weariness = .*: allowed .*, as in this sweep"):
        sim.sweep([*sweep, "study.runs=9"])
    assert cli.main(["sweep", *sweep, "study.runs=9"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_own_outcomes_stand_in_a_sweep(listings):
    data = sim.sweep(["extensions=calm.py", "scenario=article,tight_leash", "study.runs=5", "output.dir=kept"])
    assert {"longest_calm", "busiest_day", "deadliness"} <= set(data.data_vars)
    assert data.longest_calm.attrs["units"] == "days"
    assert float(data.longest_calm.min()) > 0.0
