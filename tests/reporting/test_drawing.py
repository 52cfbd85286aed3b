"""`draw` and the listings: the right figure for each thing, and what is drawn is what was given."""

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

import sim
from sim.engine.reference.model import ReferenceModel
from sim.experiment.dataset import OWN
from sim.experiment.result_dir import config_in, provenance
from sim.model.facts import load_facts
from sim.model.interventions import EXAMPLES
from sim.model.scenario import load
from sim.model.validation import UserError
from sim.reporting.figures import draw
from sim.reporting.figures.distribution_figures import bars
from sim.reporting.figures.history_figures import history_figure
from sim.reporting.listings import events, facts, parameters, patterns, scenarios
from sim.reporting.style import rendered
from tests.experiment.extensions import LISTINGS

RUNS = 60


@pytest.fixture(scope="module")
def winter() -> xr.Dataset:
    return sim.simulate("article", runs=RUNS, overrides={"ladder.war_rate": 0.0})


@pytest.fixture(scope="module")
def leash() -> xr.Dataset:
    return sim.simulate("tight_leash", runs=RUNS, overrides={"ladder.war_rate": 0.0})


@pytest.fixture(scope="module")
def model() -> ReferenceModel:
    return ReferenceModel(load(["scenario=article"]).scenario, seed=1, run=17).simulate()


def texts(figure: Figure) -> str:
    return "\n".join(one.get_text() for one in figure.findobj(Text))


def stairs(figure: Figure, place: int) -> list[Any]:
    return [one for one in figure.axes[place].patches if isinstance(one, StepPatch)]


def test_a_dataset_carries_its_configuration(leash: xr.Dataset):
    config = config_in(leash)
    asked = load(["scenario=tight_leash", "ladder.war_rate=0.0", f"study.runs={RUNS}", "seed=1"])
    assert config.scenario == asked.scenario
    assert (config.seed, config.runs, config.patterns) == (1, RUNS, asked.patterns)


def test_an_ensemble_is_drawn_as_a_fan_from_what_it_carries_alone(winter: xr.Dataset):
    figure = draw(winter)
    place = next(one for one, axes in enumerate(figure.axes) if axes.get_title(loc="left") == "Syria")
    median = stairs(figure, place)[2].get_data().values
    counts = winter["weekly_histogram"].sel(theatre="syria").values
    expected = [np.repeat(np.arange(256), week)[(RUNS - 1) // 2] for week in counts]
    assert median.tolist() == expected
    assert max(expected) > 3
    assert "3 soldiers killed in Jordan" in texts(figure)
    assert f"scenario Documented history, {RUNS} simulated histories, seed 1." in texts(figure)


def test_two_ensembles_are_laid_over_each_other(winter: xr.Dataset, leash: xr.Dataset):
    figure = draw({"as it was": winter, "a tight leash": leash})
    legend = [one.get_text() for one in figure.legends[0].get_texts()]
    assert legend == ["as it was", "a tight leash"]
    for axes in range(len(figure.axes)):
        lines = [one for one in stairs(figure, axes) if not one.get_fill()]
        assert len(lines) == 2
        assert lines[0].get_linewidth() > lines[1].get_linewidth()
    same = draw({"one": winter, "other": winter})
    for axes in range(len(same.axes)):
        one, other = (one.get_data().values for one in stairs(same, axes) if not one.get_fill())
        assert np.array_equal(one, other)


def test_outcomes_are_drawn_as_shares_of_all_histories(winter: xr.Dataset):
    figure = draw(winter, "acknowledged_lull", "first_attack_day")
    filled = stairs(figure, 0)[0].get_data()
    values = winter["acknowledged_lull"].values
    assert np.allclose(filled.values, [(values == at).mean() for at in filled.edges[:-1] + 0.5])
    assert np.isclose(filled.values.sum(), 1.0)
    assert figure.axes[0].get_title(loc="left") == ("Acknowledged attacks in the lull")
    never = float((winter["first_attack_day"] == -1).mean())
    assert np.isclose(stairs(figure, 1)[0].get_data().values.sum(), 1.0 - never)
    assert (f"never in {never:.0%}" in texts(figure)) == (never > 0)
    assert "counted from 17 October 2023" in figure.axes[1].get_xlabel()


def test_a_heavy_tail_is_cut_and_the_cut_is_told():
    wild = sim.simulate("article", runs=RUNS)
    wild["deaths"][0] = 5000
    wild["deaths"][1:] = 3
    figure = draw(wild, "deaths")
    right = figure.axes[0].get_xlim()[1]
    assert right < 5000
    assert f"more than {np.floor(right):,.0f} in {1 / RUNS:.1%}" in texts(figure)


def test_two_ensembles_share_their_bars(winter: xr.Dataset, leash: xr.Dataset):
    figure = draw({"one": winter, "two": leash}, "attacks_campaign")
    one, two = (stairs(figure, 0)[place].get_data() for place in (0, 2))
    assert np.array_equal(one.edges, two.edges)
    assert np.isclose(one.values.sum(), two.values.sum())
    assert np.isclose(one.values.sum(), 1.0)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (3, 4), (0, 40), (120, 221), (0, 1000)])
