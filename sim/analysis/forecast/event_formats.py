"""Formats of event databases and of tables of counts, recognised by their columns or mapped by `filters.columns`."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sim.analysis.forecast.event_filters import COLUMNS
from sim.analysis.forecast.table_files import column_name
from sim.model.validation import UserError, one_of

WEEK: Final = "week"
MONTH: Final = "month"
TO_END: Final = "end"


@dataclass(frozen=True)
class Format:
    """Where a database keeps what we read; names as `column_name` writes those of its header.

    identity: the event's id, and version: when its row was last changed; a file need not have either. day: the column
    of the date, or those of year, month and day; end: that of the last day. sides: the columns with actors of the first
    and of the second side, none in databases without actors. types: columns that say what happened; attacker_first:
    values of the first of them in which the first side attacks, and order: the same in words. fixed: whether sides are
    ordered by what they are, so that in other types the order says nothing at all; directed: whether the first side
    attacks in every row. places: from the smallest region to the country. precision: how well the date is known.
    killed: columns with the dead of the first and of the second side, of each the first that is there; the same columns
    where the database does not say on which side they died.
    events: the column with the number of events, where a row holds those of a `period`: of a week or a month from its
    date on, or up to the day in `end`; overlap: the type to count where an event may be of several.
    """

    name: str
    day: tuple[str, ...]
    places: tuple[str, ...]
    types: tuple[str, ...] = ()
    sides: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    identity: str = ""
    version: str = ""
    end: str = ""
    attacker_first: frozenset[str] = frozenset()
    order: str = ""
    fixed: bool = False
    directed: bool = False
    precision: str = ""
    killed: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    events: str = ""
    period: str = ""
    overlap: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which a file is none of this format."""
        first, second = self.sides
        end = (self.end,) if self.period == TO_END else ()
        return (
            *self.day,
            *end,
            *first[:1],
            *second[:1],
            *self.types[:1],
            *self.places[-1:],
            *filter(None, (self.events,)),
        )

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that are read where they are there."""
        return (
            self.identity, self.version, *self.day, self.end, *self.sides[0], *self.sides[1], *self.types, *self.places,
            self.precision, *self.killed[0], *self.killed[1], self.events,
        )  # fmt: skip


ACLED: Final = Format(
    name="ACLED",
    identity="event_id_cnty",
    version="timestamp",
    day=("event_date",),
    sides=(("actor1", "assoc_actor_1"), ("actor2", "assoc_actor_2")),
    types=("event_type", "sub_event_type"),
    attacker_first=frozenset(("explosions/remote violence", "violence against civilians")),
    order="in explosions, remote violence and violence against civilians the attacker stands on the first side",
    places=("admin2", "admin1", "country"),
    precision="time_precision",
    killed=(("fatalities",), ("fatalities",)),
)
GED: Final = Format(
    name="UCDP GED",
    identity="id",
    day=("date_start",),
    end="date_end",
    sides=(("side_a",), ("side_b",)),
    types=("type_of_violence",),
    attacker_first=frozenset(("3",)),
    order="in one-sided violence the attacker stands on the first side",
    fixed=True,
    places=("adm_2", "adm_1", "country"),
    precision="date_prec",
    killed=(("deaths_a", "best"), ("deaths_b", "best")),
    remarks=("UCDP lists events with deaths; attacks without deaths are not in the file",),
)
GTD: Final = Format(
    name="GTD",
    identity="eventid",
    day=("iyear", "imonth", "iday"),
    sides=(("gname", "gname2", "gname3"), ("natlty1_txt", "targtype1_txt", "target1", "corp1")),
    types=("attacktype1_txt",),
    directed=True,
    places=("city", "provstate", "country_txt"),
    killed=(("nkill",), ("nkill",)),
    remarks=("GTD names perpetrator and target, so the attacker is known in every row",),
)
_NO_ACTORS: Final = "no actors in the file: events of the counted types by anybody count"
WEEKLY: Final = Format(
    name="ACLED weekly aggregates",
    day=("week",),
    period=WEEK,
    types=("event_type", "sub_event_type"),
    places=("admin1", "country"),
    events="events",
    remarks=("a week runs from its Saturday to the Friday after it", _NO_ACTORS),
)
HAPI: Final = Format(
    name="conflict events of HDX HAPI",
    day=("reference_period_start",),
    end="reference_period_end",
    period=TO_END,
    types=("event_type",),
    places=("admin2_name", "admin1_name", "location_name", "location_code"),
    events="events",
    overlap="political_violence",
    remarks=(_NO_ACTORS,),
)
MONTHLY: Final = Format(
    name="monthly events of HDX",
    day=("year", "month"),
    period=MONTH,
    places=("admin2", "admin1", "country"),
    events="events",
    remarks=(_NO_ACTORS,),
)
FORMATS: Final = (ACLED, GED, GTD, WEEKLY, HAPI, MONTHLY)

GED_COLUMNS: Final = (
    "id relid year active_year code_status type_of_violence conflict_dset_id conflict_new_id conflict_name"
    " dyad_dset_id dyad_new_id dyad_name side_a_dset_id side_a_new_id side_a side_b_dset_id side_b_new_id side_b"
    " number_of_sources source_article source_office source_date source_headline source_original where_prec"
    " where_coordinates where_description adm_1 adm_2 latitude longitude geom_wkt priogrid_gid country country_id"
    " region event_clarity date_prec date_start date_end deaths_a deaths_b deaths_civilians deaths_unknown best high"
    " low gwnoa gwnob"
).split()
"""The 49 columns of GED in their order: releases of candidate events have come without a header."""
CANDIDATE: Final = re.compile(r"candidate|v\d\d[._]0[._]\d|v\d\d[._]01[._]", re.IGNORECASE)
"""How UCDP names files of candidate events, which have the columns of GED."""


def bare_ged(row: Sequence[str]) -> bool:
    """Whether a first row is one of GED's events and no header: as many columns, and numbers and dates in their places.

    >>> bare_ged(["id"] * 49)
    False
    """
    if len(row) != len(GED_COLUMNS):
        return False
    cell = dict(zip(GED_COLUMNS, row, strict=True))
    numbers = ("id", "year", "type_of_violence", "date_prec", "best")
    return all(whole_code(cell[name]).isdigit() for name in numbers) and cell["date_start"][:4].isdigit()


def whole_code(text: str) -> str:
    """A code as databases mean it: spreadsheets and data frames write a whole number with a point and noughts.

    >>> whole_code(" 1.0"), whole_code("2"), whole_code("1.5"), whole_code("IRQ10")
    ('1', '2', '1.5', 'IRQ10')
    """
    return re.sub(r"(?<=\d)\.0*$", "", text.strip())


def format_of(names: Collection[str]) -> Format | None:
    """The format whose columns are all there."""
    return next((one for one in FORMATS if set(one.needed) <= set(names)), None)


def nearest_format(names: Collection[str]) -> tuple[Format, list[str]] | None:
    """The format of which most columns are there, and those that are missing; None where it is not most of them."""

    def share(one: Format) -> float:
        return len(set(one.needed) & set(names)) / len(one.needed)

    best = max(FORMATS, key=share)
    return (best, [one for one in best.needed if one not in names]) if share(best) > 0.5 else None


def missing_words(form: Format, missing: Sequence[str], names: Collection[str]) -> str:
    """What to say of missing columns, with the ones that may be meant."""
    like = {one: difflib.get_close_matches(one, names, 1, 0.7) for one in missing}
    said = ", ".join(f"{one} (is it {near[0]}?)" if near else one for one, near in like.items())
    return f"{form.name} with the column{'s' * (len(missing) > 1)} {said}, missing here: get the file with all columns"


def mapped(columns: Mapping[str, Sequence[str]], names: Collection[str]) -> Format | dict[str, str]:
    """The format that `filters.columns` describes, or the columns to be renamed where it describes a table of counts.

    Raises:
        UserError: it names a column that is not there, or what is needed is missing.
    """
    key = "filters.columns"
    found = {what: tuple(column_name(one) for one in listed) for what, listed in columns.items()}
    for what, listed in found.items():
        for one, given in zip(listed, columns[what], strict=True):
            if one not in names:
                raise UserError(f"{key}.{what}", given, f"columns of the file: {one_of(tuple(names), one)}")
    dated = [one for one in ("date", WEEK, MONTH) if one in found]
    if len(dated) != 1:
        raise UserError(key, ", ".join(found) or "{}", f"one of date, week and month, and some of {', '.join(COLUMNS)}")
    attacker, attacked = found.get("attacker", ()), found.get("attacked", ())
    rows = {"attacker", "attacked", "place", "type"} & set(found)
    if not rows:
        count = next((found[one][0] for one in ("total", "count") if one in found), None)
        if count is None:
            raise UserError(key, ", ".join(found), "attacker and attacked of events, or count or total of a table")
        name = "as_of_date" if "total" in found else dated[0]
        return {found[dated[0]][0]: name, count: "total"}
    if "place" not in found:
        raise UserError(f"{key}.place", "(missing)", "the column of the country or region")
    if bool(attacker) != bool(attacked) or not (attacker or "count" in found):
        raise UserError(key, ", ".join(found), "attacker and attacked of events, or count of a table without actors")
    single = {what: found.get(what, ("",))[0] for what in ("id", "version", "end", "precision", "count")}
    killed = found.get("killed", ())
    period = TO_END if "count" in found and single["end"] else dated[0].removeprefix("date")
    return Format(
        name="table by filters.columns",
        day=found[dated[0]],
        places=found["place"],
        types=found.get("type", ()),
        sides=(attacker, attacked),
        identity=single["id"],
        version=single["version"],
        end=single["end"],
        directed=bool(attacker),
        precision=single["precision"],
        killed=(killed, killed),
        events=single["count"],
        period=period,
        remarks=() if attacker else (_NO_ACTORS,),
    )
