"""The memory of a block: structures of arrays with the lane innermost, and how many lanes fit the cache.

L is the number of lanes kept in memory (a whole number of vectors), W that of wings, K that of theatres. Nearly all is
float64, flags and phases too: masks of one width vectorise best. Each class names the rows of one table; a row is flat,
so that of wing w starts at w L. Numbers are those of `sim.engine.columns`, states those of `sim.engine.state`, outcomes
those of `sim.rules.outcomes`; what the kernel alone keeps stands here. Steps of a day hand on the parts of a `Block`.
"""

from typing import Annotated, Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from sim.engine.columns import (
    ROLES,
    AttackNumbers,
    LadderNumbers,
    MediatorNumbers,
    MilitiaNumbers,
    PatronNumbers,
    Real,
    TargetNumbers,
    TheatreNumbers,
    Whole,
    WingNumbers,
)
from sim.engine.inputs import ModelInputs
from sim.engine.record import BINS, OutcomeRow
from sim.engine.state import RunState, TheatreState, WingState
from sim.numbers.compiled import kernel, part
from sim.numbers.soa import VECTOR, row_kinds
from sim.numbers.variant import Variant
from sim.rules import outcomes
from sim.rules.decisions import DAYS_IN_PLACE

T = TypeVar("T", bound=tuple[Any, ...])

MOST_VECTORS: Final = 9
FEW_VECTORS: Final = 3
"""With fewer, what a step costs whatever its lanes outweighs what a cache that is further away costs."""
CACHE_BYTES: Final = 81 * 2**14
"""Memory that a block should stay below: a common second-level cache, and a little more that is seldom touched."""
SHARED_BYTES: Final = 8 * CACHE_BYTES
"""Memory that a block of FEW_VECTORS should stay below: a core's part of a common third-level cache."""
UNAFFECTED: Final = -1.0
PACK: Final = 2.0**24
"""Attacks and the acknowledged ones among them are summed as one number: PACK attacks + acknowledged. A history has
fewer than 2**23 attacks of a wing, so both can be found again."""


class StrikeEffects(NamedTuple):
    """What strikes of today do tomorrow, each (W, L).

    `left` is the share of capacity that they leave, `resented` the grievance of the lanes that they shake; of all
    others it is UNAFFECTED.
    """

    left: Real
    resented: Real


class Feedback(NamedTuple):
    """What wings feel today of mediators and gains, each (2, L).

    The mediators' pressure, and weights times it, row 0 for wings that they do not reach; gains, in row 0, is their
    weight times the gains.
    """

    pressure: Real
    goal: Real
    relief: Real
    restraint: Real
    gains: Real


class RngCache(NamedTuple):
    """Results of the first Philox rounds for each run, each (L,) int64: see `sim.numbers.philox.run_rounds`."""

    a: Whole
    b: Whole
    c: Whole


class RandomBlock(NamedTuple):
    """The four draws of one block of an actor's day, each (L,): those of its decisions 0 to 3."""

    first: Real
    second: Real
    third: Real
    fourth: Real


class Workspace(NamedTuple):
    """Values of a day or less, each (L,).

    alive is 1 until direct war; shock is the patron's; paused is 1 where the wing whose turn it is pauses, stands where
    an order to hold back stands for it; term and reached are the sampler's; fortnight sums the acknowledged attacks of
    the last 14 days.
    """

    alive: Real
    shock: Real
    paused: Real
    stands: Real
    term: Real
    reached: Real
    fortnight: Real


class TheatreRecord(NamedTuple):
    """By theatre, each (K, L).

    held is the day of the first order to hold back; today the attacks of the day, packed; week those of the running
    week.
    """

    held: Real
    today: Real
    week: Real


class Numbers(NamedTuple):
    """Parameters by role, each row (L,), in the order of `sim.engine.columns.ROLES`."""

    patron: Annotated[Any, PatronNumbers]
    militia: Annotated[Any, MilitiaNumbers]
    target: Annotated[Any, TargetNumbers]
    mediators: Annotated[Any, MediatorNumbers]
    attacks: Annotated[Any, AttackNumbers]
    ladder: Annotated[Any, LadderNumbers]


class Runs(NamedTuple):
    """Of the runs, each row (L,): their state, their outcomes so far, random numbers of the two states."""

    state: RunState
    tally: Annotated[Any, OutcomeRow]
    patron_draws: RandomBlock
    target_draws: RandomBlock


class Theatres(NamedTuple):
    """Of the theatres, each row (K, L): numbers, state, record, and the capacity rebuilt a day under today's supply.

    Where attacks cluster or shares change, factor (K, L) is that of its rates today, of which share is due to its
    weight; draws (4 K, L) are those of four days. Of all lanes together, (K,) int64: in some lane it is ordered to hold
    back, it ever was.
    """

    numbers: TheatreNumbers
    state: TheatreState
    notes: TheatreRecord
    rebuilt: Real
    factor: Real
    share: Real
    draws: Real
    ordered: Whole
    obeyed: Whole


