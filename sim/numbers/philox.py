"""Counter-based random numbers (Philox): a random number is found by what it decides, not by its place in a sequence.

So runs, scenarios and engines that share an address share its random number (common random numbers).

    u = uniform(study seed; run, day, actor, decision)

The address goes through Philox4x32-10, a keyed scrambling of 128-bit counters. Any run can be replayed
alone, and adding an actor or a decision, or sharing the work out differently, changes no other
random number. The scenario is no part of the address: scenarios of one study use common random numbers.

    key      study seed, low and high 32 bits
    counter  word 0  run, low 32 bits
             word 1  day (16 bits), run's next 16 bits above it
             word 2  actor (32 bits, from its name)
             word 3  decision >> 2 (32 bits); the two lowest bits of the decision choose one of the four words

so runs below 2**48, days below 2**16, actors below 2**32 and decisions below 2**34 have random numbers of their own.
These limits are checked once when a study starts, not in kernels.

Source: Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3. SC '11.
"""

import hashlib
from collections.abc import Iterable
from numbers import Integral

from llvmlite import ir
from numba import float64, int64

from sim.numbers.compiled import kernel, primitive, rule

RUN_LIMIT, DAY_LIMIT, DECISION_LIMIT = 2**48, 2**16, 2**34

Words = tuple[int, int, int, int]

_LONG = ir.IntType(64)
_MASK = 0xFFFFFFFF


# Words travel as 64-bit numbers below 2**32: vectors multiply two of them into all 64 bits in one step, and the masks
# cost nothing. Numbers of 32 bits would be taken apart and put together again around every product.
@primitive(int64(int64), lambda build, value: build.and_(value, ir.Constant(_LONG, _MASK)))
def low_word(value: int) -> int:
    """The lowest 32 bits of a whole number of any kind."""
    return int(value) & _MASK


@primitive(int64(int64), lambda build, value: build.lshr(value, ir.Constant(_LONG, 32)))
def high_word(value: int) -> int:
    """The 32 bits above the lowest 32."""
    return (int(value) >> 32) & _MASK


MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85
"""What a round multiplies two of the words with, and what is added to the two halves of the key after it."""


@rule
def one_round(a: int, b: int, c: int, d: int, key: int, lock: int) -> Words:
    """One round of Philox on four words, with this round's two halves of the key."""
    from_a, from_c = MULTIPLIERS[0] * a, MULTIPLIERS[1] * c
    return high_word(from_c) ^ b ^ key, low_word(from_c), high_word(from_a) ^ d ^ lock, low_word(from_a)


@rule
def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> Words:
    """Scramble a counter of four words with a key of two: Philox4x32, ten rounds.

    >>> [hex(word) for word in philox(0, 0, 0, 0, 0, 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    a, b, c, d = low_word(c0), low_word(c1), low_word(c2), low_word(c3)
    key, lock = low_word(k0), low_word(k1)
    for _ in range(10):
        a, b, c, d = one_round(a, b, c, d, key, lock)
        key, lock = low_word(key + WEYL[0]), low_word(lock + WEYL[1])
    return a, b, c, d


@rule
def counter(run: int, day: int, actor: int, block: int) -> Words:
    """The counter of an address; different addresses inside the module's limits have different counters.

    >>> counter(2**32 + 5, 3, 7, 1)
    (5, 65539, 7, 1)
    """
    day_and_run = low_word(day) ^ low_word(high_word(run) * 0x10000)
    return low_word(run), day_and_run, low_word(actor), low_word(block)


@rule
def words(seed_low: int, seed_high: int, run: int, day: int, actor: int, block: int) -> Words:
    """The four random words of a block: those of the decisions 4 block, ..., 4 block + 3."""
    c0, c1, c2, c3 = counter(run, day, actor, block)
    return philox(c0, c1, c2, c3, seed_low, seed_high)


@rule
def run_rounds(seed_low: int, seed_high: int, run: int) -> tuple[int, int, int]:
    """What the first two rounds make of a run in every first block, whatever the day and the actor."""
    of_run = MULTIPLIERS[0] * low_word(run)
    of_round = MULTIPLIERS[1] * (high_word(of_run) ^ low_word(seed_high))
    return high_word(of_round), low_word(of_round), low_word(of_run)


@rule
def actor_rounds(seed_low: int, seed_high: int, run: int, day: int, actor: int) -> tuple[int, int, int]:
    """What the first two rounds make of an actor's day, for all runs that share their upper bits with `run`."""
    _, day_and_run, who, _ = counter(run, day, actor, 0)
    of_actor = MULTIPLIERS[1] * who
    of_round = MULTIPLIERS[0] * (high_word(of_actor) ^ day_and_run ^ low_word(seed_low))
    key, lock = low_word(seed_low + WEYL[0]), low_word(seed_high + WEYL[1])
    return low_word(of_actor) ^ key, high_word(of_round) ^ lock, low_word(of_round)


