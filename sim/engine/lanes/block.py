"""The memory of a block: structures of arrays with the lane innermost, and how many lanes fit the cache.

L is the number of lanes kept in memory (a whole number of vectors), W that of wings, K that of theatres. Nearly all is
float64, flags and phases too: masks of one width vectorise best. Each class names the rows of one table; a row is flat,
so that of wing w starts at w L. Fields of the state have the names of `sim.engine.state`, those of the parameters the
names of `sim.engine.table`.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.engine.record import BINS
from sim.engine.state import RUN_STATE, THEATRE_STATE
from sim.engine.table import NUMBERS, Table
from sim.rules import outcomes as kept

Array = npt.NDArray[Any]

VECTOR: Final = 32
"""Memory holds a whole number of these for each row: four of the widest vectors, so that loops which take several of
these at a time leave no rest."""
MOST_VECTORS: Final = 9
FEW_VECTORS: Final = 3
"""With fewer, what a step costs whatever its lanes outweighs what a cache that is further away costs."""
CACHE_BYTES: Final = 5 * 2**18
"""Memory that a block should stay below: a common second-level cache, and a little more that is seldom touched."""
SHARED_BYTES: Final = 8 * CACHE_BYTES
"""Memory that a block of FEW_VECTORS should stay below: a core's part of a common third-level cache."""
UNSHAKEN: Final = -1.0
PACK: Final = 2.0**24
"""Attacks and the acknowledged ones among them are summed as one number: PACK attacks + acknowledged. A history has
fewer than 2**23 attacks of a wing, so both can be found again."""


class Runs(NamedTuple):
    """State of the runs, each (L,)."""

    war_risk: Array
    phase: Array
    phase_days: Array
    gains: Array
    ordered_attacks: Array
    answered: Array
    pressure: Array
    provocation: Array
    pending: Array
    quiet_days: Array
    attacks: Array
    acknowledged: Array
    injured: Array
    killed: Array
    lethal: Array
    limited: Array
    leader: Array
    major: Array
    struck_wing: Array
    strikes: Array
    strikes_home: Array
    acts: Array
    rung: Array
    recent_rung: Array
    war: Array


class Fronts(NamedTuple):
    """State of the theatres, each (K, L)."""

    directive: Array
    order: Array


class Wings(NamedTuple):
    """State of the wings, each (W, L), and below `jump` what today's strikes do tomorrow.

    `left` is the share of capacity that they leave, `feared` and `resented` fear and grievance of the lanes that they
    shake; of all others `feared` is UNSHAKEN.
    """

    compliance: Array
    fear: Array
    grievance: Array
    capacity: Array
    rate: Array
    attacks: Array
    acknowledged: Array
    recent: Array
    struck: Array
    nearby: Array
    jump: Array
    left: Array
    feared: Array
    resented: Array


class PatronNumbers(NamedTuple):
    """Parameters of the patron, each (L,)."""

    war_risk_keep: Array
    alarm_per_strike: Array
    alarm_per_death: Array
    alarm_of_threat: Array
    alarm_per_act: Array
    alarm_threshold: Array
    deliberation_days: Array
    minimum_days: Array
    release_rate: Array
    directive_free: Array
    gains_weight: Array
    gains_scale: Array
    open_answer: Array


class MilitiaNumbers(NamedTuple):
    """Parameters of all wings, each (L,)."""

    relax_rate: Array
    fear_own: Array
    fear_other: Array
    fear_keep: Array
    grievance_own: Array
    grievance_other: Array
    grievance_keep: Array
    grievance_max: Array
    major_fear: Array
    damage: Array


class TargetNumbers(NamedTuple):
    """Parameters of the target, each (L,)."""

    provocation_keep: Array
    injured_weight: Array
    killed_weight: Array
    provocation_threshold: Array
    response_rate: Array
    response_relief: Array
    major_days: Array
    major_intensity: Array
    major_able: Array
    leader_chance: Array
    leader_intensity: Array
    quiet_days: Array
    attribution: Array
    attribution_keep: Array
    patron_strike_rung: Array
    patron_strike_acts: Array
    answer_provocation: Array


