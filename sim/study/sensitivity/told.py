"""Rankings as rows of a table and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.study.sensitivity.ranking import MEASURES, Ranking
from sim.study.sweep.store import Store
from sim.world.parameters import Declaration

DUMMY = "(dummy)"


@dataclass(frozen=True)
class Varied:
    """A parameter that varied, and between what."""

    declared: Declaration
    low: float
    high: float


def ranking_rows(one: Ranking, varied: Mapping[str, Varied]) -> list[dict[str, Any]]:
    """One row per parameter, greatest first, the dummy last."""
    rows = []
    for place, key in enumerate((*one.keys, DUMMY)):
        about = varied.get(key)
        row: dict[str, Any] = {
            "outcome": one.target.outcome.name,
            "statistic": one.target.statistic,
            "method": one.method,
            "rank": None if about is None else place + 1,
            "parameter": key,
            "meaning": "has no effect" if about is None else about.declared.text,
            "unit": "" if about is None else about.declared.unit,
            "from": None if about is None else about.low,
            "to": None if about is None else about.high,
        }
        for number, name in enumerate(MEASURES[one.method]):
            for suffix, values in (("", one.measures.value), ("_low", one.measures.low), ("_high", one.measures.high)):
                own = getattr(one.dummy, suffix.strip("_") or "value")[number]
                row[name + suffix] = plain(own if about is None else values[number, place])
        if one.by_chance is not None:
            row["mu_star_by_chance"] = None if about is None else plain(one.by_chance[place])
        row["above_dummy"] = None if about is None else bool(one.resolved and one.distinguished[place])
        row |= chance_told(one)
        rows.append(row)
    return rows


def summary(store: Store, found: Sequence[Ranking]) -> dict[str, Any]:
    """The content of `sensitivity.json`: the rankings in short."""
    return {
        "scenario": store.manifest["scenario"],
        "seed": store.manifest["seed"],
        "points": store.points,
        "runs": store.runs,
        "source_hash": store.manifest["source_hash"],
        "statistics": [_short(one) for one in found],
    }


def _short(one: Ranking) -> dict[str, Any]:
    above = [key for key, told in zip(one.keys, one.distinguished, strict=True) if told and one.resolved]
    return {
        "statistic": one.target.name,
        "unit": one.target.unit,
        "method": one.method,
        "points_differ": one.resolved,
        "above_dummy": above,
        "not_distinguished": len(one.keys) - len(above),
        **chance_told(one),
    }


def chance_told(one: Ranking) -> dict[str, float | None]:
    """What chance has to do with it."""
    share = one.chance.share
    return {
        "chance_share": plain(share.value),
        "chance_share_low": plain(share.low),
        "chance_share_high": plain(share.high),
        "chance_left": plain(one.chance.left),
    }


def plain(value: Any) -> float | None:
    """A number for a table; None for what cannot be told."""
    number = float(value)
    return number if abs(number) < float("inf") else None
