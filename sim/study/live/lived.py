"""One live ensemble: as few numbers as a chart, a table and verdicts ask for, all equal to those of `simulate`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import Wanted, run_batch
from sim.engine.record import WEEK, Output
from sim.rules.outcomes import NEVER
from sim.study.dataset import dataset_of
from sim.study.drawn import drawn_of, points_of
from sim.study.evidence import Evidence
from sim.study.outcomes import ACKNOWLEDGED, outcomes_of
from sim.study.patterns import Verdict, at_once, verdicts_on
from sim.study.stream import tallied
from sim.study.summary import TWENTIETHS, Statistic, counted_quantile, statistics
from sim.world.scenario import Config

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[Any]
Bands = Mapping[str, Array]
"""Quantiles by the names of `TWENTIETHS`, each (week,); NaN where every history has ended in war."""

TOTAL: Final = ""
"""In place of a theatre: acknowledged attacks on the target in all theatres together."""


@dataclass(frozen=True)
class Lived:
    """An ensemble that was lived: its outcomes, their statistics, and bands of attacks a week by theatre."""

    config: Config
    data: "xr.Dataset"
    output: Output
    stats: tuple[Statistic, ...]
    bands: Mapping[str, Bands]

    def verdicts_at_once(self) -> tuple[Verdict, ...]:
        """The patterns that need no further histories, judged."""
        return tuple(verdicts_on(self._evidence(None), filter(at_once, self.config.patterns)))

    def verdicts_later(self, progress: Callable[[int], None] | None = None) -> Iterator[Verdict]:
        """The other patterns, one after another: seconds. `progress` hears of finished histories and may raise."""
        return verdicts_on(self._evidence(progress), (one for one in self.config.patterns if not at_once(one)))

    def _evidence(self, progress: Callable[[int], None] | None) -> Evidence:
        return Evidence(self.config, self.data, drawn_of(self.config), progress)


def live(config: Config) -> Lived:
    """Live the configured histories.

    Raises:
        UserError: the configured posterior cannot be used.
    """
    numbers: Array = np.arange(config.runs)
    scenario = config.scenario
    table = drawn_of(config).table(scenario)
    points = points_of(table, numbers)
    whole = run_batch(table, config.seed, numbers, points, Wanted(daily=True), config.threads)
    # Day by day a hundred times what is kept: one line of the chart is all that it is for. A slice would keep it all.
    output = whole._replace(daily=whole.daily[:0].copy())
    data = dataset_of(scenario, numbers, output)
    return Lived(
        config=config,
        data=data,
        output=output,
        stats=statistics(tallied(data), outcomes_of(scenario.extended).values()),
        bands=_bands(config, whole, data["war_day"].values),
    )


def _bands(config: Config, output: Output, war_day: Array) -> dict[str, Bands]:
    theatres = config.scenario.cast.theatres
    found: dict[str, Bands] = {TOTAL: _total_bands(config, output.daily, war_day)}
    for place, name in enumerate(theatres):
        counts = output.weekly[place]
        found[name] = {key: _shown(counted_quantile(counts, part)) for key, part in TWENTIETHS.items()}
    return found


def _total_bands(config: Config, daily: Array, war_day: Array) -> Bands:
    """Quantiles of acknowledged attacks a week on the target, over the histories that had not ended in war."""
    theatres = config.scenario.cast.theatres.values()
    on_target = [place for place, one in enumerate(theatres) if one.kind == "target"]
    weeks = daily.shape[1] // WEEK
    days = daily[:, : weeks * WEEK, :, ACKNOWLEDGED][:, :, on_target].sum(axis=2, dtype=np.int32)
    counts = days.reshape(len(daily), weeks, WEEK).sum(axis=2)
    over = np.where(war_day == NEVER, weeks * WEEK, war_day)[:, None] < np.arange(1, weeks + 1) * WEEK
    return _quantiles(np.where(over, np.iinfo(counts.dtype).max, counts), (~over).sum(axis=0))


def _quantiles(counts: Array, histories: Array) -> dict[str, Array]:
    """Quantiles by week of counts (run, week), of which the first `histories` (week,) in order are meant."""
    ordered = np.sort(counts, axis=0)
    found = {}
    for key, part in TWENTIETHS.items():
        ranks = -(-histories * part // 20) - 1
        values = np.take_along_axis(ordered, np.maximum(ranks, 0)[None], axis=0)[0]
        found[key] = np.where(histories > 0, values, np.nan)
    return found


def _shown(band: Array) -> Array:
    return np.where(band < 0, np.nan, band.astype(np.float64))
