"""Users' files: each format gives the counts that were put in, and each mistake one clear line."""

import os
from pathlib import Path

import numpy as np
import pytest

from sim.study.events.formats import GED_COLUMNS
from sim.study.events.reading import LARGEST, read_events
from sim.world.errors import UserError
from tests.study.events.files import ACLED_31, ACLED_35, OLD_GED, acled, calendar, filters, ged, saved, text

EVENTS = [
    ("2023-10-20", "Iraq"), ("2023-10-20", "Syria"), ("2023-10-23", "Iraq"), ("2023-10-23", "Iraq"),
    ("2023-10-25", "Jordan"),
]  # fmt: skip
DAYS = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 0], [2, 0, 0], [0, 0, 0], [0, 0, 1]])


def worded(when: str) -> str:
    return f"{int(when[8:])} October 2023"


def contents() -> dict[str, tuple[str, str]]:
    """The same five attacks in every format: the format's name and the file."""
    iso = [acled(n, when, country=place) for n, (when, place) in enumerate(EVENTS)]
    words = [acled(n, worded(when), country=place) for n, (when, place) in enumerate(EVENTS)]
    deadly = [ged(n, when, country=place) for n, (when, place) in enumerate(EVENTS)]
    shouting = text(ACLED_31, words)
    head = ",".join(ACLED_31)
    return {
        "ACLED, 31 columns": ("ACLED", text(ACLED_31, iso)),
        "ACLED, 35 columns": ("ACLED", text(ACLED_35, words)),
        "ACLED, capitals": ("ACLED", shouting.replace(head, head.upper())),
        "ACLED, byte order mark": ("ACLED", "\ufeff" + text(ACLED_31, iso)),
        "GED, 49 columns": ("UCDP GED", text(GED_COLUMNS, deadly)),
        "GED, 41 columns": ("UCDP GED", text(OLD_GED, deadly)),
        "GED, 42 columns, other order": ("UCDP GED", text([*reversed(OLD_GED), "extra"], deadly)),
        "ACLED, line ends of Windows": ("ACLED", text(ACLED_31, iso).replace("\n", "\r\n")),
        "GED without a header, byte order mark": (
            "UCDP GED",
            "\ufeff" + text(GED_COLUMNS, deadly, header=False),
        ),
        "GED without a header": ("UCDP GED", text(GED_COLUMNS, deadly, header=False)),
    }


@pytest.mark.parametrize("name", contents())
def test_the_same_attacks_give_the_same_counts_in_every_format(name: str, tmp_path: Path) -> None:
    form, content = contents()[name]
    found = read_events(saved(tmp_path, content), filters(), calendar())
    assert (found.report.format, found.report.rows, found.report.kept, found.report.dropped) == (form, 5, 5, {})
    assert found.theatres == ("iraq", "syria", "jordan")
    assert found.daily
    assert found.ends[0] == calendar().day_of(calendar().start) + 2
    np.testing.assert_array_equal(np.diff(found.split, axis=0), DAYS)
    np.testing.assert_array_equal(found.total, found.split.sum(axis=1))


def test_what_is_dropped_is_told_with_its_reason(tmp_path: Path) -> None:
    rows = [
        acled(0), acled(0), acled(1, sub_event_type="Protest", event_type="Protests"), acled(2, actor1="Somebody else"),
        acled(3, country="Elsewhere"), acled(4, time_precision=2), acled(5, "2021-01-01"),
        acled(6, actor2="", assoc_actor_2="Military Forces of the United States"), acled(7, actor2="Protesters"),
        acled(8, actor1="Military Forces of the United States", actor2="", assoc_actor_2="Kataib Hezbollah"),
    ]  # fmt: skip
    path = saved(tmp_path, text(ACLED_31, rows))
    report = read_events(path, filters(), calendar()).report
    assert report.kept == 3
    assert list(report.dropped.values()) == [1, 2, 1, 1, 1, 1]
    assert sum(report.dropped.values()) + report.kept == report.rows == len(rows)
    assert "in 1 of 3 they stand first" in report.remarks[0]
    strict = read_events(path, filters(order="attacker_first"), calendar()).report
    assert strict.kept == 2


def test_the_smallest_region_that_is_named_decides_the_theatre(tmp_path: Path) -> None:
    places = {"iraq": ["Iraq"], "syria": ["Al Qaim"], "jordan": ["Anbar"]}
    rows = [acled(0), acled(1, admin1="Anbar"), acled(2, admin1="Anbar", admin2="Al Qaim"), acled(3, admin1="Basra")]
    found = read_events(saved(tmp_path, text(ACLED_31, rows)), filters(places=places), calendar())
    assert found.split[-1].tolist() == [2.0, 1.0, 1.0]


