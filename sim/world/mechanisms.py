"""The switches: which mechanisms of the model are at work."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Mechanisms:
    """One switch for every mechanism; off means a neutral value, which the engines put in place."""

    rival_war_gate: bool = True
    """Attacks hang on the rival's war."""
    fear: bool = True
    """Strikes frighten the wings they hit and their neighbours."""
    grievance: bool = True
    """Strikes embitter the wings they hit and their neighbours."""
    capacity: bool = True
    """Strikes and attacks use up capacity, supply restores it."""
    patron_restraint: bool = True
    """The patron, once alarmed, tells its proxies to hold back."""
    threat_fear: bool = True
    """An announced response frightens the patron before it falls."""
    autonomy: bool = True
    """Wings differ from the patron in what they want; off, they all obey."""
    mediation: bool = True
    """Mediators press the militias."""
    limited_response: bool = True
    """The target answers attacks with limited and leader strikes."""
    major_response: bool = True
    """The target announces and carries out a major response to deaths."""
    target_restraint: bool = True
    """The target declines leader strikes while it is quiet."""
    observation: bool = True
    """Some attacks go unacknowledged."""


MECHANISM_NAMES = tuple(one.name for one in fields(Mechanisms))
