"""From a scenario to the numbers that the engines read each day.

A half-life becomes daily shares, control and autonomy become the patron's hold, mechanisms that are switched off put
their numbers to the value at which they do nothing. All engines read the same table, so they cannot differ in it.
Records are columns over design points: a sweep is one table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.engine.columns import FRONT_TODAY, NUMBERS, THEATRE_NUMBERS, TODAY, WING_LAYOUT, WING_NUMBERS
from sim.engine.extension.plan import plan_of
from sim.model.cast import Cast
from sim.model.parameters import shared_declarations
from sim.model.scenario import Scenario
from sim.model.timeline import Day, daily
from sim.model.validation import UserError
from sim.numbers.compiled import kernel
from sim.numbers.philox import actor_id, actor_ids
from sim.rules.casualties import tail_power, tail_span
from sim.rules.decisions import GROUP, PATRON, TARGET, THEATRE, WEIGHT_OF
from sim.rules.militia import hold, pace, trait
from sim.rules.rates import decay_factor

Array = npt.NDArray[Any]

Column = npt.NDArray[np.float64]
Records = npt.NDArray[Any]

WEAR_FLOOR: Final = 0.01
"""Lowest baseline (attacks/day) that wear is counted against, so that a wing of rate zero divides by something."""


class ModelInputs(NamedTuple):
    """Everything that a run reads. P points, D days, K theatres, W wings.

    numbers (P,), theatres (P, K), wings (P, W), layout (W,), days (D,), fronts (D, K), raids (D, W) in limited strikes.
    extras (P, R) are the numbers of extensions at the start, as `sim.engine.extension.plan` lays them out; `extended`
    says what these are, None where they do nothing. groups (G,), bursts (K,) and weights (K,) are the numbers of
    groups, theatres and their weights in the addresses of chance; there are none where groups do not decide to pause,
    attacks do not cluster, shares of theatres stay.
    `later` are the numbers from later days on, where parameters change. `past` says where the random numbers of the
    first days are found, None for where those of all others are.
    """

    numbers: Records
    theatres: Records
    wings: Records
    layout: Records
    days: Records
    fronts: Records
    raids: Column
    patron: int
    target: int
    strikes_day: int
    report_day: int
    extras: Column
    groups: Array
    bursts: Array
    weights: Array
    extended: Any = None
    later: "tuple[LaterNumbers, ...]" = ()
    past: "Past | None" = None

    @property
    def points(self) -> int:
        """Number of design points."""
        return len(self.numbers)


FEW: Final = 4
"""Points for which a loop runs as Python: a kernel gives the interpreter lock back and may wait longer for it."""


def _apply(loop: Callable[..., None], *columns: Column) -> None:
    """Fill columns (P,) by a compiled loop, or by the same loop as Python, with the same bits."""
    (getattr(loop, "py_func", loop) if len(columns[0]) <= FEW else loop)(*columns)


class LaterNumbers(NamedTuple):
    """Numbers as in `ModelInputs` that hold from a day on; of `extras` those in `rows` do, all others are states."""

    day: int
    numbers: Records
    theatres: Records
    wings: Records
    extras: Column
    rows: Array


class Past(NamedTuple):
    """Histories that begin as others did: before `day` the random numbers are those of the run `runs` (P,) of a seed.

    From that day on a history has random numbers of its own, of runs from FRESH on, which no past has. What waits for a
    limit gets a new one and counts from zero: the time that is left of an episode does not depend on how long it has
    lasted, so the law stays the same.
    """

    day: int
    seed: int
    runs: Array


FRESH: Final = 2**32
"""Number of the first run whose random numbers no past has: the runs of pasts lie below."""
POINTWISE: Final = ("numbers", "theatres", "wings", "extras")
"""Fields with a row for each design point."""


def at_day(table: ModelInputs, day: int) -> ModelInputs | LaterNumbers:
    """The numbers that hold on a day."""
    return next((one for one in reversed(table.later) if one.day <= day), table)


def form_of(table: ModelInputs) -> tuple[int, int, int, str]:
    """Numbers of groups that decide, of theatres with shocks and of weights; extensions at work.

    Tables simulated together share them.
    """
    extended = "" if table.extended is None else table.extended.key
    return len(table.groups), len(table.bursts), len(table.weights), extended


def stacked(tables: Sequence[ModelInputs]) -> ModelInputs:
    """Inputs of one calendar, one cast and one form as one, their points in a row."""
    assert len({form_of(table) for table in tables}) == 1
    if len(tables) == 1:
        return tables[0]

    def joined(parts: Sequence[ModelInputs | LaterNumbers]) -> dict[str, Any]:
        return {name: np.concatenate([getattr(one, name) for one in parts]) for name in POINTWISE}

    rows = next((one.rows for table in tables for one in table.later), np.array([], dtype=np.int64))
    days = sorted({one.day for table in tables for one in table.later})
    later = tuple(LaterNumbers(day, **joined([at_day(one, day) for one in tables]), rows=rows) for day in days)
    past = tables[0].past
    past = past and past._replace(runs=np.concatenate([one.past.runs for one in tables if one.past is not None]))
    return tables[0]._replace(**joined(tables), later=later, past=past)


@kernel
def _keeps(half_life: Column, out: Column) -> None:
    for i in range(len(out)):
        out[i] = decay_factor(half_life[i])


@kernel
def _tails(exponents: Column, exposures: Column, spans: Column, powers: Column) -> None:
    for i in range(len(spans)):
        spans[i] = tail_span(exponents[i], exposures[i])
        powers[i] = tail_power(exponents[i])


@dataclass(frozen=True)
class DesignColumns:
    """The declared numbers of a scenario as columns over points, some of them replaced by a design."""

    scenario: Scenario
    design: Mapping[str, Column]
    points: int

    def shared(self, key: str) -> Column:
        """Column of a parameter such as `patron.control`."""
        group, name = key.split(".")
        return self._column(key, getattr(getattr(self.scenario.parameters, group), name))

    def theatre(self, theatre: str, name: str) -> Column:
        """Column of a theatre's number."""
        return self._column(f"theatre.{theatre}.{name}", getattr(self.scenario.cast.theatres[theatre], name))

    def wing(self, wing: str, name: str) -> Column:
        """Column of a wing's number."""
        return self._column(f"militia.{wing}.{name}", getattr(self.scenario.cast.wings[wing], name))

    def own(self, key: str) -> Column:
        """Column of a number that an extension declares."""
        return self._column(key, self.scenario.extended.values[key])

    def keep(self, key: str) -> Column:
        """Daily share kept under the half-life of that name."""
        out = np.empty(self.points)
        _apply(_keeps, self.shared(key), out)
        return out

    def _column(self, key: str, value: float) -> Column:
        if key in self.design:
            return np.ascontiguousarray(self.design[key], dtype=np.float64)
        return np.full(self.points, float(value))


