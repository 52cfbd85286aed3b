"""The tables of a comparison, one mapping per row, and its summary: from the labelled Dataset alone."""

import math
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.study.comparison.beside import TEXTS as BESIDE_TEXTS
from sim.study.comparison.beside import TOLD as BESIDE
from sim.study.comparison.beside import over_draws
from sim.study.comparison.labelled import ARM_TEXTS, COMPETING_TEXTS, EFFECT_TEXTS, JUDGED, NO_WAR, REGRET_TEXTS

MORE: Final = "more"
LESS: Final = "less"
SAME: Final = "the same"
NOT_LESS: Final = "more or unchanged"
NOT_MORE: Final = "less or unchanged"
OPEN: Final = "sign open"
NO_PAIRS: Final = "no pair without war"
"""Verdicts on a difference: its interval leaves zero out; no draw differs; none has it less, or more; all else."""

Row = dict[str, Any]


def shares_of_sign(row: Row) -> tuple[float, float, float]:
    """Shares of draws with a difference below, at and above zero; of pairs where there is a single draw."""
    names = ("less", "tie", "more") if row["draws_less"] is None else ("draws_less", "draws_same", "draws_more")
    less, same, more = (float(row[name]) for name in names)
    return less, same, more


def verdict(row: Row) -> str:
    """What can be said of the sign of a difference."""
    if row["difference"] is None:
        return NO_PAIRS
    less, same, more = shares_of_sign(row)
    if same == 1.0:
        return SAME
    if row["low"] is not None and row["low"] > 0.0:
        return MORE
    if row["high"] is not None and row["high"] < 0.0:
        return LESS
    if less == 0.0:
        return NOT_LESS
    return NOT_MORE if more == 0.0 else OPEN


def by_baseline(data: xr.Dataset) -> list[xr.Dataset]:
    """The comparison in parts, each of the pairs that have one baseline: what may share a panel or a table."""
    names = data["baseline"].values
    return [data.isel(comparison=np.flatnonzero(names == name)) for name in dict.fromkeys(names)]


def effect_rows(data: xr.Dataset, kind: str) -> list[Row]:
    """Effects of every comparison on measures of one kind: outcome, theatre or group."""
    places = np.flatnonzero(data["kind"].values == kind).tolist()
    return [effect_row(data, comparison, place) for comparison in range(data.sizes["comparison"]) for place in places]


def effect_row(data: xr.Dataset, comparison: int, measure: int) -> Row:
    """One effect; None where a number does not exist.

    What war cuts counts until war; `no_war_...` is the same among pairs without war in either arm. `better`, `even` and
    `worse` are shares of pairs, with the loss that war brings. The verdict is that on pairs without war where war cuts.
    """
    direction = int(data["direction"].values[measure])
    names = (*EFFECT_TEXTS, *COMPETING_TEXTS, *JUDGED)
    cut = bool(data["cut_by_war"].values[measure])
    row = {
        "scenario": str(data["comparison"].values[comparison]),
        "baseline": str(data["baseline"].values[comparison]),
        **{name: str(data[name].values[measure]) for name in ("measure", "text", "place", "window", "unit")},
        "good": {1: "more", -1: "less"}.get(direction, ""),
        "heavy_tailed": bool(data["heavy_tailed"].values[measure]),
        "cut_by_war": cut,
        **{name: finite(data[name].values[comparison, measure]) for name in names},
        **_over_draws(data, comparison, measure),
    }
    return {**row, "verdict": verdict(compared(row))}


def compared(row: Row) -> Row:
    """The row with the numbers that may be ranked and drawn: where war cuts, those of pairs without war."""
    if not row["cut_by_war"]:
        return row
    return {**row, **{name.removeprefix(NO_WAR): row[name] for name in COMPETING_TEXTS}}


def _over_draws(data: xr.Dataset, comparison: int, measure: int) -> dict[str, float | None]:
    """Where the middle 90% of the draws have the value of either arm; None where there is a single draw."""
    if data.sizes["draw"] < 2:
        return dict.fromkeys(ARM_TEXTS)
    arms = (data[f"value_{arm}_of_draw"].values[comparison, measure] for arm in "ab")
    return dict(zip(ARM_TEXTS, (finite(end) for arm in arms for end in over_draws(arm)), strict=True))


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
            "baseline": str(data["baseline"].values[place]),
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
        "war_loss": about["war_loss"],
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
        "baseline": str(data["baseline"].values[comparison]),
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
