"""The arms of a comparison: scenarios as the user lists them, composed, fit to be compared, pinned alike.

The list is written `[article,no_order,article;target.quiet_days=5]`: commas part the entries, semicolons what is
changed in one. Brackets and quotes inside values are left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sim.experiment.formats import full_date
from sim.experiment.options import parted
from sim.experiment.parameter_sets import free_declarations
from sim.model.cast import Cast
from sim.model.extension import Extension
from sim.model.hydra_config import override_of
from sim.model.interventions import spoken
from sim.model.parameters import shared_declarations
from sim.model.scenario import INTERVENTIONS, Config, Scenario, load
from sim.model.validation import UserError

KEY: Final = "scenarios"


@dataclass(frozen=True)
class Listed:
    """One entry: the scenario file, overrides on top of it, and events added in words or moved to another day."""

    label: str
    scenario: str
    changes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def listed(entry: str) -> Listed:
    """One entry taken apart.

    >>> listed("article;february_strikes@2024-01-20").words
    ('february_strikes@2024-01-20',)
    """
    scenario, *changes = parted(entry, ";")
    if not scenario or "=" in scenario or "@" in scenario or not all(changes):
        shape = "a list such as [article,no_order,article;target.quiet_days=5]"
        allowed = f"a scenario, then KEY=VALUE, EVENT@DATE or an event in words after semicolons: {shape}"
        raise UserError(KEY, entry or "(empty)", allowed)
    keyed = tuple(one for one in changes if "=" in one)
    words = [one for one in changes if "=" not in one]
    keyed += (override_of(INTERVENTIONS, words),) if words else ()
    return Listed(";".join((scenario, *changes)), scenario, keyed, tuple(words))


MOST: Final = 12
"""More scenarios than this make no figure that anybody reads."""

COMMON: Final = {
    "scenario": "one scenario in each entry, before the first semicolon",
    "seed": "one seed for all: common random numbers make a pair",
    "study": "one study for all",
    "engine": "one engine for all",
    "output": "one folder for all",
    "patterns": "no patterns: they change no history",
    "parameters": "one source of parameters for all",
    "extensions": "the same extensions for all",
}
"""Keys that no single entry sets, and why."""


@dataclass(frozen=True)
class ComparedArm:
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
        keyed = [one for one in entry.changes if not one.startswith(INTERVENTIONS)]
        changes = [*keyed, *map(spoken, entry.words)]
        return f"as {entry.scenario}, with {', '.join(changes)}" if changes else self.scenario.question

    def freed(self, day: int | None) -> Scenario:
        """The scenario with documented history pinned before a day alone; None: pinned throughout."""
        return replace(self.scenario, free_from=day)


def check_pair(entries: Sequence[str]) -> None:
    """Refuse any number of scenarios but two."""
    if len(entries) != 2:
        raise UserError(KEY, f"[{','.join(entries)}]", "two scenarios, such as lull diff article no_us_strikes")


def entries_of(entries: Sequence[str], overrides: Sequence[str] = ()) -> tuple[Listed, ...]:
    """The entries of a comparison, read and checked before any scenario is composed; `overrides` hold for all."""
    if not 2 <= len(entries) <= MOST:
        raise UserError(KEY, f"[{','.join(entries)}]", f"2 to {MOST} scenarios, the first of which is the baseline")
    asked = tuple(map(listed, entries))
    labels = [one.label for one in asked]
    if again := [label for label in labels if labels.count(label) > 1]:
        raise UserError(KEY, again[0], "each scenario once")
    for override in overrides:
        if override.partition("=")[0].lstrip("+~") == "scenario":
            raise UserError("scenario", override.partition("=")[2], f"nothing here; {KEY}=[...] names the scenarios")
    return asked


def arms_of(
    entries: Sequence[str],
    overrides: Sequence[str] = (),
    config_dir: Path | None = None,
    extensions: Sequence[Extension] = (),
) -> tuple[ComparedArm, ...]:
    """The arms that entries ask for, the first the baseline.

    Args:
        entries: each a scenario and, after semicolons, what is changed in it: `KEY=VALUE` or `EVENT@DATE`.
        overrides: what holds for all of them.
        config_dir: a folder of the user's own files.
        extensions: those that are no files.
    """
    asked = entries_of(entries, overrides)
    arms = tuple(_arm(entry, overrides, config_dir, extensions) for entry in asked)
    for arm in arms[1:]:
        check_alike(arm, arms[0])
    return arms


def _arm(
    entry: Listed, overrides: Sequence[str], config_dir: Path | None, extensions: Sequence[Extension]
) -> ComparedArm:
    for change in entry.changes:
        key = change.partition("=")[0].lstrip("+~")
        top = key.partition(".")[0].partition("/")[0]
        if top in COMMON and not key.startswith("scenario."):
            raise UserError(f"{KEY}: {key}", change.partition("=")[2], COMMON[top])
    config = load([*overrides, f"scenario={entry.scenario}", *entry.changes], config_dir, extensions)
    return ComparedArm(entry.label, config, kept(config, (*overrides, *entry.changes)))


def kept(config: Config, overrides: Sequence[str]) -> frozenset[str]:
    """Parameters with a prior that the configuration moves from their defaults, or that the user sets to any value."""
    named = {one.partition("=")[0].lstrip("+") for one in overrides}
    shared = shared_declarations()
    return frozenset(
        key for key in free_declarations() if key in named or config.scenario.number(key) != shared[key].default
    )


def check_alike(arm: ComparedArm, first: ComparedArm) -> None:
    """Refuse arms whose outcomes cannot be set against each other."""
    here, there = arm.scenario.calendar, first.scenario.calendar
    if here != there:
        strikes, report = (there.date_of(day) for day in (there.strikes, there.report))
        calendar = f"{there.days} days from {there.start}, strikes on {strikes}, report on {report}"
        raise UserError(KEY, arm.label, f"scenarios with the calendar of {first.label}: {calendar}")
    if _actors(arm.scenario.cast) != _actors(first.scenario.cast):
        wings = ", ".join(first.scenario.cast.wings)
        raise UserError(KEY, arm.label, f"scenarios with the theatres and wings of {first.label}: {wings}")


def _actors(cast: Cast) -> Mapping[str, object]:
    theatres = {key: (one.name, one.kind) for key, one in cast.theatres.items()}
    return {"theatres": theatres, **{key: (one.group, one.theatre) for key, one in cast.wings.items()}}


def common_day(arms: Sequence[ComparedArm]) -> int | None:
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
    return f"documented history is pinned before {full_date(scenario.calendar.date_of(day))}, free from then on"


def freed_words(scenario: Scenario, day: int | None) -> str:
    """The same in two or three words."""
    if not scenario.pins or day == 0:
        return "nothing pinned"
    return "pinned throughout" if day is None else f"free from {full_date(scenario.calendar.date_of(day))}"
