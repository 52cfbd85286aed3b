"""The figure of a sweep: what is drawn is what the histories say, whatever varies."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from sim.experiment.sweep.profiles import AtPoints, at_points, profile, varied
from sim.model.validation import UserError
from sim.reporting.figures.sweep_figures import MOST_AXES, sweep_figure
from sim.reporting.style import rendered

RUNS = 50
OUTCOMES = ("acknowledged_lull", "lull_days", "war")
Array = np.ndarray[Any, np.dtype[Any]]


def opened(columns: dict[str, Any], level: Array, luck: float = 0.0, seed: int = 3) -> xr.Dataset:
    """A sweep as `open_sweep` gives it: attacks around `level` (P,), with luck that all points share in a run."""
    chance = np.random.default_rng(seed)
    noise = chance.normal(size=(len(level), RUNS)) + luck * chance.normal(size=RUNS)
    values = {
        "acknowledged_lull": level[:, None] + noise,
        "lull_days": 10 * level[:, None] + noise,
        "war": (chance.random((len(level), RUNS)) < level[:, None] / 10).astype(np.int32),
    }
    data = xr.Dataset({name: (("point", "run"), one) for name, one in values.items()})
    for name, column in columns.items():
        data[name] = ("point", column, {"units": "1", "long_name": f"what {name} means"})
    data["sample"] = ("point", np.arange(len(level)))
    return data.set_coords([*columns, "sample"]).assign_attrs(title="a sweep", scenario="article", seed="3")


def texts(figure: Figure) -> str:
    return "\n".join(one.get_text() for one in figure.findobj(Text))


def panel(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if title in axes.get_title(loc="left"))


def test_one_axis_is_a_line_through_the_means_with_two_errors_either_way():
    control = np.linspace(0, 1, 5)
    data = opened({"patron.control": control}, 2 + 3 * control)
    figure = sweep_figure(data)
    axes = panel(figure, "Acknowledged attacks")
    (line,) = axes.lines
    values = data["acknowledged_lull"].values
    assert np.allclose(line.get_xdata(), control)
    assert np.allclose(line.get_ydata(), values.mean(axis=1))
    band = np.asarray(axes.collections[-1].get_paths()[0].vertices)
    error = values.std(axis=1, ddof=1) / np.sqrt(RUNS)
    assert np.isclose(band[:, 1].max(), (values.mean(axis=1) + 2 * error).max())
    assert np.isclose(band[:, 1].min(), (values.mean(axis=1) - 2 * error).min())
    assert axes.get_xlabel() == "Control over the proxies"
    assert "5 points, 50 histories at each, seed 3." in texts(figure)
    assert np.allclose(panel(figure, "Direct war").lines[0].get_ydata(), data["war"].mean("run"))


def test_a_number_and_names_make_a_line_for_each_name():
    control, scenario = np.tile([0.0, 0.5, 1.0], 2), np.repeat(["tight_leash", "article"], 3).astype(object)
    data = opened({"scenario": scenario, "patron.control": control}, 1 + control + 4 * (scenario == "article"))
    axes = panel(sweep_figure(data), "Acknowledged attacks")
    assert [line.get_label() for line in axes.lines] == ["Tight leash", "Documented history"]
    means = data["acknowledged_lull"].mean("run").values
    assert np.allclose(axes.lines[0].get_ydata(), means[:3])
    assert np.allclose(axes.lines[1].get_ydata(), means[3:])


def test_two_numbers_make_a_map_with_its_values():
    across, up = (one.ravel() for one in np.meshgrid([0.2, 0.6, 1.0], [1.0, 2.0]))
    data = opened({"patron.control": across, "multipliers.autonomy": up}, 3 * up - across)
    figure = sweep_figure(data)
    axes = panel(figure, "Days until attacks resume")
    (image,) = axes.images
    shown = np.asarray(image.get_array())
    assert np.allclose(shown, data["lull_days"].mean("run").values.reshape(2, 3))
    assert {one.get_text() for one in axes.texts} == {f"{value:.1f}" for value in shown.ravel()}
    assert [one.get_text() for one in axes.get_xticklabels()] == ["0.2", "0.6", "1"]
    assert "Largest Monte Carlo error of a point" in texts(figure)


def test_more_axes_make_a_grid_of_those_that_matter():
    chance = np.random.default_rng(1)
    columns = {f"x{k}": chance.random(400) for k in range(MOST_AXES + 3)}
    data = opened(columns, 2 + 4 * columns["x1"] + 2 * columns["x7"])
    figure = sweep_figure(data)
    assert len(figure.axes) == MOST_AXES * len(OUTCOMES)
    keys = {axes.get_xlabel().split()[1] for axes in figure.axes if axes.get_xlabel()}
    assert {"x1", "x7"} < keys
    assert f"The {MOST_AXES} of {MOST_AXES + 3}" in texts(figure)
    steepest = next(axes for axes in figure.axes if axes.get_xlabel() == "What x1 means")
    means = np.asarray(steepest.lines[0].get_ydata())
    assert means[-1] - means[0] > 0.2


def test_errors_of_means_over_points_count_the_luck_that_points_share():
    """All points move together with the luck of a run, so a thousand of them know the mean no better than 50 runs."""
    control = np.random.default_rng(2).random(1000)
    for luck, expected in ((2.0, 2.0 / np.sqrt(RUNS)), (0.0, 1.0 / np.sqrt(RUNS * 125))):
        data = opened({"patron.control": control}, np.full(1000, 5.0), luck)
        (axis,) = varied(data, 8)
        found = profile(data, at_points(data, "acknowledged_lull"), axis.place, 8)
        # An error estimated from 50 runs is itself known to one part in sqrt(2 x 49) = 10; five of these.
        assert np.all(np.abs(found.error / expected - 1) < 5 / np.sqrt(2 * (RUNS - 1)))


def test_luck_that_points_do_not_share_is_counted_once():
    control = np.random.default_rng(2).random(1000)
    data = opened({"patron.control": control}, np.full(1000, 5.0))
    (axis,) = varied(data, 8)
    found = profile(data, at_points(data, "acknowledged_lull"), axis.place, 8)
    # Of 125 points a variance is known to sqrt(2 / 124), and what 50 runs share to sqrt(2 / 49) of the same size; never
    # below zero, the latter adds 0.4 of that on average, and errs by 0.58 of it. Counted twice, luck would give 1.41.
    share, spread = np.sqrt(2 / (RUNS - 1)), np.sqrt(2 / 124)
    error = np.hypot(0.58 * share, spread) / np.sqrt(8) / 2
    ratio = np.sqrt(np.mean(found.error**2) * RUNS * 125)
    assert abs(ratio - np.sqrt(1 + 0.4 * share)) < 5 * error < 0.2


def test_a_bin_has_the_mean_of_its_points_and_the_quantiles_that_hold_90_percent_of_them():
    data = opened({"patron.control": np.linspace(0, 1, 40)}, np.ones(40))
    at = AtPoints("acknowledged_lull", "attacks", "", "median", np.arange(40.0), np.ones(40))
    found = profile(data, at, np.repeat([0, 1], 20), 3)
    np.testing.assert_array_equal(found.mean, [9.5, 29.5, np.nan])
    np.testing.assert_array_equal(found.low, [0.0, 20.0, np.nan])
    np.testing.assert_array_equal(found.high, [18.0, 38.0, np.nan])
    np.testing.assert_allclose(found.error, [np.sqrt(35 / 20)] * 2 + [np.nan])


def test_bins_hold_equally_many_points_and_levels_stay_what_they_are():
    sampled, levels = np.random.default_rng(5).random(160), np.tile([0.1, 0.2, 0.4, 0.8], 40)
    data = opened({"sampled": sampled, "levels": levels, "same": np.ones(160)}, sampled)
    first, second = varied(data, 8)
    assert (first.name, second.name) == ("sampled", "levels")
    assert np.bincount(first.place).tolist() == [20] * 8
    assert np.allclose(first.centres, np.sort(sampled).reshape(8, 20).mean(axis=1))
    assert second.levels
    assert second.labels == ("0.1", "0.2", "0.4", "0.8")


def test_points_with_more_runs_and_days_that_never_come_are_drawn():
    control = np.linspace(0, 1, 4)
    data = opened({"patron.control": control}, 2 + control)
    ragged = data.where((data["point"] != 2) | (data["run"] < 20))
    ragged["war_day"] = (("point", "run"), np.full((4, RUNS), -1.0))
    figure = sweep_figure(ragged, ("acknowledged_lull", "war_day"))
    line = panel(figure, "Acknowledged").lines[0]
    assert np.allclose(np.asarray(line.get_ydata())[2], data["acknowledged_lull"].values[2, :20].mean())
    assert "20 to 50 histories at each" in texts(figure)
    assert rendered(figure, "png")[:4] == b"\x89PNG"


def test_what_cannot_be_drawn_is_told_in_a_line():
    data = opened({"patron.control": np.linspace(0, 1, 3)}, np.ones(3))
    with pytest.raises(UserError, match="outcome = wars: allowed one of"):
        sweep_figure(data, ("wars",))
    with pytest.raises(UserError, match="something varies"):
        sweep_figure(data.isel(point=[0]))


def test_the_same_figure_gives_the_same_bytes():
    data = opened({"patron.control": np.linspace(0, 1, 3)}, np.ones(3))
    for ending in ("png", "svg"):
        assert rendered(sweep_figure(data), ending) == rendered(sweep_figure(data), ending)


def test_many_points_at_the_smallest_value_leave_no_bin_empty():
    rate = np.concatenate([np.zeros(40), np.linspace(0.1, 1.0, 60)])
    (axis,) = varied(opened({"patron.release_rate": rate}, np.ones(100)), 8)
    assert np.array_equal(np.unique(axis.place), np.arange(len(axis.labels)))
    assert np.allclose(axis.centres, [rate[axis.place == k].mean() for k in range(len(axis.labels))])
    assert len(axis.labels) > 4
