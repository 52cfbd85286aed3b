"""What follows once two histories have parted: each thing that can be seen or felt, and when it first differs."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from sim.study.life import Life

Array = npt.NDArray[Any]
Table = Literal["run", "fronts", "wings"]


@dataclass(frozen=True)
class Quantity:
    """Something that is followed: where it stands in the state table, what it is, in which unit it is told."""

    table: Table
    field: str
    words: str
    unit: str = ""


FOLLOWED: Final = (
    Quantity("run", "war_risk", "war risk perceived by {patron}"),
    Quantity("run", "phase", "state of {patron}"),
    Quantity("fronts", "order", "{patron}'s order for {place}"),
    Quantity("run", "pressure", "pressure of the mediators"),
    Quantity("wings", "compliance", "compliance of {place}"),
    Quantity("wings", "fear", "fear of {place}"),
    Quantity("wings", "grievance", "grievance of {place}"),
    Quantity("wings", "capacity", "capacity of {place}"),
    Quantity("wings", "rate", "attack rate of {place}", "a day"),
    Quantity("wings", "attacks", "attacks by {place}"),
    Quantity("wings", "acknowledged", "acknowledged attacks by {place}"),
    Quantity("run", "injured", "soldiers injured"),
    Quantity("run", "killed", "soldiers killed"),
    Quantity("run", "provocation", "provocation of {target}", "attacks"),
    Quantity("run", "pending", "days until the announced response of {target}"),
    Quantity("run", "acts", "acts of {target} against {patron}"),
    Quantity("run", "limited", "limited strikes by {target}"),
    Quantity("run", "leader", "what {target} did about a chance to strike a leader"),
    Quantity("run", "major", "major response by {target}"),
    Quantity("wings", "struck", "strikes on {place}", "limited strikes"),
    Quantity("run", "rung", "rung of the ladder"),
    Quantity("run", "war", "direct war"),
)
"""In the order of the day, so that causes stand before effects of the same day."""


@dataclass(frozen=True)
class Link:
    """One link of the chain: on this day this quantity differed for the first time.

    `place` is the number of the theatre or wing (None for the run), `places` how many of them had differed by the end.
    """

    day: int
    quantity: Quantity
    place: int | None
    one: float
    other: float
    places: int = 1


def chain(one: Life, other: Life) -> tuple[Link, ...]:
    """Every followed quantity that ever differs, by the day on which it first does."""
    found = [link for quantity in FOLLOWED if (link := _link(quantity, one, other)) is not None]
    return tuple(sorted(found, key=lambda link: link.day))


def _link(quantity: Quantity, one: Life, other: Life) -> Link | None:
    a, b = (np.asarray(getattr(life.states, quantity.table)[quantity.field]) for life in (one, other))
    unequal = a != b
    if not unequal.any():
        return None
    if quantity.table == "run":
        day = int(np.flatnonzero(unequal)[0])
        return Link(day, quantity, None, float(a[day]), float(b[day]))
    day, place = (int(i) for i in np.argwhere(unequal)[0])
    return Link(day, quantity, place, float(a[day, place]), float(b[day, place]), int(unequal.any(axis=0).sum()))
