"""The arms of a comparison: scenarios as the user lists them, composed, fit to be compared, pinned alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from sim.study.comparison.listed import KEY, Listed, listed
from sim.study.comparison.moved import moved
from sim.study.prior import free_declarations
from sim.study.sweep.groups import parameter
from sim.world.actors import Cast
from sim.world.errors import UserError
from sim.world.parameters import shared_declarations
from sim.world.scenario import Config, Scenario, load

MOST: Final = 12
"""More scenarios than this make no figure that anybody reads."""

COMMON: Final = {
    "scenario": "one scenario in each entry, before the first semicolon",
    "seed": "one seed for all: shared luck is what makes a pair",
    "study": "one study for all",
    "engine": "one engine for all",
    "output": "one folder for all",
    "patterns": "no patterns: they change no history",
    "parameters": "one source of parameters for all",
    "extensions": "the same extensions for all",
}
"""Keys that no single entry sets, and why."""


@dataclass(frozen=True)
class Arm:
    """One of the scenarios compared: how the user wrote it, its configuration, and drawn parameters that it keeps."""

    label: str
    config: Config
    kept: frozenset[str]

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.config.scenario

    @property
    def words(self) -> str:
        """The question of the scenario, or what is changed in it."""
        entry = listed(self.label)
        changes = [*entry.changes, *(f"{event} on {spoken(day)}" for event, day in entry.moves)]
        return f"as {entry.scenario}, with {', '.join(changes)}" if changes else self.scenario.question

    def freed(self, day: int | None) -> Scenario:
        """The scenario with documented history pinned before a day alone; None: pinned throughout."""
        return replace(self.scenario, free_from=day)


def arms_of(entries: Sequence[str], overrides: Sequence[str] = (), config_dir: Path | None = None) -> tuple[Arm, ...]:
    """The arms that entries ask for, the first the baseline.

    Args:
        entries: each a scenario and, after semicolons, what is changed in it: `KEY=VALUE` or `EVENT@DATE`.
        overrides: what holds for all of them.
        config_dir: a folder of the user's own files.

    Raises:
        UserError: an entry cannot be used, or they do not fit together.
    """
    if not 2 <= len(entries) <= MOST:
        raise UserError(KEY, f"[{','.join(entries)}]", f"2 to {MOST} scenarios, the first of which is the baseline")
    asked = [listed(entry) for entry in entries]
    labels = [one.label for one in asked]
    if again := [label for label in labels if labels.count(label) > 1]:
        raise UserError(KEY, again[0], "each scenario once")
    for override in overrides:
        if override.partition("=")[0].lstrip("+~") == "scenario":
            raise UserError("scenario", override.partition("=")[2], f"nothing here; {KEY}=[...] names the scenarios")
    arms = tuple(_arm(entry, overrides, config_dir) for entry in asked)
    for arm in arms[1:]:
        check_alike(arm, arms[0])
    return arms


def _arm(entry: Listed, overrides: Sequence[str], config_dir: Path | None) -> Arm:
    for change in entry.changes:
        key = change.partition("=")[0].lstrip("+~")
        top = key.partition(".")[0].partition("/")[0]
        if top in COMMON and not key.startswith("scenario."):
            raise UserError(f"{KEY}: {key}", change.partition("=")[2], COMMON[top])
    config = load([*overrides, f"scenario={entry.scenario}", *entry.changes], config_dir)
    scenario = config.scenario
    for event, day in entry.moves:
        scenario = moved(scenario, event, day)
    if config.tree["history"]["free_from"] is not None:
        scenario = replace(scenario, free_from=config.scenario.free_from)
    return Arm(entry.label, replace(config, scenario=scenario), kept(config, (*overrides, *entry.changes)))


def kept(config: Config, overrides: Sequence[str]) -> frozenset[str]:
    """Parameters with a prior that the configuration moves from their defaults, or that the user sets to any value."""
    named = {one.partition("=")[0].lstrip("+") for one in overrides}
    shared = shared_declarations()
    return frozenset(
        key for key in free_declarations() if key in named or parameter(config, key) != shared[key].default
    )


def check_alike(arm: Arm, first: Arm) -> None:
    """Refuse arms whose outcomes cannot be set against each other."""
    here, there = arm.scenario.calendar, first.scenario.calendar
    if here != there:
        strikes, report = (there.date_of(day) for day in (there.strikes, there.report))
        told = f"{there.days} days from {there.start}, strikes on {strikes}, report on {report}"
        raise UserError(KEY, arm.label, f"scenarios with the calendar of {first.label}: {told}")
    if _actors(arm.scenario.cast) != _actors(first.scenario.cast):
        wings = ", ".join(first.scenario.cast.wings)
        raise UserError(KEY, arm.label, f"scenarios with the theatres and wings of {first.label}: {wings}")


def _actors(cast: Cast) -> Mapping[str, object]:
    theatres = {key: (one.name, one.kind) for key, one in cast.theatres.items()}
    return {"theatres": theatres, **{key: (one.group, one.theatre) for key, one in cast.wings.items()}}


def common_day(arms: Sequence[Arm]) -> int | None:
    """The day on which the earliest of the arms departs; None where none does: history is pinned throughout."""
    days = [arm.scenario.free_from for arm in arms if arm.scenario.free_from is not None]
    return min(days) if days else None


def pinned_words(scenario: Scenario, day: int | None) -> str:
    """What is pinned when history is free from a day on.

    The days before it are those of the documented history, with its pinned events.
    """
    if not scenario.pins or day == 0:
        return "nothing is pinned"
    if day is None:
        return "documented history is pinned throughout"
    return f"documented history is pinned before {spoken(scenario.calendar.date_of(day))}, free from then on"


def freed_words(scenario: Scenario, day: int | None) -> str:
    """The same in two or three words."""
    if not scenario.pins or day == 0:
        return "nothing pinned"
    return "pinned throughout" if day is None else f"free from {spoken(scenario.calendar.date_of(day))}"


def spoken(day: date) -> str:
    """A date in words.

    >>> spoken(date(2024, 1, 29))
    '29 Jan 2024'
    """
    return f"{day.day} {day:%b %Y}"
