"""What the figures say of single parameters and of rival readings: as `lull calibrate` left it with the posterior."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.study.calibration.freshness import stale
from sim.study.calibration.shipped import Shipped, shipped_posterior
from sim.study.calibration.verdicts import NOT
from sim.world.actors import Cast
from sim.world.errors import UserError

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Evidence:
    """What a calibration found, or why there is nothing to be told: `why` is empty where there is.

    `draws` of its posterior are drawn from, `histories` made it.
    """

    why: str = ""
    draws: int = 0
    histories: int = 0
    results: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, name: str) -> Rows:
        """One table of the results; empty where there is none."""
        return list(self.results.get(name, ()))

    @property
    def lost(self) -> list[str]:
        """Quantities that are not identified."""
        return [one["quantity"] for one in self.rows("quantities") if one["verdict"] == NOT]

    @property
    def check(self) -> Mapping[str, Any]:
        """What planted truths said, by region."""
        found: Mapping[str, Any] = self.results.get("check", {})
        return found


def evidence_of(cast: Cast) -> Evidence:
    """What the posterior that comes with the package tells of a case."""
    try:
        shipped = shipped_posterior(cast)
    except UserError:
        return Evidence(why="no posterior of this case comes with this installation")
    if why := stale(shipped):
        return Evidence(why=f"the posterior that comes with this installation is stale: {why}")
    return told_of(shipped)


def told_of(shipped: Shipped) -> Evidence:
    """What a posterior tells."""
    about = shipped.about
    if "results" not in about:
        return Evidence(why="the posterior that comes with this installation says nothing of how it was found")
    return Evidence("", shipped.draws, int(about["bank"]), about["results"])
