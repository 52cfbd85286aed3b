"""The posterior that comes with the package: it belongs to the model, histories live at its draws, patterns hold."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim import cli
from sim.analysis.calibration import calibration_run
from sim.analysis.calibration.calibration_run import calibrates, notices, prior_of, run_sbc
from sim.analysis.calibration.observations import settings_of
from sim.analysis.calibration.posterior import fill, stale
from sim.analysis.calibration.sbc import LIKELIHOOD
from sim.analysis.pattern_tests import judge
from sim.analysis.traced_run import chronicle_of, scenario_of_run
from sim.commands.calibrate import CONTROLS
from sim.engine.batch import run_batch
from sim.engine.inputs import build_inputs
from sim.experiment import parameter_sets
from sim.experiment.ensemble import simulate_config, state_table
from sim.experiment.parameter_sets import (
    ParameterSets,
    Shipped,
    drawn_of,
    free_declarations,
    read_posterior,
    shipped_path,
    write_posterior,
)
from sim.experiment.runner import ensemble
from sim.model.parameters import shared_declarations
from sim.model.scenario import load
from sim.model.validation import UserError

SMALL = 2_000_000


@pytest.fixture(scope="module")
def posterior() -> Shipped:
    return read_posterior(shipped_path())


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A posterior of the test's own in place of the shipped one."""
    path = tmp_path / "posterior.parquet"
    monkeypatch.setattr(parameter_sets, "shipped_path", lambda: path)
    parameter_sets._read.cache_clear()
    yield path
    parameter_sets._read.cache_clear()


def test_the_posterior_is_small_complete_and_tells_where_it_comes_from(posterior: Shipped) -> None:
    assert shipped_path().stat().st_size < SMALL
    assert set(posterior.columns) == set(free_declarations())
    assert 1000 <= posterior.draws <= 2000
    assert len(np.unique(posterior.rows)) == posterior.draws
    assert {"observations", "seed", "bank", "effective", "versions", "deciding_hash", "overrides"} <= set(
        posterior.about
    )
    for key, column in posterior.columns.items():
        declared = shared_declarations()[key]
        assert ((column >= declared.low) & (column <= declared.high)).all(), key


def test_the_posterior_belongs_to_the_model_as_it_is(posterior: Shipped) -> None:
    assert stale(posterior) == "", "a rule, a default or a prior changed: make it anew by `lull calibrate`"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"overrides": ["militia.local_syria.baseline=0.46"]}, "other numbers"),
        ({"overrides": ["mechanisms.capacity=false"]}, "other numbers"),
        ({"overrides": ["patron.grip=1"]}, "configuration"),
        ({"seed": "2"}, "prior"),
    ],
)
def test_a_changed_model_makes_a_posterior_stale(posterior: Shipped, change: dict, word: str) -> None:
    assert word in stale(replace(posterior, about={**posterior.about, **change}))


