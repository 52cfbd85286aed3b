"""Early warning: which observables up to a day precede direct war, or the end of the lull, within some weeks.

The days asked are one week apart, from the report on, when nothing is pinned any more. What an observer sees on such a
day (acknowledged attacks, soldiers hurt, strikes, an announced response, never an order of the patron) is set against
what comes within the horizon, in a logistic regression with few terms, chosen by forward selection, and in a rule of at
most two conditions, chosen by its likelihood among all pairs. Both are learnt from one half of the parameter sets and
judged by the other: all weeks of a history, and all histories of a set, are on one side.

An event that comes after another one that rules it out counts as not coming: war ends the lull in another way than
attacks do. Errors are those of a jackknife over sets (Efron 1982), for weeks of one history are no independent cases.
Everything is learnt in the world of the model.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sim.analysis.calibration.posterior import check_conditioned
from sim.analysis.forecast.event_counts import Counts
from sim.engine.record import WEEK, Output, OutputSpec
from sim.experiment.dataset import ACKNOWLEDGED
from sim.experiment.parameter_sets import shipped_posterior
from sim.experiment.runner import CHUNK, CostEstimate, Experiment, Progress, chunks, ensemble, joined
from sim.experiment.statistics import NORMAL_90, Array, jackknife, quantile
from sim.model.declared_outcomes import NAMES
from sim.model.scenario import CONDITIONED, POSTERIOR, Config, Scenario
from sim.model.validation import UserError
from sim.rules.outcomes import NEVER, RESUMED_ATTACKS, RESUMED_DAYS

FOUR_WEEKS: Final = 4 * WEEK
YEAR: Final = 365.25
MOST_TERMS: Final = 3
"""Terms of a regression, and rows from which they are chosen."""
CHOSEN_FROM: Final = 75_000
THRESHOLDS: Final = (1, 2, 3, 4, 5, 7, 10, 14, 21, 28, 50, 100)
"""Thresholds that a rule may have: numbers, and days of quiet, that are easily kept in mind."""
WORTH_A_CONDITION: Final = 1.1
"""Two conditions must gain so many times the likelihood of each alone, or the second is not worth carrying."""
RAREST: Final = 0.01
"""Share of weeks in alarm below which nothing can be said of a rule."""
TRIED: Final = 500
"""Rules whose false alarms are counted, the best first."""
FEWEST: Final = 30
"""Histories with the event, and with weeks without it, below which nothing is learnt or judged."""
PARTS: Final = 20
"""Parts of the sets, each left out in turn for the errors."""
BINS: Final = 10
LEVELS: Final = 100
"""Alarm levels tried."""
SEEN: Final = ("injured", "killed", "limited", "leader", "major", "pending")
"""Fields of the state of a day that hold what all can see."""
WAR: Final = "war"
LULL: Final = "lull"
EVENTS: Final = {WAR: "direct war", LULL: "the end of the lull"}
"""What is warned of. The lull ends on the day of the fifth acknowledged attack within 14 days after the strikes."""


@dataclass(frozen=True)
class Observable:
    """A number that an observer can know at the end of a day, in words; `counted`: a file of attacks gives it too."""

    key: str
    title: str
    counted: bool = True


def observables_of(scenario: Scenario) -> tuple[Observable, ...]:
    """What is looked at, in order; theatres are those in which the target is attacked."""
    target, places = scenario.cast.names.target, scenario.cast.targets
    titles = {key: key.replace("_", " ").title() for key in places if len(places) > 1}
    return (
        *(Observable(f"week_{key}", f"attacks in {title} within a week") for key, title in titles.items()),
        Observable("week", f"attacks on {target} within a week"),
        Observable("before", f"attacks on {target} in the three weeks before that week"),
        Observable("quiet", f"days since the last attack on {target}"),
        Observable("elsewhere", "attacks in other theatres within a week", counted=False),
        Observable("hurt", "soldiers injured within four weeks", counted=False),
        Observable("killed", "soldiers killed within four weeks", counted=False),
        Observable("strikes", f"strikes by {target} within four weeks", counted=False),
        Observable("announced", "days of the week with an announced response still to come", counted=False),
    )


# --- what an observer sees ----------------------------------------------------------------------------------


def attacks_seen(by_theatre: Array, days: Array) -> Array:
    """Observables of attacks (N, J, K + 3) at the ends of days (J,), from attacks by day and theatre (N, D, K).

    A single theatre has no column of its own.
    """
    total, places = by_theatre.sum(axis=2), range(by_theatre.shape[2] if by_theatre.shape[2] > 1 else 0)
    return np.stack([
        *(within(by_theatre[..., place], days, WEEK) for place in places),
        within(total, days, WEEK),
        within(total, days - WEEK, FOUR_WEEKS - WEEK),
        days_since(total, days),
    ], axis=-1)  # fmt: skip


def within(counts: Array, days: Array, length: int) -> Array:
    """Sums (N, J) of counts by day (N, D) over the days up to each of some days (J,), `length` of them.

    >>> within(np.array([[1, 2, 4]]), np.array([1, 2]), 2)
    array([[3., 6.]])
    """
    so_far = np.zeros((len(counts), counts.shape[1] + 1))
    np.cumsum(counts, axis=1, out=so_far[:, 1:])
    return np.asarray(so_far[:, np.maximum(days + 1, 0)] - so_far[:, np.maximum(days + 1 - length, 0)])


def days_since(counts: Array, days: Array) -> Array:
    """Days (N, J) since a count by day (N, D) last was above zero, at the ends of days (J,); 0 on the day itself.

    >>> days_since(np.array([[0, 2, 0]]), np.array([0, 1, 2]))
    array([[1, 0, 1]])
    """
    last = np.maximum.accumulate(np.where(counts > 0, np.arange(counts.shape[1]), -1), axis=1)
    return np.asarray(days - last[:, days])


def lull_end(total: Array, strikes: int) -> Array:
    """Day (N,) on which the lull after the strikes is seen to end, from attacks by day (N, D); NEVER where it is not.

    It is the day of the last of the attacks that make it so, while the outcome `resumption_day` is that of the first.
    """
    after = np.where(np.arange(total.shape[1]) > strikes, total, 0)
    many = within(after, np.arange(total.shape[1]), RESUMED_DAYS) >= RESUMED_ATTACKS
    return np.where(many.any(axis=1), many.argmax(axis=1), NEVER)


def observed(scenario: Scenario, output: Output, days: Array) -> dict[str, Array]:
    """The observables (N, J, F) of histories, and the day (N,) of each of `EVENTS`."""
    places = scenario.cast.target_places
    acknowledged = output.daily[..., ACKNOWLEDGED].astype(np.int64)
    ours = acknowledged[..., places]
    states = output.run_states
    hits = states["limited"] + (states["leader"] == 1) + states["major"]
    more = (
        within(acknowledged.sum(axis=2) - ours.sum(axis=2), days, WEEK),
        within(states["injured"], days, FOUR_WEEKS),
        within(states["killed"], days, FOUR_WEEKS),
        within(hits, days, FOUR_WEEKS),
        within(states["pending"] > 0, days, WEEK),
    )
    values = np.concatenate((attacks_seen(ours, days), np.stack(more, axis=-1)), axis=-1).astype(np.float32)
    return {
        "values": values,
        WAR: output.rows[:, NAMES.index("war_day")].astype(np.int64),
        LULL: lull_end(ours.sum(axis=2), scenario.calendar.strikes),
    }


# --- weeks --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weeks:
    """Histories (N) on days (J) a week apart: values (N, J, F), days until the event (N, J), infinite for never.

    `risk` (N, J): the event may still come. `sets` (N,) says which histories share parameters.
    """

    names: tuple[str, ...]
    values: Array
    until: Array
    risk: Array
    sets: Array
    horizon: int

    @property
    def came(self) -> Array:
        """Whether the event comes within the horizon (N, J)."""
        return np.asarray(self.risk & (self.until <= self.horizon))

    def of(self, chosen: Array) -> "Weeks":
        """Those of some histories."""
        parts = {name: getattr(self, name)[chosen] for name in ("values", "until", "risk", "sets")}
        return replace(self, **parts)

    def rows(self) -> tuple[Array, Array, Array]:
        """All weeks at risk: values (n, F), whether the event came (n,), the set of each (n,)."""
        sets = np.broadcast_to(self.sets[:, None], self.risk.shape)
        return self.values[self.risk], self.came[self.risk], sets[self.risk]


def weeks_of(
    names: Sequence[str], values: Array, event: Array, rival: Array, days: Array, sets: Array, horizon: int
) -> Weeks:
    """The weeks in which an event (N,) may still come on days (J,), from its day and that of what rules it out.

    Both are day numbers, NEVER for never.
    """
    came, ruled_out = (np.where(one == NEVER, np.inf, one)[:, None] for one in (event, rival))
    until = np.where(came <= ruled_out, came, np.inf) - days
    return Weeks(tuple(names), values, until, (came > days) & (ruled_out > days), sets, horizon)


def halves(sets: Array, seed: int) -> Array:
    """Whether each history (N,) is one to learn from: half of the sets, by chance."""
    known = np.unique(sets)
    chosen = np.random.Generator(np.random.Philox(seed)).permutation(known)[: len(known) // 2]
    return np.isin(sets, chosen)


# --- the regression -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """A term of the regression: log odds for each doubling of 1 + the observable, or for each one more.

    `error` is that of the weight, clustered by set.
    """

    name: str
    doubling: bool
    weight: float
    error: float

    @property
    def odds_ratio(self) -> "Number":
        """By how much a step multiplies the odds."""
        low, middle, high = (float(np.exp(self.weight + side * NORMAL_90 * self.error)) for side in (-1, 0, 1))
        return Number(middle, low, high)


@dataclass(frozen=True)
class Model:
    """Log odds of the event: an intercept and a few terms."""

    intercept: float
    terms: tuple[Term, ...]

    def probability(self, names: Sequence[str], values: Array) -> Array:
        """Probability of the event (...,) at values (..., F) of the observables named."""
        found = np.full(values.shape[:-1], self.intercept)
        for one in self.terms:
            found += one.weight * steps(values[..., list(names).index(one.name)], one.doubling)
        return np.asarray(1.0 / (1.0 + np.exp(-found)))


def steps(values: Array, doubling: bool) -> Array:
    """An observable in steps of one, or how often 1 has to be doubled to give 1 + the observable."""
    return np.log2(1.0 + np.asarray(values, float)) if doubling else np.asarray(values, float)


def statsmodels() -> Any:
    """The regressions of statsmodels.

    Raises:
        UserError: it is not installed.
    """
    try:
        import statsmodels.api
    except ImportError:
        raise UserError("watch", "statsmodels (missing)", "pip install 'lull-sim[watch]'") from None
    return statsmodels.api


def learnt(weeks: Weeks) -> Model:
    """The regression on the observables that add most, one after the other, while they add what is worth a term.

    Each comes in doublings or in steps of one, whichever adds more: odds that grow with each further attack are no
    straight line over doublings. A term is worth it that raises twice the log likelihood by more than the logarithm of
    the number of weeks (BIC).
    """
    values, came, sets = weeks.rows()
    y, few = came.astype(np.float64), np.linspace(0, len(came) - 1, min(len(came), CHOSEN_FROM)).astype(np.int64)

    def columns(terms: Sequence[tuple[int, bool]], rows: Any) -> Array:
        return np.array([steps(values[rows, place], doubling) for place, doubling in terms]).T.reshape(-1, len(terms))

    left = [(at, form) for at in range(values.shape[1]) for form in (True, False) if np.ptp(values[few, at]) > 0.0]
    chosen: list[tuple[int, bool]] = []
    best = likelihood(np.empty((len(few), 0)), y[few])
    while left and len(chosen) < MOST_TERMS:
        gains = [likelihood(columns([*chosen, one], few), y[few]) - best for one in left]
        if 2.0 * max(gains) < np.log(len(few)):
            break
        best += max(gains)
        chosen.append(left[int(np.argmax(gains))])
        left = [one for one in left if one[0] != chosen[-1][0]]
    found = fitted(columns(chosen, slice(None)) if chosen else np.empty((len(y), 0)), y, sets)
    terms = (
        Term(weeks.names[place], doubling, float(weight), float(error))
        for (place, doubling), weight, error in zip(chosen, found.params[1:], found.bse[1:], strict=True)
    )
    return Model(float(found.params[0]), tuple(terms))


def likelihood(x: Array, y: Array) -> float:
    """Log likelihood of a logistic regression; without end below zero where terms say the same twice."""
    try:
        return float(fitted(x, y).llf)
    except np.linalg.LinAlgError:
        return -np.inf


def fitted(x: Array, y: Array, sets: Array | None = None) -> Any:
    """A logistic regression with an intercept; errors are clustered by set where sets are given."""
    more = {} if sets is None else {"cov_type": "cluster", "cov_kwds": {"groups": sets}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of separation and convergence
        return statsmodels().Logit(y, np.column_stack([np.ones(len(y)), x])).fit(disp=0, **more)


# --- the rule -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleCondition:
    """An observable is at least a threshold, or below it."""

    name: str
    threshold: float
    least: bool

    def holds(self, names: Sequence[str], values: Array) -> Array:
        """Whether it holds (...,) at values (..., F)."""
        column = values[..., list(names).index(self.name)]
        return np.asarray((column >= self.threshold) == self.least)

    def words(self, titles: Mapping[str, str]) -> str:
        """The condition in words.

        >>> RuleCondition("week", 1.0, False).words({"week": "attacks within a week"})
        'no attacks within a week'
        """
        number, title = f"{self.threshold:.0f}", titles[self.name]
        if self.least:
            return f"{number} or more {title}"
        return f"no {title}" if self.threshold == 1.0 else f"fewer than {number} {title}"


@dataclass(frozen=True)
class Rule:
    """Alarm where all conditions hold."""

    conditions: tuple[RuleCondition, ...]

    def alarm(self, names: Sequence[str], values: Array) -> Array:
        """Whether it gives alarm (...,) at values (..., F)."""
        return np.all([one.holds(names, values) for one in self.conditions], axis=0)

    def words(self, titles: Mapping[str, str]) -> str:
        """The rule in words."""
        return ", and ".join(one.words(titles) for one in self.conditions)


def conditions_of(weeks: Weeks, values: Array) -> list[RuleCondition]:
    """The conditions that a rule may have: both sides of all thresholds, where neither is too rare."""
    return [
        RuleCondition(name, float(one), least)
        for place, name in enumerate(weeks.names)
        for one in THRESHOLDS
        if RAREST <= (values[:, place] >= one).mean() <= 1.0 - RAREST
        for least in (True, False)
    ]


def rule_of(weeks: Weeks, accepted: float) -> Rule | None:
    """The rule of one or two conditions that gains the most likelihood, with at most so many false alarms a year.

    None where no rule raises the odds so.
    """
    values, came, _ = weeks.rows()
    conditions = conditions_of(weeks, values)
    if not conditions:
        return None
    held = np.stack([one.holds(weeks.names, values) for one in conditions], axis=1).astype(np.float32)
    alarms, hits = held.T @ held, held.T @ (held * came[:, None])
    gains = np.triu(np.where(alarms >= RAREST * len(came), gained(alarms, hits, came), 0.0))
    single = np.diag(gains)
    enough = WORTH_A_CONDITION * np.maximum(single[:, None], single)
    gains[(gains <= enough) & ~np.eye(len(single), dtype=bool)] = 0.0
    for place in np.argsort(-gains, axis=None, kind="stable")[:TRIED]:
        pair = np.unravel_index(place, gains.shape)
        rule = Rule(tuple(conditions[one] for one in dict.fromkeys(map(int, pair))))
        if gains[pair] <= 0.0:
            return None
        if false_alarms(weeks, rule.alarm(weeks.names, weeks.values)) <= accepted:
            return rule
    return None


def gained(alarms: Array, hits: Array, came: Array) -> Array:
    """Log likelihood that alarms gain over a constant probability, of those that raise it; 0 for all others."""
    from scipy.special import xlogy

    weeks, events = float(len(came)), float(came.sum())
    alarms, hits = alarms.astype(np.float64), hits.astype(np.float64)
    quiet, missed = weeks - alarms, events - hits

    def likelihood(yes: Array, every: Array) -> Array:
        return np.asarray(xlogy(yes, yes) + xlogy(every - yes, every - yes) - xlogy(every, every))

    gain = likelihood(hits, alarms) + likelihood(missed, quiet) - likelihood(np.array(events), np.array(weeks))
    return np.where(hits * quiet > missed * alarms, gain, 0.0)


# --- how good they are --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A number with its 90% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """How an alarm does on histories that it was not learnt from.

    `odds_ratio`: odds of the event in weeks of alarm over those of all other weeks. `share` of the weeks at risk have
    alarm, and the event follows `precision` of these. `caught`: share of the histories with the event in which an alarm
    came before, and `lead` the median days from the first one within the horizon to the event. `false_alarms`: how many
    begin in a year at risk without the event within the horizon.
    """

    auc: Number
    odds_ratio: Number
    share: float
    precision: float
    caught: float
    lead: float
    false_alarms: float


def judged(weeks: Weeks, score: Array, alarm: Array) -> Score:
    """Judge a score (N, J), the more the likelier, and the alarm (N, J) that follows from it."""
    _, came, sets = weeks.rows()
    marks, called = score[weeks.risk], alarm[weeks.risk]

    def numbers(chosen: Array) -> Array:
        return np.array([auc(marks[chosen], came[chosen]), log_odds_ratio(called[chosen], came[chosen])])

    parts = np.unique(sets, return_inverse=True)[1] % PARTS
    whole = numbers(np.ones(len(came), dtype=bool))
    errors = NORMAL_90 * np.sqrt(jackknife(np.stack([numbers(parts != part) for part in range(PARTS)])))
    area, odds = (
        Number(*(float(value + side * error) for side in (0, -1, 1)))
        for value, error in zip(whole, errors, strict=True)
    )
    early = np.asarray(alarm & weeks.came)
    event, caught = np.any(weeks.came, axis=1), np.any(early, axis=1)
    leads = np.where(early, weeks.until, -np.inf).max(axis=1)[caught]
    return Score(
        area, Number(*np.exp((odds.value, odds.low, odds.high))), float(called.mean()),
        float(came[called].mean()) if called.any() else float("nan"),
        float(caught[event].mean()) if event.any() else float("nan"),
        float(np.median(leads)) if len(leads) else float("nan"),
        false_alarms(weeks, alarm),
    )  # fmt: skip


def auc(score: Array, came: Array) -> float:
    """Area under the ROC curve: how often a week before the event has the higher score than one that is not.

    >>> auc(np.array([1.0, 2.0, 2.0]), np.array([False, False, True]))
    0.75
    """
    if came.all() or not came.any():
        return float("nan")
    wrong, right = roc(score, came)
    return float(np.trapezoid(right, wrong))


def log_odds_ratio(alarm: Array, came: Array) -> float:
    """Log odds ratio of an event in alarm and without, half a case added to each of the four counts."""
    both, only, missed, neither = (
        float((a & b).sum()) + 0.5 for a, b in ((alarm, came), (alarm, ~came), (~alarm, came), (~alarm, ~came))
    )
    return float(np.log(both * neither / (only * missed)))


def false_alarms(weeks: Weeks, alarm: Array) -> float:
    """Alarms (N, J) that begin in a year at risk without the event within the horizon; one that stands counts once."""
    standing = np.asarray(alarm & weeks.risk)
    begins = np.array(standing)
    begins[:, 1:] &= ~standing[:, :-1]
    return float((begins & ~weeks.came).sum() / (weeks.risk.sum() * WEEK / YEAR))


def level_of(weeks: Weeks, probability: Array, accepted: float) -> float:
    """The lowest alarm level with at most so many false alarms a year, from the highest on."""
    levels = np.unique(quantile(probability[weeks.risk], np.linspace(0.0, 1.0, LEVELS)))
    found = np.inf
    for level in levels[::-1]:
        if false_alarms(weeks, probability >= level) > accepted:
            break
        found = float(level)
    return found


def roc(score: Array, came: Array) -> tuple[Array, Array]:
    """False and true positive rates (P,) as the level falls, from none to all alarms."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    right, wrong = (np.concatenate(([0.0], np.cumsum(one[order])[last])) for one in (came, ~came))
    return wrong / max(wrong[-1], 1.0), right / max(right[-1], 1.0)


