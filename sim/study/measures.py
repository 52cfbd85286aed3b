"""How each pattern is measured: one function a measure, named in the configuration of patterns.

A measure reads the evidence and the pattern's limits and says what the model gives, in words and figures, and whether
that lies within the limits.
"""

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.rules.outcomes import CAMPAIGN, LULL, NEVER
from sim.study.evidence import Evidence, UnmeasurableError
from sim.world.patterns import Pattern

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[Any]


class Finding(NamedTuple):
    """What the model gives, what is allowed, whether they agree, and how many histories or pairs show it (a share)."""

    model: str
    tolerance: str
    holds: bool
    share: float = math.nan


def campaign_count(evidence: Evidence, pattern: Pattern) -> Finding:
    """Median of acknowledged attacks on the target before the strikes."""
    counts = evidence.main["acknowledged_campaign"].values
    low, high = pattern.limits["median_low"], pattern.limits["median_high"]
    middle = float(np.median(counts))
    band = np.quantile(counts, [0.05, 0.95])
    return Finding(
        f"median {middle:.0f} (90% {band[0]:.0f} to {band[1]:.0f})",
        f"median {low:g} to {high:g}",
        low <= middle <= high,
        share_within(counts, low, high),
    )


def lull_none(evidence: Evidence, pattern: Pattern) -> Finding:
    """Probability of no acknowledged attack in the theatres named, between the strikes and the report."""
    chance = float((in_lull(evidence.main, pattern) == 0).mean())
    least = pattern.limits["probability_low"]
    return Finding(f"none in {chance:.0%} of runs", f"at least {least:.0%}", chance >= least, chance)


def lull_few(evidence: Evidence, pattern: Pattern) -> Finding:
    """Median and probability of a small number of acknowledged attacks between the strikes and the report."""
    counts = in_lull(evidence.main, pattern)
    low, high, least = (pattern.limits[name] for name in ("low", "high", "probability_low"))
    middle, chance = float(np.median(counts)), float(((counts >= low) & (counts <= high)).mean())
    return Finding(
        f"median {middle:.0f}; {low:g} to {high:g} in {chance:.0%}",
        f"median {low:g} to {high:g}, or so many in {least:.0%}",
        low <= middle <= high or chance >= least,
        chance,
    )


def lethal_share(evidence: Evidence, pattern: Pattern) -> Finding:
    """Chance that an attack kills, in closed form, against the exact interval for what was counted.

    Where parameters differ from history to history it is the median of that chance.
    """
    shares = lethal_shares(evidence)
    share = float(np.median(shares))
    lethal, attacks, level = (pattern.limits[name] for name in ("lethal", "attacks", "level"))
    low, high = exact_interval(int(lethal), int(attacks), level)
    return Finding(
        f"one in {1.0 / share:.0f}" if share > 0.0 else "never",
        f"one in {1.0 / high:.0f} to {1.0 / low:.0f}",
        bool(low <= share <= high),
        share_within(shares, low, high),
    )


def lethal_shares(evidence: Evidence) -> Array:
    """Chance that an attack kills, for each draw of the parameters (draws,)."""
    casualties, design = evidence.scenario.parameters.casualties, evidence.drawn.design(evidence.scenario)
    through = design.get("casualties.penetration", np.full(1, casualties.penetration))
    return np.asarray(through * design.get("casualties.lethality", np.full(1, casualties.lethality)))


def campaign_responses(evidence: Evidence, pattern: Pattern) -> Finding:
    """Acknowledged attacks per limited or leader response, and what such a response does to the next days' attacks.

    The paired ratio compares the same histories with and without the response. The naive ratio, after against before
    the responses as they came, is shown beside it: responses follow bad days, so it falls below 1 by itself.
    """
    limits = pattern.limits
    ratios = evidence.main["attacks_per_response"].values
    each = float(np.median(ratios))
    paired, naive = paired_ratio(evidence, int(limits["days"])), naive_ratio(evidence, int(limits["days"]))
    return Finding(
        f"1 in {each:.1f}; rate after, paired {paired:.2f} (naive {naive:.2f})",
        f"1 in {limits['ratio_low']:g} to {limits['ratio_high']:g}; "
        f"paired {limits['rate_low']:g} to {limits['rate_high']:g}",
        limits["ratio_low"] <= each <= limits["ratio_high"] and limits["rate_low"] <= paired <= limits["rate_high"],
        share_within(ratios, limits["ratio_low"], limits["ratio_high"]),
    )