def test_bars_hold_every_whole_number_once(low: int, high: int):
    values = np.arange(low, high + 1.0)
    edges = bars(values)
    assert edges[0] < low
    assert edges[-1] > high
    assert len(edges) <= 42
    widths = np.diff(edges)
    assert np.allclose(widths, widths[0])
    assert widths[0] == round(widths[0]) >= 1


def test_a_history_is_drawn_as_the_model_lived_it(model: ReferenceModel):
    figure = draw(model)
    days = model.datacollector.get_model_vars_dataframe()
    bars_of_days: list[Any] = list(figure.axes[0].patches)
    assert [bar.get_height() for bar in bars_of_days] == days["attacks"].tolist()
    risk = figure.axes[1].lines[0]
    assert np.array_equal(risk.get_ydata(), days["war_risk"])
    mesh: Any = figure.axes[2].collections[0]
    wings = model.datacollector.get_agenttype_vars_dataframe(type(model.wings[0]))
    kataib = wings[wings["wing"] == "kataib_hezbollah_iraq"]["compliance"]
    assert np.array_equal(np.asarray(mesh.get_array())[0], kataib)
    assert f"{days['attacks'].sum():.0f} attacks, 3 killed in 330 days" in texts(figure)
    assert "Iran holds back" in texts(figure)


def test_what_has_not_been_lived_is_left_white():
    model = ReferenceModel(load(["scenario=article"]).scenario, seed=1, run=17)
    assert "0 attacks, 0 killed in 0 days" in texts(history_figure(model))
    for _ in range(20):
        model.step()
    figure = draw(model)
    assert len(figure.axes[0].patches) == 20
    assert "holds back" not in texts(figure)
    assert figure.axes[0].get_xlim()[1] == date2num(model.world.calendar.start) + model.world.calendar.days


@pytest.mark.usefixtures("small_sides_here")
def test_each_study_has_its_figure(tmp_path: Path):
    study = {"patron.control": [0.3, 0.9], "study.runs": 20, "calendar.days": 140}
    swept = sim.sweep(overrides=study, to=tmp_path / "sweep")
    told = "What changes with “Control over the proxies”, scenario Documented history"
    assert told in texts(draw(swept, "attacks_lull"))
    found = sim.compare(["article", "tight_leash"], runs=20, parameters="defaults")
    assert "Attacks on the United States, 2 Feb to 27 Feb" in texts(draw(found, "attacks_lull"))
    assert [len(draw(found, *names).axes) for names in ((), ("attacks_lull",), ("attacks_lull", "war"))] == [4, 1, 2]
    shares = sim.explain(
        outcome="attacks_lull", mechanisms=["patron_restraint", "major_response"], draws=4, runs=4, parameters="prior"
    )
    assert "contribution to the outcome" in texts(draw(shares))
    parted = texts(draw(sim.diff(["article", "no_tower22"], run=3)))
    for title in ("Documented history", "No Tower 22 deaths"):
        assert re.search(f"^{title}: [0-9]+ attacks from then on$", parted, re.MULTILINE)


