"""Draws of parameters laid over each other, and axes for pictures of one's own."""

from io import BytesIO

import numpy as np
import pytest
import xarray as xr
from matplotlib.patches import StepPatch

from sim.model.validation import UserError
from sim.reporting.figures import draw
from sim.reporting.figures.distribution_figures import COLUMNS, decades
from sim.reporting.style import WIDTH, canvas
from sim.reporting.text import parameter_title

KEYS = ("patron.control", "ladder.war_rate", "multipliers.baseline", "patron.release_rate")


def draws(low: float, high: float, points: int = 400) -> xr.Dataset:
    levels = np.random.default_rng(3).random((len(KEYS), points))
    columns = {key: ("point", low + (high - low) * one) for key, one in zip(KEYS, levels, strict=True)}
    return xr.Dataset(coords={"point": np.arange(points), **columns}, attrs={"scenario": "article", "seed": "1"})


def test_each_parameter_has_a_panel_and_each_set_of_draws_its_bar() -> None:
    figure = draw({"before": draws(0.1, 0.9), "after": draws(0.4, 0.5)}, *KEYS)
    panels = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in panels] == list(map(parameter_title, KEYS))
    assert len(figure.axes) == 2 * COLUMNS
    for axes in panels:
        before, after = (line.get_xdata() for line in axes.lines)
        # Nine in ten of values spread evenly, within five standard errors of a quantile.
        error = 5.0 * np.sqrt(0.05 * 0.95 / 400)
        assert np.allclose(before, [0.14, 0.86], atol=0.8 * error)
        assert np.allclose(after, [0.405, 0.495], atol=0.1 * error)
        # The share of all draws that bars show, whatever their width.
        shown = [patch.get_data()[0].sum() for patch in axes.patches if isinstance(patch, StepPatch)]
        assert len(shown) == 2
        assert min(shown) > 0.99


def test_what_is_no_parameter_of_both_is_refused() -> None:
    both = {"before": draws(0.1, 0.9), "after": draws(0.4, 0.5)}
    with pytest.raises(UserError, match=r"patron\.contro"):
        draw(both, "patron.contro")
    with pytest.raises(UserError, match=r"patron\.control"):
        draw({**both, "other": both["after"].drop_vars("patron.control")}, "patron.control")


@pytest.mark.parametrize("span", [(0.5, 2.0), (1e-4, 3e-3), (4.0, 55.0), (0.001, 1.0)])
def test_few_round_numbers_stand_on_an_axis_of_ratios(span: tuple[float, float]) -> None:
    told = decades(*span)
    assert 1 <= len(told) <= 4
    assert all(0.97 * span[0] <= one <= 1.03 * span[1] for one in told)


def test_a_canvas_has_as_many_panels_as_were_asked_for_and_gives_the_same_bytes() -> None:
    figure, axes = canvas(3, 2.5, shared=True)
    assert len(axes) == 3
    assert figure.get_size_inches().tolist() == [WIDTH, 2.5]
    axes[0].set_ylim(0.0, 7.0)
    assert axes[2].get_ylim() == (0.0, 7.0)
    assert not axes[0].spines["top"].get_visible()
    pictures = [figure._repr_mimebundle_()[0]["image/png"] for _ in range(2)]
    assert pictures[0] == pictures[1]
    file = BytesIO()
    figure.savefig(file, format="png")
    assert file.tell() > 1000
