"""Tables to look things up in: facts, scenarios, events, parameters, patterns judged. A notebook shows them whole."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from sim.analysis.pattern_tests import judge
from sim.experiment.result_dir import config_in
from sim.model.facts import load_facts
from sim.model.interventions import kind_rows
from sim.model.scenario import event_rows, load, parameter_rows, scenario_names
from sim.reporting.tables import fact_rows

LEFT = '<td style="text-align: left">'


class Listing(pd.DataFrame):  # type: ignore[misc]
    """A DataFrame whose texts a notebook neither cuts nor pushes to the right."""

    @property
    def _constructor(self) -> type["Listing"]:
        return Listing

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None, "display.width", None):
            return self.to_html(border=0, justify="left", na_rep="").replace("<td>", LEFT)


def facts() -> Listing:
    """What the source reports, one row a fact.

    Returns:
        By id: text, kind, figure with unit, date, and what in the model stands for it (parameter, rule, scenario,
        output) with the tests; several names in one cell are separated by blanks.
    """
    return _listing(fact_rows(load_facts()), "id")


def scenarios(config_dir: Path | str | None = None) -> Listing:
    """All scenarios by name: the day on which each departs from what happened, and the question that it answers.

    Args:
        config_dir: a folder with scenario files of your own.
    """
    return _listing([asdict(one) for one in scenario_names(config_dir)], "name")


def parameters(scenario: str = "article", *, config_dir: Path | str | None = None) -> Listing:
    """Every number of a scenario by its key: value, unit, range, prior, where it comes from and what it means.

    Raises:
        UserError: there is no such scenario.
    """
    config = load([f"scenario={scenario}"], config_dir)
    return _listing([asdict(one) for one in parameter_rows(config.scenario)], "key")


def events(scenario: str | None = None, *, config_dir: Path | str | None = None) -> Listing:
    """Events in words, as `interventions` takes them: by kind what it is, with an example.

    Args:
        scenario: name of a scenario file, whose own events are listed instead, by name, as they are written.
        config_dir: a folder with scenario files of your own.

    Raises:
        UserError: there is no such scenario.
    """
    if scenario is None:
        return _listing(kind_rows(), "kind")
    return _listing(event_rows(load([f"scenario={scenario}"], config_dir)), "name")


def patterns(data: xr.Dataset) -> Listing:
    """What the source says against what the model gives.

    Args:
        data: an ensemble as `simulate` gives it. Some patterns are judged on free or paired histories; these are
            simulated now, 2,000 of each (some seconds).

    Returns:
        By id: text, kind (fitted, emergent, built-in or prior-driven), the source's figure, the model's, the tolerance,
        whether that holds (None where the scenario is another than the one that the source describes), and the
        predictive share.
    """
    return _listing([asdict(one) for one in judge(config_in(data), data)], "id")


def _listing(rows: Sequence[Mapping[str, Any]], index: str) -> Listing:
    return Listing(pd.DataFrame(rows).set_index(index))
