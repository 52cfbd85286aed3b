"""How long the lull lasts: the shares are the Aalen-Johansen estimator, and censoring at war is not."""

import numpy as np
import pytest

from sim.analysis.durations import durations, incidence
from sim.experiment.ensemble import simulate_config
from sim.model.scenario import load
from sim.rules.outcomes import NEVER


def drawn(runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Days of an event and of war, whichever come within 100 days."""
    generator = np.random.default_rng(3)
    days = generator.geometric([[0.02], [0.01]], (2, runs))
    event, war = np.where(days <= 100, days, NEVER)
    over = (event != NEVER) & (war != NEVER)
    return np.where(over & (war < event), NEVER, event), np.where(over & (event <= war), NEVER, war)


def aalen_johansen(event: np.ndarray, war: np.ndarray, until: int) -> tuple[float, float]:
    """Cumulative incidence of the event, day by day from those at risk; and Kaplan-Meier with war as censoring."""
    first = np.where(event != NEVER, event, np.where(war != NEVER, war, np.inf))
    free, incidence_of_event, kept = 1.0, 0.0, 1.0
    for day in range(1, until + 1):
        at_risk = (first >= day).sum()
        ends, wars = (event == day).sum(), (war == day).sum()
        incidence_of_event += free * ends / at_risk
        free *= 1.0 - (ends + wars) / at_risk
        kept *= 1.0 - ends / at_risk
    return incidence_of_event, 1.0 - kept


@pytest.mark.parametrize("until", [10, 30, 90])
def test_shares_are_the_estimator_of_aalen_and_johansen_and_not_that_of_kaplan_and_meier(until: int) -> None:
    event, war = drawn(4000)
    found = next(incidence("lull_days", event, war, 0, 100, [until]))
    expected, censored = aalen_johansen(event, war, until)
    assert found.ended == pytest.approx(expected, abs=1e-9)
    assert found.ended + found.war + found.lasts == pytest.approx(1.0)
    # War as censoring counts on lulls that war had ended: too many, by more than the Monte Carlo error.
    assert censored > found.ended + found.error


def test_of_an_ensemble_each_share_is_that_of_its_histories_and_the_calendar_ends_the_table() -> None:
    config = load(["study.runs=400"])
    data, calendar = simulate_config(config), config.scenario.calendar
    found = durations(data, calendar)
    assert {one.outcome for one in found} == {"lull_days", "quiet_days"}
    assert all(one.days < calendar.days - calendar.strikes for one in found)
    day, war = data["resumption_day"].values, data["war_day"].values
    one = next(one for one in found if one.outcome == "lull_days" and one.days == 90)
    assert one.ended == ((day != NEVER) & (day <= calendar.strikes + 90)).mean()
    assert one.war == ((day == NEVER) & (war != NEVER) & (war <= calendar.strikes + 90)).mean()


def test_what_no_history_lasts_is_zero_and_not_less() -> None:
    # 7/10 + 3/10 taken from 1 leaves less than nothing in floating point for some counts.
    for ended in range(11):
        event = np.where(np.arange(10) < ended, 5, NEVER)
        found = next(incidence("lull_days", event, np.where(event == NEVER, 5, NEVER), 0, 100, [10]))
        assert str(found.lasts) == "0.0"
