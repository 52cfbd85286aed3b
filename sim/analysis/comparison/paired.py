"""Measures of a comparison, their paired differences under common random numbers, and regret.

What is compared is every outcome of a history, and attacks by theatre and by group, each with its good direction.

Two levels: parameters differ between draws, random numbers within one. Every history of a draw is paired with the
history of the other arm that has the same parameters and the same run number, and no run number is used in two draws,
so the draws are a nested design: variance between their means is that of the parameters plus 1/runs of that of single
histories. Source: Searle, Casella and McCulloch (1992), Variance Components, chapter 3, for the balanced one-way
layout.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import yaml

from sim.experiment.dataset import ACKNOWLEDGED, ATTACKS, outcome_values, outcomes_of, theatre_counts
from sim.experiment.formats import named
from sim.experiment.statistics import NORMAL_90, Array, Tally
from sim.model.conditions import Condition
from sim.model.scenario import Scenario
from sim.model.validation import UserError, one_of
from sim.rules.outcomes import CAMPAIGN, LATER, LULL, NEVER
from sim.rules.outcomes import WINDOWS as COUNTED_WINDOWS

if TYPE_CHECKING:
    from sim.engine.record import Output

Columns = dict[str, Array]

WORST: Final = "worst"
"""What a history with war loses where nothing is stated."""

LOWER: Final = -1
HIGHER: Final = 1

DIRECTIONS: Final = {
    **dict.fromkeys(
        ("deaths", "lethal_attacks", "injured", "attacks_campaign", "acknowledged_campaign", "attacks_lull",
         "acknowledged_lull", "war", "peak_war_risk", "peak_rung"), LOWER,
    ),
    **dict.fromkeys(
        ("first_death_day", "war_day", "first_attack_day", "resumption_day", "lull_days", "quiet_days"), HIGHER,
    ),
}  # fmt: skip
"""Whether less or more of an outcome is better: fewer attacks and deaths, a longer quiet, less danger of war.

Who strikes, orders or responds how often is a means, and has no direction.
"""

NOT_CENSORED: Final = frozenset({"war", "war_day", "peak_rung"})
"""What direct war does not cut short; of all else a history that it ends holds only what came before."""

UNTIL_WAR: Final = "attacks_until_war"
"""Attacks on the target after the day of the strikes, as a median: what the table of choices holds next to deaths."""

AT_LEAST: Final = (1, 5, 10, 50)
"""Sizes at which a heavy-tailed outcome becomes a chance: its mean depends on histories that may not have come."""

WINDOWS: Final = {
    "campaign": ((CAMPAIGN,), "before the strikes"),
    "lull": ((LULL,), "between the strikes and the report"),
    "after": ((LULL, LATER), "after the day of the strikes"),
}
"""Windows in which attacks are counted by theatre and group, each with what it holds of the engine's and its words."""


def direction_of(asked: Condition) -> int:
    """Whether it is better that a condition holds more or less often; 0 where its outcome has no direction.

    >>> from sim.model.conditions import read
    >>> direction_of(read("deaths >= 10", {"deaths": "soldiers"})), direction_of(read("deaths < 1", {"deaths": ""}))
    (-1, 1)
    """
    signs = {sign[0] for sign, _ in asked.tests}
    better = LOWER if asked.window is not None else DIRECTIONS.get(asked.outcome, 0)
    return better * {frozenset("<"): -1, frozenset(">"): 1, frozenset(): 1}.get(frozenset(signs), 0)


@dataclass(frozen=True)
class Measure:
    """One number of a history that is compared.

    `direction` is 1 where more is better, -1 where less is, 0 where neither; `kind` is outcome, theatre or group, and
    for the latter two `place` and `window` say where and when attacks are counted.
    """

    name: str
    text: str
    unit: str
    direction: int = 0
    heavy: bool = False
    kind: str = "outcome"
    place: str = ""
    window: str = ""

    @property
    def censored(self) -> bool:
        """Whether direct war, which ends a history, right-censors it; a condition is named by its outcome first."""
        return self.name.partition(" ")[0] not in NOT_CENSORED


