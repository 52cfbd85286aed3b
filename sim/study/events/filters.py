"""Which rows of an event database count as an attack, and in which theatre: from the configuration's `filters`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sim.world.actors import Cast
from sim.world.checks import Section, mapping
from sim.world.errors import UserError, one_of

_KEYS: Final = ("attackers", "attacked", "order", "types", "violence", "date_precision", "places", "from", "to")
BY_TYPE: Final = "by_type"
ATTACKER_FIRST: Final = "attacker_first"
ORDERS: Final = ("any", ATTACKER_FIRST, BY_TYPE)
_VIOLENCE: Final = ("1", "2", "3")


@dataclass(frozen=True)
class Filters:
    """What counts.

    attackers, attacked: parts of actors' names, lower case, for the two sides; nothing named means anybody.
    order: `attacker_first` where the attacker must stand on the first side, `by_type` where it must in types of events
    in which the database puts it there, or `any`. answers: whose strikes the rows the other way round are, in words.
    types: ACLED's event or sub-event types, lower case; violence: UCDP's types of violence; nothing named means all.
    date_precision: the worst that is still dated well enough (1 is the day itself).
    places: theatre by the name of a country or region, lower case. start, end: the days that the file covers, None
    where its first and last event tell.
    """

    attackers: tuple[str, ...]
    attacked: tuple[str, ...]
    order: str
    answers: str
    types: tuple[str, ...]
    violence: tuple[int, ...]
    date_precision: int
    places: dict[str, str]
    start: date | None
    end: date | None

    @property
    def theatres(self) -> tuple[str, ...]:
        """Theatres that places stand for, each once."""
        return tuple(dict.fromkeys(self.places.values()))


def filters_of(tree: Mapping[str, Any], cast: Cast) -> Filters:
    """The filters of a composed configuration.

    Raises:
        UserError: a key is unknown or missing, or a place leads to no theatre of the case.
    """
    section = Section("filters", tree.get("filters"), _KEYS)
    start, end = _day(section, "from"), _day(section, "to")
    if start and end and end < start:
        raise UserError("filters.to", end, f"{start} or later")
    return Filters(
        attackers=_names(section, "attackers"),
        attacked=_names(section, "attacked"),
        order=section.choice("order", ORDERS),
        answers=_answers(section.texts("attacked"), cast.names.target),
        types=_names(section, "types"),
        violence=tuple(int(one) for one in _violence(section)),
        date_precision=section.whole("date_precision", 1, 5),
        places=_places(section, cast),
        start=start,
        end=end,
    )


def _names(section: Section, name: str) -> tuple[str, ...]:
    return tuple(one.strip().casefold() for one in section.texts(name))


def _answers(attacked: Sequence[str], target: str) -> str:
    """Whose strikes those of an attacked side are: the target's, as the case names it, or of those that are named."""
    if not attacked:
        return "on the attackers"
    is_target = any(one.strip().casefold() in target.casefold() for one in attacked)
    return f"by {target if is_target else ' or '.join(attacked)}"


def _violence(section: Section) -> tuple[str, ...]:
    given = section.raw("violence", "a list with some of 1, 2, 3")
    listed = [str(one) for one in given] if isinstance(given, list) else None
    if listed is None or any(one not in _VIOLENCE for one in listed):
        raise UserError(section.full("violence"), given, "a list with some of 1, 2, 3")
    return tuple(listed)


def _places(section: Section, cast: Cast) -> dict[str, str]:
    listed = mapping(section.full("places"), section.raw("places", "a mapping of theatres to lists of names"))
    if not listed:
        raise UserError(section.full("places"), "{}", "a mapping of theatres to lists of names of countries or regions")
    inner = Section(section.full("places"), listed, cast.theatres)
    places: dict[str, str] = {}
    for theatre in listed:
        for place in _names(inner, theatre):
            if places.setdefault(place, theatre) != theatre:
                raise UserError(inner.full(theatre), place, f"each place in one theatre; it is in {places[place]} too")
    if not places:
        raise UserError(section.full("places"), listed, f"names of places for some of {one_of(cast.theatres, '')}")
    return places


def _day(section: Section, name: str) -> date | None:
    given = section.raw(name, "a date such as 2024-02-02, or null")
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise UserError(section.full(name), given, "a date such as 2024-02-02, or null") from None
