"""Which history and which day a visitor asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sim.numbers.chance import RUN_LIMIT
from sim.study.request import whole
from sim.world.errors import UserError, one_of
from sim.world.scenario import Config, load, scenario_names

FIRST: Final = "article"
MOST_SEED: Final = 2**64 - 1
SCENARIO, RUN, SEED, DAY = "scenario", "run", "seed", "day"
KEYS: Final = (SCENARIO, RUN, SEED, DAY)


@dataclass(frozen=True)
class Asked:
    """One history, and a day of it."""

    scenario: str = FIRST
    run: int = 0
    seed: int = 1
    day: int = 0

    def settings(self) -> dict[str, str]:
        """What the address says of it."""
        return {SCENARIO: self.scenario, RUN: str(self.run), SEED: str(self.seed), DAY: str(self.day)}


def asked_for(settings: Mapping[str, str]) -> Asked:
    """What an address asks for; what it does not say is as in `Asked`.

    Raises:
        UserError: a key is unknown or a value not allowed.
    """
    for key, value in settings.items():
        if key not in KEYS:
            raise UserError(key, value, one_of(KEYS, key))
    scenario = settings.get(SCENARIO, FIRST)
    if scenario not in questions():
        raise UserError(SCENARIO, scenario, one_of(questions(), scenario))
    return Asked(
        scenario,
        run_in(settings.get(RUN, "0")),
        seed_in(settings.get(SEED, "1")),
        day_in(settings.get(DAY, "0"), days_of(scenario)),
    )


def run_in(text: str) -> int:
    """The number of a run as somebody types it; every run that has an address of chance can be lived.

    Raises:
        UserError: it is none.
    """
    return whole(RUN, text.strip(), 0, RUN_LIMIT - 1)


def seed_in(text: str) -> int:
    """A seed as somebody types it.

    Raises:
        UserError: it is none.
    """
    return whole(SEED, text.strip(), 0, MOST_SEED)


def day_in(text: str, days: int) -> int:
    """A day number as somebody types it.

    Raises:
        UserError: it is none, or lies outside the calendar.
    """
    return whole(DAY, text.strip(), 0, days - 1)


def questions() -> dict[str, str]:
    """The question of every scenario, by name."""
    return {card.name: card.question for card in scenario_names()}


def days_of(scenario: str) -> int:
    """Days of a scenario's calendar."""
    return config_named(scenario).scenario.calendar.days


@lru_cache(maxsize=32)
def config_named(scenario: str) -> Config:
    """The configuration of a scenario; it is frozen, so visitors may share it."""
    return load([f"scenario={scenario}"])