@rule
def first_words(
    seed_low: int, seed_high: int, run_a: int, run_b: int, run_c: int, actor_a: int, actor_c: int, actor_d: int
) -> Words:
    """The words of an actor's first block from the shares of its run and of its day: eight rounds are left.

    >>> first_words(1, 2, *run_rounds(1, 2, 12), *actor_rounds(1, 2, 12, 30, 7)) == words(1, 2, 12, 30, 7, 0)
    True
    """
    a, b, c, d = low_word(run_a ^ actor_a), low_word(run_b), low_word(run_c ^ actor_c), low_word(actor_d)
    key, lock = low_word(seed_low + 2 * WEYL[0]), low_word(seed_high + 2 * WEYL[1])
    for _ in range(8):
        a, b, c, d = one_round(a, b, c, d, key, lock)
        key, lock = low_word(key + WEYL[0]), low_word(lock + WEYL[1])
    return a, b, c, d


def _emit_unit(build: ir.IRBuilder, word: ir.Value) -> ir.Value:
    """The word becomes the last bits of a float near 2**20, whose ulp is 2**-32: AVX2 converts no 64-bit integers."""
    near = build.or_(build.and_(word, ir.Constant(_LONG, _MASK)), ir.Constant(_LONG, 0x413 << 52))
    return build.fsub(build.bitcast(near, ir.DoubleType()), ir.Constant(ir.DoubleType(), 2.0**20 - 2.0**-33))


@primitive(float64(int64), _emit_unit)
def unit(word: int) -> float:
    """A word as a number strictly between 0 and 1, exact: (word + 1/2) / 2**32.

    >>> unit(0) > 0.0, unit(2**31), unit(2**32 - 1) < 1.0
    (True, 0.5000000001164153, True)
    """
    return (low_word(word) + 0.5) * 2.0**-32


@rule
def uniform(seed_low: int, seed_high: int, run: int, day: int, actor: int, decision: int) -> float:
    """The random number at an address, uniform on (0, 1) in steps of 2**-32.

    >>> uniform(1, 0, 12, 30, 7, 2) == unit(words(1, 0, 12, 30, 7, 0)[2])
    True
    """
    first, second, third, fourth = words(seed_low, seed_high, run, day, actor, decision >> 2)
    place = decision & 3
    lower = first if place == 0 else second
    upper = third if place == 2 else fourth
    return unit(lower if place < 2 else upper)


@kernel
def compiled_uniform(seed_low: int, seed_high: int, run: int, day: int, actor: int, decision: int) -> float:
    """`uniform`, compiled: for callers in plain Python, where it is many times faster; the same bits."""
    return uniform(seed_low, seed_high, run, day, actor, decision)


def split_seed(seed: int) -> tuple[int, int]:
    """The low and high word of a study seed; ValueError unless it is a whole number from 0 to 2**64 - 1.

    >>> split_seed(2**32 + 5)
    (5, 1)
    """
    if not isinstance(seed, Integral) or not 0 <= seed < 2**64:
        raise ValueError(f"seed={seed!r}: allowed are whole numbers from 0 to {2**64 - 1}")
    return int(seed) & _MASK, int(seed) >> 32


def actor_id(name: str) -> int:
    """The 32-bit number of an actor, from its name alone: the first four bytes of BLAKE2b, lowest first.

    >>> actor_id("alpha")
    249657340
    """
    return int.from_bytes(hashlib.blake2b(name.encode()).digest()[:4], "little")


def own_decision(name: str) -> int:
    """The number of a decision that a user adds, from its name: far above those of the model.

    >>> own_decision("desert") - 2**33 == actor_id("desert")
    True
    """
    return 2**33 + actor_id(name)


def actor_ids(names: Iterable[str]) -> tuple[int, ...]:
    """The numbers of a study's actors, in the order given; ValueError where two would share random numbers."""
    owners: dict[int, str] = {}
    for name in names:
        number = actor_id(name)
        if number in owners:
            raise ValueError(f"actors {owners[number]!r} and {name!r} share number {number}: rename one")
        owners[number] = name
    return tuple(owners)
