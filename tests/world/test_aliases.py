"""What was written under an old name of a key is read under its present one, wherever it is written."""

import pytest

from sim.study.attribution.game import players_of
from sim.study.live.file import opened
from sim.study.live.settings import ground_of
from sim.study.sweep.axes import read_axes
from sim.world.aliases import ALIASES, current
from sim.world.scenario import load

HEAD = "# @package _global_\nscenario:\n  question: Does it work?\n  departs: start\n"


@pytest.mark.parametrize(("old", "new"), ALIASES.items())
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
    ground = ground_of(())
    assert ground.settings({old: "false"}) == ground.settings({new: "false"})
    assert opened(ground, f"mechanisms:\n  {before}: false\n") == ground.settings({new: "false"})
    assert load([f"{old}=true"]).tree == load().tree, "the default under its old name changes nothing"


def test_an_alias_leads_to_a_key_that_exists_and_is_no_alias_itself():
    tree = load().tree
    for old, new in ALIASES.items():
        group, _, name = new.partition(".")
        assert name in tree[group]
        assert current(new) == new != old
