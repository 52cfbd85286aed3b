"""Pattern-oriented validation: what the article reports, what the model gives, and whether it lies within tolerance.

Each pattern has a measure: a function named in the configuration of patterns, which reads the evidence and the
pattern's limits and says what the model gives, in words and figures, and whether that lies within the limits.

The evidence is the main ensemble, the free history, and pairs that differ in one thing. Pairs have common random
numbers run by run. Both arms are pinned up to the day on which the departing one departs and free from then on;
comparing with the fully pinned baseline would confound the departure with the pins that fall away.

The patron's order and the target's strikes fell in the same days, so the calm cannot tell them apart. A model could
still decide for one by its priors; the prior predictive probability of the calm under rival explanations says how far.
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import yaml

from sim.engine.inputs import build_inputs
from sim.engine.record import Output, OutputSpec
from sim.experiment.dataset import dataset_of
from sim.experiment.parameter_sets import DEFAULTS, ParameterSets, drawn_of, lethal_chance, prior_design
from sim.experiment.runner import Arm, Experiment, ensemble
from sim.experiment.statistics import Array, interval_90
from sim.model.package_data import data_folder
from sim.model.patterns import Pattern
from sim.model.scenario import Config, Scenario, load, overlay
from sim.model.timeline import Event
from sim.model.validation import UserError, one_of
from sim.rules.outcomes import CAMPAIGN, LULL, NEVER

if TYPE_CHECKING:
    import xarray as xr


class Finding(NamedTuple):
    """What the model gives, what is allowed, whether they agree, and how many histories or pairs show it (a share)."""

    model: str
    tolerance: str
    holds: bool
    share: float = math.nan


def campaign_count(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Median of acknowledged attacks on the target before the strikes."""
    counts = evidence.main["acknowledged_campaign"].values
    low, high = pattern.limits["median_low"], pattern.limits["median_high"]
    middle = float(np.median(counts))
    band = interval_90(counts)
    return Finding(
        f"median {middle:.0f} (90% {band[0]:.0f} to {band[1]:.0f})",
        f"median {low:g} to {high:g}",
        low <= middle <= high,
        share_within(counts, low, high),
    )


