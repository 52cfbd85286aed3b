"""Histories from the prior with their acknowledged attacks, day by day, to be held against a user's counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.engine.ensemble import Wanted, run_batch
from sim.engine.table import tabulate
from sim.rules.outcomes import NAMES, NEVER
from sim.study.calibration.bank import Prior
from sim.study.evidence import first_days
from sim.study.outcomes import ACKNOWLEDGED, ATTACKS
from sim.study.prior import free_declarations
from sim.world.scenario import Scenario
from sim.world.timeline import until

Array = npt.NDArray[Any]
CHUNK: Final = 20_000
_WAR: Final = NAMES.index("war_day")
_LEVELS: Final = 0x6C766C73
"""Second word of the key that levels of theatres are drawn with."""

Levels = Mapping[str, tuple[float, float]]
"""By theatre, between which factors on all its wings' baseline rates are drawn, every ratio alike."""


@dataclass(frozen=True)
class Bank:
    """Histories (N) that saw no direct war, with what was acknowledged in the theatres asked for (K).

    `rows` (N,) number them, `factors` (N, K) are the levels drawn, `so_far` (N, days + 1, K) counts the acknowledged
    attacks of the days before. `record` (N,) is the log likelihood of the documented record of deaths; `war` the share
    of histories that were left out because war broke out.
    """

    scenario: Scenario
    theatres: tuple[str, ...]
    seed: int
    rows: Array
    factors: Array
    so_far: Array
    record: Array
    war: float

    def at(self, ends: Array) -> Array:
        """Acknowledged attacks (N, len(ends), K) up to the ends of days."""
        return self.so_far[:, np.asarray(ends) + 1]

    def totals(self, edges: Array) -> Array:
        """Acknowledged attacks (N, len(edges) - 1) between consecutive ends, all theatres together."""
        return np.diff(self.at(edges).sum(axis=2, dtype=np.int64), axis=1)


