"""Designs: Hydra's sweep grammar read, the right points, any range of them alike, one line for every mistake."""

import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra.core.override_parser.overrides_parser import create_functions

from sim.cli import main
from sim.commands.sweep import sweep as live_sweep
from sim.engine.batch import run_batch
from sim.engine.inputs import build_inputs
from sim.experiment.command import Request, override_texts
from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.ensemble import simulate
from sim.experiment.parameter_sets import free_declarations
from sim.experiment.sweep.axes import NOT_SWEPT, Choice, Interval, Levels, axis_of, read_axes
from sim.experiment.sweep.design import Batch, Sampled, tabled
from sim.experiment.sweep.profiles import keys_of, varied
from sim.experiment.sweep.run_sweep import Sweep, prepare
from sim.experiment.sweep.store import open_sweep
from sim.experiment.sweep.worker import simulate as simulate_batch
from sim.model.hydra_config import FUNCTIONS, REFUSED, config_folders, hydra_text, options, parse_override
from sim.model.parameters import shared_declarations
from sim.model.validation import UserError

Array = np.ndarray[Any, Any]


def sweep_of(*overrides: str) -> Sweep:
    return prepare(Request("sweep", ("calendar.days=140", *overrides)))


def levels(text: str) -> tuple[float, ...]:
    (axis,) = read_axes([f"target.quiet_days={text}"]).numbers
    assert isinstance(axis, Levels)
    return axis.values


# --- grammar ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5,10", (5.0, 10.0)),
        ("choice(5,7.5,10)", (5.0, 7.5, 10.0)),
        ("choice(5)", (5.0,)),
        ("range(5,30,5)", (5.0, 10.0, 15.0, 20.0, 25.0)),
        ("range(1,2,0.25)", (1.0, 1.25, 1.5, 1.75)),
        ("sort(10,5,7)", (5.0, 7.0, 10.0)),
        ("sort(choice(10,5),reverse=true)", (10.0, 5.0)),
        ("range(3)", (0.0, 1.0, 2.0)),
        ("range(10,1,-4)", (10.0, 6.0, 2.0)),
        ("sort(range(10,1,-4))", (2.0, 6.0, 10.0)),  # Hydra's own sort would give 5, 9, 13
        ("sort(range(1,10,4),reverse=true)", (9.0, 5.0, 1.0)),
        ("sort(range(0.7,0.1,-0.2))", (0.3, 0.5, 0.7)),
        ("float(range(1,3))", (1.0, 2.0)),
        ("float(5,6)", (5.0, 6.0)),
        ("int(range(1,4))", (1.0, 2.0, 3.0)),
        ("int(5.5,6.7)", (5.0, 6.0)),
        ("int('5',6)", (5.0, 6.0)),
    ],
)
def test_lists_and_ranges_are_read_as_hydra_reads_them(text: str, values: tuple[float, ...]) -> None:
    assert levels(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "range(0.1,0.7,0.1)", "range(0.3,1.05,0.1)", "range(0,1,0.01)", "range(1,0,-0.1)", "float(range(0.1,2.3,0.1))",
        "range(1e-3,9e-3,1e-3)", "range(0,0.3,0.1)",
    ],
)  # fmt: skip
def test_decimal_steps_give_the_decimals_that_were_written(text: str) -> None:
    found = levels(text)
    assert all(value == round(value, 3) for value in found)
    start, stop, step = (Decimal(one) for one in re.findall(r"-?[\d.]+(?:e-?\d+)?", text))
    assert len(found) == math.ceil((stop - start) / step)
    assert found[-1] == float(start + (len(found) - 1) * step)


def test_selecting_a_decimal_finds_its_points(tmp_path: Path) -> None:
    words = ("patron.control=range(0.1,0.7,0.1)", "history.free_from=2024-01-20,null", "study.runs=2")
    assert main(["sweep", "calendar.days=140", *words, f"output.dir={tmp_path / 'it'}"]) == 0
    data = open_sweep(tmp_path / "it")
    assert sorted(set(data["patron.control"].values)) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert int((data["patron.control"] == 0.3).sum()) == 2
    labels = read_axes(["multipliers.none=range(0.1,0.4,0.1)"]).choices[0].labels
    assert labels == ("0.1", "0.2", "0.3")


