"""The runner of experiments: who shares random numbers with whom, what it forecasts, how it resumes after a kill."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest

from sim import cli
from sim.analysis import attribution
from sim.analysis.calibration.observations import settings_of
from sim.analysis.calibration.posterior import CHUNK, PriorSampler, fill
from sim.analysis.comparison import paired_comparison
from sim.engine.batch import run_arms, run_batch
from sim.engine.inputs import build_inputs
from sim.engine.record import Output
from sim.experiment import runner
from sim.experiment.command import Request
from sim.experiment.parameter_sets import prior_design
from sim.experiment.runner import Arm, Checkpoints, Experiment, Pairing, chunks, ensemble, joined, rate_of
from sim.model.scenario import load
from sim.reporting import terminal
from tests.analysis.events.files import ACLED_31, acled, calendar, saved, text

ARTICLE = load(["calendar.days=134"]).scenario
NO_FEAR = load(["calendar.days=134", "mechanisms.fear=false"]).scenario
SETS = prior_design(3, 9)


class StoppedError(Exception):
    """The kill of a test."""


def stopping(after: int, how: type[BaseException] = StoppedError) -> Callable[[int], None]:
    """Progress that stops a command once so many histories are finished."""
    done = 0

    def advance(histories: int) -> None:
        nonlocal done
        done += histories
        if done > after:
            raise how

    return advance


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Histories of every call of the engine."""
    found: list[int] = []

    def counting(table: Any, seed: int, runs: Any, *given: Any) -> Output:
        found.append(len(runs))
        return run_batch(table, seed, runs, *given)

    def counting_arms(tables: Any, seed: int, runs: Any, *given: Any) -> list[Output]:
        found.append(len(runs) * len(tables))
        return run_arms(tables, seed, runs, *given)

    monkeypatch.setattr(runner, "run_batch", counting)
    monkeypatch.setattr(runner, "run_arms", counting_arms)
    return found


# --- pairing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairing", "first", "second"),
    [
        ("shared", [0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1]),
        ("nested", [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
        ("own", [0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]),
    ],
)
def test_the_pairing_says_which_histories_have_common_random_numbers(
    pairing: Pairing, first: list[int], second: list[int]
) -> None:
    one = Experiment((Arm(ARTICLE), Arm(NO_FEAR)), 7, 2, pairing, SETS)
    assert one.histories == 12
    for place, (scenario, numbers) in enumerate([(ARTICLE, first), (NO_FEAR, second)]):
        by_hand = run_batch(build_inputs(scenario, SETS), 7, numbers, np.repeat(np.arange(3), 2))
        np.testing.assert_array_equal(one.simulate([place]).counts, by_hand.counts)
        part = one.simulate([place], sets=[2], runs=[1])
        np.testing.assert_array_equal(part.counts, by_hand.counts[5:])
    assert not np.array_equal(one.simulate([0]).counts, one.simulate([1]).counts)


def test_cycled_runs_take_one_set_after_the_other() -> None:
    one = Experiment((Arm(ARTICLE),), 7, 8, "cycled", SETS)
    by_hand = run_batch(build_inputs(ARTICLE, SETS), 7, np.arange(8), np.arange(8) % 3)
    np.testing.assert_array_equal(one.simulate().counts, by_hand.counts)
    np.testing.assert_array_equal(one.simulate(runs=[5, 2]).counts, by_hand.counts[[5, 2]])
    assert one.histories == 8


def test_arms_at_once_are_the_arms_one_by_one() -> None:
    base = build_inputs(ARTICLE)
    one = Experiment((Arm(ARTICLE, base=base), Arm(NO_FEAR, base=base)), 7, 2, "nested", SETS)
    both = one.simulate([0, 1]).counts
    np.testing.assert_array_equal(both, np.concatenate([one.simulate([0]).counts, one.simulate([1]).counts]))


def test_fixed_parameters_keep_the_numbers_of_their_arm() -> None:
    kept = Experiment((Arm(ARTICLE, frozenset(SETS)),), 7, 2, "nested", SETS).simulate().counts
    np.testing.assert_array_equal(kept, run_batch(build_inputs(ARTICLE), 7, np.arange(6)).counts)


def test_an_arm_ends_after_its_days() -> None:
    short = Experiment((Arm(ARTICLE, days=60),), 7, 5).simulate()
    assert short.counts.sum() < Experiment((Arm(ARTICLE),), 7, 5).simulate().counts.sum()


# --- cost ---------------------------------------------------------------------------------------------------


def test_the_forecast_counts_histories_and_tries_some(counted: list[int]) -> None:
    one = Experiment((Arm(ARTICLE), Arm(NO_FEAR)), 7, 40, "nested", SETS)
    cost = one.forecast(chunk=120)
    assert cost.histories == 240
    assert cost.seconds == pytest.approx(cost.histories / cost.rate)
    assert cost.memory == one.memory(120) < one.memory(1200)
    assert max(counted) <= 120
    both = cost + cost
    assert (both.histories, both.seconds, both.memory) == (480, 2 * cost.seconds, cost.memory)


def test_the_rate_of_many_histories_is_not_that_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def rate(trial: Callable[[int], int], histories: int) -> float:
        tried.append(trial(min(runner.TRIALS[0], histories)))
        return 1000.0

    monkeypatch.setattr(runner, "rate_of", rate)
    few = Experiment((Arm(ARTICLE), Arm(NO_FEAR)), 7, 2, "nested", SETS)
    assert few.forecast(6, histories=40_000).seconds == 40.0
    assert few.forecast(6).seconds == 0.012
    assert few.forecast(12, histories=20).seconds == 0.02
    assert tried == [255, 6, 12]


def test_a_forecast_says_what_is_there_from_before() -> None:
    cost = runner.CostEstimate(4_200_000, 60.0, 250_000_000)
    assert terminal.forecast_line(cost) == "4.2 million histories; about 1 min 0 s, 250 MB of memory"
    told = terminal.forecast_line(cost, 2_100_000)
    assert told == "4.2 million histories; 2,100,000 of them are there from before; about 30 s, 250 MB of memory"


def test_progress_on_a_pipe_is_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 4.0, 10.0, 12.0, 30.0])
    monkeypatch.setattr("sim.reporting.terminal.time", SimpleNamespace(monotonic=lambda: next(clock)))
    advance = terminal._lines(1000, "histories")
    for _ in range(4):
        advance(100)
    assert capsys.readouterr().err.splitlines() == [
        "lull: 200 of 1,000 histories, 20/s, about 40 s left",
        "lull: 400 of 1,000 histories, 10/s, about 1 min 0 s left",
    ]