def paired_ratio(evidence: Evidence, days: int) -> float:
    """Mean attacks on the target in the days after a limited response in mid-campaign, with over without."""
    day = evidence.scenario.calendar.strikes // 2
    after = slice(day + 1, day + 1 + days)
    struck = evidence.forced_strike(day, "limited", after.stop)[:, after].sum()
    spared = evidence.forced_strike(day, "limited_held", after.stop)[:, after].sum()
    return float(struck / spared) if spared else float("inf")


def naive_ratio(evidence: Evidence, days: int) -> float:
    """Attacks on the target in the days after limited responses, over those in as many days before; NaN for none."""
    strikes = evidence.scenario.calendar.strikes
    attacks, limited = evidence.traced(strikes)
    before, after = 0.0, 0.0
    for run, day in zip(*np.nonzero(limited), strict=True):
        if days <= day + 1 and day + 1 + days <= strikes:
            before += attacks[run, day + 1 - days : day + 1].sum()
            after += attacks[run, day + 1 : day + 1 + days].sum()
    return after / before if before else float("nan")


def major_delay(evidence: Evidence, pattern: Pattern) -> Finding:
    """Median days from the first deaths to the first major response, in histories that arise freely."""
    deaths, major = evidence.free["first_death_day"].values, evidence.free["major_day"].values
    both = (deaths != NEVER) & (major != NEVER)
    low, high = pattern.limits["median_low"], pattern.limits["median_high"]
    tolerance = f"median {low:g} to {high:g} days"
    if not both.any():
        return Finding("no major response", tolerance, False, 0.0)
    delays = major[both] - deaths[both]
    middle = float(np.median(delays))
    return Finding(f"median {middle:.0f} days", tolerance, low <= middle <= high, share_within(delays, low, high))


def continuity(evidence: Evidence, pattern: Pattern) -> Finding:
    """Attacks a day in the lull against the campaign, theatre by theatre."""
    calendar = evidence.scenario.calendar
    if not calendar.campaign or not calendar.lull:
        raise UnmeasurableError("no days before the strikes, or none between them and the report")
    counts = evidence.main["theatre_attacks"].sel(theatre=list(pattern.theatres)).values.astype(np.float64)
    campaign = counts[..., CAMPAIGN] / len(calendar.campaign)
    lull = counts[..., LULL] / len(calendar.lull)
    change = lull.mean(axis=0) / campaign.mean(axis=0) - 1.0
    most = pattern.limits["change_high"]
    same = (np.abs(lull - campaign) <= most * campaign).all(axis=1).mean()
    words = ", ".join(f"{name} {one:+.0%}" for name, one in zip(theatre_names(evidence, pattern), change, strict=True))
    return Finding(words, f"within {most:.0%}", bool((np.abs(change) <= most).all()), float(same))


def compliance_lag(evidence: Evidence, pattern: Pattern) -> Finding:
    """Median days until the wings named comply, against the others; a wing that never does counts as later than all."""
    lags = {name: float(np.median(days_of(evidence.main, name))) for name in (*pattern.wings, *pattern.others)}
    earliest, latest = min(lags[name] for name in pattern.wings), max(lags[name] for name in pattern.others)
    words = ", ".join(told_days(lags[name]) for name in pattern.wings)
    others = ", ".join(told_days(lags[name]) for name in pattern.others)
    each = {name: days_of(evidence.main, name) for name in lags}
    soonest, last = (np.stack([each[name] for name in names]) for names in (pattern.wings, pattern.others))
    later = soonest.min(axis=0) > last.max(axis=0)
    return Finding(
        f"{words} against {others} days",
        f"longer by more than {pattern.limits['difference_low']:g}",
        earliest - latest > pattern.limits["difference_low"] if np.isfinite(latest) else False,
        float(later.mean()),
    )


def war_in_window(evidence: Evidence, pattern: Pattern) -> Finding:
    """Probability of direct war before the report, in histories that arise freely."""
    chance = float((evidence.free["war_day"].values != NEVER).mean())
    most = pattern.limits["probability_high"]
    return Finding(f"{chance:.1%}", f"at most {most:.0%}", chance <= most, 1.0 - chance)