def test_an_interval_of_whole_numbers_gives_each_an_equal_share() -> None:
    (axis,) = read_axes(["target.quiet_days=int(interval(5,30))"]).numbers
    assert axis == Interval("target.quiet_days", "int(interval(5,30))", 5.0, 30.0, whole=True)
    places = (np.arange(26 * 8) + 0.5) / (26 * 8)
    assert np.array_equal(np.unique(axis.at(places), return_counts=True), [np.arange(5, 31), np.full(26, 8)])
    edges = axis.at(np.array([0.0, np.nextafter(1.0, 0.0)]))
    assert edges.tolist() == [5.0, 30.0]
    control = read_axes(["target.quiet_days=float(interval(5,30))"]).numbers[0].at(places)
    assert not np.equal(control, np.floor(control)).all()
    swept = sweep_of("target.quiet_days=int(interval(5,30))", "study.points=32")
    values = swept.design.columns(0, 32)["target.quiet_days"]
    assert np.array_equal(values, np.floor(values))
    assert swept.identity["target.quiet_days"] == "int(interval(5,30))"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("int(interval(5.4,30))", "a range or an interval between whole numbers in int()"),
        ("int(range(0,10,2.5))", "a range or an interval between whole numbers in int()"),
        ("int(range(0,1,0.1))", "a range or an interval between whole numbers in int()"),
        ("str(interval(5,30))", "choice, range, .*(Intervals cannot be cast to str)"),
        ("bool(interval(5,30))", "choice, range, .*(Intervals cannot be cast to bool)"),
        ("str(range(1,3))", "choice, range, .*(Range can only be cast to int or float)"),
        ("bool(range(1,3))", "choice, range, .*(Range can only be cast to int or float)"),
        ("str(5,6)", "numbers from 0 to 60"),
        ("bool(0,1)", "numbers from 0 to 60"),
        ("range(0,1,0)", "a range between finite numbers, with a step that is not 0"),
        ("range(1,inf)", "a range between finite numbers"),
        ("range(0,nan,1)", "a range between finite numbers"),
        ("range(0,1,1e-9)", "a range of at most 1000000 values"),
        ("range(5,1)", "one value or more"),
        ("shuffle(range(1,4))", "values in their own order"),
        ("shuffle([1,2])", "values in their own order"),
        ("shuffle(interval(5,30))", "values in their own order"),
        ("tag(a,interval(5,30))", "values without tags"),
        ("tag(a,5,6)", "values without tags"),
        ("sort(interval(5,30))", "choice, range, .*"),
        ("choice(interval(5,30))", "choice, range, .*"),
        ("choice(range(1,5))", "choice, range, .*"),
        ("choice(choice(1,2))", "choice, range, .*(nesting choices is not supported)"),
        ("choice()", "choice, range, .*(empty choice is not legal)"),
        ("5,range(6,8)", "one function that gives several values, not within others"),
        ("5,glob(x)", "one function that gives several values, not within others"),
        ("[interval(5,30)]", "one function that gives several values, not within others"),
        ("{a:interval(5,30)}", "one function that gives several values, not within others"),
        ("extend_list(1,2)", "choice, range, .*(Unknown function 'extend_list')"),
        ("json_str([1])", "choice, range, .*(Unknown function 'json_str')"),
        ("interval(5,30", "key=value in Hydra's grammar"),
    ],
)
def test_functions_that_are_not_done_are_refused_by_name(text: str, allowed: str) -> None:
    with pytest.raises(UserError) as caught:
        sweep_of(f"target.quiet_days={text}", "study.points=4")
    line = str(caught.value)
    assert re.search(": allowed " + allowed.replace("(", r"\(").replace(")", r"\)"), line), line
    assert line.startswith("target.quiet_days = ")
    assert "\n" not in line


def test_every_function_of_the_grammar_is_done_or_refused() -> None:
    assert {*create_functions().functions} == {*FUNCTIONS, *REFUSED}


def test_casts_of_what_is_no_number() -> None:
    axes = read_axes(["mechanisms.fear=bool(0,1)", "calendar.days=int('140',150.0)", "names.a=str(1,2)"])
    spelled = [[text.partition("=")[2] for text in one.overrides] for one in axes.choices]
    assert spelled == [["false", "true"], ["140", "150"], ["'1'", "'2'"]]


