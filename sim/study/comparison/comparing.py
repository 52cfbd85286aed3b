"""`compare`: scenarios side by side, from Python and for the command."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
import yaml

from sim.study.comparison.arms import arms_of
from sim.study.comparison.beside import add_prior
from sim.study.comparison.labelled import WORST, dataset_of
from sim.study.comparison.listed import KEY, entries
from sim.study.comparison.lived import Plan, live
from sim.study.comparison.measures import Measure, measures_of
from sim.study.comparison.points import PRIOR, points_of, source_of
from sim.study.request import Request, override_texts
from sim.study.simulation import Override
from sim.study.sweep.identity import short_hash
from sim.world.checks import Section
from sim.world.errors import UserError, one_of
from sim.world.scenario import DEFAULTS, Config
from sim.world.schema import STUDY_KEYS

VERB: Final = "compare"
PREFIX: Final = "compare."
KEYS: Final = ("war_loss", "departures")
COMMON_DAY: Final = "common"
OWN_DAY: Final = "own"
MOST_DRAWS: Final = 100_000
DRAWS: Final = 200
RUNS: Final = 500
"""Draws, and runs of each, where nothing is said and parameters are drawn."""
OWN_KEYS: Final = ("runs", "draws", "most_runs")
"""Keys of a study that a comparison reads, or that mean nothing to it at their default."""


@dataclass(frozen=True)
class Comparison:
    """A comparison as it was asked for, composed and checked: nothing is lived yet."""

    plan: Plan
    source: str

    @property
    def config(self) -> Config:
        """The configuration of the baseline, which also holds what is common to all."""
        return self.plan.arms[0].config

    @property
    def distinct(self) -> int:
        """How many different draws there are: a posterior with fewer draws than were asked for comes round again."""
        columns = list(self.plan.points.values())
        return len(np.unique(np.stack(columns), axis=1).T) if columns else 1

    @property
    def identity(self) -> str:
        """A short name that the same scenarios and draws always have."""
        about: dict[str, Any] = {"scenarios": [arm.label for arm in self.plan.arms], "parameters": self.source}
        own = {"war_loss": dict(self.plan.war_loss), "apart": self.plan.apart}
        return short_hash(about | {key: value for key, value in own.items() if value})

    def live(self, progress: Callable[[int], None] | None = None) -> xr.Dataset:
        """Live it.

        Raises:
            UserError: it would not fit into the free memory.
        """
        data = dataset_of(self.plan, live(self.plan, progress), self.source)
        if self.source != PRIOR:
            add_prior(data, self.plan)
        return data


def compare(
    scenarios: Sequence[str],
    *,
    draws: int | None = None,
    runs: int | None = None,
    seed: int = 1,
    parameters: str | None = None,
    war_loss: Mapping[str, float] | None = None,
    departures: str = COMMON_DAY,
    overrides: Mapping[str, Override] | Sequence[str] = (),
    threads: int = 0,
    config_dir: Path | str | None = None,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Compare scenarios under the same luck: every other one with the first, run by run.

    Args:
        scenarios: two or more, the first the baseline. An entry names a scenario, perhaps with changes after
            semicolons: `article;target.quiet_days=5`, or `article;february_strikes@2024-01-20` to move an event.
        draws: draws of the parameters; None takes 200 where they are drawn.
        runs: histories of each draw and arm; None takes 500, or the configured number with a single draw.
        seed: study seed.
        parameters: `posterior` draws what was fitted from the posterior that comes with the package, `prior` every
            parameter that has a prior, `defaults` takes the declared values; None takes the posterior. What a scenario
            or `overrides` set stays as they set it.
        war_loss: by measure the value that a history with war counts as where scenarios are ranked, such as
            `{"attacks_after": 500}`; of all others such a history is worst.
        departures: `common` frees history in all scenarios on the day on which the earliest departs; `own` frees it in
            each pair on the day on which that pair departs, so that the baselines differ and are named by their day.
        overrides: what holds for all scenarios.
        threads: 0 uses every core. The result does not depend on it.
        config_dir: a folder with scenario files of your own.
        progress: called with numbers of finished histories.

    Returns:
        Dataset over (comparison, measure), with draws and regrets; `docs/compare.md` explains it. `unit` gives the unit
        of each measure.

    Raises:
        UserError: something asked for cannot be used; one line.
    """
    given = {"study.draws": draws, "study.runs": runs, "seed": seed, "engine.threads": threads}
    folder = None if config_dir is None else Path(config_dir)
    texts = override_texts(overrides, given)
    return _prepared(scenarios, parameters, texts, folder, war_loss or {}, departures).live(progress)


