"""Worker threads that simulate the ensembles that sessions ask for; recent results are kept.

An ensemble holds only the numbers that a chart, a table and pattern verdicts need; all of them equal those of
`simulate`. Two ensembles are compared run by run under common random numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from traceback import clear_frames
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.analysis.comparison.arms import ComparedArm, check_alike, common_day, pinned_words
from sim.analysis.comparison.paired import (
    Draws,
    Effect,
    Measure,
    columns_of,
    effect_of,
    effect_without_war,
    measures_of,
)
from sim.analysis.durations import Outlook, expected
from sim.analysis.pattern_tests import Evidence, Verdict, at_once, verdicts_on
from sim.analysis.summary import Statistic, statistics
from sim.app.form_settings import BaseConfig, ExploreState, ScenarioSettings, initial_state
from sim.engine.record import WEEK, Output, OutputSpec
from sim.experiment.dataset import ACKNOWLEDGED, dataset_of, outcomes_of
from sim.experiment.ensemble import tallied
from sim.experiment.parameter_sets import drawn_of
from sim.experiment.runner import ensemble
from sim.experiment.statistics import TWENTIETHS, Tally, histogram_quantile
from sim.model.scenario import Config
from sim.rules.outcomes import NEVER

if TYPE_CHECKING:
    import xarray as xr

from sim.experiment.statistics import Array

Bands = Mapping[str, Array]
"""Quantiles by the names of `TWENTIETHS`, each (week,); NaN where every run has ended in war."""

TOTAL: Final = ""
"""In place of a theatre: acknowledged attacks on the target in all theatres together."""
REMEMBERED: Final = 16
"""Ensembles that are kept, a megabyte each: a pair of which only one side changes simulates one."""
COMPARED: Final = (
    "acknowledged_campaign", "acknowledged_lull", "attacks_after", "lull_days", "quiet_days", "deaths", "deaths_10",
    "injured", "peak_war_risk", "war",
)  # fmt: skip
"""Measures of a pair that the page shows; `lull compare` shows all."""


@dataclass(frozen=True)
class EnsembleResult:
    """A simulated ensemble: its outcomes, their statistics, and bands of attacks a week by theatre."""

    config: Config
    data: "xr.Dataset"
    output: Output
    stats: tuple[Statistic, ...]
    bands: Mapping[str, Bands]

    def quick_verdicts(self) -> tuple[Verdict, ...]:
        """Verdicts on the patterns that need no further runs."""
        return tuple(verdicts_on(self._evidence(None), filter(at_once, self.config.patterns)))

    def slow_verdicts(self, progress: Callable[[int], None] | None = None) -> Iterator[Verdict]:
        """Verdicts on the other patterns, one by one: seconds. `progress` gets the finished runs and may raise."""
        return verdicts_on(self._evidence(progress), (one for one in self.config.patterns if not at_once(one)))

    def _evidence(self, progress: Callable[[int], None] | None) -> Evidence:
        return Evidence(self.config, self.data, drawn_of(self.config), progress)


def run_ensemble(config: Config) -> EnsembleResult:
    """Simulate the configured runs."""
    numbers: Array = np.arange(config.runs)
    scenario = config.scenario
    whole = ensemble(config, wanted=OutputSpec(daily=True)).simulate()
    # Daily counts are a hundred times the rest, and only one band of the chart needs them. A slice would keep them all.
    output = whole._replace(daily=whole.daily[:0].copy())
    data = dataset_of(scenario, numbers, output)
    bands: dict[str, Bands] = {TOTAL: _total_bands(config, whole.daily, data["war_day"].values)}
    for place, name in enumerate(scenario.cast.theatres):
        counted = {key: histogram_quantile(output.weekly[place], part) for key, part in TWENTIETHS.items()}
        bands[name] = {key: np.where(band < 0, np.nan, band.astype(np.float64)) for key, band in counted.items()}
    stats = statistics(tallied(data), outcomes_of(scenario).values())
    return EnsembleResult(config, data, output, stats, bands)


def _total_bands(config: Config, daily: Array, war_day: Array) -> Bands:
    """Quantiles of acknowledged attacks a week on the target, over the runs that had not ended in war."""
    on_target = config.scenario.cast.target_places
    weeks = daily.shape[1] // WEEK
    days = daily[:, : weeks * WEEK, :, ACKNOWLEDGED][:, :, on_target].sum(axis=2, dtype=np.int32)
    counts = days.reshape(len(daily), weeks, WEEK).sum(axis=2)
    over = np.where(war_day == NEVER, weeks * WEEK, war_day)[:, None] < np.arange(1, weeks + 1) * WEEK
    ordered = np.sort(np.where(over, np.iinfo(counts.dtype).max, counts), axis=0)
    running = (~over).sum(axis=0)
    bands = {}
    for key, part in TWENTIETHS.items():
        ranks = -(-running * part // 20) - 1
        values = np.take_along_axis(ordered, np.maximum(ranks, 0)[None], axis=0)[0]
        bands[key] = np.where(running > 0, values, np.nan)
    return bands


# --- pairs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ComparisonRow:
    """One measure of a pair: over all pairs (until war, where war censors it), and over those without war."""

    measure: Measure
    effect: Effect
    no_war: Effect

    @property
    def comparable(self) -> Effect:
        """The difference that may be compared."""
        return self.no_war if self.measure.censored else self.effect


def free_from_same_day(a: Config, b: Config) -> tuple[Config, Config, str]:
    """Both configurations with documented history pinned before the same day, and what is pinned, in words.

    Differences would otherwise confound what a scenario changes with the release of pinned events.
    """
    first, second = (ComparedArm(one.scenario.name, one, frozenset()) for one in (a, b))
    check_alike(second, first)
    day = common_day((first, second))
    a, b = (replace(arm.config, scenario=arm.freed(day)) for arm in (first, second))
    return a, b, pinned_words(a.scenario, day)


def compare_pair(a: EnsembleResult, b: EnsembleResult) -> tuple[ComparisonRow, ...]:
    """The measures of a pair: B against A, run by run."""
    first, second = (columns_of(one.config.scenario, one.output) for one in (a, b))
    measures = {one.name: one for one in measures_of(a.config.scenario)}
    without_war = ~(first["war"] | second["war"]).astype(bool)
    rows = []
    for name in (*(one.text for one in a.config.scenario.asked), *COMPARED):
        measure, left, right = measures[name], first[name].astype(np.float64), second[name].astype(np.float64)
        draws = Draws.of(left[None], right[None], measure.heavy)
        effect = effect_of(draws, len(left), Tally.of(right - left), measure.heavy)
        apart = Draws.of(left[None], right[None], measure.heavy, without_war[None])
        rows.append(ComparisonRow(measure, effect, effect_without_war(apart, len(left), measure.heavy)))
    return tuple(rows)


# --- the workers --------------------------------------------------------------------------------------------


class SupersededError(Exception):
    """The session has asked for something newer."""


@dataclass(frozen=True)
class ExploreView:
    """What there is to show: ensemble A with its verdicts so far, and B with its differences to A.

    `pinned` says in words what is pinned in a pair; it is empty without a pair. `outlook` is how the observed winter
    goes on under A, None where A is of another winter.
    """

    state: ExploreState
    a: EnsembleResult
    verdicts: tuple[Verdict, ...]
    b: EnsembleResult | None = None
    rows: tuple[ComparisonRow, ...] = ()
    pinned: str = ""
    outlook: Outlook | None = None


class WorkerPool:
    """The base configuration of all sessions, and the workers that simulate on it.

    `quick` does what a visitor waits for, `patient` work that may be superseded.
    """

    def __init__(self, base: BaseConfig) -> None:
        self.base = base
        self.quick = ThreadPoolExecutor(2, "quick")
        self.patient = ThreadPoolExecutor(1, "patient")
        self._ensemble = lru_cache(REMEMBERED)(self._simulate)
        self._outlook = lru_cache(REMEMBERED)(lambda settings, seed: expected(base.config(settings, seed))[0])

    def view(self, state: ExploreState) -> ExploreView:
        """Simulate a state; verdicts on patterns that take longer are left out."""
        config_a, config_b, pinned = self.base.config(state.a, state.seed), None, ""
        if state.b is not None:
            config_a, config_b, pinned = free_from_same_day(config_a, self.base.config(state.b, state.seed))
        a = self._ensemble(state.a, state.seed, config_a.scenario.free_from)
        outlook = self._outlook(state.a, state.seed)
        if state.b is None or config_b is None:
            return ExploreView(state, a, a.quick_verdicts(), outlook=outlook)
        b = self._ensemble(state.b, state.seed, config_b.scenario.free_from)
        return ExploreView(state, a, a.quick_verdicts(), b, compare_pair(a, b), pinned, outlook)

    def judge(self, view: ExploreView, superseded: Callable[[], bool]) -> Iterator[Verdict]:
        """The verdicts that take longer, one by one, until something newer is asked for."""

        def check(_: int) -> None:
            if superseded():
                raise SupersededError

        try:
            yield from view.a.slow_verdicts(check)
        except SupersededError as stopped:
            # Its frames hold the unfinished runs, which hold the error: megabytes that would wait for the collector.
            clear_frames(stopped.__traceback__)

    def warm_up(self) -> None:
        """Simulate what is shown first, so that compiled code and libraries are ready for the first visitor."""
        view = self.view(initial_state(self.base))
        compare_pair(view.a, view.a)

    def close(self) -> None:
        """Stop the workers."""
        self.quick.shutdown(wait=False, cancel_futures=True)
        self.patient.shutdown(wait=False, cancel_futures=True)

    def _simulate(self, settings: ScenarioSettings, seed: int, free_from: int | None) -> EnsembleResult:
        config = self.base.config(settings, seed)
        return run_ensemble(replace(config, scenario=replace(config.scenario, free_from=free_from)))
