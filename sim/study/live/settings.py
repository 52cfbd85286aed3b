"""What can be set while looking: a scenario, its history, shared numbers and mechanisms, as short texts by key.

A setting is written as on the command line and checked by what checks the command line. Texts are read as numbers,
switches, names and dates; nothing is composed from them or evaluated.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from sim.study.request import check_one_point, whole
from sim.study.sweep.axes import spelled
from sim.world.aliases import current
from sim.world.errors import UserError, one_of
from sim.world.mechanisms import MECHANISM_NAMES
from sim.world.parameters import shared_declarations
from sim.world.scenario import START, Card, Config, config_of, load, scenario_names

Value = float | bool | str

RUNS: Final = 2000
MOST_RUNS: Final = 20_000
"""More would no longer follow a hand."""
LONGEST: Final = 64
"""Signs of a value: no number, name or date has more."""

SCENARIO: Final = "scenario"
HISTORY: Final = "history"
FREE: Final = "free"
FREE_FROM: Final = "history.free_from"
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def settable() -> tuple[str, ...]:
    """Keys of all values that can be set, in the order in which they are told."""
    return (FREE_FROM, *shared_declarations(), *(f"mechanisms.{name}" for name in MECHANISM_NAMES))


@dataclass(frozen=True)
class Settings:
    """A scenario file, whether documented history is left out, and the values that differ from those of the file."""

    scenario: str
    free: bool = False
    values: tuple[tuple[str, Value], ...] = ()

    def texts(self, usual: str) -> dict[str, str]:
        """The settings as short texts by key; a scenario that is the `usual` one is left out.

        >>> Settings("article", True, (("patron.control", 0.5),)).texts("article")
        {'history': 'free', 'patron.control': '0.5'}
        """
        found = {} if self.scenario == usual else {SCENARIO: self.scenario}
        if self.free:
            found[HISTORY] = FREE
        return found | {key: value if isinstance(value, str) else spelled(value) for key, value in self.values}

    def overrides(self) -> tuple[str, ...]:
        """The same as on the command line, the scenario always named."""
        return tuple(f"{key}={text}" for key, text in self.texts("").items())


@dataclass(frozen=True)
class Ground:
    """What all settings stand on: the user's folder of files and overrides that hold for everybody."""

    scenario: str = "article"
    seed: int = 1
    runs: int = RUNS
    overrides: tuple[str, ...] = ()
    config_dir: Path | None = None
    cards: tuple[Card, ...] = field(default_factory=scenario_names, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenario files that can be chosen."""
        return tuple(card.name for card in self.cards)

    def base(self, scenario: str, free: bool) -> Config:
        """The configuration of a scenario file on this ground, with nothing set.

        Raises:
            UserError: it cannot be composed.
        """
        return _composed(self.overrides, self.config_dir, scenario, free)

    def settings(self, texts: Mapping[str, str]) -> Settings:
        """Settings from short texts by key; what is not given is as in the scenario file.

        Raises:
            UserError: an unknown key, or a value that is not allowed.
        """
        texts = {current(key): text for key, text in texts.items()}
        for key, text in texts.items():
            if key not in (SCENARIO, HISTORY, *settable()):
                allowed = one_of((SCENARIO, HISTORY, "seed", *settable()), key)
                raise UserError(key[:LONGEST], text, f"keys: {allowed}")
            if len(text) > LONGEST:
                raise UserError(key, text, f"at most {LONGEST} signs")
        name = texts.get(SCENARIO, self.scenario)
        if name not in self.names:
            raise UserError(SCENARIO, name, one_of(self.names, name))
        if texts.get(HISTORY, FREE) != FREE:
            raise UserError(HISTORY, texts[HISTORY], f"{FREE}, or no such key where documented history is pinned")
        base = self.base(name, HISTORY in texts)
        given = {key: _value(key, texts[key]) for key in settable() if key in texts}
        settings = Settings(
            name, HISTORY in texts, tuple(one for one in given.items() if one[1] != set_in(base, one[0]))
        )
        self.config(settings)
        return settings

    def config(self, settings: Settings, seed: int | None = None) -> Config:
        """The configuration that settings make, as the command line would make it.

        Raises:
            UserError: a value is not allowed.
        """
        base = self.base(settings.scenario, settings.free)
        tree = {**base.tree, "seed": self.seed if seed is None else seed}
        tree["study"] = {**tree["study"], "runs": self.runs}
        for key, value in settings.values:
            group, _, name = key.partition(".")
            tree[group] = {**tree[group], name: value}
        return config_of(tree, settings.scenario, base.scenario.extended.extensions)


def ground_of(overrides: tuple[str, ...], config_dir: Path | None = None) -> Ground:
    """The ground that overrides of the command line make.

    Raises:
        UserError: they cannot be used, or ask for more histories than can be lived while somebody waits.
    """
    check_one_point(overrides)
    own = {"scenario", "seed", "study.runs"}
    kept = tuple(one for one in overrides if one.partition("=")[0].lstrip("+") not in own)
    config = load(overrides, config_dir)
    asked = any(one.startswith("study.runs=") for one in overrides)
    if asked and config.runs > MOST_RUNS:
        raise UserError("study.runs", config.runs, f"1 to {MOST_RUNS} here")
    return Ground(
        scenario=config.scenario.name,
        seed=config.seed,
        runs=config.runs if asked else RUNS,
        overrides=kept,
        config_dir=config_dir,
        cards=scenario_names(config_dir),
    )


def set_in(config: Config, key: str) -> Value | None:
    """The value that a configuration has at one of the settable keys."""
    group, _, name = key.partition(".")
    value = config.tree[group][name]
    return value if value is None or isinstance(value, bool | str) else float(value)


def seed_of(text: str) -> int:
    """A seed from a text.

    Raises:
        UserError: it is none.
    """
    return whole("seed", text, 0, 2**64 - 1)


def _value(key: str, text: str) -> Value:
    """What a text sets a key to; whether that lies in its range is checked with the whole configuration."""
    if key == FREE_FROM:
        return _day(text)
    if key.startswith("mechanisms."):
        if text not in ("true", "false"):
            raise UserError(key, text, "true or false")
        return text == "true"
    one = shared_declarations()[key]
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise UserError(key, text, f"a number from {one.low:g} to {one.high:g}")
    return float(text)


def _day(text: str) -> str:
    if text == START:
        return text
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UserError(FREE_FROM, text, f"a date such as 2024-01-29, or {START}") from None


@cache
def _composed(overrides: tuple[str, ...], config_dir: Path | None, scenario: str, free: bool) -> Config:
    """Composing takes half a second; there are as many as scenario files, twice."""
    history = (f"{HISTORY}={FREE}",) if free else ()
    return load((*overrides, f"scenario={scenario}", *history), config_dir)
