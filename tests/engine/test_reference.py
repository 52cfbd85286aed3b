"""The reference model as students meet it: five lines, tables of what happened, agents that take turns in any order."""

import ast
import gc
import inspect
import random
import statistics
import textwrap
import time
import weakref
from typing import Any

import mesa
import numpy as np
import pytest
from mesa.batchrunner import batch_run

from sim.engine.batched import kernel, wings
from sim.engine.inputs import build_inputs
from sim.engine.record import WEEK
from sim.engine.reference.agents import Actor, MilitiaWing
from sim.engine.reference.model import ReferenceModel
from sim.engine.trace import RULES, Decision
from sim.model.scenario import load
from sim.model.validation import UserError
from sim.numbers.philox import actor_id, split_seed, uniform
from sim.rules import militia, rates
from sim.rules.decisions import DAYS_IN_PLACE, GROUP, STEPS, THEATRE, WEEKS_IN_PLACE, WEIGHT_OF
from tests.engine.rows import Row, differences
from tests.engine.worlds import world


def test_five_lines_of_a_student():
    model = ReferenceModel(load(["scenario=article"]).scenario, seed=1, run=12)
    model.simulate()
    days = model.datacollector.get_model_vars_dataframe()
    wings = model.datacollector.get_agenttype_vars_dataframe(MilitiaWing)
    assert len(days) == model.day + 1
    assert list(days) == ["war_risk", "phase", "pressure", "provocation", "attacks", "acknowledged", "killed", "rung"]
    assert list(wings) == ["wing", "compliance", "fear", "grievance", "capacity", "attacks"]
    assert len(wings) == len(days) * len(model.wings)


def test_collected_numbers_are_the_states():
    model = ReferenceModel(world(), seed=3, run=5).simulate()
    states, days = model.state_table(), model.datacollector.get_model_vars_dataframe()
    wings = model.datacollector.get_agenttype_vars_dataframe(MilitiaWing)
    for name in ("war_risk", "pressure", "provocation", "attacks", "acknowledged", "killed", "rung"):
        assert days[name].tolist() == states.run[name][: len(days)].tolist(), name
    for index, wing in enumerate(model.wings):
        own = wings[wings["wing"] == wing.name]
        assert own["compliance"].tolist() == states.wings["compliance"][: len(days), index].tolist()
    assert set(days["phase"]) == {"normal", "deliberating", "restraining", "released"}


def called(*functions):
    """Names of what functions call, in order, where a call of a later one of them stands for what that calls."""
    within = {one.__name__: called(*functions[place:]) for place, one in enumerate(functions) if place}
    calls = [
        one
        for one in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(functions[0]))))
        if isinstance(one, ast.Call)
    ]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    names = [ast.unparse(call.func).rpartition(".")[2] for call in calls]
    return tuple(name for one in names for name in within.get(one, (one,)))


def test_the_day_is_the_same_list_of_steps_in_both_engines():
    assert called(ReferenceModel.step) == ("timeline_speaks", *STEPS, "day_is_recorded")
    wing_by_wing = called(kernel.wing_day, wings.simulate_wing, wings.attacks_happen)
    day = [name for one in called(kernel.simulate_day) for name in (wing_by_wing if one == "militias_live" else (one,))]
    assert tuple(name for name in day if name in STEPS) == STEPS


def test_the_check_of_the_steps_sees_another_order():
    class Hasty(ReferenceModel):
        def step(self):
            self.militias_adapt()
            self.patron_assesses()

    assert called(Hasty.step) != STEPS[:2]
    assert called(Hasty.step) == ("militias_adapt", "patron_assesses")


class Shuffling(ReferenceModel):
    """Wings take their turns in another order in every step of every day."""

    def _mix(self):
        random.Random(self.day).shuffle(self.turns)

    def militias_adapt(self):
        self._mix()
        super().militias_adapt()

    def militias_attack(self):
        self.turns.reverse()
        super().militias_attack()

    def strikes_land(self):
        self._mix()
        super().strikes_land()


