"""Outcomes with dates and thresholds: what can be asked, in which words a slip is refused, and what holds."""

import numpy as np
import pytest

from sim.engine.record import OutputSpec
from sim.experiment.dataset import dataset_of, outcomes_of
from sim.experiment.runner import ensemble
from sim.model.conditions import SIGNS, Condition, read
from sim.model.hydra_config import override_of
from sim.model.scenario import load
from sim.model.validation import UserError
from sim.rules.outcomes import NEVER

SCENARIO = load().scenario
UNITS = {name: one.unit for name, one in outcomes_of(SCENARIO).items()}


def asked(text: str) -> Condition:
    return read(text, UNITS, SCENARIO.calendar, SCENARIO.cast)


@pytest.mark.parametrize(
    ("text", "spelled", "title"),
    [
        ("war by 2024-06-01", "war by 2024-06-01", "Direct war by 1 June 2024"),
        ("war_day by 2024-06-01", "war by 2024-06-01", "Direct war by 1 June 2024"),
        ("lull_days>=90", "lull_days >= 90", "Lull of at least 90 days"),
        ("'deaths ≥ 10'", "deaths >= 10", "At least 10 soldiers killed"),
        ("first_attack after 2024-03-15", None, "First attack since the report after 15 March 2024, or never"),
        ("war_day < 120", None, "Direct war before day 120"),
        ("leader_strikes >= 1", None, "At least 1 leader strike"),
        ("quiet_days < 30", None, "Fewer than 30 days until the first attack"),
        ("peak_war_risk > 0.5", None, "Highest perceived war risk of more than 0.5"),
        ("major from 2024-02-02 to 2024-02-05", None, "First major response from 2 to 5 February 2024"),
        (
            "acknowledged in syria from 2024-02-03 to 2024-02-27 <= 2", None,
            "At most 2 acknowledged attacks in Syria from 3 to 27 February 2024",
        ),
        ("attacks by 2024-01-01 = 0", "attacks by 2024-01-01 == 0", "Exactly 0 attacks by 1 January 2024"),
        ("attacks after 2024-02-27", None, "Attacks after 27 February 2024"),
        ("Attacks", "attacks by 2024-09-10", "Attacks by 10 September 2024"),
        ("War by 2024-06-01", "war by 2024-06-01", "Direct war by 1 June 2024"),
        ("acknowledged in Syria < 1", "acknowledged in syria < 1", "Fewer than 1 acknowledged attack in Syria"),
    ],
)  # fmt: skip
def test_a_condition_has_one_spelling_and_a_title_in_words(text: str, spelled: str | None, title: str) -> None:
    scenario = load([override_of("study.outcomes", [text, "deaths"])]).scenario
    [one] = scenario.asked
    assert one.text == (spelled or text)
    assert asked(one.text) == one
    assert outcomes_of(scenario)[one.text].title == title


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("wor by 2024-06-01", 'for "wor": outcomes: one of 33 names, nearest: war'),
        ("war bye 2024-06-01", 'for "bye": one of 9 names, nearest: by'),
        ("war by 2024-13-01", 'for "2024-13-01": a date from 2023-10-17 to 2024-09-10'),
        ("war by 2024-09-11", 'for "2024-09-11": a date within the calendar, 2023-10-17 to 2024-09-10'),
        ("war by", "at the end: a date from 2023-10-17 to 2024-09-10"),
        ("war by 2024-06-01 or so", 'for "or": nothing more, as in'),
        ("deaths by 2024-06-01", 'for "by": a comparison such as deaths >= 10; a date can be asked of first_death,'),
        ("deaths", "at the end: a comparison such as 'deaths < 14'"),
        ("deaths >= ten", 'for "ten": a number'),
        ("lull_days >= 223", 'for "223": up to 222 days: the calendar ends then'),
        ("acknowledged in siria <= 3", 'for "siria": one of 6 names, nearest: syria'),
        ("attacks from 2024-03-01 to 2024-01-01", 'for "2024-01-01": 2024-03-01 or later'),
        ("attacks from 2024-03-01 until 2024-03-09", 'for "until": to'),
        ("__import__('os').system('true')", "for \"__import__('os').system('true')\": outcomes:"),
        ("", "at the end: outcomes: deaths,"),
    ],
)
def test_a_slip_is_refused_by_its_token_and_the_nearest_word(text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        asked(text)
    assert f"allowed {line}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_dates_cannot_be_asked_of_results_without_a_calendar() -> None:
    with pytest.raises(UserError, match="no date: results that are kept already"):
        read("war by 2024-06-01", UNITS)


def test_by_and_after_part_all_histories_and_stretches_part_what_is_by() -> None:
    days = np.array([NEVER, 0, 150, 151, 329])
    by, after = (asked(f"first_attack {word} 2024-03-15").of(days) for word in ("by", "after"))
    assert (by != after).all()
    assert by.tolist() == [False, True, True, False, False]
    early, late = (asked(f"first_attack {words}").of(days) for words in (
        "from 2023-10-17 to 2023-12-31", "from 2024-01-01 to 2024-03-15"))  # fmt: skip
    assert ((early | late) == by).all()
    assert not (early & late).any()


@pytest.mark.parametrize("sign", SIGNS)
def test_a_comparison_does_what_its_sign_says(sign: str) -> None:
    numbers = np.array([89, 90, 91])
    assert asked(f"lull_days {sign} 90").of(numbers).tolist() == [SIGNS[sign](one, 90) for one in (89, 90, 91)]


def test_counts_in_a_stretch_are_those_of_the_daily_record() -> None:
    texts = ["acknowledged in syria from 2024-02-03 to 2024-02-27", "attacks by 2024-01-01", "attacks in iraq <= 60"]
    config = load([override_of("study.outcomes", texts), "study.runs=300"])
    runs = ensemble(config)
    data = dataset_of(config.scenario, np.arange(300), runs.simulate())
    bare = load(["study.runs=300"])
    plain = dataset_of(bare.scenario, np.arange(300), ensemble(bare).simulate())
    assert all((data[name] == plain[name]).all() for name in plain.data_vars)  # asking changes nothing
    daily = dataset_of(bare.scenario, np.arange(300), ensemble(bare, wanted=OutputSpec(daily=True)).simulate())
    target = daily["theatre_kind"].values == "target"
    expected = [
        daily["acknowledged_by_day"]
        .isel(day=slice(109, 134))
        .sel(theatre=daily["theatre"] == "syria")
        .sum(("day", "theatre")),
        daily["attacks_by_day"].isel(day=slice(0, 77), theatre=target).sum(("day", "theatre")),
        daily["attacks_by_day"].sel(theatre=daily["theatre"] == "iraq").sum(("day", "theatre")) <= 60,
    ]
    for text, counted in zip(texts, expected, strict=True):
        assert (data[text].values == counted.values).all(), text
        assert float(data[text].mean()) > 0, text
    assert (data[texts[0]].values != plain["acknowledged_lull"].values).any()  # another count would be noticed


def test_asking_twice_is_asking_once() -> None:
    assert len(load([override_of("study.outcomes", ["deaths>=1", "deaths >= 1"])]).scenario.asked) == 1
