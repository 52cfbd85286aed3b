"""Tallies: exact, and the same however the sample was cut up."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.experiment.statistics import Tally

samples = st.lists(st.integers(-1, 40), min_size=1, max_size=200)


@given(samples, samples)
def test_two_tallies_added_are_the_tally_of_both_samples(first: list[int], second: list[int]) -> None:
    together = Tally.of(np.array(first)) + Tally.of(np.array(second))
    whole = Tally.of(np.array(first + second))
    assert np.array_equal(together.values, whole.values)
    assert np.array_equal(together.counts, whole.counts)


@given(samples)
def test_quantiles_and_errors_are_those_of_the_ordered_sample(sample: list[int]) -> None:
    tally, ordered = Tally.of(np.array(sample)), np.sort(np.array(sample, dtype=float))
    assert tally.total == len(sample)
    for twentieths in (1, 5, 10, 15, 19, 20):
        assert tally.quantile(twentieths) == ordered[math.ceil(len(sample) * twentieths / 20) - 1]
    assert tally.mean() == pytest.approx(ordered.mean())
    assert tally.share_at_least(5.0) == np.mean(ordered >= 5)
    if len(sample) > 1:
        assert tally.error_of_mean() == pytest.approx(ordered.std(ddof=1) / math.sqrt(len(sample)))


def test_the_error_of_a_median_is_that_of_repeated_samples() -> None:
    generator = np.random.Generator(np.random.Philox(5))
    size, repeats = 2000, 400
    draws = generator.poisson(400.0, (repeats, size)).astype(float)
    spread = np.median(draws, axis=1).std(ddof=1)
    told = np.mean([Tally.of(one).error_of_median() for one in draws])
    # The spread of the repeats' spread is about spread / sqrt(2 repeats).
    assert abs(told - spread) < 5.0 * spread / math.sqrt(2 * repeats) + 0.05
    assert abs(2.0 * told - spread) > 5.0 * spread / math.sqrt(2 * repeats) + 0.05


@pytest.mark.parametrize(("size", "below"), [(16, (6, 10)), (100, (45, 55)), (400, (190, 210))])
def test_the_error_of_a_median_is_half_of_what_lies_between_two_ranks(size: int, below: tuple[int, int]) -> None:
    # By hand: N values have N / 2 -+ sqrt(N) / 2 below the ends. Squares tell every pair of ranks from every other.
    squares = np.arange(size, dtype=float) ** 2
    low, high = below
    assert Tally.of(squares).error_of_median() == (high**2 - low**2) / 2


def test_a_median_that_never_happens_has_no_error() -> None:
    assert Tally.of(np.array([1.0] * 10 + [math.inf] * 11)).error_of_median() is None
    assert Tally.of(np.array([1.0])).error_of_mean() is None
