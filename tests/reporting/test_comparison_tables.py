"""What people see of a comparison: the command, its tables, and that the figure draws what was found."""

import csv
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from sim import cli, compare
from sim.analysis.comparison.paired_comparison import by_baseline, compared, prepare, summary
from sim.experiment.command import Request
from sim.model.scenario import titled
from sim.model.validation import UserError
from sim.reporting.comparison_tables import (
    KEY_MEASURES,
    QUESTIONS,
    REGRETTED,
    SIGNS,
    caveats,
    clear_difference,
    effect_table,
    interval,
    move_words,
    place_of,
    prior_driven,
    prior_table,
    questions,
    row_of,
    sentence,
    short,
    sign_words,
    verdict_line,
    war_words,
)
from sim.reporting.figures.compare_figures import (
    choices_figure,
    colour_of,
    comparison_figure,
    difference_words,
    headline,
)
from sim.reporting.style import BLUE, GREY, INK, ORANGE, save
from sim.reporting.table import Table
from sim.reporting.tables import ASSUMED
from sim.reporting.text import amount, capital, minus, percent, short_percent

pytestmark = pytest.mark.usefixtures("small_sides")
SCENARIOS = ["article", "no_restraint", "tight_leash"]
FILES = {
    "by_group.csv", "by_theatre.csv", "comparison.csv", "comparison.nc", "comparison.png", "comparison.svg",
    "config.yaml", "manifest.json", "regret.csv", "summary.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    return compare(SCENARIOS, draws=8, runs=40, parameters="prior").data


@pytest.fixture(scope="module")
def figure(data: xr.Dataset) -> Figure:
    return comparison_figure(data)


def texts(figure: Figure) -> list[str]:
    return [one.get_text() for one in figure.findobj(Text) if one.get_text()]


def written(figure: Figure) -> list[Text]:
    """Every text but the numbers on the scales, of which some lie beyond and are not drawn."""
    scales = {id(label) for axes in figure.axes for label in axes.xaxis.findobj(Text)}
    return [one for one in figure.findobj(Text) if one.get_text() and id(one) not in scales]


def panel(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if " ".join(axes.get_title(loc="left").rstrip("*").split()) == title)


def dots(axes: Axes) -> list[tuple[float, float, str]]:
    """Every dot: x, y and colour."""
    marked = [line for line in axes.lines if line.get_marker() == "o"]
    return [
        (float(np.ravel(one.get_xdata())[0]), float(np.ravel(one.get_ydata())[0]), to_hex(str(one.get_color())))
        for one in marked
    ]


def segments(axes: Axes, width: float) -> list[list[tuple[float, float]]]:
    """The two ends of every line of one width."""
    found = [
        one for one in axes.collections if isinstance(one, LineCollection) and np.ravel(one.get_linewidth())[0] == width
    ]
    return [[(float(x), float(y)) for x, y in one.get_segments()[0]] for one in found]


def spans(axes: Axes) -> list[tuple[float, float]]:
    """From where to where intervals go."""
    return [(one[0][0], one[1][0]) for one in segments(axes, 5)]


# --- the figure ---------------------------------------------------------------------------------------------


def test_every_key_question_has_a_panel_with_what_was_found(data: xr.Dataset, figure: Figure) -> None:
    assert len(figure.axes) == len(QUESTIONS) == 4
    assert set(QUESTIONS) == set(REGRETTED)
    for name in QUESTIONS:
        axes = panel(figure, capital(short(data, name)))
        assert axes.get_xscale() == "linear"
        every = [row_of(data, pair, name) for pair in range(2)]
        rows = every if every[0]["unit"] == "probability" else list(map(compared, every))
        base = float(np.mean([row["baseline_value"] for row in rows]))
        colours = [INK, *map(colour_of, every)]
        values = [base, *(row["scenario_value"] for row in rows)]
        assert dots(axes) == [(value, y, colours[y].lower()) for y, value in enumerate(values)]
        assert spans(axes)[1:] == [(row["scenario_low"], row["scenario_high"]) for row in rows]
        assert [one[0][0] for one in segments(axes, 1.2)] == [row["baseline_value"] for row in rows]
        words = [one.get_text() for one in axes.texts]
        for row in every:
            assert {titled(row["scenario"]), difference_words(row)} <= set(words)
            assert compared(row)["verdict"] in difference_words(row)
        low, high = axes.get_xlim()
        assert all(low <= edge <= high for ends in spans(axes) for edge in ends)


def test_a_panel_is_of_the_conditions_where_some_are_asked() -> None:
    asked = ["war by 2024-06-01", "war by 2024-09-10", "lull_days >= 90", "acknowledged in syria by 2024-03-01"]
    data = compare(SCENARIOS[:2], draws=4, runs=40, parameters="prior", overrides={"study.outcomes": asked}).data
    assert questions(data) == tuple(asked)
    titles = ["Direct war by 1 June 2024", "Direct war by 10 September 2024", "Lull of at least 90 days"]
    figure = comparison_figure(data)
    assert [axes.get_title(loc="left").rstrip("*") for axes in figure.axes][:3] == titles
    # War by the last day is war, which war does not cut; the condition on the lull is cut by it.
    last, war, lull = (row_of(data, 0, name) for name in (asked[1], "war", asked[2]))
    named = ("measure", "text")
    assert {key: last[key] for key in last if key not in named} == {key: war[key] for key in war if key not in named}
    assert war["scenario_value"] > 0.0
    assert (last["censored_by_war"], lull["censored_by_war"]) == (False, True)
    # The value is the share of all histories, as in a run.
    x = dots(figure.axes[2])[1][0]
    assert x == lull["scenario_value"] == float(data["scenario_value_of_draw"].sel(measure=asked[2]).mean())


@pytest.mark.parametrize(
    ("difference", "verdict", "colour"),
    [(20.0, "more", BLUE), (-20.0, "less", ORANGE), (0.5, "sign open", GREY), (0.0, "the same", GREY)],
)
def test_the_title_is_one_finding_with_number_interval_and_condition(
    data: xr.Dataset, difference: float, verdict: str, colour: str
) -> None:
    changed = data.isel(comparison=[0]).copy(deep=True)
    at = {"comparison": 0, "measure": place_of(data, "lull_days")}
    half = 10.0 if difference else 0.0
    shares = {"less": difference < 1.0, "same": difference == 0.0, "more": difference > 0.0}
    values = {"difference": difference, "low": difference - half, "high": difference + half}
    values |= {f"draws_{key}": float(one) / max(1, sum(shares.values())) for key, one in shares.items()}
    if not difference:
        values |= {"draws_less": 0.0, "draws_same": 1.0, "draws_more": 0.0}
    for name, value in values.items():
        changed[f"no_war_{name}"][at] = value
    row = row_of(changed, 0, "lull_days")
    assert (compared(row)["verdict"], colour_of(row)) == (verdict, colour)
    line = headline(changed, ("lull_days",))
    assert line.startswith("In the model, days from 2 Feb until attacks resume, counted up to 222: ")
    assert verdict in line
    one = compared(row)
    if not difference:
        assert line.endswith(": the same with No restraint by Iran instead of Documented history")
        return
    both = [amount(one[f"{arm}_value"], "days") for arm in ("scenario", "baseline")]
    assert "{} with No restraint by Iran, {} with Documented history".format(*both) in line
    assert minus(f"(difference {amount(difference, 'days', sign=True)} days; 90% of 8 parameter sets: ") in line
    assert f"{minus(interval(one))}, among pairs without war): {verdict}" in line


def test_a_title_gives_only_the_difference_where_the_values_drawn_are_of_other_histories(data: xr.Dataset) -> None:
    row = compared(row_of(data.isel(comparison=[0]), 0, "deaths_10"))
    line = headline(data.isel(comparison=[0]), ("deaths_10",))
    size = minus(amount(row["difference"], "probability", sign=True)).removesuffix(" pts")
    assert line.startswith(
        f"In the model, 10 or more soldiers killed: {size} percentage points with No restraint by Iran instead of"
    )


def test_of_the_key_questions_the_title_answers_one_whose_sign_is_clear(data: xr.Dataset) -> None:
    rows = {name: [row_of(data, pair, name) for pair in range(2)] for name in QUESTIONS}
    clear = {name: [row for row in found if row["verdict"] in ("more", "less")] for name, found in rows.items()}
    first = next(name for name in QUESTIONS if clear[name])
    largest = max(map(compared, clear[first]), key=lambda row: abs(row["difference"]))
    line = headline(data, QUESTIONS)
    assert short(data, first) in line
    assert titled(largest["scenario"]) in line
    assert minus(amount(largest["difference"], largest["unit"], sign=True)) in line
    # Largest of all, or of those with a clear sign: never more than is true.
    sizes = [abs(compared(row)["difference"]) for row in rows[first]]
    assert ("largest of 2 differences" in line) == (len(clear[first]) == 2)
    assert ("largest clear one of 2 differences" in line) == (len(clear[first]) == 1)
    assert len(clear[first]) == 1 or abs(largest["difference"]) == max(sizes)


def test_what_changes_the_reading_stands_in_the_figure(data: xr.Dataset, figure: Figure) -> None:
    words = " ".join(" ".join(texts(figure)).split())
    for kept, name in zip(data["no_war_share"].sel(measure="attacks_after").values, SCENARIOS[1:], strict=True):
        assert f"{titled(name)} {short_percent(kept)}" in words
    for piece in (
        "documented history is pinned before 29 Jan 2024, free from then on: these are other winters",
        "With 8 parameter sets the ends of the intervals are crude", "drawn from their priors",
        "Direct war ends a history", "8 parameter sets (prior) × 40 histories in each, seed 1. A model, not",
    ):  # fmt: skip
        assert piece in words
    assert not any(one.startswith("Direct war ends") for one in caveats(data, ["war"]))
    single = data.isel(draw=[0]).assign_attrs(parameters="defaults")
    assert caveats(single, ["attacks_after"])[0].startswith("One parameter set among many")
    conditioned = data.assign_attrs(parameters="conditioned")
    assert any(one.startswith(f"{ASSUMED} No observation informs") for one in caveats(conditioned, ["war"]))
    assert not any("other winters" in one or ASSUMED in one for one in caveats(conditioned, ["attacks_after"]))
    for name, driven in (("war by 2024-06-01", True), ("lull_days >= 90", True), ("deaths >= 10", False)):
        assert prior_driven(name) == driven


def test_choices_that_differ_in_one_key_can_be_told_apart() -> None:
    names = [f"article;patron.control={one};scenario.departs=2024-01-29" for one in (0.5, 0.9)]
    figure = comparison_figure(compare(["article", *names], runs=5, parameters="defaults").data)
    for axes in figure.axes:
        bold = [one.get_text() for one in axes.texts if one.get_fontweight() == "bold"]
        assert bold[0] == "Documented history"
        assert [one[:31] for one in bold[1:]] == [f"Documented history; control={one}" for one in (0.5, 0.9)]


@pytest.mark.parametrize("pairs", [1, 9])
def test_nothing_leaves_the_page_however_many_scenarios(pairs: int) -> None:
    others = [f"article;patron.control={0.5 + 0.03 * one:.2f};scenario.departs=2024-01-29" for one in range(pairs)]
    data = compare(["article", *others], runs=5, parameters="defaults").data
    for names in ((), ("war",)):
        figure = comparison_figure(data, *names)
        figure.canvas.draw()
        page, boxes = figure.bbox, [(one.get_text(), one.get_window_extent()) for one in written(figure)]
        for words, box in boxes:
            assert box.x0 >= page.x0 - 1, words
            assert box.x1 <= page.x1 + 1, words
            assert box.y1 <= page.y1 + 1, words
        for (one, here), (other, there) in combinations(boxes, 2):
            assert not here.shrunk(0.98, 0.7).overlaps(there.shrunk(0.98, 0.7)), (one, other)
        assert len(dots(panel(figure, "Direct war"))) == pairs + 1


def test_the_same_comparison_gives_the_same_picture(data: xr.Dataset, figure: Figure, tmp_path: Path) -> None:
    save(figure, tmp_path / "one.svg")
    save(comparison_figure(data), tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


# --- words --------------------------------------------------------------------------------------------------


def test_a_sentence_says_what_is_clear_and_what_stays_open(data: xr.Dataset) -> None:
    told = sentence(data, 1)
    assert told.startswith("With Tight leash instead of Documented history, ")
    for name in ("attacks_after", "lull_days", "war"):
        row = compared(row_of(data, 1, name))
        clear = row["verdict"] in ("more", "less")
        assert (clear_difference(data, row) in told) == clear
        assert sign_words(row) in told
    same = compare(["article", "article;mechanisms.fear=true"], runs=20, parameters="defaults").data
    assert "direct war is the same in every pair" in sentence(same, 0)
    assert "undetermined" not in sentence(same, 0)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (
            [0.02] * 39 + [-0.01],
            "direct war is 1.9 pts more likely (+2.0 to +2.0 pts; more in 98%, less in 2.5%",
        ),
        (
            [-0.02] * 39 + [0.01],
            "direct war is 1.9 pts less likely (-2.0 to -2.0 pts; less in 98%, more in 2.5%",
        ),
        ([-0.01] * 16 + [0.02] * 24, "the sign of the change in the probability of direct war is undetermined"),
        (
            [0.0] * 10 + [0.08] * 30,
            "direct war is more likely or unchanged (0 to +8.0 pts;",
        ),
        ([0.0] * 10 + [-0.08] * 30, "direct war is less likely or unchanged (-8.0 to 0 pts;"),
    ],
)
def test_what_is_said_of_war_goes_by_its_draws(data: xr.Dataset, difference: list[float], words: str) -> None:
    d = np.array(difference)
    changed = data.copy(deep=True)
    at = {"comparison": 0, "measure": place_of(data, "war")}
    values = {
        "difference": d.mean(), "low": np.sort(d)[1], "high": np.sort(d)[-2], "draws_less": (d < 0).mean(),
        "draws_same": (d == 0).mean(), "draws_more": (d > 0).mean(),
    }  # fmt: skip
    for name, value in values.items():
        changed[name][at] = value
    told = sentence(changed, 0)
    assert words in told
    known = ((values["draws_less"], "less"), (values["draws_same"], "unchanged"), (values["draws_more"], "more"))
    shares = sorted((one for one in known if one[0]), key=lambda one: -one[0])
    assert f"{', '.join(f'{word} in {percent(share)}' for share, word in shares)} of draws" in told
    assert ("undetermined" in told.partition("without war")[0]) == ("undetermined" in words)


