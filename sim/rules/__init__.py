"""The equations of the model, one module for each role."""

import sys
from collections.abc import Callable
from typing import Any, Final

RENAMED: Final = {
    "casualties.killed": "casualties.number_killed",
    "observation.dampened": "observation.mix_small",
    "rates.chance": "rates.rate_to_probability",
    "rates.clipped": "rates.clip01",
    "rates.keep": "rates.decay_factor",
    "rates.remembered": "rates.exponential_memory",
    "target.attributed": "target.attribution_succeeds",
    "target.blame": "target.targeting_weight",
    "target.limited_chance": "target.limited_response_probability",
    "target.limited_falls": "target.limited_response_occurs",
    "target.major_falls": "target.major_response_occurs",
    "target.relieved": "target.provocation_after_response",
}
"""Rules by their former names, which extensions may use for one release."""

RENAMED_ARGUMENTS: Final = {
    "patron.answers": {"chance": "probability"},
    "target.limited_response_occurs": {"likely": "probability"},
}
"""Former names of arguments, by rule."""


def old_names(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module of rules: it finds a rule under its former name too."""

    def find(name: str) -> Any:
        current = RENAMED.get(f"{module.rpartition('.')[2]}.{name}")
        if current is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(sys.modules[module], current.partition(".")[2])

    return find
