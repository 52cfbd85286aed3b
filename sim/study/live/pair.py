"""Two scenarios side by side under the same luck: what the second changes against the first."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sim.study.comparison.arms import Arm, check_alike, common_day, pinned_words
from sim.study.comparison.measures import Measure, columns_of, measures_of
from sim.study.comparison.paired import Competing, CompetingDraws, Draws, Effect, competing_of, effect_of
from sim.study.live.lived import Lived
from sim.study.tally import Tally
from sim.world.scenario import Config

SHOWN: Final = (
    "acknowledged_campaign", "acknowledged_lull", "attacks_after", "lull_days", "quiet_days", "deaths", "deaths_10",
    "injured", "peak_war_risk", "war",
)  # fmt: skip
"""What is told of a pair; `lull compare` tells all."""


@dataclass(frozen=True)
class Row:
    """One measure of a pair: of all pairs, until war where war cuts it; and of those without war in either arm."""

    measure: Measure
    effect: Effect
    no_war: Competing

    @property
    def compared(self) -> Effect | Competing:
        """What may be compared."""
        return self.no_war if self.measure.cut else self.effect


def alike(a: Config, b: Config) -> tuple[Config, Config, str]:
    """Both configurations with documented history pinned before the same day, and what is pinned, in words.

    Differences would otherwise mix what a scenario changes with the pins that fall away.

    Raises:
        UserError: they have different calendars or actors.
    """
    first, second = (Arm(one.scenario.name, one, frozenset()) for one in (a, b))
    check_alike(second, first)
    day = common_day((first, second))
    freed = [replace(arm.config, scenario=arm.freed(day)) for arm in (first, second)]
    return freed[0], freed[1], pinned_words(a.scenario, day)


def paired(a: Lived, b: Lived) -> tuple[Row, ...]:
    """The measures of a pair: B against A, history by history."""
    scenario = a.config.scenario
    first, second = (columns_of(one.config.scenario, one.output) for one in (a, b))
    measures = {one.name: one for one in measures_of(scenario)}
    war = (first["war"] | second["war"]).astype(bool)
    rows = []
    for name in SHOWN:
        measure, left, right = measures[name], first[name].astype(np.float64), second[name].astype(np.float64)
        draws = Draws.of(left[None], right[None], measure.heavy)
        effect = effect_of(draws, len(left), Tally.of(right - left), measure.heavy)
        apart = CompetingDraws.of(left[None], right[None], measure.heavy, war[None])
        rows.append(Row(measure, effect, competing_of(apart, len(left), measure.heavy)))
    return tuple(rows)
