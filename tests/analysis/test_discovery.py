"""Scenario discovery: a planted box is found, chance is called chance, and a condition is never run as code."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sim.analysis.discovery import scenario_discovery
from sim.analysis.discovery.cases import Half, cases_of, condition
from sim.analysis.discovery.prim import (
    Side,
    choose,
    content,
    contents,
    density_error,
    excess,
    inside,
    pruned,
    quasi_p,
    trajectory,
)
from sim.analysis.discovery.scenario_discovery import (
    BELIEVED,
    BOXES,
    Discovery,
    box_rows,
    discovered,
    seed_of,
    units,
)
from sim.model.validation import UserError

POINTS, RUNS = 400, 40
UNITS = {"war": "probability", "lull_days": "days", "war_day": "day"}


def search_boxes(data: xr.Dataset, where: str, boxes: int = BOXES, coverage: float | None = None) -> Discovery:
    """The boxes of an opened sweep in which what is looked for is most at home."""
    return discovered(cases_of(data, condition(where, units(data)), seed_of(data)), boxes, coverage)


def opened(chance_of: Any, names: bool = False, shared: bool = False, seed: int = 11) -> xr.Dataset:
    """A sweep in which war comes with a known chance at each point; `shared` luck strikes all points of a run."""
    source = np.random.default_rng(seed)
    place = {f"x{k}": source.random(POINTS) for k in range(4)}
    if names:
        place["scenario"] = source.choice(["calm", "tense", "worse"], POINTS).astype(object)
    draws = source.random((POINTS, RUNS))
    if shared:
        draws = np.broadcast_to(draws[:1], draws.shape)
    data = xr.Dataset({"war": (("point", "run"), (draws < chance_of(place)[:, None]).astype(np.int32))})
    data["war"].attrs["units"] = "probability"
    for name, column in {**place, "sample": np.arange(POINTS)}.items():
        data = data.assign_coords({name: ("point", column, {"long_name": f"what {name} means"})})
    return data.assign_attrs(seed=str(seed), scenario="article")


def planted(place: dict[str, Any]) -> Any:
    return np.where((place["x0"] < 0.4) & (place["x2"] > 0.5), 0.6, 0.05)


def edges(found: Discovery, box: int = 0) -> dict[str, tuple[float | None, float | None]]:
    return {one.dimension.key: (one.low, one.high) for one in found.boxes[box].restrictions}


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    """Three searches in halves of the points, where a user gets ten."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenario_discovery, "RESAMPLES", 3)
        yield


@pytest.fixture(scope="module")
def found(few_resamples: None) -> Discovery:
    return search_boxes(opened(planted), "war")


def test_a_planted_box_is_recovered(found: Discovery):
    limits = edges(found)
    assert set(limits) == {"x0", "x2"}
    # An edge lies between points of the search half: 200 points, of which a side of the box sees some 80 to 100, so
    # neighbours are 0.01 apart; a step peels 5 % of the box, up to 0.05. Allowed are two steps.
    assert limits["x0"][0] is None
    assert limits["x0"][1] == pytest.approx(0.4, abs=0.1)
    assert limits["x2"][0] == pytest.approx(0.5, abs=0.1)
    box = found.boxes[0]
    assert box.believed
    assert box.p_value < 1e-6
    assert all(value < 1e-4 for one in box.restrictions for value in one.quasi_p)
    assert all(one.again == 1.0 for one in box.restrictions)


def test_what_is_held_out_is_told_with_its_error(found: Discovery):
    box = found.boxes[0]
    truth = opened(planted)
    within = found.inside(0, pd.DataFrame({key: truth[key].values for key in ("x0", "x1", "x2", "x3")}))
    expected = float(planted({key: truth[key].values for key in ("x0", "x2")})[within].mean())
    assert abs(box.held_out.density - expected) < 5 * box.error
    assert box.error < 0.1
    assert 0.6 < box.held_out.coverage < 1.0
    assert box.held_out.mass == pytest.approx(0.2, abs=0.1)


def test_chance_alone_gives_no_box_that_is_believed():
    """The negative control: nothing but luck, of each history or shared by all points of a run."""
    for seed in (1, 2, 3):
        for shared in (False, True):
            data = opened(lambda place: np.full(len(place["x0"]), 0.2), shared=shared, seed=seed)
            assert search_boxes(data, "war").believed == ()


