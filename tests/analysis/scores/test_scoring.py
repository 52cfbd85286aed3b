"""Predictive distributions and their scores, against formulas and known answers."""

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from sim.analysis.forecast.scores import Predictive, score


def of_poisson(mean: float, periods: int, largest: int = 60) -> Predictive:
    return Predictive.negative_binomial(np.full(periods, mean), 1e9, largest)


def test_scores_are_those_of_their_definitions() -> None:
    forecast, counts = of_poisson(9.0, 4), np.array([0, 8, 9, 25])
    found = score(forecast, counts)
    below = poisson.cdf(np.arange(61), 9.0)
    for place, count in enumerate(counts):
        crps = ((below - (np.arange(61) >= count)) ** 2).sum()
        assert found.values["crps"][place] == pytest.approx(crps, rel=1e-6)
        assert found.values["log"][place] == pytest.approx(-poisson.logpmf(count, 9.0), rel=1e-5)
        low, high = poisson.ppf(0.05, 9.0), poisson.ppf(0.95, 9.0)
        outside = max(low - count, 0) + max(count - high, 0)
        assert found.values["interval90"][place] == pytest.approx(high - low + 20 * outside)
        assert found.covered[0.9][place] == (low <= count <= high)
        assert found.held[0.9][place] == pytest.approx(below[int(high)] - below[int(low) - 1], abs=1e-6)


def test_no_distribution_scores_better_than_the_true_one() -> None:
    generator = np.random.default_rng(1)
    counts = generator.poisson(9.0, 4000)
    truth = score(of_poisson(9.0, 4000), counts).values
    wide = Predictive.negative_binomial(np.full(4000, 9.0), 2.0, 60)
    for other in (of_poisson(7.0, 4000), of_poisson(11.0, 4000), wide):
        for name, values in score(other, counts).values.items():
            gain = values - truth[name]
            assert gain.mean() > 2 * gain.std() / np.sqrt(len(gain)), name


def test_bands_cover_what_they_say_and_too_narrow_ones_do_not() -> None:
    counts = np.random.default_rng(2).poisson(9.0, 4000)
    found = score(of_poisson(9.0, 4000), counts)
    for level in (0.5, 0.9):
        error = np.sqrt(0.25 / 4000)
        assert abs(found.covered[level].mean() - found.held[level].mean()) < 5 * error
        assert found.held[level].mean() >= level
    wide = nbinom.rvs(2.0, 2.0 / 11.0, size=4000, random_state=np.random.default_rng(3))
    narrow = score(of_poisson(9.0, 4000, 200), wide)
    assert narrow.covered[0.9].mean() < 0.75


def test_samples_are_smoothed_little_and_call_nothing_impossible() -> None:
    generator = np.random.default_rng(4)
    samples = generator.poisson(12.0, (5000, 1))
    found = Predictive.of_samples(samples, np.full(5000, 1 / 5000), 80)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1.0)
    assert (found.chance > 0).all()
    assert 0.5 * np.abs(found.chance[0, :81] - poisson.pmf(np.arange(81), 12.0)).sum() < 0.06
    zeros = Predictive.of_samples(np.zeros((5000, 1), dtype=int), np.full(5000, 1 / 5000), 80)
    assert zeros.chance[0, 0] > 0.999


def test_weights_count() -> None:
    samples = np.array([[2], [30]])
    found = Predictive.of_samples(np.repeat(samples, 500, axis=0), np.repeat([0.9, 0.1], 500) / 500, 60)
    assert found.below[0, 8] == pytest.approx(0.9, abs=0.01)
    assert found.quantile(0.5)[0] <= 3
