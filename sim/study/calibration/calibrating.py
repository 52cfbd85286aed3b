"""`calibrate`: the whole calibration, from settings to what is shown and kept."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.balance import Balance, prior_balance
from sim.study.calibration.again import Agreement, agreements, rejected
from sim.study.calibration.bank import Bank, Prior, fill
from sim.study.calibration.conscience import Checked, check, confirmed
from sim.study.calibration.diagnostics import pareto_k
from sim.study.calibration.planted import REGIONS, Ranked, Spread, rank
from sim.study.calibration.posterior import Posterior, accepted, posterior_of
from sim.study.calibration.predictive import Ahead, Predicted, predicted, prior_draws
from sim.study.calibration.rival import (
    Leaning,
    Needed,
    Reading,
    Story,
    calm_of,
    counterfactuals,
    leanings,
    needed,
    readings_of,
    stories,
    usable,
    weigh,
)
from sim.study.calibration.settings import Settings, settings_of
from sim.study.calibration.shipped import Shipped
from sim.study.calibration.varied import Varied, varied
from sim.study.calibration.verdicts import Quantity, quantities_of
from sim.study.drawn import Drawn
from sim.study.patterns import described
from sim.study.provenance import versions
from sim.study.sweep.identity import deciding_hash
from sim.world.scenario import Config, load

Array = npt.NDArray[Any]
Advance = Callable[[int], None]

PLANTS_FOR_EACH: Final = 120
"""Planted histories for each data set to be checked: few of them look like the documented one."""
LEAST_REJECTED: Final = 100
"""Fewer draws than this of the second method are not worth comparing."""
_BEFORE: Final = 20_000
"""Draws of the prior that are looked through for the calm."""


@dataclass(frozen=True)
class Conscience:
    """What planted truths say of the method: ranks and judgements by region."""

    ranked: Mapping[str, Ranked]
    checked: Mapping[str, tuple[Checked, ...]]


@dataclass(frozen=True)
class Rivals:
    """Rival readings: their odds, under the declared and under wider priors, what hangs on priors, stories by draw.

    Empty where there are no channels, no patterns of the calm, or too few draws for any to agree with the figures.
    """

    readings: tuple[Reading, ...] = ()
    widened: tuple[Reading, ...] = ()
    leanings: tuple[Leaning, ...] = ()
    needed: tuple[Needed, ...] = ()
    stories: tuple[Story, ...] = ()
    balance: tuple[Balance, ...] = ()


@dataclass(frozen=True)
class Calibration:
    """Everything that a calibration gives. `kept` are unweighted draws: rows of the bank and values by key."""

    config: Config
    settings: Settings
    posterior: Posterior
    pareto: float
    conscience: Conscience
    quantities: tuple[Quantity, ...]
    agreements: tuple[Agreement, ...]
    again: int
    varied: tuple[Varied, ...]
    rivals: Rivals
    predicted: tuple[Predicted, ...]
    ahead: tuple[Ahead, ...]
    kept: Shipped


def calibrate(
    overrides: Sequence[str] = (), *, config_dir: Path | str | None = None, progress: Advance | None = None
) -> Calibration:
    """Calibrate the configuration that overrides make.

    Args:
        overrides: as on the command line, such as `calibration.draws=1e6`.
        config_dir: a folder with files of your own.
        progress: called with numbers of finished histories.

    Raises:
        UserError: the configuration cannot be used, or the figures leave too few draws.
    """
    config = load(overrides, config_dir)
    return calibrated(config, settings_of(config, overrides), overrides, progress)


def calibrated(
    config: Config, settings: Settings, overrides: Sequence[str] = (), progress: Advance | None = None
) -> Calibration:
    """The same for a configuration that was already composed."""
    bank = fill(prior_of(config, settings), settings.figures, settings.draws, config.threads, progress)
    posterior = posterior_of(bank)
    conscience = examined(config, settings, bank, progress=progress)
    quantities = quantities_of(posterior, conscience.checked)
    compared, again = by_rejection(config, settings, posterior, quantities, progress)
    kept = keep(config, settings, posterior, overrides)
    drawn = Drawn(kept.columns)
    patterns, ahead = predicted(config, settings.figures, prior_draws(bank), drawn, settings.predictive_runs)
    return Calibration(
        config=config,
        settings=settings,
        posterior=posterior,
        pareto=pareto_k(posterior.weights),
        conscience=conscience,
        quantities=quantities,
        agreements=compared,
        again=again,
        varied=varied(bank, quantities),
        rivals=weighed(config, settings, bank, kept.rows, progress),
        predicted=patterns,
        ahead=ahead,
        kept=kept,
    )


def prior_of(config: Config, settings: Settings, purpose: str = "") -> Prior:
    """The prior of a configuration; each purpose has a seed of its own, the bank the configured one."""
    return Prior(config.scenario, settings.keys, config.seed if not purpose else seed_for(config.seed, purpose))


def seed_for(seed: int, purpose: str) -> int:
    """A seed for one purpose that shares nothing with the others."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest())


