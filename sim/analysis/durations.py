"""How long the lull lasts, as a time to an event: cumulative incidence with war as a competing event.

A lull ends when attacks resume; direct war may come first, and then it never ends by itself. All histories are watched
to the end of the calendar, so nothing is censored before it, and the Aalen-Johansen estimator of cumulative incidence
is the share of histories in which the event has come, that of survival the share in which neither has. Source: Aalen
and Johansen (1978); Putter, Fiocco and Geskus (2007), Tutorial in biostatistics: competing risks.

The outlook asks this of the winter that was observed. Up to the report its histories are those that reproduced the
observations; from then on each goes on several times with random numbers of its own.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from sim.analysis.calibration.posterior import OtherPastError, check_conditioned
from sim.analysis.summary import RUNS, OverSets, over_sets
from sim.engine.record import Output
from sim.experiment.dataset import dataset_of
from sim.experiment.parameter_sets import (
    OtherWinterError,
    ParameterSets,
    Shipped,
    conditioned_sets,
    read_posterior,
    shipped_posterior,
)
from sim.experiment.result_dir import provenance
from sim.experiment.runner import ensemble, interleaved
from sim.experiment.statistics import TWENTIETHS, Array, effective_sample_size, finite, quantile
from sim.model.package_data import data_folder
from sim.model.scenario import CONDITIONED, Config, load
from sim.model.timeline import Calendar
from sim.model.validation import UserError
from sim.rules.outcomes import NEVER

if TYPE_CHECKING:
    import xarray as xr

AFTER: Final = (10, 20, 30, 60, 90, 120, 180, 270, 365)
"""Days after the origin at which incidence is given."""


@dataclass(frozen=True)
class Incidence:
    """What has become of a lull `days` after its origin: shares of all histories, which add up to 1.

    `ended`: the event came; `war`: direct war came first; `lasts`: neither. `at_risk` histories were in the lull the
    day before. `error` is the Monte Carlo standard error of `ended`.
    """

    outcome: str
    days: int
    at_risk: int
    ended: float
    war: float
    lasts: float
    error: float


def days_until(event: Array, war: Array, origin: int) -> tuple[Array, Array]:
    """Days from an origin to an event and to war (run,), infinite for what does not come or comes second.

    War on the day of the event comes after it: attacks are made before war breaks out.

    >>> days_until(np.array([5, 9, -1]), np.array([5, 8, -1]), 1)
    (array([ 4., inf, inf]), array([inf,  7., inf]))
    """
    came, broke_out = (np.where(one == NEVER, np.inf, one.astype(np.float64)) for one in (event, war))
    first = came <= broke_out
    return np.where(first, came, np.inf) - origin, np.where(first, np.inf, broke_out) - origin


def incidence(
    outcome: str, event: Array, war: Array, origin: int, last: int, after: Sequence[int] = AFTER
) -> Iterator[Incidence]:
    """Cumulative incidence of an event and of war (run,), both day numbers, NEVER for never, up to day `last`.

    >>> days, war = np.array([5, -1, 40, -1]), np.array([-1, 8, 50, -1])
    >>> one = next(incidence("lull_days", days, war, 0, 100, [30]))
    >>> one.at_risk, one.ended, one.war, one.lasts
    (2, 0.25, 0.25, 0.5)
    """
    days_to_event, days_to_war = days_until(event, war, origin)
    for days in after:
        if origin + days > last:
            return
        over, war_first = days_to_event <= days, days_to_war <= days
        ended, at_war = float(over.mean()), float(war_first.mean())
        at_risk = int((np.minimum(days_to_event, days_to_war) >= days).sum())
        error = float(np.sqrt(ended * (1.0 - ended) / len(over)))
        yield Incidence(outcome, days, at_risk, ended, at_war, float((~over & ~war_first).mean()), error)


def durations(data: "xr.Dataset", calendar: Calendar) -> tuple[Incidence, ...]:
    """Of the lull since the strikes, and of the quiet since the report, in an ensemble."""
    war, last = data["war_day"].values, calendar.days - 1
    return (
        *incidence("lull_days", data["resumption_day"].values, war, calendar.strikes, last),
        *incidence("quiet_days", data["first_attack_day"].values, war, calendar.report, last),
    )


# --- the winter that was observed ---------------------------------------------------------------------------

FUTURES: Final = RUNS
"""Ways in which each past goes on: as many as tell a probability of a third from none."""


@dataclass(frozen=True)
class Length:
    """A duration in days: the median over histories with its Monte Carlo error, the 90% interval of medians over sets.

    None where fewer than half of the histories end before direct war and the end of the calendar.
    """

    median: float | None
    error: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class OtherForm:
    """The two answers by the other form of the model, in which wings comply by degrees, from `draws` pasts of its own.

    An answer survives the change of form where the two differ by no more than twice their Monte Carlo error.
    """

    draws: int
    war: OverSets
    lull: Length

    def keeps_war(self, war: OverSets) -> bool:
        """Whether the probability of war survives the change of form."""
        return abs(war.mean - self.war.mean) <= 2.0 * float(np.hypot(war.error, self.war.error))

    def keeps_lull(self, lull: Length) -> bool:
        """Whether the median length of the lull does: also where neither form has one."""
        (one, error), (other, own) = ((each.median, each.error) for each in (lull, self.lull))
        if one is None or other is None or error is None or own is None:
            return one is None and other is None
        return abs(one - other) <= 2.0 * float(np.hypot(error, own))


@dataclass(frozen=True)
class Outlook:
    """How the observed winter goes on. `data` are its histories, run r with past r modulo `draws`; all weigh the same.

    `effective` is the effective sample size of the pasts, `pareto_k` that of the importance weights by which they were
    chosen. `war` is the probability of direct war by `last`, `lull` the days from the strikes until attacks resume.
    `asked` are the probabilities of the conditions asked, by their text.
    `course` (day,) has by number of days after the strikes the shares of histories and their quantiles over sets.
    `other_form` has both answers by the other form of the model, None where they were not measured.
    """

    data: "xr.Dataset"
    observations: int
    draws: int
    effective: float
    pareto_k: float | None
    report: date
    strikes: date
    last: date
    war: OverSets
    lull: Length
    course: tuple[dict[str, float], ...]
    asked: Mapping[str, OverSets] = field(default_factory=dict)
    other_form: OtherForm | None = None

    @property
    def longest(self) -> int:
        """Days from the strikes to the end of the calendar: of a lull that lasts longer no more is known."""
        return (self.last - self.strikes).days

    def record(self) -> dict[str, Any]:
        """The outlook in one mapping, fit for JSON, without its histories and its course."""
        days = {name: getattr(self, name).isoformat() for name in ("report", "strikes", "last")}
        sizes = {name: getattr(self, name) for name in ("observations", "draws", "effective", "pareto_k")}
        asked = {"asked": {text: asdict(one) for text, one in self.asked.items()}} if self.asked else {}
        other = {} if self.other_form is None else {"other_form": asdict(self.other_form)}
        answers = {"war": asdict(self.war), "lull_days": asdict(self.lull)}
        return {**days, **sizes, "futures": FUTURES, **answers, **asked, **other}


def outlook_of(config: Config, posterior: Shipped | None = None) -> Outlook:
    """Simulate how the winter of a configuration goes on from the report; its seed decides the futures alone.

    The posterior is that of the package unless another is given.

    Raises:
        OtherWinterError: its winter is another than the one that was observed, or its calendar ends with the report.
        OtherPastError: its histories cannot be those that reproduced the observations.
        UserError: the posterior cannot be read.
    """
    scenario, calendar = config.scenario, config.scenario.calendar
    if not calendar.later:
        ahead = f"{calendar.report + 2} or more: there is no day to look ahead"
        raise OtherWinterError("calendar.days", calendar.days, ahead)
    shipped, posterior = posterior is None, posterior or shipped_posterior(scenario.cast)
    drawn = conditioned_sets(scenario, posterior)
    check_conditioned(config, posterior)
    tree = {**config.tree, "parameters": CONDITIONED}
    config = replace(config, runs=FUTURES * drawn.draws, parameters_from=CONDITIONED, tree=tree)
    output = futures_of(config, drawn)
    data = dataset_of(scenario, np.arange(config.runs), output).assign_attrs(provenance(config))
    chances = ["war", *(one.text for one in scenario.asked if one.boolean)]
    found = {name: over_sets(data[name].values, drawn.draws) for name in chances}
    shares = {name: one for name, one in found.items() if one is not None}  # as many histories as a share takes
    about = posterior.about
    return Outlook(
        data=data,
        observations=len(about["observations"]),
        draws=drawn.draws,
        effective=effective_sample_size(np.ones(drawn.draws)),
        pareto_k=about["pareto_k"],
        report=calendar.date_of(calendar.report),
        strikes=calendar.date_of(calendar.strikes),
        last=calendar.date_of(calendar.days - 1),
        war=shares.pop("war"),
        lull=length(data["resumption_day"].values, data["war_day"].values, calendar.strikes, drawn.draws),
        course=tuple(course(data, calendar, drawn.draws)),
        asked=shares,
        other_form=by_other_form(config, posterior) if shipped else None,
    )


def futures_of(config: Config, drawn: ParameterSets) -> Output:
    """Simulate the runs of a configuration, as many from each past, which is itself simulated once.

    Run r goes on from past r modulo the number of pasts.
    """
    whole, futures = ensemble(config, drawn=drawn), config.runs // drawn.draws
    apart = replace(whole, arms=whole.arms * futures, runs=1, pairing="own")  # arms that differ in run numbers alone
    return interleaved(apart.simulate_each(), range(futures))


def expected(config: Config) -> tuple[Outlook | None, str]:
    """The outlook of a configuration; where there is none, why and what to do.

    No reason is given where the winter is openly another: of another case, or free before the report.
    """
    try:
        return outlook_of(config), ""
    except OtherWinterError:
        return None, ""
    except OtherPastError as other:
        return None, other.why
    except UserError as mistake:
        return None, str(mistake)


OTHER_FORM: Final = "outlook_by_degrees.yaml"
"""File that comes with the package: the two answers by the other form, and the posterior that they stand next to."""


def by_other_form(config: Config, posterior: Shipped) -> OtherForm | None:
    """The answers by the other form; None for what differs from the shipped case, or if made for another posterior."""
    found = shipped_other_form()
    if found["posterior"] != posterior.about["deciding_hash"]:
        return None
    if replace(config.scenario, asked=()) != load(posterior.about["overrides"]).scenario:
        return None
    return OtherForm(found["draws"], OverSets(**found["war"]), Length(**found["lull_days"]))


@cache
def shipped_other_form() -> Mapping[str, Any]:
    """The file of the other form."""
    found: Mapping[str, Any] = yaml.safe_load((data_folder("seeds") / OTHER_FORM).read_text(encoding="utf-8"))
    return found


def length(event: Array, war: Array, origin: int, sets: int) -> Length:
    """The median time to an event (run,), where run r has set r modulo `sets`.

    The Monte Carlo error is half the width of the interval of days between which the share of histories in which the
    event has come passes one half, less and plus its standard error, clustered by set.

    >>> days = np.tile([[10], [20], [30]], (1, 8)).T.ravel()
    >>> length(days, np.full(24, -1), 0, 3)
    Length(median=20.0, error=10.0, low=10.0, high=30.0)
    >>> length(np.full(24, -1), np.full(24, -1), 0, 3)  # none has ended
    Length(median=None, error=None, low=None, high=None)
    """
    days, _ = days_until(event, war, origin)
    by_set = days[: len(days) // sets * sets].reshape(-1, sets)
    median = float(quantile(days, 0.5, observed=True))
    error = (by_set <= median).mean(axis=0).std(ddof=1) / np.sqrt(sets)
    ends = quantile(days, [max(0.0, 0.5 - error), min(1.0, 0.5 + error)], observed=True)
    low, high = quantile(quantile(by_set, 0.5, axis=0, observed=True), [0.05, 0.95], observed=True)
    half = (ends[1] - ends[0]) / 2 if np.isfinite(ends).all() else np.inf
    return Length(finite(median), finite(half), finite(low), finite(high))


def course(data: "xr.Dataset", calendar: Calendar, sets: int) -> Iterator[dict[str, float]]:
    """Day by day after the strikes: shares of histories in which the lull has ended or war came, quantiles over sets.

    `error` is the Monte Carlo standard error of the share of ended lulls, clustered by set. The lull has ended on the
    first day of those on which attacks resume.
    """
    ended, war = days_until(data["resumption_day"].values, data["war_day"].values, calendar.strikes)
    for days in range(calendar.days - calendar.strikes):
        shares = (ended <= days).reshape(-1, sets).mean(axis=0)
        over = quantile(shares, [part / 20 for part in TWENTIETHS.values()], observed=True)
        yield {
            "days": float(days), "ended": float(shares.mean()), "error": float(shares.std(ddof=1) / np.sqrt(sets)),
            "war": float((war <= days).mean()),
            **{name: float(one) for name, one in zip(TWENTIETHS, over, strict=True)},
        }  # fmt: skip


def main(other: str, out: str) -> None:
    """Write the answers by a posterior of the other form, next to those by the shipped one, to the file `out`."""
    posterior = read_posterior(Path(other))
    config = load(posterior.about["overrides"])
    shipped = shipped_posterior(config.scenario.cast)
    record = {"posterior": shipped.about["deciding_hash"], "overrides": posterior.about["overrides"]}
    record |= outlook_of(config, posterior).record()
    Path(out).write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
