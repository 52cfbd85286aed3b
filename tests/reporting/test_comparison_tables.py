"""What people see of a comparison: the command, its tables, and that the figure draws what was found."""

import csv
import json
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
from sim.analysis.comparison.paired_comparison import by_baseline, compared, prepare
from sim.experiment.command import Request
from sim.model.scenario import titled
from sim.model.validation import UserError
from sim.reporting.comparison_tables import (
    DRAWN,
    KEY_MEASURES,
    REGRETTED,
    clear_difference,
    effect_table,
    place_of,
    prior_table,
    row_of,
    sentence,
    short,
    sign_words,
    war_words,
)
from sim.reporting.figures.compare_figures import choices_figure, comparison_figure, folded, headline
from sim.reporting.style import BLUE, COLOURS, ORANGE, save
from sim.reporting.table import Table
from sim.reporting.text import amount, minus, percent, points

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
    scales = {id(label) for axes in figure.axes for label in axes.get_xticklabels()}
    return [one for one in figure.findobj(Text) if one.get_text() and id(one) not in scales]


def panel(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


def dots(axes: Axes) -> list[tuple[float, float, str]]:
    """Every dot: x, y and colour."""
    marked = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    return [
        (float(np.ravel(one.get_xdata())[0]), float(np.ravel(one.get_ydata())[0]), to_hex(str(one.get_color())))
        for one in marked
    ]


def spans(axes: Axes, width: float) -> list[tuple[float, float]]:
    """From where to where lines of one width go."""
    found = [
        one for one in axes.collections if isinstance(one, LineCollection) and np.ravel(one.get_linewidth())[0] == width
    ]
    return [(float(one.get_segments()[0][0][0]), float(one.get_segments()[0][1][0])) for one in found]


# --- the figure ---------------------------------------------------------------------------------------------


def test_every_key_outcome_has_a_panel_with_what_was_found(data: xr.Dataset, figure: Figure) -> None:
    for name in DRAWN:
        axes = panel(figure, short(data, name))
        rows = [row_of(data, pair, name) for pair in range(2)]
        main = [compared(row) for row in rows]
        expected = [
            (one["difference"], float(y), to_hex(COLOURS[y]))
            for y, both in enumerate(zip(rows, main, strict=True))
            for one in (both if name != "war" else both[:1])
        ]
        assert dots(axes) == expected
        assert spans(axes, 4.2) == [(row["low"], row["high"]) for row in main]
        assert spans(axes, 1.0) == ([(row["low"], row["high"]) for row in rows] if name != "war" else [])
        low, high = axes.get_xlim()
        assert all(low <= edge <= high for row in (*rows, *main) for edge in (row["low"], row["high"], 0.0))


def test_theatres_and_groups_are_drawn_side_by_side(data: xr.Dataset, figure: Figure) -> None:
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("Attacks after 2 Feb"))
    after = data.sel(measure=[str(one) for one in data["measure"].values if str(one).endswith(".after")])
    assert len(axes.get_yticklabels()) == after.sizes["measure"]
    for pair, colour in enumerate((BLUE, ORANGE)):
        mine = [x for x, _, drawn in dots(axes) if drawn == colour.lower()]
        assert mine == list(after["no_war_difference"].values[pair])
    words = [one.get_text() for one in axes.texts]
    assert words == ["by theatre", "by group"]


def test_regrets_are_written_and_the_least_stands_out(data: xr.Dataset, figure: Figure) -> None:
    axes = panel(figure, "Regret, expected and worst over draws")
    places = [place_of(data, name) for name in REGRETTED]
    expected, worst = (data[name].values[:, places] for name in ("regret_expected", "regret_worst"))
    units = data["unit"].values[places]
    for cell in axes.texts:
        column, line = (int(place) for place in cell.get_position())
        values = (points(one[line, column], units[column]) for one in (expected, worst))
        assert cell.get_text() == "{}\nworst {}".format(*values)
        assert (cell.get_fontweight() == "bold") == (expected[line, column] == expected[:, column].min())
    assert len(axes.texts) == 3 * len(REGRETTED)


