"""What a calibration is asked to do: the `calibration` section of a configuration, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sim.study.calibration.figures import Figure, figures_of
from sim.study.prior import free_declarations
from sim.world.checks import Section
from sim.world.errors import UserError
from sim.world.mechanisms import MECHANISM_NAMES
from sim.world.parameters import shared_declarations
from sim.world.scenario import Config, Scenario

MOST_DRAWS: Final = 10**9
_KEYS: Final = (
    "draws", "kept", "truths", "rival_draws", "again_draws", "predictive_runs", "figures", "channels", "widened",
)  # fmt: skip
_CHANNEL_KEYS: Final = ("text", "mechanisms", "parameters")


@dataclass(frozen=True)
class Channel:
    """One way in which the calm may have come about: what is switched off, and which numbers are set, without it."""

    id: str
    text: str
    mechanisms: tuple[str, ...]
    parameters: dict[str, float]


@dataclass(frozen=True)
class Settings:
    """Figures in use, parameters to fit, channels of the rival readings, and sizes.

    `widened` are parameters whose priors are taken wider to see what hangs on them.
    `draws` histories make the bank, `kept` draws of the posterior are stored, `truths` planted data sets check the
    method, `rival_draws` weigh each rival reading, `again_draws` are the second method's, `predictive_runs` the
    predictive histories.
    """

    figures: tuple[Figure, ...]
    keys: tuple[str, ...]
    channels: tuple[Channel, ...]
    widened: tuple[str, ...]
    draws: int
    kept: int
    truths: int
    rival_draws: int
    again_draws: int
    predictive_runs: int


def settings_of(config: Config, overrides: Sequence[str] = ()) -> Settings:
    """The settings of a configuration; parameters that the overrides set are not fitted but held.

    Raises:
        UserError: a value is not allowed, no figure is in use, or the documented history is not pinned.
    """
    section = section_of(config)
    figures = tuple(one for one in figures_of(section, config.scenario.cast) if one.used)
    if not figures:
        raise UserError("calibration.figures", "(none)", "one figure or more to fit to")
    check_history(config.scenario)
    return Settings(
        figures=figures,
        keys=_free(overrides),
        channels=_channels(section),
        widened=section.choices("widened", tuple(free_declarations())) if section.has("widened") else (),
        draws=section.whole("draws", 1000, MOST_DRAWS),
        kept=section.whole("kept", 10, 10**6),
        truths=section.whole("truths", 20, 10**6),
        rival_draws=section.whole("rival_draws", 0, MOST_DRAWS),
        again_draws=section.whole("again_draws", 0, MOST_DRAWS),
        predictive_runs=section.whole("predictive_runs", 100, 10**7),
    )


def section_of(config: Config) -> Section:
    """The `calibration` section of a configuration."""
    return Section("calibration", config.tree["calibration"], _KEYS)


def check_history(scenario: Scenario) -> None:
    """Refuse a history in which deaths are not pinned up to the report: their chance is counted in closed form.

    Raises:
        UserError: it is not.
    """
    free = scenario.free_from
    if not scenario.pins or (free is not None and free <= scenario.calendar.report):
        raise UserError("history", "(free before the report)", "history=article, pinned up to the report")


def _free(overrides: Sequence[str]) -> tuple[str, ...]:
    held = {one.partition("=")[0].lstrip("+") for one in overrides}
    keys = tuple(key for key in free_declarations() if key not in held)
    if not keys:
        raise UserError("calibration", "(every parameter is set)", "one parameter or more to fit")
    return keys


def _channels(section: Section) -> tuple[Channel, ...]:
    given = section.children("channels") if section.has("channels") else {}
    return tuple(
        _channel(key, Section(f"calibration.channels.{key}", one, _CHANNEL_KEYS)) for key, one in given.items()
    )


def _channel(key: str, section: Section) -> Channel:
    declared = shared_declarations()
    given: dict[str, Any] = dict(section.raw("parameters", "")) if section.has("parameters") else {}
    numbers = Section(section.full("parameters"), given, tuple(declared))
    return Channel(
        id=key,
        text=section.text("text"),
        mechanisms=section.choices("mechanisms", MECHANISM_NAMES) if section.has("mechanisms") else (),
        parameters={name: numbers.number(name, declared[name].low, declared[name].high) for name in given},
    )
