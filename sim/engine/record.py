"""What the scalar engine keeps of a history: a fixed row of whole numbers, counts by wing, and what else was asked.

A sweep keeps no trajectories: weekly attacks go into a histogram per theatre and week, so bands need no stored runs.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.engine.state import Situation
from sim.numbers.compiled import step
from sim.rules import outcomes as kept
from sim.rules import patron, target

Array = npt.NDArray[Any]

WEEK: Final = 7
BINS: Final = 256
"""Bins of the weekly histogram: counts 0 to 254, and 255 or more."""

DEATHS: Final = kept.NAMES.index("deaths")
LETHAL_ATTACKS: Final = kept.NAMES.index("lethal_attacks")
INJURED: Final = kept.NAMES.index("injured")
FIRST_DEATH_DAY: Final = kept.NAMES.index("first_death_day")
LIMITED_RESPONSES: Final = kept.NAMES.index("limited_responses")
LEADER_STRIKES: Final = kept.NAMES.index("leader_strikes")
CAMPAIGN_RESPONSES: Final = kept.NAMES.index("campaign_responses")
LEADERS_SPARED: Final = kept.NAMES.index("leaders_spared")
MAJOR_RESPONSES: Final = kept.NAMES.index("major_responses")
MAJOR_DAY: Final = kept.NAMES.index("major_day")
DIRECTIVE_DAY: Final = kept.NAMES.index("directive_day")
RELEASE_DAY: Final = kept.NAMES.index("release_day")
WAR_DAY: Final = kept.NAMES.index("war_day")
FIRST_ATTACK_DAY: Final = kept.NAMES.index("first_attack_day")
RESUMPTION_DAY: Final = kept.NAMES.index("resumption_day")
PEAK_WAR_RISK: Final = kept.NAMES.index("peak_war_risk")
PEAK_RUNG: Final = kept.NAMES.index("peak_rung")
FIRST_DAYS: Final = (
    FIRST_DEATH_DAY, MAJOR_DAY, DIRECTIVE_DAY, RELEASE_DAY, WAR_DAY, FIRST_ATTACK_DAY, RESUMPTION_DAY,
)  # fmt: skip


class Kept(NamedTuple):
    """The record of one history, F outcomes, W wings, K theatres.

    row (F,); counts (W, 3 windows, attacks and acknowledged); lags (W,) days from the first order to hold back until a
    wing complied; held (W,) day on which that order reached it; recent (14,) acknowledged attacks; week (K,) attacks of
    the running week; weekly (K, weeks, BINS) histogram shared by all histories of a worker; daily (D, K, 2) or empty.
    """

    row: Array
    counts: Array
    lags: Array
    held: Array
    recent: Array
    week: Array
    weekly: Array
    daily: Array


class Output(NamedTuple):
    """Where the kernel writes, for N histories: an array with N = 0 was not asked for.

    rows (N, F) and counts (N, W, 3, 2), lags (N, W) int32; weekly (K, weeks, BINS) int64; daily (N, D, K, 2) uint16;
    run_states (N, D), front_states (N, D, K), wing_states (N, D, W) records, zero after direct war. mine (N, R) is what
    extensions keep, at the end, and mine_states (N, D, R) at the end of every day.
    """

    rows: Array
    counts: Array
    lags: Array
    weekly: Array
    daily: Array
    run_states: Array
    front_states: Array
    wing_states: Array
    mine: Array
    mine_states: Array


@step
def record_of(out: Output, i: int) -> Kept:
    """The record of the i-th history: views into the output, and scratch of its own."""
    theatres, wings = len(out.weekly), out.lags.shape[1]
    daily = out.daily[i] if len(out.daily) > 0 else np.zeros((0, theatres, 2), dtype=np.uint16)
    return Kept(
        out.rows[i], out.counts[i], out.lags[i], np.zeros(wings, dtype=np.int64), np.zeros(kept.RESUMED_DAYS),
        np.zeros(theatres), out.weekly, daily,
    )  # fmt: skip


@step
def open_record(record: Kept) -> None:
    """Put the record of a history to its start."""
    record.row[:] = 0
    for name in FIRST_DAYS:
        record.row[name] = kept.NEVER
    record.counts[:] = 0
    record.lags[:] = kept.NEVER
    record.held[:] = kept.NEVER
    record.recent[:] = 0.0
    record.week[:] = 0.0


@step
def note_day(record: Kept, state: Situation, layout: Array, day: int, strikes: int, report: int) -> None:
    """Note one day: responses and first days, attacks by wing, lags, the lull, the weekly histogram."""
    window = kept.window(day, strikes, report)
    note_run(record.row, state.run, day, window)
    note_wings(record, state, layout, day, window)
    note_quiet(record, state.run.acknowledged, day, window, strikes)
    note_week(record, day)


@step
def note_run(row: Array, run: Any, day: int, window: int) -> None:
    """Casualties, responses, orders, war."""
    leader_struck = run.leader == target.STRUCK
    row[DEATHS] += int(run.killed)
    row[LETHAL_ATTACKS] += int(run.lethal)
    row[INJURED] += int(run.injured)
    row[FIRST_DEATH_DAY] = kept.first_day(row[FIRST_DEATH_DAY], day, run.killed > 0.0)
    row[LIMITED_RESPONSES] += run.limited
    row[LEADER_STRIKES] += 1 if leader_struck else 0
    if window == kept.CAMPAIGN:
        row[CAMPAIGN_RESPONSES] += run.limited + (1 if leader_struck else 0)
    if window == kept.LULL and run.leader == target.DECLINED:
        row[LEADERS_SPARED] += 1
    row[MAJOR_RESPONSES] += run.major
    row[MAJOR_DAY] = kept.first_day(row[MAJOR_DAY], day, run.major > 0)
    row[DIRECTIVE_DAY] = kept.first_day(row[DIRECTIVE_DAY], day, run.phase == patron.RESTRAINING)
    row[RELEASE_DAY] = kept.first_day(row[RELEASE_DAY], day, run.phase == patron.RELEASED)
    row[WAR_DAY] = kept.first_day(row[WAR_DAY], day, run.war > 0)
    risk, rung = int(run.war_risk * 1000.0 + 0.5), int(run.rung)  # the nearest thousandth
    row[PEAK_WAR_RISK] = max(row[PEAK_WAR_RISK], risk)
    row[PEAK_RUNG] = max(row[PEAK_RUNG], rung)


@step
def note_wings(record: Kept, state: Situation, layout: Array, day: int, window: int) -> None:
    """Attacks by wing and window, the week's and the day's by theatre, and the lag of compliance."""
    for w in range(len(state.wings)):
        wing, k = state.wings[w], layout[w].theatre
        attacks, acknowledged = int(wing.attacks), int(wing.acknowledged)
        if window >= 0:
            record.counts[w, window, 0] += attacks
            record.counts[w, window, 1] += acknowledged
        record.week[k] += wing.attacks
        if len(record.daily) > 0:
            record.daily[day, k, 0] += attacks
            record.daily[day, k, 1] += acknowledged
        held_back = state.fronts[k].directive < 1.0
        record.held[w] = kept.first_day(record.held[w], day, held_back)
        complies = held_back and wing.compliance >= kept.COMPLIANT
        record.lags[w] = kept.first_day(record.lags[w], day - record.held[w], complies)


@step
def note_quiet(record: Kept, acknowledged: float, day: int, window: int, strikes: int) -> None:
    """The first acknowledged attack after the report, and the first 14 days in which attacks resumed."""
    row = record.row
    after = window == kept.LATER
    row[FIRST_ATTACK_DAY] = kept.first_day(row[FIRST_ATTACK_DAY], day, after and acknowledged > 0.0)
    if window >= kept.LULL:
        record.recent[day % kept.RESUMED_DAYS] = acknowledged
        total = 0.0
        for one in range(kept.RESUMED_DAYS):
            total += record.recent[one]
        began = kept.fortnight_began(day, strikes)
        row[RESUMPTION_DAY] = kept.first_day(row[RESUMPTION_DAY], began, total >= kept.RESUMED_ATTACKS)


@step
def note_week(record: Kept, day: int) -> None:
    """At the end of a full week its attacks go into the histogram; a last part of a week is left out."""
    if (day + 1) % WEEK == 0:
        for k in range(len(record.week)):
            count = min(int(record.week[k]), BINS - 1)
            record.weekly[k, day // WEEK, count] += 1
            record.week[k] = 0.0
