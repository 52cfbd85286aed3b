"""The verbs of the command line, each in the module of its name or in that of its group."""

from typing import Final

GROUPS: Final = {
    "checks": ("verify", "check-extension", "bench"),
    "discover": ("discover", "optimise"),
    "explain": ("explain", "diff"),
    "forecast": ("forecast", "case"),
    "sweep": ("sweep", "merge"),
    "lists": ("scenarios", "events", "parameters", "facts"),
}
"""Modules that carry out several verbs."""


def module_of(verb: str) -> str:
    """The module whose `main(request)` carries out a verb.

    >>> module_of("diff"), module_of("run")
    ('sim.commands.explain', 'sim.commands.run')
    """
    if verb == "app":
        return "sim.app"
    return f"sim.commands.{next((module for module, verbs in GROUPS.items() if verb in verbs), verb)}"
