"""Who acts and where: the states, the theatres and the militia wings of one case."""

from dataclasses import dataclass, field
from typing import get_args

from sim.world.parameters import Declaration, Provenance, Theatre, Wing

RESERVED = ("patron", "target", "mediator", "rival")
"""Names under which states draw their luck; no wing may be called so."""

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
