"""Exact Shapley values of a game that is known for every coalition.

A coalition of n players is a number whose bit i says whether player i takes part, so values are an array whose first
axis has length 2**n. All other axes (draws, runs) are carried through, since the values are linear in the game.
"""

from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def shapley(values: Array) -> Array:
    """Shapley values (n, ...) of the players of a game (2**n, ...).

    sum over coalitions S without i of |S|! (n - |S| - 1)! / n! * (v(S + i) - v(S))

    They add up to v(all) - v(none); a player who changes no coalition's value gets exactly zero.
    Source: Shapley (1953).

    >>> shapley(np.array([0.0, 1.0, 2.0, 7.0])).tolist()
    [3.0, 4.0]
    """
    players = player_count(values)
    sizes = np.array([bits.bit_count() for bits in range(2**players)])
    weights = [factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)]
    found = [
        np.tensordot(np.take(weights, sizes[absent]), values[absent | 1 << player] - values[absent], axes=(0, 0))
        for player, absent in enumerate(map(without, range(players), [players] * players))
    ]
    return np.array(found)


def alone(values: Array) -> Array:
    """What each player brings where no other takes part (n, ...): v(i) - v(none)."""
    return np.array([values[1 << player] - values[0] for player in range(player_count(values))])


def but_for(values: Array) -> Array:
    """What is lost where only this player is missing (n, ...): v(all) - v(all but i)."""
    every = len(values) - 1
    return np.array([values[every] - values[every ^ 1 << player] for player in range(player_count(values))])


def total(values: Array) -> Array:
    """What all players together bring (...): v(all) - v(none)."""
    return np.asarray(values[-1] - values[0])


def without(player: int, players: int) -> Array:
    """The coalitions in which a player takes no part, ascending (2**(n-1),).

    >>> without(1, 2).tolist()
    [0, 1]
    """
    every = np.arange(2**players)
    return every[every >> player & 1 == 0]


def player_count(values: Array) -> int:
    """Number of players of a game.

    Raises:
        ValueError: the first axis is no power of two.
    """
    players = len(values).bit_length() - 1
    if len(values) != 2**players:
        raise ValueError(f"{len(values)} coalitions: allowed is a power of two")
    return players
