"""What the article reports, as data, and where the model represents each fact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from sim.model.package_data import data_folder

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
    facts = tuple(_fact(path.name, given) for given in content)
    if len({fact.id for fact in facts}) < len(facts):
        raise ValueError(f"{path.name}: facts has the same id twice")
    return facts


def coverage(facts: Iterable[Fact]) -> Coverage:
    """How well the model covers the facts."""
    known = tuple(facts)
    linked = {kind: sum(bool(fact.links(kind)) for fact in known) for kind in LINK_KINDS}
    return Coverage(facts=len(known), tests=sum(bool(fact.tests) for fact in known), **linked)


def _fact(file: str, given: Any) -> Fact:
    if not isinstance(given, Mapping) or not {"id", "text", "kind"} <= set(given):
        raise ValueError(f"{file}: {given} has no id, text or kind")
    figure, unit, when, tests = (given.get(key) for key in ("figure", "unit", "date", "tests"))
    links = given.get("modelled_by") or {}
    known_links = bool(links) and set(links) <= set(LINK_KINDS)
    lists = [*links.values(), tests] if known_links else []
    problems = {
        f"keys other than {', '.join(sorted(_KEYS))}": not set(given) <= _KEYS,
        f"a kind other than {', '.join(FACT_KINDS)}": given["kind"] not in FACT_KINDS,
        "a figure that is no number": figure is not None and not isinstance(figure, int | float),
        "a figure without unit or a unit without figure": (figure is None) != (unit is None),
        "a date that is none": when is not None and not isinstance(when, date),
        f"links other than {', '.join(LINK_KINDS)}, or none": not known_links,
        "an empty list of links or tests": not all(isinstance(names, list) and names for names in lists),
        "the same link twice": any(isinstance(names, list) and len(set(names)) < len(names) for names in lists),
    }
    for problem, present in problems.items():
        if present:
            raise ValueError(f"{file}: {given['id']} has {problem}")
    return Fact(
        id=str(given["id"]),
        text=" ".join(str(given["text"]).split()),
        kind=given["kind"],
        figure=None if figure is None else float(figure),
        unit=unit,
        date=when,
        modelled_by={kind: tuple(map(str, links[kind])) for kind in LINK_KINDS if kind in links},
        tests=tuple(map(str, tests or ())),
    )
