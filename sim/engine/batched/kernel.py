"""Many histories in blocks of lanes: the days of a block, and the entry to all of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sim.engine.batched import groups, recording, roles, strikes
from sim.engine.batched import wings as units
from sim.engine.batched.block_start import init_block, renew_numbers
from sim.engine.batched.layout import (
    Address,
    Block,
    Memory,
    WingPlace,
    Workspace,
    copy_tables,
    lane_width,
    narrowed,
    new_memory,
)
from sim.engine.batched.rng import cache_run_rounds
from sim.engine.batched.specialize import kernel_rules, one_error_line
from sim.engine.extension.plan import plan_of
from sim.engine.inputs import POINTWISE, ModelInputs
from sim.engine.record import ALL_OUTCOMES, WEEK, Output, OutputSpec
from sim.model.conditions import Window
from sim.numbers.compiled import kernel, open_kernel, part, step
from sim.numbers.philox import split_seed
from sim.numbers.soa import VECTOR, rows_of
from sim.numbers.variant import Variant
from sim.rules import outcomes, target

Array = npt.NDArray[Any]

NO_WINDOW: Final = len(outcomes.WINDOWS)
"""Place of the counts of the day that belongs to no window."""


ALIVE: Final = Workspace._fields.index("alive")
STRETCH: Final = 21
"""Days between two looks at which lanes are settled."""


class SharedInputs(NamedTuple):
    """What all lanes share: the seed, and layout and timeline of `sim.engine.inputs.Table` with what follows from them.

    groups (G,), bursts and weights (K,) as in the table. echoes (D, W) raids on the other wings of a wing's collective;
    raids_change (D,) whether raids fall, or fell the day before; changes (D, K) whether the timeline says something new
    about a theatre; struck_at (K,) whether a theatre's attacks hit the target. wings and theatres
    are the numbers of those that something reads; daily and weekly whether attacks are kept. turn is the day from which
    on random numbers are found elsewhere, 0 where there is none.
    """

    seed_low: int
    seed_high: int
    layout: Array
    groups: Array
    bursts: Array
    weights: Array
    days: Array
    fronts: Array
    raids: Array
    echoes: Array
    raids_change: Array
    changes: Array
    struck_at: Array
    wings: Array
    theatres: Array
    patron: int
    target: int
    strikes_day: int
    report_day: int
    turn: int
    daily: bool
    weekly: bool


def run_histories(
    table: ModelInputs, seed_low: int, seed_high: int, runs: Array, points: Array, out: Output,
    width: int | None = None, asked: OutputSpec = ALL_OUTCOMES,
) -> None:  # fmt: skip
    """Simulate the histories `runs` (N,) at the design points `points` (N,) and write what is asked of each.

    `width` is the number of lanes in a block; by default as many as the cache holds. It changes no bit. What `out`
    has no place for is not written, and weekly histograms are counted from zero.
    """
    run_arms((table,), seed_low, seed_high, runs, points, (out,), width, asked)


def run_arms(
    tables: Sequence[ModelInputs], seed_low: int, seed_high: int, runs: Array, points: Array, outs: Sequence[Output],
    width: int | None = None, asked: OutputSpec = ALL_OUTCOMES,
) -> None:  # fmt: skip
    """The same for several tables of one cast: a stretch that is the same in two is simulated once.

    Tables may have runs of their own, runs (tables, N): where they have one past, that is still the same.
    """
    runs = np.broadcast_to(runs, (len(tables), len(points)))
    lanes, daily = lane_width(tables[0]) if width is None else width, len(outs[0].daily) > 0 or bool(asked.windows)
    asked = replace(asked, daily=daily, states=asked.states or len(outs[0].run_states) > 0)
    arms = [ArmInputs.of(*one, seed_low, seed_high, asked) for one in zip(tables, outs, strict=True)]
    forks = forks_of(tables, asked, runs)
    memory = new_memory(tables[0], lanes, daily)
    kept = {
        fork: BlockRun(new_memory(tables[0], lanes, daily), points, points, points) for fork in forks if fork.day > 0
    }
    first, point = 0, None
    while first < len(points):
        living = min(runs_sharing_high_bits(one[first : first + lanes]) for one in runs)
        chunk = slice(first, first + living)
        for number, (arm, fork, own) in enumerate(zip(arms, forks, runs, strict=True)):
            block = BlockRun(memory, np.arange(first, first + living), own[chunk], points[chunk])
            if fork in kept:
                block.copy(kept[fork])
            else:
                begun = arm.first_runs(own[chunk], points[chunk])
                point = init_block(arm.table, begun, points[chunk], memory, point if len(arms) == 1 else None)
            with one_error_line(arm.table):
                for later in sorted(one for one in kept if one.parent == number):
                    block.simulate(arm, later.day)
                    kept[later].copy(block)
                block.finish(arm)
            point = point if block.memory is memory else None
        first += living
    for arm, fork in zip(arms, forks, strict=True):
        weeks = fork.day // WEEK  # their attacks were counted where the arm forks from
        arm.out.weekly[:, :weeks] += arms[fork.parent].out.weekly[:, :weeks]


class Fork(NamedTuple):
    """Where the history of an arm leaves that of another: on which day, and of which."""

    day: int
    parent: int


def forks_of(tables: Sequence[ModelInputs], asked: OutputSpec, runs: Array) -> list[Fork]:
    """The latest fork of each table from one before it, of these the first; day 0 where it shares nothing."""
    if asked.states or any(table.extended or table.later for table in tables):
        return [Fork(0, 0)] * len(tables)

    def shared(one: int, other: int) -> int:
        days = days_alike(tables[one], tables[other])
        if np.array_equal(runs[one], runs[other]):
            return days
        past = tables[one].past
        return 0 if past is None else min(days, past.day)

    found = ([Fork(shared(one, other), one) for one in range(other)] for other in range(len(tables)))
    return [max(forks, key=lambda fork: fork.day, default=Fork(0, 0)) for forks in found]


def days_alike(one: ModelInputs, other: ModelInputs) -> int:
    """How many days of the histories of two tables are the same from the start, if their runs are."""
    if one is other:
        return len(one.days)
    same = (*POINTWISE, "layout", "groups", "bursts", "weights", "strikes_day", "report_day")
    if (
        one.past is not other.past
        or one.days.shape != other.days.shape
        or not all(np.array_equal(getattr(one, name), getattr(other, name)) for name in same)
    ):
        return 0
    apart = (one.days != other.days) | (one.fronts != other.fronts).any(axis=1) | (one.raids != other.raids).any(axis=1)
    return int(np.argmax(apart)) if apart.any() else len(apart)


class ArmInputs(NamedTuple):
    """A table with what its blocks share, in the first days of its past too, and where its histories are written."""

    table: ModelInputs
    world: SharedInputs
    past: SharedInputs
    rules: Variant
    out: Output
    settled: tuple[int, list[int]] | None
    series: list[int]
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, table: ModelInputs, out: Output, seed_low: int, seed_high: int, asked: OutputSpec) -> Self:
        """With the work that is asked of it."""
        whole = table.extended is not None or len(table.later) > 0
        settled = None if whole else asked.settled(table.strikes_day, table.report_day)
        series = [] if table.extended is None else list(plan_of(table.extended).series.values())
        world = world_of(table, seed_low, seed_high, asked)
        low, high = (seed_low, seed_high) if table.past is None else split_seed(table.past.seed)
        past = world._replace(seed_low=low, seed_high=high)
        return cls(table, world, past, kernel_rules(table), out, settled, series, asked.windows)

    def first_runs(self, runs: Array, points: Array) -> Array:
        """The run numbers of histories on their first day."""
        return runs if self.table.past is None else self.table.past.runs[points]


class BlockRun:
    """A block of histories on its way: memory, the day, and of each of the first lanes history (n,), run and point."""

    def __init__(self, memory: Memory, histories: Array, runs: Array, points: Array) -> None:
        self.memory, self.histories, self.runs, self.points = memory, histories, runs, points
        self.day, self.struck = 0, 0

    def copy(self, other: "BlockRun") -> None:
        """Take over how far another block is."""
        copy_tables(other.memory, self.memory)
        self.day, self.struck = other.day, other.struck

    def simulate(self, arm: ArmInputs, stop: int) -> None:
        """Simulate until a day."""
        states, series = len(arm.out.run_states) > 0, arm.out.series.size > 0
        turn = 0 if arm.table.past is None else arm.table.past.day
        while self.struck >= 0 and self.day < stop:
            then = min([stop, *(day for day in (turn, *(one.day for one in arm.table.later)) if day > self.day)])
            if self.day == turn > 0:
                run, own = self.memory.lanes.run, len(self.runs)
                run[:own], run[own:] = self.runs, self.runs[-1]
            for later in (one for one in arm.table.later if one.day == self.day):
                renew_numbers(later, self.points, self.memory)
                renew_products(arm.world, self.memory, arm.rules, self.day)
            then = self.day + 1 if states or series else then
            simulated = simulate_block if arm.table.extended is None else simulate_extended_block
            world = arm.world if self.day >= turn else arm.past
            self.struck = simulated(
                world, self.memory, arm.rules, arm.out.weekly, self.day, then, self.struck, states or arm.rules.watched
            )
            if states or series:
                recording.store_states(self.memory, self.histories, self.day, arm.series, arm.out)
            self.day = then
        self.day = stop

    def finish(self, arm: ArmInputs) -> None:
        """Simulate what is left until all that is asked is known, and write it out."""
        days = len(arm.table.days)
        if arm.settled is not None:
            day, columns = arm.settled
            self.simulate(arm, max(self.day, min(day, days)))
            while self.drop_settled(arm, columns) and self.day < days:
                self.simulate(arm, min(self.day + STRETCH, days))
        else:
            self.simulate(arm, days)
        recording.write_out(self.memory, np.arange(len(self.histories)), self.histories, arm.out, arm.windows)

    def drop_settled(self, arm: ArmInputs, columns: list[int]) -> bool:
        """Write out the lanes in which all days of these columns have come, or war; go on with fewer vectors if a third
        of them has nothing to do. Whether any lane is left.
        """
        block, lanes = self.memory, len(self.memory.lanes.run)
        waits = block.lanes.scratch[ALIVE, : len(self.histories)] > 0.0
        waits &= (block.runs.tally[columns, : len(self.histories)] < 0.0).any(axis=0)
        stay = np.flatnonzero(waits)
        size = (-(-len(stay) // VECTOR) | 1) * VECTOR  # odd, as `lane_width` says
        if len(stay) and 3 * size <= 2 * lanes:
            go = np.flatnonzero(~waits)
            recording.write_out(block, go, self.histories[go], arm.out)
            listed = np.searchsorted(stay, block.lanes.struck[: self.struck])
            there = stay[np.minimum(listed, len(stay) - 1)] == block.lanes.struck[: self.struck]
            self.memory = narrowed(block, np.append(stay, np.full(size - len(stay), stay[-1])), len(stay))
            self.struck = int(there.sum())
            self.memory.lanes.struck[: self.struck] = listed[there]
            self.histories, self.runs = self.histories[stay], self.runs[stay]
        return len(stay) > 0


def runs_sharing_high_bits(runs: Array) -> int:
    """How many of the first runs may share a block: those that share all bits above the lowest 32."""
    others = np.flatnonzero(runs >> 32 != runs[0] >> 32)
    return int(others[0]) if len(others) else len(runs)


def world_of(table: ModelInputs, seed_low: int, seed_high: int, asked: OutputSpec) -> SharedInputs:
    """The table as blocks read it, and what of it something reads: outcomes are of attacks on the target alone."""
    echoes = np.zeros_like(table.raids)
    for day in np.flatnonzero(table.raids.any(axis=1)):
        echoes[day] = nearby_raids(table.layout["collective"], table.raids[day])
    before = np.vstack([np.zeros((1, table.raids.shape[1])), table.raids[:-1]])
    days, fronts, changes = table.days["intensity"], table.fronts, np.ones(table.fronts.shape, dtype=np.bool_)
    changes[1:] = (days[1:] != days[:-1])[:, None]
    for said in (fronts["surge"], fronts["supply"]):
        changes[1:] |= said[1:] != said[:-1]
    struck = table.layout["on_target"] > 0
    # A group may go by what a wing of its own feels elsewhere.
    moving = len(table.groups) > 0 and bool((table.layout["pausable"][~struck] > 0).any())
    everywhere = asked.elsewhere or moving or table.extended is not None
    struck_at = np.zeros(table.fronts.shape[1], dtype=np.bool_)
    struck_at[table.layout["theatre"][struck]] = True
    return SharedInputs(
        seed_low, seed_high, table.layout, table.groups, table.bursts, table.weights, table.days, table.fronts,
        table.raids, echoes, np.any((table.raids > 0.0) | (before > 0.0), axis=1), changes, struck_at,
        np.flatnonzero(struck | everywhere), np.flatnonzero(struck_at | everywhere), table.patron, table.target,
        table.strikes_day, table.report_day, 0 if table.past is None else table.past.day, asked.daily, asked.weekly,
    )  # fmt: skip


def nearby_raids(collectives: Array, raids: Array) -> list[float]:
    """Raids of a day on the others of each wing's collective (W,)."""
    sums: dict[int, float] = {}
    for collective, raid in zip(collectives, raids, strict=True):
        sums[collective] = sums.get(collective, 0.0) + raid
    return [target.strikes_nearby(sums[collective], raid) for collective, raid in zip(collectives, raids, strict=True)]


