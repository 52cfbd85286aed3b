"""Peeling and pasting, by the EMA workbench; which box of the trajectory, and which of its sides are worth telling.

Source: Friedman and Fisher 1999, doi:10.1023/A:1008894516817; Bryant and Lempert 2010,
doi:10.1016/j.techfore.2009.08.002.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from sim.study.discovery.box import Content, Sides, content, inside, sides_of
from sim.study.discovery.cases import Half
from sim.study.discovery.chance import quasi_p
from sim.world.errors import UserError

PEELED: Final = 0.05
"""Share of the points in the box that a step takes off."""
LEAST_MASS: Final = 0.05
LEAST_POINTS: Final = 10
"""A box holds at least this share, and this number, of the points."""
ALPHA: Final = 0.05
"""A side stays if its quasi-p-value, times the number of sides that could have been chosen, lies below this."""


def workbench() -> Any:
    """The modules of the EMA workbench.

    Raises:
        UserError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            # It speaks of other libraries that it could use.
            warnings.simplefilter("ignore")
            from ema_workbench.analysis import RuleInductionType, prim
    except ImportError:
        raise UserError("discover", "ema-workbench (missing)", "pip install 'lull-sim[discover]'") from None
    return prim, RuleInductionType.REGRESSION


def trajectory(half: Half) -> list[Sides]:
    """The boxes that peeling and pasting pass through, from the whole space on."""
    prim, regression = workbench()
    # Under names of ours: a column that is called scenario would be dropped without a word.
    names = [f"c{number}" for number in range(half.place.shape[1])]
    table = half.place.set_axis(names, axis=1)
    table = table.astype({name: float for name in names if table[name].dtype.kind in "iuf"})
    search = prim.Prim(
        table, half.shares, threshold=-1.0, mode=regression, peel_alpha=PEELED, paste_alpha=PEELED,
        mass_min=max(LEAST_MASS, LEAST_POINTS / half.points),
    )  # fmt: skip
    found = search.find_box()
    back = dict(zip(names, map(str, half.place.columns), strict=True))
    whole = _limits(found.box_lims[0], back)
    return [sides_of(_limits(one, back), whole) for one in found.box_lims]


def _limits(box: pd.DataFrame, back: dict[str, str]) -> dict[str, Any]:
    return {
        back[str(name)]: frozenset(map(str, low)) if isinstance(low, set) else (float(low), float(high))
        for name, (low, high) in ((name, box[name].tolist()) for name in box.columns)
    }


def contents(boxes: Sequence[Sides], half: Half) -> list[Content]:
    """What each box holds."""
    return [content(inside(one, half.place), half) for one in boxes]


def choose(held: Sequence[Content], coverage: float | None) -> int:
    """Which box to tell: the densest that covers so much, else the one that is most over-represented.

    That is the one with the largest coverage less mass: cases in the box beyond those that any part of the space of its
    size would hold (weighted relative accuracy; Lavrac, Flach and Zupan 1999, doi:10.1007/3-540-48751-4_17).
    """
    if coverage is None:
        return int(np.argmax([one.coverage - one.mass for one in held]))
    enough = [k for k, one in enumerate(held) if one.coverage >= coverage]
    return max(enough, key=lambda k: held[k].density) if enough else 0


def pruned(sides: Sides, half: Half, choices: int = 1) -> Sides:
    """The box without the sides that chance could as well have brought, the weakest dropped first.

    Args:
        sides: the box.
        half: the points on which it was found.
        choices: sides that could have been chosen; each quasi-p-value is multiplied with it.
    """
    while sides:
        values = quasi_p(sides, half)
        worst = int(np.argmax(values))
        if values[worst] * choices <= ALPHA:
            break
        sides = tuple(one for k, one in enumerate(sides) if k != worst)
    return sides


@dataclass(frozen=True)
class Search:
    """A search: the boxes that it passed through, which of them was chosen, and what is left of that one's sides."""

    boxes: tuple[Sides, ...]
    chosen: int
    sides: Sides


def search(half: Half, coverage: float | None) -> Search:
    """Peel twice: once along everything, to see which dimensions matter, then along those alone.

    Among many dimensions each gets few of the steps, so that real ones are hardly cut and idle ones are cut by luck. In
    the second peeling the former are cut in full. What is left has to stand against all the sides that there were.
    """
    if not half.shares.any():
        return Search(((),), 0, ())
    boxes = trajectory(half)
    chosen = choose(contents(boxes, half), coverage)
    keys = {side.key for side in pruned(boxes[chosen], half)}
    if not keys:
        return Search(tuple(boxes), chosen, ())
    if len(keys) < half.place.shape[1]:
        boxes = trajectory(half.along(keys))
        chosen = choose(contents(boxes, half), coverage)
    return Search(tuple(boxes), chosen, pruned(boxes[chosen], half, 2 * half.place.shape[1]))