def test_what_is_no_number_becomes_a_choice_and_what_has_one_value_stays_fixed() -> None:
    axes = read_axes(
        ["scenario=article,tight_leash", "patron.control=interval(0.2,1)", "seed=7", "mechanisms.fear=true,false"]
    )
    assert axes.fixed == ("seed=7",)
    assert axes.numbers == (Interval("patron.control", "interval(0.2,1)", 0.2, 1.0),)
    assert [(one.key, one.labels) for one in axes.choices] == [
        ("scenario", ("article", "tight_leash")),
        ("mechanisms.fear", ("true", "false")),
    ]


def test_a_mapping_means_what_its_spelling_means() -> None:
    values = {
        "scenario": ["article", "tight_leash"], "mechanisms.fear": [True, False], "names.patron": ["a b", "c"],
        "patron.control": (0.2, 1), "target.quiet_days": (np.int64(5), 30),
        "multipliers.baseline": [0.5, np.float64(1)],
        "events.campaign.to": ["2024-01-01", 12], "study.points": 8, "history.free_from": None,
        "scenario.departs": [None, "start"],
    }  # fmt: skip
    given = override_texts(values, make=axis_of)
    assert read_axes(given) == read_axes([str.__str__(one) for one in given])
    bad: tuple[dict[str, Any], ...] = ({"patron.control": (0.2,)}, {"scenario": []}, {"events.campaign.to": [None]})
    for malformed in bad:
        with pytest.raises(UserError):
            read_axes(override_texts(malformed, make=axis_of))


def test_a_glob_takes_the_files_of_a_group() -> None:
    (choice,) = read_axes(["scenario=glob(no_*)"]).choices
    assert choice.labels == tuple(name for name in options("scenario", config_folders(None)) if name.startswith("no_"))
    assert len(choice.labels) > 3


