"""Figures of a calibration and of predictions: forms apart, priors on their own scale, bounds as bounds."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.markers import CARETUPBASE
from matplotlib.text import Annotation

from sim.analysis.calibration.calibration_run import Rivals
from sim.analysis.calibration.hypotheses import Reading, Single, Story, named
from sim.analysis.calibration.identifiability import WEAKLY, Quantity
from sim.analysis.calibration.observations import AtLeast, Exact
from sim.experiment.parameter_sets import prior_design
from sim.reporting.figures.calibration_figures import _densities, reading_figure, varies_by_factors
from sim.reporting.figures.forecast_figures import draw_observed
from sim.reporting.style import new_figure
from sim.reporting.text import FigureSource

SOURCE = FigureSource(["Documented history"], "100 histories", 1)
CAUSES = {"order": ("order",), "strikes": ("strikes",), "all of these": ("order", "strikes")}


def readings(*forms: str) -> tuple[Reading, ...]:
    """Three explanations under each form, all as probable as each other."""
    share = 1.0 / (len(forms) * len(CAUSES))
    numbers = (share, share, 0.8 * share, 1.2 * share, 1.0, 0.1, 0.8, 1.2, 0.01)
    return tuple(
        Reading(
            named(form, "+".join(channels)), form, named(form, text), *numbers, channels, {"iraq": Single(0.5, False)}
        )
        for form in forms
        for text, channels in CAUSES.items()
    )


def test_explanations_stand_below_their_form_with_the_prior_of_single_causes() -> None:
    figure = reading_figure(Rivals(readings("by degrees", "by decisions"), stories=(Story("order", 0.5, 0.4),)), SOURCE)
    left = figure.axes[0]
    assert [label.get_text() for label in left.get_yticklabels()] == 2 * list(CAUSES)
    heads = [(text.get_text(), text.xy[1]) for text in left.texts if isinstance(text, Annotation)]
    assert [text for text, _ in heads] == ["By degrees: 50% after", "By decisions: 50% after"]
    rows = left.get_yticks()
    assert heads[0][1] > rows[0] > rows[2] > heads[1][1] > rows[3]
    assert len(left.patches) == 2 * len(rows)
    assert any("posterior probability 67%, prior 67%" in text.get_text() for text in figure.texts)
    one = reading_figure(Rivals(readings("")), SOURCE).axes[0]
    assert [text.get_text() for text in one.texts] == [""]
    assert [label.get_text() for label in one.get_yticklabels()] == list(CAUSES)


@pytest.mark.parametrize(
    ("quantity", "scale"),
    [("pause.pausing_rate", "log"), ("patron.control", "linear"), ("acknowledged attacks, scale", "log")],
)
def test_a_prior_on_a_log_scale_is_drawn_on_one(quantity: str, scale: str) -> None:
    key = quantity if "." in quantity else "multipliers.baseline"
    values = prior_design(4000, 1)[key]
    low, first, middle, third, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
    one = Quantity(
        quantity, "", "1", WEAKLY, low, high, low, first, middle, third, high, 0.2, 0.2, 0.3, "", 0.0, True, ""
    )
    axes = new_figure(4, 3).add_subplot()
    _densities(axes, one, values, values)
    assert axes.get_xscale() == scale
    assert varies_by_factors(quantity) == (scale == "log")
    # Of a log-uniform prior the density is flat on that scale, but for the ends, where the kernel is cut.
    if quantity == "pause.pausing_rate":
        heights = np.asarray(axes.collections[0].get_paths()[0].vertices)[:, 1]
        inner = heights[heights > 0.0]
        assert np.quantile(inner, 0.05) > 0.8 * np.quantile(inner, 0.95)


def test_a_lower_bound_ends_in_an_arrow_and_a_count_in_a_point() -> None:
    def seen(reading: object) -> SimpleNamespace:
        return SimpleNamespace(reading=reading, quantity=SimpleNamespace(of="count", first=2, last=9))

    found = SimpleNamespace(settings=SimpleNamespace(observations=(seen(AtLeast(9)), seen(Exact(11)))))
    axes = new_figure(4, 3).add_subplot()
    draw_observed(axes, found, np.arange(20.0), np.arange(20.0))  # type: ignore[arg-type]
    bound, count = axes.lines
    looks = [(one.get_marker(), one.get_linestyle(), np.asarray(one.get_ydata())[1]) for one in axes.lines]
    assert looks == [(CARETUPBASE, "--", 10.0), ("o", "-", 12.0)]
    assert bound.get_markevery() == count.get_markevery() == [1]
    assert bound.get_label() == "observed: at least so many"
