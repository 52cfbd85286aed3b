"""What the article reports, as data, and where each fact lives in the model."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from sim.world.data import data_folder

FACT_KINDS: Final = ("count", "event", "structure", "order", "perception", "pressure", "policy", "outlook")
LINK_KINDS: Final = ("parameter", "rule", "scenario", "output")

_KEYS: Final = {"id", "text", "kind", "figure", "unit", "date", "modelled_by", "tests"}


@dataclass(frozen=True)
class Fact:
    """One fact of the article in own words.

    figure and unit are None where there is no number, date where there is no day. `modelled_by` gives links by kind:
    parameter (keys of the configuration), rule (dotted names of functions), scenario (names of scenario files),
    output (names of outcomes or ids of patterns). `tests` are node ids of pytest.
    """

    id: str
    text: str
    kind: str
    figure: float | None
    unit: str | None
    date: date | None
    modelled_by: dict[str, tuple[str, ...]]
    tests: tuple[str, ...]

    def links(self, kind: str) -> tuple[str, ...]:
        """Its links of one kind, possibly none."""
        return self.modelled_by.get(kind, ())


@dataclass(frozen=True)
class Coverage:
    """How many facts have links of each kind and tests, out of how many."""

    facts: int
    parameter: int
    rule: int
    scenario: int
    output: int
    tests: int


def load_facts(path: Path | None = None) -> tuple[Fact, ...]:
    """The facts in their order.

    Args:
        path: a file of facts; the shipped one unless given.

    Raises:
        ValueError: the file is not laid out as facts are; one line that names the fact.
    """
    path = data_folder("seeds") / "facts.yaml" if path is None else path
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, list):
        raise ValueError(f"{path.name}: a list of facts is needed")
    facts = tuple(_fact(path.name, one) for one in content)
    _refuse(path.name, "facts", len({fact.id for fact in facts}) < len(facts), "the same id twice")
    return facts


def coverage(facts: Iterable[Fact]) -> Coverage:
    """How well the model covers the facts."""
    known = tuple(facts)

    def count(has: Callable[[Fact], object]) -> int:
        return sum(bool(has(fact)) for fact in known)

    return Coverage(
        facts=len(known),
        parameter=count(lambda fact: fact.links("parameter")),
        rule=count(lambda fact: fact.links("rule")),
        scenario=count(lambda fact: fact.links("scenario")),
        output=count(lambda fact: fact.links("output")),
        tests=count(lambda fact: fact.tests),
    )


def _fact(file: str, given: Any) -> Fact:
    _refuse(
        file, given, not isinstance(given, Mapping) or not {"id", "text", "kind"} <= set(given), "no id, text or kind"
    )
    name = str(given["id"])
    _refuse(file, name, not set(given) <= _KEYS, f"keys other than {', '.join(sorted(_KEYS))}")
    _refuse(file, name, given["kind"] not in FACT_KINDS, f"a kind other than {', '.join(FACT_KINDS)}")
    figure, when = given.get("figure"), given.get("date")
    _refuse(file, name, figure is not None and not isinstance(figure, int | float), "a figure that is no number")
    _refuse(
        file, name, (figure is None) != (given.get("unit") is None), "a figure without unit or a unit without figure"
    )
    _refuse(file, name, when is not None and not isinstance(when, date), "a date that is none")
    links = given.get("modelled_by") or {}
    _refuse(
        file, name, not links or not set(links) <= set(LINK_KINDS), f"links other than {', '.join(LINK_KINDS)}, or none"
    )
    return Fact(
        id=name,
        text=" ".join(str(given["text"]).split()),
        kind=given["kind"],
        figure=None if figure is None else float(figure),
        unit=given.get("unit"),
        date=when,
        modelled_by={kind: _names(file, name, links[kind]) for kind in LINK_KINDS if kind in links},
        tests=_names(file, name, given.get("tests")),
    )


def _names(file: str, fact: str, given: Any) -> tuple[str, ...]:
    _refuse(file, fact, not isinstance(given, list) or not given, "an empty list of links or tests")
    _refuse(file, fact, len(set(given)) < len(given), "the same link twice")
    return tuple(str(one) for one in given)


def _refuse(file: str, fact: object, wrong: bool, what: str) -> None:
    if wrong:
        raise ValueError(f"{file}: {fact} has {what}")
