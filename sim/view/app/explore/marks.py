"""What the article counted, as marks on a chart of attacks a week: a level over the days that it counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from sim.engine.record import WEEK
from sim.study.live.lived import TOTAL
from sim.world.facts import Fact, load_facts
from sim.world.patterns import Pattern
from sim.world.scenario import Config

COUNTED: Final = {"campaign_count": "campaign", "lull_none": "lull", "lull_few": "lull"}
"""Measures of something that was counted, and the window of the calendar that was counted over."""


@dataclass(frozen=True)
class Mark:
    """So many attacks a week on the days from `first` to before `last`, in one theatre or (TOTAL) in all together."""

    theatre: str
    first: int
    last: int
    weekly: float


def marks_of(config: Config) -> tuple[Mark, ...]:
    """The marks of a configuration; none where its patterns are those of another case."""
    return tuple(mark for pattern in config.patterns for mark in _marks(config, pattern))


@cache
def _facts() -> dict[str, Fact]:
    return {one.id: one for one in load_facts()}


def _marks(config: Config, pattern: Pattern) -> Iterator[Mark]:
    named = [_facts()[one] for one in re.findall(r"F\d+", pattern.figure) if one in _facts()]
    window = COUNTED.get(pattern.measure)
    if window is None or not named or named[0].figure is None:
        return
    days = getattr(config.scenario.calendar, window)
    if days:
        for theatre in pattern.theatres or (TOTAL,):
            yield Mark(theatre, days.start, days.stop, named[0].figure * WEEK / len(days))


def said(config: Config) -> dict[str, str]:
    """What the article says of each theatre in words, by theatre (TOTAL: all together)."""
    found = {}
    for pattern in config.patterns:
        if pattern.judged == "article" and (pattern.theatres or pattern.measure in COUNTED):
            for theatre in pattern.theatres or (TOTAL,):
                found[theatre] = re.sub(r" *\(F[^)]*\)", "", pattern.figure)
    return found
