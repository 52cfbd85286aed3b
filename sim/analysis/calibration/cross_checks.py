"""Checks of a posterior: rejection ABC, sensitivity to single observations, posterior predictive of patterns.

- The same posterior by plain rejection, which shares nothing with importance weighting: another seed, so other
  parameters and other random numbers; every report is drawn, and what is not reported exactly as in the article is
  thrown away.
- The posterior with one figure left out, or read otherwise, from the same bank: what each figure does.
- Every pattern with its predictive probability, before and after, and how the lull ends: histories at draws of the
  prior and of the posterior, with new random numbers. How long the lull lasts and whether war comes, no observation
  shows: these are compared with their prior.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sim.analysis.calibration.identifiability import IDENTIFIED, NOT, Quantity
from sim.analysis.calibration.observations import AtLeast, Exact, Observation, Relative, Rounded
from sim.analysis.calibration.posterior import (
    LEAST_EFFECTIVE,
    Posterior,
    ReferenceTable,
    likelihood,
    reported,
    weighed,
    with_products,
)
from sim.analysis.calibration.sbc import reports
from sim.analysis.pattern_tests import judge
from sim.analysis.summary import PRIOR_DRIVEN, over_sets
from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.ensemble import simulate_config
from sim.experiment.parameter_sets import ParameterSets
from sim.experiment.statistics import (
    INTERVAL_90,
    Array,
    effective_sample_size,
    finite,
    midpoint_quantile,
    quantile,
    weighted_deviation,
)
from sim.model.scenario import Config

MEDIANS: Final = 0.25
"""Posterior standard deviations that the two medians may differ by."""
WIDTHS: Final = 0.25
"""Share by which the widths of the two intervals of nine in ten may differ."""
_THREE: Final = (0.05, 0.5, 0.95)


# --- rejection ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreement:
    """One quantity by both methods: medians apart in posterior standard deviations, widths as a ratio less 1."""

    name: str
    verdict: str
    median_shift_sd: float
    width_change: float

    @property
    def tested(self) -> bool:
        """Whether agreement is tested: only what is identified must come out alike."""
        return self.verdict == IDENTIFIED

    @property
    def passed(self) -> bool:
        """Whether both differences are within their limits."""
        return abs(self.median_shift_sd) <= MEDIANS and abs(self.width_change) <= WIDTHS


def rejected(bank: ReferenceTable, seed: int) -> Array:
    """Rows of a bank whose every report, drawn by chance, is the one of the article."""
    observed = reports(bank, np.random.default_rng(seed))
    same = np.ones(bank.size, dtype=bool)
    for one in bank.figures:
        same &= observed[one.id] == one.reading.observed
    return np.flatnonzero(same)


def agreements(
    posterior: Posterior, bank: ReferenceTable, rows: Array, quantities: Sequence[Quantity]
) -> tuple[Agreement, ...]:
    """Compare the weighted posterior with the rows of another bank that rejection left."""
    mine, others = with_products(posterior.values()), with_products(bank.prior.values(rows))
    found = []
    for one in quantities:
        values = mine[one.quantity]
        low, middle, high = midpoint_quantile(values, posterior.weights, _THREE)
        other_low, other_middle, other_high = quantile(others[one.quantity], _THREE)
        shift = float((other_middle - middle) / weighted_deviation(values, posterior.weights))
        width = float((other_high - other_low) / (high - low) - 1.0)
        found.append(Agreement(one.quantity, one.verdict, shift, width))
    return tuple(found)


# --- sensitivity to the data --------------------------------------------------------------------------------

MISJUDGED: Final = 0.05
"""How far a reporter misjudges a rounded count where that reading is tried."""
MOST_ROWS: Final = 50_000
"""Rows that are more than enough for an interval."""


@dataclass(frozen=True)
class DataVariation:
    """One variation: what was changed, effective draws, and the interval of nine in ten of each quantity shown."""

    change: str
    effective: float
    evidence: float
    intervals: dict[str, tuple[float, ...]]


def varied(bank: ReferenceTable, quantities: Sequence[Quantity]) -> tuple[DataVariation, ...]:
    """The posterior as it is, without each figure, and with each rounded figure read in other ways.

    Intervals are given for what is identified or weakly so with all figures. A variation that leaves too few draws is
    left out.
    """
    names = [one.quantity for one in quantities if one.verdict != NOT]
    found = []
    for change, figures in _variations(bank.figures):
        weights = likelihood(figures, bank.numbers, bank.chance, reported(figures))
        effective = effective_sample_size(weights)
        if effective < LEAST_EFFECTIVE:
            continue
        posterior = _thinned(bank, weights)
        values = with_products(posterior.values())
        intervals = {
            name: tuple(midpoint_quantile(values[name], posterior.weights, INTERVAL_90).tolist()) for name in names
        }
        found.append(DataVariation(change, effective, float(weights.mean()), intervals))
    return tuple(found)


def _variations(figures: Sequence[Observation]) -> Iterator[tuple[str, tuple[Observation, ...]]]:
    """Each variation in words, with the figures that are left."""
    yield "as it is", tuple(figures)
    for place, one in enumerate(figures):
        before, after = figures[:place], figures[place + 1 :]
        if before or after:
            yield f"without {one.id}", (*before, *after)
        if type(one.reading) is Rounded:
            value, step = one.reading.value, one.reading.step
            others = {"exact": Exact(value), "at_least": AtLeast(value), "relative": Relative(value, step, MISJUDGED)}
            for name, reading in others.items():
                yield f"{one.id} read as {name}", (*before, replace(one, reading=reading), *after)


def _thinned(bank: ReferenceTable, weights: Array) -> Posterior:
    """The posterior of weights, from the first rows alone where they are many."""
    rows = np.flatnonzero(weights)
    if len(rows) > MOST_ROWS:
        weights = np.where(np.arange(len(weights)) <= rows[MOST_ROWS - 1], weights, 0.0)
    return weighed(bank, weights)


# --- posterior predictive -----------------------------------------------------------------------------------

BEFORE_DRAWS: Final = 2000
FITTED: Final = "fitted here"
"""The kind of a pattern in a calibration that fits to the figure behind it."""
REPORTED: Final = (
    "acknowledged_campaign", "acknowledged_lull", "attacks_per_response", "lull_days", "quiet_days", "release_day",
    "war",
)  # fmt: skip
"""Outcomes that are reported before and after."""


@dataclass(frozen=True)
class Predicted:
    """One pattern before and after: shares of histories, or of pairs, that show it, and the verdict after."""

    id: str
    text: str
    kind: str
    article: str
    model: str
    before: float | None
    after: float | None
    holds: bool | None


@dataclass(frozen=True)
class Ahead:
    """One outcome before and after: 5% quantile, median and 95% quantile over histories; None for never.

    Of a probability the same places hold its mean, and its quantiles over parameter sets; None where there are too few
    histories of each.
    """

    name: str
    text: str
    unit: str
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]
    prior_driven: bool


def prior_draws(bank: ReferenceTable, count: int = BEFORE_DRAWS) -> ParameterSets:
    """Draws of the prior, as a posterior's would be."""
    return ParameterSets(bank.prior.values(np.arange(count)))


