"""The simpler forecasts: each finds the numbers that data were made with."""

import numpy as np
import pytest
from scipy.stats import nbinom
from scipy.stats import poisson as poisson_law

from sim.analysis.forecast import scores
from sim.analysis.forecast.event_counts import Counts, ReadingReport, from_days
from sim.analysis.forecast.scores import Hawkes

REPORT = ReadingReport("made up", 0, 0, {})
TRUTH = Hawkes(base=0.4, branching=0.6, decay=0.3)


def grown(model: Hawkes, days: int, seed: int) -> np.ndarray:
    """Daily counts (days,) of a self-exciting process, made day by day from the definition."""
    generator = np.random.default_rng(seed)
    counts = np.zeros(days)
    for day in range(days):
        ages = day - np.arange(day)
        brought = model.branching * (np.exp(-model.decay * (ages - 1)) - np.exp(-model.decay * ages))
        counts[day] = generator.poisson(model.base + (counts[:day] * brought).sum())
    return counts


def daily(counts: np.ndarray) -> Counts:
    return from_days(("one",), 0, counts[:, None], REPORT)


def test_expected_counts_follow_the_definition() -> None:
    counts = grown(TRUTH, 30, 1)
    ages = 30 - np.arange(30)
    brought = 0.6 * (np.exp(-0.3 * (ages - 1)) - np.exp(-0.3 * ages))
    rates, left = scores.expected(TRUTH, counts, np.ones(30))
    assert rates[0] == 0.4
    np.testing.assert_allclose(0.4 + left * (1 - np.exp(-0.3)), 0.4 + (counts * brought).sum(), rtol=1e-12)


def test_slopes_are_those_of_finite_differences() -> None:
    counts, lengths = grown(TRUTH, 60, 2), np.tile([1.0, 2.0, 7.0], 20)
    _, slopes = scores.log_likelihood(TRUTH, counts, lengths)
    for place, step in enumerate(np.eye(3) * 1e-6):
        up, down = (Hawkes(*(np.array([0.4, 0.6, 0.3]) + sign * step)) for sign in (1, -1))
        found = (scores.log_likelihood(up, counts, lengths)[0] - scores.log_likelihood(down, counts, lengths)[0]) / 2e-6
        assert slopes[place] == pytest.approx(found, rel=1e-5, abs=1e-4)


def test_a_self_exciting_process_is_recovered() -> None:
    days, repeats = 700, 16
    found = [scores.fit(grown(TRUTH, days, seed), np.ones(days)) for seed in range(repeats)]
    for name in ("base", "branching", "decay"):
        values = np.array([getattr(one, name) for one in found])
        error = values.std(ddof=1) / np.sqrt(repeats)
        # A most likely value is a little off in finite samples, by the order of its own scatter squared.
        assert abs(values.mean() - getattr(TRUTH, name)) < 5 * error + values.var() / getattr(TRUTH, name)
    flat = [
        scores.fit(np.random.default_rng(seed).poisson(1.0, days), np.ones(days)).branching for seed in range(repeats)
    ]
    assert np.median(flat) < 0.2


def test_simulated_paths_have_the_mean_of_the_linear_recursion() -> None:
    lengths = np.ones(10)
    paths = scores.simulate(TRUTH, 3.0, lengths, np.random.default_rng(1), 40_000)
    kept, excitement, means = np.exp(-0.3), 3.0, []
    for _ in lengths:
        means.append(0.4 + excitement * (1 - kept))
        excitement = excitement * kept + 0.6 * means[-1]
    errors = paths.std(axis=0) / np.sqrt(len(paths))
    assert (np.abs(paths.mean(axis=0) - means) < 5 * errors).all()


def test_a_negative_binomial_is_recovered_and_poisson_weeks_have_none() -> None:
    generator = np.random.default_rng(3)
    sizes = [
        scores.fit_negative_binomial(nbinom.rvs(4.0, 4.0 / 14.0, size=400, random_state=generator), np.full(400, 7.0))
        for _ in range(20)
    ]
    mean, size = np.mean(sizes, axis=0)
    assert mean == pytest.approx(10.0 / 7.0, abs=5 * np.std([one[0] for one in sizes]) / np.sqrt(20))
    assert size == pytest.approx(4.0, abs=5 * np.std([one[1] for one in sizes]) / np.sqrt(20) + 0.05)
    assert scores.fit_negative_binomial(generator.poisson(10.0, 400), np.full(400, 7.0))[1] > 40


def test_a_constant_rate_forecasts_poisson_counts_once_much_is_known() -> None:
    past = daily(np.full(40_000, 2.0))
    found = scores.constant_rate(past, np.array([0, 7, 21]), 90, np.random.default_rng(0))
    np.testing.assert_allclose(found.chance[0, :60], poisson_law.pmf(np.arange(60), 14.0), atol=1e-4)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1.0)


