"""The tables of a comparison, one mapping per row, and its summary: from the labelled Dataset alone."""

import math
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.study.comparison.beside import TEXTS as BESIDE_TEXTS
from sim.study.comparison.beside import TOLD as BESIDE
from sim.study.comparison.beside import over_draws
from sim.study.comparison.labelled import EFFECT_TEXTS, REGRET_TEXTS

BETTER: Final = {1: "more", -1: "less"}
"""The share that counts as better, by the direction of a measure."""

Row = dict[str, Any]


def effect_rows(data: xr.Dataset, kind: str) -> list[Row]:
    """Effects of every comparison on measures of one kind: outcome, theatre or group."""
    places = np.flatnonzero(data["kind"].values == kind).tolist()
    return [effect_row(data, comparison, place) for comparison in range(data.sizes["comparison"]) for place in places]


def effect_row(data: xr.Dataset, comparison: int, measure: int) -> Row:
    """One effect; None where a number does not exist. `better` is the share of pairs in which the scenario is."""
    direction = int(data["direction"].values[measure])
    numbers = {name: finite(data[name].values[comparison, measure]) for name in EFFECT_TEXTS}
    return {
        "scenario": str(data["comparison"].values[comparison]),
        "baseline": data.attrs["baseline"],
        **{name: str(data[name].values[measure]) for name in ("measure", "text", "place", "window", "unit")},
        "good": {1: "more", -1: "less"}.get(direction, ""),
        "heavy_tailed": bool(data["heavy_tailed"].values[measure]),
        **numbers,
        "better": numbers[BETTER[direction]] if direction else None,
        **_over_draws(data, comparison, measure),
    }


def _over_draws(data: xr.Dataset, comparison: int, measure: int) -> dict[str, float | None]:
    """Where the middle 90% of the draws have the value of either arm; None where there is a single draw."""
    names = ("low_a", "high_a", "low_b", "high_b")
    if data.sizes["draw"] < 2:
        return dict.fromkeys(names)
    arms = (data[f"value_{arm}_of_draw"].values[comparison, measure] for arm in "ab")
    return dict(zip(names, (finite(end) for arm in arms for end in over_draws(arm)), strict=True))


def regret_rows(data: xr.Dataset) -> list[Row]:
    """Regret of every scenario, measure by measure."""
    directed = np.flatnonzero(np.isfinite(data["regret_expected"].values[0]))
    return [
        {
            **{name: str(data[name].values[measure]) for name in ("measure", "text", "unit")},
            "scenario": str(data["scenario"].values[place]),
            **{name: finite(data[f"regret_{name}"].values[place, measure]) for name in REGRET_TEXTS},
        }
        for measure in directed
        for place in range(data.sizes["scenario"])
    ]


def beside_rows(data: xr.Dataset) -> list[Row]:
    """One row for each such measure and scenario, before and here; none where all is lived at draws of priors."""
    if "prior_difference" not in data:
        return []
    measures = list(data["measure"].values)
    return [
        {
            "measure": name,
            **{key: str(data[key].values[at]) for key in ("text", "unit")},
            "scenario": str(scenario),
            **{key: finite(data[key].values[place, at]) for key in (*BESIDE_TEXTS, "value_a", "value_b", "difference")},
            **{key: finite(data[key].values[place, at]) for key in ("low", "high")},
        }
        for name, at in ((name, measures.index(name)) for name in BESIDE)
        for place, scenario in enumerate(data["comparison"].values)
    ]


def summary(data: xr.Dataset) -> Row:
    """The whole result in one mapping, fit for JSON."""
    about = data.attrs
    return {
        "baseline": about["baseline"],
        "scenarios": [
            {"scenario": str(name), "question": str(question), "keeps": str(kept).split()}
            for name, question, kept in zip(
                data["scenario"].values, data["question"].values, data["kept"].values, strict=True
            )
        ],
        "seed": about["seed"],
        "parameters": about["parameters"],
        "draws": data.sizes["draw"],
        "runs": int(about["runs"]),
        "comparisons": {str(name): _told(data, place) for place, name in enumerate(data["comparison"].values)},
        "beside_prior": beside_rows(data),
        "regret": {"pinned": about["pinned_together"], "measures": _regrets(data)},
    }


def _told(data: xr.Dataset, comparison: int) -> Row:
    told: dict[str, Row] = {}
    for measure in range(data.sizes["measure"]):
        row = effect_row(data, comparison, measure)
        told[row["measure"]] = {
            key: value for key, value in row.items() if key not in ("scenario", "baseline", "measure")
        }
    return {
        "pinned": str(data["pinned"].values[comparison]),
        "same_before": finite(data["same_before"].values[comparison]),
        "measures": told,
    }


def _regrets(data: xr.Dataset) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in regret_rows(data):
        found.setdefault(row["measure"], {})[row["scenario"]] = {name: row[name] for name in REGRET_TEXTS}
    return found


def finite(value: float) -> float | None:
    """The number, or None where there is none."""
    return float(value) if math.isfinite(value) else None
