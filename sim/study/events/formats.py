"""The columns of the event databases, and by which of them a file is recognised."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.world.errors import UserError


@dataclass(frozen=True)
class Format:
    """Where a database keeps what we read; names as in its header, lower case.

    identity: the event's id, and version: when its row was last changed; a file need not have either. sides: the
    columns with actors of the first and of the second side. types: columns that say what happened; attacker_first:
    values of the first of them in which the first side attacks, and order: the same in words. fixed: whether sides are
    ordered by what they are, so that in other types the order says nothing at all. places: from the smallest region to
    the country. precision: how well the date is known.
    """

    name: str
    identity: str
    version: str
    day: str
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    types: tuple[str, ...]
    attacker_first: frozenset[str]
    order: str
    fixed: bool
    places: tuple[str, ...]
    precision: str
    remarks: tuple[str, ...]

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which a file is none of this format."""
        first, second = self.sides
        return (self.day, first[0], second[0], self.types[0], self.places[-1])

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that are read where they are there."""
        return (
            self.identity, self.version, self.day, *self.sides[0], *self.sides[1], *self.types, *self.places,
            self.precision,
        )  # fmt: skip


ACLED: Final = Format(
    name="ACLED",
    identity="event_id_cnty",
    version="timestamp",
    day="event_date",
    sides=(("actor1", "assoc_actor_1"), ("actor2", "assoc_actor_2")),
    types=("event_type", "sub_event_type"),
    attacker_first=frozenset(("explosions/remote violence", "violence against civilians")),
    order="in explosions, remote violence and violence against civilians the attacker stands on the first side",
    fixed=False,
    places=("admin2", "admin1", "country"),
    precision="time_precision",
    remarks=(),
)
GED: Final = Format(
    name="UCDP GED",
    identity="id",
    version="",
    day="date_start",
    sides=(("side_a",), ("side_b",)),
    types=("type_of_violence",),
    attacker_first=frozenset(("3",)),
    order="in one-sided violence the attacker stands on the first side",
    fixed=True,
    places=("adm_2", "adm_1", "country"),
    precision="date_prec",
    remarks=("UCDP lists events that killed somebody; attacks without deaths are not in the file",),
)
FORMATS: Final = (ACLED, GED)

GED_COLUMNS: Final = (
    "id relid year active_year code_status type_of_violence conflict_dset_id conflict_new_id conflict_name"
    " dyad_dset_id dyad_new_id dyad_name side_a_dset_id side_a_new_id side_a side_b_dset_id side_b_new_id side_b"
    " number_of_sources source_article source_office source_date source_headline source_original where_prec"
    " where_coordinates where_description adm_1 adm_2 latitude longitude geom_wkt priogrid_gid country country_id"
    " region event_clarity date_prec date_start date_end deaths_a deaths_b deaths_civilians deaths_unknown best high"
    " low gwnoa gwnob"
).split()
"""The 49 columns of GED in their order: releases of candidate events have come without a header."""


def recognised(header: Sequence[str]) -> Format | None:
    """The format with this header (lower case); None where it is none of them."""
    return next((one for one in FORMATS if set(one.needed) <= set(header)), None)


def bare_ged(row: Sequence[str]) -> bool:
    """Whether a first row is one of GED's events and no header: as many columns, and numbers and dates in their places.

    >>> bare_ged(["id"] * 49)
    False
    """
    if len(row) != len(GED_COLUMNS):
        return False
    cell = dict(zip(GED_COLUMNS, row, strict=True))
    numbers = ("id", "year", "type_of_violence", "date_prec", "best")
    return all(whole(cell[name]).isdigit() for name in numbers) and cell["date_start"][:4].isdigit()


def whole(text: str) -> str:
    """A code as databases mean it: spreadsheets and data frames write a whole number with a point and noughts.

    >>> whole(" 1.0"), whole("2"), whole("1.5"), whole("IRQ10")
    ('1', '2', '1.5', 'IRQ10')
    """
    return re.sub(r"(?<=\d)\.0*$", "", text.strip())


def refuse_twice(path: Path, columns: Sequence[str]) -> None:
    """Refuse a file in which a column that is read stands twice.

    Raises:
        UserError: it does.
    """
    twice = next((one for one in columns if columns.count(one) > 1), None)
    if twice is not None:
        raise UserError("data", path.name, f"each column once; {twice} stands {columns.count(twice)} times")
