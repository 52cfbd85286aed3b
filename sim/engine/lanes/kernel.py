"""Many histories in blocks of lanes: the days of a block, and the entry that the oracle has too."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.engine import hooks
from sim.engine.lanes import rare, record, states, wings
from sim.engine.lanes.block import (
    MARKS,
    VECTOR,
    AttackNumbers,
    Draws,
    Felt,
    FrontNotes,
    Fronts,
    LadderNumbers,
    MediatorNumbers,
    Memory,
    MilitiaNumbers,
    PatronNumbers,
    Places,
    Runs,
    Scratch,
    Shares,
    Tally,
    TargetNumbers,
    Traits,
    Wings,
    lane_width,
    new_memory,
)
from sim.engine.lanes.draws import share_lanes
from sim.engine.lanes.opening import open_block
from sim.engine.record import WEEK, Output
from sim.engine.table import Table
from sim.numbers.compiled import kernel, step
from sim.numbers.rows import flat, rows_of
from sim.rules import outcomes as kept
from sim.rules import target

Array = npt.NDArray[Any]

NO_WINDOW: Final = len(kept.WINDOWS)
"""Place of the counts of the day that belongs to no window."""


class World(NamedTuple):
    """What all lanes share: the seed, and layout and timeline of `sim.engine.table.Table` with what follows from them.

    echoes (D, W) raids on the other wings of a wing's collective; raids_change (D,) whether raids fall, or fell the day
    before; struck_at (K,) whether a theatre's attacks hit the target.
    """

    seed_low: int
    seed_high: int
    layout: Array
    days: Array
    fronts: Array
    raids: Array
    echoes: Array
    raids_change: Array
    struck_at: Array
    patron: int
    target: int
    strikes_day: int
    report_day: int


def run_histories(
    table: Table, seed_low: int, seed_high: int, runs: Array, points: Array, out: Output, width: int | None = None
) -> None:
    """Live the histories `runs` (N,) at the design points `points` (N,) and write what is asked of each.

    `width` is the number of lanes in a block; by default as many as the cache holds. It changes no bit.
    """
    world, lanes = world_of(table, seed_low, seed_high), lane_width(table) if width is None else width
    memory = new_memory(table, lanes, len(out.daily) > 0)
    first, point = 0, None
    while first < len(runs):
        living = together(runs[first : first + lanes])
        part = slice(first, first + living)
        point = open_block(table, runs[part], points[part], memory, point)
        if len(out.run_states):
            struck, day = 0, 0
            while struck >= 0 and day < len(table.days):
                struck = live_days(world, memory, out.weekly, day, day + 1, struck, True)
                record.keep_states(memory, first, living, day, out)
                day += 1
        else:
            live_days(world, memory, out.weekly, 0, len(table.days), 0, hooks.WATCHED)
        record.write_out(memory, first, living, out)
        first += living


def together(runs: Array) -> int:
    """How many of the first runs may share a block: those that share all bits above the lowest 32."""
    others = np.flatnonzero(runs >> 32 != runs[0] >> 32)
    return int(others[0]) if len(others) else len(runs)


def world_of(table: Table, seed_low: int, seed_high: int) -> World:
    """The table as blocks read it."""
    echoes = np.zeros_like(table.raids)
    for day in np.flatnonzero(table.raids.any(axis=1)):
        echoes[day] = echoes_of(table.layout["collective"], table.raids[day])
    before = np.vstack([np.zeros((1, table.raids.shape[1])), table.raids[:-1]])
    struck_at = np.zeros(table.fronts.shape[1], dtype=np.bool_)
    struck_at[table.layout["theatre"][table.layout["on_target"] > 0]] = True
    return World(
        seed_low, seed_high, table.layout, table.days, table.fronts, table.raids, echoes,
        np.any((table.raids > 0.0) | (before > 0.0), axis=1), struck_at, table.patron, table.target,
        table.strikes_day, table.report_day,
    )  # fmt: skip


def echoes_of(collectives: Array, raids: Array) -> list[float]:
    """Raids of a day on the others of each wing's collective (W,)."""
    sums: dict[int, float] = {}
    for collective, raid in zip(collectives, raids, strict=True):
        sums[collective] = sums.get(collective, 0.0) + raid
    return [target.strikes_nearby(sums[collective], raid) for collective, raid in zip(collectives, raids, strict=True)]


