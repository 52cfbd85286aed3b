"""From a composed configuration to the cast: names, theatres and wings, every number checked."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sim.world.actors import KINDS, PROVENANCES, RESERVED, RESTRAINTS, Cast, Names, Source
from sim.world.checks import Section
from sim.world.errors import UserError, one_of
from sim.world.parameters import Theatre, Wing, declared

_THEATRE_KEYS = (*(one.name for one in fields(Theatre)), "sources")
_WING_KEYS = (*(one.name for one in fields(Wing)), "sources")


def cast_of(tree: Mapping[str, Any]) -> Cast:
    """The cast of one case.

    Raises:
        UserError: a name or number is missing, out of range or unknown, or a wing fights in no known theatre.
    """
    top = Section("", {key: tree.get(key, {}) for key in ("theatre", "militia")}, ("theatre", "militia"))
    sources: dict[str, Source] = {}
    theatres = {
        name: _theatre(Section(f"theatre.{name}", given, _THEATRE_KEYS), sources)
        for name, given in top.children("theatre").items()
    }
    if not theatres:
        raise UserError("theatre", "(none)", "one theatre or more")
    wings = {
        name: _wing(name, Section(f"militia.{name}", given, _WING_KEYS), theatres, sources)
        for name, given in top.children("militia").items()
    }
    if not wings:
        raise UserError("militia", "(none)", "one wing or more")
    roles = tuple(one.name for one in fields(Names))
    names = Section("names", tree.get("names", {}), (*roles, "facts"))
    facts = names.text("facts") if names.has("facts") else None
    return Cast(Names(**{role: names.text(role) for role in roles}), theatres, wings, sources, facts)


def _theatre(section: Section, sources: dict[str, Source]) -> Theatre:
    return Theatre(
        name=section.text("name"),
        kind=section.choice("kind", KINDS),  # type: ignore[arg-type]
        mediated=section.flag("mediated"),
        restraint=section.choice("restraint", RESTRAINTS),  # type: ignore[arg-type]
        **_numbers(section, Theatre, sources),
    )


def _wing(name: str, section: Section, theatres: Mapping[str, Theatre], sources: dict[str, Source]) -> Wing:
    if name in RESERVED:
        raise UserError(section.key, name, f"any name but {', '.join(RESERVED)}")
    return Wing(
        name=section.text("name"),
        group=section.text("group"),
        theatre=section.choice("theatre", theatres),
        collective=section.text("collective"),
        mediated=section.flag("mediated"),
        **_numbers(section, Wing, sources),
    )


def _numbers(section: Section, group: type, sources: dict[str, Source]) -> dict[str, float]:
    """The declared numbers of one theatre or wing; their sources are put under the full keys."""
    numbers = {name: section.number(name, one.low, one.high) for name, one in declared(group)}
    for name, given in (section.children("sources") if section.has("sources") else {}).items():
        key = section.full(f"sources.{name}")
        if name not in numbers:
            raise UserError(key, given, one_of(numbers, name))
        sources[section.full(name)] = _source(key, given)
    return numbers


def _source(key: str, given: object) -> Source:
    allowed = f"[provenance, source] with a provenance of {', '.join(PROVENANCES)}"
    if not isinstance(given, list) or len(given) != 2 or given[0] not in PROVENANCES:
        raise UserError(key, given, allowed)
    if not isinstance(given[1], str) or not given[1].strip():
        raise UserError(key, given, allowed)
    return Source(given[0], given[1].strip())
