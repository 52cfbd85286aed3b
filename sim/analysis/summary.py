"""Outcomes summarised in a few numbers: quantiles, Monte Carlo error, what chance of how much, and prior predictive.

Quantiles are observed values: the q-quantile is the smallest value that at least a share q of the histories do not
exceed. So they mean something for counts, for days on which a thing may never happen, and for histograms alike.

How long the lull lasts and whether war comes, no observation shows. So whatever the parameters of an ensemble are,
these outcomes are shown together with their prior predictive: what the same scenario gives at draws of the declared
priors. A probability differs from one parameter set to another, of which its Monte Carlo error says nothing, so its
interval over parameter sets goes with it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim.analysis.pattern_tests import Balance, Verdict
from sim.engine.record import WEEK
from sim.experiment.dataset import dataset_of, outcomes_of
from sim.experiment.ensemble import simulate_config
from sim.experiment.parameter_sets import ParameterSets, drawn_of, prior_design
from sim.experiment.runner import ensemble
from sim.experiment.statistics import TWENTIETHS, Array, Tally, finite, histogram_quantile, interval_90
from sim.model.declared_outcomes import DERIVED, RECORDED, Outcome
from sim.model.scenario import Config
from sim.rules.outcomes import NEVER

if TYPE_CHECKING:
    import xarray as xr


EXCEEDANCE_AT: Final = (1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000)

CUT_BY: Final = {"lull_days": "resumption_day", "quiet_days": "first_attack_day"}
"""Outcomes that are right-censored at war or at the end of the calendar, and the day whose absence says that they
were."""

PRIOR_DRIVEN: Final = frozenset(
    {"release_day", "first_attack_day", "resumption_day", "lull_days", "quiet_days", "war", "war_day"}
)
"""Outcomes about which one campaign and one lull say nothing: assumed numbers decide them."""


@dataclass(frozen=True)
class Statistic:
    """One outcome over all histories; None where a number does not exist.

    A quantile is None where the thing never happened in that share of the histories. `mcse` is the Monte Carlo standard
    error of what `mcse_of` names. `never` and `censored` are shares of histories: never happened, censored at war or at
    the end (a value is then a lower bound). `exceedance` maps values to the share of histories with at least as much.
    """

    name: str
    text: str
    unit: str
    mean: float | None
    median: float | None
    q05: float | None
    q25: float | None
    q75: float | None
    q95: float | None
    mcse: float | None
    mcse_of: str
    prior_driven: bool
    never: float | None = None
    censored: float | None = None
    exceedance: dict[str, float] | None = None


def statistics(
    tallies: Mapping[str, Tally], outcomes: Iterable[Outcome] = (*RECORDED, *DERIVED)
) -> tuple[Statistic, ...]:
    """All outcomes from the tallies of their values, in order."""
    return tuple(statistic(tallies, outcome) for outcome in outcomes)


def statistic(tallies: Mapping[str, Tally], outcome: Outcome) -> Statistic:
    """One outcome from the tallies."""
    tally = tallies[outcome.name]
    never = tally.share_of(NEVER) if outcome.unit == "day" else None
    if never is not None:
        tally = tally.replaced(NEVER, math.inf)
    cut_by = CUT_BY.get(outcome.name)
    censored = None if cut_by is None else tallies[cut_by].share_of(NEVER)
    # A mean of cut days says little of how long anything lasts; their median does where fewer than half are cut.
    by_median = outcome.heavy_tailed or bool(never) or bool(censored)
    return Statistic(
        name=outcome.name,
        text=outcome.text,
        unit=outcome.unit,
        mean=None if by_median else tally.mean(),
        **{name: finite(tally.quantile(part)) for name, part in TWENTIETHS.items()},
        mcse=tally.error_of_median() if by_median else tally.error_of_mean(),
        mcse_of="median" if by_median else "mean",
        prior_driven=outcome.name in PRIOR_DRIVEN,
        never=never,
        censored=censored,
        exceedance=exceedance(tally) if outcome.heavy_tailed else None,
    )


def exceedance(tally: Tally) -> dict[str, float]:
    """Share of the histories with at least so much, for round values up to the largest seen.

    >>> exceedance(Tally.of(np.array([0.0, 0.0, 1.0, 7.0])))
    {'1': 0.5, '2': 0.25, '3': 0.25, '4': 0.25, '5': 0.25}
    """
    most = tally.values.max()
    return {str(value): tally.share_at_least(value) for value in EXCEEDANCE_AT if value <= most}


def summary(
    config: Config, stats: Sequence[Statistic], verdicts: Sequence[Verdict], balance: Sequence[Balance] = ()
) -> dict[str, Any]:
    """The whole result in one mapping, fit for JSON: the content of `summary.json`."""
    return {
        "scenario": config.scenario.name,
        "question": config.scenario.question,
        "seed": config.seed,
        "runs": config.runs,
        "parameters": config.parameters_from,
        "outcomes": {one.name: statistic_record(one) for one in stats},
        "patterns": [pattern_record(one) for one in verdicts],
        "prior_balance": [asdict(one) for one in balance],
    }


def history(config: Config, run: int) -> dict[str, Any]:
    """The outcomes of a single history in one mapping, fit for JSON; a day that never came is null."""
    data = dataset_of(config.scenario, np.array([run]), ensemble(config).simulate(runs=[run]))
    outcomes = {}
    for one in outcomes_of(config.scenario).values():
        value = float(data[one.name].values[0])
        never = one.unit == "day" and value == NEVER
        outcomes[one.name] = {"value": None if never else value, "unit": one.unit, "text": one.text}
    about = {"scenario": config.scenario.name, "question": config.scenario.question, "seed": config.seed, "run": run}
    return {**about, "outcomes": outcomes}


def statistic_record(one: Statistic) -> dict[str, Any]:
    """One outcome as in `summary.json`; what does not apply to it is left out, what does not exist is null."""
    left_out = {"name", *(key for key in ("never", "censored", "exceedance") if getattr(one, key) is None)}
    return {key: value for key, value in asdict(one).items() if key not in left_out}


def pattern_record(verdict: Verdict) -> dict[str, Any]:
    """One pattern as in `summary.json`; `pass` is null where the pattern does not speak of this scenario."""
    return {
        **{key: getattr(verdict, key) for key in ("id", "text", "kind", "judged", "article", "model")},
        "pass": None if verdict.holds is None else bool(verdict.holds),
        "share": None if verdict.share is None or math.isnan(verdict.share) else float(verdict.share),
        "tolerance": verdict.tolerance,
        "over_prior": verdict.over_prior,
    }


def outcome_rows(stats: Sequence[Statistic]) -> list[dict[str, Any]]:
    """The outcome table, one mapping per row."""
    return [{key: value for key, value in asdict(one).items() if key != "exceedance"} for one in stats]


def weekly_rows(data: "xr.Dataset") -> list[dict[str, Any]]:
    """Attacks a week by theatre: the bands of the figure, one mapping per theatre and week.

    `histories` is how many had not ended in war before the week was over. Days at the end of the calendar that fill no
    week have a row without numbers, whose `days` are fewer than seven.
    """
    counts, dates = data["weekly_histogram"].values, data["date"].values
    starts = dates[::WEEK]
    counts = np.pad(counts, ((0, 0), (0, len(starts) - counts.shape[1]), (0, 0)))
    bands = {name: histogram_quantile(counts, part) for name, part in TWENTIETHS.items()}
    days = np.minimum(WEEK, len(dates) - WEEK * np.arange(len(starts)))
    return [
        {
            "theatre": str(theatre),
            "week": week,
            "first_day": np.datetime_as_string(first, unit="D"),
            "days": int(days[week]),
            **{name: int(band[k, week]) if band[k, week] >= 0 else None for name, band in bands.items()},
            "histories": int(counts[k, week].sum()) if days[week] == WEEK else None,
        }
        for k, theatre in enumerate(data["theatre"].values)
        for week, first in enumerate(starts)
    ]


# --- the prior predictive -----------------------------------------------------------------------------------

SETS: Final = 500
"""Parameter sets that are drawn."""
RUNS: Final = 16
"""Histories of each: enough to tell a probability of a third from none."""
REPORTED: Final = ("lull_days", "quiet_days", "release_day", "war")
"""The outcomes that are reported so; all others that assumptions decide follow from these."""


@dataclass(frozen=True)
class OverSets:
    """A probability over parameter sets: the mean with its Monte Carlo error, and the interval of 90% over the sets."""

    mean: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class PriorComparison:
    """One outcome under the priors alone and in the ensemble at hand.

    A probability also over parameter sets: those of the priors, and those of the ensemble where it has several.
    """

    prior: Statistic
    here: Statistic
    prior_sets: OverSets | None = None
    here_sets: OverSets | None = None


def over_sets(values: Array, sets: int) -> OverSets | None:
    """A probability over parameter sets; `values` (runs,) are 1 or 0, and run r has set r modulo `sets`.

    None where hardly any history comes on each set: shares of so few would be spread by chance.
    """
    runs = len(values) // sets
    if runs < RUNS // 2 or sets < 2:
        return None
    shares = values[: runs * sets].reshape(runs, sets).mean(axis=0)
    low, high = interval_90(shares, observed=True)
    error = shares.std(ddof=1) / np.sqrt(sets)
    return OverSets(float(shares.mean()), float(error), low, high)


def prior_predictive(config: Config, stats: Sequence[Statistic], sets: int = SETS) -> tuple[PriorComparison, ...]:
    """What assumptions decide of an ensemble's statistics, each next to the same outcome at draws of the priors.

    Probabilities of other kinds go with them. Parameters that the scenario or the command line has set stay set.
    """
    data = _simulate(config, ParameterSets(prior_design(sets, config.seed)))
    drawn = drawn_of(config)
    own_sets = drawn.draws if drawn.past is not None else min(sets, drawn.draws)  # of pasts all, as in the outlook
    mine = replace(drawn, columns={key: column[:own_sets] for key, column in drawn.columns.items()})
    own = _simulate(config, mine) if mine.columns else None
    here, outcomes = {one.name: one for one in stats}, outcomes_of(config.scenario)
    names = dict.fromkeys((*REPORTED, *(one.name for one in stats if one.unit == "probability")))
    tallies = {name: Tally.of(data[name].values) for name in (*names, *CUT_BY.values())}
    return tuple(
        PriorComparison(
            statistic(tallies, outcomes[name]), here[name],
            _over_sets(here[name], data, sets), _over_sets(here[name], own, own_sets),
        )
        for name in names
    )  # fmt: skip


def _simulate(config: Config, drawn: ParameterSets) -> "xr.Dataset":
    return simulate_config(config, runs=RUNS * drawn.draws, drawn=drawn)


def _over_sets(one: Statistic, data: "xr.Dataset | None", sets: int) -> OverSets | None:
    return over_sets(data[one.name].values, sets) if data is not None and one.unit == "probability" else None


def prior_rows(found: Sequence[PriorComparison]) -> list[dict[str, Any]]:
    """One row per outcome: quantiles before and here; of a probability its mean, and its interval over sets."""
    return [
        {"outcome": one.here.name, "text": one.here.text, "unit": one.here.unit}
        | {f"prior_{key}": value for key, value in _numbers(one.prior, one.prior_sets).items()}
        | _numbers(one.here, one.here_sets)
        for one in found
    ]


def _numbers(one: Statistic, sets: OverSets | None) -> dict[str, float | None]:
    if one.unit == "probability":
        low, high = (sets.low, sets.high) if sets else (None, None)
        return {"q05": low, "median": None, "q95": high, "share": one.mean, "error": sets.error if sets else one.mcse}
    return {"q05": one.q05, "median": one.median, "q95": one.q95, "share": None, "error": None}