def _simulate_block(
    world: SharedInputs, memory: Memory, rules: Variant, weekly: Array, first: int, stop: int, struck: int,
    states_asked: bool,
) -> int:  # fmt: skip
    """Simulate the days of a block from `first` until `stop`, or until direct war in its last lane.

    `struck` is the number of lanes that met more than raids on the day before; that of the last day is returned, or -1
    where no lane is alive any more.
    """
    block = rows_of(Block, memory, rules)
    if first == 0 or first == world.turn:
        chance_begins(world, block)
    for day in range(first, stop):
        struck, wars = simulate_day(world, block, weekly, day, struck, states_asked)
        if wars > 0 and stop_lanes_at_war(float(day), len(world.layout), block) == 0:
            return -1
    return struck


simulate_block: Final = kernel(_simulate_block)
simulate_extended_block: Final = open_kernel(_simulate_block)


@open_kernel
def renew_products(world: SharedInputs, memory: Memory, rules: Variant, day: int) -> None:
    """What is worked out ahead follows numbers that are new today."""
    block = rows_of(Block, memory, rules)
    for w in range(len(world.layout)):
        at, supply = wing_place(world, block, w, day, False), world.fronts[day, world.layout[w].theatre].supply
        units.update_timeline_products(at, supply, block.theatres, block.wings, block.lanes)
        strikes.renew_strike_effects(w, block.numbers.militia, block.wings, block.lanes)