def test_quiet_days_at_both_ends_count_when_the_user_says_what_the_file_covers(tmp_path: Path) -> None:
    path = saved(tmp_path, text(ACLED_31, [acled(0, "2023-11-05")]))
    span = {"from": "2023-11-01", "to": "2023-11-10"}
    found = read_events(path, filters(**span), calendar())
    assert np.diff(found.total).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert len(read_events(path, filters(), calendar()).ends) == 2


def test_the_first_and_the_last_day_of_the_calendar_count(tmp_path: Path) -> None:
    inside = [calendar().date_of(day).isoformat() for day in (0, calendar().days - 1)]
    outside = [calendar().date_of(day).isoformat() for day in (-1, calendar().days)]
    rows = [acled(n, when) for n, when in enumerate([*inside, *outside])]
    found = read_events(saved(tmp_path, text(ACLED_31, rows)), filters(), calendar())
    assert (found.report.kept, list(found.report.dropped.values())) == (2, [2])
    assert np.flatnonzero(np.diff(found.total)).tolist() == [0, calendar().days - 1]
    table = f"as_of_date,total\n{outside[0]},1\n{inside[0]},2\n{inside[1]},5\n{outside[1]},6\n"
    found = read_events(saved(tmp_path, table), filters(), calendar())
    assert found.ends.tolist() == [-1, 0, calendar().days - 1]
    assert found.total.tolist() == [0, 2, 5]


TABLE = """as_of_date,total,iraq,syria,jordan,comment
2023-10-20,4,3,1,,first
2023-10-27,20,,,,
5 November 2023,38,20,17,0,
2023-11-05,40,21,18,0,revised
2023-11-08,,,,,nobody counted
2019-01-01,1,,,,long ago
2023-11-19,66,34,30,1,
"""


def test_cumulative_counts_with_blanks_and_revisions(tmp_path: Path) -> None:
    found = read_events(saved(tmp_path, TABLE), filters(), calendar())
    assert not found.daily
    assert found.ends.tolist() == [-1, 3, 10, 19, 33]
    assert found.total.tolist() == [0, 4, 20, 40, 66]
    assert found.between(np.array([3, 19, 33])).tolist() == [36, 26]
    assert found.split_between(1, np.array([-1, 19, 33])).tolist() == [18, 12]
    assert np.isnan(found.split_between(1, np.array([10, 19]))).all()
    assert list(found.report.dropped.values()) == [1, 1, 1]
    assert found.upto(10).total.tolist() == [0, 4, 20]
    later = read_events(saved(tmp_path, TABLE), filters(**{"from": "2023-10-25"}), calendar())
    assert later.ends.tolist() == [7, 10, 19, 33]


def test_blank_rows_and_cells_beyond_the_columns_do_not_matter(tmp_path: Path) -> None:
    found = read_events(
        saved(tmp_path, "as_of_date,total,,\n2023-10-20,5,,\n\n,,,\n2023-12-20,30,,,,\n ,,\n"), filters(), calendar()
    )
    assert found.total.tolist() == [0, 5, 30]
    whole = "as_of_date,iraq,syria,jordan\n2023-10-20,1,2,0\n"
    assert read_events(saved(tmp_path, whole), filters(), calendar()).total.tolist() == [0, 3]


