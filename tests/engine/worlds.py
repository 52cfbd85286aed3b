"""Small worlds for tests: scenarios with mechanisms off, events added, wings changed."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.batch import run_batch
from sim.engine.inputs import build_inputs
from sim.engine.record import Output, OutputSpec
from sim.model.parameters import Mechanisms
from sim.model.scenario import Scenario, load
from sim.model.timeline import Event

Array = npt.NDArray[Any]
ALL_OFF = Mechanisms(**dict.fromkeys(Mechanisms.__dataclass_fields__, False))
NO_WAR = "ladder.war_rate=0"


def world(*overrides: str, mechanisms: Mechanisms | None = None, events: tuple[Event, ...] = ()) -> Scenario:
    """A shipped scenario with overrides, other switches and events of its own."""
    scenario = load(list(overrides)).scenario
    return replace(
        scenario,
        mechanisms=scenario.mechanisms if mechanisms is None else mechanisms,
        events=(*scenario.events, *events),
    )


def simulate(
    scenario: Scenario, runs: int, seed: int, *, states: bool = False, design: dict[str, Array] | None = None
) -> Output:
    """Histories 0 to `runs` of a scenario."""
    wanted = OutputSpec(states=states)
    return run_batch(build_inputs(scenario, design), seed, np.arange(runs), outputs=wanted)


def rates(scenario: Scenario) -> Array:
    """Baseline rates of the wings (W,) in attacks/day."""
    return np.array([wing.baseline for wing in scenario.cast.wings.values()])


def close_in_errors(sample: Array, expected: Array | float, errors: float = 5.0) -> bool:
    """Whether the means over the first axis lie within so many standard errors of what is expected."""
    error = sample.std(axis=0, ddof=1) / np.sqrt(len(sample))
    return bool((np.abs(sample.mean(axis=0) - expected) <= errors * error).all())