@part
def chance_begins(world: SharedInputs, block: Block) -> None:
    """What is found ahead where random numbers begin, on the first day or on that from which on they are others."""
    cache_run_rounds(world.seed_low, world.seed_high, block.lanes)
    roles.limits_begin(world, block.runs, block.lanes)
    if block.lanes.rules.pauses:
        groups.episodes_begin(world, block.groups, block.lanes)


@part
def simulate_day(
    world: SharedInputs, block: Block, weekly: Array, day: int, struck: int, states_asked: bool
) -> tuple[int, int]:
    """A day in the order of `sim.rules.decisions.STEPS`; lanes that met more than raids, lanes with war from now on."""
    numbers, runs, wings, lanes = block.numbers, block.runs, block.wings, block.lanes
    today = world.days[day]
    lanes.rules.morning(world, block, day)
    patron = address(world, block, day, world.patron)
    fearful, ordering = roles.patron_assesses(patron, today, numbers, runs, lanes)
    if ordering > 0:
        roles.orders_begin(patron, runs, lanes)
    orders_reach_theatres(world, block, day)
    lanes.rules.orders(world, block, day)
    roles.mediators_press(today.talks, numbers, runs, lanes)
    if lanes.rules.pauses:
        groups_decide(world, block, day)
    militias_live(world, block, day, states_asked)
    attacks_add_up(world, block, weekly, day)
    lanes.rules.attacks(world, block, day)
    answers = roles.target_responds(
        address(world, block, day, world.target), today.major, today.limited, today.leader, numbers.target, runs, lanes
    )
    struck = strikes.strikes_land(world, day, answers, struck, numbers, runs, wings, lanes)
    lanes.rules.strikes(world, block, day)
    wars = roles.ladder_moves(fearful, numbers, runs, lanes)
    lanes.rules.evening(world, block, day)
    day_is_recorded(world, block, day)
    return struck, wars


