"""Which settings stand in front, and the slider of each, made from its declaration."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sim.study.comparison.measures import named
from sim.view.attribution import MECHANISM_WORDS
from sim.world.actors import Cast
from sim.world.parameters import Declaration, shared_declarations

FRONT: Final = {
    "patron": (
        "patron.control", "patron.war_risk_half_life", "patron.alarm_per_strike", "patron.gains_weight",
        "patron.directive_reduce", "patron.release_rate",
    ),
    "militia": (
        "multipliers.baseline", "multipliers.autonomy", "deterrence.fear_half_life", "deterrence.major_fear",
        "deterrence.strike_net", "deterrence.rebuild_days", "mediator.weight",
    ),
    "target": (
        "target.provocation_threshold", "target.response_rate", "target.major_intensity", "casualties.penetration",
        "casualties.lethality",
    ),
    "war": ("ladder.war_rate", "ladder.war_threshold"),
}  # fmt: skip
"""What moves attacks, the lull, deaths or war most when everything varies over its prior (`lull sensitivity`)."""

STEPS: Final = 100
"""Steps of a slider, about."""
WIDE: Final = 2.5
"""Deviations of a bell-shaped prior that a slider spans to each side."""


@dataclass(frozen=True)
class Slider:
    """A shared number as a slider: from `low` to `high` in steps, or in equal ratios where `ratio` is true.

    `least` and `most` are what may be typed.
    """

    key: str
    label: str
    hint: str
    unit: str
    low: float
    high: float
    step: float
    ratio: bool
    least: float
    most: float


def slider(key: str, declared: Declaration, cast: Cast) -> Slider:
    """The slider of a declaration: it spans the prior, or the declared range where the prior is fixed."""
    label, _, hint = named(declared.text, cast).partition("; ")
    low, high = span(declared)
    return Slider(
        key=key,
        label=label[0].upper() + label[1:],
        hint=hint,
        unit="" if declared.unit == "1" else declared.unit,
        low=low,
        high=high,
        step=step(low, high),
        ratio=declared.prior.shape == "log_uniform",
        least=declared.low,
        most=declared.high,
    )


def span(declared: Declaration) -> tuple[float, float]:
    """Where the slider of a declaration begins and ends.

    >>> span(shared_declarations()["patron.control"])
    (0.4, 1.0)
    """
    prior = declared.prior
    if prior.shape == "fixed":
        return declared.low, declared.high
    if prior.shape == "normal":
        return max(declared.low, prior.a - WIDE * prior.b), min(declared.high, prior.a + WIDE * prior.b)
    return prior.a, prior.b


def step(low: float, high: float) -> float:
    """A round step: 1, 2 or 5 times a power of ten, with which the span takes about STEPS of them.

    >>> step(0.4, 1.0), step(10.0, 90.0)
    (0.01, 1.0)
    """
    raw = (high - low) / STEPS
    power = math.floor(math.log10(raw))
    size = next(one for one in (1, 2, 5, 10) if raw <= one * 10**power * (1 + 1e-9))
    return float(f"{size}e{power}")


def groups(cast: Cast) -> Iterator[dict[str, Any]]:
    """The groups of sliders, those in front first: title, whether it is open, and the sliders."""
    names, declared = cast.names, shared_declarations()
    titles = {
        "patron": names.patron,
        "militia": "The militias and those who hold them back",
        "target": names.target,
        "war": "The way to war",
    }
    front = [key for keys in FRONT.values() for key in keys]
    for group, keys in FRONT.items():
        made = [slider(key, declared[key], cast) for key in keys]
        yield {"title": capital(titles[group]), "open": group == "patron", "sliders": [vars(one) for one in made]}
    rest = [slider(key, one, cast) for key, one in declared.items() if key not in front]
    yield {"title": f"{len(rest)} other numbers", "open": False, "sliders": [vars(one) for one in rest]}


def switches(cast: Cast) -> list[dict[str, str]]:
    """The mechanisms that can be switched off, in words."""
    return [
        {"key": f"mechanisms.{name}", "label": capital(named(text, cast).replace("s's ", "s' "))}
        for name, text in MECHANISM_WORDS.items()
    ]


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
