"""Chance for all lanes at once: the first block of an actor's day, which holds its decisions 0 to 3.

What the first two rounds make of the run is kept with the lane, what they make of the actor is the same for all lanes:
the runs of a block share their upper bits.
"""

from typing import Any

from sim.engine.batched.layout import Address, Lanes, RandomBlock, RngCache
from sim.numbers import philox
from sim.numbers.compiled import part, simd_hints
from sim.numbers.soa import VECTOR
from sim.rules.rates import hazard_limit


@part
def cache_run_rounds(seed_low: int, seed_high: int, lanes: Lanes) -> None:
    """What a block keeps of its runs."""
    shares = lanes.shares
    for i in range(VECTOR * lanes.vectors):
        shares.a[i], shares.b[i], shares.c[i] = philox.run_rounds(seed_low, seed_high, lanes.run[i])


@part
def draw_lanes(vectors: int, at: Address, shares: RngCache, draws: RandomBlock) -> None:
    """The four draws of an actor's day."""
    simd_hints()
    a, c, d = philox.actor_rounds(at.seed_low, at.seed_high, at.run, at.day, at.actor)
    for i in range(VECTOR * vectors):
        first, second, third, fourth = philox.first_words(
            at.seed_low, at.seed_high, shares.a[i], shares.b[i], shares.c[i], a, c, d
        )
        draws.first[i], draws.second[i] = philox.unit(first), philox.unit(second)
        draws.third[i], draws.fourth[i] = philox.unit(third), philox.unit(fourth)


@part
def draw_first(vectors: int, at: Address, shares: RngCache, draws: RandomBlock) -> None:
    """The first of the four alone: for wings whose attacks have no fates."""
    simd_hints()
    a, c, d = philox.actor_rounds(at.seed_low, at.seed_high, at.run, at.day, at.actor)
    for i in range(VECTOR * vectors):
        word, _, _, _ = philox.first_words(at.seed_low, at.seed_high, shares.a[i], shares.b[i], shares.c[i], a, c, d)
        draws.first[i] = philox.unit(word)


@part
def episode_limit(seeds: Any, run: int, episode: int, actor: int, decision: int) -> float:
    """Cumulative hazard at which an episode ends; in the address its number takes the place of the day.

    `seeds` is a world or an address, which both hold the halves of the seed.
    """
    return hazard_limit(philox.uniform(seeds.seed_low, seeds.seed_high, run, episode, actor, decision))
