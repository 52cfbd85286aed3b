"""The record of a history, counted from its states day by day: what the kernel's own count must equal."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.engine.extension.plan import plan_of
from sim.engine.inputs import ModelInputs
from sim.engine.record import BINS, WEEK, Output
from sim.engine.reference.model import ReferenceModel
from sim.model.declared_outcomes import NAMES
from sim.rules import outcomes, patron, target

Array = npt.NDArray[Any]


def first_day(happened: Array) -> int:
    """Number of the first day on which something happened (days,)."""
    first = outcomes.NEVER
    for day, today in enumerate(happened.tolist()):
        first = int(outcomes.first_day(first, day, today))
    return first


def outcome_row(run: Array, windows: Array, table: ModelInputs) -> list[int]:
    """The outcomes of `sim.model.RECORDED` from the states of the run and the window of each day (days,)."""
    leader_struck = run["leader"] == target.STRUCK
    answers = run["limited"] + leader_struck
    declined = run["leader"] == target.DECLINED
    values: dict[str, int] = {
        "deaths": run["killed"].sum(),
        "lethal_attacks": run["lethal"].sum(),
        "injured": run["injured"].sum(),
        "first_death_day": first_day(run["killed"] > 0.0),
        "limited_responses": run["limited"].sum(),
        "leader_strikes": leader_struck.sum(),
        "campaign_responses": answers[windows == outcomes.CAMPAIGN].sum(),
        "leader_strikes_declined": declined[windows == outcomes.LULL].sum(),
        "major_responses": run["major"].sum(),
        "major_day": first_day(run["major"] > 0),
        "directive_day": first_day(run["phase"] == patron.RESTRAINING),
        "release_day": first_day(run["phase"] == patron.RELEASED),
        "war_day": first_day(run["war"] > 0),
        "first_attack_day": first_day((windows == outcomes.LATER) & (run["acknowledged"] > 0.0)),
        "resumption_day": resumption_day(run["acknowledged"], windows, table.strikes_day),
        "peak_war_risk": int(run["war_risk"].max(initial=0.0) * 1000.0 + 0.5),  # the nearest thousandth
        "peak_rung": run["rung"].max(initial=0.0),
    }
    return [int(values[name]) for name in NAMES]


def resumption_day(acknowledged: Array, windows: Array, strikes: int) -> int:
    """First of the first 14 days in which attacks resumed, from the acknowledged attacks of each day (days,)."""
    found = outcomes.NEVER
    for day in np.flatnonzero(windows >= outcomes.LULL).tolist():
        began = outcomes.fortnight_began(day, strikes)
        resumed = acknowledged[began : day + 1].sum() >= outcomes.RESUMED_ATTACKS
        found = int(outcomes.first_day(found, began, resumed))
    return found


def compliance_lags(fronts: Array, wings: Array, places: Array) -> list[int]:
    """Days from the first order to hold back until each wing complied (W,), from states of all days."""
    lags = []
    for w, k in enumerate(places.tolist()):
        held_back = fronts["directive"][:, k] < 1.0
        complied = first_day(held_back & (wings["compliance"][:, w] >= outcomes.COMPLIANT))
        lags.append(complied if complied < 0 else complied - first_day(held_back))
    return lags


def write_history(out: Output, i: int, model: ReferenceModel) -> None:
    """Write all that is asked of a history that a model has simulated into the output, as its i-th."""
    states, table, days = model.state_table(), model.table, model.day + 1
    run, fronts, wings, extras = (part[:days] for part in states)
    places = table.layout["theatre"]
    windows = np.array([outcomes.window(day, table.strikes_day, table.report_day) for day in range(days)], dtype=int)
    out.rows[i] = outcome_row(run, windows, table)
    for window in range(len(outcomes.WINDOWS)):
        for kind, name in enumerate(("attacks", "acknowledged")):
            out.counts[i, :, window, kind] = wings[name][windows == window].sum(axis=0)
    out.lags[i] = compliance_lags(fronts, wings, places)
    for k in range(fronts.shape[1]):
        attacks, acknowledged = (wings[name][:, places == k].sum(axis=1) for name in ("attacks", "acknowledged"))
        for week in range(days // WEEK):
            total = int(attacks[week * WEEK : week * WEEK + WEEK].sum())
            out.weekly[k, week, min(total, BINS - 1)] += 1
        if len(out.daily) > 0:
            out.daily[i, :days, k, 0], out.daily[i, :days, k, 1] = attacks, acknowledged
    out.extras[i] = extras[-1] if days else table.extras[model.point]
    if out.series.size:
        out.series[i, :days] = extras[:, list(plan_of(table.extended).series.values())]
    if len(out.run_states) > 0:
        out.run_states[i], out.front_states[i], out.wing_states[i], out.extras_states[i] = states
