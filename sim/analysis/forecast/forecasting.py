"""Forecasts from a user's counts by nearest-neighbour ABC: histories whose past is like theirs, and what came of them.

The reference table holds histories from the prior with their acknowledged attacks, day by day. Counts of a few recent
and earlier stretches, in all and by theatre, are put on the scale 2 sqrt(n + 3/8), on which chance alone scatters a
count by about one whatever its size. The nearest histories on that scale are kept, the nearer the heavier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from sim.analysis.calibration.posterior import CHUNK, PriorSampler
from sim.analysis.forecast.attack_details import THE_FILE, as_counted, file_deaths, named_groups, windowed, wings_of
from sim.analysis.forecast.event_counts import Counts, ReadingReport, from_days
from sim.analysis.forecast.event_files import read_events
from sim.analysis.forecast.event_filters import filters_of
from sim.engine.record import OutputSpec
from sim.experiment.dataset import ACKNOWLEDGED, ATTACKS
from sim.experiment.parameter_sets import free_declarations, lethal_chance
from sim.experiment.runner import Arm, Experiment, Progress, chunks, joined
from sim.experiment.statistics import LEVELS, Array, interval_90, quantile
from sim.model.declared_outcomes import NAMES
from sim.model.scenario import Config, Scenario
from sim.model.timeline import Calendar, Event, pins_before
from sim.model.validation import UserError
from sim.rules.outcomes import NEVER

# --- the reference table ------------------------------------------------------------------------------------

_WAR: Final = NAMES.index("war_day")
_LEVELS: Final = 0x6C766C73
"""Second word of the key that levels of theatres are drawn with."""

Levels = Mapping[str, tuple[float, float]]
"""By theatre, between which factors on all its wings' baseline rates are drawn, every ratio alike."""


@dataclass(frozen=True)
class SimulatedPasts:
    """Histories (N) that saw no direct war, with what was acknowledged in the theatres asked for (K).

    `rows` (N,) number them, `factors` (N, K + G) are the levels drawn, of theatres and of G `groups` that vary by
    themselves; `so_far` (N, days + 1, K) counts the acknowledged attacks of the days before, `by_group` (N, G)
    those of the calendar's campaign, or of its lull where it has one. `record` (N,) is the log likelihood of the
    record of deaths; `war` the share of histories that were left out because war broke out.
    """

    scenario: Scenario
    theatres: tuple[str, ...]
    seed: int
    rows: Array
    factors: Array
    so_far: Array
    record: Array
    by_group: Array
    groups: tuple[str, ...]
    war: float

    def between(self, first: int, last: int, theatre: int | None = None) -> Array:
        """Acknowledged attacks (N,) between the ends of two days, in one theatre or in all."""
        by_theatre = np.diff(self.so_far[:, [first + 1, last + 1]].astype(np.int64), axis=1)[:, 0]
        return by_theatre.sum(axis=1) if theatre is None else by_theatre[:, theatre]


def fill(
    scenario: Scenario, theatres: Sequence[str], days: int, rows: range, seed: int, levels: Levels | None = None,
    threads: int = 0, progress: Progress | None = None,
) -> SimulatedPasts:  # fmt: skip
    """Simulate histories of the first `days`, each at its own draw from the prior.

    Args:
        scenario: parameters that differ from their declared defaults keep their value; all others are drawn.
        theatres: where attacks are counted.
        days: days of the calendar.
        rows: numbers of the histories; those in which direct war breaks out are left out afterwards.
        seed: with the row's number it decides parameters and random numbers.
        levels: factors on baseline rates by theatre, and by group where groups vary too; none named keeps the
            prior of the model.
        threads: 0 uses every core.
        progress: called with numbers of finished histories.
    """
    groups = tuple(one for one in levels or {} if one not in theatres)
    low, high = np.array([(levels or {}).get(one, (1.0, 1.0)) for one in (*theatres, *groups)]).T
    experiment = _experiment(scenario, days, seed, threads)

    def make(part: range, done: Progress | None) -> dict[str, Array]:
        mine = np.array(rows[part.start : part.stop])
        source = np.random.Philox(key=[seed, _LEVELS], counter=[0, 0, 0, int(mine[0])])
        factors = low * (high / low) ** np.random.Generator(source).random((len(mine), len(low)))
        return _simulated(experiment, (tuple(theatres), groups), mine, factors, done)

    made = joined(chunks(len(rows), CHUNK, make, progress))
    war = made.pop("war")
    peaceful = {name: one[~war] for name, one in made.items()}
    return SimulatedPasts(scenario, tuple(theatres), seed, **peaceful, groups=groups, war=float(war.mean()))