def test_what_cannot_be_drawn_is_refused_in_one_line(winter: xr.Dataset):
    for thing, names in (
        (3, ()),
        (xr.Dataset(), ()),
        ({"one": 3}, ()),
        ({}, ()),
        (winter, ("attack_lull",)),
        ({"a": winter}, ("no_such",)),
    ):
        with pytest.raises(UserError) as caught:
            draw(thing, *names)
        assert "\n" not in str(caught.value)


def test_the_case_is_found_where_users_have_added_to_the_model(winter: xr.Dataset, tmp_path: Path):
    (tmp_path / "weariness.py").write_text(LISTINGS["weariness.py"], encoding="utf-8")
    extended = load([f"study.runs={RUNS}"], extensions=[tmp_path / "weariness.py"])
    said = {"units": "sighs", "long_name": "how weary", "heavy_tailed": 0, OWN: 1}
    data = winter.assign(sighs=("run", np.arange(RUNS), said)).assign_attrs(provenance(extended))
    assert "weariness" in data.attrs["configuration"]
    assert config_in(data).scenario == load([]).scenario != extended.scenario
    assert "Attacks on the United States" in texts(draw(data))
    assert draw(data, "sighs").axes[0].get_xlabel() == "sighs"


def test_a_figure_shows_itself_in_a_notebook_with_the_same_bytes(winter: xr.Dataset):
    figure: Any = draw(winter, "attacks_lull")
    shown, about = figure._repr_mimebundle_()
    assert base64.b64decode(shown["image/png"]) == rendered(figure, "png")
    assert about["image/png"]["width"] == round(96 * figure.get_figwidth())
    assert shown["text/plain"]
    again: Any = draw(winter, "attacks_lull")
    assert again._repr_mimebundle_()[0] == shown


def test_listings_say_what_is_there():
    assert list(facts().index) == [one.id for one in load_facts()]
    assert scenarios().loc["tight_leash", "departs"] == "2024-01-29"
    assert parameters("tight_leash").loc["patron.control", "value"] == 1.0 > parameters().loc["patron.control", "value"]
    kinds, own = events(), events("gaza_ceasefire")
    assert kinds.loc["order", "example"] == EXAMPLES["order"]
    assert set(kinds.index) == set(EXAMPLES)
    assert own.loc["ceasefire", "of"] == "timeline" != own.loc["february_strikes", "of"] == "record"
    assert "ceasefire" not in events("article").index
    for listing in (parameters, events):
        with pytest.raises(UserError):
            listing("no_such")


@pytest.mark.parametrize("name", events("article").query("enabled != False").index)
def test_every_event_that_is_listed_can_be_moved(name: str) -> None:
    first = load().scenario.calendar.date_of(200)
    scenario = load([f"interventions=['{name}@{first}']"]).scenario
    assert [one.first for one in scenario.events if one.id == name] == [200]


def test_a_listing_is_shown_whole_and_stays_one_when_rows_are_chosen():
    longest = max(facts()["text"], key=len)
    chosen = facts()[["text"]].loc[["F01", "F13"]]
    html: Any = facts()
    assert longest in html._repr_html_()
    assert "..." not in chosen._repr_html_()
    assert 'style="text-align: left"' in chosen._repr_html_()


@pytest.mark.long
def test_patterns_are_judged_as_the_command_judges_them():
    judged = patterns(sim.simulate("article", runs=1000))
    assert judged["holds"].all()
    assert len(judged) == len(load([]).patterns)
    assert patterns(sim.simulate("no_restraint", runs=200))["holds"].isna().all()
