"""What was written under an old name of a key is read under its present one, wherever it is written."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from sim import ReferenceModel
from sim.analysis.requested import players_of
from sim.analysis.verification import difference
from sim.app.form_settings import load_base, parse_scenario
from sim.engine.extension.plan import extension_outcomes
from sim.engine.extension.replacement import replaced_rules
from sim.experiment.parameter_sets import read_posterior, shipped_path
from sim.experiment.sweep.axes import read_axes
from sim.model.aliases import ALIASES, COLUMNS, FILES, KINDS, current, current_record
from sim.model.scenario import load
from sim.model.validation import UserError
from sim.rules import RENAMED

HEAD = "# @package _global_\nscenario:\n  question: Does it work?\n  departs: start\n"


MECHANISMS = {old: new for old, new in ALIASES.items() if old.startswith("mechanisms.")}


@pytest.mark.parametrize(("old", "new"), MECHANISMS.items())
def test_old_keys_of_mechanisms_are_read_wherever_a_user_writes_them(old, new, tmp_path):
    before, now = (key.partition(".")[2] for key in (old, new))
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "mine.yaml").write_text(f"{HEAD}mechanisms:\n  {before}: false\n")
    for config in (load([f"{old}=false"]), load([f"++{old}=false"]), load(["scenario=mine"], tmp_path)):
        assert getattr(config.scenario.mechanisms, now) is False
        assert before not in config.tree["mechanisms"]
        assert config.tree["mechanisms"][now] is False
    above = load(["scenario=mine", f"{new}=true"], tmp_path)
    assert getattr(above.scenario.mechanisms, now), "an override of the present name goes above a file"
    assert read_axes([f"{old}=choice(true,false)"]).choices[0].key == new
    assert players_of(load().scenario, [before, "fear"]) == (now, "fear")
    base = load_base(())
    assert base.settings({old: "false"}) == base.settings({new: "false"})
    assert parse_scenario(base, f"mechanisms:\n  {before}: false\n") == base.settings({new: "false"})
    assert load([f"{old}=true"]).tree == load().tree, "the default under its old name changes nothing"


def test_an_alias_leads_to_a_key_that_exists_and_is_no_alias_itself():
    tree = load().tree
    for old, new in ALIASES.items():
        *groups, name = new.replace("*", "campaign").split(".")
        inside = tree
        for group in groups:
            inside = inside[group]
        assert name in inside
        assert current(new) == new != old


def test_no_present_name_is_an_old_one():
    for table in (KINDS, FILES, COLUMNS):
        assert not set(table) & set(table.values())


PAIRS = {
    "study.most_runs=7": "study.max_runs=7",
    "calibration.truths=60": "calibration.sbc_datasets=60",
    "calibration.again_draws=0": "calibration.rejection_draws=0",
    "calibration.rival_draws=0": "calibration.hypothesis_draws=0",
    "calibration.widened=[patron.alarm_per_death]": "calibration.wide_priors=[patron.alarm_per_death]",
    "calibration.figures.iraq.use=false": "calibration.observations.iraq.enabled=false",
    "calibration.figures.iraq.reported=1": "calibration.observations.iraq.value=1",
    "calibration.figures.iraq.reading=at_least": "calibration.observations.iraq.likelihood=at_least",
    "+events.more={kind: act, from: 2024-02-01, to: 2024-02-02, value: 1}": (
        "+events.more={kind: act_against_patron, from: 2024-02-01, to: 2024-02-02, value: 1}"
    ),
}


@pytest.mark.parametrize(("old", "new"), PAIRS.items())
def test_old_and_present_key_give_the_same_configuration(old, new):
    assert load([old]).tree == load([new]).tree != load().tree


def test_a_file_with_old_keys_is_read_and_yields_to_overrides(tmp_path):
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "mine.yaml").write_text(
        f"{HEAD}calibration:\n  truths: 60\n  figures:\n    iraq: {{use: false, reported: 3}}\n"
    )
    tree = load(["scenario=mine", "calibration.observations.iraq.value=5"], tmp_path).tree["calibration"]
    assert tree["sbc_datasets"] == 60
    assert "figures" not in tree
    assert {"enabled": False, "value": 5}.items() <= tree["observations"]["iraq"].items()
    assert tree["observations"]["syria"]["enabled"]


def test_the_bundled_posterior_is_read_under_present_names():
    posterior = read_posterior(shipped_path())
    assert {"hypotheses", "sbc", "rejection_check", "causal_patterns"} <= set(posterior.about["results"])
    assert {"observations"} <= set(posterior.about)
    assert set(posterior.about["observations"]) <= set(posterior.numbers)


def test_files_of_before_are_compared_with_those_of_now(tmp_path):
    for name, text in (
        ("old.csv", "outcome,value_a\ndeaths,1\n"),
        ("new.csv", "outcome,baseline_value\ndeaths,1\n"),
        ("old.json", '{"stories": [{"value_a": 1}]}'),
        ("new.json", '{"causal_patterns": [{"baseline_value": 1}]}'),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
    for suffix in ("csv", "json"):
        assert difference(tmp_path / f"old.{suffix}", tmp_path / f"new.{suffix}") is None
    (tmp_path / "new.json").write_text('{"causal_patterns": [{"baseline_value": 2}]}')
    assert difference(tmp_path / "old.json", tmp_path / "new.json") is not None
    assert current_record({"draws_sd": 1}) == {"sd_between_draws": 1}


OLD_EXTENSION = """
from sim import Derived, Extension
from sim.rules import rates
from sim.rules.rates import keep