@pytest.mark.parametrize(
    "value", ["tight_leash", "true", "2024-02-10", "it's", "a,b", 7, 0.1, True, None, ["x", 1], {"a": 1}]
)
def test_values_are_spelled_as_hydra_reads_them_back(value: Any) -> None:
    assert parse_override(f"some.key={hydra_text(value)}").value() == value


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ("patron.control=interval(0.2,1.7)", "patron.control = 1.7: allowed 0 to 1"),
        ("patron.control=interval(1,0.2)", "patron.control = interval(1,0.2): allowed an interval from a lower"),
        ("patron.control=0.1,-0.1", "patron.control = -0.1: allowed 0 to 1"),
        ("patron.control=0.1,nan", "patron.control = nan: allowed 0 to 1"),
        ("patron.control=0.1,true", "patron.control = true: allowed numbers from 0 to 1"),
        ("patron.control=0.1,low", "patron.control = low: allowed numbers from 0 to 1"),
        ("patron.control=0.1,0.1", "patron.control = 0.1,0.1: allowed each value once"),
        ("patron.control=0.1,0.2 patron.control=0.5", "patron.control = 0.1,0.2: allowed each key once"),
        ("patron.control=shuffle(0.1,0.2)", "patron.control = shuffle(0.1,0.2): allowed values in their own order"),
        ("patron.contrl=0.1,0.2", "patron.contrl = 0.1: allowed keys: one of"),
        ("patron.contrl=interval(0,1)", "patron.contrl = interval(0,1): allowed a list of values, or an"),
        ("militia.nobody.autonomy=0.1,0.2", "militia.nobody.autonomy = (swept): allowed keys: one of"),
        ("scenario=article,artcle", "scenario = artcle: allowed one of"),
        ("scenario=glob(zzz*)", "scenario = glob(zzz*): allowed a glob that fits"),
        ("calendar.days=glob(*)", "calendar.days = glob(*): allowed globs over the files of"),
        ("seed=1,2", "seed = 1,2: allowed one seed"),
        ("study.runs=1,2", "study.runs = 1,2: allowed one value"),
        ("engine.threads=1,2", "engine.threads = 1,2: allowed one value"),
        ("scenario@x=a,b", "scenario = a,b: allowed keys of the configuration"),
        ("patron.control=interval(0,1)", "study.points = null: allowed a whole number; a sobol design"),
        ("patron.control=0.1,0.2 study.points=3", "study.points = 3: allowed null or 2"),
        (
            "patron.control=interval(0,1) study.design=factorial",
            "patron.control = interval(0,1): allowed values",
        ),
        ("scenario=article,no_order study.design=sobol", "study.design = sobol: allowed null; no number varies"),
        ("patron.control=0.1,0.2 study.design=grid", "study.design = grid: allowed factorial, sobol"),
        ("study.draws=guessed study.points=2", "study.draws = guessed: allowed prior, posterior"),
        ("seed=1", "sweep = (nothing): allowed one key or more with several values"),
        (
            "study.precision={acknowleged_lull:0.1} patron.control=0.1,0.2",
            "study.precision.acknowleged_lull = 0.1:",
        ),
        ("study.outcomes=[lul_days] patron.control=0.1,0.2", "study.outcomes = lul_days: allowed"),
        (
            "study.outcomes=[war] study.precision={deaths:1} patron.control=0.1,0.2",
            "study.precision.deaths = 1: allowed",
        ),
        ("study.precision={war:-1} patron.control=0.1,0.2", "study.precision.war = -1: allowed 1e-09 to"),
        ("study.table=nowhere.csv", "study.table = nowhere.csv: allowed an existing CSV or Parquet file"),
        ("study.policies={} patron.control=0.1,0.2", "study.policies = {}: allowed one policy or more"),
        ("study.policies={a:{seed:3}} patron.control=0.1,0.2", "study.policies.a.seed = 3: allowed keys of the world"),
        (
            "study.policies={a:{patron.control:1}} patron.control=0.1,0.2",
            "study.policies.a.patron.control = 1: allowed",
        ),
        ("scenario=article,salt_coast", "scenario = salt_coast: allowed cases with the same theatres"),
        ("patron.control=0.1,0.2 militia.nujaba_iraq.autonomy=${patron.control}", "militia.nujaba_iraq.autonomy = "),
    ],
)
def test_a_mistake_is_told_in_one_line(overrides: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        prepare(Request("sweep", tuple(overrides.split())))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


# --- points -------------------------------------------------------------------------------------------------

AXES = (
    Interval("patron.control", "", 0.2, 1.0),
    Levels("target.quiet_days", "", (5.0, 10.0, 20.0, 40.0)),
    Interval("compliance.rate", "", 0.05, 0.5),
)


@pytest.mark.parametrize("kind", ["sobol", "lhs", "random"])
def test_any_range_of_points_is_that_of_the_whole(kind: str) -> None:
    design = Sampled(kind, AXES, 300, seed=3)
    whole = design.columns(0, 300)
    for start, stop in ((0, 1), (17, 170), (299, 300)):
        part = design.columns(start, stop)
        assert all(np.array_equal(part[key], whole[key][start:stop]) for key in whole)
    other = Sampled(kind, AXES, 300, seed=4).columns(0, 300)
    assert not np.array_equal(other["patron.control"], whole["patron.control"])


@pytest.mark.parametrize("kind", ["sobol", "random"])
def test_more_points_begin_with_the_old_ones(kind: str) -> None:
    few, many = (Sampled(kind, AXES, count, seed=3).columns(0, 100) for count in (100, 1000))
    assert all(np.array_equal(few[key], many[key]) for key in few)


def test_a_latin_hypercube_of_another_size_is_another_one() -> None:
    few, many = (Sampled("lhs", AXES, count, seed=3).columns(0, 100) for count in (100, 1000))
    assert not np.array_equal(few["patron.control"], many["patron.control"])


def strata_hit(column: Array, axis: Interval) -> int:
    """How many of as many equal strata as there are points hold one."""
    unit = (column - axis.low) / (axis.high - axis.low)
    return len(set((unit * len(column)).astype(int).tolist()))


def test_stratified_designs_hit_every_stratum_once_and_chance_does_not() -> None:
    for axis in (AXES[0], AXES[2]):
        assert isinstance(axis, Interval)
        hits = {
            kind: strata_hit(Sampled(kind, AXES, 256, 3).columns(0, 256)[axis.key], axis)
            for kind in ("lhs", "sobol", "random")
        }
        assert hits["lhs"] == hits["sobol"] == 256
        # chance leaves a stratum empty with probability 1/e; 200 of 256 would be eleven standard errors away
        assert hits["random"] < 200


@pytest.mark.parametrize("kind", ["sobol", "lhs"])
def test_levels_get_equal_shares(kind: str) -> None:
    column = Sampled(kind, AXES, 256, 3).columns(0, 256)["target.quiet_days"]
    assert np.unique(column, return_counts=True)[1].tolist() == [64] * 4


def test_a_factorial_has_every_combination_once_the_last_axis_fastest() -> None:
    sweep = sweep_of("patron.control=0.2,0.5,1", "target.quiet_days=5,10", "compliance.rate=range(0.1,0.5,0.1)")
    columns = sweep.design.columns(0, sweep.design.samples)
    rows = list(zip(*columns.values(), strict=True))
    assert sweep.design.kind == "factorial"
    assert len(rows) == len(set(rows)) == 3 * 2 * 4
    assert rows == sorted(rows)
    part = sweep.design.columns(5, 19)
    assert all(np.array_equal(part[key], columns[key][5:19]) for key in columns)


def test_draws_follow_the_prior_within_its_range() -> None:
    sweep = sweep_of("study.draws=prior", "study.points=4000", "seed=3")
    columns = sweep.design.columns(0, 4000)
    assert set(columns) == set(free_declarations())
    for key, column in columns.items():
        one = shared_declarations()[key]
        assert one.low <= column.min() < column.max() <= one.high
    prior = shared_declarations()["patron.control"].prior
    mean, error = (prior.a + prior.b) / 2, (prior.b - prior.a) / math.sqrt(12 * 4000)
    assert abs(columns["patron.control"].mean() - mean) < 5 * error
    skewed = columns["patron.war_risk_half_life"]  # log-uniform: its mean is not the middle of its interval
    prior = shared_declarations()["patron.war_risk_half_life"].prior
    assert abs(skewed.mean() - (prior.a + prior.b) / 2) > 5 * skewed.std() / math.sqrt(4000)


def test_a_draw_does_not_move_what_a_mapping_sets_to_its_default() -> None:
    value = shared_declarations()["patron.control"].default
    for draws in ("prior", "posterior"):
        words = (f"study.draws={draws}", "study.points=4")
        assert "patron.control" in sweep_of(*words).design.keys
        assert "patron.control" not in sweep_of(f"patron={{control:{value}}}", *words).design.keys


def test_a_draw_does_not_move_what_was_set_swept_or_is_the_point_of_a_scenario() -> None:
    sweep = sweep_of(
        "scenario=article,tight_leash", "study.draws=prior", "study.points=8", "patron.release_rate=0.02",
        "target.quiet_days=5,10",
    )  # fmt: skip
    assert "patron.release_rate" not in sweep.design.keys
    assert set(sweep.design.columns(0, 8)["target.quiet_days"]) == {5.0, 10.0}
    article, tight = sweep.groups
    assert article.kept == frozenset()
    assert tight.kept == {"patron.control", "multipliers.autonomy"}


# --- tables, policies, groups -------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    return pd.DataFrame({
        "patron.control": [0.3, 0.1 + 0.2, 0.9], "scenario": ["article", "no_order", "article"],
        "mechanisms.fear": [True, True, False],
    })  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_gives_the_points_row_by_row(table: pd.DataFrame, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"points.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    sweep = sweep_of(f"study.table={path}")
    assert sweep.design.columns(0, 3)["patron.control"].tolist() == table["patron.control"].tolist()
    assert sweep.work.arm_of(np.arange(3)).tolist() == [0, 1, 2]
    scenarios = [group.config.scenario for group in sweep.groups]
    assert [one.name for one in scenarios] == ["article", "no_order", "article"]
    assert [one.mechanisms.fear for one in scenarios] == [True, True, False]


def test_rows_with_the_same_keys_share_a_configuration() -> None:
    design = tabled(pd.DataFrame({"scenario": ["b", "a", "b"], "patron.control": [0.1, 0.2, 0.3]}))
    assert design.variants == ({"scenario": "b"}, {"scenario": "a"})
    assert design.variant.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"patron.control": [0.5, 1.5]}, "patron.control = 1.5: allowed 0 to 1"),
        ({"patron.control": [0.5, None]}, "patron.control = (empty in row 2 of study.table): allowed a value"),
        ({"patron.control": ["a", "b"]}, "patron.control = a: allowed numbers from 0 to 1"),
        ({"patron.contrl": [0.5, 0.6]}, "patron.contrl = 0.5: allowed keys: one of"),
        ({"sample": [1, 2]}, "study.table = (empty): allowed one point or more"),
        (
            {"patron.control": [0.3, 0.9], "weight": [1, 2]},
            "weight = (a column of study.table): allowed keys; ",
        ),
    ],
)
def test_a_mistake_in_a_table_is_told_in_one_line(columns: dict[str, Any], line: str, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    with pytest.raises(UserError) as caught:
        sweep_of(f"study.table={path}")
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize(
    "key",
    [
        "seed", "+seed", "study.runs", "study.points", "study.design", "study.table", "study.accept_versions",
        "output.dir", "engine.threads", "patterns", "calibration", "filters", "parameters", "extensions",
    ],
)  # fmt: skip
def test_what_no_sweep_varies_is_no_column_and_no_axis(key: str) -> None:
    table = pd.DataFrame({"patron.control": [0.3, 0.9], key: ["7", "3"]})
    swept = ("calendar.days=140", f"{key}=7,3")
    for request, points in ((("calendar.days=140",), table), (swept, None)):
        with pytest.raises(UserError) as caught:
            prepare(Request("sweep", request), points)
        assert str(caught.value).startswith(f"{key.lstrip('+')} = {'7,3' if points is None else '(a column of study'}")
        assert str(caught.value).endswith(NOT_SWEPT[key.lstrip("+").partition(".")[0]])


@pytest.mark.parametrize(
    "fixed",
    ["patron.control=0.5", "patron={control:0.5}", "scenario=no_order", "scenario=article,no_order", "study.points=3"],
)
@pytest.mark.parametrize("given", ["file", "frame"])
def test_a_column_that_the_command_line_sets_too_is_refused(fixed: str, given: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"patron.control": [0.3, 0.9], "scenario": ["article", "no_order"]})
    table.to_csv(tmp_path / "points.csv", index=False)
    words = ("calendar.days=140", fixed, *((f"study.table={tmp_path / 'points.csv'}",) if given == "file" else ()))
    with pytest.raises(UserError, match=r"either a column of study|points come from"):
        prepare(Request("sweep", words), None if given == "file" else table)
    free = [one for one in words if one != fixed]
    assert prepare(Request("sweep", tuple(free)), None if given == "file" else table).work.points == 2


