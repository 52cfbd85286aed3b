"""Search over levers: known fronts are found, noise does not win, and what cannot be asked is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymoo.indicators.hv import Hypervolume

import sim
from sim import Change, Declaration, Extension, Mechanism, State, Tallied, uniform
from sim.analysis.optimising.objectives import asked_by
from sim.analysis.optimising.pareto_search import Problem, Searched, front_of, prepared, searched, spread
from sim.cli import main
from sim.experiment.command import Request, override_texts
from sim.experiment.options import OptimiseOptions
from sim.experiment.runner import Checkpoints
from sim.experiment.sweep.axes import axis_of
from sim.model.validation import UserError
from tests.reporting.test_alone import source_in

SMALL = {"study.runs": 3, "calendar.days": 150, "seed": 3}
LEVERS = {"study.draws": 4, "patron.control": (0.2, 1.0), "scenario": ["article", "no_us_strikes"]}
ENOUGH = 0.95
"""Share of the hypervolume of the known front that a search has to reach."""


def problem(levers: dict[str, Any] = LEVERS, **options: Any) -> Problem:
    keys = {**SMALL, **levers}
    request = Request("optimise", tuple(override_texts(keys, make=axis_of)))
    usual = {"population": 8, "generations": 2, "objectives": ("min war", "max lull_days >= 30")}
    return prepared(asked_by(OptimiseOptions(**{**usual, **options}), request))


def volume(losses: Any) -> float:
    """Hypervolume up to (1.1, 1.1)."""
    return float(Hypervolume(ref_point=np.array([1.1, 1.1])).do(np.asarray(losses)))


# --- the search, on fronts that are known --------------------------------------------------------------------


def zdt1(unit: Any) -> tuple[Any, Any]:
    """Zitzler, Deb and Thiele (2000), first problem: the front is 1 - sqrt(f1), where all but the first lever are 0."""
    first, rest = unit[:, 0], 1 + 9 * unit[:, 1:].mean(axis=1)
    return np.stack([first, rest * (1 - np.sqrt(first / rest))], axis=1), np.zeros((len(unit), 0))


def test_a_known_front_is_found_and_chance_alone_does_not_find_it() -> None:
    line = np.linspace(0, 1, 2001)
    known = volume(np.stack([line, 1 - np.sqrt(line)], axis=1))
    found = searched(zdt1, 4, (2, 0), 40, 60, seed=1)
    assert len(found.unit) <= 40 * 60
    assert ENOUGH * known < volume(found.losses[found.front]) <= known + 1e-9
    blind = np.random.default_rng(1).random((40 * 60, 4))
    assert volume(zdt1(blind)[0]) < ENOUGH * known, "the control: as many candidates at random do not reach it"
    shares = found.hypervolume()
    assert shares[-1] == 1.0
    assert (np.diff(shares) >= -1e-12).all()


def test_many_objectives_are_searched_too_and_a_constraint_is_kept() -> None:
    def cornered(unit: Any) -> tuple[Any, Any]:
        return np.concatenate([unit, 1 - unit.mean(axis=1, keepdims=True)], axis=1), 0.3 - unit[:, :1]

    found = searched(cornered, 3, (4, 1), 20, 15, seed=2)
    assert (found.excess[found.front] <= 0).all()
    assert found.unit[found.front, 0].min() == pytest.approx(0.3, abs=0.05)


def test_the_front_is_what_none_dominates() -> None:
    generator = np.random.default_rng(3)
    losses, excess = generator.integers(0, 6, (60, 3)).astype(float), generator.normal(size=(60, 2)) - 0.8
    front = set(front_of(losses, excess).tolist())
    kept = [place for place in range(60) if (excess[place] <= 0).all()]
    for place in range(60):
        beaten = any((losses[one] <= losses[place]).all() and (losses[one] < losses[place]).any() for one in kept)
        assert (place in front) == (place in kept and not beaten)
    assert set(spread(losses, 60).tolist()) == set(range(60))
    seen = Searched(losses, losses, np.ones((60, 1)), np.zeros(60, dtype=int))
    assert not len(seen.front)
    assert seen.hypervolume().tolist() == [0.0]


# --- the same through the model ------------------------------------------------------------------------------


def gained(gain: float, reach: float) -> float:
    """What the first objective is: the lever itself."""
    return reach


def paid(cost: float, reach: float, waste: float) -> float:
    """What the second is: the other end, made worse by waste."""
    return (1.0 - reach) * (1.0 - reach) + waste


def near(now: float, gain: float) -> float:
    return gain


def far(now: float, cost: float) -> float:
    return cost


def lever(text: str) -> Declaration:
    return Declaration(0.5, 0.0, 1.0, "1", uniform(0.0, 1.0), "assumed", "invented", text, "x")


PLANTED = Extension(
    "planted",
    mechanisms=(
        Mechanism(
            "planted", "levers whose effect is known",
            parameters={"reach": lever("brings the first objective, costs the second"), "waste": lever("only costs")},
            states=(State("gain", "1", "the first objective"), State("cost", "1", "the second")),
            changes=(Change("gain", gained, at="evening"), Change("cost", paid, at="evening")),
        ),
    ),
    outcomes=(Tallied("near", "1", "the lever", near), Tallied("far", "1", "the other end", far)),
)  # fmt: skip


def test_a_front_that_is_planted_in_the_model_is_found() -> None:
    levers = {"planted.reach": (0.0, 1.0), "planted.waste": (0.0, 1.0)}
    found = sim.optimise(
        objectives=["min near", "min far"], candidates=(16, 12), draws=2, runs=1, seed=4,
        extensions=[PLANTED], overrides={"calendar.days": 140, **levers},
    )  # fmt: skip
    front = found.tables["front"][1:]
    line = np.linspace(0, 1, 2001)
    known = volume(np.stack([line, (1 - line) ** 2], axis=1))
    assert ENOUGH * known < volume(front[["near:mean", "far:mean"]].to_numpy()) <= known + 1e-9
    assert np.allclose(front["near:mean"], front["planted.reach"].astype(float))
    assert (front["near:mean error"] < 1e-12).all(), "nothing is left to chance here"
    assert front["on_front"].all()
    assert found.data["near:mean"].sizes == {"candidate": len(found.found.searched.unit)}


def test_candidates_meet_the_same_random_numbers_and_the_front_meets_others() -> None:
    asked = problem()
    unit = np.array([[0.3, 0.1], [0.9, 0.9], [0.3, 0.1]])
    values = asked.search(unit, None)
    assert values.shape == (2, 3, 4)
    assert np.array_equal(values[:, 0], values[:, 2])
    assert np.array_equal(asked.search(unit[:1], None)[:, 0], values[:, 0]), "whoever else is judged with it"
    search, again = asked.search, asked.again
    assert all(not set(one) & set(again.columns[key]) for key, one in search.columns.items() if len(set(one)) == 4)
    numbers = [
        set(one.experiment.numbers(0, np.arange(one.draws) + one.first, np.arange(one.runs)).tolist())
        for one in (search, again)
    ]
    assert not numbers[0] & numbers[1]
    assert again.histories == 4 * search.histories


def test_a_candidate_is_what_a_run_with_its_settings_gives() -> None:
    asked = problem({key: LEVERS[key] for key in ("patron.control", "scenario")}, parameters="defaults")
    [judged] = np.moveaxis(asked.search(np.array([[0.5, 0.9]]), None), 1, 0)
    settings = asked.settings(np.array([[0.5, 0.9]]))
    assert settings["scenario"].tolist() == ["no_us_strikes"]
    words = {"calendar.days": 150, "patron.control": float(settings["patron.control"][0])}
    data = sim.simulate("no_us_strikes", runs=3, seed=3, overrides=words)
    assert judged[:, 0].tolist() == [float(data["war"].mean()), float((data["lull_days"] >= 30).mean())]


def test_the_mean_of_a_search_that_is_stopped_and_resumed_is_the_same(tmp_path: Path) -> None:
    from sim.analysis.optimising.pareto_search import optimised

    class StopError(Exception):
        pass

    done = 0

    def stop(histories: int) -> None:
        nonlocal done
        done += histories
        if done > 150:
            raise StopError

    whole = optimised(problem())
    with pytest.raises(StopError):
        optimised(problem(), Checkpoints(tmp_path, stop))
    assert list(tmp_path.iterdir())
    counted: list[int] = []
    resumed = optimised(problem(), Checkpoints(tmp_path, counted.append))
    assert np.array_equal(whole.values, resumed.values)
    assert np.array_equal(whole.searched.unit, resumed.searched.unit)
    assert sum(counted) == whole.histories


def test_what_is_robust_differs_and_regret_is_what_is_lost_to_the_best() -> None:
    from sim.analysis.optimising.pareto_search import best_of, losses_of

    unit = np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]])
    found = {}
    for how in ("mean", "q90", "regret"):
        asked = problem(robust=how)
        values = asked.search(unit, None)
        best = best_of(asked, values)
        found[how], _ = losses_of(asked, values, best)
    assert np.allclose(found["mean"], np.stack([values[0].mean(axis=1), -values[1].mean(axis=1)], axis=1))
    lost = (values[0] - values[0].min(axis=0)).mean(axis=1), (values[1].max(axis=0) - values[1]).mean(axis=1)
    assert np.allclose(found["regret"], np.stack(lost, axis=1))
    assert (found["regret"] >= 0).all()
    assert (found["q90"] >= found["mean"] - 1e-12).all()


@pytest.mark.parametrize(
    ("levers", "options", "line"),
    [
        ({}, {}, "optimise = (no lever): allowed one key or more with several values"),
        (LEVERS, {"objectives": ("war",)}, "optimise.objectives = war: allowed min or max"),
        (LEVERS, {"objectives": ("min wra",)}, "optimise.objectives = wra: allowed"),
        (LEVERS, {"objectives": ("min war", "max war")}, "optimise.objectives = min war, max war: allowed one"),
        (LEVERS, {"objectives": ("min attacks_lull",)}, "optimise.objectives = min attacks_lull: allowed an outcome"),
        (LEVERS, {"constraints": ("war < 0.1",)}, "optimise.constraints = war < 0.1: allowed an outcome or condition"),
        (LEVERS, {"robust": "q90", "parameters": "defaults"}, "optimise.robust = q90: allowed mean with"),
        ({"patron.control": (0.0, 7.0)}, {}, "patron.control = 7.0: allowed 0 to 1"),
        ({**LEVERS, "study.draws": 9999}, {}, "study.draws = 9999: allowed at most"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_one_line(
    levers: dict[str, Any], options: dict[str, Any], line: str
) -> None:
    with pytest.raises(UserError) as caught:
        problem(levers, **options)
    assert str(caught.value).startswith(line)


def test_the_command_writes_the_front_and_a_bound_that_none_keeps_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "optimise", "patron.control=interval(0.2,1)", "optimise.population=8", "optimise.generations=2",
        "study.draws=3", "study.runs=3", "calendar.days=150", "optimise.objectives=[min war,max lull_days >= 30]",
        f"output.dir={tmp_path / 'out'}",
    ]  # fmt: skip
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "as configured" in out
    assert "stay on the front" in out
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["levers"] == ["patron.control"]
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"front.png", "front.csv", "candidates.nc"}
    assert "seed" in source_in((tmp_path / "out/front.svg").read_text(encoding="utf-8"))
    assert main(["verify", str(tmp_path / "out")]) == 0
    bound = "optimise.constraints=['lull_days >= 1 at most 0']"
    assert main([*words[:-1], bound, f"output.dir={tmp_path / 'none'}"]) == 2
    assert "none keeps all" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
