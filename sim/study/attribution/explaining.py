"""`explain outcome=...`: the game that is asked for, composed and checked."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.study.attribution.attributed import Attribution, Share, attribution
from sim.study.attribution.game import Game, freed_after_deaths, measured, players_of
from sim.study.comparison.arms import kept, pinned_words
from sim.study.comparison.points import PRIOR, points_of, source_of, without
from sim.study.provenance import provenance
from sim.study.request import Request, override_texts
from sim.study.simulation import Override
from sim.study.summary import PRIOR_DRIVEN
from sim.world.checks import Section
from sim.world.errors import UserError
from sim.world.scenario import DEFAULTS, Config, load
from sim.world.schema import STUDY_KEYS

OUTCOME: Final = "lull_days"
DRAWS: Final = 64
RUNS: Final = 16
"""Draws, and runs of each draw and coalition, where nothing is said: with twelve mechanisms 4.2 million histories."""
PRIOR_DRAWS: Final = 1000
"""Draws of the priors at which what assumptions decide is told beside the shares; `RUNS` histories of each."""
MOST_DRAWS: Final = 100_000
MOST_HISTORIES: Final = 10**9


@dataclass(frozen=True)
class Explaining:
    """An attribution as it was asked for: nothing is lived yet. `held` are keys that are set and never drawn."""

    config: Config
    game: Game
    source: str
    held: Collection[str]

    @property
    def pinned(self) -> str:
        """What is pinned, in words."""
        return pinned_words(self.game.scenario, self.game.scenario.free_from)

    def live(self, progress: Callable[[int], None] | None = None) -> Attribution:
        """Live every coalition and share out."""
        found = attribution(self.game, self.game.values(self.config.threads, progress))
        return replace(found, before=self._before())

    def _before(self) -> float | None:
        """What assumptions alone make of the outcome: its mean with all mechanisms at draws of the priors.

        None where the outcome does not hang on assumptions alone, or where the shares are those of the priors anyway.
        """
        if self.game.measured.name not in PRIOR_DRIVEN or self.source == PRIOR:
            return None
        drawn = points_of(PRIOR, PRIOR_DRAWS, self.game.seed, self.game.scenario.cast)
        whole = replace(self.game, players=(), design=without(drawn, self.held), runs=RUNS)
        return float(whole.values(self.config.threads).mean())


def explain(
    outcome: str = OUTCOME,
    *,
    scenario: str = "article",
    mechanisms: Sequence[str] | None = None,
    draws: int | None = None,
    runs: int | None = None,
    seed: int = 1,
    parameters: str | None = None,
    overrides: Mapping[str, Override] | Sequence[str] = (),
    threads: int = 0,
    config_dir: Path | str | None = None,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Share an outcome out among the mechanisms that are at work in a scenario.

    Args:
        outcome: any outcome. Days on which a thing may never happen and heavy-tailed ones are told by the chance that
            they happen at all.
        scenario: name of a scenario file.
        mechanisms: those that play; None takes all that are at work. The others stay as they are.
        draws: draws of the parameters; None takes 64 where they are drawn.
        runs: histories of each draw in each coalition; None takes 16.
        seed: study seed.
        parameters: `posterior`, `prior` or `defaults`; None takes the posterior.
        overrides: configuration keys and values.
        threads: 0 uses every core. The result does not depend on it.
        config_dir: a folder with scenario files of your own.
        progress: called with numbers of finished histories.

    Returns:
        Dataset over mechanism (shares with errors and spreads over the draws) and coalition (mean outcome by draw).

    Raises:
        UserError: something asked for cannot be used; one line.
    """
    given = {"study.draws": draws, "study.runs": runs, "seed": seed, "engine.threads": threads, "scenario": scenario}
    folder = None if config_dir is None else Path(config_dir)
    asked = _prepared(outcome, mechanisms, parameters, tuple(override_texts(overrides, given)), folder)
    return dataset_of(asked, asked.live(progress))


