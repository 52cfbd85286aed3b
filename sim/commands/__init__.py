"""The verbs of the command line, each in the module of its name or in that of its group."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sim.experiment.command import Request

GROUPS: Final = {
    "checks": ("verify", "check-extension", "bench"),
    "explain": ("explain", "diff"),
    "forecast": ("forecast", "case"),
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


CHECKED_BY_THEMSELVES: Final = ("verify", "check-extension", "bench")
"""Verbs without a configuration of their own."""
OF_POINTS: Final = ("sweep", "sensitivity", "discover")
"""Verbs whose overrides may ask for several values of a key."""


def check(request: "Request") -> None:
    """Find a mistake in options and configuration before the module of the verb is imported, which takes a second.

    Raises:
        UserError: an option or the configuration cannot be used.
    """
    from sim.experiment.options import OWN
    from sim.model.scenario import load

    found: dict[str, Any] = {}
    rest = request
    for kind in OWN.get(request.verb, ()):
        options, rest = rest.options(kind)
        found |= options.values()
    if request.verb in CHECKED_BY_THEMSELVES or found.get("action") == "new":
        return
    if "scenarios" in found:
        from sim.analysis.comparison.arms import arms_of, check_pair

        if request.verb == "diff":
            check_pair(found["scenarios"])
        arms_of(found["scenarios"], rest.overrides, rest.config_dir, rest.extensions)
    elif request.verb in OF_POINTS:
        from sim.experiment.sweep.axes import read_axes
        from sim.model.extension import requested_extensions

        axes = read_axes(rest.overrides, rest.config_dir, requested_extensions(rest.overrides, ()))
        for overrides in dict.fromkeys((axes.combination(0), axes.combination(-1))):
            load(overrides, rest.config_dir)
    else:
        load(rest.overrides, rest.config_dir, rest.extensions)
