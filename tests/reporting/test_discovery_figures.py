"""The figures of a search, and the command: what is drawn and told is what was found."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from sim.analysis.discovery import scenario_discovery
from sim.analysis.discovery.scenario_discovery import Discovery
from sim.cli import main
from sim.reporting.figures.discovery_figures import boxes_figure, trajectory_figure
from sim.reporting.style import BLUE
from sim.reporting.tables import box_words
from tests.analysis.test_discovery import opened, planted, search_boxes


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenario_discovery, "RESAMPLES", 1)
        yield


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    return opened(planted)


@pytest.fixture(scope="module")
def found(few_resamples: None, data: xr.Dataset) -> Discovery:
    return search_boxes(data, "war", boxes=1)


def texts(figure: Figure) -> str:
    return "\n".join(one.get_text() for one in figure.findobj(Text))


def test_the_boxes_are_drawn_with_their_limits_and_the_points_held_out(found: Discovery, data: xr.Dataset):
    figure = boxes_figure(found, data)
    bars, points = figure.axes[:2]
    (box,) = found.boxes
    for one in box.restrictions:
        assert f"{one.low if one.low is not None else one.high:.3g}" in texts(figure)
        assert one.dimension.key in texts(figure)
    blue = [bar for bar in bars.findobj(Rectangle) if bar.get_facecolor() == to_rgba(BLUE)]
    widths = sorted(bar.get_width() for bar in blue)
    assert widths == pytest.approx(sorted([box.sides[0].limit, 1 - box.sides[1].limit]), abs=0.02)
    assert len(np.asarray(points.collections[0].get_offsets())) == found.cases.held_out.points
    assert box_words(box) in texts(figure)


def test_the_way_of_the_search_is_drawn_in_both_halves(found: Discovery, data: xr.Dataset):
    (axes,) = trajectory_figure(found, data).axes
    (box,) = found.boxes
    drawn = {str(line.get_label()): line for line in axes.lines}
    for label, half in (("search half", "found"), ("held-out half", "held_out")):
        held = [getattr(one, half) for one in box.steps]
        assert np.allclose(drawn[label].get_xdata(), [one.coverage for one in held])
        assert np.allclose(drawn[label].get_ydata(), [one.density for one in held])
    mark = drawn["chosen step"]
    assert np.asarray(mark.get_xdata()).item() == box.steps[box.chosen].held_out.coverage


def test_no_box_and_names_are_drawn_too():
    flat = opened(lambda place: np.full(len(place["x0"]), 0.2), seed=1)
    nothing = search_boxes(flat, "war")
    assert nothing.boxes == ()
    assert "No box" in texts(boxes_figure(nothing, flat))
    assert "No box" in texts(trajectory_figure(nothing, flat))
    worse = opened(lambda place: np.where(place["scenario"] == "worse", 0.5, 0.05), names=True)
    assert "worse" in texts(boxes_figure(search_boxes(worse, "war", boxes=1), worse))


# --- the command --------------------------------------------------------------------------------------------

SWEPT = (
    "patron.directive_reduce=interval(0.001,0.4)", "multipliers.autonomy=interval(0.2,1.5)", "calendar.days=140",
    "study.points=128", "study.runs=20",
)  # fmt: skip


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_sweeps_searches_and_leaves_a_folder(elsewhere: Path, capsys: pytest.CaptureFixture[str]):
    swept = [*SWEPT, "discover.sweep=swept"]
    assert main(["discover", "discover.where='acknowledged_lull>2'", *swept, "output.dir=found"]) == 0
    said = capsys.readouterr().out
    assert "Which parameter values go with more than 2 acknowledged attacks in the lull?" in said
    assert "of the space holds" in said
    assert {path.name for path in (elsewhere / "found").iterdir()} == {
        "boxes.csv", "boxes.png", "boxes.svg", "config.yaml", "manifest.json", "split.csv", "summary.json",
        "trajectory.csv", "trajectory.png", "trajectory.svg",
    }  # fmt: skip
    parts = sorted((elsewhere / "swept" / "parts").iterdir())
    assert parts
    assert main(["discover", "discover.where=acknowledged_lull>2", "discover.sweep=swept", "discover.boxes=1"]) == 0
    assert sorted((elsewhere / "swept" / "parts").iterdir()) == parts
    again = next((elsewhere / "outputs").glob("discover-article-seed1-acknowledged_lull-above-2"))
    first, second = (pd.read_csv(folder / "boxes.csv") for folder in (elsewhere / "found", again))
    pd.testing.assert_frame_equal(first[first["box"] == 1].iloc[:, :6], second.iloc[:, :6])
    told = json.loads((again / "summary.json").read_text())
    assert told["where"] == "acknowledged_lull > 2"
    assert told["boxes"][0]["better_than_chance"] in (True, False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "discover.where = (missing)"),
        (["discover.where=war"], "discover.sweep = (missing)"),
        (["discover.where=war", "discover.sweep=nowhere"], "discover.sweep = nowhere"),
        (["discover.where=wars", *SWEPT], "discover.where = wars"),
        (["discover.where=import os", *SWEPT], "discover.where = import os"),
        (["discover.where=war", "discover.boxes=0"], "discover.boxes = 0"),
        (["discover.where=war", "discover.coverage=2"], "discover.coverage = 2.0"),
        (["discover.where=war", "discover.coverage=x"], "discover.coverage = x"),
        (["discover.where=war", "patron.control=interval(0.2,7)"], "patron.control = 7.0"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    words: list[str], told: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["discover", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"lull: {told}: allowed ")
    assert said.count("\n") == 1
    assert list(elsewhere.iterdir()) == []


def test_without_the_workbench_one_line_says_what_to_install(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "ema_workbench.analysis", None)
    assert main(["discover", "discover.where=war", *SWEPT]) == 2
    assert "pip install 'lull-sim[discover]'" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == []
