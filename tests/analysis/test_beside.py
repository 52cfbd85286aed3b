"""What assumptions decide stands beside its prior, whatever the parameters of the ensemble are."""

import numpy as np
import pytest

from sim.analysis.summary import (
    PRIOR_DRIVEN,
    REPORTED,
    RUNS,
    SETS,
    PriorComparison,
    over_sets,
    prior_predictive,
    prior_rows,
    statistics,
)
from sim.experiment.dataset import outcomes_of
from sim.experiment.ensemble import simulate_config
from sim.experiment.parameter_sets import ParameterSets, prior_design
from sim.experiment.statistics import Tally
from sim.model.scenario import load
from sim.reporting.tables import probability_lines


def told(*overrides: str) -> dict[str, PriorComparison]:
    config = load(["study.runs=300", *overrides])
    data = simulate_config(config)
    outcomes = outcomes_of(config.scenario).values()
    stats = statistics({one.name: Tally.of(data[one.name].values) for one in outcomes}, outcomes)
    return {one.here.name: one for one in prior_predictive(config, stats)}


def test_defaults_and_posterior_stand_beside_the_same_prior() -> None:
    defaults, posterior = told(), told("parameters=posterior")
    assert set(defaults) == set(REPORTED) <= PRIOR_DRIVEN
    for name in REPORTED:
        assert defaults[name].prior == posterior[name].prior
    assert defaults["war"].here != posterior["war"].here
    assert defaults["war"].prior.mean != posterior["war"].here.mean


def test_what_is_set_holds_under_the_prior_too_and_another_scenario_has_another() -> None:
    peace = told("ladder.war_rate=0")["war"]
    assert peace.prior.mean == peace.here.mean == 0.0
    free = told("scenario=no_restraint")["war"]
    assert free.prior.mean != told()["war"].prior.mean
    assert free.prior.mean


def test_war_is_told_as_a_share_and_all_else_by_quantiles() -> None:
    rows = {one["outcome"]: one for one in prior_rows(list(told().values()))}
    assert rows["war"]["prior_median"] is None
    assert 0.05 < rows["war"]["prior_share"] < 0.4
    assert rows["lull_days"]["share"] is None
    assert rows["lull_days"]["prior_q05"] <= rows["lull_days"]["prior_median"] <= rows["lull_days"]["prior_q95"]


def test_a_probability_over_parameter_sets_is_the_spread_of_their_shares() -> None:
    # Half of the sets have a war for certain, half never; without sets, the same values say nothing of a spread.
    values = np.tile(np.arange(SETS) % 2, RUNS)
    found = over_sets(values, SETS)
    assert found is not None
    assert (found.low, found.high, found.mean) == (0.0, 1.0, 0.5)
    assert found.error == pytest.approx(0.5 / np.sqrt(SETS - 1))
    luck = over_sets((np.random.default_rng(1).random(SETS * 400) < 0.5).astype(float), SETS)
    assert luck is not None
    # Nothing but chance: 400 histories of each set, 1.645 standard errors to either side, to the nearest two histories.
    assert (luck.low, luck.high) == pytest.approx((0.5 - 1.645 * 0.025, 0.5 + 1.645 * 0.025), abs=0.006)
    assert over_sets(values[:SETS], SETS) is None


def test_war_has_its_interval_over_the_sets_of_the_priors_and_of_the_posterior() -> None:
    config = load(["study.runs=300"])
    data = simulate_config(config, runs=SETS * RUNS, drawn=ParameterSets(prior_design(SETS, config.seed)))
    shares = data["war"].values.reshape(RUNS, SETS).mean(axis=0)
    defaults, posterior = told()["war"], told("parameters=posterior")["war"]
    assert defaults.here_sets is None
    for one in (defaults, posterior):
        assert one.prior_sets is not None
        assert one.prior_sets.mean == pytest.approx(shares.mean()) == pytest.approx(one.prior.mean)
        assert one.prior_sets.high == np.quantile(shares, 0.95, method="inverted_cdf")
    assert posterior.here_sets is not None
    assert posterior.prior_sets is not None
    assert posterior.here_sets.high < posterior.prior_sets.high


def test_the_interval_over_parameter_sets_comes_before_the_monte_carlo_error() -> None:
    (line,) = probability_lines(list(told().values()))
    assert line.startswith("Direct war: 0% to ")
    sets, error = line.index("over parameter sets drawn from the priors"), line.rindex("Monte Carlo error")
    assert sets < error < line.index("one parameter set among many")
    (line,) = probability_lines(list(told("parameters=posterior").values()))
    assert line.index("drawn from the posterior") < line.index("drawn from the priors")
    assert "one parameter set among many" not in line
