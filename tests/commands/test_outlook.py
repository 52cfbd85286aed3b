"""One question, one answer: how the observed winter goes on, in a run, a comparison, a report and on the page."""

import html
import json
import re
from pathlib import Path

import pytest
import xarray as xr

import sim
from sim.analysis.comparison import paired_run
from sim.analysis.durations import outlook_of
from sim.app.explore import outcome_html
from sim.app.form_settings import initial_state, load_base, parse_state
from sim.app.workers import WorkerPool
from sim.cli import main
from sim.commands.compare import compare
from sim.model.hydra_config import override_of
from sim.model.scenario import load
from sim.reporting.tables import outlook_lines
from sim.reporting.text import amount

FEW = {
    "run": "run study.runs=20 patterns=none seed=5",
    "compare": "compare scenarios=[article,no_us_strikes] study.draws=2 study.runs=2 seed=5",
    "report": "report scenarios=[article,no_us_strikes] study.draws=2 study.runs=2 seed=5 report.share_draws=2"
    " report.share_runs=2 report.mechanisms=[fear,patron_restraint]",
}


QUESTIONS = (
    "war by 2024-04-01", "war by 2024-06-01", "war from 2024-04-01 to 2024-06-01", "lull_days >= 30", "lull_days >= 90",
    "first_attack after 2024-03-15", "first_attack by 2024-04-01", "release by 2024-05-01", "deaths >= 10",
    "acknowledged in syria from 2024-02-28 to 2024-03-31 <= 2",
)  # fmt: skip