@part
def address(world: SharedInputs, block: Block, day: int, actor: int) -> Address:
    """Where an actor's random numbers of a day are found."""
    return Address(world.seed_low, world.seed_high, block.lanes.run[0], day, actor)


@part
def orders_reach_theatres(world: SharedInputs, block: Block, day: int) -> None:
    """Yesterday's orders reach the theatres, and the patron gives today's."""
    numbers, runs, theatres, lanes = block.numbers, block.runs, block.theatres, block.lanes
    for k in world.theatres:
        start, stance = k * VECTOR * lanes.vectors, world.fronts[day, k].stance
        theatres.ordered[k] = roles.issue_orders(start, float(day), stance, numbers.patron, runs, theatres, lanes)
        theatres.obeyed[k] |= theatres.ordered[k]


@part
def groups_decide(world: SharedInputs, block: Block, day: int) -> None:
    """Each group decides whether it pauses; where none of its wings ever was ordered or struck, nothing moves it."""
    theatres, wings, lanes = block.theatres, block.wings, block.lanes
    resting = 0
    for g in range(len(world.groups)):
        resting += 1 if block.groups.moved[g] == 0 else 0
    threatened = groups.lanes_threatened(block.runs, lanes) if resting > 0 else 0
    for g in range(len(world.groups)):
        for w in range(len(world.layout) if block.groups.moved[g] == 0 else 0):
            if world.layout[w].group == g and (world.layout[w].pausable > 0 or lanes.rules.plain):
                block.groups.moved[g] |= theatres.obeyed[world.layout[w].theatre] | wings.touched[w] | threatened
        if block.groups.moved[g] > 0 or lanes.rules.plain:
            for w in range(len(world.layout)):
                if world.layout[w].group == g and (world.layout[w].pausable > 0 or lanes.rules.plain):
                    at = wing_place(world, block, w, day, False)
                    groups.wing_moves_group(at, block.numbers, block.runs, theatres, wings, block.groups, lanes)
            groups.episodes_end(world, g, block.groups, lanes)