def measures_of(scenario: Scenario) -> tuple[Measure, ...]:
    """Everything that a comparison looks at, in order."""
    wings, theatres, windows = len(scenario.cast.wings), len(scenario.cast.theatres), len(COUNTED_WINDOWS)
    no_run = dict.fromkeys(outcomes_of(scenario), np.zeros(0))
    found = _measured(scenario, no_run, np.zeros((wings, windows, 0)), np.zeros((theatres, windows, 2, 0)))
    return tuple(one for one, _ in found)


def war_losses(stated: Any, scenario: Scenario) -> dict[str, float]:
    """The loss by war: nothing for None or `worst`, else values by measures that are ranked and that war cuts.

    Values come as a mapping or as a text such as `{attacks_after: 500}`.
    """
    if stated in (None, WORST):
        return {}
    try:
        found = yaml.safe_load(stated.replace(":", ": ")) if isinstance(stated, str) else dict(stated)
    except (yaml.YAMLError, TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise UserError("compare.war_loss", stated, f"{WORST}, or values by measure such as {{attacks_after: 500}}")
    ranked = [one.name for one in measures_of(scenario) if one.direction and one.censored]
    for key, value in found.items():
        if str(key) not in ranked:
            raise UserError(f"compare.war_loss.{key}", value, f"measures that war cuts: {one_of(ranked, str(key))}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UserError(f"compare.war_loss.{key}", value, "a number in the unit of the measure")
    return {str(key): float(value) for key, value in found.items()}


def columns_of(scenario: Scenario, output: "Output") -> Columns:
    """Every measure (run,), in the order of `measures_of`; a day that never comes counts as the end of the calendar."""
    by_theatre, by_wing = theatre_counts(scenario, output), np.moveaxis(output.counts[..., ATTACKS], 0, -1)
    found = _measured(scenario, outcome_values(scenario, output, by_theatre), by_wing, by_theatre)
    return {one.name: values for one, values in found}


def _measured(
    scenario: Scenario, outcomes: Mapping[str, Array], by_wing: Array, by_theatre: Array
) -> Iterator[tuple[Measure, Array]]:
    """Every measure and its values (run,), from outcomes (run,), attacks (wing, window, run) and counts by theatre.

    Fewer attacks are better where they are on the target. Elsewhere fewer may only mean that direct war ended the
    history early.
    """
    cast, conditions = scenario.cast, {one.text: one for one in scenario.asked}
    for name, outcome in outcomes_of(scenario).items():
        text, values = named(outcome.text, cast), outcomes[name]
        direction = direction_of(conditions[name]) if name in conditions else DIRECTIONS.get(name, 0)
        if outcome.unit == "day":
            values = np.where(values == NEVER, scenario.calendar.days, values)
        yield Measure(name, text, outcome.unit, direction, outcome.heavy_tailed), values
        for least in AT_LEAST if outcome.heavy_tailed else ():
            one = Measure(f"{name}_{least}", f"{least} or more {text}", "probability", direction)
            yield one, (values >= least).astype(np.int8)
    struck = cast.target_places
    for name, words, which in (("attacks", "attacks", ATTACKS), ("acknowledged", "acknowledged attacks", ACKNOWLEDGED)):
        text = f"{words} on {cast.names.target} {WINDOWS['after'][1]}"
        counts = by_theatre[struck, :, which].sum(axis=0)
        yield Measure(f"{name}_after", text, "attacks", LOWER), _in_window(counts, "after")
        if which == ATTACKS:
            yield Measure(UNTIL_WAR, f"{text} (median)", "attacks", LOWER, heavy=True), _in_window(counts, "after")
    for place, (key, theatre) in enumerate(cast.theatres.items()):
        yield from _counted("theatre", key, theatre.name, by_theatre[place, :, ATTACKS], place in struck)
    wings = list(cast.wings.values())
    for group in dict.fromkeys(wing.group for wing in wings):
        mine = [place for place, wing in enumerate(wings) if wing.group == group]
        on_target = any(cast.theatres[wings[place].theatre].kind == "target" for place in mine)
        yield from _counted("group", group, group, by_wing[mine].sum(axis=0), on_target)


def _counted(kind: str, key: str, name: str, counts: Array, on_target: bool) -> Iterator[tuple[Measure, Array]]:
    """Attacks in a theatre or of a group in each window, from its counts (window, run)."""
    for window, (_, when) in WINDOWS.items():
        text = f"attacks {'in' if kind == 'theatre' else 'of'} {name} {when}"
        direction = LOWER if on_target else 0
        one = Measure(f"{kind}.{key}.{window}", text, "attacks", direction, False, kind, name, window)
        yield one, _in_window(counts, window)


def _in_window(counts: Array, window: str) -> Array:
    """Counts (window, run) summed over what a window of the comparison holds (run,)."""
    return np.asarray(counts[list(WINDOWS[window][0])].sum(axis=0))


def losses(measure: Measure, values: Array, war: Array, stated: float | None = None) -> Array:
    """Losses (arm, draw, run) of a measure with a direction, its values and whether war came likewise.

    Where war censors the measure, a history with war loses what one with the stated value does. Where none is stated it
    is worst: a chance counts as 1, all else as one worse than the worst history of the draw in any arm.
    """
    lost = np.asarray(values, dtype=np.float64) * -float(measure.direction)
    if not measure.censored:
        return lost
    if stated is not None:
        ended: Array | float = stated * -float(measure.direction)
    elif measure.unit == "probability":
        ended = 1.0
    else:
        ended = lost.max(axis=(0, 2), keepdims=True) + 1.0
    return np.where(np.asarray(war, dtype=bool), ended, lost)


@dataclass(frozen=True)
class Draws:
    """Pairs of one measure, draw by draw (D,): `a` the baseline, `b` the other arm, differences are b - a.

    `pairs`: how many are counted. Values and differences are means, or medians where the tail is heavy; NaN in a draw
    without a pair. Variances are within the draw; `couplable` is the covariance if all values of the two arms were
    paired by rank, the most that any pairing could give. `better`, `even`, `worse`: shares of all pairs by the loss of
    the scenario against that of the baseline, with the loss that war brings; NaN where no losses are given.
    """

    pairs: Array
    baseline_value: Array
    scenario_value: Array
    difference: Array
    variance_a: Array
    variance_b: Array
    variance: Array
    couplable: Array
    less: Array
    tie: Array
    more: Array
    better: Array
    even: Array
    worse: Array

    @classmethod
    def of(cls, a: Array, b: Array, heavy: bool, counted: Array | None = None, lost: Array | None = None) -> Self:
        """From the values of all pairs (draw, run), which of them are counted (None: all), losses (arm, draw, run).

        >>> a, b = np.array([[1.0, 9.0]]), np.array([[3.0, 0.0]])
        >>> Draws.of(a, b, False).difference.tolist()
        [-3.5]
        >>> Draws.of(a, b, False, np.array([[True, False]])).difference.tolist()
        [2.0]
        """
        a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        every = np.ones(a.shape, dtype=bool) if counted is None else np.asarray(counted, dtype=bool)
        none = np.full(len(a), np.nan)
        middle = _median if heavy else _mean
        judged = [none] * 3 if lost is None else [one.mean(axis=1) for one in _signs(lost[1] - lost[0])]
        parts = [
            every.sum(axis=1),
            *(middle(values, every) for values in (a, b, b - a)),
            *(_variance(values, every) for values in (a, b, b - a)),
            _covariance(np.sort(a, axis=1), np.sort(b, axis=1)) if counted is None else none,
            *(_mean(one.astype(np.float64), every) for one in _signs(b - a)),
            *judged,
        ]
        return cls(*parts)


def _signs(d: Array) -> tuple[Array, Array, Array]:
    return d < 0.0, d == 0.0, d > 0.0


def _mean(values: Array, counted: Array) -> Array:
    """Mean by row of what is counted; NaN where nothing is."""
    count = counted.sum(axis=1)
    total = np.where(counted, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _median(values: Array, counted: Array) -> Array:
    """Median by row of what is counted; NaN where nothing is."""
    rows = zip(values, counted, strict=True)
    return np.array([np.median(row[mine]) if mine.any() else np.nan for row, mine in rows])


def _variance(values: Array, counted: Array) -> Array:
    """Variance by row of what is counted; NaN where there are fewer than two."""
    count = counted.sum(axis=1)
    squares = np.where(counted, (values - _mean(values, counted)[:, None]) ** 2, 0.0).sum(axis=1)
    return np.divide(squares, count - 1, out=np.full(len(values), np.nan), where=count > 1)


def _covariance(a: Array, b: Array) -> Array:
    """Covariance by row (draw, run) -> (draw,)."""
    products = (a - a.mean(axis=1, keepdims=True)) * (b - b.mean(axis=1, keepdims=True))
    return np.asarray(products.sum(axis=1) / (a.shape[1] - 1))


NO_WAR: Final = "no_war_"
"""Before the names of what is counted among pairs without war in either arm."""
_ALL: Final = "all"
_PART: Final = "part"
_JUDGED: Final = "judged"


def _number(text: str, *of: str, share: bool = False) -> Any:
    """A number of an effect, NaN where it does not exist: what it is, its unit, and of which pairs it is given."""
    return field(default=math.nan, metadata={"of": of or (_ALL, _PART), "about": described(text, share)})


def described(text: str, share: bool = False) -> dict[str, str]:
    """The attributes of an array of numbers: what they are, and their unit."""
    return {"long_name": text, "units": "1" if share else "as the coordinate unit says"}


@dataclass(frozen=True)
class Effect:
    """What one arm changes against the baseline, in one measure, over all draws; NaN where a number does not exist.

    It is an effect of all pairs, or of those without war in either arm: then draws have the weights of their pairs, and
    the values of the two arms have intervals too. Each field says below what it is.
    """

    share: float = _number(
        "share of pairs without war in either arm; NaN for what war does not cut, as all that follow", _PART, share=True
    )
    baseline_value: float = _number("value under the baseline: mean over all draws, median where the tail is heavy")
    scenario_value: float = _number("value under the scenario, likewise")
    difference: float = _number("scenario minus baseline, paired")
    low: float = _number("5% quantile of the difference over draws; with a single draw, of its Monte Carlo estimate")
    high: float = _number("95% quantile, likewise")
    error: float = _number("Monte Carlo standard error of the difference")
    sd_between_draws: float = _number(
        "standard deviation of the difference between draws, without Monte Carlo noise", _ALL
    )
    sd_within_draw: float = _number("standard deviation of the difference between histories of one draw", _ALL)
    history_low: float = _number("5% quantile of the difference of single pairs of histories, all draws together", _ALL)
    history_high: float = _number("95% quantile, likewise", _ALL)
    less: float = _number("share of pairs in which the scenario has less than the baseline", share=True)
    tie: float = _number("share of pairs in which both have as much", share=True)
    more: float = _number("share of pairs in which the scenario has more than the baseline", share=True)
    draws_less: float = _number(
        "share of draws of which the difference lies below zero; NaN with a single draw", share=True
    )
    draws_same: float = _number("share of draws of which it is zero", share=True)
    draws_more: float = _number("share of draws of which it lies above zero", share=True)
    variance_reduction: float = _number(
        "share of the variance of unpaired samples that pairing removes at fixed parameters", _ALL, share=True
    )
    variance_reduction_bound: float = _number(
        "the most that it could remove: 2 r / (1 + r^2), r the ratio of standard deviations", _ALL, share=True
    )
    variance_reduction_rank_bound: float = _number(
        "the most that any pairing of these two distributions could remove: values paired by rank", _ALL, share=True
    )
    baseline_low: float = _number("5% quantile of the value under the baseline over draws", _PART)
    baseline_high: float = _number("95% quantile, likewise", _PART)
    scenario_low: float = _number("5% quantile of the value under the scenario over draws", _PART)
    scenario_high: float = _number("95% quantile, likewise", _PART)
    better: float = _number(
        "share of pairs in which the scenario does better, with the loss that war brings", _JUDGED, share=True
    )
    even: float = _number("share of pairs in which neither does better, likewise", _JUDGED, share=True)
    worse: float = _number("share of pairs in which the scenario does worse, likewise", _JUDGED, share=True)


def _numbers_of(scope: str) -> dict[str, dict[str, str]]:
    return {one.name: one.metadata["about"] for one in fields(Effect) if scope in one.metadata["of"]}


OF_ALL: Final = _numbers_of(_ALL)
OF_PART: Final = _numbers_of(_PART)
JUDGED: Final = _numbers_of(_JUDGED)
"""What is said of all pairs until war, of those without war, and of who does better: numbers with their attributes."""


def effect_of(draws: Draws, runs: int, single: Tally, heavy: bool) -> Effect:
    """The effect over all draws of `runs` pairs each; `single` tallies the differences of all pairs.

    Means and variances mean nothing where the tail is heavy: there the medians of the draws are given, and no spread.
    """
    d = draws.difference
    several = len(d) > 1
    middle = np.median if heavy else np.mean
    within = float(draws.variance.mean())
    between = float(d.var(ddof=1)) if several else math.nan
    error = math.sqrt(between / len(d) if several else within / runs)
    values = {name: float(middle(getattr(draws, name))) for name in ("baseline_value", "scenario_value", "difference")}
    found = dict(zip(("history_low", "history_high"), single.interval(), strict=True))
    if several:
        found |= dict(zip(("low", "high"), Tally.of(d).interval(), strict=True))
    elif not heavy:
        found |= _normal_interval(values["difference"], error)
    if not heavy:
        found |= {"error": error, "sd_within_draw": math.sqrt(within), **pairing(draws)}
        if several:
            found["sd_between_draws"] = math.sqrt(max(0.0, between - within / runs))
    shares = {name: float(getattr(draws, name).mean()) for name in ("less", "tie", "more")}
    return Effect(**values, **found, **shares, **_signs_of_draws(d, several))


def effect_without_war(draws: Draws, runs: int, heavy: bool) -> Effect:
    """The effect among pairs without war, which `draws` counts, over all draws of `runs` pairs each.

    Values are means over all such pairs, medians of the medians of the draws where the tail is heavy.
    """
    here, several = draws.pairs > 0, len(draws.pairs) > 1
    weight = draws.pairs[here]
    share = float(draws.pairs.sum() / (runs * len(draws.pairs)))
    judged = {name: float(getattr(draws, name).mean()) for name in JUDGED}
    if not here.any():
        return Effect(share=share, **judged)

    def over(name: str) -> float:
        values = getattr(draws, name)[here]
        return float(np.median(values) if heavy else np.average(values, weights=weight))

    found = {name: over(name) for name in ("baseline_value", "scenario_value", "difference")}
    d = draws.difference[here]
    if several:
        for name, ends in (("difference", ""), ("baseline_value", "baseline_"), ("scenario_value", "scenario_")):
            seen, place = np.unique(getattr(draws, name)[here], return_inverse=True)
            tally = Tally(seen, np.bincount(place, weights=weight).astype(np.int64))
            found |= dict(zip((f"{ends}low", f"{ends}high"), tally.interval(), strict=True))
    if len(d) > 1 and not heavy:
        # A ratio of two sums over draws, differences and pairs: Cochran (1977), Sampling Techniques, section 6.3.
        residual = weight * (d - found["difference"])
        found["error"] = math.sqrt(len(d) / (len(d) - 1) * float((residual**2).sum())) / float(weight.sum())
    elif not several and not heavy and weight[0] > 1:
        found["error"] = math.sqrt(draws.variance[0] / weight[0])
        found |= _normal_interval(float(d[0]), found["error"])
    shares = {name: float(np.average(getattr(draws, name)[here], weights=weight)) for name in ("less", "tie", "more")}
    return Effect(share=share, **found, **shares, **_signs_of_draws(d, several), **judged)


def _normal_interval(middle: float, error: float) -> dict[str, float]:
    return {"low": middle - NORMAL_90 * error, "high": middle + NORMAL_90 * error}


def _signs_of_draws(d: Array, several: bool) -> dict[str, float]:
    """Shares of draws of which the difference lies below, at and above zero; none of a single draw."""
    names = ("draws_less", "draws_same", "draws_more") if several else ()
    return {name: float(one.mean()) for name, one in zip(names, _signs(d), strict=False)}


def pairing(draws: Draws) -> dict[str, float]:
    """Shares of the variance of two unpaired samples: what pairing removes, could remove at most, and what any can.

    1 - Var(b - a) / (Var a + Var b);  2 sd(a) sd(b) / (Var a + Var b), for one draw 2 r / (1 + r^2) with r the ratio of
    the standard deviations;  the same with the covariance of values paired by rank. Each sum runs over the draws.
    Source: Owen (2013), Monte Carlo theory, methods and examples, chapter 8; Hoeffding (1940) for pairing by rank.

    Nothing where neither arm varies.
    """
    unpaired = float((draws.variance_a + draws.variance_b).sum())
    if unpaired == 0.0:
        return {}
    most = 2.0 * float(np.sqrt(draws.variance_a * draws.variance_b).sum())
    return {
        "variance_reduction": 1.0 - float(draws.variance.sum()) / unpaired,
        "variance_reduction_bound": most / unpaired,
        "variance_reduction_rank_bound": 2.0 * float(draws.couplable.sum()) / unpaired,
    }


@dataclass(frozen=True)
class Regrets:
    """How much worse each scenario is, draw by draw, than the best of that draw (S, D); the Monte Carlo error (S, D).

    Scenarios are what can be chosen, draws are what cannot be known. The least expected regret over the choices is what
    it would be worth to know the parameters before choosing (the expected value of perfect information).
    Source: Savage (1951), The theory of statistical decision, for regret; Raiffa and Schlaifer (1961) for its value.
    """

    regret: Array
    error: Array

    @classmethod
    def of(cls, losses: Array) -> Self:
        """From losses (scenario, draw, run), all under common random numbers; a loss is what had better be less.

        >>> Regrets.of(np.array([[[1.0, 3.0]], [[1.0, 1.0]]])).regret
        array([[1.],
               [0.]])
        """
        losses = np.asarray(losses, dtype=np.float64)
        means = losses.mean(axis=2)
        best = means.argmin(axis=0)
        excess = losses - losses[best, np.arange(losses.shape[1])]
        return cls(means - means.min(axis=0), excess.std(axis=2, ddof=1) / np.sqrt(losses.shape[2]))

    def over_draws(self) -> dict[str, Array]:
        """The numbers of `REGRETS` of every scenario (S,)."""
        return {
            "expected": self.regret.mean(axis=1),
            "worst": self.regret.max(axis=1),
            "best": (self.regret == 0.0).mean(axis=1),
            "error": self.error.mean(axis=1),
        }


REGRETS: Final = {
    "expected": "regret on average over draws, with the loss that war brings",
    "worst": "largest regret of any draw",
    "best": "share of draws in which no scenario does better",
    "error": "standard error that Monte Carlo noise leaves in the regret of one draw, on average",
}
"""What is said of a scenario's regret. A worst regret of the size of the error says nothing."""
