"""What counts as an attack in a user's file: the group `filters` of the configuration, and how names match."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from sim.analysis.forecast.event_dates import ORDERS
from sim.model.cast import Cast
from sim.model.validation import Section, UserError, is_text, mapping, one_of

_KEYS: Final = (
    "attackers", "attacked", "aliases", "groups", "order", "types", "violence", "date_precision", "rough_dates",
    "multi_day", "date_format", "columns", "places", "from", "to",
)  # fmt: skip
BY_TYPE: Final = "by_type"
ATTACKER_FIRST: Final = "attacker_first"
ORDER_CHOICES: Final = ("any", ATTACKER_FIRST, BY_TYPE)
FIRST: Final = "first"
SPREAD: Final = "spread"
DROP: Final = "drop"
OPTIONAL: Final[dict[str, Any]] = {
    "aliases": {},
    "groups": {},
    "date_format": None,
    "rough_dates": DROP,
    "multi_day": FIRST,
    "columns": None,
}
"""Keys that a configuration of before may lack, with the values that mean the same; `configs/config.yaml` has them."""
_VIOLENCE: Final = ("1", "2", "3")
VIOLENCE_WORDS: Final = "a list with some of 1, 2, 3"
DAY_WORDS: Final = "a date such as 2024-02-02, or null"
COLUMNS: Final = (
    "id", "version", "date", "week", "month", "end", "attacker", "attacked", "type", "place", "precision", "killed",
    "count", "total",
)  # fmt: skip
"""What `filters.columns` may name the columns of."""
_COLUMN_WORDS: Final = "a mapping such as {date: day, attacker: group, attacked: victim, place: country}, or null"


def plain_words(text: str) -> str:
    """A text as its bare words: lower case, without accents, apostrophes and other signs.

    >>> plain_words("Kata'ib  Hizballah (Iraq)"), plain_words("Harakat al-Nujabā")
    ('kataib hizballah iraq', 'harakat al nujaba')
    """
    spread = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in spread if not unicodedata.combining(sign) and sign not in "'’‘ʼʿʾ`´")
    return " ".join(re.findall(r"[^\W_]+", bare))


def matcher(names: Sequence[str]) -> Callable[[str], bool]:
    """A test whether a text has the words of one of these names in a row; `names` are plain words already.

    >>> matcher(["us"])("Forces of the US"), matcher(["us"])("Russian forces")
    (True, False)
    """

    @cache
    def matches(text: str) -> bool:
        words = f" {plain_words(text)} "
        return any(f" {name} " in words for name in names)

    return matches


@dataclass(frozen=True)
class Filters:
    """What counts.

    attackers, attacked: names of actors and their aliases as plain words, for the two sides; nothing named means
    anybody. groups: by group of the case the names of attackers that mean this one and no other. order:
    `attacker_first` where the attacker must stand on the first side, `by_type` where it must in types of events in
    which the database puts it there, or `any`. answers: whose strikes the rows the other way round are, in words.
    types: event or sub-event types, lower case; violence: UCDP's types of violence; nothing named means all.
    date_precision: the worst that is still dated well enough (1 is the day itself). rough_dates: whether worse ones
    are dropped or spread over the days they may be of; multi_day: whether an event of several days counts on its
    first one, is spread or dropped. date_format: the order of days and months, None where the file shows it.
    columns: the columns of a file of no known format, by what they hold. places: theatre by the name of a country
    or region as plain words. start, end: the days that the file covers, None where its first and last event show
    it.
    """

    attackers: tuple[str, ...]
    attacked: tuple[str, ...]
    order: str
    answers: str
    types: tuple[str, ...]
    violence: tuple[str, ...]
    date_precision: int
    rough_dates: str
    multi_day: str
    date_format: str | None
    columns: dict[str, tuple[str, ...]]
    places: dict[str, str]
    groups: dict[str, tuple[str, ...]]
    start: date | None
    end: date | None

    @property
    def theatres(self) -> tuple[str, ...]:
        """Theatres that places stand for, each once."""
        return tuple(dict.fromkeys(self.places.values()))

    @property
    def names_actors(self) -> bool:
        """Whether only some actors count."""
        return bool(self.attackers or self.attacked)


def filters_of(tree: Mapping[str, Any], cast: Cast) -> Filters:
    """The filters of a composed configuration; keys that older files lack have their defaults.

    Raises:
        UserError: a key is unknown or missing, or a place leads to no theatre of the case.
    """
    section = Section("filters", {**OPTIONAL, **mapping("filters", tree.get("filters"))}, _KEYS)
    start, end = _day(section, "from"), _day(section, "to")
    violence = section.raw("violence", VIOLENCE_WORDS)
    if not isinstance(violence, list) or any(str(one) not in _VIOLENCE for one in violence):
        raise UserError(section.full("violence"), violence, VIOLENCE_WORDS)
    if start and end and end < start:
        raise UserError("filters.to", end, f"{start} or later")
    aliases = _aliases(section)
    return Filters(
        attackers=_spelled(section.full("attackers"), section.texts("attackers"), aliases),
        attacked=_spelled(section.full("attacked"), section.texts("attacked"), aliases),
        order=section.choice("order", ORDER_CHOICES),
        answers=_answers(section.texts("attacked"), cast.names.target),
        types=tuple(one.strip().casefold() for one in section.texts("types")),
        violence=tuple(str(one) for one in violence),
        date_precision=section.whole("date_precision", 1, 5),
        rough_dates=section.choice("rough_dates", (DROP, SPREAD)),
        multi_day=section.choice("multi_day", (FIRST, SPREAD, DROP)),
        date_format=_date_format(section),
        columns=_columns(section),
        places=_places(section, cast, aliases),
        groups=_groups(section, cast, aliases),
        start=start,
        end=end,
    )


def _aliases(section: Section) -> dict[str, tuple[str, ...]]:
    """Other spellings by the name that they stand for; each must be among attackers, attacked or places."""
    key = section.full("aliases")
    given = mapping(key, section.raw("aliases", "a mapping of names to lists of spellings"))
    if not given:
        return {}
    places = section.raw("places", "")
    listed = [*section.texts("attackers"), *section.texts("attacked")]
    listed += [one for names in (places.values() if isinstance(places, Mapping) else ()) for one in names]
    known = {plain_words(one): one for one in listed if is_text(one)}
    inner = Section(key, given, tuple(given))
    found = {}
    for name in given:
        if plain_words(str(name)) not in known:
            raise UserError(f"{key}.{name}", given[name], f"names that a list holds: {one_of(known.values(), name)}")
        found[plain_words(str(name))] = inner.texts(name)
    return found


def _spelled(key: str, names: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Names with their aliases as plain words, each once."""
    spelled: list[str] = []
    for name in names:
        for one in (name, *aliases.get(plain_words(name), ())):
            if not plain_words(one):
                raise UserError(key, one, "names with letters or digits")
            spelled.append(plain_words(one))
    return tuple(dict.fromkeys(spelled))