def simulated_again(bank: SimulatedPasts, places: Array, scenario: Scenario, threads: int = 0) -> Array:
    """The histories at `places` of a bank in another scenario: the same parameters, common random numbers.

    Returns:
        Acknowledged attacks so far (len(places), days + 1, K), after direct war as before it.
    """
    days = bank.so_far.shape[1] - 1
    rows, factors = bank.rows[places], bank.factors[places]
    experiment = _experiment(scenario, days, bank.seed, threads)
    return _simulated(experiment, (bank.theatres, bank.groups), rows, factors)["so_far"]


def _experiment(scenario: Scenario, days: int, seed: int, threads: int) -> Experiment:
    """The first `days` of a scenario, day by day."""
    return Experiment((Arm(scenario, days=days),), seed, wanted=OutputSpec(daily=True), threads=threads)


def _simulated(
    experiment: Experiment, names: tuple[tuple[str, ...], tuple[str, ...]], rows: Array, factors: Array,
    progress: Progress | None = None,
) -> dict[str, Array]:  # fmt: skip
    """The parts of `SimulatedPasts` for theatres and groups of these names, and whether war broke out."""
    [arm] = experiment.arms
    scenario, days, (theatres, groups) = arm.scenario, len(arm.inputs.days), names
    cast = scenario.cast
    free = tuple(key for key, one in free_declarations().items() if scenario.number(key) == one.default)
    design = PriorSampler(scenario, free, experiment.seed).values(rows)
    by_name = dict(zip((*theatres, *groups), factors.T, strict=True))
    for theatre in theatres:
        for wing in cast.wings_in(theatre):
            factor = by_name[theatre] * by_name.get(cast.wings[wing].group, 1.0)
            if (factor != 1.0).any():
                design[f"militia.{wing}.baseline"] = cast.wings[wing].baseline * factor
    if not design:
        design = {"patron.control": np.full(len(rows), scenario.parameters.patron.control)}
    output = experiment.simulate(sets=rows, values=design, progress=progress)
    places = [cast.theatre_index(one) for one in theatres]
    so_far = np.zeros((len(rows), days + 1, len(theatres)), dtype=np.uint16)
    np.cumsum(output.daily[:, :, places, ACKNOWLEDGED], axis=1, dtype=np.uint16, out=so_far[:, 1:])
    by_wing = output.counts[:, :, int(bool(scenario.calendar.lull)), ACKNOWLEDGED]
    of_group = [[cast.wing_index(one) for one in wings_of(cast, group, theatres)] for group in groups]
    by_group = np.array([by_wing[:, wings].sum(axis=1) for wings in of_group]).reshape(len(groups), len(rows)).T
    record = record_of(scenario, output.daily, days, design)
    war = output.rows[:, _WAR] != NEVER
    return {"rows": rows, "factors": factors, "so_far": so_far, "record": record, "by_group": by_group, "war": war}


def record_of(scenario: Scenario, daily: Array, days: int, design: Mapping[str, Array]) -> Array:
    """Log likelihood (N,) of the documented record of deaths, which pins hold whatever the parameters say.

    log L = n log(1 - p_pen p_lethal) + d log(p_pen p_lethal), with n attacks on the target on days without documented
    deaths and d days with them. Attacks under an order to hold back count like all others.
    """
    pinned = pins_before(scenario.pins, scenario.free_from)
    silent, deadly = (
        {day for one in pinned if one.kind == kind for day in range(one.first, one.last + 1)}
        for kind in ("no_deaths", "deaths")
    )
    on_target = scenario.cast.target_places
    attacks = daily[:, sorted(day for day in silent - deadly if day < days)][:, :, on_target, ATTACKS]
    chance = np.clip(lethal_chance(scenario, design), 1e-12, 1.0 - 1e-12)
    deaths = sum(day < days for day in deadly)
    return np.asarray(attacks.sum(axis=(1, 2), dtype=np.int64) * np.log1p(-chance) + deaths * np.log(chance))


PILOT: Final = 0.2
"""Share of the histories that look for the level of attacks first."""
WIDEST: Final = (0.125, 8.0)
"""Between which factors on baseline rates the level is looked for."""
ROOM: Final = 1.25
"""How far beyond the levels of the pilot's nearest histories the second bank reaches, as a factor."""