class MediatorNumbers(NamedTuple):
    """Parameters of the mediators, each (L,)."""

    pressure_keep: Array
    pressure_per_strike: Array
    pressure_per_death: Array
    pressure_of_talks: Array
    mediation_weight: Array
    mediator_restraint: Array
    ideology_relief: Array


class AttackNumbers(NamedTuple):
    """Parameters of what becomes of attacks, each (L,)."""

    penetration: Array
    lethality: Array
    tail_span: Array
    tail_power: Array
    exposure: Array
    injured_mean: Array
    small_penetration: Array
    observed: Array
    small_observed: Array


class LadderNumbers(NamedTuple):
    """Parameters of the ladder, each (L,)."""

    cooling: Array
    war_threshold: Array
    war_rate: Array


class Places(NamedTuple):
    """Parameters of the theatres, each (K, L); `rebuilt` is the capacity rebuilt a day under today's supply."""

    gate: Array
    rebuild: Array
    restraint: Array
    release: Array
    rebuilt: Array


class Traits(NamedTuple):
    """Parameters of the wings, each (W, L); `push` is the baseline rate times today's gate and surge."""

    baseline: Array
    held: Array
    pace: Array
    ideology: Array
    wear: Array
    push: Array


class Felt(NamedTuple):
    """What wings feel today of mediators and gains, each (2, L).

    Weights times the mediators' pressure, row 0 for wings that they do not reach; gains, in row 0, is their weight
    times the gains.
    """

    goal: Array
    relief: Array
    restraint: Array
    gains: Array


class Shares(NamedTuple):
    """What the first rounds of chance make of each run, each (L,) int64: see `sim.numbers.chance.run_share`."""

    a: Array
    b: Array
    c: Array


class Draws(NamedTuple):
    """The four draws of one block of an actor's day, each (L,): those of its decisions 0 to 3."""

    first: Array
    second: Array
    third: Array
    fourth: Array


class Scratch(NamedTuple):
    """What lives for a day or less, each (L,).

    alive is 1 until direct war; release and shock are the patron's; term and reached the sampler's; fortnight sums
    the acknowledged attacks of the last 14 days.
    """

    alive: Array
    release: Array
    shock: Array
    term: Array
    reached: Array
    fortnight: Array


class FrontNotes(NamedTuple):
    """By theatre, each (K, L).

    held is the day of the first order to hold back; today the attacks of the day, packed; week those of the running
    week.
    """

    held: Array
    today: Array
    week: Array


class Tally(NamedTuple):
    """The row of outcomes of each run so far, each (L,), in the order of `sim.rules.outcomes.RECORDED`."""

    deaths: Array
    lethal_attacks: Array
    injured: Array
    first_death_day: Array
    limited_responses: Array
    leader_strikes: Array
    campaign_responses: Array
    leaders_spared: Array
    major_responses: Array
    major_day: Array
    directive_day: Array
    release_day: Array
    war_day: Array
    first_attack_day: Array
    resumption_day: Array
    peak_war_risk: Array
    peak_rung: Array


class Memory(NamedTuple):
    """All memory of a block: the tables that the classes above name, and some arrays of their own.

    counts (4, W, L) attacks of each wing by window, packed; the last window is the day that belongs to none. lags
    (W, L). ring (14, L) acknowledged attacks of the last days. banks (4, BINS) is scratch. Of all lanes together,
    int64: ordered (K,) the theatre is told to hold back in some lane, obeyed (K,) it ever was, touched (W,) the wing
    was ever struck or near a strike. run (L,) int64 run numbers. flags (L,) int8 marks lanes with rare work, marked
    (L,) int64 lists them; struck (L,) int64 lists those that met more than raids on the last day. weights (W,) and
    collectives (W,) are scratch. daily
    (D, K, 2, L) uint16 attacks and acknowledged ones of every day, with D = 0 where they were not asked for. mine
    (R, L) is what extensions keep.
    """

    numbers: Array
    places: Array
    traits: Array
    runs: Array
    fronts: Array
    wings: Array
    felt: Array
    shares: Array
    patron_draws: Array
    target_draws: Array
    wing_draws: Array
    scratch: Array
    front_notes: Array
    tally: Array
    counts: Array
    lags: Array
    ring: Array
    banks: Array
    ordered: Array
    obeyed: Array
    touched: Array
    run: Array
    flags: Array
    marked: Array
    struck: Array
    weights: Array
    collectives: Array
    daily: Array
    mine: Array


