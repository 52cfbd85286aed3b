"""Every declared number of a configuration with its value and where it comes from: the parameter table."""

from collections.abc import Iterator
from dataclasses import dataclass

from sim.world.parameters import Declaration, Theatre, Wing, declared, shared_declarations
from sim.world.scenario import Scenario


@dataclass(frozen=True)
class Row:
    """One parameter as it stands in a configuration."""

    key: str
    symbol: str
    value: float
    unit: str
    low: float
    high: float
    prior: str
    provenance: str
    source: str
    text: str


def parameter_rows(scenario: Scenario) -> list[Row]:
    """All parameters of a scenario: shared ones, then those of theatres and wings in order, then of extensions."""
    return [*_shared(scenario), *_local(scenario), *_own(scenario)]


def _shared(scenario: Scenario) -> Iterator[Row]:
    for key, one in shared_declarations().items():
        group, name = key.split(".")
        value = getattr(getattr(scenario.parameters, group), name)
        source = scenario.cast.shared_source(one)
        yield _row(key, value, one, source.provenance, source.text)


def _local(scenario: Scenario) -> Iterator[Row]:
    cast = scenario.cast
    places: list[tuple[str, object, type]] = [
        *((f"theatre.{key}", theatre, Theatre) for key, theatre in cast.theatres.items()),
        *((f"militia.{key}", wing, Wing) for key, wing in cast.wings.items()),
    ]
    for prefix, place, group in places:
        for name, one in declared(group):
            key = f"{prefix}.{name}"
            source = cast.source(key)
            yield _row(key, getattr(place, name), one, source.provenance, source.text)


def _own(scenario: Scenario) -> Iterator[Row]:
    extended = scenario.extended
    for key, one in extended.declarations.items():
        yield _row(key, extended.values[key], one, one.provenance, one.source)


def _row(key: str, value: float, one: Declaration, provenance: str, source: str) -> Row:
    return Row(key, one.symbol, value, one.unit, one.low, one.high, str(one.prior), provenance, source, one.text)
