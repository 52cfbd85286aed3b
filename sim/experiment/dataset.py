"""Outcomes of each run from the engine's arrays: as plain columns, and as a labelled Dataset with units.

The engine is imported where it is used: options are checked by the names of outcomes alone, without a second's wait.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim.experiment.statistics import Array
from sim.model.conditions import is_condition, windows_of
from sim.model.declared_outcomes import DERIVED, RECORDED, Outcome
from sim.model.extension import ActiveExtensions, Series
from sim.model.parameters import first_words
from sim.model.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr

    from sim.engine.record import Output


OUTCOMES_BY_NAME: Final = {one.name: one for one in (*RECORDED, *DERIVED)}

OWN: Final = "own_outcome"
"""Attribute of a variable that is an outcome of an extension."""

ATTACKS: Final = 0
ACKNOWLEDGED: Final = 1


def outcomes_with(extended: ActiveExtensions) -> dict[str, Outcome]:
    """Every outcome by name: those of the model, then those of the extensions."""
    return OUTCOMES_BY_NAME | {
        one.name: _own(one.name, one.unit, one.text, one.heavy_tailed) for one in extended.outcomes
    }


def outcomes_of(scenario: Scenario) -> dict[str, Outcome]:
    """The same, then the conditions that a scenario is asked."""
    known = outcomes_with(scenario.extended)
    titles = {one: one.title(known) for one in scenario.asked}
    return known | {
        one.text: Outcome(one.text, "probability" if one.boolean else one.unit, title, title)
        for one, title in titles.items()
    }


def condition_values(scenario: Scenario, output: "Output", values: Mapping[str, Array]) -> dict[str, Array]:
    """The conditions that a scenario is asked (run,), by name, from its outcomes; 1 where they hold."""
    windows = windows_of(scenario.asked)
    found = {}
    for one in scenario.asked:
        column = values[one.outcome] if one.window is None else output.windows[:, windows.index(one.window)]
        found[one.text] = one.of(column).astype(np.int8) if one.boolean else column
    return found


def outcomes_in(variables: Mapping[Hashable, Any]) -> dict[str, Outcome]:
    """The same of a dataset, of what it holds; its variables say in their attributes what they are."""
    own = {str(name): one.attrs for name, one in variables.items() if OWN in one.attrs}
    return {name: one for name, one in OUTCOMES_BY_NAME.items() if name in variables} | {
        name: _own(name, said["units"], said["long_name"], bool(said["heavy_tailed"])) for name, said in own.items()
    }


def _own(name: str, unit: str, text: str, heavy_tailed: bool) -> Outcome:
    return Outcome(name, unit, text, text if is_condition(name) else first_words(text), heavy_tailed)


def theatre_counts(scenario: Scenario, output: "Output") -> Array:
    """Counts (theatre, window, attacks and acknowledged, run): the sums over the wings that fight in a theatre."""
    from sim.engine.record import counts_by_theatre

    cast = scenario.cast
    places = np.array([cast.theatre_index(wing.theatre) for wing in cast.wings.values()])
    return counts_by_theatre(output.counts, places, len(cast.theatres))


def outcome_values(scenario: Scenario, output: "Output", by_theatre: Array) -> dict[str, Array]:
    """Every outcome (run,), recorded or derived, by name; `by_theatre` as `theatre_counts` gives it."""
    from sim.engine.extension.plan import extension_outcomes
    from sim.engine.record import attacks_per_response, days_after
    from sim.rules.outcomes import CAMPAIGN, LULL, NEVER

    values = {
        one.name: output.rows[:, place] * one.scale if one.scale != 1.0 else output.rows[:, place]
        for place, one in enumerate(RECORDED)
    }
    on_target = scenario.cast.target_places
    total = by_theatre[on_target].sum(axis=0)
    for what, place in (("attacks", ATTACKS), ("acknowledged", ACKNOWLEDGED)):
        values[f"{what}_campaign"] = total[CAMPAIGN, place]
        values[f"{what}_lull"] = total[LULL, place]
    values["attacks_per_response"] = attacks_per_response(values["acknowledged_campaign"], values["campaign_responses"])
    calendar = scenario.calendar
    for name, event in (("lull_days", "resumption_day"), ("quiet_days", "first_attack_day")):
        values[name] = days_after(values[event], values["war_day"], calendar.strikes, calendar.days)
    values["war"] = (values["war_day"] != NEVER).astype(np.int8)
    values = {name: values[name] for name in OUTCOMES_BY_NAME}
    if scenario.extended:
        values |= extension_outcomes(scenario.extended, output.extras, values)
    return values | condition_values(scenario, output, values) if scenario.asked else values


Labelled = tuple[Any, ...]
"""Dimensions, values and perhaps attributes, as xarray takes them."""


def dataset_of(scenario: Scenario, runs: Array, output: "Output") -> "xr.Dataset":
    """Outcomes of runs (run,), counts by wing and by theatre, weekly histogram, and daily counts where kept."""
    import xarray as xr

    # All at once: every later assignment would align it with all that is there.
    return xr.Dataset(variables(scenario, output), coordinates(scenario, runs, output))


def coordinates(scenario: Scenario, runs: Array, output: "Output") -> dict[str, Labelled]:
    """Names and numbers along the dimensions of `dataset_of`."""
    from sim.engine.record import BINS, WEEK
    from sim.rules.outcomes import WINDOWS

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


def variables(scenario: Scenario, output: "Output") -> dict[str, Labelled]:
    """What `dataset_of` holds; the last bin of the weekly histogram holds its number of attacks and all above."""
    from sim.engine.record import WEEK

    counts = (("attacks", "attacks", ATTACKS), ("acknowledged", "acknowledged attacks", ACKNOWLEDGED))
    by_theatre = theatre_counts(scenario, output)
    found: dict[str, Labelled] = {}
    for what, text, place in counts:
        about = {"units": "attacks", "long_name": f"{text} by wing and window"}
        found[f"wing_{what}"] = (("run", "wing", "window"), output.counts[..., place], about)
    about = {
        "units": "days",
        "long_name": "days from the first order to hold back until the wing complied; -1 for never",
    }
    if len(output.lags):
        found["compliance_lag"] = (("run", "wing"), output.lags, about)
    for what, text, place in counts:
        about = {"units": "attacks", "long_name": f"{text} by theatre and window"}
        found[f"theatre_{what}"] = (("run", "theatre", "window"), np.moveaxis(by_theatre[:, :, place], -1, 0), about)
    outcomes = outcomes_of(scenario)
    for name, values in outcome_values(scenario, output, by_theatre).items():
        found[name] = ("run", values, attributes(outcomes[name]))
    rest = scenario.calendar.days % WEEK
    left_out = f"; days at the end of the calendar that fill no week and are left out: {rest}" if rest else ""
    about = {"units": "histories", "long_name": f"histories with so many attacks in the week{left_out}"}
    found["weekly_histogram"] = (("theatre", "week", "attacks"), output.weekly, about)
    for what, text, place in counts if len(output.daily) else ():
        about = {"units": "attacks/day", "long_name": f"{text} by day and theatre"}
        found[f"{what}_by_day"] = (("run", "day", "theatre"), output.daily[..., place], about)
    for place, one in enumerate(scenario.extended.series if output.series.size else ()):
        found[one.name] = (("run", "day"), output.series[..., place], series_attributes(one))
    return found


def dates(scenario: Scenario) -> Array:
    """The date of every day number (day,), as datetime64[D]."""
    return np.datetime64(scenario.calendar.start) + np.arange(scenario.calendar.days)


def attributes(outcome: Outcome) -> dict[str, Any]:
    """Attributes of an outcome's variable."""
    never = "; -1 for never" if outcome.unit == "day" else ""
    own = {} if outcome.name in OUTCOMES_BY_NAME else {OWN: 1}
    return {"units": outcome.unit, "long_name": outcome.text + never, "heavy_tailed": int(outcome.heavy_tailed), **own}


def series_attributes(series: Series) -> dict[str, str]:
    """Attributes of a daily series' variable."""
    return {"units": series.unit, "long_name": f"{series.text}; none after direct war"}


def states_of(scenario: Scenario, runs: Iterable[int], output: "Output") -> "xr.Dataset":
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
    for name, (inside, values) in own_states(scenario, output.extras_states).items():
        data[name] = (("run", "day", *inside), values)
    return data


def own_states(scenario: Scenario, mine: Array) -> dict[str, tuple[tuple[str, ...], Array]]:
    """The states of extensions from their numbers (run, day, R): dimensions after run and day, and values, by name."""
    from sim.engine.extension.plan import plan_of

    if not scenario.extended:
        return {}
    return {
        name.replace(".", "_"): ((), mine[:, :, row])
        if scope == "run"
        else ((scope,), mine[:, :, row : row + scenario.extended.count(scope)])
        for name, (row, scope) in plan_of(scenario.extended).states.items()
    }