class Wings(NamedTuple):
    """Of the wings, each row (W, L): numbers, state, effects of strikes, baseline rate times today's gate and surge.

    counts (4, W, L) attacks by window, packed; the last window is the day that belongs to none. lags (W, L) days until
    it complied. Of all lanes together: touched (W,) int64 it was ever struck or near a strike; weights (W,) and
    collectives (W,) are scratch.
    """

    numbers: WingNumbers
    state: WingState
    effects: StrikeEffects
    push: Real
    counts: Real
    lags: Real
    touched: Whole
    weights: Real
    collectives: Real


class GroupState(NamedTuple):
    """Of a group, each (G, L): whether it pauses, and the present episode; see `sim.engine.reference.MilitiaGroup`."""

    paused: Real
    hazard: Real
    limit: Real
    episode: Real


class Groups(NamedTuple):
    """Of the groups that decide to pause, none where that is off: state, and the rate of turning today (L,).

    Of all lanes together, moved (G,) int64: in some lane an order or a strike ever gave it something to decide.
    """

    state: GroupState
    rate: Real
    moved: Whole


class Lanes(NamedTuple):
    """Of the lanes, `vectors` times VECTOR of them, each row (L,); felt (2, L).

    ring (14, L) acknowledged attacks of the last days. run int64 run numbers. flags int8 marks lanes with rare work,
    eight of them to a number of `eights`, marked int64 lists them; struck int64 lists those that met more than raids on
    the last day. banks (4, BINS) int64 is scratch. rules are what the lanes live by.
    """

    vectors: int
    scratch: Workspace
    felt: Feedback
    shares: RngCache
    draws: RandomBlock
    ring: Real
    run: Whole
    flags: Whole
    eights: Whole
    marked: Whole
    struck: Whole
    banks: Whole
    rules: Variant


class Block(NamedTuple):
    """All memory of a block: tables as arrays, or in kernels and where `rows_of` was applied, their rows by name.

    extras (R, L) is what extensions keep. daily (D, K, 2, L) uint16 attacks and acknowledged ones of every day, with
    D = 0 where they were not asked for.
    """

    numbers: Numbers
    runs: Runs
    theatres: Theatres
    groups: Groups
    wings: Wings
    lanes: Lanes
    extras: Real
    daily: Whole


@part
def with_rules(block: Block, rules: Variant) -> Block:
    """The block where other rules hold."""
    one = block.lanes
    lanes = Lanes(
        one.vectors, one.scratch, one.felt, one.shares, one.draws, one.ring, one.run, one.flags, one.eights, one.marked,
        one.struck, one.banks, rules,
    )  # fmt: skip
    return Block(block.numbers, block.runs, block.theatres, block.groups, block.wings, lanes, block.extras, block.daily)


Memory = Any
"""A `Block` that holds its tables as arrays."""


class Address(NamedTuple):
    """Where the random numbers of an actor's day are found; `run` is any run of the block."""

    seed_low: int
    seed_high: int
    run: int
    day: int
    actor: int


class WingPlace(NamedTuple):
    """Where a wing stands in the rows, and what is known of its day in all lanes.

    Starts: of its own rows and of its theatre's; `reached` of the mediators' pressure on it, `kept` of what only the
    state tables need (where these are not requested all wings write to the same place), `counted` of the counts of this
    window; `group` of its group. From the timeline: the war's intensity, the surge. Flags: in some lane it is ordered
    to hold back, may comply with something, for it ever was or its group has something to decide, ever felt a strike;
    it attacks the target; one of its attacks is pinned; the state tables are requested; shares of theatres change.
    """

    wing: int
    theatre: int
    group: int
    reached: int
    kept: int
    counted: int
    intensity: float
    surge: float
    ordered: bool
    complies: bool
    touched: bool
    on_target: bool
    pinned: bool
    remembers: bool
    shared: bool


