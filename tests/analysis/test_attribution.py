"""Sharing out: the axioms of Shapley, games solved by hand, and the model's mechanisms as players."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.text import Text

from sim import explain
from sim.analysis.attribution import (
    PRIOR_DRAWS,
    RUNS,
    Game,
    attribution,
    first_in,
    freed_after_deaths,
    last_in,
    measured,
    shapley,
    share,
)
from sim.analysis.requested import players_of
from sim.cli import main
from sim.experiment.parameter_sets import prior_design
from sim.model.parameters import MECHANISM_NAMES
from sim.model.scenario import load
from sim.model.validation import UserError
from sim.reporting.figures.compare_figures import attribution_figure


def by_orders(values: np.ndarray) -> np.ndarray:
    """Shapley values from their definition: what a player brings when it comes, over all orders of coming."""
    players = len(values).bit_length() - 1
    brought = np.zeros((players, *values.shape[1:]))
    orders = list(permutations(range(players)))
    for order in orders:
        there = 0
        for player in order:
            brought[player] += values[there | 1 << player] - values[there]
            there |= 1 << player
    return brought / len(orders)


def random_game(players: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=(2**players, *shape))


def test_values_are_the_means_over_all_orders() -> None:
    game = random_game(5, 3, 2)
    assert np.allclose(shapley(game), by_orders(game), rtol=0, atol=1e-13)
    assert not np.allclose(shapley(game), first_in(game), atol=0.1)


def test_values_add_up_to_the_total() -> None:
    game = random_game(8, 4)
    assert np.allclose(shapley(game).sum(axis=0), game[-1] - game[0], rtol=0, atol=1e-12)


def test_who_changes_nothing_gets_exactly_zero() -> None:
    game = random_game(6, 3)
    bits = np.arange(64)
    game[bits[bits >> 2 & 1 == 1]] = game[bits[bits >> 2 & 1 == 0]]
    found = shapley(game)
    assert (found[2] == 0.0).all()
    assert (found[[0, 1, 3, 4, 5]] != 0.0).all()


def test_players_that_do_the_same_get_the_same() -> None:
    sizes = np.array([bits.bit_count() for bits in range(16)])
    assert np.allclose(shapley(np.sqrt(sizes)), 0.5, rtol=0, atol=1e-15)


def test_two_mechanisms_that_replace_each_other_share_what_either_brings() -> None:
    # By hand: 10 days with neither, 90 with either or both. Each brings 80 alone, nothing is lost where one is
    # missing, and in half of the orders it comes first: 40 each.
    game = np.array([10.0, 90.0, 90.0, 90.0])
    assert first_in(game).tolist() == [80.0, 80.0]
    assert last_in(game).tolist() == [0.0, 0.0]
    assert shapley(game).tolist() == [40.0, 40.0]
    # And two that need each other: nothing alone, all is lost without one, 40 each again.
    game = np.array([10.0, 10.0, 10.0, 90.0])
    assert (first_in(game).tolist(), last_in(game).tolist()) == ([0.0, 0.0], [80.0, 80.0])
    assert shapley(game).tolist() == [40.0, 40.0]


def test_a_game_needs_every_coalition() -> None:
    with pytest.raises(ValueError, match="power of two"):
        shapley(np.zeros(6))


def small_game(*players: str) -> Game:
    scenario = freed_after_deaths(load(["calendar.days=134"]).scenario)
    return Game(scenario, players, measured("attacks_lull"), prior_design(6, 3), runs=5, seed=11)


def test_the_model_s_coalitions_are_its_scenarios() -> None:
    """A coalition is what `simulate` makes of the same switches, run by run."""
    from sim import simulate

    scenario = load(["calendar.days=134"]).scenario
    game = Game(
        freed_after_deaths(scenario), ("patron_restraint", "major_response"), measured("attacks_lull"), {}, 40, 5
    )
    values = game.values()
    assert values.shape == (4, 1, 40)
    for coalition, (restraint, major) in enumerate([(False, False), (True, False), (False, True), (True, True)]):
        overrides: dict[str, str | int | float | bool] = {
            "calendar.days": 134,
            "history.free_from": "2024-01-29",
            "mechanisms.patron_restraint": restraint,
            "mechanisms.major_response": major,
        }
        lived = simulate("article", runs=40, seed=5, overrides=overrides)
        assert (values[coalition, 0] == lived["attacks_lull"].values).all()
    assert values[0].mean() != values[3].mean()


def test_a_mechanism_without_effect_gets_exactly_zero() -> None:
    # The rival's war stood at its full intensity all winter, so its gate was open with and without the mechanism.
    found = attribution(game := small_game("rival_war_gate", "patron_restraint", "fear"), game.values())
    by_name = {one.mechanism: one.shapley for one in found.shares}
    assert (by_name["rival_war_gate"].mean, by_name["rival_war_gate"].error) == (0.0, 0.0)
    assert by_name["patron_restraint"].mean < 0.0


def test_shares_add_up_and_do_not_hang_on_threads_or_on_how_coalitions_are_batched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game = small_game("patron_restraint", "major_response", "fear")
    values = game.values(threads=1)
    found = attribution(game, values)
    assert sum(one.shapley.mean for one in found.shares) == pytest.approx(found.total.mean, rel=0, abs=1e-12)
    assert found.total.mean == pytest.approx(found.every.mean - found.none.mean, rel=0, abs=1e-12)
    monkeypatch.setattr("sim.analysis.attribution.TABLE_ROWS", 1)
    assert (game.values(threads=2) == values).all()


def test_many_histories_are_simulated_in_parts_with_the_same_values(monkeypatch: pytest.MonkeyPatch) -> None:
    large = replace(small_game(*MECHANISM_NAMES[:6]), design={}, runs=50_000)
    assert (large.width, replace(large, runs=16).width, replace(large, runs=10**6).width) == (4, 64, 1)
    game = small_game("patron_restraint", "fear")
    values = game.values()
    monkeypatch.setattr("sim.analysis.attribution.MOST_AT_ONCE", 2 * game.draws * game.runs)
    assert game.width == 2
    assert (game.values() == values).all()


def test_what_assumptions_decide_stands_beside_its_prior() -> None:
    """The same outcome with all mechanisms, as if the draws had been those of the priors."""
    small: dict[str, Any] = {"mechanisms": ["fear"], "overrides": {"patron.control": 0.9}}
    told = explain(outcome="lull_days", draws=3, runs=4, parameters="posterior", **small).data.attrs
    priors = explain(outcome="lull_days", draws=PRIOR_DRAWS, runs=RUNS, parameters="prior", **small).data.attrs
    assert told["every_under_priors"] == pytest.approx(priors["every"], rel=1e-12)
    assert told["every_under_priors"] != told["every"]
    assert "every_under_priors" not in priors
    other = explain(outcome="attacks_lull", draws=3, parameters="posterior", **small)
    assert "every_under_priors" not in other.summary()


def test_what_heavy_tails_and_days_are_attributed_by() -> None:
    deaths, day, lull = measured("deaths"), measured("war_day"), measured("lull_days")
    assert (deaths.chance, day.chance, lull.chance) == (True, True, False)
    assert deaths.of(np.array([0, 1, 120])).tolist() == [0.0, 1.0, 1.0]
    assert day.of(np.array([-1, 0, 120])).tolist() == [0.0, 1.0, 1.0]
    assert lull.of(np.array([3, 120])).tolist() == [3.0, 120.0]


@pytest.mark.parametrize(
    ("name", "words", "unit"),
    [
        ("war", "Direct war, probability", "probability"),
        ("lull_days", "Days until attacks resume, mean", "days"),
        ("deaths", "Soldiers killed, probability of any", "probability"),
        ("major_day", "First major response, probability", "probability"),
    ],
)
def test_what_is_attributed_is_said_by_its_title(name: str, words: str, unit: str) -> None:
    assert (measured(name).words, measured(name).unit) == (words, unit)


def test_a_chance_is_never_printed_as_a_mean_of_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    small = ["mechanisms=[fear]", "study.runs=2", "parameters=defaults"]
    assert main(["explain", "outcome=war", *small, f"output.dir={tmp_path / 'shares'}"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    data = xr.load_dataset(tmp_path / "shares" / "coalitions.nc")
    drawn = [one.get_text() for one in attribution_figure(data).findobj(Text)]
    for told in (printed, "\n".join(drawn)):
        assert "Direct war, probability" in told
        assert "mean 1 when" not in told
        assert "scenario Documented history" in told
    assert "Shapley values of the mechanisms: Direct war, probability" in printed
    assert "scenario Documented history (article), seed 1" in printed


def test_the_spread_over_draws_leaves_luck_out() -> None:
    generator = np.random.default_rng(5)
    draws, runs, spread = 4000, 4, 3.0
    expected = generator.normal(0.0, spread, size=(draws, 1))
    noisy = share(expected + generator.normal(0.0, 6.0, size=(draws, runs)))
    assert noisy.low is not None
    assert noisy.high is not None
    # Half the width of nine in ten is 1.645 standard deviations; a sample quantile errs by 2.1 sd / sqrt(n).
    tolerance = 5 * 2.1 * 3 * spread / np.sqrt(draws)
    assert (noisy.high - noisy.low) / 2 == pytest.approx(1.645 * spread, abs=tolerance)
    # As a negative control: the means themselves scatter visibly more.
    assert 1.645 * np.sqrt(spread**2 + 6.0**2 / runs) > 1.645 * spread + tolerance
    only_luck = share(generator.normal(0.0, 6.0, size=(draws, runs)) * np.array([1.0]))
    assert only_luck.high is not None
    assert abs(only_luck.high) < 1.0


def test_the_error_is_that_of_the_mean() -> None:
    generator = np.random.default_rng(6)
    means = [share(generator.normal(1.0, 2.0, size=(30, 4))).mean for _ in range(2000)]
    errors = [share(generator.normal(1.0, 2.0, size=(30, 4))).error for _ in range(200)]
    true = 2.0 / np.sqrt(120)
    assert np.std(means) == pytest.approx(true, rel=5 / np.sqrt(2 * 2000))
    assert np.mean(errors) == pytest.approx(true, rel=5 / np.sqrt(2 * 29 * 200) + 1 / (4 * 29))
    one = share(generator.normal(1.0, 2.0, size=(1, 400)))
    assert (one.low, one.high) == (None, None)
    assert one.error == pytest.approx(0.1, rel=5 / np.sqrt(2 * 399))


def test_who_plays() -> None:
    scenario = load(["mechanisms.fear=false"]).scenario
    assert players_of(scenario, None) == tuple(name for name in MECHANISM_NAMES if name != "fear")
    assert players_of(scenario, ["major_response", "autonomy"]) == ("major_response", "autonomy")
    for asked in (["anger"], ["fear"], ["autonomy", "autonomy"]):
        with pytest.raises(UserError):
            players_of(scenario, asked)
    with pytest.raises(UserError, match="outcome = lull_day"):
        measured("lull_day")


def test_history_is_free_after_the_documented_deaths() -> None:
    scenario = load().scenario
    freed = freed_after_deaths(scenario)
    assert scenario.calendar.date_of(freed.free_from or 0).isoformat() == "2024-01-29"
    assert freed_after_deaths(replace(scenario, free_from=3)).free_from == 3
    free = load(["history=free"]).scenario
    assert freed_after_deaths(free) == free
