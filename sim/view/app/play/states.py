"""What the states are called that the page shows, and their units."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Label(NamedTuple):
    """A state in words, and its unit."""

    text: str
    unit: str


RUN_LABELS: Final[Mapping[str, Label]] = {
    "war_risk": Label("War risk that {patron} perceives", "1"),
    "phase": Label("Phase of {patron}", ""),
    "phase_days": Label("Days in this phase", "days"),
    "gains": Label("How far enough was gained", "share"),
    "ordered_attacks": Label("Ordered attacks so far", "attacks"),
    "answered": Label("{patron} answered openly today", ""),
    "pressure": Label("Pressure of the mediators", "share"),
    "provocation": Label("Provocation of {target}", "attacks"),
    "pending": Label("Days to an announced response", "days"),
    "quiet_days": Label("Days without an acknowledged attack", "days"),
    "attacks": Label("Attacks on {target} today", "attacks"),
    "acknowledged": Label("Of these acknowledged", "attacks"),
    "injured": Label("Injured today", "soldiers"),
    "killed": Label("Killed today", "soldiers"),
    "lethal": Label("Attacks that killed", "attacks"),
    "limited": Label("Limited response today", ""),
    "leader": Label("Chance to strike a leader", ""),
    "major": Label("Major response today", ""),
    "struck_wing": Label("Wing that a limited or leader strike hit", ""),
    "strikes": Label("Strikes today", "limited strikes"),
    "strikes_home": Label("Of these in the mediators' country", "limited strikes"),
    "acts": Label("Acts against {patron} by {target}", "weighted acts"),
    "rung": Label("Rung of the ladder today", "rung"),
    "recent_rung": Label("Recent height of the ladder", "rungs"),
    "war": Label("Direct war", ""),
}
"""Every state of the run, in the order of the engines' records."""

WING_LABELS: Final[Mapping[str, Label]] = {
    "compliance": Label("Compliance", "share"),
    "fear": Label("Fear", "log rate"),
    "grievance": Label("Grievance", "log rate"),
    "capacity": Label("Capacity", "share"),
    "rate": Label("Attack rate", "attacks/day"),
    "attacks": Label("Attacks", "attacks"),
    "acknowledged": Label("Acknowledged", "attacks"),
    "recent": Label("Recent attacks", "attacks"),
    "struck": Label("Struck", "limited strikes"),
    "nearby": Label("Struck nearby", "limited strikes"),
    "jump": Label("Jump of fear", "log rate"),
}
"""Every state of a wing. Fear and grievance move the logarithm of its attack rate."""