def bank_at(
    known: Scenario, counts: Counts, cut: int, last: int, seed: int, histories: int, threads: int = 0,
    progress: Progress | None = None,
) -> SimulatedPasts:  # fmt: skip
    """A bank for a user's counts up to day `cut`, made in two rounds.

    The first round looks over a wide range for the level of attacks in each theatre, and of each group where the counts
    tell groups apart; the second draws levels from about where the nearest histories of the first were, again with
    every ratio alike.

    Args:
        known: the case as it was known at the cut.
        counts: what the user knows.
        cut: last day that may be looked at.
        last: last day to be simulated.
        seed: study seed.
        histories: of both rounds together.
        threads: 0 uses every core.
        progress: called with numbers of finished histories.
    """
    theatres, pilot = counts.theatres, range(round(PILOT * histories))
    names = (*theatres, *(groups := named_groups(known, counts, cut).counts))
    if groups:
        known = replace(known, calendar=windowed(known.calendar, int(counts.ends[0]) + 1, cut))
    first = fill(known, theatres, cut + 1, pilot, seed, dict.fromkeys(names, WIDEST), threads, progress)
    near = first.factors[match(pasts_of(first, counts, cut), counts).places]
    levels = {}
    for name, factors in zip(names, near.T, strict=True):
        low, high = interval_90(factors)
        levels[name] = max(WIDEST[0], low / ROOM), min(WIDEST[1], high * ROOM)
    return fill(known, theatres, last + 1, range(len(pilot), histories), seed, levels, threads, progress)


# --- matching -----------------------------------------------------------------------------------------------

AGES: Final = (7, 14, 28, 56)
"""Ends of the stretches that are distinguished, in days before the cut."""
SPLIT_AGE: Final = 28
"""By theatre, the last days of that number and all before them are distinguished."""
NEAREST: Final = 0.01
"""Share of a bank that is kept."""
LEAST: Final = 200
"""Histories that are kept at least."""
JUDGED: Final = 50
"""Histories of the bank itself that are matched, to see how near is near."""


Stretch = tuple[int, int, int | None]
"""A stretch of the past: its ends, and the theatre that it is about; None for all together."""


@dataclass(frozen=True)
class Match:
    """Histories that are kept: their places in the bank (M,) and weights (M,), which add up to one.

    `discrepancy_p_value` is the share of the bank's own histories whose past is at least as far from the others' as the
    user's: a small one says that the model, under its priors, does not produce such a past.
    """

    places: Array
    weights: Array
    discrepancy_p_value: float


@dataclass(frozen=True)
class Pasts:
    """The pasts (N, S + G) of a bank's histories on the stretches and groups that counts tell, ready to be matched.

    `cut` is the last day that is matched. `reaches` are the distances within which some of the bank's own histories
    have as many neighbours as are kept.
    """

    bank: SimulatedPasts
    cut: int
    stretches: tuple[Stretch, ...]
    values: Array
    reaches: Array


def stretches_of(counts: Counts, cut: int) -> tuple[Stretch, ...]:
    """The stretches of the past that the user's counts can tell, in all and then by theatre."""
    known = counts.upto(cut)
    edges = sorted({known.nearest_end(cut - age) for age in (0, *AGES)} | {int(known.ends[0])})
    found: list[Stretch] = [(*ends, None) for ends in pairwise(edges)]
    for theatre in range(len(known.theatres)):
        known_ends = known.ends[~np.isnan(known.split[:, theatre])]
        if len(known.theatres) > 1 and len(known_ends) > 1:
            last = int(known_ends[-1])
            middle = int(known_ends[max(0, int(np.searchsorted(known_ends, last - SPLIT_AGE, side="right")) - 1)])
            found += [(*ends, theatre) for ends in pairwise(sorted({int(known_ends[0]), middle, last}))]
    return tuple(found)


def anscombe(counts: Array) -> Array:
    """Counts on a scale on which chance scatters them by about one: 2 sqrt(n + 3/8)."""
    return np.asarray(2.0 * np.sqrt(counts + 0.375))


def seen(counts: Counts, stretches: Sequence[Stretch]) -> Array:
    """The user's past (S,)."""
    return anscombe(np.array([float(counts.between(ends, theatre)[0]) for *ends, theatre in stretches]))


