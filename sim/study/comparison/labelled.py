"""A comparison as one labelled Dataset: tables, figures and files are all made from it."""

from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from sim.study.comparison.arms import freed_words, pinned_words
from sim.study.comparison.before import same_before
from sim.study.comparison.lived import Findings, Plan
from sim.study.comparison.paired import Competing, CompetingDraws, Draws, Effect, competing_of, effect_of
from sim.study.comparison.regret import Regret, Regrets, told
from sim.study.provenance import provenance
from sim.world.parameters import shared_declarations

Array = npt.NDArray[Any]

EFFECT_TEXTS: Final = {
    "value_a": "value under the baseline: mean over all draws, median where the tail is heavy",
    "value_b": "value under the scenario, likewise",
    "difference": "scenario minus baseline, paired",
    "low": "5% quantile of the difference over draws; with a single draw, of its estimate under luck",
    "high": "95% quantile, likewise",
    "error": "Monte Carlo standard error of the difference",
    "draws_sd": "standard deviation of the difference between draws, without what luck adds",
    "luck_sd": "standard deviation of the difference between histories of one draw",
    "history_low": "5% quantile of the difference of single pairs of histories, all draws together",
    "history_high": "95% quantile, likewise",
    "less": "share of pairs in which the scenario has less than the baseline",
    "tie": "share of pairs in which both have as much",
    "more": "share of pairs in which the scenario has more than the baseline",
    "draws_less": "share of draws of which the difference lies below zero; NaN with a single draw",
    "draws_same": "share of draws of which it is zero",
    "draws_more": "share of draws of which it lies above zero",
    "removed": "share of the variance of unpaired samples that pairing removes at fixed parameters",
    "removable": "the most that it could remove: 2 r / (1 + r^2), r the ratio of standard deviations",
    "attainable": "the most that any pairing of these two distributions could remove: values paired by rank",
}
NO_WAR: Final = "no_war_"
"""Before the names of what is counted among pairs without war in either arm."""
JUDGED: Final = {
    "better": "share of pairs in which the scenario does better, with the loss that war brings",
    "even": "share of pairs in which neither does better, likewise",
    "worse": "share of pairs in which the scenario does worse, likewise",
}
ARM_TEXTS: Final = {
    "low_a": "5% quantile of the value under the baseline over draws",
    "high_a": "95% quantile, likewise",
    "low_b": "5% quantile of the value under the scenario over draws",
    "high_b": "95% quantile, likewise",
}
COMPETING_TEXTS: Final = {
    f"{NO_WAR}share": "share of pairs without war in either arm; NaN for what war does not cut, as all that follow",
    **{
        f"{NO_WAR}{one.name}": f"{(EFFECT_TEXTS | ARM_TEXTS)[one.name]}; among pairs without war in either arm"
        for one in fields(Competing)
        if one.name in EFFECT_TEXTS | ARM_TEXTS
    },
}
SAME_BEFORE: Final = (
    "share of pairs with the same attacks on every day before the departure; NaN where no day is before"
)
WORST: Final = "worst"
"""What a history with war loses where nothing is stated."""
SHARES: Final = ("less", "tie", "more", "draws_less", "draws_same", "draws_more", "removed", "removable", "attainable")
REGRET_TEXTS: Final = {
    "expected": "regret on average over draws, with the loss that war brings",
    "worst": "largest regret of any draw",
    "best": "share of draws in which no scenario does better",
    "error": "standard error that luck leaves in the regret of one draw, on average",
}


def dataset_of(plan: Plan, found: Findings, source: str) -> xr.Dataset:
    """The comparison over (comparison, measure), (comparison, measure, draw) and (scenario, measure, draw).

    `source` says where the parameters come from. Units differ by measure and stand in the coordinate `unit`.
    """
    data = xr.Dataset(coords=_coordinates(plan))
    drawn = {key: Draws.joined(parts) for key, parts in found.draws.items()}
    _add_effects(data, plan, found, drawn)
    _add_competing(data, plan, found)
    for name in ("value_a", "value_b", "difference"):
        values = [[getattr(drawn[place, one.name], name) for one in plan.measures] for place in range(len(plan.pairs))]
        data[f"{name}_of_draw"] = (("comparison", "measure", "draw"), np.array(values))
        data[f"{name}_of_draw"].attrs = {"long_name": f"{EFFECT_TEXTS[name].partition(':')[0]}, of one draw"}
    _add_regrets(data, plan, found)
    data["same_before"] = ("comparison", same_before(plan), _described(SAME_BEFORE, "1"))
    data["parameter_value"] = (("parameter", "draw"), np.array(list(plan.points.values())).reshape(-1, plan.draws))
    data["parameter_value"].attrs = {
        "long_name": "drawn value; the coordinate `kept` says where a scenario keeps its own"
    }
    data.attrs = {**provenance(plan.arms[0].config), **_about(plan, source)}
    return data


