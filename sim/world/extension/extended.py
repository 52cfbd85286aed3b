"""What a configuration makes of extensions: values of their parameters, their actors, what is switched off."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from sim.world.checks import Section
from sim.world.extension.declared import ActorType, Derived, Extension, Mechanism, Tallied
from sim.world.parameters import Declaration


@dataclass(frozen=True)
class Extended:
    """Extensions as a scenario has them.

    `values` are the parameters by full key, `NAME.PARAMETER` or `NAME.ACTOR.PARAMETER`; `actors` those of each type of
    actor, in order; `off` the mechanisms that are switched off.
    """

    extensions: tuple[Extension, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    actors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    off: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.extensions)

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """All mechanisms and types of actors, in order."""
        return tuple(one for extension in self.extensions for one in extension.mechanisms)

    @property
    def outcomes(self) -> tuple[Tallied | Derived, ...]:
        """All outcomes, in order."""
        return tuple(one for extension in self.extensions for one in extension.outcomes)

    @property
    def rules(self) -> dict[str, Any]:
        """All replaced rules by `role.name`."""
        return {name: function for extension in self.extensions for name, function in extension.rules.items()}

    @property
    def declarations(self) -> dict[str, Declaration]:
        """Declarations of all parameters by full key."""
        return dict(declarations_of(self.mechanisms, self.actors))

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Hash of the source of each extension by its name: 16 hexadecimal digits."""
        return {one.name: _hash(one.source.replace("\r\n", "\n")) for one in self.extensions}

    @cached_property
    def key(self) -> str:
        """What decides how engines are built with it: 16 hexadecimal digits."""
        return _hash(repr((self.hashes, sorted(self.off), sorted(self.actors.items()))))


UNEXTENDED: Final = Extended()


def declarations_of(
    mechanisms: tuple[Mechanism, ...], actors: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, Declaration]]:
    """Yield (full key, declaration) of every parameter, in order."""
    for one in mechanisms:
        prefixes = [f"{one.name}.{actor}" for actor in actors.get(one.name, ())]
        for prefix in prefixes if isinstance(one, ActorType) else [one.name]:
            for name, declaration in one.parameters.items():
                yield f"{prefix}.{name}", declaration


def declaration_in(extensions: tuple[Extension, ...], key: str) -> Declaration | None:
    """The declaration that extensions give a full key, whatever actors there are; None for any other key."""
    name, *rest = key.split(".")
    for one in (mechanism for extension in extensions for mechanism in extension.mechanisms):
        if one.name == name and len(rest) == (2 if isinstance(one, ActorType) else 1):
            return one.parameters.get(rest[-1])
    return None


def extended_of(tree: Mapping[str, Any], extensions: tuple[Extension, ...]) -> Extended:
    """The extensions as a composed configuration has them.

    Raises:
        UserError: a parameter is unknown or out of range, or a switch is neither on nor off.
    """
    bare = Extended(extensions)
    actors: dict[str, tuple[str, ...]] = {}
    values: dict[str, float] = {}
    for one in bare.mechanisms:
        given = tree.get(one.name) or {}
        if isinstance(one, ActorType):
            named = Section("", {one.name: given}, (one.name,)).children(one.name)
            actors[one.name] = tuple(named)
            for actor, numbers in named.items():
                values |= _values(f"{one.name}.{actor}", numbers or {}, one.parameters)
        else:
            values |= _values(one.name, given, one.parameters)
    names = [one.name for one in bare.mechanisms]
    switches = {name: value for name, value in (tree.get("mechanisms") or {}).items() if name in names}
    section = Section("mechanisms", switches, names)
    off = frozenset(name for name in switches if not section.flag(name))
    return Extended(extensions, values, actors, off)


def _values(prefix: str, given: Any, parameters: Mapping[str, Declaration]) -> dict[str, float]:
    section = Section(prefix, given, tuple(parameters))
    return {
        f"{prefix}.{name}": section.number(name, one.low, one.high) if section.has(name) else float(one.default or 0.0)
        for name, one in parameters.items()
    }


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
