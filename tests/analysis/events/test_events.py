"""Users' files: each format gives the counts that were put in, and each mistake one clear line."""

import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sim.analysis.forecast import table_files
from sim.analysis.forecast.event_files import read_events
from sim.analysis.forecast.event_formats import GED_COLUMNS
from sim.analysis.forecast.table_files import LARGEST
from sim.model.validation import UserError
from tests.analysis.events.files import ACLED_31, ACLED_35, OLD_GED, Row, acled, calendar, filters, ged, saved, text

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
    report = read_events(path, filters(order="any"), calendar()).report
    assert report.kept == 3
    assert list(report.dropped.values()) == [1, 2, 1, 1, 1, 1]
    assert sum(report.dropped.values()) + report.kept == report.rows == len(rows)
    assert "in 1 of 3 the attacked stand first" in report.remarks[1]
    strict = read_events(path, filters(order="attacker_first"), calendar()).report
    assert strict.kept == 2
    assert sum(strict.dropped.values()) + strict.kept == strict.rows


STRIKE = {"actor1": "Military Forces of the United States", "actor2": "Kataib Hezbollah"}


def test_strikes_by_the_attacked_are_left_out_and_counted_where_the_attacker_stands_first(tmp_path: Path) -> None:
    attacks = [acled(n) for n in range(121)]
    strikes = [acled(500 + n, sub_event_type="Air/drone strike", **STRIKE) for n in range(15)]
    elsewhere = [acled(600, country="Elsewhere", **STRIKE)]
    clash = {"event_type": "Battles", "sub_event_type": "Armed clash"}
    path = saved(tmp_path, text(ACLED_31, [*strikes, *attacks, *elsewhere, acled(700, **STRIKE, **clash)]))
    report = read_events(path, filters(), calendar()).report
    assert report.kept == 122, "in battles the order says nothing, so either side may have attacked"
    assert report.dropped == {"another place": 1, "the attacker stands on the second side": 15}
    assert "15 events look like strikes by the United States; filters.order=any includes them" in report.remarks
    assert "in 1 of 122 the attacked stand first" in report.remarks[1]
    loose = read_events(path, filters(order="any"), calendar()).report
    assert (loose.kept, sum("look like" in one for one in loose.remarks)) == (137, 0)
    alone = saved(tmp_path, text(ACLED_31, [*attacks, strikes[0]]))
    said = read_events(alone, filters(attacked=[]), calendar()).report.remarks
    assert "1 event looks like a strike on the attackers; filters.order=any includes it" in said
    named = read_events(alone, filters(attacked=["Military Forces"]), calendar()).report.remarks
    assert "1 event looks like a strike by Military Forces; filters.order=any includes it" in named


def test_ged_orders_sides_by_what_they_are_except_in_one_sided_violence(tmp_path: Path) -> None:
    report = read_events(saved(tmp_path, text(GED_COLUMNS, [ged(n) for n in range(9)])), filters(), calendar()).report
    assert (report.kept, report.dropped) == (9, {})
    assert not any("stand first" in one or "look like" in one for one in report.remarks)
    sides = {"side_a": "Kataib Hezbollah", "side_b": "Civilians of the United States"}
    turned = {"side_a": sides["side_b"], "side_b": sides["side_a"]}
    rows = [ged(0, type_of_violence=3, **sides), ged(1, type_of_violence=3, **turned)]
    report = read_events(saved(tmp_path, text(GED_COLUMNS, rows)), filters(), calendar()).report
    assert report.kept == 1
    assert "1 event looks like a strike by the United States; filters.order=any includes it" in report.remarks


def test_an_attack_counts_before_its_mirror_image(tmp_path: Path) -> None:
    report = read_events(saved(tmp_path, text(ACLED_31, [acled(0, **STRIKE), acled(0)])), filters(), calendar()).report
    assert (report.kept, report.dropped) == (1, {"the same event a second time": 1})