@pytest.mark.parametrize(
    ("shares", "said", "moved", "shown"),
    [
        (
            (59.0, 38.5, 2.5), "less or unchanged",
            "lowers war in 59% of the parameter sets (unchanged in 38%, higher in 2.5%)",
            "less in 59%, unchanged in 38%, more in 2.5% of sets",
        ),
        (
            (7.5, 90.0, 2.5), "next to no difference",
            "makes next to no difference to war (the same in 90% of the parameter sets)",
            "unchanged in 90%, less in 7.5%, more in 2.5% of sets",
        ),
        (
            (50.0, 20.0, 30.0), "sign open",
            "may raise or lower war (the parameter sets disagree: lower in 50%, the same in 20%, higher in 30%)",
            "less in 50%, more in 30%, unchanged in 20% of sets",
        ),
        (
            (1.0, 99.0, 0.0), "next to no difference",
            "makes next to no difference to war (the same in 99% of the parameter sets)",
            "unchanged in 99%, less in 1.0% of sets",
        ),
        (
            (95.0, 0.0, 5.0), "less", "lowers war (in 95% of the parameter sets)", "less in 95%, more in 5.0% of sets",
        ),
        (
            (94.0, 0.0, 6.0), "sign open",
            "may raise or lower war (the parameter sets disagree: lower in 94%, higher in 6.0%)",
            "less in 94%, more in 6.0% of sets",
        ),
        (
            (0.0, 100.0, 0.0), "the same", "leaves war unchanged in all of the parameter sets",
            "unchanged in 100% of sets",
        ),
    ],
)  # fmt: skip
def test_one_rule_words_a_verdict_everywhere(
    data: xr.Dataset, shares: tuple[float, ...], said: str, moved: str, shown: str
) -> None:
    changed, at = data.copy(deep=True), {"comparison": 0, "measure": place_of(data, "war")}
    for name, share in zip(("less", "same", "more"), shares, strict=True):
        changed[f"draws_{name}"][at] = share / 100
    row = row_of(changed, 0, "war")
    assert row["verdict"] == said
    assert summary(changed)["comparisons"][row["scenario"]]["measures"]["war"]["verdict"] == said
    assert move_words(row).format("war") == moved
    assert sign_words(row, "sets") == shown
    assert difference_words(row).startswith(f"{SIGNS[said]} {said}")
    assert verdict_line(row).startswith(said)


