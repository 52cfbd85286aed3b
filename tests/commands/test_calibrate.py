"""`lull calibrate`, small: what it prints and leaves, what it refuses, and that not-identified means no value."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from sim import cli
from sim.analysis.calibration.identifiability import NOT
from sim.analysis.calibration.observations import DatedCounts, settings_of
from sim.analysis.calibration.posterior import PriorSampler, counted_runs, fill, posterior_of
from sim.experiment.parameter_sets import read_posterior
from sim.experiment.statistics import arviz
from sim.model.scenario import load
from sim.reporting.terminal import WIDEST
from tests.reporting.test_alone import source_in

SMALL = (
    "calibration.draws=8e5", "calibration.sbc_datasets=30", "calibration.hypothesis_draws=6000",
    "calibration.rejection_draws=0", "calibration.predictive_runs=200", "calibration.kept=60",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that a small calibration leaves, and what it printed."""
    folder = tmp_path_factory.mktemp("calibrated") / "result"
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("sim.analysis.pattern_tests.PAIRED_RUNS", 100)

        def note(*words: object, file: object = None, **_: object) -> None:
            if file is None:  # compilers print to files of their own
                lines.append(" ".join(map(str, words)))

        patch.setattr("builtins.print", note)
        assert cli.main(["calibrate", *SMALL, f"output.dir={folder}"]) == 0
    return folder, "\n".join(lines)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def values_in(content: Any, key: str = "") -> list[tuple[str, Any]]:
    """Every number of a JSON document with the path to it."""
    if isinstance(content, dict):
        return [one for name, inside in content.items() for one in values_in(inside, f"{key}.{name}")]
    if isinstance(content, list):
        return [one for inside in content for one in values_in(inside, key)]
    return [(key, content)] if isinstance(content, int | float) and not isinstance(content, bool) else []


def test_it_prints_every_part_within_the_width(made: tuple[Path, str]) -> None:
    told = made[1]
    for part in ("Fitted to", "What the observations say", "SBC,", "Rival explanations", "patterns", "Predicted"):
        assert part in " ".join(told.split()), part
    assert "Probability of each observation alone" in told
    assert "Left out of the evidence of every reading: ordering, excluded by definition" in " ".join(told.split())
    # The last line names the folder, which is as long as it is.
    tables = told.partition("\nFiles in")[0]
    assert tables != told
    assert max(map(len, tables.splitlines())) <= WIDEST


def test_the_folder_holds_tables_figures_and_the_posterior(made: tuple[Path, str]) -> None:
    folder = made[0]
    for name in ("posterior", "forest", "sbc", "patterns", "hypotheses"):
        assert (folder / f"{name}.png").stat().st_size > 10_000
        words = source_in((folder / f"{name}.svg").read_text(encoding="utf-8"))
        assert "Lull, scenario Documented history, 800,000 histories from the prior, ESS " in words
        assert ", seed 1. A model, not a forecast." in words
    posterior = read_posterior(folder / "posterior.parquet")
    assert 40 <= posterior.draws <= 60
    assert len(rows(folder, "hypotheses")) == 16
    assert all(float(one["bayes_factor_error"]) >= 0.0 for one in rows(folder, "hypotheses"))
    alone = rows(folder, "observations_by_hypothesis")
    assert len(alone) == 16 * len(rows(folder, "observations"))
    for one in alone:
        assert (one["probability"] == "") == (one["excluded_by_definition"] == "True")
        assert not one["probability"] or 0.0 <= float(one["probability"]) <= 1.0
    assert [one["id"] for one in rows(folder, "patterns")] == [f"P{number}" for number in range(1, 14) if number != 11]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {path.name for path in folder.iterdir()} - {"manifest.json"}