def test_a_stale_posterior_is_told_in_a_run_and_is_no_error(
    posterior: Shipped, another: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"output.dir={tmp_path / 'run'}"
    few = ["run", "parameters=posterior", "study.runs=40", "patterns=none", folder]
    write_posterior(another, posterior)
    assert cli.main(few) == 0
    printed = capsys.readouterr().out
    assert "posterior is stale" not in printed
    assert "No outlook" not in printed
    moved = {**posterior.columns, "patron.control": posterior.columns["patron.control"] * 0.99}
    write_posterior(another, replace(posterior, columns=moved))
    parameter_sets._read.cache_clear()
    assert cli.main(few) == 0
    printed = capsys.readouterr().out
    assert "The posterior is stale: the prior of patron.control is another now" in printed
    # It would take the outlook away without a word.
    why = "the posterior that comes with the package is stale: the prior of patron.control is another now"
    assert f"No outlook of the observed winter: {why}; `make posterior` renews it." in " ".join(printed.split())


def test_writing_and_reading_keeps_a_posterior(posterior: Shipped, tmp_path: Path) -> None:
    write_posterior(tmp_path / "copy.parquet", posterior)
    copy = read_posterior(tmp_path / "copy.parquet")
    assert copy.about == posterior.about
    for key, column in posterior.columns.items():
        np.testing.assert_array_equal(copy.columns[key], column)


def test_a_damaged_a_foreign_and_a_missing_posterior_are_told_in_one_line(
    posterior: Shipped, another: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["run", "parameters=posterior", "study.runs=10", "patterns=none", f"output.dir={tmp_path / 'run'}"]
    made = [
        lambda: None,
        lambda: another.write_bytes(b"no table"),
        lambda: write_posterior(another, replace(posterior, columns={"patron.grip": posterior.rows * 1.0})),
        lambda: write_posterior(another, replace(posterior, columns={"patron.control": posterior.rows * 1.0})),
        lambda: write_posterior(another, replace(posterior, about={**posterior.about, "wings": ["nobody"]})),
    ]
    for one in made:
        one()
        parameter_sets._read.cache_clear()
        assert cli.main(few) == 2
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 1
        assert told[0].startswith("lull: parameters = posterior: allowed defaults")
    assert not (tmp_path / "run").exists()


def test_history_r_has_draw_r_and_scenarios_keep_what_they_set(posterior: Shipped) -> None:
    config = load(["parameters=posterior", "scenario=tight_leash", "ladder.cooling=0.3"])
    drawn = drawn_of(config)
    design = drawn.design(config.scenario)
    assert {"patron.control", "multipliers.autonomy", "ladder.cooling"} == set(posterior.columns) - set(design)
    runs = np.array([3, posterior.draws + 3])
    output = ensemble(replace(config, seed=5)).simulate(runs=runs)
    alone = run_batch(build_inputs(drawn.scenario(config.scenario, 3)), 5, runs)
    np.testing.assert_array_equal(output.rows, alone.rows)
    other = run_batch(build_inputs(drawn.scenario(config.scenario, 4)), 5, runs)
    assert not np.array_equal(output.rows, other.rows)


def test_defaults_are_the_scenario_itself() -> None:
    config = load()
    assert drawn_of(config) == ParameterSets()
    assert ParameterSets().design(config.scenario) == {}
    assert scenario_of_run(config, 17) is config.scenario


def test_a_history_at_a_draw_is_replayed_as_it_was_lived() -> None:
    config = load(["parameters=posterior"])
    told = chronicle_of(config, 41)
    lived = state_table(config, [41])
    np.testing.assert_array_equal(told.states.run["attacks"], lived["attacks"].values[0])
    default = state_table(load(), [41])
    assert not np.array_equal(lived["attacks"].values, default["attacks"].values)


def test_every_pattern_holds_in_what_the_posterior_predicts(posterior: Shipped) -> None:
    config = load(["parameters=posterior", "study.runs=3000", "seed=606"])
    verdicts = judge(config, simulate_config(config))
    assert [one.id for one in verdicts if not one.holds] == []
    assert all(one.share is not None and 0.0 <= one.share <= 1.0 for one in verdicts)
    # A band holds what history showed once. What all histories have in common, a probability or a mean, has limits.
    banded = {one.id for one in verdicts if one.tolerance.startswith("predicted with 5% or more")}
    assert banded == {"P1", "P2", "P3", "P4", "P5", "P6", "P8", "P12"}


def test_a_posterior_elsewhere_breaks_patterns(posterior: Shipped) -> None:
    config = load(["study.runs=500"])
    columns = {**posterior.columns, "multipliers.baseline": posterior.columns["multipliers.baseline"] * 2.0}
    casualties = dict.fromkeys(("casualties.penetration", "casualties.lethality"), np.full(posterior.draws, 0.2))
    elsewhere = ParameterSets({**columns, **casualties})
    verdicts = {one.id: one for one in judge(config, simulate_config(config, drawn=elsewhere), elsewhere)}
    assert verdicts["P1"].holds is False
    assert verdicts["P4"].holds is False


def test_another_case_refuses_the_posterior() -> None:
    with pytest.raises(UserError, match="another case"):
        drawn_of(load(["parameters=posterior", "scenario=salt_coast"]))


@pytest.mark.long
def test_a_thousand_planted_truths_lie_among_draws_of_their_posteriors(monkeypatch: pytest.MonkeyPatch) -> None:
    # One history in 490 has data near the article's, and a quarter of these have too few draws among 3 million rows: so
    # 400,000 leave some 620 data sets, where the 120,000 of a calibration would leave 190.
    monkeypatch.setattr(calibration_run, "PLANTS_FOR_EACH", 400)
    config = load()
    settings = replace(settings_of(config), sbc_datasets=1000)
    bank = fill(prior_of(config, settings, "test"), settings.figures, 3_000_000)
    sbc = run_sbc(config, settings, bank, purpose="test truths")
    assert sbc.ranked["anywhere"].sets == 1000
    assert sbc.ranked["near the article"].sets >= 500
    assert calibrates(sbc)
    narrow, prior = (run_sbc(config, settings, bank, one, purpose="test truths") for one in CONTROLS[1:])
    for checked in narrow.checked.values():
        assert not any(one.uniform or one.coverage_ok for one in checked if one.name != LIKELIHOOD)
    assert notices(sbc, prior)