def falls(draw: float, likely: float, forced: bool, held: bool) -> bool:
    return not held and (forced or draw < keep(1.0) * likely)


def answers(draw: float, chance: float, acts: float) -> bool:
    return acts > 0.0 and draw < chance


def faded(deaths: float) -> float:
    return deaths * rates.keep(1.0)


old = Extension(
    "old", outcomes=(Derived("faded", "soldiers", "deaths, halved", faded),),
    rules={"target.limited_falls": falls, "patron.answers": answers},
)
"""


def test_an_extension_may_use_the_former_names_of_rules_and_arguments(tmp_path: Path) -> None:
    current = (
        OLD_EXTENSION.replace("limited_falls", "limited_response_occurs")
        .replace("import keep", "import decay_factor")
        .replace("keep(", "decay_factor(")
        .replace("likely", "probability")
        .replace("chance", "probability")
    )
    states = []
    for name, text in (("old", OLD_EXTENSION), ("current", current)):
        (tmp_path / f"{name}.py").write_text(text)
        config = load(["calendar.days=134"], extensions=[tmp_path / f"{name}.py"])
        states.append(ReferenceModel(config.scenario, 1, 2).simulate().state_table().run)
        found = extension_outcomes(config.scenario.extended, np.zeros((1, 0)), {"deaths": np.ones(1)})
        assert found["faded"] == 0.5
    assert (states[0] == states[1]).all()
    plain = ReferenceModel(load(["calendar.days=134"]).scenario, 1, 2).simulate().state_table().run
    assert (states[0] != plain).any()


def test_a_rule_is_replaced_once_whatever_it_is_called(tmp_path: Path) -> None:
    rule = "lambda draw, probability, forced, held: forced"
    rules = f"{{'target.limited_falls': {rule}, 'target.limited_response_occurs': {rule}}}"
    (tmp_path / "twice.py").write_text(f"from sim import Extension\n\ntwice = Extension('twice', rules={rules})\n")
    with pytest.raises(UserError, match="each replaced rule, once"):
        replaced_rules(load(extensions=[tmp_path / "twice.py"]).scenario.extended)


def test_every_former_name_of_a_rule_leads_to_a_rule() -> None:
    for old, new in RENAMED.items():
        role, _, name = old.partition(".")
        module = import_module(f"sim.rules.{role}")
        assert getattr(module, name) is getattr(module, new.partition(".")[2])
    with pytest.raises(AttributeError):
        import_module("sim.rules.rates").nothing  # noqa: B018
