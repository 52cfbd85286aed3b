"""From the engine's arrays to one labelled Dataset: named dimensions, units, and what the numbers mean."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sim.engine.extension.plan import Sizes, plan_of
from sim.engine.record import BINS, WEEK, Output
from sim.rules.outcomes import WINDOWS, Outcome
from sim.study.outcomes import ACKNOWLEDGED, ATTACKS, OUTCOMES_BY_NAME, OWN, outcome_values, outcomes_of, theatre_counts
from sim.world.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[Any]
Labelled = tuple[Any, ...]
"""Dimensions, values and perhaps attributes, as xarray takes them."""


def dataset_of(scenario: Scenario, runs: Array, output: Output) -> "xr.Dataset":
    """Outcomes of runs (run,), counts by wing and by theatre, weekly histogram, and daily counts where kept."""
    import xarray as xr

    # All at once: every later assignment would align it with all that is there.
    data = xr.Dataset(variables(scenario, output), coordinates(scenario, runs, output))
    describe(data)
    return data


def coordinates(scenario: Scenario, runs: Array, output: Output) -> dict[str, Labelled]:
    """Names and numbers along the dimensions of `dataset_of`."""
    cast = scenario.cast
    theatres, wings = list(cast.theatres), list(cast.wings)
    return {
        "run": ("run", runs, {"long_name": "run number, part of the address of every draw"}),
        "wing": ("wing", np.array(wings, dtype=object)),
        "theatre": ("theatre", np.array(theatres, dtype=object)),
        "window": ("window", np.array(WINDOWS, dtype=object)),
        "wing_theatre": ("wing", np.array([cast.wings[key].theatre for key in wings], dtype=object)),
        "theatre_kind": ("theatre", np.array([cast.theatres[key].kind for key in theatres], dtype=object)),
        "date": ("day", dates(scenario), {"long_name": "date of the day number"}),
        "attacks": ("attacks", np.arange(BINS)),
        "week_start": ("week", np.arange(output.weekly.shape[1]) * WEEK, {"units": "day"}),
    }


def variables(scenario: Scenario, output: Output) -> dict[str, Labelled]:
    """What `dataset_of` holds; the last bin of the weekly histogram holds its number of attacks and all above."""
    found: dict[str, Labelled] = {
        "wing_attacks": (("run", "wing", "window"), output.counts[..., 0]),
        "wing_acknowledged": (("run", "wing", "window"), output.counts[..., 1]),
        "compliance_lag": (("run", "wing"), output.lags),
    }
    by_theatre = theatre_counts(scenario, output)
    for what, place in (("attacks", ATTACKS), ("acknowledged", ACKNOWLEDGED)):
        found[f"theatre_{what}"] = (("run", "theatre", "window"), np.moveaxis(by_theatre[:, :, place], -1, 0))
    outcomes = outcomes_of(scenario.extended)
    for name, values in outcome_values(scenario, output, by_theatre).items():
        found[name] = ("run", values, attributes(outcomes[name]))
    rest = scenario.calendar.days % WEEK
    left_out = f"; days at the end of the calendar that fill no week and are left out: {rest}" if rest else ""
    told = {"units": "histories", "long_name": f"histories with so many attacks in the week{left_out}"}
    found["weekly_histogram"] = (("theatre", "week", "attacks"), output.weekly, told)
    if len(output.daily):
        found["attacks_by_day"] = (("run", "day", "theatre"), output.daily[..., 0])
        found["acknowledged_by_day"] = (("run", "day", "theatre"), output.daily[..., 1])
    return found


def dates(scenario: Scenario) -> Array:
    """The date of every day number (day,), as datetime64[D]."""
    return np.datetime64(scenario.calendar.start) + np.arange(scenario.calendar.days)


def describe(data: "xr.Dataset") -> None:
    """Give every variable its unit and meaning."""
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
    never = "; -1 for never" if outcome.unit == "day" else ""
    own = {} if outcome.name in OUTCOMES_BY_NAME else {OWN: 1}
    return {"units": outcome.unit, "long_name": outcome.text + never, "heavy_tailed": int(outcome.heavy_tailed), **own}


def states_of(scenario: Scenario, runs: Iterable[int], output: Output) -> "xr.Dataset":
    """The full state of every day of some runs: (run, day), (run, day, theatre) and (run, day, wing) variables."""
    import xarray as xr

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
    for name, (inside, values) in own_states(scenario, output.mine_states).items():
        data[name] = (("run", "day", *inside), values)
    return data


def own_states(scenario: Scenario, mine: Array) -> dict[str, tuple[tuple[str, ...], Array]]:
    """The states of extensions from their numbers (run, day, R): dimensions beside run and day, and values, by name."""
    if not scenario.extended:
        return {}
    sizes = Sizes(len(scenario.cast.theatres), len(scenario.cast.wings))
    return {
        name.replace(".", "_"): ((), mine[:, :, row])
        if scope == "run"
        else ((scope,), mine[:, :, row : row + sizes.of(scope)])
        for name, (row, scope) in plan_of(scenario.extended, sizes).states.items()
    }
