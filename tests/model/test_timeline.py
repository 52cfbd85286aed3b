"""What events do to days: which days they hold on, and who wins where several hold at once."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.model.cast import Cast
from sim.model.scenario import Scenario, load
from sim.model.timeline import EVENT_KINDS, Calendar, Event, daily, pins_before, quiet_day, with_event
from sim.model.validation import UserError

CALENDAR = Calendar(date(2030, 1, 1), 20, 10, 15)


@pytest.fixture(scope="module")
def cast() -> Cast:
    return load(["scenario=salt_coast"]).scenario.cast


def event(kind: str, first: int = 3, last: int = 5, **rest: object) -> Event:
    return Event("one", kind, first, last, **rest)  # type: ignore[arg-type]


def test_a_day_without_events_has_the_defaults(cast: Cast) -> None:
    days = daily(CALENDAR, [], cast)
    assert len(days) == 20
    assert set(days) == {quiet_day(cast)}
    day = days[0]
    assert (day.intensity, day.talks, day.acts, day.deaths_allowed) == (1.0, 0.0, 0.0, True)
    assert (day.major, day.limited, day.leader, day.pinned_wing, day.pinned_killed) == (0, 0, 0, -1, 0)
    assert day.attack_multiplier == day.supply == (1.0, 1.0, 1.0)
    assert day.stance == (0.0, 0.0, 0.0)
    assert day.strike == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("kind", "field", "inside"),
    [
        ("intensity", "intensity", 0.5),
        ("talks", "talks", 0.5),
        ("act_against_patron", "acts", 0.5),
        ("no_deaths", "deaths_allowed", False),
        ("major", "major", 1),
        ("block_major_response", "major", -1),
        ("limited", "limited", 1),
        ("block_limited_response", "limited", -1),
        ("block_leader_strike", "leader", -1),
    ],
)
def test_an_event_holds_from_its_first_to_its_last_day_and_touches_one_field(
    cast: Cast, kind: str, field: str, inside: object
) -> None:
    days = daily(CALENDAR, [event(kind, value=0.5)], cast)
    calm = vars(quiet_day(cast))
    for number, day in enumerate(days):
        expected = {**calm, field: inside} if 3 <= number <= 5 else calm
        assert vars(day) == expected


@pytest.mark.parametrize(
    ("kind", "field"), [("attack_multiplier", "attack_multiplier"), ("supply", "supply"), ("order", "stance")]
)
def test_events_on_theatres_leave_the_others_alone(cast: Cast, kind: str, field: str) -> None:
    day = daily(CALENDAR, [event(kind, theatres=("kesh_border",), value=0.25)], cast)[4]
    calm = vars(quiet_day(cast))
    assert vars(day) == {**calm, field: (calm[field][0], 0.25, calm[field][2])}


def test_strikes_fall_on_one_wing_or_on_all_wings_of_the_theatres(cast: Cast) -> None:
    on_wing = daily(CALENDAR, [event("strike", wing="hill_riders", value=2.0)], cast)[3]
    on_theatre = daily(CALENDAR, [event("strike", theatres=("brine_towns",), value=2.0)], cast)[3]
    assert on_wing.strike == (0.0, 0.0, 0.0, 2.0)
    assert on_theatre.strike == (2.0, 2.0, 0.0, 0.0)


def test_deaths_that_are_forbidden_later_in_the_list_do_not_happen(cast: Cast) -> None:
    wing = next(iter(cast.wings))
    deaths, forbidden = event("deaths", 4, 4, wing=wing, killed=3), event("no_deaths", 4, 4)
    safe = daily(CALENDAR, [deaths, forbidden], cast)[4]
    assert (safe.deaths_allowed, safe.pinned_wing, safe.pinned_killed) == (False, -1, 0)
    assert daily(CALENDAR, [forbidden, deaths], cast)[4].pinned_killed == 3


def test_documented_deaths_name_wing_and_number_and_leave_nothing_to_chance(cast: Cast) -> None:
    day = daily(CALENDAR, [event("deaths", 3, 3, wing="lanterns_towns", killed=2)], cast)[3]
    assert (day.pinned_wing, day.pinned_killed, day.deaths_allowed) == (1, 2, False)


def test_where_events_overlap_later_ones_decide_factors_multiply_and_acts_add(cast: Cast) -> None:
    one, two = ("brine_towns",), ("brine_towns", "kesh_border")
    events = [
        event("intensity", 0, 9, value=0.5),
        event("intensity", 4, 4, value=0.0),
        event("order", 0, 9, theatres=two, value=1.0),
        event("order", 4, 4, theatres=one, value=0.0),
        event("attack_multiplier", 0, 9, theatres=two, value=2.0),
        event("attack_multiplier", 4, 4, theatres=one, value=1.5),
        event("supply", 0, 9, theatres=two, value=0.5),
        event("supply", 4, 4, theatres=one, value=0.5),
        event("act_against_patron", 0, 9, value=1.0),
        event("act_against_patron", 4, 4, value=0.5),
        event("strike", 0, 9, theatres=one, value=1.0),
        event("strike", 4, 4, wing="gulls_towns", value=0.5),
        event("block_major_response", 0, 9),
        event("major", 4, 4),
    ]
    days = daily(CALENDAR, events, cast)
    assert (days[3].intensity, days[4].intensity, days[5].intensity, days[10].intensity) == (0.5, 0.0, 0.5, 1.0)
    assert (days[3].stance, days[4].stance) == ((1.0, 1.0, 0.0), (0.0, 1.0, 0.0))
    assert (days[3].attack_multiplier, days[4].attack_multiplier) == ((2.0, 2.0, 1.0), (3.0, 2.0, 1.0))
    assert (days[3].supply, days[4].supply) == ((0.5, 0.5, 1.0), (0.25, 0.5, 1.0))
    assert (days[3].acts, days[4].acts) == (1.0, 1.5)
    assert (days[3].strike[:2], days[4].strike[:2]) == ((1.0, 1.0), (1.5, 1.0))
    assert (days[3].major, days[4].major) == (-1, 1)


def test_every_kind_of_event_has_an_effect(cast: Cast) -> None:
    calm = quiet_day(cast)
    for kind in EVENT_KINDS:
        changed = with_event(
            calm, event(kind, theatres=("brine_towns",), wing="gulls_towns", value=0.5, killed=1), cast
        )
        assert changed != calm, kind


@given(
    spans=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)).map(sorted), max_size=6),
    free_from=st.none() | st.integers(0, 19),
)
def test_pins_hold_on_the_days_before_free_from_and_on_no_other(spans: list[list[int]], free_from: int | None) -> None:
    pins = [event("major", first, last) for first, last in spans]
    for day in range(20):
        whole = sum(pin.first <= day <= pin.last for pin in pins)
        kept = sum(pin.first <= day <= pin.last for pin in pins_before(pins, free_from))
        assert kept == (whole if free_from is None or day < free_from else 0)
    assert all(pin.first <= pin.last for pin in pins_before(pins, free_from))


@given(order=st.permutations(range(6)))
def test_factors_acts_and_strikes_do_not_depend_on_their_order(cast: Cast, order: list[int]) -> None:
    events = [
        event("attack_multiplier", 2, 8, theatres=("salt_coast",), value=0.5),
        event("attack_multiplier", 6, 9, theatres=("salt_coast",), value=4.0),
        event("act_against_patron", 0, 9, value=1.0),
        event("act_against_patron", 5, 5, value=0.5),
        event("strike", 1, 5, wing="gulls_coast", value=1.0),
        event("strike", 5, 7, theatres=("salt_coast",), value=0.25),
    ]
    assert daily(CALENDAR, [events[place] for place in order], cast) == daily(CALENDAR, events, cast)


def test_windows_part_the_calendar_with_the_day_of_the_strikes_in_none() -> None:
    assert [*CALENDAR.campaign, 10, *CALENDAR.lull, *CALENDAR.later] == list(range(20))
    assert CALENDAR.lull == range(11, 16)


@given(st.integers(0, 19))
def test_dates_and_day_numbers_are_one_another_s_inverse(day: int) -> None:
    assert CALENDAR.day_of(CALENDAR.date_of(day)) == day


def test_an_announcement_is_a_day_up_to_the_beginning_and_changes_no_day(cast: Cast) -> None:
    event = "+events.truce={kind: intensity, from: 2031-04-10, to: 2031-04-20, value: 0.2%s}"

    def truce(more: str) -> Scenario:
        return load(["scenario=salt_coast", event % more]).scenario

    plain = truce("")
    for when, day in (("2031-04-10", 40), ("2031-03-31", 30), ("2031-02-28", -1)):
        announced = truce(f", announced: {when}")
        assert next(one for one in announced.events if one.id == "truce").announced == day
        assert daily(plain.calendar, announced.events, cast) == daily(plain.calendar, plain.events, cast)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        (
            "+events.truce={kind: intensity, from: 2031-04-10, value: 0.2, announced: 2031-04-11}",
            "events.truce.announced = 2031-04-11: allowed a date up to 2031-04-10, when the event begins",
        ),
        (
            "+events.truce={kind: intensity, from: 2031-04-10, value: 0.2, announced: soon}",
            "events.truce.announced = soon: allowed a date up to 2031-04-10, when the event begins",
        ),
        (
            "+history.events.truce={kind: limited, from: 2031-04-10, announced: 2031-04-01}",
            "history.events.truce.announced = 2031-04-01: allowed nothing",
        ),
    ],
)
def test_an_announcement_that_cannot_be_is_refused_in_one_line(override: str, line: str) -> None:
    with pytest.raises(UserError) as refused:
        load(["scenario=salt_coast", override])
    assert str(refused.value).startswith(line)


def test_a_title_is_what_figures_call_an_event_and_changes_no_day(cast: Cast) -> None:
    event = "+events.al_asad={kind: intensity, from: 2031-04-10, value: 0.2%s}"
    named, plain = (load(["scenario=salt_coast", event % more]).scenario for more in (", title: Ain al-Asad", ""))
    words = [next(one.words for one in scenario.events if one.id == "al_asad") for scenario in (named, plain)]
    assert words == ["Ain al-Asad", "al asad"]
    assert daily(named.calendar, named.events, cast) == daily(plain.calendar, plain.events, cast)
    with pytest.raises(UserError, match=r"events\.al_asad\.title"):
        load(["scenario=salt_coast", event % ", title: [3]"])
