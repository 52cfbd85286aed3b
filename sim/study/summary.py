"""Outcomes told in a few numbers: quantiles, Monte Carlo error, and what chance of how much.

Quantiles are observed values: the q-quantile is the smallest value that at least a share q of the histories do not
exceed. So they mean something for counts, for days on which a thing may never happen, and for histograms alike.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import run_batch
from sim.engine.record import WEEK
from sim.rules.outcomes import DERIVED, NEVER, RECORDED, Outcome
from sim.study.balance import Balance
from sim.study.dataset import dataset_of
from sim.study.drawn import drawn_of, points_of
from sim.study.outcomes import outcomes_of
from sim.study.patterns import Verdict
from sim.study.tally import Tally
from sim.world.scenario import Config

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[Any]

TWENTIETHS: Final = {"q05": 1, "q25": 5, "median": 10, "q75": 15, "q95": 19}
"""The quantiles told, as whole twentieths, so that no rounding moves a rank."""

EXCEEDANCE_AT: Final = (1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000)

CUT_BY: Final = {"lull_days": "resumption_day", "quiet_days": "first_attack_day"}
"""Outcomes that are cut at war or at the end of the calendar, and the day whose absence tells that they were."""

PRIOR_DRIVEN: Final = frozenset(
    {"release_day", "first_attack_day", "resumption_day", "lull_days", "quiet_days", "war", "war_day"}
)
"""Outcomes about which one campaign and one lull say nothing: assumed numbers decide them."""


@dataclass(frozen=True)
class Statistic:
    """One outcome over all histories; None where a number does not exist.

    A quantile is None where the thing never happened in that share of the histories. `mcse` is the Monte Carlo
    standard error of what `mcse_of` names. `never` and `cut` are shares of histories: never happened, cut at war or at
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
    cut: float | None = None
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
        tally = tally.moved(NEVER, math.inf)
    by_median = outcome.heavy_tailed or bool(never)
    cut_by = CUT_BY.get(outcome.name)
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
        cut=None if cut_by is None else tallies[cut_by].share_of(NEVER),
        exceedance=exceedance(tally) if outcome.heavy_tailed else None,
    )


def counted_quantile(counts: Array, twentieths: int) -> Array:
    """The same quantile of histograms (..., bins), as bin numbers (...); a histogram without entries gives -1."""
    total = counts.sum(axis=-1, keepdims=True)
    reached = 20 * counts.cumsum(axis=-1) >= total * twentieths
    return np.where(total[..., 0] > 0, reached.argmax(axis=-1), -1)


def exceedance(tally: Tally) -> dict[str, float]:
    """Share of the histories with at least so much, for round values up to the largest seen.

    >>> exceedance(Tally.of(np.array([0.0, 0.0, 1.0, 7.0])))
    {'1': 0.5, '2': 0.25, '3': 0.25, '4': 0.25, '5': 0.25}
    """
    most = tally.values.max()
    return {str(value): tally.share_at_least(value) for value in EXCEEDANCE_AT if value <= most}


def finite(value: float) -> float | None:
    """The number, or None where there is none."""
    return value if math.isfinite(value) else None


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
        "outcomes": {one.name: told(one) for one in stats},
        "patterns": [pattern_told(one) for one in verdicts],
        "prior_balance": [asdict(one) for one in balance],
    }


def history(config: Config, run: int) -> dict[str, Any]:
    """The outcomes of a single history in one mapping, fit for JSON; a day that never came is null."""
    numbers = np.array([run])
    table = drawn_of(config).table(config.scenario)
    data = dataset_of(config.scenario, numbers, run_batch(table, config.seed, numbers, points_of(table, numbers)))
    outcomes = {}
    for one in outcomes_of(config.scenario.extended).values():
        value = float(data[one.name].values[0])
        never = one.unit == "day" and value == NEVER
        outcomes[one.name] = {"value": None if never else value, "unit": one.unit, "text": one.text}
    scenario = config.scenario
    return {
        "scenario": scenario.name,
        "question": scenario.question,
        "seed": config.seed,
        "run": run,
        "outcomes": outcomes,
    }


def told(one: Statistic) -> dict[str, Any]:
    """One outcome as in `summary.json`; what does not apply to it is left out, what does not exist is null."""
    optional = ("never", "cut", "exceedance")
    return {
        key: value for key, value in asdict(one).items() if key != "name" and (key not in optional or value is not None)
    }


def pattern_told(verdict: Verdict) -> dict[str, Any]:
    """One pattern as in `summary.json`; `pass` is null where the pattern does not speak of this scenario."""
    return {
        "id": verdict.id,
        "text": verdict.text,
        "kind": verdict.kind,
        "judged": verdict.judged,
        "article": verdict.article,
        "model": verdict.model,
        "pass": None if verdict.holds is None else bool(verdict.holds),
        "share": None if verdict.share is None or math.isnan(verdict.share) else float(verdict.share),
        "tolerance": verdict.tolerance,
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
    bands = {name: counted_quantile(counts, part) for name, part in TWENTIETHS.items()}
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
