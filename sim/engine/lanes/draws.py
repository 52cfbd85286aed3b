"""Chance for all lanes at once: the first block of an actor's day, which holds its decisions 0 to 3.

What the first two rounds make of the run is kept with the lane, what they make of the actor is the same for all lanes:
the runs of a block share their upper bits.
"""

from typing import Any

import numpy.typing as npt

from sim.engine.lanes.block import VECTOR, Draws, Shares
from sim.numbers import chance
from sim.numbers.compiled import part, wide_loops

Array = npt.NDArray[Any]


@part
def share_lanes(lanes: int, seed_low: int, seed_high: int, run: Array, shares: Shares) -> None:
    """What a block keeps of its runs."""
    for i in range(lanes):
        shares.a[i], shares.b[i], shares.c[i] = chance.run_share(seed_low, seed_high, run[i])


@part
def draw_lanes(
    vectors: int, seed_low: int, seed_high: int, run: int, day: int, actor: int, shares: Shares, draws: Draws
) -> None:
    """The four draws of an actor's day, where `run` is any run of the block."""
    wide_loops()
    a, c, d = chance.actor_share(seed_low, seed_high, run, day, actor)
    for i in range(VECTOR * vectors):
        first, second, third, fourth = chance.first_words(
            seed_low, seed_high, shares.a[i], shares.b[i], shares.c[i], a, c, d
        )
        draws.first[i], draws.second[i] = chance.unit(first), chance.unit(second)
        draws.third[i], draws.fourth[i] = chance.unit(third), chance.unit(fourth)


@part
def draw_first(
    vectors: int, seed_low: int, seed_high: int, run: int, day: int, actor: int, shares: Shares, draws: Draws
) -> None:
    """The first of the four alone: for wings whose attacks have no fates."""
    wide_loops()
    a, c, d = chance.actor_share(seed_low, seed_high, run, day, actor)
    for i in range(VECTOR * vectors):
        word, _, _, _ = chance.first_words(seed_low, seed_high, shares.a[i], shares.b[i], shares.c[i], a, c, d)
        draws.first[i] = chance.unit(word)