def fill(
    scenario: Scenario,
    theatres: Sequence[str],
    days: int,
    histories: int,
    seed: int,
    levels: Levels | None = None,
    first_row: int = 0,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Bank:
    """Live histories of the first `days`, each at its own draw from the prior.

    Args:
        scenario: parameters that differ from their declared defaults keep their value; all others are drawn.
        theatres: where attacks are counted.
        days: days of the calendar.
        histories: how many; those in which direct war breaks out are left out afterwards.
        seed: with the row's number it decides parameters and luck.
        levels: factors on baseline rates by theatre; none named keeps the prior of the model.
        first_row: number of the first row.
        threads: 0 uses every core.
        progress: called with numbers of finished histories.
    """
    parts = []
    for start in range(first_row, first_row + histories, CHUNK):
        rows = np.arange(start, min(start + CHUNK, first_row + histories))
        factors = drawn_levels(seed, rows, [(levels or {}).get(one, (1.0, 1.0)) for one in theatres])
        parts.append(_lived(scenario, tuple(theatres), days, seed, rows, factors, threads))
        if progress is not None:
            progress(len(rows))
    rows, factors, so_far, record, war = (np.concatenate(one) for one in zip(*parts, strict=True))
    peace = ~war
    return Bank(
        scenario, tuple(theatres), seed, rows[peace], factors[peace], so_far[peace], record[peace], float(war.mean())
    )


def lived_again(bank: Bank, places: Array, scenario: Scenario, threads: int = 0) -> Array:
    """What the histories at `places` of a bank would have been in another scenario, with the same parameters and luck.

    Returns:
        Acknowledged attacks so far (len(places), days + 1, K), after direct war as before it.
    """
    days = bank.so_far.shape[1] - 1
    found = _lived(scenario, bank.theatres, days, bank.seed, bank.rows[places], bank.factors[places], threads)
    return found[2]


def free_keys(scenario: Scenario) -> tuple[str, ...]:
    """Parameters with a prior that the scenario leaves at their declared default."""
    groups = scenario.parameters
    return tuple(
        key
        for key, one in free_declarations().items()
        if getattr(getattr(groups, key.partition(".")[0]), key.partition(".")[2]) == one.default
    )


def drawn_levels(seed: int, rows: Array, spans: Sequence[tuple[float, float]]) -> Array:
    """Factors (rows, len(spans)) by the numbers of rows, log-uniform within each span."""
    source = np.random.Philox(key=[seed, _LEVELS], counter=[0, 0, 0, int(rows[0])])
    share = np.random.Generator(source).random((len(rows), len(spans)))
    low, high = np.array(spans).T
    return np.asarray(low * (high / low) ** share)


def _lived(
    scenario: Scenario, theatres: tuple[str, ...], days: int, seed: int, rows: Array, factors: Array, threads: int
) -> tuple[Array, Array, Array, Array, Array]:
    """Rows, factors, acknowledged attacks so far, log likelihood of the record, and whether war broke out."""
    cast = scenario.cast
    design = Prior(scenario, free_keys(scenario), seed).values(rows)
    for k, theatre in enumerate(theatres):
        if (factors[:, k] != 1.0).any():
            for wing in cast.wings_in(theatre):
                design[f"militia.{wing}.baseline"] = cast.wings[wing].baseline * factors[:, k]
    if not design:
        design = {"patron.control": np.full(len(rows), scenario.parameters.patron.control)}
    table = first_days(tabulate(scenario, design), days)
    output = run_batch(table, seed, rows, points=np.arange(len(rows)), wanted=Wanted(daily=True), threads=threads)
    places = [cast.theatre_index(one) for one in theatres]
    so_far = np.zeros((len(rows), days + 1, len(theatres)), dtype=np.uint16)
    np.cumsum(output.daily[:, :, places, ACKNOWLEDGED], axis=1, dtype=np.uint16, out=so_far[:, 1:])
    record = record_of(scenario, output.daily, days, design)
    return rows, factors, so_far, record, output.rows[:, _WAR] != NEVER


def record_of(scenario: Scenario, daily: Array, days: int, design: Mapping[str, Array]) -> Array:
    """Log likelihood (N,) of the documented record of deaths, which pins hold whatever the parameters say.

    log L = n log(1 - p_pen p_lethal) + d log(p_pen p_lethal), with n attacks on the target on days without documented
    deaths and d days with them. Attacks under an order to hold back count like all others.
    """
    pinned = until(scenario.pins, scenario.free_from)
    silent = {day for one in pinned if one.kind == "deaths_forbidden" for day in range(one.first, one.last + 1)}
    deadly = {day for one in pinned if one.kind == "deaths" for day in range(one.first, one.last + 1)}
    on_target = [k for k, one in enumerate(scenario.cast.theatres.values()) if one.kind == "target"]
    attacks = daily[:, sorted(day for day in silent - deadly if day < days)][:, :, on_target, ATTACKS]
    casualties = scenario.parameters.casualties
    through, lethal = (
        design.get(f"casualties.{name}", np.full(1, getattr(casualties, name))) for name in ("penetration", "lethality")
    )
    chance = np.clip(through * lethal, 1e-12, 1.0 - 1e-12)
    deaths = sum(day < days for day in deadly)
    return np.asarray(attacks.sum(axis=(1, 2), dtype=np.int64) * np.log1p(-chance) + deaths * np.log(chance))


def known_at(scenario: Scenario, day: int, foresight: bool) -> Scenario:
    """The scenario as it was known at the end of a day: documented history holds up to it and is free from then on.

    Without foresight events of the timeline that begin later are left out; one that has begun keeps its end.
    """
    free_from = day + 1 if scenario.free_from is None else min(day + 1, scenario.free_from)
    events = scenario.events if foresight else tuple(one for one in scenario.events if one.first <= day)
    return replace(scenario, free_from=free_from, events=events)
