"""The reference model: the model as agents of Mesa, to read, to teach with and to check the compiled engines by.

    >>> from sim.engine.reference import ReferenceModel
    >>> model = ReferenceModel("article", seed=1, run=4711)
    >>> history = model.simulate().datacollector.get_model_vars_dataframe()
    >>> print(history.killed[103], history.rung[103])
    3.0 3.0

Agents hold their state as plain numbers. Each reads (its own state of today, that of all others as of yesterday
evening), calls a rule, and writes. The same seed and run give the compiled engine's history, bit for bit.
"""

import warnings

with warnings.catch_warnings():
    # Mesa brings tqdm, which in a notebook without ipywidgets complains about a progress bar that is never drawn.
    warnings.filterwarnings("ignore", message="IProgress not found")
    import mesa  # noqa: F401

from sim.engine.reference.agents import Actor, MediatorsAgent, MilitiaWing, PatronAgent, RivalAgent, TargetAgent
from sim.engine.reference.model import ReferenceModel, StateTable

__all__ = [
    "Actor",
    "MediatorsAgent",
    "MilitiaWing",
    "PatronAgent",
    "ReferenceModel",
    "RivalAgent",
    "StateTable",
    "TargetAgent",
]
