"""A forecast from a user's counts: histories whose past is like theirs, and what came of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.events.counts import Counts
from sim.study.scores.bank import Bank, Levels, fill, known_at
from sim.study.scores.matching import Match, Pasts, match, pasts_of
from sim.study.scores.predictive import Predictive
from sim.world.errors import UserError
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]

WEEK: Final = 7
HISTORIES: Final = 100_000
PILOT: Final = 0.2
"""Share of the histories that look for the level of attacks first."""
WIDEST: Final = (0.125, 8.0)
"""Between which factors on baseline rates the level is looked for."""
ROOM: Final = 1.25
"""How far beyond the levels of the pilot's nearest histories the second bank reaches, as a factor."""


@dataclass(frozen=True)
class Forecast:
    """What histories like the user's past did after day `cut`.

    edges: ends (P + 1,) of the periods that are forecast, the first of them the cut. samples: attacks (M, P, K) by
    history, period and theatre.
    """

    cut: int
    edges: Array
    samples: Array
    match: Match
    bank: Bank

    @property
    def weights(self) -> Array:
        """Weights (M,) of the histories."""
        return self.match.weights

    def predictive(self, largest: int) -> Predictive:
        """Distribution of the total of each period, over counts up to `largest`."""
        return Predictive.of_samples(self.samples.sum(axis=2), self.weights, largest)


def forecast(pasts: Pasts, counts: Counts, edges: Array) -> Forecast:
    """The forecast that a bank gives from what was known at the end of the first of the `edges`."""
    found = match(pasts, counts)
    so_far = pasts.bank.so_far[found.places][:, edges + 1].astype(np.int64)
    return Forecast(int(edges[0]), edges, np.diff(so_far, axis=1), found, pasts.bank)


def bank_at(
    scenario: Scenario,
    counts: Counts,
    cut: int,
    last: int,
    seed: int,
    *,
    histories: int = HISTORIES,
    foresight: bool = False,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Bank:
    """A bank for a user's counts up to day `cut`, made in two rounds.

    The first round looks over a wide range for the level of attacks in each theatre, the second draws levels from about
    where the nearest histories of the first were, again with every ratio alike.

    Args:
        scenario: the case; documented history holds up to the cut.
        counts: what the user knows.
        cut: last day that may be looked at.
        last: last day to be lived.
        seed: study seed.
        histories: of both rounds together.
        foresight: whether events of the timeline that begin after the cut are known.
        threads: 0 uses every core.
        progress: called with numbers of finished histories.
    """
    known = known_at(scenario, cut, foresight)
    pilot = round(PILOT * histories)
    wide: Levels = dict.fromkeys(counts.theatres, WIDEST)
    days = counts.theatres, cut + 1
    first = fill(known, *days, pilot, seed, wide, threads=threads, progress=progress)
    near = first.factors[match(pasts_of(first, counts, cut), counts).places]
    levels = {one: _reach(near[:, k]) for k, one in enumerate(counts.theatres)}
    return fill(known, counts.theatres, last + 1, histories - pilot, seed, levels, pilot, threads, progress)


def _reach(factors: Array) -> tuple[float, float]:
    """A range of levels a little wider than nine in ten of these."""
    low, high = np.quantile(factors, (0.05, 0.95))
    return max(WIDEST[0], float(low) / ROOM), min(WIDEST[1], float(high) * ROOM)


def coming_periods(scenario: Scenario, counts: Counts, cut: int, weeks: int) -> Array:
    """Ends of the cut and of the periods of at least a week after it, over so many weeks.

    As far as counts are known after the cut the periods end where they are, then they are weeks.

    Raises:
        UserError: they do not fit into the calendar.
    """
    calendar, last = scenario.calendar, cut + WEEK * weeks
    if last >= calendar.days:
        fit = (calendar.days - 1 - cut) // WEEK
        more = "set until= to an earlier day, or calendar.days to more"
        raise UserError("weeks", weeks, f"at most {fit} up to the end of the calendar; {more}")
    edges = [cut]
    for end in counts.ends[(counts.ends > cut) & (counts.ends <= last)].tolist():
        if end - edges[-1] >= WEEK:
            edges.append(end)
    while edges[-1] + WEEK <= last:
        edges.append(edges[-1] + WEEK)
    return np.array(edges)


def without(scenario: Scenario, names: tuple[str, ...]) -> Scenario:
    """The scenario without some events of its timeline."""
    return replace(scenario, events=tuple(one for one in scenario.events if one.id not in names))
