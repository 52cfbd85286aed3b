"""Which histories of a bank have a past like the user's, and with what weight.

Counts of a few recent and earlier stretches, in all and by theatre, are put on the scale 2 sqrt(n + 3/8), on which
chance alone scatters a count by about one whatever its size. The nearest histories on that scale are kept, the nearer
the heavier.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.events.counts import Counts
from sim.study.scores.bank import Bank

Array = npt.NDArray[Any]

AGES: Final = (7, 14, 28, 56)
"""Ends of the stretches that are told apart, in days before the cut."""
SPLIT_AGE: Final = 28
"""By theatre, the last days of that number and all before them are told apart."""
NEAREST: Final = 0.01
"""Share of a bank that is kept."""
LEAST: Final = 200
"""Histories that are kept at least."""
JUDGED: Final = 50
"""Histories of the bank itself that are matched, to see how near is near."""


@dataclass(frozen=True)
class Stretches:
    """Stretches of the past by their ends: `total` (S, 2) in all, `split` (theatre, end, end) by theatre."""

    total: tuple[tuple[int, int], ...]
    split: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Match:
    """Histories that are kept: their places in the bank (M,) and weights (M,), which add up to one.

    `strange` is the share of the bank's own histories whose past is at least as far from the others' as the user's: a
    small one says that the model, under its priors, does not tell such a past.
    """

    places: Array
    weights: Array
    strange: float

    @property
    def effective(self) -> float:
        """As how many histories of equal weight they count."""
        return float(1.0 / (self.weights**2).sum())


def stretches_of(counts: Counts, cut: int) -> Stretches:
    """The stretches of the past that the user's counts can tell."""
    known = counts.upto(cut)
    edges = sorted({known.nearest_end(cut - age) for age in (0, *AGES)} | {int(known.ends[0])})
    split = []
    for theatre in range(len(known.theatres)):
        told = known.ends[~np.isnan(known.split[:, theatre])]
        if len(known.theatres) > 1 and len(told) > 1:
            last = int(told[-1])
            middle = int(told[max(0, int(np.searchsorted(told, last - SPLIT_AGE, side="right")) - 1)])
            ends = sorted({int(told[0]), middle, last})
            split += [(theatre, a, b) for a, b in pairwise(ends)]
    return Stretches(tuple(pairwise(edges)), tuple(split))


def stable(counts: Array) -> Array:
    """Counts on a scale on which chance scatters them by about one: 2 sqrt(n + 3/8)."""
    return np.asarray(2.0 * np.sqrt(counts + 0.375))


def seen(counts: Counts, stretches: Stretches) -> Array:
    """The user's past (S,)."""
    total = [float(counts.between(np.array(one))[0]) for one in stretches.total]
    split = [float(counts.split_between(k, np.array([a, b]))[0]) for k, a, b in stretches.split]
    return stable(np.array(total + split))


def lived(bank: Bank, stretches: Stretches) -> Array:
    """The pasts (N, S) of a bank's histories, or of some of them."""
    total = [bank.totals(np.array(one))[:, 0] for one in stretches.total]
    split = [np.diff(bank.at(np.array([a, b]))[:, :, k].astype(np.int64), axis=1)[:, 0] for k, a, b in stretches.split]
    return stable(np.stack(total + split, axis=1))


@dataclass(frozen=True)
class Pasts:
    """The pasts (N, S) of a bank's histories on the stretches that some counts tell, ready to be matched.

    `reaches` are the distances within which some of the bank's own histories have as many neighbours as are kept.
    """

    bank: Bank
    stretches: Stretches
    values: Array
    reaches: Array

    @property
    def keep(self) -> int:
        """Histories that are kept."""
        return _kept(len(self.values))


def pasts_of(bank: Bank, counts: Counts, cut: int) -> Pasts:
    """The pasts of a bank's histories up to the end of day `cut`, on the stretches that the counts tell."""
    stretches = stretches_of(counts, cut)
    values = lived(bank, stretches)
    judged = np.linspace(0, len(values) - 1, min(JUDGED, len(values))).astype(np.int64)
    keep = _kept(len(values))
    return Pasts(bank, stretches, values, np.array([_nearest(values, values[one], keep)[1].max() for one in judged]))


def match(pasts: Pasts, counts: Counts) -> Match:
    """The histories whose past is most like the user's, weighted by nearness and by the record of deaths."""
    places, distances = _nearest(pasts.values, seen(counts, pasts.stretches), pasts.keep)
    reach = distances.max()
    near = np.maximum(1.0 - distances / reach, 1e-9) if reach > 0 else np.ones(len(places))
    told = pasts.bank.record[places]
    weights = near * np.exp(told - told.max())
    return Match(places, weights / weights.sum(), float((pasts.reaches >= reach).mean()))


def _kept(size: int) -> int:
    return min(size, max(LEAST, round(NEAREST * size)))


def _nearest(pasts: Array, past: Array, keep: int) -> tuple[Array, Array]:
    """Places (keep,) of the nearest pasts and their squared distances."""
    distances = ((pasts - past) ** 2).sum(axis=1)
    places = np.argpartition(distances, keep - 1)[:keep]
    return places, distances[places]