def test_what_is_not_identified_has_intervals_and_no_value_anywhere(made: tuple[Path, str]) -> None:
    folder = made[0]
    parameters = rows(folder, "parameters")
    lost = {one["quantity"] for one in parameters if one["verdict"] == NOT}
    assert len(lost) > 40
    assert all((one["posterior_median"] == "") == (one["quantity"] in lost) for one in parameters)
    assert all(float(one["posterior_q05"]) < float(one["posterior_q95"]) for one in parameters)
    assert not lost & {key.split(" ")[0] for key in rows(folder, "data_sensitivity")[0]}
    summary = json.loads((folder / "summary.json").read_text())
    about = read_posterior(folder / "posterior.parquet").about
    told = [key for content in (summary, about) for key, _ in values_in(content)]
    assert not [key for key in told if any(name in key for name in lost)]
    for one in about["results"]["quantities"]:
        assert (one["posterior_median"] is None) == (one["quantity"] in lost)


def test_arviz_reads_what_is_stored(made: tuple[Path, str]) -> None:
    data = arviz().from_netcdf(str(made[0] / "calibration.nc"), engine="h5netcdf")
    assert {"posterior", "prior", "observed_data"} <= set(data.groups())
    control = data["posterior"]["patron.control"]
    assert control.dims == ("chain", "draw")
    assert control.attrs["verdict"] in ("identified", "weakly", NOT)
    for group in ("posterior", "prior"):
        one = xr.open_dataset(made[0] / "calibration.nc", group=group, engine="h5netcdf")
        assert all(isinstance(value, str) for name in one.data_vars for value in one[name].attrs.values())


def test_the_check_alone_passes_and_its_control_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("calibration.draws=8e5", "calibration.sbc_datasets=150")
    assert cli.main(["calibrate", "check=true", *few, f"output.dir={tmp_path / 'check'}"]) == 0
    content = json.loads((tmp_path / "check" / "summary.json").read_text())
    assert content["calibrated"] is True
    control = content["control"]["anywhere"]
    assert control["data_sets"] >= 30
    assert len(control["coverage_off"]) > 50
    assert content["sbc"]["anywhere"]["coverage_off"] == []
    assert content["sbc"]["rare data"]["data_sets"] > 0
    assert "The posteriors are calibrated" in capsys.readouterr().out


LOOSE = (
    *(f"calibration.observations.{name}.enabled=false" for name in ("campaign", "syria", "ordering", "responses")),
    "calibration.draws=100000", "calibration.sbc_datasets=40", "stretch=42",
)  # fmt: skip
"""A calibration with which many runs agree, so that few are enough."""