def build_inputs(scenario: Scenario, design: Mapping[str, Column] | None = None) -> ModelInputs:
    """The table of a scenario; `design` maps parameter keys to columns of one length, one row per point.

    Raises:
        ValueError: the design names a number that the scenario does not have, or its columns differ in length.
        UserError: two actors of the case would share random numbers.
    """
    columns = columns_by_day(scenario, design or {})
    days = daily(scenario.calendar, scenario.standing_events(), scenario.cast)
    check_actors(scenario.cast)
    return ModelInputs(
        **_pointwise(columns[0]),
        layout=_layout(scenario),
        days=_days(days),
        fronts=_fronts(days),
        raids=np.array([day.strike for day in days], dtype=np.float64),
        patron=actor_id(PATRON),
        target=actor_id(TARGET),
        strikes_day=scenario.calendar.strikes,
        report_day=scenario.calendar.report,
        **_form(scenario, columns),
        extended=scenario.extended if scenario.extended.acts else None,
        later=_later(columns),
    )


def with_design(table: ModelInputs, scenario: Scenario, design: Mapping[str, Column]) -> ModelInputs:
    """What `build_inputs` gives, where the days, which take longest to work out, are those of a table that is there.

    The scenario may differ from that of the table in its parameters and its mechanisms, those of extensions too.

    Raises:
        ValueError: as for `build_inputs`.
    """
    columns = columns_by_day(scenario, design)
    extended = scenario.extended if scenario.extended.acts else None
    return table._replace(
        **_pointwise(columns[0]), **_form(scenario, columns), extended=extended, later=_later(columns)
    )


