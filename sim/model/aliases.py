"""Old names of keys, columns and files: the one table by which what was written under an old name is read.

The names of before are accepted for one release; the changelog lists them.
"""

import re
from collections.abc import Iterable, Mapping, Set
from typing import Any, Final

ALIASES: Final = {
    "mechanisms.gaza_gate": "mechanisms.rival_war_gate",
    "mechanisms.us_limited": "mechanisms.limited_response",
    "mechanisms.us_major": "mechanisms.major_response",
    "mechanisms.us_restraint": "mechanisms.target_restraint",
    "study.most_runs": "study.max_runs",
    "calibration.truths": "calibration.sbc_datasets",
    "calibration.again_draws": "calibration.rejection_draws",
    "calibration.rival_draws": "calibration.hypothesis_draws",
    "calibration.widened": "calibration.wide_priors",
    "calibration.figures": "calibration.observations",
    "calibration.observations.*.reading": "calibration.observations.*.likelihood",
    "calibration.observations.*.reported": "calibration.observations.*.value",
    "calibration.observations.*.use": "calibration.observations.*.enabled",
}
"""Full keys of the configuration as they were called, and as they are; `*` is any one name. Only last parts differ."""

KINDS: Final = {
    "multiplier": "attack_multiplier",
    "stance": "order",
    "act": "act_against_patron",
    "deaths_forbidden": "no_deaths",
    "major_held": "block_major_response",
    "limited_held": "block_limited_response",
    "leader_held": "block_leader_strike",
}
"""Kinds of events."""

FILES: Final = {
    "second_method": "rejection_check",
    "check": "sbc",
    "readings": "hypotheses",
    "readings_wide_priors": "hypotheses_wide_priors",
    "readings_by_prior": "prior_sensitivity",
    "observations_by_reading": "observations_by_hypothesis",
    "figures": "observations",
    "stories": "causal_patterns",
    "needed": "necessity",
    "varied": "data_sensitivity",
    "ahead": "posterior_predictive",
}
"""Files of results without their suffix, the tables in `summary.json` of the same names, and figures for `draw`."""

COLUMNS: Final = {
    "value_a": "baseline_value",
    "value_b": "scenario_value",
    "low_a": "baseline_low",
    "high_a": "baseline_high",
    "low_b": "scenario_low",
    "high_b": "scenario_high",
    "draws_sd": "sd_between_draws",
    "removed": "variance_reduction",
    "removable": "variance_reduction_bound",
    "attainable": "variance_reduction_rank_bound",
    "same_before": "identical_before_departure",
    "cut_by_war": "censored_by_war",
    "cut": "censored",
    "alone": "first_in",
    "but_for": "last_in",
    "farthest": "ks_distance",
    "covered": "coverage_ok",
    "recovery": "recovery_rank_corr",
    "again": "retested",
    "looked_at_again": "retested",
    "sound": "calibrated",
    "medians_apart": "median_shift_sd",
    "widths_apart": "width_change",
    "asked": "tested",
    "agrees": "pass",
    "figure": "observation",
    "reading": "hypothesis",
    "read_as": "likelihood",
    "readings_under_wide_priors": "hypotheses_wide_priors",
}
"""Columns of tables, keys of `summary.json` and variables of datasets, without what `_AROUND` finds around them."""

_KEY: Final = re.compile(r"[+~]*([^=]*)")
_AROUND: Final = re.compile(r"(no_war_|prior_)?(.*?)(_of_draw|_error|_low|_high)?")
_PREFIX: Final = ("figure.", "observed.")


def current(key: str) -> str:
    """The present name of a key.

    >>> current("mechanisms.us_major"), current("mechanisms.fear")
    ('mechanisms.major_response', 'mechanisms.fear')
    >>> current("calibration.figures.iraq.use")
    'calibration.observations.iraq.enabled'
    """
    parts = key.split(".")
    for old, new in ALIASES.items():
        names = old.split(".")
        if len(names) <= len(parts) and all(a in ("*", b) for a, b in zip(names, parts, strict=False)):
            parts[len(names) - 1] = new.rpartition(".")[2]
    return ".".join(parts)


