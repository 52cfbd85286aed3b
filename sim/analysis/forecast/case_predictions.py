"""Predictions for another case: the bundled posterior is carried over, one level refitted, quantities predicted.

Each simulated history has a draw of the posterior and a level, one factor on all baseline rates, from a log-uniform
prior. Its weight is the likelihood of what was observed of the case, given what the same history shows (importance
weighting). The weighted histories are then read for the quantities that the case declares, so a prediction is
conditioned on the observations and on the pinned events, and nothing else of the case is fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sim.analysis.calibration.posterior import CHUNK, LEAST_EFFECTIVE
from sim.analysis.forecast.case_settings import LEVEL, CaseSettings
from sim.engine.record import WAR_DAY, OutputSpec
from sim.experiment.dataset import ACKNOWLEDGED
from sim.experiment.parameter_sets import ParameterSets, carried_over
from sim.experiment.result_dir import source_hash, versions
from sim.experiment.runner import Arm, Experiment, Progress, chunks, joined
from sim.experiment.statistics import LEVELS, Array, effective_sample_size, finite, quantile
from sim.model.scenario import Config
from sim.model.validation import UserError

_SEED_WORD: Final = 0x6C766C63
"""Second word of the key that levels are drawn with."""
EVENTS: Final = ("quiet", "peace")
"""Kinds that are 1 or 0: their prediction is a probability."""


# --- the fit and what follows from it -----------------------------------------------------------------------


@dataclass(frozen=True)
class CasePredictions:
    """The histories (N,) with a weight, of all `histories`: draw and level of each, and by id the quantities it shows.

    The weights sum to 1. `so_far` (N, days) counts the acknowledged attacks up to the end of each day, after direct war
    no more. `agreeing` is the mean likelihood over all histories, the probability of the observations under the carried
    posterior and the prior of the level.
    """

    config: Config
    settings: CaseSettings
    draws: int
    draw: Array
    level: Array
    weights: Array
    values: Mapping[str, Array]
    so_far: Array
    histories: int
    agreeing: float

    @property
    def effective(self) -> float:
        """Effective sample size of the histories."""
        return effective_sample_size(self.weights)

    @property
    def effective_draws(self) -> float:
        """Effective number of posterior draws among them."""
        return effective_sample_size(np.bincount(self.draw, self.weights))


def predict_case(
    config: Config, settings: CaseSettings, histories: int, progress: Progress | None = None
) -> CasePredictions:
    """Refit the level and predict.

    Args:
        config: the case; a parameter that it moves from its default stays as it is, all others are drawn.
        settings: what is observed and asked.
        histories: simulated histories, each with its own level.
        progress: called with numbers of finished histories.

    Raises:
        UserError: hardly any history agrees with the observations, or there is no posterior.
    """
    scenario, posterior = config.scenario, carried_over()
    columns = {key: one for key, one in ParameterSets(posterior.columns).design(scenario).items() if key != LEVEL}
    wanted = (*(one.quantity for one in settings.observations), *settings.quantities)
    arm = Arm(scenario, days=1 + max(one.last for one in wanted))
    spec = OutputSpec(daily=True, weekly=False, lags=False)
    experiment = Experiment((arm,), config.seed, wanted=spec, threads=config.threads)

    def make(part: range, done: Progress | None) -> dict[str, Array]:
        rows = np.arange(part.start, part.stop)
        source = np.random.Philox(key=[config.seed, _SEED_WORD], counter=[0, 0, 0, part.start])
        level = settings.low * (settings.high / settings.low) ** np.random.Generator(source).random(len(rows))
        values = {key: one[rows % posterior.draws] for key, one in columns.items()} | {LEVEL: level}
        output = experiment.simulate(sets=rows, values=values, progress=done)
        attacks, war = output.daily[..., ACKNOWLEDGED], output.rows[:, WAR_DAY]
        weights = np.ones(len(rows))
        for one in settings.observations:
            number = one.quantity.found(attacks, war)
            likely = one.reading.pmf(np.nan_to_num(number, nan=-1.0), np.zeros(len(rows)), one.reading.observed)
            weights *= np.where(np.isnan(number), 0.0, likely)
        kept = weights > 0.0
        attacks, war = attacks[kept], war[kept]
        return {
            "draw": rows[kept] % posterior.draws,
            "level": level[kept],
            "weights": weights[kept],
            "so_far": attacks.sum(axis=2).cumsum(axis=1, dtype=np.uint16),
            **{f"={one.id}": one.found(attacks, war) for one in settings.quantities},
        }

    made = joined(chunks(histories, CHUNK, make, progress))
    weights = made["weights"]
    if (size := effective_sample_size(weights)) < LEAST_EFFECTIVE:
        raise UserError(
            "case.histories", histories,
            f"more, or another level or other observations: only {size:.0f} effective histories agree with them",
        )  # fmt: skip
    values = {name[1:]: one for name, one in made.items() if name.startswith("=")}
    return CasePredictions(
        config, settings, posterior.draws, made["draw"], made["level"], weights / weights.sum(), values,
        made["so_far"], histories, float(weights.sum() / histories),
    )  # fmt: skip


def summarise(values: Array, weights: Array) -> dict[str, float | None]:
    """Quantiles of weighted values (N,); None beyond the last day, and everywhere where no history has a value.

    >>> summarise(np.array([1.0, np.inf]), np.array([0.9, 0.1]))["q95"] is None
    True
    """
    known = ~np.isnan(values) & (weights > 0.0)
    if not known.any():
        return dict.fromkeys(LEVELS)
    found = quantile(values[known], list(LEVELS.values()), weights=weights[known] / weights[known].sum())
    return {name: finite(one) for name, one in zip(LEVELS, found, strict=True)}


def error_of_probability(values: Array, weights: Array, draw: Array) -> float:
    """Monte Carlo error of a weighted share of values (N,) that are 1 or 0, clustered by the draw that histories share.

    >>> error_of_probability(np.array([1.0, 1.0, 0.0, 0.0]), np.full(4, 0.25), np.array([0, 0, 1, 1])).__round__(3)
    0.354
    """
    known = np.nan_to_num(values)
    share = float((weights * known).sum())
    return float(np.sqrt((np.bincount(draw, weights * (known - share)) ** 2).sum()))


def prediction_rows(found: CasePredictions) -> list[dict[str, Any]]:
    """One row for each quantity: dates, quantiles or a probability with its Monte Carlo error, and what war cuts.

    `none` is the share of histories without an attack on these days, in which days to an attack are right-censored;
    `war` is the share that direct war cuts and that all else leaves out.
    """
    calendar, rows = found.config.scenario.calendar, []
    for one in found.settings.quantities:
        values, event = found.values[one.id], one.of in EVENTS
        kept = np.where(np.isnan(values), 0.0, found.weights)
        total = float(kept.sum())
        weights = kept / total if total else kept
        empty = np.isinf(values) if one.of == "days_to_attack" else values == 0.0
        rows.append({
            "quantity": one.id,
            "text": one.text,
            "of": one.of,
            "from": calendar.date_of(one.first).isoformat(),
            "to": calendar.date_of(one.last).isoformat(),
            **(dict.fromkeys(LEVELS) if event else summarise(values, found.weights)),
            "probability": float(weights[values == 1.0].sum()) if event and total else None,
            "error": error_of_probability(values, weights, found.draw) if event and total else None,
            "none": None if event or not total else float(weights[empty].sum()),
            "war": float(found.weights[np.isnan(values)].sum()),
        })  # fmt: skip
    return rows


def prediction_record(found: CasePredictions) -> dict[str, Any]:
    """All that `predictions.json` holds: the condition, the fit, and one entry for each quantity."""
    scenario, settings = found.config.scenario, found.settings
    pins = [f"{one.id}, {scenario.calendar.date_of(one.first)}" for one in scenario.pins]

    def entry(row: Mapping[str, Any]) -> dict[str, Any]:
        ends = {"interval_50": [row["q25"], row["q75"]], "interval_90": [row["q05"], row["q95"]]}
        rest = {name: one for name, one in row.items() if name not in LEVELS or name == "median"}
        return rest | ({} if row["of"] in EVENTS else ends)

    return {
        "scenario": scenario.name,
        "question": scenario.question,
        "condition": "given the observations, the pinned events, and no direct war by the last day of the quantity",
        "pinned": pins,
        "seed": found.config.seed,
        "histories": found.histories,
        "posterior_draws": found.draws,
        "effective_sample_size": found.effective,
        "effective_draws": found.effective_draws,
        "probability_of_observations": found.agreeing,
        "version": versions()["lull-sim"],
        "source_hash": source_hash(),
        "level": {
            "parameter": LEVEL,
            "prior": f"log-uniform, {settings.low:g} to {settings.high:g}",
            **summarise(found.level, found.weights),
        },
        "observations": [
            {"text": one.quantity.text, "likelihood": one.reading.words, "source": one.source}
            for one in settings.observations
        ],
        "predictions": [entry(row) for row in prediction_rows(found)],
    }
