"""Planted truths: data sets whose parameters are known, and where these come to lie among draws of their posterior.

A truth is a draw from the prior with a history and reports of its own. Its posterior comes from the bank, by the same
weights that the article's has: rows that would be reported alike, each kept with a probability in proportion to its
weight. Among `DRAWS` such draws the rank of the truth is uniform on 0 to `DRAWS` if, and only if, posterior and truth
follow the same law (Talts et al. 2018). Data sets for which the bank has too few draws are left out. That is a choice
made by the data alone, never by the truth, so it leaves the ranks of the others uniform.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.calibration.bank import Bank
from sim.study.calibration.figures import Figure
from sim.study.calibration.posterior import accepted, combined, likelihood
from sim.study.calibration.reading import AtLeast, Relative, Rounded, Within

Array = npt.NDArray[Any]

DRAWS: Final = 99
"""Draws of the posterior that a truth is ranked among: with 99, intervals of 50% and 90% end between two ranks."""
_LOOKED_AT: Final = 60_000
"""Rows of the bank, in their order, that are looked at for the draws of one data set."""

Spread = Callable[[Array], Array]


@dataclass(frozen=True)
class Ranked:
    """Truths among draws of their posteriors.

    `ranks` (sets, quantities), the number of draws below the truth; `truths` and `means` (sets, quantities), values of
    the truth and means of the draws; `left_out` counts data sets for which there were too few draws.
    """

    region: str
    names: tuple[str, ...]
    ranks: Array
    truths: Array
    means: Array
    left_out: int

    @property
    def sets(self) -> int:
        """Number of data sets ranked."""
        return len(self.ranks)


def reports(bank: Bank, generator: np.random.Generator) -> dict[str, Array]:
    """What is reported of each row of a bank (rows,), by id of the figure."""
    return {one.id: one.reading.report(bank.numbers[one.id], bank.chance, generator) for one in bank.figures}


def anywhere(figures: Sequence[Figure], told: Mapping[str, Array]) -> Array:
    """Data sets with no war before the report, as documented (rows,); all others are as the prior has them."""
    inside = [told[one.id] == one.reading.told for one in figures if one.of == "peace"]
    return np.asarray(np.logical_and.reduce(inside, axis=0)) if inside else np.ones(_rows(told), dtype=bool)


def nearby(figures: Sequence[Figure], told: Mapping[str, Array]) -> Array:
    """Data sets much like the documented one (rows,): within two steps of a rounded figure, one of a count."""
    inside = np.ones(_rows(told), dtype=bool)
    for one in figures:
        inside &= np.abs(told[one.id] - one.reading.told) <= reach(one)
    return inside


def reach(figure: Figure) -> float:
    """How far from what was reported another data set is still much like it."""
    if figure.of not in ("acknowledged", "lethal") or isinstance(figure.reading, AtLeast | Within):
        return 0.0
    return 2.0 * figure.reading.step if isinstance(figure.reading, Rounded | Relative) else 1.0


REGIONS: Final = {"anywhere": anywhere, "near the article": nearby}
"""Where truths are planted: wherever the prior puts them, and where the data look like the documented ones."""


def rank(
    bank: Bank, plants: Bank, region: str, sets: int, generator: np.random.Generator, spread: Spread | None = None
) -> Ranked:
    """Rank planted truths among draws of their posteriors.

    Args:
        bank: the rows that posteriors are made of.
        plants: rows of another seed; each one whose reports lie in the region is a data set with a known truth.
        region: a name in `REGIONS`.
        sets: most data sets to rank.
        generator: for reports and draws.
        spread: what is done to the levels (draws, parameters) of each posterior; for controls that must fail.
    """
    figures = bank.figures
    told = reports(plants, generator)
    inside = np.flatnonzero(REGIONS[region](figures, told))
    cells = Cells(bank, plants, told)
    rows: list[Array] = []
    truths: list[int] = []
    tried = 0
    for place in inside:
        if len(rows) == sets:
            break
        tried += 1
        drawn = cells.draws(int(place), {key: float(one[place]) for key, one in told.items()}, generator)
        if drawn is not None:
            rows.append(drawn)
            truths.append(int(place))
    return _ranked(region, bank, plants, np.array(rows).reshape(-1, DRAWS), np.array(truths, dtype=int), tried, spread)


class Cells:
    """Rows of a bank by what is reported of them where chance takes no part in the report."""

    def __init__(self, bank: Bank, plants: Bank, told: Mapping[str, Array]) -> None:
        self._bank = bank
        self._drawn = tuple(one for one in bank.figures if one.reading.drawn)
        nobody = np.random.default_rng(0)
        codes, mine = np.zeros(bank.size, dtype=np.int64), np.zeros(plants.size, dtype=np.int64)
        for one in bank.figures:
            if one.reading.drawn:
                continue
            both = np.concatenate((one.reading.report(bank.numbers[one.id], bank.chance, nobody), told[one.id]))
            values, place = np.unique(both, return_inverse=True)
            codes = codes * len(values) + place[: bank.size]
            mine = mine * len(values) + place[bank.size :]
        self._order = np.argsort(codes, kind="stable")
        sorted_codes = codes[self._order]
        self._from, self._to = (np.searchsorted(sorted_codes, mine, side) for side in ("left", "right"))

    def draws(self, place: int, told: Mapping[str, float], generator: np.random.Generator) -> Array | None:
        """Rows (DRAWS,) drawn from the posterior of one data set; None where the bank has too few.

        Any of the rows that are accepted, not the first: data sets told alike would share theirs, and ranks with them.
        """
        start, stop = int(self._from[place]), int(self._to[place])
        rows = self._order[start : min(stop, start + _LOOKED_AT)]
        if len(rows) < DRAWS:
            return None
        numbers = {one.id: self._bank.numbers[one.id][rows] for one in self._drawn}
        weights = likelihood(self._drawn, numbers, self._bank.chance[rows], told)
        if weights.sum() < DRAWS * weights.max():
            return None
        kept = accepted(weights, generator)
        return np.asarray(rows[generator.permutation(kept)[:DRAWS]]) if len(kept) >= DRAWS else None


def _ranked(
    region: str, bank: Bank, plants: Bank, rows: Array, places: Array, tried: int, spread: Spread | None
) -> Ranked:
    prior = bank.prior
    unique, back = np.unique(rows, return_inverse=True)
    levels = prior.levels(unique)[back.reshape(rows.shape)] if len(rows) else np.empty((0, DRAWS, len(prior.keys)))
    if spread is not None:
        levels = np.stack([spread(one) for one in levels]) if len(levels) else levels
    truth = plants.prior.levels(places)
    drawn_values, true_values = _quantities(prior.columns, levels), _quantities(prior.columns, truth)
    names = tuple(true_values)
    return Ranked(
        region=region,
        names=names,
        ranks=np.stack([(drawn_values[name] < true_values[name][:, None]).sum(axis=1) for name in names], axis=1),
        truths=np.stack([true_values[name] for name in names], axis=1),
        means=np.stack([drawn_values[name].mean(axis=1) for name in names], axis=1),
        left_out=tried - len(rows),
    )


def _quantities(columns: Callable[[Array], dict[str, Array]], levels: Array) -> dict[str, Array]:
    """Values of parameters and of their products by name, each in the shape of the levels less the last dimension."""
    values = columns(levels.reshape(-1, levels.shape[-1]))
    values = {**values, **combined(values)}
    return {name: one.reshape(levels.shape[:-1]) for name, one in values.items()}


def narrowed(levels: Array) -> Array:
    """Levels (draws, parameters) pulled halfway to their medians: what an overconfident posterior looks like."""
    middle = np.median(levels, axis=0)
    return np.asarray(middle + 0.5 * (levels - middle))


def _rows(told: Mapping[str, Array]) -> int:
    return len(next(iter(told.values())))