def prepare(request: Request) -> Explaining:
    """Read and check what a command asks to be shared out.

    Raises:
        UserError: something in it cannot be used; one line.
    """
    outcome, rest = request.taking("outcome")
    listed, rest = rest.taking("mechanisms")
    source, rest = rest.taking("parameters")
    mechanisms = None if listed is None else [one.strip() for one in listed.strip(" []").split(",")]
    return _prepared(outcome or OUTCOME, mechanisms, source, rest.overrides, rest.config_dir)


def _prepared(
    outcome: str,
    mechanisms: Sequence[str] | None,
    source: str | None,
    overrides: tuple[str, ...],
    config_dir: Path | None,
) -> Explaining:
    source = source_of(source)
    config = load(overrides, config_dir)
    section = Section("study", config.tree["study"], STUDY_KEYS)
    asked = None if section.raw("draws", "") is None else section.whole("draws", 1, MOST_DRAWS)
    draws = asked or (1 if source == DEFAULTS else DRAWS)
    told = any(one.partition("=")[0] == "study.runs" for one in overrides)
    points = points_of(source, draws, config.seed, config.scenario.cast)
    held = kept(config, overrides)
    game = Game(
        scenario=freed_after_deaths(config.scenario),
        players=players_of(config.scenario, mechanisms),
        measured=measured(outcome),
        design=without(points, held),
        runs=config.runs if told else RUNS,
        seed=config.seed,
    )
    if game.histories > MOST_HISTORIES:
        raise UserError("study.runs", game.runs, f"fewer: {game.histories:,} histories, {MOST_HISTORIES:,} at most")
    return Explaining(config, game, source, held)


SHARES: Final = ("shapley", "alone", "but_for")
LABELS: Final = {
    "shapley": "fair share: Shapley value",
    "alone": "brought where no other mechanism is at work",
    "but_for": "lost where only this mechanism is missing",
}


def dataset_of(asked: Explaining, found: Attribution) -> xr.Dataset:
    """The attribution as a labelled Dataset: shares over mechanism, outcome means over coalition and draw."""
    game = asked.game
    coalitions = [coalition_name(game.players, bits) for bits in range(len(found.values))]
    data = xr.Dataset(
        {"mean_by_coalition": (("coalition", "draw"), found.values.mean(axis=2))},
        {"mechanism": list(game.players), "coalition": coalitions},
    )
    data["mean_by_coalition"].attrs = {"units": game.measured.unit, "long_name": game.measured.words}
    for name in SHARES:
        shares = [getattr(one, name) for one in found.shares]
        for part in ("mean", "error", "low", "high"):
            label = name if part == "mean" else f"{name}_{part}"
            data[label] = ("mechanism", np.array([_number(one, part) for one in shares]))
            data[label].attrs = {"units": game.measured.unit, "long_name": LABELS[name]}
    for name in ("none", "every", "total"):
        data.attrs[name] = getattr(found, name).mean
    if found.before is not None:
        data.attrs["every_under_priors"] = found.before
    return data.assign_attrs(provenance(asked.config)).assign_attrs(
        outcome=game.measured.name, words=game.measured.words, units=game.measured.unit, parameters=asked.source,
        draws=game.draws, runs=game.runs, pinned=asked.pinned,
    )  # fmt: skip


def _number(share: Share, part: str) -> float:
    value = getattr(share, part)
    return float("nan") if value is None else float(value)


def coalition_name(players: Sequence[str], bits: int) -> str:
    """A coalition by the names in it.

    >>> coalition_name(("fear", "major_response"), 2), coalition_name(("fear", "major_response"), 0)
    ('major_response', 'none')
    """
    there = [name for place, name in enumerate(players) if bits >> place & 1]
    return "+".join(there) or "none"


def share_rows(found: Attribution) -> list[dict[str, Any]]:
    """One row for each mechanism, by the size of its share."""
    return [
        {"mechanism": one.mechanism, **{
            name if part == "mean" else f"{name}_{part}": getattr(getattr(one, name), part)
            for name in SHARES for part in ("mean", "error", "low", "high")
        }}
        for one in found.ranked()
    ]  # fmt: skip