def reliability(probability: Array, came: Array, sets: Array) -> list[dict[str, float]]:
    """Bins of equal size by probability: mean of it, share of weeks before the event with its error, and weeks."""
    edges = np.unique(quantile(probability, np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
    places = np.searchsorted(edges, probability, side="right")
    parts = np.unique(sets, return_inverse=True)[1] % PARTS
    rows = []
    for place in np.unique(places):
        mine = places == place
        left = [came[mine & (parts != part)] for part in range(PARTS)]
        shares = np.array([[one.mean()] for one in left if len(one)])
        rows.append({
            "predicted": float(probability[mine].mean()), "observed": float(came[mine].mean()),
            "error": float(np.sqrt(jackknife(shares)[0])), "weeks": int(mine.sum()),
        })  # fmt: skip
    return rows


# --- the study ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Warned:
    """What was learnt of one event: regression, its alarm level, the rule, and how both do on the other half.

    `curves`: false and true positive rates of the regression; `rows`: reliability; `base`: share of weeks before it.
    """

    event: str
    model: Model
    level: float
    rule: Rule | None
    scores: Mapping[str, Score]
    curve: tuple[Array, Array]
    rows: list[dict[str, float]]
    base: float

    @property
    def off(self) -> float:
        """By how much the probabilities of a bin are off at most."""
        return max(abs(row["predicted"] - row["observed"]) for row in self.rows)

    @property
    def otherwise(self) -> float:
        """Share of the weeks without alarm by the rule that the event follows."""
        score = self.scores["rule"]
        return (self.base - score.share * score.precision) / (1.0 - score.share)


@dataclass(frozen=True)
class Watch:
    """An early warning as it is asked for; nothing is simulated yet."""

    config: Config
    horizon: int
    accepted: float
    counts: Counts | None = None

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.config.scenario

    @property
    def days(self) -> Array:
        """Days on which is looked, a week apart from the report on, each with a whole horizon ahead."""
        calendar = self.scenario.calendar
        return np.arange(calendar.report, calendar.days - self.horizon, WEEK)

    @property
    def observables(self) -> tuple[Observable, ...]:
        """What is looked at: all, or with a file what it shows."""
        return tuple(one for one in observables_of(self.scenario) if one.counted or self.counts is None)

    @property
    def titles(self) -> dict[str, str]:
        """What is looked at in words, by key."""
        return {one.key: one.title for one in self.observables}

    @property
    def experiment(self) -> Experiment:
        """The histories."""
        return ensemble(self.config, wanted=OutputSpec(daily=True, states=SEEN, weekly=False, lags=False))

    @property
    def chunk(self) -> int:
        """Histories at a time: their days take far more memory than what is kept of them."""
        return min(self.config.runs, CHUNK // 10)

    @property
    def kept(self) -> int:
        """Bytes of what is kept of all histories, several times over where they are sorted and fitted."""
        return self.config.runs * len(self.days) * len(observables_of(self.scenario)) * 4 * 8

    def forecast(self) -> CostEstimate:
        """What it costs, by a trial."""
        return self.experiment.forecast(self.chunk, self.kept)


def prepared(config: Config, source: str | None, horizon_weeks: int, accepted: float, counts: Counts | None) -> Watch:
    """The early warning on a configuration, with parameters from a `source`; None: what is usual.

    Raises:
        UserError: the calendar is too short, the counts of single days are not known, the past of conditioned histories
            is changed, or statsmodels is missing.
    """
    statsmodels()
    if counts is not None and (not counts.daily or np.isnan(counts.split).any()):
        raise UserError("data", counts.report.format, "counts of every day by theatre, such as a file of events")
    if source == CONDITIONED:
        check_conditioned(config)
    config = usual(config) if source is None else replace(config, parameters_from=source)
    watch = Watch(config, horizon_weeks * WEEK, accepted, counts)
    if len(watch.days) < 2:
        most = (config.scenario.calendar.days - config.scenario.calendar.report) // WEEK - 2
        raise UserError("watch.weeks", horizon_weeks, f"at most {most}: what the calendar has after the report")
    return watch


def usual(config: Config) -> Config:
    """With the parameters that are usual: conditioned histories, else the posterior, else as they are declared."""
    for source, check in (
        (CONDITIONED, check_conditioned),
        (POSTERIOR, lambda _: shipped_posterior(config.scenario.cast)),
    ):
        with suppress(UserError):
            check(config)
            return replace(config, parameters_from=source)
    return config


def simulate(watch: Watch, progress: Progress | None = None) -> dict[str, Warned]:
    """Simulate, learn from one half of the sets and judge by the other; by event, without those that are too rare.

    Raises:
        UserError: all events are too rare, or too common.
    """
    experiment, runs = watch.experiment, watch.config.runs
    experiment.require_memory(watch.chunk, watch.kept, "study.runs", runs)

    def make(part: range, advance: Progress | None) -> dict[str, Array]:
        output = experiment.simulate(runs=np.arange(part.start, part.stop), progress=advance)
        return observed(watch.scenario, output, watch.days)

    seen = joined(chunks(runs, watch.chunk, make, progress))
    sets = np.arange(runs) % experiment.count if experiment.count > 1 else np.arange(runs)
    every = [one.key for one in observables_of(watch.scenario)]
    names = [one.key for one in watch.observables]
    values = seen["values"][..., [every.index(name) for name in names]]
    learn = halves(sets, watch.config.seed)
    found = {}
    for event, rival in ((WAR, np.full(runs, NEVER)), (LULL, seen[WAR])):
        weeks = weeks_of(names, values, seen[event], rival, watch.days, sets, watch.horizon)
        if enough(weeks.of(learn)) and enough(weeks.of(~learn)):
            found[event] = warned(event, weeks.of(learn), weeks.of(~learn), watch.accepted)
    if not found:
        raise UserError("study.runs", runs, f"so many that in each half {FEWEST} or more have war, or a lull that ends")
    return found


def enough(weeks: Weeks) -> bool:
    """Whether there are histories with a week before the event, and with a week at risk that is none."""
    return all(int(np.any(one, axis=1).sum()) >= FEWEST for one in (weeks.came, weeks.risk & ~weeks.came))


def warned(event: str, learn: Weeks, judge: Weeks, accepted: float) -> Warned:
    """Learn from one half of the histories and judge by the other."""
    model, rule = learnt(learn), rule_of(learn, accepted)
    level = level_of(learn, model.probability(learn.names, learn.values), accepted)
    probability = model.probability(judge.names, judge.values)
    scores = {"model": judged(judge, probability, probability >= level)}
    if rule is not None:
        alarm = rule.alarm(judge.names, judge.values)
        scores["rule"] = judged(judge, alarm.astype(np.float64), alarm)
    _, came, sets = judge.rows()
    marks = probability[judge.risk]
    rows = reliability(marks, came, sets)
    return Warned(event, model, level, rule, scores, roc(marks, came), rows, float(came.mean()))


def today(watch: Watch, found: Mapping[str, Warned]) -> Iterator[dict[str, Any]]:
    """What a file shows on its last day, and what follows from it for each event; nothing without a file."""
    counts = watch.counts
    if counts is None:
        return
    last = int(counts.ends[-1])
    by_day = np.zeros((1, last + 1, len(watch.scenario.cast.targets)))
    for place, key in enumerate(watch.scenario.cast.targets):
        if key in counts.theatres:
            by_day[0, counts.ends[1:], place] = np.diff(counts.split[:, counts.theatres.index(key)])
    names = [one.key for one in watch.observables]
    values = attacks_seen(by_day, np.array([last]))[0, 0]
    calendar = watch.scenario.calendar
    over = bool(lull_end(by_day.sum(axis=2), calendar.strikes)[0] != NEVER)
    for event, one in found.items():
        lull = "over" if over else "to come" if last < calendar.strikes else "on"
        asked = event != LULL or lull == "on"
        probability = float(one.model.probability(names, values))
        yield {
            "event": event,
            "date": calendar.date_of(last).isoformat(),
            "before_report": last < calendar.report,
            "lull": lull,
            "probability": probability if asked else None,
            "alarm_of_model": probability >= one.level if asked else None,
            "alarm_of_rule": bool(one.rule.alarm(names, values)) if asked and one.rule is not None else None,
            **dict(zip(names, map(float, values), strict=True)),
        }