def test_a_first_part_that_took_long_tells_no_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 30.0, 40.0])
    monkeypatch.setattr("sim.reporting.terminal.time", SimpleNamespace(monotonic=lambda: next(clock)))
    advance = terminal._lines(1000, "histories")
    for _ in range(2):
        advance(100)
    assert capsys.readouterr().err.splitlines() == [
        "lull: 100 of 1,000 histories", "lull: 200 of 1,000 histories, 10/s, about 1 min 20 s left",
    ]  # fmt: skip


# --- resume -------------------------------------------------------------------------------------------------


def test_finished_chunks_are_kept_and_the_others_made(tmp_path: Path, counted: list[int]) -> None:
    config = load(["calendar.days=134", "study.runs=50"])

    def values(progress: Any) -> np.ndarray:
        one = ensemble(config)

        def make(part: range, done: Any) -> dict[str, np.ndarray]:
            return {"file": one.simulate(runs=np.arange(part.start, part.stop), progress=done).counts}

        return joined(chunks(50, 10, make, progress))["file"]

    whole = values(None)
    assert counted == [10] * 5
    counted.clear()
    with pytest.raises(StoppedError):
        values(Checkpoints(tmp_path, stopping(25)))
    again = Checkpoints(tmp_path, lambda _: None)
    assert again.kept == 20
    counted.clear()
    np.testing.assert_array_equal(values(again), whole)
    assert counted == [10] * 3
    # A chunk that is damaged is made again.
    next(iter(tmp_path.glob("001-000003-*.npz"))).write_bytes(b"PK")
    counted.clear()
    np.testing.assert_array_equal(values(Checkpoints(tmp_path, lambda _: None)), whole)
    assert counted == [10]


def test_the_prior_sample_of_a_calibration_resumes(tmp_path: Path, counted: list[int]) -> None:
    config = load([])
    settings = settings_of(config, ())
    prior = PriorSampler(config.scenario, settings.keys, 3)
    whole = fill(prior, settings.figures, CHUNK + 500)
    with pytest.raises(StoppedError):
        fill(prior, settings.figures, CHUNK + 500, progress=Checkpoints(tmp_path, stopping(CHUNK)))
    counted.clear()
    again = fill(prior, settings.figures, CHUNK + 500, progress=Checkpoints(tmp_path, lambda _: None))
    assert counted == [500]
    np.testing.assert_array_equal(again.chance, whole.chance)
    assert all(np.array_equal(again.numbers[key], one) for key, one in whole.numbers.items())


