"""A report as it was asked for: composed and checked before anything is lived."""

from dataclasses import dataclass, replace
from typing import Final

from sim.study.attribution.explaining import Explaining
from sim.study.attribution.explaining import prepare as prepare_explaining
from sim.study.comparison.comparing import COMMON_DAY, OWN_DAY, Comparison, taking_own
from sim.study.comparison.comparing import prepare as prepare_comparison
from sim.study.comparison.listed import KEY, entries, listed
from sim.study.comparison.points import USUAL
from sim.study.report.evidence import Evidence, evidence_of
from sim.study.report.settings import PREFIX, Settings, settings_of
from sim.study.request import Request
from sim.world.errors import UserError
from sim.world.scenario import DEFAULTS, Config

DRAWS: Final = 200
RUNS: Final = 250
"""Draws of the comparison and histories of each draw and arm, where nothing is said."""


@dataclass(frozen=True)
class Asked:
    """What is to be lived for a report: scenarios compared, the baseline explained."""

    settings: Settings
    comparison: Comparison
    explaining: Explaining
    evidence: Evidence

    @property
    def config(self) -> Config:
        """The configuration of the baseline."""
        return self.comparison.config

    @property
    def histories(self) -> int:
        """Number of histories, for the bar that shows how far it is."""
        return self.comparison.plan.histories + self.explaining.game.histories


def prepare(request: Request) -> Asked:
    """Read and check a report.

    Raises:
        UserError: something in it cannot be used; one line.
    """
    settings, rest = settings_of(request)
    text, common = rest.taking(KEY)
    if text is None:
        raise UserError(KEY, "(missing)", "a list such as [article,no_us_strikes,no_restraint]")
    own, common = taking_own(common)
    if own.get("departures", COMMON_DAY) == OWN_DAY:
        raise UserError("compare.departures", OWN_DAY, f"{COMMON_DAY}: a report has one baseline for all pairs")
    comparison = prepare_comparison(_sized(rest))
    explaining = _explained(common, entries(text)[0], settings)
    return Asked(settings, comparison, explaining, evidence_of(comparison.config.scenario.cast))


def _sized(request: Request) -> Request:
    """The comparison with the sizes of a report where the user says nothing."""
    source = request.taking("parameters")[0] or USUAL
    if source == DEFAULTS:
        return request
    said = {one.partition("=")[0] for one in request.overrides}
    usual = {"study.draws": DRAWS, "study.runs": RUNS}
    added = (f"{key}={value}" for key, value in usual.items() if key not in said)
    return replace(request, overrides=(*request.overrides, *added))


def _explained(common: Request, baseline: str, settings: Settings) -> Explaining:
    """The attribution of the outcome in the baseline."""
    entry = listed(baseline)
    if entry.moves:
        raise UserError(KEY, entry.label, "a baseline whose events stay on their days: its outcome is to be explained")
    source = common.taking("parameters")[0] or USUAL
    single = source == DEFAULTS
    draws, runs = settings.share_draws, settings.share_runs
    overrides = [one for one in common.overrides if not one.startswith("study.")]
    overrides += [f"scenario={entry.scenario}", *entry.changes, f"outcome={settings.outcome}"]
    overrides += [f"study.draws={1 if single else draws}", f"study.runs={draws * runs if single else runs}"]
    if settings.mechanisms is not None:
        overrides.append(f"mechanisms={settings.mechanisms}")
    try:
        return prepare_explaining(replace(common, verb="explain", overrides=tuple(overrides)))
    except UserError as mistake:
        named = {"mechanisms": f"{PREFIX}mechanisms", "study.runs": f"{PREFIX}share_runs"}
        raise UserError(named.get(mistake.key, mistake.key), mistake.value, mistake.allowed) from None
