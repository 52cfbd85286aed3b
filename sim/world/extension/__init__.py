"""What a user adds to the model from a file or a notebook: outcomes, rules, mechanisms, types of actors.

An `Extension` is a plain value. It is handed along with a scenario and never registered anywhere, so two studies in one
process cannot disturb each other.
"""

from sim.world.extension.declared import ActorType, Change, Derived, Extension, Mechanism, State, Tallied
from sim.world.extension.extended import UNEXTENDED, Extended
from sim.world.extension.file import extension_of

__all__ = [
    "UNEXTENDED", "ActorType", "Change", "Derived", "Extended", "Extension", "Mechanism", "State", "Tallied",
    "extension_of",
]  # fmt: skip
