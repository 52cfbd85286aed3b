"""The figures that the model is fitted to, as the configuration names them, and how each is found in a history."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.record import Output
from sim.rules.outcomes import NEVER, WINDOWS
from sim.study.calibration.reading import READINGS, Reading
from sim.study.outcomes import ACKNOWLEDGED, outcome_values, theatre_counts
from sim.world.actors import Cast
from sim.world.checks import Section
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]

_LARGEST: Final = 1e9
_KEYS: Final = (
    "text", "source", "pattern", "of", "theatres", "window", "wings", "others", "use",
    "reading", "reported", "step", "error", "low", "high",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One figure: what it counts (`of`, with its places), how it is read, where it comes from.

    `pattern` names the pattern that fitting to it makes a fitted one; empty for none.
    """

    id: str
    text: str
    source: str
    pattern: str
    of: str
    reading: Reading
    theatres: tuple[str, ...] = ()
    window: str = ""
    wings: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    used: bool = True


@dataclass(frozen=True)
class Seen:
    """What engines wrote of some histories (runs,), in the forms that figures are found in."""

    scenario: Scenario
    output: Output
    by_theatre: Array
    outcomes: Mapping[str, Array]


def seen(scenario: Scenario, output: Output) -> Seen:
    """Prepare histories of a scenario for their figures to be found."""
    by_theatre = theatre_counts(scenario, output)
    return Seen(scenario, output, by_theatre, outcome_values(scenario, output, by_theatre))


def figures_of(section: Section, cast: Cast) -> tuple[Figure, ...]:
    """The figures of a configuration's `calibration` section, those not in use included.

    Raises:
        UserError: a figure is incomplete or names what does not exist.
    """
    if not section.has("figures"):
        return ()
    inside = section.children("figures")
    return tuple(_figure(key, Section(f"calibration.figures.{key}", one, _KEYS), cast) for key, one in inside.items())


def _figure(key: str, section: Section, cast: Cast) -> Figure:
    of = section.choice("of", tuple(FOUND))
    reading = section.choice("reading", tuple(READINGS))
    return Figure(
        id=key,
        text=section.text("text"),
        source=section.text("source"),
        pattern=section.text("pattern") if section.has("pattern") else "",
        of=of,
        reading=READINGS[reading](**{name: section.number(name, *span) for name, span in _asked(reading).items()}),
        theatres=section.choices("theatres", cast.theatres) if of == "acknowledged" else (),
        window=section.choice("window", WINDOWS) if of == "acknowledged" else "",
        wings=section.choices("wings", cast.wings) if of == "later" else (),
        others=section.choices("others", cast.wings) if of == "later" else (),
        used=section.flag("use"),
    )


def _asked(reading: str) -> dict[str, tuple[float, float]]:
    """The numbers that a reading takes, each with its range."""
    spans = {"reported": (0.0, _LARGEST), "step": (1e-9, _LARGEST), "error": (1e-6, 2.0)}
    names = {"within": ("low", "high"), "rounded": ("reported", "step"), "relative": ("reported", "step", "error")}
    return {name: spans.get(name, (0.0, _LARGEST)) for name in names.get(reading, ("reported",))}


def _acknowledged(figure: Figure, seen: Seen) -> Array:
    cast = seen.scenario.cast
    places = [cast.theatre_index(key) for key in figure.theatres]
    return np.asarray(seen.by_theatre[places, WINDOWS.index(figure.window), ACKNOWLEDGED].sum(axis=0))


def _later(figure: Figure, seen: Seen) -> Array:
    """1 where each of `wings` complied later than each of `others`, who did comply; never is later than all."""
    cast = seen.scenario.cast

    def lags(keys: tuple[str, ...]) -> Array:
        lag = seen.output.lags[:, [cast.wing_index(key) for key in keys]].astype(np.float64)
        return np.where(lag == NEVER, np.inf, lag)

    return (lags(figure.wings).min(axis=1) > lags(figure.others).max(axis=1)).astype(np.int64)


def _peace(figure: Figure, seen: Seen) -> Array:
    return (seen.outcomes["war_day"] == NEVER).astype(np.int64)


def _outcome(name: str) -> Callable[[Figure, Seen], Array]:
    return lambda figure, seen: np.asarray(seen.outcomes[name])


FOUND: Final[Mapping[str, Callable[[Figure, Seen], Array]]] = {
    "acknowledged": _acknowledged,
    "later": _later,
    "lethal": _outcome("attacks_campaign"),
    "peace": _peace,
    "attacks_per_response": _outcome("attacks_per_response"),
}
"""How the number behind a figure is found in histories. For `lethal` it is the number of attacks, each of which may
have killed: deaths are pinned by documented history, so what chance would have made of them is weighed, not drawn."""


def found(figure: Figure, seen: Seen) -> Array:
    """The number behind a figure in each history (runs,), before it is read."""
    return np.asarray(FOUND[figure.of](figure, seen), dtype=np.float32)