def revised(number: int, when: str, timestamp: object, **cells: object) -> dict[str, object]:
    return acled(number, when, timestamp=timestamp, **cells)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("old", "new"),
    [(1700000000, 1710000000), ("999999999", "1000000000.0"), ("", 1), ("2023-11-20", "2024-02-01T10:00:00Z")],
)
def test_the_newest_version_of_an_event_counts_wherever_it_stands(
    old: object, new: object, turned: bool, tmp_path: Path
) -> None:
    rows = [
        revised(0, "2023-11-01", old), revised(0, "2023-11-03", new),
        revised(1, "2023-11-02", old), revised(1, "2023-11-02", new, country="Elsewhere"),
        revised(2, "2023-11-02", old, actor2="Protesters"), revised(2, "2023-11-02", new),
    ]  # fmt: skip
    found = read_events(saved(tmp_path, text(ACLED_31, rows[::-1] if turned else rows)), filters(), calendar())
    assert np.diff(found.total).tolist() == [0, 1, 1]
    assert found.report.dropped == {
        "other actors": 1, "another place": 1, "an older version of an event": 2,
    }  # fmt: skip
    assert sum(found.report.dropped.values()) + found.report.kept == len(rows)


def test_a_newer_version_is_found_in_another_block_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "BLOCK", 4096)
    rows = [revised(n, "2023-11-01", 9) for n in range(200)]
    rows = [revised(7, "2023-11-02", 10), *rows, revised(8, "2023-11-02", 10, country="Elsewhere")]
    found = read_events(saved(tmp_path, text(ACLED_31, rows)), filters(), calendar())
    assert np.diff(found.total).tolist() == [198, 1]


@pytest.mark.parametrize("form", ["ACLED", "GED"])
def test_without_ids_every_row_counts(form: str, tmp_path: Path) -> None:
    make, columns, key = (acled, ACLED_31, "event_id_cnty") if form == "ACLED" else (ged, GED_COLUMNS, "id")
    rows = [make(0), make(0), make(1)]
    bare = text([one for one in columns if one != key], rows)
    report = read_events(saved(tmp_path, bare), filters(), calendar()).report
    assert report.kept == 3
    assert f"there is no column {key}: an event that stands twice counts twice" in report.remarks
    blank = read_events(saved(tmp_path, text(columns, [{**one, key: " "} for one in rows])), filters(), calendar())
    assert blank.report.kept == 3


@pytest.mark.parametrize("header", [True, False])
def test_numbers_written_with_a_point_are_the_same_numbers(header: bool, tmp_path: Path) -> None:
    cells = {"type_of_violence": "1.0", "date_prec": "1.0", "year": "2023.0", "best": "1.0"}
    rows = text(GED_COLUMNS, [ged(0, **cells), ged(1, **cells)], header=header)
    path = saved(tmp_path, rows)
    assert read_events(path, filters(), calendar()).report.kept == 2
    assert read_events(path, filters(violence=[1]), calendar()).report.kept == 2
    with pytest.raises(UserError, match="another type of event: 2"):
        read_events(path, filters(violence=[2, 3]), calendar())


@pytest.mark.parametrize("after", [acled(999, "2025-01-04"), acled(999, "2025-01-04", event_type="Protests")])
def test_events_outside_the_calendar_prove_that_the_days_within_are_covered(after: Row, tmp_path: Path) -> None:
    first, last = calendar().start, calendar().date_of(calendar().days - 1)
    rows = [acled(n, "2024-01-04") for n in range(121)]
    found = read_events(saved(tmp_path, text(ACLED_31, [*rows, after])), filters(), calendar())
    assert found.ends[-1] == calendar().days - 1
    assert found.total[-1] == 121
    before = read_events(saved(tmp_path, text(ACLED_31, [acled(998, "2022-01-04"), *rows])), filters(), calendar())
    assert (before.ends[0], before.ends[-1]) == (-1, calendar().day_of(date(2024, 1, 4)))
    both = read_events(saved(tmp_path, text(ACLED_31, [acled(998, "2022-01-04"), *rows, after])), filters(), calendar())
    assert f"covers {first} to {last}" in both.report.remarks[-1]
    cut = read_events(saved(tmp_path, text(ACLED_31, [*rows, after])), filters(to="2024-02-01"), calendar())
    assert cut.ends[-1] == calendar().day_of(date(2024, 2, 1)), "what the user says of the file goes before"


