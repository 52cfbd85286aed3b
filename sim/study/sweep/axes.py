"""What a sweep varies, read by Hydra's own sweep grammar.

A number that is declared as a parameter becomes a column of the design; any other key changes more than a number, so
each of its values is composed as a configuration of its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from hydra.core.override_parser.types import Glob, IntervalSweep, Override, Quote, QuotedString, RangeSweep

from sim.study.prior import quantile
from sim.world.aliases import current_overrides
from sim.world.compose import config_folders, options
from sim.world.errors import UserError, one_of
from sim.world.extension import Extension
from sim.world.extension.extended import declaration_in
from sim.world.overrides import parsed_override, range_values, value_text
from sim.world.parameters import Declaration, Theatre, Wing, declared, shared_declarations
from sim.world.schema import GROUPS

Column = npt.NDArray[np.float64]

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/]*")

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
}
"""Top keys that no sweep varies, and what to do instead."""


class Axis(Protocol):
    """One parameter that the design varies: `key` in the configuration, `text` as the user would write its values."""

    @property
    def key(self) -> str:
        """Key of the parameter."""

    @property
    def text(self) -> str:
        """Its values in Hydra's grammar."""

    def at(self, unit: Column) -> Column:
        """Values at places in the unit interval (any shape)."""


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
class Drawn:
    """A parameter that follows its declared prior; `own` is its declaration where an extension brings it."""

    key: str
    own: Declaration | None = None

    @property
    def declared(self) -> Declaration:
        """Its declaration."""
        return shared_declarations()[self.key] if self.own is None else self.own

    @property
    def text(self) -> str:
        """The prior, as declared."""
        return str(self.declared.prior)

    def at(self, unit: Column) -> Column:
        """Values at places in the unit interval: quantiles of the prior."""
        return quantile(self.declared, unit)


@dataclass(frozen=True)
class Choice:
    """A key that changes more than a number: `values` as overrides spell them, `labels` as people read them."""

    key: str
    values: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Axes:
    """The overrides of a sweep, taken apart: what is fixed, which numbers vary, what else varies."""

    fixed: tuple[str, ...]
    numbers: tuple[Levels | Interval, ...]
    choices: tuple[Choice, ...]

    @property
    def fixed_keys(self) -> frozenset[str]:
        """Keys that are fixed, those within a mapping too."""
        return frozenset(key for text in self.fixed for key in _keys_of(parsed_override(text)))


def read_axes(overrides: Sequence[str], config_dir: Path | None = None, added: tuple[Extension, ...] = ()) -> Axes:
    """Take the overrides of a sweep apart; the parameters of the extensions `added` are numbers too.

    Raises:
        UserError: an override cannot be read, a key is given twice or cannot be swept, a number lies outside its
            declared range.
    """
    parsed = [parsed_override(text) for text in current_overrides(overrides)]
    swept = [one for one in parsed if one.is_sweep_override()]
    for one in swept:
        _check(one, parsed)
    axes = [_axis(one, config_dir, added) for one in swept]
    return Axes(
        fixed=tuple(str(one.input_line) for one in parsed if not one.is_sweep_override()),
        numbers=tuple(one for one in axes if not isinstance(one, Choice)),
        choices=tuple(one for one in axes if isinstance(one, Choice)),
    )


def declaration(key: str, added: tuple[Extension, ...] = ()) -> Declaration | None:
    """The declaration of a parameter of the case, a theatre, a wing or an extension; None for any other key.

    >>> declaration("militia.anybody.autonomy").high, declaration("militia.anybody.name")
    (1.0, None)
    """
    shared = shared_declarations()
    if key in shared:
        return shared[key]
    kind, _, rest = key.partition(".")
    name = rest.partition(".")[2]
    local: dict[str, type] = {"theatre": Theatre, "militia": Wing}
    return dict(declared(local[kind])).get(name) if kind in local else declaration_in(added, key)


def checked(key: str, value: object, added: tuple[Extension, ...] = ()) -> float:
    """A number of a parameter, within its declared range.

    Raises:
        UserError: it is none, or it lies outside.
    """
    one = declaration(key, added)
    if one is None:
        raise UserError(key, value, "a parameter; this key is none")
    allowed = f"{one.low:g} to {one.high:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(key, value, f"numbers from {allowed}")
    if not one.low <= value <= one.high:
        raise UserError(key, value, allowed)
    return float(value)


def _check(one: Override, parsed: Sequence[Override]) -> None:
    key, text = one.key_or_group, value_text(one)
    check_swept(one, text)
    if sum(key in _keys_of(other) for other in parsed) > 1:
        raise UserError(key, text, "each key once")


def check_swept(one: Override, text: str) -> None:
    """Refuse a key that no sweep varies; `text` is what it says there.

    Raises:
        UserError: it is such a key.
    """
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
    return frozenset(_within(one.key_or_group, one.value()))


def _within(key: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield key
        return
    for name, inner in value.items():
        yield from _within(f"{key}.{name}", inner)


def _axis(one: Override, config_dir: Path | None, added: tuple[Extension, ...]) -> Levels | Interval | Choice:
    key, text = one.key_or_group, value_text(one)
    if one.is_interval_sweep():
        return _interval(key, text, one.value(), added)
    values = _values(one, config_dir)
    labels = tuple(_label(value) for value in values)
    if len(set(labels)) < len(labels):
        raise UserError(key, text, "each value once")
    if not values:
        raise UserError(key, text, "one value or more")
    if declaration(key, added) is not None:
        return Levels(key, text, tuple(checked(key, value, added) for value in values))
    return Choice(one.get_key_element(), tuple(spelled(value) for value in values), labels)


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


def _label(value: Any) -> str:
    return value.text if isinstance(value, QuotedString) else spelled(value)


def spelled(value: Any) -> str:
    """A value as the text of an override, which Hydra reads back as the same value.

    >>> spelled({"a.b": [True, None, 1.5, "it's"]})
    "{a.b:[true,null,1.5,'it\\\\'s']}"
    """
    if isinstance(value, QuotedString):
        return value.with_quotes()
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(spelled(one) for one in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{spelled(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) and value.lower() not in ("true", "false", "null", "nan", "inf")
        return value if bare else QuotedString(value, Quote.single).with_quotes()
    return str(value)