def _groups(section: Section, cast: Cast, aliases: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Names as plain words by the group of the case that they mean."""
    key = section.full("groups")
    inner = Section(key, mapping(key, section.raw("groups", "a mapping of groups to lists of names")), cast.groups)
    return {
        group: _spelled(inner.full(group), inner.texts(group), aliases) for group in cast.groups if inner.has(group)
    }


def _answers(attacked: Sequence[str], target: str) -> str:
    """Whose strikes those of an attacked side are: the target's, as the case names it, or of those that are named."""
    if not attacked:
        return "on the attackers"
    is_target = any(one.strip().casefold() in target.casefold() for one in attacked)
    return f"by {target if is_target else ' or '.join(attacked)}"


def _date_format(section: Section) -> str | None:
    return None if section.raw("date_format", "") is None else section.choice("date_format", ORDERS)


def _columns(section: Section) -> dict[str, tuple[str, ...]]:
    key, given = section.full("columns"), section.raw("columns", _COLUMN_WORDS)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UserError(key, given, _COLUMN_WORDS)
    inner = Section(key, given, COLUMNS)
    return {
        name: tuple(map(str, inner.texts(name) if isinstance(given[name], list) else (inner.text(name),)))
        for name in given
    }


def _places(section: Section, cast: Cast, aliases: Mapping[str, Sequence[str]]) -> dict[str, str]:
    key, words = section.full("places"), "a mapping of theatres to lists of names"
    listed = mapping(key, section.raw("places", words))
    if not listed:
        raise UserError(key, "{}", f"{words} of countries or regions")
    inner = Section(key, listed, cast.theatres)
    places: dict[str, str] = {}
    for theatre in listed:
        for place in _spelled(inner.full(theatre), inner.texts(theatre), aliases):
            if places.setdefault(place, theatre) != theatre:
                raise UserError(inner.full(theatre), place, f"each place in one theatre; it is in {places[place]} too")
    if not places:
        raise UserError(key, listed, f"names of places for some of {one_of(cast.theatres, '')}")
    return places


def _day(section: Section, name: str) -> date | None:
    given = section.raw(name, DAY_WORDS)
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise UserError(section.full(name), given, DAY_WORDS) from None