def current_mechanism(name: str) -> str:
    """The present name of a mechanism.

    >>> current_mechanism("gaza_gate")
    'rival_war_gate'
    """
    return current(f"mechanisms.{name}").partition(".")[2]


def current_file(name: str) -> str:
    """The present name of a file of results.

    >>> current_file("stories.csv"), current_file("summary.json")
    ('causal_patterns.csv', 'summary.json')
    """
    stem, dot, suffix = name.partition(".")
    return f"{FILES.get(stem, stem)}{dot}{suffix}"


def current_column(name: str) -> str:
    """The present name of a column or variable.

    >>> current_column("no_war_value_a"), current_column("figure.iraq"), current_column("deaths")
    ('no_war_baseline_value', 'observed.iraq', 'deaths')
    """
    old, new = _PREFIX
    if name.startswith(old):
        return new + name.removeprefix(old)
    before, inside, after = _AROUND.fullmatch(name).groups("")  # type: ignore[union-attr]
    return f"{before}{COLUMNS.get(inside, inside)}{after}"


def current_record(content: Any) -> Any:
    """A mapping of results under present names, at every depth.

    >>> current_record({"second_method": {"quantities": [{"asked": True, "name": "deaths"}]}})
    {'rejection_check': {'quantities': [{'tested': True, 'name': 'deaths'}]}}
    """
    if isinstance(content, Mapping):
        names = {key: current_column(FILES.get(key, str(key))) for key in content}
        return {names[key]: current_record(value) for key, value in content.items()}
    return [current_record(one) for one in content] if isinstance(content, list) else content


def current_overrides(overrides: Iterable[str]) -> tuple[str, ...]:
    """Overrides under present names.

    >>> current_overrides(["+mechanisms.us_major=false", "seed=7"])
    ('+mechanisms.major_response=false', 'seed=7')
    """
    keys = [(one, _KEY.match(one)[1]) for one in overrides]  # type: ignore[index]
    return tuple(one if current(key) == key else one.replace(key, current(key), 1) for one, key in keys)


def current_tree(tree: Mapping[str, Any], overrides: Iterable[str] = ()) -> dict[str, Any]:
    """A configuration under present names; what files say under an old one yields to overrides of the present one."""
    found, set_above = dict(tree), frozenset(_KEY.match(one)[1] for one in overrides)  # type: ignore[index]
    for old, new in ALIASES.items():
        found = _renamed(found, old.split("."), new.rpartition(".")[2], set_above, "")
    if isinstance(history := found.get("history"), Mapping):
        found["history"] = _with_kinds(history)
    return _with_kinds(found)


def _renamed(tree: Mapping[str, Any], old: list[str], new: str, set_above: Set[str], place: str) -> dict[str, Any]:
    """The tree with the last of the names `old` replaced; the value under the old name goes above that of the new."""
    name, *rest = old
    found = dict(tree)
    if rest:
        for key in found if name == "*" else [name]:
            if isinstance(inside := found.get(key), Mapping):
                found[key] = _renamed(inside, rest, new, set_above, f"{place}{key}.")
        return found
    if name in found:
        value, key = found.pop(name), f"{place}{new}"
        if key not in set_above:
            found[new] = _laid_over(found.get(new), value, set_above, key)
    return found


def _laid_over(below: Any, above: Any, set_above: Set[str], place: str) -> Any:
    """What a file says under the old name, on top of what stands under the new one; not where an override says more."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    changes = {
        key: _laid_over(below.get(key), value, set_above, f"{place}.{key}")
        for key, value in above.items()
        if f"{place}.{key}" not in set_above
    }
    return {**below, **changes}


def _with_kinds(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with the kinds of its events under present names."""

    def present(event: Any) -> Any:
        kind = event.get("kind") if isinstance(event, Mapping) else None
        return {**event, "kind": KINDS.get(kind, kind)} if isinstance(kind, str) else event

    events = tree.get("events")
    if not isinstance(events, Mapping):
        return dict(tree)
    return {**tree, "events": {name: present(event) for name, event in events.items()}}