def test_a_key_within_a_fixed_mapping_is_not_swept_too() -> None:
    with pytest.raises(UserError, match=r"patron\.control = 0\.1,0\.2: allowed each key once"):
        read_axes(["patron={control:0.5}", "patron.control=0.1,0.2"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ids_and_ignored_columns_are_kept_in_everything_that_is_written(ending: str, tmp_path: Path) -> None:
    table = pd.DataFrame({
        "point": [9, 2, 2], "patron.control": [0.3, 0.6, 0.9], "id": ["a", "b", None], "weight": [0.5, 0.25, 0.25],
    })  # fmt: skip
    path, folder = tmp_path / f"points.{ending}", tmp_path / "it"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    words = [f"study.table={path}", "study.ignore=[id,weight]", "scenario=article,no_order", "study.runs=4"]
    assert main(["sweep", "calendar.days=140", *words, f"output.dir={folder}"]) == 0
    kept = {"table.point": "point", "id": "id", "weight": "weight"}
    data = open_sweep(folder)
    for found in (
        pd.read_parquet(folder / "points.parquet"), pd.read_csv(folder / "by_point.csv"),
        pd.DataFrame({name: data[name].values for name in ("point", *kept)}),
    ):  # fmt: skip
        assert found["point"].tolist() == list(range(6))
        for name, column in kept.items():
            assert found[name].fillna("none").tolist() == table[column].repeat(2).fillna("none").tolist()
    assert {one.name for one in varied(data, 4)} == {"scenario", "patron.control"}
    assert keys_of(data) == ("scenario", "patron.control")
    assert main(["sweep", "calendar.days=140", *words, f"output.dir={folder}"]) == 0
    changes = {"calendar.days": 140, "study.table": str(path), "study.ignore": ["id", "weight"]}
    changed = table.assign(weight=1.0)
    changed.to_csv(path, index=False) if ending == "csv" else changed.to_parquet(path)
    with pytest.raises(UserError, match=r"weight = 1\.0: allowed 0\.5 at point 0, as in"):
        live_sweep(["article", "no_order"], runs=4, overrides=changes, to=folder)


@pytest.mark.parametrize(
    ("ignore", "line"),
    [
        ("[weigth]", "study.ignore = weigth: allowed columns of the table: one of 3 names, nearest: weight"),
        ("[patron.control]", "study.ignore = patron.control: allowed columns that are no keys"),
        ("[weight,war]", "study.ignore = war: allowed names that a stored sweep does not use itself"),
        ("weight", "study.ignore = weight: allowed a list of texts"),
    ],
)
def test_a_mistake_in_ignored_columns_is_one_line(ignore: str, line: str) -> None:
    table = pd.DataFrame({"patron.control": [0.3, 0.9], "weight": [1, 2], "war": [0, 1]})
    with pytest.raises(UserError) as caught:
        prepare(Request("sweep", ("calendar.days=140", f"study.ignore={ignore}")), table)
    assert str(caught.value).startswith(line)
    for words in ("patron.control=0.3,0.9", "study.draws=posterior"):
        with pytest.raises(UserError, match=r"study\.ignore = .*: allowed null; without study"):
            sweep_of(words, "study.ignore=[weight]")


def test_policies_meet_every_point() -> None:
    sweep = sweep_of(
        "patron.control=interval(0.2,1)", "study.points=4",
        "study.policies={wait:{target.quiet_days:30},hit:{scenario:leader_strike_in_lull,target.quiet_days:5}}",
    )  # fmt: skip
    assert [group.policy for group in sweep.groups] == ["wait", "hit"]
    assert [group.config.scenario.name for group in sweep.groups] == ["article", "leader_strike_in_lull"]
    assert [group.config.scenario.parameters.target.quiet_days for group in sweep.groups] == [30.0, 5.0]
    assert sweep.work.points == 8
    assert sweep.work.arm_of(np.arange(8)).tolist() == [0, 1] * 4


def test_policies_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "levers.yaml"
    path.write_text("wait:\n  target.quiet_days: 30\nmild:\n  mechanisms.major_response: false\n")
    sweep = sweep_of("patron.control=0.2,1", f"study.policies='{path}'")
    assert [group.config.scenario.mechanisms.major_response for group in sweep.groups] == [True, False]


# --- histories ----------------------------------------------------------------------------------------------


def test_a_point_of_a_sweep_is_what_simulate_gives_for_its_values() -> None:
    sweep = sweep_of(
        "scenario=article,tight_leash", "patron.control=0.3,0.9", "theatre.iraq.gate=0.5,1",
        "mechanisms.fear=true,false", "seed=3",
    )  # fmt: skip
    rows = simulate_batch(sweep.work, Batch((0, 16), (2, 6)), threads=1)
    assert rows["point"].tolist() == np.repeat(np.arange(16), 4).tolist()
    assert rows["run"].tolist() == [2, 3, 4, 5] * 16
    for point in (0, 3, 6, 13):
        sample, arm = point // 4, point % 4
        columns = sweep.design.columns(sample, sample + 1)
        labels = {key: yaml.safe_load(text) for key, text in sweep.groups[arm].labels.items()}
        given = {key: float(column[0]) for key, column in columns.items()} | labels
        alone = simulate(given.pop("scenario"), runs=6, seed=3, overrides={**given, "calendar.days": 140})
        for name in OUTCOMES_BY_NAME:
            assert np.array_equal(rows[name][point * 4 : point * 4 + 4], alone[name].values[2:]), name
        lull = alone["theatre_attacks"].sel(theatre="iraq", window="lull").values[2:]
        assert np.array_equal(rows["theatre_attacks.iraq.lull"][point * 4 : point * 4 + 4], lull)


def test_a_drawn_parameter_that_a_scenario_keeps_has_its_own_value_there() -> None:
    sweep = sweep_of("scenario=article,tight_leash", "study.draws=prior", "study.points=9")
    rows = simulate_batch(sweep.work, Batch((0, 18), (0, 20)), threads=1)
    columns = sweep.design.columns(0, 9)
    own = {key: column for key, column in columns.items() if key not in sweep.groups[1].kept}
    for keys, agrees in ((own, True), (columns, False)):
        table = build_inputs(sweep.groups[1].config.scenario, keys)
        output = run_batch(table, 1, np.tile(np.arange(20), 9), points=np.repeat(np.arange(9), 20))
        tight = rows["injured"].reshape(9, 2, 20)[:, 1].ravel()
        assert np.array_equal(output.rows[:, 2], tight) is agrees


def test_choices_keep_their_plus() -> None:
    (choice,) = read_axes(
        ["+events.extra={kind:act_against_patron,from:3,value:1},{kind:act_against_patron,from:5,value:1}"]
    ).choices
    assert isinstance(choice, Choice)
    assert choice.key == "+events.extra"
