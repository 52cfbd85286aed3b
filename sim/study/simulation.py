"""`simulate`: a scenario, a number of runs and a seed in; one labelled Dataset out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import Wanted, run_batch
from sim.study.dataset import dataset_of, states_of
from sim.study.drawn import Drawn, drawn_of, points_of
from sim.study.provenance import provenance
from sim.study.request import check_one_point
from sim.world.extension import Extension
from sim.world.scenario import Config, load

if TYPE_CHECKING:
    import xarray as xr

Override = str | int | float | bool


def simulate(
    scenario: str = "article",
    runs: int = 1000,
    seed: int = 1,
    *,
    overrides: Mapping[str, Override] | Sequence[str] = (),
    daily: bool = False,
    states: Sequence[int] = (),
    threads: int = 0,
    config_dir: Path | str | None = None,
    extensions: Sequence[Extension | Path | str] = (),
) -> "xr.Dataset":
    """Simulate an ensemble of histories of one scenario.

    Args:
        scenario: name of a scenario file, such as `article` or `tight_leash`.
        runs: number of histories, numbered from 0; the same number meets the same luck in every scenario.
        seed: study seed, 0 to 2**64 - 1.
        overrides: configuration keys and values, such as `{"patron.control": 0.9, "history": "free"}`.
        daily: keep attacks and acknowledged attacks by run, day and theatre.
        states: run numbers whose full state table is wanted, day by day; its variables are named `state_...` over the
            dimension `state_run`.
        threads: 0 uses every core. The result does not depend on it.
        config_dir: a folder with scenario files of your own.
        extensions: outcomes, rules, mechanisms and actors of your own, or Python files that define them.

    Returns:
        Dataset with one variable per outcome over `run`, counts over (run, wing, window) and (run, theatre, window),
        and a histogram of weekly attacks over (theatre, week, attacks). Units are in each variable's `units`.

    Raises:
        UserError: an unknown scenario or key, or a value that is not allowed; one line.
    """
    check_one_point(_spelled(overrides))
    told = [f"scenario={scenario}", *_spelled(overrides), f"study.runs={runs}", f"seed={seed}"]
    config = load(told, config_dir, extensions)
    data = simulate_config(config, daily=daily, threads=threads)
    if len(states):
        table = state_table(config, states, threads).rename(run="state_run")
        data = data.assign(table.rename({name: f"state_{name}" for name in table.data_vars}))
    return data


def simulate_config(
    config: Config,
    *,
    runs: int | None = None,
    daily: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    drawn: Drawn | None = None,
) -> "xr.Dataset":
    """Simulate a configuration that was already composed; runs, threads and draws default to the configured ones.

    Raises:
        UserError: the configured posterior cannot be used.
    """
    numbers: npt.NDArray[Any] = np.arange(config.runs if runs is None else runs)
    table = (drawn_of(config) if drawn is None else drawn).table(config.scenario)
    output = run_batch(
        table,
        config.seed,
        numbers,
        points_of(table, numbers),
        wanted=Wanted(daily=daily),
        threads=config.threads if threads is None else threads,
        progress=progress,
    )
    data = dataset_of(config.scenario, numbers, output)
    data.attrs = provenance(config)
    return data


def state_table(config: Config, runs: Sequence[int], threads: int = 0) -> "xr.Dataset":
    """The full state of every day of the runs named: what a replay shows, zero after direct war."""
    table = drawn_of(config).table(config.scenario)
    output = run_batch(table, config.seed, runs, points_of(table, runs), Wanted(states=True), threads)
    return states_of(config.scenario, runs, output)


def _spelled(overrides: Mapping[str, Override] | Sequence[str]) -> list[str]:
    if not isinstance(overrides, Mapping):
        return list(overrides)
    return [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in overrides.items()]
