"""What can be chosen, apart from what cannot be known: changes of scenarios, and draws that the answer hangs on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.study.comparison.arms import Arm
from sim.study.comparison.labelled import NO_WAR
from sim.study.comparison.listed import listed
from sim.study.sweep.groups import flattened
from sim.world.parameters import shared_declarations

NOT_CHANGES: Final = ("scenario", "seed", "study", "engine", "output", "patterns", "calibration", "filters")
LEVEL: Final = 0.05
"""Chance that noise alone makes any parameter of a scenario count."""
LEAST_DRAWS: Final = 20


@dataclass(frozen=True)
class Lever:
    """One thing that a scenario has otherwise than the baseline."""

    scenario: str
    key: str
    kind: str
    baseline: str
    here: str
    text: str


@dataclass(frozen=True)
class Hanging:
    """How the difference of a scenario to the baseline goes with one drawn parameter, over the draws.

    `rank` is Spearman's rank correlation; beyond `limit` it is more than noise gives.
    """

    scenario: str
    key: str
    symbol: str
    text: str
    rank: float
    limit: float

    @property
    def counts(self) -> bool:
        """Whether it is more than noise gives."""
        return abs(self.rank) > self.limit


def levers(arms: Sequence[Arm]) -> tuple[Lever, ...]:
    """What every scenario changes of the baseline, which is the first."""
    first = _settled(arms[0])
    return tuple(
        lever
        for arm in arms[1:]
        for lever in (
            *(
                Lever(arm.label, key, _kind(key), _told(first, key), _told(here, key), _text(key))
                for here in (_settled(arm),)
                for key in dict.fromkeys((*first, *here))
                if first.get(key) != here.get(key)
            ),
            *(
                Lever(arm.label, event, "event moved", "", day.isoformat(), "another day")
                for event, day in listed(arm.label).moves
            ),
        )
    )


def _settled(arm: Arm) -> dict[str, Any]:
    tree = {key: value for key, value in arm.config.tree.items() if key not in NOT_CHANGES}
    return flattened(tree)


def _told(tree: Mapping[str, Any], key: str) -> str:
    if key not in tree:
        return "(not there)"
    value = tree[key]
    if value is None or isinstance(value, bool):
        return {None: "none", True: "on", False: "off"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(key: str) -> str:
    top = key.partition(".")[0]
    if top == "mechanisms":
        return "mechanism"
    return "event" if top in ("events", "history") else "number" if key in shared_declarations() else "setting"


def _text(key: str) -> str:
    declared = shared_declarations().get(key)
    return "" if declared is None else declared.text


def hanging(data: xr.Dataset, measure: str) -> tuple[Hanging, ...]:
    """Every drawn parameter with the rank correlation that it has with the difference, the strongest first.

    Where war cuts the measure, with that of pairs without war. Nothing where there are too few draws. What a scenario
    keeps at its own value is left out of its lines.
    """
    parameters = [str(one) for one in data["parameter"].values]
    cut = bool(data["cut_by_war"].sel(measure=measure))
    differences = data[f"{NO_WAR if cut else ''}difference_of_draw"].sel(measure=measure)
    from scipy.special import ndtri
    from scipy.stats import rankdata

    kept = dict(zip(data["scenario"].values, data["kept"].values, strict=True))
    shared = shared_declarations()
    found = []
    for name in data["comparison"].values:
        difference = differences.sel(comparison=name).values
        known = np.isfinite(difference)
        if known.sum() < LEAST_DRAWS:
            continue
        limit = float(-ndtri(LEVEL / 2 / len(parameters)) / np.sqrt(known.sum() - 1))
        values, drawn = rankdata(difference[known]), rankdata(data["parameter_value"].values[:, known], axis=1)
        for place, key in enumerate(parameters):
            if key not in str(kept[name]).split():
                rank = _correlation(drawn[place], values)
                found.append(Hanging(str(name), key, shared[key].symbol, shared[key].text, rank, limit))
    return tuple(sorted(found, key=lambda one: -abs(one.rank)))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation; 0 where one of the two does not vary."""
    if one.std() == 0.0 or other.std() == 0.0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