def pasts_of(bank: SimulatedPasts, counts: Counts, cut: int) -> Pasts:
    """The pasts of a bank's histories up to the end of day `cut`, on the stretches that the counts tell."""
    stretches = stretches_of(counts, cut)
    values = anscombe(np.stack([bank.between(*one) for one in stretches], axis=1))
    if bank.groups:
        named = sum(named_groups(bank.scenario, counts, cut).counts.values())
        shares = (bank.by_group + 0.5) / (bank.by_group + 0.5).sum(axis=1, keepdims=True)
        values = np.concatenate([values, anscombe(named * shares)], axis=1)
    judged = np.linspace(0, len(values) - 1, min(JUDGED, len(values))).astype(np.int64)
    return Pasts(bank, cut, stretches, values, np.array([_nearest(values, values[one])[1].max() for one in judged]))


def match(pasts: Pasts, counts: Counts) -> Match:
    """The histories whose past is most like the user's, weighted by nearness and by the record of deaths."""
    past = seen(counts, pasts.stretches)
    if groups := pasts.bank.groups:
        found = named_groups(pasts.bank.scenario, counts, pasts.cut).counts
        past = np.append(past, anscombe(np.array([float(found[one]) for one in groups])))
    places, distances = _nearest(pasts.values, past)
    reach = distances.max()
    near = np.maximum(1.0 - distances / reach, 1e-9) if reach > 0 else np.ones(len(places))
    record = pasts.bank.record[places]
    weights = near * np.exp(record - record.max())
    return Match(places, weights / weights.sum(), float((pasts.reaches >= reach).mean()))


def _nearest(pasts: Array, past: Array) -> tuple[Array, Array]:
    """Places of the nearest pasts, as many as are kept, and their squared distances."""
    keep = min(len(pasts), max(LEAST, round(NEAREST * len(pasts))))
    distances = ((pasts - past) ** 2).sum(axis=1)
    places = np.argpartition(distances, keep - 1)[:keep]
    return places, distances[places]


# --- data sets whose makers are known -----------------------------------------------------------------------

SYNTHETIC_ROWS: Final = 2**40
"""Rows from which synthetic histories are numbered: no bank reaches there, so no history is matched with itself."""
RATES: Final = (0.5, 3.0)
"""Attacks a day of the Poisson processes, drawn log-uniformly: about what the campaign has under the prior."""


def synthetic(scenario: Scenario, theatres: tuple[str, ...], days: int, datasets: int, seed: int) -> list[Counts]:
    """Counts of histories of the model, each at its own draw from the prior; those that saw direct war are left out."""
    wanted = datasets + datasets // 2 + 20
    bank = fill(scenario, theatres, days, range(SYNTHETIC_ROWS, SYNTHETIC_ROWS + wanted), seed)
    by_day = np.diff(bank.so_far[:datasets].astype(np.int64), axis=1)
    return [from_days(theatres, 0, one, ReadingReport("synthetic", 0, 0, {})) for one in by_day]


