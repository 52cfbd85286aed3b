"""The table of users' files, formats by faults: each is read right, or refused in one line that says what to do.

What is right is counted by pandas from the rows before they become a file.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.analysis.forecast import table_files
from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.event_files import read_events
from sim.analysis.forecast.event_formats import GED_COLUMNS
from sim.model.validation import UserError
from tests.analysis.events.files import ACLED_31, Row, acled, calendar, filters, ged, saved, text

FIRST = date(2023, 10, 28)
PLACES = {"Iraq": "iraq", "Syria": "syria", "Jordan": "jordan", "Elsewhere": ""}
TYPES = ("Shelling/artillery/missile attack", "Air/drone strike", "Peaceful protest")
GROUPS = ("Islamic Resistance in Iraq", "Kataib Hezbollah", "Someone else")


@cache
def events() -> pd.DataFrame:
    """Invented events of six weeks: date, country, type and group; some of each are none that count."""
    chance = np.random.default_rng(7)
    rows = 90
    return pd.DataFrame({
        "date": [FIRST + timedelta(int(day)) for day in np.sort(chance.integers(0, 42, rows))],
        "country": chance.choice(list(PLACES), rows, p=(0.4, 0.3, 0.1, 0.2)),
        "type": chance.choice(TYPES, rows, p=(0.5, 0.3, 0.2)),
        "group": chance.choice(GROUPS, rows, p=(0.5, 0.3, 0.2)),
    })  # fmt: skip


def right(counted: bool = True, typed: bool = True) -> pd.DataFrame:
    """Attacks by date and theatre as pandas counts them; `counted` groups and types only where the format has them."""
    found = events()
    if counted:
        found = found[found["group"] != GROUPS[2]]
    if typed:
        found = found[found["type"] != TYPES[2]]
    found = found[found["country"] != "Elsewhere"]
    return found.assign(theatre=found["country"].map(PLACES)).groupby(["date", "theatre"]).size().unstack(fill_value=0)


def acled_rows(written: Callable[[date], object] = str, **more: object) -> list[dict[str, object]]:
    found = events().itertuples()
    return [
        acled(one.Index, str(written(one.date)), country=one.country, sub_event_type=one.type, actor1=one.group, **more)
        for one in found
    ]


def ged_rows(written: Callable[[date], object] = str) -> list[dict[str, object]]:
    rows = [ged(one.Index, country=one.country, side_b=one.group) for one in events().itertuples()]
    return [
        {**row, "date_start": written(when), "date_end": written(when)}
        for row, when in zip(rows, events()["date"], strict=True)
    ]


def gtd_rows() -> list[dict[str, object]]:
    return [
        {
            "eventid": one.Index, "iyear": one.date.year, "imonth": one.date.month, "iday": one.date.day,
            "country_txt": one.country, "attacktype1_txt": one.type, "gname": one.group, "natlty1_txt": "United States",
        }
        for one in events().itertuples()
    ]  # fmt: skip


def mapped_rows() -> list[dict[str, object]]:
    return [
        {"When": f"{one.date:%d.%m.%y}", "Who": one.group, "Whom": "United States of America", "What": one.type,
         "Land": one.country}
        for one in events().itertuples()
    ]  # fmt: skip


def weekly(start: str, end: str = "") -> pd.DataFrame:
    """Events by week, country and type, as aggregates have them; weeks begin on Saturdays."""
    found = events()
    weeks = [when - timedelta((when.weekday() + 2) % 7) for when in found["date"]]
    table = found.assign(**{start: weeks}).groupby([start, "country", "type"]).size().rename("events").reset_index()
    if end:
        table[end] = [one + timedelta(6) for one in table[start]]
    table = table.rename(columns={"type": "event_type"}).assign(sub_event_type=table["type"])
    return table.reindex(columns=[*table, *(one for one in WEEK_COLUMNS if one not in table)])


def frame_text(frame: pd.DataFrame, sign: str = ",") -> str:
    return frame.to_csv(index=False, sep=sign, lineterminator="\n")


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def cells(columns: Sequence[str], rows: Sequence[Row]) -> list[list[Any]]:
    return [list(columns), *([row.get(one) for one in columns] for row in rows)]


def packed(name: str, content: bytes | str, *others: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for one in (name, *others):
            archive.writestr(one, content)
    return file.getvalue()


def locked(archive: bytes) -> bytes:
    """The same zip file, marked as encrypted."""
    marked, central = bytearray(archive), archive.find(b"PK\x01\x02")
    marked[6] |= 1
    marked[central + 8] |= 1
    return bytes(marked)


def parquet(rows: Sequence[Row]) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(rows).to_parquet(file)
    return file.getvalue()


def sheet_of(frame: pd.DataFrame) -> list[list[Any]]:
    return [list(frame), *frame.to_numpy().tolist()]


def daily(columns: Sequence[str] = ("iraq", "syria", "jordan")) -> pd.DataFrame:
    """Counts of each day, quiet ones too."""
    days = [FIRST + timedelta(day) for day in range(42)]
    table = right().reindex(days, fill_value=0)[list(columns)].rename_axis("date")
    return table.assign(attacks=right().reindex(days, fill_value=0).sum(axis=1)).reset_index()


def by_week() -> pd.DataFrame:
    """Counts of each week, by its first day."""
    table = daily().set_index("date")
    return table.groupby(np.arange(42) // 7).sum().assign(week_start=[FIRST + timedelta(7 * n) for n in range(6)])


def so_far() -> pd.DataFrame:
    """Counts so far."""
    table = daily().rename(columns={"date": "as_of_date", "attacks": "total"}).set_index("as_of_date")
    return table.cumsum().iloc[::3].reset_index()


ANYBODY: dict[str, object] = {"attackers": [], "attacked": []}
MAPPED: dict[str, object] = {
    "columns": {"date": "When", "attacker": "Who", "attacked": "Whom", "type": "What", "place": "Land"}
}
TAGS = ",".join(f"#tag+{name}" for name in ACLED_31)
HEAD = ",".join(ACLED_31)


def plain_acled() -> str:
    return text(ACLED_31, acled_rows())


def tagged(content: str, columns: Sequence[str]) -> str:
    head, _, rest = content.partition("\n")
    return f"{head}\n{','.join(f'#{one}' for one in columns)}\n{rest}"


def serial(when: date) -> int:
    return (when - date(1899, 12, 30)).days


def acled_sheet() -> list[list[Any]]:
    return cells(ACLED_31, acled_rows())


HAPI_COLUMNS = (
    "location_code has_hrp in_gho provider_admin1_name provider_admin2_name admin1_code admin1_name admin2_code"
    " admin2_name admin_level event_type events fatalities reference_period_start reference_period_end dataset_hdx_id"
    " resource_hdx_id warning error"
).split()
WEEK_COLUMNS = [
    "week", "region", "country", "admin1", "event_type", "sub_event_type", "events", "fatalities",
    "population_exposure", "disorder_type", "id", "centroid_latitude", "centroid_longitude",
]  # fmt: skip
HAPI_PLACES = {"places": {"iraq": ["IRQ"], "syria": ["SYR"], "jordan": ["JOR"]}}


def hapi() -> str:
    """Each event as political violence, and half of them as violence against civilians too, as HDX has them."""
    codes = {"Iraq": "IRQ", "Syria": "SYR", "Jordan": "JOR", "Elsewhere": "XYZ"}
    table = weekly("reference_period_start", "reference_period_end")
    table = table[table["event_type"] != TYPES[2]]
    table = table.assign(location_code=table["country"].map(codes), event_type="political_violence")
    again = table.iloc[::2].assign(event_type="civilian_targeting")
    return tagged(frame_text(pd.concat([table, again]).reindex(columns=HAPI_COLUMNS)), HAPI_COLUMNS)


READ: dict[str, tuple[str, Callable[[], str | bytes], dict[str, object], str]] = {
    # name: (file, content, filters, how it is counted)
    "ACLED": ("a.csv", plain_acled, {}, "days"),
    "ACLED, byte order mark": ("a.csv", lambda: "\ufeff" + plain_acled(), {}, "days"),
    "ACLED, UTF-16": ("a.csv", lambda: plain_acled().encode("utf-16"), {}, "days"),
    "ACLED, UTF-16 without its mark": ("a.csv", lambda: plain_acled().encode("utf-16-le"), {}, "days"),
    "ACLED, cp1252": (
        "a.csv", lambda: text(ACLED_31, acled_rows(notes="Café à la «façade» – déjà")).encode("cp1252"), {}, "days",
    ),
    "ACLED, semicolons": ("a.csv", lambda: frame_text(pd.DataFrame(acled_rows()), ";"), {}, "days"),
    "ACLED, tabs": ("a.tsv", lambda: frame_text(pd.DataFrame(acled_rows()), "\t"), {}, "days"),
    "ACLED, bars": ("a.txt", lambda: frame_text(pd.DataFrame(acled_rows()), "|"), {}, "days"),
    "ACLED, tabs in UTF-16": (
        "a.txt", lambda: frame_text(pd.DataFrame(acled_rows()), "\t").encode("utf-16"), {}, "days",
    ),
    "ACLED, line ends of Windows": ("a.csv", lambda: plain_acled().replace("\n", "\r\n"), {}, "days"),
    "ACLED, column names as words": (
        "a.csv", lambda: plain_acled().replace(HEAD, HEAD.replace("_", " ").title()), {}, "days",
    ),
    "ACLED, blank lines": ("a.csv", lambda: "\n\n" + plain_acled() + "\n\n", {}, "days"),
    "ACLED, empty cells behind the rows": (
        "a.csv", lambda: text([*ACLED_31, "", " "], acled_rows()), {}, "days",
    ),
    "ACLED, a title above the header": ("a.csv", lambda: "Invented events\nas of today\n" + plain_acled(), {}, "days"),
    "ACLED of HDX, with tags": ("a.csv", lambda: tagged(plain_acled(), ACLED_31), {}, "days"),
    "ACLED, gzip": ("a.csv.gz", lambda: gzip.compress(plain_acled().encode()), {}, "days"),
    "ACLED, zip": ("a.zip", lambda: packed("a.csv", plain_acled(), "README.md"), {}, "days"),
    "ACLED, Excel": ("a.xlsx", lambda: workbook(("Sheet1", acled_sheet())), {}, "days"),
    "ACLED, Excel with a sheet about the licence": (
        "a.xlsx",
        lambda: workbook(
            ("Licence", [["Terms"], ["of", "use", "of", "data"]]), ("Data", [["Events"], [], *acled_sheet()])
        ), {}, "days",
    ),
    "ACLED, Excel with dates as dates": (
        "a.xlsx", lambda: workbook(("x", cells(ACLED_31, [
            {**row, "event_date": when} for row, when in zip(acled_rows(), events()["date"], strict=True)
        ]))), {}, "days",
    ),
    "ACLED, Excel in zip": ("a.zip", lambda: packed("a.xlsx", workbook(("x", acled_sheet()))), {}, "days"),
    "ACLED, Parquet": ("a.parquet", lambda: parquet(acled_rows()), {}, "days"),
    "ACLED, answer of the API": (
        "a.json", lambda: json.dumps({"success": True, "count": 90, "data": acled_rows()}), {}, "days",
    ),
    "ACLED, UTF-32": ("a.csv", lambda: plain_acled().encode("utf-32"), {}, "days"),
    "ACLED, letters lost before": ("a.csv", lambda: text(ACLED_31, acled_rows(notes="Nujab\ufffd")), {}, "days"),
    "ACLED, cells of Windows line ends and marks": (
        "a.csv", lambda: text(ACLED_31, acled_rows(notes='one "two"\r\nthree; four | five\tsix')), {}, "days",
    ),
    "ACLED, bzip2": ("a.csv.bz2", lambda: bz2.compress(plain_acled().encode()), {}, "days"),
    "ACLED, xz": ("a.csv.xz", lambda: lzma.compress(plain_acled().encode()), {}, "days"),
    "ACLED, zip with a text to read": ("a.zip", lambda: packed("a.csv", plain_acled(), "ReadMe.txt"), {}, "days"),
    "ACLED, from R": (
        "a.csv", lambda: pd.DataFrame(acled_rows(timestamp=None)).to_csv(na_rep="NA", quoting=csv.QUOTE_NONNUMERIC), {},
        "days",
    ),
    "ACLED, fatalities with a comma": ("a.csv", lambda: text(ACLED_31, acled_rows(fatalities="1,234")), {}, "days"),
    "ACLED, 2023-11-1": (
        "a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one.year}-{one.month}-{one.day}")), {}, "days",
    ),
    "ACLED, a record in each line": ("a.json", lambda: pd.DataFrame(acled_rows()).to_json(orient="records", lines=True),
        {}, "days"),
    "ACLED, Parquet with dates and numbers": (
        "a.parquet", lambda: parquet(pd.DataFrame(acled_rows()).assign(
            event_date=pd.to_datetime(events()["date"]), time_precision=1.0).to_dict("records")), {}, "days",
    ),
    "ACLED, columns of before 2023": (
        "a.csv", lambda: frame_text(pd.DataFrame(acled_rows()).assign(data_id=1, event_id_no_cnty=2, iso3="IRQ")), {},
        "days",
    ),
    "UCDP, answer of the API": (
        "g.json", lambda: json.dumps({"TotalCount": 90, "TotalPages": 1, "NextPageUrl": "", "Result": ged_rows(str)}),
        {}, "untyped days",
    ),
    "ACLED, JSON records": ("a.json", lambda: json.dumps(acled_rows()), {}, "days"),
    "ACLED, 1 February 2024": (
        "a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one.day} {one:%B %Y}")), {}, "days",
    ),
    "ACLED, 01-Feb-24": ("a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one:%d-%b-%y}")), {}, "days"),
    "ACLED, d/m/y": ("a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one:%d/%m/%Y}")), {}, "days"),
    "ACLED, m/d/y": ("a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one:%m/%d/%Y}")), {}, "days"),
    "ACLED, d.m.y with two digits": (
        "a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one:%d.%m.%y}")), {}, "days",
    ),
    "ACLED, the order of dates given": (
        "a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one:%m/%d/%Y}")), {"date_format": "m/d/y"}, "days",
    ),
    "ACLED, serial numbers of Excel": ("a.csv", lambda: text(ACLED_31, acled_rows(serial)), {}, "days"),
    "ACLED, dates without signs": (
        "a.csv", lambda: text(ACLED_31, acled_rows(lambda one: f"{one:%Y%m%d}")), {}, "days",
    ),
    "GED": ("g.csv", lambda: text(GED_COLUMNS, ged_rows()), {}, "untyped days"),
    "GED without a header": ("g.csv", lambda: text(GED_COLUMNS, ged_rows(), header=False), {}, "untyped days"),
    "GED of HDX, with tags": ("g.csv", lambda: tagged(text(GED_COLUMNS, ged_rows()), GED_COLUMNS), {}, "untyped days"),
    "GED, Parquet": ("g.parquet", lambda: parquet(ged_rows()), {}, "untyped days"),
    "GED, semicolons and d/m/y": (
        "g.csv", lambda: frame_text(pd.DataFrame(ged_rows(lambda one: f"{one:%d/%m/%Y}")), ";"), {}, "untyped days",
    ),
    "GED candidate, zip": (
        "GEDEvent_v24_0_3.zip", lambda: packed("g.csv", text(GED_COLUMNS, ged_rows())), {}, "untyped days",
    ),
    "GTD": ("t.csv", lambda: frame_text(pd.DataFrame(gtd_rows())), {}, "days"),
    "GTD, Excel": ("t.xlsx", lambda: workbook(("x", cells(list(gtd_rows()[0]), gtd_rows()))), {}, "days"),
    "a table by mapping": ("m.csv", lambda: frame_text(pd.DataFrame(mapped_rows())), MAPPED, "days"),
    "a table by mapping, cp1252 and semicolons": (
        "m.csv", lambda: frame_text(pd.DataFrame(mapped_rows()).assign(Ort="Übung"), ";").encode("cp1252"), MAPPED,
        "days",
    ),
    "ACLED weekly aggregates": ("w.csv", lambda: frame_text(weekly("week")[WEEK_COLUMNS]), ANYBODY, "weeks of anybody"),
    "ACLED weekly aggregates, Excel in capitals": (
        "w.xlsx", lambda: workbook(("x", sheet_of(weekly("week")[WEEK_COLUMNS].rename(columns=str.upper)))),
        ANYBODY, "weeks of anybody",
    ),
    "events of HDX HAPI, with tags": (
        "h.csv", hapi, {**ANYBODY, **HAPI_PLACES, "types": ["political_violence"]}, "weeks of anybody",
    ),
    "daily counts": ("d.csv", lambda: frame_text(daily()), {}, "days"),
    "daily counts, without quiet days": ("d.csv", lambda: frame_text(daily()[daily()["attacks"] > 0]), {}, "days"),
    "daily counts, d/m/y and semicolons": (
        "d.csv", lambda: frame_text(daily().assign(date=[f"{one:%d/%m/%Y}" for one in daily()["date"]]), ";"), {},
        "days",
    ),
    "daily counts, Excel": ("d.xlsx", lambda: workbook(("x", sheet_of(daily()))), {}, "days"),
    "daily counts by theatre alone": ("d.csv", lambda: frame_text(daily().drop(columns="attacks")), {}, "days"),
    "daily counts by place": (
        "d.csv",
        lambda: frame_text(daily().melt("date", ["iraq", "syria", "jordan"], "country", "n")),
        {**ANYBODY, "columns": {"date": "date", "place": "country", "count": "n"}}, "days",
    ),
    "weekly counts": ("w.csv", lambda: frame_text(by_week()), {}, "weeks"),
    "weekly counts by their last day, tabs": (
        "w.tsv",
        lambda: frame_text(by_week().assign(week_start=by_week()["week_start"] + timedelta(6)), "\t").replace(
            "week_start", "week_end"
        ), {}, "weeks",
    ),
    "counts so far": ("c.csv", lambda: frame_text(so_far()), {}, "so far"),
    "counts so far, Excel": ("c.xlsx", lambda: workbook(("x", sheet_of(so_far()))), {}, "so far"),
    "counts so far, UTF-16 with tabs": ("c.txt", lambda: frame_text(so_far(), "\t").encode("utf-16"), {}, "so far"),
}  # fmt: skip


def ended(counts: Counts) -> pd.DataFrame:
    """Counts of a file by the last day of each of its stretches, and theatre."""
    dates = [calendar().date_of(int(day)) for day in counts.ends[1:]]
    return pd.DataFrame(np.diff(counts.split, axis=0), index=dates, columns=list(counts.theatres))


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_as_pandas_counts_its_rows(name: str, tmp_path: Path) -> None:
    file, content, changes, how = READ[name]
    counts = read_events(saved(tmp_path, content(), file), filters(**changes), calendar())
    found = ended(counts)
    anybody, typed = "anybody" in how, "untyped" not in how
    expected = right(counted=not anybody, typed=typed).reindex(columns=list(counts.theatres), fill_value=0)
    assert expected.to_numpy().sum() > 30
    if "days" in how:
        assert counts.daily
        expected = expected.reindex(found.index, fill_value=0)
    else:
        ends = np.array(found.index)
        expected = expected.groupby([ends[np.searchsorted(ends, min(one, ends[-1]))] for one in expected.index]).sum()
        expected = expected.reindex(found.index, fill_value=0)
    if how == "so far":
        np.testing.assert_array_equal(counts.split[1:], so_far()[list(counts.theatres)].to_numpy())
    else:
        np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
        assert found.to_numpy().sum() == right(counted=not anybody, typed=typed).to_numpy().sum()


def test_months_that_the_calendar_holds_whole_are_read(tmp_path: Path) -> None:
    """October begins before the calendar does, so only November and December count."""
    found = right(counted=False, typed=False)
    by_month = found.groupby(pd.PeriodIndex(found.index, freq="M")).sum()
    expected = by_month[["iraq", "syria", "jordan"]][1:]
    rows = [
        [place, month.strftime("%B"), month.year, int(number), 0]
        for place, theatre in PLACES.items() if theatre
        for month, number in by_month[theatre].items()
    ]  # fmt: skip
    heads = ["Country", "Month", "Year", "Events", "Fatalities"]
    book = workbook(("Licence", [["x"]]), ("Data", [heads, [f"#{one}" for one in heads], *rows]))
    counts = read_events(saved(tmp_path, book, "h.xlsx"), filters(**ANYBODY), calendar())
    np.testing.assert_array_equal(ended(counts).to_numpy(), expected.to_numpy())
    assert [str(one) for one in ended(counts).index] == ["2023-11-30", "2023-12-31"]
    assert counts.report.dropped == {"outside the calendar, or the days that the file is said to cover": 3}
    own = expected.rename_axis("month").reset_index()
    found_own = read_events(saved(tmp_path, frame_text(own)), filters(), calendar())
    np.testing.assert_array_equal(found_own.split, counts.split)


def test_the_table_is_large_enough_and_a_changed_file_gives_other_counts(tmp_path: Path) -> None:
    assert len(READ) + len(REFUSED) >= 40
    less = text(ACLED_31, acled_rows()[:-9])
    found = read_events(saved(tmp_path, less), filters(), calendar())
    assert found.total[-1] != right().to_numpy().sum()


def test_what_is_unusual_about_a_file_is_said(tmp_path: Path) -> None:
    said = {}
    for name in ("ACLED", "ACLED, cp1252", "ACLED, d/m/y", "ACLED of HDX, with tags", "ACLED, zip", "ACLED, UTF-16"):
        file, content, changes, _ = READ[name]
        counts = read_events(saved(tmp_path, content(), file), filters(**changes), calendar())
        said[name] = " ".join(counts.report.remarks)
    assert "cp1252" in said["ACLED, cp1252"]
    assert "the day first: '28/10/2023' shows it" in said["ACLED, d/m/y"]
    assert "HXL tags" in said["ACLED of HDX, with tags"]
    assert "read from CSV in zip (a.csv)" in said["ACLED, zip"]
    assert "UTF-16" in said["ACLED, UTF-16"]
    assert not any(one in said["ACLED"] for one in ("cp1252", "HXL", "read from", "dates are"))


# --- refused ------------------------------------------------------------------------------------------------


def dated(*dates: str) -> str:
    return text(ACLED_31, [acled(n, one) for n, one in enumerate(dates)])


def rising(name: str, step: int = 1) -> str:
    return f"{name},attacks\n" + "".join(f"{FIRST + timedelta(step * n)},{n}\n" for n in range(20))


REFUSED: dict[str, tuple[str, Callable[[], str | bytes], dict[str, object], str]] = {
    "Git LFS pointer": (
        "a.csv", lambda: "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234567\n", {},
        "Git LFS pointer to 1.23 MB: run `git lfs pull`",
    ),
    "a web page": ("a.csv", lambda: "<!DOCTYPE html>\n<html>log in</html>", {}, "web page or XML: log in"),
    "nothing": ("a.csv", lambda: "", {}, "this one is empty"),
    "blank lines alone": ("a.csv", lambda: "\n\n,,\n", {}, "this one is empty"),
    "a header alone": ("a.csv", lambda: HEAD + "\n", {}, "of 0 rows none is left (it has no rows)"),
    "an old Excel file": ("a.xls", lambda: b"\xd0\xcf\x11\xe0" + bytes(99), {}, "save it as .xlsx or CSV"),
    "OpenDocument": ("a.ods", lambda: packed("mimetype", "x"), {}, "OpenDocument file: save it as .xlsx or CSV"),
    "a Word file": ("a.docx", lambda: packed("[Content_Types].xml", "x"), {}, "save the table as CSV"),
    "two tables in a zip": (
        "a.zip", lambda: packed("a.csv", plain_acled(), "b.csv"), {}, "(a.csv, b.csv): unpack the one",
    ),
    "a zip with a password": ("a.zip", lambda: locked(packed("a.csv", plain_acled())), {}, "unpack it first"),
    "gzip cut off": ("a.gz", lambda: gzip.compress(plain_acled().encode())[:-200], {}, "get it anew"),
    "zip cut off": ("a.zip", lambda: packed("a.csv", plain_acled())[:-200], {}, "get it anew"),
    "Excel cut off": ("a.xlsx", lambda: workbook(("x", acled_sheet()))[:-2000], {}, "get it anew"),
    "Parquet cut off": ("a.parquet", lambda: parquet(acled_rows())[:-300], {}, "get it anew"),
    "JSON cut off": ("a.json", lambda: json.dumps(acled_rows())[:-300], {}, "get it anew"),
    "an error of the API": (
        "a.json", lambda: json.dumps({"success": False, "error": "no access"}), {}, "this one is an error (no access)",
    ),
    "JSON without records": ("a.json", lambda: '{"type": "FeatureCollection"}', {}, "save the table as CSV"),
    "bytes that are no text": ("a.csv", lambda: b"a,b\n\x00\x01", {}, "bytes that are no text"),
    "UTF-8 broken in one line": (
        "a.csv", lambda: text(ACLED_31, acled_rows(notes="Nujabāʼ Ḥizb ā")).encode().replace(b"INV3,", b"INV3\xe9,"),
        {}, "line 5 is in another encoding: save it as UTF-8",
    ),
    "neither UTF-8 nor cp1252": (
        "a.csv", lambda: text(ACLED_31, acled_rows(notes="x")).encode().replace(b"INV3,", b"INV3\x81\xe9,"), {},
        "save it as UTF-8",
    ),
    "a quotation mark not closed": (
        "a.csv", lambda: plain_acled() + 'INV999,"' + "2023-11-01,x\n" * 12_000, {}, "is a quotation mark not closed?",
    ),
    "a quotation mark not closed at the end": (
        "a.csv", lambda: plain_acled() + 'INV999,"2023-11-01\n\n', {}, "row 91 has 2: is a quotation mark not closed?",
    ),
    "an error of the API, in words": (
        "a.json", lambda: json.dumps({"success": False, "error": {"status": 403, "message": "denied"}}), {},
        "this one is an error (denied)",
    ),
    "a row cut off": ("a.csv", lambda: plain_acled() + "INV999,2023-11-01\n", {}, "row 91 has 2: get the file anew"),
    "a missing column": (
        "a.csv", lambda: text([one for one in ACLED_31 if one != "event_type"], acled_rows()), {},
        "ACLED with the column event_type",
    ),
    "a column of another name": (
        "a.csv", lambda: plain_acled().replace("actor1", "actor_1", 1), {}, "the column actor1 (is it actor_1?)",
    ),
    "a column twice": (
        "a.csv", lambda: plain_acled().replace("admin3", "admin2", 1), {}, "each column once; admin2 stands 2 times",
    ),
    "no known columns": ("a.csv", lambda: "a,b\n1,2\n", {}, "name them in filters.columns"),
    "a mapping to no column": (
        "a.csv", lambda: frame_text(pd.DataFrame(mapped_rows())), {"columns": {"date": "Wann", "attacker": "Who"}},
        "filters.columns.date = Wann: allowed columns of the file",
    ),
    "a mapping without the attacked": (
        "a.csv", lambda: frame_text(pd.DataFrame(mapped_rows())),
        {"columns": {"date": "When", "attacker": "Who", "place": "Land"}}, "attacker and attacked of events",
    ),
    "both orders of dates": (
        "a.csv", lambda: dated("13/02/2024", "02/13/2024"), {}, "row 1 says '13/02/2024', the day first, and row 2",
    ),
    "no order of dates": (
        "a.csv", lambda: dated("02/01/2024", "03/01/2024"), {},
        "set filters.date_format=d/m/y or filters.date_format=m/d/y",
    ),
    "dates swapped by a spreadsheet": (
        "a.csv", lambda: dated("2024-02-01", "13/02/2024"), {}, "a spreadsheet may have swapped days and months",
    ),
    "another order than the one given": (
        "a.csv", lambda: dated("13/02/2024"), {"date_format": "m/d/y"}, "filters.date_format=m/d/y reads them; row 1",
    ),
    "an impossible date": ("a.csv", lambda: dated("2024-02-01", "2024-02-31"), {}, "row 2 says '2024-02-31'"),
    "dates of another time": (
        "a.csv", lambda: dated("2011-02-01", "2011-03-01"), {},
        "all dates lie outside the calendar: the file has 2011-02-01 to 2011-03-01, the calendar 2023-10-17 to",
    ),
    "the reason with the most rows": (
        "a.csv", lambda: text(ACLED_31, [
            acled(0, sub_event_type="x"), *(acled(n, country="Far") for n in (1, 2, 3)), acled(4, actor1="y"),
        ]), {}, "none is left (another place: 3, ",
    ),
    "aggregates and filters of actors": (
        "w.csv", lambda: frame_text(weekly("week")[WEEK_COLUMNS]), {},
        "filters.attackers=[] and filters.attacked=[] count",
    ),
    "aggregates with half a count": (
        "w.csv", lambda: frame_text(weekly("week")[WEEK_COLUMNS].assign(events=1.5)), ANYBODY,
        "column events says '1.5'",
    ),
    "weeks that overlap": (
        "w.csv", lambda: "week_start,attacks\n2023-11-04,3\n2023-11-08,4\n", {},
        "2023-11-08 lies within the one before",
    ),
    "daily counts, a date twice": (
        "d.csv", lambda: "date,attacks\n2023-11-04,3\n2023-11-04,4\n", {}, "each date once; 2023-11-04 stands 2 times",
    ),
    "daily counts, a blank": ("d.csv", lambda: "date,attacks\n2023-11-04,3\n2023-11-05,\n", {}, "0 for none; row 2"),
    "daily counts that never fall": (
        "d.csv", lambda: rising("date"), {}, "call the column date as_of_date if they are",
    ),
    "one row a week": (
        "d.csv", lambda: rising("date", 7).replace(",19", ",3"), {}, "call it week_start or week_end",
    ),
    "types of HDX that overlap": (
        "h.csv", hapi, {**ANYBODY, **HAPI_PLACES, "types": []}, "overlap: filters.types=[political_violence]",
    ),
    "a workbook with two sheets of data": (
        "a.xlsx", lambda: workbook(("HRP_1", acled_sheet()), ("HRP_2", acled_sheet())), {},
        "this one has 2 (Excel (sheet HRP_1), Excel (sheet HRP_2)): save the one you want as CSV",
    ),
    "one page of several": (
        "a.json", lambda: json.dumps({"success": True, "total_count": 900, "data": acled_rows()}), {},
        "this page has 90 of 900: put all pages into a list",
    ),
    "a negative count": ("d.csv", lambda: "date,attacks\n2023-11-04,-3\n", {}, "row 1, column attacks says '-3'"),
    "counts so far that fall": ("c.csv", lambda: "as_of_date,total\n2023-11-01,9\n2023-11-08,7\n", {}, "falls from 9"),
    "a date without a day": ("d.csv", lambda: "date,attacks\n,3\n", {}, "row 1 says ''"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_in_one_line_that_says_what_to_do(name: str, tmp_path: Path) -> None:
    file, content, changes, said = REFUSED[name]
    with pytest.raises(UserError) as refused:
        read_events(saved(tmp_path, content(), file), filters(**changes), calendar())
    line = str(refused.value)
    assert line.startswith((f"data = {file}: allowed ", "filters.columns"))
    assert said in line
    assert len(line.splitlines()) == 1
    assert "Traceback" not in line


def test_without_openpyxl_the_line_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, workbook(("x", acled_sheet())), "a.xlsx")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(UserError, match=r'the extra "excel": pip install "lull-sim\[excel\]"'):
        read_events(path, filters(), calendar())


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, gzip.compress(plain_acled().encode()), "a.csv.gz")
    monkeypatch.setattr(table_files, "LARGEST", path.stat().st_size + 1000)
    with pytest.raises(UserError, match="files of at most"):
        read_events(path, filters(), calendar())
