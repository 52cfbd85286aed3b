"""Forecasts and skill as rows of tables and as the summary of a folder."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.events.counts import Counts
from sim.study.scores.own import Prediction
from sim.study.scores.scoring import BANDS
from sim.study.scores.skill import Skill, Summary, Trial
from sim.world.timeline import Calendar

Array = npt.NDArray[Any]

LEVELS: Final = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
STRANGE: Final = 0.02
"""Share of the model's own histories below which a user's past is called strange."""


def quantiles(sample: Array, weights: Array) -> dict[str, float]:
    """Quantiles of a weighted sample (M,): the smallest value that at least that weight does not exceed."""
    order = np.argsort(sample, kind="stable")
    heaped = np.cumsum(weights[order])
    return {name: float(sample[order][np.searchsorted(heaped, level - 1e-9)]) for name, level in LEVELS.items()}


def forecast_rows(found: Prediction, calendar: Calendar) -> list[dict[str, Any]]:
    """One row per period and theatre, all theatres together first: its days, quantiles, and the count where known."""
    one = found.forecast
    rows = []
    for place in range(len(one.edges) - 1):
        first, last = calendar.date_of(int(one.edges[place]) + 1), calendar.date_of(int(one.edges[place + 1]))
        parts = {"all": one.samples[:, place].sum(axis=1)}
        if len(found.counts.theatres) > 1:
            parts |= {name: one.samples[:, place, k] for k, name in enumerate(found.counts.theatres)}
        for name, sample in parts.items():
            known = _known(found.counts, name, int(one.edges[place]), int(one.edges[place + 1]))
            told = {"from": first.isoformat(), "to": last.isoformat(), "theatre": name}
            rows.append({**told, **quantiles(sample, one.weights), "known": known})
    return rows


def _known(counts: Counts, theatre: str, first: int, last: int) -> int | None:
    """The count after the end of day `first` up to that of day `last`; None where it is not known."""
    if not {first, last} <= set(counts.ends.tolist()):
        return None
    edges = np.array([first, last])
    found = counts.between(edges) if theatre == "all" else counts.split_between(counts.theatres.index(theatre), edges)
    return None if np.isnan(found[0]) else int(found[0])


def effect_rows(found: Prediction, calendar: Calendar) -> list[dict[str, Any]]:
    """One row per event that lies ahead: the attacks that it adds over all periods, mean, error and nine in ten."""
    rows = []
    weights = found.forecast.weights
    for one in found.effects:
        whole = one.differences.sum(axis=1)
        mean = float(weights @ whole)
        error = float(np.sqrt((weights**2) @ (whole - mean) ** 2))
        band = quantiles(whole, weights)
        days = {
            "from": calendar.date_of(one.event.first).isoformat(),
            "to": calendar.date_of(one.event.last).isoformat(),
        }
        rows.append({"event": one.event.id, "kind": one.event.kind, **days, "mean": round(mean, 3),
                     "error": round(error, 3), "q05": band["q05"], "q95": band["q95"]})  # fmt: skip
    return rows


def count_rows(counts: Counts, calendar: Calendar) -> list[dict[str, Any]]:
    """What was read: attacks so far by date."""
    return [
        {
            "as_of_date": calendar.date_of(int(end)).isoformat(),
            "total": int(counts.total[place]),
            **{
                name: None if np.isnan(counts.split[place, k]) else int(counts.split[place, k])
                for k, name in enumerate(counts.theatres)
            },
        }
        for place, end in enumerate(counts.ends)
    ]


def reading_told(counts: Counts) -> dict[str, Any]:
    """How the file was read."""
    report = counts.report
    told = {"format": report.format, "rows": report.rows, "kept": report.kept, "dropped": dict(report.dropped)}
    return {**told, "remarks": list(report.remarks), "attacks": int(counts.total[-1])}


def match_told(found: Prediction) -> dict[str, Any]:
    """How well the model tells the user's past."""
    one = found.forecast
    levels = {
        name: quantiles(one.bank.factors[one.match.places, k], one.weights) for k, name in enumerate(one.bank.theatres)
    }
    return {
        "histories": len(one.bank.rows),
        "kept": len(one.match.places),
        "effective": round(one.match.effective, 1),
        "as_far": one.match.strange,
        "war_left_out": one.bank.war,
        "levels": levels,
    }


def skill_rows(found: Sequence[Skill]) -> list[dict[str, Any]]:
    """One row per benchmark and score."""
    return [
        {
            "benchmark": one.benchmark,
            "score": one.score,
            "gain": round(one.gain, 4),
            "low": _finite(one.low),
            "high": _finite(one.high),
            "verdict": one.verdict,
        }
        for one in found
    ]


def _finite(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def summary_rows(found: Sequence[Summary]) -> list[dict[str, Any]]:
    """One row per forecaster: mean scores, and how often bands held the count and were to hold it."""
    return [
        {
            "forecaster": one.forecaster,
            "periods": one.periods,
            **{key: round(value, 4) for key, value in one.means.items()},
            **{f"covered{round(100 * level)}": round(one.covered[level], 4) for level in BANDS},
            **{f"expected{round(100 * level)}": round(one.held[level], 4) for level in BANDS},
        }
        for one in found
    ]


def trial_rows(found: Sequence[Trial], calendar: Calendar) -> list[dict[str, Any]]:
    """One row per cut, period and forecaster."""
    rows = []
    for one in found:
        for place, count in enumerate(one.counts):
            days = {
                "cut": calendar.date_of(one.cut).isoformat(),
                "to": calendar.date_of(int(one.edges[place + 1])).isoformat(),
            }
            for name, scored in one.scored.items():
                values: Mapping[str, float] = {key: round(float(at[place]), 4) for key, at in scored.values.items()}
                rows.append({**days, "attacks": int(count), "forecaster": name, **values})
    return rows
