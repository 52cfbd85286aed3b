"""Reading overrides such as `patron.control=0.9` with Hydra's own grammar, and refusing what cannot be meant."""

from collections.abc import Collection, Mapping, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException

from sim.world.errors import UserError, one_of


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
        return OverridesParser.create().parse_override(text)
    except HydraException:
        if sign:
            raise UserError(key.strip(), value, "key=value in Hydra's grammar; quote unusual text") from None
        raise UserError("override", text, "key=value") from None


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
