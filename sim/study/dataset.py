"""From the engine's arrays to one labelled Dataset: named dimensions, units, and what the numbers mean."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from sim.engine.record import BINS, WEEK, Output
from sim.rules.outcomes import WINDOWS, Outcome
from sim.study.outcomes import ACKNOWLEDGED, ATTACKS, OUTCOMES_BY_NAME, outcome_values, theatre_counts
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]


def dataset_of(scenario: Scenario, runs: Array, output: Output) -> xr.Dataset:
    """Outcomes of runs (run,), counts by wing and by theatre, weekly histogram, and daily counts where kept."""
    cast = scenario.cast
    theatres, wings = list(cast.theatres), list(cast.wings)
    data = xr.Dataset(
        coords={
            "run": ("run", runs, {"long_name": "run number, part of the address of every draw"}),
            "wing": ("wing", np.array(wings, dtype=object)),
            "theatre": ("theatre", np.array(theatres, dtype=object)),
            "window": ("window", np.array(WINDOWS, dtype=object)),
            "wing_theatre": ("wing", np.array([cast.wings[key].theatre for key in wings], dtype=object)),
            "theatre_kind": ("theatre", np.array([cast.theatres[key].kind for key in theatres], dtype=object)),
            "date": ("day", dates(scenario), {"long_name": "date of the day number"}),
        }
    )
    data["wing_attacks"] = (("run", "wing", "window"), output.counts[..., 0])
    data["wing_acknowledged"] = (("run", "wing", "window"), output.counts[..., 1])
    data["compliance_lag"] = (("run", "wing"), output.lags)
    by_theatre = theatre_counts(scenario, output)
    for what, place in (("attacks", ATTACKS), ("acknowledged", ACKNOWLEDGED)):
        data[f"theatre_{what}"] = (("run", "theatre", "window"), np.moveaxis(by_theatre[:, :, place], -1, 0))
    for name, values in outcome_values(scenario, output, by_theatre).items():
        data[name] = ("run", values)
    add_weekly(data, output)
    if len(output.daily):
        data["attacks_by_day"] = (("run", "day", "theatre"), output.daily[..., 0])
        data["acknowledged_by_day"] = (("run", "day", "theatre"), output.daily[..., 1])
    describe(data)
    return data


def dates(scenario: Scenario) -> Array:
    """The date of every day number (day,), as datetime64[D]."""
    return np.datetime64(scenario.calendar.start) + np.arange(scenario.calendar.days)


def add_weekly(data: xr.Dataset, output: Output) -> None:
    """Histories by theatre, full week and number of attacks; the last bin holds its number and all above."""
    data["weekly_histogram"] = (("theatre", "week", "attacks"), output.weekly)
    data["weekly_histogram"].attrs = {"units": "histories", "long_name": "histories with so many attacks in the week"}
    data.coords["attacks"] = ("attacks", np.arange(BINS))
    data.coords["week_start"] = ("week", np.arange(output.weekly.shape[1]) * WEEK, {"units": "day"})


def describe(data: xr.Dataset) -> None:
    """Give every variable its unit and meaning."""
    for name, outcome in OUTCOMES_BY_NAME.items():
        data[name].attrs = attributes(outcome)
    counts = {"attacks": "attacks", "acknowledged": "acknowledged attacks"}
    for what, text in counts.items():
        for place in ("wing", "theatre"):
            data[f"{place}_{what}"].attrs = {"units": "attacks", "long_name": f"{text} by {place} and window"}
        if f"{what}_by_day" in data:
            data[f"{what}_by_day"].attrs = {"units": "attacks/day", "long_name": f"{text} by day and theatre"}
    data["compliance_lag"].attrs = {
        "units": "days",
        "long_name": "days from the first order to hold back until the wing complied; -1 for never",
    }


def attributes(outcome: Outcome) -> dict[str, Any]:
    """Attributes of an outcome's variable."""
    never = "; -1 for never" if outcome.name.endswith("_day") else ""
    return {"units": outcome.unit, "long_name": outcome.text + never, "heavy_tailed": int(outcome.heavy_tailed)}


def states_of(scenario: Scenario, runs: Iterable[int], output: Output) -> xr.Dataset:
    """The full state of every day of some runs: (run, day), (run, day, theatre) and (run, day, wing) variables."""
    data = xr.Dataset(
        coords={
            "run": ("run", np.asarray(list(runs))),
            "date": ("day", dates(scenario)),
            "theatre": ("theatre", np.array(list(scenario.cast.theatres), dtype=object)),
            "wing": ("wing", np.array(list(scenario.cast.wings), dtype=object)),
        }
    )
    tables = (
        ("", ("run", "day"), output.run_states),
        ("theatre_", ("run", "day", "theatre"), output.front_states),
        ("wing_", ("run", "day", "wing"), output.wing_states),
    )
    for prefix, dimensions, table in tables:
        for name in table.dtype.names or ():
            data[prefix + name] = (dimensions, np.ascontiguousarray(table[name]))
    return data
