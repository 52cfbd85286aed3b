"""What a file says of attacks beyond their number: who died, and which group attacked; and what a forecast makes of it.

Deaths are pinned to their days, like those of the documented record, and days without any are pinned as such. So the
histories have them, and `record_of` weighs how probable they were. Attacks whose group is named say how attacks are
split among the groups; histories are matched to the split, and groups have levels of their own to reach it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from sim.analysis.forecast.event_counts import AttackDetail, Counts
from sim.model.cast import Cast
from sim.model.scenario import Scenario
from sim.model.timeline import Calendar, Event, pins_before

THE_FILE: Final = "the file"
"""Source of events that a file pins."""


def wings_of(cast: Cast, group: str, theatres: Sequence[str]) -> list[str]:
    """Ids of the wings of a group in some theatres."""
    return [name for name, wing in cast.wings.items() if wing.group == group and wing.theatre in theatres]


LEAST_NAMED: Final = 10
"""Attacks whose group is named from which the split among groups is matched."""
_OF_DEATHS: Final = ("no_deaths", "deaths")


class NamedGroups(NamedTuple):
    """Attacks by group of the case, those of no attack too; nothing where the split is not matched. `words` say why."""

    counts: dict[str, int]
    words: str


def named_groups(scenario: Scenario, counts: Counts, cut: int) -> NamedGroups:
    """The attacks up to the end of a day whose group a file names, where there are enough to compare groups."""
    groups = [one for one in counts.groups if wings_of(scenario.cast, one, counts.theatres)]
    named = Counter(one.group for one in counts.details if one.day <= cut and one.group in groups)
    attacks, total = named.total(), int(counts.upto(cut).total[-1])
    if len(groups) < 2:
        return NamedGroups({}, "groups: not used; filters.groups names fewer than two of the case's in these theatres")
    if attacks < LEAST_NAMED:
        few = f"{attacks} of {total} attacks name one of {', '.join(groups)}, fewer than {LEAST_NAMED}"
        return NamedGroups({}, f"groups: not used; {few}")
    split = ", ".join(f"{one} {named[one]}" for one in groups)
    words = f"groups: used; {attacks} of {total} attacks name one ({split}), and histories are matched to this split"
    return NamedGroups({one: named[one] for one in groups}, words)


def windowed(calendar: Calendar, first: int, last: int) -> Calendar:
    """The same calendar whose campaign, or lull where something lies before it, are the days from `first` to `last`."""
    strikes, report = (first - 1, last) if first else (last + 1, last + 1)
    return replace(calendar, strikes=strikes, report=report)


class FileDeaths(NamedTuple):
    """The deaths in a file as events that are pinned like those of the documented record; `words` say what was used."""

    pins: tuple[Event, ...]
    words: str


def file_deaths(scenario: Scenario, counts: Counts, cut: int) -> FileDeaths:
    """Days with and without deaths of the target's soldiers up to a cut, where the documented record has none of both.

    The wing is that of the group that is named, else the one in the theatre with the highest baseline rate.
    """
    if not counts.says_dead:
        return FileDeaths((), "fatalities: not used; the file does not say how many were killed")
    pinned = pins_before(scenario.pins, scenario.free_from)
    documented = {day for one in pinned if one.kind in _OF_DEATHS for day in range(one.first, one.last + 1)}
    days = [day for day in range(int(counts.ends[0]) + 1, cut + 1) if day not in documented]
    deadly = [one for one in counts.details if one.killed and one.day <= cut]
    targets = [one for one in counts.theatres if scenario.cast.theatres[one].kind == "target"]
    if not targets:
        return FileDeaths((), "fatalities: not used; no theatre of the file is one where the target has soldiers")
    if not days:
        words = f"the documented record has every day ({len(deadly)} deadly attacks in the file)"
        return FileDeaths((), f"fatalities: not used; {words}")
    by_day: dict[int, list[AttackDetail]] = {}
    for one in deadly:
        if one.day not in documented and one.theatre in targets:
            by_day.setdefault(one.day, []).append(one)
    pins = [_pinned(scenario.cast, day, some) for day, some in by_day.items()]
    silent = np.array([day for day in days if day not in by_day], dtype=np.int64)
    for run in np.split(silent, np.flatnonzero(np.diff(silent) > 1) + 1) if len(silent) else ():
        ends = int(run[0]), int(run[-1])
        pins.append(Event(f"file_no_deaths_{ends[0]}", "no_deaths", *ends, source=THE_FILE, intervention=True))
    killed, used = sum(one.killed for one in pins), sum(map(len, by_day.values()))
    of = "1 deadly attack" if used == 1 else f"{used} deadly attacks"
    words = f"fatalities: used; {of} ({killed} killed), and {len(silent)} days without a death"
    if rest := len(deadly) - used:
        words += f"; {rest} more on days of the documented record, which stands"
    return FileDeaths(tuple(pins), words)


def _pinned(cast: Cast, day: int, attacks: Sequence[AttackDetail]) -> Event:
    """The deaths of a day, pinned to the wing of the deadliest attack."""
    worst = max(attacks, key=lambda one: one.killed)
    wings = wings_of(cast, worst.group, (worst.theatre,)) or cast.wings_in(worst.theatre)
    wing, killed = max(wings, key=lambda one: cast.wings[one].baseline), sum(one.killed for one in attacks)
    return Event(
        f"file_deaths_{day}", "deaths", day, day, wing=wing, killed=killed, source=THE_FILE, intervention=True
    )  # fmt: skip


def known_at(scenario: Scenario, day: int, foresight: bool) -> Scenario:
    """The scenario as it was known at the end of a day: documented history holds up to it and is free from then on.

    An event of the timeline that begins later is known once it was announced; where it does not say when that was, with
    foresight only. One that is known keeps its end.
    """
    free_from = day + 1 if scenario.free_from is None else min(day + 1, scenario.free_from)
    events = tuple(one for one in scenario.events if one.known(day, foresight))
    return replace(scenario, free_from=free_from, events=events)


def as_counted(scenario: Scenario, counts: Counts, cut: int, foresight: bool) -> Scenario:
    """The scenario as it was known at the end of a day to a reader of the file, its deaths pinned up to that day."""
    known = known_at(scenario, cut, foresight)
    return replace(known, pins=(*known.pins, *file_deaths(known, counts, cut).pins))
