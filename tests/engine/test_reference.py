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
import pytest

from sim.engine import scalar
from sim.engine.reference import ReferenceModel
from sim.engine.reference.militia import MilitiaWing
from sim.engine.table import tabulate
from sim.engine.trace import RULES, Decision
from sim.numbers.chance import actor_id, split_seed, uniform
from sim.rules.day import STEPS
from sim.world.scenario import load
from tests.engine.rows import Row, differences
from tests.engine.worlds import world


def test_five_lines_of_a_student():
    model = ReferenceModel(load(["scenario=article"]).scenario, seed=1, run=12)
    model.live()
    days = model.datacollector.get_model_vars_dataframe()
    wings = model.datacollector.get_agenttype_vars_dataframe(MilitiaWing)
    assert len(days) == model.day + 1
    assert list(days) == ["war_risk", "phase", "pressure", "provocation", "attacks", "acknowledged", "killed", "rung"]
    assert list(wings) == ["wing", "compliance", "fear", "grievance", "capacity", "attacks"]
    assert len(wings) == len(days) * len(model.wings)


def test_collected_numbers_are_the_states():
    model = ReferenceModel(world(), seed=3, run=5).live()
    states, days = model.state_table(), model.datacollector.get_model_vars_dataframe()
    wings = model.datacollector.get_agenttype_vars_dataframe(MilitiaWing)
    for name in ("war_risk", "pressure", "provocation", "attacks", "acknowledged", "killed", "rung"):
        assert days[name].tolist() == states.run[name][: len(days)].tolist(), name
    for index, wing in enumerate(model.wings):
        own = wings[wings["wing"] == wing.name]
        assert own["compliance"].tolist() == states.wings["compliance"][: len(days), index].tolist()
    assert set(days["phase"]) == {"normal", "deliberating", "restraining", "released"}