def test_the_table_has_a_line_for_every_key_outcome(data: xr.Dataset) -> None:
    made = effect_table(data, 0)
    assert len(made.rows) == 2 * len(KEY_MEASURES) - 1, "all but war, which war does not cut, have two"
    assert titled("no_restraint") in made.title


# --- the command --------------------------------------------------------------------------------------------


def test_the_command_prints_and_leaves_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["compare", "scenarios=[article,tight_leash]", "parameters=prior", "study.draws=4", "study.runs=30"]
    assert cli.main([*asked, "output.dir=found"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 100
    for piece in (
        "documented history is pinned before 29 Jan 2024, free from then on",
        "With Tight leash instead of Documented history", "Common random numbers remove", "Two levels",
        "Regret", "Harakat al-Nujaba", "Direct war ends a history",
    ):  # fmt: skip
        assert piece in " ".join(out.split())
    folder = tmp_path / "found"
    assert {path.name for path in folder.iterdir()} == FILES
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    again = compare(["article", "tight_leash"], draws=4, runs=30, parameters="prior").data
    with (folder / "comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["measure"]: row for row in csv.DictReader(file)}
    for place, name in enumerate(str(one) for one in again["measure"].values[again["kind"].values == "outcome"]):
        assert (
            told["comparisons"]["tight_leash"]["measures"][name]["difference"] == again["difference"].values[0, place]
        )
        assert float(rows[name]["difference"]) == again["difference"].values[0, place]
    with xr.open_dataset(folder / "comparison.nc", engine="h5netcdf") as stored:
        np.testing.assert_array_equal(stored["difference_of_draw"].values, again["difference_of_draw"].values)
        assert stored.attrs["baseline"] == "article"
    assert cli.main(["verify", "found"]) == 0


def test_pairs_of_several_baselines_share_no_table_and_no_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["compare", "scenarios=[article,no_us_strikes,no_restraint,tight_leash]", "parameters=defaults"]
    assert cli.main([*asked, "study.runs=40", "compare.departures=own", "output.dir=own"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "With No US strikes instead of Documented history, nothing pinned, " in out
    assert "With No restraint by Iran instead of Documented history, free from 29 Jan 2024, " in out
    assert "instead of Documented history, among" not in out
    folder = tmp_path / "own"
    assert {path.name for path in folder.iterdir()} == FILES | {
        "prior_predictive.csv", "comparison_2.png", "comparison_2.svg",
    }  # fmt: skip
    with xr.open_dataset(folder / "comparison.nc", engine="h5netcdf") as stored:
        data = stored.load()
    assert [list(part["comparison"].values) for part in by_baseline(data)] == [
        ["no_us_strikes"], ["no_restraint", "tight_leash"],
    ]  # fmt: skip
    for refused in (comparison_figure, choices_figure, lambda one: comparison_figure(one, "lull_days")):
        with pytest.raises(UserError, match="pairs with one baseline"):
            refused(data)
    assert cli.main([*asked, "study.runs=40", "output.dir=common"]) == 0
    told = json.loads((tmp_path / "common" / "summary.json").read_text(encoding="utf-8"))
    values = {one["measures"]["lull_days"]["baseline_value"] for one in told["comparisons"].values()}
    assert len(values) == 1
    assert {one["baseline"] for one in told["comparisons"].values()} == {"article"}


def test_a_loss_by_war_is_stated_by_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["compare", "scenarios=[article,no_restraint]", "parameters=defaults", "study.runs=40"]
    assert cli.main([*asked, "compare.war_loss={attacks_after: 500}", "output.dir=found"]) == 0
    assert "a history with war counts as attacks_after: 500, else as worst" in " ".join(capsys.readouterr().out.split())
    told = json.loads((tmp_path / "found" / "summary.json").read_text(encoding="utf-8"))
    assert told["war_loss"] == "attacks_after: 500"
    assert cli.main(["verify", "found"]) == 0


def test_what_assumptions_decide_is_printed_and_kept_beside_its_prior(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["compare", "scenarios=[article,tight_leash]", "study.draws=4", "study.runs=30"]
    assert cli.main([*asked, "output.dir=found"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Prior-dominated outcomes (*): prior and current parameters, against Documented history" in out
    said = out[out.index("Direct war, 90% of 4 parameter sets") :]  # what comes before it is the outlook
    words = ("Direct war, ", "Monte Carlo error", "drawn from the priors", "Scenario Tight leash")
    assert sorted(words, key=said.index) == list(words)
    folder = tmp_path / "found"
    assert {path.name for path in folder.iterdir()} == FILES | {"prior_predictive.csv"}
    with (folder / "prior_predictive.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["prior_predictive"]
    assert [float(row["prior_difference"]) for row in rows] == [row["prior_difference"] for row in told]
    assert [row["measure"] for row in rows] == ["lull_days", "quiet_days", "war"]
    made = prior_table(compare(["article", "tight_leash"], draws=4, runs=30).data)
    priors = [row[2] for row in made.cells]
    assert all(
        minus(amount(one["prior_difference"], one["unit"], sign=True)) in cell
        for one, cell in zip(told, priors, strict=True)
    )


def test_war_is_told_over_parameter_sets_first_and_a_single_set_as_one_among_many(data: xr.Dataset) -> None:
    values = data["scenario_value_of_draw"].sel(measure="war").values[0]
    low, high = np.quantile(values, (0.05, 0.95))
    words = war_words(data, 0)
    error = percent(values.std(ddof=1) / np.sqrt(len(values)))
    assert (
        f"No restraint by Iran {percent(low)} to {percent(high)} (mean {percent(values.mean())} ± {error} Monte"
        in words
    )
    one = compare(["article", "no_restraint"], parameters="defaults", runs=200).data
    prior = {end: float(one[f"prior_scenario_{end}"].sel(measure="war").values[0]) for end in ("low", "high")}
    prior["value"] = float(one["prior_scenario_value"].sel(measure="war").values[0])
    words = war_words(one, 0)
    assert "at one parameter set among many" in words
    assert (
        f"No restraint by Iran {percent(prior['low'])} to {percent(prior['high'])} (mean {percent(prior['value'])})"
        in words
    )


def test_a_usual_folder_has_the_name_of_its_question() -> None:
    def name(*arguments: str) -> str:
        return prepare(Request("compare", ("parameters=defaults", *arguments))).identity

    one, other = "scenarios=[article,no_order]", "scenarios=[article,no_threat]"
    assert name(one) == name(one, "study.runs=7") != name(other)
    assert name(one) == name("scenarios=article,no_order")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scenarios=[article]"], "2 to 12 scenarios"),
        (["scenarios=[article,nonsense]"], "scenario = nonsense"),
        (["scenarios=[article,article;x"], "allowed a list such as"),
        (["scenarios=[article,salt_coast]"], "with the calendar of article"),
        (["scenarios=[article,no_order]", "compare.loss=3"], "compare.loss = 3: allowed"),
        (["scenarios=[article,no_order]", "compare.war_loss=3"], "compare.war_loss = 3: allowed worst, or values by"),
        (["scenarios=[article,no_order]", "compare.war_loss={lull_day: 3}"], "nearest: lull_days"),
        (["scenarios=[article,no_order]", "study.draws=prior"], "study.draws = prior"),
        (["scenarios=[article,no_order]", "scenarios=[article,no_threat]"], "given once"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", *arguments, "output.dir=found"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert not list(tmp_path.iterdir())


def test_the_choices_come_first_where_conditions_are_asked() -> None:
    asked = {"study.outcomes": ["war by 2024-06-01", "lull_days >= 90"]}
    found = compare(["article", "no_order"], runs=20, parameters="defaults", overrides=asked)
    first, *others = (one for one in found.text() if isinstance(one, Table))
    assert first.name == "choices"
    assert [one.name for one in others].count("choices") == 0
    assert "one parameter set, so a number has no interval" in first.note.lower()
    assert [row["war by 2024-06-01"] for row in first.records] == [
        float(found.data[f"{arm}_value"].sel(measure="war by 2024-06-01")[0]) for arm in ("baseline", "scenario")
    ]
    assert all(row["lull_days >= 90: low"] is None for row in first.records)
    plain = compare(["article", "no_order"], runs=20, parameters="defaults")
    assert not [one for one in plain.text() if isinstance(one, Table) and one.name == "choices"]
