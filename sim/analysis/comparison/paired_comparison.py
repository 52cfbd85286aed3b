"""`compare`: scenarios side by side, from the options to a labelled Dataset, of which rows and summary are made."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.analysis.comparison.arms import arms_of, common_day, freed_words, pinned_words
from sim.analysis.comparison.paired import (
    JUDGED,
    NO_WAR,
    OF_ALL,
    OF_PART,
    REGRETS,
    WORST,
    described,
    effect_of,
    effect_without_war,
    war_losses,
)
from sim.analysis.comparison.paired_run import (
    PRIORS,
    SHOWN,
    Findings,
    Plan,
    add_prior,
    compared_source,
    conditioned_points,
    identical_before_departure,
    points_of,
    simulate,
)
from sim.analysis.comparison.value_of_information import FEWEST, evppi
from sim.analysis.durations import FUTURES
from sim.analysis.requested import PRIOR, SOURCES, draws_of, source_of
from sim.experiment.command import Request
from sim.experiment.options import SIZES, CompareOptions
from sim.experiment.parameter_sets import shipped_posterior
from sim.experiment.result_dir import provenance
from sim.experiment.runner import CostEstimate, Progress
from sim.experiment.statistics import Array, finite, interval_90
from sim.experiment.sweep.configs import short_hash
from sim.model.parameters import group_title, shared_declarations
from sim.model.scenario import CONDITIONED, DEFAULTS, Config
from sim.model.validation import UserError

MORE: Final = "more"
LESS: Final = "less"
SAME: Final = "the same"
NOT_LESS: Final = "more or unchanged"
NOT_MORE: Final = "less or unchanged"
ALIKE: Final = "next to no difference"
OPEN: Final = "sign open"
NO_PAIRS: Final = "no pair without war"
"""Verdicts on a difference, by the shares of draws in which there is more, as much and less: see `verdict`."""
FIRM, MOST_ALIKE = 0.95 - 1e-9, 0.9 - 1e-9
"""Shares of draws from which a sign is firm, and from which as much as before is next to no difference."""
COMMON_DAY: Final = "common"
OWN_DAY: Final = "own"
RUNS, DRAWS = SIZES["compare"]
"""Draws, and runs of each, where nothing is said and parameters are drawn."""

EFFECTS: Final = {
    **OF_ALL,
    **{
        f"{NO_WAR}{name}": described(
            about["long_name"] + ("" if name == "share" else "; among pairs without war in either arm"),
            share=about["units"] == "1",
        )
        for name, about in OF_PART.items()
    },
    **JUDGED,
}
"""The numbers over comparison and measure, with their attributes: until war, of pairs without war, and judged."""
OF_MEASURE: Final = (
    ("measure", "name", object), ("text", "text", object), ("unit", "unit", object),
    ("direction", "direction", np.int8), ("heavy_tailed", "heavy", np.int8), ("censored_by_war", "censored", np.int8),
    ("kind", "kind", object), ("place", "place", object), ("window", "window", object),
)  # fmt: skip
"""Coordinates of a measure: name, attribute and type."""
KNOWN: Final = {
    "evppi": "regret that is saved on average if these parameters are known before choosing (EVPPI)",
    "evppi_error": "its standard error over draws",
}
"""What is said of knowing a group of parameters; NaN with few draws."""
ARM_ENDS: Final = ("baseline_low", "baseline_high", "scenario_low", "scenario_high")

Row = dict[str, Any]

# --- rows ---------------------------------------------------------------------------------------------------


def shares_of_sign(row: Row) -> tuple[float, float, float]:
    """Shares of draws with a difference below, at and above zero; of pairs where there is a single draw."""
    names = ("less", "tie", "more") if row["draws_less"] is None else ("draws_less", "draws_same", "draws_more")
    less, same, more = (float(row[name]) for name in names)
    return less, same, more


def verdict(row: Row) -> str:
    """What can be said of the sign of a difference: it is firm where at least 95% of the draws have it.

    Of a single draw it is firm where the Monte Carlo interval leaves zero out, and no pair may go the other way.
    """
    if row["difference"] is None:
        return NO_PAIRS
    less, same, more = shares_of_sign(row)
    several = row["draws_less"] is not None
    rules = {
        SAME: same == 1.0,
        MORE: more >= FIRM if several else (row["low"] or 0.0) > 0.0,
        LESS: less >= FIRM if several else (row["high"] or 0.0) < 0.0,
        ALIKE: several and same >= MOST_ALIKE,
        NOT_LESS: same + more >= FIRM if several else less == 0.0,
        NOT_MORE: same + less >= FIRM if several else more == 0.0,
    }
    return next((said for said, holds in rules.items() if holds), OPEN)


def by_baseline(data: xr.Dataset) -> list[xr.Dataset]:
    """The comparison in parts, each of the pairs that have one baseline: what may share a panel or a table."""
    names = data["baseline"].values
    return [data.isel(comparison=np.flatnonzero(names == name)) for name in dict.fromkeys(names)]


def effect_rows(data: xr.Dataset, kind: str) -> list[Row]:
    """Effects of every comparison on measures of one kind: outcome, theatre or group."""
    places = np.flatnonzero(data["kind"].values == kind).tolist()
    return [effect_row(data, comparison, place) for comparison in range(data.sizes["comparison"]) for place in places]


def effect_row(data: xr.Dataset, comparison: int, measure: int) -> Row:
    """One effect; None where a number does not exist.

    What war cuts counts until war; `no_war_...` is the same among pairs without war in either arm. `better`, `even` and
    `worse` are shares of pairs, with the loss that war brings. There is a verdict on either.
    Values of the arms have an interval over the draws where there are several.
    """
    arrays = data.variables  # without the labels that `data[name]` would make anew for each number
    arms = (arrays[f"{arm}_value_of_draw"].values[comparison, measure] for arm in ("baseline", "scenario"))
    ends = [finite(end) for arm in arms for end in interval_90(arm)] if data.sizes["draw"] > 1 else [None] * 4
    row = {
        "scenario": str(arrays["comparison"].values[comparison]),
        "baseline": str(arrays["baseline"].values[comparison]),
        **_texts(data, measure, "measure", "text", "place", "window", "unit"),
        "good": {1: "more", -1: "less"}.get(int(arrays["direction"].values[measure]), ""),
        "heavy_tailed": bool(arrays["heavy_tailed"].values[measure]),
        "censored_by_war": bool(arrays["censored_by_war"].values[measure]),
        **{name: finite(arrays[name].values[comparison, measure]) for name in EFFECTS},
        **dict(zip(ARM_ENDS, ends, strict=True)),
    }
    row["verdict"] = verdict(row)
    return {**row, f"{NO_WAR}verdict": verdict(compared(row))}


def _texts(data: xr.Dataset, measure: int, *names: str) -> dict[str, str]:
    return {name: str(data.variables[name].values[measure]) for name in names}


def compared(row: Row) -> Row:
    """The row with the numbers that may be ranked and drawn: where war cuts, those of pairs without war."""
    names = [name for name in (*OF_PART, "verdict") if f"{NO_WAR}{name}" in row]
    return {**row, **{name: row[f"{NO_WAR}{name}"] for name in names}} if row["censored_by_war"] else row


def regret_rows(data: xr.Dataset) -> list[Row]:
    """Regret of every scenario, measure by measure."""
    directed = np.flatnonzero(np.isfinite(data["regret_expected"].values[0])).tolist()
    return [
        {
            **_texts(data, measure, "measure", "text", "unit"),
            "scenario": str(scenario),
            **{name: finite(data.variables[f"regret_{name}"].values[place, measure]) for name in REGRETS},
        }
        for measure in directed
        for place, scenario in enumerate(data["scenario"].values)
    ]


def evppi_rows(data: xr.Dataset) -> list[Row]:
    """What knowing each group of parameters is worth, measure by measure, most first; none with few draws.

    `regret` is the least expected regret of the measure: what knowing all parameters is worth.
    """
    rows = []
    for measure in (
        np.flatnonzero(np.isfinite(data["evppi"].values).all(axis=0)).tolist() if data.sizes["known"] else ()
    ):
        values = data["evppi"].values[:, measure]
        for place in np.argsort(-values, kind="stable").tolist():
            rows.append({
                **_texts(data, measure, "measure", "text", "unit"),
                **{name: str(data.variables[name].values[place]) for name in ("known", "known_text")},
                **{name: finite(data.variables[name].values[place, measure]) for name in KNOWN},
                "regret": finite(data.variables["regret_expected"].values[:, measure].min()),
            })  # fmt: skip
    return rows


def prior_rows(data: xr.Dataset) -> list[Row]:
    """One row for each such measure and scenario, before and here; none where all is simulated at draws of priors."""
    if "prior_difference" not in data:
        return []
    measures = list(data["measure"].values)
    return [
        {
            **_texts(data, at, "measure", "text", "unit"),
            "scenario": str(scenario),
            "baseline": str(data.variables["baseline"].values[place]),
            **{
                key: finite(data.variables[key].values[place, at])
                for key in (*PRIORS, "baseline_value", "scenario_value", "difference", "low", "high")
            },
        }
        for at in map(measures.index, SHOWN)
        for place, scenario in enumerate(data["comparison"].values)
    ]


def summary(data: xr.Dataset) -> Row:
    """The whole result in one mapping, fit for JSON."""
    about = data.attrs
    regrets: dict[str, dict[str, Row]] = {}
    for row in regret_rows(data):
        regrets.setdefault(row["measure"], {})[row["scenario"]] = {name: row[name] for name in REGRETS}
    known: dict[str, dict[str, Row]] = {}
    for row in evppi_rows(data):
        known.setdefault(row["measure"], {})[row["known"]] = {name: row[name] for name in KNOWN}
    arms = zip(*(data[name].values for name in ("scenario", "question", "kept")), strict=True)
    return {
        "baseline": about["baseline"],
        "scenarios": [
            {"scenario": str(name), "question": str(question), "keeps": str(kept).split()}
            for name, question, kept in arms
        ],
        "seed": about["seed"],
        "parameters": about["parameters"],
        "war_loss": about["war_loss"],
        "draws": data.sizes["draw"],
        "runs": int(about["runs"]),
        "comparisons": {str(name): _record(data, place) for place, name in enumerate(data["comparison"].values)},
        "prior_predictive": prior_rows(data),
        "regret": {"pinned": about["pinned_together"], "measures": regrets},
        "evppi": known,
    }


def _record(data: xr.Dataset, comparison: int) -> Row:
    rows = [effect_row(data, comparison, measure) for measure in range(data.sizes["measure"])]
    headed = ("scenario", "baseline", "measure")
    return {
        "baseline": str(data["baseline"].values[comparison]),
        "pinned": str(data["pinned"].values[comparison]),
        "identical_before_departure": finite(data["identical_before_departure"].values[comparison]),
        "measures": {row["measure"]: {key: row[key] for key in row if key not in headed} for row in rows},
    }


# --- the Dataset --------------------------------------------------------------------------------------------


def dataset_of(plan: Plan, found: Findings, source: str) -> xr.Dataset:
    """The comparison over (comparison, measure), (comparison, measure, draw) and (scenario, measure, draw).

    `source` says where the parameters come from. Units differ by measure and stand in the coordinate `unit`.
    """
    data = xr.Dataset(coords=_coordinates(plan))
    by_draw = _add_effects(data, plan, found)
    text = "scenario minus baseline among pairs without war in either arm, of one draw"
    data[f"{NO_WAR}difference_of_draw"] = (("comparison", "measure", "draw"), by_draw, {"long_name": text})
    for name in ("baseline_value", "scenario_value", "difference"):
        text = f"{OF_ALL[name]['long_name'].partition(':')[0]}, of one draw"
        data[f"{name}_of_draw"] = (("comparison", "measure", "draw"), found.arrays[f"all.{name}"], {"long_name": text})
    _add_regrets(data, plan, found)
    _add_evppi(data, plan)
    text = "share of pairs with the same attacks on every day before the departure; NaN where no day is before"
    same = identical_before_departure(plan)
    data["identical_before_departure"] = ("comparison", same, described(text, share=True))
    data["parameter_value"] = (
        ("parameter", "draw"), np.array(list(plan.points.values())).reshape(-1, plan.draws),
        {"long_name": "drawn value; the coordinate `kept` says where a scenario keeps its own"},
    )  # fmt: skip
    return data.assign_attrs({**provenance(plan.arms[0].config), **_about(plan, source)})


def _coordinates(plan: Plan) -> dict[str, Any]:
    shared, scenario, label = shared_declarations(), plan.arms[0].scenario, plan.arms[0].label
    free = [freed_words(scenario, day) for (_, day), _ in plan.pairs]
    # Where pairs are pinned before different days, the day is part of the name of the baseline.
    several = len({day for (_, day), _ in plan.pairs}) > 1
    first_runs = plan.experiment().numbers(0, np.arange(plan.draws), np.zeros(1, dtype=np.int64))
    return {
        **{
            key: ("measure", np.array([getattr(one, name) for one in plan.measures], dtype=kind))
            for key, name, kind in OF_MEASURE
        },
        "scenario": ("scenario", _words(arm.label for arm in plan.arms)),
        "question": ("scenario", _words(arm.words for arm in plan.arms)),
        "kept": ("scenario", _words(" ".join(sorted(arm.kept & plan.points.keys())) for arm in plan.arms)),
        "comparison": ("comparison", _words(arm.label for arm in plan.arms[1:])),
        "baseline": ("comparison", _words(f"{label}, {one}" if several else label for one in free)),
        "pinned": ("comparison", _words(pinned_words(scenario, day) for (_, day), _ in plan.pairs)),
        "pinned_short": ("comparison", _words(free)),
        "draw": ("draw", np.arange(plan.draws), {"long_name": "draw of the parameters"}),
        "first_run": ("draw", first_runs, {"long_name": "number of the first run of the draw"}),
        "parameter": ("parameter", _words(plan.points)),
        "parameter_unit": ("parameter", _words(shared[key].unit for key in plan.points)),
    }


def _words(texts: Any) -> Array:
    return np.array(list(texts), dtype=object)


def _add_effects(data: xr.Dataset, plan: Plan, found: Findings) -> Array:
    """Add the numbers of `EFFECTS`; differences of pairs without war by draw, where war cuts the measure."""
    shape = (len(plan.pairs), len(plan.measures))
    values = {name: np.full(shape, np.nan) for name in EFFECTS}
    by_draw = np.full((*shape, plan.draws), np.nan)
    for place in np.ndindex(shape):
        one = plan.measures[place[1]]
        apart = found.draws(place[0], place[1], "no_war")
        whole = effect_of(found.draws(place[0], place[1]), plan.runs, found.tallies[place], one.heavy)
        part = effect_without_war(apart, plan.runs, one.heavy)
        numbers = {name: getattr(whole, name) for name in OF_ALL} | {name: getattr(part, name) for name in JUDGED}
        if one.censored:
            numbers |= {f"{NO_WAR}{name}": getattr(part, name) for name in OF_PART}
            by_draw[place] = apart.difference
        for name, value in numbers.items():
            values[name][place] = value
    for name, about in EFFECTS.items():
        data[name] = (("comparison", "measure"), values[name], about)
    return by_draw


def _add_regrets(data: xr.Dataset, plan: Plan, found: Findings) -> None:
    """Regrets; NaN for what has no direction or a heavy tail, and for single theatres and groups."""
    shape = (len(plan.arms), len(plan.measures))
    values = {name: np.full(shape, np.nan) for name in REGRETS}
    by_draw = np.full((*shape, plan.draws), np.nan)
    for one, regrets in found.regrets():
        place = plan.measures.index(one)
        by_draw[:, place] = regrets.regret
        for name, over_draws in regrets.over_draws().items():
            values[name][:, place] = over_draws
    for name, text in REGRETS.items():
        data[f"regret_{name}"] = (("scenario", "measure"), values[name], described(text, share=name == "best"))
    about = {"long_name": "regret in one draw", "units": ""}
    data["regret_of_draw"] = (("scenario", "measure", "draw"), by_draw, about)


def _add_evppi(data: xr.Dataset, plan: Plan) -> None:
    """What it is worth to know each group of drawn parameters; NaN where regret is, and with few draws."""
    groups = {name: list(keys) for name, keys in groupby(plan.points, lambda key: key.partition(".")[0])}
    values = np.full((len(KNOWN), len(groups), len(plan.measures)), np.nan)
    regrets = data["regret_of_draw"].values
    ranked = np.isfinite(regrets).all(axis=(0, 2))
    if plan.draws >= FEWEST:
        for place, keys in enumerate(groups.values()):
            values[:, place, ranked] = evppi(regrets[:, ranked], {key: plan.points[key] for key in keys})
    data["known_text"] = ("known", _words(map(group_title, groups)))
    for (name, text), numbers in zip(KNOWN.items(), values, strict=True):
        data[name] = (("known", "measure"), numbers, described(text))
    data.coords["known"] = ("known", _words(groups), {"long_name": "group of parameters"})


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


# --- what is asked for --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """A comparison as it was asked for, composed and checked: nothing is simulated yet."""

    plan: Plan
    source: str

    @property
    def config(self) -> Config:
        """The configuration of the baseline, which also holds what is common to all."""
        return self.plan.arms[0].config

    @property
    def distinct(self) -> int:
        """Number of different draws; a posterior with fewer draws than were requested comes round again."""
        columns = list(self.plan.points.values())
        return len(np.unique(np.stack(columns), axis=1).T) if columns else 1

    def forecast(self) -> CostEstimate:
        """What it costs, by a trial of the pairs and one of those at the priors."""
        plans = (self.plan, *(() if self.source == PRIOR else (self.plan.at_priors(),)))
        return sum((one.experiment().forecast(one.chunk * one.runs, one.kept) for one in plans), CostEstimate())

    @property
    def identity(self) -> str:
        """A short name that the same scenarios and draws always have."""
        about: dict[str, Any] = {"scenarios": [arm.label for arm in self.plan.arms], "parameters": self.source}
        asked = [one.text for one in self.plan.arms[0].scenario.asked]
        own = {"war_loss": dict(self.plan.war_loss), "apart": self.plan.apart, "asked": asked}
        return short_hash(about | {key: value for key, value in own.items() if value})

    def simulate(self, progress: Progress | None = None) -> xr.Dataset:
        """Simulate it."""
        data = dataset_of(self.plan, simulate(self.plan, progress), self.source)
        if self.source != PRIOR:
            add_prior(data, self.plan, progress)
        return data


def prepare(request: Request) -> Comparison:
    """Read and check a comparison."""
    options, rest = request.options(CompareOptions)
    return prepared(options, rest)


def prepared(options: CompareOptions, request: Request, usual: tuple[int, int] = (DRAWS, RUNS)) -> Comparison:
    """The comparison that the options name, on the configuration that the overrides make.

    `usual` are draws and runs of each where parameters are drawn and nothing is said.
    """
    source_of(options.parameters, (*SOURCES, CONDITIONED))
    arms = arms_of(options.scenarios, request.overrides, request.config_dir, request.extensions)
    config = arms[0].config
    source = compared_source(options.parameters, arms)
    if source == CONDITIONED:
        usual = shipped_posterior(config.scenario.cast).draws, FUTURES
    draws = draws_of(config, source, usual[0])
    runs = config.runs if request.sets("study.runs") or source == DEFAULTS else usual[1]
    if runs < 2:
        raise UserError("study.runs", runs, "2 or more: one pair says nothing of chance")
    points, past = (
        conditioned_points(draws, arms[0].freed(common_day(arms)))
        if source == CONDITIONED
        else (points_of(source, draws, config.seed, config.scenario.cast), None)
    )
    losses = war_losses(options.war_loss, arms[0].scenario)
    apart = options.departures == OWN_DAY
    return Comparison(Plan(arms, points, draws, runs, config.seed, config.threads, losses, apart, past), source)
