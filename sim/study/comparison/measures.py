"""What is compared: every outcome of a history, and attacks by theatre and by group, each with its good direction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.record import Output
from sim.rules.outcomes import CAMPAIGN, LATER, LULL, NEVER, Outcome
from sim.study.outcomes import ACKNOWLEDGED, ATTACKS, outcome_values, outcomes_of, theatre_counts
from sim.world.actors import Cast
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]
Columns = dict[str, Array]

LOWER: Final = -1
HIGHER: Final = 1

DIRECTIONS: Final = {
    **dict.fromkeys(
        ("deaths", "lethal_attacks", "injured", "attacks_campaign", "acknowledged_campaign", "attacks_lull",
         "acknowledged_lull", "war", "peak_war_risk", "peak_rung"), LOWER,
    ),
    **dict.fromkeys(
        ("first_death_day", "war_day", "first_attack_day", "resumption_day", "lull_days", "quiet_days"), HIGHER,
    ),
}  # fmt: skip
"""Whether less or more of an outcome is better: fewer attacks and deaths, a longer quiet, less danger of war.

Who strikes, orders or responds how often is a means, and has no direction.
"""

NOT_CUT: Final = frozenset({"war", "war_day", "peak_rung"})
"""What direct war does not cut short; of all else a history that it ends holds only what came before."""

AT_LEAST: Final = (1, 5, 10, 50)
"""Sizes at which a heavy-tailed outcome is told as a chance: its mean hangs on histories that may not have come."""

WINDOWS: Final = {"campaign": (CAMPAIGN,), "lull": (LULL,), "after": (LULL, LATER)}
"""Windows in which attacks are counted by theatre and group: before the strikes, to the report, to the end."""

_WHEN: Final = {
    "campaign": "before the strikes",
    "lull": "between the strikes and the report",
    "after": "after the day of the strikes",
}


@dataclass(frozen=True)
class Measure:
    """One number of a history that is compared.

    `direction` is 1 where more is better, -1 where less is, 0 where neither; `kind` is outcome, theatre or group, and
    for the latter two `place` and `window` say where and when attacks are counted.
    """

    name: str
    text: str
    unit: str
    direction: int = 0
    heavy: bool = False
    kind: str = "outcome"
    place: str = ""
    window: str = ""

    @property
    def cut(self) -> bool:
        """Whether direct war, which ends a history, cuts it short."""
        return self.name not in NOT_CUT


def measures_of(scenario: Scenario) -> tuple[Measure, ...]:
    """Everything that a comparison looks at, in order."""
    cast = scenario.cast
    struck = {key for key, one in cast.theatres.items() if one.kind == "target"}
    fighting = {wing.group for wing in cast.wings.values() if wing.theatre in struck}
    return (
        *(one for outcome in outcomes_of(scenario.extended).values() for one in _of_outcome(outcome, cast)),
        Measure("attacks_after", f"attacks on {cast.names.target} after the day of the strikes", "attacks", LOWER),
        Measure(
            "acknowledged_after",
            f"acknowledged attacks on {cast.names.target} after the day of the strikes",
            "attacks",
            LOWER,
        ),
        *_counted("theatre", {key: one.name for key, one in cast.theatres.items()}, struck),
        *_counted("group", {group: group for group in groups_of(cast)}, fighting),
    )


def groups_of(cast: Cast) -> tuple[str, ...]:
    """Groups in the order in which their wings stand."""
    return tuple(dict.fromkeys(wing.group for wing in cast.wings.values()))


def named(text: str, cast: Cast) -> str:
    """A description with the names of this case in place of the roles."""
    return text.replace("the target", cast.names.target).replace("the patron", cast.names.patron)


def _of_outcome(outcome: Outcome, cast: Cast) -> Iterable[Measure]:
    text, direction = named(outcome.text, cast), DIRECTIONS.get(outcome.name, 0)
    yield Measure(outcome.name, text, outcome.unit, direction, outcome.heavy_tailed)
    if outcome.heavy_tailed:
        for least in AT_LEAST:
            yield Measure(at_least(outcome.name, least), f"{least} or more {text}", "probability", direction)


def at_least(name: str, least: int) -> str:
    """Name of the measure that an outcome reaches a size.

    >>> at_least("deaths", 10)
    'deaths_10'
    """
    return f"{name}_{least}"


def _counted(kind: str, places: Mapping[str, str], on_target: Collection[str]) -> Iterable[Measure]:
    """Attacks by place and window; fewer are better where they are on the target.

    Elsewhere fewer may only mean that direct war ended the history early.
    """
    for key, name in places.items():
        for window, when in _WHEN.items():
            text = f"attacks {'in' if kind == 'theatre' else 'of'} {name} {when}"
            direction = LOWER if key in on_target else 0
            yield Measure(counted(kind, key, window), text, "attacks", direction, False, kind, name, window)


def counted(kind: str, place: str, window: str) -> str:
    """Name of the measure that counts attacks in a theatre, or of a group, in a window.

    >>> counted("theatre", "iraq", "after")
    'theatre.iraq.after'
    """
    return f"{kind}.{place}.{window}"


def columns_of(scenario: Scenario, output: Output) -> Columns:
    """Every measure (run,), in the order of `measures_of`; a day that never comes counts as the end of the calendar."""
    cast = scenario.cast
    by_theatre = theatre_counts(scenario, output)
    columns: Columns = {}
    found = outcome_values(scenario, output, by_theatre)
    for name, outcome in outcomes_of(scenario.extended).items():
        values = found[name]
        columns[name] = np.where(values == NEVER, scenario.calendar.days, values) if outcome.unit == "day" else values
        if outcome.heavy_tailed:
            columns |= {at_least(name, least): (values >= least).astype(np.int8) for least in AT_LEAST}
    on_target = [k for k, theatre in enumerate(cast.theatres.values()) if theatre.kind == "target"]
    for what, place in (("attacks", ATTACKS), ("acknowledged", ACKNOWLEDGED)):
        columns[f"{what}_after"] = _in_window(by_theatre[on_target, :, place].sum(axis=0), "after")
    attacks = by_theatre[:, :, ATTACKS]
    columns |= _placed("theatre", tuple(cast.theatres), [attacks[k] for k in range(len(attacks))])
    groups = groups_of(cast)
    by_wing = np.moveaxis(output.counts[..., ATTACKS], 0, -1)
    wings = [[w for w, wing in enumerate(cast.wings.values()) if wing.group == group] for group in groups]
    return columns | _placed("group", groups, [by_wing[mine].sum(axis=0) for mine in wings])


def losses(measure: Measure, values: Array, war: Array, stated: float | None = None) -> Array:
    """Losses (arm, draw, run) of a measure with a direction, its values and whether war came likewise.

    Where war cuts the measure, a history with war loses what one with the stated value does. Where none is stated it is
    worst: a chance counts as 1, all else as one worse than the worst history of the draw in any arm.
    """
    lost = np.asarray(values, dtype=np.float64) * -float(measure.direction)
    if not measure.cut:
        return lost
    if stated is not None:
        ended: Array | float = stated * -float(measure.direction)
    elif measure.unit == "probability":
        ended = 1.0
    else:
        ended = lost.max(axis=(0, 2), keepdims=True) + 1.0
    return np.where(np.asarray(war, dtype=bool), ended, lost)


def _placed(kind: str, places: Sequence[str], counts: Sequence[Array]) -> Columns:
    """Attacks by place and window, from counts (window, run) of each place."""
    return {
        counted(kind, key, window): _in_window(one, window)
        for key, one in zip(places, counts, strict=True)
        for window in WINDOWS
    }


def _in_window(counts: Array, window: str) -> Array:
    """Counts (window, run) summed over what a window of the comparison holds (run,)."""
    return np.asarray(counts[list(WINDOWS[window])].sum(axis=0))
