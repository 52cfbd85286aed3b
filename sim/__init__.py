"""Lull: why proxy campaigns stop, and for how long. An agent-based model, its engines and its studies.

>>> from sim import simulate
>>> data = simulate("article", runs=20)
>>> int(data.sizes["run"])
20
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.engine.reference import ReferenceModel as ReferenceModel
    from sim.study.attribution.explaining import explain as explain
    from sim.study.calibration.calibrating import calibrate as calibrate
    from sim.study.comparison.comparing import compare as compare
    from sim.study.discovery.discovering import discover as discover
    from sim.study.divergence.diverging import diverge as diverge
    from sim.study.extension_check import check_extension as check_extension
    from sim.study.replay import replay as replay
    from sim.study.sensitivity.analysing import sensitivity as sensitivity
    from sim.study.simulation import simulate as simulate
    from sim.study.sweep.opened import open_sweep as open_sweep
    from sim.study.sweep.sweeping import sweep as sweep
    from sim.view.canvas import canvas as canvas
    from sim.view.drawing import draw as draw
    from sim.view.listings import facts as facts
    from sim.view.listings import parameters as parameters
    from sim.view.listings import patterns as patterns
    from sim.view.listings import scenarios as scenarios
    from sim.view.report.reporting import report as report
    from sim.view.verbs.verify import verify as verify
    from sim.world.extension import ActorType as ActorType
    from sim.world.extension import Change as Change
    from sim.world.extension import Derived as Derived
    from sim.world.extension import Extension as Extension
    from sim.world.extension import Mechanism as Mechanism
    from sim.world.extension import State as State
    from sim.world.extension import Tallied as Tallied
    from sim.world.parameters import Declaration as Declaration
    from sim.world.parameters import log_uniform as log_uniform
    from sim.world.parameters import uniform as uniform
    from sim.world.scenario import load as load

__version__ = "0.1.0"

_HOMES = {
    "ActorType": "sim.world.extension",
    "Change": "sim.world.extension",
    "Declaration": "sim.world.parameters",
    "Derived": "sim.world.extension",
    "Extension": "sim.world.extension",
    "Mechanism": "sim.world.extension",
    "ReferenceModel": "sim.engine.reference",
    "State": "sim.world.extension",
    "Tallied": "sim.world.extension",
    "calibrate": "sim.study.calibration.calibrating",
    "canvas": "sim.view.canvas",
    "check_extension": "sim.study.extension_check",
    "compare": "sim.study.comparison.comparing",
    "discover": "sim.study.discovery.discovering",
    "diverge": "sim.study.divergence.diverging",
    "draw": "sim.view.drawing",
    "explain": "sim.study.attribution.explaining",
    "facts": "sim.view.listings",
    "load": "sim.world.scenario",
    "log_uniform": "sim.world.parameters",
    "open_sweep": "sim.study.sweep.opened",
    "parameters": "sim.view.listings",
    "patterns": "sim.view.listings",
    "replay": "sim.study.replay",
    "report": "sim.view.report.reporting",
    "scenarios": "sim.view.listings",
    "sensitivity": "sim.study.sensitivity.analysing",
    "simulate": "sim.study.simulation",
    "sweep": "sim.study.sweep.sweeping",
    "uniform": "sim.world.parameters",
    "verify": "sim.view.verbs.verify",
}

__all__ = [
    "ActorType",
    "Change",
    "Declaration",
    "Derived",
    "Extension",
    "Mechanism",
    "ReferenceModel",
    "State",
    "Tallied",
    "__version__",
    "calibrate",
    "canvas",
    "check_extension",
    "compare",
    "discover",
    "diverge",
    "draw",
    "explain",
    "facts",
    "load",
    "log_uniform",
    "open_sweep",
    "parameters",
    "patterns",
    "replay",
    "report",
    "scenarios",
    "sensitivity",
    "simulate",
    "sweep",
    "uniform",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import sim` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
