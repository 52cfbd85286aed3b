"""Quantities of a case, and the refit of its level: invariants, a known level, and what must be refused."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.analysis.calibration.observations import AtLeast, Exact, Within
from sim.analysis.case_files import write_template
from sim.analysis.forecast.case_predictions import predict_case, prediction_rows, summarise
from sim.analysis.forecast.case_settings import CaseObservation, CaseQuantity, CaseSettings, case_settings
from sim.experiment.statistics import binomial_limits
from sim.model.scenario import Config, load
from sim.model.validation import UserError

DAYS = 12
COUNT = CaseQuantity("early", "attacks in the first weeks", "count", 0, 39, (0,))
LATER = CaseQuantity("later", "attacks in the month after", "count", 40, 69, (0,))
QUIET = CaseQuantity("quiet", "no attack in that month", "quiet", 40, 69, (0,))
NEXT = CaseQuantity("next", "days to the next attack", "days_to_attack", 40, 69, (0,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a case as the template has it."""
    made = tmp_path_factory.mktemp("cases") / "mine"
    write_template("mine", made)
    return made


@pytest.fixture(scope="module")
def config(folder: Path) -> Config:
    """That case."""
    return load(["scenario=mine"], folder)


def settings(reading: AtLeast | Exact | Within, *quantities: CaseQuantity) -> CaseSettings:
    """One observation, of the count of the first weeks."""
    return CaseSettings(0.2, 3.0, (CaseObservation(COUNT, reading, "invented"),), quantities or (COUNT,))


# --- quantities ---------------------------------------------------------------------------------------------

attacks_of = st.lists(st.lists(st.integers(0, 3), min_size=DAYS, max_size=DAYS), min_size=1, max_size=5)
spans = st.tuples(*[st.integers(0, DAYS - 1)] * 3).map(sorted)


@given(attacks=attacks_of, span=spans, war=st.integers(-1, DAYS - 1))
def test_kinds_of_quantities_agree_with_each_other(attacks: list[list[int]], span: list[int], war: int) -> None:
    first, middle, last = span
    shown = np.array(attacks, dtype=np.uint16)[:, :, None]
    wars = np.full(len(shown), war)

    def found(of: str, start: int, end: int) -> np.ndarray:
        return CaseQuantity("", "", of, start, end, (0,)).found(shown, wars)

    whole, quiet, days = (found(of, first, last) for of in ("count", "quiet", "days_to_attack"))
    assert (np.isnan(whole) == (0 <= war <= last)).all()
    assert ((quiet == 1) == (whole == 0)).all()
    assert (found("peace", first, last) == (not 0 <= war <= last)).all()
    if not 0 <= war <= last:
        assert (np.isinf(days) == (whole == 0)).all()
        assert (days[whole > 0] <= last - first + 1).all()
        if middle < last:
            assert (found("count", first, middle) + found("count", middle + 1, last) == whole).all()
    some = np.isfinite(days)
    assert (found("count", first, last)[some & ~np.isnan(whole)] > 0).all()
    place = (first + days[some] - 1).astype(int)
    assert (shown[some, place, 0] > 0).all()


def test_theatres_add_up() -> None:
    shown = np.random.default_rng(0).integers(0, 4, (50, DAYS, 3))
    never = np.full(50, -1)
    both, one, other = (
        CaseQuantity("", "", "count", 2, 9, places).found(shown, never) for places in ((0, 2), (0,), (2,))
    )
    assert (both == one + other).all()


def test_quantiles_are_those_of_repeated_values() -> None:
    values, times = np.array([4.0, 1.0, 7.0, np.nan]), np.array([3, 5, 2, 40])
    found = summarise(values, times / times.sum())
    repeated = np.sort(np.repeat(values[:3], times[:3]))
    expected = np.quantile(repeated, [0.05, 0.25, 0.5, 0.75, 0.95], method="inverted_cdf")
    assert list(found.values()) == expected.tolist()


# --- the refit ----------------------------------------------------------------------------------------------


def test_predictions_come_from_the_seed_alone(config: Config) -> None:
    asked = settings(AtLeast(10.0), LATER, QUIET, NEXT)
    one, again = (predict_case(replace(config, threads=threads), asked, 3000) for threads in (1, 2))
    other = predict_case(replace(config, seed=2), asked, 3000)
    assert prediction_rows(one) == prediction_rows(again)
    assert (one.weights == again.weights).all()
    assert not np.array_equal(one.level, other.level)