@part
def militias_live(world: SharedInputs, block: Block, day: int, states_asked: bool) -> None:
    """Wing by wing the militias adapt and attack, and the attacks land: no wing knows of another's before tomorrow."""
    if not block.lanes.rules.launches:
        units.reset_day(block.runs, block.lanes)
    theatres_stir(world, block, day)
    block.lanes.rules.militias(wing_day, wing_plans, wing_lands, world, block, day, states_asked)


@part
def wing_day(w: int, world: SharedInputs, block: Block, day: int, states_asked: bool) -> None:
    """The day of wing w."""
    numbers, theatres, wings, lanes = block.numbers, block.theatres, block.wings, block.lanes
    at, where = wing_today(world, block, w, day, states_asked)
    marked = units.simulate_wing(at, where, numbers, theatres, wings, block.groups, lanes)
    if marked > 0:
        strikes.apply_casualties(at, where, world.days[day], numbers.attacks, block.runs, theatres, wings, lanes)


@part
def wing_plans(w: int, world: SharedInputs, block: Block, day: int, states_asked: bool) -> None:
    """The day of wing w until its attacks land."""
    at, where = wing_today(world, block, w, day, states_asked)
    units.plan_attacks(at, where, block.numbers, block.theatres, block.wings, block.groups, block.lanes)


@part
def wing_lands(w: int, world: SharedInputs, block: Block, day: int, states_asked: bool) -> None:
    """The attacks of wing w land."""
    numbers, theatres, wings, lanes = block.numbers, block.theatres, block.wings, block.lanes
    if w == 0:
        units.reset_day(block.runs, lanes)
    at, where = wing_place(world, block, w, day, states_asked), address(world, block, day, world.layout[w].actor)
    marked = units.land_attacks(at, where, numbers, theatres, wings, lanes)
    if marked > 0:
        strikes.apply_casualties(at, where, world.days[day], numbers.attacks, block.runs, theatres, wings, lanes)


@part
def theatres_stir(world: SharedInputs, block: Block, day: int) -> None:
    """Theatres whose attacks hit the target change their shares, and have the shocks of today where attacks cluster."""
    if len(world.weights) > 0 and day % WEEK == 0:
        shares_change(world, block, day)
    if block.lanes.rules.bursts:
        for k in range(len(world.bursts)):
            if world.struck_at[k]:
                where = address(world, block, day, world.bursts[k])
                units.theatre_stirs(where, k, day == world.turn, block.numbers.militia, block.theatres, block.lanes)