def calls_of(function, owner):
    """Names of the functions, or methods of `self`, that a day calls, in order."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    calls = [one.value.func for one in tree.body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call)]
    if owner is None:
        return tuple(call.id for call in calls if isinstance(call, ast.Name))
    return tuple(call.attr for call in calls if isinstance(call, ast.Attribute) and ast.unparse(call.value) == owner)


def test_the_day_is_the_same_list_of_steps_in_both_engines():
    assert calls_of(scalar.live_day, None) == STEPS
    assert calls_of(ReferenceModel.step, "self") == ("timeline_speaks", *STEPS, "day_is_recorded")


def test_the_check_of_the_steps_sees_another_order():
    class Hasty(ReferenceModel):
        def step(self):
            self.militias_adapt()
            self.patron_assesses()

    assert calls_of(Hasty.step, "self") != STEPS[:2]
    assert calls_of(Hasty.step, "self") == ("militias_adapt", "patron_assesses")


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
    orderly, mixed = ReferenceModel(scenario, 5, 6).live(), Shuffling(scenario, 5, 6).live()
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
        ReferenceModel(scenario, 5, 6).live().state_table(), Gossiping(scenario, 5, 6).live().state_table()
    )


def test_war_ends_a_history_and_leaves_the_rest_empty():
    scenario = world("ladder.war_rate=0.05", "history=free")
    models = [ReferenceModel(scenario, 1, run).live() for run in range(8)]
    ended = [model for model in models if model.war]
    assert ended
    for model in ended:
        states = model.state_table()
        assert states.run["war"][model.day] == 1
        assert states.run["rung"][model.day] == 6.0
        assert not any(part[model.day + 1 :].view("u1").any() for part in states)
        assert len(model.datacollector.get_model_vars_dataframe()) == model.day + 1
        with pytest.raises(RuntimeError, match=f"ended on day {model.day}"):
            model.step()


def test_a_history_ends_with_the_calendar():
    model = ReferenceModel(world("calendar.days=134"), 1, 0).live()
    assert (model.day, model.running, model.war) == (133, False, False)


def test_states_of_a_history_half_lived_are_those_of_the_whole():
    whole, half = ReferenceModel(world(), 1, 2).live(), ReferenceModel(world(), 1, 2)
    assert not any(part.view("u1").any() for part in half.state_table())
    for _ in range(60):
        half.step()
    for one, other in zip(half.state_table(), whole.state_table(), strict=True):
        assert one[:60].tobytes() == other[:60].tobytes()
        assert not one[60:].view("u1").any()


def test_seed_zero_is_a_seed_and_addresses_have_limits():
    scenario = world("calendar.days=134")
    zero, one = (ReferenceModel(scenario, seed).live().state_table() for seed in (0, 1))
    assert differences(zero, one)
    for seed, run, what in ((-1, 0, "seed"), (2**64, 0, "seed"), (1, -1, "run"), (1, 2**48, "run")):
        with pytest.raises(ValueError, match=what):
            ReferenceModel(scenario, seed, run)


# --- watching -----------------------------------------------------------------------------------------------


def test_a_trace_tells_every_rule_and_every_draw_and_changes_nothing():
    scenario, seed, run = world("scenario=strike_iran"), 2**40 + 9, 2**35
    heard: list[Decision] = []
    watched = ReferenceModel(scenario, seed, run, trace=heard.append).live()
    assert differences(watched.state_table(), ReferenceModel(scenario, seed, run).live().state_table()) == []
    numbers = {name: actor_id(name) for name in ("patron", "target", *scenario.cast.wings)}
    drawn = [one for one in heard if one.address is not None]
    assert len(drawn) > 1000
    for one in heard:
        assert one.rule(**one.inputs) == one.result
        assert one.address is not None or one.inputs.get("draw", 1.0) == 1.0, "1 stands for no draw"
    for one in drawn:
        address = one.address
        assert address is not None
        assert (address.seed, address.run, address.day) == (seed, run, one.day)
        assert address.actor == numbers.get(one.actor, numbers["patron"]), "the ladder draws for the patron"
        assert uniform(*split_seed(address.seed), *address[1:]) == one.draw == one.inputs["draw"]


def test_nobody_watches_where_nobody_asked():
    model = ReferenceModel(world("calendar.days=134"))
    assert model.witness is None
    assert all(agent.rules is RULES for agent in model.agents)


# --- cost ---------------------------------------------------------------------------------------------------


def test_a_history_of_134_days_takes_milliseconds():
    scenario = world("calendar.days=134")
    table, taken = tabulate(scenario), []
    for run in range(15):
        begun = time.process_time()
        ReferenceModel(scenario, run=run, table=table).live()
        taken.append(time.process_time() - begun)
    # About 15 ms on a quiet core; the bound leaves room for busy and slower ones.
    assert statistics.median(taken) < 0.06


def test_models_are_forgotten_when_nobody_holds_them():
    row = Row(world("calendar.days=134"), tabulate(world("calendar.days=134")), 0, 1, 1)
    lived = [weakref.ref(ReferenceModel(row.scenario, row.seed, run, table=row.table).live()) for run in range(3)]
    gc.collect()
    assert [one() for one in lived] == [None] * 3


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
    model.live()
    assert [(one, day) for one, day, _ in calls] == [(one, day) for day in range(model.day + 1) for one in visitors]
    wings = model.state_table().wings["attacks"].sum(axis=1)
    assert [attacks for _, _, attacks in calls] == [wings[day] for _, day, _ in calls]
    assert differences(model.state_table(), ReferenceModel(world(), 3, 5).live().state_table()) == []


def test_what_a_joining_agent_changes_counts_from_the_same_day_on():
    class Calming(mesa.Agent):  # type: ignore[misc]
        def step(self):
            for wing in self.model.wings:
                wing.attacks = 0.0

    model = ReferenceModel(world(), 3, 5)
    Calming(model)
    assert model.live().state_table().run["attacks"].sum() == 0.0
    assert ReferenceModel(world(), 3, 5).live().state_table().run["attacks"].sum() > 0.0


def test_an_agent_that_leaves_is_called_no_more():
    model, calls = ReferenceModel(world(), 3, 5), list[Any]()
    visitor = Visitor(model, calls)
    model.step()
    visitor.remove()
    model.step()
    assert [day for _, day, _ in calls] == [0]
