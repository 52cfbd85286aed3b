"""The configurations of a sweep: one for every combination of what is more than a number, each composed once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from sim.study.sweep.axes import Axes, Drawn, spelled
from sim.study.sweep.design import Design, Sampled
from sim.study.sweep.settings import Policies
from sim.world.errors import UserError, one_of
from sim.world.parameters import Theatre, Wing, declared, shared_declarations
from sim.world.scenario import POSTERIOR, Config, Scenario, load

MOST_GROUPS: Final = 5000
"""Composing takes a sixth of a second each; more than this is taken for a mistake."""


@dataclass(frozen=True)
class Group:
    """One configuration that points of a sweep share.

    `labels` says what was chosen for each key that is no parameter, `policy` under which policy. `kept` are drawn
    parameters that this configuration sets itself: they stay as they are here, whatever was drawn.
    """

    labels: dict[str, str]
    policy: str | None
    config: Config
    kept: frozenset[str]


def first_overrides(axes: Axes) -> tuple[str, ...]:
    """Overrides of the first combination, from which the settings of the whole sweep are read."""
    return (*axes.fixed, *(f"{choice.key}={choice.values[0]}" for choice in axes.choices))


class Composer:
    """Composes configurations, each only once."""

    def __init__(self, config_dir: Path | None) -> None:
        self._config_dir = config_dir
        self._made: dict[tuple[str, ...], Config] = {}

    def __call__(self, overrides: Sequence[str]) -> Config:
        """The configuration that overrides make.

        Raises:
            UserError: they cannot be used.
        """
        key = tuple(overrides)
        if key not in self._made:
            self._made[key] = load(key, self._config_dir)
        return self._made[key]


def compose_groups(axes: Axes, policies: Policies, design: Design, compose: Composer) -> tuple[Group, ...]:
    """All configurations: variants of a table first, then policies, then choices, the last the fastest.

    Raises:
        UserError: one cannot be composed, lacks a swept parameter or has other theatres than the first.
    """
    count = len(design.variants) * max(1, len(policies))
    for choice in axes.choices:
        count *= len(choice.values)
    if count > MOST_GROUPS:
        raise UserError("sweep", f"{count} combinations", f"at most {MOST_GROUPS} of keys that are no parameters")
    groups = tuple(
        _group(axes, design, variant, name, policies.get(name or "", {}), chosen, compose)
        for variant in design.variants
        for name in (policies or (None,))
        for chosen in product(*(range(len(choice.values)) for choice in axes.choices))
    )
    for group in groups:
        _check_theatres(group.config, groups[0].config)
    levers = next(iter(policies.values()), {})
    first = _overrides(axes, design.variants[0], levers, [0] * len(axes.choices))
    _check_references(groups[0].config, first, design, compose)
    return groups


def _group(
    axes: Axes, design: Design, variant: Mapping[str, str], policy: str | None, levers: Mapping[str, Any],
    chosen: Sequence[int], compose: Composer,
) -> Group:  # fmt: skip
    for key in levers:
        if key in design.keys or key in {choice.key.lstrip("+") for choice in axes.choices} | set(variant):
            raise UserError(f"study.policies.{policy}.{key}", levers[key], "keys that are not swept besides")
    config = compose(_overrides(axes, variant, levers, chosen))
    for key in design.keys:
        _check_key(key, config.scenario)
    labels = {choice.key.lstrip("+"): choice.labels[place] for choice, place in zip(axes.choices, chosen, strict=True)}
    return Group({**variant, **labels}, policy, config, _kept(design, config))


def _overrides(axes: Axes, variant: Mapping[str, str], levers: Mapping[str, Any], chosen: Sequence[int]) -> list[str]:
    """The overrides of one combination; what a policy sets replaces what was fixed."""
    set_here = {**{key: spelled(value) for key, value in levers.items()}, **variant}
    fixed = [one for one in axes.fixed if one.partition("=")[0] not in set_here]
    choices = [f"{choice.key}={choice.values[place]}" for choice, place in zip(axes.choices, chosen, strict=True)]
    return [*fixed, *choices, *(f"{key}={value}" for key, value in set_here.items())]


def _check_key(key: str, scenario: Scenario) -> None:
    """Refuse a swept parameter of a theatre or wing that this case does not have."""
    cast, known = scenario.cast, set(shared_declarations()) | set(scenario.extended.values)
    known |= {f"militia.{wing}.{name}" for wing in cast.wings for name, _ in declared(Wing)}
    known |= {f"theatre.{theatre}.{name}" for theatre in cast.theatres for name, _ in declared(Theatre)}
    if key not in known:
        raise UserError(key, "(swept)", f"keys: {one_of(sorted(known), key)}")


def _kept(design: Design, config: Config) -> frozenset[str]:
    """Drawn parameters that the configuration has moved away from their declared defaults."""
    if design.kind == POSTERIOR:
        declared = shared_declarations()
        return frozenset(key for key in design.keys if parameter(config, key) != declared[key].default)
    drawn = [axis for axis in design.axes if isinstance(axis, Drawn)] if isinstance(design, Sampled) else []
    return frozenset(axis.key for axis in drawn if parameter(config, axis.key) != axis.declared.default)


def parameter(config: Config, key: str) -> float:
    """The value that a configuration gives a parameter."""
    scenario = config.scenario
    if key in scenario.extended.values:
        return scenario.extended.values[key]
    kind, _, rest = key.partition(".")
    if kind in ("theatre", "militia"):
        actor, _, name = rest.partition(".")
        actors: Mapping[str, Theatre | Wing] = scenario.cast.theatres if kind == "theatre" else scenario.cast.wings
        return float(getattr(actors[actor], name))
    return float(getattr(getattr(scenario.parameters, kind), rest))


def _check_theatres(config: Config, first: Config) -> None:
    here, there = (
        [(key, theatre.kind) for key, theatre in one.scenario.cast.theatres.items()] for one in (config, first)
    )
    if here != there:
        theatres = ", ".join(key for key, _ in there)
        raise UserError("scenario", config.scenario.name, f"cases with the same theatres in one sweep: {theatres}")


def _check_references(config: Config, overrides: Sequence[str], design: Design, compose: Composer) -> None:
    """Refuse to sweep a parameter from which the configuration works out another key: that key would not follow."""
    if not design.keys:
        return
    first = design.columns(0, 1)
    moved = compose([*overrides, *(f"{key}={float(column[0])!r}" for key, column in first.items())])
    before, after = flattened(config.tree), flattened(moved.tree)
    for key in before:
        if key not in design.keys and before[key] != after.get(key):
            raise UserError(key, before[key], "a value of its own in a sweep; it refers to a swept parameter")


def flattened(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings as one, by full key.

    >>> flattened({"patron": {"control": 0.7}, "seed": 1})
    {'patron.control': 0.7, 'seed': 1}
    """
    return dict(_leaves(tree, ""))


def _leaves(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
