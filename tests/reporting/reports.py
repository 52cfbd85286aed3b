"""A small report to look at, made once, by the command, of a scenario whose author means ill."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.analysis.report_data import ReportResults, prepare, simulate
from sim.cli import main
from sim.commands import report
from sim.experiment.command import Request
from sim.reporting.report_page import Page, page_of

HOSTILE = '</td></table><script>alert("1")</script><img src=http://example.org/x> & {{ 7 * 7 }}'
SCENARIO = f"""# @package _global_
scenario:
  question: '{HOSTILE}'
  departs: 2024-01-29

patron:
  control: 0.3
"""
SMALL = (
    "calendar.days=134", "study.draws=20", "study.runs=4", "report.mechanisms=[patron_restraint,major_response,fear]",
    "report.share_draws=3", "report.share_runs=4", "seed=3",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A report as Python gives it and as the command leaves it behind."""

    request: Request
    found: ReportResults
    page: Page
    folder: Path


def files_of(folder: Path) -> Path:
    """Write the scenario of the user's own, and return the folder that it lies in."""
    (folder / "mine" / "scenario").mkdir(parents=True)
    (folder / "mine" / "scenario" / "ill.yaml").write_text(SCENARIO, encoding="utf-8")
    return folder / "mine"


def made_in(folder: Path) -> Made:
    """Make the report both ways."""
    mine = files_of(folder)
    overrides = ("scenarios=[article,no_restraint,ill]", *SMALL)
    request = Request("report", overrides, mine)
    found = simulate(prepare(request))
    with pytest.MonkeyPatch.context() as patch:
        # What was simulated once need not be simulated again for the command.
        patch.setattr(report, "simulate", lambda asked, progress: found)
        assert main(["report", "--config-dir", str(mine), *overrides, f"output.dir={folder / 'made'}"]) == 0
    return Made(request, found, page_of(found, request), folder / "made")