def test_the_frame_says_what_is_shown_and_where_it_comes_from(data: xr.Dataset, figure: Figure) -> None:
    words = " ".join(texts(figure))
    for name in SCENARIOS[1:]:
        assert f"● {titled(name)}" in words
    for kept in data["no_war_share"].sel(measure="attacks_after").values:
        assert f"free from 29 Jan 2024, {percent(kept)} without war" in words
    for piece in ("free from 29 Jan 2024", "90% of 8 draws", "8 draws × 40 histories", "seed 1", "no forecast"):
        assert piece in words.replace("not a forecast", "no forecast")
    row = compared(row_of(data, 0, "attacks_after"))
    assert "pairs without war" in headline(data)
    assert f"{amount(row['difference'], 'attacks', sign=True)} with {titled('no_restraint')}".replace(
        "-", "−"
    ) in headline(data)


@pytest.mark.parametrize("pairs", [1, 9])
def test_nothing_leaves_the_page_however_many_scenarios(pairs: int) -> None:
    others = [f"article;patron.control={0.5 + 0.03 * one:.2f};scenario.departs=2024-01-29" for one in range(pairs)]
    data = compare(["article", *others], runs=5, parameters="defaults").data
    figure = comparison_figure(data)
    figure.canvas.draw()
    page = figure.bbox
    for one in written(figure):
        box = one.get_window_extent()
        assert box.x0 >= page.x0 - 1, one.get_text()
        assert box.x1 <= page.x1 + 1, one.get_text()
        assert box.y1 <= page.y1 + 1, one.get_text()
    assert len(dots(panel(figure, "direct war"))) == pairs


def test_the_same_comparison_gives_the_same_picture(data: xr.Dataset, figure: Figure, tmp_path: Path) -> None:
    save(figure, tmp_path / "one.svg")
    save(comparison_figure(data), tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_long_names_are_folded() -> None:
    assert folded("article;patron.control=0.9") == "article\ncontrol=0.9"
    assert folded("article;february_strikes@2024-01-20") == "article\nfebruary_strikes\n@2024-01-20"
    assert folded("Lebanon and northern Israel") == "Lebanon and northern\nIsrael"
    assert max(len(line) for line in folded("x" * 90).splitlines()) <= 24


# --- words --------------------------------------------------------------------------------------------------


def test_a_sentence_says_what_is_clear_and_what_stays_open(data: xr.Dataset) -> None:
    told = sentence(data, 1)
    assert told.startswith("With Tight leash instead of Documented history, ")
    for name in ("attacks_after", "lull_days", "war"):
        row = compared(row_of(data, 1, name))
        clear = row["low"] > 0.0 or row["high"] < 0.0
        assert (clear_difference(data, row) in told) == clear
        assert sign_words(row) in told
    same = compare(["article", "article;mechanisms.fear=true"], runs=20, parameters="defaults").data
    assert "direct war is the same in every pair" in sentence(same, 0)
    assert "undetermined" not in sentence(same, 0)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ([0.02] * 39 + [-0.01], "direct war is 1.9 pts more likely (+2.0 to +2.0 pts; less in 2.5%, unchanged in 0%"),
        ([-0.02] * 39 + [0.01], "direct war is 1.9 pts less likely (-2.0 to -2.0 pts; less in 98%, unchanged in 0%"),
        ([-0.01] * 16 + [0.02] * 24, "the sign of the change in the probability of direct war is undetermined"),
        (
            [0.0] * 10 + [0.08] * 30,
            "direct war is more likely or unchanged, in no draw less likely (0 to +8.0 pts;",
        ),
        ([0.0] * 10 + [-0.08] * 30, "direct war is less likely or unchanged, in no draw more likely (-8.0 to 0 pts;"),
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
    shares = ", ".join(
        f"{word} in {percent(values[f'draws_{key}'])}"
        for key, word in (("less", "less"), ("same", "unchanged"), ("more", "more"))
    )
    assert f"{shares} of draws" in told
    assert ("undetermined" in told.partition("without war")[0]) == ("undetermined" in words)


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
    for refused in (comparison_figure, choices_figure):
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
    assert "one parameter set, so no interval" in first.note.lower()
    assert [row["war by 2024-06-01"] for row in first.records] == [
        float(found.data[f"{arm}_value"].sel(measure="war by 2024-06-01")[0]) for arm in ("baseline", "scenario")
    ]
    assert all(row["lull_days >= 90: low"] is None for row in first.records)
    plain = compare(["article", "no_order"], runs=20, parameters="defaults")
    assert not [one for one in plain.text() if isinstance(one, Table) and one.name == "choices"]
