"""What a sweep varies, read by Hydra's own sweep grammar.

A number that is declared as a parameter becomes a column of the design; any other key changes more than a number, so
each of its values is composed as a configuration of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override, QuotedString, RangeSweep

from sim.experiment.parameter_sets import quantile
from sim.experiment.statistics import Column
from sim.model.aliases import current_overrides
from sim.model.extension import Extension, declaration_in
from sim.model.hydra_config import (
    GROUPS,
    config_folders,
    hydra_text,
    options,
    override_of,
    parse_override,
    range_values,
    value_text,
)
from sim.model.parameters import Declaration, declaration_of, shared_declarations
from sim.model.validation import UserError, one_of

NOT_SWEPT: Final = {
    "seed": "one seed; runs already vary chance",
    "study": "one value; it says how the sweep is made",
    "parameters": "one value; study.draws=posterior makes draws of the posterior its points",
    "extensions": "one file, or a list of files in [ and ]; a sweep has one set",
    "engine": "one value; results do not depend on it",
    "output": "one value; a sweep has one folder",
    "patterns": "one file; patterns change no history",
    "calibration": "one file; what is fitted to changes no history",
    "filters": "one file; filters change no history",
    "predictions": "one file; what is predicted changes no history",
}
"""Top keys that no sweep varies, and what to do instead."""


@dataclass(frozen=True)
class Levels:
    """A parameter that takes some values, each on an equal share of the unit interval."""

    key: str
    text: str
    values: tuple[float, ...]

    def at(self, unit: Column) -> Column:
        """Values at places in the unit interval.

        >>> Levels("patron.control", "0.5,1", (0.5, 1.0)).at(np.array([0.0, 0.49, 0.5]))
        array([0.5, 0.5, 1. ])
        """
        return np.array(self.values)[(unit * len(self.values)).astype(np.int64)]


@dataclass(frozen=True)
class Interval:
    """A parameter that takes any value from low to high, all alike; where `whole`, any whole number, both ends too."""

    key: str
    text: str
    low: float
    high: float
    whole: bool = False

    def at(self, unit: Column) -> Column:
        """Values at places in the unit interval.

        >>> Interval("target.quiet_days", "int(interval(5,7))", 5.0, 7.0, whole=True).at(np.array([0.0, 0.4, 0.99]))
        array([5., 6., 7.])
        """
        if self.whole:
            return self.low + np.floor((self.high - self.low + 1) * unit)
        return self.low + (self.high - self.low) * unit


@dataclass(frozen=True)
class DrawnAxis:
    """A parameter that follows its declared prior."""

    key: str
    declared: Declaration

    @property
    def text(self) -> str:
        """The prior, as declared."""
        return str(self.declared.prior)

    def at(self, unit: Column) -> Column:
        """Values at places in the unit interval: quantiles of the prior."""
        return quantile(self.declared, unit)


Axis = Levels | Interval | DrawnAxis
"""One parameter that the design varies: `key` in the configuration, `text` as the user would write its values."""


@dataclass(frozen=True)
class Choice:
    """A key that changes more than a number: `overrides` set it to its values, which people read as `labels`."""

    key: str
    overrides: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Axes:
    """The overrides of a sweep, taken apart: what is fixed, which numbers vary, what else varies."""

    fixed: tuple[str, ...]
    numbers: tuple[Levels | Interval, ...]
    choices: tuple[Choice, ...]

    def combination(self, place: int) -> tuple[str, ...]:
        """Overrides of the first combination (0), from which the settings of a sweep are read, or of the last (-1)."""
        return (*self.fixed, *(choice.overrides[place] for choice in self.choices))

    @property
    def fixed_keys(self) -> frozenset[str]:
        """Keys that are fixed, those within a mapping too."""
        return frozenset(key for text in self.fixed for key in _keys_of(parse_override(text)))


def read_axes(overrides: Sequence[str], config_dir: Path | None = None, added: tuple[Extension, ...] = ()) -> Axes:
    """Take the overrides of a sweep apart; the parameters of the extensions `added` are numbers too."""
    texts = current_overrides(overrides)
    parsed = [parse_override(text) for text in texts]
    swept = [one for one in parsed if one.is_sweep_override()]
    for one in swept:
        check_swept(one, value_text(one))
        if sum(one.key_or_group in _keys_of(other) for other in parsed) > 1:
            raise UserError(one.key_or_group, value_text(one), "each key once")
    axes = [_axis(one, config_dir, added) for one in swept]
    return Axes(
        fixed=tuple(text for text, one in zip(texts, parsed, strict=True) if not one.is_sweep_override()),
        numbers=tuple(one for one in axes if not isinstance(one, Choice)),
        choices=tuple(one for one in axes if isinstance(one, Choice)),
    )


def axis_of(key: str, value: Any) -> str:
    """An override of a sweep with a Python value: a list gives several values, a tuple (low, high) an interval.

    Keys of the study, of an analysis and of extensions are no axes: their lists stay lists.

    >>> axis_of("scenario", ["article", "tight_leash"]), axis_of("patron.control", (0.2, 1))
    ('scenario=choice(article,tight_leash)', 'patron.control=interval(0.2,1)')
    >>> axis_of("history.free_from", [None, "start"])
    'history.free_from=null,start'
    >>> axis_of("sensitivity.outcomes", ["war", "deaths:q95"])
    "sensitivity.outcomes=[war,'deaths:q95']"
    """
    if key.startswith(("study.", "sensitivity.", "extensions")) or not isinstance(value, list | tuple):
        return override_of(key, value)
    if isinstance(value, tuple) and len(value) == 2:
        return override_of(key, IntervalSweep(start=value[0], end=value[1]))
    if isinstance(value, list) and (None not in value or len(value) > 1):
        return override_of(key, ChoiceSweep(list=value))
    # The grammar refuses what is left: a sweep must be repeatable from its command.
    return f"{key}={'choice' if isinstance(value, list) else 'interval'}({','.join(map(hydra_text, value))})"


def declaration(key: str, added: tuple[Extension, ...] = ()) -> Declaration | None:
    """The declaration of a parameter of the case, a theatre, a wing or an extension; None for any other key.

    >>> declaration("militia.anybody.autonomy").high, declaration("militia.anybody.name")
    (1.0, None)
    """
    return declaration_of(key) or declaration_in(added, key)


def checked(key: str, value: object, added: tuple[Extension, ...] = ()) -> float:
    """A number of a parameter, within its declared range."""
    one = declaration(key, added)
    if one is None:
        raise UserError(key, value, "a parameter; this key is none")
    allowed = f"{one.low:g} to {one.high:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(key, value, f"numbers from {allowed}")
    if not one.low <= value <= one.high:
        raise UserError(key, value, allowed)
    return float(value)


def check_swept(one: Override, text: str) -> None:
    """Refuse a key that no sweep varies; `text` is what it says there."""
    top = top_of(one.key_or_group)
    if top in NOT_SWEPT:
        raise UserError(one.key_or_group, text, NOT_SWEPT[top])
    if top == "hydra" or one.package is not None:
        raise UserError(one.key_or_group, text, "keys of the configuration, without a package")


def top_of(key: str) -> str:
    """The section of the configuration that a key stands in.

    >>> top_of("patron.control"), top_of("scenario")
    ('patron', 'scenario')
    """
    return key.partition(".")[0].partition("/")[0]


def _keys_of(one: Override) -> frozenset[str]:
    """The keys that an override sets: its own, or those within the mapping that it gives."""
    return frozenset(flattened({one.key_or_group: one.value()}))


def flattened(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, by full key.

    >>> flattened({"patron": {"control": 0.7}, "seed": 1})
    {'patron.control': 0.7, 'seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in tree.items():
        inside = isinstance(value, Mapping) and value
        found |= flattened(value, f"{prefix}{key}.") if inside else {f"{prefix}{key}": value}
    return found


def _axis(one: Override, config_dir: Path | None, added: tuple[Extension, ...]) -> Levels | Interval | Choice:
    key, text = one.key_or_group, value_text(one)
    if one.is_interval_sweep():
        return _interval(key, text, one.value(), added)
    values = _values(one, config_dir)
    labels = tuple(value.text if isinstance(value, QuotedString) else hydra_text(value) for value in values)
    if len(set(labels)) < len(labels):
        raise UserError(key, text, "each value once")
    if not values:
        raise UserError(key, text, "one value or more")
    if declaration(key, added) is not None:
        return Levels(key, text, tuple(checked(key, value, added) for value in values))
    full_key = one.get_key_element()
    return Choice(full_key, tuple(override_of(full_key, value) for value in values), labels)


def _interval(key: str, text: str, value: Any, added: tuple[Extension, ...]) -> Interval:
    assert isinstance(value, IntervalSweep)
    if declaration(key, added) is None:
        known = one_of(shared_declarations(), key)
        raise UserError(key, text, f"a list of values, or an interval of a parameter ({known})")
    low, high = checked(key, value.start, added), checked(key, value.end, added)
    if low >= high:
        raise UserError(key, text, "an interval from a lower to a higher number")
    # Only a cast makes the ends whole numbers: Hydra reads interval(5,30) as 5.0 to 30.0.
    return Interval(key, text, low, high, whole=isinstance(value.start, int))


def _values(one: Override, config_dir: Path | None) -> list[Any]:
    pattern: Any = one.value()
    if isinstance(pattern, RangeSweep):
        return range_values(pattern)
    if not isinstance(pattern, Glob):
        return list(one.sweep_iterator())
    group = one.key_or_group
    if group not in GROUPS:
        raise UserError(group, value_text(one), f"globs over the files of {', '.join(GROUPS)}")
    names = list(options(group, config_folders(config_dir)))
    matched: list[Any] = pattern.filter(names)
    if not matched:
        raise UserError(group, value_text(one), f"a glob that fits {one_of(names, '')}")
    return matched