def poisson(theatres: tuple[str, ...], days: int, datasets: int, seed: int) -> list[Counts]:
    """Counts of Poisson processes of constant rate, shared out among the theatres evenly and at random."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 1]))
    low, high = RATES
    rates = low * (high / low) ** generator.random(datasets)
    shares = generator.dirichlet(np.ones(len(theatres)), datasets)
    means = np.broadcast_to((rates[:, None] * shares)[:, None, :], (datasets, days, len(theatres)))
    return [from_days(theatres, 0, one, ReadingReport("Poisson", 0, 0, {})) for one in generator.poisson(means)]


# --- forecasts ----------------------------------------------------------------------------------------------

LEAST_DAYS: Final = 14
"""Days of counts that a forecast asks for at least."""
DISCREPANT: Final = 0.02
"""Share of the model's own histories below which a user's past is called unlike the model."""
WEEK: Final = 7


@dataclass(frozen=True)
class Forecast:
    """What histories like the user's past did after day `cut`.

    edges: ends (P + 1,) of the periods that are forecast, the first of them the cut. samples: attacks (M, P, K) by
    history, period and theatre.
    """

    cut: int
    edges: Array
    samples: Array
    match: Match
    bank: SimulatedPasts

    @property
    def weights(self) -> Array:
        """Weights (M,) of the histories."""
        return self.match.weights


@dataclass(frozen=True)
class EventEffect:
    """What an event of the timeline that lies ahead brings about, history by history under common random numbers.

    `differences` (M, P) are attacks with the event less attacks without it, by history that is kept and by period.
    """

    event: Event
    differences: Array


@dataclass(frozen=True)
class Prediction:
    """A forecast from a user's counts, and the effects of the events that lie ahead.

    `counts` are all that are known, those after the cut too; `bare` (M, P) is the forecast without any event ahead.
    """

    counts: Counts
    forecast: Forecast
    effects: tuple[EventEffect, ...]
    bare: Array


def own_counts(config: Config, path: Path | str) -> Counts:
    """A user's file, read by the configuration's filters.

    Raises:
        UserError: the file or a filter cannot be used; one line.
    """
    scenario = config.scenario
    return read_events(path, filters_of(config.tree, scenario.cast), scenario.calendar)


def forecast(pasts: Pasts, counts: Counts, edges: Array) -> Forecast:
    """The forecast that a bank gives from what was known at the end of the first of the `edges`."""
    found = match(pasts, counts)
    so_far = pasts.bank.so_far[found.places][:, edges + 1].astype(np.int64)
    return Forecast(int(edges[0]), edges, np.diff(so_far, axis=1), found, pasts.bank)


def predict(
    config: Config, counts: Counts, until: date | None, weeks: int, histories: int, progress: Progress | None = None
) -> Prediction:
    """Fit to counts up to a day and forecast the weeks after it; events ahead are known too, unless announced later.

    Args:
        config: the case; documented history holds up to the day.
        counts: what is known.
        until: the last day that is looked at, None for the last known.
        weeks: how many are forecast.
        histories: how many are simulated.
        progress: called with numbers of finished histories.

    Raises:
        UserError: too few days are known, or the weeks do not fit into the calendar.
    """
    scenario, threads = config.scenario, config.threads
    cut = int(counts.ends[-1]) if until is None else _cut(scenario.calendar, counts, until)
    if cut - counts.ends[0] < LEAST_DAYS:
        raise UserError("data", f"{cut - counts.ends[0]} days", f"at least {LEAST_DAYS} days of counts to be fitted")
    edges = coming_periods(scenario.calendar, counts, cut, weeks)
    known = counts.upto(cut)
    seen_ahead = as_counted(scenario, known, cut, foresight=True)
    bank = bank_at(seen_ahead, known, cut, int(edges[-1]), config.seed, histories, threads, progress)
    found = forecast(pasts_of(bank, known, cut), known, edges)
    ahead = sorted((one for one in bank.scenario.events if cut < one.first <= edges[-1]), key=lambda one: one.first)
    whole = found.samples.sum(axis=2)
    effects = tuple(EventEffect(one, whole - counterfactual_without(found, (one,), threads)) for one in ahead)
    bare = counterfactual_without(found, ahead, threads) if ahead else whole
    return Prediction(counts, found, effects, bare)


def counterfactual_without(found: Forecast, events: Sequence[Event], threads: int = 0) -> Array:
    """Attacks (M, P) of the histories that are kept, rerun under common random numbers without some events."""
    names = {one.id for one in events}
    scenario = found.bank.scenario
    scenario = replace(scenario, events=tuple(one for one in scenario.events if one.id not in names))
    so_far = simulated_again(found.bank, found.match.places, scenario, threads)[:, found.edges + 1]
    return np.diff(so_far.sum(axis=2, dtype=np.int64), axis=1)


def _cut(calendar: Calendar, counts: Counts, until: date) -> int:
    day = calendar.day_of(until)
    first, last = (calendar.date_of(int(counts.ends[place])) for place in (0, -1))
    if not counts.ends[0] < day <= counts.ends[-1]:
        raise UserError("until", until, f"a day after {first}, up to {last}: what the file covers")
    return counts.nearest_end(day)


def known_periods(counts: Counts, cut: int, last: int, least: int = WEEK) -> list[int]:
    """Ends of periods of `least` days or more after a cut up to a last day, as counts are known; the cut the first."""
    edges = [cut]
    for end in counts.ends[(counts.ends > cut) & (counts.ends <= last)].tolist():
        if end - edges[-1] >= least:
            edges.append(end)
    return edges


def coming_periods(calendar: Calendar, counts: Counts, cut: int, weeks: int) -> Array:
    """Ends of the cut and of the periods of at least a week after it, over so many weeks.

    As far as counts are known after the cut the periods end where they are, then they are weeks.
    """
    last = cut + WEEK * weeks
    if last >= calendar.days:
        fit = (calendar.days - 1 - cut) // WEEK
        more = "set until= to an earlier day, or calendar.days to more"
        raise UserError("weeks", weeks, f"at most {fit} up to the end of the calendar; {more}")
    edges = known_periods(counts, cut, last)
    return np.array([*edges, *range(edges[-1] + WEEK, last + 1, WEEK)])


# --- rows ---------------------------------------------------------------------------------------------------

ALL: Final = "all"
"""In tables in place of a theatre: all of them together."""


def quantiles(sample: Array, weights: Array) -> dict[str, float]:
    """Quantiles of a weighted sample (M,) by name."""
    found = quantile(sample.astype(np.float64), [*LEVELS.values()], weights=weights)
    return dict(zip(LEVELS, found.tolist(), strict=True))


def iso(calendar: Calendar, first: int, last: int) -> dict[str, str]:
    """The first and the last of some days as tables have them."""
    return {"from": calendar.date_of(first).isoformat(), "to": calendar.date_of(last).isoformat()}


def forecast_rows(found: Prediction, calendar: Calendar) -> list[dict[str, Any]]:
    """One row per period and theatre, all theatres together first: its days, quantiles, and the count where known."""
    one, theatres = found.forecast, found.counts.theatres
    rows = []
    for place, (first, last) in enumerate(pairwise(one.edges.tolist())):
        parts = {ALL: one.samples[:, place].sum(axis=1)}
        if len(theatres) > 1:
            parts |= {name: one.samples[:, place, k] for k, name in enumerate(theatres)}
        for name, sample in parts.items():
            known = _known(found.counts, name, first, last)
            days = {**iso(calendar, first + 1, last), "theatre": name}
            rows.append({**days, **quantiles(sample, one.weights), "known": known})
    return rows


def _known(counts: Counts, theatre: str, first: int, last: int) -> int | None:
    """The count after the end of day `first` up to that of day `last`; None where it is not known."""
    if not {first, last} <= set(counts.ends.tolist()):
        return None
    found = counts.between((first, last), None if theatre == ALL else counts.theatres.index(theatre))
    return None if np.isnan(found[0]) else int(found[0])


def effect_rows(found: Prediction, calendar: Calendar) -> list[dict[str, Any]]:
    """One row per event that lies ahead: the attacks that it adds over all periods, mean, error and nine in ten."""
    rows = []
    weights = found.forecast.weights
    for one in found.effects:
        whole = one.differences.sum(axis=1)
        mean = float(weights @ whole)
        error = float(np.sqrt((weights**2) @ (whole - mean) ** 2))
        band = quantiles(whole, weights)
        event = {"event": one.event.id, "kind": one.event.kind, **iso(calendar, one.event.first, one.event.last)}
        rows.append({**event, "mean": round(mean, 3), "error": round(error, 3), "q05": band["q05"], "q95": band["q95"]})
    return rows


def count_rows(counts: Counts, calendar: Calendar) -> list[dict[str, Any]]:
    """What was read: attacks so far by date."""
    return [
        {"as_of_date": calendar.date_of(int(end)).isoformat(), "total": int(total)}
        | {name: None if np.isnan(one) else int(one) for name, one in zip(counts.theatres, split, strict=True)}
        for end, total, split in zip(counts.ends, counts.total, counts.split, strict=True)
    ]


def reading_record(counts: Counts) -> dict[str, Any]:
    """How the file was read."""
    report = counts.report
    record = {"format": report.format, "rows": report.rows, "kept": report.kept, "dropped": dict(report.dropped)}
    return {**record, "remarks": list(report.remarks), "attacks": int(counts.total[-1])}


def detail_words(found: Prediction) -> tuple[str, str]:
    """What was used of the deaths and the groups in a file, or why not."""
    one = found.forecast
    scenario = replace(one.bank.scenario, pins=tuple(pin for pin in one.bank.scenario.pins if pin.source != THE_FILE))
    return file_deaths(scenario, found.counts, one.cut).words, named_groups(scenario, found.counts, one.cut).words


def match_record(found: Prediction) -> dict[str, Any]:
    """How well the model fits the user's past."""
    one = found.forecast
    near, names = one.bank.factors[one.match.places], (*one.bank.theatres, *one.bank.groups)
    return {
        "histories": len(one.bank.rows),
        "kept": len(one.match.places),
        "effective": round(float(1.0 / (one.weights**2).sum()), 1),
        "as_far": one.match.discrepancy_p_value,
        "war_left_out": one.bank.war,
        "levels": {name: quantiles(near[:, k], one.weights) for k, name in enumerate(names)},
        "details": list(detail_words(found)),
    }