def test_every_history_with_weight_shows_what_was_observed(config: Config) -> None:
    found = predict_case(config, settings(Exact(12.0)), 4000)
    assert found.weights.sum() == pytest.approx(1.0)
    assert set(found.values["early"][found.weights > 0.0]) == {12.0}
    free = predict_case(config, settings(AtLeast(0.0)), 4000)
    assert found.effective < free.effective / 10
    assert found.agreeing == pytest.approx(np.mean(free.values["early"] == 12.0))


def test_the_level_of_simulated_data_is_recovered_and_a_wrong_one_is_not(config: Config) -> None:
    """Levels drawn from the prior lie in 90% of the 90% intervals (simulation-based calibration)."""
    sets, wrong = 100, 4.0
    edges = np.array([0.0, 3.0, *np.unique(np.floor(5.0 * 1.3 ** np.arange(10))), 1e6])
    truth = predict_case(replace(config, seed=77), settings(AtLeast(0.0)), 1000)
    covered, missed, widths = 0, 0, []
    for level, count in zip(truth.level[:sets], truth.values["early"][:sets], strict=True):
        place = int(np.searchsorted(edges, count, side="right"))
        found = predict_case(config, settings(Within(edges[place - 1], edges[place] - 1.0)), 4000)
        low, high = (summarise(found.level, found.weights)[name] for name in ("q05", "q95"))
        assert low is not None
        assert high is not None
        covered += low <= level <= high
        missed += low <= level * wrong <= high
        widths.append(np.log(high / low))
    lowest, _ = binomial_limits(sets, 0.9, 1e-6)
    assert covered / sets >= lowest
    assert missed / sets < lowest  # the control: four times the true level
    assert np.mean(widths) < 0.6 * 0.9 * np.log(3.0 / 0.2)  # the counts inform the level


def test_hardly_any_agreement_is_refused_in_one_line(config: Config) -> None:
    with pytest.raises(UserError, match=r"case\.histories = 2000: allowed more.*only 0 effective histories") as mistake:
        predict_case(config, settings(Exact(5000.0)), 2000)
    assert "\n" not in str(mistake.value)


def test_a_parameter_that_is_set_stays_and_the_level_stays_free(config: Config, folder: Path) -> None:
    quiet = load(["scenario=mine", "observation.chance=0.3"], folder)
    usual, fewer = (predict_case(one, settings(AtLeast(0.0)), 4000) for one in (config, quiet))
    assert (usual.level == fewer.level).all()
    assert fewer.values["early"].mean() < 0.6 * usual.values["early"].mean()


# --- what a case declares -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["predictions.level.high=9"], r"predictions\.level\.high = 9: allowed 0\.1 to 4"),
        (["predictions.level.low=0"], r"predictions\.level\.low = 0: allowed 0\.001 to 4"),
        (["~predictions.observations.before_strikes"], r"predictions\.observations = \(none\)"),
        (["~predictions.quantities"], r"predictions\.quantities = \(missing\)"),
        (["predictions.quantities.next_attack.of=attacks"], r"quantities\.next_attack\.of = attacks"),
        (["predictions.quantities.month_after.days=300"], r"quantities\.month_after\.days = 300"),
        (["predictions.quantities.month_after.days=200"], r"quantities\.month_after = 2031-04-11 to 2031-10-27"),
        (["+predictions.quantities.month_after.from=2031-04-11"], r"month_after\.from = \(given with after"),
        (["~predictions.observations.before_strikes.to"], r"before_strikes\.to = \(missing\)"),
        (["+predictions.observations.before_strikes.theatres=[sea]"], r"before_strikes\.theatres = sea"),
        (["predictions.observations.before_strikes.likelihood=guess"], r"before_strikes\.likelihood = guess"),
        (["+predictions.quantities.month_after.colour=red"], r"quantities\.month_after\.colour = red"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_mistake_in_the_section_is_one_line(overrides: list[str], words: str, folder: Path) -> None:
    with pytest.raises(UserError, match=words):
        case_settings(load(["scenario=mine", *overrides], folder))


def test_days_after_a_date_leave_the_date_out(config: Config) -> None:
    asked = {one.id: one for one in case_settings(config).quantities}
    calendar = config.scenario.calendar
    month, next_attack = asked["month_after"], asked["next_attack"]
    assert calendar.date_of(month.first) == date(2031, 4, 11)
    assert month.last - month.first + 1 == 30
    assert next_attack.last == calendar.days - 1