def plain(text: str) -> str:
    """A text without tags, with single blanks."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text)))


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired_run, "PRIOR_DRAWS", 4)


def test_run_compare_report_and_page_give_one_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = override_of("study.outcomes", list(QUESTIONS))
    outlook = outlook_of(load(["seed=5", asked]))
    assert tuple(outlook.asked) == QUESTIONS
    assert len({one.mean for one in outlook.asked.values()}) == len(QUESTIONS)  # ten answers that could be mixed up
    lines = [plain(one) for one in outlook_lines(outlook)]
    for verb, words in FEW.items():
        folder = tmp_path / verb
        assert main([*words.split(), *QUESTIONS, f"output.dir={folder}"]) == 0
        printed = plain(capsys.readouterr().out)
        assert all(one in printed for one in lines), verb
        record = json.loads((folder / "summary.json").read_text())["outlook"]
        assert record == outlook.record(), verb
    assert all(one in plain((tmp_path / "report" / "report.html").read_text()) for one in lines)
    pool = WorkerPool(load_base(("study.runs=20", "seed=5", asked)))
    try:
        view = pool.view(initial_state(pool.base))
    finally:
        pool.close()
    assert view.outlook is not None
    assert view.outlook.record() == outlook.record()
    shown = plain(outcome_html.outcomes(view.a, outlook=view.outlook))
    assert all(one in shown for one in lines)
    # The large numbers of the page answer the same question with the same numbers, and no other.
    key = plain(outcome_html.key_figures(view))
    assert key.count("direct war") == key.count("days until attacks resume") == 1
    assert f"{100 * outlook.war.mean:.1f}%" in key
    # Control: another seed gives another answer.
    assert outlook_of(load(["seed=6"])).record() != outlook.record()


OTHER = ("no_us_strikes", "article; order iraq stop from 2023-12-10", "article; february_strikes@2024-01-20")


@pytest.mark.parametrize("scenario", OTHER)
def test_another_winter_has_one_answer_everywhere_at_one_source_of_parameters(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, few = ("war by 2024-09-10", "lull_days >= 30", "deaths >= 5"), ["seed=5", "study.runs=60"]
    command = ["run", scenario, *asked, "patterns=none", *few, f"output.dir={tmp_path / 'run'}"]
    assert main(command) == 0
    printed = plain(capsys.readouterr().out)
    numbers = json.loads((tmp_path / "run" / "summary.json").read_text())["outcomes"]
    answers = {one: numbers[one]["mean"] for one in asked}
    assert len(set(answers.values())) == len(asked)  # answers that could be mixed up
    assert printed.count("of the runs at the scenario's own parameter values") >= len(asked)

    pair = ["article", scenario, *asked, "parameters=defaults", *few]
    small = ["report.share_runs=2", "mechanisms=[fear]"]
    for verb, more in (("compare", []), ("report", small)):
        folder = tmp_path / verb
        assert main([verb, *pair, *more, f"output.dir={folder}"]) == 0
        printed = plain(capsys.readouterr().out)
        assert "at the scenario's own parameter values" in printed
        with xr.open_dataset(folder / "comparison.nc", engine="h5netcdf") as data:
            found = {one: float(data["scenario_value"].sel(measure=one).item()) for one in asked}
        assert found == pytest.approx(answers, abs=1e-12), verb
        for one in asked:
            assert amount(answers[one], "probability") in printed

    _, *events = map(str.strip, scenario.split(";"))
    overrides = {"study.outcomes": list(asked), "patterns": "none"}
    overrides |= {"interventions": events} if events else {}
    data = sim.run(scenario.partition(";")[0], runs=60, seed=5, overrides=overrides).data
    assert {one: float(data[one].mean()) for one in asked} == pytest.approx(answers, abs=1e-12)

    pool = WorkerPool(load_base((*few, override_of("study.outcomes", list(asked)))))
    try:
        texts = {"scenario": scenario.partition(";")[0]} | ({"interventions": "; ".join(events)} if events else {})
        view = pool.view(parse_state(pool.base, texts))
    finally:
        pool.close()
    assert {one.name: one.mean for one in view.a.stats if one.name in asked} == pytest.approx(answers, abs=1e-12)
    # Control: another source of parameters gives other answers, and says so.
    assert main([*command[:-1], "parameters=posterior", f"output.dir={tmp_path / 'other'}"]) == 0
    assert "parameter sets from the posterior" in plain(capsys.readouterr().out)
    other = json.loads((tmp_path / "other" / "summary.json").read_text())["outcomes"]
    assert {one: other[one]["mean"] for one in asked} != answers


def test_a_comparison_after_the_report_is_of_the_same_histories() -> None:
    found = compare(["article", "full_release"])
    outlook = outlook_of(load())
    data = found.data
    assert (data.attrs["parameters"], data.sizes["draw"]) == ("conditioned", outlook.draws)
    war = data["baseline_value"].sel(measure="war").item()
    assert war == pytest.approx(outlook.war.mean, abs=1e-12)
    assert data["identical_before_departure"].item() == 1.0
    asked = compare(["article", "full_release"], parameters="posterior", draws=2, runs=2)
    assert asked.data.attrs["parameters"] == "posterior"


def test_a_comparison_before_the_report_takes_the_posterior_and_refuses_pasts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = "compare scenarios=[article,no_us_strikes] study.draws=2 study.runs=2".split()
    assert main([*few, f"output.dir={tmp_path / 'one'}"]) == 0
    assert "parameters: posterior" in capsys.readouterr().out
    assert main([*few, "compare.parameters=conditioned", f"output.dir={tmp_path / 'two'}"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(
        "lull: parameters = conditioned: allowed defaults or posterior; documented history is free"
    )
    assert not (tmp_path / "two").exists()


def test_a_run_of_conditioned_histories_agrees_with_its_outlook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "parameters=conditioned", "patterns=none", f"output.dir={tmp_path / 'run'}"]) == 0
    found = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert found["outcomes"]["war"]["mean"] == pytest.approx(found["outlook"]["war"]["mean"], abs=1e-12)
    assert found["runs"] == found["outlook"]["draws"] * found["outlook"]["futures"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("run scenario=no_us_strikes parameters=conditioned", "free from 2023-10-17 on, not only after"),
        ("run patron.control=0.9 parameters=conditioned", "where the past is changed"),
        ("replay 3 parameters=conditioned", "where one history is narrated"),
        ("sweep patron.control=interval(0.2,1) parameters=conditioned study.points=2", "defaults in a sweep"),
        ("calibrate parameters=conditioned", "starts from the priors"),
        ("explain explain.parameters=conditioned", "posterior, prior"),
    ],
)
def test_what_has_no_conditioned_histories_says_so_in_one_line(
    words: str, answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words.split(), f"output.dir={tmp_path / 'out'}"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert answer in told[0]
    assert not (tmp_path / "out").exists()


def test_a_run_of_another_winter_keeps_its_own_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"run scenario=no_us_strikes study.runs=20 patterns=none output.dir={tmp_path / 'run'}"
    assert main(words.split()) == 0
    printed = plain(capsys.readouterr().out)
    assert "Of the runs at the scenario's own parameter values, attacks have resumed" in printed
    assert "This winter" not in printed
    assert "outlook" not in json.loads((tmp_path / "run" / "summary.json").read_text())
