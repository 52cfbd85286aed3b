"""What `lull calibrate data=FILE` does: fit to a user's counts and forecast, or forecast the past again, to score."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.events.counts import Counts
from sim.study.events.filters import filters_of
from sim.study.events.reading import read_events
from sim.study.scores.bank import lived_again
from sim.study.scores.forecasting import Forecast, bank_at, coming_periods, forecast, without
from sim.study.scores.matching import pasts_of
from sim.study.scores.skill import Trial, cuts_of, trials
from sim.world.errors import UserError
from sim.world.scenario import Config
from sim.world.timeline import Event

Array = npt.NDArray[Any]
Progress = Callable[[int], None] | None

LEAST_DAYS: Final = 14
"""Days of counts that a forecast asks for at least."""


@dataclass(frozen=True)
class Effect:
    """What an event of the timeline that lies ahead brings about, history by history with the same luck.

    `differences` (M, P) are attacks with the event less attacks without it, by history that is kept and by period.
    """

    event: Event
    differences: Array


@dataclass(frozen=True)
class Prediction:
    """A forecast from a user's counts, and the effects of the events that lie ahead.

    `counts` are all that are known, those after the cut too; `bare` (M, P) is the forecast without any event ahead.
    """

    counts: Counts
    forecast: Forecast
    effects: tuple[Effect, ...]
    bare: Array


def own_counts(config: Config, path: Path | str) -> Counts:
    """A user's file, read by the configuration's filters.

    Raises:
        UserError: the file or a filter cannot be used; one line.
    """
    scenario = config.scenario
    return read_events(path, filters_of(config.tree, scenario.cast), scenario.calendar)


def predict(
    config: Config, counts: Counts, until: date | None, weeks: int, histories: int, progress: Progress = None
) -> Prediction:
    """Fit to counts up to a day and forecast the weeks after it; events of the timeline are known, those ahead too.

    Args:
        config: the case; documented history holds up to the day.
        counts: what is known.
        until: the last day that is looked at, None for the last known.
        weeks: how many are forecast.
        histories: how many are lived.
        progress: called with numbers of finished histories.

    Raises:
        UserError: too few days are known, or the weeks do not fit into the calendar.
    """
    scenario = config.scenario
    cut = int(counts.ends[-1]) if until is None else _cut(config, counts, until)
    if cut - counts.ends[0] < LEAST_DAYS:
        raise UserError("data", f"{cut - counts.ends[0]} days", f"at least {LEAST_DAYS} days of counts to be fitted")
    edges = coming_periods(scenario, counts, cut, weeks)
    known = counts.upto(cut)
    bank = bank_at(
        scenario, known, cut, int(edges[-1]), config.seed,
        histories=histories, foresight=True, threads=config.threads, progress=progress,
    )  # fmt: skip
    found = forecast(pasts_of(bank, known, cut), known, edges)
    coming = (one for one in bank.scenario.events if cut < one.first <= edges[-1])
    ahead = sorted(coming, key=lambda one: one.first)
    whole = found.samples.sum(axis=2)
    effects = [Effect(one, whole - spared(found, (one.id,), config.threads)) for one in ahead]
    bare = spared(found, tuple(one.id for one in ahead), config.threads) if ahead else whole
    return Prediction(counts, found, tuple(effects), bare)


def spared(found: Forecast, events: tuple[str, ...], threads: int = 0) -> Array:
    """Attacks (M, P) of the histories that are kept, lived again with the same luck but without some events."""
    scenario = without(found.bank.scenario, events)
    so_far = lived_again(found.bank, found.match.places, scenario, threads)[:, found.edges + 1]
    return np.diff(so_far.sum(axis=2, dtype=np.int64), axis=1)


def evaluate(config: Config, counts: Counts, histories: int, progress: Progress = None) -> list[Trial]:
    """Forecast the user's own past from several days on and score it; events that began later are not known.

    `progress` is called with numbers of finished histories.

    Raises:
        UserError: the counts are too short.
    """
    scenario, seed = config.scenario, config.seed

    def bank_for(known: Counts, cut: int, last: int) -> Any:
        return bank_at(
            scenario, known.upto(cut), cut, last, seed, histories=histories, threads=config.threads, progress=progress
        )

    return trials([counts], bank_for, seed)


def cut_count(counts: Counts) -> int:
    """How many forecasts `evaluate` makes."""
    return len(cuts_of(counts))


def _cut(config: Config, counts: Counts, until: date) -> int:
    calendar = config.scenario.calendar
    day = calendar.day_of(until)
    first, last = (calendar.date_of(int(counts.ends[place])) for place in (0, -1))
    if not counts.ends[0] < day <= counts.ends[-1]:
        raise UserError("until", until, f"a day after {first}, up to {last}: what the file covers")
    return counts.nearest_end(day)