@pytest.mark.parametrize("name", ["strike_iran", "arms_interdiction", "salt_coast"])
def test_the_order_in_which_wings_take_turns_does_not_change_a_bit(name):
    scenario = world(f"scenario={name}", "target.leader_intensity=1.7", "target.leader_chance=0.2")
    orderly, mixed = ReferenceModel(scenario, 5, 6).simulate(), Shuffling(scenario, 5, 6).simulate()
    assert mixed.turns != list(mixed.wings)
    assert differences(orderly.state_table(), mixed.state_table()) == []


def test_a_wing_that_knew_of_today_would_make_the_order_matter():
    class Gossiping(Shuffling):
        """The first wing to take its turn is afraid of the others' strikes of this very day."""

        def strikes_land(self):
            super().strikes_land()
            self.turns[0].fear += self.turns[-1].struck

    scenario = world("scenario=strike_iran")
    assert differences(
        ReferenceModel(scenario, 5, 6).simulate().state_table(), Gossiping(scenario, 5, 6).simulate().state_table()
    )


def test_war_ends_a_history_and_leaves_the_rest_empty():
    scenario = world("ladder.war_rate=0.05", "history=free")
    models = [ReferenceModel(scenario, 1, run).simulate() for run in range(8)]
    ended = [model for model in models if model.war]
    assert ended
    for model in ended:
        states = model.state_table()
        assert states.run["war"][model.day] == 1
        assert states.run["rung"][model.day] == 6.0
        assert not any(part[model.day + 1 :].view("u1").any() for part in states)
        assert len(model.datacollector.get_model_vars_dataframe()) == model.day + 1
        day = model.day
        model.step()
        assert model.day == day
        assert len(model.datacollector.get_model_vars_dataframe()) == day + 1


def test_a_history_ends_with_the_calendar():
    model = ReferenceModel(world("calendar.days=134"), 1, 0).simulate()
    assert (model.day, model.running, model.war) == (133, False, False)


def test_states_of_a_history_half_simulated_are_those_of_the_whole():
    whole, half = ReferenceModel(world(), 1, 2).simulate(), ReferenceModel(world(), 1, 2)
    assert not any(part.view("u1").any() for part in half.state_table())
    for _ in range(60):
        half.step()
    for one, other in zip(half.state_table(), whole.state_table(), strict=True):
        assert one[:60].tobytes() == other[:60].tobytes()
        assert not one[60:].view("u1").any()


def test_seed_zero_is_a_seed_and_addresses_have_limits():
    scenario = world("calendar.days=134")
    zero, one = (ReferenceModel(scenario, seed).simulate().state_table() for seed in (0, 1))
    assert differences(zero, one)
    for seed, run, what in ((-1, 0, "seed"), (2**64, 0, "seed"), (1, -1, "run"), (1, 2**48, "run")):
        with pytest.raises(ValueError, match=what):
            ReferenceModel(scenario, seed, run)


# --- watching -----------------------------------------------------------------------------------------------