def test_peeling_chance_looks_good_where_it_looked_and_not_where_it_did_not():
    """Why anything is held out: the search always seems to have found something."""
    gains = []
    for seed in range(24):
        data = opened(lambda place: np.full(len(place["x0"]), 0.2), seed=seed)
        cases = cases_of(data, condition("war", UNITS), seed)
        boxes = trajectory(cases.search)
        halves = (cases.search, cases.held_out)
        gains.append([contents(boxes, one)[-1].density / one.shares.mean() - 1 for one in halves])
    here, there = np.array(gains).T
    assert here.mean() > 5 * here.std(ddof=1) / np.sqrt(24)
    assert abs(there.mean()) < 5 * there.std(ddof=1) / np.sqrt(24)


def test_names_are_dimensions_too_and_scenario_is_not_dropped():
    data = opened(lambda place: np.where(place["scenario"] == "worse", 0.5, 0.05), names=True)
    box = search_boxes(data, "war").boxes[0]
    assert [(one.dimension.key, one.names) for one in box.restrictions] == [("scenario", ("worse",))]
    assert box.held_out.coverage > 0.7


def test_a_second_box_is_found_among_what_the_first_left():
    data = opened(lambda place: np.where(place["x0"] < 0.25, 0.8, np.where(place["x3"] > 0.8, 0.5, 0.02)), seed=8)
    found = search_boxes(data, "war")
    assert [set(edges(found, k)) for k in range(2)] == [{"x0"}, {"x3"}]
    assert len(found.believed) >= 2
    assert sum(one.held_out.coverage for one in found.believed) > 0.8


def test_coverage_asked_for_is_kept():
    wide, narrow = (search_boxes(opened(planted), "war", boxes=1, coverage=share).boxes[0] for share in (0.9, 0.3))
    assert wide.steps[wide.chosen].found.coverage >= 0.9
    assert narrow.steps[narrow.chosen].found.coverage >= 0.3
    assert narrow.steps[narrow.chosen].found.density > wide.steps[wide.chosen].found.density
    assert choose([one.found for one in wide.steps], 2.0) == 0


def test_the_same_search_finds_the_same(found: Discovery):
    pd.testing.assert_frame_equal(
        *(pd.DataFrame(box_rows(one)) for one in (found, search_boxes(opened(planted), "war")))
    )


# --- the numbers beside the boxes ---------------------------------------------------------------------------


def half(cases: Any, place: Any = None) -> Half:
    table = pd.DataFrame({"x": np.arange(len(cases), dtype=float) if place is None else place})
    return Half(table, np.asarray(cases, dtype=bool), np.full(np.shape(cases), True))


def test_quasi_p_values_are_the_binomial_test_where_each_point_has_one_run():
    from scipy.stats import binomtest

    cases = np.zeros((40, 1), dtype=bool)
    cases[:8], cases[20:24] = True, True
    (value,) = quasi_p((Side("x", "high", 9.5),), half(cases))
    # Only the variance of ten single runs differs, 10/9 of p (1 - p), which counts as one history each.
    assert value == pytest.approx(binomtest(8, 10, 12 / 40, alternative="greater").pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("inside_box", "choices", "stays"), [(8, 1, True), (8, 100, False), (6, 1, True), (5, 1, False)]
)
def test_a_side_stays_where_chance_makes_it_in_fewer_than_5_percent_of_its_choices(inside_box, choices, stays):
    # Ten of 40 points lie in the box, and 12 of the 40 are cases: chance puts 5 or more of them into it in 15 % of all
    # trials, 6 or more in 4.7 %, 8 or more in 0.16 %.
    cases = np.zeros((40, 1), dtype=bool)
    cases[:inside_box], cases[20 : 32 - inside_box] = True, True
    side = (Side("x", "high", 9.5),)
    assert pruned(side, half(cases), choices) == (side if stays else ())