@pytest.fixture(scope="module")
def counts_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """A file of what the busiest of some runs reports week by week, and the parameters of that run."""
    config = load()
    prior = PriorSampler(config.scenario, settings_of(config).keys, 99)
    dated = DatedCounts(("iraq", "syria", "jordan"), np.arange(-1, 134, 7), np.zeros(19), 2, 0.1)
    calm = [one for one in settings_of(config).figures if one.id in ("iraq", "peace")]
    runs = counted_runs(posterior_of(fill(prior, calm, 300)), dated)
    busiest = int(runs.reported.sum(axis=1).argmax())
    counts = dated.simulate(runs.reported[busiest], np.random.default_rng(1))
    start, path = config.scenario.calendar.start, tmp_path_factory.mktemp("counts") / "attacks.csv"
    rows = [
        f"{start + timedelta(days=int(end))},{total}"
        for end, total in zip(dated.edges[1:], np.cumsum(counts), strict=True)
    ]
    path.write_text("as_of_date,total\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path, {key: float(one[busiest]) for key, one in runs.posterior.values().items()}


def test_dated_counts_enter_the_posterior_and_both_tables_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], counts_file: tuple[Path, dict[str, float]]
) -> None:
    path, truth = counts_file
    folder = tmp_path / "result"
    assert cli.main(["calibrate", *LOOSE, f"data={path}", f"output.dir={folder}"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in ("Identifiability before the dated counts", "Identifiability after the dated counts", "Pareto k"):
        assert part in said, part
    assert "SBC, given the observations" in said
    before, after = (
        {one["quantity"]: one for one in rows(folder, name)} for name in ("parameters_before", "parameters")
    )
    assert set(before) == set(after)
    inside = [
        float(after[key]["posterior_q05"]) <= value <= float(after[key]["posterior_q95"])
        for key, value in truth.items()
    ]
    # One file: of so many intervals 90% hold their truth, give or take five binomial deviations.
    assert abs(np.mean(inside) - 0.9) < 5.0 * np.sqrt(0.09 / len(inside))
    scale = "acknowledged attacks, scale"
    assert float(after[scale]["contraction"]) > float(before[scale]["contraction"]) + 0.3
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["conclusion"] == "drawn"
    assert 50 <= summary["effective"] < summary["effective_before"]
    assert scale in summary["verdicts"]["identified"]
    assert scale not in summary["verdicts_before"]["identified"]
    counts = rows(folder, "counts")
    assert "seed 1" in source_in((folder / "counts.svg").read_text(encoding="utf-8"))
    assert sum(int(one["attacks"]) for one in counts) == int(path.read_text().split(",")[-1])
    assert all(float(one["after_q05"]) <= float(one["after_q95"]) for one in counts)


def test_too_low_an_ess_refuses_a_conclusion_in_words_and_leaves_no_table_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "many.csv"
    path.write_text("as_of_date,total\n2023-11-30,9000\n2024-01-10,9001\n", encoding="utf-8")
    folder = tmp_path / "result"
    assert cli.main(["calibrate", *LOOSE, f"data={path}", f"output.dir={folder}"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "No conclusion from the dated counts: they leave an ESS of" in said
    assert "Identifiability before the dated counts" in said
    assert "Identifiability after" not in said
    assert not (folder / "parameters.csv").exists()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["verdicts"] is None
    assert "ESS" in summary["conclusion"]


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        (None, (), "gone.csv: allowed an existing file"),
        ("as_of_date,total\n2023-11-30,20\n", ("check=true",), "check = true: allowed nothing with data=FILE"),
        ("as_of_date,total\n2023-10-20,3\n", (), "data = 4 days: allowed at least one stretch: 21 days of counts"),
        ("as_of_date,total\n2023-11-30,x\n", (), "allowed whole counts"),
        ("as_of_date,total\n2023-11-30,20\n", ("stretch=0",), "stretch = 0: allowed a whole number from 1"),
        ("as_of_date,total\n2023-11-30,20\n", ("dispersion=0",), "dispersion = 0.0: allowed a number from 1e-06"),
        ("as_of_date,total\n2023-11-30,20\n", ("lag=15",), "lag = 15: allowed a whole number from 0 to 14"),
    ],
)
def test_a_bad_file_of_counts_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: tuple[str, ...], line: str
) -> None:
    path, folder = tmp_path / ("gone.csv" if text is None else "own.csv"), tmp_path / "result"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert cli.main(["calibrate", f"data={path}", *words, f"output.dir={folder}"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert line in said[0]
    assert not folder.exists()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("check=maybe",), ("check", "true or false")),
        (("parameters=posterior",), ("parameters", "starts from the priors")),
        (("history=free",), ("history", "article")),
        (("scenario=salt_coast",), ("calibration.observations", "one observation or more")),
        (("calibration.draws=10",), ("calibration.draws", "1000")),
        (("calibration.draws=1000",), ("calibration.draws", "effective")),
        (("calibration.observations.iraq.theatres=[mars]",), ("calibration.observations.iraq.theatres", "mars")),
        (("calibration.observations.iraq.likelihood=guessed",), ("calibration.observations.iraq.likelihood", "exact")),
        (
            ("calibration.observations.campaign.likelihood=within",),
            ("calibration.observations.campaign.low", "missing"),
        ),
        (("calibration.observations.iraq.of=sightings",), ("calibration.observations.iraq.of", "acknowledged")),
        (("calibration.channels.strikes.parameters={deterrence.damage:9}",), ("damage", "0 to 1")),
        (("calibration.wide_priors=[patron.grip]",), ("calibration.wide_priors", "patron.grip")),
        (("+calibration.speed=3",), ("calibration.speed", "keys")),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else None,
)
def test_bad_input_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], overrides: tuple[str, ...], words: tuple[str, ...]
) -> None:
    folder = tmp_path / "result"
    assert cli.main(["calibrate", *overrides, f"output.dir={folder}"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert all(word in told[0] for word in words)
    assert not folder.exists()
