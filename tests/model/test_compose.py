"""Scenarios and overrides on top of a composed configuration: the short way and the long way agree."""

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from sim.experiment.command import override_texts
from sim.model.hydra_config import config_folders, merge_trees, options, read_group_file
from sim.model.scenario import load
from sim.model.validation import UserError

FILES = {name: read_group_file(path) for name, path in options("scenario", config_folders(None)).items()}
OVERLAYS = sorted(name for name, content in FILES.items() if "defaults" not in content)
TREE = dict(load().tree)


@pytest.mark.parametrize("name", OVERLAYS)
def test_sections_that_nothing_changes_may_stay_out_of_a_merge(name: str) -> None:
    whole = OmegaConf.to_container(OmegaConf.merge(TREE, FILES[name]), resolve=True)
    short = merge_trees(TREE, FILES[name])
    assert short == whole
    assert list(short) == list(whole)


def test_a_reference_finds_sections_that_nothing_changes() -> None:
    control = TREE["patron"]["control"]
    assert merge_trees(TREE, {"mediator": {"weight": "${patron.control}"}})["mediator"]["weight"] == control


VALUES = [
    {"patron.control": np.float64(0.3), "history.free_from": None, "mechanisms.fear": False},
    {"scenario": "tight_leash", "history": "free", "calendar.start": date(2023, 10, 17)},
    {"+events.x": {"kind": "strike", "from": date(2024, 1, 3), "theatres": ("iraq", "syria"), "value": 0.1}},
    {"++militia.nujaba_iraq": {"autonomy": 0.5, "sources": {"autonomy": ["assumed", "it's: {a, b}"]}}},
    {"mechanisms.us_major": False, "names.patron": "not ${names.target}", "output.dir": Path("a b")},
    {"changes": {"a": {"parameter": "patron.control", "value": 0.9, "from": date(2024, 1, 29)}}, "changes.a.value": 1},
    {"changes.a": {"parameter": "patron.control", "value": 0.9}}, {"changes": [1]}, {"changes": None},
    {"~history.events.tower_22": None, "rungs": list("abcdefg")},
    *({key: value} for key, value in [
        ("patron.control", "0.5"), ("patron.control", 1.7), ("patron.control", math.nan), ("patron.control", "???"),
        ("patron.control", [1]), ("+patron.control", 1), ("~patron.control", None), ("patron", 1), ("patrn.control", 1),
        ("scenario", 5), ("scenario", "tight_leesh"), ("+scenario", "tight_leash"), ("seed", True), ("=", 1),
        ("names.patron", "${oc.env:HOME}"), ("militia.new.name", "x"), ("+militia.new", {"name": "x"}),
        ("+events.x", {"kind": "major", "from": 1, "value": 2}), ("hydra.run", 1), ("+new", 1), ("patron@x", 1),
        ("events.campaign.theatres", ("mars",)), ("study.runs", 2.5), ("extensions", "none.py"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize("values", VALUES, ids=str)
def test_a_value_of_a_call_means_what_its_text_means_on_the_command_line(values: dict[str, Any]) -> None:
    given = override_texts(values)

    def found(overrides: Sequence[str]) -> object:
        try:
            return load(overrides).tree
        except UserError as error:
            return str(error)

    assert repr(found(given)) == repr(found([str.__str__(one) for one in given]))


def test_texts_that_no_command_line_can_spell_are_set_as_they_are() -> None:
    for text in ("two\nlines", "\\", "a \\' b", '{"}', "#", " leading"):
        assert load(override_texts({"names.patron": text})).tree["names"]["patron"] == text
