"""Which parameters an analysis varies, and over what: the swept ones, or all that the case has."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from sim.study.declared import parameter_rows
from sim.study.sensitivity.settings import Settings
from sim.study.sweep.axes import Axes, Axis, Drawn, Interval, declaration
from sim.study.sweep.groups import parameter
from sim.world.errors import UserError, one_of
from sim.world.parameters import Declaration
from sim.world.scenario import Config

AROUND: Final = (0.5, 1.5)
"""A number without a prior varies between these multiples of its value, as far as its declared range goes."""

_EVERYTHING: Final = ("*",)


@dataclass(frozen=True)
class Space:
    """Parameters that vary, in order, and those that stay, each with the reason."""

    axes: tuple[Axis, ...]
    held: dict[str, str]


def space_of(axes: Axes, settings: Settings, config: Config) -> Space:
    """The space that the command line asks for.

    Swept parameters vary as they are swept. With nothing swept, or with `sensitivity.parameters`, the others follow
    their priors; those without one vary around their value. What the user or the scenario has set stays.

    Raises:
        UserError: a pattern fits nothing, or nothing is left to vary.
    """
    patterns = settings.parameters or (() if axes.numbers else _EVERYTHING)
    keys = [row.key for row in parameter_rows(config.scenario)]
    for pattern in patterns:
        if not any(fnmatchcase(key, pattern) for key in keys):
            raise UserError("sensitivity.parameters", pattern, f"all, or patterns of keys: {one_of(keys, pattern)}")
    swept = {axis.key: axis for axis in axes.numbers}
    fixed = axes.fixed_keys
    found: list[Axis] = []
    held: dict[str, str] = {}
    for key in keys:
        if key in swept:
            found.append(swept[key])
        elif any(fnmatchcase(key, pattern) for pattern in patterns):
            reason = "set by you" if key in fixed else _held(key, config)
            if reason is None:
                found.append(_axis(key, config))
            else:
                held[key] = reason
    # A swept key that this case does not have is refused, with the names that it has, where it is composed.
    found += [axis for key, axis in swept.items() if key not in keys]
    if not found:
        raise UserError("sensitivity.parameters", _told(settings.parameters), "parameters that are not held fixed")
    return Space(tuple(found), held)


def _held(key: str, config: Config) -> str | None:
    """Why a parameter stays as it is; None where it varies."""
    one, value = _declared(key, config), parameter(config, key)
    if one.default is not None:
        if value != one.default:
            return "set by the scenario"
        if one.prior.shape != "fixed":
            return None
        if one.provenance != "assumed":
            return f"{config.scenario.cast.shared_source(one).provenance}, with a fixed prior"
    low, high = _around(one, value)
    return None if low < high else "zero"


def _axis(key: str, config: Config) -> Axis:
    one = _declared(key, config)
    if one.prior.shape != "fixed":
        return Drawn(key, one)
    low, high = _around(one, parameter(config, key))
    return Interval(key, f"interval({low!r},{high!r})", low, high)


def _declared(key: str, config: Config) -> Declaration:
    one = declaration(key, config.scenario.extended.extensions)
    assert one is not None
    return one


def _around(one: Declaration, value: float) -> tuple[float, float]:
    ends = sorted(factor * value for factor in AROUND)
    return max(one.low, ends[0]), min(one.high, ends[1])


def _told(patterns: Sequence[str] | None) -> str:
    return "null" if patterns is None else ",".join(patterns)
