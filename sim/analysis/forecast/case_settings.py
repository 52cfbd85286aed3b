"""What a case declares to be predicted: the level that is refitted, observations, quantities; `predictions`."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.analysis.calibration.observations import MODEL_KEYS, ObservationModel, model_of
from sim.experiment.statistics import Array
from sim.model.parameters import shared_declarations
from sim.model.scenario import Config, Scenario
from sim.model.timeline import day_in
from sim.model.validation import Section, UserError

LEVEL: Final = "multipliers.baseline"
"""The parameter that is refitted."""


@dataclass(frozen=True)
class CaseQuantity:
    """A number that a history shows between two days, both included, of the acknowledged attacks in some theatres.

    `of` is count, quiet (1 without an attack), days_to_attack (from the day before `first`) or peace (1 without direct
    war by `last`).
    """

    id: str
    text: str
    of: str
    first: int
    last: int
    theatres: tuple[int, ...]

    def found(self, attacks: Array, war: Array) -> Array:
        """The number in each history (N,); NaN where direct war cuts it, infinite where no attack comes by `last`.

        `attacks` (N, days, theatres) are acknowledged ones, `war` (N,) is the day of direct war, NEVER without one.

        >>> one = CaseQuantity("", "", "days_to_attack", 1, 3, (0,))
        >>> one.found(np.array([[[5], [0], [2], [0]], [[5], [0], [0], [0]]]), np.array([-1, -1]))
        array([ 2., inf])
        """
        from sim.rules.outcomes import NEVER

        cut = (war != NEVER) & (war <= self.last)
        if self.of == "peace":
            return np.asarray(~cut, dtype=np.float64)
        daily = attacks[:, self.first : self.last + 1, list(self.theatres)].sum(axis=2, dtype=np.int64)
        if self.of != "days_to_attack":
            count = daily.sum(axis=1)
            return np.where(cut, np.nan, count == 0 if self.of == "quiet" else count)
        some = daily > 0
        days = np.where(some.any(axis=1), some.argmax(axis=1) + 1.0, np.inf)
        return np.where(np.isinf(days) & cut, np.nan, days)


@dataclass(frozen=True)
class CaseObservation:
    """What was observed of a case: a quantity, and the observation model that reads it."""

    quantity: CaseQuantity
    reading: ObservationModel
    source: str


@dataclass(frozen=True)
class CaseSettings:
    """What is refitted and predicted: ends of the log-uniform prior of the level, observations, quantities."""

    low: float
    high: float
    observations: tuple[CaseObservation, ...]
    quantities: tuple[CaseQuantity, ...]


KINDS: Final = ("count", "quiet", "days_to_attack", "peace")
_DAYS: Final = ("from", "to", "after", "days")
_QUANTITY_KEYS: Final = ("text", "of", "theatres", *_DAYS)
OBSERVATION_KEYS: Final = (*_QUANTITY_KEYS, "source", *MODEL_KEYS)
PARTS: Final = ("level", "observations", "quantities")


def section_of(config: Config) -> Section:
    """The section `predictions` of a configuration; one made before there was any has none."""
    return Section("predictions", config.tree.get("predictions", {}), PARTS)


def case_settings(config: Config) -> CaseSettings:
    """The section `predictions` of a configuration.

    Raises:
        UserError: a part of it is missing, or a value is not allowed.
    """
    section, scenario = section_of(config), config.scenario
    for part in PARTS:
        if not section.has(part):
            raise UserError(
                section.full(part), "(missing)", "what docs/cases.md says; `lull case check` finds the rest"
            )
    level, declared = Section("predictions.level", section.raw("level", ""), ("low", "high")), shared_declarations()
    low = level.number("low", 1e-3, declared[LEVEL].high)
    observed = section.sections("observations", OBSERVATION_KEYS)
    asked = section.sections("quantities", _QUANTITY_KEYS)
    for part, found in (("observations", observed), ("quantities", asked)):
        if not found:
            raise UserError(section.full(part), "(none)", "one or more")
    return CaseSettings(
        low,
        level.number("high", low, declared[LEVEL].high),
        tuple(
            CaseObservation(_quantity(key, one, scenario), model_of(one), one.text("source"))
            for key, one in observed.items()
        ),
        tuple(_quantity(key, one, scenario) for key, one in asked.items()),
    )


def _quantity(key: str, section: Section, scenario: Scenario) -> CaseQuantity:
    cast, kind = scenario.cast, section.choice("of", KINDS)
    named = section.choices("theatres", cast.theatres) if section.has("theatres") else tuple(cast.theatres)
    first, last = _days(section, scenario, kind)
    return CaseQuantity(key, section.text("text"), kind, first, last, tuple(map(cast.theatre_index, named)))


def _days(section: Section, scenario: Scenario, kind: str) -> tuple[int, int]:
    """First and last day: `from` and `to`, or the `days` after a day; without an end the calendar's."""
    calendar = scenario.calendar
    end = calendar.days - 1
    if kind == "peace":
        return 0, day_in(section, "to", calendar)
    if section.has("from") == section.has("after"):
        raise UserError(section.full("from"), "(given with after, or neither)", "either from and to, or after and days")
    first = day_in(section, "from", calendar) if section.has("from") else day_in(section, "after", calendar) + 1
    if section.has("days"):
        last = first + section.whole("days", 1, calendar.days) - 1
    else:
        last = day_in(section, "to", calendar) if section.has("to") or kind != "days_to_attack" else end
    if not first <= last <= end:
        ends = f"{calendar.date_of(first)} to {calendar.date_of(last)}"
        raise UserError(section.key, ends, f"days in their order, up to {calendar.date_of(end)}")
    return first, last