def leash(evidence: Evidence, pattern: Pattern) -> Finding:
    """Whether a tight leash shortens the lag and lowers attacks after the order, and its opposite does the reverse.

    Probabilities are shares of the paired histories that differ at all: few attacks leave many ties.
    """
    tight, loose = pattern.scenario
    signs = [*leash_signs(evidence, tight, -1.0), *leash_signs(evidence, loose, 1.0)]
    least = pattern.limits["probability_low"]
    words = "tight: sooner {:.0%}, fewer {:.0%}; loose: later {:.0%}, more {:.0%}".format(*signs)
    return Finding(words, f"each at least {least:.0%} of pairs that differ", min(signs) >= least, min(signs))


def leash_signs(evidence: Evidence, name: str, sign: float) -> tuple[float, float]:
    """Shares of differing pairs in which the lag, and the attacks on the target in the lull, move the way of `sign`."""
    departed = evidence.departed(name)
    arm = evidence.ensemble(departed, evidence.lull_end)
    base = evidence.baseline(departed.free_from, evidence.lull_end)
    lag = total_lag(arm, evidence.lull_end) - total_lag(base, evidence.lull_end)
    attacks = arm["attacks_lull"].values.astype(float) - base["attacks_lull"].values
    return share_of_differing(lag * sign), share_of_differing(attacks * sign)


def offensive(evidence: Evidence, pattern: Pattern) -> Finding:
    """Paired mean difference of attacks after the report in the theatres named, in standard errors."""
    departed = evidence.departed(pattern.scenario[0])
    last = max(event.last for event in evidence.departing_events(departed, "multiplier")) + 1
    arm = evidence.ensemble(departed, last)
    base = evidence.baseline(departed.free_from, last)
    least = pattern.limits["standard_errors"]
    later = {"theatre": list(pattern.theatres), "window": "later"}
    difference = arm["theatre_attacks"].sel(later).values.astype(float) - base["theatre_attacks"].sel(later).values
    mean, error = difference.mean(axis=0), difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
    words = ", ".join(f"{name} {one:+.1f}" for name, one in zip(theatre_names(evidence, pattern), mean, strict=True))
    more = float((difference > 0.0).mean(axis=0).min())
    return Finding(f"{words} attacks", f"above zero by {least:g} errors", bool((mean > least * error).all()), more)


def leaders_spared(evidence: Evidence, pattern: Pattern) -> Finding:
    """Probability that at least one chance to strike a leader is declined in the lull."""
    chance = float((evidence.main["leaders_spared"].values > 0).mean())
    least = pattern.limits["probability_low"]
    return Finding(f"in {chance:.0%} of runs", f"at least {least:.0%}", chance >= least, chance)


def fragility(evidence: Evidence, pattern: Pattern) -> Finding:
    """Whether the end of the lull is open: neither (nearly) all have ended early nor (nearly) none ends at all."""
    early, most = pattern.limits["early_day"], pattern.limits["share_high"]
    words, open_ended = [], True
    resumed = evidence.main["resumption_day"].values
    neither = float(((resumed > early) & (resumed != NEVER)).mean())
    for name, text in (("first_attack_day", "first attack"), ("resumption_day", "resumed")):
        day = evidence.main[name].values
        ended, never = float(((day != NEVER) & (day <= early)).mean()), float((day == NEVER).mean())
        words.append(
            f"{text} by {spoken(evidence.scenario.calendar.date_of(int(early)))}: {ended:.0%}, never {never:.0%}"
        )
        open_ended = open_ended and ended <= most and never <= most
    return Finding("; ".join(words), f"neither above {most:.0%}", open_ended, neither)


def ceasefire(evidence: Evidence, pattern: Pattern) -> Finding:
    """Attacks on the target while the rival's war pauses, and their rate in two weeks after against two before."""
    departed = evidence.departed(pattern.scenario[0])
    pause = evidence.departing_events(departed, "intensity")[0]
    stretch = int(pattern.limits["days"])
    arm = evidence.ensemble(departed, pause.last + 1 + stretch, daily=True)["attacks_by_day"]
    gated = [name for name, one in evidence.scenario.cast.theatres.items() if one.kind == "target"]
    attacks = arm.sel(theatre=gated).sum("theatre").values.astype(float)
    each = attacks[:, pause.first : pause.last + 1].sum(axis=1)
    inside = each.sum()
    before, after = attacks[:, pause.first - stretch : pause.first].mean(), attacks[:, pause.last + 1 :].mean()
    change, most = after / before - 1.0 if before else float("inf"), pattern.limits["change_high"]
    return Finding(
        f"{inside:.0f} inside; after {change:+.0%}",
        f"0 inside; after within {most:.0%}",
        inside == 0 and abs(change) <= most,
        float((each == 0).mean()),
    )


