"""What all tests share; and where nothing may be left out, a test that skips is a failure: see `.ci/run`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NO_SKIPS = "LULL_NO_SKIPS"
os.environ.pop("COLUMNS", None)  # the width of the terminal that the tests run in, which xdist sets, is not theirs


def skipped(config: pytest.Config) -> int:
    """Return how many tests or modules were skipped; a test that is expected to fail, and does, is not."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0


def forbidden(config: pytest.Config) -> bool:
    """Whether something was skipped where nothing may be."""
    return bool(os.environ.get(NO_SKIPS)) and skipped(config) > 0


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and forbidden(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if forbidden(config):
        terminalreporter.write_line(f"{skipped(config)} skipped, and {NO_SKIPS} is set: that is a failure", red=True)


SIDES = {
    "comparison.paired_run.PRIOR_DRAWS": 20,
    "attribution.PRIOR_DRAWS": 20,
    "pattern_tests.PAIRED_RUNS": 100,
    "pattern_tests.TRACED_RUNS": 50,
    "pattern_tests.DRAWS": 200,
}
"""Sizes of what is simulated beside a result: draws of the priors, and what the patterns ask for."""


@contextmanager
def little_beside() -> Iterator[None]:
    """Simulate little beside each result."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in SIDES.items():
            patch.setattr(f"sim.analysis.{name}", size)
        yield


@pytest.fixture(scope="module")
def small_sides() -> Iterator[None]:
    """Simulate little beside each result in a whole module, in which it does not matter how much: see `SIDES`."""
    with little_beside():
        yield


@pytest.fixture
def small_sides_here() -> Iterator[None]:
    """The same in one test."""
    with little_beside():
        yield
