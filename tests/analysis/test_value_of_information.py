"""The expected value of partial perfect information against closed forms, and estimators that must fail."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim import compare
from sim.analysis.comparison import value_of_information
from sim.analysis.comparison.value_of_information import FEWEST, evppi, nested_terms, predicted
from sim.model.parameters import group_title, shared_groups
from sim.reporting.comparison_tables import REGRETTED, evppi_tables, short

SETS, RUNS = 1000, 20
Columns = dict[str, np.ndarray]


def known_value(mean: float, deviation: float) -> float:
    """EVPPI of two choices whose expected gain, given what is known, is normal: E max(0, N) - max(0, mean)."""
    return float(
        deviation * stats.norm.pdf(mean / deviation) + mean * stats.norm.cdf(mean / deviation) - max(0.0, mean)
    )


def planted(mean: float, seed: int) -> tuple[np.ndarray, dict[str, Columns]]:
    """Losses (2, 1, sets) of two choices, linear in normal parameters, with the noise of `RUNS` runs in each set."""
    random = np.random.default_rng(seed)
    groups = {"strong": random.normal(size=(2, SETS)), "weak": random.normal(size=(1, SETS))}
    noise = random.normal(size=(8, SETS))
    gain = mean + groups["strong"].T @ [1.0, 0.5] + 0.4 * groups["weak"][0]
    gain += random.normal(scale=2.0, size=(RUNS, SETS)).mean(axis=0)
    losses = np.stack([np.zeros(SETS), -gain]) + random.normal(size=SETS)
    named = {name: {f"{name}.{at}": one for at, one in enumerate(rows)} for name, rows in groups.items()}
    return losses[:, None], named | {"noise": {f"noise.{at}": one for at, one in enumerate(noise)}}


@pytest.mark.parametrize("mean", [-0.6, 0.0, 0.3])
def test_known_values_are_found(mean: float) -> None:
    losses, groups = planted(mean, seed=1)
    for name, weights in (("strong", [1.0, 0.5]), ("weak", [0.4])):
        deviation = float(np.linalg.norm(weights))
        (value,), _ = evppi(losses, groups[name])
        # The error of the best rule, which chooses by the expected gain itself.
        second = mean + np.stack(list(groups[name].values())).T @ weights > 0.0
        saved = (losses[0, 0] - losses[1, 0]) * (second.astype(int) - int(mean > 0.0))
        tolerance = 4 * saved.std() / np.sqrt(SETS)
        assert abs(value - known_value(mean, deviation)) < tolerance, name
        # Control: three times the influence is out of reach of the same tolerance.
        assert abs(value - known_value(mean, 3 * deviation)) > tolerance, name


def test_a_group_without_influence_is_worth_nothing_and_a_fit_compared_with_itself_says_otherwise() -> None:
    values, overshoots = [], []
    for seed in range(8):
        losses, groups = planted(0.0, seed)
        (value,), (error,) = evppi(losses, groups["noise"])
        values.append(value)
        assert value <= 4 * error + 1e-12
        # Control: fitted values of a regression without cross-fitting, compared with themselves.
        terms = np.column_stack([np.ones(SETS), nested_terms(np.stack(list(groups["noise"].values())))[-1]])
        fitted = terms @ np.linalg.lstsq(terms, losses[:, 0].T, rcond=None)[0]
        overshoots.append(fitted.mean(axis=0).min() - fitted.min(axis=1).mean())

    def zero(found: list[float]) -> bool:
        return bool(np.mean(found) < 4 * np.std(found, ddof=1) / np.sqrt(len(found)) + 1e-12)

    assert zero(values)
    assert not zero(overshoots)


def test_the_stated_error_is_that_of_repetitions() -> None:
    worlds = [planted(-0.3, seed) for seed in range(60)]
    found = np.array([np.ravel(evppi(losses, groups["strong"])) for losses, groups in worlds])
    ratio = found[:, 0].std(ddof=1) / found[:, 1].mean()
    assert abs(ratio - 1.0) < 4 / np.sqrt(2 * len(found))


def test_parameters_that_decide_together_are_worth_nothing_alone() -> None:
    random = np.random.default_rng(3)
    x, y = random.uniform(-1.0, 1.0, (2, SETS))
    losses = np.stack([np.zeros(SETS), x * y])[:, None]
    (both,), (error,) = evppi(losses, {"x": x, "y": y})
    assert abs(both - 0.125) < 4 * error  # E max(0, -xy) = E|x| E|y| / 2
    for alone in ({"x": x}, {"y": y}):
        (value,), (error,) = evppi(losses, alone)
        assert value <= 4 * error + 1e-12


def test_knowing_all_that_decides_is_worth_the_least_expected_regret() -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=SETS)
    losses = np.stack([np.zeros(SETS), x, 0.5 - x])[:, None]
    perfect = losses.mean(axis=2).min() - losses.min(axis=0).mean()
    (value,), (error,) = evppi(losses, {"x": x})
    assert value <= perfect + 1e-12
    assert perfect - value < error


def test_only_differences_between_choices_matter_and_not_their_order() -> None:
    losses, groups = planted(-0.2, seed=5)
    regrets = losses - losses.min(axis=0)
    for other in (regrets, losses[::-1], np.concatenate((losses, losses[:1] + 9.0))):
        np.testing.assert_allclose(evppi(other, groups["strong"]), evppi(losses, groups["strong"]), rtol=0.05)
    np.testing.assert_allclose(evppi(regrets, groups["strong"]), evppi(losses, groups["strong"]))
    np.testing.assert_allclose(evppi(60 * losses, groups["strong"]), np.multiply(60, evppi(losses, groups["strong"])))


def test_each_set_is_predicted_by_a_regression_that_has_not_seen_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_of_information, "PENALTIES", (0.03,))
    random = np.random.default_rng(6)
    x, y = random.normal(size=(40, 3)), random.normal(size=(40, 2))
    y[:, 0] += 3.0 * x[:, 0]
    y[:, 1] = -y[:, 0]
    found = predicted([x], y, choices=2)
    for left_out in range(40):
        rest = np.arange(40) != left_out
        terms = np.column_stack([np.ones(39), x[rest]])
        ridge = np.diag([0.0, *[0.03 * 40] * 3])
        weights = np.linalg.solve(terms.T @ terms + ridge, terms.T @ y[rest])
        np.testing.assert_allclose(found[left_out], [1.0, *x[left_out]] @ weights)


def test_few_sets_say_nothing_and_a_constant_is_worth_nothing() -> None:
    losses = np.random.default_rng(7).normal(size=(2, 3, FEWEST))
    with pytest.raises(ValueError, match="parameter sets"):
        evppi(losses[..., 1:], {"x": np.arange(FEWEST - 1.0)})
    assert np.array(evppi(losses, {"x": np.ones(FEWEST)})).tolist() == [[0.0] * 3] * 2


@pytest.mark.usefixtures("small_sides")
def test_a_comparison_says_what_is_worth_knowing(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"runs": 10, "seed": 3, "parameters": "prior"}
    found = compare(["article", "no_us_strikes"], draws=FEWEST, **asked, to=tmp_path / "made")
    rows = found.tables["evppi"]
    assert (tmp_path / "made" / "evppi.csv").is_file()
    assert set(rows["known"]) == {key for key, _ in shared_groups()}
    assert set(rows["measure"]) == set(found.tables["regret"]["measure"])
    assert (rows["evppi"] <= rows["regret"] + 1e-9).all()
    assert found.summary()["evppi"]["war"].keys() == set(rows["known"])
    (table,) = evppi_tables(found.data)
    assert {row["outcome"] for row in table.rows} == {short(found.data, name) for name in REGRETTED}
    few = compare(["article", "no_us_strikes"], draws=4, **asked)
    assert "evppi" not in few.tables
    assert few.data["evppi"].isnull().all()
    assert evppi_tables(few.data) == []


def test_groups_have_titles_in_words() -> None:
    titles = [group_title(key) for key, _ in shared_groups()]
    assert len(set(titles)) == len(titles)
    assert all(title[0].isupper() and " " in title and "(" not in title for title in titles)
