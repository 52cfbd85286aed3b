"""The cast: the states, the theatres and the militia wings of one case, read from the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

from sim.model.parameters import Declaration, Provenance, Theatre, Wing, group_declarations
from sim.model.validation import Section, UserError, is_text, one_of

RESERVED = ("patron", "target", "mediator", "rival")
"""Names that address the random numbers of states; no wing may have one of them."""

KINDS = ("target", "rival", "shipping")
RESTRAINTS = ("stop", "reduce", "unchanged")
PROVENANCES: tuple[str, ...] = get_args(Provenance)


@dataclass(frozen=True)
class Names:
    """What the roles are called in this case."""

    patron: str
    target: str
    mediators: str
    rival: str


@dataclass(frozen=True)
class Source:
    """Where one number of the configuration comes from."""

    provenance: str
    text: str


UNSOURCED = Source("assumed", "assumed")
BORROWED = Source("assumed", "no source of this case")
"""Where a shared number comes from in a case whose facts are not those that its declaration cites."""


@dataclass(frozen=True)
class Cast:
    """The states by role, the theatres and the wings by id, in the order of the configuration.

    `sources` maps full keys, such as `militia.nujaba_iraq.autonomy`, to where the number comes from. `facts` names the
    documented facts that the case is made of; without them the sources in declarations of parameters are another's.
    """

    names: Names
    theatres: dict[str, Theatre]
    wings: dict[str, Wing]
    sources: dict[str, Source] = field(default_factory=dict)
    facts: str | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups, each with a wing or more, in the order of their first wings."""
        return tuple(dict.fromkeys(wing.group for wing in self.wings.values()))

    @property
    def targets(self) -> tuple[str, ...]:
        """Ids of the theatres in which the target is attacked."""
        return tuple(name for name, theatre in self.theatres.items() if theatre.kind == "target")

    @property
    def target_places(self) -> list[int]:
        """Positions of these theatres."""
        return list(map(self.theatre_index, self.targets))

    def theatre_index(self, theatre: str) -> int:
        """Position of a theatre."""
        return list(self.theatres).index(theatre)

    def wing_index(self, wing: str) -> int:
        """Position of a wing."""
        return list(self.wings).index(wing)

    def wings_in(self, theatre: str) -> tuple[str, ...]:
        """Ids of the wings that fight in a theatre."""
        return tuple(name for name, wing in self.wings.items() if wing.theatre == theatre)

    def strikable(self, wing: str) -> bool:
        """Whether the target's responses can hit a wing: where it fights against the target itself."""
        return self.theatres[self.wings[wing].theatre].kind == "target"

    def source(self, key: str) -> Source:
        """Where the number of a theatre or wing with this full key comes from."""
        return self.sources.get(key, UNSOURCED)

    def shared_source(self, declared: Declaration) -> Source:
        """Where a parameter that holds for the whole case comes from."""
        return BORROWED if self.facts is None else Source(declared.provenance, declared.source)


_PROVENANCE = f"[provenance, source] with a provenance of {', '.join(PROVENANCES)}"


def cast_of(tree: Mapping[str, Any]) -> Cast:
    """The cast of one case."""
    top = Section("", {key: tree.get(key, {}) for key in ("theatre", "militia")}, ("theatre", "militia"))
    sources: dict[str, Source] = {}
    theatres = {name: _theatre(section, sources) for name, section in _members(top, "theatre", Theatre)}
    wings = {name: _wing(name, section, theatres, sources) for name, section in _members(top, "militia", Wing)}
    for key, actors, allowed in (("theatre", theatres, "one theatre or more"), ("militia", wings, "one wing or more")):
        if not actors:
            raise UserError(key, "(none)", allowed)
    roles = tuple(field.name for field in fields(Names))
    names = Section("names", tree.get("names", {}), (*roles, "facts"))
    facts = names.text("facts") if names.has("facts") else None
    return Cast(Names(**{role: names.text(role) for role in roles}), theatres, wings, sources, facts)


def _members(top: Section, key: str, group: type) -> Any:
    return top.sections(key, (*(field.name for field in fields(group)), "sources")).items()


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
    numbers = {name: section.number(name, declared.low, declared.high) for name, declared in group_declarations(group)}
    for name, given in (section.children("sources") if section.has("sources") else {}).items():
        key = section.full(f"sources.{name}")
        if name not in numbers:
            raise UserError(key, given, one_of(numbers, name))
        if not (isinstance(given, list) and len(given) == 2 and given[0] in PROVENANCES and is_text(given[1])):
            raise UserError(key, given, _PROVENANCE)
        sources[section.full(name)] = Source(given[0], given[1].strip())
    return numbers