def prepare(request: Request) -> Comparison:
    """Read and check a comparison.

    Raises:
        UserError: something in it cannot be used; one line.
    """
    text, rest = request.taking(KEY)
    if text is None:
        raise UserError(KEY, "(missing)", "a list such as [article,no_us_strikes,tight_leash]")
    source, rest = rest.taking("parameters")
    own, rest = taking_own(rest)
    stated = _stated(own["war_loss"]) if "war_loss" in own else {}
    departures = own.get("departures", COMMON_DAY)
    return _prepared(entries(text), source, rest.overrides, rest.config_dir, stated, departures)


def taking_own(request: Request) -> tuple[dict[str, str], Request]:
    """The texts of the keys `compare.*`, which belong to the verb, and the request without them.

    Raises:
        UserError: there is no such key.
    """
    given: dict[str, str] = {}
    for name in KEYS:
        text, request = request.taking(PREFIX + name)
        if text is not None:
            given[name] = text
    for one in request.overrides:
        key, _, value = one.partition("=")
        if key.lstrip("+").startswith(PREFIX):
            raise UserError(key, value, one_of(KEYS, key.lstrip("+").removeprefix(PREFIX), PREFIX))
    return given, request


def _stated(text: str) -> dict[str, Any]:
    """What is stated of the loss by war: `worst`, or values by measure.

    >>> _stated("{attacks_after: 500}"), _stated("worst")
    ({'attacks_after': 500}, {})
    """
    if text == WORST:
        return {}
    try:
        found = yaml.safe_load(text.replace(":", ": "))
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{PREFIX}war_loss", text, f"{WORST}, or values by measure such as {{attacks_after: 500}}")
    return {str(key): value for key, value in found.items()}


def _checked_losses(stated: Mapping[str, Any], measures: Sequence[Measure]) -> dict[str, float]:
    """What is stated, by measures that are ranked and that war cuts.

    Raises:
        UserError: there is no such measure, or a value is no finite number.
    """
    ranked = [one.name for one in measures if one.direction and one.cut]
    for key, value in stated.items():
        if key not in ranked:
            raise UserError(f"{PREFIX}war_loss.{key}", value, f"measures that war cuts: {one_of(ranked, key)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UserError(f"{PREFIX}war_loss.{key}", value, "a number in the unit of the measure")
    return {key: float(value) for key, value in stated.items()}


def _prepared(
    scenarios: Sequence[str], source: str | None, overrides: Sequence[str], config_dir: Path | None,
    stated: Mapping[str, Any], departures: str,
) -> Comparison:  # fmt: skip
    source = source_of(source)
    if departures not in (COMMON_DAY, OWN_DAY):
        raise UserError(f"{PREFIX}departures", departures, one_of((COMMON_DAY, OWN_DAY), departures))
    arms = arms_of(scenarios, overrides, config_dir)
    config = arms[0].config
    draws = _draws(config)
    drawn = source != DEFAULTS
    draws = draws or (DRAWS if drawn else 1)
    told = any(one.partition("=")[0] == "study.runs" for one in overrides)
    runs = RUNS if drawn and not told else config.runs
    if runs < 2:
        raise UserError("study.runs", runs, "2 or more: one pair says nothing of luck")
    points = points_of(source, draws, config.seed, config.scenario.cast)
    losses = _checked_losses(stated, measures_of(arms[0].scenario))
    apart = departures == OWN_DAY
    return Comparison(Plan(arms, points, draws, runs, config.seed, config.threads, losses, apart), source)


def _draws(config: Config) -> int | None:
    """How many draws are asked for; None where nothing is said.

    Raises:
        UserError: it is no number, or something is set that only other studies have.
    """
    section = Section("study", config.tree["study"], STUDY_KEYS)
    for name in STUDY_KEYS:
        if name not in OWN_KEYS and section.raw(name, "") is not None:
            raise UserError(f"study.{name}", section.raw(name, ""), "null; a comparison has study.draws and study.runs")
    return None if section.raw("draws", "") is None else section.whole("draws", 1, MOST_DRAWS)