def _form(scenario: Scenario, columns: Mapping[int, DesignColumns]) -> dict[str, Any]:
    """Who decides in groups, where attacks cluster, and whether shares of theatres are other than configured."""
    mechanisms, cast = scenario.mechanisms, scenario.cast
    sizes = ("shares.share_deviation", "shares.share_drift")
    uncertain = any(one.shared(size).any() for one in columns.values() for size in sizes)
    return {
        "groups": numbers_in_addresses(GROUP, cast.groups if mechanisms.pause else ()),
        "bursts": numbers_in_addresses(THEATRE, cast.theatres if mechanisms.bursts else ()),
        "weights": numbers_in_addresses(WEIGHT_OF, cast.theatres if uncertain else ()),
    }


def columns_by_day(scenario: Scenario, design: Mapping[str, Column]) -> dict[int, DesignColumns]:
    """The numbers of a scenario at the points of a design, at one point where it is empty, from each of its stages on.

    Raises:
        ValueError: as for `build_inputs`.
    """
    check_design(scenario, design)
    points = len(next(iter(design.values()))) if design else 1
    return {
        day: DesignColumns(scenario, {**design, **_filled(values, points)} if values else design, points)
        for day, values in scenario.stages().items()
    }


def _pointwise(columns: DesignColumns) -> dict[str, Any]:
    numbers, theatres, wings = _numbers(columns), _theatres(columns), _wings(columns)
    theatres["campaign"] = _campaigns(columns.scenario.cast, wings["baseline"])
    return dict(zip(POINTWISE, (numbers, theatres, wings, _mine(columns, numbers, theatres, wings)), strict=True))


def _later(columns: Mapping[int, DesignColumns]) -> tuple[LaterNumbers, ...]:
    extended = columns[0].scenario.extended
    plan = plan_of(extended) if extended and len(columns) > 1 else None
    rows = np.array([] if plan is None else [row for row in range(plan.rows) if row not in plan.starts], dtype=np.int64)
    return tuple(LaterNumbers(day, **_pointwise(one), rows=rows) for day, one in columns.items() if day > 0)


def _filled(values: Mapping[str, float], points: int) -> dict[str, Column]:
    return {key: np.full(points, one) for key, one in values.items()}


def check_design(scenario: Scenario, design: Mapping[str, Column]) -> None:
    """Refuse a column that nothing would read."""
    if unknown := sorted(set(design) - set(scenario.declarations())):
        raise ValueError(f"design: {unknown[0]!r} is no number of this scenario")
    if len({len(column) for column in design.values()}) > 1:
        raise ValueError("design: columns differ in length")


def numbers_in_addresses(kind: str, names: Iterable[str]) -> Array:
    """Numbers of groups, theatres or their weights in the addresses of chance."""
    return np.array([actor_id(f"{kind}{name}") for name in names], dtype=np.int64)


def check_actors(cast: Cast) -> None:
    """Refuse wings and groups whose names have the same number in the addresses of chance."""
    try:
        kinds = ((GROUP, cast.groups), (THEATRE, cast.theatres), (WEIGHT_OF, cast.theatres))
        actor_ids((PATRON, TARGET, *cast.wings, *(f"{kind}{name}" for kind, names in kinds for name in names)))
    except ValueError as problem:
        raise UserError("militia", ", ".join(cast.wings), str(problem)) from None


def _numbers(columns: DesignColumns) -> Records:
    numbers = np.zeros(columns.points, dtype=NUMBERS)
    for key in shared_declarations():
        name = key.partition(".")[2]
        if name in (NUMBERS.names or ()):
            numbers[name] = columns.shared(key)
    numbers["war_risk_keep"] = columns.keep("patron.war_risk_half_life")
    numbers["fear_keep"] = columns.keep("deterrence.fear_half_life")
    numbers["burst_keep"] = kept = columns.keep("bursts.burst_half_life")
    numbers["burst_innovation"] = columns.shared("bursts.burst_deviation") * np.sqrt(1.0 - kept * kept)
    numbers["grievance_keep"] = columns.keep("deterrence.grievance_half_life")
    numbers["provocation_keep"] = columns.keep("target.provocation_half_life")
    numbers["attribution_keep"] = columns.keep("target.attribution_half_life")
    numbers["pressure_keep"] = columns.keep("mediator.half_life")
    numbers["pressure_per_strike"] = columns.shared("mediator.per_strike")
    numbers["pressure_per_death"] = columns.shared("mediator.per_death")
    numbers["pressure_of_talks"] = columns.shared("mediator.talks")
    numbers["mediation_weight"] = columns.shared("mediator.weight")
    numbers["mediator_restraint"] = columns.shared("mediator.restraint")
    numbers["observed"] = columns.shared("observation.chance")
    numbers["small_observed"] = columns.shared("observation.small")
    numbers["major_able"] = numbers["order_able"] = numbers["order_heeded"] = 1.0
    _strike_effects(columns, numbers)
    numbers["exposure"] = np.floor(columns.shared("casualties.exposure"))  # deaths are whole numbers
    exponents = columns.shared("casualties.tail_exponent")
    _apply(_tails, exponents, numbers["exposure"], numbers["tail_span"], numbers["tail_power"])
    _switch_off(columns.scenario, numbers, NEUTRAL_NUMBERS)
    return numbers