def test_the_last_value_is_the_last_weeks() -> None:
    past = daily(np.concatenate([np.full(93, 5.0), np.ones(7)]))
    found = scores.last_value(past, np.array([0, 7]), 60, np.random.default_rng(0))
    assert found.chance[0] @ np.arange(61) == pytest.approx(7.5, abs=1e-3)
    steady = scores.constant_rate(past, np.array([0, 7]), 90, np.random.default_rng(0))
    assert steady.chance[0] @ np.arange(91) == pytest.approx(33.075, abs=1e-3)


def test_a_change_of_the_rate_is_found_and_the_second_rate_goes_on() -> None:
    edges, none = np.array([0, 7]), np.random.default_rng(0)
    generator = np.random.default_rng(8)
    found = []
    for _ in range(50):
        counts = np.concatenate([generator.poisson(4.0, 60), generator.poisson(0.5, 40)]).astype(float)
        found.append(scores.two_rates(daily(counts), edges, 90, none).chance[0] @ np.arange(91))
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    # 3.5 attacks a week, and half an attack in forty days of Jeffreys' prior.
    assert abs(np.mean(found) - 7 * (0.5 + 0.5 / 40)) < 5 * error
    steady = scores.constant_rate(daily(counts), edges, 90, none).chance[0] @ np.arange(91)
    assert steady - np.mean(found) > 5 * error
    short = daily(np.ones(10))
    np.testing.assert_array_equal(
        scores.two_rates(short, edges, 30, none).chance, scores.constant_rate(short, edges, 30, none).chance
    )


def test_smoothing_follows_a_random_walk_and_averages_a_constant_rate() -> None:
    edges, none = np.array([0, 7]), np.random.default_rng(0)
    walk = daily(np.repeat(np.array([8.0, 6.0, 9.0, 5.0, 2.0, 1.0, 1.0, 4.0, 7.0, 8.0, 3.0, 1.0]), 7))
    assert scores.exponential_smoothing(walk, edges, 200, none).chance[0] @ np.arange(201) == pytest.approx(7, abs=3)
    generator = np.random.default_rng(4)
    flat = [
        scores.exponential_smoothing(daily(generator.poisson(3.0, 280).astype(float)), edges, 90, none).chance[0]
        @ np.arange(91)
        for _ in range(20)
    ]
    # A week scatters by sqrt(21); smoothing with the most likely factor scatters by well less.
    assert abs(np.mean(flat) - 21.0) < 5 * np.std(flat, ddof=1) / np.sqrt(20)
    assert np.std(flat) < 0.75 * np.sqrt(21.0)


def test_smoothing_grows_less_sure_with_the_weeks_ahead_where_rates_drift() -> None:
    generator = np.random.default_rng(2)
    widths = []
    for _ in range(40):
        rates = np.exp(np.cumsum(generator.normal(0.0, 0.3, 40)))
        past = daily(generator.poisson(np.repeat(rates, 7)).astype(float))
        found = scores.exponential_smoothing(past, np.array([0, 7, 14, 21]), 400, np.random.default_rng(0))
        low, high, _ = found.band(0.9)
        widths.append(np.log((high - low + 1.0)[2] / (high - low + 1.0)[0]))
    assert np.mean(widths) > 3 * np.std(widths, ddof=1) / np.sqrt(len(widths))


def test_the_last_weeks_are_the_distribution() -> None:
    past = daily(np.repeat(np.array([50.0, *range(8)]), 7))
    found = scores.recent_weeks(past, np.array([0, 7, 21]), 200, np.random.default_rng(0))
    mean = found.chance @ np.arange(201)
    assert mean[0] == pytest.approx(24.5, rel=0.1)
    assert mean[1] == pytest.approx(49.0, rel=0.1)
    assert found.chance[0, 60:].sum() < 0.1, "the ninth week back is not among them"


def test_weeks_are_told_backwards_from_the_last_day() -> None:
    counts, lengths = scores.weeks_of(daily(np.arange(16.0)))
    assert lengths.tolist() == [2, 7, 7]
    assert counts.tolist() == [1, 35, 84]


@pytest.mark.parametrize("name", scores.BENCHMARKS)
def test_every_benchmark_copes_with_nothing_at_all(name: str) -> None:
    edges = np.array([49, 56, 63])
    found = scores.BENCHMARKS[name](daily(np.zeros(50)), edges, 30, np.random.default_rng(0))
    assert found.chance.shape == (2, 31)
    assert np.isfinite(found.chance).all()
    np.testing.assert_allclose(found.chance.sum(axis=1), 1.0)
    assert (found.chance[:, 0] > 0.7).all()