def _coordinates(plan: Plan) -> dict[str, Any]:
    measures, arms = plan.measures, plan.arms
    shared = shared_declarations()
    others, scenario = arms[1:], arms[0].scenario
    return {
        "measure": ("measure", _words(one.name for one in measures)),
        "text": ("measure", _words(one.text for one in measures)),
        "unit": ("measure", _words(one.unit for one in measures)),
        "direction": ("measure", np.array([one.direction for one in measures], dtype=np.int8)),
        "heavy_tailed": ("measure", np.array([int(one.heavy) for one in measures], dtype=np.int8)),
        "cut_by_war": ("measure", np.array([int(one.cut) for one in measures], dtype=np.int8)),
        "kind": ("measure", _words(one.kind for one in measures)),
        "place": ("measure", _words(one.place for one in measures)),
        "window": ("measure", _words(one.window for one in measures)),
        "scenario": ("scenario", _words(arm.label for arm in arms)),
        "question": ("scenario", _words(arm.words for arm in arms)),
        "kept": ("scenario", _words(" ".join(sorted(arm.kept & plan.points.keys())) for arm in arms)),
        "comparison": ("comparison", _words(arm.label for arm in others)),
        "baseline": ("comparison", _words(_baselines(plan))),
        "pinned": ("comparison", _words(pinned_words(scenario, a[1]) for a, _ in plan.pairs)),
        "pinned_short": ("comparison", _words(freed_words(scenario, a[1]) for a, _ in plan.pairs)),
        "draw": ("draw", np.arange(plan.draws), {"long_name": "draw of the parameters"}),
        "first_run": ("draw", np.arange(plan.draws) * plan.runs, {"long_name": "number of the first run of the draw"}),
        "parameter": ("parameter", _words(plan.points)),
        "parameter_unit": ("parameter", _words(shared[key].unit for key in plan.points)),
    }


def _baselines(plan: Plan) -> list[str]:
    """The name of each pair's baseline; where they are pinned before different days, the day is part of it."""
    label, days = plan.arms[0].label, [day for (_, day), _ in plan.pairs]
    if len(set(days)) == 1:
        return [label] * len(days)
    return [f"{label}, {freed_words(plan.arms[0].scenario, day)}" for day in days]


def _words(texts: Any) -> Array:
    return np.array(list(texts), dtype=object)


def _add_effects(data: xr.Dataset, plan: Plan, found: Findings, drawn: dict[tuple[int, str], Draws]) -> None:
    effects = [
        [
            effect_of(drawn[place, one.name], plan.runs, found.tallies[place, one.name], one.heavy)
            for one in plan.measures
        ]
        for place in range(len(plan.pairs))
    ]
    for one in fields(Effect):
        values = [[getattr(effect, one.name) for effect in row] for row in effects]
        unit = "1" if one.name in SHARES else "as the coordinate unit says"
        data[one.name] = (("comparison", "measure"), np.array(values), _described(EFFECT_TEXTS[one.name], unit))


def _add_competing(data: xr.Dataset, plan: Plan, found: Findings) -> None:
    """What war makes of the pairs: those without it apart, and all judged with its loss."""
    pairs, measures = range(len(plan.pairs)), plan.measures
    drawn = {key: CompetingDraws.joined(parts) for key, parts in found.competing.items()}
    shape = (len(plan.pairs), len(measures))
    values = {key: np.full(shape, np.nan) for key in (*COMPETING_TEXTS, *JUDGED)}
    by_draw = np.full((*shape, plan.draws), np.nan)
    for place in pairs:
        for at, one in enumerate(measures):
            draws = drawn[place, one.name]
            for key, value in asdict(competing_of(draws, plan.runs, one.heavy)).items():
                if key in JUDGED or one.cut:
                    values[key if key in JUDGED else f"{NO_WAR}{key}"][place, at] = value
            if one.cut:
                by_draw[place, at] = draws.difference
    for key, texts in ((key, {**COMPETING_TEXTS, **JUDGED}[key]) for key in values):
        unit = "1" if key.removeprefix(NO_WAR) in (*SHARES, *JUDGED, "share") else "as the coordinate unit says"
        data[key] = (("comparison", "measure"), values[key], _described(texts, unit))
    text = "scenario minus baseline among pairs without war in either arm, of one draw"
    data[f"{NO_WAR}difference_of_draw"] = (("comparison", "measure", "draw"), by_draw, {"long_name": text})


def _add_regrets(data: xr.Dataset, plan: Plan, found: Findings) -> None:
    """Regrets; NaN for what has no direction or a heavy tail, and for single theatres and groups."""
    names = [one.name for one in plan.measures]
    by_draw = np.full((len(plan.arms), len(names), plan.draws), np.nan)
    told_of = {name: np.full((len(plan.arms), len(names)), np.nan) for name in REGRET_TEXTS}
    for name, parts in found.regrets.items():
        place, regrets = names.index(name), Regrets.joined(parts)
        by_draw[:, place] = regrets.regret
        for arm, one in enumerate(told(regrets)):
            for key, value in asdict(one).items():
                told_of[key][arm, place] = value
    assert {one.name for one in fields(Regret)} == set(REGRET_TEXTS)
    for key, values in told_of.items():
        unit = "1" if key == "best" else "as the coordinate unit says"
        data[f"regret_{key}"] = (("scenario", "measure"), values, _described(REGRET_TEXTS[key], unit))
    data["regret_of_draw"] = (("scenario", "measure", "draw"), by_draw, _described("regret in one draw", ""))


def _described(text: str, unit: str) -> dict[str, str]:
    return {"long_name": text, "units": unit}


def _about(plan: Plan, source: str) -> dict[str, Any]:
    scenario = plan.arms[0].scenario
    return {
        "title": f"Lull: {len(plan.arms)} scenarios compared",
        "baseline": plan.arms[0].label,
        "parameters": source,
        "runs": plan.runs,
        "war_loss": ", ".join(f"{key}: {value:g}" for key, value in plan.war_loss.items()) or WORST,
        "pinned_together": pinned_words(scenario, plan.together[0][1]),
        "target": scenario.cast.names.target,
        "patron": scenario.cast.names.patron,
        "days": scenario.calendar.days,
    }
