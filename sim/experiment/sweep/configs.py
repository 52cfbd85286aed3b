"""The configurations of a sweep, one for every combination of what is more than a number, and the sweep's identity."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sim.experiment.cluster import cluster_of
from sim.experiment.command import check_from_defaults
from sim.experiment.io import text_hash
from sim.experiment.options import StudyOptions
from sim.experiment.sweep.axes import Axes, DrawnAxis, flattened
from sim.experiment.sweep.design import Design, Policies, Sampled, make_design, settings_of
from sim.model.hydra_config import hydra_text, override_of
from sim.model.parameters import Theatre, Wing, group_declarations, shared_declarations
from sim.model.scenario import POSTERIOR, Config, Scenario, load
from sim.model.validation import UserError, one_of
from sim.numbers.fingerprint import hash_of

if TYPE_CHECKING:
    import pandas as pd

DECIDING: Final = (
    *(f"{room}/**/*.py" for room in ("numbers", "rules", "model", "engine")),
    *(f"experiment/{name}.py" for name in ("runner", "dataset", "parameter_sets")),
    *(f"experiment/sweep/{name}.py" for name in ("axes", "design", "worker")),
)
"""Sources that decide results; how they are kept and shown does not."""

SOURCE: Final = "source"
ABSENT: Final = "(absent)"


def deciding_hash() -> str:
    """Hash of the sources that decide results."""
    return hash_of(DECIDING)


def identity(axes: Axes, settings: StudyOptions, design: Design, groups: "tuple[Group, ...]") -> dict[str, Any]:
    """Everything that results depend on besides the number of points and runs, by readable keys."""
    first = settled(groups[0], design)
    same = {
        SOURCE: deciding_hash(),
        "scenario": groups[0].config.scenario.name,
        **first,
        **dict.fromkeys(design.keys, "(in study.table)"),
        **{axis.key: axis.text for axis in (design.axes if isinstance(design, Sampled) else ())},
        **{choice.key: ",".join(one.partition("=")[2] for one in choice.overrides) for choice in axes.choices},
        "study.design": design.kind,
        "study.draws": settings.draws,
        **({"study.outcomes": ",".join(sorted(settings.outcomes))} if settings.outcomes else {}),
    }
    for number, group in enumerate(groups[1:], 1):
        mine = settled(group, design)
        said = " ".join([*([group.policy] if group.policy else []), *group.labels.values()]) or str(number)
        same |= {
            f"{key} ({said})": mine.get(key, ABSENT)
            for key in {**first, **mine}
            if mine.get(key, ABSENT) != first.get(key, ABSENT)
        }
    plain: dict[str, Any] = json.loads(json.dumps(same, default=str))
    return plain


def settled(group: "Group", design: Design) -> dict[str, Any]:
    """The configuration of a group as flat keys, without what varies within it and what results do not depend on."""
    tree = {key: value for key, value in group.config.tree.items() if key not in ("study", "engine", "output")}
    return {
        key: value
        for key, value in flattened(tree).items()
        if (key not in design.keys or key in group.kept)
        and not key.startswith(("patterns", "calibration", "predictions"))
    }


def short_hash(same: Mapping[str, Any]) -> str:
    """A short name of an identity, whatever the sources: 8 hexadecimal digits."""
    text = json.dumps({key: value for key, value in same.items() if key != SOURCE}, sort_keys=True)
    return text_hash(text, 4)


def check_same(
    then: Mapping[str, Any], now: Mapping[str, Any], folder: Path, instead: str = "; or another output.dir"
) -> None:
    """Refuse to mix another sweep with the one in a folder, and say what is different and what to do `instead`."""
    keys = [key for key in {**then, **now} if then.get(key, ABSENT) != now.get(key, ABSENT)]
    if not keys:
        return
    first = keys[0]
    more = f"; {len(keys) - 1} more differ: {', '.join(keys[1:6])}" if len(keys) > 1 else ""
    what = "the sources of this sweep" if first == SOURCE else "as in this sweep"
    before = then.get(first, ABSENT)
    allowed = f"{before if isinstance(before, str) else hydra_text(before)}, {what} in {folder}{more}{instead}"
    raise UserError(first, now.get(first, ABSENT), allowed)


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


Compose = Callable[[Sequence[str]], Config]


def composer(config_dir: Path | None) -> Compose:
    """What composes the configuration that overrides make, each only once."""
    once = cache(lambda overrides: load(overrides, config_dir))
    return lambda overrides: once(tuple(overrides))


def composed(axes: Axes, compose: Compose, table: "pd.DataFrame | None" = None) -> tuple[Config, StudyOptions, Design]:
    """The first configuration of a sweep, its settings and its design, checked; `table` as in `make_design`."""
    first = compose(axes.combination(0))
    check_from_defaults("sweep", first)
    settings = settings_of(first)
    cluster_of(first)
    design = make_design(axes, settings, first, table)
    if design.samples == 1 and not (design.keys or axes.choices or len(settings.policies) > 1):
        raise UserError(
            "sweep", "(nothing)", "one key or more with several values, such as scenario=article,tight_leash"
        )
    return first, settings, design


def compose_groups(axes: Axes, policies: Policies, design: Design, compose: Compose) -> tuple[Group, ...]:
    """All configurations: variants of a table first, then policies, then choices, the last the fastest."""
    count = len(design.variants) * max(1, len(policies))
    for choice in axes.choices:
        count *= len(choice.overrides)
    if count > MOST_GROUPS:
        raise UserError("sweep", f"{count} combinations", f"at most {MOST_GROUPS} of keys that are no parameters")
    groups = tuple(
        _group(axes, design, variant, name, policies.get(name or "", {}), chosen, compose)
        for variant in design.variants
        for name in (policies or (None,))
        for chosen in product(*(range(len(choice.overrides)) for choice in axes.choices))
    )
    theatres = [[(key, one.kind) for key, one in group.config.scenario.cast.theatres.items()] for group in groups]
    for group, here in zip(groups, theatres, strict=True):
        if here != theatres[0]:
            names = ", ".join(key for key, _ in theatres[0])
            raise UserError(
                "scenario", group.config.scenario.name, f"cases with the same theatres in one sweep: {names}"
            )
    levers = next(iter(policies.values()), {})
    first = _overrides(axes, design.variants[0], levers, [0] * len(axes.choices))
    _check_references(groups[0].config, first, design, compose)
    return groups


def _group(
    axes: Axes, design: Design, variant: Mapping[str, Any], policy: str | None, levers: Mapping[str, Any],
    chosen: Sequence[int], compose: Compose,
) -> Group:  # fmt: skip
    for key in levers:
        if key in design.keys or key in {choice.key.lstrip("+") for choice in axes.choices} | set(variant):
            raise UserError(f"study.policies.{policy}.{key}", levers[key], "keys that are not swept besides")
    config = compose(_overrides(axes, variant, levers, chosen))
    for key in design.keys:
        _check_key(key, config.scenario)
    labels = {key: hydra_text(value) for key, value in variant.items()}
    labels |= {choice.key.lstrip("+"): choice.labels[place] for choice, place in zip(axes.choices, chosen, strict=True)}
    return Group(labels, policy, config, _kept(design, config.scenario))


def _overrides(axes: Axes, variant: Mapping[str, Any], levers: Mapping[str, Any], chosen: Sequence[int]) -> list[str]:
    """The overrides of one combination; what a policy sets replaces what was fixed."""
    set_here = {**levers, **variant}
    fixed = [one for one in axes.fixed if one.partition("=")[0] not in set_here]
    choices = [choice.overrides[place] for choice, place in zip(axes.choices, chosen, strict=True)]
    return [*fixed, *choices, *(override_of(key, value) for key, value in set_here.items())]


def _check_key(key: str, scenario: Scenario) -> None:
    """Refuse a swept parameter of a theatre or wing that this case does not have."""
    cast, known = scenario.cast, set(shared_declarations()) | set(scenario.extended.values)
    known |= {f"militia.{wing}.{name}" for wing in cast.wings for name, _ in group_declarations(Wing)}
    known |= {f"theatre.{theatre}.{name}" for theatre in cast.theatres for name, _ in group_declarations(Theatre)}
    if key not in known:
        raise UserError(key, "(swept)", f"keys: {one_of(sorted(known), key)}")


def _kept(design: Design, scenario: Scenario) -> frozenset[str]:
    """Drawn parameters that a scenario has moved away from their declared defaults."""
    shared = shared_declarations()
    drawn = {key: shared[key] for key in design.keys} if design.kind == POSTERIOR else {}
    if isinstance(design, Sampled):
        drawn = {axis.key: axis.declared for axis in design.axes if isinstance(axis, DrawnAxis)}
    return frozenset(key for key, one in drawn.items() if scenario.number(key) != one.default)


def _check_references(config: Config, overrides: Sequence[str], design: Design, compose: Compose) -> None:
    """Refuse to sweep a parameter from which the configuration works out another key: that key would not follow."""
    if not design.keys:
        return
    first = design.columns(0, 1)
    moved = compose([*overrides, *(override_of(key, float(column[0])) for key, column in first.items())])
    before, after = flattened(config.tree), flattened(moved.tree)
    for key in before:
        if key not in design.keys and before[key] != after.get(key):
            raise UserError(key, before[key], "a value of its own in a sweep; it refers to a swept parameter")
