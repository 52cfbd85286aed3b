"""The histories of a comparison, lived batch by batch of draws; only statistics of the draws are kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import OUTCOMES_ONLY, run_batch, thread_count
from sim.engine.table import Table, at_points, tabulate
from sim.study.comparison.arms import Arm, common_day
from sim.study.comparison.measures import Columns, Measure, columns_of, losses, measures_of
from sim.study.comparison.paired import CompetingDraws, Draws
from sim.study.comparison.points import Columns as Points
from sim.study.comparison.points import rows, without
from sim.study.comparison.regret import Regrets, regrets_of
from sim.study.memory import forecast, require
from sim.study.tally import Tally
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]

BATCH: Final = 20_000
"""Histories of an ensemble that are lived at a time."""
KEPT_PER_HISTORY: Final = 4 * 160
"""Bytes of the measures of one history."""


@dataclass(frozen=True)
class Ensemble:
    """An arm with documented history pinned before a day alone: what is lived once for all pairs that need it."""

    arm: Arm
    day: int | None

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario so pinned."""
        return self.arm.freed(self.day)

    @cached_property
    def table(self) -> Table:
        """What engines read of the scenario itself."""
        return tabulate(self.scenario)


Key = tuple[int, int | None]
"""An ensemble by the place of its arm and the day before which history is pinned."""


@dataclass(frozen=True)
class Plan:
    """What is to be lived: `draws` sets of parameters, `runs` histories each; run numbers go on from draw to draw.

    `war_loss`: by measure the value that a history with war counts as. `apart`: each pair from a day of its own.
    """

    arms: tuple[Arm, ...]
    points: Points
    draws: int
    runs: int
    seed: int
    threads: int
    war_loss: Mapping[str, float] = field(default_factory=dict)
    apart: bool = False

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What is compared."""
        return measures_of(self.arms[0].scenario)

    @cached_property
    def pairs(self) -> tuple[tuple[Key, Key], ...]:
        """Each arm against the first, all pinned before the day on which the earliest of them departs.

        Where pairs are apart: both pinned before the day on which the earlier of the two departs.
        """
        if not self.apart:
            return tuple((self.together[0], key) for key in self.together[1:])
        days = [common_day((self.arms[0], arm)) for arm in self.arms[1:]]
        return tuple(((0, day), (place, day)) for place, day in enumerate(days, start=1))

    @cached_property
    def together(self) -> tuple[Key, ...]:
        """All arms, pinned before the day on which the earliest of them departs."""
        day = common_day(self.arms)
        return tuple((place, day) for place in range(len(self.arms)))

    @cached_property
    def ensembles(self) -> dict[Key, Ensemble]:
        """All that is lived, each once, however many pairs need it."""
        wanted = dict.fromkeys((*self.together, *(key for pair in self.pairs for key in pair)))
        return {(place, day): Ensemble(self.arms[place], day) for place, day in wanted}

    @property
    def histories(self) -> int:
        """Number of histories."""
        return len(self.ensembles) * self.draws * self.runs

    def batches(self) -> Iterator[range]:
        """Ranges of draws that are lived together."""
        size = max(1, BATCH // self.runs)
        for start in range(0, self.draws, size):
            yield range(start, min(start + size, self.draws))


@dataclass
class Findings:
    """Statistics as they grow: per pair and measure the draws and a tally of single differences; regrets."""

    draws: dict[tuple[int, str], list[Draws]] = field(default_factory=dict)
    competing: dict[tuple[int, str], list[CompetingDraws]] = field(default_factory=dict)
    tallies: dict[tuple[int, str], Tally] = field(default_factory=dict)
    regrets: dict[str, list[Regrets]] = field(default_factory=dict)

    def note(self, place: int, measure: Measure, pair: Array, war: Array, stated: float | None) -> None:
        """Note the pairs (2, draw, run) of one measure, whether war came likewise, and what is stated of its loss."""
        key, (a, b) = (place, measure.name), pair
        self.draws.setdefault(key, []).append(Draws.of(a, b, measure.heavy))
        lost = losses(measure, pair, war, stated) if measure.direction else None
        self.competing.setdefault(key, []).append(CompetingDraws.of(a, b, measure.heavy, war[0] | war[1], lost))
        single = Tally.of(np.asarray(b, dtype=np.float64) - a)
        self.tallies[key] = self.tallies[key] + single if key in self.tallies else single


def live(plan: Plan, progress: Callable[[int], None] | None = None) -> Findings:
    """Live the plan.

    Args:
        plan: what is to be lived.
        progress: called with numbers of finished histories.

    Raises:
        UserError: a batch would not fit into the free memory.
    """
    size = max(len(batch) for batch in plan.batches()) * plan.runs
    engine = forecast(next(iter(plan.ensembles.values())).table, size, OUTCOMES_ONLY, thread_count(plan.threads))
    require(engine + size * KEPT_PER_HISTORY * len(plan.ensembles), "study.runs", plan.runs)
    findings = Findings()
    for batch in plan.batches():
        values = {key: _values(plan, one, batch, progress) for key, one in plan.ensembles.items()}
        war = {key: columns["war"].astype(bool) for key, columns in values.items()}
        for measure in plan.measures:
            _compare(plan, findings, measure, {key: columns[measure.name] for key, columns in values.items()}, war)
    return findings


def _compare(plan: Plan, findings: Findings, measure: Measure, values: dict[Key, Array], war: dict[Key, Array]) -> None:
    stated = plan.war_loss.get(measure.name)
    for place, pair in enumerate(plan.pairs):
        both, wars = (np.stack([one[key] for key in pair]) for one in (values, war))
        findings.note(place, measure, both, wars, stated)
    if measure.direction and not measure.heavy and measure.kind == "outcome":
        together, wars = (np.stack([one[key] for key in plan.together]) for one in (values, war))
        lost = losses(measure, together, wars, stated)
        findings.regrets.setdefault(measure.name, []).append(regrets_of(lost))


def _values(plan: Plan, one: Ensemble, batch: range, progress: Callable[[int], None] | None) -> Columns:
    """Every measure (draw, run) of an ensemble over a batch of draws."""
    points = rows(without(plan.points, one.arm.kept), batch.start, batch.stop)
    table = at_points(one.table, one.scenario, points)
    numbers = np.arange(batch.start * plan.runs, batch.stop * plan.runs)
    place = np.repeat(np.arange(len(batch)), plan.runs) if points else np.zeros(len(numbers), dtype=np.int64)
    output = run_batch(table, plan.seed, numbers, points=place, threads=plan.threads, progress=progress)
    columns = columns_of(one.scenario, output)
    return {name: values.reshape(len(batch), plan.runs) for name, values in columns.items()}
