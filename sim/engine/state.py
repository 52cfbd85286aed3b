"""The state of a history at the end of a day: one record per run, per theatre and per wing.

The same classes name the rows of the kernel's memory and the records of the state tables that engines hand out, so that
"the engines agree" means that these tables agree bit for bit.
"""

from typing import NamedTuple

from sim.engine.columns import Real, Whole, record_type


class RunState(NamedTuple):
    """Of the whole run. Units: attacks, soldiers, days, limited strikes.

    `leader` 1 struck 2 declined; flags 0 or 1; `struck_wing` the wing that a limited or leader strike hit, -1 for none;
    `acts` those of the target on the patron. A `hazard` is a daily rate summed up so far; at its `limit` it ends an
    order to hold back, or peace.
    """

    war_risk: Real
    phase: Whole
    phase_days: Real
    restraint_orders: Whole
    release_hazard: Real
    release_limit: Real
    gains: Real
    ordered_attacks: Real
    answered: Whole
    pressure: Real
    provocation: Real
    pending: Real
    quiet_days: Real
    attacks: Real
    acknowledged: Real
    injured: Real
    killed: Real
    lethal: Real
    limited: Whole
    leader: Whole
    major: Whole
    struck_wing: Whole
    strikes: Real
    strikes_home: Real
    acts: Real
    rung: Real
    recent_rung: Real
    war_hazard: Real
    war_limit: Real
    war: Whole


class TheatreState(NamedTuple):
    """Of a theatre. `directive` is what wings know today, `order` what the patron asks as of tonight.

    `shock` is that of its attack rates today, as a logarithm, `weight` what decides its share of all attacks.
    """

    directive: Real
    order: Real
    shock: Real
    weight: Real


class WingState(NamedTuple):
    """Of a wing. `struck`, `nearby` and `jump` fell today and are felt tomorrow; rate in attacks/day."""

    compliance: Real
    fear: Real
    grievance: Real
    capacity: Real
    rate: Real
    attacks: Real
    acknowledged: Real
    recent: Real
    struck: Real
    nearby: Real
    jump: Real


RUN_STATE, THEATRE_STATE, WING_STATE = record_type(RunState), record_type(TheatreState), record_type(WingState)
