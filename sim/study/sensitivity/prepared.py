"""A sensitivity analysis as a sweep: the same request, points of its own, the same store."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sim.study.request import Request
from sim.study.sensitivity.designs import design_of
from sim.study.sensitivity.settings import DEFAULT_RUNS, LEAST_RUNS, Settings, settings_of
from sim.study.sensitivity.space import Space, space_of
from sim.study.sweep.axes import Axes, read_axes
from sim.study.sweep.cluster import cluster_of
from sim.study.sweep.groups import Composer, compose_groups
from sim.study.sweep.identity import short_hash
from sim.study.sweep.prepared import Sweep
from sim.study.sweep.settings import settings_of as study_settings_of
from sim.study.sweep.store import read_store
from sim.world.errors import UserError
from sim.world.extension.reader import asked_for
from sim.world.schema import STUDY_KEYS

VERB: Final = "sensitivity"


@dataclass(frozen=True)
class Analysis:
    """An analysis as it was asked for: its settings, what varies, and the sweep that lives its points."""

    settings: Settings
    space: Space
    sweep: Sweep


def prepare(request: Request) -> Analysis:
    """Read and check an analysis; nothing is computed or written.

    Raises:
        UserError: something in it cannot be used; one line.
    """
    settings, rest = settings_of(request)
    axes = read_axes(rest.overrides, request.config_dir, asked_for(rest.overrides, ()))
    check(axes)
    if not any(one.partition("=")[0] == "study.runs" for one in axes.fixed):
        axes = replace(axes, fixed=(f"study.runs={DEFAULT_RUNS}", *axes.fixed))
    compose = Composer(request.config_dir)
    config = compose(axes.fixed)
    if config.runs < LEAST_RUNS:
        raise UserError("study.runs", config.runs, f"{LEAST_RUNS} or more: chance is told from quarters of the runs")
    cluster_of(config)
    study = study_settings_of(config)
    space = space_of(axes, settings, config)
    design = design_of(settings, space.axes, config.seed)
    sweep = Sweep(request, axes, study, design, compose_groups(axes, study.policies, design, compose))
    sweep = replace(sweep, request=replace(request, home=folder_of(sweep, settings)))
    check_samples(sweep, settings)
    return Analysis(settings, space, sweep)


def check_samples(sweep: Sweep, settings: Settings) -> None:
    """Refuse fewer samples than the folder has.

    Raises:
        UserError: they are fewer.
    """
    store = read_store(sweep.folder)
    if store is not None and store.points > sweep.work.points:
        before = store.points // (sweep.work.points // settings.samples)
        raise UserError("sensitivity.samples", settings.samples, f"{before} or more, as in {store.folder}")


def check(axes: Axes) -> None:
    """Refuse what only a sweep takes.

    Raises:
        UserError: a key with several values that is no number, or a key of a sweep's design.
    """
    if axes.choices:
        one = axes.choices[0]
        raise UserError(one.key, ",".join(one.labels), "one value; an analysis has one configuration, and numbers vary")
    for text in axes.fixed:
        key, _, value = text.partition("=")
        if key in {f"study.{name}" for name in STUDY_KEYS if name not in ("runs", "accept_versions")}:
            raise UserError(key, value, "study.runs and sensitivity.samples; the method decides about the points")


def folder_of(sweep: Sweep, settings: Settings) -> Path:
    """Where it is kept: as told, else a name that the same analysis always has, however many samples and runs."""
    told = sweep.request.home or sweep.config.output_dir
    if told is not None:
        return told
    scenario = sweep.config.scenario.name.replace("/", "-")
    name = f"sensitivity-{settings.method}-{scenario}-seed{sweep.config.seed}-{short_hash(sweep.identity)}"
    return Path.cwd() / "outputs" / name
