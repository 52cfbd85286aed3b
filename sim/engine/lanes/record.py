"""What is kept of each lane's history: noted day by day, written out when the block has lived.

The oracle of all this is `sim.engine.record`; sums of whole numbers may be taken in another order.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.lanes.block import PACK, VECTOR, FrontNotes, Memory, Runs, Scratch, Tally
from sim.engine.record import BINS, FIRST_DAYS, Output
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.numbers.compiled import kernel, part, step, wide_loops
from sim.rules import outcomes as kept
from sim.rules import patron, target

Array = npt.NDArray[Any]


def open_record(memory: Memory) -> None:
    """Put the record of a block to its start."""
    memory.tally[:] = 0.0
    memory.tally[list(FIRST_DAYS)] = kept.NEVER
    memory.counts[:] = 0.0
    memory.lags[:] = kept.NEVER
    memory.front_notes[:] = 0.0
    FrontNotes(*memory.front_notes).held[:] = kept.NEVER
    memory.ring[:] = 0.0
    memory.daily[:] = 0


@step
def day_is_noted(vectors: int, day: float, tally: Tally, runs: Runs, scratch: Scratch) -> None:
    """Orders of the patron, and how high risk and ladder rose."""
    wide_loops()
    for i in range(VECTOR * vectors):
        lives, phase = scratch.alive[i] > 0.0, runs.phase[i]
        restrains, released = lives and phase == patron.RESTRAINING, lives and phase == patron.RELEASED
        tally.directive_day[i] = kept.first_day(tally.directive_day[i], day, restrains)
        tally.release_day[i] = kept.first_day(tally.release_day[i], day, released)
        risk, rung = runs.war_risk[i] * 1000.0 + 0.5, runs.rung[i]  # cut when written: the nearest thousandth
        tally.peak_war_risk[i] = risk if lives and risk > tally.peak_war_risk[i] else tally.peak_war_risk[i]
        tally.peak_rung[i] = rung if lives and rung > tally.peak_rung[i] else tally.peak_rung[i]


@step
def quiet_is_noted(
    vectors: int, day: float, began: float, later: bool, place: int, tally: Tally, runs: Runs, scratch: Scratch,
    ring: Array,
) -> None:  # fmt: skip
    """After the strikes: the first attack after the report, and the first 14 days in which attacks resumed.

    `place` is where the flat ring of acknowledged attacks holds those of 14 days ago.
    """
    wide_loops()
    for i in range(VECTOR * vectors):
        lives, acknowledged = scratch.alive[i] > 0.0, runs.acknowledged[i]
        tally.first_attack_day[i] = kept.first_day(tally.first_attack_day[i], day, later and acknowledged > 0.0)
        fortnight = scratch.fortnight[i] + (acknowledged - ring[place + i])
        ring[place + i], scratch.fortnight[i] = acknowledged, fortnight
        resumed = lives and fortnight >= kept.RESUMED_ATTACKS
        tally.resumption_day[i] = kept.first_day(tally.resumption_day[i], began, resumed)


@part
def casualties_are_noted(
    i: int, day: int, injured: float, lethal: float, killed: float, tally: Tally, runs: Runs
) -> None:
    """Casualties that the attacks of one wing caused in lane i."""
    runs.injured[i] += injured
    runs.lethal[i] += lethal
    runs.killed[i] += killed
    tally.injured[i] += injured
    tally.lethal_attacks[i] += lethal
    tally.deaths[i] += killed
    tally.first_death_day[i] = kept.first_day(tally.first_death_day[i], float(day), killed > 0.0)


@part
def answer_is_noted(i: int, day: int, window: int, tally: Tally, runs: Runs) -> None:
    """What the target did in lane i, or declined to do."""
    struck = 1.0 if runs.leader[i] == target.STRUCK else 0.0
    tally.limited_responses[i] += runs.limited[i]
    tally.leader_strikes[i] += struck
    tally.campaign_responses[i] += runs.limited[i] + struck if window == kept.CAMPAIGN else 0.0
    tally.leaders_spared[i] += 1.0 if window == kept.LULL and runs.leader[i] == target.DECLINED else 0.0
    tally.major_responses[i] += runs.major[i]
    tally.major_day[i] = kept.first_day(tally.major_day[i], float(day), runs.major[i] > 0.0)


@step
def week_is_noted(theatre: int, lanes: int, scratch: Scratch, notes: FrontNotes, banks: Array, bins: Array) -> None:
    """A theatre's attacks of a full week go into the histogram's bins (BINS,) of that theatre and week.

    Neighbours count into different `banks` (4, BINS): most have the same few counts, and would wait for each other.
    """
    for i in range(lanes):
        if scratch.alive[i] > 0.0:
            banks[i % 4, min(int(notes.week[theatre + i]), BINS - 1)] += 1
        notes.week[theatre + i] = 0.0
    for count in range(BINS):
        for bank in range(4):
            bins[count] += banks[bank, count]
            banks[bank, count] = 0


@step
def day_is_kept(vectors: int, theatre: int, notes: FrontNotes, today: Array) -> None:
    """Attacks of the day in a theatre into `today` (2, L)."""
    for i in range(VECTOR * vectors):
        attacks = int(notes.today[theatre + i] * (1.0 / PACK))
        today[0, i], today[1, i] = attacks, int(notes.today[theatre + i] - attacks * PACK)


def write_out(memory: Memory, first: int, living: int, out: Output) -> None:
    """What was kept of the first `living` lanes, into the output from history `first` on."""
    part = slice(first, first + living)
    write_lanes(memory.tally, memory.counts, memory.lags, out.rows[part], out.counts[part], out.lags[part])
    out.mine[part] = memory.mine[:, :living].T
    if len(out.daily):
        out.daily[part] = memory.daily[..., :living].transpose(3, 0, 1, 2)


@kernel
def write_lanes(tally: Array, counts: Array, lags: Array, rows_out: Array, counts_out: Array, lags_out: Array) -> None:
    """Outcomes, counts and lags of the lanes, one history after the other."""
    for i in range(len(rows_out)):
        for place in range(tally.shape[0]):
            rows_out[i, place] = int(tally[place, i])
    for i in range(len(rows_out)):
        for w in range(lags.shape[0]):
            lags_out[i, w] = int(lags[w, i])
            for window in range(counts_out.shape[2]):
                attacks = int(counts[window, w, i] * (1.0 / PACK))
                counts_out[i, w, window, 0] = attacks
                counts_out[i, w, window, 1] = int(counts[window, w, i] - attacks * PACK)


def keep_states(memory: Memory, first: int, living: int, day: int, out: Output) -> None:
    """Tonight's state of those of the first `living` lanes that live today, into the output from history `first` on."""
    war = Tally(*memory.tally).war_day[:living]
    lanes = np.flatnonzero((war < 0.0) | (war == day))
    for name, row in zip(RUN_STATE.names or (), memory.runs, strict=True):
        out.run_states[name][first + lanes, day] = row[lanes]
    for name, row in zip(THEATRE_STATE.names or (), memory.fronts, strict=True):
        out.front_states[name][first + lanes, day] = row[:, lanes].T
    for name, row in zip(WING_STATE.names or (), memory.wings, strict=False):
        out.wing_states[name][first + lanes, day] = row[:, lanes].T
    out.mine_states[first + lanes, day] = memory.mine[:, lanes].T
