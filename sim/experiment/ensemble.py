"""Ensembles of one configuration: streamed in chunks, kept in a netCDF file, or as one Dataset (`simulate`).

A stream of any size takes the memory of one chunk: outcomes are counted, weekly attacks go into a histogram, each chunk
is handed to a function that may keep it, and only the first one stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

import numpy as np

from sim.engine.record import Output, OutputSpec
from sim.experiment.command import Composed, check_one_machine, check_read, override_texts, study_call
from sim.experiment.dataset import dataset_of, outcomes_in, states_of
from sim.experiment.parameter_sets import ParameterSets
from sim.experiment.result_dir import provenance
from sim.experiment.runner import CHUNK, Progress, chunks, ensemble
from sim.experiment.statistics import Array, Tally
from sim.model.hydra_config import override_of
from sim.model.scenario import CONDITIONED, DEFAULTS, POSTERIOR, Config, load
from sim.model.validation import UserError

if TYPE_CHECKING:
    import h5netcdf
    import xarray as xr


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
    progress: Progress | None = None,
    batch: int = CHUNK,
) -> Ensemble:
    """Simulate the configured histories.

    Args:
        config: the configuration; its runs are numbered from 0.
        keep: called with each batch, in order.
        progress: called with numbers of finished histories; where it keeps checkpoints, finished batches are reused.
        batch: histories simulated at a time; the result does not depend on it.

    Raises:
        UserError: a batch would not fit into the free memory, or the configured posterior cannot be used.
    """
    experiment = ensemble(config)
    size = min(batch, config.runs)
    experiment.require_memory(size, 0, "study.runs", config.runs)
    Thread(target=_import_labels, daemon=True).start()
    whole: Ensemble | None = None

    def make(part: range, done: Progress | None) -> dict[str, Array]:
        return experiment.simulate(runs=np.arange(part.start, part.stop), progress=done)._asdict()

    starts = range(0, config.runs, size)
    for start, arrays in zip(starts, chunks(config.runs, size, make, progress), strict=True):
        runs = np.arange(start, min(start + size, config.runs))
        data = dataset_of(config.scenario, runs, Output(**arrays)).assign_attrs(provenance(config))
        if keep is not None:
            keep(data)
        counted = tallied(data)
        whole = Ensemble(data, counted, len(runs)) if whole is None else whole.joined(data, counted)
    assert whole is not None
    return whole


def stream_whole(config: Config, progress: Progress | None = None, batch: int = CHUNK) -> "tuple[Ensemble, xr.Dataset]":
    """A stream and all its histories, as `simulate` gives them.

    Raises:
        UserError: they would not fit into the free memory, or the configured posterior cannot be used.
    """
    import xarray as xr

    ensemble(config).require_memory(config.runs, 0, "study.runs", config.runs)
    batches: list[xr.Dataset] = []
    found = stream(config, keep=batches.append, progress=progress, batch=batch)
    if len(batches) == 1:
        return found, found.first
    data = xr.concat(batches, dim="run", data_vars="minimal", coords="minimal", compat="override")
    return found, data.assign(weekly_histogram=found.first["weekly_histogram"])


def _import_labels() -> None:
    """Import what the first dataset needs while kernels, which hold no interpreter lock, are at work."""
    import xarray as xr

    xr.Variable((), 0)  # xarray looks for dask only here


STORED_RUNS: Final = 4096
"""Runs stored, and read back, at a time."""


class HistoryFile:
    """A netCDF file that grows along `run`; the latest batch waits, so a single one costs no time before the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: xr.Dataset | None = None
        self._begun = False

    def append(self, data: "xr.Dataset") -> None:
        """Add the next batch of runs."""
        self._write()
        self._waiting = data

    def close(self, **known_at_the_end: "np.ndarray[Any, Any]") -> None:
        """Write what waits, and with it the final values of variables that do not grow."""
        self._write(known_at_the_end)

    def _write(self, final: "Mapping[str, np.ndarray[Any, Any]]" = MappingProxyType({})) -> None:
        import h5netcdf

        data, self._waiting = self._waiting, None
        if data is None:
            return
        with h5netcdf.File(self.path, "a" if self._begun else "w") as file:
            if self._begun:
                _extend(file, data)
            else:
                _begin(file, data)
            for name, values in final.items():
                file.variables[name][...] = values
        self._begun = True


def write_histories(path: Path, data: "xr.Dataset") -> None:
    """Write histories that are all there."""
    file = HistoryFile(path)
    file.append(data)
    file.close()