def test_a_trace_tells_every_rule_and_every_draw_and_changes_nothing():
    shares = ("shares.share_deviation=0.4", "shares.share_drift=0.1")
    scenario, seed, run = world("scenario=strike_iran", *shares), 2**40 + 9, 2**35
    heard: list[Decision] = []
    watched = ReferenceModel(scenario, seed, run, trace=heard.append).simulate()
    assert differences(watched.state_table(), ReferenceModel(scenario, seed, run).simulate().state_table()) == []
    numbers = {name: actor_id(name) for name in ("patron", "target", *scenario.cast.wings)}
    numbers |= {name: actor_id(GROUP + name) for name in scenario.cast.groups}
    numbers |= {name: actor_id(THEATRE + name) for name in scenario.cast.theatres}
    numbers |= {f"weight of {name}": actor_id(WEIGHT_OF + name) for name in scenario.cast.theatres}
    drawn = [one for one in heard if one.address is not None]
    assert len(drawn) > 1000
    for one in heard:
        assert one.rule(**one.inputs) == one.result
        assert one.address is not None or one.inputs.get("draw", 1.0) == 1.0, "1 stands for no draw"
    for one in drawn:
        address = one.address
        assert address is not None
        # The number of an episode takes the place of the day; four days, or weeks, of a theatre share one.
        week = one.day // WEEK // WEEKS_IN_PLACE
        places = {militia.burst: one.day // DAYS_IN_PLACE, militia.theatre_weight: week}
        place = {**places, rates.hazard_limit: address.day}.get(one.rule, one.day)
        assert (address.seed, address.run, address.day) == (seed, run, place)
        actor = f"weight of {one.actor}" if one.rule is militia.theatre_weight else one.actor
        assert address.actor == numbers.get(actor, numbers["patron"]), "the ladder draws for the patron"
        assert uniform(*split_seed(address.seed), *address[1:]) == one.draw == one.inputs["draw"]


def test_no_recorder_without_a_listener():
    model = ReferenceModel(world("calendar.days=134"))
    assert model.recorder is None
    assert all(agent.rules is RULES for agent in model.agents)


# --- cost ---------------------------------------------------------------------------------------------------


def test_a_history_of_134_days_takes_milliseconds():
    scenario = world("calendar.days=134")
    table, taken = build_inputs(scenario), []
    for run in range(15):
        begun = time.process_time()
        ReferenceModel(scenario, run=run, table=table).simulate()
        taken.append(time.process_time() - begun)
    # About 15 ms on a quiet core; the bound leaves room for busy and slower ones.
    assert statistics.median(taken) < 0.06


def test_models_without_references_are_collected():
    row = Row(world("calendar.days=134"), build_inputs(world("calendar.days=134")), 0, 1, 1)
    simulated = [
        weakref.ref(ReferenceModel(row.scenario, row.seed, run, table=row.table).simulate()) for run in range(3)
    ]
    gc.collect()
    assert [one() for one in simulated] == [None] * 3


def test_generators_of_mesa_follow_seed_and_run():
    def first(seed, run):
        model = ReferenceModel(world(), seed, run)
        return model.random.random(), model.rng.random(), model.agents.shuffle().get("name")

    assert first(3, 5) == first(3, 5)
    others = [first(3, 5), first(3, 6), first(4, 5), first(3 + 2**32, 5), first(3, 5 + 2**32)]
    assert len({one[0] for one in others}) == len({one[1] for one in others}) == len(others)


class Visitor(mesa.Agent):  # type: ignore[misc]
    """An agent of a student's; it notes when it is called, and what the wings did until then."""

    def __init__(self, model, calls):
        super().__init__(model)
        self.calls = calls

    def step(self):
        self.calls.append((self, self.model.day, sum(wing.attacks for wing in self.model.wings)))


def test_an_agent_that_joins_takes_a_step_every_day_after_the_wings():
    model, calls = ReferenceModel(world(), 3, 5), list[Any]()
    visitors = [Visitor(model, calls), Visitor(model, calls)]
    model.simulate()
    assert [(one, day) for one, day, _ in calls] == [(one, day) for day in range(model.day + 1) for one in visitors]
    wings = model.state_table().wings["attacks"].sum(axis=1)
    assert [attacks for _, _, attacks in calls] == [wings[day] for _, day, _ in calls]
    assert differences(model.state_table(), ReferenceModel(world(), 3, 5).simulate().state_table()) == []


def test_what_a_joining_agent_changes_counts_from_the_same_day_on():
    class Calming(mesa.Agent):  # type: ignore[misc]
        def step(self):
            for wing in self.model.wings:
                wing.attacks = 0.0

    model = ReferenceModel(world(), 3, 5)
    Calming(model)
    assert model.simulate().state_table().run["attacks"].sum() == 0.0
    assert ReferenceModel(world(), 3, 5).simulate().state_table().run["attacks"].sum() > 0.0


def test_an_agent_that_leaves_is_called_no_more():
    model, calls = ReferenceModel(world(), 3, 5), list[Any]()
    visitor = Visitor(model, calls)
    model.step()
    visitor.remove()
    model.step()
    assert [day for _, day, _ in calls] == [0]


# --- taken apart by a student -------------------------------------------------------------------------------


class Pacifist(MilitiaWing):
    """A wing that never attacks."""

    def attack(self):
        self.rate = self.attacks = 0.0


class Gambler(MilitiaWing):
    """A wing that attacks three times on one day in ten, by a draw of its own."""

    def attack(self):
        self.attacks = 3.0 if self.random_number("gamble") < 0.1 else 0.0


AUTONOMY: Any = {"militia.nujaba_iraq.autonomy": 0.5}


def test_a_scenario_by_name_with_parameters_is_the_composed_one():
    named = ReferenceModel("article", seed=1, run=7, control=0.9, **AUTONOMY).simulate()
    scenario = load(["scenario=article", "patron.control=0.9", "militia.nujaba_iraq.autonomy=0.5"]).scenario
    assert differences(named.state_table(), ReferenceModel(scenario, 1, 7).simulate().state_table()) == []
    assert differences(named.state_table(), ReferenceModel("article", 1, 7).simulate().state_table())  # they matter
    of_numpy = ReferenceModel("article", seed=1, run=7, control=np.float64(0.9), **AUTONOMY).simulate()
    assert differences(named.state_table(), of_numpy.state_table()) == []


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ({"contrl": 0.9}, "nearest: control"),
        ({"control": 7.0}, "patron.control = 7.0"),
        ({"half_life_of_nothing": 1.0}, "one of"),
        ({"wings": {"nujaba_irak": Pacifist}}, "nearest: nujaba_iraq"),
        ({"wings": {"nujaba_iraq": Actor}}, "derived from MilitiaWing"),
        ({"scenario": world("calendar.days=134"), "control": 0.9}, "with the name of a scenario"),
    ],
)
def test_what_a_model_cannot_be_made_of_is_said_in_one_line(arguments, allowed):
    with pytest.raises(UserError, match=allowed) as refused:
        ReferenceModel(**arguments)
    assert "\n" not in str(refused.value)


