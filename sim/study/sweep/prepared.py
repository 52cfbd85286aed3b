"""A sweep from its overrides to its store: read, cut into parts, lived, kept, gone on with."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from sim.study.outcomes import outcomes_of
from sim.study.request import Request
from sim.study.sweep.axes import Axes, read_axes
from sim.study.sweep.cluster import ClusterSettings, cluster_of
from sim.study.sweep.design import Design, make_design
from sim.study.sweep.fitted import fitted_design
from sim.study.sweep.groups import Composer, Group, compose_groups, first_overrides
from sim.study.sweep.identity import identity, short_hash
from sim.study.sweep.precision import Judgement, judgements
from sim.study.sweep.settings import Settings, settings_of
from sim.study.sweep.work import COUNTED, Arm, Work
from sim.world.errors import UserError
from sim.world.extension.reader import asked_for
from sim.world.scenario import POSTERIOR, Config

DEFAULT_RUNS: Final = 100
"""Runs of each point where nothing is said: the error of a share is then at most 0.05."""

Progress = Callable[[int], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Sweep:
    """A sweep as it was asked for, composed and checked."""

    request: Request
    axes: Axes
    settings: Settings
    design: Design
    groups: tuple[Group, ...]

    @property
    def config(self) -> Config:
        """The first configuration, which also holds what is common to all."""
        return self.groups[0].config

    @property
    def crossing(self) -> int:
        """Configurations that every point of the design is lived under."""
        return len(self.groups) // len(self.design.variants)

    @property
    def runs(self) -> int:
        """Runs of each point, before any more for precision."""
        return self.config.runs

    @property
    def histories(self) -> int:
        """All histories, before any more for precision."""
        return self.work.points * self.runs

    @cached_property
    def work(self) -> Work:
        """What a worker has to know of it."""
        arms = tuple(Arm(group.config.scenario, group.kept) for group in self.groups)
        return Work(self.design, arms, self.crossing, self.config.seed)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What results depend on beside the number of points and runs."""
        return identity(self.axes, self.settings, self.design, self.groups)

    @property
    def asked(self) -> tuple[Judgement, ...]:
        """Tolerances that every point is to meet."""
        return judgements(self.settings.precision, outcomes_of(self.config.scenario.extended))

    @property
    def cluster(self) -> ClusterSettings | None:
        """The cluster that it is to be lived on; None: this process."""
        return cluster_of(self.config)

    @property
    def folder(self) -> Path:
        """Where it is kept: as told, else a name that the same sweep always has, however many points and runs."""
        told = self.request.home or self.config.output_dir
        if told is not None:
            return told.resolve()
        scenario = self.config.scenario.name.replace("/", "-")
        return Path.cwd() / "outputs" / f"sweep-{scenario}-seed{self.config.seed}-{short_hash(self.identity)}"

    @property
    def theatres(self) -> tuple[str, ...]:
        """Theatres of the case."""
        return tuple(self.config.scenario.cast.theatres)


def prepare(request: Request, table: pd.DataFrame | None = None) -> Sweep:
    """Read and check a sweep; nothing is computed or written.

    Args:
        request: the overrides; those that ask for several values make the axes.
        table: points, one per row, in place of `study.table`.

    Raises:
        UserError: something in it cannot be used; one line.
    """
    added = asked_for(request.overrides, ())
    axes = read_axes(request.overrides, request.config_dir, added)
    if not any(one.partition("=")[0] == "study.runs" for one in axes.fixed):
        axes = Axes((f"study.runs={DEFAULT_RUNS}", *axes.fixed), axes.numbers, axes.choices)
    compose = Composer(request.config_dir)
    first = compose(first_overrides(axes))
    if first.parameters_from == POSTERIOR:
        raise UserError("parameters", POSTERIOR, "defaults in a sweep; study.draws=posterior makes draws its points")
    settings = settings_of(first)
    cluster_of(first)
    design: Design
    if table is None and settings.table is None and settings.draws == POSTERIOR:
        design = fitted_design(axes, settings, first.scenario.cast)
    else:
        design = make_design(axes, settings, first.seed, first.scenario.extended, table)
    groups = compose_groups(axes, settings.policies, design, compose)
    sweep = Sweep(request, axes, settings, design, groups)
    for name in design.carried:
        if name in (*sweep.work.columns, *COUNTED, "runs", "theatre", "window"):
            raise UserError("study.ignore", name, "names that a stored sweep does not use itself; rename the column")
    if sweep.work.points == 1 and not design.keys:
        raise UserError(
            "sweep", "(nothing)", "one key or more with several values, such as scenario=article,tight_leash"
        )
    return sweep