def lull_none(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Probability of no acknowledged attack in the theatres named, between the strikes and the report."""
    return with_profile(often(in_lull(evidence.main, pattern) == 0, pattern, "none in"), evidence, pattern)


def lull_few(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Median and probability of a small number of acknowledged attacks between the strikes and the report."""
    counts = in_lull(evidence.main, pattern)
    low, high, least = (pattern.limits[name] for name in ("low", "high", "probability_low"))
    middle, chance = float(np.median(counts)), float(((counts >= low) & (counts <= high)).mean())
    found = Finding(
        f"median {middle:.0f}; {low:g} to {high:g} in {chance:.0%}",
        f"median {low:g} to {high:g}, or so many in {least:.0%}",
        low <= middle <= high or chance >= least,
        chance,
    )
    return with_profile(found, evidence, pattern)


def with_profile(found: Finding, evidence: "Evidence", pattern: Pattern) -> Finding:
    """The same, and attacks do not come back while the order stands: the lull's second half against its first.

    Acknowledged attacks a day; a rise within two standard errors counts as none.
    """
    days = evidence.lull_days.sel(theatre=list(pattern.theatres)).sum("theatre").values.astype(np.float64)
    half = days.shape[1] // 2
    if half == 0:
        raise UnmeasurableError("no days between the strikes and the report")
    first, second = days[:, :half].mean(axis=1), days[:, -half:].mean(axis=1)
    rise = second - first
    error = 2.0 * float(rise.std(ddof=1)) / math.sqrt(len(rise))
    most = pattern.limits["rise_high"] * float(first.mean())
    return found._replace(
        model=f"{found.model}; {first.mean():.2g}, then {second.mean():.2g} a day",
        tolerance=f"{found.tolerance}; a rise of at most {pattern.limits['rise_high']:.0%}",
        holds=found.holds and float(rise.mean()) <= most + error,
    )


def lethal_once(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Probability that exactly one of so many attacks kills, in closed form: n q (1 - q)^(n - 1).

    Where parameters differ from history to history it is the mean over them.
    """
    shares = lethal_chance(evidence.scenario, evidence.drawn.design(evidence.scenario))
    attacks, least = pattern.limits["attacks"], pattern.limits["probability_low"]
    chance = float((attacks * shares * (1.0 - shares) ** (attacks - 1.0)).mean())
    return Finding(
        f"exactly one in {attacks:g} with {chance:.0%}", f"at least {least:.0%} (at best 37%)", chance >= least, chance
    )


def campaign_responses(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Acknowledged attacks per limited or leader response, and what such a response does to the next days' attacks.

    The paired ratio compares the same histories with and without one strike on every wing, so that an effect of strikes
    would show. The naive ratio, after against before the responses as they came, is shown next to it: responses follow
    bad days, so it falls below 1 by itself.
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


def paired_ratio(evidence: "Evidence", days: int) -> float:
    """Mean attacks on the target in the days after a strike on every wing in mid-campaign, with over without."""
    day = evidence.scenario.calendar.strikes // 2
    after = slice(day + 1, day + 1 + days)
    struck, without = (evidence.struck_everywhere(day, strikes, after.stop)[:, after].sum() for strikes in (1.0, 0.0))
    return float(struck / without) if without else float("inf")


def naive_ratio(evidence: "Evidence", days: int) -> float:
    """Attacks on the target in the days after limited responses, over those in as many days before; NaN for none."""
    strikes = evidence.scenario.calendar.strikes
    attacks, limited = evidence.traced(strikes)
    so_far = np.pad(attacks.astype(np.int64).cumsum(axis=1), ((0, 0), (1, 0)))
    run, day = np.nonzero(limited)
    inside = (days <= day + 1) & (day + 1 + days <= strikes)
    run, after_day = run[inside], day[inside] + 1
    before = int((so_far[run, after_day] - so_far[run, after_day - days]).sum())
    after = int((so_far[run, after_day + days] - so_far[run, after_day]).sum())
    return after / before if before else float("nan")


def major_delay(evidence: "Evidence", pattern: Pattern) -> Finding:
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


def continuity(evidence: "Evidence", pattern: Pattern) -> Finding:
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


def compliance_lag(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Median days until the wings named comply, against the others; a wing that never does counts as later than all."""
    days = {name: days_of(evidence.main, name) for name in (*pattern.wings, *pattern.others)}
    lags, others = ([float(np.median(days[name])) for name in names] for names in (pattern.wings, pattern.others))
    apart, least = (
        (min(lags) - max(others) if np.isfinite(max(others)) else -math.inf),
        pattern.limits["difference_low"],
    )
    soonest, last = (np.stack([days[name] for name in names]) for names in (pattern.wings, pattern.others))
    later = soonest.min(axis=0) > last.max(axis=0)
    words, other_words = (
        ", ".join(f"{one:.0f}" if np.isfinite(one) else "never" for one in medians) for medians in (lags, others)
    )
    return Finding(
        f"{words} against {other_words} days", f"longer by more than {least:g}", apart > least, float(later.mean())
    )


def war_in_window(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Probability of direct war before the report, in histories that arise freely."""
    chance = float((evidence.free["war_day"].values != NEVER).mean())
    most = pattern.limits["probability_high"]
    return Finding(f"{chance:.1%}", f"at most {most:.0%}", chance <= most, 1.0 - chance)


def leash(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Whether a tight leash shortens the lag and lowers attacks after the order, and its opposite does the reverse.

    Shares of all paired histories, those in which nothing differs included.
    """
    tight, loose = pattern.scenario
    shares = [*leash_shares(evidence, tight, -1.0), *leash_shares(evidence, loose, 1.0)]
    most = pattern.limits["wrong_high"]
    names = ("tight: sooner", "fewer", "loose: later", "more")
    words = (
        f"{name} {right:.0%} (the reverse {wrong:.0%})" for name, (right, wrong) in zip(names, shares, strict=True)
    )
    holds = all(right > wrong and wrong <= most for right, wrong in shares)
    return Finding(
        "; ".join(words), f"the reverse in at most {most:.0%} of all pairs, and rarer", holds,
        min(right for right, _ in shares),
    )  # fmt: skip


def leash_shares(evidence: "Evidence", name: str, sign: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Shares of pairs in which the lag, and the attacks in the lull, move the way of `sign`, and the other way."""
    departed = evidence.departed(name)
    arm = evidence.ensemble(departed, evidence.lull_end, ON_TARGET)
    base = evidence.baseline(departed.free_from, evidence.lull_end, ON_TARGET)
    lag = total_lag(arm, evidence.lull_end) - total_lag(base, evidence.lull_end)
    attacks = arm["attacks_lull"].values.astype(float) - base["attacks_lull"].values
    lags, counts = (
        (float((moved * sign > 0.0).mean()), float((moved * sign < 0.0).mean())) for moved in (lag, attacks)
    )
    return lags, counts


def leader_strikes_declined(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Probability that at least one chance to strike a leader is declined in the lull."""
    return often(evidence.main["leader_strikes_declined"].values > 0, pattern, "in")


OPEN_AFTER: "Final" = {"resumption_day": (30, 60, 90, 180), "first_attack_day": (30, 60, 90)}
"""Days after the strikes, or the report, after which the lull may or may not have ended."""


def fragility(evidence: "Evidence", pattern: Pattern) -> Finding:
    """Whether the priors leave open how long the lull lasts: chances without war, over draws of the priors."""
    low, high = pattern.limits["share_low"], pattern.limits["share_high"]
    calendar, data = evidence.scenario.calendar, evidence.over_prior
    peace = data["war_day"].values == NEVER
    found, words = [], []
    origins = (("resumed", calendar.strikes), ("first attack", calendar.report))
    for (text, origin), (name, ahead) in zip(origins, OPEN_AFTER.items(), strict=True):
        day = data[name].values[peace]
        here = [days for days in ahead if origin + days < calendar.days]
        shares = [float(((day == NEVER) | (day - origin > days)).mean()) for days in here]
        found += shares
        later = (f"{days} days {one:.0%}" for days, one in zip(here, shares, strict=True))
        words.append(f"{text} after more than {', '.join(later)}")
    if not found:
        raise UnmeasurableError("the calendar ends too early")
    holds = all(low <= one <= high for one in found)
    return Finding("; ".join(words), f"each {low:.0%} to {high:.0%} over the priors", holds, min(found))


MEASURES: "Final[Mapping[str, Callable[[Evidence, Pattern], Finding]]]" = {
    one.__name__: one
    for one in (
        campaign_count, lull_none, lull_few, lethal_once, campaign_responses, major_delay, continuity, compliance_lag,
        war_in_window, leash, leader_strikes_declined, fragility,
    )
}  # fmt: skip
"""Measures by the name that the configuration uses."""

OF_ONE_HISTORY: Final = frozenset(
    one.__name__
    for one in (
        campaign_count, lull_none, lull_few, lethal_once, campaign_responses, major_delay, compliance_lag,
        leader_strikes_declined,
    )
)  # fmt: skip
"""Measures of something that the documented history showed once, so that a predictive band can hold it."""

OF_THE_MAIN: Final = frozenset(
    one.__name__
    for one in (
        campaign_count, lethal_once, continuity, compliance_lag, leader_strikes_declined,
    )
)  # fmt: skip
"""Measures that ask the main ensemble alone; the others live histories of their own."""


def often(happens: Array, pattern: Pattern, words: str) -> Finding:
    """How many runs show it (run,), and whether these are as many as the pattern asks for."""
    chance, least = float(happens.mean()), pattern.limits["probability_low"]
    return Finding(f"{words} {chance:.0%} of runs", f"at least {least:.0%}", chance >= least, chance)


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


def theatre_names(evidence: "Evidence", pattern: Pattern) -> list[str]:
    """What the theatres of a pattern are called."""
    return [evidence.scenario.cast.theatres[key].name for key in pattern.theatres]


ON_TARGET: Final = OutputSpec(weekly=False, elsewhere=False)
DAY_BY_DAY: Final = replace(ON_TARGET, daily=True, lags=False)
RUN_DAYS: Final = replace(ON_TARGET, states=("attacks", "limited"), lags=False)
"""What measures read of the histories that they simulate; elsewhere is what is outside the theatres of the target."""
PAIRED_RUNS = 2000
"""Histories in each arm of a pair and in the free ensemble: enough for a probability within 0.04 at four errors."""
TRACED_RUNS = 500
"""Histories whose every day is looked at for the naive ratio."""


class UnmeasurableError(ValueError):
    """The configuration leaves nothing to measure a pattern on; says why, fit to be shown."""


@dataclass(frozen=True)
class Evidence:
    """A configuration with its main ensemble; everything else is simulated when first asked for.

    `drawn` are the parameters that its histories have; `progress` is called with numbers of finished histories. `runs`
    are the histories of each arm of a pair and of the free ensemble; None: PAIRED_RUNS.
    """

    config: Config
    main: "xr.Dataset"
    drawn: ParameterSets = DEFAULTS
    progress: Callable[[int], None] | None = field(default=None, repr=False)
    runs: int | None = None
    _baselines: "dict[tuple[int | None, int, OutputSpec], xr.Dataset]" = field(default_factory=dict, repr=False)

    @property
    def scenario(self) -> Scenario:
        """The scenario that is judged."""
        return self.config.scenario

    @property
    def lull_end(self) -> int:
        """Number of days up to and with the report."""
        return self.scenario.calendar.report + 1

    @cached_property
    def free(self) -> "xr.Dataset":
        """Histories with nothing pinned, up to the report."""
        return self.ensemble(replace(self.scenario, free_from=0), self.lull_end, ON_TARGET)

    def departed(self, name: str) -> Scenario:
        """The judged scenario with what another scenario file changes put on top.

        Raises:
            UserError: there is no such scenario.
            UnmeasurableError: it does not fit this configuration, for example because the calendar ends too early.
        """
        try:
            return overlay(self.config, name).scenario
        except UserError as mistake:
            if mistake.key == "scenario":
                raise
            raise UnmeasurableError(f"{name} does not fit: {mistake}") from None

    def freed(self, day: int | None) -> Scenario:
        """The judged scenario, free from the day on which its rival in a pair departs."""
        days = [one for one in (day, self.scenario.free_from) if one is not None]
        return replace(self.scenario, free_from=min(days) if days else None)

    def baseline(self, day: int | None, days: int, wanted: OutputSpec) -> "xr.Dataset":
        """The judged scenario, freed on the day on which its rival departs, over the first `days`."""
        scenario = self.freed(day)
        key = (scenario.free_from, days, wanted)
        if key not in self._baselines:
            self._baselines[key] = self.ensemble(scenario, days, wanted)
        return self._baselines[key]

    def ensemble(self, scenario: Scenario, days: int, wanted: OutputSpec) -> "xr.Dataset":
        """What is wanted of histories of a scenario over the first `days` of its calendar."""
        short = replace(scenario, calendar=replace(scenario.calendar, days=days))
        runs = PAIRED_RUNS if self.runs is None else self.runs
        output = self._simulate(scenario, days, runs, wanted)
        return dataset_of(short, np.arange(runs), output)

    def struck_everywhere(self, day: int, strikes: float, days: int) -> Array:
        """Attacks on the target by run and day (run, day), where so many strikes fall on each of its foes on a day."""
        places = self.scenario.cast.targets
        event = Event(
            id="paired_strike", kind="strike", first=day, last=day, theatres=places, value=strikes, source="pattern"
        )
        scenario = replace(self.scenario, events=(*self.scenario.events, event))
        data = self.ensemble(scenario, days, DAY_BY_DAY)
        on_target = data["theatre_kind"].values == "target"
        return np.asarray(data["attacks_by_day"].values[:, :, on_target].sum(axis=2, dtype=np.int64))

    @cached_property
    def lull_days(self) -> "xr.DataArray":
        """Acknowledged attacks by run, day of the lull and theatre."""
        lull = self.scenario.calendar.lull
        return self.ensemble(self.scenario, self.lull_end, DAY_BY_DAY)["acknowledged_by_day"][:, lull.start : lull.stop]

    @cached_property
    def over_prior(self) -> "xr.Dataset":
        """One history of the scenario at each of DRAWS draws of the priors."""
        sets = ParameterSets(prior_design(DRAWS, self.config.seed))
        config = replace(self.config, runs=DRAWS)
        output = ensemble(config, drawn=sets, wanted=ON_TARGET).simulate(progress=self.progress)
        return dataset_of(self.scenario, np.arange(DRAWS), output)

    def traced(self, days: int) -> tuple[Array, Array]:
        """Attacks on the target and limited responses by run and day (run, day), as they came."""
        runs = TRACED_RUNS if self.runs is None else min(TRACED_RUNS, self.runs)
        output = self._simulate(self.scenario, days, runs, RUN_DAYS)
        return output.run_states["attacks"], output.run_states["limited"]

    def _simulate(self, scenario: Scenario, days: int, runs: int, wanted: OutputSpec) -> Output:
        config = replace(self.config, runs=runs)
        experiment = ensemble(config, drawn=self.drawn, scenario=scenario, days=days, wanted=wanted)
        return experiment.simulate(progress=self.progress)


BASELINE = "article"
"""The scenario that the patterns describe; others are measured alike but pass no verdict."""

BAND_TAIL = 0.05
"""What fewer histories than this share show lies outside the predictive band, which holds nine in ten."""


@dataclass(frozen=True)
class Verdict:
    """One pattern judged. `holds` is None where it was not measured, or where patterns speak of another scenario.

    `share` is the share of histories, of pairs or of draws that show it: its predictive probability. `over_prior` is
    the share of draws of the priors at which it holds, as shipped; None where that says nothing of this configuration.
    """

    id: str
    text: str
    kind: str
    judged: str
    article: str
    model: str
    tolerance: str
    holds: bool | None
    share: float | None = None
    over_prior: float | None = None


def judge(config: Config, data: "xr.Dataset", drawn: ParameterSets | None = None) -> tuple[Verdict, ...]:
    """Judge every pattern of a configuration.

    Args:
        config: the configuration; its patterns say what is expected.
        data: its main ensemble, as `simulate_config` gives it.
        drawn: the parameters that its histories have; None: as configured. With those of a posterior the predictive
            band decides.

    Returns:
        One verdict a pattern, in order; `holds` is None unless the scenario is the baseline.

    Raises:
        UserError: a pattern names a measure that does not exist.
    """
    # Only the main ensemble has pasts: what a pattern simulates besides differs from it before the report.
    drawn = replace(drawn_of(config), past=None) if drawn is None else drawn
    evidence = Evidence(config, data, drawn)
    return tuple(verdicts_on(evidence, config.patterns))


def verdicts_on(evidence: Evidence, patterns: Iterable[Pattern]) -> Iterator[Verdict]:
    """Judge some patterns, one after another, as `judge` does."""
    speak = described(evidence.config)
    shipped = shipped_shares() if speak else {}
    for pattern in patterns:
        verdict = _verdict(evidence, pattern)
        yield replace(verdict, over_prior=shipped.get(pattern.id)) if speak else replace(verdict, holds=None)


def at_once(pattern: Pattern) -> bool:
    """Whether a pattern is judged on the main ensemble alone, so that no further histories are simulated."""
    return pattern.measure in OF_THE_MAIN


def described(config: Config) -> bool:
    """Whether the patterns speak of this scenario."""
    return config.scenario.name == BASELINE


def _verdict(evidence: Evidence, pattern: Pattern) -> Verdict:
    if pattern.measure not in MEASURES:
        raise UserError(f"patterns.{pattern.id}.measure", pattern.measure, one_of(MEASURES, pattern.measure))
    about = (pattern.id, pattern.text, pattern.kind, pattern.judged, pattern.figure)
    try:
        found = MEASURES[pattern.measure](evidence, pattern)
    except UnmeasurableError as why:
        return Verdict(*about, f"not measured: {why}", "", None)
    if evidence.drawn.columns and pattern.measure in OF_ONE_HISTORY:
        found = banded(found)
    return Verdict(*about, *found)


def banded(found: Finding) -> Finding:
    """The same, judged by the predictive band: what was reported must not be of the rarest that is predicted."""
    return found._replace(
        tolerance=f"predicted with {BAND_TAIL:.0%} or more ({found.tolerance} at one set of numbers)",
        holds=found.share >= BAND_TAIL,
    )


RUNS_OVER_PRIOR: Final = 500
"""Histories of each arm at a draw of the priors."""
SHARES: Final = "patterns_over_prior.yaml"
"""File that comes with the package: how often each pattern holds over the priors."""


@cache
def shipped_shares() -> dict[str, float]:
    """Share of draws of the priors at which each pattern of the shipped case holds, by id."""
    found: dict[str, float] = yaml.safe_load((data_folder("seeds") / SHARES).read_text(encoding="utf-8"))["shares"]
    return found


def shares_over_prior(config: Config, draws: int, progress: Callable[[int], None] | None = None) -> dict[str, float]:
    """Share of draws of the priors at which each pattern holds, by id: what makes it evidence, or none.

    What is judged over the priors itself, or cannot be measured, is left out.
    """
    columns = prior_design(draws, config.seed)
    patterns = [one for one in config.patterns if one.judged != "prior"]
    held = dict.fromkeys((one.id for one in patterns), 0)
    short = replace(config, runs=RUNS_OVER_PRIOR)
    for place in range(draws):
        drawn = ParameterSets({key: one[place : place + 1] for key, one in columns.items()})
        output = ensemble(short, drawn=drawn).simulate()
        main = dataset_of(config.scenario, np.arange(RUNS_OVER_PRIOR), output)
        evidence = Evidence(short, main, drawn, runs=RUNS_OVER_PRIOR)
        for pattern in patterns:
            held[pattern.id] += MEASURES[pattern.measure](evidence, pattern).holds
        if progress is not None:
            progress(1)
    return {name: count / draws for name, count in held.items()}


class Calm(NamedTuple):
    """The calm as patterns describe it: no acknowledged attack in some theatres, few in others."""

    none: Pattern
    few: Pattern


def calm_of(patterns: Iterable[Pattern]) -> Calm | None:
    """The patterns of the calm; None where one is missing."""
    by_measure = {one.measure: one for one in patterns}
    none, few = by_measure.get("lull_none"), by_measure.get("lull_few")
    return Calm(none, few) if none and few else None


DRAWS = 4000
READINGS: Final = {
    "orders only": {"limited_response": False, "major_response": False},
    "strikes only": {"obedience": False},
    "both": {},
}
"""Rival readings as mechanisms switched off."""


@dataclass(frozen=True)
class Balance:
    """Prior-predictive probabilities of the calm under one reading; errors are standard errors of the share."""

    reading: str
    none: float
    few: float
    both: float
    draws: int

    def error(self, share: float) -> float:
        """Standard error of a share."""
        return float(np.sqrt(share * (1.0 - share) / self.draws))


def prior_balance(config: Config, draws: int = DRAWS) -> tuple[Balance, ...]:
    """Probabilities of P2's and P3's events under each reading: same parameter sets, common random numbers.

    Each draw is one history at parameters drawn from the priors: under `orders only` the target never strikes, under
    `strikes only` no militia heeds the order. Empty where the configuration has no patterns of the calm.
    """
    calm = calm_of(config.patterns)
    if calm is None:
        return ()
    scenario, days = config.scenario, config.scenario.calendar.report + 1
    base, mechanisms = build_inputs(scenario), scenario.mechanisms
    arms = (
        Arm(replace(scenario, mechanisms=replace(mechanisms, **off)), days=days, base=base) for off in READINGS.values()
    )
    sets = prior_design(draws, config.seed)
    experiment = Experiment(tuple(arms), config.seed, sets=sets, wanted=ON_TARGET, threads=config.threads)
    short = replace(scenario, calendar=replace(scenario.calendar, days=days))

    def balance(place: int, reading: str) -> Balance:
        data = dataset_of(short, np.arange(draws), experiment.simulate([place]))
        quiet, counts = in_lull(data, calm.none) == 0, in_lull(data, calm.few)
        small = (counts >= calm.few.limits["low"]) & (counts <= calm.few.limits["high"])
        return Balance(reading, float(quiet.mean()), float(small.mean()), float((quiet & small).mean()), draws)

    return tuple(balance(place, reading) for place, reading in enumerate(READINGS))


def main(path: str, draws: int = 300) -> None:
    """Write how often each pattern of the shipped case holds over the priors."""
    config = load()
    shares = shares_over_prior(config, draws)
    kept = {"seed": config.seed, "draws": draws, "runs": RUNS_OVER_PRIOR, "shares": shares}
    Path(path).write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