def examined(
    config: Config,
    settings: Settings,
    bank: Bank,
    spread: Spread | None = None,
    progress: Advance | None = None,
    purpose: str = "planted truths",
) -> Conscience:
    """Plant truths and rank them among draws of their posteriors, anywhere and near the documented data.

    What something speaks against is looked at once more, with other truths; what is told of it is the second look. A
    `spread` is for controls: they get one look.
    """
    ranked = planted(config, settings, bank, spread, progress, purpose)
    checked = {region: check(one) for region, one in ranked.items()}
    if spread is None and not all(one.sound for region in checked.values() for one in region):
        second = planted(config, settings, bank, None, None, f"{purpose}, again")
        checked = {region: confirmed(found, check(second[region])) for region, found in checked.items()}
    return Conscience(ranked, checked)


def planted(
    config: Config, settings: Settings, bank: Bank, spread: Spread | None, progress: Advance | None, purpose: str
) -> dict[str, Ranked]:
    """Ranks of truths among draws of their posteriors by region; each purpose has truths of its own."""
    prior = prior_of(config, settings, purpose)
    plants = fill(prior, settings.figures, plants_of(settings), config.threads, progress)
    ranked = {}
    for place, region in enumerate(REGIONS):
        generator = np.random.default_rng([seed_for(config.seed, purpose), place])
        ranked[region] = rank(bank, plants, region, settings.truths, generator, spread)
    return ranked


def by_rejection(
    config: Config, settings: Settings, posterior: Posterior, quantities: Sequence[Quantity], progress: Advance | None
) -> tuple[tuple[Agreement, ...], int]:
    """The second method beside the first, and how many draws it left; nothing where it is switched off."""
    if not settings.again_draws:
        return (), 0
    prior = prior_of(config, settings, "rejection")
    bank = fill(prior, settings.figures, settings.again_draws, config.threads, progress)
    rows = rejected(bank, prior.seed)
    found = agreements(posterior, bank, rows, quantities) if len(rows) >= LEAST_REJECTED else ()
    return found, len(rows)


def weighed(config: Config, settings: Settings, bank: Bank, rows: Array, progress: Advance | None = None) -> Rivals:
    """Rival readings weighed, and the kept draws lived again without each of their channels."""
    channels, calm = settings.channels, calm_of(config.patterns)
    if not channels or not settings.rival_draws or calm is None:
        return Rivals()
    declared = weigh(bank, channels, settings.rival_draws, config.threads, progress)
    wide = frozenset(settings.widened) & frozenset(settings.keys)
    wider = weigh(bank, channels, settings.rival_draws // 2, config.threads, progress, wide) if wide else None
    if not usable(declared):
        return Rivals()
    before = counterfactuals(bank.prior, np.arange(min(bank.size, _BEFORE)), channels, calm, config.threads)
    after = counterfactuals(bank.prior, rows, channels, calm, config.threads)
    return Rivals(
        readings=readings_of(declared),
        widened=readings_of(wider) if wider is not None and usable(wider) else (),
        leanings=leanings(declared),
        needed=needed(before, after, channels),
        stories=stories(before, after, channels),
        balance=prior_balance(config) if described(config) else (),
    )


def keep(config: Config, settings: Settings, posterior: Posterior, overrides: Sequence[str]) -> Shipped:
    """Unweighted draws of the posterior, at most as many as are to be kept, with where they come from."""
    generator = np.random.default_rng(seed_for(config.seed, "kept"))
    places = generator.permutation(accepted(posterior.weights, generator))[: settings.kept]
    rows, columns = posterior.rows[places], posterior.values()
    return Shipped(
        columns={key: one[places] for key, one in columns.items()},
        numbers={one.id: posterior.bank.numbers[one.id][rows] for one in settings.figures},
        rows=rows,
        about=about(config, settings, posterior, overrides, len(rows)),
    )


def about(
    config: Config, settings: Settings, posterior: Posterior, overrides: Sequence[str], draws: int
) -> dict[str, Any]:
    """Where a posterior comes from, fit for JSON."""
    return {
        "scenario": config.scenario.name,
        "overrides": [one for one in overrides if one.partition("=")[0].partition(".")[0] not in ("output", "engine")],
        "seed": str(config.seed),
        "bank": posterior.bank.size,
        "effective": round(posterior.effective, 1),
        "draws": draws,
        "figures": {
            one.id: {"text": one.text, "source": one.source, "read_as": one.reading.words} for one in settings.figures
        },
        "wings": list(config.scenario.cast.wings),
        "deciding_hash": deciding_hash(),
        "versions": versions(),
    }


def plants_of(settings: Settings) -> int:
    """Histories that truths are planted in."""
    return max(settings.truths * PLANTS_FOR_EACH, 2000)


def histories(settings: Settings) -> int:
    """Histories that a calibration lives, for the bar that shows how far it is."""
    readings = 2 ** len(settings.channels) if settings.channels else 0
    wide = settings.rival_draws // 2 if settings.widened else 0
    return settings.draws + plants_of(settings) + settings.again_draws + readings * (settings.rival_draws + wide)