GROUPS: Final = (PatronNumbers, MilitiaNumbers, TargetNumbers, MediatorNumbers, AttackNumbers, LadderNumbers)
"""The parameters of runs, group by group in the order of `sim.engine.table.NUMBERS`."""
MARKS: Final = tuple(sum(len(group._fields) for group in GROUPS[:end]) for end in range(len(GROUPS)))
"""Row of the table at which each group starts."""


def lane_width(table: Table) -> int:
    """Lanes whose block stays within the cache: an odd number of vectors, from one to MOST_VECTORS.

    Odd, for rows whose distance is a power of two would compete for the same places of the cache. With many wings
    FEW_VECTORS leave the second-level cache, which costs less than going with fewer; one is left where even the third
    would not hold them. Chosen by measurement, from 10 wings to 10,000.
    """
    one = block_bytes(table, VECTOR)
    vectors = min(MOST_VECTORS, max(CACHE_BYTES // one, min(FEW_VECTORS, SHARED_BYTES // one)))
    return int(VECTOR * max(1, vectors - 1 + vectors % 2))


def block_bytes(table: Table, lanes: int) -> int:
    """About how much memory a block of so many lanes takes, days that are kept apart."""
    wings, theatres = table.wings.shape[1], table.theatres.shape[1]
    of_wing = len(Wings._fields) + len(Traits._fields) + len(kept.WINDOWS) + 2
    of_theatre = len(Places._fields) + len(Fronts._fields) + len(FrontNotes._fields)
    of_run = len(NUMBERS.names or ()) + len(RUN_STATE.names or ()) + len(kept.NAMES) + 50
    return 8 * lanes * int(of_run + of_wing * wings + of_theatre * theatres)


def new_memory(table: Table, lanes: int, daily: bool) -> Memory:
    """Memory for `lanes` lanes, rounded up to whole vectors; `daily` keeps the attacks of every day."""
    size = -(-lanes // VECTOR) * VECTOR
    wings, theatres, days = table.wings.shape[1], table.theatres.shape[1], len(table.days)
    return Memory(
        numbers=rows(len(NUMBERS.names or ()), size),
        places=rows(len(Places._fields), theatres, size),
        traits=rows(len(Traits._fields), wings, size),
        runs=rows(len(RUN_STATE.names or ()), size),
        fronts=rows(len(THEATRE_STATE.names or ()), theatres, size),
        wings=rows(len(Wings._fields), wings, size),
        felt=rows(len(Felt._fields), 2, size),
        shares=rows(len(Shares._fields), size).view(np.int64),
        patron_draws=rows(4, size),
        target_draws=rows(4, size),
        wing_draws=rows(4, size),
        scratch=rows(len(Scratch._fields), size),
        front_notes=rows(len(FrontNotes._fields), theatres, size),
        tally=rows(len(kept.NAMES), size),
        counts=rows(len(kept.WINDOWS) + 1, wings, size),
        lags=rows(wings, size),
        ring=rows(kept.RESUMED_DAYS, size),
        banks=np.zeros((4, BINS), dtype=np.int64),
        ordered=np.zeros(theatres, dtype=np.int64),
        obeyed=np.zeros(theatres, dtype=np.int64),
        touched=np.zeros(wings, dtype=np.int64),
        run=np.zeros(size, dtype=np.int64),
        flags=np.zeros(size, dtype=np.int8),
        marked=np.zeros(size, dtype=np.int64),
        struck=np.zeros(size, dtype=np.int64),
        weights=rows(wings),
        collectives=rows(wings),
        daily=np.zeros((days if daily else 0, theatres, 2, size), dtype=np.uint16),
        mine=rows(table.mine.shape[1], size),
    )


def rows(*shape: int) -> npt.NDArray[np.float64]:
    """Zeros whose memory starts where a vector register's does, so that no load straddles two cache lines."""
    size = int(np.prod(shape))
    memory = np.zeros(size + VECTOR)
    start = (-memory.ctypes.data // memory.itemsize) % VECTOR
    return memory[start : start + size].reshape(shape)
