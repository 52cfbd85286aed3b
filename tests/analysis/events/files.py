"""Invented files in the formats that are read; not one row is anybody's data."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from sim.analysis.forecast.event_filters import Filters, filters_of
from sim.analysis.forecast.event_formats import GED_COLUMNS
from sim.model.scenario import Config, load
from sim.model.timeline import Calendar

ACLED_31 = (
    "event_id_cnty event_date year time_precision disorder_type event_type sub_event_type actor1 assoc_actor_1 inter1"
    " actor2 assoc_actor_2 inter2 interaction civilian_targeting iso region country admin1 admin2 admin3 location"
    " latitude longitude geo_precision source source_scale notes fatalities tags timestamp"
).split()
ACLED_35 = (*ACLED_31, "population_1km", "population_2km", "population_5km", "population_best")
OLD_GED = tuple(one for one in GED_COLUMNS if one not in ("code_status", "gwnob", "gwnoa", "source_original",
    "conflict_dset_id", "dyad_dset_id", "side_a_dset_id", "side_b_dset_id"))  # fmt: skip

Row = Mapping[str, object]


def acled(number: int, when: str = "2023-11-01", **cells: object) -> dict[str, object]:
    """An invented attack in the columns of ACLED."""
    return {
        "event_id_cnty": f"INV{number}", "event_date": when, "time_precision": 1,
        "event_type": "Explosions/Remote violence", "sub_event_type": "Shelling/artillery/missile attack",
        "actor1": "Islamic Resistance in Iraq", "actor2": "Military Forces of the United States (2021-)",
        "country": "Iraq", "notes": 'Invented: "rockets", of course,\nfell nowhere', **cells,
    }  # fmt: skip


def ged(number: int, when: str = "2023-11-01", **cells: object) -> dict[str, object]:
    """An invented event in the columns of GED."""
    return {
        **dict.fromkeys(GED_COLUMNS, ""), "id": number, "year": 2023, "type_of_violence": 1, "date_prec": 1,
        "side_a": "Government of United States of America", "side_b": "Kataib Hezbollah", "country": "Iraq",
        "date_start": f"{when} 00:00:00.000", "date_end": f"{when} 00:00:00.000", "best": 1, **cells,
    }  # fmt: skip


def text(columns: Sequence[str], rows: Sequence[Row], header: bool = True) -> str:
    """Rows as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def saved(folder: Path, content: str | bytes, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@cache
def shipped() -> Config:
    """The shipped configuration."""
    return load()


def filters(**changes: object) -> Filters:
    """The shipped filters with some keys changed."""
    config = shipped()
    return filters_of({"filters": {**config.tree["filters"], **changes}}, config.scenario.cast)


def calendar() -> Calendar:
    return shipped().scenario.calendar