def _begin(file: "h5netcdf.File", data: "xr.Dataset") -> None:
    """Write the first batch, encoded as xarray encodes it.

    `Dataset.to_netcdf` does the same in twice the time, and imports dask and distributed to look for a scheduler.
    """
    import h5py
    from xarray.conventions import cf_encoder, encode_dataset_coordinates

    variables, attributes = cf_encoder(*encode_dataset_coordinates(data))
    file.dimensions = {str(dim): None if dim == "run" else size for dim, size in data.sizes.items()}
    file.resize_dimension("run", data.sizes["run"])
    file.attrs.update(attributes)
    for name, one in variables.items():
        attrs = dict(one.attrs)
        number = one.dtype.kind in "iuf"
        packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if number and one.ndim else {}
        chunks = tuple(STORED_RUNS if dim == "run" else size for dim, size in one.sizes.items())
        made = file.create_variable(
            str(name),
            one.dims,
            one.dtype if number else h5py.string_dtype(),
            fillvalue=attrs.pop("_FillValue", None),
            chunks=chunks if "run" in one.dims else None,
            **packed,
        )
        made[...] = one.values
        made.attrs.update(attrs)


def _extend(file: "h5netcdf.File", data: "xr.Dataset") -> None:
    start = file.dimensions["run"].size
    stop = start + data.sizes["run"]
    file.resize_dimension("run", stop)
    for name, one in data.variables.items():
        if "run" in one.dims:
            file.variables[str(name)][start:stop, ...] = one.values


FEW_RUNS: Final = 1000
"""Histories that `simulate` makes where nothing says how many."""


@study_call
def simulate(
    scenario: str | None = None,
    *,
    runs: int | None = None,
    daily: bool = False,
    states: Sequence[int] = (),
    **study: Unpack[Composed],
) -> "xr.Dataset":
    """Simulate histories of one scenario and return them alone: the `data` of `run`, without judging or writing.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        runs: number of histories, numbered from 0; the same number has the same random numbers in every scenario.
            None: 1000, or as the overrides say.
        daily: keep attacks and acknowledged attacks by run, day and theatre.
        states: run numbers whose full state table is wanted, day by day; its variables are named `state_...` over the
            dimension `state_run`.
        **study: as in every call.

    Returns:
        Dataset with one variable per outcome over `run`, counts over (run, wing, window) and (run, theatre, window),
        and a histogram of weekly attacks over (theatre, week, attacks). Units are in each variable's `units`.

    Raises:
        UserError: an unknown scenario or key, or a value that is not allowed; one line.
    """
    given = {
        "scenario": scenario,
        "study.runs": runs,
        "seed": study.get("seed"),
        "engine.threads": study.get("threads"),
    }
    asked = override_texts(study.get("overrides", {}), given)
    check_read("run", asked)
    check_one_machine(asked)
    usual = override_of("study.runs", FEW_RUNS)
    config = load([usual, *asked], study.get("config_dir"), study.get("extensions", ()))
    if config.parameters_from == CONDITIONED:
        raise UserError("parameters", CONDITIONED, f"{DEFAULTS} or {POSTERIOR} here; docs/calibration.md shows how")
    data = simulate_config(config, daily=daily)
    if len(states):
        table = state_table(config, states, config.threads).rename(run="state_run")
        data = data.assign(table.rename({name: f"state_{name}" for name in table.data_vars}))
    return data


def simulate_config(
    config: Config,
    *,
    runs: int | None = None,
    daily: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    drawn: ParameterSets | None = None,
) -> "xr.Dataset":
    """Simulate a configuration that was already composed; runs, threads and draws default to the configured ones."""
    given: dict[str, Any] = {"runs": runs, "threads": threads}
    config = replace(config, **{name: one for name, one in given.items() if one is not None})
    experiment = ensemble(config, drawn=drawn, wanted=OutputSpec(daily=daily))
    experiment.require_memory(config.runs, 0, "study.runs", config.runs)
    output = experiment.simulate(progress=progress)
    data = dataset_of(config.scenario, np.arange(config.runs), output)
    data.attrs = provenance(config)
    return data


def state_table(config: Config, runs: Sequence[int], threads: int = 0) -> "xr.Dataset":
    """The full state of every day of the runs named: what a replay shows, zero after direct war."""
    output = ensemble(replace(config, threads=threads), wanted=OutputSpec(states=True)).simulate(runs=runs)
    return states_of(config.scenario, runs, output)
