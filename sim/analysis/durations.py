"""How long the lull lasts, as a time to an event: cumulative incidence with war as a competing event.

A lull ends when attacks resume; direct war may come first, and then it never ends by itself. All histories are watched
to the end of the calendar, so nothing is censored before it, and the Aalen-Johansen estimator of cumulative incidence
is the share of histories in which the event has come, that of survival the share in which neither has. Source: Aalen
and Johansen (1978); Putter, Fiocco and Geskus (2007), Tutorial in biostatistics: competing risks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.experiment.statistics import Array
from sim.model.timeline import Calendar
from sim.rules.outcomes import NEVER

if TYPE_CHECKING:
    import xarray as xr

AFTER: Final = (10, 20, 30, 60, 90, 120, 180, 270, 365)
"""Days after the origin at which incidence is given."""


@dataclass(frozen=True)
class Incidence:
    """What has become of a lull `days` after its origin: shares of all histories, which add up to 1.

    `ended`: the event came; `war`: direct war came first; `lasts`: neither. `at_risk` histories were in the lull the
    day before. `error` is the Monte Carlo standard error of `ended`.
    """

    outcome: str
    days: int
    at_risk: int
    ended: float
    war: float
    lasts: float
    error: float


def incidence(
    outcome: str, event: Array, war: Array, origin: int, last: int, after: Sequence[int] = AFTER
) -> Iterator[Incidence]:
    """Cumulative incidence of an event and of war (run,), both day numbers, NEVER for never, up to day `last`.

    War on the day of the event comes after it: attacks are made before war breaks out.

    >>> days, war = np.array([5, -1, 40, -1]), np.array([-1, 8, 50, -1])
    >>> one = next(incidence("lull_days", days, war, 0, 100, [30]))
    >>> one.at_risk, one.ended, one.war, one.lasts
    (2, 0.25, 0.25, 0.5)
    """
    came, broke_out = (np.where(one == NEVER, np.inf, one.astype(np.float64)) for one in (event, war))
    ends = np.isfinite(came) & (came <= broke_out)
    for days in after:
        if origin + days > last:
            return
        over, war_first = ends & (came <= origin + days), ~ends & (broke_out <= origin + days)
        ended, at_war = float(over.mean()), float(war_first.mean())
        at_risk = int((np.minimum(came, broke_out) >= origin + days).sum())
        error = float(np.sqrt(ended * (1.0 - ended) / len(came)))
        yield Incidence(outcome, days, at_risk, ended, at_war, float((~over & ~war_first).mean()), error)


def durations(data: "xr.Dataset", calendar: Calendar) -> tuple[Incidence, ...]:
    """Of the lull since the strikes, and of the quiet since the report, in an ensemble."""
    war, last = data["war_day"].values, calendar.days - 1
    return (
        *incidence("lull_days", data["resumption_day"].values, war, calendar.strikes, last),
        *incidence("quiet_days", data["first_attack_day"].values, war, calendar.report, last),
    )
