"""An ensemble of any size in the memory of one batch.

Histories are lived batch by batch: outcomes are tallied, weekly attacks go into a histogram, each batch is handed to
whoever wants to keep it, and only the first one stays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from sim.engine.ensemble import OUTCOMES_ONLY, run_batch, thread_count
from sim.engine.table import Table
from sim.study.dataset import dataset_of
from sim.study.drawn import drawn_of, points_of
from sim.study.memory import forecast, require
from sim.study.outcomes import outcomes_in
from sim.study.preload import preload
from sim.study.provenance import provenance
from sim.study.tally import Tally
from sim.world.scenario import Config

if TYPE_CHECKING:
    import xarray as xr

BATCH: Final = 20_000
"""Histories lived at a time: some 20 MB."""
LABELLING: Final = ("xarray", "dask.array")
"""What the first dataset imports, dask because xarray asks whether an array is one of its: a second or so."""


@dataclass(frozen=True)
class Ensemble:
    """What is left of an ensemble.

    `first` holds the first histories whole, with the weekly histogram of all; `tallies` count every outcome of all.
    """

    first: "xr.Dataset"
    tallies: Mapping[str, Tally]
    runs: int

    def joined(self, batch: "xr.Dataset", tallies: Mapping[str, Tally]) -> Self:
        """With one more batch counted in."""
        weekly = self.first["weekly_histogram"] + batch["weekly_histogram"].values
        return replace(
            self,
            first=self.first.assign(weekly_histogram=weekly.assign_attrs(self.first["weekly_histogram"].attrs)),
            tallies={name: one + tallies[name] for name, one in self.tallies.items()},
            runs=self.runs + batch.sizes["run"],
        )


def tallied(data: "xr.Dataset") -> dict[str, Tally]:
    """A tally of every outcome of a dataset."""
    return {name: Tally.of(data[name].values) for name in outcomes_in(data.variables)}


def stream(
    config: Config,
    *,
    keep: "Callable[[xr.Dataset], None] | None" = None,
    progress: Callable[[int], None] | None = None,
    batch: int = BATCH,
) -> Ensemble:
    """Live the configured histories.

    Args:
        config: the configuration; its runs are numbered from 0.
        keep: called with each batch, in order.
        progress: called with numbers of finished histories.
        batch: histories lived at a time; the result does not depend on it.

    Raises:
        UserError: a batch would not fit into the free memory, or the configured posterior cannot be used.
    """
    table = drawn_of(config).table(config.scenario)
    size = min(batch, config.runs)
    require(forecast(table, size, OUTCOMES_ONLY, thread_count(config.threads)), "study.runs", config.runs)
    preload(*LABELLING)
    ensemble: Ensemble | None = None
    for start in range(0, config.runs, size):
        data = _lived(config, table, np.arange(start, min(start + size, config.runs)), progress)
        if keep is not None:
            keep(data)
        counted = tallied(data)
        ensemble = Ensemble(data, counted, data.sizes["run"]) if ensemble is None else ensemble.joined(data, counted)
    assert ensemble is not None
    return ensemble


def _lived(
    config: Config,
    table: Table,
    runs: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    progress: Callable[[int], None] | None,
) -> "xr.Dataset":
    output = run_batch(table, config.seed, runs, points_of(table, runs), threads=config.threads, progress=progress)
    return dataset_of(config.scenario, runs, output).assign_attrs(provenance(config))
