"""From what the engine wrote to the outcomes of each run, as plain columns."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.derived import attacks_per_response, counts_by_theatre, days_after
from sim.engine.extension.applied import own_outcomes
from sim.engine.extension.plan import Sizes
from sim.engine.record import Output
from sim.rules.outcomes import CAMPAIGN, DERIVED, LULL, NEVER, RECORDED, Outcome
from sim.world.extension import Extended
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]
RECORDED_BY_NAME: Final = {one.name: one for one in RECORDED}
DERIVED_BY_NAME: Final = {one.name: one for one in DERIVED}
OUTCOMES_BY_NAME: Final = RECORDED_BY_NAME | DERIVED_BY_NAME

OWN: Final = "own_outcome"
"""Attribute of a variable that is an outcome of an extension."""

ATTACKS: Final = 0
ACKNOWLEDGED: Final = 1


def outcomes_of(extended: Extended) -> dict[str, Outcome]:
    """Every outcome by name: those of the model, then those of the extensions."""
    own = {one.name: Outcome(one.name, one.unit, one.text, one.heavy_tailed) for one in extended.outcomes}
    return OUTCOMES_BY_NAME | own


def outcomes_in(variables: Mapping[Hashable, Any]) -> dict[str, Outcome]:
    """The same of a dataset, whose variables say in their attributes what they are."""
    own = {str(name): one.attrs for name, one in variables.items() if OWN in one.attrs}
    return OUTCOMES_BY_NAME | {
        name: Outcome(name, said["units"], said["long_name"], bool(said["heavy_tailed"])) for name, said in own.items()
    }


def theatre_counts(scenario: Scenario, output: Output) -> Array:
    """Counts (theatre, window, attacks and acknowledged, run): the sums over the wings that fight in a theatre."""
    cast = scenario.cast
    places = np.array([cast.theatre_index(wing.theatre) for wing in cast.wings.values()])
    return counts_by_theatre(output.counts, places, len(cast.theatres))


def outcome_values(scenario: Scenario, output: Output, by_theatre: Array) -> dict[str, Array]:
    """Every outcome (run,), recorded or derived, by name; `by_theatre` as `theatre_counts` gives it."""
    values = {
        one.name: output.rows[:, place] * one.scale if one.scale != 1.0 else output.rows[:, place]
        for place, one in enumerate(RECORDED)
    }
    on_target = [k for k, theatre in enumerate(scenario.cast.theatres.values()) if theatre.kind == "target"]
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
    if not scenario.extended:
        return values
    sizes = Sizes(len(scenario.cast.theatres), len(scenario.cast.wings))
    return values | own_outcomes(scenario.extended, sizes, output.mine, values)
