"""What assumptions decide stands beside its prior, whatever the parameters of the ensemble are."""

from sim.study.beside import TOLD, Beside, beside_prior, beside_rows
from sim.study.outcomes import outcomes_of
from sim.study.simulation import simulate_config
from sim.study.summary import PRIOR_DRIVEN, statistics
from sim.study.tally import Tally
from sim.world.scenario import load


def told(*overrides: str) -> dict[str, Beside]:
    config = load(["study.runs=300", *overrides])
    data = simulate_config(config)
    outcomes = outcomes_of(config.scenario.extended).values()
    stats = statistics({one.name: Tally.of(data[one.name].values) for one in outcomes}, outcomes)
    return {one.here.name: one for one in beside_prior(config, stats, 1000)}


def test_defaults_and_posterior_stand_beside_the_same_prior() -> None:
    defaults, posterior = told(), told("parameters=posterior")
    assert set(defaults) == set(TOLD) <= PRIOR_DRIVEN
    for name in TOLD:
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
    rows = {one["outcome"]: one for one in beside_rows(list(told().values()))}
    assert rows["war"]["prior_median"] is None
    assert 0.05 < rows["war"]["prior_share"] < 0.4
    assert rows["lull_days"]["share"] is None
    assert rows["lull_days"]["prior_q05"] <= rows["lull_days"]["prior_median"] <= rows["lull_days"]["prior_q95"]
