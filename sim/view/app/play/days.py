"""The days of a history so far, as columns of the line of days."""

from dataclasses import dataclass
from typing import Any, Final

from sim.rules.patron import RESTRAINING
from sim.rules.target import STRUCK
from sim.view.app.play.history import History
from sim.view.style import ORANGE, PURPLE

Columns = dict[str, list[Any]]

MONTHS: Final = 2
"""Every so many months a date stands below the line."""
LEAST_ROOM: Final = 8.0


@dataclass(frozen=True)
class Days:
    """Attacks on the target by day, marks of deaths and strikes above them, and spans of days of restraint.

    `total` is the number of days of the calendar, `room` the highest value drawn, `ticks` days that carry a date.
    """

    total: int
    room: float
    bars: Columns
    marks: Columns
    held: Columns
    ticks: list[int]
    dates: list[str]


MARKS: Final = {
    "deaths": ("inverted_triangle", ORANGE, "soldiers killed"),
    "response": ("diamond", PURPLE, "limited response or leader strike"),
    "major": ("star", PURPLE, "major response"),
    "war": ("x", ORANGE, "direct war"),
}
"""Marker, colour and meaning of what is marked."""


def days_of(history: History) -> Days:
    """The days that were lived."""
    run = history.states.run[: history.lived]
    calendar = history.scenario.calendar
    ticks = [
        day
        for day in range(calendar.days)
        if calendar.date_of(day).day == 1 and (calendar.date_of(day).month - calendar.start.month - 1) % MONTHS == 0
    ]
    room = max(LEAST_ROOM, float(run["attacks"].max(initial=0.0))) + 2.0
    return Days(
        total=calendar.days,
        room=room,
        bars={
            "day": list(range(len(run))),
            "acknowledged": run["acknowledged"].tolist(),
            "attacks": run["attacks"].tolist(),
        },
        marks=_marks(run, room),
        held=_held(run["phase"].tolist()),
        ticks=ticks,
        dates=[f"{calendar.date_of(day):%b} {calendar.date_of(day).year}" for day in ticks],
    )


def _marks(run: Any, room: float) -> Columns:
    happened = {
        "deaths": run["killed"] > 0.0,
        "response": (run["limited"] > 0) | (run["leader"] == STRUCK),
        "major": run["major"] > 0,
        "war": run["war"] > 0,
    }
    found = [(day, what) for what, days in happened.items() for day in days.nonzero()[0].tolist()]
    return {
        "day": [day for day, _ in found],
        "y": [room - 1.0] * len(found),
        "marker": [MARKS[what][0] for _, what in found],
        "color": [MARKS[what][1] for _, what in found],
    }


def _held(phases: list[int]) -> Columns:
    """Spans of days on which the patron holds its proxies back."""
    spans: list[tuple[float, float]] = []
    for day, phase in enumerate(phases):
        if phase != RESTRAINING:
            continue
        if spans and spans[-1][1] == day - 0.5:
            spans[-1] = (spans[-1][0], day + 0.5)
        else:
            spans.append((day - 0.5, day + 0.5))
    return {"first": [first for first, _ in spans], "end": [end for _, end in spans]}