@pytest.mark.parametrize(("later", "known"), [(121, True), (122, False)])
def test_a_total_that_is_the_same_after_the_calendar_proves_quiet_up_to_its_end(
    later: int, known: bool, tmp_path: Path
) -> None:
    table = f"as_of_date,total,iraq\n2024-01-04,121,60\n2026-01-01,150,\n2025-01-04,{later},\n"
    found = read_events(saved(tmp_path, table), filters(), calendar())
    assert bool(found.ends[-1] == calendar().days - 1) is known
    assert found.total[-1] == 121
    assert found.split[-1, 0] == 60
    assert found.report.kept + sum(found.report.dropped.values()) == found.report.rows


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
    assert found.between(np.array([-1, 19, 33]), theatre=1).tolist() == [18, 12]
    assert np.isnan(found.between(np.array([10, 19]), theatre=1)).all()
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
        "wrong columns": ("a,b\n1,2\n", "an export of ACLED, UCDP GED or GTD"),
        "no date": (text(ACLED_31, [acled(0), acled(1, "01/02/24")]), "row 2 says '01/02/24'"),
        "impossible date": (text(ACLED_31, [acled(0, "2023-13-45")]), "row 1 says '2023-13-45'"),
        "empty after filtering": (text(ACLED_31, [acled(0, country="Elsewhere")]), "none is left (another place: 1)"),
        "header alone": (",".join(ACLED_31) + "\n", "of 0 rows none is left"),
        "empty": ("", "this one is empty"),
        "ragged": (good + "INV2,2023-11-01\n", "rows of 31 cells, as many as columns; row 2 has 2"),
        "a time stamp": (text(ACLED_31, [revised(0, "2023-11-01", "soon")]), "one says 'soon'"),
        "damaged zip": (b"PK\x03\x04" + bytes(100), "get it anew"),
        "old Excel": (b"\xd0\xcf\x11\xe0" + bytes(100), "this is an old or encrypted one"),
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
        "a web page": ("<html><body>log in</body></html>\n", "this is a web page or XML: log in where it comes from"),
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
        ({"order": "second"}, "filters.order = second: allowed any, attacker_first, by_type"),
        ({"violence": [4]}, "filters.violence = [4]: allowed a list with some of 1, 2, 3"),
        ({"places": {"irak": ["Iraq"]}}, "filters.places.irak = "),
        ({"places": {"iraq": ["Iraq"], "syria": ["iraq"]}}, "filters.places.syria = iraq: allowed each place"),
        ({"places": {}}, "filters.places = {}: allowed a mapping"),
        ({"from": "soon"}, "filters.from = soon: allowed a date such as"),
        ({"from": "2024-01-01", "to": "2023-01-01"}, "filters.to = 2023-01-01: allowed 2024-01-01 or later"),
        ({"colour": 1}, "filters.colour = 1: allowed keys"),
        ({"multi_day": "last"}, "filters.multi_day = last: allowed first, spread, drop"),
        ({"date_format": "y/m/d"}, "filters.date_format = y/m/d: allowed"),
        ({"columns": "date"}, "filters.columns = date: allowed a mapping such as"),
        ({"columns": {"datum": "x"}}, "filters.columns.datum = x: allowed keys"),
        ({"attackers": ["?!"]}, "filters.attackers = ?!: allowed names with letters or digits"),
    ],
)  # fmt: skip
def test_bad_filters_are_refused_in_one_clear_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as refused:
        filters(**change)
    assert str(refused.value).startswith(said)


# --- names, dates that are not exact ------------------------------------------------------------------------


def kept(path: Path, **changes: object) -> int:
    return read_events(path, filters(**changes), calendar()).report.kept