def test_runs_that_a_point_decides_count_as_one():
    """A hundred runs that all say the same are worth one; a hundred independent ones count in full."""
    source = np.random.default_rng(3)
    decided = np.repeat(source.random((60, 1)) < np.where(np.arange(60) < 30, 0.5, 0.2)[:, None], 100, axis=1)
    free = source.random((60, 100)) < np.where(np.arange(60) < 30, 0.5, 0.2)[:, None]
    side = (Side("x", "high", 29.5),)
    assert quasi_p(side, half(decided))[0] == pytest.approx(quasi_p(side, half(decided[:, :1]))[0], rel=1e-9)
    assert quasi_p(side, half(free))[0] < 1e-30


@pytest.mark.parametrize("shared", [False, True])
def test_errors_are_those_of_many_repetitions(shared: bool):
    """Density and excess over 300 repetitions, with luck of each history and with luck that all points share."""
    source, said, excesses, errors, errors_of = np.random.default_rng(5), [], [], [], []
    within = np.arange(50) < 20
    for _ in range(300):
        chance = np.where(within, 0.5, 0.2) * source.uniform(0.5, 1.5, 50)
        draws = source.random((1, 30)) if shared else source.random((50, 30))
        one = half(np.broadcast_to(draws, (50, 30)) < chance[:, None])
        said.append(one.shares[within].mean())
        errors.append(density_error(within, one))
        difference, error = excess(within, one)
        excesses.append(difference)
        errors_of.append(error)
    # A deviation from 300 repetitions is known to 1 / sqrt(2 x 300) = 4 %; five of these, and a little for the bias of
    # variances that are estimated from 20 points and 30 runs.
    assert np.sqrt(np.mean(np.square(errors))) / np.std(said) == pytest.approx(1, abs=0.25)
    assert np.sqrt(np.mean(np.square(errors_of))) / np.std(excesses) == pytest.approx(1, abs=0.25)


def test_contents_add_up():
    one = half(np.random.default_rng(1).random((30, 5)) < 0.4)
    low, high = (inside((Side("x", kind, 11.5),), one.place) for kind in ("low", "high"))
    first, second = content(low, one), content(high, one)
    assert first.mass + second.mass == pytest.approx(1)
    assert first.coverage + second.coverage == pytest.approx(1)
    assert first.density * first.mass + second.density * second.mass == pytest.approx(one.shares.mean())


def test_halves_share_no_point_and_no_run_and_keep_samples_together():
    data = opened(planted)
    data["sample"] = ("point", np.arange(POINTS) // 2)
    marked = data.assign(war=data["war"].copy(data=np.broadcast_to(np.arange(RUNS) % 2, (POINTS, RUNS))))
    cases = cases_of(marked.set_coords("sample"), condition("war", UNITS), 1)
    assert not cases.search.cases.any()
    assert cases.held_out.cases.all()
    searched = set(cases.search.place["x0"])
    assert searched.isdisjoint(cases.held_out.place["x0"])
    assert {bool(pair[0] in searched) == bool(pair[1] in searched) for pair in data["x0"].values.reshape(-1, 2)} == {
        True
    }


# --- what is looked for -------------------------------------------------------------------------------------


def test_days_that_never_come_are_later_than_any_other():
    days = np.array([-1, 100, 200])
    assert condition("war_day>=150", UNITS).of(days).tolist() == [True, False, True]
    assert condition("war_day<150", UNITS).of(days).tolist() == [False, True, False]
    assert condition("'lull_days < -0.5'", UNITS).of(days).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "text",
    [
        "", "wars", "lull_days", "lull_days<", "lull_days<x", "lull_days<14 and war", "1<lull_days",
        "__import__('os').system('x')", "war<1;", "lull_days<1e", "lull_days<nan",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str):
    with pytest.raises(UserError, match=r"discover\.where"):
        condition(text, UNITS)


def test_sweeps_that_cannot_be_searched_are_refused():
    data = opened(planted)
    with pytest.raises(UserError, match="50 points or more"):
        search_boxes(data.isel(point=slice(0, 49)), "war")
    with pytest.raises(UserError, match="0 of 16000 do"):
        search_boxes(data, "war > 1")
    with pytest.raises(UserError, match="points that differ"):
        search_boxes(data.drop_vars(["x0", "x1", "x2", "x3"]), "war")
    assert BELIEVED < 0.05
