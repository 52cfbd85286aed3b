"""From a scenario to the numbers that the engines read each day.

Half-lives become daily shares, control and autonomy become the patron's hold, mechanisms that are switched off put
their numbers to the value at which they do nothing. All engines read the same table, so they cannot differ in it.
Records are columns over design points: a sweep is one table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.engine.extension.plan import Sizes, plan_of
from sim.engine.state import record_type
from sim.numbers.chance import actor_id, actor_ids
from sim.numbers.compiled import kernel
from sim.rules.casualties import tail_power, tail_span
from sim.rules.decisions import PATRON, TARGET
from sim.rules.militia import hold, pace, trait
from sim.rules.rates import keep
from sim.world.errors import UserError
from sim.world.parameters import Theatre, Wing, declared, shared_declarations
from sim.world.scenario import Scenario
from sim.world.timeline import Day, daily

Column = npt.NDArray[np.float64]
Records = npt.NDArray[Any]

NUMBERS: Final = record_type(
    [
        (name, "f8")
        for name in (
            "war_risk_keep alarm_per_strike alarm_per_death alarm_of_threat alarm_per_act alarm_threshold"
            " deliberation_days minimum_days release_rate directive_free gains_weight gains_scale open_answer"
            " relax_rate fear_own fear_other fear_keep grievance_own grievance_other grievance_keep grievance_max"
            " major_fear damage"
            " provocation_keep injured_weight killed_weight provocation_threshold response_rate response_relief"
            " major_days major_intensity major_able leader_chance leader_intensity quiet_days attribution"
            " attribution_keep patron_strike_rung patron_strike_acts answer_provocation"
            " pressure_keep pressure_per_strike pressure_per_death pressure_of_talks"
            " mediation_weight mediator_restraint ideology_relief"
            " penetration lethality tail_span tail_power exposure injured_mean small_penetration"
            " observed small_observed cooling war_threshold war_rate"
        ).split()
    ]
)
"""What holds for a whole run: parameters as a day uses them. Names and units follow `sim.world.parameters`."""

THEATRE_NUMBERS: Final = record_type([(name, "f8") for name in ("gate", "rebuild", "restraint", "release")])
WING_NUMBERS: Final = record_type([(name, "f8") for name in ("baseline", "held", "pace", "ideology", "wear")])

WING_LAYOUT: Final = record_type(
    [(name, "i8") for name in ("theatre", "collective", "actor", "on_target", "at_home", "mediated")]
)
"""Where a wing stands: indices, its number in the addresses of chance, and flags (attacks the target; its theatre is
the mediators' own; the mediators reach it)."""

TODAY: Final = record_type(
    [(name, "f8") for name in ("intensity", "talks", "acts", "pinned_killed")]
    + [(name, "i8") for name in ("deaths_allowed", "major", "limited", "leader", "pinned_wing")]
)
"""What the timeline says of a day. `major`, `limited` and `leader`: 1 forced, 0 free, -1 held back."""

FRONT_TODAY: Final = record_type([(name, "f8") for name in ("surge", "supply", "stance")])

WEAR_FLOOR: Final = 0.01
"""Lowest baseline (attacks/day) that wear is counted against, so that a wing of rate zero divides by something."""


class Table(NamedTuple):
    """Everything that a run reads. P points, D days, K theatres, W wings.

    numbers (P,), theatres (P, K), wings (P, W), layout (W,), days (D,), fronts (D, K), raids (D, W) in limited strikes.
    mine (P, R) are the numbers of extensions at the start, as `sim.engine.extension.plan` lays them out; `extended`
    says what these are, None for nothing.
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
    mine: Column
    extended: Any = None

    @property
    def points(self) -> int:
        """Number of design points."""
        return len(self.numbers)


@kernel
def _keeps(half_lives: Column, out: Column) -> None:
    for i in range(len(out)):
        out[i] = keep(half_lives[i])


@kernel
def _tails(exponents: Column, exposures: Column, spans: Column, powers: Column) -> None:
    for i in range(len(spans)):
        spans[i] = tail_span(exponents[i], exposures[i])
        powers[i] = tail_power(exponents[i])


@dataclass(frozen=True)
class Columns:
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
        _keeps(self.shared(key), out)
        return out

    def _column(self, key: str, value: float) -> Column:
        if key in self.design:
            return np.ascontiguousarray(self.design[key], dtype=np.float64)
        return np.full(self.points, float(value))


def tabulate(scenario: Scenario, design: Mapping[str, Column] | None = None) -> Table:
    """The table of a scenario; `design` maps parameter keys to columns of one length, one row per point.

    Raises:
        ValueError: the design names a number that the scenario does not have, or its columns differ in length.
        UserError: two actors of the case would share their luck.
    """
    columns = columns_of(scenario, design or {})
    days = daily(scenario.calendar, scenario.standing_events(), scenario.cast)
    wing_ids = tuple(scenario.cast.wings)
    check_actors(wing_ids)
    numbers, theatres, wings = _numbers(columns), _theatres(columns), _wings(columns)
    return Table(
        numbers=numbers,
        theatres=theatres,
        wings=wings,
        layout=_layout(scenario),
        days=_days(days),
        fronts=_fronts(days),
        raids=np.array([day.strike for day in days], dtype=np.float64),
        patron=actor_id(PATRON),
        target=actor_id(TARGET),
        strikes_day=scenario.calendar.strikes,
        report_day=scenario.calendar.report,
        mine=_mine(columns, numbers, theatres, wings),
        extended=scenario.extended or None,
    )


def at_points(table: Table, scenario: Scenario, design: Mapping[str, Column]) -> Table:
    """What `tabulate` gives, where the days, which take longest to work out, are those of a table that is there.

    The scenario may differ from that of the table in its parameters and its mechanisms.

    Raises:
        ValueError: as for `tabulate`.
    """
    columns = columns_of(scenario, design)
    numbers, theatres, wings = _numbers(columns), _theatres(columns), _wings(columns)
    mine = _mine(columns, numbers, theatres, wings)
    return table._replace(numbers=numbers, theatres=theatres, wings=wings, mine=mine)


def columns_of(scenario: Scenario, design: Mapping[str, Column]) -> Columns:
    """The numbers of a scenario at the points of a design, at one point where it is empty.

    Raises:
        ValueError: as for `tabulate`.
    """
    check_design(scenario, design)
    return Columns(scenario, design, len(next(iter(design.values()))) if design else 1)


def check_design(scenario: Scenario, design: Mapping[str, Column]) -> None:
    """Refuse a column that nothing would read."""
    known = set(shared_declarations())
    known |= {f"militia.{key}.{name}" for key in scenario.cast.wings for name, _ in declared(Wing)}
    known |= {f"theatre.{key}.{name}" for key in scenario.cast.theatres for name, _ in declared(Theatre)}
    known |= set(scenario.extended.values)
    if unknown := sorted(set(design) - known):
        raise ValueError(f"design: {unknown[0]!r} is no number of this scenario")
    if len({len(column) for column in design.values()}) > 1:
        raise ValueError("design: columns differ in length")


def check_actors(wing_ids: tuple[str, ...]) -> None:
    """Refuse wings whose names have the same number in the addresses of chance."""
    try:
        actor_ids((PATRON, TARGET, *wing_ids))
    except ValueError as problem:
        raise UserError("militia", ", ".join(wing_ids), str(problem)) from None


SAME_NAME: Final = {
    "patron": "alarm_per_strike alarm_per_death alarm_of_threat alarm_per_act alarm_threshold deliberation_days"
    " minimum_days release_rate directive_free gains_weight gains_scale open_answer",
    "compliance": "relax_rate",
    "deterrence": "grievance_max major_fear damage",
    "target": "injured_weight killed_weight provocation_threshold response_rate response_relief major_days"
    " major_intensity leader_chance leader_intensity quiet_days attribution patron_strike_rung patron_strike_acts"
    " answer_provocation",
    "mediator": "ideology_relief",
    "casualties": "penetration lethality injured_mean small_penetration",
    "ladder": "cooling war_threshold war_rate",
}
"""Numbers that the day reads just as they were declared, under the same name."""


def _numbers(columns: Columns) -> Records:
    numbers = np.zeros(columns.points, dtype=NUMBERS)
    for group, names in SAME_NAME.items():
        for name in names.split():
            numbers[name] = columns.shared(f"{group}.{name}")
    numbers["war_risk_keep"] = columns.keep("patron.war_risk_half_life")
    numbers["fear_keep"] = columns.keep("deterrence.fear_half_life")
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
    numbers["major_able"] = 1.0
    _strike_effects(columns, numbers)
    numbers["exposure"] = np.floor(columns.shared("casualties.exposure"))  # nobody is killed in part
    exponents = columns.shared("casualties.tail_exponent")
    _tails(exponents, numbers["exposure"], numbers["tail_span"], numbers["tail_power"])
    _switch_off(columns.scenario, numbers, NEUTRAL_NUMBERS)
    return numbers


def _strike_effects(columns: Columns, numbers: Records) -> None:
    """Fear is the gross effect of a strike, grievance is fear plus the net effect, never below zero."""
    fear = columns.shared("deterrence.strike_fear")
    provoked = np.maximum(fear + columns.shared("deterrence.strike_net"), 0.0)
    spillover = columns.shared("deterrence.spillover")
    numbers["fear_own"], numbers["fear_other"] = fear, fear * spillover
    numbers["grievance_own"], numbers["grievance_other"] = provoked, provoked * spillover


def _theatres(columns: Columns) -> Records:
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
        one["gate"] = columns.theatre(key, "gate")
        one["rebuild"] = columns.theatre(key, "supply") / columns.shared("deterrence.rebuild_days")
        one["restraint"] = asked[theatre.restraint]()
        unchanged = theatre.restraint == "unchanged"
        one["release"] = 1.0 if unchanged else columns.shared("patron.directive_release")
    _switch_off(columns.scenario, theatres, NEUTRAL_THEATRES)
    return theatres


def _wings(columns: Columns) -> Records:
    """Wings (P, W): baseline rate, the patron's hold, pace of compliance, ideology, wear per attack."""
    cast = columns.scenario.cast
    wings = np.zeros((columns.points, len(cast.wings)), dtype=WING_NUMBERS)
    factor = 1.0 if columns.scenario.mechanisms.autonomy else 0.0
    for w, key in enumerate(cast.wings):
        one = wings[:, w]
        one["baseline"] = columns.wing(key, "baseline") * columns.shared("multipliers.baseline")
        one["wear"] = columns.shared("deterrence.wear") / np.maximum(one["baseline"], WEAR_FLOOR)
        _traits(
            columns.shared("patron.control"), columns.shared("compliance.rate"),
            columns.wing(key, "autonomy"), columns.shared("multipliers.autonomy") * factor,
            columns.wing(key, "ideology"), columns.shared("multipliers.ideology") * factor,
            one["held"], one["pace"], one["ideology"],
        )  # fmt: skip
    _switch_off(columns.scenario, wings, NEUTRAL_WINGS)
    return wings


def _mine(columns: Columns, numbers: Records, theatres: Records, wings: Records) -> Column:
    """Numbers of the extensions at the start (P, R): parameters, the model's own numbers, states, outcomes."""
    extended = columns.scenario.extended
    if not extended:
        return np.zeros((columns.points, 0))
    plan = plan_of(extended, Sizes(theatres.shape[1], wings.shape[1]))
    mine = np.zeros((columns.points, plan.rows))
    for key, row in plan.parameters.items():
        mine[:, row] = columns.own(key)
    for one in plan.resets:
        values = {"run": numbers, "theatre": theatres, "wing": wings}[one.scope][one.name].reshape(columns.points, -1)
        mine[:, one.at : one.at + values.shape[1]] = values
    for row, value in plan.starts.items():
        mine[:, row] = value
    return mine


@kernel
def _traits(
    control: Column, rate: Column, autonomy: Column, autonomy_factor: Column, ideology: Column,
    ideology_factor: Column, held: Column, paces: Column, ideologies: Column,
) -> None:  # fmt: skip
    for i in range(len(control)):
        held[i] = hold(control[i], trait(autonomy[i], autonomy_factor[i]))
        paces[i] = pace(rate[i], held[i])
        ideologies[i] = trait(ideology[i], ideology_factor[i])


NEUTRAL_NUMBERS: Final[Mapping[str, Mapping[str, float]]] = {
    "fear": {"fear_own": 0.0, "fear_other": 0.0, "major_fear": 0.0},
    "grievance": {"grievance_own": 0.0, "grievance_other": 0.0},
    "capacity": {"damage": 0.0},
    "patron_restraint": {"alarm_threshold": np.inf},
    "threat_fear": {"alarm_of_threat": 0.0},
    "mediation": {"pressure_per_strike": 0.0, "pressure_per_death": 0.0, "pressure_of_talks": 0.0},
    "limited_response": {"response_rate": 0.0, "leader_chance": 0.0},
    "major_response": {"major_able": 0.0},
    "target_restraint": {"quiet_days": np.inf},
    "observation": {"observed": 1.0, "small_observed": 1.0},
}
"""What switching a mechanism off does to the run's numbers. `limited_response` stops leader strikes too: both are
answers short of a major response. `autonomy` has no line: its factors are put to zero before traits are derived."""

NEUTRAL_THEATRES: Final[Mapping[str, Mapping[str, float]]] = {"rival_war_gate": {"gate": 0.0}}
NEUTRAL_WINGS: Final[Mapping[str, Mapping[str, float]]] = {"capacity": {"wear": 0.0}}


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
            collectives.index(wing.collective),
            actor_id(key),
            cast.theatres[wing.theatre].kind == "target",
            cast.theatres[wing.theatre].mediated,
            wing.mediated,
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
    fronts["surge"] = [day.multiplier for day in days]
    fronts["supply"] = [day.supply for day in days]
    fronts["stance"] = [day.stance for day in days]
    return fronts
