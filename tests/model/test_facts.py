"""Every fact is there, and every link leads somewhere."""

import ast
import importlib
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sim.model.declared_outcomes import DERIVED, RECORDED
from sim.model.facts import Fact, coverage, load_facts
from sim.model.hydra_config import shipped_folder
from sim.model.package_data import data_folder
from sim.model.parameters import shared_declarations
from sim.model.scenario import load, scenario_names

ROOT = Path(__file__).resolve().parents[2]
CITED = re.compile(r"\bF(\d\d)\b")
FACTS = load_facts()


@pytest.fixture(scope="module")
def tree() -> Mapping[str, Any]:
    return load().tree


@pytest.fixture(scope="module")
def outputs() -> set[str]:
    names = {one.name for one in (*RECORDED, *DERIVED)}
    return names | {pattern.id for pattern in load().patterns}


@pytest.fixture(scope="module")
def scenarios() -> set[str]:
    return {card.name for card in scenario_names()}


def key_exists(key: str, tree: Mapping[str, Any]) -> bool:
    inside: Any = tree
    for name in key.split("."):
        if not isinstance(inside, Mapping) or name not in inside:
            return False
        inside = inside[name]
    return True


def rule_exists(name: str) -> bool:
    module, _, function = name.rpartition(".")
    if not module.startswith("sim.rules."):
        return False
    try:
        return callable(getattr(importlib.import_module(module), function, None))
    except ImportError:
        return False


@cache
def functions(path: Path) -> frozenset[str]:
    return frozenset(one.name for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef))


def test_exists(node: str) -> bool:
    file, _, function = node.partition("::")
    path = ROOT / file
    if not path.is_file() or not function.startswith("test_"):
        return False
    return function in functions(path)


test_exists.__test__ = False  # type: ignore[attr-defined]


def dead_links(fact: Fact, tree: Mapping[str, Any], outputs: set[str], scenarios: set[str]) -> list[str]:
    return [
        *(key for key in fact.links("parameter") if not key_exists(key, tree)),
        *(name for name in fact.links("rule") if not rule_exists(name)),
        *(name for name in fact.links("scenario") if name not in scenarios),
        *(name for name in fact.links("output") if name not in outputs),
        *(node for node in fact.tests if not test_exists(node)),
    ]


def test_all_thirty_seven_are_there_in_order() -> None:
    assert [fact.id for fact in FACTS] == [f"F{number:02d}" for number in range(1, 38)]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_every_link_of_a_fact_leads_somewhere(
    fact: Fact, tree: Mapping[str, Any], outputs: set[str], scenarios: set[str]
) -> None:
    assert dead_links(fact, tree, outputs, scenarios) == []
    assert fact.modelled_by
    assert fact.tests


@pytest.mark.parametrize(
    "dead",
    [
        {"parameter": ("patron.contrl",)},
        {"parameter": ("militia.unknown",)},
        {"rule": ("sim.rules.patron.war_rsk",)},
        {"rule": ("sim.rules.unknown.war_risk",)},
        {"rule": ("sim.model.facts.load_facts",)},
        {"scenario": ("tight_leesh",)},
        {"output": ("P99",)},
        {"tests": ("tests/model/test_facts.py::test_nothing",)},
        {"tests": ("tests/model/test_nothing.py::test_exists",)},
    ],
)
def test_a_dead_link_would_be_noticed(
    dead: dict[str, tuple[str, ...]], tree: Mapping[str, Any], outputs: set[str], scenarios: set[str]
) -> None:
    tests = dead.get("tests", ())
    fact = Fact("F99", "text", "count", None, None, None, {k: v for k, v in dead.items() if k != "tests"}, tests)
    assert dead_links(fact, tree, outputs, scenarios) == list(next(iter(dead.values())))


def test_figures_and_dates_are_those_of_the_article() -> None:
    figures = {fact.id: (fact.figure, fact.unit, fact.date) for fact in FACTS if fact.figure is not None or fact.date}
    assert figures == {
        "F01": (170.0, "attacks", date(2024, 2, 2)),
        "F02": (0.0, "attacks", date(2024, 2, 27)),
        "F03": (2.0, "attacks", date(2024, 2, 27)),
        "F04": (3.0, "soldiers", date(2024, 1, 28)),
        "F05": (None, None, date(2024, 2, 2)),
        "F29": (1.0, "chances", None),
    }


def test_coverage_counts_facts_with_links_of_each_kind() -> None:
    counted = coverage(FACTS)
    assert (counted.facts, counted.tests) == (37, 37)
    assert min(counted.parameter, counted.rule, counted.scenario, counted.output) >= 33
    assert coverage([]) == coverage(fact for fact in FACTS if fact.id == "F00")
    bare = Fact("F99", "text", "count", None, None, None, {"rule": ("sim.rules.patron.war_risk",)}, ())
    one = coverage([bare])
    assert (one.facts, one.rule, one.parameter, one.tests) == (1, 1, 0, 0)


def test_whatever_cites_a_fact_cites_one_that_is_there() -> None:
    files = [*shipped_folder().rglob("*.yaml"), *(ROOT / "sim").rglob("*.py")]
    cited = {f"F{number}" for path in files for number in CITED.findall(path.read_text(encoding="utf-8"))}
    assert cited <= {fact.id for fact in FACTS}


def test_parameters_said_to_come_from_facts_are_linked_from_some_fact() -> None:
    linked = {key for fact in FACTS for key in fact.links("parameter")}
    unlinked = [key for key, one in shared_declarations().items() if CITED.search(one.source) and key not in linked]
    assert unlinked == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"kind": "rumour"}, "F01 has a kind other than"),
        ({"figure": "many"}, "F01 has a figure that is no number"),
        ({"unit": None}, "F01 has a figure without unit"),
        ({"date": "soon"}, "F01 has a date that is none"),
        ({"modelled_by": {}}, "F01 has links other than"),
        ({"modelled_by": {"idea": ["x"]}}, "F01 has links other than"),
        ({"modelled_by": {"rule": []}}, "F01 has an empty list"),
        ({"tests": []}, "F01 has an empty list"),
        ({"tests": ["a", "a"]}, "F01 has the same link twice"),
        ({"remark": "x"}, "F01 has keys other than"),
        ({"id": "F02"}, "facts has the same id twice"),
    ],
)
def test_a_file_that_is_not_laid_out_as_facts_are_is_refused(tmp_path: Path, change: dict[str, Any], line: str) -> None:
    content = yaml.safe_load((data_folder("seeds") / "facts.yaml").read_text(encoding="utf-8"))
    content[0].update(change)
    path = tmp_path / "facts.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ValueError, match=f"^facts.yaml: {line}"):
        load_facts(path)