def exact_interval(hits: int, trials: int, level: float) -> tuple[float, float]:
    """Clopper and Pearson's interval for a probability, from `hits` among `trials`.

    The tails are those of beta distributions; scipy.stats has the same and takes a second to import.
    """
    tail = (1.0 - level) / 2.0
    from scipy import special

    low = special.betaincinv(hits, trials - hits + 1, tail) if hits > 0 else 0.0
    high = special.betaincinv(hits + 1, trials - hits, 1.0 - tail) if hits < trials else 1.0
    return float(low), float(high)


MEASURES: Final[Mapping[str, Callable[[Evidence, Pattern], Finding]]] = {
    one.__name__: one
    for one in (
        campaign_count, lull_none, lull_few, lethal_share, campaign_responses, major_delay, continuity, compliance_lag,
        war_in_window, leash, offensive, leaders_spared, fragility, ceasefire,
    )
}  # fmt: skip
"""Measures by the name that the configuration uses."""

OF_ONE_HISTORY: Final = frozenset(
    one.__name__
    for one in (
        campaign_count, lull_none, lull_few, lethal_share, campaign_responses, major_delay, compliance_lag,
        leaders_spared,
    )
)  # fmt: skip
"""Measures of something that the documented history showed once, so that a predictive band can hold it."""

OF_THE_MAIN: Final = frozenset(
    one.__name__
    for one in (
        campaign_count, lull_none, lull_few, lethal_share, continuity, compliance_lag, leaders_spared, fragility,
    )
)  # fmt: skip
"""Measures that ask the main ensemble alone; the others live histories of their own."""


def in_lull(data: "xr.Dataset", pattern: Pattern) -> Array:
    """Acknowledged attacks between the strikes and the report in the theatres named (run,)."""
    place = {"theatre": list(pattern.theatres), "window": "lull"}
    return np.asarray(data["theatre_acknowledged"].sel(place).sum("theatre").values)


def days_of(data: "xr.Dataset", wing: str) -> Array:
    """Lag of one wing (run,) in days; infinite where it never complied."""
    lag = data["compliance_lag"].sel(wing=wing).values
    return np.where(lag == NEVER, np.inf, lag)


def total_lag(data: "xr.Dataset", horizon: int) -> Array:
    """Sum over the wings that attack the target of their lags (run,); never counts as the horizon."""
    kinds = dict(zip(data["theatre"].values, data["theatre_kind"].values, strict=True))
    on_target = [kinds[place] == "target" for place in data["wing_theatre"].values]
    lag = data["compliance_lag"].values[:, on_target]
    return np.asarray(np.where(lag == NEVER, horizon, lag).sum(axis=1), dtype=float)


def share_within(values: Array, low: float, high: float) -> float:
    """Share of the values from low to high; 0 where there are none.

    >>> share_within(np.array([1, 2, 7]), 2, 7) > share_within(np.array([]), 2, 7) == 0.0
    True
    """
    return float(((values >= low) & (values <= high)).mean()) if len(values) else 0.0


def share_of_differing(difference: Array) -> float:
    """Share of the non-zero differences that are above zero; 0 where none differs."""
    differing = difference[difference != 0.0]
    return float((differing > 0.0).mean()) if len(differing) else 0.0


def theatre_names(evidence: Evidence, pattern: Pattern) -> list[str]:
    """What the theatres of a pattern are called."""
    return [evidence.scenario.cast.theatres[key].name for key in pattern.theatres]


def told_days(days: float) -> str:
    """A number of days in words."""
    return f"{days:.0f}" if np.isfinite(days) else "never"


def spoken(day: date) -> str:
    """A date without its year.

    >>> spoken(date(2024, 3, 5))
    '5 Mar'
    """
    return f"{day.day} {day:%b}"
