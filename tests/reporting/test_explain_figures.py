"""The figures of `lull explain`, looked at: what stands where, and that it is what was found."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.dates import date2num
from matplotlib.patches import Rectangle

from sim import explain
from sim.analysis.comparison.arms import arms_of
from sim.analysis.divergence import divergence
from sim.model.parameters import MECHANISM_NAMES
from sim.reporting.comparison_tables import MECHANISM_WORDS
from sim.reporting.figures.compare_figures import attribution_figure
from sim.reporting.figures.history_figures import divergence_figure, marks_of, restrained
from sim.reporting.style import BLUE, ORANGE, rendered


def bars(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_every_mechanism_has_words() -> None:
    assert set(MECHANISM_WORDS) == set(MECHANISM_NAMES)


@pytest.fixture(scope="module")
def attributed() -> xr.Dataset:
    mechanisms = ["patron_restraint", "autonomy", "rival_war_gate"]
    overrides = {"calendar.days": 134}
    return explain(
        outcome="attacks_lull", mechanisms=mechanisms, draws=5, runs=6, seed=3, parameters="prior", overrides=overrides
    ).data


def test_bars_are_the_shares_largest_on_top(attributed: xr.Dataset) -> None:
    figure = attribution_figure(attributed)
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    heights = dict(zip(names, axes.get_yticks(), strict=True))
    shares = {
        MECHANISM_WORDS[str(one)]: float(attributed["shapley"].sel(mechanism=one))
        for one in attributed["mechanism"].values
    }
    for bar in bars(axes):
        (name,) = [name for name, place in heights.items() if abs(place - bar.get_y() - bar.get_height() / 2) < 0.01]
        share = shares[name[0].lower() + name[1:]]
        assert bar.get_width() == share
        assert to_hex(bar.get_facecolor()).upper() == (BLUE if share >= 0 else ORANGE)
    assert len(bars(axes)) == 3
    sizes = [abs(shares[name[0].lower() + name[1:]]) for name in sorted(heights, key=lambda name: -heights[name])]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(shares.values()) == pytest.approx(attributed.attrs["total"], rel=0, abs=1e-12)
    assert "attacks" in axes.get_xlabel()


def test_nothing_in_the_figure_of_an_attribution_overlaps(attributed: xr.Dataset) -> None:
    figure = attribution_figure(attributed)
    rendered(figure, "png")
    (axes,) = figure.axes
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [text.get_window_extent(renderer) for text in (*figure.texts, axes.xaxis.label)]
    assert not [1 for i, one in enumerate(boxes) for other in boxes[:i] if one.overlaps(other)]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)


@pytest.mark.parametrize("names", [("article", "no_tower22"), ("article", "article;target.quiet_days=6")])
def test_two_tracks_show_both_histories(names: tuple[str, str]) -> None:
    one, other = arms_of(names, ["calendar.days=180"])
    told = divergence(one, other, 4711)
    figure = divergence_figure(told)
    for axes, life in zip(figure.axes, (told.one, told.other), strict=True):
        by_day = {round(bar.get_x() + 0.5 - date2num(life.scenario.calendar.start)): bar for bar in bars(axes)}
        attacks = life.states.run["attacks"]
        assert [by_day[day].get_height() for day in range(180)] == attacks.tolist()
        colours = [to_hex(by_day[day].get_facecolor()).upper() for day in range(180)]
        same = 180 if told.day is None else told.day
        assert set(colours[same:]) <= {BLUE}
        assert BLUE not in colours[:same]
        assert life.title in axes.get_title(loc="left")
        shown = {line.get_label(): line.get_xdata() for line in axes.lines}
        for mark in marks_of(life):
            assert (
                np.asarray(shown[mark.words]) - date2num(life.scenario.calendar.start)
            ).tolist() == mark.days.tolist()
    (title, *_) = [text.get_text() for text in figure.texts]
    assert title.endswith("28 January 2024" if told.day is not None else "never diverge")


def test_what_is_shaded_is_when_the_patron_holds_back() -> None:
    one, other = arms_of(("article", "no_restraint"), ["calendar.days=134"])
    told = divergence(one, other, 3)
    days = np.flatnonzero(restrained(told.one))
    orders = told.one.states.fronts["order"][:, 0]
    assert len(days)
    assert (orders[days] < 1.0).all()
    assert not restrained(told.other).any()
