"""Merging a scenario on top of a composed configuration: the short way and the long way agree."""

import pytest
from omegaconf import OmegaConf

from sim.world.compose import config_folders, merged, options, read_group_file
from sim.world.scenario import load

FILES = {name: read_group_file(path) for name, path in options("scenario", config_folders(None)).items()}
OVERLAYS = sorted(name for name, content in FILES.items() if "defaults" not in content)
TREE = dict(load().tree)


@pytest.mark.parametrize("name", OVERLAYS)
def test_sections_that_nothing_changes_may_stay_out_of_a_merge(name: str) -> None:
    whole = OmegaConf.to_container(OmegaConf.merge(TREE, FILES[name]), resolve=True)
    short = merged(TREE, FILES[name])
    assert short == whole
    assert list(short) == list(whole)


def test_a_reference_finds_sections_that_nothing_changes() -> None:
    control = TREE["patron"]["control"]
    assert merged(TREE, {"mediator": {"weight": "${patron.control}"}})["mediator"]["weight"] == control
