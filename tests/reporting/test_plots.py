"""The briefing figure: what was drawn is what was simulated, and everything that it has to show is there."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from sim.analysis.pattern_tests import Verdict
from sim.app.explore.outcome_html import legend
from sim.experiment.ensemble import simulate_config
from sim.experiment.formats import short_date
from sim.model.scenario import Config, load
from sim.reporting.figures.briefing import (
    LEFT,
    RIGHT,
    briefing_figure,
    fan_figure,
    fans_figure,
    flags_of,
    headline,
    last_shown,
    shown_theatres,
)
from sim.reporting.style import BY_KIND, ORANGE, RESOLUTION, save

RUNS = 80


def verdicts_of(config: Config) -> tuple[Verdict, ...]:
    """Verdicts that say the source's figures and nothing else."""
    return tuple(Verdict(one.id, one.text, one.kind, one.judged, one.figure, "", "", True) for one in config.patterns)


def ensemble(*overrides: str) -> tuple[Config, xr.Dataset]:
    """A small ensemble in which no war breaks out, with its attacks day by day."""
    config = load([f"study.runs={RUNS}", "ladder.war_rate=0.0", *overrides])
    return config, simulate_config(config, daily=True)


@pytest.fixture(scope="module")
def article() -> tuple[Config, xr.Dataset, Figure]:
    config, data = ensemble()
    return config, data, briefing_figure(data, config, verdicts_of(config))


def panels(figure: Figure) -> list[Axes]:
    """The panels from top to bottom, without the strip of flags."""
    return figure.axes[1:]


def panel(figure: Figure, title: str) -> Axes:
    """The panel of a theatre by its name."""
    return next(axes for axes in panels(figure) if axes.get_title(loc="left") == title)


def texts(figure: Figure) -> list[str]:
    """Every text of the figure."""
    return [one.get_text() for one in figure.findobj(Text) if one.get_text()]


def steps(axes: Axes) -> list[StepPatch]:
    """The outer band, the inner band and the median of a panel."""
    return [one for one in axes.patches if isinstance(one, StepPatch)]