def _strike_effects(columns: DesignColumns, numbers: Records) -> None:
    """Fear is the gross effect of a strike, grievance is fear plus the net effect, never below zero."""
    fear = columns.shared("deterrence.strike_fear")
    provoked = np.maximum(fear + columns.shared("deterrence.strike_net"), 0.0)
    spillover = columns.shared("deterrence.spillover")
    numbers["fear_own"], numbers["fear_other"] = fear, fear * spillover
    numbers["grievance_own"], numbers["grievance_other"] = provoked, provoked * spillover


def _theatres(columns: DesignColumns) -> Records:
    """Theatres (P, K): gate, rebuilding a day, and what the patron asks under restraint and after release."""
    cast = columns.scenario.cast
    theatres = np.zeros((columns.points, len(cast.theatres)), dtype=THEATRE_NUMBERS)
    asked: dict[str, Callable[[], Column | float]] = {
        "stop": lambda: columns.shared("patron.directive_stop"),
        "reduce": lambda: columns.shared("patron.directive_reduce"),
        "unchanged": lambda: 1.0,
    }
    for k, (key, theatre) in enumerate(cast.theatres.items()):
        one = theatres[:, k]
        one["gate"] = columns.theatre(key, "gate") * columns.shared("multipliers.gate")
        one["rebuild"] = columns.theatre(key, "supply") / columns.shared("deterrence.rebuild_days")
        one["restraint"] = asked[theatre.restraint]()
        paused = {"stop": columns.shared("pause.residual"), "reduce": columns.shared("patron.directive_reduce")}
        one["paused"] = paused.get(theatre.restraint, 1.0)
        unchanged = theatre.restraint == "unchanged"
        one["release"] = 1.0 if unchanged else columns.shared("patron.directive_release")
    _switch_off(columns.scenario, theatres, NEUTRAL_THEATRES)
    return theatres


def _wings(columns: DesignColumns) -> Records:
    """Wings (P, W): baseline rate, the patron's hold, pace of compliance, ideology, wear per attack."""
    cast = columns.scenario.cast
    wings = np.zeros((columns.points, len(cast.wings)), dtype=WING_NUMBERS)
    factor = 1.0 if columns.scenario.mechanisms.autonomy else 0.0
    for w, key in enumerate(cast.wings):
        one = wings[:, w]
        one["baseline"] = columns.wing(key, "baseline") * columns.shared("multipliers.baseline")
        one["wear"] = columns.shared("deterrence.wear") / np.maximum(one["baseline"], WEAR_FLOOR)
        autonomy = np.empty(columns.points)
        _apply(_traits, columns.wing(key, "autonomy"), columns.shared("multipliers.autonomy") * factor, autonomy)
        ideology = columns.wing(key, "ideology")
        _apply(_traits, ideology, columns.shared("multipliers.ideology") * factor, one["ideology"])
        control, rate = columns.shared("patron.control"), columns.shared("compliance.rate")
        _apply(_holds, control, autonomy, rate, one["held"], one["pace"])
    _switch_off(columns.scenario, wings, NEUTRAL_WINGS)
    return wings


def _campaigns(cast: Cast, baselines: Column) -> Column:
    """Attacks a day on the target by theatre (P, K) from those of wings (P, W)."""
    campaigns, theatres = np.zeros((len(baselines), len(cast.theatres))), list(cast.theatres)
    for w, wing in enumerate(cast.wings.values()):
        if cast.theatres[wing.theatre].kind == "target":
            campaigns[:, theatres.index(wing.theatre)] += baselines[:, w]
    return campaigns


