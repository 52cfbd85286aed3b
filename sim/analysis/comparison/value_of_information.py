"""Expected value of partial perfect information (EVPPI): what knowing some parameters would do for a choice.

Scenarios can be chosen, parameters cannot be known. One who knew a group of parameters before choosing would take the
scenario of the least loss that can be expected given their values, which a regression of the losses of all scenarios on
these parameters says (Strong, Oakley and Brennan 2014, Medical Decision Making 34). The regression is a ridge on
polynomials of the parameters' ranks; its terms and its penalty are chosen by leave-one-out cross-validation, so that a
group without influence gets no terms.

Fitted losses that are compared with themselves overstate the value: the least of several noisy numbers is too small. So
the choice in every parameter set is made by a regression on all other sets, and what counts is the loss that the set
itself had, under this choice against the choice without knowledge, which the other sets also make. That is the value of
a rule of choice that can be had from so many sets: zero within its error where a group says nothing, and otherwise from
below as sets become more. What a fit without one set says of that set follows from the fit to all (Golub, Heath and
Wahba 1979).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from sim.experiment.statistics import Array

FEWEST: Final = 30
"""Parameter sets below which nothing is said."""
DEGREE: Final = 3
PENALTIES: Final = tuple(10.0**power for power in range(-4, 3))
"""Ridge penalties per set, in units of the variance of a term."""
MOST_TERMS: Final = 0.5
"""Effective degrees of freedom of a regression, at most, as a share of the sets that it is fitted to."""
NO_GAIN: Final = 1e-9
"""What rounding may make of two equal losses, as a share of their spread."""


def evppi(losses: Array, parameters: Mapping[str, Array]) -> tuple[Array, Array]:
    """EVPPI of parameters (D,) by key, for choices by their losses (choice, measure, D).

    Args:
        losses: what had better be less, a mean or an expectation in each of D parameter sets; only differences between
            choices matter, so a regret does as well.
        parameters: the values that would be known.

    Returns:
        The value of each measure (measure,), in the unit of its losses, and its standard error over sets; zero where no
        parameter varies.

    Raises:
        ValueError: there are fewer sets than `FEWEST`.
    """
    losses = np.asarray(losses, dtype=np.float64)
    choices, measures, sets = losses.shape
    if sets < FEWEST:
        raise ValueError(f"{sets} parameter sets: {FEWEST} or more are needed")
    varying = [column for column in parameters.values() if np.ptp(column) > 0.0]
    if not varying:
        return np.zeros(measures), np.zeros(measures)
    # Only differences between choices matter; what they have in common is noise to a regression.
    targets = (losses - losses.mean(axis=0)).reshape(choices * measures, sets).T
    expected = predicted(nested_terms(np.stack(varying)), targets, choices).T.reshape(losses.shape)
    before = (losses.sum(axis=2, keepdims=True) - losses) / (sets - 1)
    gains = saved(losses, expected, before)
    return gains.mean(axis=1), gains.std(axis=1, ddof=1) / np.sqrt(sets)


def saved(losses: Array, expected: Array, before: Array) -> Array:
    """Loss that is saved (measure, D) by choosing after `expected` and not `before`, all (choice, measure, D)."""
    usual = before.argmin(axis=0)[None]
    better = np.take_along_axis(expected, usual, axis=0) - expected.min(axis=0) > NO_GAIN * np.ptp(expected)
    chosen = np.where(better, expected.argmin(axis=0), usual)
    return np.asarray((np.take_along_axis(losses, usual, axis=0) - np.take_along_axis(losses, chosen, axis=0))[0])


def nested_terms(values: Array) -> list[Array]:
    """Terms (D, T) of regressions on parameters (P, D), each holding those of the one before.

    Legendre polynomials of the ranks: linear ones, then up to `DEGREE`, then products of two linear ones. All have
    variance 1 and, where parameters are independent, no correlation.
    """
    from scipy import stats

    place = 2.0 * (stats.rankdata(values, axis=1) - 0.5) / values.shape[1] - 1.0
    powers = np.polynomial.legendre.legvander(place, DEGREE) * np.sqrt(2.0 * np.arange(DEGREE + 1) + 1.0)
    linear, curved = powers[..., 1], np.moveaxis(powers[..., 2:], 2, 1).reshape(-1, values.shape[1])
    found = [linear, np.concatenate((linear, curved))]
    if len(linear) > 1:
        products = np.stack([one * other for one, other in combinations(linear, 2)])
        found.append(np.concatenate((*found[1:], products)))
    return [one.T for one in found]


def predicted(terms: Sequence[Array], targets: Array, choices: int) -> Array:
    """What regressions on all other sets say of each set (D, choice x measure).

    Terms and penalty are those whose predictions have the least squared error, one for all choices of a measure.
    """
    count = len(targets)
    y = targets - targets.mean(axis=0)

    def errors(missed: Array) -> Array:
        return np.asarray((missed**2).sum(axis=0).reshape(choices, -1).sum(axis=0))

    without = y * count / (count - 1)  # by the mean of the others alone
    found, least = targets - without, errors(without)
    for one in terms:
        x = one - one.mean(axis=0)
        spread, axes = np.linalg.eigh(x.T @ x)
        spread, x = np.maximum(spread, 0.0), x @ axes
        for penalty in PENALTIES:
            shrunk = spread + penalty * count
            if float((spread / shrunk).sum()) > MOST_TERMS * count:
                continue
            leverage = 1.0 / count + (x**2 / shrunk).sum(axis=1)
            missed = (y - x @ (x.T @ y / shrunk[:, None])) / (1.0 - leverage[:, None])
            squares = errors(missed)
            better = np.tile(squares < least, choices)
            found[:, better] = (targets - missed)[:, better]
            least = np.minimum(least, squares)
    return found