@kernel
def live_days(
    world: World, memory: Memory, weekly: Array, first: int, stop: int, struck: int, states_asked: bool
) -> int:
    """Live the days of a block from `first` until `stop`, or until direct war in its last lane.

    `struck` is the number of lanes that met more than raids on the day before; that of the last day is returned, or -1
    where no lane lives any more.
    """
    of_patron = rows_of(PatronNumbers, memory.numbers[MARKS[0] : MARKS[1]])
    of_wings = rows_of(MilitiaNumbers, memory.numbers[MARKS[1] : MARKS[2]])
    of_target = rows_of(TargetNumbers, memory.numbers[MARKS[2] : MARKS[3]])
    of_mediators = rows_of(MediatorNumbers, memory.numbers[MARKS[3] : MARKS[4]])
    of_attacks = rows_of(AttackNumbers, memory.numbers[MARKS[4] : MARKS[5]])
    of_ladder = rows_of(LadderNumbers, memory.numbers[MARKS[5] :])
    places, traits, felt = rows_of(Places, memory.places), rows_of(Traits, memory.traits), rows_of(Felt, memory.felt)
    runs, fronts, units = rows_of(Runs, memory.runs), rows_of(Fronts, memory.fronts), rows_of(Wings, memory.wings)
    scratch, notes = rows_of(Scratch, memory.scratch), rows_of(FrontNotes, memory.front_notes)
    tally, shares = rows_of(Tally, memory.tally), rows_of(Shares, memory.shares)
    patron_draws, target_draws = rows_of(Draws, memory.patron_draws), rows_of(Draws, memory.target_draws)
    draws, keep = rows_of(Draws, memory.wing_draws), of_target.attribution_keep
    counts, lags, ring, flags = flat(memory.counts), flat(memory.lags), flat(memory.ring), flat(memory.flags)
    eights, marked_list, struck_list = flat(memory.flags.view(np.int64)), flat(memory.marked), flat(memory.struck)
    run_numbers, weights, collectives = flat(memory.run), flat(memory.weights), flat(memory.collectives)
    ordered, obeyed, touched = flat(memory.ordered), flat(memory.obeyed), flat(memory.touched)
    layout, low, high, run = world.layout, world.seed_low, world.seed_high, memory.run[0]
    lanes, vectors = len(memory.run), len(memory.run) // VECTOR
    if first == 0:
        share_lanes(lanes, low, high, memory.run, shares)
    for day in range(first, stop):
        today, window = world.days[day], kept.window(day, world.strikes_day, world.report_day)
        hooks.morning(world, memory, day)
        fearful = states.patron_assesses(
            vectors, low, high, run, day, world.patron, today.acts, of_patron, of_ladder.war_threshold, runs, scratch,
            shares, patron_draws,
        )  # fmt: skip
        for k in range(world.fronts.shape[1]):
            ordered[k] = states.orders_go_out(
                vectors, k * lanes, float(day), world.fronts[day, k].stance, of_patron, places, runs, fronts, notes
            )
            obeyed[k] |= ordered[k]
        hooks.orders(world, memory, day)
        states.mediators_press(vectors, today.talks, of_mediators, of_patron.gains_weight, runs, felt)
        wings.day_begins(vectors, runs, scratch)
        for w in range(len(layout)):
            k, wing, theatre = layout[w].theatre, w * lanes, layout[w].theatre * lanes
            kept_at, pinned = wing if states_asked else 0, today.pinned_wing == w
            counted = ((window if window >= 0 else NO_WINDOW) * len(layout) + w) * lanes
            if timeline_turns(world, day, k):
                front = world.fronts[day, k]
                wings.timeline_turns(vectors, wing, theatre, today.intensity, front.surge, front.supply, traits, places)
            marked = wings.wing_lives(
                vectors, wing, theatre, layout[w].mediated * lanes, kept_at, counted, low, high, run, day,
                layout[w].actor, ordered[k] > 0, obeyed[k] > 0, touched[w] > 0,
                layout[w].on_target > 0, pinned, states_asked, of_wings, of_attacks, keep, traits, places, fronts, felt,
                units, notes, scratch, shares, draws, counts, lags, flags,
            )  # fmt: skip
            if marked > 0:
                rare.casualties_fall(
                    lanes, flags, eights, marked_list, wing, theatre, kept_at, counted, low, high, run_numbers, day,
                    layout[w].actor, pinned, today.pinned_killed, today.deaths_allowed > 0, of_attacks, fronts,
                    units, runs, notes, counts, scratch, draws, tally,
                )  # fmt: skip
        for k in range(world.fronts.shape[1]):
            if len(memory.daily) > 0:
                record.day_is_kept(vectors, k * lanes, notes, memory.daily[day, k])
            wings.attacks_are_summed(vectors, k * lanes, world.struck_at[k], fronts, runs, notes)
            if (day + 1) % WEEK == 0:
                record.week_is_noted(k * lanes, lanes, scratch, notes, memory.banks, weekly[k, day // WEEK])
        hooks.attacks(world, memory, day)
        answers = states.target_responds(
            vectors, low, high, run, day, world.target, today.major, today.limited, today.leader, of_target, runs,
            shares, target_draws, flags,
        )  # fmt: skip
        struck = rare.strikes_land(
            struck_list, struck, flags, eights, answers, world.raids_change[day], lanes, layout, world.raids[day],
            world.echoes[day], weights, collectives, touched, of_target, of_wings, traits, units, runs, scratch,
            target_draws, tally, day, window,
        )  # fmt: skip
        wars = states.ladder_moves(vectors, fearful, of_ladder, of_target, runs, scratch, patron_draws)
        hooks.evening(world, memory, day)
        record.day_is_noted(vectors, float(day), tally, runs, scratch)
        if window >= kept.LULL:
            began, place = kept.fortnight_began(day, world.strikes_day), day % kept.RESUMED_DAYS * lanes
            record.quiet_is_noted(
                vectors, float(day), float(began), window == kept.LATER, place, tally, runs, scratch, ring
            )
        if wars > 0 and wars_end_histories(lanes, len(layout), float(day), runs, scratch, tally, traits) == 0:
            return -1
    return struck


@step
def timeline_turns(world: World, day: int, k: int) -> bool:
    """Whether the timeline says something new about theatre k today."""
    if day == 0 or world.days[day].intensity != world.days[day - 1].intensity:
        return True
    today, before = world.fronts[day, k], world.fronts[day - 1, k]
    return bool(today.surge != before.surge or today.supply != before.supply)


@step
def wars_end_histories(
    lanes: int, wings_in_all: int, day: float, runs: Runs, scratch: Scratch, tally: Tally, traits: Traits
) -> int:
    """Lanes at war rest from now on: no wing attacks and nothing is noted; the number of lanes that live."""
    living = 0
    for i in range(lanes):
        if runs.war[i] > 0.0 and scratch.alive[i] > 0.0:
            tally.war_day[i], scratch.alive[i] = day, 0.0
            for w in range(wings_in_all):
                traits.baseline[w * lanes + i], traits.push[w * lanes + i] = 0.0, 0.0
        living += 1 if scratch.alive[i] > 0.0 else 0
    return living
