"""What came out at each point of a sweep: one row per point, one value and its Monte Carlo error per outcome."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from sim.study.outcomes import outcomes_in
from sim.study.sweep.precision import Judgement, samples
from sim.study.sweep.prepared import Sweep
from sim.study.sweep.store import Store

Array = npt.NDArray[Any]

MOST_POINTS: Final = 10_000
"""Above this nobody reads a table; the histories are there to be asked."""


@dataclass(frozen=True)
class Finding:
    """One outcome over all points: the quantity `by` that stands for it (P,), and its Monte Carlo error (P,)."""

    name: str
    unit: str
    by: str
    values: Array
    errors: Array


def findings(data: xr.Dataset, have: Array) -> tuple[Finding, ...]:
    """Every outcome of a sweep at each point, from the `have` (P,) runs that the point has."""
    return tuple(_finding(data, have, Judgement(one, np.inf)) for one in outcomes_in(data.variables).values())


def _finding(data: xr.Dataset, have: Array, judged: Judgement) -> Finding:
    values, errors = np.full(len(have), np.nan), np.full(len(have), np.nan)
    for points, sample in samples(data[judged.outcome.name], have):
        values[points], errors[points] = judged.value(sample), judged.errors(sample)
    return Finding(judged.outcome.name, judged.outcome.unit, judged.by, values, errors)


def point_rows(data: xr.Dataset, have: Array, found: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """The table: what each point stands for, its runs, and each outcome with its error; None for what is infinite."""
    about = {str(name): data[name].values for name in data.coords if data[name].dims == ("point",)}
    columns: dict[str, Array] = {**about, "runs": have}
    for one in found:
        columns[f"{one.name} ({one.by})"] = one.values
        columns[f"{one.name} (error)"] = one.errors
    return [
        dict(zip(columns, row, strict=True)) for row in zip(*(_plain(one) for one in columns.values()), strict=True)
    ]


def _plain(column: Array) -> list[Any]:
    if column.dtype.kind == "M":
        return list(column.astype("datetime64[s]").astype(str).tolist())
    if column.dtype.kind != "f":
        return list(column.tolist())
    return [value if np.isfinite(value) else None for value in column.tolist()]


def summary(sweep: Sweep, store: Store, have: Array, found: tuple[Finding, ...]) -> dict[str, Any]:
    """The content of `summary.json`."""
    told_axes = store.manifest["identity"]
    return {
        "scenario": sweep.config.scenario.name,
        "question": sweep.config.scenario.question,
        "seed": sweep.config.seed,
        "points": store.points,
        "runs": {"least": int(have.min()), "most": int(have.max())},
        "histories": int(have.sum()),
        "design": sweep.design.kind,
        "varied": {key: told_axes.get(key, "") for key in (*sweep.design.keys, *sweep.groups[0].labels)},
        "policies": sweep.settings.policies,
        "outcomes": told(found),
    }


def told(found: tuple[Finding, ...]) -> dict[str, dict[str, Any]]:
    """Each outcome in a few numbers, for JSON: its range over the points, and the largest error."""
    return {
        one.name: {
            "unit": one.unit,
            "of": one.by,
            "lowest": _finite(one.values.min()),
            "highest": _finite(one.values.max()),
            "largest_error": _finite(one.errors.max()),
        }
        for one in found
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