@part
def shares_change(world: SharedInputs, block: Block, day: int) -> None:
    """For a week, the theatres share out the attacks on the target by their weights."""
    lanes = block.lanes
    for i in range(VECTOR * lanes.vectors):
        lanes.scratch.term[i], lanes.scratch.reached[i] = 0.0, 0.0
    for k in range(len(world.weights)):
        if world.struck_at[k]:
            where = address(world, block, day, world.weights[k])
            units.theatre_changes_weight(where, k, block.numbers, block.theatres, lanes)
    for k in range(len(world.weights)):
        if world.struck_at[k]:
            units.theatre_takes_share(k, block.theatres, lanes)


@part
def wing_today(world: SharedInputs, block: Block, w: int, day: int, states_asked: bool) -> tuple[WingPlace, Address]:
    """Where wing w stands, with products that follow today's timeline, and where its random numbers are."""
    k, lanes = world.layout[w].theatre, block.lanes
    at = wing_place(world, block, w, day, states_asked)
    if lanes.rules.plain or world.changes[day, k]:
        units.update_timeline_products(at, world.fronts[day, k].supply, block.theatres, block.wings, lanes)
    return at, address(world, block, day, world.layout[w].actor)


@part
def wing_place(world: SharedInputs, block: Block, w: int, day: int, states_asked: bool) -> WingPlace:
    """Where wing w stands, and what is known of its day."""
    layout, theatres, size = world.layout, block.theatres, VECTOR * block.lanes.vectors
    k, window = layout[w].theatre, outcomes.window(day, world.strikes_day, world.report_day)
    complies = theatres.obeyed[k] > 0
    if block.lanes.rules.pauses:
        complies = complies or block.groups.moved[layout[w].group] > 0
    return WingPlace(
        w * size, k * size, layout[w].group * size, layout[w].mediated * size, w * size if states_asked else 0,
        ((window if window >= 0 else NO_WINDOW) * len(layout) + w) * size, world.days[day].intensity,
        world.fronts[day, k].surge, theatres.ordered[k] > 0, complies, block.wings.touched[w] > 0,
        layout[w].on_target > 0, world.days[day].pinned_wing == w, states_asked, len(world.weights) > 0,
    )  # fmt: skip


@part
def attacks_add_up(world: SharedInputs, block: Block, weekly: Array, day: int) -> None:
    """The attacks of the day by theatre, of which those on the target count for the run."""
    runs, theatres, lanes = block.runs, block.theatres, block.lanes
    for k in world.theatres:
        start = k * VECTOR * lanes.vectors
        if world.daily:
            recording.store_daily(k, (day * world.fronts.shape[1] + k) * 2 * VECTOR * lanes.vectors, block)
        units.sum_attacks(start, world.struck_at[k], runs, theatres, lanes)
        if world.weekly and (day + 1) % WEEK == 0:
            recording.record_week(start, theatres, lanes, weekly[k, day // WEEK])


@part
def day_is_recorded(world: SharedInputs, block: Block, day: int) -> None:
    """What the evening adds to the record."""
    runs, lanes, window = block.runs, block.lanes, outcomes.window(day, world.strikes_day, world.report_day)
    recording.record_day_end(float(day), runs, lanes)
    if window >= outcomes.LULL:
        began = float(outcomes.fortnight_began(day, world.strikes_day))
        place = day % outcomes.RESUMED_DAYS * VECTOR * lanes.vectors
        recording.record_quiet(float(day), began, window == outcomes.LATER, place, runs, lanes)


@step
def stop_lanes_at_war(day: float, wings_in_all: int, block: Block) -> int:
    """Lanes at war rest from now on: no wing attacks and nothing is recorded; the number of lanes still alive."""
    runs, wings, alive, size = block.runs, block.wings, block.lanes.scratch.alive, VECTOR * block.lanes.vectors
    living = 0
    for i in range(size):
        if runs.state.war[i] > 0.0 and alive[i] > 0.0:
            runs.tally.war_day[i], alive[i] = day, 0.0
            for w in range(wings_in_all):
                wings.numbers.baseline[w * size + i], wings.push[w * size + i] = 0.0, 0.0
        living += 1 if alive[i] > 0.0 else 0
    return living