def predicted(
    config: Config, figures: Sequence[Observation], before: ParameterSets, after: ParameterSets, runs: int
) -> tuple[tuple[Predicted, ...], tuple[Ahead, ...]]:
    """Every pattern, and the outcomes worth reporting, before and after."""
    verdicts, summaries = [], []
    for drawn in (before, after):
        main = simulate_config(config, runs=runs, drawn=drawn)
        verdicts.append(judge(config, main, drawn))
        sets = len(next(iter(drawn.columns.values())))
        summaries.append([_summary(name, main[name].values, sets) for name in REPORTED])
    fitted = {one.pattern for one in figures}
    patterns = (
        Predicted(
            one.id, one.text, FITTED if one.id in fitted else one.kind, one.article, one.model, prior.share, one.share,
            None if one.holds is None else bool(one.holds),
        )
        for prior, one in zip(*verdicts, strict=True)
    )  # fmt: skip
    ahead = (
        Ahead(name, OUTCOMES_BY_NAME[name].text, OUTCOMES_BY_NAME[name].unit, before, after, name in PRIOR_DRIVEN)
        for name, before, after in zip(REPORTED, *summaries, strict=True)
    )
    return tuple(patterns), tuple(ahead)


def _summary(name: str, values: Array, sets: int) -> tuple[float | None, ...]:
    """Quantiles 5%, 50% and 95%; of a probability its mean between quantiles over the parameter sets."""
    if OUTCOMES_BY_NAME[name].unit == "probability":
        spread = over_sets(values, sets)
        return (spread.low if spread else None, float(values.mean()), spread.high if spread else None)
    known = np.where(values < 0, np.inf, values.astype(np.float64)) if name.endswith("_day") else values
    return tuple(finite(one) for one in quantile(known, _THREE, observed=True))