def test_actors_match_by_whole_words_and_declared_aliases(tmp_path: Path) -> None:
    names = ["Kata'ib Hizballah (Iraq)", "KATAIB-HIZBALLAH", "Katá’ib  Hizballah", "Ansarkataib Hizballahi", "K.H."]
    path = saved(tmp_path, text(ACLED_31, [acled(n, actor1=one) for n, one in enumerate(names)]))
    assert kept(path, attackers=["Kataib Hizballah"]) == 3
    assert kept(path, attackers=["Kataib Hizballah"], aliases={"Kataib Hizballah": ["K.H."]}) == 4
    forces = [
        acled(n, actor2=one) for n, one in enumerate(("Forces of the US", "Russian forces", "Citizens of Cyprus"))
    ]
    assert kept(saved(tmp_path, text(ACLED_31, forces)), attacked=["US"]) == 1
    with pytest.raises(UserError, match=r"filters\.aliases\.Kateb Hizballah = .*nearest: Kataib Hizballah"):
        filters(attackers=["Kataib Hizballah"], aliases={"Kateb Hizballah": ["K.H."]})


def several(rows: list[dict[str, object]], tmp_path: Path) -> Path:
    return saved(tmp_path, text(GED_COLUMNS, rows))


GROUPS = {"Kataib Hezbollah": ["Kataib Hezbollah"], "Harakat al-Nujaba": ["Nujaba"]}
ATTACKERS = ["Islamic Resistance in Iraq", "Kataib Hezbollah", "Nujaba"]


def test_the_group_is_the_one_that_is_named_on_the_attackers_side(tmp_path: Path) -> None:
    target = "Military Forces of the United States"
    rows = [
        acled(1, actor1="Kataib Hezbollah (Iraq)"),
        acled(2, actor1="Islamic Resistance in Iraq", assoc_actor_1="Harakat al-Nujaba"),
        acled(3, actor1="Islamic Resistance in Iraq"),
        acled(4, actor1="Kataib Hezbollah", assoc_actor_1="Harakat al-Nujaba"),
        acled(5, actor1=target, actor2="Kataib Hezbollah", event_type="Battles", sub_event_type="Armed clash"),
        acled(5, actor1=target, actor2="Kataib Hezbollah", event_type="Battles", sub_event_type="Armed clash"),
    ]
    path = saved(tmp_path, text(ACLED_31, rows))
    counts = read_events(path, filters(attackers=ATTACKERS, groups=GROUPS), calendar())
    named = [one.group for one in counts.details]
    assert sorted(named) == ["Harakat al-Nujaba", "Kataib Hezbollah", "Kataib Hezbollah"]
    assert counts.total[-1] == 5, "an umbrella, or two groups at once, name none; the same event counts once"
    assert not counts.says_dead
    assert read_events(path, filters(attackers=ATTACKERS, groups={}), calendar()).details == ()


def test_the_dead_are_those_of_the_attacked_where_a_database_tells_sides_apart(tmp_path: Path) -> None:
    rows = [
        ged(1, best=5, deaths_a=2, deaths_b=3, deaths_civilians=0),
        ged(2, best=4, deaths_a=0, deaths_b=4),
        ged(3, best=1, deaths_a=1, deaths_b=0, side_a="Kataib Hezbollah", side_b="Government of United States",
            type_of_violence=3),
    ]  # fmt: skip
    read = read_events(saved(tmp_path, text(GED_COLUMNS, rows)), filters(groups={}), calendar())
    assert [(one.theatre, one.killed) for one in read.details] == [("iraq", 2)]
    assert read.says_dead
    best = [name for name in GED_COLUMNS if name not in ("deaths_a", "deaths_b")]
    alone = read_events(saved(tmp_path, text(best, rows), "best.csv"), filters(groups={}), calendar())
    assert [one.killed for one in alone.details] == [5, 4, 1], "with `best` alone nobody knows on which side"
    dead = [acled(1, "2023-11-01", fatalities=2), acled(2, "2023-11-03", fatalities=0), acled(3, "2023-11-04")]
    told = read_events(saved(tmp_path, text(ACLED_31, dead), "acled.csv"), filters(groups={}), calendar())
    assert [(one.day, one.killed) for one in told.details] == [(calendar().day_of(date(2023, 11, 1)), 2)]
    blank = [acled(1), acled(3, "2023-11-04")]
    assert not read_events(saved(tmp_path, text(ACLED_31, blank), "no.csv"), filters(), calendar()).says_dead


