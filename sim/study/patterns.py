"""The article's patterns, judged: what it reports, what the model gives, and whether that lies within the tolerance."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sim.study.evidence import Evidence, UnmeasurableError
from sim.study.measures import MEASURES
from sim.world.errors import UserError, one_of
from sim.world.patterns import Pattern
from sim.world.scenario import Config

if TYPE_CHECKING:
    import xarray as xr

BASELINE = "article"
"""The scenario that the patterns describe; others are measured alike but pass no verdict."""


@dataclass(frozen=True)
class Verdict:
    """One pattern judged. `holds` is None where it was not measured, or where patterns speak of another scenario."""

    id: str
    text: str
    kind: str
    judged: str
    article: str
    model: str
    tolerance: str
    holds: bool | None


def judge(config: Config, data: "xr.Dataset") -> tuple[Verdict, ...]:
    """Judge every pattern of a configuration.

    Args:
        config: the configuration; its patterns say what is expected.
        data: its main ensemble, as `simulate_config` gives it.

    Returns:
        One verdict a pattern, in order; `holds` is None unless the scenario is the baseline.

    Raises:
        UserError: a pattern names a measure that does not exist.
    """
    verdicts = judge_whatever(config, data)
    return verdicts if described(config) else tuple(_silent(one) for one in verdicts)


def described(config: Config) -> bool:
    """Whether the patterns speak of this scenario."""
    return config.scenario.name == BASELINE


def judge_whatever(config: Config, data: "xr.Dataset") -> tuple[Verdict, ...]:
    """The same for any scenario, verdict included: how a departure breaks the patterns."""
    evidence = Evidence(config, data)
    return tuple(_verdict(evidence, pattern) for pattern in config.patterns)


def _verdict(evidence: Evidence, pattern: Pattern) -> Verdict:
    if pattern.measure not in MEASURES:
        raise UserError(f"patterns.{pattern.id}.measure", pattern.measure, one_of(MEASURES, pattern.measure))
    about = (pattern.id, pattern.text, pattern.kind, pattern.judged, pattern.figure)
    try:
        return Verdict(*about, *MEASURES[pattern.measure](evidence, pattern))
    except UnmeasurableError as why:
        return Verdict(*about, f"not measured: {why}", "", None)


def _silent(verdict: Verdict) -> Verdict:
    return replace(verdict, holds=None)