def bad() -> dict[str, tuple[str | bytes, str]]:
    """Bad files, and what is said of each."""
    good = text(ACLED_31, [acled(0)])
    return {
        "wrong columns": ("a,b\n1,2\n", "an export of ACLED or UCDP GED, or a table"),
        "no date": (text(ACLED_31, [acled(0), acled(1, "01/02/24")]), "row 2 says '01/02/24'"),
        "impossible date": (text(ACLED_31, [acled(0, "2023-13-45")]), "row 1 says '2023-13-45'"),
        "empty after filtering": (text(ACLED_31, [acled(0, country="Elsewhere")]), "none is left (another place: 1)"),
        "header alone": (",".join(ACLED_31) + "\n", "of 0 rows none is left"),
        "empty": ("", "this one is empty"),
        "ragged": (good + "INV2,2023-11-01\n", "Expected 31 columns, got 2"),
        "another encoding": (text(ACLED_31, [acled(0, actor1="Nujabà")]).encode("latin-1"), "text in UTF-8; line 2"),
        "another encoding, far inside": (
            text(ACLED_31, [acled(n) for n in range(3000)] + [acled(0, actor1="à")]).encode("latin-1"), "not in UTF-8",
        ),
        "UTF-16": (good.encode("utf-16"), "text in UTF-16"),
        "semicolons": (good.replace(",", ";"), "parted by semicolons"),
        "tabs": (good.replace(",", "\t"), "parted by tabs"),
        "Excel": (b"PK\x03\x04" + bytes(100), "this is an Excel or zip file"),
        "old Excel": (b"\xd0\xcf\x11\xe0" + bytes(100), "this is an Excel file"),
        "binary": (b"a,b\n\x00\x01", "bytes that are no text"),
        "negative count": ("as_of_date,total\n2023-11-01,-4\n", "row 1, column total says '-4'"),
        "half a count": ("as_of_date,total\n2023-11-01,4.5\n", "row 1, column total says '4.5'"),
        "no count": ("as_of_date,total\n2023-11-01,many\n", "row 1, column total says 'many'"),
        "falling": ("as_of_date,total\n2023-11-01,9\n2023-11-08,7\n", "falls from 9 on 2023-11-01 to 7 on 2023-11-08"),
        "a theatre falls": ("as_of_date,total,iraq\n2023-11-01,9,5\n2023-11-08,12,4\n", "iraq falls from 5"),
        "theatres exceed": ("as_of_date,total,iraq,syria\n2023-11-01,9,5,5\n", "add up to no more than the total"),
        "table without date": ("as_of_date,total\nsoon,4\n", "row 1 says 'soon'"),
        "table without total": (
            "as_of_date,iraq\n2023-11-01,4\n", "the column total, or with all of iraq, syria, jordan",
        ),
        "a column twice": ("as_of_date,total,total\n2023-11-01,4,5\n", "each column once; total stands 2 times"),
        "a column of an export twice": (
            good.replace("admin3", "admin2"), "each column once; admin2 stands 2 times",
        ),
        "a comma within a number": ("as_of_date,total\n2023-11-01,1,000\n", "rows of 2 cells, as many as columns"),
        "a count beyond belief": ("as_of_date,total\n2023-11-01,9e300\n", "whole counts from 0 to 100000"),
        "a table without rows": ("as_of_date,total\n", "of 0 rows none is left (it has no rows)"),
        "a cell beyond all size": (text(ACLED_31, [acled(0, notes="x" * 9_000_000)]), "a row is longer than"),
        "a web page": ("<html><body>log in</body></html>\n", "a single column, <html><body>log in"),
        "table long ago": ("as_of_date,total\n1999-01-01,4\n", "of 1 rows none is left (outside the calendar: 1)"),
    }  # fmt: skip


@pytest.mark.parametrize("name", bad())
def test_a_bad_file_is_refused_in_one_clear_line(name: str, tmp_path: Path) -> None:
    content, said = bad()[name]
    with pytest.raises(UserError) as refused:
        read_events(saved(tmp_path, content), filters(), calendar())
    line = str(refused.value)
    assert line.startswith("data = events.csv: allowed ")
    assert said in line
    assert len(line.splitlines()) == 1


def test_a_gigantic_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path, "")
    os.truncate(path, LARGEST + 1)
    with pytest.raises(UserError, match="files of at most 2"):
        read_events(path, filters(), calendar())


@pytest.mark.parametrize("place", [".", "gone.csv"])
def test_what_is_no_file_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data = .*: allowed (an existing|a) file"):
        read_events(tmp_path / place, filters(), calendar())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attackers": "Nujaba"}, "filters.attackers = Nujaba: allowed a list of texts"),
        ({"order": "second"}, "filters.order = second: allowed any, attacker_first"),
        ({"violence": [4]}, "filters.violence = [4]: allowed a list with some of 1, 2, 3"),
        ({"places": {"irak": ["Iraq"]}}, "filters.places.irak = "),
        ({"places": {"iraq": ["Iraq"], "syria": ["iraq"]}}, "filters.places.syria = iraq: allowed each place"),
        ({"places": {}}, "filters.places = {}: allowed a mapping"),
        ({"from": "soon"}, "filters.from = soon: allowed a date such as"),
        ({"from": "2024-01-01", "to": "2023-01-01"}, "filters.to = 2023-01-01: allowed 2024-01-01 or later"),
        ({"colour": 1}, "filters.colour = 1: allowed keys"),
    ],
)  # fmt: skip
def test_bad_filters_are_refused_in_one_clear_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as refused:
        filters(**change)
    assert str(refused.value).startswith(said)


@pytest.mark.long
def test_a_million_rows_take_bounded_time_and_memory(tmp_path: Path) -> None:
    import time
    import tracemalloc

    places = ["Iraq", *["Elsewhere"] * 9] * 100
    rows = text(ACLED_31, [acled(n, country=one, notes="long " * 100) for n, one in enumerate(places)])
    head, _, body = rows.partition("\n")
    path = tmp_path / "million.csv"
    with path.open("w") as file:
        file.write(head + "\n")
        for block in range(1000):
            file.write(body.replace("INV", f"INV{block}x"))
    tracemalloc.start()
    began = time.perf_counter()
    found = read_events(path, filters(), calendar())
    assert time.perf_counter() - began < 120.0
    assert tracemalloc.get_traced_memory()[1] < 1.0e9
    tracemalloc.stop()
    assert (found.report.rows, found.report.kept) == (1_000_000, 100_000)