def test_groups_are_those_of_the_case() -> None:
    with pytest.raises(UserError, match=r"filters\.groups\.Nujabba = .*allowed keys: .*"):
        filters(groups={"Nujabba": ["Nujaba"]})
    with pytest.raises(UserError, match=r"filters\.groups = "):
        filters(groups=["Nujaba"])


def test_events_of_several_days_count_on_the_first_or_are_spread_or_dropped(tmp_path: Path) -> None:
    lasting = [ged(n, "2023-11-01", date_end="2023-11-08") for n in range(4)]
    path = several([*lasting, ged(9, "2023-11-01"), ged(10, "2023-11-20")], tmp_path)
    daily = {}
    for how in ("first", "spread", "drop"):
        found = read_events(path, filters(multi_day=how), calendar())
        daily[how] = np.diff(found.total)[:8].tolist()
        said = " ".join(found.report.remarks)
        assert ("4 of several days" in said) is (how != "drop")
        assert found.report.dropped.get("the event lasts several days", 0) == (4 if how == "drop" else 0)
    assert daily == {
        "first": [5, 0, 0, 0, 0, 0, 0, 0], "spread": [1, 1, 0, 1, 0, 1, 0, 1], "drop": [1, 0, 0, 0, 0, 0, 0, 0],
    }  # fmt: skip


def test_rough_dates_are_dropped_or_spread_over_the_days_that_they_may_be_of(tmp_path: Path) -> None:
    rough = [ged(n, "2023-11-01", date_end="2023-11-10", date_prec=2) for n in range(2)]
    year = ged(8, "2023-11-01", date_end="2024-03-10", date_prec=5)
    path = several([*rough, year, ged(9, "2023-10-31"), ged(10, "2023-11-20")], tmp_path)
    assert read_events(path, filters(), calendar()).report.dropped == {"the date is not known well enough": 3}
    found = read_events(path, filters(rough_dates="spread"), calendar())
    assert np.flatnonzero(np.diff(found.total)).tolist() == [0, 3, 8, 20]
    assert found.report.dropped == {"the date is not known well enough": 1}
    assert any("2 with a rough date" in one for one in found.report.remarks)
    week = saved(tmp_path, text(ACLED_31, [acled(0, "2023-11-15", time_precision=2), acled(1, "2023-11-01")]))
    found = read_events(week, filters(rough_dates="spread", to="2023-11-30"), calendar())
    assert np.flatnonzero(np.diff(found.total)).tolist() == [0, 14]


def test_spreading_keeps_every_event_and_the_days_even(tmp_path: Path) -> None:
    for number in (1, 3, 7, 30, 31):
        rows = [ged(n, "2023-11-01", date_end="2023-11-10") for n in range(number)]
        found = np.diff(read_events(several([*rows, ged(99, "2023-11-30")], tmp_path), filters(multi_day="spread"),
                                    calendar()).total)  # fmt: skip
        assert found[:10].sum() == number
        assert np.ptp(found[:10]) <= 1


def test_an_event_that_is_spread_beyond_the_last_first_day_counts_there(tmp_path: Path) -> None:
    path = several([ged(n, "2023-11-01", date_end="2023-11-10") for n in range(20)], tmp_path)
    found = read_events(path, filters(multi_day="spread"), calendar())
    assert np.diff(found.total).tolist() == [2] * 10
    assert "covers 2023-11-01 to 2023-11-10" in found.report.remarks[-1]


def test_counts_may_have_a_comma_before_each_three_digits(tmp_path: Path) -> None:
    table = 'as_of_date,total\n2023-10-20,"1,234"\n2023-12-20,"2,345.0"\n'
    assert read_events(saved(tmp_path, table), filters(), calendar()).total.tolist() == [0, 1234, 2345]
    with pytest.raises(UserError, match="total says '1,23'"):
        read_events(saved(tmp_path, 'as_of_date,total\n2023-10-20,"1,23"\n'), filters(), calendar())


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
    found = read_events(path, filters(), calendar())
    assert tracemalloc.get_traced_memory()[1] < 1.0e9
    tracemalloc.stop()
    assert (found.report.rows, found.report.kept) == (1_000_000, 100_000)
    began = time.process_time()
    read_events(path, filters(), calendar())
    assert time.process_time() - began < 30.0