def lane_width(table: ModelInputs) -> int:
    """Lanes whose block stays within the cache: an odd number of vectors, from one to MOST_VECTORS.

    Odd, for rows whose distance is a power of two would compete for the same places of the cache. With many wings
    FEW_VECTORS leave the second-level cache, which costs less than going with fewer; one is left where even the third
    would not hold them. Chosen by measurement, from 10 wings to 10,000.
    """
    one = block_bytes(table, VECTOR)
    vectors = min(MOST_VECTORS, max(CACHE_BYTES // one, min(FEW_VECTORS, SHARED_BYTES // one)))
    return int(VECTOR * max(1, vectors - 1 + vectors % 2))


def block_bytes(table: ModelInputs, lanes: int) -> int:
    """About how much memory a block of so many lanes takes, days that are kept apart."""
    wings, theatres = table.wings.shape[1], table.theatres.shape[1]
    of_wing = sum(len(one._fields) for one in (WingState, StrikeEffects, WingNumbers)) + len(outcomes.WINDOWS) + 3
    of_theatre = sum(len(one._fields) for one in (TheatreNumbers, TheatreState, TheatreRecord)) + 1
    of_run = sum(len(one._fields) for one in (*ROLES.values(), RunState, OutcomeRow)) + 50
    of_group = len(GroupState._fields) * len(table.groups)
    of_burst = DAYS_IN_PLACE * len(table.bursts) + 2 * max(len(table.bursts), len(table.weights))
    return 8 * lanes * int(of_run + of_wing * wings + of_theatre * theatres + of_group + of_burst)


def new_memory(table: ModelInputs, lanes: int, daily: bool) -> Memory:
    """Memory for `lanes` lanes, rounded up to whole vectors; `daily` keeps the attacks of every day."""
    size = -(-lanes // VECTOR) * VECTOR
    wings, theatres, days = table.wings.shape[1], table.theatres.shape[1], len(table.days)
    flags, stirred = np.zeros(size, dtype=np.int8), max(len(table.bursts), len(table.weights))
    return Block(
        numbers=tables(Numbers, size),
        runs=tables(Runs, size),
        theatres=tables(
            Theatres, theatres, size, factor=rows(stirred, size), share=rows(stirred, size),
            draws=rows(DAYS_IN_PLACE * len(table.bursts), size), ordered=whole(theatres), obeyed=whole(theatres),
        ),
        groups=tables(Groups, len(table.groups), size, rate=rows(size), moved=whole(len(table.groups))),
        wings=tables(
            Wings, wings, size, counts=rows(len(outcomes.WINDOWS) + 1, wings, size), touched=whole(wings),
            weights=rows(wings), collectives=rows(wings),
        ),
        lanes=tables(
            Lanes, size, vectors=size // VECTOR, felt=rows(len(Feedback._fields), 2, size),
            shares=rows(len(RngCache._fields), size).view(np.int64), ring=rows(outcomes.RESUMED_DAYS, size),
            run=whole(size), flags=flags, eights=flags.view(np.int64), marked=whole(size), struck=whole(size),
            banks=whole(4, BINS), rules=None,
        ),
        extras=rows(table.extras.shape[1], size),
        daily=np.zeros((days if daily else 0, theatres, 2, size), dtype=np.uint16),
    )  # fmt: skip


def tables(kind: type[T], *shape: int, **others: Any) -> T:
    """The part of a block of that class: rows of this shape wherever no others are given."""
    made: dict[str, Any] = {
        name: rows(*([] if one is None else [len(one._fields)]), *shape)
        for name, one in row_kinds(kind).items()
        if name not in others
    }
    return kind(**made, **others)


def whole(*shape: int) -> npt.NDArray[np.int64]:
    """Zeros as whole numbers."""
    return np.zeros(shape, dtype=np.int64)


def rows(*shape: int) -> npt.NDArray[np.float64]:
    """Zeros whose memory starts where a vector register's does, so that no load straddles two cache lines."""
    size = int(np.prod(shape))
    memory = np.zeros(size + VECTOR)
    start = (-memory.ctypes.data // memory.itemsize) % VECTOR
    return memory[start : start + size].reshape(shape)


def copy_tables(source: Any, to: Any) -> None:
    """Copy the numbers of one memory into another of its shape."""
    for one, other in zip(source, to, strict=True):
        if isinstance(one, tuple):
            copy_tables(one, other)
        elif isinstance(one, np.ndarray):
            other[...] = one


OF_ALL_LANES: Final = frozenset(
    {"ordered", "obeyed", "touched", "moved", "weights", "collectives", "banks", "daily", "extras"}
)
"""Tables of a block without a number for each lane, or that only whole blocks keep."""


def narrowed(memory: Memory, lanes: npt.NDArray[np.int64], alive: int) -> Memory:
    """The memory of some of its lanes, which rise; it stays where it was, and those after the first `alive` rest."""
    flags, before = memory.lanes.flags[: len(lanes)], len(memory.lanes.run)

    def narrow(part: Any) -> Any:
        kept = {}
        for name, one in part._asdict().items():
            if isinstance(one, tuple):
                kept[name] = narrow(one)
            elif (
                isinstance(one, np.ndarray)
                and name not in OF_ALL_LANES
                and one.dtype.itemsize * one.shape[-1] == 8 * before
            ):
                flat = one.reshape(-1)
                squeeze(flat, before, lanes)
                kept[name] = flat[: one.size // before * len(lanes)].reshape(*one.shape[:-1], len(lanes))
        return part._replace(**kept)

    less: Block = narrow(memory)
    Workspace(*less.lanes.scratch).alive[alive:] = 0.0
    WingNumbers(*less.wings.numbers).baseline[:, alive:] = 0.0
    less.wings.push[:, alive:] = 0.0
    return less._replace(
        lanes=less.lanes._replace(vectors=len(lanes) // VECTOR, flags=flags, eights=flags.view(np.int64))
    )


@kernel
def squeeze(table: Any, before: int, lanes: Any) -> None:
    """Move some of `before` lanes, which rise, together in each row of a flat table."""
    for row in range(len(table) // before):
        for j in range(len(lanes)):
            table[row * len(lanes) + j] = table[row * before + lanes[j]]
