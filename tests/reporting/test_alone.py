"""Every picture can stand alone: a title, the model as its source, the scenario by its title, the seed, units."""

import ast
import re
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text

import sim
from sim.engine.reference.model import ReferenceModel
from sim.model.scenario import load, titled
from sim.reporting import figures as home
from sim.reporting.figures.briefing import briefing_figure, fan_figure, fans_figure
from sim.reporting.figures.compare_figures import attribution_figure, choices_figure, comparison_figure, shares_figure
from sim.reporting.figures.discovery_figures import boxes_figure, trajectory_figure
from sim.reporting.figures.distribution_figures import draws_figure, outcome_figure
from sim.reporting.figures.history_figures import history_figure
from sim.reporting.figures.sweep_figures import sweep_figure
from sim.reporting.style import SOURCE, canvas, foot_height, footer, new_figure
from sim.reporting.text import FigureSource
from tests.analysis.test_discovery import opened, planted, search_boxes
from tests.commands.test_result import cases

pytestmark = pytest.mark.usefixtures("small_sides")
SHORT = {"calendar.days": 134}
UNITS = {
    "attribution": "attacks", "boxes": "share of histories", "briefing": "attacks a week", "comparison": "probability",
    "choices": "percent",
    "divergence": "attacks a day", "draws": "1/(rung day)", "fan": "attacks a week", "fans": "attacks a week",
    "forecast": "attacks a week", "history": "a day", "outcome": "of the histories", "ranking": "share of the variance",
    "shares": "attacks", "skill": "share of the benchmark's score", "sweep": "share of histories",
    "trajectory": "share of histories",
}  # fmt: skip
"""Words in which each figure states its units."""
ELSEWHERE = {
    "posterior": "commands/test_calibrate.py", "forest": "commands/test_calibrate.py",
    "check": "commands/test_calibrate.py", "pattern": "commands/test_calibrate.py",
    "reading": "commands/test_calibrate.py", "case": "commands/test_case.py", "warning": "commands/test_watch.py",
    "counts": "commands/test_calibrate.py", "front": "analysis/test_optimise.py",
}  # fmt: skip
"""Figures whose data take long to simulate: the tests that look at the files of a command, with `source_in`."""


def texts(figure: Figure) -> list[str]:
    return [one.get_text() for one in figure.findobj(Text) if one.get_text().strip()]


def source_of(figure: Figure) -> str:
    """Where a figure says that it comes from, after all that a picture on its own needs has been found in it."""
    figure.canvas.draw()
    (source,) = [one for one in figure.findobj(Text) if one.get_gid() == SOURCE]
    bold = [one for one in figure.findobj(Text) if one.get_fontweight() == "bold" and one.get_text().strip()]
    assert max(bold, key=lambda one: one.get_window_extent().y1).get_window_extent().y0 > source.get_window_extent().y1
    box, page = source.get_window_extent(), figure.bbox
    assert box.x0 >= page.x0
    assert box.x1 <= page.x1
    assert box.y0 >= page.y0
    for axes in figure.axes:
        low = axes.get_tightbbox()
        assert low is None or not axes.axison or low.y0 >= box.y1 - 1, axes.get_xlabel()
    return checked(source.get_text())


def source_in(svg: str) -> str:
    """The same of a figure as SVG."""
    (found,) = re.findall(r'<g id="source">\s*<!--(.*?)-->', svg, re.DOTALL)
    return checked(found)


def checked(words: str) -> str:
    line = " ".join(words.split())
    assert re.match(r"Source: (\S+ \([^)]*\); )?Lull, scenarios? .+, seed \d+\. [A-Z].+\.$", line), line
    return line


