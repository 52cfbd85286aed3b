"""The article's patterns, judged: what it reports, what the model gives, and whether that lies within the tolerance."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sim.study.drawn import DEFAULTS, Drawn, drawn_of
from sim.study.evidence import Evidence, UnmeasurableError
from sim.study.measures import MEASURES, OF_ONE_HISTORY, OF_THE_MAIN, Finding
from sim.world.errors import UserError, one_of
from sim.world.patterns import Pattern
from sim.world.scenario import Config

if TYPE_CHECKING:
    import xarray as xr

BASELINE = "article"
"""The scenario that the patterns describe; others are measured alike but pass no verdict."""

BAND_TAIL = 0.05
"""What fewer histories than this share show lies outside the predictive band, which holds nine in ten."""


@dataclass(frozen=True)
class Verdict:
    """One pattern judged. `holds` is None where it was not measured, or where patterns speak of another scenario.

    `share` is the share of histories, of pairs that differ or of draws that show it: its predictive probability.
    """

    id: str
    text: str
    kind: str
    judged: str
    article: str
    model: str
    tolerance: str
    holds: bool | None
    share: float | None = None


def judge(config: Config, data: "xr.Dataset", drawn: Drawn | None = None) -> tuple[Verdict, ...]:
    """Judge every pattern of a configuration.

    Args:
        config: the configuration; its patterns say what is expected.
        data: its main ensemble, as `simulate_config` gives it.
        drawn: the parameters that its histories have; None: as configured. With those of a posterior the predictive
            band decides.

    Returns:
        One verdict a pattern, in order; `holds` is None unless the scenario is the baseline.

    Raises:
        UserError: a pattern names a measure that does not exist.
    """
    evidence = Evidence(config, data, drawn_of(config) if drawn is None else drawn)
    return tuple(verdicts_on(evidence, config.patterns))


def verdicts_on(evidence: Evidence, patterns: Iterable[Pattern]) -> Iterator[Verdict]:
    """Judge some patterns, one after another, as `judge` does."""
    for pattern in patterns:
        verdict = _verdict(evidence, pattern)
        yield verdict if described(evidence.config) else _silent(verdict)


def at_once(pattern: Pattern) -> bool:
    """Whether a pattern is judged on the main ensemble alone, so that no further histories are lived."""
    return pattern.measure in OF_THE_MAIN


def described(config: Config) -> bool:
    """Whether the patterns speak of this scenario."""
    return config.scenario.name == BASELINE


def judge_whatever(config: Config, data: "xr.Dataset", drawn: Drawn = DEFAULTS) -> tuple[Verdict, ...]:
    """The same for any scenario, verdict included: how a departure breaks the patterns."""
    evidence = Evidence(config, data, drawn)
    return tuple(_verdict(evidence, pattern) for pattern in config.patterns)


def _verdict(evidence: Evidence, pattern: Pattern) -> Verdict:
    if pattern.measure not in MEASURES:
        raise UserError(f"patterns.{pattern.id}.measure", pattern.measure, one_of(MEASURES, pattern.measure))
    about = (pattern.id, pattern.text, pattern.kind, pattern.judged, pattern.figure)
    try:
        found = MEASURES[pattern.measure](evidence, pattern)
    except UnmeasurableError as why:
        return Verdict(*about, f"not measured: {why}", "", None)
    if evidence.drawn.columns and pattern.measure in OF_ONE_HISTORY:
        found = banded(found)
    return Verdict(*about, *found)


def banded(found: Finding) -> Finding:
    """The same, judged by the predictive band: what was reported must not be of the rarest that is predicted."""
    return found._replace(
        tolerance=f"predicted with {BAND_TAIL:.0%} or more ({found.tolerance} at one set of numbers)",
        holds=found.share >= BAND_TAIL,
    )


def _silent(verdict: Verdict) -> Verdict:
    return replace(verdict, holds=None)
