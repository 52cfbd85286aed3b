"""The record of each lane's history: filled day by day, written out at the end of the block.

The plain form of all this is `sim.engine.reference.tally`; sums of whole numbers may be taken in another order.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.batched.layout import PACK, Block, Lanes, Memory, Runs, TheatreRecord, Theatres
from sim.engine.record import BINS, FIRST_DAYS, OutcomeRow, Output
from sim.engine.state import RunState, TheatreState, WingState
from sim.numbers.compiled import kernel, part, simd_hints, step
from sim.numbers.soa import VECTOR
from sim.rules import counting, outcomes, patron, target

Array = npt.NDArray[Any]


def init_block_record(memory: Memory) -> None:
    """Put the record of a block to its start."""
    memory.runs.tally[:] = 0.0
    memory.runs.tally[list(FIRST_DAYS)] = outcomes.NEVER
    memory.wings.counts[:] = 0.0
    memory.wings.lags[:] = outcomes.NEVER
    memory.theatres.notes[:] = 0.0
    TheatreRecord(*memory.theatres.notes).held[:] = outcomes.NEVER
    memory.lanes.ring[:] = 0.0
    memory.daily[:] = 0


@step
def record_day_end(day: float, runs: Runs, lanes: Lanes) -> None:
    """Orders of the patron, and how high risk and ladder rose."""
    simd_hints()
    state, tally = runs.state, runs.tally
    for i in range(VECTOR * lanes.vectors):
        alive, phase = lanes.scratch.alive[i] > 0.0, state.phase[i]
        restrains, released = alive and phase == patron.RESTRAINING, alive and phase == patron.RELEASED
        tally.directive_day[i] = counting.first_day(tally.directive_day[i], day, restrains)
        tally.release_day[i] = counting.first_day(tally.release_day[i], day, released)
        risk, rung = state.war_risk[i] * 1000.0 + 0.5, state.rung[i]  # cut when written: the nearest thousandth
        tally.peak_war_risk[i] = risk if alive and risk > tally.peak_war_risk[i] else tally.peak_war_risk[i]
        tally.peak_rung[i] = rung if alive and rung > tally.peak_rung[i] else tally.peak_rung[i]


@step
def record_quiet(day: float, began: float, later: bool, place: int, runs: Runs, lanes: Lanes) -> None:
    """After the strikes: the first attack after the report, and the first 14 days in which attacks resumed.

    `place` is where the flat ring of acknowledged attacks holds those of 14 days ago.
    """
    simd_hints()
    tally, scratch, ring = runs.tally, lanes.scratch, lanes.ring
    for i in range(VECTOR * lanes.vectors):
        alive, acknowledged = scratch.alive[i] > 0.0, runs.state.acknowledged[i]
        tally.first_attack_day[i] = counting.first_day(tally.first_attack_day[i], day, later and acknowledged > 0.0)
        fortnight = scratch.fortnight[i] + (acknowledged - ring[place + i])
        ring[place + i], scratch.fortnight[i] = acknowledged, fortnight
        resumed = alive and fortnight >= outcomes.RESUMED_ATTACKS
        tally.resumption_day[i] = counting.first_day(tally.resumption_day[i], began, resumed)


@part
def record_casualties(i: int, day: int, injured: float, lethal: float, killed: float, runs: Runs) -> None:
    """Casualties that the attacks of one wing caused in lane i."""
    state, tally = runs.state, runs.tally
    state.injured[i] += injured
    state.lethal[i] += lethal
    state.killed[i] += killed
    tally.injured[i] += injured
    tally.lethal_attacks[i] += lethal
    tally.deaths[i] += killed
    tally.first_death_day[i] = counting.first_day(tally.first_death_day[i], float(day), killed > 0.0)


@part
def change_casualties(block: Block, i: int, day: int, injured: float, lethal: float, killed: float) -> None:
    """Today's casualties in lane i become others, where a user's function says so."""
    state, tally, rules = block.runs.state, block.runs.tally, block.lanes.rules
    tally.injured[i] -= state.injured[i]
    tally.lethal_attacks[i] -= state.lethal[i]
    tally.deaths[i] -= state.killed[i]
    state.injured[i], state.lethal[i], state.killed[i] = 0.0, 0.0, 0.0
    tally.first_death_day[i] = outcomes.NEVER if tally.first_death_day[i] == day else tally.first_death_day[i]
    record_casualties(i, day, injured, lethal, killed, block.runs)
    block.lanes.scratch.shock[i] = rules.patron.death_shock(killed) if killed > 0.0 else 0.0


@part
def record_answer(i: int, world: Any, day: int, runs: Runs) -> None:
    """What the target did in lane i, or declined to do."""
    state, tally, window = runs.state, runs.tally, counting.window(day, world.strikes_day, world.report_day)
    struck = 1.0 if state.leader[i] == target.STRUCK else 0.0
    tally.limited_responses[i] += state.limited[i]
    tally.leader_strikes[i] += struck
    tally.campaign_responses[i] += state.limited[i] + struck if window == outcomes.CAMPAIGN else 0.0
    tally.leader_strikes_declined[i] += 1.0 if window == outcomes.LULL and state.leader[i] == target.DECLINED else 0.0
    tally.major_responses[i] += state.major[i]
    tally.major_day[i] = counting.first_day(tally.major_day[i], float(day), state.major[i] > 0.0)


@step
def record_week(theatre: int, theatres: Theatres, lanes: Lanes, bins: Array) -> None:
    """A theatre's attacks of a full week go into the histogram's bins (BINS,) of that theatre and week.

    Neighbours count into different banks: most have the same few counts, and would wait for each other.
    """
    week, banks = theatres.notes.week, lanes.banks
    for i in range(VECTOR * lanes.vectors):
        if lanes.scratch.alive[i] > 0.0:
            banks[i % 4 * BINS + min(int(week[theatre + i]), BINS - 1)] += 1
        week[theatre + i] = 0.0
    for count in range(BINS):
        for bank in range(4):
            bins[count] += banks[bank * BINS + count]
            banks[bank * BINS + count] = 0


@step
def store_daily(k: int, start: int, block: Block) -> None:
    """Attacks of the day in theatre k, from `start` on."""
    size, packed = VECTOR * block.lanes.vectors, block.theatres.notes.today
    for i in range(size):
        attacks = int(packed[k * size + i] * (1.0 / PACK))
        block.daily[start + i], block.daily[start + size + i] = attacks, int(packed[k * size + i] - attacks * PACK)


def write_out(memory: Memory, lanes: Array, histories: Array, out: Output) -> None:
    """What was kept of the lanes (n,), into the output of the histories (n,)."""
    wings = memory.wings
    write_lanes(memory.runs.tally, wings.counts, wings.lags, lanes, histories, out.rows, out.counts, out.lags)
    out.extras[histories] = memory.extras[:, lanes].T
    if len(out.daily):
        out.daily[histories] = memory.daily[..., lanes].transpose(3, 0, 1, 2)


@kernel
def write_lanes(
    tally: Array, counts: Array, lags: Array, lanes: Array, histories: Array, rows_out: Array, counts_out: Array,
    lags_out: Array,
) -> None:  # fmt: skip
    """Outcomes, counts and lags of the lanes, one history after the other."""
    for j in range(len(lanes)):
        i, to = lanes[j], histories[j]
        for place in range(tally.shape[0]):
            rows_out[to, place] = int(tally[place, i])
        for w in range(counts_out.shape[1]):
            for window in range(counts_out.shape[2]):
                attacks = int(counts[window, w, i] * (1.0 / PACK))
                counts_out[to, w, window, 0] = attacks
                counts_out[to, w, window, 1] = int(counts[window, w, i] - attacks * PACK)
        for w in range(lags_out.shape[1] if len(lags_out) > 0 else 0):
            lags_out[to, w] = int(lags[w, i])


def store_states(memory: Memory, histories: Array, day: int, series: list[int], out: Output) -> None:
    """Tonight's state of those of the first lanes that live today, into the output of their histories (n,).

    `series` are the rows of daily series among the extras.
    """
    war = OutcomeRow(*memory.runs.tally).war_day[: len(histories)]
    lanes = np.flatnonzero((war < 0.0) | (war == day))
    if out.series.size:
        out.series[histories[lanes], day] = memory.extras[series][:, lanes].T
    for states, kind, table in (
        (out.run_states, RunState, memory.runs.state),
        (out.front_states, TheatreState, memory.theatres.state),
        (out.wing_states, WingState, memory.wings.state),
    ):
        for name in (states.dtype.names or ()) if len(states) else ():
            states[name][histories[lanes], day] = getattr(kind(*table), name)[..., lanes].T
    if len(out.extras_states):
        out.extras_states[histories[lanes], day] = memory.extras[:, lanes].T