@pytest.fixture(scope="module")
def figures(small_sides: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    """One figure of each kind."""
    folder = tmp_path_factory.mktemp("figures")
    winter, leash = (sim.simulate(name, runs=40) for name in ("article", "tight_leash"))
    found = sim.compare(["article", "tight_leash"], draws=3, runs=10, parameters="prior", overrides=SHORT).data
    asked = sim.compare(
        ["article", "tight_leash"], draws=3, runs=10, parameters="prior",
        overrides={**SHORT, "study.outcomes": ["deaths >= 10"]},
    ).data  # fmt: skip
    shares = sim.explain(outcome="attacks_lull", mechanisms=["fear"], draws=2, runs=3, overrides=SHORT).data
    swept = sim.sweep(
        overrides={**SHORT, "patron.control": [0.3, 0.9], "scenario": ["article", "tight_leash"]}, runs=10,
        to=folder / "sweep",
    )  # fmt: skip
    space = opened(planted)
    boxes = search_boxes(space, "war", boxes=1)
    keys = ("ladder.war_rate", "patron.control")
    draws = xr.Dataset(
        {key: ("point", np.random.default_rng(3).random(50)) for key in keys}, attrs={"scenario": "article", "seed": 1}
    ).set_coords(keys)
    model = ReferenceModel(load([]).scenario, seed=1, run=17)
    for _ in range(20):
        model.step()
    calls: dict[str, Any] = {}
    for name, verb in (
        ("divergence", "diff"),
        ("forecast", "forecast"),
        ("skill", "skill"),
        ("ranking", "sensitivity"),
    ):
        call, given, _ = cases(folder)[verb]
        space_of = {"patron.control": (0.2, 1.0), "multipliers.baseline": (0.5, 2.0)} if verb == "sensitivity" else {}
        to = {"to": folder / verb} if verb == "sensitivity" else {}
        calls[name] = call(**given, overrides={**SHORT, **space_of}, **to).plot()
    return {
        "briefing": briefing_figure(winter, load([]), ()),
        "fan": fan_figure(winter),
        "fans": fans_figure({"one": winter, "other": leash}),
        "outcome": outcome_figure({"one": winter, "other": leash}, ["attacks_lull"]),
        "choices": choices_figure(asked),
        "comparison": comparison_figure(found),
        "attribution": attribution_figure(shares),
        "shares": shares_figure(shares),
        "sweep": sweep_figure(swept.data),
        "boxes": boxes_figure(boxes, space),
        "trajectory": trajectory_figure(boxes, space),
        "draws": draws_figure({"before": draws, "after": draws}, keys),
        "history": history_figure(model),
        **calls,
    }


def test_no_figure_function_is_left_out(figures: dict[str, Figure]) -> None:
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(home.__file__).parent.glob("*.py")]
    names = [one.name for one in chain(*(module.body for module in modules)) if isinstance(one, ast.FunctionDef)]
    public = {one.removesuffix("_figure") for one in names if one.endswith("_figure") and not one.startswith("_")}
    assert public == figures.keys() | ELSEWHERE.keys() | {"so_far"}  # of a file of the user's, nothing is simulated
    assert figures.keys() == UNITS.keys()
    for name, path in ELSEWHERE.items():
        assert "source_in(" in (Path(__file__).parents[1] / path).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", sorted(UNITS))
def test_a_figure_says_what_it_shows_and_where_it_comes_from(name: str, figures: dict[str, Figure]) -> None:
    figure = figures[name]
    source = source_of(figure)
    two = {"fans", "outcome", "choices", "comparison", "sweep"}
    other = {"divergence": "no_tower22"}.get(name, "tight_leash" if name in two else "")
    wanted = " and ".join(titled(one) for one in ("article", other) if one)
    assert f"scenario{'s' if other else ''} {wanted}, " in source
    seed = {"boxes": 11, "trajectory": 11}.get(name, 1)
    assert f", seed {seed}. " in source
    assert UNITS[name] in "\n".join(texts(figure))


def test_a_figure_without_a_source_or_with_one_over_its_axes_is_noticed() -> None:
    figure, _ = canvas()
    with pytest.raises(ValueError, match="not enough values"):
        source_of(figure)
    over = new_figure(4.0, 2.0)
    over.add_axes((0.0, 0.0, 1.0, 1.0)).set_title("title", fontweight="bold")
    footer(over, FigureSource(["Any"], "1 history", 1))
    with pytest.raises(AssertionError):
        source_of(over)
    with pytest.raises(AssertionError):
        checked("Lull, 10 histories. A model, not a forecast.")


@pytest.mark.parametrize("width", [4.7, 9.8, 13.33])
def test_small_print_takes_the_room_that_is_kept_for_it(width: float) -> None:
    source = FigureSource(
        ["Documented history", "No US strikes", "Tight leash"], "20 parameter sets × 100 histories", 2**63
    )
    notes = ["A note that goes on for a while, so that it does not fit into one line of a narrow figure.", "Another."]
    figure = new_figure(width, 5.0)
    footer(figure, source, *notes)
    boxes = [one.get_window_extent() for one in figure.texts]
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    top = max(box.y1 for box in boxes) / figure.dpi
    assert foot_height(width, source, *notes) - 0.2 < top < foot_height(width, source, *notes)
    order = sorted(figure.texts, key=lambda one: -one.get_window_extent().y0)
    assert [one.get_text()[:6] for one in order] == ["A note", "Anothe", "Source"]