COMMANDS = {
    "compare": ("scenarios=[article,no_us_strikes]", "parameters=prior", "study.draws=6", "study.runs=20"),
    "explain": ("mechanisms=[fear,patron_restraint]", "parameters=prior", "study.draws=4", "study.runs=5"),
    "report": (
        "scenarios=[article,no_us_strikes]", "parameters=prior", "study.draws=6", "study.runs=20",
        "report.mechanisms=[fear]", "report.share_draws=4", "report.share_runs=5",
    ),
    "run": ("study.runs=300",),
    "forecast": ("data=attacks.csv", "histories=1000"),
}  # fmt: skip
COUNTED: Final = ("run", "forecast")
"""Verbs that say how many histories they simulate only where some of them are kept."""


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_stopped_command_resumes_with_the_same_bits(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sim.analysis.comparison.paired_run.CHUNK", 40)
    monkeypatch.setattr("sim.analysis.attribution.TABLE_ROWS", 4)
    monkeypatch.setattr("sim.commands.run.CHUNK", 100)
    monkeypatch.setattr("sim.analysis.forecast.forecasting.CHUNK", 250)
    monkeypatch.chdir(tmp_path)
    if verb == "forecast":
        days = [acled(day, str(calendar().start + timedelta(days=day)), country="Iraq") for day in range(0, 60, 2)]
        saved(tmp_path, text(ACLED_31, days), "attacks.csv")
    monkeypatch.setattr("sim.analysis.pattern_tests.PAIRED_RUNS", 60)
    monkeypatch.setattr(runner, "TRIALS", (2, 2))
    command = [verb, *COMMANDS[verb], f"output.dir={tmp_path / 'made'}"]

    def run(after: int) -> int:
        @contextmanager
        def progress(*_: object) -> Iterator[Callable[[int], None]]:
            yield stopping(after, KeyboardInterrupt)

        counted.clear()
        monkeypatch.setattr(terminal, "progress", progress)
        return cli.main(command)

    def kept() -> list[str]:
        return sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".csv")

    def result() -> Any:
        return json.loads((tmp_path / "made" / "summary.json").read_text(encoding="utf-8"))

    assert run(10**9) == 0
    whole, all_histories = result(), sum(counted)
    assert kept() == ["made"]
    assert ("histories; about" in capsys.readouterr().out) == (verb not in COUNTED)
    assert run({"explain": 25, "run": 150, "forecast": 300}.get(verb, 85)) == 130
    assert "histories are kept; the same command resumes" in capsys.readouterr().err
    assert len(kept()) == 2
    assert run(10**9) == 0
    assert "are there from before" in capsys.readouterr().out
    assert sum(counted) < all_histories
    assert result() == whole
    assert kept() == ["made"]


@pytest.mark.parametrize("first", [4, 300, 2000])
def test_the_time_of_a_forecast_is_without_what_its_trials_compile(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now, seen = [0.0], [0]
    monkeypatch.setattr(runner, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def trial(most: int) -> int:
        # What takes a minute once is compiled for so many histories as have the first arm that needs it.
        now[0] += most / 20_000 + 60.0 * (most > first >= max(seen))
        seen.append(most)
        return most

    assert rate_of(trial, 100_000) == pytest.approx(20_000)
    assert now[0] > 60.0


EIGHT = "mechanisms=[patron_restraint,major_response,limited_response,mediation,fear,pause,obedience,bursts]"
COSTED: dict[str, tuple[Callable[..., Any], tuple[str, ...], int]] = {
    "explain": (attribution.prepare, (EIGHT, "study.draws=2", "study.runs=2"), 2**8),
    "compare": (paired_comparison.prepare, ("study.draws=2", "study.runs=2"), 3),
}


@pytest.mark.parametrize("verb", COSTED)
def test_a_forecast_is_right_where_most_time_goes_into_arms_of_few_histories(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, sizes, arms = COSTED[verb]
    now, an_arm, a_history = [0.0], 0.02, 1e-5

    def simulate(self: Experiment, arms: Any = (0,), sets: Any = None, runs: Any = None, **_: Any) -> Any:
        histories = len(arms) * len(sets) * len(runs)
        now[0] += an_arm * len(arms) + a_history * histories
        return SimpleNamespace(rows=np.zeros(histories))

    asked = prepare(Request(verb, sizes))
    monkeypatch.setattr(Experiment, "simulate", simulate)
    monkeypatch.setattr(runner, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    cost = asked.forecast()
    truth = an_arm * arms + a_history * cost.histories
    assert truth / 3 < cost.seconds < 3 * truth


@pytest.mark.long
@pytest.mark.parametrize("verb", COSTED)
def test_a_forecast_is_within_a_factor_of_three_of_the_time_that_it_takes(verb: str) -> None:
    prepare, sizes, _ = COSTED[verb]
    asked = prepare(Request(verb, sizes))
    asked.simulate()  # compiles
    seconds = asked.forecast().seconds
    began = time.perf_counter()
    asked.simulate()
    assert 1 / 3 < seconds / (time.perf_counter() - began) < 3
