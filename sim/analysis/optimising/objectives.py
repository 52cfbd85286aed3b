"""What a search over levers is asked for: levers, objectives and constraints, read and checked before it simulates."""

import math
import re
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from sim.analysis.requested import draws_of, source_of
from sim.analysis.sensitivity.targets import Target, target_of
from sim.experiment.command import Request
from sim.experiment.dataset import outcomes_of
from sim.experiment.options import SIZES, OptimiseOptions
from sim.experiment.sweep.axes import Axes, read_axes
from sim.model.extension import requested_extensions
from sim.model.scenario import DEFAULTS as DECLARED
from sim.model.scenario import POSTERIOR, Config, Scenario, asking, load
from sim.model.validation import UserError

VERB: Final = "optimise"
MOST_CONFIGURATIONS: Final = 256
"""Combinations of levers that are no parameters; composing each takes a sixth of a second."""
CUT_BY_WAR: Final = ("attacks", "soldiers", "responses", "chances")
"""Units of counts that stop where a history ends in war, so that fewer of them may just be more war."""


@dataclass(frozen=True)
class Objective:
    """A statistic of an outcome in each parameter set that is to be small (`sign` 1) or large (-1)."""

    text: str
    target: Target
    sign: int

    @property
    def title(self) -> str:
        """In words, with what is wanted."""
        return f"{'least' if self.sign > 0 else 'most'} of: {self.target.title}"


@dataclass(frozen=True)
class Constraint:
    """A statistic of an outcome that is on average over parameter sets at most (`sign` 1) or at least (-1) a bound."""

    text: str
    target: Target
    sign: int
    bound: float


_CONSTRAINT: Final = re.compile(r"(.+?) at (most|least) (-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")
_OBJECTIVE: Final = re.compile(r"(min|max) (.+)")


@dataclass(frozen=True)
class LeverSearch:
    """What a search is asked for: `configs` by combination of the choices of `axes`, and `plain`, without levers."""

    axes: Axes
    configs: tuple[Config, ...]
    plain: Config
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    source: str
    draws: int
    options: OptimiseOptions


def asked_by(options: OptimiseOptions, rest: Request) -> LeverSearch:
    """Read and check what a request asks for.

    Raises:
        UserError: no lever, an objective that cannot be used, or more configurations than can be composed.
    """
    axes = read_axes(rest.overrides, rest.config_dir, requested_extensions(rest.overrides, rest.extensions))
    if not axes.numbers and not axes.choices:
        allowed = "one key or more with several values, such as 'patron.control=interval(0.2,1)'"
        raise UserError(VERB, "(no lever)", allowed)
    source = source_of(options.parameters, (POSTERIOR, DECLARED))
    if options.robust != "mean" and source == DECLARED:
        raise UserError("optimise.robust", options.robust, "mean with parameters=defaults, which are one parameter set")
    count = math.prod(len(one.labels) for one in axes.choices)
    if count > MOST_CONFIGURATIONS:
        raise UserError(VERB, f"{count} combinations", f"at most {MOST_CONFIGURATIONS} of keys that are no parameters")
    given = any(one.partition("=")[0] == "study.runs" for one in axes.fixed)
    fixed = [*([] if given else [f"study.runs={SIZES[VERB].runs}"]), *axes.fixed]
    chosen = product(*(one.overrides for one in axes.choices))
    first, *others = (load((*fixed, *one), rest.config_dir, rest.extensions) for one in (*chosen, ()))
    scenario, objectives, constraints = asked_of(first.scenario, options)
    *configs, plain = (replace(one, scenario=replace(one.scenario, asked=scenario.asked)) for one in (first, *others))
    draws = draws_of(first, source, SIZES[VERB].draws)
    return LeverSearch(axes, tuple(configs), plain, objectives, constraints, source, draws, options)


def asked_of(
    scenario: Scenario, options: OptimiseOptions
) -> tuple[Scenario, tuple[Objective, ...], tuple[Constraint, ...]]:
    """The scenario that is asked for all conditions, the objectives and the constraints."""
    key = "optimise.objectives"
    objectives, constraints = [], []
    for text in options.objectives:
        found = _OBJECTIVE.fullmatch(text.strip())
        if found is None:
            raise UserError(key, text, "min or max, and an outcome or a condition: 'min war by 2024-06-01'")
        scenario, target = _target(scenario, found[2], key)
        if target.unit in CUT_BY_WAR:
            why = f"an outcome that war does not cut, or a condition such as '{target.outcome.name} >= 10'"
            raise UserError(key, text, f"{why}: a history that ends in war counts no further")
        objectives.append(Objective(text, target, 1 if found[1] == "min" else -1))
    for text in options.constraints or ():
        bounded = _CONSTRAINT.fullmatch(text.strip())
        if bounded is None:
            raise UserError(
                "optimise.constraints", text, "an outcome or condition at most or at least a number: 'war at most 0.1'"
            )
        scenario, target = _target(scenario, bounded[1], "optimise.constraints")
        constraints.append(Constraint(text, target, 1 if bounded[2] == "most" else -1, float(bounded[3])))
    if len({one.target for one in objectives}) < len(objectives) or not objectives:
        raise UserError(key, ", ".join(options.objectives) or "(none)", "one objective or more, each once")
    return scenario, tuple(objectives), tuple(constraints)


def _target(scenario: Scenario, text: str, key: str) -> tuple[Scenario, Target]:
    """The scenario that is asked for what a text says, and the statistic of it."""
    if text.partition(":")[0] in outcomes_of(scenario):
        return scenario, target_of(text, outcomes_of(scenario), key)
    scenario, [name] = asking(scenario, [text], key)
    return scenario, Target(outcomes_of(scenario)[name], "share")