def expected(data: xr.Dataset, theatre: int, level: float) -> np.ndarray:
    """A quantile of attacks a week, from the counts of every day."""
    days = data["attacks_by_day"].values[:, :, theatre].astype(int)
    weeks = days[:, : 7 * (days.shape[1] // 7)].reshape(len(days), -1, 7).sum(axis=2)
    return np.quantile(weeks, level, axis=0, method="inverted_cdf")


def test_there_is_a_panel_for_every_theatre_of_the_target_and_of_the_patterns(
    article: tuple[Config, xr.Dataset, Figure],
) -> None:
    config, _, figure = article
    assert shown_theatres(config) == ["iraq", "syria", "jordan", "lebanon", "red_sea"]
    names = [config.scenario.cast.theatres[key].name for key in shown_theatres(config)]
    assert [axes.get_title(loc="left") for axes in panels(figure)] == names
    units = [axes.get_title(loc="right") for axes in panels(figure)]
    assert units[0] == "attacks a week on the United States"
    assert units[3:] == ["attacks a week on Israel", "attacks a week on ships"]


@pytest.mark.parametrize("key", ["iraq", "syria", "jordan", "lebanon", "red_sea"])
def test_lines_and_bands_are_the_quantiles_of_the_histories(
    article: tuple[Config, xr.Dataset, Figure], key: str
) -> None:
    config, data, figure = article
    axes = panel(figure, config.scenario.cast.theatres[key].name)
    place = list(data["theatre"].values).index(key)
    drawings: list[Any] = [one.get_data() for one in steps(axes)]
    outer, inner, median = drawings
    for drawn, low, high in ((outer, 0.05, 0.95), (inner, 0.25, 0.75)):
        assert np.array_equal(drawn.values, expected(data, place, high))
        assert np.array_equal(drawn.baseline, expected(data, place, low))
        assert not np.array_equal(drawn.values, expected(data, place - 1, high)), "another theatre's"
    assert np.array_equal(median.values, expected(data, place, 0.5))
    first = date2num(config.scenario.calendar.start)
    assert np.array_equal(median.edges, first + 7.0 * np.arange(48))


def test_bands_can_be_told_apart_and_are_named(article: tuple[Config, xr.Dataset, Figure]) -> None:
    config, _, figure = article
    for axes, key in zip(panels(figure), shown_theatres(config), strict=True):
        colour = matplotlib.colors.to_rgb(BY_KIND[config.scenario.cast.theatres[key].kind])
        outer, inner, median = steps(axes)
        assert {one.get_facecolor()[:3] for one in (outer, inner)} == {colour}
        assert (outer.get_alpha() or 1) < (inner.get_alpha() or 1)
        assert median.get_edgecolor()[:3] == colour
    legend = figure.legends[0]
    assert [one.get_text() for one in legend.get_texts()] == ["median", "50% of histories", "90%"]


def test_the_documented_days_stand_in_every_panel(article: tuple[Config, xr.Dataset, Figure]) -> None:
    config, data, figure = article
    calendar = config.scenario.calendar
    flags = {flag.text: flag.day for flag in flags_of(data, config.scenario)}
    assert flags["3 soldiers killed in Jordan"] == 103
    assert flags["major strikes of the United States"] == calendar.strikes == 108
    assert (
        flags["Iran orders restraint (documented, the day assumed)"]
        == np.sort(data["directive_day"].values)[RUNS // 2 - 1]
    )
    assert flags["report; beyond it assumptions decide"] == calendar.report
    start = date2num(calendar.start)
    for axes in panels(figure):
        drawn = {line.get_xdata()[0] for line in axes.lines}  # type: ignore[index]
        assert drawn == {start + day for day in flags.values()}
    words = texts(figure)
    assert "28 Jan: 3 soldiers killed in Jordan" in words
    assert "2 Feb: major strikes of the United States" in words
    assert any(word.startswith("Iran lifts the order (assumed), ") for word in words)


def test_the_lull_is_shaded_from_the_strikes_to_the_report_and_assumptions_are_hatched(
    article: tuple[Config, xr.Dataset, Figure],
) -> None:
    config, _, figure = article
    calendar = config.scenario.calendar
    start = date2num(calendar.start)
    for axes in panels(figure):
        plain, hatched = (one for one in axes.patches if not isinstance(one, StepPatch))
        assert (plain.get_x(), plain.get_x() + plain.get_width()) == (start + 108, start + 133)  # type: ignore[attr-defined]
        assert hatched.get_hatch()
        assert hatched.get_x() == start + 133  # type: ignore[attr-defined]
        assert axes.get_xlim() == (start, start + last_shown(config.scenario))
    assert texts(figure).count("lull") == 1
    assert last_shown(config.scenario) - calendar.report < calendar.report


def test_the_articles_figures_stand_beside_the_models(article: tuple[Config, xr.Dataset, Figure]) -> None:
    config, data, figure = article
    words = texts(figure)
    low, middle, high = np.quantile(data["acknowledged_campaign"], [0.05, 0.5, 0.95], method="inverted_cdf")
    assert f"before 2 Feb: {middle:.0f} ({low:.0f} to {high:.0f})" in words
    assert "article: at least 170 in four months (F01)" in words
    for key, figure_told in (("iraq", "none (F02)"), ("syria", "two smaller ones (F03)")):
        axes = panel(figure, config.scenario.cast.theatres[key].name)
        beside = [one for one in axes.texts if one.get_text().startswith(("article", "before", "2 Feb to"))]
        counts = data["theatre_acknowledged"].sel(theatre=key, window="lull")
        low, middle, high = np.quantile(counts, [0.05, 0.5, 0.95], method="inverted_cdf")
        told = [one.get_text() for one in beside]
        assert told[1:] == [f"2 Feb to 27 Feb: {middle:.0f} ({low:.0f} to {high:.0f})", f"article: {figure_told}"]
        assert beside[-1].get_color() == ORANGE
    assert words.count("article: at the same pace (F06, F07, F23)") == 2


def test_nothing_is_cut_off_and_no_texts_overlap(article: tuple[Config, xr.Dataset, Figure]) -> None:
    figure = article[2]
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    figure.draw(renderer)
    shown = [one for one in figure.findobj(Text) if one.get_text().strip() and one.get_visible()]
    ticks = {id(one) for axes in figure.axes for one in (*axes.get_xticklabels(), *axes.get_yticklabels())}
    offsets = {id(axes.xaxis.offsetText) for axes in figure.axes}
    shown = [one for one in shown if id(one) not in ticks | offsets]
    boxes = [(one.get_text(), one.get_window_extent(renderer)) for one in shown]
    assert len(boxes) > 25
    whole = figure.bbox
    for text, box in boxes:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1, text
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1, text
    for place, (text, box) in enumerate(boxes):
        for other, another in boxes[:place]:
            across = min(box.x1, another.x1) - max(box.x0, another.x0)
            down = min(box.y1, another.y1) - max(box.y0, another.y0)
            assert across <= 0 or down <= 3, (text, other)
    assert figure.axes[0].get_position().x1 == pytest.approx(RIGHT)
    assert figure.axes[0].get_position().x0 == pytest.approx(LEFT)
    assert not figure.findobj(PathCollection)


def test_the_headline_tells_the_medians(article: tuple[Config, xr.Dataset, Figure]) -> None:
    config, data, figure = article
    before = 7 * np.quantile(data["acknowledged_campaign"], 0.5, method="inverted_cdf") / 108
    line = headline(data, config.scenario)
    assert line in texts(figure)
    assert f"{before:.0f} a week before 2 Feb 2024" in line
    source = f"Source: Lull, scenario Documented history, {RUNS} simulated histories, seed 1. A model, not a forecast."
    assert source in texts(figure)
    assert not any("the the" in one for one in texts(figure))


def test_without_a_lull_none_is_named_and_war_is_told() -> None:
    config = load(["study.runs=60", "scenario=no_us_strikes", "ladder.war_rate=0.005"])
    data = simulate_config(config)
    words = texts(briefing_figure(data, config, verdicts_of(config)))
    assert "lull" not in words
    assert any("Weeks after direct war (" in word for word in words)
    assert not any("strikes of" in word for word in words)


def test_the_day_of_departure_is_flagged() -> None:
    config, data = ensemble("scenario=no_tower22")
    words = texts(briefing_figure(data, config, verdicts_of(config)))
    assert "28 Jan: scenario departs" in words
    assert "28 Jan: 3 soldiers killed in Jordan" not in words


def test_another_case_brings_its_own_names_dates_and_theatres() -> None:
    config, data = ensemble("scenario=salt_coast")
    figure = briefing_figure(data, config, ())
    names = [one.name for one in config.scenario.cast.theatres.values()]
    assert [axes.get_title(loc="left") for axes in panels(figure)] == names
    words = " ".join(texts(figure))
    for foreign in ("Iran", "United States", "Israel", "Iraq", "article", "2024", "Jan"):
        assert foreign not in words, foreign
    assert "2 soldiers killed in Brine Towns" in words
    assert "9 Jun: major strikes of the Ondrel Republic" in words


@pytest.mark.parametrize("overrides", [["study.runs=1"], ["study.runs=2", "calendar.days=134"], ["history=free"]])
def test_it_can_be_drawn_of_next_to_nothing(overrides: list[str]) -> None:
    config = load(["study.runs=20", *overrides])
    data = simulate_config(config)
    figure = briefing_figure(data, config, verdicts_of(config))
    assert len(panels(figure)) == 5


def test_dates_without_year() -> None:
    start = load().scenario.calendar.start
    assert [short_date(start + timedelta(days=day)) for day in (0, 77)] == ["17 Oct", "2 Jan"]


def test_the_files_have_the_same_bytes_each_time_whatever_the_user_has_set(
    article: tuple[Config, xr.Dataset, Figure], tmp_path: Path
) -> None:
    config, data, first = article
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        second = briefing_figure(data, config, verdicts_of(config))
        for name, figure in (("a", first), ("b", second)):
            save(figure, tmp_path / f"{name}.png")
            save(figure, tmp_path / f"{name}.svg")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    image = matplotlib.image.imread(tmp_path / "a.png")
    assert abs(image.shape[1] - first.get_figwidth() * RESOLUTION) <= 1


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (140, ""),
        (141, "last day, 5 Mar, fills"),
        (135, "2 days, from 27 Feb on, fill"),
        (229, "5 days, from 28 May on, fill"),  # the chart ends within these days
    ],
)
def test_charts_say_which_days_at_the_end_are_in_no_week(days: int, said: str) -> None:
    config, data = ensemble(f"calendar.days={days}", "patterns=none")
    figures = [briefing_figure(data, config, ()), fan_figure(data), fans_figure({"a": data, "b": data})]
    for words in (*(" ".join(texts(one)) for one in figures), legend(config, pair=False)):
        assert ("no week" in words) == (said != "")
        assert said in words
    if not said:
        _, shorter = ensemble("calendar.days=135", "patterns=none")
        both = texts(fans_figure({"a": data, "b": shorter}))
        assert any("2 days, from 27 Feb on" in one for one in both), "every calendar is asked"
    longer = load(["calendar.days=331"])
    assert "no week" not in legend(longer, pair=False), "the chart ends before the days that are left out"