def _mine(columns: DesignColumns, numbers: Records, theatres: Records, wings: Records) -> Column:
    """Numbers of the extensions at the start (P, R): parameters, the model's own numbers, states, outcomes."""
    extended = columns.scenario.extended
    if not extended:
        return np.zeros((columns.points, 0))
    plan = plan_of(extended)
    extras = np.zeros((columns.points, plan.rows))
    for key, row in plan.parameters.items():
        extras[:, row] = columns.own(key)
    for one in plan.resets:
        values = {"run": numbers, "theatre": theatres, "wing": wings}[one.scope][one.name].reshape(columns.points, -1)
        extras[:, one.at : one.at + values.shape[1]] = values
    for row, value in plan.starts.items():
        extras[:, row] = value
    return extras


@kernel
def _traits(values: Column, factors: Column, out: Column) -> None:
    for i in range(len(out)):
        out[i] = trait(values[i], factors[i])


@kernel
def _holds(control: Column, autonomy: Column, rate: Column, held: Column, paces: Column) -> None:
    for i in range(len(held)):
        held[i] = hold(control[i], autonomy[i])
        paces[i] = pace(rate[i], held[i])


NEUTRAL_NUMBERS: Final[Mapping[str, Mapping[str, float]]] = {
    "fear": {"fear_own": 0.0, "fear_other": 0.0, "major_fear": 0.0},
    "grievance": {"grievance_own": 0.0, "grievance_other": 0.0},
    "capacity": {"damage": 0.0},
    "patron_restraint": {"alarm_threshold": np.inf, "order_able": 0.0},
    "obedience": {"order_heeded": 0.0},
    "threat_fear": {"alarm_of_threat": 0.0, "threat_weight": 0.0},
    "mediation": {"pressure_per_strike": 0.0, "pressure_per_death": 0.0, "pressure_of_talks": 0.0},
    "limited_response": {"response_rate": 0.0, "casualty_response_rate": 0.0, "leader_chance": 0.0},
    "major_response": {"major_able": 0.0},
    "target_restraint": {"quiet_days": np.inf},
    "observation": {"observed": 1.0, "small_observed": 1.0},
}
"""What switching a mechanism off does to the run's numbers. `limited_response` stops leader strikes too: both are
answers short of a major response. `autonomy` has no line: its factors are put to zero before traits are derived."""

NEUTRAL_THEATRES: Final[Mapping[str, Mapping[str, float]]] = {"rival_war_gate": {"gate": 0.0}}
NEUTRAL_WINGS: Final[Mapping[str, Mapping[str, float]]] = {
    "capacity": {"wear": 0.0}, "obedience": {"held": 0.0, "pace": 0.0},
}  # fmt: skip


def _switch_off(scenario: Scenario, records: Records, neutral: Mapping[str, Mapping[str, float]]) -> None:
    for mechanism, values in neutral.items():
        if not getattr(scenario.mechanisms, mechanism):
            for name, value in values.items():
                records[name] = value


def _layout(scenario: Scenario) -> Records:
    """Where each wing stands (W,)."""
    cast = scenario.cast
    theatres = list(cast.theatres)
    collectives = sorted({wing.collective for wing in cast.wings.values()})
    rows = [
        (
            theatres.index(wing.theatre),
            cast.groups.index(wing.group),
            collectives.index(wing.collective),
            actor_id(key),
            cast.theatres[wing.theatre].kind == "target",
            cast.theatres[wing.theatre].mediated,
            wing.mediated,
            cast.theatres[wing.theatre].restraint != "unchanged",
        )
        for key, wing in cast.wings.items()
    ]
    return np.array(rows, dtype=WING_LAYOUT)


def _days(days: Sequence[Day]) -> Records:
    """The timeline's word on each day (D,)."""
    today = np.zeros(len(days), dtype=TODAY)
    for name in TODAY.names or ():
        today[name] = [getattr(day, name) for day in days]
    return today


def _fronts(days: Sequence[Day]) -> Records:
    """The timeline's word on each day and theatre (D, K)."""
    fronts = np.zeros((len(days), len(days[0].stance)), dtype=FRONT_TODAY)
    fronts["surge"] = [day.attack_multiplier for day in days]
    fronts["supply"] = [day.supply for day in days]
    fronts["stance"] = [day.stance for day in days]
    return fronts
