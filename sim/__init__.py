"""Lull: why proxy campaigns stop, and for how long. An agent-based model, its engines and its studies.

>>> from sim import simulate
>>> data = simulate("article", runs=20)
>>> int(data.sizes["run"])
20
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.commands.calibrate import calibrate as calibrate
    from sim.commands.calls.result import Result as Result
    from sim.commands.checks import check_extension as check_extension
    from sim.commands.checks import verify as verify
    from sim.commands.compare import compare as compare
    from sim.commands.data import inspect_data as inspect_data
    from sim.commands.discover import discover as discover
    from sim.commands.discover import optimise as optimise
    from sim.commands.explain import diff as diff
    from sim.commands.explain import explain as explain
    from sim.commands.forecast import forecast as forecast
    from sim.commands.forecast import predict_case as predict_case
    from sim.commands.replay import replay as replay
    from sim.commands.report import report as report
    from sim.commands.run import run as run
    from sim.commands.sensitivity import sensitivity as sensitivity
    from sim.commands.sweep import merge as merge
    from sim.commands.sweep import sweep as sweep
    from sim.commands.watch import watch as watch
    from sim.engine.reference.agents import MediatorsAgent as MediatorsAgent
    from sim.engine.reference.agents import MilitiaWing as MilitiaWing
    from sim.engine.reference.agents import PatronAgent as PatronAgent
    from sim.engine.reference.agents import RivalAgent as RivalAgent
    from sim.engine.reference.agents import TargetAgent as TargetAgent
    from sim.engine.reference.model import ReferenceModel as ReferenceModel
    from sim.experiment.ensemble import simulate as simulate
    from sim.experiment.sweep.store import open_sweep as open_sweep
    from sim.model.extension import ActorType as ActorType
    from sim.model.extension import Change as Change
    from sim.model.extension import Derived as Derived
    from sim.model.extension import Extension as Extension
    from sim.model.extension import Mechanism as Mechanism
    from sim.model.extension import Series as Series
    from sim.model.extension import State as State
    from sim.model.extension import Tallied as Tallied
    from sim.model.parameters import Declaration as Declaration
    from sim.model.parameters import log_uniform as log_uniform
    from sim.model.parameters import uniform as uniform
    from sim.model.scenario import load as load
    from sim.reporting.figures import draw as draw
    from sim.reporting.formulas import formula as formula
    from sim.reporting.listings import events as events
    from sim.reporting.listings import facts as facts
    from sim.reporting.listings import parameters as parameters
    from sim.reporting.listings import patterns as patterns
    from sim.reporting.listings import scenarios as scenarios
    from sim.reporting.style import canvas as canvas

__version__ = "0.1.0"

_NAMES = {
    "sim.engine.reference": "MediatorsAgent MilitiaWing PatronAgent ReferenceModel RivalAgent TargetAgent",
    "sim.commands.calibrate": "calibrate",
    "sim.commands.compare": "compare",
    "sim.commands.data": "inspect_data",
    "sim.commands.discover": "discover optimise",
    "sim.commands.explain": "diff explain",
    "sim.commands.replay": "replay",
    "sim.commands.forecast": "forecast predict_case",
    "sim.commands.calls.result": "Result",
    "sim.commands.run": "run",
    "sim.commands.sensitivity": "sensitivity",
    "sim.experiment.ensemble": "simulate",
    "sim.experiment.sweep.store": "open_sweep",
    "sim.commands.sweep": "merge sweep",
    "sim.commands.watch": "watch",
    "sim.reporting.style": "canvas",
    "sim.reporting.figures": "draw",
    "sim.reporting.formulas": "formula",
    "sim.reporting.listings": "events facts parameters patterns scenarios",
    "sim.commands.report": "report",
    "sim.commands.checks": "check_extension verify",
    "sim.model.extension": "ActorType Change Derived Extension Mechanism Series State Tallied",
    "sim.model.parameters": "Declaration log_uniform uniform",
    "sim.model.scenario": "load",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
_FORMER = {"diverge": "diff"}
"""Names of before, which are read for one release."""
__all__ = sorted((*_HOMES, "__version__"))


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import sim` costs nothing."""
    name = _FORMER.get(name, name)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
