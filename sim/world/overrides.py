"""Reading overrides such as `patron.control=0.9` with Hydra's own grammar, and refusing what cannot be meant."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override, OverrideType, RangeSweep, Sweep
from hydra.errors import HydraException

from sim.world.errors import UserError, one_of

FUNCTIONS: Final = ("choice", "range", "interval", "glob", "sort", "int", "float", "str", "bool")
"""Functions of Hydra's grammar that overrides may use."""
REFUSED: Final = {
    "shuffle": "values in their own order; a shuffle would give another one each time",
    "tag": "values without tags; nothing reads them",
}
"""Functions of Hydra's grammar that are refused, and what is allowed instead."""
MOST_VALUES: Final = 10**6
"""A range of more values than this is taken for a mistake."""


def parsed_overrides(overrides: Sequence[str], groups: Mapping[str, Collection[str]]) -> list[Override]:
    """The overrides as Hydra reads them; `groups` gives the file names of every group.

    Raises:
        UserError: an override is malformed, asks for several values, speaks to Hydra itself, or names an
            unknown file.
    """
    parsed = [parsed_override(text) for text in overrides]
    for one in parsed:
        _check(one, groups)
    return parsed


def parsed_override(text: str) -> Override:
    """One override as Hydra reads it; it may ask for several values.

    Raises:
        UserError: it is malformed.
    """
    key, sign, value = text.partition("=")
    if sign and not key.strip("+~ "):
        raise UserError("override", text, "key=value")
    try:
        one = OverridesParser(_functions()).parse_override(text)
    except HydraException as error:
        if sign:
            raise UserError(key.strip(), value, _allowed(error)) from None
        raise UserError("override", text, "key=value") from None
    if any(isinstance(inner, Sweep | Glob) for inner in _within(one.value())):
        raise UserError(one.key_or_group, value, "one function that gives several values, not within others")
    return one


@cache
def _functions() -> Any:
    """The functions of the grammar; where Hydra's own would mislead, ours in their place."""
    made = create_functions()
    hydras_int, hydras_range, hydras_sort = (made.functions[name] for name in ("int", "range", "sort"))

    def whole(*args: Any, value: Any = None) -> Any:
        for one in (*args, value):
            ends = _ends(one) if isinstance(one, RangeSweep | IntervalSweep) else ()
            if any(end != math.floor(end) for end in ends):
                raise _NotAllowedError("a range or an interval between whole numbers in int(), or a list of values")
        return hydras_int(*args, value=value)

    def ranged(*args: Any, **named: Any) -> RangeSweep:
        return _checked(hydras_range(*args, **named))

    def sorted_values(*args: Any, **named: Any) -> Any:
        given = named.get("sweep") or (args[0] if len(args) == 1 else None)
        if not isinstance(given, RangeSweep):
            return hydras_sort(*args, **named)
        return ChoiceSweep(list=[*sorted(range_values(given), reverse=named.get("reverse", False))])

    def refused(allowed: str) -> Any:
        def function(*_: Any, **__: Any) -> None:
            raise _NotAllowedError(allowed)

        return function

    ours = {"int": whole, "range": ranged, "sort": sorted_values}
    made.functions = {name: ours.get(name, made.functions[name]) for name in FUNCTIONS}
    made.definitions = {name: made.definitions[name] for name in FUNCTIONS}
    for name, allowed in REFUSED.items():
        made.register(name, refused(allowed))
    return made


class _NotAllowedError(ValueError):
    """A function or its arguments that cannot be used; the text says what is allowed."""


def _allowed(error: BaseException) -> str:
    """What is allowed where the grammar refused something."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, _NotAllowedError):
        return str(cause)
    if "while evaluating" in str(error):
        reason = str(cause).partition("\n")[0]
        return f"{', '.join(FUNCTIONS)} with what each of them takes ({reason})"
    return "key=value in Hydra's grammar; quote unusual text"


def _ends(one: RangeSweep | IntervalSweep) -> tuple[float, ...]:
    ends = (one.start, one.stop, one.step) if isinstance(one, RangeSweep) else (one.start, one.end)
    return tuple(end for end in ends if end is not None)


def _checked(one: RangeSweep) -> RangeSweep:
    start, stop, step = _ends(one)
    if not all(math.isfinite(end) for end in (start, stop, step)) or step == 0:
        raise _NotAllowedError("a range between finite numbers, with a step that is not 0")
    if (stop - start) / step > MOST_VALUES:
        raise _NotAllowedError(f"a range of at most {MOST_VALUES} values")
    return one


def range_values(one: RangeSweep) -> list[int | float]:
    """The values of a range; those between decimal numbers are the ones nearest to what decimal steps give.

    >>> range_values(RangeSweep(start=0.1, stop=0.7, step=0.1))
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    """
    start, stop, step = _ends(one)
    if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
        return list(range(start, stop, step))
    # The shortest text that reads back as a number is the one that was written.
    first, end, by = (Decimal(repr(number)) for number in (start, stop, step))
    return [float(first + place * by) for place in range(max(0, math.ceil((end - first) / by)))]


def _within(value: Any) -> Iterator[Any]:
    """All that stands within a value, however deep."""
    inner = value.list if isinstance(value, ChoiceSweep) else value.values() if isinstance(value, dict) else value
    if isinstance(inner, Collection) and not isinstance(inner, str):
        for one in inner:
            yield one
            yield from _within(one)


def value_text(override: Override) -> str:
    """What an override sets its key to, as the user wrote it."""
    text = override.input_line or ""
    return text.partition("=")[2] if "=" in text else text


def _check(one: Override, groups: Mapping[str, Collection[str]]) -> None:
    key = one.key_or_group
    if key.partition(".")[0].partition("/")[0] == "hydra":
        raise UserError(key, value_text(one), "no settings of Hydra here; --cfg, --info and -m take them")
    if one.package is not None:
        raise UserError(f"{key}@{one.package}", value_text(one), "key=value without a package")
    if one.is_sweep_override():
        raise UserError(key, value_text(one), "one value; only a sweep takes several")
    if key not in groups:
        return
    if one.type is not OverrideType.CHANGE:
        raise UserError((one.input_line or key).partition("=")[0], value_text(one), f"{key}=NAME")
    if not isinstance(one.value(), str) or one.value() not in groups[key]:
        raise UserError(key, value_text(one), one_of(groups[key], value_text(one)))