def test_a_wing_of_ones_own_is_reproducible_and_leaves_all_others_their_random_numbers():
    def attacks(**wings):
        model = ReferenceModel("article", 1, 7, wings=wings).simulate()
        return model.state_table().wings["attacks"]

    whole, without, again = attacks(), attacks(nujaba_iraq=Pacifist), attacks(nujaba_iraq=Pacifist)
    assert without.tobytes() == again.tobytes()
    place = list(load(["scenario=article"]).scenario.cast.wings).index("nujaba_iraq")
    assert whole[:, place].sum() > 20.0
    assert without[:, place].sum() == 0.0
    first = int(np.flatnonzero(whole[:, place])[0])
    assert whole[:first].tobytes() == without[:first].tobytes()


def test_a_draw_of_ones_own_comes_as_often_as_it_should_and_is_no_draw_of_the_model():
    model = ReferenceModel("article", 1, 7, wings={"nujaba_iraq": Gambler}).simulate()
    table = model.datacollector.get_agenttype_vars_dataframe(MilitiaWing)
    own = table[table["wing"] == "nujaba_iraq"]["attacks"]
    assert len(table) == 10 * (model.day + 1)
    assert set(own) == {0.0, 3.0}
    share, days = float((own > 0).mean()), len(own)
    assert abs(share - 0.1) < 4 * (0.1 * 0.9 / days) ** 0.5
    wing = model.wings[place_of(model, "nujaba_iraq")]
    assert len({wing.random_number("gamble"), wing.random_number("other"), wing.random_number(0)}) == 3


def place_of(model, name):
    return [wing.name for wing in model.wings].index(name)


def test_mesas_own_batch_run_knows_the_model():
    found = batch_run(
        ReferenceModel, {"scenario": "article", "run": range(2), "control": [0.3, 1.0]}, display_progress=False
    )
    assert [(one["run"], one["control"]) for one in found] == [(0, 0.3), (0, 1.0), (1, 0.3), (1, 1.0)]
    alone = ReferenceModel("article", run=1, control=0.3).simulate()
    assert found[2]["war_risk"] == alone.patron.war_risk
    assert found[2]["Step"] == alone.day
